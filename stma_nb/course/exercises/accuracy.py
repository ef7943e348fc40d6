"""The checks of notebook 08, How good is the map?."""

from collections.abc import Callable

import numpy as np

from stma_nb import accuracy
from stma_nb.course.exercises.checks import (
    SHARE,
    Asked,
    Verdict,
    build,
    check,
    exercise,
    predict,
)

HECTARES = Asked("a number of hectares", "1200", 0)
ERROR = Asked("a standard error (above 0, below 1)", "0.01", 1e-9, 1)


@exercise
def accuracy_1(answer: object) -> Verdict:
    """Hectares of maize, from 10 000 ha mapped (90 % right) and 90 000 ha of others (2 % maize)."""
    hints = {
        10_000: "That is what the map counts; correct it by what the sample found.",
        9_000: "That is the maize that the map found; some lies where the map shows none.",
        11_000: "2 % of the rest: the rest is 90 000 ha, not 100 000.",
        9_200: "2 % of the mapped maize? The missed maize lies in the other 90 000 ha.",
        1_800: "That is what the map missed; add what it found.",
        2_000: "That is 2 % of all: 2 % of the other 90 000 ha is meant; and add what was found.",
        10_200: "2 % of the mapped maize? The missed maize lies in the other 90 000 ha.",
        11_800: "Of the mapped 10 000 ha only 90 % is maize.",
        12_000: "Of the mapped 10 000 ha only 90 % is maize, and the rest is 90 000 ha.",
        7_200: "The missed maize is added, not taken off.",
        0.108: "That is a share of the area; give hectares.",
        10.8: "That is in thousands, or in per cent of the area; give hectares.",
        108: "That is in km²; give hectares.",
        1_000: "That is the mapped maize that is none.",
        90_000: "That is the area that the map calls something else.",
        90_000 * 0.9 + 10_000 * 0.02: "The shares are exchanged: 90 % of the 10 000 ha is maize.",
        9_800: "The missed maize is added: 2 % of the other 90 000 ha.",
    }
    return check(answer, 10_800, 0, hints, HECTARES)


@exercise
def accuracy_2(answer: object) -> Verdict:
    """Sample size for a standard error of 0.01: (sum of W sqrt(U (1 - U)) / S) squared."""
    hints = {
        33: "Square it.",
        1140: "Sum W sqrt(U (1 - U)) first, and square the sum.",
        1204: "That is for a simple random sample; strata leave only the spread within them: "
        "sum W sqrt(U (1 - U)).",
        11: "For a standard error of 0.1; divide by 0.01.",
        4225: "For an interval of ± 1 %; it is the standard error that is to be 0.01.",
        0.1100: "Divide by the square of 0.01 as well.",
        0.3317: "That is the sum; divide it by 0.01, and square.",
        1275: "That is for the plain mean of both accuracies: sum W sqrt(U (1 - U)).",
        900: "That is the second stratum alone, as if it were the whole map.",
        2100: "That is the first stratum alone, as if it were the whole map.",
        576: "That is the second stratum's part squared: sum over both, and then square.",
        660: "Square the sum, and not each part: the parts are added first.",
        1820: "The areas are exchanged: 0.7 belongs to the stratum of 20 %.",
        1437: "The strata have different areas: 20 % and 80 %.",
        2500: "That is for U = 0.5: here 0.7 and 0.9 are expected.",
    }
    return check(answer, 1100, 1, hints, Asked("a number of pixels", "250", 0))


