"""Seasons from STAC, on GeoTIFFs and catalogues that the tests write, and a catalogue server of
their own.
"""

import json
import re
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import geopandas as gpd
import numpy as np
import pystac
import pytest
import rasterio
from rasterio.transform import from_origin
from rasterio.warp import transform_bounds
from shapely.geometry import box, mapping
from shapely.geometry.base import BaseGeometry

from stma_nb import __main__, cube
from stma_nb.sources import catalogues
from stma_nb.sources.stac import season_from_stac

pytestmark = pytest.mark.filterwarnings(
    "ignore::PendingDeprecationWarning", "ignore::DeprecationWarning:odc"
)

LEFT, TOP, SIZE = (
    400_000,
    5_800_000,
    40,
)  # of the western image; the eastern one begins 30 pixels further
APRIL = "2021-04-01", "2021-04-30"


def image(path, values, left=LEFT, top=TOP, crs="EPSG:32633", pixel=10, **options):
    values = np.asarray(values, options.pop("dtype", "float32"))
    profile = dict(
        driver="GTiff", count=1, dtype=values.dtype, height=values.shape[0], width=values.shape[1]
    )
    if crs:
        profile |= dict(crs=crs, transform=from_origin(left, top, pixel, pixel))
    with rasterio.open(path, "w", **profile, **options) as tif:
        tif.write(values, 1)
    return path


def backscatter(seed, mean=0.1, size=SIZE):
    return np.random.default_rng(seed).gamma(4, mean / 4, (size, size)).astype("float32")


@pytest.fixture
def folder(tmp_path):
    """Two overpasses of orbit 95, each in two overlapping images, and one of orbit 22; nodata
    -32768 in a corner.
    """
    folder = tmp_path / "images"
    folder.mkdir()
    seed = 0
    for day, orbit in (("20210403", 95), ("20210415", 95), ("20210407", 22)):
        for second, left in (("52", LEFT), ("59", LEFT + 300)):
            for name in ("VV", "VH"):
                values = backscatter(seed := seed + 1, 0.1 if name == "VV" else 0.02)
                if left == LEFT:
                    values[:, 35:] = -32768  # the western image ends here; the eastern one goes on
                burst = 290_000 + (left > LEFT)
                image(
                    folder / f"X_T{orbit:03}-{burst}-IW2_{day}T0531{second}Z_{name}.tif",
                    values,
                    left,
                    nodata=-32768,
                )
    return folder


def area(west=LEFT, east=LEFT + 700, crs="EPSG:32633"):
    return transform_bounds(crs, "EPSG:4326", west + 5, TOP - 395, east - 5, TOP - 5)


def pixels(season, left=LEFT, columns=70):
    """The season on the columns and rows of the images."""
    return season.sel(x=slice(left, left + 10 * columns), y=slice(TOP, TOP - 10 * SIZE))


def read(folder, pattern):
    (file,) = folder.glob(pattern)
    with rasterio.open(file) as tif:
        return tif.read(1)


def test_the_items_of_an_overpass_become_one_date_of_their_own_pixels(folder):
    season = season_from_stac(folder, area(), *APRIL)
    assert season.vv.chunks and cube.check_season(season.compute())
    assert (
        season.time.values.tolist()
        == np.array(["2021-04-03T05:31:52", "2021-04-15T05:31:52"], "M8[ns]").tolist()
    )
    assert season.relative_orbit.values.tolist() == [95, 95]
    assert season.rio.crs == "EPSG:32633" and season.rio.resolution() == (10, -10)
    assert season.vv.attrs["units"] == "1" and season.vv.dtype == "float32"
    assert (
        season.attrs["items"] == 4 and "relative orbit 22 (1 overpasses)" in season.attrs["tracks"]
    )
    for date, day in enumerate(("20210403", "20210415")):
        for name in ("vv", "vh"):
            found = pixels(season)[name][date].values
            west, east = (
                read(folder, f"*{burst}*{day}*_{name.upper()}.tif")
                for burst in ("290000", "290001")
            )
            assert np.array_equal(
                found[:, :35], west[:, :35]
            )  # the first image wins where both have data
            assert np.array_equal(
                found[:, 35:], east[:, 5:]
            )  # and the second fills where the first has none


