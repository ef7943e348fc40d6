"""A stratified sample: what is drawn, what is found, and how that corrects a count of pixels."""

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from stma_nb.figures.plots import extent, literal, locate

MISSED = "#332288"


def sampling(
    mapped: np.ndarray,
    sample: pd.DataFrame,
    code: int,
    name: str,
    colour: str,
    areas: pd.Series,
    season: xr.Dataset,
) -> Figure:
    """How a sample within the classes of a map corrects the area of one of them, ``code``.

    ``mapped`` are the codes (rows, columns) of the map, ``sample`` has the columns ``stratum`` (the
    code of the map there), ``reference`` (the true one), ``row`` and ``column``. ``areas`` are
    ``estimate``, ``low`` and ``high`` in hectares, and ``truth``, as ``stratified_estimate`` has
    them. Left: the class in the map and the points; right: the count, what the sample takes off and
    adds, and the estimate.
    """
    figure = Figure(figsize=(10, 5), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.15))
    _points(left, mapped == code, sample, code, colour, season)
    off, added, drawn, wrong, missed = correction(mapped, sample, code)
    hectares = abs(float(np.diff(season.x[:2])[0] * np.diff(season.y[:2])[0])) / 1e4
    counted = hectares * float((mapped == code).sum())
    off, added = hectares * off, hectares * added
    look: dict[str, Any] = dict(height=0.55, edgecolor="black", linewidth=1)
    right.barh(0, counted, color=colour, **look)
    right.barh(1, off, left=counted - off, color="white", hatch="xx", **look)
    right.barh(2, added, left=counted - off, color=colour, hatch="..", **look)
    right.errorbar(
        areas["estimate"],
        3,
        xerr=[[areas["estimate"] - areas["low"]], [areas["high"] - areas["estimate"]]],
        fmt="o",
        color="black",
        capsize=5,
        markersize=8,
    )
    right.plot(areas["truth"], 4, "D", color="black", markerfacecolor="white", markersize=8)
    for place, row in ((counted, 0.5), (counted - off, 1.5), (counted - off + added, 2.5)):
        right.plot([place, place], [row - 0.5, row + 0.5], ":", color="0.4", zorder=0)
    others = len(sample) - drawn
    told = [
        f"{counted:.0f} ha",
        f"− {off:.0f} ha: {wrong} of {drawn} points are not {literal(name)}",
        f"+ {added:.0f} ha: {missed} of {others} points are {literal(name)}",
        f"{areas['estimate']:.0f} ha ({areas['low']:.0f} to {areas['high']:.0f})",
        f"{areas['truth']:.0f} ha",
    ]
    for row, text in enumerate(told):
        right.text(0, row - 0.42, text, fontsize=10, va="center")
    rows = ["counted", "found wrong", "found missed", "estimate", "truth"]
    right.set_yticks(range(5), rows, fontsize=11)
    right.set(ylim=(4.5, -0.7), xlim=(0, None), xlabel=f"area of {literal(name)} (ha)")
    right.set_title("2. Correct the count", fontsize=12)
    right.spines[["top", "right"]].set_visible(False)
    return figure


def correction(
    mapped: np.ndarray, sample: pd.DataFrame, code: int
) -> tuple[float, float, int, int, int]:
    """Pixels that the sample takes off the count of a class and that it adds, and of how many
    points of its stratum how many were wrong, and how many points of the other strata are of it.
    """
    strata, drawn = np.unique(sample["stratum"], return_counts=True)
    pixels = np.array([(mapped == stratum).sum() for stratum in strata])
    true = sample["reference"] == code
    found = np.array([true[sample["stratum"] == stratum].sum() for stratum in strata])
    own = strata == code
    off = (pixels * (drawn - found) / drawn)[own].sum()
    added = (pixels * found / drawn)[~own].sum()
    wrong = int((drawn - found)[own].sum())
    return float(off), float(added), int(drawn[own].sum()), wrong, int(found[~own].sum())


def _points(
    axis: Axes,
    shown: np.ndarray,
    sample: pd.DataFrame,
    code: int,
    colour: str,
    season: xr.Dataset,
) -> None:
    """The class in the map, and the points of the sample by what was found there."""
    axis.imshow(
        shown,
        cmap=ListedColormap(["#f2f2f2", colour]),
        alpha=0.6,
        extent=extent(season),
        interpolation="none",
    )
    _, right, _, top = extent(season)
    x = (sample["column"] + 0.5) * right / shown.shape[1]
    y = top - (sample["row"] + 0.5) * top / shown.shape[0]
    own, true = sample["stratum"] == code, sample["reference"] == code
    kinds: list[tuple[pd.Series, dict[str, Any], str]] = [
        (~own & ~true, dict(marker=".", color="0.6", s=8), "other class, and so mapped"),
        (own & true, dict(marker="o", color="black", s=14), "right"),
        (own & ~true, dict(marker="x", color="black", s=55, linewidth=2), "mapped, but is not"),
        (~own & true, dict(marker="^", color=MISSED, s=50), "missed by the map"),
    ]
    for where, look, label in kinds:
        axis.scatter(x[where], y[where], label=f"{label} ({where.sum()})", **look)
    axis.set_title("1. Draw points, visit them", fontsize=12)
    locate([axis], season)
    axis.legend(
        loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=2, frameon=False, fontsize=9.5
    )
