"""The figures of single lessons show the numbers that they were given, named and with units."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from conftest import CROPS

from stma_nb import figures

DAYS = ["03-02", "03-14", "03-26"]


def texts(axis) -> list[str]:
    return [text.get_text() for text in axis.texts]


# -------------------------------------------------------------------------------------- 03 splits


def bounds(means: list[float], half: float, names: list[str]) -> pd.DataFrame:
    """A table as ``studies.scores`` and ``studies.differences`` give it."""
    means_of = np.array(means)
    ends = {"mean": means_of, "low": means_of - half, "high": means_of + half}
    return pd.DataFrame(ends, names)


def marks_and_bars(axis) -> dict[str, tuple[list[float], list[list[float]]]]:
    """Of every mark: its places across, and the ends of its bars."""
    return {
        bar.get_label(): (
            bar.lines[0].get_xdata().tolist(),
            [segment[:, 0].tolist() for segment in bar.lines[2][0].get_segments()],
        )
        for bar in axis.containers
    }


def test_a_score_stands_beside_that_of_the_same_map_next_door():
    rows = ["STMA, blocks", "STMA, random pixels"]
    tables = {
        "by its own rule": bounds([0.75, 1], 0.25, rows),
        "next door": bounds([0, 0], 1, rows),
    }
    axis = figures.rule_and_next_door(tables, "share of crop pixels right").axes[0]
    found = marks_and_bars(axis)
    assert found["by its own rule"] == ([0.75, 1], [[0.5, 1], [0.75, 1.25]])
    assert found["next door"] == ([0, 0], [[-1, 1], [-1, 1]])
    assert [tick.get_text() for tick in axis.get_yticklabels()] == rows
    assert axis.get_xlabel() == "share of crop pixels right"


def test_gains_are_in_points_about_a_line_at_zero():
    places = ["test blocks", "test blocks, vote", "next door", "next door, vote"]
    tables = {name: bounds([0.5, -0.25], 0.125, ["forest", "U-Net"]) for name in places}
    tables["next door"] *= 2
    axis = figures.gains_by_place(tables, "points better than STMA").axes[0]
    found = marks_and_bars(axis)
    assert list(found) == places
    assert found["test blocks"] == ([50, -25], [[37.5, 62.5], [-37.5, -12.5]])
    assert found["next door"][0] == [100, -50]
    assert [0, 0] in [list(line.get_xdata()) for line in axis.lines]
    marks = [bar.lines[0] for bar in axis.containers]
    assert len({mark.get_marker() for mark in marks}) == len({m.get_color() for m in marks}) == 4


def test_land_is_in_square_kilometres_and_each_method_has_a_name():
    columns = pd.MultiIndex.from_product([["STMA", "forest"], [1, 4]])
    table = pd.DataFrame([[0.2, 0.6, 0.5, 0.5], [0.4, 0.8, 0.5, 0.5]], [0, 1], columns)
    axis = figures.by_land({"mean F1": table}, ["forest", "STMA"], area=20).axes[0]
    thick = [line for line in axis.lines if line.get_linewidth() == 2]
    np.testing.assert_allclose([line.get_ydata() for line in thick], [[0.5, 0.5], [0.3, 0.7]])
    assert all(line.get_xdata().tolist() == [20, 80] for line in thick)
    named = {text.get_text(): text.get_color() for text in axis.texts}
    assert named == {"forest": thick[0].get_color(), "STMA": thick[1].get_color()}
    assert thick[0].get_color() != thick[1].get_color()


# ------------------------------------------------------------------------------------ 08 accuracy


def test_rare_classes_of_an_error_matrix_become_one():
    matrix = np.array([[50, 3, 2, 0], [4, 30, 1, 0], [6, 5, 8, 2], [0, 0, 1, 4]])
    crops = [*CROPS, type(CROPS[0])("Wheat", "#f0e442")]
    axis = figures.error_matrix(matrix, crops, least=20).axes[0]
    assert [tick.get_text() for tick in axis.get_yticklabels()] == [
        "Background",
        "Maize",
        "2 rare classes",
    ]
    share = 100 * np.array([[50, 3, 2], [4, 30, 1], [6, 5, 15]]) / [60, 38, 18]
    np.testing.assert_allclose(axis.images[0].get_array(), share)
    assert axis.texts[0].get_fontsize() >= 11


def test_many_maps_stand_in_rows(season):
    maps = dict.fromkeys("abcd", season.crop.values)
    figure = figures.label_maps(maps, CROPS, season, columns=2)
    places = [axis.get_position() for axis in figure.axes]
    figure.draw_without_rendering()
    assert len({round(place.y0, 2) for place in places}) == 2
    assert figure.get_figwidth() < 9


def test_areas_have_the_interval_and_the_colour_of_the_crop():
    table = pd.DataFrame(
        {"counted in the map (ha)": [9, 5], "estimate": [8, 6], "low": [6, 5], "high": [10, 7]},
        ["Maize", "Other crops"],
    )
    table["truth (ha)"] = [7, 6.5]
    axis = figures.areas(table, CROPS).axes[0]
    ends = [bar.lines[2][0].get_segments()[0][:, 1].tolist() for bar in axis.containers]
    assert ends == [[6, 10], [5, 7]]
    assert [bar.lines[0].get_color() for bar in axis.containers] == ["#d55e00", "black"]


def test_ranges_are_written_with_words_and_a_minus_sign():
    edge = pd.DataFrame(
        {"STMA": [0.5, 0.8]}, pd.IntervalIndex.from_breaks([0, 1, np.inf], closed="right")
    )
    size = pd.Series([0.4, 0.9], pd.IntervalIndex.from_breaks([-1.8, -0.2, 3]))
    figure = figures.where_errors_sit(edge, size, size, 17)
    figure.draw_without_rendering()
    pixels, _, contrast = figure.axes
    assert [tick.get_text() for tick in pixels.get_xticklabels()] == ["0 to 1", "more than 1"]
    names = [tick.get_text() for tick in contrast.get_xticklabels()]
    assert names == ["−1.8 to −0.2", "−0.2 to 3.0"]
    assert texts(contrast) == ["40", "90"]


def test_black_white_and_grey_of_the_errors_are_named(season):
    curve = pd.DataFrame({"confidence": [0.4, 0.9], "accuracy": [0.3, 0.8]})
    errors = np.full(season.crop.shape, 0.5)
    figure = figures.doubt_and_errors({"all": curve}, np.ones(errors.shape), errors, season)
    axis = figure.axes[2]
    named = {
        text.get_text(): patch.get_facecolor()[:3]
        for text, patch in zip(
            axis.get_legend().get_texts(), axis.get_legend().get_patches(), strict=True
        )
    }
    image = axis.images[0]
    for name, value in (("right", 0), ("wrong", 1), ("not tested", 0.5)):
        assert image.cmap(image.norm(value))[:3] == pytest.approx(named[name]), name


def test_blocks_are_sorted_by_the_first_map():
    shares = {"STMA": np.array([0.9, 0.3]), "forest": np.array([0.8, 0.4])}
    axis = figures.by_block(shares, np.array([1200, 50])).axes[0]
    assert [line.get_ydata().tolist() for line in axis.lines] == [[30, 90], [40, 80]]
    assert [tick.get_text() for tick in axis.get_xticklabels()] == ["50", "1 200"]


def test_coverage_names_its_lines_at_their_ends():
    index = pd.MultiIndex.from_product([["interval", "other"], [2, 80]])
    held = pd.DataFrame({"mean": [0.9, 0.95, 0.5, 0.8], "min": 0.4, "max": 1.0}, index)
    axis = figures.coverage(held, ["interval", "other"]).axes[0]
    assert axis.lines[0].get_ydata().tolist() == [90, 95]
    assert {"interval", "other"} <= set(texts(axis))


def test_names_of_crops_that_end_alike_do_not_overlap():
    days = pd.to_datetime(["2018-03-01", "2018-06-01"])
    nearest = pd.DataFrame({"Maize": [0.5, 2.0], "Sugar beet": [0.4, 2.0]}, days)
    axis = figures.nearest_crops(nearest, CROPS, apart=1.5).axes[0]
    heights = [text.xy[1] for text in axis.texts]
    assert abs(heights[0] - heights[1]) > 0.05 * 2
    assert {text.get_color() for text in axis.texts} == {"#d55e00", "#0072b2"}


# ----------------------------------------------------------------------------------- 09 attention


def test_bars_by_date_have_units_and_their_colours():
    series = {"attention (share)": np.array([0.2, 0.5, 0.3]), "need (nat)": np.array([1, 0, -0.1])}
    above, below = figures.bars_by_date(series, DAYS).axes
    assert (above.get_ylabel(), below.get_ylabel()) == ("share", "nat")
    assert (above.get_title("left"), below.get_title("left")) == ("attention", "need")
    assert above.patches[0].get_facecolor() != below.patches[0].get_facecolor()
    assert texts(above) == ["03-14: 0.50"] and texts(below) == ["03-02: 1.00"]


def test_agreement_counts_the_slid_calendars_that_do_as_well():
    table = pd.DataFrame({"rho": [0.6], "low": [0.2], "high": [0.7]}, ["a and b"])
    left, right = figures.agreements(table, {"a and b": [0.6, 0.9, -0.2, 0.1]}).axes
    assert texts(right) == ["2 of 4"]  # itself, and 0.9
    assert [line.get_xdata().tolist() for line in left.containers[0].lines[1]] == [[0.2], [0.7]]


def test_deletion_has_the_colours_of_attention_and_need():
    accuracy = xr.DataArray(
        [[0.8, 0.5], [0.8, 0.6], [0.8, 0.7]],
        dims=("order", "deleted"),
        coords={"order": ["occlusion", "attention", "random"], "deleted": [0, 1]},
    )
    axis = figures.deletion(accuracy).axes[0]
    assert [line.get_color() for line in axis.lines[:2]] == [figures.NEED, figures.ATTENTION]
    assert axis.lines[1].get_ydata().tolist() == [80, 60]


def test_pairs_of_networks_tell_their_means():
    between = {"occlusion": [0.2, 0.6], "attention": [-0.1, 0.3]}
    axis = figures.pairs_of_networks(between).axes[0]
    assert texts(axis) == ["mean 0.40", "mean 0.10"]


# ------------------------------------------------------------------------------------ 11 transfer


def test_seasons_of_a_crop_share_its_colour(season):
    brighter = season.assign(vh=2 * season.vh)
    figure = figures.crop_seasons({"home": season, "away": brighter}, ["Maize"])
    [axis] = figure.axes
    home, away = axis.lines
    np.testing.assert_allclose(away.get_ydata() - home.get_ydata(), 10 * np.log10(2), rtol=1e-4)
    assert home.get_color() == away.get_color() == "#d55e00"
    assert home.get_linestyle() != away.get_linestyle()
    assert home.get_markerfacecolor() != away.get_markerfacecolor()


def test_weather_effects_are_drawn_in_the_colours_of_crops():
    effects = {"Maize": np.array([1.0, -6]), "Sugar beet": np.array([0.5, -3])}
    axis = figures.weather_effects(np.array([60, 75]), effects, CROPS).axes[0]
    assert [line.get_color() for line in axis.lines[:2]] == ["#d55e00", "#0072b2"]
    assert "dB" in axis.get_ylabel()


def test_the_shift_of_least_doubt_is_marked_in_both_panels():
    trial = pd.DataFrame({"doubt (bits)": [1.3, 1.1], "pixels right": [0.4, 0.5]}, [-6, 0])
    for axis in figures.doubt_of_shifts(trial, 0).axes:
        assert axis.lines[1].get_xdata() == [0, 0]


def test_remedies_have_a_mark_for_each_kind_of_transfer_and_one_legend():
    kinds = ["another place", "another year", "both"]
    means = pd.DataFrame([[0.5, 0.4, 0.3], [0.6, 0.5, 0.4]], ["as trained", "AdaBN"], columns=kinds)
    figure = figures.remedies(means, means / 10)
    [legend] = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == kinds
    bars = figure.axes[0].containers
    assert [bar.lines[0].get_xdata().tolist() for bar in bars] == means.T.to_numpy().tolist()
    reach = bars[0].lines[2][0].get_segments()[0][:, 0]
    np.testing.assert_allclose(reach, [0.45, 0.55])
    assert len({bar.lines[0].get_marker() for bar in bars}) == 3


# --------------------------------------------------------------------------------- of all lessons


def test_numbers_are_listed_with_their_names():
    assert figures.listed({"Maize": 0.519, "Wheat": 0.8}) == "Maize 0.52, Wheat 0.80"
    series = pd.Series({"Maize": -1.26, "Wheat": 2.0})
    assert figures.listed(series, "{:+.1f} dB", "; ") == "Maize -1.3 dB; Wheat +2.0 dB"
