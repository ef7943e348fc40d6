"""Map a scene of the published size, killed once on the way: time and peak memory.

    python tests/benchmarks/full_scene.py FOLDER

It needs 6 GB in FOLDER and about 20 minutes on two cores. Writes data/full_scene.json.

The scene is simulated: 3731 x 5095 pixels, 41 dates. The network is the course's compact one,
untrained, since neither time nor memory depend on its weights. Started again with the same folder,
it goes on.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import torch

from stma_nb import course, cube, patches, train
from stma_nb.model import STMA


def map_scene(
    scene: Path, weights: Path, output: Path, kill_after: float | None = None
) -> tuple[float, float]:
    """Run the map command, and kill it after some seconds; returns seconds of its processor and
    peak memory (MB).
    """
    job = subprocess.Popen(
        [sys.executable, "-m", "stma_nb", "map", weights, scene, output],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    start = time.monotonic()
    while kill_after and job.poll() is None and time.monotonic() - start < kill_after:
        time.sleep(1)
    if kill_after:
        job.kill()
    _, _, used = os.wait4(job.pid, 0)
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main() -> None:
    folder = Path(sys.argv[1])
    scene, weights, output = folder / "big.zarr", folder / "compact.safetensors", folder / "map.tif"
    if not scene.exists():
        simulate = ["data", "simulate", scene, "--size", "3731", "5095", "--dates", "41"]
        subprocess.run([sys.executable, "-m", "stma_nb", *simulate], check=True)
    season = cube.open_season(scene)
    if not weights.exists():
        torch.manual_seed(0)
        crops = cube.legend(season)
        scaling = patches.fit_scaling(season.isel(x=slice(512), y=slice(512)))
        network = STMA(dates=season.sizes["time"], patch=32, classes=len(crops), width=16)
        train.save(train.Trained(network, scaling, crops, season.time.values), weights)
    runs = [map_scene(scene, weights, output, kill_after=120), map_scene(scene, weights, output)]
    seconds, peaks = zip(*runs, strict=True)
    rows, columns = season.sizes["y"], season.sizes["x"]
    found = {
        "rows": rows,
        "columns": columns,
        "dates": season.sizes["time"],
        "season GB": 2 * season.vh.nbytes / 1e9,
        "map finished after a kill": output.exists(),
        "CPU minutes": sum(seconds) / 60,
        "km² per CPU s": rows * columns * 1e-4 / sum(seconds),
        "peak MB": max(peaks),
    }
    print(json.dumps(found, indent=1))
    (course.ROOT / "data" / "full_scene.json").write_text(
        json.dumps(found, indent=1) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
