"""Who learns, who tests? Divide a scene or its windows into training, validation and test.

A split is a map of parts (rows, columns) of UNUSED, TRAIN, VALID and TEST, whatever its rule, so
that one use serves all: ``windows_of(parts, TRAIN, patch)`` and ``PatchDataset(..., mask=parts ==
TRAIN)`` to learn, ``error_matrix(..., where=parts == TEST)`` to score. Windows that overlap fit no
such map: ``random_split`` and ``published_windows`` return windows. Which rule is right depends on
where the map is to be used: Roberts et al. (2017, doi 10.1111/ecog.02881), Karasiak et al. (2022,
doi 10.1007/s10994-021-05972-1) and, for maps of one fixed area, Wadoux et al. (2021, doi
10.1016/j.ecolmodel.2021.109692).
"""

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd
import xarray as xr
from scipy import ndimage

from stma_nb.cube import UNKNOWN
from stma_nb.patches.windows import corners

UNUSED, TRAIN, VALID, TEST = range(4)  # codes of a map of parts
PARTS = ("unused", "training", "validation", "test")
SHARES = (0.6, 0.15, 0.25)  # of training, validation and test


# ------------------------------------------------------------------------------------------ windows


def random_split(
    windows: np.ndarray, train: float = 0.6, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Split windows at random, as the published protocol does; returns (train, test) windows.

    Overlapping windows share pixels, and neighbouring windows share fields: scores on such a split
    flatter the map.
    """
    order = np.random.default_rng(seed).permutation(len(windows))
    cut = round(train * len(windows))
    return windows[np.sort(order[:cut])], windows[np.sort(order[cut:])]


def published_windows(
    shape: tuple[int, int], patch: int = 128, train: float = 0.6, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Windows (train, test) of a scene as the code released with Han et al. (2023) draws them.

    Training: windows that overlap by half, over the whole scene and flush with its right and bottom
    border, and of these a random share ``train``. Test: windows side by side over the same scene.
    So nearly every test pixel lies in some training window. Whether the accuracies of the paper
    were measured exactly so is not known. Raises ValueError if the patch exceeds the scene.
    """
    train_windows, _ = random_split(corners(shape, patch, 0.5), train, seed)
    return train_windows, corners(shape, patch)


def unfilled(shape: tuple[int, int], patch: int = 128) -> np.ndarray:
    """Pixels (rows, columns; True) to which the released code's stitching writes no label.

    Neither a predicted nor a true one. The whole windows leave a remainder of rows and one of
    columns at the border, which flush windows are to fill. The released code passes the two
    remainders in exchanged order, so that the strip it fills is as wide as the other remainder.
    Pixels left over keep the 0 of the empty map in prediction and truth and count as background
    mapped right: 1.65 % of the published scene.
    """
    corners(shape, patch)  # raises if the patch is larger than the scene
    rows, columns = shape
    rest_of_rows, rest_of_columns = rows % patch, columns % patch
    row, column = np.arange(rows), np.arange(columns)
    # Left over at its end by whole windows, and not filled by a strip of the other width.
    empty_row = (row >= rows - rest_of_rows) & (row < rows - rest_of_columns)
    empty_column = (column >= columns - rest_of_columns) & (column < columns - rest_of_rows)
    return empty_row[:, None] | empty_column


def covered(shape: tuple[int, int], windows: np.ndarray, patch: int) -> np.ndarray:
    """Pixels (rows, columns; True) that lie in at least one of the windows (n, 2)."""
    mask = np.zeros(shape, bool)
    for row, column in windows:
        mask[row : row + patch, column : column + patch] = True
    return mask


def windows_of(
    parts: np.ndarray,
    part: int,
    patch: int,
    overlap: float = 0.5,
    least: float = 0.5,
    alone: bool = True,
) -> np.ndarray:
    """Windows (n, 2) of a part of the scene, with no pixel in another part.

    At least the share ``least`` of their pixels lies in the part. Parts finer than a window
    (pixels, parcels) need ``alone=False``: then a window may reach into other parts, which ``mask``
    keeps out of loss and score, though not out of the network's sight.
    """
    mine = parts == part
    others = ~mine & (parts != UNUSED)
    chosen = []
    for row, column in corners(parts.shape, patch, overlap):
        window = np.s_[row : row + patch, column : column + patch]
        intrudes = alone and others[window].any()
        if mine[window].any() and mine[window].mean() >= least and not intrudes:
            chosen.append((row, column))
    return np.array(chosen).reshape(-1, 2)


# -------------------------------------------------------------------------------------------- parts


def random_pixels(
    shape: tuple[int, int], shares: tuple[float, float, float] = SHARES, seed: int = 0
) -> np.ndarray:
    """Give each pixel to a part by lot; returns a map of parts.

    The worst leak: every test pixel has trained neighbours.
    """
    _check_shares(shares)
    lot = np.random.default_rng(seed).random(shape, np.float32)
    # TRAIN, VALID and TEST are 1, 2 and 3: one more for each bound that the lot has passed.
    return np.uint8(TRAIN) + (lot >= shares[0]) + (lot >= shares[0] + shares[1])


def parcel_split(
    parcel: np.ndarray,
    shares: tuple[float, float, float] = SHARES,
    seed: int = 0,
    crop: np.ndarray | None = None,
) -> np.ndarray:
    """Give whole parcels (rows, columns; 0 = none) to the parts by lot; returns a map of parts.

    The shares count parcels, not pixels. With ``crop`` (rows, columns) they hold in each class, and
    a class of three parcels or more occurs in every part; of two parcels the first trains and the
    second tests. Pixels of no parcel are UNUSED: what belongs together there is unknown. Parcels
    side by side still share weather, soil, speckle and mixed pixels at their border. Raises
    ValueError if there are fewer parcels than parts.
    """
    _check_shares(shares)
    check_shapes(parcel=parcel, crop=crop)
    index, numbers = number_parcels(parcel)
    real = numbers > 0
    if real.sum() < np.count_nonzero(shares):
        raise ValueError(
            f"The scene holds {real.sum()} parcel(s) for {np.count_nonzero(shares)} parts: "
            "give a larger scene."
        )
    stratum = np.zeros(len(numbers), int)
    if crop is not None:  # the class of a parcel is that of most of its pixels
        stratum = _count_pairs(index, crop, len(numbers)).argmax(1)
    rng = np.random.default_rng(seed)
    part = np.full(len(numbers), UNUSED, np.uint8)
    for value in np.unique(stratum[real]):
        members = rng.permutation(np.flatnonzero(real & (stratum == value)))
        train, valid, test = _sizes(len(members), shares)
        part[members] = np.repeat((TRAIN, TEST, VALID), (train, test, valid))
    return part[index]


def _count_pairs(unit: np.ndarray, crop: np.ndarray, units: int) -> np.ndarray:
    """Pixels of each unit (0 .. ``units`` - 1) and class (units, classes), from their maps."""
    known = np.asarray(crop) != UNKNOWN
    codes = np.asarray(crop)[known].astype(np.int64)
    classes = int(codes.max(initial=0)) + 1
    pair = unit[known] * classes + codes  # one number for each pair of unit and class
    return np.bincount(pair, minlength=units * classes).reshape(units, classes)


def block_numbers(
    shape: tuple[int, int], block: int = 128, parcel: np.ndarray | None = None
) -> np.ndarray:
    """The number, from 0, of the square block that each pixel belongs to (rows, columns).

    With ``parcel`` (rows, columns; 0 = none) a parcel that a border cuts belongs whole to the block
    that holds most of it. Blocks are counted row by row, without those that are left no pixel.
    Score block by block with them: ``accuracy.unit_matrices``. Raises ValueError for a block below
    1 pixel and for maps that differ in shape.
    """
    if block < 1:
        raise ValueError(f"The block is {block} pixels; expected at least 1.")
    check_shapes(scene=np.broadcast_to(0, shape), parcel=parcel)
    rows, columns = shape
    across = math.ceil(columns / block)
    number = np.add.outer(np.arange(rows) // block * across, np.arange(columns) // block)
    if parcel is None:
        return number
    count = math.ceil(rows / block) * across
    index, numbers = number_parcels(parcel)
    pair, found = pd.factorize(np.ravel(index * count + number))  # of a parcel and a block
    by_pixels = found[np.bincount(pair).argsort(kind="stable")]
    home = np.zeros(len(numbers), int)
    home[by_pixels // count] = by_pixels % count  # written last, the block with most pixels stays
    number = np.where((numbers > 0)[index], home[index], number)
    left = np.bincount(number.ravel(), minlength=count) > 0
    return (left.cumsum() - 1)[number]


def block_split(
    shape: tuple[int, int],
    block: int = 128,
    shares: tuple[float, float, float] = SHARES,
    buffer: int = 8,
    seed: int = 0,
    parcel: np.ndarray | None = None,
    crop: np.ndarray | None = None,
) -> np.ndarray:
    """Give square blocks of the scene to the parts by lot; returns a map of parts (rows, columns).

    The map holds TRAIN, VALID, TEST, and UNUSED where another part is closer than ``buffer`` pixels
    (correlated speckle, field edges). With ``parcel`` (rows, columns; 0 = none) a parcel that a
    border cuts goes whole to the block that holds most of it, so that no field is in two parts, and
    large fields are tested as often as small ones. With ``crop`` (rows, columns) the blocks are
    dealt out so that rare classes, too, occur in every part, as far as three blocks or more hold
    them out of reach of the buffer (see ``class_counts``); where blocks are few and classes many,
    little is left to the lot, and many seeds give one split. ``leak_report`` tells whether the test
    part resembles the scene. Raises ValueError if the scene has fewer blocks than parts.
    """
    _check_shares(shares)
    number, count = _blocks(shape, block, buffer, int(np.count_nonzero(shares)), parcel, crop)
    group = _deal(number, _sizes(count, shares), buffer, seed, crop)
    return _apart(np.array([TRAIN, VALID, TEST], np.uint8)[group][number], buffer)


def block_folds(
    shape: tuple[int, int],
    block: int = 128,
    folds: int = 4,
    buffer: int = 8,
    seed: int = 0,
    parcel: np.ndarray | None = None,
    crop: np.ndarray | None = None,
) -> Iterator[np.ndarray]:
    """Several splits by the same blocks: yields ``folds`` maps of parts, as ``block_split`` makes.

    The blocks are dealt into folds. Each fold tests once, while the next one validates and the
    others train, so that every block, and every parcel whole, tests exactly once, but for the
    buffer. The spread of the scores over the folds says more than the score of one split. The other
    arguments are those of ``block_split``. Raises ValueError for fewer than three folds, and if the
    scene has fewer blocks than folds.
    """
    if folds < 3:
        raise ValueError(
            f"There are {folds} folds; expected 3 or more: one tests, one validates, others train."
        )
    number, count = _blocks(shape, block, buffer, folds, parcel, crop)
    sizes = np.bincount(np.arange(count) % folds)
    fold = _deal(number, sizes, buffer, seed, crop)
    return (_fold(fold[number], test, folds, buffer) for test in range(folds))


def _fold(fold: np.ndarray, test: int, folds: int, buffer: int) -> np.ndarray:
    """The map of parts in which one fold tests and the next one validates."""
    part = np.full(folds, TRAIN, np.uint8)
    part[test], part[(test + 1) % folds] = TEST, VALID
    return _apart(part[fold], buffer)


def _blocks(
    shape: tuple[int, int],
    block: int,
    buffer: int,
    needed: int,
    parcel: np.ndarray | None,
    crop: np.ndarray | None,
) -> tuple[np.ndarray, int]:
    """The block number of each pixel and how many blocks there are; at least ``needed``."""
    if block < 1 or buffer < 0:
        raise ValueError(
            f"The block is {block} and the buffer {buffer} pixels; expected at least 1 and 0."
        )
    check_shapes(scene=np.broadcast_to(0, shape), parcel=parcel, crop=crop)
    number = block_numbers(shape, block, parcel)
    count = int(number.max()) + 1
    if count < needed:
        raise ValueError(
            f"The scene holds {count} block(s) of {block} pixels; "
            f"{needed} parts need at least {needed}: choose a smaller block."
        )
    return number, count


def _deal(
    number: np.ndarray, sizes: np.ndarray, buffer: int, seed: int, crop: np.ndarray | None
) -> np.ndarray:
    """Group (0, 1, ...) of each block, ``sizes`` of them in each: by lot, or evenly by class."""
    count = sizes.sum()
    order = np.random.default_rng(seed).permutation(count)
    group = np.empty(count, int)
    if crop is None:
        group[order] = np.repeat(np.arange(len(sizes))[::-1], sizes[::-1])
    else:  # counted are the pixels that no buffer can take, however the blocks are dealt
        certain = _apart(number + 1, buffer) != UNUSED
        pixels = _count_pairs(number[certain], np.asarray(crop)[certain], count)
        group[order] = _stratify(pixels[order], sizes)
    return group


def regions(shape: tuple[int, int], rows: int = 2, columns: int = 2) -> np.ndarray:
    """Cut a scene into ``rows`` x ``columns`` rectangles, numbered from 1, row by row.

    By default its quarters.
    """
    row = np.arange(shape[0]) * rows // shape[0]
    column = np.arange(shape[1]) * columns // shape[1]
    return np.add.outer(row * columns, column) + 1


def leave_one_region_out(
    region: np.ndarray, test: int, buffer: int = 8, valid: int | None = None
) -> np.ndarray:
    """Test on one region, train on the others; returns a map of parts (rows, columns).

    ``region`` is a map of regions (rows, columns; 0 = none). One region of those others may
    validate. Pixels closer than ``buffer`` to another part are UNUSED. Raises ValueError if a
    region does not exist or none is left to train on.
    """
    region = np.asarray(region)
    numbers = set(np.unique(region).tolist()) - {0}
    chosen = {test} if valid is None else {test, valid}
    missing = chosen - numbers
    if missing:
        raise ValueError(
            f"There is no region {min(missing)}; the map holds {sorted(numbers)}: "
            "choose one of these."
        )
    if test == valid:
        raise ValueError(f"Region {test} is to test and to validate: choose two regions.")
    if chosen == numbers:
        raise ValueError(
            f"The map holds the regions {sorted(numbers)}, none of them left to train on: "
            "divide the scene further."
        )
    parts = np.where(region == 0, np.uint8(UNUSED), np.uint8(TRAIN))
    parts[region == test] = TEST
    if valid is not None:
        parts[region == valid] = VALID
    return _apart(parts, buffer)


def leave_one_year_out(
    seasons: dict[int, xr.Dataset],
) -> Iterator[tuple[int, dict[int, xr.Dataset], xr.Dataset]]:
    """Test on the season of each year in turn: yields (year, the other seasons by year, season).

    The weather of the test year is new, the fields are not, and grassland and orchards stay where
    they are. Raises ValueError for a single season, and for seasons that differ in their number of
    dates or in their grid.
    """
    if len(seasons) < 2:
        raise ValueError(
            f"There is {len(seasons)} season; one year tests and the others train: give at least 2."
        )
    (first, model), *others = seasons.items()
    for year, season in others:
        if season.sizes["time"] != model.sizes["time"]:
            raise ValueError(
                f"{year} has {season.sizes['time']} dates and {first} has {model.sizes['time']}: "
                "choose equally many of each year."
            )
        if not all(season[axis].equals(model[axis]) for axis in ("y", "x")):
            raise ValueError(
                f"The seasons of {first} and {year} lie on different grids: "
                "bring them to one (rio.reproject_match)."
            )
    for year, season in seasons.items():
        train = {other: seasons[other] for other in seasons if other != year}
        yield year, train, season


def _sizes(count: int, shares: tuple[float, float, float]) -> np.ndarray:
    """How many of ``count`` units train, validate and test.

    At least one where the share is above 0. If there are too few: the first trains, a second tests.
    """
    needed = np.array(shares) > 0
    if count < needed.sum():
        return np.array([1, 0, 0] if count == 1 else [1, 0, 1])
    sizes = np.maximum(needed, np.round(np.multiply(shares, count))).astype(int)
    while sizes.sum() != count:  # rounded: the largest part takes, or gives, the difference
        sizes[sizes.argmax()] += np.sign(count - sizes.sum())
    return sizes


def _stratify(pixels: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Group of each block, so that the classes spread over the groups as the blocks do.

    pixels: of each block and class (blocks, classes); sizes: how many blocks each group gets.
    Iterative stratification (Sechidis et al. 2011, doi 10.1007/978-3-642-23808-6_10): each block of
    the class that is left in the fewest blocks goes to the group that lacks most of the class. Here
    a group without any comes first.
    """
    # One more class, which is in every block, deals out the blocks without any other.
    pixels = np.column_stack([pixels, np.ones(len(pixels), int)])
    total = pixels.sum(0)
    goal = np.outer(sizes / sizes.sum(), total)  # pixels (groups, classes)
    given = np.zeros(goal.shape)
    room = sizes.copy()  # blocks that each group still takes
    group = np.full(len(pixels), -1)
    while (group < 0).any():
        free = group < 0
        holders = (pixels[free] > 0).sum(0)
        rare = np.where(holders > 0, holders, len(pixels) + 1).argmin()
        for block in np.flatnonzero(free & (pixels[:, rare] > 0)):
            lack = (goal - given)[:, rare] + total[rare] * (given[:, rare] == 0)
            chosen = np.where(room > 0, lack, -np.inf).argmax()
            group[block] = chosen
            given[chosen] += pixels[block]
            room[chosen] -= 1
    return group


def _apart(parts: np.ndarray, buffer: int) -> np.ndarray:
    """The map with UNUSED where another part is closer than ``buffer`` pixels."""
    size = 2 * buffer + 1
    # A window holds one part if its lowest and its highest are the same; UNUSED (0) is neither.
    used = np.where(parts == UNUSED, np.iinfo(parts.dtype).max, parts)
    low = ndimage.minimum_filter(used, size, mode="nearest")
    high = ndimage.maximum_filter(parts, size, mode="nearest")
    return np.where(low == high, parts, parts.dtype.type(UNUSED))


def number_parcels(parcel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Position (rows, columns) of each pixel's parcel in the sorted parcel numbers, and these."""
    index, numbers = pd.factorize(np.ravel(parcel), sort=True)
    return index.reshape(np.shape(parcel)), numbers


def _check_shares(shares: tuple[float, float, float]) -> None:
    usable = len(shares) == 3 and shares[0] > 0 and shares[1] >= 0 and shares[2] > 0
    if not (usable and np.isclose(sum(shares), 1)):
        raise ValueError(
            f"The shares {shares} of training, validation and test sum to {sum(shares):.2f}; "
            "expected 1, each above 0 (validation may be 0)."
        )


def check_shapes(**maps: np.ndarray | None) -> None:
    """Raise ValueError if the maps that are given differ in shape."""
    shapes = {name: np.shape(values) for name, values in maps.items() if values is not None}
    if len(set(shapes.values())) > 1:
        found = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise ValueError(f"The maps differ in shape ({found}): bring them to one grid.")
