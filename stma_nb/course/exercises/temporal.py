"""The checks of notebook 04, Attention over dates."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from stma_nb.course.exercises.checks import Verdict, build, check, exercise, predict


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
    }
    return check(answer, 1 / (1 + np.exp(-2)), 2e-3, hints)


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
    }
    return check(answer, 4 * width**2 + 4 * width, 0, hints)


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
    }
    return check(answer, entropy / np.log(4), 2e-3, hints)


@exercise
def temporal_4(attend: object) -> Verdict:
    """Attention of one query, as the learner wrote it: (query, keys, values) to blend, weights."""
    rng = torch.Generator().manual_seed(4)
    query, keys = torch.randn(8, generator=rng), torch.randn(6, 8, generator=rng)
    values = torch.randn(6, 3, generator=rng)
    scores = keys @ query
    right = torch.softmax(scores / 8**0.5, dim=0)

    def returns_a_blend_and_weights(attend: Any) -> str | None:
        try:
            result = attend(query.clone(), keys.clone(), values.clone())
        except RuntimeError as error:
            return (
                f"It stops: {error}. A query has the shape (8,), the keys (6, 8): one score a date "
                "is keys @ query."
            )
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
        return None if _alike(weights, right) else "The weights are not softmax(keys query / √d)."

    def blends_values(attend: Any) -> str | None:
        blend = attend(query.clone(), keys.clone(), values.clone())[0]
        if _alike(blend, values.mean(0)):
            return "The blend is the plain mean of the values: weight them."
        if _alike(blend, values[right.argmax()]):
            return "The blend is the value of the best date alone: blend all, by their weights."
        return None if _alike(blend, right @ values) else "The blend is not weights @ values."

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
        holds_for_one_date,
        holds_for_large_scores,
        leaves_its_input,
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
    hints = {
        share(codes, x): "That is the share with the dates in order: turn the seasons by flip(1).",
        share(codes, x.flip(2)): "That turns the two bands round: the dates are dimension 1.",
        share(codes, x.flip(0)): "That turns the fields round: the dates are dimension 1.",
        share(readers["attention, then mean"], x): "That is the reader without date codes.",
    }
    return predict(predicted, found, because, share(codes, x.flip(1)), 1e-3, hints)
