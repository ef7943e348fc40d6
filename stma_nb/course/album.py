"""The figures of the notebooks as files, for slides and handouts of one's own."""

import base64
import re
from pathlib import Path

from stma_nb.course import runner
from stma_nb.course.structure import Notebook, shown
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
        number = runner.number_of(notebook.path)
        told.append(f"\n## {number} {notebook.title}\n")
        for one in shown(notebook.outputs):
            image = IMAGE.match(str(one.image["src"]))
            caption = " ".join(BeautifulSoup(one.caption, "html.parser").get_text().split())
            if not (image and caption):
                continue
            place = int(caption.partition(".")[0].removeprefix("Figure "))
            path = folder / f"{number}_figure_{place:02}.{image['kind']}"
            path.write_bytes(base64.b64decode(image["data"]))
            written.append(path)
            told.append(f"- [{path.name}]({path.name}): {caption}")
    captions = folder / LIST
    captions.write_text("\n".join(told) + "\n", "utf-8")
    return [*written, captions]
