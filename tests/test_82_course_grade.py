"""What is handed in is graded by what it does, never by what it says, and harms nobody."""

import csv
import importlib
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from stma_nb import course
from stma_nb.__main__ import main
from stma_nb.course import editions, fence, grade, handed_in, progress, runner

pytestmark = pytest.mark.skipif(os.name == "nt", reason="grading forks")

# A small course: one exercise asks for a number, one for an expression of the notebook's variables,
# one for a class.
COURSE = {
    "a": "answer = None  # dB\nexercises.time_series_1(answer);",
    "b": "vv = wave[1:]\nanswer = None  # your expression with vv\n"
    "exercises.time_series_2(answer, vv);",
    "c": "class Wider(STMA):\n    pass\n\n\nanswer = None  # Wider\nexercises.network_4(answer);",
}
RIGHT = {"a": "-12.6", "b": "vv.mean() ** 2 / vv.var()"}
NAME = "01_waves.ipynb"


def exercise_cell(name, source):
    return new_code_cell(source, id=name, metadata={"tags": ["exercise"]})


def notebook(*before_b) -> nbformat.NotebookNode:
    first = (
        "import numpy as np\nfrom stma_nb import patches\n"
        "from stma_nb.course import exercises\n"
        "wave = np.array([9, 1.0, 2, 3])\nopen(f'{output}/made.txt', 'w').close()"
    )
    last = "raise RuntimeError('after the last exercise nothing is run')"
    return new_notebook(cells=[
        new_markdown_cell("# Waves"),
        new_code_cell("%matplotlib inline\nimport sys", metadata={"tags": ["setup"]}),
        new_code_cell("output = ''", metadata={"tags": ["parameters"]}),
        new_code_cell(first),
        exercise_cell("a", COURSE["a"]),
        *map(new_code_cell, before_b),
        exercise_cell("b", COURSE["b"]),
        new_code_cell("from stma_nb.model import STMA"),
        exercise_cell("c", COURSE["c"]),
        new_code_cell(last),
    ])  # fmt: skip


def series(folder: Path) -> Path:
    """The root of a course of two notebooks, of which the second fails at its second exercise."""
    (folder / "notebooks").mkdir(parents=True)
    nbformat.write(notebook(), folder / "notebooks" / NAME)
    nbformat.write(notebook("wave[99]"), folder / "notebooks" / "02_more.ipynb")
    return folder