def test_what_no_image_covers_is_nan(folder):
    season = season_from_stac(folder, area(west=LEFT - 200), *APRIL).compute()
    assert np.isnan(season.vv.sel(x=slice(LEFT - 200, LEFT))).all()
    assert np.isfinite(pixels(season).vv).all()
    assert float(season.vv.min()) >= 0  # no -32768


def test_a_window_is_the_same_pixels_as_in_the_whole(folder):
    whole = season_from_stac(folder, area(), *APRIL).compute()
    part = season_from_stac(folder, area(LEFT + 150, LEFT + 450), *APRIL)
    assert part.sizes["x"] < whole.sizes["x"]
    assert part.vv.compute().equals(whole.vv.sel(x=part.x, y=part.y))
    window = (
        season_from_stac(folder, area(), *APRIL).isel(y=slice(5, 20), x=slice(30, 45)).compute()
    )
    assert window.equals(whole.isel(y=slice(5, 20), x=slice(30, 45)))


def test_another_orbit_can_be_asked_for_and_an_absent_one_is_named(folder):
    season = season_from_stac(folder, area(), *APRIL, relative_orbit=22)
    assert season.sizes["time"] == 1 and season.relative_orbit.values.tolist() == [22]
    with pytest.raises(
        cube.SeasonError, match="track 7 descending; found relative orbit 95 .2 overpasses"
    ):
        season_from_stac(folder, area(), *APRIL, relative_orbit=7, direction="descending")


def test_the_track_that_sees_more_of_the_area_is_preferred(tmp_path):
    for day in ("03", "09", "15"):  # three times, but only a tenth of the area
        for name in ("VV", "VH"):
            image(
                tmp_path / f"T001-000001-IW1_202104{day}T053000_{name}.tif", backscatter(1)[:, :4]
            )
    for name in ("VV", "VH"):
        image(tmp_path / f"T002-000001-IW1_20210404T053000_{name}.tif", backscatter(2))
    season = season_from_stac(tmp_path, area(east=LEFT + 400), *APRIL)
    assert season.relative_orbit.values.tolist() == [2]


def test_a_saved_item_collection_and_a_static_catalogue_give_the_same_season(folder, tmp_path):
    items = catalogues.catalogue_of_folder(folder)
    items.save_object(str(tmp_path / "items.json"))
    extent = pystac.Extent(
        pystac.SpatialExtent([[-180, -90, 180, 90]]),
        pystac.TemporalExtent([[datetime(2021, 4, 1, tzinfo=UTC), None]]),
    )
    collection = pystac.Collection("my-rtc", "gamma0", extent, license="CC-BY-4.0")
    collection.add_items([item.clone() for item in items])
    collection.normalize_and_save(str(tmp_path / "catalogue"), pystac.CatalogType.SELF_CONTAINED)
    first = season_from_stac(tmp_path / "items.json", area(), *APRIL)
    second = season_from_stac(
        tmp_path / "catalogue" / "collection.json", area(), *APRIL, collection="my-rtc"
    )
    assert first.compute().equals(second.compute())
    assert first.compute().equals(season_from_stac(items, area(), *APRIL).compute())
    assert second.attrs["licence"] == "CC-BY-4.0" and second.attrs["collection"] == "my-rtc"


def test_items_of_several_collections_are_not_mixed(folder):
    items = catalogues.catalogue_of_folder(folder)
    for item in items:
        item.collection_id = "one" if "20210403" in item.id else "two"
    with pytest.raises(cube.SeasonError, match=r"items of 2 collections \(one, two\): name one"):
        season_from_stac(items, area(), *APRIL)
    season = season_from_stac(items, area(), *APRIL, collection="one")
    assert season.time.dt.day.values.tolist() == [3] and season.attrs["collection"] == "one"


def test_assets_are_found_by_what_their_metadata_say(folder):
    items = catalogues.catalogue_of_folder(folder)
    for item in items:
        vv, vh = item.assets["vv"], item.assets["vh"]
        vv.extra_fields["sar:polarizations"] = ["VV"]
        vh.extra_fields["bands"] = [{"name": "VH"}]
        preview = pystac.Asset("nowhere/vv.tif", roles=["thumbnail"])
        item.assets = {"preview_vv": preview, "Sigma0-VV": vv, "image2": vh}
    assert np.isfinite(pixels(season_from_stac(items, area(), *APRIL)).vh).all()
    for item in items:
        del item.assets["image2"]
    with pytest.raises(
        cube.SeasonError, match="None of the 6 items .* both VV and VH .* preview_vv, Sigma0-VV"
    ):
        season_from_stac(items, area(), *APRIL)


