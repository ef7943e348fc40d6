"""The checks of notebook 03, Patches and honest splits."""

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from stma_nb import patches
from stma_nb.course.exercises.checks import (
    SHARE,
    WHOLE,
    Asked,
    Verdict,
    build,
    check,
    exercise,
    predict,
)

COUNT = Asked("a number of pixels", "12.5", 0)


@exercise
def splits_1(answer: object) -> Verdict:
    """Share of pixels inside a training window, with half overlap and 60 % of the windows."""
    hints = {
        0.6: "That is the share of windows; how many windows does a pixel lie in?",
        0.4**4: "That is the share that no training window covers.",
        1 - 0.4**2: "A pixel lies in two windows along each direction: four in all.",
        0.6**4: "That is the share whose four windows all train; one is enough.",
        0.4: "That is the share of windows that do not train; a pixel lies in four windows.",
        0.4**2: "That no window trains is a case of four windows, not of two; and it is the rest.",
        0.6**2: "A pixel lies in four windows, and one of them is enough.",
        1 - 0.6**4: "That is the share with at least one window that does not train.",
        1 - 0.6**2: "A pixel lies in four windows; and asked is that at least one trains.",
        1 - 0.4**3: "A pixel lies in two windows along each direction: four in all.",
        1.0: "Nearly: some pixels have no training window by chance.",
        2.4: "That is the mean number of training windows over a pixel; a share is asked for.",
        4 * 0.6 * 0.4**3: "That is the share with exactly one training window; more count as well.",
        1 - 0.4**8: "A pixel lies in two windows along each direction: four in all.",
        1 - 0.4**9: "A pixel lies in two windows along each direction: four in all.",
    }
    return check(answer, 1 - 0.4**4, 2e-3, hints, SHARE)


@exercise
def splits_2(answer: object) -> Verdict:
    """Pixels that the released stitching leaves empty in a scene of 1000 x 1300 pixels."""
    hints = {
        84 / 1000: "That is the share (the mean); how many pixels are it (the sum)?",
        0: "Here the rows leave more than the columns: 104 against 20. Which strip stays empty?",
        104 * 1300: "Of the 104 rows that are left, 20 are filled.",
        1000 * 1300 - 896 * 1280: "That is all that whole windows leave over. Strips along the "
        "border fill a part of it: which part not?",
        20 * 1000: "That is the strip of columns, which the released stitching fills.",
        104 * 20: "That is the corner alone.",
        1000 * 1300 - 84 * 1300: "That is the number of pixels that are filled.",
        1000 * 1300: "Those are all pixels; how many stay empty?",
        84: "That is the number of rows; how many pixels have they?",
        84 * 1280: "The strip goes across the whole width of the scene.",
        84 * 1000: "Rows are counted down, columns across: the strip is as long as the scene is "
        "wide.",
        7 * 10: "That is the number of whole windows; how many pixels stay empty?",
    }
    return check(answer, 84 * 1300, 0, hints, WHOLE)


@exercise
def splits_3(answer: object) -> Verdict:
    """Independent pixels in 200 fields of 570 correlated ones."""
    each = 570 / (1 + 569 * 0.8)  # n pixels that correlate by r count as n / (1 + (n - 1) r)
    hints = {
        200 * 570: "That counts all pixels as if they were independent.",
        200: "Nearly: each field counts as a little more than one.",
        each: "Apply the formula to the 570 pixels of one field, then take 200 fields.",
        200 * 570 / 0.8: "Below the line stands 1 + (m - 1) 0.8.",
        200 * 570 * 0.8: "Do not multiply by the correlation: use the formula for each field.",
        200 * 570 * 0.2: "Do not multiply by what is left of the correlation: use the formula.",
        570 * 200 / (1 + 199 * 0.8): "m is the number of pixels of a field, not of fields.",
        570: "That is the number of pixels of a field; how many independent ones have all fields?",
        200 * (1 + 569 * 0.8): "Divide the pixels of a field by 1 + (m - 1) 0.8.",
        1 + 569 * 0.8: "By that the pixels of a field are divided.",
    }
    return check(answer, 200 * 570 / (1 + 569 * 0.8), 1, hints, COUNT)


