"""The checks of notebook 03, Patches and honest splits."""

from typing import Any

import numpy as np

from stma_nb import patches
from stma_nb.course.exercises.checks import Verdict, check, exercise


@exercise
def splits_1(answer: object) -> Verdict:
    """Share of pixels inside a training window, with half overlap and 60 % of the windows."""
    hints = {
        0.6: "That is the share of windows; how many windows does a pixel lie in?",
        0.4**4: "That is the share that no training window covers.",
        1 - 0.4**2: "A pixel lies in two windows along each direction: four in all.",
        0.6**4: "That is the share whose four windows all train; one is enough.",
    }
    return check(answer, 1 - 0.4**4, 2e-3, hints)


@exercise
def splits_2(answer: object) -> Verdict:
    """Pixels that the released stitching leaves empty in a scene of 1000 x 1300 pixels."""
    hints = {
        84 / 1000: "That is the share (the mean); how many pixels are it (the sum)?",
        0: "Here the rows leave more than the columns: 104 against 20. Which strip stays empty?",
        104 * 1300: "Of the 104 rows that are left, 20 are filled.",
    }
    return check(answer, 84 * 1300, 0, hints)


@exercise
def splits_3(answer: object) -> Verdict:
    """Independent pixels in 200 fields of 570 correlated ones."""
    each = 570 / (1 + 569 * 0.8)  # n pixels that correlate by r count as n / (1 + (n - 1) r)
    hints = {
        200 * 570: "That counts all pixels as if they were independent.",
        200: "Nearly: each field counts as a little more than one.",
        each: "That is one field; there are 200.",
    }
    return check(answer, 200 * 570 / (1 + 569 * 0.8), 1, hints)


@exercise
def splits_4(answer: object, crop: np.ndarray, parcel: np.ndarray, seed: int) -> Verdict:
    """Share of test pixels in parcels that also train, for blocks blind to the parcels."""

    def share(**more: Any) -> float:
        parts = patches.block_split(crop.shape, block=80, buffer=8, seed=seed, **more)
        report = patches.leak_report(parts == patches.TRAIN, parts == patches.TEST, parcel)
        return report["share in such parcels"]

    return check(
        answer, share(), 2e-3, {share(parcel=parcel): "That is with parcel=: leave it out."}
    )
