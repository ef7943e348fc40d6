"""What leaks from training to test, and does the test resemble the scene?

Count the classes of each part, the pixels and fields shared, and the distance kept. The yardstick
of distance is the variogram: closer than its range, two pixels are alike because they are
neighbours.
"""

import math
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import ndimage

from stma_nb.cube import UNKNOWN, Crop, background
from stma_nb.patches.splits import PARTS, check_shapes, number_parcels

FEWEST, FARTHEST = 5, 0.1  # clusters of a test; difference of its background share from the scene's


def class_counts(
    parts: np.ndarray, crop: np.ndarray, crops: Sequence[Crop], parcel: np.ndarray | None = None
) -> pd.DataFrame:
    """Pixels of each class of the legend that occurs, by part; with ``parcel`` parcels as well.

    ``parcel`` holds parcel numbers (rows, columns; 0 = none). A parcel counts in every part that it
    reaches. Pixels of an unknown class are left out. Raises ValueError if the maps differ in shape
    or ``crop`` holds a code outside the legend ``crops``.
    """
    check_shapes(parts=parts, crop=crop, parcel=parcel)
    known = _known(crop, crops)
    # One number for each pair of class and part: its cell in the table.
    cells = len(crops) * len(PARTS)
    cell = np.asarray(crop)[known].astype(np.int64) * len(PARTS) + np.asarray(parts)[known]
    counted = {"pixels": cell}
    if parcel is not None:
        index, numbers = number_parcels(parcel)
        found = pd.unique(index[known] * cells + cell)  # each pair of parcel and cell once
        counted["parcels"] = found[numbers[found // cells] > 0] % cells
    counts = [np.bincount(c, minlength=cells).reshape(len(crops), -1) for c in counted.values()]
    columns = pd.MultiIndex.from_product([counted, PARTS])
    classes = pd.Index([c.name for c in crops], name="class")
    table = pd.DataFrame(np.hstack(counts), classes, columns)
    return table[table["pixels"].sum(axis=1) > 0]


def _known(crop: np.ndarray, crops: Sequence[Crop]) -> np.ndarray:
    """Where the class is known; raises ValueError for a code outside the legend."""
    known = np.asarray(crop) != UNKNOWN
    highest = int(np.max(np.asarray(crop)[known], initial=0))
    if highest >= len(crops):
        raise ValueError(
            f"The class map holds code {highest}, outside the legend (0 .. {len(crops) - 1}): "
            "recode it."
        )
    return known


def leak_report(
    train: np.ndarray,
    test: np.ndarray,
    parcel: np.ndarray | None = None,
    pixel: float = 10.0,
    reach: float = 500.0,
    crop: np.ndarray | None = None,
    crops: Sequence[Crop] = (),
) -> dict[str, Any]:
    """How close the test pixels are to the training pixels, what they share, and with ``crop``,
    whether the test resembles the scene.

    Both are masks (rows, columns), such as ``parts == TRAIN`` or ``covered(...)``. Shares are those
    of the test pixels: which train as well; which lie in a parcel that has training pixels; which
    lie within ``reach`` metres of a training pixel (centre to centre, with ``pixel`` metres a
    pixel). Give the range of the variogram for the reach: beyond it two pixels are as unlike as any
    two.

    With the class map ``crop`` (rows, columns) and its legend ``crops`` the test is set beside the
    whole scene: the share of background; the class whose share differs most, and by how much (test
    minus scene); the classes of the scene that no test pixel has; with ``parcel`` the median field
    size (pixels) that a pixel of a field meets; and the number of test clusters, groups of test
    pixels more than ``reach`` apart, which is how many witnesses a score has at the least. A
    UserWarning tells if a class is not tested, if the shares of background differ by more than 10
    points, or if there are fewer than five clusters. Raises ValueError if a mask is empty, shapes
    differ, or ``crop`` holds a code outside the legend.
    """
    check_shapes(train=train, test=test, parcel=parcel, crop=crop)
    train, test = np.asarray(train, bool), np.asarray(test, bool)
    if not (train.any() and test.any()):
        raise ValueError(
            f"There are {train.sum()} training and {test.sum()} test pixels; "
            "expected some of each: split anew."
        )
    report: dict[str, Any] = {
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
    if crop is not None:
        likeness, complaints = _likeness(test, np.asarray(crop), crops)
        if parcel is not None:
            size = np.bincount(index.ravel())
            for where, fields in (("test", tested), ("scene", size * real)):
                report[f"median field in {where} (pixels)"] = _median(size, fields)
        clusters = _clusters(test, reach / pixel)
        if clusters < FEWEST:
            complaints.append(
                f"The test pixels form {clusters} cluster(s) more than {reach:g} m apart; expected "
                f"{FEWEST} or more for a score with an interval: choose smaller blocks, or repeat "
                "over patches.block_folds."
            )
        report |= likeness | {"test clusters": clusters}
        for complaint in complaints:
            warnings.warn(complaint, stacklevel=2)
    return report


def _likeness(
    test: np.ndarray, crop: np.ndarray, crops: Sequence[Crop]
) -> tuple[dict[str, Any], list[str]]:
    """Class shares of the test beside those of the scene, and what is to be warned of."""
    known = _known(crop, crops)
    here, everywhere = (
        np.bincount(crop[where], minlength=len(crops)) for where in (test & known, known)
    )
    tested, scene = here / here.sum(), everywhere / everywhere.sum()
    farthest = np.abs(tested - scene).argmax()
    lacking = ", ".join(
        c.name for c, t, s in zip(crops, tested, scene, strict=True) if s > 0 and t == 0
    )
    report: dict[str, Any] = {}
    complaints = []
    code = background(crops)
    if code is not None:
        report = {
            "background in test": float(tested[code]),
            "background in scene": float(scene[code]),
        }
        if abs(tested[code] - scene[code]) > FARTHEST:
            complaints.append(
                f"{crops[code].name} is {tested[code]:.0%} of the test and {scene[code]:.0%} of "
                "the scene; overall accuracy is not that of the scene: split anew, or use "
                "accuracy.post_stratify."
            )
    if lacking:
        complaints.append(f"Not tested are {lacking}: deal the blocks by class (crop=), or say so.")
    report |= {
        "largest difference of class shares": float(tested[farthest] - scene[farthest]),
        "class that differs most": crops[farthest].name,
        "classes not tested": lacking,
    }
    return report, complaints


def _median(values: np.ndarray, weights: np.ndarray) -> float:
    """The weighted median; NaN if nothing has weight."""
    order = values.argsort()
    reached = weights[order].cumsum() >= weights.sum() / 2
    return float(values[order][reached.argmax()]) if weights.any() else float("nan")


def _clusters(mask: np.ndarray, apart: float) -> int:
    """How many groups of pixels of the mask lie more than ``apart`` pixels from one another."""
    near = ndimage.distance_transform_edt(~mask) <= apart / 2  # two circles meet half way
    return int(ndimage.label(near, np.ones((3, 3)))[1])


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
