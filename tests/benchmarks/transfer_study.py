"""What is lost in another year and place, and what comes back? Notebook 11 over many networks.

    python tests/benchmarks/transfer_study.py [--networks 3]

About 10 minutes on two cores. Writes data/transfer_study.json.

Networks that differ in their seed learn from the sample season (2018). Each maps the held-out
blocks there, and other simulated scenes: another place in the same year, the same place in another
year, and both. There every method is scored on the same pixels: those that the last method has no
labels of.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from scipy import ndimage

from stma_nb import course, cube, patches, simulate, train
from stma_nb.model import STMA

PATCH, FIELDS = 32, 100
TARGETS = {
    "another place, 2018": [(2018, 11)],
    "same place, another year": [(2021, 1)],
    "another place and year": [(2019, 11), (2021, 12)],
}


def target(year: int, seed: int):
    """A scene of the sample season's kind with the same calendar in another year."""
    later = np.datetime64(f"{year}-01-01") - np.datetime64("2018-01-01")
    return simulate.season(
        **course.SAMPLE
        | {"year": year, "seed": seed, "dates": [d + later for d in course.SAMPLE["dates"]]}
    ).load()


def score(trained, season, mask=None) -> dict[str, float]:
    windows = patches.corners(season.crop.shape, PATCH)
    found = train.validate(
        trained.model, patches.PatchDataset(season, windows, PATCH, trained.scaling, mask)
    )
    return {"accuracy": found["accuracy"], "f1": found["f1"]}


def learn(season, seed: int, epochs: int, vary) -> tuple[train.Trained, np.ndarray]:
    parts = patches.block_split(
        season.crop.shape, block=112, buffer=8, seed=0, parcel=season.parcel.values
    )
    scaling = patches.fit_scaling(season, parts == patches.TRAIN)
    data, valid = (
        patches.PatchDataset(
            season, patches.windows_of(parts, p, PATCH), PATCH, scaling, parts == p, augment=v
        )
        for p, v in ((patches.TRAIN, vary), (patches.VALID, False))
    )
    torch.manual_seed(seed)
    network = STMA(
        dates=season.sizes["time"], patch=PATCH, classes=len(cube.legend(season)), width=16
    )
    return train.fit(
        network, data, valid, epochs=epochs, seed=seed, watch=lambda history: None
    ), parts == patches.TEST


def labelled_fields(season, seed: int) -> np.ndarray:
    """Pixels of some fields, by lot, and of the background around them, as someone who visits
    fields would label them.
    """
    numbers = np.unique(season.parcel.values)[1:]
    fields = np.isin(
        season.parcel.values, np.random.default_rng(seed).choice(numbers, FIELDS, replace=False)
    )
    return fields | ndimage.binary_dilation(fields, iterations=10) & (season.parcel.values == 0)


def fine_tuned(trained, season, labelled: np.ndarray, seed: int):
    """The network with adapted batch norms, after a few epochs on the labelled pixels of the
    target.
    """
    corners = patches.corners(season.crop.shape, PATCH, 0.5)
    windows = np.array(
        [(r, c) for r, c in corners if labelled[r : r + PATCH, c : c + PATCH].mean() > 0.1]
    )
    data = patches.PatchDataset(season, windows, PATCH, trained.scaling, labelled, augment=True)
    adapted = train.adapt_batch_norm(trained, season)
    return train.fit(
        adapted.model, data, data, epochs=8, rate=3e-4, seed=seed, watch=lambda history: None
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--output", type=Path, default=course.ROOT / "data" / "transfer_study.json")
    args = parser.parse_args()
    source = cube.open_season(course.sample_season()).load()
    levels, times, rows = train.date_levels(source), source.time.values, []
    jittered = (
        patches.turn,
        lambda power, labels, rng: patches.jitter(power, labels, rng, times, 12.0),
    )

    def note(seed: int, where: str, scene: str, method: str, scores: dict) -> None:
        rows.append({"network": seed, "where": where, "scene": scene, "method": method} | scores)
        print(
            seed, where, scene, method, f"{scores['accuracy']:.3f} {scores['f1']:.3f}", flush=True
        )
        args.output.write_text(json.dumps(rows, indent=0) + "\n", encoding="utf-8")

    for seed in range(args.networks):
        plain, test = learn(source, seed, args.epochs, True)
        varied, _ = learn(source, seed, args.epochs, jittered)
        for name, trained in (("as trained", plain), ("trained with date jitter", varied)):
            note(seed, "held-out blocks", "2018, 1", name, score(trained, source, test))
        for where, scenes in TARGETS.items():
            for year, place in scenes:
                season, scene = target(year, place), f"{year}, {place}"
                labelled = labelled_fields(season, place)
                moved = train.shift_calendar(season, train.align(plain, season)[0])
                runs = {
                    "as trained": (plain, season),
                    "trained with date jitter": (varied, season),
                    "date levels": (plain, train.match_levels(season, levels)),
                    "batch norm": (train.adapt_batch_norm(plain, season), season),
                    "batch norm + calendar": (train.adapt_batch_norm(plain, moved), moved),
                    f"the same + {FIELDS} labelled fields": (
                        fine_tuned(plain, moved, labelled, seed),
                        moved,
                    ),
                }
                for method, (trained, seen) in runs.items():
                    note(seed, where, scene, method, score(trained, seen, ~labelled))


if __name__ == "__main__":
    main()
