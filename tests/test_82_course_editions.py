"""What students get holds no solution, leads to none and still answers them; what lecturers get
shows every solution.
"""

import hashlib
import re
import shutil
import subprocess
import time
import zipfile
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from stma_nb import course
from stma_nb.__main__ import main
from stma_nb.course import editions, readmes, runner
from stma_nb.course.address import Address, here
from stma_nb.course.cells import Exercise, names
from stma_nb.course.structure import Notebook

ROOT = Path(__file__).parent.parent
NOTEBOOKS = course.notebooks()
NAME = {path.name.partition("_")[0]: path.name for path in NOTEBOOKS}


def fingerprints() -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (ROOT / "notebooks").iterdir()
        if path.is_file()
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """All editions, written by the command; the series is as it was."""
    before, folder = fingerprints(), tmp_path_factory.mktemp("editions") / "for_class"
    assert main(["editions", str(folder), "--zip", "--nbgrader"]) == 0
    assert fingerprints() == before, "nothing in notebooks/ is changed"
    return folder


def cells(path: Path) -> list:
    content = nbformat.read(path, as_version=4)
    nbformat.validate(content)
    return content.cells


def tagged(path: Path, tag: str) -> list[str]:
    return [cell.source for cell in cells(path) if tag in cell.metadata.get("tags", [])]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_student_edition_holds_no_solution(path, folder):
    student = folder / "student" / path.name
    text = student.read_text(encoding="utf-8")
    left = {line for cell in cells(student) for line in cell.source.splitlines()}
    for solution, exercise in zip(tagged(path, "solution"), tagged(path, "exercise"), strict=True):
        for line in set(solution.splitlines()) - set(exercise.splitlines()):
            if line.startswith("answer"):
                assert line not in left, line
    assert (
        not tagged(student, "solution") and "folded away" not in text and "Student edition" in text
    )
    assert tagged(student, "exercise") == tagged(path, "exercise") and tagged(
        student, "parameters"
    ) == tagged(path, "parameters")
    assert all(
        cell.outputs == [] and cell.execution_count is None
        for cell in cells(student)
        if cell.cell_type == "code"
    )


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_student_edition_leads_nowhere_to_solutions(path, folder):
    notebook = Notebook(folder / "student" / path.name)
    for link in notebook.words("a", href=True):
        address = link["href"]
        assert "mybinder" not in address and "colab" not in address
        if address.startswith(here().url):
            place = address.removeprefix(f"{here().url}/blob/main/")
            assert place.startswith(("data/", "stma_nb/")) and "course" not in place, address
        elif not address.startswith(("https:", "#")):
            assert (folder / "student" / address.partition("#")[0]).exists(), address
    assert "git clone" not in notebook.tagged("setup")[0].source.replace("git clone --filter", "")


@pytest.mark.parametrize("edition", ["student", "lecturer"])
def test_an_edition_says_how_to_set_it_up_and_whose_it_is(edition, folder):
    """As the course's own README and set-up do it: tested versions, and PyTorch for the CPU."""
    told = (folder / edition / "README.md").read_text("utf-8")
    pin = re.search(r"(?m)^torch==\S+", (ROOT / "constraints.txt").read_text("utf-8"))[0]
    assert f"--no-deps --extra-index-url https://download.pytorch.org/whl/cpu {pin}+cpu\n" in told
    installs = re.findall(r"(?m)^(\S+) -m pip install (?!--no-deps)(.*)$", told)
    assert [python for python, _ in installs] == [
        ".venv/bin/python", ".venv/bin/python", r".venv\Scripts\python",
    ]  # fmt: skip
    assert {words for _, words in installs} == {'-c library/constraints.txt -e "./library[all]"'}, (
        "into a virtual environment"
    )
    sizes = (ROOT / "README.md").read_text("utf-8")
    for size in ("2.3 GB", "6.3 GB"):
        assert size in told and size.removesuffix(" GB") in sizes
    for name in ("LICENSE", "LICENSE-CC-BY"):
        assert (folder / edition / name).read_bytes() == (ROOT / name).read_bytes()
    links = re.findall(r"\]\(([^)\s]+)\)", told)
    assert here().url in links, "the source is named"
    for link in links:
        assert link == here().url or (folder / edition / link).exists(), link


