"""A picture that moves: a widget in the notebook, the same as one file that works offline, and a
still where neither can run.

What a component shows is decided in the browser by JavaScript files that are read here and joined
to one module: ``elements.js`` and ``controls.js``, which all share, and its own, the last of which
defines ``render``.
"""

import base64
import json
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from stma_nb.cube import Crop
from stma_nb.extras import needs
from stma_nb.figures.plots import html_image
from stma_nb.files import refuse_existing

with needs("course"):
    import anywidget
    import traitlets

STATIC = Path(__file__).parent
ELEMENTS = STATIC / "elements.js"


def script(*files: Path, worker: tuple[Path, ...] = ()) -> str:
    """One JavaScript module of what all share and these files.

    The files of a ``worker`` are in the module twice: as code, for browsers without workers, and as
    the text WORKER from which a worker is started.
    """
    code = "\n".join(path.read_text("utf-8") for path in worker)
    # A text in a script of HTML must not hold the letters that end it.
    text = json.dumps(code).replace("<", "\\u003c")
    parts = [file.read_text("utf-8") for file in (ELEMENTS, STATIC / "controls.js")]
    parts.append(code)
    if worker:
        parts.append(f"const WORKER = {text};")
    parts += [path.read_text("utf-8") for path in files]
    return "\n".join((*parts, "export default { render };\n"))


def style(*files: Path) -> str:
    """The style sheet that all share, and these files."""
    return "\n".join(path.read_text("utf-8") for path in (STATIC / "controls.css", *files))


def dates_of(times: np.ndarray) -> list[str]:
    """Acquisition times as the dates that the browser is told, such as ``2018-05-25``."""
    return np.datetime_as_string(times, unit="D").tolist()


def percent(share: float) -> str:
    """A share as the browser writes it, with two digits: ``24 %``, ``2.3 %``."""
    value = 100 * share
    if value >= 9.95:
        return f"{np.floor(value + 0.5):.0f} %"
    return f"{np.floor(10 * value + 0.5) / 10:.1f} %"


def named(crop: Crop) -> dict[str, str]:
    """Name and colour of a class, for the browser."""
    return {"name": crop.name, "colour": to_hex(crop.colour)}


def one_of(proposal: Any, choices: Sequence[Any]) -> Any:
    """The value proposed for a trait; raises TraitError if it is none of the choices."""
    if proposal["value"] not in choices:
        raise traitlets.TraitError(
            f"{proposal['trait'].name} is {proposal['value']!r}: "
            f"choose one of {', '.join(map(repr, choices))}."
        )
    return proposal["value"]


class Component(anywidget.AnyWidget):
    """What the moving pictures have in common.

    A component gives its code (``_esm``, ``_css``), a ``TITLE``, the names of the traits that a
    saved page starts with (``VIEW``), a sentence (``describe``) and a still figure (``figure``).
    """

    TITLE = ""
    VIEW: tuple[str, ...] = ()
    data = traitlets.Bytes().tag(sync=True)
    facts = traitlets.Dict().tag(sync=True)

    def describe(self) -> str:
        """In words, what the picture shows now."""
        raise NotImplementedError

    def figure(self) -> Figure:
        """The present view as a still figure."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict, dict]:
        # Where the widget does not live, a picture and the sentence stand in its place.
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        text = self.describe()
        return {
            **data,
            "text/plain": text,
            "text/html": f"{html_image(self.figure(), text)}<p>{escape(text)}</p>",
        }, metadata

    def _ipython_display_(self, **kwargs: Any) -> None:
        # ipywidgets 7 shows itself by this method and would pass over the mime bundle; with
        # ipywidgets 8 it does no harm.
        with needs("course"):
            from IPython.display import display

        data, metadata = self._repr_mimebundle_()
        display(data, metadata=metadata, raw=True)

    def save_html(self, path: str | Path, overwrite: bool = False) -> Path:
        """Write the component as one HTML file that needs no kernel and no network; FileExistsError
        if it is there already.
        """
        path = Path(path)
        refuse_existing(path, overwrite)
        template = (STATIC / "component.html.j2").read_text("utf-8")
        page = jinja2.Template(template, autoescape=True).render(
            title=self.TITLE,
            style=self._css,
            script=self._esm,
            state={"facts": self.facts} | {name: getattr(self, name) for name in self.VIEW},
            data=base64.b64encode(self.data).decode(),
            text=self.describe(),
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, "utf-8")
        return path
