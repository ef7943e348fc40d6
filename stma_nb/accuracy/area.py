"""How much of each crop is there? Areas and accuracies with standard errors from a random sample.

Counting the pixels of a map repeats the map's errors. A random sample with a known design, labelled
better than the map, corrects them: first plan (``sample_size``, ``allocate``), then draw
(``stratified_sample``), then estimate. Rows are the map, columns the reference. Intervals use the
normal approximation and are not cut at 0 and 1: one that reaches beyond asks for a larger sample.
"""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import binomtest, norm

from stma_nb.accuracy.matrix import WINDOW, read_windows


class Estimate(NamedTuple):
    """Estimates with columns ``estimate``, ``se``, ``low`` and ``high``; one row a class."""

    overall: pd.Series  # overall accuracy
    users: pd.DataFrame  # user's accuracy
    producers: pd.DataFrame  # producer's accuracy
    share: pd.DataFrame  # share of the area that is truly of the class
    area: pd.DataFrame  # the same in units of ``pixel_area``
    matrix: np.ndarray  # population error matrix: estimated shares of the area (K, K), map in rows


# --------------------------------------------------------------------------------------------- plan


def sample_size(mapped_pixels: ArrayLike, users: ArrayLike, standard_error: float = 0.01) -> int:
    """How many sample pixels give overall accuracy the standard error that you want.

    ``users`` (K,) are the user's accuracies that you expect. Olofsson et al. (2014), equation 13,
    without the finite population correction: n = (sum W_i sqrt(U_i (1 - U_i)) / S)^2.
    """
    share = np.asarray(mapped_pixels) / np.sum(mapped_pixels)  # W_i
    users = np.asarray(users, dtype=float)  # U_i
    if share.shape != users.shape or (users < 0).any() or (users > 1).any() or standard_error <= 0:
        raise ValueError(
            f"Expected one user's accuracy (0 .. 1) for each of {len(share)} classes "
            "and a standard error above 0."
        )
    return int(np.ceil((share @ np.sqrt(users * (1 - users)) / standard_error) ** 2))


def allocate(mapped_pixels: Sequence[int], total: int, minimum: int = 50) -> np.ndarray:
    """Share ``total`` sample pixels among the map classes (K,).

    In proportion to area, but at least ``minimum`` in each. Olofsson et al. (2014) recommend 50 to
    100 for rare classes. Classes not in the map get none, and no class more than it has pixels.
    Raises ValueError if the minima are more than the total.
    """
    pixels = np.asarray(mapped_pixels)
    least = np.minimum(minimum, pixels)
    if not least.sum() <= total <= pixels.sum():
        raise ValueError(
            f"{total} sample pixels cannot be shared among {(pixels > 0).sum()} classes "
            f"of at least {minimum}: "
            f"expected {least.sum()} to {pixels.sum()}; change the total or the minimum."
        )
    # Raising a class to its minimum takes from the others, so that one more may fall below its own.
    raised = np.zeros(len(pixels), dtype=bool)
    while True:
        left = total - least[raised].sum()
        rest = left * np.where(raised, 0, pixels) / max(pixels[~raised].sum(), 1)
        new = ~raised & (rest < least)
        if not new.any():
            break
        raised |= new
    # Whole pixels, then one more for each of the largest remainders, until the total is met.
    number = np.where(raised, least, np.floor(rest)).astype(int)
    largest_remainders = np.argsort(-np.where(raised, -1, rest - number), kind="stable")
    number[largest_remainders[: total - number.sum()]] += 1
    return number


# --------------------------------------------------------------------------------------------- draw


def class_pixels(mapped: np.ndarray | str | Path, classes: int, nodata: int = 255) -> np.ndarray:
    """Pixels of each map class (K,), of an array (rows, columns) or a GeoTIFF of any size.

    Nodata is left out.
    """
    counts = _count(mapped, nodata)
    if len(counts) > classes:
        raise ValueError(
            f"The map holds code {len(counts) - 1}, outside the legend (0 .. {classes - 1}): "
            "recode or mask it."
        )
    return np.pad(counts, (0, classes - len(counts)))


