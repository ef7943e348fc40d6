"""Speckle filters against their plain forms: ratios and peak memory of one run. ``python
tests/benchmarks/speckle_speed.py``

The plain form is the usual one, with scipy.ndimage.uniform_filter. Outputs are compared first, away
from the border, which uniform_filter mirrors. Peak memory is that of a filter from one Zarr store
to another, each in a process of its own.
"""

import math
import statistics
import subprocess
import sys
import tempfile
import time
from importlib import import_module, metadata

import dask
import dask.array as da
import numpy as np
import xarray as xr
from scipy.ndimage import uniform_filter

from stma_nb import radar, simulate

LOOKS, WINDOW = 4.4, 7


def plain_lee(image):
    mean = uniform_filter(image, WINDOW)
    variance = uniform_filter(image * image, WINDOW) - mean**2
    return mean + np.maximum(0, 1 - mean**2 / LOOKS / variance) * (image - mean)


def plain_quegan_yu(stack):
    means = np.stack([uniform_filter(image, WINDOW) for image in stack])
    return means * (stack / means).mean(axis=0)


def linear(values):
    return xr.DataArray(
        values, dims=("time", "y", "x")[-values.ndim :], attrs={"units": "1"}, name="vv"
    )


def compare(what: str, ours, plain, rounds: int) -> None:
    difference = abs(ours() - plain())[..., WINDOW:-WINDOW, WINDOW:-WINDOW].max()
    times = {ours: [], plain: []}
    for _ in range(rounds):
        for function, seconds in times.items():
            start = time.perf_counter()
            function()
            seconds.append(time.perf_counter() - start)
    a, b = (1e3 * statistics.median(seconds) for seconds in times.values())
    print(
        f"{what}: ours {a:.1f} ms, plain {b:.1f} ms, ratio {a / b:.2f}; largest difference "
        f"{difference:.1e}"
    )


def compare_findpeaks(image) -> None:
    """Compare the time alone: findpeaks rounds to integers, and its window of 7 has 6 pixels."""
    try:
        lee_filter = import_module("findpeaks").lee_filter
    except ImportError:
        print("findpeaks is not installed: install it to compare with its lee_filter.")
        return
    start = time.perf_counter()
    lee_filter((image.values * 1e6).copy(), win_size=WINDOW, cu=LOOKS**-0.5)
    theirs = time.perf_counter() - start
    start = time.perf_counter()
    radar.lee(image)
    ours = time.perf_counter() - start
    size = "x".join(map(str, image.shape))
    print(
        f"Lee {size}: ours {1e3 * ours:.1f} ms, findpeaks {metadata.version('findpeaks')} "
        f"{theirs:.1f} s, {theirs / ours:.0f} times"
    )


def write_filtered(name: str, source: str, target: str) -> None:
    """What a child process does: filter a store, and say how much its memory rose."""
    stack = linear(xr.open_zarr(source).vv.variable.data)
    small = stack[:, :64, :64].compute()
    getattr(radar, name)(small.chunk(x=32)).compute()  # all modules loaded
    before = peak()
    with dask.config.set(scheduler="threads", num_workers=2):
        getattr(radar, name)(stack).to_dataset().drop_encoding().to_zarr(target)
    print(peak() - before)


def peak() -> float:
    """Peak memory of this process so far, MiB (Linux). Not getrusage: that includes the parent's at
    the fork.
    """
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024


def peak_memory(
    dates: int = 41, sizes=((1024, 1024), (4096, 1024), (8192, 1024), (3072, 3072))
) -> None:
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            block = simulate.speckle((dates, 256, 256), LOOKS, np.random.default_rng(0))
            shape, chunks = (dates, *size), (dates, 256, 256)
            stack = linear(
                da.map_blocks(
                    lambda block_id=None, b=block: b,
                    chunks=da.core.normalize_chunks(chunks, shape),
                    dtype="f4",
                )
            )
            stack.to_dataset().to_zarr(f"{folder}/season", zarr_format=2)
            what = f"Zarr {'x'.join(map(str, shape))} ({4 * math.prod(shape) / 2**20:.0f} MiB)"
            for name in ("lee", "quegan_yu"):
                start = time.perf_counter()
                command = [sys.executable, __file__, name, f"{folder}/season", f"{folder}/{name}"]
                rise = float(
                    subprocess.run(command, check=True, capture_output=True, text=True).stdout
                )
                seconds = time.perf_counter() - start
                print(f"{name}, {what}: {seconds:.1f} s, peak +{rise:.0f} MiB")


def main() -> None:
    stack = linear(0.1 * simulate.speckle((41, 1024, 1024), LOOKS, np.random.default_rng(0)))
    image = stack[0]
    compare(
        "Lee 7x7, 1024x1024",
        lambda: radar.lee(image).values,
        lambda: plain_lee(image.values),
        rounds=15,
    )
    compare(
        "Quegan-Yu 7x7, 41x1024x1024",
        lambda: radar.quegan_yu(stack).values,
        lambda: plain_quegan_yu(stack.values),
        rounds=3,
    )
    for name in ("boxcar", "gamma_map", "refined_lee"):
        seconds = []
        for _ in range(7):
            start = time.perf_counter()
            getattr(radar, name)(image)
            seconds.append(time.perf_counter() - start)
        print(f"{name}, 1024x1024: {1e3 * statistics.median(seconds):.1f} ms")
    compare_findpeaks(image[:256, :256])
    peak_memory()


if __name__ == "__main__":
    write_filtered(*sys.argv[1:]) if len(sys.argv) > 1 else main()
