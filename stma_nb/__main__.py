"""The command line, ``python -m stma_nb COMMAND``: each room brings its commands."""

import sys
from typing import TYPE_CHECKING, Annotated

from stma_nb import __version__
from stma_nb.extras import needs

if TYPE_CHECKING:
    import typer

EXAMPLES = """examples:

\b
  python -m stma_nb run             (the quickstart, end to end; results in build/)
  python -m stma_nb data simulate my_season.zarr --size 512 512 --dates 24 --year 2021
  python -m stma_nb train my_season.zarr weights.safetensors --patch 32 --width 16 --epochs 20
  torchrun --nproc-per-node 2 -m stma_nb train my_season.zarr weights.safetensors --config my.yaml
  python -m stma_nb map weights.safetensors my_season.zarr map.tif
  python -m stma_nb assess map.tif crop.tif --parcels parcel.tif
  python -m stma_nb early my_season.zarr --figure early.png
"""


def main(arguments: list[str] | None = None) -> int:
    """Run a command; returns 0, 1 after an error, 2 for bad usage, 130 when it was stopped."""
    words = sys.argv[1:] if arguments is None else arguments
    try:
        if words == ["doctor"]:  # without typer, which may be what is missing
            doctor()
            return 0
        app()(words, prog_name="python -m stma_nb")
    except SystemExit as end:  # so typer ends, whatever came of the command
        code = int(end.code or 0)
    except KeyboardInterrupt:
        code = 130
    except (ValueError, OSError, RuntimeError, FloatingPointError, ImportError) as error:
        if isinstance(error, ImportError) and error.name:  # Python's, not a sentence of ours
            raise
        print(f"stma_nb: {error}", file=sys.stderr)
        code = 1
    if code == 130:
        print("stma_nb: stopped", file=sys.stderr)
    return code


def app() -> "typer.Typer":
    """The commands of all rooms as one ``typer.Typer``."""
    with needs():
        import typer

        from stma_nb.accuracy import commands as accuracy
        from stma_nb.course import commands as course
        from stma_nb.experiment import commands as experiment
        from stma_nb.predict import commands as predict
        from stma_nb.simulate import commands as simulate
        from stma_nb.sources import commands as sources
        from stma_nb.studies import commands as studies
        from stma_nb.train import commands as train

    flag = typer.Option("--version", callback=_version, is_eager=True, help="Tell it and exit.")

    def top(version: Annotated[bool, flag] = False) -> None:
        """Crop maps from a season of Sentinel-1 radar with attention (STMA)."""

    data = typer.Typer(help="Make simulated seasons, open real ones.")
    for room in (course, simulate, sources):
        data.add_typer(room.data)
    everything = typer.Typer(
        callback=top,
        epilog=EXAMPLES,
        context_settings={"help_option_names": ["--help", "-h"]},
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    everything.command()(doctor)
    for room in (course, train, predict, accuracy, experiment, studies):
        everything.add_typer(room.app)
    everything.add_typer(data, name="data")
    return everything


def _version(asked: bool) -> None:
    if asked:
        print(f"stma_nb {__version__}")
        sys.exit(0)


def doctor() -> None:
    """Tell what this computer offers the course.

    The report is made to be pasted into a question.

    \b
    python -m stma_nb doctor
    """
    from stma_nb import doctor

    findings = doctor.examine()
    print(doctor.report(findings), flush=True)
    if broken := [finding.name for finding in findings if finding.broken]:
        raise ValueError(f"the course cannot run here before this is mended: {', '.join(broken)}")


if __name__ == "__main__":
    sys.exit(main())