def stratified_sample(
    mapped: np.ndarray | str | Path,
    per_stratum: int | Sequence[int],
    seed: int = 0,
    nodata: int = 255,
) -> pd.DataFrame:
    """Draw pixels at random within each map class: a table of ``row``, ``column``, ``stratum``.

    The stratum is the map code. ``mapped`` is an array (rows, columns) or a GeoTIFF, read in
    windows twice, to count and to draw. ``per_stratum`` is one number, or one for each code; a
    class with fewer pixels is taken whole. Nodata and codes below 0 are never drawn.
    """
    size = _count(mapped, nodata)
    wanted = np.asarray(per_stratum)
    if wanted.ndim == 0:
        wanted = np.full(len(size), per_stratum)
    if len(wanted) < len(size):
        raise ValueError(
            f"per_stratum has {len(wanted)} numbers, but the map has codes up to {len(size) - 1}: "
            "give one for each."
        )
    # Drawn are ranks: the pixels of a stratum are numbered as they come, window after window.
    rng = np.random.default_rng(seed)
    ranks = []
    for available, number in zip(size, wanted, strict=False):
        ranks.append(np.sort(rng.choice(available, min(available, number), replace=False)))
    seen = np.zeros(len(size), dtype=np.int64)  # pixels of each stratum in the windows before
    drawn = []
    for (row, column), codes in _codes(mapped, nodata):
        for stratum in np.unique(codes[codes >= 0]):
            here = np.flatnonzero(codes == stratum)
            before = seen[stratum]
            first, last = np.searchsorted(ranks[stratum], [before, before + len(here)])
            chosen = here[ranks[stratum][first:last] - before]
            rows, columns = np.divmod(chosen, codes.shape[1])
            table = {"row": row + rows, "column": column + columns, "stratum": int(stratum)}
            drawn.append(pd.DataFrame(table))
            seen[stratum] += len(here)
    sample = pd.concat(drawn, ignore_index=True)
    return sample.sort_values(["stratum", "row", "column"], ignore_index=True)


def _count(mapped: np.ndarray | str | Path, nodata: int) -> np.ndarray:
    """Pixels of each code from 0 to the highest that occurs."""
    counts = np.zeros(0, dtype=np.int64)
    for _, codes in _codes(mapped, nodata):
        here = np.bincount(codes[codes >= 0], minlength=len(counts))
        here[: len(counts)] += counts
        counts = here
    return counts


def _codes(
    mapped: np.ndarray | str | Path, nodata: int
) -> Iterator[tuple[tuple[int, int], np.ndarray]]:
    """((row, column), codes) of window after window, as integers with -1 for nodata."""
    if isinstance(mapped, str | Path):
        windows = _windows_of_file(mapped, nodata)
    else:
        mapped = np.asarray(mapped)
        if mapped.ndim != 2 or not np.issubdtype(mapped.dtype, np.integer):
            raise ValueError(
                f"The map is {mapped.dtype} of shape {mapped.shape}; "
                "expected whole class codes (rows, columns)."
            )
        windows = _windows_of_array(mapped)
    for corner, codes in windows:
        yield corner, np.where((codes == nodata) | (codes < 0), -1, codes)


def _windows_of_file(file: str | Path, nodata: int) -> Iterator[tuple[tuple[int, int], np.ndarray]]:
    for corner, (image,) in read_windows(file):
        yield corner, np.ma.filled(image.astype(np.int64), nodata)


def _windows_of_array(mapped: np.ndarray) -> Iterator[tuple[tuple[int, int], np.ndarray]]:
    for row in range(0, mapped.shape[0], WINDOW):
        for column in range(0, mapped.shape[1], WINDOW):
            window = mapped[row : row + WINDOW, column : column + WINDOW]
            yield (row, column), window.astype(np.int64)


# ----------------------------------------------------------------------------------------- estimate


