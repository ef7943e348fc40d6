"""On Colab every notebook finds what it imports: what is preinstalled there, and what its set-up
cell brings by ``stma_nb/course/colab.py``.

Looked up in the sources, without an environment. `.ci/colab.py` makes one and runs the notebooks.
"""

import ast
import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from stma_nb.course import colab

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
BRINGS = importlib.metadata.packages_distributions()  # what is imported, and what brings it
# Imports within functions that notebooks do not call, or only where they have the package.
NOT_REACHED = {
    ("stma_nb.course.runner", "papermill"),  # runs notebooks
    ("stma_nb.predict.onnx", "onnxruntime"),  # of whoever asks for this engine
    ("stma_nb.predict.onnx", "onnxscript"),
    ("stma_nb.predict.scene", "distributed"),  # of whoever hands in a client of a cluster
    ("stma_nb.radar.grd", "xarray_sentinel"),  # reads real products
}


def preinstalled() -> set[str]:
    lines = (ROOT / "tests" / "fixtures" / "colab.txt").read_text("utf-8").splitlines()
    return {canonicalize_name(line.partition("==")[0]) for line in lines if "==" in line}


def code_of(notebook: Path) -> str:
    """The code of a notebook but for lines for the shell."""
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    return re.sub(r"^( *)[%!].*", r"\1pass", code, flags=re.MULTILINE)


def brought(lacking: Iterable[str]) -> set[str]:
    """The packages that are installed, and all that they need in turn."""
    names, known = list(lacking), set()
    while names:
        asked = Requirement(names.pop())
        if (name := canonicalize_name(asked.name)) not in known:
            known.add(name)
            for need in map(Requirement, importlib.metadata.requires(name) or []):
                extras = {"", *asked.extras}
                if not need.marker or any(need.marker.evaluate({"extra": e}) for e in extras):
                    names.append(need.name)
    return known


# ------------------------------------------------------------------------------ what code imports


def file_of(module: str) -> Path | None:
    """The file of a module of the library, if it is one."""
    place = ROOT.joinpath(*module.split("."))
    files = place.with_suffix(".py"), place / "__init__.py"
    return next((file for file in files if file.exists()), None)


@cache
def door(room: str) -> dict[str, str]:
    """The names that a room hands on, and the module that each comes from."""
    stub = ROOT.joinpath(*room.split("."), "__init__.pyi")
    told = ast.parse(stub.read_text("utf-8")).body if stub.exists() else []
    return {alias.name: f"{room}.{part.module}" for part in told for alias in part.names}


@cache
def imported(code: str) -> tuple[frozenset[str], frozenset[str]]:
    """The modules of the library that some code uses, through doors as well, and others."""
    nodes, ours, others, rooms = list(ast.walk(ast.parse(code))), set(), set(), {}
    for node in nodes:
        if isinstance(node, ast.Import):
            names = {alias.name for alias in node.names}
            ours |= {name for name in names if file_of(name)}
            others |= {name for name in names if not file_of(name)}
        elif isinstance(node, ast.ImportFrom) and not file_of(node.module):
            others |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if file_of(module := f"{node.module}.{alias.name}"):
                    rooms[alias.asname or alias.name] = module
                    ours.add(module)
                else:
                    ours.add(door(node.module).get(alias.name, node.module))
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            ours.add(door(rooms.get(node.value.id, "")).get(node.attr, "stma_nb"))
    return frozenset(ours), frozenset(others)


def reached(code: str) -> set[tuple[str, str]]:
    """What is imported by some code and by all modules that it comes to: who imports it, and what;
    within functions, too.
    """
    ours, others = imported(code)
    found, known, ahead = {("the notebook", name) for name in others}, set(), set(ours)
    while ahead:
        known.add(module := ahead.pop())
        ours, others = imported(file_of(module).read_text("utf-8"))
        found |= {(module, name) for name in others}
        ahead |= ours - known
    return found


def missing(code: str, there: Iterable[str], lacking: Iterable[str]) -> set[tuple[str, str]]:
    """What code imports that neither lies there nor is brought: who imports it, and the package."""
    have, found = set(there) | brought(lacking), set()
    for module, name in reached(code):
        package = name.partition(".")[0]
        if name.startswith("dask.distributed"):  # a door of dask's to a package of its own
            package = "distributed"
        names = {canonicalize_name(one) for one in BRINGS.get(package, [package])}
        if package not in sys.stdlib_module_names and not names & have:
            found.add((module, package))
    return found - NOT_REACHED


# ---------------------------------------------------------------------------------------- the tests


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_on_colab_a_notebook_finds_all_that_it_imports(notebook):
    assert missing(code_of(notebook), preinstalled(), colab.LACKING) == set()


def test_what_a_notebook_would_miss_on_colab_is_found():
    [region] = (ROOT / "notebooks").glob("10_*.ipynb")
    [real] = (ROOT / "notebooks").glob("11_*.ipynb")
    without = set(colab.LACKING) - {"distributed"}
    found = missing(code_of(region), preinstalled(), without)
    assert found == {("the notebook", "distributed")}
    without = set(colab.LACKING) - {"odc-stac", "rioxarray"}
    found = missing(code_of(real), preinstalled() - {"folium"}, without)
    assert {("the notebook", "folium"), ("stma_nb.sources.stac", "odc")} <= found
    assert "rioxarray" in {package for _, package in found}, "which rooms import, not the notebook"


def test_only_what_is_lacking_is_brought():
    assert not set(colab.LACKING) & preinstalled()


def test_nothing_that_is_preinstalled_is_replaced_and_the_running_python_finds_the_course(
    tmp_path, monkeypatch
):
    """Run as Colab runs it, but with a pip that writes down what it is asked for."""
    course = tmp_path / "stma_nb"
    (course / "stma_nb" / "course").mkdir(parents=True)
    script = course / "stma_nb" / "course" / "colab.py"
    shutil.copy(ROOT / "stma_nb" / "course" / "colab.py", script)
    (tmp_path / "pip.py").write_text(
        "import sys\n"
        f"open({str(tmp_path / 'asked')!r}, 'a').write(' '.join(sys.argv[1:]) + '\\n')\n"
        "print('numpy==2.1.3\\ntorch @ file:///torch.whl')\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    run = f"import runpy, sys; runpy.run_path({str(script)!r}, run_name='__main__')"
    code = f"{run}; print(sys.path[0])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, bound, own = (tmp_path / "asked").read_text().splitlines()
    assert first == "freeze" and (tmp_path / "kept").read_text() == "numpy==2.1.3"
    assert bound == f"install -q -c {tmp_path / 'kept'} {' '.join(colab.LACKING)}"
    assert own == f"install -q --no-deps -e {course}"
    assert done.stdout.splitlines()[-1] == str(course)
