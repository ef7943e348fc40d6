"""Right and wrong answers to the exercises of spatial: see test_81_course_exercises.py."""

import numpy as np

from stma_nb.course import exercises

POWER = np.random.default_rng(0).gamma(4.4, 1 / 4.4, 500)

NUMBERS = [  # check, its arguments, right answer, {wrong answer: words of the hint}
    (
        exercises.spatial_1,
        (),
        331776,
        {576: "each looks at each", 96**4: "quarter of the resolution"},
    ),
    (
        exercises.spatial_2,
        (np.stack([POWER.reshape(20, 25)] * 2), np.ones((20, 25), bool)),
        POWER.mean() ** 2 / POWER.var(),
        {99: "not right"},
    ),
    (exercises.spatial_3, (), 820, {738: "bias", 82 * 82 * 9 + 82: "depth-wise"}),
]
