"""Open a season: Zarr, NetCDF, or a folder of GeoTIFFs. Everything stays lazy."""

import re
import warnings
from collections.abc import Hashable
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import rioxarray  # noqa: F401  (registers the .rio accessor)
import xarray as xr
from pyproj import CRS
from pyproj.exceptions import CRSError
from rasterio.errors import RasterioError

from stma_nb.cube.checks import (
    POLARISATIONS,
    bands,
    check_numbers,
    check_season,
    chunk_side,
    scale_of,
)
from stma_nb.cube.classes import SeasonError, first_line
from stma_nb.cube.geotiffs import STATIC, open_geotiffs, whole_codes
from stma_nb.cube.names import date_in, is_side_file, polarisations_in, stated_in
from stma_nb.cube.values import Scale, to_backscatter

OVERPASS = np.timedelta64(30, "m")  # images closer in time are slices of one overpass
AXES = {  # the dimensions of a season, and what others call them
    "time": ("t", "date", "datetime", "acquisition_time"),  # or the one axis of dates
    "y": ("Y", "lat", "latitude", "northing", "north"),
    "x": ("X", "lon", "longitude", "easting", "east"),
}


def open_season(path: str | Path, pattern: str = "*.tif", scale: Scale | None = None) -> xr.Dataset:
    """Open a season lazily from a Zarr store, a NetCDF file or a folder of GeoTIFFs, and check it.

    A folder holds one file per date, or one per date and polarisation (or ``path`` is one GeoTIFF
    of all dates, named in its band descriptions); date and polarisation are
    read from the file names (20180105, 2018-01-05, 20180105T165012; VV, VH), band descriptions or
    tags. Masks and angles that products put beside the backscatter are passed over. ``crop.tif``,
    ``parcel.tif`` and ``incidence_angle.tif`` in the folder become the layers of that name; what
    they declare as no data is unknown. ``pattern`` picks some of the files.

    Backscatter becomes linear power, NaN where nothing was measured (see ``to_power``). ``scale``
    says what the numbers of the files are; without it their metadata and names are believed, and
    linear power is taken where these are silent. Images of one overpass, less than half an hour
    apart, become one date.

    Raises FileNotFoundError or SeasonError.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(
            f"There is no season at '{path}': give a Zarr store, a NetCDF file or a folder of "
            "GeoTIFFs."
        )
    if (path / "zarr.json").exists() or (path / ".zgroup").exists():
        season = _season_of(_open_xarray(path, "zarr", "Zarr"), path.name, scale)
    elif path.is_dir() or path.suffix.lower() in (".tif", ".tiff"):
        season = open_geotiffs(path, pattern, scale)
    elif path.suffix.lower() in (".nc", ".nc4", ".h5", ".cdf", ".netcdf"):
        season = _season_of(_open_netcdf(path), path.name, scale)
    else:
        raise SeasonError(
            f"'{path.name}' is neither a Zarr store, a NetCDF file (.nc) nor a folder of GeoTIFFs."
        )
    try:
        return check_season(_merge_slices(season, scale), scale)
    except (OSError, RuntimeError, RasterioError) as error:  # a block that is there and spoilt
        raise SeasonError(
            f"'{path.name}' cannot be read where it was looked at ({first_line(error)}): it is "
            "damaged. Copy it again."
        ) from error


# ------------------------------------------------------------------------------ Zarr and NetCDF


def _open_netcdf(path: Path) -> xr.Dataset:
    with open(path, "rb") as file:
        classic = file.read(3) == b"CDF"
    if not classic and not h5py.is_hdf5(path):
        raise SeasonError(
            f"'{path.name}' is no NetCDF file, damaged or truncated: copy it again, or give "
            "NetCDF or Zarr."
        )
    return _open_xarray(path, "scipy" if classic else "h5netcdf", "NetCDF")


def _open_xarray(path: Path, engine: str, kind: str) -> xr.Dataset:
    """What lies in a file or store, in the numbers and names of its author."""
    try:
        with warnings.catch_warnings():  # of attributes that name what is not there
            warnings.filterwarnings("ignore", "Variable.s. referenced in")
            try:
                found = xr.open_dataset(path, engine=engine, decode_coords="all", chunks={})
            except AttributeError:  # of an attribute that is no text
                stored = xr.open_dataset(path, engine=engine, decode_cf=False, chunks={})
                found = xr.decode_cf(_without_odd(stored), decode_coords="all")
    except Exception as error:  # each library has its own for every way a file can be broken
        if isinstance(error, MemoryError):
            raise
        if isinstance(error, OSError):
            reason = "it is damaged or truncated. Copy it again."
        else:
            reason = f"{first_line(error)}."
        raise SeasonError(f"'{path.name}' cannot be read as {kind}: {reason}") from error
    return found


def _without_odd(stored: xr.Dataset) -> xr.Dataset:
    """Without attributes that are no text where CF has text, which xarray cannot read."""
    texts = ("coordinates", "grid_mapping", "bounds", "cell_measures", "ancillary_variables")
    for variable in stored.variables.values():
        for key in texts:
            if not isinstance(variable.attrs.get(key, ""), str):
                del variable.attrs[key]
    return stored


def _season_of(found: xr.Dataset, file: str, scale: Scale | None) -> xr.Dataset:
    """The variables of a file under a season's names, dimensions and grid."""
    found = _rename_axes(found)
    found = _dated(found)
    found = _split_bands(found)
    found = _stack_dates(found)
    found = _rename_bands(found, file)
    if "time" in found.coords and "time" not in found.dims:  # one image
        single = [name for name in found.data_vars if name not in STATIC and found[name].ndim == 2]
        images = {name: found[name].expand_dims("time") for name in single}
        found = found.drop_vars("time").assign(images)
    for name in [str(name) for name in found.data_vars]:
        dims = {*found[name].dims}
        if dims == {"time", "y", "x"}:
            found[name] = found[name].transpose("time", "y", "x")
        elif dims == {"y", "x"}:
            found[name] = found[name].transpose("y", "x")
    for name in set(POLARISATIONS) & set(found.data_vars):
        _check_stored(found[name], scale, str(name))
    for name in ("crop", "parcel"):  # floats for their fill value
        if name in found and found[name].dtype.kind == "f":
            found[name] = whole_codes(found[name], name, f"'{name}' of '{file}'")
    for variable in found.data_vars.values():  # else it is saved in the numbers of its author
        for key in ("dtype", "scale_factor", "add_offset", "_FillValue", "missing_value"):
            variable.encoding.pop(key, None)
    found = _with_crs(found)
    if not {"time", "y", "x"} <= set(found.dims):
        return found
    side = chunk_side(found.sizes["time"])
    return found.chunk({"time": -1, "y": side, "x": side})


