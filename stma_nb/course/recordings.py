"""The weights that the authors' implementation had when its outputs were recorded."""

import zlib
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor


def weights_by_name(shapes: Mapping[str, Sequence[int]], seed: int = 0) -> dict[str, Tensor]:
    """A state dict with the authors' names and ``shapes``: every entry is drawn from its name.

    So the recordings need no file of weights. Weights have the size that keeps the variance of what
    passes through; scales lie around 1, shifts and running means around 0.
    """
    return {name: _drawn(name, tuple(shape), seed) for name, shape in shapes.items()}


def _drawn(name: str, shape: tuple[int, ...], seed: int) -> Tensor:
    if name.endswith("num_batches_tracked"):
        return torch.zeros((), dtype=torch.int64)
    z = np.random.default_rng([zlib.crc32(name.encode()), seed]).standard_normal(shape)
    if name.endswith("running_var"):
        z = 0.5 + np.abs(z)
    elif name.endswith(("running_mean", "bias")):
        z = 0.1 * z
    elif z.ndim == 1:
        z = 1 + 0.1 * z
    else:
        z = z / np.sqrt(_inputs(name, shape))
    return torch.tensor(z, dtype=torch.float32)


def _inputs(name: str, shape: tuple[int, ...]) -> int:
    """How many numbers a layer sums. Attention keeps its weights as (input, heads, head width), the
    last layer of it as (heads, head width, output); others as (output, input, ...).
    """
    if ".attn_" not in name:
        return int(np.prod(shape[1:]))
    return shape[0] * shape[1] if name.endswith("out.weight") else shape[0]
