"""What every study shares: a simulated scene with its parts, the methods, and their scores."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
import xarray as xr

from stma_nb import accuracy, course, cube, patches, predict, radar, simulate, train
from stma_nb.model import STMA
from stma_nb.patches import TEST, TRAIN
from stma_nb.train.unet import UNet

PATCH, BATCH = 32, 8
STEPS = 800  # batches that a network learns from on the land of the sample season
LEFT, RIGHT = 325, 341  # columns: the part that learns ends, the part that nobody touches begins
FIRST_SEED = 100  # scenes of studies have other fields than the sample season

Row = dict[str, Any]


class Job(NamedTuple):
    """What is to be measured: names that tell the row from others, and what makes its numbers."""

    names: Row
    make: Callable[[], Row]


class Ground(NamedTuple):
    """Where a method learns, and where it is scored."""

    season: xr.Dataset
    learns: np.ndarray  # pixels (y, x) that may train
    windows: np.ndarray  # corners (n, 2) of the windows that do
    places: dict[str, np.ndarray]  # pixels (y, x) to score, by name
    steps: int = STEPS


def scene(seed: int, **changes: Any) -> xr.Dataset:
    """A scene of the sample season's kind, wider by a part to be kept apart: (448, 576) pixels."""
    made = course.SAMPLE | {"seed": FIRST_SEED + seed, "size": (448, 576)} | changes
    return simulate.season(**made).load()


def kept_apart(season: xr.Dataset, first: int = RIGHT) -> np.ndarray:
    """The columns from ``first`` on, without the parcels that reach beyond: nobody learns there."""
    parcel = season.parcel.values
    mask = np.zeros(parcel.shape, bool)
    mask[:, first:] = True
    return mask & ~(np.isin(parcel, parcel[:, :first]) & (parcel > 0))


def divide(season: xr.Dataset, split: str, seed: int) -> Ground:
    """The left part of a ``scene``, divided by a rule; the right part is scored as "next door"."""
    left = season.isel(x=slice(LEFT))
    shape, crop, parcel = left.crop.shape, left.crop.values, left.parcel.values
    if split == "random pixels":
        parts = patches.random_pixels(shape, seed=seed)
        windows = patches.corners(shape, PATCH, 0.5)
        learns, tested = parts == TRAIN, parts == TEST
    elif split == "random patches":
        windows, side_by_side = patches.published_windows(shape, PATCH, seed=seed)
        learns = patches.covered(shape, windows, PATCH)
        tested = patches.covered(shape, side_by_side, PATCH)
    else:
        parts = patches.block_split(shape, 80, buffer=8, seed=seed, parcel=parcel, crop=crop)
        windows = patches.windows_of(parts, TRAIN, PATCH)
        learns, tested = parts == TRAIN, parts == TEST
    rest = ((0, 0), (0, season.sizes["x"] - LEFT))
    return Ground(
        season,
        np.pad(learns, rest),
        windows,
        {"own rule": np.pad(tested, rest), "next door": kept_apart(season)},
    )


# ------------------------------------------------------------------------------------------ methods


