"""Cutting covers the scene, a data set reads what was asked for, and stitching gives back what was
cut.
"""

from functools import partial

import numpy as np
import pytest
import torch

from stma_nb import cube, patches
from stma_nb.patches import IGNORE


@pytest.mark.parametrize("shape", [(48, 64), (50, 71), (32, 33)])
@pytest.mark.parametrize("overlap", [0, 0.25, 0.5])
def test_windows_cover_the_scene_and_stitch_gives_it_back(shape, overlap):
    windows = patches.corners(shape, 32, overlap)
    covered = np.zeros(shape, int)
    for row, column in windows:
        covered[row : row + 32, column : column + 32] += 1
        assert 0 <= row <= shape[0] - 32 and 0 <= column <= shape[1] - 32
    assert covered.min() >= 1
    scene = np.random.default_rng(0).random((3, *shape), dtype=np.float32)
    pieces = (scene[:, r : r + 32, c : c + 32] for r, c in windows)
    np.testing.assert_allclose(patches.stitch(pieces, windows, 32, shape), scene, rtol=1e-5)


def test_windows_without_overlap_cover_every_pixel_once_where_they_fit():
    assert len(patches.corners((64, 96), 32)) == 6


def test_blending_hides_the_border_of_a_window():
    """Where two windows disagree, the result passes smoothly from one to the other."""
    windows = patches.corners((32, 48), 32, 0.5)
    assert len(windows) == 2
    row = patches.stitch([np.zeros((1, 32, 32)), np.ones((1, 32, 32))], windows, 32, (32, 48))[
        0, 16
    ]
    assert row[:16].max() == 0 and row[32:].min() == 1
    assert (np.diff(row[15:33]) >= 0).all() and np.diff(row).max() < 0.25


def test_patch_larger_than_the_scene():
    with pytest.raises(ValueError, match="128 pixels is larger than the scene"):
        patches.corners((100, 200), 128)
    with pytest.raises(ValueError, match="overlap is 1"):
        patches.corners((200, 200), 128, 1)


def test_scaling_uses_the_training_part_only(season):
    mask = np.zeros((48, 64), bool)
    mask[:, :20] = True
    scaling = patches.fit_scaling(season, mask)
    inside = 10 * np.log10(season.vh.values[:, mask])
    assert scaling.mean[0] == pytest.approx(inside.mean(), abs=1e-4) and scaling.std[
        0
    ] == pytest.approx(inside.std(), abs=1e-4)
    other = season.copy(deep=True)
    other["vh"][:, :, 20:] = 1.0
    assert patches.fit_scaling(other, mask) == scaling
    with pytest.raises(ValueError, match="holds no data"):
        patches.fit_scaling(season, np.zeros((48, 64), bool))


def test_dataset_reads_windows_lazily_in_the_networks_order(season):
    season["vh"][:, 10, 12] = np.nan
    season["vv"][:, 10, 12] = np.nan
    season["vh"][2, 11, 12] = np.nan
    scaling = patches.Scaling((-17.0, -11.0), (3.0, 2.0))
    windows = patches.corners((48, 64), 16, 0.5)
    lazy = patches.PatchDataset(season.chunk({"y": 20, "x": 20}), windows, 16, scaling)
    x, y = lazy[1]  # row 0, column 8
    assert x.shape == (5, 2, 16, 16) and x.dtype == torch.float32 and y.dtype == torch.int64
    row, column = windows[1]
    assert x[3, 0, 4, 5].item() == pytest.approx(
        (10 * np.log10(season.vh.values[3, row + 4, column + 5]) + 17) / 3, abs=1e-4
    )
    assert x[3, 1, 4, 5].item() == pytest.approx(
        (10 * np.log10(season.vv.values[3, row + 4, column + 5]) + 11) / 2, abs=1e-4
    )
    assert y[10 - row, 12 - column] == IGNORE and y[11 - row, 12 - column] != IGNORE
    assert torch.isfinite(x).all() and x[2, 0, 11 - row, 12 - column] == 0
    with pytest.raises(ValueError, match="No window of 16 pixels"):
        patches.PatchDataset(season, np.zeros((0, 2), int), 16, scaling)


