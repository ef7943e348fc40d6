"""A season of Sentinel-1 backscatter over Brandenburg made from statistics and physics.

Every truth behind it is known.

    measured    = (response(sigma0) + NESZ) * speckle - NESZ
    sigma0 [dB] = annual curve of the crop + parcel + weather of the day + track and incidence
                  angle, times within-field texture

The response is the instrument's resolution of 20 m, NESZ (noise equivalent sigma zero) its thermal
noise (both of ``instrument``). Annual curves and crops are those of ``phenology``, the parcels
those of ``landscape``. The spread between parcels was measured on French parcels of known crop, the
texture within fields on Flemish ones; frost, rain and moisture follow Benninga et al. 2019 (doi
10.3390/rs11172025). The simulation teaches and tests; its accuracies say nothing about real fields.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

import dask
import dask.array as da
import numpy as np
import rioxarray  # noqa: F401  (registers the .rio accessor)
import xarray as xr
from scipy import ndimage

from stma_nb.cube import BRANDENBURG, CHUNK, flags
from stma_nb.simulate.instrument import REACH, TRACKS, Track, incidence, nesz, respond, speckle
from stma_nb.simulate.landscape import PIXEL, Land, landscape
from stma_nb.simulate.meteorology import date_effect, passes
from stma_nb.simulate.phenology import (
    BACKGROUND,
    CODES,
    CUTS,
    NAMES,
    STANDS,
    ar1,
    mean_backscatter,
    stream,
)

WORLD = "2"  # changes whenever the same arguments make another season
ORIGIN = 400_000.0, 5_900_000.0  # upper left corner in EPSG:32633: the Uckermark
FLOOR = 1e-3  # where noise removal leaves less power than this (-30 dB), this is kept
# Between parcels of one crop, dB: sd of the offset (VV, VH) and the correlation of the two,
# sd of the slow residual (VV, VH).
SPREAD = {
    "cereal": (0.95, 1.03, 0.71, 1.4, 1.4),
    "summer": (0.95, 1.00, 0.67, 1.4, 1.4),
    "rapeseed": (0.69, 0.66, 0.55, 1.4, 1.4),
    "grass": (1.62, 1.60, 0.89, 1.15, 1.15),
    "varied": (1.90, 2.00, 0.80, 1.4, 1.4),
    "still": (0.50, 0.40, 0.80, 0.3, 0.3),
}
# One to three cuts: 70 % of the meadows take the first, all the second, 30 % the third.
CUT_BY = (0.3, -1, 0.7)
# dB: sd of VV, VH from place to place in settlements (measured 4 and 3, less the speckle in the
# measurement)
TOWN = (3.6, 2.0)
ALIKE = 0.75  # correlation of the texture of VV and VH
TURN = np.timedelta64(120, "D")  # after which the changing part of the texture is the same again
# dB (VV, VH): how much brighter than on average bare ground is where the radar looks across its
# rows; along the rows it is darker by as much. Crops in wide rows show it more.
ROWS, WIDE_ROWS = (0.4, 0.15), (1.2, 0.4)
IN_WIDE_ROWS = {"maize", "hemp", "potato", "sugar_beet", "sunflower", "vegetable", "peanut"}
VOLUMES = ("pine", "deciduous")  # whose VV, too, goes with the first power of the cosine


# ------------------------------------------------------------------------------------------- season


def season(
    size: tuple[int, int] = (512, 512),
    dates: int | Sequence = 24,
    year: int = 2018,
    seed: int = 0,
    looks: float | None = 4.4,
    texture: float = 0.15,
    noise_removed: bool = True,
    response: bool = True,
    balance: float = 1.0,
    farmland: float = 0.5,
    parcel_hectares: float = 4.7,
    place: int | None = None,
    region: float = 0.0,
    track: Literal["ascending", "descending"] = "ascending",
    wrong_labels: float = 0.0,
) -> xr.Dataset:
    """A simulated season cube (see ``cube``), lazy: blocks of 256 x 256 pixels made when asked for.

    Args:
        size: rows, columns of 10 m pixels, at least 64 each.
        dates: how many acquisitions, evenly from about 1 October of the year before to 31 October
            of ``year`` (in steps of the 6 day repeat where that fits), or the acquisition times
            themselves, of any years.
        looks: equivalent number of looks of the speckle; None leaves it out.
        texture: coefficient of variation within a field: of what lasts, and again of what changes
            through the season.
        noise_removed: subtract the mean thermal noise, which is in the signal in any case.
        response: blur the backscatter as the instrument's resolution of 20 m does; False shows the
            ground itself, with field edges as sharp as its pixels.
        balance: exponent on Brandenburg's crop shares; 0 makes all crops equally common.
        farmland: share of the scene under crops.
        parcel_hectares: geometric mean of the parcel size (log-normal, sigma 1.2).
        place: whose weather it is; scenes of one place and year share it. By default the seed.
        region: from -1 to 1, where in Europe: to 1 the north, two weeks later, on brighter, wetter
            soil; to -1 the south; 0 is Brandenburg.
        track: "ascending" sees the fields in the evening from the west, "descending" in the
            morning from the east: rows, crops and frost then look different.
        wrong_labels: share of the parcels whose ``crop`` is another one than what truly grows.

    The seed alone settles the parcels, the land cover and which parcels are grassland or orchard
    for good; the year draws the other crops anew and brings its own weather and calendar. 2018
    (drought) and 2021 (late spring) follow the records; the calendar of other years is shifted at
    random. The same arguments always give the same numbers, whole or block by block.

    Holds vv, vh (sigma0, linear power), crop, parcel, incidence_angle, and stand: what truly grows
    (Wheat is winter wheat, rye or barley). Along time: relative_orbit, temperature (deg C), rain
    (mm in 24 h). Raises ValueError for arguments out of range.
    """
    _check_range(size, looks, texture, balance, farmland, parcel_hectares, region, wrong_labels)
    if track not in TRACKS:
        raise ValueError(f"The track is {track!r}; expected one of {', '.join(TRACKS)}.")
    seen = TRACKS[track]
    times = _times(dates, year, seen)
    land = landscape(size, year, seed, farmland, balance, parcel_hectares)
    weather = passes(times, seed if place is None else place, region, track == "descending")
    bands = _bands(
        land,
        _sigma0(land.stands, land.rows, weather, year, seed, seen, region),
        times=times,
        track=seen,
        seed=seed,
        year=year,
        looks=looks,
        texture=texture,
        noise_removed=noise_removed,
        response=response,
    )
    result = xr.Dataset(
        {**bands, **_maps(land, seen, _labels(land, wrong_labels, seed, year))},
        coords={
            "time": times,
            "y": ORIGIN[1] - PIXEL * (np.arange(size[0]) + 0.5),  # centres of the pixels
            "x": ORIGIN[0] + PIXEL * (np.arange(size[1]) + 0.5),
            "relative_orbit": ("time", np.full(len(times), seen.orbit)),
            "temperature": ("time", weather.temperature.values, {"units": "degC"}),
            "rain": ("time", weather.rain.values, {"units": "mm"}),
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
    region: float,
    wrong_labels: float,
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
        ("region", region, -1, 1),
        ("wrong_labels", wrong_labels, 0, 1),
    ):
        if not least <= value <= most:
            raise ValueError(f"'{name}' is {value}; expected {least} to {most}: change it.")


def _bands(land: Land, sigma0: np.ndarray, **options: Any) -> dict[str, tuple]:
    """The layers vv and vh (time, y, x), made block by block when they are asked for.

    sigma0: power (2, time, units); options: what ``_block`` takes besides.
    """
    chunks = da.core.normalize_chunks(CHUNK, land.unit.shape)
    # A block sees a little of its neighbours, as the instrument does.
    around = land._replace(unit=np.pad(land.unit, REACH, mode="edge"))
    layers = {}
    for pol, band in enumerate(("vv", "vh")):
        power = da.map_blocks(
            _block,
            # Delayed, so that the graph holds the land and the table once and not once a block.
            dask.delayed(around, traverse=False),
            dask.delayed(sigma0[pol]),
            pol=pol,
            **options,
            chunks=((sigma0.shape[1],), *chunks),
            dtype="float32",
            meta=np.empty((0, 0, 0), "float32"),
        )
        attrs = {
            "long_name": f"{band.upper()} backscatter",
            "units": "1",
            "quantity": "sigma0",
            "simulation": WORLD,
        }
        layers[band] = (("time", "y", "x"), power, attrs)
    return layers


def _labels(land: Land, wrong: float, seed: int, year: int) -> np.ndarray:
    """The class of each unit: what stands there, but for a share ``wrong`` of the parcels."""
    codes = np.array([CODES[STANDS[name].crop] for name in NAMES], np.uint8)[land.stands]
    rng = stream("labels", seed, year)
    for parcel in 1 + rng.permutation(land.parcels)[: round(wrong * land.parcels)]:
        others = codes[1 : land.parcels + 1]
        others = others[others != codes[parcel]]  # as common among the errors as in the scene
        if others.size:
            codes[parcel] = rng.choice(others)
    return codes


def _maps(land: Land, track: Track, labels: np.ndarray) -> dict[str, tuple]:
    """The layers (y, x) that do not change with the date."""
    parcel = np.where(land.unit <= land.parcels, land.unit, 0).astype(np.int32)
    rows, columns = land.unit.shape
    angle = np.tile(incidence(np.arange(columns), columns, track), (rows, 1))
    stand_names = {"flag_values": list(range(len(NAMES))), "flag_meanings": " ".join(NAMES)}
    place = ("y", "x")
    return {
        "crop": (place, labels[land.unit], flags(BRANDENBURG)),
        "parcel": (place, parcel, {"long_name": "parcel number, 0 = none"}),
        "stand": (place, land.stands[land.unit], stand_names),
        "incidence_angle": (place, angle, {"units": "degree"}),
    }


def _times(dates: int | Sequence, year: int, track: Track) -> np.ndarray:
    """Acquisition times (datetime64[ns]), counted or given."""
    if isinstance(dates, int | np.integer):
        return _even_times(dates, year, track)
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


def _even_times(dates: int, year: int, track: Track) -> np.ndarray:
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
    start = np.datetime64(f"{year - 1}-10-01T{track.time}", "ns")
    start -= np.timedelta64((step * gaps - window) // 2, "D")  # what is over goes to both ends
    return start + step * np.arange(dates) * np.timedelta64(1, "D")


def _block(
    land: Land,
    sigma0: np.ndarray,
    pol: int,
    times: np.ndarray,
    track: Track,
    seed: int,
    year: int,
    looks: float | None,
    texture: float,
    noise_removed: bool,
    response: bool,
    block_id: tuple[int, int, int],
) -> np.ndarray:
    """One block (time, y, x) of one polarisation, from the units of its pixels and around.

    land: its units reach beyond the scene by REACH pixels on every side; sigma0: the backscatter of
    all units (time, units); block_id: given by Dask, the place of the block. Its random streams
    depend on that place, so that a block is the same whenever it is made.
    """
    _, row, column = block_id
    here = np.s_[REACH:-REACH, REACH:-REACH]
    unit = land.unit[row * CHUNK :, column * CHUNK :][: CHUNK + 2 * REACH, : CHUNK + 2 * REACH]
    width = land.unit.shape[1] - 2 * REACH
    columns = column * CHUNK + np.arange(-REACH, unit.shape[1] - REACH)
    shape = unit[here].shape
    gain = _angle_gain(columns, width, pol, land.stands[unit], track)
    factors = _texture(land.stands[unit], pol, texture, times, stream("texture", seed, row, column))
    noise = nesz(columns[REACH:-REACH])
    rng = stream("speckle", seed, year, track.orbit, row, column, pol)
    block = np.empty((len(sigma0), *shape), np.float32)
    for image, date, factor in zip(block, sigma0, factors, strict=True):
        ground = date[unit] * gain * factor
        image[:] = (respond(ground) if response else ground)[here] + noise
        if looks is not None:
            image *= speckle(shape, looks, rng)
    if noise_removed:
        np.maximum(block - noise, FLOOR, out=block)
    return block


def _angle_gain(
    columns: np.ndarray, width: int, pol: int, stand: np.ndarray, track: Track
) -> np.ndarray:
    """How much more power than in the middle of the swath comes back, by pixel (y, x).

    Lambert's cosine law for VV (pol 0) of a surface: the square of the cosine; a volume, which is
    what VH sees and what a forest is in VV too, goes with the first power.
    """
    cosine = np.cos(np.radians(incidence(columns, width, track)))
    ratio = (cosine / math.cos(math.radians(39))).astype(np.float32)
    volume = np.isin(stand, [NAMES.index(name) for name in VOLUMES]) | (pol == 1)
    return np.where(volume, ratio, ratio**2)


def _texture(
    stand: np.ndarray, pol: int, variation: float, times: np.ndarray, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """What varies within a field, date by date: factors of mean 1, by pixel (y, x).

    A pattern that lasts, and one that turns into others through the season, as soil dries and crops
    grow unevenly.
    """

    def pattern() -> np.ndarray:
        shared, other = _pattern(stand.shape, rng), _pattern(stand.shape, rng)
        return (shared, ALIKE * shared + math.sqrt(1 - ALIKE**2) * other)[pol]

    lasting, one, next_one = pattern(), pattern(), pattern()
    town = stand == NAMES.index("settlement")
    for turn in 2 * np.pi * ((times - times[0]) / TURN):
        both = lasting + math.cos(turn) * one + math.sin(turn) * next_one
        # The cube of a Gaussian is nearly Gamma distributed (Wilson and Hilferty 1931).
        factor = np.maximum(1 - variation**2 / 9 * 2 + variation / 3 * both, 0) ** 3
        factor[town] = 10 ** (TOWN[pol] / 10 * lasting[town])
        yield factor.astype(np.float32)


def _pattern(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A Gaussian field of unit variance, correlated over 2 * 2.2 pixels = 45 m."""
    sigma = 2.2
    pattern = ndimage.gaussian_filter(rng.standard_normal(shape), sigma, mode="wrap")
    pattern *= 2 * math.sqrt(math.pi) * sigma  # the filter lowers the standard deviation by this
    return pattern


