"""Grading of handed-in notebooks: who answered which exercise, and how, as a table.

The course's own notebook is run once, cell by cell, in a process of its own; of a handed-in
notebook only the cells of exercises are taken, and nothing that it says of itself is believed. At
each exercise every handed-in cell runs in a fork of that process behind a fence (``fence`` says
what it keeps off, and what not). There the course's own check looks at what came out.
"""

import ast
import contextlib
import copy
import csv
import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from platformdirs import user_cache_path

from stma_nb.course import fence, runner
from stma_nb.course.cells import Exercise, is_check
from stma_nb.course.fence import Limits
from stma_nb.course.handed_in import Cell, File, Original, collected
from stma_nb.extras import needs
from stma_nb.files import check_outputs, write_whole

EXPLAINED = 5000  # letters of an explanation that are kept


@dataclass(frozen=True)
class Grade:
    """What became of one exercise in one notebook."""

    verdict: str
    """"yes", "no", "no: ..." (it fails), "not attempted", "not in the notebook", or "not graded:
    ..." where a person must look."""
    said: str = ""
    """What the check printed."""
    because: str = ""
    """The learner's explanation, where one is asked for: for a person to read."""


@dataclass
class Row:
    """A student's grades by exercise, and what was wrong with the files."""

    grades: dict[str, Grade] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    @property
    def to_look_at(self) -> int:
        """How many exercises a person must grade."""
        return sum(one.verdict.startswith("not graded") for one in self.grades.values())

    @property
    def graded(self) -> bool:
        """Whether anything was."""
        return len(self.grades) > self.to_look_at


def grade(
    folder: Path,
    output: Path,
    only: Iterable[str] = (),
    limits: Limits | None = None,
    overwrite: bool = False,
    tell: Callable[[str], object] = print,
) -> list[Path]:
    """Grade the notebooks in a folder; returns the files written.

    They lie in a folder a student (``FOLDER/anna/lab.ipynb``), or flat with the student in their
    names (``FOLDER/01_sar_time_series_anna.ipynb``; ``handed_in`` knows the forms). ``output`` gets
    a row a student and a column an exercise; a second file, named after it and ending in
    ``_answers``, gets what the checks said and the explanations to read. Both are written anew
    after each notebook. ``only`` picks notebooks by their numbers.

    Raises FileNotFoundError if there is nothing to grade, FileExistsError if ``output`` exists and
    is not to be overwritten, and RuntimeError on Windows.
    """
    if os.name == "nt":
        raise RuntimeError(
            "Grading forks processes, which Windows cannot: run it on Linux, macOS or in the "
            "Windows Subsystem for Linux."
        )
    answers = output.with_name(f"{output.stem}_answers{output.suffix}")
    check_outputs([output, answers], [folder], overwrite)
    copies, remarks = collected(folder, runner.picked(only))
    rows = {student: Row(remarks=lines) for student, lines in remarks.items()}
    names: dict[str, None] = {}  # of exercises, in order
    for notebook, handed_in in copies.items():
        found = _graded_apart(notebook, handed_in, limits or Limits())
        for student, grades in found.items():
            rows[student].grades |= grades
        names |= dict.fromkeys(name for grades in found.values() for name in grades)
        write_whole(output, partial(_write_grades, rows=rows, names=list(names)))
        write_whole(answers, partial(_write_answers, rows=rows))
        tell(f"{notebook.name:<32} {len(handed_in)} copies")
    blank = sum(not row.graded for row in rows.values())
    look = sum(row.to_look_at for row in rows.values())
    if blank or look:
        tell(f"Exercises to look at: {look}. Rows in which nothing could be graded: {blank}.")
    return [output, answers]


# ------------------------------------------------------------------------------------- the notebook


def _graded_apart(
    notebook: Path, copies: dict[str, File], limits: Limits
) -> dict[str, dict[str, Grade]]:
    """The grades of all copies of a notebook, by student and exercise; from a process of its own,
    which ends with all that the notebook holds.
    """
    try:
        with ProcessPoolExecutor(1, get_context("spawn"), initializer=fence.calm) as pool:
            return pool.submit(_graded, notebook, copies, limits).result()
    except BrokenProcessPool:
        failed = Grade("not graded: the course's own notebook ended the process")
        names = [exercise.name for _, exercise in Original.read(notebook).exercises]
        return {student: dict.fromkeys(names, failed) for student in copies}


