"""A season of Sentinel-1 backscatter over Brandenburg made from statistics and physics: every truth
behind it is known.

    measured = (sigma0 + NESZ) * speckle - NESZ sigma0 [dB] = annual curve of the crop + parcel +
    weather of the day + incidence angle, times within-field texture

Annual curves and crops are those of ``phenology``, the parcels those of ``landscape``. The spread
between parcels was measured on French parcels of known crop; frost, rain and moisture follow
Benninga et al. 2019 (doi 10.3390/rs11172025). The simulation teaches and tests; its accuracies say
nothing about real fields.
"""

import math
from collections.abc import Sequence

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
SPREAD = {  # between parcels of one crop, dB: sd of the offset (VV, VH) and its correlation, sd of the slow residual (VV, VH)
    "cereal": (0.95, 1.03, 0.71, 1.0, 1.0),
    "summer": (0.95, 1.00, 0.67, 1.0, 1.0),
    "rapeseed": (0.69, 0.66, 0.55, 1.05, 1.06),
    "grass": (1.62, 1.60, 0.89, 0.83, 0.83),
    "varied": (1.90, 2.00, 0.80, 1.0, 1.0),
    "still": (0.50, 0.40, 0.80, 0.2, 0.2),
}
CUT_BY = (
    0.3,
    -1,
    0.7,
)  # one to three cuts: 70 % of the meadows take the first, all the second, 30 % the third
TOWN = (
    3.6,
    2.0,
)  # dB: sd of VV, VH from place to place in settlements (measured 4 and 3, less the speckle in the measurement)


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
    """A simulated season cube (see ``cube``), lazy: blocks of 256 x 256 pixels are made when they
    are asked for.

    size: rows, columns of 10 m pixels, at least 64 each. dates: how many acquisitions, evenly from
    about 1 October of the year before to 31 October of ``year`` (in steps of the 6 day repeat where
    that fits), or the acquisition times themselves, of any years. looks: equivalent number of looks
    of the speckle; None leaves it out: the true backscatter. texture: coefficient of variation
    within a field. noise_removed: subtract the mean thermal noise, which is in the signal in any
    case. balance: exponent on Brandenburg's crop shares; 0 makes all crops equally common.
    farmland: share of the scene under crops. parcel_hectares: geometric mean of the parcel size
    (log-normal, sigma 1.2).

    The seed alone settles the parcels, the land cover and which parcels are grassland or orchard
    for good; the year draws the other crops anew and brings its own weather and calendar. 2018
    (drought) and 2021 (late spring) follow the records; the calendar of other years is shifted at
    random. The same arguments always give the same numbers, whole or block by block.

    Holds vv, vh (sigma0, linear power), crop, parcel, incidence_angle, and stand: what truly grows
    (Wheat is winter wheat, rye or barley). Along time: relative_orbit, temperature (deg C), rain
    (mm in 24 h). Raises ValueError for arguments out of range.
    """
    if len(size) != 2 or min(size) < 64:
        raise ValueError(
            f"The size is {tuple(size)}; expected (rows, columns) of at least 64 pixels: give a "
            "larger scene."
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
    times = _times(dates, year)
    unit, stands, parcels = landscape(size, year, seed, farmland, balance, parcel_hectares)
    passes = _passes(times, seed)
    sigma0 = _sigma0(stands, passes, year, seed)
    grid = da.from_array(unit, chunks=CHUNK)
    options = {
        "chunks": ((len(times),), *grid.chunks),
        "new_axis": 0,
        "dtype": "float32",
        "meta": np.empty((0, 0, 0), "float32"),
    }
    options |= {"stands": stands, "width": size[1], "seed": seed, "year": year}
    options |= {"looks": looks, "texture": texture, "noise_removed": noise_removed}
    layers = {
        # Delayed, so that the graph holds the table of all units once and not once a block.
        band: (
            ("time", "y", "x"),
            da.map_blocks(_block, grid, dask.delayed(sigma0[pol]), pol=pol, **options),
        )
        for pol, band in enumerate(("vv", "vh"))
    }
    codes = np.array([CODES[STANDS[name].crop] for name in NAMES], np.uint8)
    layers["crop"] = ("y", "x"), codes[stands][unit], flags(BRANDENBURG)
    layers["parcel"] = (
        ("y", "x"),
        np.where(unit <= parcels, unit, 0).astype(np.int32),
        {"long_name": "parcel number, 0 = none"},
    )
    layers["stand"] = (
        ("y", "x"),
        stands[unit],
        {"flag_values": list(range(len(NAMES))), "flag_meanings": " ".join(NAMES)},
    )
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
        attrs={
            "title": f"Simulated Sentinel-1 season {year}, Brandenburg",
            "source": "simulation",
            "seed": seed,
            "year": year,
        },
    )
    for band in ("vv", "vh"):
        result[band].attrs = {
            "long_name": f"{band.upper()} backscatter",
            "units": "1",
            "quantity": "sigma0",
        }
    return result.rio.write_crs("EPSG:32633")


