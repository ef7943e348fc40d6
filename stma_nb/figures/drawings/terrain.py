"""How a side-looking radar lays out what it sees: slopes in slant range, bursts and sub-swaths."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stma_nb import radar
from stma_nb.figures.colours import CURVES

TOP = 200.0  # metres: height of the ridges
LAYOVER, SHADOW, RAY = "#d55e00", "#0072b2", "#e69f00"


def slopes(ridges: Mapping[str, tuple[float, float]], theta: float, cell: float = 20.0) -> Figure:
    """Ridges under a radar far to the upper left, side by side; below each, what the radar gets.

    ``ridges`` have a name and two slopes in degrees: of the side that faces the radar, and of the
    other. Rays (arrows) come in at the incidence angle ``theta`` in degrees; what lies on one wave
    front (dashed) has one slant range. A is the near foot and B the top. C is what lies as far from
    the radar as the top (layover), or where the ray that grazes the top lands (shadow), or the far
    foot. Each piece of ground adds its area across the beam to a cell of slant range of ``cell``
    metres, unless higher ground hides it (Small 2011).
    """
    figure = Figure(figsize=(9.6, 4.4), layout="constrained")
    axes = figure.subplots(2, len(ridges), height_ratios=(3, 2), sharey="row", squeeze=False)
    for (name, (front, back)), above, below in zip(ridges.items(), *axes, strict=True):
        ground = _ridge(front, back)
        places = _places(front, back, theta)
        seen = radar.local_geometry(ground, theta, look=90).isel(y=1)  # looks to the east
        _cut(above, ground[1], seen, places, theta)
        _received(below, ground[1], places, theta, cell)
        above.set_title(name, fontsize=12)
    axes[0, 0].set_ylabel("height (m)")
    axes[1, 0].set_ylabel("power\n(flat ground = 1)")
    return figure


def slant(x: Any, height: Any, theta: float) -> Any:
    """Slant range in metres, from any zero, of ground at ``x`` (away from the radar)."""
    angle = np.radians(theta)
    return x * np.sin(angle) - height * np.cos(angle)


def _ridge(front: float, back: float) -> xr.DataArray:
    """Heights (y, x) of a ridge from south to north."""
    x = np.arange(-480, 481.0)
    slope = np.tan(np.radians(np.where(x < 0, front, back)))
    height = np.maximum(TOP - np.abs(x) * slope, 0)
    coords = {"y": [2.0, 1.0, 0.0], "x": x}
    return xr.DataArray(np.tile(height, (3, 1)), dims=("y", "x"), coords=coords)


def _places(front: float, back: float, theta: float) -> dict[str, tuple[float, float]]:
    """The points A, B and C: distance on the ground and height."""
    angle, far = np.radians(theta), TOP / np.tan(np.radians(back))
    if front > theta:
        far = -TOP / np.tan(angle)
    elif back > 90 - theta:
        far = TOP * np.tan(angle)
    return {"A": (-TOP / np.tan(np.radians(front)), 0), "B": (0, TOP), "C": (far, 0)}


def _cut(
    axis: Axes,
    ground: xr.DataArray,
    seen: xr.Dataset,
    places: dict[str, tuple[float, float]],
    theta: float,
) -> None:
    """The ridge from the side, with rays and wave fronts through the places."""
    angle = np.radians(theta)
    ray, front = [np.sin(angle), -np.cos(angle)], np.array([np.cos(angle), np.sin(angle)])
    x, z = ground.x.values[::5], ground.values[::5]  # enough for the eye
    axis.fill_between(x, z, -90, color="0.9")
    axis.plot(x, z, color="black", linewidth=1)
    for name, colour, style in (("layover", LAYOVER, "-"), ("shadow", SHADOW, ":")):
        lost = np.where(seen[name][::5], z, np.nan)
        axis.plot(x, lost, style, color=colour, linewidth=5, label=name)
    for name, place in places.items():
        point = np.array(place)
        axis.plot(*np.transpose([point - 90 * front, point + 150 * front]), "--", color="0.55")
        arrow = dict(arrowstyle="-|>", color=RAY, linewidth=2, shrinkA=0, shrinkB=0)
        axis.annotate("", place, tuple(point - 110 * np.array(ray)), arrowprops=arrow)
        axis.annotate(name, place, (0, -15), textcoords="offset points", ha="center")
    axis.set(xlabel="on the ground (m)", aspect="equal")
    axis.set(xlim=(x[0], x[-1]), ylim=(-90, 330))


def _received(
    axis: Axes,
    ground: xr.DataArray,
    places: dict[str, tuple[float, float]],
    theta: float,
    cell: float,
) -> None:
    """The power in cells of slant range, and where the places land."""
    edges, power = echoes(ground, theta, cell)
    axis.stairs(power, edges, fill=True, color="0.75")
    landed: dict[int, list[str]] = {}  # in layover several places share one slant range
    for name, (x, z) in places.items():
        landed.setdefault(round(float(slant(x, z, theta))), []).append(name)
    for place, names in landed.items():
        axis.axvline(place, linestyle="--", color="0.55")
        look: dict[str, Any] = dict(textcoords="offset points", va="top")
        axis.annotate(", ".join(names), (place, 4.2), (3, 0), **look)
    axis.set(xlabel="slant range (m, from any zero)", xlim=(-330, 330), ylim=(0, 4.4))


def echoes(ground: xr.DataArray, theta: float, cell: float) -> tuple[np.ndarray, np.ndarray]:
    """Edges of cells of slant range (n + 1,) in metres, and their power (n,); flat ground gives 1.

    ``ground`` are heights (x).
    """
    angle, x, z = np.radians(theta), ground.x.values, ground.values
    highest = np.maximum.accumulate(x * np.cos(angle) + z * np.sin(angle))  # across the beam
    far = slant(x, z, theta)
    edges = np.arange(far.min(), far.max(), cell)
    area, _ = np.histogram(far[1:], edges, weights=np.diff(highest))
    return edges, area * np.tan(angle) / cell


def bursts(nesz: xr.DataArray) -> Figure:
    """The noise level of a product (line, pixel; linear power): sub-swaths, bursts, scalloping.

    Beside the image, its level along the flight in the middle of each of two sub-swaths. Their
    border is the largest step along range, a burst ends where the noise is highest.
    """
    level = radar.to_db(nesz)
    line, pixel = nesz.line.values, nesz.pixel.values
    border = int(np.abs(np.diff(level.mean("line"))).argmax()) + 1
    middles = (border // 2, (border + len(pixel)) // 2)
    figure = Figure(figsize=(9, 4.3), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(1.15, 1))
    sides = (pixel[0] - 0.5, pixel[-1] + 0.5, line[-1] + 0.5, line[0] - 0.5)
    low, high = np.floor(2 * level.min()) / 2, np.ceil(2 * level.max()) / 2
    steps = colormaps["gray"].resampled(round(float(2 * (high - low))))  # a shade is half a dB
    picture = left.imshow(level, cmap=steps, vmin=low, vmax=high, extent=sides, aspect="auto")
    figure.colorbar(picture, ax=left, label="NESZ of VH (dB)", location="left", shrink=0.8)
    left.axvline(pixel[border] - 0.5, color=CURVES[2], linewidth=2)
    for number, middle in enumerate(middles):
        colour, style = (("#000000", "-"), (CURVES[3], "--"))[number]
        profile = level.values[:, middle]
        right.plot(profile, line, style, color=colour)
        peaks = np.flatnonzero((profile[1:-1] > profile[:-2]) & (profile[1:-1] >= profile[2:])) + 1
        span = (pixel[0] - 0.5, pixel[border]) if number == 0 else (pixel[border], pixel[-1] + 0.5)
        left.hlines(line[peaks], *span, color=CURVES[2], linestyle=":", linewidth=2)
        left.text(np.mean(span), line[0] - 6, f"sub-swath {number + 1}", ha="center", va="bottom")
        first, second = line[peaks[:2]]
        box = dict(facecolor="white", alpha=0.85, linewidth=0, pad=2)
        left.annotate(
            "", (pixel[middle], first), (pixel[middle], second), arrowprops=_both(CURVES[2])
        )
        at = (pixel[middle] + 5, (first + second) / 2)
        left.text(*at, f"a burst,\n{second - first} lines", va="center", bbox=box)
        highest = (profile[peaks[1]], line[peaks[1]])
        text = f"sub-\nswath {number + 1}"
        right.annotate(text, highest, (6, 0), textcoords="offset points", va="center")
    left.set(xlabel="pixel of 10 m: range, away from the radar →")
    left.set_ylabel("line of 10 m: azimuth, along the flight ↓")
    right.set(xlabel="NESZ of VH in the middle of a sub-swath (dB)")
    right.set_xlim(level.min() - 0.2, level.max() + 0.6)
    right.tick_params(labelleft=True)
    right.grid(alpha=0.3)
    return figure


def _both(colour: str) -> dict[str, object]:
    return dict(arrowstyle="<->", color=colour, linewidth=1.5, shrinkA=0, shrinkB=0)
