"""The laboratory: each experiment, made by its controls, gives what PyTorch gives on the same
changed input, and can be taken back; what the answer needs is what Python finds.
"""

import dataclasses
import re

import numpy as np
import pytest
from conftest import windows
from scipy import stats
from test_76_attention_explorer import opened, settled

from stma_nb import course, cube, train
from stma_nb.attention import AttentionExplorer, area_mask, in_words, rank_agreement
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
    return train.load(course.sample_weights())


@pytest.fixture
def view(trained, season):
    return AttentionExplorer(trained, season, ROW, COLUMN, pixel=PIXEL)


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


# ------------------------------------------------------------------------------------ bending, keys


def column_of(page, date):
    """The chart on the screen, and where in it the column of a date is."""
    chart = page.locator("canvas.curves")
    chart.scroll_into_view_if_needed()
    box, days = chart.bounding_box(), page.evaluate(f"() => {LAB}.f.days")
    first, last = days[0] - (days[1] - days[0]) / 2, days[-1] + (days[-1] - days[-2]) / 2
    left, right = 68, 34  # margins of the chart
    return box, box["x"] + left + (days[date] - first) / (last - first) * (
        box["width"] - left - right
    )


def find_point(page, date):
    """How far down in the chart a point of a curve can be dragged, found by trying."""
    for down in range(120, 400, 8):
        box, x = column_of(page, date)
        page.mouse.move(x, box["y"] + down)
        page.mouse.down()
        page.mouse.move(x, box["y"] + down - 12, steps=2)
        page.mouse.up()
        settled(page)
        if state(page, "edits"):
            press(page, "Take back")
            return down
    raise AssertionError("no point of a curve can be dragged")


def test_a_curve_is_dragged_in_one_step_and_no_farther_than_can_be(page, view):
    choose(page, "Experiment", "Bend a curve")
    down = find_point(page, 5)
    past = page.evaluate(f"() => {LAB}.past.length")
    box, x = column_of(page, 5)
    y = box["y"] + down
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 11):
        page.mouse.move(x, y - 4 * step)
    page.mouse.up()
    settled(page)
    [edit] = state(page, "edits")
    assert edit["do"] == "bend" and edit["area"] == FIELD
    assert edit["by"][5] > 0.5 and not any(by for t, by in enumerate(edit["by"]) if t != 5)
    as_pytorch(page, view, [edit])
    assert page.evaluate(f"() => {LAB}.past.length") == past + 1
    band = edit["band"]
    page.evaluate(f"(band) => {LAB}.bend(band, 5, 70, false)", band)  # no radar measures that
    settled(page)
    [edit] = state(page, "edits")
    area = area_mask(FIELD, view.lab.scene_at(view.corner))
    place = [one["name"] for one in view.facts["bands"]].index(band)
    curve = np.nanmean(view.values([edit])[:, place, area], 1)
    assert 29.8 < curve[5] <= 30
    assert f"{band.upper()} stays between −60 and 30 dB" in page.inner_text(".refused")
    as_pytorch(page, view, [edit])
    undo = page.get_by_role("button", name="Undo", exact=True)
    undo.click()
    undo.click()
    assert state(page, "edits") == []


def test_keys_bend_the_chosen_curve_and_leave_the_notebook_alone(page, view):
    choose(page, "Experiment", "Bend a curve")
    choose(page, "Band", "VV")
    choose(page, "Where", "the chosen pixel")
    choose(page, "Date to bend", "13 May")
    page.evaluate("() => document.addEventListener('keydown', (e) => { window.heard = e.key; })")
    page.locator("canvas.curves").focus()
    for key in ("ArrowUp", "ArrowUp", "ArrowDown", "ArrowRight", "ArrowUp"):
        page.keyboard.press(key)
    settled(page)
    by = [0.0] * 18
    by[6], by[7] = 0.5, 0.5
    area = {"kind": "pixel", "at": PIXEL}
    assert state(page, "edits") == [{"do": "bend", "band": "vv", "by": by, "area": area}]
    as_pytorch(page, view, state(page, "edits"))
    assert page.evaluate("() => window.heard") is None


