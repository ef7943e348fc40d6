"""The commands of the course: run the notebooks, measure them, write editions and web pages."""

import itertools
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperCommand

app = typer.Typer()
data = typer.Typer()  # what stands under 'data'


class RunCommand(TyperCommand):
    """``--set NAME VALUE``, more than once: typer reads no repeated pairs, so they are joined."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        words = iter(args)
        joined = []
        for word in words:
            joined.append(word)
            if word == "--set":
                joined.append("=".join(itertools.islice(words, 2)))
        return super().parse_args(ctx, joined)


@app.command(cls=RunCommand)
def run(
    pairs: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME VALUE", help="set a parameter of the notebook"),
    ] = None,
) -> None:
    """Run the quickstart notebook: train, map, assess.

    The results lie in build/.

    \b
    python -m stma_nb run
    python -m stma_nb run --set epochs 3 --set seed 1
    """
    from stma_nb import course

    parameters = dict(_parameter(pair) for pair in pairs or [])
    notebook, folder = course.notebooks()[0], course.output_folder()
    executed = folder / notebook.name
    print(f"Running {notebook.name}: one to three minutes on two cores ...", flush=True)
    cost = course.run_notebook(notebook, executed, parameters, progress=True)
    page = course.to_html(executed)
    print(f"\nDone in {cost['seconds']:.0f} s, peak memory {cost['megabytes']:.0f} MB. Look at:")
    products = {
        page.name: "the notebook with its figures, as a page",
        "crop_map.tif": "the crop map (GeoTIFF with colours and names; opens in QGIS)",
        "crop_map.html": "the crop map as a web page (its base map needs a connection)",
        "accuracy.json": "the accuracy on held-out blocks",
        "weights.safetensors": "the trained network",
    }
    for name, what in products.items():
        print(f"  build/{name:<22} {what}")


def _parameter(pair: str) -> tuple[str, object]:
    """Name and value of ``NAME=VALUE``; the value is a path, a Python literal, or else text."""
    import ast

    name, sign, text = pair.partition("=")
    if not sign:
        raise typer.BadParameter("expected NAME VALUE", param_hint="--set")
    if Path(text).exists():
        return name, str(Path(text).resolve())  # the notebook runs in its own folder
    try:
        return name, ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return name, text


@app.command()
def series(
    in_place: Annotated[
        bool,
        typer.Option("--in-place", help="store the outputs in notebooks/ (for maintainers)"),
    ] = False,
) -> None:
    """Run all notebooks.

    Executed notebooks and their pages lie in build/.

    \b
    python -m stma_nb series
    """
    from stma_nb import course
    from stma_nb.course import structure

    for notebook in course.notebooks():
        executed = course.ROOT / "build" / notebook.name
        run_one = structure.run if in_place else course.run_notebook
        cost = run_one(notebook, executed)
        print(f"{notebook.name:<32} {cost['seconds']:6.0f} s", flush=True)
        if in_place:
            notebook.write_bytes(executed.read_bytes())
            course.tidy(notebook)
        course.to_html(executed)
    print("Executed notebooks and their pages: build/")


@app.command("structure")
def check_structure(
    run: Annotated[
        bool,
        typer.Option(
            "--run", help="run each first, and note what it took in notebooks/budget.json"
        ),
    ] = False,
) -> None:
    """Measure the notebooks, check them by the course's conventions.

    \b
    python -m stma_nb structure
    python -m stma_nb structure --run
    """
    from stma_nb import course
    from stma_nb.course import structure

    for path in course.notebooks() if run else []:
        cost = structure.run(path, course.output_folder() / path.name)
        print(f"{path.name:<32} {cost['seconds']:6.0f} s", flush=True)
    notebooks = [structure.Notebook(path) for path in course.notebooks()]
    print(structure.table(notebooks), flush=True)
    found = [complaint for notebook in notebooks for complaint in structure.complaints(notebook)]
    if found:
        raise ValueError("\n  ".join([f"{len(found)} things to mend:", *found]))


@app.command("editions")
def write_editions(
    folder: Annotated[Path, typer.Argument(help="gets the folders student and lecturer")],
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="write into the folder if it exists")
    ] = False,
) -> None:
    """Write the notebooks for a class: solutions left out, and open.

    \b
    python -m stma_nb editions build/editions
    """
    from stma_nb.course import editions

    written = editions.write(folder, overwrite)
    print(f"Wrote the folders student and lecturer into {written}")


@app.command()
def site(
    folder: Annotated[
        Path | None,
        typer.Argument(help="where to (default: build/site, where older pages are replaced)"),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="write into the folder if it exists")
    ] = False,
) -> None:
    """Write the notebooks as web pages that work offline.

    \b
    python -m stma_nb site
    python -m stma_nb site pages --overwrite
    """
    from stma_nb import course
    from stma_nb.course import website

    index = website.build(folder or course.output_folder() / "site", overwrite or not folder)
    print(f"Wrote the pages; open {index}")


@app.command()
def lab() -> None:
    """Open JupyterLab in the notebooks folder.

    \b
    python -m stma_nb lab
    """
    import subprocess
    import sys

    from stma_nb import course
    from stma_nb.extras import needs

    root = course.notebooks()[0].parent.parent
    with needs("course"):
        import jupyterlab  # noqa: F401
    command = [sys.executable, "-m", "jupyterlab", "--notebook-dir", str(root)]
    subprocess.run([*command, "notebooks/00_quickstart.ipynb"], check=True)


@app.command("progress")
def show_progress(
    clear: Annotated[bool, typer.Option("--clear", help="forget what was passed")] = False,
) -> None:
    """Tell which exercises you have passed on this computer.

    \b
    python -m stma_nb progress
    """
    from stma_nb import course
    from stma_nb.course import progress, structure

    if clear:
        progress.clear()
    notebooks = [structure.Notebook(path) for path in course.notebooks()]
    print(progress.table([(notebook.path.stem, notebook.checks) for notebook in notebooks]))
    print(f"It is kept in {progress.file()}")


@data.command()
def sample(
    folder: Annotated[
        Path | None,
        typer.Argument(help="where to (default: where the course looks for it)"),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="replace the folder if it exists")
    ] = False,
) -> None:
    """Make the embedded sample season again.

    \b
    python -m stma_nb data sample
    python -m stma_nb data sample my_sample --overwrite
    """
    from stma_nb import course

    print(f"Wrote {course.make_sample_season(folder or course.sample_folder(), overwrite)}")
