"""From the digital numbers of a Sentinel-1 GRD product to calibrated, geocoded backscatter.

    sigma0 = (DN^2 - eta) / A^2

A is the calibration look-up table, eta the thermal noise; both are given on sparse lines and
pixels.

A scene is an ``xarray.DataTree``; ``line`` and ``pixel`` are those of the product (line: along
track, pixel: ground range):

* ``image``: dn (line, pixel), float32 digital numbers; lazy if read from a product
* ``calibration``: sigmaNought, betaNought, gamma (line, pixel): A
* ``noise_range``: noiseRangeLut (line, pixel), and ``noise_azimuth``: noiseAzimuthLut (block,
  line), the scalloping of each block (first_line .. last_line, first_pixel .. last_pixel);
  noise_azimuth is empty in products older than IPF 2.9 (March 2018)
* ``gcp``: latitude, longitude, height (m above the ellipsoid), incidenceAngle (degrees) of the
  ground control points (line, pixel)

The functions take a table as a group of the scene or as a Dataset, work on any window
``dn.sel(line=..., pixel=...)``, and on Dask arrays lazily. Names of variables follow the Sentinel-1
Product Specification (S1-RS-MDA-52-7441) and xarray-sentinel; the formulas are those of ESA's
Sentinel-1 Level-1 Detailed Algorithm Definition and of the Radiometric Calibration and Thermal
Denoising notes of the mission.
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import dask
import dask.array as da
import numpy as np
import rioxarray  # noqa: F401  (registers the .rio accessor)
import xarray as xr
from numpy.typing import ArrayLike
from rasterio.warp import transform
from scipy import ndimage
from scipy.interpolate import RBFInterpolator, RectBivariateSpline

from stma_nb import cube, simulate
from stma_nb.extras import needs

LUTS = {"sigma0": "sigmaNought", "beta0": "betaNought", "gamma0": "gamma"}
PRODUCT = (
    "family_name",
    "number",
    "mode",
    "pass",
    "product_type",
    "relative_orbit_number",
    "start_time",
    "stop_time",
)
LEAST_NESZ = 1e-4  # -40 dB: Sentinel-1 has -22 dB (what is specified) to -32 dB
BLOCK_LAG = 0.02  # of the lines of an image: so much earlier may a block of azimuth noise end
ORDERS = {"nearest": 0, "bilinear": 1}
BLOCK = 1024  # pixels: side of a block of the map
NODES = 32  # pixels: step at which the ground control points are interpolated
BURST = 100  # lines in a burst of the simulated scene
EDGE = 0.6  # where (share of the width) the next sub-swath of the simulated scene begins


# ------------------------------------------------------------------------------------------ opening


def open_grd(path: str | Path, polarisation: str) -> xr.DataTree:
    """Open one polarisation ("VV", "VH") of a GRD product (.SAFE folder) in its own geometry.

    Returns a scene (see the module).

    Image, calibration and ground control points come from xarray-sentinel (``pip install
    'stma_nb[safe]'``). The noise tables are read here: xarray-sentinel 0.9.6 keeps the azimuth
    noise of the first sub-swath only. Raises FileNotFoundError or ValueError; ImportError without
    xarray-sentinel.
    """
    with needs("safe"):
        import xarray_sentinel  # noqa: F401
    path = Path(path)
    band = polarisation.upper()
    product = _open_product(path, band)
    files = f"*-{band.lower()}-*"
    tif = _file(path, f"measurement/s1?-{files}")
    _file(path, f"annotation/s1?-{files}")  # xarray-sentinel reads these two: are they whole?
    _file(path, f"annotation/calibration/calibration-{files}")
    noise = _file(path, f"annotation/calibration/noise-{files}")
    with cube.open_whole(tif) as stored:  # refuses a truncated file
        strip = stored.block_shapes[0][0]
    # The measurement is stored in strips of lines: chunks of about 256 whole lines read each of
    # them once.
    chunks = {"y": strip * max(1, 256 // strip), "x": -1}
    group = next(name for name in product["subgroups"] if name.endswith(f"/{band}"))
    image = xr.open_dataset(path, engine="sentinel-1", group=group, rasterio_chunks=chunks)
    calibration = xr.open_dataset(path, engine="sentinel-1", group=f"{group}/calibration")
    gcp = xr.open_dataset(path, engine="sentinel-1", group=f"{group}/gcp")
    # xarray-sentinel counts along track in time; here lines and pixels count.
    dn = image.measurement.swap_dims(azimuth_time="line", ground_range="pixel")
    dn = dn.drop_vars(["azimuth_time", "ground_range"])
    gcp = gcp.swap_dims(azimuth_time="line", slant_range_time="pixel")
    gcp = gcp.drop_vars(["azimuth_time", "slant_range_time"])
    gcp = gcp[["latitude", "longitude", "height", "incidenceAngle"]].load()
    gcp.attrs = {"range_pixel_spacing": image.attrs["range_pixel_spacing"]}
    noise_range, noise_azimuth = _noise_tables(noise)
    attrs = {key: product[key] for key in PRODUCT}
    attrs["polarisation"] = band
    return _scene(
        dn.astype(np.float32),
        calibration[list(LUTS.values())].load(),
        noise_range,
        noise_azimuth,
        gcp,
        attrs,
    )


def _open_product(path: Path, band: str) -> dict:
    """The attributes of a GRD product that has this polarisation."""
    if not (path / "manifest.safe").is_file():
        raise FileNotFoundError(
            f"'{path}' is not a Sentinel-1 product: "
            "give the unpacked .SAFE folder, with its manifest.safe."
        )
    _parse(path / "manifest.safe")
    product = xr.open_dataset(path, engine="sentinel-1").attrs
    if product["product_type"] != "GRD":
        raise ValueError(
            f"'{path.name}' is a product of type {product['product_type']}; expected GRD: "
            "order the GRD product."
        )
    if band not in product["transmitter_receiver_polarisations"]:
        offered = ", ".join(product["transmitter_receiver_polarisations"])
        raise ValueError(
            f"'{path.name}' has no polarisation {band}; it has {offered}: choose one of these."
        )
    return product


def _scene(
    dn: xr.DataArray,
    calibration: xr.Dataset,
    noise_range: xr.Dataset,
    noise_azimuth: xr.Dataset,
    gcp: xr.Dataset,
    attrs: dict,
) -> xr.DataTree:
    dn = dn.rename("dn").drop_attrs().assign_attrs(units="1", long_name="digital number")
    groups = {
        "/": xr.Dataset(attrs=attrs),
        "image": dn.to_dataset(),
        "calibration": calibration,
        "noise_range": noise_range,
        "noise_azimuth": noise_azimuth,
        "gcp": gcp,
    }
    return xr.DataTree.from_dict(groups, name="scene")


def _file(product: Path, pattern: str) -> Path:
    """The one file that fits; an XML file must be whole."""
    found = sorted(product.glob(pattern))
    if not found:
        raise FileNotFoundError(
            f"'{product.name}' lacks the file {pattern}: the product is incomplete. Copy it again."
        )
    if found[0].suffix == ".xml":
        _parse(found[0])
    return found[0]


def _parse(file: Path) -> ElementTree.Element:
    try:
        return ElementTree.parse(file).getroot()
    except ElementTree.ParseError as error:
        raise ValueError(
            f"'{file.name}' is damaged or truncated ({error}): copy the product again."
        ) from error


def _noise_tables(file: Path) -> tuple[xr.Dataset, xr.Dataset]:
    """Thermal noise as range vectors and azimuth blocks.

    Before IPF 2.9 there were range vectors (noiseVector) only.
    """
    root = _parse(file)
    if root.find(".//noiseVector") is not None:
        rows = root.findall(".//noiseVector")
        lut = "noiseLut"
    else:
        rows = root.findall(".//noiseRangeVector")
        lut = "noiseRangeLut"
    if not rows:
        raise ValueError(
            f"'{file.name}' holds no noise vectors: the product is incomplete. Copy it again."
        )
    return _range_table(rows, lut), _azimuth_table(root.findall(".//noiseAzimuthVector"))


def _numbers(node: ElementTree.Element, tag: str) -> np.ndarray:
    return np.array(node.findtext(tag, "").split(), float)


def _range_table(rows: list[ElementTree.Element], lut: str) -> xr.Dataset:
    # Vectors of different nodes share the union of the nodes: linear interpolation gives the same
    # values everywhere.
    pixel = np.unique(np.concatenate([_numbers(row, "pixel") for row in rows]))
    values = [np.interp(pixel, _numbers(row, "pixel"), _numbers(row, lut)) for row in rows]
    return xr.Dataset(
        {"noiseRangeLut": (("line", "pixel"), values)},
        {"line": [int(row.findtext("line", "")) for row in rows], "pixel": pixel.astype(int)},
    )


def _azimuth_table(blocks: list[ElementTree.Element]) -> xr.Dataset:
    lines = [_numbers(block, "line") for block in blocks]
    line = np.unique(np.concatenate([np.zeros(0), *lines]))
    values = [
        np.interp(line, _numbers(block, "line"), _numbers(block, "noiseAzimuthLut"))
        for block in blocks
    ]

    def corner(tag: str) -> tuple[str, list[int]]:
        return "block", [int(block.findtext(tag, "")) for block in blocks]

    return xr.Dataset(
        {"noiseAzimuthLut": (("block", "line"), np.reshape(values, (len(blocks), len(line))))},
        {
            "line": line.astype(int),
            "swath": ("block", [block.findtext("swath") for block in blocks]),
            "first_line": corner("firstAzimuthLine"),
            "last_line": corner("lastAzimuthLine"),
            "first_pixel": corner("firstRangeSample"),
            "last_pixel": corner("lastRangeSample"),
        },
    )


# --------------------------------------------------------------------------------------- radiometry


def calibrate(
    dn: xr.DataArray,
    calibration: xr.Dataset,
    to: str = "sigma0",
    noise: xr.DataArray | None = None,
    floor: float | None = None,
) -> xr.DataArray:
    """Backscatter (line, pixel), linear power: DN^2 / A^2, or (DN^2 - eta) / A^2 with ``noise``.

    ``noise`` is that of ``thermal_noise``. to: "sigma0", "beta0" or "gamma0" chooses the table; A
    (not A^2) is interpolated bilinearly in line and pixel, as ESA and SNAP do. Speckle makes some
    pixels weaker than the mean noise, so the result with noise removed may be negative: that keeps
    its mean unbiased, and so it stays unless ``floor`` (linear power, such as 1e-5) is given, below
    which values are raised to it: average first, clip late. Raises ValueError for an unknown
    ``to``, dB, a table that does not cover the image, or noise that no Sentinel-1 has: a
    noise-equivalent sigma zero below -40 dB. Processors up to IPF 2.5 (mid-2015) gave the noise in
    other units, to be scaled by k_noise and the digital numbers, which is not done here: ESA,
    Thermal Denoising of Products Generated by the S-1 IPF, MPC-0392.
    """
    _expect_image(dn)
    if "quantity" in dn.attrs:
        raise ValueError(
            f"'{dn.name}' is {dn.attrs['quantity']} already; expected digital numbers: "
            "calibrate only once."
        )
    if to not in LUTS:
        raise ValueError(f"Cannot calibrate to '{to}': choose one of {', '.join(LUTS)}.")
    power = dn.astype(np.float32) ** 2
    if noise is not None:
        if noise.shape != dn.shape:
            raise ValueError(
                f"The noise has shape {noise.shape}, the image {dn.shape}: "
                "compute it for this image (thermal_noise)."
            )
        _expect_noise(noise, calibration)
        power = power - noise
    result = power / _at(calibration[LUTS[to]], dn, "calibration table") ** 2
    if floor is not None:
        result = result.clip(min=floor)
    result = result.astype("float32").rename(to)
    return result.assign_attrs(units="1", quantity=to, long_name=f"{to} backscatter")


def _expect_noise(noise: xr.DataArray, calibration: xr.Dataset) -> None:
    """Raise ValueError if the noise is far too weak, as seen along the middle line of the image."""
    line = noise.isel(line=[noise.sizes["line"] // 2])
    amplitude = _at(calibration["sigmaNought"], line, "calibration table")
    nesz = float((line / amplitude**2).compute().median())
    if nesz < LEAST_NESZ:
        found = f"{10 * math.log10(nesz):.0f} dB" if nesz > 0 else "0"
        raise ValueError(
            f"The noise-equivalent sigma zero is {found}; expected -22 to -32 dB, as processors "
            "after IPF 2.5 (mid-2015) give it: calibrate with noise=None, or order the product "
            "from a newer processor."
        )


def thermal_noise(
    dn: xr.DataArray, noise_range: xr.Dataset, noise_azimuth: xr.Dataset | None = None
) -> xr.DataArray:
    """Mean power eta (line, pixel) of the thermal noise, in units of DN^2.

    eta = noiseRangeLut * noiseAzimuthLut. The range table is bilinear in line and pixel, the
    azimuth table linear in line within its block (IPF 2.9 and later); where no block lies nothing
    was measured: NaN. In real products the last vector may lie up to a step, and the end of a
    block a few lines, before the last line of the image: then they hold to the end. The
    noise-equivalent sigma zero (NESZ) is eta / A^2 = ``calibrate(eta ** 0.5, ...)``. Raises
    ValueError if the tables do not cover the image.
    """
    _expect_image(dn)
    eta = _at(noise_range["noiseRangeLut"], dn, "range noise table")
    if noise_azimuth is None or not noise_azimuth.sizes["block"]:
        return eta.rename("noise")
    tops, bottoms = noise_azimuth["first_line"].values, noise_azimuth["last_line"].values
    lefts, rights = noise_azimuth["first_pixel"].values, noise_azimuth["last_pixel"].values
    end, lag = dn["line"].values.max(), BLOCK_LAG * dn.sizes["line"]
    _expect_cover("line", tops.min(), bottoms.max(), dn, "azimuth noise table", lag)
    _expect_cover("pixel", lefts.min(), rights.max(), dn, "azimuth noise table")
    bottoms = np.where(bottoms + lag >= end, np.maximum(bottoms, end), bottoms)
    nodes = noise_azimuth["line"].values
    luts = noise_azimuth["noiseAzimuthLut"].values

    def scalloping(line: np.ndarray, pixel: np.ndarray) -> np.ndarray:
        factor = np.full(np.broadcast_shapes(line.shape, pixel.shape), np.nan, np.float32)
        for lut, top, bottom, left, right in zip(luts, tops, bottoms, lefts, rights, strict=True):
            inside = (line >= top) & (line <= bottom) & (pixel >= left) & (pixel <= right)
            factor = np.where(inside, np.interp(line, nodes, lut).astype(np.float32), factor)
        return factor

    return (eta * _evaluate(scalloping, dn)).rename("noise")


def mask_border(dn: xr.DataArray, threshold: float = 10) -> xr.DataArray:
    """Digital numbers with the border noise as NaN.

    That is every pixel between an edge and the first DN >= threshold seen from there. Older
    products (before IPF 2.9) hold very small numbers instead of no data along their edges. Looking
    inward along lines and pixels from all four edges leaves dark water inside the image alone.
    Thermal noise by itself gives a DN of 18 to 50, the border a few units; a stray larger value in
    the border hides what lies behind it. Computing any part of the result reads the whole image.
    Raises ValueError for dB.
    """
    _expect_image(dn)
    valid = dn >= threshold
    kept = []
    for dim in ("line", "pixel"):
        index = _axis(dn, dim, np.arange(dn.sizes[dim]))
        backwards = valid.isel({dim: slice(None, None, -1)})
        first = valid.argmax(dim)  # argmax finds the first True
        last = dn.sizes[dim] - 1 - backwards.argmax(dim)
        kept.append((index >= first) & (index <= last) & valid.any(dim))
    keep = kept[0] & kept[1]
    return dn.where(keep.transpose(*dn.dims))


def incidence_angle(image: xr.DataArray, gcp: xr.Dataset) -> xr.DataArray:
    """Incidence angle (line, pixel) in degrees from the vertical.

    Bilinear between the ground control points.
    """
    angle = _at(gcp["incidenceAngle"], image, "grid of ground control points")
    return angle.rename("incidence_angle").assign_attrs(units="degree", long_name="incidence angle")


def _at(table: xr.DataArray, image: xr.DataArray, what: str) -> xr.DataArray:
    """A sparse table (line, pixel) at the pixels of an image, bilinear."""
    if min(table.shape) < 2:
        raise ValueError(
            f"The {what} has {table.shape} nodes (lines, pixels); expected at least 2 x 2: "
            "use that of the product."
        )
    line, pixel = table["line"].values, table["pixel"].values
    _expect_cover("line", line.min(), line.max(), image, what, _step(line))
    _expect_cover("pixel", pixel.min(), pixel.max(), image, what)
    first, last = line.min(), line.max()
    spline = RectBivariateSpline(line, pixel, table.values, kx=1, ky=1)

    def interpolate(line: np.ndarray, pixel: np.ndarray) -> np.ndarray:
        held = np.clip(line.ravel(), first, last)
        return spline(held, pixel.ravel()).astype(np.float32)

    return _evaluate(interpolate, image)


def _evaluate(
    function: Callable[[np.ndarray, np.ndarray], np.ndarray], image: xr.DataArray
) -> xr.DataArray:
    """``function(line, pixel)``, broadcast, at the pixels of an image.

    Lazy, in the chunks of the image, where that is lazy.
    """
    line = _axis(image, "line", image["line"].values.astype(float))
    pixel = _axis(image, "pixel", image["pixel"].values.astype(float))
    result = xr.apply_ufunc(function, line, pixel, dask="parallelized", output_dtypes=[np.float32])
    return result.assign_coords(image.coords)


def _axis(image: xr.DataArray, dim: str, values: np.ndarray) -> xr.DataArray:
    """Values along one dimension of an image, without an index and chunked like the image."""
    axis = xr.DataArray(values, dims=dim)
    if image.chunks:
        axis = axis.chunk({dim: image.chunksizes[dim]})
    return axis


# ----------------------------------------------------------------------------------------- geometry


def geocode(
    image: xr.DataArray,
    gcp: xr.Dataset,
    like: xr.Dataset | xr.DataArray | None = None,
    crs: Any = None,
    resolution: float = 10.0,
    height: float | xr.DataArray | None = None,
    method: str = "bilinear",
) -> xr.DataArray:
    """Resample an image (line, pixel) to a map (y, x), float32, NaN outside; lazy if the image is.

    The grid is that of ``like`` (with a CRS, such as a season), else in ``crs`` (default: the UTM
    zone) at ``resolution`` metres. For each map pixel ``to_image`` tells line and pixel, and the
    image is read there: "bilinear" (smooths speckle a little; NaN beside a NaN) or "nearest". To
    make coarser pixels, average (``image.coarsen``) before. On flat terrain the position is right
    to 0.02 pixels (measured on simulated scenes).

    height: metres above the ellipsoid, a number (default: mean of the control points) or a terrain
    model (y, x) on the grid. Flat terrain h metres off that height lands h / tan(incidence angle)
    off in range: 50 m are 6 pixels at 39 degrees. Between control points range is that of smooth
    terrain; for mountains, and for the radiometry of slopes, use the orbit and a terrain model (the
    optional package ``sarsen``). Raises ValueError for dB, fewer than 4 control points, or an
    unknown method.
    """
    _expect_image(image)
    if method not in ORDERS:
        raise ValueError(f"'method' is '{method}': choose one of {', '.join(ORDERS)}.")
    if height is None:
        height = float(gcp["height"].mean())
    if like is None:
        crs = crs or _utm(gcp)
        y, x = _footprint(image, gcp, crs, resolution, float(np.mean(height)))
    else:
        crs = like.rio.crs
        y, x = like.y.values, like.x.values
    if crs is None:
        raise ValueError(
            "The grid 'like' has no coordinate reference system: "
            "set one with like.rio.write_crs('EPSG:...')."
        )
    _check_height(height, y, x)
    heights = np.broadcast_to(height, (len(y), len(x)))
    position = _position_in(image, _interpolator(*_control_points(gcp, crs)))
    tiles = image.chunk(line=BLOCK, pixel=BLOCK).data.to_delayed()
    rows_of_blocks = []
    for top in range(0, len(y), BLOCK):
        rows = slice(top, top + BLOCK)
        blocks = []
        for left in range(0, len(x), BLOCK):
            columns = slice(left, left + BLOCK)
            place = y[rows], x[columns], heights[rows, columns]
            blocks.append(_map_block(tiles, image.shape, position, place, ORDERS[method]))
        rows_of_blocks.append(blocks)
    values = da.block(rows_of_blocks)
    result = xr.DataArray(values, {"y": y, "x": x}, ("y", "x"), image.name, image.attrs)
    result = result.rio.write_crs(crs)
    return result if image.chunks else result.compute()


def _check_height(height: float | np.ndarray | xr.DataArray, y: np.ndarray, x: np.ndarray) -> None:
    if np.ndim(height) and np.shape(height) != (len(y), len(x)):
        raise ValueError(
            f"'height' has {np.shape(height)} pixels, the map {(len(y), len(x))}: "
            "put it on the grid (rio.reproject)."
        )
    if isinstance(height, xr.DataArray):
        # To a few centimetres: the usual tolerance is 60 m for coordinates of millions of metres.
        same_grid = np.allclose(height.y, y, rtol=1e-8) and np.allclose(height.x, x, rtol=1e-8)
        if not same_grid:
            raise ValueError(
                "'height' lies on another grid than the map (its y or x differ): "
                "put it on the grid (rio.reproject_match)."
            )
    if not np.isfinite(height).all():
        raise ValueError(
            "'height' has gaps (NaN): fill them (rio.interpolate_na), "
            "or give one height for the whole map."
        )


Position = Callable[[np.ndarray, np.ndarray, np.ndarray | float], np.ndarray]


def _position_in(image: xr.DataArray, radar: Callable[[np.ndarray], np.ndarray]) -> Position:
    """A function of map coordinates y, x and heights that gives row and column of the image.

    ``radar`` tells radar coordinates from map coordinates (see ``_control_points``). The function
    takes axes y, x of a block of the map and heights (y, x), and returns (2, y, x).
    """
    lines, pixels = image["line"].values, image["pixel"].values
    line_step = lines[1] - lines[0]
    pixel_step = pixels[1] - pixels[0]

    def position(y: np.ndarray, x: np.ndarray, height: np.ndarray | float) -> np.ndarray:
        # Lines and pixels change smoothly: exact every NODES pixels, linear between.
        v = np.linspace(0, 1, len(y) // NODES + 2)  # from one end of the axis (0) to the other (1)
        u = np.linspace(0, 1, len(x) // NODES + 2)
        nodes = np.stack(np.meshgrid(x[0] + u * (x[-1] - x[0]), y[0] + v * (y[-1] - y[0])), -1)
        exact = radar(nodes.reshape(-1, 2)).reshape(len(v), len(u), 3)
        v_all = np.linspace(0, 1, len(y))
        u_all = np.linspace(0, 1, len(x))
        line, flat, shift = [
            RectBivariateSpline(v, u, exact[..., layer], kx=1, ky=1)(v_all, u_all)
            for layer in range(3)
        ]
        pixel = flat - height * shift  # high ground is seen nearer to the radar
        return np.stack([(line - lines[0]) / line_step, (pixel - pixels[0]) / pixel_step])

    return position


def _map_block(
    tiles: np.ndarray,
    image_shape: tuple[int, ...],
    position: Position,
    place: tuple[np.ndarray, np.ndarray, np.ndarray],
    order: int,
) -> da.Array:
    """One block of the map, at ``place`` (y, x, heights), from the tiles of the image under it.

    These are the tiles that its corners span, and 8 pixels more for its bent edges.
    """
    y, x, heights = place
    y_ends, x_ends = y[[0, -1]], x[[0, -1]]
    lowest = position(y_ends, x_ends, heights.min())
    highest = position(y_ends, x_ends, heights.max())
    corners = np.concatenate([lowest, highest], axis=1)
    first = np.maximum(corners.min((1, 2)) - 8, 0).astype(int) // BLOCK
    last = np.clip(corners.max((1, 2)) + 8, -BLOCK, image_shape).astype(int) // BLOCK
    parts = tiles[first[0] : last[0] + 1, first[1] : last[1] + 1].tolist()
    if not parts or not parts[0]:
        return da.full(heights.shape, np.nan, np.float32)  # the image does not reach here
    values = dask.delayed(_sample)(parts, BLOCK * first, position, place, order)
    return da.from_delayed(values, heights.shape, np.float32)


def _sample(
    parts: list, corner: np.ndarray, position: Position, place: tuple, order: int
) -> np.ndarray:
    """The image, of which ``parts`` from row and column ``corner`` on are given, at ``place``."""
    index = position(*place) - corner[:, None, None]
    image = np.block(parts).astype(np.float32)
    return ndimage.map_coordinates(image, index, order=order, cval=np.nan)


def to_image(
    gcp: xr.Dataset, x: ArrayLike, y: ArrayLike, crs: Any, height: ArrayLike | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Line and pixel at map coordinates x, y of ``crs``; a whole number is the centre of a pixel.

    Ground at a height (metres above the ellipsoid; default: mean of the control points) is seen
    nearer to the radar, by height / tan(incidence angle). So the control points are brought to
    height 0, interpolated exactly (radial basis functions r^3 and a plane), and the shift by the
    height wanted is put back. In a real product with terrain up to 1845 m each control point is met
    from all others to 0.1 pixels rms, without the shift to 24; a whole row of them left out, to 4
    pixels, because the product's own ground range follows the mean height of the terrain. Raises
    ValueError for fewer than 4 control points.
    """
    if height is None:
        height = float(gcp["height"].mean())
    x, y, height = np.broadcast_arrays(x, y, height)
    radar = _interpolator(*_control_points(gcp, crs))
    line, flat, shift = radar(np.column_stack([x.ravel(), y.ravel()])).T.reshape(3, *x.shape)
    return line, flat - height * shift


