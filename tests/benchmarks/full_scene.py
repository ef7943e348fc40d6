"""A map of a scene of the published size by the published network: time, memory, a kill on the way.

    python tests/benchmarks/full_scene.py FOLDER

The scene is simulated: 3731 x 5095 pixels, 41 dates. The network has the published size (about 4700
windows of nearly half a second each), or with ``--size compact`` the course's; its weights are
random, since neither time nor memory depend on them. It is mapped twice: in one process, and by a
Dask cluster of two workers with one thread each. Each time all processes are killed when a third of
the tiles is finished, and the same call goes on.

It needs 6 GB in FOLDER, and one to two hours on two cores that do nothing else. What is finished
stays in FOLDER, so the same command goes on after any stop; ``--stage`` runs one of the two alone.
Writes data/full_scene.json with the stages that are there. To try it:

    python tests/benchmarks/full_scene.py FOLDER --rows 300 --columns 400 --tile 128 --output FILE
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import rasterio
import torch
import xarray as xr
from cost_law import machine

from stma_nb import course, cube, patches, predict, train
from stma_nb.model import STMA
from stma_nb.predict import tiles

STAGES = ("one", "cluster")
WORKERS = 2
SIZES: dict[str, dict[str, int]] = {"published": {}, "compact": {"patch": 32, "width": 16}}
Run = dict[str, Any]


# ------------------------------------------------------------------------------ what is measured


def on_cluster(weights: Path, scene: Path, output: Path, tile: int) -> None:
    """What a child process does: the map, by workers of its own."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=WORKERS, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        season = cube.open_season(scene)
        predict.season_map(
            train.load(weights), season, output, progress=False, tile=tile, client=client
        )


def finished(output: Path) -> dict[str, int]:
    """The finished tiles of a map that is being made, and when each was written (ns)."""
    folder = output.with_name(f".{output.name}.part")
    found = {}
    for file in folder.glob("[0-9]*.npz"):
        try:
            found[file.name] = file.stat().st_mtime_ns
        except FileNotFoundError:  # the map is complete: the folder goes
            continue
    return found


def used(job: subprocess.Popen) -> dict[int, tuple[float, float]]:
    """Processor seconds so far and memory (MB) of a process and all below it, by their numbers."""
    found = {}
    try:
        root = psutil.Process(job.pid)
        for process in (root, *root.children(recursive=True)):
            seconds = sum(process.cpu_times()[:2])  # its own, in user mode and in the kernel
            found[process.pid] = seconds, process.memory_info().rss / 1e6
    except psutil.Error:  # one ended meanwhile
        pass
    return found


def watch(command: list[str], output: Path, kill_at: int | None, runs: Path) -> None:
    """Run a map to its end, or kill it and all its processes when ``kill_at`` tiles are finished.

    Adds what it took to the file ``runs``, again and again, so that nothing is lost if this process
    ends before. Processor time and memory are those of all its processes.
    """
    before, earlier = finished(output), read(runs, [])
    with open(runs.with_suffix(".log"), "ab") as log:
        job = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=log, start_new_session=True
        )
    start, said = time.monotonic(), 0.0
    seconds: dict[int, float] = {}
    anew: set[str] = set()
    run: Run = dict.fromkeys(("tiles finished", "peak MB of all", "peak MB of the largest"), 0)
    run |= {"tiles found": len(before), "killed": False}
    while True:
        ended = job.poll() is not None
        now, processes = finished(output), used(job)
        seconds |= {number: spent for number, (spent, _) in processes.items()}
        memory = [megabytes for _, megabytes in processes.values()]
        anew |= {name for name, written in before.items() if now.get(name, written) != written}
        for name, value in (
            ("tiles finished", len(now)),
            ("peak MB of all", sum(memory)),
            ("peak MB of the largest", max(memory, default=0)),
        ):
            run[name] = max(run[name], value)
        run["seconds"], run["CPU s"] = time.monotonic() - start, sum(seconds.values())
        run["tiles computed anew"] = len(anew)
        run["killed"] = bool(kill_at and len(now) >= kill_at and not ended)
        if run["killed"]:
            os.killpg(job.pid, signal.SIGKILL)
            job.wait()
        if run["killed"] or ended or time.monotonic() - said > 5:
            runs.write_text(json.dumps([*earlier, run], indent=1), "utf-8")
            said = time.monotonic()
        if run["killed"] or ended:
            break
        time.sleep(0.2)
    if not run["killed"] and job.returncode:
        raise SystemExit(
            f"The map failed; see '{runs.with_suffix('.log')}'. The same command goes on."
        )


