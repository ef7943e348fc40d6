"""Right and wrong answers to the exercises of network: see test_81_course_exercises.py."""

from stma_nb.course import exercises

NUMBERS = [  # check, its arguments, right answer, {wrong answer: words of the hint}
    (exercises.network_1, (), 192, {96: "level 2", 48: "level 1", 8: "per date"}),
    (
        exercises.network_2,
        (),
        152,
        {328: "number of channels", 144: "one step larger", 19: "eight times larger"},
    ),
    (exercises.network_3, (), 131328, {131072: "biases", 65792: "two weights"}),
]
