"""The pages in a real browser: opened from a disk and from a server, at a desk and on a phone, in
light and dark, with a keyboard and without scripts.
"""

import functools
import http.server
import json
import re
import threading
from pathlib import Path

import nbformat
import pytest
from conftest import complaints
from nbformat.v4 import new_markdown_cell, new_notebook

from stma_nb.course import website
from stma_nb.course.pictures import PICTURES
from stma_nb.course.website import Chapter

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9][0-9]*_*.ipynb"))
EXPLORER_NOTEBOOK = "09_attention_explorer"


def test_what_a_notebook_brings_along_runs_no_code_and_asks_no_server(browser, tmp_path):
    """HTML in Markdown is the author's own and stays; the page's policy holds it back."""
    text = (
        "# T\n\n<script>document.title = 'run'</script>\n\n"
        "<img src='http://127.0.0.1:9/x.png' onerror=\"document.title = 'run'\">"
    )
    nbformat.write(new_notebook(cells=[new_markdown_cell(text)]), tmp_path / "small.ipynb")
    page = tmp_path / "small.html"
    page.write_text(website.page_of(Chapter(tmp_path / "small.ipynb"), []), encoding="utf-8")
    (tmp_path / "site.css").write_text("main { color: rgb(1, 2, 3) }")
    tab, failed = browser.new_page(), []
    tab.on("requestfailed", lambda request: failed.append(request.failure))
    tab.goto(page.as_uri(), wait_until="load")
    assert tab.title().startswith("T ") and tab.locator("h1").inner_text() == "T"
    assert failed == ["csp"], "the image was not asked for"
    assert tab.evaluate("getComputedStyle(document.querySelector('main')).color") == "rgb(1, 2, 3)"
    tab.close()


@pytest.fixture(params=[1280, 390], ids=["desk", "phone"])
def tab(request, browser):
    """A function that opens an address; in the end nothing went wrong and nothing was asked from
    outside its folder.
    """
    page, folders = (
        browser.new_page(viewport={"width": request.param, "height": 900}),
        ["data:", "blob:"],
    )
    wrong = complaints(page, allowed=folders)

    def open_page(address: str):
        folders.append(address.rpartition("/")[0])
        page.goto(address, wait_until="load")
        return page

    yield open_page
    page.close()
    assert not wrong, wrong


@pytest.fixture
def server(site):
    """The address of the folder of pages on a web server."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    handler = functools.partial(Quiet, directory=site.parent.parent)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/project/pages"
        server.shutdown()


@pytest.mark.parametrize("name", ["index", *(path.stem for path in NOTEBOOKS)])
def test_pages_are_readable_at_every_width(tab, site, name):
    page = tab((site / f"{name}.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
        "only boxes scroll sideways, not the page"
    )
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    assert page.evaluate(
        "[...document.images].every((image) => image.complete && image.naturalWidth > 0)"
    )


def explore(page) -> None:
    """Move to another row in the explorer of a page, and wait for the sentence about it."""
    page.locator("iframe").scroll_into_view_if_needed()  # it loads when it comes in sight
    frame = page.frame_locator("iframe")
    frame.locator(".sentence:not(:empty)").wait_for()
    if not frame.get_by_label("Pixel row", exact=True).is_visible():  # on a phone, in a drawer
        frame.get_by_text("Controls", exact=True).click()
    frame.get_by_label("Pixel row", exact=True).fill("70")
    frame.get_by_label("Pixel row", exact=True).press("Tab")
    frame.get_by_text(re.compile("^Pixel row 70, column")).wait_for()


def test_the_explorer_lives_in_its_page(tab, site):
    explore(tab((site / f"{EXPLORER_NOTEBOOK}.html").as_uri()))


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.page)
def test_a_frame_is_as_high_as_its_picture(browser, site, picture, width):
    [path] = [path for path in NOTEBOOKS if path.name.startswith(picture.notebook)]
    page = browser.new_page(viewport={"width": width, "height": 900})
    wrong = complaints(page, allowed=[site.as_uri(), "data:", "blob:"])
    page.goto((site / f"{path.stem}.html").as_uri(), wait_until="load")
    frame = page.locator(f"iframe[src='{picture.page}']")
    frame.scroll_into_view_if_needed()
    inside = page.frame_locator(f"iframe[src='{picture.page}']")
    inside.locator(".sentence:not(:empty)").wait_for()
    [content] = [found for found in page.frames if found.url.endswith(picture.page)]

    def becomes_true(condition: str) -> None:
        """The frame's policy lets nothing wait in it by a text, so it is asked again and again."""
        for _ in range(100):
            if content.evaluate(condition):
                return
            page.wait_for_timeout(50)
        raise AssertionError(condition)

    becomes_true("document.documentElement.scrollHeight <= innerHeight && innerHeight < 8000")
    closed = frame.bounding_box()["height"]
    for _ in range(2):  # open the table, and close it
        inside.locator(".stma details summary:visible").first.click()
        becomes_true("document.documentElement.scrollHeight <= innerHeight")
    assert content.evaluate("document.documentElement.scrollWidth <= innerWidth")
    becomes_true(f"innerHeight <= {closed}")
    page.close()
    assert not wrong, wrong


