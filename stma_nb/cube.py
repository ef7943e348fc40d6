"""The season cube: one xarray.Dataset of Sentinel-1 backscatter over one area and one growing
season.

A season has the dimensions ``(time, y, x)`` and holds

* ``vv``, ``vh``: float32 backscatter as linear power (sigma0 or gamma0), NaN where there is no
  data;
* ``time``: acquisition times, strictly increasing; ``y``, ``x``: projected pixel centres in metres;
  the CRS (rioxarray);
* optionally ``crop`` (y, x): class codes 0 .. K-1 with their legend as CF flags, ``parcel`` (y, x):
  parcel number, 0 = none, ``incidence_angle`` (y, x) in degrees, and ``relative_orbit`` (time).

Everything is lazy: a season opened here is Dask-backed and may be larger than memory.
"""

import re
import shutil
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

import dask
import numpy as np
import rasterio
import rioxarray
import xarray as xr
from rasterio.errors import RasterioIOError

from stma_nb.files import refuse_existing

CHUNK = 256  # pixels: a chunk on disk holds all dates of CHUNK x CHUNK pixels, what a window of the network needs
POLARISATIONS = ("vv", "vh")
STATIC = {"crop": np.uint8, "parcel": np.int32, "incidence_angle": np.float32}


class SeasonError(ValueError):
    """The data are not a season cube; the message says what was found, what was expected and what
    to do.
    """


class Crop(NamedTuple):
    """A class of the legend; its code is its position in the legend."""

    name: str
    colour: str


BRANDENBURG = (
    Crop("Background", "#dddddd"),
    Crop("Maize", "#d55e00"),
    Crop("Wheat", "#f0e442"),
    Crop("Grassland", "#009e73"),
    Crop("Peanut", "#e69f00"),
    Crop("Potato", "#882255"),
    Crop("Residue", "#777777"),
    Crop("Fallow", "#cc79a7"),
    Crop("Rapeseed", "#56b4e9"),
    Crop("Vegetable", "#661100"),
    Crop("Legume", "#332288"),
    Crop("Herb", "#999933"),
    Crop("Orchard", "#117733"),
    Crop("Flower", "#aa4499"),
    Crop("Sugar beet", "#0072b2"),
    Crop("Other", "#000000"),
)
"""The legend of the paper's Brandenburg data set: 15 crops and the background (code 0)."""


def legend(season: xr.Dataset) -> tuple[Crop, ...]:
    """The legend that a season's ``crop`` layer carries (its CF attributes); raises SeasonError
    without one.
    """
    if "crop" not in season:
        raise SeasonError(
            "The season has no 'crop' layer: add reference labels (y, x) with legend attributes "
            "(cube.flags)."
        )
    attrs = season.crop.attrs
    if "flag_meanings" not in attrs:
        raise SeasonError(
            "The 'crop' layer has no legend: set season.crop.attrs.update(cube.flags(...)), or in "
            "crop.tif the tag flag_meanings, "
            "such as 'Background Maize Sugar_beet' for the codes 0, 1, 2."
        )
    names = attrs["flag_meanings"].split()
    codes = [int(code) for code in np.atleast_1d(attrs.get("flag_values", range(len(names))))]
    if codes != list(range(len(names))):
        raise SeasonError(
            f"The legend's codes are {codes}; expected 0 .. {len(names) - 1} in order: renumber "
            "the classes."
        )
    colours = attrs.get("flag_colors", "").split() or [
        BRANDENBURG[i % len(BRANDENBURG)].colour for i in codes
    ]
    if len(colours) != len(names):
        raise SeasonError(
            f"The legend has {len(names)} names and {len(colours)} colours: give each class one "
            "(flag_colors)."
        )
    return tuple(
        Crop(name.replace("_", " "), colour) for name, colour in zip(names, colours, strict=True)
    )


def flags(crops: tuple[Crop, ...]) -> dict:
    """CF attributes (flag_values, flag_meanings, flag_colors) that write a legend into a label
    layer.
    """
    return {
        "flag_values": list(range(len(crops))),
        "flag_meanings": " ".join(crop.name.replace(" ", "_") for crop in crops),
        "flag_colors": " ".join(crop.colour for crop in crops),
    }


# ----------------------------------------------------------------------------------------- checking


