"""Files as people have them: each opens as linear power on its true place, or is refused in one
true sentence.
"""

import warnings

import h5netcdf
import numpy as np
import pytest
import rasterio
import xarray as xr
from rasterio.transform import from_origin

from stma_nb import accuracy, cube, patches, predict, radar, train
from stma_nb.cube import SeasonError, open_season

DAYS = ("20180401", "20180501", "20180601")
POWER = {"vv": 0.08, "vh": 0.015}


@pytest.fixture
def images():
    """Power (dates, VV and VH, 40, 64), four looks."""
    rng = np.random.default_rng(1)
    level = np.array([POWER["vv"], POWER["vh"]])[:, None, None]
    return (level * rng.gamma(4, 1 / 4, (3, 2, 40, 64))).astype("float32")


def write(
    path, data, names=("VV", "VH"), scales=None, offsets=None, units=None, tags=None, **place
):
    """A GeoTIFF of bands (band, row, column)."""
    data = np.asarray(data)
    path.parent.mkdir(parents=True, exist_ok=True)
    profile = {"crs": "EPSG:32633", "transform": from_origin(4e5, 5.8e6, 10, 10), "nodata": None}
    shape = dict(count=len(data), height=data.shape[1], width=data.shape[2], dtype=data.dtype)
    with rasterio.open(path, "w", driver="GTiff", **shape, **(profile | place)) as tif:
        tif.write(data)
        if names:
            tif.descriptions = names
        if scales:
            tif.scales = scales
        if offsets:
            tif.offsets = offsets
        if units:
            tif.units = units
        if tags:
            tif.update_tags(**tags)
    return path


def folder_of(tmp_path, images, name="S1_{day}_VVVH.tif", **options):
    for day, image in zip(DAYS, images, strict=True):
        write(tmp_path / "season" / name.format(day=day), image, **options)
    return tmp_path / "season"


def decibel(power):
    return (10 * np.log10(power)).astype("float32")


def saved(season, path):
    return open_season(cube.save_season(season, path))


# ------------------------------------------------------------------------------ what numbers are


@pytest.mark.parametrize(
    "scale, numbers",
    [
        ("power", [0.1, 0, np.nan, -9999, -32768, 9999, 3.4e38, np.inf]),
        ("amplitude", [0.1**0.5, 0, np.nan, -9999, -32768, 65535, -1, np.inf]),
        ("dB", [-10, 0, np.nan, -9999, -32768, 9999, 1e20, -np.inf]),
        ("gfmap", [10 ** (73 / 20), 0, np.nan, 65535, -1, 65535, 0, 65535]),
        ((0.5, -40), [60, np.inf, np.nan, -9999, -32768, 9999, 65535, 1e20]),
    ],
)
def test_only_measurements_become_power(scale, numbers):
    power = cube.to_power(np.array(numbers), scale)
    assert power.dtype == np.float32
    assert power[0] == pytest.approx(0.1, rel=1e-5)
    assert np.isnan(power[1:]).all()


def test_small_negative_power_is_noise_that_was_removed():
    np.testing.assert_array_equal(cube.to_power(np.array([-0.001])), np.float32([-0.001]))


def test_unsigned_numbers_that_were_read_as_signed():
    number = np.uint16(40_000)
    signed = cube.to_power(np.array([number]).view("int16"), "gfmap")
    np.testing.assert_allclose(signed, 10 ** ((20 * np.log10(40_000) - 83) / 10), rtol=1e-5)


def test_a_scale_that_is_none_is_refused():
    with pytest.raises(
        SeasonError, match="scale is 'decibel'; expected 'power', 'amplitude', 'dB'"
    ):
        cube.to_power(np.ones(2), "decibel")


@pytest.mark.parametrize("declared", [None, -9999, 0])
@pytest.mark.parametrize("fill", [0, -9999, -32768])
def test_fill_values_declared_or_not_are_missing(tmp_path, images, fill, declared):
    filled = images.copy()
    filled[..., :20] = fill
    season = open_season(folder_of(tmp_path, filled, nodata=declared))
    assert np.isnan(season.vv[..., :20]).all()
    np.testing.assert_allclose(season.vv[..., 20:], images[:, 0, :, 20:])


