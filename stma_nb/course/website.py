"""The notebooks as web pages that ask nothing of other servers: readable offline, on a phone and by
a screen reader.

Pages hold what the committed notebooks hold; nothing is executed, except that the pictures that
move are made anew, on pages of their own. A script sets these in the place of their stills, which
stay where no script runs. Links are relative, so that a folder of pages works from a disk and
under any path of a web server.
"""

import base64
import hashlib
import io
import re
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape
from PIL import Image, ImageStat

from stma_nb.course import reference, runner
from stma_nb.course.pictures import PICTURES, Picture
from stma_nb.course.structure import Notebook, repository
from stma_nb.extras import needs
from stma_nb.files import refuse_existing

with needs("course"):
    import nbformat
    from bs4 import BeautifulSoup
    from nbconvert import HTMLExporter
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

STATIC = Path(__file__).parent
PNG = "data:image/png;base64,"
# Elements that ask a server for something or run code, and attributes that say what to load.
ASKING = ("script", "iframe", "frame", "link", "object", "embed", "base", "meta")
LOADING = ("src", "href", "xlink:href", "poster", "background")
HELD = ("data:", "#")  # how an address starts that names a part of the page itself
# A backslash may spell any of these words otherwise.
CSS_ASKING = re.compile(r"@import|image-set|\\|url\((?!\s*['\"]?\s*(data:|#))", re.IGNORECASE)


def build(folder: Path, overwrite: bool = False) -> Path:
    """Write a page for each notebook and each picture that moves, an index and the reference;
    returns the index.

    Raises FileExistsError if the folder exists and is not to be overwritten; files in it that are
    not pages are left alone. NotebookError outside a copy of the repository, and ImportError where
    a package of ``stma_nb[site]`` is missing: then no folder is made.
    """
    refuse_existing(folder, overwrite)
    notebooks = [Notebook(path) for path in runner.notebooks()]
    cards = [(notebook, _picture(notebook)) for notebook in notebooks]
    pages = {"index.html": render("index.html.j2", cards=cards, pictures=PICTURES)}
    neighbours = ([None, *notebooks[:-1]], notebooks, [*notebooks[1:], None])
    for before, notebook, after in zip(*neighbours, strict=True):
        pages[f"{notebook.path.stem}.html"] = page_of(notebook, before, after)
    pages |= {f"api/{name}": page for name, page in reference.pages().items()}
    for name, page in pages.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(page, "utf-8")
    (folder / "pictures").mkdir(exist_ok=True)
    for notebook, picture in cards:
        if picture:
            (folder / "pictures" / f"{notebook.path.stem}.png").write_bytes(_bytes(picture))
    shutil.copy(STATIC / "site.css", folder)
    save_pictures(folder)
    return folder / "index.html"


def render(template: str, **data: Any) -> str:
    """A page from one of the templates beside this module."""
    return TEMPLATES.get_template(template).render(data, repository=repository())


def fingerprint(script: str) -> str:
    """A script as a Content-Security-Policy names it."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"


# --------------------------------------------------------------------------------------- a notebook


class Words(IPythonRenderer):
    """Markdown for these pages: formulas as MathML, links to pages, no image of another server."""

    def heading(self, text: str, level: int, **attributes: Any) -> str:
        name = BeautifulSoup(text, "html.parser").get_text().replace(" ", "-")
        return f'<h{level} id="{escape(name)}">{text}</h{level}>\n'

    def link(self, text: str, url: str, title: str | None = None) -> str:
        return super().link(text, address(url), title)

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


def words(markdown: str) -> str:
    """Markdown as HTML."""
    return MarkdownWithMath(renderer=Words(escape=False)).render(markdown)


def address(url: str) -> str:
    """Where a link of a notebook leads from its page: to pages of the series, else to the
    repository on the web.
    """
    if re.match(r"[a-z]+:|#", url):
        return url
    if re.match(r"\d\d[a-z]?_\w+\.ipynb", url):
        return url.replace(".ipynb", ".html")
    if url == "../README.md":  # the list of notebooks
        return "index.html"
    path = url.removeprefix("../") if url.startswith("../") else f"notebooks/{url}"
    return f"{repository()}/blob/main/{path}"


def _mathml(tex: str, display: str) -> str:
    with needs("site"):
        from latex2mathml.converter import convert
    return convert(tex.strip(), display=display)


def page_of(
    notebook: Notebook, before: Notebook | None = None, after: Notebook | None = None
) -> str:
    """The page of a notebook, with links to the one before and the one after it."""
    content = nbformat.read(notebook.path, as_version=4)
    exporter = HTMLExporter(
        raw_template=(STATIC / "site.html.j2").read_text("utf-8"),
        filters={"words": words, "asks_outside": asks_outside, "live": partial(live, notebook)},
    )
    cells, _ = exporter.from_notebook_node(content)
    headings = BeautifulSoup(cells, "html.parser")("h2", id=True)
    return render(
        "page.html.j2",
        notebook=notebook,
        cells=Markup(cells),
        headings=headings,
        before=before,
        after=after,
    )


def live(notebook: Notebook, source: str) -> Picture | None:
    """The picture that moves in place of what a cell with this source shows, if there is one."""
    number = notebook.path.stem.partition("_")[0]
    of_notebook = (picture for picture in PICTURES if picture.notebook == number)
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


# ---------------------------------------------------------------------------- pictures


def _picture(notebook: Notebook) -> Any:
    """The figure that stands for a notebook: much in it (a large PNG) and colourful.

    None without figures.
    """

    def appeal(picture: Any) -> float:
        return (
            len(picture["src"])
            * ImageStat.Stat(Image.open(io.BytesIO(_bytes(picture))).convert("HSV")).mean[1]
        )

    return max(
        (image for image in notebook.figures if image["src"].startswith(PNG)),
        key=appeal,
        default=None,
    )


def _bytes(picture: Any) -> bytes:
    return base64.b64decode(picture["src"].removeprefix(PNG))


def save_pictures(folder: Path, made: Path = runner.ROOT / "build") -> None:
    """Put the pictures that move into a folder: those that notebooks ``made``, the others anew."""
    for picture in PICTURES:
        if (made / picture.page).exists():
            shutil.copy(made / picture.page, folder)
        else:
            picture.make().save_html(folder / picture.page, overwrite=True)


TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(STATIC),
    autoescape=True,
    undefined=jinja2.StrictUndefined,  # a name that the template misspells is an error
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.filters |= {"words": words, "fingerprint": fingerprint}
