"""The checks of notebook 05, Attention over pixels."""

import numpy as np

from stma_nb.course.exercises.checks import Verdict, check, exercise


@exercise
def spatial_1(answer: object) -> Verdict:
    """Pairs of pixels at level 1 of a patch of 96 pixels."""
    hints = {
        (96 // 4) ** 2: "That is the number of pixels of level 1; each looks at each.",
        96**4: "Level 1 has a quarter of the resolution: 24 x 24 pixels.",
    }
    return check(answer, (96 // 4) ** 4, 0, hints)


@exercise
def spatial_2(answer: object, image: np.ndarray, inside: np.ndarray) -> Verdict:
    """Mean ENL of images (dates, rows, columns) within a mask."""
    expected = np.mean([date[inside].mean() ** 2 / date[inside].var() for date in image])
    of_all = image[:, inside].mean() ** 2 / image[:, inside].var()
    return check(answer, expected, 0.06, {of_all: "Take the ENL of each date, then their mean."})


@exercise
def spatial_3(answer: object) -> Verdict:
    """Parameters of LSAPE at level 1 of the published network."""
    full = 82 * 82 * 9 + 82
    hints = {
        82 * 9: "Add the bias of each of the 82 maps.",
        full: "The convolution is depth-wise: each map has its own 3 x 3 kernel, and no other.",
    }
    return check(answer, 82 * 10, 0, hints)
