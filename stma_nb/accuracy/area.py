"""How much of each crop is there? Areas and accuracies with standard errors, estimated from a
probability sample.

Counting the pixels of a map repeats the map's errors. A random sample with a known design, labelled
better than the map, corrects them: first plan (``sample_size``, ``allocate``), then draw
(``stratified_sample``), then estimate. Rows are the map, columns the reference. Intervals use the
normal approximation and are not cut at 0 and 1: one that reaches beyond asks for a larger sample.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import norm

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


def sample_size(
    mapped_pixels: Sequence[float], users: Sequence[float], standard_error: float = 0.01
) -> int:
    """How many sample pixels give overall accuracy a standard error, for user's accuracies (K,)
    that you expect.

    Olofsson et al. (2014), equation 13, without the finite population correction: n = (sum W_i
    sqrt(U_i (1 - U_i)) / S)^2.
    """
    share, users = np.asarray(mapped_pixels) / np.sum(mapped_pixels), np.asarray(users, dtype=float)
    if share.shape != users.shape or (users < 0).any() or (users > 1).any() or standard_error <= 0:
        raise ValueError(
            f"Expected one user's accuracy (0 .. 1) for each of {len(share)} classes and a "
            "standard error above 0."
        )
    return int(np.ceil((share @ np.sqrt(users * (1 - users)) / standard_error) ** 2))


def allocate(mapped_pixels: Sequence[int], total: int, minimum: int = 50) -> np.ndarray:
    """Share ``total`` sample pixels among the map classes (K,): in proportion to area, but at least
    ``minimum`` in each.

    Olofsson et al. (2014) recommend 50 to 100 for rare classes. Classes not in the map get none,
    and no class more than it has pixels. Raises ValueError if the minima are more than the total.
    """
    pixels = np.asarray(mapped_pixels)
    least = np.minimum(minimum, pixels)
    if not least.sum() <= total <= pixels.sum():
        raise ValueError(
            f"{total} sample pixels cannot be shared among {(pixels > 0).sum()} classes of at "
            f"least {minimum}: "
            f"expected {least.sum()} to {pixels.sum()}; change the total or the minimum."
        )
    raised = np.zeros(len(pixels), dtype=bool)  # classes that take their minimum
    while True:
        rest = (
            (total - least[raised].sum())
            * np.where(raised, 0, pixels)
            / max(pixels[~raised].sum(), 1)
        )
        new = ~raised & (rest < least)
        if not new.any():
            break
        raised |= new
    number = np.where(raised, least, np.floor(rest)).astype(int)
    largest_remainders = np.argsort(-np.where(raised, -1, rest - number), kind="stable")
    number[largest_remainders[: total - number.sum()]] += 1
    return number


# --------------------------------------------------------------------------------------------- draw


def class_pixels(mapped: np.ndarray | str | Path, classes: int, nodata: int = 255) -> np.ndarray:
    """Pixels of each map class (K,), of an array (rows, columns) or a GeoTIFF of any size; nodata
    is left out.
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
    """Draw pixels at random within each map class: a table of ``row``, ``column``, ``stratum`` (the
    map code).

    ``mapped`` is an array (rows, columns) or a GeoTIFF, read in windows twice, to count and to
    draw. ``per_stratum`` is one number, or one for each code; a class with fewer pixels is taken
    whole. Nodata and codes below 0 are never drawn.
    """
    size = _count(mapped, nodata)
    wanted = (
        np.full(len(size), per_stratum) if np.ndim(per_stratum) == 0 else np.asarray(per_stratum)
    )
    if len(wanted) < len(size):
        raise ValueError(
            f"per_stratum has {len(wanted)} numbers, but the map has codes up to {len(size) - 1}: "
            "give one for each."
        )
    rng = np.random.default_rng(seed)
    ranks = [
        np.sort(rng.choice(n, min(n, k), replace=False)) for n, k in zip(size, wanted, strict=False)
    ]
    seen, drawn = np.zeros(len(size), dtype=np.int64), []
    for (row, column), codes in _codes(mapped, nodata):
        for stratum in np.unique(codes[codes >= 0]):
            here = np.flatnonzero(codes == stratum)
            first, last = np.searchsorted(
                ranks[stratum], [seen[stratum], seen[stratum] + len(here)]
            )
            rows, columns = np.divmod(
                here[ranks[stratum][first:last] - seen[stratum]], codes.shape[1]
            )
            drawn.append(
                pd.DataFrame(
                    {"row": row + rows, "column": column + columns, "stratum": int(stratum)}
                )
            )
            seen[stratum] += len(here)
    return pd.concat(drawn, ignore_index=True).sort_values(
        ["stratum", "row", "column"], ignore_index=True
    )


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
        windows = (
            (corner, image.astype(np.int64).filled(nodata))
            for corner, (image,) in read_windows(mapped)
        )
    else:
        mapped = np.asarray(mapped)
        if mapped.ndim != 2 or not np.issubdtype(mapped.dtype, np.integer):
            raise ValueError(
                f"The map is {mapped.dtype} of shape {mapped.shape}; expected whole class codes "
                "(rows, columns)."
            )
        corners = (
            (row, column)
            for row in range(0, len(mapped), WINDOW)
            for column in range(0, mapped.shape[1], WINDOW)
        )
        windows = (
            (c, mapped[c[0] : c[0] + WINDOW, c[1] : c[1] + WINDOW].astype(np.int64))
            for c in corners
        )
    for corner, codes in windows:
        yield corner, np.where((codes == nodata) | (codes < 0), -1, codes)


