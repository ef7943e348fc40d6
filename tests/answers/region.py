"""Right and wrong answers to the exercises of region: see test_81_course_exercises.py."""

from stma_nb.course import exercises

NUMBERS = [  # check, its arguments, right answer, {wrong answer: words of the hint}
    (exercises.region_1, (), 6.25, {2.5: "two", 2.7778: "1 - q", 4: "half"}),
    (exercises.region_2, (), 6.235, {3.1176: "polarisations", 1.5588: "four bytes"}),
    (exercises.region_3, (), 288, {256: "beyond", 320: "does not touch", 272: "both sides"}),
]