def hand_in(folder: Path, student: str, more=(), name=NAME, **answers) -> Path:
    """Hand in a notebook with answers by cell; None: the cell is removed; what calls a check stands
    as it is.
    """
    content = notebook()
    for cell in list(content.cells):
        answer = answers.get(cell.id, "None")
        if answer is None:
            content.cells.remove(cell)
        elif "exercises" in answer:
            cell.source = answer
        elif cell.id in COURSE:
            cell.source = cell.source.replace("= None", f"= {answer}")
    content.cells[4:4] = [new_code_cell(source) for source in more]
    path = folder / student / name
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(content, path)
    return path


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def classroom(tmp_path_factory):
    """A class that is graded once: its folder, the table by student, and what was told."""
    root = tmp_path_factory.mktemp("grade")
    folder, precious = root / "class", root / "precious.txt"
    precious.write_text("precious")

    hand_in(folder, "anna", a="10 * np.log10(0.055)", b=RIGHT["b"], c="1")
    hand_in(folder, "anna", name="02_more.ipynb", a="-12.6", b=RIGHT["b"])
    hand_in(folder, "ben", a="-15", b="'a share'")
    # Colab keeps no ids, and Cem has cut one cell and copied another to the end.
    path = hand_in(folder, "cem", b=None)
    content = json.loads(path.read_text())
    for cell in content["cells"]:
        del cell["id"]
    own_import = "from stma_nb.course import exercises\n\n"
    again = new_code_cell(f"{own_import}answer = -12.6\nexercises.time_series_1(answer)")
    content["cells"].append({**again, "id": None})
    path.write_text(json.dumps(content))
    remove = f"__import__('os').remove('{precious}')"
    hand_in(folder, "mallory", a="1\nwhile True:\n    pass", b="np.ones((10**6, 10**6))", c=remove)
    broken = hand_in(folder, "zoe")
    broken.write_text(broken.read_text()[:300])

    # Who changes what the check compares with.
    hand_in(folder, "field", b="1.0\nvv = np.array([0.0, 2.0])")  # for which 1 is right
    hand_in(folder, "in place", b="1.0\nvv[:] = 0, 1, 2", a="5\nexercises.check = print")
    hand_in(folder, "logarithm", a="-15\nnp.log10 = lambda x: -1.5")
    hand_in(folder, "lazy", a="-12.6\npatches.unfilled = lambda *a: 5")
    any_number = "class Any(float):\n    def __sub__(self, other):\n        return 0.0\n"
    hand_in(folder, "any", a=f"-15\n{any_number}answer = Any(-15)")
    when_asked = "class Late:\n    def item(self):\n        np.log10 = abs\n        return -12.6\n"
    hand_in(folder, "late", a=f"-15\n{when_asked}answer = Late()")
    path = hand_in(folder, "output", a="-15")  # its stored output says that all is well
    content = nbformat.read(path, 4)
    for cell in content.cells:
        if cell.cell_type == "code":
            cell.outputs = [nbformat.v4.new_output("stream", text="Well done: -15 is right.")]
    nbformat.write(content, path)

    # Who has helpers of their own.
    looks = "def looks(x):\n    return x.mean() ** 2 / x.var()"
    hand_in(folder, "helper", more=["!ls", looks], b="looks(vv)")
    hand_in(folder, "helper with os", more=[f"import os\n{looks}"], b="looks(vv)")
    hand_in(folder, "no helper", b="looks(vv)", a="-12.6\nmine = answer")

    before = {path: path.read_bytes() for path in folder.rglob("*.ipynb")}
    told = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "ROOT", series(root / "course"))
        for name in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
            patch.setenv(name, str(root / "home"))
        limits = grade.Limits(10, 10**9)
        output = root / "grades.csv"
        grade.grade(
            folder, output, limits=limits, tell=lambda line: told.append((line, table(output)))
        )
        assert not progress.file().exists(), "nothing is noted as the lecturer's own"
    assert {path: path.read_bytes() for path in folder.rglob("*.ipynb")} == before
    assert precious.read_text() == "precious"
    said = {(r["student"], r["exercise"]): r for r in table(root / "grades_answers.csv")}
    return {row["student"]: row for row in table(output)}, said, told


NAMES = ("time_series_1", "time_series_2", "network_4")


def test_a_class_with_a_hostile_copy_is_graded(classroom):
    rows, said, _ = classroom

    def of(student):
        return [rows[student][name] for name in NAMES]

    assert of("ben") == ["no", "no", "not attempted"] and rows["ben"]["points"] == "0"
    assert of("cem") == ["yes", "not in the notebook", "not attempted"]
    assert rows["cem"]["points"] == "1" and rows["cem"]["of"] == "3"
    assert of("mallory") == [
        "no: took longer than 10 s",
        "no: needed more than 1 GB of memory",
        "not graded: uses __import__",
    ]
    assert set(of("zoe")) == {f"not graded: {NAME} is no notebook, or larger than 50 MB"}
    assert "mean of the decibels" in said["ben", "time_series_1"]["the check said"]


def test_what_a_learner_changes_does_not_change_what_is_right(classroom):
    rows, _, _ = classroom
    assert rows["field"]["time_series_2"] == rows["in place"]["time_series_2"] == "no"
    assert rows["in place"]["time_series_1"] == "not graded: uses exercises"
    assert rows["logarithm"]["time_series_1"] == "not graded: changes numpy.log10"
    assert rows["late"]["time_series_1"] == "not graded: changes numpy.log10"
    assert rows["lazy"]["time_series_1"] == "not graded: changes stma_nb.patches.unfilled"
    assert rows["any"]["time_series_1"] == rows["output"]["time_series_1"] == "no"


def test_helpers_of_ones_own_and_earlier_answers_count(classroom):
    rows, _, _ = classroom
    assert rows["helper"]["time_series_2"] == "yes"
    lacking = "no: NameError: name 'looks' is not defined"
    assert rows["helper with os"]["time_series_2"] == rows["no helper"]["time_series_2"] == lacking
    assert rows["no helper"]["time_series_1"] == "yes"


