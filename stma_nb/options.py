"""Options that the commands of several rooms have in common."""

from typing import Annotated, Literal

import typer

Pattern = Annotated[str, typer.Option(help="which files of a GeoTIFF folder to read")]
Scale = Annotated[
    Literal["power", "amplitude", "dB", "gfmap"] | None,
    typer.Option(help="what the numbers are (default: what files say, or linear power)"),
]