def _rename_axes(found: xr.Dataset) -> xr.Dataset:
    names = {*found.dims, *found.coords}
    renamed: dict[Hashable, str] = {}
    for axis, others in AXES.items():
        if axis not in names:
            renamed |= {other: axis for other in others if other in found.dims}
    if "time" not in {*names, *renamed.values()}:
        dates = [axis for axis in found.indexes if found[axis].dtype.kind == "M"]
        renamed |= {axis: "time" for axis in dates if len(dates) == 1}
    return found.rename(renamed)


def _dated(found: xr.Dataset) -> xr.Dataset:
    """Dates that are texts, or whole numbers such as 20180105, as times; in their order."""
    if "time" not in found.dims or "time" not in found.coords:
        return found
    time = found.time.values
    days = time.dtype.kind in "iu" and len(time) > 0 and 19_000_000 < time.min() < 21_000_000
    if days or time.dtype.kind in "OSU":
        try:
            stated = pd.to_datetime([str(day) for day in time], format="%Y%m%d" if days else None)
        except ValueError:  # refused by the check, which names the type
            return found
        if stated.tz is not None:
            stated = stated.tz_convert(None)
        found = found.assign_coords(time=stated.values.astype("M8[ns]"))
    elif time.dtype.kind != "M":
        return found
    return found if found.indexes["time"].is_monotonic_increasing else found.sortby("time")


def _split_bands(found: xr.Dataset) -> xr.Dataset:
    """Variables with a dimension of bands that are named after polarisations, taken apart."""
    for name, variable in found.data_vars.items():
        for axis in [axis for axis in variable.dims if axis not in AXES]:
            labels = [str(label) for label in np.atleast_1d(found[axis].values)]
            if axis in found.coords and any(polarisations_in(label) for label in labels):
                parts = {
                    label: variable.isel({axis: number}, drop=True)
                    for number, label in enumerate(labels)
                }
                return found.drop_vars([name]).drop_vars([axis], errors="ignore").assign(parts)
    return found


def _stack_dates(found: xr.Dataset) -> xr.Dataset:
    """Variables of single dates, such as SNAP's Sigma0_VV_mst_05Jan2018, as bands over time."""
    dated: dict[str, dict[np.datetime64, Hashable]] = {}
    for name, variable in found.data_vars.items():
        date, named = date_in(str(name)), polarisations_in(str(name))
        if date is not None and len(named) == 1 and {*variable.dims} == {"y", "x"}:
            dated.setdefault(named[0], {})[date] = name
    if not dated or "time" in found.dims:
        return found
    stacks = {}
    for band, dates in dated.items():
        times = sorted(dates)
        layers = [found[dates[time]] for time in times]
        stack = xr.concat(layers, "time", coords="minimal", compat="override")
        stack = stack.assign_coords(time=np.array(times, "M8[ns]"))
        said = stated_in(str(dates[times[0]]))
        stacks[band] = stack.assign_attrs(layers[0].attrs | _said(layers[0], said))
    used = [name for dates in dated.values() for name in dates.values()]
    lonely = xr.Dataset(stacks)  # dates that one band lacks are NaN there
    return found.drop_vars(used).assign_coords(time=lonely.time).assign(lonely)


