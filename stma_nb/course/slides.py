"""A notebook as slides: one file for the browser that asks nothing of the network.

Shown are its title, aims, sections with their lists, tables and formulas, what its cells print,
say or tabulate, figures with their captions, questions (the answer comes with the next step) and
summary. The text between is what a speaker says: it is kept as notes, and its first sentences lead
to what is shown. Exercises and their solutions stay in the notebook.
"""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise, zip_longest
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from markupsafe import Markup

from stma_nb.course import address, editions, runner, website
from stma_nb.course.structure import shown
from stma_nb.extras import needs
from stma_nb.files import refuse_existing, write_whole

with needs("course"):
    from bs4 import BeautifulSoup, Tag

STATIC = Path(__file__).parent
# Of a slide with letters to be read from the back row: lines, and letters in one of them.
LINES, LETTERS = 12, 70
MOST, ROWS = 11, 8  # of a table, or printed, that are shown whole; of more, so many
KEPT = ("colspan", "rowspan", "href")  # of the attributes in a table
WIDE = 95  # letters of the columns of a table that stand in one line
LEAD, ALONE = 70, 300  # letters that are enough before something, and where nothing else is shown
BESIDE = 1.54  # width by height: what is narrower is larger with its caption beside it
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


def write(number: str, folder: Path, overwrite: bool = False, student: bool = False) -> Path:
    """Write the slides of the notebook with this number ("04") into a folder; returns the file.
    Those for a ``student`` lead to no notebook with solutions.

    Raises ValueError if there is no such notebook, FileExistsError if the file exists and is not
    to be overwritten, and NotebookError outside a copy of the repository.
    """
    [path] = runner.picked([number])
    target = folder / f"slides_{path.stem}.html"
    refuse_existing(target, overwrite)
    page = deck(website.Chapter(path, student))
    return write_whole(target, lambda part: part.write_text(page, "utf-8"))


def deck(notebook: website.Chapter) -> str:
    """The page of a notebook's slides."""
    return website.render(
        "slides.html.j2",
        title=notebook.title,
        slides=[slide for slide in slides_of(notebook) if worth_showing(slide)],
        script=Markup((STATIC / "slides.js").read_text("utf-8")),
        style=Markup((STATIC / "slides.css").read_text("utf-8")),
        page=home(notebook),
    )


def home(notebook: website.Chapter) -> str:
    """Where the notebook is to be found; nowhere for a student, who has a copy."""
    name = f"notebooks/{notebook.path.name}"
    return "" if notebook.student else address.here().file(name)


def worth_showing(slide: Slide) -> bool:
    return bool(slide.body or slide.notes)


def slides_of(notebook: website.Chapter) -> list[Slide]:
    """The slides of a notebook in their order."""
    made = Deck(notebook.title)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            if not {"exercise", "solution"} & set(cell.metadata.get("tags", [])):
                made.show_outputs(cell, home(notebook))
            continue
        for part in parts(cell.source, notebook.student):
            made.take(part)
    return finished(made.slides)


class Deck:
    """Slides in the making: each thing goes where it belongs."""

    def __init__(self, title: str):
        self.slides = [Slide(title, kind="title")]
        self.section = self.slides[0].title
        self.said: list[str] = []  # the paragraphs since something was shown

    def take(self, part: Tag) -> None:
        """Put a block of text onto a slide, or into the notes of one."""
        if part.name in ("h2", "h3"):
            self.section, self.said = part.get_text(), []
            self.slides.append(Slide(self.section))
        if part.name in ("h1", "h2", "h3") or self.section in UNSHOWN:
            return
        last = self.slides[-1]
        label = part.find("strong") if part.name == "p" else None
        if label and label.get_text().startswith("Question"):
            label.decompose()
            asked = f"<p>{part.decode_contents().strip()}</p>"
            self.slides.append(Slide("Question", asked, kind="question"))
            self.said = []
        elif part.name == "details" and last.kind == "question":
            if part.summary:
                part.summary.decompose()
            last.answer = part.decode_contents()
        elif part.name in ("ul", "ol", "div") or part.find("math", display="block"):
            self.put(part)
        elif part.name != "details":
            last.notes.append(str(part))
            self.said += [str(part)] if part.name == "p" else []

    def put(self, part: Tag) -> None:
        """Show a block whole; a long list in parts of about equal length, of a table the first
        rows.
        """
        if part.name not in ("ul", "ol"):
            table = part if part.name == "table" else part.table
            self.show(tabulated(table) if table else str(part))
            return
        items = [str(item) for item in part.find_all("li", recursive=False)]
        count = 1
        for some in shared(items, LINES):
            start = f' start="{count}"' if part.name == "ol" else ""
            self.show(f"<{part.name}{start}>{''.join(some)}</{part.name}>")
            count += len(some)

    def show_outputs(self, cell: Any, page: str) -> None:
        """What a cell put out: figures on slides of their own; sentences, tables, printed lines."""
        made = figures(cell, page)
        for output in quiet(cell):
            if self.section not in UNSHOWN and (said := told(output, not page)):
                for part in said:
                    self.put(part)
            elif made and "<img" in output.get("data", {}).get("text/html", ""):
                self.slides += [Slide(self.section, figure, kind="figure") for figure in made]
                self.said, made = [], []  # all of them: most cells have one

    def show(self, html: str) -> None:
        """Show something below the sentence that leads to it, on the last slide if it has room."""
        before, after = self.slides[-1], introduced(self.said) + html
        fits = not before.body or lines(before.body + after) <= LINES
        if before.kind == "section" and before.title == self.section and fits:
            before.body += after
        else:
            before.notes = [note for note in before.notes if note not in self.said]
            self.slides.append(Slide(self.section, after, notes=self.said))
        self.said = []


