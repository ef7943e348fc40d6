"""Map a whole season tile by tile, here or on a cluster: memory stays flat, and a run that was
stopped goes on where it was.
"""

import hashlib
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import dask
import numpy as np
import rasterio.shutil
import torch
import xarray as xr
from rasterio.windows import Window
from tqdm import tqdm

import stma_nb
from stma_nb.cube import (
    CHUNK,
    Crop,
    check_layout,
    geotiff_profile,
    write_class_names,
    write_legend,
)
from stma_nb.files import refuse_existing
from stma_nb.patches import ORDER, corners
from stma_nb.predict.tiles import (
    NODATA,
    PRECISIONS,
    STEPS,
    Tile,
    inference_form,
    read_tile,
    tile_grid,
    tile_layers,
)
from stma_nb.train import Trained, check_dates


def season_map(
    trained: Trained,
    season: xr.Dataset,
    path: str | Path,
    overlap: float = 0.5,
    batch: int | None = None,
    any_dates: bool = False,
    overwrite: bool = False,
    progress: bool = True,
    device: str | None = None,
    *,
    probabilities: str | Path | None = None,
    entropy: str | Path | None = None,
    tile: int = 512,
    precision: str = "float32",
    client=None,
) -> Path:
    """Classify every pixel of a season and write a cloud-optimised GeoTIFF with the legend's
    colours and names; returns its path.

    Windows overlap by the share ``overlap`` of a patch, and their class probabilities are blended
    with a smooth weight, so no seams show. Pixels without any data become 255 (nodata). Two more
    GeoTIFFs can be asked for, both in bytes with the scale 1/250 and 255 as nodata:
    ``probabilities`` (a band per class) and ``entropy`` (of the probabilities, as a share of the
    greatest possible: 0 certain, 1 clueless). The files appear under their names only when
    complete.

    The scene is computed in tiles of ``tile`` pixels a side; finished ones are kept in a folder
    ``.<name>.part`` beside the map until it is complete, so the same call after an interruption
    goes on. ``overwrite`` replaces existing files, and the tiles of an unfinished map made in
    another way. ``batch`` windows are computed at a time (default: about 1.5 million values per
    band, which a CPU does fastest). ``precision="bf16"`` computes the trunk in bfloat16: up to half
    as fast again on a processor that knows it, and about one label in a thousand changes (four for
    the published size with random weights). ``device`` is the GPU when there is one.

    ``client`` is a ``distributed.Client``: tiles are then computed by its workers, two per worker
    at a time, with as many threads as the worker has. Workers read the season from its files, which
    they must see under the same path; the map is written here.

    Raises SeasonError for what is no season (``cube.check_layout``), ValueError if it does not fit
    the network (``train.check_dates``) or an argument is out of range, FileExistsError if an output
    exists or an unfinished map was made in another way, RuntimeError naming a tile that failed.
    """
    outputs = {"map": path, "probabilities": probabilities, "entropy": entropy}
    outputs = {name: Path(output) for name, output in outputs.items() if output}
    patch, shape = trained.model.arguments["patch"], (season.sizes["y"], season.sizes["x"])
    _check_arguments(outputs, overwrite, patch, tile, precision)
    check_layout(season)
    check_dates(trained, season, any_dates=any_dates)
    windows = corners(shape, patch, overlap)
    bands = [season[name].data for name in ORDER]
    origin = {
        "software": f"stma_nb {stma_nb.__version__}, torch {torch.__version__}",
        "weights": weights_hash(trained),
        "season": season_hash(season),
        "dates": " ".join(np.datetime_as_string(season.time.values, "D")),
        "source": Path(season.encoding.get("source", "")).name,
        "patch": patch,
        "overlap": overlap,
        "precision": precision,
    }
    folder = outputs["map"].with_name(f".{outputs['map'].name}.part")
    _open_folder(folder, origin | {"tile": tile, "outputs": sorted(outputs)}, overwrite)
    tiles = {
        folder / f"{rows.start}_{columns.start}.npz": (rows, columns)
        for rows, columns in tile_grid(shape, tile)
    }
    left = {file: where for file, where in tiles.items() if not file.exists()}

    read = partial(read_tile, bands, windows, patch)
    compute = partial(
        tile_layers,
        inference_form(trained.model, precision),
        trained.scaling,
        windows,
        batch,
        device,
        set(outputs),
    )
    finished = _on_cluster(client, read, compute, left) if client else _here(read, compute, left)
    done = sum(map(_pixels, tiles.values())) - sum(map(_pixels, left.values()))
    with tqdm(
        total=shape[0] * shape[1],
        initial=done,
        unit=" pixels",
        unit_scale=True,
        disable=not progress,
    ) as bar:
        for file, layers in finished:
            with _naming(f"The result could not be kept in '{folder}'", OSError):
                _save(file, lambda part, layers=layers: np.savez(part, **layers))
            bar.update(_pixels(tiles[file]))
    with _naming(
        f"The files could not be put together in '{folder}'", Exception
    ):  # GDAL's own errors are no OSError
        made = [
            _write_geotiff(name, tiles, season, trained.crops, origin, folder) for name in outputs
        ]
        write_class_names(outputs["map"], trained.crops)
        for file, output in reversed(
            [*zip(made, outputs.values(), strict=True)]
        ):  # the map last: when it is there, all is there
            output.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(file, output)
    shutil.rmtree(folder)
    return outputs["map"]


