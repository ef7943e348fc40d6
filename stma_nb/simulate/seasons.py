"""A season of Sentinel-1 backscatter over Brandenburg made from statistics and physics.

Every truth behind it is known.

    measured    = (sigma0 + NESZ) * speckle - NESZ
    sigma0 [dB] = annual curve of the crop + parcel + weather of the day + incidence angle,
                  times within-field texture

NESZ (noise equivalent sigma zero) is the thermal noise of the instrument. Annual curves and crops
are those of ``phenology``, the parcels those of ``landscape``. The spread between parcels was
measured on French parcels of known crop; frost, rain and moisture follow Benninga et al. 2019 (doi
10.3390/rs11172025). The simulation teaches and tests; its accuracies say nothing about real fields.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import dask
import dask.array as da
import numpy as np
import rioxarray  # noqa: F401  (registers the .rio accessor)
import xarray as xr
from scipy import fft, ndimage, signal

from stma_nb.cube import BRANDENBURG, CHUNK, flags
from stma_nb.simulate.landscape import PIXEL, landscape
from stma_nb.simulate.phenology import (
    BACKGROUND,
    CODES,
    CUTS,
    NAMES,
    STANDS,
    ar1,
    climate,
    mean_backscatter,
    profile,
    stream,
)

__all__ = ["profile", "season", "speckle", "weather"]
ORIGIN = 400_000.0, 5_900_000.0  # upper left corner in EPSG:32633: the Uckermark
FLOOR = 1e-3  # where noise removal leaves less power than this (-30 dB), this is kept
# Between parcels of one crop, dB: sd of the offset (VV, VH) and the correlation of the two,
# sd of the slow residual (VV, VH).
SPREAD = {
    "cereal": (0.95, 1.03, 0.71, 1.0, 1.0),
    "summer": (0.95, 1.00, 0.67, 1.0, 1.0),
    "rapeseed": (0.69, 0.66, 0.55, 1.05, 1.06),
    "grass": (1.62, 1.60, 0.89, 0.83, 0.83),
    "varied": (1.90, 2.00, 0.80, 1.0, 1.0),
    "still": (0.50, 0.40, 0.80, 0.2, 0.2),
}
# One to three cuts: 70 % of the meadows take the first, all the second, 30 % the third.
CUT_BY = (0.3, -1, 0.7)
# dB: sd of VV, VH from place to place in settlements (measured 4 and 3, less the speckle in the
# measurement)
TOWN = (3.6, 2.0)


# ------------------------------------------------------------------------------------------- season


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
    """A simulated season cube (see ``cube``), lazy: blocks of 256 x 256 pixels made when asked for.

    Args:
        size: rows, columns of 10 m pixels, at least 64 each.
        dates: how many acquisitions, evenly from about 1 October of the year before to 31 October
            of ``year`` (in steps of the 6 day repeat where that fits), or the acquisition times
            themselves, of any years.
        looks: equivalent number of looks of the speckle; None leaves it out: the true backscatter.
        texture: coefficient of variation within a field.
        noise_removed: subtract the mean thermal noise, which is in the signal in any case.
        balance: exponent on Brandenburg's crop shares; 0 makes all crops equally common.
        farmland: share of the scene under crops.
        parcel_hectares: geometric mean of the parcel size (log-normal, sigma 1.2).

    The seed alone settles the parcels, the land cover and which parcels are grassland or orchard
    for good; the year draws the other crops anew and brings its own weather and calendar. 2018
    (drought) and 2021 (late spring) follow the records; the calendar of other years is shifted at
    random. The same arguments always give the same numbers, whole or block by block.

    Holds vv, vh (sigma0, linear power), crop, parcel, incidence_angle, and stand: what truly grows
    (Wheat is winter wheat, rye or barley). Along time: relative_orbit, temperature (deg C), rain
    (mm in 24 h). Raises ValueError for arguments out of range.
    """
    _check_range(size, looks, texture, balance, farmland, parcel_hectares)
    times = _times(dates, year)
    unit, stands, parcels = landscape(size, year, seed, farmland, balance, parcel_hectares)
    passes = _passes(times, seed)
    bands = _bands(
        unit,
        _sigma0(stands, passes, year, seed),
        stands=stands,
        width=size[1],
        seed=seed,
        year=year,
        looks=looks,
        texture=texture,
        noise_removed=noise_removed,
    )
    result = xr.Dataset(
        {**bands, **_maps(unit, stands, parcels)},
        coords={
            "time": times,
            "y": ORIGIN[1] - PIXEL * (np.arange(size[0]) + 0.5),  # centres of the pixels
            "x": ORIGIN[0] + PIXEL * (np.arange(size[1]) + 0.5),
            "relative_orbit": ("time", np.full(len(times), 146)),
            "temperature": ("time", passes.temperature.values, passes.temperature.attrs),
            "rain": ("time", passes.rain.values, passes.rain.attrs),
        },
        attrs={
            "title": f"Simulated Sentinel-1 season {year}, Brandenburg",
            "source": "simulation",
            "seed": seed,
            "year": year,
        },
    )
    return result.rio.write_crs("EPSG:32633")


def _check_range(
    size: tuple[int, int],
    looks: float | None,
    texture: float,
    balance: float,
    farmland: float,
    parcel_hectares: float,
) -> None:
    if len(size) != 2 or min(size) < 64:
        raise ValueError(
            f"The size is {tuple(size)}; expected (rows, columns) of at least 64 pixels: "
            "give a larger scene."
        )
    for name, value, least, most in (
        ("looks", 1 if looks is None else looks, 1, math.inf),
        ("texture", texture, 0, 0.5),
        ("balance", balance, 0, 5),
        ("farmland", farmland, 0.05, 0.95),
        ("parcel_hectares", parcel_hectares, 0.5, 50),
    ):
        if not least <= value <= most:
            raise ValueError(f"'{name}' is {value}; expected {least} to {most}: change it.")


def _bands(unit: np.ndarray, sigma0: np.ndarray, **options: Any) -> dict[str, tuple]:
    """The layers vv and vh (time, y, x), made block by block of ``unit`` when they are asked for.

    sigma0: power (2, time, units); options: what ``_block`` takes besides.
    """
    grid = da.from_array(unit, chunks=CHUNK)
    layers = {}
    for pol, band in enumerate(("vv", "vh")):
        power = da.map_blocks(
            _block,
            grid,
            # Delayed, so that the graph holds the table of all units once and not once a block.
            dask.delayed(sigma0[pol]),
            pol=pol,
            **options,
            chunks=((sigma0.shape[1],), *grid.chunks),
            new_axis=0,
            dtype="float32",
            meta=np.empty((0, 0, 0), "float32"),
        )
        attrs = {"long_name": f"{band.upper()} backscatter", "units": "1", "quantity": "sigma0"}
        layers[band] = (("time", "y", "x"), power, attrs)
    return layers


def _maps(unit: np.ndarray, stands: np.ndarray, parcels: int) -> dict[str, tuple]:
    """The layers (y, x) that do not change with the date."""
    codes = np.array([CODES[STANDS[name].crop] for name in NAMES], np.uint8)
    parcel = np.where(unit <= parcels, unit, 0).astype(np.int32)
    rows, columns = unit.shape
    angle = np.tile(_incidence(np.arange(columns), columns), (rows, 1))
    stand_names = {"flag_values": list(range(len(NAMES))), "flag_meanings": " ".join(NAMES)}
    place = ("y", "x")
    return {
        "crop": (place, codes[stands][unit], flags(BRANDENBURG)),
        "parcel": (place, parcel, {"long_name": "parcel number, 0 = none"}),
        "stand": (place, stands[unit], stand_names),
        "incidence_angle": (place, angle, {"units": "degree"}),
    }


def _times(dates: int | Sequence, year: int) -> np.ndarray:
    """Acquisition times (datetime64[ns]), counted or given."""
    if isinstance(dates, int | np.integer):
        return _even_times(dates, year)
    times = np.asarray(dates, dtype="datetime64[ns]")
    if times.ndim != 1 or len(times) < 2:
        raise ValueError(
            f"{times.size} date(s) were given; expected a list of at least 2: add dates."
        )
    late = ~(np.diff(times) > np.timedelta64(0))  # so that NaT, which compares False, is found too
    if late.any():
        day = np.datetime_as_string(times[1:][late][0], unit="D")
        raise ValueError(
            f"The dates must increase strictly, but {day} is repeated or comes late: "
            "sort them and drop the repeated."
        )
    return times


def _even_times(dates: int, year: int) -> np.ndarray:
    """So many times, evenly over the 395 days from 1 October to 31 October of ``year``."""
    if dates < 2:
        raise ValueError(
            f"A season of {dates} date(s) was asked for; expected at least 2: ask for more dates."
        )
    window = 395
    gaps = dates - 1
    step = 6 * max(1, round(window / gaps / 6))  # Sentinel-1 repeats its orbit every 6 days
    if abs(step * gaps - window) > 20:  # that would miss the window: any number of days then
        step = max(1, round(window / gaps))
    start = np.datetime64(f"{year - 1}-10-01T16:50", "ns")
    start -= np.timedelta64((step * gaps - window) // 2, "D")  # what is over goes to both ends
    return start + step * np.arange(dates) * np.timedelta64(1, "D")


def _block(
    unit: np.ndarray,
    sigma0: np.ndarray,
    stands: np.ndarray,
    pol: int,
    width: int,
    seed: int,
    year: int,
    looks: float | None,
    texture: float,
    noise_removed: bool,
    block_id: tuple[int, int, int],
) -> np.ndarray:
    """One block (time, y, x) of one polarisation, from the units of its pixels (y, x).

    sigma0: the backscatter of all units (time, units); block_id: given by Dask, the place of the
    block. Its random streams depend on that place, so that a block is the same whenever it is made.
    """
    _, row, column = block_id
    columns = column * CHUNK + np.arange(unit.shape[1])
    gain = _angle_gain(columns, width, pol)
    pattern = _pattern(unit.shape, stream("texture", seed, row, column))
    # The cube of a Gaussian is nearly Gamma distributed (Wilson and Hilferty 1931).
    gain = gain * np.maximum(1 - texture**2 / 9 + texture / 3 * pattern, 0) ** 3
    town = stands[unit] == NAMES.index("settlement")
    gain[town] = 10 ** (TOWN[pol] / 10 * pattern[town])
    noise = _nesz(columns)
    rng = stream("speckle", seed, year, row, column, pol)
    block = np.empty((len(sigma0), *unit.shape), np.float32)
    for image, date in zip(block, sigma0, strict=True):
        np.multiply(date[unit], gain, out=image, casting="same_kind")
        image += noise
        if looks is not None:
            image *= speckle(unit.shape, looks, rng)
    if noise_removed:
        np.maximum(block - noise, FLOOR, out=block)
    return block


def _angle_gain(columns: np.ndarray, width: int, pol: int) -> np.ndarray:
    """How much more power than at 39 degrees comes back, by column.

    Lambert's cosine law for VV (pol 0): the square of the cosine; a volume scatterer, as seen in VH
    (pol 1), goes with the first power.
    """
    cosine = np.cos(np.radians(_incidence(columns, width)))
    return (cosine / math.cos(math.radians(39))) ** (2 - pol)


def _pattern(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A Gaussian field of unit variance, correlated over 2 * 2.2 pixels = 45 m."""
    sigma = 2.2
    pattern = ndimage.gaussian_filter(rng.standard_normal(shape), sigma, mode="wrap")
    pattern *= 2 * math.sqrt(math.pi) * sigma  # the filter lowers the standard deviation by this
    return pattern


