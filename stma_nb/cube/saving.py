"""Save a season as Zarr, NetCDF or GeoTIFFs, and write what belongs to a class raster."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
import rasterio
import xarray as xr

from stma_nb.cube.checks import CHUNK, POLARISATIONS, bands, check_season, quantity, simulation
from stma_nb.cube.classes import UNKNOWN, Crop, SeasonError, flags, legend
from stma_nb.cube.geotiffs import LEGEND_TAGS, STATIC
from stma_nb.files import refuse_existing


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
    season = check_season(season)
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
