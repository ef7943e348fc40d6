"""The checks of notebook 09, The attention explorer."""

from collections.abc import Callable

import numpy as np
import torch
from torch.nn import functional as F

from stma_nb.course.exercises.checks import (
    POINTS,
    WHOLE,
    Asked,
    Verdict,
    build,
    check,
    exercise,
    one_number,
    positions,
    predict,
)


@exercise
def explorer_1(answer: object, received: np.ndarray) -> Verdict:
    """Position of the date that receives most attention, from (windows, dates)."""
    mean = received.mean(0)
    most = int(mean.argmax())
    several = [
        (int(mean.argmin()), "There the weight is smallest."),
        (int(np.median(received, 0).argmax()), "There the median over the patches is largest."),
        (int(received.max(0).argmax()), "There is the largest weight of a single patch."),
        (int(received[0].argmax()), "There the first patch looks: average over all patches."),
        (int(received.std(0).argmax()), "There the patches differ most: take the mean."),
        (int(np.argsort(mean)[-2]), "There the mean weight is second largest."),
    ]
    told = (
        "That is its weight; give its position.",
        "That is the largest weight of all; give the position of a date.",
    )
    return check(answer, most, 0, _largest_on_average(received, several, *told), WHOLE)


@exercise
def explorer_2(answer: object, received: np.ndarray) -> Verdict:
    """Largest mean share of attention over an equal share."""
    mean = received.mean(0)
    hints = [
        (mean.max(), "That is the share itself; divide by an equal share."),
        (received.max() * len(mean), "Average over patches first."),
        (mean.max() / mean.min(), "That is against the smallest share, not against an equal one."),
        (1 / len(mean), "That is the equal share itself."),
        (1 / (mean.max() * len(mean)), "The other way round: the largest over the equal share."),
        (mean.max() - 1 / len(mean), "That is the difference; give the ratio."),
        (100 * mean.max(), "That is the share in per cent; divide by an equal share."),
        (mean.max() * len(mean) - 1, "That is by how much it is larger; give the ratio itself."),
        (float(mean.argmax()), "That is the position of the date; give the ratio of the shares."),
        (len(mean), "That is the number of dates: the largest mean share is multiplied by it."),
        (
            mean.max() * len(received),
            "An equal share is 1 over the number of dates, not of patches.",
        ),
        (
            mean.max() / np.median(mean),
            "That is against the median share, not against an equal one.",
        ),
        (mean.min() * len(mean), "That is the smallest mean share over an equal one."),
    ]
    return check(answer, mean.max() * len(mean), 0.06, hints, RATIO)


@exercise
def explorer_3(answer: object, increase: np.ndarray, received: np.ndarray) -> Verdict:
    """Position of the date whose occlusion raises the loss most, from (windows, dates)."""
    mean = increase.mean(0)
    most = int(mean.argmax())
    several = [
        (int(received.mean(0).argmax()), "That date receives the most attention."),
        (int(mean.argmin()), "Without that date the loss rises least."),
        (int(np.median(increase, 0).argmax()), "There the median over the patches is largest."),
        (int(increase.max(0).argmax()), "There is the largest rise of a single patch."),
        (int(increase[0].argmax()), "The first patch misses it most: average over all patches."),
        (int(received.mean(0).argmin()), "That date receives the least attention."),
        (int(np.argsort(mean)[-2]), "It is the one that is missed second most."),
    ]
    told = (
        "That is by how much; give the position of the date.",
        "That is by how much, in one patch; give the position of the date.",
    )
    return check(answer, most, 0, _largest_on_average(increase, several, *told), WHOLE)


def _largest_on_average(
    table: np.ndarray, several: list[tuple[int, str]], of_mean: str, of_one: str
) -> dict[float, str]:
    """Hints where the date is asked for at which (windows, dates) are largest on average, and a
    learner gives another position, the number itself, or a place in the table.
    """
    mean = table.mean(0)
    hints: dict[float, str] = {
        **positions(several, int(mean.argmax()), len(mean)),
        len(mean): f"That is the number of dates: positions go from 0 to {len(mean) - 1}.",
        float(mean.max()): of_mean,
        float(table.max()): of_one,
    }
    if table.argmax() >= len(mean):
        hints[int(table.argmax())] = "Average over the patches first: that is a place in the table."
    return hints


