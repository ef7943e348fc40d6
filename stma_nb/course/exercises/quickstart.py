"""The checks of notebook 00, A crop map from radar, in minutes."""

import numpy as np

from stma_nb.course.exercises.checks import Verdict, check, exercise


@exercise
def quickstart_1(answer: object) -> Verdict:
    """0.02 of the power in dB."""
    hints = {
        17.0: "A share below one has a negative logarithm.",
        -39.1: "That is 10 times the natural logarithm; decibels use the logarithm to base 10.",
        -1.7: "That is the logarithm; decibels are ten times that.",
    }
    return check(answer, 10 * np.log10(0.02), 0.1, hints)


@exercise
def quickstart_2(answer: object, matrix: np.ndarray, code: int) -> Verdict:
    """User's accuracy of a class."""
    producers = matrix[code, code] / matrix[:, code].sum()
    hints = {
        producers: "That is the producer's accuracy: you divided by the reference. "
        "Divide by what the map calls so."
    }
    return check(answer, matrix[code, code] / matrix[code].sum(), 6e-3, hints)


@exercise
def quickstart_3(answer: object, matrix: np.ndarray) -> Verdict:
    """Overall accuracy of a map that is background everywhere."""
    total = matrix.sum()
    mapped = matrix[0].sum() / total
    found = matrix[0, 0] / total
    hints = {
        mapped: "That is what the network's map calls background. "
        "Where is the *reference* background?",
        found: "That counts only background which the network found too; "
        "the lazy map finds all of it.",
    }
    return check(answer, matrix[:, 0].sum() / total, 6e-3, hints)
