"""When the reference is wrong: what its errors do to scores and areas.

Foody (2010), https://doi.org/10.1016/j.rse.2010.05.003: a reference with a few wrong labels makes a
good map look worse, and rare classes look much larger than they are.
"""

import numpy as np

from stma_nb.cube import parcel_numbers


def flip_labels(
    reference: np.ndarray,
    share: float,
    classes: int,
    seed: int = 0,
    parcel: np.ndarray | None = None,
) -> np.ndarray:
    """The reference with a ``share`` of its labels wrong, drawn at random.

    ``reference`` are codes of any shape, of which those from 0 to ``classes`` - 1 are drawn from,
    nodata is not; a wrong label is any other class, all alike. With ``parcel`` (the same shape; 0 =
    none) whole parcels are wrong, a ``share`` of their number, as where a farmer declares the wrong
    crop, and pixels of no parcel stay right. Score a map against it, or give it to
    ``stratified_estimate``, to see what such errors do.

    Raises ValueError for a share outside 0 .. 1, fewer than two classes or shapes that differ.
    """
    reference = np.asarray(reference)
    if not 0 <= share <= 1 or classes < 2:
        raise ValueError(
            f"The share is {share} and there are {classes} classes; expected a share from 0 to 1 "
            "and two classes or more."
        )
    if parcel is not None and np.shape(parcel) != reference.shape:
        raise ValueError(
            f"Reference and parcels have shapes {reference.shape} and {np.shape(parcel)}; "
            "expected one shape."
        )
    rng = np.random.default_rng(seed)
    known = (reference >= 0) & (reference < classes)
    # The unit of each known label, from 0: itself, or its parcel.
    if parcel is None:
        unit = np.arange(known.sum())
    else:
        known &= np.asarray(parcel) > 0
        unit = np.searchsorted(parcel_numbers(np.asarray(parcel)[known]), np.asarray(parcel)[known])
    units = int(unit.max(initial=-1)) + 1
    wrong = rng.permutation(units)[: round(share * units)]
    step = np.zeros(units, np.int64)  # from the right class to the wrong one, round the legend
    step[wrong] = rng.integers(1, classes, len(wrong))
    flipped = reference.copy()
    flipped[known] = (reference[known] + step[unit]) % classes
    return flipped
