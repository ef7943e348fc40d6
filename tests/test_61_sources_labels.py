"""Labels from polygons, on layers that the tests write and the small season of conftest (64 x 48
pixels of 10 m).
"""

import re
import sqlite3
import zipfile

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from shapely.geometry import (
    GeometryCollection,
    LineString,
    MultiPolygon,
    Point,
    Polygon,
    box,
)

from stma_nb import cube
from stma_nb.__main__ import main
from stma_nb.sources.labels import rasterise, read_mapping

LEFT, TOP = 400_000, 5_800_000


def field(west, north, east, south):
    """A rectangle in pixels from the season's upper left corner."""
    return box(LEFT + 10 * west, TOP - 10 * south, LEFT + 10 * east, TOP - 10 * north)


def layer(*fields, plant=("Maize", "Wheat", "Maize"), crs="EPSG:32633"):
    return gpd.GeoDataFrame({"plant": list(plant[: len(fields)])}, geometry=list(fields), crs=crs)


TWO = layer(field(2, 3, 12, 8), field(20, 10, 40, 30))


def test_pixels_get_the_crop_and_number_of_the_polygon_that_holds_their_centre(season):
    labelled = cube.check_season(rasterise(TWO, season, "plant"))
    parcel = np.zeros((48, 64), int)
    parcel[3:8, 2:12], parcel[10:30, 20:40] = 1, 2
    assert np.array_equal(labelled.parcel, parcel) and labelled.parcel.dtype == "int32"
    assert [crop.name for crop in cube.legend(labelled)] == ["Background", "Maize", "Wheat"]
    assert (
        np.array_equal(labelled.crop, parcel) and labelled.crop.dtype == "uint8"
    )  # here codes and numbers coincide
    assert labelled.vv.equals(season.vv) and "comment" not in labelled.parcel.attrs
    half = rasterise(layer(field(2.6, 3, 12.4, 8)), season, "plant")  # centres lie at .5
    assert int(half.parcel.sum()) == 9 * 5


@pytest.mark.parametrize(
    ("name", "crs"),
    [("fields.gpkg", "EPSG:3035"), ("fields.geojson", "EPSG:4326"), ("fields.shp", "EPSG:32632")],
)
def test_files_of_any_crs_give_the_same_labels(season, tmp_path, name, crs):
    TWO.to_crs(crs).to_file(tmp_path / name)
    here, there = rasterise(TWO, season, "plant"), rasterise(tmp_path / name, season, "plant")
    assert (
        here.parcel != there.parcel
    ).sum() <= 4  # straight lines in one CRS bend a little in another
    assert (here.crop != there.crop).sum() <= 4
    assert rasterise(str(tmp_path / name), season, "plant").equals(there)


def test_a_legend_and_a_mapping_name_the_classes(season):
    fields = layer(
        field(2, 3, 12, 8), field(20, 10, 40, 30), field(50, 1, 60, 5), plant=[115, 401, 115]
    )
    labelled = rasterise(
        fields, season, "plant", cube.BRANDENBURG, {115: "Wheat", 401: "Sugar beet"}
    )
    assert set(np.unique(labelled.crop)) == {0, 2, 14}
    assert cube.legend(labelled) == cube.BRANDENBURG
    out = rasterise(fields, season, "plant", mapping={115: "Background", 401: "Beet"})
    assert [crop.name for crop in cube.legend(out)] == ["Background", "Beet"]
    assert (
        np.array_equal(np.unique(out.parcel), [0, 1, 2, 3])
        and (out.crop.values[out.parcel.values == 1] == 0).all()
    )


def test_names_without_a_class_are_listed(season):
    fields = layer(
        field(2, 3, 12, 8),
        field(20, 10, 40, 30),
        field(50, 1, 60, 5),
        plant=["Maize", "Spelt", None],
    )
    with pytest.raises(
        cube.SeasonError,
        match=r"1 crop names have no class: .*\(1 polygons\); map each to one of Background; Maize",
    ):
        rasterise(fields, season, "plant")
    with pytest.raises(
        cube.SeasonError, match=r"2 crop names have no class: .*Spelt \(1 polygons\).* Sugar beet"
    ):
        rasterise(fields, season, "plant", cube.BRANDENBURG)
    many = layer(*[field(2, 3, 12, 8)] * 300, plant=[f"crop {i}" for i in range(300)])
    with pytest.raises(cube.SeasonError, match="300 names; expected at most 254"):
        rasterise(many, season, "plant")


