"""The one gate through which numbers of files become backscatter: linear power, NaN for no data.

Files hold power, amplitude, decibels or packed whole numbers, and say so in many words or not at
all. All readers pass their numbers through here, so that one rule holds for all.
"""

import re
import warnings
from collections.abc import Callable
from functools import partial
from typing import Literal, NamedTuple

import dask.array as da
import numpy as np
import xarray as xr

from stma_nb.cube.classes import SeasonError

Scale = Literal["power", "amplitude", "dB", "gfmap"] | tuple[float, float]
"""What numbers are: ``"power"`` (linear), ``"amplitude"`` (its square root), ``"dB"``; ``"gfmap"``,
the unsigned 16-bit numbers of openEO's GFMap and of WorldCereal, dB = 20 log10(number) - 83; or
(slope, intercept) of dB = slope * number + intercept."""


class _Meaning(NamedTuple):
    """How numbers of a scale become power, and between which bounds a number is a measurement."""

    power: Callable[[np.ndarray], np.ndarray]
    low: float
    high: float


_MEANINGS = {
    # Thermal noise removed may leave power a little below 0. No pixel reaches 9000 (40 dB): such
    # numbers, and zeros, stand for no data, whether a file declares them or not.
    "power": _Meaning(lambda values: values, -1, 9e3),
    "amplitude": _Meaning(np.square, 0, 9e3),
    "dB": _Meaning(lambda values: 10 ** (values / 10), -100, 100),
    "gfmap": _Meaning(lambda values: np.square(values) * 10**-8.3, 0, 65535),
}
SCALES = tuple(_MEANINGS)
BRIGHTEST = 3.0  # linear power, 5 dB: no date of a scene has a higher median
BRIGHT = 0.5  # linear power, -3 dB: no scene of fields has a higher median


def to_power(values: np.ndarray, scale: Scale = "power") -> np.ndarray:
    """Linear power, float32, of numbers of any shape; NaN where nothing was measured.

    Nothing was measured where a number is not finite, exactly 0, or beyond what backscatter can be
    (-9999, -32768, 65535 and the like). Raises SeasonError for another scale.
    """
    check_scale(scale)
    values = np.asarray(values).astype(np.float32)
    if isinstance(scale, tuple):
        values = np.where(np.isfinite(values), np.float32(scale[0]) * values, np.float32(np.nan))
        values, scale = values + np.float32(scale[1]), "dB"
    elif scale == "gfmap":
        values = np.mod(values, np.float32(65536))  # some read the unsigned numbers as signed
    meaning = _MEANINGS[scale]
    measured = (values > meaning.low) & (values < meaning.high) & (values != 0)
    return meaning.power(np.where(measured, values, np.float32(np.nan))).astype(np.float32)


def check_scale(scale: object) -> None:
    """Raise SeasonError unless ``scale`` is a ``Scale``."""
    pair = isinstance(scale, tuple) and len(scale) == 2
    if not pair and scale not in SCALES:
        raise SeasonError(
            f"The scale is {scale!r}; expected {', '.join(map(repr, SCALES))}, or (slope, "
            "intercept) of dB = slope * number + intercept."
        )


def check_levels(sample: np.ndarray, scale: Scale, what: str) -> None:
    """Raise SeasonError if the median of numbers is no level of backscatter in this scale.

    ``sample`` has any shape; what stands for no data is left out. ``what`` begins the message.
    """
    if isinstance(scale, tuple) or scale == "gfmap":
        with np.errstate(invalid="ignore"):
            sample, what = 10 * np.log10(to_power(sample, scale)), f"{what} as dB"
        scale = "dB"
    level = _median(sample)
    if level is None:
        return
    found = f"{what} has a median of {level:.4g}"
    if scale == "power" and level < -1:
        raise SeasonError(
            f"{found}: that looks like dB where linear power is expected. If all is in dB, open "
            "it with scale='dB' (--scale dB), or convert it with radar.from_db."
        )
    if scale == "dB" and not -60 < level < 0:
        raise SeasonError(
            f"{found}; expected dB, which for fields lies below 0 and above -60: see scale=."
        )
    if scale in ("power", "amplitude") and level < -0.05:
        raise SeasonError(f"{found}; expected {scale}, which is not negative: see scale=.")
    power = level**2 if scale == "amplitude" else level
    if scale != "dB" and power > BRIGHTEST:
        words, usual = ("linear power", 0.1) if scale == "power" else ("amplitude", 0.3)
        raise SeasonError(
            f"{found}: too high for {words}, which for fields is near {usual}. Calibrate digital "
            "numbers, or say what the numbers are (scale=, --scale)."
        )


def _median(sample: np.ndarray) -> float | None:
    """The median of what may be measured: finite, not 0, no fill value such as -9999 or 65535."""
    values = np.asarray(sample, np.float64).ravel()
    values = values[np.isfinite(values) & (values != 0)]
    if (values > -100).any():
        values = values[values > -100]
    elif len(values) and values.min() == values.max():  # one number that stands for no data
        return None
    usual = values[values < 9e3]
    # A few large numbers stand for no data; if most are large, they are the data.
    values = usual if 4 * len(usual) > len(values) else values
    return float(np.median(values)) if len(values) else None


