"""What a reader sees in the figures: titles, names, dates, units, limits, colours and numbers."""

import base64
import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import CROPS
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from PIL import Image

from stma_nb import cube, figures, patches

KILOMETRES = (0, 0.64, 0, 0.48)  # left, right, bottom, top of the small season's 64 x 48 pixels


def titles(figure) -> list[str]:
    return [axis.get_title() for axis in figure.axes if axis.get_title()]


def named(figure) -> list[str]:
    """The names in the figure's legend, from the top."""
    return [text.get_text() for text in figure.legends[0].get_texts()]


def pictures(figure) -> list:
    """The axes that show an image of the scene, not the bar of its colours."""
    return [axis for axis in figure.axes if axis.images]


def shown(axis) -> np.ndarray:
    """The colours (rows, columns) of an axis's image, such as '#d55e00'."""
    image = axis.images[0]
    pixels = image.cmap(image.norm(image.get_array()))
    return np.array([[to_hex(pixel) for pixel in row] for row in pixels])


def db(power) -> np.ndarray:
    return 10 * np.log10(np.asarray(power))


# ------------------------------------------------------------------------------------- in a page


def test_a_caption_stands_below_the_picture_as_plain_words(monkeypatch):
    pages = []
    monkeypatch.setattr("IPython.display.display", lambda page: pages.append(page.data))
    figure = Figure(figsize=(1, 1))
    caption = "Figure 2. A square. Contains data of <b>others</b> & ours"
    figures.show(figure, caption, alt="A square of nothing")
    assert '<img alt="A square of nothing"' in pages[0]
    told = pages[0].partition("<figcaption")[2].partition(">")[2]
    assert told == (
        "<b>Figure 2.</b> A square. Contains data of &lt;b&gt;others&lt;/b&gt; &amp; ours"
        "</figcaption></figure>"
    )
    for alt in ("", "  "):
        with pytest.raises(ValueError, match="no alternative text"):
            figures.show(figure, caption, alt=alt)


def test_a_picture_that_moves_has_its_caption_below(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    bench = figures.speckle_bench()
    figures.show(bench, "Figure 1. Speckle, and filters against it.")
    assert shown[0] is bench
    assert shown[1].data.count("<figcaption") == 1 and "<img" not in shown[1].data


def test_a_picture_is_sharp_and_as_large_on_the_page_as_it_was_drawn():
    figure = Figure(figsize=(4, 2))
    figure.subplots().plot([1, 2])
    html = figures.html_image(figure, "A line that rises")
    width = int(re.search('width="([0-9]+)"', html)[1])
    picture = Image.open(io.BytesIO(base64.b64decode(html.partition("base64,")[2].rstrip('">'))))
    assert picture.width / width == pytest.approx(150 / 96, rel=0.01)
    assert 300 < width < 420  # four inches of the page, less the margin


def test_a_drawing_is_the_same_each_time_and_holds_no_font():
    figure = Figure(figsize=(4, 2))
    figure.subplots().set_title("query")
    html = figures.html_image(figure, "A title", svg=True)
    drawing = base64.b64decode(html.partition("svg+xml;base64,")[2].rstrip('">'))
    assert drawing == figures.svg_of(figure) and b"<text" not in drawing and b"<date" not in drawing
    assert float(re.search(b'width="([0-9.]+)pt"', drawing)[1]) / 72 * 96 == pytest.approx(
        int(re.search('width="([0-9]+)"', html)[1]), abs=1
    )


# ---------------------------------------------------------------------------------------- colours

# How colours look to those who lack a kind of cone (Machado et al. 2009, severity 1).
SIGHT = {
    "all cones": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.01182, 0.04294, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.3039],
    ],
}


def lab(colours, sight) -> np.ndarray:
    """Colours such as '#d55e00' in CIE L*a*b*, as this sight has them."""
    srgb = np.array([[int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)] for colour in colours])
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(linear @ np.transpose(SIGHT[sight]), 0, 1)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = linear @ np.transpose(to_xyz) / (0.9505, 1, 1.089)
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], 1)


