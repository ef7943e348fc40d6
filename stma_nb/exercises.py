"""The checks behind the notebooks' exercises: each tells right from wrong, and what led to a typical wrong number."""

import numpy as np

from stma_nb import speckle


def check(answer: object, expected: float, tolerance: float = 0.01, hints: dict[float, str] | None = None) -> None:
    """Print whether the answer to an exercise is right; ``hints`` tell what led to a typical wrong number."""
    if answer is None:
        print("Not attempted yet: replace None by your answer and run the cell again.")
        return
    try:
        number = float(answer)
    except (TypeError, ValueError):
        print(f"Expected one number, got {type(answer).__name__}.")
        return
    if abs(number - expected) <= tolerance:
        print(f"Well done: {number:.4g} is right.")
        return
    reasons = [why for wrong, why in (hints or {}).items() if abs(number - wrong) <= tolerance]
    if 0 < expected < 1 and abs(number - 100 * expected) <= 100 * tolerance:
        reasons.insert(0, "The number is right in per cent; give it as a share between 0 and 1.")
    print(f"{number:.4g} is not right. {reasons[0] if reasons else 'Look at the section above again, or open the solution.'}")


# -------------------------------------------------------------------------------------------------------- 00 quickstart


def quickstart_1(answer: object) -> None:
    """0.02 of the power in dB."""
    hints = {
        17.0: "A share below one has a negative logarithm.",
        -39.1: "That is 10 times the natural logarithm; decibels use the logarithm to base 10.",
        -1.7: "That is the logarithm; decibels are ten times that.",
    }
    check(answer, 10 * np.log10(0.02), 0.1, hints)


def quickstart_2(answer: object, matrix: np.ndarray, code: int) -> None:
    """User's accuracy of a class."""
    producers = matrix[code, code] / matrix[:, code].sum()
    hints = {producers: "That is the producer's accuracy: you divided by the reference. Divide by what the map calls so."}
    check(answer, matrix[code, code] / matrix[code].sum(), 1e-3, hints)


def quickstart_3(answer: object, matrix: np.ndarray) -> None:
    """Overall accuracy of a map that is background everywhere."""
    total = matrix.sum()
    hints = {
        matrix[0].sum() / total: "That is what the network's map calls background. Where is the *reference* background?",
        matrix[0, 0] / total: "That counts only background which the network found too; the lazy map finds all of it.",
    }
    check(answer, matrix[:, 0].sum() / total, 1e-3, hints)


# --------------------------------------------------------------------------------------------------- 01 SAR time series


def time_series_1(answer: object) -> None:
    """Backscatter of a field that is half at -10 and half at -20 dB."""
    hints = {
        -15.0: "That is the mean of the decibels. Go to linear power, average there, and come back.",
        0.055: "That is the mean power; now express it in dB.",
    }
    check(answer, 10 * np.log10((0.1 + 0.01) / 2), 0.02, hints)


def time_series_2(answer: object, power: np.ndarray) -> None:
    """ENL of the pixels of a field."""
    hints = {
        power.mean() / power.std(): "That is the mean over the standard deviation. ENL is its square.",
        power.var() / power.mean() ** 2: "That is the inverse: ENL grows when the spread shrinks.",
    }
    check(answer, power.mean() ** 2 / power.var(), 0.02, hints)


def time_series_3(answer: object, table: np.ndarray, present: list[str]) -> None:
    """Date on which wheat and rapeseed differ most in mean VH."""
    gap = table[present.index("Rapeseed")] - table[present.index("Wheat")]
    hints = {
        float(np.abs(gap).argmin()): "There they differ least.",
        float(gap.argmin()): "There rapeseed is furthest below wheat; look at the size of the difference, whatever its sign.",
        float(np.abs(gap).argmax() + 1): "Count from 0: the first date has position 0.",
    }
    check(answer, int(np.abs(gap).argmax()), 0, hints)


# -------------------------------------------------------------------------------------------------- 02 preprocessing


def preprocessing_1(answer: object) -> None:
    """Bias of -22 dB of VH under a NESZ of -25 dB."""
    hints = {
        3.0: "That is the distance between signal and noise. Add their powers, then see how much larger the sum is.",
        -3.0: "That is the distance between noise and signal. Add their powers, then compare the sum with the signal.",
        -20.24: "That is what is measured. How much more is it than the truth?",
    }
    check(answer, 10 * np.log10(1 + 10**-2.5 / 10**-2.2), 0.02, hints)


def preprocessing_2(answer: object) -> None:
    """Dates that Quegan and Yu's filter needs for an ENL of 30."""
    expected = next(dates for dates in range(1, 500) if speckle.quegan_yu_enl(dates, 7) >= 30)
    hints = {
        float(np.ceil(30 / 4.4)): "That would do if nothing but the mean over dates counted; the local means are speckled too.",
        float(expected - 1): "Just below 30: one more.",
    }
    check(answer, expected, 0, hints)


def preprocessing_3(answer: object) -> None:
    """gamma0 of a sigma0 of -12 dB at 45 degrees."""
    cosine = np.cos(np.radians(45))
    hints = {
        -12 + 10 * np.log10(cosine): "You multiplied by the cosine; gamma0 divides by it, so it is larger.",
        -12 / cosine: "You divided the decibels. Divide the power: in dB that is a subtraction.",
    }
    check(answer, -12 - 10 * np.log10(cosine), 0.02, hints)
