"""Who learns, who tests? Divide a scene or its windows into training, validation and test, and measure what leaks between them."""

import numpy as np
from scipy import ndimage

from stma_nb.patches import corners

UNUSED, TRAIN, VALID, TEST = range(4)  # codes of a map of parts


def random_split(windows: np.ndarray, train: float = 0.6, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Split windows at random, as the published protocol does; returns (train, test) windows.

    Overlapping windows share pixels, and neighbouring windows share fields: scores on such a split flatter the map.
    """
    order = np.random.default_rng(seed).permutation(len(windows))
    cut = round(train * len(windows))
    return windows[np.sort(order[:cut])], windows[np.sort(order[cut:])]


def block_split(
    shape: tuple[int, int],
    block: int = 128,
    shares: tuple[float, float, float] = (0.6, 0.15, 0.25),
    buffer: int = 8,
    seed: int = 0,
    parcel: np.ndarray | None = None,
) -> np.ndarray:
    """Give square blocks of the scene to training, validation and test at random; returns a map of parts (rows, columns).

    The map holds TRAIN, VALID, TEST, and UNUSED where another part is closer than ``buffer`` pixels (correlated speckle, field
    edges). With ``parcel`` (rows, columns; 0 = none) a parcel that reaches into two parts becomes UNUSED as a whole, so that no
    field is in two parts. Raises ValueError if the scene has fewer blocks than parts.
    """
    if block < 1 or buffer < 0:
        raise ValueError(f"The block is {block} and the buffer {buffer} pixels; expected at least 1 and 0.")
    if not np.isclose(sum(shares), 1):
        raise ValueError(f"The shares {shares} of training, validation and test sum to {sum(shares):.2f}; expected 1.")
    rows, columns = (-(-size // block) for size in shape)
    count = rows * columns
    if count < 3:
        raise ValueError(f"The scene holds {count} block(s) of {block} pixels; 3 parts need at least 3: choose a smaller block.")
    tested, validated = (max(1, round(share * count)) for share in (shares[2], shares[1]))
    parts = np.full(count, TRAIN, dtype=np.uint8)
    order = np.random.default_rng(seed).permutation(count)
    parts[order[:tested]] = TEST
    parts[order[tested : tested + validated]] = VALID
    parts = parts.reshape(rows, columns).repeat(block, 0).repeat(block, 1)[: shape[0], : shape[1]]
    size = 2 * buffer + 1
    alone = ndimage.minimum_filter(parts, size, mode="nearest") == ndimage.maximum_filter(parts, size, mode="nearest")
    parts = np.where(alone, parts, np.uint8(UNUSED))
    if parcel is not None:
        numbers, index = np.unique(parcel, return_inverse=True)
        index = index.reshape(parcel.shape)
        member = [np.bincount(index[parts == part], minlength=len(numbers)) > 0 for part in (TRAIN, VALID, TEST)]
        shared = (np.sum(member, axis=0) > 1) & (numbers > 0)
        parts[shared[index]] = UNUSED
    return parts


def windows_of(parts: np.ndarray, part: int, patch: int, overlap: float = 0.5, least: float = 0.5) -> np.ndarray:
    """Windows (n, 2) of a part of the scene: at least the share ``least`` of their pixels in it, and none in another part."""
    mine, others = parts == part, (parts != part) & (parts != UNUSED)

    def fits(row: int, column: int) -> bool:
        window = np.s_[row : row + patch, column : column + patch]
        return mine[window].mean() >= least and not others[window].any()

    return np.array([corner for corner in corners(parts.shape, patch, overlap) if fits(*corner)]).reshape(-1, 2)