def _said(variable: xr.DataArray, said: tuple) -> dict[str, str]:
    """Attributes that a name states and the variable does not."""
    quantity, scale = said
    stated = {"quantity": quantity, "units": scale}
    return {
        key: str(value) for key, value in stated.items() if value and not variable.attrs.get(key)
    }


def _rename_bands(found: xr.Dataset, file: str) -> xr.Dataset:
    """VV, Sigma0_VV or S1-SIGMA0-VV as ``vv``, where nothing else is."""
    candidates: dict[str, list[str]] = {}
    for name in map(str, found.data_vars):
        named = polarisations_in(name)
        if len(named) == 1 and not is_side_file(name) and {"y", "x"} <= {*found[name].dims}:
            candidates.setdefault(named[0], []).append(name)
    for band, names in candidates.items():
        if band in names:  # it bears the name itself
            continue
        if len(names) > 1:
            raise SeasonError(
                f"'{file}' has {len(names)} variables of {band.upper()} ({', '.join(names)}): keep "
                "one, named 'vv' or 'vh'."
            )
        variable = found[names[0]]
        said = _said(variable, stated_in(names[0]))
        encoding = variable.encoding
        found = found.assign({names[0]: variable.assign_attrs(said)}).rename({names[0]: band})
        found[band].encoding = encoding
    return found


def _check_stored(band: xr.DataArray, scale: Scale | None, name: str) -> None:
    """Raise SeasonError for whole numbers that xarray made floats only for their fill value."""
    stored = np.dtype(band.encoding.get("dtype") or band.dtype)
    packed = {"scale_factor", "add_offset"} & set(band.encoding)
    dtype = band.dtype if packed else stored
    check_numbers(dtype, band.attrs.get("units", "1"), scale, f"'{name}'")


def _with_crs(found: xr.Dataset) -> xr.Dataset:
    """The CRS from where its author wrote it: a variable, attributes, or degrees as units."""
    if found.rio.crs is not None:
        return found
    keys = ("crs_wkt", "spatial_ref", "crs", "epsg", "epsg_code", "proj:code", "proj:epsg")
    keys += ("proj4", "proj4text", "projection", "geospatial_bounds_crs")
    places = [dict(variable.attrs) for variable in found.variables.values()]
    for attrs in [dict(found.attrs), *places]:
        for key in keys:
            crs = _crs(attrs[key]) if key in attrs else None
            if crs is not None:
                return found.rio.write_crs(crs.to_wkt())
        if "grid_mapping_name" in attrs:
            try:
                return found.rio.write_crs(CRS.from_cf(attrs).to_wkt())
            except (CRSError, KeyError, TypeError, ValueError):
                continue
    if "x" in found.coords and re.match("degree", str(found.x.attrs.get("units", ""))):
        return found.rio.write_crs("EPSG:4326")
    return found


def _crs(said: object) -> CRS | None:
    """The CRS that an attribute means, or None."""
    text = str(said).strip()
    try:
        return CRS.from_user_input(int(text) if text.isdigit() else text)
    except CRSError:
        return None


# ----------------------------------------------------------------------------------- overpasses


def _merge_slices(season: xr.Dataset, scale: Scale | None) -> xr.Dataset:
    """One date an overpass: slices of one track, half a minute apart, make one image.

    Where slices overlap, the first that measured something counts.
    """
    times = season["time"].values if "time" in season.dims else np.array([])
    if not np.issubdtype(times.dtype, np.datetime64) or len(times) < 2:
        return season
    step = np.diff(times)
    same = (step > np.timedelta64(0)) & (step <= OVERPASS)
    if not same.any():
        return season
    groups = np.split(np.arange(len(times)), np.flatnonzero(~same) + 1)
    merged = season.isel(time=[group[0] for group in groups])
    # The first slice of every overpass, the second (or again the last), and so on.
    slices = [
        [group[min(place, len(group) - 1)] for group in groups]
        for place in range(max(map(len, groups)))
    ]
    for name in bands(season):
        band = season[name]
        known = band.notnull()
        if name in POLARISATIONS:
            known = to_backscatter(band, scale_of(band, scale, name)).notnull()
        first, *others = (
            band.where(known).isel(time=numbers).assign_coords(time=merged.time)
            for numbers in slices
        )
        for other in others:
            first = first.fillna(other)
        merged[name] = first.assign_attrs(band.attrs)
    return merged.chunk(time=-1)