def test_border_pixels_can_be_left_out(season):
    neighbours = layer(field(2.3, 3.3, 12.5, 8.7), field(12.5, 3.3, 20.7, 8.7))
    kept, dropped = (rasterise(neighbours, season, "plant", edge=edge) for edge in ("keep", "drop"))
    inside = np.zeros((48, 64), int)
    inside[4:8, 3:12], inside[4:8, 13:20] = 1, 2  # pixels that lie in one field as a whole
    assert np.array_equal(dropped.parcel, inside)
    border = (kept.parcel > 0) & (inside == 0)
    assert np.array_equal(dropped.crop, np.where(border, cube.UNKNOWN, inside))
    assert int((kept.parcel > 0).sum()) > int((inside > 0).sum())
    assert "pixels on borders left out" in dropped.parcel.attrs["comment"]


def test_land_in_no_polygon_can_be_unknown(season):
    some = layer(field(2, 3, 12, 8))
    declared, surveyed = (
        rasterise(some, season, "plant", outside=outside).crop
        for outside in ("background", "unknown")
    )
    assert set(np.unique(declared)) == {0, 1}
    assert np.array_equal(surveyed, np.where(declared == 0, cube.UNKNOWN, declared))


def test_one_class_for_every_name_needs_a_table(season):
    with pytest.raises(cube.SeasonError, match="rest is 'Other' without a table of names"):
        rasterise(TWO, season, "plant", rest="Other")


def test_no_border_crosses_a_pixel_that_is_kept(season):
    slanted = Polygon(
        [(LEFT + x * 10, TOP - y * 10) for x, y in ((3.3, 2.2), (50.7, 14.9), (21.4, 41.1))]
    )
    parcel = rasterise(layer(slanted), season, "plant", edge="drop").parcel.values
    whole = [
        [slanted.covers(field(column, row, column + 1, row + 1)) for column in range(64)]
        for row in range(48)
    ]
    assert np.array_equal(parcel > 0, whole)


def test_overlaps_are_refused_or_go_to_the_first(season):
    fields = layer(field(2, 3, 12, 8), field(20, 10, 40, 30), field(38, 28, 45, 40))
    with pytest.raises(
        cube.SeasonError,
        match="4 pixels lie in several polygons, such as rows 2 and 3: mend the layer",
    ):
        rasterise(fields, season, "plant")
    first = rasterise(fields, season, "plant", overlap="first")
    assert (first.parcel[28:30, 38:40] == 2).all()
    assert (
        "4 pixels lie in several polygons, such as rows 2 and 3; the first got them"
        in first.parcel.attrs["comment"]
    )
    rasterise(
        layer(field(2, 3, 12.01, 8), field(12, 3, 20, 8)), season, "plant"
    )  # slivers without a pixel are no overlap


def test_polygons_that_are_small_outside_or_crossed_are_dealt_with(season):
    tiny, outside = field(30.1, 40.1, 30.3, 40.3), field(-50, -50, -40, -40)
    bowtie = Polygon(
        [(LEFT + x * 10, TOP - y * 10) for x, y in ((2, 20), (12, 30), (12, 20), (2, 30))]
    )
    labelled = rasterise(
        layer(tiny, outside, bowtie, plant=["Pea", "Rye", "Maize"]), season, "plant", edge="drop"
    )
    assert set(np.unique(labelled.parcel)) == {0, 3}  # a polygon keeps its row's number
    assert "1 polygons hold no pixel" in labelled.parcel.attrs["comment"]
    with pytest.raises(cube.SeasonError, match="No polygon holds a pixel"):
        rasterise(layer(tiny), season, "plant")