def _times(dates: int | Sequence, year: int) -> np.ndarray:
    """Acquisition times (datetime64[ns]), counted or given."""
    if isinstance(dates, int | np.integer):
        if dates < 2:
            raise ValueError(
                f"A season of {dates} date(s) was asked for; expected at least 2: ask for more "
                "dates."
            )
        window, gaps = 395, dates - 1
        step = 6 * max(1, round(window / gaps / 6))
        if abs(step * gaps - window) > 20:
            step = max(1, round(window / gaps))
        first = np.datetime64(f"{year - 1}-10-01T16:50", "ns") - np.timedelta64(
            (step * gaps - window) // 2, "D"
        )
        return first + step * np.arange(dates) * np.timedelta64(1, "D")
    times = np.asarray(dates, dtype="datetime64[ns]")
    if times.ndim != 1 or len(times) < 2:
        raise ValueError(
            f"{times.size} date(s) were given; expected a list of at least 2: add dates."
        )
    if (wrong := ~(np.diff(times) > np.timedelta64(0))).any():
        day = np.datetime_as_string(times[1:][wrong][0], unit="D")
        raise ValueError(
            f"The dates must increase strictly, but {day} is repeated or comes late: sort them "
            "and drop the repeated."
        )
    return times


def _block(
    unit, sigma0, stands, pol, width, seed, year, looks, texture, noise_removed, block_id=None
) -> np.ndarray:
    """One block of one polarisation (time, y, x) from its units (y, x) and the backscatter of all
    units (time, units).
    """
    _, row, column = block_id
    columns = column * CHUNK + np.arange(unit.shape[1])
    # Lambert's cosine law for VV; a volume scatterer, as seen in VH, goes with the first power of
    # the cosine.
    gain = (np.cos(np.radians(_incidence(columns, width))) / math.cos(math.radians(39))) ** (
        2 - pol
    )
    # A Gaussian field of unit variance, correlated over 2 * 2.2 pixels = 45 m, made Gamma after
    # Wilson and Hilferty (1931).
    pattern = ndimage.gaussian_filter(
        stream("texture", seed, row, column).standard_normal(unit.shape), 2.2, mode="wrap"
    )
    pattern *= 2 * math.sqrt(math.pi) * 2.2
    gain = gain * np.maximum(1 - texture**2 / 9 + texture / 3 * pattern, 0) ** 3
    town = stands[unit] == NAMES.index("settlement")
    gain[town] = 10 ** (TOWN[pol] / 10 * pattern[town])
    nesz = (10 ** ((-27 - 0.7 * np.cos(2 * np.pi * columns * PIXEL / 40e3)) / 10)).astype(
        np.float32
    )  # -27 dB, wavy along range
    rng = stream("speckle", seed, year, row, column, pol)
    block = np.empty((len(sigma0), *unit.shape), np.float32)
    for image, date in zip(block, sigma0, strict=True):
        np.multiply(date[unit], gain, out=image, casting="same_kind")
        image += nesz
        if looks is not None:
            image *= speckle(unit.shape, looks, rng)
    return np.maximum(block - nesz, FLOOR, out=block) if noise_removed else block


def _incidence(columns: np.ndarray, width: int) -> np.ndarray:
    """Incidence angle (degrees) by column: 39 in the middle, 17 more over the 250 km of the swath;
    east is far range.
    """
    return (39 + 17 / 250e3 * PIXEL * (columns - width / 2)).astype(np.float32)


def speckle(
    shape: tuple[int, ...], looks: float = 4.4, rng: np.random.Generator | None = None
) -> np.ndarray:
    """Unit-mean intensity speckle, float32 of ``shape`` (..., y, x), correlated like a Sentinel-1
    GRDH image at 10 m.

    A look is complex white noise limited to the band of the 20.4 m (range, x) by 22.5 m (azimuth,
    y) resolution; the intensity is the weighted mean of ceil(looks) looks, the last weighted so
    that ENL = (sum w)^2 / sum w^2 = ``looks``. Neighbouring pixels then correlate by |sinc(0.886 d
    / resolution)|^2: 0.51 along x, 0.58 along y. The leading axes are independent images. Raises
    ValueError for fewer than 1 look.
    """
    if not 1 <= looks < math.inf:
        raise ValueError(
            f"'looks' is {looks}; expected a number of at least 1 (4.4 for Sentinel-1 GRDH): "
            "change it."
        )
    rng = rng or np.random.default_rng()
    whole = math.ceil(looks) - 1
    weights = np.ones(whole + 1, np.float32)
    if whole:  # the root of (whole + w)^2 = looks (whole + w^2)
        weights[-1] = (
            whole - math.sqrt(max(0, whole**2 - (looks - 1) * whole * (looks - whole)))
        ) / (looks - 1)
    *images, height, width = shape
    # A little larger than asked for: the Fourier series repeats, and opposite edges must not be
    # alike.
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


# ------------------------------------------------------------------------------------------ weather