# ----------------------------------------------------------------------------------------- estimate


def stratified_estimate(
    matrix: np.ndarray,
    mapped_pixels: Sequence[int],
    pixel_area: float = 1.0,
    level: float = 0.95,
    names: Sequence[str] | None = None,
) -> Estimate:
    """Accuracies and areas from a sample that is random within the map classes, drawn by
    ``stratified_sample``.

    ``matrix`` (K, K) counts the sample by map class (rows) and reference class (columns);
    ``mapped_pixels`` (K,) are the pixels of each map class in the whole map. Areas come in units of
    ``pixel_area`` (0.01 for hectares of 10 m pixels). Without finite population correction. Raises
    ValueError if a mapped class has fewer than two samples, since its variance is then unknown.
    Olofsson et al. (2014), https://doi.org/10.1016/j.rse.2014.02.015, section 4.
    """
    n, size = np.asarray(matrix, dtype=float), np.asarray(mapped_pixels, dtype=float)
    if n.ndim != 2 or n.shape[0] != n.shape[1] or size.shape != n.shape[:1]:
        raise ValueError(
            f"The matrix has shape {n.shape} and there are {size.size} class sizes; expected (K, "
            "K) and K."
        )
    names, samples = _names(names, len(n)), n.sum(1)
    if len(few := np.flatnonzero((size > 0) & (samples < 2))):
        raise ValueError(
            f"Map class '{names[few[0]]}' has {size[few[0]]:.0f} pixels but {samples[few[0]]:.0f} "
            "sample(s): no interval without "
            "two or more in every class; draw more, or merge it with a class like it."
        )
    if len(none := np.flatnonzero((size <= 0) & (samples > 0))):
        raise ValueError(
            f"Map class '{names[none[0]]}' has samples, but {size[none[0]]:.0f} pixels in the "
            "map: check the counts."
        )
    weight = size / size.sum()
    within = np.divide(
        n, samples[:, None], out=np.zeros_like(n), where=samples[:, None] > 0
    )  # n_ij / n_i.
    p = weight[:, None] * within
    variance = within * (1 - within) / np.maximum(samples - 1, 1)[:, None]  # of each n_ij / n_i.
    weighted, own = weight[:, None] ** 2 * variance, np.diag(variance)
    with np.errstate(invalid="ignore"):
        users, producers, share = (
            np.where(samples > 0, np.diag(within), np.nan),
            np.diag(p) / p.sum(0),
            p.sum(0),
        )
        others = weighted.sum(0) - np.diag(weighted)
        producers_se = (
            np.sqrt((1 - producers) ** 2 * weight**2 * own + producers**2 * others) / share
        )
    return _estimate(
        (np.trace(p), np.sqrt(np.trace(weighted))),
        (users, np.sqrt(own)),
        (producers, producers_se),
        (share, np.sqrt(weighted.sum(0))),
        p,
        size.sum() * pixel_area,
        level,
        names,
    )


