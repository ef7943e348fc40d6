"""Right and wrong answers to the exercises of real: see test_81_course_exercises.py."""

import numpy as np
import pandas as pd
from scipy import stats

from stma_nb.course import exercises

MEANS = pd.DataFrame(
    {"first to second": [0.57, 0.63], "second to first": [0.73, 0.82]},
    ["forest, unfiltered", "forest, Quegan-Yu"],
)

NUMBERS = [  # check, its arguments, right answer, {wrong answer: words of the hint}
    (
        exercises.real_1,
        (),
        -13.458,
        {
            -48.23: "20 times",
            69.54: "Less 83",
            77.13: "base 10",
            152.542: "Less 83, not more.",
            13.46: "The sign is turned: first 20",
            -79.52: "20 times the logarithm.",
            34.77: "20 times the logarithm, and less",
            3.477: "That is the logarithm: 20 times",
            0.04511: "That is the linear power; give dB.",
            56.08: "The number is not squared as",
            -33.46: "DN is 3000, and not 300.",
            6.542: "DN is 3000, and not 30000.",
            3000: "That is the number; 20 times its",
        },
    ),
    (
        exercises.real_2,
        (),
        0.863,
        {
            0.137: "cannot get right",
            86.3: "per cent",
            693: "number of pixels",
            0.8926: "1024",
            1: "Potato was never learned, so its",
            1.159: "It is turned over: those that can",
            0.1587: "Those that can be right are over",
            0.8795: "The 110 are among the 803: take",
            110: "That is the number that it cannot",
            0.6768: "Only the 803 labelled pixels",
            0.7842: "That is the share that is",
            0: "All but the potatoes can be right.",
        },
    ),
    (
        exercises.real_3,
        (MEANS,),
        6.0,
        {
            0.06: "In points",
            -6.0: "Filtered less",
            9.0: "other direction",
            7.5: "That is the mean of both",
            -9: "That is the other direction, and",
            0.09: "That is the other direction, and",
            63: "That is the filtered forest: how",
            57: "That is the unfiltered forest:",
            10.53: "That is in per cent of the",
            1.105: "That is a ratio; points are the",
        },
    ),
]


def paired_interval(ours, theirs):
    difference = ours - theirs
    difference = difference[~np.isnan(difference)]
    n = len(difference)
    half = stats.t.ppf(0.975, n - 1) * difference.std(ddof=1) / n**0.5
    return difference.mean(), difference.mean() - half, difference.mean() + half


def by_scipy(ours, theirs):
    difference = (ours - theirs)[np.isfinite(ours - theirs)]
    mean, error = difference.mean(), stats.sem(difference)
    low, high = stats.t.interval(0.95, len(difference) - 1, mean, error)
    return np.array([mean, low, high])


def with_factor(factor, ddof=1, root=True):
    """A function that multiplies the standard error by a factor of n."""

    def wrong(ours, theirs):
        difference = ours - theirs
        n = len(difference)
        half = factor(n) * difference.std(ddof=ddof) / (n**0.5 if root else 1)
        return difference.mean(), difference.mean() - half, difference.mean() + half

    return wrong


def t(n):
    return stats.t.ppf(0.975, n - 1)


def unpaired(ours, theirs):
    n, mean = len(ours), ours.mean() - theirs.mean()
    half = t(n) * ((ours.var(ddof=1) + theirs.var(ddof=1)) / n) ** 0.5
    return mean, mean - half, mean + half


def counts_empty_blocks(ours, theirs):
    difference, n = ours - theirs, len(ours)
    half = t(n) * np.nanstd(difference, ddof=1) / n**0.5
    mean = np.nanmean(difference)
    return mean, mean - half, mean + half


def of_eight(ours, theirs):
    difference = (ours - theirs)[np.isfinite(ours - theirs)]
    half = stats.t.ppf(0.975, 7) * difference.std(ddof=1) / 8**0.5
    return difference.mean(), difference.mean() - half, difference.mean() + half


def of_six_at_least(ours, theirs):
    difference = (ours - theirs)[np.isfinite(ours - theirs)]
    n = max(6, len(difference))
    half = t(n) * difference.std(ddof=1) / n**0.5
    return difference.mean(), difference.mean() - half, difference.mean() + half


def middle(ours, theirs):
    mean, low, high = paired_interval(ours, theirs)
    other = np.nanmedian(ours - theirs)
    return other, other - mean + low, other - mean + high


def aside(ours, theirs):
    mean, low, high = paired_interval(ours, theirs)
    return mean, low + 0.01, high + 0.01


def fills(ours, theirs):
    found = paired_interval(ours, theirs)
    ours[np.isnan(ours)] = 0
    return found


BUILDS = [  # check, its arguments, right functions, [(wrong function, words of the hint)]
    (
        exercises.real_4,
        (),
        [paired_interval, by_scipy],
        [
            (lambda ours, theirs: (ours - theirs).mean(), "expected (mean, low, high)"),
            (lambda ours, theirs: paired_interval(ours, theirs)[::-1], "in this order"),
            (lambda ours, theirs: paired_interval(theirs, ours), "ours less theirs"),
            (unpaired, "cancels"),
            (with_factor(t, root=False), "root of n"),
            (with_factor(t, ddof=0), "ddof=1"),
            (with_factor(lambda n: 1.96), "Student"),
            (with_factor(lambda n: stats.t.ppf(0.95, n - 1)), "two sides"),
            (with_factor(lambda n: 1), "one standard error"),
            (with_factor(t), "leave them out"),
            (counts_empty_blocks, "not count in n"),
            (of_eight, "not count in n"),
            (of_six_at_least, "With three blocks"),
            (
                lambda ours, theirs: by_scipy(np.nan_to_num(ours), np.nan_to_num(theirs)),
                "share of 0",
            ),
            (middle, "median"),
            (lambda ours, theirs: by_scipy(abs(ours - theirs), 0), "keeps its sign"),
            (lambda ours, theirs: 100 * by_scipy(ours, theirs), "in points"),
            (aside, "as far to both sides"),
            (with_factor(lambda n: t(n) / n**0.5), "not by n"),
            (with_factor(lambda n: 2 * t(n)), "twice as wide"),
            (with_factor(lambda n: t(n) / 2), "half as wide"),
            (with_factor(lambda n: stats.t.ppf(0.975, n)), "n - 1 degrees"),
            (with_factor(lambda n: 2), "2 is for many"),
            (fills, "changes the shares"),
            (lambda ours: ours.mean(), "name all of them"),
        ],
    )
]

RIGHT = np.array([50, 40, 30, 45, 20, 48, 35, 25])
BLOCKS = np.zeros((8, 2, 2))
BLOCKS[:, 0, 0], BLOCKS[:, 1, 0] = RIGHT, 50 - RIGHT

PREDICTS = [  # check, its arguments, what is found, {wrong: words of the hint}
    (
        exercises.real_5,
        (BLOCKS,),
        19.608,
        {
            4.338: "counts pixels",
            39.216: "whole width",
            0.196: "In points",
            73.25: "accuracy itself",
            0.7325: "That is the accuracy itself; how",
            0.04338: "That counts pixels, and is no",
            2.213: "That is one standard error, and",
            49.3: "That is the lower end; how wide",
            88.52: "That is the upper end; how wide",
            8: "That is the number of blocks; put",
            10: "That is one standard error; read",
        },
    )
]
