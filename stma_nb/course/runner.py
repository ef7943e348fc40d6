"""The course around the library: where its data lie, and the runner that executes the notebooks."""

import logging
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from platformdirs import user_cache_path

from stma_nb.cube import save_season
from stma_nb.extras import needs

ROOT = Path(__file__).resolve().parent.parent.parent
# What data/sample_season was made with: every 12 days from March to September 2018; small fields
# and a mild imbalance of crops, so that a scene of 20 km2 holds fields of all of them.
SAMPLE: dict[str, Any] = dict(
    size=(448, 448),
    dates=[np.datetime64("2018-03-02T16:50") + np.timedelta64(12 * i, "D") for i in range(18)],
    year=2018,
    seed=1,
    farmland=0.7,
    parcel_hectares=2,
    balance=0.7,
)
# How the course divides it. Of forty stratified splits by blocks of 80 pixels, this one's test is
# most like the scene in its classes; it was chosen by that alone, before any method had learned.
SAMPLE_SPLIT: dict[str, Any] = dict(block=80, buffer=8, seed=24)


def sample_like(year: int = SAMPLE["year"], **changes: Any) -> dict[str, Any]:
    """What ``simulate.season`` makes the sample season of, but for changes; in another year its
    acquisitions are as many days after New Year.
    """
    later = np.datetime64(f"{year}-01-01") - np.datetime64(f"{SAMPLE['year']}-01-01")
    return SAMPLE | dict(year=year, dates=[date + later for date in SAMPLE["dates"]]) | changes


class NotebookError(RuntimeError):
    """A notebook cannot be run as asked, or failed while running."""


def sample_season() -> Path:
    """Folder of the embedded sample season; on a bare install it is made when first asked for."""
    folder = sample_folder()
    return folder if folder.exists() else make_sample_season(folder)


def sample_weights() -> Path:
    """File of the weights that come with the repository, trained on the sample season."""
    return ROOT / "data" / "stma_sample.safetensors"


def sample_folder() -> Path:
    """Where the sample season belongs: in the repository (a part of it will do), or without one in
    the user's cache.
    """
    home = ROOT / "data" / "sample_season"
    if home.exists() or (ROOT / "notebooks").exists():
        return home
    from stma_nb import simulate

    # Another version's season may lie there: the number of the simulated world tells them apart.
    return user_cache_path("stma_nb") / f"sample_season_{simulate.WORLD}"


def output_folder(path: str = "") -> Path:
    """Where a notebook writes: the folder given, or ``build`` in the repository (in the current
    folder on a bare install).
    """
    folder = Path(path) if path else (ROOT if (ROOT / "notebooks").exists() else Path()) / "build"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def make_sample_season(path: Path, overwrite: bool = False) -> Path:
    """Simulate the sample season and write it as GeoTIFFs: what ``python -m stma_nb data sample``
    does.
    """
    from stma_nb import simulate

    return save_season(simulate.season(**SAMPLE), path, overwrite)


def notebooks() -> list[Path]:
    """The notebooks of the series in their order.

    Raises NotebookError outside a copy of the repository.
    """
    found = sorted((ROOT / "notebooks").glob("[0-9][0-9]*_*.ipynb"))
    if not found:
        raise NotebookError(
            "The notebooks are not at hand: clone the repository and install it with "
            "pip install -e '.[all]'."
        )
    return found


def number_of(notebook: Path) -> str:
    """The number of a notebook in the series, with which its name begins: "04", "03a"."""
    return notebook.name.partition("_")[0]


def picked(only: Iterable[str] = ()) -> list[Path]:
    """The notebooks with these numbers ("04", "03a"), in their order; all without any.

    Raises ValueError if a number is none of a notebook.
    """
    paths = {number_of(path): path for path in notebooks()}
    if unknown := set(only) - set(paths):
        raise ValueError(
            f"There is no notebook '{min(unknown)}': expected a number among {', '.join(paths)}."
        )
    return [path for number, path in paths.items() if not only or number in set(only)]


def run_notebook(
    notebook: Path,
    output: Path,
    parameters: dict | None = None,
    timeout: int = 900,
    progress: bool = False,
) -> dict[str, float]:
    """Execute a notebook with papermill in its own folder; returns seconds and peak memory of its
    kernel in MB.

    Papermill only warns about a missing ``parameters`` cell or an unknown parameter, and sets no
    time limit; here the first two are failures (NotebookError), and so is a cell that takes longer
    than ``timeout`` seconds or raises.
    """
    with needs("course"):
        import papermill

    logging.getLogger("papermill").setLevel(logging.ERROR)
    tagged = [c for c in _read(notebook).cells if "parameters" in c.metadata.get("tags", [])]
    if len(tagged) != 1:
        raise NotebookError(
            f"'{notebook.name}' has {len(tagged)} cells tagged 'parameters'; expected exactly one."
        )
    known = parameters_of(notebook)
    if unknown := sorted((parameters or {}).keys() - set(known)):
        raise NotebookError(
            f"'{notebook.name}' has no parameter '{unknown[0]}'; it has "
            f"{', '.join(known) or 'none'}."
        )
    output.parent.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    try:
        papermill.execute_notebook(
            str(notebook),
            str(output),
            parameters or {},
            cwd=str(notebook.parent),
            kernel_name="python3",
            execution_timeout=timeout,
            progress_bar=progress,
            log_output=False,
            extra_arguments=["--log-level=ERROR"],
        )
    except Exception as error:  # papermill, nbclient and zmq raise errors without a common base
        reason = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
        raise NotebookError(
            f"'{notebook.name}' failed: {reason} (see the cell in {output})."
        ) from error
    return {"seconds": time.perf_counter() - start, "megabytes": _peak_memory_of_children()}


def parameters_of(notebook: Path) -> list[str]:
    """Names of the parameters that a notebook takes."""
    with needs("course"):
        import papermill

    return list(papermill.inspect_notebook(str(notebook)))


def tidy(notebook: Path) -> None:
    """Strip what a run leaves in a notebook and a reader does not need: timings, paths and
    papermill's records.
    """
    with needs("course"):
        import nbformat

    content = _read(notebook)
    content.metadata = {
        "kernelspec": content.metadata["kernelspec"],
        "language_info": {"name": "python"},
    }
    for cell in content.cells:
        cell.metadata = {
            key: value
            for key, value in cell.metadata.items()
            if key in ("tags", "jupyter") and value
        }
        if cell.cell_type == "code":
            for out in cell.outputs:
                out.pop("transient", None)
    nbformat.write(content, notebook)


def to_html(notebook: Path) -> Path:
    """Write an executed notebook as an HTML page beside it."""
    with needs("course"):
        from nbconvert import HTMLExporter

    page = notebook.with_suffix(".html")
    page.write_text(HTMLExporter().from_filename(str(notebook))[0], encoding="utf-8")
    return page


def _read(notebook: Path) -> Any:
    with needs("course"):
        import nbformat

    return nbformat.read(notebook, as_version=4)


def _peak_memory_of_children() -> float:
    if sys.platform == "win32":
        return float("nan")
    import resource

    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / (
        1024 if sys.platform != "darwin" else 1024**2
    )