def test_what_does_not_fit_is_refused(season, tmp_path):
    with pytest.raises(
        cube.SeasonError, match=r"no coordinate reference system: say which \(crs, --labels-crs\)"
    ):
        rasterise(TWO.set_crs(None, allow_override=True), season, "plant")
    with pytest.raises(cube.SeasonError, match="no column 'crop'; found plant"):
        rasterise(TWO, season, "crop")
    with pytest.raises(
        cube.SeasonError,
        match="None of the 2 polygons lies in the season: they cover 5.*EPSG:32633",
    ):
        rasterise(TWO.translate(100_000).to_frame("geometry").assign(plant="Rye"), season, "plant")
    with pytest.raises(cube.SeasonError, match="holds LineString; expected polygons"):
        rasterise(layer(LineString([(LEFT, TOP), (LEFT + 50, TOP - 50)])), season, "plant")
    flat = Polygon([(LEFT, TOP - 10), (LEFT + 50, TOP - 10), (LEFT + 100, TOP - 10)])
    with pytest.raises(cube.SeasonError, match="holds polygons without an area"):
        rasterise(layer(flat), season, "plant")
    with pytest.raises(cube.SeasonError, match="The layer is empty"):
        rasterise(TWO[:0], season, "plant")
    with pytest.raises(cube.SeasonError, match="has coordinates that are numbers"):
        rasterise(layer(Polygon()), season, "plant")
    with pytest.raises(cube.SeasonError, match="edge is 'cut'; expected 'keep' or 'drop'"):
        rasterise(TWO, season, "plant", edge="cut")
    with pytest.raises(cube.SeasonError, match="overlap is 'last'; expected 'refuse' or 'first'"):
        rasterise(TWO, season, "plant", overlap="last")
    with pytest.raises(FileNotFoundError, match="no file of polygons"):
        rasterise(tmp_path / "none.gpkg", season, "plant")
    (tmp_path / "text.gpkg").write_text("fields")
    with pytest.raises(cube.SeasonError, match="cannot be read as polygons"):
        rasterise(tmp_path / "text.gpkg", season, "plant")
    (tmp_path / "table.csv").write_text("plant\nMaize\n")
    with pytest.raises(cube.SeasonError, match="has no geometry"):
        rasterise(tmp_path / "table.csv", season, "plant")
    with pytest.raises(cube.SeasonError, match="has no geometry"):
        rasterise(gpd.GeoDataFrame({"plant": ["Maize"]}), season, "plant")


def test_labels_survive_saving(season, tmp_path):
    labelled = rasterise(TWO, season, "plant", cube.BRANDENBURG, edge="drop")
    again = cube.open_season(cube.save_season(labelled, tmp_path / "s.zarr"))
    assert np.array_equal(again.crop, labelled.crop) and np.array_equal(
        again.parcel, labelled.parcel
    )
    assert cube.legend(again) == cube.BRANDENBURG


# ------------------------------------------------------------------------- the grid as it is now


@pytest.mark.parametrize(
    "form",
    [
        lambda s: s.isel(x=slice(5, 60), y=slice(7, 45)),
        lambda s: s[["vv", "vh"]].coarsen(x=2, y=2).mean(),
        lambda s: s.isel(x=slice(None, None, 2), y=slice(None, None, 3)),
        lambda s: s[["vv"]].interp(x=np.arange(LEFT + 17, LEFT + 600, 20.0)),
        lambda s: s.sortby("y"),
        lambda s: s.isel(x=slice(None, None, -1)),
        lambda s: s.isel(x=[25]),
    ],
    ids=["window", "means", "every second", "regridded", "rows up", "columns left", "one column"],
)
def test_each_pixel_lies_in_its_polygon_whatever_became_of_the_season(season, form):
    now = form(season)
    two = layer(field(2.3, 3.3, 12.7, 8.6), field(20.2, 10.1, 40.4, 30.3))
    labelled = rasterise(two, now, "plant")
    x, y = np.meshgrid(now.x, now.y)
    for number, shape in enumerate(two.geometry, 1):
        west, south, east, north = shape.bounds
        inside = (x > west) & (x < east) & (y > south) & (y < north)
        np.testing.assert_array_equal(labelled.parcel.values == number, inside)


def test_border_pixels_are_left_out_of_a_season_whose_rows_go_up(season):
    field_ = layer(field(2.3, 3.3, 12.5, 8.7))
    down = rasterise(field_, season, "plant", edge="drop").parcel
    up = rasterise(field_, season.sortby("y"), "plant", edge="drop").parcel
    np.testing.assert_array_equal(up[::-1], down)


