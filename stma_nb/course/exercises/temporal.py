"""The checks of notebook 04, Attention over dates."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from stma_nb.course.exercises.checks import (
    SHARE,
    WHOLE,
    Verdict,
    build,
    check,
    exercise,
    one_number,
    predict,
)


@exercise
def temporal_1(answer: object) -> Verdict:
    """Softmax weight of a score of 2 against 0."""
    hints = {
        1.0: "Softmax gives every score a positive weight: "
        "exponentials first, then divide by their sum.",
        np.exp(2): "That is the exponential; divide by the sum of both.",
        1 - 1 / (1 + np.exp(-2)): "That is the weight of the second date.",
        2.0: "That is the score itself: make a weight of it by the softmax.",
        np.exp(2) / (np.exp(2) + 2): "With two dates the sum has two terms; the other is e^0 = 1.",
        0.5: "That would be the weight if both scores were the same.",
        1 / (1 + np.exp(-(2**0.5))): "Nothing is to be divided by a root here: 2 and 0 are the "
        "scores as they are.",
        2 / 3: "Scores are no weights: take the exponential of both, also of 0.",
        1 / (1 + np.exp(-1)): "That is for a difference of 1, as if the scores were halved.",
        1 / (1 + np.exp(-4)): "That is for a difference of 4, as if the scores were doubled.",
        np.log(1 + np.exp(-2)): "That is minus the logarithm of the weight; give the weight.",
        4 / 5: "The base is e, not 2; and a score is an exponent, not squared.",
        100 / 101: "The base is e, not 10.",
        np.exp(-2): "That is the second weight over the first; divide by the sum of both.",
        np.exp(2) + 1: "That is the sum of the exponentials; divide that of the first by it.",
        np.log(np.exp(2) + 1): "That is the logarithm of the sum; divide exponentials.",
        0.0: "The first has the larger score, and no weight is 0.",
        -np.log(1 + np.exp(-2)): "That is the logarithm of the weight; give the weight.",
        np.tanh(2): "That is tanh; the softmax divides an exponential by the sum of both.",
    }
    return check(answer, 1 / (1 + np.exp(-2)), 2e-3, hints, SHARE)


@exercise
def temporal_2(answer: object) -> Verdict:
    """Parameters of the temporal attention of level 1 at a patch of 64 pixels."""
    width = 2 * 16 * 16
    hints = {
        width**2: "That is one matrix without bias; there are four: query, key, value, output.",
        4 * width**2: "Add the biases: one number per output of each matrix.",
        4 * 256**2 + 4 * 256: "A token holds all channels of all pixels: two channels here.",
        4 * 8192**2 + 4 * 8192: "Level 1 has 16 x 16 pixels, a quarter of the 64 on each side.",
        3 * width**2 + 3 * width: "There is a fourth matrix, which mixes the heads: the output.",
        16 * width**2 + 16 * width: "Heads share the width: four heads need no more weights.",
        width: "That is the width of a token: each matrix has width times width weights.",
        4 * width: "Those are the biases alone; each matrix has width times width weights.",
        3 * width**2: "There are four matrices, each with a bias for each output.",
        3 * width**2 + 4 * width: "There is a fourth matrix, which mixes the heads: the output.",
        width**2 + width: "That is one matrix with its biases; there are four: query, key, value, "
        "output.",
        4 * width + 4 * width: "A matrix has width times width weights: square the width.",
        4 * width**2 + width: "Each of the four matrices has biases of its own.",
        4 * width**2 + 3 * width: "The output matrix has biases as well: four times the width.",
        4 * (18 * width) ** 2 + 4 * (18 * width): "A token is one date: the width has no dates in "
        "it.",
        18 * (4 * width**2 + 4 * width): "All dates share the same matrices.",
        2 * (4 * width**2 + 4 * width): "A token holds both channels: do not count twice.",
        4 * (2 * 16) ** 2 + 4 * (2 * 16): "A token holds 16 x 16 pixels, not 16.",
        4 * 2**2 + 4 * 2: "A token is a whole map of a date, not one pixel: 2 x 16 x 16 numbers.",
        4 * 64**2 + 4 * 64: "The width is that of level 1: channels times pixels.",
        16 * 16 * (4 * 2**2 + 4 * 2): "A token is a whole map, so every pixel is mixed with every "
        "other.",
        2 * width**2 + 2 * width: "There are four matrices: query, key, value, output.",
        18**2: "That is the map of weights between dates; asked are the parameters.",
        (4 * width**2 + 4 * width) / 1e6: "That is in millions: give the whole number.",
    }
    return check(answer, 4 * width**2 + 4 * width, 0, hints, WHOLE)


@exercise
def temporal_3(answer: object) -> Verdict:
    """Relative entropy of the weights 0.7, 0.1, 0.1, 0.1."""
    weights = np.array([0.7, 0.1, 0.1, 0.1])
    entropy = -(weights * np.log(weights)).sum()
    bits = entropy / np.log(2)
    hints = {
        entropy: "That is the entropy; divide by that of four equal weights.",
        bits: "That is the entropy in bits; divide by that of four equal weights, two bits.",
    }
    hints |= {
        -entropy / np.log(4): "An entropy is not negative: logarithms of shares are, so turn the "
        "sign.",
        1 - entropy / np.log(4): "That tells how closed the row is; openness is 1 for equal "
        "weights.",
        entropy / np.log(10): "Take both logarithms to one base: that of the weights, and log 4.",
        entropy / 4: "Divide by the entropy of four equal weights, which is log 4.",
        -0.7 * np.log2(0.7): "That is the first term of the entropy alone, in bits.",
        -0.7 * np.log(0.7) / np.log(4): "That is the first term alone: sum over all four weights.",
        bits / np.log(4): "Bits are divided by nats: take both logarithms to one base.",
        entropy / 2: "Nats are divided by bits: take both logarithms to one base.",
        entropy / np.log(3): "There are four weights: divide by log 4.",
        entropy / np.log(18): "Here are four weights, not 18 dates: divide by log 4.",
        bits / 4: "Divide by the entropy of four equal weights: two bits, not four.",
        0.7: "That is the largest weight; openness is an entropy divided by that of equal weights.",
        0.3: "That is what the largest weight leaves; openness is an entropy divided by that of "
        "equal weights.",
        0.25: "That is an equal weight: openness compares entropies.",
        1 / (weights**2).sum(): "That is the effective number of dates by squares; take the "
        "entropy.",
        1 - (weights**2).sum(): "That is one minus the sum of squares; take the entropy.",
        (weights**2).sum(): "That is the sum of squares; take the entropy.",
        np.exp(entropy): "That is e to the power of the entropy; divide the entropy by log 4.",
        np.exp(entropy) / 4: "Do not take e to the power of it: divide the entropy by log 4.",
        np.log(4) / entropy: "It is turned over: the entropy of the weights comes first.",
        -np.log(weights).sum() / 4 / np.log(4): "Each logarithm is weighed by its weight, not "
        "all alike.",
        0.1 / 0.7: "That is the smallest weight over the largest; openness compares entropies.",
        -(0.7 * np.log(0.7) + 0.1 * np.log(0.1)) / np.log(4): "The weight 0.1 stands there three "
        "times.",
        entropy / np.log(100): "Divide by the logarithm of four, the number of weights.",
    }
    return check(answer, entropy / np.log(4), 2e-3, hints, SHARE)


@exercise
def temporal_4(attend: object) -> Verdict:
    """Attention of one query, as the learner wrote it: (query, keys, values) to blend, weights."""
    rng = torch.Generator().manual_seed(4)
    query, keys = torch.randn(8, generator=rng), torch.randn(6, 8, generator=rng)
    values = torch.randn(6, 3, generator=rng)
    scores = keys @ query
    right = torch.softmax(scores / 8**0.5, dim=0)

    def returns_a_blend_and_weights(attend: Any) -> str | None:
        result = attend(query.clone(), keys.clone(), values.clone())
        if not (isinstance(result, tuple) and len(result) == 2):
            return "Return two things: the blend and the weights, in this order."
        blend, weights = result
        shapes = tuple(torch.as_tensor(blend).shape), tuple(torch.as_tensor(weights).shape)
        if shapes == ((6,), (3,)):
            return "Return the blend first, then the weights."
        if shapes != ((3,), (6,)):
            return (
                f"With 6 dates and values of 3 numbers the blend has the shape {shapes[0]} and the "
                f"weights {shapes[1]}; expected (3,) and (6,)."
            )
        return None

    def weighs_by_softmax(attend: Any) -> str | None:
        weights = attend(query.clone(), keys.clone(), values.clone())[1]
        mistakes = [
            (scores / 8**0.5, "The weights are still the scores: take their softmax."),
            (scores / scores.sum(), "Scores may be negative: take the exponential of each first."),
            (torch.exp(scores / 8**0.5), "The weights do not sum to one: divide by their sum."),
            (torch.softmax(scores, 0), "Divide the scores by the square root of the width d."),
            (
                torch.softmax(scores / 3**0.5, 0),
                "Divide by the root of the width of the query, not of that of the values.",
            ),
            (torch.softmax(scores * 8**0.5, 0), "Divide by the root of the width: you multiply."),
            (torch.softmax(scores / 8**0.25, 0), "Take the root of the width once, not twice."),
            (torch.softmax(scores / 64, 0), "Divide by the root of the width, not by its square."),
            (
                F.one_hot(scores.argmax(), 6).float(),
                "All the weight lies on the best date: the softmax gives every date some.",
            ),
            (
                torch.softmax(F.cosine_similarity(keys, query[None]), 0),
                "That is the cosine, which forgets the lengths: take keys @ query, and the root.",
            ),
            (
                F.cosine_similarity(keys, query[None]),
                "Those are cosines: take the softmax of keys @ query over the root of the width.",
            ),
            (
                torch.softmax(F.cosine_similarity(keys, query[None]) / 8**0.5, 0),
                "That is the cosine, which forgets the lengths: take keys @ query.",
            ),
            (torch.softmax(-scores / 8**0.5, 0), "The sign is turned: like keys weigh most."),
            (
                torch.sigmoid(scores / 8**0.5),
                "That is the sigmoid: the softmax divides by the sum.",
            ),
            (scores.softmax(0) / 8**0.5, "Divide the scores, before the softmax, and not after."),
            (torch.full((6,), 1 / 6), "All dates weigh the same: take the softmax of the scores."),
            (torch.log_softmax(scores / 8**0.5, 0), "Those are logarithms: take the softmax."),
            (
                torch.softmax(-(keys - query).square().sum(1) / 8**0.5, 0),
                "Those are distances: a score is the product keys @ query.",
            ),
            (
                scores.abs() / scores.abs().sum(),
                "Take the exponential of each score, not its size.",
            ),
            (torch.softmax(scores / 8, 0), "Divide the scores by the square root of d, not by d."),
            (
                torch.softmax(scores / 6**0.5, 0),
                "Divide by the root of the width of the query, not of the number of dates.",
            ),
        ]
        for wrong, why in mistakes:
            if _alike(weights, wrong):
                return why
        if not _alike(weights.sum(), torch.ones(())):
            return f"The weights sum to {float(weights.sum()):.3f}, and they should to 1."
        if _alike(weights, right):
            return None
        return (
            "The weights sum to one, but are not those of the softmax: one score a date, "
            "keys @ query, over the root of the width, and then the softmax."
        )

    def blends_values(attend: Any) -> str | None:
        blend = attend(query.clone(), keys.clone(), values.clone())[0]
        if _alike(blend, values.mean(0)):
            return "The blend is the plain mean of the values: weight them."
        if _alike(blend, values[right.argmax()]):
            return "The blend is the value of the best date alone: blend all, by their weights."
        if _alike(blend, values.sum(0)):
            return "The blend is the sum of the values: weight them."
        if _alike(blend, (right @ values) / 6) or _alike(blend, (right[:, None] * values).mean(0)):
            return "The blend is a mean of weighted values: add up, since the weights sum to one."
        if _alike(blend, torch.softmax(scores, 0) @ values):
            return "The blend has other weights, of scores without the root: use those you return."
        if _alike(blend, (scores / 8**0.5) @ values):
            return "The blend uses the scores: use the weights."
        if _alike(blend, right @ keys[:, :3]):
            return "The blend is one of keys: take the values."
        return None if _alike(blend, right @ values) else "The blend is not weights @ values."

    def holds_for_other_sizes(attend: Any) -> str | None:
        for dates, width, features in ((9, 20, 5), (3, 2, 2), (18, 5, 8)):
            query, keys = (
                torch.randn(width, generator=rng),
                torch.randn(dates, width, generator=rng),
            )
            values = torch.randn(dates, features, generator=rng)
            blend, weights = attend(query.clone(), keys.clone(), values.clone())
            right = torch.softmax(keys @ query / width**0.5, dim=0)
            if _alike(weights, torch.softmax(keys @ query / 8**0.5, dim=0)):
                return (
                    f"With a query of {width} numbers the scores are divided by the root of 8: "
                    "take the width from the query."
                )
            if not (_alike(weights, right) and _alike(blend, right @ values)):
                return (
                    f"With {dates} dates, a query of {width} numbers and values of {features} it "
                    "is not right: read all sizes from what is given."
                )
        return None

    def holds_for_one_date(attend: Any) -> str | None:
        blend, weights = attend(query.clone(), keys[:1].clone(), values[:1].clone())
        if _alike(weights, torch.ones(1)) and _alike(blend, values[0]):
            return None
        return "With a single date its weight is 1, and the blend is its value."

    def holds_for_large_scores(attend: Any) -> str | None:
        weights = attend(1000 * query, keys.clone(), values.clone())[1]
        if not torch.isfinite(torch.as_tensor(weights)).all():
            return (
                "With scores in the thousands the weights are not finite: subtract the largest "
                "score from all before the exponential."
            )
        sharp = torch.softmax(1000 * scores / 8**0.5, 0)
        return None if _alike(weights, sharp) else "With large scores the weights are wrong."

    def leaves_its_input(attend: Any) -> str | None:
        given = query.clone(), keys.clone(), values.clone()
        attend(*given)
        for name, mine, was in zip(
            ("query", "keys", "values"), given, (query, keys, values), strict=True
        ):
            if not torch.equal(mine, was):
                return f"The function changes the {name} it is given: work on new tensors."
        return None

    return build(
        attend,
        returns_a_blend_and_weights,
        weighs_by_softmax,
        blends_values,
        holds_for_other_sizes,
        holds_for_one_date,
        holds_for_large_scores,
        leaves_its_input,
        given="query keys values",
        takes="a query (d), keys (dates x d) and values (dates x features); one score a date is "
        "keys @ query",
        gives="two tensors, the blend and the weights",
    )


def _alike(a: Any, b: Tensor) -> bool:
    a = torch.as_tensor(a)
    return a.shape == b.shape and torch.allclose(a.to(b), b, atol=1e-4)


@exercise
def temporal_5(
    predicted: object,
    found: object,
    because: object,
    readers: Mapping[str, Any],
    x: Tensor,
    y: Tensor,
) -> Verdict:
    """Share of fields (fields, dates, bands) named right with their seasons turned round, by the
    reader with date codes.
    """

    def share(reader: Any, fields: Tensor) -> float:
        with torch.no_grad():
            return (reader(fields)[0].argmax(1) == y).float().mean().item()

    codes = readers["attention with date codes, then mean"]
    turned = share(codes, x.flip(1))
    hints = [
        (1 - turned, "That is the share named wrong; give the share named right."),
        (turned * len(y), "That is a number of fields: give the share of them."),
        ((1 - turned) * len(y), "That is the number of fields named wrong; give the share right."),
        (len(y), "That is the number of test fields; which share of them is named right?"),
        (
            share(codes, x.flip(1, 2)),
            "That turns dates and bands: the dates alone are dimension 1.",
        ),
        (
            share(readers["attention, then mean"], x.flip(1)),
            "That is the reader without date codes.",
        ),
        (1 / 6, "That is blind guessing among six crops: run the cell, and read what it prints."),
        (
            share(codes, x),
            "That is the share with the dates in order: turn the seasons by flip(1).",
        ),
        (share(codes, x.flip(2)), "That turns the two bands round: the dates are dimension 1."),
        (share(codes, x.flip(0)), "That turns the fields round: the dates are dimension 1."),
        (share(readers["attention, then mean"], x), "That is the reader without date codes."),
    ]
    given = one_number(found)
    if given is not None and 0 < given < 1 and abs(len(y) * given - round(len(y) * given)) > 0.1:
        other = f"That is no share of the {len(y)} test fields: take x[test], and no other fields."
        hints.append((given, other))
    return predict(predicted, found, because, turned, 1e-3, hints, SHARE)
