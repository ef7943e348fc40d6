"""A season of Sentinel-1 backscatter over Brandenburg made from statistics and physics: every truth behind it is known.

    measured = (sigma0 + NESZ) * speckle - NESZ
    sigma0 [dB] = annual curve of the crop + parcel + weather of the day + incidence angle, times within-field texture

Where the numbers come from: annual curves and the spread between parcels were computed from Sentinel-1 series of French
parcels of known crop (WorldCereal extractions), moved to Brandenburg's calendar and anchored on Harfenmeister et al. 2019
(doi 10.3390/rs11131569; cereals), d'Andrimont et al. 2020 (PMC7043338; rapeseed) and a potato series of Flevoland; sugar beet,
lupin, herb, flower, orchard, vegetable, peanut, residue and the background are estimates. Crop areas and the climate of each
year are those of Brandenburg's agricultural statistics; frost, rain and moisture follow Benninga et al. 2019
(doi 10.3390/rs11172025). The simulation teaches and tests; its accuracies say nothing about real fields.
"""

import math
import re
import zlib
from collections.abc import Sequence
from typing import NamedTuple

import dask
import dask.array as da
import numpy as np
import rioxarray  # noqa: F401  (registers the .rio accessor)
import xarray as xr
from rasterio.features import rasterize
from scipy import fft, ndimage, signal
from scipy.interpolate import PchipInterpolator
from scipy.spatial import Voronoi

from stma_nb.cube import BRANDENBURG, CHUNK, flags

PIXEL = 10.0  # metres
ORIGIN = 400_000.0, 5_900_000.0  # upper left corner in EPSG:32633: the Uckermark
OFFSET = np.array([0.2, 0.8])  # dB on VV, VH of everything: brings the scene mean to that of the real Brandenburg seasons
FLOOR = 1e-3  # where noise removal leaves less power than this (-30 dB), this is kept
SPREAD = {  # between parcels of one crop, dB: sd of the offset (VV, VH) and its correlation, sd of the slow residual (VV, VH)
    "cereal": (0.95, 1.03, 0.71, 1.0, 1.0),
    "summer": (0.95, 1.00, 0.67, 1.0, 1.0),
    "rapeseed": (0.69, 0.66, 0.55, 1.05, 1.06),
    "grass": (1.62, 1.60, 0.89, 0.83, 0.83),
    "varied": (1.90, 2.00, 0.80, 1.0, 1.0),
    "still": (0.50, 0.40, 0.80, 0.2, 0.2),
}


class Stand(NamedTuple):
    """What grows on a parcel: the class it is labelled as, its share of the class, and its annual course."""

    crop: str
    share: float
    group: str
    cover: tuple[float, float, float, float]  # ground cover: day it starts, is full, ends; full value (starts = ends: always)
    curve: str  # day of year:VV/VH in dB; a day below 1 lies in the autumn before the harvest, H marks the state after harvest


