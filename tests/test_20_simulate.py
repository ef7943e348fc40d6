"""The simulated season against the figures it is meant to have: statistics of real Sentinel-1 data
and crop calendars.

Assertions name the target; where a figure concerns the annual curves as measured, the calibration
knob OFFSET is taken off.
"""

import dask
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

from stma_nb import cube, simulate
from stma_nb.__main__ import main
from stma_nb.simulate import NAMES, landscape, meteorology, phenology
from stma_nb.simulate.phenology import OFFSET, STANDS


def db(power) -> np.ndarray:
    return 10 * np.log10(np.asarray(power))


def day_of_year(season: xr.Dataset) -> np.ndarray:
    """Days from the start of the season's year; negative in the autumn before."""
    start = np.datetime64(f"{season.attrs['year']}-01-01")
    return (season.time.values.astype("datetime64[D]") - start).astype(int) + 1


def parcel_means(season: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Backscatter (2, dates, parcels) in dB of the mean power, and the stand of each parcel."""
    parcel = season.parcel.values.ravel()
    count = np.bincount(parcel)
    stand = np.zeros(len(count), int)
    stand[parcel] = season.stand.values.ravel()
    means = [
        [np.bincount(parcel, date.ravel()) / np.maximum(count, 1) for date in season[band].values]
        for band in ("vv", "vh")
    ]
    grown = (count > 0) & (np.arange(len(count)) > 0)
    return db(np.array(means)[:, :, grown]), stand[grown]


@pytest.fixture(scope="module")
def scene():
    """A scene with Brandenburg's shares, as measured."""
    return simulate.season(size=(768, 768), dates=41).load()


@pytest.fixture(scope="module")
def fields():
    """Many small fields of all crops alike, every 6 days, without speckle and texture: season,
    parcel means, stands, days.
    """
    options = {
        "size": (768, 768),
        "dates": 67,
        "balance": 0,
        "farmland": 0.9,
        "parcel_hectares": 2,
        "looks": None,
        "texture": 0,
    }
    season = simulate.season(**options).load()
    return season, *parcel_means(season), day_of_year(season)


# ------------------------------------------------------------------------------------- the data set


def test_is_a_season_cube(scene):
    assert cube.check_season(scene) is scene
    assert cube.legend(scene) == cube.BRANDENBURG
    assert scene.vv.dtype == scene.vh.dtype == scene.incidence_angle.dtype == np.float32
    assert (scene.crop.dtype, scene.parcel.dtype, scene.time.dtype) == (
        np.uint8,
        np.int32,
        "datetime64[ns]",
    )
    assert scene.rio.crs == "EPSG:32633" and abs(scene.rio.resolution()[0]) == 10
    assert scene.vv.attrs["quantity"] == "sigma0" and "imulat" in scene.attrs["title"]
    assert set(scene.relative_orbit.values) == {146} and {"temperature", "rain"} <= set(
        scene.coords
    )
    assert ((scene.parcel > 0) == (scene.crop > 0)).all()
    assert (scene.vv.values > 0).all() and (scene.vh.values > 0).all()


def test_is_lazy_in_the_chunks_of_the_cube():
    season = simulate.season(size=(300, 600), dates=5)
    for band in (season.vv, season.vh):
        assert dask.is_dask_collection(band.data)
        assert band.chunks == ((5,), (256, 44), (256, 256, 88))


def test_same_arguments_give_the_same_numbers_whole_or_in_blocks():
    season, again = (simulate.season(size=(300, 300), dates=4, seed=7) for _ in range(2))
    xr.testing.assert_identical(season.compute(), again.compute(scheduler="synchronous"))
    window = {"time": slice(1, 3), "y": slice(200, 290), "x": slice(240, 300)}
    xr.testing.assert_identical(season.isel(window).compute(), season.compute().isel(window))


def test_seeds_and_years_differ_but_the_parcels_stay():
    one, other_seed, other_year = (
        simulate.season(size=(300, 300), seed=s, year=y)
        for s, y in ((1, 2018), (2, 2018), (1, 2021))
    )
    assert (one.parcel != other_seed.parcel).mean() > 0.3
    assert (one.parcel == other_year.parcel).all()
    arable = one.crop.isin(
        [
            code
            for code, crop in enumerate(cube.BRANDENBURG)
            if crop.name in ("Maize", "Wheat", "Rapeseed")
        ]
    )
    assert (one.crop != other_year.crop).values[arable].mean() > 0.3  # rotation
    for name in ("Grassland", "Orchard"):  # which stay where they are
        code = [crop.name for crop in cube.BRANDENBURG].index(name)
        assert ((one.crop == code) == (other_year.crop == code)).all()
    assert not np.allclose(one.temperature[:5], other_year.temperature[:5])
    assert not np.array_equal(one.vv[0], other_seed.vv[0])
    forest = one.stand.values == NAMES.index("pine")
    assert not np.array_equal(one.vv[0].values[forest], other_year.vv[0].values[forest])


def test_explicit_dates_over_several_years():
    times = np.arange("2016-11-03T05:20", "2020-02-20T05:20", 45 * 24 * 60, dtype="datetime64[m]")
    season = simulate.season(
        size=(128, 128), dates=list(times), year=2018, farmland=0.9, looks=None
    )
    cube.check_season(season)
    np.testing.assert_array_equal(season.time.values, times)
    assert np.isfinite(season.vv.values).all()
    # A day has the weather of that day, whichever other dates are asked for.
    some = simulate.season(size=(128, 128), dates=times[5:9], year=2018)
    np.testing.assert_array_equal(some.temperature, season.temperature[5:9])
    expected = simulate.weather(2017).sel(time="2017-06-16")
    np.testing.assert_allclose(season.rain.sel(time="2017-06-16").values, expected.rain.values)
    # The annual curve goes round.
    np.testing.assert_allclose(
        simulate.profile("potato", [-91, 100]), simulate.profile("potato", [274, 465])
    )


@pytest.mark.parametrize(("dates", "step"), [(24, 18), (34, 12), (67, 6), (41, 10), (2, 396)])
def test_counted_dates_span_the_season(dates, step):
    time = simulate.season(size=(64, 64), dates=dates).time.values
    assert len(time) == dates and set(np.diff(time) / np.timedelta64(1, "D")) == {step}
    assert abs(time[0] - np.datetime64("2017-10-01")) < np.timedelta64(11, "D")
    assert abs(time[-1] - np.datetime64("2018-10-31")) < np.timedelta64(11, "D")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"size": (63, 512)}, "at least 64 pixels"),
        ({"dates": 1}, "at least 2"),
        ({"dates": ["2018-05-01"]}, "at least 2"),
        (
            {"dates": ["2018-05-01", "2018-06-01", "2018-05-07"]},
            "2018-05-07 is repeated or comes late",
        ),
        ({"dates": ["2018-05-01", "2018-05-01"]}, "2018-05-01 is repeated"),
        ({"looks": 0.5}, "'looks' is 0.5"),
        ({"farmland": 1.5}, "'farmland' is 1.5"),
        ({"region": 2}, "'region' is 2"),
        ({"wrong_labels": -0.1}, "'wrong_labels' is -0.1"),
        ({"track": "up"}, "track is 'up'; expected one of ascending, descending"),
    ],
)
def test_bad_arguments_get_a_clear_sentence(arguments, words):
    with pytest.raises(ValueError, match=words):
        simulate.season(**{"size": (64, 64)} | arguments)


