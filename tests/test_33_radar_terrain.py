"""Terrain: angles, masks and area factor as geometry has them, against a radar that adds facets."""

import numpy as np
import pytest
import xarray as xr

from stma_nb import radar, simulate

EAST = 90.0  # looks along the rows


def terrain(height: np.ndarray, pixel: float = 10.0) -> xr.DataArray:
    rows, columns = height.shape
    dem = xr.DataArray(
        height.astype("float64"),
        dims=("y", "x"),
        coords={
            "y": 5_800_000.0 - pixel * np.arange(rows),
            "x": 400_000.0 + pixel * np.arange(columns),
        },
    )
    return dem.rio.write_crs("EPSG:32633")


def ridge(slope: float, height: float, pixel: float, columns: int = 401) -> xr.DataArray:
    """A ridge from south to north in the middle column, equally steep (degrees) on both sides."""
    away = pixel * np.abs(np.arange(columns) - columns // 2)
    profile = np.maximum(height - away * np.tan(np.radians(slope)), 0)
    return terrain(np.tile(profile, (5, 1)), pixel)


def hills() -> xr.DataArray:
    """Smooth hills of 120 m, with slopes up to 35 degrees."""
    y, x = np.mgrid[:160, :240] * 10.0
    return terrain(60 * (2 + np.sin(x / 130) * np.cos(y / 170) + np.sin(x / 310 + y / 220)))


@pytest.mark.parametrize("look", [78.0, 282.0, EAST])
def test_flat_land_is_the_ellipsoid(look):
    incidence = np.tile(np.linspace(30, 45, 60), (40, 1)).astype("float32")
    flat = terrain(np.full((40, 60), 35))
    angles = flat.copy(data=incidence)
    seen = radar.local_geometry(flat, angles, look)
    np.testing.assert_allclose(seen.local_incidence, incidence, atol=1e-4)
    np.testing.assert_allclose(seen.area_factor, 1, atol=1e-6)
    assert not seen.layover.any() and not seen.shadow.any()


@pytest.mark.parametrize("slope", [-30, -10, 5, 20])
@pytest.mark.parametrize("look", [78.0, 282.0])
def test_a_plane_in_the_look_direction_turns_the_angle_by_its_slope(slope, look):
    flat = terrain(np.zeros((30, 30)))
    away = flat.x * np.sin(np.radians(look)) + flat.y * np.cos(np.radians(look))
    plane = (flat + away * np.tan(np.radians(slope))).transpose("y", "x")
    seen = radar.local_geometry(plane, 39, look)
    np.testing.assert_allclose(seen.local_incidence, 39 - slope, atol=1e-3)
    factor = np.tan(np.radians(39)) / np.tan(np.radians(39 - slope))
    np.testing.assert_allclose(seen.area_factor, factor, rtol=1e-4)
    assert not seen.layover.any() and not seen.shadow.any()


def test_a_slope_across_the_look_direction_lights_the_same_area():
    flat = terrain(np.zeros((30, 30)))
    plane = (flat + 0.4 * flat.y).transpose("y", "x")
    seen = radar.local_geometry(plane, 39, EAST)
    np.testing.assert_allclose(seen.area_factor, 1, atol=1e-6)
    assert (seen.local_incidence > 41).all(), "although the ray meets it at a larger angle"


def test_length_of_shadow_and_layover_of_a_wall():
    height, theta, pixel = 300.0, 39.0, 2.0
    seen = radar.local_geometry(ridge(80, height, pixel), theta, EAST).isel(y=2)
    shadow, layover = (int(seen[name].sum()) * pixel for name in ("shadow", "layover"))
    foot = height / np.tan(np.radians(80))
    assert shadow == pytest.approx(height * np.tan(np.radians(theta)), abs=3 * pixel)
    # Drawn in: from the ground as far as the top, before the wall, to that as far as its foot.
    before = height / np.tan(np.radians(theta))
    place = (seen.x[seen.layover] - seen.x[200]).values
    assert place.min() == pytest.approx(-before, abs=2 * pixel)
    assert layover > before - foot
    assert (seen.area_factor.values[seen.shadow] == 0).all()


@pytest.mark.parametrize(
    "slope,layover,shadow", [(35, False, False), (43, True, False), (55, True, True)]
)
def test_slopes_beyond_the_angles_are_in_layover_and_shadow(slope, layover, shadow):
    seen = radar.local_geometry(ridge(slope, 200, 5), 39, EAST).isel(y=2)
    front, back = 200 - 10, 200 + 10  # columns on the slopes to and from the radar
    assert bool(seen.layover[front]) == layover and bool(seen.shadow[back]) == shadow
    assert seen.layover.any() == layover and seen.shadow.any() == shadow
    assert float(seen.area_factor.max()) <= 10


def test_ascending_and_descending_mirror_each_other():
    dem = hills() * 3
    mirrored = dem.copy(data=dem.values[:, ::-1])
    east = radar.local_geometry(dem, 39, radar.LOOK_AZIMUTH["ascending"])
    west = radar.local_geometry(mirrored, 39, radar.LOOK_AZIMUTH["descending"])
    west = west.isel(x=slice(None, None, -1)).assign_coords(x=dem.x)
    np.testing.assert_allclose(west.local_incidence, east.local_incidence, atol=1e-3)
    for name in ("layover", "shadow"):
        assert east[name].any()
        assert float((west[name] == east[name]).mean()) > 0.99, "borders are right to a pixel"
    lit = ~(west.shadow | east.shadow).values
    np.testing.assert_allclose(
        west.area_factor.values[lit], east.area_factor.values[lit], rtol=1e-3
    )


def image_by_facets(dem: xr.DataArray, theta: float, gamma0: float) -> xr.DataArray:
    """sigma0 of uniform ground on the map as a radar looking east makes it: facets add their power
    into cells of slant range (Small 2011), and each place of the map reads its cell.
    """
    fine, cell = 40, 5.0  # facets in a pixel; slant range of a cell in metres
    x = dem.x.values - dem.x.values[0]
    dense = np.linspace(x[0], x[-1], (len(x) - 1) * fine + 1)
    sine, cosine = np.sin(np.radians(theta)), np.cos(np.radians(theta))
    image = np.empty(dem.shape)
    for row, profile in enumerate(dem.values):
        height = np.interp(dense, x, profile)
        range_, raised = dense * sine - height * cosine, dense * cosine + height * sine
        lit = np.maximum(np.diff(np.maximum.accumulate(raised)), 0)  # across the beam, metres
        edges = np.arange(range_.min(), range_.max() + cell, cell)
        middle = (range_[1:] + range_[:-1]) / 2
        power, _ = np.histogram(middle, edges, weights=gamma0 * lit)
        beta0 = power / cell
        image[row] = np.interp(x * sine - profile * cosine, edges[:-1] + cell / 2, beta0 * sine)
    return dem.copy(data=image)


def test_gamma0_t_of_uniform_ground_on_hills_is_flat():
    dem, theta, gamma0 = hills(), 39.0, 0.1
    sigma0 = image_by_facets(dem, theta, gamma0).astype("float32")
    sigma0.attrs = {"units": "1", "quantity": "sigma0"}
    season = sigma0.expand_dims(time=np.array(["2018-04-01"], "M8[ns]")).to_dataset(name="vv")
    season["incidence_angle"] = dem * 0 + theta
    flat = radar.flatten_terrain(season, radar.local_geometry(dem, theta, EAST))
    inner = dict(x=slice(5, -5), y=slice(2, -2))
    ellipsoid = radar.to_db(radar.gamma0(season).vv.isel(**inner))
    terrain_db = radar.to_db(flat.vv.isel(**inner))
    assert flat.vv.attrs["quantity"] == "gamma0_T" and flat.vv.dtype == np.float32
    assert float(ellipsoid.std()) > 2, "dB: the hills show"
    assert float(terrain_db.std()) < 0.1, "dB: as good as gone"
    assert float(terrain_db.mean()) == pytest.approx(-10, abs=0.1)


def test_flattening_leaves_out_what_cannot_be_seen(season):
    for name in ("vv", "vh"):
        season[name].attrs["quantity"] = "sigma0"
    wall = np.maximum(60 - 4 * np.abs(np.arange(64) - 32) * 10 / 3, 0)
    steep = season.vv[0].drop_vars("time").copy(data=np.tile(wall, (48, 1)))
    seen = radar.local_geometry(steep, 39, EAST)
    unseen = (seen.layover | seen.shadow).values
    made = radar.flatten_terrain(season.chunk(y=20), seen)
    assert unseen.any() and not unseen.all() and made.vh.chunks is not None
    np.testing.assert_array_equal(np.isnan(made.vh[2]), unseen)
    assert made.vh.dims == season.vh.dims and made.vh.attrs["units"] == "1"


def test_what_is_no_terrain_model_of_the_season_is_refused(season):
    for name in ("vv", "vh"):
        season[name].attrs["quantity"] = "sigma0"
    flat = season.vv[0].drop_vars("time") * 0
    seen = radar.local_geometry(flat, 39)
    moved = seen.assign_coords(x=seen.x + 5)
    with pytest.raises(ValueError, match="'geometry' has 48 x 64 pixels.*reproject_match"):
        radar.flatten_terrain(season, moved)
    with pytest.raises(ValueError, match="'incidence' has 40 x 64 pixels"):
        radar.local_geometry(flat, flat[:40] + 39)
    with pytest.raises(ValueError, match=r"has gaps \(NaN\)"):
        radar.local_geometry(flat.where(flat.x > flat.x[3]), 39)
    with pytest.raises(ValueError, match=r"expected \(y, x\)"):
        radar.local_geometry(flat.expand_dims("band"), 39)
    degrees = flat.assign_coords(x=13 + flat.x / 1e7, y=flat.y / 1e5).rio.write_crs("EPSG:4326")
    with pytest.raises(ValueError, match="grid in degrees"):
        radar.local_geometry(degrees, 39)
    with pytest.raises(ValueError, match="quantity is 'gamma0_T'; expected 'sigma0'"):
        radar.flatten_terrain(radar.flatten_terrain(season, seen), seen)


@pytest.mark.parametrize("track", ["ascending", "descending"])
def test_a_simulated_season_on_hills_is_brighter_towards_the_radar_and_flattens_again(track):
    flat = simulate.season((96, 128), 2, track=track, farmland=0.9).load()
    ridge = 80 * np.exp(-(((np.arange(128) - 64) / 20) ** 2))
    dem = flat.incidence_angle.copy(data=np.tile(ridge, (96, 1)))
    hilly = radar.onto_terrain(flat, dem, track)
    west, east = (
        radar.to_db((hilly.vv / flat.vv)[0, :, columns].mean()).item()
        for columns in (slice(40, 60), slice(70, 90))
    )
    towards, away = (west, east) if track == "ascending" else (east, west)
    assert towards > 0.5 and away < -0.5  # dB
    local = hilly.local_incidence.values[48]
    seen = local[40:60] if track == "ascending" else local[70:90]
    assert (seen < flat.incidence_angle.values[48, 64]).all()
    assert not hilly.layover.any() and not hilly.shadow.any()
    xr.testing.assert_equal(hilly.incidence_angle, flat.incidence_angle)
    look = radar.LOOK_AZIMUTH[track]
    again = radar.flatten_terrain(hilly, radar.local_geometry(dem, flat.incidence_angle, look))
    np.testing.assert_allclose(again.vv, radar.gamma0(flat).vv, rtol=1e-4)


def test_terrain_of_another_grid_is_not_put_under_a_season():
    flat = simulate.season((96, 128), 2)
    moved = flat.incidence_angle.assign_coords(x=flat.x + 10) * 0
    with pytest.raises(ValueError, match="'dem' has 96 x 128 pixels.*reproject_match"):
        radar.onto_terrain(flat, moved)
    with pytest.raises(ValueError, match="track is 'up'; expected one of ascending, descending"):
        radar.onto_terrain(flat, moved, "up")