def test_without_scripts_stills_stay_in_their_places(browser, site):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site / f"{NOTEBOOKS[1].stem}.html").as_uri())
    assert page.locator(".live img").count() == 2 and page.locator("iframe").count() == 0
    context.close()


def test_pages_work_under_a_path_of_a_web_server(tab, server):
    page = tab(f"{server}/index.html")
    page.locator(f"h2 a[href='{EXPLORER_NOTEBOOK}.html']").click()
    explore(page)
    page.get_by_role("link", name="Before:").first.click()
    page.get_by_role("banner").get_by_role("link").click()
    page.wait_for_url(f"{server}/index.html")


def test_the_reference_can_be_searched_offline(tab, site):
    page = tab((site / "api" / "stma_nb.html").as_uri())
    if page.locator("#navtoggle").is_visible():  # on a phone it lies in a menu
        page.locator("#navtoggle").click()
    page.get_by_role("searchbox").fill("stratified_sample")
    page.get_by_role("main").get_by_text("accuracy.stratified_sample").first.wait_for()


def test_solutions_open(tab, site):
    page = tab((site / f"{NOTEBOOKS[0].stem}.html").as_uri())
    solution = page.locator("details.solution").first
    assert not solution.locator(".highlight").is_visible()
    solution.locator("summary").click()
    assert solution.locator(".highlight").is_visible()


ONE_OF_A_KIND = ["index", "glossary", "questions", "search", NOTEBOOKS[0].stem, "attention"]
ONE_OF_A_KIND += ["api/stma_nb", "api/stma_nb/attention"]
OTHERS = [*(path.stem for path in NOTEBOOKS[1:]), "api/stma_nb/train"]


@pytest.mark.parametrize(
    "names", [ONE_OF_A_KIND, pytest.param(OTHERS, marks=pytest.mark.slow)], ids=["kinds", "others"]
)
@pytest.mark.parametrize("width, scheme", [(1440, "dark"), (390, "light")])
def test_accessibility(browser, site, width, scheme, names):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
    )
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    bad = []
    for name in names:
        page.goto((site / f"{name}.html").as_uri(), wait_until="load")
        page.evaluate("document.querySelectorAll('details').forEach((box) => { box.open = true })")
        options = {"resultTypes": ["violations"], "preload": False, "iframes": False}
        for found in axe.Axe().run(page, options=options).response["violations"]:
            if found["impact"] in ("serious", "critical"):
                first = found["nodes"][0]["html"][:200]
                bad.append(f"{name}: {found['id']}: {found['help']}: {first}")
    page.close()
    assert not bad, "\n".join(bad)


# -------------------------------------------------------------------- what scripts add to the pages


def find(page, words: str) -> None:
    page.keyboard.press("/")
    page.keyboard.type(words)
    page.locator(".finder > p").filter(has_text=re.compile("found$|^The first")).wait_for()


