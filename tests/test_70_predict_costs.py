"""The cost of a map: what is counted is what is computed; the law is fitted and used rightly."""

import numpy as np
import pytest
import torch
from torch import nn

from stma_nb import predict, train
from stma_nb.model import STMA


class OneLayer(nn.Module):
    """A 3 x 3 convolution over all dates and bands, with 5 classes: its work is known by hand."""

    def __init__(self, dates=3, bands=2, classes=5, patch=16):
        super().__init__()
        self.arguments = dict(dates=dates, bands=bands, classes=classes, patch=patch)
        self.layer = nn.Conv2d(dates * bands, classes, 3, padding=1, bias=False)

    def forward(self, x):
        return self.layer(x.flatten(1, 2)).relu()


def test_operations_and_values_are_those_of_the_layers():
    found = predict.work(OneLayer())
    assert found.operations == 2 * 6 * 9 * 5 * 16 * 16, "a multiplication and an addition each"
    assert found.values == (6 + 5 + 5) * 16 * 16, "the input, and what both steps write"
    assert found.pairs == 0


def test_the_published_size_is_counted_as_the_network_computes():
    """Twice the width is about four times the operations, and twice the values at most."""
    small, large = (
        predict.work(STMA(dates=6, patch=32, width=width, classes=3)) for width in (16, 32)
    )
    assert 3 < large.operations / small.operations < 4
    assert 1 < large.values / small.values < 2
    # Level 1 has 8 x 8 pixels, levels 2 and 3 have 4 x 4; four heads; and 6 x 6 dates in each.
    assert small.pairs == large.pairs == 4 * (64**2 + 2 * 16**2 + 3 * 6**2)


def test_counting_leaves_the_network_as_it_is():
    network = OneLayer()
    before = network.layer.weight.clone()
    predict.work(network)
    assert torch.equal(network.layer.weight, before) and network.layer.weight.device.type == "cpu"


def test_a_network_without_weights_is_measured_not_counted(season):
    forest = train.fit_forest(season, np.ones(season.crop.shape, bool), 200, trees=2)
    with pytest.raises(ValueError, match="RandomForest has no weights to count operations of"):
        predict.work(forest.model)


def test_rates_are_found_again_from_what_they_cause():
    rates = predict.Rates(operations=1e11, values=5e8, pairs=1e8)
    works = [predict.Work(1e9, 1e6, 0), predict.Work(1e8, 4e6, 1e5), predict.Work(8e10, 1e8, 5e6)]
    found = predict.fit_rates(works, [rates.seconds(work) for work in works])
    assert found == pytest.approx(rates)
    with pytest.raises(ValueError, match="1 networks and 1 measurements; expected as many"):
        predict.fit_rates(works[:1], [1.0])


def test_cost_is_the_windows_of_the_map_times_the_law(season):
    network, rates = OneLayer(), predict.Rates(1e9, 1e9, 1e9)
    window = rates.seconds(predict.work(network))
    # 48 x 64 pixels, patches of 16 that overlap by half: 5 rows of 7 windows.
    assert predict.cost(network, rates, season) == pytest.approx(35 * window)
    assert predict.cost(network, rates, season, overlap=0) == pytest.approx(12 * window)
    # A square kilometre has 10 000 pixels of 10 m, and a window for each 8 x 8 of them.
    assert predict.cost(network, rates, 1.0) == pytest.approx(10_000 / 64 * window)
    assert predict.cost(network, rates, 1.0, pixel=20) == pytest.approx(2500 / 64 * window)


def test_a_plan_counts_what_is_lost_with_a_machine():
    network, rates = OneLayer(), predict.Rates(1e6, 1e6, 1e6)
    prices = dict(core_hour=0.5, terabyte_month=20)
    steady = predict.plan(network, rates, 1000, cores=10, **prices)
    seconds = predict.cost(network, rates, 1000)
    assert steady.core_hours == pytest.approx(seconds / 3600)
    assert steady.hours == pytest.approx(steady.core_hours / 10)
    assert steady.computing == pytest.approx(0.5 * steady.core_hours)
    assert steady.terabytes == pytest.approx(1e7 * 3 * 2 * 4 / 1e12)
    assert steady.storing == pytest.approx(20 * steady.terabytes)
    read = 1e7 * 24 * (2560 / 2048) ** 2  # bytes: all chunks that a tile of 2048 pixels touches
    assert steady.megabytes_a_second == pytest.approx(read / 1e6 / seconds)
    spot = predict.plan(network, rates, 1000, cores=10, life=2, start=100, tile=512, **prices)
    tile = seconds * 512**2 / 1e7
    assert spot.core_hours / steady.core_hours == pytest.approx(1 + (tile / 2 + 100) / 7200)
