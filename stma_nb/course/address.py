"""Where the course lies on the web, and the move of all its links to a fork.

The address stands in ``pyproject.toml`` (``project.urls.Repository``), the branch beside it
(``tool.stma_nb.branch``). What follows from them, such as badges, is made here and nowhere else.
"""

import re
import shutil
import tomllib
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from stma_nb.course import runner
from stma_nb.files import write_whole

PROJECT = "pyproject.toml"
# The texts that may name the address. Notebooks come besides: of them, sources of cells alone.
TEXTS = (
    *("*.md", "CITATION.cff", "*.yml", "binder/*", ".devcontainer/*", ".github/**/*.yml"),
    *("notebooks/*.md", "notebooks/*.yml", "data/*.md"),
)
COLAB = "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({})"
BADGES = re.compile(
    r"(?P<head>\[!\[Open in Binder\]\([^)\s]+\)\]\()https://mybinder\.org/v2/[^)\s]*"
    r"urlpath=lab/tree/notebooks/(?P<file>[\w.-]+)\)"
    r"(?:(?P<gap>[ \n])\[!\[Open in Colab\]\([^)\s]+\)\]\([^)\s]*\))?"
)
CLONE = re.compile(r"git clone -q --depth 1 (?:--branch \S+ )?\S+(?= /content/stma_nb)")
END = r"(?![\w-]|\.(?!git\b)\w)"  # where an address ends: "course" is not "course-2024"
# The source of a cell in the file of a notebook: a list of texts, or one text.
SOURCE = re.compile(r'(?<!\\)"source": (?:\[(?:\s*"(?:[^"\\]|\\.)*",?)*\s*\]|"(?:[^"\\]|\\.)*")')
TOLD = 100  # letters of a line that is shown


@dataclass(frozen=True)
class Address:
    """A repository on GitHub or a GitLab: https address, without a slash or .git at the end."""

    url: str
    branch: str = "main"

    @property
    def name(self) -> str:
        """OWNER/NAME, on a GitLab with the groups between."""
        return urlsplit(self.url).path.strip("/")

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def on_github(self) -> bool:
        return self.host == "github.com"

    def file(self, path: str) -> str:
        """The page of a file of the repository."""
        return f"{self.url}{'' if self.on_github else '/-'}/blob/{self.branch}/{path}"

    @property
    def binder(self) -> str:
        """What opens the repository on Binder, without the place within it."""
        kinds = {"github.com": ("gh", self.name), "gitlab.com": ("gl", quote(self.name, safe=""))}
        kind, name = kinds.get(self.host, ("git", quote(self.url, safe="")))
        return f"https://mybinder.org/v2/{kind}/{name}/{self.branch}"

    @property
    def colab(self) -> str | None:
        """What opens a file on Colab, which knows GitHub only."""
        if not self.on_github:
            return None
        return f"https://colab.research.google.com/github/{self.name}/blob/{self.branch}/"

    @property
    def pages(self) -> str | None:
        """Where the host publishes a site of this repository, if that follows from its name."""
        hosts = {"github.com": "github.io", "gitlab.com": "gitlab.io"}
        if self.host not in hosts:
            return None
        owner, _, rest = self.name.partition("/")
        return f"https://{owner.lower()}.{hosts[self.host]}/{rest}"

    @property
    def pulled(self) -> str:
        """The part of a link of nbgitpuller that names the repository."""
        folder = self.name.rpartition("/")[2]
        return (
            f"repo={quote(self.url, safe='')}&branch={self.branch}&urlpath=lab%2Ftree%2F{folder}%2F"
        )

    def badges(self, notebook: str) -> dict[str, str]:
        """Where the badges of a notebook (a file name) lead, by the service."""
        found = {"Binder": f"{self.binder}?urlpath=lab/tree/notebooks/{notebook}"}
        return found | ({"Colab": f"{self.colab}notebooks/{notebook}"} if self.colab else {})

    @property
    def clone(self) -> str:
        """The command by which the set-up cell fetches the course."""
        branch = "" if self.branch == "main" else f"--branch {self.branch} "
        return f"git clone -q --depth 1 {branch}{self.url}"


def here(root: Path | None = None) -> Address:
    """Where the course says that it lies; ``root`` None is the copy that this is.

    Raises NotebookError outside a copy of the repository.
    """
    root = root or runner.ROOT
    if not (root / PROJECT).exists():
        raise runner.NotebookError(
            "There is no copy of the repository here: clone it and install it with "
            "pip install -e '.[all]'."
        )
    return _told((root / PROJECT).read_text("utf-8"))


@lru_cache(1)
def _told(project: str) -> Address:
    """The address that a ``pyproject.toml`` tells."""
    content = tomllib.loads(project)
    return Address(content["project"]["urls"]["Repository"], content["tool"]["stma_nb"]["branch"])


