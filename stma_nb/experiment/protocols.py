"""Who learns and who tests on the data of the paper: by the rule of the released code, and by an
honest one.

Both protocols of a data set hand the same network its patches and score it, and differ in nothing
else. ``released``: what the code released with Han et al. (2023) does with Brandenburg. Windows
that overlap by half are drawn from the whole scene, a random 60 % of them learn, and the test
windows stand side by side over the same scene. Whether the paper's figures were measured exactly so
is not known; for PASTIS-R and South Africa that code holds no rule, and this one is carried over.
The honest one keeps the test apart: ``blocks`` of the scene with a buffer (Brandenburg), the
official ``folds`` (PASTIS-R), ``tiles`` in blocks (South Africa).
"""

import warnings
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import rasterio
import torch
import xarray as xr
from torch.utils.data import DataLoader

from stma_nb import accuracy, cube, patches, predict, train
from stma_nb.experiment import released
from stma_nb.machine import pick_device
from stma_nb.patches import IGNORE, TEST, TRAIN, UNUSED, VALID, PatchDataset, corners, fit_scaling
from stma_nb.sources import brandenburg, pastis, south_africa
from stma_nb.sources.series import FilePatches

# Patches and tiles with dates of their own are brought to a calendar of as many dates as the
# paper's scene has.
DATES = 41
QUICK_DATES, QUICK_SIDE, QUICK_FILES = (
    6,
    256,
    2,
)  # dates; pixels from the middle of a scene; patches or tiles of a part


class Protocol(NamedTuple):
    """Who learns, who validates, and how a network trained so is scored: ``score(trained, path,
    device)``, numbers by name.

    Files that scoring makes have the name ``path`` with a suffix.
    """

    learn: train.Patches
    valid: train.Patches
    score: Callable[[train.Trained, Path, str | None], dict[str, float]]


def _scores(matrix: np.ndarray, new: np.ndarray, crops: Sequence[cube.Crop]) -> dict[str, float]:
    """Scores of the test pixels, with the matrix ``new`` of those that no training window holds."""
    return accuracy.summary(matrix, crops) | {
        "test pixels": float(matrix.sum()),
        "share of them trained on": float(1 - new.sum() / matrix.sum()),
        "overall accuracy, pixels not trained on": accuracy.overall_accuracy(new),
    }


# ------------------------------------------------------------------------------------ a whole scene


