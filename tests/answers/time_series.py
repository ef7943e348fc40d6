"""Right and wrong answers to the exercises of time_series: see test_81_course_exercises.py."""

import numpy as np

from stma_nb.course import exercises

POWER = np.random.default_rng(0).gamma(4.4, 0.03 / 4.4, 500)
TABLE = np.array([[-10.0, -12, -11, -13], [-15, -13, -12, -20], [-10, -10, -16, -12]])
NAMES = ["Maize", "Wheat", "Rapeseed"]
WHEN = np.datetime64("2018-05-13T16:50:00", "ns")

NUMBERS = [  # check, its arguments, right answer, {wrong answer: words of the hint}
    (
        exercises.time_series_1,
        (),
        -12.596,
        {
            -15: "mean of the decibels",
            0.055: "express it in dB",
            12.6: "its sign",
            -9.586: "sum of both",
            -1.26: "ten times",
            -29.0: "natural logarithm",
            -25.19: "Backscatter is a power: 10 times",
            -13: "Round at the end only, and give a",
            -20.41: "-10 dB is a power of 0.1, and not",
            -30: "Decibels that are added multiply",
            5: "That is half the difference in",
            -10: "That is the brighter half alone.",
            -20: "That is the darker half alone.",
            0.11: "That is the sum of both powers:",
        },
    ),
    (
        exercises.time_series_2,
        (POWER,),
        POWER.mean() ** 2 / POWER.var(),
        {
            POWER.mean() / POWER.std(): "square",
            POWER.var() / POWER.mean() ** 2: "inverse",
            (10 * np.log10(POWER)).mean() ** 2 / np.var(10 * np.log10(POWER)): "decibels",
            POWER.std() / POWER.mean(): "inverse, squared",
            POWER.mean() / POWER.var(): "Square the mean",
            6.65: "That is the ENL in dB; give it as",
            5.624: "First the mean of vv, then its",
            3.851: "That is the median squared; take",
            500: "That is the number of pixels. ENL",
            1.52: "Square the whole mean, and divide",
            0.000181: "That is the variance alone;",
            0.02893: "That is the mean; square it and",
            0.0008368: "That is the squared mean; divide",
            0.0622: "Divide by the variance, which is",
        },
    ),
    (
        exercises.time_series_3,
        (TABLE, NAMES),
        3,
        {
            1: "differ least",
            2: "furthest below",
            4: "count from 1",
            0: "brightest",
            WHEN: "from 0 to 3",
            -1: "not from its end",
            18: "from 0 to 3",
            8: "That is by how much they differ;",
            1.234e15: "Give the position of the date,",
        },
    ),
]


def mean_db(power):
    return 10 * np.log10(np.nanmean(power))


def by_hand(power):
    power = np.atleast_1d(power)
    known = power[np.isfinite(power)]
    return np.array([10 * np.log10(known.sum() / known.size)])


def changing(power):
    power *= 10
    return mean_db(power / 10)


def changing_fields(power):
    if np.ndim(power) == 2:
        power[np.isnan(power)] = 0
        return 10 * np.log10(power.sum() / (power > 0).sum())
    return mean_db(power)


def middle(power):
    return 10 * np.log10((np.nanmax(power) + np.nanmin(power)) / 2)


def without_zeros(power):
    power = np.asarray(power)
    return mean_db(power[power > 0])


BUILDS = [  # check, its arguments, right functions, (wrong function, words of the hint)
    (
        exercises.time_series_4,
        (),
        [mean_db, by_hand, lambda p: 10 * np.log10(np.nansum(p) / np.isfinite(p).sum())],
        [
            (lambda p: np.nanmean(10 * np.log10(p)), "mean of the decibels"),
            (np.nanmean, "express it in dB"),
            (lambda p: np.log10(np.nanmean(p)), "ten times"),
            (lambda p: 10 * np.log(np.nanmean(p)), "base 10"),
            (lambda p: 20 * np.log10(np.nanmean(p)), "not 20"),
            (lambda p: -mean_db(p), "sign is turned"),
            (lambda p: 10 * np.log10(np.nansum(p)), "take their mean"),
            (lambda p: 10 * np.log10(p), "one number for all"),
            (lambda p: 10 * np.log10(np.mean(p)), "np.nanmean"),
            (lambda p: 10 * np.log10(np.nanmean(p, axis=0)), "rows and columns"),
            (lambda p: 10 * np.log10(np.nansum(p) / np.size(p)), "number of the others"),
            (without_zeros, "count it as well"),
            (lambda p: mean_db(p[np.isfinite(p)]), "A single number"),
            (lambda p: mean_db(p) + 1, "of 0.1 and 0.01 is -12.60 dB; yours is -11.60"),
            (lambda p: str(p), "one number"),
            (changing, "changes the array"),
            (lambda p: 10 * np.log10(np.nanmedian(p)), "median"),
            (lambda p: np.nanmedian(10 * np.log10(p)), "mean of the decibels"),
            (
                lambda p: 10 * np.log10(np.nanmean([np.nanmean(row) for row in np.atleast_1d(p)])),
                "mean of means",
            ),
            (lambda p: mean_db(p[0]) if np.ndim(p) == 3 else mean_db(p), "one date alone"),
            (middle, "middle of the largest"),
            (changing_fields, "changes the array"),
            (lambda p: mean_db(p.values), "no .values"),
            (lambda p: 10 * np.log10(sum(p) / 2), "rows and columns"),
            (lambda p: mean_db(POWER), "uses POWER of the notebook"),
            (lambda p: print(end=""), "one number"),
            (lambda p: mean_db(np.square(p)), "as they are"),
            (lambda p: p.mean_db(), "does not have"),
        ],
    )
]

FOUR = np.random.default_rng(1).gamma(11, 1 / 11, 500)
LOOKS, FOUND = (power.mean() ** 2 / power.var() for power in (POWER, FOUR))
PREDICTS = [  # check, its arguments, what is found, {wrong finding: words of the hint}
    (
        exercises.time_series_5,
        (FOUR, POWER),
        FOUND,
        {
            4 * LOOKS: "speckle alone",
            LOOKS: "ENL of one date",
            2 * LOOKS: "twice",
            np.sqrt(FOUND): "square",
            1 / FOUND: "inverse",
            10.7: "That is the ENL in dB; give it as",
            12.74: "That is the mean of the squares.",
            11.88: "Square the mean before you divide",
            0.08316: "That is the variance alone;",
            0.988: "That is the mean power; ENL is",
            500: "That is the number of pixels. ENL",
            0.03399: "That is computed from decibels;",
        },
    )
]
