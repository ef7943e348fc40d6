import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

# For the processes that tests start, and before torch loads here. One thread: `make test` runs as
# many workers as there are cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import psutil
import pytest
import rioxarray  # noqa: F401  (registers the .rio accessor)
import xarray as xr

from stma_nb import cube, machine

# A shell lets what it starts in the background, and all that this starts, ignore control-C.
signal.signal(signal.SIGINT, signal.default_int_handler)

CROPS = (
    cube.Crop("Background", "#dddddd"),
    cube.Crop("Maize", "#d55e00"),
    cube.Crop("Sugar beet", "#0072b2"),
)


# ------------------------------------------------------------------------------------- many workers


WORKER = 4e9  # bytes: 2 for a process of tests at its end, and a notebook that it runs


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """As many as cores that this process may use, and as its memory holds (``-n auto``)."""
    memory = min(machine.memory_limit()[0], psutil.virtual_memory().total)
    return max(1, int(min(machine.usable_cores(), memory / WORKER)))


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """PyTorch computes with one thread, whatever number the tests were started with."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module", autouse=True)
def memory_given_back() -> Iterator[None]:
    """GNU's C library keeps what large networks have freed, more than 1 GB of it, until asked."""
    yield
    machine.give_memory_back()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Notebooks first where tests are shared out, so that no long one is left for the end."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: "executed" not in getattr(item, "fixturenames", ()))


# ------------------------------------------------------------------------------------------ seasons


