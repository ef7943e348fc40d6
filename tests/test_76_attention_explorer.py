"""The attention explorer: what reaches the browser is what the network computed, and the sentence
about it is true.
"""

import json
import re

import numpy as np
import pytest
import torch
import traitlets
import xarray as xr
from bs4 import BeautifulSoup
from conftest import complaints

from stma_nb import cube, patches, train
from stma_nb.attention import explorer
from stma_nb.model import STMA

ROW, COLUMN, PATCH = 8, 24, 16


@pytest.fixture
def trained(season):
    """An untrained network with sharpened attention, so that its maps are far from even."""
    torch.manual_seed(0)
    model = STMA(dates=season.sizes["time"], patch=PATCH, classes=3, width=8).eval()
    for name, weight in model.named_parameters():
        if "to_query.weight" in name and "attend" in name:
            weight.data *= 6
    return train.Trained(
        model, patches.fit_scaling(season), cube.legend(season), season.time.values
    )


@pytest.fixture
def view(trained, season):
    return explorer.AttentionExplorer(trained, season, ROW, COLUMN)


@pytest.fixture
def maps(trained, season):
    window = np.s_[:, ROW : ROW + PATCH, COLUMN : COLUMN + PATCH]
    x = patches.network_input(
        np.stack([season.vh.values[window], season.vv.values[window]], axis=1), trained.scaling
    )
    with torch.inference_mode():
        return trained.model(torch.from_numpy(x)[None], return_attention=True)[2]


# ------------------------------------------------------------------------------------------- Python


@pytest.mark.parametrize("level", [1, 2, 3, "cross"])
def test_spatial_maps_are_the_networks_within_the_stated_error(view, maps, level):
    exact = (maps["cross"] if level == "cross" else maps["spatial"][level - 1])[0].numpy()
    view.level, side, worst = level, round(exact.shape[-1] ** 0.5), 0.0
    size = PATCH // side
    for head in range(1, len(exact) + 1):
        view.head = head
        for query in range(side * side):
            row, column = divmod(query, side)
            ours, theirs = (
                view.spatial((ROW + size * row + 1, COLUMN + size * column + 2)).ravel(),
                exact[head - 1, query],
            )
            worst = max(worst, abs(ours - theirs).max() / abs(theirs).max())
    assert worst <= (1 / 254 if level == "cross" else 1 / 510) + 1e-6, worst
    if level != "cross":
        view.head = 0
        mean = exact.mean(0)[-1]
        np.testing.assert_allclose(
            view.spatial((ROW + PATCH - 1, COLUMN + PATCH - 1)).ravel(), mean, atol=1 / 510
        )


def test_temporal_maps_and_backscatter_within_the_stated_error(view, maps, season):
    for view.level in (1, 2, 3):
        for view.head in (1, 4):
            exact = maps["temporal"][view.level - 1][0, view.head - 1].numpy()
            np.testing.assert_allclose(view.temporal(), exact, atol=8e-6)
    assert [band["name"] for band in view.facts["bands"]] == ["vh", "vv"]
    window = np.s_[:, ROW : ROW + PATCH, COLUMN : COLUMN + PATCH]
    exact = 10 * np.log10(np.stack([season.vh.values[window], season.vv.values[window]]))
    np.testing.assert_allclose(view._band_values(), exact, atol=5e-4)


def test_missing_values_stay_missing(trained, season):
    season.vv[2, ROW, COLUMN] = np.nan
    season.vv[:, ROW + 1, COLUMN], season.vh[:, ROW + 1, COLUMN] = np.nan, np.nan
    view = explorer.AttentionExplorer(trained, season, ROW, COLUMN)
    vv = 1  # VH comes first
    assert np.isnan(view._band_values()[vv, 2, 0, 0]) and np.isfinite(view._band_values()[0]).any()
    assert np.isnan(view._band_values()[:, :, 1, 0]).all()
    assert "(no data, mapped as no data)" in view.describe((ROW + 1, COLUMN))


