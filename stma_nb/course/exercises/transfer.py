"""The checks of notebook 11, Another place, another year."""

import xarray as xr

from stma_nb import train
from stma_nb.course.exercises.checks import Verdict, check, exercise


@exercise
def transfer_1(answer: object, lost: dict[str, dict[str, float]]) -> Verdict:
    """Points of accuracy on crops lost in another place of the same year."""
    home, place = lost["test blocks at home"], lost["another place"]
    both = list(lost.values())[-1]
    fall = 100 * (home["crops only"] - place["crops only"])
    hints = {
        fall / 100: "In points: times 100.",
        -fall: "Home minus away: positive where accuracy falls.",
        100 * (home["crops only"] - both["crops only"]): "That is another place and another year.",
        100 * (home["pixels right"] - place["pixels right"]): "That counts the background, too.",
    }
    return check(answer, fall, 0.1, hints)


@exercise
def transfer_2(answer: object, away: xr.Dataset, home: xr.Dataset) -> Verdict:
    """Difference of the mean VH of the first date, away minus home (dB)."""
    difference = train.date_levels(away)["vh"].values - train.date_levels(home)["vh"].values
    hints = {
        -difference[0]: "Away minus home.",
        difference.mean(): "That is the mean over all dates; take the first.",
    }
    return check(answer, difference[0], 0.02, hints)


@exercise
def transfer_3(answer: object) -> Verdict:
    """2 dB as a factor of power."""
    hints = {
        2: "Decibels are not factors: 10 to the power of dB / 10.",
        10**-0.2: "Raised, not lowered.",
        10**0.1: "dB / 10, not / 20.",
    }
    return check(answer, 10**0.2, 0.01, hints)