def parse(url: str, branch: str) -> Address:
    """An address as somebody writes it, and a branch; ValueError if they are none."""
    parts = urlsplit(url.removesuffix("/").removesuffix(".git"))
    name = parts.path.strip("/")
    words = name.split("/")
    plain = re.fullmatch(r"https://[a-z0-9.-]+\.[a-z]+/[\w./-]+", parts.geturl(), re.A)
    if not plain or len(words) < 2 or not all(re.fullmatch(r"\w[\w.-]*", word) for word in words):
        raise ValueError(
            f"'{url}' is no web address of a repository: expected https://github.com/OWNER/NAME, "
            "or that of a project on a GitLab."
        )
    if parts.netloc in ("github.com", "www.github.com"):
        if len(words) > 2:
            raise ValueError(
                f"'{url}' is a page within a repository: expected "
                f"https://github.com/{'/'.join(words[:2])}, and the branch with --branch."
            )
        parts = parts._replace(netloc="github.com")
    if not re.fullmatch(r"\w[\w.-]*", branch, re.A) or ".." in branch:
        raise ValueError(
            f"'{branch}' is no branch that badges can name: expected letters, digits, '.', '-' "
            "and '_'."
        )
    return Address(parts.geturl(), branch)


# ----------------------------------------------------------------------------------------- the move


class Move(NamedTuple):
    """The files that a move changed, and the lines that still name the old repository."""

    changed: list[Path]
    left: list[str]


def move(url: str, branch: str | None = None, root: Path | None = None) -> Move:
    """Let every link of the course in ``root`` lead to another repository, and nothing else change.

    ``branch`` None keeps the branch. Moving back gives the same bytes. All files are read and
    changed before the first is written, ``pyproject.toml`` comes last: a move that was stopped is
    finished by the same call. Raises ValueError for what is no address, before a file is touched.
    """
    root = root or runner.ROOT
    old = here(root)
    new = parse(url, branch or old.branch)
    replace = partial(_replaced, old, new)
    changes = {
        path: replace(_read(path), gap="\n")
        for pattern in TEXTS
        for path in sorted(root.glob(pattern))
        if path.is_file()
    }
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        changes[path] = SOURCE.sub(lambda cell: replace(cell[0], gap=" "), _read(path))
    project = replace(_read(root / PROJECT), gap="\n")
    changes[root / PROJECT] = re.sub(r'(?m)^branch = ".*"', f'branch = "{new.branch}"', project)
    changed = [path for path, text in changes.items() if text != _read(path)]
    for path in changed:
        write_whole(path, partial(_write, path, changes[path]))
    return Move(changed, _left(old, new, changes) if old.name != new.name else [])


def _write(path: Path, text: str, part: Path) -> None:
    """Write what takes the place of a file, which may be executable."""
    part.write_bytes(text.encode())
    shutil.copymode(path, part)


def _read(path: Path) -> str:
    """A text with its ends of lines as they are."""
    return path.read_bytes().decode("utf-8")


def _replaced(old: Address, new: Address, text: str, gap: str) -> str:
    """A text in which every form of the old address has become the new one.

    ``gap`` stands between the badges where the one of Colab comes back.
    """

    def badges(found: re.Match) -> str:
        links = new.badges(found["file"])
        line = f"{found['head']}{links['Binder']})"
        if "Colab" in links and (found["gap"] or not old.colab):
            line += (found["gap"] or gap) + COLAB.format(links["Colab"])
        return line

    text = BADGES.sub(badges, text)
    text = CLONE.sub(lambda _: new.clone, text)
    text = re.sub(rf"(?<=branches: \[){re.escape(old.branch)}(?=\])", new.branch, text)
    forms = {  # the longer ones first: the address itself is the beginning of some
        old.binder: new.binder,
        old.colab: new.colab,
        old.file(""): new.file(""),
        old.pulled: new.pulled,
        old.pages: new.pages,
        old.url: new.url,
    }
    known = {one: other for one, other in forms.items() if one and other}
    ends = (re.escape(form) + ("" if form.endswith(("/", "%2F")) else END) for form in known)
    return re.sub("|".join(ends), lambda found: known[found[0]], text)


def _left(old: Address, new: Address, changes: dict[Path, str]) -> list[str]:
    """Lines that still name the old repository, or Colab where it cannot open the new one."""
    names = [old.name] if old.name not in new.url else []
    names += [] if new.colab else ["colab.research.google.com/github/"]
    return [
        f"{path.name}, line {number}: {line.strip()[:TOLD]}"
        for path, text in changes.items()
        for number, line in enumerate(text.splitlines(), 1)
        if any(name in line for name in names)
    ]