def test_images_of_another_zone_come_onto_the_grid_of_most(folder):
    left, _, _, top = transform_bounds("EPSG:32633", "EPSG:32632", LEFT, TOP - 400, LEFT + 700, TOP)
    for name in ("VV", "VH"):
        flat = np.full((120, 120), 0.25 if name == "VV" else 0.05)
        image(
            folder / f"A_T095-290005-IW2_20210401T053152Z_{name}.tif",
            flat,
            left - 200,
            top + 200,
            "EPSG:32632",
        )
    season = season_from_stac(folder, area(), *APRIL)
    assert season.rio.crs == "EPSG:32633" and season.sizes["time"] == 3
    assert np.allclose(pixels(season).vv[0], 0.25) and np.allclose(pixels(season).vh[0], 0.05)
    assert season_from_stac(folder, area(), *APRIL, crs="EPSG:32632").rio.crs == "EPSG:32632"


def test_coarser_pixels_are_means_of_power(folder):
    season = season_from_stac(folder, area(LEFT, LEFT + 300), *APRIL, pixel=20)
    west = read(folder, "*290000*20210403*_VV.tif")[:, :30].reshape(20, 2, 15, 2).mean((1, 3))
    assert np.allclose(pixels(season, columns=30).vv[0], west, rtol=1e-5)


def test_images_in_degrees_come_in_metres(tmp_path):
    west, _, _, north = area()
    for name in ("VV", "VH"):
        image(
            tmp_path / f"20210403_{name}.tif",
            backscatter(3),
            west,
            north,
            "EPSG:4326",
            pixel=0.0002,
        )
    season = season_from_stac(tmp_path, (west, north - 0.006, west + 0.006, north), *APRIL)
    assert season.rio.crs == "EPSG:32633" and season.rio.resolution() == (20, -20)
    assert "relative_orbit" not in season.coords


@pytest.mark.parametrize(
    ("unit", "of_power"), [("dB", lambda p: 10 * np.log10(p)), ("linear amplitude", np.sqrt)]
)
def test_other_scales_become_power_when_metadata_or_user_say_so(tmp_path, unit, of_power):
    power = backscatter(4)
    for name in ("VV", "VH"):
        image(tmp_path / f"20210403_{name}.tif", of_power(power), nodata=np.nan)
    items = catalogues.catalogue_of_folder(tmp_path)
    scale = "dB" if unit == "dB" else "amplitude"
    asked = season_from_stac(items, area(east=LEFT + 400), *APRIL, scale=scale)
    for item in items:
        item.assets["vv"].extra_fields["raster:bands"] = [{"unit": unit}]
    stated = season_from_stac(items, area(east=LEFT + 400), *APRIL)
    for season in (asked, stated):
        assert np.allclose(pixels(season, columns=40).vv[0], power, rtol=1e-4)
    with pytest.raises(cube.SeasonError, match=f"in {scale}; means over 30 m would be wrong"):
        season_from_stac(items, area(east=LEFT + 400), *APRIL, pixel=30)


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        (
            np.full((9, 9), -12.0),
            {},
            "median of -12: that looks like dB where linear power is expected",
        ),
        (np.full((9, 9), 300.0), {}, "median of 300: too high for linear power"),
        (
            np.full((9, 9), 300),
            {"dtype": "uint16"},
            "uint16 numbers and a map grid; .* uncalibrated GRD will not do",
        ),
    ],
)
def test_what_is_no_linear_power_is_refused(tmp_path, values, options, message):
    for name in ("VV", "VH"):
        image(tmp_path / f"20210403_{name}.tif", values, **options)
    with pytest.raises(cube.SeasonError, match=message):
        season_from_stac(tmp_path, area(), *APRIL)