@pytest.mark.parametrize("ending", ["zarr", "nc"])
def test_zeros_in_stores_are_missing(tmp_path, images, ending):
    season = open_season(folder_of(tmp_path, images)).load()
    season.vv.values[..., :20] = 0
    path = tmp_path / f"season.{ending}"
    encode = season.to_zarr if ending == "zarr" else season.to_netcdf
    encode(path, **({"zarr_format": 2} if ending == "zarr" else {"engine": "h5netcdf"}))
    assert np.isnan(open_season(path).vv[..., :20]).all()


@pytest.mark.parametrize(
    "numbers, says",
    [
        (lambda p: (np.sqrt(p) * 600).astype("uint16"), "has type uint16; expected float32 linear"),
        (lambda p: (p * 1000).astype("int16"), "has type int16.*calibrate"),
        (lambda p: np.sqrt(p) * 600, "'vh' of 2018-04-01 has a median of .*too high for linear"),
        (lambda p: p * 1e6, "too high for linear power"),
        (decibel, "'vh' of 2018-04-01 has a median of -1.*looks like dB.*scale='dB'"),
        (lambda p: p * 0, "'vh' holds no data"),
        (lambda p: p.astype("complex64"), r"complex numbers \(complex64.*detect"),
        (lambda p: -p * 5, "'vh' of 2018-04-01 has a median of -0.0.*expected power"),
    ],
)
def test_numbers_that_are_no_power_are_refused_with_what_was_found(tmp_path, images, numbers, says):
    with pytest.raises(SeasonError, match=says):
        open_season(folder_of(tmp_path, numbers(images)))


@pytest.mark.parametrize(
    "numbers, options, scale",
    [
        (decibel, {}, "dB"),
        (np.sqrt, {}, "amplitude"),
        (decibel, {"units": ("dB", "sigma nought [dB]")}, None),
        (decibel, {"tags": {"UNITS": "decibel"}}, None),
        (decibel, {"names": ("Sigma0_VV_db", "Sigma0_VH_db")}, None),
        (lambda p: (p * 1e4).round().astype("uint16"), {"scales": (1e-4, 1e-4)}, None),
        (
            lambda p: (decibel(p) * 100).round().astype("int16"),
            {"scales": (0.01, 0.01), "nodata": -32768},
            "dB",
        ),
        (lambda p: (10 ** ((decibel(p) + 83) / 20)).round().astype("uint16"), {}, "gfmap"),
        (lambda p: ((decibel(p) + 50) / 0.01).astype("float32"), {}, (0.01, -50)),
    ],
)
def test_other_scales_open_as_the_same_power(tmp_path, images, numbers, options, scale):
    season = open_season(folder_of(tmp_path, numbers(images), **options), scale=scale)
    np.testing.assert_allclose(season.vv, images[:, 0], rtol=0.01, atol=1e-4)
    assert season.vv.attrs["units"] == "1"


@pytest.mark.parametrize(
    "letter, write_as, quantity",
    [("p", lambda p: p, "gamma0"), ("a", np.sqrt, "gamma0"), ("d", decibel, "gamma0")],
)
def test_names_of_hyp3_say_what_the_numbers_are(tmp_path, images, letter, write_as, quantity):
    for day, image in zip(DAYS, images, strict=True):
        stem = f"S1A_IW_{day}T053342_DVP_RTC30_G_g{letter}uned_1A2B"
        for band, data in zip(("VV", "VH"), write_as(image), strict=True):
            write(tmp_path / "s" / stem / f"{stem}_{band}.tif", data[None], None, nodata=0)
        for beside in ("inc_map", "ls_map", "dem"):
            write(tmp_path / "s" / stem / f"{stem}_{beside}.tif", image[:1], None)
    season = open_season(tmp_path / "s")
    assert cube.bands(season) == ("vh", "vv")
    assert season.vv.attrs["quantity"] == quantity
    np.testing.assert_allclose(season.vh, images[:, 1], rtol=1e-4)


def test_one_date_in_other_units_is_named(tmp_path, images):
    images[1] = decibel(images[1])
    says = r"'vh' of 2018-05-01 has a median of -1.*looks like dB.*on 1 of 3 dates \(2018-05-01\)"
    with pytest.raises(SeasonError, match=says):
        open_season(folder_of(tmp_path, images))


