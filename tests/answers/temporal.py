"""Right and wrong answers to the exercises of temporal: see test_81_course_exercises.py."""

from stma_nb.course import exercises

NUMBERS = [  # check, its arguments, right answer, {wrong answer: words of the hint}
    (
        exercises.temporal_1,
        (),
        0.8808,
        {1: "positive weight", 7.389: "the sum of both", 0.1192: "second date"},
    ),
    (
        exercises.temporal_2,
        (),
        4 * 512**2 + 4 * 512,
        {512**2: "there are four", 4 * 512**2: "biases", 4 * 256**2 + 1024: "channels"},
    ),
    (exercises.temporal_3, (), 0.6784, {0.9404: "divide by", 1.3568: "in bits"}),
]