def stehman_estimate(
    strata: np.ndarray,
    mapped: np.ndarray,
    reference: np.ndarray,
    stratum_sizes: Sequence[int],
    pixel_area: float = 1.0,
    level: float = 0.95,
    names: Sequence[str] | None = None,
) -> Estimate:
    """Accuracies and areas from a sample that is random within strata other than the map classes
    (regions, or an older map).

    ``strata``, ``mapped`` and ``reference`` are codes (n,) of the sample pixels, ``stratum_sizes``
    (H,) the pixels of each stratum. Every quantity is a ratio of two totals, R = Y / X, with the
    variance of a combined ratio estimator: Stehman (2014),
    https://doi.org/10.1080/01431161.2014.930207, equations 25 to 28. Raises ValueError as
    ``stratified_estimate``.
    """
    strata, mapped, reference, size = (
        np.asarray(a) for a in (strata, mapped, reference, stratum_sizes)
    )
    if not strata.shape == mapped.shape == reference.shape or strata.ndim != 1:
        raise ValueError(
            f"Strata, map and reference have shapes {strata.shape}, {mapped.shape}, "
            f"{reference.shape}; expected (n,)."
        )
    for what, codes, count in (
        ("stratum", strata, len(size)),
        ("map", mapped, None),
        ("reference", reference, None),
    ):
        if codes.size and (codes.min() < 0 or (count is not None and codes.max() >= count)):
            wrong = codes.min() if codes.min() < 0 else codes.max()
            raise ValueError(
                f"The sample holds {what} code {wrong}; expected 0 and above, with a size for "
                "every stratum."
            )
    samples = np.bincount(strata, minlength=len(size))
    if len(few := np.flatnonzero((size > 0) & (samples < 2))):
        raise ValueError(
            f"Stratum {few[0]} has {size[few[0]]} pixels but {samples[few[0]]} sample(s): no "
            "interval without two or more in every "
            "stratum; draw more, or merge strata."
        )
    if (samples > size).any():
        raise ValueError(
            f"Stratum {np.argmax(samples > size)} has more samples than pixels: check the stratum "
            "sizes."
        )
    classes = len(names) if names is not None else int(max(mapped.max(), reference.max())) + 1
    is_map, is_reference = (codes[:, None] == np.arange(classes) for codes in (mapped, reference))
    right, every = is_map & is_reference, np.ones((len(strata), 1))

    def ratio(y: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """R = Y / X and its standard error, for indicators y and x (n, K)."""
        expand = (size / np.maximum(samples, 1))[strata]
        x_total = expand @ x
        with np.errstate(invalid="ignore", divide="ignore"):
            r = expand @ y / x_total
            residual = y - r * x
            variance = sum(
                size[h] * (size[h] - samples[h]) * residual[strata == h].var(0, ddof=1) / samples[h]
                for h in np.unique(strata)
            )
            return r, np.sqrt(variance) / x_total

    expand = (size / np.maximum(samples, 1))[strata] / size.sum()
    overall = ratio(right.any(1, keepdims=True).astype(float), every)
    return _estimate(
        (overall[0][0], overall[1][0]),
        ratio(right.astype(float), is_map.astype(float)),
        ratio(right.astype(float), is_reference.astype(float)),
        ratio(is_reference.astype(float), every),
        (expand[:, None] * is_map).T @ is_reference,
        size.sum() * pixel_area,
        level,
        _names(names, classes),
    )


def _names(names: Sequence[str] | None, classes: int) -> list:
    names = list(range(classes)) if names is None else list(names)
    if len(names) != classes:
        raise ValueError(f"There are {len(names)} names for {classes} classes: give one for each.")
    return names


def _estimate(
    overall, users, producers, share, matrix, whole: float, level: float, names: list
) -> Estimate:
    """Put (estimate, standard error) pairs into tables with their intervals."""
    if not 0 < level < 1:
        raise ValueError(f"The level is {level}; expected a share between 0 and 1, such as 0.95.")
    z = norm.ppf((1 + level) / 2)

    def columns(estimate, se) -> dict:
        return {"estimate": estimate, "se": se, "low": estimate - z * se, "high": estimate + z * se}

    def table(estimate, se) -> pd.DataFrame:
        return pd.DataFrame(columns(estimate, se), index=pd.Index(names, name="class"))

    area = (whole * share[0], whole * share[1])
    return Estimate(
        pd.Series(columns(*overall)),
        table(*users),
        table(*producers),
        table(*share),
        table(*area),
        matrix,
    )
