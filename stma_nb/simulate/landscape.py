"""Where fields lie: districts, parcels, the land around them, and which crop each parcel bears."""

import math
from typing import NamedTuple

import numpy as np
from rasterio.features import rasterize
from scipy import ndimage
from scipy.spatial import Voronoi

from stma_nb.simulate.phenology import BACKGROUND, NAMES, PERMANENT, SHARES, STANDS, stream

PIXEL = 10.0  # metres
LEAST = 10  # pixels: a smaller field is no parcel
Outline = list[tuple[float, float]]  # corners (x, y) in pixels


class Land(NamedTuple):
    """What lies where.

    A unit has one course of backscatter: a parcel, or all land of one background kind in one
    district. Unit 0 stays empty, parcels follow from 1 on, and then the background.
    """

    unit: np.ndarray  # number of the unit of each pixel (y, x)
    stands: np.ndarray  # stand of each unit, as position in ``NAMES``
    rows: np.ndarray  # direction of the rows of each unit, degrees from north
    parcels: int  # how many of the units are parcels


def landscape(
    size: tuple[int, int], year: int, seed: int, farmland: float, balance: float, hectares: float
) -> Land:
    """The land of a scene: its units, what stands on them, and which way their rows run."""
    rng = stream("landscape", seed)
    districts = _districts(size, rng)
    fields = []
    district_of = [0]  # by number of the field, which counts from 1: 0 is no field
    directions = []
    for number, outline in enumerate(districts):
        added, along = _fields(outline, hectares, rng)
        fields += added
        district_of += [number] * len(added)
        directions.append(np.angle(along, deg=True))
    field = _burn(fields, size)

    farmed = _farmed(field, fields, farmland, rng)
    parcel_of = np.zeros(len(district_of), np.int32)
    parcel_of[farmed] = np.arange(1, len(farmed) + 1)
    parcel = parcel_of[field]
    kind = _background(parcel, rng)
    roads = _roads(districts, size) & (parcel > 0)
    kind[roads] = BACKGROUND.index("track")

    first = len(farmed) + 1  # the background of district d has the units first + d * kinds + kind
    background_of = (first + np.array(district_of) * len(BACKGROUND)).astype(np.int32)
    unit = np.where((parcel > 0) & ~roads, parcel, background_of[field] + kind)
    areas = np.bincount(unit.ravel(), minlength=first)[1:first]
    empty = [NAMES.index("track")]  # unit 0 needs some stand; no pixel shows it
    crops = _crops(areas, year, seed, balance)
    background = np.tile([NAMES.index(name) for name in BACKGROUND], len(districts))
    stands = np.concatenate([empty, crops, background]).astype(np.uint8)
    # North is up in the image: what points right in it runs east, 90 degrees from north.
    azimuth = (90 + np.array(directions)) % 180
    parcel_rows = azimuth[np.array(district_of)[farmed]]
    rows = np.concatenate([[0], parcel_rows, np.repeat(azimuth, len(BACKGROUND))])
    return Land(unit, stands, rows, len(farmed))


def _burn(polygons: list[Outline], size: tuple[int, int]) -> np.ndarray:
    """The number of the polygon, from 1 on, in which each pixel's centre lies; 0 for none."""
    shapes = []
    for number, polygon in enumerate(polygons, start=1):
        closed = [*polygon, polygon[0]]  # GeoJSON repeats the first corner at the end
        shapes.append(({"type": "Polygon", "coordinates": [closed]}, number))
    return rasterize(shapes, size, dtype="int32")


