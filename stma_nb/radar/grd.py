"""From the digital numbers of a Sentinel-1 GRD product to calibrated, denoised, geocoded
backscatter.

    sigma0 = (DN^2 - eta) / A^2        A: calibration look-up table, eta: thermal noise, both given on sparse lines and pixels

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
from pathlib import Path
from xml.etree import ElementTree

import dask
import dask.array as da
import numpy as np
import rioxarray  # noqa: F401  (registers the .rio accessor)
import xarray as xr
from rasterio.warp import transform
from scipy import ndimage
from scipy.interpolate import RBFInterpolator, RectBivariateSpline

from stma_nb import cube, simulate

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
ORDERS = {"nearest": 0, "bilinear": 1}
BLOCK, NODES = (
    1024,
    32,
)  # pixels: side of a block of the map, and step at which the ground control points are interpolated
BURST, EDGE = (
    100,
    0.6,
)  # of the simulated scene: lines in a burst, and where (share of the width) the next sub-swath begins


# ------------------------------------------------------------------------------------------ opening


def open_grd(path: str | Path, polarisation: str) -> xr.DataTree:
    """Open one polarisation ("VV", "VH") of a GRD product (.SAFE folder) in its own geometry: a
    scene (see the module).

    Image, calibration and ground control points come from xarray-sentinel (``pip install
    xarray-sentinel``). The noise tables are read here: xarray-sentinel 0.9.6 keeps the azimuth
    noise of the first sub-swath only. Raises FileNotFoundError or ValueError; ImportError without
    xarray-sentinel.
    """
    try:
        import xarray_sentinel  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "Opening a .SAFE product needs xarray-sentinel: pip install xarray-sentinel."
        ) from error
    path, band = Path(path), polarisation.upper()
    if not (path / "manifest.safe").is_file():
        raise FileNotFoundError(
            f"'{path}' is not a Sentinel-1 product: give the unpacked .SAFE folder, with its "
            "manifest.safe."
        )
    _parse(path / "manifest.safe")
    product = xr.open_dataset(path, engine="sentinel-1").attrs
    if product["product_type"] != "GRD":
        raise ValueError(
            f"'{path.name}' is a product of type {product['product_type']}; expected GRD: order "
            "the GRD product."
        )
    if band not in product["transmitter_receiver_polarisations"]:
        offered = ", ".join(product["transmitter_receiver_polarisations"])
        raise ValueError(
            f"'{path.name}' has no polarisation {band}; it has {offered}: choose one of these."
        )
    tif, _, _, noise = (
        _file(path, f"{part}-*-{band.lower()}-*")
        for part in (
            "measurement/s1?",
            "annotation/s1?",
            "annotation/calibration/calibration",
            "annotation/calibration/noise",
        )
    )
    with cube._open_whole(tif) as stored:  # refuses a truncated file
        strip = stored.block_shapes[0][0]
    group = next(name for name in product["subgroups"] if name.endswith(f"/{band}"))
    # The measurement is stored in strips of lines: chunks of about 256 whole lines read each of
    # them once.
    chunks = {"y": strip * max(1, 256 // strip), "x": -1}
    image = xr.open_dataset(path, engine="sentinel-1", group=group, rasterio_chunks=chunks)
    dn = image.measurement.swap_dims(azimuth_time="line", ground_range="pixel").drop_vars(
        ["azimuth_time", "ground_range"]
    )
    calibration, gcp = (
        xr.open_dataset(path, engine="sentinel-1", group=f"{group}/{name}")
        for name in ("calibration", "gcp")
    )
    gcp = gcp.swap_dims(azimuth_time="line", slant_range_time="pixel").drop_vars(
        ["azimuth_time", "slant_range_time"]
    )
    gcp = gcp[["latitude", "longitude", "height", "incidenceAngle"]].load()
    gcp.attrs = {"range_pixel_spacing": image.attrs["range_pixel_spacing"]}
    attrs = {key: product[key] for key in PRODUCT} | {"polarisation": band}
    return _scene(
        dn.astype(np.float32),
        calibration[list(LUTS.values())].load(),
        *_noise_tables(noise),
        gcp,
        attrs,
    )


def _scene(dn, calibration, noise_range, noise_azimuth, gcp, attrs) -> xr.DataTree:
    dn = dn.rename("dn").drop_attrs().assign_attrs(units="1", long_name="digital number")
    groups = {
        "image": dn.to_dataset(),
        "calibration": calibration,
        "noise_range": noise_range,
        "noise_azimuth": noise_azimuth,
    }
    return xr.DataTree.from_dict({"/": xr.Dataset(attrs=attrs), **groups, "gcp": gcp}, name="scene")


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
    """Thermal noise as range vectors and azimuth blocks; before IPF 2.9 there were range vectors
    (noiseVector) only.
    """
    root = _parse(file)
    old = root.find(".//noiseVector") is not None
    rows, lut = (
        root.findall(".//noiseVector" if old else ".//noiseRangeVector"),
        "noiseLut" if old else "noiseRangeLut",
    )
    blocks = root.findall(".//noiseAzimuthVector")
    if not rows:
        raise ValueError(
            f"'{file.name}' holds no noise vectors: the product is incomplete. Copy it again."
        )

    def numbers(node, tag) -> np.ndarray:
        return np.array(node.findtext(tag).split(), float)

    # Vectors of different nodes share the union of the nodes: linear interpolation gives the same
    # values everywhere.
    pixel = np.unique(np.concatenate([numbers(row, "pixel") for row in rows]))
    line = np.unique(np.concatenate([numbers(block, "line") for block in blocks] or [[]]))
    corners = {"first_line": "firstAzimuthLine", "last_line": "lastAzimuthLine"}
    corners |= {"first_pixel": "firstRangeSample", "last_pixel": "lastRangeSample"}
    noise_range = xr.Dataset(
        {
            "noiseRangeLut": (
                ("line", "pixel"),
                [np.interp(pixel, numbers(row, "pixel"), numbers(row, lut)) for row in rows],
            )
        },
        {"line": [int(row.findtext("line")) for row in rows], "pixel": pixel.astype(int)},
    )
    values = [
        np.interp(line, numbers(block, "line"), numbers(block, "noiseAzimuthLut"))
        for block in blocks
    ]
    noise_azimuth = xr.Dataset(
        {"noiseAzimuthLut": (("block", "line"), np.reshape(values, (len(blocks), len(line))))},
        {
            "line": line.astype(int),
            "swath": ("block", [block.findtext("swath") for block in blocks]),
        }
        | {
            name: ("block", [int(block.findtext(tag)) for block in blocks])
            for name, tag in corners.items()
        },
    )
    return noise_range, noise_azimuth


# --------------------------------------------------------------------------------------- radiometry


def calibrate(
    dn: xr.DataArray,
    calibration: xr.Dataset,
    to: str = "sigma0",
    noise: xr.DataArray | None = None,
    floor: float | None = None,
) -> xr.DataArray:
    """Backscatter (line, pixel), linear power: DN^2 / A^2, or (DN^2 - eta) / A^2 with ``noise`` =
    ``thermal_noise(...)``.

    to: "sigma0", "beta0" or "gamma0" chooses the table; A (not A^2) is interpolated bilinearly in
    line and pixel, as ESA and SNAP do. Speckle makes some pixels weaker than the mean noise, so the
    result with noise removed may be negative: that keeps its mean unbiased, and so it stays unless
    ``floor`` (linear power, such as 1e-5) is given, below which values are raised to it: average
    first, clip late. Raises ValueError for an unknown ``to``, dB, or a table that does not cover
    the image.
    """
    _expect_image(dn)
    if "quantity" in dn.attrs:
        raise ValueError(
            f"'{dn.name}' is {dn.attrs['quantity']} already; expected digital numbers: calibrate "
            "only once."
        )
    if to not in LUTS:
        raise ValueError(f"Cannot calibrate to '{to}': choose one of {', '.join(LUTS)}.")
    power = dn.astype(np.float32) ** 2
    if noise is not None:
        if noise.shape != dn.shape:
            raise ValueError(
                f"The noise has shape {noise.shape}, the image {dn.shape}: compute it for this "
                "image (thermal_noise)."
            )
        power = power - noise
    result = power / _at(calibration[LUTS[to]], dn, "calibration table") ** 2
    if floor is not None:
        result = result.clip(min=floor)
    return (
        result.astype("float32")
        .rename(to)
        .assign_attrs(units="1", quantity=to, long_name=f"{to} backscatter")
    )


def thermal_noise(
    dn: xr.DataArray, noise_range: xr.Dataset, noise_azimuth: xr.Dataset | None = None
) -> xr.DataArray:
    """Mean power eta (line, pixel) of the thermal noise, in units of DN^2: noiseRangeLut *
    noiseAzimuthLut.

    The range table is bilinear in line and pixel, the azimuth table linear in line within its block
    (IPF 2.9 and later); where no block lies nothing was measured: NaN. The noise-equivalent sigma
    zero (NESZ) is eta / A^2 = ``calibrate(eta ** 0.5, ...)``. Raises ValueError if the tables do
    not cover the image.
    """
    _expect_image(dn)
    eta = _at(noise_range["noiseRangeLut"], dn, "range noise table")
    if noise_azimuth is None or not noise_azimuth.sizes["block"]:
        return eta.rename("noise")
    blocks = [
        noise_azimuth[name].values
        for name in ("first_line", "last_line", "first_pixel", "last_pixel")
    ]
    for dim, first, last in (("line", *blocks[:2]), ("pixel", *blocks[2:])):
        _expect_cover(dim, first.min(), last.max(), dn, "azimuth noise table")
    nodes, values = noise_azimuth["line"].values, noise_azimuth["noiseAzimuthLut"].values

    def scalloping(line: np.ndarray, pixel: np.ndarray) -> np.ndarray:
        factor = np.full(np.broadcast_shapes(line.shape, pixel.shape), np.nan, np.float32)
        for lut, top, bottom, left, right in zip(values, *blocks, strict=True):
            inside = (line >= top) & (line <= bottom) & (pixel >= left) & (pixel <= right)
            factor = np.where(inside, np.interp(line, nodes, lut).astype(np.float32), factor)
        return factor

    return (eta * _evaluate(scalloping, dn)).rename("noise")


def mask_border(dn: xr.DataArray, threshold: float = 10) -> xr.DataArray:
    """Digital numbers with the border noise as NaN: every pixel between an edge and the first DN >=
    threshold seen from there.

    Older products (before IPF 2.9) hold very small numbers instead of no data along their edges.
    Looking inward along lines and pixels from all four edges leaves dark water inside the image
    alone. Thermal noise by itself gives a DN of 18 to 50, the border a few units; a stray larger
    value in the border hides what lies behind it. Computing any part of the result reads the whole
    image. Raises ValueError for dB.
    """
    _expect_image(dn)
    valid, keep = dn >= threshold, True
    for dim, index in zip(("line", "pixel"), _axes(dn, index=True), strict=True):
        first = valid.argmax(dim)
        last = dn.sizes[dim] - 1 - valid.isel({dim: slice(None, None, -1)}).argmax(dim)
        keep = (index >= first) & (index <= last) & valid.any(dim) & keep
    return dn.where(keep.transpose(*dn.dims))


def incidence_angle(image: xr.DataArray, gcp: xr.Dataset) -> xr.DataArray:
    """Incidence angle (line, pixel) in degrees from the vertical, bilinear between the ground
    control points.
    """
    angle = _at(gcp["incidenceAngle"], image, "grid of ground control points")
    return angle.rename("incidence_angle").assign_attrs(units="degree", long_name="incidence angle")


def _at(table: xr.DataArray, image: xr.DataArray, what: str) -> xr.DataArray:
    """A sparse table (line, pixel) at the pixels of an image, bilinear."""
    if min(table.shape) < 2:
        raise ValueError(
            f"The {what} has {table.shape} nodes (lines, pixels); expected at least 2 x 2: use "
            "that of the product."
        )
    for dim in ("line", "pixel"):
        _expect_cover(dim, table[dim].values.min(), table[dim].values.max(), image, what)
    spline = RectBivariateSpline(
        table["line"].values, table["pixel"].values, table.values, kx=1, ky=1
    )
    return _evaluate(
        lambda line, pixel: spline(line.ravel(), pixel.ravel()).astype(np.float32), image
    )


def _evaluate(function, image: xr.DataArray) -> xr.DataArray:
    """``function(line, pixel)``, broadcast, at the pixels of an image; lazy, in the chunks of the
    image, where that is lazy.
    """
    result = xr.apply_ufunc(
        function, *_axes(image), dask="parallelized", output_dtypes=[np.float32]
    )
    return result.assign_coords(image.coords)


def _axes(image: xr.DataArray, index: bool = False) -> list[xr.DataArray]:
    """Line and pixel coordinates (or indices) of an image, without their index and chunked like the
    image.
    """
    values = [
        np.arange(image.sizes[dim]) if index else image[dim].values.astype(float)
        for dim in ("line", "pixel")
    ]
    axes = [
        xr.DataArray(value, dims=dim) for dim, value in zip(("line", "pixel"), values, strict=True)
    ]
    return (
        [axis.chunk({d: image.chunksizes[d] for d in axis.dims}) for axis in axes]
        if image.chunks
        else axes
    )


# ----------------------------------------------------------------------------------------- geometry


def geocode(
    image: xr.DataArray,
    gcp: xr.Dataset,
    like: xr.Dataset | xr.DataArray | None = None,
    crs=None,
    resolution: float = 10.0,
    height: float | xr.DataArray | None = None,
    method: str = "bilinear",
) -> xr.DataArray:
    """Resample an image (line, pixel) to a map (y, x), float32, NaN outside; lazy where the image
    is.

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
    height = float(gcp["height"].mean()) if height is None else height
    if like is None:
        crs = crs or _utm(gcp)
        y, x = _footprint(image, gcp, crs, resolution, float(np.mean(height)))
    else:
        crs, y, x = like.rio.crs, like.y.values, like.x.values
    if crs is None:
        raise ValueError(
            "The grid 'like' has no coordinate reference system: set one with "
            "like.rio.write_crs('EPSG:...')."
        )
    if np.ndim(height) and np.shape(height) != (len(y), len(x)):
        raise ValueError(
            f"'height' has {np.shape(height)} pixels, the map {(len(y), len(x))}: put it on the "
            "grid (rio.reproject)."
        )
    if isinstance(height, xr.DataArray) and not (
        np.allclose(height.y, y) and np.allclose(height.x, x)
    ):
        raise ValueError(
            "'height' lies on another grid than the map (its y or x differ): put it on the grid "
            "(rio.reproject_match)."
        )
    if not np.isfinite(height).all():
        raise ValueError(
            "'height' has gaps (NaN): fill them (rio.interpolate_na), or give one height for the "
            "whole map."
        )
    heights, radar = (
        np.broadcast_to(height, (len(y), len(x))),
        _interpolator(*_control_points(gcp, crs)),
    )
    first, step = (
        [f(image[dim].values) for dim in ("line", "pixel")]
        for f in (lambda v: v[0], lambda v: v[1] - v[0])
    )

    def position(y: np.ndarray, x: np.ndarray, height) -> np.ndarray:
        """Row and column of the image at (y, x); they change smoothly: exact every NODES pixels,
        linear between.
        """
        v, u = (np.linspace(0, 1, len(axis) // NODES + 2) for axis in (y, x))
        at = np.stack(np.meshgrid(x[0] + u * (x[-1] - x[0]), y[0] + v * (y[-1] - y[0])), -1)
        nodes = np.moveaxis(radar(at.reshape(-1, 2)).reshape(len(v), len(u), 3), -1, 0)
        v_all, u_all = (np.linspace(0, 1, len(axis)) for axis in (y, x))
        line, flat, shift = (
            RectBivariateSpline(v, u, layer, kx=1, ky=1)(v_all, u_all) for layer in nodes
        )
        return np.stack([(line - first[0]) / step[0], (flat - height * shift - first[1]) / step[1]])

    def sample(parts: list, corner: np.ndarray, *where) -> np.ndarray:
        index = position(*where) - corner[:, None, None]
        return ndimage.map_coordinates(
            np.block(parts).astype(np.float32), index, order=ORDERS[method], cval=np.nan
        )

    tiles = image.chunk(line=BLOCK, pixel=BLOCK).data.to_delayed()

    def block(rows: slice, columns: slice) -> da.Array:
        """One block of the map, from the tiles of the image that its corners span (and 8 pixels for
        their bent edges).
        """
        y_, x_, h = y[rows], x[columns], heights[rows, columns]
        ends = np.concatenate(
            [position(y_[[0, -1]], x_[[0, -1]], e) for e in (h.min(), h.max())], axis=1
        )
        low = np.maximum(ends.min((1, 2)) - 8, 0).astype(int) // BLOCK
        high = np.clip(ends.max((1, 2)) + 8, -BLOCK, image.shape).astype(int) // BLOCK + 1
        parts = tiles[low[0] : high[0], low[1] : high[1]].tolist()
        if not parts or not parts[0]:
            return da.full(h.shape, np.nan, np.float32)
        return da.from_delayed(
            dask.delayed(sample)(parts, BLOCK * low, y_, x_, h), h.shape, np.float32
        )

    rows, columns = ([slice(i, i + BLOCK) for i in range(0, len(axis), BLOCK)] for axis in (y, x))
    values = da.block([[block(r, c) for c in columns] for r in rows])
    result = xr.DataArray(
        values, {"y": y, "x": x}, ("y", "x"), image.name, image.attrs
    ).rio.write_crs(crs)
    return result if image.chunks else result.compute()


def to_image(gcp: xr.Dataset, x, y, crs, height=None) -> tuple[np.ndarray, np.ndarray]:
    """Line and pixel (fractions; a whole number is the centre of a pixel) at map coordinates x, y
    of ``crs``.

    Ground at a height (metres above the ellipsoid; default: mean of the control points) is seen
    nearer to the radar, by height / tan(incidence angle). So the control points are brought to
    height 0, interpolated exactly (radial basis functions r^3 and a plane), and the shift by the
    height wanted is put back. In a real product with terrain up to 1845 m each control point is met
    from all others to 0.1 pixels rms, without the shift to 24; a whole row of them left out, to 4
    pixels, because the product's own ground range follows the mean height of the terrain. Raises
    ValueError for fewer than 4 control points.
    """
    x, y, height = np.broadcast_arrays(
        x, y, float(gcp["height"].mean()) if height is None else height
    )
    radar = _interpolator(*_control_points(gcp, crs))(np.column_stack([x.ravel(), y.ravel()]))
    line, flat, shift = radar.T.reshape(3, *x.shape)
    return line, flat - height * shift


def _control_points(gcp: xr.Dataset, crs) -> tuple[np.ndarray, np.ndarray]:
    """Map coordinates (n, 2: x, y) and radar coordinates (n, 3: line, pixel at height 0, pixels
    nearer per metre of height).
    """
    line, pixel = np.meshgrid(gcp["line"].values, gcp["pixel"].values, indexing="ij")
    shift = (
        1
        / np.tan(np.radians(gcp["incidenceAngle"].values))
        / gcp.attrs.get("range_pixel_spacing", 10.0)
    )
    radar = np.stack([line, pixel + shift * gcp["height"].values, shift], -1).reshape(-1, 3)
    x, y = transform(
        "EPSG:4326", crs, gcp["longitude"].values.ravel(), gcp["latitude"].values.ravel()
    )
    ground = np.column_stack([x, y])
    known = np.isfinite(np.hstack([ground, radar])).all(1)
    if known.sum() < 4:
        raise ValueError(
            f"There are {known.sum()} ground control points; expected at least 4: use all those "
            "of the product."
        )
    return ground[known], radar[known]


def _interpolator(points: np.ndarray, values: np.ndarray):
    """A function that interpolates values (n, m) given at points (n, 2)."""
    centre, scale = points.mean(0), points.std(0)
    spline = RBFInterpolator((points - centre) / scale, values, kernel="cubic", degree=1)
    return lambda wanted: spline((wanted - centre) / scale)


def _footprint(
    image: xr.DataArray, gcp: xr.Dataset, crs, resolution: float, height: float
) -> tuple[np.ndarray, np.ndarray]:
    """Pixel centres (y, x) of the map that holds the whole image, on whole multiples of the
    resolution.
    """
    ground, radar = _control_points(gcp, crs)
    line, pixel = (
        image[dim].values[np.linspace(0, image.sizes[dim] - 1, 9).astype(int)]
        for dim in ("line", "pixel")
    )
    spread = np.stack(np.meshgrid(line, pixel + height * radar[:, 2].mean()), -1).reshape(-1, 2)
    corners = _interpolator(radar[:, :2], ground)(spread)
    low, high = np.floor(corners.min(0) / resolution), np.ceil(corners.max(0) / resolution)
    x, y = (resolution * (np.arange(a, b) + 0.5) for a, b in zip(low, high, strict=True))
    return y[::-1], x


def _utm(gcp: xr.Dataset) -> str:
    zone = int((float(gcp["longitude"].mean()) + 180) // 6) + 1
    return f"EPSG:{(32600 if float(gcp['latitude'].mean()) >= 0 else 32700) + zone}"


# ------------------------------------------------------------------------------ checks of the input


def _expect_image(image: xr.DataArray) -> None:
    if image.dims != ("line", "pixel"):
        raise ValueError(
            f"'{image.name}' has dimensions {image.dims}; expected an image ('line', 'pixel') in "
            "radar geometry."
        )
    if image.attrs.get("units") == "dB":
        raise ValueError(
            f"'{image.name}' is in dB; expected digital numbers or linear power: convert it to dB "
            "last."
        )


def _expect_cover(dim: str, first, last, image: xr.DataArray, what: str) -> None:
    wanted = image[dim].values
    if first > wanted.min() or last < wanted.max():
        raise ValueError(
            f"The {what} covers the {dim}s {first} to {last}; the image has {wanted.min()} to "
            f"{wanted.max()}: "
            "use the tables of the same product, or crop the image with "
            f".sel({dim}=slice({first}, {last}))."
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
    """A small GRD scene made from true sigma0: DN = sqrt((sigma0 * A^2 + eta) * speckle), rounded,
    tables in the true format.

    truth: linear power (y, x) with a CRS, such as one date of ``simulate.season(..., looks=None)``;
    the scene lies in its middle. size: lines, pixels of 10 m. heading: degrees from map north; -13
    is an ascending pass (north at the bottom of the image), 193 a descending one (east on the
    left). looks: see ``simulate.speckle``; None leaves speckle out. border: pixels of border noise
    at either end of a line (half as much again in every second burst) and half as many lines at the
    top. height: of the ground above the ellipsoid, metres.

    As in a real product A is about 600 and the NESZ -22 to -28 dB, with a step between two
    sub-swaths and scalloping by bursts; both are shorter than in reality, so that a small scene
    shows them. The same scene as from ``open_grd``, and a group ``truth`` (line, pixel): sigma0,
    noise (eta), x, y (map coordinates of the pixel centres), border. Raises ValueError if ``truth``
    is not linear power on a projected grid, or too small.
    """
    if truth.dims != ("y", "x") or truth.attrs.get("units", "1") != "1" or truth.rio.crs is None:
        raise ValueError(
            "'truth' must be linear power (y, x) with a CRS: give one date of "
            "simulate.season(..., looks=None)."
        )
    if min(size) < 64:
        raise ValueError(
            f"'size' is {size}; expected at least 64 lines and pixels: give a larger scene."
        )
    rng, (lines, pixels) = np.random.default_rng(seed), size
    line, pixel = np.arange(lines), np.arange(pixels)
    along, across = np.meshgrid(
        10.0 * (line - lines / 2), 10.0 * (pixel - pixels / 2), indexing="ij"
    )
    along = (
        along + 20 * (across / across.max()) ** 2
    )  # a bend of 2 pixels: no plane rotation will do
    turn = math.radians(heading)
    x = float(truth.x.mean()) + along * math.sin(turn) + across * math.cos(turn)
    y = float(truth.y.mean()) + along * math.cos(turn) - across * math.sin(turn)
    position = [
        (v - float(axis[0])) / float(axis[1] - axis[0]) for v, axis in ((y, truth.y), (x, truth.x))
    ]
    sigma0 = ndimage.map_coordinates(truth.values.astype(float), position, order=1, cval=np.nan)
    if np.isnan(sigma0).any():
        raise ValueError(
            f"'truth' {truth.shape} does not hold a scene of {size} turned by {heading} degrees: "
            "give a larger one."
        )

    # Tables: nodes every 10 pixels (and on both sides of the sub-swath edge), every 10 lines (and
    # at both ends of a burst).
    angle = np.radians(39 + 17 / 250e3 * 10 * (pixel - pixels / 2))
    beta = np.full(pixels, 474.0)
    tables = {
        "sigmaNought": beta / np.sqrt(np.sin(angle)),
        "betaNought": beta,
        "gamma": beta / np.sqrt(np.tan(angle)),
    }
    edge, nodes = int(EDGE * pixels), np.unique(np.r_[0:pixels:40, pixels - 1])
    nesz = np.where(
        pixel < edge,
        -23 - 3 * pixel / edge,
        -27 + 3 * (2 * (pixel - edge) / (pixels - edge) - 1) ** 2,
    )
    noise = 10 ** (nesz / 10) * tables["sigmaNought"] ** 2
    azimuth = np.stack(
        [0.9 + 0.3 * (2 * ((line + lag) % BURST) / (BURST - 1) - 1) ** 2 for lag in (0, BURST // 3)]
    )
    eta = noise * np.where(pixel[None] < edge, azimuth[0][:, None], azimuth[1][:, None])
    rows, ends = (
        np.linspace(0, lines - 1, 5).astype(int),
        np.unique(np.r_[0:pixels:10, edge - 1, edge, pixels - 1]),
    )
    starts = np.r_[BURST - BURST // 3 : lines : BURST, BURST:lines:BURST]
    knots = np.unique(np.r_[0:lines:10, starts - 1, starts, lines - 1])
    calibration = xr.Dataset(
        {k: (("line", "pixel"), np.tile(v[nodes], (5, 1))) for k, v in tables.items()}
    )
    blocks = {
        "first_line": [0, 0],
        "last_line": [lines - 1] * 2,
        "first_pixel": [0, edge],
        "last_pixel": [edge - 1, pixels - 1],
    }
    noise_azimuth = xr.Dataset(
        {"noiseAzimuthLut": (("block", "line"), azimuth[:, knots])},
        {"line": knots, "swath": ("block", ["IW1", "IW2"])}
        | {name: ("block", values) for name, values in blocks.items()},
    )

    # Ground control points: 10 x 21, as in a product.
    gl, gp = (np.linspace(0, n - 1, m).round().astype(int) for n, m in ((lines, 10), (pixels, 21)))
    longitude, latitude = transform(
        truth.rio.crs, "EPSG:4326", x[np.ix_(gl, gp)].ravel(), y[np.ix_(gl, gp)].ravel()
    )
    at = {
        "latitude": latitude,
        "longitude": longitude,
        "height": np.full(210, height),
        "incidenceAngle": np.degrees(angle[gp]),
    }
    points = {name: (("line", "pixel"), np.resize(values, (10, 21))) for name, values in at.items()}
    gcp = xr.Dataset(points, {"line": gl, "pixel": gp}, {"range_pixel_spacing": 10.0})

    speckle = 1 if looks is None else simulate.speckle(size, looks, rng)
    dn = np.sqrt((sigma0 * tables["sigmaNought"] ** 2 + eta) * speckle).round().clip(0, 65535)
    width = (border + border // 2 * (line // BURST % 2))[:, None]
    outside = (pixel < width) | (pixel >= pixels - width) | (line < border // 2)[:, None]
    dn[outside] = rng.integers(0, 7, outside.sum())
    coords, dims = {"line": line, "pixel": pixel}, ("line", "pixel")
    scene = _scene(
        xr.DataArray(dn.astype("float32"), coords, dims),
        calibration.assign_coords(line=rows, pixel=nodes),
        xr.Dataset(
            {"noiseRangeLut": (dims, np.tile(noise[ends], (5, 1)))}, {"line": rows, "pixel": ends}
        ),
        noise_azimuth,
        gcp,
        {
            "family_name": "SENTINEL-1",
            "mode": "IW",
            "product_type": "GRD",
            "source": "simulation",
            "seed": seed,
        }
        | {"pass": "ASCENDING" if math.cos(turn) > 0 else "DESCENDING"},
    )
    layers = {
        "sigma0": sigma0.astype("float32"),
        "noise": eta.astype("float32"),
        "x": x,
        "y": y,
        "border": outside,
    }
    scene["truth"] = xr.DataTree(
        xr.Dataset({name: (dims, values) for name, values in layers.items()}, coords)
    )
    return scene
