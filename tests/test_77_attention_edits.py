"""Experiments on a patch: each edit gives the values worked out by hand, and the page gives the
same values, words and refusals as Python.
"""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import complaints

from stma_nb import attention, cube, patches
from stma_nb.attention import Scene, apply_edits, area_curve, area_mask, check_edits, in_words

STATIC = Path(attention.__file__).parent
SCRIPT = (STATIC / "edits.js").read_text("utf-8")
NAN = np.nan
TOP, LEFT, SIDE = 10, 20, 8
DAYS = np.array([0.0, 6.0, 18.0, 24.0, 36.0])
FACTS = {
    "dates": ["2018-06-06", "2018-06-12", "2018-06-24", "2018-06-30", "2018-07-12"],
    "bands": [
        {"name": "vh", "label": "VH", "unit": "dB"},
        {"name": "angle", "label": "angle", "unit": "degree"},
        {"name": "vv", "label": "VV", "unit": "dB"},
    ],
    "classes": [{"name": "Background"}, {"name": "<b>Maize</b>"}, {"name": "Sugar beet"}],
}


@pytest.fixture
def scene() -> Scene:
    """Three bands, the middle one an angle; two fields of four columns, the first rows none."""
    parcel = np.repeat([7, 9], 4)[None].repeat(SIDE, 0)
    parcel[:2] = 0
    label = np.repeat([1, 2], 4)[None].repeat(SIDE, 0)
    label[:2] = cube.UNKNOWN
    rng = np.random.default_rng(1)
    crop_mean = rng.uniform(-20, -8, (3, 5, 3))
    crop_mean[2, 3] = NAN  # no data on this date
    crop_mean[0] = NAN  # not in the scene
    return Scene(
        days=DAYS,
        bands=("vh", "angle", "vv"),
        decibel=("vh", "vv"),
        scene_mean=rng.uniform(-20, -8, (5, 3)),
        crop_mean=crop_mean,
        corner=(TOP, LEFT),
        patch=SIDE,
        parcel=parcel,
        label=label,
    )


@pytest.fixture
def values() -> np.ndarray:
    """Values of a patch: one pixel without any data, one gap on a date."""
    values = np.random.default_rng(0).uniform(-22, -6, (5, 3, SIDE, SIDE)).astype(np.float32)
    values[..., 7, 7] = NAN
    values[2, :, 4, 1] = NAN
    return values


# ------------------------------------------------------------------------------- the scene it needs


def test_the_scene_holds_the_means_that_the_network_sees(season):
    season.vh[0, :, 24:32] = NAN
    season.vh[1, 0, 0] = -0.5  # noise below zero counts as -30 dB
    season.crop[0:4, 40:] = cube.UNKNOWN
    scaling = patches.fit_scaling(season, bands=("vh", "vv"))
    scene = Scene.of(season, (8, 24), 16, scaling)
    vh = 10 * np.log10(np.clip(season.vh.values, 1e-3, None))
    assert scene.scene_mean.shape == (5, 2) and scene.crop_mean.shape == (3, 5, 2)
    assert scene.scene_mean[:, 0] == pytest.approx(np.nanmean(vh, (1, 2)), abs=1e-4)
    beet = season.crop.values == 2
    assert scene.crop_mean[2, :, 0] == pytest.approx(np.nanmean(vh[:, beet], 1), abs=1e-4)
    assert scene.days.tolist() == [0, 30, 61, 91, 122]
    assert (scene.parcel == season.parcel.values[8:24, 24:40]).all()
    assert (scene.label == season.crop.values[8:24, 24:40]).all()
    assert scene.corner == (8, 24) and scene.patch == 16 and scene.decibel == ("vh", "vv")


def test_a_scene_in_pieces_has_the_means_of_the_whole(season, monkeypatch):
    scaling = patches.fit_scaling(season)
    whole = Scene.of(season.chunk({"y": 20}), (0, 0), 16, scaling)
    monkeypatch.setattr("stma_nb.attention.edits.CHUNK", 13)
    pieces = Scene.of(season, (0, 0), 16, scaling)
    assert pieces.scene_mean == pytest.approx(whole.scene_mean, abs=1e-5)
    assert pieces.crop_mean == pytest.approx(whole.crop_mean, abs=1e-5)


def test_a_scene_without_labels_and_fields_has_no_crops(season):
    bare = season.drop_vars(["crop", "parcel"])
    scene = Scene.of(bare, (0, 0), 16, patches.fit_scaling(season))
    assert scene.parcel is None and scene.label is None and len(scene.crop_mean) == 0


