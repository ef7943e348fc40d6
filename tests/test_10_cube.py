"""The season cube: the same data back from every format, and one clear sentence for everything that
is not a season.
"""

import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import rasterio
import xarray as xr

from stma_nb import cube, radar
from stma_nb.cube import SeasonError, check_season, open_season, save_season


@pytest.mark.parametrize("name", ["season.zarr", "season.nc", "season"])
def test_every_format_gives_the_season_back(season, tmp_path, name):
    back = open_season(save_season(season, tmp_path / name))
    assert back.vv.chunks is not None, "opened lazily"
    assert cube.bands(back) == ("vh", "vv")
    for band in cube.bands(back):
        # GeoTIFFs drop mantissa bits: at most 0.07 dB, far below speckle.
        np.testing.assert_allclose(
            radar.to_db(back[band]),
            radar.to_db(season[band]),
            atol=0.07 if name == "season" else 1e-5,
        )
        assert back[band].dtype == np.float32
    np.testing.assert_array_equal(back.time, season.time)
    np.testing.assert_allclose(back.x, season.x)
    np.testing.assert_allclose(back.y, season.y)
    np.testing.assert_array_equal(back.crop, season.crop)
    np.testing.assert_array_equal(back.parcel, season.parcel)
    assert back.rio.crs == season.rio.crs
    assert cube.legend(back) == cube.legend(season)


def write_opera_like(folder, season, polarisations=("VV", "VH")):
    """One file per date and polarisation, two times in the name, as NASA's OPERA RTC product has
    them.
    """
    folder.mkdir()
    for date in season.time.values:
        stamp = np.datetime_as_string(date, "s").replace("-", "").replace(":", "")
        for name in polarisations:
            burst, made = "T137-292322-IW2", "20250228T045856Z"
            file = folder / f"OPERA_L2_RTC-S1_{burst}_{stamp}Z_{made}_S1A_30_v1.0_{name}.tif"
            season[name.lower()].sel(time=date).rio.to_raster(file)


def test_one_file_per_date_and_polarisation(season, tmp_path):
    write_opera_like(tmp_path / "opera", season)
    back = open_season(tmp_path / "opera")
    np.testing.assert_array_equal(back.time, season.time)
    np.testing.assert_allclose(back.vh, season.vh)
    np.testing.assert_allclose(back.vv, season.vv)


def test_date_and_polarisation_from_tags(season, tmp_path):
    (tmp_path / "tagged").mkdir()
    for i, date in enumerate(season.time.values):
        with rasterio.open(
            tmp_path / "tagged" / f"image{i}.tif",
            "w",
            **cube.geotiff_profile(season),
            count=2,
            dtype="float32",
        ) as tif:
            for band, name in enumerate(("vh", "vv"), start=1):
                tif.write(season[name].values[i], band)
                tif.set_band_description(band, f"Gamma0_{name.upper()}")
            tif.update_tags(ACQUISITION_TIME=str(date))
    back = open_season(tmp_path / "tagged")
    np.testing.assert_array_equal(back.time, season.time)
    np.testing.assert_allclose(back.vh, season.vh)


def test_label_geotiff_carries_colours_and_names(season, tmp_path):
    save_season(season, tmp_path / "season")
    with rasterio.open(tmp_path / "season" / "crop.tif") as tif:
        assert tif.colormap(1)[1][:3] == (0xD5, 0x5E, 0x00)
        assert tif.tags()["flag_meanings"].split()[2] == "Sugar_beet"
    assert "<Category>Sugar beet</Category>" in (
        tmp_path / "season" / "crop.tif.aux.xml"
    ).read_text(encoding="utf-8")


def broken(season: xr.Dataset, how: str) -> xr.Dataset:
    season = season.copy(deep=True)
    match how:
        case "no band":
            return season.drop_vars(["vv", "vh"])
        case "transposed":
            return season.transpose("y", "x", "time")
        case "integers":
            return season.assign(vv=(season.vv * 1000).astype("uint16"))
        case "unsorted":
            return season.isel(time=[1, 0, 2, 3, 4])
        case "repeated":
            return season.isel(time=[0, 1, 1, 2, 3])
        case "missing date":
            return season.assign_coords(
                time=np.where(np.arange(5) == 3, np.datetime64("NaT"), season.time)
            )
        case "dB by values":
            return season.assign(vh=radar.to_db(season.vh).assign_attrs(units="1"))
        case "all NaN":
            return season.assign(vv=season.vv * np.nan)
        case "no CRS":
            return season.drop_vars("spatial_ref")
        case "degrees":
            return season.drop_vars("spatial_ref").rio.write_crs("EPSG:4326")
        case "class code":
            return season.assign(
                crop=season.crop.where(season.parcel != 3, 7)
                .astype("uint8")
                .assign_attrs(season.crop.attrs)
            )
        case "colours":
            return season.assign(crop=season.crop.assign_attrs(flag_colors="#dddddd #d55e00"))
        case "uneven grid":
            return season.isel(x=[*range(30), *range(31, 64)])


