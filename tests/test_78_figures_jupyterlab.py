"""The pictures that move in a real JupyterLab: keys typed in them change no cell and no mode, and
Python follows what is chosen.
"""

import pickle
import time

import pytest
from conftest import jupyterlab, notebook

from stma_nb import figures

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytest.importorskip("jupyterlab", reason="JupyterLab is not installed")
CELLS = (
    "import pickle\nfrom pathlib import Path\nfrom stma_nb import figures\n"
    "season = pickle.loads(Path('season').read_bytes())",
    "chooser = figures.crop_chooser(season, 'Background', 'Sugar beet')\nchooser",
    "player = figures.season_player(season)\nplayer",
    "figures.speckle_bench()",
    "figures.attention_temperature([1, 2, 3], [1, 2, 3], 'level')",
    "",
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory, browser):
    with jupyterlab(browser, tmp_path_factory, CELLS) as lab:
        yield lab


@pytest.fixture
def page(lab, season):
    """All cells run anew; at the end nothing was asked from outside and nothing went wrong."""
    (lab.folder / "season").write_bytes(pickle.dumps(season))
    for command in ("clear-all-cell-outputs", "run-all-cells"):
        lab.page.evaluate(f"jupyterapp.commands.execute('notebook:{command}')")
    for picture in ("Two crops compared", "The season, date by date", "Speckle and filters"):
        lab.page.get_by_role("region", name=picture).locator(".sentence:not(:empty)").wait_for()
    yield lab.page
    wrong, lab.wrong[:] = list(lab.wrong), []
    assert not wrong, wrong


def in_kernel(page, code: str) -> str:
    """What the kernel prints."""
    return page.evaluate(
        """async (code) => {
            const { kernel } = jupyterapp.shell.currentWidget.sessionContext.session;
            const printed = [], future = kernel.requestExecute({ code });
            future.onIOPub = ({ content }) => printed.push(content.text ?? "");
            await future.done;
            return printed.join("");
        }""",
        code,
    ).strip()


def in_the_end(page, code: str, expected: str) -> None:
    """What the kernel prints becomes this; messages are on their way for a moment."""
    end = time.monotonic() + 10
    while (found := in_kernel(page, code)) != expected and time.monotonic() < end:
        pass
    assert found == expected


def test_letters_typed_in_a_list_choose_a_crop_and_leave_the_cells_alone(page, season):
    first = page.get_by_label("First crop", exact=True)
    page.get_by_role("region", name="Two crops compared").locator(".sentence").click()
    before = notebook(page)
    assert before[:2] == [1, "command"], "as after a click on an output"
    first.focus()
    for key in ("x", "d", "d", "r", "y", "z"):  # these cut, delete, and turn cells
        page.keyboard.press(key)
    assert notebook(page) == before and first.input_value() == "Background"
    page.wait_for_timeout(1100)  # a list forgets what was typed after a second
    page.keyboard.press("m")
    assert notebook(page) == before and first.input_value() == "Maize", "m is Maize"
    page.keyboard.press("ArrowDown")
    assert notebook(page) == before and first.input_value() == "Sugar beet"
    page.keyboard.press("ArrowUp")
    assert notebook(page) == before and first.input_value() == "Maize"
    in_the_end(page, "print(chooser.first, chooser.second)", "Maize Sugar beet")
    expected = figures.crop_chooser(season, "Maize", "Sugar beet").describe()
    page.get_by_text(expected, exact=True).first.wait_for()
    assert in_kernel(page, "print(chooser.describe())") == expected


def test_what_python_sets_is_shown(page, season):
    in_kernel(page, "chooser.first, player.date, player.pixel = 'Maize', 3, (20, 30)")
    for view in (
        figures.crop_chooser(season, "Maize", "Sugar beet"),
        figures.season_player(season, date=3, pixel=(20, 30)),
    ):
        page.get_by_text(view.describe(), exact=True).first.wait_for()


def test_every_key_stays_in_its_picture(page):
    pictures = page.locator(".jp-OutputArea-output .stma")
    assert pictures.count() == 4
    for picture in pictures.all():
        for control in picture.locator(":is(select, input, button, canvas[tabindex])").all():
            if control.is_disabled():
                continue
            control.focus()
            before = notebook(page)
            for key in ("x", "d", "d", "m", "r", "y", "a", "b", "ArrowDown", "ArrowUp", "Shift+M"):
                page.keyboard.press(key)
            assert notebook(page) == before
    in_the_end(
        page, "print(player.date)", str(int(page.get_by_label("Date", exact=True).input_value()))
    )


def test_pictures_follow_the_theme_of_the_notebook(page):
    paper = "getComputedStyle(document.querySelector('.jp-OutputArea .stma')).backgroundColor"
    assert page.evaluate(paper) == "rgb(255, 255, 255)"
    change = "jupyterapp.commands.execute('apputils:change-theme', { theme: 'JupyterLab %s' })"
    page.evaluate(change % "Dark")
    page.locator(".stma.dark").first.wait_for()
    assert page.evaluate(paper) == "rgb(22, 25, 28)"
    page.evaluate(change % "Light")
    page.locator(".stma.light").first.wait_for()