def map_stage(
    stage: str, weights: Path, scene: Path, output: Path, tile: int, count: int
) -> list[Run]:
    """Map a scene in the way of a stage, killed once; returns its runs, also those of before."""
    runs = output.with_suffix(".runs.json")
    if stage == "one":
        command = [sys.executable, "-m", "stma_nb", "map", weights, scene, output]
        command += ["--tile", tile]
    else:
        command = [sys.executable, __file__, weights, "--child", scene, output, "--tile", tile]
    words = [str(word) for word in command]
    if not any(run["killed"] for run in read(runs, [])):
        watch(words, output, max(1, count // 3), runs)
    if not output.exists():
        watch(words, output, None, runs)
    return read(runs, [])


def compare(
    trained: train.Trained, season: xr.Dataset, output: Path, tile: int, threads: int
) -> dict[str, int]:
    """Tiles of a map that are computed once more, by themselves: how many pixels differ?

    Two of the first third, which was there before the kill, and two of the rest.
    """
    torch.set_num_threads(threads)
    shape = season.sizes["y"], season.sizes["x"]
    patch = trained.model.arguments["patch"]
    windows = patches.corners(shape, patch, 0.5)
    form = tiles.inference_form(trained.model)
    mapper = tiles.TileMapper(form, trained.scaling, windows, None, None, {"map"})
    layers = [season[name].data for name in trained.scaling.bands]
    read_one = partial(tiles.read_tile, layers, windows, patch)
    grid = tiles.tile_grid(shape, tile)
    chosen = sorted({0, len(grid) // 5, len(grid) // 2, len(grid) - 1})
    differ = 0
    with rasterio.open(output) as tif:
        for number in chosen:
            rows, columns = grid[number]
            alone = mapper.layers(grid[number], read_one(grid[number]))["map"][0]
            window = rasterio.windows.Window.from_slices(rows, columns)
            differ += int((tif.read(1, window=window) != alone).sum())
    return {"tiles computed apart": len(chosen), "pixels of them that differ": differ}


def summary(runs: list[Run], pixels: int) -> dict[str, Any]:
    """All runs of a stage together."""
    killed = next(run for run in runs if run["killed"])
    after = runs[runs.index(killed) + 1]
    processor = sum(run["CPU s"] for run in runs)
    return {
        "minutes on the clock": sum(run["seconds"] for run in runs) / 60,
        "CPU minutes": processor / 60,
        "km² per CPU s": pixels * 1e-4 / processor,
        "peak MB of all processes": max(run["peak MB of all"] for run in runs),
        "peak MB of the largest": max(run["peak MB of the largest"] for run in runs),
        "killed after tiles": killed["tiles finished"],
        "tiles found again": after["tiles found"],
        "of them computed anew": after["tiles computed anew"],
        "runs": len(runs),
    }


def read(path: Path, otherwise: Any) -> Any:
    return json.loads(path.read_text("utf-8")) if path.exists() else otherwise


# ------------------------------------------------------------------------------------- the whole


def make_scene(scene: Path, rows: int, columns: int, dates: int) -> xr.Dataset:
    if not scene.exists():
        size = ["--size", str(rows), str(columns), "--dates", str(dates)]
        command = [sys.executable, "-m", "stma_nb", "data", "simulate", str(scene), *size]
        subprocess.run(command, check=True)
    return cube.open_season(scene)


def make_weights(weights: Path, season: xr.Dataset, size: str) -> train.Trained:
    if not weights.exists():
        torch.manual_seed(0)
        crops = cube.legend(season)
        scaling = patches.fit_scaling(season.isel(x=slice(512), y=slice(512)))
        network = STMA(dates=season.sizes["time"], classes=len(crops), **SIZES[size])
        train.save(train.Trained(network, scaling, crops, season.time.values), weights)
    return train.load(weights)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where scene, maps and what is finished lie")
    parser.add_argument("--size", choices=SIZES, default="published")
    parser.add_argument("--rows", type=int, default=3731)
    parser.add_argument("--columns", type=int, default=5095)
    parser.add_argument("--dates", type=int, default=41)
    parser.add_argument("--tile", type=int, default=512)
    parser.add_argument("--stage", choices=STAGES, help="this one alone")
    parser.add_argument("--output", type=Path, default=course.ROOT / "data" / "full_scene.json")
    parser.add_argument("--child", nargs=2, type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        on_cluster(args.folder, *args.child, args.tile)
        return
    args.folder.mkdir(parents=True, exist_ok=True)
    scene = args.folder / f"{args.rows}_{args.columns}_{args.dates}.zarr"
    season = make_scene(scene, args.rows, args.columns, args.dates)
    name = f"{args.size}_{scene.stem}"
    weights = args.folder / f"{name}.safetensors"
    trained = make_weights(weights, season, args.size)
    pixels = args.rows * args.columns
    count = len(tiles.tile_grid((args.rows, args.columns), args.tile))
    threads = {"one": torch.get_num_threads(), "cluster": 1}
    for stage in STAGES if args.stage is None else (args.stage,):
        output = args.folder / f"{name}_{stage}.tif"
        told = output.with_suffix(".json")
        if not told.exists():
            runs = map_stage(stage, weights, scene, output, args.tile, count)
            found = {"processes": 1 if stage == "one" else WORKERS, "threads each": threads[stage]}
            found |= summary(runs, pixels)
            found |= compare(trained, season, output, args.tile, threads[stage])
            told.write_text(json.dumps(found, indent=1), "utf-8")
        print(stage, told.read_text("utf-8"), flush=True)
    stages = {stage: read(args.folder / f"{name}_{stage}.json", None) for stage in STAGES}
    stages = {stage: found for stage, found in stages.items() if found}
    codes = []
    for stage in stages:
        with rasterio.open(args.folder / f"{name}_{stage}.tif") as tif:
            codes.append(tif.read(1))
    about = machine()
    del about["threads"]  # every stage has its own
    found = {
        "machine": about,
        "network": args.size,
        **{key: trained.model.arguments[key] for key in ("width", "patch")},
        "rows": args.rows,
        "columns": args.columns,
        "dates": args.dates,
        "tiles": count,
        "season GB": 2 * season.vh.nbytes / 1e9,
        "peak MB": max(found["peak MB of the largest"] for found in stages.values()),
        "pixels in which the maps differ": int(np.count_nonzero(codes[0] != codes[-1])),
        "stages": stages,
    }
    args.output.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
