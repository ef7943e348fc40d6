"""What the notebooks are made of and what they cost, measured, and checked against what the course
promises its readers.

Every check takes a Notebook and returns complaints, sentences without a subject: "has 2 titles,
expected one".
"""

import ast
import json
import math
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, takewhile
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from stma_nb.course import address, runner
from stma_nb.course.cells import Exercise
from stma_nb.extras import needs
from stma_nb.machine import usable_cores

with needs("course"):
    import nbformat
    from bs4 import BeautifulSoup, Tag

GLOSSARY = "glossary.md"
WIDGET = "application/vnd.jupyter.widget-view+json"
BUDGET = "budget.json"  # beside the notebooks: what the last real run of each took
LONGEST = 15  # lines of a code cell that a reader takes in at once
LONGEST_APART = 40  # lines of cells that are skimmed (imports) or are a piece of the library
TAGS = {"setup", "parameters", "library", "exercise", "solution", "build", "predict"}
SETUP = "%run /content/stma_nb/stma_nb/course/colab.py"  # on Colab, after the clone
FIRST_FIGURE = 15  # lines of code up to the first figure: seeing comes before reading
LONGEST_SENTENCE = 35  # words
UNITS = {"second": 1, "minute": 60, "hour": 3600}
NUMBERS = {
    "half a": 0.5,
    "half an": 0.5,
    "a": 1,
    "an": 1,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
}
SLOWER = (
    1.5  # by how much a run may exceed the stated time before the text is wrong: computers differ
)


@dataclass(frozen=True)
class Notebook:
    """A notebook, and its Markdown as a browser gets it."""

    path: Path

    @cached_property
    def cells(self) -> list:
        return nbformat.read(self.path, as_version=4).cells

    @cached_property
    def markdown(self) -> str:
        return "\n\n".join(cell.source for cell in self.cells if cell.cell_type == "markdown")

    @cached_property
    def words(self) -> BeautifulSoup:
        with needs("course"):
            from nbconvert.filters import markdown2html

        words = BeautifulSoup(markdown2html(self.markdown), "html.parser")
        for mark in words.select("a.anchor-link"):
            mark.decompose()
        return words

    @property
    def code(self) -> list:
        return [cell for cell in self.cells if cell.cell_type == "code"]

    @property
    def outputs(self) -> list:
        return [output for cell in self.code for output in cell.outputs if "data" in output]

    @property
    def title(self) -> str:
        return self.words.h1.get_text() if self.words.h1 else self.path.stem

    @cached_property
    def figures(self) -> list[Any]:
        """The ``img`` elements of the outputs."""
        return [image for page in self._pages for image in page("img")]

    @cached_property
    def captions(self) -> list[str]:
        """What stands below the figures, in their order."""
        return [caption.get_text() for page in self._pages for caption in page("figcaption")]

    @property
    def _pages(self) -> Iterator[BeautifulSoup]:
        """The outputs that hold a figure or its caption."""
        for output in self.outputs:
            html = output.data.get("text/html", "")
            if "<img" in html or "<figcaption" in html:
                yield BeautifulSoup(html, "html.parser")

    @cached_property
    def sentences(self) -> list[list[str]]:
        """The words of each sentence of the text; an item of a list is at least one.

        Formulas, code and references count for nothing.
        """
        text = BeautifulSoup(str(self.words), "html.parser")
        for heading in text("h2"):
            if heading.get_text().strip() == "References":
                for rest in heading.find_next_siblings():
                    rest.decompose()
        for part in text(["pre", "code", "table", "script", "style"]):
            part.decompose()
        found = []
        for block in text(["p", "li", "summary", "h1", "h2", "h3", "h4"]):
            for nested in block(["p", "li", "ul", "ol"]):
                nested.extract()
            words = re.sub(r"\$\$?.+?\$\$?", " ", block.get_text(" "), flags=re.DOTALL)
            for sentence in re.split(r"(?<=[.?!:;])[\"')”]*\s+(?=[\W\d]*[A-Z(\"“])", words):
                found.append(re.findall(r"[^\W_][\w.,'’–-]*", sentence))
        return [sentence for sentence in found if sentence]

    @property
    def lines_before_figure(self) -> int:
        """Lines of code up to the first figure, with the cell that shows it and without the set-up
        for Colab.
        """
        count = 0
        for cell in self.code:
            if "setup" in cell.metadata.get("tags", []):
                continue
            count += lines(cell)
            pages = [output.get("data", {}).get("text/html", "") for output in cell.outputs]
            if any("<img" in page for page in pages):
                break
        return count

    def tagged(self, tag: str) -> list:
        return [cell for cell in self.code if tag in cell.metadata.get("tags", [])]

    @property
    def checks(self) -> list[str]:
        """The names of the checks that its exercises call."""
        return [Exercise(cell.source).name for cell in self.tagged("exercise")]

    def said(self, word: str) -> str:
        """What follows a bold word such as **Needs:** up to the next bold word; empty if it is not
        there.
        """
        found = re.search(rf"\*\*{word}:\*\*(.*?)(?=\n\n|\*\*|\Z)", self.markdown, re.DOTALL)
        return " ".join(found[1].split()) if found else ""

    def section(self, title: str) -> BeautifulSoup | None:
        """What stands under a heading, up to the next one; None without that heading."""
        for heading in self.words(re.compile("^h[2-6]$")):
            if heading.get_text().strip() == title:
                parts = takewhile(
                    lambda part: not re.fullmatch("h[1-6]", getattr(part, "name", None) or ""),
                    heading.next_siblings,
                )
                return BeautifulSoup("".join(map(str, parts)), "html.parser")
        return None


