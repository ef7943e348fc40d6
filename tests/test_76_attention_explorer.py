"""The attention explorer: what reaches the browser is what the network computed, and the sentence
about it is true.
"""

import dataclasses
import json
import re

import numpy as np
import pytest
import torch
import traitlets
import xarray as xr
from bs4 import BeautifulSoup
from conftest import complaints, windows

from stma_nb import course, cube, patches, train
from stma_nb.attention import explorer, lab
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
def large(trained):
    """A network with more weights than a page is sent."""
    torch.manual_seed(0)
    model = STMA(dates=5, patch=PATCH, classes=3, width=96).eval()
    return dataclasses.replace(trained, model=model)


def maps_of(view) -> dict:
    """Attention of the patch as PyTorch computes it from the values that the page has."""
    x = patches.standardised(view.values(), view.lab.trained.scaling)
    with torch.inference_mode():
        return view.lab.trained.model(torch.from_numpy(x)[None], return_attention=True)[2]


@pytest.fixture
def maps(view):
    return maps_of(view)


# ------------------------------------------------------------------------------------------- Python


@pytest.mark.parametrize("level", [1, 2, 3, "cross"])
def test_maps_in_python_are_those_of_the_network(view, level):
    maps = maps_of(view)
    exact = (maps["cross"] if level == "cross" else maps["spatial"][level - 1])[0].numpy()
    view.level, side = level, round(exact.shape[-1] ** 0.5)
    size = PATCH // side
    for view.head in range(1, len(exact) + 1):
        for query in range(side * side):
            row, column = divmod(query, side)
            weights = view.spatial((ROW + size * row + 1, COLUMN + size * column + 2))
            np.testing.assert_allclose(weights.ravel(), exact[view.head - 1, query], atol=1e-6)
    if level != "cross":
        view.head = 0
        weights = view.spatial((ROW + PATCH - 1, COLUMN + PATCH - 1))
        np.testing.assert_allclose(weights.ravel(), exact.mean(0)[-1], atol=1e-6)
        time = maps["temporal"][level - 1][0].numpy().mean(0)
        np.testing.assert_allclose(view.temporal(), time, atol=1e-6)


def test_backscatter_is_within_half_a_step_of_what_was_measured(view, season):
    assert [band["name"] for band in view.facts["bands"]] == ["vh", "vv"]
    window = np.s_[:, ROW : ROW + PATCH, COLUMN : COLUMN + PATCH]
    exact = 10 * np.log10(np.stack([season.vh.values[window], season.vv.values[window]], 1))
    steps = np.array([band["step"] for band in view.facts["bands"]])
    assert (steps < 0.2).all(), steps
    worst = np.abs(view.values() - exact).max((0, 2, 3))
    assert (worst <= steps / 2 + 1e-4).all(), worst


def test_missing_values_stay_missing(trained, season):
    season.vv[2, ROW, COLUMN] = np.nan
    season.vv[:, ROW + 1, COLUMN], season.vh[:, ROW + 1, COLUMN] = np.nan, np.nan
    view = explorer.AttentionExplorer(trained, season, ROW, COLUMN)
    vh, vv = view.values()[:, 0], view.values()[:, 1]
    assert np.isnan(vv[2, 0, 0]) and np.isfinite(vh[2, 0, 0])
    assert np.isnan(view.values()[:, :, 1, 0]).all()
    assert "(no data, mapped as no data)" in view.describe((ROW + 1, COLUMN))


def test_a_patch_can_be_moved_and_takes_its_pixel_along(view, season):
    view.locked = (9, 30)
    view.edits = [
        {"do": "hide", "area": {"kind": "pixel", "at": [9, 30]}},
        {"do": "shift", "days": 10},
    ]
    view.corner = (32, 0)
    assert view.pixel == (40, 8) and view.locked is None
    assert view.edits == [{"do": "shift", "days": 10}], "what belongs to a place stays behind"
    view.edits = []
    exact = 10 * np.log10(season.vh.values[:, 32:48, 0:16])
    step = view.facts["bands"][0]["step"]
    np.testing.assert_allclose(view.values()[:, 0], exact, atol=step / 2 + 1e-4)