@pytest.mark.parametrize(
    "how, says",
    [
        ("no band", r"no band; found \['crop', 'parcel'\], expected 'vv' and 'vh', or other"),
        ("transposed", r"dimensions \('y', 'x', 'time'\).*transpose"),
        ("integers", "type uint16.*calibrate"),
        ("unsorted", "not in order.*2018-04-01.*sortby"),
        ("repeated", "2018-05-01 occurs twice"),
        ("missing date", "Acquisition 4 of 5 has no date"),
        ("dB by values", "'vh' of 2018-04-01 has a median of -1.*looks like dB"),
        ("all NaN", "'vv' holds no data"),
        ("no CRS", "no coordinate reference system.*write_crs"),
        ("degrees", "EPSG:4326.*projected metres"),
        ("class code", r"Class code 7 is outside the legend \(0 .. 2\)"),
        ("colours", "3 names and 2 colours"),
        ("uneven grid", "'x' coordinates are not evenly spaced"),
    ],
)
def test_the_first_thing_wrong_is_named(season, how, says):
    check_season(season)
    with pytest.raises(SeasonError, match=says):
        check_season(broken(season, how))


def test_a_bad_season_is_not_saved_and_an_existing_one_not_lost(season, tmp_path):
    with pytest.raises(SeasonError):
        save_season(broken(season, "all NaN"), tmp_path / "bad.zarr")
    assert not list(tmp_path.iterdir())
    (tmp_path / "mine.nc").write_text("precious")
    with pytest.raises(FileExistsError, match="left as it is"):
        save_season(season, tmp_path / "mine.nc")
    assert (tmp_path / "mine.nc").read_text(encoding="utf-8") == "precious"
    with pytest.raises(FileExistsError, match="mine.nc' is no such season and is left as it is"):
        save_season(season, tmp_path / "mine.nc", overwrite=True)
    assert (tmp_path / "mine.nc").read_text(encoding="utf-8") == "precious"


def test_two_grids_in_one_folder(season, tmp_path):
    write_opera_like(tmp_path / "stack", season)
    other = season.isel(time=[0]).assign_coords(
        x=season.x + 3000, time=[np.datetime64("2018-09-01", "ns")]
    )
    other.vv[0].rio.to_raster(tmp_path / "stack" / "T2_20180901_VV.tif")
    with pytest.raises(SeasonError, match=r"T2_20180901_VV.tif.*different grids.*pattern="):
        open_season(tmp_path / "stack")
    assert open_season(tmp_path / "stack", pattern="OPERA*").sizes["time"] == 5
    (tmp_path / "stack" / "T2_20180901_VV.tif").unlink()
    other = season.isel(time=0).drop_vars("spatial_ref").rio.write_crs("EPSG:32632")
    other.vv.rio.to_raster(tmp_path / "stack" / "T2_20180901_VV.tif")
    with pytest.raises(SeasonError, match="CRS EPSG:32632 against EPSG:32633"):
        open_season(tmp_path / "stack")


@pytest.mark.parametrize("keep", [0.02, 0.5, 0.95])
def test_truncated_geotiff_is_noticed_when_opened(season, tmp_path, keep):
    save_season(season, tmp_path / "season")
    file = sorted((tmp_path / "season").glob("*_VVVH.tif"))[2]
    file.write_bytes(file.read_bytes()[: int(keep * file.stat().st_size)])
    with pytest.raises(SeasonError, match=f"'{file.name}' .*truncated"):
        open_season(tmp_path / "season")


def test_truncated_netcdf(season, tmp_path):
    path = save_season(season, tmp_path / "season.nc")
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(SeasonError, match="damaged or truncated"):
        open_season(path)


