"""The figures of the notebooks as files, for slides and handouts of one's own."""

import base64
import re
from pathlib import Path

from stma_nb.course import runner
from stma_nb.course.structure import Notebook
from stma_nb.extras import needs
from stma_nb.files import refuse_existing

with needs("course"):
    from bs4 import BeautifulSoup

IMAGE = re.compile(r"data:image/(?P<kind>png|svg)(?:\+xml)?;base64,(?P<data>.*)", re.DOTALL)
LIST = "captions.md"
HEAD = """# Figures of the course

Texts and figures: CC BY 4.0. Where a caption names the owner of data, name them as well.
"""


def write(folder: Path, overwrite: bool = False) -> list[Path]:
    """Write each figure that the notebooks hold as PNG, each drawing as SVG, and the list of their
    captions; returns the files.

    Raises FileExistsError if the folder exists and is not to be overwritten, and NotebookError
    outside a copy of the repository.
    """
    refuse_existing(folder, overwrite)
    notebooks = [Notebook(path) for path in runner.notebooks()]
    folder.mkdir(parents=True, exist_ok=True)
    written, told = [], [HEAD]
    for notebook in notebooks:
        number = notebook.path.name.partition("_")[0]
        told.append(f"\n## {number} {notebook.title}\n")
        for caption, image in _pairs(notebook):
            place = int(caption.partition(".")[0].removeprefix("Figure "))
            path = folder / f"{number}_figure_{place:02}.{image['kind']}"
            path.write_bytes(base64.b64decode(image["data"]))
            written.append(path)
            told.append(f"- [{path.name}]({path.name}): {caption}")
    captions = folder / LIST
    captions.write_text("\n".join(told) + "\n", "utf-8")
    return [*written, captions]


def _pairs(notebook: Notebook) -> list[tuple[str, re.Match]]:
    """Each caption with its image; that of a picture that moves stands above its caption."""
    found: list[tuple[str, re.Match]] = []
    last = None
    for output in notebook.outputs:
        page = BeautifulSoup(output.data.get("text/html", ""), "html.parser")
        for part in page(["img", "figcaption"]):
            if part.name == "img":
                last = IMAGE.match(str(part.get("src", "")))
            elif last:
                found.append((" ".join(part.get_text().split()), last))
                last = None
    return found
