"""Right and wrong answers to the exercises of training: see test_81_course_exercises.py."""

import torch
from torch.nn.functional import cross_entropy

from stma_nb.course import exercises
from stma_nb.patches import IGNORE

NUMBERS = [  # check, its arguments, right answer, {wrong answer: words of the hint}
    (
        exercises.training_1,
        (),
        2.7726,
        {
            0.0625: "minus its",
            4: "bit",
            -2.7726: "minus",
            1.2041: "natural",
            16: "number of classes",
            5.545: "mean of its two heads",
            0.1733: "That is one term of a mean over",
            0: "The loss is 0 if the true class",
            0.9375: "That is one minus the",
            2.708: "There are 16 classes: the",
            2.89: "There are 16 classes, not 18",
            1: "All classes have the same",
            0.6931: "That is for two classes.",
            1.443: "Take the natural logarithm once.",
            1.064: "That is e to the power of it;",
        },
    ),
    (
        exercises.training_2,
        (),
        4.7222,
        {
            4.7778: "85 steps",
            152.72: "batch, not a patch",
            283.33: "minutes",
            17000: "seconds",
            0.00944: "one epoch",
            29.51: "A step takes 0.4 s: multiply, do",
            11.81: "A step takes 0.4 s, and not one",
            0.1968: "That is in days.",
            42500: "That is the number of steps; how",
            85: "That is the number of steps of an",
            4887.11: "A batch holds 32 patches: divide",
            0.05556: "An epoch has 85 steps, not one.",
            1.778: "32 is the number of patches in a",
            47.22: "An hour has 3600 seconds.",
            151.111: "A step takes 0.4 s for the whole",
        },
    ),
    (
        exercises.training_3,
        (),
        0.00393677,
        {
            2**-8: "tie",
            2**-8 * 1.001: "tie",
            2**-7: "whole step",
            2**-11: "float16",
            0.003: "rounded away",
            2**-24: "float32",
            1.192e-07: "That is for float32, and a whole",
            0.0009766: "That is for float16, and a whole",
            0.001953: "That is a quarter of a step: it",
            0.003967: "That is the next but one: there",
            1.00781: "That is the sum; what was added?",
            0.01562: "That is two steps: a smaller",
            0.01: "That is more than a step: a",
            0.004: "That is near, but is no number of",
            1: "Much less will do: the step after",
        },
    ),
]


def loss_of(model, x, y, reduction="sum"):
    return cross_entropy(model(x), y, ignore_index=IGNORE, reduction=reduction)


def right(model, optimiser, x, y, pieces):
    optimiser.zero_grad()
    labelled = (y != IGNORE).sum()
    for some, labels in zip(x.chunk(pieces), y.chunk(pieces), strict=True):
        (loss_of(model, some, labels) / labelled).backward()
    optimiser.step()


def by_weights(model, optimiser, x, y, pieces):
    optimiser.zero_grad()
    for some, labels in zip(torch.tensor_split(x, pieces), y.tensor_split(pieces), strict=True):
        share = (labels != IGNORE).sum() / (y != IGNORE).sum()
        (share * loss_of(model, some, labels, "mean")).backward()
    optimiser.step()


def variant(*, empty=True, each=False, divide="labelled", step="once", drop=False, reduction="sum"):
    def do(model, optimiser, x, y, pieces):
        if empty:
            optimiser.zero_grad()
        parts = list(zip(x.chunk(pieces), y.chunk(pieces), strict=True))
        by = {"labelled": (y != IGNORE).sum(), "all": y.numel(), "pieces": pieces, "none": 1}[
            divide
        ]
        for some, labels in parts[:-1] if drop else parts:
            if each:
                optimiser.zero_grad()
            (loss_of(model, some, labels, reduction) / by).backward()
            if step == "each":
                optimiser.step()
        if step == "once":
            optimiser.step()

    return do


def at_once(model, optimiser, x, y, pieces):
    optimiser.zero_grad()
    loss_of(model, x, y, "mean").backward()
    optimiser.step()


def in_threes(model, optimiser, x, y, pieces):
    right(model, optimiser, x, y, 3)


def with_own_optimiser(model, optimiser, x, y, pieces):
    right(model, torch.optim.SGD(model.parameters(), lr=1.0), x, y, pieces)


def swapped(model, optimiser, x, y, pieces):
    cross_entropy(y[:2], model(x[:2])).backward()


def of_all_labels(model, optimiser, x, y, pieces):
    cross_entropy(model(x[:3]), y[:3], ignore_index=-5).backward()


def uphill(model, optimiser, x, y, pieces):
    optimiser.zero_grad()
    for some, labels in zip(x.chunk(pieces), y.chunk(pieces), strict=True):
        (-loss_of(model, some, labels) / (y != IGNORE).sum()).backward()
    optimiser.step()


BUILDS = [
    (
        exercises.training_4,
        (),
        [right, by_weights],
        [
            (at_once, "saw 8 patches at once"),
            (variant(drop=True), "6 of 8 patches"),
            (variant(step="each"), "3 steps; expected one"),
            (variant(step="never"), "0 steps"),
            (variant(empty=False), "zero_grad() comes first"),
            (variant(each=True, divide="none", reduction="mean"), "Only the last piece"),
            (variant(divide="pieces", reduction="mean"), "mean of their means"),
            (variant(divide="none", reduction="mean"), "too large"),
            (variant(divide="none"), "too large"),
            (variant(divide="all"), "IGNORE"),
            (in_threes, "use pieces"),
            (with_own_optimiser, "of the optimiser that is given"),
            (swapped, "wrong order"),
            (of_all_labels, "ignore_index=patches.IGNORE"),
            (
                lambda model, optimiser, x, y, pieces: (
                    loss_of(model, x[:2], y[:2]).item().backward()
                ),
                "leave out .item()",
            ),
            (lambda model, optimiser, x, y: optimiser.step(), "name all of them"),
            (
                lambda model, x, y, optimiser, pieces: right(model, optimiser, x, y, pieces),
                "another order",
            ),
            (uphill, "uphill"),
        ],
    ),
]

PREDICTS = [
    (
        exercises.training_5,
        (),
        0.545,
        {
            0.5: "only activations",
            1: "eight patches",
            0.25: "a quarter",
            54.5: "per cent",
            2: "remains",
            0.455: "That is what is saved; the",
            1.835: "It is turned over: four patches",
            4: "That is the number of patches;",
            8: "That is the number of patches;",
            0.317: "That is with two patches: set few",
            0.773: "That is with six patches: set few",
            0.203: "That is with one patch: set few",
        },
    ),
]