def fit_network(
    model: train.Network,
    ground: Ground,
    seed: int,
    augment: Any = True,
    batch: int = BATCH,
    **options: Any,
) -> train.Trained:
    """Train a network for the steps of the ground; no validation decides anything."""
    patch = model.arguments["patch"]
    scaling = patches.fit_scaling(ground.season, ground.learns)
    learn = patches.PatchDataset(
        ground.season, ground.windows, patch, scaling, ground.learns, augment=augment
    )
    few = patches.PatchDataset(ground.season, ground.windows[:8], patch, scaling, ground.learns)
    epochs = max(1, round(ground.steps / max(1, len(ground.windows) // batch)))
    return train.fit(
        model, learn, few, epochs, batch, seed=seed, watch=lambda history: None, **options
    )


def network(kind: Callable[..., torch.nn.Module], ground: Ground, seed: int, **more: Any) -> Any:
    """A network of a kind, of the sizes that the ground asks for; the seed draws its weights."""
    torch.manual_seed(seed)
    sizes = {"patch": PATCH, "classes": len(cube.legend(ground.season))} | more
    return kind(dates=ground.season.sizes["time"], **sizes)


def fit_stma(ground: Ground, seed: int, **options: Any) -> train.Trained:
    return fit_network(network(STMA, ground, seed, width=16), ground, seed, **options)


def fit_unet(ground: Ground, seed: int, **options: Any) -> train.Trained:
    return fit_network(network(UNet, ground, seed, width=32), ground, seed, **options)


def fit_pixels(fit: Callable[..., train.Trained], ground: Ground, seed: int) -> train.Trained:
    return fit(ground.season, ground.learns, seed=seed)


def as_it_is(season: xr.Dataset) -> xr.Dataset:
    return season


See = Callable[[xr.Dataset], xr.Dataset]
Fit = Callable[[Ground, int], train.Trained]
# By name: how the method sees a season, and how it learns.
METHODS: dict[str, tuple[See, Fit]] = {
    "forest, unfiltered": (as_it_is, partial(fit_pixels, train.fit_forest)),
    "forest, boxcar": (radar.boxcar, partial(fit_pixels, train.fit_forest)),
    "forest, Quegan-Yu": (radar.quegan_yu, partial(fit_pixels, train.fit_forest)),
    "boosting, Quegan-Yu": (radar.quegan_yu, partial(fit_pixels, train.fit_boosting)),
    "TempCNN": (as_it_is, partial(fit_pixels, train.fit_tempcnn)),
    "U-Net": (as_it_is, fit_unet),
    "STMA": (as_it_is, fit_stma),
}


# ------------------------------------------------------------------------------------------- scores


def learn(see: See, fit: Fit, ground: Ground, seed: int) -> tuple[train.Trained, float]:
    """Train a method on the ground as it sees it; the network and seconds of CPU."""
    start = time.process_time()
    trained = fit(ground._replace(season=see(ground.season)), seed)
    return trained, time.process_time() - start


def learn_and_map(
    see: See, fit: Fit, ground: Ground, seed: int
) -> tuple[train.Trained, np.ndarray, float]:
    """Train a method and map the scene; the network, the codes (y, x), and seconds of CPU."""
    trained, seconds = learn(see, fit, ground, seed)
    start = time.process_time()
    codes = predict.season_codes(trained, see(ground.season))
    return trained, codes, seconds + time.process_time() - start


def scores(codes: np.ndarray, season: xr.Dataset, where: np.ndarray) -> dict[str, float]:
    """Overall accuracy with background and of crops only, mean F1 of crops, and area error.

    The last is the quantity disagreement of the crops: half the summed difference of the classes'
    shares.
    """
    crops = cube.legend(season)
    matrix = accuracy.error_matrix(codes, season.crop.values, len(crops), where)
    found = accuracy.summary(matrix, crops)
    return {
        "OA": found["overall accuracy"],
        "crops only": found["overall accuracy, crops only"],
        "F1": found["mean F1 of crops"],
        "area error": accuracy.disagreement(matrix)[0],
    }


def named(place: str, found: dict[str, float]) -> dict[str, float]:
    """Scores as they stand in a row: with the place before their names."""
    return {f"{place}: {name}": value for name, value in found.items()}


def score_all(codes: np.ndarray, ground: Ground) -> dict[str, float]:
    """``scores`` in every place of the ground, as mapped and after the vote of parcels."""
    season = ground.season
    voted = predict.parcel_vote(codes, season.parcel.values)
    row: dict[str, float] = {}
    for place, where in ground.places.items():
        row |= named(place, scores(codes, season, where))
        row |= named(f"{place}, vote", scores(voted, season, where))
    return row
