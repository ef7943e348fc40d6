"""Figures of notebook 02 that teach nothing by themselves: numbers in, a matplotlib Figure out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from stma_nb import radar
from stma_nb.cube import Crop
from stma_nb.figures.colours import NEED, VH
from stma_nb.figures.lessons.common import name_ends
from stma_nb.figures.plots import inks


def soft_edge(ground: np.ndarray, image: np.ndarray) -> Figure:
    """An edge between two fields in the ground and in its image (both in dB), and its profile."""
    figure = Figure(figsize=(9, 3), layout="constrained")
    *panels, profile = figure.subplots(1, 3, width_ratios=(1, 1, 1.6))
    for panel, shown, title in zip(panels, (ground, image), ("ground", "image"), strict=True):
        panel.imshow(shown, cmap="gray", vmin=-21, vmax=-13)
        panel.set(title=title, xlabel="pixel of 10 m")
    panels[0].set_ylabel("pixel of 10 m")
    offset = np.arange(ground.shape[1]) - (ground.shape[1] - 1) / 2
    middle = len(ground) // 2
    profile.step(offset, ground[middle], where="mid", color="0.5", linewidth=2)
    profile.plot(offset, image[middle], "o-", color=VH)
    profile.set(xlabel="pixels from the edge", ylabel="VH backscatter (dB)")
    profile.annotate("ground", (0, ground[middle].mean()), (6, -6), textcoords="offset points")
    at = (offset[len(offset) // 2 - 1], image[middle, len(offset) // 2 - 1])
    look: dict[str, Any] = dict(textcoords="offset points", ha="right", color=VH)
    profile.annotate("image", at, (-8, 4), **look)
    profile.grid(alpha=0.3)
    return figure


def noise_errors(errors: pd.DataFrame) -> Figure:
    """Errors of the mean in dB by true backscatter (column ``true (dB)``), a line for each column.

    The columns are ``theory``, ``with noise`` and ``noise removed``.
    """
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    axis = figure.subplots()
    looks = {"theory": "-", "with noise": "o", "noise removed": "s"}
    colours = {"theory": "#000000", "with noise": VH, "noise removed": NEED}
    true = errors["true (dB)"].to_numpy(float)
    for name, look in looks.items():
        axis.plot(true, errors[name], look, color=colours[name], zorder=1 if look == "-" else 2)
    darkest = errors.iloc[0]
    places = {"with noise": (8, 4), "noise removed": (8, 4)}
    for name, offset in places.items():
        at = (true[0], darkest[name])
        below: dict[str, Any] = dict(textcoords="offset points", color=colours[name], va="bottom")
        axis.annotate(name, at, offset, **below)
    axis.annotate(
        "theory",
        (true[2:4].mean(), errors["theory"][2:4].mean()),
        (8, 4),
        textcoords="offset points",
    )
    axis.axhline(0, color="0.6", linewidth=1)
    axis.margins(y=0.12)
    axis.set(xlabel="true VH backscatter (dB)", ylabel="error of the mean (dB)")
    axis.grid(alpha=0.3)
    return figure


def by_angle(grounds: dict[str, tuple[np.ndarray, dict[str, np.ndarray]]]) -> Figure:
    """Backscatter in dB against incidence angle, a panel for each ground: means over a degree.

    A ground is (angles in degrees, {name: backscatter of the same places, in dB}). A bar is the
    standard deviation of the places in a degree, a line is fitted to all places, and its slope
    stands at its end. Small dots are the places of the first series.
    """
    figure = Figure(figsize=(9.4, 3.6), layout="constrained")
    axes = figure.subplots(1, len(grounds), squeeze=False)[0]
    looks = [("o", "-", "#000000", -0.09), ("s", "--", "#aa3377", 0.09)]
    for axis, (title, (angle, series)) in zip(axes, grounds.items(), strict=True):
        degree = np.floor(angle)
        ends = []
        for (name, values), (mark, style, colour, shift) in zip(series.items(), looks, strict=True):
            line = np.polynomial.Polynomial.fit(angle, values, 1)
            if mark == "o":
                axis.plot(angle, values, ".", markersize=3, color="0.7", zorder=1)
            found = pd.Series(values).groupby(degree).agg(["mean", "std", "size"]).query("size > 2")
            middle = found.index.to_numpy(float) + 0.5 + shift
            look = dict(fmt=mark, color=colour, markersize=5, elinewidth=1)
            axis.errorbar(middle, found["mean"], found["std"], **look)
            axis.plot(*line.linspace(2), style, color=colour, linewidth=2)
            slope = round(line.convert().coef[1], 2) + 0.0  # no -0.00
            ends.append((float(line(angle.max())), f"{name}\n{slope:+.2f} dB/°", colour))
        low, high = np.percentile(series[next(iter(series))], (1, 99))
        axis.set(title=title, xlabel="incidence angle (degrees)", ylim=(low - 0.1, high + 0.1))
        axis.set_xlim(angle.min() - 0.2, angle.max() + 0.2)
        name_ends(axis, ends, lines=2)
    axes[0].set_ylabel("backscatter (dB)")
    return figure


def steps_by_crop(steps: Mapping[str, np.ndarray], one: float, crops: Sequence[Crop]) -> Figure:
    """The step between two tracks in dB: a dot a field, a row a crop; a stroke is its mean.

    ``one`` is the one number for all crops. Crops have the colours of the legend.
    """
    figure = Figure(figsize=(8, 3.8), layout="constrained")
    axis = figure.subplots()
    rng = np.random.default_rng(0)
    colours = inks(crops)
    for row, (name, values) in enumerate(steps.items()):
        height = row + rng.uniform(-0.25, 0.25, len(values))  # so that dots do not hide others
        axis.plot(values, height, "o", color=colours[name], alpha=0.6, markersize=4)
        axis.plot([values.mean()] * 2, [row - 0.38, row + 0.38], color="black", linewidth=2.5)
    axis.axvline(one, color="#aa3377", linewidth=1.5, linestyle="--")
    said = f"one number for all: {one:+.2f} dB"
    axis.annotate(
        said, (one, len(steps) - 0.5), (4, 1), textcoords="offset points", color="#aa3377"
    )
    axis.set_yticks(range(len(steps)), [f"{n} ({len(v)})" for n, v in steps.items()])
    axis.set(xlabel="VV, descending minus ascending (dB)", ylim=(-0.6, len(steps) + 0.1))
    axis.grid(axis="x", alpha=0.3)
    return figure


def terrain(dem: xr.DataArray, geometries: dict[str, xr.Dataset]) -> Figure:
    """Heights (contours) over the area factor in dB, a panel for each name of a geometry.

    The geometries are those of ``radar.local_geometry``; layover and shadow are covered.
    """
    figure = Figure(figsize=(4 * len(geometries) + 1.5, 3.8), layout="constrained")
    axes = figure.subplots(1, len(geometries), squeeze=False)[0]
    east, north = ((dem[side] - dem[side].min()) / 1000 for side in ("x", "y"))
    for axis, (title, geometry) in zip(axes, geometries.items(), strict=True):
        factor = radar.to_db(geometry.area_factor)
        picture = axis.pcolormesh(east, north, factor, cmap="PuOr_r", vmin=-10, vmax=10)
        for name, colour in (("layover", "#f0e442"), ("shadow", "#000000")):
            cover = np.ma.masked_where(~geometry[name].values, np.ones(dem.shape))
            axis.pcolormesh(east, north, cover, cmap=ListedColormap([colour]))
        lines = axis.contour(east, north, dem, levels=4, colors="0.4", linewidths=0.6)
        axis.clabel(lines, fontsize=9, fmt="%g m")
        axis.set(title=title, xlabel="east (km)", aspect="equal")
    axes[0].set_ylabel("north (km)")
    covers = [Patch(color="#f0e442", label="layover"), Patch(color="#000000", label="shadow")]
    figure.legend(handles=covers, loc="outside lower center", ncols=2, frameon=False)
    figure.colorbar(picture, ax=axes, shrink=0.8, label="area factor (dB)")
    return figure