class Shown(NamedTuple):
    """A figure among the outputs of a cell."""

    image: Tag
    caption: str  # HTML; empty without one
    live: bool  # the still of a picture that moves


def shown(outputs: Iterable[Any]) -> list[Shown]:
    """The figures among some outputs; the caption of one that moves is an output of its own."""
    found: list[Shown] = []
    for output in outputs:
        page = BeautifulSoup(output.data.get("text/html", ""), "html.parser")
        caption = page.figcaption.decode_contents() if page.figcaption else ""
        images = page("img")
        if caption and not images and found and not found[-1].caption:
            found[-1] = found[-1]._replace(caption=caption)
        found += [Shown(image, caption, WIDGET in output.data) for image in images]
    return found


# ------------------------------------------------------------------------------------ what it costs


def run(notebook: Path, executed: Path, timeout: int = 900) -> dict[str, float]:
    """Execute a notebook from a process of its own, whose children's peak memory is its peak; note
    in the budget what it took.
    """
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        cost = pool.submit(runner.run_notebook, notebook, executed, timeout=timeout).result()
    rounded = {
        name: round(value) for name, value in cost.items() if value == value
    }  # no memory is told on Windows
    entries = budget(notebook.parent) | {notebook.stem: rounded | {"cores": usable_cores()}}
    kept = {
        path.stem: entries[path.stem]
        for path in sorted(notebook.parent.glob("*.ipynb"))
        if path.stem in entries
    }
    (notebook.parent / BUDGET).write_text(json.dumps(kept, indent=1) + "\n", "utf-8")
    return cost


def budget(folder: Path) -> dict[str, dict[str, float]]:
    """Seconds, peak MB and cores of the last real run of each notebook in a folder."""
    return json.loads((folder / BUDGET).read_text("utf-8")) if (folder / BUDGET).exists() else {}


def promised(needs: str) -> tuple[float, float] | None:
    """Seconds and MB that a sentence such as "1 to 3 minutes on two cores and 1 GB of memory"
    allows; None if it does not say.
    """
    time = re.search(
        rf"(?:(\d+) to )?\b(\d+(?:\.\d+)?|{'|'.join(NUMBERS)})\s+({'|'.join(UNITS)})", needs
    )
    memory = re.search(r"([\d.]+)\s*(GB|MB)", needs)
    if not (time and memory):
        return None
    number = NUMBERS[time[2]] if time[2] in NUMBERS else float(time[2])
    return number * UNITS[time[3]], float(memory[1]) * (1024 if memory[2] == "GB" else 1)


# ------------------------------------------------------------------------------------- the measures


def statements(cell: Any) -> list[ast.stmt]:
    """The statements of a cell; none where it is not Python alone (%pip and the like)."""
    try:
        return ast.parse(cell.source).body
    except SyntaxError:
        return []


def apart(cell: Any) -> bool:
    """Whether a cell is not read line by line: setup, a piece of the library, or mostly imports."""
    if {"setup", "library"} & set(cell.metadata.get("tags", [])):
        return True
    body = statements(cell)
    return 2 * sum(isinstance(node, ast.Import | ast.ImportFrom) for node in body) >= len(body) > 0