def test_folder_problems_are_named(season, tmp_path):
    with pytest.raises(FileNotFoundError, match="no season at"):
        open_season(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SeasonError, match="No GeoTIFF of backscatter in"):
        open_season(tmp_path / "empty")
    write_opera_like(tmp_path / "half", season, polarisations=("VV", "VH"))
    sorted((tmp_path / "half").glob("*VH.tif"))[1].unlink()
    with pytest.raises(SeasonError, match="2018-05-01T16:50:00 has VV but no VH: every date"):
        open_season(tmp_path / "half")
    save_season(season, tmp_path / "nameless")
    first = sorted((tmp_path / "nameless").glob("*_VVVH.tif"))[0]
    with rasterio.open(first, "r+") as tif:
        tif.update_tags(ACQUISITION_TIME="")
    first.rename(first.with_name("image.tif"))
    with pytest.raises(SeasonError, match="No date in the name or tags of 'image.tif'"):
        open_season(tmp_path / "nameless")
    (tmp_path / "unnamed").mkdir()
    with rasterio.open(
        tmp_path / "unnamed" / "20180401.tif",
        "w",
        **cube.geotiff_profile(season),
        count=2,
        dtype="float32",
    ) as tif:
        tif.write(np.ones((2, 48, 64), "float32"))
    with pytest.raises(SeasonError, match=r"'20180401.tif' has 2 band\(s\).*no polarisation"):
        open_season(tmp_path / "unnamed")


def test_decibels(season):
    np.testing.assert_allclose(radar.from_db(radar.to_db(season.vv)), season.vv, rtol=1e-6)
    assert radar.to_db(season.vv).attrs["units"] == "dB"
    assert np.isnan(radar.to_db(np.array([0.0, -1.0, np.nan]))).all()
    with pytest.raises(ValueError, match="units 'dB'; expected '1'"):
        radar.to_db(radar.to_db(season.vv))
    with pytest.raises(ValueError, match="units '1'; expected 'dB'"):
        radar.from_db(season.vv)


def test_labels_without_a_legend_can_be_opened_and_given_one(season, tmp_path):
    save_season(season, tmp_path / "season")
    with rasterio.open(tmp_path / "season" / "crop.tif", "r+") as tif:
        tif.update_tags(flag_meanings="", flag_colors="")
    (tmp_path / "season" / "crop.tif.aux.xml").unlink()
    with rasterio.open(tmp_path / "season" / "crop.tif") as tif:
        profile, codes = tif.profile, tif.read(1)
    with rasterio.open(tmp_path / "season" / "crop.tif", "w", **profile) as tif:
        tif.write(codes, 1)
    back = open_season(tmp_path / "season")
    with pytest.raises(SeasonError, match="has no legend.*flag_meanings"):
        cube.legend(back)
    back.crop.attrs.update(cube.flags(cube.legend(season)))
    assert cube.legend(check_season(back)) == cube.legend(season)


