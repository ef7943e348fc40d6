"""The checks of notebook 11, Another place, another year."""

from collections.abc import Callable

import numpy as np
import xarray as xr

from stma_nb import train
from stma_nb.course.exercises.checks import (
    DECIBELS,
    POINTS,
    Asked,
    Verdict,
    build,
    check,
    exercise,
    predict,
)

FACTOR = Asked("a factor (above 0)", "3.2", 0)


@exercise
def transfer_1(answer: object, lost: dict[str, dict[str, float]]) -> Verdict:
    """Points of accuracy on crops lost in another place of the same year."""
    home, place = lost["test blocks at home"], lost["another place"]
    both = list(lost.values())[-1]
    fall = 100 * (home["crops only"] - place["crops only"])
    hints = [
        (fall / 100, "In points: times 100."),
        (-fall, "Home minus away: positive where accuracy falls."),
        (
            100 * (home["crops only"] - both["crops only"]),
            "That is another place and another year.",
        ),
        (100 * (home["pixels right"] - place["pixels right"]), "That counts the background, too."),
        (
            100 * (place["crops only"] - both["crops only"]),
            "That is from the other place to another year; begin at home.",
        ),
        (100 * home["crops only"], "That is what is right at home; how much is lost?"),
        (100 * place["crops only"], "That is what is left; how much is lost?"),
        (
            100 * (1 - place["crops only"]),
            "That is what is wrong in the other place; how much more is it than at home?",
        ),
        (
            100 * (1 - place["crops only"] / home["crops only"]),
            "That is in per cent of the share at home; points are the difference of the shares.",
        ),
        (home["crops only"] / place["crops only"], "That is a ratio; points are the difference."),
        (place["crops only"] / home["crops only"], "That is a ratio; points are the difference."),
        (home["crops only"], "That is the share at home; how many points are lost?"),
        (place["crops only"], "That is the share in the other place; how many points are lost?"),
    ]
    return check(answer, fall, 0.1, hints, POINTS)


@exercise
def transfer_2(answer: object, away: xr.Dataset, home: xr.Dataset) -> Verdict:
    """Difference of the mean VH of the first date, away minus home (dB)."""
    there, here = train.date_levels(away), train.date_levels(home)
    difference = there["vh"].values - here["vh"].values
    of_vv = there["vv"].values[0] - here["vv"].values[0]
    ratio = 10 ** (difference[0] / 10)
    hints = [
        (-difference[0], "Away minus home."),
        (ratio, "That is a factor of power; give decibels."),
        (there["vh"].values[0], "That is the level away; subtract the level at home."),
        (difference.mean(), "That is the mean over all dates; take the first."),
        (difference[-1], "That is the last date; take the first."),
        (of_vv, "That is VV; take VH."),
        (here["vh"].values[0], "That is the level at home; take it off that away."),
        (difference[1], "That is the second date; take the first, which has position 0."),
        (np.abs(difference).max(), "That is the largest difference of all dates; take the first."),
        (there["vh"].values[0] + here["vh"].values[0], "Levels are subtracted: away minus home."),
        (
            there["vh"].values[0] / (here["vh"].values[0] or np.nan),
            "That is a ratio of decibels, which means nothing: subtract them.",
        ),
        (
            there["vh"].values[0] - here["vv"].values[0],
            "That is VH away minus VV at home; take VH of both.",
        ),
        (
            10 ** (there["vh"].values[0] / 10) - 10 ** (here["vh"].values[0] / 10),
            "That is a difference of powers; give decibels.",
        ),
        (np.median(difference), "That is the median over all dates; take the first."),
    ]
    return check(answer, difference[0], 0.02, hints, DECIBELS)