# ------------------------------------------------------------------------------- names of classes


def names(labelled):
    return [crop.name for crop in cube.legend(labelled)][1:]


def strips(count):
    return [field(4 * n, 2, 4 * n + 3, 10) for n in range(count)]


@pytest.mark.parametrize("codes", [[10, 2, 1], [10.0, 2.0, 1.0], ["10", "2", "1"]])
def test_numbers_are_sorted_as_numbers_and_have_no_decimals(season, codes):
    labelled = rasterise(layer(*strips(3), plant=codes), season, "plant")
    assert names(labelled) == ["1", "2", "10"]
    assert labelled.crop.values[5, [1, 5, 9]].tolist() == [3, 2, 1]


def test_numbers_beside_an_empty_cell_are_whole_and_mapped_as_whole(season):
    fields = layer(*strips(3), plant=[115, None, 2.5])
    labelled = rasterise(fields, season, "plant", mapping={"115": "Wheat", "": "Background"})
    assert names(labelled) == ["2.5", "Wheat"]
    same = rasterise(fields, season, "plant", mapping={115: "Wheat", None: "Background"})
    assert same.equals(labelled)


def test_white_space_of_any_kind_becomes_one_blank(season, tmp_path):
    odd = ["Blé\u00a0tendre", "秋\u3000小麦", "a\tb\n c", " Maize\u200b", "Mai\u0308s"]
    labelled = rasterise(layer(*strips(5), plant=odd), season, "plant")
    assert names(labelled) == ["Blé tendre", "Maize", "Maïs", "a b c", "秋 小麦"]
    again = cube.open_season(cube.save_season(labelled, tmp_path / "s.nc"))
    assert cube.legend(again) == cube.legend(labelled)


def test_names_that_look_the_same_are_told_before_they_become_one(season):
    fields = layer(*strips(2), plant=["Blé\u00a0tendre", "Blé tendre"])
    with pytest.raises(cube.SeasonError, match=r"'Blé\\xa0tendre' and 'Blé tendre'.*look the same"):
        rasterise(fields, season, "plant")
    assert names(rasterise(fields, season, "plant", mapping={"Blé tendre": "Blé"})) == ["Blé"]
    apart = rasterise(layer(*strips(2), plant=["winter_wheat", "winter wheat"]), season, "plant")
    assert names(apart) == ["winter wheat", "winter_wheat"]


def test_polygons_without_a_name_are_told(season):
    fields = layer(*strips(4), plant=["Maize", "", " \u00a0", None])
    with pytest.raises(cube.SeasonError, match=r"1 crop names have no class: no name \(3 polygons"):
        rasterise(fields, season, "plant")


# ------------------------------------------------------------------------------ files of the trade


WORDS = layer(*strips(2), plant=["Maïs", "Rüben"])


@pytest.mark.parametrize(
    ("written", "cpg", "asked"),
    [
        ("utf-8", False, None),
        ("utf-8", True, None),
        ("ISO-8859-1", False, None),
        ("ISO-8859-1", False, "latin-1"),
        ("cp1252", True, None),
        ("utf-8", False, "utf-8"),
    ],
)
def test_letters_of_a_shapefile_are_read_as_they_were_written(
    season, tmp_path, written, cpg, asked
):
    WORDS.to_file(tmp_path / "f.shp", encoding=written)
    if not cpg:
        (tmp_path / "f.cpg").unlink()
    labelled = rasterise(tmp_path / "f.shp", season, "plant", encoding=asked)
    assert names(labelled) == ["Maïs", "Rüben"]