def test_labels_outside_the_mask_are_ignored(season):
    mask = np.zeros((48, 64), bool)
    mask[:, :10] = True
    _, y = patches.PatchDataset(
        season, np.array([[0, 0]]), 16, patches.fit_scaling(season), mask=mask
    )[0]
    assert (y[:, 10:] == IGNORE).all() and (y[:, :10] != IGNORE).all()


def test_augmentation_turns_image_and_labels_together(season):
    """Labels follow from the image in this season: stripes of equal class stay stripes after a
    turn.
    """
    scaling = patches.fit_scaling(season)
    data = patches.PatchDataset(
        season, patches.corners((48, 64), 16, 0.5), 16, scaling, augment=True
    )
    turned = 0
    for i in range(20):
        data.set_epoch(i)
        x, y = data[i % 8]
        rise = x[3, 0] - x[0, 0]  # VH from April to July: crops grow, the background stays
        if (y == 0).any():
            assert rise[y > 0].mean() > rise[y == 0].mean() + 0.5
        turned += int((y[0] != y[0, 0]).sum() == 0)
    assert 0 < turned < 20
    plain = patches.PatchDataset(season, data.windows, 16, scaling)[0]
    seen = set()
    for epoch in range(60):
        data.set_epoch(epoch)
        seen.add(tuple(data[0][0].flatten()[:40].tolist()))
    wanted = {
        tuple(torch.rot90(x, k, (-2, -1)).flatten()[:40].tolist())
        for k in range(4)
        for x in (plain[0], plain[0].flip(-1))
    }
    assert seen == wanted, "all eight turns and mirrorings, and nothing else"


def test_a_list_of_variations_is_taken_as_it_is(season):
    windows, scaling = patches.corners(season.crop.shape, 16), patches.fit_scaling(season)

    def steps(augment) -> tuple:
        data = patches.PatchDataset(season, windows, 16, scaling, augment=augment)
        return data.variations.steps

    given = [patches.add_speckle, patches.drop]
    assert steps(given) == tuple(given)
    assert steps(True) == (patches.turn,) and steps(False) == ()


def test_variations_differ_each_time_unless_an_epoch_is_set(season):
    """In a loop of one's own nobody sets an epoch: a patch must look different all the same."""
    windows, scaling = patches.corners(season.crop.shape, 16), patches.fit_scaling(season)
    data = patches.PatchDataset(season, windows, 16, scaling, augment=[patches.add_speckle])
    loader = torch.utils.data.DataLoader(data, len(data))

    def views() -> list[float]:
        return [float(next(iter(loader))[0][0].sum()) for _ in range(5)]

    torch.manual_seed(1)
    first = views()
    assert len(set(first)) == 5, "five epochs, five views"
    torch.manual_seed(1)
    assert views() == first, "they follow from PyTorch's seed"
    data.set_epoch(3, seed=7)
    assert len(set(views())) == 1, "seed and epoch settle the draw"
    data.set_epoch(None)
    assert len(set(views())) == 5


@pytest.mark.parametrize("workers", [0, 2])
def test_variations_differ_between_epochs_of_worker_processes(season, workers):
    windows, scaling = patches.corners(season.crop.shape, 16), patches.fit_scaling(season)
    data = patches.PatchDataset(season, windows, 16, scaling, augment=[patches.add_speckle])
    loader = torch.utils.data.DataLoader(data, len(data), num_workers=workers)
    assert len({float(x.sum()) for _ in range(3) for x, _ in loader}) == 3


# --------------------------------------------------------------------------------------- any bands


@pytest.fixture
def many_bands(season):
    """VV, VH, their ratio, an optical band with negative numbers, and the incidence angle."""
    rng = np.random.default_rng(1)
    index = (("time", "y", "x"), rng.normal(0, 0.3, season.vv.shape).astype("float32"))
    angle = np.linspace(30, 40, 64, dtype="float32")[None].repeat(48, 0)
    return season.assign(
        ratio=(season.vh / season.vv).assign_attrs(units="1").astype("float32"),
        ndvi=index,
        incidence_angle=(("y", "x"), angle, {"units": "degree"}),
    )


