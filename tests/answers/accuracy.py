"""Right and wrong answers to the exercises of accuracy: see test_81_course_exercises.py."""

import numpy as np

from stma_nb.course import exercises

MATRIX = np.array([[50, 3, 2], [4, 30, 1], [6, 5, 20]])

NUMBERS = [  # check, its arguments, right answer, {wrong answer: words of the hint}
    (
        exercises.accuracy_1,
        (),
        10800,
        {10000: "map counts", 9000: "shows none", 11000: "not 100 000"},
    ),
    (exercises.accuracy_2, (), 1100, {33: "Square", 1140: "square the sum", 1204: "simple random"}),
    (exercises.accuracy_3, (), 0.2, {0.1: "quantity", 0.3: "all disagreement"}),
    (
        exercises.accuracy_4,
        (MATRIX, np.array([900, 50, 50])),
        0.42852,
        {30 / 38: "in the sample", 30 / 35: "user's"},
    ),
    (
        exercises.accuracy_5,
        (),
        0.01775,
        {0.0095: "what is left", 0.059: "Not all", 0.01825: "crop itself", 0.01657: "not of seven"},
    ),
]