def nearest(colours, sight) -> float:
    """The least distance of two of the colours."""
    points = lab(colours, sight)
    apart = np.linalg.norm(points[:, None] - points, axis=-1)
    return apart[np.triu_indices(len(points), 1)].min()


@pytest.mark.parametrize("sight", SIGHT)
def test_the_few_colours_of_one_figure_differ_for_every_sight(sight):
    assert nearest([figures.VV, figures.VH], sight) > 40
    assert nearest([figures.ATTENTION, figures.NEED], sight) > 15
    assert nearest(list(figures.CURVES.values()), sight) > 20
    assert nearest(list(figures.PARTS.values()), sight) > 20


@pytest.mark.parametrize("legend", [cube.BRANDENBURG, CROPS])
def test_classes_that_some_cannot_tell_apart_have_letters_of_their_own(legend, season):
    letters = figures.class_letters(legend)
    assert letters[0] == "" and len(set(letters)) == len(legend)
    confused = [sight for sight in SIGHT if nearest([c.colour for c in legend], sight) < 20]
    assert bool(confused) == (len(legend) > 10), "sixteen colours cannot do for all"


def test_letters_stand_on_large_fields_and_in_the_legend(season):
    figure = figures.label_maps({"truth": season.crop}, CROPS, season)
    assert named(figure) == ["Background", "Ma Maize", "Su Sugar beet"]
    [axis] = pictures(figure)
    written = [text for text in axis.texts if text.get_text() in ("Ma", "Su")]
    assert len(written) >= 4
    for text in written:
        x, y = text.get_position()
        code = int(season.crop.values[int((0.48 - y) * 100), int(x * 100)])
        assert CROPS[code].name.startswith(text.get_text())


def test_letters_are_large_enough_to_read_and_give_way_to_the_scale_bar(season):
    fields = np.zeros(season.crop.shape, int)
    fields[:20, 30:60], fields[-14:, :20] = 1, 2  # the second lies under the bar
    figure = figures.label_maps({"one": fields, "two": fields}, CROPS, season)
    first, second = pictures(figure)
    assert all(text.get_fontsize() >= 9 for axis in (first, second) for text in axis.texts)
    (bar,) = first.lines
    letters = [
        sorted(text.get_text() for text in axis.texts if text.get_text() in ("Ma", "Su"))
        for axis in (first, second)
    ]
    assert letters == [["Ma"], ["Ma", "Su"]] and bar.get_ydata()[0] < 0.14


def test_names_of_one_letter_and_alike_names_get_letters():
    crops = [cube.Crop(name, "#000000") for name in ("Maize", "Maize", "A", "Ma", "$$")]
    letters = figures.class_letters(crops)
    assert len(set(letters)) == 5 and letters[0] == "Ma" and all(letters)


def test_a_map_tells_north_its_scale_and_where_it_lies(season):
    figure = figures.label_maps({"truth": season.crop}, CROPS, season)
    [axis] = pictures(figure)
    assert {"N", "200 m"} <= {text.get_text() for text in axis.texts}
    bar = axis.lines[0].get_xdata()
    assert bar[1] - bar[0] == pytest.approx(0.2)
    told = figure.get_supxlabel()
    assert "400.0 km east, 5799.5 km north" in told and "EPSG" in told
    bare = season.drop_vars("spatial_ref", errors="ignore")
    assert "no CRS" in figures.label_maps({"truth": bare.crop}, CROPS, bare).get_supxlabel()


def test_javascript_has_the_colours_of_the_figures():
    root = Path(figures.__file__).parent.parent
    player = (root / "figures" / "player.js").read_text()
    dates = (root / "attention" / "dates.js").read_text()
    assert figures.VV in player and figures.VH in player
    assert figures.ATTENTION in dates and figures.NEED in dates


# ----------------------------------------------------------------------------------- backscatter


