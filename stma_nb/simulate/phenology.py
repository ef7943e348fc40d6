"""What grows on a parcel and how it looks to the radar through the year.

Annual curves of backscatter, calendars, crop areas.

The curves and the calendar were computed from Sentinel-1 series of French parcels of known crop
(WorldCereal extractions), moved to Brandenburg's calendar and anchored on Harfenmeister et al. 2019
(doi 10.3390/rs11131569; cereals), d'Andrimont et al. 2020 (PMC7043338; rapeseed) and a potato
series of Flevoland; sugar beet, lupin, herb, flower, orchard, vegetable, peanut, residue and the
background are estimates. Crop areas and the climate of each year are those of Brandenburg's
agricultural statistics.
"""

import math
import re
import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.interpolate import PchipInterpolator

from stma_nb.cube import BRANDENBURG

# dB on VV, VH of everything: brings the scene mean to that of the real Brandenburg seasons
OFFSET = np.array([0.2, 0.8])


class Stand(NamedTuple):
    """What grows on a parcel: its class, its share of that class, and its annual course."""

    crop: str  # the class it is labelled as
    share: float  # of the area of that class
    group: str  # stands of one group share a calendar (WARP) and a spread between parcels
    # Ground cover: day of the year on which it starts, is full, ends; its full value (0 .. 1).
    # Where start and end are the same day, the ground is covered all year.
    cover: tuple[float, float, float, float]
    # Points "day of year:VV/VH" in dB. A day below 1 lies in the autumn before the harvest,
    # H marks the state after harvest.
    curve: str


