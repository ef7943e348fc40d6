"""Who learns, who tests? Divide a scene or its windows into training, validation and test.

A split is a map of parts (rows, columns) of UNUSED, TRAIN, VALID and TEST, whatever its rule, so
that one use serves all: ``windows_of(parts, TRAIN, patch)`` and ``PatchDataset(..., mask=parts ==
TRAIN)`` to learn, ``error_matrix(..., where=parts == TEST)`` to score. Windows that overlap fit no
such map: ``random_split`` and ``published_windows`` return windows. Which rule is right depends on
where the map is to be used: Roberts et al. (2017, doi 10.1111/ecog.02881), Karasiak et al. (2022,
doi 10.1007/s10994-021-05972-1) and, for maps of one fixed area, Wadoux et al. (2021, doi
10.1016/j.ecolmodel.2021.109692).
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import xarray as xr
from scipy import ndimage

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
    """Windows (train, test) as the code released with Han et al. (2023) draws them from a scene
    (rows, columns).

    Training: windows that overlap by half, over the whole scene and flush with its right and bottom
    border, and of these a random share ``train``. Test: windows side by side over the same scene.
    So nearly every test pixel lies in some training window. Whether the accuracies of the paper
    were measured exactly so is not known. Raises ValueError if the patch exceeds the scene.
    """
    return random_split(corners(shape, patch, 0.5), train, seed)[0], corners(shape, patch)


def unfilled(shape: tuple[int, int], patch: int = 128) -> np.ndarray:
    """Pixels (rows, columns; True) to which the released code's stitching writes no label, neither
    predicted nor true.

    The whole windows leave a remainder of rows and one of columns at the border, which flush
    windows are to fill. The released code passes the two remainders in exchanged order, so that the
    strip it fills is as wide as the other remainder. Pixels left over keep the 0 of the empty map
    in prediction and truth and count as background mapped right: 1.65 % of the published scene.
    """
    corners(shape, patch)  # raises if the patch is larger than the scene
    rest = [size % patch for size in shape]
    row, column = (
        (np.arange(size) >= size - own) & (np.arange(size) < size - other)
        for size, own, other in zip(shape, rest, rest[::-1], strict=True)
    )
    return row[:, None] | column


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
    """Windows (n, 2) of a part of the scene: at least the share ``least`` of their pixels in it,
    and none in another part.

    Parts finer than a window (pixels, parcels) need ``alone=False``: then a window may reach into
    other parts, which ``mask`` keeps out of loss and score, though not out of the network's sight.
    """
    mine, others = parts == part, (parts != part) & (parts != UNUSED)

    def fits(row: int, column: int) -> bool:
        window = np.s_[row : row + patch, column : column + patch]
        return (
            mine[window].any()
            and mine[window].mean() >= least
            and not (alone and others[window].any())
        )

    return np.array(
        [corner for corner in corners(parts.shape, patch, overlap) if fits(*corner)]
    ).reshape(-1, 2)


# -------------------------------------------------------------------------------------------- parts


def random_pixels(
    shape: tuple[int, int], shares: tuple[float, float, float] = SHARES, seed: int = 0
) -> np.ndarray:
    """Give each pixel to a part by lot; returns a map of parts. The worst leak: every test pixel
    has trained neighbours.
    """
    _check_shares(shares)
    lot = np.random.default_rng(seed).random(shape, np.float32)
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
            f"The scene holds {real.sum()} parcel(s) for {np.count_nonzero(shares)} parts: give a "
            "larger scene."
        )
    stratum = np.zeros(len(numbers), int)
    if crop is not None:  # the class of a parcel is that of most of its pixels
        classes = int(np.max(crop)) + 1
        pixels = np.bincount(
            index.ravel() * classes + np.ravel(crop), minlength=len(numbers) * classes
        )
        stratum = pixels.reshape(-1, classes).argmax(1)
    rng = np.random.default_rng(seed)
    part = np.full(len(numbers), UNUSED, np.uint8)
    for value in np.unique(stratum[real]):
        members = rng.permutation(np.flatnonzero(real & (stratum == value)))
        part[members] = np.repeat((TRAIN, TEST, VALID), _sizes(len(members), shares)[[0, 2, 1]])
    return part[index]


def block_split(
    shape: tuple[int, int],
    block: int = 128,
    shares: tuple[float, float, float] = SHARES,
    buffer: int = 8,
    seed: int = 0,
    parcel: np.ndarray | None = None,
    crop: np.ndarray | None = None,
) -> np.ndarray:
    """Give square blocks of the scene to training, validation and test at random; returns a map of
    parts (rows, columns).

    The map holds TRAIN, VALID, TEST, and UNUSED where another part is closer than ``buffer`` pixels
    (correlated speckle, field edges). With ``parcel`` (rows, columns; 0 = none) a parcel that
    reaches into two parts becomes UNUSED as a whole, so that no field is in two parts. With
    ``crop`` (rows, columns) the blocks are dealt out so that rare classes, too, occur in every
    part, as far as three blocks or more hold them in fields that no border cuts (see
    ``class_counts``). Raises ValueError if the scene has fewer blocks than parts.
    """
    if block < 1 or buffer < 0:
        raise ValueError(
            f"The block is {block} and the buffer {buffer} pixels; expected at least 1 and 0."
        )
    _check_shares(shares)
    check_shapes(scene=np.broadcast_to(0, shape), parcel=parcel, crop=crop)
    rows, columns = (-(-size // block) for size in shape)
    count, needed = rows * columns, np.count_nonzero(shares)
    if count < needed:
        raise ValueError(
            f"The scene holds {count} block(s) of {block} pixels; {needed} parts need at least "
            f"{needed}: choose a smaller block."
        )
    number = np.add.outer(np.arange(shape[0]) // block * columns, np.arange(shape[1]) // block)
    index, numbers = (None, None) if parcel is None else number_parcels(parcel)
    order, sizes = np.random.default_rng(seed).permutation(count), _sizes(count, shares)
    part = np.empty(count, np.uint8)
    if crop is None:
        part[order] = np.repeat((TEST, VALID, TRAIN), sizes[::-1])
    else:
        inner = [
            (np.arange(size) % block >= buffer) & (np.arange(size) % block < block - buffer)
            for size in shape
        ]
        certain = np.logical_and.outer(
            *inner
        )  # what neither the buffer nor a cut parcel can take from a block
        if parcel is not None:
            first, last = np.full(len(numbers), count), np.zeros(len(numbers), int)
            np.minimum.at(first, index, number)
            np.maximum.at(last, index, number)
            certain &= ((first == last) | (numbers == 0))[index]
        classes = int(np.max(crop)) + 1
        pixels = np.bincount(
            (number * classes + np.asarray(crop))[certain], minlength=count * classes
        ).reshape(count, classes)
        part[order] = _stratify(pixels[order], sizes)
    parts = _apart(part[number], buffer)
    if parcel is not None:
        member = [
            np.bincount(index[parts == p], minlength=len(numbers)) > 0 for p in (TRAIN, VALID, TEST)
        ]
        shared = (np.sum(member, axis=0) > 1) & (numbers > 0)
        parts[shared[index]] = UNUSED
    return parts


def regions(shape: tuple[int, int], rows: int = 2, columns: int = 2) -> np.ndarray:
    """Cut a scene into ``rows`` x ``columns`` rectangles, numbered from 1, row by row; by default
    its quarters.
    """
    row, column = (
        np.arange(size) * n // size for size, n in zip(shape, (rows, columns), strict=True)
    )
    return np.add.outer(row * columns, column) + 1


def leave_one_region_out(
    region: np.ndarray, test: int, buffer: int = 8, valid: int | None = None
) -> np.ndarray:
    """Test on one region of a map of regions (rows, columns; 0 = none), train on the others;
    returns a map of parts.

    One region of those others may validate. Pixels closer than ``buffer`` to another part are
    UNUSED. Raises ValueError if a region does not exist or none is left to train on.
    """
    region = np.asarray(region)
    numbers, chosen = (
        set(np.unique(region).tolist()) - {0},
        {test} if valid is None else {test, valid},
    )
    if missing := chosen - numbers:
        raise ValueError(
            f"There is no region {min(missing)}; the map holds {sorted(numbers)}: choose one of "
            "these."
        )
    if test == valid:
        raise ValueError(f"Region {test} is to test and to validate: choose two regions.")
    if chosen == numbers:
        raise ValueError(
            f"The map holds the regions {sorted(numbers)}, none of them left to train on: divide "
            "the scene further."
        )
    parts = np.where(region == 0, np.uint8(UNUSED), np.uint8(TRAIN))
    parts[region == test] = TEST
    if valid is not None:
        parts[region == valid] = VALID
    return _apart(parts, buffer)


def leave_one_year_out(
    seasons: dict[int, xr.Dataset],
) -> Iterator[tuple[int, dict[int, xr.Dataset], xr.Dataset]]:
    """Test on the season of each year in turn: yields (year, the other seasons by year, the season
    of that year).

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
                f"The seasons of {first} and {year} lie on different grids: bring them to one "
                "(rio.reproject_match)."
            )
    for year, season in seasons.items():
        yield year, {other: seasons[other] for other in seasons if other != year}, season


