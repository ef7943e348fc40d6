"""Another year, another place: bring a trained network and a season it was not made for together.

No label of the new season is used. What differs between two seasons is partly the level of whole
dates (rain, frost, another incidence angle), partly the course of the crops (a late spring), partly
which crops and fields there are. The first two can be taken out in part; the third cannot.
"""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
import xarray as xr
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.data import DataLoader

from stma_nb import cube, radar
from stma_nb.patches import FLOOR, PatchDataset, corners
from stma_nb.train.checkpoint import Trained
from stma_nb.train.contract import device_of, main_of


def date_levels(season: xr.Dataset, mask: np.ndarray | None = None) -> xr.Dataset:
    """Mean of each date in dB, (time), of every polarisation, over the scene or over ``mask``.

    ``mask`` (rows, columns) picks the pixels, say ``season.crop != 0``.
    """
    where = True if mask is None else xr.DataArray(mask, dims=("y", "x"))
    levels = {}
    for name in cube.polarisations(season):
        levels[name] = radar.to_db(season[name].clip(min=FLOOR)).where(where).mean(("y", "x"))
    return xr.Dataset(levels).compute()


def match_levels(season: xr.Dataset, levels: xr.Dataset) -> xr.Dataset:
    """The season with every date raised or lowered to the ``date_levels`` of another one.

    Takes out rain, frost and geometry as far as they move all fields alike, and with them what the
    crops of both scenes have in common: where the mix of crops differs, so do the levels. Raises
    ValueError for another number of dates.
    """
    if season.sizes["time"] != levels.sizes["time"]:
        raise ValueError(
            f"The season has {season.sizes['time']} dates, the levels {levels.sizes['time']}: "
            "choose the same dates."
        )
    own = date_levels(season)
    moved = {}
    for name, band in own.data_vars.items():
        rise = levels[name].drop_vars("time") - band.drop_vars("time")  # dB
        power = season[name] * radar.from_db(rise)
        moved[name] = power.astype("float32").assign_attrs(season[name].attrs)
    return season.assign(moved)


def adapt_batch_norm(trained: Trained, season: xr.Dataset, batch: int = 16) -> Trained:
    """A copy whose batch norms hold the statistics of this season (AdaBN, Li et al. 2018).

    Needs no labels and no gradients: one pass over the season, window by window.
    https://doi.org/10.1016/j.patcog.2018.03.005. Raises ValueError for a network without any.
    """
    model = copy.deepcopy(trained.model).eval()
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    if not norms:
        raise ValueError(
            f"The network {type(model).__name__} has no batch normalisation: there is nothing in "
            "it that adapts without labels."
        )
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over all batches
        norm.train()
    device = device_of(model)
    with torch.no_grad():
        for x in _inputs(trained, season, batch):
            model(x.to(device))
    return replace(trained, model=model.eval())


def shift_calendar(season: xr.Dataset, days: float) -> xr.Dataset:
    """The season as it will be so many days later, under the old dates.

    Power is interpolated in time, and constant beyond the ends. For a spring that is late by
    ``days``: what the network learned of 25 May then meets the fields as they are some days later.
    Interpolating averages two acquisitions, which also smooths speckle.
    """
    if not days:
        return season
    times = season.time + np.timedelta64(round(days * 24), "h")
    times = times.clip(season.time[0], season.time[-1])
    moved = {}
    for name in cube.bands(season):
        band = season[name].interp(time=times).astype("float32")
        moved[name] = band.assign_coords(time=season.time).assign_attrs(season[name].attrs)
    return season.assign(moved)


@torch.inference_mode()
def doubt(trained: Trained, season: xr.Dataset, batch: int = 16) -> float:
    """Mean entropy (bits) of the class probabilities over a season: no label is needed."""
    patch = trained.model.arguments["patch"]
    device = device_of(trained.model)
    total = pixels = 0.0
    for x in _inputs(trained, season, batch):
        probability = main_of(trained.model(x.to(device))).softmax(1)
        total += torch.special.entr(probability).sum().item() / np.log(2)
        pixels += len(x) * patch**2
    return total / pixels


def align(
    trained: Trained, season: xr.Dataset, shifts: Sequence[float] = (-6, 0, 6, 12, 18)
) -> tuple[float, dict[float, float]]:
    """The shift of the calendar (days) that leaves an adapted network least in doubt; all doubts.

    Batch norms are adapted to every shifted season first (``adapt_batch_norm``); without that,
    doubt says little. Confidence on unlabelled data as a guide to adaptation: Wang et al. 2021
    (Tent), https://arxiv.org/abs/2006.10726.
    """
    doubts = {}
    for days in shifts:
        moved = shift_calendar(season, days)
        doubts[days] = doubt(adapt_batch_norm(trained, moved), moved)
    return min(doubts, key=lambda days: doubts[days]), doubts


def _inputs(trained: Trained, season: xr.Dataset, batch: int) -> Iterator[torch.Tensor]:
    """Network inputs of all windows of a season, side by side, in batches."""
    patch, shape = trained.model.arguments["patch"], (season.sizes["y"], season.sizes["x"])
    unlabelled = season.assign(crop=(("y", "x"), np.zeros(shape, np.uint8)))
    windows = PatchDataset(unlabelled, corners(shape, patch), patch, trained.scaling)
    return (x for x, _ in DataLoader(windows, batch))
