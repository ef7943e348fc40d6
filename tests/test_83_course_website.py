"""The web pages hold what the notebooks hold, work offline and under any path, and can be used
without a mouse or sight.
"""

import functools
import json
import re
import sys
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image

import stma_nb
from stma_nb import accuracy
from stma_nb.__main__ import main
from stma_nb.course import address, questions, reference, runner, search, website
from stma_nb.course.pictures import PICTURES
from stma_nb.course.structure import Notebook
from stma_nb.course.website import Chapter

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9][0-9]*_*.ipynb"))


MOVING = {picture.page.removesuffix(".html") for picture in PICTURES}


@functools.cache
def soup(site: Path, name: str) -> BeautifulSoup:
    return BeautifulSoup((site / f"{name}.html").read_text(encoding="utf-8"), "html.parser")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_page_holds_its_notebook(site, path):
    page, notebook = soup(site, path.stem), Notebook(path)
    text = " ".join(page.main.get_text().split())
    assert (
        page.html["lang"] == "en"
        and page.title.get_text().startswith(notebook.title)
        and len(page("h1")) == 1
    )
    assert page.header and page.nav and page.main["id"] == "main" and page.footer
    assert page.select_one("a.skip")["href"] == "#main" and page.select_one("meta[name=viewport]")
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if cell.cell_type == "code":
            assert " ".join(cell.source.split()) in text, cell.source
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                assert " ".join(output.text.split()) in text
        if "solution" in tags:
            inside = [
                " ".join(box.get_text().split())
                for box in page.select("details.solution:not([open])")
            ]
            assert any(" ".join(cell.source.split()) in box for box in inside), (
                "solutions are folded"
            )
    assert [image["alt"] for image in page("img")] == [
        image["alt"] for image in notebook.figures
    ], "with their texts"
    assert not re.search(r"(?<!\\)\$[^$\n]+\$", "".join(p.get_text() for p in page("p"))), (
        "no formula is left as TeX"
    )


def test_links_of_all_pages_resolve(site):
    for name in (path.stem for path in site.glob("*.html") if path.stem not in MOVING):
        for link in soup(site, name).select("a[href], img[src], link[href], [data-page]"):
            target = link.get("href") or link.get("src") or link["data-page"]
            if re.match("https://|data:", target):
                assert link.name == "a" or target.startswith("data:"), f"{name} asks for {target}"
                continue
            file, _, anchor = target.partition("#")
            assert (site / (file or f"{name}.html")).exists(), f"{name} links to {target}"
            if anchor:
                assert soup(site, Path(file or f"{name}.html").stem).find(id=anchor), (
                    f"{name} links to {target}"
                )


def test_every_page_says_what_it_may_load(site):
    for path in site.rglob("*.html"):
        head = BeautifulSoup(path.read_text("utf-8").partition("</head>")[0], "html.parser").head
        policy = head.find(attrs={"http-equiv": "Content-Security-Policy"})
        assert policy["content"].startswith("default-src 'none'; "), path
        assert not policy.find_previous_siblings(["script", "style", "link"]), "before all it rules"


def test_pages_follow_each_other(site):
    for before, after in pairwise(NOTEBOOKS):
        assert soup(site, before.stem).select_one("a[rel=next]")["href"] == f"{after.stem}.html"
        assert soup(site, after.stem).select_one("a[rel=prev]")["href"] == f"{before.stem}.html"
    index = soup(site, "index")
    for path in NOTEBOOKS:
        card = index.select_one(f"h2 a[href='{path.stem}.html']").find_parent("li")
        notebook = Notebook(path)
        assert notebook.title in card.get_text() and "Needs:" in card.get_text()
        assert [item.get_text() for item in card.ul("li")] == [
            item.get_text() for item in notebook.section("What you will learn").ul("li")
        ]
        assert bool(card.img) == bool(notebook.figures)


def test_links_lead_to_pages_or_to_the_repository():
    assert (
        website.address("04_temporal_attention.ipynb#Summary")
        == "04_temporal_attention.html#Summary"
    )
    assert website.address("../README.md") == "index.html"
    assert website.address("../stma_nb/model.py") == address.here().file("stma_nb/model.py")
    assert website.address("budget.json") == address.here().file("notebooks/budget.json")
    assert (
        website.address("https://doi.org/10.1/x") == "https://doi.org/10.1/x"
        and website.address("#Summary") == "#Summary"
    )