def test_overwriting_a_folder_of_other_things_is_refused(season, tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.txt").write_text("years of work")
    with pytest.raises(FileExistsError, match="other files than a season's"):
        save_season(season, tmp_path / "precious", overwrite=True)
    assert (tmp_path / "precious" / "thesis.txt").exists()
    for name in ("season", "season.zarr", "season.nc"):
        save_season(season, tmp_path / name)
        save_season(season.isel(time=slice(3)), tmp_path / name, overwrite=True)
        assert open_season(tmp_path / name).sizes["time"] == 3
    names = ["precious", "season", "season.nc", "season.zarr"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names, "nothing lies beside them"


@pytest.mark.parametrize(
    "name, foreign",
    [
        ("season", "elevation.tif"),
        ("season", "20180401T165000_VVVH.tif.txt"),
        ("season.zarr", "thesis.txt"),
        ("season.zarr", "vv/notes.txt"),
        ("season.zarr", "figures/1"),
        ("season.zarr", ".git/0"),
    ],
)
def test_a_season_with_a_file_of_anybody_else_in_it_is_not_replaced(
    season, tmp_path, name, foreign
):
    file = save_season(season, tmp_path / name) / foreign
    file.parent.mkdir(exist_ok=True)
    file.write_text("years of work")
    with pytest.raises(FileExistsError, match="other files than a season's"):
        save_season(season, tmp_path / name, overwrite=True)
    assert file.read_text() == "years of work"


def test_a_marked_folder_alone_is_no_season(season, tmp_path):
    for name in ("project", "project.zarr"):
        (tmp_path / name).mkdir()
        (tmp_path / name / ".zgroup").write_text("{}")
        with pytest.raises(FileExistsError, match="other files than a season's"):
            save_season(season, tmp_path / name, overwrite=True)


def test_a_link_to_a_season_leads_to_the_new_one(season, tmp_path):
    (tmp_path / "disk").mkdir()
    for name in ("season.zarr", "season.nc", "season"):
        save_season(season, tmp_path / "disk" / f"of_{name}")
        (tmp_path / name).symlink_to(tmp_path / "disk" / f"of_{name}")
        save_season(season.isel(time=slice(3)), tmp_path / name, overwrite=True)
        assert (tmp_path / name).is_symlink()
        assert open_season(tmp_path / "disk" / f"of_{name}").sizes["time"] == 3


def test_a_season_that_cannot_be_written_leaves_nothing_and_the_old_one(season, tmp_path):
    path = save_season(season, tmp_path / "season.zarr")
    spoilt = season.chunk(time=1)
    spoilt["vv"] = spoilt.vv.copy(
        data=spoilt.vv.data.map_blocks(
            lambda block: 1 / 0, dtype="float32", meta=np.zeros((0, 0, 0))
        )
    )
    with pytest.raises((ZeroDivisionError, SeasonError)):
        save_season(spoilt, path, overwrite=True)
    assert [file.name for file in tmp_path.iterdir()] == ["season.zarr"]
    assert open_season(path).sizes["time"] == 5


def test_a_full_disk_is_said_before_netcdf_is_written(season, tmp_path, monkeypatch):
    """HDF5 ends the whole process when the disk is full, without a word of ours."""
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=1e5))
    with pytest.raises(OSError, match=r"has 0.1 MB free and 0.1 MB are needed: make room"):
        save_season(season, tmp_path / "season.nc")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["Maize\x1b[2J", "Ma\x00ize", "Maize\x07"])
def test_control_characters_are_no_part_of_a_name(name):
    with pytest.raises(SeasonError, match="holds a control character"):
        cube.make_legend(["Background", name], ["#dddddd", "#d55e00"])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_legend_may_come_from_a_spreadsheet(tmp_path, encoding):
    (tmp_path / "legend.csv").write_bytes("code,name\n0,Maïs\n1,Blé\n".encode(encoding))
    found = cube.read_legend(tmp_path / "legend.csv")
    assert [crop.name for crop in found] == ["Maïs", "Blé"]


def test_a_legend_in_an_unknown_encoding_is_named(tmp_path):
    (tmp_path / "legend.csv").write_bytes("code,name\n0,Maïs\n".encode("latin-1"))
    with pytest.raises(ValueError, match=r"legend.csv' is no text in UTF-8 \(byte 14\): save it"):
        cube.read_legend(tmp_path / "legend.csv")


@pytest.mark.parametrize(
    "stem, time",
    [
        ("s1a-iw-grd-vv-20180105t055012-20180105t055037-020018-0221b4", "2018-01-05T05:50:12"),
        ("T33_20001399_20180101_x", "2018-01-01T00:00:00"),
        ("S1_2018-03-02_asc", "2018-03-02T00:00:00"),
        ("S1A_IW_20180302T165012Z", "2018-03-02T16:50:12"),
    ],
)
def test_dates_in_file_names(season, tmp_path, stem, time):
    folder = tmp_path / "stack"
    save_season(season.isel(time=[0, 1]), folder)
    first, second = sorted(folder.glob("*_VVVH.tif"))
    with rasterio.open(first, "r+") as tif:
        tif.update_tags(ACQUISITION_TIME="")
    first.rename(folder / f"{stem}.TIF")
    second.rename(folder / "20300101.tif")
    assert str(open_season(folder).time.values[0])[:19] == time


@pytest.mark.parametrize("values", [257, 1.7, -1])
def test_codes_that_storing_would_change_are_refused(season, tmp_path, values):
    folder = cube.save_season(season, tmp_path / "season")
    layer = season.crop.astype("int32" if isinstance(values, int) else "float32")
    layer.values[3, 4] = values
    layer.drop_attrs().rio.write_crs(season.rio.crs).rio.to_raster(folder / "crop.tif")
    with pytest.raises(
        cube.SeasonError, match=r"'crop.tif' holds .*; expected whole numbers from 0 to 255: recode"
    ):
        cube.open_season(folder)