@exercise
def accuracy_3(answer: object) -> Verdict:
    """Allocation disagreement of [[60, 10], [20, 10]]."""
    hints = {
        0.1: "That is the quantity disagreement.",
        0.3: "That is all disagreement; take the quantity off.",
        0.7: "That is the agreement, the diagonal.",
        20: "In pixels of 100; give the share.",
        10: "That is one of the two errors, in pixels, or the quantity disagreement.",
        30: "That is all disagreement, in pixels; take the quantity off, and give the share.",
        0.15: "That is the mean of both errors: allocation is twice the smaller one.",
        0.6: "That is the crop that was found.",
        0.8: "That is the crop in the reference.",
        0.0: "Both errors occur, so pixels could be exchanged.",
        1 / 3: "Divide by all pixels.",
        2 / 3: "That is the part of the disagreement that is allocation; give it as a share of all "
        "pixels.",
        0.02: "Do not multiply the errors: allocation is twice the smaller one.",
    }
    return check(answer, 0.2, 1e-3, hints, SHARE)


@exercise
def accuracy_4(answer: object, counts: np.ndarray, pixels: np.ndarray) -> Verdict:
    """Area-weighted producer's accuracy of class 1."""
    # Each row of the sample stands for a stratum of the map, and counts with its share of the area.
    drawn = np.maximum(counts.sum(1, keepdims=True), 1)  # none of a class that the map lacks
    share = counts / drawn * (pixels / pixels.sum())[:, None]
    in_sample = counts[1, 1] / counts[:, 1].sum()
    users = counts[1, 1] / counts[1].sum()
    hints = [
        (in_sample, "That is the share in the sample; weight each row with its stratum's area."),
        (users, "That is the user's accuracy."),
        (share[1, 1], "That is a share of the area; divide by the area of all maize."),
        (share[:, 1].sum(), "That is the share of maize; how much of it did the map find?"),
        (counts[1, 1] / counts.sum(), "Divide by the maize in the sample, not by all of it."),
        (share[0, 0] / share[:, 0].sum(), "That is the first class; maize is the second."),
        (np.trace(share), "That is the overall accuracy; of the maize, how much was found?"),
        (
            np.trace(counts) / counts.sum(),
            "That is the share of the sample that is right; of the maize, how much was found?",
        ),
        (1 - share[1, 1] / share[:, 1].sum(), "That is the share that was missed."),
        (pixels[1] / pixels.sum(), "That is the share that the map calls maize."),
        (counts[1, 1], "That is a number of pixels of the sample."),
        (
            counts[1, 1] * pixels[1] / (counts[:, 1] @ pixels),
            "Take the share of each row first: counts over the number that was drawn there.",
        ),
        (share[:, 1].sum() / share[1, 1], "It is turned over: the maize found, over all maize."),
    ]
    return check(answer, share[1, 1] / share[:, 1].sum(), 2e-3, hints, SHARE)


@exercise
def accuracy_5(answer: object) -> Verdict:
    """Share of a crop of 1 % in a reference of seven classes whose labels are wrong by 5 %."""
    hints = {
        0.95 * 0.01: "That is what is left of the crop; wrong labels of other classes come to it.",
        0.95 * 0.01 + 0.05 * 0.99: "Not all wrong labels become this crop: they spread over six.",
        0.01 + 0.05 / 6 * 0.99: "Some of the crop itself is labelled as something else.",
        0.95 * 0.01 + 0.05 / 7 * 0.99: "A wrong label is one of six other classes, not of seven.",
        0.05 / 6 * 0.99: "That is what comes to it; some of the crop itself is left as well.",
        0.95 * 0.01 + 0.05 / 6: "The wrong labels come from the other 99 %, not from all.",
        0.01: "That is the true share; wrong labels change it.",
        0.05 * 0.99: "Not all wrong labels become this crop: they spread over six. And what is "
        "left of it?",
        0.06: "Not all wrong labels become this crop: they spread over six.",
        0.0005: "That is what the crop loses; how much is left, and how much comes to it?",
        0.95 * 0.01 - 0.05 / 6 * 0.99: "What comes to the crop is added.",
        0.01 + 0.05 / 6: "The crop loses 5 % itself, and the wrong labels come from 99 %.",
        0.95 * 0.01 + 0.05 / 5 * 0.99: "A wrong label is one of six other classes, not of five.",
        0.0105: "5 % of the crop is lost, not won; and labels of the others come to it.",
    }
    return check(answer, 0.95 * 0.01 + 0.05 / 6 * 0.99, 6e-5, hints, SHARE)


