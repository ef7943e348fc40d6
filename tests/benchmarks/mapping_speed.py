"""Mapping: throughput and peak memory against scene size, form of the computation and workers:
ratios of one run.

``python tests/benchmarks/mapping_speed.py [weights.safetensors]``, with weights of a network
trained on the sample season, of which the scenes are made; without them the quickstart's network
with random weights is taken, and accuracies say nothing.

The forms, on one tile of 448 pixels (the sample season):

* plain: every window by itself through the network as it was trained;
* tiles: ``tiles.TileMapper`` (what ``season_map`` does), in float32 and with the trunk in
  bfloat16;
* shared trunk: the trunk runs once over the tile and the 88 pixels around it that its features
  depend on, and windows take crops of the feature maps. A window's features then know what lies
  beyond its border, where in training there were zeros. It is not in the library: with each of four
  networks trained on the sample season accuracy on the test blocks fell (by 0.07, 0.37, 0.07 and
  0.34 points, 1.3 to 3.6 % of the labels changed), and once its wider border is counted it is no
  faster for the quickstart's network and 1.4 times for the published size. It stays here so that
  this can be measured again.

Measured in November 2026 on one thread of a busy machine, in km2 per CPU second (quickstart's
network, 18 dates): plain 4.3, tiles 15.2, tiles in bfloat16 17.9 (0.08 % of the labels changed,
accuracy the same), shared trunk 15.1. Published size, CPU seconds per window: 0.49 as trained, 0.41
in the form for inference, 0.27 in bfloat16. Peak memory in tiles of 256 pixels: 503, 585 and 627 MB
for scenes of 448, 896 and 1792 pixels a side. On the clock of two cores that did nothing else (AMD
EPYC), a scene of 1792 pixels a side in km2 per second: 14.3 in one process with one thread, 18.5
with two, 12.8 by one worker with one thread, 21.7 by two.
"""

import functools
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from distributed import Client

from stma_nb import course, cube, patches, predict, train
from stma_nb.model import STMA, upsample
from stma_nb.predict import tiles

SIDE = 448  # of the sample season
REACH = 88  # pixels: no feature of the trunk depends on anything farther away


def plain(trained, windows, patch, bands):
    """Probabilities (K, rows, columns) of a scene, window by window."""
    pieces = []
    for row, column in windows:
        values = patches.read_layers(bands, patches.window_at((row, column), patch))
        x = torch.from_numpy(patches.network_input(values, trained.scaling))[None]
        pieces.append(trained.model(x)[0].softmax(1)[0].numpy())
    return patches.stitch(pieces, windows, patch, bands[0].shape[1:])


def in_tiles(trained, windows, patch, bands, precision="float32", side=512):
    model = tiles.inference_form(trained.model, precision)
    mapper = tiles.TileMapper(model, trained.scaling, windows, None, "cpu", {"probabilities"})
    total = np.empty((model.arguments["classes"], *bands[0].shape[1:]), np.float32)
    for tile in tiles.tile_grid(bands[0].shape[1:], side):
        values = tiles.read_tile(bands, windows, patch, tile)
        total[:, *tile] = mapper.probabilities(tile, values)
    return total