def test_an_experiment_changes_what_python_tells(view):
    before = view.outcome()
    view.edits = [{"do": "leave out", "dates": [2, 3], "by": "mean"}]
    after = view.outcome()
    assert np.abs(after["probability"] - before["probability"]).max() > 1e-4
    assert view.describe().startswith("1 June and 1 July left out: the scene's mean of each")
    view.show = "before"
    assert view.describe().startswith("Pixel row")
    np.testing.assert_array_equal(view.outcome([])["prediction"], before["prediction"])
    view.edits = [{"do": "even", "branch": "temporal", "levels": [1], "heads": [2]}]
    view.show = "after"
    weights = view.outcome()["temporal"][1]
    np.testing.assert_allclose(weights[1], 1 / 5, atol=1e-6)
    assert np.ptp(weights[0]) > 0.01
    with pytest.raises(traitlets.TraitError, match=r"Edit 1 .leave out.: the dates are \[9\]"):
        view.edits = [{"do": "leave out", "dates": [9], "by": "mean"}]
    with pytest.raises(traitlets.TraitError, match="expected -60 to 30: bend it less"):
        view.edits = [{"do": "bend", "band": "vh", "by": [80] * 5}]
    with pytest.raises(traitlets.TraitError, match="expected numbers, texts, lists"):
        view.edits = [{"do": "shift", "days": object()}]
    view.edits = [{"do": "leave out", "dates": np.array([view.needed().argmax()]), "by": "mean"}]
    assert type(view.edits[0]["dates"][0]) is int, "NumPy's numbers become plain ones"
    view.describe()


def test_what_a_date_is_worth_is_the_surprise_without_it(view):
    own = view.outcome()
    needed = view.needed()
    hidden = view.outcome([{"do": "leave out", "dates": [1], "by": "mean"}])
    place = np.indices(own["prediction"].shape)
    share = hidden["probability"][own["prediction"], *place]
    before = own["probability"][own["prediction"], *place]
    assert needed[1] == pytest.approx(float(np.log(before).mean() - np.log(share).mean()), abs=1e-5)
    area = np.zeros((PATCH, PATCH), bool)
    area[3, 4] = True
    assert view.needed(area)[1] == pytest.approx(
        float(np.log(before[3, 4]) - np.log(share[3, 4])), abs=1e-5
    )


