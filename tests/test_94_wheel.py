"""Installed as a user does: the wheel works away from the repository, the core without extras."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from stma_nb import simulate

ROOT = Path(__file__).parent.parent
SMALL = ["--patch", "16", "--width", "8", "--block", "16", "--buffer", "0", "--epochs", "1"]


def python(*words: str, path: Path, folder: Path, **variables: str) -> subprocess.CompletedProcess:
    """Run Python in another folder, with ``path`` before what is installed."""
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(path)} | variables,
        capture_output=True,
        text=True,
    )


# ---------------------------------------------------------------------------------------- the wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Built from a copy, so that the repository stays as it is."""
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE", "LICENSE-CC-BY"):
        shutil.copy(ROOT / name, source)
    skip = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "stma_nb", source / "stma_nb", ignore=skip)
    build = ["wheel", ".", "--no-deps", "--no-build-isolation", "--no-index", "-v", "-w", "dist"]
    done = python("-m", "pip", *build, path=source, folder=source, PYTHONDONTWRITEBYTECODE="")
    assert done.returncode == 0, done.stderr
    said = done.stdout + done.stderr
    assert "warning" not in said.lower(), said  # setuptools warns of packages that it leaves out
    [made] = (source / "dist").glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """A folder that holds what the wheel installs, and nothing of the repository."""
    folder = tmp_path_factory.mktemp("installed")
    target = ["install", "--no-deps", "--no-index", "--target", str(folder), str(wheel)]
    done = python("-m", "pip", *target, path=folder, folder=folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_wheel_carries_its_licences(wheel):
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        said = archive.read(name).decode("utf-8").partition("\n\n")[0]
        files = re.findall(r"^License-File: (.+)$", said, re.M)
        texts = [archive.read(f"{name.rpartition('/')[0]}/licenses/{file}") for file in files]
    assert "License-Expression: MIT AND CC-BY-4.0 AND BSD-2-Clause\n" in said
    assert files == ["LICENSE", "LICENSE-CC-BY", "stma_nb/figures/leaflet/LICENSE"]
    assert texts == [(ROOT / file).read_bytes() for file in files]


def test_the_wheel_holds_the_package_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    files = [file for file in (ROOT / "stma_nb").rglob("*") if file.is_file()]
    ours = {file.relative_to(ROOT).as_posix() for file in files if file.suffix != ".pyc"}
    assert packed == ours
    assert {".py", ".pyi", ".js", ".css", ".j2", ".csv"} <= {Path(name).suffix for name in packed}
    assert "stma_nb/py.typed" in packed


ROAD = f"""
from stma_nb.__main__ import main
for line in (
    "data simulate small --size 96 96 --dates 5",
    "train small weights.safetensors {" ".join(SMALL)}",
    "map weights.safetensors small map.tif",
    "assess map.tif small/crop.tif --output report.html",
):
    assert main(line.split()) == 0
"""


def test_what_the_wheel_installs_goes_from_a_season_to_a_report(installed, tmp_path):
    at = dict(path=installed, folder=tmp_path)
    done = python("-m", "stma_nb", "--version", **at)
    assert re.fullmatch(r"stma_nb \d+\.\d+\.\d+\n", done.stdout), done.stderr
    done = python("-c", f"{ROAD}\nimport stma_nb; print(stma_nb.__file__)", **at)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.splitlines()[-1]).is_relative_to(installed)
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "How good is the map map.tif?" in page


def test_without_the_repository_the_course_says_so(installed, tmp_path):
    at = dict(path=installed, folder=tmp_path, XDG_CACHE_HOME=str(tmp_path / "cache"))
    done = python("-m", "stma_nb", "run", **at)
    assert done.returncode == 1
    assert re.fullmatch(r"stma_nb: The notebooks are not at hand: clone .*\.\n", done.stderr)
    done = python("-m", "stma_nb", "doctor", **at)
    assert done.returncode == 0, done.stdout
    assert "without the repository around it" in done.stdout
    assert re.search(r"^look here +sample season +not at hand$", done.stdout, re.M), done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other cache folders")