def test_zeros_beside_the_swath_are_no_data_where_nothing_else_is_said(tmp_path):
    values = backscatter(5)
    values[:, :7] = 0
    for name in ("VV", "VH"):
        image(tmp_path / f"20210403_{name}.tif", values)
    season = pixels(season_from_stac(tmp_path, area(east=LEFT + 400), *APRIL), columns=40)
    assert np.isnan(season.vv[0, :, :7]).all() and np.array_equal(
        season.vv[0, :, 7:], values[:, 7:]
    )


def test_an_area_can_be_a_geojson_polygon(folder, tmp_path):
    west, south, east, north = area()
    polygon = {
        "type": "Polygon",
        "coordinates": [[[west, south], [east, south], [east, north], [west, south]]],
    }
    file = tmp_path / "area.geojson"
    feature = {"type": "Feature", "properties": {}, "geometry": polygon}
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    whole = season_from_stac(folder, area(), *APRIL).compute()
    for shape in (polygon, feature, file):
        found = season_from_stac(folder, shape, *APRIL)
        assert found.compute().equals(whole.sel(x=found.x, y=found.y))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ((13, 52, 12, 53), "The area is .* expected west, south, east, north"),
        ((400_000, 5_800_000, 401_000, 5_801_000), "The area is .* in degrees"),
        ((13, 52, 14), "The area cannot be read"),
        (
            {"type": "Point", "coordinates": [13, 52]},
            "expected west, south, east, north in degrees, or a GeoJSON polygon",
        ),
        ({"type": "Feature"}, "The area cannot be read"),
    ],
)
def test_a_wrong_area_is_refused(folder, wrong, message):
    with pytest.raises(cube.SeasonError, match=message):
        season_from_stac(folder, wrong, *APRIL)


def test_what_is_not_there_is_said_in_one_sentence(folder, tmp_path):
    with pytest.raises(
        cube.SeasonError,
        match=r"no Sentinel-1 item over 13.0000 .* \(of its 6 items, 6 are of the period\): check",
    ):
        season_from_stac(folder, (13, 40, 13.1, 40.1), *APRIL)
    with pytest.raises(
        cube.SeasonError, match="from 2020-04-01 to 2020-04-30 .of its 6 items, 0 are of the period"
    ):
        season_from_stac(folder, area(), "2020-04-01", "2020-04-30")
    with pytest.raises(cube.SeasonError, match=r"ends \(2021-04-01\) before it starts"):
        season_from_stac(folder, area(), "2021-05-01", "2021-04-01")
    with pytest.raises(cube.SeasonError, match="expected days such as"):
        season_from_stac(folder, area(), "spring", "2021-04-01")
    with pytest.raises(cube.SeasonError, match="scale is 'decibel'; expected 'power', 'amp"):
        season_from_stac(folder, area(), *APRIL, scale="decibel")
    with pytest.raises(cube.SeasonError, match="'EPSG:0' is no coordinate reference system"):
        season_from_stac(folder, area(), *APRIL, crs="EPSG:0")
    with pytest.raises(
        FileNotFoundError,
        match="no catalogue 'planetary': give one of planetary-computer, digital-earth-africa",
    ):
        season_from_stac("planetary", area(), *APRIL)
    with pytest.raises(FileNotFoundError, match="No GeoTIFF"):
        catalogues.catalogue_of_folder(tmp_path)
    with pytest.raises(FileNotFoundError, match="no area file"):
        season_from_stac(folder, "area.geojson", *APRIL)
    (tmp_path / "other.json").write_text('{"a": 1}')
    with pytest.raises(cube.SeasonError, match="is no STAC catalogue"):
        season_from_stac(tmp_path / "other.json", area(), *APRIL)
    items = catalogues.catalogue_of_folder(folder)
    for file in folder.iterdir():
        file.unlink()
    with pytest.raises(cube.SeasonError, match="image of .* cannot be opened"):
        season_from_stac(items, area(), *APRIL)


def test_uncalibrated_grd_is_refused_before_any_search():
    for name in ("earth-search", "copernicus"):
        with pytest.raises(
            cube.SeasonError, match="uncalibrated digital numbers .* sentinel-1-rtc"
        ):
            season_from_stac(name, area(), *APRIL)


# ------------------------------------------------------------------- as catalogues write it down


