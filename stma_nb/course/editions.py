"""The notebooks for a class: copies to hand out, copies to teach from, and the solutions apart.

A student's copy keeps exercises, their checks and the questions in the text with their folded
answers; outputs are cleared, so that a result on the screen is the student's own. It leads nowhere
to solutions: not by badges, links or its set-up cell on Colab. The course itself stays public: who
looks for its repository finds them. The notebooks of the series are only read.
"""

import ast
import posixpath
import re
import zipfile
from collections.abc import Callable, Collection, Iterable
from itertools import pairwise
from pathlib import Path

from stma_nb.course import readmes, runner
from stma_nb.course.address import Address, here, parse
from stma_nb.course.cells import Exercise, names, not_mine
from stma_nb.extras import needs
from stma_nb.files import refuse_existing, write_whole

with needs("course"):
    import nbformat

TEXTS = ("continent.md", "glossary.md")  # for students as well; lecturers get the questions, too
PLANS = "README.md"  # beside the notebooks: how to teach them
STUDENT = (
    "> **Student edition.** Exercises come with a check that answers; the solutions are "
    "with your lecturer."
)
LECTURER = (
    "> **Lecturer edition.** Solutions are open and marked. Please hand out the student "
    "edition instead of this one."
)
SOLUTIONS = (
    "> **Solutions**, with the code of the notebook that they need. Please do not hand them out "
    "before the exercises are handed in."
)
NBGRADER = """# A solution is cut out whole: what its exercise says already stands above it.
c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "stma_nb"
c.ClearSolutions.code_stub = {"python": ""}
"""
LINK = re.compile(r"\[(?P<text>[^\[\]]*)\]\((?P<to>[^()\s]+)\)")
BADGE = re.compile(r"\[!\[[^\]]*\]\([^)]*\)\]\((?P<to>[^)]*)\)[ \t]*")


def put(url: str, branch: str = "main") -> Address:
    """Where a lecturer puts the student copies: the top folder of a repository on GitHub.

    Raises ValueError if it is none, or that of the course.
    """
    place = parse(url, branch)
    if not place.on_github:
        raise ValueError(
            f"'{url}' is not on GitHub, from which Colab opens notebooks: give an address like "
            "https://github.com/name/course."
        )
    if place == here():
        raise ValueError(
            f"'{url}' is the repository of the course, with its solutions: put the student copies "
            "into another one, or name a branch of their own (--branch)."
        )
    return place


def write(
    folder: Path,
    overwrite: bool = False,
    only: Iterable[str] = (),
    place: Address | None = None,
    zipped: bool = False,
    nbgrader: bool = False,
) -> list[Path]:
    """Write the editions into folders of their own in ``folder``; returns these folders.

    ``student`` has the copies to hand out, with badges that lead to ``place``, or none;
    ``lecturer`` has copies with all solutions open, the question bank, the plans, and in
    ``solutions`` the solutions by themselves. Both say how to set them up, and whose they are.
    ``nbgrader`` adds the source of an nbgrader course. ``only`` picks notebooks by their numbers;
    ``zipped`` writes an archive beside each folder.

    Raises FileExistsError if the folder exists and is not to be overwritten, ValueError if a number
    is none of a notebook, and NotebookError outside a copy of the repository: then no folder is
    made.
    """
    refuse_existing(folder, overwrite)
    paths = runner.picked(only)
    editions = {"student": _student(paths, place), "lecturer": _lecturer(paths)}
    if nbgrader:
        editions["nbgrader"] = _nbgrader(paths)
    for name, files in editions.items():
        for file, content in files.items():
            _write(folder / name / file, content)
        if zipped:
            write_whole(folder / f"{name}.zip", _archive(name, files))
    return [folder / name for name in editions]


def _student(paths: list[Path], place: Address | None) -> dict[str, str]:
    texts = _texts(TEXTS)
    beside = {path.name for path in paths} | set(texts)
    files = {name: linked(text, beside, public=False) for name, text in texts.items()}
    files |= {"README.md": readmes.readme(readmes.STUDENT)} | readmes.licences()
    files |= {path.name: student_copy(path, beside, place) for path in paths}
    if place:
        binder = runner.ROOT / "binder"
        files["binder/environment.yml"] = (binder / "environment.yml").read_text("utf-8")
        files["binder/start"] = (binder / "start").read_text("utf-8")
        files["binder/postBuild"] = "\n".join(
            ("#!/usr/bin/env bash", "set -euo pipefail")
            + readmes.fetch(here().clone, "~/.stma_nb")
            + ("pip install --no-cache-dir --no-deps -e ~/.stma_nb", "")
        )
    return files


