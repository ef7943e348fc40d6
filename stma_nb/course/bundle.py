"""The course on a stick: wheels for the systems of a class, notebooks, data and web pages, and an
installer that asks nothing of the network.

Which packages a system needs is worked out here, and pip fetches them: pip itself would ask for
what the computer needs on which it runs.
"""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from functools import cached_property
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms
from packaging.utils import canonicalize_name, parse_wheel_filename

from stma_nb.course import address, editions, readmes, runner, stick, website
from stma_nb.files import check_room, one_writer, refuse_existing

# Of the repository, what the course runs with.
COURSE = ("stma_nb", "notebooks", "data", "tests/fixtures")
FILES = ("pyproject.toml", "constraints.txt", "*.md", "LICENSE*", "CITATION.cff")
OF_LECTURERS = ("*.md", "notebooks/questions.md", "notebooks/README.md")
OPENING = {"all", "course"}  # the extras that bring JupyterLab, which opens notebooks
NEWEST = 99  # of the third number of a version of Python: which one a class has is not known here
METADATA = re.compile(r"[^/]+\.dist-info/METADATA")
# What an environment takes beside the files of its wheels, as measured: pip in it, compiled files
# by the size of Python's own, and the rest of the last block of each file.
EMPTY, COMPILED, BLOCK = 20e6, 1.5, 4096
MEASURED = {"linux": 520, "windows": 380, "macos-arm64": 345}  # MB of the wheels of extra 'all'
ROOM = 1.5e9  # bytes that are asked for each system before anything is fetched
README = """THE COURSE, TO BE INSTALLED WITHOUT A NETWORK

For {systems}, with Python {python}, which must be installed already
(its installer from python.org may lie on this stick, too). About {installed:.1f} GB of disk.

Linux, macOS: open a terminal and type    sh install.sh
              (the name of the folder before it: sh /media/stick/install.sh)
Windows:      double-click                install.bat

It makes the folder stma_course in your home folder: {holds}.
Another folder: name it behind the command. Nothing else on the computer changes, and nothing is
written onto the stick. To remove it, delete the folder.
To read without installing: open site/index.html in a browser.
The notebooks are in the folder course, too: who needs no installation finds them there.

From {url}. Code: course/LICENSE (MIT);
texts and figures: course/LICENSE-CC-BY (CC BY 4.0).
"""
HOLDS = """the notebooks, and a virtual environment
of their own"""
HOLDS_NO_LAB = """the library in a virtual environment.
JupyterLab is not on this stick, and nothing in that folder opens a notebook"""
SHELL = """#!/bin/sh
# Look for Python {python}, and let it install the course.
here=$(cd "$(dirname "$0")" && pwd)
for python in python{python} python3 python; do
  if "$python" -c 'import sys; sys.exit("%d.%d" % sys.version_info[:2] != "{python}")' 2>/dev/null
  then exec "$python" "$here/install.py" "$@"; fi
done
for python in python3 python; do
  if command -v "$python" >/dev/null; then exec "$python" "$here/install.py" "$@"; fi
done
echo "install: Python {python} is not installed: get it from python.org." >&2
exit 1
"""
BATCH = """@echo off
rem Look for Python {python}, and let it install the course.
py -{python} -c "" >nul 2>nul
if not errorlevel 1 (py -{python} "%~dp0install.py" %*& goto end)
python -c "" >nul 2>nul
if not errorlevel 1 (python "%~dp0install.py" %*& goto end)
echo install: Python {python} is not installed: get it from python.org.
:end
pause
"""


@dataclass(frozen=True)
class System:
    """A kind of computer: what Python calls it, and the platforms of the wheels that it takes."""

    label: str
    sys_platform: str
    platform_system: str
    machines: tuple[str, ...]  # as platform.machine() says, in lower case
    platforms: tuple[str, ...]

    def environment(self, python: str) -> dict[str, str]:
        """What the markers of requirements ask about, by PEP 508."""
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{python}.{NEWEST}",
            "os_name": "nt" if self.sys_platform == "win32" else "posix",
            "platform_machine": "AMD64" if self.sys_platform == "win32" else self.machines[0],
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": self.platform_system,
            "platform_version": "",
            "python_full_version": f"{python}.{NEWEST}",
            "python_version": python,
            "sys_platform": self.sys_platform,
        }

    def tags_of(self, python: str) -> frozenset[Tag]:
        """The wheels that it takes with a version of Python."""
        version = tuple(map(int, python.split(".")))
        interpreter = "cp{}{}".format(*version)
        own = cpython_tags(version, abis=[interpreter], platforms=self.platforms)
        return frozenset(own) | frozenset(compatible_tags(version, interpreter, self.platforms))


