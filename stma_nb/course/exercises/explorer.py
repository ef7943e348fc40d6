"""The checks of notebook 09, The attention explorer."""

import numpy as np

from stma_nb.course.exercises.checks import Verdict, check, exercise


@exercise
def explorer_1(answer: object, received: np.ndarray) -> Verdict:
    """Position of the date that receives most attention, from (windows, dates)."""
    mean = received.mean(0)
    hints = {
        int(mean.argmin()): "There the weight is smallest.",
        int(mean.argmax()) + 1: "Count from 0.",
    }
    return check(answer, int(mean.argmax()), 0, hints)


@exercise
def explorer_2(answer: object, received: np.ndarray) -> Verdict:
    """Largest mean share of attention over an equal share."""
    mean = received.mean(0)
    hints = {
        mean.max(): "That is the share itself; divide by an equal share.",
        received.max() * len(mean): "Average over patches first.",
    }
    return check(answer, mean.max() * len(mean), 0.06, hints)


@exercise
def explorer_3(answer: object, increase: np.ndarray, received: np.ndarray) -> Verdict:
    """Position of the date whose occlusion raises the loss most, from (windows, dates)."""
    most_seen = int(received.mean(0).argmax())
    hints = {most_seen: "That date receives the most attention; which one is missed most?"}
    return check(answer, int(increase.mean(0).argmax()), 0, hints)
