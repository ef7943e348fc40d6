"""The commands of this room: ``map``, ``fields`` and ``visit``."""

import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated, Literal

import typer

from stma_nb.options import Pattern, Scale

app = typer.Typer()
LEAST = 0.5  # hectares: the minimum mapping unit of outlines that are the map's own


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
            metavar="FILE",
            help="polygons (.gpkg, .parquet, ...): write the vote of each, too; or a .tif of "
            "numbers on the season's grid (0 = none): each parcel of the map bears the class of "
            "most of its pixels",
        ),
    ] = None,
    parcels_layer: Annotated[
        str | None, typer.Option(metavar="NAME", help="which layer of the polygons to read")
    ] = None,
    fields: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="where to write the vote of each polygon (default: MAP_fields.gpkg); without "
            "polygons, outlines of the map itself: see the command 'fields'",
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
        typer.Option(min=1, help="windows computed at a time (default: what fits a CPU and 2 GB)"),
    ] = None,
    tile: Annotated[
        int,
        typer.Option(help="side of the tiles that are computed and kept one by one, in pixels"),
    ] = 512,
    precision: Annotated[
        Literal["float32", "bf16", "auto"],
        typer.Option(help="bf16: a few labels change; auto: what is faster on this machine"),
    ] = "float32",
    engine: Annotated[
        Literal["torch", "onnx"],
        typer.Option(
            help="what computes; onnx: quicker for large scenes on a CPU, needs the extra 'fast'"
        ),
    ] = "torch",
    workers: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="share the work among N processes of this machine"),
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
    pattern: Pattern = "*.tif",
    scale: Scale = None,
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
        bool, typer.Option("--overwrite", help="replace the outputs if they exist")
    ] = False,
) -> None:
    """Map a whole season with trained weights.

    Finished tiles are kept: when it was stopped, the same command goes on with them.

    \b
    python -m stma_nb map weights.safetensors my_season.zarr map.tif
    python -m stma_nb map weights.safetensors my_season.zarr map.tif --entropy doubt.tif --workers 4
    python -m stma_nb map weights.safetensors my_season.zarr map.tif --parcels parcels.gpkg
    python -m stma_nb map weights.safetensors my_season.zarr map.tif --parcels parcel.tif
    python -m stma_nb map weights.safetensors my_season.zarr map.tif --least-hectares 0.5
    """
    if workers is not None and scheduler is not None:
        raise typer.BadParameter("not allowed with --workers", param_hint="--scheduler")
    from stma_nb import cube, files, predict, train

    files.check_outputs((output, probabilities, entropy), (weights, season, parcels), overwrite)
    polygons = parcels if parcels and parcels.suffix.lower() not in (".tif", ".tiff") else None
    if parcels_layer and not polygons:
        raise typer.BadParameter("needs a file of polygons", param_hint="--parcels-layer")
    if polygons and not fields:
        fields = output.with_name(f"{output.stem}_fields.gpkg")
    if fields:
        sources = (weights, season, output, polygons, probabilities, entropy)
        predict.check_layer_path(fields, overwrite, sources)
    trained = train.load(weights)
    cubed = cube.open_season(season, pattern, scale)
    outlines = predict.read_outlines(polygons, cubed, parcels_layer) if polygons else None
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
                engine=engine,
                client=client,
                parcels=None if polygons else parcels,
                least_hectares=least_hectares,
            )
    except KeyboardInterrupt:
        print(
            "\nstma_nb: finished tiles are kept; the same command goes on with them",
            file=sys.stderr,
        )
        raise
    print(f"Wrote {output}")
    if fields:
        if outlines is None:
            outlines = predict.map_outlines(output, least_hectares or LEAST)
        print(predict.write_fields(output, outlines, fields, probabilities, overwrite))


@app.command("fields")
def fields_of_map(
    map: Annotated[Path, typer.Argument(help="the map, as 'map' writes it (.tif)")],
    output: Annotated[
        Path, typer.Argument(help="the layer to write (.gpkg, .parquet, .geojson, or .csv)")
    ],
    parcels: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="polygons that vote; any CRS, any attributes"),
    ] = None,
    parcels_layer: Annotated[
        str | None, typer.Option(metavar="NAME", help="which layer of the polygons to read")
    ] = None,
    probabilities: Annotated[
        Path | None,
        typer.Option(metavar="TIF", help="what 'map --probabilities' wrote: adds their mean"),
    ] = None,
    least_hectares: Annotated[
        float,
        typer.Option(
            metavar="AREA",
            help="minimum mapping unit of outlines that are the map's own: smaller clumps go to "
            "their largest neighbour",
        ),
    ] = LEAST,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="replace the layer if it exists")
    ] = False,
) -> None:
    """Write a layer of fields: what the pixels of each vote, and how certain they are.

    The fields are parcels, or without any outlines of the map itself. QGIS opens the layer in the
    colours of the legend.

    \b
    python -m stma_nb fields map.tif fields.gpkg --parcels parcels.gpkg
    python -m stma_nb fields map.tif fields.parquet --parcels parcels.gpkg --probabilities p.tif
    python -m stma_nb fields map.tif fields.gpkg --least-hectares 1
    """
    from stma_nb import cube, predict

    predict.check_layer_path(output, overwrite, (map, parcels, probabilities))
    predict.map_legend(map)
    if parcels:
        outlines = predict.read_outlines(parcels, cube.open_layer(map), parcels_layer)
    else:
        outlines = predict.map_outlines(map, least_hectares)
    print(predict.write_fields(map, outlines, output, probabilities, overwrite))


@app.command()
def visit(
    map: Annotated[Path, typer.Argument(help="the map, as 'map' writes it (.tif)")],
    entropy: Annotated[Path, typer.Argument(help="what 'map --entropy' wrote (.tif)")],
    output: Annotated[
        Path, typer.Argument(help="the points to write (.gpkg, .parquet, .geojson, or .csv)")
    ],
    number: Annotated[int, typer.Option(metavar="N", help="how many places")] = 20,
    apart: Annotated[
        float, typer.Option(metavar="METRES", help="no two places are closer than this")
    ] = 500.0,
    probabilities: Annotated[
        Path | None,
        typer.Option(metavar="TIF", help="what 'map --probabilities' wrote: adds second classes"),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="replace the points if they exist")
    ] = False,
) -> None:
    """Write the places to visit next: where the class is most in doubt, apart from each other.

    \b
    python -m stma_nb visit map.tif doubt.tif places.gpkg --number 30
    python -m stma_nb visit map.tif doubt.tif places.csv --apart 1000 --probabilities p.tif
    """
    from stma_nb import predict

    predict.check_layer_path(output, overwrite, (map, entropy, probabilities))
    places = predict.places_to_visit(map, entropy, number, apart, probabilities)
    predict.save_layer(places, output, predict.map_legend(map), overwrite)
    fewer = f", no more lie {apart:g} m apart" if len(places) < number else ""
    print(f"{len(places)} places{fewer}. Wrote {output}")


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
