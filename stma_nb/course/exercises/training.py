"""The checks of notebook 07, Train on any hardware."""

import numpy as np

from stma_nb.course.exercises.checks import Verdict, check, exercise


@exercise
def training_1(answer: object) -> Verdict:
    """Cross-entropy of 16 classes with the same probability."""
    hints = {
        1 / 16: "That is the probability; the loss is minus its logarithm.",
        4: "That is in bit; PyTorch uses the natural logarithm.",
        -np.log(16): "The loss is minus the logarithm of the probability.",
        np.log10(16): "Use the natural logarithm.",
    }
    return check(answer, np.log(16), 5e-3, hints)


@exercise
def training_2(answer: object) -> Verdict:
    """Hours of 500 epochs of 2749 patches in batches of 32 at 0.4 s a step."""
    hints = {
        86 * 500 * 0.4 / 3600: "The incomplete last batch waits: 85 steps an epoch.",
        2749 * 500 * 0.4 / 3600: "A step takes a batch, not a patch.",
        85 * 500 * 0.4 / 60: "That is in minutes.",
    }
    return check(answer, 85 * 500 * 0.4 / 3600, 0.01, hints)


@exercise
def training_3(answer: object) -> Verdict:
    """The smallest bfloat16 number that, added to 1, gives more than 1: half a step and a bit."""
    hints = {
        2**-8: "That is half a step (or is rounded to it): a tie, and a tie goes to the even "
        "number, which is 1. Try it, and take the next bfloat16 number.",
        2**-7: "That is a whole step; a sum is rounded to the nearest.",
        2**-11: "That is for float16.",
    }
    # Here numbers of bfloat16 lie 2**-15 apart; what is within half of that is rounded to it.
    return check(answer, 2**-8 + 2**-15, 1.5e-5, hints)
