"""The command of this room: ``study``."""

from pathlib import Path
from typing import Annotated, Literal

import typer

app = typer.Typer()


@app.command()
def study(
    name: Annotated[
        Literal["rivals", "land", "parts", "recipes", "quick", "shapes", "real"],
        typer.Argument(help="which study"),
    ],
    seeds: Annotated[
        int | None, typer.Option(help="simulated scenes (default: as many as stored)")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="a JSON file (default: data/NAME_study.json)")
    ] = None,
) -> None:
    """Compare methods on simulated scenes, or on real fields; a study that was stopped goes on.

    \b
    python -m stma_nb study rivals
    python -m stma_nb study parts --seeds 1 --output one_scene.json
    python -m stma_nb study real
    """
    from stma_nb import studies

    rows = studies.run(name, seeds, output)
    print(f"{len(rows)} rows")
