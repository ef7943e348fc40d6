"""Accuracy of a whole scene from files: time and peak memory. ``python
tests/benchmarks/accuracy_speed.py``

The scene has the size of the paper's (3731 x 5095 pixels, 16 classes); map, reference and parcels
are made up, with some 20 000 parcels. Each job from files runs in a process of its own, so that its
peak memory is its own.
"""

import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import rasterio
from sklearn.metrics import confusion_matrix

from stma_nb import accuracy, cube
from stma_nb.accuracy import parcels

SHAPE, CLASSES = (3731, 5095), 16


def scene() -> dict[str, np.ndarray]:
    """Parcels of 24 x 40 pixels, half of them background; a map that is right in 80 % of the
    pixels.
    """
    rng = np.random.default_rng(0)
    row, column = np.ogrid[: SHAPE[0], : SHAPE[1]]
    parcel = (row // 24 * 128 + column // 40 + 1).astype("int32")
    crop = np.where(
        rng.random(parcel.max() + 1) < 0.5, 0, rng.integers(1, CLASSES, parcel.max() + 1)
    ).astype("uint8")
    reference = crop[parcel]
    wrong = rng.random(SHAPE, dtype="float32") < 0.2
    mapped = np.where(wrong, rng.integers(0, CLASSES, SHAPE, dtype="uint8"), reference)
    return {"map": mapped, "reference": reference, "parcel": parcel}


def write(folder: str, layers: dict[str, np.ndarray]) -> None:
    for name, layer in layers.items():
        profile = {
            "driver": "GTiff",
            "height": SHAPE[0],
            "width": SHAPE[1],
            "count": 1,
            "dtype": layer.dtype,
            "crs": "EPSG:32633",
        }
        tiles = {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate"}
        transform = rasterio.Affine(10, 0, 400_000, 0, -10, 5_900_000)
        with rasterio.open(
            f"{folder}/{name}.tif", "w", **profile, **tiles, transform=transform
        ) as tif:
            if name != "parcel":
                cube.write_legend(tif, cube.BRANDENBURG)
            tif.write(layer, 1)


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


def main() -> None:
    layers = scene()
    mapped, reference, parcel = layers.values()
    size = f"{SHAPE[0]} x {SHAPE[1]} pixels, {CLASSES} classes, {parcel.max()} parcels"
    with tempfile.TemporaryDirectory() as folder:
        write(folder, layers)
        for name in (
            "error matrix",
            "parcel votes and table",
            "stratified sample",
            "report with parcels",
        ):
            command = [sys.executable, __file__, name, folder]
            seconds, rise = map(
                float,
                subprocess.run(command, check=True, capture_output=True, text=True).stdout.split(),
            )
            print(f"{name} from files, {size}: {seconds:.2f} s, peak +{rise:.0f} MiB")

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