def _check_arguments(
    outputs: dict[str, Path], overwrite: bool, patch: int, tile: int, precision: str
) -> None:
    for output in outputs.values():
        refuse_existing(output, overwrite)
        if output.suffix.lower() not in (".tif", ".tiff"):
            raise ValueError(f"The map is written as GeoTIFF; '{output.name}' should end in .tif.")
    if len({*outputs.values()}) < len(outputs):
        raise ValueError(
            f"Two of the outputs have the same name ({', '.join(map(str, outputs.values()))}): "
            "give each its own."
        )
    if tile < patch:
        raise ValueError(f"The tile is {tile} pixels; expected at least the patch, {patch}.")
    if precision not in PRECISIONS:
        raise ValueError(
            f"The precision is '{precision}'; expected one of {', '.join(PRECISIONS)}."
        )


# ---------------------------------------------------------------------------- here, or on a cluster


def _here(
    read: Callable, compute: Callable, tiles: dict[Path, Tile]
) -> Iterator[tuple[Path, dict[str, np.ndarray]]]:
    """Compute tiles one after the other; the next is read while one is computed."""
    with ThreadPoolExecutor(1) as reader:
        reads = (reader.submit(read, tile) for tile in tiles.values())
        coming = next(reads, None)
        for file, tile in tiles.items():
            with _naming(_failed(tile), Exception):
                bands, coming = coming.result(), next(reads, None)
                layers = compute(tile, bands)
            yield file, layers


def _on_cluster(
    client, read: Callable, compute: Callable, tiles: dict[Path, Tile]
) -> Iterator[tuple[Path, dict[str, np.ndarray]]]:
    """Compute tiles on the workers of a ``distributed.Client``; one lost with its worker is
    computed again.
    """
    import cloudpickle
    from distributed import as_completed

    within = []
    recipe = cloudpickle.dumps(read, protocol=5, buffer_callback=within.append)
    shipped = (len(recipe) + sum(buffer.raw().nbytes for buffer in within)) / 1e6
    if shipped > 50:
        raise ValueError(
            f"The season lies in memory ({shipped:.0f} MB) and would have to be sent to every "
            "worker: open it with "
            "cube.open_season and do not load it, then workers read what they need from its files."
        )
    client.wait_for_workers(1, timeout=60)
    [job] = client.scatter([(read, compute)], broadcast=True, hash=False)
    waiting, running = list(reversed(tiles.items())), {}
    ready = as_completed()
    while waiting or running:
        while waiting and len(running) < 2 * max(1, len(client.nthreads())):
            file, tile = waiting.pop()
            future = client.submit(_task, job, tile, pure=False)
            running[future.key] = file
            ready.add(future)
        future = next(ready)
        file = running.pop(future.key)
        with _naming(_failed(tiles[file]), Exception):
            layers = future.result()
        yield file, layers


_ONE_AT_A_TIME = threading.Lock()


def _task(job: tuple[Callable, Callable], tile: Tile) -> dict[str, np.ndarray]:
    """A tile on a worker: while one is computed, with all threads of the worker, the next may be
    read.
    """
    from distributed import get_worker

    read, compute = job
    bands = read(tile)
    with _ONE_AT_A_TIME:
        torch.set_num_threads(get_worker().state.nthreads)
        return compute(tile, bands)


def _failed(tile: Tile) -> str:
    rows, columns = tile
    return (
        f"The tile of rows {rows.start} to {rows.stop} and columns {columns.start} to "
        f"{columns.stop} failed"
    )