def test_a_scene_of_a_patch_outside_or_of_other_bands_is_refused(season):
    scaling = patches.fit_scaling(season)
    with pytest.raises(ValueError, match=r"leaves the scene \(48 x 64 pixels\)"):
        Scene.of(season, (40, 0), 16, scaling)
    with pytest.raises(cube.SeasonError, match="no 'vh'"):
        Scene.of(season.drop_vars("vh"), (0, 0), 16, scaling)


def test_decibels_standardised_are_the_input_of_the_network(season):
    season.vh[0, 0, 0] = NAN
    scaling = patches.fit_scaling(season)
    window = patches.window_at((0, 0), 16)
    power = patches.read_window(season, scaling.bands, window)
    seen = patches.in_decibels(power, scaling)
    assert np.isnan(seen[0, scaling.bands.index("vh"), 0, 0]) and np.nanmin(seen) >= -30
    x = patches.standardised(seen, scaling)
    assert np.array_equal(x, patches.network_input(power, scaling)) and x[0].min() < 0


# -------------------------------------------------------------------------------------------- areas


def pixels(mask):
    return {(int(r) + TOP, int(c) + LEFT) for r, c in np.argwhere(mask)}


def test_areas_hold_the_pixels_that_they_name(scene):
    assert pixels(area_mask({"kind": "pixel", "at": [12, 25]}, scene)) == {(12, 25)}
    field = area_mask({"kind": "field", "at": [12, 25]}, scene)
    assert pixels(field) == {(r, c) for r in range(12, 18) for c in range(24, 28)}
    cells = area_mask({"kind": "cells", "cells": [0, 3], "size": 4}, scene)
    upper = {(r, c) for r in range(10, 14) for c in range(20, 24)}
    assert pixels(cells) == upper | {(r + 4, c + 4) for r, c in upper}
    near = pixels(~area_mask({"kind": "beyond", "at": [14, 24], "radius": 1}, scene))
    assert near == {(14, 24), (13, 24), (15, 24), (14, 23), (14, 25)}
    assert not area_mask({"kind": "beyond", "at": [14, 24], "radius": 1e30}, scene).any()


def test_without_parcels_a_field_is_a_region_of_one_label(scene):
    label = np.zeros((SIDE, SIDE), int)
    label[1:3, 1:3] = label[3, 3] = 1  # the last touches at a corner only
    scene = replace(scene, parcel=None, label=label)
    field = area_mask({"kind": "field", "at": [TOP + 1, LEFT + 1]}, scene)
    assert pixels(field) == {(r, c) for r in (11, 12) for c in (21, 22)}


# ------------------------------------------------------------------------ values worked out by hand


def line(*numbers) -> tuple[np.ndarray, Scene]:
    """One pixel's curve in one band, as a patch, and its scene."""
    values = np.array(numbers, np.float32).reshape(-1, 1, 1, 1)
    days = np.array([0.0, 6, 18, 24, 36])[: len(numbers)]
    mean = np.arange(len(numbers), dtype=float)[:, None] - 10
    return values, Scene(days, ("vh",), ("vh",), mean, mean[None] - 1, (0, 0), 1)


def curve(values, scene, *edits):
    return apply_edits(values, edits, scene)[:, 0, 0, 0].tolist()


def test_dates_left_out_become_the_mean_of_the_scene_even_where_data_are_missing():
    values, scene = line(-20, NAN, -16, -12, -14)
    left = {"do": "leave out", "dates": [1, 3], "by": "mean"}
    assert curve(values, scene, left) == [-20, -9, -16, -7, -14]


def test_dates_left_out_are_interpolated_from_the_nearest_dates_kept():
    values, scene = line(-20, -99, -14, -12, -99)
    left = {"do": "leave out", "dates": [1, 4], "by": "neighbours"}
    assert curve(values, scene, left) == [-20, -18, -14, -12, -12]  # 6 of 18 days from -20 to -14
    values, scene = line(-20, NAN, -14, -12, NAN)
    left = {"do": "leave out", "dates": [2], "by": "neighbours"}
    got = curve(values, scene, left)
    assert got[2] == pytest.approx(-20 + 8 * 18 / 24) and np.isnan([got[1], got[4]]).all()
    nothing, scene = line(NAN, -11, NAN)
    assert np.isnan(
        curve(nothing, scene, {"do": "leave out", "dates": [1], "by": "neighbours"})
    ).all()


def test_a_bent_curve_moves_by_what_it_was_dragged():
    values, scene = line(-20, NAN, -16)
    got = curve(values, scene, {"do": "bend", "band": "vh", "by": [1.5, 2, -3]})
    assert got[0] == -18.5 and np.isnan(got[1]) and got[2] == -19


