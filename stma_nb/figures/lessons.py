"""Figures of single lessons: the drawing that a notebook needs and that teaches nothing by itself.

Every function takes numbers that the notebook has computed and returns a matplotlib Figure.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap, PowerNorm
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from matplotlib.ticker import LogLocator, NullFormatter
from scipy import stats

from stma_nb import patches, radar
from stma_nb.cube import Crop, legend
from stma_nb.figures.colours import ATTENTION, NEED, VH, VV
from stma_nb.figures.plots import (
    _extent,
    _locate,
    colour_map,
    day_of,
    days_of,
    depth,
    distinct,
    ink,
    inks,
    literal,
)

# ----------------------------------------------------------------------------------- 01 time series


def power_and_db(power: np.ndarray, band: str = "VH") -> Figure:
    """How many pixels have which backscatter: in linear power, and the same pixels in dB."""
    figure = Figure(figsize=(9, 2.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.hist(power, bins=100, color=VH)
    left.set(xlabel=f"{band} backscatter, linear power", ylabel="pixels")
    right.hist(10 * np.log10(power), bins=np.arange(-31, 0, 0.5), color=VH)
    right.set(xlabel=f"{band} backscatter (dB)", ylabel="pixels")
    return figure


def against_gamma(ratio: np.ndarray, looks: float) -> Figure:
    """Power of pixels relative to their mean, beside the Gamma density with so many looks."""
    figure = Figure(figsize=(7.5, 3), layout="constrained")
    axis = figure.subplots()
    power = np.linspace(0.001, 3, 200)
    density = stats.gamma.pdf(power, looks, scale=1 / looks)
    axis.hist(ratio, 30, density=True, color="0.8")
    axis.plot(power, density, color="black")
    axis.axvline(1, color="0.5", linestyle=":")
    axis.text(1.03, 0.03, "mean", fontsize=9, color="0.3")
    at = int(np.searchsorted(power, 1.5))
    curve = f"Gamma with L = {looks:.1f}"
    axis.text(1.55, density[at] + 0.06, curve, fontsize=10)
    axis.text(0.05, 0.9 * density.max(), "pixels of\none field", fontsize=10, color="0.4", va="top")
    axis.set(xlabel="power relative to the field's mean", ylabel="density", xlim=(0, 3))
    return figure


def vh_against_vv(
    means: Mapping[str, xr.Dataset], colours: Mapping[str, str], title: str
) -> Figure:
    """Mean VV and VH of fields in dB, a mark for each; ``means`` holds their power by crop."""
    figure = Figure(figsize=(6.5, 4.6), layout="constrained")
    axis = figure.subplots()
    for (name, fields), marker in zip(means.items(), "osD^", strict=False):
        vv, vh = (radar.to_db(fields[band].values) for band in ("vv", "vh"))
        look: dict[str, Any] = dict(markersize=5, alpha=0.7, color=colours[name])
        axis.plot(vv, vh, marker, label=f"{literal(name)} ({np.isfinite(vh).sum()})", **look)
    axis.set(xlabel="VV backscatter (dB)", ylabel="VH backscatter (dB)", title=title)
    figure.legend(loc="outside right center", title="fields of", fontsize=9, frameon=False)
    return figure


def pixels_and_mean(time: np.ndarray, pixels: np.ndarray, mean: np.ndarray, colour: str) -> Figure:
    """Single pixels (pixel, time) of a field in grey, and the mean of all of them; both in dB."""
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    axis = figure.subplots()
    axis.plot(time, np.transpose(pixels), color="0.7", linewidth=0.8)
    axis.plot(time, mean, "o-", color=colour, linewidth=2)
    for level, told, shade in ((mean[-1], "mean", colour), (pixels[:, -1].max(), "pixels", "0.4")):
        at = (time[-1], level)
        axis.annotate(told, at, (6, 0), textcoords="offset points", color=shade, va="center")
    axis.set(xlabel="acquisition date", ylabel="VH backscatter (dB)")
    axis.xaxis.set_major_formatter(ConciseDateFormatter(AutoDateLocator()))
    axis.margins(x=0.08)
    return figure


def fields_and_mean(curves: Mapping[str, xr.DataArray], colour: str) -> Figure:
    """Curves in dB (time, parcel) of every field of a crop, and their mean in black, by band."""
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    panels = figure.subplots(1, len(curves), sharex=True, squeeze=False)[0]
    for axis, (band, fields) in zip(panels, curves.items(), strict=True):
        fields = fields.transpose("time", "parcel")
        axis.plot(fields.time, fields, color=colour, alpha=0.4, linewidth=1)
        axis.plot(fields.time, fields.mean("parcel"), color="black", linewidth=2)
        axis.set(xlabel="acquisition date", ylabel=f"{band.upper()} backscatter (dB)")
        axis.xaxis.set_major_formatter(ConciseDateFormatter(AutoDateLocator()))
        axis.grid(alpha=0.3)
    return figure


def calendar(table: np.ndarray, names: list[str], time: np.ndarray) -> Figure:
    """Mean VH backscatter in dB of crops (rows, with their names) by date (columns) as colours."""
    figure = Figure(figsize=(9, 4.8), layout="constrained")
    axis = figure.subplots()
    picture = axis.imshow(table, aspect="auto", cmap="cividis")
    axis.set_yticks(range(len(names)), [literal(name) for name in names], fontsize=9)
    axis.set_xticks(range(len(time)), days_of(time), rotation=60, fontsize=9)
    axis.set_xlabel("acquisition date")
    figure.colorbar(picture, label="mean VH backscatter (dB)")
    return figure


def shared_and_weather(time: np.ndarray, shared: np.ndarray, weather: xr.Dataset) -> Figure:
    """What all crops share on each date in dB, above the temperature and the rain of the day.

    Days with frost have a grey band.
    """
    figure = Figure(figsize=(9, 5), layout="constrained")
    panels = figure.subplots(3, 1, sharex=True)
    days = np.timedelta64(6, "D")  # width of a bar
    panels[0].bar(time, shared, width=days, color="0.3")
    panels[1].plot(time, weather.temperature, "o-", color="black")
    panels[2].bar(time, weather.rain, width=days, color="0.5")
    labels = ("shared by all\ncrops (dB)", "temperature\n(°C)", "rain or snow\n(mm)")
    for axis, label in zip(panels, labels, strict=True):
        axis.set_ylabel(label)
        axis.axhline(0, color="black", linewidth=0.5)
        axis.grid(alpha=0.3)
        for cold in time[weather.temperature.values < 0]:
            axis.axvspan(cold - days, cold + days, color="#0072b2", alpha=0.15, lw=0)
    for cold in time[weather.temperature.values < 0]:
        top = (cold + 1.2 * days, panels[0].get_ylim()[0])
        panels[0].annotate("frost", top, (0, 4), textcoords="offset points", fontsize=10)
    figure.align_ylabels()
    panels[-1].set_xlabel("acquisition date")
    panels[-1].xaxis.set_major_formatter(ConciseDateFormatter(AutoDateLocator()))
    return figure


# ---------------------------------------------------------------------- 02 from GRD to backscatter


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
        _name_ends(axis, ends, lines=2)
    axes[0].set_ylabel("backscatter (dB)")
    return figure


def _name_ends(axis: Axes, ends: list[tuple[float, str, str]], lines: int = 1) -> None:
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


# ------------------------------------------------------------------------------------- 03 patches


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
    _name_ends(axis, ends)
    return figure


def by_land(
    scores: Mapping[str, pd.DataFrame], looks: Mapping[str, tuple[str, str]], area: float
) -> Figure:
    """Scores against the land to learn from, a panel for each score; a thin line is a scene.

    ``scores`` have a row for each scene and the columns (method, how many times ``area``, in km²);
    ``looks`` are marker and colour of each method.
    """
    figure = Figure(figsize=(9.4, 3.8), layout="constrained")
    axes = figure.subplots(1, len(scores), squeeze=False)[0]
    for axis, (title, table) in zip(axes, scores.items(), strict=True):
        ends = []
        for method, (marker, colour) in looks.items():
            km2 = table[method].columns.to_numpy(float) * area
            mean = table[method].mean()
            axis.plot(km2, table[method].T, color=colour, linewidth=0.5, alpha=0.7)
            axis.plot(km2, mean, marker + "-", color=colour, linewidth=2)
            ends.append((float(mean.iloc[-1]), literal(method), colour))
        axis.set(xscale="log", xlabel="land to learn from (km²)", ylabel=title)
        axis.set_xticks(km2, [f"{size:.0f}" for size in km2])
        axis.minorticks_off()
        axis.grid(alpha=0.3)
        _name_ends(axis, ends)
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


FORMS = (VV, VH, NEED, "#882255", "#555555")  # colours of precisions


def speed_ups(tables: dict[str, pd.DataFrame]) -> Figure:
    """Times the speed of float32, a panel for each title: a line for each row, a mark for each
    column, hollow where it is named "compiled".

    The tables are those of ``bench.ratios``. Left of the line at 1 a form is slower.
    """
    tables = {title: table for title, table in tables.items() if len(table)}
    heights = [len(table) for table in tables.values()]
    figure = Figure(figsize=(8, 1.3 + 0.5 * sum(heights)), layout="constrained")
    panels = figure.subplots(len(tables), 1, sharex=True, squeeze=False, height_ratios=heights)
    forms = list(dict.fromkeys(form for table in tables.values() for form in table))
    precisions = list(dict.fromkeys(form.partition(",")[0] for form in forms))
    for axis, (title, table) in zip(panels[:, 0], tables.items(), strict=True):
        axis.axvline(1, color="0.4", linewidth=1, label="_one")
        for form in table:
            number = precisions.index(form.partition(",")[0])
            colour, mark = FORMS[number % len(FORMS)], distinct(number)["marker"]
            fill = "white" if "compiled" in form else colour
            look = dict(color=colour, markerfacecolor=fill, label=form)
            axis.plot(table[form], range(len(table)), mark, **look)
        names = [
            literal(f"{machine}\n{size}, batch {batch}") for machine, size, batch in table.index
        ]
        axis.set(yticks=range(len(table)), yticklabels=names, ylim=(len(table) - 0.5, -0.5))
        axis.set_title(title, fontsize=10)
        axis.grid(axis="y", alpha=0.3)
    panels[-1, 0].set(xlabel="times the speed of 32-true", xlim=(0, None))
    lines = [line for axis in panels[:, 0] for line in axis.lines]
    marks = {name: line for line in lines if (name := line.get_label()) in forms}
    figure.legend(marks.values(), marks.keys(), frameon=False, loc="outside upper right", ncols=3)
    return figure


# ------------------------------------------------------------------- 04 and 05 attention by itself


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


def date_map(weights: np.ndarray, days: list[str], title: str) -> Figure:
    """Attention weights (date that looks, date looked at) as colours; from 10 % on also as numbers.

    The colours follow the root of a weight, so that one large weight leaves the small ones apart.
    """
    figure = Figure(figsize=(7.4, 6.2), layout="constrained")
    axis = figure.subplots()
    shares = 100 * np.asarray(weights)
    picture = axis.imshow(shares, cmap="cividis", norm=PowerNorm(0.5, 0, 100))
    for (row, column), share in np.ndenumerate(shares):
        if share >= 10:
            dark = "black" if share > 30 else "white"
            axis.text(column, row, f"{share:.0f}", color=dark, ha="center", va="center", fontsize=9)
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
    sides = sorted(table["patch"].unique())
    axis.set_xticks(sides, [f"{side:g}" for side in sides])
    axis.set(xlim=(sides[0] / 1.4, sides[-1] * 1.5))
    axis.set(xlabel="side of the patch (pixels)", ylabel="weights of one patch (MB)")
    axis.grid(alpha=0.3)
    return figure


# ------------------------------------------------------------------------------------- 07 training


def losses(curves: Mapping[str, Sequence[float]], knows_nothing: float) -> Figure:
    """Losses by step on a logarithmic axis, each named at its end; a grey line for a network that
    knows nothing.
    """
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    axis = figure.subplots()
    looks = (("-", "#0072b2"), ("--", "#d55e00"), (":", "#009e73"))
    ends = sorted((curve[-1], name) for name, curve in curves.items())
    lifts: dict[str, float] = {}  # names of curves that end together stand above each other
    for (end, name), lower in zip(ends, [(0.0, ""), *ends], strict=False):
        lifts[name] = lifts.get(lower[1], 0) + 13 if end < 1.25 * lower[0] else 0
    for (name, curve), (style, colour) in zip(curves.items(), looks, strict=False):
        axis.semilogy(curve, style, color=colour, linewidth=2)
        at: dict[str, Any] = dict(
            xy=(len(curve) - 1, curve[-1]), xytext=(6, lifts[name]), color=colour
        )
        axis.annotate(name, **at, textcoords="offset points", va="center", fontsize=10)
    longest = max(map(len, curves.values()))
    axis.hlines(knows_nothing, 0, longest - 1, color="0.6", linewidth=1)
    at = dict(xy=(0.6 * longest, knows_nothing), xytext=(0, -14), textcoords="offset points")
    axis.annotate("knows nothing", **at, color="0.4", fontsize=10)
    axis.set(xlabel="step", ylabel="loss", xlim=(0, 1.36 * longest))
    axis.set_xticks(range(0, longest + 1, 10))
    _plain_logarithms(axis.yaxis)
    axis.grid(alpha=0.3)
    return figure


def rate_test(
    rates: np.ndarray, after: np.ndarray, smooth: np.ndarray, works: float, lowest: float
) -> Figure:
    """The loss ``after`` each step with a rising rate, smoothed, and two rates that are named."""
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    axis = figure.subplots()
    axis.semilogx(rates, after, color="0.7")
    axis.semilogx(rates, smooth, color="#0072b2", linewidth=2)
    top = 1.5 * after[0]
    said: dict[str, Any] = dict(fontsize=10, va="bottom", textcoords="offset points")
    axis.annotate("after each step", (rates[0], after[:5].max()), (0, 16), color="0.45", **said)
    axis.annotate("mean of seven", (rates[0], smooth[0]), (0, -34), color="#0072b2", **said)
    marks = {"a tenth gained": (works, "-", "#009e73"), "lowest": (lowest, "--", "#d55e00")}
    for name, (rate, style, colour) in marks.items():
        axis.axvline(rate, 0, 0.86, color=colour, linestyle=style, linewidth=1.5)
        axis.annotate(name, (rate, 0.87 * top), (0, 2), color=colour, ha="center", **said)
    axis.set(xlabel="learning rate", ylabel="loss", ylim=(0, top))
    axis.grid(alpha=0.3)
    return figure


def _plain_logarithms(axis: Axis) -> None:
    """Ticks of a logarithmic axis as plain numbers at 1, 2 and 5."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter(NullFormatter())


