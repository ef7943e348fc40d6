"""Right and wrong answers to the exercises of explorer: see test_81_course_exercises.py."""

import numpy as np
import torch
from torch.nn import functional as F

from stma_nb.course import exercises

NUMBERS = [  # check, its arguments, right answer, {wrong answer: words of the hint}
    (
        exercises.explorer_1,
        (np.array([[0.1, 0.6, 0.3], [0.3, 0.4, 0.3]]),),
        1,
        {0: "smallest", 2: "from 0", -2: "not from its end", 0.5: "its weight"},
    ),
    (
        exercises.explorer_2,
        (np.array([[0.1, 0.6, 0.3], [0.3, 0.4, 0.3]]),),
        1.5,
        {
            0.5: "equal share",
            1.8: "Average",
            2.5: "smallest share",
            0.6667: "other way",
            0.333: "itself",
        },
    ),
    (
        exercises.explorer_3,
        (np.array([[2.5, 1, 0, 0.5]]), np.array([[0.1, 0.2, 0.3, 0.4]])),
        0,
        {3: "receives the most", 2: "least", 1: "from 0", -4: "not from its end", 2.5: "how much"},
    ),
]


def filled(fill, bands=slice(None)):
    """A function that fills the date as told, and takes the difference of the losses."""

    def increase(model, x, labels, date):
        other = x.clone()
        other[:, date, bands] = fill(x, date)
        return difference(model, x, other, labels)

    return increase


def difference(model, x, other, labels):
    return (F.cross_entropy(model(other), labels) - F.cross_entropy(model(x), labels)).item()


def of_date(x, date):
    return x[:, date].mean((0, 2, 3), keepdim=True)


right = filled(of_date)


def by_where(model, x, labels, date):
    """As the library does it; the number stays a tensor."""
    at = (torch.arange(x.shape[1]) == date)[:, None, None, None]
    other = torch.where(at, x.mean((0, 3, 4), keepdim=True), x)
    return F.cross_entropy(model(other), labels) - F.cross_entropy(model(x), labels)


def in_place(model, x, labels, date):
    before = F.cross_entropy(model(x), labels)
    x[:, date] = of_date(x, date)
    return float(F.cross_entropy(model(x), labels) - before)


def loss_alone(model, x, labels, date):
    return right(model, x, labels, date) + F.cross_entropy(model(x), labels).item()


def each_patch(model, x, labels, date):
    return F.cross_entropy(model(x), labels, reduction="none").mean((1, 2))


BUILDS = [  # check, its arguments, [right functions], [(wrong function, words of the hint)]
    (
        exercises.explorer_4,
        (),
        [right, by_where],
        [
            (in_place, "x.clone()"),
            (each_patch, "one number"),
            (filled(lambda x, date: 0.0), "You fill in 0"),
            (filled(lambda x, date: x.mean()), "mean of all dates"),
            (filled(lambda x, date: x.mean((0, 1, 3, 4), keepdim=True)[:, 0]), "mean of this date"),
            (filled(lambda x, date: x[:, date].mean()), "do not average the bands"),
            (filled(lambda x, date: x[:, date].mean((2, 3), keepdim=True)), "over the patches"),
            (filled(lambda x, date: x[:, date].mean(0)), "rows and columns"),
            (filled(lambda x, date: of_date(x, date)[:, :1], np.s_[:1]), "both bands"),
            (lambda *given: -right(*given), "that rises is positive"),
            (loss_alone, "subtract the loss"),
            (lambda *given: 0 * right(*given), "Nothing changed"),
            (lambda model, x, labels, date: right(model, x, labels, 1), "does not look at date 0"),
            (lambda *given: 2 * right(*given), "band by band"),
        ],
    )
]

PREDICTS = [  # check, its arguments, what is found, {wrong: words of the hint}
    (
        exercises.explorer_5,
        (
            np.array([[0.1, 0.02, 0.03], [0.16, 0.04, 0.05]]),
            np.array([[0.8, 0.1, 0.2], [0.4, 0.3, 0.2]]),
            np.array([[0.1, 0.6, 0.3], [0.3, 0.4, 0.3]]),
        ),
        13,
        {
            0.13: "times 100",
            -13: "positive",
            3: "attended to most",
            0.6: "take accuracy_drop",
            6.6667: "all dates",
            16: "worst patch",
        },
    )
]