def test_the_table_is_written_after_every_notebook(classroom):
    _, _, told = classroom
    lines, tables = zip(*told[:2], strict=True)
    assert [line.split()[:2] for line in lines] == [[NAME, "15"], ["02_more.ipynb", "1"]]
    assert tables[0][0]["student"] == "anna" and tables[0][0]["time_series_1"] == "yes"


def test_what_a_person_must_look_at_is_counted_and_costs_no_points(classroom):
    rows, _, told = classroom
    assert rows["zoe"]["points"] == "" and rows["zoe"]["to look at"] == "3"
    assert rows["mallory"]["points"] == "0" and rows["mallory"]["to look at"] == "1"
    assert rows["ben"]["to look at"] == "0"
    look = sum(int(row["to look at"]) for row in rows.values())
    assert told[-1][0] == f"Exercises to look at: {look}. Rows in which nothing could be graded: 1."


def test_a_course_notebook_that_fails_is_told_and_not_held_against_anyone(classroom):
    """Both notebooks ask the same here, so the second's grades stand in the table."""
    rows, said, _ = classroom
    assert rows["anna"]["time_series_1"] == "yes"
    fails = "not graded: the course's own notebook fails here"
    assert rows["anna"]["time_series_2"] == rows["anna"]["network_4"] == fails
    assert "IndexError" in said["anna", "network_4"]["the check said"]


@pytest.fixture
def small(tmp_path, monkeypatch):
    """The small course in place of the series; the folder of a class."""
    monkeypatch.setattr(runner, "ROOT", series(tmp_path / "course"))
    return tmp_path / "class"


def test_names_of_files_tell_student_and_notebook(small, tmp_path):
    for student, name in (
        ("=cmd()", "01_my version (1).ipynb"),
        ("moodle/attempt 2", NAME),
        ("moodle/attempt 3", NAME),
        ("other", "homework.ipynb"),
        (".", "01_waves_Grete Weiß.ipynb"),
        (".", "01_grete.ipynb"),
        ("gone/.ipynb_checkpoints", NAME),
    ):
        hand_in(small, student, name=name)
    copies, remarks = handed_in.collected(small, course.notebooks())
    assert {notebook.name: sorted(found) for notebook, found in copies.items()} == {
        NAME: ["01_grete", "=cmd()", "Grete Weiß", "moodle"]
    }
    assert set(remarks) == {"01_grete", "Grete Weiß", "=cmd()", "gone", "moodle", "other"}
    assert "attempt 3/01_waves.ipynb is graded" in remarks["moodle"][0]
    assert "1 other copy is left out: moodle/attempt 2/01_waves.ipynb" in remarks["moodle"][0]
    assert remarks["other"] == ["homework.ipynb fits several notebooks of the course equally well"]
    assert remarks["gone"] == ["nothing to grade: the folder has no file"]
    rows = {student: grade.Row(remarks=lines) for student, lines in remarks.items()}
    rows["other"].grades["real_1"] = grade.Grade("yes", "=1+1", "@SUM(1)")
    grade._write_grades(tmp_path / "a.csv", rows, ["real_1"])
    grade._write_answers(tmp_path / "b.csv", rows)
    assert "'=cmd()" in [row["student"] for row in table(tmp_path / "a.csv")]
    assert list(table(tmp_path / "b.csv")[0].values())[3:] == ["'=1+1", "'@SUM(1)"]


def copy_of(number: str, path: Path, attempted: int = 0, ids: bool = True) -> None:
    """Hand in the student edition of a notebook of the series, of which the first exercises were
    attempted; Colab keeps no ids.
    """
    content = editions.student(nbformat.read(runner.picked([number])[0], as_version=4))
    asked = [cell for cell in content.cells if "exercise" in cell.metadata.get("tags", ())]
    for cell in asked[:attempted]:
        cell.source = f"answer = 0\n{cell.source}"
    for cell in [] if ids else content.cells:
        cell.id = f"colab{id(cell)}"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(content, path)


def sorted_out(folder: Path, *only: str) -> tuple[dict[str, dict[str, str]], dict[str, list[str]]]:
    """The file that is graded by number of the notebook and student; the remarks."""
    copies, remarks = handed_in.collected(folder, runner.picked(only))
    return {
        runner.number_of(notebook): {student: file.path.name for student, file in found.items()}
        for notebook, found in copies.items()
    }, remarks


