"""What the READMEs state about shipped weights and studies is what the files hold.

Sentences and lines that quote a study are made here from its stored rows. Where one does not stand
in the text, the test fails with the sentence that belongs there.
"""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stma_nb import course, cube, patches, predict, radar, studies, train
from stma_nb.accuracy import resample
from stma_nb.model import STMA

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


# ---------------------------------------------------------------------------------- the READMEs


def said(row) -> str:
    """A difference with its interval, in points, as the README writes it."""
    mean, low, high = (f"{100 * row[name]:+.1f}" for name in ("mean", "low", "high"))
    return mean if np.isnan(row["low"]) else f"{mean} ({low} to {high})"


def readme_lines() -> list[str]:
    """What README.md is to say about the studies, line by line."""
    rows = whole_scenes(studies.stored("rivals"))
    blocks = rows[rows["split"] == "blocks"]
    crops, f1 = "next door: crops only", "next door: F1"
    lines = [f"mean over {blocks['seed'].nunique()} simulated scene(s)"]
    for split in rows["split"].unique()[::-1]:  # the kindest rule first
        cells = []
        for method in ("forest, Quegan-Yu", "STMA"):
            mine = rows[(rows["split"] == split) & (rows["method"] == method)]
            own, there = mine["own rule: crops only"], mine[crops]
            cells += [f"{own.mean():.3f}", f"{there.mean():.3f}"]
            cells.append(said(studies.over_scenes(own - there)))
        lines.append(f"| {split} | " + " | ".join(cells) + " |")
    lines += beside_stma(blocks, ["forest, Quegan-Yu", "TempCNN", "U-Net"], (crops, f1))
    parts = pd.concat([blocks, whole_scenes(studies.stored("parts"))])
    lines += beside_stma(parts, ["STMA, no attention", "STMA with detail"], (crops, f1))
    land = whole_scenes(studies.stored("land"))
    for times, mine in land.groupby("land"):
        found = studies.differences(mine, "STMA", crops, ["forest, Quegan-Yu", "U-Net"])
        cells = [f"{mine[mine['method'] == 'STMA'][crops].mean():.3f}"]
        cells += [said(found.loc[method]) for method in found.index]
        lines.append(f"| x {times:g} | {found['scenes'].iloc[0]:.0f} | " + " | ".join(cells) + " |")
    return lines


def whole_scenes(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of scenes on which every job of the study is done."""
    jobs = rows.groupby("seed").size()
    return rows[rows["seed"].map(jobs) == jobs.max()]


def beside_stma(rows, methods: list[str], scores: tuple[str, ...]) -> list[str]:
    """Lines of the table of methods minus STMA; those that are not stored yet are left out."""
    tables = [studies.differences(rows, "STMA", score, methods) for score in scores]
    return [
        f"| {method} | {tables[0].loc[method, 'scenes']:.0f} | "
        + " | ".join(said(table.loc[method]) for table in tables)
        + " |"
        for method in tables[0].index
    ]


def test_the_readme_quotes_the_stored_studies():
    text = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    wanted = readme_lines()
    missing = [line for line in wanted if not any(line in written for written in text)]
    assert not missing, "README.md is to say:\n" + "\n".join(wanted)


# -------------------------------------------------------------------------------- a continent


def rounded(number: float) -> str:
    """Two digits, and a blank before every three, as the page writes them."""
    return f"{float(f'{number:.2g}'):,.10g}".replace(",", " ")


def continent_lines() -> list[str]:
    """The table of notebooks/continent.md, by the law of data/cost.json."""
    stored = json.loads((ROOT / "data" / "cost.json").read_text(encoding="utf-8"))
    rates = predict.Rates(**stored["rates"])
    compact = train.load(ROOT / "data" / "stma_sample.safetensors").model
    lines = []
    for name, network in (
        ("compact, 18 dates", compact),
        ("compact, 41 dates", STMA(**compact.arguments | {"dates": 41})),
        ("as published, 41 dates", STMA()),
    ):
        prices = dict(core_hour=0.02, terabyte_month=20)
        found = predict.plan(network, rates, 4_225_000, cores=1000, life=6, **prices)
        lines.append(f"| {name} | " + " | ".join(map(rounded, found)) + " |")
    return lines


def test_the_page_of_a_continent_states_what_the_law_says():
    written = (ROOT / "notebooks" / "continent.md").read_text(encoding="utf-8").splitlines()
    wanted = continent_lines()
    missing = [line for line in wanted if line not in written]
    assert not missing, "notebooks/continent.md is to say:\n" + "\n".join(wanted)
    for tile, times in ((512, 4), (2048, 1.6)):
        assert ((tile + 2 * cube.CHUNK) / tile) ** 2 == pytest.approx(times, abs=0.05)


def test_the_stored_law_is_of_the_networks_as_they_are_now():
    """Else it was measured with another form of the network: run cost_law.py again."""
    stored = json.loads((ROOT / "data" / "cost.json").read_text(encoding="utf-8"))
    [row] = [row for row in stored["rows"] if row["name"] == "STMA, width 16, 18 dates, patch 32"]
    counted = predict.work(train.load(ROOT / "data" / "stma_sample.safetensors").model)
    assert counted._asdict() == {name: row[name] for name in counted._fields}
    assert predict.Rates(**stored["rates"]).seconds(counted) == pytest.approx(
        row["law"] * row["CPU s per window"]
    )
    assert stored["machine"]["processor"] and isinstance(stored["other work beside"], bool)


# ------------------------------------------------------------------------ the season of notebook 00


def test_what_the_quickstart_says_of_the_crops_is_true():
    season = cube.open_season(course.sample_season()).load()
    codes = {crop.name: code for code, crop in enumerate(cube.legend(season))}

    def curve(name: str, band: str) -> np.ndarray:
        field = season.crop == codes[name]
        return radar.to_db(season[band].where(field).mean(("y", "x")).values)

    day = season.time.dt.strftime("%m-%d").values
    names = ("Wheat", "Grassland", "Maize", "Rapeseed")
    area = sorted(codes, key=lambda name: int((season.crop == codes[name]).sum()))
    assert set(names) == set(area[-5:-1]), "the four most common crops, after the background"
    vh, vv = ({name: curve(name, band) for name in names} for band in ("vh", "vv"))

    def first(values: dict[str, np.ndarray], date: int, choose=max) -> str:
        return choose(names, key=lambda name: values[name][date])

    for date, when in enumerate(day):
        if when <= "06-18":
            assert first(vh, date) == "Rapeseed"
        if "06-30" <= when <= "08-17":
            assert first(vh, date) == "Maize"
        if when in ("07-12", "07-24"):
            assert first(vh, date, min) == "Rapeseed"
    below = vv["Grassland"] - vv["Wheat"]
    assert list(day[below > 2]) == ["04-19", "05-01", "05-13"], "wheat dips in VV"
    assert day[1 + vh["Maize"][1:].argmin()] == "05-25", "maize is darkest in late May"
    for curves in (vh, vv):
        assert min(names, key=lambda name: np.ptp(curves[name][1:])) == "Grassland", "changes least"
    rise = {name: vh[name][1] - vh[name][0] for name in names}
    assert min(rise.values()) > 3 and max(rise, key=rise.get) == "Maize", "frost, most on bare soil"
