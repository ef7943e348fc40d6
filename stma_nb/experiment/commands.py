"""The command of this room: ``experiment``."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

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
    from stma_nb import experiment

    try:
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
