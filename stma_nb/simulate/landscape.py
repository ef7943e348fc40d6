"""Where fields lie: districts, parcels, land cover around them, and which crop each parcel bears in
a year.
"""

import math

import numpy as np
from rasterio.features import rasterize
from scipy import ndimage
from scipy.spatial import Voronoi

from stma_nb.simulate.phenology import BACKGROUND, NAMES, PERMANENT, SHARES, STANDS, stream

PIXEL = 10.0  # metres


def landscape(
    size: tuple[int, int], year: int, seed: int, farmland: float, balance: float, hectares: float
) -> tuple[np.ndarray, np.ndarray, int]:
    """Unit number of each pixel, stand of each unit, and how many of the units, from 1 on, are
    parcels.

    A unit has one course of backscatter: a parcel, or all land of one background kind in one
    district. Unit 0 stays empty.
    """
    rng = stream("landscape", seed)
    districts = _districts(size, rng)
    fields = [
        (field, d)
        for d, outline in enumerate(districts)
        for field in _fields(outline, hectares, rng)
    ]
    shapes = (
        ({"type": "Polygon", "coordinates": [[*field, field[0]]]}, n + 1)
        for n, (field, _) in enumerate(fields)
    )
    leaf = rasterize(shapes, size, dtype="int32")
    district = np.array([0] + [d for _, d in fields])
    area = np.bincount(leaf.ravel(), minlength=len(district))

    # Farmed are the fields that lie best on a smooth map, until the share is reached; fields keep
    # their whole outline.
    centre = (
        np.array([[0, 0]] + [np.mean(field, axis=0) for field, _ in fields]).round().astype(int)
    )
    inside = np.clip(centre, 0, (size[1] - 1, size[0] - 1))
    suitable = _map(size, 70, rng)[inside[:, 1], inside[:, 0]] + rng.normal(0, 0.3, len(district))
    suitable[(area < 10) | (np.arange(len(area)) == 0)] = -np.inf
    order = np.argsort(-suitable)
    farmed = order[: np.searchsorted(np.cumsum(area[order]), farmland * leaf.size) + 1]
    farmed = np.sort(farmed[area[farmed] >= 10])
    number = np.zeros(len(area), np.int32)
    number[farmed] = np.arange(1, len(farmed) + 1)

    # What is not farmed: level sets of smooth maps, so that each kind has its share of it.
    parcel = number[leaf]
    kind = np.full(size, BACKGROUND.index("pine"), np.uint8)
    free, left = parcel == 0, 1.0
    for name, sigma in (("water", 22), ("settlement", 14), ("deciduous", 25), ("heath", 12)):
        level = _map(size, sigma, rng)
        here = free & (level > np.quantile(level[free][::7], 1 - STANDS[name].share / left))
        kind[here] = BACKGROUND.index(name)
        free &= ~here
        left -= STANDS[name].share
    roads = rasterize(
        ({"type": "LineString", "coordinates": [*d, d[0]]} for d in districts), size, dtype="uint8"
    ).astype(bool)
    roads &= parcel > 0
    kind[roads] = BACKGROUND.index("track")
    first = len(farmed) + 1
    unit = np.where(
        (parcel > 0) & ~roads,
        parcel,
        (first + district * len(BACKGROUND)).astype(np.int32)[leaf] + kind,
    )
    crops = _crops(np.bincount(unit.ravel(), minlength=first)[1:first], year, seed, balance)
    background = np.tile([NAMES.index(name) for name in BACKGROUND], len(districts))
    return (
        unit,
        np.concatenate([[NAMES.index("track")], crops, background]).astype(np.uint8),
        len(farmed),
    )


