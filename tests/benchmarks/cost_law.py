"""The cost of a map as a law of the network's size: measured, fitted, and held to what it left out.

    python tests/benchmarks/cost_law.py

On a machine that does nothing else; about ten minutes of one core. Writes data/cost.json.

Networks of the published architecture with random weights (neither time nor memory depend on them)
map simulated seasons with one thread: several widths, numbers of dates and sides of the patch. What
counts is processor time of ``predict.season_map`` a window, the smallest of the rounds; networks
take turns in every round, so that other load falls on all of them. The rates of the law
(``predict.fit_rates``) are fitted to all of them. *Left out* is the law fitted to all others: how
far it is from the measurement is the spread to expect of a size that was not measured.

The rivals map the same seasons in the same rounds. The forest counts its speckle filter; the law
knows nothing of it. For TempCNN and the U-Net the law of STMA is printed as well.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
import xarray as xr

from stma_nb import course, cube, patches, predict, radar, simulate, train
from stma_nb.machine import processor
from stma_nb.model import STMA

SIZES = (  # width, dates, patch, and side of the scene to map
    (16, 18, 32, 448),
    (16, 41, 32, 320),
    (16, 18, 64, 448),
    (16, 41, 128, 320),
    (32, 18, 32, 320),
    (32, 41, 64, 256),
    (32, 18, 128, 320),
    (64, 18, 32, 256),
    (64, 41, 32, 192),
    (64, 18, 64, 256),
    (64, 41, 64, 192),
    (64, 41, 128, 256),  # as published
)
SIDE = 448  # of the seasons that scenes are cut from

Job = Callable[[], object]


def machine() -> dict[str, object]:
    """What a measurement is to be read with."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "measured": time.strftime("%Y-%m-%d"),
    }


def trained(network: train.Network, season: xr.Dataset) -> train.Trained:
    scaling = patches.fit_scaling(season)
    return train.Trained(network.eval(), scaling, cube.legend(season), season.time.values)


def jobs(seasons: dict[int, xr.Dataset]) -> tuple[dict[str, Job], list[dict]]:
    """What is timed by name, and the rows of the table so far."""
    timed: dict[str, Job] = {}
    rows: list[dict] = []

    def add(name: str, network: train.Network, season: xr.Dataset, job: Job, law: bool) -> None:
        overlap = 0.0 if getattr(network, "pixelwise", False) else 0.5
        patch, shape = network.arguments["patch"], season.crop.shape
        row = {"name": name, "method": type(network).__name__} | {
            key: network.arguments[key]
            for key in ("width", "dates", "patch")
            if key in network.arguments
        }
        step = round(patch * (1 - overlap))
        row |= {"windows": len(patches.corners(shape, patch, overlap)), "step": step}
        if law:
            row |= predict.work(network)._asdict()
        timed[name] = job
        rows.append(row)

    for width, dates, patch, side in SIZES:
        season = seasons[dates].isel(y=slice(side), x=slice(side))
        torch.manual_seed(0)
        network = STMA(dates=dates, patch=patch, width=width, classes=len(cube.legend(season)))
        ready = trained(network, season)
        name = f"STMA, width {width}, {dates} dates, patch {patch}"
        add(name, network, season, partial(predict.season_codes, ready, season), True)
    for dates, season in seasons.items():
        classes = len(cube.legend(season))
        rivals = train.UNet(dates, classes=classes), train.TempCNN(dates, 2, classes)
        for network in rivals:
            piece = season.isel(y=slice(256), x=slice(256)) if dates > 18 else season
            ready, name = trained(network, piece), f"{type(network).__name__}, {dates} dates"
            add(name, network, piece, partial(predict.season_codes, ready, piece), True)
        everywhere = np.ones(season.crop.shape, bool)
        forest = train.fit_forest(radar.quegan_yu(season), everywhere)

        def filter_and_map(forest=forest, season=season) -> None:
            predict.season_codes(forest, radar.quegan_yu(season))

        add(f"forest, Quegan-Yu, {dates} dates", forest.model, season, filter_and_map, False)
    return timed, rows


def measure(timed: dict[str, Job], rounds: int) -> dict[str, float]:
    """Processor seconds of each job, the smallest of the rounds."""
    seconds: dict[str, list[float]] = {name: [] for name in timed}
    for number in range(rounds):
        for name, job in timed.items():
            start = time.process_time()
            job()
            seconds[name].append(time.process_time() - start)
        print(f"round {number + 1} of {rounds}", flush=True)
    return {name: min(found) for name, found in seconds.items()}


def law(rows: list[dict]) -> dict[str, object]:
    """Fit the rates to the rows of STMA, add to all rows what the law says, return the law."""
    works = {
        row["name"]: predict.Work(*(row[name] for name in predict.Work._fields))
        for row in rows
        if "values" in row
    }
    fitted = [row for row in rows if row["method"] == "STMA"]

    def rates(some: list[dict]) -> predict.Rates:
        return predict.fit_rates(
            [works[row["name"]] for row in some], [row["CPU s per window"] for row in some]
        )

    whole = rates(fitted)
    for row in rows:
        if row["name"] in works:
            row["law"] = whole.seconds(works[row["name"]]) / row["CPU s per window"]
    for row in fitted:
        others = rates([other for other in fitted if other is not row])
        row["law, left out"] = others.seconds(works[row["name"]]) / row["CPU s per window"]
    ratios = [row["law, left out"] for row in fitted]
    return {"rates": whole._asdict(), "law over measured, left out": [min(ratios), max(ratios)]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output", type=Path, default=course.ROOT / "data" / "cost.json")
    args = parser.parse_args()
    torch.set_num_threads(1)
    load = [os.getloadavg()[0]]
    with tempfile.TemporaryDirectory() as folder:
        seasons = {}
        for dates in (18, 41):
            made = simulate.season(**course.SAMPLE | {"size": (SIDE, SIDE), "dates": dates})
            seasons[dates] = cube.open_season(
                cube.save_season(made, f"{folder}/{dates}.zarr")
            ).load()
    timed, rows = jobs(seasons)
    seconds = measure(timed, args.rounds)
    load.append(os.getloadavg()[0])
    for row in rows:
        row["CPU s per window"] = seconds[row["name"]] / row["windows"]
        # Of a large scene: a small one has fewer windows for its area.
        row["km² per CPU s"] = row["step"] ** 2 * 1e-4 / row["CPU s per window"]
    found = {
        "machine": machine(),
        "other work beside": max(load[0], load[1] - 1) > 0.5,  # threads besides this one
        "rounds": args.rounds,
        **law(rows),
        "rows": rows,
    }
    for row in rows:
        told = f"{row['name']:<36} {row['km² per CPU s']:7.3f} km2 per CPU s"
        for name in ("law", "law, left out"):
            told += f", {name} {row[name]:.2f} of it" if name in row else ""
        print(told)
    print({key: value for key, value in found.items() if key != "rows"})
    args.output.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
