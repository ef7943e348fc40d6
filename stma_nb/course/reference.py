"""The reference: what each room of the library hands on, as pages made from its docstrings."""

import importlib
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, DictLoader

import stma_nb
from stma_nb.extras import needs

ROOMS = (  # from the ground up, as the road in stma_nb/__init__.py
    "files", "machine", "extras", "cube", "model", "simulate", "radar", "patches", "train",
    "figures", "sources", "accuracy", "predict", "attention", "experiment", "course", "studies",
    "bench", "doctor",
)  # fmt: skip
CHARSET = '<meta charset="utf-8">'
POLICY = (  # pdoc's own scripts and styles stand in the page, but for the index of its search
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
    "script-src 'unsafe-inline' 'self' file:; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'\">"
)
TEMPLATE = Path(__file__).with_name("reference.html.j2")


def pages() -> dict[str, str]:
    """The text of every file of the reference by its name; ``stma_nb.html`` leads to all.

    Raises ImportError if pdoc is not installed.
    """
    with needs("site"):
        from pdoc import doc, render

    rooms = [_opened(room) for room in ROOMS]
    shown = [part for room in rooms for part in (room, *room.submodules) if part.name != "commands"]
    library = doc.Module(stma_nb)
    library.members = {room.name: room for room in rooms}  # in this order, once
    library.submodules = []
    modules = {module.modulename: module for module in (library, *shown)}

    render.configure(docformat="google", favicon="data:,")
    scheme = TEMPLATE.with_name("site_scheme.js")  # light or dark, as on the other pages
    ours = DictLoader(
        {
            "module.html.jinja2": TEMPLATE.read_text("utf-8"),
            scheme.name: scheme.read_text("utf-8"),
        }
    )
    theirs = [render.env.loader] if render.env.loader else []
    render.env.loader = ChoiceLoader([ours, *theirs])
    files = {
        f"{name.replace('.', '/')}.html": render.html_module(module, modules)
        for name, module in modules.items()
    }
    files["index.html"] = render.html_index(modules)
    pages = {name: page.replace(CHARSET, CHARSET + POLICY, 1) for name, page in files.items()}
    return pages | {"search.js": render.search_index(modules)}


def _opened(room: str) -> Any:
    """A room as pdoc describes it."""
    with needs("site"):
        from pdoc import doc

    module = importlib.import_module(f"stma_nb.{room}")
    for name in getattr(module, "__all__", ()):  # lazy: pdoc sees only what is loaded
        setattr(module, name, getattr(module, name))
    page = doc.Module(module)
    for variable in page.variables:
        if isinstance(variable.default_value, Path):  # a folder of the computer that makes the page
            variable.default_value = doc.empty
    for part in page.classes:
        for member in part.own_members:  # what torch or Python says of theirs says nothing of ours
            if member.docstring.partition("\n")[0] not in part.source:
                member.docstring = ""
    return page
