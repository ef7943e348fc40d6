"""The pictures that move, as saved pages in a browser: numbers and sentences are Python's, by
mouse, keys and touch, in light and dark, and nothing is asked of the network.
"""

import re

import numpy as np
import pytest
import xarray as xr
from conftest import complaints, windows

from stma_nb import cube, figures, radar, simulate

HOSTILE = "</script><img src=x onerror=\"document.title='obeyed'\">{{ 7 * 7 }}"


def player(season):
    return figures.season_player(season, pixel=(10, 12), date=2)


def chooser(season):
    return figures.crop_chooser(season, "Maize", "Sugar beet")


def bench(season):
    return figures.speckle_bench()


def dates(season):
    days = np.datetime_as_string(season.time.values, "D").tolist()
    values = figures.parcel_curves(season).vh.mean("parcel").values
    tokens = (values - values.mean()) / values.std()
    return figures.attention_temperature(np.outer(tokens, tokens), tokens, "level", days, asks=3)


def pixels(season):
    rng = np.random.default_rng(0)
    scores = rng.normal(size=300)
    own = scores > 0.5
    return figures.attention_temperature(
        scores, own + rng.normal(size=300), "power", things="pixels", own=own, truth=1.0
    )


PICTURES = {make.__name__: make for make in (player, chooser, bench, dates, pixels)}


@pytest.fixture
def show(browser, tmp_path):
    """A function that opens the saved page of a picture; in the end nothing was asked from outside
    and nothing went wrong.
    """
    pages, wrong = [], []

    def open_page(view, width=1100, **context):
        path = view.save_html(tmp_path / f"{len(pages)}.html")
        page = browser.new_page(viewport={"width": width, "height": 900}, **context)
        wrong.append(complaints(page, allowed=[path.as_uri()]))
        page.goto(path.as_uri())
        page.wait_for_selector(".sentence:not(:empty)")
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        page.close()
    assert not any(wrong), wrong


def painted(page) -> None:
    page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )


def said(page) -> str:
    painted(page)
    return page.inner_text(".sentence")


def rows(page) -> list[list[str]]:
    """The table below the picture, which is opened if it is not."""
    page.evaluate("document.querySelector('.stma details').open = true")
    return [line.split("\t") for line in page.inner_text(".stma tbody").splitlines()]


def number(text: str) -> float:
    return float(text.replace("−", "-").removesuffix(" %"))


def at(page, label: str):
    return page.get_by_label(label, exact=True)


# --------------------------------------------------------------------------------- the crop chooser


def test_the_chooser_says_what_python_says(show, season):
    season["vv"][1, :, 8:16] = np.nan  # a gap in one field of maize
    view = chooser(season)
    page = show(view)
    for view.first, view.second in (
        ("Maize", "Background"),
        ("Sugar beet", "Background"),
        ("Maize", "Maize"),
        ("Maize", "Sugar beet"),
    ):
        at(page, "First crop").select_option(view.first)
        at(page, "Second crop").select_option(view.second)
        assert said(page) == view.describe()
    curves = figures.parcel_curves(season)
    apart = figures.crop_difference(curves, "Maize", "Sugar beet")
    maize = curves.where(curves.crop == "Maize", drop=True).mean("parcel")
    for row, t in zip(rows(page), range(5), strict=True):
        assert row[0] == str(season.time.values[t])[:10]
        assert number(row[1]) == pytest.approx(float(maize.vv[t]), abs=0.006)
        assert number(row[6]) == pytest.approx(float(apart.vh[t]), abs=0.006)
    page.get_by_role("button", name="Swap").click()
    view.first, view.second = "Sugar beet", "Maize"
    assert said(page) == view.describe()


def test_names_of_strangers_are_text(show, season):
    crops = [cube.Crop(name, "#d55e00") for name in ("Background", HOSTILE, "Sugar beet")]
    season["crop"] = season.crop.assign_attrs(cube.flags(crops))
    view = figures.crop_chooser(season, HOSTILE, "Sugar beet")
    page = show(view)
    assert said(page) == view.describe() and HOSTILE in said(page)
    assert page.title() == view.TITLE and page.locator("img").count() == 0
    view = figures.season_player(season, pixel=(10, 12))
    page = show(view)
    assert HOSTILE in said(page) == view.describe() and page.locator("img").count() == 0
    view = figures.attention_temperature([1, 2], [3, 4], HOSTILE, [HOSTILE, "b"])
    page = show(view)
    assert HOSTILE in said(page) == view.describe() and page.locator("img").count() == 0


