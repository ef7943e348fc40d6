"""Drawings of the radar are computed: lengths and angles are those of physics."""

import re

import numpy as np
import pytest
from matplotlib.colors import same_color
from matplotlib.text import Annotation

from stma_nb import course, cube, figures, radar
from stma_nb.figures.drawings import radar as drawings


def words(figure) -> str:
    return " ".join(
        text.get_text().replace("\n", " ") for axis in figure.axes for text in axis.texts
    )


def arrows(axis) -> list[Annotation]:
    return [text for text in axis.texts if isinstance(text, Annotation) and text.arrow_patch]


@pytest.fixture(scope="module")
def sample():
    return cube.open_season(course.sample_season()).load()


# ------------------------------------------------------------------------------ looking sideways


def test_rays_obey_the_triangle_of_satellite_place_and_centre_of_the_earth():
    angles = np.array([20.0, 31, 39, 46])
    slant, ground = drawings.slant_and_ground(angles)
    earth, top = drawings.EARTH, drawings.EARTH + drawings.HEIGHT
    cosine = np.cos(np.radians(angles))
    np.testing.assert_allclose(earth**2 + slant**2 + 2 * earth * slant * cosine, top**2)
    across, up = drawings.on_sphere(ground).T
    np.testing.assert_allclose(np.hypot(across, up - drawings.HEIGHT), slant)
    np.testing.assert_allclose(drawings.incidence_at(ground), angles, atol=1e-3)
    np.testing.assert_allclose(drawings.slant_to_ground(slant), ground, rtol=1e-5)


def test_the_drawing_of_the_geometry_tells_the_numbers_of_the_triangle():
    figure = drawings.imaging_geometry()
    told = words(figure)
    far = drawings.slant_and_ground(46)[1]
    near = drawings.incidence_at(far - 250)
    sides = [drawings.slant_and_ground(angle)[0] for angle in (near, 46)]
    for number in ("693 km", "29° to 46°", "250 km", f"{near:.0f}°", "46°", "5 m x 20 m"):
        assert number in told, number
    assert [f"{side:.0f}" for side in sides] == re.findall(r"(?:near|far) range (\d+) km", told)
    first, last = re.search(r"are (\d+) to (\d+) km of ground", told).groups()
    assert int(first) > int(last) > 25, "slant range is compressed, most at the near side"


def test_wave_fronts_are_drawn_as_far_apart_as_is_said():
    [cell] = [
        axis for axis in drawings.imaging_geometry().axes if axis.get_title() == "Range resolution"
    ]
    first, second = (line for line in cell.lines if same_color(line.get_color(), figures.VV))
    start, end = first.get_xydata()
    along = (end - start) / np.linalg.norm(end - start)
    across = np.array([-along[1], along[0]])
    apart = abs(across @ (second.get_xydata()[0] - start))
    assert apart == pytest.approx(drawings.CELL[1] * np.sin(np.radians(39)))
    assert f"{apart:.1f} m" in words(cell.figure)


# --------------------------------------------------------------------------------- three bounces


def test_soil_and_stem_send_the_ray_back_to_where_it_came_from():
    corners = drawings.double_bounce(0.5)
    legs = np.diff(corners, axis=0)
    legs /= np.linalg.norm(legs, axis=1, keepdims=True)
    np.testing.assert_allclose(legs[0], -legs[2], atol=1e-12)
    np.testing.assert_allclose(legs[0] * (1, -1), legs[1], atol=1e-12)  # as from a mirror
    assert np.degrees(np.arccos(-legs[0][1])) == pytest.approx(39)


def test_a_leaf_mirrors_the_ray_that_meets_it():
    before, at, after = np.array([-1.0, 2.0]), np.array([0.0, 0.5]), np.array([1.0, 0.9])
    tilt = np.radians(drawings.leaf_of(before, at, after))
    surface = np.array([np.cos(tilt), np.sin(tilt)])
    one, two = (
        (end - start) / np.hypot(*(end - start)) for start, end in [(before, at), (at, after)]
    )
    np.testing.assert_allclose(2 * (one @ surface) * surface - one, two, atol=1e-12)