def test_a_subset_of_a_season_keeps_its_place(season, tmp_path):
    opened = cube.open_season(cube.save_season(season, tmp_path / "season"))
    for part in (
        opened.isel(y=slice(8, None), x=slice(16, None)),
        opened.isel(y=slice(None, None, 2), x=slice(None, None, 2)),
    ):
        transform = cube.geotiff_profile(part)["transform"]
        step = float(part.x[1] - part.x[0])
        assert transform.a == pytest.approx(step) and transform.e == pytest.approx(-step)
        assert transform * (0.5, 0.5) == pytest.approx((float(part.x[0]), float(part.y[0])))


# ------------------------------------------------------------------------- other bands than VV, VH


@pytest.fixture
def many_bands(season):
    """VV and VH, their ratio, and an optical band in its own units."""
    ratio = (season.vh / season.vv).assign_attrs(units="1")
    red = (0.1 + season.vv * 0).assign_attrs(units="reflectance")
    return season.assign(ratio=ratio.astype("float32"), red=red.astype("float32"))


@pytest.mark.parametrize("name", ["season.zarr", "season.nc", "season"])
def test_every_band_comes_back_with_its_units(many_bands, tmp_path, name):
    many_bands.vv.attrs["quantity"] = "gamma0"
    back = open_season(save_season(many_bands, tmp_path / name))
    assert cube.bands(back) == ("vh", "vv", "ratio", "red")
    for band in cube.bands(back):
        np.testing.assert_allclose(back[band], many_bands[band], rtol=0.02)
        assert back[band].attrs["units"] == many_bands[band].attrs["units"]
    assert cube.quantity(back) == "gamma0"


@pytest.mark.parametrize("names", [("vv",), ("hh", "hv")])
def test_seasons_of_other_polarisations(season, tmp_path, names):
    other = season.drop_vars(["vv", "vh"]).assign(
        {name: season[old] for name, old in zip(names, ("vv", "vh"), strict=False)}
    )
    write_opera_like(tmp_path / "stack", other, [name.upper() for name in names])
    back = open_season(tmp_path / "stack")
    assert set(cube.bands(back)) == set(names)
    again = open_season(save_season(back, tmp_path / "again"))
    np.testing.assert_allclose(again[names[0]], season.vv, rtol=0.02)
    with pytest.raises(SeasonError, match=f"'{names[0]}' is in dB.*radar.from_db"):
        cube.check_layout(back.assign({names[0]: radar.to_db(back[names[0]])}))


def test_a_band_without_units_is_linear_power_and_says_so_once_checked(season):
    for name in ("vv", "vh"):
        season[name].attrs = {}
    checked = check_season(season)
    assert checked.vv.attrs["units"] == "1" and checked.vh.attrs["units"] == "1"
    assert season.vv.attrs == {}, "the season that was given is left as it is"
    assert radar.to_db(checked.vv).attrs["units"] == "dB"


def test_pixel_size(season):
    assert (
        cube.pixel_size(season.isel(x=[3])) == 10
        and cube.pixel_size(season.isel(x=[3], y=[1])) is None
    )
    assert cube.pixel_size(season) == 10
    every_second = slice(None, None, 2)
    assert cube.pixel_size(season.isel(x=every_second, y=every_second)) == 20
    oblong = cube.pixel_size(season.isel(x=every_second))  # the side of a square of their area
    assert oblong**2 == pytest.approx(200)


# ------------------------------------------------------------------------------------------ legends


ODD = (
    cube.Crop("winter_wheat", "#f0e442"),
    cube.Crop("Rice, irrigated", "#009e73"),
    cube.Crop("Sugar beet", "#0072b2", background=True),
)


@pytest.mark.parametrize("name", ["season.zarr", "season.nc", "season"])
def test_names_and_background_come_back_as_they_were_given(season, tmp_path, name):
    season["crop"] = season.crop.copy().assign_attrs(cube.flags(ODD))
    back = cube.legend(open_season(save_season(season, tmp_path / name)))
    assert [crop.name for crop in back] == ["winter_wheat", "Rice, irrigated", "Sugar beet"]
    assert [crop.colour for crop in back] == [crop.colour for crop in ODD]
    assert cube.background(back) == 2
    assert cube.legend(season.assign(crop=season.crop.assign_attrs(cube.flags(back)))) == back


def test_flag_meanings_of_others_have_blanks_where_they_have_underscores(season):
    season["crop"] = season.crop.drop_attrs().assign_attrs(flag_meanings="Rice Sugar_beet Tea")
    crops = cube.legend(season)
    assert [crop.name for crop in crops] == ["Rice", "Sugar beet", "Tea"]
    assert cube.background(crops) is None, "a legend without a background has none"


