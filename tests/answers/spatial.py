"""Right and wrong answers to the exercises of spatial: see test_81_course_exercises.py."""

import numpy as np
import torch

from stma_nb.course import exercises

POWER = np.random.default_rng(0).gamma(4.4, 1 / 4.4, (2, 40, 50))
POWER[1] *= 3
POWER[:, :, 40:] *= 0.3
INSIDE = np.zeros((40, 50), bool)
INSIDE[:, :40] = True


def enl(image: np.ndarray) -> float:
    return image.mean() ** 2 / image.var()


PARTS = POWER[:, INSIDE]
NUMBERS = [  # check, its arguments, right answer, {wrong answer: words of the hint}
    (
        exercises.spatial_1,
        (),
        331776,
        {
            576: "each looks at each",
            96**4: "quarter of the resolution",
            12**4: "level 2",
            576 * 575 // 2: "another one",
            576 * 575: "itself as well",
            4 * 576**2: "all heads share",
        },
    ),
    (
        exercises.spatial_2,
        (POWER, INSIDE),
        np.mean([enl(part) for part in PARTS]),
        {
            99: "not right",
            enl(PARTS): "each date",
            np.mean([enl(date) for date in POWER]): "inside fields",
            np.mean([enl(part) ** 0.5 for part in PARTS]): "squared, and",
            np.mean([1 / enl(part) for part in PARTS]): "Turn it over",
            np.mean([part.mean() / part.var() for part in PARTS]): "must be squared",
        },
    ),
    (
        exercises.spatial_3,
        (),
        820,
        {
            738: "bias",
            82 * 82 * 9 + 82: "depth-wise",
            82 * 82 * 9: "and a bias",
            410: "two channels",
            10: "one map",
            739: "82 in all",
        },
    ),
]


def filtered(
    scale=3,
    keep=False,
    scores_of=lambda scores, sharpness: sharpness * scores,
    blend=lambda weights, power: weights @ power,
    softmax=torch.softmax,
):
    """Attention of one pixel as a filter, right or with a mistake."""

    def filtering(tokens, power, pixel, sharpness):
        scores = scores_of(tokens @ tokens[pixel] / scale, sharpness)
        others = torch.ones(len(power), dtype=bool)
        others[pixel] = keep
        return blend(softmax(scores[others], 0), power[others])

    return filtering


def by_loop(tokens, power, pixel, sharpness):
    others = [place for place in range(len(power)) if place != pixel]
    scores = [sharpness * tokens[pixel] @ tokens[o] / tokens.shape[1] ** 0.5 for o in others]
    powers = torch.exp(torch.stack(scores) - max(scores))
    return float(sum(p * power[o] for p, o in zip(powers, others, strict=True)) / powers.sum())


def overflows(scores, _):
    return torch.exp(scores) / torch.exp(scores).sum()


def in_place(tokens, power, pixel, sharpness):
    answer = filtered()(tokens, power, pixel, sharpness)
    power[pixel] = answer
    return answer


BUILDS = [
    (
        exercises.spatial_4,
        (),
        [filtered(), by_loop],
        [
            (lambda *_: print(end=""), "returns nothing"),
            (lambda t, p, i, s: filtered()(t, p, i, s) * torch.ones(3), "return one"),
            (filtered(keep=True), "looks at itself"),
            (filtered(scale=1), "number of features"),
            (filtered(scores_of=lambda scores, s: scores), "not used"),
            (filtered(scores_of=lambda scores, s: scores / s), "do not divide"),
            (filtered(scores_of=lambda scores, s: -s * scores), "least alike"),
            (filtered(blend=lambda w, p: p.mean()), "All others weigh"),
            (filtered(keep=True, blend=lambda w, p: p.mean()), "All pixels weigh"),
            (lambda t, p, i, s: p[i], "own power"),
            (filtered(blend=lambda w, p: 10 ** (w @ p.log10())), "not as decibels"),
            (filtered(blend=lambda w, p: 2 * w @ p), "not the weighted mean"),
            (filtered(scores_of=lambda scores, s: max(s, 2) * scores), "sharpness 0"),
            (filtered(softmax=overflows), "not finite"),
            (in_place, "changes tokens or power"),
        ],
    ),
]

PREDICTS = [
    (
        exercises.spatial_5,
        (),
        4294.97,
        {
            1073.74: "four times the entry",
            536.87: "twice the entry",
            268.44: "or level 2",
            4.295: "in GB",
            1099511.6: "quarter of the resolution",
        },
    ),
]