@exercise
def transfer_3(answer: object) -> Verdict:
    """2 dB as a factor of power."""
    hints = {
        2: "Decibels are not factors: 10 to the power of dB / 10.",
        10**-0.2: "Raised, not lowered.",
        10**0.1: "dB / 10, not / 20.",
        100: "2 dB is 0.2 bel: dB / 10 in the exponent.",
        np.exp(0.2): "To the power of 10, not of e.",
        np.exp(-0.2): "10 to the power of dB / 10, and raised: not e, not lowered.",
        np.exp(2): "10 to the power of dB / 10, not e to the power of dB.",
        0.2: "That is the exponent: 10 to the power of it.",
        10 * np.log10(2): "That is the way back, from a factor to dB.",
        np.log10(2): "That is the way back, from a factor to dB.",
        2**0.2: "10 to the power of dB / 10, not 2.",
        10**-0.1: "dB / 10, not / 20; and raised, not lowered.",
        -2: "A factor is above 0: 10 to the power of dB / 10.",
        10**0.2 - 1: "That is by how much it rises; give the factor.",
        0.01: "2 dB is 0.2 bel: dB / 10 in the exponent; and raised, not lowered.",
        10**0.4: "dB / 10, not / 5: the square is for amplitudes.",
        20: "Do not multiply decibels: 10 to the power of dB / 10.",
        1.02: "Decibels are no per cent: 10 to the power of dB / 10.",
        1.2: "Decibels are no tenths: 10 to the power of dB / 10.",
        1.5: "That looks rounded: give two decimals.",
        1.6: "That looks rounded: give two decimals.",
    }
    return check(answer, 10**0.2, 0.01, hints, FACTOR)


@exercise
def transfer_4(function: Callable) -> Verdict:
    """A function (power, levels) that brings each date of a season to a mean in dB."""
    return build(
        function,
        _keeps_its_input,
        _right_levels,
        _gaps_and_single_dates,
        _takes_other_sizes,
        given="power levels",
        takes="a season (dates x rows x columns) of any size, and a level for each date",
        gives="a season as large as the one that is given",
        errors={
            r"could not be broadcast|operands could not": "Levels of dates do not fit a season, "
            "with {at} ({error}): a factor for each date is factor[:, None, None].",
        },
    )


def _takes_other_sizes(function: Callable) -> str | None:
    """Seven dates of 3 x 7 pixels; and 6 x 6 x 6 numbers, where a wrong side would not be seen."""
    for shape in ((7, 3, 7), (6, 6, 6)):
        power = np.random.default_rng(3).gamma(4, 0.02, shape)
        levels = np.linspace(-20, -8, shape[0])
        wanted = levels.copy()
        moved = np.asarray(function(power.copy(), levels), float)
        if not np.array_equal(levels, wanted):
            return "The levels that it was given are changed: work on new arrays."
        right = power * 10 ** ((levels - _in_db(power).mean((1, 2))) / 10)[:, None, None]
        if moved.shape != shape or not np.allclose(moved, right, rtol=1e-4):
            return (
                f"With {' x '.join(map(str, shape))} numbers it is not right: the first side are "
                "the dates, and each has a level of its own."
            )
    return None


def _powers() -> tuple[np.ndarray, np.ndarray]:
    """Linear power (3, 4, 5) with speckle, and levels (3,) in dB that it does not have."""
    draw = np.random.default_rng(2)
    power = np.array([0.02, 0.05, 0.01])[:, None, None] * draw.gamma(4, 0.25, (3, 4, 5))
    return power.astype("float32"), np.array([-15.0, -12.5, -21.0])


def _in_db(power: np.ndarray) -> np.ndarray:
    return 10 * np.log10(power)


def _keeps_its_input(function: Callable) -> str | None:
    power, levels = _powers()
    given = power.copy()
    moved = function(given, levels.copy())
    if np.shape(moved) != power.shape:
        return f"It gives the shape {np.shape(moved)}; expected {power.shape}, that of power."
    if not np.array_equal(given, power):
        return "The power that it was given is changed: return a new array."
    return None


