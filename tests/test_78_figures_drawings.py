"""The drawings of attention, convolution and training have the lengths, widths and directions of
their numbers.
"""

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
import xarray as xr
from matplotlib.colors import to_hex
from matplotlib.image import AxesImage

from stma_nb import cube, figures
from stma_nb.model import LSAPE

RNG = np.random.default_rng(0)
TOKENS = RNG.normal(size=(6, 2))
DAYS = [f"0{month}-01" for month in range(3, 9)]


def arrows(axis) -> list:
    return [text for text in axis.texts if getattr(text, "arrow_patch", None)]


def words(axis) -> list[str]:
    return [text.get_text() for text in axis.texts if text.get_text()]


def softmax(scores: np.ndarray) -> np.ndarray:
    return np.exp(scores) / np.exp(scores).sum()


# ----------------------------------------------------------------------------------- attention


def test_tokens_are_arrows_and_the_coloured_half_has_scores_above_zero():
    [axis] = figures.token_arrows(TOKENS, DAYS, asks=2).axes
    np.testing.assert_allclose([arrow.xy for arrow in arrows(axis)], TOKENS)
    assert all(arrow.xyann == (0, 0) for arrow in arrows(axis))
    thick = [arrow.arrow_patch.get_linewidth() for arrow in arrows(axis)]
    assert np.argmax(thick) == 2
    half = axis.patches[0].get_path()
    inside = [half.contains_point(token) for token in TOKENS]
    assert inside == list(TOKENS @ TOKENS[2] > 0) and DAYS[2] in words(axis)


def test_values_are_as_wide_as_their_weights_and_their_blend_is_the_weighted_mean():
    q, k, v = -TOKENS, TOKENS * [1, 0.5], TOKENS[:, ::-1]
    figure = figures.query_key_value(TOKENS, q, k, v, DAYS, 2, ("one", "two"))
    left, middle, right = figure.axes
    weights = softmax(k @ q[2] / 2**0.5)
    *values, blend = arrows(right)
    np.testing.assert_allclose([arrow.xy for arrow in values], v)
    widths = np.array([arrow.arrow_patch.get_linewidth() for arrow in values])
    wide = 14 * weights > 0.4
    np.testing.assert_allclose(widths[wide], 14 * weights[wide])
    np.testing.assert_allclose(blend.xy, weights @ v)
    np.testing.assert_allclose([arrow.xy for arrow in arrows(middle)], [*k, q[2]])
    np.testing.assert_allclose([arrow.xy for arrow in arrows(left)], TOKENS)
    assert (right.get_xlabel(), right.get_ylabel()) == ("one", "two")


def test_one_date_asks_with_lines_as_wide_as_weights_and_arrows_that_add_up():
    weights = softmax(TOKENS @ TOKENS[1])
    left, right = figures.one_date_asks(TOKENS, weights, DAYS, 1).axes
    lines = [line for line in left.lines if len(line.get_xdata()) == 2]
    widths = [line.get_linewidth() for line in lines]
    np.testing.assert_allclose(widths, np.maximum(0.4, 14 * weights))
    assert [line.get_xdata()[1] for line in lines] == list(range(6))
    tips = np.array([arrow.xyann for arrow in arrows(left)])
    np.testing.assert_allclose(tips / TOKENS, tips[0, 0] / TOKENS[0, 0])
    blend, *steps = arrows(right)
    np.testing.assert_allclose(blend.xy, weights @ TOKENS)
    for arrow in steps:
        length = np.subtract(arrow.xy, arrow.xyann)
        assert np.isclose(length, weights[:, None] * TOKENS).all(1).any()
    named = {word for word in words(left) if word.isdigit()}
    assert named == {f"{100 * weight:.0f}" for weight in weights if weight >= 0.03}


def test_a_gated_map_of_ones_is_what_the_network_makes_of_it():
    torch.manual_seed(0)
    gate = LSAPE(1)
    kernel, bias = gate.conv.weight[0, 0].detach(), gate.conv.bias.item()
    left, middle, right, _bar = figures.gated_places(kernel, bias).axes
    expected = gate(torch.ones(1, 1, 8, 8))[0, 0].detach().numpy()
    np.testing.assert_allclose(right.images[0].get_array(), expected, rtol=1e-5)
    plainest = max(
        ((0, 4), (4, 0), (7, 4), (4, 7)), key=lambda p: abs(expected[p] - expected[5, 4])
    )
    told = {f"{expected[place]:.2f}" for place in ((0, 0), plainest, (5, 4))}
    assert set(words(right)) == told and len(words(left)) == 9
    assert middle.images[0].get_array().sum() == 64 and words(middle).count("0") == 36