def test_keys_typed_in_a_picture_are_heard_by_nobody_else(show, season):
    for make in PICTURES.values():
        page = show(make(season))
        page.evaluate("heard = []; addEventListener('keydown', (e) => heard.push(e.key))")
        for control in page.locator(".stma :is(select, input, button, canvas[tabindex])").all():
            if control.is_enabled():
                control.focus()
                for key in ("x", "d", "m", "r", "ArrowDown"):
                    page.keyboard.press(key)
        page.keyboard.press("Tab")
        assert page.evaluate("heard") == ["Tab"]


# -------------------------------------------------------------------------------- the season player


def click(page, row: int, column: int, shape=(48, 64)) -> str:
    box = page.locator("canvas.map").bounding_box()
    x, y = (column + 0.5) * box["width"] / shape[1], (row + 0.5) * box["height"] / shape[0]
    page.locator("canvas.map").click(position={"x": x, "y": y})
    return said(page)


def test_the_player_says_what_python_says(show, season):
    season["vh"][1, :4] = np.nan
    season["parcel"][:, 32:40] = 0
    view = player(season)
    page = show(view)
    assert said(page) == view.describe()
    for view.per in ("pixel", "field"):
        at(page, "Curve of").select_option(view.per)
        for view.date in (1, 4):
            at(page, "Date").fill(str(view.date))
            for view.pixel in ((2, 3), (20, 12), (47, 63), (30, 35)):
                assert click(page, *view.pixel) == view.describe()
                vv, vh = view.course()
                for row, t in zip(rows(page), range(5), strict=True):
                    assert number(row[1]) == pytest.approx(vv[t], abs=0.006)
                    assert (
                        (row[2] == "no data")
                        if np.isnan(vh[t])
                        else (number(row[3]) == pytest.approx(vv[t] - vh[t], abs=0.011))
                    )


def test_the_player_paints_backscatter(show, season):
    season["vh"][1, :4] = np.nan
    season["vv"] = season.vv * np.random.default_rng(2).gamma(4.4, 1 / 4.4, season.vv.shape)
    season["vv"].attrs["units"] = "1"
    view = player(season)
    page = show(view)
    at(page, "Outlines of the fields").uncheck()
    at(page, "Curve of").select_option("pixel")
    click(page, 47, 0)

    def grey(row: int, column: int) -> list[int]:
        painted(page)
        return page.evaluate(
            """([row, column]) => {
                const canvas = document.querySelector("canvas.map"), unit = canvas.width / 64;
                const x = (column + 0.5) * unit, y = (row + 0.5) * unit;
                const copy = new OffscreenCanvas(1, 1).getContext("2d");
                copy.drawImage(canvas, -Math.floor(x), -Math.floor(y));
                return [...copy.getImageData(0, 0, 1, 1).data].slice(0, 3);
            }""",
            [row, column],
        )

    db = {band: radar.to_db(season[band]).values for band in ("vv", "vh")}
    db["ratio"] = db["vv"] - db["vh"]
    for layer, image in db.items():
        at(page, "Image").select_option(layer)
        low, high = np.nanpercentile(image, (2, 98))
        for date, row, column in ((0, 20, 20), (3, 11, 60), (4, 44, 33)):
            at(page, "Date").fill(str(date))
            shade = np.clip(255 * (image[date, row, column] - low) / (high - low), 0, 255)
            assert grey(row, column) == pytest.approx([shade] * 3, abs=4), (layer, date)
    at(page, "Image").select_option("vh")
    at(page, "Date").fill("1")
    assert grey(2, 30) == [150, 120, 90], "no data is brown, neither dark nor bright"
    at(page, "Image").select_option("colour")
    at(page, "Date").fill("3")
    expected = [
        np.clip(255 * (db[k][3, 20, 20] - a) / (b - a), 0, 255)
        for k, (a, b) in ((k, np.nanpercentile(v, (2, 98))) for k, v in db.items())
    ]
    assert grey(20, 20) == pytest.approx(expected, abs=4)


def test_the_player_by_keys(show, season):
    view = player(season)
    page = show(view)
    page.locator("canvas.map").focus()
    for key in (".", ".", ",", "ArrowDown", "ArrowRight", "Shift+ArrowLeft", "Shift+ArrowDown"):
        page.keyboard.press(key)
    view.date, view.pixel = 3, (21, 3)
    assert said(page) == view.describe()
    for _ in range(9):
        page.keyboard.press("ArrowLeft")
    view.pixel = (21, 0)
    assert said(page) == view.describe(), "it stays in the scene"
    chart = page.get_by_role("img", name="VV and VH over the season")
    box = chart.bounding_box()
    chart.click(position={"x": 52, "y": box["height"] / 2})
    view.date = 0
    assert said(page) == view.describe()