def test_hundredths_of_decibels_are_told_as_what_they_are(tmp_path, images):
    hundredths = (100 * decibel(images)).round().astype("int16")
    folder = folder_of(tmp_path, hundredths)
    with pytest.raises(SeasonError, match="'vh' of 2018-04-01 has a median of -1.*; expected dB"):
        open_season(folder, scale="dB")
    np.testing.assert_allclose(open_season(folder, scale=(0.01, 0)).vh, images[:, 1], rtol=2e-3)


def test_a_date_without_data_is_told_and_counts_as_missing(tmp_path, images):
    images[1] = 0
    with pytest.warns(UserWarning, match=r"'vh' holds no data on 1 of 3 dates \(2018-05-01\)"):
        season = open_season(folder_of(tmp_path, images))
    assert np.isnan(season.vv[1]).all()
    np.testing.assert_allclose(season.vv[[0, 2]], images[[0, 2], 0])


def test_a_scene_whose_middle_is_empty_is_no_complaint():
    power = np.full((2, 700, 900), 0.1, "float32")
    power[0, 100:600, 100:800] = np.nan
    season = xr.Dataset(
        {"vv": (("time", "y", "x"), power)},
        {
            "time": np.array(["2018-04-01", "2018-05-01"], "M8[ns]"),
            "y": 5.8e6 - 10.0 * np.arange(700),
            "x": 4e5 + 10.0 * np.arange(900),
        },
    ).rio.write_crs("EPSG:32633")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cube.check_season(season)


def test_a_checked_season_in_memory_is_not_copied(season):
    assert np.shares_memory(cube.check_season(season).vv.values, season.vv.values)


def test_a_season_in_decibels_that_says_so_becomes_power(season):
    np.testing.assert_allclose(
        cube.check_season(season.assign(vv=radar.to_db(season.vv))).vv, season.vv, rtol=1e-5
    )


# -------------------------------------------------------------------------------- folders of files


def test_two_slices_of_one_overpass_are_one_date(tmp_path, images):
    for day, image in zip(DAYS, images, strict=True):
        for clock, rows in (("T053342", slice(25, None)), ("T053407", slice(0, 20))):
            part = image.copy()
            part[:, rows] = -9999  # overlapping in rows 20 to 25
            write(tmp_path / "s" / f"S1A_IW_GRDH_1SDV_{day}{clock}.tif", part)
    season = open_season(tmp_path / "s")
    assert str(season.time.values[0])[:19] == "2018-04-01T05:33:42"
    np.testing.assert_allclose(season.vv, images[:, 0])
    slices = season.isel(time=[0, 0, 1, 2]).assign_coords(
        time=season.time.values[[0, 0, 1, 2]] + np.array([0, 25, 0, 0], "m8[s]")
    )
    slices = slices.assign({name: slices[name].copy(data=slices[name].values) for name in POWER})
    for name in POWER:
        slices[name].values[0, 20:] = np.nan
        slices[name].values[1, :20] = np.nan
    slices.to_netcdf(tmp_path / "slices.nc", engine="h5netcdf")
    again = open_season(tmp_path / "slices.nc")
    np.testing.assert_allclose(again.vv, images[:, 0])


def test_of_three_slices_the_first_that_measured_counts(season, tmp_path):
    clock = np.array([0, 20, 40, 0], "m8[s]")
    slices = season[["vv", "vh"]].isel(time=[0, 0, 0, 1])
    slices = slices.assign_coords(time=season.time.values[[0, 0, 0, 1]] + clock).copy(deep=True)
    for name in POWER:
        for number, rows in enumerate((slice(10, None), slice(None, 5), slice(None, 20))):
            slices[name].values[number, rows] = np.nan
        slices[name].values[1] *= 2
        slices[name].values[2] *= 3
    cube.save_season(slices, tmp_path / "slices.zarr")
    merged = open_season(tmp_path / "slices.zarr")
    wanted = season.vv.values[:2].copy()
    wanted[0, 10:] *= 2  # the second reaches from row 5 on, the third is never needed
    np.testing.assert_allclose(merged.vv, wanted)
    assert list(merged.time.values) == list(season.time.values[:2])


def test_many_dates_are_opened_with_a_task_a_chunk(tmp_path, images):
    """Ten thousand files would otherwise be millions of tasks before a pixel is read."""

    def tasks(folder, count: int) -> int:
        for number in range(count):
            day = np.datetime64("2018-01-01") + number
            write(folder / f"S1_{day}_VVVH.tif", images[number % 3])
        return len(open_season(folder).vv.data.__dask_graph__())

    assert tasks(tmp_path / "few", 3) == tasks(tmp_path / "many", 60)


