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
            4.8: "That is q over a half, times",
            5: "That is two times one direction:",
            0.36: "That is the share that overlaps,",
            0.4: "That is how far a window moves,",
            15.625: "There are two directions, not",
            9: "three windows each way",
            6: "Near, but the mean need not be a",
            3: "one direction, rounded up",
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
            0.7794: "Two polarisations, and each",
            5.807: "That is in GiB: a GB is 1e9 bytes.",
            0.1521: "That is one date; there are 41.",
            12.47: "Each number takes four bytes, not",
            6235097.96: "That is in kB: a GB is 1e9 bytes.",
            0.006235: "That is in TB: a GB is 1e9 bytes.",
            1558774490: "That is how many numbers there",
            779387245: "That is how many numbers of one",
            19009445: "That is the number of pixels.",
            0.07604: "That is one date of one",
            0.002895: "Rows and columns are multiplied.",
        },
    ),
    (
        exercises.region_3,
        (),
        288,
        {
            256: "beyond",
            320: "does not touch",
            272: "both sides",
            286: "lattice of 16",
            318: "A window that touches with its",
            224: "Windows that touch the tile reach",
            32: "That is the width of a window, or",
            16: "16 pixels are read on each side",
            65536: "That is the number of pixels of",
            82944: "That is the number of pixels;",
            264: "Half a window is 16 pixels, on",
            17: "That is the number of windows;",
            512: "Windows that touch the tile reach",
        },
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


def moves_corners(pieces, corners, shape):
    found = library(pieces, corners, shape)
    corners += 1
    return found


def transposed(pieces, corners, shape):
    total = np.zeros((pieces.shape[1], *shape))
    for (row, column), piece in zip(corners, pieces, strict=True):
        total[row : row + 8, column : column + 8] += piece
    return total


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
            (moves_corners, "corners were changed"),
            (transposed, "Shapes do not fit"),
            (lambda corners, pieces, shape: library(pieces, corners, shape), "another order"),
            (lambda pieces, corners: pieces[0], "name all of them"),
            (lambda pieces, corners, shape: print(end=""), "returns nothing"),
            (lambda pieces, corners, shape: pieces.mean(0), "expected (K, rows, columns)"),
            (
                lambda pieces, corners, shape: library(np.clip(pieces, 0, 0.1), corners, shape),
                "must be that window",
            ),
        ],
    ),
]

PREDICTS = [
    (
        exercises.region_5,
        (),
        16,
        {
            4: "half overlap",
            1: "corner",
            8: "two directions",
            6.25: "0.6",
            1.7778: "not overlap",
            2: "That is one direction with half",
            9: "That is for an overlap of two",
            64: "There are two directions, not",
            25: "That is for an overlap of 0.8:",
            0.75: "That is the overlap; put the",
        },
    ),
]
