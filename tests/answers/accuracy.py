"""Right and wrong answers to the exercises of accuracy: see test_81_course_exercises.py."""

import numpy as np

from stma_nb import accuracy
from stma_nb.course import exercises

MATRIX = np.array([[50, 3, 2], [4, 30, 1], [6, 5, 20]])

NUMBERS = [  # check, its arguments, right answer, {wrong answer: words of the hint}
    (
        exercises.accuracy_1,
        (),
        10800,
        {
            10000: "map counts",
            9000: "shows none",
            11000: "not 100 000",
            9200: "2 % of the mapped",
            1800: "add what it found",
            2000: "That is 2 % of all: 2 % of the",
            10200: "2 % of the mapped maize? The",
            11800: "Of the mapped 10 000 ha only 90 %",
            12000: "Of the mapped 10 000 ha only 90 %",
            7200: "The missed maize is added, not",
            0.108: "That is a share of the area; give",
            10.8: "That is in thousands, or in per",
            108: "That is in km²; give hectares.",
            1000: "That is the mapped maize that is",
            90000: "That is the area that the map",
            81200: "The shares are exchanged: 90 % of",
            9800: "The missed maize is added: 2 % of",
        },
    ),
    (
        exercises.accuracy_2,
        (),
        1100,
        {
            33: "Square",
            1140: "square the sum",
            1204: "simple random",
            4225: "± 1 %",
            11: "of 0.1",
            0.11: "Divide by the square of 0.01 as",
            0.3317: "That is the sum; divide it by",
            1275: "That is for the plain mean of",
            900: "That is the second stratum alone,",
            2100: "That is the first stratum alone,",
            576: "That is the second stratum's part",
            660: "Square the sum, and not each",
            1820: "The areas are exchanged: 0.7",
            1437: "The strata have different areas:",
            2500: "That is for U = 0.5: here 0.7 and",
        },
    ),
    (
        exercises.accuracy_3,
        (),
        0.2,
        {
            0.1: "quantity",
            0.3: "all disagreement",
            0.7: "diagonal",
            20: "per cent",
            10: "That is one of the two errors, in",
            30: "That is all disagreement, in",
            0.15: "That is the mean of both errors:",
            0.6: "That is the crop that was found.",
            0.8: "That is the crop in the reference.",
            0: "Both errors occur, so pixels",
            0.3333: "Divide by all pixels.",
            0.6667: "That is the part of the",
            0.02: "Do not multiply the errors:",
        },
    ),
    (
        exercises.accuracy_4,
        (MATRIX, np.array([900, 50, 50])),
        0.42852,
        {
            30 / 38: "in the sample",
            30 / 35: "user's",
            0.04286: "share of the area",
            0.1: "share of maize",
            30 / 121: "not by all of it",
            0.9815: "That is the first class; maize is",
            0.8933: "That is the overall accuracy; of",
            0.8264: "That is the share of the sample",
            0.5715: "That is the share that was missed.",
            0.05: "That is the share that the map",
            30: "That is a number of pixels of the",
            0.3371: "Take the share of each row first:",
            2.334: "It is turned over: the maize",
        },
    ),
    (
        exercises.accuracy_5,
        (),
        0.01775,
        {
            0.0095: "what is left",
            0.059: "Not all",
            0.01825: "crop itself",
            0.01657: "not of seven",
            0.00825: "That is what comes to it; some of",
            0.01783: "The wrong labels come from the",
            0.01: "That is the true share; wrong",
            0.0495: "Not all wrong labels become this",
            0.06: "Not all wrong labels become this",
            0.0005: "That is what the crop loses; how",
            0.00125: "What comes to the crop is added.",
            0.0194: "A wrong label is one of six other",
            0.0105: "5 % of the crop is lost, not won;",
        },
    ),
]


def strata(counts, pixels, column):
    """Pixels and samples of the strata that there are, and the share of the class in each."""
    here = pixels > 0
    drawn = counts[here].sum(1)
    if (drawn < 2).any():
        raise ValueError("fewer than two samples")
    return pixels[here], drawn, counts[here, column] / drawn


def area(counts, pixels, column):
    size, drawn, p = strata(counts, pixels, column)
    half = 1.96 * np.sqrt((size**2 * p * (1 - p) / (drawn - 1)).sum())
    estimate = (size * p).sum()
    return estimate, estimate - half, estimate + half


def with_loop(counts, pixels, column):
    estimate = variance = 0.0
    for row, size in zip(counts.tolist(), pixels.tolist(), strict=True):
        if size == 0:
            continue
        if sum(row) < 2:
            raise ValueError("a stratum without samples")
        p = row[column] / sum(row)
        estimate += size * p
        variance += size**2 * p * (1 - p) / (sum(row) - 1)
    half = 1.96 * variance**0.5
    return [estimate, estimate - half, estimate + half]


def of_library(counts, pixels, column):
    row = accuracy.stratified_estimate(counts, pixels).area.iloc[column]
    return row["estimate"], row["low"], row["high"]