SYSTEMS = {
    "linux": System(
        "Linux on x86_64",
        "linux",
        "Linux",
        ("x86_64",),
        (
            *(f"manylinux_2_{minor}_x86_64" for minor in range(28, 4, -1)),
            *("manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64"),
        ),
    ),
    "windows": System("Windows on x86_64", "win32", "Windows", ("amd64",), ("win_amd64",)),
    "macos-arm64": System(
        "macOS 14 or newer on Apple silicon",
        "darwin",
        "Darwin",
        ("arm64",),
        tuple(mac_platforms((14, 0), "arm64")),
    ),
}


def this_system() -> str:
    """The name of the system that this runs on; ValueError if it is none of those known."""
    for name, system in SYSTEMS.items():
        if sys.platform == system.sys_platform and platform.machine().lower() in system.machines:
            return name
    raise ValueError(
        f"This computer ({platform.system()} on {platform.machine()}) is none of the systems that "
        f"a stick can be made for: name one with --system ({', '.join(SYSTEMS)})."
    )


def write(
    folder: Path,
    systems: Collection[str] = (),
    python: str | None = None,
    extras: Collection[str] = ("all",),
    student: bool = False,
) -> Path:
    """Write a stick for some ``systems`` (default: this one) and a ``python`` (default: this one).

    ``extras`` are those of ``pyproject.toml``, none for the library alone. A ``student``'s stick
    has notebooks and web pages without solutions, what opens them, and no question bank, which
    holds answers.

    The folder is there when it is whole. What was fetched before a stop is used again. Raises
    FileExistsError if the folder exists, ValueError for an unknown system or extra, for students'
    notebooks that nothing would open, or if a package has no wheel for a system; NotebookError
    outside a copy of the repository.
    """
    refuse_existing(folder, overwrite=False)
    runner.notebooks()  # NotebookError, before anything is made
    python = python or "{}.{}".format(*sys.version_info)
    if not re.fullmatch(r"3\.\d+", python):
        raise ValueError(f"'{python}' is no version of Python such as 3.12.")
    needed = SpecifierSet(pyproject()["project"]["requires-python"])
    if not needed.contains(f"{python}.{NEWEST}"):
        raise ValueError(f"The course needs Python {needed}, and {python} was asked for.")
    if student and OPENING.isdisjoint(extras):
        raise ValueError(
            "A stick for students holds notebooks, and without JupyterLab nothing opens them: take "
            "--extra course, which makes the smallest stick that does."
        )
    systems = list(dict.fromkeys(systems or [this_system()]))
    for name in systems:
        if name not in SYSTEMS:
            raise ValueError(f"'{name}' is no system: expected one of {', '.join(SYSTEMS)}.")
        of_course(extras, SYSTEMS[name].environment(python))  # ValueError for an unknown extra
    with one_writer(folder):
        part = folder.with_name(f".{folder.name}.part")
        wheels = part / "wheels"
        wheels.mkdir(parents=True, exist_ok=True)
        check_room(part, ROOM * len(systems))
        for wheel in wheels.glob("*.whl"):
            if not zipfile.is_zipfile(wheel):  # a call that was stopped left it
                wheel.unlink()
        gathered = {name: Needed(wheels, name, python).gather(extras) for name in systems}
        used = {wheel for system in gathered.values() for wheel in system["wheels"]}
        for path in part.iterdir():
            if path != wheels:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        for wheel in wheels.iterdir():
            if wheel.name not in used:
                wheel.unlink()
        put_course(part / "course", student)
        website.build(part / "site", student=student)
        put_installer(part, gathered, python, extras)
        part.replace(folder)
    return folder


# --------------------------------------------------------------------------------------- the wheels


