"""The pictures that move, in Python: what the browser is told, the sentences, and bad input."""

import re

import numpy as np
import pytest
import traitlets
import xarray as xr
from conftest import CROPS

from stma_nb import cube, figures, radar, simulate
from stma_nb.figures.bench import edge_width


@pytest.fixture
def fields(season):
    """The stripes of the small season, each with a level of its own: parcels of a crop differ."""
    level = 10 ** (np.random.default_rng(1).normal(0, 0.05, 9))
    for band in ("vv", "vh"):
        season[band] = (
            (season[band] * level[season.parcel.values]).astype("float32").assign_attrs(units="1")
        )
    return season


# --------------------------------------------------------------------------------- the crop chooser


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


def test_a_parcel_whose_class_nobody_knows_is_of_no_crop(fields):
    fields["crop"][:, 8:16] = cube.UNKNOWN
    curves = figures.parcel_curves(fields)
    assert list(curves.crop.values[:3]) == ["Background", "unknown", "Sugar beet"]
    names = [crop["name"] for crop in figures.crop_chooser(fields, "Maize", "Maize").facts["crops"]]
    assert names == ["Background", "Maize", "Sugar beet"]


def test_choosing_another_crop_changes_picture_and_sentence(fields):
    chooser = figures.crop_chooser(fields, "Maize", "Sugar beet")
    data, _ = chooser._repr_mimebundle_()
    assert data["text/plain"] == chooser.describe() and "widget-view" in str(data)
    chooser.second = "Background"
    assert re.match("Maize and Background differ most on 1 (Apr|May) in VH", chooser.describe())
    assert chooser._repr_mimebundle_()[0]["text/html"] != data["text/html"]
    chooser.second = "Maize"
    assert "compared with itself" in chooser.describe()
    with pytest.raises(ValueError, match=r"'Oats' has fewer than two parcels.*Maize"):
        figures.crop_chooser(fields, "Maize", "Oats")
    with pytest.raises(traitlets.TraitError, match="first is 'Oats': choose one of 'Background'"):
        chooser.first = "Oats"


def test_difference_is_in_standard_deviations_of_the_fields(fields):
    curves = figures.parcel_curves(fields)
    one, two = (curves.vh.values[curves.crop.values == name] for name in ("Maize", "Sugar beet"))
    expected = abs(one.mean(0) - two.mean(0)) / np.sqrt((one.var(0) + two.var(0)) / 2)
    np.testing.assert_allclose(
        figures.crop_difference(curves, "Maize", "Sugar beet").vh, expected, rtol=1e-4
    )


# -------------------------------------------------------------------------------- the season player


def test_the_player_tells_the_field_as_its_mean_and_the_pixel_within_a_tenth_of_a_db(fields):
    player = figures.season_player(fields, pixel=(10, 12), date=2)
    mean = radar.to_db(fields.vh.where(fields.parcel == 2).mean(("y", "x"), keep_attrs=True))
    np.testing.assert_allclose(player.course()[1], mean, rtol=1e-5)
    said = f"1 Jun: field 2, Maize (384 pixels): VV {player.course()[0, 2]:.1f} dB, "
    assert player.describe().startswith(said.replace("-", "−"))
    player.per = "pixel"
    exact = radar.to_db(xr.concat([fields.vv[:, 10, 12], fields.vh[:, 10, 12]], "band"))
    np.testing.assert_allclose(player.course(), exact, atol=0.1)
    assert player.describe().startswith("1 Jun: pixel row 10, column 12, in field 2, Maize: VV −")


def test_the_player_of_a_season_with_gaps_and_without_fields(season):
    season["vh"][1, :4] = np.nan
    player = figures.season_player(season.drop_vars(["crop", "parcel"]), pixel=(2, 3), date=1)
    assert re.match(
        r"1 May: pixel row 2, column 3, in no field: VV −[\d.]+ dB, VH no data\.", player.describe()
    )
    assert np.isnan(player.course()[1, 1]) and np.isfinite(player.course()[0]).all()
    assert "<img" in player._repr_mimebundle_()[0]["text/html"]


