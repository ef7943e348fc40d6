"""A machine is measured within the minutes given, and its table says what was measured."""

import itertools
import time
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch

from stma_nb import bench, figures
from stma_nb.__main__ import main
from stma_nb.bench import contest, forms, plan, table

pytestmark = pytest.mark.usefixtures("one_thread")
CPU = torch.device("cpu")


@pytest.fixture
def tiny(monkeypatch):
    """Networks that take no time, under the names of the real sizes."""
    monkeypatch.setitem(forms.SIZES, "compact", dict(dates=3, patch=16, width=2))
    monkeypatch.setitem(forms.SIDES, ("compact", "cpu"), 32)
    monkeypatch.setitem(plan.BATCHES, ("training", "compact", "cpu"), (2,))
    monkeypatch.setitem(plan.BATCHES, ("mapping", "compact", "cpu"), (3,))
    monkeypatch.setitem(forms.MATRIX, "cpu", 256)
    monkeypatch.setattr(contest, "ROUNDS", 3)
    monkeypatch.setattr(contest, "LONG_ENOUGH", 0.0)
    monkeypatch.setattr(plan, "Contest", partial(contest.Contest, compiling=1e6))
    monkeypatch.setattr(contest, "_in_fresh_process", lambda form: 123e6)  # tested by itself
    nowhere = forms.course.ROOT / "nowhere"  # random weights
    monkeypatch.setattr(forms.course, "sample_weights", lambda: nowhere)
    caches = [value for value in vars(forms).values() if hasattr(value, "cache_clear")]
    for kept in caches:
        kept.cache_clear()
    yield
    for kept in caches:
        kept.cache_clear()


def nap(seconds: float):
    return lambda: partial(time.sleep, seconds)


# ---------------------------------------------------------------------------------------- contests


def test_forms_take_turns_and_the_slower_one_takes_its_time(monkeypatch):
    monkeypatch.setattr(contest, "ROUNDS", 4)
    monkeypatch.setattr(contest, "LONG_ENOUGH", 0.0)
    said = []
    rows = contest.Contest(CPU, said.append).rows(
        [
            contest.Form({"task": "nap", "precision": "short"}, nap(0.02)),
            contest.Form({"task": "nap", "precision": "long"}, nap(0.06)),
        ],
        until=time.perf_counter() + 5,
    )
    short, long = rows
    assert short["precision"] == "short" and said == []
    assert 0.02 <= short["low"] <= short["seconds"] <= short["high"]
    assert 2 < long["seconds"] / short["seconds"] < 4
    assert short["cpu_seconds"] < 0.01, "who sleeps uses no processor"
    assert contest.LEAST <= short["rounds"] == long["rounds"] <= contest.ROUNDS


def test_what_is_not_possible_or_too_late_is_told_in_one_line_and_left_out(monkeypatch):
    def broken():
        raise RuntimeError("no such\nkernel")

    monkeypatch.setattr(contest, "ROUNDS", 3)
    said = []
    trial = contest.Contest(CPU, said.append)
    soon = time.perf_counter() + 9  # a compilation is expected to take longer
    found = trial.rows(
        [
            contest.Form({"task": "a", "batch": 4}, broken),
            contest.Form({"task": "b", "compile": True}, nap(0.01)),
            contest.Form({"task": "c"}, nap(0.01)),
        ],
        soon,
    )
    assert [row["task"] for row in found] == ["c"]
    assert said == [
        "left out, not possible here: a, batch 4 (no such kernel)",
        "left out, for lack of time: b, compiled",
    ]
    assert trial.rows([contest.Form({"task": "d"}, nap(0.01))], time.perf_counter() - 1) == []


def test_memory_is_that_of_a_process_of_its_own(monkeypatch):
    monkeypatch.setattr(contest, "ROUNDS", 3)
    row = contest.Contest(CPU, print).rows(
        [contest.Form({"task": "memory"}, partial(Hoard, 400))], time.perf_counter() + 120
    )[0]
    assert 400 < row["memory_mb"] < 1200


