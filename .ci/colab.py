"""Run all notebooks with the versions that Colab has: python3.13 .ci/colab.py [FOLDER]

In FOLDER (default build/colab) an environment is made of tests/fixtures/colab.txt. Each notebook
then finds what the lines of its own set-up cell bring, and no more; that they replace nothing is
looked at. The last line is the result.
"""

import json
import os
import re
import subprocess
import sys
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COLAB = ROOT / "tests" / "fixtures" / "colab.txt"
TOOLS = ["papermill", "pytest"]  # that run the notebooks, and are not Colab's


def set_up(notebook: Path) -> tuple[str, ...]:
    """The lines that a notebook's set-up cell gives to a shell on Colab, but for the clone."""
    [cell] = [
        "".join(cell["source"])
        for cell in json.loads(notebook.read_text("utf-8"))["cells"]
        if "setup" in cell["metadata"].get("tags", [])
    ]
    lines = re.findall(r"^ +[%!](.+)$", cell, re.MULTILINE)
    return tuple(line for line in lines if not line.startswith("git clone"))


class Environment:
    """A virtual environment of Colab's packages in a folder."""

    def __init__(self, folder: Path) -> None:
        self.content = folder / "content"  # what is /content there
        self.python = folder / ".venv" / "bin" / "python"
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder / ".venv"], check=True)
        self.content.mkdir(exist_ok=True)
        (self.content / "stma_nb").unlink(missing_ok=True)
        (self.content / "stma_nb").symlink_to(ROOT)
        self.pip("install", "-q", "-r", str(COLAB))
        (self.content / "tools.txt").write_text("\n".join(sorted(self.versions())))
        self.pip("install", "-q", "-c", str(self.content / "tools.txt"), *TOOLS)

    def pip(self, *words: str) -> str:
        command = [self.python, "-m", "pip", *words]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout

    def versions(self) -> set[str]:
        """What is installed: "numpy==2.1.3"."""
        lines = (line.partition("+")[0] for line in self.pip("freeze").splitlines())  # torch's +cpu
        return {line for line in lines if "==" in line}

    def run(self, line: str) -> None:
        """A line of a set-up cell."""
        path = f"{self.python.parent}{os.pathsep}{os.environ['PATH']}"
        line = line.replace("/content/", f"{self.content}/")
        subprocess.run(["bash", "-c", line], check=True, env=os.environ | {"PATH": path})

    def execute(self, notebooks: list[Path]) -> bool:
        """Whether these notebooks run, and their solutions are right."""
        chosen = " or ".join(f"solutions and {notebook.stem}" for notebook in notebooks)
        tests = [ROOT / "tests" / "test_90_notebooks.py", "-v", "-p", "no:cacheprovider"]
        command = [self.python, "-m", "pytest", *tests, "-k", chosen]
        return subprocess.run(command, cwd=ROOT).returncode == 0


def main(folder: Path) -> str | None:
    """Prints the result where all is well, and returns what is not."""
    environment = Environment(folder)
    preinstalled, wrong, count = environment.versions(), [], 0
    listed = {line for line in COLAB.read_text("utf-8").splitlines() if "==" in line}
    if missing := {line.lower() for line in listed} - {line.lower() for line in preinstalled}:
        return f"colab: these versions are not what was installed: {', '.join(sorted(missing))}"
    notebooks = sorted((ROOT / "notebooks").glob("*.ipynb"), key=set_up)
    for lines, alike in groupby(notebooks, set_up):
        group = list(alike)
        for line in lines:
            environment.run(line)
        there = environment.versions()
        if replaced := preinstalled - there:
            wrong.append(f"{group[0].name} replaces {', '.join(sorted(replaced))}")
        if not environment.execute(group):
            wrong.append(f"of {', '.join(notebook.stem for notebook in group)}, not all run")
        count += len(group)
        new = {line.partition("==")[0] for line in there - preinstalled}
        environment.pip("uninstall", "-q", "-y", *sorted(new))
    if wrong:
        return f"colab: {'; '.join(wrong)}"
    version = ".".join(map(str, sys.version_info[:3]))
    print(f"colab: {count} notebooks ran, Python {version}, {len(listed)} of Colab's versions kept")
    return None


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "build/colab").resolve()))
