"""What travels to the browser: a scene and the weights of a network, or, of a network too large for
a page, its maps of one patch; as bytes, rounded on the way.

* Backscatter of a scene: 254 steps between its least and its largest value of a band, in dB. A
  value is off by at most half a step, which the page names (0.07 dB for 38 dB).
* Weights: 16-bit numbers with a scale for each index of the first axis, so that a weight is off by
  at most 1/65534 of the largest in its row; biases and normalisations go as they are.
* Attention maps of one patch: spatial weights to 1/255 of the largest weight of the same head and
  query, cross-scale similarities to 1/127 of the largest of the same query in size, temporal
  weights to 1/65535.
"""

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from stma_nb.attention.edits import uniform
from stma_nb.cube import POLARISATIONS, UNKNOWN
from stma_nb.figures.colours import VH, VV
from stma_nb.model import STMA
from stma_nb.patches import Scaling
from stma_nb.train import Network

STEPS = 254  # of a band's range; the code after them, UNKNOWN, is no data
WEIGHT_STEPS = 32767
# Bands are told apart by colour-blind readers, and by markers and dashes, too.
COLOURS = {"vv": VV, "vh": VH, "hh": VV, "hv": VH}
OTHERS = ("#009e73", "#cc79a7", "#882255", "#332288", "#999933")
KINDS = {np.dtype(np.uint8): "u1", np.dtype(np.uint16): "u2", np.dtype(np.float32): "f4"}


def join(arrays: dict[str, np.ndarray]) -> tuple[dict[str, list], bytes]:
    """Where each array stands, as [offset, size, kind], and the bytes of all, to a multiple of 4.

    The widest numbers come first, so that each array starts aligned.
    """
    data, where = b"", {}
    for name, array in sorted(arrays.items(), key=lambda item: -item[1].itemsize):
        where[name] = [len(data), array.size, KINDS[array.dtype]]
        data += array.tobytes()
    return where, data + bytes(-len(data) % 4)


def pack_bands(values: np.ndarray, scaling: Scaling) -> tuple[np.ndarray, list[dict[str, Any]]]:
    """Values (T, bands, rows, columns), in dB for backscatter, as codes, and what the page must
    know of each band. A code c is low + step * c, UNKNOWN no data.
    """
    codes = np.full(values.shape, UNKNOWN, np.uint8)
    bands = []
    for number, name in enumerate(scaling.bands):
        band = values[:, number]
        known = np.isfinite(band)
        low, high = (float(f(band[known])) if known.any() else 0.0 for f in (np.min, np.max))
        step = (high - low) / STEPS or 1.0
        codes[:, number][known] = np.rint((band[known] - low) / step)
        bands.append(
            {
                "name": name,
                "label": name.upper() if name in POLARISATIONS else name,
                "unit": "dB" if name in scaling.decibel else scaling.units[number],
                "colour": COLOURS.get(name, OTHERS[number % len(OTHERS)]),
                "low": low,
                "step": step,
                "mean": float(scaling.mean[number]),
                "std": float(scaling.std[number]),
            }
        )
    return codes, bands


def unpack_bands(codes: np.ndarray, bands: Sequence[dict[str, Any]]) -> np.ndarray:
    """Values (T, bands, ...) float32 as the browser has them, NaN without data."""
    values = np.full(codes.shape, np.nan, np.float32)
    for number, band in enumerate(bands):
        known = codes[:, number] != UNKNOWN
        values[:, number][known] = band["low"] + band["step"] * codes[:, number][known]
    return values


def state_of(model: STMA) -> dict[str, np.ndarray]:
    """The weights that a page computes with: all but the auxiliary head, which helps training."""
    return {
        name: value.detach().cpu().numpy().astype(np.float32)
        for name, value in model.state_dict().items()
        if not name.startswith("auxiliary") and not name.endswith("num_batches_tracked")
    }