def test_cells_are_picked_by_keys_and_the_way_back_is_free_of_the_mouse(page, view):
    choose(page, "Experiment", "Hide a place")
    choose(page, "Where", "cells that I pick")
    page.locator("canvas.scene").focus()
    page.keyboard.press("Enter")  # at the chosen pixel: cell 5, 6 of 8 x 8
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    settled(page)
    assert state(page, "locked") is None, "while cells are picked, Enter does not lock"
    page.locator(".experiments").get_by_role("button", name="Hide", exact=True).focus()
    page.keyboard.press("Enter")
    settled(page)
    edits = [{"do": "hide", "area": {"kind": "cells", "cells": [45, 46], "size": 4}}]
    assert state(page, "edits") == edits
    page.keyboard.press("Control+z")
    settled(page)
    assert state(page, "edits") == []
    choose(page, "Where", "the whole patch")
    page.mouse.click(*place_of(page, 40, 40))
    assert state(page, "pixel") == [40, 40], "who picks no longer chooses pixels again"


def test_fingers_experiment(view, browser, tmp_path):
    path = view.save_html(tmp_path / "view.html")
    page, wrong = opened(browser, path, 390, has_touch=True, is_mobile=True)
    place = page.locator(".experiments")
    small = [
        node.bounding_box()
        for node in place.locator("button, select, input[type=number]").all()
        if node.is_visible() and min(node.bounding_box()[side] for side in ("width", "height")) < 43
    ]
    assert not small, "as large as a finger"
    place.get_by_role("button", name="1 May", exact=True).tap()
    settled(page)
    edits = [{"do": "leave out", "dates": [5], "by": "mean", "area": PATCH_AREA}]
    assert state(page, "edits") == edits
    as_pytorch(page, view, edits)
    choose(page, "Experiment", "Hide a place")
    choose(page, "Where", "cells that I pick")
    page.touchscreen.tap(*place_of(page, ROW + 1, COLUMN + 9))
    settled(page)
    assert "1 cell picked." in page.inner_text(".experiments")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    page.close()
    assert not wrong, wrong


# ------------------------------------------------------------------------------------- what changed


def bars(page):
    """Rows of the table of probabilities: class, before, after."""
    return page.evaluate(
        """() => [...document.querySelectorAll(".paired tbody tr")].map((row) =>
            [0, 2, 3].map((k) => row.children[k].textContent))"""
    )


def test_the_sentence_the_bars_and_the_counts_are_true(page, view):
    page.evaluate(
        """() => {
            window.heard = [];
            const node = document.querySelector(".heard");
            new MutationObserver(() => heard.push(node.textContent))
                .observe(node, { childList: true });
        }"""
    )
    assert page.inner_text(".changed .change") == "Nothing is changed yet."
    press(page, "1 May")
    edits = state(page, "edits")
    old, new = view.outcome([]), view.outcome(edits)
    inside = (PIXEL[0] - ROW, PIXEL[1] - COLUMN)
    before, after = (one["probability"][(slice(None), *inside)] for one in (old, new))
    names = [crop["name"] for crop in view.facts["classes"]]
    assert before.argmax() != after.argmax(), "an experiment that changes the answer"
    label = view.lab.label(view.corner)
    changed = int((old["prediction"] != new["prediction"]).sum())
    known = (label != UNKNOWN) & (old["prediction"] != UNKNOWN)
    was, now = (known & (one["prediction"] == label) for one in (old, new))
    space = np.abs(new["spatial"][1][0] - old["spatial"][1][0])[5 * 8 + 6].sum() / 2
    time = np.abs(new["temporal"][1][0].mean(0) - old["temporal"][1][0].mean(0)).sum() / 2
    text = page.inner_text(".changed .change")
    found = re.fullmatch(
        r"(.+?) (\d+) % → (.+?) (\d+) %\. (\d+) of 1024 pixels change class "
        r"\((\d+) become right, (\d+) wrong, (\d+) are wrong before and after\)\. At level 1, "
        r"head 1, ([\d.]+) % of where the pixel looks and ([\d.]+) % of the weight of dates "
        r"moves\.",
        text,
    )
    assert found, text
    assert (found[1], found[3]) == (names[before.argmax()], names[after.argmax()])
    numbers = [float(found[k]) for k in (2, 4, 5, 6, 7, 8, 9, 10)]
    right = [100 * before.max(), 100 * after.max(), changed, (now & ~was).sum(), (was & ~now).sum()]
    right.append(changed - right[-1] - right[-2])
    np.testing.assert_allclose(numbers, [*right, 100 * space, 100 * time], atol=1.1)
    rows = bars(page)
    for row in rows[:-1]:
        share = [float(cell.rstrip(" %")) / 100 for cell in row[-2:]]
        place = names.index(row[0].strip().removesuffix(" (reference)"))
        np.testing.assert_allclose(share, [before[place], after[place]], atol=1e-2)
    for column in (-2, -1):
        assert abs(sum(float(row[column].rstrip(" %")) for row in rows) - 100) < 2
    judged = f"{was.sum()} → {now.sum()} of {known.sum()}"
    assert judged in page.inner_text(".changed ul"), (judged, page.inner_text(".changed ul"))
    page.wait_for_timeout(600)
    assert page.evaluate("() => heard") == [text], "said once, on rest"

    press(page, "Field")
    area = area_mask(FIELD, view.lab.scene_at(view.corner))
    before, after = (one["probability"][:, area].mean(1) for one in (old, new))
    rows = bars(page)
    for row in rows[:-1]:
        share = [float(cell.rstrip(" %")) / 100 for cell in row[-2:]]
        place = names.index(row[0].strip().removesuffix(" (reference)"))
        np.testing.assert_allclose(share, [before[place], after[place]], atol=1e-2)