def test_the_player_plays_to_the_end_and_stops_when_told(show, season):
    view = player(season)
    page = show(view)
    page.wait_for_timeout(900)
    assert said(page) == view.describe(), "nothing moves by itself"
    page.get_by_role("button", name="Play").click()
    page.get_by_role("button", name="Stop").click()
    stopped = said(page)
    page.wait_for_timeout(900)
    assert said(page) == stopped != view.describe()
    page.get_by_role("button", name="Play").click()
    page.get_by_text(re.compile("^1 Aug: ")).wait_for()
    page.get_by_role("button", name="Play").wait_for()
    page = show(view, reduced_motion="reduce")
    page.get_by_role("button", name="Play").click()
    page.wait_for_timeout(900)
    assert said(page).startswith("1 Jul: "), "one step, since less motion is wanted"


def test_the_player_by_touch(show, season):
    view = player(season)
    page = show(view, width=390, has_touch=True, is_mobile=True)
    box = page.locator("canvas.map").bounding_box()
    unit = box["width"] / 64
    page.touchscreen.tap(box["x"] + 20.5 * unit, box["y"] + 30.5 * unit)
    view.pixel = (30, 20)
    assert said(page) == view.describe()
    for control in page.locator(".stma :is(button, select)").all():
        assert control.bounding_box()["height"] >= 44


# -------------------------------------------------------------------------------- the speckle bench


def experiment(page, view, **changes):
    """What the code of the bench computes: images, numbers and sentence, for traits."""
    names = ("looks", "filter", "window", "correlated", "seed")
    state = {name: getattr(view, name) for name in names} | changes
    return page.evaluate(
        """async ([code, facts, truth, state]) => {
            const text = `${code}\\nexport { experiment, summary };`;
            const address = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
            const { experiment, summary } = await import(address);
            const { noisy, image, across, numbers } =
                experiment(facts, new Float32Array(truth), state);
            const said = summary(state, numbers);
            return { noisy: [...noisy], image: [...image], across: [...across], numbers, said };
        }""",
        [str(view._esm), view.facts, view._truth.ravel().tolist(), state],
    )


@pytest.fixture
def blank(browser):
    page = browser.new_page()
    yield page
    page.close()


@pytest.mark.parametrize(
    "filter, window", [("none", 7), ("boxcar", 3), ("boxcar", 11), ("lee", 7), ("decibels", 5)]
)
def test_filters_and_numbers_of_the_bench_are_pythons(blank, filter, window):
    view = figures.speckle_bench(filter=filter, window=window, looks=3.2, seed=5)
    found = experiment(blank, view)
    noisy, image = (np.array(found[name]).reshape(128, 128) for name in ("noisy", "image"))
    np.testing.assert_allclose(image, view.filtered(noisy), rtol=2e-4)
    numbers = view.measures(noisy, image, np.array(found["across"])[None])
    assert found["numbers"] == pytest.approx(numbers, rel=1e-3, abs=1e-4)
    assert found["said"] == view.summary(found["numbers"])


@pytest.mark.parametrize("looks", [1.0, 4.4, 16.0])
def test_speckle_of_the_bench_has_the_looks_and_the_neighbours_of_sentinel(blank, looks):
    view = figures.speckle_bench(filter="none", looks=looks)
    draws = [np.array(experiment(blank, view, seed=k)["noisy"]).reshape(128, 128) for k in range(4)]
    ours = np.array(draws) / view._truth
    theirs = simulate.speckle(ours.shape, looks, np.random.default_rng(0))
    assert not np.array_equal(draws[0], draws[1]), "fresh speckle is new"
    for noise in (ours, theirs):
        assert noise.mean() == pytest.approx(1, abs=0.03)
        assert noise.mean() ** 2 / noise.var() == pytest.approx(looks, rel=0.1)
        for lag in (1, 2):
            across = np.corrcoef(noise[..., lag:].ravel(), noise[..., :-lag].ravel())[0, 1]
            down = np.corrcoef(noise[:, lag:].ravel(), noise[:, :-lag].ravel())[0, 1]
            expected = [np.sinc(lag * share) ** 2 for share in view.facts["shares"]]
            assert [down, across] == pytest.approx(expected, abs=0.05)
    free = np.array(experiment(blank, view, correlated=False)["noisy"]).reshape(128, 128)
    free /= view._truth
    assert abs(np.corrcoef(free[:, 1:].ravel(), free[:, :-1].ravel())[0, 1]) < 0.05