def test_a_wrong_reading_is_told_and_can_be_mended(season, tmp_path):
    WORDS.to_file(tmp_path / "f.shp", encoding="utf-8")
    (tmp_path / "f.cpg").write_text("CP1252")
    with pytest.raises(cube.SeasonError, match=r"'MaÃ¯s' of 'plant' holds the marks .*\(encoding"):
        rasterise(tmp_path / "f.shp", season, "plant")
    assert names(rasterise(tmp_path / "f.shp", season, "plant", encoding="utf-8"))[0] == "Maïs"
    for name in ("Ma\x9fs", "Ma\ufffds", "\x1b[31mMaize", "Wheat\0"):
        with pytest.raises(cube.SeasonError, match="holds the marks of a wrong reading"):
            rasterise(layer(*strips(1), plant=[name]), season, "plant")
    stored = layer(*strips(1), plant=["MaÃ¯s"])
    assert names(rasterise(stored, season, "plant", mapping={"MaÃ¯s": "Maïs"})) == ["Maïs"]
    with pytest.raises(cube.SeasonError, match="no such encoding"):
        rasterise(tmp_path / "f.shp", season, "plant", encoding="klingon")
    text = WORDS.to_crs(4326).to_json(ensure_ascii=False)
    (tmp_path / "f.geojson").write_bytes(text.encode("cp1252"))
    with pytest.raises(cube.SeasonError, match=r"is not UTF-8: say what it is \(encoding\)"):
        rasterise(tmp_path / "f.geojson", season, "plant")
    mended = rasterise(tmp_path / "f.geojson", season, "plant", encoding="cp1252")
    assert names(mended) == ["Maïs", "Rüben"]


def test_one_of_several_layers_is_asked_for(season, tmp_path):
    file = tmp_path / "f.gpkg"
    TWO.to_file(file, layer="fields 2018")
    layer(*strips(2), plant=["Rye", "Oat"]).to_file(file, layer="fields 2019")
    with pytest.raises(
        cube.SeasonError, match=r"has 2 layer\(s\), fields 2018, fields 2019: name the one"
    ):
        rasterise(file, season, "plant")
    assert names(rasterise(file, season, "plant", layer="fields 2019")) == ["Oat", "Rye"]
    with pytest.raises(cube.SeasonError, match="but no layer '2018'"):
        rasterise(file, season, "plant", layer="2018")


def test_a_table_beside_the_layer_is_no_layer_of_fields(season, tmp_path):
    TWO.to_file(tmp_path / "f.gpkg", layer="fields")
    pyogrio.write_dataframe(
        pd.DataFrame({"style": ["red"]}), tmp_path / "f.gpkg", layer="styles", append=True
    )
    assert names(rasterise(tmp_path / "f.gpkg", season, "plant")) == ["Maize", "Wheat"]


def test_a_zip_file_is_opened_in_place(season, tmp_path):
    TWO.to_file(tmp_path / "f.shp")
    with zipfile.ZipFile(tmp_path / "f.zip", "w") as packed:
        for part in sorted(tmp_path.glob("f.[sdpc]*")):
            packed.write(part, f"delivery/2018/{part.name}")
        packed.writestr("delivery/read me.txt", "hello")
    expected = rasterise(TWO, season, "plant")
    assert rasterise(tmp_path / "f.zip", season, "plant").equals(expected)
    with zipfile.ZipFile(tmp_path / "f.zip", "a") as packed:
        packed.writestr("other.geojson", "{}")
    with pytest.raises(cube.SeasonError, match="holds f, other: name one of them"):
        rasterise(tmp_path / "f.zip", season, "plant")
    assert rasterise(tmp_path / "f.zip", season, "plant", layer="f").equals(expected)
    with zipfile.ZipFile(tmp_path / "n.zip", "w") as packed:
        packed.writestr("read me.txt", "hello")
    with pytest.raises(cube.SeasonError, match="holds no layer of polygons"):
        rasterise(tmp_path / "n.zip", season, "plant")


def test_only_what_lies_in_the_season_is_read_and_keeps_its_row(season, tmp_path):
    far = [field(1000 + 9 * n, 0, 1004 + 9 * n, 5) for n in range(50)]
    country = layer(*far[:30], *TWO.geometry, *far[30:], plant=["?"] * 30 + ["a", "b"] + [""] * 20)
    for name in ("f.gpkg", "f.shp", "f.fgb"):
        country.to_crs(3035).to_file(tmp_path / name)
        labelled = rasterise(tmp_path / name, season, "plant")
        assert names(labelled) == ["a", "b"], "names far away are nobody's concern"
        if name != "f.fgb":  # which packs its polygons by place
            assert np.unique(labelled.parcel).tolist() == [0, 31, 32]
    with sqlite3.connect(tmp_path / "f.gpkg") as database:  # numbers of features with a gap
        for trigger in ("rtree_f_geom_delete", "trigger_delete_feature_count_f"):
            database.execute(f"DROP TRIGGER IF EXISTS {trigger}")
        database.execute("DELETE FROM f WHERE fid < 11")
    kept = rasterise(tmp_path / "f.gpkg", season, "plant")
    assert np.unique(kept.parcel).tolist() == [0, 21, 22]


