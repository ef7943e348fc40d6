"""What a trained network says about one tile of a scene: a function of the tile alone.

The windows stand on a lattice fixed to the scene, and a tile is computed from every window that
touches it. So neighbouring tiles agree where they meet, and neither the size nor the order of
tiles, nor who computes them, changes the result.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from stma_nb.machine import pick_device
from stma_nb.model import STMA
from stma_nb.patches import (
    Scaling,
    Window,
    network_input,
    read_layers,
    stitch,
    window_at,
    without_data,
)
from stma_nb.predict.onnx import OnnxForm, onnx_form
from stma_nb.train import Network, main_of

NODATA = 255
STEPS = 250  # a probability is kept as a whole number of 1/250 in a byte: an error of at most 0.002
PRECISIONS = {"float32": torch.float32, "bf16": torch.bfloat16}
ENGINES = ("torch", "onnx")
VALUES = 1_500_000  # per band in a batch of windows: what a CPU does fastest

Tile = Window  # rows and columns of the scene


# ------------------------------------------------------------------------------------- the network


def inference_form(model: Network, precision: str = "float32", engine: str = "torch") -> Network:
    """A copy of a network that computes the same, for STMA faster, and for evaluation only.

    In STMA batch norms of the trunk are folded into its convolutions, weights are laid out channels
    last, and few dates are taken at a time, so that values stay in the processor's cache. With
    ``precision="bf16"`` the trunk computes in bfloat16. Nothing is known of the parts of other
    networks: their copy is as they are. With ``engine="onnx"`` ONNX Runtime computes it.

    Raises ValueError if other networks are asked for bf16 or a forest for ONNX, ImportError without
    ONNX Runtime.
    """
    if next(iter(model.parameters()), None) is not None:  # a forest has none, and is large
        model = deepcopy(model).to("cpu").eval()
    if engine == "onnx":
        return onnx_form(model, precision)
    if not isinstance(model, STMA):
        if precision != "float32":
            raise ValueError(
                f"The precision {precision} is for STMA alone; {type(model).__name__} maps in "
                "float32."
            )
        return model
    _fold_batch_norms(model.trunk)
    dtype = PRECISIONS[precision]
    # PyTorch's own hints do not know memory_format.
    trunk = model.trunk.to(dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]
    model.add_module("trunk", _FewDates(trunk, dtype))  # in its place
    return model


def fastest_precision(model: Network, batch: int | None = None, device: str | None = None) -> str:
    """The precision in which a batch of windows takes the least time, on this machine.

    Only STMA has a choice. Which it is depends on the processor, and cannot be told from its name.
    """
    if not isinstance(model, STMA):
        return "float32"
    place = pick_device(device)
    sizes = [model.arguments[name] for name in ("dates", "bands", "patch", "patch")]
    x = torch.zeros(batch or fitting_batch(model), *sizes, device=place)
    seconds = {}
    for name, kind in PRECISIONS.items():
        on_cpu = place == "cpu"
        form = inference_form(model, name if on_cpu else "float32").to(place)
        mixed = kind != torch.float32 and not on_cpu  # as gpu.DeviceMapper computes
        with torch.autocast(torch.device(place).type, kind, enabled=mixed):
            seconds[name] = _seconds(form, x)
    return min(seconds, key=lambda name: seconds[name])


@torch.inference_mode()
def _seconds(model: Network, x: torch.Tensor) -> float:
    """The least of three times that a network takes for a batch; a first one warms up."""
    taken = []
    for _ in range(4):
        start = time.perf_counter()
        main_of(model(x)).sum().item()  # a GPU has finished when the number is there
        taken.append(time.perf_counter() - start)
    return min(taken[1:])


def _fold_batch_norms(module: nn.Module) -> None:
    before = ""
    for name, child in list(module.named_children()):
        if isinstance(child, nn.BatchNorm2d):
            setattr(module, before, fuse_conv_bn_eval(getattr(module, before), child))
            setattr(module, name, nn.Identity())
        _fold_batch_norms(child)
        before = name


class _FewDates(nn.Module):
    """A trunk that takes 8 dates at a time, in its own precision; the levels are as from itself."""

    def __init__(self, trunk: nn.Module, dtype: torch.dtype):
        super().__init__()
        self.trunk = trunk
        self.dtype = dtype

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        parts = [self.trunk(dates.to(self.dtype)) for dates in x.split(8, dim=1)]
        return [torch.cat(level, dim=1).to(x.dtype) for level in zip(*parts, strict=True)]


# ---------------------------------------------------------------------------------------- one tile


def tile_grid(shape: tuple[int, int], side: int) -> list[Tile]:
    """The tiles of a scene (rows, columns), row by row; the last of a row or column is smaller."""
    rows, columns = (
        [slice(start, min(start + side, size)) for start in range(0, size, side)] for size in shape
    )
    return [(row, column) for row in rows for column in columns]


def touching(windows: np.ndarray, patch: int, tile: Tile) -> np.ndarray:
    """The windows that share a pixel with the tile."""
    start = np.array([tile[0].start, tile[1].start])
    stop = np.array([tile[0].stop, tile[1].stop])
    return windows[((windows < stop) & (windows + patch > start)).all(1)]


def within(tile: Tile, origin: np.ndarray) -> Tile:
    """The tile in an array whose first row and column are those of ``origin``."""
    rows, columns = (
        slice(axis.start - start, axis.stop - start)
        for axis, start in zip(tile, origin, strict=True)
    )
    return rows, columns


def read_tile(layers: list, windows: np.ndarray, patch: int, tile: Tile) -> np.ndarray:
    """What the windows that touch a tile see: values (T, bands, rows, columns) of the layers."""
    windows = touching(windows, patch, tile)
    (top, left), (bottom, right) = windows.min(0), windows.max(0) + patch
    return read_layers(layers, (slice(top, bottom), slice(left, right)))


@dataclass
class TileMapper:
    """A network at work on tiles, here or on a worker of a cluster.

    ``windows`` (n, 2) are those of the whole scene, ``batch`` of them are computed at a time (None:
    as many as hold ``VALUES`` values per band), ``wanted`` names the layers to return.
    """

    model: Network
    scaling: Scaling
    windows: np.ndarray
    batch: int | None
    device: str | None
    wanted: set[str]

    @torch.inference_mode()
    def layers(self, tile: Tile, values: Any) -> dict[str, np.ndarray]:
        """The bytes (bands, rows, columns) of a tile that go into each of the wanted files."""
        shares = self.blended(tile, values)
        known = torch.isfinite(shares[:1])
        makers: dict[str, Callable[[], torch.Tensor]] = {
            "map": lambda: shares.argmax(0, keepdim=True).where(known, NODATA).to(torch.uint8),
            "probabilities": lambda: _in_steps(shares),
            "entropy": lambda: _in_steps(_uncertainty(shares)),
        }
        return {name: make().cpu().numpy() for name, make in makers.items() if name in self.wanted}

    @torch.inference_mode()
    def probabilities(self, tile: Tile, values: Any) -> np.ndarray:
        """Class probabilities (K, rows, columns) of a tile, NaN where a pixel has no data at all.

        ``values`` are those of ``read_tile``.
        """
        return self.blended(tile, values).cpu().numpy()

    def blended(self, tile: Tile, values: Any) -> torch.Tensor:
        """As ``probabilities``, where they were computed."""
        patch = self.model.arguments["patch"]
        windows = touching(self.windows, patch, tile)
        origin = windows.min(0)
        empty = without_data(values)
        self.model.to(pick_device(self.device))
        pieces = self._pieces(values, windows - origin, empty)
        probabilities = stitch(pieces, windows - origin, patch, empty.shape)
        probabilities[:, empty] = np.nan
        return torch.from_numpy(probabilities)[:, *within(tile, origin)]

    def _pieces(
        self, values: np.ndarray, windows: np.ndarray, empty: np.ndarray
    ) -> Iterator[np.ndarray]:
        """Probabilities (K, P, P) of windows, one row of windows in memory at a time."""
        patch = self.model.arguments["patch"]
        nothing = np.zeros((self.model.arguments["classes"], patch, patch), np.float32)
        batch = self.batch or fitting_batch(self.model)
        with _threads(self.model) as (number, in_turn):
            for top in np.unique(windows[:, 0]):
                x = torch.from_numpy(network_input(values[:, :, top : top + patch], self.scaling))
                lefts = windows[windows[:, 0] == top, 1]
                # A window without any data touches only pixels that become NaN: not computed.
                seen = [left for left in lefts if not empty[window_at((top, left), patch)].all()]
                step = max(1, min(batch, -(-len(seen) // number)))
                batches = (seen[first : first + step] for first in range(0, len(seen), step))
                stacks = (
                    torch.stack([x[..., left : left + patch] for left in some]) for some in batches
                )
                pieces = (piece for some in in_turn(self._classify, stacks) for piece in some)
                done = dict(zip(seen, pieces, strict=True))
                for left in lefts:
                    yield done.get(left, nothing)

    @torch.inference_mode()
    def _classify(self, x: torch.Tensor) -> np.ndarray:
        logits = main_of(self.model(x.to(pick_device(self.device))))
        return logits.float().softmax(1).cpu().numpy()


@contextmanager
def _threads(model: Network) -> Iterator[tuple[int, Callable]]:
    """How many batches are computed at a time, and a ``map`` that does so, in order.

    ONNX Runtime is quickest with a batch for each thread. PyTorch is quicker with threads that
    share a batch: its many small steps are begun by Python, one thread at a time.
    """
    number = torch.get_num_threads() if isinstance(model, OnnxForm) else 1
    if number == 1:
        yield 1, map
        return
    with ThreadPoolExecutor(number) as pool:
        yield number, pool.map


def fitting_batch(model: Network) -> int:
    """So many windows as hold ``VALUES`` values per band."""
    values = VALUES
    if getattr(model, "pixelwise", False):
        values //= 8  # such networks keep all their channels at full size, on every date
    return max(1, values // (model.arguments["dates"] * model.arguments["patch"] ** 2))


def _uncertainty(shares: torch.Tensor) -> torch.Tensor:
    """Entropy (1, rows, columns) of shares (K, ...), as a share of the greatest possible."""
    return -torch.xlogy(shares, shares).sum(0, keepdim=True) / np.log(len(shares))


def _in_steps(share: torch.Tensor) -> torch.Tensor:
    return (STEPS * share).round().where(torch.isfinite(share), NODATA).to(torch.uint8)
