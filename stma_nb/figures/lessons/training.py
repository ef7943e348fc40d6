"""Figures of notebook 07 that teach nothing by themselves: numbers in, a matplotlib Figure out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from stma_nb.figures.colours import NEED, VH, VV
from stma_nb.figures.plots import distinct, literal

FORMS = (VV, VH, NEED, "#882255", "#555555")  # colours of precisions


def speed_ups(tables: dict[str, pd.DataFrame]) -> Figure:
    """Times the speed of float32, a panel for each title: a line for each row, a mark for each
    column, hollow where it is named "compiled".

    The tables are those of ``bench.ratios``. Left of the line at 1 a form is slower.
    """
    tables = {title: table for title, table in tables.items() if len(table)}
    heights = [len(table) for table in tables.values()]
    figure = Figure(figsize=(8, 1.3 + 0.5 * sum(heights)), layout="constrained")
    panels = figure.subplots(len(tables), 1, sharex=True, squeeze=False, height_ratios=heights)
    forms = list(dict.fromkeys(form for table in tables.values() for form in table))
    precisions = list(dict.fromkeys(form.partition(",")[0] for form in forms))
    for axis, (title, table) in zip(panels[:, 0], tables.items(), strict=True):
        axis.axvline(1, color="0.4", linewidth=1, label="_one")
        for form in table:
            number = precisions.index(form.partition(",")[0])
            colour, mark = FORMS[number % len(FORMS)], distinct(number)["marker"]
            fill = "white" if "compiled" in form else colour
            look = dict(color=colour, markerfacecolor=fill, label=form)
            axis.plot(table[form], range(len(table)), mark, **look)
        names = [
            literal(f"{machine}\n{size}, batch {batch}") for machine, size, batch in table.index
        ]
        axis.set(yticks=range(len(table)), yticklabels=names, ylim=(len(table) - 0.5, -0.5))
        axis.set_title(title, fontsize=10)
        axis.grid(axis="y", alpha=0.3)
    panels[-1, 0].set(xlabel="times the speed of 32-true", xlim=(0, None))
    lines = [line for axis in panels[:, 0] for line in axis.lines]
    marks = {name: line for line in lines if (name := line.get_label()) in forms}
    figure.legend(marks.values(), marks.keys(), frameon=False, loc="outside upper right", ncols=3)
    return figure


def losses(curves: Mapping[str, Sequence[float]], knows_nothing: float) -> Figure:
    """Losses by step on a logarithmic axis, each named at its end; a grey line for a network that
    knows nothing.
    """
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    axis = figure.subplots()
    looks = (("-", "#0072b2"), ("--", "#d55e00"), (":", "#009e73"))
    ends = sorted((curve[-1], name) for name, curve in curves.items())
    lifts: dict[str, float] = {}  # names of curves that end together stand above each other
    for (end, name), lower in zip(ends, [(0.0, ""), *ends], strict=False):
        lifts[name] = lifts.get(lower[1], 0) + 13 if end < 1.25 * lower[0] else 0
    for (name, curve), (style, colour) in zip(curves.items(), looks, strict=False):
        axis.semilogy(curve, style, color=colour, linewidth=2)
        at: dict[str, Any] = dict(
            xy=(len(curve) - 1, curve[-1]), xytext=(6, lifts[name]), color=colour
        )
        axis.annotate(name, **at, textcoords="offset points", va="center", fontsize=10)
    longest = max(map(len, curves.values()))
    axis.hlines(knows_nothing, 0, longest - 1, color="0.6", linewidth=1)
    at = dict(xy=(0.6 * longest, knows_nothing), xytext=(0, -14), textcoords="offset points")
    axis.annotate("knows nothing", **at, color="0.4", fontsize=10)
    axis.set(xlabel="step", ylabel="loss", xlim=(0, 1.36 * longest))
    axis.set_xticks(range(0, longest + 1, 10))
    _plain_logarithms(axis.yaxis)
    axis.grid(alpha=0.3)
    return figure


def rate_test(
    rates: np.ndarray, after: np.ndarray, smooth: np.ndarray, works: float, lowest: float
) -> Figure:
    """The loss ``after`` each step with a rising rate, smoothed, and two rates that are named."""
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    axis = figure.subplots()
    axis.semilogx(rates, after, color="0.7")
    axis.semilogx(rates, smooth, color="#0072b2", linewidth=2)
    top = 1.5 * after[0]
    said: dict[str, Any] = dict(fontsize=10, va="bottom", textcoords="offset points")
    axis.annotate("after each step", (rates[0], after[:5].max()), (0, 16), color="0.45", **said)
    axis.annotate("mean of seven", (rates[0], smooth[0]), (0, -34), color="#0072b2", **said)
    marks = {"a tenth gained": (works, "-", "#009e73"), "lowest": (lowest, "--", "#d55e00")}
    for name, (rate, style, colour) in marks.items():
        axis.axvline(rate, 0, 0.86, color=colour, linestyle=style, linewidth=1.5)
        axis.annotate(name, (rate, 0.87 * top), (0, 2), color=colour, ha="center", **said)
    axis.set(xlabel="learning rate", ylabel="loss", ylim=(0, top))
    axis.grid(alpha=0.3)
    return figure


def _plain_logarithms(axis: Axis) -> None:
    """Ticks of a logarithmic axis as plain numbers at 1, 2 and 5."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter(NullFormatter())
