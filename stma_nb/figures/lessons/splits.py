"""Figures of notebook 03 that teach nothing by themselves: numbers in, a matplotlib Figure out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from stma_nb import patches, radar
from stma_nb.cube import Crop
from stma_nb.figures.lessons.common import dots, name_ends
from stma_nb.figures.plots import colour_map, depth, literal

# Markers and colours of what is compared, such as methods or places.
MARKS = [("o", "#0072b2"), ("s", "#d55e00"), ("D", "#009e73"), ("^", "#000000")]


def patch_with_label(patch: xr.Dataset, crops: Sequence[Crop], dates: tuple[int, int]) -> Figure:
    """VH of a patch on two dates (positions in the season), and its label with names of crops."""
    figure = Figure(figsize=(9.4, 3.1), layout="constrained")
    axes = figure.subplots(1, 3)
    for axis, date in zip(axes, dates, strict=False):
        image = radar.to_db(patch.vh[date])
        picture = axis.imshow(image, cmap="gray", vmin=-25, vmax=-10)
        axis.set_title(f"VH, {np.datetime_as_string(patch.time.values[date], 'D')}", fontsize=11)
    figure.colorbar(picture, ax=axes[:2], label="VH backscatter (dB)", shrink=0.8)
    colours, norm = colour_map(crops)
    labels = patch.crop.values
    axes[2].imshow(labels, cmap=colours, norm=norm)
    axes[2].set_title("label", fontsize=11)
    innermost = {}  # row and column, by class
    for code in np.unique(labels):
        inside = depth(labels == code)
        innermost[code] = np.unravel_index(inside.argmax(), inside.shape)
    rows, columns = labels.shape
    down = np.linspace(0.08, 0.92, len(innermost)) * rows
    line = dict(arrowstyle="-", color="0.3", shrinkA=0, shrinkB=0)
    ordered = sorted(innermost.items(), key=lambda found: found[1][0])
    for (code, (row, column)), height in zip(ordered, down, strict=True):
        beside = (columns + 2, height)
        look: dict[str, Any] = dict(va="center", annotation_clip=False, arrowprops=line)
        axes[2].annotate(literal(crops[code].name), (column, row), beside, **look)
        axes[2].plot(column, row, "o", color="0.3", markersize=3)
    for axis in axes:
        axis.set_xlabel("column (pixels of 10 m)")
    axes[0].set_ylabel("row (pixels of 10 m)")
    return figure


def variograms(found: Mapping[str, patches.Variogram]) -> Figure:
    """Semivariance as a share of the variance against distance; a tick marks each range.

    The mean of the two directions is drawn. A range beyond the axis has no mark.
    """
    figure = Figure(figsize=(8.6, 3.4), layout="constrained")
    axis = figure.subplots()
    looks = (("o-", "#000000"), ("s--", "#009e73"), ("^:", "#aa3377"))
    ends = []
    for (name, v), (style, colour) in zip(found.items(), looks, strict=False):
        share = (v.east + v.north) / 2 / v.sill
        axis.semilogx(v.distance, share, style, color=colour, markersize=4)
        ends.append((float(share[-1]), name, colour))
        if v.range < v.distance[-1]:
            axis.axvline(v.range, ymax=0.08, color=colour, linewidth=3)
            look: dict[str, Any] = dict(textcoords="offset points", color=colour)
            axis.annotate(f"{v.range:.0f} m", (v.range, 0.02), (4, 0), **look)
    axis.axhline(0.95, color="0.5", linewidth=1)
    axis.annotate("95 %", (v.distance[0], 0.95), (0, 3), textcoords="offset points")
    axis.set(xlabel="distance (m)", ylabel="semivariance / variance", ylim=(0, None))
    axis.grid(alpha=0.3)
    name_ends(axis, ends)
    return figure


def rule_and_next_door(scores: Mapping[str, pd.DataFrame], label: str) -> Figure:
    """Two scores of each map with their intervals: by the rule of its split, and next door.

    ``scores`` are two tables as from ``studies.scores``, with a row for each map.
    """
    looks = [("o", "#882255"), ("D", "#000000")]
    return dots(*_means_and_halves(scores), looks, label, 3.2, lift=0.12)


def gains_by_place(gains: Mapping[str, pd.DataFrame], label: str) -> Figure:
    """What methods (rows) gain on another one, in points, with a mark for each place; a line at 0.

    ``gains`` are up to four tables as from ``studies.differences``, by the name of the place.
    """
    means, halves = _means_and_halves(gains)
    figure = dots(100 * means, 100 * halves, MARKS[: len(gains)], label, 3.8, lift=0.24)
    figure.axes[0].axvline(0, color="0.5", linewidth=1)
    return figure


def _means_and_halves(tables: Mapping[str, pd.DataFrame]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Means, and half the widths of their intervals, with a column for each table."""
    means = pd.DataFrame({name: table["mean"] for name, table in tables.items()})
    halves = pd.DataFrame({name: t["high"] - t["mean"] for name, t in tables.items()})
    return means, halves


def by_land(scores: Mapping[str, pd.DataFrame], methods: Sequence[str], area: float) -> Figure:
    """Scores against the land to learn from, a panel for each score; a thin line is a scene.

    ``scores`` have a row for each scene and the columns (method, how many times ``area``, in km²);
    up to four ``methods`` are drawn.
    """
    figure = Figure(figsize=(9.4, 3.8), layout="constrained")
    axes = figure.subplots(1, len(scores), squeeze=False)[0]
    for axis, (title, table) in zip(axes, scores.items(), strict=True):
        ends = []
        for method, (marker, colour) in zip(methods, MARKS, strict=False):
            km2 = table[method].columns.to_numpy(float) * area
            mean = table[method].mean()
            axis.plot(km2, table[method].T, color=colour, linewidth=0.5, alpha=0.7)
            axis.plot(km2, mean, marker + "-", color=colour, linewidth=2)
            ends.append((float(mean.iloc[-1]), literal(method), colour))
        axis.set(xscale="log", xlabel="land to learn from (km²)", ylabel=title)
        axis.set_xticks(km2, [f"{size:.0f}" for size in km2])
        axis.minorticks_off()
        axis.grid(alpha=0.3)
        name_ends(axis, ends)
    return figure


def ladders(scores: Mapping[str, Mapping[str, float]], label: str) -> Figure:
    """Bars of one score under several rules, a panel for each measure with its bars by name."""
    heights = [len(rungs) + 1 for rungs in scores.values()]
    figure = Figure(figsize=(8.6, 0.9 + 0.42 * sum(heights)), layout="constrained")
    axes = figure.subplots(len(scores), 1, height_ratios=heights, sharex=True, squeeze=False)
    colours = ("#0072b2", "#009e73", "#aa3377")
    for axis, (measure, rungs), colour in zip(axes.flat, scores.items(), colours, strict=False):
        axis.barh(list(rungs), list(rungs.values()), color=colour)
        for place, value in enumerate(rungs.values()):
            axis.text(value + 0.01, place, f"{value:.3f}", va="center")
        axis.invert_yaxis()  # the first rule on top
        axis.set_title(measure, fontsize=11, loc="left")
    axes[-1, 0].set(xlim=(0, 1.08), xlabel=label)
    return figure
