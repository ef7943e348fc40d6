"""Small interactive figures for notebooks.

Where widgets do not live (web viewers, exports) a picture stands in their place.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

from stma_nb import radar
from stma_nb.cube import Crop, legend
from stma_nb.extras import needs
from stma_nb.figures.plots import html_image, ink


def crop_chooser(season: xr.Dataset, first: str, second: str) -> Any:
    """Two lists to choose crops from, and the crops' courses and the dates on which they differ.

    Returns the widget; ``widget.children`` are the two lists (Dropdown) and the picture. Needs
    ``crop`` and ``parcel``.
    """
    with needs("course"):
        import ipywidgets

    curves = parcel_curves(season)
    crops = legend(season)
    names = [crop.name for crop in crops if (curves.crop == crop.name).sum() > 1]
    for name in (first, second):
        if name not in names:
            raise ValueError(
                f"'{name}' has fewer than two parcels in this season: "
                f"choose from {', '.join(names)}."
            )
    layout = {"description_width": "7em"}
    one = ipywidgets.Dropdown(options=names, value=first, description="First crop", style=layout)
    other = ipywidgets.Dropdown(
        options=names, value=second, description="Second crop", style=layout
    )
    picture = ipywidgets.HTML()

    def draw(_: Any = None) -> None:  # a list tells what has changed; here both are read anew
        figure = crop_pair(curves, crops, one.value, other.value)
        picture.value = html_image(figure, describe_pair(curves, one.value, other.value))

    one.observe(draw, names="value")
    other.observe(draw, names="value")
    draw()
    return ipywidgets.VBox([one, other, picture])


def show_widget(widget: Any, still: str) -> None:
    """Display a widget, with an HTML picture for where it cannot run.

    That is a page on the web, or a notebook opened without a kernel.
    """
    with needs("course"):
        from IPython.display import display

    view = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
    formats = {  # a viewer shows the first that it knows
        "application/vnd.jupyter.widget-view+json": view,
        "text/html": still,
        "text/plain": "interactive figure",
    }
    display(formats, raw=True)


def parcel_curves(season: xr.Dataset) -> xr.Dataset:
    """Mean backscatter in dB of every parcel, (parcel, time), with its ``crop`` name."""
    parcel = season.parcel.compute()
    number = parcel.where(parcel > 0).rename("parcel")
    power = season[["vv", "vh"]].groupby(number).mean()  # averaged as power, then told in dB
    db = {}
    for band in ("vv", "vh"):
        mean = power[band].assign_attrs(units="1")
        db[band] = radar.to_db(mean).transpose("parcel", "time")

    def most_common(pixels: xr.DataArray) -> xr.DataArray:
        return xr.DataArray(np.bincount(pixels.values).argmax())

    code = season.crop.compute().groupby(number).map(most_common)
    names = np.array([crop.name for crop in legend(season)])
    return xr.Dataset(db).assign_coords(crop=("parcel", names[code.values.astype(int)]))


def crop_difference(curves: xr.Dataset, first: str, second: str) -> xr.Dataset:
    """How far apart two crops are on each date, in standard deviations of their parcels.

    The distance of the means over the joint standard deviation.
    """
    one = curves.where(curves.crop == first, drop=True)
    two = curves.where(curves.crop == second, drop=True)
    variance = (one.var("parcel") + two.var("parcel")) / 2
    return abs(one.mean("parcel") - two.mean("parcel")) / np.sqrt(variance)


def describe_pair(curves: xr.Dataset, first: str, second: str) -> str:
    """One sentence: when two crops differ most."""
    if first == second:
        return f"{first} compared with itself: choose another crop."
    apart = crop_difference(curves, first, second)
    days = []
    for band in ("vh", "vv"):
        best = int(np.nanargmax(apart[band].values))
        day = pd.Timestamp(curves.time.values[best])
        days.append(f"{day:%d %B} in {band.upper()} ({float(apart[band][best]):.1f})")
    return (
        f"{first} and {second} differ most on {days[0]} and on {days[1]}, "
        "in standard deviations of their fields."
    )


def crop_pair(curves: xr.Dataset, crops: Sequence[Crop], first: str, second: str) -> Figure:
    """Mean courses of two crops with the spread of their parcels; below, how far apart they are."""
    colours = {crop.name: ink(crop) for crop in crops}
    figure = Figure(figsize=(9.5, 4.6), layout="constrained")
    axes = figure.subplots(2, 2, sharex=True, height_ratios=(2, 1))
    apart = crop_difference(curves, first, second)
    for (above, below), band in zip(axes.T, ("vv", "vh"), strict=True):
        for name, style in ((first, "o-"), (second, "s--")):
            parcels = curves[band].where(curves.crop == name, drop=True)
            mean = parcels.mean("parcel")
            sd = parcels.std("parcel")
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