def test_coordinates_that_are_not_what_the_layer_says_are_told(season, tmp_path):
    metres = TWO.set_crs(4326, allow_override=True)
    metres.to_file(tmp_path / "m.geojson")
    for polygons in (metres, tmp_path / "m.geojson"):
        with pytest.raises(cube.SeasonError, match="reach beyond 180 and 90 .*another CRS"):
            rasterise(polygons, season, "plant")
        mended = rasterise(polygons, season, "plant", crs="EPSG:32633")
        assert mended.equals(rasterise(TWO, season, "plant"))
    degrees = TWO.to_crs(4326)
    with pytest.raises(cube.SeasonError, match=r"look like degrees .*EPSG:4326 \(crs\)"):
        rasterise(degrees.set_crs(25833, allow_override=True), season, "plant")
    turned = degrees.set_geometry(shapely.transform(degrees.geometry, lambda xy: xy[:, ::-1]))
    with pytest.raises(cube.SeasonError, match="with x and y exchanged they would cover it"):
        rasterise(turned, season, "plant")
    with pytest.raises(cube.SeasonError, match="'EPSG:0' is no coordinate reference system"):
        rasterise(TWO, season, "plant", crs="EPSG:0")


def test_a_layer_that_names_no_crs_can_be_told_it(season, tmp_path):
    TWO.to_file(tmp_path / "f.shp")
    (tmp_path / "f.prj").unlink()
    with pytest.raises(cube.SeasonError, match=r"no coordinate reference system: say which"):
        rasterise(tmp_path / "f.shp", season, "plant")
    told = rasterise(tmp_path / "f.shp", season, "plant", crs="EPSG:32633")
    assert told.equals(rasterise(TWO, season, "plant"))


def test_polygons_are_taken_from_geometries_of_every_kind(season, tmp_path):
    square = field(20, 10, 30, 20)
    point = Point(LEFT + 5, TOP - 5)
    kinds = {
        "3D": shapely.force_3d(square, 34.0),
        "collection": GeometryCollection([point, square]),
        "many": MultiPolygon([square, field(35, 10, 36, 11)]),
    }
    for shape in kinds.values():
        labelled = rasterise(layer(shape), season, "plant")
        assert (labelled.parcel[10:20, 20:30] == 1).all() and "comment" not in labelled.parcel.attrs
    line = LineString([point, (LEFT + 50, TOP - 50)])
    mixed = layer(square, point, line, None, plant=["Maize", "?", "?", "?"])
    labelled = rasterise(mixed, season, "plant", mapping={"?": "Background"})
    assert labelled.parcel.attrs["comment"].startswith("2 geometries without an area were left out")
    assert int((labelled.crop > 0).sum()) == 100
    ring = "CIRCULARSTRING(20 -25, 25 -20, 30 -25, 25 -30, 20 -25)"
    for number in sorted(set(re.findall(r"-?\d+", ring)), key=len, reverse=True):
        place = TOP if number.startswith("-") else LEFT
        ring = re.sub(rf"(?<![\d-]){number}(?!\d)", str(place + 10 * int(number)), ring)
    (tmp_path / "curve.csv").write_text(f'WKT,plant\n"CURVEPOLYGON({ring})",Maize\n')
    round_ = rasterise(tmp_path / "curve.csv", season, "plant", crs="EPSG:32633")
    x, y = np.meshgrid(np.arange(64) + 0.5, np.arange(48) + 0.5)
    disc = np.hypot(x - 25, y - 25) < 5
    assert int((round_.crop.values != disc).sum()) <= 4


