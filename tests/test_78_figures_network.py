"""The drawings of the network show what it computes, and their arrows meet their boxes."""

import matplotlib.patches as shapes
import numpy as np
import pytest
import torch

from stma_nb import course, cube, figures, train
from stma_nb.figures.drawings import network as drawings

SHOWN = (4, 6, 13)


@pytest.fixture(scope="module")
def trained():
    return train.load(course.sample_weights())


@pytest.fixture(scope="module")
def piece():
    season = cube.open_season(course.sample_season())
    return season.isel(y=slice(304, 336), x=slice(96, 128)).load()


@pytest.fixture(scope="module")
def maps(trained, piece):
    return figures.feature_maps(trained.model, trained.scaling, piece)


def test_feature_maps_are_those_that_the_network_computes(trained, maps):
    x = torch.from_numpy(maps["input"])[None]
    with torch.inference_mode():
        main, auxiliary = trained.model.eval()(x)
        levels = trained.model.trunk(x)
    assert np.allclose(maps["main"], main[0]) and np.allclose(maps["auxiliary"], auxiliary[0])
    for level, (channels, side) in enumerate(((2, 8), (4, 4), (8, 4)), start=1):
        assert np.allclose(maps[f"trunk {level}"], levels[level - 1][0])
        merged = (18 * channels, side, side)
        assert maps[f"LSAPE {level}"].shape == maps[f"STSA {level}"].shape == merged
        assert np.allclose(maps[f"pixels {level}"].sum(1), 1, atol=1e-5)
        assert np.allclose(maps[f"dates {level}"].sum(1), 1, atol=1e-5)
        assert maps[f"dates {level}"].shape == (18, 18)
    assert not trained.model.trunk._forward_hooks


def test_the_drawing_of_the_network_tells_sizes_and_shows_the_maps(maps, piece):
    figure = figures.network_with_maps(maps, piece, SHOWN)
    [axis] = figure.axes
    texts = [text.get_text() for text in axis.texts]
    sizes = dict(text.rsplit("\n", 1) for text in texts if "×" in text)
    for level, (channels, side) in enumerate(((2, 8), (4, 4), (8, 4)), start=1):
        assert sizes[f"trunk, level {level}"] == f"18 × {channels} × {side}²"
        assert sizes[f"STSA {level}"] == f"{18 * channels} × {side}²"
    assert sizes["decoder"] == "36 × 16²" and sizes["main"] == "16 × 32²"
    assert {"Maize", "Wheat", "Sugar beet", "13 May"} <= set(texts)
    drawn = [np.asarray(image.get_array()) for image in axis.images]
    for wanted in (maps["main"].argmax(0), piece.crop.values, maps["dates 3"]):
        assert any(image.shape == wanted.shape and (image == wanted).all() for image in drawn)
    # The same channel is followed from the trunk through LSAPE.
    channel = drawings._liveliest(maps["trunk 2"][SHOWN[1]])
    for wanted in (maps["trunk 2"][SHOWN[1], channel], maps["LSAPE 2"][4 * SHOWN[1] + channel]):
        assert any(image.shape == (4, 4) and (image == wanted).all() for image in drawn)


def edges(axis):
    """The sides of the boxes and tables of a drawing: (left, bottom, right, top)."""
    found = []
    for patch in axis.patches:
        if isinstance(patch, shapes.FancyBboxPatch | shapes.Rectangle):
            x, y = patch.get_x(), patch.get_y()
            found.append((x, y, x + patch.get_width(), y + patch.get_height()))
    return found


def meets(place, boxes, gap):
    x, y = place
    return any(
        (min(abs(x - left), abs(x - right)) <= gap and bottom - gap <= y <= top + gap)
        or (min(abs(y - bottom), abs(y - top)) <= gap and left - gap <= x <= right + gap)
        for left, bottom, right, top in boxes
    )


def inside_of(trained, maps):
    gated = torch.from_numpy(maps["LSAPE 1"])
    block = trained.model.stsa[0]
    return block, gated, figures.inside_stsa(block, gated)


