"""Backscatter as physics has it: units, geometry, indices of vegetation, and regular dates.

Functions take season cubes (see ``cube``) or their variables and return new ones; they are lazy on
Dask data and keep NaN. Everything is computed in linear power; decibels are for looking at.
"""

import re
from collections.abc import Callable, Sequence
from typing import TypeVar, cast

import numpy as np
import pandas as pd
import xarray as xr

from stma_nb import cube

Numbers = TypeVar("Numbers", xr.DataArray, np.ndarray)  # what goes in comes out
REFERENCE_ANGLE = 39.0  # degrees: about the middle of Sentinel-1's IW swath (29 to 46)


# -------------------------------------------------------------------------------------------- units


def to_db(power: Numbers) -> Numbers:
    """Backscatter in dB, 10 log10(power); zero, negative (noise) and infinite power becomes NaN,
    NaN stays NaN.

    A DataArray must have units "1" (linear power), an array is taken as it is; raises ValueError
    for a DataArray in dB.
    """
    if isinstance(power, xr.DataArray):
        expect_units(
            power, "1", "linear power", "leave it as it is, or convert it with radar.from_db"
        )
        result = xr.apply_ufunc(
            _decibel,
            power,
            dask="parallelized",
            output_dtypes=[np.result_type(power.dtype, np.float32)],
        )
        return result.assign_attrs(power.attrs | {"units": "dB"})
    return _decibel(np.asarray(power))


def from_db(db: xr.DataArray) -> xr.DataArray:
    """Linear power of backscatter in dB, 10^(dB / 10).

    Raises ValueError if the units are not "dB".
    """
    expect_units(db, "dB", "dB", "set .attrs['units'] = 'dB' if that is what the numbers are")
    return (
        (10.0 ** (db / 10))
        .astype(np.result_type(db.dtype, np.float32))
        .assign_attrs(db.attrs | {"units": "1"})
    )


def _decibel(power: np.ndarray) -> np.ndarray:
    power = power.astype(np.result_type(power.dtype, np.float32))
    return 10 * np.log10(
        np.where((power > 0) & np.isfinite(power), power, np.nan).astype(power.dtype)
    )


def expect_units(data: xr.DataArray, units: str, meaning: str, remedy: str) -> None:
    """Raise ValueError unless a variable has the units asked for."""
    found = data.attrs.get("units", "none")
    if found != units:
        raise ValueError(
            f"'{data.name}' has units '{found}'; expected '{units}' ({meaning}): {remedy}."
        )


def expect_sigma0(season: xr.Dataset) -> None:
    """Raise ValueError unless a season says that it is sigma0."""
    found = cube.quantity(season) or "not stated"
    if found != "sigma0":
        raise ValueError(
            f"The season's quantity is '{found}'; expected 'sigma0': set vv.attrs['quantity'] if "
            "that is what it is."
        )


# ----------------------------------------------------------------------------------------- geometry


def gamma0(season: xr.Dataset) -> xr.Dataset:
    """The season as gamma0 = sigma0 / cos(incidence angle).

    That is power per area across the beam, flatter over the swath than sigma0. Raises ValueError if
    the season is not sigma0 or has no ``incidence_angle``.
    """
    angle = _angle(season)
    expect_sigma0(season)
    return change_bands(season, lambda power: power / np.cos(np.radians(angle)), quantity="gamma0")


def normalise_incidence(
    season: xr.Dataset, n: float = 2.0, reference: float = REFERENCE_ANGLE
) -> xr.Dataset:
    """Backscatter as it would be at one incidence angle: times (cos(reference) / cos(angle))^n.

    n = 2 is Lambert's law for rough surfaces, n = 1 a volume such as a canopy; the true exponent
    depends on what grows. Raises ValueError if the season has no ``incidence_angle``.
    """
    gain = (np.cos(np.radians(reference)) / np.cos(np.radians(_angle(season)))) ** n
    return change_bands(season, lambda power: power * gain)


