"""On which hardware a network learns, and what several processes must share to learn as one."""

import logging
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from stma_nb.machine import pick_device
from stma_nb.train.contract import Network

PRECISIONS = ("32-true", "bf16-mixed", "16-mixed")


def fabric(device: str | None, precision: str) -> Any:
    """Lightning Fabric for a training: one device, or one for each process of ``torchrun``.

    Raises ValueError for a precision that is unknown or that the device does not have.
    """
    from lightning_fabric import Fabric  # here, so that importing this module stays quick
    from lightning_fabric.plugins.environments import LightningEnvironment, TorchElasticEnvironment

    place = torch.device(pick_device(device))
    if precision not in PRECISIONS:
        raise ValueError(
            f"The precision is '{precision}'; expected one of {', '.join(PRECISIONS)}."
        )
    if place.type == "mps":
        # In the layout channels last, which STMA's trunk takes:
        # https://github.com/pytorch/pytorch/issues/175189
        raise ValueError(
            "Apple's GPU (mps) maps but does not train: many versions of PyTorch compute wrong "
            "gradients of batch normalisation there. Take the CPU (device cpu)."
        )
    if precision == "16-mixed" and place.type == "cpu":
        raise ValueError("16-mixed needs a GPU: take 32-true or bf16-mixed on a CPU.")
    logging.getLogger("lightning_fabric").setLevel(logging.ERROR)
    settings: dict[str, Any] = dict(accelerator=place.type, precision=precision)
    if TorchElasticEnvironment.detect():
        here, processes = (int(os.environ[name]) for name in ("LOCAL_WORLD_SIZE", "WORLD_SIZE"))
        settings |= dict(devices=here, num_nodes=processes // here, strategy="ddp")
    else:  # nothing else: a session inside a SLURM job is not yet a training on its nodes
        settings |= dict(
            devices=[place.index] if place.index is not None else 1,
            plugins=[LightningEnvironment()],
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = Fabric(**settings)
        found.launch()
    return found


def adamw(device: torch.device) -> Callable[..., torch.optim.Optimizer]:
    """The optimiser of ``fit`` by default: AdamW, all weights in one pass where that runs."""
    fused = device.type in ("cpu", "cuda")
    return partial(torch.optim.AdamW, weight_decay=1e-2, fused=fused)


@contextmanager
def same_random_state(device: torch.device) -> Iterator[None]:
    """Leave PyTorch's generators as they were found, whatever is drawn or seeded meanwhile."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        yield


@contextmanager
def memory(batch: int, accumulate: int) -> Iterator[None]:
    """Say what to do where a GPU's memory is full."""
    try:
        yield
    except torch.cuda.OutOfMemoryError as error:
        advice = (
            f"a batch of {batch // 2}, or {2 * accumulate} pieces (accumulate)"
            if batch > 1
            else "smaller patches or width"
        )
        raise RuntimeError(
            f"The GPU's memory does not hold the training with a batch of {batch} patches: try "
            f"{advice}."
        ) from error


class _SumOfProcesses(torch.autograd.Function):
    """Sum of a tensor over processes.

    A loss of any process depends on it, so the gradient is summed as well.
    """

    @staticmethod
    def forward(context: Any, x: Tensor) -> Tensor:
        return _SumOfProcesses.backward(context, x)

    @staticmethod
    def backward(context: Any, x: Tensor) -> Tensor:
        x = x.clone()
        torch.distributed.all_reduce(x)
        return x


class _SharedBatchNorm(_BatchNorm):
    """Batch normalisation by the statistics of all processes' patches.

    PyTorch's SyncBatchNorm does the same on GPUs, and does not run on CPUs.
    """

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor
    momentum: float

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        total = _SumOfProcesses.apply
        axes = (0, *range(2, x.ndim))  # all but the channels
        shape = (1, -1) + (1,) * (x.ndim - 2)
        exact = x.to(self.weight.dtype)
        count = total(exact.new_tensor(x.numel() / x.shape[1]))
        mean = total(exact.sum(axes)) / count
        centred = exact - mean.view(shape)
        variance = total(centred.square().sum(axes)) / count
        with torch.no_grad():
            self.num_batches_tracked += 1
            # Without a momentum the running statistics are plain means, as PyTorch has it.
            share = self.momentum or 1 / float(self.num_batches_tracked)
            self.running_mean.lerp_(mean, share)
            self.running_var.lerp_(variance * count / (count - 1), share)
        scale = self.weight * (variance + self.eps).rsqrt()
        return (centred * scale.view(shape) + self.bias.view(shape)).to(x.dtype)


class SharedBatchNorm1d(_SharedBatchNorm, nn.BatchNorm1d):
    """A batch normalisation of series, shared by all processes."""


class SharedBatchNorm2d(_SharedBatchNorm, nn.BatchNorm2d):
    """A batch normalisation of images, shared by all processes."""


SHARED: dict[type, type] = {
    nn.BatchNorm1d: SharedBatchNorm1d,
    nn.BatchNorm2d: SharedBatchNorm2d,
}


@contextmanager
def shared_batch_norm(model: Network, processes: int) -> Iterator[None]:
    """Let batch normalisations use the statistics of the whole batch, shared by processes."""
    own = {module: type(module) for module in model.modules() if type(module) in SHARED}
    if processes == 1:
        own = {}
    for norm, kind in own.items():
        norm.__class__ = SHARED[kind]
    try:
        yield
    finally:
        for norm, kind in own.items():
            norm.__class__ = kind
