"""Field by field: what a parcel's pixels say together.

A farmer's declaration names a crop for a parcel, not for a pixel. Votes and matrices of parts of a
scene add up, so a scene of any size is worked through window by window. Parcel 0 is no parcel.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import ndimage

from stma_nb.accuracy.matrix import check_probabilities, counted, read_windows
from stma_nb.accuracy.resample import unit_matrices
from stma_nb.cube import elected, parcel_numbers, parcel_positions, parcel_votes


def vote(
    pixels: np.ndarray, parcel: np.ndarray, classes: int, numbers: np.ndarray | None = None
) -> np.ndarray:
    """The votes (P, K) of each parcel's pixels for the classes: ``cube.parcel_votes``.

    ``pixels`` are map codes (rows, columns), or probabilities (K, rows, columns), which must sum to
    one wherever they are not NaN (ValueError).
    """
    if np.ndim(pixels) > np.ndim(parcel):
        check_probabilities(np.asarray(pixels))
    return parcel_votes(pixels, parcel, classes, numbers)


def parcel_matrices(
    mapped: np.ndarray,
    reference: np.ndarray,
    parcel: np.ndarray,
    classes: int,
    numbers: np.ndarray | None = None,
    where: np.ndarray | None = None,
) -> np.ndarray:
    """One error matrix of pixels for every parcel (P, K, K), what ``accuracy.interval`` takes.

    Windows add up as in ``vote``.
    """
    if np.shape(parcel) != np.shape(mapped):
        raise ValueError(
            f"Map and parcels have shapes {np.shape(mapped)} and {np.shape(parcel)}; "
            "expected one shape."
        )
    numbers = parcel_numbers(parcel) if numbers is None else np.asarray(numbers)
    unit = parcel_positions(np.asarray(parcel), numbers)
    return unit_matrices(mapped, reference, unit, len(numbers), classes, where)


def matrices_of_files(
    map_path: str | Path,
    reference_path: str | Path,
    parcel_path: str | Path,
    classes: int,
    where_path: str | Path | None = None,
    align: str | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """(numbers, matrices) of all parcels, from GeoTIFFs read window by window.

    See ``accuracy.matrix_of_files``.
    """
    paths = [map_path, reference_path, parcel_path]
    if where_path:
        paths.append(where_path)
    numbers = np.zeros(0, dtype=np.int64)
    for _, (parcel,) in read_windows(parcel_path):
        numbers = np.union1d(numbers, parcel_numbers(parcel.filled(0)))
    matrices = np.zeros((len(numbers), classes, classes), dtype=np.int64)
    for _, (mapped, reference, parcel, *where) in read_windows(*paths, align=align):
        parcel = parcel.filled(0)
        here = parcel_numbers(parcel)  # only these parcels' matrices are touched
        valid = counted(mapped, reference, *where)
        added = parcel_matrices(mapped.data, reference.data, parcel, classes, here, valid)
        matrices[np.searchsorted(numbers, here)] += added
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
    """One row a parcel: pixels, hectares, reference class, majority class, share of pixels right.

    With probabilities, their class as well. Only pixels with a map code are counted. A parcel
    without any (listed in ``numbers`` but absent, or all nodata) keeps its row, with 0 pixels and
    no classes. ``pixel_area`` is in hectares (0.01 = 10 m).
    """
    numbers = parcel_numbers(parcel) if numbers is None else np.asarray(numbers)
    matrices = parcel_matrices(mapped, reference, parcel, classes, numbers, where)
    table = table_of(numbers, matrices, pixel_area)
    if probabilities is not None:
        asked = np.asarray(parcel) if where is None else np.where(where, parcel, 0)
        by_mean = elected(vote(probabilities, asked, classes, numbers))
        table.insert(4, "mean probability", by_mean)  # beside the majority
    return table


def table_of(numbers: np.ndarray, matrices: np.ndarray, pixel_area: float = 0.01) -> pd.DataFrame:
    """``parcel_table`` from the parcels' error matrices (P, K, K)."""
    pixels = matrices.sum((1, 2))
    right = np.trace(matrices, axis1=1, axis2=2)
    columns = {
        "pixels": pixels,
        "hectares": pixels * pixel_area,
        "reference": elected(matrices.sum(1)),
        "majority": elected(matrices.sum(2)),
        "share right": _share(right, pixels),
    }
    return pd.DataFrame(columns, index=pd.Index(numbers, name="parcel"))


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole, and NaN of nothing."""
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)


def parcel_matrix(
    table: pd.DataFrame, classes: int, weight: str = "count", vote: str = "majority"
) -> np.ndarray:
    """Error matrix (K, K) of parcels.

    Each counts once (``weight="count"``) or with its hectares (``"area"``). ``vote`` names the
    table's column with the mapped class, ``"majority"`` or ``"mean probability"``. Parcels without
    pixels are left out.
    """
    if weight not in ("count", "area") or vote not in table:
        raise ValueError(
            f"weight={weight!r}, vote={vote!r}; "
            "expected 'count' or 'area', and a column of the table."
        )
    known = table[table[["reference", vote]].notna().all(axis=1)]
    rows = known[vote].to_numpy(int)
    columns = known["reference"].to_numpy(int)
    hectares = None if weight == "count" else known["hectares"].to_numpy()
    cell = rows * classes + columns  # one number for each cell of the matrix
    return np.bincount(cell, hectares, classes**2).reshape(classes, classes)


# -------------------------------------------------------------------------------------------- edges


def edge_distance(parcel: np.ndarray) -> np.ndarray:
    """How deep a pixel lies in its parcel, in pixels: 1 on the outermost ring, 0 outside parcels.

    Scene borders are no edges. ``edge_distance(parcel) > 2`` is a mask of pixels away from edges,
    where the radar sees one field only.
    """
    parcel = np.asarray(parcel)
    # The pixels with a pixel of another number beside them.
    lowest = ndimage.minimum_filter(parcel, 3, mode="nearest")
    highest = ndimage.maximum_filter(parcel, 3, mode="nearest")
    ring = lowest != highest
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
    """Pixels and share mapped right by distance to the field edge.

    In classes (0, 1], (1, 2] ... and beyond the last of ``bounds`` pixels.
    """
    mapped = np.asarray(mapped)
    reference = np.asarray(reference)
    distance = edge_distance(parcel)
    inside = (distance > 0) & (mapped != nodata)
    breaks = [0, *bounds, np.inf]
    step = np.searchsorted(breaks, distance[inside]) - 1
    pixels = np.bincount(step, minlength=len(breaks) - 1)
    right = np.bincount(step, (mapped == reference)[inside], len(breaks) - 1)
    return pd.DataFrame(
        {"pixels": pixels, "share right": _share(right, pixels)},
        index=pd.IntervalIndex.from_breaks(breaks, name="distance"),
    )
