"""Patches of a season for PyTorch."""

import hashlib
from collections.abc import Sequence

import numpy as np
import torch
import xarray as xr
from torch.utils.data import Dataset

from stma_nb import cube
from stma_nb.patches.augment import Variation, Variations
from stma_nb.patches.windows import (
    IGNORE,
    Scaling,
    check_bands,
    network_input,
    read_labels,
    read_window,
    window_at,
    without_data,
)


class PatchDataset(Dataset):
    """Patches read window by window: ``x`` (T, bands, P, P) float32 and ``y`` (P, P) int64.

    Args:
        season: a season cube with labels; may be larger than memory.
        windows: upper left corners (n, 2) of the patches.
        patch: side P of a patch in pixels.
        scaling: bands and statistics of the training part (``fit_scaling``).
        mask: pixels (rows, columns) that count, say ``parts == TRAIN``; all others, those without
            any data and those whose class is unknown get the label IGNORE.
        augment: variations to apply (see ``Variations``), or True for turns and mirrors.

    Keeps the contract that ``train.fit`` has with a dataset (``train.Patches``). Raises ValueError
    without windows and for a mask of another shape, SeasonError for a season without these bands.
    """

    def __init__(
        self,
        season: xr.Dataset,
        windows: np.ndarray,
        patch: int,
        scaling: Scaling,
        mask: np.ndarray | None = None,
        augment: bool | Sequence[Variation] = False,
    ):
        if not len(windows):
            raise ValueError(
                f"No window of {patch} pixels fits the part: choose a smaller patch, larger "
                "blocks or a smaller buffer."
            )
        if mask is not None and np.shape(mask) != season.crop.shape:
            raise ValueError(
                f"The mask has the shape {np.shape(mask)}; expected that of the scene, "
                f"{season.crop.shape}."
            )
        cube.check_layout(season, grid=False)
        check_bands(season, scaling)
        self.season = season
        self.windows = windows
        self.patch = patch
        self.scaling = scaling
        self.mask = np.ones(season.crop.shape, bool) if mask is None else mask
        self.variations = Variations(augment)

    @property
    def crops(self) -> tuple[cube.Crop, ...]:
        return cube.legend(self.season)

    @property
    def times(self) -> np.ndarray:
        return self.season.time.values

    @property
    def pixel(self) -> float | None:
        return cube.pixel_size(self.season)

    @property
    def quantity(self) -> str | None:
        return cube.quantity(self.season)

    @property
    def simulation(self) -> str | None:
        return cube.simulation(self.season)

    def __len__(self) -> int:
        return len(self.windows)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        window = window_at(self.windows[index], self.patch)
        values = read_window(self.season, self.scaling.bands, window)
        y = read_labels(self.season, window)
        y[without_data(values) | ~self.mask[window]] = IGNORE
        values, y = self.variations.apply(values, y, index % len(self))
        x = network_input(values, self.scaling)
        return torch.from_numpy(x), torch.from_numpy(np.ascontiguousarray(y))

    def set_epoch(self, epoch: int | None, seed: int = 0) -> None:
        """See ``Variations.set_epoch``."""
        self.variations.set_epoch(epoch, seed)

    def fingerprint(self) -> str:
        """What a resumed training must have in common: patches, labels and variations."""
        parts = (self.windows, self.mask, self.times, self.season.crop.values)
        digest = hashlib.sha256(repr(self.scaling).encode())
        for part in parts:
            digest.update(np.ascontiguousarray(part).tobytes())
        return f"{len(self)} patches ({digest.hexdigest()[:8]}), varied by {self.variations}"
