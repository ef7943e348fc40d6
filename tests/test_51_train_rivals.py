"""Rivals of STMA that see single pixels: they learn from their part alone, and map as STMA does."""

import copy

import numpy as np
import pytest
import rasterio
import torch
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

from stma_nb import cube, patches, predict, radar, train
from stma_nb.train.pixels import draw_pixels

FITS = {
    "forest": lambda season, mask, **more: train.fit_forest(season, mask, trees=30, **more),
    "boosting": lambda season, mask, **more: train.fit_boosting(season, mask, rounds=20, **more),
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
    mapped = predict.season_codes(fit(season, left), season)
    assert mapped.dtype == np.uint8 and mapped.shape == (48, 64)
    assert (mapped == season.crop.values)[~left].mean() > 0.85


def test_only_the_mask_is_learned_from(fit, season, left):
    elsewhere = season.copy(deep=True)
    elsewhere.crop.values[~left] = 0
    elsewhere.vh.values[:, ~left] = 1.0
    one, other = (fit(s, left) for s in (season, elsewhere))
    np.testing.assert_array_equal(
        predict.season_codes(one, season), predict.season_codes(other, season)
    )


def test_same_seed_same_map_and_lazy_equals_loaded(fit, season, left, tmp_path):
    lazy = cube.open_season(cube.save_season(season, tmp_path / "season.zarr"))
    maps = [predict.season_codes(fit(s, left, seed=3), s) for s in (season, lazy)]
    np.testing.assert_array_equal(*maps)


def test_a_class_that_the_mask_lacks_gets_no_probability(fit, season, left):
    trained = fit(season, left & (season.crop.values < 2))
    with torch.no_grad():
        p = trained.model(torch.zeros(2, 5, 2, 3, 3)).softmax(1)
    assert p.shape == (2, 3, 3, 3) and (p[:, 2] < 0.2).all()
    np.testing.assert_allclose(p.sum(1), 1, atol=1e-5)


def test_the_forest_is_that_of_scikit_learn(season, left):
    scaling = patches.fit_scaling(season, left)
    x, y = draw_pixels(season, left, 500, scaling, seed=0)
    theirs = RandomForestClassifier(20, random_state=0).fit(x.reshape(len(x), -1), y)
    ours = train.RandomForest.of(theirs, 5, 2, 3)
    new = np.random.default_rng(1).normal(0, 1.5, (3, 5, 2, 8, 8)).astype("float32")
    found = ours(torch.from_numpy(new)).softmax(1).numpy()
    flat = new.transpose(0, 3, 4, 1, 2).reshape(-1, 10)
    expected = theirs.predict_proba(flat).reshape(3, 8, 8, 3).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("known", [[0, 1, 3], [1, 3]])
def test_the_boosting_is_that_of_scikit_learn(season, left, known):
    """Of three classes, and of two, for which scikit-learn grows one tree a round, not two."""
    scaling = patches.fit_scaling(season, left)
    x, y = draw_pixels(season, left, 1500, scaling, seed=0)
    y[y == 2] = 3  # a code that was not learned lies between
    here = np.isin(y, known)
    theirs = HistGradientBoostingClassifier(max_iter=10, random_state=0)
    theirs.fit(x[here].reshape(here.sum(), -1), y[here])
    ours = train.GradientBoosting.of(theirs, 5, 2, 4)
    new = np.random.default_rng(1).normal(0, 1.5, (3, 5, 2, 8, 8)).astype("float32")
    found = ours(torch.from_numpy(new)).softmax(1).numpy()
    flat = new.transpose(0, 3, 4, 1, 2).reshape(-1, 10)
    expected = theirs.predict_proba(flat).reshape(3, 8, 8, -1).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(found[:, known], expected, atol=1e-5)
    assert found[:, 2].max() < 1e-5


def test_boosting_stops_early_and_learns_no_class_of_one_pixel(season, left):
    many = season.isel(y=np.arange(480) % 48).assign_coords(y=5e6 - 10.0 * np.arange(480))
    many = many.copy(deep=True)
    many.crop.values[:] = np.random.default_rng(0).integers(0, 2, many.crop.shape)  # no sense in it
    many.crop.values[5, 5] = 2
    trained = train.fit_boosting(many, left.repeat(10, 0))
    assert trained.model.arguments["trees"] < 100, "two classes are learned: one tree a round"
    with torch.no_grad():
        assert trained.model(torch.zeros(1, 5, 2, 2, 2)).softmax(1)[:, 2].max() < 1e-4
    with pytest.raises(cube.SeasonError, match="pixels of a single class; expected two"):
        train.fit_boosting(season, season.crop.values == 1)


@pytest.mark.parametrize("fit", [train.fit_forest, train.fit_boosting])
def test_trees_are_kept_as_they_grew(fit, season, left, tmp_path):
    trained = fit(season, left)
    back = train.load(train.save(trained, tmp_path / "trees.safetensors"))
    assert type(back.model) is type(trained.model)
    maps = [predict.season_codes(one, season) for one in (trained, back)]
    np.testing.assert_array_equal(*maps)


@pytest.mark.parametrize("fit", [train.fit_forest, train.fit_boosting])
def test_a_filtered_season_is_learned_and_mapped_better(fit, season, left, tmp_path):
    """Loaded, lazy, and saved as Zarr, a filtered season gives one map."""
    filtered = radar.quegan_yu(season, 3)
    trained = fit(filtered, left)
    mapped = predict.season_codes(trained, filtered)
    raw = predict.season_codes(fit(season, left), season)
    right = season.crop.values
    assert (mapped == right)[~left].mean() > (raw == right)[~left].mean()
    lazy = radar.quegan_yu(
        cube.open_season(cube.save_season(season, tmp_path / "season.zarr")).chunk(y=20), 3
    )
    np.testing.assert_array_equal(predict.season_codes(trained, lazy, tile=32), mapped)
    store = cube.open_season(cube.save_season(lazy, tmp_path / "filtered.zarr"))
    path = predict.season_map(trained, store, tmp_path / "map.tif", progress=False)
    with rasterio.open(path) as tif:
        np.testing.assert_array_equal(tif.read(1), mapped)


@pytest.mark.parametrize("fit", [train.fit_forest, train.fit_boosting])
def test_damaged_trees_are_not_followed(fit, season, left):
    model = fit(season, left).model
    x = torch.zeros(1, 5, 2, 4, 4)
    for name, value in (("left", 10**9), ("right", 0), ("feature", 99)):
        broken = copy.deepcopy(model)
        getattr(broken, name)[0] = value
        with pytest.raises(ValueError, match="no trees, or damaged"):
            broken(x)


def test_pixels_without_data_are_nodata_and_teach_nothing(fit, season, left):
    for name in ("vv", "vh"):
        season[name].values[:, :5] = np.nan
    mapped = predict.season_codes(fit(season, left), season)
    assert (mapped[:5] == 255).all() and (mapped[5:] < 3).all()


def test_what_does_not_fit_is_said(fit, season, left):
    with pytest.raises(cube.SeasonError, match="The training part holds no data"):
        fit(season, np.zeros_like(left))
    with pytest.raises(ValueError, match="The season has 4 dates, the network was trained on 5"):
        predict.season_codes(fit(season, left), season.isel(time=slice(4)))


def test_the_unet_takes_patches_that_can_be_halved_twice():
    x = torch.zeros(1, 3, 1, 4, 4)
    smallest = train.UNet(3, patch=4, bands=1, classes=2, width=4).eval()
    assert smallest(x).shape == (1, 2, 4, 4)
    for patch, instead in ((0, 4), (3, 4), (14, 16), (30, 32)):
        with pytest.raises(ValueError, match=rf"is {patch} pixels; .* of 4 \(say {instead}\)"):
            train.UNet(3, patch)
    network = train.UNet(3, patch=8, width=4)
    for shape in ((1, 4, 2, 8, 8), (1, 3, 1, 8, 8), (3, 2, 8, 8)):
        with pytest.raises(ValueError, match=r"\(B, 3, 2, P, P\), got"):
            network(torch.zeros(shape))