def _nesz(columns: np.ndarray) -> np.ndarray:
    """Thermal noise by column, linear power: -27 dB, wavy along range."""
    db = -27 - 0.7 * np.cos(2 * np.pi * columns * PIXEL / 40e3)
    return (10 ** (db / 10)).astype(np.float32)


def _incidence(columns: np.ndarray, width: int) -> np.ndarray:
    """Incidence angle (degrees) by column, higher to the east, where far range is.

    39 in the middle, 17 more over the 250 km of the swath.
    """
    return (39 + 17 / 250e3 * PIXEL * (columns - width / 2)).astype(np.float32)


def speckle(
    shape: tuple[int, ...], looks: float = 4.4, rng: np.random.Generator | None = None
) -> np.ndarray:
    """Unit-mean intensity speckle of ``shape`` (..., y, x), correlated as in Sentinel-1 at 10 m.

    float32; the leading axes are independent images. A look is complex white noise limited to the
    band of the 20.4 m (range, x) by 22.5 m (azimuth, y) resolution of a GRDH image; the intensity
    is the weighted mean of ceil(looks) looks, the last weighted so that ENL = (sum w)^2 / sum w^2 =
    ``looks``. Neighbouring pixels then correlate by |sinc(0.886 d / resolution)|^2: 0.51 along x,
    0.58 along y. Raises ValueError for fewer than 1 look.
    """
    if not 1 <= looks < math.inf:
        raise ValueError(
            f"'looks' is {looks}; expected a number of at least 1 (4.4 for Sentinel-1 GRDH): "
            "change it."
        )
    rng = rng or np.random.default_rng()
    weights = _look_weights(looks)
    *images, height, width = shape
    # A little larger than asked for: the Fourier series repeats, and opposite edges must not be
    # alike.
    rows = fft.next_fast_len(height + 4)
    columns = fft.next_fast_len(width + 4)
    band = round(0.886 * PIXEL / 22.5 * rows), round(0.886 * PIXEL / 20.4 * columns)
    weights *= 1 / (weights.sum() * 2 * band[0] * band[1])  # so that the mean intensity is 1
    result = np.empty((math.prod(images), height, width), np.float32)
    for image in result:
        # White noise within the band, nothing outside it: ifft pads with zeros. The band may start
        # at frequency 0, as a shift in frequency changes the phase only.
        pairs = rng.standard_normal((len(weights), *band, 2), np.float32)
        noise = pairs.view(np.complex64)[..., 0]  # (looks, y, x): real and imaginary part
        field = fft.ifft(noise, n=columns, axis=2, norm="forward")[:, :, :width]
        field = fft.ifft(field, n=rows, axis=1, norm="forward")[:, :height]
        np.einsum("l,lyx->yx", weights, field.real**2 + field.imag**2, out=image)
    return result.reshape(shape)


