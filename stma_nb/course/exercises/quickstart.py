"""The checks of notebook 00, A crop map from radar, in minutes."""

from collections.abc import Callable

import numpy as np

from stma_nb import patches
from stma_nb.course.exercises.checks import (
    DECIBELS,
    SHARE,
    Verdict,
    build,
    check,
    exercise,
    predict,
)


@exercise
def quickstart_1(answer: object) -> Verdict:
    """0.02 of the power in dB."""
    hints = {
        17.0: "A share below one has a negative logarithm.",
        -39.1: "That is 10 times the natural logarithm; decibels use the logarithm to base 10.",
        -1.7: "That is the logarithm; decibels are ten times that.",
        -34.0: "Backscatter is a power: take 10 times the logarithm. 20 times is for amplitudes.",
        0.02: "That is the power itself; express it in dB.",
        -3.9: "That is the natural logarithm; decibels are ten times the one to base 10.",
        -56.4: "That is 10 times the logarithm to base 2; decibels use the one to base 10.",
        3.01: "The power is 0.02, and not 2.",
        -7.0: "The power is 0.02, and not 0.2.",
        -27.0: "The power is 0.02, and not 0.002.",
        13.0: "The power is 0.02, and not 20.",
        0.2: "Ten times the power is no dB: take ten times its logarithm.",
        1.005: "That is the way back, from dB to power.",
        -20.0: "That is 0.01 of the power; 0.02 is twice as much.",
    }
    return check(answer, 10 * np.log10(0.02), 0.1, hints, DECIBELS)


@exercise
def quickstart_2(answer: object, matrix: np.ndarray, code: int) -> Verdict:
    """User's accuracy of a class."""
    right = matrix[code, code]
    hints = [
        (
            right / matrix[:, code].sum(),
            "That is the producer's accuracy: you divided by the "
            "reference. Divide by what the map calls so.",
        ),
        (right / matrix.sum(), "You divided by all pixels. Divide by those that the map calls so."),
        (np.trace(matrix) / matrix.sum(), "That is the overall accuracy, of all classes together."),
        (
            1 - right / matrix[code].sum(),
            "That is the share that is wrong. How much of what the map calls so is right?",
        ),
        (right, "That is a number of pixels; divide it by all those that the map calls so."),
        (
            matrix[code].sum() / max(right, 1),
            "It is turned over: the right ones over all that the map calls so.",
        ),
        (matrix[code].sum(), "That is what the map calls so; how much of it is right?"),
        (
            matrix[:, code].sum(),
            "That is a number of pixels of the reference; a share is asked for.",
        ),
        (
            matrix[code].sum() / matrix.sum(),
            "That is the share of the map that is called so; how much of it is right?",
        ),
        (matrix[:, code].sum() / matrix.sum(), "That is the share of the crop in the reference."),
        (
            right / max(matrix[code].sum() - right, 1),
            "Divide by all that the map calls so, also the right ones.",
        ),
        (
            right / (matrix[code].sum() + matrix[:, code].sum() - right),
            "You divided by what the map or the reference calls so: the map alone is asked for.",
        ),
        (
            2 * right / (matrix[code].sum() + matrix[:, code].sum()),
            "That is the F1 score, of user's and producer's accuracy together.",
        ),
    ]
    return check(answer, right / matrix[code].sum(), 6e-3, hints, SHARE)


@exercise
def quickstart_3(answer: object, matrix: np.ndarray) -> Verdict:
    """Overall accuracy of a map that is background everywhere."""
    total = matrix.sum()
    background = matrix[:, 0].sum() / total
    hints = [
        (
            matrix[0].sum() / total,
            "That is what the network's map calls background. Where is the *reference* background?",
        ),
        (
            matrix[0, 0] / total,
            "That counts only background which the network found too; "
            "the lazy map finds all of it.",
        ),
        (
            np.trace(matrix) / total,
            "That is the overall accuracy of the network's map. "
            "The lazy map is right on background only.",
        ),
        (1 - background, "That is the share of crops, on which the lazy map is wrong."),
        (1, "Of the background it gets all right, but the crops count as well."),
        (0, "The lazy map is right wherever the reference is background."),
        (matrix[:, 0].sum(), "That is a number of pixels; divide it by all of them."),
        (matrix[0, 0], "That is a number of pixels; a share is asked for."),
        (
            matrix[0, 0] / matrix[0].sum(),
            "That is the user's accuracy of background in the network's map.",
        ),
        (
            matrix[0, 0] / matrix[:, 0].sum(),
            "That is the producer's accuracy of background in the network's map.",
        ),
        (1 / len(matrix), "Classes are not equally large: count the pixels of background."),
        (
            matrix[:, 0].sum() / matrix[:, 1:].sum(),
            "Divide by all pixels, also those of background.",
        ),
    ]
    return check(answer, background, 6e-3, hints, SHARE)


MATRIX = np.array([[40, 2, 3, 0], [5, 30, 1, 0], [0, 8, 9, 0], [0, 2, 2, 0]])
"""Class 3 is mapped and never there."""


@exercise
def quickstart_4(users_and_producers: Callable) -> Verdict:
    """A function that gives user's and producer's accuracy of all classes."""
    return build(
        users_and_producers,
        _both_accuracies,
        _class_that_is_nowhere,
        _many_classes,
        given="matrix",
        takes="an error matrix of any number of classes",
        gives="two arrays, users and producers",
    )