def test_the_search_finds_beginnings_of_words_and_headings_first(tab, site):
    page = tab((site / f"{NOTEBOOKS[3].stem}.html").as_uri())
    find(page, "speck filt")
    first = page.locator(".finder li").first
    assert first.locator("a").inner_text() == "5. Speckle filters"
    assert [mark.inner_text() for mark in first.locator("a mark").all()] == ["Speck", "filt"]
    context = first.locator("p").inner_text()
    assert "filter" in context and len(context) < 200
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.matches('.finder li:nth-child(2) a')")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("02_sar_preprocessing.html#5.-Speckle-filters"))


def test_the_search_reaches_glossary_questions_and_reference(tab, site):
    page = tab((site / "index.html").as_uri())
    for words, address in (
        ("autocorr", "glossary.html#autocorrelation"),
        ("map gives 80 pixels", "questions.html#00-A-crop-map-from-radar,-in-minutes"),
        ("stratified_sample", "api/stma_nb/accuracy.html#stratified_sample"),
    ):
        find(page, words)
        addresses = page.eval_on_selector_all(
            ".finder a", "(links) => links.map((link) => link.getAttribute('href'))"
        )
        assert address in addresses[:3], (words, addresses)
        page.keyboard.press("Escape")
        assert not page.locator(".finder").is_visible()
    page.keyboard.press("/")
    page.keyboard.type("xyzzy")
    page.get_by_text("Nothing is found").wait_for()


def test_the_search_puts_the_course_before_the_reference_and_code(tab, site):
    page = tab((site / "index.html").as_uri())
    places = "(links) => links.map((link) => [link.getAttribute('href'), link.innerText])"
    find(page, "speckle")
    found = page.eval_on_selector_all(".finder a", places)
    first = found[:5]
    assert any(address.startswith("01_sar_time_series.html#2.") for address, _ in first), first
    assert any(address == "glossary.html#speckle" for address, _ in first), first
    kinds = ["reference" if address.startswith("api/") else "course" for address, _ in found]
    assert kinds == sorted(kinds), "no function before a chapter"
    named = ["speckle" in heading.lower() for _, heading in found[: kinds.count("course")]]
    assert named == sorted(named, reverse=True), "headings first"
    page.keyboard.press("Escape")
    find(page, "season_map")
    assert page.locator(".finder a").first.get_attribute("href").endswith("#season_map")


def test_a_live_picture_leads_back_to_the_course_but_not_within_its_frame(browser, site):
    page = browser.new_page()
    wrong = complaints(page, allowed=[site.as_uri(), "data:", "blob:"])
    page.goto((site / "dates.html").as_uri())
    page.get_by_role("link", name="Notebook 04").click()
    page.wait_for_url(re.compile("04_temporal_attention.html"))
    page.locator("iframe").scroll_into_view_if_needed()
    inside = page.frame_locator("iframe")
    inside.locator(".sentence:not(:empty)").wait_for()
    assert inside.locator("#back").count() == 1 and not inside.locator("#back").is_visible()
    page.close()
    assert not wrong, wrong


def test_dark_follows_the_system_until_the_reader_chooses(browser, site):
    context = browser.new_context(color_scheme="dark", viewport={"width": 1440, "height": 900})
    page = context.new_page()
    ground = "getComputedStyle(document.body).backgroundColor"
    page.goto((site / "index.html").as_uri())
    switch = page.get_by_role("button", name="Dark")
    assert page.evaluate(ground) == "rgb(20, 23, 26)"
    assert switch.get_attribute("aria-pressed") == "true"
    switch.click()
    assert page.evaluate(ground) == "rgb(255, 255, 255)"
    page.goto((site / f"{NOTEBOOKS[1].stem}.html").as_uri())
    assert page.evaluate(ground) == "rgb(255, 255, 255)", "the choice is remembered"
    page.emulate_media(color_scheme="light")
    page.get_by_role("button", name="Dark").click()
    assert page.evaluate(ground) == "rgb(20, 23, 26)"
    card = "getComputedStyle(document.querySelector('.picture img')).backgroundColor"
    assert page.evaluate(card) == "rgb(255, 255, 255)", "figures keep their white card"
    page.emulate_media(media="print")
    assert page.evaluate(ground) == "rgb(255, 255, 255)", "print is light"
    context.close()


