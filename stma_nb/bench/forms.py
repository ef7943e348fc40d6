"""What is measured: a training step, a mapped tile, the reading of a batch, a matrix product.

All of it from the sample season, repeated to the size that a network needs.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from stma_nb import course, cube, patches
from stma_nb.model import STMA
from stma_nb.predict.gpu import DeviceMapper
from stma_nb.predict.tiles import TileMapper, inference_form
from stma_nb.train import Trained, cross_entropy, hardware, load, main_of

SIZES: dict[str, dict[str, int]] = {
    "compact": dict(dates=18, patch=32, width=16),  # of the course
    "published": dict(dates=41, patch=128, width=64),
}
PRECISIONS = ("32-true", "bf16-mixed", "16-mixed", "32-tf32", "32-ieee")  # by importance
SIDES = {  # of the mapped tile in pixels, by size and kind of device
    ("compact", "cpu"): 448,
    ("published", "cpu"): 256,
}
LARGE = 1024  # of the tile on a GPU: enough windows for large batches
MATRIX = {"cpu": 2048, "cuda": 4096, "mps": 4096, "large GPU": 8192}  # sides of the factors
STEPS = {"compact": 8, "published": 3}  # after which the losses of two devices are compared
COMPARED = {"compact": 64, "published": 4}  # in batches up to this: a CPU must compute them too
SEEN = 4  # windows whose logits are compared
MAPPED = {"32": "float32", "bf": "bf16", "16": "float16"}  # season_map's words for the numbers


# --------------------------------------------------------------------------------------- what for


@cache
def season_of(size: str) -> xr.Dataset:
    """The sample season in memory, with as many dates as a network of this size takes."""
    sample = cube.open_season(course.sample_season()).load()
    dates = np.arange(SIZES[size]["dates"])
    times = sample.time.values[0] + dates * np.timedelta64(5, "D")
    return sample.isel(time=dates % sample.sizes["time"]).assign_coords(time=times)


@cache
def data_of(size: str) -> patches.PatchDataset:
    """Patches of the whole season, turned at random, as a training reads them."""
    season, patch = season_of(size), SIZES[size]["patch"]
    windows = patches.corners(season.crop.shape, patch, 0.5)
    return patches.PatchDataset(season, windows, patch, patches.fit_scaling(season), augment=True)


@cache
def batch_of(size: str, batch: int) -> tuple[Tensor, Tensor]:
    """One batch of patches in memory, always the same."""
    data = data_of(size)
    order = np.random.default_rng(0).permutation(len(data))
    items = [data[int(index)] for index in np.resize(order, batch)]
    x, y = (torch.stack(part) for part in zip(*items, strict=True))
    return x, y


def network_of(size: str) -> STMA:
    """An untrained network, the same one at every call, without dropout: devices draw otherwise."""
    torch.manual_seed(0)
    model = STMA(**SIZES[size], classes=len(data_of(size).crops), dropout=0.0)
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return model


@cache
def trained_of(size: str) -> Trained:
    """The trained network that comes with the course, or one of another size with random weights.

    So does the small one where the repository is not at hand.
    """
    weights = course.sample_weights()
    if size == "compact" and weights.exists():
        return load(weights)
    data = data_of(size)
    return Trained(network_of(size).eval(), data.scaling, data.crops, data.times)


@cache
def operations(size: str, training: bool) -> float:
    """Floating-point operations of a patch in convolutions and matrix products, counted."""
    with torch.device("meta"):
        model = STMA(**SIZES[size], classes=len(data_of(size).crops)).train(training)
        x = torch.empty(1, SIZES[size]["dates"], 2, *2 * (SIZES[size]["patch"],))
    with FlopCounterMode(display=False) as counter, torch.set_grad_enabled(training):
        main, aux = model(x)
        if training:
            (main.sum() + aux.sum()).backward()
    return float(counter.get_total_flops())


@contextmanager
def numbers(precision: str) -> Iterator[None]:
    """Let NVIDIA's GPUs round float32 to TF32 in all products ("32-tf32") or in none ("32-ieee").

    Otherwise as PyTorch has it: in convolutions only.
    """
    kept = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    allowed = {"32-tf32": (True, True), "32-ieee": (False, False)}.get(precision, kept)
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = allowed
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = kept


def lacking(device: torch.device) -> dict[str, str]:
    """The precisions that a device does not have, and why."""
    if device.type == "cpu":
        lacks = {"16-mixed": "float16 is for GPUs"}
    elif device.type == "cuda" and not has_tf32(device):
        lacks = {"bf16-mixed": "this GPU has no units for bfloat16"}
    else:
        lacks = {}
    tensor = "only NVIDIA's GPUs since the A100 round float32 to TF32"
    return lacks if has_tf32(device) else lacks | {"32-tf32": tensor, "32-ieee": tensor}


def has_tf32(device: torch.device) -> bool:
    """Whether a device may round float32 to TF32 in matrix products."""
    return device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)


# --------------------------------------------------------------------------------------- training


@dataclass
class Training:
    """A step of ``train.fit`` on one batch, again and again: forward, loss, backward, AdamW.

    The loss after ``STEPS`` steps is compared with that of a CPU in float32, not compiled.
    """

    size: str
    precision: str
    batch: int
    compile: bool
    device: str
    compare: bool = True

    def __post_init__(self) -> None:
        place = torch.device(self.device)
        usual = "32-true" if self.precision.startswith("32") else self.precision
        self.fabric = hardware.fabric(self.device, usual)
        model = network_of(self.size)
        optimiser = hardware.adamw(place)(model.parameters(), lr=2e-3)
        network: nn.Module = torch.compile(model) if self.compile else model  # type: ignore
        self.network, self.optimiser = self.fabric.setup(network.train(), optimiser)
        self.x, self.y = batch_of(self.size, self.batch)
        self.weights = torch.ones(len(data_of(self.size).crops), device=place)
        self.losses: list[float] = []

    def __call__(self) -> None:
        x, y = self.x.to(self.fabric.device), self.y.to(self.fabric.device)
        with numbers(self.precision):
            total = self.weights[y[y != patches.IGNORE]].sum()
            loss = cross_entropy(self.network(x), y, self.weights) / total
            self.fabric.backward(loss)
            self.optimiser.step()
        self.optimiser.zero_grad()
        self.losses.append(loss.item())

    def facts(self) -> dict[str, Any]:
        count = STEPS[self.size]
        while len(self.losses) < count:
            self()
        loss = self.losses[count - 1]
        facts = {"operations": self.batch * operations(self.size, training=True), "loss": loss}
        if self.compare and self.batch <= COMPARED[self.size]:
            facts["difference"] = abs(loss - loss_on_cpu(self.size, self.batch))
        return facts


@cache
def loss_on_cpu(size: str, batch: int) -> float:
    """The loss after ``STEPS`` steps on the CPU in float32, not compiled."""
    step = Training(size, "32-true", batch, False, "cpu", compare=False)
    for _ in range(STEPS[size]):
        step()
    return step.losses[-1]


@dataclass
class Loader:
    """Reading, scaling and turning one batch, by the process that trains (``workers=0``)."""

    size: str
    batch: int

    def __post_init__(self) -> None:
        self.order = np.random.default_rng(0)
        self.data = data_of(self.size)

    def __call__(self) -> None:
        some = self.order.integers(len(self.data), size=self.batch).tolist()
        torch.utils.data.default_collate([self.data[index] for index in some])


# ---------------------------------------------------------------------------------------- mapping


@dataclass
class Mapping:
    """A tile in memory to its class probabilities: scaling, windows, network, blending.

    On a CPU by ``TileMapper``, and in "bf16-mixed" with the trunk in bfloat16, on others by
    ``DeviceMapper`` with the whole network in 16 bits: what ``predict.season_map`` does with a
    tile. The logits of some windows are compared with those of a CPU in float32.
    """

    size: str
    precision: str
    batch: int
    compile: bool
    device: str

    def __post_init__(self) -> None:
        place = torch.device(self.device)
        trained, patch = trained_of(self.size), SIZES[self.size]["patch"]
        side = SIDES.get((self.size, place.type), LARGE)
        season = season_of(self.size)
        fold = np.arange(side) % season.sizes["y"]
        layers = [season[name].values[:, fold][:, :, fold] for name in trained.scaling.bands]
        self.values = np.stack(layers, axis=1)
        self.tile = (slice(0, side), slice(0, side))
        windows = patches.corners((side, side), patch, 0.5)
        self.windows = len(windows)
        spoken = MAPPED[self.precision[:2]]
        on_cpu = place.type == "cpu"
        form = inference_form(trained.model, spoken if on_cpu else "float32")
        model: Any = torch.compile(form) if self.compile else form
        given = (model, trained.scaling, windows, self.batch, self.device, {"probabilities"})
        self.mapper = TileMapper(*given) if on_cpu else DeviceMapper(*given, precision=spoken)

    def __call__(self) -> None:
        with numbers(self.precision):
            self.mapper.layers(self.tile, self.values)

    @torch.inference_mode()
    def facts(self) -> dict[str, Any]:
        patch = SIZES[self.size]["patch"]
        x, _ = batch_of(self.size, max(SEEN, self.batch))
        place = torch.device(self.device)
        mixed = isinstance(self.mapper, DeviceMapper) and not self.precision.startswith("32")
        half = torch.bfloat16 if self.precision == "bf16-mixed" else torch.float16
        with numbers(self.precision), torch.autocast(place.type, half, enabled=mixed):
            found = main_of(self.mapper.model(x[: self.batch].to(place)))[:SEEN].float().cpu()
        exact = logits_on_cpu(self.size, self.batch)
        return {
            "operations": self.windows * operations(self.size, training=False),
            "windows": self.windows,
            # A window of a large map brings this much new land; at a border it brings more.
            "km2": self.windows * (patch / 2 * PIXEL_KM) ** 2,
            "difference": (found - exact).abs().max().item(),
            "labels_changed": (found.argmax(1) != exact.argmax(1)).float().mean().item(),
        }


PIXEL_KM = 0.01  # the side of a pixel of Sentinel-1


@cache
@torch.inference_mode()
def logits_on_cpu(size: str, batch: int) -> Tensor:
    """Logits of the first windows of a batch on the CPU in float32, not compiled."""
    x, _ = batch_of(size, max(SEEN, batch))
    model = trained_of(size).model.to("cpu").eval()
    return main_of(model(x[: min(SEEN, batch)]))


# -------------------------------------------------------------------------------- matrix products


@dataclass
class Product:
    """A product of two large square matrices: the peak that a device reaches in practice."""

    precision: str
    device: str

    def __post_init__(self) -> None:
        place = torch.device(self.device)
        kinds = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}
        self.side = MATRIX["large GPU" if has_tf32(place) else place.type]
        shape = (self.side, self.side)
        one, other = torch.randn(2, *shape, device=place, dtype=kinds.get(self.precision))
        self.factors = (one, other)
        self.out = torch.empty_like(one)

    def __call__(self) -> None:
        with numbers(self.precision):
            torch.mm(*self.factors, out=self.out)

    def facts(self) -> dict[str, Any]:
        return {"operations": 2.0 * self.side**3}
