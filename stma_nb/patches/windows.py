"""From a scene to patches and back: where windows lie, how their values are scaled, and how
predictions are stitched together.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import xarray as xr

from stma_nb import radar
from stma_nb.cube import SeasonError

ORDER = ("vh", "vv")  # the order of polarisations that the network sees
IGNORE = -100  # label of a pixel that no loss and no score counts
FLOOR = 1e-3  # -30 dB, below Sentinel-1's noise: what is lower, or negative after noise removal, counts as this


# ---------------------------------------------------------------------------------------------- cut


def corners(shape: tuple[int, int], patch: int, overlap: float = 0.0) -> np.ndarray:
    """Upper left corners (n, 2) of windows that cover a scene of ``shape`` (rows, columns), row by
    row.

    Neighbours overlap by the share ``overlap`` of a patch; the last window of a row or column lies
    flush with the border, so every pixel is covered. Raises ValueError if the patch is larger than
    the scene or the overlap is not in [0, 1).
    """
    if patch > min(shape):
        raise ValueError(
            f"A patch of {patch} pixels is larger than the scene ({shape[0]} x {shape[1]}): give "
            "a larger scene or a smaller patch."
        )
    if not 0 <= overlap < 1:
        raise ValueError(
            f"The overlap is {overlap}; expected a share of the patch, at least 0 and below 1."
        )
    stride = max(1, round(patch * (1 - overlap)))
    rows, columns = (sorted({*range(0, size - patch, stride), size - patch}) for size in shape)
    return np.array([(row, column) for row in rows for column in columns])


# -------------------------------------------------------------------------------------------- scale


class Scaling(NamedTuple):
    """Mean and standard deviation in dB per band, in the network's order (VH, VV)."""

    mean: tuple[float, ...]
    std: tuple[float, ...]


def fit_scaling(season: xr.Dataset, mask: np.ndarray | None = None) -> Scaling:
    """Statistics of the backscatter in dB where ``mask`` (rows, columns) is set: use the training
    part, and only that.
    """
    where = xr.DataArray(
        np.ones((season.sizes["y"], season.sizes["x"]), bool) if mask is None else mask,
        dims=("y", "x"),
    )
    bands = [radar.to_db(season[name].clip(min=FLOOR)).where(where) for name in ORDER]
    mean, std = (
        tuple(float(getattr(band, statistic)().compute()) for band in bands)
        for statistic in ("mean", "std")
    )
    if not np.isfinite(mean + std).all():
        raise SeasonError(
            "The training part holds no data (all NaN): choose another split or another area."
        )
    return Scaling(mean, std)


def network_input(vh: np.ndarray, vv: np.ndarray, scaling: Scaling) -> np.ndarray:
    """Scale linear power (T, ..., ...) of both bands to the network's input (T, 2, ..., ...);
    missing values become the mean.
    """
    bands = [
        (radar.to_db(np.maximum(band, FLOOR)) - m) / s
        for band, m, s in zip((vh, vv), *scaling, strict=True)
    ]
    return np.nan_to_num(np.stack(bands, axis=1)).astype(np.float32)


def without_data(vh: np.ndarray, vv: np.ndarray) -> np.ndarray:
    """Which pixels (...) have no value in any band on any date (T, ...): nothing to learn from, and
    nothing to map.
    """
    return np.isnan(vh).all(0) & np.isnan(vv).all(0)


# ------------------------------------------------------------------------------------------- stitch


def blend_weight(patch: int) -> np.ndarray:
    """A smooth weight (P, P): one in the middle of a window, close to zero at its border, where
    context is missing.
    """
    ramp = np.sin(np.pi * (np.arange(patch) + 0.5) / patch) ** 2
    return (np.outer(ramp, ramp) + 1e-3).astype(np.float32)


def stitch(
    pieces: Iterable[np.ndarray], windows: np.ndarray, patch: int, shape: tuple[int, int]
) -> np.ndarray:
    """Blend predictions (K, P, P) of windows (n, 2) into one array (K, rows, columns); windows must
    cover every pixel.

    ``pieces`` come in the order of ``windows`` and are taken one at a time.
    """
    weight = blend_weight(patch)
    total, norm = None, np.zeros(shape, np.float32)
    for (row, column), piece in zip(windows, pieces, strict=True):
        if total is None:
            total = np.zeros((len(piece), *shape), np.float32)
        window = np.s_[..., row : row + patch, column : column + patch]
        total[window] += weight * piece
        norm[window] += weight
    total /= norm
    return total