def orbit_offsets(season: xr.Dataset) -> xr.DataArray:
    """Mean backscatter in dB of each relative orbit minus that of all, (orbit, polarisation).

    That is the step that mixing them puts in. Compare orbits of the same weeks, or the season's own
    change is in the numbers. Raises ValueError without ``relative_orbit``.
    """
    if "relative_orbit" not in season.coords:
        raise ValueError(
            "The season has no 'relative_orbit' along time: add it as a coordinate, one number a "
            "date."
        )
    _expect_power(season)
    # Grouping needs to know the groups.
    season = season.assign_coords(relative_orbit=season.relative_orbit.compute())
    names = [name for name in cube.POLARISATIONS if name in season]
    means = xr.concat(
        [season[name].mean(("y", "x")) for name in names],
        pd.Index(names, name="polarisation"),
    )
    level = cast(xr.DataArray, 10 * np.log10(means))
    return level.groupby("relative_orbit").mean("time").T - level.mean("time")


def _angle(season: xr.Dataset) -> xr.DataArray:
    if "incidence_angle" not in season:
        raise ValueError(
            "The season has no 'incidence_angle' (y, x) in degrees: add it from the product's "
            "geometry."
        )
    return season.incidence_angle


def change_bands(
    season: xr.Dataset,
    change: Callable[[xr.DataArray], xr.DataArray],
    bands: Sequence[str] | None = None,
    **attrs: str,
) -> xr.Dataset:
    """A season with its polarisations (or other bands) changed, in float32; attributes stay."""
    _expect_power(season)
    changed = {}
    for name in cube.polarisations(season) if bands is None else bands:
        band = change(season[name]).astype("float32")
        changed[name] = band.assign_attrs(season[name].attrs | attrs)
    return season.assign(changed)


def _expect_power(season: xr.Dataset) -> None:
    for name in cube.polarisations(season):
        expect_units(season[name], "1", "linear power", "convert it with radar.from_db")


def _expect_vv_and_vh(season: xr.Dataset) -> None:
    """Raise ValueError unless a season has VV and VH in linear power."""
    missing = [name for name in ("vv", "vh") if name not in season]
    if missing:
        raise ValueError(
            f"The season has no '{missing[0]}' (it has {', '.join(cube.bands(season))}): this "
            "index needs VV and VH."
        )
    _expect_power(season)


# ------------------------------------------------------------------------------------------ indices


def cross_ratio(season: xr.Dataset) -> xr.DataArray:
    """VH / VV in linear power: rises with the water in the plants, and hardly feels soil moisture.

    Veloso et al. (2017), https://doi.org/10.1016/j.rse.2017.07.015
    """
    _expect_vv_and_vh(season)
    ratio = (season.vh / season.vv).rename("cross_ratio")
    return ratio.assign_attrs(long_name="cross ratio VH / VV", units="1")


def rvi(season: xr.Dataset) -> xr.DataArray:
    """Radar vegetation index of VV and VH, 4 VH / (VV + VH): 0 for a bare smooth surface."""
    _expect_vv_and_vh(season)
    index = 4 * season.vh / (season.vv + season.vh)
    return index.rename("rvi").assign_attrs(long_name="radar vegetation index", units="1")


# -------------------------------------------------------------------------------------------- dates


