"""Right and wrong answers to the exercises of training: see test_81_course_exercises.py."""

from stma_nb.course import exercises

NUMBERS = [  # check, its arguments, right answer, {wrong answer: words of the hint}
    (
        exercises.training_1,
        (),
        2.7726,
        {0.0625: "minus its", 4: "bit", -2.7726: "minus", 1.2041: "natural"},
    ),
    (
        exercises.training_2,
        (),
        4.7222,
        {4.7778: "85 steps", 152.72: "batch, not a patch", 283.33: "minutes"},
    ),
    (
        exercises.training_3,
        (),
        0.00393677,
        {2**-8: "tie", 2**-8 * 1.001: "tie", 2**-7: "whole step", 2**-11: "float16"},
    ),
]
