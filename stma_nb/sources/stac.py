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
import xarray as xr
from pyproj.exceptions import CRSError

from stma_nb import cube
from stma_nb.cube import Scale, SeasonError
from stma_nb.cube.names import is_side_file
from stma_nb.cube.reading import OVERPASS
from stma_nb.cube.values import check_scale, to_backscatter
from stma_nb.extras import needs
from stma_nb.sources.catalogues import (
    EXTENSIONS,
    Period,
    area_polygon,
    gdal_of,
    is_remote,
    items_of,
    readable,
    time_of,
    whole_days,
)
from stma_nb.sources.images import (
    BANDS,
    Image,
    check_images,
    look_at,
    quantity,
    scale_of,
)

with needs("stac"):
    import odc.stac
    import pystac
    from odc.geo.crs import CRS
    from odc.geo.geobox import GeoBox
    from odc.geo.geom import Geometry
    from shapely.geometry import mapping, shape
    from shapely.geometry.base import BaseGeometry
    from shapely.ops import unary_union

CYCLE = 12  # days after which a satellite comes back to its track; two come every 6


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
    scale: Scale | None = None,
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
        scale: what the numbers are, if the metadata do not say it (``cube.Scale``); power is
            assumed. Scale and offset of packed numbers are applied before.

    Pixels are NaN where the images have no data (zero, if they do not say what no data is). Every
    image is looked at: one whose numbers cannot be backscatter is refused, and a date without data
    in the area is left out. ``attrs`` hold source, collection, licence, number of items, the tracks
    found, how many passes of those expected (``passes``) and what was left out (``comment``). Links
    that a catalogue signs expire: save the season (``cube.save_season``).

    Raises SeasonError if nothing fits, or what fits is not calibrated backscatter on a map grid;
    FileNotFoundError; ConnectionError if a catalogue is out of reach.
    """
    if scale is not None:
        check_scale(scale)
    polygon = area_polygon(area)
    period = whole_days(start, end)
    with readable(catalogue):
        source, items, licence, passed_over = items_of(catalogue, polygon, period, collection)
        dual = [item for item in map(_with_polarisations, items) if item]
        if not dual:
            raise SeasonError(
                f"None of the {len(items)} items in '{source}' has both VV and VH "
                f"as files of their own; the assets of the first are {', '.join(items[0].assets)}: "
                "take another collection."
            )
        chosen, orbit, tracks = _one_track(dual, polygon, relative_orbit, direction)
        scale = scale or scale_of(chosen)
        images = look_at(chosen, polygon.bounds, is_remote(source), scale)
    scale = scale or "power"
    for item, looked in zip(chosen, images, strict=True):
        check_images(item, looked, scale)
    chosen, images, empty = _with_data(chosen, images)
    passes = _passes(chosen, period, orbit)
    usual = _usual([looked["vv"] for looked in images])
    pixel = pixel or usual.resolution
    onto = _projected(crs, polygon) if crs else _of_images(usual.crs.to_wkt(), polygon)
    coarser = pixel > 1.5 * usual.resolution
    if coarser and scale != "power":
        raise SeasonError(
            f"The images are in {scale}; means over {pixel:g} m would be wrong: "
            f"leave pixel at {usual.resolution:g} m."
        )
    grid = GeoBox.from_geopolygon(Geometry(mapping(polygon), "EPSG:4326"), pixel, onto)
    season = _load(chosen, images, grid, coarser)
    for name in BANDS:
        season[name] = to_backscatter(season[name], scale)
        season[name].attrs["long_name"] = f"{name.upper()} backscatter"
        if measured := quantity(chosen[0]):
            season[name].attrs["quantity"] = measured
    if orbit is not None:
        orbits = np.full(season.sizes["time"], orbit)
        season = season.assign_coords(relative_orbit=("time", orbits))
    comments = [text for text in (passed_over, empty) if text]
    return season.assign_attrs(
        title="Sentinel-1 season",
        source=source,
        collection=chosen[0].collection_id or "none",
        licence=licence,
        items=len(chosen),
        tracks=tracks,
        passes=passes,
        **({"comment": "; ".join(comments)} if comments else {}),
    )


def _with_data(
    items: list[pystac.Item], images: list[dict[str, Image]]
) -> tuple[list[pystac.Item], list[dict[str, Image]], str]:
    """The items of overpasses that have data in the area, their images, and what was left out."""
    both = [all(len(image.values) for image in looked.values()) for looked in images]
    seen = {item.properties["overpass"] for item, full in zip(items, both, strict=True) if full}
    every = {item.properties["overpass"] for item in items}
    if not seen:
        raise SeasonError(
            f"None of the {len(items)} images of the track has data in the area "
            f"(the first is '{items[0].id}'): check area and nodata, or take another track."
        )
    kept = [
        (item, looked)
        for item, looked in zip(items, images, strict=True)
        if item.properties["overpass"] in seen
    ]
    days = ", ".join(sorted(overpass[:10] for overpass in every - seen))
    told = f"dates without data in the area left out: {days}" if days else ""
    return [item for item, _ in kept], [looked for _, looked in kept], told


def _load(
    items: list[pystac.Item], images: list[dict[str, Image]], grid: GeoBox, coarser: bool
) -> xr.Dataset:
    """The numbers of the images on the grid, lazily; those of one overpass in one mosaic."""
    every = [image for looked in images for image in looked.values()]
    packings = {image.packing for image in every}
    if len(packings) > 1:
        told = ", ".join(f"scale {scale:g}, offset {offset:g}" for scale, offset in packings)
        raise SeasonError(f"The images are packed in several ways ({told}): ask for those of one.")
    ((scale, offset),) = packings
    fills = {image.nodata for image in every}
    for item, looked in zip(items, images, strict=True):
        for name, image in looked.items():
            item.add_asset(name, _described(item.assets[name].href, image, every[0].nodata))
    with gdal_of(items[0].assets["vv"].href):  # which the lazy reading keeps
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
    season = season.assign_coords(time=times.as_unit("ns").values)
    return season.map(lambda band: scale * band.where(~band.isin(list(fills))) + offset)


def _described(href: str, image: Image, nodata: float) -> pystac.Asset:
    """A file with what a look at it found, in the words of STAC, whatever the catalogue says."""
    code = image.crs.to_epsg()
    crs = {"proj:code": f"EPSG:{code}"} if code else {"proj:wkt2": image.crs.to_wkt()}
    fields = {
        **crs,
        "proj:shape": list(image.shape),
        "proj:transform": list(image.transform)[:6],
        "data_type": "float32",
        "nodata": nodata,
    }
    return pystac.Asset(
        href, media_type=pystac.MediaType.GEOTIFF, roles=["data"], extra_fields=fields
    )


# ----------------------------------------------------------------------------------------- choosing


def _with_polarisations(item: pystac.Item) -> pystac.Item | None:
    """The item with assets 'vv' and 'vh' only, or None if it lacks one."""
    found = {name: asset for name in BANDS if (asset := _asset(item, name))}
    if len(found) < len(BANDS):
        return None
    only = pystac.Item(
        item.id,
        item.geometry,
        list(shape(item.geometry).bounds),
        time_of(item).to_pydatetime(),
        {name: value for name, value in item.properties.items() if not name.startswith("proj:")},
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
        said = _said_of(key, asset)
        named = set(re.findall("(?<![a-z])v[vh](?![a-z])", said))
        is_data = "data" in (asset.roles or ["data"]) and not _beside(key, asset)
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


def _beside(key: str, asset: pystac.Asset) -> bool:
    """Whether an asset is a mask, an angle or the like, by its key or file name."""
    stem = asset.href.split("?")[0].split("/")[-1].rpartition(".")[0]
    return is_side_file(key) or is_side_file(stem)


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
        if before and time_of(item) - time_of(before[-1]) < pd.Timedelta(OVERPASS):
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


def _passes(items: list[pystac.Item], period: Period, orbit: int | None) -> str:
    """How many overpasses there are of those expected, in words.

    A track is passed every 12 days by one satellite; by two, where dates an odd number of 6 days
    apart show them, every 6.
    """
    times = pd.to_datetime(
        sorted({item.properties["overpass"] for item in items}), format="ISO8601"
    )
    if orbit is None:
        return f"{len(times)} passes; how many were expected is not known without relative orbits"
    half_cycles = np.rint((times - times[0]) / pd.Timedelta(days=CYCLE / 2)).astype(int)
    step = CYCLE // 2 if (half_cycles % 2).any() else CYCLE
    every = pd.Timedelta(days=step)
    expected = (times[0] - period[0]) // every + (period[1] - times[0]) // every + 1
    return f"{len(times)} of {expected} passes expected, one every {step} days"


# ---------------------------------------------------------------------------------------- the grid


def _usual(images: list[Image]) -> Image:
    """The first of the images in the CRS that most of them have."""
    counts = Counter(image.crs.to_wkt() for image in images)
    return next(image for image in images if image.crs.to_wkt() == counts.most_common(1)[0][0])


def _projected(crs: str, polygon: BaseGeometry) -> CRS:
    """The CRS that was asked for, or the UTM zone of the area if it is in degrees."""
    try:
        found = CRS(crs)
    except CRSError as error:
        raise SeasonError(
            f"'{crs}' is no coordinate reference system: give a code such as EPSG:32633."
        ) from error
    return found if found.projected else _utm(polygon)


def _of_images(crs: str, polygon: BaseGeometry) -> CRS:
    """The CRS of the images, or the UTM zone of the area if its units are no metres on the ground.

    Those of the web's maps (EPSG:3857) are 1.6 times as long in Germany.
    """
    found = CRS(crs)
    metric = found.projected and set(found.units) <= {"metre", "meter"} and found.epsg != 3857
    return found if metric else _utm(polygon)


def _utm(polygon: BaseGeometry) -> CRS:
    return CRS.utm(Geometry(mapping(polygon), "EPSG:4326"))
