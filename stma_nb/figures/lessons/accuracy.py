"""Figures of notebook 08 that teach nothing by themselves: numbers in, a matplotlib Figure out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.colors import ListedColormap
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from stma_nb.cube import Crop
from stma_nb.figures.lessons.common import name_ends
from stma_nb.figures.plots import distinct, extent, inks, literal, locate

METHODS = (("o", "-", "#332288"), ("s", "--", "#8a6d00"), ("^", ":", "#000000"), ("v", "-.", "0.5"))


def areas(table: pd.DataFrame, crops: Sequence[Crop]) -> Figure:
    """Area of classes (rows) in hectares: estimated with its interval, counted in the map, true.

    The columns are ``estimate``, ``low``, ``high``, ``counted in the map (ha)``, ``truth (ha)``.
    Crops of the legend have its colours.
    """
    figure = Figure(figsize=(9, 4), layout="constrained")
    axis = figure.subplots()
    colours = inks(crops)
    for place, (name, row) in enumerate(table.iterrows()):
        half = (row["high"] - row["low"]) / 2
        look: dict[str, Any] = dict(
            color=colours.get(str(name), "black"), capsize=6, elinewidth=2.5, markersize=9
        )
        axis.errorbar(place, row["estimate"], half, fmt="o", **look)
    place = np.arange(len(table))
    counted, truth = table["counted in the map (ha)"], table["truth (ha)"]
    black: dict[str, Any] = dict(
        color="black", markerfacecolor="white", markersize=8, linestyle="none"
    )
    axis.plot(place - 0.22, counted, marker="s", label="counted in the map", **black)
    axis.plot([], [], "o-", color="black", label="estimate, 95 % interval")
    axis.plot(place + 0.22, truth, marker="D", label="truth (simulated)", **black)
    axis.set_xticks(place, table.index, fontsize=11)
    axis.set(ylabel="area (ha)", ylim=(0, None))
    axis.grid(axis="y", alpha=0.3)
    figure.legend(frameon=False, loc="outside upper center", ncols=3, fontsize=11)
    return figure


def where_errors_sit(
    by_edge: pd.DataFrame, by_size: pd.Series, by_contrast: pd.Series, fields: int
) -> Figure:
    """Share mapped right by distance from the edge, by size and by contrast of the field.

    ``by_edge`` has a column for each map, which becomes a line. The index of each table are
    intervals; a bar of the last two stands for so many ``fields``, and has the standard error of a
    share of so many that are independent.
    """
    figure = Figure(figsize=(9, 6.4), layout="constrained")
    panels = figure.subplot_mosaic("aa;bc", sharey=True)
    for (name, shares), (mark, style, colour) in zip(by_edge.items(), METHODS, strict=False):
        look = dict(marker=mark, linestyle=style, color=colour, label=name)
        panels["a"].plot(_between(by_edge.index, "g"), 100 * shares, **look)
    panels["a"].set(xlabel="distance from the edge of the field (pixels of 10 m)")
    panels["a"].set_title("pixels", fontsize=11)
    panels["a"].legend(loc="lower right", ncols=2, frameon=False)
    bars = [
        ("b", by_size, "size of the field (ha)", "fields by size"),
        ("c", by_contrast, "contrast (dB)", "fields by contrast"),
    ]
    for key, shares, label, title in bars:
        error = 100 * np.sqrt(shares * (1 - shares) / fields)
        names = _between(shares.index, ".1f")
        drawn = panels[key].bar(names, 100 * shares, color="#88a0c8", yerr=error, capsize=4)
        panels[key].bar_label(drawn, fmt="%.0f", label_type="center")
        panels[key].set(xlabel=label)
        panels[key].set_title(f"{title}, about {fields} in a bar", fontsize=11)
    for key in "ab":
        panels[key].set(ylabel="right (%)", ylim=(0, 109))
    return figure


def _between(intervals: pd.Index, digits: str) -> list[str]:
    """Names of intervals; the last may have no end."""
    return [
        f"{_signed(i.left, digits)} to {_signed(i.right, digits)}"
        if np.isfinite(i.right)
        else f"more than {i.left:g}"
        for i in intervals
    ]


def _signed(number: float, digits: str) -> str:
    """A number with the sign for minus, which is longer than the one between words."""
    return f"{number:{digits}}".replace("-", "−")


def doubt_and_errors(
    reliability: dict[str, pd.DataFrame], doubt: np.ndarray, errors: np.ndarray, season: xr.Dataset
) -> Figure:
    """Reliability curves by name, a map of doubt in bits, and a map of errors.

    The tables have the columns ``confidence`` and ``accuracy`` (``accuracy.calibration``);
    ``errors`` (rows, columns) are 0 where right, 1 where wrong and 0.5 where nothing was tested.
    """
    figure = Figure(figsize=(10, 4.2))
    figure.set_layout_engine("constrained", wspace=0.08)
    left, middle, right = figure.subplots(1, 3, width_ratios=(1.1, 1.1, 1))
    left.plot([0, 1], [0, 1], color="0.6", linewidth=1)
    left.text(0.32, 0.36, "as sure as right", rotation=45, color="0.4", ha="center", fontsize=9)
    for (name, table), (mark, style, colour) in zip(reliability.items(), METHODS, strict=False):
        look = dict(marker=mark, linestyle=style, color=colour, markersize=5, label=name)
        left.plot(table["confidence"], table["accuracy"], **look)
    left.legend(frameon=False)
    left.set(xlabel="confidence", ylabel="share right", xlim=(0, 1), ylim=(0, 1), aspect="equal")
    place = dict(extent=extent(season), interpolation="nearest")
    picture = middle.imshow(doubt, cmap="cividis", vmin=0, **place)
    figure.colorbar(picture, ax=middle, label="entropy (bits)", shrink=0.6)
    right.imshow(
        errors, cmap=ListedColormap(["#ffffff", "#b8c0c8", "#000000"]), vmin=0, vmax=1, **place
    )
    for axis, title in ((left, "test pixels"), (middle, "doubt"), (right, "errors")):
        axis.set_title(title, fontsize=11)
    locate([middle, right], season)
    looks = [
        Patch(facecolor=colour, edgecolor="black", label=name)
        for name, colour in (("right", "#ffffff"), ("wrong", "#000000"), ("not tested", "#b8c0c8"))
    ]
    right.legend(
        handles=looks,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.12),
        ncols=3,
        frameon=False,
        fontsize=9,
        handlelength=1.2,
        columnspacing=1,
    )
    return figure


def by_block(shares: Mapping[str, np.ndarray], pixels: np.ndarray) -> Figure:
    """Share of crop pixels right in each block, a mark for each map, blocks sorted by the first.

    ``pixels`` (blocks,) tells how many crop pixels a block has.
    """
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    axis = figure.subplots()
    order = np.argsort(next(iter(shares.values())))
    place = np.arange(len(order))
    spread = [values[order] for values in shares.values()]
    axis.vlines(place, 100 * np.min(spread, 0), 100 * np.max(spread, 0), color="0.7")
    for (name, values), (mark, _, colour) in zip(shares.items(), METHODS, strict=False):
        axis.plot(place, 100 * values[order], mark, color=colour, markersize=8, label=name)
    axis.set_xticks(place, [f"{count:,}".replace(",", " ") for count in pixels[order]])
    axis.set(xlabel="test blocks, with their number of crop pixels", ylabel="right (%)")
    axis.set_ylim(0, 100)
    axis.grid(axis="y", alpha=0.3)
    axis.legend(frameon=False, loc="lower right")
    return figure


def coverage(held: pd.DataFrame, methods: Sequence[str]) -> Figure:
    """How often intervals hold the truth, in per cent, by number of units.

    ``held`` has the index (method, units) and the columns ``mean``, ``min`` and ``max`` of the
    cases tried.
    """
    figure = Figure(figsize=(9, 4), layout="constrained")
    axis = figure.subplots()
    for name, (mark, style, colour) in zip(methods, METHODS, strict=False):
        share = 100 * held.loc[name]
        axis.plot(share.index, share["mean"], mark, linestyle=style, color=colour)
        axis.fill_between(share.index, share["min"], share["max"], color=colour, alpha=0.15)
        last = share.index[-1], share["mean"].iloc[-1]
        axis.annotate(name, last, (8, 0), textcoords="offset points", va="center", color=colour)
    axis.axhline(95, color="0.4", linewidth=1)
    axis.text(2, 95.6, "promised: 95 %", color="0.3", fontsize=9)
    axis.set(xscale="log", xlabel="units (blocks or fields)", ylabel="holds the truth (%)")
    axis.set_xticks(share.index, [f"{units:g}" for units in share.index])
    axis.minorticks_off()
    axis.spines[["top", "right"]].set_visible(False)
    return figure


def nearest_crops(nearest: pd.DataFrame, crops: Sequence[Crop], apart: float) -> Figure:
    """How far the curve of each crop (a column) has been from the nearest other one, by date.

    In spreads of the fields of a crop; a line stands at ``apart``. Names stand at the lines' ends.
    """
    figure = Figure(figsize=(9, 4.2), layout="constrained")
    axis = figure.subplots()
    colours = inks(crops)
    ends = []
    for position, (name, values) in enumerate(nearest.items()):
        look = distinct(position) | dict(markersize=5, color=colours[str(name)])
        axis.plot(nearest.index, values, **look)
        ends.append((float(values.iloc[-1]), literal(str(name)), colours[str(name)]))
    axis.axhline(apart, color="0.5", linewidth=1)
    axis.set(ylabel="nearest other crop (spreads)", xlabel="date", ylim=(0, None))
    name_ends(axis, ends)
    axis.xaxis.set_major_formatter(ConciseDateFormatter(AutoDateLocator()))
    axis.spines[["top", "right"]].set_visible(False)
    return figure
