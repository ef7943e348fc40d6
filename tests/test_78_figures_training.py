"""Curves of training are named where they end, and their axes have plain numbers."""

import numpy as np

from stma_nb import figures


def test_losses_are_named_at_their_ends_without_letters_over_letters():
    curves = {"one": np.linspace(3, 0.24, 50), "two": np.linspace(3, 0.25, 50), "stuck": [2.9] * 50}
    figure = figures.losses(curves, knows_nothing=2.77)
    figure.draw_without_rendering()
    [axis] = figure.axes
    boxes = {text.get_text(): text.get_window_extent() for text in axis.texts}
    assert set(boxes) == {"one", "two", "stuck", "knows nothing"}
    names = list(boxes.values())
    assert not any(a.overlaps(b) for a in names for b in names if a is not b)
    for name, curve in curves.items():
        x, y = axis.transData.transform((len(curve) - 1, curve[-1]))
        assert boxes[name].x0 > x and abs((boxes[name].y0 + boxes[name].y1) / 2 - y) < 30
    ticks = [label.get_text() for label in axis.get_yticklabels() if label.get_text()]
    assert {"0.5", "1", "2"} <= set(ticks)


def test_the_test_of_rates_names_its_two_rates_beside_the_curve():
    rates = np.geomspace(1e-5, 1, 50)
    after = np.linspace(3, 1, 50)
    figure = figures.rate_test(rates, after, after, 1e-3, 0.1)
    figure.draw_without_rendering()
    [axis] = figure.axes
    assert axis.get_legend() is None
    marks = {text.get_text(): text.xy for text in axis.texts}
    assert marks["a tenth gained"][0] == 1e-3 and marks["lowest"][0] == 0.1
    top = axis.get_ylim()[1]
    assert all(marks[name][1] > after.max() and marks[name][1] < top for name in list(marks)[2:])
