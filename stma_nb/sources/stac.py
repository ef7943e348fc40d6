"""A season from a STAC catalogue: any collection of terrain-corrected (or at least geocoded,
calibrated) Sentinel-1 backscatter.

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
import odc.stac
import pandas as pd
import pystac
import rasterio
import xarray as xr
from odc.geo.crs import CRS
from odc.geo.geobox import GeoBox
from odc.geo.geom import Geometry
from pyproj.exceptions import CRSError
from rasterio.errors import RasterioIOError
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

from stma_nb import cube
from stma_nb.cube import SeasonError
from stma_nb.sources.catalogues import (
    EXTENSIONS,
    area_polygon,
    first_line,
    items_of,
    time_of,
    whole_days,
)

OVERPASS = pd.Timedelta(
    "30min"
)  # items of one track closer in time than this were taken in one overpass
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
    """A lazy season (time, y, x) of linear power from the Sentinel-1 items of a catalogue over an
    area and a period.

    Args: catalogue: a name in ``catalogues.CATALOGUES``, the address of a STAC API, a file
        (catalogue, collection or item collection), a folder of GeoTIFFs, or an item collection
        (``catalogues.catalogue_of_folder``). area: west, south, east, north in degrees, or a
        GeoJSON polygon or file; the season covers its bounding rectangle. start, end: first and
        last day, such as "2021-04-01". collection: which collection of the catalogue (default: that
        of the named catalogue, or all of a file). relative_orbit, direction: the track ("ascending"
        or "descending"); default: the one that sees most of the area most often. pixel, crs: the
        grid; default: that of the images. Coarser pixels are means of power, others nearest
        neighbours. scale: "power", "amplitude" or "dB", if the metadata do not say what the numbers
        are; power is assumed.

    Pixels are NaN where the images have no data (zero, if they do not say what no data is).
    ``attrs`` hold source, collection, licence, number of items and the tracks found. Links that a
    catalogue signs expire: save the season (``cube.save_season``).

    Raises SeasonError if nothing fits, or what fits is not calibrated backscatter on a map grid;
    FileNotFoundError; ConnectionError if a catalogue is out of reach.
    """
    if scale not in (None, *SCALES):
        raise SeasonError(f"scale is '{scale}'; expected one of {', '.join(SCALES)}.")
    polygon, period = area_polygon(area), whole_days(start, end)
    source, items, licence = items_of(catalogue, polygon, period, collection)
    dual = [item for item in map(_with_polarisations, items) if item]
    if not dual:
        raise SeasonError(
            f"None of the {len(items)} items in '{source}' has both VV and VH as files of their "
            "own; the assets of the first are "
            f"{', '.join(items[0].assets)}: take another collection."
        )
    chosen, orbit, tracks = _one_track(dual, polygon, relative_orbit, direction)

    scale = scale or _stated_scale(chosen[0])
    nodata, native, resolution = _look_at(chosen[0], scale)
    grid = _projected(crs or _most_common_crs(chosen) or native, polygon)
    coarser = (pixel or resolution) > 1.5 * resolution
    if coarser and scale not in (None, "power"):
        raise SeasonError(
            f"The images are in {scale}; means over {pixel:g} m would be wrong: leave pixel at "
            f"{resolution:g} m."
        )
    for item in chosen:
        for asset in item.assets.values():
            asset.extra_fields |= {"data_type": "float32", "nodata": nodata}
    season = odc.stac.load(
        chosen,
        bands=list(cube.POLARISATIONS),
        groupby="overpass",
        geobox=GeoBox.from_geopolygon(
            Geometry(mapping(polygon), "EPSG:4326"), pixel or resolution, grid
        ),
        resampling="average" if coarser else "nearest",
        chunks={"x": 2 * cube.CHUNK, "y": 2 * cube.CHUNK},
    )
    times = pd.to_datetime(
        sorted({item.properties["overpass"] for item in chosen}), format="ISO8601"
    ).tz_localize(None)
    season = season.assign_coords(time=times.as_unit("ns").values)
    for name in cube.POLARISATIONS:
        season[name] = SCALES[scale or "power"](season[name].where(season[name] != nodata)).astype(
            "float32"
        )
        season[name].attrs = {"long_name": f"{name.upper()} backscatter", "units": "1"} | _quantity(
            chosen[0]
        )
    if orbit is not None:
        season = season.assign_coords(relative_orbit=("time", np.full(len(times), orbit)))
    return season.assign_attrs(
        title="Sentinel-1 season",
        source=source,
        collection=chosen[0].collection_id or "none",
        licence=licence,
        items=len(chosen),
        tracks=tracks,
    )


# ----------------------------------------------------------------------------------------- choosing


def _with_polarisations(item: pystac.Item) -> pystac.Item | None:
    """The item with assets 'vv' and 'vh' only, or None if it lacks one."""
    found = {name: _asset(item, name) for name in cube.POLARISATIONS}
    if None in found.values():
        return None
    only = pystac.Item(
        item.id, item.geometry, item.bbox, item.datetime, dict(item.properties),
        stac_extensions=list({*item.stac_extensions, *EXTENSIONS}), collection=item.collection_id,
    )  # fmt: skip
    for name, asset in found.items():
        only.add_asset(name, asset.clone())
    return only


def _asset(item: pystac.Item, name: str) -> pystac.Asset | None:
    """The image of one polarisation: by its key, else by what key, file name or band metadata say
    of a data asset.
    """
    for key, asset in item.assets.items():
        if key.lower() == name:
            return asset
    for key, asset in item.assets.items():
        bands = [
            str(band.get("name"))
            for field in ("bands", "eo:bands")
            for band in asset.extra_fields.get(field, [])
        ]
        said = " ".join(
            [
                key,
                asset.href.split("?")[0].split("/")[-1],
                *bands,
                *asset.extra_fields.get("sar:polarizations", []),
            ]
        )
        tiff = "tiff" in (asset.media_type or "") or re.search(
            r"\.tiff?($|\?)", asset.href, re.IGNORECASE
        )
        if (
            tiff
            and "data" in (asset.roles or ["data"])
            and set(re.findall("(?<![a-z])v[vh](?![a-z])", said.lower())) == {name}
        ):
            return asset
    return None


def _one_track(
    items: list[pystac.Item],
    polygon: BaseGeometry,
    relative_orbit: int | None,
    direction: str | None,
) -> tuple[list[pystac.Item], int | None, str]:
    """(items of one track with their 'overpass', its relative orbit, all tracks in words)."""
    tracks: dict[tuple, list[pystac.Item]] = {}
    for item in sorted(items, key=time_of):
        track = item.properties.get("sat:relative_orbit"), item.properties.get("sat:orbit_state")
        before = tracks.setdefault(track, [])
        same = before and time_of(item) - time_of(before[-1]) < OVERPASS
        item.properties["overpass"] = (
            before[-1].properties["overpass"] if same else time_of(item).isoformat()
        )
        before.append(item)

    def seen(track: tuple) -> float:
        """How often the area is seen, in square degrees times overpasses."""
        passes: dict[str, list] = {}
        for item in tracks[track]:
            passes.setdefault(item.properties["overpass"], []).append(shape(item.geometry))
        return sum(
            unary_union(footprints).intersection(polygon).area for footprints in passes.values()
        )

    def words(track: tuple) -> str:
        count = len({item.properties["overpass"] for item in tracks[track]})
        return (
            f"relative orbit {track[0] or 'not stated'}{f' {track[1]}' if track[1] else ''} "
            f"({count} overpasses)"
        )

    ranked = sorted(tracks, key=seen, reverse=True)
    fit = [
        track
        for track in ranked
        if relative_orbit in (None, track[0]) and direction in (None, track[1])
    ]
    if not fit:
        wanted = " ".join(str(value) for value in (relative_orbit, direction) if value is not None)
        raise SeasonError(
            f"No item is of track {wanted}; found {', '.join(map(words, ranked))}: ask for one of "
            "these."
        )
    return tracks[fit[0]], fit[0][0], "; ".join(map(words, ranked))


# ----------------------------------------------------------------------------- what the numbers are


def _stated_scale(item: pystac.Item) -> str | None:
    """What an item's metadata say of its numbers: 'power', 'amplitude', 'dB', or None."""
    fields = item.assets["vv"].extra_fields
    units = [
        part.get("unit") for key in ("raster:bands", "bands") for part in fields.get(key, [])
    ] + [fields.get("unit")]
    text = " ".join(
        map(str, [*units, item.properties.get("card4l:measurement_convention")])
    ).lower()
    found = re.search("power|amplitude|db|decibel", text)
    return {"power": "power", "amplitude": "amplitude"}.get(found[0], "dB") if found else None