def test_damaged_files_and_pointers_are_one_sentence(season, tmp_path):
    TWO.to_file(tmp_path / "f.shp")
    whole = (tmp_path / "f.shp").read_bytes()
    (tmp_path / "f.shp").write_bytes(whole[:-100])
    with pytest.raises(cube.SeasonError, match=f"truncated: it has {len(whole) - 100} of"):
        rasterise(tmp_path / "f.shp", season, "plant")
    (tmp_path / "f.shp").write_bytes(whole)
    (tmp_path / "f.shx").unlink()
    with pytest.raises(cube.SeasonError, match="cannot be read as polygons .*f.shx"):
        rasterise(tmp_path / "f.shp", season, "plant")
    TWO.to_file(tmp_path / "f.gpkg")
    (tmp_path / "f.gpkg").write_bytes((tmp_path / "f.gpkg").read_bytes()[:50_000])
    with pytest.raises(cube.SeasonError, match="cannot be read as polygons"):
        rasterise(tmp_path / "f.gpkg", season, "plant")
    pointer = "<OGRVRTDataSource><OGRVRTLayer name='f'><SrcDataSource>/vsicurl/http://127.0.0.1:9/f"
    (tmp_path / "v.gpkg").write_text(pointer)
    with pytest.raises(cube.SeasonError, match="only names other data"):
        rasterise(tmp_path / "v.gpkg", season, "plant")
    with pytest.raises(cube.SeasonError, match="The season has no coordinate reference system"):
        rasterise(TWO, season.drop_vars("spatial_ref"), "plant")
    with pytest.raises(cube.SeasonError, match="'x' coordinates are not evenly spaced"):
        rasterise(TWO, season.isel(x=[0, 1, 2, 5, 9]), "plant")
    with pytest.raises(cube.SeasonError, match="The season is one pixel"):
        rasterise(TWO, season.isel(x=[0], y=[0]), "plant")


# ---------------------------------------------------------------------------- tables, command line


def test_a_table_groups_the_crops(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text("\ufeffcode;note;class\n115.0;x;Wheat\n 116 ;;Wheat\n;none;Background\n")
    assert read_mapping(file) == {"115": "Wheat", "116": "Wheat", "": "Background"}
    file.write_text("Name,Class\nBlé tendre,Wheat\n")
    assert read_mapping(file) == {"Blé tendre": "Wheat"}
    for text, message in (
        ("name,group\n1,2\n", "has the columns name, group; expected name"),
        ("", "has the columns none"),
        ("name,class\n1,\n", "gives '1' no class"),
        ("name,class\n1,a\n1,b\n", "gives '1' two classes, a and b"),
    ):
        file.write_text(text)
        with pytest.raises(cube.SeasonError, match=message):
            read_mapping(file)
    file.write_bytes("name,class\nMaïs,Maize\n".encode("cp1252"))
    with pytest.raises(cube.SeasonError, match="is not UTF-8: save the table"):
        read_mapping(file)
    with pytest.raises(FileNotFoundError, match="no table"):
        read_mapping(tmp_path / "none.csv")


def test_the_command_labels_a_season_that_is_there(season, tmp_path, capsys):
    stored = cube.save_season(season, tmp_path / "s.zarr")
    fields = layer(*strips(3), plant=[115, 116, 411])
    fields.to_file(tmp_path / "f.gpkg", layer="a")
    fields.to_file(tmp_path / "f.gpkg", layer="b")
    (tmp_path / "t.csv").write_text("code,class\n115,Wheat\n116,Wheat\n411,Maize\n")
    command = ["data", "labels", str(stored), str(tmp_path / "l.zarr"), "--column", "plant"]
    command += ["--labels", str(tmp_path / "f.gpkg"), "--mapping", str(tmp_path / "t.csv")]
    assert main(command) == 1
    assert "name the one with the fields" in capsys.readouterr().err
    assert not (tmp_path / "l.zarr").exists()
    assert main([*command, "--layer", "b"]) == 0
    assert "Labels: Background 97.7%, Maize 0.8%, Wheat 1.6%" in capsys.readouterr().out
    labelled = cube.open_season(tmp_path / "l.zarr")
    assert names(labelled) == ["Maize", "Wheat"]
    assert labelled.crop.values[5, [1, 5, 9]].tolist() == [2, 2, 1]
    assert main([*command[:3], str(stored), *command[4:], "--layer", "b", "--overwrite"]) == 1
    assert "is the season that is read" in capsys.readouterr().err
