"""Right and wrong answers to the exercises of preprocessing: see test_81_course_exercises.py."""

import numpy as np
from scipy import ndimage

from stma_nb.course import exercises

NUMBERS = [  # check, its arguments, right answer, {wrong answer: words of the hint}
    (
        exercises.preprocessing_1,
        (),
        1.764,
        {
            3: "distance",
            -20.24: "what is measured",
            -47: "multiply the powers",
            1.501: "ratio",
            -1.764: "a positive number",
        },
    ),
    (
        exercises.preprocessing_2,
        (),
        16,
        {7: "mean over dates", 15: "one more", 3: "L = 4.4, are missing"},
    ),
    (
        exercises.preprocessing_3,
        (),
        -10.495,
        {
            -13.505: "multiplied",
            -16.97: "divided the decibels",
            -9.204: "radians",
            -8.99: "amplitudes",
            1.505: "by how much it rises",
        },
    ),
    (
        exercises.preprocessing_4,
        (),
        3.714,
        {
            -3.13: "falls away",
            2.35: "express it in dB",
            -3.714: "brighter",
            13.770: "radians",
            3.123: "ratio of tangents",
        },
    ),
]


def parts(image, window):
    z = ndimage.uniform_filter(image, window)
    return z, np.maximum(ndimage.uniform_filter(image**2, window) - z**2, 1e-30)


def lee(image, window, looks):
    z, v = parts(image, window)
    return z + np.maximum(0, 1 - z**2 / looks / v) * (image - z)


def lee_by_cases(image, window, looks):
    """The same with a condition, and windows that end at the border."""
    z = ndimage.uniform_filter(image, window, mode="nearest")
    v = ndimage.uniform_filter(image**2, window, mode="nearest") - z**2
    out = z.copy()
    varies = v > z**2 / looks
    out[varies] += ((1 - z**2 / looks / np.where(varies, v, 1)) * (image - z))[varies]
    return out


def without_limit(image, window, looks):
    z, v = parts(image, window)
    k = np.where(v > 1e-12, 1 - z**2 / looks / v, 0)
    return z + k * (image - z)


def turned_round(image, window, looks):
    z, v = parts(image, window)
    k = np.where(v > 1e-12, 1 - np.maximum(0, 1 - z**2 / looks / v), 0)
    return z + k * (image - z)


def of_deviation(image, window, looks):
    z, v = parts(image, window)
    return z + np.maximum(0, 1 - z**2 / looks / np.sqrt(v)) * (image - z)


def not_squared(image, window, looks):
    z, v = parts(image, window)
    return z + np.maximum(0, 1 - z / looks / v) * (image - z)


def divides_by_zero(image, window, looks):
    z = ndimage.uniform_filter(image, window)
    v = ndimage.uniform_filter(image**2, window) - z**2
    return z + np.maximum(0, 1 - 1 / looks / (v / z**2)) * (image - z)


def in_place(image, window, looks):
    image[:] = lee(image, window, looks)
    return image


BUILDS = [  # check, its arguments, right functions, [(wrong function, words of the hint)]
    (
        exercises.preprocessing_5,
        (),
        [lee, lee_by_cases],
        [
            (lambda image, window, looks: ndimage.uniform_filter(image, window), "as a boxcar"),
            (without_limit, "falls below 0"),
            (turned_round, "turned round"),
            (of_deviation, "not the standard deviation"),
            (not_squared, "square of the mean"),
            (divides_by_zero, "mind 0 / 0"),
            (in_place, "copy it"),
            (lambda image, window, looks: image, "differs from"),
            (lambda image, window, looks: lee(image, window, looks)[1:], "of the shape (23, 20)"),
            (lambda image, window, looks: 10 * np.log10(image), "becomes"),
        ],
    )
]

PREDICTS = [  # check, its arguments, what is found, {wrong: words of the hint}
    (
        exercises.preprocessing_6,
        (),
        12.8,
        {39.6: "nine independent", 9.29: "scales by the number", 50.6: "7 x 7", 4.4: "before"},
    )
]
