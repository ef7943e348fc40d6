"""The command of this room: ``map``."""

import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated, Literal

import typer

app = typer.Typer()


@app.command("map")
def map_season(
    weights: Annotated[Path, typer.Argument(help="what 'train' wrote (.safetensors)")],
    season: Annotated[
        Path, typer.Argument(help="a .zarr store, a .nc file, or a folder of GeoTIFFs")
    ],
    output: Annotated[Path, typer.Argument(help="the map to write (.tif)")],
    overlap: Annotated[
        float | None,
        typer.Option(
            help="share of a patch by which windows overlap (default: half, and nothing for "
            "networks that look at single pixels)"
        ),
    ] = None,
    probabilities: Annotated[
        Path | None,
        typer.Option(metavar="TIF", help="write the probability of every class, too"),
    ] = None,
    entropy: Annotated[
        Path | None,
        typer.Option(metavar="TIF", help="write how uncertain the network is, too"),
    ] = None,
    parcels: Annotated[
        Path | None,
        typer.Option(
            metavar="TIF",
            help="parcel numbers on the season's grid (0 = none): each parcel bears the class of "
            "most of its pixels",
        ),
    ] = None,
    least_hectares: Annotated[
        float | None,
        typer.Option(
            metavar="AREA",
            help="minimum mapping unit: smaller clumps go to their largest neighbour (after the "
            "parcels)",
        ),
    ] = None,
    batch: Annotated[
        int | None,
        typer.Option(help="windows computed at a time (default: what fits a CPU and 2 GB)"),
    ] = None,
    tile: Annotated[
        int,
        typer.Option(help="side of the tiles that are computed and kept one by one, in pixels"),
    ] = 512,
    precision: Annotated[
        Literal["float32", "bf16"], typer.Option(help="bf16: faster, a few labels change")
    ] = "float32",
    workers: Annotated[
        int | None,
        typer.Option(metavar="N", help="share the work among N processes of this machine"),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="share the work among the workers of this Dask scheduler"
        ),
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda, ... (default: the GPU when there is one)")
    ] = None,
    pattern: Annotated[str, typer.Option(help="which files of a GeoTIFF folder to read")] = "*.tif",
    scale: Annotated[
        Literal["power", "amplitude", "dB", "gfmap"] | None,
        typer.Option(help="what the numbers are (default: what files say, or linear power)"),
    ] = None,
    any_dates: Annotated[
        bool,
        typer.Option("--any-dates", help="map although the dates are others than in training"),
    ] = False,
    any_pixels: Annotated[
        bool,
        typer.Option("--any-pixels", help="map although pixels are of another size than learned"),
    ] = False,
    any_quantity: Annotated[
        bool,
        typer.Option("--any-quantity", help="map gamma0 with a network of sigma0, or vice versa"),
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="replace the map if it exists")
    ] = False,
) -> None:
    """Map a whole season with trained weights.

    Finished tiles are kept: when it was stopped, the same command goes on with them.

    \b
    python -m stma_nb map weights.safetensors my_season.zarr map.tif
    python -m stma_nb map weights.safetensors my_season.zarr map.tif --entropy doubt.tif --workers 4
    python -m stma_nb map weights.safetensors my_season.zarr map.tif --parcels parcel.tif
    python -m stma_nb map weights.safetensors my_season.zarr map.tif --least-hectares 0.5
    """
    if workers is not None and scheduler is not None:
        raise typer.BadParameter("not allowed with --workers", param_hint="--scheduler")
    from stma_nb import cube, files, predict, train

    files.refuse_existing(output, overwrite)
    trained = train.load(weights)
    cubed = cube.open_season(season, pattern, scale)
    asked = {"dates": any_dates, "pixels": any_pixels, "quantity": any_quantity}
    allow = [name for name, given in asked.items() if given]
    try:
        with _dask_client(workers, scheduler) as client:
            predict.season_map(
                trained,
                cubed,
                output,
                overlap,
                batch,
                allow,
                overwrite,
                device=device,
                probabilities=probabilities,
                entropy=entropy,
                tile=tile,
                precision=precision,
                client=client,
                parcels=parcels,
                least_hectares=least_hectares,
            )
    except KeyboardInterrupt:
        print(
            "\nstma_nb: finished tiles are kept; the same command goes on with them",
            file=sys.stderr,
        )
        raise
    print(f"Wrote {output}")


def _dask_client(workers: int | None, scheduler: str | None) -> AbstractContextManager:
    """A client of the scheduler, or of new processes of this machine; None without either."""
    import signal

    if not (workers or scheduler):
        return nullcontext()
    from dask.system import CPU_COUNT

    from stma_nb.extras import needs

    with needs("cluster"):
        from distributed import Client

    if not workers:
        return Client(scheduler)
    threads = max(1, CPU_COUNT // workers)
    # Workers inherit it: a Ctrl-C is for this process, which ends them.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return Client(n_workers=workers, threads_per_worker=threads, dashboard_address=None)
    finally:
        signal.signal(signal.SIGINT, before)
