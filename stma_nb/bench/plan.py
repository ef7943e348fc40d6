"""Which forms are measured, the important ones first, within some minutes; and what rows tell."""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch

from stma_nb.bench import table
from stma_nb.bench.contest import Contest, Form, Row, label
from stma_nb.bench.forms import (
    PRECISIONS,
    SIZES,
    Loader,
    Mapping,
    Product,
    Training,
    has_tf32,
    lacking,
)
from stma_nb.files import check_outputs
from stma_nb.machine import pick_device

BATCHES = {  # of a size on a kind of device, the usual one first; of windows when it maps
    ("training", "compact", "cpu"): (8, 32),
    ("training", "published", "cpu"): (2, 1),
    ("mapping", "compact", "cpu"): (27, 9),  # a row of windows; a third of it
    ("mapping", "published", "cpu"): (3, 1),
    ("training", "compact", "gpu"): (64, 512, 8),
    ("training", "published", "gpu"): (16, 64, 4),
    ("mapping", "compact", "gpu"): (256, 1024, 64),
    ("mapping", "published", "gpu"): (16, 64, 4),
}


class Group(NamedTuple):
    """Forms that take turns, and the share of the time that they get."""

    title: str
    share: float
    forms: list[Form]


def measure(
    size: str = "both",
    device: str | None = None,
    minutes: float = 10.0,
    output: str | Path | None = None,
    overwrite: bool = False,
    tell: Callable[[str], object] = print,
) -> Path:
    """Measure how fast a device trains and maps, and keep the rows as a table (``table.COLUMNS``).

    Forms of one computation take turns; the more important rows are measured first. What the device
    cannot do, or the time does not allow, is told and left out. The time is kept but for the form
    that is at work when it ends.

    Args:
        size: of the network, "compact", "published" or "both".
        device: ``"cpu"``, ``"cuda"``, ...; the GPU when there is one.
        minutes: for all of it.
        output: the CSV file; by default one in ``table.folder()``, by device and date.
        tell: called with a line for every row, and for what is left out.

    Raises ValueError for an unknown size or device and for too little time, FileExistsError if the
    table exists and may not be overwritten.
    """
    if size not in (*SIZES, "both"):
        raise ValueError(f"The size is '{size}'; expected one of {', '.join(SIZES)}, both.")
    if not minutes > 0:
        raise ValueError(f"minutes is {minutes}; expected more than 0.")
    place = torch.device(pick_device(device))
    path = Path(output) if output else table.folder() / table.file_name(place)
    if path.suffix != ".csv":
        raise ValueError(f"The table is written as CSV; '{path.name}' should end in .csv.")
    check_outputs((path,), overwrite=overwrite)
    machine = table.machine(place)
    tell(f"{machine['device']}, {machine['threads']} thread(s), torch {machine['torch']}")
    for precision, why in lacking(place).items():
        tell(f"left out: {precision} ({why})")
    end = time.perf_counter() + 60 * minutes
    left = list(plan(list(SIZES) if size == "both" else [size], place))
    contest, rows = Contest(place, tell), list[Row]()
    while left:
        group, lasting = left[0], end - time.perf_counter()
        share = group.share / sum(one.share for one in left)
        del left[0]
        if lasting < 0:
            tell(f"left out, for lack of time: {group.title}")
            continue
        found = contest.rows(group.forms, time.perf_counter() + share * lasting)
        new = [machine | row for row in _finished(found, has_tf32(place))]
        if rows:  # the products are told once; here they are the peak of these minutes
            new = [row for row in new if row["task"] != "matrix product"]
        rows = [row for row in rows if not any(map(partial(_same, row), new))] + new
        for row in new:
            tell(brief(row))
        table.save(rows, path)
    if not rows:
        raise ValueError(f"Nothing could be measured in {minutes} minutes: give more.")
    return path


def _same(one: Row, other: Row) -> bool:
    """Whether two rows are of the same form, which was then measured again beside more forms."""
    return all(one.get(name) == other.get(name) for name in table.NAMES)


def plan(sizes: Sequence[str], device: torch.device) -> Iterator[Group]:
    """The groups of forms in the order of their importance: the usual batch of each size, other
    batches, and the usual one once more beside the compiled forms.
    """
    kind = "cpu" if device.type == "cpu" else "gpu"
    yield Group("matrix products", 1, list(_products(device)))
    for share, compiled, which in (
        (2, False, slice(0, 1)),
        (1, False, slice(1, None)),
        (3, True, slice(0, 1)),
    ):
        for size in sizes:
            for task in ("training", "mapping"):
                for batch in BATCHES[task, size, kind][which]:
                    title = f"{task}, {size}, batch {batch}{', compiled' * compiled}"
                    forms = [*_products(device), *_forms(task, size, batch, device, compiled)]
                    yield Group(title, share, forms)


def _products(device: torch.device) -> Iterator[Form]:
    """The matrix products, which take turns in every contest: its peak is of the same minutes."""
    for precision in _precisions(device):
        names = dict(task="matrix product", precision=precision, compile=False)
        yield Form(names, partial(Product, precision, str(device)))


def _forms(
    task: str, size: str, batch: int, device: torch.device, compiled: bool
) -> Iterator[Form]:
    """All precisions, and if asked for each of them compiled as well."""
    if task == "training":
        names = dict(task="loader", size=size, precision="", batch=batch, compile=False)
        yield Form(names, partial(Loader, size, batch))
    for compile in (False, True) if compiled else (False,):
        for precision in _precisions(device):
            names = dict(task=task, size=size, precision=precision, batch=batch, compile=compile)
            given = (size, precision, batch, compile, str(device))
            yield Form(names, partial(Training if task == "training" else Mapping, *given))


def _precisions(device: torch.device) -> list[str]:
    return [precision for precision in PRECISIONS if precision not in lacking(device)]


def _finished(rows: list[Row], rounds_to_tf32: bool) -> Iterator[Row]:
    """Rows of one contest with what follows from several of them.

    Where a GPU's convolutions round float32 to TF32, "32-true" is held against that product.
    """
    for row in rows:
        row["gflops"] = row.pop("operations", 0) / row["seconds"] / 1e9 or None
    peaks = {row["precision"]: row["gflops"] for row in rows if row["task"] == "matrix product"}
    if rounds_to_tf32:
        peaks["32-true"] = peaks.get("32-tf32", peaks.get("32-true"))
    loading = sum(row["seconds"] for row in rows if row["task"] == "loader")
    for row in rows:
        if row["task"] in ("training", "mapping") and peaks.get(row["precision"]):
            row["share_of_peak"] = row["gflops"] / peaks[row["precision"]]
        if row["task"] == "training":
            row["patches_per_s"] = row["batch"] / row["seconds"]
            row["loader_share"] = loading / (loading + row["seconds"]) if loading else None
        if row["task"] == "mapping":
            row["windows_per_s"] = row.pop("windows") / row["seconds"]
            row["km2_per_s"] = row.pop("km2") / row["seconds"]
        yield row


def brief(row: Row) -> str:
    """A row in a line."""
    speeds = {"patches_per_s": "patches/s", "km2_per_s": "km2/s", "gflops": "GFLOP/s"}
    told = [f"{row[name]:.4g} {unit}" for name, unit in speeds.items() if row.get(name)]
    spread = f"{row['low']:.3g} to {row['high']:.3g} s in {row['rounds']} rounds"
    names = label({name: row[name] for name in table.NAMES if name in row})
    return ", ".join([f"{names}: {row['seconds']:.3g} s ({spread})", *told])
