"""The panels of the attention explorer: their numbers are those of PyTorch on the same values, what
is taken away can be read back, and a link brings back what it was made from.
"""

import csv
import io
import json
import re
from urllib.parse import quote

import numpy as np
import pytest
import torch
from conftest import complaints, windows
from matplotlib.image import imread

from stma_nb import cube, patches, train
from stma_nb.attention import AttentionExplorer, rank_agreement
from stma_nb.model import STMA

ROW, COLUMN, PATCH = 8, 20, 16
PIXEL = (14, 31)
CLIPBOARD = ["clipboard-read", "clipboard-write"]
EDITS = [{"do": "leave out", "dates": [1, 3], "by": "mean"}]


def network(season, seed):
    """An untrained network with sharpened attention that maps about as many pixels as each class:
    its maps are far from even, and some of its pixels are right.
    """
    torch.manual_seed(seed)
    model = STMA(dates=season.sizes["time"], patch=PATCH, classes=3, width=8).eval()
    for name, weight in model.named_parameters():
        if "to_query.weight" in name and "attend" in name:
            weight.data *= 6
    trained = train.Trained(
        model, patches.fit_scaling(season), cube.legend(season), season.time.values
    )
    view = AttentionExplorer(trained, season, ROW, COLUMN)
    x = torch.from_numpy(patches.standardised(view.values(), trained.scaling))[None]
    with torch.inference_mode():
        middle = model(x)[0][0].flatten(1).median(1).values
    model.decoder.classify[-1].bias.data -= middle
    return trained


@pytest.fixture
def trained(season):
    return network(season, seed=0)


@pytest.fixture
def view(trained, season):
    return AttentionExplorer(trained, season, ROW, COLUMN, level=1, head=2, pixel=PIXEL, date=1)


def opened(browser, view, path, width=1100, hash="", **settings):
    """The saved explorer in a browser, and what goes wrong there."""
    page = browser.new_page(viewport={"width": width, "height": 1000}, **settings)
    wrong = complaints(page, allowed=["file:", "blob:"])
    page.goto(view.save_html(path, overwrite=True).as_uri() + hash)
    settled(page)
    return page, wrong


@pytest.fixture
def page(view, browser, tmp_path):
    page, wrong = opened(browser, view, tmp_path / "view.html", permissions=CLIPBOARD)
    yield page
    page.close()
    assert not wrong, wrong


def settled(page):
    """The network has answered and the picture is painted."""
    page.evaluate(
        """() => new Promise((done) => {
        const look = () => {
            const lab = document.querySelector(".stma")?.lab;
            if (!lab || lab.busy) setTimeout(look, 10);
            else requestAnimationFrame(() => requestAnimationFrame(done));
        };
        look();
    })"""
    )


def state(page, **values):
    """Set the state of the explorer, as its controls do, and give it back."""
    page.evaluate("(values) => document.querySelector('.stma').lab.set(values)", values)
    settled(page)
    return page.evaluate("document.querySelector('.stma').lab.state()")


def tab(page, title):
    page.get_by_role("tab", name=title).click()
    settled(page)
    return page.locator("[role=tabpanel]:not([hidden])")


def table(place, number=0):
    """Texts of a table, row by row."""
    rows = place.locator("table").nth(number).locator("tr").all()
    return [[cell.inner_text() for cell in row.locator("th, td").all()] for row in rows]


