"""Figures of notebook 09 that teach nothing by themselves: numbers in, a matplotlib Figure out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from stma_nb.figures.colours import ATTENTION, NEED


def bars_by_date(series: Mapping[str, xr.DataArray | np.ndarray], days: list[str]) -> Figure:
    """Two or three series over dates (time) as bars, one above the other.

    A name ends with its unit in brackets, which stands at the axis; the largest bar has its value.
    Attention is grey and need is green, as in the explorer; a third series is black.
    """
    figure = Figure(figsize=(9, 0.7 + 1.9 * len(series)), layout="constrained")
    axes = figure.subplots(len(series), 1, sharex=True)
    colours = (ATTENTION, NEED, "#000000")
    for axis, (name, values), colour in zip(axes, series.items(), colours, strict=False):
        title, _, unit = name.removesuffix(")").rpartition(" (")
        numbers = np.asarray(values)
        axis.bar(days, numbers, color=colour)
        axis.axhline(0, color="black", linewidth=0.6)
        most = int(numbers.argmax())
        axis.annotate(
            f"{days[most]}: {numbers[most]:.2f}",
            (most, numbers[most]),
            (0, 2),
            textcoords="offset points",
            ha="left" if most < 2 else "center",
            va="bottom",
        )
        axis.margins(y=0.18)
        axis.set_title(title, fontsize=11, loc="left")
        axis.set_ylabel(unit, fontsize=10)
        axis.spines[["top", "right"]].set_visible(False)
    axes[-1].tick_params(axis="x", rotation=60)
    axes[-1].set_xlabel("date")
    return figure


def agreements(table: pd.DataFrame, slid: Mapping[str, Sequence[float]]) -> Figure:
    """Rank correlations of pairs (rows) with their intervals, and beside those of slid calendars.

    ``table`` has the columns ``rho``, ``low`` and ``high``; ``slid`` are the correlations of each
    pair with one calendar slid by 0, 1, 2, ... dates.
    """
    figure = Figure(figsize=(10, 1.3 + 0.62 * len(table)), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True, sharex=True)
    rows = np.arange(len(table))
    reach = [table["rho"] - table["low"], table["high"] - table["rho"]]
    left.errorbar(table["rho"], rows, xerr=reach, fmt="o", color="black", capsize=5, markersize=7)
    for row, values in enumerate(slid.values()):
        right.plot(values[1:], np.full(len(values) - 1, row), "|", color="0.45", markersize=16)
        right.plot(values[0], row, "o", color="black", markersize=7)
        chance = np.mean(np.array(values) >= values[0] - 1e-9)
        right.text(
            1.02,
            row,
            f"{round(chance * len(values))} of {len(values)}",
            va="center",
            transform=right.get_yaxis_transform(),
        )
    for axis, title in ((left, "interval over patches"), (right, "against slid calendars")):
        axis.axvline(0, color="0.6", linewidth=1)
        axis.set_title(title, fontsize=11)
    left.set_yticks(rows, table.index, fontsize=10)
    left.set(ylim=(len(rows) - 0.5, -0.5), xlim=(-1, 1))
    figure.supxlabel("rank correlation over the dates", fontsize=10)
    return figure


def deletion(accuracy: xr.DataArray) -> Figure:
    """Accuracy (order, deleted) against the number of hidden dates, a line for each order.

    The orders are ``attention``, ``occlusion`` and ``random``.
    """
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    axis = figure.subplots()
    looks = {
        "occlusion": ("o", "-", NEED),
        "attention": ("s", "--", ATTENTION),
        "random": ("^", ":", "#000000"),
    }
    for name, (mark, style, colour) in looks.items():
        right = 100 * accuracy.sel(order=name)
        look: dict[str, Any] = dict(marker=mark, linestyle=style, color=colour, markersize=6)
        axis.plot(accuracy.deleted, right, label=f"by {name}" if name != "random" else name, **look)
    axis.set(xlabel="dates hidden", ylabel="test pixels right (%)", ylim=(0, 100))
    axis.set_xticks(range(0, accuracy.sizes["deleted"], 3))
    axis.legend(frameon=False, ncols=3, loc="upper right")
    axis.spines[["top", "right"]].set_visible(False)
    return figure


def pairs_of_networks(between: dict[str, list[float]]) -> Figure:
    """Rank correlations of ``occlusion`` and ``attention``, a mark a pair; a stroke is the mean."""
    figure = Figure(figsize=(9, 2.6), layout="constrained")
    axis = figure.subplots()
    looks = {"occlusion": ("o", NEED), "attention": ("s", ATTENTION)}
    for place, (name, (marker, colour)) in enumerate(looks.items()):
        values = between[name]
        height = np.full(len(values), place)
        axis.plot(values, height, marker, color=colour, alpha=0.8, markersize=8)
        mean = float(np.mean(values))
        axis.plot(mean, place, "|", color="black", markersize=26, markeredgewidth=2)
        axis.text(mean, place + 0.3, f"mean {mean:.2f}", ha="center", va="bottom")
    axis.axvline(0, color="0.6", linewidth=1)
    axis.set_yticks((0, 1), tuple(looks), fontsize=11)
    axis.set(ylim=(-0.6, 1.7), xlim=(-1, 1))
    axis.set_xlabel("rank correlation over dates between two networks")
    return figure
