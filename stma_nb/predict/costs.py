"""What a map costs: a law of the network's size, the dates and the patch.

The time of a window is what the network computes, what its steps write to memory, and the pairs
that its attention weighs, each by how fast a core does that:

    seconds = operations / its rate + values / its rate + pairs / its rate

All three are counted, without computing anything; the rates belong to a machine and are fitted to
measurements (``tests/benchmarks/cost_law.py``). A small network writes much for little computing,
so operations alone would make it look too cheap: the additive form of the roofline (Williams,
Waterman and Patterson 2009, https://doi.org/10.1145/1498765.1498785). Pairs, of which a large patch
has very many, pass through a softmax and do not stay in the processor's cache.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
import xarray as xr
from scipy.optimize import nnls
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from stma_nb.cube import CHUNK
from stma_nb.patches import corners
from stma_nb.predict.tiles import inference_form
from stma_nb.train import Network


class Work(NamedTuple):
    """What a network does to one window of its patch in a map."""

    operations: float  # floating-point; a multiplication and an addition are two
    values: float  # numbers that are written: the input, and the output of every step
    pairs: float  # of tokens that attention weighs by a softmax


class Rates(NamedTuple):
    """What one core does in a second."""

    operations: float
    values: float
    pairs: float

    def seconds(self, work: Work) -> float:
        """Seconds of a core for the work on one window."""
        return sum(amount / rate for amount, rate in zip(work, self, strict=True))


class _Counter(TorchDispatchMode):
    """Counts the operations of operators that PyTorch has a formula for, the values that all of
    them write (views write none), and those of a softmax.
    """

    def __init__(self) -> None:
        super().__init__()
        self.operations = self.values = self.pairs = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        if formula := flop_registry.get(func.overloadpacket):
            self.operations += formula(*args, **(kwargs or {}), out_val=found)
        if not func.is_view:
            outputs = found if isinstance(found, list | tuple) else [found]
            self.values += sum(out.numel() for out in outputs if isinstance(out, torch.Tensor))
        if func.overloadpacket is torch.ops.aten._softmax:
            self.pairs += found.numel()
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
    return Work(float(counter.operations), float(counter.values), float(counter.pairs))


def fit_rates(works: Sequence[Work], seconds: Sequence[float]) -> Rates:
    """The rates under which the law is nearest to measured seconds a window, relative to each.

    Least squares with rates above 0; infinite for what costs nothing. Raises ValueError for fewer
    than three measurements.
    """
    if len(works) != len(seconds) or len(works) < 3:
        raise ValueError(
            f"There are {len(works)} networks and {len(seconds)} measurements; expected as many of "
            "both, three or more."
        )
    measured = np.asarray(seconds, float)[:, None]
    slowness, _ = nnls(np.array(works) / measured, np.ones(len(works)))
    with np.errstate(divide="ignore"):
        return Rates(*(1 / slowness).tolist())


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


class Plan(NamedTuple):
    """What the map of a large region takes, and what it costs at prices that somebody pays."""

    core_hours: float  # with the work that is lost with machines that are taken away
    hours: float  # on the clock, if all cores have work to the end
    terabytes: float  # of the season, 4 bytes a value, before compression
    megabytes_a_second: float  # that each core reads, of the same bytes
    computing: float  # price of the core hours
    storing: float  # price of the season a month


def plan(
    network: Network,
    rates: Rates,
    square_kilometres: float,
    *,
    cores: int,
    core_hour: float,
    terabyte_month: float,
    life: float = float("inf"),
    start: float = 120.0,
    tile: int = 2048,
    pixel: float = 10.0,
) -> Plan:
    """Cores, hours, bytes and money of a map by the law of ``cost``.

    ``core_hour`` and ``terabyte_month`` are prices, in any currency. A machine that may be taken
    away is taken on average after ``life`` hours; then half a tile is lost, and the next needs
    ``start`` seconds before it computes. A tile reads all chunks that its windows touch, one more
    than its own at each side. Fetching and preparing the radar images is not counted.
    """
    arguments, seconds = network.arguments, cost(network, rates, square_kilometres, pixel=pixel)
    pixels = square_kilometres * 1e6 / pixel**2
    of_tile = seconds * tile**2 / pixels
    hours = seconds / 3600 * (1 + (of_tile / 2 + start) / (3600 * life))
    season = pixels * arguments["dates"] * arguments["bands"] * 4
    read = season * ((tile + 2 * CHUNK) / tile) ** 2
    return Plan(
        core_hours=hours,
        hours=hours / cores,
        terabytes=season / 1e12,
        megabytes_a_second=read / 1e6 / seconds,
        computing=hours * core_hour,
        storing=season / 1e12 * terabyte_month,
    )
