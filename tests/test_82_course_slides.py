"""Slides show what a notebook shows, keep its text as notes, and work by keys, by touch, without a
network, on paper and for everybody.
"""

import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from conftest import complaints, windows
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, writes

from stma_nb import course
from stma_nb.__main__ import main
from stma_nb.course import address, slides
from stma_nb.course.website import Chapter

ROOT = Path(__file__).parent.parent
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGA"
    "WjR9awAAAABJRU5ErkJggg=="
)
WIDGET = {"application/vnd.jupyter.widget-view+json": {"model_id": "a"}}
TEXTS = (
    "# Small & fine\n\n[![Open in Binder](https://x.example/b.svg)](https://mybinder.org/v2/a)\n\n"
    "A first sentence that says what this is about, and is long enough for a title. And more.",
    "## What you will learn\n\n"
    + "\n".join(f"- aim {n};" for n in range(1, 12))
    + "\n\n**Needs:** no.",
    "## 1. To see\n\nSee [the next](01_next.ipynb), [data](../data/README.md), [here](#end) and "
    "[a page](https://example.org).\n\n$$a^2 + b_1 = c$$\n\nSaid, not shown.",
    "**Question.** What is it?\n\n"
    "<details><summary>Answer</summary>\n\nIt is *this*.\n\n</details>",
    "## 2. To move\n\nOnly said.",
    "## Exercises\n\n**1.** Do it.",
    "## Summary\n\n- all is well.\n\n## References\n\n- Somebody.",
)


def shown(html: str, **data: object):
    return new_output("display_data", {"text/html": html, "text/plain": "x", **data})


@pytest.fixture
def small(tmp_path) -> Chapter:
    figure = (
        f'<figure><img alt="A dot." src="{PIXEL}"><figcaption><b>Figure 1.</b> Dot.</figcaption>'
    )
    old = f'<img alt="An old dot &lt;i&gt;." src="{PIXEL}">'
    still = f'<img alt="A still." src="{PIXEL}">'
    below = "<figure><figcaption><b>Figure 3.</b> It moves.</figcaption></figure>"
    asking = '<figure><img src="https://x.example/a.png"><figcaption>no</figcaption></figure>'
    first, second, third, question, fourth, exercises, end = map(new_markdown_cell, TEXTS)
    outputs = [shown(figure + "</figure>"), shown(old), shown(asking)]
    cells = [
        *(first, second, third, new_code_cell("draw()", outputs=outputs), question, fourth),
        new_code_cell("move()", outputs=[shown(still, **WIDGET), shown(below)]),
        exercises,
        new_code_cell("a = 1", metadata={"tags": ["solution"]}, outputs=[shown(figure)]),
        end,
    ]
    path = tmp_path / "90_small.ipynb"
    path.write_text(writes(new_notebook(cells=cells)), "utf-8")
    return Chapter(path)


def text(html: str) -> str:
    return " ".join(BeautifulSoup(html, "html.parser").get_text(" ").split())


def test_a_deck_has_what_the_notebook_shows_in_its_order(small):
    made = [slide for slide in slides.slides_of(small) if slides.worth_showing(slide)]
    assert [(slide.kind, slide.title) for slide in made] == [
        ("title", "Small & fine"),
        *[("section", "What you will learn")] * 2,
        ("section", "1. To see"),
        *[("figure", "1. To see")] * 2,
        ("question", "Question"),
        ("figure", "2. To move"),
        ("section", "Summary"),
    ]
    title, aims, more, see, one, two, question, moving, summary = made
    assert text(title.body).endswith("long enough for a title.") and "Binder" not in title.body
    assert [text(slide.body) for slide in (aims, more)] == [
        "aim 1; aim 2; aim 3; aim 4; aim 5;",
        "aim 6; aim 7; aim 8; aim 9; aim 10; aim 11;",
    ]
    assert "<math" in see.body and "Said, not shown." in "".join(see.notes)
    assert BeautifulSoup(one.body, "html.parser").img["alt"] == "A dot."
    assert text(one.body) == "Figure 1. Dot."
    assert text(two.body) == "An old dot <i>.", "without a caption, the alternative text"
    assert text(question.body) == "What is it?" and text(question.answer) == "It is this ."
    assert text(moving.body) == (
        "Figure 3. (A still: it moves in the notebook and on the course's site.) It moves."
    )
    assert text("".join(moving.notes)) == "Only said."
    assert text(summary.body) == "all is well."


def printing(text: str):
    return new_output("stream", name="stdout", text=text)


