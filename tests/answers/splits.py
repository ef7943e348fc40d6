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
            0.4: "That is the share of windows that",
            0.16: "That no window trains is a case",
            0.36: "A pixel lies in four windows, and",
            0.8704: "That is the share with at least",
            0.64: "A pixel lies in four windows; and",
            0.936: "A pixel lies in two windows along",
            1: "Nearly: some pixels have no",
            2.4: "That is the mean number of",
            0.1536: "That is the share with exactly",
        },
    ),
    (
        exercises.splits_2,
        (),
        109200,
        {
            0.084: "sum",
            0: "104 against 20",
            135200: "20 are filled",
            153120: "Strips along",
            20000: "That is the strip of columns,",
            2080: "That is the corner alone.",
            1190800: "That is the number of pixels that",
            1300000: "Those are all pixels; how many",
            84: "That is the number of rows; how",
            107520: "The strip goes across the whole",
            84000: "Rows are counted down, columns",
            70: "That is the number of whole",
        },
    ),
    (
        exercises.splits_3,
        (),
        249.9,
        {
            114000: "as if",
            200: "Nearly",
            1.25: "one field, then",
            142500: "Below the line stands 1 + (m - 1)",
            91200: "Do not multiply by the",
            22800: "Do not multiply by what is left",
            711.6: "m is the number of pixels of a",
            570: "That is the number of pixels of a",
            91240: "Divide the pixels of a field by 1",
            456.2: "By that the pixels of a field are",
        },
    ),
    (
        exercises.splits_4,
        (CROP, PARCEL, 0),
        0.0625,
        {
            0: "leave parcel= out",
            12: "counts parcels",
            350: "metres",
            0.25: "without a buffer",
            0.9375: "That is the share that lies in no",
            0.7583: "That is for blocks of 40 pixels:",
            0.01316: "That is for blocks of 160 pixels:",
            0.2367: "That is another draw: seed=seed.",
        },
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


def fixed_numbers(shape, block, seed):
    """12, 3, and the rest."""
    rows, columns = (-(-side // block) for side in shape)
    cards = np.repeat(CODES, (min(12, rows * columns), 3, max(0, rows * columns - 15)))
    part = np.random.default_rng(seed).permutation(cards)[: rows * columns].reshape(rows, columns)
    return np.kron(part, np.ones((block, block), int))[: shape[0], : shape[1]]


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
            (lambda shape, block, seed: block_split(shape, 20, seed), "use block"),
            (fixed_numbers, "take shares of the number of blocks"),
            (
                lambda shape, block, seed: block_split(shape, block, seed)[:4, :5],
                "one code for every",
            ),
            (lambda shape, block: block_split(shape, block, 0), "name all of them"),
            (
                lambda shape, block, seed: block_split((shape,), block, seed),
                "it should take any shape",
            ),
            (lambda shape, block, seed: print(end=""), "returns nothing"),
        ],
    )
]

PREDICTS = [  # check, its arguments, what is found, {wrong: words of the hint}
    (
        exercises.splits_6,
        (CROP, PARCEL, 0, 300),
        0.4346,
        {
            0.6667: "without a buffer",
            330: "distance",
            0: "share trained on",
            43.46: "per cent",
            0.5654: "That is the share out of reach;",
            0.2321: "That is by how much it falls;",
            8: "That is the buffer; what share",
        },
    )
]