_MAIZE_WINTER = "-91:-10.3/-17.8 -30:-9.8/-17.0 46:-11.5/-19.8 75:-11.2/-18.8 "
_BARE_WINTER = "-20:-9.6/-17.0 46:-11.5/-19.8 "
STANDS = {
    "maize": Stand(
        "Maize", 1, "summer", (135, 185, 260, 0.9),
        _MAIZE_WINTER
        + "105:-10.8/-18.8 125:-11.8/-20.5 145:-12.4/-21.8 160:-11.3/-19.8 175:-10.0/-17.3 "
          "200:-10.0/-16.6 230:-9.8/-16.4 255:-10.4/-17.2 262H:-11.5/-18.8 290:-10.3/-18.0 "
          "345:-9.6/-17.0",
    ),
    # "Wheat" stands for all winter cereals, weighted as their areas: wheat 165 800 ha,
    # rye 187 700 ha, barley 0.45 of the wheat.
    "winter_wheat": Stand(
        "Wheat", 0.39, "cereal", (15, 125, 207, 0.9),
        "-91:-10.6/-18.6 -46:-9.5/-17.6 15:-9.8/-17.6 46:-11.4/-20.2 75:-12.0/-18.8 "
        "95:-13.6/-19.5 110:-15.0/-20.4 125:-15.9/-21.3 145:-16.6/-22.1 155:-15.3/-21.2 "
        "170:-13.3/-19.0 187:-11.8/-17.8 203:-12.7/-20.2 212H:-11.2/-19.6 235:-10.9/-19.8 "
        "260:-10.0/-17.8 345:-9.3/-16.9",
    ),
    "winter_rye": Stand(
        "Wheat", 0.44, "cereal", (15, 115, 198, 0.9),
        "-91:-10.9/-19.0 -46:-9.6/-18.0 15:-10.0/-18.0 46:-12.2/-20.6 75:-12.0/-18.6 "
        "95:-13.2/-18.4 115:-14.2/-18.9 132:-14.5/-20.4 145:-12.6/-19.3 157:-10.8/-17.2 "
        "175:-10.4/-16.0 195:-12.3/-19.8 203H:-11.4/-19.2 230:-10.7/-18.6 345:-9.4/-17.0",
    ),
    "winter_barley": Stand(
        "Wheat", 0.17, "cereal", (10, 115, 183, 0.9),
        "-91:-10.4/-18.6 -46:-9.6/-17.2 15:-10.0/-17.2 46:-12.0/-20.2 75:-11.6/-18.6 "
        "95:-14.2/-20.6 110:-15.5/-21.2 128:-15.4/-21.4 140:-13.2/-17.6 150:-10.8/-15.4 "
        "165:-12.0/-17.6 180:-12.8/-19.4 188H:-11.4/-18.8 215:-11.0/-19.2 255:-9.8/-17.2 "
        "345:-9.4/-16.6",
    ),
    "grassland": Stand(
        "Grassland", 1, "grass", (0, 0, 0, 0.55),
        "-91:-11.7/-18.3 15:-11.6/-17.8 46:-12.7/-20.3 75:-12.3/-18.6 110:-12.3/-18.4 "
        "135:-12.5/-18.2 165:-12.0/-18.0 200:-12.3/-18.6 230:-12.2/-18.4 290:-11.4/-17.8 "
        "345:-11.2/-17.6",
    ),
    "peanut": Stand(
        "Peanut", 1, "summer", (140, 190, 255, 0.85),
        _MAIZE_WINTER
        + "110:-10.8/-18.9 140:-12.0/-20.8 165:-10.8/-18.0 195:-10.0/-16.4 225:-10.2/-16.6 "
          "250:-11.2/-18.4 262H:-11.5/-19.0 290:-10.3/-18.0 345:-9.6/-17.0",
    ),
    "potato": Stand(
        "Potato", 1, "summer", (140, 165, 245, 0.9),
        "46:-11.4/-20.2 90:-9.6/-18.2 108:-10.8/-20.0 130:-13.2/-23.2 145:-12.0/-21.0 "
        "158:-9.0/-16.6 175:-8.5/-15.0 205:-8.5/-14.7 228:-9.0/-15.4 240:-9.9/-17.4 "
        "258H:-11.3/-19.8 285:-11.8/-20.4 320:-9.8/-17.8",
    ),
    "residue": Stand(
        "Residue", 1, "summer", (0, 0, 0, 0.5),
        "15:-10.2/-17.8 46:-11.8/-20.0 90:-10.8/-18.2 135:-11.0/-18.4 180:-10.8/-17.8 "
        "230:-10.8/-18.2 300:-10.0/-17.6",
    ),
    "fallow": Stand(
        "Fallow", 1, "varied", (0, 0, 0, 0.55),
        "15:-10.8/-17.4 46:-11.8/-19.2 90:-11.2/-17.9 135:-11.4/-17.6 170:-10.9/-16.9 "
        "205:-10.9/-17.2 230:-10.9/-17.4 300:-10.5/-17.3",
    ),
    "rapeseed": Stand(
        "Rapeseed", 1, "rapeseed", (-60, 110, 198, 0.9),
        "-120:-12.5/-21.0 -91:-9.2/-17.0 -46:-8.8/-15.7 15:-9.0/-15.9 46:-10.6/-17.8 "
        "80:-9.2/-15.3 105:-9.4/-15.0 116:-9.8/-14.8 126:-11.2/-14.6 136:-9.6/-13.2 "
        "148:-8.0/-12.0 160:-7.6/-11.5 172:-7.9/-12.3 184:-9.8/-15.2 194:-12.6/-19.6 "
        "202H:-12.4/-22.2 222:-10.3/-18.6",
    ),
    "vegetable": Stand(
        "Vegetable", 1, "varied", (130, 190, 270, 0.7),
        _BARE_WINTER
        + "75:-10.6/-18.6 110:-10.6/-19.0 140:-11.2/-20.2 170:-9.6/-17.0 205:-9.2/-16.0 "
          "240:-9.6/-16.8 275H:-10.8/-18.6 320:-9.8/-17.4",
    ),
    # Lupin and pea as their areas, 14 400 and 7 200 ha.
    "pea": Stand(
        "Legume", 0.33, "summer", (95, 145, 192, 0.85),
        "60:-11.6/-21.6 85:-10.4/-20.2 105:-9.6/-18.2 125:-9.6/-16.4 145:-9.8/-14.4 "
        "165:-9.2/-13.7 178:-9.2/-15.6 192:-11.5/-19.6 200H:-12.6/-22.2 222:-10.4/-18.0 "
        "300:-9.6/-17.2",
    ),
    "lupin": Stand(
        "Legume", 0.67, "summer", (115, 165, 212, 0.85),
        "80:-11.6/-21.6 105:-10.4/-20.2 125:-9.6/-18.8 145:-9.6/-17.6 165:-9.8/-15.6 "
        "185:-9.2/-14.9 198:-9.2/-16.8 212:-11.5/-19.6 225H:-12.6/-22.2 245:-10.4/-18.0 "
        "310:-9.6/-17.2",
    ),
    "herb": Stand(
        "Herb", 1, "summer", (0, 0, 0, 0.55),
        "90:-11.0/-18.4 135:-10.9/-17.9 175:-10.0/-16.6 215:-10.2/-16.8 290:-10.4/-17.6",
    ),
    "orchard": Stand(
        "Orchard", 1, "summer", (0, 0, 0, 0.75),
        "15:-9.6/-16.6 90:-9.6/-16.6 125:-9.6/-15.9 180:-9.4/-15.3 250:-9.5/-15.5 "
        "310:-9.6/-16.5",
    ),
    "flower": Stand(
        "Flower", 1, "summer", (120, 180, 280, 0.7),
        _BARE_WINTER
        + "75:-10.8/-18.4 125:-11.2/-19.0 165:-9.8/-16.4 200:-9.4/-15.6 250:-9.6/-16.4 "
          "310:-10.2/-17.6",
    ),
    "sugar_beet": Stand(
        "Sugar beet", 1, "summer", (125, 172, 283, 0.9),
        _BARE_WINTER
        + "75:-11.0/-18.8 105:-11.2/-20.0 128:-12.0/-21.2 150:-10.8/-18.6 168:-9.2/-15.8 "
          "185:-8.6/-14.6 230:-8.7/-14.5 270:-8.8/-14.8 285H:-10.8/-18.6 330:-9.8/-17.8",
    ),
    "spring_barley": Stand(
        "Other", 0.2, "cereal", (90, 135, 205, 0.85),
        _BARE_WINTER
        + "75:-11.2/-20.0 105:-10.0/-18.4 130:-12.6/-19.6 150:-14.0/-19.4 162:-13.4/-17.2 "
          "180:-12.2/-17.4 200:-12.8/-20.0 210H:-11.4/-18.8",
    ),
    "sunflower": Stand(
        "Other", 0.2, "summer", (130, 180, 262, 0.85),
        _BARE_WINTER
        + "105:-9.8/-18.8 140:-11.6/-21.4 165:-10.0/-18.4 180:-8.6/-16.2 220:-7.9/-16.2 "
          "250:-9.0/-16.3 265H:-10.6/-17.6",
    ),
    "pine": Stand(
        "Background", 0.62, "still", (0, 0, 0, 0.95),
        "110:-9.8/-15.0 135:-9.8/-14.6 270:-9.8/-14.6 300:-9.8/-15.0",
    ),
    "deciduous": Stand(
        "Background", 0.1, "still", (0, 0, 0, 0.92),
        "105:-9.0/-14.2 140:-9.5/-14.9 270:-9.5/-14.9 310:-9.0/-14.2",
    ),
    "settlement": Stand(
        "Background", 0.16, "still", (0, 0, 0, 0.9),
        "1:-5.5/-12.8 180:-5.5/-12.8",
    ),
    "water": Stand(
        "Background", 0.05, "still", (0, 0, 0, 1),
        "1:-18.0/-25.0 180:-18.0/-25.0",
    ),
    "heath": Stand(
        "Background", 0.07, "still", (0, 0, 0, 0.6),
        "1:-10.5/-16.2 180:-10.5/-16.2",
    ),
    "track": Stand(
        "Background", 0, "still", (0, 0, 0, 0.2),
        "1:-12.0/-20.0 180:-12.0/-20.0",
    ),
}  # fmt: skip
STANDS["alfalfa"] = STANDS["grassland"]._replace(crop="Other", share=0.2)
STANDS["hemp"] = STANDS["maize"]._replace(crop="Other", share=0.2)
STANDS["buckwheat"] = STANDS["lupin"]._replace(crop="Other", share=0.2)
# dB (VV, VH) above the stand whose curve they borrow
RAISED = {"alfalfa": (0.0, 1.0), "hemp": (0.5, 0.5)}
# days of mowing or mulching
CUTS = {"grassland": (140, 186, 237), "alfalfa": (140, 186, 237), "fallow": (215,)}
CODES = {crop.name: code for code, crop in enumerate(BRANDENBURG)}
NAMES = list(STANDS)
BACKGROUND = [name for name in NAMES if STANDS[name].crop == "Background"]
SHARES = {  # per cent of the farmland
    "Wheat": 40, "Grassland": 24, "Maize": 15, "Rapeseed": 10, "Fallow": 3.5,
    "Legume": 1.9, "Other": 1.6, "Residue": 1.2, "Potato": 0.8, "Sugar beet": 0.5,
    "Vegetable": 0.5, "Flower": 0.4, "Orchard": 0.25, "Herb": 0.2, "Peanut": 0.15,
}  # fmt: skip
PERMANENT = ("Grassland", "Orchard")
CLIMATE = {  # annual mean deg C, annual mm of rain
    2017: (9.9, 719),
    2018: (10.8, 390),
    2019: (11.0, 505),
    2020: (10.9, 511),
    2021: (9.7, 601),
}
# (stage, days late): by how many days a stage (day of a normal year) comes late, negative = early;
# between the stages linear, none in winter.
WARP = {
    (2018, "cereal"): ((75, 7), (120, 0), (150, -7), (190, -14), (212, -18)),
    (2018, "rapeseed"): ((75, 7), (126, -2), (202, -14)),
    (2018, "summer"): ((75, 7), (125, 0), (175, -5), (262, -20)),
    (2018, "grass"): ((75, 7), (150, -3), (210, -5)),
    (2021, "cereal"): ((75, 3), (110, 8), (165, 9), (212, 5)),
    (2021, "rapeseed"): ((75, 3), (126, 8), (202, 5)),
    (2021, "summer"): ((75, 3), (110, 7), (160, 9), (262, 5)),
    (2021, "grass"): ((75, 3), (110, 8), (165, 8), (240, 4)),
}
CALENDAR_OF = {"varied": "summer", "still": "grass"}  # groups that follow another group's calendar


