"""The notebooks as web pages that ask nothing of other servers: readable offline, on a phone and by
a screen reader.

Pages hold what the committed notebooks hold; nothing is executed, except that the pictures that
move are made anew, on pages of their own. Scripts add what a page can do without (search, a dark
dress, the quiz, what a reader has done): all is readable where none runs. Links are relative, so
that a folder of pages works from a disk and under any path of a web server.
"""

import base64
import hashlib
import io
import re
import shutil
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache, partial
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup, escape
from PIL import Image, ImageStat

from stma_nb.course import editions, questions, reference, runner, search
from stma_nb.course.address import here
from stma_nb.course.pictures import PICTURES, Picture
from stma_nb.course.structure import GLOSSARY, Notebook, slug
from stma_nb.extras import needs
from stma_nb.figures.component import ELEMENTS
from stma_nb.files import refuse_existing

with needs("course"):
    import nbformat
    from bs4 import BeautifulSoup
    from nbconvert import HTMLExporter
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

STATIC = Path(__file__).parent
TEXTS = {"continent": "A continent: a plan", "glossary": "Glossary"}  # beside the notebooks
PNG = "data:image/png;base64,"
# What runs on every page, joined to one script: first what the others use.
SCRIPTS = (ELEMENTS, *(STATIC / f"site{part}.js" for part in ("", "_kept", "_search", "_quiz")))
EARLY = STATIC / "site_scheme.js"  # before anything is drawn
THUMBNAIL = (640, 400)  # pixels: shown at half the size, sharp on fine screens
# Elements that ask a server for something or run code, and attributes that say what to load.
ASKING = ("script", "iframe", "frame", "link", "object", "embed", "base", "meta")
LOADING = ("src", "href", "xlink:href", "poster", "background")
HELD = ("data:", "#")  # how an address starts that names a part of the page itself
# A backslash may spell any of these words otherwise.
CSS_ASKING = re.compile(r"@import|image-set|\\|url\((?!\s*['\"]?\s*(data:|#))", re.IGNORECASE)


@dataclass(frozen=True)
class Chapter(Notebook):
    """A notebook as its page shows it: in the ``student`` edition without solutions."""

    student: bool = False

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def number(self) -> str:
        return runner.number_of(self.path)

    @cached_property
    def content(self) -> nbformat.NotebookNode:
        content = nbformat.read(self.path, as_version=4)
        if not self.student:
            return content
        outputs = {cell.id: cell.outputs for cell in content.cells if cell.cell_type == "code"}
        content = editions.student(content)  # which clears outputs; a page shows them
        for cell in content.cells:
            if cell.cell_type == "code":
                cell.outputs = outputs.get(cell.id, [])
        return content

    @cached_property
    def cells(self) -> list:
        return self.content.cells

    @property
    def description(self) -> str:
        """What a search engine is told: the first paragraph of prose."""
        said = (part.get_text(" ", strip=True) for part in self.words("p"))
        return next((" ".join(text.split()) for text in said if len(text) > 60), self.title)

    def download(self) -> str:
        """The notebook as a file to run, with links that lead from anywhere."""
        if self.student:
            return editions.student_copy(self.path, [path.name for path in runner.notebooks()])
        content = nbformat.read(self.path, as_version=4)
        for cell in content.cells:
            if cell.cell_type == "markdown":
                cell.source = editions.linked(cell.source)
        return nbformat.writes(content)


def build(folder: Path, overwrite: bool = False, student: bool = False) -> Path:
    """Write all pages of the course, the notebooks and the pictures that move; returns the index.

    The pages are one for each notebook, an index, the plan for a continent, the glossary, the
    questions, the index of the search and the reference. For a ``student`` they hold no solutions.

    Raises FileExistsError if the folder exists and is not to be overwritten; files in it that are
    not pages are left alone. NotebookError outside a copy of the repository, and ImportError where
    a package of ``stma_nb[site]`` is missing: then no folder is made.
    """
    refuse_existing(folder, overwrite)
    chapters = [Chapter(path, student) for path in runner.notebooks()]
    cards = [(chapter, thumbnail(chapter)) for chapter in chapters]
    library = reference.pages()
    files = pages(chapters)
    files["search.html"] = search_page(files, library)
    files |= {f"api/{name}": text for name, text in library.items()}
    files |= {chapter.path.name: chapter.download() for chapter in chapters}
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    (folder / "pictures").mkdir(exist_ok=True)
    for chapter, picture in cards:
        if picture:
            picture.save(folder / "pictures" / f"{chapter.name}.png", optimize=True)
    shutil.copy(STATIC / "site.css", folder)
    save_pictures(folder)
    return folder / "index.html"


