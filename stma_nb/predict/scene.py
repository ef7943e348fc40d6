"""Map a whole season tile by tile, here or on a cluster: memory stays flat, and it goes on."""

import threading
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import rasterio
import torch
import xarray as xr
from tqdm import tqdm

import stma_nb
from stma_nb.cube import check_layout
from stma_nb.files import check_outputs, one_writer
from stma_nb.machine import memory_kept, pick_device, whole_cores
from stma_nb.patches import corners
from stma_nb.predict.gpu import on_device
from stma_nb.predict.parts import Parts, begun_with, season_hash, weights_hash
from stma_nb.predict.products import least_pixels, parcel_vote, read_parcels, sieve
from stma_nb.predict.tiles import (
    ENGINES,
    PRECISIONS,
    Tile,
    TileMapper,
    fastest_precision,
    inference_form,
    read_tile,
    tile_grid,
)
from stma_nb.train import Trained, check_fits, check_network

Layers = dict[str, np.ndarray]


def season_map(
    trained: Trained,
    season: xr.Dataset,
    path: str | Path,
    overlap: float | None = None,
    batch: int | None = None,
    allow: Collection[str] = (),
    overwrite: bool = False,
    progress: bool = True,
    device: str | None = None,
    *,
    probabilities: str | Path | None = None,
    entropy: str | Path | None = None,
    tile: int = 512,
    precision: str = "float32",
    engine: str = "torch",
    client: Any = None,
    parcels: str | Path | None = None,
    least_hectares: float | None = None,
) -> Path:
    """Classify every pixel of a season, and write the map as a cloud-optimised GeoTIFF.

    The map has the legend's colours and names; 255 (nodata) are pixels without any data. Finished
    tiles are kept in a folder ``.<name>.part`` beside the map until it is complete, so the same
    call after an interruption goes on. All files appear under their names only when complete.

    Args:
        trained: any network that keeps the contract ``train.Network``, as ``train.fit``,
            ``train.fit_forest`` or ``train.load`` give it.
        season: a season cube with the network's bands and dates.
        path: the GeoTIFF to write; it is also what is returned.
        overlap: share of a patch by which windows overlap; their probabilities are blended with a
            smooth weight, so that no seams show. By default half, and nothing for a network that
            looks at every pixel alone.
        batch: windows computed at a time (default: about 1.5 million values per band).
        allow: what may be otherwise than in training: "dates", "pixels", "quantity"
            (``train.check_fits``).
        overwrite: replace existing files, and the tiles of a map made in another way.
        device: where to compute; the GPU when there is one.
        probabilities, entropy: two more GeoTIFFs, both in bytes with the scale 1/250 and 255 as
            nodata: the probability of each class (a band each), and their entropy as a share of the
            greatest possible (0 certain, 1 clueless).
        tile: side of the tiles in pixels.
        precision: "bf16" computes the trunk of STMA in bfloat16, by which about one label in a
            thousand changes (four for the published size with random weights). Some processors are
            faster with it, others slower: "auto" times a batch of each and takes the faster.
        engine: "onnx" lets ONNX Runtime compute, on the CPU, if it is installed
            (``stma_nb[fast]``): the same up to rounding, quicker for large scenes, and some seconds
            slower to start.
        client: a ``distributed.Client``: its workers compute tiles, two per worker at a time, with
            as many threads as the worker has (never more than the cores it may use). They read the
            season from its files, which they must see under the same path; the map is written here.
        parcels: a GeoTIFF of parcel numbers on the season's grid (0 or nodata: none): each parcel
            bears the class that most of its pixels got (``parcel_vote``).
        least_hectares: the minimum mapping unit: smaller clumps of a class go to their largest
            neighbour (``sieve``), after the vote of the parcels, so that a smaller parcel may too.

    Both change the map alone, not the probabilities or the entropy, and hold the whole map in
    memory, a byte a pixel, and the parcels as well; the sieve needs some bytes a pixel more.

    Raises SeasonError for what is no season, ValueError if it does not fit the network or an
    argument is out of range, FileExistsError if an output exists or an unfinished map was made in
    another way, OSError if another process makes it, RuntimeError naming a tile that failed.
    """
    given = {"map": path, "probabilities": probabilities, "entropy": entropy}
    outputs = {name: Path(output) for name, output in given.items() if output}
    if not isinstance(trained, Trained):
        raise ValueError(
            f"{trained!r} is no trained network: load its weights first (train.load), or put your "
            "own network into a train.Trained."
        )
    check_network(trained.model)
    patch = trained.model.arguments["patch"]
    if client is None:
        pick_device(device)  # raises for one that is not there
    check_layout(season)
    check_outputs(outputs.values(), (parcels,), overwrite)
    _check_arguments(outputs, patch, tile, batch, precision, engine, device)
    check_fits(trained, season, allow)
    if precision == "auto":
        begun = begun_with(outputs["map"]).get("precision")
        precision = begun or fastest_precision(trained.model, batch, device)
    finish = _finish(season, parcels, least_hectares)
    if overlap is None:
        overlap = 0.0 if getattr(trained.model, "pixelwise", False) else 0.5
    shape = season.sizes["y"], season.sizes["x"]
    windows = corners(shape, patch, overlap)
    origin = {
        "software": f"stma_nb {stma_nb.__version__}, torch {torch.__version__}",
        "network": type(trained.model).__name__,
        "weights": weights_hash(trained),
        "season": season_hash(season, trained.scaling.bands),
        "bands": " ".join(trained.scaling.bands),
        "dates": " ".join(np.datetime_as_string(season.time.values, "D")),
        "source": Path(season.encoding.get("source", "")).name,
        "patch": patch,
        "overlap": overlap,
        "precision": precision,
        "engine": engine,
    }
    if engine == "onnx":
        device = "cpu"
    model = inference_form(trained.model, precision, engine)
    mapper = TileMapper(model, trained.scaling, windows, batch, device, set(outputs))
    layers = [season[name].data for name in trained.scaling.bands]
    read: Callable[[Tile], Any] = partial(read_tile, layers, windows, patch)
    if client is None and engine == "torch" and pick_device(device) != "cpu":
        mapper, read = on_device(mapper, read, trained.model, precision)

    with one_writer(path):
        parts = Parts(outputs, tile_grid(shape, tile), origin | {"tile": tile}, overwrite)
        left = parts.left()
        finished = (
            _on_cluster(client, read, mapper.layers, left)
            if client
            else _here(read, mapper.layers, left)
        )
        with tqdm(
            total=shape[0] * shape[1],
            initial=shape[0] * shape[1] - sum(map(_pixels, left)),
            unit=" pixels",
            unit_scale=True,
            disable=not progress,
        ) as bar:
            for where, computed in finished:
                with _naming(f"The result could not be kept in '{parts.folder}'", OSError):
                    parts.keep(where, computed)
                bar.update(_pixels(where))
        # GDAL's own errors are no OSError.
        with _naming(f"The files could not be put together in '{parts.folder}'", Exception):
            product = {"parcels": parcels and Path(parcels).name, "least_hectares": least_hectares}
            told = {name: value for name, value in product.items() if value}
            parts.assemble(season, trained.crops, origin | told, finish)
    return outputs["map"]


