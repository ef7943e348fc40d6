"""The checks of notebook 12, Real fields."""

import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import stats

from stma_nb import accuracy
from stma_nb.course.exercises.checks import Verdict, build, check, exercise, predict


@exercise
def real_1(answer: object) -> Verdict:
    """dB of a digital number: 20 log10(3000) - 83."""
    hints = {
        10 * np.log10(3000) - 83: "The number is an amplitude: 20 times its logarithm, not 10.",
        20 * np.log10(3000): "Less 83.",
        20 * np.log(3000) - 83: "That is the natural logarithm; decibels use that to base 10.",
    }
    return check(answer, 20 * np.log10(3000) - 83, 0.01, hints)


@exercise
def real_2(answer: object) -> Verdict:
    """Share of 803 labelled pixels less 110 that nobody can name."""
    hints = {
        110 / 803: "That is the share that it cannot get right.",
        693: "That is the number of pixels; which share of the 803 is it?",
        1 - 110 / 1024: "Only the 803 labelled pixels count, not all 1024 of the square.",
    }
    return check(answer, 1 - 110 / 803, 5e-3, hints)


@exercise
def real_3(answer: object, means: pd.DataFrame) -> Verdict:
    """Points by which the filtered forest is ahead, first square to second."""
    ahead = 100 * (means.loc["forest, Quegan-Yu"] - means.loc["forest, unfiltered"])
    right, other = ahead["first to second"], ahead["second to first"]
    hints = {
        right / 100: "In points: times 100.",
        -right: "Filtered less unfiltered.",
        other: "That is the other direction.",
    }
    return check(answer, right, 0.1, hints)


@exercise
def real_4(paired_interval: object) -> Verdict:
    """Mean difference of two methods over blocks, with its 95 % interval: (mean, low, high)."""
    return build(paired_interval, _has_three_numbers, _is_paired, _leaves_out_empty_blocks)


def _blocks(empty: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Shares right of two methods in eight blocks that differ more than the methods do."""
    rng = np.random.default_rng(12)
    theirs = rng.uniform(0.3, 0.9, 8)
    ours = theirs + rng.normal(0.05, 0.04, 8)
    ours[:empty] = theirs[:empty] = np.nan
    return ours, theirs


def _has_three_numbers(paired_interval: Callable) -> str | None:
    found = np.asarray(paired_interval(*_blocks()), dtype="float64")
    if found.shape != (3,):
        return f"It returns something of the shape {found.shape}; expected (mean, low, high)."
    if not found[1] <= found[0] <= found[2]:
        return "The mean lies outside its interval: return (mean, low, high) in this order."
    return None


def _is_paired(paired_interval: Callable) -> str | None:
    ours, theirs = _blocks()
    mean, low, high = (float(value) for value in paired_interval(ours, theirs))
    difference, n = ours - theirs, len(ours)
    if np.isclose(mean, -difference.mean()):
        return "The sign is turned: ours less theirs."
    if not np.isclose(mean, difference.mean()):
        return f"The mean difference is {difference.mean():.4f} here, and yours {mean:.4f}."
    t, spread = stats.t.ppf(0.975, n - 1), difference.std(ddof=1)
    half = (high - low) / 2
    apart = np.sqrt((ours.var(ddof=1) + theirs.var(ddof=1)) / n)
    wrong = {
        t * spread: "That is the spread of the blocks; the mean of n blocks varies by less: divide "
        "by the root of n.",
        t * difference.std() / n**0.5: "The spread is of a sample: ddof=1.",
        1.96 * spread / n**0.5: "1.96 is for many blocks. For few take Student's t: "
        "stats.t.ppf(0.975, n - 1).",
        stats.t.ppf(0.95, n - 1) * spread / n**0.5: "5 % are left out on two sides: ppf(0.975).",
        spread / n**0.5: "That is one standard error; an interval of 95 % is t times as wide.",
        t * apart: "You compared two means of their own. Take the difference block by block: what "
        "is easy or hard for both cancels.",
        1.96 * apart: "You compared two means of their own. Take the difference block by block.",
    }
    if np.isclose(half, t * spread / n**0.5, rtol=1e-3):
        return None
    told = [why for value, why in wrong.items() if np.isclose(half, value, rtol=1e-3)]
    return told[0] if told else "Its width is not t times the standard error of the differences."


def _leaves_out_empty_blocks(paired_interval: Callable) -> str | None:
    ours, theirs = _blocks(empty=2)
    found = np.array(paired_interval(ours, theirs), dtype="float64")
    if not np.isfinite(found).all():
        return "Blocks without a labelled pixel are NaN: leave them out."
    expected = np.array(paired_interval(ours[2:], theirs[2:]), dtype="float64")
    if not np.allclose(found, expected):
        return "Blocks that are left out must not count in n either."
    return None


@exercise
def real_5(predicted: object, found: object, because: object, blocks: np.ndarray) -> Verdict:
    """Half the width, in points, of the interval over ``blocks`` (error matrices)."""
    pooled = np.sum(blocks, axis=0)
    n, share = pooled.sum(), accuracy.overall_accuracy(pooled)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # 16 blocks are few
        interval = accuracy.interval(blocks, accuracy.overall_accuracy)
    right = 50 * float(interval.high - interval.low)
    hints = {
        196 * np.sqrt(share * (1 - share) / n): 'That counts pixels: set unit = "block".',
        2 * right: "That is the whole width; give half of it.",
        right / 100: "In points: times 100.",
        100 * interval.estimate: "That is the accuracy itself; how wide is its interval?",
    }
    return predict(predicted, found, because, right, 0.1, hints)
