"""Tensors, convolution and training drawn, for those who meet them for the first time."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from stma_nb import patches
from stma_nb.cube import Crop
from stma_nb.figures.colours import CURVES
from stma_nb.figures.plots import ink, literal

FRAME, SLOPE = "#d55e00", "#cc79a7"
Names = Callable[[np.ndarray], np.ndarray]
"""Class numbers (n,) of points (n, 2)."""


def tensor_of_images(x: ArrayLike, days: Sequence[str], channels: Sequence[str]) -> Figure:
    """A tensor (dates, channels, rows, columns) as its images, each under its place in it."""
    images = np.asarray(x)
    figure = Figure(figsize=(2.2 * len(images) + 0.6, 4.6), layout="constrained")
    axes = figure.subplots(len(channels), len(images), squeeze=False)
    for date, day in enumerate(days):
        for channel, name in enumerate(channels):
            axis = axes[channel, date]
            axis.imshow(images[date, channel], cmap="gray", vmin=images.min(), vmax=images.max())
            axis.set_title(f"x[{date}, {channel}]", fontsize=10, family="monospace")
            axis.set(xticks=[], yticks=[])
            if date == 0:
                axis.set_ylabel(f"channel {channel}: {name}", fontsize=10)
        axes[-1, date].set_xlabel(f"date {date}: {day}", fontsize=10)
    return figure


def convolution(image: ArrayLike, kernels: Mapping[str, ArrayLike], at: tuple[int, int]) -> Figure:
    """An image, 3 x 3 kernels by name, and what each makes of it, a row for each.

    The frame at the pixel ``at`` (row, column) shows nine pixels of the image, and the number
    that the kernel makes of them. The output has no outermost ring.
    """
    pixels = np.asarray(image, float)
    row, column = at
    figure = Figure(figsize=(9.2, 3.2 * len(kernels)), layout="constrained")
    rows = figure.subplots(len(kernels), 3, squeeze=False)
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (3, 3))
    for (left, middle, right), (name, kernel) in zip(rows, kernels.items(), strict=True):
        weights = np.asarray(kernel, float)
        answer = (windows * weights).sum((2, 3))
        left.imshow(pixels, cmap="gray")
        _frame(left, column - 1.5, row - 1.5, 3)
        for (down, across), value in np.ndenumerate(windows[row - 1, column - 1]):
            place = (column - 1 + across, row - 1 + down)
            _number(left, *place, f"{value:.0f}", "white" if value < pixels.mean() else "black")
        left.set_title("input (dB), nine of its pixels", fontsize=10)
        high = abs(weights).max()
        middle.imshow(weights, cmap="PuOr", vmin=-high, vmax=high)
        for (down, across), weight in np.ndenumerate(weights):
            dark = "white" if abs(weight) > 0.6 * high else "black"
            _number(middle, across, down, f"{weight:.3g}", dark, 11)
        middle.set(xticks=[], yticks=[])
        middle.set_title(f"kernel: {literal(name)}", fontsize=10)
        shown = np.full(pixels.shape, np.nan)
        shown[1:-1, 1:-1] = answer
        picture = right.imshow(shown, cmap="gray")
        _frame(right, column - 0.5, row - 0.5, 1)
        value = answer[row - 1, column - 1]
        right.set_title(f"output; in the frame {value:.1f} dB", fontsize=10)
        figure.colorbar(picture, ax=right, shrink=0.8, label="dB")
    for axis in rows[-1, [0, 2]]:
        axis.set_xlabel("column (pixels)")
    for axis in rows[:, 0]:
        axis.set_ylabel("row (pixels)")
    return figure


def slope_of_loss(
    weights: ArrayLike, losses: ArrayLike, at: tuple[float, float], slope: float, after: float
) -> Figure:
    """Loss against one weight; its tangent ``at`` (weight, loss), and the step to ``after``."""
    x, y = np.asarray(weights, float), np.asarray(losses, float)
    figure = Figure(figsize=(7.2, 3.8), layout="constrained")
    axis = figure.subplots()
    axis.plot(x, y, color="black", linewidth=2)
    reach = 0.18 * (x.max() - x.min()) * np.array([-1, 1])
    axis.plot(at[0] + reach, at[1] + slope * reach, "--", color=SLOPE, linewidth=2)
    low = reach[1] if slope < 0 else reach[0]  # the lower end of the tangent, free of the curve
    end = (at[0] + low, at[1] + slope * low)
    told: dict[str, Any] = dict(color=SLOPE, fontsize=10, textcoords="offset points", va="top")
    side = "right" if slope < 0 else "left"
    axis.annotate(f"slope {slope:+.2f}: the gradient", end, (0, -6), ha=side, **told)
    axis.plot(*at, "o", color=SLOPE, markersize=9)
    axis.plot(after, np.interp(after, x, y), "s", color=FRAME, markersize=9)
    arrow = dict(arrowstyle="-|>", color=FRAME, linewidth=2, shrinkA=0, shrinkB=0)
    floor = y.min() - 0.25 * (y.max() - y.min())
    axis.annotate("", (after, floor), (at[0], floor), arrowprops=arrow)
    step: dict[str, Any] = dict(fontsize=10, color=FRAME, ha="center", va="bottom")
    axis.text((after + at[0]) / 2, floor, "one step", **step)
    axis.set(xlabel="one of the weights", ylabel="loss (cross-entropy)")
    axis.set_ylim(floor - 0.06 * (y.max() - y.min()), None)
    axis.grid(alpha=0.3)
    return figure


def class_areas(
    networks: Mapping[str, Names],
    x: ArrayLike,
    y: ArrayLike,
    crops: Sequence[Crop],
    sides: tuple[str, str],
    losses: Mapping[str, Sequence[float]] | None = None,
    marks: Mapping[int, str] | None = None,
) -> Figure:
    """Points (n, 2) of classes y (n,), the places in ``crops``, and the class that networks give
    to each place of the plane, a panel for each title.

    With ``losses`` by name their curves stand before, with ``marks`` at some epochs.
    """
    count = len(networks) + bool(losses)
    size = (9.6, 3.9) if count > 2 else (4.6 * count, 4.2)
    figure = Figure(figsize=size, layout="constrained")
    axes = list(figure.subplots(1, count, squeeze=False)[0])
    if losses:
        _curves(axes.pop(0), losses, marks or {})
    for axis, (title, names) in zip(axes, networks.items(), strict=True):
        _areas(axis, names, np.asarray(x, float), np.asarray(y), crops)
        axis.set_title(title, fontsize=10)
        axis.set_xlabel(literal(sides[0]))
    axes[0].set_ylabel(literal(sides[1]))
    handles, labels = axes[0].get_legend_handles_labels()
    look: dict[str, Any] = dict(loc="outside upper center", ncols=len(crops), frameon=False)
    figure.legend(handles, labels, **look)
    return figure


def loss_by_step(losses: Mapping[str, Sequence[float]]) -> Figure:
    """Loss after each step of training, a line for each name."""
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    axis = figure.subplots()
    ends = []
    styles = (("-", "#000000"), ("--", "#56b4e9"), ("-.", "#cc79a7"), (":", "#e69f00"))
    for (name, values), (style, colour) in zip(losses.items(), styles, strict=False):
        axis.plot(values, style, color=colour, linewidth=2)
        ends.append((values[-1], len(values) - 1, name, colour))
    room = 0.07 * max(max(values) for values in losses.values())
    height = -room
    for loss, step, name, colour in sorted(ends):  # names stand above each other
        height = max(loss, height + room)
        axis.text(step + 1, height, literal(name), color=colour, fontsize=10, va="center")
    longest = max(map(len, losses.values()))
    axis.set(xlabel="step", ylabel="loss (cross-entropy)", ylim=(0, None))
    axis.set_xlim(0, 1.25 * longest)
    axis.grid(alpha=0.3)
    return figure


def _curves(axis: Axes, losses: Mapping[str, Sequence[float]], marks: Mapping[int, str]) -> None:
    """Losses by epoch of training and validation, with words at some epochs."""
    looks = {"training": ("-", CURVES[patches.TRAIN]), "validation": ("--", CURVES[patches.VALID])}
    for name, values in losses.items():
        style, colour = looks[name]
        axis.plot(values, style, color=colour, linewidth=2)
        end = (len(values) - 1, values[-1])
        told: dict[str, Any] = dict(color=colour, fontsize=10, ha="right")
        axis.annotate(
            name, end, (0, 5 if name == "training" else -30), textcoords="offset points", **told
        )
    top = max(max(values) for values in losses.values())
    for epoch, word in marks.items():
        axis.axvline(epoch, color="0.5", linewidth=1)
        axis.text(epoch, 1.02 * top, f" {word}", fontsize=9, va="top")
    axis.set(xlabel="epoch", ylabel="loss (cross-entropy)", ylim=(0, 1.05 * top))
    axis.grid(alpha=0.3)


def _areas(axis: Axes, names: Names, x: np.ndarray, y: np.ndarray, crops: Sequence[Crop]) -> None:
    """What a network names each place of the plane, in pale colours, under the points."""
    low, high = x.min(0) - 0.3, x.max(0) + 0.3
    across, down = np.meshgrid(*(np.linspace(low[k], high[k], 160) for k in (0, 1)))
    named = names(np.stack([across.ravel(), down.ravel()], axis=1)).reshape(across.shape)
    for code, crop in enumerate(crops):
        mine = (named == code).astype(float)
        if mine.any():
            axis.contourf(across, down, mine, levels=[0.5, 1.5], colors=[crop.colour], alpha=0.3)
            axis.contour(across, down, mine, levels=[0.5], colors="0.4", linewidths=0.6)
        points = x[y == code]
        look: dict[str, Any] = dict(color=ink(crop), markeredgecolor="black", markersize=5)
        axis.plot(*points.T, "os^D"[code % 4], label=literal(crop.name), mew=0.5, **look)
    axis.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))


def _frame(axis: Axes, x: float, y: float, side: int) -> None:
    axis.add_patch(Rectangle((x, y), side, side, fill=False, edgecolor=FRAME, linewidth=2.5))


def _number(axis: Axes, x: float, y: float, told: str, colour: str, size: float = 9) -> None:
    axis.text(x, y, told, color=colour, fontsize=size, ha="center", va="center")
