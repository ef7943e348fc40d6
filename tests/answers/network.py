"""Right and wrong answers to the exercises of network: see test_81_course_exercises.py."""

import torch

from stma_nb.course import exercises
from stma_nb.model import STMA

NUMBERS = [  # check, its arguments, right answer, {wrong answer: words of the hint}
    (
        exercises.network_1,
        (),
        192,
        {96: "level 2", 48: "level 1", 8: "per date", 328: "41 dates", 32: "times", 336: "beside"},
    ),
    (
        exercises.network_2,
        (),
        152,
        {
            328: "number of channels",
            144: "one step larger",
            19: "eight times larger",
            145: "next multiple",
            18: "must exceed",
            76: "an eighth",
            2624: "side times side",
        },
    ),
    (
        exercises.network_3,
        (),
        131328,
        {
            131072: "biases, one",
            65792: "two weights",
            131584: "not two",
            65536: "and the biases",
            768: "no convolution over places",
            2098176: "level 1",
        },
    ),
]


class WithDetail(STMA):
    """STMA with a second way in; ``change`` is what the learner writes of ``forward``."""

    def __init__(self, **arguments):
        super().__init__(**arguments)
        self.detail, self.join = torch.nn.Conv2d(6, 16, 3, padding=1), torch.nn.Conv2d(20, 4, 1)

    def forward(self, x, return_attention=False):
        main, *rest = super().forward(x, return_attention)
        return self.change(main, self.detail(x.flatten(1, 2))), *rest


def built(name, **methods):
    return type(name, (WithDetail,), methods)


def change(name, function):
    return built(name, change=lambda self, main, fine: function(self, main, fine))


def one_output(self, x, return_attention=False):
    return STMA.forward(self, x)[0]


def no_attention(self, x, return_attention=False):
    main, aux = STMA.forward(self, x)
    return self.join(torch.cat([main, self.detail(x.flatten(1, 2))], 1)), aux


def unwritten(self, x, return_attention=False):
    """What it should do."""
    ...


UNWRITTEN = built("Unwritten", forward=unwritten)

BUILDS = [
    (
        exercises.network_4,
        (),
        [change("Both", lambda self, main, fine: self.join(torch.cat([main, fine], 1)))],
        [
            (change("NoDetail", lambda self, main, fine: main), "not depend on detail"),
            (
                change(
                    "NoSTMA", lambda self, main, fine: self.join(torch.cat([0 * main, fine], 1))
                ),
                "not depend on STMA",
            ),
            (change("NoJoin", lambda self, main, fine: main + fine.mean()), "not depend on join"),
            (
                change("Cut", lambda self, main, fine: main[..., :8]),
                "shape (2, 4, 16, 8); expected (2, 4, 16, 16)",
            ),
            (built("One", forward=one_output), "main and the auxiliary"),
            (built("Deaf", forward=no_attention), "hand the argument on"),
            (WithDetail(dates=3, patch=16, classes=4, width=8), "Give the class"),
        ],
    ),
]

PREDICTS = [
    (exercises.network_5, (), 4.1448, {1: "double side", 4: "two places", 16: "pairs of pixels"}),
]