def finished(made: list[Slide]) -> list[Slide]:
    """Slides that show something beside their title, and announce nothing that does not follow."""
    for slide, following in pairwise(made):
        # A section that would show its title alone begins with its figure.
        if slide.kind == "section" and not slide.body and following.kind == "figure":
            following.notes[:0] = slide.notes
            slide.notes = []
    for slide in made:
        first = next((note for note in slide.notes if note.startswith("<p>")), "")
        if slide.kind in ("section", "title") and not slide.body and first:
            slide.body = lead(first, LEAD if slide.kind == "title" else ALONE)
    shown = [slide for slide in made if worth_showing(slide)]
    for slide, following in pairwise([*shown, Slide("")]):
        if slide.body.endswith(":</p>") and following.title != slide.title:
            slide.body = slide.body.removesuffix(":</p>") + ".</p>"
    return made


def parts(markdown: str, student: bool = False) -> Iterator[Tag]:
    """The blocks of a Markdown text, whose links lead to the web or nowhere."""

    def on_the_web(link: re.Match) -> str:
        path = link["to"] if link["up"] else f"notebooks/{link['to']}"
        return f"[{link['text']}]({address.here().file(path)})"

    markdown = BADGE.sub("", markdown)
    if student:
        markdown = editions.linked(markdown, public=False)
    page = BeautifulSoup(website.words(RELATIVE.sub(on_the_web, markdown)), "html.parser")
    for link in page("a", href=re.compile("^#")):
        link.unwrap()
    for tag in page(id=True):  # two slides may have what was one heading
        del tag["id"]
    yield from (part for part in page.children if isinstance(part, Tag))