def writes(cell: Any) -> bool:
    """Whether a cell does little but write a computed sentence: seven lines of ten."""
    body = statements(cell)
    last = body[-1] if body else ast.Pass()
    if not ast.unparse(last).startswith("display(Markdown("):
        return False
    said = cell.source.splitlines()[last.lineno - 1 : last.end_lineno]
    return len(said) >= 0.7 * lines(cell) and not set(cell.metadata.get("tags", []))


def lines(cell: Any) -> int:
    """Lines of code of a cell; empty ones and those of comments do not count."""
    written = [line.strip() for line in cell.source.splitlines()]
    return sum(bool(line) and not line.startswith("#") for line in written)


def measures(notebook: Notebook) -> dict[str, str]:
    """A row of the table: header and value."""
    characters = {
        kind: sum(len(c.source) for c in notebook.cells if c.cell_type == kind)
        for kind in ("code", "markdown")
    }
    cost = budget(notebook.path.parent).get(notebook.path.stem, {})
    return {
        "notebook": notebook.path.stem,
        "code": str(len(notebook.code)),
        "text": str(sum(cell.cell_type == "markdown" for cell in notebook.cells)),
        "share of text": f"{characters['markdown'] / max(1, sum(characters.values())):.0%}",
        "longest": str(max((lines(cell) for cell in notebook.code if not apart(cell)), default=0)),
        "apart": str(max((lines(cell) for cell in notebook.code if apart(cell)), default=0)),
        "figures": str(len(notebook.figures)),
        "captions": str(len(notebook.captions)),
        "to first": str(notebook.lines_before_figure),
        "words, 95 %": str(_most([len(words) for words in notebook.sentences])),
        "exercises": str(len(notebook.tagged("exercise"))),
        "build": str(len(notebook.tagged("build"))),
        "predict": str(len(notebook.tagged("predict"))),
        "seconds": str(cost.get("seconds", "–")),
        "peak MB": str(cost.get("megabytes", "–")),
    }


def _most(counts: list[int]) -> int:
    """The number that 95 % of the counts do not exceed."""
    return sorted(counts)[math.ceil(0.95 * len(counts)) - 1] if counts else 0