def test_plans_of_the_lecturer_edition_lead_to_its_notebooks_or_to_the_web(folder):
    plans = (folder / "lecturer" / "plans.md").read_text("utf-8")
    assert "## Two days" in plans
    for link in re.findall(r"\]\(([^)\s]+)\)", plans):
        there = (folder / "lecturer" / link.partition("#")[0]).exists()
        assert there or link.startswith(("https:", "#")), link


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_lecturer_edition_shows_every_solution(path, folder):
    lecturer = folder / "lecturer" / path.name
    content = cells(lecturer)
    assert tagged(lecturer, "solution") == tagged(path, "solution")
    for place, cell in enumerate(content):
        if "solution" in cell.metadata.get("tags", []):
            assert "jupyter" not in cell.metadata and "**Solution" in content[place - 1].source
    assert "Lecturer edition" in content[1].source
    assert "folded away" not in lecturer.read_text(encoding="utf-8")
    notebook = Notebook(lecturer)
    for link in notebook.words("a", href=True):
        assert "mybinder" not in link["href"] and "colab" not in link["href"], "the public copy"
        if not link["href"].startswith(("https:", "#")):
            assert (folder / "lecturer" / link["href"].partition("#")[0]).exists(), link["href"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_solutions_stand_in_files_of_their_own(path, folder):
    alone = folder / "lecturer" / "solutions" / path.name
    assert tagged(alone, "solution") == tagged(path, "solution")
    assert tagged(alone, "exercise") == tagged(path, "exercise")
    assert len(Notebook(alone).words.get_text()) < len(Notebook(path).words.get_text()) / 2


def test_solutions_run_by_themselves(folder, tmp_path):
    alone = folder / "lecturer" / "solutions" / NAME["01"]
    course.run_notebook(alone, tmp_path / alone.name)
    run = [cell for cell in cells(tmp_path / alone.name) if cell.cell_type == "code"]
    solved = [cell for cell in run if "solution" in cell.metadata.get("tags", [])]
    assert solved and all("Well done" in cell.outputs[0].text for cell in solved)
    assert len(run) < len(Notebook(ROOT / "notebooks" / NAME["01"]).code)


def test_badges_lead_to_where_the_lecturer_puts_the_copies(tmp_path):
    where = ["--repository", "https://github.com/me/class.of-26", "--branch", "week-1"]
    assert main(["editions", str(tmp_path / "e"), "--only", "04", *where]) == 0
    student = tmp_path / "e" / "student"
    links = {link["href"] for link in Notebook(student / NAME["04"]).words("a", href=True)}
    at = "me/class.of-26"
    assert f"https://mybinder.org/v2/gh/{at}/week-1?urlpath=lab/tree/{NAME['04']}" in links
    assert f"https://colab.research.google.com/github/{at}/blob/week-1/{NAME['04']}" in links
    assert (student / "binder" / "environment.yml").exists()
    build = (student / "binder" / "postBuild").read_text()
    assert "--sparse" in build and here().url in build


def test_copies_of_a_fork_fetch_the_library_from_its_branch(tmp_path, monkeypatch):
    fork = Address("https://github.com/geo-uni/sar-course", "teach-2027")
    monkeypatch.setattr(readmes, "here", lambda: fork)
    editions.write(tmp_path / "e", only=["04"])
    told = (tmp_path / "e" / "student" / "README.md").read_text("utf-8")
    assert f"--sparse -q --depth 1 --branch teach-2027 {fork.url} library\n" in told


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["--only", "99"], "There is no notebook '99'"),
        (["--repository", "https://example.org/me/class"], "is not on GitHub"),
        (["--repository", "https://github.com/me"], "no web address of a repository"),
        (["--repository", here().url], "with its solutions"),
        (
            ["--repository", "https://github.com/me/a", "--branch", "a b"],
            "no branch that badges can name",
        ),
    ],
)
def test_what_cannot_be_written_makes_no_folder(arguments, said, tmp_path, capsys):
    assert main(["editions", str(tmp_path / "e"), *arguments]) == 1
    assert said in capsys.readouterr().err and not (tmp_path / "e").exists()


def test_some_notebooks_are_picked_and_archives_hold_what_the_folders_hold(tmp_path):
    assert (
        main(["editions", str(tmp_path), "--overwrite", "--only", "04", "--only", "08", "--zip"])
        == 0
    )
    for edition in ("student", "lecturer"):
        files = {
            path.relative_to(tmp_path / edition).as_posix(): path.read_bytes()
            for path in (tmp_path / edition).rglob("*")
            if path.is_file()
        }
        with zipfile.ZipFile(tmp_path / f"{edition}.zip") as archive:
            assert {name: archive.read(name) for name in archive.namelist()} == {
                f"{edition}/{name}": content for name, content in files.items()
            }, "in one folder"
        assert {name for name in files if name.endswith("ipynb") and "/" not in name} == {
            NAME["04"], NAME["08"],
        }  # fmt: skip
    text = (tmp_path / "student" / NAME["04"]).read_text("utf-8")
    assert NAME["05"] not in text, "what is not handed out is not linked to"
    text = (tmp_path / "lecturer" / NAME["04"]).read_text("utf-8")
    assert f"{here().url}/blob/main/notebooks/{NAME['05']}" in text