def test_the_sentence_is_true(view, maps, season, trained):
    view.level, view.head, (row, column) = 1, 2, (14, 31)
    text = view.describe((row, column))
    assert text.startswith(
        f"Pixel row 14, column 31 ({trained.crops[season.crop.values[14, 31]].name}, mapped as "
    )
    weights = maps["spatial"][0][0, 1, (row - ROW) // 4 * 4 + (column - COLUMN) // 4].numpy()
    best = int(weights.argmax())
    top, left = ROW + best // 4 * 4, COLUMN + best % 4 * 4
    where = re.search(r"looks mostly at (.*?) \(([\d.]+) %\)", text)
    assert where[1] in (f"rows {top}–{top + 3}, columns {left}–{left + 3}", "its own cell"), text
    assert abs(float(where[2]) - 100 * weights.max()) < 1
    received = maps["temporal"][0][0, 1].numpy().mean(0)
    dates = np.datetime_as_string(season.time.values[np.argsort(-received)[:2]], unit="D")
    assert f"{dates[0]} and {dates[1]} receive most" in text
    view.level = "cross"
    assert "across scales" in view.describe()


def test_traits_are_checked(view):
    view.date = "2018-06-01"
    assert view.date == 2
    view.pixel = [9, 25]
    assert view.pixel == (9, 25)
    view.locked = (8, 24)
    for name, value, words in (
        ("pixel", (7, 30), "outside the patch: rows 8 to 23, columns 24 to 39"),
        ("locked", (9, 40), "outside the patch"),
        ("level", 4, "choose one of 1, 2, 3, 'cross'"),
        ("head", 5, "choose one of 0, 1, 2, 3, 4"),
        ("date", "2018-06-02", "or an acquisition date such as '2018-04-01'"),
        ("layer", "hh", "choose one of 'vh', 'vv', 'label', 'prediction'"),
    ):
        with pytest.raises(traitlets.TraitError, match=re.escape(words)):
            setattr(view, name, value)
    assert view.pixel == (9, 25) and view.date == 2, "a refused value changes nothing"


def test_what_does_not_fit_is_said_in_a_sentence(trained, season):
    def refused(words, *args, error=ValueError, **kwargs):
        with pytest.raises(error, match=words):
            explorer.AttentionExplorer(*args, **kwargs)

    refused(
        "The season has 4 dates, the network was trained on 5", trained, season.isel(time=slice(4))
    )
    refused("leaves the scene", trained, season, 40, 0)
    refused("leaves the scene", trained, season, -1, 0)
    refused("choose from 1, 2, 3", trained, season, levels=(4,))
    refused("holds no data", trained, season.assign(vv=season.vv * np.nan, vh=season.vh * np.nan))
    refused(
        "is not the network's",
        trained,
        season.assign(crop=season.crop.assign_attrs(cube.flags(cube.BRANDENBURG))),
    )
    trained.model.train()
    refused(r"training mode.*call trained.model.eval\(\)", trained, season)


def test_too_large_maps_are_refused_before_they_are_computed(trained, season):
    trained.model.arguments = {**trained.model.arguments, "patch": 256}
    large = xr.concat([season] * 6, "y", data_vars="minimal").isel(y=slice(0, 256))
    large = xr.concat([large] * 4, "x", data_vars="minimal")
    with pytest.raises(ValueError, match=r"choose coarser levels \(levels=\(2, 3\)\)"):
        explorer.AttentionExplorer(trained, large)


def test_a_season_without_labels_can_be_explored(trained, season):
    view = explorer.AttentionExplorer(trained, season.drop_vars("crop"), ROW, COLUMN)
    assert re.match(r"Pixel row 16, column 32 \(mapped as ", view.describe())
    with pytest.raises(traitlets.TraitError):
        view.layer = "label"


def test_a_still_stands_where_the_widget_cannot(view):
    data, _ = view._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert (
        data["text/html"].startswith('<img alt="Pixel row')
        and data["text/plain"] == view.describe()
    )
    view.layer, view.level, view.head = "prediction", "cross", 0
    assert view.to_png().startswith(b"\x89PNG")


def test_the_saved_page_asks_nothing_from_outside(view, tmp_path):
    path = view.save_html(tmp_path / "sub" / "view.html")
    text = path.read_text("utf-8")
    assert (
        not re.findall(r"https?://(?!www\.w3\.org)", text)
        and "@import" not in text
        and "default-src 'none'" in text
    )
    with pytest.raises(FileExistsError, match="exists and is left as it is"):
        view.save_html(path)
    view.save_html(path, overwrite=True)


def test_names_on_the_saved_page_are_data(trained, season, tmp_path):
    """A legend may come from anyone: no name of it ends the script that holds it, or is markup."""
    names = ("Background", "</script><b>Maize</b>", "<!--'&")
    trained.crops = tuple(cube.Crop(name, "#d55e00") for name in names)
    view = explorer.AttentionExplorer(trained, season.drop_vars("crop"), ROW, COLUMN)
    text = view.save_html(tmp_path / "view.html").read_text("utf-8")
    page = BeautifulSoup(text, "html.parser")
    state = json.loads(page.find(id="state").string)
    assert state["facts"] == json.loads(json.dumps(view.facts))
    assert [crop["name"] for crop in state["facts"]["classes"]] == list(names)
    assert not page("b") and "<!--" not in text and len(page("script")) == 3


# ------------------------------------------------------------------------------------------ browser


@pytest.fixture
def page(view, tmp_path, browser):
    """The saved explorer in a browser; at the end nothing was asked from outside and nothing went
    wrong.
    """
    view.level, view.head, view.date = 1, 2, 1
    path = view.save_html(tmp_path / "view.html")
    page = browser.new_page(viewport={"width": 1100, "height": 1000})
    wrong = complaints(page, allowed=["file:"])
    page.goto(path.as_uri())
    page.wait_for_selector(".sentence:not(:empty)")
    yield page
    page.close()
    assert not wrong, wrong


def said(page) -> str:
    page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )
    return page.inner_text(".sentence")


