"""Figures of notebook 10 that teach nothing by themselves: numbers in, a matplotlib Figure out."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from stma_nb.figures.plots import extent, locate


def gain_by_depth(gain: np.ndarray, half_width: np.ndarray) -> Figure:
    """What blending brings, in points with its interval, by distance from the border of a window
    in pixels.
    """
    figure = Figure(figsize=(8, 3), layout="constrained")
    axis = figure.subplots()
    depth = np.arange(len(gain))
    axis.axhline(0, color="0.4", linewidth=1)
    axis.errorbar(depth, gain, half_width, fmt="o", color="#0072b2", elinewidth=1.5, capsize=3)
    axis.set(xlabel="pixels from the border of the window", ylabel="gain of blending (points)")
    axis.set_xticks(depth)
    return figure


def memory_used(megabytes: Sequence[float], step: float) -> Figure:
    """The memory of a process in MB, looked at every ``step`` seconds."""
    figure = Figure(figsize=(8, 2.6), layout="constrained")
    axis = figure.subplots()
    axis.plot(step * np.arange(len(megabytes)), megabytes, color="#0072b2")
    axis.set(xlabel="seconds", ylabel="memory (MB)", ylim=(0, 1.2 * max(megabytes)))
    axis.grid(alpha=0.3)
    return figure


def doubt_and_places(entropy: np.ndarray, places: pd.DataFrame, season: xr.Dataset) -> Figure:
    """Entropy of a map from 0 to 1 as greys, with numbered places (``row``, ``column``)."""
    figure = Figure(figsize=(6.6, 5.3), layout="constrained")
    axis = figure.subplots()
    left, right, bottom, top = extent(season)
    look: dict[str, Any] = dict(cmap="Greys", vmin=0, vmax=1, extent=(left, right, bottom, top))
    image = axis.imshow(entropy, interpolation="nearest", **look)
    rows, columns = entropy.shape
    east = (places["column"] + 0.5) * right / columns
    north = top - (places["row"] + 0.5) * top / rows
    axis.plot(east, north, "o", markersize=7, markerfacecolor="#d55e00", markeredgecolor="white")
    locate([axis], season)
    figure.colorbar(image, label="entropy (0 certain, 1 clueless)", shrink=0.8)
    return figure
