"""Patches of a season for PyTorch."""

from collections.abc import Callable

import numpy as np
import torch
import xarray as xr
from torch.utils.data import Dataset

from stma_nb.patches.augment import turn
from stma_nb.patches.windows import IGNORE, ORDER, Scaling, network_input, without_data


class PatchDataset(Dataset):
    """Patches of a season for PyTorch, read window by window: ``x`` (T, 2, P, P) float32 and ``y``
    (P, P) int64.

    Only the windows asked for are read, so the season may be larger than memory. Pixels without any
    data, and those outside ``mask`` (rows, columns; say ``parts == TRAIN``), get the label IGNORE.
    ``augment`` is a tuple of variations (see ``augment``), or True for turns and mirrors. What they
    draw follows from the attributes ``seed`` and ``epoch``, which ``train.fit`` sets, and the
    number of the patch: the same in every process, and after a resume.
    """

    def __init__(
        self,
        season: xr.Dataset,
        windows: np.ndarray,
        patch: int,
        scaling: Scaling,
        mask: np.ndarray | None = None,
        augment: bool | tuple[Callable, ...] = False,
    ):
        if not len(windows):
            raise ValueError(
                f"No window of {patch} pixels fits the part: choose a smaller patch, larger "
                "blocks or a smaller buffer."
            )
        self.season, self.windows, self.patch, self.scaling = season, windows, patch, scaling
        self.mask = np.ones(season.crop.shape, bool) if mask is None else mask
        self.augment = (turn,) * augment if isinstance(augment, bool) else tuple(augment)
        self.seed = self.epoch = 0

    def __len__(self) -> int:
        return len(self.windows)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        row, column = self.windows[index]
        window = np.s_[..., row : row + self.patch, column : column + self.patch]
        vh, vv, crop = (np.asarray(self.season[name].data[window]) for name in (*ORDER, "crop"))
        y = crop.astype(np.int64)
        y[without_data(vh, vv) | ~self.mask[window]] = IGNORE
        power, rng = (
            np.stack([vh, vv], axis=1),
            np.random.default_rng((self.seed, self.epoch, index % len(self))),
        )
        for vary in self.augment:
            power, y = vary(power, y, rng)
        x = network_input(power[:, 0], power[:, 1], self.scaling)
        return torch.from_numpy(np.ascontiguousarray(x)), torch.from_numpy(np.ascontiguousarray(y))
