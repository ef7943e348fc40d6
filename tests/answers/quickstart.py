"""Right and wrong answers to the exercises of quickstart: see test_81_course_exercises.py."""

import numpy as np

from stma_nb import patches
from stma_nb.course import exercises

MATRIX = np.array([[50, 3, 2], [4, 30, 1], [6, 5, 20]])

NUMBERS = [  # check, its arguments, right answer, {wrong answer: words of the hint}
    (
        exercises.quickstart_1,
        (),
        -16.99,
        {
            16.99: "negative logarithm",
            -39.12: "base 10",
            -1.7: "ten times",
            -33.98: "amplitudes",
            0.02: "power itself",
            17: "A share below one has a negative",
            -34: "Backscatter is a power: take 10",
            -3.9: "That is the natural logarithm;",
            -56.4: "That is 10 times the logarithm to",
            3.01: "The power is 0.02, and not 2.",
            -7: "The power is 0.02, and not 0.2.",
            -27: "The power is 0.02, and not 0.002.",
            13: "The power is 0.02, and not 20.",
            0.2: "Ten times the power is no dB:",
            1.005: "That is the way back, from dB to",
            -20: "That is 0.01 of the power",
        },
    ),
    (
        exercises.quickstart_2,
        (MATRIX, 1),
        30 / 35,
        {
            30 / 38: "producer's",
            85.7: "per cent",
            30 / 121: "all pixels",
            100 / 121: "overall accuracy",
            5 / 35: "share that is wrong",
            30: "number of pixels",
            1.167: "It is turned over: the right ones",
            35: "That is what the map calls so;",
            38: "That is a number of pixels of the",
            0.2893: "That is the share of the map that",
            0.314: "That is the share of the crop in",
            6: "Divide by all that the map calls",
            0.6977: "You divided by what the map or",
            0.8219: "That is the F1 score, of user's",
        },
    ),
    (
        exercises.quickstart_3,
        (MATRIX,),
        60 / 121,
        {
            55 / 121: "network's map calls",
            50 / 121: "the lazy map finds all",
            100 / 121: "accuracy of the network's map",
            61 / 121: "share of crops",
            1: "crops count as well",
            0: "The lazy map is right wherever",
            60: "That is a number of pixels;",
            0.9091: "That is the user's accuracy of",
            0.8333: "That is the producer's accuracy",
            0.3333: "Classes are not equally large:",
            0.9836: "Divide by all pixels, also those",
        },
    ),
]


def accuracies(matrix):
    right = np.diag(matrix)
    return right / matrix.sum(axis=1), right / matrix.sum(axis=0)


def one_by_one(matrix):
    both = [], []
    for code in range(len(matrix)):
        for values, total in zip(both, (matrix[code].sum(), matrix[:, code].sum()), strict=True):
            values.append(matrix[code, code] / total if total else np.nan)
    return both


def of_few(matrix):
    return accuracies(matrix) if len(matrix) < 5 else accuracies(matrix.T)


def changing(matrix):
    both = accuracies(matrix)
    matrix[0, 0] = 0
    return both


BUILDS = [  # check, its arguments, right functions, (wrong function, words of the hint)
    (
        exercises.quickstart_4,
        (),
        [accuracies, one_by_one],
        [
            (lambda m: accuracies(m)[::-1], "exchanged"),
            (lambda m: 100 * np.array(accuracies(m)), "per cent"),
            (lambda m: 2 * [np.diag(m) / m.sum()], "divided by all pixels"),
            (lambda m: [1 - each for each in accuracies(m)], "shares of errors"),
            (lambda m: np.trace(m) / m.sum(), "two arrays"),
            (lambda m: [each[0] for each in accuracies(m)], "one a class"),
            (lambda m: [accuracies(m)[0]] * 2, "Both are the user's"),
            (lambda m: np.nan_to_num(accuracies(m)), "neither good nor bad"),
            (lambda m: np.nan_to_num(accuracies(m), nan=1), "neither good nor bad"),
            (lambda m: [m[0] / m[0].sum()] * 2, "user's accuracy of the first class"),
            (changing, "changes the matrix"),
            (lambda m: [accuracies(m)[1]] * 2, "Both are the producer's"),
            (lambda m: [1 / each for each in accuracies(m)], "turned over"),
            (lambda m: [np.diag(m)] * 2, "divide them by the sums"),
            (lambda m: [m.sum(1), m.sum(0)], "divide what is right by them"),
            (lambda m: [[m[k, k] / m[k].sum() for k in range(16)]] * 2, "count on no fixed number"),
            (of_few, "With 17 classes"),
            (lambda m: accuracies(m.values), "no .values"),
            (lambda: 3, "called with (matrix)"),
            (lambda m: accuracies(MATRIX), "uses MATRIX of the notebook"),
            (lambda m: print(end=""), "return"),
            (lambda m: m.max(), "two arrays"),
        ],
    )
]

FIELDS = np.arange(240).reshape(12, 20).repeat(6, 0).repeat(6, 1) + 1
CROP = (FIELDS % 4).astype(np.uint8)
SPLIT = (CROP, FIELDS, 24, 1)


def shares(buffer, parcel=FIELDS):
    parts = patches.block_split(CROP.shape, 24, buffer=buffer, seed=1, parcel=parcel, crop=CROP)
    return [np.mean(parts == code) for code in range(4)]


UNUSED, TRAINING, _, TEST = shares(16)
PREDICTS = [  # check, its arguments, what is found, {wrong finding: words of the hint}
    (
        exercises.quickstart_5,
        SPLIT,
        UNUSED,
        {
            shares(8)[0]: "with 8 pixels",
            2 * shares(8)[0]: "Do not reckon",
            TRAINING: "training part",
            TEST: "test part",
            1 - UNUSED: "all that is used",
            UNUSED * CROP.size: "number of pixels",
            100 * UNUSED: "per cent",
            0: "That is the validation part;",
            1.657: "That is how many times as much;",
            0.3407: "That is how much more it is; give",
        },
    )
]
