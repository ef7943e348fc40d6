"""The explorer's view as a still figure, for where widgets do not live: the patch with the
attention of a pixel, dates that ask dates, and weight and curves over the dates.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, PercentFormatter

from stma_nb.cube import UNKNOWN
from stma_nb.figures import colour_map, literal

if TYPE_CHECKING:
    from stma_nb.attention.explorer import AttentionExplorer

VEIL = (110 / 255, 0, 84 / 255)  # as in the page
STYLES = ("s--", "o-", "^-.", "d:")


def figure(view: "AttentionExplorer") -> Figure:
    """The present view of an explorer, with its legend."""
    result = Figure(figsize=(11, 4.8), layout="constrained")
    halves: Any = result.subfigures(1, 2, width_ratios=(1, 1.25))
    left, right = halves
    _draw_patch(left, view)
    above, below = right.subplots(2, 1, height_ratios=(1, 1.2))
    _draw_matrix(right, above, view)
    _draw_curves(below, view)
    return result


def _draw_patch(figure: Any, view: "AttentionExplorer") -> None:
    (top, left), side = view.corner, view.facts["patch"]
    axis = figure.subplots()
    place = dict(
        extent=(left - 0.5, left + side - 0.5, top + side - 0.5, top - 0.5),
        interpolation="nearest",
    )
    names = [band["name"] for band in view.facts["bands"]]
    title = f"Row {view.pixel[0]}, column {view.pixel[1]}"
    if view.layer in names:
        values = view.values([] if view.show == "before" else None)
        axis.imshow(values[view.date, names.index(view.layer)], cmap="gray", **place)
        title += f"; {view.facts['dates'][view.date]}"
    else:
        colours, norm = colour_map(view.lab.trained.crops)
        codes = view.codes(view.layer)
        axis.imshow(codes, cmap=colours, norm=norm, alpha=1 - 0.65 * view.opacity, **place)
        crops = view.lab.trained.crops
        handles = [
            Patch(facecolor=crops[code].colour, edgecolor="black", label=literal(crops[code].name))
            for code in np.unique(codes)
            if code != UNKNOWN
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
    weights, cross = view.spatial(), view.level == "cross"
    # A map that is even is not to look bright; cosines have the range that occurs.
    low = weights.min() if cross else 0
    high = weights.max() if cross else max(weights.max(), 2 / weights.size)
    share = np.clip((weights - low) / (high - low or 1), 0, 1)
    veil = np.empty((*weights.shape, 4))
    veil[..., :3], veil[..., 3] = VEIL, view.opacity * share**0.6
    axis.imshow(veil, **place)
    for pixel, edge in ((view.locked, "black"), (view.pixel, "#d4006a")):
        if pixel is not None:
            axis.plot(*pixel[::-1], "s", markersize=9, color="none", markeredgecolor="white", mew=4)
            axis.plot(*pixel[::-1], "s", markersize=9, color="none", markeredgecolor=edge, mew=2)
    axis.set(title=title, xlabel="column", ylabel="row")
    steps = np.linspace(0, 1, 64)
    grey = 0.5 + (np.array(VEIL) - 0.5) * (view.opacity * steps**0.6)[:, None]  # over grey
    bar = figure.colorbar(
        ScalarMappable(Normalize(low, high), LinearSegmentedColormap.from_list("veil", grey)),
        ax=axis,
        shrink=0.7,
        label="cosine across scales"
        if cross
        else f"attention, level {view.level}, head {view.head or 'mean'}",
        format=None if cross else PercentFormatter(1, decimals=1),
    )
    bar.locator = MaxNLocator(4)
    bar.update_ticks()


def _draw_matrix(figure: Any, axis: Axes, view: "AttentionExplorer") -> None:
    dates = np.array(view.facts["dates"], "M8[D]")
    shown = axis.pcolormesh(dates, dates, view.temporal(), cmap="viridis", vmin=0)
    axis.invert_yaxis()
    axis.set(title="dates (rows) ask dates (columns)", ylabel="asking date")
    for side in (axis.xaxis, axis.yaxis):
        side.set_major_formatter(ConciseDateFormatter(AutoDateLocator(maxticks=6)))
    figure.colorbar(shown, ax=axis, format=PercentFormatter(1, decimals=0))


def _draw_curves(axis: Axes, view: "AttentionExplorer") -> None:
    f, (row, column) = view.facts, view.pixel
    dates = np.array(f["dates"], "M8[D]")
    bars = axis.twinx()
    bars.bar(dates, 100 * view.temporal().mean(0), width=8, color="0.8")
    bars.set_ylabel("weight received (%)")
    axis.set_zorder(bars.get_zorder() + 1)
    axis.patch.set_visible(False)
    values = view.values([] if view.show == "before" else None)
    unit = f["bands"][0]["unit"]
    for number, band in enumerate(f["bands"]):
        if band["unit"] == unit:  # one axis, one unit
            axis.plot(
                dates,
                values[:, number, row - view.corner[0], column - view.corner[1]],
                STYLES[number % len(STYLES)],
                color=band["colour"],
                markersize=4,
                label=literal(band["label"]),
            )
    axis.set_ylabel("backscatter (dB)" if unit == "dB" else f"value ({unit})")
    axis.xaxis.set_major_formatter(ConciseDateFormatter(AutoDateLocator(maxticks=8)))
    axis.legend(frameon=False, ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1))