def test_times_that_name_no_zone_are_utc(folder):
    items = catalogues.catalogue_of_folder(folder)
    expected = season_from_stac(items, area(), *APRIL).compute()
    for item in items:
        item.datetime = item.datetime.replace(tzinfo=None)
    assert season_from_stac(items, area(), *APRIL).compute().equals(expected)
    items[0].datetime = items[0].datetime.replace(tzinfo=UTC)  # some with, some without
    assert season_from_stac(items, area(), *APRIL).compute().equals(expected)
    only = items.items[0]
    only.datetime = None
    with pytest.raises(cube.SeasonError, match=f"The item '{only.id}' has no time"):
        season_from_stac(items, area(), *APRIL)


@pytest.mark.parametrize("ring", [box(-179.9, 50, 179.9, 54), None, "POLYGON"])
def test_a_footprint_around_the_globe_is_replaced_by_that_of_the_image(folder, ring):
    items = catalogues.catalogue_of_folder(folder)
    far = LEFT + 300_000
    for day in ("05", "11", "17", "23"):
        for name in ("VV", "VH"):
            stem = f"F_T007-290000-IW1_202104{day}T053152Z_{name}.tif"
            image(folder / stem, backscatter(9), far)
    every = catalogues.catalogue_of_folder(folder)
    for item in every:
        if item.properties["sat:relative_orbit"] == 7:
            item.geometry = None if ring is None else {"type": "Polygon"}
            if isinstance(ring, BaseGeometry):
                item.geometry = mapping(ring)
    found = season_from_stac(every, area(), *APRIL)
    assert "orbit 7" not in found.attrs["tracks"] and "comment" not in found.attrs
    assert found.compute().equals(season_from_stac(items, area(), *APRIL).compute())
    there = season_from_stac(every, area(far, far + 400), *APRIL)
    assert there.relative_orbit.values.tolist() == [7] * 4 and np.isfinite(there.vv).any()


def test_items_that_nothing_places_are_passed_over_with_a_word(folder):
    items = catalogues.catalogue_of_folder(folder)
    expected = season_from_stac(items, area(), *APRIL).compute()
    lost = items.items[0].clone()
    lost.id, lost.geometry = "lost", mapping(box(-180, -90, 180, 90))
    lost.assets = {name: pystac.Asset(str(folder / "none.tif")) for name in ("vv", "vh")}
    season = season_from_stac(pystac.ItemCollection([*items, lost]), area(), *APRIL)
    assert season.compute().equals(expected)
    assert season.attrs["comment"].startswith("1 items passed over, whose footprint is missing")


def test_the_season_says_how_many_passes_were_expected(folder):
    found = season_from_stac(folder, area(), *APRIL)
    assert found.attrs["passes"] == "2 of 3 passes expected, one every 12 days"
    for name in ("VV", "VH"):
        image(folder / f"X_T095-290000-IW2_20210421T053152Z_{name}.tif", backscatter(7))
    found = season_from_stac(folder, area(), *APRIL)
    assert found.attrs["passes"] == "3 of 5 passes expected, one every 6 days"


def test_every_date_is_looked_at_by_itself(folder):
    odd = folder / "X_T095-290001-IW2_20210415T053159Z_VH.tif"
    power = read(folder, odd.name)
    image(odd, 10 * np.log10(power), LEFT + 300)
    with pytest.raises(
        cube.SeasonError,
        match="VH image of 'X_T095-290001-IW2_20210415T053159Z' has a median of -1",
    ):
        season_from_stac(folder, area(), *APRIL)


@pytest.mark.parametrize("nodata", [None, -9999, 0])
def test_a_date_without_data_in_the_area_is_left_out_and_told(folder, nodata):
    for name in ("VV", "VH"):
        file = folder / f"X_T095-290000-IW2_20210427T053152Z_{name}.tif"
        image(file, np.zeros((SIZE, SIZE)), nodata=nodata)
    season = season_from_stac(folder, area(), *APRIL)
    assert [str(time)[8:10] for time in season.time.values] == ["03", "15"]
    assert season.attrs["comment"] == "dates without data in the area left out: 2021-04-27"
    for file in folder.glob("*T095*"):
        image(file, np.zeros((SIZE, SIZE)), nodata=nodata)
    with pytest.raises(cube.SeasonError, match="None of the 5 images of the track has data in"):
        season_from_stac(folder, area(), *APRIL, relative_orbit=95)


