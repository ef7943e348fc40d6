"""Figures of notebook 01 that teach nothing by themselves: numbers in, a matplotlib Figure out."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from scipy import stats

from stma_nb import radar
from stma_nb.figures.colours import VH
from stma_nb.figures.plots import days_of, literal


def power_and_db(power: np.ndarray, band: str = "VH") -> Figure:
    """How many pixels have which backscatter: in linear power, and the same pixels in dB."""
    figure = Figure(figsize=(9, 2.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.hist(power, bins=100, color=VH)
    left.set(xlabel=f"{band} backscatter, linear power", ylabel="pixels")
    right.hist(10 * np.log10(power), bins=np.arange(-31, 0, 0.5), color=VH)
    right.set(xlabel=f"{band} backscatter (dB)", ylabel="pixels")
    return figure


def against_gamma(ratio: np.ndarray, looks: float) -> Figure:
    """Power of pixels relative to their mean, beside the Gamma density with so many looks."""
    figure = Figure(figsize=(7.5, 3), layout="constrained")
    axis = figure.subplots()
    power = np.linspace(0.001, 3, 200)
    density = stats.gamma.pdf(power, looks, scale=1 / looks)
    axis.hist(ratio, 30, density=True, color="0.8")
    axis.plot(power, density, color="black")
    axis.axvline(1, color="0.5", linestyle=":")
    axis.text(1.03, 0.03, "mean", fontsize=9, color="0.3")
    at = int(np.searchsorted(power, 1.5))
    curve = f"Gamma with L = {looks:.1f}"
    axis.text(1.55, density[at] + 0.06, curve, fontsize=10)
    axis.text(0.05, 0.9 * density.max(), "pixels of\none field", fontsize=10, color="0.4", va="top")
    axis.set(xlabel="power relative to the field's mean", ylabel="density", xlim=(0, 3))
    return figure


def vh_against_vv(
    means: Mapping[str, xr.Dataset], colours: Mapping[str, str], title: str
) -> Figure:
    """Mean VV and VH of fields in dB, a mark for each; ``means`` holds their power by crop."""
    figure = Figure(figsize=(6.5, 4.6), layout="constrained")
    axis = figure.subplots()
    for (name, fields), marker in zip(means.items(), "osD^", strict=False):
        vv, vh = (radar.to_db(fields[band].values) for band in ("vv", "vh"))
        look: dict[str, Any] = dict(markersize=5, alpha=0.7, color=colours[name])
        axis.plot(vv, vh, marker, label=f"{literal(name)} ({np.isfinite(vh).sum()})", **look)
    axis.set(xlabel="VV backscatter (dB)", ylabel="VH backscatter (dB)", title=title)
    figure.legend(loc="outside right center", title="fields of", fontsize=9, frameon=False)
    return figure


def pixels_and_mean(time: np.ndarray, pixels: np.ndarray, mean: np.ndarray, colour: str) -> Figure:
    """Single pixels (pixel, time) of a field in grey, and the mean of all of them; both in dB."""
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    axis = figure.subplots()
    axis.plot(time, np.transpose(pixels), color="0.7", linewidth=0.8)
    axis.plot(time, mean, "o-", color=colour, linewidth=2)
    for level, told, shade in ((mean[-1], "mean", colour), (pixels[:, -1].max(), "pixels", "0.4")):
        at = (time[-1], level)
        axis.annotate(told, at, (6, 0), textcoords="offset points", color=shade, va="center")
    axis.set(xlabel="acquisition date", ylabel="VH backscatter (dB)")
    axis.xaxis.set_major_formatter(ConciseDateFormatter(AutoDateLocator()))
    axis.margins(x=0.08)
    return figure


def fields_and_mean(curves: Mapping[str, xr.DataArray], colour: str) -> Figure:
    """Curves in dB (time, parcel) of every field of a crop, and their mean in black, by band."""
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    panels = figure.subplots(1, len(curves), sharex=True, squeeze=False)[0]
    for axis, (band, fields) in zip(panels, curves.items(), strict=True):
        fields = fields.transpose("time", "parcel")
        axis.plot(fields.time, fields, color=colour, alpha=0.4, linewidth=1)
        axis.plot(fields.time, fields.mean("parcel"), color="black", linewidth=2)
        axis.set(xlabel="acquisition date", ylabel=f"{band.upper()} backscatter (dB)")
        axis.xaxis.set_major_formatter(ConciseDateFormatter(AutoDateLocator()))
        axis.grid(alpha=0.3)
    return figure


def calendar(table: np.ndarray, names: list[str], time: np.ndarray) -> Figure:
    """Mean VH backscatter in dB of crops (rows, with their names) by date (columns) as colours."""
    figure = Figure(figsize=(9, 4.8), layout="constrained")
    axis = figure.subplots()
    picture = axis.imshow(table, aspect="auto", cmap="cividis")
    axis.set_yticks(range(len(names)), [literal(name) for name in names], fontsize=9)
    axis.set_xticks(range(len(time)), days_of(time), rotation=60, fontsize=9)
    axis.set_xlabel("acquisition date")
    figure.colorbar(picture, label="mean VH backscatter (dB)")
    return figure


def shared_and_weather(time: np.ndarray, shared: np.ndarray, weather: xr.Dataset) -> Figure:
    """What all crops share on each date in dB, above the temperature and the rain of the day.

    Days with frost have a grey band.
    """
    figure = Figure(figsize=(9, 5), layout="constrained")
    panels = figure.subplots(3, 1, sharex=True)
    days = np.timedelta64(6, "D")  # width of a bar
    panels[0].bar(time, shared, width=days, color="0.3")
    panels[1].plot(time, weather.temperature, "o-", color="black")
    panels[2].bar(time, weather.rain, width=days, color="0.5")
    labels = ("shared by all\ncrops (dB)", "temperature\n(°C)", "rain or snow\n(mm)")
    for axis, label in zip(panels, labels, strict=True):
        axis.set_ylabel(label)
        axis.axhline(0, color="black", linewidth=0.5)
        axis.grid(alpha=0.3)
        for cold in time[weather.temperature.values < 0]:
            axis.axvspan(cold - days, cold + days, color="#0072b2", alpha=0.15, lw=0)
    for cold in time[weather.temperature.values < 0]:
        top = (cold + 1.2 * days, panels[0].get_ylim()[0])
        panels[0].annotate("frost", top, (0, 4), textcoords="offset points", fontsize=10)
    figure.align_ylabels()
    panels[-1].set_xlabel("acquisition date")
    panels[-1].xaxis.set_major_formatter(ConciseDateFormatter(AutoDateLocator()))
    return figure