@dataclass(frozen=True)
class Needed:
    """The wheels that the course needs on a system, and the folder that they are gathered in."""

    wheels: Path
    name: str
    python: str

    @property
    def system(self) -> System:
        return SYSTEMS[self.name]

    @cached_property
    def tags(self) -> frozenset[Tag]:
        return self.system.tags_of(self.python)

    @cached_property
    def constraints(self) -> dict[str, SpecifierSet]:
        """The versions that the course was tested with."""
        lines = (runner.ROOT / "constraints.txt").read_text("utf-8").splitlines()
        pins = [Requirement(line) for line in lines if line.strip() and not line.startswith("#")]
        return {canonicalize_name(pin.name): pin.specifier for pin in pins}

    def gather(self, extras: Collection[str]) -> dict[str, Any]:
        """Fetch the wheels of the course and all that they need in turn; what ``stick.json`` says
        of the system.

        Raises ValueError for an extra that the course does not have, if there is no wheel, or if
        two packages do not agree about a third.
        """
        environment = self.system.environment(self.python)
        versions: dict[str, SpecifierSet] = {}
        found: dict[str, Path] = {}
        seen: set[tuple[str, str]] = set()  # package, and the extra of it ("" for none)
        wave = of_course(extras, environment)
        while wave:
            asked = set()
            for requirement in wave:
                name = canonicalize_name(requirement.name)
                versions[name] = versions.get(name, SpecifierSet()) & requirement.specifier
                asked |= {(name, extra) for extra in ("", *requirement.extras)} - seen
            new = sorted({name for name, _ in asked} - set(found))
            found |= self.fetch({name: versions[name] for name in new})
            seen |= asked
            wave = [
                one for name, extra in asked for one in asked_by(found[name], extra, environment)
            ]
        for name, path in found.items():
            version = parse_wheel_filename(path.name)[1]
            if not versions[name].contains(version, prereleases=True):
                raise ValueError(
                    f"{name} {version} was fetched for {self.system.label}, and others ask for "
                    f"{versions[name]}: pin its version in constraints.txt."
                )
        return {
            "fits": [[self.system.sys_platform, machine] for machine in self.system.machines],
            "wheels": {path.name: path.stat().st_size for path in sorted(found.values())},
            "installed": round(EMPTY + sum(map(unpacked, found.values()))),
            "least": least(found.values(), self.python),
        }

    def fetch(self, versions: dict[str, SpecifierSet]) -> dict[str, Path]:
        """Wheels of these packages, by their names: those that lie here, the others from pip."""
        there = self.lying(versions)
        missing = {name: spec for name, spec in versions.items() if name not in there}
        pinned = {
            name: f"{name}{spec & self.constraints.get(name, SpecifierSet())}"
            for name, spec in missing.items()
        }
        if "torch" in pinned and self.name == "linux":
            self.pip([f"torch{self.constraints['torch']}+cpu"], "--extra-index-url", readmes.CPU)
            del pinned["torch"]
        if pinned:
            self.pip(list(pinned.values()))
        return there | self.lying(missing)

    def pip(self, lines: list[str], *options: str) -> None:
        """Let pip fetch wheels for the system; ValueError with its words if there is none."""
        print(f"{self.system.label}: asking for {len(lines)} packages ...", flush=True)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *options]
        command += ["--disable-pip-version-check", "--only-binary", ":all:"]
        command += ["--implementation", "cp", "--python-version", f"{self.python}.{NEWEST}"]
        command += [f"--platform={platform}" for platform in self.system.platforms]
        done = subprocess.run(
            [*command, "--dest", str(self.wheels), *lines], capture_output=True, text=True
        )
        if done.returncode:
            errors = [line[7:] for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
            telling = [line for line in errors if not line.startswith("ResolutionImpossible")]
            said = (telling or done.stderr.splitlines() or ["no word"])[-1]
            raise ValueError(
                f"pip has no wheel for {self.system.label} with Python {self.python}: {said}"
            )

    def lying(self, versions: dict[str, SpecifierSet]) -> dict[str, Path]:
        """Of these packages, the wheels in the folder that the system takes."""
        found = {}
        for path in sorted(self.wheels.glob("*.whl")):
            name, version, _, tags = parse_wheel_filename(path.name)
            if name in versions and not self.tags.isdisjoint(tags):
                pinned = versions[name] & self.constraints.get(name, SpecifierSet())
                if pinned.contains(version, prereleases=True):
                    found[str(name)] = path
        return found


def pyproject() -> dict[str, Any]:
    """What the course says of itself."""
    return tomllib.loads((runner.ROOT / "pyproject.toml").read_text("utf-8"))


def of_course(extras: Collection[str], environment: dict[str, str]) -> list[Requirement]:
    """What the course itself asks for, with extras, and what its installation does."""
    content = pyproject()
    project = content["project"]
    lines = [*content["build-system"]["requires"], *project["dependencies"]]
    for extra in extras:
        if extra not in project["optional-dependencies"]:
            known = ", ".join(project["optional-dependencies"])
            raise ValueError(f"The course has no extra '{extra}': expected one of {known}.")
        lines += project["optional-dependencies"][extra]
    found: list[Requirement] = []
    for requirement in map(Requirement, lines):
        if canonicalize_name(requirement.name) == canonicalize_name(project["name"]):
            found += of_course(requirement.extras, environment)
        elif requirement.marker is None or requirement.marker.evaluate(environment):
            found.append(requirement)
    return found


def metadata(wheel: Path) -> Message:
    """What a wheel says of itself."""
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if METADATA.fullmatch(name)]
        return message_from_bytes(archive.read(name))


