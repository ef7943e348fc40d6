"""How a side-looking radar lays out what it sees: slopes in slant range, bursts and sub-swaths."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from stma_nb import radar
from stma_nb.figures.colours import CURVES
from stma_nb.figures.drawings.radar import SWATH

TOP = 200.0  # metres: height of the ridges
LIT = 20.0  # km: a burst along the flight
CYCLE = 2.758  # seconds from a burst to the next of its sub-swath (ESA, Level 1 algorithms, 9-7)
SPEED = 6.8  # km/s of the point below the satellite
TRACK = -80.0  # km: where the track is drawn; in truth it lies some 400 km off
SUB_SWATHS = ("#d9e2ec", "#bcd3e6", "#d9e2ec")
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


def scan(cycles: int = 3) -> Figure:
    """How the radar scans its swath in the mode IW, from above and to scale but for the track.

    A number is the place of a burst in time. In a third of a cycle the satellite flies from dot to
    dot, while its beam swings from behind to ahead and lights more ground (De Zan and Monti
    Guarnieri 2006).
    """
    step = SPEED * CYCLE / 3  # km flown in a burst
    width = SWATH / 3
    figure = Figure(figsize=(9.6, 3.3), layout="constrained")
    axis = figure.subplots()
    for number in range(3 * cycles):
        low = (number + 0.5) * step - LIT / 2
        corner = (number % 3 * width, low)
        face = SUB_SWATHS[number % 3]
        axis.add_patch(Rectangle(corner, width, LIT, facecolor=face, edgecolor="0.4", alpha=0.7))
        middle = (corner[0] + width / 2, low + LIT / 2)
        axis.text(*middle, str(number + 1), ha="center", va="center", fontsize=13)
    shown = 3  # the second burst of the first sub-swath
    start, low = shown * step, (shown + 0.5) * step - LIT / 2
    for flown, lit in ((start, low), (start + step, low + LIT)):
        axis.plot([TRACK, 0], [flown, lit], color=RAY, linewidth=2)
        axis.plot(TRACK, flown, "o", color="black", zorder=3)
    axis.add_patch(Rectangle((0, low), width, LIT, fill=False, edgecolor=RAY, linewidth=2.5))
    told: dict[str, Any] = dict(ha="right", va="center", fontsize=10)
    axis.text(TRACK - 4, start + step / 2, f"{step:.0f} km flown\nin {CYCLE / 3:.1f} s", **told)
    axis.annotate("", (-6, low), (-6, low + LIT), arrowprops=_both(RAY))
    axis.text(-9, low + LIT + 3, f"{LIT:.0f} km lit", color="black", **told)
    top = axis.dataLim.y1
    flight = dict(arrowstyle="-|>", color="black", linewidth=1.5)
    axis.annotate("", (TRACK, top), (TRACK, -LIT / 2), arrowprops=flight)
    axis.text(TRACK + 3, top - 4, "track of the\nsatellite", va="top", fontsize=10)
    for place, side in enumerate(("near", "middle", "far")):
        name = f"sub-swath {place + 1} ({side})"
        axis.text((place + 0.5) * width, top + 2, name, ha="center", va="bottom", fontsize=11)
    axis.set(xlim=(TRACK - 42, SWATH + 4), ylim=(-LIT / 2, top + 10), aspect="equal")
    axis.set(xlabel="km across the track: range →", ylabel="km along the flight:\nazimuth →")
    axis.set_xticks([0, 100, 200], ["0", "100", "200"])
    axis.spines[["top", "right"]].set_visible(False)
    return figure


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
