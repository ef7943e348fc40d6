"""A season from a folder of GeoTIFFs, and single layers of class codes. Everything stays lazy."""

import re
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple, cast

import dask
import dask.array as da
import numpy as np
import rasterio
import rioxarray
import xarray as xr
from rasterio.errors import RasterioIOError
from rasterio.windows import Window

from stma_nb.cube.checks import CHUNK, POLARISATIONS, check_numbers, chunk_side
from stma_nb.cube.classes import UNKNOWN, SeasonError
from stma_nb.cube.names import date_in, is_side_file, polarisations_in, stated_in
from stma_nb.cube.values import Scale

STATIC = {"crop": np.uint8, "parcel": np.int32, "incidence_angle": np.float32}
LEGEND_TAGS = ("flag_meanings", "flag_colors", "class_names", "background")
DRIVER = "GTiff"  # no other: a text that GDAL takes for a file may name other addresses
MILLIMETRE = 1e-3  # corners that differ by less are of one grid


class _Image(NamedTuple):
    """One band of a file: where its numbers are, and what they are."""

    file: Path
    number: int  # of the band, from 1
    factor: float
    offset: float
    attrs: dict[str, str]

    def read(self, window: Window) -> np.ndarray:
        """Numbers (rows, columns) as float32, scale and offset applied, NaN where the file declares
        no data, by a value or a mask.
        """
        with rasterio.open(self.file, driver=DRIVER) as tif:
            stored = tif.read(self.number, window=window, masked=True)
        numbers = stored.astype(np.float32).filled(np.nan)
        if (self.factor, self.offset) == (1.0, 0.0):
            return numbers
        return numbers * np.float32(self.factor) + np.float32(self.offset)


class _Stack:
    """The images of one band as an array (time, y, x), of which is read what is asked for.

    Its Dask array has a task a chunk, not a chunk and date, so that ten thousand dates are opened
    as easily as ten.
    """

    dtype, ndim = np.dtype(np.float32), 3

    def __init__(self, images: Sequence[_Image], shape: tuple[int, int]):
        self.images = images
        self.shape = len(images), *shape

    def __getitem__(self, key: tuple[slice | int, slice | int, slice | int]) -> np.ndarray:
        dates, rows, columns = (np.arange(n)[part] for n, part in zip(self.shape, key, strict=True))
        if not dates.size * rows.size * columns.size:
            return np.empty(dates.shape + rows.shape + columns.shape, self.dtype)
        top, left = rows.min(), columns.min()
        window = Window.from_slices((top, rows.max() + 1), (left, columns.max() + 1))
        images = [self.images[date].read(window) for date in np.atleast_1d(dates)]
        cut = np.stack(images)[:, rows - top][..., columns - left]
        return cut if dates.ndim else cut[0]

    def lazy(self) -> da.Array:
        """All of it as float32 (time, y, x), in chunks of all dates."""
        side = chunk_side(self.shape[0])
        empty = np.empty((0, 0, 0), self.dtype)
        return da.from_array(self, (-1, side, side), name=False, meta=empty)


