"""Drawings of what a radar does: how it looks, how its waves bounce, how speckle arises.

Sentinel-1 in its usual mode over land (interferometric wide swath, IW) gives the numbers: height,
swath, incidence angle and resolution as ESA states them.
"""

from itertools import pairwise
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Arc, Ellipse, Polygon, Rectangle

from stma_nb import radar
from stma_nb.cube import legend
from stma_nb.figures.colours import VH, VV
from stma_nb.simulate.phenology import mean_backscatter

EARTH, HEIGHT, SWATH = 6371.0, 693.0, 250.0  # radius, satellite above ground, width of image; km
FAR = 46.0  # degrees: incidence angle at the far side of the swath
CELL = 20.0, 5.0  # metres along the track and across: what one look tells apart
BEAM, SOIL, LEAF, RIPE = "#e69f00", "#b08968", "#009e73", "#c9a227"
Point = np.ndarray | tuple[float, float]


def _arrow(axis: Axes, tail: Point, head: Point, **look: Any) -> None:
    line: dict[str, Any] = dict(arrowstyle="-|>", shrinkA=0, shrinkB=0, lw=1.4, color="black")
    axis.annotate("", (head[0], head[1]), (tail[0], tail[1]), arrowprops=line | look)


def _word(axis: Axes, at: Point, text: str, **look: Any) -> None:
    plain: dict[str, Any] = dict(fontsize=9, ha="center", va="center")
    axis.text(at[0], at[1], text, **plain | look)


def _arc(axis: Axes, at: Point, size: float, start: float, end: float, **look: Any) -> None:
    """A part of a circle of this diameter, from one angle to another in degrees."""
    arc: dict[str, Any] = dict(lw=1.4, theta1=start, theta2=end)
    axis.add_patch(Arc((at[0], at[1]), size, size, **arc | look))


# ------------------------------------------------------------------------------ looking sideways


