"""Right and wrong answers to the exercises of time_series: see test_81_course_exercises.py."""

import numpy as np

from stma_nb.course import exercises

POWER = np.random.default_rng(0).gamma(4.4, 1 / 4.4, 500)
TABLE = np.array([[-10.0, -12, -11, -13], [-15, -13, -12, -20], [-10, -10, -16, -12]])
NAMES = ["Maize", "Wheat", "Rapeseed"]

NUMBERS = [  # check, its arguments, right answer, {wrong answer: words of the hint}
    (
        exercises.time_series_1,
        (),
        -12.596,
        {-15: "mean of the decibels", 0.055: "express it in dB"},
    ),
    (
        exercises.time_series_2,
        (POWER,),
        POWER.mean() ** 2 / POWER.var(),
        {POWER.mean() / POWER.std(): "square"},
    ),
    (
        exercises.time_series_3,
        (TABLE, NAMES),
        3,
        {1: "not right", 2: "furthest below", 4: "Count from 0"},
    ),
]
