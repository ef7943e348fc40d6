"""What students get holds no solution and still answers them; what lecturers get shows every
solution.
"""

import hashlib
import time
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from stma_nb import course
from stma_nb.__main__ import main
from stma_nb.course import editions, runner
from stma_nb.course.structure import Notebook, check_badges, repository

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9][0-9]*_*.ipynb"))


def fingerprints() -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (ROOT / "notebooks").iterdir()
        if path.is_file()
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Both editions, written by the command; the series is as it was."""
    before, folder = fingerprints(), tmp_path_factory.mktemp("editions") / "for_class"
    assert main(["editions", str(folder)]) == 0
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
    for solution, exercise in zip(tagged(path, "solution"), tagged(path, "exercise"), strict=True):
        for line in set(solution.splitlines()) - set(exercise.splitlines()):
            if line.startswith("answer"):
                assert line not in [
                    other for cell in cells(student) for other in cell.source.splitlines()
                ], line
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
def test_lecturer_edition_shows_every_solution(path, folder):
    content = cells(folder / "lecturer" / path.name)
    assert tagged(folder / "lecturer" / path.name, "solution") == tagged(path, "solution")
    for place, cell in enumerate(content):
        if "solution" in cell.metadata.get("tags", []):
            assert "jupyter" not in cell.metadata and "**Solution" in content[place - 1].source
    assert "Lecturer edition" in content[1].source


@pytest.mark.parametrize("edition", ["student", "lecturer"])
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_badges_stay_and_no_link_leaves_the_folder(path, edition, folder):
    notebook = Notebook(folder / edition / path.name)
    assert check_badges(notebook) == check_badges(Notebook(path))
    for link in notebook.words("a", href=True):
        if not link["href"].startswith(("https:", "#")):
            assert (folder / edition / link["href"].partition("#")[0]).exists(), link["href"]


def test_links_lead_to_notebooks_or_to_the_repository():
    text = (
        "[a](../README.md) [b](questions.md) [c](04_time.ipynb#End) [d](#End) ![e](../data/e.png)"
    )
    web = f"{repository()}/blob/main"
    assert editions.linked(text) == (
        f"[a]({web}/README.md) [b]({web}/notebooks/questions.md) [c](04_time.ipynb#End) [d](#End) "
        f"![e]({web}/data/e.png)"
    )


def test_checks_of_the_student_edition_answer(tmp_path):
    check = "from stma_nb.course import exercises\nanswer = {}\nexercises.quickstart_1(answer)"
    content = new_notebook(
        cells=[
            new_markdown_cell(
                "# Small\n\nTwo things. The solution of each is folded away below it: click to "
                "open it. See [a](../README.md)."
            ),
            new_code_cell("n = 1", metadata={"tags": ["parameters"]}),
            new_code_cell(check.format(None), metadata={"tags": ["exercise"]}),
            new_code_cell(check.format(-17), metadata={"tags": ["solution"]}),
        ]
    )
    content.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    changed = editions.student(content)
    nbformat.write(changed, tmp_path / "small.ipynb")
    course.run_notebook(tmp_path / "small.ipynb", tmp_path / "out.ipynb")
    text = (tmp_path / "out.ipynb").read_text(encoding="utf-8")
    assert "Not attempted yet" in text and "answer = -17" not in text
    assert changed.cells[0].source.startswith(
        "# Small\n\nTwo things. Each has a cell to fill in and a check that answers. See"
    )


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
