"""A season from a STAC catalogue of Sentinel-1 backscatter.

Any collection of terrain-corrected (or at least geocoded, calibrated) images will do.

STAC (https://stacspec.org) describes images, not pixels: an item is one image, its assets are
files, its properties say when and from which orbit. A season takes the items of one track (relative
orbit and direction) over an area, mosaics those of one overpass, and reads pixels when they are
asked for.
"""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import rasterio
import xarray as xr
from rasterio.errors import RasterioIOError

from stma_nb import cube
from stma_nb.cube import SeasonError
from stma_nb.extras import needs
from stma_nb.sources.catalogues import (
    EXTENSIONS,
    area_polygon,
    first_line,
    items_of,
    time_of,
    whole_days,
)

with needs("stac"):
    import odc.stac
    import pystac
    from odc.geo.crs import CRS
    from odc.geo.geobox import GeoBox
    from odc.geo.geom import Geometry
    from pyproj.exceptions import CRSError
    from shapely.geometry import mapping, shape
    from shapely.geometry.base import BaseGeometry
    from shapely.ops import unary_union

# Items of one track closer in time than this were taken in one overpass.
OVERPASS = pd.Timedelta("30min")
BANDS = ("vv", "vh")
SCALES = {
    "power": lambda data: data,
    "amplitude": lambda data: data**2,
    "dB": lambda data: 10 ** (data / 10),
}


def season_from_stac(
    catalogue: str | Path | pystac.ItemCollection,
    area: Sequence[float] | dict | str | Path,
    start: str,
    end: str,
    collection: str | None = None,
    relative_orbit: int | None = None,
    direction: str | None = None,
    pixel: float | None = None,
    crs: str | None = None,
    scale: str | None = None,
) -> xr.Dataset:
    """A lazy season (time, y, x) of linear power from the Sentinel-1 items of a catalogue.

    Args:
        catalogue: a name in ``catalogues.CATALOGUES``, the address of a STAC API, a file
            (catalogue, collection or item collection), a folder of GeoTIFFs, or an item collection
            (``catalogues.catalogue_of_folder``).
        area: west, south, east, north in degrees, or a GeoJSON polygon or file; the season covers
            its bounding rectangle.
        start, end: first and last day, such as "2021-04-01".
        collection: which collection of the catalogue (default: that of the named catalogue, or all
            of a file).
        relative_orbit, direction: the track ("ascending" or "descending"); default: the one that
            sees most of the area most often.
        pixel, crs: the grid; default: that of the images. Coarser pixels are means of power, others
            nearest neighbours.
        scale: "power", "amplitude" or "dB", if the metadata do not say what the numbers are; power
            is assumed.

    Pixels are NaN where the images have no data (zero, if they do not say what no data is).
    ``attrs`` hold source, collection, licence, number of items and the tracks found. Links that a
    catalogue signs expire: save the season (``cube.save_season``).

    Raises SeasonError if nothing fits, or what fits is not calibrated backscatter on a map grid;
    FileNotFoundError; ConnectionError if a catalogue is out of reach.
    """
    if scale not in (None, *SCALES):
        raise SeasonError(f"scale is '{scale}'; expected one of {', '.join(SCALES)}.")
    polygon = area_polygon(area)
    period = whole_days(start, end)
    source, items, licence = items_of(catalogue, polygon, period, collection)
    dual = [item for item in map(_with_polarisations, items) if item]
    if not dual:
        raise SeasonError(
            f"None of the {len(items)} items in '{source}' has both VV and VH "
            f"as files of their own; the assets of the first are {', '.join(items[0].assets)}: "
            "take another collection."
        )
    chosen, orbit, tracks = _one_track(dual, polygon, relative_orbit, direction)

    scale = scale or _stated_scale(chosen[0])
    nodata, native, resolution = _look_at(chosen[0], scale)
    pixel = pixel or resolution
    crs = _projected(crs or _most_common_crs(chosen) or native, polygon)
    coarser = pixel > 1.5 * resolution
    if coarser and scale not in (None, "power"):
        raise SeasonError(
            f"The images are in {scale}; means over {pixel:g} m would be wrong: "
            f"leave pixel at {resolution:g} m."
        )
    grid = GeoBox.from_geopolygon(Geometry(mapping(polygon), "EPSG:4326"), pixel, crs)
    season = _load(chosen, grid, nodata, coarser)
    for name in BANDS:
        known = season[name].where(season[name] != nodata)
        season[name] = SCALES[scale or "power"](known).astype("float32")
        season[name].attrs = {
            "long_name": f"{name.upper()} backscatter",
            "units": "1",
            **_quantity(chosen[0]),
        }
    if orbit is not None:
        orbits = np.full(season.sizes["time"], orbit)
        season = season.assign_coords(relative_orbit=("time", orbits))
    return season.assign_attrs(
        title="Sentinel-1 season",
        source=source,
        collection=chosen[0].collection_id or "none",
        licence=licence,
        items=len(chosen),
        tracks=tracks,
    )