def test_without_the_repository_the_sample_season_lies_in_the_users_cache(installed, tmp_path):
    code = (
        "from stma_nb.course import runner\n"
        "runner.SAMPLE |= dict(size=(64, 64), dates=2)\n"
        "print(runner.sample_season())\n"
    )
    cache = tmp_path / "cache"
    at = dict(path=installed, folder=tmp_path, XDG_CACHE_HOME=str(cache))
    done = python("-c", code, **at)
    kept = cache / "stma_nb" / f"sample_season_{simulate.WORLD}"
    assert done.stdout.strip() == str(kept), done.stderr
    assert (kept / "crop.tif").exists()
    written = (kept / "crop.tif").stat().st_mtime_ns
    python("-c", code, **at)  # the second time it is there
    assert (
        cache / "stma_nb" / f"sample_season_{simulate.WORLD}" / "crop.tif"
    ).stat().st_mtime_ns == written


# ----------------------------------------------------------------------------- the core, no extras

# What the core needs itself is not among them: pyproj of stac, cloudpickle of cluster.
HIDDEN = {
    "course": {
        *("IPython", "anywidget", "bs4", "branca", "folium", "ipywidgets", "jupyterlab"),
        *("nbconvert", "nbformat", "papermill", "traitlets"),
    },
    "stac": {
        *("geopandas", "odc", "planetary_computer", "pyogrio", "pystac", "pystac_client"),
        *("requests", "shapely"),
    },
    "cluster": {"distributed"},
    "safe": {"xarray_sentinel"},
    "terrain": {"sarsen"},
    "site": {"latex2mathml", "pdoc"},
}
HIDE = """
import sys

class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {hidden}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Hide())
"""


@pytest.fixture(scope="module")
def core(tmp_path_factory) -> Path:
    """A folder by which Python starts without the packages of the extras."""
    folder = tmp_path_factory.mktemp("core")
    (folder / "sitecustomize.py").write_text(HIDE.format(hidden=set().union(*HIDDEN.values())))
    (folder / "stma_nb").symlink_to(ROOT / "stma_nb")
    return folder


@pytest.fixture(scope="module")
def mapped(core, tmp_path_factory) -> Path:
    """A folder with a season, a network, a map and its report, all made by the core alone."""
    folder = tmp_path_factory.mktemp("mapped")
    done = python("-c", ROAD, path=core, folder=folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_core_goes_from_a_season_to_a_report(mapped):
    for name in ("weights.safetensors", "map.tif", "report.html", "report.json"):
        assert (mapped / name).stat().st_size > 0


ASKED = {  # what asks for it: the package, and the extra that brings it
    "from stma_nb.attention import AttentionExplorer": ("anywidget", "course"),
    "from stma_nb.figures import web_map": ("branca", "course"),
    "from stma_nb import figures; figures.live_history('Figure 1. A.')": ("IPython", "course"),
    "from stma_nb.sources import stac": ("pystac", "stac"),
    "from stma_nb.sources import labels": ("geopandas", "stac"),
    "from stma_nb import radar; radar.open_grd('x.SAFE', 'vh')": ("xarray_sentinel", "safe"),
    "from stma_nb.course import reference; reference.pages()": ("pdoc", "site"),
    "run": ("papermill", "course"),
    "structure": ("nbformat", "course"),
    "data stac s.zarr --area 1 2 3 4 --start 2021-04-01 --end 2021-05-01": ("geopandas", "stac"),
    "map weights.safetensors small other.tif --workers 2": ("distributed", "cluster"),
}


def test_what_an_extra_brings_is_named_in_one_sentence_where_it_is_missing(core, mapped):
    code = f"""
from stma_nb.__main__ import main
for asked in {list(ASKED)}:
    print("asked", flush=True)
    if not asked.startswith("from"):
        assert main(asked.split()) == 1
        continue
    try:
        exec(asked)
    except ImportError as error:
        import sys
        print(f"stma_nb: {{error}}", file=sys.stderr)
"""
    done = python("-c", code, path=core, folder=mapped)
    said = done.stderr.splitlines()
    assert said == [
        f"stma_nb: This needs {package}, which is not installed: pip install 'stma_nb[{extra}]'"
        for package, extra in ASKED.values()
    ]