def pages(chapters: list[Chapter]) -> dict[str, str]:
    """The text of every page of the course by its name; ``index.html`` leads to all."""
    student = any(chapter.student for chapter in chapters)
    anchors: dict[str, str] = {}
    shown = {}
    if bank := _beside("questions.md"):
        shown["questions.html"] = questions_page(bank, chapters, student)
        links = BeautifulSoup(shown["questions.html"], "html.parser").select("main h2 > a[href]")
        anchors = {str(link["href"]): str(link.parent["id"]) for link in links if link.parent}
    for name, title in TEXTS.items():
        if text := _beside(f"{name}.md"):
            cells = Markup(words(text, Terms))
            shown[f"{name}.html"] = render(
                "text.html.j2", chapters=chapters, name=name, title=title, cells=cells
            )
    neighbours = ([None, *chapters[:-1]], chapters, [*chapters[1:], None])
    for before, chapter, after in zip(*neighbours, strict=True):
        asked = anchors.get(f"{chapter.name}.html")
        shown[f"{chapter.name}.html"] = page_of(chapter, chapters, before, after, asked)
    shown["index.html"] = render(
        "index.html.j2",
        chapters=chapters,
        name="index",
        pictures=PICTURES,
        pictured={chapter.name for chapter in chapters if chapter.figures},
        student=student,
    )
    return shown


def search_page(shown: dict[str, str], library: dict[str, str]) -> str:
    """The index of a search over the pages ``shown`` and the reference of the ``library``."""
    found = [entry for name, page in shown.items() for entry in search.sections(name, page)]
    for name, page in library.items():
        found += search.reference(f"api/{name}", page) if name.endswith(".html") else []
    return render("search.html.j2", entries=[entry._asdict() for entry in found])


def render(template: str, **data: Any) -> str:
    """A page from one of the templates beside this module."""
    beside = {name: bool(_beside(f"{name}.md")) for name in (*TEXTS, "questions")}
    shared = dict(
        repository=here().url,
        beside=beside,
        texts=TEXTS,
        early=joined(EARLY),
        script=joined(*SCRIPTS),
    )
    return TEMPLATES.get_template(template).render(shared | data)  # slides have their own script


@cache
def joined(*files: Path) -> str:
    """JavaScript files as one script."""
    return "\n".join(file.read_text("utf-8") for file in files)


def _beside(name: str) -> str:
    """The text of a file beside the notebooks; empty where there is none."""
    path = runner.ROOT / "notebooks" / name
    return path.read_text("utf-8") if path.exists() else ""


def fingerprint(script: str) -> str:
    """A script as a Content-Security-Policy names it."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"


# ------------------------------------------------------------------------------------------- words


class Words(IPythonRenderer):
    """Markdown for these pages: formulas as MathML, links to pages, no image of another server."""

    def heading(self, text: str, level: int, **attributes: Any) -> str:
        name = escape(self.anchor(BeautifulSoup(text, "html.parser").get_text()))
        link = f'<a class="permalink" href="#{name}" aria-label="Link to this section"></a>'
        return f'<h{level} id="{name}">{text}{link if level > 1 else ""}</h{level}>\n'

    def anchor(self, text: str) -> str:
        return text.replace(" ", "-")

    def link(self, text: str, url: str, title: str | None = None) -> str:
        made = super().link(text, address(url), title)
        file, _, term = url.partition("#")
        meaning = definitions(_beside(GLOSSARY)).get(term) if file == GLOSSARY else None
        return made.replace("<a ", f'<a data-meaning="{escape(meaning)}" ', 1) if meaning else made

    def image(self, text: str, url: str, title: str | None = None) -> str:
        return (
            f'<span class="button">{text}</span>'
            if re.match(r"(https?:)?//", url, re.IGNORECASE)
            else super().image(text, url, title)
        )  # badges

    def table(self, text: str) -> str:
        return f'<div class="scroll"><table>\n{text}</table></div>\n'

    def inline_math(self, body: str) -> str:
        return _mathml(body, "inline")

    def block_math(self, body: str) -> str:
        return f'<div class="scroll">{_mathml(body, "block")}</div>\n'


class Terms(Words):
    """The glossary, whose anchors are those that GitHub gives."""

    def anchor(self, text: str) -> str:
        return slug(text)


class Plain(Terms):
    """Text of the glossary apart from it, where its links would lead elsewhere."""

    def link(self, text: str, url: str, title: str | None = None) -> str:
        return text


def words(markdown: str, renderer: type[Words] = Words) -> str:
    """Markdown as HTML."""
    return MarkdownWithMath(renderer=renderer(escape=False)).render(markdown)


def inline(html: str) -> Markup:
    """A paragraph's HTML without the paragraph around it."""
    return Markup(html.strip().removeprefix("<p>").removesuffix("</p>"))