class Hoard:
    """A step that holds so many MB."""

    def __init__(self, megabytes: int):
        self.megabytes = megabytes

    def __call__(self) -> None:
        np.ones(self.megabytes * 125_000).sum()


# ------------------------------------------------------------------------------------- the command


def test_a_machine_is_measured_and_every_row_says_what(tiny, tmp_path, capsys):
    path = tmp_path / "this.csv"
    words = ["bench", "--size", "compact", "--device", "cpu", "--minutes", "3"]
    assert main([*words, "--output", str(path)]) == 0
    said = capsys.readouterr().out
    assert "left out: 16-mixed (float16 is for GPUs)" in said
    rows = bench.read(path)
    assert list(rows) == list(bench.COLUMNS)
    assert set(rows["threads"]) == {1} and set(rows["kind"]) == {"cpu"}
    assert set(rows["torch"]) == {torch.__version__}
    assert not rows["compile"].any(), "no time for that"
    tasks, precisions = ("training", "mapping", "matrix product"), ("32-true", "bf16-mixed")
    eager = rows.fillna({"precision": ""}).set_index(["task", "precision"])
    assert set(eager.index) == {*itertools.product(tasks, precisions), ("loader", "")}
    trained = eager.loc[("training", "32-true")]
    assert trained["patches_per_s"] == pytest.approx(2 / trained["seconds"], rel=1e-3)
    assert trained["memory_mb"] == 123
    assert 0 < trained["loader_share"] < 1 and trained["share_of_peak"] > 0
    assert trained["difference"] == 0, "it is what the others are compared with"
    assert 0 < eager.loc[("training", "bf16-mixed"), "difference"] < 0.2
    mapped = eager.loc[("mapping", "32-true")]
    # 9 windows of 16 pixels on 32 x 32; in a large map each brings 80 m x 80 m of new land.
    assert mapped["km2_per_s"] == pytest.approx(9 * 0.0064 / mapped["seconds"], rel=1e-3)
    assert mapped["difference"] < 1e-4 and mapped["labels_changed"] == 0
    assert main([*words, "--output", str(path)]) == 1
    assert "exists and is left as it is" in capsys.readouterr().err


def test_wrong_wishes_are_refused_before_anything_is_measured(tmp_path):
    with pytest.raises(ValueError, match="size is 'large'; expected one of compact, published"):
        bench.measure("large")
    with pytest.raises(ValueError, match=r"minutes is 0; expected more than 0"):
        bench.measure(minutes=0)
    with pytest.raises(ValueError, match=r"'table.json' should end in .csv"):
        bench.measure(output=tmp_path / "table.json")


def test_the_important_rows_come_first_and_compiled_ones_beside_the_others_again():
    groups = list(plan.plan(["compact", "published"], CPU))
    assert [group.title for group in groups[:5]] == [
        "matrix products",
        "training, compact, batch 8",
        "mapping, compact, batch 27",
        "training, published, batch 2",
        "mapping, published, batch 3",
    ]
    usual, again = groups[1], groups[-4]
    assert again.title == "training, compact, batch 8, compiled"
    names = [form.names for form in usual.forms]
    assert names == [form.names for form in again.forms][: len(names)]
    assert {"32-true", "bf16-mixed"} == {
        form.names["precision"] for form in again.forms if form.names["compile"]
    }
    tasks = [{form.names["task"] for form in group.forms} for group in groups]
    assert all("matrix product" in task for task in tasks), "a peak of the same minutes"


def test_time_that_is_up_is_told(tmp_path):
    said = []
    with pytest.raises(ValueError, match="Nothing could be measured in 1e-09 minutes"):
        bench.measure("compact", "cpu", 1e-9, tmp_path / "none.csv", tell=said.append)
    assert "left out, for lack of time: mapping, compact, batch 27, compiled" in said
    assert not (tmp_path / "none.csv").exists()