# -------------------------------------------------------------------------------- sigma0 of units


def _sigma0(
    stands: np.ndarray,
    rows: np.ndarray,
    weather: xr.Dataset,
    year: int,
    seed: int,
    track: Track = TRACKS["ascending"],
    region: float = 0.0,
) -> np.ndarray:
    """Backscatter of every unit, linear power float32 (2, time, units).

    Curve, calendar, weather, what sets parcels apart, and from where they are seen.
    """
    units = len(stands)
    days = weather.time.dt.dayofyear.values.astype(float)
    rng = stream("parcels", seed, year)
    offset = rng.standard_normal((units, 2)).clip(-2.5, 2.5)
    timing = rng.standard_normal((units, 3)).clip(-2.5, 2.5)
    mowing = _draw_mowing(units, rng)
    slow = _slow_residual(weather.time.values, units, year, rng)
    # Each parcel runs some days ahead or behind, by an amount that changes slowly through the year.
    turn = 2 * np.pi * days / 365
    wave = np.stack([np.full(len(days), 0.8), 0.6 * np.cos(turn), 0.6 * np.sin(turn)])
    across = np.cos(2 * np.radians(track.look - rows - 90))  # 1 across the rows, -1 along them

    db = np.empty((2, len(days), units), np.float32)
    for code in np.unique(stands):
        name = NAMES[code]
        own = np.flatnonzero(stands == code)
        ahead = _days_ahead(name) * timing[own] @ wave - _days_late(region, days)
        value, open_ground, stage = _mean_over_years(name, weather, ahead)
        if name == "water":
            value += weather.wind.values[:, None] * (3.0, 1.5)  # wind roughens it
        else:
            value += date_effect(weather, open_ground)
            value += _regional(name, region, open_ground)
            value += _seen_from(name, track, across[own, None], open_ground)
        for nth, cut in enumerate(CUTS.get(name, ())):
            since = stage - cut - mowing.shift[own, nth, None]
            down = (since >= 0) & (since < mowing.length[own, None])
            if len(CUTS[name]) > 1:
                down &= mowing.habit[own, None] > CUT_BY[nth]
            value[..., 1] -= mowing.depth[own, None] * down
        sd_vv, sd_vh, together, *slow_sd = SPREAD[STANDS[name].group]
        # Two correlated offsets from two independent draws (Cholesky factor of their covariance).
        factor = [[sd_vv, sd_vh * together], [0, sd_vh * math.sqrt(1 - together**2)]]
        lasting = offset[own] @ factor
        value = value + lasting[:, None] + np.swapaxes(slow[:, own], 0, 1) * slow_sd
        db[:, :, own] = np.moveaxis(value, (0, 1, 2), (2, 1, 0))  # (units, time, 2) turned round
    return 10 ** (db / 10)