@pytest.mark.parametrize("where", ["item", "file"])
@pytest.mark.parametrize("scale", ["power", "dB"])
def test_packed_whole_numbers_are_unpacked(tmp_path, scale, where):
    power = backscatter(6)
    values = power if scale == "power" else 10 * np.log10(power)
    slope, offset = (1e-5, 0.0) if scale == "power" else (0.002, -40.0)
    stored = np.round((values - offset) / slope)
    stored[:, :5] = 65535
    for name in ("VV", "VH"):
        file = image(
            tmp_path / f"20210403_{name}.tif",
            np.clip(stored, 1, 65535),
            dtype="uint16",
            nodata=65535,
        )
        if where == "file":
            with rasterio.open(file, "r+") as tif:
                tif.scales, tif.offsets = (slope,), (offset,)
    items = catalogues.catalogue_of_folder(tmp_path)
    for asset in items.items[0].assets.values():
        asset.extra_fields["raster:bands"] = [{"unit": scale, "data_type": "uint16"}]
        if where == "item":
            asset.extra_fields["raster:bands"][0] |= {"scale": slope, "offset": offset}
    season = pixels(season_from_stac(items, area(east=LEFT + 400), *APRIL), columns=40)
    assert np.isnan(season.vv[0, :, :5]).all()
    np.testing.assert_allclose(season.vv[0, :, 5:], power[:, 5:], rtol=2e-3, atol=1e-5)


def test_whole_numbers_become_power_in_the_scale_that_is_given(tmp_path):
    power = backscatter(6)
    for name in ("VV", "VH"):
        stored = np.round(10 ** ((10 * np.log10(power) + 83) / 20))
        image(tmp_path / f"20210403_{name}.tif", stored, dtype="uint16", nodata=0)
    season = season_from_stac(tmp_path, area(east=LEFT + 400), *APRIL, scale="gfmap")
    np.testing.assert_allclose(pixels(season, columns=40).vv[0], power, rtol=1e-2)


def test_units_that_differ_from_image_to_image_are_told(folder):
    items = catalogues.catalogue_of_folder(folder)
    for item in items:
        unit = "dB" if "20210415" in item.id else "linear power"
        item.assets["vv"].extra_fields["raster:bands"] = [{"unit": unit}]
    with pytest.raises(cube.SeasonError, match="in several units .*power of 'X_.*, dB of 'X_"):
        season_from_stac(items, area(), *APRIL)


def test_masks_and_angles_beside_the_images_are_left_alone(folder):
    expected = season_from_stac(folder, area(), *APRIL).compute()
    for file in sorted(folder.glob("*_VV.tif")):
        for beside in ("VV_mask", "inc_map", "VV_ANGLE", "ls_map", "area"):
            image(
                folder / file.name.replace("_VV.tif", f"_{beside}.tif"),
                np.ones((9, 9)),
                dtype="uint8",
            )
    assert season_from_stac(folder, area(), *APRIL).compute().equals(expected)
    items = catalogues.catalogue_of_folder(folder)
    for item in items:
        vv, vh = item.assets.pop("vv"), item.assets.pop("vh")
        mask = pystac.Asset(vv.href.replace("VV.tif", "VV_mask.tif"))
        item.assets = {"mask_vv": mask, "noise-vv": mask, "measurement-vv": vv, "image-vh": vh}
    assert season_from_stac(items, area(), *APRIL).compute().equals(expected)


def test_images_on_the_grid_of_the_web_come_in_metres_on_the_ground(tmp_path):
    left, _, _, top = transform_bounds("EPSG:32633", "EPSG:3857", LEFT, TOP - 400, LEFT + 400, TOP)
    for name in ("VV", "VH"):
        image(tmp_path / f"20210403_{name}.tif", backscatter(3), left, top, "EPSG:3857")
    season = season_from_stac(tmp_path, area(east=LEFT + 200), *APRIL)
    assert season.rio.crs == "EPSG:32633"


@pytest.mark.parametrize(
    "said",
    [
        {"proj:code": "EPSG:0"},
        {"proj:code": {}},
        {"proj:shape": True, "proj:transform": [1, 2]},
        {"proj:transform": [float("inf")] * 6},
        {"proj:epsg": 3857, "proj:code": "EPSG:3857", "proj:shape": [3, 3]},
    ],
)
def test_the_grid_is_that_of_the_images_whatever_the_metadata_say(folder, said):
    items = catalogues.catalogue_of_folder(folder)
    expected = season_from_stac(items, area(), *APRIL).compute()
    for item in items:
        item.properties |= said
    assert season_from_stac(items, area(), *APRIL).compute().equals(expected)