def test_the_same_step_as_fit_takes_the_same_weights_there(tiny):
    """What is measured is what ``train.fit`` does with the batch."""
    from stma_nb import train

    data = forms.data_of("compact")
    batch = 2

    class Same:
        """The one batch as a set of patches."""

        crops, scaling, times, patch = data.crops, data.scaling, data.times, data.patch

        def __len__(self):
            return batch

        def __getitem__(self, index):
            x, y = forms.batch_of("compact", batch)
            return x[index], y[index]

    model = forms.network_of("compact")
    watch = lambda history: None  # noqa: E731
    constant = dict(epochs=1, batch=batch, rate=2e-3, device="cpu", watch=watch)
    fitted = train.fit(model, Same(), Same(), **constant)
    step = forms.Training("compact", "32-true", batch, False, "cpu")
    step()
    assert fitted.history[0]["loss"] == pytest.approx(step.losses[0], rel=1e-5)


def test_operations_are_those_of_the_published_network():
    # 37.8 G multiplications and additions forward, and about twice as many more backward.
    forward = forms.operations("published", training=False)
    assert forward / 2 == pytest.approx(37.8e9, rel=0.01)
    assert forms.operations("published", training=True) / forward == pytest.approx(3, abs=0.05)


# ---------------------------------------------------------------------------------------- tables


def row(**named) -> dict:
    """A row of a table, as it is measured."""
    usual = dict(
        device="T4",
        kind="cuda",
        threads=2,
        date="2026-11-26",
        task="training",
        size="compact",
        precision="32-true",
        batch=64,
        compile=False,
        patches_per_s=100.0,
    )
    return usual | named


def test_tables_of_machines_are_read_together_and_the_newest_row_counts(tmp_path):
    table.save([row(), row(precision="16-mixed", patches_per_s=250.0)], tmp_path / "old.csv")
    table.save([row(date="2026-12-01", patches_per_s=200.0)], tmp_path / "new.csv")
    table.save([row(device="CPU", kind="cpu", threads=1)], tmp_path / "other.csv")
    read = bench.read(*sorted(tmp_path.glob("*.csv")))
    speeds = bench.speeds(read, "patches_per_s")
    assert list(speeds) == ["32-true", "16-mixed"], "float32 first"
    assert speeds.loc["T4"].iloc[0].tolist() == [200, 250]
    assert speeds.loc["CPU, 1 thread(s)"].iloc[0]["32-true"] == 100
    assert bench.ratios(read, "patches_per_s").loc["T4", "16-mixed"].tolist() == [1.25]


def test_without_tables_there_are_no_rows_and_no_ratios(tmp_path, monkeypatch):
    monkeypatch.setattr(table, "folder", lambda: tmp_path)
    read = bench.read()
    assert len(read) == 0 and list(read) == list(bench.COLUMNS)
    assert len(bench.speeds(read, "km2_per_s")) == len(bench.ratios(read, "km2_per_s")) == 0


def test_another_file_is_refused_by_name(tmp_path):
    pd.DataFrame({"device": ["T4"]}).to_csv(tmp_path / "sheet.csv")
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(ValueError, match=r"sheet.csv' is no table .* no column 'kind'"):
        bench.read(tmp_path / "sheet.csv")
    with pytest.raises(ValueError, match=r"empty.csv' is no table that bench wrote"):
        bench.read(tmp_path / "empty.csv")


def test_speed_ups_are_marked_where_they_are_and_compiled_ones_are_hollow(tmp_path):
    rows = [
        row(device="$T4"),
        row(device="$T4", precision="16-mixed", patches_per_s=250.0),
        row(device="$T4", precision="16-mixed", compile=True, patches_per_s=50.0),
    ]
    table.save(rows, tmp_path / "a.csv")
    gains = bench.ratios(bench.read(tmp_path / "a.csv"), "patches_per_s")
    drawn = figures.speed_ups({"training": gains, "mapping": gains.iloc[:0]})
    (axis,) = drawn.axes
    marks = {line.get_label(): line for line in axis.lines}
    assert marks["16-mixed"].get_xdata().tolist() == [2.5]
    assert marks["16-mixed, compiled"].get_xdata().tolist() == [0.5]
    assert marks["16-mixed, compiled"].get_markerfacecolor() == "white"
    drawn.canvas.draw()
    assert axis.get_yticklabels()[0].get_text() == "\\$T4\ncompact, batch 64"
