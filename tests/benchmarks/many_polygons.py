"""Labels and outlines from a layer of a million polygons, of which a season covers few: seconds and
memory.

    python tests/benchmarks/many_polygons.py

Polygons of 0.8 ha, as a GeoPackage, a Shapefile and a FlatGeobuf, which have an index of places or
let GDAL look at bounds alone, and as GeoParquet, which is looked at piece by piece. The season is
256 x 256 pixels. Each job runs in a process of its own, so that its peak memory is its own. About
two minutes, most of them to write the files.

Measured in November 2026, in memory above that of the imports (400 MB): labels take about a second,
most of it to number the rows, and 27 to 39 MB; outlines 0.2 s at most and 12 to 31 MB; GeoParquet
140 MB, and 680 MB when it was read whole.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import shapely
import xarray as xr

from stma_nb import cube, predict
from stma_nb.sources import labels

SIDE = 1000  # polygons along a side
WEST, SOUTH = 300_000.0, 5_800_000.0


def peak() -> float:
    """Peak memory of this process so far, MB (Linux)."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024


def layer() -> gpd.GeoDataFrame:
    row, column = np.divmod(np.arange(SIDE**2), SIDE)
    x, y = WEST + 100.0 * column, SOUTH + 100.0 * row
    crop = np.array(["Wheat", "Maize", "Rapeseed"])[np.arange(SIDE**2) % 3]
    shapes = shapely.box(x + 5, y + 5, x + 95, y + 95)
    return gpd.GeoDataFrame({"crop": crop}, geometry=shapes, crs="EPSG:32633")


def season() -> xr.Dataset:
    power = np.full((2, 256, 256), 0.1, "float32")
    place = np.arange(256) * 10.0
    made = xr.Dataset(
        {"vv": (("time", "y", "x"), power, {"units": "1"})},
        {
            "time": np.array(["2020-04-01", "2020-06-01"], "M8[ns]"),
            "y": SOUTH + 40_000 - place,
            "x": WEST + 40_000 + place,
        },
    )
    return made.rio.write_crs("EPSG:32633")


def measure(job: str, path: Path) -> None:
    """What a child process does: one job."""
    made, _, _ = season(), predict.read_outlines, cube.check_season
    before, start = peak(), time.process_time()
    if job == "labels":
        found = len(np.unique(labels.rasterise(path, made, "crop").parcel)) - 1
    else:
        found = len(predict.read_outlines(path, made))
    print(
        f"{job} from {path.name}: {found} polygons, {time.process_time() - start:.1f} s, "
        f"+{peak() - before:.0f} MB"
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder, fields = Path(name), layer()
        for suffix in ("gpkg", "shp", "fgb"):
            pyogrio.write_dataframe(fields, folder / f"million.{suffix}")
        fields.to_parquet(folder / "million.parquet")
        del fields
        jobs = [
            (job, suffix) for suffix in ("gpkg", "shp", "fgb") for job in ("labels", "outlines")
        ]
        for job, suffix in [*jobs, ("outlines", "parquet")]:
            command = [sys.executable, __file__, job, folder / f"million.{suffix}"]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    measure(sys.argv[1], Path(sys.argv[2])) if len(sys.argv) > 1 else main()
