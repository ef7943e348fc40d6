"""How fast the attention explorer answers: ``python tests/benchmarks/explorer_speed.py``, on a
quiet machine.

The saved page of the shipped weights and a quarter of the sample scene (224 x 224 pixels) in
headless Chromium: its size, the time until the first map is painted, a whole forward pass, one
after a changed date, and from pointing at a pixel to the paint. Medians of many, and the largest.
"""

import os
import platform
import shutil
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

from stma_nb import course, cube, train
from stma_nb.attention import AttentionExplorer

PASSES = """async () => {
    const lab = document.querySelector(".stma").lab, whole = [], changed = [];
    const timed = async (values, list) => {
        const began = performance.now();
        await lab.compute(values, [], { corner: [0, 0] });
        list.push(performance.now() - began);
    };
    for (let k = 0; k < 20; k++) {
        const values = lab.measured([(k * 13) % 190, (k * 29) % 190]);
        await timed(values, whole);
        values[5 * 2048 + k] += 1; // a pixel of one date
        await timed(values, changed);
    }
    return [whole, changed];
}"""
PAINTED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def main() -> None:
    season = cube.open_season(course.sample_season())
    scene = season.isel(y=slice(224, 448), x=slice(0, 224)).load()
    trained = train.load(course.sample_weights())
    explorer = AttentionExplorer(trained, scene, row=64, column=96, layer="label")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as p:
        path = explorer.save_html(Path(folder) / "page.html")
        print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, ", end="")
        browser = p.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        print(f"Chromium {browser.version}; page {path.stat().st_size / 1e6:.2f} MB")
        first = []
        for _ in range(7):
            page = browser.new_page(viewport={"width": 1100, "height": 1000})
            page.goto(path.as_uri())
            page.wait_for_selector(".stma:not(.busy) .sentence:not(:empty)")
            page.evaluate(PAINTED)
            first.append(page.evaluate("performance.now()"))
            if len(first) < 7:
                page.close()
        tell("opening to the first map", first)
        for name, times in zip(
            ("a whole forward pass", "a changed date"), page.evaluate(PASSES), strict=True
        ):
            tell(name, times)
        scene_box, paints = page.locator("canvas.scene").bounding_box(), []
        for step in range(60):
            page.mouse.move(
                scene_box["x"] + 60 + 37 * step % 300, scene_box["y"] + 20 + 53 * step % 300
            )
            page.evaluate(PAINTED)
            paints.append(float(page.get_attribute(".stma", "data-paint")))
        tell("from pointing to the paint", paints)
        browser.close()


def tell(name: str, times: list[float]) -> None:
    print(f"{name:28} median {np.median(times):6.1f} ms, largest {max(times):6.1f} ms")


if __name__ == "__main__":
    main()