def open_geotiffs(folder: Path, pattern: str, scale: Scale | None) -> xr.Dataset:
    """The GeoTIFFs of a folder as bands (time, y, x), in the numbers of the files.

    Masks and angles that products put beside the backscatter are passed over. A folder without
    GeoTIFFs of its own is looked through with its subfolders; ``folder`` may be one file, too.
    """
    files = _files(folder, pattern)
    images: dict[str, dict[np.datetime64, _Image]] = {}  # by band, then by date
    first, grid = files[0], None
    for file in files:
        with open_whole(file) as tif:
            _check_place(file, tif)
            grid = grid or _grid(tif)
            _same_grid(file, tif, first, grid)
            contents = _contents(file, tif, folder)
            attrs = [
                _attrs_of(file, tif, number, name, scale)
                for number, (_, name) in enumerate(contents, start=1)
            ]
            for number, (time, name) in enumerate(contents):
                dates = images.setdefault(name, {})
                if time in dates:
                    raise SeasonError(
                        f"{_shown(name)} of {time} occurs twice ('{file.name}'): narrow the files "
                        "with pattern= (--pattern)."
                    )
                packing = tif.scales[number], tif.offsets[number]
                dates[time] = _Image(file, number + 1, *packing, attrs[number])
    _check_every_date_has_every_band(images)
    assert grid is not None  # there is at least one file
    place = _masked(first)
    times = sorted(next(iter(images.values())))
    coords = {"time": np.array(times, "M8[ns]"), "y": place.y, "x": place.x}
    season = xr.Dataset(coords=coords)
    for name in sorted(images, key=_file_order):
        stack = _Stack([images[name][time] for time in times], grid[2])
        season[name] = (("time", "y", "x"), stack.lazy(), images[name][times[0]].attrs)
    season = season.rio.write_crs(grid[0])
    for name in STATIC if folder.is_dir() else ():
        file = folder / f"{name}.tif"
        if file.exists():
            with open_whole(file) as tif:
                _same_grid(file, tif, first, grid)
            season[name] = _static(file, name).assign_coords(y=season.y, x=season.x)
    return season


def _files(folder: Path, pattern: str) -> list[Path]:
    def among(files: Sequence[Path]) -> list[Path]:
        return sorted(
            file
            for file in files
            if file.suffix.lower() in (".tif", ".tiff")
            and fnmatch(f"{file.stem}.tif".lower(), re.sub(r"\.tiff$", ".tif", pattern.lower()))
            and file.stem not in STATIC
            and file.is_file()
        )

    if folder.is_file():
        return [folder]
    found = among(list(folder.iterdir())) or among(list(folder.rglob("*")))
    files = [file for file in found if not is_side_file(file.stem)]
    if not files:
        beside = f" but {', '.join(file.name for file in found[:3])}" if found else ""
        raise SeasonError(
            f"No GeoTIFF of backscatter in '{folder}' matches '{pattern}'{beside}: expected one "
            "file per date (see pattern=, --pattern)."
        )
    return files


def _check_place(file: Path, tif: rasterio.DatasetReader) -> None:
    """Raise SeasonError unless the pixels of a file lie on a map grid."""
    if tif.crs is None and tif.gcps[0]:
        raise SeasonError(
            f"'{file.name}' is in radar geometry (it has ground control points and no map grid): "
            "geocode it first, as notebook 02 does."
        )
    if tif.crs is None:
        raise SeasonError(
            f"'{file.name}' has no coordinate reference system: set one, such as with 'rio "
            "edit-info --crs EPSG:32633'."
        )
    if tif.transform.b or tif.transform.d:
        raise SeasonError(
            f"The grid of '{file.name}' is turned against its coordinate system: reproject it to "
            "an upright grid."
        )


def _contents(
    file: Path, tif: rasterio.DatasetReader, folder: Path
) -> list[tuple[np.datetime64, str]]:
    """Acquisition time and name of every band; a stack of dates in one file has both by band."""
    described = [text or "" for text in tif.descriptions]
    dates = [date_in(text) for text in described]
    if tif.count > 1 and all(dates):
        names = [polarisations_in(text) for text in described]
        if all(len(found) == 1 for found in names):
            return [
                (time, found[0])
                for time, found in zip(dates, names, strict=True)
                if time is not None
            ]
    time = acquisition_time(file, tif, folder)
    return [(time, name) for name in band_names(file, tif)]


def _attrs_of(
    file: Path, tif: rasterio.DatasetReader, number: int, name: str, scale: Scale | None
) -> dict[str, str]:
    """The attributes of one band; raises SeasonError for types that are no backscatter."""
    dtype = np.dtype(tif.dtypes[number - 1])
    description = tif.descriptions[number - 1] or ""
    attrs = _band_attrs(file.stem, name, description, tif.units[number - 1], tif.tags())
    if name in POLARISATIONS:
        packed = (tif.scales[number - 1], tif.offsets[number - 1]) != (1.0, 0.0)
        decoded = np.dtype(np.float32) if packed and dtype.kind in "iu" else dtype
        check_numbers(decoded, attrs["units"], scale, f"'{file.name}'")
    return attrs