def _right_levels(function: Callable) -> str | None:
    power, levels = _powers()
    moved = np.asarray(function(power.copy(), levels.copy()), float)
    own = _in_db(power).mean((1, 2))
    right = power * 10 ** ((levels - own) / 10)[:, None, None]
    if np.allclose(moved, right, rtol=1e-4):
        return None
    of_power = _in_db(power.mean((1, 2)))
    once = levels.mean() - own.mean()
    rise = (levels - own)[:, None, None]
    reasons = [
        (_in_db(right), "That is in dB; the season is kept in linear power."),
        (power + rise, "Decibels are added to decibels: linear power is multiplied by a factor."),
        (power * 10 ** (-rise / 10), "It moves the wrong way: wanted level minus own level."),
        (power * 10 ** (rise / 20), "dB / 10 in the exponent, not / 20."),
        (
            power * 10 ** ((levels - of_power) / 10)[:, None, None],
            "The level is the mean of the decibels, not the decibels of the mean.",
        ),
        (power * 10 ** (once / 10), "Each date has its own level: do not average over time."),
        (
            power * (levels / own)[:, None, None],
            "A ratio of decibels means nothing: subtract them.",
        ),
        (power, "Nothing moved."),
        (
            power * 10 ** ((levels - np.median(_in_db(power), (1, 2))) / 10)[:, None, None],
            "The level is the mean of the decibels, not their median.",
        ),
        (_in_db(power) + rise, "That is in dB; the season is kept in linear power."),
        (power * np.exp(rise / 10), "10 to the power of dB / 10, not e."),
        (power * 10**rise, "dB / 10 in the exponent, not dB."),
        (
            np.broadcast_to(10 ** (levels / 10)[:, None, None], power.shape),
            "All pixels of a date are the same now: multiply them by a factor.",
        ),
        (power * 10 ** (levels / 10)[:, None, None], "Take off the date's own level first."),
        (power * rise, "A rise in dB is no factor: 10 to the power of dB / 10."),
    ]
    with np.errstate(invalid="ignore"):
        why = [text for wrong, text in reasons if np.allclose(moved, wrong, rtol=1e-4)]
        reached = _in_db(moved).mean((1, 2))
    hint = why[0] if why else "Factor of a date: 10 ** ((wanted - own mean in dB) / 10)."
    return f"Date 0 should have a mean of {levels[0]:.1f} dB, it has {reached[0]:.1f}. {hint}"


def _gaps_and_single_dates(function: Callable) -> str | None:
    power, levels = _powers()
    one = np.asarray(function(power[:1].copy(), levels[:1].copy()), float)
    if one.shape != power[:1].shape or not np.isclose(_in_db(one).mean(), levels[0], atol=1e-3):
        return "A season of a single date is not brought to its level."
    power[1, 0, 0] = np.nan
    moved = np.asarray(function(power.copy(), levels.copy()), float)
    if not np.isnan(moved[1, 0, 0]):
        return "A pixel without data (nan) has a value afterwards: leave it nan."
    if np.isnan(moved).sum() > 1:
        return "One pixel without data takes the whole date with it: average with np.nanmean."
    if not np.isclose(np.nanmean(_in_db(moved[1])), levels[1], atol=1e-3):
        return "With a pixel without data the date misses its level."
    return None


@exercise
def transfer_5(
    predicted: object, found: object, because: object, lost: dict[str, dict[str, float]]
) -> Verdict:
    """Points of crop pixels lost in place 13, from ``lost["place 13"]``."""
    if "place 13" not in lost:
        return predict(predicted, None, because, 0, asked=POINTS)
    home, there = lost["test blocks at home"], lost["place 13"]
    first = lost["another place"]
    fall = 100 * (home["crops only"] - there["crops only"])
    hints = [
        (fall / 100, "In points: times 100."),
        (-fall, "Home minus away: positive where accuracy falls."),
        (100 * (home["crops only"] - first["crops only"]), "That is the first of the two places."),
        (100 * (home["pixels right"] - there["pixels right"]), "That counts the background, too."),
        (100 * there["crops only"], "That is what is left; how much is lost?"),
        (
            100 * (first["crops only"] - there["crops only"]),
            "That is against place 12; begin at home.",
        ),
        (
            100 * (1 - there["crops only"]),
            "That is what is wrong; how much more is it than at home?",
        ),
        (
            100 * (1 - there["crops only"] / home["crops only"]),
            "That is in per cent of the share at home; points are the difference of the shares.",
        ),
        (100 * home["crops only"], "That is what is right at home; how much is lost?"),
        (home["crops only"] / there["crops only"], "That is a ratio; points are the difference."),
    ]
    return predict(predicted, found, because, fall, 0.1, hints, POINTS)
