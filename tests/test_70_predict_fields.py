"""From a map to fields and to places: votes of polygons, outlines, points, and their files."""

import sqlite3
import sys
from contextlib import closing
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
import rasterio
from pyproj import Geod

from stma_nb import cube, predict, train
from stma_nb.__main__ import main
from stma_nb.cube import Crop, SeasonError
from stma_nb.predict import fields

gpd = pytest.importorskip("geopandas")
pyogrio = pytest.importorskip("pyogrio")
shapely = pytest.importorskip("shapely")

CROPS = (
    Crop("Background", "#dddddd"),
    Crop('Maize <b> & "[% 1 + 1 %]"', "#d55e00"),
    Crop("Sugar beet", "#0072b2"),
)
WEST, NORTH = 400_000.0, 5_800_000.0


def write(path, bands, scale=1.0, crs="EPSG:32633", size=10.0, corner=(WEST, NORTH)):
    """A GeoTIFF of bytes (bands, rows, columns) on the grid of the tests, 255 nodata."""
    bands = np.asarray(bands, np.uint8).reshape(-1, *np.shape(bands)[-2:])
    profile = dict(
        driver="GTiff",
        dtype="uint8",
        crs=crs,
        nodata=255,
        count=len(bands),
        height=bands.shape[1],
        width=bands.shape[2],
        transform=rasterio.Affine(size, 0, corner[0], 0, -size, corner[1]),
    )
    with rasterio.open(path, "w", **profile) as tif:
        tif.write(bands)
        tif.scales = [scale] * len(bands)
        if len(bands) == 1 and scale == 1.0:
            cube.write_legend(tif, CROPS)
    return path


def square(row, column, height, width):
    """A rectangle of whole pixels."""
    west, north = WEST + 10 * column, NORTH - 10 * row
    return shapely.box(west, north - 10 * height, west + 10 * width, north)


@pytest.fixture
def mapped(tmp_path):
    """A map of maize with beet in the east, some background, and nodata in the south."""
    codes = np.ones((60, 80), np.uint8)
    codes[:, 40:] = 2
    codes[:2, :3] = 0
    codes[50:] = 255
    return write(tmp_path / "map.tif", codes)


@pytest.fixture
def parcels(tmp_path):
    """One parcel for each thing that can be said of one."""
    layer = gpd.GeoDataFrame(
        {
            "name": ["plain", "overlaps", "sand grain", "no data", "half", "beyond", "away"],
            "code": [7, 7, 3, 3, 1, 1, 2],
        },
        geometry=[
            square(0, 0, 10, 10),
            square(5, 30, 10, 20),
            shapely.box(WEST + 101, NORTH - 104, WEST + 104, NORTH - 101),
            square(52, 10, 5, 5),
            square(45, 0, 10, 4),
            square(10, 76, 10, 10),
            square(0, 200, 5, 5),
        ],
        crs="EPSG:32633",
    )
    path = tmp_path / "parcels.gpkg"
    layer.to_file(path, layer="parcels")
    return path


def read(path, **options):
    return gpd.read_file(path, **options).set_index("name")


# ----------------------------------------------------------------------------------------- the vote


@pytest.mark.parametrize("tile", [7, 1024])
def test_every_parcel_bears_its_vote_and_how_sure_it_is(mapped, parcels, tile, monkeypatch):
    monkeypatch.setattr(fields, "TILE", tile)
    outlines = predict.read_outlines(parcels, cube.open_layer(mapped))
    table = predict.field_table(mapped, outlines).set_index("name")
    assert table["code"].tolist() == [7, 7, 3, 3, 1, 1], "attributes are kept"
    assert table["map_parcel"].tolist() == [1, 2, 3, 4, 5, 6], "the numbers of the file"
    assert table["map_class"].tolist()[:2] == [CROPS[1].name, CROPS[1].name]
    assert table["map_class"].isna().tolist() == [False, False, True, True, False, False]
    assert table.loc[["plain", "overlaps"], "map_share"].tolist() == [0.94, 0.5]
    assert table.loc["plain", "map_second"] == "Background"
    assert table.loc["overlaps", "map_second"] == "Sugar beet", "a tie goes to the lower code"
    assert table.loc["beyond", "map_class"] == "Sugar beet"
    assert table["map_pixels"].tolist() == [100, 200, 0, 0, 20, 40]
    assert table["map_note"].tolist() == [
        "",
        "",
        "holds no pixel",
        "no data",
        "partly without data",
        "partly outside the map",
    ]
    assert outlines.attrs["left out"].startswith("1 of 7 polygons do not touch the map")
    assert outlines.crs == "EPSG:32633"