def stratified_estimate(
    matrix: np.ndarray,
    mapped_pixels: ArrayLike,
    pixel_area: float = 1.0,
    level: float = 0.95,
    names: Sequence[str] | None = None,
) -> Estimate:
    """Accuracies and areas from a sample that is random within the map classes.

    ``stratified_sample`` draws such a sample. ``matrix`` (K, K) counts the sample by map class
    (rows) and reference class (columns); ``mapped_pixels`` (K,) are the pixels of each map class in
    the whole map. Areas come in units of ``pixel_area`` (0.01 for hectares of 10 m pixels). Without
    finite population correction. Raises ValueError if a mapped class has fewer than two samples,
    since its variance is then unknown. Olofsson et al. (2014),
    https://doi.org/10.1016/j.rse.2014.02.015, section 4.
    """
    n = np.asarray(matrix, dtype=float)
    size = np.asarray(mapped_pixels, dtype=float)
    if n.ndim != 2 or n.shape[0] != n.shape[1] or size.shape != n.shape[:1]:
        raise ValueError(
            f"The matrix has shape {n.shape} and there are {size.size} class sizes; "
            "expected (K, K) and K."
        )
    names = _names(names, len(n))
    samples = n.sum(1)
    _check_map_classes(size, samples, names)
    weight = size / size.sum()  # W_i
    drawn = samples[:, None]
    within = np.divide(n, drawn, out=np.zeros_like(n), where=drawn > 0)  # n_ij / n_i.
    p = weight[:, None] * within
    variance = within * (1 - within) / np.maximum(drawn - 1, 1)  # of each n_ij / n_i.
    own = np.diag(variance)
    weighted = weight[:, None] ** 2 * variance
    others = weighted.sum(0) - np.diag(weighted)  # of the other rows of each column
    with np.errstate(invalid="ignore"):
        users = np.where(samples > 0, np.diag(within), np.nan)
        share = p.sum(0)
        producers = np.diag(p) / share
        producers_variance = (1 - producers) ** 2 * weight**2 * own + producers**2 * others
        producers_se = np.sqrt(producers_variance) / share
    return _estimate(
        overall=(np.trace(p), np.sqrt(np.trace(weighted))),
        users=(users, np.sqrt(own)),
        producers=(producers, producers_se),
        share=(share, np.sqrt(weighted.sum(0))),
        matrix=p,
        whole=size.sum() * pixel_area,
        level=level,
        names=names,
    )


def _check_map_classes(size: np.ndarray, samples: np.ndarray, names: list) -> None:
    """Raise ValueError for a class of the map without two samples, or samples without pixels."""
    few = np.flatnonzero((size > 0) & (samples < 2))
    if len(few):
        raise ValueError(
            f"Map class '{names[few[0]]}' has {size[few[0]]:.0f} pixels "
            f"but {samples[few[0]]:.0f} sample(s): no interval without two or more in every class; "
            "draw more, or merge it with a class like it."
        )
    none = np.flatnonzero((size <= 0) & (samples > 0))
    if len(none):
        raise ValueError(
            f"Map class '{names[none[0]]}' has samples, but {size[none[0]]:.0f} pixels in the map: "
            "check the counts."
        )