def test_backscatter_shows_three_dates_over_the_season_in_one_scale(season):
    figure = figures.backscatter(season)
    assert titles(figure) == ["2018-04-01", "2018-06-01", "2018-08-01"]
    axes = pictures(figure)
    for axis, date in zip(axes, (0, 2, 4), strict=True):
        np.testing.assert_allclose(axis.images[0].get_array(), db(season.vh[date]), rtol=1e-5)
        assert axis.images[0].get_extent() == pytest.approx(KILOMETRES)
    low, high = np.percentile(db(season.vh[[0, 2, 4]]), (2, 98))
    for axis in axes:
        assert axis.images[0].get_clim() == pytest.approx((low, high))
    assert [axis.get_xlabel() for axis in axes] == ["east (km)", "", ""]
    assert [axis.get_ylabel() for axis in axes] == ["north (km)", "", ""]
    assert figure.axes[-1].get_ylabel() == "VH backscatter (dB)"


def test_backscatter_of_chosen_dates_fills_rows_and_leaves_no_empty_frame(season):
    figure = figures.backscatter(season, [4, 0, 2, 1, 3], columns=3)
    days = [f"2018-{month:02}-01" for month in (8, 4, 6, 5, 7)]
    assert titles(figure) == days
    *maps, _bar = figure.axes
    assert [axis.get_visible() for axis in maps] == [True] * 5 + [False]
    assert [axis.get_subplotspec().rowspan.start for axis in maps] == [0, 0, 0, 1, 1, 1]


def test_backscatter_of_a_scene_with_gaps(season):
    season.vh[2, :10] = np.nan
    image = pictures(figures.backscatter(season))[1].images[0]
    hidden = np.ma.getmaskarray(image.get_array())
    assert hidden[:10].all() and not hidden[10:].any() and np.isfinite(image.get_clim()).all()


# -------------------------------------------------------------------------------------- profiles


def test_profiles_are_means_of_power_told_in_db(season):
    figure = figures.profiles(season, ["Maize", "Sugar beet"])
    above, below = figure.axes
    assert (above.get_ylabel(), below.get_ylabel()) == (
        "VV backscatter (dB)",
        "VH backscatter (dB)",
    )
    assert below.get_xlabel() == "acquisition date"
    for axis, band in ((above, "vv"), (below, "vh")):
        assert [line.get_label() for line in axis.lines] == ["Maize", "Sugar beet"]
        for line, code in zip(axis.lines, (1, 2), strict=True):
            expected = db(season[band].where(season.crop == code).mean(("y", "x")))
            np.testing.assert_allclose(line.get_ydata(), expected, rtol=1e-5)
            np.testing.assert_array_equal(line.get_xdata(), season.time)
            assert line.get_color() == CROPS[code].colour
    assert [text.get_text() for text in above.get_legend().get_texts()] == ["Maize", "Sugar beet"]
    figure.draw_without_rendering()
    ticks = [tick.get_text() for tick in below.get_xticklabels()]
    assert {"May", "Jun", "Jul"} <= set(ticks), "months are named"


def test_profiles_of_a_part_of_the_scene_and_without_colour(season):
    """Nine crops are told apart by line and marker alone."""
    names = [f"Crop {number}" for number in range(9)]
    legend = tuple(cube.Crop(name, "#f0e442") for name in names)
    season["crop"] = season.crop.copy(data=season.parcel.values % 9).assign_attrs(
        cube.flags(legend)
    )
    half = np.zeros((48, 64), bool)
    half[:24] = True
    figure = figures.profiles(season, names[1:], where=half)
    lines = figure.axes[1].lines
    expected = db(season.vh[:, :24].where(season.crop[:24] == 3).mean(("y", "x")))
    np.testing.assert_allclose(lines[2].get_ydata(), expected, rtol=1e-5)
    looks = {(line.get_linestyle(), line.get_marker()) for line in lines}
    assert len(looks) == len(lines) == 8
    assert lines[0].get_color() == figures.ink(legend[0]) != "#f0e442", "yellow is darkened"


# ---------------------------------------------------------------------------------- maps of classes