def _look_weights(looks: float) -> np.ndarray:
    """Weights of ceil(looks) looks: 1, but less for the last, so that their ENL is ``looks``."""
    whole = math.ceil(looks) - 1
    weights = np.ones(whole + 1, np.float32)
    if whole:  # the smaller root w of (whole + w)^2 = looks (whole + w^2)
        root = math.sqrt(max(0, whole**2 - (looks - 1) * whole * (looks - whole)))
        weights[-1] = (whole - root) / (looks - 1)
    return weights


# ------------------------------------------------------------------------------------------ weather


def weather(year: int, seed: int = 0) -> xr.Dataset:
    """Simulated daily weather of a calendar year, along time: temperature, rain, soil_moisture.

    Temperature (deg C) is an annual wave plus an AR(1); rain (mm) is a two-state Markov chain of
    wet days with Gamma amounts, scaled to the annual sum of Brandenburg where it is on record
    (2017-2021); the soil (soil_moisture, vol-%) forgets rain within about 8 days. The turn of
    February 2018 is frosty, April 2021 cold. Further variables move the backscatter of a date:
    moisture_departure (vol-%, from the mean of the weeks around), wind (standardised), and rest_vv,
    rest_vh (dB), which no weather explains.
    """
    mean, annual_rain = climate(year)
    rng = stream("weather", seed, year)
    time = np.arange(f"{year}-01-01", f"{year + 1}-01-01", dtype="datetime64[D]")
    day = np.arange(len(time)) + 1
    noise = rng.standard_normal((4, len(time)))
    winter = np.cos(2 * np.pi * (day - 20) / 365)  # 1 on 20 January, the coldest day, -1 in July
    temperature = mean - 9 * winter + 2.8 * ar1(noise[0], np.full(len(day), 0.8))
    if year == 2018:
        spell = np.exp(-(((day - 60) / 5) ** 2) / 2)
        temperature += spell * (-7 - temperature)
    if year == 2021:
        temperature -= 2.5 * np.exp(-(((day - 115) / 20) ** 2) / 2)
    rain = _rain(len(day), annual_rain, rng)
    # The soil keeps a share exp(-1 / 8) of its store from day to day. mm, of the days before:
    store = signal.lfilter([1], [1, -math.exp(-1 / 8)], rain) - rain
    moisture = np.clip(20 + 8 * winter + 0.36 * (store - store.mean()), 4, 40)
    # The annual curves hold the usual moisture of each season: only its short departures move a
    # single date.
    usual = ndimage.gaussian_filter1d(moisture, 20, mode="nearest")
    series = {
        "temperature": (temperature, "degC"),
        "rain": (rain, "mm"),
        "soil_moisture": (moisture, "vol-%"),
        "moisture_departure": (moisture - usual, "vol-%"),
        "wind": (noise[1], "1"),
        "rest_vv": (0.4 * noise[2], "dB"),
        "rest_vh": (0.6 * (0.6 * noise[2] + 0.8 * noise[3]), "dB"),  # correlates 0.6 with rest_vv
    }
    return xr.Dataset(
        {name: ("time", values, {"units": units}) for name, (values, units) in series.items()},
        {"time": time.astype("datetime64[ns]")},
    )


