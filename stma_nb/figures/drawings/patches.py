"""Windows over a scene: side by side, overlapping, and drawn by lot."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from stma_nb import patches
from stma_nb.figures.colours import CURVES, PARTS

SHADES = ListedColormap(["#ffffff", "#d6e6f2", PARTS[patches.TRAIN], "#5a9bcb", "#1f4e79"])


def windows(patch: int = 32, side: int = 160, train: float = 0.6, seed: int = 0) -> Figure:
    """Windows of a square scene: side by side, overlapping by half, and a share that trains.

    The second panel fills the four windows that hold one pixel (the cross). The third counts the
    training windows over each pixel when a random share ``train`` of the overlapping windows
    trains, and the rest is tested where it lies (``patches.published_windows``), with a test window
    outlined.
    """
    shape = (side, side)
    figure = Figure(figsize=(9.4, 3.6), layout="constrained")
    axes = figure.subplots(1, 3, sharey=True)
    apart, half = (patches.corners(shape, patch, overlap) for overlap in (0, 0.5))
    axes[0].set_title(f"side by side: {len(apart)} windows", fontsize=11)
    _outline(axes[0], apart, patch, edgecolor="0.3")
    axes[1].set_title(f"half overlap: {len(half)} windows", fontsize=11)
    _outline(axes[1], half, patch, edgecolor="0.75", linewidth=0.6)
    pixel = np.array([side // 2 + patch // 6, side // 2 + patch // 4])
    over = half[((half <= pixel) & (pixel < half + patch)).all(1)]
    _outline(axes[1], over, patch, facecolor=CURVES[patches.TRAIN], alpha=0.22, linewidth=0)
    for number, corner in enumerate(over):  # one within the other, so that all four are seen
        inset = 1.5 * number
        _outline(axes[1], corner[None] + inset, patch - 2 * inset, edgecolor=CURVES[patches.TRAIN])
    axes[1].plot(pixel[1], pixel[0], "x", color="black", markersize=9, markeredgewidth=2)
    learned, tested = patches.published_windows(shape, patch, train, seed)
    count = sum(patches.covered(shape, window[None], patch).astype(int) for window in learned)
    edges = (-0.5, side - 0.5, side - 0.5, -0.5)
    picture = axes[2].imshow(count, cmap=SHADES, vmin=-0.5, vmax=4.5, extent=edges)
    middle = tested[len(tested) // 2 : len(tested) // 2 + 1]
    _outline(axes[2], middle, patch, edgecolor=PARTS[patches.TEST], linewidth=3)
    axes[2].set_title(f"a random {train:.0%} of these train", fontsize=11)
    bar = figure.colorbar(picture, ax=axes[2], ticks=range(5), shrink=0.8)
    bar.set_label("training windows over a pixel")
    for axis in axes:
        axis.set(xlim=edges[:2], ylim=edges[2:], aspect="equal", xlabel="column (pixels of 10 m)")
        axis.set(xticks=range(0, side + 1, 2 * patch), yticks=range(0, side + 1, 2 * patch))
    axes[0].set_ylabel("row (pixels of 10 m)")
    return figure


def _outline(axis: Axes, corners: np.ndarray, patch: float, **look: object) -> None:
    """Squares at the upper left corners (row, column) of windows."""
    for row, column in corners:
        look = {"facecolor": "none"} | look
        axis.add_patch(Rectangle((column - 0.5, row - 0.5), patch, patch, **look))  # type: ignore[arg-type]