def test_edits_in_force_are_listed_in_words_and_taken_out_one_by_one(page, view):
    edits = chain(page)
    words = [item.inner_text() for item in page.locator(".force li").all()]
    assert words == [f"{said} Remove" for said in in_words(edits, view.facts)]
    page.locator(".force li button").nth(1).focus()
    page.keyboard.press("Enter")
    settled(page)
    assert state(page, "edits") == [edits[0], edits[2]]
    as_pytorch(page, view, [edits[0], edits[2]])
    focused = page.evaluate("() => document.activeElement.getAttribute('aria-label')")
    assert focused and focused.startswith("Remove: All pixels"), "the next one is at hand"
    press(page, "difference")
    assert state(page, "show") == "difference"
    press(page, "Clear all")
    assert state(page, "edits") == []
    page.get_by_role("button", name="Undo", exact=True).click()
    settled(page)
    press(page, "Take back")
    assert state(page, "edits") == [edits[0]], "the last one is taken away, whatever else was done"


def test_what_cannot_be_is_said_in_one_sentence_and_changes_nothing(page):
    choose(page, "Instead of it", "interpolated from the dates kept")
    dates = page.locator(".experiments .dates button").all()
    for date in dates[:-1]:
        date.click()
    settled(page)
    before = state(page, "edits")
    dates[-1].click()
    settled(page)
    refusal = page.locator(".refused")
    assert "all dates are left out" in refusal.inner_text() and state(page, "edits") == before
    dates[0].click()
    settled(page)
    assert not refusal.is_visible(), "what is possible takes the refusal away"
    press(page, "Clear all")
    choose(page, "Experiment", "Exchange two dates")
    choose(page, "Second date", "2 Mar")
    press(page, "Exchange")
    assert "each once" in refusal.inner_text() and state(page, "edits") == []
    choose(page, "Experiment", "Fresh speckle, or none")
    fill(page, "Looks", "")
    press(page, "Draw")
    assert "whole number from 0" in refusal.inner_text() and state(page, "edits") == []
    choose(page, "Experiment", "Hide a place")
    choose(page, "Where", "cells that I pick")
    press(page, "Hide")
    assert "the cells are []" in refusal.inner_text() and state(page, "edits") == []


def test_a_season_without_fields_and_labels_tells_what_cannot_be(
    trained, season, browser, tmp_path
):
    bare = season.drop_vars(["crop", "parcel"])
    view = AttentionExplorer(trained, bare, ROW, COLUMN, pixel=PIXEL)
    page, wrong = opened(browser, view.save_html(tmp_path / "view.html"))
    crop = page.locator(".experiments option", has_text="Copy the curve of a crop")
    field = page.locator(".experiments option", has_text="its field").first
    assert crop.is_disabled() and field.is_disabled()
    text = page.inner_text(".experiments")
    assert "the scene has no labels, so that there is no crop to copy" in text
    assert "No field to choose: the scene has neither fields nor labels" in text
    press(page, "What makes it another crop?")
    press(page, "Show me")
    assert "no labels" in page.inner_text(".answer")
    press(page, "1 May")
    as_pytorch(page, view, [{"do": "leave out", "dates": [5], "by": "mean", "area": PATCH_AREA}])
    page.close()
    assert not wrong, wrong


# ---------------------------------------------------------------------------------- what it needs


def ready(page, what):
    for _ in range(600):
        if page.evaluate(f"() => Boolean({LAB}.{what})"):
            return settled(page)
        page.wait_for_timeout(50)
    raise AssertionError(f"{what} was never there")