def test_a_gated_map_is_the_product_of_map_and_gate():
    f, gate = RNG.random((8, 8)), RNG.random((8, 8))
    axes = [axis for axis in figures.gated_map(f, gate).axes if axis.images]
    shown = [axis.images[0].get_array() for axis in axes]
    for found, expected in zip(shown, (f, gate, f * gate), strict=True):
        np.testing.assert_allclose(found, expected)
    assert axes[0].images[0].get_clim() == axes[2].images[0].get_clim()


def test_a_map_of_dates_tells_its_large_weights_as_numbers():
    weights = np.array([softmax(row) for row in TOKENS @ TOKENS.T])
    figure = figures.date_map(weights, DAYS, "itself", block=(DAYS[1], DAYS[2]))
    (frame,) = figure.axes[0].patches
    assert (frame.get_xy(), frame.get_width(), frame.get_height()) == ((0.5, 0.5), 2, 2)
    axis = figure.axes[0]
    np.testing.assert_allclose(axis.images[0].get_array(), 100 * weights)
    assert sorted(words(axis)) == sorted(f"{100 * w:.0f}" for w in weights.ravel() if w >= 0.1)


def test_weights_received_have_the_colours_of_the_crops():
    known = cube.BRANDENBURG
    names = ("Maize", "Wheat")
    [axis] = figures.weight_received({n: RNG.random(6) for n in names}, DAYS, known).axes
    colours = {crop.name: figures.ink(crop) for crop in known}
    assert [line.get_color() for line in axis.lines[:2]] == [colours[name] for name in names]
    assert axis.lines[2].get_ydata()[0] == pytest.approx(100 / 6)


def test_a_season_in_two_bands_has_the_bands_colours_and_its_marks():
    time = np.datetime64("2018-03-02", "ns") + 12 * np.arange(6) * np.timedelta64(1, "D")
    curve = xr.Dataset({b: ("time", RNG.normal(-15, 3, 6)) for b in ("vv", "vh")}, {"time": time})
    [axis] = figures.season_in_two_bands(curve, marks=(0, 3)).axes
    looks = (("vv", figures.VV), ("vh", figures.VH))
    for line, (band, colour) in zip(axis.lines[:2], looks, strict=True):
        np.testing.assert_allclose(line.get_ydata(), curve[band])
        assert line.get_color() == colour
    assert {"2 Mar", "7 Apr", " VV", " VH"} <= set(words(axis))


# -------------------------------------------------------------------------------------- pixels


@pytest.fixture
def patch():
    """Two small fields of maize beside a large one of wheat, sixteen pixels on a side."""
    codes = [crop.name for crop in cube.BRANDENBURG]
    parcel = np.full((16, 16), 5)
    parcel[:8, :6], parcel[8:, :6] = 1, 2
    crop = np.where(parcel == 5, codes.index("Wheat"), codes.index("Maize")).astype("uint8")
    layers = {"crop": (("y", "x"), crop), "parcel": (("y", "x"), parcel)}
    found = xr.Dataset(layers)
    found.crop.attrs = cube.flags(cube.BRANDENBURG)
    return found


def test_images_of_a_patch_have_one_line_a_border_and_the_names_of_crops(patch):
    images = [RNG.random((16, 16)), RNG.random((16, 16))]
    figure = figures.patch_images(images, ["a", "b"], patch, "VH (dB)", marks=[(2, 3)])
    first, second, bar = figure.axes
    segments = first.collections[0].get_segments()
    assert len(segments) == 6 + 16 == len({str(line.tolist()) for line in segments})
    assert sorted(words(first)) == ["Wheat"] and words(second) == []
    assert bar.get_ylabel() == "VH (dB)"
    assert first.lines[0].get_xydata().tolist() == [[3, 2]]


