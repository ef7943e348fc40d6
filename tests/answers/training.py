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
        },
    ),
]
