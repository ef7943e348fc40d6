"""Small interactive figures for notebooks; where widgets do not live (web viewers, exports) a
picture stands in their place.
"""

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

from stma_nb import radar
from stma_nb.cube import Crop, legend
from stma_nb.figures.plots import html_image, ink


def crop_chooser(season: xr.Dataset, first: str, second: str):
    """Two lists to choose crops from, and under them the crops' courses and on which dates their
    fields differ most.

    Returns the widget; ``widget.children`` are the two lists (Dropdown) and the picture. Needs
    ``crop`` and ``parcel``.
    """
    import ipywidgets

    curves, crops = parcel_curves(season), legend(season)
    names = [crop.name for crop in crops if (curves.crop == crop.name).sum() > 1]
    for name in (first, second):
        if name not in names:
            raise ValueError(
                f"'{name}' has fewer than two parcels in this season: choose from "
                f"{', '.join(names)}."
            )
    lists = [
        ipywidgets.Dropdown(
            options=names,
            value=name,
            description=f"{which} crop",
            style={"description_width": "7em"},
        )
        for which, name in (("First", first), ("Second", second))
    ]
    picture = ipywidgets.HTML()

    def draw(_=None) -> None:
        chosen = [choice.value for choice in lists]
        picture.value = html_image(
            crop_pair(curves, crops, *chosen), describe_pair(curves, *chosen)
        )

    for choice in lists:
        choice.observe(draw, names="value")
    draw()
    return ipywidgets.VBox([*lists, picture])


def show_widget(widget, still: str) -> None:
    """Display a widget, with an HTML picture for where it cannot run (a page on the web, a notebook
    opened without a kernel).
    """
    from IPython.display import display

    view = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
    display(
        {
            "application/vnd.jupyter.widget-view+json": view,
            "text/html": still,
            "text/plain": "interactive figure",
        },
        raw=True,
    )


def parcel_curves(season: xr.Dataset) -> xr.Dataset:
    """Mean backscatter in dB of every parcel, (parcel, time), with its ``crop`` name."""
    parcel = season.parcel.compute()
    number = parcel.where(parcel > 0).rename("parcel")
    power = season[["vv", "vh"]].groupby(number).mean()
    size = len(legend(season))
    code = (
        season.crop.compute()
        .groupby(number)
        .map(lambda pixels: xr.DataArray(np.bincount(pixels.values, minlength=size).argmax()))
    )
    names = np.array([crop.name for crop in legend(season)])
    db = {
        band: radar.to_db(power[band].assign_attrs(units="1")).transpose("parcel", "time")
        for band in ("vv", "vh")
    }
    return xr.Dataset(db).assign_coords(crop=("parcel", names[code.values.astype(int)]))


def crop_difference(curves: xr.Dataset, first: str, second: str) -> xr.Dataset:
    """How far apart two crops are on each date: distance of the means over the joint standard
    deviation of their parcels.
    """
    one, two = (curves.where(curves.crop == name, drop=True) for name in (first, second))
    return abs(one.mean("parcel") - two.mean("parcel")) / np.sqrt(
        (one.var("parcel") + two.var("parcel")) / 2
    )


def describe_pair(curves: xr.Dataset, first: str, second: str) -> str:
    """One sentence: when two crops differ most."""
    if first == second:
        return f"{first} compared with itself: choose another crop."
    apart = crop_difference(curves, first, second)
    best = {band: int(np.nanargmax(apart[band].values)) for band in ("vh", "vv")}
    days = [
        f"{pd.Timestamp(curves.time.values[i]):%d %B} in {band.upper()} "
        f"({float(apart[band][i]):.1f})"
        for band, i in best.items()
    ]
    return (
        f"{first} and {second} differ most on {days[0]} and on {days[1]}, in standard "
        "deviations of their fields."
    )


def crop_pair(curves: xr.Dataset, crops: tuple[Crop, ...], first: str, second: str) -> Figure:
    """Mean courses of two crops with the spread of their parcels, above; below, how far apart they
    are on each date.
    """
    colours = {crop.name: ink(crop) for crop in crops}
    figure = Figure(figsize=(9.5, 4.6), layout="constrained")
    axes = figure.subplots(2, 2, sharex=True, height_ratios=(2, 1))
    apart = crop_difference(curves, first, second)
    for (above, below), band in zip(axes.T, ("vv", "vh"), strict=True):
        for name, style in ((first, "o-"), (second, "s--")):
            parcels = curves[band].where(curves.crop == name, drop=True)
            mean, sd = parcels.mean("parcel"), parcels.std("parcel")
            above.fill_between(
                curves.time, mean - sd, mean + sd, color=colours[name], alpha=0.2, linewidth=0
            )
            above.plot(curves.time, mean, style, markersize=3.5, color=colours[name], label=name)
        above.set_ylabel(f"{band.upper()} backscatter (dB)")
        below.bar(curves.time.values, apart[band], width=np.timedelta64(7, "D"), color="0.3")
        below.set_ylabel("difference\n(sd of fields)")
        below.set_xlabel("acquisition date")
        below.xaxis.set_major_formatter(ConciseDateFormatter(AutoDateLocator()))
    axes[0, 0].legend(frameon=False)
    return figure