# ------------------------------------------------------------------------------------- 08 accuracy


METHODS = (("o", "-", "#332288"), ("s", "--", "#8a6d00"), ("^", ":", "#000000"), ("v", "-.", "0.5"))
"""Mark, line and colour of the maps or methods that a figure compares, in their order."""


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
    place = dict(extent=_extent(season), interpolation="nearest")
    picture = middle.imshow(doubt, cmap="cividis", vmin=0, **place)
    figure.colorbar(picture, ax=middle, label="entropy (bits)", shrink=0.6)
    right.imshow(
        errors, cmap=ListedColormap(["#ffffff", "#b8c0c8", "#000000"]), vmin=0, vmax=1, **place
    )
    for axis, title in ((left, "test pixels"), (middle, "doubt"), (right, "errors")):
        axis.set_title(title, fontsize=11)
    _locate([middle, right], season)
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
    _name_ends(axis, ends)
    axis.xaxis.set_major_formatter(ConciseDateFormatter(AutoDateLocator()))
    axis.spines[["top", "right"]].set_visible(False)
    return figure


# ------------------------------------------------------------------------------------ 09 attention


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


# ------------------------------------------------------------------------------------------ 12 real

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
    _name_ends(axis, ends)
    return figure


# --------------------------------------------------------------------------------------- 10 region


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
    left, right, bottom, top = _extent(season)
    look: dict[str, Any] = dict(cmap="Greys", vmin=0, vmax=1, extent=(left, right, bottom, top))
    image = axis.imshow(entropy, interpolation="nearest", **look)
    rows, columns = entropy.shape
    east = (places["column"] + 0.5) * right / columns
    north = top - (places["row"] + 0.5) * top / rows
    axis.plot(east, north, "o", markersize=7, markerfacecolor="#d55e00", markeredgecolor="white")
    _locate([axis], season)
    figure.colorbar(image, label="entropy (0 certain, 1 clueless)", shrink=0.8)
    return figure


# ------------------------------------------------------------------------------------- 11 transfer


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