@pytest.mark.parametrize("said", [3, ["x"], "dB", [{"scale": "x"}]])
def test_metadata_that_cannot_be_read_are_one_sentence(folder, tmp_path, said):
    items = catalogues.catalogue_of_folder(folder)
    for item in items:
        item.assets["vh"].extra_fields["raster:bands"] = said
    items.save_object(str(tmp_path / "items.json"))
    with pytest.raises(cube.SeasonError, match="items.json' describes an image in a way that can"):
        season_from_stac(tmp_path / "items.json", area(), *APRIL)


@pytest.mark.parametrize(
    "href", ["/vsicurl/http://127.0.0.1:9/a.tif", "/vsizip//tmp/a.zip/a.tif", "vrt:///tmp/a.tif"]
)
def test_addresses_that_only_gdal_knows_are_refused(folder, href):
    items = catalogues.catalogue_of_folder(folder)
    for item in items:
        item.assets["vv"].href = href
    with pytest.raises(cube.SeasonError, match="names the image .*; expected a file or an address"):
        season_from_stac(items, area(), *APRIL)


def test_only_geotiffs_are_opened(folder):
    file = next(folder.glob("*T095*VV.tif"))
    file.write_text(f"<VRTDataset rasterXSize='40' rasterYSize='40'>{file.name}</VRTDataset>")
    items = catalogues.catalogue_of_folder(folder, "*T022*.tif")
    for item in items:
        item.assets["vv"].href = str(file)
    with pytest.raises(cube.SeasonError, match="cannot be opened .*: check that it is there as a"):
        season_from_stac(items, area(), *APRIL)


# --------------------------------------------------------------------------------- over the network


@pytest.fixture
def links():
    """Where the server says that its images are, if elsewhere than on it."""
    return {}