def _load(items: list[pystac.Item], grid: GeoBox, nodata: float, coarser: bool) -> xr.Dataset:
    """The numbers of the images on the grid, lazily; those of one overpass in one mosaic."""
    for item in items:
        for asset in item.assets.values():
            asset.extra_fields["data_type"] = "float32"
            asset.extra_fields["nodata"] = nodata
    season = odc.stac.load(
        items,
        bands=list(BANDS),
        groupby="overpass",
        geobox=grid,
        resampling="average" if coarser else "nearest",
        chunks={"x": 2 * cube.CHUNK, "y": 2 * cube.CHUNK},
    )
    overpasses = sorted({item.properties["overpass"] for item in items})
    times = pd.to_datetime(overpasses, format="ISO8601").tz_localize(None)
    return season.assign_coords(time=times.as_unit("ns").values)


# ----------------------------------------------------------------------------------------- choosing


def _with_polarisations(item: pystac.Item) -> pystac.Item | None:
    """The item with assets 'vv' and 'vh' only, or None if it lacks one."""
    found = {name: asset for name in BANDS if (asset := _asset(item, name))}
    if len(found) < len(BANDS):
        return None
    only = pystac.Item(
        item.id,
        item.geometry,
        item.bbox,
        item.datetime,
        dict(item.properties),
        stac_extensions=list({*item.stac_extensions, *EXTENSIONS}),
        collection=item.collection_id,
    )
    for name, asset in found.items():
        only.add_asset(name, asset.clone())
    return only


def _asset(item: pystac.Item, name: str) -> pystac.Asset | None:
    """The image of one polarisation, by its key, else by what is said of it.

    That is its key, its file name, or the metadata of its bands.
    """
    for key, asset in item.assets.items():
        if key.lower() == name:
            return asset
    for key, asset in item.assets.items():
        # 'vv' or 'vh', but not within a word.
        named = set(re.findall("(?<![a-z])v[vh](?![a-z])", _said_of(key, asset)))
        is_data = "data" in (asset.roles or ["data"])
        if named == {name} and is_data and _is_tiff(asset):
            return asset
    return None


def _said_of(key: str, asset: pystac.Asset) -> str:
    """Key, file name and bands of an asset, in small letters."""
    words = [key, asset.href.split("?")[0].split("/")[-1]]
    for field in ("bands", "eo:bands"):
        words += [str(band.get("name")) for band in asset.extra_fields.get(field, [])]
    words += asset.extra_fields.get("sar:polarizations", [])
    return " ".join(words).lower()


def _is_tiff(asset: pystac.Asset) -> bool:
    by_type = "tiff" in (asset.media_type or "")
    return by_type or bool(re.search(r"\.tiff?($|\?)", asset.href, re.IGNORECASE))


def _one_track(
    items: list[pystac.Item],
    polygon: BaseGeometry,
    relative_orbit: int | None,
    direction: str | None,
) -> tuple[list[pystac.Item], int | None, str]:
    """(items of one track with their 'overpass', its relative orbit, all tracks in words)."""
    tracks = _tracks(items)
    ranked = sorted(tracks, key=lambda track: _seen(tracks[track], polygon), reverse=True)
    fit = []
    for track in ranked:
        orbit, going = track
        if relative_orbit in (None, orbit) and direction in (None, going):
            fit.append(track)
    told = [_in_words(track, tracks[track]) for track in ranked]
    if not fit:
        wanted = " ".join(str(value) for value in (relative_orbit, direction) if value is not None)
        raise SeasonError(
            f"No item is of track {wanted}; found {', '.join(told)}: ask for one of these."
        )
    best = fit[0]
    return tracks[best], best[0], "; ".join(told)


Track = tuple[int | None, str | None]  # relative orbit, direction


def _tracks(items: list[pystac.Item]) -> dict[Track, list[pystac.Item]]:
    """The items by track, in order of time; all of one overpass get its time as 'overpass'."""
    tracks: dict[Track, list[pystac.Item]] = {}
    for item in sorted(items, key=time_of):
        track = item.properties.get("sat:relative_orbit"), item.properties.get("sat:orbit_state")
        before = tracks.setdefault(track, [])
        if before and time_of(item) - time_of(before[-1]) < OVERPASS:
            item.properties["overpass"] = before[-1].properties["overpass"]
        else:
            item.properties["overpass"] = time_of(item).isoformat()
        before.append(item)
    return tracks


