"""Train STMA, and keep what was trained together with all that is needed to use it: scaling, legend, dates, versions."""

import json
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
import xarray as xr
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch.utils.data import DataLoader
from tqdm import tqdm

import stma_nb
from stma_nb.cube import Crop, legend, refuse_existing
from stma_nb.model import STMA
from stma_nb.patches import IGNORE, PatchDataset, Scaling


@dataclass
class Trained:
    """A trained network and the facts of its training that a map needs.

    ``history`` has one entry an epoch: loss, validation loss, share of validation pixels classified correctly.
    """

    model: STMA
    scaling: Scaling
    crops: tuple[Crop, ...]
    times: np.ndarray
    history: list[dict[str, float]] = field(default_factory=list)


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
) -> Trained:
    """Train a network on patches: AdamW, a learning rate that warms up and then falls, loss of both heads.

    The loss is ``(1 - aux_weight) * main + aux_weight * auxiliary`` cross-entropy over all classes, background included (the
    paper's sum of two losses; its authors' code trains on the main loss alone). ``watch`` is called with the history after
    every epoch; without it a progress bar is drawn. ``device`` is the GPU when there is one.

    Raises ValueError if model and patches do not fit, and FloatingPointError when the loss is no longer a number.
    """
    if epochs < 1 or batch < 1:
        raise ValueError(f"epochs is {epochs} and batch {batch}; expected at least 1 each.")
    crops = legend(train.season)
    a = model.arguments
    for name, wanted in (("dates", train.season.sizes["time"]), ("patch", train.patch), ("classes", len(crops))):
        if a[name] != wanted:
            raise ValueError(f"The network was built for {name}={a[name]}, the patches have {wanted}: build STMA({name}={wanted}).")
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(seed)
    model.to(device)
    batches = DataLoader(train, batch, shuffle=True, drop_last=len(train) > batch)
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=1e-2)
    steps = epochs * len(batches)
    warm_up = max(1, steps // 20)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: min((step + 1) / warm_up, (1 - step / (steps + 1)) ** 0.9))
    trained = Trained(model, train.scaling, crops, train.season.time.values)
    bar = tqdm(total=steps, unit=" batches", file=sys.stdout, disable=watch is not None)
    for epoch in range(1, epochs + 1):
        model.train()
        losses = []
        for number, (x, y) in enumerate(batches, start=1):
            if (y == IGNORE).all():
                continue  # windows without data teach nothing
            main, aux = model(x.to(device))
            loss = (1 - aux_weight) * _cross_entropy(main, y.to(device)) + aux_weight * _cross_entropy(aux, y.to(device))
            if not torch.isfinite(loss):
                raise FloatingPointError(
                    f"The loss is {loss.item()} at batch {number} of epoch {epoch}: lower the rate, or look for bad values."
                )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            losses.append(loss.item())
            bar.update()
        if not losses:
            raise ValueError("The training patches hold no labelled data: choose another split, or another area.")
        trained.history.append({"epoch": epoch, "loss": float(np.mean(losses))} | validate(model, valid, batch))
        last = trained.history[-1]
        bar.set_postfix_str(f"epoch {epoch}: loss {last['loss']:.2f}, validation accuracy {last['accuracy']:.3f}")
        if watch:
            watch(trained.history)
    bar.close()
    model.eval()
    return trained


def _cross_entropy(logits: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(logits, y, ignore_index=IGNORE)


@torch.inference_mode()
def validate(model: STMA, valid: PatchDataset, batch: int = 8) -> dict[str, float]:
    """Mean loss of the main head and share of pixels classified correctly over patches (pixels without data left out)."""
    model.eval()
    device = next(model.parameters()).device
    loss, right, count = 0.0, 0, 0
    for x, y in DataLoader(valid, batch):
        main, y = model(x.to(device))[0], y.to(device)
        known = y != IGNORE
        loss += F.cross_entropy(main, y, ignore_index=IGNORE, reduction="sum").item()
        right += (main.argmax(1) == y)[known].sum().item()
        count += known.sum().item()
    if not count:
        raise ValueError("The validation patches hold no labelled data: choose another split, or another area.")
    return {"valid_loss": loss / count, "accuracy": right / count}


# -------------------------------------------------------------------------------------------------------- checkpoints


def save(trained: Trained, path: str | Path, overwrite: bool = False) -> Path:
    """Write weights as safetensors with a JSON header (arguments, scaling, legend, dates, history, versions), atomically."""
    path = Path(path)
    refuse_existing(path, overwrite)
    header = {
        "arguments": trained.model.arguments,
        "scaling": trained.scaling._asdict(),
        "legend": trained.crops,
        "dates": np.datetime_as_string(trained.times, unit="s").tolist(),
        "history": trained.history,
        "versions": {"stma_nb": stma_nb.__version__, "torch": torch.__version__, "python": platform.python_version()},
    }
    weights = {name: value.detach().cpu().contiguous() for name, value in trained.model.state_dict().items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        save_file(weights, part, metadata={"stma_nb": json.dumps(header)})
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path


def load(path: str | Path) -> Trained:
    """Read what ``save`` wrote. Nothing is unpickled. Raises FileNotFoundError, or ValueError for another or a damaged file."""
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There are no weights at '{path}': train them with 'python -m stma_nb train'.")
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {})["stma_nb"])
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a dict)
    except SafetensorError as error:
        raise ValueError(f"'{path.name}' is not a safetensors file, or it is truncated: copy or train it again.") from error
    except KeyError as error:
        raise ValueError(f"'{path.name}' is a safetensors file, but not one of stma_nb: use one that train wrote.") from error
    try:
        model = STMA(**header["arguments"])
        model.load_state_dict(weights)
        scaling = Scaling(*(tuple(header["scaling"][key]) for key in ("mean", "std")))
        crops = tuple(Crop(*crop) for crop in header["legend"])
        times = np.array(header["dates"], "datetime64[ns]")
        return Trained(model.eval(), scaling, crops, times, header["history"])
    except (KeyError, TypeError, RuntimeError) as error:
        raise ValueError(
            f"'{path.name}' is a safetensors file, but not one of stma_nb (or of another version of it): use one that train wrote."
        ) from error


def check_dates(trained: Trained, season: xr.Dataset, tolerance: int = 15, any_dates: bool = False) -> None:
    """Raise ValueError unless a season has the network's number of dates at the same time of year, within ``tolerance`` days.

    The year may differ: mapping another year is a fair question, another calendar is a mistake. ``any_dates`` asks for the number
    of dates only.
    """
    times = season.time.values
    if len(times) != len(trained.times):
        raise ValueError(
            f"The season has {len(times)} dates, the network was trained on {len(trained.times)}: "
            "choose or composite the same dates, or train on these."
        )
    days = (season.time.dt.dayofyear.values - xr.DataArray(trained.times, dims="time").dt.dayofyear.values + 183) % 366 - 183
    worst = int(np.abs(days).argmax())
    if not any_dates and abs(days[worst]) > tolerance:
        raise ValueError(
            f"Date {worst + 1} of the season is {np.datetime_as_string(times[worst], 'D')}, the network was trained with "
            f"{np.datetime_as_string(trained.times[worst], 'D')} there ({abs(days[worst])} days apart in the year): "
            "choose the same calendar, train on these dates, or allow it (any_dates, --any-dates)."
        )