def test_exercises_tell_one_notebook_of_the_series_from_another():
    """Else the cells of a copy could not say of which it is."""
    asked = [handed_in.Original.read(path).exercises for path in course.notebooks()]
    for names in (
        [cell.id for one in asked for cell, _ in one],
        [exercise.name for one in asked for _, exercise in one],
    ):
        assert len(set(names)) == len(names) > 50


@pytest.mark.parametrize("ids", [True, False])
def test_a_notebook_is_known_by_its_exercises_whatever_its_name(tmp_path, ids):
    names = {
        "hans": "Copy of 01_sar_time_series.ipynb",
        "emil": "Lab 1 Emil final (2).ipynb",
        "ida": "04_temporal_attention.ipynb",  # it is not: the name never overrules the cells
        "quentin": "lab/Untitled.ipynb",
    }
    for student, name in names.items():
        copy_of("01", tmp_path / student / name, ids=ids)
    copy_of("04", tmp_path / "both" / "a.ipynb", ids=ids)
    copy_of("01", tmp_path / "both" / "b.ipynb", ids=ids)
    found, remarks = sorted_out(tmp_path)
    assert found["01"] == {student: Path(name).name for student, name in names.items()} | {
        "both": "b.ipynb"
    }
    assert found["04"] == {"both": "a.ipynb"}
    assert remarks["hans"] == []
    for student in ("emil", "ida", "quentin"):
        assert "is taken as 01_sar_time_series, whose exercises it has" in remarks[student][0]


@pytest.mark.parametrize(
    "name, student",
    [
        ("Emil Muster_12345_assignsubmission_file_01_sar_time_series.ipynb", "Emil Muster"),
        ("Emil Muster_12345_assignsubmission_file_Lab 1 (2).ipynb", "Emil Muster"),
        ("mustermax_123_456_01_sar_time_series.ipynb", "mustermax"),
        ("mustermax_LATE_123_456_01_sar_time_series-1.ipynb", "mustermax"),
        ("mustermax_123_456_my lab.ipynb", "mustermax"),
        ("01_sar_time_series_anna.ipynb", "anna"),
        ("01_sar_time_series_anna (1).ipynb", "anna"),
        ("Anna Weiß - 01_sar_time_series.ipynb", "Anna Weiß"),
        ("Copy of 01_sar_time_series_anna.ipynb", "anna"),
        ("Lab 1 Emil final (2).ipynb", "Lab 1 Emil final (2)"),
        ("Copy of 01_sar_time_series.ipynb", "Copy of 01_sar_time_series"),
        ("01_sar_time_series (1).ipynb", "01_sar_time_series (1)"),
        ("lab_01_sar_time_series_anna.ipynb", "lab_01_sar_time_series_anna"),
        ("lab_1_2_anna.ipynb", "lab_1_2_anna"),
    ],
)
def test_the_student_of_a_file_that_lies_flat(tmp_path, name, student):
    copy_of("01", tmp_path / name)
    found, remarks = sorted_out(tmp_path)
    assert found == {"01": {student: name}}
    whole = student == Path(name).stem
    assert any("names no student" in line for line in remarks[student]) == whole


def test_two_students_do_not_become_one(tmp_path):
    copy_of(
        "01", tmp_path / "Emil_11111_assignsubmission_file_lab.ipynb"
    )  # Moodle's number differs
    copy_of("04", tmp_path / "Emil_22222_assignsubmission_file_lab.ipynb")
    copy_of("01", tmp_path / "01_sar_time_series_anna.ipynb", 1)  # their cells differ
    copy_of("01", tmp_path / "anna_01_sar_time_series.ipynb", 2)
    copy_of("01", tmp_path / "ben" / "01_sar_time_series.ipynb", 1)
    copy_of("01", tmp_path / "ben_01_sar_time_series.ipynb", 2)
    copy_of("01", tmp_path / "cem_01_sar_time_series.ipynb", 1)  # one student: the same twice,
    copy_of("01", tmp_path / "cem_01_sar_time_series (1).ipynb", 1)  # and another notebook
    copy_of("04", tmp_path / "cem_04_temporal_attention.ipynb", 1)
    found, remarks = sorted_out(tmp_path)
    apart = {path.name for path in tmp_path.iterdir() if "cem" not in path.name}
    assert set(remarks) == apart | {"cem"}
    assert set(found["04"]) == {"cem", "Emil_22222_assignsubmission_file_lab.ipynb"}
    assert len(found["01"]) == len(apart)  # ben's folder, five files, and cem's instead of one
    for name in apart - {"ben"}:
        assert "the row is named after the file: others give the name" in remarks[name][0]


