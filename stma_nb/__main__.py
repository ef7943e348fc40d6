"""The command line, ``python -m stma_nb COMMAND``: each room brings its commands."""

import sys
from collections.abc import Callable
from pathlib import Path
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
        match words:  # the doctor without typer, which may be missing
            case ["doctor"]:
                examined()
            case ["doctor", "--json"]:
                examined(json=True)
            case ["doctor", "--json", "--name", name] | ["doctor", "--name", name, "--json"]:
                examined(json=True, name=name)
            case _:
                app()(words, prog_name="python -m stma_nb")
        return 0
    except SystemExit as end:  # so typer ends, whatever came of the command
        code = int(end.code or 0)
    except KeyboardInterrupt:
        code = 130
    except MemoryError:
        print("stma_nb: the memory is full: close other programs, or take less", file=sys.stderr)
        code = 1
    except Exception as error:
        print(f"stma_nb: {_sentence(error, words)}", file=sys.stderr)
        code = 1
    if code == 130:
        print("stma_nb: stopped", file=sys.stderr)
    return code


SENTENCES = (ValueError, OSError, RuntimeError, FloatingPointError, ImportError)


def _sentence(error: Exception, words: list[str]) -> str:
    """What an error says, if it is ours; else which package failed, and on which files.

    Raises the error again if it is a mistake in this library: Python's own words tell where.
    """
    package = _raised_in(error)
    if package == "stma_nb":
        if not isinstance(error, SENTENCES) or (isinstance(error, ImportError) and error.name):
            raise error
        return str(error)
    why = " ".join(str(error).split()) or "without a word"
    files = ", ".join(f"'{word}'" for word in words if Path(word).exists())
    at_work = f" at work on {files}" if files else ""
    return f"{package} failed{at_work} ({type(error).__name__}: {why}): is a file damaged?"


def _raised_in(error: Exception) -> str:
    """The package whose code raised an error."""
    place = error.__traceback__
    while place and place.tb_next:
        place = place.tb_next
    module = place.tb_frame.f_globals.get("__name__", "") if place else ""
    return str(module).partition(".")[0].replace("__main__", "stma_nb")


def app() -> "typer.Typer":
    """The commands of all rooms as one ``typer.Typer``."""
    with needs():
        import typer

        from stma_nb.accuracy import commands as accuracy
        from stma_nb.bench import commands as bench
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
    everything.command()(_doctor())
    for room in (course, train, predict, accuracy, experiment, studies, bench):
        everything.add_typer(room.app)
    everything.add_typer(data, name="data")
    return everything


def _version(asked: bool) -> None:
    if asked:
        print(f"stma_nb {__version__}")
        sys.exit(0)


def _doctor() -> Callable[..., None]:
    """The command doctor; its flags need typer, which may be what is missing."""
    import typer

    def doctor(
        json: Annotated[bool, typer.Option("--json", help="as JSON, to collect reports")] = False,
        name: Annotated[
            str, typer.Option(metavar="WORDS", help="your name, for the JSON: 'Anna M.'")
        ] = "",
    ) -> None:
        """Tell what this computer offers the course.

        The report is made to be pasted into a question.

        \b
        python -m stma_nb doctor
        python -m stma_nb doctor --json --name "Anna M." > anna.json
        """
        if name and not json:
            raise typer.BadParameter("goes with --json", param_hint="--name")
        examined(json, name)

    return doctor


def examined(json: bool = False, name: str = "") -> None:
    """Print what the doctor finds; ValueError if the course cannot run here."""
    from stma_nb import doctor

    findings = doctor.examine()
    print(doctor.as_json(findings, name) if json else doctor.report(findings), flush=True)
    if broken := [finding.name for finding in findings if finding.broken]:
        raise ValueError(f"the course cannot run here before this is mended: {', '.join(broken)}")


if __name__ == "__main__":
    sys.exit(main())