def test_the_sentence_is_true(view, maps, season, trained):
    view.level, view.head, (row, column) = 1, 2, (14, 31)
    text = view.describe((row, column))
    assert text.startswith(
        f"Pixel row 14, column 31 ({trained.crops[season.crop.values[14, 31]].name}, mapped as "
    )
    weights = maps["spatial"][0][0, 1, (row - ROW) // 4 * 4 + (column - COLUMN) // 4].numpy()
    best = int(weights.argmax())
    top, left = ROW + best // 4 * 4, COLUMN + best % 4 * 4
    where = re.search(r"looks most at (.*?) \(([\d.]+) %\)", text)
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
    refused("of type STMA; expected a Trained", trained.model, season)
    refused("leaves the scene", trained, season, 40, 0)
    refused("leaves the scene", trained, season, -1, 0)
    refused("holds no data", trained, season.assign(vv=season.vv * np.nan, vh=season.vh * np.nan))
    refused(
        "is not the network's",
        trained,
        season.assign(crop=season.crop.assign_attrs(cube.flags(cube.BRANDENBURG))),
    )
    trained.model.train()
    refused(r"training mode.*call trained.model.eval\(\)", trained, season)


def test_a_scene_too_large_for_a_page_is_refused_with_what_fits(trained, season):
    wide = xr.concat([season] * 30, "x", data_vars="minimal")
    large = xr.concat([wide] * 30, "y", data_vars="minimal")
    with pytest.raises(ValueError, match=r"cut it, to (\d+) x \1 pixels at most") as refused:
        explorer.AttentionExplorer(trained, large)
    side = int(re.search(r"to (\d+) x", str(refused.value))[1])
    fits = large.isel(y=slice(0, side), x=slice(0, side))
    assert len(explorer.AttentionExplorer(trained, fits).data) < 1.2 * lab.LIMIT


def test_a_network_too_large_for_a_page_sends_its_maps_of_one_patch(large, season):
    view = explorer.AttentionExplorer(large, season, ROW, COLUMN)
    assert not view.facts["live"] and view.facts["networks"] == []
    exact = maps_of(view)
    arrays = {
        name: np.frombuffer(view.data, {"u1": "u1", "u2": "<u2", "f4": "<f4"}[kind], size, at)
        for name, (at, size, kind) in view.facts["arrays"].items()
    }
    for level in (1, 2, 3):
        weights = exact["spatial"][level - 1][0].numpy()
        scale = arrays[f"scale{level}"].reshape(*weights.shape[:2], 1)
        packed = arrays[f"spatial{level}"].reshape(weights.shape) * (scale / 255)
        assert (np.abs(packed - weights) <= scale / 510 + 1e-7).all()
        time = exact["temporal"][level - 1][0].numpy()
        packed = arrays[f"temporal{level}"].reshape(time.shape) / 65535
        np.testing.assert_allclose(packed, time, atol=8e-6)
    with pytest.raises(traitlets.TraitError, match="too large to run in a page"):
        view.edits = [{"do": "shift", "days": 3}]
    with pytest.raises(traitlets.TraitError, match="The corner .* is outside"):
        view.corner = (0, 0)
    with pytest.raises(ValueError, match="choose from 1, 2, 3"):
        explorer.AttentionExplorer(large, season, levels=(4,))


def test_too_large_maps_are_refused_before_they_are_computed(large, season):
    large.model.arguments = {**large.model.arguments, "patch": 256}
    wide = xr.concat([season] * 6, "y", data_vars="minimal").isel(y=slice(0, 256))
    wide = xr.concat([wide] * 4, "x", data_vars="minimal")
    with pytest.raises(ValueError, match=r"choose coarser levels \(levels=\(2, 3\)\)"):
        explorer.AttentionExplorer(large, wide)


def test_a_second_network_must_be_comparable(trained, season, large):
    other = dataclasses.replace(
        trained, model=STMA(dates=5, patch=PATCH, classes=3, width=16).eval()
    )
    view = explorer.AttentionExplorer(trained, season, other=other)
    assert [network["name"] for network in view.facts["networks"]] == ["A", "B"]
    for changed, words in (
        (
            dataclasses.replace(other, model=STMA(dates=5, patch=24, classes=3, width=8).eval()),
            "patch size",
        ),
        (large, "small enough to run there"),
        (dataclasses.replace(other, crops=other.crops[::-1]), "another legend"),
    ):
        with pytest.raises(ValueError, match=words):
            explorer.AttentionExplorer(trained, season, other=changed)


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
    page, wrong = opened(browser, view.save_html(tmp_path / "view.html"))
    yield page
    page.close()
    assert not wrong, wrong


def opened(browser, path, width=1100, **settings):
    """A saved page, and what goes wrong on it; a worker's code is a blob of the page itself."""
    page = browser.new_page(viewport={"width": width, "height": 1000}, **settings)
    wrong = complaints(page, allowed=["file:", "blob:"])
    page.goto(path.as_uri())
    settled(page)
    return page, wrong


def settled(page) -> None:
    """The network has answered and the picture is painted."""
    page.wait_for_selector(".stma:not(.busy) .sentence:not(:empty)")
    page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )


def said(page) -> str:
    settled(page)
    return page.inner_text(".sentence")


def place_of(page, row: int, column: int, corner=(ROW, COLUMN)) -> tuple[float, float]:
    """Where the middle of a pixel stands on the screen."""
    box = page.locator("canvas.scene").bounding_box()
    unit = (box["width"] - 38) / PATCH  # 38: the margins for rows and columns
    x, y = 34 + (column - corner[1] + 0.5) * unit, 2 + (row - corner[0] + 0.5) * unit
    return box["x"] + x, box["y"] + y


def hover(page, row: int, column: int) -> str:
    """Point at a pixel; returns the sentence."""
    page.mouse.move(*place_of(page, row, column))
    return said(page)


def alike(ours: str, theirs: str) -> None:
    """Two sentences with the same words, and numbers that agree but for their last digit: the page
    computes with weights of 16 bits.
    """
    number = r"\d+(?:\.\d+)?"
    assert re.sub(number, "#", ours) == re.sub(number, "#", theirs)
    for one, other in zip(re.findall(number, ours), re.findall(number, theirs), strict=True):
        digits = len(one.partition(".")[2])
        assert abs(float(one) - float(other)) <= 1.01 * 10**-digits, (ours, theirs)


