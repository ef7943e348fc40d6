"""Which images there are: the STAC items of Sentinel-1 over an area in a period.

They come from an API, a file or a folder of GeoTIFFs.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import rasterio
from rasterio.errors import RasterioError
from rasterio.warp import transform_bounds, transform_geom

from stma_nb import cube
from stma_nb.cube import SeasonError
from stma_nb.cube.classes import first_line
from stma_nb.cube.names import is_side_file
from stma_nb.extras import needs

with needs("stac"):
    import pystac
    import pystac_client
    import requests
    from pystac.utils import make_absolute_href
    from pystac_client.errors import ClientTypeError
    from pystac_client.exceptions import APIError
    from shapely.errors import ShapelyError
    from shapely.geometry import Polygon, box, mapping, shape
    from shapely.geometry.base import BaseGeometry
    from shapely.ops import unary_union

CATALOGUES = {  # name -> (address of the API, its collection of Sentinel-1)
    "planetary-computer": ("https://planetarycomputer.microsoft.com/api/stac/v1", "sentinel-1-rtc"),
    "digital-earth-africa": ("https://explorer.digitalearth.africa/stac", "s1_rtc"),
    "earth-search": ("https://earth-search.aws.element84.com/v1", "sentinel-1-grd"),
    "copernicus": ("https://stac.dataspace.copernicus.eu/v1", "sentinel-1-grd"),
}
# What a catalogue calls a bucket that everyone may read -> its address.
BUCKETS = {"s3://deafrica-sentinel-1/": "https://deafrica-sentinel-1.s3.af-south-1.amazonaws.com/"}
RAW = "sentinel-1-grd"  # in each of these catalogues: digital numbers in radar geometry
EXTENSIONS = [
    f"https://stac-extensions.github.io/{name}/schema.json"
    for name in ("projection/v2.0.0", "sat/v1.0.0")
]
WIDEST = 20.0  # degrees: no image is as wide; a footprint that is goes around the globe
REMOTE = re.compile(r"(https?|s3|gs|az|abfs)://")
LOCAL = re.compile(r"file://|(?!/vsi)(?![A-Za-z][\w+.-]+:)")  # a drive of Windows is one letter
Period = tuple[pd.Timestamp, pd.Timestamp]  # first and last moment, in UTC
# What pystac raises for JSON that is no STAC.
MALFORMED = (
    *(ValueError, KeyError, TypeError, AttributeError, OverflowError),
    *(pystac.STACError, pystac.STACTypeError, ShapelyError),
)


class Found(NamedTuple):
    """What a catalogue has of an area and a period."""

    source: str
    items: list[pystac.Item]
    licence: str
    passed_over: str  # in words; "" if nothing was


def area_polygon(area: Sequence[float] | dict | str | Path) -> BaseGeometry:
    """The polygon in degrees that the user means."""
    wanted = "west, south, east, north in degrees, or a GeoJSON polygon in longitude and latitude"
    if isinstance(area, (str, Path)) and not Path(area).exists():
        raise FileNotFoundError(f"There is no area file '{area}': expected {wanted}.")
    try:
        if isinstance(area, (str, Path)):
            area = json.loads(Path(area).read_text(encoding="utf-8"))
        polygon = _geojson_polygon(area) if isinstance(area, dict) else _rectangle(area)
    except (ValueError, TypeError, AttributeError, KeyError, ShapelyError) as error:
        raise SeasonError(f"The area cannot be read ({error}): expected {wanted}.") from error
    if not polygon.area or not box(-180, -90, 180, 90).contains(polygon):
        raise SeasonError(f"The area is {list(polygon.bounds) or area}; expected {wanted}.")
    return polygon


def _geojson_polygon(area: dict) -> BaseGeometry:
    """All polygons of a GeoJSON object: a collection of features, one feature, or a geometry."""
    features = area.get("features", [area])
    return unary_union([shape(feature.get("geometry", feature)) for feature in features])


def _rectangle(sides: Sequence[float]) -> Polygon:
    west, south, east, north = map(float, sides)
    if west < east and south < north:
        return box(west, south, east, north)
    return Polygon()  # empty: told with the other mistakes


def whole_days(start: str, end: str) -> Period:
    """From the first moment of the first day to the last second of the last, in UTC."""
    try:
        begin = pd.Timestamp(start).normalize().tz_localize("UTC")
        stop = pd.Timestamp(end).normalize().tz_localize("UTC")
    except (ValueError, TypeError) as error:
        raise SeasonError(
            f"The period is '{start}' to '{end}'; expected days such as 2021-04-01."
        ) from error
    if begin > stop:
        raise SeasonError(f"The period ends ({end}) before it starts ({start}): exchange them.")
    return begin, stop + pd.Timedelta("1D") - pd.Timedelta("1s")


def items_of(
    catalogue: str | Path | pystac.ItemCollection,
    polygon: BaseGeometry,
    period: Period,
    collection: str | None,
) -> Found:
    """The items over the area in the period."""
    if str(catalogue) in CATALOGUES or str(catalogue).startswith(("http://", "https://")):
        source, inside, licence = _search(str(catalogue), polygon, period, collection)
        among = ""
    else:
        source, every, licence = _read(catalogue)
        every = [item for item in every if collection in (None, item.collection_id)]
        inside = [item for item in every if period[0] <= time_of(item) <= period[1]]
        among = f" (of its {len(every)} items, {len(inside)} are of the period)"
    items, nowhere = [], []
    for item in inside:
        place = _place(item, is_remote(source))
        if place is None:
            nowhere.append(item.id)
        elif place.intersects(polygon):
            items.append(item.clone())
            items[-1].geometry = mapping(place)
    told = ""
    if nowhere:
        told = (
            f"{len(nowhere)} items passed over, whose footprint is missing or goes around the "
            f"globe and whose image does not say where it is ('{nowhere[0]}')"
        )
        among += f"; {told}"
    if not items:
        wanted = f" of {collection}" if collection else ""
        sides = " ".join(f"{side:.4f}" for side in polygon.bounds)
        raise SeasonError(
            f"'{source}' has no Sentinel-1 item{wanted} over {sides} "
            f"from {period[0]:%Y-%m-%d} to {period[1]:%Y-%m-%d}{among}: "
            "check area and period, or take another collection."
        )
    collections = {str(item.collection_id) for item in items}
    if len(collections) > 1:
        raise SeasonError(
            f"'{source}' has items of {len(collections)} collections "
            f"({', '.join(sorted(collections))}): name one (collection)."
        )
    return Found(source, items, licence, told)


@contextmanager
def readable(catalogue: object) -> Iterator[None]:
    """Errors over metadata that are not as STAC has them, in one sentence."""
    try:
        yield
    except SeasonError:
        raise
    except MALFORMED as error:
        what = f"'{catalogue}'" if isinstance(catalogue, (str, Path)) else "The catalogue"
        raise SeasonError(
            f"{what} describes an image in a way that cannot be read ({type(error).__name__}: "
            f"{first_line(error)}): mend its metadata, or take another catalogue."
        ) from error


def is_remote(source: str) -> bool:
    """Whether a catalogue is somebody's on the network."""
    return source.startswith(("http://", "https://"))