def test_a_chunk_of_many_dates_is_not_large(season, tmp_path):
    assert [cube.chunk_side(dates) for dates in (2, 41, 256)] == [cube.CHUNK] * 3
    for dates in (257, 1000, 10_000):
        assert dates * cube.chunk_side(dates) ** 2 * 4 <= 2**26
    many = season[["vv"]].isel(time=np.arange(1100) % 5, x=np.arange(72) % 64)
    days = np.datetime64("2015-01-01", "ns") + np.arange(1100) * np.timedelta64(1, "D")
    many = many.assign_coords(time=days, x=400_005.0 + 10 * np.arange(72))
    cube.save_season(many, tmp_path / "many.zarr")
    opened = open_season(tmp_path / "many.zarr")
    assert opened.vv.data.chunksize == opened.vv.encoding["chunks"] == (1100, 48, 64)
    np.testing.assert_array_equal(opened.vv[-1], many.vv[-1])


def test_corners_within_a_millimetre_are_one_grid(tmp_path, images):
    folder = folder_of(tmp_path, images)
    place = from_origin(4e5 + 4e-4, 5.8e6, 10, 10)
    write(folder / "S1_20180501_VVVH.tif", images[1], transform=place)
    codes = np.ones((1, 40, 64), "uint8")
    write(folder / "crop.tif", codes, None, tags={"flag_meanings": "A B"}, transform=place)
    season = open_season(folder)
    assert season.vv.shape == (3, 40, 64) and season.crop.shape == (40, 64)
    np.testing.assert_allclose(season.vv, images[:, 0])


def test_a_stack_of_dates_in_one_file(tmp_path, images):
    names = [f"S1A_IW_GRDH_1SDV_{day}T053342_{band}" for day in DAYS for band in ("VV", "VH")]
    file = write(tmp_path / "s" / "export.tif", images.reshape(6, 40, 64), names)
    for path in (file, file.parent):
        season = open_season(path)
        np.testing.assert_allclose(season.vh, images[:, 1])
        assert season.sizes["time"] == 3


def test_earth_engines_angle_stays_a_band_of_its_own(tmp_path, images):
    with_angle = np.concatenate([images, np.full((3, 1, 40, 64), 38, "float32")], axis=1)
    season = open_season(folder_of(tmp_path, with_angle, names=("VV", "VH", "angle")))
    assert cube.bands(season) == ("vh", "vv", "angle")
    assert float(season.angle.mean()) == 38


def test_masks_and_angles_of_products_are_passed_over(tmp_path, images):
    folder = tmp_path / "s"
    for day, image in zip(DAYS, images, strict=True):
        stem = f"OPERA_L2_RTC-S1_T137-292322-IW2_{day}T015906Z_20250830T120333Z_S1A_30_v1.0"
        for band, data in zip(("VV", "VH"), image, strict=True):
            write(folder / f"{stem}_{band}.tif", data[None], None, nodata=np.nan)
        write(folder / f"{stem}_mask.tif", np.ones((1, 40, 64), "uint8"), None, nodata=255)
    season = open_season(folder)
    assert season.vv.attrs["quantity"] == "gamma0"
    np.testing.assert_allclose(season.vh, images[:, 1])
    write(folder / "20180401_slope.tif", images[0, :1], None)
    with pytest.raises(SeasonError, match="'20180401_slope.tif' has 1 band.*no polar.*pattern="):
        open_season(folder)


def test_files_in_folders_of_their_dates(tmp_path, images):
    for day, image in zip(DAYS, images, strict=True):
        for band, data in zip(("vv", "vh"), image, strict=True):
            place = tmp_path / "s" / f"S1A_IW_GRDH_1SDV_{day}T053342_rtc" / "measurement"
            write(place / f"iw-{band}.rtc.tiff", data[None], None)
    season = open_season(tmp_path / "s", pattern="*.tiff")
    assert str(season.time.values[1])[:19] == "2018-05-01T05:33:42"
    np.testing.assert_allclose(season.vv, images[:, 0])


