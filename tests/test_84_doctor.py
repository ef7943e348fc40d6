"""The report about a computer is true, tells what to do, and nothing about its owner unasked."""

import json
import math
import os
import platform
import re
import subprocess
import sys
import threading
import time
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

from stma_nb import cube, doctor, machine
from stma_nb.__main__ import main


def test_report_of_this_computer(capsys):
    assert main(["doctor"]) == 0
    text = capsys.readouterr().out
    lines = {
        line[11:].split("  ")[0].strip(): line
        for line in text.splitlines()
        if not line.startswith(" ")
    }
    for name in (
        "python",
        "system",
        "stma_nb",
        "GDAL",
        "threads",
        "GPU",
        "cores",
        "memory",
        "disk",
        "sample season",
        *doctor.PACKAGES,
    ):
        assert lines[name].startswith(("ok ", "look here ")), name
    for name in ("torch", "numpy", "rasterio", "papermill"):
        assert version(name) in lines[name]
    assert "18 dates read" in lines["sample season"] and "GB free of" in lines["memory"]
    assert (
        str(Path.home()) + "/" not in text and str(Path(doctor.__file__).parent.parent) not in text
    )


def test_every_line_that_is_not_well_says_what_to_do():
    text = doctor.report([doctor.Finding("one", "1"), doctor.Finding("three", "3", "Mend it.")])
    assert text.splitlines() == [
        "ok         one    1",
        "look here  three  3",
        "                  -> Mend it.",
    ]


def test_the_report_as_json_tells_whose_it_is_and_of_when(capsys):
    for words in (["--json", "--name", "Anna M."], ["--name=Anna M.", "--json"]):
        before = datetime.now().astimezone().replace(microsecond=0)
        assert main(["doctor", *words]) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["name"] == "Anna M." and told["computer"] == platform.node()
        assert before <= datetime.fromisoformat(told["date"]) <= datetime.now().astimezone()
    assert main(["doctor", "--name", "Anna M."]) == 2
    assert "goes with --json" in capsys.readouterr().err


