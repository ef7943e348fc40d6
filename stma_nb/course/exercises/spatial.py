"""The checks of notebook 05, Attention over pixels."""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from stma_nb.course.exercises.checks import WHOLE, Asked, Verdict, build, check, exercise, predict

ENL = Asked("an ENL (above 0)", "3.2", 1e-9)
MEGABYTES = Asked("a number of MB (above 0)", "320", 1e-9, 1e9)


@exercise
def spatial_1(answer: object) -> Verdict:
    """Pairs of pixels at level 1 of a patch of 96 pixels."""
    pixels = (96 // 4) ** 2
    hints = {
        pixels: "That is the number of pixels of level 1; each looks at each.",
        96**4: "Level 1 has a quarter of the resolution: 24 x 24 pixels.",
        (96 // 8) ** 4: "That is level 2, an eighth of the resolution; level 1 has a quarter.",
        pixels * (pixels - 1) // 2: "The pair (a, b) is another one than (b, a): N x N.",
        pixels * (pixels - 1): "In STMA a pixel looks at itself as well: N x N.",
        4 * pixels**2: "Asked are the pairs, which all heads share.",
        24: "That is the side of level 1: it has 24 x 24 pixels, and each looks at each.",
        96: "That is the side of the patch: level 1 has a quarter of it.",
        96**2: "Those are the pixels of the patch: level 1 has a quarter of the resolution, and "
        "pairs are asked for.",
        2 * pixels: "Each pixel looks at each: N x N, not 2 N.",
        (96**2 // 4) ** 2: "A quarter of the resolution is a quarter of rows and of columns: 24 x "
        "24 pixels.",
        96**2 // 4: "A quarter of the resolution is a quarter of rows and of columns; and pairs "
        "are asked for.",
        18 * pixels**2: "A token is a pixel with all its dates: dates make no more pairs.",
        18**2: "Those are pairs of dates; asked are pairs of pixels.",
        pixels * (pixels + 1) // 2: "The pair (a, b) is another one than (b, a): N x N.",
        (96 // 16) ** 4: "Level 1 has a quarter of the resolution: 24 x 24 pixels.",
        (128 // 4) ** 4: "That is for a patch of 128 pixels: here it has 96.",
    }
    return check(answer, pixels**2, 0, hints, WHOLE)


@exercise
def spatial_2(answer: object, image: np.ndarray, inside: np.ndarray) -> Verdict:
    """Mean ENL of images (dates, rows, columns) within a mask."""
    parts = [date[inside] for date in image]
    expected = np.mean([part.mean() ** 2 / part.var() for part in parts])
    hints = [
        (
            image[:, inside].mean() ** 2 / image[:, inside].var(),
            "Take the ENL of each date, then their mean.",
        ),
        (
            np.mean([d.mean() ** 2 / d.var() for d in image]),
            "Only pixels inside fields: date[inside].",
        ),
        (
            np.mean([part.mean() / part.std() for part in parts]),
            "The mean must be squared, and divided by the variance.",
        ),
        (
            np.mean([part.var() / part.mean() ** 2 for part in parts]),
            "Turn it over: the squared mean over the variance.",
        ),
        (
            parts[0].mean() ** 2 / parts[0].var(),
            "That is the first date alone: take the mean over all.",
        ),
        (np.mean([part.mean() / part.var() for part in parts]), "The mean must be squared."),
        (
            parts[-1].mean() ** 2 / parts[-1].var(),
            "That is the last date alone: take the mean over all.",
        ),
        (
            np.median([part.mean() ** 2 / part.var() for part in parts]),
            "That is the median of the dates; take their mean.",
        ),
        (
            np.sum([part.mean() ** 2 / part.var() for part in parts]),
            "That is the sum over the dates; take their mean.",
        ),
        (10 * np.log10(expected), "That is the ENL in dB; give it as it is."),
        (
            np.mean([(part**2).mean() / part.var() for part in parts]),
            "First the mean, then its square: the mean of the squares is another number.",
        ),
        (
            np.mean([part.var() for part in parts]),
            "That is the variance alone: divide the squared mean by it.",
        ),
        (
            np.mean([part.mean() ** 2 / part.std() for part in parts]),
            "Divide by the variance, which is the squared standard deviation.",
        ),
        (
            np.mean([d[~inside].mean() ** 2 / d[~inside].var() for d in image]),
            "That is outside of the mask: date[inside].",
        ),
    ]
    return check(answer, expected, min(0.06, 0.02 * expected), hints, ENL)


@exercise
def spatial_3(answer: object) -> Verdict:
    """Parameters of LSAPE at level 1 of the published network."""
    hints = {
        82 * 9: "Add the bias of each of the 82 maps.",
        82 * 82 * 9 + 82: "The convolution is depth-wise: each map has its own 3 x 3 kernel, and "
        "no other.",
        82
        * 82
        * 9: "The convolution is depth-wise: each map has its own 3 x 3 kernel, and a bias.",
        41 * 10: "There are two channels per date, so 82 maps.",
        41 * 10 + 41 * 9: "Each map has a bias of its own, 82 in all.",
        9 + 1: "That is one map; there are 41 dates with 2 channels each.",
        82 * 9 + 1: "Each map has a bias of its own, 82 in all.",
        41 * 9: "There are two channels per date, so 82 maps, each with a bias.",
        82: "That is the number of maps; each has a kernel and a bias.",
        9: "That is one kernel; there are 82 maps, each with a bias.",
        82 * 3 + 82: "A kernel has 3 x 3 weights, not 3.",
        82 * 3: "A kernel has 3 x 3 weights, not 3; and each map has a bias.",
        41 * 41 * 9 + 41: "The convolution is depth-wise, and there are two channels per date.",
        2 * 10: "Dates and channels are merged: there are 41 x 2 maps.",
        36 * 10: "That is for 18 dates: the published network has 41.",
        82 * 9 * 2 + 82: "Each map has one kernel, and not one for each channel.",
        82 * 25 + 82: "The kernel is 3 x 3.",
        82 * 82 + 82: "The kernel is 3 x 3, and the convolution depth-wise.",
    }
    return check(answer, 82 * 10, 0, hints, WHOLE)


@exercise
def spatial_4(filtered: object) -> Verdict:
    """The filter that the learner wrote: (tokens, power, pixel, sharpness) to one power."""
    rng = torch.Generator().manual_seed(5)
    tokens = torch.randn(12, 9, generator=rng)
    power = torch.rand(12, generator=rng) + 0.1
    pixel, others = 3, torch.arange(12) != 3

    def blend(scores: Tensor, values: Tensor = power) -> Tensor:
        return torch.softmax(scores, 0) @ values

    scores = tokens @ tokens[pixel] / 3  # the root of nine features

    def right(sharpness: float) -> Tensor:
        return blend(sharpness * scores[others], power[others])

    def blends_the_others(filtered: Any) -> str | None:
        found = filtered(tokens.clone(), power.clone(), pixel, 2.0)
        if found is None:
            return "The function returns nothing: end it with return."
        if torch.as_tensor(found).numel() != 1:
            return (
                f"It gives {torch.as_tensor(found).numel()} numbers: return one, the blend of the "
                "powers for this pixel."
            )
        mistakes = [
            (blend(2 * scores), "The pixel looks at itself: leave it out of the softmax."),
            (
                blend(6 * scores[others], power[others]),
                "Divide the products by the root of the number of features.",
            ),
            (right(1.0), "The sharpness is not used: multiply the scores by it."),
            (right(0.5), "Multiply by the sharpness, do not divide."),
            (right(-2.0), "It looks at those that are least alike: turn the sign of the scores."),
            (power[others].mean(), "All others weigh the same: weight them by the softmax."),
            (power.mean(), "All pixels weigh the same: weight them by the softmax."),
            (power[pixel], "That is the pixel's own power: blend those of the others."),
            (
                10 ** blend(2 * scores[others], power[others].log10()),
                "Powers are averaged as powers, not as decibels or logarithms.",
            ),
        ]
        for wrong, why in mistakes:
            if _alike(found, wrong):
                return why
        mistakes = [
            (right(2 / 3), "Divide by the root of the number of features, not by the number."),
            (right(6 / 12**0.5), "Take the root of the number of features, not of pixels."),
            (power[others][scores[others].argmax()], "That is the best match alone: blend all."),
            (
                blend(2 * scores * others, power),
                "A score of 0 is no weight of 0: leave the pixel out, or give it -inf.",
            ),
            (
                torch.softmax(2 * scores, 0)[others] @ power[others],
                "The weights of the others do not sum to one: leave the pixel out before the "
                "softmax.",
            ),
            (power[others].median(), "That is the median: take the mean, weighted by the softmax."),
            (2 * scores[others] @ power[others], "Those are the scores: take their softmax."),
            (right(2.0) / 11, "The weights sum to one: do not divide again."),
            (power[others].sum(), "That is the sum of the powers: weight them by the softmax."),
            (
                blend(2 * F.cosine_similarity(tokens, tokens[pixel][None])[others], power[others]),
                "That is the cosine, which forgets the lengths: take the product of the tokens.",
            ),
        ]
        for wrong, why in mistakes:
            if _alike(found, wrong):
                return why
        return None if _alike(found, right(2.0)) else "The number is not the weighted mean."

    def holds_for_other_sizes(filtered: Any) -> str | None:
        for pixels, features, at in ((20, 4, 7), (6, 24, 0)):
            tokens = torch.randn(pixels, features, generator=rng)
            power = torch.rand(pixels, generator=rng) + 0.1
            rest = torch.arange(pixels) != at
            products = (tokens @ tokens[at])[rest]
            found = filtered(tokens.clone(), power.clone(), at, 1.0)
            if _alike(found, blend(products / 3, power[rest])):
                return (
                    f"With tokens of {features} features the scores are divided by the root of 9: "
                    "take the number from the tokens."
                )
            if not _alike(found, blend(products / features**0.5, power[rest])):
                return (
                    f"With {pixels} tokens of {features} features, and pixel {at}, it is not "
                    "right: count on no fixed sizes."
                )
        return None

    def is_even_without_sharpness(filtered: Any) -> str | None:
        found = filtered(tokens.clone(), power.clone(), pixel, 0.0)
        if _alike(found, power[others].mean()):
            return None
        return "At sharpness 0 it should be the plain mean of all other pixels."

    def holds_when_very_sharp(filtered: Any) -> str | None:
        found = filtered(tokens.clone(), power.clone(), pixel, 5000.0)
        if not torch.isfinite(torch.as_tensor(found)).all():
            return (
                "At a sharpness of 5000 the result is not finite: use torch.softmax, or subtract "
                "the largest score first."
            )
        best = power[others][scores[others].argmax()]
        return None if _alike(found, best) else "Very sharp, it should return the best match."

    def holds_for_two_pixels(filtered: Any) -> str | None:
        found = filtered(tokens[:2].clone(), power[:2].clone(), 0, 1.0)
        if _alike(found, power[1]):
            return None
        return "With two pixels all of the weight falls on the other one."

    def leaves_its_input(filtered: Any) -> str | None:
        given = tokens.clone(), power.clone()
        filtered(*given, pixel, 1.0)
        if torch.equal(given[0], tokens) and torch.equal(given[1], power):
            return None
        return "The function changes tokens or power: work on new tensors."

    return build(
        filtered,
        blends_the_others,
        is_even_without_sharpness,
        holds_for_other_sizes,
        holds_when_very_sharp,
        holds_for_two_pixels,
        leaves_its_input,
        given="tokens power pixel sharpness",
        takes="tokens (pixels x features), power (pixels), a pixel and a sharpness",
        gives="one number, the blended power",
    )


def _alike(a: Any, b: Tensor) -> bool:
    return torch.allclose(torch.as_tensor(a).to(b).reshape(()), b, atol=1e-4)


@exercise
def spatial_5(predicted: object, found: object, because: object) -> Verdict:
    """Megabytes of the weights of level 1, four heads, for a patch of 512 pixels."""
    megabytes = 16 * (512 // 4) ** 4 / 1e6
    hints = {
        megabytes / 4: "That is four times the entry of 256, as the pixels grow; pairs of pixels "
        "grow by four times four.",
        megabytes / 8: "That is twice the entry of 256: pairs grow faster than the side.",
        megabytes / 16: "That is the entry of a patch of 256 pixels, or level 2: read level 1 of "
        "512.",
        megabytes / 1000: "That is in GB: give MB, as the table does.",
        16 * 512**4 / 1e6: "Level 1 has a quarter of the resolution: run the cell.",
        megabytes * 1e6: "That is in bytes: give MB, as the table does.",
        megabytes * 1e6 / 2**20: "A MB is a million bytes here, as in the table.",
        4 * megabytes: "That is four heads twice, or a patch of 724 pixels: read level 1 of 512.",
        16 * megabytes: "That is a patch of 1024 pixels: read level 1 of 512.",
        megabytes / 2: "Pairs of pixels grow by four times four: read the table.",
        (512 // 4) ** 4: "That is the number of pairs: give MB, as the table does.",
        (512 // 4) ** 2: "That is the number of pixels of level 1: give MB, as the table does.",
    }
    return predict(predicted, found, because, megabytes, 1.0, hints, MEGABYTES)