def pack_weights(model: STMA) -> tuple[list[dict[str, Any]], bytes]:
    """A list of the tensors, each with its name, shape, place and how it is drawn before training
    (``fresh``: middle and half width of a uniform distribution), and their bytes.
    """
    tensors: list[dict[str, Any]] = []
    data = b""
    fresh = fresh_ranges(model)
    for name, value in state_of(model).items():
        at, scales = len(data), None
        if value.ndim < 2:
            data += value.tobytes()
        else:
            largest = np.abs(value.reshape(len(value), -1)).max(1)
            scale = (np.maximum(largest, 1e-30) / WEIGHT_STEPS).astype(np.float32)
            codes = np.rint(value / scale.reshape(-1, *[1] * (value.ndim - 1)))
            data += codes.clip(-WEIGHT_STEPS, WEIGHT_STEPS).astype(np.int16).tobytes()
            data += bytes(-len(data) % 4)
            scales = len(data)
            data += scale.tobytes()
        place = {"shape": list(value.shape), "at": at, "scales": scales}
        tensors.append({"name": name, **place, "fresh": fresh[name]})
    return tensors, data


def fresh_ranges(model: STMA) -> dict[str, list[float]]:
    """For each tensor, middle and half width of the uniform distribution that has the mean and the
    spread of weights before training; half width 0 for those that start as a constant.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        drawn = state_of(STMA(**model.arguments))
    return {
        name: [float(value.mean()), float(3**0.5 * value.std())] for name, value in drawn.items()
    }


def random_weights(model: STMA, seed: int) -> STMA:
    """A copy with weights drawn anew, the same numbers as the page draws (its edit "random
    weights"); the auxiliary head stays.
    """
    state, place = {}, 0
    for (name, value), (middle, half) in zip(
        state_of(model).items(), fresh_ranges(model).values(), strict=True
    ):
        share = uniform(np.arange(place, place + value.size), seed)
        state[name] = torch.from_numpy(middle + half * (2 * share - 1)).view(value.shape)
        place += value.size
    copied = copy.deepcopy(model)
    copied.load_state_dict(copied.state_dict() | state)
    return copied


def pack_attention(maps: dict, levels: Sequence[int]) -> dict[str, np.ndarray]:
    """Attention weights of one patch, by name."""
    arrays = {}
    weights = {level: maps["spatial"][level - 1] for level in levels} | {"cross": maps["cross"]}
    for level, tensor in weights.items():
        weight = tensor[0].cpu().numpy()  # (heads, N, N)
        largest = np.abs(weight).max(-1)
        steps, zero = (127, 128) if level == "cross" else (255, 0)
        share = weight / np.maximum(largest, 1e-30)[..., None]
        arrays[f"scale{level}"] = largest.astype(np.float32)
        arrays[f"spatial{level}"] = (np.rint(share * steps) + zero).astype(np.uint8)
    for level in levels:
        weight = maps["temporal"][level - 1][0].cpu().numpy()
        arrays[f"temporal{level}"] = np.rint(weight * 65535).astype(np.uint16)
    return arrays


def attention_bytes(sizes: dict[str, Any], levels: Sequence[int]) -> int:
    """What the maps of one patch take, with its bands."""
    patch = sizes["patch"]
    cells = {1: (patch // 4) ** 2, 2: (patch // 8) ** 2, 3: (patch // 8) ** 2}
    spatial = sum(sizes["heads"] * cells[level] ** 2 for level in levels)
    return spatial + cells[2] ** 2 + sizes["bands"] * sizes["dates"] * patch**2


def weight_bytes(model: STMA) -> int:
    """What the packed weights take."""
    return sum(v.nbytes if v.ndim < 2 else v.nbytes // 2 for v in state_of(model).values())


def runs_in_a_page(model: Network) -> bool:
    """Whether a network is small enough to travel (8 MB) and to answer within a second or so: ten
    times the work of the compact network at 32 pixels and 18 dates.
    """
    if not isinstance(model, STMA):
        return False
    sizes = model.arguments
    work = sizes["dates"] * sizes["patch"] ** 2 * sizes["width"] ** 2
    return work <= 10 * 18 * 32**2 * 16**2 and weight_bytes(model) <= 8e6