@exercise
def splits_4(answer: object, crop: np.ndarray, parcel: np.ndarray, seed: int) -> Verdict:
    """Share of test pixels in parcels that also train, for blocks blind to the parcels."""

    def report(**more: Any) -> dict[str, Any]:
        rule: dict[str, Any] = dict(block=80, buffer=8, seed=seed) | more
        parts = patches.block_split(crop.shape, **rule)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of splits that nobody asked for
            return patches.leak_report(parts == patches.TRAIN, parts == patches.TEST, parcel)

    def share(**more: Any) -> float:
        """Of a split that nobody asked for, and that a small scene may not have."""
        try:
            return report(**more)[name]
        except ValueError:
            return math.nan

    right, name = report(), "share in such parcels"
    hints = [
        (
            share(parcel=parcel),
            "That is with parcel=, or the share that was trained on: "
            "leave parcel= out, and read 'share in such parcels'.",
        ),
        (right["parcels in both"], "That counts parcels; which share of the test pixels is it?"),
        (right["median distance (m)"], "That is a distance in metres."),
        (share(buffer=0), "That is without a buffer: buffer=8."),
        (1 - right[name], "That is the share that lies in no such parcel."),
        (share(block=40), "That is for blocks of 40 pixels: block=80."),
        (share(block=160), "That is for blocks of 160 pixels: block=80."),
        (share(buffer=16), "That is with a buffer of 16 pixels: buffer=8."),
        (share(seed=seed + 1), "That is another draw: seed=seed."),
    ]
    return check(answer, right[name], 2e-3, hints, SHARE)


@exercise
def splits_5(block_split: object) -> Verdict:
    """A split of a scene (shape, block, seed) by whole blocks: a map of parts."""
    return build(
        block_split,
        _is_a_map_of_parts,
        _deals_whole_blocks,
        _takes_other_blocks,
        _follows_its_seed,
        given="shape block seed",
        takes="any shape (rows, columns), any side of a block, and any seed",
        gives="a map of parts",
    )


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


def _takes_other_blocks(block_split: Callable) -> str | None:
    """24 blocks of 15 pixels: 14, 4 and 6 of them."""
    parts = np.asarray(block_split((60, 90), 15, 4))
    if parts.shape != (60, 90):
        return f"For a scene of the shape (60, 90) the map has the shape {parts.shape}."
    blocks = parts.reshape(4, 15, 6, 15).swapaxes(1, 2).reshape(24, 225)
    if (blocks != blocks[:, :1]).any():
        return "With blocks of 15 pixels a block holds pixels of several parts: use block."
    found = np.bincount(blocks[:, 0], minlength=4)[1:].tolist()
    if found != [14, 4, 6]:
        return (
            f"Of 24 blocks {found[0]}, {found[1]} and {found[2]} are for training, validation and "
            "test; expected 14, 4 and 6: take shares of the number of blocks, rounded."
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

    def share(buffer: int) -> float:
        try:
            return report(buffer)[name]
        except ValueError:  # no split with so wide a buffer
            return math.nan

    name, right = "share within reach", report(8)
    hints = [
        (0, "That is the share trained on; read 'share within reach'."),
        (1 - right[name], "That is the share out of reach; give the share within reach."),
        (
            report(0)[name] - right[name],
            "That is by how much it falls; give the share that is left.",
        ),
        (share(16), "That is with a buffer of 16 pixels: set buffer = 8."),
        (
            right["share in such parcels"],
            "That is the share in parcels that also train; read 'share within reach'.",
        ),
        (report(0)[name], "That is without a buffer: set buffer = 8 and run the cell again."),
        (right["median distance (m)"], "That is a distance; read the share."),
        (8, "That is the buffer; what share comes out?"),
    ]
    return predict(predicted, found, because, right[name], 3e-3, hints, SHARE)