def _control_points(gcp: xr.Dataset, crs: Any) -> tuple[np.ndarray, np.ndarray]:
    """Map coordinates (n, 2: x, y) and radar coordinates (n, 3) of the ground control points.

    Radar coordinates are line, pixel at height 0, and by how many pixels a metre of height is
    nearer.
    """
    line, pixel = np.meshgrid(gcp["line"].values, gcp["pixel"].values, indexing="ij")
    spacing = gcp.attrs.get("range_pixel_spacing", 10.0)  # metres
    shift = 1 / np.tan(np.radians(gcp["incidenceAngle"].values)) / spacing
    radar = np.stack([line, pixel + shift * gcp["height"].values, shift], -1).reshape(-1, 3)
    longitude, latitude = gcp["longitude"].values.ravel(), gcp["latitude"].values.ravel()
    ground = np.column_stack(transform("EPSG:4326", crs, longitude, latitude))
    known = np.isfinite(np.hstack([ground, radar])).all(1)
    if known.sum() < 4:
        raise ValueError(
            f"There are {known.sum()} ground control points; expected at least 4: "
            "use all those of the product."
        )
    return ground[known], radar[known]


def _interpolator(points: np.ndarray, values: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """A function that interpolates values (n, m) given at points (n, 2)."""
    # Scaled first: metres and pixels of a scene are too large and unlike for the equations.
    centre, scale = points.mean(0), points.std(0)
    spline = RBFInterpolator((points - centre) / scale, values, kernel="cubic", degree=1)
    return lambda wanted: spline((wanted - centre) / scale)


def _footprint(
    image: xr.DataArray, gcp: xr.Dataset, crs: Any, resolution: float, height: float
) -> tuple[np.ndarray, np.ndarray]:
    """Pixel centres (y, x) of the map that holds the whole image.

    They lie on whole multiples of the resolution, so that maps of several images fit together.
    """
    ground, radar = _control_points(gcp, crs)
    line = image["line"].values[_spread(image.sizes["line"], 9)]
    pixel = image["pixel"].values[_spread(image.sizes["pixel"], 9)]
    flat = pixel + height * radar[:, 2].mean()
    spread = np.stack(np.meshgrid(line, flat), -1).reshape(-1, 2)
    corners = _interpolator(radar[:, :2], ground)(spread)
    left, bottom = np.floor(corners.min(0) / resolution)
    right, top = np.ceil(corners.max(0) / resolution)
    x = resolution * (np.arange(left, right) + 0.5)
    y = resolution * (np.arange(bottom, top) + 0.5)
    return y[::-1], x


def _spread(size: int, count: int) -> np.ndarray:
    """So many positions from the first to the last of an axis."""
    return np.linspace(0, size - 1, count).astype(int)


def _utm(gcp: xr.Dataset) -> str:
    """The UTM zone of a scene: 6 degrees of longitude each, EPSG 326.. north, 327.. south."""
    zone = int((float(gcp["longitude"].mean()) + 180) // 6) + 1
    north = float(gcp["latitude"].mean()) >= 0
    return f"EPSG:{(32600 if north else 32700) + zone}"


# ------------------------------------------------------------------------------ checks of the input


def _expect_image(image: xr.DataArray) -> None:
    if image.dims != ("line", "pixel"):
        raise ValueError(
            f"'{image.name}' has dimensions {image.dims}; "
            "expected an image ('line', 'pixel') in radar geometry."
        )
    if image.attrs.get("units") == "dB":
        raise ValueError(
            f"'{image.name}' is in dB; expected digital numbers or linear power: "
            "convert it to dB last."
        )


def _step(nodes: np.ndarray) -> float:
    """The widest step between neighbouring nodes of a table."""
    return float(np.diff(np.unique(nodes)).max(initial=0))


def _expect_cover(
    dim: str, first: float, last: float, image: xr.DataArray, what: str, lag: float = 0
) -> None:
    """Raise ValueError if a table ends more than ``lag`` before the image."""
    wanted = image[dim].values
    if first > wanted.min() or last + lag < wanted.max():
        raise ValueError(
            f"The {what} covers the {dim}s {first} to {last}; "
            f"the image has {wanted.min()} to {wanted.max()}: "
            "use the tables of the same product, "
            f"or crop the image with .sel({dim}=slice({first}, {last}))."
        )


# --------------------------------------------------------------------------------------- simulation


def simulate_grd(
    truth: xr.DataArray,
    size: tuple[int, int] = (300, 400),
    heading: float = -13.0,
    looks: float | None = 4.4,
    border: int = 12,
    height: float = 40.0,
    seed: int = 0,
) -> xr.DataTree:
    """A small GRD scene made from true sigma0, with tables in the true format.

    DN = sqrt((response(sigma0) * A^2 + eta) * speckle), rounded.

    Args:
        truth: linear power (y, x) with a CRS, such as one date of ``simulate.season(...,
            looks=None, response=False)``; the scene lies in its middle.
        size: lines, pixels of 10 m.
        heading: degrees from map north; -13 is an ascending pass (north at the bottom of the
            image), 193 a descending one (east on the left).
        looks: see ``simulate.speckle``; None leaves speckle out.
        border: pixels of border noise at either end of a line (half as much again in every second
            burst) and half as many lines at the top.
        height: of the ground above the ellipsoid, metres.

    As in a real product A is about 600 and the NESZ -22 to -28 dB, with a step between two
    sub-swaths and scalloping by bursts; both are shorter than in reality, so that a small scene
    shows them. The same scene as from ``open_grd``, and a group ``truth`` (line, pixel): sigma0,
    noise (eta), x, y (map coordinates of the pixel centres), border. Raises ValueError if ``truth``
    is not linear power on a projected grid, or too small.
    """
    if truth.dims != ("y", "x") or truth.attrs.get("units", "1") != "1" or truth.rio.crs is None:
        raise ValueError(
            "'truth' must be linear power (y, x) with a CRS: "
            "give one date of simulate.season(..., looks=None, response=False)."
        )
    if min(size) < 64:
        raise ValueError(
            f"'size' is {size}; expected at least 64 lines and pixels: give a larger scene."
        )
    rng = np.random.default_rng(seed)
    line, pixel = np.arange(size[0]), np.arange(size[1])
    x, y = _ground(truth, size, heading)
    sigma0 = simulate.respond(_true_sigma0(truth, x, y, size, heading))
    amplitude = _amplitude(pixel)
    noise = _noise_along_range(pixel, amplitude["sigmaNought"])
    scalloping = _scalloping(line)
    in_first_swath = pixel[None] < _edge(pixel)
    eta = noise * np.where(in_first_swath, scalloping[0][:, None], scalloping[1][:, None])

    power = sigma0 * amplitude["sigmaNought"] ** 2 + eta
    if looks is not None:
        power = power * simulate.speckle(size, looks, rng)
    dn = np.sqrt(power).round().clip(0, 65535)  # stored in 16 bits
    outside = _border(line, pixel, border)
    dn[outside] = rng.integers(0, 7, outside.sum())
    coords = {"line": line, "pixel": pixel}
    scene = _scene(
        xr.DataArray(dn.astype("float32"), coords, ("line", "pixel")),
        *_sparse_tables(line, pixel, amplitude, noise, scalloping),
        _grid_of_points(x, y, truth.rio.crs, pixel, height),
        {
            "family_name": "SENTINEL-1",
            "mode": "IW",
            "product_type": "GRD",
            "source": "simulation",
            "seed": seed,
            "pass": "ASCENDING" if math.cos(math.radians(heading)) > 0 else "DESCENDING",
        },
    )
    layers = {
        "sigma0": sigma0.astype("float32"),
        "noise": eta.astype("float32"),
        "x": x,
        "y": y,
        "border": outside,
    }
    layers = {name: (("line", "pixel"), values) for name, values in layers.items()}
    scene["truth"] = xr.DataTree(xr.Dataset(layers, coords))
    return scene


def _ground(
    truth: xr.DataArray, size: tuple[int, int], heading: float
) -> tuple[np.ndarray, np.ndarray]:
    """Map coordinates x, y (line, pixel) of the pixels of a scene in the middle of ``truth``."""
    lines, pixels = size
    along, across = np.meshgrid(
        10.0 * (np.arange(lines) - lines / 2),
        10.0 * (np.arange(pixels) - pixels / 2),
        indexing="ij",
    )
    # A bend of 2 pixels: no plane rotation will do.
    along = along + 20 * (across / across.max()) ** 2
    turn = math.radians(heading)
    x = float(truth.x.mean()) + along * math.sin(turn) + across * math.cos(turn)
    y = float(truth.y.mean()) + along * math.cos(turn) - across * math.sin(turn)
    return x, y


def _true_sigma0(
    truth: xr.DataArray, x: np.ndarray, y: np.ndarray, size: tuple[int, int], heading: float
) -> np.ndarray:
    """The true sigma0 at map coordinates x, y, bilinear."""
    row = (y - float(truth.y[0])) / float(truth.y[1] - truth.y[0])
    column = (x - float(truth.x[0])) / float(truth.x[1] - truth.x[0])
    sigma0 = ndimage.map_coordinates(
        truth.values.astype(float), [row, column], order=1, cval=np.nan
    )
    if np.isnan(sigma0).any():
        raise ValueError(
            f"'truth' {truth.shape} does not hold a scene of {size} turned by {heading} degrees: "
            "give a larger one."
        )
    return sigma0


def _angle(pixel: np.ndarray) -> np.ndarray:
    """Incidence angle in radians, by pixel: 39 degrees in the middle, as in ``simulate.season``."""
    return np.radians(39 + 17 / 250e3 * 10 * (pixel - len(pixel) / 2))


def _edge(pixel: np.ndarray) -> int:
    """The first pixel of the second sub-swath."""
    return int(EDGE * len(pixel))


def _amplitude(pixel: np.ndarray) -> dict[str, np.ndarray]:
    """The calibration tables A by pixel: A^2 turns beta0 into power, and sigma0 = beta0 sin(angle).

    gamma0 = sigma0 / cos(angle) = beta0 tan(angle).
    """
    beta = np.full(len(pixel), 474.0)
    return {
        "sigmaNought": beta / np.sqrt(np.sin(_angle(pixel))),
        "betaNought": beta,
        "gamma": beta / np.sqrt(np.tan(_angle(pixel))),
    }


def _noise_along_range(pixel: np.ndarray, amplitude: np.ndarray) -> np.ndarray:
    """Power of the thermal noise by pixel, in units of DN^2, with a step between the sub-swaths."""
    edge = _edge(pixel)
    within_second = 2 * (pixel - edge) / (len(pixel) - edge) - 1  # -1 at its start, 1 at its end
    nesz = np.where(pixel < edge, -23 - 3 * pixel / edge, -27 + 3 * within_second**2)  # dB
    return 10 ** (nesz / 10) * amplitude**2


def _scalloping(line: np.ndarray) -> np.ndarray:
    """Factor on the noise by line, for the two sub-swaths: more at both ends of a burst.

    The bursts of the second sub-swath start earlier by a third of a burst.
    """
    factors = []
    for lag in (0, BURST // 3):
        within_burst = 2 * ((line + lag) % BURST) / (BURST - 1) - 1
        factors.append(0.9 + 0.3 * within_burst**2)
    return np.stack(factors)


def _border(line: np.ndarray, pixel: np.ndarray, border: int) -> np.ndarray:
    """Where (line, pixel) border noise stands in place of the image."""
    odd_burst = line // BURST % 2
    width = (border + border // 2 * odd_burst)[:, None]
    beside = (pixel < width) | (pixel >= len(pixel) - width)
    return beside | (line < border // 2)[:, None]


def _sparse_tables(
    line: np.ndarray,
    pixel: np.ndarray,
    amplitude: dict[str, np.ndarray],
    noise: np.ndarray,
    scalloping: np.ndarray,
) -> tuple[xr.Dataset, xr.Dataset, xr.Dataset]:
    """calibration, noise_range and noise_azimuth of a scene, as in a product: at nodes only."""
    last_line, last_pixel = line[-1], pixel[-1]
    edge = _edge(pixel)
    rows = np.linspace(0, last_line, 5).astype(int)
    # Nodes every 40 pixels for A, every 10 for the noise and on both sides of its step, every 10
    # lines and at both ends of a burst for the scalloping.
    nodes = np.unique(np.r_[0 : len(pixel) : 40, last_pixel])
    noise_nodes = np.unique(np.r_[0 : len(pixel) : 10, edge - 1, edge, last_pixel])
    starts = np.r_[BURST - BURST // 3 : len(line) : BURST, BURST : len(line) : BURST]
    knots = np.unique(np.r_[0 : len(line) : 10, starts - 1, starts, last_line])

    dims = ("line", "pixel")
    calibration = xr.Dataset(
        {name: (dims, np.tile(values[nodes], (5, 1))) for name, values in amplitude.items()},
        {"line": rows, "pixel": nodes},
    )
    noise_range = xr.Dataset(
        {"noiseRangeLut": (dims, np.tile(noise[noise_nodes], (5, 1)))},
        {"line": rows, "pixel": noise_nodes},
    )
    noise_azimuth = xr.Dataset(
        {"noiseAzimuthLut": (("block", "line"), scalloping[:, knots])},
        {
            "line": knots,
            "swath": ("block", ["IW1", "IW2"]),
            "first_line": ("block", [0, 0]),
            "last_line": ("block", [last_line, last_line]),
            "first_pixel": ("block", [0, edge]),
            "last_pixel": ("block", [edge - 1, last_pixel]),
        },
    )
    return calibration, noise_range, noise_azimuth


def _grid_of_points(
    x: np.ndarray, y: np.ndarray, crs: Any, pixel: np.ndarray, height: float
) -> xr.Dataset:
    """The ground control points of a scene: 10 x 21, as in a product."""
    shape = 10, 21
    lines = np.linspace(0, x.shape[0] - 1, shape[0]).round().astype(int)
    pixels = np.linspace(0, x.shape[1] - 1, shape[1]).round().astype(int)
    chosen = np.ix_(lines, pixels)
    longitude, latitude = transform(crs, "EPSG:4326", x[chosen].ravel(), y[chosen].ravel())
    dims = ("line", "pixel")
    return xr.Dataset(
        {
            "latitude": (dims, np.reshape(latitude, shape)),
            "longitude": (dims, np.reshape(longitude, shape)),
            "height": (dims, np.full(shape, height)),
            "incidenceAngle": (dims, np.tile(np.degrees(_angle(pixel)[pixels]), (shape[0], 1))),
        },
        {"line": lines, "pixel": pixels},
        {"range_pixel_spacing": 10.0},
    )
