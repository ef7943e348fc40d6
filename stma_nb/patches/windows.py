"""From a scene to patches and back: where windows lie, what the network sees of them, stitching."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import dask
import dask.threaded
import numpy as np
import xarray as xr

from stma_nb import cube, radar
from stma_nb.cube import UNKNOWN, SeasonError

IGNORE = -100  # label of a pixel that no loss and no score counts
FLOOR = 1e-3  # -30 dB, below Sentinel-1's noise: what is lower, or negative, counts as this

Window = tuple[slice, slice]  # rows and columns of the scene


# ---------------------------------------------------------------------------------------------- cut


def corners(shape: tuple[int, int], patch: int, overlap: float = 0.0) -> np.ndarray:
    """Upper left corners (n, 2) of windows that cover a scene (rows, columns), row by row.

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


def window_at(corner: Sequence[int] | np.ndarray, patch: int) -> Window:
    """The window of ``patch`` pixels a side with this upper left corner: ``a[..., *window]``."""
    row, column = int(corner[0]), int(corner[1])
    return slice(row, row + patch), slice(column, column + patch)


def read_window(season: xr.Dataset, bands: Sequence[str], window: Window) -> np.ndarray:
    """The values (T, bands, rows, columns) float32 of a window: only these pixels are read.

    A layer without dates, such as ``incidence_angle`` (y, x), is repeated on every date.
    """
    return read_layers([season[name].data for name in bands], window)


def read_labels(season: xr.Dataset, window: Window) -> np.ndarray:
    """The class codes (rows, columns) int64 of a window, IGNORE where the class is unknown."""
    labels = np.asarray(season.crop.data[window]).astype(np.int64)
    labels[labels == UNKNOWN] = IGNORE
    return labels


def read_layers(layers: Sequence, window: Window) -> np.ndarray:
    """As ``read_window``, from NumPy or Dask arrays (T, y, x), or (y, x) for a layer without dates.

    Dask's threads read, never the scheduler of a cluster: this may be running in one of its tasks.
    """
    pieces = dask.compute(*(layer[..., *window] for layer in layers), scheduler=dask.threaded.get)
    dates = max(len(piece) for piece in pieces if piece.ndim == 3)
    shape = (dates, len(pieces), *pieces[0].shape[-2:])
    values = np.empty(shape, np.float32)
    for number, piece in enumerate(pieces):
        values[:, number] = piece
    # A pixel that no dated layer sees has no data, whatever a layer without dates says there.
    dated = [number for number, piece in enumerate(pieces) if piece.ndim == 3]
    if len(dated) < len(pieces):
        unseen = without_data(values[:, dated])
        values[..., unseen] = np.nan
    return values


# -------------------------------------------------------------------------------------------- scale


