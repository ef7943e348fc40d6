"""Right and wrong answers to the exercises of preprocessing: see test_81_course_exercises.py."""

from stma_nb.course import exercises

NUMBERS = [  # check, its arguments, right answer, {wrong answer: words of the hint}
    (exercises.preprocessing_1, (), 1.764, {3: "distance", -20.24: "what is measured"}),
    (exercises.preprocessing_2, (), 16, {7: "mean over dates", 15: "one more"}),
    (
        exercises.preprocessing_3,
        (),
        -10.495,
        {-13.505: "multiplied", -16.97: "divided the decibels"},
    ),
    (
        exercises.preprocessing_4,
        (),
        3.714,
        {-3.13: "falls away", 2.35: "express it in dB", -3.714: "brighter"},
    ),
]
