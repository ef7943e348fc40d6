"""What the search of the site looks through: every section of every page, as words."""

import re
from collections.abc import Iterable
from itertools import takewhile
from typing import Any, NamedTuple

from stma_nb.extras import needs

with needs("course"):
    from bs4 import BeautifulSoup

HEADINGS = ("h1", "h2", "h3")
UNREAD = "details, nav, form, aside, script, style, table, .output pre"  # folded, or not prose
# What makes a page large, and says nothing in words: pictures, and the code of the library.
HEAVY = re.compile(
    r' src="data:[^"]*"|<div class="pdoc-code codehilite">\s*<pre>.*?</pre>', re.DOTALL
)


class Entry(NamedTuple):
    """A section of a page."""

    address: str
    page: str  # its title
    heading: str
    text: str
    code: str = ""  # of its cells


def sections(name: str, page: str) -> list[Entry]:
    """The sections of a page of the course; what is folded away is not told.

    ``name`` is that of its file, ``page`` its HTML.
    """
    main = _main(page)
    for part in main.select(UNREAD):
        part.decompose()
    title = _plain(main.h1)
    found = []
    for heading in main(HEADINGS):
        anchor = f"#{heading['id']}" if heading.get("id") and heading.name != "h1" else ""
        until_next = takewhile(lambda part: part.name not in HEADINGS, heading.next_elements)
        parts: dict[bool, list[str]] = {True: [], False: []}
        for part in until_next:
            if part.name is None:
                parts[part.find_parent(class_="highlight") is not None].append(str(part))
        # The first texts are those of the heading itself.
        text = _joined(parts[False]).removeprefix(_plain(heading)).strip()
        found.append(Entry(f"{name}{anchor}", title, _plain(heading), text, _joined(parts[True])))
    return found


def reference(name: str, page: str) -> list[Entry]:
    """What a page of the reference describes: each name with the beginning of its docstring."""
    main = _main(page)
    module = _plain(main.select_one(".modulename"))
    said = main.select_one(".module-info > .docstring")
    found = [Entry(name, "Reference", module, _plain(said.p if said else None))] if module else []
    for section in main.select("section[id]"):
        said = section.select_one(".docstring")
        if text := _plain(said.p if said else None):
            found.append(Entry(f"{name}#{section['id']}", module, str(section["id"]), text))
    return found


def _main(page: str) -> Any:
    """The main part of a page, apart from what stands around it; empty if it has none."""
    soup = BeautifulSoup(HEAVY.sub("", page), "html.parser")
    return soup.main.extract() if soup.main else BeautifulSoup("", "html.parser")


def _plain(part: Any) -> str:
    return _joined([part.get_text()]) if part is not None else ""


def _joined(texts: Iterable[str]) -> str:
    return re.sub(r"\s+", " ", "".join(texts)).strip()
