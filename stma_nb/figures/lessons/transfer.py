"""Figures of notebook 11 that teach nothing by themselves: numbers in, a matplotlib Figure out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from stma_nb import radar
from stma_nb.cube import Crop, legend
from stma_nb.figures.lessons.common import dots
from stma_nb.figures.plots import distinct, ink, inks, literal


def crop_seasons(seasons: Mapping[str, xr.Dataset], names: Sequence[str]) -> Figure:
    """Mean VH in dB of all fields of crops by day of the year, a panel for each crop.

    A line for each of two or three seasons, all in the colour of the crop.
    """
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    axes = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
    looks = (("o", "-", None), ("s", "--", "white"), ("^", ":", None))
    for axis, name in zip(axes, names, strict=True):
        for (title, season), (mark, line, face) in zip(seasons.items(), looks, strict=False):
            crops = legend(season)
            code = [crop.name for crop in crops].index(name)
            mean = season.vh.values[:, season.crop.values == code].mean(1)
            colour = ink(crops[code])
            look: dict[str, Any] = dict(marker=mark, linestyle=line, color=colour, label=title)
            look |= dict(markersize=5, markerfacecolor=face or colour)
            axis.plot(season.time.dt.dayofyear, radar.to_db(mean), **look)
        axis.set_title(literal(name), fontsize=11)
        axis.set_xlabel("day of the year")
        axis.grid(alpha=0.3)
        axis.legend(
            frameon=False, ncols=len(seasons), loc="lower center", bbox_to_anchor=(0.5, 1.08)
        )
    axes[0].set_ylabel("VH of all fields (dB)")
    return figure


def weather_effects(
    day: np.ndarray, effects: Mapping[str, np.ndarray], crops: Sequence[Crop]
) -> Figure:
    """Differences in dB by day of the year, a line for each crop in its colour."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    axis = figure.subplots()
    colours = inks(crops)
    for position, (name, effect) in enumerate(effects.items()):
        look = distinct(position) | dict(color=colours[name], markersize=6)
        axis.plot(day, effect, label=literal(name), **look)
    axis.axhline(0, color="black", linewidth=0.8)
    axis.set(ylabel="difference of VH (dB)", xlabel="day of the year")
    axis.grid(alpha=0.3)
    axis.legend(frameon=False, loc="lower right", ncols=len(effects))
    return figure


def doubt_of_shifts(trial: pd.DataFrame, chosen: float) -> Figure:
    """Doubt and share of pixels right by shift of the calendar (index, days), with the chosen one.

    The columns are ``doubt (bits)`` and ``pixels right``.
    """
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(trial.index, trial["doubt (bits)"], "o-", color="#332288")
    right.plot(trial.index, 100 * trial["pixels right"], "s--", color="#000000")
    left.set(ylabel="doubt (bits)")
    right.set(ylabel="pixels right (%)")
    titles = ("known without labels", "known only with labels")
    for axis, title in zip((left, right), titles, strict=True):
        axis.axvline(chosen, color="0.5", linewidth=1, zorder=0)
        axis.set_xticks(trial.index)
        axis.set_xlabel("shift of the calendar (days)")
        axis.set_title(title, fontsize=11)
        axis.grid(alpha=0.3)
    return figure


def remedies(means: pd.DataFrame, spread: pd.DataFrame) -> Figure:
    """Shares of pixels right with their standard deviation, by remedy (rows).

    A mark for each of at most five kinds of transfer (columns), which the legend above names.
    """
    marks, colours = "osDv^", ("#332288", "#44aa99", "#8a6d00", "#cc6677", "#000000")
    looks = list(zip(marks, colours, strict=True))[: len(means.columns)]
    label = "pixels of crops right (mean, and standard deviation of the two scenes)"
    figure = dots(means, spread, looks, label, height=4.6, lift=0.25)
    figure.set_figwidth(9)
    # The names are long: three in a row, above the middle.
    figure.legends[0].remove()
    figure.legend(frameon=False, loc="outside upper center", ncols=3, fontsize=10)
    return figure