def hover(page, row: int, column: int) -> str:
    """Point at a pixel; returns the sentence."""
    box, unit = page.locator("canvas.scene").bounding_box(), 336 / PATCH
    zoom = box["width"] / 374
    x, y = 34 + (column - COLUMN + 0.5) * unit, 2 + (row - ROW + 0.5) * unit
    page.mouse.move(box["x"] + zoom * x, box["y"] + zoom * y)
    return said(page)


def test_browser_says_what_python_says(page, view):
    for view.level, view.head in ((1, 2), (2, 0), (3, 4), ("cross", 1)):
        page.get_by_label("Level", exact=True).select_option(str(view.level))
        page.get_by_label("Head", exact=True).select_option(str(view.head))
        for pixel in ((8, 24), (14, 31), (23, 39)):
            assert hover(page, *pixel) == view.describe(pixel)


def test_browser_shows_the_values_of_the_network(page, view, season, maps):
    page.get_by_text("Values of this pixel as a table").click()
    hover(page, 14, 31)
    cells = [row.split("\t") for row in page.inner_text("tbody").splitlines()]
    for name, place in (("vh", 1), ("vv", 2)):
        shown = [float(cell[place]) for cell in cells]
        np.testing.assert_allclose(shown, 10 * np.log10(season[name].values[:, 14, 31]), atol=0.006)
    shown = [float(cell[3].rstrip(" %")) for cell in cells]
    np.testing.assert_allclose(shown, 100 * maps["temporal"][0][0, 1].numpy().mean(0), atol=0.51)


def test_keys_move_and_lock_the_pixel(page, view):
    scene = page.locator("canvas.scene")
    scene.focus()
    assert said(page) == view.describe((16, 32))
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "Shift+ArrowUp"):
        page.keyboard.press(key)
    assert said(page) == view.describe((9, 34))
    assert page.get_by_label("Pixel row", exact=True).input_value() == "9"
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowLeft")
    assert (
        "The locked pixel, row 9, column 34" in said(page)
        and page.locator("figure:visible").count() == 3
    )
    page.keyboard.press("Escape")
    assert said(page) == view.describe((9, 33)) and page.locator("figure:visible").count() == 2
    page.keyboard.press("PageDown")
    said(page)
    assert page.get_by_label("Date", exact=True).get_attribute("aria-valuetext") == "2018-06-01"
    page.get_by_label("Pixel column", exact=True).fill("99")
    page.keyboard.press("Tab")
    assert said(page) == view.describe((9, 39)), "a number outside is brought to the border"


def test_click_locks_and_next_finds_the_class(page, view, season):
    hover(page, 20, 30)
    page.mouse.down()
    page.mouse.up()
    assert "The locked pixel, row 20, column 30" in hover(page, 10, 38)
    page.get_by_label("Pixel row", exact=True).fill("12")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Unlock").click()
    assert "locked" not in said(page)
    page.get_by_label("Show only").select_option(label="Maize")
    page.get_by_role("button", name="Next pixel of this class").click()
    row, column = map(int, re.match(r"Pixel row (\d+), column (\d+) \(Maize", said(page)).groups())
    assert season.crop.values[row, column] == 1


def test_every_control_has_a_name_and_painting_is_fast(page):
    names = page.evaluate(
        """() => ["select", "input", "button", "canvas:not([hidden] *)"]
        .flatMap((kind) => [...document.querySelectorAll(`.stma ${kind}`)])
        .filter((node) => node.checkVisibility())
        .map((node) => node.getAttribute("aria-label") || node.textContent)"""
    )
    assert len(names) >= 14 and all(names), names
    assert page.get_attribute(".stma", "data-lm-suppress-shortcuts") == "true"
    times = []
    for step in range(30):
        hover(page, ROW + step % PATCH, COLUMN + 3 * step % PATCH)
        times.append(float(page.get_attribute(".stma", "data-paint")))
    print(f"hover to paint: median {np.median(times):.1f} ms, largest {max(times):.1f} ms")
    assert np.median(times) < 100
