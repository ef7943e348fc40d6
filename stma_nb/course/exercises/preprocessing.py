"""The checks of notebook 02, From digital numbers to an analysis-ready image."""

import math
from collections.abc import Callable

import numpy as np
from scipy import ndimage

from stma_nb import radar
from stma_nb.course.exercises.checks import (
    DECIBELS,
    WHOLE,
    Asked,
    Verdict,
    build,
    check,
    exercise,
    predict,
)

ENL = Asked("an ENL (above 0, at most 1000)", "3.2", 1e-9, 1000)


@exercise
def preprocessing_1(answer: object) -> Verdict:
    """Bias of -22 dB of VH under a NESZ of -25 dB."""
    hints = {
        3.0: "That is the distance between signal and noise. "
        "Add their powers, then see how much larger the sum is.",
        -3.0: "That is the distance between noise and signal. "
        "Add their powers, then compare the sum with the signal.",
        -20.24: "That is what is measured. How much more is it than the truth?",
        -47.0: "Decibels that are added multiply the powers; here powers are added.",
        -1.764: "Too bright is more than the truth: a positive number.",
        3.53: "Backscatter is a power: 10 times the logarithm. 20 times is for amplitudes.",
        10**-0.3: "That is noise over signal; add the signal, and express it in dB.",
        10**0.3: "That is signal over noise; how much is the sum above the signal?",
        4.764: "That is how far the sum lies above the noise; compare it with the signal.",
        0.176: "Decibels are ten times the logarithm.",
        4.06: "That is the natural logarithm; decibels use the logarithm to base 10.",
        -23.25: "That is a mean of powers in dB: noise and signal add up.",
        -23.5: "That is the mean of the decibels: noise and signal add up, as powers.",
        -25.02: "The noise is added, and not taken off: what is measured is more.",
        1.5: "That is half the difference in dB, or the ratio of the powers: express in dB by how "
        "much their sum is above the signal.",
    }
    return check(answer, 10 * np.log10(1 + 10**-2.5 / 10**-2.2), 0.06, hints, DECIBELS)


@exercise
def preprocessing_2(answer: object) -> Verdict:
    """Dates that Quegan and Yu's filter needs for an ENL of 30."""
    expected = next(dates for dates in range(1, 500) if radar.quegan_yu_enl(dates, 7) >= 30)
    plain_mean = math.ceil(30 / 4.4)
    hints = {
        plain_mean: "That would do if nothing but the mean over dates counted; "
        "the local means are speckled too.",
        expected - 1: "Just below 30: one more.",
        math.ceil(
            30 / radar.independent_samples(7)
        ): "The looks of an image, L = 4.4, are missing, "
        "and so is the saturation that the whole formula has.",
        expected + 1: "One less is enough already: the smallest number is asked for.",
        7 * 7: "That is the number of pixels of the window; how many dates are needed?",
        30: "That is the ENL that is wanted; how many dates are needed?",
        math.ceil(30 / 4.4 * (1 + 1 / 11.5)): "The formula has M + N - 1 below the line: try M one "
        "after the other.",
        51: "With an endless number of dates the ENL is L N, about 51; how many dates make 30?",
    }
    return check(answer, expected, 0, hints, WHOLE)


@exercise
def preprocessing_3(answer: object) -> Verdict:
    """gamma0 of a sigma0 of -12 dB at 45 degrees."""
    cosine = np.cos(np.radians(45))
    multiplied = -12 + 10 * np.log10(cosine)
    hints = {
        multiplied: "You multiplied by the cosine; gamma0 divides by it, so it is larger.",
        -12 / cosine: "You divided the decibels. Divide the power: in dB that is a subtraction.",
        -12 - 10 * np.log10(np.cos(45)): "np.cos takes radians: np.cos(np.radians(45)).",
        -12 - 20 * np.log10(cosine): "20 log10 is for amplitudes; backscatter is power: 10 log10.",
        -10 * np.log10(cosine): "That is by how much it rises; what is it then?",
        10**-1.2 / cosine: "That is the power; express it in dB.",
        -12 - cosine: "The cosine is a factor of power: take off 10 times its logarithm.",
        -12 + cosine: "The cosine is a factor of power: take off 10 times its logarithm.",
        -12 * cosine: "You multiplied the decibels. Divide the power: in dB that is a subtraction.",
        -12 - 10 * np.log(cosine): "That is the natural logarithm; decibels use the one to base "
        "10.",
        -12 - np.log10(cosine): "Decibels are ten times the logarithm.",
        -12.0: "That is sigma0; divide its power by the cosine.",
        12 + 10 * np.log10(cosine): "The number is right but for its sign: powers below one have "
        "negative decibels.",
        -12 / np.cos(45): "np.cos takes radians; and the power is divided, not the decibels.",
        -12 + 20 * np.log10(cosine): "gamma0 divides by the cosine; and backscatter is power: 10 "
        "times the logarithm.",
    }
    return check(answer, -12 - 10 * np.log10(cosine), 0.02, hints, DECIBELS)


