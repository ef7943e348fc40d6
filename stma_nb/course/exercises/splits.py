"""The checks of notebook 03, Patches and honest splits."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from stma_nb import patches
from stma_nb.course.exercises.checks import Verdict, build, check, exercise, predict


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
        1000 * 1300 - 896 * 1280: "That is all that whole windows leave over. Strips along the "
        "border fill a part of it: which part not?",
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

    def report(**more: Any) -> dict[str, Any]:
        rule: dict[str, Any] = dict(block=80, buffer=8, seed=seed) | more
        parts = patches.block_split(crop.shape, **rule)
        return patches.leak_report(parts == patches.TRAIN, parts == patches.TEST, parcel)

    right, name = report(), "share in such parcels"
    hints = {
        report(parcel=parcel)[name]: "That is with parcel=, or the share that was trained on: "
        "leave parcel= out, and read 'share in such parcels'.",
        right["parcels in both"]: "That counts parcels; which share of the test pixels is it?",
        right["median distance (m)"]: "That is a distance in metres.",
        report(buffer=0)[name]: "That is without a buffer: buffer=8.",
    }
    return check(answer, right[name], 2e-3, hints)


@exercise
def splits_5(block_split: object) -> Verdict:
    """A split of a scene (shape, block, seed) by whole blocks: a map of parts."""
    return build(block_split, _is_a_map_of_parts, _deals_whole_blocks, _follows_its_seed)


def _is_a_map_of_parts(block_split: Callable) -> str | None:
    for shape in ((80, 100), (50, 70)):
        parts = np.asarray(block_split(shape, 20, 0))
        if parts.shape != shape:
            return (
                f"For a scene of the shape {shape} and blocks of 20 pixels the map has the shape "
                f"{parts.shape}: one code for every pixel, and the last blocks may be cut."
            )
        wrong = set(np.unique(parts).tolist()) - {patches.TRAIN, patches.VALID, patches.TEST}
        if wrong:
            return (
                f"The map holds {min(wrong)}; expected patches.TRAIN, patches.VALID and "
                "patches.TEST, which are 1, 2 and 3."
            )
    return None


def _deals_whole_blocks(block_split: Callable) -> str | None:
    expected = {patches.TRAIN: 12, patches.VALID: 3, patches.TEST: 5}
    for seed in range(3):
        parts = np.asarray(block_split((80, 100), 20, seed))
        blocks = parts.reshape(4, 20, 5, 20).swapaxes(1, 2).reshape(20, 400)
        if (blocks != blocks[:, :1]).any():
            return "A block holds pixels of several parts: draw for blocks, not for pixels."
        found = np.bincount(blocks[:, 0], minlength=4)
        for part, count in expected.items():
            if found[part] != count:
                return (
                    f"With seed {seed}, {found[part]} of 20 blocks are for {patches.PARTS[part]}; "
                    f"expected {count} (0.6, 0.15 and 0.25): deal out exact numbers, as cards, and "
                    "throw no dice for each block."
                )
    return None


def _follows_its_seed(block_split: Callable) -> str | None:
    first, again, *others = (np.asarray(block_split((80, 100), 20, n)) for n in (1, 1, 2, 3))
    if (first != again).any():
        return "Called twice with seed 1 it gives two maps: np.random.default_rng(seed)."
    if all((first == other).all() for other in others):
        return "The seeds 1, 2 and 3 give one map: let the lot depend on the seed."
    return None


@exercise
def splits_6(
    predicted: object,
    found: object,
    because: object,
    crop: np.ndarray,
    parcel: np.ndarray,
    seed: int,
    reach: float,
) -> Verdict:
    """Share of test pixels within the variogram's range of training, with a buffer of 8 pixels."""

    def report(buffer: int) -> dict[str, Any]:
        rule: dict[str, Any] = dict(block=80, seed=seed, parcel=parcel, crop=crop)
        parts = patches.block_split(crop.shape, buffer=buffer, **rule)
        masks = parts == patches.TRAIN, parts == patches.TEST
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what the notebook has shown
            return patches.leak_report(*masks, parcel, reach=reach)

    name, right = "share within reach", report(8)
    hints = {
        report(0)[name]: "That is without a buffer: set buffer = 8 and run the cell again.",
        right["median distance (m)"]: "That is a distance; read the share.",
        0: "That is the share trained on; read 'share within reach'.",
        8: "That is the buffer; what share comes out?",
    }
    return predict(predicted, found, because, right[name], 3e-3, hints)
