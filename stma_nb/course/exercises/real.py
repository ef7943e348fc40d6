"""The checks of notebook 12, Real fields."""

import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import stats

from stma_nb import accuracy
from stma_nb.course.exercises.checks import (
    DECIBELS,
    POINTS,
    SHARE,
    Verdict,
    build,
    check,
    exercise,
    predict,
)

HALF = POINTS._replace(words="a number of points (from 0 to 100)", low=0)


@exercise
def real_1(answer: object) -> Verdict:
    """dB of a digital number: 20 log10(3000) - 83."""
    hints = {
        10 * np.log10(3000) - 83: "The number is an amplitude: 20 times its logarithm, not 10.",
        20 * np.log10(3000): "Less 83.",
        20 * np.log(3000) - 83: "That is the natural logarithm; decibels use that to base 10.",
        20 * np.log10(3000) + 83: "Less 83, not more.",
        83 - 20 * np.log10(3000): "The sign is turned: first 20 log10(DN), then less 83.",
        np.log10(3000) - 83: "20 times the logarithm.",
        10 * np.log10(3000): "20 times the logarithm, and less 83.",
        np.log10(3000): "That is the logarithm: 20 times it, less 83.",
        10 ** ((20 * np.log10(3000) - 83) / 10): "That is the linear power; give dB.",
        20 * np.log10(3000**2) - 83: "The number is not squared as well: 20 times its logarithm.",
        20 * np.log10(300) - 83: "DN is 3000, and not 300.",
        20 * np.log10(30000) - 83: "DN is 3000, and not 30000.",
        3000.0: "That is the number; 20 times its logarithm, less 83.",
    }
    return check(answer, 20 * np.log10(3000) - 83, 0.01, hints, DECIBELS)


@exercise
def real_2(answer: object) -> Verdict:
    """Share of 803 labelled pixels less 110 that nobody can name."""
    hints = {
        110 / 803: "That is the share that it cannot get right.",
        693: "That is the number of pixels; which share of the 803 is it?",
        1 - 110 / 1024: "Only the 803 labelled pixels count, not all 1024 of the square.",
        1.0: "Potato was never learned, so its pixels cannot be right.",
        803 / 693: "It is turned over: those that can be right, over all labelled ones.",
        110 / 693: "Those that can be right are over 803, and 110 is what cannot.",
        803 / 913: "The 110 are among the 803: take them off.",
        110: "That is the number that it cannot get right; which share can it?",
        693 / 1024: "Only the 803 labelled pixels count.",
        803 / 1024: "That is the share that is labelled; how much of it can be right?",
        0.0: "All but the potatoes can be right.",
    }
    return check(answer, 1 - 110 / 803, 5e-3, hints, SHARE)


@exercise
def real_3(answer: object, means: pd.DataFrame) -> Verdict:
    """Points by which the filtered forest is ahead, first square to second."""
    ahead = 100 * (means.loc["forest, Quegan-Yu"] - means.loc["forest, unfiltered"])
    right, other = ahead["first to second"], ahead["second to first"]
    hints = [
        (right / 100, "In points: times 100."),
        (-right, "Filtered less unfiltered."),
        (other, "That is the other direction."),
        ((right + other) / 2, "That is the mean of both directions: first to second is asked for."),
        (-other, "That is the other direction, and unfiltered less filtered."),
        (other / 100, "That is the other direction, and no points."),
        (
            100 * means.loc["forest, Quegan-Yu", "first to second"],
            "That is the filtered forest: how far is it ahead?",
        ),
        (
            100 * means.loc["forest, unfiltered", "first to second"],
            "That is the unfiltered forest: how far is the other ahead?",
        ),
        (
            100 * right / 100 / means.loc["forest, unfiltered", "first to second"],
            "That is in per cent of the unfiltered one; points are the difference.",
        ),
        (
            1 + right / 100 / means.loc["forest, unfiltered", "first to second"],
            "That is a ratio; points are the difference.",
        ),
    ]
    return check(answer, right, 0.1, hints, POINTS)


@exercise
def real_4(paired_interval: object) -> Verdict:
    """Mean difference of two methods over blocks, with its 95 % interval: (mean, low, high)."""
    return build(
        paired_interval,
        _has_three_numbers,
        _is_paired,
        _leaves_out_empty_blocks,
        _leaves_its_input,
        given="ours theirs",
        takes="the shares of two methods in any number of blocks",
        gives="three numbers: mean, low and high",
    )


