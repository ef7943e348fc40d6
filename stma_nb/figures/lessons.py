"""Figures of single lessons: the drawing that a notebook needs and that teaches nothing by itself.

Every function takes numbers that the notebook has computed and returns a matplotlib Figure.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib import colormaps
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from scipy import stats

from stma_nb import radar
from stma_nb.cube import Crop
from stma_nb.figures.colours import ATTENTION, NEED, VH
from stma_nb.figures.plots import colour_map, literal

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
    for level, told, ink in ((mean[-1], "mean", colour), (pixels[:, -1].max(), "pixels", "0.4")):
        at = (time[-1], level)
        axis.annotate(told, at, (6, 0), textcoords="offset points", color=ink, va="center")
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
    axis.set_xticks(range(len(time)), [str(t)[5:10] for t in time], rotation=60, fontsize=9)
    axis.set_xlabel("acquisition date (month-day)")
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


def db_images(
    images: list[np.ndarray],
    titles: list[str],
    low: float = -28,
    high: float = -10,
    sides: tuple[str, str] = ("pixel (range)", "line (azimuth)"),
) -> Figure:
    """Images in dB side by side in one grey scale; light brown where there is no value.

    ``sides`` name the horizontal and the vertical axis.
    """
    grey = colormaps["gray"].with_extremes(bad="#c8a165")
    figure = Figure(figsize=(3.1 * len(images) + 1, 3.2), layout="constrained")
    axes = figure.subplots(1, len(images), squeeze=False)[0]
    for axis, image, title in zip(axes, images, titles, strict=True):
        picture = axis.imshow(image, cmap=grey, vmin=low, vmax=high)
        axis.set_title(title, fontsize=10)
        axis.set_xlabel(sides[0])
    axes[0].set_ylabel(sides[1])
    figure.colorbar(picture, ax=axes, shrink=0.8, label="dB")
    return figure


def by_angle(grounds: dict[str, tuple[np.ndarray, dict[str, np.ndarray]]]) -> Figure:
    """Backscatter in dB against incidence angle, a panel for each ground, with fitted lines.

    A ground is (angles in degrees, {name: backscatter of the same places, in dB}).
    """
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    axes = figure.subplots(1, len(grounds), squeeze=False)[0]
    looks = [(".", "-", "#000000"), ("+", "--", "#0072b2")]
    for axis, (title, (angle, series)) in zip(axes, grounds.items(), strict=True):
        for (name, values), (mark, style, colour) in zip(series.items(), looks, strict=True):
            line = np.polynomial.Polynomial.fit(angle, values, 1)
            axis.plot(angle, values, mark, markersize=5, alpha=0.4, color=colour)
            axis.plot(*line.linspace(2), style, color=colour, label=name)
        axis.set(title=title, xlabel="incidence angle (degrees)")
        axis.legend(frameon=False)
    axes[0].set_ylabel("backscatter (dB)")
    return figure


def side_looking(
    height: xr.DataArray,
    geometry: xr.Dataset,
    places: dict[str, float],
    echoes: tuple[np.ndarray, np.ndarray],
) -> Figure:
    """A cut through terrain (x, metres) under a radar far to the upper left; below, what it gets.

    A ray meets each of the ``places`` (letter: x in metres), and a dashed wave front runs through
    it: what lies on one front has one slant range. ``geometry`` is that of
    ``radar.local_geometry`` along the cut, at one incidence angle; ``echoes`` are edges of cells of
    slant range (n + 1,) in metres, x sin(theta) - z cos(theta), and their power (n,).
    """
    theta = np.radians(float(geometry.incidence[0]))
    ray = np.array([np.sin(theta), -np.cos(theta)])
    front = np.array([np.cos(theta), np.sin(theta)])
    x, z = height.x.values, height.values
    figure = Figure(figsize=(8, 4.6), layout="constrained")
    above, below = figure.subplots(2, 1, height_ratios=(3, 2))
    above.fill_between(x, z, z.min() - 60, color="0.9")
    above.plot(x, z, color="black", linewidth=1)
    for name, colour, style in (("layover", "#d55e00", "-"), ("shadow", "#0072b2", ":")):
        if geometry[name].any():
            ground = np.where(geometry[name], z, np.nan)
            above.plot(x, ground, style, color=colour, linewidth=5, label=name)
            above.legend(frameon=False, loc="upper right")
    seen: dict[int, list[str]] = {}  # letters by slant range: in layover several share one
    for name, at in places.items():
        point = np.array([at, np.interp(at, x, z)])
        above.plot(*np.transpose([point - 200 * front, point + 200 * front]), "--", color="0.6")
        arrow = dict(arrowstyle="->", color="#e69f00", linewidth=2, shrinkA=0, shrinkB=0)
        above.annotate("", point, point - 110 * ray, arrowprops=arrow)
        above.annotate(name, point, (0, -14), textcoords="offset points", ha="center")
        seen.setdefault(round(point @ ray), []).append(name)
    above.set(xlabel="distance on the ground (m)", ylabel="height (m)", aspect="equal")
    above.set(xlim=(x[0], x[-1]), ylim=(z.min() - 60, z.max() + 110))
    edges, power = echoes
    below.stairs(power, edges, fill=True, color="0.7")
    for place, names in seen.items():
        below.axvline(place, linestyle="--", color="0.4")
        top = (place, 1.2 * power.max())
        below.annotate(", ".join(names), top, (3, 0), textcoords="offset points", va="top")
    below.set(xlabel="slant range (m, from any zero)", ylabel="power\n(flat ground = 1)")
    below.set(xlim=(edges[0], edges[-1]), ylim=(0, 1.25 * power.max()))
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
        axis.clabel(lines, fontsize=7, fmt="%g m")
        axis.set(title=title, xlabel="east (km)", aspect="equal")
    axes[0].set_ylabel("north (km)")
    covers = [Patch(color="#f0e442", label="layover"), Patch(color="#000000", label="shadow")]
    figure.legend(handles=covers, loc="outside lower center", ncols=2, frameon=False)
    figure.colorbar(picture, ax=axes, shrink=0.8, label="area factor (dB)")
    return figure


# ------------------------------------------------------------------------------------- 03 patches


def patch_with_label(patch: xr.Dataset, crops: Sequence[Crop], dates: tuple[int, int]) -> Figure:
    """VH of a patch on two dates (positions in the season), and its label with names of crops."""
    figure = Figure(figsize=(9, 3), layout="constrained")
    axes = figure.subplots(1, 3)
    for axis, date in zip(axes, dates, strict=False):
        image = radar.to_db(patch.vh[date])
        picture = axis.imshow(image, cmap="gray", vmin=-25, vmax=-10)
        axis.set_title(f"VH, {np.datetime_as_string(patch.time.values[date], 'D')}")
    figure.colorbar(picture, ax=axes[:2], label="VH (dB)", shrink=0.8)
    colours, norm = colour_map(crops)
    axes[2].imshow(patch.crop, cmap=colours, norm=norm)
    axes[2].set_title("label")
    frame = dict(facecolor="white", alpha=0.8, lw=0)
    side = patch.crop.shape[1] - 1
    for code in np.unique(patch.crop):
        rows, columns = np.nonzero(patch.crop.values == code)
        # A name stays inside the picture, also that of a sliver at its border.
        across = np.clip(columns.mean(), 0.2 * side, 0.8 * side)
        down = np.clip(rows.mean(), 0.07 * side, 0.93 * side)
        look = dict(ha="center", va="center", fontsize=9, bbox=frame)
        axes[2].text(across, down, crops[code].name, **look)
    for axis in axes:
        axis.set_xlabel("column (pixels of 10 m)")
    axes[0].set_ylabel("row (pixels of 10 m)")
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


# ------------------------------------------------------------------- 04 and 05 attention by itself


def date_map(weights: np.ndarray, days: list[str], title: str, high: float | None = None) -> Figure:
    """Attention weights (date that looks, date looked at) as colours, with some of the days.

    Weights above ``high`` have the colour of ``high``.
    """
    figure = Figure(figsize=(4.6, 4), layout="constrained")
    axis = figure.subplots()
    picture = axis.imshow(weights, cmap="cividis", vmin=0, vmax=high)
    some = range(0, len(days), 3)
    axis.set_xticks(some, days[::3], rotation=60, fontsize=8)
    axis.set_yticks(some, days[::3], fontsize=8)
    axis.set(xlabel="key: the date looked at", ylabel="query: the date that looks", title=title)
    extend = "neither" if high is None else "max"
    figure.colorbar(picture, label="weight", shrink=0.8, extend=extend)
    return figure


def patch_images(
    images: list[np.ndarray],
    titles: list[str],
    fields: np.ndarray,
    marks: Sequence[tuple[int, int]] = (),
    **look: Any,
) -> Figure:
    """Images of one patch side by side in one scale, with the borders of its fields.

    ``fields`` numbers the fields 0, 1, 2, ...; ``marks`` are pixels (row, column) to mark by a
    cross; ``look`` goes to matplotlib's imshow (cmap, vmin, vmax).
    """
    figure = Figure(figsize=(3 * len(images) + 1, 3.2), layout="constrained")
    axes = figure.subplots(1, len(images), squeeze=False)[0]
    # A line between two pixels of different fields: (column, row) of its ends.
    below = np.argwhere(fields[1:] != fields[:-1])
    right = np.argwhere(fields[:, 1:] != fields[:, :-1])
    lines = [[(c - 0.5, r + 0.5), (c + 0.5, r + 0.5)] for r, c in below]
    lines += [[(c + 0.5, r - 0.5), (c + 0.5, r + 0.5)] for r, c in right]
    for axis, image, title in zip(axes, images, titles, strict=True):
        picture = axis.imshow(image, **{"cmap": "gray", **look})
        axis.add_collection(LineCollection(lines, colors="#56b4e9", linewidths=0.8))
        for row, column in marks:
            axis.plot(column, row, "x", color="#d55e00", markersize=9, markeredgewidth=2)
        axis.set(title=title, xlabel="column (pixels)")
    axes[0].set_ylabel("row (pixels)")
    figure.colorbar(picture, ax=axes, shrink=0.8)
    return figure


# ------------------------------------------------------------------------------------- 08 accuracy


def areas(table: pd.DataFrame) -> Figure:
    """Area of classes (rows) in hectares: estimated with its interval, counted in the map, true.

    The columns are ``estimate``, ``low``, ``high``, ``counted in the map (ha)``, ``truth (ha)``.
    """
    figure = Figure(figsize=(7, 3.2), layout="constrained")
    axis = figure.subplots()
    place = np.arange(len(table))
    half = (table["high"] - table["low"]) / 2
    mapped, truth = table["counted in the map (ha)"], table["truth (ha)"]
    said = "estimate, 95 % interval"
    axis.errorbar(place, table["estimate"], half, fmt="o", color="#0072b2", capsize=4, label=said)
    axis.plot(place - 0.2, mapped, "s", color="#d55e00", label="pixels counted in the map")
    axis.plot(place + 0.2, truth, "D", color="black", markersize=5, label="truth (simulated)")
    axis.set(xticks=place, xticklabels=table.index, ylabel="area (ha)", ylim=(0, None))
    axis.legend(frameon=False)
    return figure


def where_errors_sit(
    by_edge: pd.DataFrame, by_size: pd.Series, by_contrast: pd.Series, fields: int
) -> Figure:
    """Share mapped right by distance from the edge, by size and by contrast of the field.

    ``by_edge`` has a column for each map, which becomes a line. The index of each table are
    intervals; a bar of the last two stands for so many ``fields``.
    """
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    axes = figure.subplots(1, 3, sharey=True)
    looks = (("o-", "#0072b2"), ("s--", "#d55e00"), ("^:", "#000000"))
    for (name, shares), (style, colour) in zip(by_edge.items(), looks, strict=False):
        axes[0].plot(_between(by_edge.index, "g"), shares, style, color=colour, label=name)
    axes[0].set(xlabel="distance from the edge (pixels)", title="pixels")
    panels = [(by_size, "size of the field (ha)"), (by_contrast, "contrast (dB)")]
    for axis, (shares, label) in zip(axes[1:], panels, strict=True):
        axis.bar(_between(shares.index, ".1f"), shares, color="#0072b2")
        axis.set(xlabel=label, title=f"fields, about {fields} in a bar")
    for axis in axes:
        axis.tick_params(axis="x", labelsize=8)
    axes[0].set(ylabel="share right", ylim=(0, 1))
    figure.legend(loc="outside lower left", ncols=len(by_edge.columns), frameon=False)
    return figure


def _between(intervals: pd.Index, digits: str) -> list[str]:
    """Names of intervals; the last may have no end."""
    return [
        f"{i.left:{digits}} to {i.right:{digits}}" if np.isfinite(i.right) else f"> {i.left:g}"
        for i in intervals
    ]


def doubt_and_errors(
    reliability: dict[str, pd.DataFrame], doubt: np.ndarray, errors: np.ndarray
) -> Figure:
    """Reliability curves by name, a map of doubt in bits, and a map of errors (0 right, 1 wrong).

    The tables have the columns ``confidence`` and ``accuracy`` (``accuracy.calibration``).
    """
    figure = Figure(figsize=(10, 3.4), layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=(1.1, 1, 1))
    left.plot([0, 1], [0, 1], color="0.6", linewidth=1)
    looks = [("o-", "#0072b2"), ("s--", "#d55e00")]
    for (name, table), (style, colour) in zip(reliability.items(), looks, strict=False):
        look = dict(color=colour, markersize=4, label=name)
        left.plot(table["confidence"], table["accuracy"], style, **look)
    left.legend(frameon=False)
    left.set(xlabel="confidence", ylabel="share right", title="test pixels")
    left.set(xlim=(0, 1), ylim=(0, 1))
    picture = middle.imshow(doubt, cmap="cividis", vmin=0)
    figure.colorbar(picture, ax=middle, label="entropy (bits)", shrink=0.8)
    right.imshow(errors, cmap="gray_r", vmin=0, vmax=1)
    middle.set(title="doubt", xlabel="column (pixels)", ylabel="row (pixels)")
    right.set(title="errors (black) in the test blocks", xlabel="column (pixels)")
    return figure


# ------------------------------------------------------------------------------------ 09 attention


def bars_by_date(series: Mapping[str, xr.DataArray | np.ndarray], days: list[str]) -> Figure:
    """Two or three series over dates (time) as bars, one above the other under their names.

    Attention is grey and need is green, as in the explorer; a third series is blue.
    """
    figure = Figure(figsize=(9, 0.5 + 1.5 * len(series)), layout="constrained")
    axes = figure.subplots(len(series), 1, sharex=True)
    colours = (ATTENTION, NEED, "#0072b2")
    for axis, (name, values), colour in zip(axes, series.items(), colours, strict=False):
        axis.bar(days, values, color=colour)
        axis.set_title(name, fontsize=10)
    axes[-1].tick_params(axis="x", rotation=60)
    axes[-1].set_xlabel("date")
    return figure


def pairs_of_networks(between: dict[str, list[float]]) -> Figure:
    """Rank correlations of ``occlusion`` and ``attention``, a mark a pair; a stroke is the mean."""
    figure = Figure(figsize=(7, 2.2), layout="constrained")
    axis = figure.subplots()
    looks = {"occlusion": ("o", NEED), "attention": ("s", ATTENTION)}
    for place, (name, (marker, colour)) in enumerate(looks.items()):
        values = between[name]
        axis.plot(values, np.full(len(values), place), marker, color=colour, alpha=0.6)
        axis.plot(np.mean(values), place, "|", color="black", markersize=24)
    axis.axvline(0, color="0.6", linewidth=1)
    axis.set(yticks=(0, 1), yticklabels=tuple(looks), ylim=(-0.6, 1.6), xlim=(-1, 1))
    axis.set_xlabel("rank correlation over dates between two networks")
    return figure