@contextmanager
def open_image(href: str, remote: bool) -> Iterator[rasterio.DatasetReader]:
    """The GeoTIFF at an address: a file's or, in a ``remote`` catalogue, a server's.

    Raises SeasonError for anything else that GDAL would open, and RasterioError.
    """
    if not (REMOTE.match(href) or (not remote and LOCAL.match(href))):
        wanted = "an address (https, s3)" if remote else "a file or an address (https, s3)"
        raise SeasonError(f"The catalogue names the image '{href[:80]}'; expected {wanted}.")
    with gdal_of(href), rasterio.open(href, driver=cube.DRIVER) as tif:
        yield tif


def gdal_of(href: str) -> rasterio.Env:
    """How GDAL opens an address: on a server no folder is listed, which may take for ever."""
    return rasterio.Env(
        **({"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR"} if REMOTE.match(href) else {})
    )


def _place(item: pystac.Item, remote: bool) -> BaseGeometry | None:
    """Where an item lies, in degrees; None if nothing says it.

    A footprint that crosses 180 degrees is often stored as a ring around the globe: then its images
    are asked.
    """
    try:
        stated = shape(item.geometry) if item.geometry else Polygon()
    except (ShapelyError, ValueError, TypeError, AttributeError, KeyError):
        stated = Polygon()
    if not stated.is_empty and stated.bounds[2] - stated.bounds[0] < WIDEST:
        return stated if stated.is_valid else stated.buffer(0)
    for asset in item.assets.values():
        if re.search(r"\.tiff?($|\?)", asset.href, re.IGNORECASE):
            try:
                with open_image(asset.href, remote) as tif:
                    sides = transform_bounds(tif.crs, "EPSG:4326", *tif.bounds)
            except (RasterioError, AttributeError):  # not there, or without CRS
                continue
            west, south, east, north = sides
            if west <= east:
                return box(*sides)
            return unary_union([box(west, south, 180, north), box(-180, south, east, north)])
    return None