RATIO = Asked("a ratio (above 0)", "3.2", 0)


def _sees_dates(x: torch.Tensor) -> torch.Tensor:
    """A small network that gives logits (n, 2, P, P), from dates 1 and 2."""
    return torch.stack([x[:, 1, 0] + 0.3 * x[:, 1, 1], x[:, 2, 1] - x[:, 1, 0]], 1)


def _inputs() -> tuple[torch.Tensor, torch.Tensor]:
    """Patches (4, 3, 2, 6, 6) whose means differ by patch, date and band, and their labels."""
    draw = torch.Generator().manual_seed(7)
    level = torch.randn((4, 3, 2, 1, 1), generator=draw)
    x = 0.5 + level + torch.randn((4, 3, 2, 6, 6), generator=draw)
    return x, (x[:, 1, 0] < x[:, 2, 1]).long()


@exercise
def explorer_4(function: Callable) -> Verdict:
    """A function (model, x, labels, date): by how much the loss rises without a date, in nat."""
    return build(
        function,
        _leaves_input_alone,
        _right_increase,
        _nothing_to_hide,
        _takes_other_sizes,
        given="model x labels date",
        takes="any model, patches x (n x dates x bands x P x P), labels (n x P x P) and a date",
        gives="one number, the rise of the loss",
        errors={
            r"'Long'|scalar type Long|Long but": "The loss gets its arguments in the wrong order: "
            "first the logits of the model, then the labels ({error}).",
        },
    )


def _takes_other_sizes(function: Callable) -> str | None:
    """Five patches of five dates, three bands and 4 x 4 pixels, and another model."""
    draw = torch.Generator().manual_seed(8)
    x = torch.randn((5, 5, 3, 4, 4), generator=draw) + torch.arange(3.0)[:, None, None]
    labels = (x[:, 4, 2] > 2).long()

    def model(x: torch.Tensor) -> torch.Tensor:
        return torch.stack([x[:, 0, 1], x[:, 4, 2] * x[:, 3, 0]], 1)

    def loss(x: torch.Tensor) -> float:
        return float(F.cross_entropy(model(x), labels))

    for date in (4, 3):
        hidden = x.clone()
        hidden[:, date] = x[:, date].mean((0, 2, 3), keepdim=True)
        right = loss(hidden) - loss(x)
        given = one_number(function(model, x.clone(), labels.clone(), date))
        if given is None or not np.isclose(given, right, atol=1e-4):
            return (
                "With five dates, three bands and patches of 4 x 4 pixels it is not right: count "
                "on no fixed sizes, and use the model that is given."
            )
    return None


def _leaves_input_alone(function: Callable) -> str | None:
    x, labels = _inputs()
    given = x.clone()
    function(_sees_dates, given, labels, 1)
    if not torch.equal(given, x):
        return "The patches that it was given are changed: fill the date in x.clone()."
    return None


