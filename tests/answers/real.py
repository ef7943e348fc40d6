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
    (exercises.real_1, (), -13.458, {-48.23: "20 times", 69.54: "Less 83", 77.13: "base 10"}),
    (
        exercises.real_2,
        (),
        0.863,
        {0.137: "cannot get right", 86.3: "per cent", 693: "number of pixels", 0.8926: "1024"},
    ),
    (
        exercises.real_3,
        (MEANS,),
        6.0,
        {0.06: "In points", -6.0: "Filtered less", 9.0: "other direction"},
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
        },
    )
]