def test_a_copied_crop_gives_its_mean_and_leaves_the_texture(values, scene):
    area = {"kind": "field", "at": [14, 21]}
    mask = area_mask(area, scene)
    got = apply_edits(values, [{"do": "copy crop", "crop": 1, "area": area}], scene)
    assert area_curve(got, mask) == pytest.approx(scene.crop_mean[1], abs=1e-5)
    texture = values[..., mask] - area_curve(values, mask)[..., None]
    after = got[..., mask] - scene.crop_mean[1][..., None]
    assert after == pytest.approx(texture, abs=1e-4, nan_ok=True) and np.isnan(got[2, 0, 4, 1])
    assert np.array_equal(got[..., ~mask], values[..., ~mask], equal_nan=True)
    beet = apply_edits(values, [{"do": "copy crop", "crop": 2, "area": area}], scene)
    assert np.array_equal(beet[3], values[3], equal_nan=True), "the crop has no data on this date"


def test_a_hidden_area_is_the_mean_of_each_date_and_the_rest_stays(values, scene):
    area = {"kind": "cells", "cells": [3], "size": 4}
    got = apply_edits(values, [{"do": "hide", "area": area}], scene)
    assert got[:, :, 4:, 4:] == pytest.approx(
        scene.scene_mean[..., None, None].repeat(4, 2).repeat(4, 3)
    )
    rest = ~area_mask(area, scene)
    assert np.array_equal(got[..., rest], values[..., rest], equal_nan=True)


def test_a_season_that_comes_later_has_what_was_there_before():
    values, scene = line(-20, -14, -16, -12, -18)
    assert curve(values, scene, {"do": "shift", "days": 0}) == [-20, -14, -16, -12, -18]
    later = curve(values, scene, {"do": "shift", "days": 6})
    assert later == pytest.approx([-20, -20, -15, -16, -15])  # day 12: half way from -14 to -16
    earlier = curve(values, scene, {"do": "shift", "days": -12})
    assert earlier == pytest.approx([-15, -16, -15, -18, -18])
    assert curve(values, scene, {"do": "shift", "days": 1000}) == [-20] * 5


def test_a_gap_moves_with_the_season():
    values, scene = line(-20, -14, NAN, -12, -18)
    assert np.isnan(curve(values, scene, {"do": "shift", "days": 0})) == pytest.approx(
        [0, 0, 1, 0, 0]
    )
    assert np.isnan(curve(values, scene, {"do": "shift", "days": 6})) == pytest.approx(
        [0, 0, 1, 1, 0]
    )
    values, scene = line(-20, -14, -16, NAN, -18)
    assert curve(values, scene, {"do": "shift", "days": -1000}) == [-18] * 5


def test_two_dates_are_exchanged():
    values, scene = line(-20, NAN, -16)
    got = curve(values, scene, {"do": "exchange", "dates": [2, 1]})
    assert got[:2] == [-20, -16] and np.isnan(got[2])


def test_without_speckle_a_field_is_its_mean_power_and_no_field_that_of_5_by_5_pixels(
    values, scene
):
    got = apply_edits(values, [{"do": "speckle", "looks": 0}], scene)
    power = 10 ** (values.astype(float) / 10)
    right = power[..., 2:, 4:].copy()
    expected = 10 * np.log10(np.nanmean(right, (2, 3)))
    assert got[:, ::2, 3, 5] == pytest.approx(expected[:, ::2], abs=1e-4)
    corner = 10 * np.log10(power[:, :, :3, :4].mean((2, 3)))  # rows -2 .. 2 and columns -1 .. 3
    assert got[:, ::2, 0, 1] == pytest.approx(corner[:, ::2], abs=1e-4)
    assert np.array_equal(np.isnan(got), np.isnan(values))
    assert np.array_equal(got[:, 1], values[:, 1], equal_nan=True), "an angle has no speckle"


@pytest.mark.parametrize("looks", [1, 4, 100])
def test_fresh_speckle_is_gamma_noise_of_its_looks_and_new_everywhere(looks):
    shape = (4, 1, 64, 64)
    mean = np.full((4, 1), -10.0)
    scene = Scene(np.arange(4.0), ("vh",), ("vh",), mean, mean[None], (0, 0), 64)
    draw = [{"do": "speckle", "looks": looks, "seed": 3}]
    power = 10 ** (apply_edits(np.full(shape, -10, np.float32), draw, scene) / 10)
    assert power.mean() == pytest.approx(0.1, rel=0.03 / looks**0.5)
    assert power.mean() ** 2 / power.var() == pytest.approx(looks, rel=0.08)
    noise = power[:, 0].reshape(4, -1)
    assert abs(np.corrcoef(noise) - np.eye(4)).max() < 0.06, "every date anew"
    for step in (1, 64):  # neighbours along a row and along a column
        assert abs(np.corrcoef(noise[0, step:], noise[0, :-step])[0, 1]) < 0.06
    other = apply_edits(np.full(shape, -10, np.float32), [draw[0] | {"seed": 4}], scene)
    assert abs(np.corrcoef(10 ** (other.ravel() / 10), power.ravel())[0, 1]) < 0.04


