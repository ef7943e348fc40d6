"""The commands of this room: ``experiment`` and ``early``."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from stma_nb.options import Pattern, Scale

app = typer.Typer()


@app.command()
def experiment(
    source: Annotated[
        Literal["brandenburg", "pastis", "south-africa"],
        typer.Argument(help="which data ('data' gets them)"),
    ],
    folder: Annotated[Path, typer.Argument(help="holds the data")],
    output: Annotated[Path, typer.Argument(help="a new folder for networks, maps and pages")],
    quick: Annotated[
        bool,
        typer.Option("--quick", help="a small network and few data, to see that all works"),
    ] = False,
    weights: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="score weights of the authors' code instead of training"),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="passes over the training patches (default: 500)")
    ] = None,
    batch: Annotated[int | None, typer.Option(help="patches of a step (default: 32)")] = None,
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda, ... (default: the GPU when there is one)")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="go on with an experiment that was stopped")
    ] = False,
) -> None:
    """Run the paper's experiment on its data.

    It is scored twice: by the released code's rule, and honestly.

    \b
    python -m stma_nb experiment brandenburg my_data results --quick
    python -m stma_nb experiment brandenburg my_data results --resume
    """
    from stma_nb import experiment, files

    try:
        with files.one_writer(output):
            scores = experiment.run(
                source, folder, output, quick, weights, epochs, batch, device, resume
            )
    except KeyboardInterrupt:
        if output.exists():
            print(
                f"\nstma_nb: '{output}' holds the experiment so far: give the same command with "
                "--resume",
                file=sys.stderr,
            )
        raise
    for name, row in scores.items():
        print(
            f"{name:<9} {row['overall accuracy']:.1%} right (background counted), mean F1 of "
            f"crops {row['mean F1 of crops']:.3f}"
        )
    print(f"Wrote {output / 'experiment.html'} and {output / 'experiment.json'}")


@app.command()
def early(
    season: Annotated[
        Path,
        typer.Argument(help="a .zarr store, a .nc file, or a folder of GeoTIFFs with crop.tif"),
    ],
    method: Annotated[
        Literal["forest", "boosting"], typer.Option(help="what learns, pixel by pixel")
    ] = "forest",
    pixels: Annotated[int, typer.Option(min=1, help="pixels to learn from, at most")] = 5000,
    window: Annotated[
        int, typer.Option(help="side of the window of the speckle filter (boxcar), in pixels")
    ] = 7,
    block: Annotated[int, typer.Option(help="side of the blocks that are split, in pixels")] = 128,
    buffer: Annotated[int, typer.Option(help="pixels left unused between parts")] = 8,
    seed: Annotated[int, typer.Option(min=0, help="sets the split and what is drawn")] = 0,
    pattern: Pattern = "*.tif",
    scale: Scale = None,
    output: Annotated[
        Path | None, typer.Option(metavar="CSV", help="write the table, a line a date")
    ] = None,
    figure: Annotated[
        Path | None, typer.Option(metavar="PNG", help="draw it (or .svg, .pdf)")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="replace table and figure if they exist")
    ] = False,
) -> None:
    """Tell how early in the season crops are known.

    A forest is trained and tested anew with the dates up to each acquisition. It learns and is
    tested in blocks of the scene that lie apart, on speckle-filtered images. The season is held in
    memory.

    \b
    python -m stma_nb early my_season.zarr
    python -m stma_nb early my_season.zarr --output early.csv --figure early.png
    """
    from functools import partial

    from stma_nb import cube, experiment, figures, files, patches, radar, train

    files.check_outputs((output, figure), (season,), overwrite)
    cubed = cube.open_season(season, pattern, scale).load()
    crops = cube.legend(cubed)
    crop = cubed.crop.values
    parcel = cubed.parcel.values if "parcel" in cubed else None
    parts = patches.block_split(
        crop.shape, block, buffer=buffer, seed=seed, parcel=parcel, crop=crop
    )
    fit = {"forest": train.fit_forest, "boosting": train.fit_boosting}[method]
    table = experiment.accuracy_by_date(
        radar.boxcar(cubed, window),
        parts == patches.TRAIN,
        parts == patches.TEST,
        partial(fit, pixels=pixels, seed=seed),
    )
    if output:
        files.write_whole(output, lambda part: table.to_csv(part, date_format="%Y-%m-%d"))
    if figure:
        drawn = figures.accuracy_by_date(table, crops)
        files.write_whole(figure, lambda part: drawn.savefig(part, dpi=150))
    if written := [str(file) for file in (output, figure) if file]:
        print(f"Wrote {' and '.join(written)}")
    else:
        print(table.to_string(float_format="{:.2f}".format))