def test_browser_says_what_python_says(page, view):
    for view.level, view.head in ((1, 2), (2, 0), (3, 4), ("cross", 1)):
        page.get_by_label("Level", exact=True).select_option(str(view.level))
        page.get_by_label("Head", exact=True).select_option(str(view.head))
        for pixel in ((8, 24), (14, 31), (23, 39)):
            alike(hover(page, *pixel), view.describe(pixel))


def test_the_locked_and_the_chosen_pixel_tell_what_they_give_each_other(page, view, maps):
    page.mouse.click(*place_of(page, 9, 25))
    page.mouse.click(*place_of(page, 9, 25))
    page.mouse.click(*place_of(page, 22, 38))
    page.mouse.move(0, 0)
    weights = maps["spatial"][0][0, 1].numpy()  # level 1, head 2; cells 0 and 15
    found = re.search(
        r"gives ([\d.]+) % of its attention to the cell of this one, which gives ([\d.]+) % to its "
        r"cell \(even would be ([\d.]+) %\)",
        said(page),
    )
    told = [float(number) for number in found.groups()]
    np.testing.assert_allclose(told, [100 * weights[0, 15], 100 * weights[15, 0], 6.25], atol=0.6)


def test_the_next_error_is_wrong_where_it_leads(browser, tmp_path):
    season = cube.open_season(course.sample_season()).isel(y=slice(224, 320), x=slice(64, 160))
    trained = train.load(course.sample_weights())
    view = explorer.AttentionExplorer(trained, season.load())
    page, wrong = opened(browser, view.save_html(tmp_path / "view.html"))
    seen = set()
    for _ in range(3):
        page.get_by_role("button", name="Next error").click()  # waits for the map by itself
        page.wait_for_function(
            "() => !document.querySelector('.jumps').innerText.includes('Looking')"
        )
        place = re.match(r"Pixel row (\d+), column (\d+) \((.+?), mapped as (.+?)\)", said(page))
        assert place[3] != place[4] and place[3] != "Background", place[0]
        seen.add(place[0])
    assert len(seen) == 3
    page.close()
    assert not wrong, wrong


def test_browser_shows_the_values_of_the_network(page, view, season, maps):
    page.get_by_text("These values as a table").click()
    hover(page, 14, 31)
    cells = [row.split("\t") for row in page.inner_text(".time tbody").splitlines()]
    for name, place in (("vh", 1), ("vv", 2)):
        shown = [float(cell[place].replace("−", "-")) for cell in cells]
        step = view.facts["bands"][place - 1]["step"]
        measured = 10 * np.log10(season[name].values[:, 14, 31])
        np.testing.assert_allclose(shown, measured, atol=step / 2 + 0.006)
    shown = [float(cell[3].rstrip(" %")) for cell in cells]
    np.testing.assert_allclose(shown, 100 * maps["temporal"][0][0, 1].numpy().mean(0), atol=0.51)


def test_keys_move_and_lock_the_pixel(page, view):
    scene = page.locator("canvas.scene")
    scene.focus()
    alike(said(page), view.describe((16, 32)))
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "Shift+ArrowUp"):
        page.keyboard.press(key)
    alike(said(page), view.describe((9, 34)))
    assert page.get_by_label("Pixel row", exact=True).input_value() == "9"
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowLeft")
    assert "The locked pixel, row 9, column 34" in said(page)
    assert page.locator("figure", has_text="Locked:").is_visible()
    page.keyboard.press("Escape")
    alike(said(page), view.describe((9, 33)))
    assert page.locator("figure", has_text="Locked:").is_hidden()
    page.keyboard.press("PageDown")
    said(page)
    assert page.get_by_label("Date", exact=True).get_attribute("aria-valuetext") == "2018-06-01"
    page.keyboard.press("3")
    assert "level 1, head 3" in said(page)
    page.keyboard.press("2")
    said(page)
    page.get_by_label("Pixel column", exact=True).fill("99")
    page.keyboard.press("Tab")
    assert said(page).startswith("Pixel row 9, column 63 "), "the patch goes to the scene's border"
    assert page.evaluate("document.querySelector('.stma').lab.get('corner')") == [1, 48]
    view.corner, view.pixel = (1, 48), (9, 63)
    alike(said(page), view.describe())