@pytest.mark.parametrize("of", ["pixel", "field", "patch"])
def test_what_the_answer_needs_is_what_python_finds(page, view, of):
    edits = even_head(page)
    names = {"pixel": "the pixel", "field": "its field", "patch": "the whole patch"}
    choose(page, "Answer of", names[of])
    press(page, "Every date")
    ready(page, "need")
    areas = {"pixel": {"kind": "pixel", "at": PIXEL}, "field": FIELD, "patch": PATCH_AREA}
    view.edits = edits
    area = area_mask(areas[of], view.lab.scene_at(view.corner))
    theirs = view.needed(None if of == "patch" else area)
    ours = np.array(page.evaluate(f"() => [...{LAB}.need.values]"))
    np.testing.assert_allclose(ours, theirs, atol=2e-2)
    assert page.evaluate(f"() => [{LAB}.need.unit, {LAB}.need.of]") == ["nat", of]
    text = page.inner_text(".needs")
    assert f"needs {view.facts['dates'][ours.argmax()][-2:].lstrip('0')} " in text
    received = view.outcome()["temporal"][1][0].mean(0)
    agree = rank_agreement(received, ours)
    found = re.search(r"receive \(level 1, head 1\): rho (−?[\d.]+): (.+?); (\d+) %", text)
    assert abs(float(found[1].replace("−", "-")) - agree["rho"]) < 0.03, (text, agree)
    assert abs(int(found[3]) / 100 - agree["chance"]) < 0.07
    clear = abs(agree["rho"]) >= 0.2 and agree["chance"] <= 0.1
    assert ("no clear" not in found[2]) == (clear or found[2] == "the other way round")


