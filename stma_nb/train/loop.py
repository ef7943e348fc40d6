"""Train a network, on one CPU, one GPU or many: the loop, and the scores of validation."""

import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Subset
from tqdm import tqdm

from stma_nb import cube
from stma_nb.patches import IGNORE
from stma_nb.train import hardware
from stma_nb.train.checkpoint import Trained
from stma_nb.train.contract import (
    Loss,
    Network,
    Patches,
    check_patches,
    check_sizes,
    device_of,
    main_of,
)
from stma_nb.train.losses import cross_entropy
from stma_nb.train.progress import Progress, Record, name_of


def _half_cosine(done: float) -> float:
    return (1 + math.cos(math.pi * done)) / 2


def _one_cycle(done: float) -> float:
    """Up from a 25th for three tenths of the training, then down as half a cosine."""
    return 0.04 + 3.2 * done if done < 0.3 else _half_cosine((done - 0.3) / 0.7)


SCHEDULES: dict[str, Callable[[float], float]] = {
    # the rate, as a share of the highest, after a share of the training
    "polynomial": lambda done: (1 - done) ** 0.9,
    "cosine": _half_cosine,
    "one-cycle": _one_cycle,
}


def fit(
    model: Network,
    train: Patches,
    valid: Patches,
    epochs: int = 20,
    batch: int = 8,
    rate: float = 2e-3,
    seed: int = 0,
    device: str | None = None,
    watch: Callable[[list[dict[str, float]]], object] | None = None,
    *,
    loss: Loss = cross_entropy,
    optimiser: Callable[..., torch.optim.Optimizer] | None = None,
    class_weights: np.ndarray | None = None,
    schedule: str = "polynomial",
    precision: str = "32-true",
    accumulate: int = 1,
    patience: int | None = None,
    workers: int = 0,
    log: str | Path | None = None,
    checkpoint: str | Path | None = None,
    every: int | None = None,
    resume: bool = False,
    overwrite: bool = False,
) -> Trained:
    """Train a network on patches, with a learning rate that warms up and then falls.

    Every random draw follows from ``seed``, epoch and step; PyTorch's generator is left as it was
    found. Under ``torchrun`` the processes share each batch, and take the same steps as one process
    would (up to rounding and dropout, which each process draws for itself).

    Args:
        model: any network that keeps the contract ``train.Network``.
        train, valid: patches that keep the contract ``train.Patches``, both of one scaling.
        epochs: passes over the training patches.
        batch: patches of one step, over all processes.
        rate: highest learning rate, reached after a twentieth of the steps (of "one-cycle", after
            three tenths).
        seed: sets the order of the patches, their variations, and dropout.
        device: ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ...; the GPU when there is one.
        watch: called with the history after every epoch; without it a progress bar is drawn.
        loss: what is made small (``train.Loss``); by default the cross-entropy of both heads over
            all classes, background included.
        optimiser: called with the parameters and ``lr=rate``; by default AdamW.
        class_weights: (K,) weight of every class in the training loss, say
            ``balanced_weights(counts)``.
        schedule: how the rate falls to zero, ``"polynomial"`` (power 0.9), ``"cosine"``, or
            ``"one-cycle"``: a long rise and half a cosine, which learns as much in fewer epochs at
            a rate some five times as high (Smith & Topin 2018, https://arxiv.org/abs/1708.07120).
        precision: ``"32-true"``, ``"bf16-mixed"`` (learns as well on the sample season), or
            ``"16-mixed"`` with scaling of the loss (GPU only).
        accumulate: compute each batch in so many pieces, to need less memory; batch normalisation
            then sees a piece at a time.
        patience: stop after so many epochs without a lower validation loss; the weights of the best
            epoch are kept.
        workers: processes that read patches ahead, in every training process.
        log: a CSV file to hold the history, a line an epoch.
        checkpoint: a file to hold the state of the training after every epoch and, with ``every``,
            after so many steps.
        resume: go on from the checkpoint if there is one; on a CPU the result is, bit for bit, that
            of a training never stopped.
        overwrite: replace a log and a checkpoint that are there; without ``resume``.

    The history has an entry an epoch: epoch, loss (mean over batches), valid_loss (cross-entropy of
    the main head, without class weights), accuracy (share of validation pixels right), f1 (mean F1
    of the crops there; the background, if the legend has one, left out), rate (the last), seconds.

    Raises ValueError if the arguments do not fit each other, patches or checkpoint, FileExistsError
    if log or checkpoint would be overwritten, OSError if a checkpoint cannot be written,
    RuntimeError when a GPU's memory is full, and FloatingPointError when the loss is no longer a
    number: model and checkpoint then hold the last good weights.
    """
    # Set-up: everything is checked before anything is begun.
    counts = dict(epochs=epochs, batch=batch, accumulate=accumulate)
    optional = dict(every=every, patience=patience)
    _check_counts(counts | {name: given for name, given in optional.items() if given is not None})
    _check_settings(rate, seed, workers, schedule)
    _check_data(model, train, valid)
    weights = _weights_of_classes(class_weights, len(train.crops))
    settings = dict(
        epochs=epochs,
        batch=batch,
        rate=rate,
        seed=seed,
        loss=name_of(loss),
        optimiser=name_of(optimiser) if optimiser else "AdamW",
        class_weights=weights.tolist(),
        schedule=schedule,
        precision=precision,
        accumulate=accumulate,
        patience=patience,
    )
    fabric = hardware.fabric(device, precision)
    _check_batch(min(batch, len(train)), fabric.world_size, accumulate)
    recipe = _recipe(model, train, valid, settings)
    record = Record(_path(log), _path(checkpoint), recipe, active=fabric.is_global_zero)
    record.check(resume, overwrite)
    make = optimiser or hardware.adamw(fabric.device)
    network, stepper = fabric.setup(model, make(model.parameters(), lr=float(rate)))
    steps = epochs * len(_order(len(train), batch, seed, epoch=1))
    run = _Run(
        model=model,
        train=train,
        valid=valid,
        batch=batch,
        accumulate=accumulate,
        seed=seed,
        workers=workers,
        loss=loss,
        class_weights=weights.to(fabric.device),
        fabric=fabric,
        network=network,
        optimiser=stepper,
        rates=rate * _rate_shares(steps, schedule),
        record=record,
        every=every,
    )
    if resume:
        run.restore()
    else:
        record.clear()
    trained = Trained(
        model,
        train.scaling,
        train.crops,
        train.times,
        run.progress.history,
        getattr(train, "pixel", None),
        getattr(train, "quantity", None),
        getattr(train, "simulation", None),
    )

    # The loop: learn, validate, keep the books.
    with run.surroundings(quiet=watch is not None):
        while run.progress.epoch <= epochs and not run.progress.waited_too_long(patience):
            run.learn_an_epoch()
            scores = run.validate()
            run.keep_books(scores, patience)
            if watch and fabric.is_global_zero:
                watch(run.progress.history)
    if patience and run.progress.best:
        model.load_state_dict(run.progress.best["model"])
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


