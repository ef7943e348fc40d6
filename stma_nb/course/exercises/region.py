"""The checks of notebook 10, Map a region."""

from collections.abc import Callable

import numpy as np

from stma_nb.course.exercises.checks import (
    NUMBER,
    WHOLE,
    Asked,
    Verdict,
    build,
    check,
    exercise,
    predict,
)

WINDOWS = Asked("a number of windows (at least 1)", "12", 1, 1e6)
GIGABYTES = NUMBER._replace(words="a number of GB", low=0)


@exercise
def region_1(answer: object) -> Verdict:
    """Windows over a pixel with an overlap of 0.6."""
    hints = {
        2.5: "Along one direction; there are two.",
        1 / 0.6**2: "A window moves by the share that does *not* overlap, 1 - q.",
        4: "That is for half overlap.",
        1.6667: "One over q, and along one direction; a window moves by 1 - q.",
        0.16: "That is how far a window moves, squared: the share of new pixels. Turn it over.",
        1.6**2: "Windows overlap more, not less: how far does a window move?",
        1 / 0.6: "One over q, and along one direction; a window moves by 1 - q.",
        4.8: "That is q over a half, times four: how far does a window move?",
        5.0: "That is two times one direction: directions are multiplied.",
        0.36: "That is the share that overlaps, squared: how far does a window move?",
        0.4: "That is how far a window moves, as a share: how many lie over a pixel?",
        2.5**3: "There are two directions, not three.",
        9.0: "That is three windows each way: on average they are fewer.",
        6.0: "Near, but the mean need not be a whole number.",
        3.0: "That is one direction, rounded up; there are two.",
    }
    return check(answer, 6.25, 1e-3, hints, WINDOWS)


@exercise
def region_2(answer: object) -> Verdict:
    """GB of the paper's season: 3731 x 5095 x 41 dates x 2 polarisations x 4 bytes."""
    whole = 3731 * 5095 * 41 * 2 * 4 / 1e9
    hints = {
        whole / 2: "Two polarisations.",
        whole / 4: "Each number takes four bytes.",
        whole * 1e9: "In GB.",
        whole * 1e3: "That is in MB: a GB is 1e9 bytes.",
        whole * 8: "That is in gigabits.",
        whole / 8: "Two polarisations, and each number takes four bytes.",
        whole * 1e9 / 2**30: "That is in GiB: a GB is 1e9 bytes.",
        whole / 41: "That is one date; there are 41.",
        whole * 2: "Each number takes four bytes, not eight.",
        whole * 1e6: "That is in kB: a GB is 1e9 bytes.",
        whole / 1000: "That is in TB: a GB is 1e9 bytes.",
        3731 * 5095 * 41 * 2: "That is how many numbers there are; each takes four bytes.",
        3731 * 5095 * 41: "That is how many numbers of one polarisation there are.",
        3731 * 5095: "That is the number of pixels.",
        whole / 41 / 2: "That is one date of one polarisation.",
        (3731 + 5095) * 41 * 2 * 4 / 1e9: "Rows and columns are multiplied.",
    }
    return check(answer, whole, 0.05, hints, GIGABYTES)


@exercise
def region_3(answer: object) -> Verdict:
    """Side of what must be read for a tile of 256 pixels, windows of 32 on a lattice of 16."""
    hints = {
        256: "Windows that touch the tile reach beyond it.",
        256 + 2 * 32: "A window that begins 32 pixels before the tile does not touch it.",
        256 + 2 * 15: "Windows begin on a lattice of 16, so the first begins 16 before the tile.",
        256 + 2 * 31: "A window that touches with its last pixel would do, but windows begin on a "
        "lattice of 16.",
        256 - 2 * 16: "Windows that touch the tile reach beyond it, not less far.",
        32: "That is the width of a window, or of what is read beside the tile; add the tile.",
        16: "16 pixels are read on each side, and 16 steps make the tile: how wide is it all "
        "together?",
        256**2: "That is the number of pixels of the tile; give one side of what is read.",
        288**2: "That is the number of pixels; give one side.",
        256 + 8: "Half a window is 16 pixels, on both sides.",
        256 + 2 * 8: "Half a window is 16 pixels, on both sides.",
        17: "That is the number of windows; how wide is what they cover?",
        512: "Windows that touch the tile reach only half a window beyond it.",
    }
    return check(answer, 256 + 2 * 16, 0, hints, WHOLE)