@lru_cache(1)
def definitions(glossary: str) -> dict[str, str]:
    """By its anchor, what each term of the glossary means: its first paragraph, as text, without
    the number of a notebook at its end.
    """
    page = BeautifulSoup(words(glossary, Plain), "html.parser")
    return {
        str(term["id"]): re.sub(r" \d\d[a-z]?$", "", " ".join(said.get_text().split()))
        for term in page("h2")
        if (said := term.find_next_sibling()) is not None and said.name == "p"
    }


def address(url: str) -> str:
    """Where a link of a notebook leads from its page: to pages of the series, else to the
    repository on the web.
    """
    if re.match(r"[a-z]+:|#", url):
        return url
    texts = "|".join((*TEXTS, "questions"))
    if re.match(rf"(\d\d[a-z]?_\w+\.ipynb|({texts})\.md)(#|$)", url):
        return re.sub(r"\.(ipynb|md)", ".html", url, count=1)
    if url == "../README.md":  # the list of notebooks
        return "index.html"
    path = url.removeprefix("../") if url.startswith("../") else f"notebooks/{url}"
    return here().file(path)


def led(part: Any) -> Any:
    """A part of a notebook's text, with links that lead from its page."""
    for link in part("a", href=True):
        link["href"] = address(str(link["href"]))
    return part


def _mathml(tex: str, display: str) -> str:
    with needs("site"):
        from latex2mathml.converter import convert
    return convert(tex.strip(), display=display)


# ------------------------------------------------------------------------------------------- pages


def page_of(
    chapter: Chapter,
    chapters: list[Chapter],
    before: Chapter | None = None,
    after: Chapter | None = None,
    asked: str | None = None,
) -> str:
    """The page of a notebook, with links to all, to the one before and the one after it, and to
    where its questions are ``asked`` on their page.
    """
    exporter = HTMLExporter(
        raw_template=(STATIC / "site.html.j2").read_text("utf-8"),
        filters={"words": words, "asks_outside": asks_outside, "live": partial(live, chapter)},
    )
    cells, _ = exporter.from_notebook_node(chapter.content)
    return render(
        "page.html.j2",
        chapters=chapters,
        name=chapter.name,
        chapter=chapter,
        cells=Markup(cells),
        headings=re.findall(r'<h2 id="(.*?)">(.*?)<a [^>]*class="permalink"', cells),
        before=before,
        after=after,
        asked=asked,
    )


def questions_page(markdown: str, chapters: list[Chapter], student: bool = False) -> str:
    """The question bank with a quiz that can be taken; for a ``student`` without model answers."""
    bank = questions.parts(markdown)
    asked = questions.unanswered(bank.questions) if student else bank.questions
    return render(
        "questions.html.j2",
        chapters=chapters,
        name="questions",
        bank=bank,
        cells=Markup(words(asked)),
    )


def live(chapter: Chapter, source: str) -> Picture | None:
    """The picture that moves in place of what a cell with this source shows, if there is one."""
    of_notebook = (picture for picture in PICTURES if picture.notebook == chapter.number)
    return next((picture for picture in of_notebook if picture.call in source), None)


