"""The published experiment and an honest one on the data that the paper used: both scores side by
side, on one page.

The same network learns in the same way from the same data by two rules of who learns and who tests
(``protocols``): that of the code released with Han et al. (2023),
https://doi.org/10.1016/j.isprsjprs.2023.11.016, and one that keeps the test apart. Or a network
that the authors' code trained is scored (``released``).
"""

import json
import math
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch
import xarray as xr
from torch.utils.flop_counter import FlopCounterMode

from stma_nb import cube, train
from stma_nb.accuracy import page
from stma_nb.experiment import protocols, released
from stma_nb.experiment.protocols import Protocol
from stma_nb.files import write_whole
from stma_nb.machine import pick_device
from stma_nb.model import STMA
from stma_nb.patches import PatchDataset, corners
from stma_nb.sources.brandenburg import open_brandenburg

RULES = {
    "brandenburg": protocols.of_brandenburg,
    "pastis": protocols.of_pastis,
    "south-africa": protocols.of_south_africa,
}
PUBLISHED = dict(patch=128, width=64, epochs=500, batch=32)
QUICK = dict(patch=32, width=8, epochs=1, batch=8)
# Of the released code, which trains on the main loss alone.
RATE = 1e-3
MAIN_LOSS = partial(train.cross_entropy, aux_weight=0.0)


def run(
    source: str,
    folder: str | Path,
    output: str | Path,
    quick: bool = False,
    weights: str | Path | None = None,
    epochs: int | None = None,
    batch: int | None = None,
    device: str | None = None,
    resume: bool = False,
) -> dict[str, dict[str, float]]:
    """Train and score by both protocols; writes ``experiment.html`` and ``.json`` into ``output``
    and returns scores by protocol.

    Args:
        source: ``"brandenburg"``, ``"pastis"`` or ``"south-africa"``; ``folder`` holds its data as
            the module in ``sources`` says.
        output: a new folder for networks and pages and, for Brandenburg, maps and their
            assessments.
        quick: a small network and few data: shows in minutes that all works, and says nothing about
            accuracy.
        weights: a state dict saved with the authors' code (Brandenburg only): nothing is trained,
            their network maps the scene with their scaling and is scored by the released protocol.
        epochs, batch: passes over the training patches (500), and patches of a step (32).
        resume: go on with an experiment that was stopped; finished protocols are not trained again.

    Raises FileExistsError if ``output`` exists (and ``resume`` is not set), ValueError for
    arguments that do not fit each other or the experiment to resume, and what readers and
    ``train.fit`` raise.
    """
    folder, output = Path(folder), Path(output)
    size = (QUICK if quick else PUBLISHED) | {
        k: v for k, v in (("epochs", epochs), ("batch", batch)) if v is not None
    }
    if min(size["epochs"], size["batch"]) < 1:
        raise ValueError(
            f"epochs is {size['epochs']} and batch {size['batch']}; expected at least 1 each."
        )
    if weights and (source != "brandenburg" or quick or epochs):
        raise ValueError(
            "Weights of the authors go with the whole Brandenburg scene and no training: leave "
            "out quick and epochs."
        )
    job = {
        "source": source,
        "folder": str(folder.resolve()),
        "weights": str(weights) if weights else None,
    } | size
    note = output / "job.json"
    if output.exists() and not resume:
        raise FileExistsError(
            f"'{output}' exists: go on with the experiment in it (resume, --resume), or give a "
            "new folder."
        )
    if output.exists() and not note.exists():
        raise ValueError(
            f"'{output}' holds no experiment to go on with: give the folder of one, or a new one."
        )
    before = _noted(note) if note.exists() else job
    if before != job:
        other = " and ".join(
            f"{key}={before.get(key)}" for key in job if before.get(key) != job[key]
        )
        raise ValueError(
            f"'{output}' holds an experiment with {other}: resume with the same arguments, or "
            "give a new folder."
        )

    if weights:
        season, trained = _authors(Path(weights), folder)
    else:
        rules = RULES[source](folder, size["patch"], quick)
        print(needs(rules, size, device), flush=True)
    output.mkdir(parents=True, exist_ok=True)
    write_whole(note, lambda part: part.write_text(json.dumps(job, indent=1), encoding="utf-8"))
    if weights:
        scores = {
            "released": protocols.map_scores(
                trained, season, output / "released", None, np.ones(season.crop.shape, bool), device
            )
        }
    else:
        scores = {
            name: p.score(_learn(p, output / name, size, device), output / name, device)
            for name, p in rules.items()
        }
    plain = {
        name: {k: None if math.isnan(v) else v for k, v in row.items()}
        for name, row in scores.items()
    }
    (output / "experiment.json").write_text(
        json.dumps({"job": job, "scores": plain}, indent=1), encoding="utf-8"
    )
    (output / "experiment.html").write_text(_page(source, scores, job, quick), encoding="utf-8")
    return scores