def _search(
    catalogue: str, polygon: BaseGeometry, period: Period, collection: str | None
) -> tuple[str, list[pystac.Item], str]:
    """``items_of`` a STAC API, by its name or address."""
    url, default = CATALOGUES.get(catalogue, (catalogue, None))
    collection = collection or default
    if catalogue in CATALOGUES and collection == RAW:
        raise SeasonError(
            f"'{RAW}' of {catalogue} holds uncalibrated digital numbers in radar geometry; "
            "expected terrain-corrected backscatter: take planetary-computer's sentinel-1-rtc, "
            "or process the products yourself (notebook 02)."
        )
    if not collection:
        raise SeasonError(f"'{url}' has many collections: name that of Sentinel-1 (collection).")
    # Links of the Planetary Computer open only with a signature, which expires.
    sign = _signing() if catalogue == "planetary-computer" else None
    try:
        client = pystac_client.Client.open(url, modifier=sign, timeout=60)
        found = client.search(
            collections=[collection],
            intersects=mapping(polygon),
            datetime=[t.to_pydatetime() for t in period],
        )
        items = list(found.items())
        described = client.get_collection(collection) if items else None
        licence = described.license if described else "not stated"
    except json.JSONDecodeError as error:
        raise SeasonError(
            f"'{url}' answers with something else than JSON ({_kind(error)}), so it is no STAC API "
            "or asks for an account: check the address."
        ) from error
    except (APIError, requests.RequestException) as error:
        raise ConnectionError(
            f"'{url}' gave no answer to the search in '{collection}' ({first_line(error)}): "
            "check network and address, try again."
        ) from error
    except (*MALFORMED, ClientTypeError) as error:
        raise SeasonError(
            f"'{url}' does not answer as a STAC API does ({first_line(error)}): check the address."
        ) from error
    for item in items:
        for asset in item.assets.values():
            for bucket, address in BUCKETS.items():
                asset.href = re.sub(f"^{bucket}", address, asset.href)
    return url, items, licence


def _kind(error: json.JSONDecodeError) -> str:
    """What an answer begins with that is no JSON."""
    begin = " ".join(error.doc[:40].split())
    return "a web page" if begin.lower().startswith(("<!doctype html", "<html")) else repr(begin)


def _signing() -> Callable:
    """What adds to each link the signature without which the Planetary Computer gives no image."""
    with needs("stac"):
        from planetary_computer import sign_inplace
    return sign_inplace


