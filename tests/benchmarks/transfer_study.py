"""What is lost in another year and place, and what comes back? Notebook 11 over many networks.

    OMP_NUM_THREADS=1 python tests/benchmarks/transfer_study.py [--networks 3]

About 20 minutes of processor time. Rows are stored scene by scene, and what is stored is not done
again. Writes data/transfer_study.json.

Networks that differ in their seed learn from the sample season (2018). Each maps the held-out
blocks there, and other simulated scenes, which differ from the sample season in one thing or in
several: the year; the fields; the fields and the weather; these and the region; place and year.
There every method is scored on the same pixels: those that the last method has no labels of. A
random forest on the filtered season goes along as a rival.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy import ndimage

from stma_nb import course, cube, patches, predict, radar, simulate, train
from stma_nb.model import STMA
from stma_nb.studies.ground import scores

PATCH, FIELDS, EPOCHS = 32, 100, 22  # as many batches as in the study of rivals
HOME = course.SAMPLE["seed"]
TARGETS: dict[str, list[dict[str, Any]]] = {
    "same place, another year": [{"year": 2019}, {"year": 2021}],
    "other fields, same weather": [{"seed": 11, "place": HOME}, {"seed": 12, "place": HOME}],
    "another place": [{"seed": 11}, {"seed": 12}],
    "another place, to the north": [{"seed": 11, "region": 0.5}, {"seed": 12, "region": 0.5}],
    "another place and year": [{"seed": 11, "year": 2019}, {"seed": 12, "year": 2021}],
}


def target(changes: dict[str, Any]):
    """A scene of the sample season's kind with the same calendar of acquisitions."""
    return simulate.season(**course.sample_like(**changes)).load()


def told(changes: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in changes.items())


def score(trained: train.Trained, season, mask: np.ndarray) -> dict[str, float]:
    codes = predict.season_codes(trained, season, overlap=0.0, allow=("dates",))
    return {name: round(value, 5) for name, value in scores(codes, season, mask).items()}


def split(season) -> np.ndarray:
    return patches.block_split(
        season.crop.shape,
        **course.SAMPLE_SPLIT,
        parcel=season.parcel.values,
        crop=season.crop.values,
    )


def learn(season, parts: np.ndarray, seed: int, vary) -> train.Trained:
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
    return train.fit(network, data, valid, epochs=EPOCHS, seed=seed, watch=lambda history: None)


def labelled_fields(season, seed: int) -> np.ndarray:
    """Pixels of some fields, by lot, and of the background around them, as someone who visits
    fields would label them.
    """
    numbers = np.unique(season.parcel.values)[1:]
    fields = np.isin(
        season.parcel.values, np.random.default_rng(seed).choice(numbers, FIELDS, replace=False)
    )
    return fields | ndimage.binary_dilation(fields, iterations=10) & (season.parcel.values == 0)


def fine_tuned(trained, season, labelled: np.ndarray, seed: int) -> train.Trained:
    """The network with adapted batch norms, after a few epochs on the labelled pixels of the
    target.
    """
    windows = np.array(
        [
            (r, c)
            for r, c in patches.corners(season.crop.shape, PATCH)
            if labelled[r : r + PATCH, c : c + PATCH].mean() > 0.1
        ]
    )
    data = patches.PatchDataset(season, windows, PATCH, trained.scaling, labelled, augment=True)
    few = patches.PatchDataset(season, windows[:8], PATCH, trained.scaling, labelled)
    adapted = train.adapt_batch_norm(trained, season)
    return train.fit(
        adapted.model, data, few, epochs=8, rate=3e-4, seed=seed, watch=lambda history: None
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", type=int, default=3)
    parser.add_argument("--output", type=Path, default=course.ROOT / "data" / "transfer_study.json")
    args = parser.parse_args()
    rows = json.loads(args.output.read_text(encoding="utf-8")) if args.output.exists() else []
    source = cube.open_season(course.sample_season()).load()
    parts, filtered = split(source), radar.quegan_yu(source)
    test, levels, times = parts == patches.TEST, train.date_levels(source), source.time.values
    jittered = (
        patches.turn,
        lambda power, labels, rng: patches.jitter(power, labels, rng, times, 12.0),
    )

    wanted = [("held-out blocks", "home")]
    wanted += [(where, told(scene)) for where, scenes in TARGETS.items() for scene in scenes]

    def note(seed: int, where: str, scene: str, found: dict[str, dict[str, float]]) -> None:
        for method, row in found.items():
            names = {"network": seed, "where": where, "scene": scene, "method": method}
            rows.append(names | row)
            print(*names.values(), *row.values(), flush=True)
        args.output.write_text(json.dumps(rows, indent=0) + "\n", encoding="utf-8")

    def stored(seed: int, where: str, scene: str) -> bool:
        names = {"network": seed, "where": where, "scene": scene}
        return any(names.items() <= row.items() for row in rows)

    for seed in range(args.networks):
        if all(stored(seed, *names) for names in wanted):
            continue
        plain = learn(source, parts, seed, True)
        varied = learn(source, parts, seed, jittered)
        forest = train.fit_forest(filtered, parts == patches.TRAIN, seed=seed)
        if not stored(seed, "held-out blocks", "home"):
            found = {
                "forest, Quegan-Yu": score(forest, filtered, test),
                "as trained": score(plain, source, test),
                "trained with date jitter": score(varied, source, test),
            }
            note(seed, "held-out blocks", "home", found)
        for where, scenes in TARGETS.items():
            for changes in scenes:
                scene = told(changes)
                if stored(seed, where, scene):
                    continue
                season = target(changes)
                labelled = labelled_fields(season, season.attrs["seed"])
                moved = train.shift_calendar(season, train.align(plain, season)[0])
                tuned = fine_tuned(plain, moved, labelled, seed)
                runs = {
                    "forest, Quegan-Yu": (forest, radar.quegan_yu(season)),
                    "as trained": (plain, season),
                    "trained with date jitter": (varied, season),
                    "date levels": (plain, train.match_levels(season, levels)),
                    "batch norm": (train.adapt_batch_norm(plain, season), season),
                    "batch norm + calendar": (train.adapt_batch_norm(plain, moved), moved),
                    f"the same + {FIELDS} labelled fields": (tuned, moved),
                }
                found = {name: score(*run, ~labelled) for name, run in runs.items()}
                note(seed, where, scene, found)


if __name__ == "__main__":
    main()
