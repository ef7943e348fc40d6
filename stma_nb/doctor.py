"""What a computer offers the course, as lines to paste into a question: versions, cores, memory,
sample data.

Nothing is asked of the network, and no names of folders or users are told; the JSON for a lecturer
tells the name of the computer, and that by which a student wants to be found.
"""

import importlib
import importlib.metadata
import json
import os
import platform
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from stma_nb.machine import memory_limit, usable_cores

PACKAGES = (
    "torch",
    "numpy",
    "xarray",
    "zarr",
    "rasterio",
    "ipywidgets",
    "anywidget",
    "jupyterlab",
    "papermill",
    "matplotlib",
    "scikit-learn",
)
ESSENTIAL = {"torch", "numpy", "xarray", "zarr", "rasterio"}
PYTHONS = (3, 11), (3, 14)  # the oldest and the newest that the course was tried with
GB = 1024**3


class Finding(NamedTuple):
    """A line of the report; ``advice`` says what to do, and is empty where all is well."""

    name: str
    value: str
    advice: str = ""
    broken: bool = False  # the course cannot run like this


def report(findings: list[Finding]) -> str:
    """The findings as text, a line each, and a line of advice under those that need it."""
    width = max(len(finding.name) for finding in findings)
    lines = []
    for name, value, advice, _ in findings:
        lines.append(f"{'look here' if advice else 'ok':<9}  {name:<{width}}  {value}")
        lines += [f"{'':<9}  {'':<{width}}  -> {advice}"] if advice else []
    return "\n".join(lines)


def as_json(findings: list[Finding], name: str = "") -> str:
    """The findings for a program that collects the reports of a class: ``date``, ``computer`` and
    the ``name`` that its user gave tell whose they are.

    ``ready`` says whether the course can run; each of ``findings`` has the name, what was found,
    whether it is ``ok``, ``look here`` or ``broken``, and what to do.
    """
    return json.dumps(
        {
            "date": datetime.now().astimezone().isoformat(timespec="seconds"),
            "computer": platform.node(),
            "name": name,
            "ready": not any(finding.broken for finding in findings),
            "findings": [
                {
                    "name": about,
                    "value": value,
                    "state": "broken" if broken else "look here" if advice else "ok",
                    "advice": advice,
                }
                for about, value, advice, broken in findings
            ],
        },
        indent=1,
        ensure_ascii=False,
    )


def examine() -> list[Finding]:
    """Look at everything that can be looked at: here least of all may a missing or broken package
    end the program.
    """
    packages = [package(name) for name in PACKAGES]
    looks = {"GDAL": gdal, "threads": threads, "GPU": graphics, "sample season": sample_season}
    missing = any(finding.broken for finding in packages)
    rest = [] if missing else [attempt(name, look) for name, look in looks.items()]
    return [
        python(),
        place(),
        installed(),
        *packages,
        cores(),
        attempt("memory", memory),
        disk(),
        *rest,
    ]


def attempt(name: str, look: Callable[[], Finding]) -> Finding:
    """What a look tells, or that the package it needs does not work."""
    try:
        return look()
    except Exception as error:  # a library that is not the right one fails in its own way
        return Finding(
            name,
            f"unknown: {in_a_line(error)}",
            "Install the course again, in a new virtual environment.",
            name != "memory",
        )


def in_a_line(error: Exception) -> str:
    """What an error says, without the user's folder."""
    return " ".join(str(error).replace(str(Path.home()), "~").split())


# ----------------------------------------------------------------------------------------- software


def python() -> Finding:
    oldest, newest = PYTHONS
    tried, here = "Python {}.{} to {}.{}".format(*oldest, *newest), sys.version_info[:2]
    advice = ""
    if here < oldest:
        advice = f"Install one of {tried}."
    elif here > newest:
        advice = f"The course was tried with {tried}: take one of them if something fails."
    return Finding("python", platform.python_version(), advice, here < oldest)


def place() -> Finding:
    """Where this runs: the system, and whether it is a service with habits of its own."""
    if "COLAB_RELEASE_TAG" in os.environ:
        service = "Google Colab"
    elif any(
        name in os.environ
        for name in ("BINDER_LAUNCH_HOST", "BINDER_SERVICE_HOST", "BINDER_REPO_URL")
    ):
        service = "Binder"
    else:
        service = "neither Colab nor Binder"
    return Finding(
        "system", f"{platform.system()} {platform.release()} {platform.machine()}, {service}"
    )


def installed() -> Finding:
    from stma_nb import __version__

    at_hand = (Path(__file__).parent.parent / "notebooks").exists()
    return Finding(
        "stma_nb",
        f"{__version__}, "
        f"{'from the repository' if at_hand else 'without the repository around it'}",
    )