@exercise
def preprocessing_4(answer: object) -> Verdict:
    """Area factor in dB of a slope of 20 degrees that faces a radar at 39 degrees."""
    here, facing, away = (np.tan(np.radians(angle)) for angle in (39, 39 - 20, 39 + 20))
    hints = {
        10 * np.log10(here / away): "That is a slope that falls away; this one faces the radar.",
        here / facing: "That is the factor; now express it in dB.",
        10 * np.log10(np.tan(39) / np.tan(19)): "np.tan takes radians: np.tan(np.radians(39)).",
        10 * np.log10(39 / 19): "The factor is a ratio of tangents, not of angles.",
        10 * np.log10(facing / here): "The cells of a slope that faces the radar hold more ground: "
        "it is brighter.",
        here - facing: "The factor is a ratio of tangents, not a difference.",
        20 * np.log10(here / facing): "Backscatter is a power: 10 times the logarithm. 20 times is "
        "for amplitudes.",
        10 * np.log(here / facing): "That is the natural logarithm; decibels use the one to base "
        "10.",
        np.log10(here / facing): "Decibels are ten times the logarithm.",
        10 * np.log10(np.cos(np.radians(19)) / np.cos(np.radians(39))): "The factor is a ratio of "
        "tangents, not of cosines.",
        10 * np.log10(np.sin(np.radians(39)) / np.sin(np.radians(19))): "The factor is a ratio of "
        "tangents, not of sines.",
        -10 * np.log10(np.cos(np.radians(20))): "That is the cosine of the slope alone; the factor "
        "is a ratio of tangents.",
        10 * np.log10(here / np.tan(np.radians(20))): "The slope is taken off the angle: 39 - 20.",
        here: "That is the tangent on flat ground; divide it by that on the slope.",
        19.0: "That is the angle on the slope; take its tangent.",
    }
    return check(answer, 10 * np.log10(here / facing), 0.05, hints, DECIBELS)


@exercise
def preprocessing_5(lee: object) -> Verdict:
    """The Lee filter: image, side of the window, looks; gives the filtered image."""
    return build(
        lee,
        _keeps_even_ground,
        _weighs,
        _uses_window_and_looks,
        _keeps_a_point,
        _bears_zeros,
        _leaves_its_input,
        given="image window looks",
        takes="an image of any size, the side of the window and the looks",
        gives="an image as large as the one that is given",
    )


def _called(lee: Callable, image: np.ndarray, window: int = 7, looks: float = 4.0) -> np.ndarray:
    with np.errstate(all="ignore"):
        return np.asarray(lee(image.copy(), window, looks), dtype="float64")


def _keeps_even_ground(lee: Callable) -> str | None:
    out = _called(lee, np.full((24, 20), 0.25))
    if out.shape != (24, 20):
        return f"Of an image of 24 x 20 pixels it makes one of the shape {out.shape}."
    if not np.allclose(out[8:16, 8:12], 0.25, rtol=1e-6):
        return (
            f"A field that has 0.25 everywhere becomes {out[12, 10]:.3g}: where nothing varies, k "
            "is 0 and the mean stays."
        )
    return None


def _weighs(lee: Callable) -> str | None:
    """Speckle of four looks, on ground that is brighter to the right."""
    noise = np.random.default_rng(3).gamma(4, 1 / 4, (48, 48))
    image = noise * np.where(np.arange(48) < 24, 2.0, 8.0)
    inner = (slice(8, -8),) * 2  # borders may be treated in several ways
    out = _called(lee, image)[inner]

    z = ndimage.uniform_filter(image, 7)
    v = ndimage.uniform_filter(image**2, 7) - z**2
    weight = 1 - z**2 / 4 / v

    def like(k: np.ndarray) -> bool:
        return np.allclose(out, (z + k * (image - z))[inner], rtol=1e-3)

    if like(np.maximum(0, weight)):
        return None
    if like(np.zeros_like(z)):
        return "It gives the mean everywhere, as a boxcar does: at an edge k must be above 0."
    if like(weight):
        return "k falls below 0 where the window varies less than speckle: take 0 there."
    if like(np.minimum(1, 1 - np.maximum(0, weight))):
        return (
            "k is turned round, or I and z are exchanged: k is near 0 on even ground and near 1 at "
            "an edge."
        )
    if like(np.maximum(0, 1 - z**2 / 4 / np.sqrt(np.maximum(v, 0)))):
        return "v is the variance, not the standard deviation."
    if like(np.maximum(0, 1 - z**2 / v)):
        return "The looks are missing: the variance that speckle has is z**2 / looks."
    if like(np.maximum(0, 1 - 4 * v / z**2)):
        return "In k the variance of speckle, z**2 / looks, is divided by v, not v by it."
    if np.allclose(out, (np.maximum(0, weight) * (image - z))[inner], rtol=1e-3):
        return "Add the mean: z + k (I - z)."
    if np.allclose(out, image[inner], rtol=1e-3):
        return "The image comes back as it was: blend it with the mean of its window."
    if np.allclose(out, ndimage.median_filter(image, 7)[inner], rtol=1e-3):
        return "That is the median of the window: take z + k (I - z)."
    if like(np.maximum(0, 1 - z / 4 / v)):
        return "The variance is divided by the square of the mean, z**2."
    return "On speckle of four looks with an edge it differs from z + k (I - z)."


