"""The commands of the course: run the notebooks, measure them, write editions and web pages."""

import itertools
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperCommand

app = typer.Typer()
data = typer.Typer()  # what stands under 'data'

Timeout = Annotated[
    int, typer.Option(min=1, help="seconds that a cell may take before it counts as failed")
]


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
    timeout: Timeout = 900,
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
    cost = course.run_notebook(notebook, executed, parameters, timeout, progress=True)
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
    timeout: Timeout = 900,
) -> None:
    """Run all notebooks.

    Executed notebooks and their pages lie in build/.

    \b
    python -m stma_nb series
    python -m stma_nb series --timeout 3600
    """
    from stma_nb import course
    from stma_nb.course import structure

    for notebook in course.notebooks():
        executed = course.ROOT / "build" / notebook.name
        run_one = structure.run if in_place else course.run_notebook
        cost = run_one(notebook, executed, timeout=timeout)
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
    only: Annotated[
        list[str] | None, typer.Option(metavar="NUMBER", help="this notebook; may be repeated")
    ] = None,
    zipped: Annotated[
        bool, typer.Option("--zip", help="write archives beside the folders")
    ] = False,
    repository: Annotated[
        str | None,
        typer.Option(metavar="URL", help="on GitHub, where badges of student copies lead"),
    ] = None,
    branch: Annotated[str, typer.Option(help="of that repository")] = "main",
    nbgrader: Annotated[
        bool, typer.Option("--nbgrader", help="write the source of an nbgrader course as well")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="write into the folder if it exists")
    ] = False,
) -> None:
    """Write the notebooks for a class: solutions left out, and open.

    Student copies have no badges, unless --repository tells where you put the folder student.

    \b
    python -m stma_nb editions build/editions
    python -m stma_nb editions build/editions --only 04 --only 08 --zip
    """
    from stma_nb.course import editions

    place = editions.put(repository, branch) if repository else None
    written = editions.write(folder, overwrite, only or (), place, zipped, nbgrader)
    print(f"Wrote {', '.join(map(str, written))}{' and archives of them' if zipped else ''}")


@app.command("grade")
def grade_folder(
    folder: Annotated[Path, typer.Argument(help="with the notebooks handed in")],
    output: Annotated[Path, typer.Option(help="the table to write")] = Path("grades.csv"),
    only: Annotated[
        list[str] | None, typer.Option(metavar="NUMBER", help="this notebook; may be repeated")
    ] = None,
    seconds: Annotated[float, typer.Option(help="that an answer may take")] = 60,
    memory: Annotated[str, typer.Option(help="that an answer may take")] = "2GB",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="replace the tables if they exist")
    ] = False,
) -> None:
    """Grade handed-in notebooks: a table, student by exercise.

    They lie in a folder a student, or flat as FOLDER/01_sar_time_series_NAME.ipynb; Moodle's and
    Canvas's names are understood. A notebook is known by its exercises.
    What is handed in runs behind a fence, which is no jail: notebooks/README.md says more.

    \b
    python -m stma_nb grade handed_in
    python -m stma_nb grade handed_in --only 04 --output week4.csv
    """
    from dask.utils import parse_bytes

    from stma_nb.course import grade

    try:
        most = parse_bytes(memory)
    except ValueError:
        raise typer.BadParameter(f"'{memory}' is no size: 2GB", param_hint="--memory") from None
    limits = grade.Limits(seconds, most)
    written = grade.grade(folder, output, only or (), limits, overwrite)
    print(f"Wrote {' and '.join(map(str, written))}")


@app.command()
def site(
    folder: Annotated[
        Path | None,
        typer.Argument(help="where to (default: build/site, where older pages are replaced)"),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="write into the folder if it exists")
    ] = False,
    student: Annotated[
        bool, typer.Option("--student", help="leave out the solutions of exercises")
    ] = False,
) -> None:
    """Write the notebooks as web pages that work offline.

    \b
    python -m stma_nb site
    python -m stma_nb site pages --overwrite
    python -m stma_nb site handout --student
    """
    from stma_nb import course
    from stma_nb.course import website

    where = folder or course.output_folder() / "site"
    index = website.build(where, overwrite or not folder, student)
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