def _masked(file: Path) -> xr.DataArray:
    """A GeoTIFF (band, y, x), lazily, NaN where a value or a mask in the file declares no data."""
    chunks = {"x": CHUNK, "y": CHUNK}
    opened = rioxarray.open_rasterio(file, chunks=chunks, masked=True, driver=DRIVER)
    return cast(xr.DataArray, opened)


def _check_every_date_has_every_band(images: dict[str, dict]) -> None:
    for name, dates in images.items():
        for other, others in images.items():
            lonely = sorted(dates.keys() - others.keys())
            if lonely:
                raise SeasonError(
                    f"{lonely[0]} has {_shown(name)} but no {_shown(other)}: every date needs "
                    "the same bands."
                )


def _band_attrs(
    stem: str, name: str, description: str, units: str | None, tags: dict[str, str]
) -> dict[str, str]:
    """Attributes of a band of a GeoTIFF; the units of another band than backscatter are its own."""
    if name not in POLARISATIONS:
        return {"units": units} if units else {}
    by_name = stated_in(stem, description)
    attrs = {"long_name": f"{name.upper()} backscatter"}
    attrs["units"] = str(by_name.scale or units or tags.get("UNITS") or "1")
    if by_name.quantity:
        attrs["quantity"] = by_name.quantity
    return attrs | {tag.lower(): tags[tag] for tag in ("QUANTITY", "SIMULATION") if tag in tags}


def _shown(name: str) -> str:
    return name.upper() if name in POLARISATIONS else name


def _file_order(name: str) -> tuple[int, str]:
    """Polarisations first, VV before VH, as files of Sentinel-1 have them."""
    return (POLARISATIONS.index(name) if name in POLARISATIONS else len(POLARISATIONS), name)


# ------------------------------------------------------------------------------- layers of codes


def _static(file: Path, name: str) -> xr.DataArray:
    """``crop``, ``parcel`` or ``incidence_angle``: declared no data is UNKNOWN, 0, or NaN."""
    attrs = open_layer(file).attrs
    layer = _masked(file)[0].drop_vars("band").drop_attrs().assign_attrs(attrs)
    if name == "incidence_angle":
        return layer.astype(STATIC[name])
    return whole_codes(layer, name, f"'{file.name}'")


def whole_codes(layer: xr.DataArray, name: str, what: str) -> xr.DataArray:
    """``crop`` or ``parcel`` from floats in which NaN stands for no data: UNKNOWN, or 0.

    Raises SeasonError for numbers that would change when they are stored: 257 would silently become
    1. ``what`` begins the message.
    """
    dtype = np.dtype(STATIC[name])
    broken = layer.where(layer != layer.round())  # NaN stands for no data
    parts = layer.min(), layer.max(), broken.min()
    low, high, fraction = (float(value) for value in dask.compute(*(part.data for part in parts)))
    most = np.iinfo(dtype.name).max
    if np.isfinite(fraction) or low < 0 or high > most:
        such = f", such as {fraction:g}" if np.isfinite(fraction) else ""
        raise SeasonError(
            f"{what} holds values from {low:g} to {high:g}{such}; expected whole "
            f"numbers from 0 to {most}: recode "
            "it (a national crop code needs a legend of its own, 0 for no crop)."
        )
    return layer.fillna(UNKNOWN if name == "crop" else 0).astype(dtype)


