"""Five methods at the same job: how long to train, how fast to map, how much memory?

    python tests/benchmarks/methods.py

About six minutes of processor time. Writes data/methods.json.

Each method learns from the training blocks of the sample season, a network from as many batches as
in the study of rivals, and maps a scene of 640 x 640 pixels. It does so in a fresh process with one
thread. Time is that of the processor, so that other work on the machine counts little; speckle
filtering is part of it where the method filters. How right the methods are stands in
data/rivals_study.json.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from stma_nb import course, cube, simulate

METHODS = ("forest, Quegan-Yu", "boosting, Quegan-Yu", "TempCNN", "U-Net", "STMA")
SIDE = 640  # pixels of 10 m


def measure(method: str, scene: Path) -> dict[str, float]:
    """Processor seconds of training, km² mapped in one, and peak memory (MB) of this process."""
    import torch

    from stma_nb import patches, predict
    from stma_nb.studies import ground

    torch.set_num_threads(1)
    season = cube.open_season(course.sample_season()).load()
    parts = patches.block_split(
        season.crop.shape,
        **course.SAMPLE_SPLIT,
        parcel=season.parcel.values,
        crop=season.crop.values,
    )
    windows = patches.windows_of(parts, patches.TRAIN, ground.PATCH)
    place = ground.Ground(season, parts == patches.TRAIN, windows, {})
    see, fit = ground.METHODS[method]
    region = cube.open_season(scene)
    trained, learning = ground.learn(see, fit, place, seed=0)
    start = time.process_time()
    output = scene.with_suffix(".tif")
    predict.season_map(trained, see(region), output, overwrite=True, progress=False)
    mapping = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "training (CPU s)": round(learning, 2),
        "mapping (km² per CPU s)": round((SIDE * 0.01) ** 2 / mapping, 3),
        "peak memory (MB)": round(peak),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--method", choices=METHODS, help="measure one method in this process")
    parser.add_argument("--scene", type=Path, help="the season to map, with --method")
    args = parser.parse_args()
    if args.method:
        print(json.dumps(measure(args.method, args.scene)))
        return
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        made = course.SAMPLE | {"size": (SIDE, SIDE), "seed": 3, "place": course.SAMPLE["seed"]}
        scene = cube.save_season(simulate.season(**made), Path(folder) / "scene.zarr")
        for method in METHODS:
            run = subprocess.run(
                [sys.executable, __file__, "--method", method, "--scene", scene],
                env=os.environ | {"OMP_NUM_THREADS": "1"},
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            rows[method] = json.loads(run.stdout.splitlines()[-1])
            print(method, rows[method], flush=True)
    (course.ROOT / "data" / "methods.json").write_text(
        json.dumps(rows, indent=1) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
