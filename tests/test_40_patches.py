"""Cutting covers the scene, a data set reads what was asked for, and stitching gives back what was
cut.
"""

import numpy as np
import pytest
import torch

from stma_nb import patches
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
        data.epoch = i
        x, y = data[i % 8]
        rise = x[3, 0] - x[0, 0]  # VH from April to July: crops grow, the background stays
        if (y == 0).any():
            assert rise[y > 0].mean() > rise[y == 0].mean() + 0.5
        turned += int((y[0] != y[0, 0]).sum() == 0)
    assert 0 < turned < 20
    plain = patches.PatchDataset(season, data.windows, 16, scaling)[0]
    seen = set()
    for data.epoch in range(60):
        seen.add(tuple(data[0][0].flatten()[:40].tolist()))
    wanted = {
        tuple(torch.rot90(x, k, (-2, -1)).flatten()[:40].tolist())
        for k in range(4)
        for x in (plain[0], plain[0].flip(-1))
    }
    assert seen == wanted, "all eight turns and mirrorings, and nothing else"


def test_a_list_of_variations_is_taken_as_it_is(season):
    windows, scaling = patches.corners(season.crop.shape, 16), patches.fit_scaling(season)
    given = [patches.add_speckle, patches.drop]
    assert patches.PatchDataset(season, windows, 16, scaling, augment=given).augment == tuple(given)
    assert patches.PatchDataset(season, windows, 16, scaling, augment=True).augment == (
        patches.turn,
    )
    assert patches.PatchDataset(season, windows, 16, scaling).augment == ()
