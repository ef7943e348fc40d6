"""The attention explorer in a real JupyterLab: mouse and keyboard, picture and sentence, browser
and kernel agree.
"""
# ruff: noqa: F811 (the fixtures and helpers of the explorer tests are imported)

import ast
import pickle
import re
import time

import numpy as np
import pytest
from conftest import jupyterlab, notebook
from test_76_attention_explorer import (  # noqa: F401
    COLUMN,
    PATCH,
    ROW,
    alike,
    hover,
    maps,
    place_of,
    said,
    settled,
    trained,
    view,
)

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytest.importorskip("jupyterlab", reason="JupyterLab is not installed")
CELLS = (
    "import pickle\nfrom pathlib import Path\nfrom stma_nb.attention import AttentionExplorer",
    f"view = AttentionExplorer(*pickle.loads(Path('explored').read_bytes()), {ROW}, "
    f"{COLUMN})\nview",
    "",
)
START = (ROW + PATCH // 2, COLUMN + PATCH // 2)

# --------------------------------------------------------------------------- JupyterLab and browser


@pytest.fixture(scope="module")
def lab(tmp_path_factory, browser):
    with jupyterlab(browser, tmp_path_factory, CELLS) as lab:
        yield lab


@pytest.fixture
def page(lab, trained, season):
    """All cells run anew, the explorer in sight; at the end nothing was asked from outside and
    nothing went wrong.
    """
    (lab.folder / "explored").write_bytes(pickle.dumps((trained, season)))
    lab.page.mouse.move(0, 0)
    for command in ("clear-all-cell-outputs", "run-all-cells"):
        lab.page.evaluate(f"jupyterapp.commands.execute('notebook:{command}')")
    settled(lab.page)
    lab.page.locator(".stma").evaluate("node => node.scrollIntoView()")
    yield lab.page
    wrong, lab.wrong[:] = list(lab.wrong), []
    assert not wrong, wrong


def kernel_follows(page, **expected) -> None:
    """The traits in the kernel become these; messages are on their way for a moment."""
    ask = """async (code) => {
        const { kernel } = jupyterapp.shell.currentWidget.sessionContext.session;
        const printed = [], future = kernel.requestExecute({ code });
        future.onIOPub = ({ content }) => printed.push(content.text ?? "");
        await future.done;
        return printed.join("");
    }"""
    code, end, state = (
        f"print({{name: getattr(view, name) for name in {[*expected]}}})",
        time.monotonic() + 10,
        None,
    )
    while state != expected and time.monotonic() < end:
        state = ast.literal_eval(page.evaluate(ask, code))
    assert state == expected


def pictures(page) -> list[str]:
    """Scene, locked scene if there is one, and chart as they are painted."""
    said(page)
    shown = (
        "document.querySelectorAll('.stma .space figure:not([hidden]) canvas, .stma canvas.curves')"
    )
    return page.evaluate(f"[...{shown}].map((canvas) => canvas.toDataURL())")


def all_differ(before: list[str], after: list[str]) -> bool:
    return all(old != new for old, new in zip(before, after, strict=True))


def click(page, row: int, column: int) -> str:
    hover(page, row, column)
    page.mouse.down()
    page.mouse.up()
    return said(page)


def press(page, *keys: str) -> str:
    for key in keys:
        page.keyboard.press(key)
    return said(page)


# -------------------------------------------------------------------------------------------- tests


@pytest.mark.slow
def test_hover_says_what_python_says(page, view):
    for view.level, view.head in ((1, 2), (3, 0), ("cross", 1)):
        page.get_by_label("Level", exact=True).select_option(str(view.level))
        page.get_by_label("Head", exact=True).select_option(str(view.head))
        for pixel in ((8, 24), (14, 31), (23, 39)):
            before = pictures(page)
            alike(hover(page, *pixel), view.describe(pixel))
            assert all_differ(before, pictures(page))
    page.mouse.move(0, 0)
    assert said(page).startswith("Pixel row 16, column 32"), (
        "without a pointer, the pixel of the trait"
    )
    kernel_follows(page, pixel=START, level="cross", head=1)


@pytest.mark.slow
def test_a_second_click_locks_and_the_weight_given_is_the_networks(page, view, maps):
    click(page, 14, 31)  # in the cell of level 1 at position (1, 1) of 4 x 4
    kernel_follows(page, pixel=(14, 31), locked=None)
    click(page, 14, 31)
    kernel_follows(page, pixel=(14, 31), locked=(14, 31))
    for view.head in (1, 2, 3, 4):
        page.get_by_label("Head", exact=True).select_option(str(view.head))
        weights = maps["spatial"][0][0, view.head - 1, 5].numpy()
        for cell in (0, 15, weights.argmax()):
            pixel = (ROW + cell // 4 * 4 + 2, COLUMN + cell % 4 * 4 + 3)
            own, locked = hover(page, *pixel).split(" The locked pixel, ")
            alike(own, view.describe(pixel))
            assert locked.startswith("row 14, column 31 (")
            shown = re.search(r"gives ([\d.]+) % of its attention to the cell of this", locked)[1]
            assert abs(float(shown) - 100 * weights[cell]) < 0.75
    assert len(pictures(page)) == 3
    assert "locked" not in click(page, 14, 31), "one more click unlocks"
    kernel_follows(page, locked=None)


def test_keys_move_the_pixel_and_leave_the_notebook_alone(page, view):
    click(page, 9, 25)  # takes the focus; JupyterLab selects the cell in command mode
    page.mouse.move(0, 0)
    before = notebook(page)
    assert before[:2] == [1, "command"]
    alike(
        press(page, "ArrowDown", "ArrowRight", "ArrowRight", "Shift+ArrowUp"),
        view.describe((8, 27)),
    )
    kernel_follows(page, pixel=(8, 27), locked=None)
    assert "The locked pixel, row 8, column 27" in press(page, "Enter", "ArrowLeft")
    assert len(pictures(page)) == 3
    kernel_follows(page, pixel=(8, 26), locked=(8, 27))
    alike(press(page, "Escape"), view.describe((8, 26)))
    assert len(pictures(page)) == 2
    painted = pictures(page)
    press(page, "PageDown")
    assert all_differ(painted, pictures(page))
    kernel_follows(page, date=1, locked=None)
    # In command mode these add, cut, turn, delete and merge cells; a digit makes a heading.
    press(page, *"abxmydd1", "Shift+M")
    alike(said(page), view.describe((8, 26)))
    assert notebook(page) == before
    # Echoes of the first come after the last.
    press(page, *["ArrowRight"] * 7, *["ArrowDown"] * 5, *["ArrowLeft"] * 3)
    kernel_follows(page, pixel=(13, 30))
    alike(said(page), view.describe((13, 30)))
    assert notebook(page) == before


@pytest.mark.slow
def test_every_control_by_mouse_and_back_by_keyboard(page, view):
    painted, words = pictures(page), said(page)
    for label, trait, value, *keys in (
        ("Image", "layer", "label", "ArrowUp", "ArrowUp"),
        ("Date", "date", 4, *["ArrowLeft"] * 4),
        ("Level", "level", 2, "ArrowUp"),
        ("Head", "head", 2, "ArrowUp"),
        ("Opacity of the attention", "opacity", 1, *["ArrowLeft"] * 6),
        ("Pixel row", "pixel", (17, 32), "ArrowDown"),
        ("Pixel column", "pixel", (16, 33), "ArrowDown"),
    ):
        control, before = page.get_by_label(label, exact=True), getattr(view, trait)
        size = control.bounding_box()
        if label in ("Image", "Level", "Head"):
            control.select_option(str(value))  # the list that a click opens is no part of the page
        elif trait == "pixel":  # the upper of the two small arrows of a number
            control.click(position={"x": size["width"] - 12, "y": 8})
        else:  # the end of a slider
            control.click(position={"x": size["width"] - 2, "y": 12})
        kernel_follows(page, **{trait: value})
        setattr(view, trait, value)
        assert painted != pictures(page), label
        alike(said(page), view.describe())
        setattr(view, trait, before)
        control.focus()
        cells = notebook(page)
        assert press(page, *keys) == words and pictures(page) == painted, label
        assert notebook(page) == cells, label
        kernel_follows(page, **{trait: before})


def test_a_slider_tells_the_kernel_only_where_it_ends(page):
    page.evaluate(
        """() => {
            window.sent = 0;
            const { kernel } = jupyterapp.shell.currentWidget.sessionContext.session;
            kernel.anyMessage.connect((_, { msg, direction }) => {
                if (direction === "send" && msg.header.msg_type === "comm_msg") sent += 1;
            });
        }"""
    )
    control = page.get_by_label("Opacity of the attention", exact=True)
    box = control.bounding_box()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + box["height"] / 2)
    page.mouse.down()
    for share in np.linspace(0.7, 0.2, 15):
        page.mouse.move(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
    page.mouse.up()
    page.wait_for_timeout(300)
    assert 1 <= page.evaluate("sent") <= 2


@pytest.mark.slow
def test_buttons_by_mouse_and_by_keyboard(page, view, season):
    bar = page.locator(".stma .drawer")
    lock = bar.get_by_role("button", name="lock")
    onward = bar.get_by_role("button", name="Next pixel")
    back = bar.get_by_role("button", name="Previous pixel")
    copy = page.locator(".words").get_by_role("button")
    lock.click()
    kernel_follows(page, locked=START)
    lock.press("Enter")
    kernel_follows(page, locked=None)
    (scene, chart), only = pictures(page), page.get_by_label("Show only")
    only.focus()
    press(page, "ArrowDown")
    assert scene != pictures(page)[0] and chart == pictures(page)[1], (
        "the other classes fade in the scene"
    )
    kernel_follows(page, only="Background")
    only.select_option(label="Maize")
    places = []
    for act in (onward.click, lambda: onward.press("Enter"), back.click, lambda: back.press(" ")):
        act()
        found = re.match(r"Pixel row (\d+), column (\d+) \(Maize", said(page))
        places.append((int(found[1]), int(found[2])))
        assert season.crop.values[places[-1]] == 1
    assert places[0] == places[2] and len({*places}) == 3
    kernel_follows(page, pixel=places[-1])
    for act in (copy.click, lambda: copy.press("Enter")):
        page.evaluate("navigator.clipboard.writeText('')")
        act()
        page.wait_for_function("async () => await navigator.clipboard.readText()")
        assert page.evaluate("navigator.clipboard.readText()") == said(page)


def test_the_patch_moves_in_the_kernel_as_in_the_page(page, view):
    page.locator("canvas.overview").focus()
    press(page, "ArrowDown", "Shift+ArrowLeft")
    kernel_follows(page, corner=(16, 8), pixel=(24, 16), locked=None)
    view.corner = (16, 8)
    alike(said(page), view.describe((24, 16)))
    page.get_by_role("button", name="Undo").click()
    kernel_follows(page, corner=(16, 24))


def test_experiments_by_mouse_and_keys_are_those_of_the_kernel(page, view):
    place = page.locator(".experiments")
    place.get_by_role("button", name="1 Jun", exact=True).click()
    said(page)
    edits = [{"do": "leave out", "dates": [2], "by": "mean", "area": {"kind": "patch"}}]
    kernel_follows(page, edits=edits)
    after = page.evaluate("[...document.querySelector('.stma').lab.after.prediction]")
    view.edits = edits
    theirs = view.outcome()["prediction"]
    assert (np.reshape(after, theirs.shape) == theirs).mean() > 0.995
    cells = notebook(page)
    kinds = place.get_by_label("Experiment", exact=True)
    kinds.focus()
    press(page, *"xdd")  # in command mode these cut and delete cells
    kinds.select_option(label="Equal attention")
    page.keyboard.press("Tab")
    assert notebook(page) == cells
    place.get_by_role("button", name="Make equal").press("Enter")
    even = {"do": "even", "branch": "temporal", "levels": [1, 2, 3], "heads": []}
    kernel_follows(page, edits=[*edits, even])
    weights = page.evaluate("[...document.querySelector('.stma').lab.after.temporal[1]]")
    np.testing.assert_allclose(weights, 1 / 5, atol=1e-6)
    page.keyboard.press("Control+z")
    kernel_follows(page, edits=edits)
    place.get_by_role("button", name="Clear all").click()
    kernel_follows(page, edits=[])
    assert notebook(page) == cells


def test_cells_read_and_set_what_the_browser_shows(page, view):
    def run(code: str) -> None:
        page.locator(".jp-Notebook .cm-content").last.click()
        page.keyboard.press("Control+a")
        page.keyboard.insert_text(code)
        page.keyboard.press("Control+Enter")

    output = page.locator(".jp-Cell").last.locator(".jp-OutputArea-output")
    click(page, 12, 27)
    page.get_by_label("Level", exact=True).select_option("cross")
    run("print(view.pixel, view.locked, view.level, view.describe())")
    view.level = "cross"
    playwright.expect(output).to_have_text(f"(12, 27) None cross {view.describe((12, 27))}")
    run(
        "view.locked, view.level, view.head, view.date, view.layer, view.opacity, view.pixel = "
        "None, 2, 3, 1, 'label', 0.2, (9, 25)"
    )
    view.level, view.head = 2, 3
    page.mouse.move(0, 0)
    page.wait_for_selector(".sentence:has-text('Pixel row 9, column 25')")
    alike(said(page), view.describe((9, 25)))
    controls = (
        "Level",
        "Head",
        "Date",
        "Image",
        "Opacity of the attention",
        "Pixel row",
        "Pixel column",
    )
    shown = [page.get_by_label(label, exact=True).input_value() for label in controls]
    assert shown == ["2", "3", "1", "label", "0.2", "9", "25"]
    run("view.edits = [{'do': 'leave out', 'dates': [2], 'by': 'mean'}]")
    view.edits = [{"do": "leave out", "dates": [2], "by": "mean"}]
    page.wait_for_selector(".sentence:has-text('1 June left out')")
    alike(said(page), view.describe((9, 25)))
    run("view.pixel = (7, 25)")
    playwright.expect(output).to_contain_text("Pixel (7, 25) is outside the patch")
    alike(said(page), view.describe((9, 25)))


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_explorer_takes_the_colours_of_jupyterlab(page, dark):
    theme = "JupyterLab Dark" if dark else "JupyterLab Light"
    page.evaluate(f"jupyterapp.commands.execute('apputils:change-theme', {{ theme: '{theme}' }})")
    page.wait_for_selector(
        f"body[data-jp-theme-light='{'false' if dark else 'true'}']", state="attached"
    )
    settled(page)
    paper, ink = page.evaluate(
        """() => { const style = getComputedStyle(document.querySelector(".stma"));
            return [style.backgroundColor, style.color].map((c) => +c.match(/\\d+/)[0]); }"""
    )
    assert (paper < 60 and ink > 200) if dark else (paper > 240 and ink < 60)


@pytest.mark.slow
def test_painting_is_fast(page):
    times = []
    for step in range(30):
        hover(page, ROW + step % PATCH, COLUMN + 3 * step % PATCH)
        times.append(float(page.get_attribute(".stma", "data-paint")))
    print(
        f"hover to paint in JupyterLab: median {np.median(times):.1f} ms, largest "
        f"{max(times):.1f} ms"
    )
    assert np.median(times) < 100