def _right_increase(function: Callable) -> str | None:
    x, labels = _inputs()

    def loss(x: torch.Tensor) -> float:
        return float(F.cross_entropy(_sees_dates(x), labels))

    def filled(value: torch.Tensor | float, place: tuple = np.s_[:, 1]) -> float:
        other = x.clone()
        other[place] = value
        return loss(other)

    mean = x[:, 1].mean((0, 2, 3), keepdim=True)
    before, after = loss(x), filled(mean)
    given = one_number(function(_sees_dates, x, labels, 1))
    if given is None:
        return "Return one number: the loss without the date minus the loss with it."
    if np.isclose(given, after - before, atol=1e-4):
        return None
    reasons = {
        before - after: "Without the date minus with it: a loss that rises is positive.",
        after: "That is the loss without the date; subtract the loss with it.",
        filled(0.0) - before: "You fill in 0; fill in the date's mean, so that its level stays.",
        filled(x.mean()) - before: "That is the mean of all dates; take the mean of this date.",
        filled(x[:, 1].mean())
        - before: "VV and VH have their own means: do not average the bands.",
        filled(x[:, 1].mean((2, 3), keepdim=True)) - before: "Each patch keeps its own mean, which "
        "still tells of it: average over the patches as well.",
        filled(x[:, 1].mean(0)) - before: "Each pixel keeps its own mean: average over rows and "
        "columns as well.",
        filled(x.mean((0, 1, 3, 4), keepdim=True)[:, 0]) - before: "That is the mean of all dates; "
        "take the mean of this date.",
        filled(mean[:, :1], np.s_[:, 1, :1]) - before: "Fill both bands.",
        0.0: "Nothing changed: give the network the patches that you filled.",
        filled(x[:, 1].mean((0, 1, 2, 3))) - before: "VV and VH have their own means: do not "
        "average the bands.",
        filled(x[:, 1].median()) - before: "That is a median; take the mean of this date.",
        filled(x[:, 1].transpose(0, 1).flatten(1).median(1).values[:, None, None])
        - before: "That is the median of each band; take the mean.",
        filled(x[:, 0]) - before: "That is the date before it; fill in the mean of this date.",
        filled(x[:, 2].mean((0, 2, 3), keepdim=True), np.s_[:, 2])
        - before: "You filled another date: positions count from 0.",
        before: "That is the loss with the date; take the loss without it, minus this.",
        after / before: "That is a ratio; take the difference of the losses.",
        after + before: "The losses are added: take the difference.",
        100 * (after - before): "That is times 100; give the difference in nat.",
        (after - before) / before: "That is relative to the loss; give the difference in nat.",
        (after - before) / np.log(2): "That is in bits; give nat, the natural logarithm.",
    }
    why = [text for wrong, text in reasons.items() if np.isclose(given, wrong, atol=1e-4)]
    hint = why[0] if why else "Fill x[:, date], band by band, with its mean over all else."
    return f"The loss should rise by {after - before:.4f}, not by {given:.4g}. {hint}"


def _nothing_to_hide(function: Callable) -> str | None:
    x, labels = _inputs()
    blind = one_number(function(_sees_dates, x, labels, 0))
    if blind is None or abs(blind) > 1e-6:
        return "This network does not look at date 0: without it the loss does not rise."
    x = x.to(torch.float64)
    x[:, 1] = x[:, 1].mean((0, 2, 3), keepdim=True)  # the date tells nothing
    given = float(function(_sees_dates, x, labels, 1))
    if abs(given) > 1e-6:
        return f"A date that is its mean everywhere costs nothing, but here {given:.3g}."
    one = one_number(function(_sees_dates, x[:1], labels[:1], 2))
    if one is None or not np.isfinite(one):
        return "With a single patch it gives no number."
    return None


@exercise
def explorer_5(
    predicted: object,
    found: object,
    because: object,
    drop: np.ndarray,
    increase: np.ndarray,
    received: np.ndarray,
) -> Verdict:
    """Points of accuracy lost without the date that is missed most, from (windows, dates)."""
    by_loss, by_drop = increase.mean(0), 100 * drop.mean(0)
    points = by_drop[by_loss.argmax()]
    hints = [
        (points / 100, "In points: times 100."),
        (-points, "Lost points are positive."),
        (by_drop[received.mean(0).argmax()], "That is without the date that is attended to most."),
        (by_loss.max(), "That is the rise of the loss, in nat; take accuracy_drop."),
        (100 * by_loss.max(), "That is the rise of the loss; take accuracy_drop."),
        (by_drop.mean(), "That is the mean over all dates."),
        (100 * drop.max(), "That is the worst patch: average over patches."),
        (
            by_drop.max(),
            "That is the largest of all dates; take the date of exercise 3, found by the loss.",
        ),
        (by_drop.min(), "That is the smallest of all dates; take the date of exercise 3."),
        (
            100 * np.median(drop[:, by_loss.argmax()]),
            "That is the median over patches: take the mean.",
        ),
        (100 * drop[0, by_loss.argmax()], "That is the first patch: average over patches."),
        (100 - points, "That is not what is lost."),
        (float(by_loss.argmax()), "That is the position of the date; what does it lose?"),
    ]
    return predict(predicted, found, because, points, 0.1, hints, POINTS)
