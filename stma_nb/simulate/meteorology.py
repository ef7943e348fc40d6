"""The weather of a place and a year, and what it does to the backscatter of a date."""

import math

import numpy as np
import xarray as xr
from scipy import ndimage, signal

from stma_nb.simulate.phenology import ar1, climate, stream

# dB on VV and VH: sd of what moves all fields of a date and no weather explains. With the weather
# all fields then move by 0.8 to 1.0 dB from date to date, as in Flanders.
REST = 0.7, 0.9


def weather(year: int, place: int = 0) -> xr.Dataset:
    """Daily weather of a place in a calendar year, along time: temperature, rain, soil_moisture.

    Temperature (deg C) is an annual wave plus an AR(1); rain (mm) is a two-state Markov chain of
    wet days with Gamma amounts, scaled to the annual sum of Brandenburg where it is on record
    (2017-2021); the soil (soil_moisture, vol-%) forgets rain within about 8 days. The turn of
    February 2018 is frosty, April 2021 cold. Further variables move the backscatter of a date:
    moisture_departure (vol-%, from the mean of the weeks around), wind (standardised), and rest_vv,
    rest_vh (dB), which no weather explains.
    """
    mean, annual_rain = climate(year)
    rng = stream("weather", place, year)
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
        "rest_vv": (REST[0] * noise[2], "dB"),
        "rest_vh": (REST[1] * (0.8 * noise[2] + 0.6 * noise[3]), "dB"),  # correlates 0.8 with it
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


def passes(times: np.ndarray, place: int, region: float, descending: bool) -> xr.Dataset:
    """The weather at each acquisition; a day has the same weather in every season that holds it.

    A descending pass comes in the morning, when it is colder; to the north of Brandenburg
    (``region`` up to 1) it is colder throughout.
    """
    years = np.unique(times.astype("datetime64[Y]").astype(int) + 1970)  # datetime64 counts from it
    daily = xr.concat([weather(int(year), place) for year in years], "time")
    found = daily.sel(time=times.astype("datetime64[D]"))
    return found.assign(temperature=found.temperature - 5 * descending - 2 * region)


def date_effect(passes: xr.Dataset, open_ground: np.ndarray) -> np.ndarray:
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