def check_season(season: xr.Dataset) -> xr.Dataset:
    """Return the season unchanged, or raise SeasonError naming the first thing that is wrong with
    it.

    Values are looked at in a window of 256 x 256 pixels in the middle of the scene (in the whole
    scene, block by block, only if nothing finite is there), so that the check stays cheap on a
    season larger than memory.
    """
    check_layout(season)
    _check_values(season)
    if "crop" in season:
        _check_labels(season)
    return season


def check_layout(season: xr.Dataset) -> None:
    """Raise SeasonError if variables, dimensions, units, dates or grid are not those of a season;
    no pixel is read.
    """
    for name in POLARISATIONS:
        if name not in season:
            raise SeasonError(
                f"The season has no variable '{name}'; found {sorted(season.data_vars)}, expected "
                "'vv' and 'vh'."
            )
        band = season[name]
        if band.dims != ("time", "y", "x"):
            raise SeasonError(
                f"'{name}' has dimensions {band.dims}; expected ('time', 'y', 'x'): transpose it."
            )
        if not np.issubdtype(band.dtype, np.floating):
            raise SeasonError(
                f"'{name}' has type {band.dtype}; expected float32 linear power: calibrate the "
                "digital numbers."
            )
        if band.attrs.get("units", "1") != "1":
            raise SeasonError(
                f"'{name}' is in {band.attrs['units']}; expected linear power (units '1'): "
                "convert it with radar.from_db."
            )
    _check_times(season)
    _check_grid(season)
    if "parcel" in season and season.parcel.dims != ("y", "x"):
        raise SeasonError(f"'parcel' has dimensions {season.parcel.dims}; expected ('y', 'x').")


def _check_times(season: xr.Dataset) -> None:
    time = season["time"].values
    if not np.issubdtype(time.dtype, np.datetime64):
        raise SeasonError(
            f"'time' has type {time.dtype}; expected datetime64 acquisition times: convert with "
            "pandas.to_datetime."
        )
    if np.isnat(time).any():
        raise SeasonError(
            f"Acquisition {int(np.isnat(time).argmax()) + 1} of {len(time)} has no date: give "
            "every date."
        )
    step = np.diff(time) / np.timedelta64(1, "s")
    if (step == 0).any():
        raise SeasonError(
            f"The date {_day(time[1:][step == 0][0])} occurs twice: keep one acquisition a date, "
            "or mosaic them."
        )
    if (step < 0).any():
        raise SeasonError(
            f"The dates are not in order ({_day(time[1:][step < 0][0])} comes late): use "
            "season.sortby('time')."
        )


def _check_grid(season: xr.Dataset) -> None:
    for axis in ("y", "x"):
        if axis not in season.coords:
            raise SeasonError(
                f"The season has no coordinate '{axis}'; expected pixel centres in metres."
            )
        step = np.diff(season[axis].values)
        if len(step) and not np.allclose(step, step[0], rtol=1e-3):
            raise SeasonError(
                f"The '{axis}' coordinates are not evenly spaced: put the season on a regular "
                "grid (rio.reproject)."
            )
    crs = season.rio.crs
    if crs is None:
        raise SeasonError(
            "The season has no coordinate reference system: set one with "
            "season.rio.write_crs('EPSG:...')."
        )
    if not crs.is_projected:
        raise SeasonError(
            f"The season is in {crs.to_string()} (degrees); expected projected metres: use "
            "season.rio.reproject."
        )


