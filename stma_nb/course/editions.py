"""Two editions of the notebooks for a class: one to hand out, without solutions, and one to teach
from, with all of them open.

A student's edition keeps exercises, their checks and the questions in the text with their folded
answers; outputs are cleared, so that a result on the screen is the student's own. The notebooks of
the series are only read.
"""

import re
import shutil
from pathlib import Path

from stma_nb.course import runner
from stma_nb.course.structure import repository
from stma_nb.extras import needs
from stma_nb.files import refuse_existing

with needs("course"):
    import nbformat

STUDENT = (
    "> **Student edition.** Exercises come with a check that answers; the solutions are "
    "with your lecturer."
)
LECTURER = (
    "> **Lecturer edition.** Solutions are open and marked. Please hand out the student "
    "edition instead of this one."
)


def write(folder: Path, overwrite: bool = False) -> Path:
    """Write ``student`` and ``lecturer`` into a folder; returns the folder.

    Raises FileExistsError if it exists and is not to be overwritten, and NotebookError outside a
    copy of the repository: then no folder is made.
    """
    refuse_existing(folder, overwrite)
    notebooks = runner.notebooks()
    for name, change, banner in (("student", student, STUDENT), ("lecturer", lecturer, LECTURER)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for path in notebooks:
            content = change(nbformat.read(path, as_version=4))
            content.cells.insert(1, nbformat.v4.new_markdown_cell(banner, id=f"{name}-edition"))
            for cell in content.cells:
                if cell.cell_type == "markdown":
                    cell.source = linked(cell.source)
            nbformat.write(content, folder / name / path.name)
    questions = runner.ROOT / "notebooks" / "questions.md"
    if questions.exists():
        shutil.copy(questions, folder / "lecturer")
    return folder


def student(content: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Without solutions and outputs, and without the sentences that tell where solutions are."""
    content.cells = [
        cell for cell in content.cells if "solution" not in cell.metadata.get("tags", [])
    ]
    for cell in content.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        else:
            cell.source = re.sub(r"[^.\n]+\.?", _without_solution, cell.source)
    return content


def _without_solution(sentence: re.Match) -> str:
    """A sentence, or what stands in its place if it tells where a solution is."""
    text: str = sentence[0]
    if not (text.endswith(".") and re.search(r"\bfolded away\b", text)):
        return text
    before = text[: len(text) - len(text.lstrip())]
    return f"{before}Each has a cell to fill in and a check that answers."


def lecturer(content: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """With every solution open, under a line that marks it."""
    cells, count = [], 0
    for cell in content.cells:
        if "solution" in cell.metadata.get("tags", []):
            count += 1
            cells.append(
                nbformat.v4.new_markdown_cell(f"▼ **Solution {count}**", id=f"solution-{count}")
            )
            cell.metadata.pop("jupyter", None)
        cells.append(cell)
    content.cells = cells
    return content


def linked(markdown: str) -> str:
    """Links to other things than notebooks lead to the repository on the web, since an edition lies
    elsewhere.
    """

    def address(start: re.Match) -> str:
        return f"]({repository()}/blob/main/{'' if start['up'] else 'notebooks/'}"

    return re.sub(r"\]\((?![a-z]+:|#|\d\d[a-z]?_\w+\.ipynb)(?P<up>\.\./)?", address, markdown)