@pytest.mark.parametrize(
    "change, says",
    [
        (
            {"transform": from_origin(4e5, 5.8e6, 10, 10) @ rasterio.Affine.rotation(20)},
            "turned against its coordinate",
        ),
        ({"crs": "EPSG:2263"}, "EPSG:2263, whose unit is US survey foot"),
        ({"crs": "+proj=utm +zone=33 +units=km"}, "is in unknown, whose unit is kilometre"),
        ({"crs": None}, "'S1_20180401_VVVH.tif' has no coordinate reference system: set one"),
        ({"crs": "EPSG:4326", "transform": from_origin(14, 52, 1e-4, 1e-4)}, "EPSG:4326.*degrees"),
    ],
)
def test_grids_that_are_not_upright_metres_are_refused(tmp_path, images, change, says):
    with pytest.raises(SeasonError, match=says):
        open_season(folder_of(tmp_path, images, **change))


def test_an_image_in_radar_geometry_is_refused(tmp_path, images):
    corners = [
        rasterio.control.GroundControlPoint(row, column, 14 + column / 1e4, 52 - row / 1e4)
        for row, column in ((0, 0), (0, 63), (39, 0), (39, 63))
    ]
    for day, image in zip(DAYS, images, strict=True):
        path = tmp_path / "s" / f"{day}_VVVH.tif"
        write(path, image, crs=None, transform=rasterio.Affine.identity())
        with rasterio.open(path, "r+") as tif:
            tif.gcps = corners, "EPSG:4326"
    with pytest.raises(SeasonError, match="radar geometry .*no map grid.*geocode"):
        open_season(tmp_path / "s")


def test_a_spoilt_block_is_told_in_a_sentence(tmp_path, images):
    folder = folder_of(tmp_path, images)
    cube.save_season(open_season(folder), tmp_path / "packed")
    file = sorted((tmp_path / "packed").glob("*.tif"))[1]
    with rasterio.open(file) as tif:
        place = int(tif.get_tag_item("BLOCK_OFFSET_0_0", "TIFF", bidx=1))
    raw = bytearray(file.read_bytes())
    raw[place : place + 40] = b"x" * 40
    file.write_bytes(raw)
    with pytest.raises(SeasonError, match="'packed' cannot be read where it was looked.*damaged"):
        open_season(tmp_path / "packed")


def test_a_text_that_names_an_address_is_no_geotiff(tmp_path):
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "20180401_VV.tif").write_text(
        '<VRTDataset rasterXSize="9" rasterYSize="9"><VRTRasterBand dataType="Float32" band="1">'
        "<SimpleSource><SourceFilename>/vsicurl/http://127.0.0.1:9/x.tif</SourceFilename>"
        "</SimpleSource></VRTRasterBand></VRTDataset>"
    )
    with pytest.raises(SeasonError, match="cannot be read as GeoTIFF: it is another format"):
        open_season(tmp_path / "s")


# --------------------------------------------------------------------------------- stores of others


@pytest.fixture
def theirs(images):
    """A season as it leaves this library, to be written in the manners of others."""
    return xr.Dataset(
        {
            name: (("time", "y", "x"), images[:, number], {"units": "1"})
            for number, name in enumerate(POWER)
        },
        {
            "time": np.array(
                ["2018-04-01T05:33", "2018-05-01T05:33", "2018-06-01T05:33"], "M8[ns]"
            ),
            "y": 5.8e6 - 10.0 * np.arange(40) - 5,
            "x": 4e5 + 10.0 * np.arange(64) + 5,
        },
    )


CRS = rasterio.CRS.from_epsg(32633).to_wkt()


def write_openeo(data, path):
    """openEO: t, VV, VH, and a variable crs that no band names."""
    data = data.rename(time="t", vv="VV", vh="VH").drop_attrs(deep=True)
    data["crs"] = ((), b"", {"crs_wkt": CRS, "spatial_ref": CRS})
    data.to_netcdf(path, engine="h5netcdf")


def write_classic(data, path):
    data.rio.write_crs(CRS).to_netcdf(path, engine="scipy", format="NETCDF3_64BIT")


def write_packed(data, path):
    packing = {"dtype": "int16", "scale_factor": 1e-4, "_FillValue": -32768}
    data.rio.write_crs(CRS).to_netcdf(
        path, engine="h5netcdf", encoding=dict.fromkeys(POWER, packing)
    )