def test_live_pictures_are_as_dark_as_the_page_around_them(browser, site):
    page = browser.new_page(color_scheme="light", viewport={"width": 1440, "height": 900})
    page.goto((site / "01_sar_time_series.html").as_uri())
    page.locator("iframe").first.scroll_into_view_if_needed()
    inside = page.frame_locator("iframe >> nth=0")
    inside.locator(".sentence:not(:empty)").wait_for()
    page.get_by_role("button", name="Dark").click()
    inside.locator(".stma.dark").wait_for()
    page.get_by_role("button", name="Dark").click()
    inside.locator(".stma.light").wait_for()
    page.close()


def test_code_is_copied_and_fits_without_scrolling(browser, site):
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, permissions=["clipboard-read", "clipboard-write"]
    )
    page = context.new_page()
    for path in NOTEBOOKS:
        page.goto((site / f"{path.stem}.html").as_uri())
        page.evaluate("document.querySelectorAll('details').forEach((box) => { box.open = true })")
        wide = page.evaluate(
            "[...document.querySelectorAll('.highlight pre')]"
            ".filter((box) => box.scrollWidth > box.clientWidth).map((box) => box.textContent)"
        )
        assert not wide, (path.stem, wide)
    page.locator(".copy:visible").first.focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Copied").wait_for()
    code = page.locator(".cell:not(details) .highlight pre").first
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied in page.locator("main").inner_text() and len(copied) > 20 and code.count()
    context.close()


def test_figures_enlarge_by_tap_and_by_keyboard(tab, site):
    page = tab((site / f"{NOTEBOOKS[3].stem}.html").as_uri())
    image = page.locator(".picture img").first
    before = image.bounding_box()["width"]
    image.click()
    large = page.locator("dialog.large img")
    assert large.bounding_box()["width"] > before
    assert large.get_attribute("alt") == image.get_attribute("alt")
    page.keyboard.press("Escape")
    assert not large.is_visible()
    page.locator(".enlarge").first.focus()
    page.keyboard.press("Enter")
    assert large.is_visible()
    page.get_by_role("button", name="Close").click()
    assert page.evaluate("document.activeElement.className") == "enlarge"


def test_chapters_are_folded_on_a_phone_and_the_section_that_is_read_is_marked(browser, site):
    address = (site / f"{NOTEBOOKS[1].stem}.html").as_uri()
    page = browser.new_page(viewport={"width": 390, "height": 800})
    page.goto(address)
    link = page.locator(".chapters a[href^='05_']")
    assert not link.is_visible()
    page.get_by_text("Chapters", exact=True).click()
    assert link.is_visible()
    page.set_viewport_size({"width": 1440, "height": 900})
    page.locator("main h2").nth(4).evaluate("(heading) => heading.scrollIntoView()")
    title = page.locator("main h2").nth(4).inner_text()
    marked = page.locator(".sections a[aria-current='location']")
    marked.filter(has_text=title.rstrip("#").strip()).wait_for()
    assert marked.count() == 1
    page.close()


def test_a_word_of_the_glossary_is_explained_on_focus_and_hover(browser, tmp_path, site):
    text = "# T\n\nThe [attention](glossary.md#attention) of dates."
    nbformat.write(new_notebook(cells=[new_markdown_cell(text)]), tmp_path / "small.ipynb")
    made = website.page_of(Chapter(tmp_path / "small.ipynb"), [])
    (tmp_path / "small.html").write_text(made, encoding="utf-8")
    (tmp_path / "site.css").write_text((site / "site.css").read_text("utf-8"))
    page = browser.new_page()
    page.goto((tmp_path / "small.html").as_uri())
    link, meaning = (
        page.get_by_role("link", name="attention", exact=True),
        page.get_by_role("tooltip"),
    )
    link.focus()
    assert meaning.inner_text().startswith("A weighted mean whose weights")
    assert link.get_attribute("aria-describedby") == meaning.get_attribute("id")
    page.keyboard.press("Escape")
    assert not meaning.is_visible()
    link.hover()
    meaning.hover()
    page.wait_for_timeout(300)
    assert meaning.is_visible(), "the words can be reached"
    page.mouse.move(600, 500)
    meaning.wait_for(state="hidden")
    page.close()