def test_unknown_crop_and_too_few_looks():
    with pytest.raises(ValueError, match="no crop 'Rice'; expected .*winter_wheat"):
        simulate.profile("Rice", [1])
    with pytest.raises(ValueError, match="at least 1"):
        simulate.speckle((8, 8), looks=0.9)


# ---------------------------------------------------------------------------------------- landscape


def test_crop_and_land_cover_shares(scene):
    grown = scene.crop.values[scene.crop.values > 0]
    assert scene.crop.values.astype(bool).mean() == pytest.approx(0.5, abs=0.02)
    for name, share in phenology.SHARES.items():
        found = 100 * (grown == phenology.CODES[name]).mean()
        assert found == pytest.approx(share, abs=0.6 if share < 5 else 1.5), name
    land = scene.stand.values[scene.crop.values == 0]
    for name in ("pine", "deciduous", "settlement", "water", "heath"):
        assert (land == NAMES.index(name)).mean() == pytest.approx(STANDS[name].share, abs=0.02), (
            name
        )


def test_equal_shares_hold_all_crops_in_a_small_scene():
    crop = simulate.season(size=(256, 256), balance=0, farmland=0.7).crop.values
    grown = np.bincount(crop[crop > 0], minlength=16)[1:] / (crop > 0).sum()
    assert grown.min() > 0.02 and grown.max() < 0.15


def test_every_crop_with_half_a_parcel_to_expect_appears():
    for seed in range(6):
        season = simulate.season(size=(512, 512), seed=seed)
        pixels, parcels = (season.crop.values > 0).sum(), len(np.unique(season.parcel)) - 1
        for name, share in phenology.SHARES.items():
            if share / 100 * pixels >= 0.5 * pixels / parcels:
                assert (season.crop == phenology.CODES[name]).any(), (seed, name)


def test_parcel_sizes_are_log_normal():
    parcel = simulate.season(size=(1536, 1536), farmland=0.9).parcel.values
    edge = np.unique(np.concatenate([parcel[0], parcel[-1], parcel[:, 0], parcel[:, -1]]))
    hectares = np.delete(np.bincount(parcel.ravel()), edge) / 100
    assert np.exp(np.log(hectares).mean()) == pytest.approx(4.7, rel=0.15)
    assert np.log(hectares).std() == pytest.approx(1.2, abs=0.12)
    assert hectares.min() >= 0.1 and hectares.max() <= 190


# -------------------------------------------------------------------------------- speckle and noise


def test_global_statistics_are_those_of_the_real_scene(scene):
    vv, vh = db(scene.vv), db(scene.vh)
    assert vv.mean() == pytest.approx(-10.6, abs=0.5) and vh.mean() == pytest.approx(-16.4, abs=0.5)
    assert 3.1 <= vv.std() <= 3.9  # unfiltered
    # VH is wider than 3.7 with noise removal on: the noise itself remains, and 3.7 counts signal
    # and speckle alone.
    noisy = db(simulate.season(size=(768, 768), dates=41, noise_removed=False).vh)
    assert 3.1 <= noisy.std() <= 3.7