@contextmanager
def _naming(what: str, kind: type[Exception]) -> Iterator[None]:
    """Say what an error stopped, and that nothing finished is lost."""
    try:
        yield
    except kind as error:
        say = OSError if isinstance(error, OSError) else RuntimeError
        why = str(error).rstrip(".") or type(error).__name__
        raise say(
            f"{what} ({why}): once that is mended, the same call goes on with the tiles that are "
            "finished."
        ) from error


# ------------------------------------------------------------------------- what is kept and written


def weights_hash(trained: Trained) -> str:
    """SHA-256 of a network's arguments, scaling and weights."""
    digest = hashlib.sha256(repr((trained.model.arguments, trained.scaling)).encode())
    for name, value in sorted(trained.model.state_dict().items()):
        digest.update(name.encode() + value.cpu().numpy().tobytes())
    return digest.hexdigest()


def season_hash(season: xr.Dataset) -> str:
    """SHA-256 of a season's dates, grid and backscatter in nine small windows: cheap, and it tells
    one season from another.

    A change between the windows that leaves them, dates and grid as they are is not noticed.
    """
    grid = season.time.values, season.y.values, season.x.values
    digest = hashlib.sha256(
        season.rio.crs.to_wkt().encode() + b"".join(axis.tobytes() for axis in grid)
    )
    rows, columns = (
        np.linspace(0, max(0, season.sizes[axis] - 8), 3).astype(int) for axis in ("y", "x")
    )
    looks = [
        season[name].data[:, row : row + 8, column : column + 8]
        for name in ORDER
        for row in rows
        for column in columns
    ]
    for values in dask.compute(*looks, scheduler="threads"):
        digest.update(values.tobytes())
    return digest.hexdigest()


def _open_folder(folder: Path, job: dict, overwrite: bool) -> None:
    """Make the folder of finished tiles, or find it again as the same job left it."""
    note = folder / "job.json"
    if note.exists():
        before = json.loads(note.read_text(encoding="utf-8"))
        other = [key for key in job if before.get(key) != job[key]]
        if not other:
            return
        if not overwrite:
            raise FileExistsError(
                f"'{folder}' holds an unfinished map of the same name with other "
                f"{' and '.join(other)}: finish it with the call "
                "that began it, or start anew with overwrite (--overwrite)."
            )
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    _save(note, lambda part: part.write_text(json.dumps(job, indent=1), encoding="utf-8"))


def _save(file: Path, write: Callable[[Path], object]) -> None:
    """Write a file that is there in full or not at all."""
    part = file.with_name(f"part_{file.name}")
    write(part)
    part.replace(file)


def _pixels(tile: Tile) -> int:
    return (tile[0].stop - tile[0].start) * (tile[1].stop - tile[1].start)


def _write_geotiff(
    name: str,
    tiles: dict[Path, Tile],
    season: xr.Dataset,
    crops: tuple[Crop, ...],
    origin: dict,
    folder: Path,
) -> Path:
    """Put the tiles of one output together, as a cloud-optimised GeoTIFF in ``folder``; returns its
    path.
    """
    bands = {
        "map": ["crop"],
        "probabilities": [crop.name for crop in crops],
        "entropy": ["share of the greatest possible entropy"],
    }
    profile = geotiff_profile(season) | {
        "dtype": "uint8",
        "count": len(bands[name]),
        "nodata": NODATA,
        "bigtiff": "if_safer",
    }
    plain, made = folder / "plain.tif", folder / f"{name}.tif"
    for file in (plain, made):
        file.unlink(
            missing_ok=True
        )  # half of one, from a run that was stopped, GDAL could not replace
    with rasterio.Env(GDAL_CACHEMAX=64):  # MB; the default is a share of the machine's memory
        with rasterio.open(plain, "w", **profile) as tif:
            if name == "map":
                write_legend(tif, crops)
            else:
                tif.scales = [1 / STEPS] * tif.count
            tif.descriptions = bands[name]
            tif.update_tags(**{key.upper(): value for key, value in origin.items()})
            for file, tile in tiles.items():
                with np.load(file) as layers:
                    tif.write(layers[name], window=Window.from_slices(*tile))
        resampling = "mode" if name == "map" else "average"
        options = {
            "compress": "deflate",
            "blocksize": CHUNK,
            "overview_resampling": resampling,
            "bigtiff": "if_safer",
        }
        rasterio.shutil.copy(plain, made, driver="COG", **options)
    plain.unlink()
    return made