def package(name: str) -> Finding:
    """Version of a package, against what the course asks for; one that it cannot do without must
    load, too.
    """
    asked = extra = None
    # PackageNotFoundError is one: the folder is on the path without being installed.
    with suppress(ImportError):
        from packaging.requirements import Requirement

        for needed in map(Requirement, importlib.metadata.requires("stma_nb") or []):
            if needed.name == name:
                asked, extra = needed.specifier, needed.marker
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        advice = f"pip install '{name}{asked or ''}'"
        if extra:
            advice = "Only the notebooks need it: pip install 'stma_nb[course]'"
        return Finding(name, "missing", advice, name in ESSENTIAL)
    try:
        if name in ESSENTIAL:
            importlib.import_module(name)
    except Exception as error:  # a library of the system that is missing, or of another version
        value = f"{version}, but it does not load: {in_a_line(error)}"
        advice = f"Install it again: pip install --force-reinstall '{name}{asked or ''}'"
        return Finding(name, value, advice, broken=True)
    if asked and not asked.contains(version, prereleases=True):
        return Finding(name, version, f"The course wants {asked}: pip install '{name}{asked}'")
    return Finding(name, version)


def gdal() -> Finding:
    """GDAL's version, and whether it finds its table of coordinate systems (another GDAL on the
    computer may hide it).
    """
    import rasterio
    from rasterio.crs import CRS

    try:
        CRS.from_epsg(32633).to_wkt()
    except rasterio.errors.CRSError:
        set_here = [name for name in ("PROJ_LIB", "PROJ_DATA", "GDAL_DATA") if name in os.environ]
        advice = (
            f"Unset {' and '.join(set_here)}."
            if set_here
            else "Install rasterio again: pip install --force-reinstall rasterio"
        )
        return Finding(
            "GDAL",
            f"{rasterio.__gdal_version__}, without its coordinate systems",
            advice,
            broken=True,
        )
    return Finding("GDAL", rasterio.__gdal_version__)


# ----------------------------------------------------------------------------------------- hardware


def threads() -> Finding:
    import torch

    number, usable, limit = (
        torch.get_num_threads(),
        usable_cores(),
        os.environ.get("OMP_NUM_THREADS"),
    )
    value = f"{number} in PyTorch, OMP_NUM_THREADS {f'is {limit}' if limit else 'is not set'}"
    if number > usable:
        return Finding(
            "threads",
            value,
            "More threads than usable cores slow each other down: set "
            f"OMP_NUM_THREADS={usable:.0f}.",
        )
    return Finding("threads", value)


def graphics() -> Finding:
    import torch

    if torch.cuda.is_available():
        cards = [
            torch.cuda.get_device_properties(place) for place in range(torch.cuda.device_count())
        ]
        return Finding(
            "GPU", ", ".join(f"{card.name} ({card.total_memory / GB:.0f} GB)" for card in cards)
        )
    return Finding("GPU", "none; none is needed")


def cores() -> Finding:
    usable = usable_cores()
    advice = "" if usable >= 2 else "The stated times are for two cores: expect twice as long."
    return Finding("cores", f"{usable:g} usable of {os.cpu_count()}", advice)


def memory() -> Finding:
    import psutil

    system = psutil.virtual_memory()
    limit, free = memory_limit()
    total, free = min(system.total, limit), min(system.available, free)
    shared = " (limit of the container)" if limit < system.total else ""
    value = f"{free / GB:.1f} GB free of {total / GB:.1f} GB{shared}"
    return Finding(
        "memory",
        value,
        "" if free > GB else "A notebook needs 1 to 1.5 GB: shut down other kernels and programs.",
    )


def disk() -> Finding:
    free = shutil.disk_usage(Path.cwd()).free / GB
    return Finding(
        "disk",
        f"{free:.0f} GB free",
        "" if free > 1 else "Results and checkpoints need up to 1 GB: make room.",
    )


# --------------------------------------------------------------------------------------------- data


def sample_season(folder: Path | None = None) -> Finding:
    """Whether the sample season is at hand and can be read."""
    from stma_nb import course, cube

    folder = folder or course.sample_folder()
    if not folder.exists():
        return Finding(
            "sample season",
            "not at hand",
            "It is made when a notebook first asks for it (a minute): nothing to do.",
        )
    try:
        season = cube.open_season(folder)
        mean = float(season.vv[-1].mean())
    except (
        Exception
    ) as error:  # whatever is wrong with a file, GDAL, xarray or Dask say it in their own way
        reason = " ".join(
            str(error).replace(str(folder.parent), "").replace(str(Path.home()), "~").split()
        )
        return Finding(
            "sample season",
            f"unreadable: {reason}",
            "Make it again: python -m stma_nb data sample --overwrite",
            True,
        )
    return Finding("sample season", f"{season.sizes['time']} dates read, mean VV {mean:.2f}")
