"""What stands beside notebooks that leave the repository: a README with the tested way to set them
up, whose they are, and the licences.
"""

import re

from stma_nb.course import runner
from stma_nb.course.address import here

LICENCES = ("LICENSE", "LICENSE-CC-BY")
# Of the repository, what a notebook needs beside itself.
NEEDED = "stma_nb data tests/fixtures"
STUDENT = """# The notebooks of this course

Each has exercises, with a cell to fill in and a check that answers. The solutions are with your
lecturer.

{set_up}
{credit}"""
LECTURER = """# The notebooks of this course, for lecturers

All solutions are open and marked: please hand out the student edition instead of this one. In
`solutions` each notebook's solutions stand by themselves. [`plans.md`](plans.md) has plans for a
course, what to prepare, how to grade, and what students ask; the course's question bank is
[`questions.md`](questions.md).

{set_up}
{credit}"""
STICK = """# The notebooks of this course

They lie in the folder `notebooks`, with a [glossary](notebooks/glossary.md). Each has exercises,
with a cell to fill in and a check that answers. The solutions are with your lecturer.

The stick's own README.txt tells how to install this without a network. Then `start.bat` (Windows)
or `start.sh` (Linux, macOS) opens the notebooks; it lies in the folder that was installed.

{credit}"""
CREDIT = """## Source and licences

These are notebooks of the course [stma_nb]({url}) by the stma_nb developers. Texts and figures:
[CC BY 4.0](LICENSE-CC-BY), so that you may use and change them if you name this source. Code:
[MIT](LICENSE).
"""
SET_UP = """## To set it up

You need Git and Python 3.11 to 3.14 (python.org). Open a terminal in this folder and type the lines
for your system. They fetch the library, its data and all packages, which takes some minutes. Later
the last line alone opens the notebooks.

**Linux**: fetches about 0.5 GB, takes 2.3 GB of disk. The line with `torch` takes PyTorch without
the libraries for NVIDIA cards; with them it would be 6.3 GB.

```
{fetch}
python3 -m venv .venv
.venv/bin/python -m pip install --no-deps --extra-index-url {cpu} {torch}+cpu
.venv/bin/python -m pip install -c {library}/constraints.txt -e "./{library}[all]"
.venv/bin/python -m jupyterlab
```

**macOS** 14 or newer on Apple silicon: fetches about 0.35 GB. For Intel processors there is no
package of PyTorch: take conda with `{library}/environment.yml`.

```
{fetch}
python3 -m venv .venv
.venv/bin/python -m pip install -c {library}/constraints.txt -e "./{library}[all]"
.venv/bin/python -m jupyterlab
```

**Windows**: fetches about 0.4 GB.

```
{fetch}
py -m venv .venv
.venv\\Scripts\\python -m pip install -c {library}/constraints.txt -e "./{library}[all]"
.venv\\Scripts\\python -m jupyterlab
```

If something does not work: `.venv/bin/python -m stma_nb doctor` (Windows:
`.venv\\Scripts\\python -m stma_nb doctor`) tells what is wrong.
"""
# Where the clone lies beside the notebooks: not stma_nb, which Python would take for the package.
LIBRARY = "library"
CPU = "https://download.pytorch.org/whl/cpu"  # PyPI's PyTorch for Linux brings GPU libraries


def readme(text: str) -> str:
    """One of the texts above, with the way to set it up, and with whose it is."""
    return text.format(set_up=set_up(), credit=CREDIT.format(url=here().url))


def set_up() -> str:
    """The commands for each system, with the versions that the course was tested with."""
    pins = (runner.ROOT / "constraints.txt").read_text("utf-8")
    [torch] = re.findall(r"(?m)^torch==\S+", pins)
    commands = "\n".join(fetch(here().clone, LIBRARY))
    return SET_UP.format(fetch=commands, library=LIBRARY, cpu=CPU, torch=torch)


def fetch(clone: str, folder: str) -> tuple[str, str]:
    """The commands that bring what notebooks need, and no notebook."""
    return (
        f"{clone.replace('git clone', 'git clone --filter=blob:none --sparse', 1)} {folder}",
        f"git -C {folder} sparse-checkout set {NEEDED}",
    )


def licences() -> dict[str, str]:
    """The files that say what may be done with code, texts and figures."""
    return {name: (runner.ROOT / name).read_text("utf-8") for name in LICENCES}