def _graded(notebook: Path, copies: dict[str, File], limits: Limits) -> dict[str, dict[str, Grade]]:
    original = Original.read(notebook)
    cells = original.cells
    grades: dict[str, dict[str, Grade]] = {student: {} for student in copies}
    with TemporaryDirectory(prefix="stma_nb_") as output, _context(notebook, output) as run:
        failed = ""
        last = max(place for place, cell in enumerate(cells) if "exercise" in cell.tags)
        for cell in cells[: last + 1]:
            if "exercise" not in cell.tags:
                failed = failed or run(cell.source)
                continue
            exercise = Exercise(cell.source)
            failed = failed or run(exercise.lines)
            judge = Judge(cell, exercise, run.space, original, limits, [*_data(), Path(output)])
            for student, file in copies.items():
                if file.fault:
                    one = Grade(f"not graded: {file.fault}")
                elif failed:
                    one = Grade("not graded: the course's own notebook fails here", failed)
                else:
                    one = judge.grade(file.cells)
                grades[student][exercise.name] = one
    return grades


class Context:
    """The course's notebook while it runs: as in Jupyter, without what it shows."""

    def __init__(self, output: str) -> None:
        with needs("course"):
            from IPython.core.interactiveshell import InteractiveShell
            from traitlets.config import Config

        class Shell(InteractiveShell):
            def enable_gui(self, gui: str | None = None) -> None:
                """``%matplotlib inline`` asks for it."""

        config = Config()
        config.HistoryManager.enabled = False  # it has a thread
        self.shell = Shell(config=config)
        self.output = output
        _load_rooms()

    @property
    def space(self) -> dict[str, Any]:
        return dict(self.shell.user_ns)

    def __call__(self, source: str) -> str:
        """Run a cell; returns what went wrong, or nothing."""
        with contextlib.ExitStack() as quiet:
            nowhere = quiet.enter_context(open(os.devnull, "w"))
            quiet.enter_context(contextlib.redirect_stdout(nowhere))
            quiet.enter_context(contextlib.redirect_stderr(nowhere))
            result = self.shell.run_cell(source)
        if "output" in self.shell.user_ns:  # where notebooks write
            self.shell.user_ns["output"] = self.output
        error = result.error_before_exec or result.error_in_exec
        return fence.why(error, Limits()) if error else ""


@contextlib.contextmanager
def _context(notebook: Path, output: str) -> Iterator[Context]:
    import dask

    with contextlib.chdir(notebook.parent), dask.config.set(scheduler="synchronous"):
        yield Context(output)


def _data() -> list[Path]:
    inside = [runner.ROOT / "data", runner.ROOT / "tests" / "fixtures"]
    return [*inside, user_cache_path("stma_nb"), runner.sample_folder()]


# ----------------------------------------------------------------------------------- one exercise