def _uses_window_and_looks(lee: Callable) -> str | None:
    """Another window and more looks, on an image that is no square."""
    image = np.random.default_rng(5).gamma(4, 1 / 4, (40, 30))
    image[:, 15:] *= 4

    def filtered(window: int, looks: float) -> np.ndarray:
        z = ndimage.uniform_filter(image, window)
        v = ndimage.uniform_filter(image**2, window) - z**2
        return (z + np.maximum(0, 1 - z**2 / looks / v) * (image - z))[8:-8, 8:-8]

    out = _called(lee, image, 5, 9.0)[8:-8, 8:-8]
    if np.allclose(out, filtered(5, 9.0), rtol=1e-3):
        return None
    if np.allclose(out, filtered(7, 9.0), rtol=1e-3):
        return "Asked for a window of 5 x 5 pixels it takes one of 7 x 7: use window."
    if np.allclose(out, filtered(5, 4.0), rtol=1e-3):
        return "With 9 looks it does as with 4: use looks."
    return "With a window of 5 x 5 pixels and 9 looks it is not right: use window and looks."


def _keeps_a_point(lee: Callable) -> str | None:
    image = np.full((24, 24), 0.02)
    image[12, 12] = 20
    kept = _called(lee, image)[12, 12]
    if kept < 18:
        return f"A point target of power 20 in a field of 0.02 falls to {kept:.2g}; k is near 1."
    return None


def _bears_zeros(lee: Callable) -> str | None:
    if not np.allclose(_called(lee, np.zeros((24, 24)))[8:16, 8:16], 0):
        return "In a window of zeros it does not give 0: mind 0 / 0, where z and v are 0."
    even = _called(lee, np.full((24, 24), 0.02))[8:16, 8:16]
    if not np.allclose(even, 0.02, rtol=1e-6):
        return (
            f"A field that has 0.02 everywhere becomes {even.min():.3g} to {even.max():.3g}: by "
            "rounding v may fall a little below 0, so limit it (np.maximum)."
        )
    return None


def _leaves_its_input(lee: Callable) -> str | None:
    image = np.random.default_rng(4).gamma(4, 1 / 4, (24, 24))
    before = image.copy()
    lee(image, 7, 4.0)
    return None if (image == before).all() else "It changes the image that it was given: copy it."


@exercise
def preprocessing_6(predicted: object, found: object, because: object) -> Verdict:
    """ENL of a boxcar of 3 x 3 pixels, where one of 7 x 7 pixels reaches 51."""
    seven = radar.boxcar_enl(7)
    hints = [
        (9 * radar.LOOKS, "That is for nine independent pixels. Measure it: set side = 3."),
        (seven * 9 / 49, "That scales by the number of pixels. Measure it: set side = 3."),
        (seven, "That is the window of 7 x 7 pixels: set side = 3 and run the cell again."),
        (radar.LOOKS, "That is the ENL before the filter."),
        (radar.boxcar_enl(5), "That is the window of 5 x 5 pixels: set side = 3."),
        (radar.boxcar_enl(9), "That is the window of 9 x 9 pixels: set side = 3."),
        (seven * 3 / 7, "That scales by the side. Measure it: set side = 3."),
        (9.0, "That is the number of pixels; put the ENL that comes out into found."),
        (3.0, "That is the side; put the ENL that comes out into found."),
        (
            radar.boxcar_enl(3) ** 0.5,
            "That is the mean over the standard deviation. ENL is its square.",
        ),
        (10 * math.log10(radar.boxcar_enl(3)), "That is the ENL in dB; give it as it is."),
    ]
    return predict(predicted, found, because, radar.boxcar_enl(3), 0.6, hints, ENL)
