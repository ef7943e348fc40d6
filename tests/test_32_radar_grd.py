"""From digital numbers to a map: every step against the formula, or against the truth behind a
simulated scene.
"""

import sys
from pathlib import Path
from xml.etree import ElementTree

import dask
import numpy as np
import pytest
import rasterio
import xarray as xr
from rasterio.control import GroundControlPoint
from rasterio.warp import transform
from scipy import ndimage

from stma_nb import radar, simulate
from stma_nb.radar import grd

REAL = sorted((Path(__file__).parents[2] / "shared/real/safe_grdh").glob("*.SAFE"))
STAMP = "20180606t165000-20180606t165025-022240-026812"


def db(power) -> float:
    return float(10 * np.log10(power))


def truth_of(values) -> xr.DataArray:
    """True backscatter (y, x) on 10 m pixels in Brandenburg."""
    rows, columns = np.shape(values)
    coords = {
        "y": 5_900_000.0 - 10 * np.arange(rows) - 5,
        "x": 400_000.0 + 10 * np.arange(columns) + 5,
    }
    return xr.DataArray(np.asarray(values, "float32"), coords, ("y", "x")).rio.write_crs(
        "EPSG:32633"
    )


def steps(scene, **options) -> xr.DataArray:
    noise = radar.thermal_noise(scene.image.dn, scene.noise_range, scene.noise_azimuth)
    return radar.calibrate(
        radar.mask_border(scene.image.dn), scene.calibration, noise=noise, **options
    )


@pytest.fixture(scope="module")
def truth():
    return simulate.season(size=(512, 512), dates=3, looks=None).vh[2].compute()


@pytest.fixture(scope="module")
def scene(truth):
    return radar.simulate_grd(truth)


@pytest.fixture(scope="module")
def dark():
    """A scene of -24 dB everywhere, a usual VH of smooth soil."""
    return radar.simulate_grd(truth_of(np.full((800, 900), 10**-2.4)), size=(500, 640), border=0)


# --------------------------------------------------------------------------------------- radiometry


@pytest.mark.parametrize("to", ["sigma0", "beta0", "gamma0"])
def test_calibration_is_the_formula_at_the_nodes_and_between(to):
    rng = np.random.default_rng(1)
    lines, pixels = np.array([0, 10, 40]), np.array([0, 20, 60, 70])
    table = xr.Dataset(
        {name: (("line", "pixel"), rng.uniform(400, 700, (3, 4))) for name in grd.LUTS.values()}
    )
    table = table.assign_coords(line=lines, pixel=pixels)
    dn = xr.DataArray(
        rng.integers(20, 900, (41, 71)).astype("uint16"),
        {"line": range(41), "pixel": range(71)},
        ("line", "pixel"),
    )
    result, a = radar.calibrate(dn, table, to), table[grd.LUTS[to]].values
    np.testing.assert_allclose(
        result.values[np.ix_(lines, pixels)],
        (dn.values.astype(float)[np.ix_(lines, pixels)] / a) ** 2,
        1e-6,
    )
    inside = 0.3 * (0.75 * a[1, 1] + 0.25 * a[1, 2]) + 0.7 * (
        0.75 * a[2, 1] + 0.25 * a[2, 2]
    )  # line 31, pixel 30
    assert result.values[31, 30] == pytest.approx((float(dn[31, 30]) / inside) ** 2, rel=1e-6)
    assert (
        result.dtype == np.float32
        and result.attrs["units"] == "1"
        and result.name == result.attrs["quantity"] == to
    )


def test_sigma_beta_and_gamma_differ_by_the_incidence_angle(scene):
    angle = np.radians(radar.incidence_angle(scene.image.dn, scene.gcp))
    sigma0, beta0, gamma0 = (
        radar.calibrate(scene.image.dn + 1, scene.calibration, to)
        for to in ("sigma0", "beta0", "gamma0")
    )
    np.testing.assert_allclose(sigma0, beta0 * np.sin(angle), rtol=1e-5)
    np.testing.assert_allclose(gamma0, sigma0 / np.cos(angle), rtol=1e-5)
    assert float(angle[0, 0]) == pytest.approx(np.radians(39 - 17 / 250 * 2), abs=1e-5)