def test_the_bench_answers_to_its_controls(show, season, blank):
    view = bench(season)
    page = show(view)
    assert said(page) == experiment(blank, view)["said"]
    at(page, "Filter").select_option("lee")
    at(page, "Window").fill("5")
    at(page, "Looks").fill("2")
    view.filter, view.window, view.looks = "lee", 5, 2.0
    found = experiment(blank, view)
    assert said(page) == found["said"]
    shown = page.locator(".numbers dd").all_inner_texts()
    assert number(shown[0]) == pytest.approx(found["numbers"]["enl"], abs=0.051)
    page.get_by_role("button", name="Fresh speckle").click()
    assert said(page) == experiment(blank, view, seed=1)["said"] != found["said"]
    page.get_by_label("Neighbours share speckle").uncheck()
    assert said(page) == experiment(blank, view, seed=1, correlated=False)["said"]
    at(page, "Filter").select_option("none")
    assert at(page, "Window").is_disabled() and said(page).startswith("No filter: ENL ")


# --------------------------------------------------------------------- the sharpness of attention


def test_sharpness_in_the_browser_is_that_of_python(show, season):
    for view in (dates(season), pixels(season)):
        page = show(view)
        assert said(page) == view.describe()
        for step, view.sharpness in ((0, 0), (1, 2**-4), (13, 0.5), (23, 2**1.5), (37, 32)):
            at(page, "Sharpness").fill(str(step))
            assert said(page) == view.describe()
            order = np.argsort(-view._scores[view.asks], kind="stable")
            shown = rows(page)
            if view.facts["names"]:
                order = np.arange(5)
                assert [row[0] for row in shown] == view.facts["names"]
            weights = [number(row[2]) / 100 for row in shown]
            assert weights == pytest.approx(view.weights()[order][: len(shown)], abs=0.006)
        page.get_by_role("button", name="As computed").click()
        view.sharpness = 1
        assert said(page) == view.describe()
    view = dates(season)
    page = show(view)
    for view.asks in (0, 4):
        at(page, "Who asks").select_option(str(view.asks))
        assert said(page) == view.describe()


# --------------------------------------------------------------------------------------- every page


@windows(390, 1280)
@pytest.mark.parametrize("name", PICTURES)
def test_everybody_can_use_it(show, season, name, scheme, width):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
    )
    page = show(PICTURES[name](season), width, color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach((box) => { box.open = true })")
    found = axe.Axe().run(page, options={"resultTypes": ["violations"], "preload": False}).response
    bad = [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in found["violations"]]
    assert not bad, "\n".join(bad)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    paper = page.evaluate("getComputedStyle(document.querySelector('.stma')).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", paper)[:3])) > 380) == (scheme == "light")


@pytest.mark.parametrize("name", PICTURES)
def test_print_and_forced_colours_keep_pictures_and_legends(show, season, name):
    page = show(PICTURES[name](season), color_scheme="dark")
    page.emulate_media(media="print")
    assert not page.locator(".stma .bar").is_visible() and page.locator("canvas").first.is_visible()
    probe = "getComputedStyle(document.querySelector('.stma')).backgroundColor"
    assert page.evaluate(probe) == "rgb(255, 255, 255)", "ink is for white paper"
    dark = page.evaluate(
        """(place) => {
            const canvas = [...document.querySelectorAll("canvas")].at(place);
            const { data } =
                canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            return data.some((alpha, k) => k % 4 === 3 && alpha === 255
                && data[k - 1] + data[k - 2] + data[k - 3] < 280);
        }""",
        0 if name in ("dates", "pixels") else -1,
    )
    assert dark, "letters of the chart are dark on white"
    page.emulate_media(media="screen", forced_colors="active")
    painted(page)
    for mark in page.locator(".legend i").all():
        assert mark.evaluate("node => getComputedStyle(node).forcedColorAdjust") == "none"


def test_without_scripts_the_sentence_stands_there(browser, tmp_path, season):
    view = player(season)
    path = view.save_html(tmp_path / "view.html")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(path.as_uri())
    assert view.describe() in page.inner_text("main")
    context.close()


def test_a_season_without_fields_has_no_outlines(show, season):
    view = figures.season_player(season.drop_vars(["crop", "parcel"]))
    page = show(view)
    assert said(page) == view.describe() and page.get_by_label("Outlines").count() == 0


def test_a_long_season_over_new_year_names_its_years(show, season):
    season = xr.concat([season, season], "time", data_vars="minimal")
    season["time"] = season.time.values[0] + np.timedelta64(40, "D") * np.arange(10)
    view = figures.season_player(season, date=9)
    page = show(view)
    assert said(page) == view.describe() and said(page).startswith("27 Mar 2019: ")