def test_of_several_copies_the_one_with_most_attempted_is_graded(tmp_path):
    folder = tmp_path / "pia"
    for age, (name, attempted) in enumerate(
        [
            ("01_sar_time_series (1)", 3),
            ("01_sar_time_series", 0),
            ("final", 3),
            ("really final", 2),
        ]
    ):
        copy_of("01", folder / f"{name}.ipynb", attempted)
        os.utime(folder / f"{name}.ipynb", (0, 1000 - age))
    (folder / "01_broken.ipynb").write_text("{")
    found, remarks = sorted_out(tmp_path)
    assert found == {"01": {"pia": "01_sar_time_series (1).ipynb"}}
    assert "4 other copies are left out" in " ".join(remarks["pia"])
    os.utime(folder / "final.ipynb", (0, 2000))
    found, remarks = sorted_out(tmp_path)
    assert found == {"01": {"pia": "final.ipynb"}}


def test_what_cannot_be_graded_has_a_row(small, tmp_path, capsys):
    hand_in(small, "anna", a="-12.6")
    for student, name in (
        ("zipper", "sub.zip"),
        ("nora", "notes.pdf"),
        (".", "Emil_12345_assignsubmission_file_lab.zip"),
        ("other", "homework.ipynb"),
        ("max", "lab.ipynb"),
    ):
        (small / student).mkdir(exist_ok=True)
        (small / student / name).write_text("x")
    nbformat.write(new_notebook(cells=[new_code_cell("1")]), small / "other" / "homework.ipynb")
    (small / "gone").mkdir()
    output = tmp_path / "grades.csv"
    assert main(["grade", str(small), "--output", str(output)]) == 0
    assert "Rows in which nothing could be graded: 6." in capsys.readouterr().out
    rows = {row.pop("student"): row for row in table(output)}
    assert rows.pop("anna")["points"] == "1"
    assert {name: row.pop("remarks") for name, row in rows.items()} == {
        "zipper": "nothing to grade: found sub.zip (archives are not unpacked)",
        "nora": "nothing to grade: found notes.pdf",
        "Emil": "nothing to grade: found Emil_12345_assignsubmission_file_lab.zip (archives are "
        "not unpacked)",
        "other": "homework.ipynb is no notebook of the course",
        "max": "lab.ipynb is no notebook, or larger than 50 MB",
        "gone": "nothing to grade: the folder has no file",
    }
    for row in rows.values():
        assert row.pop("of") == "3" and set(row.values()) == {""}


def test_the_solutions_in_a_public_copy_are_not_answers(tmp_path):
    """Who hands in the public notebook as it is has attempted nothing."""
    path = runner.picked(["01"])[0]
    original = handed_in.Original.read(path)
    assert original.attempted(original.cells) == 0
    for asked, _ in original.exercises:
        assert original.answers(asked, original.cells) == [asked]
    older = handed_in.Cell("x", "answer = 1\nexercises.time_series_1(answer)", ("solution",))
    assert original.held([older]) == 0 and original.held([replace(older, tags=())]) == 1