class Scaling(NamedTuple):
    """How the bands of a season become a network's numbers: (value - mean) / std, band by band.

    ``bands`` names variables of the season in the network's order, ``units`` what they are in. The
    bands in ``decibel`` are linear power and are taken in dB first; ``mean`` and ``std`` are of dB.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    bands: tuple[str, ...] = ("vh", "vv")
    decibel: tuple[str, ...] = ("vh", "vv")
    units: tuple[str, ...] = ("1", "1")


def fit_scaling(
    season: xr.Dataset,
    mask: np.ndarray | None = None,
    bands: Sequence[str] | None = None,
    decibel: Sequence[str] | None = None,
) -> Scaling:
    """Statistics of the bands where ``mask`` (rows, columns) is set: the training part, only that.

    ``bands`` are those that a network is to see, in its order; by default all that have dates
    (``cube.bands``). Layers (y, x) such as ``incidence_angle`` may be named as well. ``decibel``
    are the bands taken in dB, by default the polarisations; a power ratio may be added.

    Raises SeasonError for a band that is not there and for a training part without data.
    """
    cube.check_layout(season, grid=False)
    bands = cube.bands(season) if bands is None else tuple(bands)
    missing = [name for name in bands if name not in season]
    if missing:
        raise SeasonError(f"The season has no band '{missing[0]}'; it has {_names(season)}.")
    if decibel is None:
        decibel = tuple(name for name in bands if name in cube.POLARISATIONS)
    where = True if mask is None else xr.DataArray(mask, dims=("y", "x"))
    mean, std = [], []
    for name in bands:
        values = season[name]
        if name in decibel:
            values = radar.to_db(values.clip(min=FLOOR).assign_attrs(units="1"))
        values = values.where(where)
        mean.append(float(values.mean().compute()))
        std.append(float(values.std().compute()))
    if not np.isfinite(mean + std).all():
        raise SeasonError(
            "The training part holds no data (all NaN): choose another split or another area."
        )
    units = tuple(_units(season, name) for name in bands)
    return Scaling(tuple(mean), tuple(std), bands, tuple(decibel), units)


def check_bands(season: xr.Dataset, scaling: Scaling) -> None:
    """Raise SeasonError unless a season has the bands of a scaling, in the same units."""
    for name, units in zip(scaling.bands, scaling.units, strict=True):
        if name not in season:
            raise SeasonError(
                f"The network sees the bands {', '.join(scaling.bands)}; the season has no "
                f"'{name}' (it has {_names(season)}): add it, or train on what there is."
            )
        found = _units(season, name)
        if found != units:
            raise SeasonError(
                f"'{name}' is in '{found}'; the network was trained with '{units}': convert it."
            )


def _units(season: xr.Dataset, name: str) -> str:
    return str(season[name].attrs.get("units", "1"))


def _names(season: xr.Dataset) -> str:
    return ", ".join(cube.bands(season))


def network_input(values: np.ndarray, scaling: Scaling) -> np.ndarray:
    """Scale values (T, bands, ...) to a network's input, float32; what is missing gets the mean."""
    return standardised(in_decibels(values, scaling), scaling)


def in_decibels(values: np.ndarray, scaling: Scaling) -> np.ndarray:
    """Values (T, bands, ...) as a network sees them, float32: dB in the bands of
    ``scaling.decibel``, at least -30 dB (FLOOR); other bands as they are. What is missing stays
    NaN.
    """
    seen = np.array(values, np.float32)
    for number, name in enumerate(scaling.bands):
        if name in scaling.decibel:
            seen[:, number] = radar.to_db(np.maximum(values[:, number], FLOOR))
    return seen


def standardised(seen: np.ndarray, scaling: Scaling) -> np.ndarray:
    """Scale values (T, bands, ...) of ``in_decibels`` to a network's input, float32; what is
    missing gets the mean (zero).
    """
    x = np.empty(seen.shape, np.float32)
    for number in range(len(scaling.bands)):
        x[:, number] = (seen[:, number] - scaling.mean[number]) / scaling.std[number]
    return np.nan_to_num(x, copy=False)


def without_data(values: np.ndarray) -> np.ndarray:
    """Which pixels (...) of values (T, bands, ...) have none: nothing to learn, nothing to map."""
    return np.isnan(values).all((0, 1))


# ------------------------------------------------------------------------------------------- stitch


def blend_weight(patch: int) -> np.ndarray:
    """A smooth weight (P, P): one in the middle of a window, nearly 0 at its border.

    There a window knows little of what lies around, so its neighbour's word counts for more.
    """
    ramp = np.sin(np.pi * (np.arange(patch) + 0.5) / patch) ** 2
    return (np.outer(ramp, ramp) + 1e-3).astype(np.float32)


def stitch(
    pieces: Iterable[np.ndarray], windows: np.ndarray, patch: int, shape: tuple[int, int]
) -> np.ndarray:
    """Blend predictions (K, P, P) of windows (n, 2) into one array (K, rows, columns).

    Windows must cover every pixel. ``pieces`` come in the order of ``windows`` and are taken one at
    a time, so that they may be computed as they are needed.
    """
    weight = blend_weight(patch)
    norm = np.zeros(shape, np.float32)
    total = np.zeros((0, *shape), np.float32)
    for corner, piece in zip(windows, pieces, strict=True):
        if not len(total):
            total = np.zeros((len(piece), *shape), np.float32)
        window = window_at(corner, patch)
        total[..., *window] += weight * piece
        norm[window] += weight
    total /= norm
    return total