@pytest.mark.parametrize(
    ("year", "mean", "sd"),
    [(2018, (-10.59, -16.37), (3.20, 3.12)), (2021, (-10.91, -16.54), (2.89, 3.07))],
)
def test_statistics_of_both_published_areas_as_if_speckle_filtered(scene, year, mean, sd):
    """Means of the unfiltered, sds of the filtered (20 looks) scene, all within 0.5 dB of the
    published.
    """
    size, dates = (768, 768), 41
    raw = scene if year == scene.attrs["year"] else simulate.season(size, dates, year).load()
    filtered = simulate.season(size, dates, year, looks=20).load()
    for band, expected_mean, expected_sd in zip(("vv", "vh"), mean, sd, strict=True):
        assert db(raw[band]).mean() == pytest.approx(expected_mean, abs=0.5)
        assert db(filtered[band]).std() == pytest.approx(expected_sd, abs=0.5)


def test_looks_and_histogram_within_homogeneous_parcels():
    options = {"size": (512, 512), "dates": 6, "texture": 0}
    raw, clean = (
        simulate.season(**options, noise_removed=removed).load() for removed in (False, True)
    )
    truth = simulate.season(**options, looks=None).load()
    largest = np.argsort(-np.bincount(raw.parcel.values.ravel())[1:])[:5] + 1
    for band in ("vv", "vh"):
        enl, enl_clean, expected, units = [], [], [], []
        for parcel in largest:
            inside = raw.parcel.values == parcel
            for t in range(6):
                values = raw[band].values[t, inside]
                enl.append(values.mean() ** 2 / values.var())
                values, signal = clean[band].values[t, inside], truth[band].values[t, inside].mean()
                enl_clean.append(values.mean() ** 2 / values.var())
                expected.append(4.4 * (signal / raw[band].values[t, inside].mean()) ** 2)
            thinned = (inside & (np.indices(inside.shape) % 5 == 0).all(axis=0))[None] & np.ones(
                (6, 1, 1), bool
            )
            units.append(
                (
                    raw[band].values
                    / raw[band].values.mean(axis=(1, 2), where=inside, keepdims=True)
                )[thinned]
            )
        assert np.mean(enl) == pytest.approx(4.4, abs=0.4), band
        # Subtracting the mean noise leaves its fluctuation: fewer looks, by the squared share of
        # the signal.
        assert np.mean(enl_clean) == pytest.approx(np.mean(expected), rel=0.1), band
        assert (
            stats.kstest(np.concatenate(units), stats.gamma(4.4, scale=1 / 4.4).cdf).statistic
            < 0.03
        ), band


@pytest.mark.parametrize("looks", [1, 2.5, 4.4, 5, 20])
def test_speckle_has_unit_mean_and_the_looks_asked_for(looks):
    speckle = simulate.speckle((24, 128, 160), looks, np.random.default_rng(3))
    assert speckle.shape == (24, 128, 160) and speckle.dtype == np.float32
    assert speckle.mean() == pytest.approx(1, abs=0.01)
    assert 1 / speckle.var() == pytest.approx(looks, rel=0.05)


def test_speckle_is_correlated_in_space_only():
    def correlation(a, b):
        return np.corrcoef(a.ravel(), b.ravel())[0, 1]

    speckle = simulate.speckle((40, 200, 200), 4.4, np.random.default_rng(1))
    along_x = [correlation(speckle[..., d:], speckle[..., : -d or None]) for d in (1, 2, 3)]
    along_y = [correlation(speckle[:, d:], speckle[:, : -d or None]) for d in (1, 2, 3)]
    assert 0.5 <= along_x[0] <= 0.6 and 0.5 <= along_y[0] <= 0.6
    assert along_x[0] == pytest.approx(0.51, abs=0.02) and along_y[0] == pytest.approx(
        0.58, abs=0.02
    )
    assert max(along_x[1], along_y[1]) < 0.1
    assert max(along_x[2], along_y[2]) < 0.05
    assert abs(correlation(speckle[1:], speckle[:-1])) < 0.01
    assert abs(correlation(speckle[..., 0], speckle[..., -1])) < 0.05  # no wrapping round


def test_speckle_of_the_season_is_independent_between_dates_polarisations_and_blocks():
    options = {"size": (512, 512), "dates": 3, "noise_removed": False}
    measured, truth = (
        simulate.season(**options).load(),
        simulate.season(**options, looks=None).load(),
    )
    vv, vh = (measured[band].values / truth[band].values for band in ("vv", "vh"))
    pairs = [
        (vv[0], vv[1]),
        (vv[0], vh[0]),
        (vv[0, :256, :256], vv[0, :256, 256:]),
        (vv[0, :256, :256], vv[0, 256:, :256]),
    ]
    for one, other in pairs:
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.015
    assert np.corrcoef(vv[0, :, 1:].ravel(), vv[0, :, :-1].ravel())[0, 1] == pytest.approx(
        0.51, abs=0.03
    )