@exercise
def region_4(blend: object) -> Verdict:
    """A function that joins pieces of windows to a map, with weights that fade out."""
    return build(
        blend,
        _keeps_one_window,
        _keeps_what_is_even,
        _fades,
        _leaves_its_input,
        given="pieces corners shape",
        takes="any number of pieces (n x K x P x P), their corners (n x 2) and a shape",
        gives="a map (K x rows x columns)",
        errors={
            r"could not be broadcast|operands could not|must match": "Shapes do not fit, with {at} "
            "({error}): a piece goes to [:, row : row + P, column : column + P] of the map.",
        },
    )


Blend = Callable[[np.ndarray, np.ndarray, tuple[int, int]], np.ndarray]


def _keeps_one_window(blend: Blend) -> str | None:
    piece = np.random.default_rng(0).uniform(size=(1, 3, 8, 8))
    found = np.asarray(blend(piece.copy(), np.array([[0, 0]]), (8, 8)))
    if found.shape != (3, 8, 8):
        return f"The map has the shape {found.shape}; expected (K, rows, columns) = (3, 8, 8)."
    if not np.isfinite(found).all():
        return (
            "The map has holes: where one window alone covers the border of the map its weight "
            "must not be zero."
        )
    if not np.allclose(found, piece[0], atol=1e-3):
        return (
            "A map of one window must be that window: divide what you have summed by the sum of "
            "the weights at each pixel."
        )
    return None


def _keeps_what_is_even(blend: Blend) -> str | None:
    """Also where windows lie over each other twice, and where there are more columns than rows."""
    corners = np.array([(row, column) for row in (0, 4) for column in (0, 4, 8, 12)])
    found = np.asarray(blend(np.full((8, 2, 8, 8), 0.3), corners, (12, 20)))
    if found.shape != (2, 12, 20):
        return f"The map has the shape {found.shape}; expected (K, rows, columns) = (2, 12, 20)."
    if not np.allclose(found, 0.3, atol=1e-3):
        return (
            "All pieces say 0.3, and your map goes from "
            f"{found.min():.2f} to {found.max():.2f}: divide by the sum of all weights at a pixel."
        )
    return None


def _fades(blend: Blend) -> str | None:
    """Two windows that disagree: from one to the other without a jump, down and across."""
    pieces = np.stack([np.zeros((1, 16, 16), int), np.ones((1, 16, 16), int)])
    for way, corners, shape in (
        ("down", [[0, 0], [8, 0]], (24, 16)),
        ("across", [[0, 0], [0, 8]], (16, 24)),
    ):
        found = np.asarray(blend(pieces.copy(), np.array(corners), shape))[0]
        along = found[:, 8] if way == "down" else found[8]
        if not (along[8:16] > 0).any() or not (along[8:16] < 1).any():
            return (
                "Where two windows lie over each other one of them wins, or the mean is cut to "
                "whole numbers: sum in floats, and weigh both."
            )
        if (np.diff(along) < -1e-6).any():
            return (
                "Near its border a window should count little: the weight must be largest in the "
                "middle of a window."
            )
        jump = np.abs(np.diff(along)).max()
        if jump > 0.35:
            return (
                f"Two windows disagree, and your map jumps by {jump:.2f} from one pixel to the "
                f"next, going {way}: let the weights fade towards the border in both directions."
            )
    return None


def _leaves_its_input(blend: Blend) -> str | None:
    pieces = np.random.default_rng(0).uniform(size=(2, 3, 8, 8))
    before, corners = pieces.copy(), np.array([[0, 0], [0, 4]])
    blend(pieces, corners, (8, 12))
    if not np.array_equal(corners, [[0, 0], [0, 4]]):
        return "The corners were changed: work on new arrays."
    if not np.array_equal(pieces, before):
        return "The pieces were changed: weight * piece is a new array, piece *= weight is not."
    return None


@exercise
def region_5(predicted: object, found: object, because: object) -> Verdict:
    """Windows over an inner pixel with an overlap of three quarters."""
    hints = {
        4: "That is for half overlap, or along one direction only.",
        1: "That is the corner of the map; read the inner pixel.",
        8: "There are two directions: four windows in each.",
        6.25: "That is for an overlap of 0.6.",
        1.7778: "A window moves by the share that does not overlap: set share to 0.75.",
        2: "That is one direction with half overlap: set share to 0.75.",
        9: "That is for an overlap of two thirds: set share to 0.75.",
        64: "There are two directions, not three.",
        25: "That is for an overlap of 0.8: set share to 0.75.",
        0.75: "That is the overlap; put the number of windows into found.",
    }
    return predict(predicted, found, because, 16, 1e-3, hints, WINDOWS)