def test_edits_follow_one_another_and_leave_the_given_values(values, scene):
    before = values.copy()
    raised = {"do": "bend", "band": "vh", "by": [1, 2, 3, 4, 5]}
    swap = {"do": "exchange", "dates": [0, 4]}
    got = apply_edits(values, [raised, swap], scene)
    assert got[0, 0, 2, 2] == pytest.approx(values[4, 0, 2, 2] + 5)
    assert apply_edits(values, [swap, raised], scene)[0, 0, 2, 2] == pytest.approx(
        values[4, 0, 2, 2] + 1
    )
    assert np.array_equal(values, before, equal_nan=True) and got.dtype == np.float32
    assert np.array_equal(apply_edits(values, [], scene), values, equal_nan=True)


def test_edits_of_the_network_change_no_value(values, scene):
    edits = [
        {"do": "even", "branch": "spatial", "levels": [1]},
        {"do": "random weights", "seed": 0},
    ]
    assert np.array_equal(apply_edits(values, edits, scene), values, equal_nan=True)


# -------------------------------------------------------------------------------------------- words

PIXEL = {"kind": "pixel", "at": [12, 21]}
FIELD = {"kind": "field", "at": [14, 26]}
CELLS = {"kind": "cells", "cells": [1, 2], "size": 4}
BEYOND = {"kind": "beyond", "at": [13, 23], "radius": 2.5}
SPECKLE = "the mean of each field, or of 5 × 5 pixels where there is none"
SAID = [
    (
        {"do": "leave out", "dates": [1], "by": "mean"},
        "12 June left out: the scene's mean of that date stands there.",
    ),
    (
        {"do": "leave out", "dates": [4, 0], "by": "mean", "area": PIXEL},
        "6 June and 12 July left out in the pixel at row 12, column 21: the scene's mean of each "
        "of these dates stands there.",
    ),
    (
        {"do": "leave out", "dates": [2], "by": "neighbours"},
        "24 June left out: its values are interpolated from the nearest dates kept.",
    ),
    (
        {"do": "leave out", "dates": [0, 1, 3, 4], "by": "neighbours", "area": FIELD},
        "4 dates from 6 June to 12 July left out in the field at row 14, column 26: their values "
        "are interpolated from the nearest dates kept.",
    ),
    (
        {"do": "bend", "band": "vh", "by": [0, 3, 0, -1.25, 0], "area": FIELD},
        "VH of the field at row 14, column 26 bent by up to 3.0 dB on 2 dates.",
    ),
    (
        {"do": "bend", "band": "angle", "by": [0, 0, 0, 0, 2]},
        "angle of the patch bent by up to 2.0 degree on 1 date.",
    ),
    (
        {"do": "copy crop", "crop": 1, "area": FIELD},
        "The mean curve of <b>Maize</b> in the scene given to the field at row 14, column 26; its "
        "texture stays.",
    ),
    (
        {"do": "copy crop", "crop": 2},
        "The mean curve of Sugar beet in the scene given to the patch; its texture stays.",
    ),
    (
        {"do": "hide", "area": CELLS},
        "2 cells of 4 × 4 pixels hidden: the scene's mean of each date stands there.",
    ),
    (
        {"do": "hide", "area": BEYOND},
        "All pixels farther than 2.5 pixels from row 13, column 23 hidden: the scene's mean of "
        "each date stands there.",
    ),
    ({"do": "shift", "days": 10}, "The season comes 10 days later."),
    ({"do": "shift", "days": -1}, "The season comes 1 day earlier."),
    ({"do": "shift", "days": 7.25}, "The season comes 7.3 days later."),
    ({"do": "exchange", "dates": [3, 1]}, "12 June and 30 June exchanged."),
    ({"do": "speckle", "looks": 4, "seed": 9}, f"Fresh speckle of 4 looks (seed 9) on {SPECKLE}."),
    (
        {"do": "speckle", "looks": 1, "seed": 4294967295},
        f"Fresh speckle of 1 look (seed 4294967295) on {SPECKLE}.",
    ),
    ({"do": "speckle", "looks": 0}, f"Speckle taken away: {SPECKLE}, stands there."),
    (
        {"do": "even", "branch": "spatial", "levels": [1, 2, 3], "heads": []},
        "Equal attention over pixels in levels 1, 2 and 3, all heads.",
    ),
    (
        {"do": "even", "branch": "temporal", "levels": [2], "heads": [1, 3]},
        "Equal attention over dates in level 2, heads 1 and 3.",
    ),
    ({"do": "random weights", "seed": 5}, "All weights drawn anew (seed 5), as before training."),
]


