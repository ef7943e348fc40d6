"""Tiles on a GPU: many windows at a time, and nothing that lets it wait.

A processor computes few windows at a time, so that their values stay in its cache
(``tiles.TileMapper``). A GPU wants the opposite:

* a tile is scaled and sent once, from pinned memory and while the tile before is computed
  (``send``); its windows, which overlap, are cut where they are computed;
* a batch takes windows from all rows of the tile, as many as the memory holds;
* the whole network computes in 16 bits if asked, by PyTorch's autocast, for any network;
* windows are blended there, and only the bytes of the files come back.

Whether all this pays has not been measured yet: ``python -m stma_nb bench`` does so on a GPU.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from stma_nb.machine import pick_device
from stma_nb.patches import Scaling, blend_weight, network_input, window_at, without_data
from stma_nb.predict.tiles import (
    PRECISIONS,
    Tile,
    TileMapper,
    fitting_batch,
    inference_form,
    touching,
    within,
)
from stma_nb.train import Network, main_of

NUMBERS = PRECISIONS | {"float16": torch.float16}
MOST = 512  # windows in a batch: a guess, until bench has measured batches on a GPU


class Sent(NamedTuple):
    """A tile where it is computed: input (T, bands, rows, columns) of the network, and which pixels
    (rows, columns) have no data at all.
    """

    x: Tensor
    empty: np.ndarray


def send(values: np.ndarray, scaling: Scaling, device: str | None = None) -> Sent:
    """Scale a tile's values (T, bands, rows, columns) and bring them to a device.

    To a CUDA device they go from pinned memory and on a stream of their own, so that this may run
    in a thread beside the computation of another tile.
    """
    place = torch.device(pick_device(device))
    x, empty = torch.from_numpy(network_input(values, scaling)), without_data(values)
    if place.type != "cuda":
        return Sent(x.to(place), empty)
    beside = torch.cuda.Stream(place)
    with torch.cuda.stream(beside):
        there = x.pin_memory().to(place, non_blocking=True)
    beside.synchronize()  # the copy is whole before another stream reads it
    return Sent(there, empty)


def _read_and_send(
    read: Callable[[Tile], np.ndarray], scaling: Scaling, device: str | None, tile: Tile
) -> Sent:
    return send(read(tile), scaling, device)


@dataclass
class DeviceMapper(TileMapper):
    """As ``TileMapper``, for a GPU; it computes the same on a CPU, which tests use.

    ``precision`` is "float32", "bf16" or "float16". A ``batch`` that is given is filled up to its
    size, so that a compiled network sees one shape; without it the windows of a tile are divided
    evenly into batches that fit the memory.
    """

    precision: str = "float32"
    limit: int | None = None  # windows that fit the memory, once that is known

    def ahead(self, read: Callable[[Tile], np.ndarray]) -> Callable[[Tile], Sent]:
        """``read``, and the tile is sent as well: to be called in a thread, a tile ahead."""
        return partial(_read_and_send, read, self.scaling, self.device)

    def blended(self, tile: Tile, values: np.ndarray | Sent) -> Tensor:
        """See ``TileMapper.blended``; ``values`` may have been sent already."""
        x, empty = values if isinstance(values, Sent) else send(values, self.scaling, self.device)
        patch, classes = (self.model.arguments[name] for name in ("patch", "classes"))
        windows = touching(self.windows, patch, tile)
        origin = windows.min(0)
        places = [window_at(corner, patch) for corner in windows - origin]
        # A window without any data touches only pixels that become NaN: it is not computed.
        places = [place for place in places if not empty[place].all()]
        weight = torch.from_numpy(blend_weight(patch)).to(x.device)
        total = torch.zeros((classes + 1, *empty.shape), device=x.device)  # the last: weights
        self.model.to(x.device)
        batch = self.batch or self._even_batch(x, places, patch)
        for first in range(0, len(places), batch):
            some = places[first : first + batch]
            full = some + some[-1:] * (self.batch - len(some) if self.batch else 0)
            shares = self._shares(torch.stack([x[..., *place] for place in full]))
            weighted = weight * torch.cat([shares, torch.ones_like(shares[:, :1])], dim=1)
            for place, share in zip(some, weighted, strict=False):
                total[..., *place] += share
        blended = total[:-1] / total[-1]
        blended[:, torch.from_numpy(empty).to(x.device)] = torch.nan
        return blended[:, *within(tile, origin)]

    def _shares(self, x: Tensor) -> Tensor:
        """Class probabilities (B, K, P, P) of windows, float32."""
        kind = NUMBERS[self.precision]
        with torch.autocast(x.device.type, kind, enabled=kind != torch.float32):
            logits = main_of(self.model(x))
        return logits.float().softmax(1)

    def _even_batch(self, x: Tensor, places: list[Tile], patch: int) -> int:
        """Windows of a batch: as few batches as the memory allows, all of about one size."""
        if self.limit is None:
            self.limit = self._windows_that_fit(x[..., :patch, :patch])
        batches = -(-len(places) // self.limit)
        return -(-len(places) // max(1, batches)) or 1

    def _windows_that_fit(self, window: Tensor) -> int:
        """Windows (T, bands, P, P) that half of a GPU's free memory holds: one is tried."""
        if window.device.type != "cuda":
            return fitting_batch(self.model)
        before = torch.cuda.memory_allocated(window.device)
        torch.cuda.reset_peak_memory_stats(window.device)
        self._shares(window[None])
        need = torch.cuda.max_memory_allocated(window.device) - before
        free, _ = torch.cuda.mem_get_info(window.device)
        return windows_within(free, need)


def on_device(
    mapper: TileMapper, read: Callable[[Tile], np.ndarray], model: Network, precision: str
) -> tuple[DeviceMapper, Callable[[Tile], Sent]]:
    """What maps tiles on a GPU, and what reads and sends them, in place of those of a CPU.

    ``model`` is the network as it was trained; ``precision`` one of ``NUMBERS``.
    """
    same = vars(mapper) | {"model": inference_form(model)}
    there = DeviceMapper(**same, precision=precision)
    return there, there.ahead(read)


def windows_within(free: float, need: float) -> int:
    """Windows of ``need`` bytes each that half of ``free`` bytes holds, from 1 to ``MOST``."""
    return int(min(MOST, max(1, free / 2 // max(1, need))))
