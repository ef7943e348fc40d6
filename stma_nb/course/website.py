"""The notebooks as web pages that ask nothing of other servers: readable offline, on a phone and by
a screen reader.

Pages hold what the committed notebooks hold; nothing is executed, except that the explorer's page
is made when it is not there. Links are relative, so that a folder of pages works from a disk and
under any path of a web server.
"""

import base64
import io
import re
import shutil
from html import escape
from pathlib import Path

import nbformat
from bs4 import BeautifulSoup
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from PIL import Image, ImageStat

from stma_nb.course import runner
from stma_nb.course.structure import Notebook, repository
from stma_nb.files import refuse_existing

STATIC = Path(__file__).parent
TITLE = "Crop maps from radar, with attention"
LEAD = (
    "A course in notebooks: how a season of Sentinel-1 radar images becomes a map of crops with "
    "STMA, a network that attends to "
    "dates, to pixels and across scales, and how to say honestly how good that map is."
)
EXPLORER = "attention.html"
PNG = "data:image/png;base64,"
# Folium's map asks other servers for scripts and images: a page that works offline cannot hold it.
OUTSIDE = (
    '<p class="note">The map that stands here in the notebook comes from the web: run the '
    "notebook to see it.</p>"
)
LIVE = (
    f'<iframe src="{EXPLORER}" title="The attention explorer"></iframe>'
    f'<p><a href="{EXPLORER}">Open the explorer on a page of its own</a></p>'
)
SCROLL = """<script>
// What scrolls sideways must be reached by keyboard; what does not scroll would only be one stop more.
const reach = () => document.querySelectorAll("pre, .scroll, .output").forEach((box) => {
  if (box.scrollWidth > box.clientWidth) box.tabIndex = 0; else box.removeAttribute("tabindex");
});
addEventListener("resize", reach);
addEventListener("toggle", reach, true);
reach();
</script>"""


def build(folder: Path, overwrite: bool = False) -> Path:
    """Write the pages of all notebooks, an index and the explorer into a folder; returns the index.

    Raises FileExistsError if the folder exists and is not to be overwritten; files in it that are
    not pages are left alone.
    """
    refuse_existing(folder, overwrite)
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    notebooks = [Notebook(path) for path in runner.notebooks()]
    for place, notebook in enumerate(notebooks):
        before, after = notebooks[place - 1 : place], notebooks[place + 1 : place + 2]
        steps = "".join(
            f'<a rel="{rel}" href="{other.path.stem}.html">{words} {escape(other.title)}</a>'
            for rel, words, others in (("prev", "Before:", before), ("next", "Next:", after))
            for other in others
        )
        body = (
            f"{_cells(notebook)}<nav class='steps' aria-label='Neighbouring "
            f"notebooks'>{steps}</nav>"
        )
        page = shell(f"{notebook.title} – {TITLE}", body, _contents(body))
        (folder / f"{notebook.path.stem}.html").write_text(page, "utf-8")
    for notebook in notebooks:
        if picture := _picture(notebook):
            (folder / "pictures" / f"{notebook.path.stem}.png").write_bytes(_bytes(picture))
    (folder / "index.html").write_text(shell(TITLE, _index(notebooks)), "utf-8")
    shutil.copy(STATIC / "site.css", folder)
    save_explorer(folder / EXPLORER)
    return folder / "index.html"