def test_noise_is_range_times_azimuth_within_each_block():
    noise_range = xr.Dataset(
        {"noiseRangeLut": (("line", "pixel"), [[100.0, 300], [200, 400]])},
        {"line": [0, 10], "pixel": [0, 20]},
    )
    corners = {
        "first_line": [0, 0, 6],
        "last_line": [10, 5, 10],
        "first_pixel": [0, 11, 11],
        "last_pixel": [10, 20, 19],
    }
    noise_azimuth = xr.Dataset(
        {"noiseAzimuthLut": (("block", "line"), [[1.0, 2], [3, 3], [5, 5]])},
        {"line": [0, 10]} | {name: ("block", values) for name, values in corners.items()},
    )
    dn = xr.DataArray(
        np.ones((11, 21), "float32"), {"line": range(11), "pixel": range(21)}, ("line", "pixel")
    )
    plain, eta = (
        radar.thermal_noise(dn, noise_range),
        radar.thermal_noise(dn, noise_range, noise_azimuth),
    )
    assert [float(plain[0, 0]), float(plain[5, 10]), float(plain[10, 20])] == [100, 250, 400]
    assert [
        float(eta[line, pixel] / plain[line, pixel])
        for line, pixel in ((0, 0), (5, 10), (5, 11), (6, 11))
    ] == [1, 1.5, 3, 5]
    assert np.isnan(eta[6:, 20]).all() and int(eta.isnull().sum()) == 5  # no block there


def test_noise_of_the_last_vector_holds_to_the_end_of_the_image():
    lines = np.arange(201)
    dn = xr.DataArray(
        np.ones((201, 5), "float32"), {"line": lines, "pixel": range(5)}, ("line", "pixel")
    )
    table = (("line", "pixel"), np.add.outer([100.0, 200, 300], [0, 0]))
    noise_range = xr.Dataset({"noiseRangeLut": table}, {"line": [0, 75, 150], "pixel": [0, 4]})
    eta = radar.thermal_noise(dn, noise_range)
    assert eta[[75, 150, 151, 200], 2].values.tolist() == [200, 300, 300, 300]
    corners = {"first_line": 0, "last_line": 198, "first_pixel": 0, "last_pixel": 4}
    block = xr.Dataset(
        {"noiseAzimuthLut": (("block", "line"), [[1.0, 2]])},
        {"line": [0, 198]} | {name: ("block", [value]) for name, value in corners.items()},
    )
    assert radar.thermal_noise(dn, noise_range, block)[[198, 200], 2].values.tolist() == [600, 600]
    with pytest.raises(ValueError, match="range noise table covers the lines 0 to 100; the image"):
        radar.thermal_noise(dn, noise_range.assign_coords(line=[0, 50, 100]))


def test_noise_removal_is_unbiased_and_leaving_it_in_is_not(dark):
    dn, nesz = dark.image.dn, float((dark.truth.noise / 474**2 * np.sin(np.radians(39))).mean())
    removed = steps(dark)
    assert float(removed.min()) < 0  # single pixels
    assert db(removed.mean()) == pytest.approx(-24, abs=0.1)
    left_in = db(radar.calibrate(dn, dark.calibration).mean())
    assert left_in == pytest.approx(db(10**-2.4 + nesz), abs=0.1) and left_in > -22.5
    clipped = steps(dark, floor=1e-3)
    assert float(clipped.min()) == pytest.approx(1e-3) and db(clipped.mean()) > db(removed.mean())
    # The two sub-swaths and the bursts no longer show.
    columns = removed.mean("line").coarsen(pixel=160).mean().values
    assert 10 * np.log10(columns.max() / columns.min()) < 0.35
    assert (
        db(radar.calibrate(dn, dark.calibration)[:, :60].mean())
        - db(radar.calibrate(dn, dark.calibration)[:, 480:540].mean())
        > 1
    )


def test_noise_floor_is_that_of_the_instrument(scene):
    eta = radar.thermal_noise(scene.image.dn, scene.noise_range, scene.noise_azimuth)
    np.testing.assert_allclose(eta, scene.truth.noise, rtol=0.012)  # the tables are sparse: 0.05 dB
    nesz = 10 * np.log10(radar.calibrate(eta**0.5, scene.calibration))
    assert -28.2 < float(nesz.min()) < -27 and -22.8 < float(nesz.max()) < -21.8
    assert float(abs(nesz[:, 240] - nesz[:, 239]).mean()) > 1  # step between sub-swaths
    assert float(nesz[99, 100] - nesz[50, 100]) == pytest.approx(
        db(1.2 / 0.9), abs=0.05
    )  # scalloping


def test_without_speckle_the_steps_give_the_truth_back(truth):
    scene = radar.simulate_grd(truth, looks=None)
    error = 10 * np.log10(steps(scene) / scene.truth.sigma0)
    assert (
        float(error.where(scene.truth.sigma0 > 10**-2.2).std()) < 0.1
    )  # digital numbers are rounded


def test_border_is_masked_exactly_and_lakes_are_kept(scene):
    masked = radar.mask_border(scene.image.dn)
    np.testing.assert_array_equal(masked.isnull(), scene.truth.border)
    lake = scene.image.dn.copy()
    lake[100:150, 30:200] = 2
    xr.testing.assert_equal(radar.mask_border(lake).isnull(), masked.isnull())
    nothing = radar.mask_border(xr.zeros_like(lake))
    assert nothing.isnull().all() and nothing.dtype == np.float32