def deck_of(tmp_path: Path, *cells) -> list[slides.Slide]:
    path = tmp_path / "91_told.ipynb"
    title = new_markdown_cell("# Told\n\nA title with a sentence that is long enough for a slide.")
    path.write_text(writes(new_notebook(cells=[title, *cells])), "utf-8")
    return [slide for slide in slides.slides_of(Chapter(path)) if slides.worth_showing(slide)][1:]


def test_a_deck_tells_what_cells_say(tmp_path):
    """Computed sentences, small tables and printed lines stand below what leads to them."""
    table = "<style>td {color: red}</style><table id='T'><thead><tr><th>&nbsp;</th><th>ha</th></tr>"
    table += "<tr><th>crop</th><th>&nbsp;</th></tr></thead><tbody>"
    table += "".join(f"<tr><th class='x'>c{n}</th><td>{n}</td></tr>" for n in range(14))
    said = new_output("display_data", {"text/markdown": "It covers **19 ha**.", "text/plain": "x"})
    many = "".join(f"line {n}\n" for n in range(30))
    made = deck_of(
        tmp_path,
        new_markdown_cell("## 1. To tell\n\nShuffled, each gets the same, in its place:"),
        new_code_cell("a", outputs=[printing("difference <2e-07\n")]),
        new_markdown_cell("Not said. And how much land is it? The following tells:"),
        new_code_cell("b", outputs=[said]),
        new_code_cell("c", outputs=[shown(f"{table}</tbody></table>")]),
        new_code_cell("d", outputs=[printing(many), new_output("stream", name="stderr", text="w")]),
        new_markdown_cell("## Exercises\n\n**1.** Do it."),
        new_code_cell("e", outputs=[printing("not attempted")]),
    )
    assert [slide.title for slide in made] == ["1. To tell"] * 3
    first, rows, printed = (BeautifulSoup(slide.body, "html.parser") for slide in made)
    assert [part.get_text() for part in first(["p", "pre"])] == [
        "Shuffled, each gets the same, in its place:",
        "difference <2e-07",
        "Not said. And how much land is it? The following tells:",
        "It covers 19 ha.",
    ]
    assert [row.get_text(" ", strip=True) for row in rows("tr")] == [
        "crop ha", *(f"c{n} {n}" for n in range(8)),
    ]  # fmt: skip
    assert rows.small.get_text() == "The first 8 of 14 rows; the notebook has all."
    assert not rows.style and not any(tag.attrs for tag in rows(True))
    assert printed.pre.get_text().splitlines() == [f"line {n}" for n in range(8)]
    assert printed.small.get_text() == "The first 8 of 30 lines; the notebook has all."


def test_what_is_announced_follows(tmp_path):
    figure = f'<figure><img alt="A dot." src="{PIXEL}"><figcaption>Dot.</figcaption></figure>'
    long = "A sentence that says much before it comes to the point. " * 5
    made = deck_of(
        tmp_path,
        new_markdown_cell("## 1. To see\n\nIt begins:\n\n- here."),
        new_markdown_cell(f"{long}And this is what came of it:"),
        new_code_cell("a", outputs=[printing("7\n"), shown(figure), printing("8\n")]),
        new_markdown_cell("## 2. To read\n\nOnly code follows:"),
        new_code_cell("b"),
        new_markdown_cell("## Summary\n\n- well."),
    )
    assert [text(slide.body) for slide in made] == [
        "It begins: here. And this is what came of it: 7", "Dot.", "8", "Only code follows.",
        "well.",
    ]  # fmt: skip


@pytest.mark.parametrize("path", course.notebooks(), ids=lambda path: path.stem)
def test_no_deck_ends_a_slide_with_a_colon_and_goes_on_to_something_else(path):
    made = [slide for slide in slides.slides_of(Chapter(path)) if slides.worth_showing(slide)]
    for slide, following in zip(made, [*made[1:], None], strict=True):
        if slide.kind != "figure" and text(slide.body + slide.answer).endswith(":"):
            assert following and following.title == slide.title, slide.body
    told = " ".join(text(slide.body) for slide in made)
    for cell in Chapter(path).code:
        outputs = [output for output in cell.outputs if "text/markdown" in output.get("data", {})]
        if not {"exercise", "solution"} & set(cell.metadata.get("tags", [])):
            for output in outputs:
                for part in slides.told(output):
                    words = [text(str(item)) for item in part("li") or [part]]
                    assert all(word in told for word in words), "every computed sentence is told"