def _right(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    difference = ours - theirs
    difference = difference[np.isfinite(difference)]
    n = len(difference)
    half = stats.t.ppf(0.975, n - 1) * difference.std(ddof=1) / n**0.5
    return difference.mean() + np.array([0, -half, half])


def _leaves_its_input(paired_interval: Callable) -> str | None:
    ours, theirs = _blocks(empty=1)
    paired_interval(ours, theirs)
    for mine, was in zip((ours, theirs), _blocks(empty=1), strict=True):
        if not np.array_equal(mine, was, equal_nan=True):
            return "It changes the shares that it is given: work on new arrays."
    return None


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
    if np.isclose(mean, np.median(difference)):
        return "That is the median of the differences; take their mean."
    if np.isclose(mean, np.abs(difference).mean()):
        return "A difference keeps its sign: take the mean of ours less theirs."
    if np.isclose(mean, difference.sum()):
        return "That is the sum of the differences; take their mean."
    if np.isclose(mean, 100 * difference.mean()):
        return "That is in points; give shares."
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
        t * spread / n: "Divide by the root of n, not by n.",
        t * spread**2 / n**0.5: "That is the variance: take the standard deviation.",
        t * spread / (n - 1) ** 0.5: "Divide by the root of n: ddof=1 is in the deviation.",
        2 * t * spread / n**0.5: "It is twice as wide: t standard errors on each side.",
        t * spread / n**0.5 / 2: "It is half as wide: t standard errors on each side.",
        stats.t.ppf(0.975, n) * spread / n**0.5: "n blocks have n - 1 degrees of freedom.",
        2 * spread / n**0.5: "2 is for many blocks. For few take Student's t.",
        1.96 * spread: "Divide by the root of n; and for few blocks take Student's t.",
        t * ours.std(ddof=1) / n**0.5: "That is the spread of ours alone: take the differences.",
    }
    if np.isclose(half, t * spread / n**0.5, rtol=1e-3):
        aside = not np.isclose((high + low) / 2, mean)
        return "The interval reaches as far to both sides of the mean." if aside else None
    told = [why for value, why in wrong.items() if np.isclose(half, value, rtol=1e-3)]
    return told[0] if told else "Its width is not t times the standard error of the differences."


def _leaves_out_empty_blocks(paired_interval: Callable) -> str | None:
    ours, theirs = _blocks(empty=2)
    found = np.array(paired_interval(ours, theirs), dtype="float64")
    if not np.isfinite(found).all():
        return "Blocks without a labelled pixel are NaN: leave them out."
    if np.allclose(found, _right(np.nan_to_num(ours), np.nan_to_num(theirs))):
        return "Blocks without a labelled pixel are no blocks with a share of 0: leave them out."
    if not np.allclose(found, _right(ours, theirs)):
        return "Blocks that are left out must not count in n either."
    few = np.asarray(paired_interval(ours[:5], theirs[:5]), dtype="float64")
    if not np.allclose(few, _right(ours[:5], theirs[:5])):
        return "With three blocks it is not right: n is the number of blocks that are there."
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
    hints = [
        (196 * np.sqrt(share * (1 - share) / n), 'That counts pixels: set unit = "block".'),
        (2 * right, "That is the whole width; give half of it."),
        (right / 100, "In points: times 100."),
        (100 * interval.estimate, "That is the accuracy itself; how wide is its interval?"),
        (float(interval.estimate), "That is the accuracy itself; how wide is its interval?"),
        (
            1.96 * np.sqrt(share * (1 - share) / n),
            'That counts pixels, and is no points: set unit = "block".',
        ),
        (
            100 * np.sqrt(share * (1 - share) / n),
            'That is one standard error, and counts pixels: set unit = "block".',
        ),
        (100 * float(interval.low), "That is the lower end; how wide is half of the interval?"),
        (100 * float(interval.high), "That is the upper end; how wide is half of the interval?"),
        (len(blocks), "That is the number of blocks; put the points that come out into found."),
        (right / 1.96, "That is one standard error; read what the cell prints."),
    ]
    return predict(predicted, found, because, right, 0.1, hints, HALF)
