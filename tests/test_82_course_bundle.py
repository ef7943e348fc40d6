"""A stick made of the course installs without a network, and says in a sentence where it cannot.

The packages come from a folder of wheels, packed from those that are installed here, so that no
test asks the network. The course is a copy that asks for few of them.
"""

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from stma_nb.__main__ import main
from stma_nb.course import address, bundle, runner, stick

ROOT = Path(__file__).parent.parent
FEW = ["lazy-loader", "packaging", "platformdirs", "typer"]
PYTHON = "{}.{}".format(*sys.version_info)


def packed(name: str, folder: Path) -> Path:
    """The wheel of a package that is installed here, of the files that its record lists."""
    installed = importlib.metadata.distribution(name)
    tags = re.findall(r"^Tag: (\S+)-(\S+)-(\S+)", installed.read_text("WHEEL"), re.M)
    tag = "-".join(".".join(dict.fromkeys(part)) for part in zip(*tags, strict=True))
    stem = f"{installed.metadata['Name'].replace('-', '_').replace('.', '_')}-{installed.version}"
    with zipfile.ZipFile(folder / f"{stem}-{tag}.whl", "w") as wheel:
        for file in installed.files:
            if ".." not in file.parts and file.suffix != ".pyc" and file.locate().exists():
                wheel.write(file.locate(), file.as_posix())
    return folder / f"{stem}-{tag}.whl"


@pytest.fixture(scope="module")
def index(tmp_path_factory) -> Path:
    """A folder of wheels: those of FEW and setuptools, and all that they need in turn."""
    folder, names, known = tmp_path_factory.mktemp("index"), [*FEW, "setuptools"], set()
    while names:
        name = canonicalize_name(names.pop())
        if name in known:
            continue
        known.add(name)
        packed(name, folder)
        asked = map(Requirement, importlib.metadata.requires(name) or [])
        names += [one.name for one in asked if not one.marker or one.marker.evaluate({"extra": ""})]
    return folder


def course_of_few(folder: Path, index: Path, patch: pytest.MonkeyPatch) -> Path:
    """A copy of the course that asks for FEW, where pip knows the folder of wheels alone."""
    left = ("__pycache__", ".*", "sample_season", "*.safetensors", "0[1-9]*", "1*")
    kept = shutil.ignore_patterns(*left)
    for name in ("stma_nb", "notebooks", "data"):
        shutil.copytree(ROOT / name, folder / name, ignore=kept)
    for name in ("README.md", "constraints.txt", "CITATION.cff", "LICENSE", "LICENSE-CC-BY"):
        shutil.copy(ROOT / name, folder)
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    needs = re.sub(r"(?s)\ndependencies = \[.*?\n\]\n", f"\ndependencies = {FEW}\n", project)
    needs = re.sub(r"(?s)\ncourse = \[.*?\n\]\n", "\ncourse = []\n", needs)  # nor JupyterLab
    assert needs.count("[]") > project.count("[]")
    (folder / "pyproject.toml").write_text(needs, "utf-8")
    patch.setenv("PIP_NO_INDEX", "1")
    patch.setenv("PIP_FIND_LINKS", str(index))
    patch.setattr(runner, "ROOT", folder)
    return folder


@pytest.fixture
def few(tmp_path, index, monkeypatch) -> Path:
    # A course of few files has no web pages; test_83 makes those of the whole course.
    monkeypatch.setattr(bundle.website, "build", lambda folder, student: folder.mkdir())
    return course_of_few(tmp_path / "repository", index, monkeypatch)


@pytest.fixture(scope="module")
def first(index, tmp_path_factory) -> Path:
    """A stick of the few, as the command writes it."""
    folder = tmp_path_factory.mktemp("first")
    with pytest.MonkeyPatch.context() as patch:
        course_of_few(folder / "repository", index, patch)
        patch.setattr(bundle.website, "build", lambda folder, student: folder.mkdir())
        assert main(["bundle", str(folder / "stick"), "--extra", "course", "--student"]) == 0
    return folder / "stick"


@pytest.fixture
def made(first, tmp_path) -> Path:
    return Path(shutil.copytree(first, tmp_path / "stick"))