def test_markdown_of_these_pages():
    page = website.words(
        "# A *b* c\n\n![badge](https://x.org/b.svg) $a^2$\n\n$$\\frac{1}{2}$$\n\n|a|\n|-|\n|1|\n"
    )
    assert '<h1 id="A-b-c">' in page and "<img" not in page and "badge" in page
    assert (
        "<msup><mi>a</mi><mn>2</mn></msup>" in page
        and "<mfrac>" in page
        and 'display="block"' in page
    )
    assert '<div class="scroll"><table>' in page


def test_a_folder_that_exists_is_left_as_it_is(site, capsys):
    assert main(["site", str(site)]) == 1
    assert "exists and is left as it is" in capsys.readouterr().err


def test_without_notebooks_no_folder_is_made(tmp_path, monkeypatch, capsys):
    """As on a bare install, where the repository is not at hand."""
    monkeypatch.setattr(runner, "ROOT", tmp_path)
    assert main(["site", str(tmp_path / "pages")]) == 1
    assert "The notebooks are not at hand" in capsys.readouterr().err
    assert not (tmp_path / "pages").exists()


@pytest.mark.parametrize("package", ["pdoc", "latex2mathml.converter"])
def test_a_missing_package_is_named_and_no_folder_is_made(tmp_path, monkeypatch, capsys, package):
    monkeypatch.setitem(sys.modules, package, None)
    assert main(["site", str(tmp_path / "pages")]) == 1
    assert "need" in (said := capsys.readouterr().err) and "pip install 'stma_nb[site]'" in said
    assert not (tmp_path / "pages").exists()


# ------------------------------------------------------------------------ what outputs may not hold


@pytest.mark.parametrize(
    "html",
    [
        '<script src="x.js"></script>',
        "<SCRIPT>fetch('/')</SCRIPT>",
        '<iframe srcdoc="text"></iframe>',
        '<link rel="stylesheet" href="data:text/css,">',
        '<img src="http://a.example/x.png">',
        "<IMG SRC='HTTPS://a.example/x.png'>",
        "<img src=//a.example/x.png>",
        '<img src=" https://a.example/x.png">',
        '<img src="data:," srcset="data:, 1x, https://a.example/x.png 2x">',
        '<svg><image href="https://a.example/x.png"/></svg>',
        '<p style="background: URL( https://a.example/x.png)">text</p>',
        "<style>p { background: url('//a.example/x.png') }</style>",
        '<style>@import "https://a.example/x.css";</style>',
        r'<p style="background: \75rl(https://a.example/x.png)">text</p>',
        "<img src='data:,' onerror='fetch(`//a.example`)'>",
        "<a href=' JavaScript:alert(1)'>there</a>",
    ],
)
def test_outputs_that_would_ask_other_servers_are_known(html):
    assert website.asks_outside(f"<div>{html}</div>")


@pytest.mark.parametrize(
    "html",
    [
        '<img alt="a" src="data:image/png;base64,AAAA">',
        '<p style="color: red">See <a href="https://doi.org/10.1/x">there</a>, or https://x.org.</p>',
        "<svg><use xlink:href='#icon'></use></svg>",
        "<style>p { background: url('data:,') }</style><table><tr><td>1</td></tr></table>",
    ],
)
def test_outputs_that_hold_all_they_show_stay(html):
    assert not website.asks_outside(html)


def test_outputs_that_ask_other_servers_give_way_to_a_note(tmp_path):
    outputs = [
        {"text/html": "<IMG SRC=HTTPS://a.example/x.png>"},
        {"text/markdown": "Look: <img src='//a.example/x.png'>"},
        {"text/html": "<b>Kept</b>"},
        {"text/markdown": "*Kept*, see [there](https://doi.org/10.1/x)"},
        {"image/png": 'AAAA"><img src=//a.example/x.png>'},
    ]
    cell = new_code_cell("1", outputs=[new_output("display_data", data) for data in outputs])
    nbformat.write(new_notebook(cells=[cell]), tmp_path / "small.ipynb")
    page = BeautifulSoup(website.page_of(Chapter(tmp_path / "small.ipynb"), []), "html.parser")
    assert len(page.select("p.note")) == 2
    assert all(image["src"].startswith("data:") for image in page("img")) and len(page("img")) == 1
    assert page.b.get_text() == "Kept" and page.em.get_text() == "Kept"