def asked_by(wheel: Path, extra: str, environment: dict[str, str]) -> list[Requirement]:
    """What a wheel asks for on a system, with one of its extras or none ("")."""
    asked = [Requirement(line) for line in metadata(wheel).get_all("Requires-Dist", [])]
    given = environment | {"extra": extra}
    return [one for one in asked if one.marker is None or one.marker.evaluate(given)]


def least(wheels: Iterable[Path], python: str) -> int:
    """The first third number of a version of Python that all wheels take."""
    ranges = [SpecifierSet(metadata(wheel).get("Requires-Python", "")) for wheel in wheels]
    micros = range(NEWEST + 1)
    return next(m for m in micros if all(one.contains(f"{python}.{m}") for one in ranges))


def unpacked(wheel: Path) -> float:
    """Bytes that a wheel takes on a disk once it is installed, with what Python compiles."""
    with zipfile.ZipFile(wheel) as archive:
        files = archive.infolist()
    python = sum(one.file_size for one in files if one.filename.endswith(".py"))
    return sum(in_blocks(one.file_size) for one in files) + COMPILED * python


def in_blocks(size: int) -> int:
    """What a file of so many bytes takes on a disk."""
    return -(-size // BLOCK) * BLOCK


# --------------------------------------------------------------------------------- what lies around


def put_course(folder: Path, student: bool) -> None:
    """Copy of the repository what the course runs with; for a student without solutions.

    Links of its texts lead to what lies there, or to the web; a student's not to solutions.
    """
    kept = shutil.ignore_patterns("__pycache__", ".*", "*.pyc")
    for name in COURSE:
        if (runner.ROOT / name).exists():
            shutil.copytree(runner.ROOT / name, folder / name, ignore=kept)
    for pattern in FILES:
        for path in runner.ROOT.glob(pattern):
            shutil.copy(path, folder)
    if student:
        for path in [path for pattern in OF_LECTURERS for path in folder.glob(pattern)]:
            path.unlink()
        beside = [path.name for path in (folder / "notebooks").iterdir()]
        for path in runner.notebooks():
            copy = editions.student_copy(path, beside)
            (folder / "notebooks" / path.name).write_text(copy, "utf-8")
    there = [folder, *folder.rglob("*")]
    for text in folder.rglob("*.md"):
        beside = [Path(os.path.relpath(path, text.parent)).as_posix() for path in there]
        place = text.parent.relative_to(folder).as_posix()
        linked = editions.linked(text.read_text("utf-8"), beside, not student, place)
        text.write_text(linked, "utf-8")
    if student:
        (folder / "README.md").write_text(readmes.readme(readmes.STICK), "utf-8")


def put_installer(
    folder: Path, systems: dict[str, dict], python: str, extras: Collection[str]
) -> None:
    """Write the installer, what it has to know, and a page to read first."""
    marked = f"[{','.join(extras)}]" if extras else ""
    shutil.copy(Path(stick.__file__), folder / "install.py")
    course = sum(in_blocks(path.stat().st_size) for path in (folder / "course").rglob("*"))
    for system in systems.values():
        system["installed"] += course
    stored = {"python": python, "extras": marked, "systems": systems}
    (folder / "stick.json").write_text(json.dumps(stored, indent=1) + "\n", "utf-8")
    told = dict(
        systems=" or ".join(SYSTEMS[name].label for name in systems),
        python=python,
        installed=max(system["installed"] for system in systems.values()) / 1e9,
        holds=HOLDS_NO_LAB if OPENING.isdisjoint(extras) else HOLDS,
        url=address.here().url,
    )
    for name, text, end in (
        ("README.txt", README, "\r\n"),  # which every editor of Windows shows
        ("install.sh", SHELL, "\n"),
        ("install.bat", BATCH, "\r\n"),
    ):
        content = text.format(**told).replace("\n", end)
        (folder / name).write_bytes(content.encode("ascii"))
    (folder / "install.sh").chmod(0o755)
