"""Declared crops, from a zip file in the form of Brandenburg's, also fetched from this machine."""

import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import geopandas as gpd
import numpy as np
import pytest
from shapely.geometry import box

from stma_nb import cube
from stma_nb.__main__ import main
from stma_nb.sources import declared

LEFT, TOP = 400_000, 5_800_000
CODES = {115: "Winterweizen", 411: "Silomais", 121: "Winterroggen", 459: "Grünland", 603: "Zucker"}


def strip(number):
    west = LEFT + 100 * number + 5
    return box(west, TOP - 200, west + 80, TOP - 20)


def state(folder, codes=tuple(CODES), year=2018):
    """What the state publishes: a zipped Shapefile of the whole state, in ETRS89 / UTM 33N."""
    far = [box(LEFT + 9e4, TOP - 9e4, LEFT + 9.1e4, TOP - 8.9e4)] * 20
    fields = gpd.GeoDataFrame(
        {
            "ref_ident": "DEBBLI",
            "groesse": 1.44,
            "code": [str(code) for code in codes] + ["777"] * 20,
            "code_bez": [CODES.get(code, "?") for code in codes] + ["Phacelia"] * 20,
            "guelt_von": f"{year}-05-15",
        },
        geometry=[strip(number) for number in range(len(codes))] + far,
        crs="EPSG:32633",
    ).to_crs("EPSG:25833")
    (folder / "shape").mkdir(exist_ok=True, parents=True)
    fields.to_file(folder / "shape" / "antrag.shp", encoding="ISO-8859-1")
    with zipfile.ZipFile(folder / "antrag.zip", "w") as packed:
        for part in sorted((folder / "shape").glob("antrag.*")):
            packed.write(part, part.name)
    return folder / "antrag.zip"


@pytest.fixture
def server(tmp_path, monkeypatch):
    """The state's server, on this machine; the files asked for."""
    state(tmp_path / "www")
    asked = []

    class Answer(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            asked.append(self.path)

    answer = partial(Answer, directory=str(tmp_path / "www"))
    with ThreadingHTTPServer(("127.0.0.1", 0), answer) as http:
        address = f"http://127.0.0.1:{http.server_port}/antrag.zip"
        entry = declared.TABLE["brandenburg"]._replace(address=address)
        monkeypatch.setitem(declared.TABLE, "brandenburg", entry)
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield asked
        http.shutdown()


def codes_of(season):
    """The class codes in the strips, from west to east."""
    return [int(season.crop.sel(x=LEFT + 100 * n + 45, y=TOP - 105)) for n in range(5)]


def test_declared_crops_become_the_papers_classes(season, tmp_path):
    labelled = declared.label(season, state(tmp_path))
    assert cube.legend(labelled) == cube.BRANDENBURG
    names = [cube.BRANDENBURG[code].name for code in codes_of(labelled)]
    assert names == ["Wheat", "Maize", "Other", "Grassland", "Sugar beet"]
    assert int((labelled.crop > 0).sum()) == 5 * 8 * 18
    assert labelled.crop.attrs["licence"].startswith("DL-DE-BY 2.0 (https://")
    assert "declared for" not in labelled.parcel.attrs.get("comment", "")


def test_a_layer_of_another_year_is_told(season, tmp_path):
    labelled = declared.label(season, state(tmp_path, year=2025))
    assert (
        "fields are declared for 2025 (guelt_von), the season is of 2018"
        in (labelled.parcel.attrs["comment"])
    )


def test_a_code_that_the_table_lacks_is_listed_or_goes_where_you_say(season, tmp_path):
    file = state(tmp_path, codes=(115, 998, 998))
    with pytest.raises(cube.SeasonError, match=r"1 crop names have no class: 998 \(2 polygons\)"):
        declared.label(season, file)
    labelled = declared.label(season, file, rest="Other")
    assert [cube.BRANDENBURG[code].name for code in codes_of(labelled)[:3]] == [
        "Wheat",
        "Other",
        "Other",
    ]


def test_the_table_of_codes_names_classes_of_the_paper():
    classes = declared.brandenburg_classes()
    assert len(classes) > 170 and all(str(code).isdecimal() for code in classes)
    assert set(classes.values()) == {crop.name for crop in cube.BRANDENBURG} - {"Peanut", "Residue"}
    known = {"115": "Wheat", "171": "Maize", "411": "Maize", "311": "Rapeseed", "602": "Potato"}
    assert known.items() <= classes.items()


def test_the_table_of_regions_can_be_acted_on():
    table = declared.table()
    assert len(table) >= 12 and "brandenburg" in table.index
    assert table["address"].str.match("https://").all() and table["terms"].str.match("https").all()
    assert table["licence"].str.len().min() > 3
    assert (table["column"].ne("") | table["note"].ne("")).all()


def test_nothing_is_fetched_before_the_licence_is_accepted(server, season, tmp_path, capsys):
    stored = cube.save_season(season, tmp_path / "s.zarr")
    command = ["data", "declared", str(stored), str(tmp_path / "l.zarr")]
    assert main(command) == 1
    said = capsys.readouterr().err
    assert "DL-DE-BY 2.0, https://www.govdata.de/dl-de/by-2-0: read it, and accept it" in said
    assert not server and not (tmp_path / "l.zarr").exists()
    assert main([*command, "--accept-licence"]) == 0
    out = capsys.readouterr().out
    assert "Brandenburg and Berlin, Germany: DL-DE-BY 2.0" in out and "Wheat 4.7%" in out
    assert server == ["/antrag.zip"] and (tmp_path / "antrag.zip").exists()
    labelled = cube.open_season(tmp_path / "l.zarr")
    assert codes_of(labelled) == [2, 1, 15, 3, 14]


def test_a_file_and_a_table_of_ones_own_are_taken(season, tmp_path, capsys):
    stored = cube.save_season(season, tmp_path / "s.zarr")
    (tmp_path / "t.csv").write_text("code,class\n115,Cereals\n121,Cereals\n", encoding="utf-8")
    command = ["data", "declared", str(stored), str(tmp_path / "l.zarr"), "--file"]
    command += [str(state(tmp_path)), "--mapping", str(tmp_path / "t.csv"), "--rest", "Others"]
    assert main(command) == 0
    labelled = cube.open_season(tmp_path / "l.zarr")
    assert [crop.name for crop in cube.legend(labelled)] == ["Background", "Cereals", "Others"]
    assert codes_of(labelled) == [1, 2, 1, 2, 2]


def test_another_regions_names_are_taken_as_they_are(season, tmp_path):
    labelled = declared.label(season, state(tmp_path), "denmark", column="code_bez")
    names = [crop.name for crop in cube.legend(labelled)]
    assert names == ["Background", "Grünland", *sorted(set(CODES.values()) - {"Grünland"})]
    assert np.unique(labelled.crop).size == 6


def test_what_cannot_be_done_is_said(season, tmp_path, capsys):
    with pytest.raises(cube.SeasonError, match="no region 'bavaria'; expected one of brandenburg,"):
        declared.download("bavaria", tmp_path, accept_licence=True)
    with pytest.raises(cube.SeasonError, match=r"France \(GeoPackage \(7z\).*give the file \(--fi"):
        declared.download("france", tmp_path, accept_licence=True)
    with pytest.raises(cube.SeasonError, match="column of the crop is not known"):
        declared.label(season, state(tmp_path), "ireland")
    assert main(["data", "declared"]) == 2
    assert main(["data", "declared", "--list"]) == 0
    listed = capsys.readouterr().out
    assert all(
        entry.address in listed and entry.terms in listed for entry in declared.TABLE.values()
    )