# ---------------------------------------------------------------------------------------- reference


def test_the_reference_lists_what_each_room_hands_on(site):
    for room, name in (("train", "fit"), ("radar", "lee"), ("accuracy", "assess")):
        section = soup(site, f"api/stma_nb/{room}").find("section", id=name)
        assert len(section.select_one(".docstring").get_text()) > 50, "with its docstring"
    page = soup(site, "api/stma_nb/accuracy")
    assert [part["id"] for part in page.select("main > section[id]")] == accuracy.__all__
    road = ", ".join(re.findall(r"^    ([a-z, ]+?)  ", stma_nb.__doc__, re.MULTILINE)).split(", ")
    rooms = soup(site, "api/stma_nb").select("nav .memberlist a")
    assert [room.get_text() for room in rooms] == list(reference.ROOMS) == road
    assert sorted(road) == sorted(stma_nb.__all__)


def test_the_reference_asks_nothing_of_other_hosts(site):
    for path in sorted((site / "api").rglob("*.html")):
        page = soup(site, str(path.relative_to(site).with_suffix("")))
        assert str(ROOT) not in path.read_text(encoding="utf-8"), "no path of this computer"
        for tag in page.select("[src], link[href]"):
            assert tag.get("src", tag.get("href")).startswith("data:"), f"{path}: {tag}"
        for link in page.select("a[href]"):
            file = link["href"].partition("#")[0]
            assert re.match("https://|$", file) or (path.parent / file).exists(), f"{path}: {link}"
    assert soup(site, "index").select_one("a[href='api/stma_nb.html']")


def test_pictures_that_a_notebook_has_made_are_taken_and_the_others_made(tmp_path):
    made = tmp_path / "made"
    made.mkdir()
    for picture in PICTURES:
        (made / picture.page).write_text("made by a notebook")
    (made / "bench.html").unlink()
    (tmp_path / "site").mkdir()
    website.save_pictures(tmp_path / "site", made)
    for picture in PICTURES:
        text = (tmp_path / "site" / picture.page).read_text(encoding="utf-8")
        assert ("standalone(" in text) == (picture.page == "bench.html")


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.page)
def test_a_picture_stands_in_its_notebook_and_says_the_same(site, picture):
    [path] = [path for path in NOTEBOOKS if path.name.startswith(picture.notebook)]
    shown = [
        output.data["text/plain"]
        for cell in Notebook(path).code
        if picture.call in cell.source
        for output in cell.outputs
        if "application/vnd.jupyter.widget-view+json" in output.get("data", {})
    ]
    places = soup(site, path.stem).select(f"[data-page='{picture.page}'] img")
    assert len(shown) == len(places) == 1
    assert picture.make().describe() == shown[0]
    assert soup(site, "index").select_one(f"a[href='{picture.page}']")
    back = [link["href"] for link in soup(site, Path(picture.page).stem).select("#back a")]
    assert back == ["index.html", f"{path.stem}.html"], "and leads back"


# ------------------------------------------------------------ chapters, search, glossary, questions


def test_every_page_lists_all_chapters_and_marks_its_own(site):
    for name in ("index", "glossary", "questions", NOTEBOOKS[2].stem):
        listed = soup(site, name).select("nav.chapters a[href]")
        assert [f"{path.stem}.html" for path in NOTEBOOKS] == [
            link["href"] for link in listed if re.match(r"\d\d", link["href"])
        ]
        marked = [link["href"] for link in listed if link.get("aria-current") == "page"]
        assert marked == ([f"{name}.html"] if name != "index" else [])
    page = soup(site, NOTEBOOKS[2].stem)
    sections = [link["href"][1:] for link in page.select(".sections a")]
    assert sections == [heading["id"] for heading in page.main("h2")] and len(sections) > 3
    steps = page.select("nav.steps")
    assert len(steps) == 2 and steps[0].find_next("h1"), "above the text and below it"


def test_headings_link_to_themselves_and_pages_describe_themselves(site):
    for name in (NOTEBOOKS[0].stem, "glossary", "questions", "index"):
        page = soup(site, name)
        for heading in page.main(["h2", "h3"], id=True):
            assert heading.select_one("a.permalink")["href"] == f"#{heading['id']}"
        for mark in ("meta[name=description]", "meta[property='og:description']"):
            assert len(page.select_one(mark)["content"]) > 60, name
        assert page.select_one("meta[property='og:title']")["content"] == page.title.get_text()


