"""A notebook as slides: one file for the browser that asks nothing of the network.

Shown are its title, aims, sections with their lists, tables and formulas, figures with their
captions, questions (the answer comes with the next step) and summary. The text between is what a
speaker says: it is kept as notes. Exercises and their solutions stay in the notebook.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from markupsafe import Markup

from stma_nb.course import address, runner, website
from stma_nb.course.structure import Notebook, shown
from stma_nb.extras import needs
from stma_nb.files import refuse_existing, write_whole

with needs("course"):
    from bs4 import BeautifulSoup, Tag

STATIC = Path(__file__).parent
ITEMS = 5  # of a list that fit onto a slide, to be read from the back row
ROWS = 8  # of a table
LEAD = 70  # letters that are enough below a title
SENTENCE = re.compile(r"(?<=[^.][.?!])\s+(?=[^a-z])")
UNSHOWN = ("Exercises", "References")
BADGE = re.compile(r"\[!\[[^\]]*\]\([^)]*\)\]\([^)]*\)\s*")
RELATIVE = re.compile(r"(?<!!)\[(?P<text>[^\]]*)\]\((?![a-z]+:|#)(?P<up>\.\./)?(?P<to>[^)\s]+)\)")


@dataclass
class Slide:
    """What is shown, in HTML, and what is said."""

    title: str
    body: str = ""
    answer: str = ""  # comes with the next step
    notes: list[str] = field(default_factory=list)
    kind: str = "section"  # or title, figure, question


def write(number: str, folder: Path, overwrite: bool = False) -> Path:
    """Write the slides of the notebook with this number ("04") into a folder; returns the file.

    Raises ValueError if there is no such notebook, FileExistsError if the file exists and is not
    to be overwritten, and NotebookError outside a copy of the repository.
    """
    [path] = runner.picked([number])
    target = folder / f"slides_{path.stem}.html"
    refuse_existing(target, overwrite)
    page = deck(Notebook(path))
    return write_whole(target, lambda part: part.write_text(page, "utf-8"))


def deck(notebook: Notebook) -> str:
    """The page of a notebook's slides."""
    return website.render(
        "slides.html.j2",
        title=notebook.title,
        slides=[slide for slide in slides_of(notebook) if worth_showing(slide)],
        script=Markup((STATIC / "slides.js").read_text("utf-8")),
        style=Markup((STATIC / "slides.css").read_text("utf-8")),
        page=address.here().file(f"notebooks/{notebook.path.name}"),
    )


def worth_showing(slide: Slide) -> bool:
    return bool(slide.body or slide.notes)


def slides_of(notebook: Notebook) -> list[Slide]:
    """The slides of a notebook in their order."""
    made = [Slide(notebook.title, kind="title")]
    section = made[0]
    for cell in notebook.cells:
        if cell.cell_type == "code":
            if not {"exercise", "solution"} & set(cell.metadata.get("tags", [])):
                made += [
                    Slide(section.title, figure, kind="figure")
                    for figure in figures(
                        cell, address.here().file(f"notebooks/{notebook.path.name}")
                    )
                ]
            continue
        for part in parts(cell.source):
            if part.name == "h1":
                continue
            if part.name in ("h2", "h3"):
                section = Slide(part.get_text())
                made.append(section)
            elif section.title in UNSHOWN:
                continue
            else:
                add(part, section, made)
    for slide, following in pairwise(made):
        # A section that would show its title alone begins with its figure.
        if slide.kind == "section" and not slide.body and following.kind == "figure":
            following.notes[:0] = slide.notes
            slide.notes = []
    for slide in made:
        lead(slide)
    return made


def parts(markdown: str) -> Iterator[Tag]:
    """The blocks of a Markdown text, whose links lead to the web or nowhere."""

    def on_the_web(link: re.Match) -> str:
        path = link["to"] if link["up"] else f"notebooks/{link['to']}"
        return f"[{link['text']}]({address.here().file(path)})"

    html = website.words(RELATIVE.sub(on_the_web, BADGE.sub("", markdown)))
    page = BeautifulSoup(html, "html.parser")
    for link in page("a", href=re.compile("^#")):
        link.unwrap()
    for tag in page(id=True):  # two slides may have what was one heading
        del tag["id"]
    yield from (part for part in page.children if isinstance(part, Tag))


def add(part: Tag, section: Slide, made: list[Slide]) -> None:
    """Put a block where it belongs: onto a slide of its own, the section's, or into notes."""
    label = part.find("strong") if part.name == "p" else None
    if label and label.get_text().startswith("Question"):
        label.decompose()
        made.append(Slide("Question", f"<p>{part.decode_contents().strip()}</p>", kind="question"))
    elif part.name == "details" and made[-1].kind == "question":
        if part.summary:
            part.summary.decompose()
        made[-1].answer = part.decode_contents()
    elif part.name in ("ul", "ol"):
        items = [str(item) for item in part.find_all("li", recursive=False)]
        count = 1
        for some in shared(items, ITEMS):
            start = f' start="{count}"' if part.name == "ol" else ""
            _shown(f"<{part.name}{start}>{''.join(some)}</{part.name}>", section, made)
            count += len(some)
    elif part.name == "div" and part.table:
        rows = part.table.find_all("tr")
        for some in shared([str(row) for row in rows[1:]], ROWS):
            _shown(f"<table>{rows[0]}{''.join(some)}</table>", section, made)
    elif part.find("math", display="block"):
        _shown(str(part), section, made)
    elif part.name != "details":
        made[-1].notes.append(str(part))


def shared(items: list[str], most: int) -> list[list[str]]:
    """A list in parts of at most so many, which are about equally long."""
    parts = -(-len(items) // most)
    cuts = [len(items) * part // parts for part in range(parts + 1)] if parts else []
    return [items[start:end] for start, end in pairwise(cuts)]


def _shown(html: str, section: Slide, made: list[Slide]) -> None:
    """Show something on the last slide of the section, or on one more if that shows something."""
    if made[-1] is section and not section.body and section.kind == "section":
        section.body = html
    else:
        made.append(Slide(section.title, html))


def lead(slide: Slide) -> None:
    """Let a slide that would show its title alone begin with the first sentences of its text."""
    first = next((note for note in slide.notes if note.startswith("<p>")), "")
    if slide.kind in ("section", "title") and not slide.body and first:
        said = ""
        for sentence in SENTENCE.split(first[3:].removesuffix("</p>")):
            said = f"{said} {sentence}"
            if len(said) > LEAD:
                break
        whole = BeautifulSoup(said.strip(), "html.parser")  # closes what was cut open
        slide.body = f'<p class="lead">{whole}</p>'


def figures(cell: Any, page: str) -> list[str]:
    """The figures that a cell put out, each with its caption; of one that moves, its still."""
    quiet = [
        output
        for output in cell.outputs
        if "data" in output and not website.asks_outside(output.data.get("text/html", ""))
    ]
    return [_figure(one.image, one.caption, page if one.live else "") for one in shown(quiet)]


def _figure(image: Tag, caption: str, live: str) -> str:
    picture = BeautifulSoup("", "html.parser").new_tag("img")
    picture["alt"], picture["src"] = str(image.get("alt", "")), image["src"]
    # Without a caption the alternative text says what is to be seen, to all.
    said = caption or str(Markup.escape(image.get("alt", "")))
    if live:
        said += f' <a href="{live}">Live in the notebook</a>'
    return f"<figure>{picture}<figcaption>{said}</figcaption></figure>"