def _read(catalogue: str | Path | pystac.ItemCollection) -> tuple[str, list[pystac.Item], str]:
    """(source, all items, licence) of what lies on disk."""
    if isinstance(catalogue, pystac.ItemCollection):
        return "item collection", list(catalogue), "not stated"
    path = Path(catalogue).resolve()
    licence = "not stated"
    if path.is_dir():
        return str(path), list(catalogue_of_folder(path)), licence
    if not path.exists():
        raise FileNotFoundError(
            f"There is no catalogue '{catalogue}': give one of {', '.join(CATALOGUES)}, "
            "an address or a path."
        )
    try:
        if json.loads(path.read_text(encoding="utf-8"))["type"] == "FeatureCollection":
            items = list(pystac.ItemCollection.from_file(str(path)))
        else:
            tree: Any = pystac.read_file(str(path))  # an item holds no items: AttributeError
            items = list(tree.get_items(recursive=True))
            licence = getattr(tree, "license", licence)
    except MALFORMED as error:
        raise SeasonError(
            f"'{path}' is no STAC catalogue, collection or item collection ({first_line(error)})."
        ) from error
    for item in items:
        for asset in item.assets.values():
            # A link may be relative to the file that names it.
            asset.href = make_absolute_href(asset.href, item.get_self_href() or str(path))
    return str(path), items, licence


def catalogue_of_folder(folder: str | Path, pattern: str = "*.tif") -> pystac.ItemCollection:
    """The GeoTIFFs of a folder, one file for each polarisation and image, as STAC items.

    What lies beside the images (masks, angles, previews) is left alone.

    ``save_object`` of the result writes them to a file. Acquisition time (UTC) and polarisation are
    read from the names, the relative orbit from a burst's (OPERA: T137-292322-IW2); images whose
    names have none count as one track. Raises FileNotFoundError without such files, or SeasonError.
    """
    items: dict[str, pystac.Item] = {}
    for file in sorted(Path(folder).iterdir()):
        if not fnmatch(file.name.lower(), pattern.lower()) or is_side_file(file.stem):
            continue
        with cube.open_whole(file) as tif:
            time = cube.acquisition_time(file, tif)
            names = cube.band_names(file, tif)
            if len(names) != 1 or tif.crs is None:
                raise SeasonError(
                    f"'{file.name}' has {tif.count} bands, CRS {tif.crs}; "
                    "expected one band on a map grid."
                )
            image = re.sub("[_-]?(vv|vh)", "", file.stem, flags=re.IGNORECASE)
            if image not in items:
                items[image] = _item(image, time, tif)
        asset = pystac.Asset(
            str(file.resolve()), media_type=pystac.MediaType.GEOTIFF, roles=["data"]
        )
        items[image].add_asset(names[0], asset)
    if not items:
        raise FileNotFoundError(
            f"No GeoTIFF in '{folder}' matches '{pattern}': "
            "expected one file for each polarisation and image."
        )
    return pystac.ItemCollection(items.values())


def _item(name: str, time: np.datetime64, tif: rasterio.DatasetReader) -> pystac.Item:
    """The STAC item of an image, without its files."""
    footprint = shape(transform_geom(tif.crs, "EPSG:4326", mapping(box(*tif.bounds))))
    properties = {
        "proj:code": tif.crs.to_string(),
        "proj:shape": list(tif.shape),
        "proj:transform": list(tif.transform)[:6],
    }
    burst = re.search(r"T(\d{3})-\d{6}-IW\d", name)
    if burst:
        properties["sat:relative_orbit"] = int(burst[1])
    return pystac.Item(
        name,
        mapping(footprint),
        list(footprint.bounds),
        pd.Timestamp(time, tz="UTC").to_pydatetime(),
        properties,
        stac_extensions=list(EXTENSIONS),
    )


def time_of(item: pystac.Item) -> pd.Timestamp:
    """When an item was taken, or began to be taken, in UTC; so are times that name no zone.

    Raises SeasonError if the item does not say it.
    """
    stated = item.datetime or item.common_metadata.start_datetime
    if stated is None:
        raise SeasonError(f"The item '{item.id}' has no time: expected datetime (UTC).")
    time = pd.Timestamp(stated)
    return time.tz_localize("UTC") if time.tz is None else time.tz_convert("UTC")
