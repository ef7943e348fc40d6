"""The laboratory: each experiment, made by its controls, gives what PyTorch gives on the same
changed input, and can be taken back; what the answer needs is what Python finds.
"""

import json
import re

import numpy as np
import pytest
import torch
from conftest import complaints
from scipy import stats

from stma_nb import cube, course, train
from stma_nb.attention import AttentionExplorer, area_mask, rank_agreement
from stma_nb.cube import UNKNOWN

ROW, COLUMN, PATCH = 32, 32, 32
PIXEL = [53, 57]  # in a field of wheat
LAB = "document.querySelector('.stma').lab"


@pytest.fixture(scope="module")
def season():
    """A part of the sample season, with fields of several crops."""
    part = dict(y=slice(96, 224), x=slice(96, 224))
    return cube.open_season(course.sample_season()).isel(part).load()


@pytest.fixture(scope="module")
def trained():
    return train.load(course.sample_season().parent / "stma_sample.safetensors")


@pytest.fixture
def view(trained, season):
    return AttentionExplorer(trained, season, ROW, COLUMN, pixel=PIXEL)


def opened(browser, path, width=1100, **settings):
    page = browser.new_page(viewport={"width": width, "height": 1000}, **settings)
    wrong = complaints(page, allowed=["file:", "blob:"])
    page.goto(path.as_uri())
    settled(page)
    return page, wrong


def settled(page) -> None:
    """The network has answered and the panel is drawn."""
    page.wait_for_selector(".stma:not(.busy) .sentence:not(:empty)")
    page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )


@pytest.fixture
def page(view, tmp_path, browser):
    page, wrong = opened(browser, view.save_html(tmp_path / "view.html"))
    yield page
    page.close()
    assert not wrong, wrong


def state(page, name):
    return page.evaluate(f"(name) => {LAB}.get(name)", name)


def press(page, name, **where):
    page.locator(".experiments").get_by_role("button", name=name, exact=True, **where).click()
    settled(page)


def choose(page, label, option):
    page.locator(".experiments").get_by_label(label, exact=True).select_option(label=option)
    settled(page)


def fill(page, label, text):
    page.locator(".experiments").get_by_label(label, exact=True).fill(str(text))


def slide(page, label, *keys):
    page.locator(".experiments").get_by_label(label, exact=True).focus()
    for key in keys:
        page.keyboard.press(key)
    settled(page)


def place_of(page, row, column):
    """Where the middle of a pixel of the patch stands on the screen."""
    page.locator("canvas.scene").scroll_into_view_if_needed()
    box = page.locator("canvas.scene").bounding_box()
    unit = (box["width"] - 38) / PATCH  # 38: the margins for rows and columns
    return (
        box["x"] + 34 + (column - COLUMN + 0.5) * unit,
        box["y"] + 2 + (row - ROW + 0.5) * unit,
    )


def results(page, which="after"):
    """What the page holds: as `AttentionExplorer.outcome`."""
    found = page.evaluate(
        f"""() => {{
            const r = {LAB}.{which}, list = (maps) => Object.values(maps).map((m) => [...m]);
            return {{ logits: [...r.logits], prediction: [...r.prediction], cross: [...r.cross],
                spatial: list(r.spatial), temporal: list(r.temporal) }};
        }}"""
    )
    return found


def probability(found):
    logits = np.array(found["logits"]).reshape(-1, PATCH, PATCH)
    shifted = np.exp(logits - logits.max(0))
    return shifted / shifted.sum(0)


def as_pytorch(page, view, edits):
    """The page's result of an experiment is that of PyTorch on the same changed input."""
    settled(page)
    ours, theirs = results(page), view.outcome(edits)
    np.testing.assert_allclose(probability(ours), theirs["probability"], atol=1e-2)
    assert np.mean(np.ravel(theirs["prediction"]) == ours["prediction"]) >= 0.999
    for branch in ("spatial", "temporal"):
        for mine, exact in zip(ours[branch], theirs[branch].values(), strict=True):
            np.testing.assert_allclose(mine, exact.ravel(), atol=1e-3)
    np.testing.assert_allclose(ours["cross"], theirs["cross"].ravel(), atol=1e-2)


PATCH_AREA, FIELD = {"kind": "patch"}, {"kind": "field", "at": PIXEL}
BEYOND = {"kind": "beyond", "at": PIXEL, "radius": 5}


def leave_out(page):
    press(page, "1 May")
    press(page, "14 Mar")
    return [{"do": "leave out", "dates": [1, 5], "by": "mean", "area": PATCH_AREA}]


def interpolate(page):
    choose(page, "Where", "its field")
    press(page, "6 Jun")
    choose(page, "Instead of it", "interpolated from the dates kept")
    return [{"do": "leave out", "dates": [8], "by": "neighbours", "area": FIELD}]