def student_copy(path: Path, beside: Collection[str], place: Address | None = None) -> str:
    """The file of a notebook to hand out; its links lead to the files ``beside`` it, to data or to
    the library, its badges to ``place``.
    """
    content = student(nbformat.read(path, as_version=4), path.name, place)
    for cell in _markdown(content):
        cell.source = linked(cell.source, beside, public=False)
    return _edition(content, STUDENT, "student-edition")


def _lecturer(paths: list[Path]) -> dict[str, str]:
    texts = _texts((*TEXTS, "questions.md", PLANS))
    beside = {path.name for path in paths} | set(texts) - {PLANS}
    files = {name: linked(text, beside) for name, text in texts.items()}
    files["plans.md"] = files.pop(PLANS, "")
    files |= {"README.md": readmes.readme(readmes.LECTURER)} | readmes.licences()
    for path in paths:
        content = lecturer(nbformat.read(path, as_version=4))
        for cell in _markdown(content):
            cell.source = linked(_badges(cell.source), beside)  # no badge: it leads to another copy
        files[path.name] = _edition(content, LECTURER, "lecturer-edition")
        content = solutions(nbformat.read(path, as_version=4))
        for cell in _markdown(content):
            cell.source = linked(_badges(cell.source))
        files[f"solutions/{path.name}"] = _edition(content, SOLUTIONS, "solutions-edition")
    return files


def _nbgrader(paths: list[Path]) -> dict[str, str]:
    files = {"nbgrader_config.py": NBGRADER}
    for path in paths:
        content = gradable(nbformat.read(path, as_version=4))
        for cell in _markdown(content):
            cell.source = linked(cell.source, {path.name}, public=False)
        files[f"source/{path.stem}/{path.name}"] = nbformat.writes(content)
    return files


def _texts(names: Iterable[str]) -> dict[str, str]:
    folder = runner.ROOT / "notebooks"
    return {name: (folder / name).read_text("utf-8") for name in names if (folder / name).exists()}


def _edition(content: nbformat.NotebookNode, banner: str, name: str) -> str:
    content.cells.insert(1, nbformat.v4.new_markdown_cell(banner, id=name))
    return nbformat.writes(content)


def _write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8", newline="\n")
    if content.startswith("#!"):
        path.chmod(0o755)


def _archive(top: str, files: dict[str, str]) -> Callable[[Path], None]:
    """What writes files into an archive, all of them within one folder."""

    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(f"{top}/{name}", content)

    return write


# --------------------------------------------------------------------------------- what is changed


def student(
    content: nbformat.NotebookNode, name: str = "", place: Address | None = None
) -> nbformat.NotebookNode:
    """Without solutions and outputs, without the sentences that tell where solutions are, and with
    a set-up cell that fetches the library and its data alone; badges open ``name`` at ``place``, or
    there are none.
    """
    content.cells = [cell for cell in content.cells if not _tagged(cell, "solution")]
    for cell in content.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        if _tagged(cell, "setup"):
            cell.source = _without_notebooks(cell.source)
        if cell.cell_type == "markdown":
            cell.source = _badges(cell.source, name, place)
    return _told(content, "Each has a cell to fill in and a check that answers.")