def shared(items: list[str], most: float) -> list[list[str]]:
    """A list in parts of at most so many lines, which are about equally long."""
    count = -(-sum(map(lines, items)) // most)
    cuts = [len(items) * part // int(count) for part in range(int(count) + 1)]
    return [items[start:end] for start, end in pairwise(cuts)]


def plain(html: str) -> str:
    return " ".join(BeautifulSoup(html, "html.parser").get_text().split())


def lines(html: str) -> float:
    """About how many lines of a slide this takes."""
    page = BeautifulSoup(html, "html.parser")
    text = sum(0.5 - -len(plain(str(part))) // LETTERS for part in page(["p", "li"]))
    written = sum(len(part.get_text().splitlines()) for part in page("pre"))
    return text + 1.1 * len(page("tr")) + 0.9 * written + 2 * len(page("math", display="block"))


def introduced(said: list[str]) -> str:
    """What leads to the thing that is shown next: of the last paragraph the sentence that announces
    it, or the first ones.
    """
    if not said:
        return ""
    *_, last = SENTENCE.split(said[-1][3:].removesuffix("</p>"))
    whole = len(plain(said[-1])) < 3 * LETTERS
    announced = last.endswith(":") and not whole
    return lead(f"<p>{last}</p>" if announced else said[-1], 3 * LETTERS if whole else LEAD)


def lead(paragraph: str, enough: int) -> str:
    """The first sentences of a paragraph, until they are long enough."""
    said = ""
    for sentence in SENTENCE.split(paragraph[3:].removesuffix("</p>")):
        said = f"{said} {sentence}"
        if len(said) > enough:
            break
    whole = BeautifulSoup(said.strip(), "html.parser")  # closes what was cut open
    return f'<p class="lead">{whole}</p>'


def quiet(cell: Any) -> list[Any]:
    """The outputs of a cell that ask nothing of other servers."""
    return [
        output
        for output in cell.outputs
        if not website.asks_outside(output.get("data", {}).get("text/html", ""))
    ]


def told(output: Any, student: bool = False) -> list[Tag]:
    """What an output says in words or numbers; nothing for a figure."""
    data = output.get("data", {})
    if "text/markdown" in data:
        return list(parts(data["text/markdown"], student))
    stream = output.output_type == "stream" and output.name == "stdout"
    html = f"<div>{printed(output.text)}</div>" if stream else data.get("text/html", "")
    page = BeautifulSoup(html, "html.parser")
    found = page.div if stream else page.table
    return [found] if found and found.contents and not page.img else []


def printed(text: str) -> str:
    """What a cell printed, if it is long its first lines."""
    found = text.strip("\n").splitlines()
    first, more = first_of(found, "lines")
    said = "\n".join(first)
    return f"<pre>{Markup.escape(said)}</pre>{more}" if said.strip() else ""


def tabulated(table: Tag) -> str:
    """A table without the dress of its library; of a large one the first rows."""
    for cell in table("th"):
        if not cell.get_text(strip=True):
            cell.name = "td"
    for link in table("a", href=True, string=re.compile("^https?:")):
        link.string = urlsplit(str(link["href"])).netloc
    for tag in [table, *table(True)]:
        tag.attrs = {name: tag[name] for name in KEPT if name in tag.attrs}
    rows = table.find_all("tr")
    head = [row for row in rows if row.find_parent("thead")] or rows[:1]
    body = [row for row in rows if row not in head]
    cells = [row.find_all(["td", "th"]) for row in head]
    if len(cells) == 2 and len(cells[0]) == len(cells[1]):
        for upper, lower in zip(*cells, strict=True):  # pandas names the index in a row of its own
            if not upper.get_text(strip=True):
                upper.replace_with(lower)
        head = head[:1]
    # A head breaks between its words.
    words = [
        [max(map(len, plain(str(cell)).split() or [""])) for cell in row.find_all(["td", "th"])]
        for row in head
    ]
    texts = [[len(plain(str(cell))) for cell in row.find_all(["td", "th"])] for row in body]
    widths = [max(column) + 3 for column in zip_longest(*words, *texts, fillvalue=0)]
    wraps = sum(widths) > WIDE
    first, more = first_of(body, "rows", 1.5 if wraps else 1)
    return f"<table>{''.join(map(str, [table.caption or '', *head, *first]))}</table>{more}"


def first_of(items: list[Any], what: str, height: float = 1) -> tuple[list[Any], str]:
    """All of a few items, each so many lines high; the first of many, and a note that says so."""
    if len(items) * height <= MOST:
        return items, ""
    first = items[: int(ROWS / height)]
    said = f"The first {len(first)} of {len(items)} {what}; the notebook has all."
    return first, f"<p><small>{said}</small></p>"


def figures(cell: Any, page: str) -> list[str]:
    """The figures that a cell put out, each with its caption; of one that moves, its still."""
    kept = [output for output in quiet(cell) if "data" in output]
    place = f'<a href="{page}">in the notebook</a>' if page else "in the notebook"
    found = shown(kept)
    # A map from the web is left out here and on the site; its still stands beside it.
    web = len(quiet(cell)) < len(cell.outputs) and len(found) == 1
    moves = f"(A still: it moves {place}.)" if web else ""
    live = f"(A still: it moves {place} and on the course's site.)"
    return [_figure(one.image, one.caption, live if one.live else moves) for one in found]


def _figure(image: Tag, caption: str, moves: str) -> str:
    picture = BeautifulSoup("", "html.parser").new_tag("img")
    picture["alt"], picture["src"] = str(image.get("alt", "")), image["src"]
    # Without a caption the alternative text says what is to be seen, to all.
    said = caption or str(Markup.escape(image.get("alt", "")))
    if moves:
        number = re.match(r"<b>.*?</b> ", said)
        at = number.end() if number else 0
        said = f"{said[:at]}{moves} {said[at:]}"
    kind = ' class="beside"' if _narrow(str(image["src"])) else ""
    return f"<figure{kind}>{picture}<figcaption>{said}</figcaption></figure>"


def _narrow(source: str) -> bool:
    """Whether a picture is larger on a slide with its caption beside it than with one below it."""
    if source.startswith(website.PNG):
        width, height = website.opened(source).size
    else:
        drawing = base64.b64decode(source.partition("base64,")[2]).decode("utf-8", "ignore")
        box = re.search(r'viewBox="[\d.-]+ [\d.-]+ ([\d.]+) ([\d.]+)"', drawing)
        width, height = map(float, box.groups()) if box else (BESIDE, 1)
    return bool(width < BESIDE * height)