def _check_values(season: xr.Dataset) -> None:
    centre = {
        axis: slice(
            max(0, season.sizes[axis] // 2 - CHUNK // 2), season.sizes[axis] // 2 + CHUNK // 2
        )
        for axis in ("y", "x")
    }
    for name in POLARISATIONS:
        values = season[name].isel(centre).values
        values = values[np.isfinite(values)]
        if not len(values):
            if not bool(np.isfinite(season[name]).any()):
                raise SeasonError(
                    f"'{name}' holds no data: every pixel of every date is NaN. Check the area "
                    "and the nodata value."
                )
        elif np.median(values) < 0:
            raise SeasonError(
                f"'{name}' has a median of {np.median(values):.1f}: that looks like dB where "
                "linear power is expected. "
                "Convert it with radar.from_db."
            )


def _check_labels(season: xr.Dataset) -> None:
    crop = season.crop
    if crop.dims != ("y", "x") or not np.issubdtype(crop.dtype, np.integer):
        raise SeasonError(
            f"'crop' is {crop.dtype} {crop.dims}; expected integer class codes with dimensions "
            "('y', 'x')."
        )
    if "flag_meanings" not in crop.attrs:
        return  # a map can be made all the same; who needs the legend asks for it
    crops, lowest, highest = legend(season), int(crop.min()), int(crop.max())
    if lowest < 0 or highest >= len(crops):
        wrong = highest if highest >= len(crops) else lowest
        raise SeasonError(
            f"Class code {wrong} is outside the legend (0 .. {len(crops) - 1}): extend the legend "
            "or recode it."
        )


def _day(time: np.datetime64) -> str:
    return np.datetime_as_string(time, unit="D")


# ------------------------------------------------------------------------------------------ opening


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
    bands, grid = {name: {} for name in POLARISATIONS}, None
    for file in files:
        with _open_whole(file) as tif:
            time, names = _acquisition_time(file, tif), _polarisations(file, tif)
            grid = grid or (file, _grid(tif))
            _same_grid(file, tif, *grid)
        image = rioxarray.open_rasterio(
            file, chunks={"x": CHUNK, "y": CHUNK}, masked=True
        ).drop_vars("band")
        for band, name in enumerate(names):
            if time in bands[name]:
                raise SeasonError(
                    f"{name.upper()} of {time} occurs twice ('{file.name}'): narrow the files "
                    "with pattern=."
                )
            bands[name][time] = image[band].astype("float32")
    for name, other in (("vv", "vh"), ("vh", "vv")):
        if lonely := sorted(bands[name].keys() - bands[other].keys()):
            raise SeasonError(
                f"{lonely[0]} has {name.upper()} but no {other.upper()}: every date needs both "
                "polarisations."
            )
    times = sorted(bands["vv"])
    season = xr.Dataset(
        {
            name: xr.concat(
                [bands[name][t] for t in times], dim="time", coords="minimal", compat="override"
            )
            for name in POLARISATIONS
        }
    ).assign_coords(time=np.array(times, dtype="datetime64[ns]"))
    for name in POLARISATIONS:
        season[name].attrs = {"long_name": f"{name.upper()} backscatter", "units": "1"}
    for name, dtype in STATIC.items():
        if (file := folder / f"{name}.tif").exists():
            with _open_whole(file) as tif:
                _same_grid(file, tif, *grid)
            layer = open_layer(file).chunk(y=CHUNK, x=CHUNK)
            if np.issubdtype(dtype, np.integer):
                _check_codes(file, layer, dtype)
            season[name] = layer.astype(dtype)
    return season.chunk(time=-1)


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
    with _open_whole(Path(path)) as tif:
        tags = tif.tags()
    layer = rioxarray.open_rasterio(path)[0].drop_vars("band")
    layer.attrs = {key: tags[key] for key in ("flag_meanings", "flag_colors") if key in tags}
    return layer


def _open_whole(file: Path):
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


def _grid(tif) -> tuple:
    return tif.crs, tuple(round(value, 3) for value in tif.transform[:6]), tif.shape


def _same_grid(file: Path, tif, first: Path, expected: tuple) -> None:
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


def _acquisition_time(file: Path, tif) -> np.datetime64:
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


def _polarisations(file: Path, tif) -> list[str]:
    described = [re.findall(r"vv|vh", (text or "").lower()) for text in tif.descriptions]
    if all(len(found) == 1 for found in described):
        names = [found[0] for found in described]
    else:
        text = tif.tags().get("POLARIZATION") or file.stem
        names = re.findall(r"vv|vh", text.lower())
    if len(names) != tif.count or len(set(names)) != len(names):
        raise SeasonError(
            f"'{file.name}' has {tif.count} band(s) but its name and band descriptions tell "
            f"{names or 'no polarisation'}: "
            "name each band VV or VH."
        )
    return names


# ------------------------------------------------------------------------------------------- saving


def save_season(season: xr.Dataset, path: str | Path, overwrite: bool = False) -> Path:
    """Write a checked season as Zarr (``.zarr``), NetCDF (``.nc``) or a folder of one two-band
    GeoTIFF a date (no suffix).

    The data are written beside ``path`` first and moved there when complete, so a killed job leaves
    nothing half-written. Raises FileExistsError if ``path`` exists and ``overwrite`` is not set, or
    if it is a folder that holds more than a season.
    """
    path = Path(path)
    refuse_existing(path, overwrite)
    if path.is_dir() and not _is_season(path):
        raise FileExistsError(
            f"'{path}' is a folder with other files than a season's and is left as it is: choose "
            "another name."
        )
    if path.suffix not in (".zarr", ".nc", ""):
        raise SeasonError(
            f"Cannot save a season as '{path.suffix}': use .zarr, .nc, or a folder name for "
            "GeoTIFFs."
        )
    check_season(season)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part{path.suffix}")
    _remove(part)
    if path.suffix == ".zarr":
        whole = season.rio.write_crs(season.rio.crs).chunk({"time": -1, "y": CHUNK, "x": CHUNK})
        for variable in whole.variables.values():
            variable.encoding.pop("chunks", None)
        whole.to_zarr(part, zarr_format=2)
    elif path.suffix == ".nc":
        whole = season.rio.write_crs(season.rio.crs)
        for variable in whole.data_vars.values():
            variable.encoding |= {"zlib": True, "complevel": 1}
        whole.to_netcdf(part, engine="h5netcdf")
    else:
        _save_geotiffs(season, part)
    _remove(path)
    part.rename(path)
    return path


def _is_season(folder: Path) -> bool:
    """Whether a folder is a Zarr store, or holds nothing but GeoTIFFs and their .aux.xml."""
    zarr = (folder / ".zgroup").exists() or (folder / "zarr.json").exists()
    return zarr or all(
        file.is_file() and file.name.endswith((".tif", ".tif.aux.xml")) for file in folder.iterdir()
    )


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _save_geotiffs(season: xr.Dataset, folder: Path) -> None:
    folder.mkdir()
    profile = geotiff_profile(season)
    for date in season.time.values:
        image = season[list(POLARISATIONS)].sel(time=date)
        stamp = np.datetime_as_string(date, unit="s").replace("-", "").replace(":", "")
        # 18 of 23 mantissa bits dropped: an error of at most 0.07 dB, far below speckle, for a
        # quarter of the size.
        options = {
            "dtype": "float32",
            "count": 2,
            "nodata": np.nan,
            "predictor": 3,
            "discard_lsb": 18,
            "zlevel": 9,
            "interleave": "band",
        }
        with rasterio.open(folder / f"{stamp}_VVVH.tif", "w", **profile, **options) as tif:
            for band, name in enumerate(POLARISATIONS, start=1):
                tif.write(image[name].values.astype("float32"), band)
                tif.set_band_description(band, name.upper())
            tif.update_tags(
                ACQUISITION_TIME=np.datetime_as_string(date, unit="s"), UNITS="linear power"
            )
    for name in STATIC.keys() & set(season.data_vars):
        layer = season[name].values.astype(STATIC[name])
        with rasterio.open(
            folder / f"{name}.tif", "w", **profile, dtype=layer.dtype, count=1
        ) as tif:
            if name == "crop":
                write_legend(tif, legend(season))
            tif.write(layer, 1)
    if "crop" in season:
        write_class_names(folder / "crop.tif", legend(season))


def geotiff_profile(season: xr.Dataset) -> dict:
    """Rasterio keywords for a tiled, compressed GeoTIFF on the grid of a season."""
    return {
        "driver": "GTiff",
        "height": season.sizes["y"],
        "width": season.sizes["x"],
        "crs": season.rio.crs,
        "transform": season.rio.transform(
            recalc=True
        ),  # of the coordinates: a stored one may be of another subset or order
        "tiled": True,
        "blockxsize": CHUNK,
        "blockysize": CHUNK,
        "compress": "deflate",
    }


def write_legend(tif, crops: tuple[Crop, ...]) -> None:
    """Put the legend's colours (colour table) and names (tags) into an open label GeoTIFF."""
    tif.write_colormap(
        1, {code: tuple(bytes.fromhex(crop.colour[1:])) + (255,) for code, crop in enumerate(crops)}
    )
    tif.update_tags(**{key: value for key, value in flags(crops).items() if key != "flag_values"})


def write_class_names(path: Path, crops: tuple[Crop, ...]) -> None:
    """Write the class names where GDAL and QGIS look for them: the ``.aux.xml`` file beside a label
    GeoTIFF.
    """
    names = "".join(f"<Category>{escape(crop.name)}</Category>" for crop in crops)
    text = (
        "<PAMDataset><PAMRasterBand "
        f'band="1"><CategoryNames>{names}</CategoryNames></PAMRasterBand></PAMDataset>\n'
    )
    Path(f"{path}.aux.xml").write_text(text, encoding="utf-8")