def test_texture_lasts_in_part_and_is_alike_in_both_polarisations():
    options = {"size": (256, 256), "dates": 12, "looks": None, "farmland": 0.9, "response": False}
    rough, flat = (
        simulate.season(**options, texture=0.15).load(),
        simulate.season(**options, texture=0).load(),
    )
    field = rough.parcel.values > 0
    vv, vh = ((rough[band] / flat[band]).values for band in ("vv", "vh"))
    assert vv[0][field].mean() == pytest.approx(1, abs=0.03)
    assert vv[0][field].std() == pytest.approx(0.15 * 2**0.5, abs=0.02)  # lasting and changing
    early, late = vv[:6].mean(0)[field], vv[6:].mean(0)[field]
    assert 0.3 < np.cov(early, late)[0, 1] / 0.15**2 < 1.7
    assert np.corrcoef(vv[0][field], vh[0][field])[0, 1] == pytest.approx(0.75, abs=0.07)
    correlation = [
        np.corrcoef(vv[0][:, d:][field[:, d:]], vv[0][:, :-d][field[:, d:]])[0, 1] for d in (3, 6)
    ]
    assert correlation[0] > 1 / np.e > correlation[1]  # 30 to 60 m


def test_the_instrument_blurs_field_edges_over_four_pixels():
    options = {"size": (256, 256), "dates": 6, "looks": None, "texture": 0, "farmland": 0.9}
    sharp, blurred = (
        simulate.season(**options, response=response).vh.values for response in (False, True)
    )
    parcel = simulate.season(**options).parcel.values
    steps = []
    for row, column in np.argwhere((parcel[:, 4:-5] != parcel[:, 5:-4]) & (parcel[:, 4:-5] > 0)):
        pixels = parcel[row - 4 : row + 5, column : column + 10]
        sides = pixels[:, :5], pixels[:, 5:]
        if pixels.shape == (9, 10) and all(np.ptp(side) == 0 for side in sides):
            line, true = blurred[0, row, column : column + 10], sharp[0, row, column : column + 10]
            if abs(np.log(true[-1] / true[0])) > 0.5:
                steps.append((line - true[0]) / (true[-1] - true[0]))
    reached = np.median(steps, axis=0)  # pixels 4 and 5 touch the edge
    assert len(steps) > 5 and (np.diff(reached) > -0.02).all()
    assert 0.1 < reached[4] < 0.4 and 0.6 < reached[5] < 0.9
    assert reached[1] < 0.06 and reached[8] > 0.94
    # The response takes nothing away: the scene keeps its mean power.
    assert blurred.mean() == pytest.approx(sharp.mean(), rel=0.01)
    flat = np.full((2, 30, 30), 0.1)
    np.testing.assert_allclose(simulate.respond(flat), flat)


def test_blocks_join_without_a_seam_in_the_response():
    season = simulate.season(size=(300, 300), dates=2, looks=None, texture=0)
    whole = simulate.respond(
        simulate.season((300, 300), 2, looks=None, texture=0, response=False).vh.values
    )
    forest = season.stand.values != NAMES.index("settlement")  # towns have texture in any case
    seam = np.zeros_like(forest)
    seam[250:262] = seam[:, 250:262] = True
    for at in (seam & forest, ~seam & forest):
        difference = abs(db(season.vh.values[:, at]) - db(whole[:, at]))
        assert np.median(difference) < 0.01


def test_two_tracks_see_the_same_fields_differently():
    options = {"size": (512, 512), "looks": None, "texture": 0, "farmland": 0.9, "year": 2019}
    days = np.arange("2019-03-01", "2019-11-01", 12, dtype="datetime64[D]")
    up = simulate.season(dates=days + np.timedelta64(1010, "m"), **options).load()
    down = simulate.season(
        dates=days + np.timedelta64(320, "m"), track="descending", **options
    ).load()
    xr.testing.assert_equal(up.parcel, down.parcel)
    xr.testing.assert_equal(up.crop, down.crop)
    assert set(down.relative_orbit.values) == {95}
    assert down.incidence_angle[0, 0] > down.incidence_angle[0, -1]  # far range lies in the west
    assert (down.temperature < up.temperature).all()
    (one, stand), (other, _) = parcel_means(up), parcel_means(down)
    arable = ~np.isin(stand, [NAMES.index(name) for name in ("grassland", "orchard")])
    step = (other - one)[0][:, arable]
    assert -1.2 < step.mean() < -0.2  # dB on VV, measured in Flanders
    assert step.mean(0).std() > 0.25  # no single number levels the tracks
    # The same fields: what sets a field apart is seen from both sides.
    maize = stand == NAMES.index("maize")
    apart = [m[1][:, maize] - m[1][:, maize].mean(1, keepdims=True) for m in (one, other)]
    assert np.corrcoef(apart[0].ravel(), apart[1].ravel())[0, 1] > 0.8


def test_scenes_of_one_place_share_their_weather():
    one, two = (simulate.season((64, 64), 12, seed=seed, place=7) for seed in (1, 2))
    xr.testing.assert_equal(one.temperature, two.temperature)
    xr.testing.assert_equal(one.rain, two.rain)
    assert not one.parcel.equals(two.parcel)
    own = simulate.season((64, 64), 12, seed=1)
    assert not own.rain.equals(one.rain)
    assert own.rain.equals(simulate.season((64, 64), 12, seed=9, place=1).rain)


