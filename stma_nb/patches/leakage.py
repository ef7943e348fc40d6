"""What leaks from training to test?

Count the classes of each part, the pixels and fields shared, and the distance kept. The yardstick
of distance is the variogram: closer than its range, two pixels are alike because they are
neighbours.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import ndimage

from stma_nb.cube import Crop
from stma_nb.patches.splits import PARTS, check_shapes, number_parcels


def class_counts(
    parts: np.ndarray, crop: np.ndarray, crops: Sequence[Crop], parcel: np.ndarray | None = None
) -> pd.DataFrame:
    """Pixels of each class of the legend that occurs, by part; with ``parcel`` parcels as well.

    ``parcel`` holds parcel numbers (rows, columns; 0 = none). A parcel counts in every part that it
    reaches. Raises ValueError if the maps differ in shape or ``crop`` holds a code outside the
    legend ``crops``.
    """
    check_shapes(parts=parts, crop=crop, parcel=parcel)
    highest = int(np.max(crop))
    if highest >= len(crops):
        raise ValueError(
            f"The class map holds code {highest}, outside the legend (0 .. {len(crops) - 1}): "
            "recode it."
        )
    # One number for each pair of class and part: its cell in the table.
    cells = len(crops) * len(PARTS)
    cell = np.ravel(crop).astype(np.int64) * len(PARTS) + np.ravel(parts)
    counted = {"pixels": cell}
    if parcel is not None:
        index, numbers = number_parcels(parcel)
        found = pd.unique(index.ravel() * cells + cell)  # each pair of parcel and cell once
        counted["parcels"] = found[numbers[found // cells] > 0] % cells
    counts = [np.bincount(c, minlength=cells).reshape(len(crops), -1) for c in counted.values()]
    columns = pd.MultiIndex.from_product([counted, PARTS])
    classes = pd.Index([c.name for c in crops], name="class")
    table = pd.DataFrame(np.hstack(counts), classes, columns)
    return table[table["pixels"].sum(axis=1) > 0]


def leak_report(
    train: np.ndarray,
    test: np.ndarray,
    parcel: np.ndarray | None = None,
    pixel: float = 10.0,
    reach: float = 500.0,
) -> dict[str, float]:
    """How close the test pixels are to the training pixels, and what they share.

    Both are masks (rows, columns), such as ``parts == TRAIN`` or ``covered(...)``. Shares are those
    of the test pixels: which train as well; which lie in a parcel that has training pixels; which
    lie within ``reach`` metres of a training pixel (centre to centre, with ``pixel`` metres a
    pixel). Give the range of the variogram for the reach: beyond it two pixels are as unlike as any
    two. Raises ValueError if a mask is empty or shapes differ.
    """
    check_shapes(train=train, test=test, parcel=parcel)
    train, test = np.asarray(train, bool), np.asarray(test, bool)
    if not (train.any() and test.any()):
        raise ValueError(
            f"There are {train.sum()} training and {test.sum()} test pixels; "
            "expected some of each: split anew."
        )
    report = {
        "training pixels": int(train.sum()),
        "test pixels": int(test.sum()),
        "share trained on": float(train[test].mean()),
    }
    if parcel is not None:
        index, numbers = number_parcels(parcel)
        real = numbers > 0
        learnt = np.bincount(index[train], minlength=len(numbers)) * real  # pixels of each parcel
        tested = np.bincount(index[test], minlength=len(numbers)) * real
        report["parcels in both"] = int(((learnt > 0) & (tested > 0)).sum())
        report["share in such parcels"] = float(tested[learnt > 0].sum() / test.sum())
    # From each pixel that does not train to the nearest that does.
    distance = pixel * ndimage.distance_transform_edt(~train)[test]
    report["median distance (m)"] = float(np.median(distance))
    report["share within reach"] = float((distance <= reach).mean())
    return report


class Variogram(NamedTuple):
    """Semivariance by distance (metres): ``east`` along rows, ``north`` along columns.

    It is in squared units of the values. ``sill`` is the variance of the values; ``range`` the
    shortest distance (m) at which the mean of both directions reaches 95 % of it, or infinity if
    none does.
    """

    distance: np.ndarray
    east: np.ndarray
    north: np.ndarray
    sill: float
    range: float


def variogram(
    values: np.ndarray, pixel: float = 10.0, longest: float | None = None, lags: int = 30
) -> Variogram:
    """Empirical variogram of an image (rows, columns), say VH in dB averaged over dates.

    Or of a class, ``crop == code``; NaN is left out. Half the mean squared difference of pixels
    some distance apart, up to ``longest`` metres (half the shorter side by default), at ``lags``
    distances spaced evenly in their logarithm. At most 1000 rows and columns, spread over the
    scene, are used, and one distance at a time. Speckle adds its variance at all distances but 0,
    and so hides the range of single dates: average first. Raises ValueError if the scene is too
    small for ``longest`` or all values are alike.
    """
    values = np.asarray(values, np.float32)
    most = min(values.shape) // 2 if longest is None else round(longest / pixel)
    if not 1 <= most < min(values.shape):
        raise ValueError(
            f"The longest distance is {most} pixels; expected 1 to {min(values.shape) - 1}: "
            "change 'longest'."
        )
    sill = float(np.nanvar(values, dtype=np.float64))
    if not sill > 0:
        raise ValueError(
            "All values are alike or missing, and have no variogram: "
            "give a band or class that varies."
        )
    steps = np.unique(np.geomspace(1, most, lags).round().astype(int))
    east = _semivariance(values, steps)
    north = _semivariance(values.T, steps)
    # A variogram comes near its sill slowly: 95 % of it counts as reached.
    reached = (east + north) / 2 >= 0.95 * sill
    reach = float(steps[reached.argmax()] * pixel) if reached.any() else np.inf
    return Variogram(steps * pixel, east, north, sill, reach)


def _semivariance(image: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Half the mean squared difference of pixels of a row that are each of ``steps`` apart."""
    lines = image[:: math.ceil(len(image) / 1000)]
    half = []
    for step in steps:
        squares = (lines[:, step:] - lines[:, :-step]) ** 2
        half.append(np.nanmean(squares, dtype=np.float64) / 2)
    return np.array(half)