def _farmed(
    field: np.ndarray,
    outlines: list[Outline],
    farmland: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """The numbers of the fields that are farmed: those with the best soil, until the share is met.

    The soil is a smooth map. A field is farmed as a whole or not at all.
    """
    count = len(outlines) + 1
    area = np.bincount(field.ravel(), minlength=count)
    centre = [[0, 0]] + [np.mean(outline, axis=0) for outline in outlines]
    rows, columns = field.shape
    x, y = np.clip(np.array(centre).round().astype(int), 0, (columns - 1, rows - 1)).T
    suitable = _map(field.shape, 70, rng)[y, x] + rng.normal(0, 0.3, count)
    suitable[area < LEAST] = -np.inf
    suitable[0] = -np.inf
    best_first = np.argsort(-suitable)
    reached = np.searchsorted(np.cumsum(area[best_first]), farmland * field.size)
    farmed = best_first[: reached + 1]
    return np.sort(farmed[area[farmed] >= LEAST])


def _background(parcel: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What grows where nothing is farmed, as position in ``BACKGROUND``; what is left is pine.

    Each kind takes the highest places of a smooth map of its own, as many as are its share.
    """
    kind = np.full(parcel.shape, BACKGROUND.index("pine"), np.uint8)
    free = parcel == 0
    left = 1.0  # share of the background that is not yet given to a kind
    for name, sigma in (("water", 22), ("settlement", 14), ("deciduous", 25), ("heath", 12)):
        height = _map(parcel.shape, sigma, rng)
        # Every 7th free pixel is enough to find the height above which the share lies.
        shore = np.quantile(height[free][::7], 1 - STANDS[name].share / left)
        here = free & (height > shore)
        kind[here] = BACKGROUND.index(name)
        free &= ~here
        left -= STANDS[name].share
    return kind


def _roads(outlines: list[Outline], size: tuple[int, int]) -> np.ndarray:
    """Where tracks run: along the outlines of the districts."""
    lines = [{"type": "LineString", "coordinates": [*outline, outline[0]]} for outline in outlines]
    return rasterize(lines, size, dtype="uint8").astype(bool)


def _map(size: tuple[int, int], sigma: float, rng: np.random.Generator) -> np.ndarray:
    """A smooth random map, made on every 8th pixel and interpolated."""
    coarse = tuple(math.ceil(n / 8) + 1 for n in size)
    noise = rng.standard_normal(coarse, np.float32)
    field = ndimage.gaussian_filter(noise, sigma / 8, mode="reflect")
    field = ndimage.zoom(field / field.std(), 8, order=1, grid_mode=False)
    return field[: size[0], : size[1]]


def _districts(size: tuple[int, int], rng: np.random.Generator) -> list[Outline]:
    """Outlines (x, y in pixels) of the districts: in each, the fields share one direction.

    They are the Voronoi cells, about 1.5 km wide, of points that are shaken off a grid.
    """
    spacing = 150
    rows, columns = size
    # The grid is larger than the scene: cells at its border are open or cut off.
    x = np.arange(-2, columns / spacing + 3)
    y = np.arange(-2, rows / spacing + 3)
    grid = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
    cells = Voronoi((grid + rng.uniform(-0.4, 0.4, grid.shape)) * spacing)
    outlines = []
    for region in cells.regions:
        if len(region) < 3 or -1 in region:  # -1 is a corner at infinity
            continue
        corners = cells.vertices[region]
        in_scene = (corners.max(axis=0) > 0).all() and (corners.min(axis=0) < (columns, rows)).all()
        if not in_scene:
            continue
        around = corners - corners.mean(axis=0)
        by_angle = np.argsort(np.arctan2(around[:, 1], around[:, 0]))
        outlines.append([tuple(corner) for corner in corners[by_angle]])
    return outlines


def _fields(
    outline: Outline, hectares: float, rng: np.random.Generator
) -> tuple[list[Outline], complex]:
    """Outlines of the fields of a district, and the direction in which they run.

    Areas are drawn, then the district is cut into them.

    The areas are log-normal. As in a tree map, a piece and its areas, largest first, are halved
    until each piece is one field, so that no cut leaves a sliver. Points are complex numbers here:
    a turn is then a product.
    """
    whole = [complex(*corner) for corner in outline]
    areas = _areas(_area(whole), hectares, rng)
    along = np.exp(1j * rng.uniform(0, np.pi))  # the direction of the district's fields
    fields = []
    todo = [(whole, areas)]
    while todo:
        piece, areas = todo.pop()
        if len(areas) == 1:
            fields.append([(point.real, point.imag) for point in piece])
            continue
        total = np.cumsum(areas)
        half = 1 + int(np.argmin(abs(total[:-1] - total[-1] / 2)))
        turned = np.array(piece) / along
        # A long piece is cut across, others along; a few degrees off, from a random end.
        across = np.ptp(turned.real) > 1.8 * np.ptp(turned.imag)
        tilt = np.exp(1j * rng.normal(0, 0.06))
        normal = along * (1 if across else 1j) * tilt * rng.choice((-1, 1))
        first, second = _cut(piece, normal, total[half - 1] / total[-1])
        todo += [(first, areas[:half]), (second, areas[half:])]
    return fields, along


def _areas(room: float, hectares: float, rng: np.random.Generator) -> np.ndarray:
    """Areas (pixels) of the fields that fill ``room``, the largest first."""
    plenty = 40 + int(4 * room / (hectares * 100))
    areas = np.exp(rng.normal(math.log(hectares * 1e4 / PIXEL**2), 1.2, plenty))
    areas = areas[(areas > LEAST) & (areas < min(19000, room / 2))]
    fit = 1 + int(np.argmin(abs(np.cumsum(areas) - room)))
    return np.sort(areas[:fit])[::-1]


def _area(polygon: list[complex]) -> float:
    """The area of a polygon: half the sum of the cross products of its corners (shoelace)."""
    edges = zip(polygon, polygon[1:] + polygon[:1], strict=True)
    return abs(sum((a.conjugate() * b).imag for a, b in edges)) / 2


def _cut(
    polygon: list[complex], normal: complex, fraction: float
) -> tuple[list[complex], list[complex]]:
    """Cut a convex polygon by a line across ``normal`` that leaves ``fraction`` of its area below.

    The line is found by bisection: 14 halvings.
    """
    heights = [(point * normal.conjugate()).real for point in polygon]
    low = min(heights)
    high = max(heights)
    goal = fraction * _area(polygon)
    for _ in range(14):
        middle = (low + high) / 2
        if _area(_below(polygon, heights, middle)) < goal:
            low = middle
        else:
            high = middle
    upside_down = [-height for height in heights]
    return _below(polygon, heights, middle), _below(polygon, upside_down, -middle)


def _below(polygon: list[complex], heights: list[float], level: float) -> list[complex]:
    """The part of a convex polygon whose height is at most ``level``."""
    part = []
    for i, (b, above_b) in enumerate(zip(polygon, heights, strict=True)):
        a, above_a = polygon[i - 1], heights[i - 1]
        if (above_a - level) * (above_b - level) < 0:  # the edge from a to b crosses the level
            part.append(a + (b - a) * (level - above_a) / (above_b - above_a))
        if above_b <= level:
            part.append(b)
    return part


def _crops(areas: np.ndarray, year: int, seed: int, balance: float) -> np.ndarray:
    """Stand of each parcel, of one or several that the crop may be.

    Grassland and orchards come from the seed alone and last; the other crops rotate, and are drawn
    for the year.
    """
    shares = {crop: share**balance for crop, share in SHARES.items()}
    rotation = {crop: share for crop, share in shares.items() if crop not in PERMANENT}
    lasting = {crop: shares[crop] for crop in PERMANENT}
    lasting[""] = sum(rotation.values())  # "" is land for the rotation
    crops = _allot(areas, lasting, stream("lasting", seed))
    free = crops == ""
    crops[free] = _allot(areas[free], rotation, stream("rotation", seed, year))

    rng = stream("stand", seed, year)
    stands = np.empty(len(areas), np.uint8)
    for crop in shares:
        own = crops == crop
        mixture = [code for code, name in enumerate(NAMES) if STANDS[name].crop == crop]
        chances = [STANDS[NAMES[code]].share for code in mixture]
        stands[own] = rng.choice(mixture, size=own.sum(), p=chances)
    return stands


def _allot(areas: np.ndarray, shares: dict[str, float], rng: np.random.Generator) -> np.ndarray:
    """Draw a crop for each parcel, the largest first.

    The chances are as the areas that the crops still lack of their shares.
    """
    names = np.array(list(shares), dtype=object)
    lacking = np.array(list(shares.values()), float)
    lacking *= areas.sum() / lacking.sum()
    meadows = names == "Grassland"
    crops = np.empty(len(areas), dtype=object)
    for parcel in np.argsort(-areas, kind="stable"):
        area = areas[parcel]
        weight = np.where(lacking >= area / 2, lacking, 0)
        # Meadows lie rather on small parcels: 4 ha where arable fields have 10.
        weight = weight * np.where(meadows, 700 / max(area, 100), 1)
        if not weight.any():
            weight = lacking == lacking.max()
        crop = int(np.searchsorted(np.cumsum(weight), rng.random() * weight.sum(), side="right"))
        crops[parcel] = names[crop]
        lacking[crop] -= area
    return crops