def test_every_cell_is_hidden_in_turn_and_drawn_over_the_patch(page, view):
    page.evaluate(f"() => {LAB}.set({{ level: 2 }})")
    settled(page)
    assert page.locator(".experiments").get_by_role("button", name="what it needs").is_disabled()
    press(page, "Every cell")
    ready(page, "needCells")
    size = PATCH // round(len(page.evaluate(f"() => [...{LAB}.needCells.values]")) ** 0.5)
    side = PATCH // size
    row, column = PIXEL[0] - ROW, PIXEL[1] - COLUMN
    before = view.outcome([])["probability"][:, row, column]
    theirs = np.array(
        [
            np.log(
                before.max() / view.outcome([hidden])["probability"][before.argmax(), row, column]
            )
            for hidden in (
                {"do": "hide", "area": {"kind": "cells", "cells": [cell], "size": size}}
                for cell in range(side**2)
            )
        ]
    )
    ours = np.array(page.evaluate(f"() => [...{LAB}.needCells.values]"))
    np.testing.assert_allclose(ours, theirs, atol=2e-2)
    looks = view.outcome([])["spatial"][2][0][row // size * side + column // size]
    rho = stats.spearmanr(looks, ours).statistic
    text = page.inner_text(".needs")
    found = re.search(r"where the pixel looks: rho (−?[\d.]+)", text)
    assert abs(float(found[1].replace("−", "-")) - rho) < 0.05
    best, (top, left) = ours.argmax(), (ROW, COLUMN)
    first = (top + best // side * size, left + best % side * size)
    assert f"rows {first[0]}–{first[0] + size - 1}, columns {first[1]}–" in text
    shown = page.locator("canvas.scene").screenshot()
    press(page, "what it needs")
    assert "which cells the answer needs" in page.inner_text(".patch-panel figcaption >> nth=0")
    assert page.locator("canvas.scene").screenshot() != shown


def test_needs_are_forgotten_when_they_no_longer_hold_and_can_be_cancelled(page):
    for change in (
        {"pixel": [40, 40]},
        {"edits": [{"do": "shift", "days": 3}]},
        {"corner": [33, 32]},
    ):
        press(page, "Every date")
        ready(page, "need")
        page.evaluate(f"(change) => {LAB}.set(change)", change)
        settled(page)
        assert page.evaluate(f"() => {LAB}.need") is None, change
    press(page, "Every cell")
    page.locator(".experiments").get_by_role("button", name="Cancel").click()
    page.wait_for_timeout(300)
    settled(page)
    assert page.evaluate(f"() => {LAB}.needCells") is None
    assert page.locator(".experiments").get_by_role("button", name="Every cell").is_enabled()
    page.evaluate(f"() => {LAB}.set({{ level: 2 }})")
    press(page, "Every cell")
    press(page, "1 May")  # while it is computed: the answer would be about something else
    page.wait_for_timeout(500)
    assert page.evaluate(f"() => {LAB}.needCells") is None


# ------------------------------------------------------------------------------------- questions


QUESTIONS = (
    "Which date does it need?",
    "Does it need its neighbours?",
    "Does it need its attention over dates?",
    "… over pixels?",
    "What if all grew 20 days later?",
    "What makes it another crop?",
    "Is it only speckle?",
)


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_is_answered_after_it_was_thought_about(page, view, name):
    press(page, name)
    assert page.inner_text(".question").rstrip().endswith(("?", ".")) and state(page, "edits") == []
    assert page.inner_text(".answer") == ""
    press(page, "Show me")
    for _ in range(400):
        answer = page.inner_text(".answer")
        if answer and "being computed" not in answer:
            break
        page.wait_for_timeout(50)
    edits = state(page, "edits")
    assert len(edits) == 1
    as_pytorch(page, view, edits)
    old, new = view.outcome([]), view.outcome(edits)
    seen = np.ones((PATCH, PATCH), bool)
    if edits[0]["do"] == "hide":  # what is taken away is no answer to look at
        seen = ~area_mask(edits[0]["area"], view.lab.scene_at(view.corner))
    changed = int((old["prediction"] != new["prediction"])[seen].sum())
    told = re.search(r"(\d+) of (\d+) pixels (that are not hidden )?change class", answer)
    assert told, answer
    assert abs(int(told[1]) - changed) <= 1 and int(told[2]) == seen.sum()
    if name == QUESTIONS[0]:
        view.edits = []
        own = np.zeros((PATCH, PATCH), bool)
        own[PIXEL[0] - ROW, PIXEL[1] - COLUMN] = True
        assert edits[0]["dates"] == [int(view.needed(own).argmax())]
    if name == "Is it only speckle?":
        assert re.match(r"Three draws: \w+ [\d.]+ %, \w+ [\d.]+ %, \w+ [\d.]+ %\. ", answer), answer
    press(page, "Take back")
    assert state(page, "edits") == []
    assert page.inner_text(".answer") == "", "an answer about something else is not left standing"


# --------------------------------------------------------------------------------- anyone, anything


def test_names_of_classes_are_text(trained, season, browser, tmp_path):
    names = ["<img src=x onerror=alert(1)>", "</script><b>", '"; --', *"abcdefghijklm"]
    crops = tuple(
        cube.Crop(name, crop.colour) for name, crop in zip(names, trained.crops, strict=True)
    )
    hostile = season.copy()
    hostile["crop"] = (season.crop.dims, season.crop.values, cube.flags(crops))
    own = dataclasses.replace(trained, crops=crops)
    view = AttentionExplorer(own, hostile, ROW, COLUMN, pixel=PIXEL)
    page, wrong = opened(browser, view.save_html(tmp_path / "view.html"))
    choose(page, "Experiment", "Copy the curve of a crop")
    choose(page, "Crop", names[0])
    press(page, "Copy")
    press(page, "What makes it another crop?")
    text = page.inner_text(".experiments")
    assert (
        f"curve of {names[0]}" in text
        and page.locator(".experiments img, .experiments b").count() == 0
    )
    page.close()
    assert not wrong, wrong


@windows(390, 1440)
def test_the_experiments_are_accessible_at_any_width(view, browser, tmp_path, width, scheme):
    Axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe
    path = view.save_html(tmp_path / "view.html")
    page, wrong = opened(browser, path, width, color_scheme=scheme)
    page.evaluate(f"(pixel) => {LAB}.set({{ pixel }})", PIXEL)
    press(page, "Does it need its neighbours?")
    for name in page.locator("select[aria-label=Experiment] option").all_inner_texts():
        choose(page, "Experiment", name)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        if name in ("Leave out dates", "Equal attention", "Shift the calendar"):
            found = Axe().run(page).response["violations"]
            assert not found, [(v["id"], [n["html"] for n in v["nodes"]][:3]) for v in found]
    choose(page, "Experiment", "Leave out dates")
    press(page, "1 May")
    choose(page, "Where", "cells that I pick")
    page.mouse.click(*place_of(page, ROW + 1, COLUMN + 9))
    settled(page)
    found = Axe().run(page).response["violations"]
    assert not found, [(v["id"], [n["html"] for n in v["nodes"]][:3]) for v in found]
    page.close()
    assert not wrong, wrong
