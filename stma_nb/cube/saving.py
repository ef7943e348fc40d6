"""Save a season as Zarr, NetCDF or GeoTIFFs, and write what belongs to a class raster."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
import rasterio
import xarray as xr

from stma_nb.cube.checks import (
    CHUNK,
    POLARISATIONS,
    bands,
    check_season,
    chunk_side,
    quantity,
    simulation,
)
from stma_nb.cube.classes import UNKNOWN, Crop, SeasonError, flags, legend
from stma_nb.cube.geotiffs import LEGEND_TAGS, STATIC
from stma_nb.files import check_room, one_writer, refuse_existing


def save_season(season: xr.Dataset, path: str | Path, overwrite: bool = False) -> Path:
    """Write a checked season as Zarr (``.zarr``), NetCDF (``.nc``) or a folder of one two-band
    GeoTIFF a date (no suffix).

    The data are written beside ``path`` first and moved there when complete, so a killed job leaves
    nothing half-written. Raises FileExistsError if ``path`` exists and ``overwrite`` is not set, or
    if it is anything else than a season written by this function; OSError if there is not enough
    room, or another process writes there.
    """
    path = Path(path)
    refuse_existing(path, overwrite)
    if path.exists() and not _is_season(path):
        found = "a folder with other files than a season's" if path.is_dir() else "no such season"
        raise FileExistsError(f"'{path}' is {found} and is left as it is: choose another name.")
    if path.suffix not in (".zarr", ".nc", ""):
        raise SeasonError(
            f"Cannot save a season as '{path.suffix}': use .zarr, .nc, or a folder name for "
            "GeoTIFFs."
        )
    season = check_season(season)
    place = path.resolve()  # a link stays one, and leads to the new season
    part, old = (place.with_name(f".{place.name}.{name}{path.suffix}") for name in ("part", "old"))
    with one_writer(place):
        try:
            _remove(part)
            _write(season, part, path.suffix)
            _remove(old)
            if place.exists():
                place.rename(old)
            part.rename(place)
            _remove(old)
        finally:
            _remove(part)
    return path


def _write(season: xr.Dataset, path: Path, suffix: str) -> None:
    if suffix == "":
        _save_geotiffs(season, path)
        return
    whole = season.rio.write_crs(season.rio.crs)
    if suffix == ".zarr":
        side = chunk_side(whole.sizes["time"])
        whole = whole.chunk({"time": -1, "y": side, "x": side})
        for variable in whole.variables.values():
            variable.encoding.pop("chunks", None)
        for name in {"crop"} & set(whole):  # a chunk that is lost is unknown, not the first class
            whole[name].encoding["_FillValue"] = UNKNOWN
        whole.to_zarr(path, zarr_format=2)
    else:
        check_room(path.parent, whole.nbytes)  # HDF5 ends the process when the disk is full
        for variable in whole.data_vars.values():
            variable.encoding |= {"zlib": True, "complevel": 1}
        whole.to_netcdf(path, engine="h5netcdf")


_GEOTIFF = re.compile(rf"(\d{{8}}T\d{{6}}_[A-Za-z]+|{'|'.join(STATIC)})\.tif(\.aux\.xml)?")
_ZARR = re.compile(r"\.z(group|attrs|metadata|array)|zarr\.json|c|\d+([./]\d+)*")


def _is_season(path: Path) -> bool:
    """Whether there is nothing but what ``save_season`` writes under such a name."""
    if path.suffix == ".nc":
        if not path.is_file():
            return False
        with open(path, "rb") as file:
            return file.read(4) in (b"\x89HDF", b"CDF\x01", b"CDF\x02")
    if not path.is_dir():
        return False
    if path.suffix == "":
        return all(_GEOTIFF.fullmatch(file.name) for file in path.iterdir())
    arrays = {file.parent for name in (".zarray", "zarr.json") for file in path.glob(f"*/{name}")}
    files = [file for file in path.rglob("*") if not file.is_dir()]
    return {"time", "y", "x"} <= {array.name for array in arrays} and all(
        _ZARR.fullmatch(file.name) and (file.parent == path or arrays & {*file.parents})
        for file in files
    )


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _save_geotiffs(season: xr.Dataset, folder: Path) -> None:
    folder.mkdir()
    profile = geotiff_profile(season)
    names = [name for name in POLARISATIONS if name in season]
    names += [name for name in bands(season) if name not in POLARISATIONS]
    # 18 of 23 mantissa bits are dropped: an error of at most 0.07 dB, far below speckle, for a
    # quarter of the size.
    options = {
        "dtype": "float32",
        "count": len(names),
        "nodata": np.nan,
        "predictor": 3,
        "discard_lsb": 18,
        "zlevel": 9,
        "interleave": "band",
    }
    shown = [name.upper() if name in POLARISATIONS else name for name in names]
    units = [str(season[name].attrs.get("units", "")) for name in names]
    ending = "".join(shown) if set(names) <= set(POLARISATIONS) else "bands"
    stated = {"QUANTITY": quantity(season), "SIMULATION": simulation(season)}
    tags = {"UNITS": "linear power"} | {name: value for name, value in stated.items() if value}
    for date in season.time.values:
        image = season[names].sel(time=date)
        day = np.datetime_as_string(date, unit="s")
        stamp = day.replace("-", "").replace(":", "")
        with rasterio.open(folder / f"{stamp}_{ending}.tif", "w", **profile, **options) as tif:
            tif.descriptions = shown
            tif.units = units
            tif.update_tags(ACQUISITION_TIME=day, **tags)
            for number, name in enumerate(names, start=1):
                tif.write(image[name].values.astype("float32"), number)
    for name in STATIC.keys() & set(season.data_vars):
        layer = season[name].values.astype(STATIC[name])
        with rasterio.open(
            folder / f"{name}.tif",
            "w",
            **profile,
            dtype=layer.dtype,
            count=1,
            nodata=UNKNOWN if name == "crop" else None,
        ) as tif:
            if name == "crop":
                write_legend(tif, legend(season))
            tif.write(layer, 1)
    if "crop" in season:
        write_class_names(folder / "crop.tif", legend(season))


def geotiff_profile(season: xr.Dataset) -> dict[str, Any]:
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


def write_legend(tif: rasterio.io.DatasetWriter, crops: Sequence[Crop]) -> None:
    """Put the legend's colours (colour table) and names (tags) into an open label GeoTIFF."""
    colours = [bytes.fromhex(crop.colour[1:]) for crop in crops]
    tif.write_colormap(1, {code: (*colour, 255) for code, colour in enumerate(colours)})
    tif.update_tags(**{key: value for key, value in flags(crops).items() if key in LEGEND_TAGS})


def write_class_names(path: Path, crops: Sequence[Crop]) -> None:
    """Write the class names where GDAL and QGIS look for them: the ``.aux.xml`` file beside a label
    GeoTIFF.
    """
    names = "".join(f"<Category>{escape(crop.name)}</Category>" for crop in crops)
    text = (
        "<PAMDataset><PAMRasterBand "
        f'band="1"><CategoryNames>{names}</CategoryNames></PAMRasterBand></PAMDataset>\n'
    )
    Path(f"{path}.aux.xml").write_text(text, encoding="utf-8")
