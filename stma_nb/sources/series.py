"""What published data sets need on the way to the network: linear power, one calendar for all
patches, and a torch dataset.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
import xarray as xr
from torch.utils.data import Dataset

from stma_nb import radar
from stma_nb.cube import Crop, SeasonError, flags
from stma_nb.patches import FLOOR, Scaling, network_input, turn

Units = (
    str | tuple[float, float]
)  # "dB", "power", or (slope, intercept) of dB = slope * value + intercept

BRIGHT = 0.5  # -3 dB: no scene of fields has a higher median backscatter


# -------------------------------------------------------------------------------------------- units


def check_units(sample: np.ndarray, units: Units | None, what: str) -> Units:
    """The units of ``sample`` (any shape): those given if the numbers allow it, or what the numbers
    tell, "dB" or "power".

    Backscatter of fields in dB has a negative median; linear power is never negative and has a
    median below 0.5 (-3 dB). Raises SeasonError if the numbers contradict ``units``, or fit neither
    (digital numbers, data scaled to 0 .. 1).
    """
    if isinstance(units, tuple):
        return units
    if units not in (None, "dB", "power"):
        raise SeasonError(
            f"The units are '{units}'; expected 'dB', 'power' or (slope, intercept) of dB = slope "
            "* value + intercept."
        )
    values = sample[np.isfinite(sample)]
    if not len(values):
        raise SeasonError(
            f"{what} holds no data in the middle of the scene: say units='dB' or 'power', or "
            "check the file."
        )
    median, lowest = np.median(values), values.min()
    found = "dB" if median < 0 else "power" if lowest >= 0 and median < BRIGHT else None
    if found is None:
        raise SeasonError(
            f"{what} has a median of {median:.3g} and a minimum of {lowest:.3g}: neither dB nor "
            "linear power of fields. If "
            "these are digital numbers or scaled values, give units=(slope, intercept) of dB = "
            "slope * value + intercept."
        )
    if units not in (None, found):
        raise SeasonError(
            f"{what} has a median of {median:.3g} and a minimum of {lowest:.3g}: that is {found}, "
            f"not {units}."
        )
    return found


def to_power(values: np.ndarray, units: Units) -> np.ndarray:
    """Linear power, float32, of values in ``units``; what is not finite becomes NaN."""
    values = np.asarray(values, np.float32)
    if units != "power":
        slope, intercept = (1.0, 0.0) if units == "dB" else units
        values = 10 ** ((np.float32(slope) * values + np.float32(intercept)) / 10)
    return np.where(np.isfinite(values), values, np.float32(np.nan))


# ----------------------------------------------------------------------------------------- calendar


def common_calendar(series: Sequence[np.ndarray], dates: int) -> np.ndarray:
    """``dates`` evenly spaced days (datetime64[ns]) in the period that every series of acquisition
    times covers.

    Raises ValueError if there is no such period, or fewer than two dates are asked for.
    """
    first, last = max(times.min() for times in series), min(times.max() for times in series)
    if dates < 2 or not first < last:
        raise ValueError(
            f"No calendar of {dates} dates: the period that all series share is {_day(first)} to "
            f"{_day(last)}."
        )
    days = (
        np.linspace(0, (last - first) / np.timedelta64(1, "D"), dates)
        .round()
        .astype("timedelta64[D]")
    )
    if len(np.unique(days)) < dates:
        raise ValueError(
            f"{dates} dates do not fit between {_day(first)} and {_day(last)}: ask for fewer."
        )
    return first.astype("M8[D]").astype("M8[ns]") + days


def to_calendar(
    power: np.ndarray, times: np.ndarray, calendar: np.ndarray, gap: float = 24.0
) -> np.ndarray:
    """Power (dates, ...) at the times of ``calendar`` (T,): for each of them the acquisition
    nearest in time, as it was.

    Interpolating would average two acquisitions, and so smooth the speckle of some dates more than
    of others. A calendar date more than ``gap`` days from any acquisition is missing (NaN). Raises
    ValueError if power and times differ in number.
    """
    if len(power) != len(times):
        raise ValueError(
            f"There are {len(power)} images and {len(times)} dates; expected one date an image."
        )
    days = np.abs(calendar[:, None] - times[None]) / np.timedelta64(1, "D")
    moved = np.array(power[days.argmin(1)], np.float32)
    moved[days.min(1) > gap] = np.nan
    return moved


def _day(time: np.datetime64) -> str:
    return np.datetime_as_string(time, unit="D")


# ------------------------------------------------------------------------------------------ patches


class FilePatches(Dataset):
    """Patches in files of their own: ``x`` (T, 2, P, P) float32 and ``y`` (P, P) int64, one patch
    in memory at a time.

    ``read(name)`` returns linear power (T, 2, P, P), VH first, and labels (P, P) with IGNORE where
    no loss may count. Has the attributes that ``train.fit`` reads of a ``patches.PatchDataset``;
    its ``season`` holds calendar and legend, but no images. Without ``scaling`` the statistics of
    these patches are computed, in one pass: give those of the training part to the others.
    """

    def __init__(
        self,
        names: Sequence,
        read: Callable[..., tuple[np.ndarray, np.ndarray]],
        calendar: np.ndarray,
        crops: tuple[Crop, ...],
        patch: int,
        scaling: Scaling | None = None,
        augment: bool | tuple[Callable, ...] = False,
    ):
        self.names, self.read, self.patch = names, read, patch
        self.windows, self.mask = (
            np.array(names),
            np.ones(0, bool),
        )  # so that a resumed training knows its patches again
        self.season = xr.Dataset(
            {"crop": (("y", "x"), np.zeros((patch, patch), np.uint8), flags(crops))},
            {"time": calendar},
        )
        self.augment = (turn,) * augment if isinstance(augment, bool) else tuple(augment)
        self.seed = self.epoch = 0
        self.scaling = scaling or fit_scaling(self)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        power, y = self.read(self.names[index])
        rng = np.random.default_rng((self.seed, self.epoch, index % len(self)))
        for vary in self.augment:
            power, y = vary(power, y, rng)
        x = network_input(power[:, 0], power[:, 1], self.scaling)
        return torch.from_numpy(x), torch.from_numpy(np.ascontiguousarray(y, np.int64))


def fit_scaling(patches: FilePatches) -> Scaling:
    """Mean and standard deviation in dB per band over all patches, in one pass.

    Raises SeasonError if they hold no data.
    """
    count, total, square = np.zeros((3, 2))
    for name in patches.names:
        db = radar.to_db(np.maximum(patches.read(name)[0], FLOOR)).astype(np.float64)
        count += np.isfinite(db).sum((0, 2, 3))
        total += np.nansum(db, (0, 2, 3))
        square += np.nansum(db**2, (0, 2, 3))
    if not count.all():
        raise SeasonError("The patches hold no data (all NaN): choose other patches.")
    mean = total / count
    return Scaling(tuple(mean.tolist()), tuple(np.sqrt(square / count - mean**2).tolist()))