def test_vh_comes_back_from_the_canopy_and_hardly_from_soil_or_wall():
    widths = {}
    for axis in drawings.three_bounces().axes:
        for name, colour in (("VV", figures.VV), ("VH", figures.VH)):
            [echo] = [a for a in arrows(axis) if same_color(a.arrow_patch.get_edgecolor(), colour)]
            widths[axis.get_title().partition(":")[0], name] = echo.arrow_patch.get_linewidth()
            tail, head = np.array(echo.get_position()), np.array(echo.xy)
            np.testing.assert_allclose((head - tail) / np.linalg.norm(head - tail), -drawings.RAY)
    assert widths["Volume", "VH"] > widths["Double", "VH"] > 0
    assert widths["Volume", "VH"] > widths["Surface", "VH"]
    assert widths["Double", "VV"] > widths["Surface", "VV"] > widths["Volume", "VV"]


# --------------------------------------------------------------------------------------- speckle


def test_arrows_add_up_and_the_squared_length_of_the_sum_is_the_power():
    figure = drawings.speckle_arrows(scatterers=12, pixels=500, seed=3)
    *panels, _ = figure.axes
    powers = []
    for axis in panels:
        *echoes, whole = arrows(axis)
        assert len(echoes) == 12
        steps = np.array([np.subtract(echo.xy, echo.get_position()) for echo in echoes])
        np.testing.assert_allclose(np.hypot(*steps.T), 1 / np.sqrt(12))
        np.testing.assert_allclose(steps.sum(0), whole.xy, atol=1e-12)
        powers.append(float(np.square(whole.xy).sum()))
        assert axis.get_title().endswith(f"power {powers[-1]:.2f}")
    assert powers == sorted(powers)
    assert len({axis.get_xlim() + axis.get_ylim() for axis in panels}) == 1, "one scale"


def test_power_of_speckle_is_exponential():
    power = np.abs(drawings.speckle_sums(12, 20_000, 0)[:, -1]) ** 2
    assert power.mean() == pytest.approx(1, abs=0.03)
    assert np.mean(power < np.log(2)) == pytest.approx(0.5, abs=0.02)


# ------------------------------------------------------------------------------ stages of a crop


def test_maize_grows_with_its_cover_above_the_mean_of_its_fields(sample):
    figure = drawings.maize_stages(sample, [5, 7, 9, 11, 14, 17])
    plants, curves = figure.axes
    told = [text.get_text().splitlines() for text in plants.texts]
    stages = [name for name, _ in told]
    assert stages == ["bare soil", "seedlings", "rows close", "in flower", "ripening", "stubble"]
    cover = [int(re.search(r"\d+", line)[0]) for _, line in told]
    assert cover[0] == cover[-1] == 0 and cover[:4] == sorted(cover[:4])
    heights = [drawings.maize_height(share / 100) for share in cover]
    assert heights[:4] == sorted(heights[:4]) and max(heights) == pytest.approx(2.4)
    code = [crop.name for crop in cube.legend(sample)].index("Maize")
    for line, band in zip(curves.lines, ("vv", "vh"), strict=False):
        power = sample[band].where(sample.crop == code).mean(("y", "x"))
        np.testing.assert_allclose(line.get_ydata(), radar.to_db(power.values), rtol=1e-5)


def test_a_radar_image_names_crops_where_they_grow(sample):
    figure = figures.radar_image(sample, 7, ["Rapeseed", "Maize", "Hops"])
    axis = figure.axes[0]
    names = {text.get_text(): text.get_position() for text in axis.texts}
    codes = {crop.name: code for code, crop in enumerate(cube.legend(sample))}
    for name in ("Rapeseed", "Maize"):
        east, north = names[name]
        row, column = int(448 - north * 100), int(east * 100)
        assert sample.crop.values[row, column] == codes[name]
    assert "Hops" not in names
    dots = axis.get_window_extent().width * 150 / figure.dpi / 448
    assert dots == pytest.approx(round(dots)), "each pixel is as large as the others"