def weather(year: int, seed: int = 0) -> xr.Dataset:
    """Simulated daily weather of a calendar year, along time: temperature (deg C), rain (mm),
    soil_moisture (vol-%).

    Temperature is an annual wave plus an AR(1); rain is a two-state Markov chain of wet days with
    Gamma amounts, scaled to the annual sum of Brandenburg where it is on record (2017-2021); the
    soil forgets rain within about 8 days. The turn of February 2018 is frosty, April 2021 cold.
    Further variables move the backscatter of a date: moisture_departure (vol-%, from the mean of
    the weeks around), wind (standardised), and rest_vv, rest_vh (dB), which no weather explains.
    """
    mean, annual_rain = climate(year)
    rng = stream("weather", seed, year)
    time = np.arange(f"{year}-01-01", f"{year + 1}-01-01", dtype="datetime64[D]").astype(
        "datetime64[ns]"
    )
    day, noise = np.arange(len(time)) + 1, rng.standard_normal((4, len(time)))
    winter = np.cos(2 * np.pi * (day - 20) / 365)
    temperature = mean - 9 * winter + 2.8 * ar1(noise[0], np.full(len(day), 0.8))
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
        # The annual curves hold the usual moisture of each season: only its short departures move a
        # single date.
        "moisture_departure": (
            moisture - ndimage.gaussian_filter1d(moisture, 20, mode="nearest"),
            "vol-%",
        ),
        "wind": (noise[1], "1"),
        "rest_vv": (0.4 * noise[2], "dB"),
        "rest_vh": (0.6 * (0.6 * noise[2] + 0.8 * noise[3]), "dB"),
    }
    return xr.Dataset(
        {name: ("time", values, {"units": units}) for name, (values, units) in series.items()},
        {"time": time},
    )


def _passes(times: np.ndarray, seed: int) -> xr.Dataset:
    """The weather at each acquisition; a day has the same weather in every season that holds it."""
    years = np.unique(times.astype("datetime64[Y]").astype(int) + 1970)
    return xr.concat([weather(int(year), seed) for year in years], "time").sel(
        time=times.astype("datetime64[D]")
    )


def _date_effect(passes: xr.Dataset, open_ground: np.ndarray) -> np.ndarray:
    """What the weather of a date does to backscatter, dB (..., time, 2), by how open the ground is
    (0 .. 1).
    """
    temperature, rain, departure = (
        passes[name].values for name in ("temperature", "rain", "moisture_departure")
    )
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


def _sigma0(stands: np.ndarray, passes: xr.Dataset, year: int, seed: int) -> np.ndarray:
    """Backscatter of every unit, linear power float32 (2, time, units): curve, calendar, weather,
    and what sets parcels apart.
    """
    units, days, years = (
        len(stands),
        passes.time.dt.dayofyear.values.astype(float),
        passes.time.dt.year.values,
    )
    rng = stream("parcels", seed, year)
    offset, timing = (rng.standard_normal((units, n)).clip(-2.5, 2.5) for n in (2, 3))
    cut_on, cuts, depth, length = (
        rng.normal(0, 8, (units, 3)),
        rng.random(units),
        rng.uniform(0.5, 1.5, units),
        rng.uniform(10, 20, units),
    )
    gaps = np.diff(passes.time.values, prepend=passes.time.values[:1]) / np.timedelta64(1, "D")
    slow = ar1(rng.standard_normal((len(days), units, 2)), np.exp(-gaps / 28))
    slow[..., 1] = 0.25 * slow[..., 0] + math.sqrt(1 - 0.25**2) * slow[..., 1]
    # Each parcel runs some days ahead or behind, by an amount that changes slowly through the year.
    wave = np.stack(
        [
            np.full(len(days), 0.8),
            0.6 * np.cos(2 * np.pi * days / 365),
            0.6 * np.sin(2 * np.pi * days / 365),
        ]
    )

    db = np.empty((2, len(days), units), np.float32)
    for code in np.unique(stands):
        name, rows = NAMES[code], np.flatnonzero(stands == code)
        sd_vv, sd_vh, together, *slow_sd = SPREAD[STANDS[name].group]
        ahead = (
            (14 if name == "vegetable" else 0 if name in BACKGROUND else 4) * timing[rows] @ wave
        )
        parts = [
            mean_backscatter(name, days[years == y], int(y), ahead[:, years == y])
            for y in np.unique(years)
        ]
        value, open_ground, stage = (
            np.concatenate(part, axis=1) for part in zip(*parts, strict=True)
        )
        wind = passes.wind.values[:, None] * (3.0, 1.5)
        value += wind if name == "water" else _date_effect(passes, open_ground)
        for nth, cut in enumerate(CUTS.get(name, ())):
            since = stage - cut - cut_on[rows, nth, None]
            taken = cuts[rows, None] > CUT_BY[nth] if len(CUTS[name]) > 1 else True
            value[..., 1] -= depth[rows, None] * (
                (since >= 0) & (since < length[rows, None]) & taken
            )
        own = offset[rows] @ [[sd_vv, sd_vh * together], [0, sd_vh * math.sqrt(1 - together**2)]]
        db[:, :, rows] = np.moveaxis(
            value + own[:, None] + np.swapaxes(slow[:, rows], 0, 1) * slow_sd, (0, 1, 2), (2, 1, 0)
        )
    return 10 ** (db / 10)
