"""Open a season: Zarr, NetCDF, or a folder of GeoTIFFs. Everything stays lazy."""

import re
from fnmatch import fnmatch
from pathlib import Path
from typing import cast

import dask
import numpy as np
import rasterio
import rioxarray
import xarray as xr
from rasterio.errors import RasterioIOError

from stma_nb.cube.checks import CHUNK, POLARISATIONS, check_season
from stma_nb.cube.classes import SeasonError

STATIC = {"crop": np.uint8, "parcel": np.int32, "incidence_angle": np.float32}
LEGEND_TAGS = ("flag_meanings", "flag_colors", "class_names", "background")


def open_season(path: str | Path, pattern: str = "*.tif") -> xr.Dataset:
    """Open a season lazily from a Zarr store, a NetCDF file or a folder of GeoTIFFs, and check it.

    A folder holds one two-band file per date, or one file per date and polarisation; date and
    polarisation are read from the file names (20180105, 2018-01-05, 20180105T165012; VV, VH), band
    descriptions or tags. ``crop.tif``, ``parcel.tif`` and ``incidence_angle.tif`` in the folder
    become the layers of that name. ``pattern`` picks some of the files.

    Raises FileNotFoundError or SeasonError.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(
            f"There is no season at '{path}': give a Zarr store, a NetCDF file or a folder of "
            "GeoTIFFs."
        )
    if (path / "zarr.json").exists() or (path / ".zgroup").exists():
        season = xr.open_zarr(path, decode_coords="all")
    elif path.is_dir():
        season = _open_geotiffs(path, pattern)
    elif path.suffix in (".nc", ".nc4", ".h5"):
        season = _open_netcdf(path)
    else:
        raise SeasonError(
            f"'{path.name}' is neither a Zarr store, a NetCDF file (.nc) nor a folder of GeoTIFFs."
        )
    return check_season(season)


def _open_netcdf(path: Path) -> xr.Dataset:
    try:
        season = xr.open_dataset(path, engine="h5netcdf", decode_coords="all")
    except OSError as error:
        raise SeasonError(
            f"'{path.name}' cannot be read as NetCDF-4: it is damaged or truncated. Copy it again."
        ) from error
    return season.chunk(
        {"time": -1, "y": CHUNK, "x": CHUNK} if {"time", "y", "x"} <= set(season.dims) else {}
    )


def _open_geotiffs(folder: Path, pattern: str) -> xr.Dataset:
    files = sorted(
        file
        for file in folder.iterdir()
        if file.suffix.lower() in (".tif", ".tiff")
        and fnmatch(file.name.lower(), pattern.lower())
        and file.stem not in STATIC
    )
    if not files:
        raise SeasonError(
            f"No GeoTIFF in '{folder}' matches '{pattern}': expected one file per date (see "
            "pattern=, --pattern)."
        )
    images: dict[str, dict[np.datetime64, xr.DataArray]] = {}  # by band, then by date
    attrs: dict[str, dict[str, str]] = {}
    grid = None
    for file in files:
        with open_whole(file) as tif:
            time, names = acquisition_time(file, tif), band_names(file, tif)
            grid = grid or (file, _grid(tif))
            _same_grid(file, tif, *grid)
            for name, units in zip(names, tif.units, strict=True):
                attrs.setdefault(name, _band_attrs(name, units, tif.tags()))
        chunks = {"x": CHUNK, "y": CHUNK}
        image = cast(xr.DataArray, rioxarray.open_rasterio(file, chunks=chunks, masked=True))
        for number, name in enumerate(names):
            dates = images.setdefault(name, {})
            if time in dates:
                raise SeasonError(
                    f"{_shown(name)} of {time} occurs twice ('{file.name}'): narrow the files "
                    "with pattern=."
                )
            dates[time] = image[number].drop_vars("band").astype("float32")
    _check_every_date_has_every_band(images)
    times = sorted(next(iter(images.values())))
    layers = {}
    for name in sorted(images, key=_file_order):
        stack = [images[name][time] for time in times]
        layers[name] = xr.concat(stack, dim="time", coords="minimal", compat="override")
        layers[name].attrs = attrs[name]
    season = xr.Dataset(layers).assign_coords(time=np.array(times, dtype="datetime64[ns]"))
    assert grid is not None  # there is at least one file
    for name, dtype in STATIC.items():
        file = folder / f"{name}.tif"
        if file.exists():
            with open_whole(file) as tif:
                _same_grid(file, tif, *grid)
            layer = open_layer(file).chunk(y=CHUNK, x=CHUNK)
            if np.issubdtype(dtype, np.integer):
                _check_codes(file, layer, dtype)
            season[name] = layer.astype(dtype)
    return season.chunk(time=-1)


def _check_every_date_has_every_band(images: dict[str, dict]) -> None:
    for name, dates in images.items():
        for other, others in images.items():
            lonely = sorted(dates.keys() - others.keys())
            if lonely:
                raise SeasonError(
                    f"{lonely[0]} has {_shown(name)} but no {_shown(other)}: every date needs "
                    "the same bands."
                )


def _band_attrs(name: str, units: str | None, tags: dict[str, str]) -> dict[str, str]:
    """Attributes of a band of a GeoTIFF; the units of another band than backscatter are its own."""
    if name not in POLARISATIONS:
        return {"units": units} if units else {}
    stated = {tag.lower(): tags[tag] for tag in ("QUANTITY", "SIMULATION") if tag in tags}
    return {"long_name": f"{name.upper()} backscatter", "units": "1"} | stated


def _shown(name: str) -> str:
    return name.upper() if name in POLARISATIONS else name


def _file_order(name: str) -> tuple[int, str]:
    """Polarisations first, VV before VH, as files of Sentinel-1 have them."""
    return (POLARISATIONS.index(name) if name in POLARISATIONS else len(POLARISATIONS), name)


def _check_codes(file: Path, layer: xr.DataArray, dtype: type) -> None:
    """Raise SeasonError for numbers that would change when they are stored as ``dtype``: 257 would
    silently become 1.
    """
    low, high = (float(value) for value in dask.compute(layer.min().data, layer.max().data))
    most = np.iinfo(dtype).max
    if not np.issubdtype(layer.dtype, np.integer) or low < 0 or high > most:
        raise SeasonError(
            f"'{file.name}' holds {layer.dtype} values from {low:g} to {high:g}; expected whole "
            f"numbers from 0 to {most}: recode "
            "it (a national crop code needs a legend of its own, 0 for no crop)."
        )


def open_layer(path: str | Path) -> xr.DataArray:
    """Open a one-band GeoTIFF (y, x), such as a crop map; a legend in its tags becomes CF
    attributes (see ``flags``).
    """
    with open_whole(Path(path)) as tif:
        tags = tif.tags()
    layer = cast(xr.DataArray, rioxarray.open_rasterio(path))[0].drop_vars("band")
    layer.attrs = {key: tags[key] for key in LEGEND_TAGS if key in tags}
    return layer


def open_whole(file: Path) -> rasterio.DatasetReader:
    """A rasterio dataset whose blocks all lie within the file: a truncated file is noticed now, not
    in the middle of a job.
    """
    try:
        tif = rasterio.open(file)
    except RasterioIOError as error:
        raise SeasonError(
            f"'{file.name}' cannot be read as GeoTIFF: it is damaged or truncated. Copy it again."
        ) from error
    size = file.stat().st_size
    for band in tif.indexes:
        height, width = tif.block_shapes[band - 1]
        for row in range(-(-tif.height // height)):
            for column in range(-(-tif.width // width)):
                offset, length = (
                    tif.get_tag_item(f"BLOCK_{what}_{column}_{row}", "TIFF", bidx=band)
                    for what in ("OFFSET", "SIZE")
                )
                if offset and int(offset) + int(length) > size:
                    tif.close()
                    raise SeasonError(
                        f"'{file.name}' is truncated: it ends at byte {size}, within its image "
                        "data. Copy it again."
                    )
    return tif


def _grid(tif: rasterio.DatasetReader) -> tuple:
    return tif.crs, tuple(round(value, 3) for value in tif.transform[:6]), tif.shape


def _same_grid(file: Path, tif: rasterio.DatasetReader, first: Path, expected: tuple) -> None:
    for what, found, wanted in zip(("CRS", "transform", "size"), _grid(tif), expected, strict=True):
        if found != wanted:
            raise SeasonError(
                f"'{file.name}' and '{first.name}' have different grids ({what} {found} against "
                f"{wanted}): "
                "reproject them to one grid, or pick one area with pattern=."
            )


_DATE = re.compile(
    r"(?<!\d)((?:19|20)\d\d)[-:_]?([01]\d)[-:_]?([0-3]\d)(?:[T "
    r"_]?([0-2]\d):?([0-5]\d):?([0-5]\d))?(?!\d)",
    re.IGNORECASE,
)


def acquisition_time(file: Path, tif: rasterio.DatasetReader) -> np.datetime64:
    for text in (file.stem, tif.tags().get("ACQUISITION_TIME", "")):
        for match in _DATE.finditer(text):
            year, month, day, *clock = match.groups("00")
            try:
                return np.datetime64(f"{year}-{month}-{day}T{':'.join(clock)}", "s")
            except ValueError:  # eight digits that are no date
                continue
    raise SeasonError(
        f"No date in the name or tags of '{file.name}': expected something like 20180105 or "
        "2018-01-05."
    )


def band_names(file: Path, tif: rasterio.DatasetReader) -> list[str]:
    """What the bands of a GeoTIFF are: ``vv``, ``vh``, ``hh``, ``hv``, or their own descriptions.

    Polarisations are found in the descriptions of the bands, else in the tag POLARIZATION or the
    file's name. Raises SeasonError if neither tells.
    """
    described = [(text or "").strip() for text in tif.descriptions]
    found = [_POLARISATION.findall(text.lower()) for text in described]
    if all(len(names) == 1 for names in found):
        names = [names[0] for names in found]
    elif all(described):
        names = [
            own[0] if len(own) == 1 else text for own, text in zip(found, described, strict=True)
        ]
    else:
        names = _POLARISATION.findall((tif.tags().get("POLARIZATION") or file.stem).lower())
    if len(names) != tif.count or len(set(names)) != len(names):
        raise SeasonError(
            f"'{file.name}' has {tif.count} band(s) but its name and band descriptions tell "
            f"{names or 'no polarisation'}: name each band VV or VH."
        )
    return names


_POLARISATION = re.compile("vv|vh|hh|hv")
