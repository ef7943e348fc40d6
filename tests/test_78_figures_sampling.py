"""The drawing of a stratified sample holds the points, and adds up to the estimate."""

import numpy as np
import pandas as pd
import pytest

from stma_nb import accuracy, figures


@pytest.fixture
def drawn(season):
    """A map with errors, a sample of it, and the row of maize in the library's estimate."""
    truth = season.crop.values
    mapped = np.where((np.indices(truth.shape).sum(0) % 5) == 0, (truth + 1) % 3, truth)
    sample = accuracy.stratified_sample(mapped.astype(np.uint8), (60, 20, 20), seed=1)
    sample["reference"] = truth[sample.row, sample.column]
    counts = accuracy.error_matrix(sample.stratum, sample.reference, 3)
    pixels = np.bincount(mapped.ravel(), minlength=3)
    areas = accuracy.stratified_estimate(counts, pixels, pixel_area=0.01).area.loc[1]
    areas["truth"] = 0.01 * (truth == 1).sum()
    return mapped, sample, areas


def drawing(drawn, season):
    mapped, sample, areas = drawn
    return figures.sampling(mapped, sample, 1, "Maize", "#d55e00", areas, season)


def test_count_less_wrong_plus_missed_is_the_estimate(drawn):
    mapped, sample, areas = drawn
    off, added, points, wrong, missed = figures.correction(mapped, sample, 1)
    estimate = 0.01 * ((mapped == 1).sum() - off + added)
    assert estimate == pytest.approx(areas["estimate"])
    assert points == 20 and wrong == (sample.query("stratum == 1").reference != 1).sum()
    assert missed == (sample.query("stratum != 1").reference == 1).sum() > 0


def test_bars_begin_where_the_bar_above_ends(drawn, season):
    mapped, _, areas = drawn
    steps = drawing(drawn, season).axes[1]
    counted, off, added = steps.patches[:3]
    assert counted.get_width() == pytest.approx(0.01 * (mapped == 1).sum())
    assert off.get_x() + off.get_width() == pytest.approx(counted.get_width())
    assert added.get_x() == pytest.approx(off.get_x())
    assert added.get_x() + added.get_width() == pytest.approx(areas["estimate"])
    [error_bar] = steps.containers[-1].lines[2]
    [(low, high)] = [segment[:, 0] for segment in error_bar.get_segments()]
    assert (low, high) == pytest.approx((areas["low"], areas["high"]))
    assert steps.lines[-4].get_xdata() == pytest.approx(areas["truth"])


def test_every_point_is_drawn_once_where_it_lies(drawn, season):
    _, sample, _ = drawn
    axis = drawing(drawn, season).axes[0]
    places = np.concatenate([kind.get_offsets() for kind in axis.collections])
    assert len(places) == len(sample)
    wanted = np.stack([(sample.column + 0.5) / 100, (47.5 - sample.row) / 100], 1)  # kilometres
    assert {tuple(np.round(place, 6)) for place in places} == {
        tuple(np.round(place, 6)) for place in wanted
    }
    missed = sample.query("stratum != 1 and reference == 1")
    assert f"missed by the map ({len(missed)})" in {
        text.get_text() for text in axis.get_legend().get_texts()
    }


def test_a_class_that_the_map_never_shows_is_only_added(season):
    sample = pd.DataFrame(dict(stratum=[0, 0, 0, 0], reference=[0, 2, 0, 0], row=0, column=0))
    mapped = np.zeros(season.crop.shape, int)
    off, added, points, wrong, missed = figures.correction(mapped, sample, 2)
    assert (off, added, points, wrong, missed) == (0, mapped.size / 4, 0, 0, 1)
