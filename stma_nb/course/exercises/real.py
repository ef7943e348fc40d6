"""The checks of notebook 12, Real fields."""

import numpy as np
import pandas as pd

from stma_nb.course.exercises.checks import Verdict, check, exercise


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
    hints = {110 / 803: "That is the share that it cannot get right."}
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
