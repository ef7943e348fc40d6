"""Stored studies as tables: paired by scene, with intervals, and whole without all scenes."""

import json

import numpy as np
import pandas as pd
import pytest

from stma_nb import studies


@pytest.fixture
def rows() -> pd.DataFrame:
    """Two methods on four scenes that differ in difficulty; a third one on one scene only."""
    ease = [0.5, 0.6, 0.7, 0.8]
    gains = [0.01, 0.02, 0.03, 0.02]
    table = [{"seed": s, "method": "base", "score": e} for s, e in enumerate(ease)]
    table += [
        {"seed": s, "method": "better", "score": e + g}
        for s, (e, g) in enumerate(zip(ease, gains, strict=True))
    ]
    return pd.DataFrame([*table, {"seed": 0, "method": "rare", "score": 0.4}])


def test_differences_are_paired_by_scene(rows):
    found = studies.differences(rows, "base", "score")
    better, rare = found.loc["better"], found.loc["rare"]
    # By hand: mean 0.02, standard deviation 0.0081650, t of 3 degrees of freedom 3.1824.
    half = 3.1824 * 0.0081650 / 2
    assert better["mean"] == pytest.approx(0.02) and better["scenes"] == 4
    assert better["high"] - better["mean"] == pytest.approx(half, rel=1e-3)
    assert rare["mean"] == pytest.approx(-0.1) and rare["scenes"] == 1 and np.isnan(rare["low"])
    assert list(studies.differences(rows, "base", "score", ["rare", "nobody"]).index) == ["rare"]
    assert studies.differences(rows, "nobody", "score").empty


def test_scores_keep_the_order_of_the_rows(rows):
    found = studies.scores(rows, "score")
    assert list(found.index) == ["base", "better", "rare"]
    assert found.loc["base", "mean"] == pytest.approx(0.65)
    assert found.loc["base", "low"] < 0.5, "the spread of the scenes is in it"


def test_a_difference_in_words(rows):
    found = studies.differences(rows, "base", "score")
    assert studies.told(found.loc["better"]) == "+2.0 (+0.7 to +3.3)"
    assert studies.told(found.loc["rare"]) == "-10.0 (one scene, no interval)"


def test_another_column_than_the_method_can_be_compared(rows):
    of_one = rows[rows["method"] != "rare"].rename(columns={"method": "split"})
    of_one["method"] = "STMA"
    found = studies.differences(of_one, "base", "score", by="split")
    assert list(found.index) == ["better"] and found.loc["better", "mean"] == pytest.approx(0.02)


def test_half_an_interval_in_words(rows):
    found = studies.differences(rows, "base", "score")
    assert studies.plus_minus(found.loc["better"]) == "+2.0 ± 1.3"
    assert studies.plus_minus(found.loc["better"], scale=1, digits=3) == "+0.020 ± 0.013"
    assert studies.plus_minus(found.loc["rare"]) == "-10.0 (one scene, no interval)"


def bounds(means, half, index) -> pd.DataFrame:
    """A table as from ``differences``, with the same half interval in every row."""
    means = np.array(means, float)
    return pd.DataFrame({"mean": means, "low": means - half, "high": means + half}, index)


def test_a_verdict_needs_an_interval_without_zero(rows):
    found = bounds([0.03, -0.04, 0.01, -0.01], 0.02, ["up", "down", "perhaps", "hardly"])
    assert studies.verdict(found, "STMA") == (
        "*better than STMA:* up (+3.0 ± 2.0). *worse than STMA:* down (-4.0 ± 2.0). "
        "*not told apart:* perhaps (+1.0 ± 2.0); hardly (-1.0 ± 2.0)"
    )
    of_one_scene = studies.differences(rows, "base", "score", ["rare"])
    said = studies.verdict(of_one_scene, "base")
    assert said.startswith("*better than base:* none. *worse than base:* none. ")
    assert said.endswith("*not told apart:* rare (-10.0 (one scene, no interval))")


@pytest.mark.parametrize(
    "means, end",
    [
        ([-0.02, -0.01, 0.03], "the sign turns between 20 and 80 km²"),
        ([0.02, -0.01, -0.03], "the sign turns between 5 and 20 km²"),
        ([0.01, 0.01, 0.03], "STMA is ahead everywhere"),
        ([-0.01, -0.01, -0.03], "STMA is behind everywhere"),
        ([-0.01, 0.01, -0.03], "the sign turns more than once"),
    ],
)
def test_where_the_sign_turns(means, end):
    said = studies.sign_turns(bounds(means, 0.05, [5.02, 20.07, 80.3]), "STMA", "km²")
    points, found = said.split("; ")
    assert found == end
    assert points.split(", ")[1] == f"{100 * means[1]:+.1f} ± 5.0 (20 km²)"


def test_studies_are_read_into_one_table(tmp_path):
    for name, row in (("rivals", {"split": "random patches"}), ("parts", {})):
        (tmp_path / f"{name}_study.json").write_text(json.dumps([{"study": name, **row}]))
    found = studies.stored("rivals", "parts", "land", folder=tmp_path)
    assert found["split"].tolist() == ["random patches", "blocks"]
    with pytest.raises(FileNotFoundError, match="None of these studies is stored: land"):
        studies.stored("land", folder=tmp_path)