def write_snap(data, path):
    """SNAP: a stack as one variable a date and polarisation, the CRS as text of a variable."""
    single = {}
    for number, day in enumerate(("01Apr2018", "01May2018", "01Jun2018")):
        role = "mst" if number == 0 else f"slv{number}"
        for name in POWER:
            layer = data[name][number].drop_vars("time").drop_attrs()
            single[f"Sigma0_{name.upper()}_{role}_{day}"] = layer
    single["crs"] = xr.DataArray(0, attrs={"wkt": "", "spatial_ref": CRS})
    xr.Dataset(single).to_netcdf(path, engine="h5netcdf")


def write_bands(data, path):
    """One variable with a dimension of bands, as stackstac and rioxarray make it."""
    stack = data.to_dataarray("band").transpose("time", "band", "y", "x").drop_attrs()
    stack = stack.assign_coords(band=["VV", "VH"]).rename("backscatter")
    stack.to_dataset().assign_attrs({"proj:code": "EPSG:32633"}).to_netcdf(path, engine="h5netcdf")


def write_decibel(data, path):
    db = {name: decibel(data[name]).assign_attrs(units="dB") for name in POWER}
    data.assign(db).rio.write_crs(CRS).to_netcdf(path, engine="h5netcdf")


def write_turned(data, path):
    turned = data.transpose("y", "x", "time").rename(x="easting", y="northing", time="date")
    turned.assign_attrs(epsg=32633).to_netcdf(path, engine="h5netcdf")


def write_texts(data, path):
    days = [str(time)[:10] for time in data.time.values]
    data.assign_coords(time=days).rio.write_crs(CRS).to_netcdf(path, engine="h5netcdf")


def write_numbers(data, path):
    """Days as whole numbers, the last one first."""
    days = [int(str(time)[:10].replace("-", "")) for time in data.time.values]
    turned = data.assign_coords(time=days).isel(time=[2, 0, 1])
    turned.rio.write_crs(CRS).to_netcdf(path, engine="h5netcdf")


@pytest.mark.parametrize(
    "write_as",
    [
        write_texts,
        write_numbers,
        write_openeo,
        write_classic,
        write_packed,
        write_snap,
        write_bands,
        write_decibel,
        write_turned,
    ],
)
def test_files_of_others_open_as_the_same_season(tmp_path, theirs, write_as):
    write_as(theirs, tmp_path / "season.nc")
    season = open_season(tmp_path / "season.nc")
    assert season.rio.crs == rasterio.CRS.from_epsg(32633)
    np.testing.assert_array_equal(
        season.time.values.astype("M8[D]"), theirs.time.values.astype("M8[D]")
    )
    np.testing.assert_allclose(season.x, theirs.x)
    np.testing.assert_allclose(season.y, theirs.y)
    for name in POWER:
        assert season[name].dims == ("time", "y", "x")
        np.testing.assert_allclose(season[name], theirs[name], rtol=1e-4, atol=6e-5)
        again = saved(season, tmp_path / "again.zarr" if name == "vv" else tmp_path / "again.nc")
        np.testing.assert_allclose(again[name], season[name], rtol=1e-6)


def test_a_single_image_is_a_season_of_one_date(tmp_path, theirs):
    one = theirs.isel(time=1).assign(crop=(("y", "x"), np.ones((40, 64), "uint8")))
    one.rio.write_crs(CRS).to_netcdf(tmp_path / "s.nc", engine="h5netcdf")
    season = open_season(tmp_path / "s.nc")
    assert season.vv.shape == (1, 40, 64) and season.crop.shape == (40, 64)
    np.testing.assert_allclose(season.vv[0], theirs.vv[1])


@pytest.mark.parametrize("units", ["linear", "power", "", "m2 m-2", "m2/m2", "dimensionless"])
def test_words_for_linear_power(tmp_path, theirs, units):
    for name in POWER:
        theirs[name].attrs["units"] = units
    theirs.rio.write_crs(CRS).to_netcdf(tmp_path / "s.nc", engine="h5netcdf")
    np.testing.assert_allclose(open_season(tmp_path / "s.nc").vv, theirs.vv)


