"""The checks of notebook 04, Attention over dates."""

import numpy as np

from stma_nb.course.exercises.checks import Verdict, check, exercise


@exercise
def temporal_1(answer: object) -> Verdict:
    """Softmax weight of a score of 2 against 0."""
    hints = {
        1.0: "Softmax gives every score a positive weight: "
        "exponentials first, then divide by their sum.",
        np.exp(2): "That is the exponential; divide by the sum of both.",
        1 - 1 / (1 + np.exp(-2)): "That is the weight of the second date.",
    }
    return check(answer, 1 / (1 + np.exp(-2)), 2e-3, hints)


@exercise
def temporal_2(answer: object) -> Verdict:
    """Parameters of the temporal attention of level 1 at a patch of 64 pixels."""
    width = 2 * 16 * 16
    hints = {
        width**2: "That is one matrix without bias; there are four: query, key, value, output.",
        4 * width**2: "Add the biases: one number per output of each matrix.",
        4 * 256**2 + 4 * 256: "A token holds all channels of all pixels: two channels here.",
    }
    return check(answer, 4 * width**2 + 4 * width, 0, hints)


@exercise
def temporal_3(answer: object) -> Verdict:
    """Relative entropy of the weights 0.7, 0.1, 0.1, 0.1."""
    weights = np.array([0.7, 0.1, 0.1, 0.1])
    entropy = -(weights * np.log(weights)).sum()
    bits = entropy / np.log(2)
    hints = {
        entropy: "That is the entropy; divide by that of four equal weights.",
        bits: "That is the entropy in bits; divide by that of four equal weights, two bits.",
    }
    return check(answer, entropy / np.log(4), 2e-3, hints)