def test_a_notebook_lies_beside_its_page_with_links_that_lead_from_there(site):
    for path in NOTEBOOKS:
        link = soup(site, path.stem).select_one("a[download]")["href"]
        given = nbformat.read(site / link, as_version=4)
        nbformat.validate(given)
        assert [cell.source for cell in given.cells if cell.cell_type == "code"] == [
            cell.source for cell in Notebook(path).code
        ]
        text = "".join(cell.source for cell in given.cells if cell.cell_type == "markdown")
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            file = target.partition("#")[0]
            assert not file or re.match("https?://", file) or (site / file).exists(), target


def entries(site: Path) -> list[dict]:
    return json.loads(soup(site, "search").find(id="entries").get_text())


def test_the_index_of_the_search_holds_every_section_and_nothing_that_is_folded(site):
    found = {entry["address"]: entry for entry in entries(site)}
    for name in (*(path.stem for path in NOTEBOOKS), "glossary"):
        page = soup(site, name)
        for heading in page.main("h2"):
            entry = found[f"{name}.html#{heading['id']}"]
            assert entry["heading"] == " ".join(heading.get_text().split())
            assert entry["page"] == page.h1.get_text()
    assert "mean" in found["glossary.html#attention"]["text"]
    assert found["api/stma_nb/radar.html#lee"]["heading"] == "lee"
    everything = " ".join(entry["text"] for entry in found.values())
    assert "13.01 dB; ten times the power" not in everything, "a model answer"
    assert "exercises.quickstart_1(answer, mine=False)" not in everything, "a solution"


def test_sections_are_told_with_their_own_text():
    page = (
        "<main><h1>T</h1><p>Begin</p><h2 id='a'>One<a></a></h2><p>two <b>three</b>"
        "</p><div class='highlight'><pre>six <b>=</b> 6</pre></div>"
        "<details>hidden</details><h3 id='b'>Four</h3><ul><li>five</li></ul></main><i>end</i>"
    )
    assert search.sections("p.html", page) == [
        ("p.html", "T", "T", "Begin", ""),
        ("p.html#a", "T", "One", "two three", "six = 6"),
        ("p.html#b", "T", "Four", "five", ""),
    ]


def test_terms_carry_their_meaning_where_a_notebook_links_to_them(site, tmp_path, monkeypatch):
    meaning = "A *mean*, as in [01](01_a.ipynb). [02](02_b.ipynb)"
    glossary = f"# Glossary\n\n## layer norm\n\n{meaning}\n\nMore.\n"
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "glossary.md").write_text(glossary)
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text("utf-8"))
    monkeypatch.setattr(runner, "ROOT", tmp_path)
    link = BeautifulSoup(website.words("The [norm](glossary.md#layer-norm)."), "html.parser").a
    assert link["href"] == "glossary.html#layer-norm"
    assert link["data-meaning"] == "A mean, as in 01."
    assert 'id="layer-norm"' in website.words(glossary, website.Terms)
    unknown = BeautifulSoup(website.words("[x](glossary.md#y)"), "html.parser").a
    assert "data-meaning" not in unknown.attrs


def test_the_quiz_of_the_bank_has_one_right_choice_and_a_reason_for_each():
    text = (ROOT / "notebooks" / "questions.md").read_text("utf-8")
    quiz = questions.parts(text).quiz
    key = dict(re.findall(r"\b(\d+) ([a-d])\b", text.split("<summary>Key</summary>")[1]))
    assert [question.number for question in quiz] == list(range(1, 13))
    for question in quiz:
        [right] = [choice.letter for choice in question.choices if choice.right]
        assert right == key[str(question.number)]
        assert [choice.letter for choice in question.choices] == list("abcd")
        assert all(len(choice.why) > 15 for choice in question.choices)


