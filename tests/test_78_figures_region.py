"""Seams are drawn where they are, and shares of windows sum to one."""

import numpy as np
import pandas as pd
import pytest

from stma_nb import course, cube, figures, patches


@pytest.fixture(scope="module")
def piece():
    season = cube.open_season(course.sample_season())
    return season.isel(y=slice(160, 256), x=slice(192, 288)).load()


def test_seams_are_drawn_where_a_map_changes_on_a_border_and_the_truth_does_not(piece):
    truth = piece.crop.values
    spoilt = truth.copy()
    spoilt[:32, :32] = np.where(truth[:32, :32] == 1, 2, 1)  # all wrong in the first window
    figure = figures.seams({"spoilt": spoilt, "perfect": truth}, piece, 32)
    # Wrong values on one side of a border are a false change where the truth does not change.
    down, right = truth[31, :32] == truth[32, :32], truth[:32, 31] == truth[:32, 32]
    count = int(down.sum() + right.sum())
    assert count > 20
    titles = [axis.get_title() for axis in figure.axes]
    assert titles == [
        f"spoilt\n{count} false changes on borders",
        "perfect\n0 false changes on borders",
        "truth",
    ]
    lines = figure.axes[0].collections[-1].get_segments()
    assert len(lines) == count
    for a, b in lines:  # on the lower or the right border of the window, 0.32 km from the corner
        assert (np.isclose(a[0], 0.32) and np.isclose(b[0], 0.32)) or np.allclose(
            [a[1], b[1]], 0.96 - 0.32
        )


def test_false_changes_leave_out_true_borders():
    truth = np.array([[0, 0, 1], [0, 0, 1]])
    above, left = figures.false_changes(np.array([[0, 2, 1], [0, 0, 1]]), truth)
    assert np.argwhere(above).tolist() == [[1, 1]] and np.argwhere(left).tolist() == [[0, 1]]


def test_shares_of_windows_sum_to_one_and_fade_out():
    figure = figures.blending(patches.blend_weight(32)[16])
    above, below = figure.axes
    shares = np.zeros((3, 64))
    for share, line in zip(shares, below.lines, strict=False):
        share[line.get_xdata()] = line.get_ydata()
    assert np.allclose(shares.sum(0), 1)
    assert np.allclose(below.lines[3].get_ydata(), 1)
    assert shares[0, 0] == 1 and shares[0, 31] < 0.01 and shares[1, 16] < 0.01
    assert [line.get_linestyle() for line in above.lines] == ["-", "--", ":"]


def test_places_to_visit_lie_where_they_are_on_the_map(piece):
    places = pd.DataFrame({"row": [0, 95], "column": [10, 95]})
    figure = figures.doubt_and_places(np.zeros((96, 96)), places, piece)
    [marks] = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert np.allclose(marks.get_xdata(), [0.105, 0.955])  # kilometres east of the corner
    assert np.allclose(marks.get_ydata(), [0.955, 0.005])


def test_gains_stand_over_their_distance_with_their_intervals():
    axis = figures.gain_by_depth(np.array([2.0, 0.5]), np.array([1.0, 0.25])).axes[0]
    [container] = axis.containers
    assert container.lines[0].get_ydata().tolist() == [2, 0.5]
    [bars] = container.lines[2]
    assert [bar[:, 1].tolist() for bar in bars.get_segments()] == [[1, 3], [0.25, 0.75]]