def test_border_noise_of_a_scene_is_wider_in_every_second_burst(truth):
    scene = radar.simulate_grd(truth, border=12)
    border = scene.truth.border.values
    assert border[:6].all() and not border[6:, 200].any(), "half as many lines at the top"
    for line, width in ((50, 12), (99, 12), (100, 18), (199, 18), (200, 12), (299, 12)):
        expected = np.ones(400, bool)
        expected[width:-width] = False
        np.testing.assert_array_equal(border[line], expected)
    assert float(scene.image.dn.where(scene.truth.border).max()) < 10
    assert not radar.simulate_grd(truth, border=0).truth.border.any()


def test_border_is_masked_where_each_burst_begins_and_ends():
    """Three bursts of 20 lines, shifted against each other; the first and the last line are noise.

    A second sub-swath begins later and ends earlier than those beside it. Water in the middle is
    as dark as the border: what is not seen from an edge stays.
    """
    image = np.zeros((62, 50), bool)
    for top, left, right in ((1, 7, 40), (21, 12, 36), (41, 3, 50)):
        image[top : top + 20, left:right] = True
    image[:5, 18:26] = image[58:, 18:26] = False
    rng = np.random.default_rng(0)
    values = np.where(image, rng.integers(10, 400, image.shape), rng.integers(0, 10, image.shape))
    values[8:55, 20:30] = 3  # water
    coords = {"line": np.arange(62), "pixel": np.arange(50)}
    dn = xr.DataArray(values.astype("float32"), coords, ("line", "pixel"))
    masked = radar.mask_border(dn)
    np.testing.assert_array_equal(masked.notnull(), image)
    np.testing.assert_array_equal(masked.values[image], dn.values[image])
    pieces = radar.mask_border(dn.chunk(line=25, pixel=20))
    np.testing.assert_array_equal(pieces.compute(), masked)


# ----------------------------------------------------------------------------------------- geometry


@pytest.mark.parametrize("heading", [-13, 193, 40])
def test_pixels_land_where_they_belong(truth, heading):
    scene = radar.simulate_grd(truth, heading=heading)
    for axis in (
        "x",
        "y",
    ):  # an image of map coordinates, geocoded, must show the coordinates of the map
        position = scene.truth[axis] - float(
            truth[axis].mean()
        )  # small numbers: the result is float32
        for method, worst in (("bilinear", 0.02), ("nearest", 0.75)):
            mapped = radar.geocode(position, scene.gcp, method=method)
            error = (mapped - (mapped[axis] - float(truth[axis].mean()))) / 10
            assert float(abs(error).max()) < worst
            assert mapped.rio.crs == "EPSG:32633" and mapped.rio.resolution() == (10, -10)
    # Nothing of the image is lost: as many map pixels as image pixels, but for the edge.
    assert int(mapped.notnull().sum()) == pytest.approx(300 * 400, rel=0.01)