def test_what_the_player_cannot_show_is_said(season):
    with pytest.raises(cube.SeasonError, match="no VV; the player shows VV and VH"):
        figures.season_player(season.drop_vars("vv"))
    with pytest.raises(cube.SeasonError, match="holds no data"):
        figures.season_player(season.assign(vh=season.vh * np.nan))
    large = xr.concat([season] * 700, "time", data_vars="minimal")
    with pytest.raises(ValueError, match=r"20\.5 MiB.*cut 24 x 24 pixels or fewer, season\.isel"):
        figures.season_player(large)
    figures.season_player(large.isel(y=slice(0, 24), x=slice(0, 24)))
    player = figures.season_player(season)
    for name, value, words in (
        ("pixel", (48, 0), "outside the scene: rows 0 to 47, columns 0 to 63"),
        ("date", 5, "date is 5: choose one of 0, 1, 2, 3, 4"),
        ("layer", "hh", "layer is 'hh': choose one of 'vv', 'vh', 'ratio', 'colour'"),
    ):
        with pytest.raises(traitlets.TraitError, match=re.escape(words)):
            setattr(player, name, value)


def test_dates_tell_their_year_where_there_are_several(season):
    season["time"] = season.time + np.timedelta64(150, "D")
    assert figures.season_player(season, date=4).describe().startswith("29 Dec: ")
    season["time"] = season.time + np.timedelta64(50, "D")
    assert figures.season_player(season, date=4).describe().startswith("17 Feb 2019: ")


# -------------------------------------------------------------------------------- the speckle bench


def test_width_of_an_edge():
    step = np.r_[np.zeros(20), np.ones(20)]
    assert edge_width(step) == pytest.approx(0.8), "between two pixels"
    ramp = np.clip((np.arange(40) - 14.5) / 10, 0, 1)
    assert edge_width(ramp) == pytest.approx(8)
    halfway = np.r_[np.zeros(8), np.full(24, 0.5), np.ones(8)]
    assert edge_width(halfway) == pytest.approx(24.6), "a level in between belongs to the edge"


def test_the_bench_measures_what_filters_gain_and_cost():
    bench = figures.speckle_bench(seed=3)
    found = {}
    for bench.filter in ("none", "boxcar", "lee", "decibels"):
        found[bench.filter] = bench.measures(*bench.images())
    enl = {name: measures["enl"] for name, measures in found.items()}
    assert enl["none"] == pytest.approx(4.4, rel=0.1)
    assert enl["boxcar"] == pytest.approx(radar.boxcar_enl(7), rel=0.2)
    assert enl["none"] < enl["lee"] < enl["boxcar"]
    assert found["boxcar"]["edge"] > found["lee"]["edge"] > found["none"]["edge"]
    assert found["none"]["edge"] == pytest.approx(found["none"]["least"], abs=0.4)
    assert abs(found["boxcar"]["bias"]) < 0.1
    assert found["decibels"]["bias"] == pytest.approx(radar.db_bias(), abs=0.15)
    assert found["boxcar"]["point"] < -8 and abs(found["lee"]["point"]) < 1
    bench.filter, bench.correlated = "boxcar", False
    independent = bench.measures(*bench.images())["enl"]
    assert independent == pytest.approx(49 * 4.4, rel=0.25), "each pixel has speckle of its own"
    assert bench.describe().startswith("Boxcar, 7 × 7 pixels: ENL from ")


def test_what_the_bench_cannot_do_is_said():
    with pytest.raises(ValueError, match="contrast is 0 dB; expected 1 to 20"):
        figures.speckle_bench(0)
    for name, value in (("window", 4), ("filter", "median"), ("looks", 0.5)):
        with pytest.raises(traitlets.TraitError, match=str(value)):
            figures.speckle_bench(**{name: value})


