"""Drawings of what a side-looking radar gets, and of windows: what is drawn is what is computed."""

from itertools import pairwise

import numpy as np
import pytest
import xarray as xr

from stma_nb import cube, figures, patches
from stma_nb.figures.drawings import terrain

THETA = 39
RIDGES = {"Foreshortening": (25, 25), "Layover": (60, 25), "Shadow": (25, 65)}
TANGENT = np.tan(np.radians(THETA))


@pytest.fixture(scope="module")
def slopes():
    figure = figures.slopes(RIDGES, THETA)
    above, below = figure.axes[:3], figure.axes[3:]
    return dict(zip(RIDGES, zip(above, below, strict=True), strict=True))


def letters(axis) -> dict[str, float]:
    """Where letters stand across a panel; several at one place are told apart."""
    return {
        letter: text.xy[0]
        for text in axis.texts
        for letter in text.get_text().split(", ")
        if letter
    }


def ground(axis, name: str) -> np.ndarray:
    """The x of the ground in layover or in shadow."""
    [line] = [line for line in axis.lines if line.get_label() == name]
    return line.get_xdata()[np.isfinite(line.get_ydata())]


def test_a_slope_to_the_radar_is_foreshortened(slopes):
    above, below = (letters(axis) for axis in slopes["Foreshortening"])
    on_the_ground, in_range = ((at["B"] - at["A"], at["C"] - at["B"]) for at in (above, below))
    assert on_the_ground[0] == pytest.approx(on_the_ground[1])
    assert 0 < in_range[0] < 0.3 * in_range[1]
    assert np.sum(in_range) == pytest.approx(
        np.sum(on_the_ground) * np.sin(np.radians(THETA)), abs=1
    )
    assert not len(ground(slopes["Foreshortening"][0], "layover"))
    assert not len(ground(slopes["Foreshortening"][0], "shadow"))


def test_layover_lies_where_slant_range_decreases(slopes):
    above, below = slopes["Layover"]
    at = letters(below)
    assert at["B"] == at["C"] < at["A"], "the top is nearer than the foot"
    covered = ground(above, "layover")
    assert covered.min() == pytest.approx(-terrain.TOP / TANGENT, abs=6)  # C, as far as the top
    x = np.arange(-480, 481.0)
    slope = np.tan(np.radians(np.where(x < 0, 60, 25)))
    far = terrain.slant(x, np.maximum(terrain.TOP - np.abs(x) * slope, 0), THETA)
    nearer_behind = np.minimum.accumulate(far[::-1])[::-1] < far - 2
    farther_before = np.maximum.accumulate(far) > far + 2
    assert set(covered) >= set(x[nearer_behind | farther_before]) & set(x[::5])


def test_shadow_ends_where_the_ray_over_the_top_lands(slopes):
    above, below = slopes["Shadow"]
    dark = ground(above, "shadow")
    assert dark.min() == pytest.approx(0, abs=6)
    assert dark.max() == pytest.approx(terrain.TOP * TANGENT, abs=6)
    assert letters(above)["C"] == pytest.approx(terrain.TOP * TANGENT)
    [bars] = below.patches
    power, edges, _ = bars.get_data()
    at = letters(below)
    inside = (edges[:-1] > at["B"] + 1) & (edges[1:] < at["C"] - 1)
    assert inside.sum() > 5 and power[inside].max() < 1e-9


@pytest.mark.parametrize("slope", [10, 25])
def test_echoes_are_brighter_by_the_area_factor(slope):
    x = np.arange(-480, 481.0)
    rise = np.tan(np.radians(slope))
    hill = xr.DataArray(np.clip((x + 300) * rise, 0, 100), dims="x", coords={"x": x})
    edges, power = terrain.echoes(hill, THETA, 20)
    middle = (edges[1:] + edges[:-1]) / 2
    foot = terrain.slant(-300, 0, THETA)
    top = terrain.slant(-300 + 100 / rise, 100, THETA)
    inside = (middle > foot + 20) & (middle < top - 20)
    factor = TANGENT / np.tan(np.radians(THETA - slope))
    assert power[inside].mean() == pytest.approx(factor, rel=0.06)
    assert power[middle < foot - 20].mean() == pytest.approx(1, abs=0.03)


