"""What a trained network says about one tile of a scene: a function of the tile alone, whoever
computes it, and when.

The windows stand on a lattice fixed to the scene, and a tile is computed from every window that
touches it. So neighbouring tiles agree where they meet, and neither the size nor the order of tiles
changes the result.
"""

from collections.abc import Iterator
from copy import deepcopy

import dask
import numpy as np
import torch
from scipy.special import entr
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from stma_nb.machine import pick_device
from stma_nb.model import STMA
from stma_nb.patches import Scaling, network_input, stitch, without_data

NODATA = 255
STEPS = (
    250  # a probability is stored as a whole number of 1/250 in a byte: an error of at most 0.002
)
PRECISIONS = {"float32": torch.float32, "bf16": torch.bfloat16}

Tile = tuple[slice, slice]  # rows and columns of the scene


# -------------------------------------------------------------------------------------- the network


def inference_form(model: STMA, precision: str = "float32") -> STMA:
    """A copy of a network that computes the same faster, for evaluation only.

    Batch norms of the trunk are folded into its convolutions, weights are laid out channels last,
    and few dates are taken at a time, so that values stay in the processor's cache. With
    ``precision="bf16"`` the trunk computes in bfloat16.
    """
    model = deepcopy(model).cpu().eval()
    _fold_batch_norms(model.trunk)
    model.trunk = _FewDates(
        model.trunk.to(PRECISIONS[precision], memory_format=torch.channels_last),
        PRECISIONS[precision],
    )
    return model


def _fold_batch_norms(module: nn.Module) -> None:
    before = None
    for name, child in list(module.named_children()):
        if isinstance(child, nn.BatchNorm2d):
            setattr(module, before, fuse_conv_bn_eval(getattr(module, before), child))
            setattr(module, name, nn.Identity())
        _fold_batch_norms(child)
        before = name


class _FewDates(nn.Module):
    """A trunk that takes 8 dates at a time, in its own precision; the levels are as from the trunk
    itself.
    """

    def __init__(self, trunk: nn.Module, dtype: torch.dtype):
        super().__init__()
        self.trunk, self.dtype = trunk, dtype

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        parts = [self.trunk(dates.to(self.dtype)) for dates in x.split(8, dim=1)]
        return [torch.cat(level, dim=1).to(x.dtype) for level in zip(*parts, strict=True)]


# ----------------------------------------------------------------------------------------- one tile


def tile_grid(shape: tuple[int, int], side: int) -> list[Tile]:
    """The tiles of a scene (rows, columns), row by row; the last of a row or column is smaller."""
    rows, columns = (
        [slice(start, min(start + side, size)) for start in range(0, size, side)] for size in shape
    )
    return [(row, column) for row in rows for column in columns]


def _touching(windows: np.ndarray, patch: int, tile: Tile) -> np.ndarray:
    starts, stops = np.array([(axis.start, axis.stop) for axis in tile]).T
    return windows[((windows < stops) & (windows + patch > starts)).all(1)]


def read_tile(bands: list, windows: np.ndarray, patch: int, tile: Tile) -> list[np.ndarray]:
    """What the windows that touch a tile see: VH and VV, each (T, rows, columns) in linear power."""
    windows = _touching(windows, patch, tile)
    (top, left), (bottom, right) = windows.min(0), windows.max(0) + patch
    # Band by band, and never on the cluster's scheduler: this may be running in one of its tasks.
    return [dask.compute(band[:, top:bottom, left:right], scheduler="threads")[0] for band in bands]


@torch.inference_mode()
def tile_probabilities(
    model: STMA,
    scaling: Scaling,
    windows: np.ndarray,
    batch: int | None,
    device: str | None,
    tile: Tile,
    bands: list[np.ndarray],
) -> np.ndarray:
    """Class probabilities (K, rows, columns) of a tile, NaN where a pixel has no data at all;
    ``bands`` is from ``read_tile``.
    """
    patch, device = (
        model.arguments["patch"],
        pick_device(device),
    )
    batch = batch or max(1, 1_500_000 // (len(bands[0]) * patch**2))
    windows = _touching(windows, patch, tile)
    origin = windows.min(0)
    empty = without_data(*bands)
    model.to(device)

    def pieces() -> Iterator[np.ndarray]:
        nothing = np.zeros((model.arguments["classes"], patch, patch), np.float32)
        for row in np.unique(windows[:, 0]) - origin[0]:
            x = torch.from_numpy(
                network_input(*(band[:, row : row + patch] for band in bands), scaling)
            )
            columns = windows[windows[:, 0] == row + origin[0], 1] - origin[1]
            # A window without any data touches only pixels that become NaN below: it need not be
            # computed.
            seen = [
                column
                for column in columns
                if not empty[row : row + patch, column : column + patch].all()
            ]
            done = {}
            for some in (seen[i : i + batch] for i in range(0, len(seen), batch)):
                logits = model(
                    torch.stack([x[..., column : column + patch] for column in some]).to(device)
                )[0]
                done |= zip(some, logits.softmax(1).cpu().numpy(), strict=True)
            yield from (done.get(column, nothing) for column in columns)

    probabilities = stitch(pieces(), windows - origin, patch, empty.shape)
    probabilities[:, empty] = np.nan
    rows, columns = (
        slice(axis.start - start, axis.stop - start)
        for axis, start in zip(tile, origin, strict=True)
    )
    return probabilities[:, rows, columns]


def tile_layers(
    model: STMA,
    scaling: Scaling,
    windows: np.ndarray,
    batch: int | None,
    device: str | None,
    wanted: set[str],
    tile: Tile,
    bands: list[np.ndarray],
) -> dict[str, np.ndarray]:
    """The bytes (bands, rows, columns) of a tile that go into each of the wanted files."""
    probabilities = tile_probabilities(model, scaling, windows, batch, device, tile, bands)
    classes = np.where(np.isfinite(probabilities[:1]), probabilities.argmax(0), NODATA).astype(
        np.uint8
    )
    uncertainty = entr(probabilities).sum(0, keepdims=True) / np.log(len(probabilities))
    layers = {
        "map": classes,
        "probabilities": _in_steps(probabilities),
        "entropy": _in_steps(uncertainty),
    }
    return {name: layer for name, layer in layers.items() if name in wanted}


def _in_steps(share: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(share), np.rint(STEPS * share), NODATA).astype(np.uint8)
