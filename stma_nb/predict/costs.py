"""What a map costs: a law of the network's size, the dates and the patch.

The time of a window is what the network computes, by how fast a core computes, plus what its steps
write to memory, by how fast a core does that:

    seconds = operations / rate of operations + values / rate of values

Operations and values are counted, without computing anything; the two rates belong to a machine and
are fitted to measurements (``tests/benchmarks/cost_law.py``). A small network writes much for
little computing, so operations alone would make it look too cheap: the additive form of the
roofline (Williams, Waterman and Patterson 2009, https://doi.org/10.1145/1498765.1498785).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
import xarray as xr
from scipy.optimize import nnls
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from stma_nb.patches import corners
from stma_nb.predict.tiles import inference_form
from stma_nb.train import Network


class Work(NamedTuple):
    """What a network does to one window of its patch in a map."""

    operations: float  # floating-point; a multiplication and an addition are two
    values: float  # numbers that its steps write


class Rates(NamedTuple):
    """What one core does in a second."""

    operations: float
    values: float

    def seconds(self, work: Work) -> float:
        """Seconds of a core for the work on one window."""
        return work.operations / self.operations + work.values / self.values


class _Counter(TorchDispatchMode):
    """Counts the operations of operators that PyTorch has a formula for, and the values that all
    of them write; views write none.
    """

    def __init__(self) -> None:
        super().__init__()
        self.operations = self.values = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        if formula := flop_registry.get(func.overloadpacket):
            self.operations += formula(*args, **(kwargs or {}), out_val=found)
        if not func.is_view:
            outputs = found if isinstance(found, list | tuple) else [found]
            self.values += sum(out.numel() for out in outputs if isinstance(out, torch.Tensor))
        return found


def work(network: Network) -> Work:
    """Count what a network does to a window, in the form in which it maps.

    Of shapes alone, so the published size takes no longer than a small one. Raises ValueError for a
    network without weights, such as a forest: what it does depends on the numbers.
    """
    if next(iter(network.parameters()), None) is None:
        raise ValueError(
            f"{type(network).__name__} has no weights to count operations of: measure it."
        )
    arguments = network.arguments
    shape = [arguments[name] for name in ("dates", "bands", "patch", "patch")]
    model = inference_form(network).to("meta")
    with torch.no_grad(), _Counter() as counter:  # inference mode would hide what layers do
        model(torch.empty(1, *shape, device="meta"))
    return Work(float(counter.operations), float(counter.values))


def fit_rates(works: Sequence[Work], seconds: Sequence[float]) -> Rates:
    """The rates under which the law is nearest to measured seconds a window, relative to each.

    Least squares with rates above 0. Raises ValueError for fewer than two measurements.
    """
    if len(works) != len(seconds) or len(works) < 2:
        raise ValueError(
            f"There are {len(works)} networks and {len(seconds)} measurements; expected as many of "
            "both, two or more."
        )
    measured = np.asarray(seconds, float)[:, None]
    slowness, _ = nnls(np.array(works) / measured, np.ones(len(works)))
    with np.errstate(divide="ignore"):
        return Rates(*(1 / slowness))


def cost(
    network: Network,
    rates: Rates,
    region: xr.Dataset | float,
    overlap: float | None = None,
    pixel: float = 10.0,
) -> float:
    """Seconds of one core that a map of a region takes by the law.

    ``region`` is a season, or an area in square kilometres of pixels of ``pixel`` metres;
    ``overlap`` is that of ``season_map``. An area has no borders, where a few windows more are
    needed. Reading the season is not counted.
    """
    patch = network.arguments["patch"]
    if overlap is None:
        overlap = 0.0 if getattr(network, "pixelwise", False) else 0.5
    if isinstance(region, xr.Dataset):
        windows = len(corners((region.sizes["y"], region.sizes["x"]), patch, overlap))
    else:
        windows = region * 1e6 / pixel**2 / max(1, round(patch * (1 - overlap))) ** 2
    return windows * rates.seconds(work(network))