def _days_late(region: float, days: np.ndarray) -> np.ndarray:
    """How much later the season runs to the north: two weeks in spring, half of it at harvest."""
    return region * np.interp(days, (1, 60, 150, 230, 366), (7, 14, 14, 7, 7))


def _regional(name: str, region: float, open_ground: np.ndarray) -> np.ndarray:
    """Level of a region, dB (..., 2): of its soils, and of the varieties that are grown there."""
    soil = open_ground[..., None] * (1.2, 0.9)
    variety = stream("variety", NAMES.index(name)).normal(0, 0.8, 2) * (name not in BACKGROUND)
    return region * (soil + variety)


def _seen_from(name: str, track: Track, across: np.ndarray, open_ground: np.ndarray) -> np.ndarray:
    """What depends on the direction from which a stand is seen, dB (units, time, 2).

    Rows across the line of sight return more. In the morning from the other side each crop differs
    by some tenths of a dB, VV more than VH: dew, leaves that hang, another angle (Flanders, two
    tracks within 36 h: fields -0.2 to -1.2 dB in VV).
    """
    if name in BACKGROUND:
        return np.zeros((*open_ground.shape, 2))
    rows = (across * open_ground)[..., None] * (WIDE_ROWS if name in IN_WIDE_ROWS else ROWS)
    if track == TRACKS["ascending"]:  # from where the annual curves were measured
        return rows
    return rows + stream("track", NAMES.index(name)).normal((-0.6, -0.2), (0.4, 0.3))


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