@pytest.fixture
def season() -> xr.Dataset:
    """A small season made by hand: 5 dates, 48 x 64 pixels, three classes in stripes that differ in
    their VH curve.
    """
    rng = np.random.default_rng(0)
    crop = np.repeat(np.arange(64) // 8 % 3, 48).reshape(64, 48).T.astype("uint8")
    curve = np.array(
        [[-15, -15, -15, -15, -15], [-20, -20, -18, -15, -16], [-20, -18, -14, -14, -15]]
    )
    vh = 10 ** (curve[crop].transpose(2, 0, 1) / 10) * rng.gamma(4.4, 1 / 4.4, (5, 48, 64))
    data = xr.Dataset(
        {
            "vv": (("time", "y", "x"), (4 * vh).astype("float32")),
            "vh": (("time", "y", "x"), vh.astype("float32")),
        },
        coords={
            "time": np.array([f"2018-{month:02}-01T16:50" for month in range(4, 9)], "M8[ns]"),
            "y": 5_800_000.0 - 10 * np.arange(48) - 5,
            "x": 400_000.0 + 10 * np.arange(64) + 5,
        },
    )
    for name in ("vv", "vh"):
        data[name].attrs["units"] = "1"
    data["crop"] = (("y", "x"), crop, cube.flags(CROPS))
    data["parcel"] = (("y", "x"), (np.arange(64) // 8 + 1).astype("int32")[None].repeat(48, 0))
    return data.rio.write_crs("EPSG:32633")


# ---------------------------------------------------------------------------------- pages, browser


@pytest.fixture(scope="session")
def site(tmp_path_factory: Any) -> Path:
    """All pages of the course, under a path as a project has it on a host of pages."""
    from stma_nb.__main__ import main

    folder = tmp_path_factory.mktemp("host") / "project" / "pages"
    assert main(["site", str(folder)]) == 0
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium for the tests of a module, which are skipped without it."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = (
        shutil.which("chromium")
        or shutil.which("chromium-browser")
        or shutil.which("google-chrome")
    )
    if not chromium:
        pytest.skip("no Chromium is installed")
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


def windows(narrow: int, wide: int) -> pytest.MarkDecorator:
    """A test at two widths in two schemes of colours: by day each width and each scheme once."""
    by_night = [(narrow, "dark"), (wide, "light")]
    seen = [(narrow, "light"), (wide, "dark")]
    seen += [pytest.param(*pair, marks=pytest.mark.slow) for pair in by_night]
    return pytest.mark.parametrize("width, scheme", seen)


def complaints(page: Any, allowed: Sequence[str]) -> list[str]:
    """What goes wrong on a page from now on, and what it asks for beyond the ``allowed`` beginnings
    of addresses, which may grow; the list fills as it happens.
    """
    wrong: list[str] = []

    def said(message: Any) -> None:
        if message.type in ("error", "warning"):
            wrong.append(message.text)

    def asked(request: Any) -> None:
        if not request.url.startswith(tuple(allowed)):
            wrong.append(request.url)

    page.on("console", said)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", asked)
    return wrong


# --------------------------------------------------------------------------------------- JupyterLab


@contextmanager
def jupyterlab(browser: Any, tmp_path_factory: Any, cells: Sequence[str]) -> Iterator[Any]:
    """A notebook of these cells open in JupyterLab and Chromium, with settings of its own; the
    server ends in any case. Gives ``page``, ``folder`` and ``wrong``, the complaints so far.
    """
    import nbformat

    home, folder = tmp_path_factory.mktemp("jupyter"), tmp_path_factory.mktemp("notebooks")
    content = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    content.metadata.kernelspec = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    nbformat.write(content, folder / "explore.ipynb")
    places = (
        "JUPYTER_CONFIG_DIR JUPYTER_DATA_DIR JUPYTER_RUNTIME_DIR JUPYTERLAB_SETTINGS_DIR "
        "JUPYTERLAB_WORKSPACES_DIR IPYTHONDIR"
    )
    quiet = (
        home
        / "JUPYTERLAB_SETTINGS_DIR/@jupyterlab/apputils-extension/notification.jupyterlab-settings"
    )
    quiet.parent.mkdir(parents=True)
    quiet.write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port, token = free.getsockname()[1], secrets.token_hex()
    options = (
        f"--no-browser --allow-root --ip=127.0.0.1 --port={port} --ServerApp.port_retries=0 "
        "--LabApp.expose_app_in_browser=True"
    )
    with open(home / "log", "w") as log:
        server = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "jupyterlab",
                *options.split(),
                f"--ServerApp.root_dir={folder}",
            ],
            env=os.environ
            | {place: str(home / place) for place in places.split()}
            | {"JUPYTER_TOKEN": token},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        end = time.monotonic() + 60
        while True:
            assert server.poll() is None and time.monotonic() < end, (
                f"JupyterLab does not start:\n{(home / 'log').read_text()}"
            )
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.05)
        clipboard = ["clipboard-read", "clipboard-write"]
        context = browser.new_context(
            viewport={"width": 1280, "height": 1100}, permissions=clipboard
        )
        context.set_default_timeout(10_000)
        page, wrong = context.new_page(), []
        page.on("console", lambda message: wrong.append(message.text) if matters(message) else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        ours = re.compile(rf"(blob:)?(http|ws)://127\.0\.0\.1:{port}/|data:")
        for kind in ("request", "websocket"):
            page.on(kind, lambda asked: None if ours.match(asked.url) else wrong.append(asked.url))
        page.goto(f"http://127.0.0.1:{port}/lab/tree/explore.ipynb?token={token}")
        kernel = "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel"
        page.wait_for_function(f"{kernel}?.status === 'idle'", timeout=60_000)
        page.evaluate("jupyterapp.shell.collapseLeft()")
        yield SimpleNamespace(page=page, folder=folder, wrong=wrong)
        context.close()
    finally:
        os.killpg(server.pid, signal.SIGTERM)  # the server ends its kernels
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(
                server.pid, signal.SIGKILL
            )  # kernels end by themselves when their server is gone


def matters(message: Any) -> bool:
    """Every error matters; a warning if it is about us, since what JupyterLab itself deprecates is
    not ours to mend.
    """
    about_us = re.search(
        "explorer|widget|stma", f"{message.text} {message.location}", re.IGNORECASE
    )
    return message.type == "error" or bool(message.type == "warning" and about_us)


def notebook(page: Any) -> list:
    """What keys meant for a widget must leave alone: selected cell and mode, kinds and sources
    of the cells.
    """
    content = "jupyterapp.shell.currentWidget.content"
    cells = f"{content}.widgets.map(({{ model }}) => [model.type, model.sharedModel.getSource()])"
    return page.evaluate(f"[{content}.activeCellIndex, {content}.mode, {cells}]")