def estimating(change):
    """A wrong function whose estimate is another."""

    def wrong(counts, pixels, column):
        estimate, low, high = area(counts, pixels, column)
        new = change(counts, pixels, column)
        return new, new + low - estimate, new + high - estimate

    return wrong


def spreading(change):
    """A wrong function whose interval is another: its half width, from size, drawn and p."""

    def wrong(counts, pixels, column):
        size, drawn, p = strata(counts, pixels, column)
        estimate, half = (size * p).sum(), change(size, drawn, p)
        return estimate, estimate - half, estimate + half

    return wrong


def emptied(counts, pixels, column):
    found = area(counts, pixels, column)
    counts[:] = 0
    return found


def with_nothing(counts, pixels, column):
    with np.errstate(invalid="ignore"):
        p = counts[:, column] / counts.sum(1)
    return (pixels * p).sum(), 0.0, 1.0


def unasked(counts, pixels, column):
    return area(counts, np.where(counts.sum(1) > 0, pixels, 0), column)


def one_is_enough(counts, pixels, column):
    if (counts.sum(1)[pixels > 0] < 1).any():
        raise ValueError("no sample")
    here = pixels > 0
    drawn, size = counts[here].sum(1), pixels[here]
    p = counts[here, column] / drawn
    half = 1.96 * np.sqrt((size**2 * p * (1 - p) / np.maximum(drawn - 1, 1)).sum())
    return (size * p).sum(), (size * p).sum() - half, (size * p).sum() + half


def of_four(counts, pixels, column):
    return area(counts[:4, :4], pixels[:4], column) if len(counts) == 4 else (0, -1, 1)


BUILDS = [  # check, its arguments, [right functions], [(wrong function, words of the hint)]
    (
        exercises.accuracy_6,
        (),
        [area, with_loop, of_library],
        [
            (lambda c, p, k: area(c, p, k)[0], "three numbers"),
            (emptied, "changes the counts"),
            (with_nothing, "0 / 0"),
            (estimating(lambda c, p, k: p[k]), "what the map counts"),
            (estimating(lambda c, p, k: area(c, p, k)[0] / p.sum()), "share of the map"),
            (estimating(lambda c, p, k: c[k, k] / c[k].sum() * p[k]), "add up all strata"),
            (estimating(lambda c, p, k: c[:, k].sum() / c.sum() * p.sum()), "own weight"),
            (estimating(lambda c, p, k: c[k] / c[k].sum() @ p), "take the column"),
            (estimating(lambda c, p, k: c[:, k] @ p / c[:, k].sum()), "Sum over strata"),
            (
                spreading(lambda n, m, p: np.sqrt((n**2 * p * (1 - p) / (m - 1)).sum())),
                "1.96",
            ),
            (spreading(lambda n, m, p: 1.96 * np.sqrt((n**2 * p * (1 - p) / m).sum())), "n - 1"),
            (
                spreading(lambda n, m, p: 1.96 * np.sqrt((n * p * (1 - p) / (m - 1)).sum())),
                "squared",
            ),
            (
                spreading(lambda n, m, p: 1.96 * (n * np.sqrt(p * (1 - p) / (m - 1))).sum()),
                "Add up variances",
            ),
            (
                spreading(lambda n, m, p: 1.96 * (n**2 * p * (1 - p) / (m - 1)).sum()),
                "take its root",
            ),
            (spreading(lambda n, m, p: 300.0), "narrower"),
            (lambda c, p, k: area(c, p, k)[::2] + area(c, p, k)[1:2], "above the upper"),
            (unasked, "without any sample"),
            (one_is_enough, "without more than one sample"),
            (of_four, "With 2 classes"),
            (lambda c, p, k: area(c, p, range(4)), "it should take counts"),
            (lambda pixels, counts, column: area(counts, pixels, column), "another order"),
            (lambda counts, pixels: area(counts, pixels, 1), "name all of them"),
            (
                lambda c, p, k: (lambda a, low, high: (a, low, high + 30))(*area(c, p, k)),
                "should be",
            ),
            (lambda c, p, k: area(MATRIX, p, k), "uses MATRIX of the notebook"),
            (lambda c, p, k: [sum(c[i][k] for i in range(99))] * 3, "count on no fixed number"),
            (lambda c, p, k: print(end=""), "Return three numbers"),
        ],
    )
]

PREDICTS = [  # check, its arguments, what is found, {wrong: words of the hint}
    (
        exercises.accuracy_7,
        (0.0149, 0.0106),
        0.0106,
        {
            0.0149: "first sample",
            0.00745: "four times",
            0.0208: "half the interval",
            1.06: "per cent",
            0.7114: "ratio",
            1.40566: "That is the ratio of the two;",
            0.0298: "A larger sample makes it smaller:",
            0.0043: "That is by how much it falls;",
            0.0001124: "That is the variance; give its",
            0.04155: "That is the whole interval; take",
        },
    )
]