@app.command("address")
def move_address(
    url: Annotated[
        str, typer.Argument(help="web address of the fork: https://github.com/OWNER/NAME")
    ],
    branch: Annotated[
        str | None, typer.Option(help="the branch that badges open (default: as it is)")
    ] = None,
) -> None:
    """Let all links of the course lead to a fork: badges, clone lines, texts, citation.

    \b
    python -m stma_nb address https://github.com/our-university/crops
    python -m stma_nb address https://gitlab.com/our-university/crops --branch summer
    """
    from stma_nb.course import address, runner

    moved = address.move(url, branch)
    now = address.here()
    print(f"The course lies at {now.url}, branch {now.branch}. Files changed: {len(moved.changed)}")
    for path in moved.changed:
        print(f"  {path.relative_to(runner.ROOT).as_posix()}")
    if not now.colab:
        print(
            "Colab opens GitHub only: its badges are left out, and come back with an address there."
        )
    if moved.left:
        print("Left as they are, for you to read:")
        print("\n".join(f"  {line}" for line in moved.left))
    if moved.changed:
        print(
            "What remains: look at git diff, commit and push; git remote set-url origin "
            f"{now.url}; name the authors of your course in CITATION.cff; python -m stma_nb "
            "structure checks the links."
        )


@app.command("bundle")
def write_bundle(
    folder: Annotated[Path, typer.Argument(help="where to, on a stick or a shared disk")],
    system: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="linux, windows or macos-arm64; may be repeated (default: this one)",
        ),
    ] = None,
    python: Annotated[
        str | None, typer.Option(metavar="3.N", help="of the class (default: this one's)")
    ] = None,
    extra: Annotated[
        list[str] | None,
        typer.Option(help="what is installed beside the core; may be repeated (default: all)"),
    ] = None,
    core: Annotated[
        bool, typer.Option("--core", help="no extra: the library alone, which opens no notebook")
    ] = False,
    student: Annotated[
        bool, typer.Option("--student", help="notebooks and web pages without solutions")
    ] = False,
) -> None:
    """Write the course as it goes onto a stick: all packages, notebooks, data, web pages.

    Its install.sh or install.bat asks nothing of the network. The small stick that opens the
    notebooks is made with --extra course.

    \b
    python -m stma_nb bundle stick
    python -m stma_nb bundle stick --system windows --system macos-arm64 --python 3.12 --student
    python -m stma_nb bundle small --extra course --student
    """
    from stma_nb.course import bundle

    if core and extra:
        raise typer.BadParameter("not allowed with --extra", param_hint="--core")
    extras = () if core else extra or ("all",)
    for name in system or [bundle.this_system()]:
        if extras == ("all",) and name in bundle.MEASURED:
            print(f"{name}: about {bundle.MEASURED[name]} MB to fetch", flush=True)
    written = bundle.write(folder, system or (), python, extras, student)
    size = sum(path.stat().st_size for path in written.rglob("*") if path.is_file())
    print(f"Wrote {written} ({size / 1e6:.0f} MB): copy it whole, and start with its README.txt")


@app.command("figures")
def write_figures(
    folder: Annotated[
        Path | None,
        typer.Argument(help="where to (default: build/figures, where older ones are replaced)"),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="write into the folder if it exists")
    ] = False,
) -> None:
    """Write the figures of the notebooks as files, drawings as SVG, and the list of captions.

    \b
    python -m stma_nb figures
    """
    from stma_nb import course
    from stma_nb.course import album

    where = folder or course.output_folder() / "figures"
    written = album.write(where, overwrite or not folder)
    print(f"Wrote {len(written) - 1} figures; their captions stand in {written[-1]}")


@app.command("slides")
def write_slides(
    number: Annotated[str, typer.Argument(help="of the notebook: 04")],
    folder: Annotated[
        Path | None,
        typer.Argument(help="where to (default: build/slides, where older slides are replaced)"),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace older slides")] = False,
    student: Annotated[
        bool, typer.Option("--student", help="to hand out: no link to a notebook with solutions")
    ] = False,
) -> None:
    """Write slides of a notebook: one file for the browser that works offline.

    Arrows turn, n shows the notes, f fills the screen; the browser prints them as a PDF.

    \b
    python -m stma_nb slides 04
    python -m stma_nb slides 04 lecture --overwrite
    python -m stma_nb slides 04 handout --student
    """
    from stma_nb import course
    from stma_nb.course import slides

    written = slides.write(
        number, folder or course.output_folder() / "slides", overwrite or not folder, student
    )
    print(f"Wrote the slides; open {written}")


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