@pytest.mark.parametrize(("edit", "said"), SAID)
def test_an_edit_is_told_in_one_sentence(edit, said, scene):
    check_edits([edit], scene, heads=4)
    assert in_words([edit], FACTS) == [said]


def test_dates_of_two_years_are_told_with_their_year():
    facts = FACTS | {"dates": ["2018-12-30", "2019-01-05"]}
    (said,) = in_words([{"do": "exchange", "dates": [0, 1]}], facts)
    assert said == "30 December 2018 and 5 January 2019 exchanged."


# ---------------------------------------------------------------------------------------- bad input

FIVE = [0, 0, 0, 0, 0]
REFUSED = [
    ([3], "Edit 1 is 3; expected an object"),
    ({"do": "hide"}, "expected a list of edits"),
    ("hide", "expected a list of edits"),
    ([{"do": "melt"}], 'Edit 1 is {"do":"melt"}; .*"do" is one of leave out, bend'),
    ([{"do": "constructor"}], "expected an object whose"),
    ([{"do": ["hide"]}], "expected an object whose"),
    ([{}], "Edit 1 is {}"),
    ([{"do": "hide"}, {"do": "shift"}], r'Edit 2 \(shift\): it lacks "days"'),
    (
        [{"do": "shift", "days": 3, "area": {"kind": "patch"}}],
        'it has "area"; expected only do, days',
    ),
    ([{"do": "shift", "days": "3"}], '"days" is "3"; expected a number'),
    ([{"do": "shift", "days": None}], '"days" is null'),
    ([{"do": "shift", "days": True}], '"days" is true'),
    ([{"do": "leave out", "dates": [5], "by": "mean"}], r"\[5\]; expected positions from 0 to 4"),
    ([{"do": "leave out", "dates": [-1], "by": "mean"}], "expected positions"),
    ([{"do": "leave out", "dates": [1.5], "by": "mean"}], "expected positions"),
    ([{"do": "leave out", "dates": [1, 1], "by": "mean"}], "each once"),
    ([{"do": "leave out", "dates": [], "by": "mean"}], "expected positions"),
    ([{"do": "leave out", "dates": "12", "by": "mean"}], "expected positions"),
    ([{"do": "leave out", "dates": [True], "by": "mean"}], "expected positions"),
    ([{"do": "leave out", "dates": [0], "by": "zero"}], 'expected "mean" or "neighbours"'),
    ([{"do": "leave out", "dates": [4, 3, 2, 1, 0], "by": "neighbours"}], "all dates are left out"),
    ([{"do": "bend", "band": "hh", "by": FIVE}], 'the band is "hh"; expected one of vh, angle, vv'),
    ([{"do": "bend", "band": ["vh"], "by": FIVE}], "expected one of vh"),
    ([{"do": "bend", "band": "vh", "by": [0, 1]}], "expected 5 numbers, one a date"),
    ([{"do": "bend", "band": "vh", "by": [0, 0, None, 0, 0]}], "expected 5 numbers"),
    ([{"do": "bend", "band": "vh", "by": [0, 0, 1e300, 0, 0]}], "expected 5 numbers"),
    ([{"do": "bend", "band": "vh", "by": 3}], '"by" is 3; expected 5 numbers'),
    ([{"do": "copy crop", "crop": 3}], "the crop is 3; expected a code from 0 to 2"),
    ([{"do": "copy crop", "crop": "Maize"}], 'the crop is "Maize"'),
    ([{"do": "copy crop", "crop": 0}], "class 0 has no pixel with data"),
    ([{"do": "exchange", "dates": [1]}], r"the dates are \[1\]; expected two"),
    ([{"do": "exchange", "dates": [2, 2]}], "each once"),
    ([{"do": "speckle", "looks": -1}], "the looks are -1; expected a whole number from 0"),
    ([{"do": "speckle", "looks": 101}], "to 100"),
    ([{"do": "speckle", "looks": 2.5}], "the looks are 2.5"),
    ([{"do": "speckle", "looks": 4, "seed": -3}], "the seed is -3"),
    ([{"do": "speckle", "looks": 4, "seed": 4294967296}], "from 0 to 4294967295"),
    ([{"do": "even", "branch": "both", "levels": [1]}], 'the branch is "both"'),
    ([{"do": "even", "branch": "spatial", "levels": [4]}], r"the levels are \[4\].*from 1 to 3"),
    ([{"do": "even", "branch": "spatial", "levels": []}], "the levels are"),
    ([{"do": "even", "branch": "spatial", "levels": [1], "heads": [5]}], "the heads are.*1 to 4"),
    ([{"do": "even", "branch": "spatial", "levels": [1], "heads": None}], "the heads are null"),
    ([{"do": "random weights", "seed": "a"}], 'the seed is "a"'),
    ([{"do": "hide", "area": "patch"}], 'the area is "patch"; expected an object whose "kind"'),
    ([{"do": "hide", "area": None}], "the area is null"),
    ([{"do": "hide", "area": {"kind": "toString"}}], "expected an object whose"),
    ([{"do": "hide", "area": {"kind": "pixel"}}], 'the area lacks "at"'),
    ([{"do": "hide", "area": {"kind": "patch", "at": [1, 2]}}], 'the area has "at"'),
    (
        [{"do": "hide", "area": {"kind": "pixel", "at": [18, 20]}}],
        r"the pixel \[18,20\] is outside the patch: rows 10 to 17, columns 20 to 27",
    ),
    ([{"do": "hide", "area": {"kind": "pixel", "at": [12]}}], "is outside the patch"),
    ([{"do": "hide", "area": {"kind": "pixel", "at": [12.5, 20]}}], "is outside the patch"),
    (
        [{"do": "hide", "area": {"kind": "field", "at": [11, 20]}}],
        "row 11, column 20 there is no fi",
    ),
    ([{"do": "hide", "area": {"kind": "cells", "cells": [4], "size": 4}}], "from 0 to 3"),
    (
        [{"do": "hide", "area": {"kind": "cells", "cells": [0], "size": 5}}],
        "size of the cells is 5",
    ),
    (
        [{"do": "hide", "area": {"kind": "beyond", "at": [12, 20], "radius": -1}}],
        "the radius is -1",
    ),
]


