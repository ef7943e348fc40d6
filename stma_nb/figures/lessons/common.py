"""Figures that several notebooks draw, and the names at the ends of their lines."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stma_nb.figures.plots import literal

PIXELS = ("column (pixels of 10 m)", "row (pixels of 10 m)")


def db_images(
    images: Sequence[np.ndarray | xr.DataArray],
    titles: Sequence[str],
    low: float = -28,
    high: float = -10,
    sides: tuple[str, str] | None = None,
    label: str = "backscatter (dB)",
) -> Figure:
    """Images in dB in one grey scale, four or more in two columns; light brown is without a value.

    ``sides`` name the horizontal and the vertical axis, by default those of pixels of 10 m on a map
    for a DataArray (y, x), and of radar geometry else; ``label`` says what is shown.
    """
    on_map = getattr(images[0], "dims", None) == ("y", "x")
    if sides is None:
        sides = PIXELS if on_map else ("pixel (range)", "line (azimuth)")
    grey = colormaps["gray"].with_extremes(bad="#c8a165")
    columns = len(images) if len(images) < 4 else 2
    rows = math.ceil(len(images) / columns)
    side = min(3.2, 8.2 / columns)
    figure = Figure(figsize=(side * columns + 1.2, (side - 0.2) * rows + 0.5), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    for axis, image, title in zip(axes.flat, images, titles, strict=False):
        # Pixels as they are: speckle that is smoothed on the way to the screen is no speckle.
        picture = axis.imshow(image, cmap=grey, vmin=low, vmax=high, interpolation="nearest")
        axis.set_title(title, fontsize=11)
    for axis in axes[-1]:
        axis.set_xlabel(sides[0])
    for axis in axes[:, 0]:
        axis.set_ylabel(sides[1])
    for axis in axes.flat[len(images) :]:
        axis.set_visible(False)
    figure.colorbar(picture, ax=axes, shrink=0.8, label=label)
    return figure


def listed(
    values: Mapping[str, float] | pd.Series, form: str = "{:.2f}", between: str = ", "
) -> str:
    """Numbers with their names in words, for the alternative text of a figure.

    ``Maize 0.52, Wheat 0.81``; ``form`` is the format of a number, and may end with its unit.
    """
    return between.join(f"{name} {form.format(value)}" for name, value in values.items())


def name_ends(axis: Axes, ends: list[tuple[float, str, str]], lines: int = 1) -> None:
    """Names beside the panel at the ends of lines, (height, name, colour), none over another.

    A name has so many ``lines``.
    """
    low, high = axis.get_ylim()
    need = 0.075 * lines * (high - low)
    height = -np.inf
    for y, name, colour in sorted(ends):
        height = max(y, height + need)
        look: dict[str, Any] = dict(textcoords="offset points", va="center", annotation_clip=False)
        place = axis.get_yaxis_transform()  # across in shares of the panel, up in data
        axis.annotate(name, (1, height), (5, 0), xycoords=place, color=colour, **look)


def dots(
    means: pd.DataFrame,
    errors: pd.DataFrame,
    looks: list[tuple[str, str]],
    label: str,
    height: float,
    lift: float = 0,
) -> Figure:
    """Means with error bars, a line for each row of the tables and a mark for each column.

    ``looks`` are marker and colour of each column, ``label`` is that of the axis, and ``lift``
    spreads the marks of a row.
    """
    figure = Figure(figsize=(7.5, height), layout="constrained")
    axis = figure.subplots()
    rows = np.arange(len(means))
    lifts = np.linspace(-lift, lift, len(looks))
    for column, (marker, colour), up in zip(means, looks, lifts, strict=True):
        axis.errorbar(
            means[column],
            rows + up,
            xerr=errors[column],
            fmt=marker,
            color=colour,
            label=column,
            elinewidth=1,
        )
    axis.set(yticks=rows, yticklabels=means.index, xlabel=label)
    axis.invert_yaxis()  # the first row on top
    axis.grid(axis="y", alpha=0.3)
    figure.legend(frameon=False, loc="outside upper right", ncols=len(looks))
    return figure


def intervals(tables: dict[str, pd.DataFrame], label: str, scale: float = 100) -> Figure:
    """Differences with their intervals, a panel for each title and a line at zero.

    The tables are those of ``studies.differences``, with the same rows: mean, low and high, which
    are multiplied by ``scale``. A filled dot tells that its interval does not hold zero.
    """
    names = list(next(iter(tables.values())).index)
    size = (4.6 + 2 * len(tables), 1.1 + 0.3 * len(names))
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(1, len(tables), sharey=True, squeeze=False)[0]
    rows = np.arange(len(names))
    for axis, (title, table) in zip(panels, tables.items(), strict=True):
        mean, low, high = (scale * table[name].to_numpy(float) for name in ("mean", "low", "high"))
        axis.axvline(0, color="0.4", linewidth=1)
        axis.hlines(rows, low, high, color="#0072b2", linewidth=1.5)
        clear = (low > 0) | (high < 0)
        axis.plot(mean[clear], rows[clear], "o", color="#0072b2")
        axis.plot(mean[~clear], rows[~clear], "o", color="#0072b2", markerfacecolor="white")
        axis.set(yticks=rows, yticklabels=[literal(str(name)) for name in names])
        axis.set_title(title, fontsize=10)
        axis.grid(axis="y", alpha=0.3)
    figure.supxlabel(label, fontsize=10)
    panels[0].set_ylim(len(names) - 0.5, -0.5)  # the first row on top; the panels share the axis
    return figure
