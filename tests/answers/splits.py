"""Right and wrong answers to the exercises of splits: see test_81_course_exercises.py."""

import numpy as np

from stma_nb import patches
from stma_nb.course import exercises

PARCEL = np.add.outer(np.arange(200) // 30 * 20, np.arange(240) // 30) + 1
CROP = np.zeros(PARCEL.shape, int)

NUMBERS = [  # check, its arguments, right answer, {wrong answer: words of the hint}
    (
        exercises.splits_1,
        (),
        0.9744,
        {
            0.6: "share of windows",
            0.0256: "no training window",
            0.84: "four in all",
            0.1296: "one is",
        },
    ),
    (
        exercises.splits_2,
        (),
        109200,
        {0.084: "sum", 0: "104 against 20", 135200: "20 are filled", 153120: "Strips along"},
    ),
    (exercises.splits_3, (), 249.9, {114000: "as if", 200: "Nearly", 1.25: "one field"}),
    (
        exercises.splits_4,
        (CROP, PARCEL, 0),
        0.0625,
        {0: "leave parcel= out", 12: "counts parcels", 350: "metres", 0.25: "without a buffer"},
    ),
]

CODES = (patches.TRAIN, patches.VALID, patches.TEST)


def dealt(count, seed):
    train, valid = round(0.6 * count), round(0.15 * count)
    cards = np.repeat(CODES, (train, valid, count - train - valid))
    return np.random.default_rng(seed).permutation(cards)


def block_split(shape, block, seed):
    rows, columns = (-(-side // block) for side in shape)
    part = dealt(rows * columns, seed).reshape(rows, columns)
    row, column = (np.arange(side) // block for side in shape)
    return part[np.ix_(row, column)]


def by_a_loop(shape, block, seed):
    parts = np.empty(shape, int)
    corners = [(r, c) for r in range(0, shape[0], block) for c in range(0, shape[1], block)]
    for (r, c), part in zip(corners, dealt(len(corners), seed), strict=True):
        parts[r : r + block, c : c + block] = part
    return parts


def of_pixels(shape, block, seed):
    return dealt(shape[0] * shape[1], seed).reshape(shape)


def by_dice(shape, block, seed):
    rows, columns = (-(-side // block) for side in shape)
    rng = np.random.default_rng(seed)
    part = rng.choice(CODES, (rows, columns), p=(0.6, 0.15, 0.25))
    return np.kron(part, np.ones((block, block), int))[: shape[0], : shape[1]]


def without_cut_blocks(shape, block, seed):
    rows, columns = (side // block for side in shape)
    part = dealt(rows * columns, seed).reshape(rows, columns)
    return np.kron(part, np.ones((block, block), int))


BUILDS = [  # check, its arguments, right functions, [(wrong function, words of the hint)]
    (
        exercises.splits_5,
        (),
        [block_split, by_a_loop],
        [
            (of_pixels, "not for pixels"),
            (by_dice, "no dice"),
            (without_cut_blocks, "the last blocks may be cut"),
            (lambda shape, block, seed: block_split(shape, block, seed) - 1, "which are 1, 2"),
            (lambda shape, block, seed: block_split(shape, block, 0), "depend on the seed"),
            (lambda shape, block, seed: block_split(shape, block, None), "gives two maps"),
            (lambda shape, block, seed: block_split(shape[::-1], block, seed), "has the shape"),
        ],
    )
]

PREDICTS = [  # check, its arguments, what is found, {wrong: words of the hint}
    (
        exercises.splits_6,
        (CROP, PARCEL, 0, 300),
        0.4346,
        {0.6667: "without a buffer", 330: "distance", 0: "share trained on", 43.46: "per cent"},
    )
]