def test_keys_are_heard_once_at_rest_and_the_change_first(page):
    page.locator("canvas.scene").focus()
    page.evaluate(
        """() => {
            window.heard = [];
            new MutationObserver(() => heard.push(document.querySelector(".heard").textContent))
                .observe(document.querySelector(".heard"), { childList: true });
        }"""
    )
    for _ in range(5):
        page.keyboard.press("ArrowDown")
        page.wait_for_timeout(50)
    for step in range(20):
        page.mouse.move(*place_of(page, ROW + step % PATCH, COLUMN + step % PATCH))
    page.wait_for_timeout(700)
    heard = page.evaluate("heard")
    assert len(heard) < 3, "not at every step (a slow machine may rest between two keys)"
    assert heard[-1].startswith("Row 21, column 32: ") and len(heard[-1]) < 160, heard


def test_a_click_chooses_and_a_second_one_locks(page, view):
    page.mouse.click(*place_of(page, 20, 30))
    page.mouse.move(0, 0)
    alike(said(page), view.describe((20, 30)))  # the chosen pixel stays when the mouse has left
    page.mouse.click(*place_of(page, 20, 30))
    assert "The locked pixel, row 20, column 30" in hover(page, 10, 38)
    page.mouse.click(*place_of(page, 10, 38))
    page.mouse.move(0, 0)
    assert said(page).startswith("Pixel row 10, column 38"), (
        "while one is locked, another is chosen"
    )
    assert "The locked pixel, row 20, column 30" in said(page)
    page.get_by_role("button", name="Unlock").click()
    assert "locked" not in said(page)


def test_fingers_choose_lock_and_scroll(view, browser, tmp_path):
    path = view.save_html(tmp_path / "view.html")
    page, wrong = opened(browser, path, 390, has_touch=True, is_mobile=True)
    assert page.locator("canvas.scene").bounding_box()["y"] < 250, "the picture comes first"
    page.touchscreen.tap(*place_of(page, 20, 30))
    assert said(page).startswith("Pixel row 20, column 30") and "locked" not in said(page)
    page.touchscreen.tap(*place_of(page, 20, 30))
    page.touchscreen.tap(*place_of(page, 10, 38))
    assert said(page).startswith("Pixel row 10, column 38")
    assert "The locked pixel, row 20, column 30" in said(page)
    box = page.locator("canvas.scene").bounding_box()
    touch = page.context.new_cdp_session(page)
    swipe = {"x": box["x"] + 150, "y": box["y"] + 200, "yDistance": -150}
    touch.send("Input.synthesizeScrollGesture", swipe)
    page.wait_for_timeout(100)
    assert page.evaluate("scrollY") > 100, "a swipe over the picture scrolls the page"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.close()
    assert not wrong, wrong


def test_next_finds_the_class_and_tells_how_many(page, season):
    page.get_by_label("Show only").select_option(label="Maize")
    page.get_by_role("button", name="Next pixel of this kind").click()
    row, column = map(int, re.match(r"Pixel row (\d+), column (\d+) \(Maize", said(page)).groups())
    assert season.crop.values[row, column] == 1
    page.wait_for_timeout(500)
    assert re.fullmatch(r"Cell \d+ of \d+\.", page.inner_text(".heard"))


def test_a_row_of_the_dates_is_the_date_that_asks(page, maps):
    matrix = page.locator("canvas.matrix")
    box = matrix.bounding_box()
    inner, side = box["width"] - 102, box["height"] - 8
    # Dates of 1 April, May, June, July, August: their columns meet halfway.
    days = np.array([0, 30, 61, 91, 122])
    first, last = -15, 137.5
    share = (days - first) / (last - first)
    weights = maps["temporal"][0][0, 1].numpy()
    for asks, answers in ((3, 1), (0, 4)):
        page.mouse.move(box["x"] + 68 + share[answers] * inner, box["y"] + 4 + share[asks] * side)
        said(page)
        names = ("1 Apr", "1 May", "1 Jun", "1 Jul", "1 Aug")
        told = page.inner_text(".told")
        begin, number = re.fullmatch(r"(.*) gets ([\d.]+) %\.", told).groups()
        assert begin == f"{names[asks]} asks, {names[answers]}"
        assert abs(float(number) - 100 * weights[asks, answers]) < 0.6
    page.mouse.down()
    page.mouse.up()
    said(page)
    assert page.get_by_label("Date", exact=True).input_value() == "0", "the row, not the column"
    matrix.focus()
    page.keyboard.press("ArrowDown")
    said(page)
    assert page.inner_text(".told").startswith("1 May asks, 1 Aug gets")