def test_the_report_as_json_says_the_same(capsys):
    assert main(["doctor", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ready"] is True
    assert told.keys() == {"date", "computer", "name", "ready", "findings"}
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    heads = [line for line in lines if not line.startswith(" ")]
    for line, finding in zip(heads, told["findings"], strict=True):
        assert finding.keys() == {"name", "value", "state", "advice"}
        assert line.startswith(finding["state"]) and f"  {finding['name']} " in line
        assert (finding["state"] == "ok") == (finding["advice"] == "")
        if finding["name"] not in ("memory", "disk"):  # they change from moment to moment
            assert line.endswith(finding["value"])


def test_a_missing_package():
    finding = doctor.package("no-such-package")
    assert (
        finding.value == "missing"
        and finding.advice == "pip install 'no-such-package'"
        and not finding.broken
    )


def test_packages_are_held_against_what_the_course_asks_for(tmp_path, monkeypatch):
    """In a folder of installed packages that Python finds before all others."""
    asked = (
        "numpy>=1.26",
        "torch>=2.4",
        "xarray>=2024.10",
        "no-such-package>=3",
        'no-such-notebook>=2; extra == "course"',
    )
    installed = {"stma_nb": "0.1.0", "numpy": "1.26.0", "torch": "2.3.1", "xarray": "2025.1rc1"}
    for name, number in installed.items():
        needs = asked if name == "stma_nb" else ()
        folder = tmp_path / f"{name}-{number}.dist-info"
        folder.mkdir()
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {number}"]
        lines += [f"Requires-Dist: {need}" for need in needs]
        (folder / "METADATA").write_text("\n".join(lines) + "\n")
    monkeypatch.syspath_prepend(tmp_path)
    old = doctor.package("torch")
    assert old.value == "2.3.1" and not old.broken
    assert old.advice == "The course wants >=2.4: pip install 'torch>=2.4'"
    assert doctor.package("numpy") == ("numpy", "1.26.0", "", False), "just what is asked for"
    assert doctor.package("xarray").advice == "", "a release candidate of a later version will do"
    assert doctor.package("no-such-package").advice == "pip install 'no-such-package>=3'"
    assert "pip install 'stma_nb[course]'" in doctor.package("no-such-notebook").advice


def without_packages(*arguments: str) -> subprocess.CompletedProcess:
    """Run a command in a Python that starts without its folder of installed packages."""
    return subprocess.run(
        [sys.executable, "-S", "-m", "stma_nb", *arguments],
        cwd=Path(doctor.__file__).parent.parent,
        capture_output=True,
        text=True,
    )


def test_without_any_package_the_report_still_comes():
    done = without_packages("doctor")
    assert done.returncode == 1, done.stderr
    assert re.search(r"look here  torch +missing\n +-> pip install 'torch", done.stdout), (
        done.stdout
    )
    as_json = without_packages("doctor", "--json")
    told = json.loads(as_json.stdout)
    states = {finding["name"]: finding["state"] for finding in told["findings"]}
    assert as_json.returncode == 1 and told["ready"] is False and as_json.stderr == done.stderr
    assert states["torch"] == "broken" and states["papermill"] == "look here"
    assert re.search(r"look here  memory +unknown: No module named 'psutil'", done.stdout)
    assert (
        done.stderr
        == "stma_nb: the course cannot run here before this is mended: torch, numpy, xarray, "
        "zarr, rasterio\n"
    )


def test_a_package_that_does_not_load_is_told(tmp_path):
    """As torch where a library of the system is missing, and zarr beside a newer numcodecs."""
    home = Path.home() / "lib"
    (tmp_path / "torch.py").write_text(f"raise OSError({str(home)!r} '/libgomp.so: not found')")
    (tmp_path / "zarr.py").write_text("from numcodecs import no_such_name")
    done = subprocess.run(
        [sys.executable, "-m", "stma_nb", "doctor"],
        cwd=Path(doctor.__file__).parent.parent,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1 and "mended: torch, zarr\n" in done.stderr, done.stderr
    assert re.search(
        rf"look here  torch +{re.escape(version('torch'))}, but it does not load: "
        r"~/lib/libgomp.so: not found\n +-> Install it again: pip install --force-reinstall 't",
        done.stdout,
    ), done.stdout
    assert re.search(
        r"zarr +[\d.]+, but it does not load: cannot import name 'no_such", done.stdout
    )


@pytest.mark.parametrize(
    "here, advice, broken",
    [
        ((3, 10, 9), "Install one of Python 3.11 to 3.14.", True),
        ((3, 11, 2), "", False),
        ((3, 14, 0), "", False),
        ((3, 15, 0), "The course was tried with Python 3.11 to 3.14: take one of them if", False),
    ],
)
def test_a_python_that_was_not_tried_is_told(here, advice, broken, monkeypatch):
    monkeypatch.setattr(sys, "version_info", here)
    finding = doctor.python()
    assert finding.advice.startswith(advice) and finding.broken == broken
    assert bool(finding.advice) == bool(advice)


def test_tables_of_another_gdal_are_noticed(tmp_path):
    """As where a shell sets the variable for a GDAL of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "stma_nb", "doctor"],
        cwd=Path(doctor.__file__).parent.parent,
        env=os.environ | {"PROJ_DATA": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1 and "before this is mended: GDAL" in done.stderr, done.stderr
    assert re.search(
        r"look here  GDAL +[\d.]+, without its coordinate systems\n +-> Unset PROJ_DATA\.",
        done.stdout,
    ), done.stdout


@pytest.mark.parametrize("arguments", [["--help"], ["map", "weights", "season", "map.tif"]])
def test_without_any_package_another_command_says_what_to_install(arguments):
    done = without_packages(*arguments)
    assert done.returncode == 1 and done.stdout == ""
    said = "stma_nb: This needs typer, which is not installed: pip install stma_nb\n"
    assert done.stderr == said


NO_LIMIT = None, math.inf, math.inf  # cores, memory, free memory


@pytest.mark.parametrize(
    "listing, files, expected",
    [
        pytest.param(
            "0::/\n",
            {"cpu.max": "max 100000", "memory.max": "max", "memory.current": "5"},
            NO_LIMIT,
            id="no limit",
        ),
        pytest.param(
            "0::/\n",
            {"cpu.max": "50000 100000", "memory.max": "2000", "memory.current": "500"},
            (0.5, 2000, 1500),
            id="version 2",
        ),
        pytest.param(
            "0::/a/b\n",
            {
                "a/cpu.max": "50000 100000",
                "a/b/memory.max": "max",
                "a/memory.max": "900",
                "a/memory.current": "1",
            },
            (0.5, 900, 899),
            id="nested",
        ),
        pytest.param(
            "4:memory:/docker/x\n1:cpu,cpuacct:/docker/x\n",
            {
                "memory/memory.limit_in_bytes": "3000",
                "memory/memory.usage_in_bytes": "1000",
                "cpu/cpu.cfs_quota_us": "20000",
                "cpu/cpu.cfs_period_us": "100000",
            },
            (0.2, 3000, 2000),
            id="version 1",
        ),
        pytest.param(
            "1:cpu:/\n",
            {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"},
            NO_LIMIT,
            id="version 1 without limit",
        ),
        pytest.param(None, {}, NO_LIMIT, id="not Linux"),
    ],
)
def test_limits_of_a_container(tmp_path, listing, files, expected):
    cores, limit, free = expected
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    if listing is not None:
        (tmp_path / "listing").write_text(listing)
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert machine.usable_cores(tmp_path, tmp_path / "listing") == (
        allowed if cores is None else cores
    )
    assert machine.memory_limit(tmp_path, tmp_path / "listing") == (limit, free)


def test_a_sample_season_that_cannot_be_read(season, tmp_path):
    cube.save_season(season, tmp_path / "season")
    assert doctor.sample_season(tmp_path / "season").value.startswith("5 dates read, mean VV 0.")
    next(iter(sorted((tmp_path / "season").glob("2018*.tif")))).write_bytes(b"not a picture")
    finding = doctor.sample_season(tmp_path / "season")
    assert (
        finding.broken
        and finding.value.startswith("unreadable: ")
        and "data sample --overwrite" in finding.advice
    )
    assert str(tmp_path) not in finding.value
    assert not doctor.sample_season(tmp_path / "nothing").broken


def test_services_are_recognised(monkeypatch):
    for variable, service in (
        ("BINDER_SERVICE_HOST", "Binder"),
        ("COLAB_RELEASE_TAG", "Google Colab"),
    ):
        monkeypatch.setenv(variable, "x")
        assert doctor.place().value.endswith(f", {service}")


def test_memory_is_watched_while_work_goes_on_and_after_it_failed():
    held = []

    def work():
        time.sleep(0.05)
        held.append(np.ones(25_000_000))  # 200 MB
        time.sleep(0.3)

    threads = threading.active_count()
    seconds, processor, megabytes = machine.watch(work, every=0.02)
    assert 0.35 <= seconds < 30 and processor <= seconds * machine.whole_cores() + 1
    assert len(megabytes) > 5
    assert megabytes[-1] - megabytes[0] == pytest.approx(200, abs=50)
    with pytest.raises(ZeroDivisionError):
        machine.watch(lambda: 1 / 0)
    assert threading.active_count() == threads
