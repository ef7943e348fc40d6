"""How far a training is, and where that is kept, so that one that was stopped goes on."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from torch import Tensor

from stma_nb.files import refuse_existing, write_whole
from stma_nb.train.checkpoint import is_state, read_state, write_state


@dataclass
class Progress:
    """How far a training is: what going on needs beside weights and optimiser."""

    epoch: int = 1  # the one that runs, or comes next
    batch: int = 0  # batches of it that are done
    step: int = 0  # steps of the optimiser since the start
    seconds: float = 0.0  # of this epoch
    losses: list[float] = field(default_factory=list)  # of this epoch
    history: list[dict[str, float]] = field(default_factory=list)
    best: dict[str, Any] | None = None  # epoch, valid_loss and model; only with patience

    def waited_too_long(self, patience: int | None) -> bool:
        """Whether the validation loss has not fallen for more than ``patience`` epochs."""
        if not (patience and self.best):
            return False
        return self.epoch - self.best["epoch"] > patience

    def end_epoch(self, scores: dict[str, float], rate: float, seconds: float) -> None:
        """Note the epoch in the history, and be ready for the next."""
        loss = sum(self.losses) / len(self.losses)
        entry = {"epoch": self.epoch, "loss": loss, **scores, "rate": rate, "seconds": seconds}
        self.history.append(entry)
        self.epoch += 1
        self.batch = 0
        self.losses = []
        self.seconds = 0.0

    def keep_if_best(self, model: dict[str, Tensor]) -> None:
        """Keep the weights of the last epoch if its validation loss is the lowest so far."""
        last = self.history[-1]
        if self.best is None or last["valid_loss"] < self.best["valid_loss"]:
            self.best = {"epoch": last["epoch"], "valid_loss": last["valid_loss"], "model": model}


@dataclass
class Record:
    """The files in which a training is kept: its history as a CSV, its state as a checkpoint.

    ``recipe`` is what a training that goes on must have in common with the one that stopped.
    Without files, or on any but the first process (``active`` false), nothing is written.
    """

    log: Path | None
    checkpoint: Path | None
    recipe: dict[str, Any]
    active: bool

    def check(self, resume: bool, overwrite: bool) -> None:
        """Raise FileExistsError if a file is there that this training may not overwrite.

        What is no log or no checkpoint of a training is never overwritten.
        """
        if not self.active:
            return
        stopped = self.checkpoint if self.checkpoint and self.checkpoint.exists() else None
        if self.log and self.log.exists():
            if not _is_log(self.log):
                raise FileExistsError(
                    f"'{self.log}' is no log of a training and is left as it is: choose another "
                    "name."
                )
            refuse_existing(self.log, overwrite=overwrite or (resume and stopped is not None))
        if stopped and overwrite and not resume and not is_state(stopped):
            raise FileExistsError(
                f"'{stopped}' is no checkpoint of a training and is left as it is: move it away."
            )
        if stopped and not (resume or overwrite):
            raise FileExistsError(
                f"'{stopped}' holds a training that was stopped: go on (resume, --resume), or "
                "delete it first."
            )

    def clear(self) -> None:
        """Remove the files of a training before, as ``check`` allowed it."""
        for file in (self.log, self.checkpoint):
            if file and self.active:
                file.unlink(missing_ok=True)

    def restore(self) -> tuple[Progress, dict[str, Any]] | None:
        """Progress and state in the checkpoint; None if there is none yet."""
        if not (self.checkpoint and self.checkpoint.exists()):
            return None
        state = read_state(self.checkpoint, self.recipe)
        return Progress(**{f.name: state[f.name] for f in fields(Progress)}), state

    def keep(self, progress: Progress, learned: dict[str, Any]) -> None:
        """Write the checkpoint; ``learned`` are the states of model, optimiser and loss scaling."""
        if self.checkpoint and self.active:
            write_state(self.checkpoint, vars(progress) | learned | {"arguments": self.recipe})

    def write_log(self, progress: Progress) -> None:
        if self.log and self.active:
            table = pd.DataFrame(progress.history)
            write_whole(self.log, lambda part: table.to_csv(part, index=False))


def _is_log(file: Path) -> bool:
    """Whether a file begins like a log of a training, or is empty."""
    with open(file, "rb") as raw:
        return raw.read(11) in (b"", b"epoch,loss,")


def name_of(function: Callable) -> str:
    """The name of a function, and what was set in it: two that differ are told apart."""
    if isinstance(function, partial):
        return f"{name_of(function.func)} {function.keywords}"
    return str(getattr(function, "__name__", repr(function)))