_MAIZE_WINTER = "-91:-10.3/-17.8 -30:-9.8/-17.0 46:-11.5/-19.8 75:-11.2/-18.8 "
_BARE_WINTER = "-20:-9.6/-17.0 46:-11.5/-19.8 "
STANDS = {
    "maize": Stand("Maize", 1, "summer", (135, 185, 260, 0.9), _MAIZE_WINTER + "105:-10.8/-18.8 125:-11.8/-20.5 145:-12.4/-21.8 "
        "160:-11.3/-19.8 175:-10.0/-17.3 200:-10.0/-16.6 230:-9.8/-16.4 255:-10.4/-17.2 262H:-11.5/-18.8 290:-10.3/-18.0 "
        "345:-9.6/-17.0"),
    # "Wheat" stands for all winter cereals, weighted as their areas: wheat 165 800 ha, rye 187 700 ha, barley 0.45 of the wheat.
    "winter_wheat": Stand("Wheat", 0.39, "cereal", (15, 125, 207, 0.9), "-91:-10.6/-18.6 -46:-9.5/-17.6 15:-9.8/-17.6 "
        "46:-11.4/-20.2 75:-12.0/-18.8 95:-13.6/-19.5 110:-15.0/-20.4 125:-15.9/-21.3 145:-16.6/-22.1 155:-15.3/-21.2 "
        "170:-13.3/-19.0 187:-11.8/-17.8 203:-12.7/-20.2 212H:-11.2/-19.6 235:-10.9/-19.8 260:-10.0/-17.8 345:-9.3/-16.9"),
    "winter_rye": Stand("Wheat", 0.44, "cereal", (15, 115, 198, 0.9), "-91:-10.9/-19.0 -46:-9.6/-18.0 15:-10.0/-18.0 "
        "46:-12.2/-20.6 75:-12.0/-18.6 95:-13.2/-18.4 115:-14.2/-18.9 132:-14.5/-20.4 145:-12.6/-19.3 157:-10.8/-17.2 "
        "175:-10.4/-16.0 195:-12.3/-19.8 203H:-11.4/-19.2 230:-10.7/-18.6 345:-9.4/-17.0"),
    "winter_barley": Stand("Wheat", 0.17, "cereal", (10, 115, 183, 0.9), "-91:-10.4/-18.6 -46:-9.6/-17.2 15:-10.0/-17.2 "
        "46:-12.0/-20.2 75:-11.6/-18.6 95:-14.2/-20.6 110:-15.5/-21.2 128:-15.4/-21.4 140:-13.2/-17.6 150:-10.8/-15.4 "
        "165:-12.0/-17.6 180:-12.8/-19.4 188H:-11.4/-18.8 215:-11.0/-19.2 255:-9.8/-17.2 345:-9.4/-16.6"),
    "grassland": Stand("Grassland", 1, "grass", (0, 0, 0, 0.55), "-91:-11.7/-18.3 15:-11.6/-17.8 46:-12.7/-20.3 75:-12.3/-18.6 "
        "110:-12.3/-18.4 135:-12.5/-18.2 165:-12.0/-18.0 200:-12.3/-18.6 230:-12.2/-18.4 290:-11.4/-17.8 345:-11.2/-17.6"),
    "peanut": Stand("Peanut", 1, "summer", (140, 190, 255, 0.85), _MAIZE_WINTER + "110:-10.8/-18.9 140:-12.0/-20.8 "
        "165:-10.8/-18.0 195:-10.0/-16.4 225:-10.2/-16.6 250:-11.2/-18.4 262H:-11.5/-19.0 290:-10.3/-18.0 345:-9.6/-17.0"),
    "potato": Stand("Potato", 1, "summer", (140, 165, 245, 0.9), "46:-11.4/-20.2 90:-9.6/-18.2 108:-10.8/-20.0 130:-13.2/-23.2 "
        "145:-12.0/-21.0 158:-9.0/-16.6 175:-8.5/-15.0 205:-8.5/-14.7 228:-9.0/-15.4 240:-9.9/-17.4 258H:-11.3/-19.8 "
        "285:-11.8/-20.4 320:-9.8/-17.8"),
    "residue": Stand("Residue", 1, "summer", (0, 0, 0, 0.5), "15:-10.2/-17.8 46:-11.8/-20.0 90:-10.8/-18.2 135:-11.0/-18.4 "
        "180:-10.8/-17.8 230:-10.8/-18.2 300:-10.0/-17.6"),
    "fallow": Stand("Fallow", 1, "varied", (0, 0, 0, 0.55), "15:-10.8/-17.4 46:-11.8/-19.2 90:-11.2/-17.9 135:-11.4/-17.6 "
        "170:-10.9/-16.9 205:-10.9/-17.2 230:-10.9/-17.4 300:-10.5/-17.3"),
    "rapeseed": Stand("Rapeseed", 1, "rapeseed", (-60, 110, 198, 0.9), "-120:-12.5/-21.0 -91:-9.2/-17.0 -46:-8.8/-15.7 "
        "15:-9.0/-15.9 46:-10.6/-17.8 80:-9.2/-15.3 105:-9.4/-15.0 116:-9.8/-14.8 126:-11.2/-14.6 136:-9.6/-13.2 148:-8.0/-12.0 "
        "160:-7.6/-11.5 172:-7.9/-12.3 184:-9.8/-15.2 194:-12.6/-19.6 202H:-12.4/-22.2 222:-10.3/-18.6"),
    "vegetable": Stand("Vegetable", 1, "varied", (130, 190, 270, 0.7), _BARE_WINTER + "75:-10.6/-18.6 110:-10.6/-19.0 "
        "140:-11.2/-20.2 170:-9.6/-17.0 205:-9.2/-16.0 240:-9.6/-16.8 275H:-10.8/-18.6 320:-9.8/-17.4"),
    # Lupin and pea as their areas, 14 400 and 7 200 ha.
    "pea": Stand("Legume", 0.33, "summer", (95, 145, 192, 0.85), "60:-11.6/-21.6 85:-10.4/-20.2 105:-9.6/-18.2 125:-9.6/-16.4 "
        "145:-9.8/-14.4 165:-9.2/-13.7 178:-9.2/-15.6 192:-11.5/-19.6 200H:-12.6/-22.2 222:-10.4/-18.0 300:-9.6/-17.2"),
    "lupin": Stand("Legume", 0.67, "summer", (115, 165, 212, 0.85), "80:-11.6/-21.6 105:-10.4/-20.2 125:-9.6/-18.8 "
        "145:-9.6/-17.6 165:-9.8/-15.6 185:-9.2/-14.9 198:-9.2/-16.8 212:-11.5/-19.6 225H:-12.6/-22.2 245:-10.4/-18.0 "
        "310:-9.6/-17.2"),
    "herb": Stand("Herb", 1, "summer", (0, 0, 0, 0.55), "90:-11.0/-18.4 135:-10.9/-17.9 175:-10.0/-16.6 215:-10.2/-16.8 "
        "290:-10.4/-17.6"),
    "orchard": Stand("Orchard", 1, "summer", (0, 0, 0, 0.75), "15:-9.6/-16.6 90:-9.6/-16.6 125:-9.6/-15.9 180:-9.4/-15.3 "
        "250:-9.5/-15.5 310:-9.6/-16.5"),
    "flower": Stand("Flower", 1, "summer", (120, 180, 280, 0.7), _BARE_WINTER + "75:-10.8/-18.4 125:-11.2/-19.0 165:-9.8/-16.4 "
        "200:-9.4/-15.6 250:-9.6/-16.4 310:-10.2/-17.6"),
    "sugar_beet": Stand("Sugar beet", 1, "summer", (125, 172, 283, 0.9), _BARE_WINTER + "75:-11.0/-18.8 105:-11.2/-20.0 "
        "128:-12.0/-21.2 150:-10.8/-18.6 168:-9.2/-15.8 185:-8.6/-14.6 230:-8.7/-14.5 270:-8.8/-14.8 285H:-10.8/-18.6 "
        "330:-9.8/-17.8"),
    "spring_barley": Stand("Other", 0.2, "cereal", (90, 135, 205, 0.85), _BARE_WINTER + "75:-11.2/-20.0 105:-10.0/-18.4 "
        "130:-12.6/-19.6 150:-14.0/-19.4 162:-13.4/-17.2 180:-12.2/-17.4 200:-12.8/-20.0 210H:-11.4/-18.8"),
    "sunflower": Stand("Other", 0.2, "summer", (130, 180, 262, 0.85), _BARE_WINTER + "105:-9.8/-18.8 140:-11.6/-21.4 "
        "165:-10.0/-18.4 180:-8.6/-16.2 220:-7.9/-16.2 250:-9.0/-16.3 265H:-10.6/-17.6"),
    "pine": Stand("Background", 0.62, "still", (0, 0, 0, 0.95), "110:-9.8/-15.0 135:-9.8/-14.6 270:-9.8/-14.6 300:-9.8/-15.0"),
    "deciduous": Stand("Background", 0.1, "still", (0, 0, 0, 0.92), "105:-9.0/-14.2 140:-9.5/-14.9 270:-9.5/-14.9 310:-9.0/-14.2"),
    "settlement": Stand("Background", 0.16, "still", (0, 0, 0, 0.9), "1:-5.5/-12.8 180:-5.5/-12.8"),
    "water": Stand("Background", 0.05, "still", (0, 0, 0, 1), "1:-18.0/-25.0 180:-18.0/-25.0"),
    "heath": Stand("Background", 0.07, "still", (0, 0, 0, 0.6), "1:-10.5/-16.2 180:-10.5/-16.2"),
    "track": Stand("Background", 0, "still", (0, 0, 0, 0.2), "1:-12.0/-20.0 180:-12.0/-20.0"),
}  # fmt: skip
STANDS["alfalfa"] = STANDS["grassland"]._replace(crop="Other", share=0.2)
STANDS["hemp"] = STANDS["maize"]._replace(crop="Other", share=0.2)
STANDS["buckwheat"] = STANDS["lupin"]._replace(crop="Other", share=0.2)
RAISED = {"alfalfa": (0.0, 1.0), "hemp": (0.5, 0.5)}  # dB above the stand whose curve they borrow
CUTS = {"grassland": (140, 186, 237), "alfalfa": (140, 186, 237), "fallow": (215,)}  # days of mowing or mulching
CUT_BY = 0.3, -1, 0.7  # one to three cuts: 70 % of the meadows take the first, all the second, 30 % the third
TOWN = 3.6, 2.0  # dB: sd of VV, VH from place to place in settlements (measured 4 and 3, less the speckle in the measurement)
CODES = {crop.name: code for code, crop in enumerate(BRANDENBURG)}
NAMES = list(STANDS)
BACKGROUND = [name for name in NAMES if STANDS[name].crop == "Background"]
SHARES = {  # per cent of the farmland
    "Wheat": 40, "Grassland": 24, "Maize": 15, "Rapeseed": 10, "Fallow": 3.5, "Legume": 1.9, "Other": 1.6, "Residue": 1.2,
    "Potato": 0.8, "Sugar beet": 0.5, "Vegetable": 0.5, "Flower": 0.4, "Orchard": 0.25, "Herb": 0.2, "Peanut": 0.15,
}  # fmt: skip
PERMANENT = ("Grassland", "Orchard")
CLIMATE = {2017: (9.9, 719), 2018: (10.8, 390), 2019: (11.0, 505), 2020: (10.9, 511), 2021: (9.7, 601)}  # mean deg C, mm of rain
WARP = {  # days by which a stage (day of a normal year) comes late; between the stages linear, none in winter
    (2018, "cereal"): ((75, 7), (120, 0), (150, -7), (190, -14), (212, -18)),
    (2018, "rapeseed"): ((75, 7), (126, -2), (202, -14)),
    (2018, "summer"): ((75, 7), (125, 0), (175, -5), (262, -20)),
    (2018, "grass"): ((75, 7), (150, -3), (210, -5)),
    (2021, "cereal"): ((75, 3), (110, 8), (165, 9), (212, 5)),
    (2021, "rapeseed"): ((75, 3), (126, 8), (202, 5)),
    (2021, "summer"): ((75, 3), (110, 7), (160, 9), (262, 5)),
    (2021, "grass"): ((75, 3), (110, 8), (165, 8), (240, 4)),
}


