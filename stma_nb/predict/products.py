"""From a map of pixels to one of parcels, and to one without specks.

What a paying agency or a mapping office asks for: one crop a parcel, or a minimum mapping unit.
Maps are arrays of class codes (rows, columns), uint8 with 255 where there are no data.
"""

import math
from pathlib import Path

import numpy as np
import xarray as xr
from rasterio.features import sieve as gdal_sieve

from stma_nb.cube import (
    elected,
    geotiff_profile,
    open_geotiff,
    parcel_numbers,
    parcel_votes,
    pixel_size,
)
from stma_nb.predict.tiles import NODATA

ROWS = 256  # worked on at a time, so that only map and parcels are in memory as a whole


def parcel_vote(codes: np.ndarray, parcel: np.ndarray) -> np.ndarray:
    """The map in which every parcel bears the class that most of its pixels got.

    ``parcel`` (rows, columns) are whole numbers, 0 or less where there is no parcel. A tie goes to
    the lower code. The background is a class like the others, and a parcel may become it. Pixels of
    no parcel keep their class, pixels without data stay so and do not vote. Raises ValueError for
    shapes that differ.
    """
    if codes.shape != parcel.shape:
        raise ValueError(
            f"Map and parcels have shapes {codes.shape} and {parcel.shape}; expected one shape: "
            "bring both to one grid."
        )
    numbers = parcel_numbers(parcel)
    classes = int(codes.max(initial=0, where=codes != NODATA)) + 1
    votes = np.zeros((len(numbers), classes), np.int64)
    strips = [slice(top, top + ROWS) for top in range(0, len(codes), ROWS)]
    for strip in strips:
        here = parcel_numbers(parcel[strip])  # only these parcels' votes are touched
        votes[np.searchsorted(numbers, here)] += parcel_votes(
            codes[strip], parcel[strip], classes, here
        )
    winner = elected(votes).to_numpy(codes.dtype, na_value=NODATA)
    voted = codes.copy()
    for strip in strips:
        own = (parcel[strip] > 0) & (codes[strip] != NODATA)
        voted[strip][own] = winner[np.searchsorted(numbers, parcel[strip][own])]
    return voted


def sieve(codes: np.ndarray, pixels: int) -> np.ndarray:
    """The map in which clumps of less than ``pixels`` pixels went to their largest neighbour.

    A clump is of one class and hangs together by the sides of its pixels. One that has no
    neighbour of so many pixels stays, and so do pixels without data, which nothing is merged into.
    GDAL's sieve, by ``rasterio.features.sieve``. Raises ValueError if ``pixels`` is below 1.
    """
    if pixels < 1:
        raise ValueError(f"The least clump is {pixels} pixels; expected 1 or more.")
    if pixels >= codes.size:  # GDAL refuses it; nothing has such a neighbour
        return codes.copy()
    return gdal_sieve(codes, pixels, mask=codes != NODATA)


def least_pixels(season: xr.Dataset, hectares: float) -> int:
    """How many pixels of a season or a map a clump of so many hectares has at least."""
    if not 0 < hectares < math.inf:
        raise ValueError(
            f"The smallest area is {hectares} hectares; expected more than 0, such as 0.5."
        )
    area = (pixel_size(season) or math.inf) ** 2 / 10_000  # hectares
    return max(1, math.ceil(round(hectares / area, 6)))


def read_parcels(path: str | Path, season: xr.Dataset) -> np.ndarray:
    """Parcel numbers (rows, columns) of a GeoTIFF on the grid of a season, 0 for its nodata.

    Raises ValueError for another grid, or what is not one band of whole numbers.
    """
    name, grid = Path(path).name, geotiff_profile(season)
    with open_geotiff(path) as tif:
        if tif.count != 1 or not np.issubdtype(tif.dtypes[0], np.integer):
            raise ValueError(
                f"'{name}' has {tif.count} band(s) of {tif.dtypes[0]}; expected one band of whole "
                "numbers, those of the parcels."
            )
        if (
            tif.crs != grid["crs"]
            or tif.shape != (grid["height"], grid["width"])
            or not tif.transform.almost_equals(grid["transform"], precision=1e-3)
        ):
            raise ValueError(
                f"'{name}' ({tif.crs}, {tif.height} x {tif.width} pixels from ({tif.transform.c:g},"
                f" {tif.transform.f:g})) lies on another grid than the season: rasterise the "
                "parcels on the season's."
            )
        return tif.read(1, masked=True).filled(0)