def test_all_dated_bands_are_seen_unless_others_are_named(many_bands):
    assert patches.fit_scaling(many_bands).bands == ("vh", "vv", "ratio", "ndvi")
    named = patches.fit_scaling(
        many_bands, bands=("vv", "ratio", "incidence_angle"), decibel=("vv", "ratio")
    )
    assert named.bands == ("vv", "ratio", "incidence_angle")
    assert named.decibel == ("vv", "ratio") and named.units == ("1", "1", "degree")
    ratio = 10 * np.log10(many_bands.ratio.values)
    assert named.mean[1] == pytest.approx(ratio.mean(), abs=1e-3)
    assert named.mean[2] == pytest.approx(35, abs=1e-3) and named.std[2] > 1


def test_every_band_is_scaled_as_its_scaling_says(many_bands):
    bands = ("vv", "ndvi", "incidence_angle")
    scaling = patches.fit_scaling(many_bands, bands=bands)
    data = patches.PatchDataset(many_bands, np.array([[8, 16]]), 16, scaling)
    x = data[0][0].numpy()
    assert x.shape == (5, 3, 16, 16)
    window = dict(y=slice(8, 24), x=slice(16, 32))
    decibel = 10 * np.log10(many_bands.vv.isel(window).values)
    angle = many_bands.incidence_angle.isel(window).values
    for number, expected in enumerate((decibel, many_bands.ndvi.isel(window).values, angle)):
        scaled = (expected - scaling.mean[number]) / scaling.std[number]
        np.testing.assert_allclose(
            x[:, number], np.broadcast_to(scaled, x[:, number].shape), atol=1e-4
        )


def test_a_layer_without_dates_is_no_data_by_itself(many_bands):
    for name in ("vv", "vh"):
        many_bands[name].values[:, :4] = np.nan
    values = patches.read_window(
        many_bands, ("vh", "vv", "incidence_angle"), (slice(0, 8), slice(0, 8))
    )
    empty = patches.without_data(values)
    assert empty[:4].all() and not empty[4:].any()


def test_bands_that_are_not_there_or_in_other_units_are_refused_by_name(many_bands):
    scaling = patches.fit_scaling(many_bands, bands=("vh", "vv", "ratio"))
    windows = patches.corners(many_bands.crop.shape, 16)
    with pytest.raises(
        cube.SeasonError, match=r"bands vh, vv, ratio; .* no 'ratio' \(it has vh, vv, ndvi"
    ):
        patches.PatchDataset(many_bands.drop_vars("ratio"), windows, 16, scaling)
    other = many_bands.assign(ratio=many_bands.ratio.assign_attrs(units="dB"))
    with pytest.raises(cube.SeasonError, match="'ratio' is in 'dB'; .* trained with '1'"):
        patches.PatchDataset(other, windows, 16, scaling)
    with pytest.raises(cube.SeasonError, match="no band 'b8'; it has vh, vv, ratio, ndvi"):
        patches.fit_scaling(many_bands, bands=("b8",))


def test_radiometric_variations_touch_the_bands_they_are_told(many_bands):
    bands = ("vh", "vv", "ndvi")
    values = patches.read_window(many_bands, bands, (slice(0, 16), slice(0, 16)))
    labels = many_bands.crop.values[:16, :16].astype(int)
    times = many_bands.time.values
    for vary in (
        partial(patches.add_speckle, bands=(0, 1)),
        partial(patches.jitter, times=times, bands=(0, 1)),
    ):
        varied, _ = vary(values, labels, np.random.default_rng(0))
        np.testing.assert_array_equal(varied[:, 2], values[:, 2])
        assert (varied[:, :2] != values[:, :2]).mean() > 0.5


def test_a_mask_of_another_shape_is_refused(season):
    windows, scaling = patches.corners(season.crop.shape, 16), patches.fit_scaling(season)
    with pytest.raises(ValueError, match=r"mask has the shape \(10, 10\); expected .* \(48, 64\)"):
        patches.PatchDataset(season, windows, 16, scaling, np.ones((10, 10), bool))