def _rng(purpose: str, *key: int) -> np.random.Generator:
    """A random stream of its own for every purpose and key, so that no draw depends on what else was computed."""
    return np.random.default_rng([zlib.crc32(purpose.encode()), *key])


# ------------------------------------------------------------------------------------------------------------ season


def season(
    size: tuple[int, int] = (512, 512),
    dates: int | Sequence = 24,
    year: int = 2018,
    seed: int = 0,
    looks: float | None = 4.4,
    texture: float = 0.1,
    noise_removed: bool = True,
    balance: float = 1.0,
    farmland: float = 0.5,
    parcel_hectares: float = 4.7,
) -> xr.Dataset:
    """A simulated season cube (see ``cube``), lazy: blocks of 256 x 256 pixels are made when they are asked for.

    size: rows, columns of 10 m pixels, at least 64 each. dates: how many acquisitions, evenly from about 1 October of the year
    before to 31 October of ``year`` (in steps of the 6 day repeat where that fits), or the acquisition times themselves, of any
    years. looks: equivalent number of looks of the speckle; None leaves it out: the true backscatter. texture: coefficient of
    variation within a field. noise_removed: subtract the mean thermal noise, which is in the signal in any case. balance:
    exponent on Brandenburg's crop shares; 0 makes all crops equally common. farmland: share of the scene under crops.
    parcel_hectares: geometric mean of the parcel size (log-normal, sigma 1.2).

    The seed alone settles the parcels, the land cover and which parcels are grassland or orchard for good; the year draws the
    other crops anew and brings its own weather and calendar. 2018 (drought) and 2021 (late spring) follow the records; the
    calendar of other years is shifted at random. The same arguments always give the same numbers, whole or block by block.

    Holds vv, vh (sigma0, linear power), crop, parcel, incidence_angle, and stand: what truly grows (Wheat is winter wheat, rye or
    barley). Along time: relative_orbit, temperature (deg C), rain (mm in 24 h). Raises ValueError for arguments out of range.
    """
    if len(size) != 2 or min(size) < 64:
        raise ValueError(f"The size is {tuple(size)}; expected (rows, columns) of at least 64 pixels: give a larger scene.")
    for name, value, least, most in (
        ("looks", 1 if looks is None else looks, 1, math.inf),
        ("texture", texture, 0, 0.5),
        ("balance", balance, 0, 5),
        ("farmland", farmland, 0.05, 0.95),
        ("parcel_hectares", parcel_hectares, 0.5, 50),
    ):
        if not least <= value <= most:
            raise ValueError(f"'{name}' is {value}; expected {least} to {most}: change it.")
    times = _times(dates, year)
    unit, stands, parcels = _landscape(size, year, seed, farmland, balance, parcel_hectares)
    passes = _passes(times, seed)
    sigma0 = _sigma0(stands, passes, year, seed)
    grid = da.from_array(unit, chunks=CHUNK)
    options = {"chunks": ((len(times),), *grid.chunks), "new_axis": 0, "dtype": "float32", "meta": np.empty((0, 0, 0), "float32")}
    options |= {"stands": stands, "width": size[1], "seed": seed, "year": year}
    options |= {"looks": looks, "texture": texture, "noise_removed": noise_removed}
    layers = {
        # Delayed, so that the graph holds the table of all units once and not once a block.
        band: (("time", "y", "x"), da.map_blocks(_block, grid, dask.delayed(sigma0[pol]), pol=pol, **options))
        for pol, band in enumerate(("vv", "vh"))
    }
    codes = np.array([CODES[STANDS[name].crop] for name in NAMES], np.uint8)
    layers["crop"] = ("y", "x"), codes[stands][unit], flags(BRANDENBURG)
    layers["parcel"] = ("y", "x"), np.where(unit <= parcels, unit, 0).astype(np.int32), {"long_name": "parcel number, 0 = none"}
    layers["stand"] = ("y", "x"), stands[unit], {"flag_values": list(range(len(NAMES))), "flag_meanings": " ".join(NAMES)}
    angle = np.tile(_incidence(np.arange(size[1]), size[1]), (size[0], 1))
    layers["incidence_angle"] = ("y", "x"), angle, {"units": "degree"}
    result = xr.Dataset(
        layers,
        coords={
            "time": times,
            "y": ORIGIN[1] - PIXEL * (np.arange(size[0]) + 0.5),
            "x": ORIGIN[0] + PIXEL * (np.arange(size[1]) + 0.5),
            "relative_orbit": ("time", np.full(len(times), 146)),
            "temperature": ("time", passes.temperature.values, passes.temperature.attrs),
            "rain": ("time", passes.rain.values, passes.rain.attrs),
        },
        attrs={"title": f"Simulated Sentinel-1 season {year}, Brandenburg", "source": "simulation", "seed": seed, "year": year},
    )
    for band in ("vv", "vh"):
        result[band].attrs = {"long_name": f"{band.upper()} backscatter", "units": "1", "quantity": "sigma0"}
    return result.rio.write_crs("EPSG:32633")