def season_codes(trained: Trained, season: xr.Dataset, **options: Any) -> np.ndarray:
    """Class codes (rows, columns) of a season, 255 without data: for a scene that fits in memory.

    ``options`` are those of ``season_map``, through whose tiles it goes.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder) / "map.tif"
        season_map(trained, season, path, progress=False, **options)
        with rasterio.open(path) as tif:
            return tif.read(1)


def _finish(
    season: xr.Dataset, parcels: str | Path | None, least_hectares: float | None
) -> Callable[[np.ndarray], np.ndarray] | None:
    """What is done to the whole map of codes in the end; None if nothing is."""
    if parcels is None and least_hectares is None:
        return None
    parcel = None if parcels is None else read_parcels(parcels, season)
    pixels = 1 if least_hectares is None else least_pixels(season, least_hectares)

    def finish(codes: np.ndarray) -> np.ndarray:
        voted = codes if parcel is None else parcel_vote(codes, parcel)
        return voted if pixels == 1 else sieve(voted, pixels)

    return finish


def _pixels(tile: Tile) -> int:
    return (tile[0].stop - tile[0].start) * (tile[1].stop - tile[1].start)


def _check_arguments(
    outputs: dict[str, Path],
    patch: int,
    tile: int,
    batch: int | None,
    precision: str,
    engine: str,
    device: str | None,
) -> None:
    for output in outputs.values():
        if output.suffix.lower() not in (".tif", ".tiff"):
            raise ValueError(f"The map is written as GeoTIFF; '{output.name}' should end in .tif.")
    if tile < patch:
        raise ValueError(f"The tile is {tile} pixels; expected at least the patch, {patch}.")
    if batch is not None and batch < 1:
        raise ValueError(f"The batch is {batch} windows; expected at least 1.")
    if precision not in (*PRECISIONS, "auto"):
        raise ValueError(
            f"The precision is '{precision}'; expected one of {', '.join(PRECISIONS)}, auto."
        )
    if engine not in ENGINES:
        raise ValueError(f"The engine is '{engine}'; expected one of {', '.join(ENGINES)}.")
    if engine == "onnx" and precision != "float32":
        raise ValueError(f"The engine onnx maps in float32; the precision is '{precision}'.")
    if engine == "onnx" and device not in (None, "cpu"):
        raise ValueError(f"The engine onnx computes on the CPU; the device is '{device}'.")


# --------------------------------------------------------------------------- here, or on a cluster


def _here(
    read: Callable[[Tile], Any], compute: Callable[..., Layers], tiles: list[Tile]
) -> Iterator[tuple[Tile, Layers]]:
    """Compute tiles one after the other; the next is read while one is computed."""
    with ThreadPoolExecutor(1) as reader:
        reads = (reader.submit(read, tile) for tile in tiles)
        coming = next(reads, None)
        for tile in tiles:
            with _naming(_failed(tile), Exception):
                assert coming is not None  # there are as many reads as tiles
                values = coming.result()
                coming = next(reads, None)
                layers = compute(tile, values)
            yield tile, layers


def _on_cluster(
    client: Any,
    read: Callable[[Tile], np.ndarray],
    compute: Callable[..., Layers],
    tiles: list[Tile],
) -> Iterator[tuple[Tile, Layers]]:
    """Compute tiles on the workers of a ``distributed.Client``; a lost one's are done again."""
    from distributed import as_completed

    _refuse_large_recipe(read)
    client.wait_for_workers(1, timeout=60)
    [job] = client.scatter([(read, compute)], broadcast=True, hash=False)
    waiting = list(reversed(tiles))
    running: dict[str, Tile] = {}
    ready = as_completed()
    while waiting or running:
        while waiting and len(running) < 2 * max(1, len(client.nthreads())):
            tile = waiting.pop()
            future = client.submit(_map_tile, job, tile, pure=False)
            running[future.key] = tile
            ready.add(future)
        future = next(ready)
        tile = running.pop(future.key)
        with _naming(_failed(tile), Exception):
            layers = future.result()
        yield tile, layers


def _refuse_large_recipe(read: Callable) -> None:
    """Raise ValueError if sending what reads a season would send the season itself."""
    import cloudpickle

    within: list[Any] = []
    recipe = cloudpickle.dumps(read, protocol=5, buffer_callback=within.append)
    shipped = (len(recipe) + sum(buffer.raw().nbytes for buffer in within)) / 1e6
    if shipped > 50:
        raise ValueError(
            f"The season lies in memory ({shipped:.0f} MB) and would have to be sent to every "
            "worker: open it with cube.open_season and do not load it, then workers read what "
            "they need from its files."
        )


_ONE_AT_A_TIME = threading.Lock()


def _map_tile(job: tuple[Callable, Callable], tile: Tile) -> Layers:
    """A tile on a worker: while one is computed, with all its threads, the next may be read."""
    from distributed import get_worker

    read, compute = job
    values = read(tile)
    with _ONE_AT_A_TIME, memory_kept():
        torch.set_num_threads(min(get_worker().state.nthreads, whole_cores()))
        return compute(tile, values)


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
