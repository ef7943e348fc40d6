"""Keep a network: when it is trained, with all that a map needs; while it learns, with more."""

import json
import math
import os
import platform
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

import stma_nb
from stma_nb import cube
from stma_nb.cube import Crop
from stma_nb.files import refuse_existing, write_whole
from stma_nb.patches import Scaling, check_bands
from stma_nb.train.contract import Network, check_network

UNNUMBERED = "unnumbered"  # weights saved before simulated seasons bore a number
MAY_DIFFER = ("dates", "pixels", "quantity")  # what a map may be allowed to have otherwise


@dataclass
class Trained:
    """A trained network and the facts of its training that a map needs.

    ``scaling`` names the bands, ``crops`` is the legend, ``times`` (T,) are the acquisition times;
    ``history`` has one entry an epoch (``train.fit`` says what is in it); ``pixel`` is the side of
    a pixel in metres, ``quantity`` what the backscatter was ("sigma0"), None where it is unknown;
    ``simulation`` is which simulated world the season was of, None for real data.
    """

    model: Network
    scaling: Scaling
    crops: tuple[Crop, ...]
    times: np.ndarray
    history: list[dict[str, float]] = field(default_factory=list)
    pixel: float | None = None
    quantity: str | None = None
    simulation: str | None = None


def trained_on(season: xr.Dataset, model: Network, scaling: Scaling) -> Trained:
    """A network that learned from a season, ready to map, with the facts that the season states."""
    return Trained(
        model.eval(),
        scaling,
        cube.legend(season),
        season.time.values,
        pixel=cube.pixel_size(season),
        quantity=cube.quantity(season),
        simulation=cube.simulation(season),
    )


# ------------------------------------------------------------------------------- known networks

_NETWORKS: dict[str, str | Callable[..., Network]] = {
    "STMA": "stma_nb.model",
    "GradientBoosting": "stma_nb.train.forest",
    "RandomForest": "stma_nb.train.forest",
    "TempCNN": "stma_nb.train.tempcnn",
    "UNet": "stma_nb.train.unet",
}


def register(network: Callable[..., Network]) -> Callable[..., Network]:
    """Make a class of networks known to ``load`` by its name; may stand as ``@train.register``."""
    _NETWORKS[network.__name__] = network
    return network


def _network_called(name: str, file: str) -> Callable[..., Network]:
    """The class of this name: names are looked up among those known, and nothing else is run."""
    found = _NETWORKS.get(name)
    if found is None:
        raise ValueError(
            f"'{file}' holds a network {name}, which is not known here (known: "
            f"{', '.join(_NETWORKS)}): give its class, load(path, {name}), or train.register it."
        )
    return getattr(import_module(found), name) if isinstance(found, str) else found


# ---------------------------------------------------------------------------- a trained network


