"""Right and wrong answers to the exercises of transfer: see test_81_course_exercises.py."""

import numpy as np
import xarray as xr

from stma_nb.course import exercises

LOST = {
    "test blocks at home": {"pixels right": 0.85, "crops only": 0.8},
    "another place": {"pixels right": 0.75, "crops only": 0.6},
    "both": {"pixels right": 0.5, "crops only": 0.4},
}


def scene(power: float) -> xr.Dataset:
    return xr.Dataset(
        {
            name: (("time", "y", "x"), np.full((2, 3, 3), power), {"units": "1"})
            for name in ("vv", "vh")
        }
    )


NUMBERS = [  # check, its arguments, right answer, {wrong answer: words of the hint}
    (
        exercises.transfer_1,
        (LOST,),
        20,
        {0.2: "times 100", -20: "positive", 40: "another year", 10: "background"},
    ),
    (exercises.transfer_2, (scene(4.0), scene(1.0)), 6.0206, {-6.0206: "Away minus home"}),
    (
        exercises.transfer_3,
        (),
        1.5849,
        {2: "not factors", 0.631: "not lowered", 1.2589: "not / 20"},
    ),
]
