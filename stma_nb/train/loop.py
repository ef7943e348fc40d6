"""Train STMA, on one CPU, one GPU or many: the loop, its checkpoints and its scores."""

import hashlib
import json
import math
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, Subset
from tqdm import tqdm

from stma_nb.cube import legend
from stma_nb.files import refuse_existing
from stma_nb.model import STMA
from stma_nb.patches import IGNORE, PatchDataset
from stma_nb.train import hardware
from stma_nb.train.checkpoint import Trained, check_dates, load, read_state, save, write_state  # noqa: F401  (part of this module)

SCHEDULES = {  # the rate, as a share of the highest, after a share of the training
    "polynomial": lambda done: (1 - done) ** 0.9,
    "cosine": lambda done: (1 + math.cos(math.pi * done)) / 2,
}


def fit(
    model: STMA,
    train: PatchDataset,
    valid: PatchDataset,
    epochs: int = 20,
    batch: int = 8,
    rate: float = 2e-3,
    aux_weight: float = 0.5,
    seed: int = 0,
    device: str | None = None,
    watch: Callable[[list[dict[str, float]]], None] | None = None,
    *,
    precision: str = "32-true",
    accumulate: int = 1,
    class_weights: np.ndarray | None = None,
    schedule: str = "polynomial",
    patience: int | None = None,
    workers: int = 0,
    log: str | Path | None = None,
    checkpoint: str | Path | None = None,
    every: int | None = None,
    resume: bool = False,
) -> Trained:
    """Train a network on patches: AdamW, a learning rate that warms up and then falls, loss of both
    heads.

    The loss is ``(1 - aux_weight) * main + aux_weight * auxiliary`` cross-entropy over all classes,
    background included (the paper's sum of two losses; its authors' code trains on the main loss
    alone). Every random draw follows from ``seed``, epoch and step. Under ``torchrun`` the
    processes share each batch, and take the same steps as one process would (up to rounding and
    dropout, which each process draws for itself).

    Args: epochs: passes over the training patches. batch: patches of one step, over all processes.
        rate: highest learning rate, reached after a twentieth of the steps. device: ``"cpu"``,
        ``"cuda"``, ``"cuda:1"``, ...; the GPU when there is one. watch: called with the history
        after every epoch; without it a progress bar is drawn. precision: ``"32-true"``,
        ``"bf16-mixed"`` (learns as well on the sample season, and is faster the wider the network),
        or ``"16-mixed"`` with scaling of the loss (GPU only). accumulate: compute each batch in so
        many pieces, to need less memory; batch normalisation then sees a piece at a time.
        class_weights: (K,) weight of every class in the training loss, say
        ``balanced_weights(counts)``. schedule: how the rate falls to zero, ``"polynomial"`` (power
        0.9) or ``"cosine"``. patience: stop after so many epochs without a lower validation loss;
        the weights of the best epoch are kept. workers: processes that read patches ahead, in every
        training process. log: a CSV file to hold the history, a line an epoch. checkpoint: a file
        to hold the state of the training after every epoch and, with ``every``, after so many
        steps. resume: go on from the checkpoint if there is one; on a CPU the result is, bit for
        bit, that of a training never stopped.

    The history has an entry an epoch: epoch, loss (mean over batches), valid_loss (without class
    weights), accuracy (share of validation pixels right), f1 (mean F1 of the crops there;
    background, code 0, left out), rate (the last), seconds.

    Raises ValueError if the arguments do not fit each other, patches or checkpoint, FileExistsError
    if log or checkpoint would be overwritten, OSError if a checkpoint cannot be written,
    RuntimeError when a GPU's memory is full, and FloatingPointError when the loss is no longer a
    number: model and checkpoint then hold the last good weights.
    """
    crops = legend(train.season)
    weights = (
        torch.ones(len(crops))
        if class_weights is None
        else torch.as_tensor(class_weights, dtype=torch.float32)
    )
    fabric = hardware.fabric(device, precision)
    _check(model, train, epochs, batch, accumulate, schedule, weights, fabric.world_size)
    arguments = _arguments(
        model, train, valid, epochs=epochs, batch=batch, rate=rate, aux_weight=aux_weight, seed=seed, precision=precision,
        accumulate=accumulate, class_weights=weights.tolist(), schedule=schedule, patience=patience,
    )  # fmt: skip
    if log and fabric.is_global_zero:
        refuse_existing(Path(log), overwrite=resume)
    if checkpoint and not resume and fabric.is_global_zero and Path(checkpoint).exists():
        raise FileExistsError(
            f"'{checkpoint}' holds a training that was stopped: go on (resume, --resume), or "
            "delete it first."
        )
    fused = fabric.device.type in ("cpu", "cuda")  # all weights in one pass
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=float(rate), weight_decay=1e-2, fused=fused
    )
    network, optimiser = fabric.setup(model, optimiser)
    at = {
        "epoch": 1,
        "batch": 0,
        "step": 0,
        "losses": [],
        "seconds": 0.0,
        "history": [],
        "best": None,
    }  # how far the training is
    if checkpoint and resume and Path(checkpoint).exists():
        state = read_state(Path(checkpoint), arguments)
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        fabric.strategy.precision.load_state_dict(state["scaler"])
        at = {name: state[name] for name in at}

    def keep() -> None:
        if checkpoint and fabric.is_global_zero:
            learned = {"model": model.state_dict(), "optimiser": optimiser.state_dict()}
            write_state(
                Path(checkpoint),
                at
                | learned
                | {"scaler": fabric.strategy.precision.state_dict(), "arguments": arguments},
            )

    trained = Trained(model, train.scaling, crops, train.season.time.values, at["history"])
    weights = weights.to(fabric.device)
    good = _copy(model)
    steps = epochs * len(_order(len(train), batch, seed, epoch=1))
    warm_up = max(1, steps // 20)
    quiet = watch is not None or not fabric.is_global_zero
    bar = tqdm(total=steps, initial=at["step"], unit=" batches", file=sys.stdout, disable=quiet)
    with (
        bar,
        hardware.memory(batch, accumulate),
        hardware.shared_batch_norm(model, fabric.world_size),
    ):
        for epoch in range(at["epoch"], epochs + 1):
            if patience and at["best"] and epoch - at["best"]["epoch"] > patience:
                break
            start = time.perf_counter() - at["seconds"]
            train.seed, train.epoch = seed, epoch
            order = _order(len(train), batch, seed, epoch)
            mine = [
                patches[fabric.global_rank :: fabric.world_size] for patches in order[at["batch"] :]
            ]
            batches = DataLoader(train, batch_sampler=mine, num_workers=workers)
            model.train()
            for number, (x, y) in enumerate(batches, start=at["batch"] + 1):
                torch.manual_seed(_mix(seed, at["step"], fabric.global_rank))  # for dropout
                loss = _backward(fabric, network, x, y, weights, aux_weight, accumulate)
                if loss is None:
                    continue  # windows without data teach nothing
                _check_finite(loss, f"at batch {number} of epoch {epoch}", model, good)
                share = min(
                    (at["step"] + 1) / warm_up, SCHEDULES[schedule](at["step"] / (steps + 1))
                )
                for group in optimiser.param_groups:
                    group["lr"] = float(rate * share)
                optimiser.step()
                optimiser.zero_grad()
                at["losses"].append(loss)
                at |= {
                    "step": at["step"] + 1,
                    "batch": number,
                    "seconds": time.perf_counter() - start,
                }
                bar.update()
                if every and at["step"] % every == 0 and number < len(order):
                    keep()
            if not at["losses"]:
                raise ValueError(
                    "The training patches hold no labelled data: choose another split, or another "
                    "area."
                )

            with fabric.autocast():
                errors = _errors(
                    model,
                    Subset(valid, range(fabric.global_rank, len(valid), fabric.world_size)),
                    batch,
                )
            scores = _scores(*(fabric.all_reduce(total, reduce_op="sum") for total in errors))
            _check_finite(
                scores["valid_loss"], f"on the validation patches after epoch {epoch}", model, good
            )
            good = _copy(model)
            last = {"epoch": epoch, "loss": float(np.mean(at["losses"]))} | scores
            at["history"].append(
                last
                | {"rate": optimiser.param_groups[0]["lr"], "seconds": time.perf_counter() - start}
            )
            if patience and (at["best"] is None or scores["valid_loss"] < at["best"]["valid_loss"]):
                at["best"] = {"epoch": epoch, "valid_loss": scores["valid_loss"], "model": good}
            at |= {"epoch": epoch + 1, "batch": 0, "losses": [], "seconds": 0.0}
            if fabric.is_global_zero and log:
                pd.DataFrame(at["history"]).to_csv(log, index=False)
            keep()
            bar.set_postfix_str(
                f"epoch {epoch}: loss {last['loss']:.2f}, validation accuracy "
                f"{last['accuracy']:.3f}"
            )
            if fabric.is_global_zero and watch:
                watch(at["history"])
    if patience:
        model.load_state_dict(at["best"]["model"])
    model.eval()
    return trained


def balanced_weights(counts: np.ndarray) -> np.ndarray:
    """Class weights (K,) from pixel counts (K,): w_k = n / (m n_k), with n pixels in all and m
    classes that occur.

    Every class then counts the same in the sum of a loss, and the mean weight of a pixel is 1. A
    class that does not occur gets 1. The rule is that of scikit-learn's
    ``class_weight="balanced"``, after King & Zeng (2001), https://doi.org/10.1093/pan/9.2.137. It
    lifts the recall of rare crops and costs overall accuracy: the map shows more of them than there
    are.
    """
    counts = np.asarray(counts, float)
    return np.where(counts > 0, counts.sum() / ((counts > 0).sum() * np.maximum(counts, 1)), 1.0)


# ---------------------------------------------------------------------------------------- one batch


def _backward(
    fabric, network, x: Tensor, y: Tensor, weights: Tensor, aux_weight: float, accumulate: int
) -> float | None:
    """Gradients of the loss of a batch, piece by piece, and its value over all processes; None if
    the batch has no labels.

    ``x`` and ``y`` are this process's share. The sum over the pixels of a piece is divided by the
    weight of all pixels of the whole batch, so that pieces and processes add up to the mean that
    one process would compute at once.
    """
    x, y = x.to(fabric.device), y.to(fabric.device)
    total = fabric.all_reduce(weights[y[y != IGNORE]].sum(), reduce_op="sum")
    if total == 0:
        return None
    value = 0.0
    pieces = zip(x.tensor_split(accumulate), y.tensor_split(accumulate), strict=True)
    for number, (x, y) in enumerate(pieces, start=1):
        with fabric.no_backward_sync(network, enabled=number < accumulate):
            main, aux = (
                F.cross_entropy(z, y, weights, ignore_index=IGNORE, reduction="sum") / total
                for z in network(x)
            )
            loss = (1 - aux_weight) * main + aux_weight * aux
            fabric.backward(
                loss * fabric.world_size
            )  # the processes' gradients are averaged, not summed
        value += loss.detach()
    return fabric.all_reduce(value, reduce_op="sum").item()


def _order(patches: int, batch: int, seed: int, epoch: int) -> list[np.ndarray]:
    """The batches of an epoch as numbers of patches, shuffled; patches that do not fill a last
    batch wait for another epoch.
    """
    shuffled = np.random.default_rng((seed, epoch)).permutation(patches)
    return [
        shuffled[first : first + batch] for first in range(0, max(patches - batch, 0) + 1, batch)
    ]


def _mix(*numbers: int) -> int:
    """One seed from several numbers, far from that of other numbers."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])


# ------------------------------------------------------------------------------------------- scores


def validate(model: STMA, valid: PatchDataset, batch: int = 8) -> dict[str, float]:
    """Loss of the main head, share of pixels classified right, and mean F1 of crops (pixels without
    data left out).
    """
    return _scores(*_errors(model, valid, batch))


@torch.no_grad()
def _errors(model: STMA, valid: PatchDataset, batch: int) -> tuple[Tensor, Tensor]:
    """Error matrix (K, K), rows the map and columns the reference, and the summed loss of the main
    head.
    """
    model.eval()
    device, classes = next(model.parameters()).device, model.arguments["classes"]
    matrix, loss = (
        torch.zeros(classes**2, dtype=torch.int64, device=device),
        torch.zeros((), device=device),
    )
    for x, y in DataLoader(valid, batch):
        main, y = model(x.to(device))[0].float(), y.to(device)
        loss += F.cross_entropy(main, y, ignore_index=IGNORE, reduction="sum")
        matrix += torch.bincount((main.argmax(1) * classes + y)[y != IGNORE], minlength=classes**2)
    return matrix.view(classes, classes), loss


def _scores(matrix: Tensor, loss: Tensor) -> dict[str, float]:
    matrix = matrix.cpu().double()
    if not matrix.sum():
        raise ValueError(
            "The validation patches hold no labelled data: choose another split, or another area."
        )
    right, mapped, reference = matrix.diag(), matrix.sum(1), matrix.sum(0)
    f1 = (2 * right / (mapped + reference))[1:][reference[1:] > 0].mean()
    return {
        "valid_loss": loss.item() / matrix.sum().item(),
        "accuracy": (right.sum() / matrix.sum()).item(),
        "f1": f1.item(),
    }


# -------------------------------------------------------------------------------- before a training


def _check(model, train, epochs, batch, accumulate, schedule, weights, processes) -> None:
    if epochs < 1 or batch < 1 or accumulate < 1:
        raise ValueError(
            f"epochs is {epochs}, batch {batch} and accumulate {accumulate}; expected at least 1 "
            "each."
        )
    if schedule not in SCHEDULES:
        raise ValueError(f"The schedule is '{schedule}'; expected one of {', '.join(SCHEDULES)}.")
    crops = legend(train.season)
    if weights.shape != (len(crops),) or not (weights >= 0).all():
        raise ValueError(
            f"The class weights have shape {tuple(weights.shape)}; expected {len(crops)} numbers, "
            "none negative."
        )
    for name, wanted in (
        ("dates", train.season.sizes["time"]),
        ("patch", train.patch),
        ("classes", len(crops)),
    ):
        found = model.arguments[name]
        if found != wanted:
            raise ValueError(
                f"The network was built for {name}={found}, the patches have {wanted}: build "
                f"STMA({name}={wanted})."
            )
    if min(batch, len(train)) < processes * accumulate:
        raise ValueError(
            f"A batch of {min(batch, len(train))} patches cannot be divided among {processes} "
            f"processes with {accumulate} pieces "
            "each: take a larger batch, or fewer of them."
        )


def _arguments(model: STMA, train: PatchDataset, valid: PatchDataset, **arguments) -> dict:
    """What a training has in common with the one that it resumes, as plain values: arguments,
    network, patches.
    """

    def patches(data: PatchDataset) -> str:
        parts = (
            data.windows,
            data.mask,
            data.scaling,
            data.season.time.values,
            data.season.crop.values,
        )
        digest = hashlib.sha256(
            b"".join(np.ascontiguousarray(part).tobytes() for part in parts)
        ).hexdigest()
        return f"{len(data)} patches ({digest[:8]})"

    def name(vary: Callable) -> str:
        return (
            f"{name(vary.func)} {vary.keywords}"
            if isinstance(vary, partial)
            else getattr(vary, "__name__", repr(vary))
        )

    arguments |= model.arguments | {
        "network": type(model).__name__,
        "augment": [name(vary) for vary in train.augment],
    }
    arguments |= {"training": patches(train), "validation": patches(valid)}
    return json.loads(
        json.dumps(arguments, default=float)
    )  # NumPy's numbers become Python's, all that a checkpoint may hold


def _copy(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def _check_finite(loss: float, where: str, model: nn.Module, good: dict[str, Tensor]) -> None:
    if not math.isfinite(loss):
        model.load_state_dict(good)
        raise FloatingPointError(
            f"The loss is {loss} {where}: lower the rate, or look for bad values (the network has "
            "its last good weights again, "
            "those of the epoch before or of the start; a checkpoint stays as it was)."
        )
