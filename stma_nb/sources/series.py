"""What published data sets need on the way to the network.

One calendar for all patches, and a torch dataset.
"""

import hashlib
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch.utils.data import Dataset

from stma_nb import radar
from stma_nb.cube import POLARISATIONS, Crop, SeasonError
from stma_nb.patches import FLOOR, Scaling, Variation, Variations, network_input

# ----------------------------------------------------------------------------------------- calendar


def common_calendar(series: Sequence[np.ndarray], dates: int) -> np.ndarray:
    """``dates`` evenly spaced days (datetime64[ns]) in the period that every series covers.

    ``series`` are the acquisition times of the patches. Raises ValueError if there is no such
    period, or fewer than two dates are asked for.
    """
    first = max(times.min() for times in series)
    last = min(times.max() for times in series)
    if dates < 2 or not first < last:
        raise ValueError(
            f"No calendar of {dates} dates: "
            f"the period that all series share is {_day(first)} to {_day(last)}."
        )
    length = (last - first) / np.timedelta64(1, "D")
    days = np.linspace(0, length, dates).round().astype("timedelta64[D]")
    if len(np.unique(days)) < dates:
        raise ValueError(
            f"{dates} dates do not fit between {_day(first)} and {_day(last)}: ask for fewer."
        )
    return first.astype("M8[D]").astype("M8[ns]") + days


def to_calendar(
    power: np.ndarray, times: np.ndarray, calendar: np.ndarray, gap: float = 24.0
) -> np.ndarray:
    """Power (dates, ...) at the times of ``calendar`` (T,): the nearest acquisition to each.

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
    """Patches in files of their own: ``x`` (T, bands, P, P) float32 and ``y`` (P, P) int64.

    ``read(name)`` returns values (T, bands, P, P), linear power where a band is backscatter, and
    labels (P, P) with IGNORE where no loss may count; one patch is in memory at a time. ``bands``
    names them in order. Keeps the contract ``train.Patches``. Without ``scaling`` the statistics
    of these patches are computed, in one pass: give those of the training part to the others.
    """

    def __init__(
        self,
        names: Sequence,
        read: Callable[..., tuple[np.ndarray, np.ndarray]],
        calendar: np.ndarray,
        crops: tuple[Crop, ...],
        patch: int,
        scaling: Scaling | None = None,
        augment: bool | Sequence[Variation] = False,
        bands: Sequence[str] = ("vh", "vv"),
    ):
        self.names = names
        self.read = read
        self.times = calendar
        self.crops = crops
        self.patch = patch
        self.variations = Variations(augment)
        self.scaling = scaling or measure_scaling(self, bands)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        values, y = self.read(self.names[index])
        values, y = self.variations.apply(values, y, index % len(self))
        x = network_input(values, self.scaling)
        return torch.from_numpy(x), torch.from_numpy(np.ascontiguousarray(y, np.int64))

    def set_epoch(self, epoch: int | None, seed: int = 0) -> None:
        """See ``patches.Variations.set_epoch``."""
        self.variations.set_epoch(epoch, seed)

    def fingerprint(self) -> str:
        """What a resumed training must have in common: names, calendar, scaling and variations."""
        digest = hashlib.sha256(repr((list(self.names), self.scaling)).encode())
        digest.update(self.times.tobytes())
        return f"{len(self)} patches ({digest.hexdigest()[:8]}), varied by {self.variations}"


def measure_scaling(patches: FilePatches, bands: Sequence[str]) -> Scaling:
    """Mean and standard deviation per band over all patches, in one pass; polarisations in dB.

    Raises SeasonError if they hold no data.
    """
    decibel = tuple(name for name in bands if name in POLARISATIONS)
    count, total, square = np.zeros((3, len(bands)))
    for name in patches.names:
        values = patches.read(name)[0].astype(np.float64)
        for number, band in enumerate(bands):
            if band in decibel:
                floored = np.maximum(values[:, number], FLOOR).astype(np.float32)
                values[:, number] = radar.to_db(floored)
        count += np.isfinite(values).sum((0, 2, 3))
        total += np.nansum(values, (0, 2, 3))
        square += np.nansum(values**2, (0, 2, 3))
    if not count.all():
        raise SeasonError("The patches hold no data (all NaN): choose other patches.")
    mean = total / count
    std = np.sqrt(square / count - mean**2)
    units = ("1",) * len(bands)
    return Scaling(tuple(mean.tolist()), tuple(std.tolist()), tuple(bands), decibel, units)
