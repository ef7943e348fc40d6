"""Right and wrong answers to the exercises of temporal: see test_81_course_exercises.py."""

import torch

from stma_nb.course import exercises

NUMBERS = [  # check, its arguments, right answer, {wrong answer: words of the hint}
    (
        exercises.temporal_1,
        (),
        0.8808,
        {
            1: "positive weight",
            7.389: "the sum of both",
            0.1192: "second date",
            2: "the score itself",
            0.787: "two terms",
            88.08: "per cent",
        },
    ),
    (
        exercises.temporal_2,
        (),
        4 * 512**2 + 4 * 512,
        {
            512**2: "there are four",
            4 * 512**2: "biases",
            4 * 256**2 + 1024: "channels",
            4 * 8192**2 + 4 * 8192: "16 x 16 pixels",
            3 * 512**2 + 3 * 512: "fourth matrix",
            16 * 512**2 + 16 * 512: "Heads share",
        },
    ),
    (
        exercises.temporal_3,
        (),
        0.6784,
        {
            0.9404: "divide by",
            1.3568: "in bits",
            -0.6784: "not negative",
            0.3216: "how closed",
            0.4084: "one base",
            0.2351: "which is log 4",
            67.84: "per cent",
        },
    ),
]


def attend(scale=lambda keys: keys.shape[1] ** 0.5, weigh=torch.softmax, blend=torch.matmul):
    """Attention of one query, right or with a mistake."""

    def attending(query, keys, values):
        weights = weigh(keys @ query / scale(keys), 0)
        return blend(weights, values), weights

    return attending


def by_hand(query, keys, values):
    scores = torch.stack([(query * key).sum() for key in keys]) / len(query) ** 0.5
    powers = torch.exp(scores - scores.max())
    weights = powers / powers.sum()
    return sum(w * value for w, value in zip(weights, values, strict=True)), weights


def overflows(scores, _):
    return torch.exp(scores) / torch.exp(scores).sum()


def in_place(query, keys, values):
    keys *= query / len(query) ** 0.5
    weights = torch.softmax(keys.sum(1), 0)
    return weights @ values, weights


BUILDS = [
    (
        exercises.temporal_4,
        (),
        [attend(), by_hand],
        [
            (lambda q, k, v: attend()(q, k, v)[0], "two things"),
            (lambda q, k, v: attend()(q, k, v)[::-1], "blend first"),
            (lambda q, k, v: (v, k @ q), "expected (3,) and (6,)"),
            (attend(weigh=lambda s, _: s), "still the scores"),
            (attend(weigh=lambda s, _: s / s.sum()), "exponential of each first"),
            (attend(weigh=lambda s, _: torch.exp(s)), "do not sum to one"),
            (attend(scale=lambda keys: 1), "square root of the width d"),
            (attend(scale=lambda keys: keys.shape[1]), "not by d"),
            (attend(scale=lambda keys: len(keys) ** 0.5), "number of dates"),
            (attend(weigh=lambda s, _: torch.softmax(-s, 0)), "not softmax"),
            (attend(weigh=lambda s, _: torch.sigmoid(s)), "sum to"),
            (attend(blend=lambda w, v: v.mean(0)), "plain mean"),
            (attend(blend=lambda w, v: v[w.argmax()]), "best date alone"),
            (attend(blend=lambda w, v: w.max() * v.sum(0)), "not weights @ values"),
            (attend(weigh=overflows), "not finite"),
            (in_place, "changes the keys"),
        ],
    ),
]

# Fields (fields, dates, bands) and readers that name them by their largest date of the first band.
X = torch.tensor([[[4.0, 9], [2, 1], [1, 0]], [[0, 3], [8, 1], [1, 0]], [[0, 0], [1, 8], [5, 1]]])
X = torch.cat([X, X[[1, 1]]])
Y = torch.tensor([0, 1, 2, 1, 2])
READERS = {
    "attention with date codes, then mean": lambda x: (x[:, :, 0], None),
    "attention, then mean": lambda x: (torch.eye(3)[[2] * len(x)], None),
}
PREDICTS = [
    (
        exercises.temporal_5,
        (READERS, X, Y),
        0.4,
        {0.8: "dates in order", 0.2: "two bands", 0.6: "fields round"},
    ),
]
