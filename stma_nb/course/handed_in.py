"""What a class handed in: which file is a copy of which notebook of the course, and whose.

A notebook is known by its exercises. The name of a file decides only where these do not.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from stma_nb.course import runner
from stma_nb.course.cells import Exercise

LARGEST = 50_000_000  # bytes of a notebook
ARCHIVES = {".7z", ".gz", ".rar", ".tar", ".tgz", ".zip"}
# What platforms write before the name of a file, and programs around it.
MOODLE = re.compile(r"(?P<name>.+?)_(?P<number>\d+)_assignsubmission_[a-z]+_")
CANVAS = re.compile(r"(?P<name>[^\W\d_][^_]*)(_LATE)?_(?P<number>\d{3,})_\d{3,}_")
COPY_OF = re.compile(r"((copy of|kopie von) )+", re.IGNORECASE)  # Colab
AGAIN = re.compile(r"( ?\(\d+\)|-copy\d*|-\d+)+$", re.IGNORECASE)  # browsers, Jupyter, Canvas


@dataclass(frozen=True)
class Cell:
    """A code cell of a notebook."""

    id: str
    source: str
    tags: tuple[str, ...] = ()

    def calls(self, check: str) -> bool:
        """Whether it calls a check; code of others is not even parsed here."""
        return re.search(rf"\bexercises\.{check}\(", self.source) is not None


def read(path: Path) -> list[Cell]:
    """The code cells of a notebook. Colab keeps their ids elsewhere.

    Raises ValueError if it is none, or larger than 50 MB.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError
        found = []
        for cell in json.loads(path.read_bytes())["cells"]:
            if cell["cell_type"] == "code":
                about = cell.get("metadata", {})
                name = cell.get("id") or about.get("id", "")
                tags = tuple(map(str, about.get("tags", ())))
                found.append(Cell(str(name), "".join(cell["source"]), tags))
        return found
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        most = f"{LARGEST / 1e6:.0f} MB"
        raise ValueError(f"{path.name} is no notebook, or larger than {most}") from error


@dataclass(frozen=True)
class Original:
    """A notebook of the course."""

    path: Path
    cells: list[Cell]
    exercises: list[tuple[Cell, Exercise]]

    @classmethod
    def read(cls, path: Path) -> "Original":
        cells = read(path)
        asked = [(cell, Exercise(cell.source)) for cell in cells if "exercise" in cell.tags]
        return cls(path, cells, asked)

    def answers(self, asked: Cell, cells: Iterable[Cell]) -> list[Cell]:
        """Of a copy, the cells that may answer an exercise: with its id, and then from the last to
        the first those that call its check, but the course's own solutions, which stand in copies
        of the public notebooks.
        """
        check = Exercise(asked.source).name
        solved = {cell.source for cell in self.cells if "solution" in cell.tags}
        same = [one for one in cells if one.id == asked.id]
        others = [one for one in cells if one not in same and one.calls(check)]
        own = [one for one in others if one.source not in solved and "solution" not in one.tags]
        return [*same, *reversed(own)]

    def held(self, cells: Iterable[Cell]) -> int:
        """How many of its exercises stand in a copy."""
        return sum(bool(self.answers(asked, cells)) for asked, _ in self.exercises)

    def attempted(self, cells: Iterable[Cell]) -> int:
        """How many of its exercises a copy has changed, but for comments and spaces."""

        def code(cell: Cell) -> str:
            return re.sub(r"#.*|\s", "", cell.source)

        return sum(
            any(code(one) != code(asked) for one in self.answers(asked, cells))
            for asked, _ in self.exercises
        )


@dataclass(frozen=True)
class File:
    """A file that was handed in."""

    path: Path
    student: str
    number: str = ""
    """By which a platform tells students of one name apart."""
    original: Original | None = None
    """Of which it is a copy."""
    cells: list[Cell] = field(default_factory=list)
    fault: str = ""
    """Why it cannot be read."""
    remarks: tuple[str, ...] = ()

    @property
    def worth(self) -> tuple[int, float, str]:
        """Of several copies the one with most is graded: exercises attempted, then time."""
        tried = -1 if self.fault or not self.original else self.original.attempted(self.cells)
        return tried, self.path.stat().st_mtime, self.path.name