def _rain(days: int, annual: float, rng: np.random.Generator) -> np.ndarray:
    """Daily rain (mm): the day after a wet day is wet in 60 % of cases, after a dry one in 35 %."""
    draws = rng.random(days)
    wet = np.zeros(days, bool)
    for i in range(1, days):
        wet[i] = draws[i] < (0.6 if wet[i - 1] else 0.35)
    rain = wet * rng.gamma(1.0, size=days)
    rain *= annual / rain.sum()
    return rain


def _passes(times: np.ndarray, seed: int) -> xr.Dataset:
    """The weather at each acquisition; a day has the same weather in every season that holds it."""
    years = np.unique(times.astype("datetime64[Y]").astype(int) + 1970)  # datetime64 counts from it
    daily = xr.concat([weather(int(year), seed) for year in years], "time")
    return daily.sel(time=times.astype("datetime64[D]"))


def _date_effect(passes: xr.Dataset, open_ground: np.ndarray) -> np.ndarray:
    """What the weather of a date does to backscatter, dB (..., time, 2 = VV and VH).

    open_ground: how open the ground is (0 .. 1); under a closed canopy the radar sees little of it.
    """
    temperature = passes["temperature"].values
    rain = passes["rain"].values
    departure = passes["moisture_departure"].values
    thawed = temperature > -1
    # Rain of the last 24 h brightens a surface. Frost darkens it: ice reflects as little as what is
    # dry.
    fresh = np.where((rain > 1.8) & thawed, 1 + 2 * (1 - np.exp(-rain / 8)), 0)
    frost = np.where(thawed, 0, np.clip(0.5 + (-1 - temperature) / 8, 0.5, 1))
    effects = []
    for band, moisture, wetting, frozen_canopy, frozen_ground in (
        ("vv", 0.10, 0.8, 0.3, 3.3),
        ("vh", 0.08, 0.5, 0.5, 4.5),
    ):
        moist = departure * thawed * (0.06 + moisture * open_ground)
        rained_on = wetting * fresh * open_ground
        frozen = frost * (frozen_canopy + frozen_ground * open_ground**2)
        rest = passes[f"rest_{band}"].values * (0.4 + 0.6 * open_ground)
        effects.append(moist + rained_on - frozen + rest)
    return np.stack(effects, axis=-1)


