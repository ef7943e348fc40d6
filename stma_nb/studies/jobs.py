"""The studies themselves: each yields jobs, a job makes one row, and a stopped study goes on."""

import json
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from stma_nb import course, patches, predict, radar
from stma_nb.files import write_whole
from stma_nb.model import STMA
from stma_nb.patches import add_speckle, turn
from stma_nb.studies import real, variants
from stma_nb.studies.ground import (
    METHODS,
    PATCH,
    Fit,
    Ground,
    Job,
    Row,
    See,
    as_it_is,
    divide,
    fit_network,
    fit_stma,
    fit_unet,
    kept_apart,
    learn,
    learn_and_map,
    named,
    network,
    scene,
    score_all,
    scores,
)
from stma_nb.train import cross_entropy


def run(
    study: str,
    seeds: int | None = None,
    output: str | Path | None = None,
    tell: Callable[[str], object] = print,
) -> list[Row]:
    """Run a study and store its rows as JSON after every job; what is stored is not done again.

    Each of ``STUDIES`` has its number of seeds (scenes); ``output`` is by default the file in
    ``data/`` that the notebooks read. Raises ValueError for an unknown study and for a file that is
    none of its results.
    """
    if study not in STUDIES:
        raise ValueError(f"There is no study '{study}'; expected one of {', '.join(STUDIES)}.")
    jobs, usual = STUDIES[study]
    path = Path(output) if output else course.ROOT / "data" / f"{study}_study.json"
    rows = read(path, study) if path.exists() else []
    for seed in range(usual if seeds is None else seeds):
        for job in jobs(seed):
            names = {"study": study, "seed": seed} | job.names
            if any(names.items() <= row.items() for row in rows):
                continue
            row = names | {name: _rounded(value) for name, value in job.make().items()}
            rows.append(row)
            text = json.dumps(rows, indent=0) + "\n"
            write_whole(path, partial(Path.write_text, data=text, encoding="utf-8"))
            shown = ", ".join(f"{v}" for v in job.names.values())
            tell(f"{study}, scene {seed}, {shown}: {_brief(row)}")
    return rows


def read(path: str | Path, study: str) -> list[Row]:
    """The rows of a study that was stored. Raises ValueError for another file."""
    try:
        rows = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"'{path}' is not JSON ({error}): name another output.") from error
    if not isinstance(rows, list) or any(
        not isinstance(row, dict) or row.get("study") != study for row in rows
    ):
        raise ValueError(
            f"'{path}' does not hold rows of the study '{study}': name another output."
        )
    return rows


def _rounded(value: Any) -> Any:
    return round(value, 5) if isinstance(value, float) else value


def _brief(row: Row) -> str:
    names = ("OA", "crops only", "F1")
    shown = {name: row.get(f"next door: {name}", row.get(name)) for name in names}
    return ", ".join(f"{name} {value:.3f}" for name, value in shown.items() if value is not None)


# ------------------------------------------------------------------------------------------- rivals


@lru_cache(maxsize=6)
def _scene(seed: int, changes: tuple[tuple[str, Any], ...] = ()) -> xr.Dataset:
    return scene(seed, **dict(changes))


def rivals(seed: int) -> Iterator[Job]:
    """Every method on blocks; two of them on the splits that flatter; and all of them elsewhere."""
    season = _scene(seed)
    for split in ("blocks", "random patches", "random pixels"):
        for method, (see, fit) in METHODS.items():
            if split == "blocks":
                make = partial(_here_and_elsewhere, see, fit, season, seed)
            elif method in ("forest, Quegan-Yu", "STMA"):
                make = partial(_divided, see, fit, season, split, seed)
            else:
                continue
            yield Job({"split": split, "method": method}, make)


def _divided(see: See, fit: Fit, season: xr.Dataset, split: str, seed: int) -> Row:
    ground = divide(season, split, seed)
    _, codes, seconds = learn_and_map(see, fit, ground, seed)
    return score_all(codes, ground) | {"CPU seconds": seconds}


def _here_and_elsewhere(see: See, fit: Fit, season: xr.Dataset, seed: int) -> Row:
    """The scores of the scene, and next door in another year, region, and with dates missing."""
    ground = divide(season, "blocks", seed)
    trained, codes, seconds = learn_and_map(see, fit, ground, seed)
    row = score_all(codes, ground) | {"CPU seconds": seconds}
    for place, other in _elsewhere(seed).items():
        mapped = predict.season_codes(trained, see(other))
        row |= named(place, scores(mapped, other, kept_apart(other)))
    return row


@lru_cache(maxsize=1)
def _elsewhere(seed: int) -> dict[str, xr.Dataset]:
    """The scene as the trained methods have not seen it."""
    in_2021 = tuple(course.sample_like(year=2021)["dates"])
    season = _scene(seed)
    gaps = season.copy(deep=True)
    missing = np.random.default_rng(seed).permutation(np.arange(1, season.sizes["time"] - 1))[:4]
    for band in ("vv", "vh"):
        gaps[band].values[missing] = np.nan
    return {
        "another year": _scene(seed, (("year", 2021), ("dates", in_2021))),
        "to the north": _scene(seed, (("region", 0.5),)),
        "four dates missing": radar.fill_gaps(gaps, longest="72D"),
    }


# --------------------------------------------------------------------------------------------- land

SIDE = 1792  # pixels of the largest square, sixteen times the sample scene
LAND = {0.25: (224, 400), 1: (448, 800), 4: (896, 2400), 16: (SIDE, 5400)}  # side (pixels), steps


@lru_cache(maxsize=1)
def _large_scene(seed: int) -> xr.Dataset:
    return scene(seed, size=(SIDE, SIDE + 16 + 256))


