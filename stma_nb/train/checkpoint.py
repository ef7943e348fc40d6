"""Keep a network: when it is trained, with all that a map needs; while it learns, with all that
going on needs.
"""

import json
import os
import platform
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

import stma_nb
from stma_nb.cube import Crop
from stma_nb.files import refuse_existing
from stma_nb.model import STMA
from stma_nb.patches import Scaling


@dataclass
class Trained:
    """A trained network and the facts of its training that a map needs.

    ``history`` has one entry an epoch; ``train.fit`` says what is in it.
    """

    model: STMA
    scaling: Scaling
    crops: tuple[Crop, ...]
    times: np.ndarray
    history: list[dict[str, float]] = field(default_factory=list)


def _replace(path: Path, write: Callable[[Path], None]) -> None:
    """Write a file beside ``path`` and move it there when it is whole: who reads or is killed
    meanwhile finds the old one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        write(part)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


# -------------------------------------------------------------------------------- a trained network


def save(trained: Trained, path: str | Path, overwrite: bool = False) -> Path:
    """Write weights as safetensors with a JSON header (arguments, scaling, legend, dates, history,
    versions), atomically.
    """
    path = Path(path)
    refuse_existing(path, overwrite)
    header = {
        "arguments": trained.model.arguments,
        "scaling": trained.scaling._asdict(),
        "legend": trained.crops,
        "dates": np.datetime_as_string(trained.times, unit="s").tolist(),
        "history": trained.history,
        "versions": {
            "stma_nb": stma_nb.__version__,
            "torch": torch.__version__,
            "python": platform.python_version(),
        },
    }
    weights = {
        name: value.detach().cpu().contiguous()
        for name, value in trained.model.state_dict().items()
    }
    _replace(path, lambda part: save_file(weights, part, metadata={"stma_nb": json.dumps(header)}))
    return path


def load(path: str | Path) -> Trained:
    """Read what ``save`` wrote. Nothing is unpickled.

    Raises FileNotFoundError, or ValueError for another or a damaged file.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"There are no weights at '{path}': train them with 'python -m stma_nb train'."
        )
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {})["stma_nb"])
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a dict)
    except SafetensorError as error:
        raise ValueError(
            f"'{path.name}' is not a safetensors file, or it is truncated: copy or train it again."
        ) from error
    except KeyError as error:
        raise ValueError(
            f"'{path.name}' is a safetensors file, but not one of stma_nb: use one that train "
            "wrote."
        ) from error
    try:
        model = STMA(**header["arguments"])
        model.load_state_dict(weights)
        scaling = Scaling(*(tuple(header["scaling"][key]) for key in ("mean", "std")))
        crops = tuple(Crop(*crop) for crop in header["legend"])
        times = np.array(header["dates"], "datetime64[ns]")
        return Trained(model.eval(), scaling, crops, times, header["history"])
    except (KeyError, TypeError, RuntimeError) as error:
        raise ValueError(
            f"'{path.name}' is a safetensors file, but not one of stma_nb (or of another version "
            "of it): use one that train wrote."
        ) from error


def check_dates(
    trained: Trained, season: xr.Dataset, tolerance: int = 15, any_dates: bool = False
) -> None:
    """Raise ValueError unless a season has the network's number of dates at the same time of year,
    within ``tolerance`` days.

    The year may differ: mapping another year is a fair question, another calendar is a mistake.
    ``any_dates`` asks for the number of dates only.
    """
    times = season.time.values
    if len(times) != len(trained.times):
        raise ValueError(
            f"The season has {len(times)} dates, the network was trained on {len(trained.times)}: "
            "choose or composite the same dates, or train on these."
        )
    days = (
        season.time.dt.dayofyear.values
        - xr.DataArray(trained.times, dims="time").dt.dayofyear.values
        + 183
    ) % 366 - 183
    worst = int(np.abs(days).argmax())
    if not any_dates and abs(days[worst]) > tolerance:
        raise ValueError(
            f"Date {worst + 1} of the season is {np.datetime_as_string(times[worst], 'D')}, the "
            "network was trained with "
            f"{np.datetime_as_string(trained.times[worst], 'D')} there ({abs(days[worst])} days "
            "apart in the year): "
            "choose the same calendar, train on these dates, or allow it (any_dates, --any-dates)."
        )


# ------------------------------------------------------------------------------ a training half-way


def write_state(path: Path, state: dict[str, Any]) -> None:
    """Write the state of a training, atomically.

    Raises OSError, with the last good checkpoint left in place.
    """

    def write(part: Path) -> None:
        with open(part, "wb") as file:
            torch.save({"stma_nb": stma_nb.__version__} | state, file)
            file.flush()
            os.fsync(
                file.fileno()
            )  # on the disk before the old one goes, so that a power cut costs nothing either

    try:
        _replace(path, write)
    except (OSError, RuntimeError) as error:
        reason: BaseException = error
        while (
            reason.__context__
        ):  # PyTorch's writer hides the first error, say a full disk, behind its own
            reason = reason.__context__
        kept = "the last good one is kept" if path.exists() else "there is none yet"
        raise OSError(
            f"The checkpoint '{path}' could not be written ({reason}); {kept}: make room, then "
            "resume."
        ) from error


def read_state(path: Path, arguments: dict[str, Any]) -> dict[str, Any]:
    """Read what ``write_state`` wrote, and make sure that it belongs to a training with these
    ``arguments``.

    Only tensors and plain values are unpickled. Raises ValueError for a foreign or truncated file
    and for other arguments.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        kept = state["arguments"]
    except Exception as error:  # what a damaged file raises depends on where it is damaged
        raise ValueError(
            f"'{path}' is not a checkpoint of stma_nb, or it is truncated: delete it, and train "
            "from the start."
        ) from error
    for name, now in arguments.items():
        if kept.get(name) != now:
            raise ValueError(
                f"The checkpoint '{path}' was made with {name}={kept.get(name)}, now {name}={now}: "
                "resume with the same arguments, or delete it to train from the start."
            )
    return state