def with_shared_trunk(trained, windows, patch, bands):
    """As ``in_tiles`` with one tile, of which the trunk's features are computed once, with the work
    that a tile within a larger scene needs: REACH pixels more on each side (mirrored here, and cut
    off again)."""
    model = tiles.inference_form(trained.model)
    x = torch.from_numpy(patches.network_input(np.stack(bands, axis=1), trained.scaling))
    around = np.pad(x.numpy(), ((0, 0), (0, 0), (REACH, REACH), (REACH, REACH)), mode="reflect")
    model.trunk(
        torch.from_numpy(around)[None]
    )  # the cost; the features below are those of the scene with nothing around
    levels = [level[0] for level in model.trunk(x[None])]
    pieces = []
    for some in np.array_split(windows, -(-len(windows) // 32)):
        crops = [
            torch.stack(
                [level[..., r // s : (r + patch) // s, c // s : (c + patch) // s] for r, c in some]
            )
            for level, s in zip(levels, (4, 8, 8), strict=True)
        ]
        gated = [gate(level.flatten(1, 2)) for gate, level in zip(model.lsape, crops, strict=True)]
        fused, _ = model.mca(
            *(block(level)[0] for block, level in zip(model.stsa, gated, strict=True))
        )
        pieces += list(
            upsample(model.decoder(fused + gated[2], gated[0]), patch).softmax(1).numpy()
        )
    return patches.stitch(pieces, windows, patch, bands[0].shape[1:])


@torch.inference_mode()
def compare_forms(trained, season, rounds=3):
    patch = trained.model.arguments["patch"]
    windows = patches.corners((SIDE, SIDE), patch, 0.5)
    bands = [season[name].values for name in trained.scaling.bands]
    test = (
        patches.block_split((SIDE, SIDE), block=112, buffer=8, seed=0, parcel=season.parcel.values)
        == patches.TEST
    )
    bf16 = functools.partial(in_tiles, precision="bf16")
    forms = {
        "plain": plain,
        "tiles": in_tiles,
        "tiles, bf16": bf16,
        "shared trunk": with_shared_trunk,
    }
    seconds, labels = {name: [] for name in forms}, {}
    for _ in range(rounds):
        for name, form in forms.items():
            start = time.process_time()  # of the processor: the machine is shared
            labels[name] = form(trained, windows, patch, bands).argmax(0)
            seconds[name].append(time.process_time() - start)
    for name in forms:
        right = (labels[name] == season.crop.values)[test].mean()
        median = statistics.median(seconds[name])
        speed, ratio = SIDE**2 / 1e4 / median, statistics.median(seconds["plain"]) / median
        print(
            f"{name:<13} {speed:6.2f} km2 per CPU second, {ratio:5.2f} times "
            f"plain; labels changed {(labels[name] != labels['plain']).mean():.2%}, test accuracy "
            f"{right:.2%}"
        )


MAP = """
import sys, time, torch
from stma_nb import cube, predict, train
torch.set_num_threads(1)
trained, season = train.load(sys.argv[1]), cube.open_season(sys.argv[2])
start = time.process_time()
predict.season_map(trained, season, sys.argv[3], progress=False, overwrite=True, tile=256)
peak = int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) / 1024
area = season.sizes["y"] * season.sizes["x"] / 1e4
print(f"{area / (time.process_time() - start):6.2f} km2 per CPU second, peak memory {peak:.0f} MB")
"""


def compare_workers(trained, weights, season, output, rounds=3):
    """One process with one and two threads, and one and two workers of one thread each."""
    area = season.sizes["y"] * season.sizes["x"] / 1e4
    options = dict(progress=False, overwrite=True, tile=256)

    def here(threads):
        torch.set_num_threads(threads)
        start, cpu = time.perf_counter(), time.process_time()
        predict.season_map(trained, season, output, **options)
        return time.perf_counter() - start, time.process_time() - cpu

    def on_workers(workers):
        torch.set_num_threads(1)
        with Client(n_workers=workers, threads_per_worker=1, dashboard_address=None) as client:
            client.run(train.load, weights)  # workers import what they need

            def cpu():
                return time.process_time() + sum(client.run(time.process_time).values())

            start, before = time.perf_counter(), cpu()
            predict.season_map(trained, season, output, client=client, **options)
            return time.perf_counter() - start, cpu() - before

    ways = {
        "1 thread": functools.partial(here, 1),
        "2 threads": functools.partial(here, 2),
        "1 worker of one thread": functools.partial(on_workers, 1),
        "2 workers of one thread": functools.partial(on_workers, 2),
    }
    taken = {name: [] for name in ways}
    for _ in range(rounds):  # taking turns
        for name, way in ways.items():
            taken[name].append(way())
    for name, times in taken.items():
        wall, cpu = (statistics.median(column) for column in zip(*times, strict=True))
        print(f"{name:<24} {area / wall:6.2f} km2/s, {area / cpu:6.2f} km2 per CPU second")


def main():
    torch.set_num_threads(1)
    sample = cube.open_season(course.sample_season())
    if len(sys.argv) > 1:
        trained = train.load(sys.argv[1])
    else:
        torch.manual_seed(0)
        model = STMA(
            dates=sample.sizes["time"], patch=32, classes=len(cube.legend(sample)), width=16
        )
        trained = train.Trained(
            model.eval(), patches.fit_scaling(sample), cube.legend(sample), sample.time.values
        )
    compare_forms(trained, sample)

    with tempfile.TemporaryDirectory() as folder:
        weights = train.save(trained, Path(folder) / "weights.safetensors")
        for times in (1, 2, 4):
            scene = sample.isel(y=np.arange(times * SIDE) % SIDE, x=np.arange(times * SIDE) % SIDE)
            scene = scene.assign_coords(
                y=5.9e6 - 10.0 * np.arange(times * SIDE), x=4e5 + 10.0 * np.arange(times * SIDE)
            )
            path = cube.save_season(scene, Path(folder) / f"{times}.zarr")
            said = subprocess.check_output(
                [sys.executable, "-c", MAP, weights, path, Path(folder) / "map.tif"], text=True
            )
            print(f"scene of {times * SIDE} x {times * SIDE} pixels: {said}", end="")
        compare_workers(trained, weights, cube.open_season(path), Path(folder) / "map.tif")


if __name__ == "__main__":
    main()
