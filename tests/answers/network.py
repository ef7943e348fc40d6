"""Right and wrong answers to the exercises of network: see test_81_course_exercises.py."""

import torch

from stma_nb.course import exercises
from stma_nb.model import STMA

NUMBERS = [  # check, its arguments, right answer, {wrong answer: words of the hint}
    (
        exercises.network_1,
        (),
        192,
        {
            96: "level 2",
            48: "level 1",
            8: "per date",
            328: "41 dates",
            32: "times",
            336: "beside",
            24: "That is the number of dates; each",
            384: "Each date has 8 channels at level",
            144: "Each of the 24 dates has 8",
            288: "Level 3 is added to the answer of",
            72: "There are 8 channels per date at",
            984: "41 is the number of dates of the",
            216: "Dates times channels: nothing is",
            4.722366482869645e21: "Dates times channels, not to the",
        },
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
            18.11: "That is the root of E, a side of",
            128: "That is the patch of the",
            160: "One step less is enough already:",
            41: "That is the number of dates; at",
            324: "That is the number of pixels of",
            361: "That is the number of pixels of",
            2888: "The patch has a side eight times",
            256: "For that patch it pays, but a",
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
            512: "Every output pixel has weights",
            514: "Every output pixel has weights",
            256: "That is the number of pixels: how",
            262656: "Two maps go in, but one comes",
            262144: "Two maps go in, but one comes",
            131073: "Every output pixel has a bias of",
            131074: "Every output pixel has a bias of",
            5384448: "All dates share these weights.",
            21537792: "All dates and channels share",
            196864: "The kernel spans a pair: two",
            262400: "The kernel spans the pair",
            8256: "That is another level: here N is",
        },
    ),
]


class WithDetail(STMA):
    """STMA with a second way in; ``change`` is what the learner writes of ``forward``."""

    def __init__(self, **arguments):
        super().__init__(**arguments)
        a = self.arguments
        self.detail = torch.nn.Conv2d(2 * a["dates"], 16, 3, padding=1)
        self.join = torch.nn.Conv2d(16 + a["classes"], a["classes"], 1)

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


def joined(self, x, main):
    return self.join(torch.cat([main, self.detail(x.flatten(1, 2))], 1))


def fixed(self, x, return_attention=False):
    main, *rest = STMA.forward(self, x, return_attention)
    return self.join(torch.cat([main, self.detail(x.reshape(2, 6, 16, 16))], 1)), *rest


def main_twice(self, x, return_attention=False):
    main, _, *rest = STMA.forward(self, x, return_attention)
    return joined(self, x, main), main, *rest


def whole(self, x, return_attention=False):
    return self.join(torch.cat([STMA.forward(self, x), self.detail(x.flatten(1, 2))], 1))


def first_date(self, x, return_attention=False):
    main, *rest = STMA.forward(self, x, return_attention)
    return self.join(torch.cat([main, self.detail(x[:, 0])], 1)), *rest


def across_patches(self, x, return_attention=False):
    main, *rest = STMA.forward(self, x, return_attention)
    return joined(self, x - x.mean(0), main), *rest


def changed(self, x, return_attention=False):
    main, *rest = STMA.forward(self, x, return_attention)
    new = joined(self, x, main)
    x *= 0
    return new, *rest


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
            (built("Fixed", forward=fixed), "it should take x"),
            (built("Twice", forward=main_twice), "are not those of STMA"),
            (built("Whole", forward=whole), "take it apart"),
            (built("Bands", forward=first_date), "x.flatten(1, 2)"),
            (built("Mixed", forward=across_patches), "other patches of its batch"),
            (built("Changed", forward=changed), "changes a tensor"),
            (WithDetail(dates=3, patch=16, classes=4, width=8), "Give the class"),
        ],
    ),
]

PREDICTS = [
    (
        exercises.network_5,
        (),
        4.1448,
        {
            1: "double side",
            4: "two places",
            16: "pairs of pixels",
            2: "Do not guess: double side, and",
            3105340: "That is the number of weights;",
            749212: "That is the number of weights",
            2356128: "That is how many more; give how",
            3.145: "That is by how much they grow;",
            0.2413: "It is turned over: the larger",
            64: "That is the side; read what the",
            8: "Do not guess: double side, and",
        },
    ),
]
