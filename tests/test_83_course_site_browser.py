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
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

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


@pytest.mark.parametrize(
    "name, width",
    [(name, 1280) for name in ("index", *(path.stem for path in NOTEBOOKS), "attention")]
    + [(f"api/{name}", 1280) for name in ("stma_nb", "stma_nb/train", "stma_nb/attention")]
    + [(name, 390) for name in ("index", NOTEBOOKS[0].stem, EXPLORER_NOTEBOOK, "attention")],
)
def test_accessibility(browser, site, name, width):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
    )
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto((site / f"{name}.html").as_uri(), wait_until="load")
    page.evaluate("document.querySelectorAll('details').forEach((box) => { box.open = true })")
    found = (
        axe.Axe()
        .run(page, options={"resultTypes": ["violations"], "preload": False})
        .response["violations"]
    )
    page.close()
    bad = [
        f"{v['id']}: {v['help']}: {v['nodes'][0]['html'][:200]}"
        for v in found
        if v["impact"] in ("serious", "critical")
    ]
    assert not bad, "\n".join(bad)
