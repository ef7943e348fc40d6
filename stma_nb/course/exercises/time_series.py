"""The checks of notebook 01, What the radar sees."""

import numpy as np

from stma_nb.course.exercises.checks import Verdict, check, exercise


@exercise
def time_series_1(answer: object) -> Verdict:
    """Backscatter of a field that is half at -10 and half at -20 dB."""
    hints = {
        -15.0: "That is the mean of the decibels. "
        "Go to linear power, average there, and come back.",
        0.055: "That is the mean power; now express it in dB.",
    }
    return check(answer, 10 * np.log10((0.1 + 0.01) / 2), 0.02, hints)


@exercise
def time_series_2(answer: object, power: np.ndarray) -> Verdict:
    """ENL of the pixels of a field."""
    enl = power.mean() ** 2 / power.var()
    root = power.mean() / power.std()
    inverse = power.var() / power.mean() ** 2
    hints = {
        root: "That is the mean over the standard deviation. ENL is its square.",
        inverse: "That is the inverse: ENL grows when the spread shrinks.",
    }
    return check(answer, enl, 0.06, hints)


@exercise
def time_series_3(answer: object, table: np.ndarray, present: list[str]) -> Verdict:
    """Date on which wheat and rapeseed differ most in mean VH."""
    gap = table[present.index("Rapeseed")] - table[present.index("Wheat")]
    most = int(np.abs(gap).argmax())
    least = int(np.abs(gap).argmin())
    lowest = int(gap.argmin())
    hints = {
        least: "There they differ least.",
        lowest: "There rapeseed is furthest below wheat; "
        "look at the size of the difference, whatever its sign.",
        most + 1: "Count from 0: the first date has position 0.",
    }
    return check(answer, most, 0, hints)
