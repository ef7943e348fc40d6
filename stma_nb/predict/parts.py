"""The tiles of a map that is being made, kept in a folder beside it until all are there."""

import hashlib
import io
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import dask
import dask.threaded
import numpy as np
import rasterio
import rasterio.shutil
import xarray as xr
from rasterio.windows import Window as RasterWindow

from stma_nb.cube import CHUNK, Crop, geotiff_profile, write_class_names, write_legend
from stma_nb.files import write_whole
from stma_nb.predict.tiles import NODATA, STEPS, Tile
from stma_nb.train import Trained


def weights_hash(trained: Trained) -> str:
    """SHA-256 of a network's arguments, scaling and weights."""
    digest = hashlib.sha256(repr((trained.model.arguments, trained.scaling)).encode())
    for name, value in sorted(trained.model.state_dict().items()):
        digest.update(name.encode() + value.cpu().numpy().tobytes())
    return digest.hexdigest()


def season_hash(season: xr.Dataset, bands: Sequence[str]) -> str:
    """SHA-256 of a season's dates, grid and bands in nine small windows: it tells seasons apart.

    A change between the windows that leaves them, dates and grid as they are is not noticed.
    """
    digest = hashlib.sha256(season.rio.crs.to_wkt().encode())
    for axis in (season.time, season.y, season.x):
        digest.update(axis.values.tobytes())
    rows, columns = (
        np.linspace(0, max(0, season.sizes[axis] - 8), 3).astype(int) for axis in ("y", "x")
    )
    looks = [
        season[name].data[..., row : row + 8, column : column + 8]
        for name in bands
        for row in rows
        for column in columns
    ]
    for values in dask.compute(*looks, scheduler=dask.threaded.get):
        digest.update(values.tobytes())
    return digest.hexdigest()


def begun_with(path: Path) -> dict[str, Any]:
    """What an unfinished map of this name was begun with; nothing if there is none."""
    return _read_note(_folder(path) / "job.json") or {}


def _folder(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


class Parts:
    """The finished tiles of a map, and what the whole is made from.

    ``outputs`` are the files to write by name ("map", "probabilities", "entropy"), ``job`` says how
    the map is made: a folder left by the same job goes on, one of another job is refused
    (FileExistsError), or replaced with ``overwrite``. A tile or a note that cannot be read, as a
    power cut leaves it, counts as not there.
    """

    def __init__(
        self, outputs: dict[str, Path], tiles: list[Tile], job: dict[str, Any], overwrite: bool
    ):
        self.outputs = outputs
        self.tiles = tiles
        self.folder = _folder(outputs["map"])
        self._open(job | {"outputs": sorted(outputs)}, overwrite)

    def _open(self, job: dict[str, Any], overwrite: bool) -> None:
        """Make the folder of finished tiles, or find it again as the same job left it."""
        note = self.folder / "job.json"
        before = _read_note(note)
        if before is not None:
            other = [key for key in job if before.get(key) != job[key]]
            if not other:
                return
            if not overwrite:
                raise FileExistsError(
                    f"'{self.folder}' holds an unfinished map of the same name with other "
                    f"{' and '.join(other)}: finish it with the call that began it, or start anew "
                    "with overwrite (--overwrite)."
                )
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        write_whole(note, lambda part: part.write_text(json.dumps(job, indent=1), "utf-8"))

    def _file(self, tile: Tile) -> Path:
        rows, columns = tile
        return self.folder / f"{rows.start}_{columns.start}.npz"

    def left(self) -> list[Tile]:
        """The tiles that are still to be computed."""
        return [tile for tile in self.tiles if not self._is_whole(tile)]

    def _is_whole(self, tile: Tile) -> bool:
        file = self._file(tile)
        if not file.exists():
            return False
        shape = tuple(axis.stop - axis.start for axis in tile)
        try:
            # The whole of it is read: the archive holds a checksum.
            with file.open("rb") as opened, np.load(opened) as layers:
                return all(layers[name].shape[1:] == shape for name in self.outputs)
        except Exception:  # what a damaged file raises depends on where it is damaged
            return False

    def keep(self, tile: Tile, layers: dict[str, np.ndarray]) -> None:
        # On a full disk an archive that is open complains a second time when it is thrown away.
        whole = io.BytesIO()
        np.savez(whole, **layers)  # type: ignore[arg-type]  # hints take any name for an option's
        write_whole(self._file(tile), lambda part: part.write_bytes(whole.getbuffer()))

    def assemble(
        self,
        season: xr.Dataset,
        crops: Sequence[Crop],
        origin: dict[str, Any],
        finish: Callable[[np.ndarray], np.ndarray] | None = None,
    ) -> None:
        """Write the outputs from the tiles, move them to their names, and remove the folder.

        ``finish`` is done to the codes (rows, columns) of the whole map before it is written.
        """
        made = {name: self._geotiff(name, season, crops, origin, finish) for name in self.outputs}
        write_class_names(self.outputs["map"], crops)
        # The map comes last: when it is there, all is there.
        for name in sorted(self.outputs, key=lambda name: name == "map"):
            output = self.outputs[name]
            output.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(made[name], output)
        shutil.rmtree(self.folder)

    def _geotiff(
        self,
        name: str,
        season: xr.Dataset,
        crops: Sequence[Crop],
        origin: dict[str, Any],
        finish: Callable[[np.ndarray], np.ndarray] | None,
    ) -> Path:
        """One output as a cloud-optimised GeoTIFF in the folder; returns its path."""
        bands = {
            "map": ["crop"],
            "probabilities": [crop.name for crop in crops],
            "entropy": ["share of the greatest possible entropy"],
        }[name]
        profile = geotiff_profile(season) | {
            "dtype": "uint8",
            "count": len(bands),
            "nodata": NODATA,
            "bigtiff": "if_safer",
        }
        plain, made = self.folder / "plain.tif", self.folder / f"{name}.tif"
        for file in (plain, made):
            # Half of one, from a run that was stopped, GDAL could not replace.
            file.unlink(missing_ok=True)
        # Bytes; by default it is a share of the machine's memory.
        with rasterio.Env(GDAL_CACHEMAX=64_000_000):
            with rasterio.open(plain, "w+", **profile) as tif:
                if name == "map":
                    write_legend(tif, crops)
                else:
                    tif.scales = [1 / STEPS] * tif.count
                tif.descriptions = bands
                tif.update_tags(**{key.upper(): value for key, value in origin.items()})
                for tile in self.tiles:
                    with np.load(self._file(tile)) as layers:
                        tif.write(layers[name], window=RasterWindow.from_slices(*tile))
                if name == "map" and finish:
                    tif.write(finish(tif.read(1)), 1)
            rasterio.shutil.copy(
                plain,
                made,
                driver="COG",
                compress="deflate",
                blocksize=CHUNK,
                overview_resampling="mode" if name == "map" else "average",
                bigtiff="if_safer",
            )
        plain.unlink()
        return made


def _read_note(note: Path) -> dict[str, Any] | None:
    """The job that a folder was begun with; None if there is none, or it cannot be read."""
    try:
        found = json.loads(note.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
