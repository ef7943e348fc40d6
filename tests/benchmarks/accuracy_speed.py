"""Accuracy of a whole scene from files: time and peak memory. ``python
tests/benchmarks/accuracy_speed.py``

The scene has the size of the paper's (3731 x 5095 pixels, 16 classes); map, reference and parcels
are made up, with some 20 000 parcels. A report is also written of 20 000 x 20 000 pixels with
100 000 parcels. Each job from files runs in a process of its own, so that its peak memory is its
own.

Measured in November 2026 on a machine of 24 GB: the report of 100 000 parcels took 520 MiB above
the 240 MiB of the imports, and 1550 MiB before reading was kept within rows of windows.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack

import numpy as np
import rasterio
from rasterio.windows import Window
from sklearn.metrics import confusion_matrix

from stma_nb import accuracy, cube
from stma_nb.accuracy import parcels

SHAPE, FIELD, CLASSES = (3731, 5095), (24, 40), 16
LARGE, LARGE_FIELD = (20_000, 20_000), (63, 63)
STRIP = 1024  # rows that are made and written at a time


def strip(first: int, shape: tuple[int, int], field: tuple[int, int]) -> dict[str, np.ndarray]:
    """Rows of a scene: parcels of ``field`` pixels, half of them background; a map that is right in
    80 % of the pixels.
    """
    down, across = (-(-size // side) for size, side in zip(shape, field, strict=True))
    parcels = down * across + 1  # with 0, which is none
    rng = np.random.default_rng(0)
    is_crop, code = rng.random(parcels) < 0.5, rng.integers(1, CLASSES, parcels)
    crop = np.where(is_crop, code, 0).astype("uint8")
    row, column = np.ogrid[first : min(first + STRIP, shape[0]), : shape[1]]
    parcel = (row // field[0] * across + column // field[1] + 1).astype("int32")
    reference = crop[parcel]
    rng = np.random.default_rng(first)
    wrong = rng.random(parcel.shape, dtype="float32") < 0.2
    mapped = np.where(wrong, rng.integers(0, CLASSES, parcel.shape, dtype="uint8"), reference)
    return {"map": mapped, "reference": reference, "parcel": parcel}


def write(folder: str, shape: tuple[int, int], field: tuple[int, int]) -> None:
    profile = {
        "driver": "GTiff",
        "height": shape[0],
        "width": shape[1],
        "count": 1,
        "crs": "EPSG:32633",
        "transform": rasterio.Affine(10, 0, 400_000, 0, -10, 5_900_000),
    }
    tiles = {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate"}
    with ExitStack() as stack:
        tifs = {}
        for name, layer in strip(0, shape, field).items():
            path = f"{folder}/{name}.tif"
            tifs[name] = stack.enter_context(
                rasterio.open(path, "w", dtype=layer.dtype, **profile, **tiles)
            )
            if name != "parcel":
                cube.write_legend(tifs[name], cube.BRANDENBURG)
        for first in range(0, shape[0], STRIP):
            for name, layer in strip(first, shape, field).items():
                window = Window(0, first, shape[1], layer.shape[0])
                tifs[name].write(layer, 1, window=window)


def job(name: str, folder: str) -> None:
    """What a child process does: one job from files; prints seconds, and MiB above what the imports
    need.
    """
    files = [f"{folder}/{layer}.tif" for layer in ("map", "reference", "parcel")]
    jobs = {
        "error matrix": lambda: accuracy.matrix_of_files(*files[:2], CLASSES),
        "parcel votes and table": lambda: parcels.table_of(
            *parcels.matrices_of_files(*files, CLASSES)
        ),
        "stratified sample": lambda: accuracy.stratified_sample(files[0], 50),
        "report with parcels": lambda: accuracy.assess(
            *files[:2], f"{folder}/report.html", files[2]
        ),
    }
    before, start = peak(), time.perf_counter()
    jobs[name]()
    print(time.perf_counter() - start, peak() - before)


def peak() -> float:
    """Peak memory of this process so far, MiB (Linux)."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024


def median_seconds(function, rounds: int) -> float:
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def told(name: str, folder: str, size: str) -> None:
    """Run a job in a process of its own, and print what it took."""
    command = [sys.executable, __file__, name, folder]
    found = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    seconds, rise = map(float, found.split())
    print(f"{name} from files, {size}: {seconds:.2f} s, peak +{rise:.0f} MiB", flush=True)


def main() -> None:
    strips = [strip(first, SHAPE, FIELD) for first in range(0, SHAPE[0], STRIP)]
    mapped, reference, parcel = (
        np.concatenate([part[name] for part in strips]) for name in strips[0]
    )
    size = f"{SHAPE[0]} x {SHAPE[1]} pixels, {CLASSES} classes, {parcel.max()} parcels"
    with tempfile.TemporaryDirectory() as folder:
        write(folder, SHAPE, FIELD)
        for name in (
            "error matrix",
            "parcel votes and table",
            "stratified sample",
            "report with parcels",
        ):
            told(name, folder, size)
    with tempfile.TemporaryDirectory() as folder:
        write(folder, LARGE, LARGE_FIELD)
        told("report with parcels", folder, f"{LARGE[0]} x {LARGE[1]} pixels, 101 124 parcels")

    part = np.s_[:1024, :1024]
    ours = accuracy.error_matrix(mapped[part], reference[part], CLASSES)
    theirs = confusion_matrix(reference[part].ravel(), mapped[part].ravel()).T
    assert np.array_equal(ours, theirs)
    a = median_seconds(lambda: accuracy.error_matrix(mapped[part], reference[part], CLASSES), 7)
    b = median_seconds(lambda: confusion_matrix(reference[part].ravel(), mapped[part].ravel()), 7)
    print(
        f"error matrix, 1024 x 1024: ours {1e3 * a:.0f} ms, scikit-learn {1e3 * b:.0f} ms, ratio "
        f"{b / a:.0f}"
    )

    for name, matrices in (
        ("blocks", accuracy.block_matrices(mapped, reference, CLASSES, 128)),
        ("parcels", accuracy.parcel_matrices(mapped, reference, parcel, CLASSES)),
    ):
        seconds = median_seconds(
            lambda m=matrices: accuracy.interval(m, accuracy.overall_accuracy), 3
        )
        print(f"interval from {len(matrices)} {name}: {seconds:.2f} s")


if __name__ == "__main__":
    job(*sys.argv[1:]) if len(sys.argv) > 1 else main()