def shell(title: str, body: str, contents: str = "") -> str:
    """A whole page around its main part."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta '
        f'charset="utf-8">\n<title>{escape(title)}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<link rel="icon" '
        'href="data:,">\n'
        '<link rel="stylesheet" href="site.css">\n</head>\n<body>\n<a class="skip" '
        'href="#main">Skip to the text</a>\n'
        f'<header><a href="index.html">{TITLE}</a></header>\n'
        f'<div class="columns">\n{contents}<main id="main" '
        f'tabindex="-1">\n{body}\n</main>\n</div>\n'
        f'<footer>Made from the notebooks of <a href="{repository()}">stma_nb</a>; the sample '
        "data are simulated.</footer>\n"
        f"{SCROLL}\n</body>\n</html>\n"
    )


# --------------------------------------------------------------------------------------- a notebook


class Words(IPythonRenderer):
    """Markdown for these pages: formulas as MathML, links to pages, no image from another server."""

    def heading(self, text: str, level: int, **attributes) -> str:
        name = BeautifulSoup(text, "html.parser").get_text().replace(" ", "-")
        return f'<h{level} id="{escape(name)}">{text}</h{level}>\n'

    def link(self, text: str, url: str, title: str | None = None) -> str:
        return super().link(text, address(url), title)

    def image(self, text: str, url: str, title: str | None = None) -> str:
        return (
            f'<span class="button">{text}</span>'
            if url.startswith("https:")
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
    if re.match(r"\d\d_\w+\.ipynb", url):
        return url.replace(".ipynb", ".html")
    if url == "../README.md":  # the list of notebooks
        return "index.html"
    return f"{repository()}/blob/main/{url.removeprefix('../') if url.startswith('../') else f'notebooks/{url}'}"


def _mathml(tex: str, display: str) -> str:
    try:
        from latex2mathml.converter import convert
    except ImportError as error:
        raise ValueError(
            "Formulas on web pages need one more package: pip install 'stma_nb[site]'."
        ) from error
    return convert(tex.strip(), display=display)


def _cells(notebook: Notebook) -> str:
    content = nbformat.read(notebook.path, as_version=4)
    for cell in content.cells:
        for output in cell.get("outputs", []):
            page = output.get("data", {}).get("text/html", "")
            if re.search(
                r"AttentionExplorer\(", cell.source
            ) and "application/vnd.jupyter.widget-view+json" in output.get("data", {}):
                output.data = {"text/html": LIVE}
            elif re.search(r"""<iframe|<script|(src|href)=["']https?:""", page):
                output.data = {"text/html": OUTSIDE}
    template = (STATIC / "site.html.j2").read_text("utf-8")
    return HTMLExporter(raw_template=template, filters={"words": words}).from_notebook_node(
        content
    )[0]


def _contents(body: str) -> str:
    """Links to the sections of a page."""
    links = "".join(
        f'<li><a href="#{escape(heading["id"])}">{escape(heading.get_text())}</a></li>\n'
        for heading in BeautifulSoup(body, "html.parser")("h2", id=True)
    )
    return f'<nav class="contents" aria-label="Sections of this page"><ul>\n{links}</ul></nav>\n'


# ------------------------------------------------------------------------------- index and explorer


def _index(notebooks: list[Notebook]) -> str:
    cards = ""
    for notebook in notebooks:
        page, learn, picture = (
            f"{notebook.path.stem}.html",
            notebook.section("What you will learn"),
            _picture(notebook),
        )
        image = (
            f'<img src="pictures/{notebook.path.stem}.png" alt="{escape(picture["alt"])}">'
            if picture
            else ""
        )
        cards += (
            f'<li class="card">{image}<div><h2><a href="{page}">{notebook.path.stem[:2]} '
            f"{escape(notebook.title)}</a></h2>\n"
            f"{learn.ul if learn and learn.ul else ''}\n{words('**Needs:** ' + notebook.said('Needs'))}</div></li>\n"
        )
    return (
        f'<h1>{TITLE}</h1>\n<p class="lead">{LEAD}</p>\n'
        "<p>These pages show what the notebooks show, and can be read without a connection. To "
        "run them: "
        f'<a href="{repository()}">the repository</a>, where <code>make lab</code> opens them. '
        f'<a href="{EXPLORER}">The attention explorer</a> is live here.</p>\n'
        f'<ol class="cards">\n{cards}</ol>'
    )


def _picture(notebook: Notebook):
    """The figure that stands for a notebook: much in it (a large PNG) and colourful.

    None without figures.
    """

    def appeal(picture) -> float:
        return (
            len(picture["src"])
            * ImageStat.Stat(Image.open(io.BytesIO(_bytes(picture))).convert("HSV")).mean[1]
        )

    return max(
        (image for image in notebook.figures if image["src"].startswith(PNG)),
        key=appeal,
        default=None,
    )


def _bytes(picture) -> bytes:
    return base64.b64decode(picture["src"].removeprefix(PNG))


def save_explorer(path: Path, made: Path = runner.ROOT / "build" / EXPLORER) -> None:
    """Put the explorer that notebook 09 ``made`` at ``path``, or else one of the shipped weights
    and the sample season.
    """
    if made.exists():
        shutil.copy(made, path)
        return
    from stma_nb import cube, train
    from stma_nb.attention import AttentionExplorer

    season = cube.open_season(runner.sample_season())
    trained = train.load(runner.ROOT / "data" / "stma_sample.safetensors")
    AttentionExplorer(trained, season, row=224, column=224, layer="label", head=2).save_html(
        path, overwrite=True
    )
