"""The command of this room: ``assess``."""

from pathlib import Path
from typing import Annotated, Literal

import typer

app = typer.Typer()


@app.command()
def assess(
    map: Annotated[
        Path,
        typer.Argument(
            help="the map: a GeoTIFF of class codes with a legend, such as 'map' writes"
        ),
    ],
    reference: Annotated[
        Path,
        typer.Argument(
            help="a GeoTIFF of the true classes, or a sample: a CSV with row, column, reference"
        ),
    ],
    parcels: Annotated[
        Path | None,
        typer.Option(help="a GeoTIFF of parcel numbers (0 = none): adds the vote of each parcel"),
    ] = None,
    where: Annotated[
        Path | None,
        typer.Option(
            help="a GeoTIFF of the pixels to count (not 0), such as those of the test blocks"
        ),
    ] = None,
    align: Annotated[
        Literal["nearest"] | None,
        typer.Option(help="bring the reference to the map's grid by nearest neighbour"),
    ] = None,
    crops_only: Annotated[
        bool,
        typer.Option("--crops-only", help="leave out pixels whose reference is the background"),
    ] = False,
    legend: Annotated[
        Path | None,
        typer.Option(
            metavar="CSV", help="names for rasters without a legend: a table of code and name"
        ),
    ] = None,
    block: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="side (pixels) of the blocks that the intervals rest on: that of the split, "
            "'train --block'; otherwise measured, three times as long as errors hang together",
        ),
    ] = None,
    output: Annotated[Path, typer.Option(help="the page to write")] = Path("report.html"),
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="replace the page and its numbers if they exist"),
    ] = False,
) -> None:
    """Write the accuracy of a map as a page and as numbers.

    The page is an .html file; the numbers lie beside it in a .json file.

    \b
    python -m stma_nb assess map.tif crop.tif --parcels parcel.tif
    python -m stma_nb assess map.tif crop.tif --where test.tif --block 128
    """
    import warnings

    from stma_nb import accuracy

    background = not crops_only
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Intervals: ")  # told below, without a line of code
        numbers = accuracy.assess(
            map, reference, output, parcels, where, align, background, overwrite, legend, block
        )
    if numbers.get("caution"):
        print(f"Intervals: {numbers['caution']}")
    print(f"{numbers['summary']} Wrote {output} and {output.with_suffix('.json')}")