def alone() -> list[str]:
    """What runs a command without any network, where the system allows it."""
    apart = ["unshare", "--map-root-user", "--net"]
    if shutil.which("unshare") and not subprocess.run([*apart, "true"]).returncode:
        return apart
    return []


def installing(stick: Path, *words: str, **settings: str) -> subprocess.CompletedProcess:
    """Start a stick's installer as a user does, without a network and away from this Python's
    settings.
    """
    unreachable = {f"{name}_PROXY": "http://127.0.0.1:9" for name in ("HTTP", "HTTPS", "ALL")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [*alone(), "sh", str(stick / "install.sh"), *words],
        env=os.environ | unreachable | {"PATH": path} | settings,
        capture_output=True,
        text=True,
    )


@pytest.mark.skipif(sys.platform != "linux", reason="starts install.sh without a network")
def test_a_stick_is_installed_without_a_network_and_the_course_starts(made, tmp_path):
    home, target = tmp_path / "home", tmp_path / "home" / stick.HOME
    target.mkdir(parents=True)
    (target / stick.UNFINISHED).write_text("")  # as where it was switched off meanwhile
    (target / "half.whl").write_text("")
    for path in made.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)  # as where a stick may only be read
    settings = dict(HOME=str(home), PIP_TARGET=str(tmp_path / "wrong"), PYTHONPATH=str(tmp_path))
    done = installing(made, **settings)
    again = installing(made, **settings)
    for path in made.rglob("*"):
        path.chmod(0o755)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Done. " in done.stdout and "-m stma_nb --help" in done.stdout
    assert not (target / "start.sh").exists(), "no JupyterLab lies on this stick"
    assert not (target / stick.UNFINISHED).exists() and not (target / "half.whl").exists()
    assert again.returncode == 1
    assert again.stderr == (
        f"install: '{target}' exists and is left as it is: name another folder.\n"
    )

    [notebook] = (target / "notebooks").glob("00_*.ipynb")
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    [setup] = [cell for cell in cells if cell["metadata"].get("tags") == ["setup"]]
    code = re.sub(r"(?m)^( +)[%!].*", r"\1pass", "".join(setup["source"]))
    ran = subprocess.run(
        [target / ".venv" / "bin" / "python", "-E", "-c", f"{code}\nprint(figures.__file__)"],
        cwd=home,
        capture_output=True,
        text=True,
    )
    assert Path(ran.stdout.strip()).is_relative_to(target), ran.stderr


def test_what_lies_on_a_stick(made):
    names = {path.name for path in made.iterdir()}
    assert names == {
        *("course", "wheels", "README.txt", "install.sh", "install.bat", "install.py"),
        *("site", "stick.json"),
    }
    stored = json.loads((made / "stick.json").read_text("utf-8"))
    [system] = stored["systems"].values()
    wheels = {path.name: path.stat().st_size for path in (made / "wheels").iterdir()}
    assert (
        system["wheels"] == wheels and stored["python"] == PYTHON and stored["extras"] == "[course]"
    )
    packages = {canonicalize_name(name.split("-")[0]) for name in wheels}
    assert {*FEW, "setuptools", "pydantic", "rich"} - packages == set()
    assert not (made / "course" / "notebooks" / "questions.md").exists()
    [notebook] = (made / "course" / "notebooks").glob("*.ipynb")
    text = notebook.read_text("utf-8")
    assert "Student edition" in text and '"solution"' not in text
    read = (made / "README.txt").read_text("ascii")
    assert f"Python {PYTHON}" in read and "site/index.html" in read
    assert "LICENSE-CC-BY" in read and address.here().url in read
    assert max(map(len, read.splitlines())) <= 100
    assert list(made.parent.glob(".*")) == [], "nothing is left beside it"


def texts_with_links(course: Path) -> dict[Path, list[str]]:
    """The links of every text and notebook on a stick."""
    found = {
        path: re.findall(r"\]\(([^)\s]+)\)", path.read_text("utf-8"))
        for path in course.rglob("*.md")
    }
    for path in (course / "notebooks").glob("*.ipynb"):
        cells = json.loads(path.read_text("utf-8"))["cells"]
        words = "".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
        found[path] = re.findall(r"\]\(([^)\s]+)\)", words)
    return found