def test_regions_run_late_or_early_on_other_soils():
    def course(region):
        options = {"looks": None, "texture": 0, "farmland": 0.9, "balance": 0, "place": 5}
        season = simulate.season((384, 384), 60, 2019, region=region, **options)
        means, stand = parcel_means(season)
        return means[1][:, stand == NAMES.index("rapeseed")].mean(1), day_of_year(season)

    (south, day), (north, _) = course(-1.0), course(1.0)
    summer = (day > 100) & (day < 260)

    def harvest(vh):  # the first day on which VH has fallen by 4 dB
        after = np.arange(vh[summer].argmax(), summer.sum())
        return day[summer][after][np.argmax(vh[summer][after] < vh[summer].max() - 4)]

    assert 10 <= harvest(north) - harvest(south) <= 32
    season = simulate.season((128, 128), 6, region=0.5)
    assert (season.temperature < simulate.season((128, 128), 6).temperature).all()


def test_wrong_labels_are_a_share_of_the_parcels_and_leave_the_truth():
    right = simulate.season((384, 384), 2, farmland=0.8)
    wrong = simulate.season((384, 384), 2, farmland=0.8, wrong_labels=0.1)
    xr.testing.assert_equal(right.stand, wrong.stand)
    xr.testing.assert_equal(right.vv, wrong.vv)
    changed = np.unique(right.parcel.values[(right.crop != wrong.crop).values])
    assert changed.min() > 0  # parcels only, whole
    assert len(changed) == pytest.approx(0.1 * right.parcel.values.max(), abs=1)
    for parcel in changed[:5]:
        assert np.ptp(wrong.crop.values[wrong.parcel.values == parcel]) == 0


def test_overpasses_thin_out_after_a_satellite_ends_and_where_passes_are_missing():
    times = simulate.overpasses("2021-10-01", "2022-04-01", single_from="2021-12-23")
    gaps = np.diff(times) / np.timedelta64(1, "D")
    assert set(gaps[times[1:] < np.datetime64("2021-12-23")]) == {6}
    assert set(gaps[times[:-1] > np.datetime64("2021-12-23")]) == {12}
    some = simulate.overpasses("2021-03-01", "2021-09-30", missing=0.25, seed=1)
    every = simulate.overpasses("2021-03-01", "2021-09-30")
    assert len(some) == round(0.75 * len(every)) and np.isin(some, every).all()
    assert simulate.season((64, 64), some).sizes["time"] == len(some)
    with pytest.raises(ValueError, match="pass.* left between .* expected at least 2"):
        simulate.overpasses("2021-03-01", "2021-03-03")


def test_noise_floor_lifts_weak_vh_when_noise_is_left_in():
    options = {"size": (512, 512), "dates": 12, "looks": None}
    true, lifted = (
        db(simulate.season(**options, noise_removed=removed).vh) for removed in (True, False)
    )
    for level, low, high in ((-24, 1.5, 3.0), (-20, 0.6, 1.0), (-16, 0.2, 0.6)):
        near = abs(true - level) < 0.25
        assert near.sum() > 100 and low <= (lifted - true)[near].mean() <= high, level
    assert (lifted - true)[true < -22].min() > 0.8
    measured = db(simulate.season(**options | {"looks": 4.4, "noise_removed": False}).vh)
    assert (measured - true)[true < -22].mean() > (measured - true)[
        true > -16
    ].mean() + 0.8  # with speckle, too


def test_incidence_angle_lowers_far_range_slightly():
    season = simulate.season(size=(64, 4096), dates=2, looks=None, texture=0, response=False)
    angle = season.incidence_angle.values
    assert angle.min() == pytest.approx(37.6, abs=0.1) and angle.max() == pytest.approx(
        40.4, abs=0.1
    )
    assert (np.diff(angle[0]) >= 0).all()
    unit = landscape.landscape((64, 4096), 2018, 0, 0.5, 1.0, 4.7).unit
    volume = np.isin(season.stand.values, [NAMES.index(name) for name in ("pine", "deciduous")])
    for band, power, of_volume in (("vv", 2, False), ("vv", 1, True), ("vh", 1, False)):
        ratios = []
        here = (volume == of_volume) & (season.stand.values != NAMES.index("settlement"))
        values, x = np.log(season[band].values[0][here]), np.nonzero(here)[1]
        for _, one in pd.DataFrame({"value": values, "x": x}).groupby(unit[here]):
            if np.ptp(one.x) > 50:
                cosine = np.log(np.cos(np.radians(angle[0, one.x])))
                ratios.append(np.polyfit(cosine - cosine.mean(), one.value, 1)[0])
        assert np.median(ratios) == pytest.approx(power, abs=0.1), (band, of_volume)


# ------------------------------------------------------------------------------ parcels and weather


def test_parcels_of_a_crop_differ_as_measured(fields):
    _, means, stand, _ = fields
    counts = {name: (stand == code).sum() for code, name in enumerate(NAMES)}
    for name, count in counts.items():
        if count < 40:
            continue
        spread = np.median(means[:, :, stand == NAMES.index(name)].std(axis=2, ddof=1), axis=1)
        low, high = {"grassland": (1.6, 2.2), "fallow": (2.0, 3.0), "vegetable": (2.0, 3.0)}.get(
            name, (1.2, 1.8)
        )
        assert ((low <= spread) & (spread <= high)).all(), (name, spread)
    assert min(counts[name] for name in ("maize", "grassland", "rapeseed", "winter_rye")) >= 40