@pytest.mark.parametrize(("edits", "why"), REFUSED)
def test_what_cannot_be_is_refused_in_a_sentence(edits, why, scene, values):
    with pytest.raises(ValueError, match=why):
        check_edits(edits, scene, heads=4)


@pytest.mark.parametrize("number", [NAN, np.inf, 10**400], ids=["NaN", "infinite", "huge"])
def test_no_number_is_refused_wherever_one_stands(number, scene):
    for edit in (
        {"do": "shift", "days": number},
        {"do": "bend", "band": "vh", "by": [number, *FIVE[1:]]},
        {"do": "hide", "area": BEYOND | {"radius": number}},
    ):
        with pytest.raises(ValueError, match="expected a? ?(5 )?number"):
            check_edits([edit], scene)


def test_a_curve_bent_beyond_the_physical_is_refused_where_it_stands(values, scene):
    edit = {"do": "bend", "band": "vh", "by": [0, 0, -60, 0, 0], "area": PIXEL}
    with pytest.raises(
        ValueError, match=r"Edit 1 \(bend\): on date 2 the curve of vh .* -60 to 30"
    ):
        apply_edits(values, [edit], scene)
    low = float(values[2, 0, 2, 1])  # of this pixel
    apply_edits(values, [edit | {"by": [0, 0, -59.9 - low, 0, 0]}], scene)
    once = edit | {"by": [0, 0, -30, 0, 0]}
    with pytest.raises(ValueError, match="Edit 2"):
        apply_edits(values, [once, once], scene)
    angle = {"do": "bend", "band": "angle", "by": [90, 0, 0, 0, 0]}  # no backscatter: no bounds
    assert np.nanmax(apply_edits(values, [angle], scene)[0, 1]) > 30


def test_crops_and_fields_cannot_be_chosen_where_there_are_none(scene):
    bare = replace(scene, parcel=None, label=None, crop_mean=scene.crop_mean[:0])
    with pytest.raises(ValueError, match="the scene has neither fields nor labels"):
        check_edits([{"do": "hide", "area": FIELD}], bare)
    with pytest.raises(ValueError, match="no labels, so that there is no crop"):
        check_edits([{"do": "copy crop", "crop": 1}], bare)
    with pytest.raises(ValueError, match="row 10, column 20 there is no label"):
        check_edits(
            [{"do": "hide", "area": {"kind": "field", "at": [10, 20]}}], replace(scene, parcel=None)
        )


def test_values_of_another_shape_are_refused(values, scene):
    with pytest.raises(ValueError, match=r"shape \(4, 3, 8, 8\); expected \(5, 3, 8, 8\)"):
        apply_edits(values[1:], [], scene)


# ----------------------------------------------------------------------------- the same in the page