def collected(
    folder: Path, notebooks: Sequence[Path]
) -> tuple[dict[Path, dict[str, File]], dict[str, list[str]]]:
    """For each notebook of the course that was handed in the file of each student, and for every
    student what there is to remark.

    Raises FileNotFoundError if there is no notebook.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"'{folder}' is no folder: expected one with handed-in notebooks.")
    copies: dict[Path, dict[str, File]] = {path: {} for path in notebooks}
    remarks: dict[str, list[str]] = {}
    for student, files in _by_student(folder).items():
        told = remarks[student] = []
        graded = False
        for notebook in notebooks:
            same = [one for one in files if one.original and one.original.path == notebook]
            if same:
                best = copies[notebook][student] = max(same, key=lambda one: one.worth)
                graded = True
                told += [*best.remarks, *_left_out(best, same, folder)]
        told += [line for one in files if not one.original for line in one.remarks]
        if not graded and not told:
            told.append(_nothing(files))
    copies = {notebook: found for notebook, found in copies.items() if found}
    if not copies:
        first = notebooks[0].stem
        found = [f"{student} ({told[0]})" for student, told in remarks.items()]
        raise FileNotFoundError(
            f"'{folder}' has nothing to grade{': ' if found else ''}{_few(found)}. Expected "
            f"notebooks of the course, such as NAME/{first}.ipynb or {first}_NAME.ipynb."
        )
    return copies, remarks


def _left_out(best: File, same: list[File], folder: Path) -> list[str]:
    others = [str(one.path.relative_to(folder)) for one in same if one is not best]
    if not others:
        return []
    copies = "copy is" if len(others) == 1 else "copies are"
    return [
        f"{best.path.relative_to(folder)} is graded, the newest with most exercises attempted; "
        f"{len(others)} other {copies} left out: {_few(others)}"
    ]


def _nothing(files: list[File]) -> str:
    if not files:
        return "nothing to grade: the folder has no file"
    packed = any(one.path.suffix.lower() in ARCHIVES for one in files)
    then = " (archives are not unpacked)" if packed else ""
    return f"nothing to grade: found {_few([one.path.name for one in files])}{then}"


def _few(names: list[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more


# ---------------------------------------------------------------------------------------- whose


def _by_student(folder: Path) -> dict[str, list[File]]:
    """All files by student: a folder's are one student's; of files that lie flat the names tell."""
    course = [Original.read(path) for path in runner.notebooks()]
    named: dict[str, list[File]] = {}
    flat: dict[str, list[File]] = defaultdict(list)
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if any(part.startswith((".", "__")) for part in parts):  # .ipynb_checkpoints, __MACOSX
            continue
        if len(parts) == 1 and path.is_dir():
            named.setdefault(parts[0], [])
        elif len(parts) > 1 and path.is_file():
            named[parts[0]].append(_known(File(path, parts[0]), course))
        elif path.is_file():
            student, number = _student(path.stem, course)
            flat[student].append(_known(File(path, student, number), course))
    for student, files in flat.items():
        if _one_student([*files, *named.get(student, [])]):
            named.setdefault(student, []).extend(files)
            continue
        why = f"the row is named after the file: others give the name '{student}' as well"
        for one in files:
            named[one.path.name] = [replace(one, remarks=(why, *one.remarks))]
    return named


def _one_student(files: list[File]) -> bool:
    """Whether files that give one name are one student's: platforms know them by one number, and
    no two are different copies of a notebook.
    """
    texts: dict[Path, list[list[str]]] = defaultdict(list)
    for one in files:
        if one.original:
            text = [one.fault and str(one.path), *(cell.source for cell in one.cells)]
            texts[one.original.path].append(text)
    alike = all(text == same[0] for same in texts.values() for text in same)
    return alike and len({one.number for one in files}) == 1


def _student(stem: str, course: list[Original]) -> tuple[str, str]:
    """The student whom the name of a file gives, and the number by which a platform knows whom.

    A name that says neither, or more than one thing, is taken whole.
    """
    if by := MOODLE.match(stem) or CANVAS.match(stem):
        return by["name"], by["number"]
    plain = AGAIN.sub("", COPY_OF.sub("", stem))
    for one in course:
        if within := _within(one.path.stem, plain):
            sides = plain[: within.start()], plain[within.end() :]
            names = [side.strip(" _-.,") for side in sides]
            if (names[0] == "") != (names[1] == ""):
                return "".join(names), ""
    return stem, ""


# ------------------------------------------------------------------------------ of which notebook


def _known(file: File, course: list[Original]) -> File:
    """A file, and of which notebook it is a copy; remarks say what its name does not."""
    name = file.path.name
    if file.path.suffix.lower() != ".ipynb":
        return file
    try:
        cells, fault = read(file.path), ""
    except ValueError as error:
        cells, fault = [], str(error)
    held = [one.held(cells) for one in course]
    likely = [one for one, count in zip(course, held, strict=True) if count == max(held)]
    by_name = _named(file.path.stem, likely)
    original = likely[0] if max(held) and len(likely) == 1 else by_name
    if not original:
        why = "fits several notebooks of the course equally well" if max(held) else ""
        remark = fault or f"{name} {why or 'is no notebook of the course'}"
    elif not (max(held) or fault):
        remark = f"{name} has no exercise of the course: its name alone says {original.path.stem}"
    elif original is not by_name or _named(file.path.stem, course) is not original:
        remark = f"{name} is taken as {original.path.stem}, whose exercises it has"
    else:
        remark = ""
    whole = file.student == file.path.stem
    also = f"{name} names no student: the row is named after the file"
    remarks = [one for one in (remark, also if whole and original else "") if one]
    return replace(file, original=original, cells=cells, fault=fault, remarks=tuple(remarks))


def _named(stem: str, course: list[Original]) -> Original | None:
    """The notebook whose name stands in that of a file, or with whose number this begins."""
    for one in course:
        if _within(one.path.stem, stem):
            return one
    by = MOODLE.match(stem) or CANVAS.match(stem)
    number = COPY_OF.sub("", stem[by.end() :] if by else stem).partition("_")[0]
    return next((one for one in course if runner.number_of(one.path) == number), None)


def _within(name: str, stem: str) -> re.Match[str] | None:
    """Where a name stands in another, as words of their own."""
    return re.search(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", stem, re.IGNORECASE)
