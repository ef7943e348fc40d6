"""The command of this room: ``bench``."""

from pathlib import Path
from typing import Annotated, Literal

import typer

app = typer.Typer()


@app.command()
def bench(
    size: Annotated[
        Literal["compact", "published", "both"], typer.Option(help="of the network")
    ] = "both",
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda, ... (default: the GPU when there is one)")
    ] = None,
    minutes: Annotated[float, typer.Option(help="for all of it; what matters comes first")] = 10.0,
    output: Annotated[
        Path | None, typer.Option(help="a CSV file (default: data/bench/DEVICE-DATE.csv)")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="replace the table if it exists")
    ] = False,
) -> None:
    """Measure how fast this machine trains and maps; the table is what notebook 07 shows.

    \b
    python -m stma_nb bench
    python -m stma_nb bench --size compact --minutes 3 --device cpu
    """
    from stma_nb import bench

    print(f"written: {bench.measure(size, device, minutes, output, overwrite)}")
