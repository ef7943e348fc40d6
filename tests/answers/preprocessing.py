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
            -3: "That is the distance between",
            3.53: "Backscatter is a power: 10 times",
            0.5012: "That is noise over signal; add",
            1.995: "That is signal over noise; how",
            4.764: "That is how far the sum lies",
            0.176: "Decibels are ten times the",
            4.06: "That is the natural logarithm;",
            -23.25: "That is a mean of powers in dB:",
            -23.5: "That is the mean of the decibels:",
            -25.02: "The noise is added, and not taken",
        },
    ),
    (
        exercises.preprocessing_2,
        (),
        16,
        {
            7: "mean over dates",
            15: "one more",
            3: "L = 4.4, are missing",
            17: "One less is enough already: the",
            49: "That is the number of pixels of",
            30: "That is the ENL that is wanted;",
            8: "The formula has M + N - 1 below",
            51: "With an endless number of dates",
        },
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
            0.08923: "That is the power; express it in",
            -12.71: "The cosine is a factor of power:",
            -11.29: "The cosine is a factor of power:",
            -8.485: "You multiplied the decibels.",
            -8.534: "That is the natural logarithm;",
            -11.85: "Decibels are ten times the",
            -12: "That is sigma0; divide its power",
            10.49: "The number is right but for its",
            -22.84: "np.cos takes radians; and the",
            -15.01: "gamma0 divides by the cosine; and",
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
            0.4655: "The factor is a ratio of",
            7.428: "Backscatter is a power: 10 times",
            8.552: "That is the natural logarithm;",
            0.3714: "Decibels are ten times the",
            0.8517: "The factor is a ratio of",
            2.862: "The factor is a ratio of",
            0.2701: "That is the cosine of the slope",
            3.473: "The slope is taken off the angle:",
            0.8098: "That is the tangent on flat",
            19: "That is the angle on the slope;",
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


def exchanged(image, window, looks):
    z, v = parts(image, window)
    k = np.where(v > 1e-12, np.maximum(0, 1 - z**2 / looks / v), 1)
    return image + k * (z - image)


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
            (lambda image, window, looks: lee(image, 7, looks), "it takes one of 7 x 7"),
            (lambda image, window, looks: lee(image, window, 4), "use looks"),
            (lambda image, window, looks: lee(image, window, 1), "looks are missing"),
            (lambda image, window, looks: ndimage.median_filter(image, window), "median"),
            (exchanged, "exchanged"),
            (lambda image, window, looks: image.median(window), "does not have"),
            (lambda image, window: image, "name all of them"),
            (lambda image, window, looks: print(end=""), "returns nothing"),
            (lambda image, window, looks: image, "comes back as it was"),
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
        {
            39.6: "nine independent",
            9.29: "scales by the number",
            50.6: "7 x 7",
            4.4: "before",
            28.55: "That is the window of 5 x 5",
            78.84: "That is the window of 9 x 9",
            21.69: "That scales by the side. Measure",
            9: "That is the number of pixels; put",
            3: "That is the side; put the ENL",
            3.578: "That is the mean over the",
            11.07: "That is the ENL in dB; give it as",
        },
    )
]