def _accuracies(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    with np.errstate(invalid="ignore"):
        return np.diag(matrix) / matrix.sum(1), np.diag(matrix) / matrix.sum(0)


def _given(function: Callable, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray] | str:
    """What the function gives as two arrays, or what is wrong with them or with the matrix."""
    mine = matrix.copy()
    with np.errstate(all="ignore"):
        given = function(mine)
    if not np.array_equal(mine, matrix):
        return "It changes the matrix it was given: compute on new arrays."
    if not isinstance(given, tuple | list | np.ndarray) or len(given) != 2:
        return "It is to return two arrays: return users, producers."
    users, producers = (np.asarray(values, float) for values in given)
    for values in (users, producers):
        if values.shape != (len(matrix),):
            return (
                f"For {len(matrix)} classes each array is to have {len(matrix)} values, one a "
                f"class; this one has the shape {values.shape}."
            )
    return users, producers


def _both_accuracies(function: Callable) -> str | None:
    matrix = MATRIX[:3, :3]
    given = _given(function, matrix)
    if isinstance(given, str):
        return given
    right = _accuracies(matrix)
    if np.allclose(given, right):
        return None
    if np.allclose(given, right[::-1]):
        return "The two are exchanged: user's accuracy divides by what the map says, its rows."
    if np.allclose(given, 100 * np.array(right)):
        return "The values are per cent; give shares between 0 and 1."
    if np.allclose(given, np.diag(matrix) / matrix.sum()):
        return "You divided by all pixels: divide by the sum of each row, and of each column."
    if np.allclose(given, right[0]):
        return "Both are the user's accuracy: the producer's divides by the columns."
    if np.allclose(given, right[1]):
        return "Both are the producer's accuracy: the user's divides by the rows."
    if np.allclose(given, 1 / np.array(right)):
        return "They are turned over: what is right comes first, over the sum."
    if np.allclose(given, [np.diag(matrix)] * 2):
        return "Those are the pixels that are right: divide them by the sums."
    if np.allclose(given, [matrix.sum(1), matrix.sum(0)]):
        return "Those are the sums of rows and columns: divide what is right by them."
    if np.allclose(given, 1 - np.array(right)):
        return "These are the shares of errors; accuracy is what is right."
    for name, mine, true in zip(("user's", "producer's"), given, right, strict=True):
        if not np.allclose(mine, true):
            return (
                f"The {name} accuracy of the first class is {true[0]:.3f}; yours is {mine[0]:.3f}."
            )
    return None


def _class_that_is_nowhere(function: Callable) -> str | None:
    given = _given(function, MATRIX)
    if isinstance(given, str):
        return given
    nowhere = given[1][3]
    if not np.isnan(nowhere):
        return (
            "A class without reference pixels has no producer's accuracy: it is nan (0 / 0), "
            f"neither good nor bad; yours is {nowhere:g}."
        )
    if not np.allclose(given, _accuracies(MATRIX), equal_nan=True):
        return "With a class that is nowhere in the reference, the other values change."
    return None


def _many_classes(function: Callable) -> str | None:
    """Of many classes, in whole numbers of a few bits as files hold them."""
    matrix = np.random.default_rng(0).integers(1, 200, (17, 17)).astype("uint16")
    given = _given(function, matrix)
    if isinstance(given, str):
        return given
    if not np.allclose(given, _accuracies(matrix)):
        return "With 17 classes it is not right: count on no fixed number of classes."
    return None


@exercise
def quickstart_5(
    predicted: object,
    found: object,
    because: object,
    crop: np.ndarray,
    parcel: np.ndarray | None,
    block: int,
    seed: int,
) -> Verdict:
    """Share of the scene that stays unused with a buffer of 16 pixels in place of 8."""

    def shares(buffer: int, parcel: np.ndarray | None) -> list[float]:
        parts = patches.block_split(
            crop.shape, block, buffer=buffer, seed=seed, parcel=parcel, crop=crop
        )
        return [float(np.mean(parts == code)) for code in range(len(patches.PARTS))]

    wide, narrow = shares(16, parcel), shares(8, parcel)
    hints = [
        (narrow[patches.UNUSED], "That is the share with 8 pixels: is buffer=16 in the call?"),
        (
            2 * narrow[patches.UNUSED],
            "That is twice the share with 8 pixels. Do not reckon: make the split and count.",
        ),
        (wide[patches.TRAIN], "That is the training part; patches.UNUSED is what no part takes."),
        (wide[patches.TEST], "That is the test part; patches.UNUSED is what no part takes."),
        (wide[patches.VALID], "That is the validation part; patches.UNUSED is what no part takes."),
        (
            wide[patches.UNUSED] / narrow[patches.UNUSED],
            "That is how many times as much; give the share.",
        ),
        (
            wide[patches.UNUSED] - narrow[patches.UNUSED],
            "That is how much more it is; give the share itself.",
        ),
        (1 - wide[patches.UNUSED], "That is all that is used; what is left over?"),
        (
            wide[patches.UNUSED] * crop.size,
            "That is a number of pixels; give the share of them (np.mean in place of np.sum).",
        ),
        (shares(16, None)[patches.UNUSED], "Give parcel=parcel as well: whole fields change side."),
    ]
    return predict(predicted, found, because, wide[patches.UNUSED], 1e-3, hints, SHARE)
