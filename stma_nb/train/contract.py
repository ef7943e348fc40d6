"""The contract: what a network and a dataset must have, so that everything here works with them.

Whoever keeps it can be trained (``fit``), kept (``save``, ``load``), mapped
(``predict.season_map``), scored (``validate``), taken to another year (``adapt_batch_norm``) and
tested (``attention``).
"""

import inspect
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from stma_nb.cube import Crop
from stma_nb.patches import Scaling

Outputs = Tensor | tuple[Tensor, Tensor]
"""Logits (B, K, P, P) of a network, alone or with those of an auxiliary head: (main, aux)."""

ARGUMENTS = ("dates", "bands", "classes", "patch")


class Network(Protocol):
    """A network for crop maps: an ``nn.Module`` with ``arguments``, and logits for every pixel.

    ``arguments`` are what builds it again, ``type(network)(**network.arguments)``: numbers and
    texts, among them ``dates`` T, ``bands`` C, ``classes`` K and ``patch`` P, the side of the
    windows that it is given. ``forward(x)`` takes x (B, T, C, P, P), float32, and returns
    ``Outputs``.

    Two things are optional. ``forward(x, return_attention=True)`` returns a third value, the
    weights as ``STMA`` returns them; without it there is no attention to look at. ``pixelwise =
    True`` says that the network looks at every pixel alone, so that maps need no overlap.
    """

    arguments: dict[str, Any]
    training: bool

    def __call__(self, x: Tensor, **options: Any) -> Any: ...
    def forward(self, x: Tensor) -> Any: ...
    def parameters(self) -> Iterator[nn.Parameter]: ...
    def named_parameters(self) -> Iterator[tuple[str, nn.Parameter]]: ...
    def modules(self) -> Iterator[nn.Module]: ...
    def state_dict(self) -> dict[str, Tensor]: ...
    def load_state_dict(self, state_dict: dict[str, Tensor]) -> Any: ...
    def train(self, mode: bool = True) -> Any: ...
    def eval(self) -> Any: ...
    def to(self, device: Any) -> Any: ...


class Patches(Protocol):
    """Patches to learn from or to validate on: a map-style dataset that says what is in it.

    An item is ``x`` (T, C, P, P) float32, scaled as ``scaling`` says, and ``y`` (P, P) int64, class
    codes with IGNORE where nothing is known. ``patches.PatchDataset`` keeps the contract.

    Optional: ``pixel`` (metres), ``quantity`` ("sigma0") and ``simulation`` (which simulated world)
    of the images, which a map is then held to; ``set_epoch(epoch, seed)``, told before every epoch,
    and None after the last; and ``fingerprint()``, a text by which a training that is resumed knows
    its patches again.
    """

    @property
    def crops(self) -> tuple[Crop, ...]: ...
    @property
    def times(self) -> np.ndarray: ...
    @property
    def scaling(self) -> Scaling: ...
    @property
    def patch(self) -> int: ...
    def __len__(self) -> int: ...
    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]: ...


Loss = Callable[[Outputs, Tensor, Tensor], Tensor]
"""``loss(outputs, y, class_weights)``: the SUM of the loss over the labelled pixels of ``y``.

``fit`` divides it by the weight of all labelled pixels of a batch, so that the pieces of a batch,
and the processes that share it, add up to the mean.
"""


def main_of(outputs: Any) -> Tensor:
    """The logits (B, K, P, P) of a network: its output, or the first of several."""
    return outputs if isinstance(outputs, Tensor) else outputs[0]


def device_of(model: Network) -> torch.device:
    """Where the weights of a network are; the CPU for one without weights, such as a forest."""
    first = next(iter(model.parameters()), None)
    return torch.device("cpu") if first is None else first.device


def attends(model: Network) -> bool:
    """Whether a network returns its attention (``return_attention=True``)."""
    return "return_attention" in inspect.signature(model.forward).parameters


def check_network(model: Network) -> None:
    """Raise ValueError unless a network says what builds it again."""
    name = type(model).__name__
    if not isinstance(model, nn.Module):
        raise ValueError(f"'{name}' is no network; expected a torch.nn.Module (train.Network).")
    arguments = getattr(model, "arguments", None)
    missing = [key for key in ARGUMENTS if key not in (arguments or {})]
    if missing:
        raise ValueError(
            f"The network {name} has no arguments['{missing[0]}']: set self.arguments = "
            f"dict({', '.join(f'{key}=...' for key in ARGUMENTS)}) to what builds it again."
        )


def check_patches(data: Patches, which: str) -> None:
    """Raise ValueError unless a dataset says what is in it; ``which`` is "training", say."""
    for name in ("crops", "times", "scaling", "patch"):
        if not hasattr(data, name):
            raise ValueError(
                f"The {which} patches ({type(data).__name__}) have no '{name}': give a "
                "PatchDataset, or a dataset with crops, times, scaling and patch (train.Patches)."
            )
    if len(data) == 0:
        raise ValueError(f"There are no {which} patches: choose another split or smaller patches.")


def check_sizes(model: Network, data: Patches) -> None:
    """Raise ValueError unless a network was built for the sizes of these patches."""
    check_network(model)
    sizes = {
        "dates": len(data.times),
        "bands": len(data.scaling.bands),
        "classes": len(data.crops),
        "patch": data.patch,
    }
    for name, wanted in sizes.items():
        found = model.arguments[name]
        if found != wanted:
            which = f" ({', '.join(data.scaling.bands)})" if name == "bands" else ""
            raise ValueError(
                f"The network was built for {name}={found}, the patches have {wanted}{which}: "
                f"build {type(model).__name__}({name}={wanted})."
            )