def table(notebooks: list[Notebook]) -> str:
    """The measures of all notebooks as text in columns."""
    rows = [measures(notebook) for notebook in notebooks]
    grid = [list(rows[0])] + [list(row.values()) for row in rows]
    widths = [max(map(len, column)) for column in zip(*grid, strict=True)]
    return "\n".join(
        "  ".join(
            text.rjust(width) if place else text.ljust(width)
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in grid
    )


# --------------------------------------------------------------------------------------- the checks


def check_headings(notebook: Notebook) -> list[str]:
    levels = [int(heading.name[1]) for heading in notebook.words(re.compile("^h[1-6]$"))]
    found = []
    if levels.count(1) != 1 or not notebook.cells[0].source.startswith("# "):
        found.append(f"has {levels.count(1)} titles (#), expected one, at the very top")
    skipped = [(a, b) for a, b in pairwise(levels) if b > a + 1]
    return found + [
        f"goes from a heading of level {a} to one of level {b}, expected level {a + 1}"
        for a, b in skipped
    ]


def check_sections(notebook: Notebook) -> list[str]:
    found = [
        f"has no section '## {title}'"
        for title in ("What you will learn", "Exercises", "Summary", "References")
        if notebook.section(title) is None
    ]
    found += [
        f"has no line '**{word}:** ...'" for word in ("Needs", "Next") if not notebook.said(word)
    ]
    learn, references = notebook.section("What you will learn"), notebook.section("References")
    if learn and not learn("li"):
        found.append("has no list under 'What you will learn'")
    if references is not None:
        entries = references("li")
        addresses = [[str(link["href"]) for link in entry("a", href=True)] for entry in entries]
        if not any(
            re.match(r"https://(doi\.org|arxiv\.org)/", address)
            for entry in addresses
            for address in entry
        ):
            found.append("has no DOI or arXiv link under 'References'")
        bare = [entry for entry, links in zip(entries, addresses, strict=True) if not links]
        found += [
            f"has a reference without a link: {' '.join(entry.get_text().split())[:60]}..."
            for entry in bare
        ]
    return found


def check_badges(notebook: Notebook) -> list[str]:
    links = {str(link["href"]) for link in notebook.words("a", href=True)}
    wanted = address.here().badges(notebook.path.name)
    found = [
        f"has no {place} badge that opens this notebook: {url}"
        for place, url in wanted.items()
        if url not in links
    ]
    elsewhere = [link for link in links if "colab.research.google.com/github/" in link]
    if elsewhere and "Colab" not in wanted:
        found.append(f"has a Colab badge ({elsewhere[0]}), and Colab opens GitHub only")
    return found


def check_setup(notebook: Notebook) -> list[str]:
    """That the set-up cell fetches the course from where it lies."""
    lines = [line.strip() for cell in notebook.tagged("setup") for line in cell.source.splitlines()]
    return [
        f"has no line '{wanted}' in its set-up cell"
        for wanted in (f"!{address.here().clone} /content/stma_nb", SETUP)
        if wanted not in lines
    ]


def check_exercises(notebook: Notebook) -> list[str]:
    kinds = [
        tag
        for cell in notebook.code
        for tag in cell.metadata.get("tags", [])
        if tag in ("exercise", "solution")
    ]
    exercises = kinds.count("exercise")
    found = [] if exercises >= 3 else [f"has {exercises} exercises, expected at least three"]
    if kinds != ["exercise", "solution"] * exercises:
        found.append(
            "has exercises without a solution right after them, or solutions without an exercise"
        )
    folded = {"source_hidden": True, "outputs_hidden": True}
    found += [
        f"has no exercise tagged '{kind}'"
        for kind in ("build", "predict")
        if not notebook.tagged(kind)
    ]
    if any(cell.metadata.get("jupyter") != folded for cell in notebook.tagged("solution")):
        found.append(
            "has a solution that is not folded away (jupyter.source_hidden and "
            "jupyter.outputs_hidden)"
        )
    return found


def check_links(notebook: Notebook) -> list[str]:
    root, found = notebook.path.parent.parent.resolve(), []
    targets = [str(link["href"]) for link in notebook.words("a", href=True)]
    targets += [str(image["src"]) for image in notebook.words("img", src=True)]
    for target in dict.fromkeys(targets):
        address = urlsplit(target)
        if address.scheme:
            continue
        place = (
            (notebook.path.parent / unquote(address.path)).resolve()
            if address.path
            else notebook.path.resolve()
        )
        if not place.is_relative_to(root):
            found.append(f"links to '{target}', which lies outside the repository")
        elif not place.exists():
            found.append(f"links to '{target}', which does not exist")
        elif address.fragment and unquote(address.fragment) not in _headings(place):
            found.append(f"links to '{target}', but there is no such heading")
    return found


def _headings(place: Path) -> set[str]:
    """What a link into a file may name: its headings, as JupyterLab and as GitHub call them."""
    if place.suffix == ".ipynb":
        return {str(heading["id"]) for heading in Notebook(place).words(id=True)}
    titles = re.findall(r"^#+ (.+)$", place.read_text("utf-8"), re.MULTILINE)
    return {slug(title) for title in titles}


def slug(title: str) -> str:
    """A heading of a Markdown file as an address names it: ``user's accuracy``,
    ``users-accuracy``.
    """
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def glossary(folder: Path) -> dict[str, tuple[str, str]]:
    """The words of the glossary beside the notebooks: {slug: (word, notebook that explains it)}."""
    path = folder / GLOSSARY
    text = path.read_text("utf-8") if path.exists() else ""
    entries = re.findall(r"^## (.+)\n\n(?:.+\n)*?.*\((\w+\.ipynb)\)$", text, re.MULTILINE)
    return {slug(word): (word, notebook) for word, notebook in entries}


def check_glossary(notebook: Notebook) -> list[str]:
    """A notebook links to the words that it explains, so that the glossary leads back."""
    linked = {str(link["href"]) for link in notebook.words("a", href=True)}
    return [
        f"explains '{word}' and does not link it to the glossary ({GLOSSARY}#{name})"
        for name, (word, home) in glossary(notebook.path.parent).items()
        if home == notebook.path.name and f"{GLOSSARY}#{name}" not in linked
    ]


def check_pictures(notebook: Notebook) -> list[str]:
    mute = [
        image
        for image in [*notebook.words("img"), *notebook.figures]
        if len(image.get("alt", "").strip()) < 10
    ]
    found = (
        [f"has {len(mute)} pictures without an alternative text of at least ten characters"]
        if mute
        else []
    )
    if any(
        "image/png" in output.data and "text/html" not in output.data for output in notebook.outputs
    ):
        found.append(
            "has a picture as bare PNG, which has no alternative text: show it by figures.show"
        )
    return found


def check_tags(notebook: Notebook) -> list[str]:
    found = []
    if notebook.code[0].metadata.get("tags") != ["setup"]:
        found.append("does not begin with a cell tagged 'setup'")
    found += [
        f"has {len(notebook.tagged(tag))} cells tagged '{tag}'"
        for tag in ("setup", "parameters")
        if len(notebook.tagged(tag)) != 1
    ]
    unknown = {tag for cell in notebook.cells for tag in cell.metadata.get("tags", [])} - TAGS
    found += [
        f"has a tag '{tag}', expected one of {', '.join(sorted(TAGS))}" for tag in sorted(unknown)
    ]
    ids = [
        cell.get("id") for cell in json.loads(notebook.path.read_text("utf-8"))["cells"]
    ]  # nbformat would mend them
    return (
        found
        if all(ids) and len(set(ids)) == len(ids)
        else [*found, "has cells without an id of their own"]
    )


def check_lengths(notebook: Notebook) -> list[str]:
    found = []
    for cell in notebook.code:
        limit = LONGEST_APART if apart(cell) else LONGEST
        if lines(cell) > limit:
            found.append(
                f"has a code cell of {lines(cell)} lines ({cell.source.splitlines()[0][:50]}), at "
                f"most {limit}"
            )
    return found


def check_sentences_folded(notebook: Notebook) -> list[str]:
    """Cells that do little but write a computed sentence show the sentence, not its code."""
    return [
        f"has a cell that writes a sentence and is not folded ({cell.source.splitlines()[0][:50]})"
        for cell in notebook.code
        if writes(cell) and not cell.metadata.get("jupyter", {}).get("source_hidden")
    ]


def check_needs(notebook: Notebook) -> list[str]:
    allowed, cost = (
        promised(notebook.said("Needs")),
        budget(notebook.path.parent).get(notebook.path.stem),
    )
    if allowed is None:
        return ["does not say under **Needs:** how many minutes and GB it takes"]
    if cost is None:
        return ["has no measured run: python -m stma_nb structure --run"]
    found = []
    if cost["seconds"] > SLOWER * allowed[0]:
        found.append(f"took {cost['seconds']} s, but says that it needs {allowed[0]:.0f} s")
    if cost.get("megabytes", 0) > allowed[1]:
        found.append(f"took {cost['megabytes']} MB, but says that it needs {allowed[1]:.0f} MB")
    return found


def check_captions(notebook: Notebook) -> list[str]:
    """Every figure has a caption; they are numbered in their order."""
    numbers = [caption.partition(".")[0] for caption in notebook.captions]
    wanted = [f"Figure {place + 1}" for place in range(len(numbers))]
    found = []
    if len(notebook.figures) > len(numbers):
        found.append(f"has {len(notebook.figures)} figures and {len(numbers)} captions")
    if numbers != wanted:
        found.append(f"numbers its captions {', '.join(numbers)}: expected 1, 2, 3, ... in order")
    thin = [caption for caption in notebook.captions if len(caption.split()) < 6]
    return found + [f"has a caption that says too little: '{caption}'" for caption in thin]


def check_first_figure(notebook: Notebook) -> list[str]:
    count = notebook.lines_before_figure
    if count <= FIRST_FIGURE:
        return []
    return [f"has {count} lines of code up to its first figure, at most {FIRST_FIGURE}"]


def check_sentences(notebook: Notebook) -> list[str]:
    return [
        f"has a sentence of {len(words)} words, at most {LONGEST_SENTENCE}: "
        f"{' '.join(words[:9])} ..."
        for words in notebook.sentences
        if len(words) > LONGEST_SENTENCE
    ]


CHECKS = (
    check_headings, check_sections, check_badges, check_setup, check_exercises, check_links,
    check_glossary,
    check_pictures, check_captions, check_first_figure, check_sentences,
    check_tags, check_lengths, check_sentences_folded, check_needs,
)  # fmt: skip


def complaints(notebook: Notebook) -> list[str]:
    """All that is wrong with a notebook, in sentences."""
    return [
        f"'{notebook.path.name}' {complaint}." for check in CHECKS for complaint in check(notebook)
    ]
