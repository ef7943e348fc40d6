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
            24: "That is the side of level 1: it",
            96: "That is the side of the patch:",
            9216: "Those are the pixels of the",
            1152: "Each pixel looks at each: N x N,",
            5308416: "A quarter of the resolution is a",
            2304: "A quarter of the resolution is a",
            5971968: "A token is a pixel with all its",
            324: "Those are pairs of dates; asked",
            166176: "The pair (a, b) is another one",
            1296: "Level 1 has a quarter of the",
            1048576: "That is for a patch of 128",
        },
    ),
    (
        exercises.spatial_2,
        (POWER, INSIDE),
        np.mean([enl(part) for part in PARTS]),
        {
            enl(PARTS): "each date",
            np.mean([enl(date) for date in POWER]): "inside fields",
            np.mean([enl(part) ** 0.5 for part in PARTS]): "squared, and",
            np.mean([1 / enl(part) for part in PARTS]): "Turn it over",
            np.mean([part.mean() / part.var() for part in PARTS]): "must be squared",
            8.64: "That is the sum over the dates;",
            6.355: "That is the ENL in dB; give it as",
            5.32: "First the mean, then its square:",
            1.192: "That is the variance alone:",
            4.222: "Divide by the variance, which is",
            4.472: "That is outside of the mask:",
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
            779: "Each map has a bias of its own,",
            369: "There are two channels per date,",
            82: "That is the number of maps; each",
            9: "That is one kernel; there are 82",
            328: "A kernel has 3 x 3 weights, not 3.",
            246: "A kernel has 3 x 3 weights, not",
            15170: "The convolution is depth-wise,",
            20: "Dates and channels are merged:",
            360: "That is for 18 dates: the",
            1558: "Each map has one kernel, and not",
            2132: "The kernel is 3 x 3.",
            6806: "The kernel is 3 x 3, and the",
        },
    ),
]


def filtered(
    scale=lambda tokens: tokens.shape[1] ** 0.5,
    keep=False,
    scores_of=lambda scores, sharpness: sharpness * scores,
    blend=lambda weights, power: weights @ power,
    softmax=torch.softmax,
):
    """Attention of one pixel as a filter, right or with a mistake."""

    def filtering(tokens, power, pixel, sharpness):
        scores = scores_of(tokens @ tokens[pixel] / scale(tokens), sharpness)
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


def score_of_zero(tokens, power, pixel, sharpness):
    scores = sharpness * tokens @ tokens[pixel] / tokens.shape[1] ** 0.5
    scores[pixel] = 0
    return torch.softmax(scores, 0) @ power


def left_out_late(tokens, power, pixel, sharpness):
    weights = torch.softmax(sharpness * tokens @ tokens[pixel] / tokens.shape[1] ** 0.5, 0)
    weights[pixel] = 0
    return weights @ power


def of_twelve(tokens, power, pixel, sharpness):
    others = [place for place in range(12) if place != pixel]
    scores = torch.stack([sharpness * tokens[pixel] @ tokens[o] for o in others])
    return torch.softmax(scores / tokens.shape[1] ** 0.5, 0) @ power[others]


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
            (filtered(scale=lambda tokens: 1), "number of features"),
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
            (filtered(scale=lambda tokens: 3), "divided by the root of 9"),
            (filtered(scale=lambda tokens: len(tokens) ** 0.5), "not of pixels"),
            (filtered(scale=lambda tokens: tokens.shape[1]), "not by the number"),
            (filtered(blend=lambda w, p: p[w.argmax()]), "best match alone"),
            (filtered(blend=lambda w, p: p.median()), "median"),
            (filtered(blend=lambda w, p: p.sum()), "sum of the powers"),
            (filtered(blend=lambda w, p: (w * p).mean()), "do not divide again"),
            (filtered(softmax=lambda scores, _: scores), "Those are the scores"),
            (score_of_zero, "-inf"),
            (left_out_late, "before the softmax"),
            (of_twelve, "count on no fixed sizes"),
            (lambda t, p, i: p[i], "name all of them"),
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
            1074: "That is four times the entry of",
            4294967296: "That is in bytes: give MB, as the",
            4096: "A MB is a million bytes here, as",
            17180: "That is four heads twice, or a",
            68720: "That is a patch of 1024 pixels:",
            2147: "Pairs of pixels grow by four",
            268435456: "That is the number of pairs: give",
            16384: "That is the number of pixels of",
        },
    ),
]
