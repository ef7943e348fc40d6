"""Crop types of the Western Cape, South Africa, 2017: Sentinel-1 series and surveyed fields.

Tiles of 256 x 256 pixels. Western Cape Department of Agriculture and Radiant Earth Foundation
(2021), "Crop Type Classification Dataset for Western Cape, South Africa", version 1.0,
https://doi.org/10.34911/rdnt.j0co8q, CC BY 4.0. Radiant MLHub, its first home, is closed; Source
Cooperative has it: https://source.coop/radiantearth/south-africa-crops-competition. In the folder
``train`` (2650 tiles, 10 m, EPSG:32634 with negative northings):
``imagery/s1/{tile}/{2017_04_01}/{tile}_{2017_04_01}_{VV|VH}_10m.tif``, ``labels/{tile}.tif`` (class
codes) and ``labels/{tile}_field_ids.tif`` (field numbers). Crop labels of ``test`` are not public.
Which numbers the Sentinel-1 files hold (dB, power or scaled integers) could not be checked: the
units are told from the numbers, or asked for.
"""

import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
import rasterio
import rioxarray
import xarray as xr
from rasterio.errors import RasterioError

from stma_nb.cube import (
    CHUNK,
    DRIVER,
    UNKNOWN,
    Crop,
    Scale,
    SeasonError,
    check_season,
    flags,
    guess_scale,
    open_geotiff,
    open_layer,
    to_power,
)
from stma_nb.patches import IGNORE, Scaling, corners
from stma_nb.sources.series import FilePatches, common_calendar, to_calendar

SOURCE = (
    "aws s3 sync --no-sign-request --endpoint-url https://data.source.coop "
    "s3://radiantearth/south-africa-crops-competition/train FOLDER/train --exclude 'imagery/s2/*'"
)
# A class code of the label files is a position in this tuple.
CROPS = (
    Crop("No data", "#dddddd"),
    Crop("Lucerne/Medics", "#332288"),
    Crop("Planted pastures (perennial)", "#009e73"),
    Crop("Fallow", "#cc79a7"),
    Crop("Wine grapes", "#882255"),
    Crop("Weeds", "#999933"),
    Crop("Small grain grazing", "#e69f00"),
    Crop("Wheat", "#f0e442"),
    Crop("Canola", "#56b4e9"),
    Crop("Rooibos", "#d55e00"),
)


def tiles(folder: str | Path) -> list[str]:
    """Names of the tiles with Sentinel-1 images and labels, sorted.

    Raises FileNotFoundError if there are none.
    """
    images = Path(folder) / "train" / "imagery" / "s1"
    labels = Path(folder) / "train" / "labels"
    found = [file.name for file in images.glob("*") if (labels / f"{file.name}.tif").exists()]
    if not found:
        raise FileNotFoundError(
            f"'{folder}' has no train/imagery/s1/TILE with train/labels/TILE.tif; "
            f"get it with: {SOURCE}"
        )
    return sorted(found, key=lambda name: (len(name), name))  # as numbers: 9 before 10


def open_tile(folder: str | Path, tile: str, scale: Scale | None = None) -> xr.Dataset:
    """A tile as a lazy season cube on its own dates: vv, vh (linear power), crop, perhaps parcel.

    What was not surveyed, code 0 ("No data") of the files, is ``cube.UNKNOWN``: no training and no
    score counts it. ``scale`` of the files is "dB", "power" or (slope, intercept) of dB = slope *
    value + intercept, by default told from the numbers.

    Raises FileNotFoundError or SeasonError.
    """
    folder = Path(folder)
    files = _images(folder, tile)
    scale = _scale(files, scale)
    season = xr.Dataset()
    for name in ("vv", "vh"):
        images = [_band(date[name], scale) for date in files.values()]
        season[name] = xr.concat(images, "time", join="exact")
        season[name].attrs = {"long_name": f"{name.upper()} backscatter", "units": "1"}
    season = season.assign_coords(time=_times(files))
    crop = open_layer(folder / "train" / "labels" / f"{tile}.tif")
    known = crop.where(crop != 0, UNKNOWN).astype(np.uint8)
    season["crop"] = known.assign_attrs(flags(CROPS))
    fields = folder / "train" / "labels" / f"{tile}_field_ids.tif"
    if fields.exists():
        season["parcel"] = open_layer(fields).astype(np.int32)
    return check_season(season.chunk(time=-1))