def _noted(note: Path) -> dict:
    """The job that a folder was begun with.

    Raises ValueError for a note that cannot be read: whether what lies there goes on is not known.
    """
    try:
        return dict(json.loads(note.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"'{note}' is damaged, so that it is not known what was begun there: give a new folder."
        ) from error


def _network(learn: train.Patches, size: dict) -> STMA:
    torch.manual_seed(0)
    return STMA(
        len(learn.times),
        size["patch"],
        classes=len(learn.crops),
        width=size["width"],
    )


def _learn(protocol: Protocol, path: Path, size: dict, device: str | None) -> train.Trained:
    """The network trained under a protocol; one that is finished is read."""
    kept, checkpoint = path.with_suffix(".safetensors"), path.with_suffix(".checkpoint")
    if not kept.exists():
        print(f"Protocol '{path.name}', {len(protocol.learn)} patches:", flush=True)
        trained = train.fit(
            _network(protocol.learn, size),
            protocol.learn,
            protocol.valid,
            size["epochs"],
            size["batch"],
            RATE,
            device=device,
            loss=MAIN_LOSS,
            checkpoint=checkpoint,
            resume=True,
        )
        train.save(trained, kept)
        checkpoint.unlink()
    return train.load(kept)


def _authors(weights: Path, folder: Path) -> tuple[xr.Dataset, train.Trained]:
    """The season scaled as released, and the network that the authors' code trained, with its
    images the right way round.
    """
    model, season = released.read_weights(weights), open_brandenburg(folder, "index")
    sizes = {"dates": season.sizes["time"], "classes": len(cube.BRANDENBURG)}
    for name, expected in sizes.items():
        if (found := model.arguments[name]) != expected:
            raise ValueError(
                f"The weights are for {found} {name}, the data have {expected}: give the weights "
                "of these data."
            )
    season, patch = released.scale(season), model.arguments["patch"]
    windows = corners(season.crop.shape, patch)
    some = PatchDataset(season, windows[:: math.ceil(len(windows) / 16)], patch, released.AS_IT_IS)
    start = time.perf_counter()
    straight, exchanged = released.orientations(model, some)
    minutes = (time.perf_counter() - start) / 2 / len(some) * len(windows) / 60
    print(
        f"In {len(some)} windows {straight:.1%} of the pixels are right, with rows and columns of "
        "the images exchanged as in the"
    )
    print(
        f"released code {exchanged:.1%}: the better way is taken. {len(windows)} windows to map: "
        f"{minutes:.2g} min on this CPU."
    )
    if exchanged > straight:
        model.register_forward_pre_hook(released.exchange)
    return season, train.Trained(model, released.AS_IT_IS, cube.BRANDENBURG, season.time.values)


# --------------------------------------------------------------------------------- before and after


def counted(model: STMA) -> tuple[float, float]:
    """Operations to train on one patch, and bytes kept for its gradients: counted on tensors
    without values.
    """
    a, kept = model.arguments, {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage()._cdata] = tensor
        return tensor

    with torch.device("meta"):
        twin, x = STMA(**a), torch.empty(1, a["dates"], a["bands"], a["patch"], a["patch"])
    with (
        FlopCounterMode(display=False) as counter,
        torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor),
    ):
        twin(x)[0].sum().backward()
    for parameter in twin.parameters():
        kept.pop(parameter.untyped_storage()._cdata, None)
    return counter.get_total_flops(), sum(
        tensor.untyped_storage().nbytes() for tensor in kept.values()
    )


def needs(rules: dict[str, Protocol], size: dict, device: str | None) -> str:
    """What training under all protocols takes, in words: operations and memory counted, and one
    patch timed on this machine.
    """
    device = pick_device(device)
    learn, batch = next(iter(rules.values())).learn, size["batch"]
    model = _network(learn, size).to(device).eval()
    operations, memory = counted(model)
    for _ in range(2):  # the first one loads and warms up
        start = time.perf_counter()
        model(learn[0][0][None].to(device))[0].sum().backward()
        grads = [p.grad for p in model.parameters() if p.grad is not None]
        grads[0].sum().item()  # waits for a GPU
        seconds = time.perf_counter() - start
    steps = size["epochs"] * sum(
        max(1, len(protocol.learn) // batch) for protocol in rules.values()
    )
    counts = " and ".join(str(len(protocol.learn)) for protocol in rules.values())
    gigabytes = (
        batch * memory + 16 * sum(p.numel() for p in model.parameters())
    ) / 1e9  # weight, gradient and two moments
    total = steps * batch * operations
    return (
        f"Training under the protocols {' and '.join(rules)}: {counts} patches of "
        f"{len(learn.times)} dates and "
        f"{size['patch']} x {size['patch']} pixels, {size['epochs']} epochs, {steps} steps of "
        f"{batch} patches.\n"
        f"Counted: {total:.1e} operations, {total / 20e12 / 3600:.2g} h on a GPU that sustains 20 "
        "Tflop/s, with more than "
        f"{gigabytes:.2g} GB of memory.\n"
        f"Timed: {seconds:.2g} s to read and learn a patch on this machine ({device}), "
        f"{steps * batch * seconds / 3600:.2g} h in all.\nThese are estimates; validation and "
        "maps come on top."
    )


def _page(source: str, scores: dict[str, dict[str, float]], job: dict, quick: bool) -> str:
    return page.render(
        "experiment/experiment.html.j2",
        source=source,
        scores=scores,
        names=dict.fromkeys(name for row in scores.values() for name in row),
        job=job,
        quick=quick,
    )