# -------------------------------------------------------------------------------------- one epoch


@dataclass
class _Run:
    """A training that runs: what its epochs share, and how far it is.

    ``network`` and ``optimiser`` are the model's as fabric wraps them, for 16 bits and for many
    processes; ``rates`` (steps,) are those of all steps.
    """

    model: Network
    train: Patches
    valid: Patches
    batch: int
    accumulate: int
    seed: int
    workers: int
    loss: Loss
    class_weights: Tensor
    fabric: Any
    network: Any
    optimiser: Any
    rates: np.ndarray
    record: Record
    every: int | None
    progress: Progress = field(default_factory=Progress)

    def __post_init__(self) -> None:
        self.good = _copy(self.model)  # to go back to, should the loss become infinite
        self.started = time.perf_counter()  # the epoch, less what was done of it before a stop
        self.bar = tqdm(disable=True)

    @contextmanager
    def surroundings(self, quiet: bool) -> Iterator[None]:
        """What lies around the loop: a bar, and all that is set for a while and put back."""
        self.bar = tqdm(
            total=len(self.rates),
            initial=self.progress.step,
            unit=" batches",
            file=sys.stdout,
            disable=quiet or not self.fabric.is_global_zero,
        )
        listening = [data for data in (self.train, self.valid) if hasattr(data, "set_epoch")]
        with (
            self.bar,
            hardware.same_random_state(self.fabric.device),
            hardware.memory(self.batch, self.accumulate),
            hardware.shared_batch_norm(self.model, self.fabric.world_size),
        ):
            try:
                yield
            finally:
                for data in listening:
                    data.set_epoch(None)

    def learn_an_epoch(self) -> None:
        """One step of the optimiser after the other, from where the epoch was stopped."""
        progress = self.progress
        self.started = time.perf_counter() - progress.seconds
        for data in (self.train, self.valid):
            if hasattr(data, "set_epoch"):
                data.set_epoch(progress.epoch, self.seed)
        order = _order(len(self.train), self.batch, self.seed, progress.epoch)
        # Every process has its share of each batch.
        rank, processes = self.fabric.global_rank, self.fabric.world_size
        left = [some[rank::processes].tolist() for some in order[progress.batch :]]
        patches = cast(Dataset, self.train)  # torch takes all that has a length and items
        self.model.train()
        for x, y in DataLoader(patches, batch_sampler=left, num_workers=self.workers):
            progress.batch += 1
            loss = self.backward(x, y)
            if loss is None:
                continue  # windows without data teach nothing
            self.check_finite(loss, f"at batch {progress.batch} of epoch {progress.epoch}")
            self.step()
            progress.losses.append(loss)
            progress.step += 1
            progress.seconds = time.perf_counter() - self.started
            self.bar.update()
            if self.every and progress.step % self.every == 0 and progress.batch < len(order):
                self.record.keep(progress, self.state())
        if not progress.losses:
            raise ValueError(
                "The training patches hold no labelled data: choose another split, or another area."
            )

    def backward(self, x: Tensor, y: Tensor) -> float | None:
        """Gradients of the loss of a batch, and its value over all processes; None without labels.

        ``x`` and ``y`` are this process's share, computed piece by piece. The sum over the pixels
        of a piece is divided by the weight of all pixels of the whole batch, so that pieces and
        processes add up to the mean that one process would compute at once.
        """
        fabric = self.fabric
        torch.manual_seed(_mix(self.seed, self.progress.step, fabric.global_rank))  # for dropout
        x, y = x.to(fabric.device), y.to(fabric.device)
        labelled = self.class_weights[y[y != IGNORE]].sum()
        total = fabric.all_reduce(labelled, reduce_op="sum")
        if total == 0:
            return None
        value = torch.zeros((), device=fabric.device)
        pieces = zip(x.tensor_split(self.accumulate), y.tensor_split(self.accumulate), strict=True)
        for number, (part_x, part_y) in enumerate(pieces, start=1):
            last = number == self.accumulate
            with fabric.no_backward_sync(self.network, enabled=not last):
                loss = self.loss(self.network(part_x), part_y, self.class_weights) / total
                # The processes' gradients are averaged, not summed.
                fabric.backward(loss * fabric.world_size)
            value += loss.detach()
        return fabric.all_reduce(value, reduce_op="sum").item()

    def step(self) -> None:
        """Move the weights against the gradients, by the rate of this step."""
        for group in self.optimiser.param_groups:
            group["lr"] = float(self.rates[self.progress.step])
        self.optimiser.step()
        self.optimiser.zero_grad()

    def validate(self) -> dict[str, float]:
        """Scores on the validation patches, of which every process has its share."""
        fabric = self.fabric
        share = range(fabric.global_rank, len(self.valid), fabric.world_size)
        with fabric.autocast():
            patches = Subset(cast(Dataset, self.valid), share)
            matrix, loss = _errors(self.model, patches, self.batch)
        matrix = fabric.all_reduce(matrix, reduce_op="sum")
        loss = fabric.all_reduce(loss, reduce_op="sum")
        scores = _scores(matrix, loss, cube.background(self.train.crops))
        where = f"on the validation patches after epoch {self.progress.epoch}"
        self.check_finite(scores["valid_loss"], where)
        self.good = _copy(self.model)
        return scores

    def keep_books(self, scores: dict[str, float], patience: int | None) -> None:
        """Note the epoch, in memory and in the files."""
        progress = self.progress
        rate = float(self.optimiser.param_groups[0]["lr"])
        progress.end_epoch(scores, rate, time.perf_counter() - self.started)
        if patience:
            progress.keep_if_best(self.good)
        self.record.keep(progress, self.state())
        self.record.write_log(progress)
        last = progress.history[-1]
        self.bar.set_postfix_str(
            f"epoch {last['epoch']}: loss {last['loss']:.2f}, validation accuracy "
            f"{last['accuracy']:.3f}"
        )

    def check_finite(self, loss: float, where: str) -> None:
        """Give the network its last good weights, and raise, if the loss is no number any more."""
        if math.isfinite(loss):
            return
        self.model.load_state_dict(self.good)
        raise FloatingPointError(
            f"The loss is {loss} {where}: lower the rate, or look for bad values (the network has "
            "its last good weights again, those of the epoch before or of the start; a checkpoint "
            "stays as it was)."
        )

    def state(self) -> dict[str, Any]:
        """What has been learned: the states of network, optimiser and loss scaling."""
        return {
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "scaler": self.fabric.strategy.precision.state_dict(),
        }

    def restore(self) -> None:
        """Go on from the checkpoint, if there is one."""
        found = self.record.restore()
        if found is None:
            return
        self.progress, state = found
        self.record.write_log(self.progress)
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.fabric.strategy.precision.load_state_dict(state["scaler"])
        self.good = _copy(self.model)