def _seen(items: list[pystac.Item], polygon: BaseGeometry) -> float:
    """How much of the area is seen how often, in square degrees times overpasses."""
    passes: dict[str, list] = {}
    for item in items:
        passes.setdefault(item.properties["overpass"], []).append(shape(item.geometry))
    areas = [unary_union(footprints).intersection(polygon).area for footprints in passes.values()]
    return sum(areas)


def _in_words(track: Track, items: list[pystac.Item]) -> str:
    orbit, direction = track
    count = len({item.properties["overpass"] for item in items})
    going = f" {direction}" if direction else ""
    return f"relative orbit {orbit or 'not stated'}{going} ({count} overpasses)"


# ----------------------------------------------------------------------------- what the numbers are


def _stated_scale(item: pystac.Item) -> str | None:
    """What an item's metadata say of its numbers: 'power', 'amplitude', 'dB', or None."""
    fields = item.assets["vv"].extra_fields
    said = [part.get("unit") for part in _parts(fields)]
    said.append(fields.get("unit"))
    said.append(item.properties.get("card4l:measurement_convention"))
    found = re.search("power|amplitude|db|decibel", " ".join(map(str, said)).lower())
    if not found:
        return None
    return found[0] if found[0] in ("power", "amplitude") else "dB"


def _parts(fields: dict) -> list[dict]:
    """What the metadata of an asset say of its bands, in old and in new words of STAC."""
    return fields.get("raster:bands", []) + fields.get("bands", [])


def _quantity(item: pystac.Item) -> dict[str, str]:
    """gamma0 or sigma0 as the attribute 'quantity', if an item's metadata say it."""
    asset = item.assets["vv"]
    said = [asset.title, asset.description]
    said += [item.properties.get("card4l:measurement_type"), item.collection_id]
    found = re.search("gamma|sigma", " ".join(map(str, said)).lower())
    return {"quantity": f"{found[0]}0"} if found else {}


def _look_at(item: pystac.Item, scale: str | None) -> tuple[float, str, float]:
    """(nodata, CRS, pixel in metres) of an item's VV image.

    Raises SeasonError if it is not backscatter on a map grid.
    """
    asset = item.assets["vv"]
    try:
        with rasterio.open(asset.href) as tif:
            overview = tif.read(1, out_shape=(min(tif.height, 64), min(tif.width, 64)), masked=True)
            crs = tif.crs
            resolution = tif.res[0]
            stated = tif.nodata
    except RasterioIOError as error:
        raise SeasonError(
            f"The image of '{item.id}' cannot be opened ({first_line(error)}): "
            "check that it is there, and that you may read it "
            "(the Planetary Computer may want PC_SDK_SUBSCRIPTION_KEY to be set)."
        ) from error
    if crs is None or np.issubdtype(overview.dtype, np.integer):
        article = "no" if crs is None else "a"
        raise SeasonError(
            f"The image of '{item.id}' has {overview.dtype} numbers and {article} map grid; "
            "expected float32 backscatter on a map grid: uncalibrated GRD will not do, "
            "take a terrain-corrected (RTC) collection."
        )
    nodata = _nodata(asset.extra_fields, stated)
    values = overview.compressed()
    values = values[np.isfinite(values) & (values != nodata)]
    if len(values) and scale != "dB" and not 0 <= np.median(values) < 10:
        raise SeasonError(
            f"The image of '{item.id}' has a median of {np.median(values):.1f}; "
            "expected linear power, mostly below 1: "
            "give scale='dB' if it is in dB, or take a calibrated collection."
        )
    if not crs.is_projected:  # degrees: 111 320 m on the equator, rounded to tens of metres
        resolution = max(10, round(resolution * 111_320, -1))
    return nodata, crs.to_wkt(), resolution


def _nodata(fields: dict, stated: float | None) -> float:
    """The number that stands for no data: of the metadata, else ``stated`` in the file, else 0."""
    for part in [fields, *_parts(fields)]:
        if part.get("nodata") is not None:
            return float(part["nodata"])
    # Where nothing is said, zeros are the land beside the swath.
    return 0.0 if stated is None else stated


def _most_common_crs(items: list[pystac.Item]) -> str | None:
    codes = [item.properties.get("proj:code") or item.properties.get("proj:epsg") for item in items]
    code = Counter(codes).most_common(1)[0][0]
    return f"EPSG:{code}" if isinstance(code, int) else code


def _projected(crs: str, polygon: BaseGeometry) -> CRS:
    """The CRS if it is in metres, else the UTM zone of the area."""
    try:
        found = CRS(crs)
    except CRSError as error:
        raise SeasonError(
            f"'{crs}' is no coordinate reference system: give a code such as EPSG:32633."
        ) from error
    return found if found.projected else CRS.utm(Geometry(mapping(polygon), "EPSG:4326"))