@pytest.mark.parametrize(
    "before, after, said",
    [
        ("- **b**: no", "- **b**, right: no", "one of them right"),
        ("- **b**: no\n", "", "reasons for a"),
        ("<summary>Why</summary>", "<summary>Because</summary>", "1 questions, of which 0"),
    ],
)
def test_a_quiz_that_cannot_be_scored_is_named(before, after, said):
    quiz = (
        "# Bank\n\n## Quiz\n\nText.\n\n**1.** Why?\n\n- a) so\n- b) not\n\n"
        "<details><summary>Why</summary>\n\n- **a**, right: yes\n- **b**: no\n\n</details>\n"
    )
    [question] = questions.parts(quiz).quiz
    assert question.text == "Why?" and question.choices[1] == ("b", "not", "no", False)
    with pytest.raises(runner.NotebookError, match=said):
        questions.parts(quiz.replace(before, after))


def test_questions_lead_to_their_notebook_and_back(site):
    page = soup(site, "questions")
    for path in NOTEBOOKS:
        heading = page.select_one(f"main h2 > a[href='{path.stem}.html']")
        if heading:
            there = f"questions.html#{heading.parent['id']}"
            assert soup(site, path.stem).select_one(f".after a[href='{there}']")
    assert len(page.select("fieldset")) == 12 and len(page.select("input[data-right]")) == 12
    assert len(page.select("details")) > 12 + 4 * 13, "answers are folded"


def test_a_thumbnail_is_one_panel_of_a_figure():
    figure = Image.new("RGB", (1300, 500), "white")
    figure.paste("grey", (20, 20, 600, 480))
    figure.paste("orange", (700, 20, 1280, 480))
    panels = website.panels_of(figure)
    assert [panel.size for panel in panels] == [(580, 460), (580, 460)]
    assert max(panels, key=website._appeal).getpixel((5, 5)) == (255, 165, 0)
    blank = Image.new("RGB", (300, 300), "white")
    assert website.panels_of(blank) == [blank]


# ------------------------------------------------------------------------------ a student's edition


def test_pages_for_students_hold_no_solution_and_no_model_answer():
    shown = NOTEBOOKS[:3]
    chapters = [Chapter(path, student=True) for path in shown]
    pages = website.pages(chapters)
    for path, chapter in zip(shown, chapters, strict=True):
        page = BeautifulSoup(pages[f"{path.stem}.html"], "html.parser")
        notebook, text = Notebook(path), " ".join(page.main.get_text().split())
        given = nbformat.reads(chapter.download(), as_version=4)
        assert not page.select("details.solution") and notebook.tagged("solution")
        for cell in notebook.tagged("solution"):
            source = " ".join(cell.source.split())
            assert source not in text and cell.source not in [c.source for c in given.cells]
        questions_in_text = notebook.words("details")
        kept = page.main.select("details:not(.cell, .folded)")
        assert len(kept) == len(questions_in_text), "folded answers in the text stay"
        assert page("img"), "figures stay"
        assert "Student edition" in given.cells[1].source
        assert not any(cell.get("outputs") for cell in given.cells)
    asked = BeautifulSoup(pages["questions.html"], "html.parser")
    assert "13.01 dB; ten times" not in asked.get_text() and "model answer" not in asked.get_text()
    assert "with its key" not in asked.get_text() and "folded away" not in asked.get_text()
    assert "at the end it tells of each answer why it is right or wrong" in " ".join(
        asked.main.get_text().split()
    )
    assert len(asked.select("main > details")) == 0 and len(asked.select("fieldset")) == 12
    assert "student edition" in pages["index.html"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_page_and_no_download_of_a_student_leads_to_the_solutions(path):
    chapter = Chapter(path, student=True)
    for text in (chapter.markdown, chapter.download()):
        assert "mybinder.org/v2" not in text and "colab.research.google.com/github" not in text
        assert address.here().file("notebooks/") not in text


def test_code_that_only_writes_a_sentence_is_folded_and_the_sentence_is_not(site):
    path = next(path for path in NOTEBOOKS if path.name.startswith("08_"))
    cells = nbformat.read(path, as_version=4).cells
    folded = [
        cell
        for cell in cells
        if cell.cell_type == "code"
        and cell.metadata.get("jupyter", {}).get("source_hidden")
        and not cell.metadata.get("tags")
    ]
    page = BeautifulSoup((site / f"{path.stem}.html").read_text("utf-8"), "html.parser")
    found = page.select("details.folded")
    assert len(found) == len(folded) > 5
    for fold in found:
        assert fold.select(".highlight") and not fold.select(".output")
        assert fold.parent.select_one(".output p").find_parent("details") is None