def test_parcels_in_another_crs_get_the_same_votes(mapped, parcels, tmp_path):
    grid = cube.open_layer(mapped)
    here = predict.field_table(mapped, predict.read_outlines(parcels, grid))
    gpd.read_file(parcels).to_crs("EPSG:4326").to_file(tmp_path / "degrees.geojson")
    outlines = predict.read_outlines(tmp_path / "degrees.geojson", grid)
    there = predict.field_table(mapped, outlines)
    for column in ("map_class", "map_share", "map_pixels", "map_second", "map_note"):
        assert there[column].tolist()[:2] == here[column].tolist()[:2], column
    np.testing.assert_allclose(there["map_hectares"], here["map_hectares"], rtol=1e-6)


def test_overlapping_parcels_count_all_of_their_own_pixels(mapped, tmp_path):
    layer = gpd.GeoDataFrame(
        geometry=[square(10, 30, 20, 20), square(10, 30, 20, 10), square(10, 40, 20, 10)],
        crs="EPSG:32633",
    )
    table = predict.field_table(mapped, layer)
    assert table["map_pixels"].tolist() == [400, 200, 200]
    assert table["map_code"].tolist() == [1, 1, 2]
    assert table["map_share"].tolist() == [0.5, 1, 1]


def test_odd_polygons_count_as_what_they_enclose(mapped, tmp_path):
    """One that crosses itself, one with heights, and what has no outline."""
    cross = [(0, 0), (200, -200), (200, 0), (0, -200)]
    bow = shapely.Polygon([(WEST + x, NORTH - 100 + y) for x, y in cross])
    high = shapely.force_3d(square(20, 45, 10, 10), 30)
    layer = gpd.GeoDataFrame(geometry=[bow, high, None, shapely.Polygon()], crs="EPSG:32633")
    layer.to_file(tmp_path / "odd.gpkg")
    outlines = predict.read_outlines(tmp_path / "odd.gpkg", cube.open_layer(mapped))
    table = predict.field_table(mapped, outlines)
    assert table["map_pixels"].tolist() == [pytest.approx(200, abs=20), 100]
    np.testing.assert_allclose(table["map_hectares"], [2, 1], rtol=2e-3)
    assert outlines.attrs["left out"].startswith("2 of 4 polygons")


def test_hectares_are_those_of_the_ground_whatever_the_projection(tmp_path):
    """In Web Mercator at 52 degrees a hectare is drawn 2.7 times too large."""
    size, west, north = 16.3, 1_500_000.0, 6_900_000.0
    path = write(
        tmp_path / "mercator.tif", np.ones((40, 40)), 1.0, "EPSG:3857", size, (west, north)
    )
    ring = shapely.box(west, north - 20 * size, west + 20 * size, north)
    hole = shapely.box(*ring.buffer(-50, join_style="mitre").bounds)
    layer = gpd.GeoDataFrame(geometry=[ring, ring - hole], crs="EPSG:3857")
    degrees = layer.to_crs("EPSG:4326").geometry
    earth = Geod(ellps="WGS84")
    outer = abs(earth.geometry_area_perimeter(degrees[0])[0])
    inner = abs(earth.geometry_area_perimeter(shapely.Polygon(degrees[1].interiors[0]))[0])
    table = predict.field_table(path, layer)
    np.testing.assert_allclose(table["map_hectares"], [outer / 1e4, (outer - inner) / 1e4])
    assert 3.5 < table["map_hectares"][0] < 4.1 < ring.area / 1e4 / 2
    # A pixel of 16.3 m is one of 10 m on the ground.
    grid = cube.open_layer(path).to_dataset(name="crop")
    assert predict.products.least_pixels(grid, 0.5) == pytest.approx(50, abs=2)
    entropy = write(
        tmp_path / "e.tif", np.ones((40, 40)), 1 / 250, "EPSG:3857", size, (west, north)
    )
    places = predict.places_to_visit(path, entropy, 2, apart=200).to_crs("EPSG:32633")
    assert 199 < places.distance(places.geometry[0])[1] < 211, "the next pixel of 10 m beyond"