def numbers(text):
    return [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", text.replace("−", "-"))]


def spread(weights):
    """Over how many a distribution spreads: the exponential of its entropy (last axis)."""
    return np.exp(-np.sum(weights * np.log(np.maximum(weights, 1e-30)), -1))


def of_heads(weights, head):
    return weights[head - 1] if head else weights.mean(0)


def cell_of(pixel, level):
    size = 4 if level == 1 else 8
    return (pixel[0] - ROW) // size * (PATCH // size) + (pixel[1] - COLUMN) // size


# ---------------------------------------------------------------------------------------- all heads


def test_all_heads_show_where_a_pixel_looks_and_how_even_it_is(page, view):
    place, exact = tab(page, "All heads"), view.outcome()
    tiles = place.locator("button.tile").all()
    assert len(tiles) == 3 * 5 + 1, "four heads and their mean, and one map across scales"
    seen = iter(tiles)
    for level in (1, 2, 3):
        for head in (1, 2, 3, 4, 0):
            name, text = next(seen).get_attribute("aria-label").split(": ")
            assert name == f"level {level}, {f'head {head}' if head else 'mean of heads'}"
            cells = of_heads(exact["spatial"][level], head)[cell_of(PIXEL, level)]
            dates = of_heads(exact["temporal"][level], head)
            found = numbers(text)
            everywhere = of_heads(exact["spatial"][level], head)
            assert [found[1], found[6]] == [len(cells), len(dates)]
            near = 0.06 if found[0] < 9.95 else 0.51
            assert abs(found[0] - spread(cells)) < near
            assert abs(found[2] - spread(everywhere).mean()) < 0.51
            side, size = round(len(cells) ** 0.5), PATCH // round(len(cells) ** 0.5)
            at = size * np.stack(np.divmod(np.arange(len(cells)), side), -1)
            distance = np.hypot(*(at[:, None] - at).T)
            assert abs(found[3] - (everywhere * distance).sum(1).mean()) < 0.06
            assert abs(found[4] - distance.mean()) < 0.06
            assert abs(found[5] - spread(dates).mean()) < 0.06
    cosines = exact["cross"][cell_of(PIXEL, "cross")]
    low, high = numbers(next(seen).get_attribute("aria-label").partition("cosines")[2])
    assert abs(low - cosines.min()) < 0.006 and abs(high - cosines.max()) < 0.006


def test_the_maps_of_all_heads_stand_in_a_table(page, view):
    place = tab(page, "All heads")
    place.get_by_text("These maps as numbers").click()
    settled(page)
    name, most, weight, date, received, *_ = table(place)[2]
    assert name == "level 1, head 2"
    exact = view.outcome()["spatial"][1][1, cell_of(PIXEL, 1)]
    best, dates = int(exact.argmax()), view.temporal().mean(0)
    top, left = ROW + best // 4 * 4, COLUMN + best % 4 * 4
    assert most == f"rows {top}–{top + 3}, columns {left}–{left + 3}"
    assert abs(numbers(weight)[0] - 100 * exact.max()) < 0.51
    day = np.datetime64(view.facts["dates"][dates.argmax()]).item()
    assert date == f"{day.day} {day:%b}" and abs(numbers(received)[0] - 100 * dates.max()) < 0.51


def test_a_click_or_a_key_chooses_level_and_head(page):
    place = tab(page, "All heads")
    pressed = place.locator("button.tile[aria-pressed=true]")
    assert pressed.get_attribute("aria-label").startswith("level 1, head 2:")
    place.get_by_role("button", name="level 3, head 4").click()
    settled(page)
    assert pressed.get_attribute("aria-label").startswith("level 3, head 4:")
    for key in ("ArrowUp", "ArrowLeft", "ArrowLeft"):
        page.keyboard.press(key)
    assert state(page)["level"] == 3, "moving does not choose"
    page.keyboard.press("Enter")
    settled(page)
    assert (state(page)["level"], state(page)["head"]) == (2, 2)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    settled(page)
    assert (state(page)["level"], state(page)["head"]) == ("cross", 2), "a head is kept"
    assert place.locator("button.tile[tabindex='0']").count() == 1


def test_the_difference_of_all_heads_is_after_minus_before(page, view):
    place = tab(page, "All heads")
    state(page, edits=EDITS, show="difference")
    before, after = view.outcome([]), view.outcome(EDITS)
    for tile, head in zip(place.locator("button.tile").all(), (1, 2, 3, 4, 0), strict=False):
        shown = numbers(tile.get_attribute("aria-label").partition(": ")[2])
        for kind, value in (("spatial", shown[0]), ("temporal", shown[1])):
            change = of_heads(after[kind][1], head) - of_heads(before[kind][1], head)
            if kind == "spatial":
                change = change[cell_of(PIXEL, 1)]
            assert abs(value - 100 * abs(change).max()) < 0.11


def test_all_heads_follow_the_pointer(page, view):
    place = tab(page, "All heads")
    page.locator("canvas.scene").scroll_into_view_if_needed()
    box = page.locator("canvas.scene").bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + 8)  # the first pixel
    settled(page)
    assert f"row {ROW}, column {COLUMN} looks" in place.inner_text()
    cells = view.outcome()["spatial"][1][0, 0]
    shown = numbers(place.locator("button.tile").first.get_attribute("aria-label"))[2]
    assert abs(shown - spread(cells)) < 0.06