def stream(purpose: str, *key: int) -> np.random.Generator:
    """A random stream of its own for each purpose and key: no draw depends on another."""
    # crc32 makes a number of the word; Python's hash() of a word differs from run to run.
    return np.random.default_rng([zlib.crc32(purpose.encode()), *key])


def climate(year: int) -> tuple[float, float]:
    """Annual mean temperature (deg C) and rain (mm): on record, or drawn for the year."""
    if year in CLIMATE:
        return CLIMATE[year]
    rng = stream("climate", year)
    return rng.normal(10.2, 0.6), rng.normal(570, 60)


def ar1(noise: np.ndarray, memory: np.ndarray) -> np.ndarray:
    """Unit-variance autoregressive series of order 1 along the first axis, from white noise.

    ``memory[i]`` is the correlation of step i with the one before.
    """
    series = noise.copy()
    for i in range(1, len(series)):
        # The fresh noise is scaled so that the variance stays 1: memory^2 + (1 - memory^2).
        series[i] = memory[i] * series[i - 1] + math.sqrt(1 - memory[i] ** 2) * noise[i]
    return series


def _curve(name: str) -> PchipInterpolator:
    """The annual curve of a stand: day 0 .. 365 of a normal year -> (VV, VH) in dB, periodic."""
    points: dict[int, tuple[float, float]] = {}
    before = (math.nan, math.nan)
    for day, harvest, vv, vh in re.findall(r"(-?\d+)(H?):([-.\d]+)/([-.\d]+)", STANDS[name].curve):
        if harvest:
            # The crop stands until 3 days before, then it is gone: the curve falls within 3 days.
            points[(int(day) - 3) % 365] = before
        before = float(vv), float(vh)
        points[int(day) % 365] = before
    days = np.array(sorted(points))
    values = [points[day] for day in days]
    # The year before and the year after are appended, so that 31 December joins 1 January.
    # Pchip keeps to the range of the points: a cubic spline would overshoot at the harvest.
    return PchipInterpolator(np.concatenate([days - 365, days, days + 365]), 3 * values)


