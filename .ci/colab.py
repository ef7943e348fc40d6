"""Run all notebooks with the versions that Colab has: python3.13 .ci/colab.py [FOLDER]

In FOLDER (default build/colab) an environment is made of tests/fixtures/colab.txt. There the
notebooks find what their set-up cells bring by stma_nb/course/colab.py, and no more; that it
replaces nothing is looked at. The last line is the result.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COLAB = ROOT / "tests" / "fixtures" / "colab.txt"
TOOLS = ["papermill", "pytest"]  # that run the notebooks, and are not Colab's


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

    def set_up(self) -> None:
        """What the set-up cells run after the clone."""
        script = self.content / "stma_nb" / "stma_nb" / "course" / "colab.py"
        subprocess.run([self.python, script], check=True)

    def execute(self) -> bool:
        """Whether all notebooks run, and their solutions are right."""
        tests = [ROOT / "tests" / "test_90_notebooks.py", "-v", "-p", "no:cacheprovider"]
        command = [self.python, "-m", "pytest", *tests, "-k", "solutions"]
        return subprocess.run(command, cwd=ROOT).returncode == 0


def main(folder: Path) -> str | None:
    """Prints the result where all is well, and returns what is not."""
    environment = Environment(folder)
    preinstalled = environment.versions()
    listed = {line for line in COLAB.read_text("utf-8").splitlines() if "==" in line}
    if missing := {line.lower() for line in listed} - {line.lower() for line in preinstalled}:
        return f"colab: these versions are not what was installed: {', '.join(sorted(missing))}"
    environment.set_up()
    if replaced := preinstalled - environment.versions():
        return f"colab: the set-up replaces {', '.join(sorted(replaced))}"
    if not environment.execute():
        return "colab: not all notebooks run"
    count = len(list((ROOT / "notebooks").glob("*.ipynb")))
    version = ".".join(map(str, sys.version_info[:3]))
    print(f"colab: {count} notebooks ran, Python {version}, {len(listed)} of Colab's versions kept")
    return None


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "build/colab").resolve()))