@pytest.mark.parametrize("nothing", ["missing", "empty"])
def test_a_folder_without_notebooks_is_told(nothing, small, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    output = tmp_path / "grades.csv"
    assert main(["grade", str(tmp_path / nothing), "--output", str(output)]) == 1
    said = capsys.readouterr().err
    assert "is no folder" in said if nothing == "missing" else "NAME/01_waves.ipynb" in said
    assert not output.exists()


def test_grades_that_exist_are_left_as_they_are(small, tmp_path, capsys):
    hand_in(small, "anna", a="-12.6")
    for name in ("grades.csv", "grades_answers.csv"):
        (tmp_path / name).write_text("kept")
        arguments = ["grade", str(tmp_path / "class"), "--output", str(tmp_path / "grades.csv")]
        assert main(arguments) == 1
        assert "exists and is left as it is" in capsys.readouterr().err
        assert (tmp_path / name).read_text() == "kept"
        (tmp_path / name).unlink()
    assert main([*arguments, "--only", "07"]) == 1
    assert "There is no notebook '07'" in capsys.readouterr().err
    assert main([*arguments, "--memory", "much"]) == 2


def test_a_notebook_of_the_series_is_graded(tmp_path, capsys):
    """As it is handed out, and with all solutions filled in."""
    path = next(path for path in course.notebooks() if path.name.startswith("01_"))
    solved = editions.gradable(nbformat.read(path, as_version=4))
    blank = editions.student(nbformat.read(path, as_version=4))
    fenced = editions.gradable(nbformat.read(path, as_version=4))
    reason = "The soil was frozen."
    for cell in fenced.cells:
        if "because = " in cell.source:
            cell.source = cell.source.replace(
                "exercises.", f"because = '{reason}'\nimport os\nexercises."
            )
    for student, content in (("solved", solved), ("blank", blank), ("fenced", fenced)):
        (tmp_path / "class" / student).mkdir(parents=True)
        nbformat.write(content, tmp_path / "class" / student / path.name)
    output = tmp_path / "grades.csv"
    assert main(["grade", str(tmp_path / "class"), "--output", str(output), "--only", "01"]) == 0
    rows = {row["student"]: row for row in table(output)}
    names = [name for name in rows["solved"] if name.startswith("time_series_")]
    assert len(names) >= 3 and rows["solved"]["points"] == rows["solved"]["of"] == str(len(names))
    assert {rows["blank"][name] for name in names} == {"not attempted"}
    explained = {
        row["exercise"]: row["because"]
        for row in table(tmp_path / "grades_answers.csv")
        if row["student"] == "fenced" and row["verdict"] == "not graded: imports os"
    }
    assert len(explained) == 1 and set(explained.values()) == {reason}, "a person can read it"
    assert "3 copies" in capsys.readouterr().out


# --------------------------------------------------------------------------------------- the fence


@pytest.mark.parametrize(
    "code, reason",
    [
        ("import os", "imports os"),
        ("import numpy as np, shutil", "imports shutil"),
        ("from stma_nb import course", "imports stma_nb.course"),
        ("from stma_nb.course.exercises import checks", "imports stma_nb.course.exercises.checks"),
        ("from numpy import ctypeslib", "imports numpy.ctypeslib"),
        ("from . import x", "imports None.x"),
        ("open('a')", "uses open"),
        ("x.__class__", "uses __class__"),
        ("__builtins__", "uses __builtins__"),
        ("getattr(x, y)", "uses getattr"),
        ("pd.io.common.os", "uses os"),
        ("torch.save(x, y)", "uses save"),
        ("np.savetxt(x, y)", "uses savetxt"),
        ("season.to_netcdf('a')", "uses to_netcdf"),
        ("torch.load(x)", "uses load"),
        ("frame.eval('x')", "uses eval"),
        ("error.tb_frame", "uses tb_frame"),
        ("exercises.temporal_1 = 1", "uses exercises"),
        ("get_ipython()", "uses get_ipython"),
        ("!rm -r *", "has a line for the shell"),
        ("x = 1\n  %run other", "has a line for Jupyter: %run other"),
        ("%%time\nanswer = 1", "has a line for Jupyter: %%time"),
        ("?np.log10\nanswer = -12.6", r"has a line for help: \?np.log10"),
        ("np.log10??\nanswer = -12.6", r"has a line for help: np.log10\?\?"),
        ("files = !ls", "has a line for the shell"),
        # around the words that are refused
        ("match x:\n    case object(__globals__=found):\n        pass", "uses __globals__"),
        ("match x:\n    case object(os=found):\n        pass", "uses os"),
        ("type('A', (), {'__annotations__': {}})", "uses __annotations__"),
        ("type('A', (), dict(__reduce__=f))", "uses __reduce__"),
        ("class A:\n    from math import sin as __reduce__", "uses __reduce__"),
        # what allowed modules lead to
        ("import warnings\nwarnings.sys.modules", "uses sys"),
        ("import warnings\nwarnings.formatwarning('', x, path, 1)", "uses formatwarning"),
        ("from warnings import linecache", "imports warnings.linecache"),
        ("from warnings import _getcategory", "imports warnings._getcategory"),
        ("import json\njson.codecs.open('a')", "uses open"),
        ("import json\njson.dump(1, file)", "uses dump"),
        ("json.load(file)", "uses load"),
        ("import json.decoder", "imports json.decoder"),
        ("from json import decoder", "imports json.decoder"),
        ("json.decoder.scanner.re.enum.bltns", "uses bltns"),
        ("class A:\n    def __reduce__(self):\n        return print, ()", "uses __reduce__"),
        ("class A:\n    def __deepcopy__(self, memo):\n        pass", "uses __deepcopy__"),
        ("class A:\n    def __setattr__(self, name, value):\n        pass", "uses __setattr__"),
        ("class A(type):\n    def __prepare__(name, bases):\n        pass", "uses __prepare__"),
        ("import collections\ncollections._sys.modules", "uses _sys"),
        ("from collections import _sys", "imports collections._sys"),
        ("import dataclasses\ndataclasses.sys", "uses sys"),
        ("from dataclasses import make_dataclass", "imports dataclasses.make_dataclass"),
        ("import functools\nfunctools.update_wrapper(x, np.mean, ['a'])", "uses update_wrapper"),
        ("functools.reduce(getattr, ['a', 'b'], np)", "uses getattr"),
        ("from functools import singledispatch", "imports functools.singledispatch"),
        ("typing.get_type_hints(A)", "uses get_type_hints"),
        ("typing.operator.attrgetter('sys')(typing)", "uses attrgetter"),
        ("import time\ntime.clock_settime(0, 0)", "uses clock_settime"),
        ("x = '" + "a" * 30_000 + "'", "is longer than"),
    ],
)
def test_code_that_may_do_harm_is_not_run(code, reason):
    with pytest.raises(fence.Refused, match=reason):
        fence.look(fence.parse(code))


@pytest.mark.parametrize(
    "code",
    [
        "import math, itertools\nfrom scipy import signal\nimport torch.nn.functional as F",
        "network.eval()\nseason = season.load()",
        "class A(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.query = nn.Linear(2, 2)",
        "import collections.abc, copy, json, time, warnings\n"
        "with warnings.catch_warnings():\n    warnings.simplefilter('ignore')\n"
        "text, again = json.dumps(json.loads('[1]')), copy.deepcopy([1])\nstart = time.time()",
        "from collections.abc import Callable\nfrom functools import partial, lru_cache\n"
        "from dataclasses import dataclass, field\nfrom time import perf_counter\nimport math as m",
        'because = """Is it so?\n! No: 40\n% of it?"""\nx = (7\n % 2)',
        "class A:\n    def __add__(self, other):\n        return 1\nprint('______')",
        "io, os, sys, signal, query = 1, 2, 3, 4, 5",
        "from stma_nb import patches, radar\nradar.to_db(x)",
    ],
)
def test_code_of_exercises_is_run(code):
    fence.look(fence.parse(code))


@pytest.mark.parametrize(
    "code",
    [
        "import collections, functools, json, typing, warnings\nanswer = json.loads('[1]')",
        "from collections.abc import Sequence\nimport collections.abc as c\n"
        "answer = [1] if isinstance([], c.Sequence) and isinstance((), Sequence) else 0",
        "from dataclasses import dataclass, field\n@dataclass\nclass A:\n"
        "    x: list = field(default_factory=lambda: [1])\nanswer = A().x",
        "import copy\nanswer = copy.deepcopy([1])",
        "import functools\nanswer = [functools.reduce(lambda a, b: a * b, [1, 1])]",
        "import warnings\nwith warnings.catch_warnings():\n    warnings.simplefilter('error')\n"
        "    try:\n        warnings.warn('a')\n    except UserWarning:\n        answer = [1]",
        "answer = json.loads(mine.dumps([1]))",
    ],
)
def test_pythons_own_modules_work_within_reach(code):
    space = fence.within_reach({"json": json, "mine": json, "os": os})
    assert "os" not in space
    exec(code, space)
    assert space["answer"] == [1]


@pytest.mark.parametrize(
    "path",
    ["warnings.sys", "warnings._getcategory", "json.decoder", "json.codecs", "collections._sys",
     "dataclasses.sys", "functools.wraps", "typing.operator", "typing.sys", "time.clock_settime",
     "copy.copyreg", "statistics.sys"],
)  # fmt: skip
def test_pythons_own_modules_lead_to_no_others(path):
    """Even where nobody looked at the code; by import and as the notebook's own name."""
    name, part = path.split(".")
    space = fence.within_reach({"theirs": importlib.import_module(name)})
    for code in (f"theirs.{part}", f"import {name}\n{name}.{part}", f"from {name} import {part}"):
        with pytest.raises((AttributeError, ImportError)):
            exec(code, space)


def ran(code: str, seconds: float = 20) -> dict:
    """What code that nobody has looked at comes to behind the fence."""

    def work():
        space = {}
        exec(code, space)
        return {"answer": str(space.get("answer"))}

    return fence.run(work, fence.Limits(seconds, 500_000_000))


@pytest.mark.parametrize(
    "code",
    [
        "import os; os.remove(PATH)",
        "import os; os.rename(PATH, 'here')",
        "import pathlib; pathlib.Path(PATH).unlink()",
        "import shutil; shutil.rmtree(FOLDER)",
        "open(PATH, 'w')",
        "open(PATH)",
        "open(FOLDER + '/new', 'w')",
        "import os; os.open(PATH, os.O_RDWR)",
        "import os; os.system('true')",
        "import os; os.fork()",
        "import os; os.kill(os.getppid(), 9)",
        "import subprocess; subprocess.run(['true'])",
        "import socket; socket.socket()",
    ],
)
def test_the_fence_refuses_what_leaves_the_folder(code, tmp_path):
    path = tmp_path / "folder" / "precious.txt"
    path.parent.mkdir()
    path.write_text("precious")
    places = f"PATH, FOLDER = {str(path)!r}, {str(path.parent)!r}\n"
    with pytest.raises(fence.Stopped, match="PermissionError: not allowed here"):
        ran(places + code)
    assert path.read_text() == "precious" and list(path.parent.iterdir()) == [path]


@pytest.mark.skipif(sys.platform != "linux", reason="Landlock is Linux's")
def test_the_kernel_refuses_what_python_does_not_see(tmp_path):
    import ctypes

    if ctypes.CDLL(None).syscall(444, None, 0, 1) < 3:
        pytest.skip("this kernel has no Landlock, or an old one")
    path = tmp_path / "precious.txt"
    path.write_text("precious")
    calls = ("unlink(path)", "open(path, 2)", "open(path, 0)", "truncate(path, 0)")
    code = f"import ctypes\nc, path = ctypes.CDLL(None), {os.fsencode(path)!r}\nanswer = "
    assert ran(code + f"[{', '.join(f'c.{call}' for call in calls)}]") == {
        "answer": "[-1, -1, -1, -1]"
    }
    assert path.read_text() == "precious"


def test_code_has_a_folder_of_its_own_and_no_environment(monkeypatch):
    monkeypatch.setenv("SECRET", "token")
    code = (
        "import os\nopen('mine', 'w').write('a')\nos.rename('mine', 'ours')\n"
        "answer = open('ours').read(), sorted(os.environ), os.path.realpath(os.environ['HOME']) == "
        "os.path.realpath('.')"
    )
    assert ran(code) == {"answer": "('a', ['HOME', 'PATH', 'TMPDIR'], True)"}


@pytest.mark.parametrize(
    "code, why",
    [
        ("while True: pass", "took longer than 2 s"),
        ("while True:\n try:\n  while True: pass\n except BaseException: pass", "took longer than"),
        ("a = []\nwhile True: a.append(bytearray(10**7))", "needed more than 0.5 GB of memory"),
        ("raise SystemExit", "SystemExit"),
        ("import os; os._exit(0)", "ended without an answer"),
        ("f = open('a', 'wb')\nwhile True: f.write(bytes(10**6))", "File too large"),
    ],
)
def test_code_that_does_not_end_well_is_stopped(code, why):
    seconds = 2 if why.startswith("took") else 60
    with pytest.raises(fence.Stopped, match=why):
        ran(code, seconds)