COUNTS = np.array([[40, 6, 2, 0], [5, 30, 0, 0], [9, 1, 10, 0], [0, 0, 0, 0]])
PIXELS = np.array([9000, 700, 300, 0])
"""A sample of four map classes, and their pixels; the fourth is on no map and in no sample."""

EMPTY = "A class that is on no map and in no sample adds nothing: leave its stratum out, not 0 / 0."


@exercise
def accuracy_6(function: Callable) -> Verdict:
    """A function (counts, pixels, column) that gives an area and its 95 % interval, in pixels."""
    return build(
        function,
        _right_area,
        _sums_to_the_map,
        _right_interval,
        _takes_other_classes,
        _asks_for_samples,
        given="counts pixels column",
        takes="counts (K x K) and pixels (K) of any number of classes, and a column",
        gives="three numbers: the estimate, low and high",
    )


def _areas(function: Callable, counts: np.ndarray = COUNTS) -> np.ndarray:
    """Estimate, low and high (K, 3) of every class of a sample, as a function gives them."""
    return np.array([function(counts.copy(), PIXELS.copy(), column) for column in range(4)], float)


def _right_area(function: Callable) -> str | None:
    given_counts, given_pixels = COUNTS.copy(), PIXELS.copy()
    given = function(given_counts, given_pixels, 1)
    if np.shape(given) != (3,):
        return "Return three numbers: the estimate, and the lower and upper end of its interval."
    if (given_counts != COUNTS).any() or (given_pixels != PIXELS).any():
        return "It changes the counts or pixels that it was given: compute with copies."
    if not np.isfinite(given).all():
        return EMPTY
    total, drawn = PIXELS.sum(), COUNTS.sum()
    share = COUNTS[:, 1] / np.maximum(COUNTS.sum(1), 1)
    right = float(share @ PIXELS)
    if np.isclose(given[0], right):
        return None
    across = COUNTS[1] / COUNTS[1].sum()
    reasons = {
        right / total: "That is a share of the map: times all its pixels.",
        PIXELS[1]: "That is what the map counts; the sample is to correct it.",
        share[1] * PIXELS[1]: "Maize that the map shows elsewhere is missing: add up all strata.",
        COUNTS[:, 1].sum() / drawn * total: "Each stratum has its own weight: a rare class is "
        "sampled more often than it occurs.",
        across[:3] @ PIXELS[:3]: "Rows are the map: take the column of the class.",
        COUNTS[:, 1] / np.maximum(COUNTS.sum(0), 1) @ PIXELS: "Divide by the samples of each "
        "stratum, the sum of its row.",
        100 * right: "Pixels, not shares in per cent.",
    }
    why = [text for wrong, text in reasons.items() if np.isclose(given[0], wrong)]
    hint = why[0] if why else "Sum over strata: pixels times the share of the class in the sample."
    return f"The area of class 1 should be {right:.1f} pixels, not {given[0]:.4g}. {hint}"


def _sums_to_the_map(function: Callable) -> str | None:
    given = _areas(function)
    if not np.isfinite(given).all():
        return EMPTY
    total = given[:, 0].sum()
    if not np.isclose(total, PIXELS.sum()):
        return f"The areas of all classes sum to {total:.0f} pixels; the map has {PIXELS.sum()}."
    return None