def stage_of(name: str, day: np.ndarray, year: int | None) -> np.ndarray:
    """The day of a normal year on which a stand looked as it does on ``day`` of ``year``."""
    if year is None:
        return day
    group = STANDS[name].group
    group = CALENDAR_OF.get(group, group)
    if (year, group) in WARP:
        stage, late = np.array(WARP[year, group]).T
    else:
        # A smooth random shift: one part is common to all crops, one is the group's own.
        stage = np.array([75, 120, 165, 215, 262])
        common = ar1(stream("calendar", year).normal(0, 4, 5), np.full(5, 0.6))
        late = common + stream(group, year).normal(0, 2, 5)
    stages = np.array([-1, 20, *stage, stage[-1] + 60, 367])
    lateness = [0, 0, *late, 0, 0]  # winter is on time
    return np.interp(day, stages + lateness, stages)


def mean_backscatter(
    name: str, day: np.ndarray, year: int | None, ahead: np.ndarray | float = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean backscatter (..., 2) in dB of a stand, how open its ground is (0 .. 1), and its stage.

    The stand is ``ahead`` days early; its stage is a day of a normal year.
    """
    stage = stage_of(name, day, year) + ahead
    covered = _ground_cover(name, stage)
    # Drought, from 0 in a normal or wet year to 1 in 2018, lowers bare soils from May, and grass
    # and maize canopies from July.
    drought = 0
    if year is not None:
        annual_rain = climate(year)[1]
        drought = np.clip((560 - annual_rain) / 170, 0, 1)
    summer = np.interp(day, (105, 135, 290, 320), (0, 1, 1, 0))
    late_summer = np.interp(day, (170, 190, 270, 290), (0, 1, 1, 0))
    if STANDS[name].group in ("grass", "varied"):
        loss_vv = loss_vh = np.broadcast_to(late_summer, stage.shape)
    else:
        maize = 1.2 * late_summer * covered * (name in ("maize", "hemp"))
        loss_vv = 1.5 * summer * (1 - covered)
        loss_vh = summer * (1 - covered) + maize
    loss = np.stack([loss_vv, loss_vh], axis=-1)  # dB
    mean = _curve(name)(stage % 365) + OFFSET + RAISED.get(name, (0, 0)) - drought * loss
    return mean, 1 - covered, stage


def _ground_cover(name: str, stage: np.ndarray) -> np.ndarray:
    """The share of the ground that a stand covers at each stage: it grows, is full, and is cut."""
    start, full, end, most = STANDS[name].cover
    if end == start:
        return np.full(stage.shape, float(most))
    # Counted from the start, as the season of a winter crop runs over the turn of the year.
    # From full cover to the harvest the interpolation is linear between two equal values; within
    # 4 days of it the field is bare.
    since_start = (stage - start) % 365
    return np.interp(
        since_start, (0, full - start, end - start, end - start + 4), (0, most, most, 0)
    )


def profile(
    crop_name: str, days: Sequence, year: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Mean backscatter (vv_db, vh_db) of a crop on days of the year, without weather.

    days: of any shape; a negative day lies before 1 January. ``crop_name`` is a class of the legend
    ("Sugar beet") or a stand ("winter_rye", "pine"; see ``STANDS``); a class of several stands
    gives their mean. ``year`` None is a normal year; otherwise the calendar and the drought of that
    year are in it. Raises ValueError for an unknown crop.
    """
    key = crop_name.lower().replace(" ", "_")
    weights = {}
    for name, stand in STANDS.items():
        if key in (name, stand.crop.lower().replace(" ", "_")):
            weights[name] = max(stand.share, 1e-9)  # a track has no share: its mean is its own
    if not weights:
        raise ValueError(
            f"There is no crop '{crop_name}'; "
            f"expected a class of the legend or one of {', '.join(STANDS)}."
        )
    day = np.asarray(days, float) % 365
    means = [weight * mean_backscatter(name, day, year)[0] for name, weight in weights.items()]
    vv, vh = np.moveaxis(np.sum(means, axis=0) / sum(weights.values()), -1, 0)
    return vv, vh