def test_no_text_on_a_students_stick_leads_to_solutions_or_nowhere(made):
    found = texts_with_links(made / "course")
    readme = made / "course" / "README.md"
    assert readme in found and len(found) >= 5
    for path, links in found.items():
        for link in links:
            if link == address.here().url:
                assert path == readme, "the front page, as the source"
            elif link.startswith(address.here().url):
                place = link.removeprefix(address.here().file(""))
                assert re.match(r"(data|stma_nb)/(?!course/)", place), (path, link)
            elif not link.startswith(("https:", "#")):
                assert (path.parent / link.partition("#")[0]).exists(), (path, link)
            assert "mybinder" not in link and "colab" not in link
    assert not (made / "course" / "CONTRIBUTING.md").exists()
    assert {"LICENSE", "LICENSE-CC-BY"} <= {path.name for path in (made / "course").iterdir()}
    assert "[MIT](LICENSE)" in readme.read_text("utf-8")


def test_texts_on_a_lecturers_stick_have_no_dead_link(few, tmp_path):
    made = bundle.write(tmp_path / "stick", extras=["course"])
    for path, links in texts_with_links(made / "course").items():
        if path.suffix == ".md" and path.parent.name != "notebooks":  # of few notebooks
            for link in links:
                there = (path.parent / link.partition("#")[0]).exists()
                assert there or link.startswith(("https:", "#")), (path, link)


def test_notebooks_that_nothing_would_open_are_refused(few, tmp_path, capsys):
    assert main(["bundle", str(tmp_path / "stick"), "--core", "--student"]) == 1
    said = capsys.readouterr().err
    assert "--extra course" in said and len(said.splitlines()) == 1
    assert list(tmp_path.iterdir()) == [few]
    made = bundle.write(tmp_path / "stick", extras=[])
    assert "JupyterLab is not on this stick" in (made / "README.txt").read_text("ascii")


def test_a_wheel_takes_its_blocks_and_what_python_compiles(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.whl", "w") as wheel:
        wheel.writestr("a/one.py", b"#" * 100_000)
        wheel.writestr("a/two.bin", b"b")
    assert bundle.unpacked(tmp_path / "a.whl") == (25 + 1) * 4096 + 150_000


def test_a_folder_that_exists_is_left_as_it_is(few, tmp_path, capsys):
    (tmp_path / "stick").mkdir()
    assert main(["bundle", str(tmp_path / "stick"), "--core"]) == 1
    assert "exists and is left as it is" in capsys.readouterr().err
    assert list((tmp_path / "stick").iterdir()) == []


def test_what_was_fetched_before_a_stop_is_used_again(few, tmp_path, monkeypatch):
    folder = tmp_path / "stick"
    monkeypatch.setattr(bundle, "put_course", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        bundle.write(folder, extras=["course"], student=True)
    assert not folder.exists()
    left = tmp_path / ".stick.part" / "wheels"
    kept = {path.name: path.stat().st_mtime_ns for path in left.iterdir()}
    cut = min(left.glob("typer-*"))
    cut.write_bytes(cut.read_bytes()[:1000])
    (left / "other-1.0-py3-none-any.whl").write_bytes(b"of another try")
    monkeypatch.undo()
    monkeypatch.setattr(bundle.website, "build", lambda folder, student: folder.mkdir())
    monkeypatch.setattr(runner, "ROOT", few)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(few.parent / "typer"))
    (few.parent / "typer").mkdir()
    packed("typer", few.parent / "typer")  # nothing else can be fetched this time
    bundle.write(folder, extras=["course"], student=True)
    wheels = {path.name: path.stat().st_mtime_ns for path in (folder / "wheels").iterdir()}
    assert wheels.keys() == kept.keys()
    assert {name for name in kept if kept[name] != wheels[name]} == {cut.name}


# ------------------------------------------------------------------------------------ other systems


def without_typer(few: Path) -> None:
    """Ask for packages alone that run anywhere."""
    project = few / "pyproject.toml"
    project.write_text(project.read_text("utf-8").replace(", 'typer'", ""), "utf-8")


@pytest.mark.skipif(sys.platform != "linux", reason="starts install.sh")
def test_a_stick_for_another_system_says_so_in_a_sentence(few, tmp_path):
    without_typer(few)
    folder = bundle.write(
        tmp_path / "stick", ["windows", "macos-arm64"], extras=["course"], student=True
    )
    done = installing(folder, str(tmp_path / "target"))
    assert done.returncode == 1 and not (tmp_path / "target").exists()
    assert re.fullmatch(
        r"install: this stick is for windows and macos-arm64, and this computer is Linux on "
        r"x86_64: ask for a stick that was made for it\.\n",
        done.stderr,
    ), done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="starts install.sh")