def of_brandenburg(folder: Path, patch: int, quick: bool) -> dict[str, Protocol]:
    season = brandenburg.open_brandenburg(folder, "index")
    if quick:
        first = (max(0, (n - QUICK_SIDE) // 2) for n in season.crop.shape)
        season = season.isel(
            {axis: slice(i, i + QUICK_SIDE) for axis, i in zip(("y", "x"), first, strict=True)}
        ).load()
    shape = season.crop.shape
    parts = patches.block_split(shape, 3 * patch, buffer=patch // 8, crop=season.crop.values)
    windows, _ = patches.published_windows(shape, patch)
    valid = patches.windows_of(parts, VALID, patch)

    def protocol(
        learn: np.ndarray, own: np.ndarray, tested: np.ndarray, block: int | None = None
    ) -> Protocol:
        """From the windows that learn, the pixels that may train, and those that test (rows,
        columns).
        """
        scaling = fit_scaling(season, own)
        data = (
            PatchDataset(season, learn, patch, scaling, own),
            PatchDataset(season, valid, patch, scaling, parts == VALID),
        )
        return Protocol(
            *data,
            lambda trained, path, device: map_scores(
                trained, season, path, own, tested, device, block
            ),
        )

    return {
        "released": protocol(windows, patches.covered(shape, windows, patch), np.ones(shape, bool)),
        "blocks": protocol(
            patches.windows_of(parts, TRAIN, patch), parts == TRAIN, parts == TEST, 3 * patch
        ),
    }


def map_scores(
    trained: train.Trained,
    season: xr.Dataset,
    path: Path,
    learned: np.ndarray | None,
    tested: np.ndarray,
    device: str | None,
    block: int | None = None,
) -> dict[str, float]:
    """Map the scene, write its assessment as a page, and score the pixels ``tested``.

    Those ``learned`` were trained on. ``block`` is the side of the split's blocks, if it has any. A
    map that is there is not made again. Files beside ``path``: .tif, .html, .json, and what the
    page was made from.
    """
    crop, crops = season.crop.values, trained.crops
    mapped_tif, page_html, *rasters = (
        path.with_name(path.name + end) for end in (".tif", ".html", "_crop.tif", "_tested.tif")
    )
    for file, values in zip(rasters, (crop, tested), strict=True):
        with rasterio.open(
            file, "w", **cube.geotiff_profile(season) | {"dtype": "uint8", "count": 1}
        ) as tif:
            tif.write(values.astype(np.uint8), 1)
            if values is crop:
                cube.write_legend(tif, crops)
    if not mapped_tif.exists():
        predict.season_map(trained, season, mapped_tif, overlap=0, device=device)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Intervals: ")  # the page tells it
        accuracy.assess(
            mapped_tif, rasters[0], page_html, where_path=rasters[1], overwrite=True, block=block
        )
    with cube.open_geotiff(mapped_tif) as tif:
        mapped = tif.read(1)

    def matrix(where: np.ndarray) -> np.ndarray:
        return accuracy.error_matrix(mapped, crop, len(crops), where)

    whole = matrix(tested)
    scores = (
        accuracy.summary(whole, crops)
        if learned is None
        else _scores(whole, matrix(tested & ~learned), crops)
    )
    if tested.all():  # the released protocol
        strip = patches.unfilled(crop.shape, trained.model.arguments["patch"])
        right = np.trace(matrix(~strip)) + strip.sum()
        scores["overall accuracy, unfilled strip as released"] = float(
            right / (matrix(~strip).sum() + strip.sum())
        )
    return scores


# -------------------------------------------------------------------------------- patches and tiles


def of_pastis(folder: Path, patch: int, quick: bool) -> dict[str, Protocol]:
    data = pastis.open_pastis(
        folder, (1, 2, 3, 4, 5), dates=QUICK_DATES if quick else DATES, scaling=released.AS_IT_IS
    )
    fold_of, _ = pastis.metadata(folder)
    part_of = {1: TRAIN, 2: TRAIN, 3: TRAIN, 4: VALID, 5: TEST}

    def read(window: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
        name, row, column = window
        rows, columns = slice(row, row + patch), slice(column, column + patch)
        power, labels = data.read(name)
        return power[..., rows, columns], labels[..., rows, columns]

    shapes = dict.fromkeys(data.names, (pastis.SIDE, pastis.SIDE))
    return _of_files(
        "folds",
        read,
        shapes,
        {name: part_of[fold_of[name]] for name in data.names},
        data,
        patch,
        quick,
    )


def of_south_africa(folder: Path, patch: int, quick: bool) -> dict[str, Protocol]:
    shapes, bounds = {}, {}
    for name in south_africa.tiles(folder):
        with cube.open_geotiff(folder / "train" / "labels" / f"{name}.tif") as tif:
            shapes[name], bounds[name] = tif.shape, tif.bounds
    dates = QUICK_DATES if quick else DATES
    data = south_africa.open_tiles(folder, list(shapes), patch, dates, scaling=released.AS_IT_IS)
    return _of_files("tiles", data.read, shapes, tile_parts(bounds), data, patch, quick)


def tile_parts(
    bounds: dict[str, tuple[float, float, float, float]], block: int = 8, seed: int = 0
) -> dict[str, int]:
    """The part of each tile, from its left, bottom, right and top (m): blocks of 8 x 8 tiles (20
    km) learn, validate or test.

    Tiles that touch one of another part are UNUSED. Raises ValueError if the tiles lie in too few
    blocks.
    """
    left, bottom, right, _ = np.array([*bounds.values()]).T
    row, column = (
        ((edge - edge.min()) // (right - left).max()).astype(int) for edge in (bottom, left)
    )
    held = np.zeros((row.max() + 1, column.max() + 1), int)
    held[row, column] = 1
    part = patches.block_split(held.shape, block, buffer=1, seed=seed, crop=held)[row, column]
    if lacking := {TRAIN, VALID, TEST} - set(part.tolist()):
        raise ValueError(
            f"The {len(part)} tiles lie in too few blocks of {block} x {block} tiles: none is "
            "left for "
            f"{patches.PARTS[min(lacking)]}; get more tiles."
        )
    return dict(zip(bounds, part.tolist(), strict=True))


def _of_files(
    honest: str,
    read: Callable,
    shapes: dict,
    part_of: dict,
    like: FilePatches,
    patch: int,
    quick: bool,
) -> dict[str, Protocol]:
    """Protocols for files of given shapes (rows, columns) and parts; ``read((file, row, column))``
    gives a window.
    """
    calendar, crops = like.times, like.crops
    most = QUICK_FILES if quick else None
    files = {
        part: [name for name in part_of if part_of[name] == part][:most]
        for part in (UNUSED, TRAIN, VALID, TEST)
    }

    def windows(names: list, overlap: float = 0.0) -> list[tuple]:
        return [
            (name, int(row), int(column))
            for name in names
            for row, column in corners(shapes[name], patch, overlap)
        ]

    def protocol(learn: list[tuple], test: list[tuple]) -> Protocol:
        learn = FilePatches(learn, read, calendar, crops, patch)
        rest = read, calendar, crops, patch, learn.scaling
        valid = FilePatches(windows(files[VALID]), *rest)
        test = FilePatches(test, *rest)

        def score(trained: train.Trained, path: Path, device: str | None) -> dict[str, float]:
            whole, new = _window_matrices(trained, test, learn.names, shapes, device)
            return _scores(whole, new, crops)

        return Protocol(learn, valid, score)

    every = [name for names in files.values() for name in names]
    overlapping = windows(every, 0.5)
    drawn, _ = patches.random_split(np.arange(len(overlapping)))
    return {
        "released": protocol([overlapping[i] for i in drawn], windows(every)),
        honest: protocol(windows(files[TRAIN], 0.5), windows(files[TEST])),
    }


@torch.inference_mode()
def _window_matrices(
    trained: train.Trained,
    test: FilePatches,
    learned: Sequence[tuple],
    shapes: dict,
    device: str | None,
) -> np.ndarray:
    """Error matrices (2, K, K) of the test windows: of all pixels, and of those not ``learned``."""
    device = pick_device(device)
    model = trained.model.eval().to(device)
    classes = len(trained.crops)
    corners_of = defaultdict(list)
    for name, row, column in learned:
        corners_of[name].append((row, column))
    matrices = np.zeros((2, classes, classes), np.int64)
    place = iter(test.names)
    for x, y in DataLoader(test, 8):
        codes = train.main_of(model(x.to(device))).argmax(1).cpu().numpy()
        for mapped, labels in zip(codes, y.numpy(), strict=True):
            name, *corner = next(place)
            covered = patches.covered(shapes[name], np.array(corners_of[name]), test.patch)
            seen = covered[patches.window_at(corner, test.patch)]
            known = labels != IGNORE
            matrices[0] += accuracy.error_matrix(mapped, labels, classes, known)
            matrices[1] += accuracy.error_matrix(mapped, labels, classes, known & ~seen)
    return matrices
