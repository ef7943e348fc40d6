"""Maps of windows: their seams before and after blending, and the weights that remove them."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from stma_nb.cube import legend
from stma_nb.figures.plots import label_maps

LINES = ("#0072b2", "#d55e00", "#009e73")  # of windows in a row
STYLES = ("-", "--", ":")


def false_changes(mapped: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (rows, columns) of another class than the one above, and than the one to the left,
    although the truth of both is the same.
    """
    above, left = np.zeros((2, *truth.shape), bool)
    above[1:] = (mapped[1:] != mapped[:-1]) & (truth[1:] == truth[:-1])
    left[:, 1:] = (mapped[:, 1:] != mapped[:, :-1]) & (truth[:, 1:] == truth[:, :-1])
    return above, left


def on_borders(changes: tuple[np.ndarray, np.ndarray], patch: int) -> list[tuple[int, int, bool]]:
    """Where false changes lie on the border of two windows: row, column, and whether above."""
    above, left = changes
    found = [(row, column, True) for row, column in np.argwhere(above).tolist()]
    found += [(row, column, False) for row, column in np.argwhere(left).tolist()]
    return [(r, c, up) for r, c, up in found if (r if up else c) % patch == 0]


def seams(maps: dict[str, np.ndarray], season: xr.Dataset, patch: int) -> Figure:
    """Class maps of a piece of a season beside its truth, with the borders of windows.

    Windows of ``patch`` pixels stand side by side from the upper left corner; thin lines are their
    borders. A border is thick and black where the class changes on it, and in truth does not.
    """
    truth = season.crop.values
    figure = label_maps(maps | {"truth": truth}, legend(season), season)
    figure.set_size_inches(10.5, 3.8)
    rows, columns = truth.shape
    for axis, mapped in zip(figure.axes, maps.values(), strict=False):
        _, right, _, top = axis.images[0].get_extent()
        step, down = right / columns, top / rows
        for line in range(patch, columns, patch):
            axis.axvline(line * step, color="white", linewidth=1)
        for line in range(patch, rows, patch):
            axis.axhline(top - line * down, color="white", linewidth=1)
        ends = []
        for row, column, up in on_borders(false_changes(mapped, truth), patch):
            x, y = column * step, top - row * down
            ends.append([(x, y), (x + step, y) if up else (x, y - down)])
        for colour, width in (("white", 5), ("black", 2.5)):
            axis.add_collection(LineCollection(ends, colors=colour, linewidths=width))
        _title(axis, len(ends))
    return figure


def _title(axis: Axes, count: int) -> None:
    axis.set_title(f"{axis.get_title()}\n{count} false changes on borders", fontsize=10)


def blending(weight: np.ndarray) -> Figure:
    """Three windows in a row that overlap by half: their weights, and their shares in the map.

    ``weight`` (P,) is that of a window along its middle row. A share is a weight divided by the sum
    of all weights at the pixel; the shares sum to one.
    """
    patch = len(weight)
    starts = range(0, 3 * patch // 2, patch // 2)
    weights = np.zeros((3, 2 * patch))
    for row, start in zip(weights, starts, strict=True):
        row[start : start + patch] = weight
    figure = Figure(figsize=(8.5, 3.8), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    shares = weights / weights.sum(0)
    for number, (line, share, start) in enumerate(zip(weights, shares, starts, strict=True)):
        inside = np.arange(start, start + patch)
        look: dict[str, Any] = dict(color=LINES[number], linewidth=2)
        above.plot(inside, line[inside], STYLES[number], **look)
        below.plot(inside, share[inside], STYLES[number], **look)
        middle = start + patch / 2
        said: dict[str, Any] = dict(color=LINES[number], ha="center", fontsize=10)
        above.text(middle, 1.06 * line.max(), f"window {number + 1}", va="bottom", **said)
    above.set(ylabel="weight", ylim=(0, 1.35))
    below.plot(shares.sum(0), color="black", linewidth=1)
    below.text(patch, 1.06, "sum of the shares", ha="center", va="bottom", fontsize=10)
    below.set(ylabel="share in the map", xlabel="column (pixels)", ylim=(0, 1.35))
    return figure