# --------------------------------------------------------------------- the sharpness of attention


def test_sharpness_from_an_even_look_to_a_single_one():
    view = figures.attention_temperature([2, 0, -1, 0], [1, 2, 3, 4], "height", things="trees")
    np.testing.assert_allclose(view.weights(), np.exp([2, 0, -1, 0]) / np.exp([2, 0, -1, 0]).sum())
    view.sharpness = 0
    assert view.spread() == pytest.approx(4) and view.answer() == pytest.approx(2.5)
    assert view.describe() == (
        "Sharpness 0: the weights spread as over 4.0 of 4 trees; the largest is 25 %. "
        "Answer, the weighted mean of height: 2.5."
    )
    view.sharpness = 32
    assert view.spread() == pytest.approx(1) and view.answer() == pytest.approx(1)


def test_who_asks_and_whose_weight_it_is():
    scores = np.array([[1, 0, 0], [0, 5, 0], [0, 0, 1]])
    view = figures.attention_temperature(scores, [1, 2, 3], "level", ["a", "b", "c"], asks=1)
    assert view.describe().startswith("b asks. Sharpness 1: ") and "99 % (b)" in view.describe()
    view = figures.attention_temperature(
        scores[0], [1, 2, 3], "level", own=[True, False, True], truth=2.5
    )
    own = 100 * view.weights()[[0, 2]].sum()
    assert f"{own:.0f} % fall on its own field." in view.describe()
    assert view.describe().endswith(f"{view.answer():.3g}, the truth is 2.5.")


@pytest.mark.parametrize(
    "scores, values, more, words",
    [
        ([1, 2, 3], [1, 2], {}, r"shape \(3,\), values \(2,\), names 0"),
        ([[1, 2], [3, 4], [5, 6]], [1, 2], {}, r"expected scores \(N,\) or \(N, N\)"),
        ([1, 2], [1, 2], {"names": ["a"]}, "names 1"),
        ([1, -np.inf], [1, 2], {}, "not all finite: leave out what is masked"),
        ([1, 2], [1, 2], {"own": [True]}, r"'own' has the shape \(1,\); expected \(2,\)"),
    ],
)
def test_scores_and_values_that_do_not_fit_are_said(scores, values, more, words):
    with pytest.raises(ValueError, match=words):
        figures.attention_temperature(scores, values, "level", **more)


# --------------------------------------------------------------------------------------- every page


def test_a_saved_page_asks_nothing_from_outside_and_is_not_overwritten(fields, tmp_path):
    view = figures.crop_chooser(fields, "Maize", "Sugar beet")
    text = view.save_html(tmp_path / "sub" / "view.html").read_text("utf-8")
    assert not re.findall(r"https?://", text) and "default-src 'none'" in text
    assert view.describe() in text, "for those without scripts"
    with pytest.raises(FileExistsError, match="exists and is left as it is"):
        view.save_html(tmp_path / "sub" / "view.html")


def test_the_shares_of_the_bench_are_those_of_the_simulated_instrument():
    down, across = figures.speckle_bench().facts["shares"]
    image = simulate.speckle((256, 256), rng=np.random.default_rng(0))
    for share, pairs in ((across, (image[:, 1:], image[:, :-1])), (down, (image[1:], image[:-1]))):
        assert np.corrcoef(*map(np.ravel, pairs))[0, 1] == pytest.approx(
            np.sinc(share) ** 2, abs=0.03
        )


def test_classes_of_the_small_season_have_their_colours(fields):
    player = figures.season_player(fields)
    told = [(crop["name"], crop["colour"]) for crop in player.facts["classes"]]
    assert told == [*((crop.name, crop.colour) for crop in CROPS), ("unknown", "#ffffff")]
    assert [parcel["crop"] for parcel in player.facts["parcels"]] == [0, 1, 2, 0, 1, 2, 0, 1]