@pytest.mark.parametrize(
    "change, words",
    [
        ({"python": "3.99"}, "this stick is for Python 3.99, and this is Python "),
        ({"least": 1000}, rf"this stick needs Python {PYTHON}\.1000 or newer of {PYTHON}, and "),
        ({"installed": 1e18}, r" GB free and 1000000000\.0 GB are needed: make room, or name"),
        ({"wheels": {"gone-1.whl": 5}}, "'gone-1.whl' is not whole on this stick: copy the stick"),
    ],
)
def test_what_does_not_fit_is_told_before_anything_is_made(made, tmp_path, change, words):
    stored = json.loads((made / "stick.json").read_text("utf-8"))
    for one in (stored, *stored["systems"].values()):
        one |= {key: value for key, value in change.items() if key in one}
    (made / "stick.json").write_text(json.dumps(stored))
    done = installing(made, str(tmp_path / "target"))
    assert done.returncode == 1 and not (tmp_path / "target").exists()
    assert re.search(words, done.stderr) and len(done.stderr.splitlines()) == 1, done.stderr


def test_packages_are_asked_for_by_the_system_that_the_stick_is_for(few, tmp_path):
    """Typer needs colorama on Windows alone, which is not in the folder of wheels."""
    with pytest.raises(ValueError, match=r"^pip has no wheel for Windows on x86_64 .*colorama"):
        bundle.write(tmp_path / "stick", ["windows"], extras=["course"], student=True)
    assert not (tmp_path / "stick").exists()


def test_pytorch_for_linux_comes_without_gpu_libraries(few, tmp_path):
    """A pinned version with the mark of the CPU: else pip would take PyPI's, of gigabytes."""
    project = few / "pyproject.toml"
    project.write_text(project.read_text("utf-8").replace("'typer'", "'torch>=2.4'"), "utf-8")
    pin = re.search(r"^torch==(\S+)", (ROOT / "constraints.txt").read_text("utf-8"), re.M)[1]
    words = rf"^pip has no wheel for Linux on x86_64 .*torch=={re.escape(pin)}\+cpu"
    with pytest.raises(ValueError, match=words):
        bundle.write(tmp_path / "stick", ["linux"], extras=["course"], student=True)


@pytest.mark.parametrize(
    "words, said",
    [
        (["--system", "amiga"], "'amiga' is no system: expected one of linux, windows, macos-arm"),
        (["--extra", "games"], "The course has no extra 'games': expected one of course, stac"),
        (["--python", "2.x"], "'2.x' is no version of Python such as 3.12."),
        (["--python", "3.9"], "The course needs Python >=3.11, and 3.9 was asked for."),
    ],
)
def test_what_is_not_known_is_refused_before_anything_is_fetched(
    few, tmp_path, capsys, words, said
):
    assert main(["bundle", str(tmp_path / "stick"), *words]) == 1
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [few]


def test_the_wheels_of_each_system_are_those_that_it_takes():
    def takes(system: str, tag: str) -> bool:
        return tag in {str(one) for one in bundle.SYSTEMS[system].tags_of("3.12")}

    for system, tag in {
        ("linux", "cp312-cp312-manylinux_2_17_x86_64"),
        ("linux", "cp310-abi3-manylinux2014_x86_64"),
        ("windows", "cp312-cp312-win_amd64"),
        ("macos-arm64", "cp312-cp312-macosx_11_0_arm64"),
        ("macos-arm64", "cp312-cp312-macosx_10_9_universal2"),
    }:
        others = set(bundle.SYSTEMS) - {system}
        assert takes(system, tag) and not any(takes(other, tag) for other in others), tag
        assert takes(system, "py3-none-any")
    assert not takes("linux", "cp311-cp311-manylinux_2_17_x86_64")
    assert not takes("linux", "cp312-cp312-musllinux_1_2_x86_64")
