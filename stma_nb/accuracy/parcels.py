"""Field by field: what a parcel's pixels say together. A farmer's declaration names a crop for a
parcel, not for a pixel.

Votes and matrices of parts of a scene add up, so a scene of any size is worked through window by
window. Parcel 0 is no parcel.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import ndimage

from stma_nb.accuracy.matrix import check_probabilities, counted, read_windows
from stma_nb.accuracy.resample import unit_matrices


def numbers_of(parcel: np.ndarray) -> np.ndarray:
    """The parcel numbers that occur, in order, without 0 (no parcel) and numbers below it."""
    numbers = pd.unique(
        np.asarray(parcel).ravel()
    )  # by hashing: pixels of a parcel come in runs, and sorting them all is slow
    return np.sort(numbers[numbers > 0])


def vote(
    pixels: np.ndarray, parcel: np.ndarray, classes: int, numbers: np.ndarray | None = None
) -> np.ndarray:
    """The votes of each parcel's pixels for the classes: (P, K), for the parcels in ``numbers``
    (default: those that occur).

    ``pixels`` are map codes (rows, columns), one vote each and none for nodata, or probabilities
    (K, rows, columns), summed. Votes of windows with the same ``numbers`` add up; ``winner`` says
    who is elected.
    """
    pixels, parcel = np.asarray(pixels), np.asarray(parcel)
    numbers = numbers_of(parcel) if numbers is None else np.asarray(numbers)
    if pixels.shape not in (parcel.shape, (classes, *parcel.shape)):
        raise ValueError(
            f"Map and parcels have shapes {pixels.shape} and {parcel.shape}; expected one shape, "
            f"or ({classes}, rows, columns) "
            "for probabilities."
        )
    unit = _positions(parcel, numbers)
    if pixels.ndim == parcel.ndim:
        valid = (unit >= 0) & (pixels >= 0) & (pixels < classes)
        cell = unit[valid] * classes + pixels[valid]
        return np.bincount(cell, minlength=len(numbers) * classes).reshape(-1, classes)
    check_probabilities(pixels)
    valid = (unit >= 0) & np.isfinite(pixels[0])
    return np.stack(
        [np.bincount(unit[valid], band[valid], minlength=len(numbers)) for band in pixels], axis=1
    )


def winner(votes: np.ndarray) -> pd.array:
    """The class with most votes (P, K) for each parcel; a tie goes to the lower code, no votes to
    ``<NA>``.
    """
    elected = pd.array(votes.argmax(1), dtype="Int64")
    elected[votes.sum(1) == 0] = pd.NA
    return elected


def parcel_matrices(
    mapped: np.ndarray,
    reference: np.ndarray,
    parcel: np.ndarray,
    classes: int,
    numbers: np.ndarray | None = None,
    where: np.ndarray | None = None,
) -> np.ndarray:
    """One error matrix of pixels for every parcel (P, K, K), what ``accuracy.bootstrap`` takes;
    windows add up as in ``vote``.
    """
    if np.shape(parcel) != np.shape(mapped):
        raise ValueError(
            f"Map and parcels have shapes {np.shape(mapped)} and {np.shape(parcel)}; expected one "
            "shape."
        )
    numbers = numbers_of(parcel) if numbers is None else np.asarray(numbers)
    return unit_matrices(
        mapped, reference, _positions(np.asarray(parcel), numbers), len(numbers), classes, where
    )


def matrices_of_files(
    map_path: str | Path,
    reference_path: str | Path,
    parcel_path: str | Path,
    classes: int,
    where_path: str | Path | None = None,
    align: str | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """(numbers, matrices) of all parcels, from GeoTIFFs read window by window; see
    ``accuracy.matrix_of_files``.
    """
    paths = [map_path, reference_path, parcel_path] + ([where_path] if where_path else [])
    numbers = np.zeros(0, dtype=np.int64)
    for _, (parcel,) in read_windows(parcel_path):
        numbers = np.union1d(numbers, numbers_of(parcel.filled(0)))
    matrices = np.zeros((len(numbers), classes, classes), dtype=np.int64)
    for _, (mapped, reference, parcel, *where) in read_windows(*paths, align=align):
        here = numbers_of(parcel.filled(0))  # only these parcels' matrices are touched
        matrices[np.searchsorted(numbers, here)] += parcel_matrices(
            mapped.data,
            reference.data,
            parcel.filled(0),
            classes,
            here,
            counted(mapped, reference, *where),
        )
    return numbers, matrices


def parcel_table(
    mapped: np.ndarray,
    reference: np.ndarray,
    parcel: np.ndarray,
    classes: int,
    probabilities: np.ndarray | None = None,
    pixel_area: float = 0.01,
    numbers: np.ndarray | None = None,
    where: np.ndarray | None = None,
) -> pd.DataFrame:
    """One row a parcel: pixels, hectares, reference class, majority class, share of pixels right;
    with probabilities, their class.

    Only pixels with a map code are counted. A parcel without any (listed in ``numbers`` but absent,
    or all nodata) keeps its row, with 0 pixels and no classes. ``pixel_area`` is in hectares (0.01
    = 10 m).
    """
    numbers = numbers_of(parcel) if numbers is None else np.asarray(numbers)
    table = table_of(
        numbers, parcel_matrices(mapped, reference, parcel, classes, numbers, where), pixel_area
    )
    if probabilities is not None:
        asked = np.asarray(parcel) if where is None else np.where(where, parcel, 0)
        table.insert(4, "mean probability", winner(vote(probabilities, asked, classes, numbers)))
    return table


def table_of(numbers: np.ndarray, matrices: np.ndarray, pixel_area: float = 0.01) -> pd.DataFrame:
    """``parcel_table`` from the parcels' error matrices (P, K, K)."""
    pixels = matrices.sum((1, 2))
    right = np.trace(matrices, axis1=1, axis2=2)
    return pd.DataFrame(
        {
            "pixels": pixels,
            "hectares": pixels * pixel_area,
            "reference": winner(matrices.sum(1)),
            "majority": winner(matrices.sum(2)),
            "share right": np.divide(
                right, pixels, out=np.full(len(pixels), np.nan), where=pixels > 0
            ),
        },
        index=pd.Index(numbers, name="parcel"),
    )


