"""Geometry, indices and regular dates: the formulas, NaN and laziness kept, clear refusals."""

import numpy as np
import pytest
import xarray as xr

from stma_nb import radar


@pytest.fixture
def angled(season) -> xr.Dataset:
    season["incidence_angle"] = (
        ("y", "x"),
        np.linspace(30, 45, 64, dtype="float32")[None].repeat(48, 0),
        {"units": "degree"},
    )
    for name in ("vv", "vh"):
        season[name].attrs["quantity"] = "sigma0"
    season["vv"][0, 0, 0] = np.nan
    return season


@pytest.mark.parametrize("lazy", [False, True])
def test_gamma0_and_normalisation(angled, lazy):
    season = angled.chunk(y=20) if lazy else angled
    cosine = np.cos(np.radians(angled.incidence_angle.values))
    gamma = radar.gamma0(season)
    np.testing.assert_allclose(gamma.vh, angled.vh / cosine, rtol=1e-6)
    assert (
        gamma.vv.attrs["quantity"] == "gamma0"
        and gamma.vv.attrs["units"] == "1"
        and gamma.vv.dtype == np.float32
    )
    assert np.isnan(gamma.vv[0, 0, 0]) and int(np.isnan(gamma.vv).sum()) == 1
    assert (gamma.vv.chunks is not None) == lazy
    level = radar.normalise_incidence(season, n=2)
    np.testing.assert_allclose(
        level.vv, angled.vv * (np.cos(np.radians(39)) / cosine) ** 2, rtol=1e-6
    )
    # Facts of the trade: n = 2 adds 0.97 dB at 46 degrees and takes 0.94 dB at 30, relative to 39.
    flat = angled.assign(
        vv=angled.vv * 0 + 0.1, incidence_angle=angled.incidence_angle * 0 + 46
    ).fillna(0.1)
    for name in ("vv", "vh"):
        flat[name].attrs["units"] = "1"
    assert float(10 * np.log10(radar.normalise_incidence(flat).vv[1, 1, 1] / 0.1)) == pytest.approx(
        0.97, abs=0.01
    )


def test_geometry_is_refused_where_it_is_missing(season, angled):
    with pytest.raises(ValueError, match="no 'incidence_angle'"):
        radar.normalise_incidence(season.drop_vars("incidence_angle"))
    with pytest.raises(ValueError, match="quantity is 'gamma0'; expected 'sigma0'"):
        radar.gamma0(radar.gamma0(angled))
    with pytest.raises(ValueError, match="units 'dB'; expected '1'"):
        radar.normalise_incidence(angled.assign(vv=radar.to_db(angled.vv)))
    with pytest.raises(ValueError, match="no 'relative_orbit'"):
        radar.orbit_offsets(season)


def test_indices(season):
    np.testing.assert_allclose(radar.cross_ratio(season), season.vh / season.vv)
    np.testing.assert_allclose(radar.rvi(season), 4 * season.vh / (season.vv + season.vh))
    same = season.assign(vv=season.vh)
    np.testing.assert_allclose(radar.rvi(same), 2.0, rtol=1e-6)


def test_orbit_offsets_find_the_step_that_was_put_in(season):
    flat = season.isel(time=[0, 0, 0, 0]).assign_coords(time=season.time[:4])
    flat = flat.assign_coords(relative_orbit=("time", [146, 95, 146, 95]))
    stepped = flat.assign(vv=flat.vv * xr.where(flat.relative_orbit == 95, 10**0.08, 1))
    offsets = radar.orbit_offsets(stepped)
    step = offsets.sel(relative_orbit=95) - offsets.sel(relative_orbit=146)
    assert float(step.sel(polarisation="vv")) == pytest.approx(0.8, abs=1e-4)
    assert float(step.sel(polarisation="vh")) == pytest.approx(0.0, abs=1e-4)
    assert float(offsets.sel(polarisation="vv", relative_orbit=95)) == pytest.approx(
        0.4, abs=1e-4
    ), "relative to the mean of all"
    lazy = stepped.chunk(y=20).assign_coords(relative_orbit=stepped.relative_orbit.chunk())
    np.testing.assert_allclose(radar.orbit_offsets(lazy), offsets, atol=1e-4)


@pytest.mark.parametrize("lazy", [False, True])
def test_composite_averages_power_over_regular_periods(season, lazy):
    made = radar.composite(season.chunk(y=20) if lazy else season, every="MS", start="2018-03-01")
    assert [str(t)[:10] for t in made.time.values] == [
        f"2018-{month:02}-01" for month in range(3, 9)
    ]
    assert np.isnan(made.vv[0]).all(), "no acquisition in March"
    np.testing.assert_allclose(made.vh[1:], season.vh.values, rtol=1e-6)
    assert made.vh.attrs["units"] == "1" and "crop" in made and made.vh.dims == ("time", "y", "x")
    pair = radar.composite(season, every="61D")
    np.testing.assert_allclose(
        pair.vv[0],
        season.vv[:3]
        .where(season.time[:3] < season.time[0] + np.timedelta64(61, "D"))
        .mean("time"),
        rtol=1e-5,
    )
    for wrong in ("fortnight", "-12D", "ME"):
        with pytest.raises(ValueError, match=f"'{wrong}' is no period"):
            radar.composite(season, every=wrong)
    with pytest.raises(ValueError, match="lies after the end"):
        radar.composite(season, start="2019-01-01")