def _sigma0(stands: np.ndarray, passes: xr.Dataset, year: int, seed: int) -> np.ndarray:
    """Backscatter of every unit, linear power float32 (2, time, units).

    Curve, calendar, weather, and what sets parcels apart.
    """
    units = len(stands)
    days = passes.time.dt.dayofyear.values.astype(float)
    rng = stream("parcels", seed, year)
    offset = rng.standard_normal((units, 2)).clip(-2.5, 2.5)
    timing = rng.standard_normal((units, 3)).clip(-2.5, 2.5)
    mowing = _draw_mowing(units, rng)
    slow = _slow_residual(passes.time.values, units, rng)
    # Each parcel runs some days ahead or behind, by an amount that changes slowly through the year.
    turn = 2 * np.pi * days / 365
    wave = np.stack([np.full(len(days), 0.8), 0.6 * np.cos(turn), 0.6 * np.sin(turn)])

    db = np.empty((2, len(days), units), np.float32)
    for code in np.unique(stands):
        name = NAMES[code]
        rows = np.flatnonzero(stands == code)
        ahead = _days_ahead(name) * timing[rows] @ wave
        value, open_ground, stage = _mean_over_years(name, passes, ahead)
        if name == "water":
            value += passes.wind.values[:, None] * (3.0, 1.5)  # wind roughens it
        else:
            value += _date_effect(passes, open_ground)
        for nth, cut in enumerate(CUTS.get(name, ())):
            since = stage - cut - mowing.shift[rows, nth, None]
            down = (since >= 0) & (since < mowing.length[rows, None])
            if len(CUTS[name]) > 1:
                down &= mowing.habit[rows, None] > CUT_BY[nth]
            value[..., 1] -= mowing.depth[rows, None] * down
        sd_vv, sd_vh, together, *slow_sd = SPREAD[STANDS[name].group]
        # Two correlated offsets from two independent draws (Cholesky factor of their covariance).
        factor = [[sd_vv, sd_vh * together], [0, sd_vh * math.sqrt(1 - together**2)]]
        own = offset[rows] @ factor
        value = value + own[:, None] + np.swapaxes(slow[:, rows], 0, 1) * slow_sd
        db[:, :, rows] = np.moveaxis(value, (0, 1, 2), (2, 1, 0))  # (units, time, 2) turned round
    return 10 ** (db / 10)


