"""Transfer: what is taken out is taken out exactly, the user's network stays as it is, and doubt
finds a late calendar.
"""

import copy

import numpy as np
import pytest
import torch

from stma_nb import patches, train
from stma_nb.model import STMA


@pytest.fixture(scope="module")
def learned():
    """A small network that learned the season made by hand, and knows it well; trained once."""
    trained = {}

    def get(season):
        if not trained:
            torch.manual_seed(0)
            windows = patches.corners(season.crop.shape, 16, 0.5)
            data = patches.PatchDataset(
                season, windows, 16, patches.fit_scaling(season), augment=True
            )
            model = STMA(dates=5, patch=16, classes=3, width=8)
            trained[0] = train.fit(
                model, data, data, epochs=25, batch=8, watch=lambda history: None
            )
        return trained[0]

    return get


def right(trained, season) -> float:
    windows = patches.corners(season.crop.shape, 16)
    return train.validate(
        trained.model, patches.PatchDataset(season, windows, 16, trained.scaling)
    )["accuracy"]


def changed(season, **factors):
    """The season with bands multiplied."""
    other = season.copy(deep=True)
    for name, factor in factors.items():
        other[name].values *= np.float32(factor)
    return other


def test_levels_are_matched_date_by_date(season):
    wet = season.copy(deep=True)
    wet.vh.values[2] *= 2
    wet.vv.values[4] *= 0.5
    matched = train.match_levels(wet, train.date_levels(season))
    for name in ("vv", "vh"):
        np.testing.assert_allclose(matched[name], season[name], rtol=1e-4)
        assert matched[name].attrs == season[name].attrs and matched[name].dtype == "float32"
    half = np.arange(64)[None] < np.full((48, 1), 32)
    levels = train.date_levels(season, half)
    np.testing.assert_allclose(
        levels.vh, 10 * np.log10(season.vh.values[:, half]).mean(1), atol=1e-4
    )
    with pytest.raises(ValueError, match="The season has 4 dates, the levels 5"):
        train.match_levels(season.isel(time=slice(4)), levels)


def test_adapted_batch_norms_bring_back_what_a_level_cost(learned, season):
    trained, lifted = learned(season), changed(season, vh=2.5, vv=2.5)
    before = copy.deepcopy(trained.model.state_dict())
    adapted = train.adapt_batch_norm(trained, lifted.drop_vars("crop"))
    assert right(trained, season) > 0.9
    assert right(trained, lifted) < right(adapted, lifted) - 0.1
    assert right(adapted, lifted) > 0.85
    assert not adapted.model.training and all(
        torch.equal(before[k], v) for k, v in trained.model.state_dict().items()
    )


def test_a_shifted_calendar_is_interpolated_and_constant_beyond_the_end(season):
    days = (season.time.values - season.time.values[0]) / np.timedelta64(1, "D")
    for name in ("vv", "vh"):
        season[name].values[:] = (1 + days)[:, None, None].astype("float32")
    moved = train.shift_calendar(season, 10)
    np.testing.assert_array_equal(moved.time, season.time)
    np.testing.assert_allclose(moved.vh[:, 0, 0], np.minimum(days + 10, days[-1]) + 1, rtol=1e-5)
    assert train.shift_calendar(season, 0) is season


def test_doubt_is_an_entropy_in_bits(learned, season):
    trained = learned(season)
    windows = patches.corners(season.crop.shape, 16)
    data = patches.PatchDataset(season, windows, 16, trained.scaling)
    with torch.no_grad():
        p = trained.model(torch.stack([x for x, _ in data]))[0].softmax(1).numpy()
    assert train.doubt(trained, season) == pytest.approx(-(p * np.log2(p)).sum(1).mean(), rel=1e-4)
    flat = copy.deepcopy(trained)
    for parameter in flat.model.parameters():
        parameter.data.zero_()
    assert train.doubt(flat, season) == pytest.approx(np.log2(3), abs=1e-4)


def test_the_calendar_of_a_late_season_is_found(learned, season):
    late = season.copy(deep=True)  # every month looks as the month before did
    for name in ("vv", "vh"):
        late[name].values[1:] = season[name].values[:-1]
    days, doubts = train.align(learned(season), late, shifts=(-30, 0, 30))
    assert days == 30 and set(doubts) == {-30, 0, 30}
    moved = train.shift_calendar(late, days)
    assert right(train.adapt_batch_norm(learned(season), moved), moved) > right(
        learned(season), late
    )
