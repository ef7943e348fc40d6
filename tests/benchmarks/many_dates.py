"""A season of 10 000 dates: seconds and memory of opening it, and of reading one window.

    python tests/benchmarks/many_dates.py

Of a Zarr store of 512 x 512 pixels (21 GB when read whole, of few different numbers, so that it
takes little room), and of as many GeoTIFFs of 64 x 64 pixels; each in a process of its own, so that
its peak memory is its own. Some minutes, most of them to write the files.

Measured in November 2026 on a busy machine, in seconds of the processor and memory above that of
the imports: Zarr opened in 1.2 s, +147 MB; GeoTIFFs in 77 s, +179 MB. Before, such a Zarr store
could not be written, its chunks being larger than a codec takes.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import dask.array as da
import numpy as np
import rasterio
import rioxarray  # noqa: F401  (the accessor .rio)
import xarray as xr

from stma_nb import cube

DATES = 10_000
TIMES = np.datetime64("1995-01-01T06:00", "ns") + np.arange(DATES) * np.timedelta64(1, "D")


def peak() -> float:
    """Peak memory of this process so far, MB (Linux)."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024


def save_zarr(path: Path, side: int = 512) -> Path:
    """A season of backscatter that rises from date to date, the same in all pixels."""
    level = da.linspace(0.01, 0.2, DATES, dtype="float32", chunks=-1)[:, None, None]
    values = da.broadcast_to(level, (DATES, side, side), chunks=(DATES, 32, 32))
    season = xr.Dataset(
        {band: (("time", "y", "x"), values, {"units": "1"}) for band in ("vh", "vv")},
        {"time": TIMES, "y": -10.0 * np.arange(side), "x": 10.0 * np.arange(side)},
    )
    return cube.save_season(season.rio.write_crs("EPSG:32633"), path)


def save_geotiffs(folder: Path, side: int = 64) -> Path:
    folder.mkdir()
    layout = dict(driver="GTiff", height=side, width=side, count=2, dtype="float32")
    place = dict(crs="EPSG:32633", transform=rasterio.Affine(10, 0, 400_000, 0, -10, 5_900_000))
    for time_ in TIMES:
        day = np.datetime_as_string(time_, "D")
        with rasterio.open(folder / f"{day}_VVVH.tif", "w", **layout, **place) as tif:
            tif.descriptions = "VV", "VH"
            tif.write(np.full((2, side, side), 0.1, "float32"))
    return folder


def measure(path: Path) -> None:
    """What a child process does: open a season, read a window of all dates."""
    cube.open_season  # noqa: B018  (the import is not counted)
    before, start = peak(), time.process_time()
    season = cube.open_season(path)
    opened, risen = time.process_time() - start, peak() - before
    season.vv[:, :32, :32].load()
    read = time.process_time() - start - opened
    print(
        f"{path.name}: {season.sizes['time']} dates of {season.sizes['y']} x {season.sizes['x']} "
        f"pixels opened in {opened:.1f} s, +{risen:.0f} MB; a window of 32 x 32 pixels in "
        f"{read:.1f} s, +{peak() - before:.0f} MB"
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for path in (save_zarr(Path(folder) / "season.zarr"), save_geotiffs(Path(folder) / "tifs")):
            subprocess.run([sys.executable, __file__, path], check=True)


if __name__ == "__main__":
    measure(Path(sys.argv[1])) if len(sys.argv) > 1 else main()