def open_tiles(
    folder: str | Path,
    names: Sequence[str],
    patch: int = 128,
    dates: int | np.ndarray = 20,
    scale: Scale | None = None,
    scaling: Scaling | None = None,
    augment: bool | tuple[Callable, ...] = False,
) -> FilePatches:
    """Patches of some tiles for training (``train.fit``), one in memory at a time.

    Pixels that were not surveyed are ignored. Split by tiles, and keep neighbours together: fields
    reach over the edges of tiles. All patches are brought to one calendar, ``dates``: datetime64
    (T,), or a number of dates in the period that these tiles share (give the others the calendar of
    the training tiles, ``train.times``, as their ``scaling``). Raises FileNotFoundError,
    SeasonError or ValueError.
    """
    folder = Path(folder)
    files = {tile: _images(folder, tile) for tile in names}
    if isinstance(dates, int):
        calendar = common_calendar([_times(found) for found in files.values()], dates)
    else:
        calendar = np.asarray(dates, "M8[ns]")
    scale = _scale(files[names[0]], scale)
    windows = []
    for tile in names:
        with _open(folder / "train" / "labels" / f"{tile}.tif") as tif:
            windows += [(tile, int(row), int(column)) for row, column in corners(tif.shape, patch)]
    return FilePatches(
        windows,
        partial(_read, folder, files, calendar, scale, patch),
        calendar,
        CROPS,
        patch,
        scaling,
        augment,
    )


def _images(folder: Path, tile: str) -> dict[np.datetime64, dict[str, Path]]:
    """The files of a tile by date and polarisation."""
    place = folder / "train" / "imagery" / "s1" / tile
    pattern = rf"{re.escape(tile)}_(\d{{4}})_(\d\d)_(\d\d)_(VV|VH)_10m\.tif"
    dates: dict[np.datetime64, dict[str, Path]] = {}
    for file in sorted(place.glob("*/*.tif")):
        match = re.fullmatch(pattern, file.name)
        if match:
            year, month, day, band = match.groups()
            date = np.datetime64(f"{year}-{month}-{day}", "D")
            dates.setdefault(date, {})[band.lower()] = file
    if not dates:
        raise FileNotFoundError(
            f"'{place}' has no image; "
            f"expected 2017_04_01/{tile}_2017_04_01_VV_10m.tif and the like."
        )
    for date, found in dates.items():
        if len(found) != 2:
            raise SeasonError(
                f"Tile {tile} has only {next(iter(found)).upper()} on {date}; expected VV and VH: "
                "copy it again."
            )
    return dates


def _times(files: dict[np.datetime64, dict[str, Path]]) -> np.ndarray:
    """The acquisition times of a tile."""
    return np.array(list(files), "M8[ns]")


def _scale(files: dict, scale: Scale | None) -> Scale:
    """The scale, told from the first date if they are not given."""
    first = next(iter(files.values()))
    sample = np.stack([_values(first["vh"]), _values(first["vv"])])
    return guess_scale(sample, scale, first["vh"].parent.name)


def _open(file: Path) -> rasterio.DatasetReader:
    try:
        return open_geotiff(file)
    except (FileNotFoundError, SeasonError) as error:
        raise SeasonError(
            f"'{file}' is missing, no GeoTIFF, or truncated: copy it again."
        ) from error


def _values(file: Path, window: tuple | None = None) -> np.ndarray:
    with _open(file) as tif:
        try:
            return tif.read(1, window=window, masked=True).astype(np.float32).filled(np.nan)
        except RasterioError as error:
            raise SeasonError(f"'{file}' is truncated: copy it again.") from error


def _band(file: Path, scale: Scale) -> xr.DataArray:
    open_layer(file)  # raises if the file is missing data, before a long job does
    chunks = {"x": CHUNK, "y": CHUNK}
    bands = cast(
        xr.DataArray, rioxarray.open_rasterio(file, chunks=chunks, masked=True, driver=DRIVER)
    )
    image = bands[0].drop_vars("band")
    return image.copy(data=image.data.map_blocks(to_power, scale=scale, dtype=np.float32))


def _read(
    folder: Path, files: dict, calendar: np.ndarray, scale: Scale, patch: int, window: tuple
) -> tuple[np.ndarray, np.ndarray]:
    """Power (T, 2, P, P), VH first, and labels of one window of a tile."""
    tile, row, column = window
    place = ((row, row + patch), (column, column + patch))
    images = [
        [_values(date["vh"], place), _values(date["vv"], place)] for date in files[tile].values()
    ]
    power = to_power(np.array(images), scale)
    with _open(folder / "train" / "labels" / f"{tile}.tif") as tif:
        y = tif.read(1, window=place).astype(np.int64)
    if y.min() < 0 or y.max() >= len(CROPS):
        raise SeasonError(
            f"The labels of tile {tile} have codes {y.min()} .. {y.max()}; expected 0 .. 9."
        )
    y[y == 0] = IGNORE  # not surveyed: no loss may count there
    return to_calendar(power, _times(files[tile]), calendar), y
