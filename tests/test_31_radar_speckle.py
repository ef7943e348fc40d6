"""Speckle filters against their formulas written out pixel by pixel, and against the theory of
correlated speckle.
"""

import dask.array as da
import numpy as np
import pytest
import xarray as xr

from stma_nb import cube, radar, simulate

LOOKS = 4.4
FILTERS = {
    "boxcar": radar.boxcar,
    "lee": radar.lee,
    "refined_lee": radar.refined_lee,
    "gamma_map": radar.gamma_map,
    "quegan_yu": radar.quegan_yu,
}


def power(values: np.ndarray) -> xr.DataArray:
    """A stack (time, y, x) or an image (y, x) with coordinates and attributes."""
    coords = {"x": 10.0 * np.arange(values.shape[-1]), "y": -10.0 * np.arange(values.shape[-2])}
    if values.ndim == 3:
        coords["time"] = np.datetime64("2018-04-01", "ns") + 6 * np.arange(
            len(values)
        ) * np.timedelta64(1, "D")
    attrs = {"units": "1", "long_name": "VV backscatter"}
    return xr.DataArray(
        values.astype("float32"), coords, ("time", "y", "x")[-values.ndim :], "vv", attrs
    )


@pytest.fixture(scope="module")
def scene() -> xr.DataArray:
    """Five dates of 37 x 45 pixels: fields 3 dB apart, a bright target, speckle."""
    level = np.where((np.arange(37)[:, None] + np.arange(45)) // 13 % 2, 0.1, 0.05)
    level[20, 30] = 30
    return power(level * simulate.speckle((5, 37, 45), LOOKS, np.random.default_rng(2)))


@pytest.fixture(scope="module")
def holes(scene) -> xr.DataArray:
    """The scene with a large and a small hole, a few lost pixels, a lost corner, and a lost date at
    some pixels.
    """
    rng = np.random.default_rng(3)
    valid = rng.random(scene.shape) > 0.05
    valid[:, 5:17, 8:19] = valid[:, :4, :6] = valid[2, 30:, 30:] = False
    return scene.where(valid).assign_attrs(scene.attrs)


@pytest.fixture(scope="module")
def homogeneous() -> xr.DataArray:
    """Ten dates of correlated speckle of mean 1 and nothing else."""
    return power(simulate.speckle((10, 400, 400), LOOKS, np.random.default_rng(1)))


# ------------------------------------------------------------ the formulas, pixel by pixel, float64


def window_at(image, y, x, half=3, mask=None):
    """Valid values in the window around a pixel, those outside the image being NaN."""
    padded = np.pad(image, half, constant_values=np.nan)[y : y + 2 * half + 1, x : x + 2 * half + 1]
    values = padded if mask is None else padded[mask]
    return values[np.isfinite(values)]


def lee_value(pixel, values):
    z, v = values.mean(), values.var()
    k = max(0, 1 - z**2 / LOOKS / v) if v > 0 else 0
    return z + k * (pixel - z)


def gamma_value(pixel, values):
    z, ci2, cu2 = values.mean(), values.var() / values.mean() ** 2, 1 / LOOKS
    if ci2 <= cu2:
        return z
    if ci2 >= 2 * cu2:
        return pixel
    a = (1 + cu2) / (ci2 - cu2)
    b = a - LOOKS - 1
    return (b * z + np.sqrt(b**2 * z**2 + 4 * a * LOOKS * pixel * z)) / (2 * a)


def refined_value(image, y, x):
    values = window_at(image, y, x)
    if values.var() <= values.mean() ** 2 / LOOKS:
        return values.mean()
    around = np.pad(image, 3, constant_values=np.nan)[y : y + 7, x : x + 7]
    small = [[around[2 * i : 2 * i + 3, 2 * j : 2 * j + 3] for j in range(3)] for i in range(3)]
    m = np.array(
        [[np.nanmean(s) if np.isfinite(s).any() else np.nan for s in row] for row in small]
    )
    row, column = np.mgrid[:7, :7]
    sides = [
        (m[1, 0], m[1, 2], column <= 3, column >= 3),
        (m[0, 2], m[2, 0], column >= row, column <= row),
        (m[0, 1], m[2, 1], row <= 3, row >= 3),
        (m[0, 0], m[2, 2], row + column <= 6, row + column >= 6),
    ]
    gradients = [0 if np.isnan(a - b) else abs(a - b) for a, b, *_ in sides]
    if max(gradients) == 0:
        return lee_value(image[y, x], values)
    a, b, one, other = sides[int(np.argmax(gradients))]
    return lee_value(
        image[y, x],
        window_at(image, y, x, mask=one if abs(a - m[1, 1]) < abs(m[1, 1] - b) else other),
    )


def reference(name: str, stack: np.ndarray, window: int = 7) -> np.ndarray:
    stack, half = stack.astype("float64"), window // 2
    result = np.full(stack.shape, np.nan)
    mean = np.full(stack.shape, np.nan)
    for t, y, x in zip(*np.nonzero(np.isfinite(stack)), strict=True):
        image = stack[t]
        values = window_at(image, y, x, half)
        mean[t, y, x] = values.mean()
        if name == "lee":
            result[t, y, x] = lee_value(image[y, x], values)
        elif name == "gamma_map":
            result[t, y, x] = gamma_value(image[y, x], values)
        elif name == "refined_lee":
            result[t, y, x] = refined_value(image, y, x)
    if name == "boxcar":
        return mean
    if name == "quegan_yu":
        return (
            mean * np.nansum(stack / mean, axis=0) / np.maximum(np.isfinite(stack).sum(axis=0), 1)
        )
    return result


@pytest.mark.parametrize("data", ["scene", "holes"])
@pytest.mark.parametrize("name", FILTERS)
def test_is_its_formula(name, data, request):
    stack = request.getfixturevalue(data)[:3]
    expected = reference(name, stack.values)
    found = FILTERS[name](stack).values
    np.testing.assert_array_equal(np.isnan(found), np.isnan(stack.values))
    difference = abs(found - expected) / reference("boxcar", stack.values)
    assert np.nanmax(difference) < 1e-5


@pytest.mark.parametrize("name", ["boxcar", "lee", "gamma_map", "quegan_yu"])
def test_other_windows(name, holes):
    for window in (3, 5):
        np.testing.assert_allclose(
            FILTERS[name](holes[:2], window=window),
            reference(name, holes[:2].values, window),
            rtol=1e-4,
            equal_nan=True,
        )


def test_variance_is_exact_in_float32_where_it_is_small():
    """A mean 1000 times the standard deviation, as of many looks: E[x^2] - E[x]^2 loses digits, but
    not more than float32 has.
    """
    image = 1 + 1e-3 * np.random.default_rng(0).standard_normal((20, 20))
    found = radar.lee(power(image), looks=LOOKS).values
    np.testing.assert_allclose(
        found, reference("boxcar", image[None].astype("float32"))[0], rtol=1e-6
    )


# ----------------------------------------------------------------------------- shape, NaN, laziness


@pytest.mark.parametrize("name", FILTERS)
def test_keeps_what_a_data_array_holds(name, scene):
    result = FILTERS[name](scene)
    assert (
        result.dtype == np.float32
        and result.name == "vv"
        and result.attrs == scene.attrs
        and result.dims == scene.dims
    )
    assert result.coords.equals(scene.coords)
    before = scene.copy(deep=True)
    FILTERS[name](scene.astype("float64"))
    xr.testing.assert_identical(scene, before)


@pytest.mark.parametrize("data", ["scene", "holes"])
@pytest.mark.parametrize("name", FILTERS)
def test_lazy_and_the_same_in_blocks(name, data, request):
    stack = request.getfixturevalue(data)
    whole = FILTERS[name](stack)
    for chunks in (
        {"time": -1, "y": 16, "x": 16},
        {"time": 2, "y": 11, "x": 45},
        {"time": 1, "y": 37, "x": 2},
    ):
        lazy = FILTERS[name](stack.chunk(chunks))
        assert isinstance(lazy.data, da.Array) and lazy.dtype == np.float32
        xr.testing.assert_identical(lazy.compute(scheduler="threads"), whole)


@pytest.mark.parametrize("name", FILTERS)
def test_the_same_in_tiles(name, holes, monkeypatch):
    whole = FILTERS[name](holes)
    monkeypatch.setattr("stma_nb.radar.speckle.TILE", 14)
    xr.testing.assert_identical(FILTERS[name](holes), whole)


@pytest.mark.parametrize("name", FILTERS)
def test_holes_change_nothing_out_of_reach(name, scene):
    holed = scene.copy(deep=True)
    holed[:, 10:20, 10:20] = np.nan
    difference = FILTERS[name](holed) - FILTERS[name](scene)
    changed = (difference != 0).any("time")
    assert (
        not changed[:, :7].any()
        and not changed[:7].any()
        and not changed[23:].any()
        and not changed[:, 23:].any()
    )
    assert bool((difference.isnull() == holed.isnull()).all())


@pytest.mark.parametrize("name", FILTERS)
def test_constant_and_empty(name):
    np.testing.assert_allclose(FILTERS[name](power(np.full((3, 12, 12), 0.07))), 0.07, rtol=1e-6)
    assert (FILTERS[name](power(np.zeros((3, 12, 12)))) == 0).all()
    assert FILTERS[name](power(np.full((3, 12, 12), np.nan))).isnull().all()


def test_an_image_and_a_stack_agree(scene):
    for name in ("boxcar", "lee", "refined_lee", "gamma_map"):
        np.testing.assert_array_equal(FILTERS[name](scene)[1], FILTERS[name](scene[1]))


def test_a_season_is_filtered_by_assign(season):
    filtered = season.assign(vv=radar.lee(season.vv), vh=radar.lee(season.vh))
    assert (
        set(filtered) == set(season)
        and filtered.vv.attrs["units"] == "1"
        and filtered.rio.crs == season.rio.crs
    )
    assert float(filtered.vh.isel(time=0).std()) < float(season.vh.isel(time=0).std())


def test_image_in_lines_and_pixels(scene):
    product = scene[0].drop_vars("time").rename(y="line", x="pixel")
    np.testing.assert_array_equal(radar.lee(product), radar.lee(scene[0]))
    assert radar.enl(product, 10).dims == ("line", "pixel")


# ------------------------------------------------------------------------------------------- theory


def measured_enl(images: xr.DataArray) -> float:
    inner = images[:, 8:-8, 8:-8].astype("float64")
    return float((inner.mean(("y", "x")) ** 2 / inner.var(("y", "x"))).mean())


def bias(images: xr.DataArray) -> float:
    return float(10 * np.log10(images[:, 8:-8, 8:-8].astype("float64").mean()))


def test_theory_numbers():
    assert [round(radar.independent_samples(w), 1) for w in (3, 5, 7, 9, 11)] == [
        2.9,
        6.5,
        11.5,
        17.9,
        25.7,
    ]
    assert radar.independent_samples(7, pixel=1000) == pytest.approx(
        49, rel=1e-3
    )  # without correlation
    assert radar.boxcar_enl(7) == pytest.approx(50.6, abs=0.05)
    assert radar.quegan_yu_enl(1) == pytest.approx(4.4)
    assert [round(radar.quegan_yu_enl(m), 1) for m in (5, 10, 41)] == [16.3, 24.7, 40.3]
    assert radar.quegan_yu_enl(10**6) == pytest.approx(radar.boxcar_enl(), rel=1e-3)
    for looks, low, spread in ((1, -2.51, 5.57), (4.4, -0.51, 2.19), (100, -0.02, 0.44)):
        assert radar.db_bias(looks) == pytest.approx(low, abs=0.006) and radar.db_spread(
            looks
        ) == pytest.approx(spread, abs=0.006)


@pytest.mark.parametrize("window", [3, 5, 7])
def test_boxcar_gains_the_independent_samples(homogeneous, window):
    filtered = radar.boxcar(homogeneous, window)
    assert measured_enl(homogeneous) == pytest.approx(LOOKS, rel=0.02)
    assert measured_enl(filtered) == pytest.approx(radar.boxcar_enl(window), rel=0.04)
    assert abs(bias(filtered)) < 0.02


@pytest.mark.parametrize("dates", [2, 5, 10])
def test_quegan_yu_gains_what_theory_says(homogeneous, dates):
    filtered = radar.quegan_yu(homogeneous[:dates])
    assert measured_enl(filtered) == pytest.approx(radar.quegan_yu_enl(dates), rel=0.04)
    assert abs(bias(filtered)) < 0.05


@pytest.mark.parametrize(
    ("name", "looks", "low"),
    [("lee", 39.5, 0), ("refined_lee", 29.3, -0.064), ("gamma_map", 38.5, -0.054)],
)
def test_adaptive_filters_in_a_homogeneous_area(homogeneous, name, looks, low):
    """What the docstrings state; less than the 50.6 of the window, as single pixels are kept where
    it happens to vary more.
    """
    filtered = FILTERS[name](homogeneous)
    assert measured_enl(filtered) == pytest.approx(looks, rel=0.05)
    assert bias(filtered) == pytest.approx(low, abs=0.015)


def test_filtering_in_db_is_biased(homogeneous):
    in_db = radar.to_db(homogeneous)
    averaged = in_db.rolling(y=7, x=7, center=True).mean()
    assert float(averaged.mean()) == pytest.approx(
        radar.db_bias(LOOKS), abs=0.02
    )  # -0.51 dB: the order matters
    assert float(in_db.std()) == pytest.approx(radar.db_spread(LOOKS), rel=0.02)
    assert float(radar.to_db(radar.boxcar(homogeneous)).mean()) == pytest.approx(
        radar.db_bias(radar.boxcar_enl()), abs=0.01
    )


def test_enl_in_blocks(homogeneous):
    found = radar.enl(homogeneous)
    assert (
        found.dims == ("time", "y", "x")
        and found.shape == (10, 16, 16)
        and found.attrs["units"] == "1"
    )
    assert float(found.median()) == pytest.approx(LOOKS, rel=0.05)
    # Most of the speckle left by a filter is common to a small block.
    filtered = radar.boxcar(homogeneous)
    assert float(radar.enl(filtered, 25).median()) > 1.08 * radar.boxcar_enl()
    assert float(radar.enl(filtered, 100).median()) == pytest.approx(radar.boxcar_enl(), rel=0.06)


def test_enl_of_fields_nan_and_blocks():
    image = power(
        np.concatenate([np.ones((50, 60)), np.full((50, 60), 4)], 1)
        * simulate.speckle((50, 120), LOOKS, np.random.default_rng(0))
    )
    looks = radar.enl(image.where(image.x >= 150).assign_attrs(image.attrs), 20)
    assert looks.shape == (2, 6)
    assert looks[:, 0].isnull().all() and looks[:, 1:].notnull().all()
    assert float(radar.enl(image, 50)[0, 1]) < 3  # mixed
    lazy = radar.enl(image.chunk(y=13, x=17), 20)
    assert isinstance(lazy.data, da.Array)
    xr.testing.assert_allclose(lazy.compute(), radar.enl(image, 20), rtol=1e-5)


# -------------------------------------------------------------------------------------------- edges


def edge_width(images: xr.DataArray) -> float:
    """Pixels from 10 % to 90 % of the step in the mean profile across column 200."""
    profile = images[:, 8:-8].astype("float64").mean(("time", "y")).values
    low, high = profile[170:190].mean(), profile[211:231].mean()
    near = (profile[188:213] - low) / (high - low)
    return float(np.subtract(*np.interp([0.9, 0.1], near, np.arange(len(near)))))


def test_edges(homogeneous):
    """Across a 6 dB field boundary: boxcar 5.5 pixels, Lee 3.7, refined Lee 2.8."""
    fields = homogeneous * xr.where(homogeneous.x < 2000, 1, 4).astype("float32")
    fields.attrs = homogeneous.attrs
    width = {name: edge_width(FILTERS[name](fields)) for name in FILTERS}
    assert width["boxcar"] == pytest.approx(5.5, abs=0.3)
    assert width["lee"] < 0.75 * width["boxcar"]
    assert width["refined_lee"] < 0.8 * width["lee"]
    assert width["gamma_map"] < 0.65 * width["boxcar"]
    assert width["quegan_yu"] == pytest.approx(
        edge_width(fields), abs=0.1
    )  # it is there on all dates, and divided out


def test_quegan_yu_leaves_the_level_of_each_date(homogeneous):
    level = xr.DataArray(10 ** (np.linspace(-2, 0, 10)), dims="time").astype("float32")
    filtered = radar.quegan_yu((homogeneous * level).assign_attrs(homogeneous.attrs))
    np.testing.assert_allclose(
        filtered[:, 8:-8, 8:-8].mean(("y", "x")), level * homogeneous.mean(("y", "x")), rtol=0.02
    )


def test_a_bright_target_stays(scene):
    y, x = 20, 30
    for name in ("lee", "gamma_map"):
        assert float(FILTERS[name](scene)[0, y, x]) > 0.9 * float(scene[0, y, x])
    assert float(radar.boxcar(scene)[0, y, x]) < 0.1 * float(scene[0, y, x])


def test_negative_power_left_by_noise_removal(homogeneous):
    noise = (0.2 * (homogeneous - 1) + 0.01).assign_attrs(homogeneous.attrs)
    for name in ("boxcar", "lee", "refined_lee"):
        assert float(FILTERS[name](noise).mean()) == pytest.approx(float(noise.mean()), abs=0.003)
    for name in ("gamma_map", "quegan_yu"):
        with pytest.raises(
            ValueError,
            match=r"Found power from -0\.\d+ to .* from 0, NaN where there are none.*clip",
        ):
            FILTERS[name](noise)


# ----------------------------------------------------------------------------------------- a season


@pytest.mark.parametrize("name", FILTERS)
def test_a_season_stays_a_season_with_its_bands_filtered(name, season):
    filter_ = FILTERS[name]
    season.vh[:, :9, :9] = np.nan
    season["ndvi"] = season.vh.assign_attrs(units="1").rename("ndvi") * 0 + 0.5
    filtered = filter_(season)
    for band in ("vv", "vh"):
        xr.testing.assert_identical(filtered[band], filter_(season[band]))
        assert filtered[band].attrs == season[band].attrs
    bands = ["vv", "vh"]
    xr.testing.assert_identical(filtered.drop_vars(bands), season.drop_vars(bands))
    assert np.isnan(filtered.vh[:, :9, :9]).all() and filtered.rio.crs == season.rio.crs
    assert cube.legend(filtered) == cube.legend(season)


def test_a_filtered_season_is_saved_and_opened_as_one(season, tmp_path):
    lazy = cube.open_season(cube.save_season(season, tmp_path / "season.zarr"))
    assert radar.quegan_yu(lazy).vv.chunks
    path = cube.save_season(radar.quegan_yu(lazy), tmp_path / "filtered.zarr")
    xr.testing.assert_allclose(cube.open_season(path), radar.quegan_yu(season))


# ---------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize("name", FILTERS)
def test_refuses_what_is_not_linear_power(name, scene):
    filter_ = FILTERS[name]
    with pytest.raises(
        ValueError,
        match=r"'vv' has units 'dB'; expected '1' \(linear power\): convert dB with radar.from_db",
    ):
        filter_(radar.to_db(scene))
    with pytest.raises(ValueError, match="units 'none'"):
        filter_(scene.drop_attrs())
    with pytest.raises(ValueError, match=r"Found power from -\d.*radar\.from_db"):
        filter_(radar.to_db(scene).assign_attrs(units="1"))
    with pytest.raises(ValueError, match="Found power from .* to inf"):
        filter_(scene.where(scene.x > 0, np.inf).assign_attrs(scene.attrs))
    with pytest.raises(ValueError, match="Found power from"):
        filter_(radar.to_db(scene).assign_attrs(units="1").chunk(x=10)).compute()
    with pytest.raises(ValueError, match=r"Found a ndarray; expected a DataArray"):
        filter_(scene.values)
    with pytest.raises(cube.SeasonError, match="no backscatter; it has ndvi: expected one of vv"):
        filter_(scene.to_dataset(name="ndvi"))
    with pytest.raises(ValueError, match=r"dimensions \('x', 'y'\); expected \(y, x\)"):
        filter_(scene[0].T)


@pytest.mark.parametrize("name", ["boxcar", "lee", "gamma_map", "quegan_yu"])
@pytest.mark.parametrize("window", [1, 4, 3.5, -3])
def test_refuses_windows(name, window, scene):
    with pytest.raises(ValueError, match="expected an odd number of pixels from 3"):
        FILTERS[name](scene, window=window)


@pytest.mark.parametrize("name", FILTERS)
def test_refuses_images_smaller_than_the_window(name, scene):
    with pytest.raises(ValueError, match=r"The window is 7, larger than the image \(5, 45\)"):
        FILTERS[name](scene[:, :5])


@pytest.mark.parametrize("looks", [0, -1, np.nan, np.inf])
def test_refuses_looks(looks, scene):
    for function in (radar.lee, radar.refined_lee, radar.gamma_map):
        with pytest.raises(ValueError, match="expected a positive number, 4.4 for Sentinel-1"):
            function(scene, looks=looks)
    for function in (radar.db_bias, radar.db_spread):
        with pytest.raises(ValueError, match="positive number"):
            function(looks)


def test_refuses_a_single_date(scene):
    for data in (scene[0], scene[:1]):
        with pytest.raises(ValueError, match="Found a single date; expected two or more"):
            radar.quegan_yu(data)
    with pytest.raises(ValueError, match="The number of dates is 0"):
        radar.quegan_yu_enl(0)


@pytest.mark.parametrize("block", [1, 38])
def test_refuses_blocks(block, scene):
    with pytest.raises(ValueError, match="expected 2 to 37"):
        radar.enl(scene, block)