def guess_scale(sample: np.ndarray, scale: Scale | None, what: str) -> Scale:
    """The scale of numbers (any shape): the one given, or else what the numbers tell.

    Backscatter of fields in dB has a negative median; linear power is not negative and has a median
    below 0.5. Raises SeasonError if the numbers contradict ``scale``, or fit neither.
    """
    if scale is not None:
        check_scale(scale)
        check_levels(sample, scale, what)
        return scale
    level = _median(sample)
    if level is None:
        raise SeasonError(
            f"{what} holds no data where it was looked at: say what it holds (scale=), or check "
            "the file."
        )
    if -60 < level < -1:
        return "dB"
    if 0 < level < BRIGHT:
        return "power"
    raise SeasonError(
        f"{what} has a median of {level:.3g}: neither dB nor linear power of fields. For digital "
        "numbers or scaled values give scale=(slope, intercept) of dB = slope * value + intercept."
    )


# ------------------------------------------------------------------------------- in other words


_POWER = {
    *("1", "", "linear", "linear_power", "power", "intensity", "dimensionless", "unitless", "none"),
    *("sigma0", "sigma_0", "sigma_nought", "gamma0", "gamma_0", "gamma_nought", "natural"),
    *("m2_m_2", "m2_m2", "m^2_m^2", "m^2_m_2", "m2.m_2", "m_2_m_2", "m**2_m**2", "ratio"),
}


def stated_scale(units: object) -> Scale | None:
    """The scale that the words of a ``units`` attribute mean; None if they mean none of them."""
    words = re.sub(r"[\s/()\[\]-]+", "_", str(units or "").strip().lower()).strip("_")
    if words in _POWER:
        return "power"
    if re.fullmatch(r"(.*_)?(db|decibels?)(_.*)?", words):
        return "dB"
    return "amplitude" if re.search("amplitude|magnitude", words) else None


# ---------------------------------------------------------------------------------- of a band


def to_backscatter(band: xr.DataArray, scale: Scale) -> xr.DataArray:
    """A band of numbers as linear power (see ``to_power``), lazily where it is lazy.

    Numbers in memory that need no change are handed back as they are.
    """
    attrs = band.attrs | {"units": "1"}
    if isinstance(band.data, da.Array):
        power = da.map_blocks(partial(to_power, scale=scale), band.data, dtype=np.float32)
        return band.copy(data=power).assign_attrs(attrs)
    if scale == "power" and band.dtype.kind == "f" and not _has_fills(band.values):
        return band if band.attrs == attrs else band.assign_attrs(attrs)
    return band.copy(data=to_power(band.values, scale)).assign_attrs(attrs)


def _has_fills(values: np.ndarray) -> bool:
    """Whether ``to_power`` would change power in memory; date by date, to need little memory."""
    meaning = _MEANINGS["power"]
    return any(
        bool(((image == 0) | (image <= meaning.low) | (image >= meaning.high)).any())
        for image in values
    )


PLACES = 5  # along each side of a scene, where dates are looked at


def look_at_dates(band: xr.DataArray, scale: Scale, name: str, side: int) -> None:
    """``check_levels`` for every date of a band (time, y, x), at the first place where it has data.

    A date without any data is told by a warning: it counts as missing. Places are windows of
    ``side`` pixels: all of a small scene, 25 of one that may be larger than memory. Raises
    SeasonError for a level that is no backscatter, and for a band without any data.
    """
    days = [np.datetime_as_string(time, unit="D") for time in band.time.values]
    waiting = np.arange(len(days))
    for rows, columns in _places(band.sizes["y"], band.sizes["x"], side):
        # A slice, since of numbers one by one Dask would read all dates.
        span = slice(waiting.min(initial=0), waiting.max(initial=-1) + 1)
        sample = np.asarray(band.isel(time=span, y=rows, x=columns))[waiting - span.start]
        _check_each(sample, scale, name, [days[number] for number in waiting])
        waiting = waiting[[bool(np.isnan(to_power(image, scale)).all()) for image in sample]]
        if not len(waiting):
            return
    if len(waiting) == len(days):
        raise SeasonError(
            f"'{name}' holds no data: none was found on any date. Check the area and the nodata "
            "value."
        )
    told = ", ".join(days[number] for number in waiting[:3]) + (", ..." if waiting[3:].size else "")
    warnings.warn(
        f"'{name}' holds no data on {len(waiting)} of {len(days)} dates ({told}): they count as "
        "missing.",
        stacklevel=4,
    )


def _check_each(sample: np.ndarray, scale: Scale, name: str, days: list[str]) -> None:
    """``check_levels`` of every date's image; says of how many dates a complaint is true."""
    wrong: dict[str, SeasonError] = {}
    for day, image in zip(days, sample, strict=True):
        try:
            check_levels(image, scale, f"'{name}' of {day}")
        except SeasonError as error:
            wrong[day] = error
    if not wrong:
        return
    first = next(iter(wrong.values()))
    if len(wrong) == len(days):
        raise first
    told = ", ".join(list(wrong)[:3]) + (", ..." if len(wrong) > 3 else "")
    raise SeasonError(f"{first} So it is on {len(wrong)} of {len(days)} dates ({told}).")


def _places(height: int, width: int, side: int) -> list[tuple[slice, slice]]:
    """Windows of ``side`` pixels spread over the scene, the middle one first; all of a small
    scene.
    """

    def along(size: int) -> list[slice]:
        count = min(PLACES, -(-size // side))
        starts = np.linspace(0, max(0, size - side), count).round().astype(int)
        slices = [slice(int(start), min(size, int(start) + side)) for start in starts]
        return sorted(slices, key=lambda part: abs(part.start + part.stop - size))

    return [(rows, columns) for rows in along(height) for columns in along(width)]