def test_probabilities_add_the_mean_of_the_elected_class(mapped, parcels, tmp_path):
    steps = np.zeros((3, 60, 80), np.uint8)
    steps[1], steps[2] = 150, 100
    steps[1, :5], steps[2, :5] = 200, 50
    steps[:, 50:] = 255
    path = write(tmp_path / "p.tif", steps, 1 / 250)
    outlines = predict.read_outlines(parcels, cube.open_layer(mapped))
    table = predict.field_table(mapped, outlines, path).set_index("name")
    assert table.loc["plain", "map_probability"] == pytest.approx((0.8 + 0.6) / 2)
    assert table.loc["half", "map_probability"] == pytest.approx(0.6)
    assert np.isnan(table.loc["no data", "map_probability"])
    write(tmp_path / "q.tif", steps[:2], 1 / 250)
    with pytest.raises(SeasonError, match=r"'q.tif' has 2 band\(s\); expected 3"):
        predict.field_table(mapped, outlines, tmp_path / "q.tif")
    write(tmp_path / "r.tif", steps[:, :-1], 1 / 250)
    with pytest.raises(SeasonError, match="'r.tif' and 'map.tif' lie on different grids"):
        predict.field_table(mapped, outlines, tmp_path / "r.tif")


# ----------------------------------------------------------------------- outlines of the map itself


@pytest.mark.parametrize("tile", [8, 13, 1024])
def test_outlines_of_the_map_are_its_clumps(tmp_path, tile, monkeypatch):
    """Burnt back they give the sieved map, and tiles leave no trace."""
    monkeypatch.setattr(fields, "TILE", tile)
    rng = np.random.default_rng(0)
    codes = np.kron(rng.integers(0, 3, (10, 10)), np.ones((5, 5), int)).astype(np.uint8)
    codes[rng.random(codes.shape) < 0.1] = 1
    codes[20:30, 20:30] = 255
    codes[24:26, 24:26] = 2  # an island without neighbours
    path = write(tmp_path / "map.tif", codes)
    outlines = predict.map_outlines(path, 0.1)
    wanted = predict.sieve(codes, 10)
    burnt = rasterio.features.rasterize(
        zip(outlines.geometry, outlines.index, strict=True),
        codes.shape,
        transform=rasterio.Affine(10, 0, WEST, 0, -10, NORTH),
        dtype="int32",
    )
    assert (burnt == 0).sum() == 100, "nodata, and the island of four pixels"
    assert outlines.attrs["left out"].startswith("1 clumps below 0.1 ha have no neighbour")
    assert outlines.is_valid.all() and outlines.area.min() >= 1000
    apart = wanted[:, 1:] != wanted[:, :-1]
    np.testing.assert_array_equal(
        (burnt[:, 1:] != burnt[:, :-1])[:, :19], apart[:, :19], "edges are those of the classes"
    )
    wanted[24:26, 24:26] = 255
    for number in outlines.index:
        assert len(np.unique(wanted[burnt == number])) == 1
    clumps = list(
        rasterio.features.shapes(wanted, wanted != 255)  # all at once, by GDAL
    )
    assert len(outlines) == len(clumps)
    table = predict.field_table(path, outlines)
    assert table["map_pixels"].sum() == (wanted != 255).sum()


def test_a_map_without_a_clump_so_large_is_told(mapped):
    with pytest.raises(SeasonError, match="'map.tif' has no clump of 500 ha or more"):
        predict.map_outlines(mapped, 500)


# ---------------------------------------------------------------------------------- places to visit