def test_parcel_offset_is_shared_by_polarisations_and_the_rest_fades_within_weeks(fields):
    _, means, stand, _ = fields
    maize = means[:, :, stand == NAMES.index("maize")]
    anomaly = maize - maize.mean(axis=2, keepdims=True)
    offset = anomaly.mean(axis=1)
    assert 0.4 < np.corrcoef(offset)[0, 1] < 0.9
    assert offset.std(axis=1) == pytest.approx([1.0, 1.05], abs=0.2)
    rest = anomaly[0] - offset[0]
    faded = [(rest[lag:] * rest[: len(rest) - lag]).mean() / (rest**2).mean() for lag in (1, 5, 10)]
    assert faded[0] > 0.7 and 0.1 < faded[1] < 0.5 and faded[2] < 0.25  # 6, 30 and 60 days


def test_parcels_run_some_days_ahead_or_behind(fields):
    """Where the mean curve is steep, parcels differ by more than their usual spread."""
    _, means, stand, day = fields
    for name, (first, last) in {"rapeseed": (170, 205), "sugar_beet": (260, 292)}.items():
        spread = means[1][:, stand == NAMES.index(name)].std(axis=1)
        assert spread[(day > first) & (day < last)].max() > 1.35 * np.median(spread), name


def class_departures(fields) -> dict[str, np.ndarray]:
    """Class mean less the mean curve, dB (2, dates), of each stand with at least 15 parcels."""
    _, means, stand, day = fields
    names = [name for code, name in enumerate(NAMES) if (stand == code).sum() >= 15]
    return {
        name: means[:, :, stand == NAMES.index(name)].mean(axis=2)
        - simulate.profile(name, day, 2018)
        for name in names
    }


def test_dates_move_all_fields_together(fields):
    departures = class_departures(fields)
    common = np.mean(list(departures.values()), axis=0)
    assert (common.std(axis=1) >= 0.6).all() and (common.std(axis=1) <= 1.0).all(), common.std(
        axis=1
    )
    assert 0.7 < np.corrcoef(common)[0, 1] < 0.95
    for name, own in departures.items():
        assert np.corrcoef(own[0], common[0])[0, 1] > 0.5, name
    stand = fields[0].stand.values == NAMES.index("pine")
    forest = np.array([db(fields[0][band].values[:, stand]).mean(axis=1) for band in ("vv", "vh")])
    forest -= simulate.profile("pine", fields[3])
    assert (forest.std(axis=1) < 0.5 * common.std(axis=1)).all()


def test_frost_lowers_every_class_least_the_forest(fields):
    season, _, _, day = fields
    coldest = int(season.temperature.values.argmin())
    assert (
        season.temperature[coldest] < -1 and 54 <= day[coldest] <= 66
    )  # the turn of February 2018
    thawed = [
        t
        for t in np.argsort(abs(day - day[coldest]))
        if season.temperature[t] > -1 and season.rain[t] < 1.8
    ][:4]
    for band in ("vv", "vh"):
        values = db(season[band].values[[coldest, *thawed]])
        drop = {
            name: values[0, here].mean() - values[1:, here].mean()
            for name in NAMES
            if name != "water" and (here := season.stand.values == NAMES.index(name)).sum() > 500
        }
        for crop in cube.BRANDENBURG:
            grows = season.crop.values == phenology.CODES[crop.name]
            assert values[0, grows].mean() < values[1:, grows].mean() - 0.1, (band, crop.name)
        assert set(sorted(drop, key=drop.get)[-3:]) & {"pine", "deciduous"}, drop
        assert (
            drop["pine"] > -1
            and max(drop[name] for name in ("maize", "grassland", "winter_rye", "rapeseed"))
            < drop["pine"]
        )
        assert -8 < drop["potato"] < -2  # bare ground


def test_default_season_of_2018_has_a_frost_date():
    for seed in range(5):
        season = simulate.season(size=(64, 64), seed=seed)
        frozen = season.time[season.temperature < -1].dt.dayofyear.values
        assert ((frozen > 50) & (frozen < 70)).any()


def test_rain_within_a_day_brightens_bare_soil_and_not_the_forest():
    weather = simulate.weather(2018)
    bare = meteorology.date_effect(weather, np.ones(365))[:, 0] - weather.rest_vv.values
    forest = (
        meteorology.date_effect(weather, np.full(365, 0.05))[:, 0] - 0.43 * weather.rest_vv.values
    )
    wet = ((weather.rain > 4) & (weather.temperature > 0)).values
    dry = ((weather.rain == 0) & (weather.temperature > 0)).values
    assert 1 < bare[wet].mean() - bare[dry].mean() < 4
    assert abs(forest[wet].mean() - forest[dry].mean()) < 0.5


def test_weather_has_the_climate_on_record():
    for year, (temperature, rain) in phenology.CLIMATE.items():
        weather = simulate.weather(year, place=3)
        assert float(weather.rain.sum()) == pytest.approx(rain)
        assert float(weather.temperature.mean()) == pytest.approx(temperature, abs=1.5)
        assert 0.35 < float((weather.rain > 0).mean()) < 0.6
        assert ((weather.soil_moisture > 0) & (weather.soil_moisture < 50)).all()
    xr.testing.assert_identical(simulate.weather(2018, 1), simulate.weather(2018, 1))
    assert not np.allclose(simulate.weather(2018, 1).rain, simulate.weather(2018, 2).rain)