def _quantity(item: pystac.Item) -> dict[str, str]:
    asset = item.assets["vv"]
    text = (
        f"{asset.title} {asset.description} {item.properties.get('card4l:measurement_type')} "
        f"{item.collection_id}"
    ).lower()
    found = re.search("gamma|sigma", text)
    return {"quantity": f"{found[0]}0"} if found else {}


def _look_at(item: pystac.Item, scale: str | None) -> tuple[float, str, float]:
    """(nodata, CRS, pixel in metres) of an item's VV image; raises SeasonError if it is not
    backscatter on a map grid.
    """
    asset = item.assets["vv"]
    try:
        with rasterio.open(asset.href) as tif:
            overview = tif.read(1, out_shape=(min(tif.height, 64), min(tif.width, 64)), masked=True)
            crs, resolution, stated = tif.crs, tif.res[0], tif.nodata
    except RasterioIOError as error:
        raise SeasonError(
            f"The image of '{item.id}' cannot be opened ({first_line(error)}): check that it is "
            "there, and that you may read it "
            "(the Planetary Computer may want PC_SDK_SUBSCRIPTION_KEY to be set)."
        ) from error
    if crs is None or np.issubdtype(overview.dtype, np.integer):
        raise SeasonError(
            f"The image of '{item.id}' has {overview.dtype} numbers and "
            f"{'no' if crs is None else 'a'} map grid; expected float32 "
            "backscatter on a map grid: uncalibrated GRD will not do, take a terrain-corrected "
            "(RTC) collection."
        )
    fields = asset.extra_fields
    said = [fields] + [part for key in ("raster:bands", "bands") for part in fields.get(key, [])]
    nodata = next(
        (float(part["nodata"]) for part in said if part.get("nodata") is not None), stated
    )
    nodata = (
        0.0 if nodata is None else nodata
    )  # where nothing is said, zeros are the land beside the swath
    values = overview.compressed()
    values = values[np.isfinite(values) & (values != nodata)]
    if len(values) and scale != "dB" and not 0 <= np.median(values) < 10:
        raise SeasonError(
            f"The image of '{item.id}' has a median of {np.median(values):.1f}; expected linear "
            "power, mostly below 1: "
            "give scale='dB' if it is in dB, or take a calibrated collection."
        )
    return (
        nodata,
        crs.to_wkt(),
        resolution if crs.is_projected else max(10, round(resolution * 111_320, -1)),
    )


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