def test_which_class_is_background():
    grey, green = ("Background", "#dddddd"), ("Rice", "#009e73")
    assert cube.background((cube.Crop(*green), cube.Crop(*grey))) == 1, "told by its name"
    assert cube.background((cube.Crop(*grey, background=False), cube.Crop(*green))) is None
    assert cube.background((cube.Crop(*grey), cube.Crop(*green, background=True))) == 1
    with pytest.raises(SeasonError, match="marks Rice and Tea as background: mark one"):
        cube.background([cube.Crop(name, "#dddddd", True) for name in ("Rice", "Tea")])


@pytest.mark.parametrize(
    "attrs, says",
    [
        ({"background": "Urban"}, r"background is 'Urban', which is none of .*\(Background, Maize"),
        ({"flag_colors": "#dddddd red #0072b2"}, "colour of 'Maize' is 'red'; expected six hex"),
        ({"class_names": '["A", "B", "A"]'}, "names 'A' twice"),
        ({"class_names": '["A", " ", "B"]'}, "a class without a name"),
        ({"class_names": "A B C"}, "class_names is 'A B C'; expected a JSON list"),
    ],
)
def test_a_legend_that_contradicts_itself_is_refused(season, attrs, says):
    season["crop"] = season.crop.assign_attrs(attrs)
    with pytest.raises(SeasonError, match=says):
        cube.legend(season)


def test_in_what_two_legends_differ_is_said():
    crops = (cube.Crop("Background", "#dddddd"), cube.Crop("Rice", "#009e73"))
    assert cube.same_classes(crops, [cube.Crop(crop.name, "#000000") for crop in crops]) == ""
    assert cube.same_classes(crops, crops[:1]) == "2 classes against 1"
    other = (crops[0], cube.Crop("Tea", "#009e73"))
    assert cube.same_classes(crops, other) == "code 1 is Rice against Tea"
    marked = (crops[0], cube.Crop("Rice", "#009e73", background=True))
    assert cube.same_classes(crops, marked) == "the background is Background against Rice"
    none = (cube.Crop("Background", "#dddddd", background=False), crops[1])
    assert cube.same_classes(none, crops) == "the background is none against Background"


def test_a_legend_from_a_table(tmp_path):
    table = tmp_path / "legend.csv"
    table.write_text('code,name,colour,background\n1,"Rice, wet",#009e73,\n0,Woods,#dddddd,yes\n')
    crops = cube.read_legend(table)
    assert [crop.name for crop in crops] == ["Woods", "Rice, wet"] and crops[1].colour == "#009e73"
    assert cube.background(crops) == 0
    table.write_text("code,name\n0,Woods\n1,Rice\n")
    assert cube.background(cube.read_legend(table)) is None
    for text, says in (
        ("a,b\n0,1\n", "has the columns a, b; expected code and name"),
        ("code,name\n3,Rice\n1,Tea\n", "codes 3, 1; expected 0 .. 1"),
        ("code,name,background\n0,A,1\n1,B,1\n", "marks A and B as background"),
    ):
        table.write_text(text)
        with pytest.raises(SeasonError, match=says):
            cube.read_legend(table)
    with pytest.raises(FileNotFoundError, match="no legend at"):
        cube.read_legend(tmp_path / "none.csv")


@pytest.mark.parametrize(
    "crops", [cube.BRANDENBURG, ODD, (cube.Crop("Background", "#dddddd", False),)]
)
def test_a_legend_equals_itself_after_a_trip_through_attributes(season, crops):
    season["crop"] = season.crop.drop_attrs().assign_attrs(cube.flags(crops))
    assert cube.legend(season) == crops


def test_a_chunk_of_labels_that_is_lost_is_unknown_and_not_the_first_class(season, tmp_path):
    wide = season.isel(x=np.arange(320) % 64).assign_coords(x=400_005.0 + 10 * np.arange(320))
    wide["crop"] = wide.crop.copy(data=np.zeros(wide.crop.shape, "uint8"))
    path = save_season(wide, tmp_path / "season.zarr")
    assert (open_season(path).crop == 0).all(), "what is the first class is stored as such"
    (path / "crop" / "0.1").unlink()
    crop = open_season(path).crop
    assert crop.dtype == "uint8" and (crop[:, :256] == 0).all()
    assert (crop[:, 256:] == cube.UNKNOWN).all()