@pytest.mark.parametrize("path", course.notebooks(), ids=lambda path: path.stem)
def test_a_students_deck_leads_to_no_notebook_with_solutions(path):
    page = BeautifulSoup(slides.deck(Chapter(path, student=True)), "html.parser")
    assert len(page("img")) == len(BeautifulSoup(slides.deck(Chapter(path)), "html.parser")("img"))
    here = address.here()
    for link in {link["href"] for link in page("a", href=True)}:
        if link.startswith(here.url) and link != here.url:
            place = link.removeprefix(here.file(""))
            assert re.match(r"(data|stma_nb)/(?!course/)", place), link
        assert "mybinder" not in link and "colab" not in link and link.startswith("https:"), link


@pytest.mark.parametrize("path", course.notebooks(), ids=lambda path: path.stem)
def test_no_link_of_a_deck_is_dead(path):
    page = BeautifulSoup(slides.deck(Chapter(path)), "html.parser")
    here = address.here()
    for link in page("a", href=True):
        place = link["href"].removeprefix(here.file("")).partition("#")[0]
        assert place.startswith("https:") or (ROOT / place).exists(), link


def test_links_lead_to_the_web_or_nowhere(small):
    made = slides.slides_of(small)
    notes = BeautifulSoup("".join(note for slide in made for note in slide.notes), "html.parser")
    here = address.here()
    assert [link["href"] for link in notes("a")] == [
        here.file("notebooks/01_next.ipynb"),
        here.file("data/README.md"),
        "https://example.org",
    ]


@pytest.mark.parametrize("path", course.notebooks(), ids=lambda path: path.stem)
def test_every_notebook_makes_a_deck_with_all_its_figures(path):
    notebook = Chapter(path)
    page = BeautifulSoup(slides.deck(notebook), "html.parser")
    figures = [image["alt"] for image in page("img")]
    assert set(figures) == {
        image["alt"] for cell in notebook.code for html in slides.figures(cell, "") for image in
        BeautifulSoup(html, "html.parser")("img")
        if not {"exercise", "solution"} & set(cell.metadata.get("tags", []))
    }  # fmt: skip
    assert all(image["src"].startswith("data:image/") for image in page("img"))
    assert page.h1.get_text() == notebook.title and len(page("h1")) == 1
    said = page.main.get_text()
    assert "exercises." not in said and not re.search(r"(?<!\\)\$[^$\n]+\$", said)
    assert not page(["iframe", "object", "embed"]) and not page("script", src=True)
    solutions = [cell.source for cell in notebook.tagged("solution")]
    assert not any(solution in said for solution in solutions)


def test_the_command_writes_one_file_and_leaves_older_ones(tmp_path, capsys):
    assert main(["slides", "04", str(tmp_path)]) == 0
    [file] = tmp_path.iterdir()
    assert file.name == "slides_04_temporal_attention.html" and str(file) in capsys.readouterr().out
    before = file.write_text("mine") and file.read_text()
    assert main(["slides", "04", str(tmp_path)]) == 1
    assert "exists and is left as it is" in capsys.readouterr().err and file.read_text() == before
    assert main(["slides", "04", str(tmp_path), "--overwrite"]) == 0 and file.stat().st_size > 9999
    assert address.here().file("notebooks/") in file.read_text("utf-8")
    assert main(["slides", "04", str(tmp_path), "--overwrite", "--student"]) == 0
    assert "/blob/main/notebooks/" not in file.read_text("utf-8")
    assert main(["slides", "99", str(tmp_path)]) == 1
    assert "There is no notebook '99': expected a number among 00, 01" in capsys.readouterr().err


# ----------------------------------------------------------------------------------- in the browser


@pytest.fixture
def file(small, tmp_path) -> Path:
    (tmp_path / "slides.html").write_text(slides.deck(small), "utf-8")
    return tmp_path / "slides.html"


@pytest.fixture
def page(file, browser):
    """The deck, as from a stick: nothing but itself is loaded, and nothing is complained about."""
    context = browser.new_context(viewport={"width": 1280, "height": 720}, has_touch=True)
    page = context.new_page()
    wrong = complaints(page, [file.as_uri(), "data:"])
    page.goto(file.as_uri())
    yield page
    assert wrong == []
    context.close()


def place(page) -> str:
    return page.locator("nav output").inner_text()


def test_keys_turn_the_slides(page):
    assert place(page) == "1 / 9" and page.locator(".slide:visible").count() == 1
    for key, expected in (
        *(("ArrowLeft", 1), ("ArrowRight", 2), (" ", 3), ("PageDown", 4), ("ArrowUp", 3)),
        *(("End", 9), ("ArrowRight", 9), ("Home", 1)),
    ):
        page.keyboard.press(key)
        assert place(page) == f"{expected} / 9", key
    page.keyboard.press("ArrowRight")
    page.reload()
    assert place(page) == "2 / 9", "a reload stays where it is"


