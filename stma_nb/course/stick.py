"""Install the course from a folder or stick, without a network: ``python install.py [FOLDER]``.

This file lies on the stick as ``install.py`` and runs before anything is installed: it needs
Python's own library alone. What the stick holds and for whom, ``stick.json`` says.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List  # noqa: UP035  so that an old Python can say that it is old

HOME = "stma_course"  # the folder that it makes, in the user's own
UNFINISHED = ".unfinished"  # lies in that folder until all is there
OTHERS = ("PIP_", "PYTHON", "VIRTUAL_ENV")  # how settings begin that are for another environment
PLACES = {"win32": ("Scripts", "python.exe"), "other": ("bin", "python")}


def main(words: List[str]) -> int:  # noqa: UP006
    """Install into a folder (default: stma_course in the home folder); 1 after an error."""
    stick = Path(__file__).resolve().parent
    target = Path(words[0] if words else Path.home() / HOME).absolute()
    try:
        install(stick, target)
    except (ValueError, OSError) as error:
        print(f"install: {error}", file=sys.stderr)
        return 1
    return 0


def install(stick: Path, target: Path) -> None:
    """Make a virtual environment and a copy of the course in ``target``, from ``stick`` alone.

    What a stopped installation left is made anew. ValueError says why it cannot be done: then
    nothing is made.
    """
    stored = json.loads((stick / "stick.json").read_text("utf-8"))
    system = check(stick, stored, target)
    if (target / UNFINISHED).exists():
        shutil.rmtree(target)
    target.mkdir(parents=True)
    (target / UNFINISHED).write_text("The installation was stopped: start it again.\n", "utf-8")
    print(f"Copying the course to {target} ...", flush=True)
    shutil.copytree(stick / "course", target, copy_function=shutil.copyfile, dirs_exist_ok=True)
    for folder in [target, *filter(Path.is_dir, target.rglob("*"))]:
        folder.chmod(0o755)  # those of a stick may not be written into
    run([sys.executable, "-m", "venv", str(target / ".venv")], target, "make a virtual environment")
    python = str(target / ".venv" / Path(*PLACES.get(sys.platform, PLACES["other"])))
    print(f"Installing {len(system['wheels'])} packages, some minutes ...", flush=True)
    pip = [python, "-m", "pip", "--isolated", "install", "--quiet", "--no-index", "--no-cache-dir"]
    pip += ["--disable-pip-version-check", "--no-warn-script-location"]
    # Into a copy of the folder of all systems' wheels pip looks itself for those of this one.
    pip += ["--find-links", str(stick / "wheels"), "--editable", f"{target}{stored['extras']}"]
    run(pip, target, "install the packages")
    run([python, "-m", "stma_nb", "--version"], target, "start the course")
    notebooks = any(name.startswith("jupyterlab-") for name in system["wheels"])
    start = write_start(target, python) if notebooks else None
    (target / UNFINISHED).unlink()
    done = f"{start} opens the notebooks" if start else f'"{python}" -m stma_nb --help lists it'
    print(f"Done. {done}; what does not work, this explains:")
    print(f'  "{python}" -m stma_nb doctor')


def check(stick: Path, stored: Dict[str, Any], target: Path) -> Dict[str, Any]:  # noqa: UP006
    """What the stick holds for this system; ValueError where it cannot be installed here."""
    here = (sys.platform, platform.machine().lower())
    fitting = [name for name, one in stored["systems"].items() if here in map(tuple, one["fits"])]
    wanted = " and ".join(stored["systems"])
    version = "{}.{}".format(*sys.version_info)
    if not fitting:
        raise ValueError(
            f"this stick is for {wanted}, and this computer is {platform.system()} on {here[1]}: "
            "ask for a stick that was made for it."
        )
    if version != stored["python"]:
        raise ValueError(
            f"this stick is for Python {stored['python']}, and this is Python {version}: install "
            f"Python {stored['python']}, or ask for a stick made with --python {version}."
        )
    system: Dict[str, Any] = stored["systems"][fitting[0]]  # noqa: UP006
    if sys.version_info[2] < system["least"]:
        raise ValueError(
            f"this stick needs Python {version}.{system['least']} or newer of {version}, and this "
            f"is {platform.python_version()}: install a newer one."
        )
    if target.exists() and not (target / UNFINISHED).exists():
        raise ValueError(f"'{target}' exists and is left as it is: name another folder.")
    for name, size in system["wheels"].items():
        wheel = stick / "wheels" / name
        if not wheel.exists() or wheel.stat().st_size != size:
            raise ValueError(f"'{name}' is not whole on this stick: copy the stick once more.")
    near = next(folder for folder in target.parents if folder.exists())
    free = shutil.disk_usage(str(near)).free
    if free < system["installed"]:
        raise ValueError(
            f"'{near}' has {free / 1e9:.1f} GB free and {system['installed'] / 1e9:.1f} GB are "
            "needed: make room, or name another folder."
        )
    return system


def run(command: List[str], target: Path, what: str) -> None:  # noqa: UP006
    """Run a command in the new folder; ValueError with its last words if it fails."""
    # What a user has set for pip or Python, or what lies in their folder, is not meant for this.
    kept = {name: text for name, text in os.environ.items() if not name.startswith(OTHERS)}
    done = subprocess.run(
        command, cwd=str(target), env=kept, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode:
        said = done.stdout.decode("utf-8", "replace").strip().splitlines() or ["no word"]
        hint = " (on Debian and Ubuntu: install python3-venv)" if "venv" in command else ""
        raise ValueError(f"could not {what}{hint}: {said[-1]}")


def write_start(target: Path, python: str) -> Path:
    """A file to start the course with, by a double click on Windows."""
    if sys.platform == "win32":
        start = target / "start.bat"
        start.write_text(f'@"{python}" -m stma_nb lab\r\n@pause\r\n', "utf-8")
    else:
        start = target / "start.sh"
        start.write_text(f'#!/bin/sh\nexec "{python}" -m stma_nb lab\n', "utf-8")
        start.chmod(0o755)
    return start


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
