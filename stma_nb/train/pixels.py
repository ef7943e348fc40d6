"""Seasons of single pixels, for methods that look at every pixel alone."""

import numpy as np
import xarray as xr
from torch import Tensor

from stma_nb.patches import (
    IGNORE,
    Scaling,
    network_input,
    read_labels,
    read_window,
    without_data,
)

ROWS = 32  # read at a time: a strip of a scene 5000 pixels wide with 41 dates takes 53 MB


def draw_pixels(
    season: xr.Dataset, mask: np.ndarray, pixels: int, scaling: Scaling, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Scaled seasons (n, T, bands) and class codes (n,) of at most ``pixels`` random pixels.

    They lie in ``mask`` (rows, columns), have data and a known class, and come in random order.
    """
    rng = np.random.default_rng(seed)
    # Some more than asked for, since some have no data.
    chosen = rng.permutation(np.flatnonzero(mask))[: int(1.2 * pixels)]
    row, column = np.divmod(chosen, mask.shape[1])
    seasons, labels = [], []
    for top in range(0, mask.shape[0], ROWS):
        here = (row >= top) & (row < top + ROWS)
        if not here.any():
            continue
        strip = slice(top, min(top + ROWS, mask.shape[0])), slice(0, mask.shape[1])
        inside = row[here] - top, column[here]
        values = read_window(season, scaling.bands, strip)[..., *inside]  # (T, bands, n)
        codes = read_labels(season, strip)[inside]
        known = ~without_data(values) & (codes != IGNORE)
        seasons.append(network_input(values[..., known], scaling).transpose(2, 0, 1))
        labels.append(codes[known])
    x, y = np.concatenate(seasons), np.concatenate(labels).astype(np.int64)
    order = rng.permutation(len(y))[:pixels]
    return np.ascontiguousarray(x[order]), y[order]


def pixels_of(x: Tensor) -> Tensor:
    """Patches (B, T, bands, P, P) as the seasons of their pixels (B P P, T, bands)."""
    return x.permute(0, 3, 4, 1, 2).flatten(0, 2)


def patches_of(values: Tensor, like: Tensor) -> Tensor:
    """What was computed for every pixel (B P P, K), as patches (B, K, P, P) again."""
    batch, _, _, rows, columns = like.shape
    return values.reshape(batch, rows, columns, -1).permute(0, 3, 1, 2)