def asks_outside(html: str) -> bool:
    """Whether a browser that shows this HTML would run code or load what the HTML does not hold.

    A link that a reader may follow (``a``) loads nothing by itself.
    """
    page = BeautifulSoup(html, "html.parser")
    styles = [str(tag["style"]) for tag in page(style=True)]
    styles += [sheet.get_text() for sheet in page("style")]
    loaded = [
        str(tag[name]) for name in LOADING for tag in page(True, {name: True}) if tag.name != "a"
    ]
    return bool(
        page(ASKING)
        or page(srcset=True)
        or any(name.startswith("on") for tag in page(True) for name in tag.attrs)  # runs code
        or any(
            str(tag["href"]).strip().lower().startswith("javascript:")
            for tag in page("a", href=True)
        )
        or any(not address.strip().lower().startswith(HELD) for address in loaded)
        or any(CSS_ASKING.search(style) for style in styles)
    )


# ---------------------------------------------------------------------------------------- pictures


def thumbnail(chapter: Chapter) -> Image.Image | None:
    """What stands for a notebook: the most colourful panel of its figures, readable when small.

    None without figures.
    """
    images = [opened(image["src"]) for image in chapter.figures if image["src"].startswith(PNG)]
    panels = [panel for image in images for panel in panels_of(image)]
    best = max(panels, key=_appeal, default=None)
    if best is not None:
        best.thumbnail(THUMBNAIL)
    return best


def panels_of(image: Image.Image) -> list[Image.Image]:
    """The parts of a figure that white columns and rows part from each other, if they are large
    enough to say something; else the figure itself.
    """
    inked = np.asarray(image.convert("L")) < 250
    gap = max(5, image.width // 150)  # less lies between an axis and its numbers
    boxes = [
        (left, top, right, bottom)
        for left, right in _runs(inked.max(axis=0), gap)
        for top, bottom in _runs(inked[:, left:right].max(axis=1), 2 * gap)
        if right - left > 200 and bottom - top > 150
    ]
    return [image.crop(box) for box in boxes] or [image]


def _runs(inked: np.ndarray, gap: int) -> list[tuple[int, int]]:
    """Beginning and end of what is inked, where less than ``gap`` white does not part it."""
    at = np.flatnonzero(inked)
    if not at.size:
        return []
    breaks = np.flatnonzero(np.diff(at) > gap)
    starts, ends = [at[0], *at[breaks + 1]], [*at[breaks], at[-1]]
    return [(int(start), int(end) + 1) for start, end in zip(starts, ends, strict=True)]


def _appeal(panel: Image.Image) -> float:
    """Much shown, little shrunk and colourful."""
    scale = min(1, THUMBNAIL[0] / panel.width, THUMBNAIL[1] / panel.height)
    colour = ImageStat.Stat(panel.convert("HSV")).mean[1]
    return panel.width * panel.height * scale**3 * (1 + colour)


def opened(source: str) -> Image.Image:
    """A picture that stands in a page."""
    return Image.open(io.BytesIO(base64.b64decode(source.removeprefix(PNG)))).convert("RGB")


def save_pictures(folder: Path, made: Path = runner.ROOT / "build") -> None:
    """Put the pictures that move into a folder, each with a way back to the course: those that
    notebooks ``made``, the others anew.
    """
    for picture in PICTURES:
        page = folder / picture.page
        if (made / picture.page).exists():
            shutil.copy(made / picture.page, page)
        else:
            picture.make().save_html(page, overwrite=True)
        page.write_text(leading_back(page.read_text("utf-8"), picture.notebook), "utf-8")


def leading_back(page: str, number: str) -> str:
    """A page of its own with links to its notebook's page and to all, except within their frame."""
    [chapter] = runner.picked([number])
    way = (
        '<nav id="back" aria-label="Course" style="margin: 0.2rem 8px; font-family: system-ui">'
        f'<a href="index.html">The course</a> / <a href="{chapter.stem}.html">Notebook {number}</a>'
        "</nav><script>back.hidden = parent !== window</script>"
    )
    return page.replace("<body>", f"<body>\n{way}", 1)


TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(STATIC),
    autoescape=True,
    undefined=jinja2.StrictUndefined,  # a name that the template misspells is an error
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.filters |= {"words": words, "led": led, "inline": inline, "fingerprint": fingerprint}
