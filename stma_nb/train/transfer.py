"""Another year, another place: bring a trained network and a season that it was not made for nearer
to each other.

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
from torch import nn
from torch.utils.data import DataLoader

from stma_nb import radar
from stma_nb.patches import FLOOR, ORDER, PatchDataset, corners
from stma_nb.train.checkpoint import Trained


def date_levels(season: xr.Dataset, mask: np.ndarray | None = None) -> xr.Dataset:
    """Mean of each date in dB, ``vh`` and ``vv`` (time), over the scene or over ``mask`` (rows,
    columns).
    """
    where = True if mask is None else xr.DataArray(mask, dims=("y", "x"))
    return xr.Dataset(
        {
            name: radar.to_db(season[name].clip(min=FLOOR)).where(where).mean(("y", "x"))
            for name in ORDER
        }
    ).compute()


def match_levels(season: xr.Dataset, levels: xr.Dataset) -> xr.Dataset:
    """The season with every date raised or lowered to the ``date_levels`` of another one, date by
    date and band by band.

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
    shift = {
        name: radar.from_db(levels[name].drop_vars("time") - own[name].drop_vars("time"))
        for name in ORDER
    }
    moved = {
        name: (season[name] * shift[name]).astype("float32").assign_attrs(season[name].attrs)
        for name in ORDER
    }
    return season.assign(moved)


def adapt_batch_norm(trained: Trained, season: xr.Dataset, batch: int = 16) -> Trained:
    """A copy whose batch norms hold the statistics of this season instead of those of the training
    (Li et al. 2018, AdaBN).

    Needs no labels and no gradients: one pass over the season, window by window.
    https://doi.org/10.1016/j.patcog.2018.03.005
    """
    model = copy.deepcopy(trained.model).eval()
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over all batches
        norm.train()
    device = next(model.parameters()).device
    with torch.no_grad():
        for x in _inputs(trained, season, batch):
            model(x.to(device))
    return replace(trained, model=model.eval())


def shift_calendar(season: xr.Dataset, days: float) -> xr.Dataset:
    """The season as it will be so many days later, under the old dates: power interpolated in time,
    constant beyond the ends.

    For a spring that is late by ``days``: what the network learned of 25 May then meets the fields
    as they are some days later. Interpolating averages two acquisitions, which also smooths
    speckle.
    """
    if not days:
        return season
    times = season.time + np.timedelta64(round(days * 24), "h")
    times = times.clip(season.time[0], season.time[-1])
    moved = {name: season[name].interp(time=times).astype("float32") for name in ORDER}
    return season.assign(
        {
            n: v.assign_coords(time=season.time).assign_attrs(season[n].attrs)
            for n, v in moved.items()
        }
    )


@torch.inference_mode()
def doubt(trained: Trained, season: xr.Dataset, batch: int = 16) -> float:
    """Mean entropy (bits) of the network's class probabilities over a season, windows side by side:
    no label is needed.
    """
    patch, device = trained.model.arguments["patch"], next(trained.model.parameters()).device
    total = pixels = 0.0
    for x in _inputs(trained, season, batch):
        p = trained.model(x.to(device))[0].softmax(1)
        total += torch.special.entr(p).sum().item() / np.log(2)
        pixels += len(x) * patch**2
    return total / pixels


def align(
    trained: Trained, season: xr.Dataset, shifts: Sequence[float] = (-6, 0, 6, 12, 18)
) -> tuple[float, dict[float, float]]:
    """The shift of the calendar (days) that leaves an adapted network least in doubt, and the doubt
    of all ``shifts``.

    Batch norms are adapted to every shifted season first (``adapt_batch_norm``); without that,
    doubt says little. Confidence on unlabelled data as a guide to adaptation: Wang et al. 2021
    (Tent), https://arxiv.org/abs/2006.10726.
    """
    doubts = {}
    for days in shifts:
        moved = shift_calendar(season, days)
        doubts[days] = doubt(adapt_batch_norm(trained, moved), moved)
    return min(doubts, key=doubts.get), doubts


def _inputs(trained: Trained, season: xr.Dataset, batch: int) -> Iterator[torch.Tensor]:
    """Network inputs of all windows of a season, side by side, in batches."""
    patch, shape = trained.model.arguments["patch"], (season.sizes["y"], season.sizes["x"])
    unlabelled = season.assign(crop=(("y", "x"), np.zeros(shape, np.uint8)))
    windows = PatchDataset(unlabelled, corners(shape, patch), patch, trained.scaling)
    return (x for x, _ in DataLoader(windows, batch))
