"""How sure is a score? Leave out blocks or parcels, never pixels.

Neighbours in a field share its weather, its soil and its errors: a pixel is no independent witness.
One error matrix for each block or parcel (a unit) is all it takes: the jackknife leaves one unit
out at a time, and sees how far the score moves.

An interval is estimate +- t * standard error. The standard error is that of the jackknife. The
degrees of freedom of t are those of Satterthwaite (1946, doi 10.2307/3002019), one for each unit
and its part v in the variance: (sum v)^2 / sum v^2, so that twenty units of which three decide
count as about three. Scores between 0 and 1 are treated on the logit scale and stay there.
Efron and Tibshirani (1993), chapter 11, on the jackknife; Stehman and Wickham (2011, doi
10.1016/j.rse.2011.06.007) on the unit.

How often an interval of 95 % holds the truth was tried on units of very unequal size (log-normal,
sigma 1.2) whose pixels are right together (beta-binomial, correlation 0.1 and 0.3): in 94 to 98 of
100 trials with 10 to 80 units, and in 94 to 96 with 5. Where most units hold no error at all
(accuracy 0.95, correlation 0.3) 5 units reach only 89, 3 only 75 and 2 only 64. The percentiles of
a bootstrap, in wide use, reach 67 to 92 with 10 to 80 units, and 58 to 82 with 5. Blocks side by
side are not quite independent: with a side of one range of the errors their interval holds the
truth in 80 of 100 trials, of two in 91, of three in 93, of four in 93. The numbers are those of
``tests/benchmarks/interval_coverage.py``, in ``data/interval_coverage.json``.
"""

import math
import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import fft, stats
from scipy.special import expit, logit

from stma_nb.accuracy.matrix import pair_codes

FEW, VERY_FEW = 20, 5  # fewer units than this make a rough interval, or hardly one
NEAR_ZERO = 0.05  # of the correlation next door: less than this is none

Score = Callable[[np.ndarray], float | np.ndarray]


class Interval(NamedTuple):
    """A score of the whole map with the ends of its interval."""

    estimate: float | np.ndarray
    low: float | np.ndarray
    high: float | np.ndarray


