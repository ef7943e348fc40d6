"""What the names of files, bands and variables tell: date, polarisation, quantity and scale.

Products have habits: OPERA, HyP3, SNAP, Earth Engine, openEO and the Planetary Computer write
these facts into names, and put masks and angles beside the backscatter.
"""

import re
from typing import NamedTuple

import numpy as np

from stma_nb.cube.values import Scale

# As a word, or several in one ("VVVH"), but not within a word ("SDV").
_POLARISATION = re.compile(r"(?<![a-z])((?:vv|vh|hh|hv)+)(?![a-z])", re.IGNORECASE)
_CLOCK = r"(?:[T _]?([0-2]\d):?([0-5]\d):?([0-5]\d))?"
_DATE = re.compile(
    rf"(?<!\d)((?:19|20)\d\d)[-:_]?([01]\d)[-:_]?([0-3]\d){_CLOCK}(?!\d)", re.IGNORECASE
)
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_SNAP_DATE = re.compile(rf"(?<!\d)([0-3]\d)({'|'.join(_MONTHS)})((?:19|20)\d\d)(?!\d)", re.I)

# What lies beside the backscatter in the folders of products: masks, angles, looks, quality.
_SIDE = re.compile(
    r"(^|[-_. ])(mask|angle|inc_map(_ell)?|ls_map|dem|area|scatt|rgb|browse|valid|quality|count|"
    r"number_of_looks|looks|lia|(local_|ellipsoidal_)?incidence_angle|rtc_anf\w*|anf|"
    r"noise|calibration|layover\w*|shadow\w*|water\w*|cloud\w*)$",
    re.IGNORECASE,
)
# HyP3's RTC: gpuned = gamma0 or sigma0; power, amplitude or dB; and what does not matter here.
_HYP3 = re.compile(r"_RTC\d+_[A-Z]_([gs])([pad])[a-z]{4}(?=_|$)", re.IGNORECASE)


def date_in(text: str) -> np.datetime64 | None:
    """The first date in a text, with its clock if there is one: 20180105T165012, 2018-01-05,
    05Jan2018; None without any.
    """
    for match in _DATE.finditer(text):
        year, month, day, *clock = match.groups("00")
        try:
            return np.datetime64(f"{year}-{month}-{day}T{':'.join(clock)}", "s")
        except ValueError:  # eight digits that are no date
            continue
    for match in _SNAP_DATE.finditer(text):
        day, name, year = match.groups()
        month = _MONTHS.index(name.lower()) + 1
        try:
            return np.datetime64(f"{year}-{month:02}-{day}T00:00:00", "s")
        except ValueError:
            continue
    return None


def polarisations_in(text: str) -> list[str]:
    """The polarisations that a text names, in order: VV, VVVH, Sigma0_VV, iw-vv.rtc."""
    found: list[str] = []
    for word in _POLARISATION.findall(text):
        found += re.findall("..", word.lower())
    return found


def is_side_file(stem: str) -> bool:
    """Whether a file, by its name without suffix, is known to lie beside the backscatter."""
    return bool(_SIDE.search(stem))


class Stated(NamedTuple):
    """What a name states of the numbers; None where it does not."""

    quantity: str | None
    scale: Scale | None


def stated_in(*texts: str) -> Stated:
    """Quantity (sigma0 or gamma0) and scale that the names of files and bands state."""
    text = " ".join(texts)
    hyp3 = _HYP3.search(text)
    if hyp3:
        quantity = {"g": "gamma0", "s": "sigma0"}[hyp3[1].lower()]
        scales: dict[str, Scale] = {"p": "power", "a": "amplitude", "d": "dB"}
        return Stated(quantity, scales[hyp3[2].lower()])
    if re.match(r"OPERA_L2_RTC-S1", text):
        return Stated("gamma0", "power")
    named = {word.lower() for word in re.findall(r"(sigma|gamma)_?-?(?:0|nought)", text, re.I)}
    quantity = f"{named.pop()}0" if len(named) == 1 else None
    decibel = re.search(r"(?<![a-z])db(?![a-z])", text, re.IGNORECASE)
    return Stated(quantity, "dB" if decibel else None)
