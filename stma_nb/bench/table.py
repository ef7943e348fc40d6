"""Tables of measurements: a CSV file a machine, one row a measurement, read together."""

import platform
import re
from collections.abc import Iterable
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

import stma_nb
from stma_nb import course
from stma_nb.files import write_whole
from stma_nb.machine import processor, usable_cores

Row = dict[str, Any]

MACHINE = ("device", "kind", "threads", "cores", "system", "python", "torch", "stma_nb", "date")
NAMES = ("task", "size", "precision", "batch", "compile")
NUMBERS = (
    "rounds",  # turns that each form had
    "seconds",  # median of a step: a training step, a tile, a batch read, a matrix product
    "low",  # lower and upper quartile of the same
    "high",
    "cpu_seconds",  # of all threads of the process, median of a step
    "first_seconds",  # of the first step, with compilation
    "patches_per_s",  # training
    "windows_per_s",  # mapping
    "km2_per_s",  # mapping, of a map without borders
    "memory_mb",  # peak: on a GPU of what PyTorch allocates, on a CPU of a process of its own
    "gflops",  # operations a second, 1e9, of convolutions and matrix products
    "share_of_peak",  # of the matrix product in the same numbers on the same device
    "loader_share",  # of the time of a training that reads its patches itself (workers=0)
    "loss",  # training: after 8 steps (compact) or 3 (published)
    "difference",  # from a CPU in float32: largest of a logit, or of the loss
    "labels_changed",  # share of the pixels of the windows compared
)
COLUMNS = (*MACHINE, *NAMES, *NUMBERS)
"""The columns of a table: which machine, which form, and what was measured."""


def folder() -> Path:
    """Where tables are kept: ``data/bench`` of the repository, or of the current folder."""
    at_hand = (course.ROOT / "notebooks").exists()
    return (course.ROOT if at_hand else Path()) / "data" / "bench"


def machine(device: torch.device) -> Row:
    """What tells one machine's rows from another's."""
    return {
        "device": device_name(device),
        "kind": device.type,
        "threads": torch.get_num_threads(),
        "cores": usable_cores(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "stma_nb": stma_nb.__version__,
        "date": date.today().isoformat(),
    }


def device_name(device: torch.device) -> str:
    """The name that a GPU or a processor gives itself."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{processor()} (GPU)" if device.type == "mps" else processor()


def file_name(device: torch.device) -> str:
    """A name for a machine's table: device, threads of a CPU, date."""
    told = machine(device)
    threads = f"-{told['threads']}t" if device.type == "cpu" else ""
    slug = re.sub(r"[^a-z0-9]+", "-", told["device"].lower()).strip("-")
    return f"{slug}{threads}-{told['date']}.csv"


def save(rows: Iterable[Row], path: str | Path) -> Path:
    """Write rows as a table; who is stopped in between finds the rows of before."""
    table = pd.DataFrame(list(rows), columns=list(COLUMNS))
    return write_whole(
        path, partial(table.to_csv, index=False, float_format="%.5g", lineterminator="\n")
    )


def read(*paths: str | Path) -> pd.DataFrame:
    """The rows of tables, by default of all in ``folder()``; none of them if none is there.

    Of a measurement that was made several times with one device and number of threads, the newest
    is taken. Raises ValueError for a file that is no such table.
    """
    found = [Path(path) for path in paths] or sorted(folder().glob("*.csv"))
    tables = [_read(path) for path in found]
    table = pd.concat(tables) if tables else pd.DataFrame(columns=list(COLUMNS))
    same = ["device", "threads", *NAMES]
    newest = table.sort_values("date", kind="stable").drop_duplicates(same, keep="last")
    return newest.sort_index(kind="stable").reset_index(drop=True)


def _read(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, keep_default_na=True)
    except (ValueError, UnicodeDecodeError) as error:
        raise ValueError(f"'{path}' is no table that bench wrote ({error}).") from error
    if missing := [name for name in COLUMNS if name not in table]:
        raise ValueError(
            f"'{path}' is no table that bench wrote: it has no column '{missing[0]}'. Measure "
            "again, with this version."
        )
    return table[list(COLUMNS)].astype({"batch": "Int64"})  # a matrix product has none


def speeds(table: pd.DataFrame, speed: str) -> pd.DataFrame:
    """How fast every form is: a line for each machine, size and batch, a column for each form.

    ``speed`` is "patches_per_s" or "km2_per_s". A form is a precision, compiled or not; float32,
    not compiled, comes first.
    """
    rows = table.dropna(subset=speed)
    threads = rows["threads"].map("{:.0f} thread(s)".format)
    machines = rows["device"] + (", " + threads).where(rows["kind"] == "cpu", "")
    compiled = rows["compile"].astype(bool)
    forms = rows["precision"] + np.where(compiled, ", compiled", "")
    order = forms.iloc[np.lexsort((rows["precision"] != "32-true", compiled))].unique()
    named = rows.assign(machine=machines, form=forms)
    return named.pivot(index=["machine", "size", "batch"], columns="form", values=speed)[order]


def ratios(table: pd.DataFrame, speed: str) -> pd.DataFrame:
    """As ``speeds``, in times the speed of float32, not compiled, which is left out."""
    wide = speeds(table, speed)
    if "32-true" not in wide:
        return wide.iloc[:0]
    plain = wide.pop("32-true")
    return wide.div(plain, axis=0)[plain.notna()].dropna(how="all")
