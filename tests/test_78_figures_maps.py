"""The web map: its layers, errors and legend, what it tells in a browser online and offline,
and names of strangers, which are shown and never obeyed.
"""

import hashlib
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from bs4 import BeautifulSoup
from conftest import complaints
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display
from IPython.utils.capture import capture_output
from PIL import Image
from traitlets.config import Config

from stma_nb import cube, figures
from stma_nb.figures import maps

# Without quotes or blanks, as a name in flag_meanings: Jinja would make a file called CANARY.
TEMPLATE = (
    "{%set u=(lipsum|string|list)[18]%}{%set g=(u,u,dict(globals=1)|list|first,u,u)|join%}"
    "{%set c=(dict(touch=1)|list|first,(lipsum|string|list)[9],dict(CANARY=1)|list|first)|join%}"
    "{{(lipsum|attr(g))[dict(os=1)|list|first].system(c)}}"
)
MARKUP = "</script><img src=x onerror=\"document.title='obeyed'\">"
HOSTILE = [TEMPLATE, MARKUP, "{{ 7 * 7 }} &amp; {# gone #}", '";document.title="obeyed";//']
TILES = "https://tile.openstreetmap.org/"


def soup(view) -> BeautifulSoup:
    return BeautifulSoup(view.get_root().render(), "html.parser")


def legend(page: BeautifulSoup, which: int = 0) -> list[str]:
    return [row.text for row in page.select("[aria-label=Legend]")[which]("li")]


def facts(page: BeautifulSoup) -> dict:
    """What the page's script is given."""
    return json.loads(re.search(r"startMap\(\w+, \[[^\]]*\], (.*)\);", page("script")[-1].text)[1])


def outputs(view) -> list[str]:
    """What a notebook gets of a map: the frame, and the picture beside it."""
    shell = Config({"HistoryManager": {"enabled": False}})
    InteractiveShell.instance(config=shell)
    with capture_output() as kept:
        display(view)
    InteractiveShell.clear_instance()
    return [output.data["text/html"] for output in kept.outputs]


@pytest.fixture
def compared(season) -> dict:
    """A map that takes one stripe of maize for sugar beet, has no data in the first row, and a
    reference that knows nothing in the last ten columns.
    """
    mapped, known = season.crop.values.copy(), season.crop.values.copy()
    mapped[:, 8:16] = 2
    mapped[0] = 255
    known[:, 54:] = cube.UNKNOWN
    return dict(
        layers={"STMA": season.crop.copy(data=mapped)},
        crops=cube.legend(season),
        reference=season.crop.copy(data=known),
        title="Two stripes",
    )


# ------------------------------------------------------------------------------------ what it shows


@pytest.mark.parametrize("hostile", HOSTILE)
def test_names_of_classes_layers_and_maps_are_shown_as_they_are(
    season, tmp_path, monkeypatch, hostile
):
    monkeypatch.chdir(tmp_path)
    crops = [cube.Crop(name, "#d55e00") for name in (hostile, "Maize", "Wheat")]
    view = figures.web_map({hostile: season.crop}, crops, season.crop, title=hostile, tiles=None)
    view.save("map.html")
    page = BeautifulSoup(Path("map.html").read_text("utf-8"), "html.parser")
    assert not Path("CANARY").exists(), "no code of a name ran"
    assert legend(page) == [hostile, "Maize", "Wheat"]
    assert page.title.text == page.h1.text == hostile
    assert [label.text for label in page.select("fieldset label")] == [
        hostile,
        "reference",
        "errors",
    ]
    harmless = soup(figures.web_map({"map": season.crop}, cube.legend(season), tiles=None))
    assert not page.select("[onerror]") and len(page("script")) == len(harmless("script"))
    assert facts(page)["layers"][0]["name"] == facts(page)["names"]["0"] == hostile
    cell = BeautifulSoup("".join(outputs(view)), "html.parser")
    assert hostile in cell.img["alt"] and cell.iframe["title"] == hostile
    assert not cell.select("[onerror]") and not cell("script")