def test_sharpness_tells_the_share_of_the_own_field_and_draws_the_errors(patch):
    looks = {0.5: np.ones((16, 16)), 4.0: np.where(patch.parcel == 1, 4.0, 0.0)}
    errors = pd.DataFrame({"inside": [2.0, 1, 3], "at edges": [2.0, 2, 4]}, index=[0.5, 1, 4])
    rival = {"inside": 1.5, "at edges": 1.7}
    figure = figures.sharpness_varied(looks, patch, (1, 1), errors, rival)
    titles = [axis.get_title() for axis in figure.axes[:2]]
    assert titles == ["sharpness 0.5\n19 % on its field", "sharpness 4\n100 % on its field"]
    lines = {line.get_label(): line.get_ydata() for line in figure.axes[2].lines}
    assert list(lines["attention, inside"]) == [2, 1, 3]
    assert lines["boxcar, at edges"][0] == 1.7


def test_the_price_of_pairs_is_told_at_every_side():
    table = pd.DataFrame({"patch": [64, 128], "level": 1, "weights, 4 heads (MB)": [1.05, 16.8]})
    [axis] = figures.price_of_pairs(table).axes
    assert set(words(axis)) == {"level 1", "1", "17"}
    assert axis.get_yscale() == "log"


# -------------------------------------------------------------------------- convolution, training


def test_a_convolution_is_pytorchs():
    image, kernel = torch.rand(7, 9), torch.rand(3, 3)
    left, middle, right, _bar = figures.convolution(image, {"any": kernel}, at=(3, 4)).axes
    expected = F.conv2d(image[None, None], kernel[None, None])[0, 0].numpy()
    shown = right.images[0].get_array()
    np.testing.assert_allclose(shown[1:-1, 1:-1], expected, rtol=1e-5)
    assert np.ma.getmaskarray(np.ma.masked_invalid(shown))[0].all()
    assert right.get_title() == f"output; in the frame {expected[2, 3]:.1f} dB"
    assert words(middle) == [f"{weight:.3g}" for weight in kernel.double().ravel().tolist()]
    assert len(words(left)) == 9


def test_the_tangent_has_the_slope_and_the_step_ends_on_the_curve():
    weights = np.linspace(-2, 2, 81)
    [axis] = figures.slope_of_loss(weights, weights**2, (1.0, 1.0), 2.0, 0.5).axes
    _curve, tangent, here, after = axis.lines
    (x0, x1), (y0, y1) = tangent.get_data()
    assert (y1 - y0) / (x1 - x0) == pytest.approx(2)
    assert here.get_xydata().tolist() == [[1, 1]]
    assert after.get_xydata()[0] == pytest.approx([0.5, 0.25])


def test_areas_of_classes_have_the_crops_colours_and_all_points():
    crops = [crop for crop in cube.BRANDENBURG if crop.name in ("Maize", "Wheat")]
    x, y = RNG.normal(size=(20, 2)), np.arange(20) % 2
    losses = {"training": [1.0, 0.5, 0.1], "validation": [1.0, 0.7, 0.9]}
    sides = ("left", "up")
    panels = {"all maize": lambda at: np.zeros(len(at)), "half": lambda at: at[:, 0] > 0}
    figure = figures.class_areas(panels, x, y, crops, sides, losses=losses, marks={1: "best"})
    curves, one, half = figure.axes
    assert {"training", "validation", " best"} <= set(words(curves))
    for axis in (one, half):
        for code, line in enumerate(axis.lines):
            np.testing.assert_allclose(line.get_xydata(), x[y == code])
            assert line.get_color() == figures.ink(crops[code])
    assert to_hex(one.collections[0].get_facecolor()[0]) == crops[0].colour


def test_images_of_a_tensor_stand_under_their_places():
    x = torch.rand(3, 2, 4, 5)
    figure = figures.tensor_of_images(x, ["03-02", "05-25", "07-12"], ("VH", "VV"))
    shown = {axis.get_title(): axis.images[0] for axis in figure.axes}
    for date in range(3):
        for channel in range(2):
            image: AxesImage = shown[f"x[{date}, {channel}]"]
            np.testing.assert_allclose(image.get_array(), x[date, channel])


def test_names_of_losses_that_end_alike_stand_apart():
    [axis] = figures.loss_by_step({"one": [1, 0.3], "two": [1, 0.3], "three": [1, 0.31]}).axes
    heights = sorted(text.get_position()[1] for text in axis.texts)
    assert min(np.diff(heights)) >= 0.069 and heights[0] == 0.3
