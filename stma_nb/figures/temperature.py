"""How sharp attention is: what softmax makes of scores, and the answer that comes out."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from stma_nb.extras import needs
from stma_nb.figures.colours import ATTENTION
from stma_nb.figures.component import STATIC, Component, one_of, percent, script, style
from stma_nb.figures.plots import literal

with needs("course"):
    import traitlets


def attention_temperature(
    scores: ArrayLike,
    values: ArrayLike,
    value: str,
    names: Sequence[str] = (),
    things: str = "dates",
    own: ArrayLike | None = None,
    truth: float | None = None,
    **traits: Any,
) -> "AttentionTemperature":
    """Scores as bars, a slider for their sharpness, the weights of softmax(sharpness x score), how
    far they spread, and the weighted mean of the values.

    Args:
        scores: query times key, (N,) of one that asks, or (N, N) of each of the ``names``.
        values: (N,) what each hands over; ``value`` says in words what that is.
        names: of the N, such as dates; without them the bars stand in the order of their scores.
        things: what the N are, in the plural.
        own: (N,) True for those that the answer should come from; their share of the weight is
            told.
        truth: the right answer, where it is known.

    The traits are ``sharpness`` (0 or more; a temperature is 1 / sharpness) and ``asks``, the
    position of who asks. The browser gets scores and values as float64.

    Raises ValueError where the shapes do not fit or a number is not finite.
    """
    table = np.atleast_2d(np.asarray(scores, "float64"))
    given = np.asarray(values, "float64")
    queries, count = table.shape
    if given.shape != (count,) or (names and len(names) != count) or (queries not in (1, count)):
        raise ValueError(
            f"Scores have the shape {np.shape(scores)}, values {given.shape}, names {len(names)}; "
            "expected scores (N,) or (N, N), values (N,), and N names or none."
        )
    if not (np.isfinite(table).all() and np.isfinite(given).all()):
        raise ValueError(
            "Scores or values are not all finite: leave out what is masked (a score of minus "
            "infinity), and pixels without data."
        )
    belongs = None if own is None else np.asarray(own, bool)
    if belongs is not None and belongs.shape != (count,):
        raise ValueError(f"'own' has the shape {belongs.shape}; expected ({count},), as values.")
    asking = list(names) if queries > 1 else []
    groups = [] if belongs is None else ["its own field", "others"]
    facts = {
        "shape": table.shape,
        "names": list(names),
        "asking": asking,
        "things": things,
        "thing": things.removesuffix("s").capitalize(),
        "value": value,
        "groups": groups,
        "group": [] if belongs is None else (~belongs).astype(int).tolist(),
        "truth": truth,
    }
    return AttentionTemperature(table, given, facts, **traits)


class AttentionTemperature(Component):
    """What ``attention_temperature`` shows."""

    TITLE = "How sharp is attention?"
    VIEW = ("sharpness", "asks")
    _esm = script(STATIC / "charts.js", STATIC / "temperature.js")
    _css = style(STATIC / "pictures.css")
    sharpness = traitlets.Float(1.0, min=0, max=32).tag(sync=True)
    asks = traitlets.Int(0).tag(sync=True)

    def __init__(
        self, scores: np.ndarray, values: np.ndarray, facts: dict[str, Any], **traits: Any
    ):
        self._scores, self._values = scores, values
        super().__init__(facts=facts, data=scores.tobytes() + values.tobytes(), **traits)

    @traitlets.validate("asks")
    def _known(self, proposal: Any) -> int:
        return one_of(proposal, range(len(self._scores)))

    def weights(self) -> np.ndarray:
        """softmax(sharpness x scores) of the one that asks, (N,)."""
        scaled = self.sharpness * (self._scores[self.asks] - self._scores[self.asks].max())
        return np.exp(scaled) / np.exp(scaled).sum()

    def spread(self) -> float:
        """How many equal weights have the entropy of these: from 1 (a look at one) to N."""
        weights = self.weights()
        known = weights[weights > 0]
        return float(np.exp(-(known * np.log(known)).sum()))

    def answer(self) -> float:
        """The mean of the values under the weights."""
        return float(self.weights() @ self._values)

    def describe(self) -> str:
        facts, weights = self.facts, self.weights()
        best = int(weights.argmax())
        spread = f"{self.spread():.1f}" if self.spread() < 99.95 else f"{self.spread():.0f}"
        said = f"{facts['asking'][self.asks]} asks. " if facts["asking"] else ""
        named = f" ({facts['names'][best]})" if facts["names"] else ""
        said += (
            f"Sharpness {_short(self.sharpness)}: the weights spread as over {spread} of "
            f"{len(weights)} {facts['things']}; the largest is {percent(weights[best])}{named}."
        )
        if facts["groups"]:
            share = weights[np.array(facts["group"]) == 0].sum()
            said += f" {percent(share)} fall on {facts['groups'][0]}."
        truth = "" if facts["truth"] is None else f", the truth is {_short(facts['truth'])}"
        mean = f"the weighted mean of {facts['value']}: {_short(self.answer())}{truth}."
        return f"{said} Answer, {mean}"

    def figure(self) -> Figure:
        weights, scores = self.weights(), self._scores[self.asks]
        names = self.facts["names"]
        order = np.arange(len(scores)) if names else np.argsort(-scores, kind="stable")
        figure = Figure(figsize=(8.5, 4), layout="constrained")
        above, below = figure.subplots(2, 1, sharex=True)
        above.bar(range(len(order)), scores[order], width=0.8 if names else 1.0, color="0.35")
        below.bar(range(len(order)), weights[order], width=0.8 if names else 1.0, color=ATTENTION)
        below.axhline(1 / len(order), color="black", linewidth=0.6, linestyle="--")
        above.set_ylabel("score")
        below.set(ylabel="weight", xlabel="" if names else f"{self.facts['things']}, by score")
        if names:
            below.set_xticks(range(len(names)), map(literal, names), rotation=60)
        return figure


def _short(value: float) -> str:
    """Three digits, as the browser writes them: what is smaller than a millionth is 0."""
    if abs(value) < 1e-6:
        return "0"
    digits = np.format_float_positional(value, 3, unique=False, fractional=False, trim="-")
    return digits.replace("-", "−")
