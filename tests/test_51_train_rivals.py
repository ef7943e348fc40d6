"""Baselines: classifiers of single pixels that learn from the part they are given, and map a season
strip by strip.
"""

import numpy as np
import pytest

from stma_nb import cube, train

FITS = {
    "forest": lambda season, mask, **more: train.fit_forest(season, mask, trees=30, **more),
    "tempcnn": lambda season, mask, **more: train.fit_tempcnn(season, mask, epochs=8, **more),
}


@pytest.fixture(params=FITS)
def fit(request):
    return FITS[request.param]


@pytest.fixture
def left(season) -> np.ndarray:
    """The left half of the scene, to learn from."""
    return np.arange(64)[None] < np.full((48, 1), 32)


def test_unseen_pixels_are_mostly_right(fit, season, left):
    mapped = train.pixel_map(fit(season, left), season)
    assert mapped.dtype == np.uint8 and mapped.shape == (48, 64)
    assert (mapped == season.crop.values)[~left].mean() > 0.85


def test_only_the_mask_is_learned_from(fit, season, left):
    elsewhere = season.copy(deep=True)
    elsewhere.crop.values[~left] = 0
    elsewhere.vh.values[:, ~left] = 1.0
    one, other = (fit(s, left) for s in (season, elsewhere))
    np.testing.assert_array_equal(train.pixel_map(one, season), train.pixel_map(other, season))


def test_same_seed_same_map_and_lazy_equals_loaded(fit, season, left, tmp_path):
    lazy = cube.open_season(cube.save_season(season, tmp_path / "season.zarr"))
    maps = [train.pixel_map(fit(s, left, seed=3), s) for s in (season, lazy)]
    np.testing.assert_array_equal(*maps)


def test_a_class_that_the_mask_lacks_gets_no_probability(fit, season, left):
    classifier = fit(season, left & (season.crop.values < 2))
    p = classifier.probabilities(np.zeros((7, 5, 2), np.float32))
    assert p.shape == (7, 3) and (p[:, 2] < 0.2).all()
    np.testing.assert_allclose(p.sum(1), 1, atol=1e-5)


def test_pixels_without_data_are_nodata_and_teach_nothing(fit, season, left):
    for name in ("vv", "vh"):
        season[name].values[:, :5] = np.nan
    mapped = train.pixel_map(fit(season, left), season)
    assert (mapped[:5] == 255).all() and (mapped[5:] < 3).all()


def test_what_does_not_fit_is_said(fit, season, left):
    with pytest.raises(cube.SeasonError, match="The training part holds no data"):
        fit(season, np.zeros_like(left))
    with pytest.raises(ValueError, match="The season has 4 dates, the network was trained on 5"):
        train.pixel_map(fit(season, left), season.isel(time=slice(4)))