def test_field_edges_land_within_a_pixel():
    fields = (np.arange(512) // 40 % 2)[:, None] ^ (np.arange(512) // 56 % 2)
    truth = truth_of(np.where(fields, 0.1, 0.02))
    scene = radar.simulate_grd(truth, looks=None, border=0)
    mapped = radar.geocode(steps(scene), scene.gcp, like=truth)
    np.testing.assert_array_equal(mapped.x, truth.x)
    wrong = ((mapped.values > 0.06) != fields.astype(bool)) & np.isfinite(mapped.values)
    inner = ndimage.binary_erosion(fields, iterations=1) | ndimage.binary_erosion(
        1 - fields, iterations=1
    )
    assert not (wrong & inner).any() and wrong.sum() / np.isfinite(mapped.values).sum() < 0.02
    assert (
        float(abs(mapped - truth).where(ndimage.binary_erosion(inner, iterations=2)).max()) < 0.01
    )


def test_map_to_image_and_back(scene):
    line, pixel = radar.to_image(scene.gcp, scene.truth.x, scene.truth.y, "EPSG:32633")
    assert (
        abs(line - scene.truth.line.values[:, None]).max() < 0.02
        and abs(pixel - scene.truth.pixel.values).max() < 0.02
    )
    control = transform(
        "EPSG:4326",
        "EPSG:32633",
        scene.gcp.longitude.values.ravel(),
        scene.gcp.latitude.values.ravel(),
    )
    line, pixel = radar.to_image(scene.gcp, *control, "EPSG:32633", height=40)
    np.testing.assert_allclose(
        line.reshape(10, 21), np.broadcast_to(scene.gcp.line.values[:, None], (10, 21)), atol=1e-3
    )
    np.testing.assert_allclose(
        pixel.reshape(10, 21), np.broadcast_to(scene.gcp.pixel.values, (10, 21)), atol=1e-3
    )


def test_ground_at_a_wrong_height_lands_beside_itself(scene, truth):
    x, y = float(truth.x.mean()), float(truth.y.mean())
    line, pixel = radar.to_image(scene.gcp, x, y, "EPSG:32633", height=[0, 40, 90])
    np.testing.assert_allclose(
        np.diff(pixel), -np.diff([0, 40, 90]) / np.tan(np.radians(39)) / 10, rtol=0.01
    )
    assert np.ptp(line) < 1e-6
    image = scene.truth.sigma0
    model = xr.full_like(truth, 90).where(truth.x > x, 40)
    flat, high, both = (
        radar.geocode(image, scene.gcp, like=truth, height=h) for h in (40.0, 90.0, model)
    )
    np.testing.assert_array_equal(both, np.where(truth.x > x, high, flat))
    with pytest.raises(ValueError, match=r"'height' has \(511, 512\) pixels, the map \(512, 512\)"):
        radar.geocode(image, scene.gcp, like=truth, height=model[1:])
    with pytest.raises(ValueError, match="'height' lies on another grid"):
        radar.geocode(image, scene.gcp, like=truth, height=model.assign_coords(x=truth.x + 10))
    with pytest.raises(ValueError, match=r"'height' has gaps \(NaN\)"):
        radar.geocode(image, scene.gcp, like=truth, height=model.where(truth.x > x))


def test_lazy_and_windowed_results_are_the_same(scene):
    whole, image = steps(scene), scene.image.to_dataset()
    lazy = scene.copy()
    lazy["image"] = xr.DataTree(image.chunk(line=70, pixel=110))
    result = steps(lazy)
    assert dask.is_dask_collection(result.data) and result.chunks == lazy.image.dn.chunks
    xr.testing.assert_allclose(result.compute(), whole)
    mapped = radar.geocode(result, scene.gcp)
    assert dask.is_dask_collection(mapped.data) and mapped.dtype == np.float32
    xr.testing.assert_identical(mapped.compute(), radar.geocode(whole, scene.gcp))
    window = {"line": slice(100, 200), "pixel": slice(50, 350)}
    dn = image.dn.isel(window)
    part = radar.calibrate(
        dn, scene.calibration, noise=radar.thermal_noise(dn, scene.noise_range, scene.noise_azimuth)
    )
    xr.testing.assert_allclose(part, whole.isel(window))
    large, small = radar.geocode(whole, scene.gcp), radar.geocode(part, scene.gcp)
    assert small.size < 0.5 * large.size
    assert int(small.notnull().sum()) == pytest.approx(100 * 300, rel=0.03)
    same = radar.geocode(part, scene.gcp, like=large)
    xr.testing.assert_allclose(same, large.where(same.notnull()))
    assert int(same.notnull().sum()) == pytest.approx(100 * 300, rel=0.03)


def test_blocks_of_the_map_fit_together(scene, monkeypatch):
    position = scene.truth.x - float(scene.truth.x.mean())
    whole = radar.geocode(position, scene.gcp)
    monkeypatch.setattr(grd, "BLOCK", 100)
    pieces = radar.geocode(position, scene.gcp)
    assert float(abs(whole - pieces).max()) / 10 < 0.02
    assert int((whole.isnull() != pieces.isnull()).sum()) < 30  # some of the pixels along the edge


# ---------------------------------------------------------------------------------------- bad input


def test_bad_input_is_explained(scene, truth):
    dn, gcp = scene.image.dn, scene.gcp
    decibel = (10 * np.log10(dn + 1)).assign_attrs(units="dB")
    short = scene.calibration.to_dataset().isel(pixel=slice(0, -1))
    late = scene.noise_range.to_dataset().isel(line=slice(1, None))
    left = scene.noise_azimuth.to_dataset().isel(block=[0])
    column = gcp.to_dataset().isel(line=[0, 9], pixel=[0])
    nowhere = truth.drop_vars("spatial_ref")
    for call, message in (
        (
            lambda: radar.calibrate(dn, scene.calibration, "sigma"),
            "Cannot calibrate to 'sigma': choose one of sigma0, beta0, gamma0",
        ),
        (lambda: radar.calibrate(decibel, scene.calibration), "in dB; expected digital numbers"),
        (lambda: radar.geocode(decibel, gcp), "in dB"),
        (lambda: radar.calibrate(steps(scene), scene.calibration), "is sigma0 already"),
        (
            lambda: radar.calibrate(truth, scene.calibration),
            r"dimensions \('y', 'x'\); expected an image",
        ),
        (
            lambda: radar.calibrate(dn, short),
            "calibration table covers the pixels 0 to 360; the image has 0 to 399",
        ),
        (lambda: radar.thermal_noise(dn, late), "range noise table covers the lines 74"),
        (lambda: radar.thermal_noise(dn, scene.noise_range, left), "pixels 0 to 239"),
        (lambda: radar.calibrate(dn, short.isel(line=[0])), r"\(1, 10\) nodes"),
        (
            lambda: radar.geocode(dn, column),
            "There are 2 ground control points; expected at least 4",
        ),
        (lambda: radar.geocode(dn, gcp, method="cubic"), "choose one of nearest, bilinear"),
        (lambda: radar.geocode(dn, gcp, like=nowhere), "no coordinate reference system"),
        (lambda: radar.simulate_grd(truth[:300]), "give a larger one"),
        (lambda: radar.simulate_grd(truth, size=(20, 400)), "at least 64"),
        (lambda: radar.simulate_grd(truth.assign_attrs(units="dB")), "must be linear power"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


# ----------------------------------------------------------------------------------- .SAFE products


def write_safe(scene, folder: Path, old_noise: bool = False) -> Path:
    """A scene as a product folder in the true format, with the elements that readers need (product
    specification 3.9).
    """
    safe = folder / "S1A_IW_GRDH_1SDV_20180606T165000_20180606T165025_022240_026812_ABCD.SAFE"
    (safe / "annotation/calibration").mkdir(parents=True)
    (safe / "measurement").mkdir()
    name, (lines, pixels) = f"s1a-iw-grd-vh-{STAMP}-002", scene.image.dn.shape
    time, end_time = "2018-06-06T16:50:00.000000", "2018-06-06T16:50:25.000000"

    def row(values) -> str:
        return " ".join(
            f"{v:.6e}" if isinstance(v, float) else str(v) for v in np.asarray(values).tolist()
        )

    def vector(tag, table, index, luts) -> str:
        found = "".join(
            f'<{to} count="{table.sizes["pixel"]}">{row(table[lut][index].values)}</{to}>'
            for lut, to in luts.items()
        )
        return (
            f"<{tag}><azimuthTime>{time}</azimuthTime><line>{int(table.line[index])}</line>"
            f'<pixel count="{table.sizes["pixel"]}">{row(table.pixel.values)}</pixel>'
            f"{found}</{tag}>"
        )

    luts = {lut: lut for lut in grd.LUTS.values()}
    vectors = "".join(
        vector("calibrationVector", scene.calibration, i, luts)
        for i in range(scene.calibration.sizes["line"])
    )
    dn_lut = (
        '<dn count="11">'
        + row(np.full(scene.calibration.sizes["pixel"], 474.0))
        + "</dn></calibrationVector>"
    )
    vectors = vectors.replace("</calibrationVector>", dn_lut)
    calibration = (
        "<calibration><calibrationInformation>"
        "<absoluteCalibrationConstant>1.393</absoluteCalibrationConstant>"
        f"</calibrationInformation><calibrationVectorList>{vectors}</calibrationVectorList>"
        "</calibration>"
    )
    tag, lut = ("noiseVector", "noiseLut") if old_noise else ("noiseRangeVector", "noiseRangeLut")
    ranges = "".join(
        vector(tag, scene.noise_range, i, {"noiseRangeLut": lut})
        for i in range(scene.noise_range.sizes["line"])
    )
    azimuth = "".join(
        f"<noiseAzimuthVector><swath>{block.swath.item()}</swath>"
        f"<firstAzimuthLine>{block.first_line.item()}</firstAzimuthLine>"
        f"<firstRangeSample>{block.first_pixel.item()}</firstRangeSample>"
        f"<lastAzimuthLine>{block.last_line.item()}</lastAzimuthLine>"
        f"<lastRangeSample>{block.last_pixel.item()}</lastRangeSample>"
        f"<line>{row(block.line.values)}</line>"
        f"<noiseAzimuthLut>{row(block.noiseAzimuthLut.values)}</noiseAzimuthLut>"
        "</noiseAzimuthVector>"
        for _, block in scene.noise_azimuth.to_dataset().groupby("block", squeeze=False)
        for block in [block.isel(block=0)]
    )
    azimuth = "" if old_noise else f"<noiseAzimuthVectorList>{azimuth}</noiseAzimuthVectorList>"
    noise = f"<noise><{tag}List>{ranges}</{tag}List>{azimuth}</noise>"
    points = [
        (i, j, scene.gcp.to_dataset().isel(line=i, pixel=j)) for i in range(10) for j in range(21)
    ]
    grid = "".join(
        f"<geolocationGridPoint><azimuthTime>2018-06-06T16:50:{i:02}.000000</azimuthTime>"
        f"<slantRangeTime>{5.3e-3 + j * 1e-5}</slantRangeTime>"
        f"<line>{int(p.line)}</line><pixel>{int(p.pixel)}</pixel>"
        f"<latitude>{p.latitude.item()!r}</latitude><longitude>{p.longitude.item()!r}</longitude>"
        f"<height>{p.height.item()}</height>"
        f"<incidenceAngle>{p.incidenceAngle.item()!r}</incidenceAngle>"
        "<elevationAngle>35.0</elevationAngle></geolocationGridPoint>"
        for i, j, p in points
    )
    annotation = (
        "<product><generalAnnotation><productInformation>"
        "<pass>Ascending</pass><projection>Ground Range</projection>"
        "<rangeSamplingRate>6.4e7</rangeSamplingRate><radarFrequency>5.405e9</radarFrequency>"
        "<azimuthSteeringRate>1.59</azimuthSteeringRate>"
        "</productInformation></generalAnnotation><imageAnnotation><imageInformation>"
        f"<productFirstLineUtcTime>{time}</productFirstLineUtcTime>"
        f"<productLastLineUtcTime>{end_time}</productLastLineUtcTime>"
        f"<ascendingNodeTime>{time}</ascendingNodeTime><slantRangeTime>5.3e-3</slantRangeTime>"
        "<rangePixelSpacing>10</rangePixelSpacing><azimuthPixelSpacing>10</azimuthPixelSpacing>"
        "<azimuthTimeInterval>1.5e-3</azimuthTimeInterval>"
        f"<numberOfSamples>{pixels}</numberOfSamples><numberOfLines>{lines}</numberOfLines>"
        "<incidenceAngleMidSwath>39</incidenceAngleMidSwath></imageInformation></imageAnnotation>"
        '<swathTiming><linesPerBurst>0</linesPerBurst><burstList count="0"/></swathTiming>'
        f"<geolocationGrid><geolocationGridPointList>{grid}</geolocationGridPointList>"
        "</geolocationGrid></product>"
    )
    orbits = "".join(
        f'<safe:{kind} type="{end}">{number}</safe:{kind}>'
        for kind, number in (("orbitNumber", 22240), ("relativeOrbitNumber", 146))
        for end in ("start", "stop")
    )
    files = {
        "s1Level1ProductSchema": (f"annotation/{name}.xml", annotation),
        "s1Level1CalibrationSchema": (
            f"annotation/calibration/calibration-{name}.xml",
            calibration,
        ),
        "s1Level1NoiseSchema": (f"annotation/calibration/noise-{name}.xml", noise),
        "s1Level1MeasurementSchema": (f"measurement/{name}.tiff", None),
    }
    objects = "".join(
        f'<dataObject ID="{kind}" repID="{kind}"><byteStream>'
        f'<fileLocation locatorType="URL" href="./{file}"/></byteStream></dataObject>'
        for kind, (file, _) in files.items()
    )
    manifest = (
        '<xfdu:XFDU xmlns:xfdu="urn:ccsds:schema:xfdu:1" '
        'xmlns:safe="http://www.esa.int/safe/sentinel-1.0" '
        'xmlns:s1="http://www.esa.int/safe/sentinel-1.0/sentinel-1" '
        'xmlns:s1sarl1="http://www.esa.int/safe/sentinel-1.0/sentinel-1/sar/level-1">'
        "<metadataSection>"
        "<safe:platform><safe:familyName>SENTINEL-1</safe:familyName><safe:number>A</safe:number>"
        "<s1sarl1:instrumentMode><s1sarl1:mode>IW</s1sarl1:mode><s1sarl1:swath>IW</s1sarl1:swath>"
        "</s1sarl1:instrumentMode></safe:platform>"
        f"<safe:orbitReference>{orbits}<s1:pass>ASCENDING</s1:pass>"
        f"<s1:ascendingNodeTime>{time}</s1:ascendingNodeTime></safe:orbitReference>"
        "<s1sarl1:missionDataTakeID>157714</s1sarl1:missionDataTakeID>"
        "<s1sarl1:transmitterReceiverPolarisation>VV</s1sarl1:transmitterReceiverPolarisation>"
        "<s1sarl1:transmitterReceiverPolarisation>VH</s1sarl1:transmitterReceiverPolarisation>"
        f"<s1sarl1:productType>GRD</s1sarl1:productType><safe:startTime>{time}</safe:startTime>"
        f"<safe:stopTime>{end_time}</safe:stopTime></metadataSection>"
        f"<dataObjectSection>{objects}</dataObjectSection></xfdu:XFDU>"
    )
    for file, text in [("manifest.safe", manifest), *files.values()]:
        if text:
            (safe / file).write_text(
                '<?xml version="1.0" encoding="UTF-8"?>\n' + text, encoding="utf-8"
            )
    gcps = [
        GroundControlPoint(
            int(p.line), int(p.pixel), p.longitude.item(), p.latitude.item(), p.height.item()
        )
        for _, _, p in points
    ]
    profile = {
        "driver": "GTiff",
        "height": lines,
        "width": pixels,
        "count": 1,
        "dtype": "uint16",
        "gcps": gcps,
        "crs": "EPSG:4326",
    }
    with rasterio.open(safe / f"measurement/{name}.tiff", "w", **profile) as tif:
        tif.write(scene.image.dn.values.astype("uint16"), 1)
    return safe


@pytest.fixture
def safe(scene, tmp_path):
    pytest.importorskip(
        "xarray_sentinel",
        reason="xarray-sentinel, the optional reader of .SAFE products, is not installed",
    )
    return write_safe(scene, tmp_path)


def test_a_product_is_read_as_it_was_written(scene, safe):
    product = radar.open_grd(safe, "vh")
    assert set(product.children) == set(scene.children) - {"truth"}
    assert product.attrs["pass"] == "ASCENDING" and product.attrs["polarisation"] == "VH"
    assert dask.is_dask_collection(product.image.dn.data) and product.image.dn.dtype == np.float32
    for group in product.children:
        xr.testing.assert_allclose(
            product[group].to_dataset(), scene[group].to_dataset(), rtol=2e-6
        )
    assert product.image.dn.attrs == scene.image.dn.attrs and product.gcp.attrs == scene.gcp.attrs
    xr.testing.assert_allclose(
        radar.geocode(steps(product), product.gcp),
        radar.geocode(steps(scene), scene.gcp),
        rtol=1e-3,
        atol=1e-5,
    )


def test_products_before_ipf_2_9_have_range_noise_only(scene, tmp_path):
    pytest.importorskip(
        "xarray_sentinel",
        reason="xarray-sentinel, the optional reader of .SAFE products, is not installed",
    )
    product = radar.open_grd(write_safe(scene, tmp_path, old_noise=True), "VH")
    assert product.noise_azimuth.sizes["block"] == 0
    eta = radar.thermal_noise(
        product.image.dn, product.noise_range, product.noise_azimuth
    ).compute()
    np.testing.assert_allclose(
        eta, radar.thermal_noise(scene.image.dn, scene.noise_range), rtol=1e-5
    )


def test_noise_of_old_processors_is_refused_where_it_would_be_removed(scene, tmp_path):
    """Up to IPF 2.5 the table is in other units, in which it would remove nothing."""
    pytest.importorskip(
        "xarray_sentinel",
        reason="xarray-sentinel, the optional reader of .SAFE products, is not installed",
    )
    old = scene.copy()
    old["noise_range"] = xr.DataTree(scene.noise_range.to_dataset() * 1e-3)
    product = radar.open_grd(write_safe(old, tmp_path, old_noise=True), "VH")
    with pytest.raises(ValueError, match=r"sigma zero is -5\d dB; expected -22 .*noise=None"):
        steps(product)
    assert np.isfinite(radar.calibrate(product.image.dn, product.calibration)).all()
    for group in ("image", "noise_range"):  # none at all
        old[group] = xr.DataTree(scene[group].to_dataset() * 0)
    with pytest.raises(ValueError, match="sigma zero is 0; expected"):
        steps(old)


def test_a_bad_product_is_explained(safe, monkeypatch):
    with pytest.raises(
        FileNotFoundError, match=r"not a Sentinel-1 product: give the unpacked \.SAFE folder"
    ):
        radar.open_grd(safe.parent, "vh")
    with pytest.raises(ValueError, match="has no polarisation HH; it has VV, VH"):
        radar.open_grd(safe, "hh")
    with pytest.raises(FileNotFoundError, match="lacks the file .*vv.*incomplete"):
        radar.open_grd(safe, "vv")

    def spoil(file: Path, text: bytes, error, message: str) -> None:
        whole = file.read_bytes()
        file.write_bytes(text)
        with pytest.raises(error, match=message):
            radar.open_grd(safe, "vh")
        file.write_bytes(whole)

    manifest, (noise,), (tif,) = (
        safe / "manifest.safe",
        safe.glob("*/*/noise*"),
        safe.glob("*/*.tiff"),
    )
    spoil(
        manifest,
        manifest.read_bytes().replace(b">GRD<", b">SLC<"),
        ValueError,
        "type SLC; expected GRD",
    )
    spoil(
        manifest,
        manifest.read_bytes()[:-300],
        ValueError,
        "'manifest.safe' is damaged or truncated",
    )
    for file in safe.glob("annotation/**/*.xml"):
        spoil(file, file.read_bytes()[:-300], ValueError, f"'{file.name}' is damaged or truncated")
    spoil(noise, b"<noise></noise>", ValueError, "holds no noise vectors")
    spoil(tif, tif.read_bytes()[:-5000], ValueError, "truncated")
    noise.unlink()
    with pytest.raises(FileNotFoundError, match="lacks the file .*noise"):
        radar.open_grd(safe, "vh")
    monkeypatch.setitem(sys.modules, "xarray_sentinel", None)
    with pytest.raises(ImportError, match=r"needs xarray_sentinel, .* 'stma_nb\[safe\]'"):
        radar.open_grd(safe, "vh")


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.skipif(not REAL, reason="no real GRD product at ../shared/real/safe_grdh")
def test_on_a_real_product():
    pytest.importorskip(
        "xarray_sentinel",
        reason="xarray-sentinel, the optional reader of .SAFE products, is not installed",
    )
    product = radar.open_grd(REAL[0], "VV")
    assert product.image.dn.shape == (16705, 26102) and product.gcp.latitude.shape == (10, 21)

    def numbers(node, tag) -> np.ndarray:
        return np.array(node.findtext(tag).split(), float)

    # Calibration and noise at the nodes of the tables in the XML files; a DN of 1000 gives 1000^2 /
    # A^2.
    root = ElementTree.parse(next(REAL[0].glob("annotation/calibration/calibration-*"))).getroot()
    vector = root.findall(".//calibrationVector")[5]
    pixel = numbers(vector, "pixel").astype(int)
    line = product.image.dn.sel(line=[int(vector.findtext("line"))]).compute() + 1000
    for to, lut in grd.LUTS.items():
        result = radar.calibrate(line, product.calibration, to).sel(pixel=pixel).values[0]
        np.testing.assert_allclose(1e6 / result, numbers(vector, lut) ** 2, rtol=1e-5)
    root = ElementTree.parse(next(REAL[0].glob("annotation/calibration/noise-*"))).getroot()
    vector, blocks = root.findall(".//noiseRangeVector")[5], root.findall(".//noiseAzimuthVector")
    pixel, at = numbers(vector, "pixel").astype(int), int(vector.findtext("line"))
    factor = np.concatenate(
        [
            np.full(
                np.sum(
                    (pixel >= int(b.findtext("firstRangeSample")))
                    & (pixel <= int(b.findtext("lastRangeSample")))
                ),
                value,
            )
            for b in blocks
            for value in [np.interp(at, numbers(b, "line"), numbers(b, "noiseAzimuthLut"))]
        ]
    )
    eta = radar.thermal_noise(
        product.image.dn.sel(line=[at]), product.noise_range, product.noise_azimuth
    ).sel(pixel=pixel)
    np.testing.assert_allclose(eta.values[0], numbers(vector, "noiseRangeLut") * factor, rtol=1e-5)
    nesz = 10 * np.log10(radar.calibrate(eta**0.5, product.calibration).where(eta > 0))
    assert -31 < float(nesz.min()) < -29 and -23 < float(nesz.max()) < -21

    # An inner control point is found from all others, in spite of terrain up to 1845 m.
    gcp = product.gcp.to_dataset()
    points, places = grd._control_points(gcp, "EPSG:32633")
    error = []
    for i in (i for i in range(22, 188, 4) if i % 21 not in (0, 20)):
        others = np.arange(210) != i
        error.append(
            grd._interpolator(points[others], places[others])(points[i : i + 1])[0] - places[i]
        )
    assert np.abs(error)[:, :2].max() < 0.5
    x, y = transform(
        "EPSG:4326", "EPSG:32633", gcp.longitude.values.ravel(), gcp.latitude.values.ravel()
    )
    line, pixel = radar.to_image(gcp, x, y, "EPSG:32633", height=gcp.height.values.ravel())
    assert abs(line.reshape(10, 21) - gcp.line.values[:, None]).max() < 0.01
    assert abs(pixel.reshape(10, 21) - gcp.pixel.values).max() < 0.01
    assert float(gcp.height.max()) == pytest.approx(1845, abs=1)

    # The whole chain is lazy: a piece of the map needs a piece of the image.
    dn = product.image.dn
    noise = radar.thermal_noise(dn, product.noise_range, product.noise_azimuth)
    mapped = radar.geocode(radar.calibrate(dn, product.calibration, noise=noise), gcp, height=0)
    assert mapped.rio.crs == "EPSG:32633" and min(mapped.shape) > 20000
    piece = mapped[
        9000:9010, 14000:14010
    ].compute()  # the digital numbers of the sample are 0: only the noise is left
    assert (piece < 0).all() and -31 < db(-piece.mean()) < -21
