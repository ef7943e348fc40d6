"""The checks of notebook 01, What the radar sees."""

from collections.abc import Callable

import numpy as np

from stma_nb.course.exercises.checks import Verdict, build, check, exercise, one_number, predict


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
    }
    return check(answer, 10 * np.log10(mean), 0.02, hints)


@exercise
def time_series_2(answer: object, power: np.ndarray) -> Verdict:
    """ENL of the pixels of a field."""
    decibels = 10 * np.log10(power)
    hints = {
        power.mean() / power.std(): "That is the mean over the standard deviation. "
        "ENL is its square.",
        power.var() / power.mean() ** 2: "That is the inverse: ENL grows when the spread shrinks.",
        power.mean() / power.var(): "Square the mean before you divide by the variance.",
        decibels.mean() ** 2 / decibels.var(): "That is computed from decibels; "
        "ENL is one of linear power.",
        power.std() / power.mean(): "That is the standard deviation over the mean. "
        "ENL is the inverse, squared.",
    }
    right = power.mean() ** 2 / power.var()
    number = one_number(answer)
    if number is not None and 0.012 < abs(number - right) < 0.1:
        hints[number] = "That is near, but another band or date: take VV of the same date."
    return check(answer, right, 0.012, hints)


@exercise
def time_series_3(answer: object, table: np.ndarray, present: list[str]) -> Verdict:
    """Date on which wheat and rapeseed differ most in mean VH."""
    rapeseed, wheat = (table[present.index(name)] for name in ("Rapeseed", "Wheat"))
    gap = rapeseed - wheat
    most = int(np.abs(gap).argmax())
    hints: dict[float, str] = {
        int(np.abs(gap).argmin()): "There they differ least.",
        int(gap.argmin()): "There rapeseed is furthest below wheat; "
        "look at the size of the difference, whatever its sign.",
        most + 1: "Count from 0: the first date has position 0.",
        int(rapeseed.argmax()): "There rapeseed is brightest; subtract wheat first.",
    }
    number = one_number(answer)
    if isinstance(answer, str) and number is None:
        print(f"Give the position of the date, a number from 0 to {gap.size - 1}, not its name.")
        return False
    if number is not None and not 0 <= number < gap.size and number != most + 1:
        hints[number] = f"Give the position of the date, from 0 to {gap.size - 1}."
    return check(answer, most, 0, hints)


POWER = np.array([0.1, 0.01])


@exercise
def time_series_4(mean_db: Callable) -> Verdict:
    """A function that gives the mean backscatter of pixels in dB."""
    return build(mean_db, _mean_of_two, _mean_with_zero, _mean_of_field, _mean_of_one)


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
    number = one_number(given)
    wrong = {
        np.nan: "Pixels outside the field are nan: leave them out (np.nanmean).",
        10 * np.log10(POWER.sum() / 4): "Pixels that are nan do not count: "
        "divide by the number of the others.",
    }
    return _judged(number, 10 * np.log10(POWER.mean()), wrong, "of a field with nan around it")


def _mean_of_one(mean_db: Callable) -> str | None:
    try:
        given = mean_db(0.5)
    except (TypeError, IndexError, AttributeError) as error:
        return f"A single number, 0.5, is to do as well; with it, it stops: {error}."
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
    hints = {
        4 * looks: "That is four times the ENL of one date, as it would be for speckle alone. "
        "Compute it from the pixels in four.",
        looks: "That is the ENL of one date. Take the pixels in four.",
        2 * looks: "That is twice the ENL of one date. Compute it from the pixels in four.",
        np.sqrt(expected): "That is the mean over the standard deviation. ENL is its square.",
        1 / expected: "That is the inverse: ENL grows when the spread shrinks.",
    }
    return predict(predicted, found, because, expected, 0.06, hints)