class _Mowing(NamedTuple):
    """How each parcel (units along the first axis) is mown, should it be a meadow."""

    shift: np.ndarray  # days by which each of three cuts is off the calendar (units, 3)
    habit: np.ndarray  # 0 .. 1, which of the cuts it takes (see CUT_BY)
    depth: np.ndarray  # dB by which VH falls
    length: np.ndarray  # days until it has grown back


def _draw_mowing(units: int, rng: np.random.Generator) -> _Mowing:
    return _Mowing(
        shift=rng.normal(0, 8, (units, 3)),
        habit=rng.random(units),
        depth=rng.uniform(0.5, 1.5, units),
        length=rng.uniform(10, 20, units),
    )


def _slow_residual(times: np.ndarray, units: int, rng: np.random.Generator) -> np.ndarray:
    """What keeps a parcel above or below its crop for weeks: (time, units, VV and VH), sd 1."""
    gaps = np.diff(times, prepend=times[:1]) / np.timedelta64(1, "D")
    memory = np.exp(-gaps / 28)  # forgotten within about 28 days
    slow = ar1(rng.standard_normal((len(times), units, 2)), memory)
    slow[..., 1] = 0.25 * slow[..., 0] + math.sqrt(1 - 0.25**2) * slow[..., 1]
    return slow


def _days_ahead(name: str) -> int:
    """By how many days parcels of a stand differ in their calendar (sd)."""
    if name == "vegetable":  # of many kinds, sown at many times
        return 14
    return 0 if name in BACKGROUND else 4


def _mean_over_years(
    name: str, passes: xr.Dataset, ahead: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``mean_backscatter`` at each acquisition (units, time), by the calendar of its own year."""
    days = passes.time.dt.dayofyear.values.astype(float)
    years = passes.time.dt.year.values
    parts = []
    for year in np.unique(years):
        now = years == year
        parts.append(mean_backscatter(name, days[now], int(year), ahead[:, now]))
    means, open_grounds, stages = zip(*parts, strict=True)
    return (
        np.concatenate(means, axis=1),
        np.concatenate(open_grounds, axis=1),
        np.concatenate(stages, axis=1),
    )
