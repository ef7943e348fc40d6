"""A laboratory for the attention of a network, in the notebook or as one file that works offline.

A network small enough for a page (the compact one) travels there with the scene: it is computed in
the browser, wherever the reader looks, and again after every change that the reader makes. A larger
one travels as its maps of one patch, which can be looked at. ``packing`` says how numbers are
rounded on the way; nothing is asked of Python or of the web afterwards.

Attention tells where the network looked, not what decided: what it read there, and what it made of
it, is another question, which the experiments ask.
"""

import io
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from stma_nb.attention import still
from stma_nb.attention.edits import Edit, in_words, plain
from stma_nb.attention.lab import Lab
from stma_nb.cube import UNKNOWN
from stma_nb.extras import needs
from stma_nb.figures import Component, percent, script, style
from stma_nb.train import Trained

with needs("course"):
    import traitlets

STATIC = Path(__file__).parent
SCRIPTS = (
    *("lab.js", "scene.js", "dates.js", "experiments.js"),
    *("panels.js", "heads.js", "classes.js", "networks.js", "taken.js", "explorer.js"),
)
STYLE_SHEETS = ("explorer.css", "experiments.css", "panels.css")


class AttentionExplorer(Component):
    """A scene and a network: point at a pixel and see which pixels and which dates the network
    attends to; change what it sees, and see what becomes of map and attention.

    Args:
        trained: network, scaling and legend; the network in evaluation mode.
        season: season cube with the network's dates; ``crop`` and ``parcel`` are optional.
        row, column: upper left corner of the patch that is looked at first.
        other: a second network of the same dates, bands and legend, to compare with.
        levels: of a network too large for a page, the levels whose maps are sent.
        allow: what may be otherwise than in training (``train.check_fits``).

    These traits can be read and set, and follow what is clicked; rows and columns are those of the
    season: ``corner`` of the patch; ``pixel`` (row, column); ``level`` 1, 2, 3 or "cross"; ``head``
    1 .. heads, 0 for their mean; ``date`` as position (a text such as "2018-05-25" is turned into
    it); ``layer`` the name of a band ("vh", "vv"), "label" or "prediction"; ``opacity`` 0 .. 1;
    ``locked`` a pixel to compare with, or None; ``only`` a class by name, "wrong" or ""; ``edits``
    the experiment (``attention.edits``); ``show`` "after", "before" or "difference".

    Raises ValueError if season and network do not fit, the patch leaves the scene or holds no data,
    the network is in training mode, or scene or maps are larger than 16 MB; setting a trait to what
    does not exist raises traitlets.TraitError.
    """

    _esm = script(
        *(STATIC / name for name in SCRIPTS),
        worker=tuple(STATIC / name for name in ("edits.js", "stma.js", "engine.js")),
    )
    _css = style(*(STATIC / name for name in STYLE_SHEETS))
    TITLE = "Attention explorer"
    VIEW = (
        *("corner", "pixel", "locked", "level", "head", "date", "layer", "opacity"),
        *("only", "edits", "show"),
    )
    corner = traitlets.Tuple(traitlets.Int(), traitlets.Int()).tag(sync=True)
    pixel = traitlets.Tuple(traitlets.Int(), traitlets.Int()).tag(sync=True)
    locked: Any = traitlets.Tuple(
        traitlets.Int(), traitlets.Int(), allow_none=True, default_value=None
    ).tag(sync=True)
    level = traitlets.Any(1).tag(sync=True)
    head = traitlets.Int(1).tag(sync=True)
    date = traitlets.Any(0).tag(sync=True)
    layer = traitlets.Unicode("vh").tag(sync=True)
    opacity = traitlets.Float(0.7, min=0, max=1).tag(sync=True)
    only = traitlets.Unicode("").tag(sync=True)
    edits: Any = traitlets.List().tag(sync=True)
    show = traitlets.Enum(("after", "before", "difference"), "after").tag(sync=True)

    def __init__(
        self,
        trained: Trained,
        season: xr.Dataset,
        row: int = 0,
        column: int = 0,
        other: Trained | None = None,
        levels: tuple[int, ...] = (1, 2, 3),
        allow: Collection[str] = (),
        **traits: Any,
    ):
        self.lab = Lab(trained, season, row, column, other, levels, allow)
        facts, patch = self.lab.facts, self.lab.patch
        start = {
            "corner": (row, column),
            "pixel": (row + patch // 2, column + patch // 2),
            "level": facts["levels"][0],
            "layer": facts["bands"][0]["name"],
        }
        super().__init__(**{"data": self.lab.data, "facts": facts} | start | traits)

    @traitlets.observe("corner")
    def _take_pixel_along(self, change: Any) -> None:
        # A patch that is set from Python alone takes the pixel along, and leaves edits behind that
        # belong to a place which it no longer holds.
        (top, left), patch = change.new, self.facts["patch"]
        inside = all(
            first <= place < first + patch
            for place, first in zip(self.pixel, (top, left), strict=True)
        )
        if not inside:
            self.locked = None
            self.pixel = (top + patch // 2, left + patch // 2)
        self.edits = [edit for edit in self.edits if self._fits(edit)]

    @traitlets.validate(
        "corner", "pixel", "locked", "level", "head", "layer", "date", "only", "edits"
    )
    def _exists(self, proposal: Any) -> Any:
        name, value, f = proposal.trait.name, proposal.value, self.facts
        if name == "edits":
            return self._possible(value)
        if name == "corner":
            last = tuple(
                first + f[key] - f["patch"]
                for first, key in zip(f["origin"], ("rows", "columns"), strict=True)
            )
            ends = zip(f["origin"], value, last, strict=True)
            if all(low <= place <= high for low, place, high in ends):
                return value
            raise traitlets.TraitError(
                f"The corner {value} is outside: rows {f['origin'][0]} to {last[0]}, columns "
                f"{f['origin'][1]} to {last[1]}."
            )
        if name in ("pixel", "locked"):
            rows, columns = (range(first, first + f["patch"]) for first in self.corner)
            if value is None or (value[0] in rows and value[1] in columns):
                return value
            raise traitlets.TraitError(
                f"Pixel {value} is outside the patch: rows {rows[0]} to {rows[-1]}, columns "
                f"{columns[0]} to {columns[-1]}."
            )
        if name == "date" and str(value)[:10] in f["dates"]:
            return f["dates"].index(str(value)[:10])
        labels = ["label"] if f["labelled"] else []
        known = {
            "level": [*f["levels"], "cross"],
            "head": range(f["heads"] + 1),
            "layer": [*(band["name"] for band in f["bands"]), *labels, "prediction"],
            "date": range(len(f["dates"])),
            "only": ["", *(crop["name"] for crop in f["classes"]), *(["wrong"] if labels else [])],
        }[name]
        if value not in known or isinstance(value, bool):
            also = f" or an acquisition date such as {f['dates'][0]!r}" if name == "date" else ""
            raise traitlets.TraitError(
                f"{name} is {value!r}; choose one of {', '.join(map(repr, known))}{also}."
            )
        return value

    def _fits(self, edit: Edit) -> bool:
        try:
            self.lab.check(self.corner, [edit])
        except ValueError:
            return False
        return True

    def _possible(self, edits: Sequence[Edit]) -> list[Edit]:
        try:
            edits = plain(edits)
            self.lab.check(self.corner, edits)
            self.lab.values(self.corner, edits)  # whether a curve is bent too far
        except ValueError as error:
            raise traitlets.TraitError(str(error)) from error
        return edits

    # ------------------------------------------------------------------------- what is computed

    def values(self, edits: Sequence[Edit] | None = None) -> np.ndarray:
        """Values (T, bands, P, P) of the patch as the page has them, in dB for backscatter, after
        the experiment (``edits``, or those of the trait).
        """
        return self.lab.values(self.corner, self.edits if edits is None else edits)

    def outcome(self, edits: Sequence[Edit] | None = None) -> dict[str, Any]:
        """What PyTorch makes of these values: ``probability`` (K, P, P), ``prediction`` (P, P) and
        the attention maps ``spatial``, ``temporal`` (by level, (heads, N, N)) and ``cross`` (N, N).
        """
        return self.lab.outcome(self.corner, self.edits if edits is None else edits)

    def needed(self, area: np.ndarray | None = None) -> np.ndarray:
        """What each date is worth to the answer (T): how much less likely, in nats, its own class
        becomes when the date tells nothing; the mean over ``area`` (P, P), or the patch.
        """
        return self.lab.needed(self.corner, self.edits, area)

    def _shown(self) -> dict[str, Any]:
        return self.outcome([] if self.show == "before" else None)

    def spatial(self, pixel: tuple[int, int] | None = None) -> np.ndarray:
        """Weights (rows, columns) that the cell of a pixel gives to all cells, at the present level
        and head.
        """
        size = 4 if self.level == 1 else 8
        side = self.facts["patch"] // size
        row, column = (
            (place - first) // size
            for place, first in zip(pixel or self.pixel, self.corner, strict=True)
        )
        if self.level == "cross":
            weights = self._shown()["cross"][None, row * side + column]
        else:
            weights = self._shown()["spatial"][self.level][:, row * side + column]
        mean = self.level == "cross" or not self.head
        return (weights.mean(0) if mean else weights[self.head - 1]).reshape(side, side)

    def temporal(self) -> np.ndarray:
        """Weights (T asking, T answering dates): one map for the whole patch, since a date asks
        with all its pixels.
        """
        weights = self._shown()["temporal"][self._time_level()]
        return weights[self.head - 1] if self.head else weights.mean(0)

    def _time_level(self) -> int:
        return self.facts["levels"][0] if self.level == "cross" else self.level

    # ------------------------------------------------------------------------------- words, still

    def describe(self, pixel: tuple[int, int] | None = None) -> str:
        """In words: the experiment, what a pixel is, which cells it looks at (level and head as
        set), and which dates receive most.
        """
        f, (row, column), cross = self.facts, pixel or self.pixel, self.level == "cross"
        inside = (row - self.corner[0], column - self.corner[1])
        prediction, label = self._shown()["prediction"], self.lab.label(self.corner)
        mapped = self._name(prediction[inside])
        weights = self.spatial((row, column))
        side, count, size = len(weights), weights.size, f["patch"] // len(weights)
        order = np.argsort(-weights, axis=None, kind="stable")

        def place(cell: int) -> str:
            top, left = self.corner[0] + cell // side * size, self.corner[1] + cell % side * size
            own = (inside[0] // size, inside[1] // size) == divmod(cell, side)
            where = (
                "its own cell"
                if own
                else f"rows {top}–{top + size - 1}, columns {left}–{left + size - 1}"
            )
            value = weights.flat[cell]
            return f"{where} ({cosine(value) if cross else percent(value)})"

        head = f"head {self.head}" if self.head else "the mean of the heads"
        if cross:
            looks = (
                f"across scales its level 1 is most like level 2 at {place(order[0])}, least "
                f"at {place(order[-1])}"
            )
            if weights.max() - weights.min() < 0.1:
                looks += ": all cells nearly alike"
        elif weights.max() < 1.5 / count:
            looks = (
                f"level {self.level}, {head} looks at all {count} cells nearly alike (at most "
                f"{percent(weights.max())} each)"
            )
        else:
            classes = self.codes("label")
            share = np.zeros(UNKNOWN + 1)
            np.add.at(share, classes, weights.repeat(size, 0).repeat(size, 1) / size**2)
            best = int(share[:UNKNOWN].argmax())
            spread = np.exp(-np.sum(weights * np.log(np.where(weights > 0, weights, 1))))
            looks = (
                f"level {self.level}, {head} looks most at {place(order[0])} and "
                f"{place(order[1])}, even would be {percent(1 / count)}; {percent(share[best])} of "
                f"the weight is on {self._name(best)} (even: {percent((classes == best).mean())}); "
                f"it spreads as over {spread:.0f} of {count} cells"
            )
        received, dates = self.temporal().sum(0) / len(f["dates"]), f["dates"]
        first, second = np.argsort(-received, kind="stable")[:2]
        who = f"mapped as {mapped}"
        if label is not None:
            who = f"{self._name(label[inside])}, {who}"
        said = "" if self.show == "before" else " ".join(in_words(self.edits, f))
        even = percent(1 / len(dates))
        most = (
            f"all dates receive alike ({even} each)."
            if np.ptp(received) < 1e-3
            else f"{dates[first]} and {dates[second]} receive most ({percent(received[first])} and "
            f"{percent(received[second])}; even would be {even}), the same for the whole patch."
        )
        return (
            f"{said} " * bool(said) + f"Pixel row {row}, column {column} ({who}): {looks}. In "
            f"time, level {self._time_level()}, {head}: {most}"
        )

    def _name(self, code: int) -> str:
        return "no data" if code == UNKNOWN else self.facts["classes"][code]["name"]

    def codes(self, layer: str) -> np.ndarray:
        """Class codes (P, P) of the patch: the reference ("label") or the map ("prediction")."""
        label = self.lab.label(self.corner)
        return label if layer == "label" and label is not None else self._shown()["prediction"]

    def figure(self) -> Figure:
        """The present view as a still figure."""
        return still.figure(self)

    def to_png(self) -> bytes:
        """The figure as PNG."""
        png = io.BytesIO()
        self.figure().savefig(png, format="png", dpi=120)
        return png.getvalue()


def cosine(value: float) -> str:
    """A similarity as text, with a minus sign."""
    return f"cosine {np.floor(100 * value + 0.5) / 100:.2f}".replace("-", "−")