# -------------------------------------------------------------------------------------------- crops


def test_wheat_minimum():
    day = np.arange(1, 366)
    for year in (None, 2018):
        vv, _ = simulate.profile("winter_wheat", day, year)
        assert vv.min() - OFFSET[0] == pytest.approx(-16.6, abs=0.2)
        assert 130 <= day[vv.argmin()] <= 150  # 10 to 30 May
    times = np.arange("2018-04-10T16:50", "2018-06-30", 6 * 24 * 60, dtype="datetime64[m]")
    season = simulate.season(
        size=(768, 768),
        dates=times,
        balance=3,
        farmland=0.9,
        parcel_hectares=2,
        looks=None,
        texture=0,
    )
    means, stand = parcel_means(season.drop_vars("vh").assign(vh=season.vv))
    wheat = means[0][:, stand == NAMES.index("winter_wheat")]
    day = day_of_year(season)
    assert 130 <= day[wheat.mean(axis=1).argmin()] <= 150
    assert wheat.mean(axis=1).min() == pytest.approx(
        -16.6 + OFFSET[0], abs=1.0
    )  # the sd of the date effect is 0.6 to 1.0 dB
    in_may = (day >= 130) & (day <= 150)
    may = wheat[in_may].mean(axis=0)
    assert may.mean() == pytest.approx(
        simulate.profile("winter_wheat", day[in_may], 2018)[0].mean(), abs=1.0
    )
    may -= may.mean() - (OFFSET[0] - 16)  # less the weather of these dates
    low, high = np.percentile(may, (2.5, 97.5))
    assert low > -19.5 and high < -13
    assert may.min() < -19


def test_rapeseed_course(fields):
    _, means, stand, day = fields
    days = np.arange(60, 240)
    vv, vh = simulate.profile("rapeseed", days)
    assert vh.max() - OFFSET[1] == pytest.approx(-11.5, abs=0.1) and 152 <= days[vh.argmax()] <= 181
    flowering = (days > 112) & (days < 137)
    assert 1.5 <= vv[(days > 90) & (days < 115)].max() - vv[flowering].min() <= 2.0
    assert 115 <= days[flowering][vv[flowering].argmin()] <= 140  # 25 April to 20 May
    assert vh.max() - vh[(days > 180) & (days < 210)].min() >= 9

    vv, vh = means[:, :, stand == NAMES.index("rapeseed")].mean(axis=2)
    summer = (day > 100) & (day < 215)
    assert 149 <= day[summer][vh[summer].argmax()] <= 181 and vh[summer].max() == pytest.approx(
        -11.5 + OFFSET[1], abs=1.0
    )
    assert vh[summer].max() - vh[(day > 170) & (day < 210)].min() >= 9
    # The dip against both sides of it, the date effect averaged over two dates each.
    dip, before, after = (
        vv[(day >= a) & (day <= b)].mean() for a, b in ((119, 128), (95, 108), (140, 150))
    )
    assert before - dip > 0.7 and after - dip > 1.5


def test_vh_of_potato_and_beet_rises_before_maize(fields):
    _, means, stand, day = fields
    june = np.arange(140, 200)
    rise = {
        name: june[np.argmax(simulate.profile(name, june)[1] - OFFSET[1] > -17.5)]
        for name in ("potato", "sugar_beet", "maize")
    }
    assert 152 <= rise["potato"] <= 166 and 152 <= rise["sugar_beet"] <= 166  # early to mid June
    assert 171 <= rise["maize"] <= 181  # late June
    vh = {name: means[1][:, stand == NAMES.index(name)].mean(axis=1) for name in rise}
    measured = {
        name: np.interp(
            -17.5 + OFFSET[1], vh[name][(day > 140) & (day < 185)], day[(day > 140) & (day < 185)]
        )
        for name in rise
    }
    assert max(measured["potato"], measured["sugar_beet"]) + 4 < measured["maize"]
    july = (day > 182) & (day < 213)
    assert abs(vh["potato"] - vh["sugar_beet"])[july].mean() < 1.0  # alike from July on
    normal = [simulate.profile(name, np.arange(182, 213))[1] for name in ("maize", "sugar_beet")]
    assert abs(normal[0] - normal[1]).mean() < 2 * 1.4  # two sds between parcels


def test_grass_changes_little_over_the_year():
    season = simulate.season(dates=67, year=2017, looks=None, texture=0)  # no drought
    day, grass = day_of_year(season), season.stand.values == NAMES.index("grassland")
    vv = db(season.vv)[:, grass].mean(axis=1)
    wave = np.exp(2j * np.pi * day / 365)
    design = np.stack([np.ones(len(day)), wave.real, wave.imag], axis=1)
    _, a, b = np.linalg.lstsq(design, vv, rcond=None)[0]
    assert 2 * np.hypot(a, b) < 1.5  # from crest to trough of the annual wave, weather apart
    assert np.ptp(simulate.profile("Grassland", np.arange(365))[0]) <= 1.5 + 1e-6