def stehman_estimate(
    strata: np.ndarray,
    mapped: np.ndarray,
    reference: np.ndarray,
    stratum_sizes: ArrayLike,
    pixel_area: float = 1.0,
    level: float = 0.95,
    names: Sequence[str] | None = None,
) -> Estimate:
    """Accuracies and areas from a sample that is random within strata other than the map classes.

    Such as regions, or an older map. ``strata``, ``mapped`` and ``reference`` are codes (n,) of the
    sample pixels, ``stratum_sizes`` (H,) the pixels of each stratum. Every quantity is a ratio of
    two totals, R = Y / X, with the variance of a combined ratio estimator: Stehman (2014),
    https://doi.org/10.1080/01431161.2014.930207, equations 25 to 28. Raises ValueError as
    ``stratified_estimate``.
    """
    strata = np.asarray(strata)
    mapped = np.asarray(mapped)
    reference = np.asarray(reference)
    size = np.asarray(stratum_sizes)
    samples = _check_strata(strata, mapped, reference, size)
    classes = len(names) if names is not None else int(max(mapped.max(), reference.max())) + 1
    # Indicators (n, K), 1 where a sample pixel is of the class: their totals are areas.
    is_map = mapped[:, None] == np.arange(classes)
    is_reference = reference[:, None] == np.arange(classes)
    right = is_map & is_reference
    every = np.ones((len(strata), 1))
    expand = (size / np.maximum(samples, 1))[strata]  # pixels that each sample pixel stands for

    def ratio(y: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """R = Y / X and its standard error, for indicators y and x (n, K)."""
        x_total = expand @ x
        with np.errstate(invalid="ignore", divide="ignore"):
            r = expand @ y / x_total
            residual = y - r * x
            variance = 0
            for h in np.unique(strata):
                spread = residual[strata == h].var(0, ddof=1)
                variance = variance + size[h] * (size[h] - samples[h]) * spread / samples[h]
            return r, np.sqrt(variance) / x_total

    overall, overall_se = ratio(right.any(1, keepdims=True).astype(float), every)
    return _estimate(
        overall=(overall[0], overall_se[0]),
        users=ratio(right.astype(float), is_map.astype(float)),
        producers=ratio(right.astype(float), is_reference.astype(float)),
        share=ratio(is_reference.astype(float), every),
        matrix=((expand / size.sum())[:, None] * is_map).T @ is_reference,
        whole=size.sum() * pixel_area,
        level=level,
        names=_names(names, classes),
    )


def stratified_difference(
    strata: np.ndarray,
    mapped: np.ndarray,
    other: np.ndarray,
    reference: np.ndarray,
    stratum_sizes: ArrayLike,
    level: float = 0.95,
) -> pd.Series:
    """How much more of the area ``mapped`` has right than ``other``: one sample judges both maps.

    ``mapped``, ``other`` and ``reference`` are codes (n,) at the sample pixels, which are random
    within ``strata`` (n,), say the classes of either map; ``stratum_sizes`` (H,) are the pixels of
    each stratum (a single stratum: a simple random sample). Returns ``estimate``, ``se``, ``low``
    and ``high`` of the difference of the overall accuracies. Pixel by pixel it is 1, 0 or -1, whose
    stratified mean has the standard error sqrt(sum W_h^2 (1 - n_h / N_h) s_h^2 / n_h): Cochran
    (1977), Sampling Techniques, equations 5.1 and 5.13. What both maps have right or wrong counts
    0, so the interval is narrower than those of the two accuracies suggest. Raises ValueError as
    ``stehman_estimate``.
    """
    strata, mapped, other, reference, size = map(
        np.asarray, (strata, mapped, other, reference, stratum_sizes)
    )
    samples = _check_strata(strata, mapped, reference, size)
    _check_strata(strata, other, reference, size)
    gain = (mapped == reference).astype(float) - (other == reference)
    estimate = variance = 0.0
    for h in np.unique(strata):
        within, weight = gain[strata == h], size[h] / size.sum()
        estimate += weight * within.mean()
        variance += weight**2 * (1 - samples[h] / size[h]) * within.var(ddof=1) / samples[h]
    return pd.Series(_interval(estimate, math.sqrt(variance), level))


class McNemar(NamedTuple):
    """What two maps disagree in: sample pixels that only one has right, and the p-value."""

    only_mapped: int
    only_other: int
    p: float


def mcnemar(mapped: np.ndarray, other: np.ndarray, reference: np.ndarray) -> McNemar:
    """McNemar's exact test that two maps are equally often right, on a simple random sample (n,).

    Of the pixels that one map alone has right, each would have half: a binomial test, exact for few
    as for many; p is 1 where there is none. It knows no strata: use ``stratified_difference`` for a
    stratified sample. Pixels must be independent; those of one field are not. McNemar (1947),
    https://doi.org/10.1007/BF02295996; Foody (2004), https://doi.org/10.14358/PERS.70.5.627. Raises
    ValueError for arrays that differ in shape.
    """
    mapped, other, reference = map(np.asarray, (mapped, other, reference))
    if not mapped.shape == other.shape == reference.shape:
        raise ValueError(
            f"The maps and the reference have shapes {mapped.shape}, {other.shape}, "
            f"{reference.shape}; expected one shape, the codes at the same sample pixels."
        )
    right, other_right = mapped == reference, other == reference
    only_mapped = int((right & ~other_right).sum())
    only_other = int((other_right & ~right).sum())
    discordant = only_mapped + only_other
    p = float(binomtest(only_mapped, discordant).pvalue) if discordant else 1.0
    return McNemar(only_mapped, only_other, p)


def _check_strata(
    strata: np.ndarray, mapped: np.ndarray, reference: np.ndarray, size: np.ndarray
) -> np.ndarray:
    """The number of samples in each stratum; raises ValueError if sample and sizes do not fit."""
    if not strata.shape == mapped.shape == reference.shape or strata.ndim != 1:
        raise ValueError(
            f"Strata, map and reference have shapes {strata.shape}, {mapped.shape}, "
            f"{reference.shape}; expected (n,)."
        )
    for what, codes, count in (
        ("stratum", strata, len(size)),
        ("map", mapped, math.inf),
        ("reference", reference, math.inf),
    ):
        wrong = codes[(codes < 0) | (codes >= count)]
        if wrong.size:
            code = wrong.min() if wrong.min() < 0 else wrong.max()
            raise ValueError(
                f"The sample holds {what} code {code}; "
                "expected 0 and above, with a size for every stratum."
            )
    samples = np.bincount(strata, minlength=len(size))
    few = np.flatnonzero((size > 0) & (samples < 2))
    if len(few):
        raise ValueError(
            f"Stratum {few[0]} has {size[few[0]]} pixels but {samples[few[0]]} sample(s): "
            "no interval without two or more in every stratum; draw more, or merge strata."
        )
    if (samples > size).any():
        raise ValueError(
            f"Stratum {np.argmax(samples > size)} has more samples than pixels: "
            "check the stratum sizes."
        )
    return samples


def _names(names: Sequence[str] | None, classes: int) -> list:
    """The names of the classes, or their codes where there are none."""
    names = list(range(classes)) if names is None else list(names)
    if len(names) != classes:
        raise ValueError(f"There are {len(names)} names for {classes} classes: give one for each.")
    return names


WithError = tuple[np.ndarray, np.ndarray]  # estimates, standard errors


def _estimate(
    overall: tuple[float, float],
    users: WithError,
    producers: WithError,
    share: WithError,
    matrix: np.ndarray,
    whole: float,
    level: float,
    names: list,
) -> Estimate:
    """Put (estimate, standard error) pairs into tables with their intervals.

    whole: the area of the map, in the units wanted.
    """

    def table(estimate: np.ndarray, se: np.ndarray) -> pd.DataFrame:
        columns = _interval(estimate, se, level)
        return pd.DataFrame(columns, index=pd.Index(names, name="class"))

    return Estimate(
        overall=pd.Series(_interval(*overall, level)),
        users=table(*users),
        producers=table(*producers),
        share=table(*share),
        area=table(whole * share[0], whole * share[1]),
        matrix=matrix,
    )


def _interval(estimate: np.ndarray | float, se: np.ndarray | float, level: float) -> dict:
    """The columns of an estimate and its standard error."""
    if not 0 < level < 1:
        raise ValueError(f"The level is {level}; expected a share between 0 and 1, such as 0.95.")
    z = norm.ppf((1 + level) / 2)  # standard errors to either side: 1.96 for 95 %
    return {"estimate": estimate, "se": se, "low": estimate - z * se, "high": estimate + z * se}
