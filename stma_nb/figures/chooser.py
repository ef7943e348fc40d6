"""Two crops of a season, to be chosen and compared."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

from stma_nb import radar
from stma_nb.cube import Crop, legend
from stma_nb.extras import needs
from stma_nb.figures.component import (
    STATIC,
    Component,
    dates_of,
    named,
    one_of,
    script,
    style,
)
from stma_nb.figures.plots import day_of, inks

with needs("course"):
    import traitlets

BANDS = ("vv", "vh")


def crop_chooser(season: xr.Dataset, first: str, second: str) -> "CropChooser":
    """Two lists to choose crops from, and the crops' courses and the dates on which they differ.

    Needs ``crop`` and ``parcel``. The names chosen are the traits ``first`` and ``second``. Raises
    ValueError for a crop with fewer than two parcels in the season.
    """
    curves = parcel_curves(season)
    crops = [crop for crop in legend(season) if (curves.crop == crop.name).sum() > 1]
    for name in (first, second):
        if name not in [crop.name for crop in crops]:
            raise ValueError(
                f"'{name}' has fewer than two parcels in this season: "
                f"choose from {', '.join(crop.name for crop in crops)}."
            )
    return CropChooser(curves, crops, first=first, second=second)


class CropChooser(Component):
    """What ``crop_chooser`` shows.

    The browser gets mean and standard deviation of each crop's parcels, (crop, band, 2, time) in
    dB as float64, bands in the order VV, VH; distances and the sentence are made there.
    """

    TITLE = "Two crops compared"
    VIEW = ("first", "second")
    _esm = script(STATIC / "charts.js", STATIC / "chooser.js")
    _css = style(STATIC / "pictures.css")
    first = traitlets.Unicode().tag(sync=True)
    second = traitlets.Unicode().tag(sync=True)

    def __init__(self, curves: xr.Dataset, crops: Sequence[Crop], **traits: Any):
        self._curves, self._crops = curves, crops
        told, rows = [], []
        for crop in crops:
            parcels = curves.where(curves.crop == crop.name, drop=True)
            told.append({**named(crop), "fields": parcels.sizes["parcel"]})
            rows += [[parcels[band].mean("parcel"), parcels[band].std("parcel")] for band in BANDS]
        facts = {
            "dates": dates_of(curves.time.values),
            "bands": [band.upper() for band in BANDS],
            "crops": told,
        }
        super().__init__(facts=facts, data=np.array(rows, "float64").tobytes(), **traits)

    @traitlets.validate("first", "second")
    def _known(self, proposal: Any) -> str:
        return one_of(proposal, [crop.name for crop in self._crops])

    def describe(self) -> str:
        return describe_pair(self._curves, self.first, self.second)

    def figure(self) -> Figure:
        return crop_pair(self._curves, self._crops, self.first, self.second)


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
    # Codes outside the legend (nodata, unknown) are those of no crop.
    names = np.array([*(crop.name for crop in legend(season)), "unknown"])
    code = code.values.astype(int).clip(max=len(names) - 1)
    return xr.Dataset(db).assign_coords(crop=("parcel", names[code]))


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
        day = day_of(curves.time.values, best)
        days.append(f"{day} in {band.upper()} ({float(apart[band][best]):.1f})")
    return (
        f"{first} and {second} differ most on {days[0]} and on {days[1]}, "
        "in standard deviations of their fields."
    )


def crop_pair(curves: xr.Dataset, crops: Sequence[Crop], first: str, second: str) -> Figure:
    """Mean courses of two crops with the spread of their parcels; below, how far apart they are."""
    colours = inks(crops)
    figure = Figure(figsize=(9.5, 4.6), layout="constrained")
    axes = figure.subplots(2, 2, sharex=True, height_ratios=(2, 1))
    apart = crop_difference(curves, first, second)
    for (above, below), band in zip(axes.T, ("vv", "vh"), strict=True):
        for name, line in ((first, "o-"), (second, "s--")):
            parcels = curves[band].where(curves.crop == name, drop=True)
            mean = parcels.mean("parcel")
            sd = parcels.std("parcel")
            above.fill_between(
                curves.time, mean - sd, mean + sd, color=colours[name], alpha=0.2, linewidth=0
            )
            above.plot(curves.time, mean, line, markersize=3.5, color=colours[name], label=name)
        above.set_ylabel(f"{band.upper()} backscatter (dB)")
        below.bar(curves.time.values, apart[band], width=np.timedelta64(7, "D"), color="0.3")
        below.set_ylabel("difference\n(sd of fields)")
        below.set_xlabel("acquisition date")
        below.xaxis.set_major_formatter(ConciseDateFormatter(AutoDateLocator()))
    axes[0, 0].legend(frameon=False)
    return figure