def _map(size: tuple[int, int], sigma: float, rng: np.random.Generator) -> np.ndarray:
    """A smooth random map, made on every 8th pixel and interpolated."""
    coarse = tuple(-(-n // 8) + 1 for n in size)
    field = ndimage.gaussian_filter(
        rng.standard_normal(coarse, np.float32), sigma / 8, mode="reflect"
    )
    field = ndimage.zoom(field / field.std(), 8, order=1, grid_mode=False)
    return field[: size[0], : size[1]]


def _districts(size: tuple[int, int], rng: np.random.Generator) -> list[list[tuple[float, float]]]:
    """Outlines (x, y in pixels) of the districts, about 1.5 km wide, that share one direction of
    the fields: Voronoi cells.
    """
    spacing = 150
    grid = np.stack(
        np.meshgrid(*(np.arange(-2, n / spacing + 3) for n in size[::-1]), indexing="ij"), axis=-1
    ).reshape(-1, 2)
    cells = Voronoi((grid + rng.uniform(-0.4, 0.4, grid.shape)) * spacing)
    outlines = []
    for region in cells.regions:
        if len(region) < 3 or -1 in region:
            continue
        corners = cells.vertices[region]
        if (corners.max(axis=0) > 0).all() and (corners.min(axis=0) < size[::-1]).all():
            around = corners - corners.mean(axis=0)
            outlines.append(
                [
                    tuple(corner)
                    for corner in corners[np.argsort(np.arctan2(around[:, 1], around[:, 0]))]
                ]
            )
    return outlines


def _fields(
    outline: list[tuple[float, float]], hectares: float, rng: np.random.Generator
) -> list[list[tuple[float, float]]]:
    """Outlines of the fields of a district: areas drawn log-normal, then the district halved until
    each piece is one field.

    The areas are halved largest first, as in a tree map, so that no cut leaves a sliver; points are
    complex numbers here.
    """
    whole = [complex(*corner) for corner in outline]
    room = _area(whole)
    areas = np.exp(
        rng.normal(math.log(hectares * 1e4 / PIXEL**2), 1.2, 40 + int(4 * room / (hectares * 100)))
    )
    areas = areas[(areas > 10) & (areas < min(19000, room / 2))]
    areas = np.sort(areas[: max(1, int(np.argmin(abs(np.cumsum(areas) - room))) + 1)])[::-1]
    along = np.exp(1j * rng.uniform(0, np.pi))
    fields, todo = [], [(whole, areas)]
    while todo:
        piece, areas = todo.pop()
        if len(areas) == 1:
            fields.append([(point.real, point.imag) for point in piece])
            continue
        total = np.cumsum(areas)
        count = 1 + int(np.argmin(abs(total[:-1] - total[-1] / 2)))
        turned = np.array(piece) / along
        across = np.ptp(turned.real) > 1.8 * np.ptp(turned.imag)
        normal = (
            along * (1 if across else 1j) * np.exp(1j * rng.normal(0, 0.06)) * rng.choice((-1, 1))
        )
        first, second = _cut(piece, normal, total[count - 1] / total[-1])
        todo += [(first, areas[:count]), (second, areas[count:])]
    return fields


def _area(polygon: list[complex]) -> float:
    return (
        abs(
            sum(
                (a.conjugate() * b).imag
                for a, b in zip(polygon, polygon[1:] + polygon[:1], strict=True)
            )
        )
        / 2
    )


def _cut(
    polygon: list[complex], normal: complex, fraction: float
) -> tuple[list[complex], list[complex]]:
    """Cut a convex polygon in two by a line across ``normal`` that leaves ``fraction`` of its area
    below (bisection).
    """
    heights = [(point * normal.conjugate()).real for point in polygon]
    low, high, goal = min(heights), max(heights), fraction * _area(polygon)
    for _ in range(14):
        middle = (low + high) / 2
        low, high = (
            (middle, high) if _area(_below(polygon, heights, middle)) < goal else (low, middle)
        )
    return _below(polygon, heights, middle), _below(polygon, [-h for h in heights], -middle)


def _below(polygon: list[complex], heights: list[float], level: float) -> list[complex]:
    part = []
    for i, (b, above_b) in enumerate(zip(polygon, heights, strict=True)):
        a, above_a = polygon[i - 1], heights[i - 1]
        if (above_a - level) * (above_b - level) < 0:
            part.append(a + (b - a) * (level - above_a) / (above_b - above_a))
        if above_b <= level:
            part.append(b)
    return part


def _crops(areas: np.ndarray, year: int, seed: int, balance: float) -> np.ndarray:
    """Stand of each parcel: grassland and orchards from the seed alone, the other crops of the
    rotation drawn for the year.
    """
    shares = {crop: share**balance for crop, share in SHARES.items()}
    rotation = {crop: share for crop, share in shares.items() if crop not in PERMANENT}
    lasting = {crop: shares[crop] for crop in PERMANENT} | {"": sum(rotation.values())}
    crops = _allot(areas, lasting, stream("lasting", seed))
    free = crops == ""
    crops[free] = _allot(areas[free], rotation, stream("rotation", seed, year))
    rng, stands = stream("stand", seed, year), np.empty(len(areas), np.uint8)
    for crop in shares:
        mixture = [code for code, name in enumerate(NAMES) if STANDS[name].crop == crop]
        stands[crops == crop] = rng.choice(
            mixture, size=(crops == crop).sum(), p=[STANDS[NAMES[code]].share for code in mixture]
        )
    return stands


def _allot(areas: np.ndarray, shares: dict[str, float], rng: np.random.Generator) -> np.ndarray:
    """Draw a crop for each parcel, the largest first, in proportion to the area that each crop
    still lacks of its share.
    """
    names = np.array(list(shares), dtype=object)
    lacking = np.array(list(shares.values()), float)
    lacking *= areas.sum() / lacking.sum()
    meadows = names == "Grassland"  # rather on small parcels: 4 ha where arable fields have 10
    crops = np.empty(len(areas), dtype=object)
    for parcel in np.argsort(-areas, kind="stable"):
        area = areas[parcel]
        weight = np.where(lacking >= area / 2, lacking, 0) * np.where(
            meadows, 700 / max(area, 100), 1
        )
        if not weight.any():
            weight = lacking == lacking.max()
        crop = int(np.searchsorted(np.cumsum(weight), rng.random() * weight.sum(), side="right"))
        crops[parcel], lacking[crop] = names[crop], lacking[crop] - area
    return crops
