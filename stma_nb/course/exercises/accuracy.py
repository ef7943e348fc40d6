"""The checks of notebook 08, How good is the map?."""

import numpy as np

from stma_nb.course.exercises.checks import Verdict, check, exercise


@exercise
def accuracy_1(answer: object) -> Verdict:
    """Hectares of maize, from 10 000 ha mapped (90 % right) and 90 000 ha of others (2 % maize)."""
    hints = {
        10_000: "That is what the map counts; correct it by what the sample found.",
        9_000: "That is the maize that the map found; some lies where the map shows none.",
        11_000: "2 % of the rest: the rest is 90 000 ha, not 100 000.",
    }
    return check(answer, 10_800, 0, hints)


@exercise
def accuracy_2(answer: object) -> Verdict:
    """Sample size for a standard error of 0.01: (sum of W sqrt(U (1 - U)) / S) squared."""
    hints = {
        33: "Square it.",
        1140: "Sum W sqrt(U (1 - U)) first, and square the sum.",
        1204: "That is for a simple random sample; strata leave only the spread within them: "
        "sum W sqrt(U (1 - U)).",
    }
    return check(answer, 1100, 1, hints)


@exercise
def accuracy_3(answer: object) -> Verdict:
    """Allocation disagreement of [[60, 10], [20, 10]]."""
    hints = {
        0.1: "That is the quantity disagreement.",
        0.3: "That is all disagreement; take the quantity off.",
    }
    return check(answer, 0.2, 1e-3, hints)


@exercise
def accuracy_4(answer: object, counts: np.ndarray, pixels: np.ndarray) -> Verdict:
    """Area-weighted producer's accuracy of class 1."""
    # Each row of the sample stands for a stratum of the map, and counts with its share of the area.
    drawn = np.maximum(counts.sum(1, keepdims=True), 1)  # none of a class that the map lacks
    share = counts / drawn * (pixels / pixels.sum())[:, None]
    in_sample = counts[1, 1] / counts[:, 1].sum()
    users = counts[1, 1] / counts[1].sum()
    hints = {
        in_sample: "That is the share in the sample; weight each row with its stratum's area.",
        users: "That is the user's accuracy.",
    }
    return check(answer, share[1, 1] / share[:, 1].sum(), 2e-3, hints)


@exercise
def accuracy_5(answer: object) -> Verdict:
    """Share of a crop of 1 % in a reference of seven classes whose labels are wrong by 5 %."""
    hints = {
        0.95 * 0.01: "That is what is left of the crop; wrong labels of other classes come to it.",
        0.95 * 0.01 + 0.05 * 0.99: "Not all wrong labels become this crop: they spread over six.",
        0.01 + 0.05 / 6 * 0.99: "Some of the crop itself is labelled as something else.",
        0.95 * 0.01 + 0.05 / 7 * 0.99: "A wrong label is one of six other classes, not of seven.",
    }
    return check(answer, 0.95 * 0.01 + 0.05 / 6 * 0.99, 2e-4, hints)
