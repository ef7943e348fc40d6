"""On Colab every notebook finds what it imports: what is preinstalled there, and what its set-up
cell brings.

Looked up in the sources, without an environment. `.ci/colab.py` makes one and runs the notebooks.
"""

import ast
import importlib.metadata
import json
import re
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
KEEP = "!pip freeze | grep == > /content/kept  # pip keeps these versions"
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


def sources(notebook: Path) -> tuple[str, str]:
    """The set-up cell of a notebook, and the code of all others."""
    code = [c for c in json.loads(notebook.read_text("utf-8"))["cells"] if c["cell_type"] == "code"]
    setup, *rest = ("".join(cell["source"]) for cell in code)
    assert "google.colab" in setup
    return setup, "\n".join(rest)


def brought(setup: str) -> set[str]:
    """The packages that a set-up cell installs, and all that they need in turn."""
    lines = re.findall(r"^ +%pip install -q -c /content/kept (.+)$", setup, re.MULTILINE)
    names, known = [name for line in lines for name in line.split()], set()
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


def missing(setup: str, code: str, there: Iterable[str]) -> set[tuple[str, str]]:
    """What code imports that neither lies there nor is brought: who imports it, and the package."""
    have, found = set(there) | brought(setup), set()
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
    assert missing(*sources(notebook), preinstalled()) == set()


def test_what_a_notebook_would_miss_on_colab_is_found():
    [region] = (ROOT / "notebooks").glob("10_*.ipynb")
    [real] = (ROOT / "notebooks").glob("11_*.ipynb")
    setup, code = sources(region)
    without = setup.replace(" distributed\n", " zarr\n")
    assert missing(without, code, preinstalled()) == {("the notebook", "distributed")}
    setup, code = sources(real)
    without = setup.replace("odc-stac ", "").replace("rioxarray", "zarr")
    found = missing(without, code, preinstalled() - {"folium"})
    assert {("the notebook", "folium"), ("stma_nb.sources.stac", "odc")} <= found
    assert "rioxarray" in {package for _, package in found}, "which rooms import, not the notebook"


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_on_colab_nothing_that_is_preinstalled_is_replaced(notebook):
    """Every line but that for the course itself is bound to what pip lists before."""
    setup, _ = sources(notebook)
    first, *lines = re.findall(r"^ +([%!].+)$", setup, re.MULTILINE)
    assert first == KEEP
    installing = [line for line in lines if "install" in line]
    assert installing.pop() == "%pip install -q --no-deps -e /content/stma_nb"
    assert installing
    assert all(line.startswith("%pip install -q -c /content/kept ") for line in installing)
