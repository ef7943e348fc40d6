"""Every notebook runs with papermill at its default settings, and the runner refuses what papermill
only warns about.
"""

import ast
import json
from pathlib import Path

import nbformat
import pytest

from stma_nb import course

ROOT = Path(__file__).parent.parent


@pytest.fixture
def notebook(tmp_path):
    """A function that writes a small notebook of code cells; the first is tagged parameters unless
    told otherwise.
    """

    def write(*cells: str, tag: str = "parameters") -> Path:
        content = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell) for cell in cells]
        )
        content.metadata["kernelspec"] = {
            "name": "python3",
            "display_name": "Python 3",
            "language": "python",
        }
        content.cells[0].metadata["tags"] = [tag]
        nbformat.write(content, tmp_path / "small.ipynb")
        return tmp_path / "small.ipynb"

    return write


def test_runner_sets_parameters_and_tells_the_cost(notebook, tmp_path):
    cost = course.run_notebook(
        notebook("a = 1", "print(a + 1)"), tmp_path / "out" / "small.ipynb", {"a": 41}
    )
    executed = nbformat.read(tmp_path / "out" / "small.ipynb", as_version=4)
    assert executed.cells[-1].outputs[0].text == "42\n"
    assert cost["seconds"] > 0


def test_unknown_parameter_is_a_failure(notebook, tmp_path):
    with pytest.raises(course.NotebookError, match="has no parameter 'epoch'; it has epochs"):
        course.run_notebook(notebook("epochs = 1"), tmp_path / "out.ipynb", {"epoch": 2})


def test_missing_parameters_cell_is_a_failure(notebook, tmp_path):
    with pytest.raises(course.NotebookError, match="0 cells tagged 'parameters'"):
        course.run_notebook(notebook("a = 1", tag="other"), tmp_path / "out.ipynb")


def test_a_cell_that_takes_too_long_is_a_failure(notebook, tmp_path):
    slow = notebook("a = 1", "import time; time.sleep(60)")
    with pytest.raises(course.NotebookError, match="'small.ipynb' failed: .*"):
        course.run_notebook(slow, tmp_path / "out.ipynb", timeout=2)


def test_a_cell_that_raises_is_a_failure(notebook, tmp_path):
    with pytest.raises(course.NotebookError, match="ZeroDivisionError: division by zero"):
        course.run_notebook(notebook("a = 1", "a / 0"), tmp_path / "out.ipynb")


NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_committed_notebook_is_clean(path):
    text = path.read_text(encoding="utf-8")
    content = nbformat.reads(text, as_version=4)
    nbformat.validate(content)
    assert len(text) < 1_500_000, "small enough for a web viewer"
    assert content.metadata.kernelspec.name == "python3" and "widgets" not in content.metadata
    tagged = [
        cell.source for cell in content.cells if "parameters" in cell.metadata.get("tags", [])
    ]
    assert len(tagged) == 1
    assigned = [statement.targets[0].id for statement in ast.parse(tagged[0]).body]
    assert course.parameters_of(path) == assigned, "papermill sees every parameter"
    assert str(ROOT) not in text and "/home/" not in text
    for cell in content.cells:
        if cell.cell_type == "code":
            assert all(
                out.output_type != "error" and out.get("name") != "stderr" for out in cell.outputs
            ), cell.source
            if "solution" in cell.metadata.get("tags", []):
                assert cell.metadata.jupyter == {"source_hidden": True, "outputs_hidden": True}, (
                    "solutions are folded away"
                )
            if "setup" not in cell.metadata.get("tags", []):
                assert cell.execution_count, "committed with the outputs of a run"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_real_figures_say_whose_data_they_are(path):
    """Stored outputs were made with the real samples: each real figure has its licence line."""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code" and "figures.show" in cell.source and "credit" in cell.source:
            pages = [out.data.get("text/html", "") for out in cell.outputs if "data" in out]
            shown = "".join("".join(page) for page in pages)
            assert "Contains modified Copernicus Sentinel data" in shown.partition("<figcaption")[2]


def definitions(source: str) -> dict[str, str]:
    """Every class and function of a piece of code, as a tree without line numbers.

    Texts are compared by their words, since the lines of a notebook are shorter.
    """
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = " ".join(node.value.split())
    return {
        node.name: ast.dump(node)
        for node in tree.body
        if isinstance(node, ast.ClassDef | ast.FunctionDef)
    }


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_taught_definitions_are_the_librarys(path):
    library = definitions((ROOT / "stma_nb" / "model.py").read_text(encoding="utf-8"))
    for cell in nbformat.read(path, as_version=4).cells:
        if "library" in cell.metadata.get("tags", []):
            taught = definitions(cell.source)
            assert taught, "a cell marked as the library's defines something"
            for name, tree in taught.items():
                assert tree == library[name], f"{name} in {path.name} differs from the library"


@pytest.fixture(scope="session")
def executed(request, tmp_path_factory):
    """A notebook executed once at its default settings, with its products in the folder around it;
    tests of the same notebook follow each other.
    """
    path = request.param
    out = tmp_path_factory.mktemp(path.stem) / path.name
    known = course.parameters_of(path)
    own = {"output": str(out.parent)} if "output" in known else {}
    course.run_notebook(path, out, own, timeout=600)
    return out


def runs(*paths: Path):
    return pytest.mark.parametrize("executed", paths, ids=lambda path: path.stem, indirect=True)


@runs(*NOTEBOOKS)
def test_notebook_runs_and_its_solutions_are_right(executed):
    content = nbformat.read(executed, as_version=4)
    outputs = {"exercise": [], "solution": []}
    for cell in content.cells:
        for out in cell.get("outputs", []):
            assert out.get("name") != "stderr", out.get("text")
        for tag in outputs.keys() & set(cell.metadata.get("tags", [])):
            outputs[tag].append("".join(out.get("text", "") for out in cell.outputs))
    assert len(outputs["exercise"]) == len(outputs["solution"]) >= 3
    waiting = ("Not attempted yet", "First predict")
    assert all(any(words in text for words in waiting) for text in outputs["exercise"])
    assert all(text.startswith("Well done") for text in outputs["solution"])


@runs(ROOT / "notebooks" / "00_quickstart.ipynb")
def test_quickstart_makes_what_it_promises(executed):
    folder = executed.parent
    scores = json.loads((folder / "accuracy.json").read_text(encoding="utf-8"))
    assert list(scores) == ["STMA", "random forest", "STMA, vote", "random forest, vote"]
    for method, found in scores.items():
        assert 0.65 < found["overall accuracy"] < 1 > found["mean F1 of crops"] > 0.2, method
        assert found["overall accuracy, crops only"] < found["overall accuracy"]
    assert "Rapeseed" in (folder / "crop_map.html").read_text(encoding="utf-8")
    import rasterio

    with rasterio.open(folder / "crop_map.tif") as tif:
        assert tif.read(1).max() < 16
    assert (folder / "weights.safetensors").stat().st_size > 1e6
