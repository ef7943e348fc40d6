"""Exercises know right from wrong, and name the usual mistakes."""

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr

from stma_nb.course import exercises
from stma_nb.model import STMA

MATRIX = np.array([[50, 3, 2], [4, 30, 1], [6, 5, 20]])
POWER = np.random.default_rng(0).gamma(4.4, 1 / 4.4, 500)
TABLE = np.array([[-10.0, -12, -11, -13], [-15, -13, -12, -20], [-10, -10, -16, -12]])
NAMES = ["Maize", "Wheat", "Rapeseed"]
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


PARCEL = (
    np.add.outer(np.arange(200) // 30 * 20, np.arange(240) // 30) + 1
)  # fields of 30 x 30 pixels

MEANS = pd.DataFrame(
    {"first to second": [0.57, 0.63], "second to first": [0.73, 0.82]},
    ["forest, unfiltered", "forest, Quegan-Yu"],
)

CASES = [  # check, its arguments, right answer, {wrong answer: word of the hint}
    (
        exercises.quickstart_1,
        (),
        -16.99,
        {16.99: "negative logarithm", -39.12: "base 10", -1.7: "ten times"},
    ),
    (exercises.quickstart_2, (MATRIX, 1), 30 / 35, {30 / 38: "producer's", 85.7: "per cent"}),
    (
        exercises.quickstart_3,
        (MATRIX,),
        60 / 121,
        {55 / 121: "network's map", 50 / 121: "the lazy map finds all"},
    ),
    (
        exercises.time_series_1,
        (),
        -12.596,
        {-15: "mean of the decibels", 0.055: "express it in dB"},
    ),
    (
        exercises.time_series_2,
        (POWER,),
        POWER.mean() ** 2 / POWER.var(),
        {POWER.mean() / POWER.std(): "square"},
    ),
    (
        exercises.time_series_3,
        (TABLE, NAMES),
        3,
        {1: "not right", 2: "furthest below", 4: "Count from 0"},
    ),
    (exercises.preprocessing_1, (), 1.764, {3: "distance", -20.24: "what is measured"}),
    (exercises.preprocessing_2, (), 16, {7: "mean over dates", 15: "one more"}),
    (
        exercises.preprocessing_3,
        (),
        -10.495,
        {-13.505: "multiplied", -16.97: "divided the decibels"},
    ),
    (
        exercises.preprocessing_4,
        (),
        3.714,
        {-3.13: "falls away", 2.35: "express it in dB", -3.714: "brighter"},
    ),
    (
        exercises.temporal_1,
        (),
        0.8808,
        {1: "positive weight", 7.389: "the sum of both", 0.1192: "second date"},
    ),
    (
        exercises.temporal_2,
        (),
        4 * 512**2 + 4 * 512,
        {512**2: "there are four", 4 * 512**2: "biases", 4 * 256**2 + 1024: "channels"},
    ),
    (exercises.temporal_3, (), 0.6784, {0.9404: "divide by", 1.3568: "in bits"}),
    (
        exercises.spatial_1,
        (),
        331776,
        {576: "each looks at each", 96**4: "quarter of the resolution"},
    ),
    (
        exercises.spatial_2,
        (np.stack([POWER.reshape(20, 25)] * 2), np.ones((20, 25), bool)),
        POWER.mean() ** 2 / POWER.var(),
        {99: "not right"},
    ),
    (exercises.spatial_3, (), 820, {738: "bias", 82 * 82 * 9 + 82: "depth-wise"}),
    (
        exercises.splits_1,
        (),
        0.9744,
        {
            0.6: "share of windows",
            0.0256: "no training window",
            0.84: "four in all",
            0.1296: "one is",
        },
    ),
    (exercises.splits_2, (), 109200, {0.084: "sum", 0: "104 against 20", 135200: "20 are filled"}),
    (exercises.splits_3, (), 249.9, {114000: "as if", 200: "Nearly", 1.25: "one field"}),
    (exercises.splits_4, (np.zeros(PARCEL.shape), PARCEL, 0), 0.0625, {0: "leave it out"}),
    (exercises.network_1, (), 192, {96: "level 2", 48: "level 1", 8: "per date"}),
    (
        exercises.network_2,
        (),
        152,
        {328: "number of channels", 144: "one step larger", 19: "eight times larger"},
    ),
    (
        exercises.accuracy_1,
        (),
        10800,
        {10000: "map counts", 9000: "shows none", 11000: "not 100 000"},
    ),
    (exercises.accuracy_2, (), 1100, {33: "Square", 1140: "square the sum", 1204: "simple random"}),
    (exercises.accuracy_3, (), 0.2, {0.1: "quantity", 0.3: "all disagreement"}),
    (
        exercises.accuracy_4,
        (MATRIX, np.array([900, 50, 50])),
        0.42852,
        {30 / 38: "in the sample", 30 / 35: "user's"},
    ),
    (
        exercises.accuracy_5,
        (),
        0.01775,
        {0.0095: "what is left", 0.059: "Not all", 0.01825: "crop itself", 0.01657: "not of seven"},
    ),
    (
        exercises.explorer_1,
        (np.array([[0.1, 0.6, 0.3], [0.3, 0.4, 0.3]]),),
        1,
        {0: "smallest", 2: "from 0"},
    ),
    (
        exercises.explorer_2,
        (np.array([[0.1, 0.6, 0.3], [0.3, 0.4, 0.3]]),),
        1.5,
        {0.5: "equal share", 1.8: "Average"},
    ),
    (
        exercises.explorer_3,
        (np.array([[2.0, 1, 0]]), np.array([[0.1, 0.6, 0.3]])),
        0,
        {1: "receives the most"},
    ),
    (
        exercises.training_1,
        (),
        2.7726,
        {0.0625: "minus its", 4: "bit", -2.7726: "minus", 1.2041: "natural"},
    ),
    (
        exercises.training_2,
        (),
        4.7222,
        {4.7778: "85 steps", 152.72: "batch, not a patch", 283.33: "minutes"},
    ),
    (
        exercises.training_3,
        (),
        0.00393677,
        {2**-8: "tie", 2**-8 * 1.001: "tie", 2**-7: "whole step", 2**-11: "float16"},
    ),
    (exercises.region_1, (), 6.25, {2.5: "two", 2.7778: "1 - q", 4: "half"}),
    (exercises.region_2, (), 6.235, {3.1176: "polarisations", 1.5588: "four bytes"}),
    (exercises.region_3, (), 288, {256: "beyond", 320: "does not touch", 272: "both sides"}),
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
    (exercises.network_3, (), 131328, {131072: "biases", 65792: "two weights"}),
    (exercises.real_1, (), -13.458, {-48.23: "20 times", 69.54: "Less 83", 77.13: "base 10"}),
    (exercises.real_2, (), 0.863, {0.137: "cannot get right", 86.3: "per cent"}),
    (
        exercises.real_3,
        (MEANS,),
        6.0,
        {0.06: "In points", -6.0: "Filtered less", 9.0: "other direction"},
    ),
]


@pytest.mark.parametrize(
    "check, arguments, right, wrong", CASES, ids=lambda value: getattr(value, "__name__", "")
)
def test_right_and_wrong_answers(check, arguments, right, wrong, capsys):
    check(None, *arguments)
    assert capsys.readouterr().out.startswith("Not attempted yet")
    for answer in (right, np.array(right)):
        check(answer, *arguments)
        assert capsys.readouterr().out.startswith("Well done")
    for answer, word in wrong.items():
        check(answer, *arguments)
        said = capsys.readouterr().out
        assert "not right" in said and word in said, said
    check([1, 2], *arguments)
    assert "Expected one number, got list" in capsys.readouterr().out


def test_a_tensor_of_sixteen_bits_is_a_number(capsys):
    half_step = torch.tensor(2**-8, dtype=torch.bfloat16)
    exercises.training_3(torch.nextafter(half_step, torch.ones((), dtype=torch.bfloat16)))
    assert capsys.readouterr().out.startswith("Well done")


class WithDetail(STMA):
    """STMA with a second way in; ``forward`` is what the student writes."""

    def __init__(self, **arguments):
        super().__init__(**arguments)
        self.detail, self.join = torch.nn.Conv2d(6, 16, 3, padding=1), torch.nn.Conv2d(20, 4, 1)

    def forward(self, x, return_attention=False):
        main, *rest = super().forward(x)
        return self.change(main, self.detail(x.flatten(1, 2))), *rest


@pytest.mark.parametrize(
    "change, said",
    [
        (lambda self, main, fine: self.join(torch.cat([main, fine], 1)), "Well done"),
        (lambda self, main, fine: main, "do not depend on detail"),
        (lambda self, main, fine: self.join(torch.cat([0 * main, fine], 1)), "depend on STMA"),
        (lambda self, main, fine: main + fine.mean(), "do not depend on join"),
        (lambda self, main, fine: main[..., :8], "shape (2, 4, 16, 8); expected (2, 4, 16, 16)"),
    ],
)
def test_a_network_that_was_built(change, said, capsys):
    exercises.network_4(type("Built", (WithDetail,), {"change": change}))
    assert said in capsys.readouterr().out


def test_what_is_no_class_of_two_outputs(capsys):
    exercises.network_4(None)
    assert capsys.readouterr().out.startswith("Not attempted yet")
    exercises.network_4(WithDetail(dates=3, patch=16, classes=4, width=8))
    assert "give the class" in capsys.readouterr().out
    one = type("One", (WithDetail,), {"forward": lambda self, x: STMA.forward(self, x)[0]})
    exercises.network_4(one)
    assert "main and the auxiliary" in capsys.readouterr().out
