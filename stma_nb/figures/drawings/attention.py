"""Attention drawn: tokens as arrows, query, key and value, one date that asks, a gated map.

Every arrow has the direction and the length of its numbers, every line the width of its weight.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from numpy.typing import ArrayLike
from scipy.special import softmax

from stma_nb.figures.plots import literal

QUERY, KEY, VALUE, BLEND = "#cc79a7", "#e69f00", "#56b4e9", "#000000"
POINTS = 14  # width of a line of weight 1
NAMED = 0.03  # weights from here on are told as numbers
HALO = [withStroke(linewidth=3, foreground="white")]


def token_arrows(tokens: ArrayLike, days: Sequence[str], asks: int) -> Figure:
    """Tokens (dates, 2) as arrows in the plane of VH and VV, and what the one that ``asks`` makes
    of the others: a score above zero on its own side of the dashed line, below zero beyond.
    """
    points = np.asarray(tokens, float)
    figure = Figure(figsize=(6.4, 5.6), layout="constrained")
    axis = figure.subplots()
    _plane(axis, points, ("VH (scaled)", "VV (scaled)"))
    _half_plane(axis, points[asks])
    for place, point in enumerate(points):
        mine = place == asks
        _arrow(axis, point, QUERY if mine else "0.45", 3.5 if mine else 1.5)
    _name_tips(axis, points, days, first=asks)
    return figure


def query_key_value(
    tokens: ArrayLike,
    queries: ArrayLike,
    keys: ArrayLike,
    values: ArrayLike,
    days: Sequence[str],
    asks: int,
    offers: tuple[str, str],
) -> Figure:
    """Three planes: the tokens; the query of the date that ``asks`` among the keys of all; and the
    values, as wide as their weights, with the blend.

    All are (dates, 2); the weights are softmax(q k' / sqrt(2)). ``offers`` name the two numbers of
    a value.
    """
    x, q, k, v = (np.asarray(each, float) for each in (tokens, queries, keys, values))
    weights = softmax(k @ q[asks] / np.sqrt(2))
    best = int(weights.argmax())
    figure = Figure(figsize=(9.6, 3.9), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    _plane(left, x, ("VH (scaled)", "VV (scaled)"), room=0.9)
    for place, point in enumerate(x):
        _arrow(left, point, BLEND if place == asks else "0.6", 3 if place == asks else 1.2)
    _name_tips(left, x, days, first=asks, most=3)
    _plane(middle, np.vstack([k, q[asks]]), ("first number", "second number"), room=0.9)
    _half_plane(middle, q[asks])
    for point in k:
        _arrow(middle, point, KEY, 1.5)
    _arrow(middle, q[asks], QUERY, 3.5)
    _name_tips(middle, np.vstack([k, q[asks]]), [*days, "query"], len(k), most=3)
    _plane(right, v, offers, room=0.9)
    for point, weight in zip(v, weights, strict=True):
        _arrow(right, point, VALUE, max(0.4, POINTS * weight))
    _arrow(right, weights @ v, BLEND, 2)
    _name_tips(right, np.array([v[best], weights @ v]), [days[best], "blend"], first=1)
    left.set_title("tokens", fontsize=11)
    middle.set_title(f"query of {days[asks]}, all keys", fontsize=11)
    right.set_title("values, and their blend", fontsize=11)
    return figure


def one_date_asks(
    values: ArrayLike,
    weights: ArrayLike,
    days: Sequence[str],
    asks: int,
    sides: tuple[str, str] = ("VH (scaled)", "VV (scaled)"),
) -> Figure:
    """One date asks all others: lines as wide as its weights (dates,), below each date what it
    hands over, its value (dates, 2), and right the blend, value times weight head to tail.
    """
    points, shares = np.asarray(values, float), np.asarray(weights, float)
    figure = Figure(figsize=(9.6, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(2.2, 1))
    arrow = dict(arrowstyle="<|-", color="0.3", linewidth=1.5, shrinkA=0, shrinkB=0)
    size = 26 / np.abs(points).max()  # points on paper, so that the longest stays in its room
    for place, (point, share) in enumerate(zip(points, shares, strict=True)):
        line = dict(color=QUERY, solid_capstyle="butt", zorder=1)
        left.plot([asks, place], [3.6, 1.5], linewidth=max(0.4, POINTS * share), **line)
        if share >= NAMED:
            look: dict[str, Any] = dict(ha="center", va="bottom", path_effects=HALO, zorder=4)
            left.text(place, 1.65, f"{100 * share:.0f}", fontsize=9, **look)
        left.plot(place, 1.5, "o", color="black", markersize=5, zorder=3)
        left.text(place, 1.33, days[place], rotation=90, ha="center", va="top", fontsize=9)
        tip = dict(xytext=size * point, textcoords="offset points")
        left.annotate("", (place, -0.15), arrowprops=arrow, **tip)
    asking = dict(boxstyle="round", facecolor="white", edgecolor=QUERY, linewidth=2)
    left.text(asks, 3.6, f"{days[asks]} asks", ha="center", fontsize=10, bbox=asking, zorder=5)
    left.text(-0.9, 3.6, "numbers: weight in %", fontsize=9)
    left.text(-0.9, -1.0, "below each date, as an arrow, what it hands over", fontsize=9)
    left.set(xlim=(-1.2, len(points)), ylim=(-1.1, 4.1))
    left.axis("off")
    chain = np.cumsum(shares[:, None] * points, axis=0)
    starts = np.vstack([[0, 0], chain[:-1]])
    _plane(right, np.vstack([chain, [0, 0]]), sides)
    _arrow(right, chain[-1], "0.7", 9)  # wide and below the others, which may lie on it
    for start, end, share in zip(starts, chain, shares, strict=True):
        if share >= NAMED:
            _arrow(right, end, QUERY, 2, start)
        else:
            right.plot(*np.transpose([start, end]), color=QUERY, linewidth=1.5)
    right.set_title("weight × arrow, added up:\nthe blend (grey)", fontsize=10)
    return figure


def gated_places(kernel: ArrayLike, bias: float, side: int = 8) -> Figure:
    """What a 3 x 3 kernel answers at a corner, a side and the inside of a map of ones, with zeros
    beyond its border, and the map after the gate f sigmoid(conv(f)).
    """
    weights = np.asarray(kernel, float)
    padded = np.pad(np.ones((side, side)), 1)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3))
    gated = 1 / (1 + np.exp(-((windows * weights).sum((2, 3)) + bias)))
    figure = Figure(figsize=(9.6, 3.9), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    middle_of = {(0, side // 2), (side // 2, 0), (side - 1, side // 2), (side // 2, side - 1)}
    inside = (side // 2 + 1, side // 2)
    plainest = max(sorted(middle_of), key=lambda place: abs(gated[place] - gated[inside]))
    places = {"corner": (0, 0), "side": plainest, "inside": inside}
    looks = {"corner": "#d55e00", "side": "#0072b2", "inside": "#000000"}
    left.imshow(weights, cmap="PuOr", vmin=-abs(weights).max(), vmax=abs(weights).max())
    for (row, column), value in np.ndenumerate(weights):
        ink = "white" if abs(value) > 0.6 * abs(weights).max() else "black"
        look: dict[str, Any] = dict(ha="center", va="center")
        left.text(column, row, f"{value:+.2f}", fontsize=11, color=ink, **look)
    left.set(xticks=[], yticks=[], xlabel=f"and a constant, the bias: {bias:+.2f}")
    left.set_title("the kernel: nine weights", fontsize=11)
    middle.imshow(padded, cmap="gray", vmin=-1, vmax=1.2)
    for (row, column), value in np.ndenumerate(padded):
        middle.text(column, row, f"{value:.0f}", ha="center", va="center", fontsize=9)
    for name, (row, column) in places.items():
        frame: dict[str, Any] = dict(fill=False, edgecolor=looks[name], linewidth=2.5)
        middle.add_patch(Rectangle((column - 0.5, row - 0.5), 3, 3, **frame))
    middle.set(xticks=[], yticks=[], xlabel="zeros are added beyond the border")
    middle.set_title("a map of ones, three windows", fontsize=11)
    picture = right.imshow(gated, cmap="cividis")
    bright = gated > (gated.min() + gated.max()) / 2
    for name, (row, column) in places.items():
        ink = "black" if bright[row, column] else "white"
        right.text(column, row, f"{gated[row, column]:.2f}", color=ink, fontsize=9, **look)
        frame = dict(fill=False, edgecolor=looks[name], linewidth=2.5)
        right.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, **frame))
    right.set(xlabel="column (pixels)", ylabel="row (pixels)")
    right.set_title("after the gate", fontsize=11)
    figure.colorbar(picture, ax=right, label="gated value", shrink=0.7)
    return figure


def gated_map(before: ArrayLike, gate: ArrayLike) -> Figure:
    """A feature map, its gate between 0 and 1, and their product, the map that goes on."""
    f, g = np.asarray(before, float), np.asarray(gate, float)
    figure = Figure(figsize=(9.6, 3.2), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    scale = dict(cmap="gray", vmin=min(0, f.min()), vmax=f.max())
    for axis, image, title, label, look in (
        (left, f, "feature map f", "value", scale),
        (middle, g, "gate: sigmoid(conv(f))", "share let through", dict(vmin=0, vmax=1)),
        (right, f * g, "f times gate", "value", scale),
    ):
        picture = axis.imshow(image, **{"cmap": "cividis", **look})
        axis.set_title(title, fontsize=11)
        axis.set_xlabel("column (cells of 4 pixels)")
        figure.colorbar(picture, ax=axis, label=label, shrink=0.8)
    left.set_ylabel("row (cells of 4 pixels)")
    return figure


def _plane(axis: Axes, points: np.ndarray, sides: tuple[str, str], room: float = 0.76) -> None:
    """A plane with equal units on both axes, wide enough for arrows from its origin to points.

    ``room`` for names at their tips is more where the plane is small: half its side, in lengths.
    """
    low, high = np.minimum(points.min(0), 0), np.maximum(points.max(0), 0)
    middle, half = (low + high) / 2, room * (high - low).max()
    axis.set(xlim=middle[0] + np.array([-half, half]), ylim=middle[1] + np.array([-half, half]))
    axis.set(xlabel=literal(sides[0]), ylabel=literal(sides[1]), aspect="equal")
    axis.axhline(0, color="0.85", linewidth=1, zorder=0)
    axis.axvline(0, color="0.85", linewidth=1, zorder=0)


def _half_plane(axis: Axes, query: np.ndarray) -> None:
    """The side of the plane that has a score above zero with a query."""
    across = 20 * np.array([-query[1], query[0]]) / np.linalg.norm(query)
    far = 20 * query / np.linalg.norm(query)
    corners = np.array([across, across + far, far - across, -across])
    limits = axis.get_xlim(), axis.get_ylim()
    axis.fill(*corners.T, color=QUERY, alpha=0.12, linewidth=0, zorder=0)
    axis.plot(*np.transpose([across, -across]), "--", color=QUERY, linewidth=1, zorder=0)
    axis.set(xlim=limits[0], ylim=limits[1])


def _arrow(
    axis: Axes, end: np.ndarray, colour: str, width: float, start: np.ndarray | None = None
) -> None:
    """An arrow of one width between two points of a plane, the first by default its origin."""
    foot = (0, 0) if start is None else (start[0], start[1])
    head = f"-|>,head_width={0.12 + 0.05 * width:.2f},head_length={0.3 + 0.1 * width:.2f}"
    look = dict(arrowstyle=head, color=colour, linewidth=width, shrinkA=0, shrinkB=0)
    axis.annotate("", (end[0], end[1]), foot, arrowprops={**look, "mutation_scale": 10})


def _name_tips(
    axis: Axes, points: np.ndarray, names: Sequence[str], first: int, most: int = 12
) -> None:
    """Names at the tips of long arrows, the longest first, where no other name stands."""
    left, right = axis.get_xlim()
    lengths = np.linalg.norm(points, axis=1)
    long = [p for p in np.argsort(-lengths, kind="stable") if lengths[p] > 0.3 * lengths.max()]
    order = [first, *long]
    taken: list[np.ndarray] = []
    for place in order:
        tip = points[place]
        room = np.array([0.17, 0.06]) * (right - left)
        if len(taken) < most and not any((abs(tip - other) < room).all() for other in taken):
            taken.append(tip)
            away = 7 * tip / max(np.linalg.norm(tip), 1e-9)
            look: dict[str, Any] = dict(fontsize=9, path_effects=HALO, textcoords="offset points")
            side = "left" if tip[0] >= 0 else "right"
            level = "bottom" if tip[1] >= 0 else "top"
            axis.annotate(literal(names[place]), tip, away, ha=side, va=level, **look)