def composite(
    season: xr.Dataset, every: str = "12D", start: str | None = None, end: str | None = None
) -> xr.Dataset:
    """Mean backscatter (linear power) of regular periods, each stamped with its first day.

    ``every`` is a number of days such as "12D", or "MS" for calendar months. ``start`` and ``end``
    are days (default: those of the first and last acquisition); with the same three any two seasons
    get the same dates. A period without an acquisition is NaN: see ``fill_gaps``. Raises ValueError
    for a period that is none of these, and where no period lies between start and end.
    """
    _expect_power(season)
    first, last = (
        pd.Timestamp(season.time.values[i] if day is None else day).normalize()
        for i, day in ((0, start), (-1, end))
    )
    if every == "MS":
        first = first.replace(day=1)
    elif not (isinstance(every, str) and re.fullmatch(r"[1-9]\d*D", every)):
        raise ValueError(
            f"'{every}' is no period; expected a number of days such as '12D', or 'MS' for "
            "calendar months."
        )
    dates = pd.date_range(first, last, freq=every)
    if not len(dates):
        raise ValueError(
            f"The start {first:%Y-%m-%d} lies after the end {last:%Y-%m-%d}: give a start before "
            "it."
        )
    beyond = pd.date_range(dates[-1], periods=2, freq=every)[1]
    kept = season.sel(time=(season.time >= dates[0]) & (season.time < beyond))
    number = np.searchsorted(dates.values, kept.time.values, side="right") - 1
    result = season.drop_dims("time").assign_coords(time=dates)
    for name in cube.bands(season):
        others = [c for c in kept[name].coords if "time" in kept[name][c].dims and c != "time"]
        band = kept[name].drop_vars(others).assign_coords(period=("time", number))
        mean = band.groupby("period").mean("time").reindex(period=np.arange(len(dates)))
        mean = mean.rename(period="time").assign_coords(time=dates).transpose("time", "y", "x")
        result[name] = mean.astype("float32").assign_attrs(season[name].attrs)
    return result


def at_dates(season: xr.Dataset, times: np.ndarray, longest: str = "12D") -> xr.Dataset:
    """The season on another calendar: for each of ``times`` (T,) the acquisition nearest in time.

    So a network meets the dates that it knows: ``at_dates(season, trained.times)``. Acquisitions
    stay as they were, under the new dates; of another year, give the times in the season's year.
    Raises ValueError for a date that has no acquisition within ``longest``.
    """
    times = np.asarray(times, "datetime64[ns]")
    apart = np.abs(times[:, None] - season.time.values[None])
    nearest = apart.argmin(1)
    far = apart.min(1) > pd.Timedelta(longest).to_timedelta64()
    if far.any():
        day = np.datetime_as_string(times[far][0], unit="D")
        raise ValueError(
            f"No acquisition lies within {longest} of {day}: allow more (longest=), or train on "
            "the season's own dates."
        )
    return season.isel(time=nearest).assign_coords(time=times)


def fill_gaps(season: xr.Dataset, longest: str = "36D") -> xr.Dataset:
    """Fill missing values of all bands by linear interpolation in time (power, not dB).

    Dates on both sides may be at most ``longest`` apart. What lies before the first or after the
    last value of a pixel, or in a longer gap, stays NaN.
    """
    days = (season.time.values - season.time.values[0]) / np.timedelta64(1, "D")
    try:
        most = pd.Timedelta(longest) / pd.Timedelta("1D")
    except ValueError as error:
        raise ValueError(
            f"'{longest}' is no length of time; expected something like '36D'."
        ) from error

    def bridge(power: np.ndarray) -> np.ndarray:
        known, position = np.isfinite(power), np.arange(len(days))
        before = np.maximum.accumulate(np.where(known, position, -1), axis=-1)
        after = np.minimum.accumulate(np.where(known, position, len(days))[..., ::-1], axis=-1)[
            ..., ::-1
        ]
        inner = (before >= 0) & (after < len(days)) & ~known
        before, after = before.clip(0), after.clip(max=len(days) - 1)
        gap = days[after] - days[before]
        share = (days - days[before]) / np.where(gap > 0, gap, 1)
        low, high = (np.take_along_axis(power, index, -1) for index in (before, after))
        return np.where(inner & (gap <= most), low + share * (high - low), power).astype(
            power.dtype
        )

    def fill(power: xr.DataArray) -> xr.DataArray:
        whole = power.chunk(time=-1) if power.chunks else power
        filled = xr.apply_ufunc(
            bridge,
            whole,
            input_core_dims=[["time"]],
            output_core_dims=[["time"]],
            dask="parallelized",
            output_dtypes=[power.dtype],
        )
        return filled.transpose(*power.dims)

    return change_bands(season, fill, cube.bands(season))