def slant_and_ground(incidence: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
    """Slant range and distance on the ground from below the satellite, both in km, of the place
    where the ray has this incidence angle (degrees). The Earth is a sphere.
    """
    theta = np.radians(incidence)
    look = np.arcsin(EARTH / (EARTH + HEIGHT) * np.sin(theta))  # the angle at the satellite
    centre = theta - look  # the angle at the centre of the Earth
    return EARTH * np.sin(centre) / np.sin(look), EARTH * centre


def incidence_at(ground: np.ndarray | float) -> np.ndarray:
    """Incidence angle in degrees at a distance on the ground (km) from below the satellite."""
    angles = np.linspace(1, 60, 5901)
    return np.asarray(np.interp(ground, slant_and_ground(angles)[1], angles))


def imaging_geometry() -> Figure:
    """How Sentinel-1 looks to the side of its track: in space, as a cut, and one resolution cell.

    The cut and the cells are to scale; in the view from the side the satellite and the footprint
    of one pulse are not.
    """
    figure = Figure(figsize=(9, 8.6), layout="constrained")
    panels = figure.subplot_mosaic(
        [["side", "side", "side"], ["cut", "cell", "pixels"]],
        height_ratios=(1.1, 1),
        width_ratios=(1.5, 1, 0.9),
    )
    _from_the_side(panels["side"])
    _cut(panels["cut"])
    _cell(panels["cell"])
    _pixels(panels["pixels"])
    return figure


def _from_the_side(axis: Axes) -> None:
    """The satellite, its track, and the swath beside it, in a parallel projection."""
    far = float(slant_and_ground(FAR)[1])
    near, middle = far - SWATH, far - SWATH / 2
    front, back = -330, 420  # along the track

    def seen(*points: tuple[float, float, float]) -> np.ndarray:
        """Points (across, along, up) in km on the paper."""
        return np.array([(x + 0.6 * y, z + 0.4 * y) for x, y, z in points])

    def area(left: float, right: float, start: float, end: float, **look: Any) -> None:
        corners = seen((left, start, 0), (right, start, 0), (right, end, 0), (left, end, 0))
        axis.add_patch(Polygon(corners, lw=0, **look))

    def line(*points: tuple[float, float, float], **look: Any) -> None:
        axis.plot(*seen(*points).T, **{"color": "0.4", "lw": 1, **look})

    def arrow(start: tuple, end: tuple, style: str = "-|>") -> None:
        tail, head = seen(start, end)
        _arrow(axis, tail, head, arrowstyle=style)

    def word(point: tuple, text: str, **look: Any) -> None:
        _word(axis, seen(point)[0], text, **look)

    area(-150, far + 130, front, back, color="#e8e4da")
    area(near, far, front, back, color=BEAM, alpha=0.3)
    area(near, far, -12, 12, color=BEAM)  # of one pulse
    satellite = (0, 0, HEIGHT)
    fan = seen(satellite, (near, 0, 0), (far, 0, 0))
    axis.add_patch(Polygon(fan, color=BEAM, alpha=0.25, lw=0))
    line((0, front, 0), (0, back, 0), linestyle=":", lw=1.5)
    line(satellite, (0, 0, 0), linestyle="--")
    line(satellite, (middle, 0, 0), color=BEAM, lw=1.5)
    line((middle, 0, 0), (middle, 0, 330), linestyle="--")
    arrow((0, front, HEIGHT), (0, back, HEIGHT))
    line((-60, 0, HEIGHT), (60, 0, HEIGHT), color=VV, lw=7, solid_capstyle="butt")
    axis.plot(*seen(satellite)[0], "s", color="0.3", ms=12)
    word((-20, back, HEIGHT + 30), "flight direction", ha="right")
    word((-85, 0, HEIGHT + 25), "Sentinel-1", ha="right")
    word((-12, 0, 300), "height\n693 km", ha="right")
    word((-20, front + 60, 0), "ground\ntrack", ha="right")
    # Angles in the plane of the pulse, which the projection leaves as it is.
    look = np.degrees(np.arctan2(middle, HEIGHT))
    _arc(axis, (0, HEIGHT), 300, 270, 270 + look)
    word((62, 0, HEIGHT - 195), "look\nangle")
    _arc(axis, (middle, 0), 460, 90, 90 + look)
    word((middle, 0, 345), "incidence angle\n29° to 46°", va="bottom")
    arrow((near, front - 30, 0), (far, front - 30, 0), "<|-|>")
    word((middle, front - 50, 0), "range (across): swath of 250 km", va="top")
    arrow((far + 65, front + 20, 0), (far + 65, back - 20, 0))
    word((far + 150, 60, 0), "azimuth\n(along the track)", ha="left")
    word((near, back + 15, 0), "near range", va="bottom")
    word((far, back + 15, 0), "far range", va="bottom")
    word((near - 15, -12, 0), "footprint\nof a pulse", ha="right", va="center")
    axis.set_title("The radar looks to its side (satellite and footprint enlarged)", fontsize=10)
    axis.set(xlim=(-400, far + 500), ylim=(-190, 900), aspect="equal")
    axis.axis("off")


def on_sphere(ground: np.ndarray | float) -> np.ndarray:
    """Across and up (..., 2) in km of a place so far along the ground from below the satellite."""
    angle = np.asarray(ground) / EARTH
    return EARTH * np.stack([np.sin(angle), np.cos(angle) - 1], -1)


def _cut(axis: Axes) -> None:
    """Across the track: rays to both sides of the swath, and arcs of one slant range."""
    far = float(slant_and_ground(FAR)[1])
    sides = np.array([far - SWATH, far])
    angles = incidence_at(sides)
    slants = slant_and_ground(angles)[0]
    axis.plot(*on_sphere(np.linspace(-60, 720, 50)).T, color="black")
    axis.plot(
        *on_sphere(np.linspace(sides[0], sides[1], 50)).T, color=BEAM, lw=5, solid_capstyle="butt"
    )
    axis.plot([0, 0], [0, HEIGHT], "--", color="0.4", lw=1)
    axis.plot(0, HEIGHT, "s", color="0.3", ms=9)
    names = ("near range", "far range")
    for place, angle, slant, name in zip(on_sphere(sides), angles, slants, names, strict=True):
        axis.plot(*np.transpose([(0, HEIGHT), place]), color=BEAM)
        upright = place + 190 * (place + (0, EARTH)) / EARTH
        axis.plot(*np.transpose([place, upright]), "--", color="0.4", lw=1)
        tilt = 90 - np.degrees(place[0] / EARTH)  # of the local vertical
        _arc(axis, place, 260, tilt, tilt + angle)
        _word(axis, upright + (0, 12), f"{angle:.0f}°", va="bottom")
        _word(axis, place - (0, 28), f"{name}\n{slant:.0f} km", va="top")
    equal = np.arange(np.ceil(slants[0] / 25), slants[1] / 25) * 25
    for slant, place in zip(equal, on_sphere(slant_to_ground(equal)), strict=True):
        direction = np.degrees(np.arctan2(place[1] - HEIGHT, place[0]))
        _arc(axis, (0, HEIGHT), 2 * slant, direction - 2, direction + 2, color=VV)
    steps = np.diff(slant_to_ground(equal))
    told = (
        f"blue: steps of 25 km\nin slant range are\n{steps[0]:.0f} to {steps[-1]:.0f} km of ground"
    )
    _word(axis, (-12, 330), "693 km", ha="right")
    _word(axis, (230, 600), "slant range:\nalong the ray", ha="left")
    _word(axis, (490, 400), told, ha="left")
    axis.set_title("A cut across, to scale", fontsize=10)
    axis.set(xlim=(-130, 800), ylim=(-130, 740), aspect="equal")
    axis.axis("off")


def slant_to_ground(slant: np.ndarray | float) -> np.ndarray:
    """Distance on the ground (km) from below the satellite of a place at this slant range (km)."""
    slants, grounds = slant_and_ground(np.linspace(1, 60, 5901))
    return np.asarray(np.interp(slant, slants, grounds))


def _cell(axis: Axes) -> None:
    """What a pulse tells apart across the track: fronts so far apart in slant range meet the
    ground further apart.
    """
    theta = np.radians(39)
    apart = CELL[1] * np.sin(theta)  # metres of slant range
    ray, front = np.array([np.sin(theta), -np.cos(theta)]), np.array([np.cos(theta), np.sin(theta)])
    axis.fill_between([-3, 9], 0, -1.2, color=SOIL, alpha=0.5, lw=0)
    for foot in (0, CELL[1]):
        ends = np.array([foot, 0]) + np.outer([0, 6.5], front)
        axis.plot(*ends.T, color=VV)
    axis.plot([0, CELL[1]], [0, 0], color=BEAM, lw=5, solid_capstyle="butt")
    first = 4.6 * front
    _arrow(axis, first, first + apart * ray, arrowstyle="<|-|>")
    _word(axis, first + apart * ray / 2 + (0.1, 0.55), f"{apart:.1f} m", ha="left")
    _arrow(axis, (0.2, 4.2) - 3 * ray, (0.2, 4.2), color=BEAM)
    _word(axis, (-2.6, 7.2), "pulse", ha="left")
    _arc(axis, (0, 0), 3.2, 0, 39)
    _word(axis, (1.75, 0.6), "39°", ha="left")
    _word(axis, (2.5, -0.65), "5 m on the ground")
    axis.set_title("Range resolution", fontsize=10)
    axis.set(xlim=(-3, 9), ylim=(-1.5, 8), aspect="equal")
    axis.axis("off")


def _pixels(axis: Axes) -> None:
    """From above: one cell of resolution, what the image averages, and the pixels it comes in."""
    for place in range(0, 41, 10):
        axis.plot([0, 40], [place, place], color="0.75", lw=1)
        axis.plot([place, place], [0, 40], color="0.75", lw=1)
    along, across = CELL
    paper = dict(facecolor="white", lw=0, pad=1)
    axis.add_patch(Rectangle((10, 10), across, along, color=BEAM))
    look: dict[str, Any] = dict(fill=False, linestyle="--", edgecolor="black", lw=1.5)
    axis.add_patch(Rectangle((10, 10), 20, 22, **look))
    _word(axis, (16.5, 21), "one look\n5 m x 20 m", ha="left", bbox=paper)
    _word(axis, (20, -3), "dashed: resolution of\nthe GRD image, 20 m x 22 m", va="top")
    _word(axis, (20, 36), "pixels of 10 m", bbox=paper)
    _arrow(axis, (50, 2), (50, 20))
    _word(axis, (52, 11), "azimuth", ha="left")
    _arrow(axis, (24, -19), (40, -19))
    _word(axis, (22, -19), "range", ha="right")
    axis.set_title("The cell from above", fontsize=10)
    axis.set(xlim=(-8, 70), ylim=(-21, 41), aspect="equal")
    axis.axis("off")


# --------------------------------------------------------------------------------- three bounces

RAY = np.array([np.sin(np.radians(39)), -np.cos(np.radians(39))])  # from the radar, upper left


def double_bounce(stem: float) -> np.ndarray:
    """Corners (4, 2) of a ray that meets flat soil at 0 and then an upright stem at this distance.

    Both mirror it, so that it leaves towards where it came from.
    """
    up = np.array([RAY[0], -RAY[1]])
    height = stem * up[1] / up[0]
    return np.array([-2.6 * RAY, (0, 0), (stem, height), (stem, height) - 0.5 * RAY])


def leaf_of(before: np.ndarray, at: np.ndarray, after: np.ndarray) -> float:
    """How a leaf lies that mirrors a ray: the angle of its surface in degrees."""
    one, two = at - before, after - at
    normal = two / np.linalg.norm(two) - one / np.linalg.norm(one)
    return float(np.degrees(np.arctan2(normal[1], normal[0])) + 90)


def three_bounces() -> Figure:
    """Bare soil, a canopy, and stems on soil: the way of a pulse, and how much VV and VH get.

    The thicker a coloured arrow, the more comes back; rays are mirrored as drawn.
    """
    figure = Figure(figsize=(9, 4.2), layout="constrained")
    panels = figure.subplots(1, 3)
    rng = np.random.default_rng(1)
    _bare_soil(panels[0], rng)
    _canopy(panels[1], rng)
    _stems(panels[2])
    said = (
        ("Surface: bare soil", "VV: much if rough or wet", "VH: hardly any, one bounce\nkeeps V"),
        ("Volume: a canopy", "VV: some", "VH: much, many bounces\nturn V to H"),
        ("Double: soil and stem or wall", "VV: most at walls", "VH: little, two mirrors\nkeep V"),
    )
    for axis, (title, vv, vh) in zip(panels, said, strict=True):
        axis.set_title(title, fontsize=10)
        _word(axis, (0, -0.5), vv, color=VV)
        _word(axis, (0, -0.95), vh, color=VH)
        axis.set(xlim=(-2, 2), ylim=(-1.25, 2.5), aspect="equal")
        axis.axis("off")
    _word(panels[0], (-1.1, 2.2), "V pulse")
    return figure


FLAT = np.zeros(2)


def _soil(axis: Axes, height: np.ndarray = FLAT) -> None:
    axis.fill_between(np.linspace(-2, 2, height.size), height, -0.25, color=SOIL, lw=0, zorder=0)


def _echo(axis: Axes, start: np.ndarray, vv: float, vh: float) -> None:
    """Arrows back to the radar, as thick as what VV and VH get."""
    across = np.array([-RAY[1], RAY[0]])
    for width, colour, shift in ((vv, VV, -0.1), (vh, VH, 0.1)):
        tail = start + shift * across
        look: dict[str, Any] = dict(color=colour, lw=width, mutation_scale=9 + 2 * width)
        _arrow(axis, tail, tail - 1.2 * RAY, **look)


def _path(axis: Axes, corners: np.ndarray) -> None:
    """A ray through its corners, with an arrow on each leg but the last, which goes on."""
    for tail, head in pairwise(corners[:-1]):
        _arrow(axis, tail, head)
    axis.plot(*corners[-2:].T, color="black", lw=1.4)


def _bare_soil(axis: Axes, rng: np.random.Generator) -> None:
    rough = 0.2 * np.convolve(rng.normal(size=169), np.ones(9) / 9, "valid")  # 161 heights
    _soil(axis, rough - rough[80])
    _arrow(axis, -2.6 * RAY, (0, 0))
    mirrored = np.array([RAY[0], -RAY[1]])
    for angle in np.radians(range(15, 180, 15)):
        way = np.array([np.cos(angle), np.sin(angle)])
        length = 0.35 + 0.9 * max(way @ mirrored, 0) ** 4  # most goes on, as from a mirror
        _arrow(axis, (0, 0), length * way, color="0.6", lw=1)
    _word(axis, (1.25, 1.35), "most goes on,\naway from\nthe radar")
    _echo(axis, 0.22 * np.array([-RAY[1], RAY[0]]) - 0.3 * RAY, 3, 0.5)


def _canopy(axis: Axes, rng: np.random.Generator) -> None:
    _soil(axis)
    for x, z, tilt in rng.uniform((-1.9, 0.1, 0), (1.9, 1.3, 180), (70, 3)):
        axis.add_patch(Ellipse((x, z), 0.36, 0.09, angle=tilt, color=LEAF, alpha=0.25, lw=0))
    first, second, third = np.array([(-0.35, 0.75), (0.75, 0.95), (0.35, 0.35)])
    corners = np.array([first - 2 * RAY, first, second, third, third - 1.3 * RAY])
    for before, at, after in zip(corners, corners[1:], corners[2:], strict=False):
        tilt = leaf_of(before, at, after)
        axis.add_patch(Ellipse((at[0], at[1]), 0.5, 0.1, angle=tilt, color=LEAF, lw=0))
    _path(axis, corners)
    _echo(axis, corners[-1], 2, 2.5)


def _stems(axis: Axes) -> None:
    _soil(axis)
    for x in (-1.6, -0.9, 1.1, 1.6):
        axis.plot([x, x], [0, 1.25], color=LEAF, lw=3, alpha=0.3)
    axis.plot([0.6, 0.6], [0, 1.35], color=LEAF, lw=5)
    corners = double_bounce(0.57)
    _path(axis, corners)
    _echo(axis, corners[-1], 4, 0.8)


# ---------------------------------------------------------------------------------------- speckle


def speckle_sums(scatterers: int, pixels: int, seed: int) -> np.ndarray:
    """Echoes of equal strength and random phase, one after the other added up: the sums as complex
    numbers (pixels, scatterers + 1), from zero to the whole. The mean power of a whole is 1.
    """
    phase = np.random.default_rng(seed).uniform(0, 2 * np.pi, (pixels, scatterers))
    steps = np.exp(1j * phase) / np.sqrt(scatterers)
    return np.cumsum(np.pad(steps, [(0, 0), (1, 0)]), axis=1)


def speckle_arrows(scatterers: int = 12, pixels: int = 2000, seed: int = 0) -> Figure:
    """Three of many simulated pixels of the same ground, a dark, a middling and a bright one.

    Grey arrows are the echoes of the scatterers, head to tail; the black one is their sum, whose
    squared length is the pixel's power. At the right the power of all pixels.
    """
    sums = speckle_sums(scatterers, pixels, seed)
    power = np.abs(sums[:, -1]) ** 2
    chosen = np.argsort(power)[[pixels // 10, pixels // 2, pixels * 9 // 10]]
    figure = Figure(figsize=(9, 2.9), layout="constrained")
    *panels, last = figure.subplots(1, 4, width_ratios=(1, 1, 1, 1.25))
    places = np.stack([sums[chosen].real, sums[chosen].imag])
    low, high = places.min((1, 2)), places.max((1, 2))
    sides = (low + high) / 2 + 0.55 * (high - low).max() * np.array([[-1], [1]])  # one scale
    for axis, pixel, name in zip(
        panels, chosen, ("A, dark", "B, middling", "C, bright"), strict=True
    ):
        corners = np.column_stack([sums[pixel].real, sums[pixel].imag])
        for tail, head in pairwise(corners):
            _arrow(axis, tail, head, color="0.6", lw=1.1)
        _arrow(axis, (0, 0), corners[-1], lw=2.5, mutation_scale=16)
        axis.plot(0, 0, "o", color="black", ms=4)
        axis.set_title(f"{name}: power {power[pixel]:.2f}", fontsize=10)
        axis.set(xlim=sides[:, 0], ylim=sides[:, 1], aspect="equal", xticks=[], yticks=[])
    last.hist(power, np.arange(0, 6.2, 0.2), density=True, color="0.8")
    p = np.linspace(0, 6, 100)
    last.plot(p, np.exp(-p), color="black")
    for pixel, letter in zip(chosen, "ABC", strict=True):
        last.plot(power[pixel], np.exp(-power[pixel]), "o", color="black", ms=6)
        at = (power[pixel] + 0.15, np.exp(-power[pixel]) + 0.02)
        last.text(*at, letter, fontsize=10, fontweight="bold")
    last.set(xlabel="power (mean 1)", ylabel="density", xlim=(0, 6), ylim=(0, 1.05))
    last.set_title(f"all {pixels} pixels", fontsize=10)
    return figure


# ------------------------------------------------------------------------------ stages of a crop


def maize_stages(season: xr.Dataset, dates: list[int]) -> Figure:
    """Maize from bare soil to stubble on some dates (positions), above its mean VV and VH in dB.

    How much of the ground the plants cover is the simulator's, in the calendar of the year; heights
    follow from it, up to 2.4 m.
    """
    code = [crop.name for crop in legend(season)].index("Maize")
    days = season.time.dt.dayofyear.values
    _, bare, stage = mean_backscatter("maize", days, int(season.time.dt.year[0]))
    figure = Figure(figsize=(9, 5.4), layout="constrained")
    plants, curves = figure.subplots(2, 1, sharex=True, height_ratios=(1, 1.15))
    for band, colour, style in (("vv", VV, "o-"), ("vh", VH, "s--")):
        power = season[band].where(season.crop == code).mean(("y", "x"), keep_attrs=True)
        level = radar.to_db(power).values
        curves.plot(days, level, style, color=colour, markersize=4)
        curves.text(days[-1] + 4, level[-1], band.upper(), color=colour, fontsize=10, va="center")
    for date in dates:
        cover = 1 - bare[date]
        if cover > 0:
            _maize(plants, days[date], cover, ripe=stage[date] > 240)
        elif stage[date] > 200:
            plants.vlines(days[date] + np.array([-5, 0, 5]), 0, 0.2, color=RIPE, lw=3)
        named = f"{_named(cover, stage[date])}\ncover {100 * cover:.0f} %"
        plants.text(days[date], 3.3, named, fontsize=9, ha="center", va="top")
        for axis in (plants, curves):
            axis.axvline(days[date], color="0.8", lw=1, zorder=0, ymax=1 if axis is curves else 0.7)
    plants.axhspan(-0.25, 0, color=SOIL, lw=0)
    plants.set(ylim=(-0.25, 3.4), yticks=[0, 1, 2], ylabel="height (m)")
    plants.spines[["top", "right"]].set_visible(False)
    shown = season.time.dt.strftime("%d %b").values
    curves.set_xticks(days[::2], shown[::2])
    curves.set(xlim=(days[0] - 5, days[-1] + 16), xlabel="acquisition date")
    curves.set_ylabel("mean backscatter of\nmaize fields (dB)")
    curves.grid(alpha=0.3)
    return figure


def maize_height(cover: float) -> float:
    """Height in metres of maize that covers so much of the ground (0 to 0.9)."""
    return 2.4 * (min(cover, 0.9) / 0.9) ** 2.5


def _named(cover: float, stage: float) -> str:
    if cover == 0:
        return "bare soil" if stage < 200 else "stubble"
    if stage > 240:
        return "ripening"
    return "seedlings" if cover < 0.4 else "rows close" if cover < 0.9 else "in flower"


def _maize(axis: Axes, day: float, cover: float, ripe: bool) -> None:
    """Three plants beside each other; leaves curve to both sides of a stem."""
    height = maize_height(cover)
    colour = RIPE if ripe else LEAF
    bend = np.linspace(0, 1, 12)
    for place in (day - 5, day, day + 5):
        axis.plot([place, place], [0, height], color=colour, lw=1 + height)
        for leaf, node in enumerate(np.linspace(0.15, 0.85, max(3, round(9 * cover)))):
            side = 1 if leaf % 2 else -1
            along = place + side * 5.5 * cover * bend
            up = node * height + 0.3 * height * (bend - 1.3 * bend**2)
            axis.plot(along, up, color=colour, lw=1.6)
        if cover >= 0.9 or ripe:  # the tassel
            for lean in (-1.2, 0, 1.2):
                axis.plot([place, place + lean], [height, height + 0.22], color=RIPE, lw=1.2)