def test_units_that_are_none_of_backscatter_are_named(tmp_path, theirs):
    theirs.vv.attrs["units"] = "K"
    theirs.rio.write_crs(CRS).to_netcdf(tmp_path / "s.nc", engine="h5netcdf")
    with pytest.raises(SeasonError, match="'vv' is in K; expected linear power .*scale="):
        open_season(tmp_path / "s.nc")
    np.testing.assert_allclose(open_season(tmp_path / "s.nc", scale="power").vv, theirs.vv)


def test_numbers_of_gfmap_are_refused_with_the_remedy_and_open_with_it(tmp_path, theirs, images):
    file = tmp_path / "s.nc"
    numbers = (10 ** ((decibel(images) + 83) / 20)).round().astype("uint16").view("int16")
    numbers[0, 0, 0, 0] = -1  # 65535
    with h5netcdf.File(file, "w") as store:
        store.dimensions = {"t": 3, "y": 40, "x": 64}
        for number, name in enumerate(("S1-SIGMA0-VV", "S1-SIGMA0-VH")):
            store.create_variable(name, ("t", "y", "x"), data=numbers[:, number])
        time = store.create_variable("t", ("t",), data=np.array([10317, 10347, 10378]))
        time.attrs["units"] = "days since 1990-01-01"
        for axis in ("y", "x"):
            store.create_variable(axis, (axis,), data=theirs[axis].values)
        crs = store.create_variable("crs", (), data=np.int8(0))
        crs.attrs["crs_wkt"] = CRS
    with pytest.raises(SeasonError, match="'v[vh]' has type int16.*'gfmap'"):
        open_season(file)
    season = open_season(file, scale="gfmap")
    assert season.vv.attrs["quantity"] == "sigma0"
    assert np.isnan(season.vv[0, 0, 0])
    for kept in (season, *(saved(season, tmp_path / name) for name in ("a.nc", "a.zarr", "a"))):
        np.testing.assert_allclose(kept.vh, images[:, 1], rtol=0.02)  # 0.09 dB


def test_whole_numbers_with_a_fill_value_are_still_whole_numbers(tmp_path, theirs):
    stored = theirs.copy(deep=True)
    for name in POWER:
        stored[name].values = (np.sqrt(stored[name].values) * 4).round()
    encoding = {name: {"dtype": "int16", "_FillValue": -1} for name in POWER}
    stored.rio.write_crs(CRS).to_netcdf(tmp_path / "s.nc", engine="h5netcdf", encoding=encoding)
    with pytest.raises(SeasonError, match="'v[vh]' has type int16"):
        open_season(tmp_path / "s.nc")


def test_degrees_are_named_without_a_crs(tmp_path, theirs):
    place = {"lat": ("y", 52 - 1e-4 * np.arange(40)), "lon": ("x", 14 + 1e-4 * np.arange(64))}
    theirs = theirs.drop_vars(["x", "y"]).assign_coords(place).swap_dims(y="lat", x="lon")
    theirs.lon.attrs["units"] = "degrees_east"
    theirs.to_netcdf(tmp_path / "s.nc", engine="h5netcdf")
    with pytest.raises(SeasonError, match=r"EPSG:4326 \(degrees\); expected projected metres"):
        open_season(tmp_path / "s.nc")


def test_attributes_that_are_no_text_do_not_stop_the_reading(tmp_path, theirs):
    theirs.rio.write_crs(CRS).to_netcdf(tmp_path / "s.nc", engine="h5netcdf")
    with h5netcdf.File(tmp_path / "s.nc", "a") as store:
        store.variables["vv"].attrs["bounds"] = np.array([1.0, 2.0])
    np.testing.assert_allclose(open_season(tmp_path / "s.nc").vv, theirs.vv)


@pytest.mark.parametrize("content", [b"", b"CDF\x01 and no more", b"\x89HDF\r\n\x1a\n and no more"])
def test_files_that_are_no_netcdf_are_refused_in_a_sentence(tmp_path, content):
    (tmp_path / "s.nc").write_bytes(content)
    with pytest.raises(SeasonError, match=r"'s.nc' (is no NetCDF|cannot be read as NetCDF)"):
        open_season(tmp_path / "s.nc")


