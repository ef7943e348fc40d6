import os
import shutil
from collections.abc import Iterator, Sequence
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "2")
os.environ.setdefault(
    "GOMP_SPINCOUNT", "10000"
)  # for the processes that tests start, and before torch loads here

import numpy as np
import pytest
import rioxarray  # noqa: F401  (registers the .rio accessor)
import xarray as xr

from stma_nb import cube

CROPS = (
    cube.Crop("Background", "#dddddd"),
    cube.Crop("Maize", "#d55e00"),
    cube.Crop("Sugar beet", "#0072b2"),
)


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