def _order(patches: int, batch: int, seed: int, epoch: int) -> list[np.ndarray]:
    """The batches of an epoch as numbers of patches, shuffled.

    Patches that do not fill a last batch wait for another epoch.
    """
    shuffled = np.random.default_rng((seed, epoch)).permutation(patches)
    last = max(patches - batch, 0)
    return [shuffled[first : first + batch] for first in range(0, last + 1, batch)]


def _rate_shares(steps: int, schedule: str) -> np.ndarray:
    """The rate of every step, as a share of the highest: up, then down."""
    warm_up = max(1, steps // 20)
    fall = SCHEDULES[schedule]
    return np.array([min((n + 1) / warm_up, fall(n / (steps + 1))) for n in range(steps)])


def _mix(*numbers: int) -> int:
    """One seed from several numbers, far from that of other numbers."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])


# ----------------------------------------------------------------------------------------- scores


def validate(model: Network, valid: Patches, batch: int = 8) -> dict[str, float]:
    """Loss of the main head, share of pixels classified right, and mean F1 of the crops.

    Pixels without data are left out, and so is the background, if the legend has one, from the F1.
    """
    if not hasattr(valid, "crops"):
        raise ValueError(
            f"The validation patches ({type(valid).__name__}) have no 'crops', the legend that "
            "says which class is the background: add it (train.Patches)."
        )
    return _scores(*_errors(model, valid, batch), cube.background(valid.crops))


@torch.no_grad()
def _errors(model: Network, valid: Any, batch: int) -> tuple[Tensor, Tensor]:
    """Error matrix (K, K), rows map, columns reference, and the summed loss of the main head."""
    model.eval()
    device, classes = device_of(model), model.arguments["classes"]
    matrix = torch.zeros(classes**2, dtype=torch.int64, device=device)
    loss = torch.zeros((), device=device)
    for x, y in DataLoader(valid, batch):
        logits = main_of(model(x.to(device))).float()
        y = y.to(device)
        loss += F.cross_entropy(logits, y, ignore_index=IGNORE, reduction="sum")
        cells = logits.argmax(1) * classes + y
        matrix += torch.bincount(cells[y != IGNORE], minlength=classes**2)
    return matrix.view(classes, classes), loss


def _scores(matrix: Tensor, loss: Tensor, background: int | None) -> dict[str, float]:
    matrix = matrix.cpu().double()
    pixels = matrix.sum().item()
    if not pixels:
        raise ValueError(
            "The validation patches hold no labelled data: choose another split, or another area."
        )
    right, mapped, reference = matrix.diag(), matrix.sum(1), matrix.sum(0)
    f1 = 2 * right / (mapped + reference)
    present = reference > 0
    if background is not None:
        present[background] = False
    return {
        "valid_loss": loss.item() / pixels,
        "accuracy": right.sum().item() / pixels,
        "f1": f1[present].mean().item(),
    }


# ------------------------------------------------------------------------------ before a training


def _check_counts(counts: dict[str, int]) -> None:
    for name, count in counts.items():
        if count < 1:
            raise ValueError(f"{name} is {count}; expected at least 1.")


def _check_settings(rate: float, seed: int, workers: int, schedule: str) -> None:
    if not 0 < rate < math.inf:
        raise ValueError(f"The rate is {rate}; expected a number above 0, such as 0.002.")
    if seed < 0 or workers < 0:
        raise ValueError(f"seed is {seed} and workers {workers}; expected 0 or more.")
    if schedule not in SCHEDULES:
        raise ValueError(f"The schedule is '{schedule}'; expected one of {', '.join(SCHEDULES)}.")


def _check_data(model: Network, train: Patches, valid: Patches) -> None:
    check_patches(train, "training")
    check_patches(valid, "validation")
    check_sizes(model, train)
    check_sizes(model, valid)
    if valid.scaling != train.scaling:
        raise ValueError(
            "The validation patches are scaled otherwise than the training patches: give both the "
            "scaling of the training part (patches.fit_scaling)."
        )
    difference = cube.same_classes(train.crops, valid.crops)
    if difference:
        raise ValueError(
            f"Training and validation patches have other classes ({difference}): give both one "
            "legend."
        )


def _weights_of_classes(given: np.ndarray | None, classes: int) -> Tensor:
    weights = torch.ones(classes) if given is None else torch.as_tensor(given, dtype=torch.float32)
    if weights.shape != (classes,) or not (weights >= 0).all():
        raise ValueError(
            f"The class weights have shape {tuple(weights.shape)}; expected {classes} numbers, "
            "none negative."
        )
    return weights


def _check_batch(batch: int, processes: int, pieces: int) -> None:
    if batch < processes * pieces:
        raise ValueError(
            f"A batch of {batch} patches cannot be divided among {processes} processes with "
            f"{pieces} pieces each: take a larger batch, or fewer of them."
        )


def _recipe(
    model: Network, train: Patches, valid: Patches, settings: dict[str, Any]
) -> dict[str, Any]:
    """What a training has in common with the one that it resumes, as plain values."""
    recipe = settings | model.arguments | {"network": type(model).__name__}
    for name, data in (("training", train), ("validation", valid)):
        known = getattr(data, "fingerprint", None)
        recipe[name] = known() if known else f"{len(data)} patches"
    # NumPy's numbers become Python's, which is all that a checkpoint may hold.
    return json.loads(json.dumps(recipe, default=float))


def _path(file: str | Path | None) -> Path | None:
    return Path(file) if file else None


def _copy(model: Network) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}