def lecturer(content: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """With every solution open, under a line that marks it."""
    cells, count = [], 0
    for cell in content.cells:
        if _tagged(cell, "solution"):
            count += 1
            cells.append(
                nbformat.v4.new_markdown_cell(f"▼ **Solution {count}**", id=f"solution-{count}")
            )
            cell.metadata.pop("jupyter", None)
        cells.append(cell)
    content.cells = cells
    return _told(content, "Each has a cell to fill in, a check that answers, and its solution.")


def solutions(content: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The title, the code that the solutions need, and the exercises with their solutions open."""
    code = [cell for cell in content.cells if cell.cell_type == "code"]
    needed: set[str] = set()
    kept = set()
    for cell in reversed(code):
        found = names(cell.source)
        always = {"setup", "parameters", "exercise", "solution"} & set(
            cell.metadata.get("tags", [])
        )
        if always or found.bound & needed:
            needed = (needed - found.bound) | found.read
            kept.add(cell.id)
    title, *rest = content.cells
    title.source = title.source.partition("\n")[0]
    cells = [title]
    for cell, after in pairwise([*rest, title]):
        if _tagged(cell, "solution"):
            cell.metadata.pop("jupyter", None)
        elif cell.id in kept and not _tagged(cell, "exercise"):
            cell.outputs, cell.execution_count = [], None
            cell.metadata["jupyter"] = {"source_hidden": True}
        if cell.id in kept or (cell.cell_type == "markdown" and _tagged(after, "exercise")):
            cells.append(cell)
    content.cells = cells
    return _told(content, "Each is followed by its solution.")


def gradable(content: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """As nbgrader takes it: an exercise holds its solution between marks, and a locked cell with
    one point follows, which asserts that the exercise's check is content.
    """
    found = {
        before.id: after.source
        for before, after in pairwise(content.cells)
        if _tagged(before, "exercise") and _tagged(after, "solution")
    }
    cells = []
    for cell in student(content).cells:
        cells.append(cell)
        if not _tagged(cell, "exercise"):
            continue
        given, solved = Exercise(cell.source), Exercise(found[cell.id])
        renamed = [
            f"{ast.unparse(asked)} = {ast.unparse(answered)}"
            for asked, answered in zip(given.call.args, solved.call.args, strict=True)
            if ast.dump(asked) != ast.dump(answered)
        ]
        marked = ["### BEGIN SOLUTION", solved.lines, *renamed, "### END SOLUTION"]
        cell.source = "\n".join(filter(None, [given.lines, *marked, f"{ast.unparse(given.call)};"]))
        cell.metadata["nbgrader"] = _nbgrader_cell(given.name, solution=True)
        asserted = nbformat.v4.new_code_cell(
            f"assert {ast.unparse(not_mine(given.call))} is True", id=f"check-{cell.id}"
        )
        asserted.metadata["nbgrader"] = {
            **_nbgrader_cell(f"{given.name}_check", grade=True, locked=True),
            "points": 1,
        }
        cells.append(asserted)
    content.cells = cells
    return content


def _nbgrader_cell(name: str, **kind: bool) -> dict[str, object]:
    plain = dict(grade=False, locked=False, solution=False, task=False)
    return {**plain, **kind, "grade_id": name, "schema_version": 3}


def _markdown(content: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in content.cells if cell.cell_type == "markdown"]


def _tagged(cell: nbformat.NotebookNode, tag: str) -> bool:
    return tag in cell.metadata.get("tags", [])


def _told(content: nbformat.NotebookNode, instead: str) -> nbformat.NotebookNode:
    """Another sentence in place of those that tell where a solution is folded away."""

    def sentence(found: re.Match) -> str:
        text: str = found[0]
        if not (text.endswith(".") and re.search(r"\bfolded away\b", text)):
            return text
        return text[: len(text) - len(text.lstrip())] + instead

    for cell in _markdown(content):
        cell.source = re.sub(r"[^.\n]+\.?", sentence, cell.source)
    return content


def _without_notebooks(setup: str) -> str:
    """The set-up cell with a clone that brings what notebooks need, and no notebook."""

    def clone(line: re.Match) -> str:
        fetch = readmes.fetch(line["clone"], line["folder"])
        return "\n".join(f"{line['indent']}!{command}" for command in fetch)

    pattern = r"^(?P<indent>[ \t]*)!(?P<clone>git clone .*) (?P<folder>\S+)$"
    return re.sub(pattern, clone, setup, flags=re.MULTILINE)


def _badges(markdown: str, name: str = "", place: Address | None = None) -> str:
    """Badges that lead to a place, or none."""

    def badge(found: re.Match) -> str:
        if place is None:
            return ""
        binder = f"{place.binder}?urlpath=lab/tree/{name}"
        leads = binder if "mybinder.org" in found["to"] else f"{place.colab}{name}"
        return found[0].replace(found["to"], leads)

    return re.sub(r"\n{3,}", "\n\n", BADGE.sub(badge, markdown))


def linked(
    markdown: str, beside: Collection[str] = (), public: bool = True, folder: str = "notebooks"
) -> str:
    """Links of a text of a ``folder`` of the repository, for a copy that lies elsewhere: those to
    files ``beside`` stay, others lead to the repository on the web. Without ``public``, of these
    only links to data and library are left.
    """
    course = here()
    web = course.file("")

    def link(found: re.Match) -> str:
        text, target = found["text"], found["to"]
        if target.partition("#")[0] in beside or target.startswith("#"):
            return f"[{text}]({target})"
        if re.match(r"[a-z]+:", target) and not target.startswith(course.url):
            return found[0]
        path = posixpath.normpath(posixpath.join(folder, target))
        if target.startswith(course.url):
            path = target.removeprefix(web)
        if public or re.match(r"(data|stma_nb)/(?!course/)", path):
            return f"[{text}]({web}{path})"
        return text

    return LINK.sub(link, markdown)
