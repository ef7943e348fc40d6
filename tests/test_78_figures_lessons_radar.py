"""The figures of notebook 01 show the numbers that they are given, each on an axis of its own."""

import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import same_color
from scipy.integrate import trapezoid

from stma_nb import figures

TIME = np.array(["2018-03-02", "2018-03-14", "2018-03-26"], "datetime64[ns]")


def test_weather_has_an_axis_and_a_unit_for_each_quantity_and_marks_frost():
    weather = xr.Dataset(
        {"temperature": ("time", [-6.0, 4, 9]), "rain": ("time", [2.0, 7, 0])}, {"time": TIME}
    )
    figure = figures.shared_and_weather(TIME, np.array([-3.5, 1, 0]), weather)
    above, middle, below = figure.axes
    assert "(dB)" in above.get_ylabel() and "(°C)" in middle.get_ylabel()
    assert "(mm)" in below.get_ylabel()
    assert [bar.get_height() for bar in above.containers[0]] == [-3.5, 1, 0]
    assert middle.lines[0].get_ydata().tolist() == [-6, 4, 9]
    assert [bar.get_height() for bar in below.containers[0]] == [2, 7, 0]
    assert [text.get_text() for text in above.texts] == ["frost"]


def test_fields_are_counted_and_shown_in_decibels():
    power = np.array([0.1, 0.01, np.nan])  # a field of another crop is nan
    means = {"Maize": xr.Dataset({"vv": ("parcel", power), "vh": ("parcel", power / 10)})}
    figure = figures.vh_against_vv(means, {"Maize": "#d55e00"}, "June")
    [marks] = figure.axes[0].lines
    np.testing.assert_allclose(marks.get_xydata()[:2], [[-10, -20], [-20, -30]])
    assert same_color(marks.get_color(), "#d55e00")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["Maize (2)"]


def test_the_same_pixels_in_linear_power_and_in_decibels():
    figure = figures.power_and_db(np.array([0.1, 0.1, 0.01]))
    linear, decibels = figure.axes
    for axis in (linear, decibels):
        assert sum(bar.get_height() for bar in axis.patches) == 3
    low = [bar.get_x() for bar in decibels.patches if bar.get_height()]
    assert low == [-20, -10]


def test_the_gamma_density_has_the_looks_it_is_given():
    figure = figures.against_gamma(np.random.default_rng(0).gamma(3.4, 1 / 3.4, 1000), 3.4)
    curve = figure.axes[0].lines[0]
    power, density = curve.get_data()
    assert trapezoid(density, power) == pytest.approx(1, abs=0.02)
    assert power[density.argmax()] == pytest.approx((3.4 - 1) / 3.4, abs=0.02)  # the mode
    assert "Gamma with L = 3.4" in [text.get_text() for text in figure.axes[0].texts]


def test_pixels_and_fields_are_thin_and_their_mean_is_thick():
    pixels, mean = np.array([[-9.0, -14, -10], [-12, -8, -20]]), np.array([-10.0, -11, -13])
    *thin, thick = figures.pixels_and_mean(TIME, pixels, mean, "#56b4e9").axes[0].lines
    assert [line.get_ydata().tolist() for line in thin] == pixels.tolist()
    assert thick.get_ydata().tolist() == mean.tolist()
    assert thick.get_linewidth() > thin[0].get_linewidth()
    curves = xr.DataArray(pixels, dims=("parcel", "time"), coords={"time": TIME})
    *thin, thick = figures.fields_and_mean({"vv": curves}, "#56b4e9").axes[0].lines
    assert thick.get_ydata().tolist() == pixels.mean(0).tolist()
    assert same_color(thick.get_color(), "black")