@pytest.mark.skipif(not shutil.which("git"), reason="needs Git")
def test_set_up_of_a_student_copy_brings_library_and_data_and_no_notebook(tmp_path):
    origin = tmp_path / "origin"
    for name in ("pyproject.toml", "stma_nb/model.py", "data/a.json", "tests/fixtures/b.npz",
                 "notebooks/01.ipynb", "tests/answers/c.py"):  # fmt: skip
        (origin / name).parent.mkdir(parents=True, exist_ok=True)
        (origin / name).write_text(name)
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for command in (["init", "-q"], ["add", "."], [*identity, "commit", "-qm", "all"]):
        subprocess.run(["git", *command], cwd=origin, check=True)
    setup = (
        'if "google.colab" in sys.modules:\n    %pip install -q zarr\n'
        f"    !git clone -q --depth 1 {origin.as_uri()} {tmp_path}/content/stma_nb\n    more()"
    )
    content = new_notebook(cells=[new_code_cell(setup, metadata={"tags": ["setup"]})])
    lines = editions.student(content).cells[0].source.splitlines()
    assert [*lines[:2], lines[-1]] == [*setup.splitlines()[:2], "    more()"]
    for line in lines[2:-1]:
        subprocess.run(line.strip().removeprefix("!").split(), check=True)
    brought = {
        path.relative_to(tmp_path / "content/stma_nb").as_posix()
        for path in (tmp_path / "content" / "stma_nb").rglob("*")
        if path.is_file() and ".git" not in path.parts
    }
    assert brought == {"pyproject.toml", "stma_nb/model.py", "data/a.json", "tests/fixtures/b.npz"}


def test_links_lead_to_notebooks_or_to_the_repository():
    text = (
        "[a](../README.md) [b](questions.md) [c](04_time.ipynb#End) [d](#End) ![e](../data/e.png)"
    )
    web = f"{here().url}/blob/main"
    assert editions.linked(text, {"04_time.ipynb"}) == (
        f"[a]({web}/README.md) [b]({web}/notebooks/questions.md) [c](04_time.ipynb#End) [d](#End) "
        f"![e]({web}/data/e.png)"
    )


def test_links_of_students_lead_to_their_copies_to_data_and_library():
    web = f"{here().url}/blob/main"
    text = (
        "[a](../README.md) [b](questions.md) [c](03a_time.ipynb) [d](05_space.ipynb#End) "
        f"[e](../data/README.md#x) [f](../stma_nb/course/exercises/real.py) [g]({web}/notebooks/) "
        "[h](https://doi.org/10.1) [i](../stma_nb/model.py)"
    )
    assert editions.linked(text, {"03a_time.ipynb"}, public=False) == (
        f"a b [c](03a_time.ipynb) d [e]({web}/data/README.md#x) f g [h](https://doi.org/10.1) "
        f"[i]({web}/stma_nb/model.py)"
    )


def small(*more) -> nbformat.NotebookNode:
    check = "from stma_nb.course import exercises\nanswer = {}\nexercises.quickstart_1(answer{})"
    content = new_notebook(
        cells=[
            new_markdown_cell(
                "# Small\n\nTwo things. The solution of each is folded away below it: click to "
                "open it. See [a](../README.md)."
            ),
            new_code_cell("n = 1", metadata={"tags": ["parameters"]}),
            new_code_cell(check.format(None, ""), metadata={"tags": ["exercise"]}),
            new_code_cell(check.format(-17, ", mine=False"), metadata={"tags": ["solution"]}),
            *more,
        ]
    )
    content.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    return content


