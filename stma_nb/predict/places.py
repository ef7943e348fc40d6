"""Where to go next: the places whose class is most in doubt, apart from each other."""

import heapq
import math
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import rasterio
from rasterio.windows import Window
from scipy.ndimage import uniform_filter

from stma_nb import cube
from stma_nb.extras import needs
from stma_nb.predict.fields import TILE, map_legend, open_beside, open_map
from stma_nb.predict.tiles import Tile, tile_grid

with needs("fields"):
    import geopandas as gpd

AROUND = 2  # pixels on each side of a place whose doubt counts
Place = tuple[int, int]  # row and column of a pixel


def places_to_visit(
    path: str | Path,
    entropy: str | Path,
    number: int,
    apart: float = 500.0,
    probabilities: str | Path | None = None,
) -> gpd.GeoDataFrame:
    """The places of a map with the highest entropy, no two closer than ``apart`` metres.

    The entropy of a place is the mean of 5 x 5 pixels around it, since on the line between two
    fields single pixels are in doubt whatever grows there. One after the other: the most doubtful
    place, then the most doubtful one of those that are far enough from it, and so on. ``entropy``
    is the GeoTIFF that ``map`` writes beside a map, and so is ``probabilities``, without which the
    second class is not told. There are fewer places than asked for where no more lie so far apart.

    The points (in the CRS of the map) bear ``map_class`` and ``map_code``, with probabilities
    ``map_probability`` and ``map_second``, ``entropy`` (0 certain, 1 clueless), ``row`` and
    ``column`` of the map, ``lon`` and ``lat`` (WGS 84), and are numbered from 1 in ``place``.

    Raises ValueError for a number below 1 or a distance below 0, FileNotFoundError, or SeasonError
    for files that are not of one map.
    """
    if number < 1 or not 0 <= apart < math.inf:
        raise ValueError(
            f"{number} places {apart:g} m apart were asked for; expected at least 1, and 0 m or "
            "more."
        )
    crops = map_legend(path)
    names = np.array([crop.name for crop in crops], object)
    with (
        open_map(path) as tif,
        open_beside(entropy, tif, 1) as doubt,
        open_beside(probabilities, tif, len(crops)) if probabilities else nullcontext() as shares,
    ):
        found = _most_doubtful(tif, doubt, number, apart)
        rows, columns = np.array(list(found), int).reshape(-1, 2).T
        code = np.array([_value(tif, place)[0] for place in found], int)
        table = {
            "place": np.arange(1, len(found) + 1),
            "map_class": names[code],
            "map_code": code,
            "row": rows,
            "column": columns,
            "entropy": np.array(list(found.values())) * doubt.scales[0],
        }
        if shares is not None:
            values = np.array([_value(shares, place) for place in found]) * shares.scales[0]
            order = np.argsort(-values, axis=1, kind="stable")
            second = np.where(order[:, 0] == code, order[:, 1], order[:, 0])
            table["map_probability"] = values[np.arange(len(found)), code]
            table["map_second"] = names[second]
        points = gpd.points_from_xy(*tif.xy(rows, columns), crs=tif.crs)
    places = gpd.GeoDataFrame(table, geometry=points)
    degrees = places.geometry.to_crs("EPSG:4326")
    return places.assign(lon=degrees.x.round(6), lat=degrees.y.round(6))


def _value(tif: rasterio.DatasetReader, place: Place) -> np.ndarray:
    """The values (bands,) of a pixel."""
    row, column = place
    return tif.read(window=Window(column, row, 1, 1))[:, 0, 0]


def _most_doubtful(
    tif: rasterio.DatasetReader, doubt: rasterio.DatasetReader, number: int, apart: float
) -> dict[Place, float]:
    """Places and their doubt, as the file counts it, most doubtful first.

    Each tile knows its peak. The highest of all is taken unless a place taken since lies too near:
    then its tile looks for another. So few tiles are read twice, and one is in memory at a time.
    """
    centre = tif.xy(tif.height / 2, tif.width / 2, offset="ul")
    height_width = np.array(tif.res[::-1]) * cube.ground_area(tif.crs, *centre) ** 0.5
    reach = max(apart, min(height_width) / 2)  # no place twice
    taken: dict[Place, float] = {}

    def near(tile: Tile, place: Place) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
        """The rows and columns of a tile that come near a place, and which of these pixels do."""
        away = [
            (np.arange(part.start, part.stop) - at) * size
            for part, at, size in zip(tile, place, height_width, strict=True)
        ]
        close = [np.flatnonzero(abs(axis) < reach) for axis in away]
        y, x = (axis[some] for axis, some in zip(away, close, strict=True))
        return np.ix_(*close), np.hypot(y[:, None], x) < reach

    def peak(tile: Tile) -> tuple[float, int, int, Tile] | None:
        """The most doubtful pixel of a tile that is far enough from all places taken."""
        score = _doubt_around(tif, doubt, tile)
        for place in taken:
            box, too_near = near(tile, place)
            score[box] = np.where(too_near, -1, score[box])
        row, column = np.unravel_index(score.argmax(), score.shape)
        if score[row, column] < 0:
            return None
        return -score[row, column], int(row) + tile[0].start, int(column) + tile[1].start, tile

    peaks = [found for tile in tile_grid(tif.shape, TILE) if (found := peak(tile))]
    heapq.heapify(peaks)
    while peaks and len(taken) < number:
        doubt_here, row, column, tile = heapq.heappop(peaks)
        own = (slice(row, row + 1), slice(column, column + 1))
        if not any(near(own, place)[1].any() for place in taken):
            taken[row, column] = -doubt_here
        if found := peak(tile):
            heapq.heappush(peaks, found)
    return taken


def _doubt_around(
    tif: rasterio.DatasetReader, doubt: rasterio.DatasetReader, tile: Tile
) -> np.ndarray:
    """Mean doubt of the pixels with data around each pixel of a tile, -1 where itself has none."""
    wide = [
        slice(max(0, part.start - AROUND), min(size, part.stop + AROUND))
        for part, size in zip(tile, tif.shape, strict=True)
    ]
    window = Window.from_slices(*wide)
    codes, values = (file.read(1, window=window, masked=True) for file in (tif, doubt))
    known = ~(np.ma.getmaskarray(codes) | np.ma.getmaskarray(values))
    sums, count = (
        uniform_filter(layer.astype(float), 2 * AROUND + 1, mode="constant")
        for layer in (np.where(known, values.data, 0), known)
    )
    mean = np.divide(sums, count, out=np.full(known.shape, -1.0), where=known)
    inner = (
        slice(part.start - more.start, part.stop - more.start)
        for part, more in zip(tile, wide, strict=True)
    )
    return mean[*inner].round(3)  # so that rounding errors, which differ by tile, decide nothing
