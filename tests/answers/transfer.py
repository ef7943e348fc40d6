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
        {0.2: "times 100", -20: "positive", 40: "another year", 10: "background"},
    ),
    (
        exercises.transfer_2,
        (scene([8, 8], [4, 1]), scene([1, 1], [1, 1])),
        6.0206,
        {
            -6.0206: "Away minus home",
            4: "factor of power",
            3.0103: "over all dates",
            0: "last date",
            9.0309: "VV",
        },
    ),
    (
        exercises.transfer_3,
        (),
        1.5849,
        {2: "not factors", 0.631: "not lowered", 1.2589: "not / 20", 100: "0.2", 1.2214: "of e"},
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
        },
    )
]
