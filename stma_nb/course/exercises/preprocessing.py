"""The checks of notebook 02, From digital numbers to an analysis-ready image."""

import math

import numpy as np

from stma_nb import radar
from stma_nb.course.exercises.checks import Verdict, check, exercise


@exercise
def preprocessing_1(answer: object) -> Verdict:
    """Bias of -22 dB of VH under a NESZ of -25 dB."""
    hints = {
        3.0: "That is the distance between signal and noise. "
        "Add their powers, then see how much larger the sum is.",
        -3.0: "That is the distance between noise and signal. "
        "Add their powers, then compare the sum with the signal.",
        -20.24: "That is what is measured. How much more is it than the truth?",
    }
    return check(answer, 10 * np.log10(1 + 10**-2.5 / 10**-2.2), 0.06, hints)


@exercise
def preprocessing_2(answer: object) -> Verdict:
    """Dates that Quegan and Yu's filter needs for an ENL of 30."""
    expected = next(dates for dates in range(1, 500) if radar.quegan_yu_enl(dates, 7) >= 30)
    plain_mean = math.ceil(30 / 4.4)
    hints = {
        plain_mean: "That would do if nothing but the mean over dates counted; "
        "the local means are speckled too.",
        expected - 1: "Just below 30: one more.",
    }
    return check(answer, expected, 0, hints)


@exercise
def preprocessing_3(answer: object) -> Verdict:
    """gamma0 of a sigma0 of -12 dB at 45 degrees."""
    cosine = np.cos(np.radians(45))
    multiplied = -12 + 10 * np.log10(cosine)
    hints = {
        multiplied: "You multiplied by the cosine; gamma0 divides by it, so it is larger.",
        -12 / cosine: "You divided the decibels. Divide the power: in dB that is a subtraction.",
    }
    return check(answer, -12 - 10 * np.log10(cosine), 0.02, hints)


@exercise
def preprocessing_4(answer: object) -> Verdict:
    """Area factor in dB of a slope of 20 degrees that faces a radar at 39 degrees."""
    here, facing, away = (np.tan(np.radians(angle)) for angle in (39, 39 - 20, 39 + 20))
    hints = {
        10 * np.log10(here / away): "That is a slope that falls away; this one faces the radar.",
        here / facing: "That is the factor; now express it in dB.",
        10 * np.log10(facing / here): "The cells of a slope that faces the radar hold more ground: "
        "it is brighter.",
    }
    return check(answer, 10 * np.log10(here / facing), 0.05, hints)