@pytest.fixture
def server(folder, links):
    """A STAC API with one collection of the folder's images, served on this machine; it answers by
    period only.
    """
    items = [item.to_dict() for item in catalogues.catalogue_of_folder(folder)]
    for item in items:
        for asset in item["assets"].values():
            asset["href"] = "URL/images/" + asset["href"].rpartition("/")[2]

    class Answer(BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.do_GET()

        def do_GET(self):
            if self.path.startswith("/images/"):
                return self.image(folder / self.path.rpartition("/")[2])
            core = [
                f"https://api.stacspec.org/v1.0.0/{part}"
                for part in ("core", "item-search", "collections")
            ]
            link = [
                {
                    "rel": "search",
                    "href": f"{url}/search",
                    "method": "POST",
                    "type": "application/geo+json",
                }
            ]
            link += [{"rel": "data", "href": f"{url}/collections"}, {"rel": "root", "href": url}]
            root = {
                "type": "Catalog",
                "id": "here",
                "description": "here",
                "conformsTo": core,
                "links": link,
            }
            extent = {
                "spatial": {"bbox": [[-180, -90, 180, 90]]},
                "temporal": {"interval": [[None, None]]},
            }
            rtc = {
                "type": "Collection",
                "id": "rtc",
                "description": "-",
                "license": "CC0-1.0",
                "extent": extent,
                "links": [],
            }
            self.reply(
                {"stac_version": "1.0.0"} | (rtc if self.path.endswith("collections/rtc") else root)
            )

        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            start, end = asked["datetime"].split("/")
            hits = [
                i
                for i in items
                if asked["collections"] == ["rtc"] and start <= i["properties"]["datetime"] <= end
            ]
            self.reply(
                {
                    "type": "FeatureCollection",
                    "features": [i | {"collection": "rtc"} for i in hits],
                    "links": [],
                }
            )

        def image(self, file):
            if not file.is_file():
                return self.send_error(404)
            content = file.read_bytes()
            asked = re.match(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
            first = int(asked[1]) if asked else 0
            last = min(int(asked[2] or 1e9), len(content) - 1) if asked else len(content) - 1
            self.send_response(206 if asked else 200)
            if asked:
                self.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Length", str(last - first + 1))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content[first : last + 1])

        def reply(self, content):
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            images = links.get("images", f"{url}/images/")
            self.wfile.write(json.dumps(content).replace("URL/images/", images).encode())

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as http:
        url = f"http://127.0.0.1:{http.server_port}"
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield url
        http.shutdown()


def test_an_api_is_searched_for_place_period_and_collection(server, folder):
    season = season_from_stac(server, area(), "2021-04-01", "2021-04-15", collection="rtc")
    assert season.compute().equals(season_from_stac(folder, area(), *APRIL).compute())
    assert (
        season.attrs["collection"] == "rtc"
        and season.attrs["licence"] == "CC0-1.0"
        and season.attrs["source"] == server
    )
    with pytest.raises(cube.SeasonError, match="no Sentinel-1 item of rtc .* from 2021-06-01"):
        season_from_stac(server, area(), "2021-06-01", "2021-06-30", collection="rtc")
    with pytest.raises(cube.SeasonError, match=r"name that of Sentinel-1 \(collection\)"):
        season_from_stac(server, area(), *APRIL)


@pytest.mark.parametrize("href", ["file:///etc/", "/etc/", "/vsimem/", "vrt://http://127.0.0.1:9/"])
def test_a_remote_catalogue_may_not_name_files_of_this_machine(server, links, href):
    links["images"] = href
    with pytest.raises(cube.SeasonError, match=r"names the image .*expected an address \(https"):
        season_from_stac(server, area(), *APRIL, collection="rtc")


def test_buckets_that_everyone_may_read_are_read_by_their_address():
    name, address = next(iter(catalogues.BUCKETS.items()))
    assert name == "s3://deafrica-sentinel-1/" and address.startswith(
        "https://deafrica-sentinel-1."
    )
    assert catalogues.CATALOGUES["digital-earth-africa"][1] == "s1_rtc"


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("<!DOCTYPE html><title>Sign in</title>", "something else than JSON .a web page."),
        ("sorry", "something else than JSON .'sorry'."),
        ("[]", "does not answer as a STAC API does"),
        ('{"type": "Catalog"}', "does not answer as a STAC API does"),
    ],
)
def test_a_catalogue_that_answers_with_a_page_is_told(page, message):
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page.encode())

        do_POST = do_GET

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        with pytest.raises(cube.SeasonError, match=message):
            season_from_stac(
                f"http://127.0.0.1:{http.server_port}", area(), *APRIL, collection="rtc"
            )
        http.shutdown()


def test_no_network_is_one_sentence():
    with pytest.raises(
        ConnectionError, match="gave no answer to the search in 'rtc' .*: check network and address"
    ):
        season_from_stac("http://127.0.0.1:9", area(), *APRIL, collection="rtc")


# ------------------------------------------------------------------------------------- command line


def test_the_command_writes_a_season_with_labels(folder, tmp_path, capsys):
    square = box(LEFT + 50, TOP - 150, LEFT + 250, TOP - 50)
    gpd.GeoDataFrame({"plant": ["Maize"]}, geometry=[square], crs="EPSG:32633").to_file(
        tmp_path / "fields.gpkg"
    )
    command = [
        "data",
        "stac",
        str(tmp_path / "s.zarr"),
        "--area",
        *map(str, area()),
        "--start",
        APRIL[0],
        "--end",
        APRIL[1],
    ]
    command += [
        "--catalogue",
        str(folder),
        "--labels",
        str(tmp_path / "fields.gpkg"),
        "--column",
        "plant",
    ]
    assert __main__.main(command) == 0
    season = cube.open_season(tmp_path / "s.zarr")
    assert np.array_equal(season.vv, season_from_stac(folder, area(), *APRIL).vv, equal_nan=True)
    assert season.relative_orbit.values.tolist() == [95, 95] and season.attrs["items"] == 4
    assert [crop.name for crop in cube.legend(season)] == ["Background", "Maize"] and int(
        season.crop.sum()
    ) == 200
    assert "2 dates" in capsys.readouterr().out
    assert __main__.main(command) == 1  # it exists
    assert "exists" in capsys.readouterr().err
    assert __main__.main([*command[:-2], "--overwrite"]) == 1
    assert "--column" in capsys.readouterr().err
