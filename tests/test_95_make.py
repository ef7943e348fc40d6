"""`make` sets up .venv with a Python that will do, says in a sentence where it cannot, and leaves
nothing half-made.

In a folder with the files that it reads. A .venv is mostly a script that writes down what it is
asked to do.
"""

import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stma_nb import doctor

ROOT = Path(__file__).parent.parent
HERE = platform.python_version()
pytestmark = pytest.mark.skipif(
    not shutil.which("make") or sys.platform == "win32", reason="make is not installed"
)


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    (tmp_path / ".ci").mkdir()
    for name in ("Makefile", "pyproject.toml", "constraints.txt", ".ci/set_up.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    for name in (
        "MAKEFLAGS",
        "MAKELEVEL",
        "MFLAGS",
        "PYTHON",
        "TORCH",
    ):  # of a make around
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    return tmp_path


def make(folder: Path, *words: str) -> subprocess.CompletedProcess:
    return subprocess.run(["make", *words], cwd=folder, capture_output=True, text=True)


def said(done: subprocess.CompletedProcess) -> str:
    """What was said of a failure, without the line that make adds to it."""
    assert done.returncode == 2, done.stdout
    assert "Traceback" not in done.stderr
    return re.sub(r"(?m)^make: .*\n", "", done.stderr).strip()


def venv(folder: Path, version: str) -> Path:
    """A .venv that seems to be of a version; what it is asked for is told in the file returned."""
    (folder / ".venv" / "bin").mkdir(parents=True)
    python = folder / ".venv" / "bin" / "python"
    asked = folder / "asked.txt"
    python.write_text(f'#!/bin/sh\n[ "$1" = -c ] && echo {version} || echo "$@" >> "{asked}"\n')
    python.chmod(0o755)
    return asked


def support(folder: Path, oldest: int, newest: int) -> None:
    """Let the course ask for other versions of Python 3."""
    text = (folder / "pyproject.toml").read_text("utf-8")
    lines = "".join(
        f'    "Programming Language :: Python :: 3.{minor}",\n'
        for minor in range(oldest, newest + 1)
    )
    changed = re.sub(r'(    "Programming Language :: Python :: 3\.\d+",\n)+', lines, text)
    assert changed != text
    (folder / "pyproject.toml").write_text(changed, "utf-8")


@pytest.mark.parametrize("target", ["run", "lab", "series", "site", "editions", "test"])
@pytest.mark.parametrize("oldest, newest", [(8, 10), (50, 52)], ids=["too new", "too old"])
def test_a_wrong_python_is_told_in_a_sentence_and_makes_nothing(folder, target, oldest, newest):
    support(folder, oldest, newest)
    assert said(make(folder, target, f"PYTHON={sys.executable}")) == (
        f"stma_nb needs Python 3.{oldest} to 3.{newest}, and {sys.executable} has Python {HERE}: "
        "make run PYTHON=python3.12"
    )
    assert not (folder / ".venv").exists()


def test_a_set_up_that_fails_leaves_no_venv_behind(folder):
    words = said(make(folder, "run", f"PYTHON={sys.executable}"))
    assert "ERROR: " in words, "the reason that pip gives"
    assert words.endswith(
        "The set-up failed, for the reason above; no .venv is left behind. Mend it and try again."
    )
    assert not (folder / ".venv").exists()


def test_a_set_up_that_fails_keeps_a_venv_that_was_there(folder):
    venv(folder, HERE)
    python = folder / ".venv" / "bin" / "python"
    python.write_text(python.read_text().replace("|| echo", "|| exit 1 #"))
    words = said(make(folder, "run"))
    assert words == "The set-up failed, for the reason above; .venv is kept. Mend it and try again."
    assert python.exists() and not (folder / ".venv" / ".ready").exists()


def test_a_venv_of_another_python_is_told_and_kept(folder):
    venv(folder, "3.9.18")
    for words in (["run"], ["run", f"PYTHON={sys.executable}"]):
        assert said(make(folder, *words)) == (
            "stma_nb needs Python 3.11 to 3.14, and .venv has Python 3.9.18: remove .venv (rm -r "
            ".venv), then make run PYTHON=python3.12"
        )
    shutil.rmtree(folder / ".venv")
    asked = venv(folder, "3.14.99")
    for _ in range(2):  # before the set-up and after it
        assert said(make(folder, "lab", f"PYTHON={sys.executable}")) == (
            f".venv has Python 3.14.99, and {HERE} is asked for: remove .venv (rm -r .venv), or "
            "leave PYTHON= out."
        )
        assert make(folder, "lab").returncode == 0, "no other Python was asked for"
    assert asked.read_text().splitlines()[-1] == "-m stma_nb lab"


def test_a_venv_that_does_not_start_is_told(folder):
    (folder / ".venv").mkdir()
    assert said(make(folder, "run")) == (
        ".venv/bin/python does not start: remove .venv (rm -r .venv) and run make again."
    )


def test_tools_of_the_tests_are_installed_for_the_tests_alone(folder):
    asked = venv(folder, HERE)
    assert make(folder, "run").returncode == 0
    pip = "-m pip install --quiet --disable-pip-version-check "
    assert asked.read_text().splitlines() == [
        f"{pip}-c constraints.txt -e .[all]",
        "-m stma_nb run",
    ]
    make(folder, "test")
    assert f"{pip}-c constraints.txt -e .[test]" in asked.read_text().splitlines()


@pytest.mark.skipif(sys.platform != "linux", reason="PyPI has wheels for the CPU elsewhere")
def test_pytorch_for_the_cpu_is_asked_of_its_index_alone(folder):
    asked = venv(folder, HERE)
    assert make(folder, "run", "TORCH=cpu").returncode == 0
    pin = re.search(r"(?m)^torch==\S+", (ROOT / "constraints.txt").read_text("utf-8")).group()
    first, second, _ = asked.read_text().splitlines()
    assert first.endswith(
        f" --no-deps --extra-index-url https://download.pytorch.org/whl/cpu {pin}+cpu"
    )
    assert second.endswith(" -c constraints.txt -e .[all]") and "index" not in second


def test_another_torch_is_refused(folder):
    asked = venv(folder, HERE)
    assert "invalid choice: 'rocm'" in said(make(folder, "run", "TORCH=rocm"))
    assert not asked.exists()


def test_all_name_the_same_versions_of_python():
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    tried = [int(minor) for minor in re.findall(r'"Programming.* :: 3\.(\d+)"', project)]
    (_, oldest), (_, newest) = doctor.PYTHONS
    assert tried == list(range(oldest, newest + 1))
    assert f'requires-python = ">=3.{oldest}"' in project
    assert f"Python 3.{oldest} to 3.{newest}" in (ROOT / "README.md").read_text("utf-8")