def test_bursts_cover_the_swath_in_the_order_of_time():
    """The number on a burst is its place in time, and nothing between the bursts is left out."""
    axis = figures.scan().axes[0]
    boxes = [patch.get_bbox() for patch in axis.patches if patch.get_fill()]
    names = {text.get_text(): text.get_position() for text in axis.texts}
    for number, box in enumerate(boxes, start=1):
        x, y = names[str(number)]
        assert box.contains(x, y)
    later = [box.y0 for box in boxes]
    assert len(boxes) == 9 and later == sorted(later)
    for strip in (boxes[0::3], boxes[1::3], boxes[2::3]):
        assert len({(box.x0, box.x1) for box in strip}) == 1
        assert all(a.y1 > b.y0 for a, b in pairwise(strip)), "bursts overlap a little"
    sides = sorted({side for box in boxes for side in (box.x0, box.x1)})
    assert sides[0] == 0 and sides[-1] == pytest.approx(250)
    start, end = (line.get_xydata() for line in axis.lines if len(line.get_xdata()) == 2)
    flown, lit = end[0, 1] - start[0, 1], end[1, 1] - start[1, 1]
    assert {f"{flown:.0f} km flown\nin 0.9 s", f"{lit:.0f} km lit"} <= set(names)
    assert (start[1, 1], end[1, 1]) == pytest.approx((boxes[3].y0, boxes[3].y1))


def test_bursts_and_sub_swaths_are_found_in_the_noise():
    line, pixel = np.arange(320), np.arange(300)
    waves = [0.9 + 0.3 * (2 * ((line + lag) % 80) / 79 - 1) ** 2 for lag in (0, 30)]
    level = np.where(pixel < 200, 2.0 * waves[0][:, None], waves[1][:, None]) * 1e-3
    nesz = xr.DataArray(
        level, dims=("line", "pixel"), coords={"line": line, "pixel": pixel}, attrs={"units": "1"}
    )
    left, right, bar = figures.bursts(nesz).axes
    assert [text.get_text() for text in left.texts if "\n" in text.get_text()] == [
        "a burst,\n80 lines"
    ] * 2
    assert 199.5 in [line.get_xdata()[0] for line in left.lines]
    for drawn, wave, factor in zip(right.lines, waves, (2e-3, 1e-3), strict=False):
        np.testing.assert_allclose(drawn.get_xdata(), 10 * np.log10(factor * wave), atol=1e-5)
    assert "dB" in bar.get_ylabel() and "(dB)" in right.get_xlabel()


def test_windows_that_are_drawn_are_those_of_the_split():
    figure = figures.windows(16, side=64, train=0.6, seed=3)
    apart, half, count = figure.axes[:3]
    assert len(apart.patches) == len(patches.corners((64, 64), 16))
    overlapping = patches.corners((64, 64), 16, 0.5)
    filled = [square for square in half.patches if square.get_alpha()]
    assert len(half.patches) == len(overlapping) + 2 * len(filled) and len(filled) == 4
    [cross] = half.lines
    x, y = cross.get_xdata()[0], cross.get_ydata()[0]
    for square in filled:
        assert 0 <= x - square.get_x() < 16 and 0 <= y - square.get_y() < 16
    learned, _ = patches.published_windows((64, 64), 16, 0.6, 3)
    shown = np.asarray(count.images[0].get_array())
    assert shown.sum() == len(learned) * 16**2
    np.testing.assert_array_equal(shown > 0, patches.covered((64, 64), learned, 16))


def test_names_stand_beside_the_ends_of_lines_and_not_over_each_other():
    grounds = {
        "soil": (
            np.linspace(35, 43, 60),
            {"as measured": np.linspace(-9.2, -10, 60), "corrected": np.full(60, -9.9)},
        )
    }
    [axis] = figures.by_angle(grounds).axes
    assert axis.texts[0].get_text().endswith("\n-0.10 dB/°")
    heights = [text.xy[1] for text in axis.texts]
    assert [text.get_text().split("\n")[0] for text in axis.texts] == ["as measured", "corrected"]
    assert heights[1] - heights[0] >= 0.14 * np.ptp(axis.get_ylim())


def test_a_patch_names_each_of_its_crops_outside_the_picture(season):
    crops = cube.legend(season)
    label = figures.patch_with_label(season, crops, (0, 2)).axes[2]
    names = {text.get_text(): text for text in label.texts}
    assert set(names) == {crops[code].name for code in np.unique(season.crop)}
    for name, text in names.items():
        column, row = text.xy
        code = season.crop.values[round(row), round(column)]
        assert crops[code].name == name, "the line leads to a pixel of the class"
        assert text.xyann[0] >= season.sizes["x"]