def save(trained: Trained, path: str | Path, overwrite: bool = False) -> Path:
    """Write weights as safetensors with a JSON header, in full or not at all.

    The header holds the name of the network's class and its arguments, scaling with bands, legend,
    dates, pixel, quantity, history and versions. Raises FileExistsError, and ValueError for a
    network that does not say what builds it again (``train.Network``).
    """
    path = Path(path)
    refuse_existing(path, overwrite)
    check_network(trained.model)
    header = {
        "network": type(trained.model).__name__,
        "arguments": trained.model.arguments,
        "scaling": trained.scaling._asdict(),
        "legend": cube.flags(trained.crops),
        "dates": np.datetime_as_string(trained.times, unit="s").tolist(),
        "pixel": trained.pixel,
        "quantity": trained.quantity,
        "simulation": trained.simulation,
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
    metadata = {"stma_nb": json.dumps(header)}
    return write_whole(path, lambda part: save_file(weights, part, metadata=metadata))


def load(path: str | Path, network: Callable[..., Network] | None = None) -> Trained:
    """Read what ``save`` wrote. Nothing is unpickled.

    Networks of this library and those that were registered are found by the name in the file; for
    any other give its class as ``network``.

    Raises FileNotFoundError, or ValueError for another, a damaged file or another network's.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"There are no weights at '{path}': train them with 'python -m stma_nb train'."
        )
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {})["stma_nb"])
            name = header["network"]
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(
            f"'{path.name}' is not a safetensors file, or it is truncated: copy or train it again."
        ) from error
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise _foreign(path) from error
    if network is None:
        network = _network_called(name, path.name)
    elif network.__name__ != name:
        raise ValueError(
            f"'{path.name}' holds the weights of a network {name}, not of {network.__name__}: "
            "give the class that was trained."
        )
    try:
        model = network(**header["arguments"])
        expected = model.state_dict()
        model.load_state_dict(weights)
        trained = Trained(
            model.eval(),
            Scaling(**{name: tuple(values) for name, values in header["scaling"].items()}),
            cube.legend(xr.Dataset({"crop": ((), 0, header["legend"])})),
            np.array(header["dates"], "datetime64[ns]"),
            header["history"],
            header["pixel"],
            header["quantity"],
            header.get("simulation", UNNUMBERED),
        )
        check_trained(trained)
    except (KeyError, TypeError, AttributeError, ArithmeticError, RuntimeError) as error:
        raise _foreign(path) from error
    for name, values in weights.items():
        if values.is_floating_point() != expected[name].is_floating_point():
            raise ValueError(
                f"'{path.name}' is damaged: its '{name}' is {values.dtype}, expected "
                f"{expected[name].dtype}. Copy it again, or train again."
            )
    return trained


def _foreign(path: Path) -> ValueError:
    return ValueError(
        f"'{path.name}' is a safetensors file, but not one of stma_nb (or of another version "
        "of it): use one that train wrote."
    )


def check_trained(trained: Trained) -> None:
    """Raise ValueError unless the parts of a trained network fit, and its numbers are numbers.

    Weights that are damaged would make a map all the same: of one class, or of none.
    """
    scaling, sizes = trained.scaling, trained.model.arguments
    found = {
        "classes": len(trained.crops),
        "dates": len(trained.times),
        "bands": len(scaling.bands),
        "means": len(scaling.mean),
        "standard deviations": len(scaling.std),
        "units": len(scaling.units),
    }
    for name, count in found.items():
        if count != (wanted := sizes.get(name, sizes["bands"])):
            raise ValueError(f"The network is for {wanted} {name}, and {count} come with it.")
    for band, mean, std in zip(scaling.bands, scaling.mean, scaling.std, strict=True):
        if not (math.isfinite(mean) and 0 < std < math.inf):
            raise ValueError(
                f"The network scales '{band}' with mean {mean} and standard deviation {std}; "
                "expected numbers, the latter above 0: the weights are damaged, train again."
            )
    infinite = {name for name, _ in trained.model.named_parameters()}  # a buffer may hold -inf
    for name, values in trained.model.state_dict().items():
        if values.isnan().any() or (name in infinite and values.isinf().any()):
            raise ValueError(
                f"The network's '{name}' holds values that are no numbers: the weights are "
                "damaged, copy them again or train again."
            )


# ------------------------------------------------------------------------- does a season fit it?


def check_fits(trained: Trained, season: xr.Dataset, allow: Collection[str] = ()) -> None:
    """Raise ValueError unless a season is of the kind that a network was trained on.

    It must have the network's bands in the same units, pixels of the same size (to a hundredth),
    the same quantity (sigma0, gamma0) and the same simulated world where both are known, and the
    same number of dates at the same time of year (``check_dates``). ``allow`` names what may
    differ: some of "dates" (another calendar, not another number), "pixels" and "quantity".
    """
    check_trained(trained)
    if isinstance(allow, str) or not set(allow) <= set(MAY_DIFFER):
        raise ValueError(f"allow is {allow!r}; expected some of {', '.join(MAY_DIFFER)}.")
    check_bands(season, trained.scaling)
    pixel, quantity = cube.pixel_size(season), cube.quantity(season)
    other = trained.pixel and pixel and abs(pixel / trained.pixel - 1) > 0.01
    if other and "pixels" not in allow:
        raise ValueError(
            f"The season has pixels of {pixel:g} m, the network was trained on "
            f"{trained.pixel:g} m: resample the season, train on such pixels, or allow it "
            "(allow=('pixels',), --any-pixels)."
        )
    known = trained.quantity and quantity
    if known and trained.quantity != quantity and "quantity" not in allow:
        raise ValueError(
            f"The season is {quantity}, the network was trained on {trained.quantity}: convert it "
            "(radar.gamma0), train on such data, or allow it (allow=('quantity',), "
            "--any-quantity)."
        )
    world = cube.simulation(season)
    if world and trained.simulation and trained.simulation != world:
        raise ValueError(
            f"The season is of the simulated world {world}, the weights are of world "
            f"{trained.simulation}, in which the same fields looked otherwise: train again on a "
            "season made by this version, or take the weights that came with it."
        )
    check_dates(trained, season, any_dates="dates" in allow)


def check_dates(
    trained: Trained, season: xr.Dataset, tolerance: int = 15, any_dates: bool = False
) -> None:
    """Raise ValueError unless a season has as many dates, each at its time of the year.

    Each may lie ``tolerance`` days from the network's. The year may differ: mapping another year is
    a fair question, another calendar is a mistake. ``any_dates`` asks for the number of dates only.
    """
    times = season.time.values
    if len(times) != len(trained.times):
        raise ValueError(
            f"The season has {len(times)} dates, the network was trained on {len(trained.times)}: "
            "choose or composite the same dates (radar.at_dates, radar.composite), or train on "
            "these."
        )
    own = season.time.dt.dayofyear.values
    learned = xr.DataArray(trained.times, dims="time").dt.dayofyear.values
    days = (own - learned + 183) % 366 - 183  # the shorter way around the year
    worst = int(np.abs(days).argmax())
    if not any_dates and abs(days[worst]) > tolerance:
        raise ValueError(
            f"Date {worst + 1} of the season is {np.datetime_as_string(times[worst], 'D')}, the "
            f"network was trained with {np.datetime_as_string(trained.times[worst], 'D')} there "
            f"({abs(days[worst])} days apart in the year): choose the same calendar, train on "
            "these dates, or allow it (allow=('dates',), --any-dates)."
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
        write_whole(path, write)
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


def is_state(path: Path) -> bool:
    """Whether a file is one that ``write_state`` wrote, as far as its beginning tells."""
    with open(path, "rb") as file:
        return file.read(4) in (b"PK\x03\x04", b"")


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