def test_places_are_the_most_doubtful_and_lie_apart(mapped, tmp_path, monkeypatch):
    """Against a plain search over the whole raster."""
    rng = np.random.default_rng(1)
    steps = rng.integers(0, 251, (60, 80)).astype(np.uint8)
    steps[55, 5] = 250  # where the map has no data
    steps[29:34, 49:54] = 250  # one field of great doubt
    entropy = write(tmp_path / "entropy.tif", steps, 1 / 250)
    known = np.where(np.arange(60)[:, None] < 50, steps, np.nan)
    around = np.lib.stride_tricks.sliding_window_view(
        np.pad(known, 2, constant_values=np.nan), (5, 5)
    )
    left = np.full(steps.shape, -1.0)
    left[:50] = np.nanmean(around[:50], axis=(2, 3)).round(3)
    mean = left.copy()
    rows, columns = np.indices(steps.shape)
    wanted = []
    while len(wanted) < 12:
        row, column = np.unravel_index(left.argmax(), left.shape)
        wanted.append((row, column))
        left[np.hypot(rows - row, columns - column) * 10 < 99] = -1
    for tile in (9, 1024):
        monkeypatch.setattr("stma_nb.predict.places.TILE", tile)
        places = predict.places_to_visit(mapped, entropy, 12, apart=99)
        found = [((NORTH - p.y) // 10, (p.x - WEST) // 10) for p in places.geometry]
        assert found == wanted == list(zip(places["row"], places["column"], strict=True))
    doubt = [mean[place] / 250 for place in wanted]
    np.testing.assert_allclose(places["entropy"], doubt, atol=1e-5)
    assert wanted[0] == (31, 51), "in the middle of the field"
    with rasterio.open(mapped) as tif:
        codes = tif.read(1)
    assert places["map_code"].tolist() == [codes[place] for place in wanted]
    longitude, latitude = rasterio.warp.transform(
        "EPSG:32633", "EPSG:4326", places.geometry.x, places.geometry.y
    )
    np.testing.assert_allclose(places["lon"], longitude, atol=1e-6)
    np.testing.assert_allclose(places["lat"], latitude, atol=1e-6)


def test_fewer_places_where_no_more_lie_apart_and_no_place_twice(mapped, tmp_path):
    entropy = write(tmp_path / "entropy.tif", np.full((60, 80), 100), 1 / 250)
    assert len(predict.places_to_visit(mapped, entropy, 50, apart=2000)) == 1
    many = predict.places_to_visit(mapped, entropy, 50, apart=0)
    assert len(set(zip(many.geometry.x, many.geometry.y, strict=True))) == 50
    with pytest.raises(ValueError, match="0 places 500 m apart were asked for; expected at least"):
        predict.places_to_visit(mapped, entropy, 0)


def test_the_second_class_of_a_place_comes_from_the_probabilities(mapped, tmp_path):
    entropy = np.zeros((60, 80))
    entropy[8:13, 48:53] = 200
    steps = np.zeros((3, 60, 80))
    steps[:, 10, 50] = 90, 40, 120  # the middle of them
    write(tmp_path / "e.tif", entropy, 1 / 250)
    write(tmp_path / "p.tif", steps, 1 / 250)
    [place] = predict.places_to_visit(
        mapped, tmp_path / "e.tif", 1, probabilities=tmp_path / "p.tif"
    ).to_dict("records")
    assert place["map_class"] == "Sugar beet" and place["map_second"] == "Background"
    assert place["map_probability"] == pytest.approx(0.48) and place["entropy"] == pytest.approx(
        0.8
    )


# ---------------------------------------------------------------------------------------- the files


def categories(style):
    """What a QGIS style says: label and colour of each code."""
    root = ElementTree.fromstring(style)
    renderer = root.find("renderer-v2")
    assert renderer.get("type") == "categorizedSymbol" and renderer.get("attr") == "map_code"
    colours = {
        symbol.get("name"): symbol.find("layer/Option/Option[@name='color']").get("value")
        for symbol in renderer.iter("symbol")
    }
    return {
        int(one.get("value")): (one.get("label"), colours[one.get("symbol")])
        for one in renderer.iter("category")
    }


SHOWN = {
    0: ("Background", "221,221,221,255"),
    1: ('Maize <b> & "[\u2060% 1 + 1 %]"', "213,94,0,255"),  # no expression, and no markup
    2: ("Sugar beet", "0,114,178,255"),
}


def test_a_geopackage_comes_back_and_holds_its_style(mapped, parcels, tmp_path):
    outlines = predict.read_outlines(parcels, cube.open_layer(mapped))
    outlines["FID"] = 5  # columns of theirs that GDAL would take for its own
    outlines["geom"] = "of a square"
    out = tmp_path / "my fields.gpkg"
    told = predict.write_fields(mapped, outlines, out)
    assert told.startswith("4 of 6 fields have a class (")
    assert "1 holds no pixel" in told and "1 of 7 polygons do not touch the map" in told
    back = read(out, layer="my fields")
    assert back["map_class"]["plain"] == CROPS[1].name and back["FID"].eq(5).all()
    assert back["geom"].eq("of a square").all() and back.geometry.name == "geometry"
    assert back["map_code"].isna().tolist() == [False, False, True, True, False, False]
    assert back["map_share"]["plain"] == 0.94 and back.crs == "EPSG:32633"
    asked = "SELECT f_table_name, f_geometry_column, useAsDefault, styleQML FROM layer_styles"
    with closing(sqlite3.connect(out)) as file:
        [(layer, column, default, style)] = file.execute(asked).fetchall()
    assert (layer, column, default) == ("my fields", "outline", 1)
    assert categories(style) == SHOWN


def test_a_style_lies_beside_geojson_and_a_table_has_no_outlines(mapped, parcels, tmp_path):
    outlines = predict.read_outlines(parcels, cube.open_layer(mapped))
    predict.write_fields(mapped, outlines, tmp_path / "fields.geojson")
    assert read(tmp_path / "fields.geojson").crs == "EPSG:4326"
    assert categories((tmp_path / "fields.qml").read_text("utf-8")) == SHOWN
    predict.write_fields(mapped, outlines, tmp_path / "fields.csv")
    head = (tmp_path / "fields.csv").read_text("utf-8").splitlines()[0]
    assert head.startswith("name,code,map_parcel,map_class") and "geometry" not in head
    points = ElementTree.fromstring(predict.qgis_style(CROPS, points=True))
    assert {layer.get("class") for layer in points.iter("layer")} == {"SimpleMarker"}


def test_a_style_is_xml_whatever_a_class_is_called():
    odd = (Crop("bell\x07 \ud800 &amp; ]]>", "#123456"),)
    assert categories(predict.qgis_style(odd)) == {0: ("bell� � &amp; ]]>", "18,52,86,255")}


def test_geoparquet_comes_back(mapped, parcels, tmp_path):
    pytest.importorskip("pyarrow")
    outlines = predict.read_outlines(parcels, cube.open_layer(mapped))
    predict.write_fields(mapped, outlines, tmp_path / "fields.parquet")
    back = gpd.read_parquet(tmp_path / "fields.parquet")
    assert back["map_share"][0] == 0.94 and back.crs == "EPSG:32633"
    assert categories((tmp_path / "fields.qml").read_text("utf-8")) == SHOWN
    plain = back[["name", "geometry"]].set_index("name")
    plain.to_parquet(tmp_path / "parcels.parquet")
    again = predict.read_outlines(tmp_path / "parcels.parquet", cube.open_layer(mapped))
    assert predict.field_table(mapped, again)["map_share"][0] == 0.94
    assert again["name"].tolist() == back["name"].tolist()
    (tmp_path / "no.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(SeasonError, match="'no.parquet' cannot be read as polygons"):
        predict.read_outlines(tmp_path / "no.parquet", cube.open_layer(mapped))


def test_geoparquet_is_looked_at_piece_by_piece(mapped, parcels, tmp_path, monkeypatch):
    pytest.importorskip("pyarrow")
    far = gpd.read_file(parcels).translate(1e5)
    both = pd.concat([far, gpd.read_file(parcels).geometry], ignore_index=True).to_frame("outline")
    layer = gpd.GeoDataFrame(both, geometry="outline", crs="EPSG:32633")
    layer["number"] = np.arange(len(layer))
    layer.loc[0, "outline"] = None
    layer = layer.to_crs("EPSG:4326")
    layer.to_parquet(tmp_path / "parcels.parquet")
    whole = predict.read_outlines(tmp_path / "parcels.parquet", cube.open_layer(mapped))
    monkeypatch.setattr("stma_nb.predict.fields.PIECE", 2)
    pieces = predict.read_outlines(tmp_path / "parcels.parquet", cube.open_layer(mapped))
    pd.testing.assert_frame_equal(pd.DataFrame(pieces), pd.DataFrame(whole))
    assert pieces.crs == "EPSG:4326" and pieces.attrs == whole.attrs
    assert list(pieces.index) == list(pieces["number"]), "the row of the file"
    assert set(pieces.index) <= set(range(len(far), len(layer))) and len(pieces)


def test_without_pyarrow_geoparquet_is_refused_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r"needs pyarrow, .*pip install 'stma_nb\[fields\]'"):
        predict.check_layer_path(tmp_path / "fields.parquet", overwrite=False)


# ---------------------------------------------------------------------------------------- bad input


def test_files_that_are_no_parcels_are_refused_in_a_sentence(mapped, parcels, tmp_path):
    grid = cube.open_layer(mapped)

    def refused(name, match, **options):
        with pytest.raises(SeasonError, match=match):
            predict.read_outlines(tmp_path / name, grid, **options)

    layer = gpd.read_file(parcels)
    layer.to_file(parcels, layer="old")
    refused("parcels.gpkg", r"has 2 layer\(s\), parcels, old: name the one")
    refused("parcels.gpkg", r"has 2 layer\(s\), parcels, old, but no layer 'new'", layer="new")
    assert len(predict.read_outlines(parcels, grid, "old")) == 6
    (tmp_path / "half.gpkg").write_bytes(parcels.read_bytes()[:3000])
    refused("half.gpkg", "'half.gpkg' cannot be read as polygons")
    (tmp_path / "other.gpkg").write_text(
        '<OGRVRTDataSource><OGRVRTLayer name="a"><SrcDataSource>/vsicurl/http://127.0.0.1:9/a.shp'
        "</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"
    )
    refused("other.gpkg", "only names other data")
    (tmp_path / "text.gpkg").write_text("no")
    refused("text.gpkg", "'text.gpkg' cannot be read as polygons")
    layer.set_geometry(layer.centroid).to_file(tmp_path / "points.geojson")
    refused("points.geojson", "holds Point; expected polygons of parcels")
    layer.set_crs(None, allow_override=True).to_file(tmp_path / "bare.gpkg")
    refused("bare.gpkg", "have no coordinate reference system")
    layer[layer["name"] == "away"].to_file(tmp_path / "away.gpkg")
    refused("away.gpkg", "None of the 1 polygons of 'away.gpkg' touches the map")
    layer.assign(MAP_CODE=1).to_file(tmp_path / "twice.gpkg")
    refused("twice.gpkg", "has a column 'MAP_CODE' already")
    far = gpd.GeoDataFrame(geometry=[shapely.box(-400, -100, 400, 100)], crs="EPSG:4326")
    far.to_file(tmp_path / "far.geojson")
    refused("far.geojson", "reach beyond what the map's projection can show")
    layer[:0].to_file(tmp_path / "empty.gpkg")
    refused("empty.gpkg", "'empty.gpkg' holds no polygons")
    with pytest.raises(FileNotFoundError, match=r"no file of parcels '.*nothing.gpkg'"):
        predict.read_outlines(tmp_path / "nothing.gpkg", grid)


def test_maps_that_are_none_are_refused_in_a_sentence(mapped, parcels, tmp_path):
    outlines = gpd.GeoDataFrame(geometry=[square(0, 0, 5, 5)], crs="EPSG:32633")
    with rasterio.open(write(tmp_path / "wild.tif", np.full((9, 9), 7)), "r+") as tif:
        assert tif.nodata == 255
    with pytest.raises(SeasonError, match=r"'wild.tif' holds code 7, outside its legend \(0 .. 2"):
        predict.field_table(tmp_path / "wild.tif", outlines)
    write(tmp_path / "bare.tif", np.ones((9, 9)), scale=0.5)
    with pytest.raises(SeasonError, match="'bare.tif' carries no legend"):
        predict.field_table(tmp_path / "bare.tif", outlines)
    write(tmp_path / "degrees.tif", np.ones((9, 9)), 1.0, "EPSG:4326", 1e-4, (13, 52))
    with pytest.raises(SeasonError, match="'degrees.tif' is in EPSG:4326; expected a map in proj"):
        predict.map_outlines(tmp_path / "degrees.tif", 0.5)
    with pytest.raises(FileNotFoundError, match=r"There is no file '.*none.tif'"):
        predict.map_legend(tmp_path / "none.tif")
    (tmp_path / "cut.tif").write_bytes(mapped.read_bytes()[:500])
    with pytest.raises(SeasonError, match="'cut.tif'"):
        predict.map_legend(tmp_path / "cut.tif")


def test_nothing_is_replaced_that_should_stay(mapped, parcels, tmp_path):
    check = predict.check_layer_path
    with pytest.raises(FileExistsError, match="exists and is left as it is"):
        check(parcels, overwrite=False)
    with pytest.raises(ValueError, match="would be read and replaced at once"):
        check(parcels, True, (mapped, parcels))
    with pytest.raises(FileExistsError, match="holds other layers, such as 'parcels'"):
        check(parcels.rename(tmp_path / "renamed.gpkg"), overwrite=True)
    (tmp_path / "fields.qml").write_text("my own style")
    with pytest.raises(FileExistsError, match="fields.qml' exists and is left"):
        check(tmp_path / "fields.geojson", overwrite=False)
    with pytest.raises(ValueError, match=r"written as .gpkg, .* or .csv; found 'fields.shp'"):
        check(tmp_path / "fields.shp", overwrite=False)


# ------------------------------------------------------------------------------------- command line


def test_the_command_line_writes_fields_and_places(mapped, parcels, tmp_path, capsys):
    out = tmp_path / "fields.gpkg"
    words = ["fields", str(mapped), str(out), "--parcels", str(parcels)]
    assert main(words) == 0
    assert capsys.readouterr().out.startswith("4 of 6 fields have a class")
    assert read(out, layer="fields")["map_share"]["plain"] == 0.94
    before = out.read_bytes()
    assert main(words) == 1 and "exists and is left" in capsys.readouterr().err
    assert main([*words, "--overwrite", "--parcels-layer", "none"]) == 1
    assert "no layer 'none'" in capsys.readouterr().err and out.read_bytes() == before
    assert main([*words, "--overwrite"]) == 0
    assert main(["fields", str(mapped), str(tmp_path / "own.gpkg"), "--least-hectares", "1"]) == 0
    own = gpd.read_file(tmp_path / "own.gpkg", layer="own")
    assert own["map_class"].tolist() == [CROPS[1].name, "Sugar beet"]
    assert own["map_share"].tolist() == [pytest.approx(1994 / 2000), 1], "six of background"
    capsys.readouterr()
    steps = np.arange(60 * 80).reshape(60, 80) % 250
    entropy = write(tmp_path / "entropy.tif", steps, 1 / 250)
    visit = ["visit", str(mapped), str(entropy), str(tmp_path / "places.csv"), "--number", "3"]
    assert main([*visit, "--apart", "200"]) == 0
    assert capsys.readouterr().out.startswith("3 places. Wrote ")
    lines = (tmp_path / "places.csv").read_text("utf-8").splitlines()
    assert lines[0] == "place,map_class,map_code,row,column,entropy,lon,lat" and len(lines) == 4


def test_a_map_writes_its_fields_at_once(season, tmp_path, capsys):
    forest = train.fit_forest(season, np.ones((48, 64), bool), pixels=60, trees=10)
    weights = train.save(forest, tmp_path / "forest.safetensors")
    store = cube.save_season(season, tmp_path / "season.zarr")
    stripes = gpd.GeoDataFrame(
        {"name": list("abcdefgh")},
        geometry=[square(0, 8 * number, 48, 8) for number in range(8)],
        crs=season.rio.crs,
    )
    stripes.to_file(tmp_path / "stripes.gpkg")
    words = ["map", str(weights), str(store), str(tmp_path / "map.tif")]
    layer = ["--parcels", str(tmp_path / "stripes.gpkg")]
    assert main([*words, *layer, "--fields", str(tmp_path / "stripes.gpkg")]) == 1
    assert "would be read and replaced at once" in capsys.readouterr().err
    assert main([*words, *layer, "--parcels-layer", "none"]) == 1
    assert "no layer 'none'" in capsys.readouterr().err and not (tmp_path / "map.tif").exists()
    assert main([*words, *layer, "--probabilities", str(tmp_path / "p.tif")]) == 0
    assert "8 of 8 fields have a class. Wrote" in capsys.readouterr().out
    with rasterio.open(tmp_path / "map.tif") as tif:
        codes = tif.read(1)
    np.testing.assert_array_equal(codes, predict.season_codes(forest, season), "pixels stay")
    table = read(tmp_path / "map_fields.gpkg", layer="map_fields")
    for number, share in enumerate(table["map_share"]):
        votes = np.bincount(codes[:, 8 * number : 8 * number + 8].ravel())
        assert share == votes.max() / (48 * 8)
        assert table["map_code"].iloc[number] == votes.argmax()
    assert table["map_probability"].between(0, 1).all()
    whole = ["--overwrite", "--fields", str(tmp_path / "own.gpkg"), "--least-hectares", "2"]
    assert main([*words, *whole]) == 0
    own = gpd.read_file(tmp_path / "own.gpkg", layer="own")
    assert own["map_hectares"].min() >= 1.99 and own["map_pixels"].sum() == 48 * 64