def test_the_patch_is_dragged_over_the_scene_and_computed_there(page, view):
    overview = page.locator("canvas.overview")
    overview.scroll_into_view_if_needed()
    box = overview.bounding_box()
    zoom = box["width"] / 64
    page.mouse.move(box["x"] + 30 * zoom, box["y"] + 20 * zoom)
    page.mouse.down()
    page.mouse.move(box["x"] + 40 * zoom, box["y"] + 30 * zoom)
    page.mouse.up()
    page.mouse.move(0, 0)
    settled(page)
    lab = "document.querySelector('.stma').lab"
    corner = page.evaluate(f"{lab}.get('corner')")
    assert abs(corner[0] - 22) <= 1 and abs(corner[1] - 32) <= 1
    view.corner = corner
    prediction = page.evaluate(f"[...{lab}.after.prediction]")
    assert (np.reshape(prediction, (PATCH, PATCH)) == view.outcome()["prediction"]).mean() > 0.995
    overview.focus()
    page.keyboard.press("ArrowLeft")
    settled(page)
    assert page.evaluate(f"{lab}.get('corner')[1]") == corner[1] - 8
    page.get_by_label("Scene shows").select_option(label="Crop map")
    page.wait_for_function(
        "() => !document.querySelector('.overview-panel').textContent.includes('being made')"
    )
    shown = set(page.inner_text(".overview-panel .legend").split())
    assert shown <= {"Background", "Maize", "Sugar", "beet"} and shown


def test_a_larger_view_is_dragged_and_a_click_still_chooses(page):
    for _ in range(3):
        page.get_by_role("button", name="Zoom in").click()
    box = page.locator("canvas.scene").bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    before = hover_text(page, *middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 120, middle[1] + 80, steps=4)
    page.mouse.up()
    after = hover_text(page, *middle)
    rows = [int(re.match(r"Pixel row (\d+)", text)[1]) for text in (before, after)]
    assert rows[1] < rows[0], "the picture went down with the mouse, so what is higher is seen"
    assert page.evaluate("document.querySelector('.stma').lab.get('pixel')") == [16, 32]
    page.mouse.click(*middle)
    assert page.evaluate("document.querySelector('.stma').lab.get('pixel')[0]") == rows[1]


def hover_text(page, x: float, y: float) -> str:
    page.mouse.move(x, y)
    return said(page)


def test_the_patch_may_move_away_beneath_the_pointer(page):
    hover(page, ROW, COLUMN)
    page.locator("canvas.overview").press("ArrowDown")
    row = page.evaluate("document.querySelector('.stma').lab.get('pixel')[0]")
    assert f"Pixel row {row}, " in said(page), "the chosen pixel went along; the other is gone"


def test_undo_and_redo(page):
    first = said(page)
    page.mouse.click(*place_of(page, 20, 30))
    page.get_by_label("Level", exact=True).select_option("3")
    page.mouse.move(0, 0)
    second = said(page)
    for _ in range(2):
        page.get_by_role("button", name="Undo").click()
    assert said(page) == first
    page.locator("canvas.scene").focus()
    page.keyboard.press("Control+Shift+z")
    page.keyboard.press("Control+y")
    assert said(page) == second


def test_every_control_has_a_name_and_painting_is_fast(page):
    names = page.evaluate(
        """() => ["select", "input", "button", "canvas:not(button *, [aria-hidden])"]
        .flatMap((kind) => [...document.querySelectorAll(`.stma ${kind}`)])
        .filter((node) => node.checkVisibility())
        .map((node) => node.getAttribute("aria-label") || node.textContent ||
            node.labels?.[0]?.textContent)"""
    )
    assert len(names) >= 14 and all(names), names
    assert page.get_attribute(".stma", "data-lm-suppress-shortcuts") == "true"
    times = []
    for step in range(30):
        hover(page, ROW + step % PATCH, COLUMN + 3 * step % PATCH)
        times.append(float(page.get_attribute(".stma", "data-paint")))
    print(f"hover to paint: median {np.median(times):.1f} ms, largest {max(times):.1f} ms")
    assert np.median(times) < 100


