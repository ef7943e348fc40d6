"""Labels from polygons, on layers that the tests write and the small season of conftest (64 x 48
pixels of 10 m).
"""

import geopandas as gpd
import numpy as np
import pytest
from shapely.geometry import LineString, Polygon, box

from stma_nb import cube
from stma_nb.sources.labels import rasterise

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
        match=r"1 crop names have no class: .*\(1 polygons\); map each to one of Background, Maize",
    ):
        rasterise(fields, season, "plant")
    with pytest.raises(
        cube.SeasonError, match=r"2 crop names have no class: .*Spelt \(1 polygons\).* Sugar beet"
    ):
        rasterise(fields, season, "plant", cube.BRANDENBURG)
    many = layer(*[field(2, 3, 12, 8)] * 300, plant=[f"crop {i}" for i in range(300)])
    with pytest.raises(cube.SeasonError, match="300 names; expected at most 255"):
        rasterise(many, season, "plant")


def test_border_pixels_can_be_left_out(season):
    neighbours = layer(field(2.3, 3.3, 12.5, 8.7), field(12.5, 3.3, 20.7, 8.7))
    kept, dropped = (rasterise(neighbours, season, "plant", edge=edge) for edge in ("keep", "drop"))
    inside = np.zeros((48, 64), int)
    inside[4:8, 3:12], inside[4:8, 13:20] = 1, 2  # pixels that lie in one field as a whole
    assert np.array_equal(dropped.parcel, inside)
    assert np.array_equal(dropped.crop, inside)
    assert int((kept.parcel > 0).sum()) > int((inside > 0).sum())
    assert "pixels on borders left out" in dropped.parcel.attrs["comment"]


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
        cube.SeasonError, match="no coordinate reference system: set it with polygons.set_crs"
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