def land(seed: int) -> Iterator[Job]:
    """More and more land of one large scene to learn from; scored on a strip that is kept apart."""
    for times, (side, steps) in LAND.items():
        for method in ("forest, Quegan-Yu", "boosting, Quegan-Yu", "U-Net", "STMA"):
            yield Job(
                {"land": times, "method": method}, partial(_on_land, seed, side, steps, method)
            )


def _on_land(seed: int, side: int, steps: int, method: str) -> Row:
    whole = _large_scene(seed)
    apart = whole.isel(x=slice(SIDE, None))
    # The square that learns lies at the middle of the strip's height, so that all are as near.
    first = (SIDE - side) // 2
    near = whole.isel(y=slice(first, first + side), x=slice(SIDE - side, SIDE))
    learns = np.ones(near.crop.shape, bool)
    ground = Ground(near, learns, patches.corners(learns.shape, PATCH, 0.5), {}, steps)
    see, fit = METHODS[method]
    trained, seconds = learn(see, fit, ground, seed)
    # Fields that reach into the strip from the land that learns are not scored.
    tested = kept_apart(whole, SIDE + 16)[:, SIDE:]
    there = Ground(apart, tested, ground.windows, {"next door": tested})
    return score_all(predict.season_codes(trained, see(apart)), there) | {"CPU seconds": seconds}


# -------------------------------------------------------------------- parts, recipes, quick, shapes

CHANGES: dict[str, Callable[[STMA], STMA]] = {
    "no temporal attention": variants.without_temporal,
    "no spatial attention": variants.without_spatial,
    "no cross-attention": variants.without_cross,
    "no attention": variants.without_attention,
    "no LSAPE": variants.without_lsape,
    "softmax for cosine": variants.with_softmax,
}


def parts(seed: int) -> Iterator[Job]:
    """STMA and the U-Net, each with one thing taken away or added.

    As they are, they stand in the rows of ``rivals``: the same scenes, splits and steps.
    """

    def changed(change: Callable[[STMA], STMA]) -> Fit:
        return lambda ground, seed: fit_network(
            change(network(STMA, ground, seed, width=16)), ground, seed
        )

    def of_kind(kind: Callable, width: int) -> Fit:
        return lambda ground, seed: fit_network(
            network(kind, ground, seed, width=width), ground, seed
        )

    alone = partial(cross_entropy, aux_weight=0)
    fits: dict[str, Fit] = {
        **{f"STMA, {name}": changed(change) for name, change in CHANGES.items()},
        "STMA, no auxiliary loss": partial(fit_stma, loss=alone),
        "STMA with detail": of_kind(variants.DetailSTMA, 16),
        "U-Net, coarse": of_kind(variants.CoarseUNet, 32),
        "U-Net, date by date": of_kind(variants.DateByDateUNet, 32),
    }
    yield from _variations(fits, seed)


def recipes(seed: int) -> Iterator[Job]:
    """Other ways of training, for STMA and the U-Net alike."""
    fresh = (turn, partial(add_speckle, enl=20.0))
    smooth = partial(cross_entropy, label_smoothing=0.1)
    fits: dict[str, Fit] = {}
    for name, fit in (("STMA", fit_stma), ("U-Net", fit_unet)):
        fits |= {
            f"{name}, cosine schedule": partial(fit, schedule="cosine"),
            f"{name}, label smoothing": partial(fit, loss=smooth),
            f"{name}, fresh speckle": partial(fit, augment=fresh),
            f"{name}, twice the steps": partial(_of_length, 2.0, fit),
        }
    yield from _variations(fits, seed)


def quick(seed: int) -> Iterator[Job]:
    """Half the steps, with the rate in one cycle up to five times the usual one."""
    fits: dict[str, Fit] = {}
    for name, fit in (("STMA", fit_stma), ("U-Net", fit_unet)):
        cycle = partial(fit, rate=1e-2, schedule="one-cycle")
        fits[f"{name}, one cycle, half the steps"] = partial(_of_length, 0.5, cycle)
    yield from _variations(fits, seed)


def _of_length(times: float, fit: Fit, ground: Ground, seed: int) -> Any:
    return fit(ground._replace(steps=round(times * ground.steps)), seed)


def shapes(seed: int) -> Iterator[Job]:
    """STMA with other patches and other widths; every step sees as many pixels."""
    fits: dict[str, Fit] = {
        f"STMA, patch {patch}, width {width}": partial(_of_shape, patch, width)
        for patch, width in ((16, 16), (64, 16), (32, 8), (32, 32))
    }
    yield from _variations(fits, seed)


def _of_shape(patch: int, width: int, ground: Ground, seed: int) -> Any:
    part = np.where(ground.learns, np.uint8(patches.TRAIN), np.uint8(patches.UNUSED))
    windows = patches.windows_of(part, patches.TRAIN, patch)
    model = network(STMA, ground, seed, patch=patch, width=width)
    batch = max(2, 8 * PATCH**2 // patch**2)
    return fit_network(model, ground._replace(windows=windows), seed, batch=batch)


def _variations(fits: dict[str, Fit], seed: int) -> Iterator[Job]:
    for name, fit in fits.items():
        yield Job({"method": name}, partial(_divided, as_it_is, fit, _scene(seed), "blocks", seed))


# A study's jobs by seed, and how many seeds it has by default.
STUDIES: dict[str, tuple[Callable[[int], Iterator[Job]], int]] = {
    "rivals": (rivals, 5),
    "land": (land, 2),
    "parts": (parts, 3),
    "recipes": (recipes, 2),
    "quick": (quick, 5),
    "shapes": (shapes, 2),
    "real": (real.real, 5),
}
