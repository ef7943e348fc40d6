"""How early a crop is known: it is, once the date that tells it apart has come."""

import numpy as np
import pandas as pd
import pytest

from stma_nb import cube, experiment, predict, radar, train
from stma_nb.__main__ import main


@pytest.fixture
def late(season):
    """The small season, in which Maize and Sugar beet are alike until the fourth date of five."""
    crop = season.crop.values
    rng = np.random.default_rng(2)
    for date in range(5):
        level = 10 ** (np.array([-15, -20, -20 if date < 3 else -14])[crop] / 10)
        power = level * rng.gamma(20, 1 / 20, crop.shape)
        season.vh.values[date], season.vv.values[date] = power, 4 * power
    return season


def halves() -> tuple[np.ndarray, np.ndarray]:
    left = np.arange(64)[None] < np.full((48, 1), 32)
    return left, ~left


def test_accuracy_rises_when_the_separating_date_enters(late, capsys):
    table = experiment.accuracy_by_date(radar.boxcar(late, 3), *halves())
    assert table.index.name == "last date"
    np.testing.assert_array_equal(table.index, late.time)
    assert list(table) == [
        "overall accuracy",
        "overall accuracy, crops only",
        "Maize",
        "Sugar beet",
    ]
    assert (table["Sugar beet"].iloc[:3] < 0.7).all() and (table["Sugar beet"].iloc[3:] > 0.9).all()
    assert table["overall accuracy"].iloc[2] < 0.9 < table["overall accuracy"].iloc[3]
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 5 and said[3].startswith("up to 2018-07-01 (4 of 5): 9")


def test_early_scores_are_those_of_a_season_that_ends_there(late):
    learn, test = halves()
    table = experiment.accuracy_by_date(late, learn, test, progress=False)
    ends = late.isel(time=slice(2))
    mapped = predict.season_codes(train.fit_forest(ends, learn), ends)
    right = (mapped == late.crop.values)[test].mean()
    assert table["overall accuracy"].iloc[1] == pytest.approx(right)
    with pytest.raises(ValueError, match="The test part holds no pixel"):
        experiment.accuracy_by_date(late, learn, test & learn)


@pytest.mark.parametrize("method", ["forest", "boosting"])
def test_the_command_writes_table_and_figure(late, method, tmp_path, capsys):
    # A parcel of the small season reaches from top to bottom, and would be in all blocks.
    store = cube.save_season(late.drop_vars("parcel"), tmp_path / "season.zarr")
    words = ["early", str(store), "--block", "16", "--buffer", "1", "--window", "3"]
    words += ["--method", method, "--pixels", "800"]
    files = ["--output", str(tmp_path / "early.csv"), "--figure", str(tmp_path / "early.png")]
    assert main([*words, *files]) == 0
    table = pd.read_csv(tmp_path / "early.csv", index_col="last date")
    assert list(table.index) == [f"2018-0{month}-01" for month in range(4, 9)]
    assert table["Maize"].iloc[0] < 0.8 < table["Maize"].iloc[-1]
    assert (tmp_path / "early.png").read_bytes().startswith(b"\x89PNG")
    said = capsys.readouterr().out
    assert said.count("up to") == 5 and "early.csv and" in said
    assert main([*words, *files]) == 1
    assert "early.csv' exists and is left as it is" in capsys.readouterr().err


def test_without_files_the_table_is_printed(late, tmp_path, capsys):
    store = cube.save_season(late.drop_vars("parcel"), tmp_path / "season.zarr")
    assert main(["early", str(store), "--block", "16", "--buffer", "1", "--window", "3"]) == 0
    said = capsys.readouterr().out
    assert "Sugar beet" in said and "2018-08-01" in said
