"""Right and wrong answers to the exercises of quickstart: see test_81_course_exercises.py."""

import numpy as np

from stma_nb.course import exercises

MATRIX = np.array([[50, 3, 2], [4, 30, 1], [6, 5, 20]])

NUMBERS = [  # check, its arguments, right answer, {wrong answer: words of the hint}
    (
        exercises.quickstart_1,
        (),
        -16.99,
        {16.99: "negative logarithm", -39.12: "base 10", -1.7: "ten times"},
    ),
    (exercises.quickstart_2, (MATRIX, 1), 30 / 35, {30 / 38: "producer's", 85.7: "per cent"}),
    (
        exercises.quickstart_3,
        (MATRIX,),
        60 / 121,
        {55 / 121: "network's map", 50 / 121: "the lazy map finds all"},
    ),
]
