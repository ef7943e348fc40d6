"""What the numbers of the images of a catalogue are: each image is looked at by itself.

An image is opened by the driver of GeoTIFF alone, from an address that its catalogue may name.
"""

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import rasterio
from rasterio.errors import RasterioError
from rasterio.warp import transform_bounds
from rasterio.windows import Window, from_bounds, intersect

from stma_nb.cube import Scale, SeasonError, check_levels
from stma_nb.cube.classes import first_line
from stma_nb.cube.values import stated_scale
from stma_nb.extras import needs
from stma_nb.sources.catalogues import open_image

with needs("stac"):
    import pystac

BANDS = ("vv", "vh")
SIDE = 64  # pixels to a side of what is looked at
AT_ONCE = 8  # images opened at a time: most of the time is waiting for a server


class Image(NamedTuple):
    """What a look at one image found."""

    crs: rasterio.CRS
    shape: tuple[int, int]  # rows, columns
    transform: rasterio.Affine
    resolution: float  # metres
    nodata: float  # stands for no data in the file
    packing: tuple[float, float]  # scale and offset of the numbers in the file
    values: np.ndarray  # some numbers of the area, unpacked; none where there are no data


def look_at(
    items: Sequence[pystac.Item], bounds: Sequence[float], remote: bool, scale: Scale | None
) -> list[dict[str, Image]]:
    """What the images 'vv' and 'vh' of every item are.

    ``bounds`` of the area are in degrees; a ``remote`` catalogue may not name files of this
    machine. Whole numbers need a ``scale``, or one of packing. Raises SeasonError for an image that
    cannot be opened or has no calibrated numbers on a map grid.
    """

    def look(item: pystac.Item) -> dict[str, Image]:
        return {name: _look(item, name, bounds, remote, scale) for name in BANDS}

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(look, items))


def _look(
    item: pystac.Item, name: str, bounds: Sequence[float], remote: bool, scale: Scale | None
) -> Image:
    asset = item.assets[name]
    try:
        with open_image(asset.href, remote) as tif:
            crs, resolution, stated = tif.crs, tif.res[0], tif.nodata
            place = tif.shape, tif.transform
            packing = _packing(asset.extra_fields, tif.scales[0], tif.offsets[0])
            numbers = _numbers(tif, bounds) if crs else tif.read(1, window=Window(0, 0, 1, 1))
    except RasterioError as error:
        raise SeasonError(
            f"The image of '{item.id}' cannot be opened ({first_line(error)}): "
            "check that it is there as a GeoTIFF, and that you may read it."
        ) from error
    whole = np.issubdtype(numbers.dtype, np.integer)
    if crs is None or (whole and packing == (1.0, 0.0) and scale is None):
        article = "no" if crs is None else "a"
        raise SeasonError(
            f"The image of '{item.id}' has {numbers.dtype} numbers and {article} map grid; "
            "expected float32 backscatter on a map grid, or whole numbers with a scale (scale=): "
            "uncalibrated GRD will not do, take a terrain-corrected (RTC) collection."
        )
    nodata = _nodata(asset.extra_fields, stated)
    known = numbers[np.isfinite(numbers) & (numbers != nodata)]
    if not known.any():  # nothing but zeros is no measurement, whatever stands for no data
        known = known[:0]
    if not crs.is_projected:  # degrees: 111 320 m on the equator, rounded to tens of metres
        resolution = max(10, round(resolution * 111_320, -1))
    return Image(crs, *place, resolution, nodata, packing, packing[0] * known + packing[1])


def _numbers(tif: rasterio.DatasetReader, bounds: Sequence[float]) -> np.ndarray:
    """Some numbers of an image within the area, as they are in the file."""
    here = transform_bounds("EPSG:4326", tif.crs, *bounds)
    whole = Window(0, 0, tif.width, tif.height)
    wanted = from_bounds(*here, transform=tif.transform).round_offsets().round_lengths()
    if not intersect([whole, wanted]):
        return np.zeros(0, tif.dtypes[0])
    window = whole.intersection(wanted)
    size = min(int(window.height), SIDE), min(int(window.width), SIDE)
    return tif.read(1, window=window, out_shape=size, masked=True).compressed()


def _parts(fields: dict) -> list[dict]:
    """What the metadata of an asset say of its bands, in old and in new words of STAC."""
    return [fields, *fields.get("raster:bands", []), *fields.get("bands", [])]


def _packing(fields: dict, scale: float, offset: float) -> tuple[float, float]:
    """Scale and offset of the numbers: of the metadata, else those stated in the file."""
    for part in _parts(fields):
        stated = [part.get(f"raster:{key}", part.get(key)) for key in ("scale", "offset")]
        if stated != [None, None]:
            return float(1 if stated[0] is None else stated[0]), float(stated[1] or 0)
    return scale, offset


def _nodata(fields: dict, stated: float | None) -> float:
    """The number that stands for no data: of the metadata, else ``stated`` in the file, else 0."""
    for part in _parts(fields):
        if part.get("nodata") is not None:
            return float(part["nodata"])
    # Where nothing is said, zeros are the land beside the swath.
    return 0.0 if stated is None else stated


# ------------------------------------------------------------------------------ what they measure


def scale_of(items: Sequence[pystac.Item]) -> Scale | None:
    """What the metadata say of the numbers: 'power', 'amplitude', 'dB', or None.

    Raises SeasonError if they say it differently of different images.
    """
    found: dict[Scale, str] = {}  # scale -> an item of which it is said
    for item in items:
        said = [item.properties.get("card4l:measurement_convention")]
        for asset in item.assets.values():
            said += [field.get("unit") for field in _parts(asset.extra_fields)]
        for words in said:
            if words and (scale := _scale_in(str(words))):
                found.setdefault(scale, item.id)
    if len(found) > 1:
        told = ", ".join(f"{scale} of '{name}'" for scale, name in found.items())
        raise SeasonError(f"The images are in several units ({told}): ask for those of one.")
    return next(iter(found), None)


def _scale_in(words: str) -> Scale | None:
    """The scale that words mean, such as 'linear power' or 'sigma0 dB'."""
    return "power" if re.search("power|intensity", words, re.IGNORECASE) else stated_scale(words)


def quantity(item: pystac.Item) -> str | None:
    """'gamma0' or 'sigma0', if the metadata of an item say it."""
    asset = item.assets["vv"]
    said = [asset.title, asset.description]
    said += [item.properties.get("card4l:measurement_type"), item.collection_id]
    found = re.search("gamma|sigma", " ".join(map(str, said)).lower())
    if found:
        return f"{found[0]}0"
    return "gamma0" if item.collection_id in GAMMA0 else None


GAMMA0 = ("sentinel-1-rtc", "s1_rtc")  # so their makers say in words, not in the items


def check_images(item: pystac.Item, images: dict[str, Image], scale: Scale) -> None:
    """Raise SeasonError if the numbers of an item's images cannot be backscatter in ``scale``."""
    for name, image in images.items():
        check_levels(image.values, scale, f"The {name.upper()} image of '{item.id}'")