def test_an_answer_comes_with_the_next_step(page, file):
    page.goto(f"{file.as_uri()}#7")
    answer = page.get_by_text("It is this.")
    assert not answer.is_visible()
    page.keyboard.press("ArrowRight")
    assert answer.is_visible() and place(page) == "7 / 9"
    page.keyboard.press("ArrowRight")
    assert place(page) == "8 / 9"
    page.keyboard.press("ArrowLeft")
    assert answer.is_visible(), "who goes back sees it"


def test_notes_come_and_go(page, file):
    page.goto(f"{file.as_uri()}#4")
    notes = page.get_by_text("Said, not shown.")
    assert not notes.is_visible()
    page.keyboard.press("n")
    assert notes.is_visible()
    page.get_by_role("button", name="Notes").click()
    assert not notes.is_visible()


def test_fingers_and_buttons_turn_the_slides(page):
    swipe = """([from, to]) => {
      const target = document.body;
      const at = (x) => new Touch({ identifier: 1, target, clientX: x, clientY: 300 });
      const send = (type, key, x) => document.body.dispatchEvent(
        new TouchEvent(type, { bubbles: true, [key]: [at(x)], changedTouches: [at(x)] }));
      send("touchstart", "touches", from);
      send("touchend", "targetTouches", to);
    }"""
    for way, expected in (([600, 300], 2), ([300, 600], 1), ([300, 330], 1)):
        page.evaluate(swipe, way)
        assert place(page) == f"{expected} / 9"
    page.get_by_role("button", name="Next").click()
    page.keyboard.press("Enter")
    assert place(page) == "3 / 9"


def test_letters_are_readable_from_the_back_row(page, file):
    """On a projector of 1920 x 1080: text at 40 pixels and more, captions at 24."""
    page.set_viewport_size({"width": 1920, "height": 1080})
    size = "(box) => parseFloat(getComputedStyle(box).fontSize)"
    page.goto(f"{file.as_uri()}#2")
    assert page.locator("li:visible").first.evaluate(size) >= 40
    page.goto(f"{file.as_uri()}#5")
    page.reload()
    assert page.locator("figcaption:visible").evaluate(size) >= 24


LECTURES = ("04", "08", "10")


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(number, marks=[] if number in LECTURES else pytest.mark.slow)
        for number in (path.name.partition("_")[0] for path in course.notebooks())
    ],
)
def test_on_a_projector_all_of_a_deck_is_seen(number, browser, tmp_path):
    """At 1280 x 720 no slide scrolls, and a figure has all of the width or most of the height."""
    [path] = [path for path in course.notebooks() if path.name.startswith(f"{number}_")]
    (tmp_path / "deck.html").write_text(slides.deck(Chapter(path)), "utf-8")
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    wrong = complaints(page, [tmp_path.as_uri(), "data:"])
    page.goto((tmp_path / "deck.html").as_uri(), wait_until="load")
    measured = page.evaluate("""async () => {
      const found = [];
      for (const [i, slide] of slides.entries()) {
        show(i, { open: true });
        const shown = slide.querySelector(".shown"), image = slide.querySelector("figure img");
        await image?.decode();
        const { width, height } = (image ?? slide).getBoundingClientRect();
        const { naturalWidth: wide, naturalHeight: high } = image ?? {};
        const scale = Math.min(width / wide, height / high);
        found.push({
          down: shown.scrollHeight - shown.clientHeight,
          right: shown.scrollWidth - shown.clientWidth,
          letters: parseFloat(getComputedStyle(shown).fontSize),
          share: image ? Math.max(wide / 1280, high / 720) * scale : 1,
          title: slide.innerText.slice(0, 60),
        });
      }
      return found;
    }""")
    page.close()
    assert not wrong and len(measured) > 10
    for slide in measured:
        assert max(slide["down"], slide["right"]) <= 1 and slide["letters"] >= 18, slide
        assert slide["share"] > 0.8, slide


def test_on_paper_every_slide_is_a_page(page):
    printed = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 9


def test_without_scripts_all_is_there(file, browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(file.as_uri())
    assert page.locator(".slide:visible").count() == 9
    assert page.get_by_text("It is this.").is_visible() and not page.locator("nav").is_visible()
    context.close()


@windows(390, 1280)
def test_everybody_can_use_them(file, browser, scheme, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    context = browser.new_context(
        viewport={"width": width, "height": 760}, color_scheme=scheme, bypass_csp=True
    )
    page = context.new_page()
    for number in (1, 2, 5, 7):
        page.goto(f"{file.as_uri()}#{number}")
        page.reload()
        page.keyboard.press("n")
        found = axe.Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()
