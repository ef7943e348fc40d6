"""What the pixels of a parcel vote together.

Parcel numbers are whole numbers (rows, columns), 0 or less where there is no parcel.
"""

import numpy as np
import pandas as pd


def parcel_numbers(parcel: np.ndarray) -> np.ndarray:
    """The parcel numbers that occur, in order, without 0 (no parcel) and numbers below it."""
    # By hashing, not sorting: the pixels are many and the parcels few.
    numbers = pd.unique(np.asarray(parcel).ravel())
    return np.sort(numbers[numbers > 0])


def parcel_positions(parcel: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Where each pixel's parcel stands in ``numbers``; -1 if it is not listed.

    ``numbers`` are in order, without repetition; ValueError if they are not.
    """
    if len(numbers) == 0:
        return np.full(parcel.shape, -1)
    if (np.diff(numbers) <= 0).any():
        raise ValueError(
            "The parcel numbers are not in order or occur twice: give numpy.unique(numbers)."
        )
    # searchsorted tells where a number would stand; whether it does stand there is to be seen.
    position = np.searchsorted(numbers, parcel).clip(max=len(numbers) - 1)
    return np.where(numbers[position] == parcel, position, -1)


def parcel_votes(
    pixels: np.ndarray, parcel: np.ndarray, classes: int, numbers: np.ndarray | None = None
) -> np.ndarray:
    """The votes (P, K) of each parcel's pixels for the classes.

    For the parcels in ``numbers`` (default: those that occur). ``pixels`` are class codes (rows,
    columns), one vote each and none for a code outside 0 .. K-1 (nodata), or the shares (K, rows,
    columns) that a pixel gives to each class, summed where they are not NaN. Votes of windows with
    the same ``numbers`` add up. Raises ValueError for shapes that differ.
    """
    pixels = np.asarray(pixels)
    parcel = np.asarray(parcel)
    numbers = parcel_numbers(parcel) if numbers is None else np.asarray(numbers)
    if pixels.shape not in (parcel.shape, (classes, *parcel.shape)):
        raise ValueError(
            f"Map and parcels have shapes {pixels.shape} and {parcel.shape}; "
            f"expected one shape, or ({classes}, rows, columns) for probabilities."
        )
    unit = parcel_positions(parcel, numbers)
    if pixels.ndim == parcel.ndim:
        valid = (unit >= 0) & (pixels >= 0) & (pixels < classes)
        cell = unit[valid] * classes + pixels[valid]  # one number for each parcel and class
        return np.bincount(cell, minlength=len(numbers) * classes).reshape(-1, classes)
    valid = (unit >= 0) & np.isfinite(pixels[0])
    sums = [np.bincount(unit[valid], band[valid], minlength=len(numbers)) for band in pixels]
    return np.stack(sums, axis=1)


def elected(votes: np.ndarray) -> pd.array:
    """The class with most votes (P, K) for each parcel.

    A tie goes to the lower code, no votes to ``<NA>``.
    """
    winner = pd.array(votes.argmax(1), dtype="Int64")
    winner[votes.sum(1) == 0] = pd.NA
    return winner
