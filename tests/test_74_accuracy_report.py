"""The report: a page that stands alone, numbers that are those of the library, and refusals in
sentences.
"""

import html
import json
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pyproj
import pytest
import rasterio
import rasterio.warp
from matplotlib.figure import Figure
from rasterio.transform import from_origin
from shapely.geometry import box

from stma_nb import accuracy, cube, figures
from stma_nb.__main__ import main
from stma_nb.accuracy.page import TEMPLATES

pytestmark = pytest.mark.filterwarnings("ignore:Intervals")  # of few blocks, in small scenes
CROPS = (*cube.BRANDENBURG[:4], cube.Crop("Sugar beet", "#0072b2"))
NAMES = [crop.name for crop in CROPS]


def write(path, values, crops=None, left=400_000, nodata=None):
    profile = {
        "driver": "GTiff",
        "height": values.shape[0],
        "width": values.shape[1],
        "count": 1,
        "dtype": values.dtype,
    }
    transform = rasterio.Affine(10, 0, left, 0, -10, 5_800_000)
    with rasterio.open(
        path, "w", **profile, crs="EPSG:32633", transform=transform, nodata=nodata
    ) as tif:
        if crops:
            cube.write_legend(tif, crops)
        tif.write(values, 1)
    return path


@pytest.fixture
def scene(tmp_path):
    """Fields of 10 x 10 pixels, a map with whole fields and single pixels wrong, one class never
    mapped; as arrays and files.
    """
    rng = np.random.default_rng(0)
    parcel = (np.arange(120)[:, None] // 10 * 16 + np.arange(160) // 10 + 1).astype("int32")
    crop = rng.choice(5, parcel.max() + 1, p=[0.4, 0.3, 0.2, 0.07, 0.03]).astype("uint8")
    seen = np.where(rng.random(len(crop)) < 0.1, 1, crop)
    seen[seen == 4] = 2
    mapped = np.where(
        rng.random(parcel.shape) < 0.1, rng.integers(0, 4, parcel.shape), seen[parcel]
    ).astype("uint8")
    mapped[:5] = 255
    layers = {
        "map": mapped,
        "reference": crop[parcel],
        "parcel": parcel,
        "where": (parcel % 3 > 0).astype("uint8"),
    }
    for name, layer in layers.items():
        write(
            tmp_path / f"{name}.tif",
            layer,
            CROPS if name in ("map", "reference") else None,
            nodata=255 if name == "map" else None,
        )
    return tmp_path, layers


def draw(folder):
    reference = rasterio.open(folder / "reference.tif").read(1)
    sample = accuracy.stratified_sample(folder / "map.tif", 60, seed=3)
    sample["reference"] = [NAMES[code] for code in reference[sample["row"], sample["column"]]]
    return sample


class Page(HTMLParser):
    """What a reader's machine and a screen reader look for."""

    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.outside = re.findall(
            r"(?:src|srcset|href|action)=[\"'](?!data:|https://doi\.org).+?>|url\(|@import", text
        )
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def test_page_stands_alone_and_can_be_read_aloud(scene):
    folder, _ = scene
    draw(folder).to_csv(folder / "sample.csv", index=False)
    accuracy.assess(
        folder / "map.tif", folder / "reference.tif", folder / "full.html", folder / "parcel.tif"
    )
    accuracy.assess(folder / "map.tif", folder / "sample.csv", folder / "sample.html")
    for name, pictures, tables in (("full", 3, 3), ("sample", 2, 2)):
        text = (folder / f"{name}.html").read_text(encoding="utf-8")
        page = Page(text)
        assert not page.outside and not page.all("script") and not page.all("link")[1:]
        assert {
            "http-equiv": "Content-Security-Policy",
            "content": "default-src 'none'; img-src data:; style-src 'unsafe-inline'",
        } in page.all("meta")
        assert (
            page.all("html")[0]["lang"] == "en"
            and "<title>How good is the map map.tif?</title>" in text
        )
        assert len(page.all("img")) == pictures and all(
            len(image["alt"]) > 30 for image in page.all("img")
        )
        assert len(page.all("table")) == len(page.all("caption")) == tables
        assert {header["scope"] for header in page.all("th")} == {"col", "row"}
        assert len(page.all("h1")) == 1 and "design" in text and "stma_nb 0" in text
        json.loads(
            (folder / f"{name}.json").read_text(), parse_constant=pytest.fail
        )  # no NaN in JSON


def test_numbers_are_those_of_the_library(scene):
    folder, layers = scene
    paths = [folder / f"{name}.tif" for name in ("map", "reference")]
    accuracy.assess(*paths, folder / "r.html", folder / "parcel.tif", folder / "where.tif")
    found = json.loads((folder / "r.json").read_text())
    counted = layers["where"] > 0
    matrix = accuracy.error_matrix(layers["map"], layers["reference"], 5, counted)
    assert found["matrix"] == matrix.tolist() and found["classes"] == NAMES
    for name, value in accuracy.summary(matrix, CROPS).items():
        assert found["scores"][name]["estimate"] == pytest.approx(value)
        assert found["scores"][name]["low"] < value < found["scores"][name]["high"]
    quantity, allocation = accuracy.disagreement(matrix)
    assert found["scores"]["quantity disagreement"]["estimate"] == pytest.approx(quantity)
    assert found["scores"]["allocation disagreement"]["estimate"] == pytest.approx(allocation)
    table = accuracy.class_scores(matrix, CROPS)
    for name in NAMES:
        assert found["per class"][name]["F1"] == pytest.approx(table.loc[name, "F1"], nan_ok=True)
        assert found["producer's"][name]["estimate"] == pytest.approx(table.loc[name, "producer's"])
    assert found["user's"]["Sugar beet"]["estimate"] is None  # never mapped: null, not NaN
    assert found["area"]["Maize"] == {
        "mapped": matrix[1].sum() / 100,
        "reference": matrix[:, 1].sum() / 100,
    }
    votes = accuracy.parcel_table(
        layers["map"], layers["reference"], layers["parcel"], 5, where=counted
    )
    right = votes["majority"].dropna() == votes["reference"].dropna()
    assert found["parcels"]["number"] == len(right)
    assert found["parcels"]["scores"]["parcels right, each counts once"][
        "estimate"
    ] == pytest.approx(right.mean())
    assert (
        found["choices"]["counted where"].endswith("where.tif")
        and "blocks of" in found["choices"]["intervals"]
    )


def test_crops_only_leaves_background_out(scene):
    folder, layers = scene
    paths = [folder / f"{name}.tif" for name in ("map", "reference")]
    found = accuracy.assess(*paths, folder / "r.html", background=False)
    matrix = accuracy.error_matrix(layers["map"], layers["reference"], 5)
    assert found["scores"].loc["overall accuracy", "estimate"] == pytest.approx(
        accuracy.overall_accuracy(matrix, without=0)
    )
    assert found["matrix"][:, 0].sum() == 0 and "Background" not in found["per class"].index
    assert "Background are not counted" in (folder / "r.html").read_text(encoding="utf-8")


def test_many_windows_give_the_same_numbers(scene, monkeypatch):
    folder, _ = scene
    paths = [folder / f"{name}.tif" for name in ("map", "reference")]
    one = accuracy.assess(*paths, folder / "one.html")
    monkeypatch.setattr("stma_nb.accuracy.matrix.WINDOW", 64)
    many = accuracy.assess(*paths, folder / "many.html")
    np.testing.assert_array_equal(one["share right by block"], many["share right by block"])
    assert one["scores"].equals(many["scores"])


def test_sample_gives_the_estimates_of_olofsson(scene):
    folder, layers = scene
    sample = draw(folder)
    sample.to_csv(folder / "names.csv", index=False)
    sample["reference"] = sample["reference"].map(NAMES.index)
    sample.drop(columns="stratum").to_csv(folder / "codes.csv", index=False)
    codes = sample["reference"].to_numpy()
    matrix = accuracy.error_matrix(sample["stratum"], codes, 5)
    expected = accuracy.stratified_estimate(
        matrix, np.bincount(layers["map"][5:].ravel(), minlength=5), 0.01, names=NAMES
    )
    for kind in ("names", "codes"):
        found = accuracy.assess(folder / "map.tif", folder / f"{kind}.csv", folder / f"{kind}.html")
        pd.testing.assert_frame_equal(found["area"], expected.area)
        pd.testing.assert_frame_equal(found["producers"], expected.producers)
        assert found["overall"].equals(expected.overall)
    # The map never shows sugar beet; the sample finds about what there is.
    low, high = expected.area.loc["Sugar beet", ["low", "high"]]
    assert low < (layers["reference"][5:] == 4).sum() / 100 < high


@pytest.fixture
def numbered(tmp_path):
    """A map of 14 classes called after numbers that are not their codes, and a sample of it."""
    called = ["Background", "10", "11", "12", *map(str, range(2, 10)), "01", "NA"]
    codes = np.kron(np.arange(14, dtype=np.uint8).reshape(2, 7), np.ones((20, 20), np.uint8))
    profile = dict(driver="GTiff", count=1, dtype="uint8", height=40, width=140, crs="EPSG:32633")
    with rasterio.open(
        tmp_path / "m.tif", "w", transform=from_origin(4e5, 58e5, 10, 10), **profile
    ) as t:
        t.write(codes, 1)
        cube.write_legend(t, [cube.Crop(name, "#000000") for name in called])
    sample = accuracy.stratified_sample(tmp_path / "m.tif", 10)
    return tmp_path, called, sample


def told(folder, sample, **options):
    sample.to_csv(folder / "s.csv", index=False, **options)
    return accuracy.assess(folder / "m.tif", folder / "s.csv", folder / "o.html", overwrite=True)


def test_a_number_in_a_sample_is_the_name_of_a_class_before_it_is_a_code(numbered):
    folder, called, sample = numbered
    by_name = sample.assign(reference=[called[code] for code in sample["stratum"]])
    for separator in ",;":
        found = told(folder, by_name, sep=separator, encoding="utf-8-sig")
        assert (
            found["overall"]["estimate"] == pytest.approx(1)
            and "names" in found["choices"]["reference"]
        )
    with pytest.raises(ValueError, match="'10' is the name of a class, and '0' of none"):
        told(folder, sample.assign(reference=sample["stratum"]))


def test_a_number_is_a_code_where_no_class_is_called_so(scene):
    folder, _ = scene
    sample = draw(folder)
    sample["reference"] = sample["reference"].map(NAMES.index).astype(float)  # written as 3.0
    sample.to_csv(folder / "s.csv", index=False)
    found = accuracy.assess(folder / "map.tif", folder / "s.csv", folder / "s.html")
    assert "codes" in found["choices"]["reference"] and 0 < found["overall"]["estimate"] < 1
    draw(folder).to_csv(folder / "n.csv", index=False)
    same = accuracy.assess(folder / "map.tif", folder / "n.csv", folder / "n.html")
    np.testing.assert_array_equal(found["sample matrix"], same["sample matrix"])


def test_names_of_a_sample_may_be_spaced_otherwise_but_must_be_utf8(numbered):
    folder, called, sample = numbered
    sample["reference"] = [f"\u00a0{called[code]} " for code in sample["stratum"]]
    assert told(folder, sample)["overall"]["estimate"] == pytest.approx(1)
    (folder / "s.csv").write_bytes("row,column,reference\n1,1,Maïs\n".encode("cp1252"))
    with pytest.raises(ValueError, match="is not UTF-8: save the sample"):
        accuracy.assess(folder / "m.tif", folder / "s.csv", folder / "o.html", overwrite=True)
    (folder / "s.csv").write_text("")
    with pytest.raises(ValueError, match="'s.csv' is no table"):
        accuracy.assess(folder / "m.tif", folder / "s.csv", folder / "o.html", overwrite=True)


def test_samples_that_do_not_fit(scene):
    folder, _ = scene
    sample = draw(folder)

    def refused(change, message):
        change(sample.copy()).to_csv(folder / "bad.csv", index=False)
        with pytest.raises(ValueError, match=message):
            accuracy.assess(folder / "map.tif", folder / "bad.csv", folder / "bad.html")
        assert not (folder / "bad.html").exists()

    refused(
        lambda s: s.drop(columns="reference"),
        "no column 'reference'; expected row, column and reference",
    )
    refused(
        lambda s: s.assign(reference=s["reference"].replace("Maize", "Corn")),
        "class 'Corn', which the legend does not",
    )
    refused(lambda s: s.assign(reference=s["reference"].where(s.index > 3)), "empty cells")
    refused(lambda s: pd.concat([s, s[:1]]), "occurs twice")
    refused(lambda s: s.assign(row=0), "occurs twice|no class at row 0")
    refused(lambda s: s.assign(row=s["row"] + 0.5), r"row is '\d+\.5'; expected whole numbers")
    refused(lambda s: s.assign(stratum="Maize"), "stratum is 'Maize'; expected whole numbers")
    refused(lambda s: s.assign(reference=1.5), "class '1.5', which the legend does not")
    refused(lambda s: s.assign(reference=5), "code 5, which the legend has not: expected 0 .. 4")
    refused(lambda s: s.assign(reference=-1), "class '-1', which the legend does not")
    refused(
        lambda s: s.assign(reference=np.where(s.index % 2, "Maize", "3")),
        "'Maize' is the name of a class, and '3' of none: give the name of every class",
    )
    refused(lambda s: s.assign(row=s["row"] + 5000), "no class at row 5")
    refused(lambda s: s.assign(stratum=0), "use accuracy.stehman_estimate")
    refused(lambda s: s[s["stratum"] > 0], "Map class 'Background' has .* pixels but 0 sample")
    sample.to_csv(folder / "good.csv", index=False)
    with pytest.raises(ValueError, match="need a reference GeoTIFF"):
        accuracy.assess(
            folder / "map.tif",
            folder / "good.csv",
            folder / "bad.html",
            where_path=folder / "where.tif",
        )


def test_files_that_do_not_fit(scene):
    folder, layers = scene
    other = write(
        folder / "other.tif", layers["reference"], (CROPS[0], CROPS[2], CROPS[1], *CROPS[3:])
    )
    differ = (
        "legends of 'map.tif' and 'other.tif' differ: code 1 is Maize against Wheat. Recode one"
    )
    with pytest.raises(ValueError, match=differ):
        accuracy.assess(folder / "map.tif", other, folder / "r.html")
    with pytest.raises(
        ValueError, match=r"carry no legend, and their highest code is \d+; expected 0"
    ):
        accuracy.assess(folder / "parcel.tif", folder / "where.tif", folder / "r.html")
    plain = write(folder / "plain.tif", layers["reference"])  # without a legend: the map's holds
    assert accuracy.assess(folder / "map.tif", plain, folder / "plain.html")["classes"] == NAMES
    nothing = write(folder / "nothing.tif", np.zeros_like(layers["where"]))
    with pytest.raises(ValueError, match="No pixel has a class in both"):
        accuracy.assess(folder / "map.tif", plain, folder / "r.html", where_path=nothing)
    with pytest.raises(ValueError, match=r"0 parcel\(s\) hold pixels that are counted"):
        accuracy.assess(folder / "map.tif", plain, folder / "r.html", parcel_path=nothing)
    with pytest.raises(ValueError, match=r"should end in .html"):
        accuracy.assess(folder / "map.tif", plain, folder / "r.pdf")
    assert not (folder / "r.html").exists() and not (folder / "r.json").exists()


def test_command_line(scene, capsys):
    folder, layers = scene
    arguments = [
        "assess",
        f"{folder}/map.tif",
        f"{folder}/reference.tif",
        "--output",
        f"{folder}/r.html",
    ]
    assert main([*arguments, "--parcels", f"{folder}/parcel.tif", "--crops-only"]) == 0
    assert "pixels compared carry the class of the reference. Wrote" in capsys.readouterr().out
    without = np.array(json.loads((folder / "r.json").read_text())["matrix"])
    true = np.bincount(layers["reference"][layers["map"] != 255], minlength=5)
    np.testing.assert_array_equal(without.sum(axis=0), [0, *true[1:]])
    assert main(arguments) == 1
    assert re.fullmatch(
        r"stma_nb: '.*r.html' exists and is left as it is: .*--overwrite\)\.\n",
        capsys.readouterr().err,
    )
    assert main([*arguments, "--overwrite", "--block", "40"]) == 0
    told = capsys.readouterr()
    assert "Intervals: Only 12 units: the interval is rough" in told.out and not told.err
    matrix = np.array(json.loads((folder / "r.json").read_text())["matrix"])
    np.testing.assert_array_equal(matrix.sum(axis=0), true)  # the background, too, unless asked
    moved = write(folder / "moved.tif", layers["reference"], CROPS, left=400_100)
    arguments[2] = str(moved)
    assert main([*arguments, "--overwrite"]) == 1
    assert "lie on different grids" in capsys.readouterr().err
    assert main([*arguments, "--overwrite", "--align", "nearest"]) == 0
    found = json.loads((folder / "r.json").read_text())
    assert (
        found["matrix"]
        == accuracy.error_matrix(layers["map"][:, 10:], layers["reference"][:, :-10], 5).tolist()
    )


def patchy(folder, shape, side):
    """Paths of a map and a reference; the map is wrong in a quarter of squares of ``side``."""
    rng = np.random.default_rng(0)
    squares = rng.random((-(-shape[0] // side), -(-shape[1] // side))) < 0.25
    wrong = squares.repeat(side, 0).repeat(side, 1)[: shape[0], : shape[1]]
    reference = rng.integers(0, 2, shape).astype("uint8")
    mapped = np.where(wrong, 1 - reference, reference)
    return [
        write(folder / f"{name}.tif", values, CROPS[:2])
        for name, values in (("m", mapped), ("r", reference))
    ]


def test_blocks_are_longer_than_the_errors_hang_together(tmp_path):
    fine, coarse = (
        accuracy.assess(*patchy(tmp_path, (600, 800), side), tmp_path / f"{side}.html")
        for side in (10, 40)
    )
    assert fine["block side"] == 50, "500 m at least"
    assert "500 m; errors hang together over 1" in fine["choices"]["intervals"]
    assert 90 <= coarse["block side"] <= 160, "three times the side of a patch of errors"
    assert fine["caution"] == "" and len(fine["matrix"]) == 2

    def width(found):
        score = found["scores"].loc["overall accuracy"]
        return score["high"] - score["low"]

    assert width(coarse) > 2.5 * width(fine), "as many errors, in patches four times as wide"


def test_a_test_of_four_blocks_has_four_witnesses(tmp_path):
    """A field that reaches out of its block is no witness of its own."""
    shape, where = (400, 400), np.zeros((400, 400), "uint8")
    for row, column in ((0, 0), (0, 100), (200, 300), (300, 100)):
        where[row + 8 : row + 92, column + 8 : column + 92] = 1
    where[30:60, 192:215] = where[270:308, 120:150] = 1
    paths = patchy(tmp_path, shape, 10)
    counted = write(tmp_path / "where.tif", where)
    with pytest.warns(UserWarning, match="Only 4 units: so few say next to nothing"):
        found = accuracy.assess(*paths, tmp_path / "r.html", where_path=counted, block=100)
    assert found["choices"]["intervals"].startswith(
        "95 %; 4 blocks of 100 x 100 pixels (as in the split)"
    )
    assert found["matrix"].sum() == where.sum() and found["block side"] == 100
    where[:, 100:] = 0
    write(tmp_path / "where.tif", where)
    with pytest.warns(UserWarning, match=r"none: all pixels counted lie in one block \(as in the"):
        found = accuracy.assess(*paths, tmp_path / "one.html", where_path=counted, block=100)
    assert found["scores"]["low"].isna().all() and found["scores"]["estimate"].iloc[0] > 0
    with pytest.raises(ValueError, match="The block is 0 pixels; expected at least 1"):
        accuracy.assess(*paths, tmp_path / "none.html", block=0)


def test_a_scene_shorter_than_two_blocks_has_no_interval(tmp_path):
    values = np.random.default_rng(0).integers(0, 5, (12, 14)).astype("uint8")
    paths = [write(tmp_path / f"{name}.tif", values, CROPS) for name in ("map", "reference")]
    with pytest.warns(UserWarning, match="area counted is 140 m long; expected 1000 m or"):
        found = accuracy.assess(*paths, tmp_path / "r.html")
    assert (
        found["scores"].loc["overall accuracy", "estimate"] == 1
        and found["scores"]["low"].isna().all()
    )
    assert "none: all pixels counted lie in one block" in (tmp_path / "r.html").read_text(
        encoding="utf-8"
    )
    assert json.loads((tmp_path / "r.json").read_text())["scores"]["kappa"]["low"] is None


def test_errors_that_hang_together_over_the_whole_scene_have_no_interval(tmp_path):
    paths = patchy(tmp_path, (160, 160), 80)
    with pytest.warns(
        UserWarning,
        match=r"over \d+ m, and the area counted is 1600 m long; expected \d+ m or more",
    ):
        found = accuracy.assess(*paths, tmp_path / "r.html")
    assert found["scores"]["low"].isna().all()


def test_names_in_a_legend_are_text_and_never_markup(tmp_path):
    """A map may come from anyone: its names are shown as they are, and make no element."""
    names = ["<img/src='https://a.example'>", "</td><script>alert(1)</script>", 'R&D"onclick="x']
    crops = tuple(cube.Crop(name, "#d55e00") for name in names)
    values = np.random.default_rng(0).integers(0, 3, (40, 50)).astype("uint8")
    paths = [write(tmp_path / f"{name}.tif", values, crops) for name in ("a&amp;b", "reference")]
    accuracy.assess(*paths, tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    page = Page(text)
    assert "<h1>How good is the map a&amp;amp;b.tif?</h1>" in text
    assert all(f"</span>{name}</span>" in html.unescape(text) for name in names)
    assert not page.outside and not page.all("script")
    assert all(image["src"].startswith("data:") for image in page.all("img"))
    assert not any("onclick" in attributes for _, attributes in page.tags)


@pytest.mark.parametrize(
    "colour, shown",
    [
        ("#d55e00", "#d55e00"),
        ("#D55E00", "#D55E00"),
        ("red", "#808080"),
        ("#d55e00\n", "#808080"),
        ("#d55e00;background:url(https://a.example)", "#808080"),
    ],
)
def test_only_a_colour_is_shown_as_one(colour, shown):
    swatch = TEMPLATES.get_template("accuracy/macros.html.j2").module.swatch
    assert f'style="background:{shown}"' in swatch(cube.Crop("Maize", colour))


def test_names_with_dollars_are_no_formulas(tmp_path):
    """Between dollars matplotlib reads a formula, and stops at one that is none."""
    crops = tuple(cube.Crop(name, "#d55e00") for name in ("$\\frac{$", "Maize $5", "a$b$c"))
    values = np.random.default_rng(0).integers(0, 3, (40, 50)).astype("uint8")
    paths = [write(tmp_path / f"{name}.tif", values, crops) for name in ("map", "reference")]
    accuracy.assess(*paths, tmp_path / "r.html")
    assert "Maize $5" in (tmp_path / "r.html").read_text(encoding="utf-8")
    for name in ("$x$", "5 $", "\\$"):
        text = Figure().text(0, 0, figures.literal(name))
        assert text._preprocess_math(text.get_text()) == (name, False), "shown letter by letter"


def test_a_map_held_against_itself_is_told(tmp_path, capsys):
    values = np.random.default_rng(0).integers(0, 3, (40, 50)).astype("uint8")
    path = str(write(tmp_path / "map.tif", values, CROPS[:3]))
    assert main(["assess", path, path, "--output", f"{tmp_path}/r.html"]) == 0
    told = "alike in every one of them: is the reference a copy of the map?"
    assert told in capsys.readouterr().out and told in (tmp_path / "r.html").read_text("utf-8")


def test_the_page_replaces_none_of_its_sources(tmp_path):
    values = np.zeros((40, 50), "uint8")
    path = write(tmp_path / "map.tif", values, CROPS[:3])
    (tmp_path / "legend.json").write_text("code,name")
    with pytest.raises(ValueError, match="legend.json' is read .* and would be replaced"):
        accuracy.assess(
            path, path, tmp_path / "legend.html", legend_path=tmp_path / "legend.json",
            overwrite=True,
        )  # fmt: skip
    assert (tmp_path / "legend.json").read_text() == "code,name"


def test_page_fits_a_phone_and_asks_nothing_of_the_network(scene, browser):
    folder, _ = scene
    accuracy.assess(
        folder / "map.tif", folder / "reference.tif", folder / "r.html", folder / "parcel.tif"
    )
    tab, asked, told = browser.new_page(viewport={"width": 390, "height": 800}), [], []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda message: told.append(message.text))
    tab.goto((folder / "r.html").as_uri())
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    assert all(url.startswith(("file:", "data:")) for url in asked)
    assert tab.evaluate(
        "[...document.images].every(image => image.complete && image.naturalWidth > 0)"
    )
    shown = "[...document.querySelectorAll('.swatch')].map(s => getComputedStyle(s).background)"
    assert "rgb(213, 94, 0)" in tab.evaluate(shown)[1], "the page's own style applies"
    assert not told, "the browser has nothing to complain of"


def test_rasters_without_a_legend_are_numbered_or_named_by_a_table(tmp_path):
    codes = np.repeat(np.arange(4), 32 * 8).reshape(32, 32).astype("uint8")
    mapped = write(tmp_path / "map.tif", codes)
    truth = write(tmp_path / "truth.tif", np.where(codes == 3, 2, codes).astype("uint8"))
    numbered = accuracy.assess(mapped, truth, tmp_path / "numbered.html")
    assert numbered["classes"] == ["class 0", "class 1", "class 2", "class 3"]
    assert numbered["choices"]["background"] == "the legend has none: every class is a crop"
    table = tmp_path / "legend.csv"
    table.write_text("code,name,background\n0,Woods,yes\n1,Rice,\n2,Tea,\n3,Rubber,\n")
    named = accuracy.assess(mapped, truth, tmp_path / "named.html", legend_path=table)
    assert named["classes"] == ["Woods", "Rice", "Tea", "Rubber"]
    assert named["choices"]["background"] == "Woods is counted as a class"
    with pytest.raises(ValueError, match="class 0, .* has no background to leave out"):
        accuracy.assess(mapped, truth, tmp_path / "n.html", background=False)
    crops = accuracy.assess(mapped, truth, tmp_path / "c.html", background=False, legend_path=table)
    assert crops["scores"].loc["overall accuracy", "estimate"] == pytest.approx(2 / 3)


def test_a_legend_without_background_has_no_class_left_out(tmp_path):
    """Every Rice pixel is mapped as Maize: that is told, though Rice has the code 0."""
    rice = tuple(cube.Crop(name, "#009e73") for name in ("Rice", "Maize", "Tea"))
    truth = np.repeat(np.arange(3), 32 * 32).reshape(96, 32).astype("uint8")
    mapped = np.where(truth == 0, 1, truth).astype("uint8")
    paths = [write(tmp_path / "m.tif", mapped, rice), write(tmp_path / "r.tif", truth, rice)]
    scores = accuracy.assess(*paths, tmp_path / "r.html")["scores"]["estimate"]
    assert scores["overall accuracy"] == scores["overall accuracy, crops only"]
    assert scores["overall accuracy"] == pytest.approx(2 / 3)
    with pytest.raises(ValueError, match=r"legend \(Rice, Maize, Tea\) has no background"):
        accuracy.assess(*paths, tmp_path / "c.html", background=False)


@pytest.mark.parametrize(
    "height, unit", [(100, "ha"), (40_000, "pixels")], ids=["a scene", "from north to south"]
)
def test_hectares_are_those_of_the_ground(tmp_path, height, unit):
    """In Web Mercator a metre is 0.61 m at 52.5 degrees north, and other lengths elsewhere."""
    codes = np.zeros((height, 40), "uint8")
    codes[:, 20:] = 1
    place = rasterio.transform.from_origin(1.5e6, 6.9e6, 10, 10)
    shape = dict(height=height, width=40, count=1, dtype="uint8", compress="deflate")
    for name in ("map.tif", "reference.tif"):
        with rasterio.open(
            tmp_path / name, "w", driver="GTiff", crs="EPSG:3857", transform=place, **shape
        ) as tif:
            tif.write(codes, 1)
            tif.update_tags(flag_meanings="Maize Wheat")
    accuracy.assess(tmp_path / "map.tif", tmp_path / "reference.tif", tmp_path / "page.html")
    said = json.loads((tmp_path / "page.json").read_text())
    assert said["area unit"] == unit
    mapped = sum(row["mapped"] for row in said["area"].values())
    if unit == "ha":
        corners = rasterio.warp.transform_bounds(
            "EPSG:3857", "EPSG:4326", 1.5e6, 6.9e6 - 10 * height, 1.5e6 + 400, 6.9e6
        )
        square = pyproj.Geod(ellps="WGS84").geometry_area_perimeter(box(*corners))[0]
        assert mapped == pytest.approx(abs(square) / 10_000, rel=0.01)
    else:
        assert mapped == codes.size