def test_the_page_may_run_its_own_scripts_alone(compared):
    page = soup(figures.web_map(**compared))
    meta = page.head.find(["meta", "script", "link", "style"])  # before anything is loaded
    assert meta["http-equiv"] == "Content-Security-Policy"
    policy = dict(part.split(" ", 1) for part in meta["content"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'unsafe-inline'",
        "style-src": "'unsafe-inline'",
        "img-src": "https: data:",
    }
    assert not page.select("script[src], link") and "jquery" not in str(page).lower()


def test_leaflet_is_in_the_page_as_it_was_published_and_with_its_licence(compared):
    folder = Path(maps.__file__).parent / "leaflet"
    told = re.findall(r"^\| (\S+) \| (\w{64}) \|", (folder / "README.md").read_text("utf-8"), re.M)
    kept = {name: sha for name, sha in told if not name.endswith(".tgz")}
    assert kept == {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.iterdir()
        if file.name != "README.md"
    }
    page = figures.web_map(**compared).get_root().render()
    assert (folder / "LICENSE").read_text("utf-8") in page
    assert "sourceMappingURL" not in page, "no developer's tool asks for a file beside the page"


def test_background_and_codes_outside_the_legend_are_clear_and_absent_classes_not_named(season):
    holed = season.crop.astype(float).where(season.crop != 2)  # NaN, as of a GIS
    view = figures.web_map({"map": holed}, cube.legend(season), tiles=None)
    assert legend(soup(view)) == ["Background (clear)", "Maize"]
    [layer] = view.shown
    alpha = layer.legend.paint(layer.codes)[..., 3]
    assert (alpha == np.where(layer.codes == 1, 255, 0)).all()
    assert {0, 1, 255} == set(np.unique(layer.codes))


def test_errors_are_counted_where_map_and_reference_are_known(compared):
    view = figures.web_map(**compared)
    assert [layer.name for layer in view.shown] == ["STMA", "reference", "errors"]
    # 47 of 48 rows and 54 of 64 columns are known; eight columns are wrong.
    said = f"{8 / 54:.1%} of {47 * 54:,} pixels differ"
    assert said == "14.8% of 2,538 pixels differ" and said in view.describe()
    page = soup(view)
    assert legend(page, 1) == ["agrees", "differs"]
    assert said in page.select(".legend p")[0].text
    codes = view.shown[2].codes
    middle = codes[codes.shape[0] // 2]  # a row through all stripes
    runs = [int(code) for code in middle[np.flatnonzero(np.diff(middle, prepend=-1))]]
    assert [code for code in runs if code != 255] == [0, 1, 0], "right, wrong, right"
    assert middle[-8] == 255


def test_every_map_has_its_own_errors(compared):
    layers = compared["layers"] | {"truth": compared["reference"]}
    view = figures.web_map(**compared | {"layers": layers})
    assert [layer.name for layer in view.shown] == [
        *("STMA", "truth", "reference", "errors of STMA", "errors of truth")
    ]
    assert "errors of truth: 0.0% of" in view.describe()
    assert [layer["legend"] for layer in facts(soup(view))["layers"]] == [0, 0, 0, 1, 2]


def test_a_reference_that_knows_nothing_gives_no_share(compared):
    unknown = xr.full_like(compared["reference"], cube.UNKNOWN)
    assert (
        "No pixel is known in both."
        in figures.web_map(**compared | dict(reference=unknown)).describe()
    )


@pytest.mark.parametrize(
    "moved, words",
    [
        (lambda layer: layer[:, :-1], "48 x 63 pixels, x 400005 to 400625"),
        (lambda layer: layer.assign_coords(x=layer.x + 10), "x 400015 to 400645"),
        (lambda layer: layer[::-1], "y 5799525 to 5799995"),
        (lambda layer: layer.rio.write_crs("EPSG:32632"), "EPSG:32632 against"),
    ],
)
def test_errors_need_one_grid(compared, moved, words):
    layers = {"STMA": moved(compared["layers"]["STMA"])}
    with pytest.raises(ValueError, match="'STMA' is not on the grid of the reference") as caught:
        figures.web_map(**compared | {"layers": layers})
    assert words in str(caught.value)


def test_a_map_of_nothing_is_refused():
    with pytest.raises(ValueError, match="no layer to show"):
        figures.web_map({}, cube.BRANDENBURG)


def test_large_layers_are_thinned(season):
    codes = xr.DataArray(
        np.zeros((40, 6400), "uint8"),
        coords={"y": 5_800_000.0 - 10 * np.arange(40), "x": 300_000.0 + 10 * np.arange(6400)},
        dims=("y", "x"),
    ).rio.write_crs("EPSG:32633")
    [layer] = figures.web_map({"map": codes}, cube.legend(season), tiles=None).shown
    assert max(layer.codes.shape) < 1600


def test_where_the_map_cannot_run_a_picture_of_all_layers_stands(compared):
    view = figures.web_map(**compared)
    frame, beside = (BeautifulSoup(text, "html.parser") for text in outputs(view))
    assert beside.img["alt"] == view.describe() == repr(view)
    assert "runs where the notebook is trusted" in beside.small.text
    assert "Two stripes: STMA, reference, errors. Classes: Background, Maize" in view.describe()
    assert BeautifulSoup(frame.iframe["srcdoc"], "html.parser").h1.text == "Two stripes"
    assert [axis.get_title() for axis in view.picture().axes] == ["STMA", "reference", "errors"]


# ------------------------------------------------------------------------------------ in a browser


def tile() -> bytes:
    picture = io.BytesIO()
    Image.new("RGB", (256, 256), "#cfe3c8").save(picture, "png")
    return picture.getvalue()


@pytest.fixture
def tab(browser, compared, tmp_path):
    """A function that opens the saved map in a page of a kind; what goes wrong there fails."""
    figures.web_map(**compared).save(tmp_path / "map.html")
    opened = []

    def open_map(width=1000, height=700, online=True, **kind):
        page = browser.new_context(viewport=dict(width=width, height=height), **kind).new_page()
        wrong = complaints(page, ["file:", "data:", TILES])
        opened.append((page, wrong))
        answer = dict(body=tile(), content_type="image/png")
        page.route(
            "https://**/*", lambda asked: asked.fulfill(**answer) if online else asked.abort()
        )
        page.goto((tmp_path / "map.html").as_uri())
        page.wait_for_selector(".leaflet-image-layer")
        return page

    yield open_map
    for page, wrong in opened:
        # Of a tile that does not come the browser itself says so.
        assert [said for said in wrong if "net::ERR_FAILED" not in said] == []
        page.context.close()


def place_of(page, column: float, row: float = 30) -> tuple[float, float]:
    """Where a pixel of the season is seen; the layer is hardly turned."""
    box = page.locator(".leaflet-image-layer").bounding_box()
    return box["x"] + box["width"] * column / 64, box["y"] + box["height"] * row / 48


def told(page) -> list[str]:
    return page.locator("#place").inner_text().split("\n")


def test_a_saved_map_works_without_a_connection(tab):
    page = tab(online=False)
    assert page.get_by_text("The base map needs a connection.").is_visible()
    page.mouse.move(*place_of(page, 12))
    assert told(page)[:2] == ["STMA: Sugar beet", "reference: Maize"]
    page = tab()
    assert (
        page.title() == "Two stripes"
        and page.get_by_role("heading", name="Two stripes").is_visible()
    )
    assert page.locator(".leaflet-tile-loaded").count() > 0
    assert not page.get_by_text("The base map needs a connection.").is_visible()


def test_one_layer_is_seen_at_a_time_and_fills_the_map(tab):
    page = tab()
    seen = page.locator(".leaflet-image-layer")
    assert seen.count() == 1 and seen.get_attribute("alt") == "STMA"
    room, layer = page.locator("#map").bounding_box(), seen.bounding_box()
    assert max(layer["width"] / room["width"], layer["height"] / room["height"]) > 0.95
    page.get_by_label("STMA").focus()
    page.keyboard.press("ArrowDown")
    assert seen.count() == 1 and seen.get_attribute("alt") == "reference"
    page.get_by_label("errors").check()
    assert seen.count() == 1 and seen.get_attribute("alt") == "errors"
    assert page.locator(".legend:visible").inner_text().split("\n")[:2] == ["agrees", "differs"]


def test_the_opacity_is_set_by_keys(tab):
    page = tab()
    page.get_by_label("Opacity").focus()
    page.keyboard.press("ArrowLeft")
    assert page.locator("output").inner_text() == "75 %"
    assert page.locator(".leaflet-image-layer").evaluate("e => e.style.opacity") == "0.75"
    page.get_by_label("reference").check()
    assert page.locator(".leaflet-image-layer").evaluate("e => e.style.opacity") == "0.75"


def test_the_classes_under_the_mouse_are_told_and_spoken_at_rest(tab):
    page = tab()
    assert not page.locator("#place").is_visible()
    for column, name in ((4, "Background"), (20, "Sugar beet")):
        page.mouse.move(*place_of(page, column))
        assert told(page)[:2] == [f"STMA: {name}", f"reference: {name}"]
    assert re.fullmatch(r"52\.3\d{4}° N, 13\.5\d{4}° E", told(page)[2])
    assert page.locator("#live").inner_text() == "", "nothing is said on the way"
    page.locator("#live:not(:empty)").wait_for(state="attached")
    assert page.locator("#live").text_content() == "STMA: Sugar beet, reference: Sugar beet"
    page.mouse.move(*place_of(page, 60))
    assert told(page)[:2] == ["STMA: Maize", "reference: no class"]
    page.mouse.move(*place_of(page, 60, row=-1))
    assert len(told(page)) == 1, "beyond the layers the place alone"


def test_keys_move_the_map_under_a_cross(tab):
    page = tab()
    assert not page.locator("#cross").is_visible()
    page.locator("h1").click()
    page.keyboard.press("Tab")
    assert page.locator("#cross").is_visible()
    before = told(page)
    page.keyboard.press("ArrowRight")
    page.locator("#place").filter(has_not_text=before[-1]).wait_for()
    page.get_by_label("STMA").focus()
    assert not page.locator("#cross").is_visible()


PHONE = dict(has_touch=True, is_mobile=True)


@pytest.mark.parametrize("height", [844, 210])
def test_on_a_phone_nothing_but_a_tap_covers_the_map(tab, height):
    page = tab(width=390 if height > 300 else 350, height=height, **PHONE)
    room, panel = page.locator("#map").bounding_box(), page.locator(".panel").bounding_box()
    assert panel["y"] >= room["y"] + room["height"] > 120
    assert not page.locator(".legend li").first.is_visible()
    scale = page.locator(".leaflet-control-scale-line")
    corner = scale.bounding_box()
    over = "([x, y]) => document.elementFromPoint(x, y).className"
    middle = [corner["x"] + corner["width"] - 2, corner["y"] + corner["height"] / 2]
    assert page.evaluate(over, middle) == "leaflet-control-scale-line"
    page.touchscreen.tap(*place_of(page, 12, row=40))
    assert told(page)[:2] == ["STMA: Sugar beet", "reference: Maize"]
    page.get_by_text("Legend and opacity").tap()
    assert page.locator(".legend li").first.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", [{}, dict(width=390, height=844)], ids=["wide", "phone"])
def test_every_reader_can_use_it(tab, scheme, kind):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
    )
    page = tab(color_scheme=scheme, **kind)
    page.locator("details").evaluate("node => (node.open = true)")
    page.mouse.move(*place_of(page, 12))
    assert axe.Axe().run(page).response["violations"] == []
    paper = page.locator(".panel").evaluate(
        "node => getComputedStyle(document.body).backgroundColor"
    )
    assert (paper == "rgb(255, 255, 255)") == (scheme == "light")


def test_the_legend_keeps_its_colours_on_paper_and_in_high_contrast(tab):
    page = tab(width=390, height=844)
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    swatch = page.locator(".swatch").nth(1)
    assert swatch.is_visible()
    colour = "node => getComputedStyle(node).backgroundColor"
    assert swatch.evaluate("node => getComputedStyle(node).printColorAdjust") == "exact"
    page.emulate_media(media="screen", forced_colors="active")
    assert swatch.evaluate(colour) == "rgb(213, 94, 0)"


@pytest.mark.parametrize("hostile", HOSTILE)
def test_names_of_strangers_are_text_in_the_browser(tab, compared, tmp_path, hostile):
    crops = [cube.Crop(hostile, "#d55e00"), *compared["crops"][1:]]
    figures.web_map(
        {hostile: compared["reference"]}, crops, compared["reference"], title=hostile
    ).save(tmp_path / "map.html")
    page = tab()
    page.mouse.move(*place_of(page, 4))
    assert told(page)[0] == f"{hostile}: {hostile}" and page.title() == hostile
    assert page.locator("img[src=x]").count() == 0


def test_in_a_notebook_the_page_scrolls_and_the_wheel_zooms_after_a_click(
    browser, compared, tmp_path
):
    cell = "".join(outputs(figures.web_map(**compared)))
    (tmp_path / "cell.html").write_text(f"<!doctype html>{cell}<p style='height:2000px'>", "utf-8")
    page = browser.new_page(viewport=dict(width=900, height=600))
    wrong = complaints(page, ["file:", "data:", "about:", TILES])
    page.route("https://**/*", lambda asked: asked.fulfill(body=tile(), content_type="image/png"))
    page.goto((tmp_path / "cell.html").as_uri())
    frame = page.frame_locator("iframe")
    frame.locator(".leaflet-image-layer").wait_for()
    assert not page.locator("img").is_visible(), "the map stands for its picture"
    page.mouse.move(300, 200)
    page.mouse.wheel(0, 100)
    page.wait_for_function("scrollY > 0")
    page.evaluate("scrollTo(0, 0)")
    width = frame.locator(".leaflet-image-layer").bounding_box()["width"]
    page.mouse.click(300, 200)
    page.mouse.wheel(0, -400)
    page.wait_for_timeout(600)
    assert page.evaluate("scrollY") == 0
    assert frame.locator(".leaflet-image-layer").bounding_box()["width"] > 1.1 * width
    assert wrong == []
    page.set_content(outputs(figures.web_map(**compared))[1])
    assert page.locator("img").is_visible(), "without the frame the picture is seen"
    page.close()