class Difference(NamedTuple):
    """Score of map a minus score of map b, its interval, and a p-value.

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
    ``accuracy.error_matrix``. Choose the blocks of the split, or blocks three times as long as the
    errors hang together (``error_range``).
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


def interval(matrices: np.ndarray, score: Score, level: float = 0.95) -> Interval:
    """A score of the summed matrices (n, K, K), with the interval that the spread of the units
    gives.

    ``score`` makes a number, or an array of them, of an error matrix: say
    ``accuracy.overall_accuracy``. Units that count nothing are left out. The interval is NaN where
    the score is not defined without one of the units (a class that only one of them holds), and
    has no width where no unit holds an error. The units are to be independent: the blocks of a
    split, blocks of three times ``error_range``, or fields far apart. A UserWarning tells of fewer
    than 20 of them. Raises ValueError for fewer than two.
    """
    matrices = _units(matrices)
    if caution := few_units(len(matrices)):
        warnings.warn(caution, stacklevel=2)
    return jackknife(matrices, score, level)


def paired_difference(
    matrices_a: np.ndarray,
    matrices_b: np.ndarray,
    score: Callable[[np.ndarray], float],
    level: float = 0.95,
) -> Difference:
    """Is map a better than map b?

    Both are scored on the same units, so what is hard for both cancels. Interval and p-value are
    those of a t test of the jackknifed difference; the rest is as in ``interval``. In the trials of
    this module 95 % hold the truth in 94 to 99 of 100 with 5 units or more; but if one map is never
    worse in any unit, and much better in few, in 56 to 94 only. Raises ValueError if the two do not
    count the same reference pixels in every unit.
    """
    # Columns are the reference: their sums are the same for both maps, unit by unit.
    same_shape = np.shape(matrices_a) == np.shape(matrices_b)
    if not (same_shape and np.array_equal(np.sum(matrices_a, 1), np.sum(matrices_b, 1))):
        raise ValueError(
            "The two maps are not counted on the same reference pixels: "
            "use the same units, and one mask for both."
        )
    a, b = _units(matrices_a), _units(matrices_b)
    if caution := few_units(len(a)):
        warnings.warn(caution, stacklevel=2)
    without = np.subtract(_without_each(a, score), _without_each(b, score))
    estimate = score(a.sum(0)) - score(b.sum(0))
    error, freedom = _standard_error(without)
    half = _quantile(level, freedom) * error
    # A difference that is the same in all units is 0, or is for certain not.
    p = estimate == 0 if error == 0 else 2 * stats.t.sf(abs(estimate) / error, freedom)
    return Difference(estimate, float(estimate - half), float(estimate + half), float(p))


def jackknife(matrices: np.ndarray, score: Score, level: float = 0.95) -> Interval:
    """``interval`` without its warning, of two units or more."""
    estimate = score(matrices.sum(0))
    error, freedom = _standard_error(_without_each(matrices, score))
    half = _quantile(level, freedom) * error
    value = np.asarray(estimate, float)
    share = (value > 0) & (value < 1)
    inside = np.where(share, value, 0.5)
    half = half / np.where(share, inside * (1 - inside), 1)  # d logit(p) = dp / (p (1 - p))
    low, high = (
        np.where(share, expit(logit(inside) + step), value + step) for step in (-half, half)
    )
    return Interval(estimate, low[()], high[()])


def few_units(count: int) -> str:
    """What is to be said of an interval from so few units; nothing if there are enough."""
    if count >= FEW:
        return ""
    if count >= VERY_FEW:
        return f"Only {count} units: the interval is rough; expected {FEW} or more."
    return (
        f"Only {count} units: so few say next to nothing of how a score varies, and the interval "
        "is a guess; test more blocks, or repeat over several splits (patches.block_folds)."
    )


def error_range(right: np.ndarray, counted: np.ndarray, pixel: float = 10.0) -> float:
    """How far errors hang together: the distance (m) at which their correlation is gone.

    ``right`` and ``counted`` are masks (rows, columns) of the pixels that are mapped right and that
    count; or their numbers in the cells of a grid, with ``pixel`` the side of a cell in metres. The
    correlogram of the errors is taken over all pairs of pixels; gone is a correlation of less than
    a twentieth of that next door, the practical range of geostatistics (Chiles and Delfiner 2012,
    doi 10.1002/9781118136188, chapter 2). 0 without errors, infinity if the correlation goes on
    to the end of the scene. What is longer than the scene, a trend, shows as about half of it.
    """
    counted = np.asarray(counted, float)
    residual = np.where(counted > 0, right, 0.0)
    share = residual.sum() / counted.sum()
    if not 0 < share < 1:
        return 0.0
    residual -= share * counted
    shape = [fft.next_fast_len(2 * side, real=True) for side in counted.shape]
    offsets = (fft.fftfreq(side, 1 / side) for side in shape)
    ring = np.hypot(*np.meshgrid(*offsets, indexing="ij")).round().astype(int)

    def pairs(values: np.ndarray) -> np.ndarray:
        """Sum of the products of all pairs of cells, by their distance (cells)."""
        products = fft.irfft2(np.abs(fft.rfft2(values, shape)) ** 2, shape)
        return np.bincount(ring.ravel(), products.ravel())[: max(counted.shape)]

    numbers = pairs(counted)
    known = np.flatnonzero(numbers > 0.5)[1:]  # distances (cells) with pairs, but 0
    correlation = pairs(residual)[known] / numbers[known] / (share * (1 - share))
    gone = correlation <= NEAR_ZERO * correlation[:1]
    return float(known[gone.argmax()] * pixel) if gone.any() else math.inf


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
            f"{len(matrices)} unit(s) hold counted pixels; an interval needs two or more: "
            "choose smaller units, or test more of the scene."
        )
    return matrices


def _without_each(matrices: np.ndarray, score: Score) -> np.ndarray:
    """The score without each of the units in turn (n, ...)."""
    total = matrices.sum(0)
    return np.array([score(total - matrix) for matrix in matrices], float)


def _standard_error(without: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Standard error of a score (...) and its degrees of freedom, from the score without each unit
    (n, ...).
    """
    n = len(without)
    parts = (n - 1) / n * (without - without.mean(0)) ** 2  # of the variance, by unit
    variance, squares = parts.sum(0), (parts**2).sum(0)
    freedom = np.divide(variance**2, squares, out=np.full_like(variance, n - 1), where=squares > 0)
    return np.sqrt(variance), np.clip(freedom, 1, n - 1)


def _quantile(level: float, freedom: np.ndarray) -> np.ndarray:
    if not 0 < level < 1:
        raise ValueError(f"The level is {level}; expected a share between 0 and 1, such as 0.95.")
    return stats.t.ppf((1 + level) / 2, freedom)
