"""Right and wrong answers to the exercises of real: see test_81_course_exercises.py."""

import pandas as pd

from stma_nb.course import exercises

MEANS = pd.DataFrame(
    {"first to second": [0.57, 0.63], "second to first": [0.73, 0.82]},
    ["forest, unfiltered", "forest, Quegan-Yu"],
)

NUMBERS = [  # check, its arguments, right answer, {wrong answer: words of the hint}
    (exercises.real_1, (), -13.458, {-48.23: "20 times", 69.54: "Less 83", 77.13: "base 10"}),
    (exercises.real_2, (), 0.863, {0.137: "cannot get right", 86.3: "per cent"}),
    (
        exercises.real_3,
        (MEANS,),
        6.0,
        {0.06: "In points", -6.0: "Filtered less", 9.0: "other direction"},
    ),
]
