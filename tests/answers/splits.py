"""Right and wrong answers to the exercises of splits: see test_81_course_exercises.py."""

import numpy as np

from stma_nb.course import exercises

PARCEL = np.add.outer(np.arange(200) // 30 * 20, np.arange(240) // 30) + 1

NUMBERS = [  # check, its arguments, right answer, {wrong answer: words of the hint}
    (
        exercises.splits_1,
        (),
        0.9744,
        {
            0.6: "share of windows",
            0.0256: "no training window",
            0.84: "four in all",
            0.1296: "one is",
        },
    ),
    (exercises.splits_2, (), 109200, {0.084: "sum", 0: "104 against 20", 135200: "20 are filled"}),
    (exercises.splits_3, (), 249.9, {114000: "as if", 200: "Nearly", 1.25: "one field"}),
    (exercises.splits_4, (np.zeros(PARCEL.shape), PARCEL, 0), 0.0625, {0: "leave it out"}),
]