@pytest.fixture(scope="module")
def page(browser):
    """A page that runs edits.js alone, with `wrong` what it complained of."""
    page = browser.new_page()
    page.wrong = complaints(page, ("about:blank",))
    yield page
    assert page.wrong == []
    page.close()


def flat(array):
    return None if array is None else np.asarray(array, float).ravel().tolist()


def told(scene: Scene) -> dict:
    """A scene as the page holds it."""
    arrays = ("days", "scene_mean", "crop_mean", "parcel", "label")
    return {name: flat(getattr(scene, name)) for name in arrays} | {
        "bands": list(scene.bands),
        "decibel": list(scene.decibel),
        "corner": list(scene.corner),
        "patch": scene.patch,
    }


def in_page(page, body: str, **given):
    return page.evaluate(f"(given) => {{ {SCRIPT}\n{body} }}", given)


def edited_in_page(page, values, edits, scene) -> np.ndarray:
    got = in_page(
        page,
        "const values = Float32Array.from(given.values), before = values.slice();"
        "const got = applyEdits(values, given.edits, given.scene);"
        "if (!(got instanceof Float32Array)) throw new Error('another kind of array');"
        "if (values.some((v, k) => !Object.is(v, before[k]))) throw new Error('the given changed');"
        "return Array.from(got);",
        values=flat(values),
        edits=edits,
        scene=told(scene),
    )
    return np.array(got, np.float32).reshape(values.shape)


def assert_alike(page, values, edits, scene):
    ours, theirs = apply_edits(values, edits, scene), edited_in_page(page, values, edits, scene)
    assert np.array_equal(np.isnan(ours), np.isnan(theirs))
    # One step of float32 at most.
    assert np.nanmax(np.abs(ours - theirs) / np.spacing(np.abs(ours)), initial=0) <= 1


@pytest.mark.parametrize("edit", [edit for edit, _ in SAID], ids=lambda edit: edit["do"])
def test_the_page_makes_the_same_edit(page, edit, values, scene):
    for other in (scene, replace(scene, parcel=None)):
        assert_alike(page, values, [edit], other)


def test_the_page_makes_the_same_chain_of_edits(page, values, scene):
    assert_alike(page, values, [edit for edit, _ in SAID], scene)
    assert_alike(page, values, [edit for edit, _ in reversed(SAID)], scene)
    one = (
        values[:1],
        replace(
            scene, days=DAYS[:1], scene_mean=scene.scene_mean[:1], crop_mean=scene.crop_mean[:, :1]
        ),
    )
    assert_alike(page, one[0], [{"do": "shift", "days": 3}, SAID[-6][0]], one[1])


def test_the_page_moves_gaps_as_python_does(page, values, scene):
    values[3, 0, 2, 2] = NAN  # beside the last date
    for days in (0, 6, -6, 12, 24.5, -1000):
        assert_alike(page, values, [{"do": "shift", "days": days}], scene)


def test_the_page_finds_the_same_pixels(page, scene):
    label = np.random.default_rng(5).integers(0, 3, (SIDE, SIDE))
    label[3, -1] = label[4, 0] = 5  # not neighbours, though they follow one another
    scene = replace(scene, parcel=None, label=label)
    at = [[TOP + row, LEFT + column] for row in range(SIDE) for column in range(SIDE)]
    areas = [{"kind": "field", "at": pixel} for pixel in at]
    areas += [{"kind": "beyond", "at": [13, 22], "radius": radius} for radius in (0, 2, 2.5, 1e30)]
    areas += [{"kind": "cells", "cells": [n], "size": 4} for n in range(4)]
    areas += [{"kind": "cells", "cells": [0], "size": 8}, {"kind": "patch"}, PIXEL]
    masks = in_page(
        page,
        "return given.areas.map((area) => Array.from(areaMask(area, given.scene)));",
        areas=areas,
        scene=told(scene),
    )
    assert masks == [area_mask(area, scene).ravel().tolist() for area in areas]


def test_the_page_says_the_same_words(page):
    edits = [edit for edit, _ in SAID]
    said = in_page(page, "return inWords(given.edits, given.facts);", edits=edits, facts=FACTS)
    assert said == [said for _, said in SAID]


def complaint(step) -> str:
    try:
        step()
    except ValueError as error:
        return str(error)
    return ""


