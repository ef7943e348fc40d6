"""Set up .venv with the versions of constraints.txt; `make` runs this before all else.

Nothing is made before the Python is known to be one that the course was tried with. A .venv that
could not be finished is removed. One that stood before is never removed: it goes on as it was.
This file parses in any Python, so that an old one is told as well.
"""

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys

VENV = ".venv"
BIN = os.path.join(VENV, "bin", "python")
CPU_WHEELS = "https://download.pytorch.org/whl/cpu"


def supported():
    """The minor versions of Python 3 that pyproject.toml names: 11, 12, ..."""
    with open("pyproject.toml") as project:
        return [int(minor) for minor in re.findall(r'"Programming.* :: 3\.(\d+)"', project.read())]


def version_of_venv():
    """The Python of .venv: "3.12.1"."""
    asked = [BIN, "-c", "import platform; print(platform.python_version())"]
    try:
        return subprocess.check_output(asked, stderr=subprocess.STDOUT).decode().strip()
    except (OSError, subprocess.CalledProcessError):
        sys.exit(BIN + " does not start: remove .venv (rm -r .venv) and run make again.")


def check(asked):
    """End with a sentence unless this Python, or that of a .venv that is there, can be used."""
    minors, here, there = supported(), platform.python_version(), os.path.exists(VENV)
    found = version_of_venv() if there else here
    needs = "stma_nb needs Python 3." + str(minors[0]) + " to 3." + str(minors[-1]) + ", and "
    name = ".venv" if there else sys.executable
    if [int(part) for part in found.split(".")[:2]] not in [[3, minor] for minor in minors]:
        cure = "remove .venv (rm -r .venv), then " if there else ""
        sys.exit(needs + name + " has Python " + found + ": " + cure + "make run PYTHON=python3.12")
    if asked and found != here:
        said = ".venv has Python " + found + ", and " + here + " is asked for: "
        sys.exit(said + "remove .venv (rm -r .venv), or leave PYTHON= out.")


def torch_for_cpu():
    """What pip installs first on Linux, alone: no other package is asked of PyTorch's index."""
    with open("constraints.txt") as pins:
        pinned = re.search(r"(?m)^torch==\S+", pins.read()).group()
    return ["--no-deps", "--extra-index-url", CPU_WHEELS, pinned + "+cpu"]


def install(extra, torch):
    """Fill .venv, made anew if need be; what fails leaves no new .venv behind."""
    fresh = not os.path.exists(VENV)
    pip = [BIN, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    try:
        if fresh:
            subprocess.check_call([sys.executable, "-m", "venv", VENV])
        if torch == "cpu" and sys.platform == "linux":  # elsewhere PyPI's wheels are for the CPU
            subprocess.check_call(pip + torch_for_cpu())
        subprocess.check_call(pip + ["-c", "constraints.txt", "-e", ".[" + extra + "]"])
    except (KeyboardInterrupt, OSError, subprocess.CalledProcessError):
        if fresh:
            shutil.rmtree(VENV, ignore_errors=True)
        left = "no .venv is left behind" if fresh else ".venv is kept"
        sys.exit("The set-up failed, for the reason above; " + left + ". Mend it and try again.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Set up .venv.")
    parser.add_argument("extra", nargs="?", help="of pyproject.toml; without it only look")
    parser.add_argument("--asked", action="store_true", help="this Python was asked for by name")
    parser.add_argument("--torch", default="", choices=["", "cpu"], help="wheels without CUDA")
    options = parser.parse_args()
    check(options.asked)
    if options.extra:
        print("Setting up .venv (a few minutes the first time) ...")
        sys.stdout.flush()
        install(options.extra, options.torch)