def _times(dates: int | Sequence, year: int) -> np.ndarray:
    """Acquisition times (datetime64[ns]), counted or given."""
    if isinstance(dates, int | np.integer):
        if dates < 2:
            raise ValueError(f"A season of {dates} date(s) was asked for; expected at least 2: ask for more dates.")
        window, gaps = 395, dates - 1
        step = 6 * max(1, round(window / gaps / 6))
        if abs(step * gaps - window) > 20:
            step = max(1, round(window / gaps))
        first = np.datetime64(f"{year - 1}-10-01T16:50", "ns") - np.timedelta64((step * gaps - window) // 2, "D")
        return first + step * np.arange(dates) * np.timedelta64(1, "D")
    times = np.asarray(dates, dtype="datetime64[ns]")
    if times.ndim != 1 or len(times) < 2:
        raise ValueError(f"{times.size} date(s) were given; expected a list of at least 2: add dates.")
    if (wrong := ~(np.diff(times) > np.timedelta64(0))).any():
        day = np.datetime_as_string(times[1:][wrong][0], unit="D")
        raise ValueError(f"The dates must increase strictly, but {day} is repeated or comes late: sort them and drop the repeated.")
    return times


def _block(unit, sigma0, stands, pol, width, seed, year, looks, texture, noise_removed, block_id=None) -> np.ndarray:
    """One block of one polarisation (time, y, x) from its units (y, x) and the backscatter of all units (time, units)."""
    _, row, column = block_id
    columns = column * CHUNK + np.arange(unit.shape[1])
    # Lambert's cosine law for VV; a volume scatterer, as seen in VH, goes with the first power of the cosine.
    gain = (np.cos(np.radians(_incidence(columns, width))) / math.cos(math.radians(39))) ** (2 - pol)
    # A Gaussian field of unit variance, correlated over 2 * 2.2 pixels = 45 m, made Gamma after Wilson and Hilferty (1931).
    pattern = ndimage.gaussian_filter(_rng("texture", seed, row, column).standard_normal(unit.shape), 2.2, mode="wrap")
    pattern *= 2 * math.sqrt(math.pi) * 2.2
    gain = gain * np.maximum(1 - texture**2 / 9 + texture / 3 * pattern, 0) ** 3
    town = stands[unit] == NAMES.index("settlement")
    gain[town] = 10 ** (TOWN[pol] / 10 * pattern[town])
    nesz = (10 ** ((-27 - 0.7 * np.cos(2 * np.pi * columns * PIXEL / 40e3)) / 10)).astype(np.float32)  # -27 dB, wavy along range
    rng = _rng("speckle", seed, year, row, column, pol)
    block = np.empty((len(sigma0), *unit.shape), np.float32)
    for image, date in zip(block, sigma0, strict=True):
        np.multiply(date[unit], gain, out=image, casting="same_kind")
        image += nesz
        if looks is not None:
            image *= speckle(unit.shape, looks, rng)
    return np.maximum(block - nesz, FLOOR, out=block) if noise_removed else block


def _incidence(columns: np.ndarray, width: int) -> np.ndarray:
    """Incidence angle (degrees) by column: 39 in the middle, 17 more over the 250 km of the swath; east is far range."""
    return (39 + 17 / 250e3 * PIXEL * (columns - width / 2)).astype(np.float32)


def speckle(shape: tuple[int, ...], looks: float = 4.4, rng: np.random.Generator | None = None) -> np.ndarray:
    """Unit-mean intensity speckle, float32 of ``shape`` (..., y, x), correlated like a Sentinel-1 GRDH image at 10 m.

    A look is complex white noise limited to the band of the 20.4 m (range, x) by 22.5 m (azimuth, y) resolution; the intensity is
    the weighted mean of ceil(looks) looks, the last weighted so that ENL = (sum w)^2 / sum w^2 = ``looks``. Neighbouring pixels
    then correlate by |sinc(0.886 d / resolution)|^2: 0.51 along x, 0.58 along y. The leading axes are independent images.
    Raises ValueError for fewer than 1 look.
    """
    if not 1 <= looks < math.inf:
        raise ValueError(f"'looks' is {looks}; expected a number of at least 1 (4.4 for Sentinel-1 GRDH): change it.")
    rng = rng or np.random.default_rng()
    whole = math.ceil(looks) - 1
    weights = np.ones(whole + 1, np.float32)
    if whole:  # the root of (whole + w)^2 = looks (whole + w^2)
        weights[-1] = (whole - math.sqrt(max(0, whole**2 - (looks - 1) * whole * (looks - whole)))) / (looks - 1)
    *images, height, width = shape
    # A little larger than asked for: the Fourier series repeats, and opposite edges must not be alike.
    rows, columns = (fft.next_fast_len(n + 4) for n in (height, width))
    band = round(0.886 * PIXEL / 22.5 * rows), round(0.886 * PIXEL / 20.4 * columns)
    weights *= 1 / (weights.sum() * 2 * band[0] * band[1])
    result = np.empty((math.prod(images), height, width), np.float32)
    for image in result:
        # The band may start at frequency 0, as a shift in frequency changes the phase only.
        noise = rng.standard_normal((len(weights), *band, 2), np.float32).view(np.complex64)[..., 0]
        field = fft.ifft(noise, n=columns, axis=2, norm="forward")[:, :, :width]
        field = fft.ifft(field, n=rows, axis=1, norm="forward")[:, :height]
        np.einsum("l,lyx->yx", weights, field.real**2 + field.imag**2, out=image)
    return result.reshape(shape)


# --------------------------------------------------------------------------------------------------------- landscape


def _landscape(
    size: tuple[int, int], year: int, seed: int, farmland: float, balance: float, hectares: float
) -> tuple[np.ndarray, np.ndarray, int]:
    """Unit number of each pixel, stand of each unit, and how many of the units, from 1 on, are parcels.

    A unit has one course of backscatter: a parcel, or all land of one background kind in one district. Unit 0 stays empty.
    """
    rng = _rng("landscape", seed)
    districts = _districts(size, rng)
    fields = [(field, d) for d, outline in enumerate(districts) for field in _fields(outline, hectares, rng)]
    shapes = (({"type": "Polygon", "coordinates": [[*field, field[0]]]}, n + 1) for n, (field, _) in enumerate(fields))
    leaf = rasterize(shapes, size, dtype="int32")
    district = np.array([0] + [d for _, d in fields])
    area = np.bincount(leaf.ravel(), minlength=len(district))

    # Farmed are the fields that lie best on a smooth map, until the share is reached; fields keep their whole outline.
    centre = np.array([[0, 0]] + [np.mean(field, axis=0) for field, _ in fields]).round().astype(int)
    inside = np.clip(centre, 0, (size[1] - 1, size[0] - 1))
    suitable = _map(size, 70, rng)[inside[:, 1], inside[:, 0]] + rng.normal(0, 0.3, len(district))
    suitable[(area < 10) | (np.arange(len(area)) == 0)] = -np.inf
    order = np.argsort(-suitable)
    farmed = order[: np.searchsorted(np.cumsum(area[order]), farmland * leaf.size) + 1]
    farmed = np.sort(farmed[area[farmed] >= 10])
    number = np.zeros(len(area), np.int32)
    number[farmed] = np.arange(1, len(farmed) + 1)

    # What is not farmed: level sets of smooth maps, so that each kind has its share of it.
    parcel = number[leaf]
    kind = np.full(size, BACKGROUND.index("pine"), np.uint8)
    free, left = parcel == 0, 1.0
    for name, sigma in (("water", 22), ("settlement", 14), ("deciduous", 25), ("heath", 12)):
        level = _map(size, sigma, rng)
        here = free & (level > np.quantile(level[free][::7], 1 - STANDS[name].share / left))
        kind[here] = BACKGROUND.index(name)
        free &= ~here
        left -= STANDS[name].share
    roads = rasterize(({"type": "LineString", "coordinates": [*d, d[0]]} for d in districts), size, dtype="uint8").astype(bool)
    roads &= parcel > 0
    kind[roads] = BACKGROUND.index("track")
    first = len(farmed) + 1
    unit = np.where((parcel > 0) & ~roads, parcel, (first + district * len(BACKGROUND)).astype(np.int32)[leaf] + kind)
    crops = _crops(np.bincount(unit.ravel(), minlength=first)[1:first], year, seed, balance)
    background = np.tile([NAMES.index(name) for name in BACKGROUND], len(districts))
    return unit, np.concatenate([[NAMES.index("track")], crops, background]).astype(np.uint8), len(farmed)


def _map(size: tuple[int, int], sigma: float, rng: np.random.Generator) -> np.ndarray:
    """A smooth random map, made on every 8th pixel and interpolated."""
    coarse = tuple(-(-n // 8) + 1 for n in size)
    field = ndimage.gaussian_filter(rng.standard_normal(coarse, np.float32), sigma / 8, mode="reflect")
    field = ndimage.zoom(field / field.std(), 8, order=1, grid_mode=False)
    return field[: size[0], : size[1]]


def _districts(size: tuple[int, int], rng: np.random.Generator) -> list[list[tuple[float, float]]]:
    """Outlines (x, y in pixels) of the districts, about 1.5 km wide, that share one direction of the fields: Voronoi cells."""
    spacing = 150
    grid = np.stack(np.meshgrid(*(np.arange(-2, n / spacing + 3) for n in size[::-1]), indexing="ij"), axis=-1).reshape(-1, 2)
    cells = Voronoi((grid + rng.uniform(-0.4, 0.4, grid.shape)) * spacing)
    outlines = []
    for region in cells.regions:
        if len(region) < 3 or -1 in region:
            continue
        corners = cells.vertices[region]
        if (corners.max(axis=0) > 0).all() and (corners.min(axis=0) < size[::-1]).all():
            around = corners - corners.mean(axis=0)
            outlines.append([tuple(corner) for corner in corners[np.argsort(np.arctan2(around[:, 1], around[:, 0]))]])
    return outlines


def _fields(outline: list[tuple[float, float]], hectares: float, rng: np.random.Generator) -> list[list[tuple[float, float]]]:
    """Outlines of the fields of a district: areas drawn log-normal, then the district halved until each piece is one field.

    The areas are halved largest first, as in a tree map, so that no cut leaves a sliver; points are complex numbers here.
    """
    whole = [complex(*corner) for corner in outline]
    room = _area(whole)
    areas = np.exp(rng.normal(math.log(hectares * 1e4 / PIXEL**2), 1.2, 40 + int(4 * room / (hectares * 100))))
    areas = areas[(areas > 10) & (areas < min(19000, room / 2))]
    areas = np.sort(areas[: max(1, int(np.argmin(abs(np.cumsum(areas) - room))) + 1)])[::-1]
    along = np.exp(1j * rng.uniform(0, np.pi))
    fields, todo = [], [(whole, areas)]
    while todo:
        piece, areas = todo.pop()
        if len(areas) == 1:
            fields.append([(point.real, point.imag) for point in piece])
            continue
        total = np.cumsum(areas)
        count = 1 + int(np.argmin(abs(total[:-1] - total[-1] / 2)))
        turned = np.array(piece) / along
        across = np.ptp(turned.real) > 1.8 * np.ptp(turned.imag)
        normal = along * (1 if across else 1j) * np.exp(1j * rng.normal(0, 0.06)) * rng.choice((-1, 1))
        first, second = _cut(piece, normal, total[count - 1] / total[-1])
        todo += [(first, areas[:count]), (second, areas[count:])]
    return fields


def _area(polygon: list[complex]) -> float:
    return abs(sum((a.conjugate() * b).imag for a, b in zip(polygon, polygon[1:] + polygon[:1], strict=True))) / 2


def _cut(polygon: list[complex], normal: complex, fraction: float) -> tuple[list[complex], list[complex]]:
    """Cut a convex polygon in two by a line across ``normal`` that leaves ``fraction`` of its area below (bisection)."""
    heights = [(point * normal.conjugate()).real for point in polygon]
    low, high, goal = min(heights), max(heights), fraction * _area(polygon)
    for _ in range(14):
        middle = (low + high) / 2
        low, high = (middle, high) if _area(_below(polygon, heights, middle)) < goal else (low, middle)
    return _below(polygon, heights, middle), _below(polygon, [-h for h in heights], -middle)


def _below(polygon: list[complex], heights: list[float], level: float) -> list[complex]:
    part = []
    for i, (b, above_b) in enumerate(zip(polygon, heights, strict=True)):
        a, above_a = polygon[i - 1], heights[i - 1]
        if (above_a - level) * (above_b - level) < 0:
            part.append(a + (b - a) * (level - above_a) / (above_b - above_a))
        if above_b <= level:
            part.append(b)
    return part


def _crops(areas: np.ndarray, year: int, seed: int, balance: float) -> np.ndarray:
    """Stand of each parcel: grassland and orchards from the seed alone, the other crops of the rotation drawn for the year."""
    shares = {crop: share**balance for crop, share in SHARES.items()}
    rotation = {crop: share for crop, share in shares.items() if crop not in PERMANENT}
    lasting = {crop: shares[crop] for crop in PERMANENT} | {"": sum(rotation.values())}
    crops = _allot(areas, lasting, _rng("lasting", seed))
    free = crops == ""
    crops[free] = _allot(areas[free], rotation, _rng("rotation", seed, year))
    rng, stands = _rng("stand", seed, year), np.empty(len(areas), np.uint8)
    for crop in shares:
        mixture = [code for code, name in enumerate(NAMES) if STANDS[name].crop == crop]
        stands[crops == crop] = rng.choice(mixture, size=(crops == crop).sum(), p=[STANDS[NAMES[code]].share for code in mixture])
    return stands


def _allot(areas: np.ndarray, shares: dict[str, float], rng: np.random.Generator) -> np.ndarray:
    """Draw a crop for each parcel, the largest first, in proportion to the area that each crop still lacks of its share."""
    names = np.array(list(shares), dtype=object)
    lacking = np.array(list(shares.values()), float)
    lacking *= areas.sum() / lacking.sum()
    meadows = names == "Grassland"  # rather on small parcels: 4 ha where arable fields have 10
    crops = np.empty(len(areas), dtype=object)
    for parcel in np.argsort(-areas, kind="stable"):
        area = areas[parcel]
        weight = np.where(lacking >= area / 2, lacking, 0) * np.where(meadows, 700 / max(area, 100), 1)
        if not weight.any():
            weight = lacking == lacking.max()
        crop = int(np.searchsorted(np.cumsum(weight), rng.random() * weight.sum(), side="right"))
        crops[parcel], lacking[crop] = names[crop], lacking[crop] - area
    return crops


# --------------------------------------------------------------------------------------------------- weather and crops


def weather(year: int, seed: int = 0) -> xr.Dataset:
    """Simulated daily weather of a calendar year, along time: temperature (deg C), rain (mm), soil_moisture (vol-%).

    Temperature is an annual wave plus an AR(1); rain is a two-state Markov chain of wet days with Gamma amounts, scaled to the
    annual sum of Brandenburg where it is on record (2017-2021); the soil forgets rain within about 8 days. The turn of
    February 2018 is frosty, April 2021 cold. Further variables move the backscatter of a date: moisture_departure (vol-%, from the
    mean of the weeks around), wind (standardised), and rest_vv, rest_vh (dB), which no weather explains.
    """
    mean, annual_rain = _climate(year)
    rng = _rng("weather", seed, year)
    time = np.arange(f"{year}-01-01", f"{year + 1}-01-01", dtype="datetime64[D]").astype("datetime64[ns]")
    day, noise = np.arange(len(time)) + 1, rng.standard_normal((4, len(time)))
    winter = np.cos(2 * np.pi * (day - 20) / 365)
    temperature = mean - 9 * winter + 2.8 * _ar1(noise[0], np.full(len(day), 0.8))
    if year == 2018:
        spell = np.exp(-(((day - 60) / 5) ** 2) / 2)
        temperature += spell * (-7 - temperature)
    if year == 2021:
        temperature -= 2.5 * np.exp(-(((day - 115) / 20) ** 2) / 2)
    draws, wet = rng.random(len(day)), np.zeros(len(day), bool)
    for i in range(1, len(day)):
        wet[i] = draws[i] < (0.6 if wet[i - 1] else 0.35)
    rain = wet * rng.gamma(1.0, size=len(day))
    rain *= annual_rain / rain.sum()
    store = signal.lfilter([1], [1, -math.exp(-1 / 8)], rain) - rain  # mm, of the days before
    moisture = np.clip(20 + 8 * winter + 0.36 * (store - store.mean()), 4, 40)
    series = {
        "temperature": (temperature, "degC"),
        "rain": (rain, "mm"),
        "soil_moisture": (moisture, "vol-%"),
        # The annual curves hold the usual moisture of each season: only its short departures move a single date.
        "moisture_departure": (moisture - ndimage.gaussian_filter1d(moisture, 20, mode="nearest"), "vol-%"),
        "wind": (noise[1], "1"),
        "rest_vv": (0.4 * noise[2], "dB"),
        "rest_vh": (0.6 * (0.6 * noise[2] + 0.8 * noise[3]), "dB"),
    }
    return xr.Dataset({name: ("time", values, {"units": units}) for name, (values, units) in series.items()}, {"time": time})


def _climate(year: int) -> tuple[float, float]:
    """Annual mean temperature (deg C) and rain (mm): on record, or drawn for the year."""
    rng = _rng("climate", year)
    return CLIMATE.get(year, (rng.normal(10.2, 0.6), rng.normal(570, 60)))


def _ar1(noise: np.ndarray, memory: np.ndarray) -> np.ndarray:
    """Unit-variance AR(1) along the first axis from white noise; ``memory[i]`` is the correlation of step i with the one before."""
    series = noise.copy()
    for i in range(1, len(series)):
        series[i] = memory[i] * series[i - 1] + math.sqrt(1 - memory[i] ** 2) * noise[i]
    return series


def _passes(times: np.ndarray, seed: int) -> xr.Dataset:
    """The weather at each acquisition; a day has the same weather in every season that holds it."""
    years = np.unique(times.astype("datetime64[Y]").astype(int) + 1970)
    return xr.concat([weather(int(year), seed) for year in years], "time").sel(time=times.astype("datetime64[D]"))


def _date_effect(passes: xr.Dataset, open_ground: np.ndarray) -> np.ndarray:
    """What the weather of a date does to backscatter, dB (..., time, 2), by how open the ground is (0 .. 1)."""
    temperature, rain, departure = (passes[name].values for name in ("temperature", "rain", "moisture_departure"))
    thawed = temperature > -1
    fresh = np.where((rain > 1.8) & thawed, 1 + 2 * (1 - np.exp(-rain / 8)), 0)
    frost = np.where(thawed, 0, np.clip(0.5 + (-1 - temperature) / 8, 0.5, 1))
    effects = [
        departure * thawed * (0.06 + moisture * open_ground)
        + wetting * fresh * open_ground
        - frost * (frozen_canopy + frozen_ground * open_ground**2)
        + passes[rest].values * (0.4 + 0.6 * open_ground)
        for moisture, wetting, frozen_canopy, frozen_ground, rest in (
            (0.10, 0.8, 0.3, 3.3, "rest_vv"),
            (0.08, 0.5, 0.5, 4.5, "rest_vh"),
        )
    ]
    return np.stack(effects, axis=-1)


def _curve(name: str) -> PchipInterpolator:
    """The annual curve of a stand: day 0 .. 365 of a normal year -> (VV, VH) in dB, periodic."""
    points, before = {}, None
    for day, harvest, vv, vh in re.findall(r"(-?\d+)(H?):([-.\d]+)/([-.\d]+)", STANDS[name].curve):
        if harvest:
            points[(int(day) - 3) % 365] = before  # the crop stands until then, and is gone within 3 days
        points[int(day) % 365] = before = float(vv), float(vh)
    days = np.array(sorted(points))
    return PchipInterpolator(np.concatenate([days - 365, days, days + 365]), 3 * [points[day] for day in days])


def _stage(name: str, day: np.ndarray, year: int | None) -> np.ndarray:
    """The day of a normal year on which a stand looked as it does on ``day`` of ``year``."""
    group = {"varied": "summer", "still": "grass"}.get(STANDS[name].group, STANDS[name].group)
    if year is None:
        return day
    if (year, group) in WARP:
        late = np.array(WARP[year, group])
    else:  # a smooth random shift, partly that of all crops
        days = _ar1(_rng("calendar", year).normal(0, 4, 5), np.full(5, 0.6)) + _rng(group, year).normal(0, 2, 5)
        late = np.stack([(75, 120, 165, 215, 262), days], axis=1)
    stages = np.array([-1, 20, *late[:, 0], late[-1, 0] + 60, 367])
    return np.interp(day, stages + [0, 0, *late[:, 1], 0, 0], stages)


def _mean(name: str, day: np.ndarray, year: int | None, ahead: np.ndarray | float = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean backscatter (..., 2) in dB of a stand that is ``ahead`` days early, how open its ground is (0 .. 1), and its stage."""
    stage = _stage(name, day, year) + ahead
    start, full, end, most = STANDS[name].cover
    covered = np.full(stage.shape, float(most))
    if end > start:
        covered = np.interp((stage - start) % 365, (0, full - start, end - start, end - start + 4), (0, most, most, 0))
    # Drought, from 0 in a normal or wet year to 1 in 2018, lowers bare soils from May, and grass and maize canopies from July.
    drought = 0 if year is None else np.clip((560 - _climate(year)[1]) / 170, 0, 1)
    summer, late = np.interp(day, (105, 135, 290, 320), (0, 1, 1, 0)), np.interp(day, (170, 190, 270, 290), (0, 1, 1, 0))
    if STANDS[name].group in ("grass", "varied"):
        loss = np.stack(2 * [late + 0 * stage], axis=-1)
    else:
        maize = 1.2 * late * covered * (name in ("maize", "hemp"))
        loss = np.stack([1.5 * summer * (1 - covered), summer * (1 - covered) + maize], axis=-1)
    return _curve(name)(stage % 365) + OFFSET + RAISED.get(name, (0, 0)) - drought * loss, 1 - covered, stage


def profile(crop_name: str, days: Sequence, year: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Mean backscatter (vv_db, vh_db) of a crop on days of the year (negative: before 1 January; any shape), without weather.

    ``crop_name`` is a class of the legend ("Sugar beet") or a stand ("winter_rye", "pine"; see ``STANDS``); a class of several
    stands gives their mean. ``year`` None is a normal year; otherwise the calendar and the drought of that year are in it.
    Raises ValueError for an unknown crop.
    """
    key = crop_name.lower().replace(" ", "_")
    mixture = {name: stand.share for name, stand in STANDS.items() if key in (name, stand.crop.lower().replace(" ", "_"))}
    if not mixture:
        raise ValueError(f"There is no crop '{crop_name}'; expected a class of the legend or one of {', '.join(STANDS)}.")
    day = np.asarray(days, float) % 365
    total = sum(max(share, 1e-9) * _mean(name, day, year)[0] for name, share in mixture.items())
    return tuple(np.moveaxis(total / sum(max(share, 1e-9) for share in mixture.values()), -1, 0))


def _sigma0(stands: np.ndarray, passes: xr.Dataset, year: int, seed: int) -> np.ndarray:
    """Backscatter of every unit, linear power float32 (2, time, units): curve, calendar, weather, and what sets parcels apart."""
    units, days, years = len(stands), passes.time.dt.dayofyear.values.astype(float), passes.time.dt.year.values
    rng = _rng("parcels", seed, year)
    offset, timing = (rng.standard_normal((units, n)).clip(-2.5, 2.5) for n in (2, 3))
    cut_on, cuts, depth, length = (
        rng.normal(0, 8, (units, 3)),
        rng.random(units),
        rng.uniform(0.5, 1.5, units),
        rng.uniform(10, 20, units),
    )
    gaps = np.diff(passes.time.values, prepend=passes.time.values[:1]) / np.timedelta64(1, "D")
    slow = _ar1(rng.standard_normal((len(days), units, 2)), np.exp(-gaps / 28))
    slow[..., 1] = 0.25 * slow[..., 0] + math.sqrt(1 - 0.25**2) * slow[..., 1]
    # Each parcel runs some days ahead or behind, by an amount that changes slowly through the year.
    wave = np.stack([np.full(len(days), 0.8), 0.6 * np.cos(2 * np.pi * days / 365), 0.6 * np.sin(2 * np.pi * days / 365)])

    db = np.empty((2, len(days), units), np.float32)
    for code in np.unique(stands):
        name, rows = NAMES[code], np.flatnonzero(stands == code)
        sd_vv, sd_vh, together, *slow_sd = SPREAD[STANDS[name].group]
        ahead = (14 if name == "vegetable" else 0 if name in BACKGROUND else 4) * timing[rows] @ wave
        parts = [_mean(name, days[years == y], int(y), ahead[:, years == y]) for y in np.unique(years)]
        value, open_ground, stage = (np.concatenate(part, axis=1) for part in zip(*parts, strict=True))
        wind = passes.wind.values[:, None] * (3.0, 1.5)
        value += wind if name == "water" else _date_effect(passes, open_ground)
        for nth, cut in enumerate(CUTS.get(name, ())):
            since = stage - cut - cut_on[rows, nth, None]
            taken = cuts[rows, None] > CUT_BY[nth] if len(CUTS[name]) > 1 else True
            value[..., 1] -= depth[rows, None] * ((since >= 0) & (since < length[rows, None]) & taken)
        own = offset[rows] @ [[sd_vv, sd_vh * together], [0, sd_vh * math.sqrt(1 - together**2)]]
        db[:, :, rows] = np.moveaxis(value + own[:, None] + np.swapaxes(slow[:, rows], 0, 1) * slow_sd, (0, 1, 2), (2, 1, 0))
    return 10 ** (db / 10)
