"""Is what notebook 09 finds a matter of luck? Its tests on networks that differ in seed alone.

    python tests/benchmarks/attention_study.py [--seeds 5]

About 90 s a seed on two cores. Writes data/attention_study.json.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from stma_nb import attention, course, cube, patches, train
from stma_nb.model import STMA

CROPS = ("Wheat", "Maize", "Grassland", "Rapeseed")


def study(season, parts: np.ndarray, seed: int, epochs: int) -> dict:
    """Train one network and test its attention; numbers by name, and attention and occlusion by
    date.
    """
    scaling = patches.fit_scaling(season, parts == patches.TRAIN)
    learn, valid = (
        patches.PatchDataset(
            season,
            patches.windows_of(parts, p, 32),
            32,
            scaling,
            parts == p,
            augment=p == patches.TRAIN,
        )
        for p in (patches.TRAIN, patches.VALID)
    )
    torch.manual_seed(seed)
    network = STMA(dates=season.sizes["time"], patch=32, classes=len(cube.legend(season)), width=16)
    trained = train.fit(network, learn, valid, epochs=epochs, seed=seed, watch=lambda history: None)
    windows, mask = patches.windows_of(parts, patches.TEST, 32, overlap=0), parts == patches.TEST
    control = attention.record(attention.randomised(trained, seed=seed + 100), season, windows)
    received, random = (
        attention.by_date(maps).mean(("level", "head"))
        for maps in (attention.record(trained, season, windows), control)
    )
    occluded = attention.occlude_dates(trained, season, windows, mask=mask).loss_increase
    truth = attention.true_separability(season, *CROPS).mean("pair")
    orders = {"attention": received.mean("window"), "occlusion": occluded.mean("window")}
    curve = attention.deletion_curve(trained, season, windows, orders, mask=mask).accuracy.mean(
        "deleted"
    )
    test = patches.PatchDataset(season, windows, 32, scaling, mask=mask)
    right = {
        name: train.validate(
            attention.uniform_attention(trained, branches).model if branches else trained.model,
            test,
        )["accuracy"]
        for name, branches in {
            "as trained": (),
            "equal over dates": ("temporal",),
            "equal over pixels": ("spatial",),
        }.items()
    }
    return {
        "seed": seed,
        "accuracy": right["as trained"],
        "attention and occlusion": attention.rank_agreement(received, occluded)["rho"],
        "attention and truth": attention.rank_agreement(received, truth)["rho"],
        "occlusion and truth": attention.rank_agreement(occluded, truth)["rho"],
        "trained and random weights": attention.rank_agreement(received, random)["rho"],
        "equal weights over dates": right["equal over dates"] - right["as trained"],
        "equal weights over pixels": right["equal over pixels"] - right["as trained"],
        "deletion by attention": float(curve.sel(order="attention")),
        "deletion by occlusion": float(curve.sel(order="occlusion")),
        "deletion at random": float(curve.sel(order="random")),
        "attention by date": received.mean("window").values.tolist(),
        "occlusion by date": occluded.mean("window").values.tolist(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=10, help="as notebook 09")
    parser.add_argument(
        "--output", type=Path, default=course.ROOT / "data" / "attention_study.json"
    )
    args = parser.parse_args()
    season = cube.open_season(course.sample_season()).load()
    parts = patches.block_split(
        season.crop.shape,
        **course.SAMPLE_SPLIT,
        parcel=season.parcel.values,
        crop=season.crop.values,
    )
    rows = []
    for seed in range(args.seeds):
        rows.append(study(season, parts, seed, args.epochs))
        print(
            ", ".join(
                f"{name} {value:.3g}"
                for name, value in rows[-1].items()
                if not isinstance(value, list)
            ),
            flush=True,
        )
        args.output.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