def test_label_maps_name_the_classes_that_occur(season):
    mapped = season.crop.where(season.crop < 2, 0)
    figure = figures.label_maps({"the map": mapped}, CROPS, season)
    assert titles(figure) == ["the map"] and named(figure) == ["Background", "Ma Maize"]
    figure = figures.label_maps({"the map": mapped, "the truth": season.crop}, CROPS, season)
    assert titles(figure) == ["the map", "the truth"]
    assert named(figure) == ["Background", "Ma Maize", "Su Sugar beet"]
    patches_shown = figure.legends[0].get_patches()
    assert [to_hex(patch.get_facecolor()) for patch in patches_shown] == [c.colour for c in CROPS]
    axes = pictures(figure)
    assert len(axes) == len(figure.axes) == 2, "one axis a map"
    colours = np.array([crop.colour for crop in CROPS])
    for axis, labels in zip(axes, (mapped, season.crop), strict=True):
        np.testing.assert_array_equal(shown(axis), colours[labels.values.astype(int)])
        assert axis.images[0].get_extent() == pytest.approx(KILOMETRES)
    assert (axes[0].get_xlabel(), axes[0].get_ylabel()) == ("east (km)", "north (km)")
    assert axes[1].get_xlabel() == ""


def test_label_maps_with_the_radar_image_before_them(season):
    figure = figures.label_maps({"truth": season.crop}, CROPS, season, date=2)
    radar = figure.axes[0]
    assert titles(figure) == ["VH, 2018-06-01", "truth"]
    np.testing.assert_allclose(radar.images[0].get_array(), db(season.vh[2]), rtol=1e-5)
    low, high = np.percentile(db(season.vh[2]), (2, 98))
    assert radar.images[0].get_clim() == pytest.approx((low, high))
    assert radar.images[0].cmap.name == "gray" and radar.get_xlabel() == "east (km)"
    assert named(figure) == ["Background", "Ma Maize", "Su Sugar beet"]


def test_outline_follows_the_edge_of_a_mask(season):
    """Two blocks: one inside, and one at the lower border of the scene, where it is closed."""
    mask = np.zeros((48, 64), bool)
    mask[8:20, 16:40] = True
    mask[40:, 56:] = True
    figure = figures.label_maps({"a": season.crop, "b": season.crop}, CROPS, season, outline=mask)
    for axis in pictures(figure):
        (lines,) = axis.collections
        corners = [(ring.min(0), ring.max(0)) for ring in lines.get_paths()[0].to_polygons()]
        found = sorted(np.round(corner, 2).ravel().tolist() for corner in corners)
        # Left, bottom, right and top of both blocks in kilometres, to one pixel.
        expected = [[0.16, 0.28, 0.4, 0.4], [0.56, 0, 0.64, 0.08]]
        np.testing.assert_allclose(found, expected, atol=0.011)
        assert (*axis.get_xlim(), *axis.get_ylim()) == pytest.approx(KILOMETRES)


def test_parts_map_shows_who_learns_and_who_tests(season):
    parts = np.zeros((48, 64), np.uint8)
    parts[:, :24], parts[:, 28:44], parts[:, 48:] = patches.TRAIN, patches.VALID, patches.TEST
    figure = figures.parts_map({"blocks": parts, "all train": np.ones((48, 64))}, season)
    assert titles(figure) == ["blocks", "all train"]
    assert named(figure) == ["training", "validation", "test", "unused"]
    colour_of = {
        text.get_text(): to_hex(patch.get_facecolor())
        for text, patch in zip(
            figure.legends[0].get_texts(), figure.legends[0].get_patches(), strict=True
        )
    }
    assert len({*colour_of.values()}) == 4
    blocks, train = pictures(figure)
    expected = np.array([colour_of[name] for name in patches.PARTS])
    np.testing.assert_array_equal(shown(blocks), expected[parts])
    assert (shown(train) == colour_of["training"]).all()
    hatched = [hatch for area in blocks.collections for hatch in area.hatches]
    assert sorted(hatched) == ["..", "//"] and not train.collections, "test and validation"
    for axis in (blocks, train):
        assert axis.images[0].get_extent() == pytest.approx(KILOMETRES)
    assert (blocks.get_ylabel(), train.get_ylabel()) == ("north (km)", "")


