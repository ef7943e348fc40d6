"""What Google Colab lacks for the notebooks. Their set-up cell runs this file there, by its path:
the course cannot be imported yet.

What is preinstalled stays as it is: pip is held to the versions that it lists.
"""

import importlib
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LACKING = (
    "distributed",
    "lightning-fabric",
    "odc-stac",
    "planetary-computer",
    "pystac-client",
    "rioxarray",
    "zarr",
)


def pip(*words: str) -> str:
    """What pip prints. Raises CalledProcessError where it fails; why, it has told on stderr."""
    command = [sys.executable, "-m", "pip", *words]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def main() -> None:
    """Install what is lacking, and the course as it lies here, for the Python that runs this."""
    kept = ROOT.parent / "kept"
    kept.write_text("\n".join(line for line in pip("freeze").splitlines() if "==" in line))
    pip("install", "-q", "-c", str(kept), *LACKING)
    pip("install", "-q", "--no-deps", "-e", str(ROOT))
    sys.path.insert(0, str(ROOT))  # a Python that is running does not look for it again
    importlib.invalidate_caches()


if __name__ == "__main__":
    main()
