"""Three methods at the same job: how right, how long to train, how fast to map, how much memory?

    python tests/benchmarks/methods.py

About three minutes on two cores. Writes data/methods.json.

Each method learns from the training blocks of the sample season and maps a scene of 640 x 640
pixels, in a process of its own. Time is that of the processor, so that other work on the machine
counts little. Accuracy is that of leakage_study.py (blocks, several scenes); it is read, not
measured here.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

from stma_nb import course

METHODS = ("random forest", "TempCNN", "STMA")


def measure(method: str) -> dict[str, float]:
    """Processor seconds of training, km² mapped in one, and peak memory (MB) of this process."""
    import torch

    from stma_nb import cube, patches, predict, simulate, train
    from stma_nb.model import STMA

    torch.set_num_threads(1)
    season = cube.open_season(course.sample_season()).load()
    parts = patches.block_split(
        season.crop.shape, block=112, buffer=8, seed=0, parcel=season.parcel.values
    )
    with tempfile.TemporaryDirectory() as folder:
        scene = course.SAMPLE | {"size": (640, 640), "seed": 3}
        large = cube.open_season(
            cube.save_season(simulate.season(**scene), Path(folder) / "scene.zarr")
        )
        start = time.process_time()
        if method == "STMA":
            learn, valid = (
                patches.PatchDataset(
                    season,
                    patches.windows_of(parts, part, 32),
                    32,
                    patches.fit_scaling(season, parts == patches.TRAIN),
                    parts == part,
                    augment=part == patches.TRAIN,
                )
                for part in (patches.TRAIN, patches.VALID)
            )
            network = STMA(
                dates=season.sizes["time"], patch=32, classes=len(cube.legend(season)), width=16
            )
            trained = train.fit(network, learn, valid, epochs=20, watch=lambda history: None)
        else:
            fit = {"random forest": train.fit_forest, "TempCNN": train.fit_tempcnn}[method]
            trained = fit(season, parts == patches.TRAIN)
        learned = time.process_time()
        predict.season_map(trained, large, Path(folder) / "map.tif", progress=False)
        mapped = time.process_time()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "training (CPU s)": learned - start,
        "mapping (km² per CPU s)": 6.4**2 / (mapped - learned),
        "peak memory (MB)": peak,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--method", choices=METHODS, help="measure one method in this process")
    args = parser.parse_args()
    if args.method:
        print(json.dumps(measure(args.method)))
        return
    study = pd.DataFrame(
        json.loads((course.ROOT / "data" / "leakage_study.json").read_text(encoding="utf-8"))
    )
    blocks = (
        study[study["split"] == "blocks"]
        .groupby("method")["own: overall accuracy"]
        .agg(["mean", "std"])
    )
    rows = {}
    for method in METHODS:
        run = subprocess.run(
            [sys.executable, __file__, "--method", method],
            capture_output=True,
            text=True,
            check=True,
        )
        accuracy = {
            "accuracy": blocks.loc[method, "mean"],
            "sd over scenes": blocks.loc[method, "std"],
        }
        rows[method] = accuracy | json.loads(run.stdout.splitlines()[-1])
        print(
            method,
            {name: round(float(value), 3) for name, value in rows[method].items()},
            flush=True,
        )
    (course.ROOT / "data" / "methods.json").write_text(
        json.dumps(rows, indent=1) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
