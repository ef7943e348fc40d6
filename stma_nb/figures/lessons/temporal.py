"""Figures of notebook 04 that teach nothing by themselves: numbers in, a matplotlib Figure out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.colors import PowerNorm
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from stma_nb.cube import Crop
from stma_nb.figures.colours import VH, VV
from stma_nb.figures.plots import day_of, inks


def season_in_two_bands(curve: xr.Dataset, marks: Sequence[int] = ()) -> Figure:
    """One season in dB, (time): VV and VH, with a mark and the day at some positions in it."""
    figure = Figure(figsize=(8.5, 3.4), layout="constrained")
    axis = figure.subplots()
    for band, style, colour in (("vv", "o-", VV), ("vh", "s--", VH)):
        values = curve[band].values
        axis.plot(curve.time, values, style, color=colour, markersize=5)
        name: dict[str, Any] = dict(
            color=colour, fontsize=11, va="center", textcoords="offset points"
        )
        axis.annotate(f" {band.upper()}", (curve.time.values[-1], values[-1]), (6, 0), **name)
    top = axis.get_ylim()[1]
    for mark in marks:
        day = curve.time.values[mark]
        axis.axvline(day, color="0.6", linewidth=8, alpha=0.4, zorder=0)
        look: dict[str, Any] = dict(textcoords="offset points", ha="center")
        axis.annotate(day_of(curve.time.values, mark), (day, top), (0, 4), **look)
    axis.set(ylabel="backscatter (dB)", xlabel="acquisition date", ylim=(None, top))
    axis.xaxis.set_major_formatter(ConciseDateFormatter(AutoDateLocator()))
    axis.grid(alpha=0.3)
    return figure


def date_map(
    weights: np.ndarray, days: list[str], title: str, block: tuple[str, str] | None = None
) -> Figure:
    """Attention weights (date that looks, date looked at) as colours; from 10 % on also as numbers.

    A frame encloses what the dates of a ``block``, from one day to another, give to each other.
    The colours follow a power of a weight, so that one large weight leaves the small ones apart.
    """
    figure = Figure(figsize=(7.4, 6.2), layout="constrained")
    axis = figure.subplots()
    shares = 100 * np.asarray(weights)
    picture = axis.imshow(shares, cmap="cividis", norm=PowerNorm(0.35, 0, 100))
    for (row, column), share in np.ndenumerate(shares):
        if share >= 10:
            dark = "black" if share > 12 else "white"
            axis.text(column, row, f"{share:.0f}", color=dark, ha="center", va="center", fontsize=9)
    if block:
        first, last = map(days.index, block)
        side = last - first + 1
        look: dict[str, Any] = dict(fill=False, edgecolor="white", linewidth=2, linestyle="--")
        axis.add_patch(Rectangle((first - 0.5, first - 0.5), side, side, **look))
    axis.set_xticks(range(len(days)), days, rotation=90, fontsize=9)
    axis.set_yticks(range(len(days)), days, fontsize=9)
    axis.set(xlabel="key: the date looked at", ylabel="query: the date that looks", title=title)
    figure.colorbar(picture, label="weight (%)", shrink=0.8, ticks=[0, 1, 5, 20, 50, 100])
    return figure


def weight_received(
    received: Mapping[str, np.ndarray], days: list[str], crops: Sequence[Crop]
) -> Figure:
    """Mean weight (dates,) that each date receives, in the colours of the crops."""
    colours = inks(crops)
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    axis = figure.subplots()
    places = np.arange(len(days))
    for (name, values), style in zip(received.items(), ("o-", "s--", "^:", "D-."), strict=False):
        axis.plot(places, 100 * values, style, color=colours[name], label=name)
    equal = 100 / len(days)
    axis.axhline(equal, color="black", linewidth=0.8)
    axis.text(len(days) - 0.1, equal, "equal share", va="center", fontsize=9)
    axis.set_xticks(places, days, rotation=60, fontsize=9)
    axis.set(xlabel="date looked at", ylabel="mean weight received (%)")
    axis.set(xlim=(-0.8, len(days) - 0.2), ylim=(0, None))
    figure.legend(loc="outside upper center", ncols=len(received), frameon=False)
    return figure