def choose(page, answers: str) -> None:
    for number, letter in enumerate(answers, 1):
        page.locator(f"[name=question-{number}][value={letter}]").check()


def test_the_quiz_keeps_to_the_score_first_and_answers_later(tab, site):
    page = tab((site / "questions.html").as_uri())
    score = page.get_by_role("button", name="Score")
    choose(page, "bcaddbcdac")
    assert page.locator("fieldset .verdict:not(:empty)").count() == 0
    assert page.locator("fieldset details:visible").count() == 0, "nothing gives the answer away"
    score.click()
    page.get_by_text("10 of 12 questions have an answer").wait_for()
    choose(page, "bcaddbcdacab")  # ten right, the last two wrong
    score.click()
    page.get_by_text("10 of 12 right; kept as your score at the beginning.").wait_for()
    page.get_by_label("When do you take the quiz?").select_option("end")
    last = page.locator("fieldset").last
    assert last.get_attribute("data-state") == "wrong"
    assert "Not quite. Blocks of the same scene" in last.locator(".verdict").inner_text()
    page.locator("[name=question-12][value=a]").check()
    assert last.get_attribute("data-state") == "right"
    page.reload()
    assert page.locator("[name=question-12][value=a]").is_checked(), "answers are kept"
    score.click()
    page.get_by_text(
        "11 of 12 right; kept as your score at the end. At the beginning it was 10."
    ).wait_for()
    page.goto((site / "index.html").as_uri())
    tally = page.locator("#progress").inner_text()
    assert "beginning: 10 of 12" in tally and "end: 11 of 12" in tally


def test_progress_survives_is_saved_and_read_and_cleared(tab, site, tmp_path):
    page = tab((site / f"{NOTEBOOKS[0].stem}.html").as_uri())
    page.get_by_label("I have worked through this notebook").check()
    page.goto((site / "index.html").as_uri())
    tally = page.locator("#progress")
    done = page.locator(f".card[data-chapter='{NOTEBOOKS[0].stem}'] .tick")
    assert f"1 of {len(NOTEBOOKS)} notebooks done" in tally.inner_text() and done.count() == 1
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as a file").click()
    download.value.save_as(tmp_path / "mine.json")
    saved = json.loads((tmp_path / "mine.json").read_text())
    assert saved == {"done": [NOTEBOOKS[0].stem], "answers": {}, "scores": {}}
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Clear").click()
    page.get_by_text("Cleared.").wait_for()
    assert "0 of" in tally.inner_text() and done.count() == 0
    (tmp_path / "other.json").write_text('{"cells": []}')
    page.locator("input[type=file]").set_input_files(tmp_path / "other.json")
    page.get_by_text("other.json holds no progress of this course").wait_for()
    page.locator("input[type=file]").set_input_files(tmp_path / "mine.json")
    page.get_by_text("Read mine.json.").wait_for()
    page.reload()
    assert "1 of" in tally.inner_text() and done.count() == 1


def test_a_browser_that_keeps_nothing_still_shows_all(browser, site):
    page = browser.new_page()
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new Error('no'); } })"
    )
    wrong = complaints(page, allowed=[site.as_uri(), "data:", "blob:"])
    page.goto((site / "questions.html").as_uri())
    page.get_by_role("button", name="Dark").click()
    page.locator("[name=question-1]").first.check()
    page.get_by_role("button", name="Score").click()
    page.get_by_text("1 of 12 questions have an answer").wait_for()
    page.close()
    assert not wrong, wrong


def test_without_scripts_answers_unfold_and_chapters_are_listed(browser, site):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site / "questions.html").as_uri())
    page.locator("fieldset summary").first.click()
    assert page.get_by_text("Twice as much is 3 dB more.").is_visible()
    page.get_by_text("Chapters", exact=True).click()
    assert page.locator(".chapters a[href^='05_']").is_visible()
    context.close()