def _sizes(count: int, shares: tuple[float, float, float]) -> np.ndarray:
    """How many of ``count`` units each part gets, at least one where its share is above 0; few
    train first, then test.
    """
    needed = np.array(shares) > 0
    if count < needed.sum():
        return np.array([(1, 0, 0), (1, 0, 1)][count - 1])
    sizes = np.maximum(needed, np.round(np.multiply(shares, count))).astype(int)
    while off := count - sizes.sum():
        sizes[sizes.argmax()] += np.sign(off)
    return sizes


def _stratify(pixels: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Part of each block from its pixels by class (blocks, classes), so that the classes spread
    over the parts as the blocks do.

    Iterative stratification (Sechidis et al. 2011, doi 10.1007/978-3-642-23808-6_10): each block of
    the class that is left in the fewest blocks goes to the part that lacks most of the class. Here
    a part without any comes first.
    """
    pixels = np.column_stack(
        [pixels, np.ones(len(pixels), int)]
    )  # the last class is in every block
    total = pixels.sum(0)
    goal, given, room = (
        np.outer(sizes / sizes.sum(), total),
        np.zeros((3, len(total))),
        sizes.copy(),
    )
    part = np.zeros(len(pixels), np.uint8)
    while (free := part == 0).any():
        holders = (pixels[free] > 0).sum(0)
        rare = np.where(holders > 0, holders, len(pixels) + 1).argmin()
        for block in np.flatnonzero(free & (pixels[:, rare] > 0)):
            lack = (goal - given)[:, rare] + total[rare] * (given[:, rare] == 0)
            chosen = np.where(room > 0, lack, -np.inf).argmax()
            part[block] = (TRAIN, VALID, TEST)[chosen]
            given[chosen] += pixels[block]
            room[chosen] -= 1
    return part


def _apart(parts: np.ndarray, buffer: int) -> np.ndarray:
    """The map with UNUSED where another part is closer than ``buffer`` pixels."""
    size = 2 * buffer + 1
    low = ndimage.minimum_filter(
        np.where(parts == UNUSED, np.uint8(255), parts), size, mode="nearest"
    )
    return np.where(
        low == ndimage.maximum_filter(parts, size, mode="nearest"), parts, np.uint8(UNUSED)
    )


def number_parcels(parcel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Position (rows, columns) of each pixel's parcel in the sorted parcel numbers, and these."""
    index, numbers = pd.factorize(np.ravel(parcel), sort=True)
    return index.reshape(np.shape(parcel)), numbers


def _check_shares(shares: tuple[float, float, float]) -> None:
    if (
        len(shares) != 3
        or min(shares[0], shares[2]) <= 0
        or shares[1] < 0
        or not np.isclose(sum(shares), 1)
    ):
        raise ValueError(
            f"The shares {shares} of training, validation and test sum to {sum(shares):.2f}; "
            "expected 1, each above 0 (validation "
            "may be 0)."
        )


def check_shapes(**maps: np.ndarray | None) -> None:
    shapes = {name: np.shape(values) for name, values in maps.items() if values is not None}
    if len(set(shapes.values())) > 1:
        found = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise ValueError(f"The maps differ in shape ({found}): bring them to one grid.")
