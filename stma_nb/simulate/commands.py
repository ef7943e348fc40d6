"""The command of the simulator: ``data simulate``."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from stma_nb.options import Scale

data = typer.Typer()  # what stands under 'data'


@data.command()
def simulate(
    output: Annotated[
        Path, typer.Argument(help="a .zarr store, a .nc file, or a folder for GeoTIFFs")
    ],
    size: Annotated[
        tuple[int, int], typer.Option(metavar="ROWS COLUMNS", help="pixels of 10 m")
    ] = (512, 512),
    dates: Annotated[int, typer.Option(min=1, help="number of acquisitions")] = 24,
    dates_of: Annotated[
        Path | None,
        typer.Option(metavar="SEASON", help="take the acquisition times of this season instead"),
    ] = None,
    pattern: Annotated[
        str, typer.Option(help="which files of a GeoTIFF folder --dates-of means")
    ] = "*.tif",
    scale: Scale = None,
    year: Annotated[int, typer.Option(help="harvest year: sets weather and phenology")] = 2018,
    seed: Annotated[int, typer.Option(min=0, help="sets fields and speckle")] = 0,
    place: Annotated[
        int | None,
        typer.Option(min=0, help="whose weather; scenes of one place share it (default: seed)"),
    ] = None,
    region: Annotated[
        float, typer.Option(help="-1 the south of Europe, 0 Brandenburg, 1 the north")
    ] = 0.0,
    track: Annotated[
        Literal["ascending", "descending"], typer.Option(help="from where the fields are seen")
    ] = "ascending",
    wrong_labels: Annotated[
        float, typer.Option(help="share of the parcels that bear the label of another crop")
    ] = 0.0,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="replace the output if it exists")
    ] = False,
) -> None:
    """Simulate a season of Sentinel-1 over fields.

    The fields are like those of Brandenburg.

    \b
    python -m stma_nb data simulate my_season.zarr --size 512 512 --dates 24 --year 2021
    python -m stma_nb data simulate same_dates.zarr --dates-of my_season.zarr --seed 1
    """
    from stma_nb import cube, files
    from stma_nb.simulate import season

    files.check_outputs((output,), (dates_of,), overwrite)
    times = cube.open_season(dates_of, pattern, scale).time.values if dates_of else dates
    made = season(
        size=size,
        dates=times,
        year=year,
        seed=seed,
        place=place,
        region=region,
        track=track,
        wrong_labels=wrong_labels,
    )
    print(f"Wrote {cube.save_season(made, output, overwrite)}")
