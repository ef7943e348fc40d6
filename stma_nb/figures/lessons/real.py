"""Figures of notebook 12 that teach nothing by themselves: numbers in, a matplotlib Figure out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

from stma_nb.cube import Crop
from stma_nb.figures.lessons.common import name_ends
from stma_nb.figures.plots import inks, literal

REAL, SIMULATED = "#000000", "#aa3377"


def level_histograms(pairs: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> Figure:
    """Histograms of backscatter in dB, a panel for each title: real (filled) and simulated."""
    figure = Figure(figsize=(9, 3), layout="constrained")
    axes = figure.subplots(1, len(pairs), squeeze=False, sharey=True)[0]
    bins = np.arange(-32, 2, 0.5)
    for axis, (title, (real, simulated)) in zip(axes, pairs.items(), strict=True):
        axis.hist(np.ravel(real), bins, color="0.75", label="real (filled)")
        look: dict[str, Any] = dict(histtype="step", color=SIMULATED, linewidth=1.8)
        axis.hist(np.ravel(simulated), bins, label="simulated (line)", **look)
        axis.set(xlabel=title)
    axes[0].set_ylabel("pixels")
    figure.legend(
        *axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2, frameon=False
    )
    return figure


def crop_years(
    years: Mapping[str, tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]],
    crops: Sequence[Crop],
    label: str,
) -> Figure:
    """Mean curves of crops, a panel each: real (thick) and simulated (thin, dashed).

    A curve is (days, dB); the crops have the colours of the legend.
    """
    figure = Figure(figsize=(9.4, 3.2), layout="constrained")
    axes = figure.subplots(1, len(years), sharey=True, squeeze=False)[0]
    colours = inks(crops)
    for axis, (name, (real, simulated)) in zip(axes, years.items(), strict=True):
        axis.plot(*real, color=colours[name], linewidth=3)
        axis.plot(*simulated, "--", color="black", linewidth=1.3)
        axis.set_title(literal(name), fontsize=11)
        axis.set_xlabel(label)
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("mean VH backscatter (dB)")
    lines = axes[0].get_lines()
    names = ("real (thick, colour of the crop)", "simulated (dashed)")
    figure.legend(lines, names, loc="outside upper center", ncols=2, frameon=False)
    return figure


def crop_curves(curves: pd.DataFrame, crops: Sequence[Crop], label: str) -> Figure:
    """Curves over dates (index), a column for each crop in the colour of the legend, with names."""
    figure = Figure(figsize=(8.6, 3.4), layout="constrained")
    axis = figure.subplots()
    colours = inks(crops)
    ends = []
    for (name, values), style in zip(curves.items(), ("o-", "s--", "^:", "D-."), strict=False):
        colour = colours[str(name)]
        axis.plot(curves.index, values, style, color=colour, markersize=4)
        ends.append((float(values.dropna().iloc[-1]), literal(str(name)), colour))
    axis.set(ylabel=label, xlabel="date")
    axis.xaxis.set_major_formatter(ConciseDateFormatter(AutoDateLocator()))
    axis.grid(alpha=0.3)
    name_ends(axis, ends)
    return figure
