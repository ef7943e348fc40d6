"""Figures of notebook 05 that teach nothing by themselves: numbers in, a matplotlib Figure out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from stma_nb.cube import legend
from stma_nb.figures.plots import depth, literal


def patch_images(
    images: Sequence[np.ndarray],
    titles: Sequence[str],
    patch: xr.Dataset,
    label: str,
    marks: Sequence[tuple[int, int]] = (),
    **look: Any,
) -> Figure:
    """Images of one patch side by side in one scale, with the borders of its fields; the first
    also tells what grows on those large enough for the name.

    ``label`` is that of the bar of colours, ``marks`` are pixels (row, column) to mark by a cross;
    ``look`` goes to matplotlib's imshow (cmap, vmin, vmax).
    """
    width = np.clip(2.6 * len(images) + 1, 4.6, 9.6)
    figure = Figure(figsize=(width, 3.2), layout="constrained")
    axes = figure.subplots(1, len(images), squeeze=False)[0]
    for axis, image, title in zip(axes, images, titles, strict=True):
        picture = axis.imshow(image, **{"cmap": "gray", **look})
        _border_fields(axis, patch)
        for row, column in marks:
            axis.plot(column, row, "x", color="#d55e00", markersize=9, markeredgewidth=2)
        axis.set_title(title, fontsize=10)
        axis.set_xlabel("column (pixels)")
    axes[0].set_ylabel("row (pixels)")
    _name_fields(axes[0], patch)
    figure.colorbar(picture, ax=axes, shrink=0.8, label=label)
    return figure


def _border_fields(axis: Axes, patch: xr.Dataset) -> None:
    """A thin line between any two pixels of different fields."""
    fields = patch.parcel.values
    below = np.argwhere(fields[1:] != fields[:-1])
    right = np.argwhere(fields[:, 1:] != fields[:, :-1])
    lines = [[(c - 0.5, r + 0.5), (c + 0.5, r + 0.5)] for r, c in below]
    lines += [[(c + 0.5, r - 0.5), (c + 0.5, r + 0.5)] for r, c in right]
    axis.add_collection(LineCollection(lines, colors="#56b4e9", linewidths=0.8))


def _name_fields(axis: Axes, patch: xr.Dataset) -> None:
    """The crop of each field with room for its name, in the middle of the field."""
    crops = legend(patch)
    fields = patch.parcel.values
    halo = [withStroke(linewidth=3, foreground="white")]
    for number in np.unique(fields):
        inside = depth(fields == number)
        row, column = np.unravel_index(inside.argmax(), inside.shape)
        if inside.max() >= 3.5:
            name = crops[int(patch.crop.values[row, column])].name
            side = fields.shape[1] - 1
            across = np.clip(column, 0.04 * side * len(name) / 2, side * (1 - 0.02 * len(name)))
            look: dict[str, Any] = dict(ha="center", va="center", fontsize=9, path_effects=halo)
            axis.text(float(across), float(row), literal(name), **look)


def sharpness_varied(
    looks: Mapping[float, np.ndarray],
    patch: xr.Dataset,
    mark: tuple[int, int],
    errors: pd.DataFrame,
    boxcar: Mapping[str, float],
) -> Figure:
    """Where one pixel looks at some sharpnesses, and the error of the blend at many.

    ``looks`` are weights (rows, columns) by sharpness, equal weights being 1; ``errors`` in dB have
    a row for each sharpness and a column for each kind of pixel, ``boxcar`` the rival's error for
    each of these.
    """
    figure = Figure(figsize=(9.6, 5.8), layout="constrained")
    names: list[Any] = [str(place) for place in range(len(looks))]
    parts = figure.subplot_mosaic([names, ["error"] * len(names)])
    axes = [parts[name] for name in names]
    for axis, (sharpness, weights) in zip(axes, looks.items(), strict=True):
        picture = axis.imshow(weights, cmap="cividis", norm=PowerNorm(0.5, 0, 9))
        _border_fields(axis, patch)
        axis.plot(mark[1], mark[0], "x", color="#d55e00", markersize=8, markeredgewidth=2)
        share = weights[patch.parcel.values == patch.parcel.values[mark]].sum() / weights.sum()
        axis.set_title(f"sharpness {sharpness:g}\n{100 * share:.0f} % on its field", fontsize=10)
        axis.set_xlabel("column (pixels)")
    axes[0].set_ylabel("row (pixels)")
    _name_fields(axes[0], patch)
    ticks = [0, 1, 4, 9]
    figure.colorbar(picture, ax=axes, label="weight (1 = equal)", ticks=ticks, extend="max")
    axis = parts["error"]
    for (name, values), style, colour in zip(
        errors.items(), ("o-", "s--"), ("#000000", "#cc79a7"), strict=True
    ):
        axis.plot(errors.index, values, style, color=colour, label=f"attention, {name}")
        at: dict[str, Any] = dict(color=colour, linestyle=":", linewidth=1.5)
        axis.axhline(boxcar[str(name)], **at, label=f"boxcar, {name}")
    axis.set_xscale("log", base=2)
    axis.set_xticks(errors.index, [f"{sharpness:g}" for sharpness in errors.index])
    axis.set(xlabel="sharpness", ylabel="error (dB)", ylim=(0, None))
    axis.grid(alpha=0.3)
    axis.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, fontsize=9)
    return figure


def price_of_pairs(table: pd.DataFrame) -> Figure:
    """Memory of the weights of all pairs against the side of the patch, a line for each level.

    The columns are ``patch``, ``level`` and ``weights, 4 heads (MB)``.
    """
    figure = Figure(figsize=(7.5, 3.6), layout="constrained")
    axis = figure.subplots()
    for (level, mine), style in zip(table.groupby("level"), ("o-", "s--"), strict=False):
        memory = mine["weights, 4 heads (MB)"]
        axis.plot(mine["patch"], memory, style, color="black")
        name = (mine["patch"].iloc[-1], memory.iloc[-1])
        axis.annotate(f"level {level}", name, (8, 0), textcoords="offset points", va="center")
        for side, value in zip(mine["patch"], memory, strict=True):
            told = f"{value:.0f}" if value >= 10 else f"{value:.1g}"
            axis.annotate(told, (side, value), (-4, 5), textcoords="offset points", ha="right")
    axis.set_xscale("log", base=2)
    axis.set_yscale("log")
    axis.margins(y=0.12)  # for the numbers above the marks
    sides = sorted(table["patch"].unique())
    axis.set_xticks(sides, [f"{side:g}" for side in sides])
    axis.set(xlim=(sides[0] / 1.4, sides[-1] * 1.5))
    axis.set(xlabel="side of the patch (pixels)", ylabel="weights of one patch (MB)")
    axis.grid(alpha=0.3)
    return figure