def test_the_page_refuses_the_same_with_the_same_words(page, values, scene):
    bent = [{"do": "bend", "band": "vh", "by": [0, 0, -60, 0, 0], "area": PIXEL}]
    cases = [edits for edits, _ in REFUSED] + [bent]
    theirs = in_page(
        page,
        "return given.cases.map((edits) => { try {"
        "checkEdits(edits, given.scene, 4); applyEdits(given.values, edits, given.scene);"
        "return '';"
        "} catch (error) { return error.message; } });",
        cases=cases,
        scene=told(scene),
        values=flat(values),
    )

    def both(edits):
        check_edits(edits, scene, heads=4)
        apply_edits(values, edits, scene)

    assert theirs == [complaint(lambda edits=edits: both(edits)) for edits in cases]
    assert all(theirs)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "undefined", "'1'", "1n", "[1]"])
def test_the_page_refuses_what_is_no_number(page, number, scene):
    body = (
        f"const number = {number};"
        "for (const edit of [{ do: 'shift', days: number }, { do: 'speckle', looks: number }]) "
        "{ try { checkEdits([edit], given.scene); return 'taken'; } catch (error) {} } return '';"
    )
    assert in_page(page, body, scene=told(scene)) == ""


# ---------------------------------------------------------------------------------------- agreement


def test_agreement_in_the_page_is_that_of_python(page):
    rng = np.random.default_rng(0)
    smooth = np.sin(np.arange(18) / 3)
    cases = [
        (smooth, smooth),
        (smooth, -smooth),
        (smooth, np.roll(smooth, 2)),
        (rng.normal(size=18), rng.normal(size=18)),
        (np.round(smooth * 2), np.round(rng.normal(size=18))),  # ties
        (np.array([1.0, 2]), np.array([1.0, 1.5])),
    ]
    got = in_page(
        page,
        "const numbers = (list) => Float32Array.from(list);"
        "return given.cases.map(([a, b]) => agreement(numbers(a), numbers(b)));",
        cases=[[a.tolist(), b.tolist()] for a, b in cases],
    )
    for (a, b), theirs in zip(cases, got, strict=True):
        ours = attention.rank_agreement(np.float32(a), np.float32(b))
        assert theirs["rho"] == pytest.approx(ours["rho"], abs=1e-9)
        assert theirs["chance"] == pytest.approx(ours["chance"])
    assert [case["word"] for case in got][:2] == ["strong", "opposite"]
    assert got[0]["chance"] == pytest.approx(1 / 18)


def test_agreement_has_a_word_only_where_few_shifts_do_as_well(page):
    words = in_page(
        page,
        "return [-1, -0.2, -0.19, 0, 0.19, 0.2, 0.39, 0.4, 0.69, 0.7, 1, NaN]"
        ".map((rho) => agreementWord(rho, true));",
    )
    assert words[:5] == ["opposite", "opposite", "none", "none", "none"]
    assert words[5:] == ["weak", "weak", "moderate", "moderate", "strong", "strong", "none"]
    assert in_page(page, "return [-0.9, 0.9].map((rho) => agreementWord(rho, false));") == [
        "none",
        "none",
    ]
    # A wave against the same wave: every second shift agrees as well, so that it says nothing.
    wave = [0, 1] * 9
    assert in_page(page, f"return agreement({wave}, {wave});")["word"] == "none"
    rising = list(range(18))
    assert in_page(page, f"return agreement({rising}, {rising});")["word"] == "strong"
    assert in_page(page, f"return agreement({rising}, {rising[::-1]});")["word"] == "opposite"


def test_agreement_without_an_order_is_none(page):
    got = in_page(
        page,
        "return [[[0.1, 0.1, 0.1], [1, 2, 3]], [[1, 2, 3], [1, NaN, 3]], [[], []]]"
        ".map(([a, b]) => agreement(a, b));",
    )
    assert all(np.isnan([one["rho"], one["chance"]]).all() and one["word"] == "none" for one in got)
    with pytest.raises(Exception, match="There are 1 and 2 numbers"):
        in_page(page, "return agreement([1], [1, 2]);")


# ------------------------------------------------------------------------------ with its neighbours


def test_scripts_joined_into_one_have_no_name_twice():
    top = re.compile(r"^(?:export )?(?:async )?(?:const|let|class|function\*?) (\w+)", re.MULTILINE)
    shared = [STATIC.parent / "figures" / name for name in ("elements.js", "controls.js")]
    files = [*STATIC.glob("*.js"), *shared]
    names = [name for file in files for name in top.findall(file.read_text("utf-8"))]
    assert {name for name in names if names.count(name) > 1} == set()
    assert {"applyEdits", "checkEdits", "inWords", "agreement", "render"} <= set(names)


def test_the_script_asks_nothing_of_page_or_network():
    for word in ("document", "window.", "fetch", "import ", "XMLHttpRequest", "innerHTML", "eval"):
        assert word not in SCRIPT, word
    assert max(map(len, SCRIPT.splitlines())) <= 130
