"""What does a random split add to a score? Notebook 03's experiment, repeated over scenes.

    python tests/benchmarks/leakage_study.py [--seeds 5]

About 5 minutes a seed on two cores. Writes data/leakage_study.json.

A seed is a scene of the sample season's kind, with its own fields, speckle, split and initial
weights. Its left part (448 x 325 pixels) is divided in three ways; the right part (107 columns) is
kept untouched. Every method learns from each division with the same budget, maps the whole scene
once, and is scored by that division's own protocol and on the untouched part.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import rasterio
import torch

from stma_nb import accuracy, course, cube, patches, predict, simulate, train
from stma_nb.model import STMA
from stma_nb.patches import TEST, TRAIN

WORK, UNTOUCHED = np.s_[:, :325], np.s_[:, 341:]  # the 16 columns between them are used by nobody
PATCH = 32


def divisions(season, seed: int) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """By name: windows of PATCH pixels, the mask of pixels that train, and the mask that the
    protocol scores.
    """
    left = season.isel(x=slice(325))
    shape, parcel = left.crop.shape, left.parcel.values
    pixels = patches.random_pixels(shape, seed=seed)
    windows, tested = patches.published_windows(shape, PATCH, seed=seed)
    blocks = patches.block_split(
        shape, block=80, buffer=8, seed=seed, parcel=parcel, crop=left.crop.values
    )
    parts = {
        "random pixels": (patches.corners(shape, PATCH, 0.5), pixels == TRAIN, pixels == TEST),
        "random patches": (
            windows,
            patches.covered(shape, windows, PATCH),
            patches.covered(shape, tested, PATCH),
        ),
        "blocks": (patches.windows_of(blocks, TRAIN, PATCH), blocks == TRAIN, blocks == TEST),
    }
    return {
        name: (w, *(np.pad(mask, ((0, 0), (0, 123))) for mask in masks))
        for name, (w, *masks) in parts.items()
    }


def untouched(season) -> np.ndarray:
    """The right part of the scene without the parcels that reach into the left one."""
    mask, parcel = np.zeros(season.crop.shape, bool), season.parcel.values
    mask[UNTOUCHED] = True
    return mask & ~(np.isin(parcel, parcel[:, :341]) & (parcel > 0))


def stma_map(
    season, windows: np.ndarray, mask: np.ndarray, seed: int, steps: int, folder: Path
) -> np.ndarray:
    """Train the compact network for some steps and map the scene with windows side by side."""
    learn = patches.PatchDataset(
        season, windows, PATCH, patches.fit_scaling(season, mask), mask, augment=True
    )
    torch.manual_seed(seed)
    network = STMA(
        dates=season.sizes["time"], patch=PATCH, classes=len(cube.legend(season)), width=16
    )
    epochs = round(steps / (len(windows) // 8))
    few = patches.PatchDataset(
        season, windows[:8], PATCH, learn.scaling, mask
    )  # fit asks for patches to validate on
    trained = train.fit(network, learn, few, epochs=epochs, seed=seed, watch=lambda history: None)
    path = predict.season_map(
        trained, season, folder / "map.tif", overlap=0, overwrite=True, progress=False
    )
    with rasterio.open(path) as tif:
        return tif.read(1)


def study(seed: int, steps: int, folder: Path) -> list[dict]:
    season = simulate.season(**course.SAMPLE | {"seed": 100 + seed}).load()
    crops, region, rows = cube.legend(season), untouched(season), []
    for split, (windows, mask, scored) in divisions(season, seed).items():
        maps = {
            "random forest": predict.season_codes(
                train.fit_forest(season, mask, seed=seed), season
            ),
            "TempCNN": predict.season_codes(train.fit_tempcnn(season, mask, seed=seed), season),
            "STMA": stma_map(season, windows, mask, seed, steps, folder),
        }
        for method, mapped in maps.items():
            row = {"seed": seed, "split": split, "method": method}
            for place, where in (("own", scored), ("untouched", region)):
                scores = accuracy.summary(
                    accuracy.error_matrix(mapped, season.crop.values, len(crops), where), crops
                )
                row |= {f"{place}: {name}": value for name, value in scores.items()}
            rows.append(row)
            print(
                seed,
                split,
                method,
                f"{row['own: overall accuracy']:.3f} {row['untouched: overall accuracy']:.3f}",
                flush=True,
            )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument(
        "--steps", type=int, default=800, help="batches of 8 patches that STMA learns from"
    )
    parser.add_argument("--output", type=Path, default=course.ROOT / "data" / "leakage_study.json")
    args = parser.parse_args()
    rows = []
    for seed in range(args.seeds):
        rows += study(seed, args.steps, course.output_folder())
        args.output.write_text(json.dumps(rows, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