def test_two_variables_of_one_polarisation_are_not_guessed_between(tmp_path, theirs):
    theirs = theirs.rename(vv="Sigma0_VV").assign(Gamma0_VV=theirs.vv)
    theirs.rio.write_crs(CRS).to_netcdf(tmp_path / "s.nc", engine="h5netcdf")
    with pytest.raises(SeasonError, match=r"2 variables of VV \(Sigma0_VV, Gamma0_VV\): keep one"):
        open_season(tmp_path / "s.nc")


# ------------------------------------------------------------------------- classes nobody knows


@pytest.mark.parametrize(
    "dtype, nodata", [("uint8", 0), ("uint8", 255), ("int16", -99), ("float32", -9999)]
)
def test_declared_no_data_of_labels_is_unknown_everywhere(tmp_path, images, dtype, nodata):
    folder = folder_of(tmp_path, images)
    codes = np.full((1, 40, 64), nodata, dtype)
    codes[..., 20:40], codes[..., 40:] = 1, 2
    tags = {"flag_meanings": "Background Maize Wheat"}
    write(folder / "crop.tif", codes, None, nodata=nodata, tags=tags)
    season = open_season(folder)
    unknown = np.zeros((40, 64), bool)
    unknown[:, :20] = True
    np.testing.assert_array_equal(season.crop == cube.UNKNOWN, unknown)
    for path in ("again", "again.zarr", "again.nc"):
        again = open_season(cube.save_season(season, tmp_path / path))
        np.testing.assert_array_equal(again.crop, season.crop)
    crop = season.crop.values
    scaling = patches.fit_scaling(season)
    labels = patches.PatchDataset(season, np.array([[0, 0]]), 32, scaling)[0][1]
    assert (labels[:, :20] == patches.IGNORE).all() and (labels[:, 20:] == 1).all()
    forest = train.fit_forest(season, np.ones(crop.shape, bool), pixels=2000)
    mapped = predict.season_codes(forest, season)
    assert set(np.unique(mapped)) <= {1, 2}
    matrix = accuracy.error_matrix(np.ones(crop.shape, int), crop, 3)
    assert matrix.sum() == (~unknown).sum()
    parts = patches.block_split(crop.shape, 10, buffer=0, crop=crop)
    counts = patches.class_counts(parts, crop, cube.legend(season))
    assert list(counts.index) == ["Maize", "Wheat"]


def test_a_mask_in_the_file_declares_no_data_too(tmp_path, images):
    folder = folder_of(tmp_path, images)
    codes = np.ones((1, 40, 64), "uint8")
    write(folder / "crop.tif", codes, None, tags={"flag_meanings": "Background Maize"})
    mask = np.full((40, 64), 255, "uint8")
    mask[:, :20] = 0
    for file in folder.glob("*.tif"):
        with rasterio.open(file, "r+") as tif:
            tif.write_mask(mask)
    season = open_season(folder)
    assert np.isnan(season.vv[..., :20]).all() and not np.isnan(season.vv[..., 20:]).any()
    assert (season.crop[:, :20] == cube.UNKNOWN).all() and (season.crop[:, 20:] == 1).all()


def test_parcels_without_a_number_are_none(tmp_path, images):
    folder = folder_of(tmp_path, images)
    numbers = np.full((1, 40, 64), -9999, "int32")
    numbers[..., 20:] = 70_000
    write(folder / "parcel.tif", numbers, None, nodata=-9999)
    assert np.unique(open_season(folder).parcel).tolist() == [0, 70_000]


def test_an_image_of_colours_is_no_class_raster(tmp_path, images):
    folder = folder_of(tmp_path, images)
    write(folder / "crop.tif", np.zeros((3, 40, 64), "uint8"), None)
    with pytest.raises(SeasonError, match="'crop.tif' has 3 bands; expected one"):
        open_season(folder)


# ------------------------------------------------------------------------- metres and hectares


def test_metres_of_web_mercator_are_not_metres_on_the_ground(season):
    y = 6_900_000 - 10.0 * np.arange(48)  # 52.5 degrees north, where a metre is 0.61 m
    there = season.drop_vars("spatial_ref").assign_coords(y=y).rio.write_crs("EPSG:3857")
    assert cube.pixel_size(there) == pytest.approx(6.1, abs=0.05)
    assert cube.pixel_size(season) == 10
    assert cube.ground_area("EPSG:3857", 1.5e6, 6.9e6) == pytest.approx(0.371, abs=0.003)
    assert cube.ground_area("EPSG:32633", 4e5, 5.8e6) == 1