def test_mowing_lowers_vh_of_some_meadows(fields):
    _, means, stand, day = fields
    grass = means[:, :, stand == NAMES.index("grassland")]
    change = grass - np.median(grass, axis=2, keepdims=True)
    may = np.diff(change[:, (day > 125) & (day < 165)], axis=1).min(axis=1)
    winter = np.diff(change[:, (day > -40) & (day < 0)], axis=1).min(axis=1)
    assert np.percentile(may[1], 25) < np.percentile(winter[1], 25) - 0.2  # VH falls at a cut
    assert abs(np.percentile(may[0], 25) - np.percentile(winter[0], 25)) < 0.25  # VV does not


def test_every_curve_passes_through_the_points_it_was_given():
    for name, stand in STANDS.items():
        for point in stand.curve.split():
            day, _, values = point.partition(":")
            expected = (
                np.array(values.split("/"), float) + OFFSET + phenology.RAISED.get(name, (0, 0))
            )
            np.testing.assert_allclose(
                np.ravel(simulate.profile(name, [int(day.strip("H"))])),
                expected,
                err_msg=f"{name} {point}",
            )


def test_harvest_is_sharp():
    day = np.arange(195, 215)
    vh = simulate.profile("winter_wheat", day)[1]
    assert abs(vh[day == 209] - vh[day == 203]) < 0.01 and vh[day == 212] - vh[
        day == 209
    ] == pytest.approx(0.6, abs=0.01)
    beet = np.arange(270, 300)
    vh = simulate.profile("Sugar beet", beet)[1]
    assert vh[beet == 282] - vh[beet == 285] == pytest.approx(3.8, abs=0.01)


def test_years_shift_the_calendar_and_drought_lowers_the_level():
    day = np.arange(100, 250)

    def heading(year):  # rye: VV minimum
        return day[simulate.profile("winter_rye", day, year)[0].argmin()]

    def harvest(year):  # maize: steepest fall of VH late in the year
        late = np.arange(200, 300)
        return late[np.diff(simulate.profile("maize", late, year)[1]).argmin()]

    def flowering(year):
        may = np.arange(110, 145)
        return may[simulate.profile("rapeseed", may, year)[0].argmin()]

    assert heading(2018) < heading(None) < heading(2021)
    assert 7 <= heading(2021) - heading(None) <= 10
    assert harvest(None) - harvest(2018) == pytest.approx(20, abs=3)
    assert 3 <= harvest(2021) - harvest(None) <= 7
    assert (
        -3 <= flowering(2018) - flowering(None) <= 0
        and 7 <= flowering(2021) - flowering(None) <= 10
    )
    plateau = np.arange(205, 230)
    loss = np.subtract(
        simulate.profile("maize", plateau), simulate.profile("maize", plateau, 2018)
    ).mean(axis=1)
    assert 1.0 <= loss[1] <= 1.6
    bare = np.subtract(
        simulate.profile("winter_wheat", [235]), simulate.profile("winter_wheat", [250], 2018)
    )
    assert 0.5 < bare[0, 0] < 3
    assert not np.allclose(
        simulate.profile("maize", day, 2023), simulate.profile("maize", day, 2024)
    )
    for year in range(1990, 2030):  # a random calendar keeps the order of the stages
        for name in ("winter_wheat", "rapeseed", "maize", "grassland"):
            assert (np.diff(phenology.stage_of(name, np.arange(1.0, 366), year)) > 0).all(), (
                year,
                name,
            )


def test_classes_of_several_stands_are_their_mean():
    day = np.arange(0, 365, 30)
    wheat = np.average(
        [simulate.profile(name, day) for name in ("winter_wheat", "winter_rye", "winter_barley")],
        axis=0,
        weights=(39, 44, 17),
    )
    np.testing.assert_allclose(simulate.profile("Wheat", day), wheat)
    assert simulate.profile("Background", day)[1].min() > -16


def test_the_command_writes_what_the_function_makes(tmp_path):
    def made(name, *flags):
        assert main(["data", "simulate", f"{tmp_path}/{name}", *map(str, flags)]) == 0
        return cube.open_season(tmp_path / name)

    plain = made("plain.zarr", "--size", 64, 72, "--dates", 3)
    other = made("other.zarr", "--size", 64, 72, "--dates", 4, "--year", 2020, "--seed", 3)
    dates = made("dates.zarr", "--size", 64, 72, "--dates-of", tmp_path / "other.zarr")
    elsewhere = ("--region", 0.5, "--place", 4, "--track", "descending", "--wrong-labels", 0.2)
    seen = made("seen.zarr", "--size", 64, 72, "--dates", 3, *elsewhere)
    assert plain.attrs["year"] == 2018
    for found, expected in (
        (plain, simulate.season((64, 72), 3)),
        (other, simulate.season((64, 72), 4, year=2020, seed=3)),
        (dates, simulate.season((64, 72), other.time.values)),
        (
            seen,
            simulate.season((64, 72), 3, place=4, region=0.5, track="descending", wrong_labels=0.2),
        ),
    ):
        for layer in ("time", "vv", "vh", "crop", "parcel"):
            np.testing.assert_array_equal(found[layer], expected[layer])