def open_layer(path: str | Path) -> xr.DataArray:
    """Open a one-band GeoTIFF (y, x), such as a crop map; a legend in its tags becomes CF
    attributes (see ``flags``).

    Raises SeasonError for a file that is no whole GeoTIFF, or has several bands.
    """
    path = Path(path)
    with open_whole(path) as tif:
        tags = tif.tags()
        count = tif.count
    if count != 1:
        raise SeasonError(f"'{path.name}' has {count} bands; expected one, of codes or values.")
    layer = cast(xr.DataArray, rioxarray.open_rasterio(path, driver=DRIVER))[0].drop_vars("band")
    layer.attrs = {key: tags[key] for key in LEGEND_TAGS if key in tags}
    return layer


def open_geotiff(path: str | Path) -> rasterio.DatasetReader:
    """Open a file for reading if it is a GeoTIFF.

    Raises FileNotFoundError, and SeasonError for anything else: a pipe, which would be waited for,
    another format whatever its name, a damaged file.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"There is no '{path}': check the name.")
    if path.is_dir():
        raise SeasonError(
            f"'{path.name}' is a folder: expected a GeoTIFF, such as the crop.tif of a season that "
            "is saved as GeoTIFFs."
        )
    if not path.is_file():
        raise SeasonError(f"'{path.name}' is no file: expected a GeoTIFF.")
    try:
        return rasterio.open(path, driver=DRIVER)
    except RasterioIOError as error:
        raise SeasonError(
            f"'{path.name}' cannot be read as GeoTIFF: it is another format, damaged or truncated. "
            "Copy it again."
        ) from error


def open_whole(file: Path) -> rasterio.DatasetReader:
    """A rasterio dataset whose blocks all lie within the file: a truncated file is noticed now, not
    in the middle of a job.

    Raises SeasonError for what is no whole GeoTIFF.
    """
    tif = open_geotiff(file)
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


# ----------------------------------------------------------------------------- grid, time, bands


def _grid(tif: rasterio.DatasetReader) -> tuple:
    return tif.crs, tif.transform, tif.shape


def _same_grid(file: Path, tif: rasterio.DatasetReader, first: Path, expected: tuple) -> None:
    found = _grid(tif)
    reach = max(tif.shape)
    corners = zip(found[1][:6], expected[1][:6], (reach, reach, 1) * 2, strict=True)
    same = (
        found[0] == expected[0],
        all(abs(a - b) * times < MILLIMETRE for a, b, times in corners),
        found[2] == expected[2],
    )
    for what, equal, a, b in zip(("CRS", "transform", "size"), same, found, expected, strict=True):
        if not equal:
            shown = (
                tuple(round(value, 3) for value in t[:6]) if what == "transform" else t
                for t in (a, b)
            )
            raise SeasonError(
                f"'{file.name}' and '{first.name}' have different grids ({what} "
                f"{' against '.join(map(str, shown))}): "
                "bring them to one grid, or pick one area by what its names have in common, "
                "pattern= (--pattern '*NAME*')."
            )


def acquisition_time(
    file: Path, tif: rasterio.DatasetReader, folder: Path | None = None
) -> np.datetime64:
    """When an image was taken: by the file's name, its tags, or the folders between it and
    ``folder``. Raises SeasonError if none tells.
    """
    above = file.relative_to(folder).parts[:-1] if folder and folder.is_dir() else ()
    for text in (file.stem, tif.tags().get("ACQUISITION_TIME", ""), *reversed(above)):
        time = date_in(text)
        if time is not None:
            return time
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
    found = [polarisations_in(text) for text in described]
    if all(described):
        names = [
            own[0] if len(own) == 1 and not is_side_file(text) else text
            for own, text in zip(found, described, strict=True)
        ]
        if not any(map(len, found)) and tif.count == 1:  # "Gray", "Band 1": the name knows better
            names = polarisations_in(file.stem) or names
    else:
        names = polarisations_in(tif.tags().get("POLARIZATION") or file.stem)
    if len(names) != tif.count or len(set(names)) != len(names):
        raise SeasonError(
            f"'{file.name}' has {tif.count} band(s) but its name and band descriptions tell "
            f"{', '.join(names) or 'no polarisation'}: name each band VV or VH, or leave the file "
            "out with pattern= (--pattern)."
        )
    return names