def test_checks_of_the_student_edition_answer(tmp_path):
    changed = editions.student(small())
    nbformat.write(changed, tmp_path / "small.ipynb")
    course.run_notebook(tmp_path / "small.ipynb", tmp_path / "out.ipynb")
    text = (tmp_path / "out.ipynb").read_text(encoding="utf-8")
    assert "Not attempted yet" in text and "answer = -17" not in text
    assert changed.cells[0].source.startswith(
        "# Small\n\nTwo things. Each has a cell to fill in and a check that answers. See"
    )


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_nbgrader_gets_solutions_between_marks_and_a_locked_cell_with_a_point(path, folder):
    source = folder / "nbgrader" / "source" / path.stem / path.name
    marked = [cell for cell in cells(source) if "nbgrader" in cell.metadata]
    assert len(marked) == 2 * len(tagged(path, "exercise"))
    ids = [cell.metadata.nbgrader.grade_id for cell in marked]
    assert len(set(ids)) == len(ids)
    for given, solution, check in zip(
        tagged(path, "exercise"), marked[::2], marked[1::2], strict=True
    ):
        about = solution.metadata.nbgrader
        assert about.solution and not about.grade and not about.locked
        before, begin, rest = solution.source.partition("### BEGIN SOLUTION\n")
        after = rest.partition("### END SOLUTION\n")[2]
        assert begin and before.rstrip() == Exercise(given).lines
        assert after.startswith(f"exercises.{Exercise(given).name}(") and "mine" not in after
        about = check.metadata.nbgrader
        assert about.grade and about.locked and not about.solution and about.points == 1
        assert (
            check.source.startswith("assert exercises.") and "mine=False) is True" in check.source
        )


def test_nbgraders_cells_pass_as_they_stand(tmp_path):
    """Solutions between the marks satisfy the locked cells; what students get does not."""
    solved = editions.gradable(small())
    for content, passes in ((solved, True), (editions.gradable(small()), False)):
        if not passes:
            cell = content.cells[2]
            before, _, rest = cell.source.partition("### BEGIN SOLUTION\n")
            cell.source = before + rest.partition("### END SOLUTION\n")[2]
        nbformat.write(content, tmp_path / "small.ipynb")
        if passes:
            course.run_notebook(tmp_path / "small.ipynb", tmp_path / "out.ipynb")
        else:
            with pytest.raises(course.NotebookError, match="AssertionError"):
                course.run_notebook(tmp_path / "small.ipynb", tmp_path / "out.ipynb")


def test_names_of_a_cell_are_those_it_binds_changes_and_reads():
    found = names(
        "%matplotlib inline\nimport numpy as np\nfrom a import b\n"
        "def f(x):\n    inner = x + outer\n    return inner\n"
        "table['x'], y = f(given)\n!ls"
    )
    assert found.bound == {"np", "b", "f", "table", "y"}
    assert found.read == {"outer", "table", "f", "given"}


def test_an_exercise_is_its_lines_its_check_and_what_is_filled_in():
    exercise = Exercise(
        "code = names.index('a')\nanswer = None  # a share\nbecause = ''\n"
        "def blend(x):\n    ...\n\nexercises.real_3(answer, blend, code, mine=False);"
    )
    assert exercise.lines.endswith("def blend(x):\n    ...") and exercise.name == "real_3"
    assert exercise.blanks == {"answer", "because", "blend"}
    with pytest.raises(ValueError, match="must end with the call of its check"):
        Exercise("answer = None")


def test_a_folder_that_exists_is_left_as_it_is(folder, capsys):
    assert main(["editions", str(folder)]) == 1
    assert "exists and is left as it is" in capsys.readouterr().err
    assert main(["editions", str(folder), "--overwrite"]) == 0
    assert ((ROOT / "notebooks" / "questions.md").exists()) == (
        folder / "lecturer" / "questions.md"
    ).exists()


def test_without_notebooks_no_folder_is_made(tmp_path, monkeypatch, capsys):
    """As on a bare install, where the repository is not at hand."""
    monkeypatch.setattr(runner, "ROOT", tmp_path)
    assert main(["editions", str(tmp_path / "for_class")]) == 1
    assert "The notebooks are not at hand" in capsys.readouterr().err
    assert not (tmp_path / "for_class").exists()


@pytest.mark.parametrize(
    "text, kept",
    [
        ("A. The answer is folded away below. C.", "A. {} C."),
        ("  It is folded away.\nNext folded away", "  {}\nNext folded away"),
        ("Refolded away. Unfolded awayness.", "Refolded away. Unfolded awayness."),
    ],
)
def test_sentences_that_tell_where_a_solution_is_are_replaced(text, kept):
    content = new_notebook(cells=[new_markdown_cell(text)])
    told = "Each has a cell to fill in and a check that answers."
    assert editions.student(content).cells[0].source == kept.format(told)


def test_a_large_picture_in_the_text_takes_no_time():
    text = "![x](data:image/png;base64," + "A" * 1_000_000 + ")"
    content = new_notebook(cells=[new_markdown_cell(text)])
    start = time.perf_counter()
    assert editions.student(content).cells[0].source == text == editions.linked(text)
    assert time.perf_counter() - start < 2