@pytest.mark.parametrize("name", ["network", "fusion"])
def test_arrows_end_at_boxes_and_all_lies_inside_the_picture(name, trained, maps, piece):
    if name == "network":
        figure, gap = figures.network_with_maps(maps, piece, SHOWN), 1e-6
    else:
        _, gated, inside = inside_of(trained, maps)
        figure, gap = figures.double_fusion(inside, gated, 18, 36, 16), 0.21  # letters between
    [axis] = figure.axes
    boxes = edges(axis)
    heads = [p for p in axis.patches if isinstance(p, shapes.FancyArrowPatch)]
    assert len(heads) >= 8
    for head in heads:
        assert meets(head._posA_posB[1], boxes, gap), head._posA_posB
    figure.draw_without_rendering()
    for text in axis.texts:
        frame = text.get_window_extent()
        assert figure.bbox.x0 <= frame.x0 and frame.x1 <= figure.bbox.x1, text.get_text()
        assert figure.bbox.y0 <= frame.y0 and frame.y1 <= figure.bbox.y1, text.get_text()
        assert text.get_fontsize() >= 9


def test_the_inside_of_stsa_adds_up_to_what_the_block_gives(trained, maps):
    block, gated, inside = inside_of(trained, maps)
    with torch.inference_mode():
        level, _, _ = block(gated[None])
    assert torch.allclose(inside["out"].T.reshape(gated.shape), level[0], atol=1e-6)
    assert torch.allclose(block.norm(inside["mlp"] + inside["mixed"]), inside["out"], atol=1e-6)


def test_the_small_network_reads_a_row_and_the_skip_mix_a_column(trained, maps):
    """What the frames of the drawing say: no other row, no other column matters."""
    block, _, inside = inside_of(trained, maps)
    spatial, temporal = inside["spatial"].clone(), inside["temporal"].clone()
    pixel, feature = 36, 16
    others = torch.arange(64) != pixel
    spatial[others] = 0
    with torch.inference_mode():
        small = block.mlp(block.norm_both(torch.cat([spatial, temporal], dim=-1)))
    assert torch.allclose(small[pixel], inside["mlp"][pixel], atol=1e-6)
    terms = figures.skip_mix_terms(block, inside, pixel, feature)
    total = terms["spatial products"].sum() + terms["temporal products"].sum() + terms["bias"]
    assert np.isclose(total, inside["mixed"][pixel, feature], atol=1e-5)
    mixed = inside["mixed"][:, feature].numpy()
    texts = [text.get_text() for text in figures.skip_mix(terms, mixed, pixel).axes[0].texts]
    assert f"framed pixel\n{mixed[pixel]:+.2f}".replace("-", "−") in texts


def test_a_pixel_of_a_level_sees_what_moves_it(trained):
    torch.manual_seed(0)
    x = torch.randn(1, 18, 2, 64, 64)
    shares = figures.seen_by_a_pixel(trained.model, x)
    with torch.inference_mode():
        before = trained.model.trunk(x)
    for level, share in enumerate(shares):
        assert share.shape == (64, 64) and np.isclose(share.sum(), 1, atol=1e-5)
        row, column = np.unravel_index(share.argmax(), share.shape)
        moved = x.clone()
        moved[..., row, column] += 0.5
        with torch.inference_mode():
            after = trained.model.trunk(moved)[level]
        side = after.shape[-1] // 2
        assert (after - before[level])[..., side, side].abs().sum() > 0
    # Level 1: 7 + 4 pixels of the stem, and four convolutions at a quarter of the size.
    rows = np.flatnonzero(shares[0].any(1))
    assert rows[-1] - rows[0] + 1 <= 43
    most = np.sort(shares[0][figures.most_influence(shares[0])])
    assert most.sum() >= 0.9 > most[1:].sum() and most[0] >= np.sort(shares[0], None)[-len(most)]


def test_the_panels_of_what_a_pixel_sees_frame_the_pixel(trained):
    falling = np.diag(np.arange(1, 33)) / 528
    shares = [np.full((32, 32), 1 / 1024), falling, falling]
    figure = figures.pixel_sees(shares, (8, 4, 4))
    frames = [axis.patches[0] for axis in figure.axes[:3]]
    assert [frame.get_width() for frame in frames] == [4, 8, 8]
    assert frames[0].get_xy() == (15.5, 15.5) and frames[1].get_xy() == (15.5, 15.5)
    assert "90 % from 23 input pixels" in figure.axes[1].get_title()