def _slow_residual(
    times: np.ndarray, units: int, year: int, rng: np.random.Generator
) -> np.ndarray:
    """What keeps a parcel above or below its crop for weeks: (time, units, VV and VH), sd 1.

    Drawn every 6 days from September of the year before on, so that two tracks see the same.
    """
    start = min(times[0], np.datetime64(f"{year - 1}-09-01", "ns"))
    place = (times - start) / np.timedelta64(6, "D")
    knots = int(place[-1]) + 2
    memory = np.full(knots, math.exp(-6 / 28))  # forgotten within about 28 days
    slow = ar1(rng.standard_normal((knots, units, 2), np.float32), memory)
    before = place.astype(int)
    after = (place - before)[:, None, None]
    # Between two knots, with the variance that linear interpolation takes away given back.
    variance = 1 - 2 * after * (1 - after) * (1 - memory[0])
    slow = ((1 - after) * slow[before] + after * slow[before + 1]) / np.sqrt(variance)
    slow[..., 1] = 0.25 * slow[..., 0] + math.sqrt(1 - 0.25**2) * slow[..., 1]
    return slow


def _days_ahead(name: str) -> int:
    """By how many days parcels of a stand differ in their calendar (sd)."""
    if name == "vegetable":  # of many kinds, sown at many times
        return 14
    return 0 if name in BACKGROUND else 4


def _mean_over_years(
    name: str, weather: xr.Dataset, ahead: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``mean_backscatter`` at each acquisition (units, time), by the calendar of its own year."""
    days = weather.time.dt.dayofyear.values.astype(float)
    years = weather.time.dt.year.values
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
