"""The crop chooser: a choice changes picture and sentence, and the sentence is true."""

import re

import numpy as np
import pytest

from stma_nb import figures


@pytest.fixture
def fields(season):
    """The stripes of the small season, each with a level of its own: parcels of a crop differ."""
    level = 10 ** (np.random.default_rng(1).normal(0, 0.05, 9))
    for band in ("vv", "vh"):
        season[band] = (
            (season[band] * level[season.parcel.values]).astype("float32").assign_attrs(units="1")
        )
    return season


def test_curves_are_parcel_means_in_linear_power(fields):
    curves = figures.parcel_curves(fields)
    assert curves.vh.shape == (8, 5)
    expected = 10 * np.log10(fields.vh.where(fields.parcel == 2).mean(("y", "x")))
    np.testing.assert_allclose(curves.vh.sel(parcel=2), expected, rtol=1e-5)
    mixed = fields.copy(deep=True)
    mixed["crop"][:20, 8:16] = 0  # 20 of the 48 rows of parcel 2 (maize) labelled background
    assert figures.parcel_curves(mixed.chunk(y=20)).crop.values[1] == "Maize", (
        "the label most of its pixels have"
    )
    assert list(curves.crop.values[:3]) == ["Background", "Maize", "Sugar beet"]


def test_choosing_another_crop_changes_picture_and_sentence(fields):
    chooser = figures.crop_chooser(fields, "Maize", "Sugar beet")
    first, second, picture = chooser.children
    assert first.description == "First crop" and second.description == "Second crop"
    before = picture.value
    second.value = "Background"
    assert picture.value != before
    with pytest.raises(ValueError, match="'Oats' has fewer than two parcels.*Maize"):
        figures.crop_chooser(fields, "Maize", "Oats")
    text = re.search('alt="([^"]*)"', picture.value).group(1)
    assert re.match(r"Maize and Background differ most on 01 (April|May) in VH", text), text
    second.value = "Maize"
    assert "compared with itself" in picture.value


def test_difference_is_in_standard_deviations_of_the_fields(fields):
    curves = figures.parcel_curves(fields)
    one, two = (curves.vh.values[curves.crop.values == name] for name in ("Maize", "Sugar beet"))
    expected = abs(one.mean(0) - two.mean(0)) / np.sqrt((one.var(0) + two.var(0)) / 2)
    np.testing.assert_allclose(
        figures.crop_difference(curves, "Maize", "Sugar beet").vh, expected, rtol=1e-4
    )
