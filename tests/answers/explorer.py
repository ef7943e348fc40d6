"""Right and wrong answers to the exercises of explorer: see test_81_course_exercises.py."""

import numpy as np
import torch
from torch.nn import functional as F

from stma_nb.course import exercises

RECEIVED = np.array([[0.04, 0.35, 0.15, 0.1, 0.26, 0.1], [0.06, 0.25, 0.36, 0.11, 0.12, 0.1]])
INCREASE = np.array([[0.5, 2, 0.2, 0.1, 0.3, 0.9], [0.7, 0.4, 0.3, 0.1, 0.5, 2.6]])

NUMBERS = [  # check, its arguments, right answer, {wrong answer: words of the hint}
    (
        exercises.explorer_1,
        (RECEIVED,),
        1,
        {
            0: "the weight is smallest",
            2: "the largest weight of a single patch",
            4: "not right",
            -5: "not from its end",
            0.3: "its weight",
            6: "positions go from 0 to 5",
            0.36: "the largest weight of all",
            8: "a place in the table",
            1.5: "Expected a whole number",
        },
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
            0.1667: "That is the difference; give the",
            50: "That is the share in per cent;",
            1: "That is the position of the date;",
            3: "That is the number of dates: the",
            1.667: "That is against the median share,",
            0.6: "That is the smallest mean share",
        },
    ),
    (
        exercises.explorer_3,
        (INCREASE, RECEIVED),
        5,
        {
            1: "receives the most attention",
            3: "the loss rises least",
            0: "receives the least attention",
            6: "number of dates",
            -1: "not from its end",
            1.75: "by how much; give the position",
            2.6: "by how much, in one patch",
            11: "a place in the table",
        },
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


def of_two_bands(model, x, labels, date):
    other = x.clone()
    for band in range(2):
        other[:, date, band] = x[:, date, band].mean()
    return difference(model, x, other, labels)


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
            (filled(lambda x, date: x[:, date].median()), "That is a median"),
            (filled(lambda x, date: x[:, date - 1]), "the date before it"),
            (lambda model, x, labels, date: right(model, x, labels, date + 1), "another date"),
            (lambda *given: right(*given) / np.log(2), "in bits"),
            (lambda *given: 100 * right(*given), "times 100"),
            (
                lambda model, x, labels, date: F.cross_entropy(model(x), labels),
                "loss with the date",
            ),
            (lambda model, x, labels, date: F.cross_entropy(labels, model(x)), "wrong order"),
            (of_two_bands, "count on no fixed sizes"),
            (lambda x, model, labels, date: right(model, x, labels, date), "another order"),
            (lambda model, x, labels: 0.3, "name all of them"),
            (lambda model, x, labels, date: print(end=""), "Return"),
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
            60: "That is the rise of the loss;",
            10: "That is the first patch: average",
            87: "That is not what is lost.",
            0: "That is the position of the date;",
        },
    )
]
