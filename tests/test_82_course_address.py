"""A fork moves the whole course with one command, every link then leads to the fork, and the way
back leads to the same bytes.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest

from stma_nb.__main__ import main
from stma_nb.course import address

ROOT = Path(__file__).parent.parent
FORK = "https://github.com/some-school/crops.2026"
KEPT = shutil.ignore_patterns("__pycache__", ".git", ".venv", "build", "sample_season", ".*_cache")


@pytest.fixture
def copy(tmp_path) -> Path:
    """The repository, without what is large."""
    shutil.copytree(ROOT, tmp_path / "course", ignore=KEPT)
    (tmp_path / "course" / "data" / "sample_season").mkdir(exist_ok=True)
    return tmp_path / "course"


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), path.stat().st_mode)
        for path in folder.rglob("*")
        if path.is_file()
    }


def python(copy: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, *words],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def sources(path: Path) -> str:
    if path.suffix != ".ipynb":
        return path.read_text("utf-8")
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells)


def links_to_the_repository(copy: Path) -> list[tuple[str, str]]:
    """Every link of the texts and notebooks that leads to a repository of a course: file, link."""
    files = [
        *copy.glob("*.md"),
        *copy.glob("*.toml"),
        copy / "CITATION.cff",
        *copy.glob("*/*.md"),
        *copy.glob("notebooks/*.ipynb"),
    ]
    known = re.compile(
        r"https://(?:mybinder\.org/v2|colab\.research\.google\.com/github|github\.com/"
        r"(?:some-school|stma-nb))/[^\s)\"'>]+"
    )
    return [(path.name, link) for path in files for link in known.findall(sources(path))]


def place_in_the_fork(link: str) -> str:
    """The file of the fork that a link opens ("" for the repository itself); the fork's branch is
    'summer'.
    """
    name = FORK.removeprefix("https://github.com/")
    forms = (
        rf"{re.escape(FORK)}(?:/blob/summer/(?P<file>[^#]+).*)?",
        rf"https://mybinder\.org/v2/gh/{re.escape(name)}/summer\?urlpath=lab/tree/(?P<file>.+)",
        rf"https://colab\.research\.google\.com/github/{re.escape(name)}/blob/summer/(?P<file>.+)",
    )
    found = [match for form in forms if (match := re.fullmatch(form, link))]
    assert found, f"{link} does not lead to the fork"
    return unquote(found[0]["file"] or "")


def test_a_fork_in_one_command_and_every_link_leads_to_it(copy):
    before = contents(copy)
    links = len(links_to_the_repository(copy))
    said = python(copy, "-m", "stma_nb", "address", f"{FORK}.git/", "--branch", "summer")
    assert f"The course lies at {FORK}, branch summer." in said
    assert "git remote set-url origin" in said and "Left as they are" not in said
    changed = {name for name, content in contents(copy).items() if content != before[name]}
    assert changed == set(re.findall(r"^  (\S+)$", said, re.M))
    notebooks = {f"notebooks/{path.name}" for path in copy.glob("notebooks/*.ipynb")}
    texts = {"README.md", "CITATION.cff", "pyproject.toml", ".github/workflows/ci.yml"}
    assert notebooks | texts <= changed

    found = links_to_the_repository(copy)
    assert len(found) == links >= 3 * len(notebooks)
    for name, link in found:
        assert (copy / place_in_the_fork(link)).exists(), f"{name}: {link}"
    for notebook in notebooks:
        clone = f"!git clone -q --depth 1 --branch summer {FORK} /content/stma_nb"
        assert clone in sources(copy / notebook).split("\n    "), notebook
    assert "branches: [summer]" in (copy / ".github/workflows/ci.yml").read_text("utf-8")

    # The course's own checks, in the fork: links of all notebooks, links of all texts.
    code = (
        "from stma_nb.course import address, runner, structure\n"
        "for notebook in map(structure.Notebook, runner.notebooks()):\n"
        "    for check in (structure.check_badges, structure.check_setup, structure.check_links):\n"
        "        assert check(notebook) == [], (notebook, check(notebook))\n"
        "print(address.here().url)\n"
    )
    assert python(copy, "-c", code) == f"{FORK}\n"
    tests = "links_lead_somewhere or commands_exist or workflow_is_well_formed"
    python(copy, "-m", "pytest", "tests/test_92_docs.py", "-k", tests)

    again = contents(copy)
    assert "Files changed: 0" in python(copy, "-m", "stma_nb", "address", FORK)
    assert contents(copy) == again, "a second time changes nothing"
    address.move(address.here(ROOT).url, address.here(ROOT).branch, copy)
    assert {name: contents(copy)[name] for name in before} == before, "back to the same bytes"


def test_outputs_and_form_of_a_notebook_stay_byte_for_byte(copy):
    """Even where a cell printed the address itself, and the file is written in another way."""
    old = address.here(copy)
    path = copy / "notebooks" / "00_quickstart.ipynb"
    content = json.loads(path.read_text("utf-8"))
    cell = next(cell for cell in content["cells"] if "setup" in cell["metadata"].get("tags", []))
    printed = '!"source": ["' + old.clone + ' /content/stma_nb"], {é}\\'
    cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": printed}]
    cell["source"] = "".join(cell["source"])  # a text instead of a list: the format allows both
    text = json.dumps(content, indent=3).replace("\n", "\r\n")
    path.write_bytes(text.encode())
    address.move(FORK, root=copy)
    expected = json.loads(text)
    for cell in expected["cells"]:
        lines = [cell["source"]] if isinstance(cell["source"], str) else cell["source"]
        new = [line.replace(old.url, FORK).replace(old.name, FORK[19:]) for line in lines]
        cell["source"] = new[0] if isinstance(cell["source"], str) else new
    assert path.read_bytes() == json.dumps(expected, indent=3).replace("\n", "\r\n").encode()


def test_on_a_gitlab_the_badges_of_colab_are_left_out_and_come_back(copy):
    before = contents(copy)
    old = address.here(copy)
    moved = address.move("https://gitlab.com/remote/sensing/crops", root=copy)
    assert moved.left == []
    for name in ("README.md", "notebooks/04_temporal_attention.ipynb"):
        text = sources(copy / name)
        assert "colab.research.google.com/github" not in text
        assert (
            "https://mybinder.org/v2/gl/remote%2Fsensing%2Fcrops/main?urlpath=lab/tree/notebooks/"
            in text
        )
    assert address.here(copy).file("a.md") == (
        "https://gitlab.com/remote/sensing/crops/-/blob/main/a.md"
    )
    address.move("https://git.example.edu/remote/crops", root=copy)  # a GitLab of their own
    assert "mybinder.org/v2/git/https%3A%2F%2Fgit.example.edu%2Fremote%2Fcrops/main" in sources(
        copy / "README.md"
    )
    address.move(old.url, root=copy)
    assert contents(copy) == before


def test_a_move_that_was_stopped_is_finished_by_the_same_call(copy, monkeypatch):
    whole = copy.parent / "whole"
    shutil.copytree(copy, whole)
    address.move(FORK, root=whole)
    write, written = address.write_whole, []

    def stopped(path, *rest):
        written.append(path)
        if len(written) == 5:
            raise KeyboardInterrupt
        return write(path, *rest)

    monkeypatch.setattr(address, "write_whole", stopped)
    with pytest.raises(KeyboardInterrupt):
        address.move(FORK, root=copy)
    assert address.here(copy) == address.here(ROOT), "the address itself changes last"
    monkeypatch.undo()
    address.move(FORK, root=copy)
    assert contents(copy) == contents(whole)


def test_what_the_old_repository_is_named_by_is_told(copy):
    readme = copy / "README.md"
    old = address.here(copy)
    other = f"Not ours: {old.url}-data. Ask {old.name}#7."
    readme.write_text(f"{readme.read_text('utf-8')}\n{other}\n", "utf-8")
    moved = address.move(FORK, root=copy)
    assert readme.read_text("utf-8").splitlines()[-1] == other, "another address is not ours"
    assert [line.partition(": ")[2] for line in moved.left] == [other]


@pytest.mark.parametrize(
    "url, words",
    [
        ("our-university/crops", "is no web address of a repository"),
        ("http://github.com/our-university/crops", "is no web address of a repository"),
        ("git@github.com:our-university/crops.git", "is no web address of a repository"),
        ("ssh://git@github.com/our-university/crops", "is no web address of a repository"),
        ("https://github.com/our-university", "is no web address of a repository"),
        ("https://github.com/our university/crops", "is no web address of a repository"),
        ("https://me:secret@github.com/our-university/crops", "is no web address"),
        ("https://github.com/our-university/../crops", "is no web address of a repository"),
        ("https://github.com/o/crops)](https://evil.example", "is no web address"),
        ("https://github.com/o/crops?tab=readme", "is no web address of a repository"),
        ("https://localhost/our-university/crops", "is no web address of a repository"),
        ("https://github.com/o/crops/tree/main", "is a page within a repository"),
        ("", "is no web address of a repository"),
    ],
)
def test_an_address_that_is_none_is_refused_before_anything_is_touched(url, words, copy):
    before = contents(copy)
    with pytest.raises(ValueError, match=words) as refused:
        address.move(url, root=copy)
    assert len(str(refused.value).splitlines()) == 1
    assert contents(copy) == before


@pytest.mark.parametrize("branch", ["a b", "-f", "../main", "a..b", "feature/x", "a]"])
def test_a_branch_that_badges_cannot_name_is_refused(branch, copy):
    with pytest.raises(ValueError, match="is no branch that badges can name"):
        address.move(FORK, branch, copy)
    assert address.here(copy) == address.here(ROOT)


@pytest.mark.parametrize("end", ["", "/", ".git", ".git/"])
def test_an_address_is_understood_however_it_ends(end):
    assert address.parse(f"https://www.github.com/o/crops{end}", "main") == address.Address(
        "https://github.com/o/crops"
    )


def test_where_there_is_no_repository_the_command_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(address.runner, "ROOT", tmp_path)
    assert main(["address", FORK]) == 1
    assert "There is no copy of the repository here" in capsys.readouterr().err