def test_parts_of_a_large_scene_are_thinned_and_scattered_pixels_not_hatched(season):
    scattered = np.random.default_rng(0).integers(1, 4, (1300, 64)).astype(np.uint8)
    axis = pictures(figures.parts_map({"pixels": scattered}, season))[0]
    assert axis.images[0].get_array().shape == (434, 64) and not axis.collections
    np.testing.assert_array_equal(axis.images[0].get_array(), scattered[::3])


def test_colours_of_codes():
    colours, norm = figures.colour_map(cube.BRANDENBURG)
    for code, crop in enumerate(cube.BRANDENBURG):
        assert to_hex(colours(norm(code))) == crop.colour


# ------------------------------------------------------------------------------ accuracy, training


def test_error_matrix_holds_the_share_of_each_reference_class():
    matrix = np.array([[398, 30, 0, 0], [1, 50, 0, 20], [0, 0, 0, 0], [1, 20, 0, 20]])
    crops = (*CROPS, cube.Crop("Wheat", "#f0e442"))
    figure = figures.error_matrix(matrix, crops)
    axis, bar = figure.axes
    names = ["Background", "Maize", "Wheat"]  # no pixel is sugar beet, in map or reference
    assert [tick.get_text() for tick in axis.get_xticklabels()] == names
    assert [tick.get_text() for tick in axis.get_yticklabels()] == names
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("reference", "map")
    assert bar.get_ylabel() == "% of the reference class"
    cells = {tuple(map(int, text.get_position()[::-1])): text for text in axis.texts}
    written = {place: text.get_text() for place, text in cells.items()}  # by row, column
    # 1 of 400 is less than half a percent: such a cell is left empty.
    expected = {(0, 0): "100", (0, 1): "30", (1, 1): "50", (2, 1): "20", (1, 2): "50", (2, 2): "50"}
    assert written == expected
    assert cells[0, 0].get_color() == "white" and cells[1, 1].get_color() == "black"
    share = 100 * np.array([[398, 30, 0], [1, 50, 20], [1, 20, 20]]) / [400, 100, 40]
    np.testing.assert_allclose(axis.images[0].get_array(), share)
    assert axis.images[0].get_clim() == (0, 100)


def test_error_matrix_with_a_class_that_is_never_true():
    figure = figures.error_matrix(np.array([[5, 0], [0, 0]]) + [[0, 0], [3, 0]], CROPS[:2])
    axis = figure.axes[0]
    assert [tick.get_text() for tick in axis.get_yticklabels()] == ["Background", "Maize"]
    assert [text.get_text() for text in axis.texts] == ["62", "38"], "an empty column, no NaN"


EPOCHS = [
    {"epoch": number, "loss": 2 / number, "valid_loss": 2.5 / number, "accuracy": 1 - 0.5 / number}
    for number in (1, 2, 3)
]


def test_history_shows_losses_and_accuracy_by_epoch():
    figure = figures.history(EPOCHS)
    loss, accuracy = figure.axes
    curves = {line.get_label(): line for line in loss.lines}
    assert list(curves) == ["training (both heads)", "validation (main head)"]
    assert [text.get_text() for text in loss.get_legend().get_texts()] == list(curves)
    keys = "loss", "valid_loss", "accuracy"
    for line, key in zip([*loss.lines, *accuracy.lines], keys, strict=True):
        np.testing.assert_array_equal(line.get_xdata(), [1, 2, 3])
        np.testing.assert_array_equal(line.get_ydata(), [entry[key] for entry in EPOCHS])
    assert len({(line.get_color(), line.get_linestyle()) for line in loss.lines}) == 2
    assert (loss.get_ylabel(), accuracy.get_ylabel()) == (
        "cross-entropy",
        "validation pixels correct",
    )
    assert loss.get_ylim()[0] == 0 and accuracy.get_ylim() == (0, 1)
    for axis in figure.axes:
        assert axis.get_xlabel() == "epoch"
        assert all(tick == int(tick) for tick in axis.get_xticks())


