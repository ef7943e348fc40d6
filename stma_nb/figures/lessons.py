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

from stma_nb import cube, radar
from stma_nb.cube import Crop
from stma_nb.figures.colours import ATTENTION, NEED
from stma_nb.figures.plots import _extent, _locate, colour_map, ink, literal

# ----------------------------------------------------------------------------------- 01 time series


def calendar(table: np.ndarray, names: list[str], time: np.ndarray) -> Figure:
    """Mean VH backscatter in dB of crops (rows, with their names) by date (columns) as colours."""
    figure = Figure(figsize=(9, 4.2), layout="constrained")
    axis = figure.subplots()
    picture = axis.imshow(table, aspect="auto", cmap="cividis")
    axis.set_yticks(range(len(names)), names, fontsize=8)
    axis.set_xticks(range(len(time)), [str(t)[5:10] for t in time], rotation=60, fontsize=8)
    axis.set_xlabel("acquisition date (month-day)")
    figure.colorbar(picture, label="mean VH backscatter (dB)")
    return figure


def shared_and_weather(time: np.ndarray, shared: np.ndarray, weather: xr.Dataset) -> Figure:
    """What all crops share on each date in dB, above the temperature and the rain of the day."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    days = np.timedelta64(6, "D")  # width of a bar
    above.bar(time, shared, width=days, color="#0072b2")
    above.set_ylabel("shared by all\ncrops (dB)")
    below.plot(time, weather.temperature, "o-", color="#d55e00", label="temperature (°C)")
    rain = dict(color="#56b4e9", label="rain or snow of the day (mm)")
    below.bar(time, weather.rain, width=days, **rain)
    below.axhline(0, color="black", linewidth=0.5)
    below.legend(frameon=False, ncols=2)
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


METHODS = (("o", "-", "#332288"), ("s", "--", "#8a6d00"), ("^", ":", "#000000"), ("v", "-.", "0.5"))
"""Mark, line and colour of the maps or methods that a figure compares, in their order."""


def areas(table: pd.DataFrame, crops: Sequence[Crop]) -> Figure:
    """Area of classes (rows) in hectares: estimated with its interval, counted in the map, true.

    The columns are ``estimate``, ``low``, ``high``, ``counted in the map (ha)``, ``truth (ha)``.
    Crops of the legend have its colours.
    """
    figure = Figure(figsize=(9, 4), layout="constrained")
    axis = figure.subplots()
    colours = {crop.name: ink(crop) for crop in crops}
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
    inks = {crop.name: ink(crop) for crop in crops}
    ends: list[float] = []
    for place, (name, values) in enumerate(nearest.items()):
        look: dict[str, Any] = dict(marker="osD^v"[place % 5])
        look["linestyle"] = ("-", "--", "-.", ":")[place % 4]
        axis.plot(nearest.index, values, color=inks[str(name)], markersize=5, **look)
    room = 0.055 * float(nearest.max().max())  # so that names do not overlap
    for name, end in nearest.iloc[-1].sort_values().items():
        ends.append(max(end, ends[-1] + room) if ends else end)
        at = (nearest.index[-1], ends[-1])
        axis.annotate(
            str(name), at, (8, 0), textcoords="offset points", va="center", color=inks[str(name)]
        )
    axis.axhline(apart, color="0.5", linewidth=1)
    axis.set(ylabel="nearest other crop (spreads)", xlabel="date", ylim=(0, None))
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
    axes[-1].set_xlabel("date (month-day)")
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
            crops = cube.legend(season)
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
    inks = {crop.name: ink(crop) for crop in crops}
    for place, (name, effect) in enumerate(effects.items()):
        look: dict[str, Any] = dict(marker="osD^v"[place % 5], color=inks[name], markersize=6)
        look["linestyle"] = ("-", "--", "-.", ":")[place % 4]
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
