"""How sure is a score? Resample blocks or parcels, never pixels.

Neighbours in a field share its weather, its soil and its errors: a pixel is no independent
witness. One error matrix for each block or parcel is all that resampling
needs: whole units are drawn again and again with replacement, and their matrices summed.
"""

import math
import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from stma_nb.accuracy.matrix import pair_codes

Score = Callable[[np.ndarray], float | np.ndarray]


class Interval(NamedTuple):
    """A score of the whole map with the ends of its percentile interval."""

    estimate: float | np.ndarray
    low: float | np.ndarray
    high: float | np.ndarray


class Difference(NamedTuple):
    """Score of map a minus score of map b, its percentile interval, and a p-value.

    The p-value is two-sided, of no difference.
    """

    estimate: float
    low: float
    high: float
    p: float


def block_matrices(
    mapped: np.ndarray,
    reference: np.ndarray,
    classes: int,
    block: int,
    where: np.ndarray | None = None,
) -> np.ndarray:
    """One error matrix for every square block of ``block`` pixels, row by row: (n, K, K) integers.

    Their sum is the matrix of the whole map. Codes outside the legend are treated as in
    ``accuracy.error_matrix``. Choose blocks longer than the errors hang together.
    """
    if block < 1:
        raise ValueError(f"The block is {block} pixels; expected at least 1.")
    rows, columns = np.shape(mapped)
    across = math.ceil(columns / block)
    count = math.ceil(rows / block) * across
    units = np.add.outer(np.arange(rows) // block * across, np.arange(columns) // block)
    return unit_matrices(mapped, reference, units, count, classes, where)


def unit_matrices(
    mapped: np.ndarray,
    reference: np.ndarray,
    units: np.ndarray,
    count: int,
    classes: int,
    where: np.ndarray | None = None,
) -> np.ndarray:
    """One error matrix for every unit: (count, K, K).

    ``units`` holds the unit of every pixel, 0 .. count - 1; others are not counted.
    """
    keep, pairs = pair_codes(mapped, reference, classes, where)
    unit = np.asarray(units)[keep]
    inside = (unit >= 0) & (unit < count)
    # One number for each unit and pair of map and reference code: its cell in the result.
    cell = unit[inside].astype(np.int64) * classes**2 + pairs[inside]
    return np.bincount(cell, minlength=count * classes**2).reshape(count, classes, classes)


def bootstrap(
    matrices: np.ndarray, score: Score, replicates: int = 1000, seed: int = 0, level: float = 0.95
) -> Interval:
    """A score of the summed matrices (n, K, K), with its percentile interval over resampled units.

    ``score`` makes a number, or an array of them, of an error matrix: say
    ``accuracy.overall_accuracy``. Units that count nothing are left out; replicates in which a
    score is not defined (NaN, a class not drawn) do not count. Raises ValueError for fewer than two
    units. Efron and Tibshirani (1993), chapters 6 and 13; on the unit: Stehman and Wickham (2011),
    https://doi.org/10.1016/j.rse.2011.06.007.
    """
    matrices = _units(matrices)
    scores = np.array([score(matrix) for matrix in _resampled(matrices, replicates, seed)])
    return Interval(score(matrices.sum(0)), *_percentiles(scores, level))


def paired_difference(
    matrices_a: np.ndarray,
    matrices_b: np.ndarray,
    score: Callable[[np.ndarray], float],
    replicates: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> Difference:
    """Is map a better than map b?

    Both are scored on the same resampled units, so what is hard for both cancels. The p-value is
    twice the share of replicates on the other side of 0 (at least 2 / (replicates + 1)). Raises
    ValueError if the two do not count the same reference pixels in every unit.
    """
    # Columns are the reference: their sums are the same for both maps, unit by unit.
    same_shape = np.shape(matrices_a) == np.shape(matrices_b)
    if not (same_shape and np.array_equal(np.sum(matrices_a, 1), np.sum(matrices_b, 1))):
        raise ValueError(
            "The two maps are not counted on the same reference pixels: "
            "use the same units, and one mask for both."
        )
    a, b = _units(matrices_a), _units(matrices_b)
    # With one seed the same units are drawn for both.
    resampled = zip(_resampled(a, replicates, seed), _resampled(b, replicates, seed), strict=True)
    differences = np.array([score(x) - score(y) for x, y in resampled])
    defined = differences[np.isfinite(differences)]
    tail = min((defined <= 0).sum(), (defined >= 0).sum())
    p = min(1.0, 2 * (tail + 1) / (len(defined) + 1))
    low, high = _percentiles(differences, level)
    return Difference(score(a.sum(0)) - score(b.sum(0)), low, high, float(p))


def _units(matrices: np.ndarray) -> np.ndarray:
    """The units that count something."""
    matrices = np.asarray(matrices)
    if matrices.ndim != 3 or matrices.shape[1] != matrices.shape[2]:
        raise ValueError(
            f"The matrices have shape {matrices.shape}; "
            "expected (units, K, K): one error matrix for each unit."
        )
    matrices = matrices[matrices.any((1, 2))]
    if len(matrices) < 2:
        raise ValueError(
            f"{len(matrices)} unit(s) hold counted pixels; resampling needs two or more: "
            "choose smaller blocks."
        )
    return matrices


def _resampled(matrices: np.ndarray, replicates: int, seed: int) -> np.ndarray:
    """Sums of resampled units (replicates, K, K).

    As matrix products: how often each unit is drawn, times the matrices.
    """
    n = len(matrices)
    rng = np.random.default_rng(seed)
    flat = matrices.reshape(n, -1).astype(float)  # float: the products then run in BLAS
    sums = []
    for first in range(0, replicates, 100):  # in steps, to bound the memory
        count = min(100, replicates - first)
        drawn = [np.bincount(rng.integers(n, size=n), minlength=n) for _ in range(count)]
        sums.append(np.array(drawn, dtype=float) @ flat)
    return np.concatenate(sums).reshape(replicates, *matrices.shape[1:])


def _percentiles(scores: np.ndarray, level: float) -> np.ndarray:
    """Both ends of the interval that holds the share ``level`` of the scores (replicates, ...)."""
    if not 0 < level < 1:
        raise ValueError(f"The level is {level}; expected a share between 0 and 1, such as 0.95.")
    with warnings.catch_warnings():
        # A class that never occurs has no interval: NaN.
        warnings.filterwarnings("ignore", "All-NaN slice", RuntimeWarning)
        return np.nanquantile(scores, [(1 - level) / 2, (1 + level) / 2], axis=0)
