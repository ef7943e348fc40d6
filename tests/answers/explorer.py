"""Right and wrong answers to the exercises of explorer: see test_81_course_exercises.py."""

import numpy as np

from stma_nb.course import exercises

NUMBERS = [  # check, its arguments, right answer, {wrong answer: words of the hint}
    (
        exercises.explorer_1,
        (np.array([[0.1, 0.6, 0.3], [0.3, 0.4, 0.3]]),),
        1,
        {0: "smallest", 2: "from 0"},
    ),
    (
        exercises.explorer_2,
        (np.array([[0.1, 0.6, 0.3], [0.3, 0.4, 0.3]]),),
        1.5,
        {0.5: "equal share", 1.8: "Average"},
    ),
    (
        exercises.explorer_3,
        (np.array([[2.0, 1, 0]]), np.array([[0.1, 0.6, 0.3]])),
        0,
        {1: "receives the most"},
    ),
]