def bend(page):
    choose(page, "Experiment", "Bend a curve")
    choose(page, "Band", "VV")
    choose(page, "Date to bend", "7 Apr")
    fill(page, "Change", "-4.5")
    press(page, "Bend")
    choose(page, "Date to bend", "19 Apr")
    fill(page, "Change", "2")
    press(page, "Bend")
    return [{"do": "bend", "band": "vv", "by": [0, 0, 0, -4.5, 2, *[0] * 13], "area": FIELD}]


def copy_crop(page):
    choose(page, "Experiment", "Copy the curve of a crop")
    choose(page, "Crop", "Maize")
    press(page, "Copy")
    return [{"do": "copy crop", "crop": 1, "area": FIELD}]


def other_neighbours(page):
    choose(page, "Experiment", "Copy the curve of a crop")
    choose(page, "Where", "all farther away than")
    fill(page, "Distance in pixels", 5)
    choose(page, "Crop", "Rapeseed")
    press(page, "Copy")
    return [{"do": "copy crop", "crop": 8, "area": BEYOND}]


def hide_neighbours(page):
    choose(page, "Experiment", "Hide a place")
    fill(page, "Distance in pixels", 5)
    press(page, "Hide")
    return [{"do": "hide", "area": BEYOND}]


def hide_cells(page):
    choose(page, "Experiment", "Hide a place")
    choose(page, "Where", "cells that I pick")
    page.mouse.click(*place_of(page, ROW + 1, COLUMN + 9))
    page.mouse.click(*place_of(page, ROW + 13, COLUMN + 5))
    page.mouse.click(*place_of(page, ROW + 6, COLUMN + 6))
    page.mouse.click(*place_of(page, ROW + 5, COLUMN + 5))  # the same cell: not picked after all
    settled(page)
    assert "2 cells picked." in page.inner_text(".experiments")
    press(page, "Hide")
    return [{"do": "hide", "area": {"kind": "cells", "cells": [2, 25], "size": 4}}]


def shift(page):
    choose(page, "Experiment", "Shift the calendar")
    slide(page, "Days later", *["ArrowRight"] * 9)
    assert "9 days later" in page.inner_text(".experiments")
    return [{"do": "shift", "days": 9}]


def exchange(page):
    choose(page, "Experiment", "Exchange two dates")
    choose(page, "First date", "14 Mar")
    choose(page, "Second date", "7 Apr")
    press(page, "Exchange")
    return [{"do": "exchange", "dates": [1, 3]}]


def speckle(page):
    choose(page, "Experiment", "Fresh speckle, or none")
    fill(page, "Looks", 3)
    press(page, "Draw")
    press(page, "Draw")
    return [{"do": "speckle", "looks": 3, "seed": 2}]


def no_speckle(page):
    choose(page, "Experiment", "Fresh speckle, or none")
    press(page, "Take speckle away")
    return [{"do": "speckle", "looks": 0}]


def even_dates(page):
    choose(page, "Experiment", "Equal attention")
    press(page, "Make equal")
    return [{"do": "even", "branch": "temporal", "levels": [1, 2, 3], "heads": []}]


def even_head(page):
    choose(page, "Experiment", "Equal attention")
    choose(page, "Equal over", "pixels")
    page.locator(".experiments").get_by_label("Level made equal", exact=True).select_option("2")
    page.locator(".experiments").get_by_label("Head made equal", exact=True).select_option("3")
    press(page, "Make equal")
    return [{"do": "even", "branch": "spatial", "levels": [2], "heads": [3]}]


def random_weights(page):
    choose(page, "Experiment", "Random weights")
    press(page, "Draw weights")
    return [{"do": "random weights", "seed": 1}]


def chain(page):
    return [*hide_neighbours(page), *shift(page), *even_dates(page)]


EXPERIMENTS = (
    *(leave_out, interpolate, bend, copy_crop, other_neighbours, hide_neighbours, hide_cells),
    *(shift, exchange, speckle, no_speckle, even_dates, even_head, random_weights, chain),
)


@pytest.mark.parametrize("make", EXPERIMENTS, ids=lambda make: make.__name__)
def test_an_experiment_by_its_controls_gives_what_pytorch_gives(page, view, make):
    before = results(page)
    edits = make(page)
    assert state(page, "edits") == edits
    as_pytorch(page, view, edits)
    assert results(page, "before") == before
    view.edits = edits
    assert len(page.locator(".force li").all()) == len(edits)
    for _ in range(10):
        if not state(page, "edits"):
            break
        press(page, "Take back")
    assert state(page, "edits") == [] and results(page) == before, "undo brings all back"