# ------------------------------------------------------------------------------------------ classes


def looked_at(weights, labels, size):
    """Share (class, class) of attention (N, N), and of equal weights, by the class of each pixel:
    every pixel of a class asks with its cell, and a cell answers for all its pixels.
    """
    side = PATCH // size
    cell = np.add.outer(np.arange(PATCH) // size * side, np.arange(PATCH) // size).ravel()
    pixels = weights[cell][:, cell] / size**2  # from pixel to pixel
    member = labels.ravel()[:, None] == np.arange(3)
    with np.errstate(invalid="ignore"):
        share = member.T @ pixels @ member / member.sum(0)[:, None]
    return share, member.mean(0), pixels, member


@pytest.mark.parametrize(("level", "head"), [(1, 2), (2, 0)])
def test_who_looks_at_whom_is_attention_summed_over_pixels(page, view, level, head):
    place = tab(page, "Classes")
    state(page, level=level, head=head)
    labels = view.lab.label((ROW, COLUMN))
    weights = of_heads(view.outcome()["spatial"][level], head)
    share, even, _, member = looked_at(weights, labels, 4 if level == 1 else 8)
    header, *rows, last = table(place)
    present = [crop["name"] for crop in view.facts["classes"]]
    assert header[2:] == [f"to {name}" for name in present] and len(rows) == 3
    for code, (name, count, *shown) in enumerate(rows):
        assert name == present[code] and numbers(count)[0] == member[:, code].sum()
        for other, text in enumerate(shown):
            percent, ratio = numbers(text)
            assert abs(percent - 100 * share[code, other]) < 0.51
            assert abs(ratio - share[code, other] / even[other]) < 0.051
    assert [numbers(text)[0] for text in last[2:]] == pytest.approx(100 * even, abs=0.51)


def test_what_an_experiment_changes_in_who_looks_at_whom(page, view):
    place = tab(page, "Classes")
    state(page, edits=EDITS, show="difference")
    labels = view.lab.label((ROW, COLUMN))
    shares = [
        looked_at(view.outcome(edits)["spatial"][1][1], labels, 4)[0] for edits in ([], EDITS)
    ]
    for row, change in zip(table(place)[1:-1], shares[1] - shares[0], strict=True):
        shown = [numbers(text)[0] for text in row[2:]]
        assert shown == pytest.approx(100 * change, abs=0.11)


def test_right_pixels_are_told_from_wrong_ones(page, view):
    place = tab(page, "Classes")
    labels, outcome = view.lab.label((ROW, COLUMN)), view.outcome()
    _, even, pixels, member = looked_at(outcome["spatial"][1][1], labels, 4)
    maize = (labels == 1).ravel()
    right = maize & (outcome["prediction"] == labels).ravel()
    wrong = maize & ~right
    assert 5 < right.sum() < maize.sum() - 5, "the test needs both"
    own = (pixels @ member)[:, 1]
    place.get_by_label("Class").select_option(label="Maize")
    settled(page)
    text = place.inner_text()
    found = re.search(
        r"Maize has (\d+) pixels in (\d+) cells; (\d+) \((.*?) %\) are mapped wrongly, most of "
        r"them as (.*?)\. Those mapped right give (.*?) % of .*? those mapped wrongly (.*?) %; "
        r"equal weights would give (.*?) %",
        text,
    )
    assert found, text
    count, cells, errors, share, other, ours, theirs, fair = found.groups()
    assert (int(count), int(errors)) == (maize.sum(), wrong.sum())
    assert int(cells) == 4, "columns 32 to 35 are maize: one of four columns of cells"
    assert abs(float(share) - 100 * wrong.sum() / maize.sum()) < 0.51
    most = np.bincount(outcome["prediction"].ravel()[wrong], minlength=3).argmax()
    assert other == view.facts["classes"][most]["name"]
    for shown, expected in (
        (ours, own[right].mean()),
        (theirs, own[wrong].mean()),
        (fair, even[1]),
    ):
        assert abs(float(shown) - 100 * expected) < 0.51


def test_mean_curves_of_a_class_are_those_of_its_pixels(page, view):
    place = tab(page, "Classes")
    place.get_by_label("Class").select_option(label="Maize")
    state(page, edits=EDITS)
    place.get_by_text("These curves as numbers").click()
    settled(page)
    labels, prediction = view.lab.label((ROW, COLUMN)), view.outcome(EDITS)["prediction"]
    maize, right = labels == 1, prediction == labels
    values = view.values(EDITS)
    _, *rows = table(place, 1)
    for date, row in enumerate(rows):
        shown = [numbers(cell)[0] if numbers(cell) else np.nan for cell in row[1:]]
        for band, four in enumerate((shown[:4], shown[4:])):
            of = values[date, band]
            expected = [of[maize].mean(), of[maize].std(), of[maize & right].mean()]
            expected.append(of[maize & ~right].mean())
            assert four == pytest.approx(expected, abs=0.006)


def test_without_labels_the_classes_are_those_of_the_map(trained, season, browser, tmp_path):
    view = AttentionExplorer(trained, season.drop_vars("crop"), ROW, COLUMN, head=2)
    page, wrong = opened(browser, view, tmp_path / "view.html")
    place, prediction = tab(page, "Classes"), view.outcome()["prediction"]
    assert "By the class of the map" in place.inner_text()
    share, *_ = looked_at(view.outcome()["spatial"][1][1], prediction, 4)
    for row in table(place)[1:-1]:
        code = [crop["name"] for crop in view.facts["classes"]].index(row[0])
        assert numbers(row[1])[0] == (prediction == code).sum()
        known = share[code][np.unique(prediction)]
        assert [numbers(text)[0] for text in row[2:]] == pytest.approx(100 * known, abs=0.51)
    assert "mapped wrongly" not in place.inner_text()
    page.close()
    assert not wrong, wrong


def test_pixels_without_a_label_are_counted_for_no_class(trained, season, browser, tmp_path):
    season.crop[:, COLUMN : COLUMN + 4] = cube.UNKNOWN
    view = AttentionExplorer(trained, season, ROW, COLUMN, head=2)
    page, wrong = opened(browser, view, tmp_path / "view.html")
    header, *rows, last = table(tab(page, "Classes"))
    assert header[-1] == "to no label" and numbers(last[-1]) == [25]
    assert len(rows) == len(np.unique(view.lab.label((ROW, COLUMN)))) - 1
    for row in rows:
        assert sum(numbers(text)[0] for text in row[2:]) == pytest.approx(100, abs=2)
    page.close()
    assert not wrong, wrong


# ------------------------------------------------------------------------------------- two networks


def told(text):
    """Shares and rank correlation that the panel tells."""
    alike = re.search(r"map [\d.]+ % \((\d+) of (\d+)\) of the pixels alike", text)
    correct = re.search(r"A maps .*?\((\d+) of \d+\).*?, B .*?\((\d+) of", text)
    rho, chance = re.search(r"rank correlation (−?[\d.]+) \((.*?) %", text).groups()
    return [int(v) for v in (*alike.groups(), *correct.groups())], numbers(f"{rho} {chance}")


def compared(place):
    """The second network has answered, too."""
    place.locator("div:not(.old) > h2").first.wait_for()


def check_two(place, view, ours, theirs):
    text, labels = place.inner_text(), view.lab.label((ROW, COLUMN))
    counts, (rho, chance) = told(text)
    a, b = ours["prediction"], theirs["prediction"]
    assert counts == [(a == b).sum(), a.size, (a == labels).sum(), (b == labels).sum()]
    one, two = (outcome["temporal"][1][1].mean(0) for outcome in (ours, theirs))
    expected = rank_agreement(one, two)
    assert abs(rho - expected["rho"]) < 0.006 and abs(chance - 100 * expected["chance"]) < 0.51
    for (date, *shown), day in zip(table(place)[1:], view.facts["dates"], strict=True):
        at = view.facts["dates"].index(day)
        assert date.startswith(str(int(day[8:])))
        assert numbers(" ".join(shown)) == pytest.approx(
            100 * np.array([one[at], two[at], two[at] - one[at]]), abs=0.51
        )


def test_a_network_is_compared_with_random_weights(page, view):
    place = tab(page, "Two networks")
    assert "before training" in place.inner_text()
    place.get_by_role("button", name="Compare with random weights").click()
    compared(place)
    place.get_by_text("Dates received as numbers").click()
    settled(page)
    random = [{"do": "random weights", "seed": 0}]
    check_two(place, view, view.outcome([]), view.outcome(random))
    state(page, edits=EDITS)
    compared(place)
    assert "Both see the patch as the experiment left it" in place.inner_text()
    check_two(place, view, view.outcome(EDITS), view.outcome([*EDITS, *random]))
    place.get_by_role("button", name="Draw other weights").click()
    place.get_by_text("(seed 1)").wait_for()


def test_random_weights_follow_the_patch(page, view):
    place = tab(page, "Two networks")
    place.get_by_role("button").click()
    place.get_by_text("Dates received as numbers").click()
    for view.corner in ((30, 40), (0, 3)):
        state(page, corner=view.corner, pixel=view.pixel)
        compared(place)
        ours, theirs = view.outcome(), view.outcome([{"do": "random weights", "seed": 0}])
        alike = (ours["prediction"] == theirs["prediction"]).sum()
        assert told(place.inner_text())[0][:2] == [alike, PATCH**2]


def test_a_second_network_stands_beside_the_first(season, trained, browser, tmp_path):
    other = network(season, seed=3)
    start = dict(level=1, head=2, pixel=PIXEL)
    view = AttentionExplorer(trained, season, ROW, COLUMN, other=other, **start)
    page, wrong = opened(browser, view, tmp_path / "view.html")
    place = tab(page, "Two networks")
    assert place.get_by_role("button").count() == 0, "nothing random is needed"
    place.get_by_text("Dates received as numbers").click()
    settled(page)
    theirs = AttentionExplorer(other, season, ROW, COLUMN).outcome()
    check_two(place, view, view.outcome(), theirs)
    lists = [one["spatial"][1][1, cell_of(PIXEL, 1)] for one in (view.outcome(), theirs)]
    change = lists[1] - lists[0]
    shown = place.locator("figure", has_text="B minus A").inner_text()
    at = int(abs(change).argmax())
    top, left = ROW + at // 4 * 4, COLUMN + at % 4 * 4
    assert f"rows {top}–{top + 3}, columns {left}–{left + 3}" in shown
    assert abs(numbers(shown)[0] - 100 * change[at]) < 0.11
    page.close()
    assert not wrong, wrong


# ------------------------------------------------------------------------------------------ exports


def taken(page, name):
    """Rows of the CSV file that a button hands out, by the names of the columns."""
    with page.expect_download() as download:
        page.get_by_role("button", name=name, exact=True).click()
    assert f"row{PIXEL[0]}_column{PIXEL[1]}" in download.value.suggested_filename
    with open(download.value.path(), encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    return {column: [row[k] for row in rows] for k, column in enumerate(header)}


def test_the_patch_as_csv_is_what_pytorch_computes(page, view):
    state(page, edits=EDITS)
    columns = taken(page, "Patch (CSV)")
    before, after = view.outcome([]), view.outcome(EDITS)
    names = np.array([crop["name"] for crop in view.facts["classes"]])
    labels = view.lab.label((ROW, COLUMN))
    places = np.array([columns["row"], columns["column"]], int)
    assert (places == np.indices((PATCH, PATCH)).reshape(2, -1) + [[ROW], [COLUMN]]).all()
    assert columns["label"] == names[labels].ravel().tolist()
    cell = [cell_of(place, 1) for place in places.T]
    for when, outcome in (("before", before), ("after", after)):
        assert columns[f"mapped {when}"] == names[outcome["prediction"]].ravel().tolist()
        own = np.take_along_axis(outcome["probability"], labels[None].astype(int), 0)
        shown = np.array(columns[f"probability of its class {when}"], float)
        assert shown == pytest.approx(own.ravel(), abs=2e-3)
        weights = outcome["spatial"][1][1, cell_of(PIXEL, 1)]
        shown = np.array(columns[f"weight of its cell {when}"], float)
        assert shown == pytest.approx(weights[cell], abs=2e-3)


def test_dates_as_csv_are_what_pytorch_computes(page, view):
    state(page, edits=EDITS)
    columns, pairs = taken(page, "Dates (CSV)"), taken(page, "Dates × dates (CSV)")
    dates = view.facts["dates"]
    assert columns["date"] == dates
    values = view.values(EDITS)[:, :, PIXEL[0] - ROW, PIXEL[1] - COLUMN]
    for band, name in enumerate(("VH (dB)", "VV (dB)")):
        assert np.array(columns[name], float) == pytest.approx(values[:, band], abs=1e-4)
    for when, edits in (("before", []), ("after", EDITS)):
        weights = view.outcome(edits)["temporal"][1][1]
        shown = np.array(columns[f"received {when}"], float)
        assert shown == pytest.approx(weights.mean(0), abs=2e-3)
        shown = np.array(columns[f"asked by {dates[1]} {when}"], float)
        assert shown == pytest.approx(weights[1], abs=2e-3)
        shown = np.array(pairs[f"weight {when}"], float).reshape(5, 5)
        assert shown == pytest.approx(weights, abs=2e-3)
    assert pairs["asking"] == np.repeat(dates, 5).tolist()
    assert pairs["answering"] == np.tile(dates, 5).tolist()
    need = {"values": [0.5, -0.25, 0, 1, 2], "unit": "nat", "of": "field"}
    page.evaluate("(need) => { document.querySelector('.stma').lab.need = need; }", need)
    columns = taken(page, "Dates (CSV)")
    assert np.array(columns["needed by the field (nat)"], float).tolist() == need["values"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_picture_holds_what_is_seen_and_says_what_it_is(view, browser, tmp_path, scheme):
    view.layer, view.opacity = "label", 0.5
    page, wrong = opened(browser, view, tmp_path / "view.html", color_scheme=scheme)
    with page.expect_download() as download:
        page.get_by_role("button", name="Picture (PNG)").click()
    picture = imread(io.BytesIO(download.value.path().read_bytes()), format="png")
    scene = page.locator("canvas.scene").bounding_box()
    assert picture.shape[1] >= 2 * scene["width"] and picture.shape[0] > 2.5 * scene["height"]
    ground = {"light": (255, 255, 255), "dark": (22, 25, 28)}[scheme]
    assert tuple(np.rint(255 * picture[2, 2, :3]).astype(int)) == ground
    foot = picture[-70:, 32:, :3]
    assert (abs(foot - picture[2, 2, :3]) > 0.3).any(), "the caption stands at the foot"
    colours = {tuple(colour) for colour in np.rint(255 * picture[::2, 40, :3]).astype(int)}
    for crop in view.facts["classes"]:
        own = np.array([int(crop["colour"][k : k + 2], 16) for k in (1, 3, 5)])
        assert tuple(np.floor(own + 0.5 * 0.65 * (255 - own) + 0.5)) in colours, "in the legend"
    page.close()
    assert not wrong, wrong


def copied(page, name):
    page.get_by_role("button", name=name).click()
    page.get_by_role("button", name="Copied").wait_for()
    return page.evaluate("navigator.clipboard.readText()")


def test_the_python_that_is_copied_brings_an_explorer_to_the_same_state(page, trained, season):
    shown = state(
        page,
        corner=[20, 30],
        pixel=[25, 33],
        locked=[21, 31],
        level="cross",
        head=0,
        date=3,
        layer="label",
        opacity=1,
        only="Sugar beet",
        edits=[*EDITS, {"do": "hide", "area": {"kind": "pixel", "at": [25, 33]}}],
        show="difference",
    )
    code = copied(page, "Copy as Python")
    assert 'explorer.date = "2018-07-01"\n' in code
    explorer = AttentionExplorer(trained, season)
    exec(code, {"explorer": explorer})
    again = {name: getattr(explorer, name) for name in explorer.VIEW}
    assert json.loads(json.dumps(again)) == shown
    state(page, locked=None, edits=[])
    exec(copied(page, "Copy as Python"), {"explorer": explorer})
    assert explorer.locked is None and explorer.edits == []


# -------------------------------------------------------------------------------------------- links


def test_a_link_brings_back_the_state_and_the_numbers(page, view, browser, tmp_path):
    shown = state(page, corner=[20, 30], pixel=[25, 33], level=2, head=3, edits=EDITS)
    sentence = page.inner_text(".sentence")
    link = copied(page, "Copy link")
    assert re.fullmatch(r"file:///.*/view\.html#[\w.!~*'()%-]+", link), (
        "it stays one word in a letter"
    )
    other = browser.new_page()
    other.goto(link)
    settled(other)
    assert other.inner_text(".sentence") == sentence
    assert state(other) == shown
    other.close()


@pytest.fixture
def linked(view, browser, tmp_path):
    """Open the explorer with what stands in a link; gives the page, its state and its sentence."""
    view.__class__ = type(
        "Open", (AttentionExplorer,), {"_esm": view._esm + "\nglobalThis.readLink = readLink;"}
    )
    page, wrong = opened(browser, view, tmp_path / "view.html")

    def open_with(link):
        read = "(hash) => readLink(document.querySelector('.stma').lab, hash)"
        said = page.evaluate(read, f"#{quote(link if isinstance(link, str) else json.dumps(link))}")
        settled(page)
        return state(page), said

    yield open_with
    page.close()
    assert not wrong, wrong


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("corner", [33, 20]),
        ("corner", [8.5, 20]),
        ("corner", "8,20"),
        ("pixel", [7, 30]),
        ("locked", [9, 40]),
        ("level", 4),
        ("level", "1"),
        ("head", 5),
        ("head", None),
        ("date", -1),
        ("date", "2018-05-01"),
        ("layer", "<b>vh</b>"),
        ("opacity", 2),
        ("only", "Rice"),
        ("edits", {"do": "shift"}),
        ("edits", [{"do": "shift", "days": "many"}]),
        ("edits", [{"do": "even", "branch": "spatial", "levels": [1], "heads": [9]}]),
        ("edits", [{"do": "bend", "band": "vh", "by": [900] * 5}]),
        ("show", "all"),
        ("lab", 1),
        ("__proto__", {"corner": [0, 0]}),
    ],
)
def test_impossible_values_of_a_link_are_ignored_and_named(linked, name, value):
    start, _ = linked({})
    after, said = linked({"opacity": 0.5, name: value} if name != "opacity" else {name: value})
    assert said == f"The link asks for what is unknown or impossible here; ignored: {name}."
    assert after == (start if name == "opacity" else start | {"opacity": 0.5})


def test_a_link_that_is_none_leaves_everything(linked):
    start, said = linked({})
    assert said == ""
    for nonsense in ("{", "%E0%A4%A", "[1]", "3", "null", "section-2"):
        after, said = linked(nonsense)
        assert after == start and "holds no state" in said


def test_a_link_to_another_corner_takes_the_pixel_along(linked):
    after, said = linked({"corner": [30, 40]})
    assert said == "" and after["corner"] == [30, 40]
    assert after["pixel"] == [38, 48] and after["locked"] is None


# --------------------------------------------------------------------------------------------- form


def test_names_in_the_panels_are_data(trained, season, browser, tmp_path):
    names = ("=1+1", "<b>Maize</b>", 'Beet, "sugar"')
    crops = tuple(cube.Crop(name, "#d55e00") for name in names)
    trained.crops = crops
    season["crop"].attrs |= cube.flags(crops)
    view = AttentionExplorer(trained, season, ROW, COLUMN, pixel=PIXEL)
    page, wrong = opened(browser, view, tmp_path / "view.html", permissions=CLIPBOARD)
    shown = [row[0] for row in table(tab(page, "Classes"))[1:-1]]
    assert shown == list(names)
    tab(page, "Two networks").get_by_role("button").click()
    settled(page)
    assert page.locator(".stma [role=tabpanel] b", has_text="Maize").count() == 0
    state(page, only=names[2])
    explorer = AttentionExplorer(trained, season)
    exec(copied(page, "Copy as Python"), {"explorer": explorer})
    assert explorer.only == names[2]
    labels = set(taken(page, "Patch (CSV)")["label"])
    assert labels == {"'=1+1", *names[1:]}, "a spreadsheet is not to compute a name"
    page.close()
    assert not wrong, wrong


def test_pixels_without_data_have_no_class_and_no_probability(trained, season, browser, tmp_path):
    for band in ("vv", "vh"):
        season[band][:, ROW : ROW + 4] = np.nan
    view = AttentionExplorer(trained, season, ROW, COLUMN, pixel=PIXEL)
    page, wrong = opened(browser, view, tmp_path / "view.html")
    assert "The patch has 192 pixels in 12 cells" in tab(page, "Classes").inner_text()
    place = tab(page, "Two networks")
    place.get_by_role("button").click()
    compared(place)
    assert told(place.inner_text())[0][1] == 192
    columns = taken(page, "Patch (CSV)")
    missing = np.repeat([True, False], [64, 192])
    assert ((np.array(columns["mapped after"]) == "no data") == missing).all()
    for name in ("label", "probability of its class before", "probability of its class after"):
        assert ((np.array(columns[name]) == "") == missing).all()
    page.close()
    assert not wrong, wrong


def test_a_finger_chooses_a_head_and_compares_on_a_phone(view, browser, tmp_path):
    page, wrong = opened(browser, view, tmp_path / "view.html", 390, has_touch=True)
    page.get_by_role("tab", name="All heads").tap()
    page.get_by_role("button", name="level 2, head 3").tap()
    settled(page)
    assert (state(page)["level"], state(page)["head"]) == (2, 3)
    page.get_by_role("tab", name="Two networks").tap()
    page.get_by_role("button", name="Compare with random weights").tap()
    compared(page.locator("[role=tabpanel]:not([hidden])"))
    for name in ("All heads", "Two networks"):
        for button in tab(page, name).get_by_role("button").all():
            box = button.bounding_box()
            assert box["width"] >= 44 and box["height"] >= 44, "large enough for a finger"
    page.close()
    assert not wrong, wrong


def test_a_network_too_large_for_a_page_has_its_own_panels(trained, season, browser, tmp_path):
    torch.manual_seed(0)
    trained.model = STMA(dates=5, patch=PATCH, classes=3, width=96).eval()
    view = AttentionExplorer(trained, season, ROW, COLUMN, head=2, pixel=PIXEL)
    page, wrong = opened(browser, view, tmp_path / "view.html")
    assert page.get_by_role("tab").all_inner_texts() == ["All heads", "Classes"]
    assert "of 16 cells" in tab(page, "All heads").inner_text()
    assert "Maize" in tab(page, "Classes").inner_text()
    columns = taken(page, "Patch (CSV)")
    assert set(columns["probability of its class after"]) == {""}, "maps alone have none"
    weights = view.outcome()["spatial"][1][1, cell_of(PIXEL, 1)]
    assert max(map(float, columns["weight of its cell after"])) == pytest.approx(
        weights.max(), abs=2e-3
    )
    page.close()
    assert not wrong, wrong


@windows(390, 1280)
def test_the_panels_are_accessible_and_never_wider_than_the_window(
    view, browser, tmp_path, width, scheme
):
    Axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe
    path = tmp_path / "view.html"
    page, wrong = opened(browser, view, path, width, color_scheme=scheme)
    for title in ("All heads", "Classes", "Two networks"):
        place = tab(page, title)
        if title == "Two networks":
            place.get_by_role("button").click()
            settled(page)
        for unfolded in place.locator("summary").all():
            unfolded.click()
        page.mouse.move(0, 0)
        settled(page)
        found = Axe().run(page).response["violations"]
        assert not found, [(v["id"], [node["html"] for node in v["nodes"]][:3]) for v in found]
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()
    assert not wrong, wrong
