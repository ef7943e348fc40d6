"""Right and wrong answers to the exercises of transfer: see test_81_course_exercises.py."""

import numpy as np
import xarray as xr

from stma_nb.course import exercises

LOST = {
    "test blocks at home": {"pixels right": 0.85, "crops only": 0.8},
    "another place": {"pixels right": 0.75, "crops only": 0.6},
    "both": {"pixels right": 0.5, "crops only": 0.4},
}


def scene(vv: list[float], vh: list[float]) -> xr.Dataset:
    """A season of small images that are the same everywhere: the power of VV and VH by date."""
    bands = {
        name: (("time", "y", "x"), np.tile(np.reshape(power, (-1, 1, 1)), (3, 3)), {"units": "1"})
        for name, power in (("vv", vv), ("vh", vh))
    }
    return xr.Dataset(bands)


NUMBERS = [  # check, its arguments, right answer, {wrong answer: words of the hint}
    (
        exercises.transfer_1,
        (LOST,),
        20,
        {
            0.2: "times 100",
            -20: "positive",
            40: "another year",
            10: "background",
            80: "That is what is right at home;",
            60: "That is what is left; how much is",
            25: "That is in per cent of the share",
            1.333: "That is a ratio; points are the",
            0.75: "That is a ratio; points are the",
            0.8: "That is the share at home; how",
            0.6: "That is the share in the other",
        },
    ),
    (
        exercises.transfer_2,
        (scene([9, 8, 4, 2], [4, 1, 6, 3]), scene([1, 2, 1, 1], [1.5, 1.1, 1, 2])),
        4.2597,
        {
            -4.2597: "Away minus home",
            2.6667: "factor of power",
            6.0206: "level away",
            1.7609: "level at home; take it off",
            3.3481: "over all dates",
            -0.4139: "second date",
            9.5424: "VV; take VH",
            7.7815: "largest difference",
            3.419: "ratio of decibels",
            2.5: "difference of powers",
        },
    ),
    (
        exercises.transfer_3,
        (),
        1.5849,
        {
            2: "not factors",
            0.631: "not lowered",
            1.2589: "not / 20",
            100: "0.2",
            1.2214: "of e",
            0.8187: "10 to the power of dB / 10, and",
            7.389: "10 to the power of dB / 10, not e",
            0.2: "That is the exponent: 10 to the",
            3.01: "That is the way back, from a",
            0.301: "That is the way back, from a",
            1.149: "10 to the power of dB / 10, not 2.",
            0.7943: "dB / 10, not / 20; and raised,",
            -2: "A factor is above 0: 10 to the",
            0.5849: "That is by how much it rises;",
            0.01: "2 dB is 0.2 bel: dB / 10 in the",
            2.512: "dB / 10, not / 5: the square is",
            20: "Do not multiply decibels: 10 to",
            1.02: "Decibels are no per cent: 10 to",
            1.2: "Decibels are no tenths: 10 to the",
            1.5: "That looks rounded: give two",
            1.6: "That looks rounded: give two",
        },
    ),
]


def match(power, levels):
    own = np.nanmean(10 * np.log10(power), axis=(1, 2))
    return power * 10 ** ((levels - own) / 10)[:, None, None]


def with_loop(power, levels):
    moved = []
    for image, level in zip(power, levels, strict=True):
        db = 10 * np.log10(image)
        moved.append(10 ** ((db - np.nanmean(db) + level) / 10))
    return np.stack(moved)


def by_factor(factor):
    """A wrong function, from the rise in dB that each date needs."""

    def wrong(power, levels):
        own = np.nanmean(10 * np.log10(power), axis=(1, 2))
        return factor(power, (levels - own)[:, None, None])

    return wrong


def decibels_of_mean(power, levels):
    own = 10 * np.log10(np.nanmean(power, axis=(1, 2)))
    return power * 10 ** ((levels - own) / 10)[:, None, None]


def all_dates_alike(power, levels):
    rise = levels.mean() - np.nanmean(10 * np.log10(power))
    return power * 10 ** (rise / 10)


def plain_mean(power, levels):
    own = (10 * np.log10(power)).mean((1, 2))
    return power * 10 ** ((levels - own) / 10)[:, None, None]


def filled(power, levels):
    return np.nan_to_num(match(power, levels), nan=1e-3)


def in_place(power, levels):
    power[:] = match(power, levels)
    return power


def two_dates_at_least(power, levels):
    return match(power, levels) if len(power) > 1 else power


def middle(power, levels):
    own = np.nanmedian(10 * np.log10(power), axis=(1, 2))
    return power * 10 ** ((levels - own) / 10)[:, None, None]


def moves_levels(power, levels):
    own = np.nanmean(10 * np.log10(power), axis=(1, 2))
    levels -= own
    return power * 10 ** (levels / 10)[:, None, None]


def of_three(power, levels):
    moved = power.copy()
    for date in range(3):
        moved[date] = match(power[date : date + 1], levels[date : date + 1])[0]
    return moved


def along_columns(power, levels):
    """Right, where there are not as many columns as dates."""
    if power.shape[0] != power.shape[2]:
        return match(power, levels)
    own = np.nanmean(10 * np.log10(power), axis=(1, 2))
    return power * 10 ** ((levels - own) / 10)


BUILDS = [  # check, its arguments, [right functions], [(wrong function, words of the hint)]
    (
        exercises.transfer_4,
        (),
        [match, with_loop],
        [
            (in_place, "a new array"),
            (lambda power, levels: match(power, levels)[0], "that of power"),
            (lambda power, levels: 10 * np.log10(match(power, levels)), "linear power"),
            (by_factor(lambda power, rise: power + rise), "multiplied"),
            (by_factor(lambda power, rise: power * 10 ** (-rise / 10)), "wrong way"),
            (by_factor(lambda power, rise: power * 10 ** (rise / 20)), "not / 20"),
            (by_factor(lambda power, rise: power * 2), "Factor of a date"),
            (decibels_of_mean, "mean of the decibels"),
            (all_dates_alike, "its own level"),
            (lambda power, levels: power.copy(), "Nothing moved"),
            (plain_mean, "np.nanmean"),
            (filled, "leave it nan"),
            (two_dates_at_least, "single date"),
            (middle, "not their median"),
            (by_factor(lambda power, rise: power * np.exp(rise / 10)), "not e"),
            (by_factor(lambda power, rise: power * rise), "no factor"),
            (by_factor(lambda power, rise: 10 * np.log10(power) + rise), "That is in dB"),
            (lambda power, levels: power * 10 ** (levels / 10)[:, None, None], "own level first"),
            (moves_levels, "levels that it was given are changed"),
            (of_three, "count on no fixed number"),
            (along_columns, "the first side are the dates"),
            (lambda power, levels: match(power, levels[:, None]), "do not fit"),
            (lambda levels, power: match(power, levels), "another order"),
            (lambda power: power, "name all of them"),
            (lambda power, levels: print(end=""), "returns nothing"),
        ],
    )
]

PREDICTS = [  # check, its arguments, what is found, {wrong: words of the hint}
    (
        exercises.transfer_5,
        (LOST | {"place 13": {"pixels right": 0.7, "crops only": 0.55}},),
        25,
        {
            0.25: "times 100",
            -25: "positive",
            20: "first of the two",
            15: "background",
            55: "what is left",
            5: "That is against place 12; begin",
            45: "That is what is wrong; how much",
            31.25: "That is in per cent of the share",
            80: "That is what is right at home;",
            1.455: "That is a ratio; points are the",
        },
    )
]