@windows(390, 1440)
def test_the_page_is_accessible_and_never_wider_than_its_window(
    view, browser, tmp_path, width, scheme
):
    Axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe
    path = view.save_html(tmp_path / "view.html")
    page, wrong = opened(browser, path, width, color_scheme=scheme)
    found = Axe().run(page).response["violations"]
    assert not found, [(v["id"], [node["html"] for node in v["nodes"]][:3]) for v in found]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()
    assert not wrong, wrong


def test_what_is_printed_is_light_with_its_legend(view, browser, tmp_path):
    view.layer = "label"
    path = view.save_html(tmp_path / "view.html")
    page, wrong = opened(browser, path, 800, color_scheme="dark")
    # The colour of the numbers beside the patch, most of what is opaque in that margin.
    margin = """() => {
        const copy = new OffscreenCanvas(60, 600);
        const g = copy.getContext("2d", { willReadFrequently: true });
        g.drawImage(document.querySelector("canvas.scene"), 0, 0);
        const { data } = g.getImageData(0, 0, 60, 600), tones = [];
        for (let k = 0; k < data.length; k += 4) if (data[k + 3] > 250) tones.push(data[k]);
        return tones.sort((a, b) => a - b)[tones.length >> 1];
    }"""
    assert page.evaluate(margin) > 140, "light figures on the dark screen"
    page.emulate_media(media="print")
    settled(page)
    assert page.evaluate(margin) < 110
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    exact = "getComputedStyle(document.querySelector('.legend i')).printColorAdjust"
    assert page.evaluate(exact) == "exact"
    page.close()
    assert not wrong, wrong


def test_a_season_over_new_year_tells_its_years(trained, season, browser, tmp_path):
    days = np.array(["2017-10-29", "2017-12-04", "2018-02-02", "2018-06-02", "2018-10-24"])
    turned = season.assign_coords(time=days.astype("M8[ns]"))
    view = explorer.AttentionExplorer(trained, turned, ROW, COLUMN, allow=("dates",))
    page, wrong = opened(browser, view.save_html(tmp_path / "view.html"))
    assert page.inner_text(".told").startswith("29 Oct 2017 asks, ")
    page.locator("canvas.matrix").focus()
    page.keyboard.press("ArrowUp")
    assert "29 Oct 2017 asks" in said(page) + page.inner_text(".told")
    page.close()
    assert not wrong, wrong


def test_pixels_without_data_are_none_in_the_page_too(trained, season, browser, tmp_path):
    season.vv[:, 10:14, 26:30], season.vh[:, 10:14, 26:30] = np.nan, np.nan
    season.vv[2, 16, 30] = np.nan
    view = explorer.AttentionExplorer(trained, season, ROW, COLUMN)
    page, wrong = opened(browser, view.save_html(tmp_path / "view.html"))
    mapped = page.evaluate("[...document.querySelector('.stma').lab.after.prediction]")
    mapped = np.reshape(mapped, (PATCH, PATCH))
    assert (mapped[2:6, 2:6] == 255).all() and (mapped == 255).sum() == 16
    assert (mapped == view.outcome()["prediction"]).mean() > 0.995
    assert "(no data, mapped as no data)" in hover(page, 11, 27)
    page.close()
    assert not wrong, wrong


def test_a_network_too_large_is_looked_at_in_the_page(large, season, browser, tmp_path):
    view = explorer.AttentionExplorer(large, season, ROW, COLUMN)
    page, wrong = opened(browser, view.save_html(tmp_path / "view.html"))
    for view.level in (1, "cross"):
        page.get_by_label("Level", exact=True).select_option(str(view.level))
        alike(hover(page, 14, 31), view.describe((14, 31)))
    assert "too large to run in a page" in page.inner_text(".stma")
    assert page.locator("canvas.overview").count() == 0
    page.close()
    assert not wrong, wrong