@dataclass(frozen=True)
class Judge:
    """An exercise, where the course's notebook has come to it."""

    cell: Cell
    exercise: Exercise
    space: dict[str, Any]
    original: Original
    limits: Limits
    readable: list[Path]

    def grade(self, handed_in: list[Cell]) -> Grade:
        """The grade of the first of its cells that may answer the exercise and was attempted."""
        best = Grade("not in the notebook")
        for one in self.original.answers(self.cell, handed_in):
            best = self._tried(one, handed_in)
            if best.verdict != "not attempted":
                return best
        return best

    def _tried(self, cell: Cell, handed_in: list[Cell]) -> Grade:
        """A cell by itself; and if it lacks a name, after the learner's own cells above it."""
        alone = self._run(cell.source)
        if not alone.verdict.startswith("no: NameError"):
            return alone
        course = {one.source for one in self.original.cells}
        above = handed_in[: handed_in.index(cell)]
        own = [one.source for one in above if one.source not in course]
        after = self._run(cell.source, own)
        return alone if after.verdict.startswith("no: ") else after

    def _run(self, source: str, above: Iterable[str] = ()) -> Grade:
        try:
            told = fence.run(lambda: self._judged(source, above), self.limits, self.readable)
        except fence.Stopped as stopped:
            told = _told(f"no: {stopped}")
        because = told["because"]
        if not because and "because" in self.exercise.blanks:  # not run, or not to its end
            because = _written(source, "because")
        return Grade(str(told["verdict"]), str(told["said"]), str(because))

    def _judged(self, source: str, above: Iterable[str]) -> dict[str, str]:
        """In the fork: run a cell's lines, then the course's check on what they made."""
        asked = [exercise.lines for _, exercise in self.original.exercises]
        asked.append("from stma_nb.course import exercises")  # some copies bring their own
        known = {ast.dump(node) for lines in asked for node in ast.parse(lines).body}
        try:
            code = [_ready(source, known)]
        except fence.Refused as refused:
            return _told(f"not graded: {refused}")
        for one in above:
            with contextlib.suppress(fence.Refused, SyntaxError):
                code.insert(-1, _ready(one, known))
        from stma_nb.course import exercises

        call, blanks = self.exercise.call, self.exercise.blanks
        check = getattr(exercises, self.exercise.name)
        arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
        # What the course itself gives its check is taken before a learner's line can change it.
        given = {
            place: _copied(_value(node, self.space))
            for place, node in enumerate(arguments)
            if not blanks & {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
        }
        space, before = fence.within_reach(self.space), _trusted()
        for statements in code:
            exec(compile(statements, "<handed in>", "exec"), space)
        values = [
            given[place] if place in given else _value(node, space)
            for place, node in enumerate(arguments)
        ]
        changed = _changed(before)
        first = len(call.args)
        words = [str(keyword.arg) for keyword in call.keywords]
        named = dict(zip(words, values[first:], strict=True))
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            verdict = None if changed else check(*values[:first], **named, mine=False)
        if changed := changed or _changed(before):  # the check may call what a learner wrote
            return _told(f"not graded: changes {changed}")
        because = space.get("because") if "because" in blanks else ""
        word = "not attempted" if verdict is None else "yes" if verdict else "no"
        return _told(word, said.getvalue(), because if isinstance(because, str) else "")


def _told(verdict: str, said: str = "", because: str = "") -> dict[str, str]:
    return dict(verdict=verdict, said=" ".join(said.split())[:1000], because=because[:EXPLAINED])


def _written(source: str, name: str) -> str:
    """The text that a cell gives a name, read and not run; empty where there is none."""
    try:
        body = fence.parse(source).body
    except (SyntaxError, ValueError, MemoryError, RecursionError, fence.Refused):
        return ""
    for node in reversed(body):
        if isinstance(node, ast.Assign) and [ast.unparse(one) for one in node.targets] == [name]:
            text = node.value.value if isinstance(node.value, ast.Constant) else ""
            return text[:EXPLAINED] if isinstance(text, str) else ""
    return ""


def _ready(source: str, known: set[str]) -> ast.Module:
    """The statements of a cell but those that only call a check, looked at; those that are
    ``known`` stood in the course's exercises.
    """
    tree = fence.parse(source)
    tree.body = [
        node for node in tree.body if not (isinstance(node, ast.Expr) and is_check(node.value))
    ]
    fence.look(ast.Module([node for node in tree.body if ast.dump(node) not in known], []))
    return tree


def _value(node: ast.expr, space: dict[str, Any]) -> Any:
    return eval(compile(ast.unparse(node), "<check>", "eval"), space)


def _copied(value: Any) -> Any:
    try:
        return copy.deepcopy(value)
    except (TypeError, RuntimeError):  # an open file, a tensor within a graph
        return value


def _load_rooms() -> None:
    """Load what the checks' rooms hand on when first used, so that nobody else can give it."""
    from stma_nb import patches, radar, train
    from stma_nb.course import exercises

    for room in (patches, radar, train, exercises):
        for name in room.__all__:
            setattr(room, name, getattr(room, name))  # lazy-loader before 0.6 does not keep it


def _trusted() -> dict[str, Any]:
    """The functions and classes that a check may rest on, by name."""
    libraries = ("builtins", "math", "numpy", "numpy.linalg", "pandas", "torch", "xarray")
    owners = {
        name: module
        for name, module in sys.modules.items()
        if name in libraries or name.startswith(("stma_nb.", "torch.nn."))
    }
    for library, kind in (("torch", "Tensor"), ("pandas", "DataFrame"), ("xarray", "DataArray")):
        if library in owners:
            owners[f"{library}.{kind}"] = getattr(owners[library], kind)
    return {
        f"{name}.{part}": value
        for name, owner in owners.items()
        for part, value in list(vars(owner).items())
        if callable(value)
    }


def _changed(before: dict[str, Any]) -> str | None:
    """The name of something trusted that is no longer what it was."""
    now = _trusted()
    return next((name for name, value in before.items() if now.get(name) is not value), None)


# --------------------------------------------------------------------------------------- the tables


def _write_grades(path: Path, rows: dict[str, Row], names: list[str]) -> None:
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        table = csv.writer(file)
        table.writerow(["student", *names, "points", "of", "to look at", "remarks"])
        for student, row in sorted(rows.items()):
            verdicts = [row.grades[name].verdict if name in row.grades else "" for name in names]
            points = verdicts.count("yes") if row.graded else ""
            look = row.to_look_at if row.grades else ""
            remarks = "; ".join(row.remarks)
            table.writerow(map(_plain, [student, *verdicts, points, len(names), look, remarks]))


def _write_answers(path: Path, rows: dict[str, Row]) -> None:
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        table = csv.writer(file)
        table.writerow(["student", "exercise", "verdict", "the check said", "because"])
        for student, row in sorted(rows.items()):
            for name, one in row.grades.items():
                table.writerow(map(_plain, [student, name, one.verdict, one.said, one.because]))


def _plain(value: object) -> str:
    """Text that no spreadsheet takes for a formula."""
    text = str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
