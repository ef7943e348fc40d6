"""Right and wrong answers to the exercises of region: see test_81_course_exercises.py."""

import numpy as np

from stma_nb import patches
from stma_nb.course import exercises

NUMBERS = [  # check, its arguments, right answer, {wrong answer: words of the hint}
    (
        exercises.region_1,
        (),
        6.25,
        {
            2.5: "two",
            2.7778: "1 - q",
            4: "half",
            2.56: "far",
            1.6667: "moves by 1 - q",
            0.16: "over",
        },
    ),
    (
        exercises.region_2,
        (),
        6.235,
        {
            3.1176: "polarisations",
            1.5588: "four bytes",
            6235.1: "MB",
            6235097960: "In GB",
            49.88: "gigabits",
        },
    ),
    (
        exercises.region_3,
        (),
        288,
        {256: "beyond", 320: "does not touch", 272: "both sides", 286: "lattice of 16"},
    ),
]


def library(pieces, corners, shape):
    return patches.stitch(pieces, corners, pieces.shape[-1], shape)


def joined(ramp, divide=True, two=True, number=float):
    """A way to blend by a weight along one side of a window."""

    def blend(pieces, corners, shape):
        kinds, side = pieces.shape[1:3]
        weight = np.outer(ramp(side), ramp(side) if two else np.ones(side))
        total, norm = np.zeros((kinds, *shape), number), np.zeros(shape)
        for (row, column), piece in zip(corners, pieces, strict=True):
            cut = np.s_[row : row + side, column : column + side]
            total[(slice(None), *cut)] += (weight * piece).astype(number)
            norm[cut] += weight
        with np.errstate(invalid="ignore"):
            return (total / norm if divide else total).astype(number)

    return blend


def triangle(side):
    return np.minimum(np.arange(side), np.arange(side)[::-1]) + 0.5


def sine(side):
    return np.sin(np.pi * (np.arange(side) + 0.5) / side)


def last_wins(pieces, corners, shape):
    side = pieces.shape[-1]
    total = np.zeros((pieces.shape[1], *shape))
    for (row, column), piece in zip(corners, pieces, strict=True):
        total[:, row : row + side, column : column + side] = piece
    return total


def spoils(pieces, corners, shape):
    found = library(pieces, corners, shape)
    pieces[:] = 0
    return found


def turned(pieces, corners, shape):
    return np.moveaxis(library(pieces, corners, shape), 0, -1)


BUILDS = [
    (
        exercises.region_4,
        (),
        [
            library,
            joined(triangle),
            joined(sine),
        ],
        [
            (joined(np.ones), "let the weights fade"),
            (joined(triangle, divide=False), "divide what you have summed"),
            (joined(np.hanning), "holes"),
            (last_wins, "one of them wins"),
            (joined(triangle, two=False), "going across"),
            (joined(lambda side: 1 / triangle(side)), "largest in the middle"),
            (joined(np.ones, number=int), "must be that window"),
            (turned, "expected (K, rows, columns)"),
            (spoils, "pieces were changed"),
        ],
    ),
]

PREDICTS = [
    (
        exercises.region_5,
        (),
        16,
        {4: "half overlap", 1: "corner", 8: "two directions", 6.25: "0.6", 1.7778: "not overlap"},
    ),
]