def test_composites_of_two_seasons_have_the_same_dates(season):
    short = season.isel(time=slice(1, 4))
    one, other = (
        radar.composite(s, every="30D", start="2018-03-20", end="2018-08-30")
        for s in (season, short)
    )
    np.testing.assert_array_equal(one.time, other.time)
    assert str(one.time.values[0])[:10] == "2018-03-20" and np.isnan(other.vv[-1]).all()
    midnight = season.isel(time=slice(2)).assign_coords(
        time=np.array(["2018-04-01T05:00", "2018-04-13"], "M8[ns]")
    )
    made = radar.composite(midnight, every="12D")
    np.testing.assert_allclose(
        made.vv[0],
        season.vv[0],
        err_msg="a period starts with its day, whatever the hour of the first pass",
    )
    np.testing.assert_allclose(
        made.vv[1], season.vv[1], err_msg="midnight belongs to the day that begins"
    )
    until = radar.composite(midnight, every="12D", end="2018-04-12")
    assert until.sizes["time"] == 1, "the midnight after the last period is beyond it"
    np.testing.assert_allclose(until.vv[0], season.vv[0])


def test_power_is_asked_for(season):
    decibel = season.assign(vv=radar.to_db(season.vv), vh=radar.to_db(season.vh))
    for function in (radar.composite, radar.cross_ratio, radar.rvi, radar.fill_gaps):
        with pytest.raises(ValueError, match="units 'dB'; expected '1'"):
            function(decibel)


def test_decibels_of_plain_numbers():
    assert radar.to_db(0.02) == pytest.approx(-16.9897)
    np.testing.assert_allclose(radar.to_db(np.array([1, 10, 100])), [0, 10, 20])
    assert np.isnan(radar.to_db(np.array([1, 0]))[1])
    level = xr.DataArray(np.array([-10, -20]), attrs={"units": "dB"}, name="vh")
    np.testing.assert_allclose(radar.from_db(level), [0.1, 0.01])


@pytest.mark.parametrize("lazy", [False, True])
def test_fill_gaps_bridges_short_gaps_only(season, lazy):
    broken = season.copy(deep=True)
    broken["vh"][2, 5, 5] = np.nan
    broken["vh"][1:4, 6, 6] = np.nan
    broken["vh"][0, 7, 7] = np.nan
    broken["vh"][4, 8, 8] = np.nan
    broken["vh"][1, 9, 9] = np.nan
    broken["vh"][3, 10, 10] = np.nan
    exact = radar.fill_gaps(broken, longest="61D")
    assert np.isfinite(exact.vh[2, 5, 5]) and np.isnan(
        radar.fill_gaps(broken, longest="60D").vh[2, 5, 5]
    ), "1 May to 1 July is 61 days"
    with pytest.raises(ValueError, match="'fort' is no length of time"):
        radar.fill_gaps(season, longest="fort")
    filled = radar.fill_gaps(broken.chunk(y=20, time=1) if lazy else broken, longest="70D")
    days = (season.time.values - season.time.values[0]) / np.timedelta64(1, "D")
    expected = np.interp(days[2], days[[1, 3]], season.vh.values[[1, 3], 5, 5])
    assert float(filled.vh[2, 5, 5]) == pytest.approx(expected, rel=1e-5)
    first = np.interp(days[1], days[[0, 2]], season.vh.values[[0, 2], 9, 9])
    last = np.interp(days[3], days[[2, 4]], season.vh.values[[2, 4], 10, 10])
    assert float(filled.vh[1, 9, 9]) == pytest.approx(first, rel=1e-5)
    assert float(filled.vh[3, 10, 10]) == pytest.approx(last, rel=1e-5)
    assert np.isnan(filled.vh[1:4, 6, 6]).all(), "a gap of 122 days stays"
    assert np.isnan(filled.vh[0, 7, 7]) and np.isnan(filled.vh[4, 8, 8]), "ends stay"
    untouched = np.isfinite(broken.vh.values)
    np.testing.assert_array_equal(filled.vh.values[untouched], season.vh.values[untouched])
    assert filled.vh.dtype == np.float32 and filled.vh.dims == ("time", "y", "x")
    np.testing.assert_array_equal(radar.fill_gaps(season).vv, season.vv)


def test_another_calendar_takes_the_nearest_acquisition_as_it_is(season):
    """Acquisitions are of the first of April to August; one may stand on two dates."""
    days = ["2018-03-21", "2018-04-13T16:50", "2018-05-11", "2018-07-25", "2018-08-05"]
    times = np.array(days, "datetime64[ns]")
    moved = radar.at_dates(season, times)
    np.testing.assert_array_equal(moved.time, times)
    np.testing.assert_array_equal(moved.vh, season.vh[[0, 0, 1, 4, 4]])
    assert moved.vh.attrs == season.vh.attrs and moved.rio.crs == season.rio.crs
    too_far = np.array(["2018-04-13T16:51", "2018-05-01"], "datetime64[ns]")  # 12 days, a minute
    with pytest.raises(ValueError, match="No acquisition lies within 12D of 2018-04-13: allow"):
        radar.at_dates(season, too_far)
    assert radar.at_dates(season, too_far, longest="13D").sizes["time"] == 2