def _right_interval(function: Callable) -> str | None:
    given = _areas(function)
    half = (given[:, 2] - given[:, 1]) / 2
    if (half < 0).any():
        return "The lower end of an interval lies above the upper one."
    true = accuracy.stratified_estimate(COUNTS, PIXELS).area
    wanted = 1.96 * true["se"].to_numpy()
    if np.allclose(half, wanted, rtol=1e-3):
        return None
    share = COUNTS / np.maximum(COUNTS.sum(1, keepdims=True), 1)
    spread = share * (1 - share)
    drawn = np.maximum(COUNTS.sum(1, keepdims=True), 1)
    size = PIXELS[:, None]
    by_drawn = np.sqrt((size**2 * spread / drawn).sum(0))
    linear = np.sqrt((size * spread / np.maximum(drawn - 1, 1)).sum(0))
    added = (size * np.sqrt(spread / np.maximum(drawn - 1, 1))).sum(0)
    reasons = [
        (wanted / 1.96, "That is one standard error to each side: 95 % takes 1.96."),
        (1.96 * by_drawn, "Divide by n - 1 in each stratum, not by n."),
        (1.96 * linear, "The weight of a stratum is squared in the variance."),
        (1.96 * added, "Add up variances, not standard errors, and take the root last."),
        (1.96 * true["se"].to_numpy() ** 2, "That is the variance: take its root."),
    ]
    why = [text for wrong, text in reasons if np.allclose(half, wrong, rtol=1e-3)]
    larger = _areas(function, 4 * COUNTS)
    if not why and (larger[:, 2] - larger[:, 1] > 1.2 * half).any():
        why = ["Four times the sample should make it narrower."]
    hint = why[0] if why else "Variance: the sum of N^2 p (1 - p) / (n - 1) over the strata."
    return f"The interval of class 1 should be ± {wanted[1]:.1f} pixels, not {half[1]:.1f}. {hint}"


def _takes_other_classes(function: Callable) -> str | None:
    """Two classes, and seven."""
    for classes in (2, 7):
        rng = np.random.default_rng(classes)
        counts, pixels = rng.integers(1, 30, (classes, classes)), rng.integers(1, 9000, classes)
        right = accuracy.stratified_estimate(counts, pixels).area
        low, high = right["low"].to_numpy(), right["high"].to_numpy()
        wanted = right["estimate"].iloc[-1], low[-1], high[-1]
        given = np.asarray(function(counts.copy(), pixels.copy(), classes - 1), float)
        half = (wanted[2] - wanted[1]) / 2
        if not np.allclose(given, [wanted[0], wanted[0] - half, wanted[0] + half], rtol=1e-3):
            return (
                f"With {classes} classes it is not right: count on no fixed number of them, and "
                "let the interval reach as far to both sides."
            )
    return None


def _asks_for_samples(function: Callable) -> str | None:
    for drawn, words in ((0, "any sample"), (1, "more than one sample")):
        bare = COUNTS.copy()
        bare[2] = [drawn, 0, 0, 0]
        try:
            with np.errstate(all="ignore"):
                function(bare, PIXELS.copy(), 1)
        except ValueError:
            continue
        return (
            f"A stratum of 300 pixels without {words} went through: nothing is known of it. Raise "
            "a ValueError."
        )
    return None


@exercise
def accuracy_7(
    predicted: object, found: object, because: object, once: float, twice: float
) -> Verdict:
    """Standard error of overall accuracy with twice the sample, from those of both samples."""
    hints = [
        (once, "That is the standard error of the first sample."),
        (once / 2, "Half as large takes four times the sample: read it off the new estimate."),
        (1.96 * twice, "That is half the interval; take the column se."),
        (100 * twice, "In points; give the share, as in the table."),
        (twice / once, "That is the ratio of the two; give the new standard error."),
        (once / twice, "That is the ratio of the two; give the new standard error."),
        (2 * once, "A larger sample makes it smaller: read it off the new estimate."),
        (once - twice, "That is by how much it falls; give the new standard error."),
        (twice**2, "That is the variance; give its root, the column se."),
        (2 * 1.96 * twice, "That is the whole interval; take the column se."),
        (once / 2**0.5, "That is what the root says; read it off the new estimate."),
    ]
    return predict(predicted, found, because, twice, min(2e-4, 0.02 * twice), hints, ERROR)