def test_accuracy_by_date_draws_scores_in_percent_with_the_colours_of_the_crops(season):
    scores = ["overall accuracy", "overall accuracy, crops only", "Maize", "Sugar beet"]
    table = pd.DataFrame(np.linspace(0.2, 0.9, 20).reshape(5, 4), season.time.values, scores)
    figure = figures.accuracy_by_date(table, CROPS)
    [axis] = figure.axes
    assert named(figure) == [*scores[:2], "F1 of Maize", "F1 of Sugar beet"]
    assert axis.get_ylabel() == "overall accuracy, F1 (%)" and axis.get_ylim() == (0, 100)
    assert axis.get_xlabel() == "last acquisition date used"
    for line, name in zip(axis.lines, scores, strict=True):
        np.testing.assert_allclose(line.get_ydata(), 100 * table[name])
        np.testing.assert_array_equal(line.get_xdata(), season.time)
    assert [line.get_color() for line in axis.lines[2:]] == ["#d55e00", "#0072b2"]
    assert len({(line.get_linestyle(), line.get_marker()) for line in axis.lines}) == 4
    assert named(figures.accuracy_by_date(table[["Maize"]], CROPS)) == ["F1 of Maize"]


def test_live_history_draws_into_one_output():
    shell = pytest.importorskip("IPython.core.interactiveshell").InteractiveShell
    capture = pytest.importorskip("IPython.utils.capture").capture_output
    shell.instance()
    try:
        with capture() as told:
            watch = figures.live_history("Figure 3. Training.")
            watch(EPOCHS[:1])
            watch(EPOCHS)
    finally:
        shell.clear_instance()
    first, last = told.outputs
    alts = [re.search('alt="([^"]*)"', output.data["text/html"])[1] for output in (first, last)]
    assert alts[1] == (
        "Training curves after 3 epochs: training loss 0.67, validation loss 0.83, "
        "83 % of validation pixels correct."
    )
    assert "<b>Figure 3.</b> Training." in last.data["text/html"]
    assert first.transient == last.transient and not first.update and last.update


# ----------------------------------------------------------------------------------- in a notebook


def test_picture_in_a_notebook_has_its_text_and_keeps_rare_colours(season):
    """Grey speckle takes many colours; the legend's few must still be those of the legend."""
    figure = figures.label_maps({"truth": season.crop}, CROPS, season, date=0)
    html = figures.html_image(figure, 'Maize & "beet" <right>')
    found = re.fullmatch('<img alt="([^"]*)" .*src="data:image/png;base64,([^"]*)">', html)
    assert found[1] == "Maize &amp; &quot;beet&quot; &lt;right&gt;"
    picture = Image.open(io.BytesIO(base64.b64decode(found[2])))
    assert len(picture.getcolors()) <= 128
    pixels = np.array(picture.convert("RGB")).reshape(-1, 3)
    for crop in CROPS:
        colour = [int(crop.colour[k : k + 2], 16) for k in (1, 3, 5)]
        assert (abs(pixels - colour).max(axis=1) < 4).sum() > 1000, crop.name


def test_intervals_fill_the_dots_that_keep_clear_of_zero():
    table = pd.DataFrame(
        {"mean": [0.02, -0.01, 0.03], "low": [0.01, -0.03, np.nan], "high": [0.03, 0.01, np.nan]},
        index=["clear", "holds zero", "one scene"],
    )
    figure = figures.intervals({"accuracy": table, "F1": -table}, "points")
    first, _ = figure.axes
    _, clear, unclear = first.lines
    assert clear.get_xdata().tolist() == [2.0] and unclear.get_xdata().tolist() == [-1.0, 3.0]
    assert unclear.get_markerfacecolor() == "white" and first.get_title() == "accuracy"
    assert [tick.get_text() for tick in first.get_yticklabels()] == list(table.index)


def test_codes_outside_the_legend_are_clear():
    crops = (cube.Crop("Background", "#dddddd"), cube.Crop("Maize", "#d55e00"))
    colours, norm = figures.colour_map(crops)
    drawn = colours(norm([0, 1, cube.UNKNOWN]))
    assert drawn[1].tolist() == pytest.approx([0xD5 / 255, 0x5E / 255, 0, 1])
    assert drawn[:, 3].tolist() == [1, 1, 0]
