"""The checks of notebook 08, How good is the map?."""

from collections.abc import Callable

import numpy as np

from stma_nb import accuracy
from stma_nb.course.exercises.checks import Verdict, build, check, exercise, predict


@exercise
def accuracy_1(answer: object) -> Verdict:
    """Hectares of maize, from 10 000 ha mapped (90 % right) and 90 000 ha of others (2 % maize)."""
    hints = {
        10_000: "That is what the map counts; correct it by what the sample found.",
        9_000: "That is the maize that the map found; some lies where the map shows none.",
        11_000: "2 % of the rest: the rest is 90 000 ha, not 100 000.",
        9_200: "2 % of the mapped maize? The missed maize lies in the other 90 000 ha.",
        1_800: "That is what the map missed; add what it found.",
    }
    return check(answer, 10_800, 0, hints)


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
    }
    return check(answer, 1100, 1, hints)


@exercise
def accuracy_3(answer: object) -> Verdict:
    """Allocation disagreement of [[60, 10], [20, 10]]."""
    hints = {
        0.1: "That is the quantity disagreement.",
        0.3: "That is all disagreement; take the quantity off.",
        0.7: "That is the agreement, the diagonal.",
        20: "In pixels of 100; give the share.",
    }
    return check(answer, 0.2, 1e-3, hints)


@exercise
def accuracy_4(answer: object, counts: np.ndarray, pixels: np.ndarray) -> Verdict:
    """Area-weighted producer's accuracy of class 1."""
    # Each row of the sample stands for a stratum of the map, and counts with its share of the area.
    drawn = np.maximum(counts.sum(1, keepdims=True), 1)  # none of a class that the map lacks
    share = counts / drawn * (pixels / pixels.sum())[:, None]
    in_sample = counts[1, 1] / counts[:, 1].sum()
    users = counts[1, 1] / counts[1].sum()
    hints = {
        in_sample: "That is the share in the sample; weight each row with its stratum's area.",
        users: "That is the user's accuracy.",
        share[1, 1]: "That is a share of the area; divide by the area of all maize.",
        share[:, 1].sum(): "That is the share of maize; how much of it did the map find?",
        counts[1, 1] / counts.sum(): "Divide by the maize in the sample, not by all of it.",
    }
    return check(answer, share[1, 1] / share[:, 1].sum(), 2e-3, hints)


@exercise
def accuracy_5(answer: object) -> Verdict:
    """Share of a crop of 1 % in a reference of seven classes whose labels are wrong by 5 %."""
    hints = {
        0.95 * 0.01: "That is what is left of the crop; wrong labels of other classes come to it.",
        0.95 * 0.01 + 0.05 * 0.99: "Not all wrong labels become this crop: they spread over six.",
        0.01 + 0.05 / 6 * 0.99: "Some of the crop itself is labelled as something else.",
        0.95 * 0.01 + 0.05 / 7 * 0.99: "A wrong label is one of six other classes, not of seven.",
    }
    return check(answer, 0.95 * 0.01 + 0.05 / 6 * 0.99, 2e-4, hints)


COUNTS = np.array([[40, 6, 2, 0], [5, 30, 0, 0], [9, 1, 10, 0], [0, 0, 0, 0]])
PIXELS = np.array([9000, 700, 300, 0])
"""A sample of four map classes, and their pixels; the fourth is on no map and in no sample."""

EMPTY = "A class that is on no map and in no sample adds nothing: leave its stratum out, not 0 / 0."


@exercise
def accuracy_6(function: Callable) -> Verdict:
    """A function (counts, pixels, column) that gives an area and its 95 % interval, in pixels."""
    return build(function, _right_area, _sums_to_the_map, _right_interval, _asks_for_samples)


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


def _asks_for_samples(function: Callable) -> str | None:
    bare = COUNTS.copy()
    bare[2] = 0
    try:
        function(bare, PIXELS.copy(), 1)
    except ValueError:
        return None
    return (
        "A stratum of 300 pixels without any sample went through: nothing is known of it. "
        "Raise a ValueError."
    )


@exercise
def accuracy_7(
    predicted: object, found: object, because: object, once: float, twice: float
) -> Verdict:
    """Standard error of overall accuracy with twice the sample, from those of both samples."""
    hints = {
        once: "That is the standard error of the first sample.",
        once / 2: "Half as large takes four times the sample: read it off the new estimate.",
        1.96 * twice: "That is half the interval; take the column se.",
        100 * twice: "In points; give the share, as in the table.",
        twice / once: "That is the ratio of the two; give the new standard error.",
    }
    return predict(predicted, found, because, twice, 2e-4, hints)
