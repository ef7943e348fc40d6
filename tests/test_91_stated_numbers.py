"""What the READMEs state about shipped weights and studies is what the files hold."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from stma_nb import course, cube, patches, train
from stma_nb.accuracy import resample

ROOT = Path(__file__).parent.parent


def test_shipped_weights_hold_their_stated_accuracy():
    trained = train.load(ROOT / "data" / "stma_sample.safetensors")
    season = cube.open_season(course.sample_season()).load()
    parts = patches.block_split(
        season.crop.shape,
        **course.SAMPLE_SPLIT,
        parcel=season.parcel.values,
        crop=season.crop.values,
    )
    test = parts == patches.TEST
    windows = patches.windows_of(parts, patches.TEST, 32)
    found = train.validate(
        trained.model, patches.PatchDataset(season, windows, 32, trained.scaling, test)
    )["accuracy"]
    stated = re.search(
        r"about (\d+) % of the pixels of their test\s+blocks",
        (ROOT / "data" / "README.md").read_text(encoding="utf-8"),
    )
    assert found == pytest.approx(int(stated[1]) / 100, abs=0.01)
    assert patches.fit_scaling(season, parts == patches.TRAIN).mean == pytest.approx(
        trained.scaling.mean, abs=1e-4
    )


def test_leakage_table_is_the_studys():
    study = pd.DataFrame(
        json.loads((ROOT / "data" / "leakage_study.json").read_text(encoding="utf-8"))
    )
    stma = (
        study[study["method"] == "STMA"]
        .groupby("split")[["own: overall accuracy", "untouched: overall accuracy"]]
        .mean()
    )
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    for start, split in (("| random patches", "random patches"), ("| blocks of fields", "blocks")):
        [line] = [line for line in lines if line.startswith(start)]
        stated = [float(number) for number in re.findall(r"0\.\d{3}", line)]
        assert stated == pytest.approx(stma.loc[split].tolist(), abs=6e-4)


def test_table_of_realism_is_what_was_measured():
    rows = json.loads((ROOT / "data" / "realism.json").read_text(encoding="utf-8"))
    text = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    for name, sides in rows.items():
        cells = (" / ".join(f"{value:.2f}" for value in values) for values in sides.values())
        assert f"| {name} | {' | '.join(cells)} |\n" in text, name


def test_intervals_cover_what_their_docstring_states():
    rows = json.loads((ROOT / "data" / "interval_coverage.json").read_text(encoding="utf-8"))
    study = pd.DataFrame(rows).set_index("method")
    text = " ".join(resample.__doc__.split())

    def stated(pattern: str) -> list[float]:
        return [int(number) / 100 for number in re.search(pattern, text).groups()]

    ours, theirs = study.loc["interval"], study.loc["percentile bootstrap"]
    hard = (ours["accuracy"] == 0.95) & (ours["correlation"] == 0.3)

    def ends(table: pd.DataFrame) -> list[float]:
        return [table["coverage"].min(), table["coverage"].max()]

    for found, pattern in (
        (ends(ours[ours["units"] >= 10]), r"in (\d+) to (\d+) of 100 trials with 10 to 80 units"),
        (ends(ours[(ours["units"] == 5) & ~hard]), r"in (\d+) to (\d+) with 5\."),
        (
            ours[hard].sort_values("units")["coverage"].iloc[[2, 1, 0]],
            r"reach only (\d+), 3 only (\d+) and 2 only (\d+)\.",
        ),
        (ends(theirs[theirs["units"] >= 10]), r"reach (\d+) to (\d+) with 10 to 80 units"),
        (ends(theirs[theirs["units"] == 5]), r"units, and (\d+) to (\d+) with 5\."),
        (
            [study.loc[f"interval, blocks of {n} range(s)", "coverage"] for n in (1, 2, 3, 4)],
            r"in (\d+) of 100 trials, of two in (\d+), of three in (\d+), of four in (\d+)\.",
        ),
    ):
        assert stated(pattern) == pytest.approx(list(found), abs=0.006)
