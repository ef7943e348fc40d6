"""The checks of notebook 01, What the radar sees."""

import warnings
from collections.abc import Callable

import numpy as np

from stma_nb.course.exercises.checks import (
    DECIBELS,
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

ENL = Asked("an ENL (above 0, at most 100)", "3.2", 1e-9, 100)


@exercise
def time_series_1(answer: object) -> Verdict:
    """Backscatter of a field that is half at -10 and half at -20 dB."""
    mean = (0.1 + 0.01) / 2
    hints = {
        -15.0: "That is the mean of the decibels. "
        "Go to linear power, average there, and come back.",
        mean: "That is the mean power; now express it in dB.",
        -10 * np.log10(mean): "The number is right but for its sign: "
        "powers below one have negative decibels.",
        10 * np.log10(2 * mean): "That is the sum of both powers; their mean is half of it.",
        np.log10(mean): "That is the logarithm; decibels are ten times that.",
        10 * np.log(mean): "That is the natural logarithm; decibels use the logarithm to base 10.",
        20 * np.log10(mean): "Backscatter is a power: 10 times the logarithm. 20 times is for "
        "amplitudes.",
        -13.0: "Round at the end only, and give a decimal or two.",
        -10 * np.log10(10 + 100): "-10 dB is a power of 0.1, and not of 10.",
        -30.0: "Decibels that are added multiply the powers; a field is a mean of powers.",
        5.0: "That is half the difference in dB: the mean is one of powers.",
        -10.0: "That is the brighter half alone.",
        -20.0: "That is the darker half alone.",
        0.11: "That is the sum of both powers: take their mean, and express it in dB.",
    }
    return check(answer, 10 * np.log10(mean), 0.02, hints, DECIBELS)


@exercise
def time_series_2(answer: object, power: np.ndarray) -> Verdict:
    """ENL of the pixels of a field."""
    if np.nanmin(power) < 0:
        print("vv holds decibels: leave it as it is given, in linear power.")
        return False
    decibels = 10 * np.log10(power)
    looks = power.mean() ** 2 / power.var()
    hints = [
        (10 * np.log10(looks), "That is the ENL in dB; give it as it is."),
        (
            (power**2).mean() / power.var(),
            "First the mean of vv, then its square: the mean of the squares is another number.",
        ),
        (np.median(power) ** 2 / power.var(), "That is the median squared; take the mean."),
        (power.size, "That is the number of pixels. ENL tells how little they spread."),
        (np.sqrt(looks / 2), "Square the whole mean, and divide by the variance once."),
        (power.var(), "That is the variance alone; divide the squared mean by it."),
        (power.mean(), "That is the mean; square it and divide by the variance."),
        (power.mean() ** 2, "That is the squared mean; divide it by the variance."),
        (
            power.mean() ** 2 / power.std(),
            "Divide by the variance, which is the squared standard deviation.",
        ),
        (
            power.mean() / power.std(),
            "That is the mean over the standard deviation. ENL is its square.",
        ),
        (
            power.var() / power.mean() ** 2,
            "That is the inverse: ENL grows when the spread shrinks.",
        ),
        (power.mean() / power.var(), "Square the mean before you divide by the variance."),
        (
            decibels.mean() ** 2 / decibels.var(),
            "That is computed from decibels; ENL is one of linear power.",
        ),
        (
            power.std() / power.mean(),
            "That is the standard deviation over the mean. ENL is the inverse, squared.",
        ),
    ]
    number = one_number(answer)
    known = any(abs(number - wrong) < 0.012 for wrong, _ in hints) if number is not None else True
    if number is not None and not known and 0.012 < abs(number - looks) < 0.1:
        near = "That is near, but not it: take VV of the same date, and do not round."
        hints.append((number, near))
    return check(answer, looks, 0.012, hints, ENL)


@exercise
def time_series_3(answer: object, table: np.ndarray, present: list[str]) -> Verdict:
    """Date on which wheat and rapeseed differ most in mean VH."""
    rapeseed, wheat = (table[present.index(name)] for name in ("Rapeseed", "Wheat"))
    gap = rapeseed - wheat
    size = np.abs(gap)
    most = int(size.argmax())
    several = [  # what a position may come from, and what to say
        (int(size.argmin()), "There they differ least."),
        (int(gap.argmin()), "There rapeseed is furthest below wheat: look at the size alone."),
        (int(gap.argmax()), "There rapeseed is furthest above wheat: look at the size alone."),
        (int(rapeseed.argmax()), "There rapeseed is brightest: subtract wheat first."),
        (int(rapeseed.argmin()), "There rapeseed is darkest: subtract wheat first."),
        (int(wheat.argmax()), "There wheat is brightest: subtract it from rapeseed first."),
        (int(wheat.argmin()), "There wheat is darkest: subtract it from rapeseed first."),
        (int(np.argsort(size)[-2]), "There rapeseed and wheat differ second most."),
        (int(np.abs(10 ** (rapeseed / 10) - 10 ** (wheat / 10)).argmax()), LINEAR),
    ]
    for other in [name for name in ("Maize", "Grassland", "Potato", "Barley") if name in present]:
        row = table[present.index(other)]
        for name, crop in (("wheat", wheat), ("rapeseed", rapeseed)):
            place = int(np.abs(row - crop).argmax())
            several.append(
                (place, f"There {other.lower()} and {name} differ most, not rapeseed and wheat.")
            )
    hints = positions(several, most, gap.size)
    hints[float(size.max())] = "That is by how much they differ; give the position of the date."
    number = one_number(answer)
    outside = f"Give the position of the date, from 0 to {gap.size - 1}."
    if isinstance(answer, str) and number is None:
        print(f"Give the position of the date, a number from 0 to {gap.size - 1}, not its name.")
        return False
    if number is not None and number.is_integer() and not 0 <= number < gap.size:
        hints.setdefault(number, outside)
    return check(answer, most, 0.0, hints, WHOLE)


LINEAR = "There they differ most in linear power: compare the decibels."


POWER = np.array([0.1, 0.01])


@exercise
def time_series_4(mean_db: Callable) -> Verdict:
    """A function that gives the mean backscatter of pixels in dB."""
    return build(
        mean_db,
        _mean_of_two,
        _mean_with_zero,
        _mean_of_field,
        _mean_of_uneven_rows,
        _mean_of_one,
        given="power",
        takes="an array of any shape, or a single number",
        gives="one number in dB",
    )


def _mean_of_two(mean_db: Callable) -> str | None:
    power = POWER.copy()
    number = one_number(mean_db(power))
    if not np.array_equal(power, POWER):
        return "It changes the array it was given: compute on a new one."
    if number is None:
        return "It is to return one number for all pixels together."
    mean = POWER.mean()
    wrong = {
        10 * np.log10(POWER).mean(): "That is the mean of the decibels: average power first.",
        mean: "That is the mean power; express it in dB.",
        np.log10(mean): "Decibels are ten times the logarithm.",
        10 * np.log(mean): "Decibels use the logarithm to base 10: np.log10.",
        20 * np.log10(mean): "Backscatter is a power: 10 times the logarithm, not 20.",
        -10 * np.log10(mean): "The sign is turned: powers below one have negative decibels.",
        10 * np.log10(POWER.sum()): "That is the sum of the powers in dB; take their mean.",
        10 * np.log10(np.median(np.square(POWER))): "Take the mean of the powers as they are.",
    }
    return _judged(number, 10 * np.log10(mean), wrong, "of 0.1 and 0.01")


def _mean_with_zero(mean_db: Callable) -> str | None:
    with np.errstate(all="ignore"):
        number = one_number(mean_db(np.array([0.0, 0.2])))
    wrong = {10 * np.log10(0.2): "A pixel of power 0 is a measurement: count it as well."}
    return _judged(number, -10.0, wrong, "of 0 and 0.2")


def _mean_of_field(mean_db: Callable) -> str | None:
    field = np.array([[0.1, np.nan], [0.01, np.nan]])
    given = mean_db(field)
    if np.size(given) > 1:
        return "A field has rows and columns: take the mean of all its pixels, one number."
    if not np.array_equal(field, [[0.1, np.nan], [0.01, np.nan]], equal_nan=True):
        return "It changes the array it was given: compute on a new one."
    number = one_number(given)
    wrong = {
        np.nan: "Pixels outside the field are nan: leave them out (np.nanmean).",
        10 * np.log10(POWER.sum() / 4): "Pixels that are nan do not count: "
        "divide by the number of the others.",
    }
    return _judged(number, 10 * np.log10(POWER.mean()), wrong, "of a field with nan around it")


def _mean_of_uneven_rows(mean_db: Callable) -> str | None:
    """Three dates of rows and columns, of which rows lack more or fewer pixels."""
    stack = np.random.default_rng(1).gamma(1, 0.1, (3, 4, 5))
    stack[0, :2, 1:] = stack[2, 3] = np.nan
    power = stack[np.isfinite(stack)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a row of nan alone has no mean
        by_row = [np.nanmean(np.nanmean(stack, axis=axis)) for axis in (0, 1, 2, (1, 2))]
        number = one_number(mean_db(stack.copy()))
    in_rows = "That is a mean of means: rows have different numbers of pixels, so take one mean."
    alone = "That is one date alone: take all pixels."
    median = "That is the median, and the mean is asked for."
    wrong = {
        10 * np.log10(np.median(power)): median,
        np.median(10 * np.log10(power)): median,
        10 * np.log10(np.nanmean(stack[0])): alone,
        10 * np.log10(stack[1].mean()): alone,
        10 * np.log10(power.max()): "That is the largest value: take the mean.",
        10 * np.log10((power.max() + power.min()) / 2): "That is the middle of the largest and the "
        "smallest: take the mean.",
    } | {10 * np.log10(mean): in_rows for mean in by_row}
    return _judged(number, 10 * np.log10(power.mean()), wrong, "of 3 x 4 x 5 pixels")


def _mean_of_one(mean_db: Callable) -> str | None:
    try:
        given = mean_db(0.5)
    except (TypeError, IndexError, AttributeError) as error:
        return (
            f"A single number, 0.5, is to do as well; with it, it stops: {error}. Take functions "
            "of numpy, which know numbers and arrays alike."
        )
    return _judged(one_number(given), 10 * np.log10(0.5), {}, "of the single number 0.5")


def _judged(number: float | None, right: float, wrong: dict[float, str], what: str) -> str | None:
    """None where the number is right; otherwise why it is wrong."""
    if number is not None and np.isclose(number, right, atol=5e-3):
        return None
    given = np.nan if number is None else number
    for value, why in wrong.items():
        if np.isclose(given, value, rtol=0, atol=5e-3, equal_nan=number is not None):
            return why
    told = "no number" if number is None else f"{number:.2f}"
    return f"The mean {what} is {right:.2f} dB; yours is {told}."


@exercise
def time_series_5(
    predicted: object, found: object, because: object, four: np.ndarray, one: np.ndarray
) -> Verdict:
    """ENL of the mean of four dates; ``one`` holds the pixels of a single date."""
    looks = one.mean() ** 2 / one.var()
    expected = four.mean() ** 2 / four.var()
    if np.nanmin(four) < 0:
        print("four holds decibels: leave it as it is given, in linear power.")
        return False
    hints = [
        (10 * np.log10(expected), "That is the ENL in dB; give it as it is."),
        (
            (four**2).mean() / four.var(),
            "That is the mean of the squares. Take the mean first, then its square.",
        ),
        (four.mean() / four.var(), "Square the mean before you divide by the variance."),
        (four.var(), "That is the variance alone; divide the squared mean by it."),
        (four.mean(), "That is the mean power; ENL is its square over the variance."),
        (four.size, "That is the number of pixels. ENL tells how little they spread."),
        (
            (10 * np.log10(four)).mean() ** 2 / np.var(10 * np.log10(four)),
            "That is computed from decibels; ENL is one of linear power.",
        ),
        (
            4 * looks,
            "That is four times the ENL of one date, as it would be for speckle alone. "
            "Compute it from the pixels in four.",
        ),
        (looks, "That is the ENL of one date. Take the pixels in four."),
        (2 * looks, "That is twice the ENL of one date. Compute it from the pixels in four."),
        (np.sqrt(expected), "That is the mean over the standard deviation. ENL is its square."),
        (1 / expected, "That is the inverse: ENL grows when the spread shrinks."),
    ]
    return predict(predicted, found, because, expected, 0.06, hints, ENL)
