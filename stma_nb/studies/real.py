"""Methods on real fields: two Flemish squares, and French parcels, also from simulation to them.

The methods have the sizes and steps that they have in the other studies; none was tuned to these
fields, and no validation decides anything. The squares are 41 ha each, and few fields: an interval
over seeds says how much a training differs, one over blocks (``by_block``) how much the land does.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import torch
import xarray as xr

from stma_nb import accuracy, cube, patches, predict, radar, simulate, train
from stma_nb.model import STMA
from stma_nb.patches import network_input, read_window
from stma_nb.simulate import NAMES
from stma_nb.sources import samples
from stma_nb.studies.ground import (
    FIRST_SEED,
    STEPS,
    Fit,
    Ground,
    Job,
    Row,
    See,
    as_it_is,
    fit_network,
    fit_pixels,
    learn,
    network,
)
from stma_nb.train.unet import UNet

SQUARES = {"first square": "0000280849BAC91C", "second square": "000028085BF08E7E"}
SUMMER = slice("2019-03-01", "2019-10-31")  # 40 passes of one track
IN_BOTH = ("Maize", "Winter cereals", "Grassland")  # what both squares hold plenty of
PATCH = 16  # pixels of 20 m
PIXELS, BATCH = 20_000, 256  # of single pixels: at most, and in a batch
BLOCK = 8  # pixels of 20 m: 160 m
SCENE = (512, 512)  # pixels of the simulated land
YEAR = slice("2022-10-01", "2023-10-31")  # 39 ten-day means
DEGREES = 0.25  # side of a block of French parcels
FOLDS = 5
NORTH = 46.0  # degrees: the parcels lie in two regions north and south of it
STANDS = {  # of the simulation, by the class of the French parcels
    "Maize": ("maize",),
    "Winter cereals": ("winter_wheat", "winter_rye", "winter_barley"),
    "Grassland": ("grassland",),
    "Fallow": ("fallow",),
    "Rapeseed": ("rapeseed",),
    "Sunflower": ("sunflower",),
}


def real(seed: int) -> Iterator[Job]:
    """Every method on every pair of places. Raises FileNotFoundError without the samples."""
    for here, there in (("first square", "second square"), ("second square", "first square")):
        for method, (see, fit) in METHODS.items():
            names = {"task": f"Flanders: {here} to {there}", "method": method}
            yield Job(names, partial(_squares, here, there, see, fit, seed))
    for task, make in {
        "France: other blocks": partial(_within, seed, tuple(class_names())),
        "France: other blocks, six crops": partial(_within, seed, tuple(STANDS)),
        "France: north to south, six crops": partial(_southwards, seed),
        "simulation to France, six crops": partial(_from_simulation, seed),
    }.items():
        for method, fit_table in PIXELWISE.items():
            yield Job({"task": task, "method": method}, partial(make, fit_table))


def _needed(name: str) -> Path:
    folder = samples.available(name)
    if folder is None:
        raise FileNotFoundError(
            f"The study 'real' needs the sample '{name}': python -m stma_nb data samples {name}"
        )
    return folder


# ---------------------------------------------------------------------------------- Flemish squares


def fit_tempcnn(season: xr.Dataset, mask: np.ndarray, seed: int) -> train.Trained:
    """TempCNN for as many epochs as make the steps of the networks, from 15 to 100."""
    batches = max(1, min(int(mask.sum()), PIXELS) // BATCH)
    epochs = min(100, max(15, round(STEPS / batches)))
    return train.fit_tempcnn(season, mask, PIXELS, epochs, BATCH, seed=seed)


def _fit_network(kind: Callable, width: int, ground: Ground, seed: int) -> train.Trained:
    model = network(kind, ground, seed, width=width, patch=PATCH)
    return fit_network(model, ground, seed)


_forest = partial(fit_pixels, train.fit_forest)
METHODS: dict[str, tuple[See, Fit]] = {
    "forest, unfiltered": (as_it_is, _forest),
    # 3 pixels of 20 m: about the 70 m of the window of 7 in the other studies
    "forest, Quegan-Yu": (partial(radar.quegan_yu, window=3), _forest),
    "TempCNN": (as_it_is, partial(fit_pixels, fit_tempcnn)),
    "U-Net": (as_it_is, partial(_fit_network, UNet, 32)),
    "STMA": (as_it_is, partial(_fit_network, STMA, 16)),
}


@lru_cache(maxsize=2)
def square(name: str) -> xr.Dataset:
    """The summer of 2019 on a square, on the days that both have."""
    season = samples.open_flanders(_needed("flanders"), SQUARES[name])
    return season.sel(time=SUMMER)


def _squares(here: str, there: str, see: See, fit: Fit, seed: int) -> Row:
    learns, tested = square(here), square(there)
    tested = radar.at_dates(tested, learns.time.values)
    known = learns.crop.values != cube.UNKNOWN
    windows = patches.corners(known.shape, PATCH, 0.5)
    trained, seconds = learn(see, fit, Ground(learns, known, windows, {}, STEPS), seed)
    codes = predict.season_codes(trained, see(tested))
    return square_scores(codes, tested) | {"CPU seconds": seconds}


def square_scores(codes: np.ndarray, season: xr.Dataset) -> Row:
    """Accuracy on the labelled pixels, and on the crops that both squares hold plenty of."""
    crops, reference = cube.legend(season), season.crop.values
    number = [crop.name for crop in crops]
    both = [number.index(name) for name in IN_BOTH]
    matrix = accuracy.error_matrix(codes, reference, len(crops))
    of_both = matrix[:, both]
    blocks = patches.block_numbers(reference.shape, BLOCK)
    return {
        "OA": accuracy.overall_accuracy(matrix),
        "OA of three": float(matrix[both, both].sum() / of_both.sum()),
        "F1 of three": float(accuracy.by_class(matrix)["F1"][both].mean()),
        "blocks": _counted(codes, reference, blocks),
    }


def _counted(codes: np.ndarray, reference: np.ndarray, blocks: np.ndarray) -> list[list[int]]:
    """[right, labelled] of every block."""
    known = reference != cube.UNKNOWN
    right = np.bincount(blocks[known & (codes == reference)], minlength=blocks.max() + 1)
    return np.stack([right, np.bincount(blocks[known], minlength=blocks.max() + 1)], 1).tolist()


# ----------------------------------------------------------------------------------- French parcels


PIXELWISE: dict[str, Callable[..., train.Trained]] = {
    "forest": train.fit_forest,
    "boosting": train.fit_boosting,
    "TempCNN": fit_tempcnn,
}


def class_names() -> list[str]:
    """The classes of the French parcels."""
    return [crop.name for crop in samples.classes("ewoc")[1:]]


@lru_cache(maxsize=1)
def parcels() -> xr.Dataset:
    """The year of the harvest 2023, a pixel for each parcel, gaps of up to 40 days filled."""
    table = samples.open_france(_needed("france")).sel(time=YEAR)
    return radar.fill_gaps(samples.as_season(table), longest="40D")


def _of_crops(names: tuple[str, ...]) -> tuple[xr.Dataset, np.ndarray]:
    """The parcels of some crops, and the block (0, 1, ...) that each lies in."""
    table = parcels()
    number = [crop.name for crop in cube.legend(table)]
    keep = np.isin(table.crop.values[:, 0], [number.index(name) for name in names])
    table = table.isel(y=keep)
    corner = np.stack([np.floor(table[axis].values / DEGREES) for axis in ("lon", "lat")], 1)
    return table, np.unique(corner, axis=0, return_inverse=True)[1].ravel()


def classify(trained: train.Trained, table: xr.Dataset) -> np.ndarray:
    """Class codes (n,) of pixels that lie nowhere (``samples.as_season``)."""
    everything = slice(0, table.sizes["y"]), slice(0, 1)
    values = read_window(table, trained.scaling.bands, everything)
    with torch.inference_mode():
        logits = trained.model(torch.from_numpy(network_input(values, trained.scaling))[None])
    return logits[0, :, :, 0].argmax(0).numpy()


def _parcel_scores(codes: np.ndarray, table: xr.Dataset, blocks: np.ndarray) -> Row:
    reference = table.crop.values[:, 0]
    matrix = accuracy.error_matrix(codes, reference, len(cube.legend(table)))
    return {
        "OA": accuracy.overall_accuracy(matrix),
        "F1": float(accuracy.by_class(matrix)["F1"][np.unique(reference)].mean()),
        "OA in the south": float((codes == reference)[table.lat.values < NORTH].mean()),
        "blocks": _counted(codes, reference, blocks),
    }


def _within(seed: int, names: tuple[str, ...], fit: Callable[..., train.Trained]) -> Row:
    """Each fold of blocks is classified by what learned from the others."""
    table, blocks = _of_crops(names)
    fold = np.random.default_rng(seed).permutation(blocks.max() + 1)[blocks] % FOLDS
    codes = np.zeros(len(blocks), int)
    for number in range(FOLDS):
        tested = fold == number
        trained = fit(table, ~tested[:, None], seed=seed)
        codes[tested] = classify(trained, table.isel(y=tested))
    return _parcel_scores(codes, table, blocks)


def _southwards(seed: int, fit: Callable[..., train.Trained]) -> Row:
    table, blocks = _of_crops(tuple(STANDS))
    south = table.lat.values < NORTH
    trained = fit(table, ~south[:, None], seed=seed)
    table, blocks = table.isel(y=south), blocks[south]
    return _parcel_scores(classify(trained, table), table, blocks)


def _from_simulation(seed: int, fit: Callable[..., train.Trained]) -> Row:
    table, blocks = _of_crops(tuple(STANDS))
    season, mask = simulated(seed)
    trained = fit(season, mask, seed=seed)
    return _parcel_scores(classify(trained, table), table, blocks)


@lru_cache(maxsize=1)
def simulated(seed: int) -> tuple[xr.Dataset, np.ndarray]:
    """A simulated scene as ten-day means of two passes, labelled as the parcels; who may learn.

    Pixels two or more from the edge of a field of one of the six crops learn.
    """
    dates = parcels().time.values
    passes = np.sort(np.concatenate([dates + np.timedelta64(day * 24 + 17, "h") for day in (2, 7)]))
    scene = simulate.season(
        SCENE,
        list(passes),
        2023,
        FIRST_SEED + seed,
        farmland=0.9,
        parcel_hectares=2,
        balance=0.3,
    )
    season = scene[["vv", "vh"]].load().coarsen(time=2).mean(keep_attrs=True)
    crops = samples.classes("ewoc")
    code_of = np.zeros(len(NAMES), np.uint8)
    for code, crop in enumerate(crops):
        code_of[[NAMES.index(stand) for stand in STANDS.get(crop.name, ())]] = code
    crop = code_of[scene.stand.values]
    season = season.assign_coords(time=dates)
    season["crop"] = (("y", "x"), crop, cube.flags(crops))
    inner = accuracy.edge_distance(scene.parcel.values) >= 2
    return season, inner & (crop > 0)


# -------------------------------------------------------------------------------------- afterwards


def by_block(rows: list[list[list[int]]]) -> np.ndarray:
    """Error matrices (blocks, 2, 2) of right and wrong pixels, the mean over the rows of seeds.

    For ``accuracy.interval`` and ``accuracy.paired_difference`` with
    ``accuracy.overall_accuracy``: how would it be with other land of the kind?
    """
    right, counted = np.mean(np.array(rows, float), axis=0).T
    matrices = np.zeros((len(right), 2, 2))
    matrices[:, 0, 0], matrices[:, 1, 0] = right, counted - right
    return matrices