def parcel_matrix(
    table: pd.DataFrame, classes: int, weight: str = "count", vote: str = "majority"
) -> np.ndarray:
    """Error matrix (K, K) of parcels: each counts once (``weight="count"``) or with its hectares
    (``"area"``).

    ``vote`` names the table's column with the mapped class, ``"majority"`` or ``"mean
    probability"``. Parcels without pixels are left out.
    """
    if weight not in ("count", "area") or vote not in table:
        raise ValueError(
            f"weight={weight!r}, vote={vote!r}; expected 'count' or 'area', and a column of the "
            "table."
        )
    known = table[["reference", vote]].notna().all(axis=1)
    rows, columns = (table.loc[known, name].to_numpy(int) for name in (vote, "reference"))
    hectares = None if weight == "count" else table.loc[known, "hectares"].to_numpy()
    return np.bincount(rows * classes + columns, hectares, classes**2).reshape(classes, classes)


# -------------------------------------------------------------------------------------------- edges


def edge_distance(parcel: np.ndarray) -> np.ndarray:
    """How deep a pixel lies in its parcel, in pixels: 1 on the outermost ring, 0 outside parcels.
    Scene borders are no edges.

    ``edge_distance(parcel) > 2`` is a mask of pixels away from edges, where the radar sees one
    field only.
    """
    parcel = np.asarray(parcel)
    ring = ndimage.minimum_filter(parcel, 3, mode="nearest") != ndimage.maximum_filter(
        parcel, 3, mode="nearest"
    )
    if not ring.any():
        return np.where(parcel > 0, np.inf, 0)
    return np.where(parcel > 0, 1 + ndimage.distance_transform_edt(~ring), 0)


def edge_accuracy(
    mapped: np.ndarray,
    reference: np.ndarray,
    parcel: np.ndarray,
    bounds: Sequence[float] = (1, 2, 3, 5, 10),
    nodata: int = 255,
) -> pd.DataFrame:
    """Pixels and share mapped right by distance to the field edge: (0, 1], (1, 2] ...

    and beyond the last of ``bounds`` pixels.
    """
    mapped, reference = np.asarray(mapped), np.asarray(reference)
    distance = edge_distance(parcel)
    inside = (distance > 0) & (mapped != nodata)
    breaks = [0, *bounds, np.inf]
    step = np.searchsorted(breaks, distance[inside]) - 1
    pixels = np.bincount(step, minlength=len(breaks) - 1)
    right = np.bincount(step, (mapped == reference)[inside], len(breaks) - 1)
    share = np.divide(right, pixels, out=np.full(len(pixels), np.nan), where=pixels > 0)
    return pd.DataFrame(
        {"pixels": pixels, "share right": share},
        index=pd.IntervalIndex.from_breaks(breaks, name="distance"),
    )


def _positions(parcel: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Where each pixel's parcel stands in ``numbers`` (in order, without repetition); -1 if it is
    not listed.
    """
    if len(numbers) == 0:
        return np.full(parcel.shape, -1)
    if (np.diff(numbers) <= 0).any():
        raise ValueError(
            "The parcel numbers are not in order or occur twice: give numpy.unique(numbers)."
        )
    position = np.searchsorted(numbers, parcel).clip(max=len(numbers) - 1)
    return np.where(numbers[position] == parcel, position, -1)
