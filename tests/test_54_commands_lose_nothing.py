"""A command that fails, or is called in a wrong way, loses nothing and says why in a sentence."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
import rasterio

from stma_nb import __main__, cube
from stma_nb.__main__ import main

SMALL = [
    *("--patch", "16", "--width", "4", "--block", "16", "--buffer", "0"),
    *("--batch", "4", "--epochs", "1", "--device", "cpu"),
]


@pytest.fixture
def here(season, tmp_path, monkeypatch):
    """A folder with a season, and a log and a checkpoint of a training that was stopped."""
    monkeypatch.chdir(tmp_path)
    cube.save_season(season, "season")
    (tmp_path / "log.csv").write_text("epoch,loss,valid_loss\n1,2,3\n")
    (tmp_path / "w.safetensors.checkpoint").write_bytes(b"PK\x03\x04 hours of work")
    return tmp_path


def content(folder):
    return {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize(
    "arguments",
    [
        "season w.safetensors --log log.csv --overwrite --epochs 0",
        "season w.safetensors --log log.csv --overwrite --rate 0",
        "season w.safetensors --log log.csv --overwrite --aux-weight 2",
        "season w.safetensors --log log.csv --overwrite --seed -1",
        "season w.safetensors --log log.csv --overwrite --width 0",
        "season w.safetensors --log log.csv --overwrite --device warp",
        "season w.safetensors --log log.csv --overwrite --patch 17",
        "none w.safetensors --log log.csv --overwrite",
        "season w.safetensors --test-pixels season/crop.tif --overwrite",
        "season w.safetensors --test-pixels season/crop.tif --resume",
        "season w.safetensors --log season/crop.tif --overwrite",
        "season w.safetensors --config log.csv --log log.csv --overwrite",
        "season log.csv --overwrite",
        "season w.safetensors --log w.safetensors.checkpoint --overwrite",
    ],
)
def test_train_replaces_nothing_before_all_is_checked(here, capsys, arguments):
    before = content(here)
    assert main(["train", *SMALL, *arguments.split()]) in (1, 2)
    assert content(here) == before
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("flag", ["--resume", "--overwrite"])
def test_a_log_is_replaced_only_if_it_is_one(here, capsys, flag):
    (here / "log.csv").write_text("my field notes\n")
    (here / "w.safetensors.checkpoint").unlink()
    assert main(["train", "season", "w.safetensors", *SMALL, "--log", "log.csv", flag]) == 1
    assert "'log.csv' is no log of a training and is left as it is" in capsys.readouterr().err
    assert (here / "log.csv").read_text() == "my field notes\n"


def test_resume_without_a_training_to_go_on_with_keeps_the_log_of_another(here, capsys):
    (here / "w.safetensors.checkpoint").unlink()
    assert main(["train", "season", "w.safetensors", *SMALL, "--log", "log.csv", "--resume"]) == 1
    assert "'log.csv' exists and is left as it is" in capsys.readouterr().err


def test_with_leave_a_training_replaces_its_own_files(here):
    arguments = [*SMALL, "--log", "log.csv", "--test-pixels", "test.tif", "--overwrite"]
    assert main(["train", "season", "w.safetensors", *arguments]) == 0
    assert len((here / "log.csv").read_text().splitlines()) == 2
    names = ["log.csv", "season", "test.tif", "w.safetensors"]
    assert sorted(file.name for file in here.iterdir()) == names
    assert main(["train", "season", "w.safetensors", *arguments]) == 0


def test_two_trainings_of_one_name_are_told_apart(here, capsys):
    hold = "import sys; from stma_nb.files import one_writer\nwith one_writer(sys.argv[1]): "
    other = subprocess.Popen(
        [sys.executable, "-c", f"{hold}print(1, flush=True); input()", "w.safetensors"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert other.stdout.readline()
    before = content(here)
    assert main(["train", "season", "w.safetensors", *SMALL, "--overwrite"]) == 1
    assert "Another process is writing 'w.safetensors': wait" in capsys.readouterr().err
    assert content(here) == before
    other.communicate(b"\n")


@pytest.mark.parametrize(
    "arguments",
    [
        "map w.safetensors season m.tif --batch 0",
        "map w.safetensors season m.tif --workers -1",
        "data simulate new.zarr --seed -1",
        "data simulate new.zarr --dates 0",
        "early season --seed -1",
    ],
)
def test_numbers_out_of_range_are_named_before_anything_is_done(here, capsys, arguments):
    assert main(arguments.split()) == 2
    words = r"Input should be greater than or equal to|is not in the range"  # of Typer
    assert re.search(words, capsys.readouterr().err)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_flags_may_come_from_a_file_of_windows(here, encoding, capsys):
    (here / "w.safetensors.checkpoint").unlink()
    (here / "my.yaml").write_bytes("epochs: 0\n".encode(encoding))
    assert main(["train", "season", "w.safetensors", "--config", "my.yaml", *SMALL[:8]]) == 1
    assert "epochs is 0; expected at least 1" in capsys.readouterr().err


def test_a_damaged_season_is_named(here, capsys):
    file = sorted((here / "season").glob("2018*.tif"))[0]
    raw = bytearray(file.read_bytes())
    with rasterio.open(file) as tif:
        start = int(tif.get_tag_item("BLOCK_OFFSET_0_0", "TIFF", bidx=1))
    raw[start : start + 400] = bytes(400)
    file.write_bytes(raw)
    assert main(["train", "season", "new.safetensors", *SMALL]) == 1
    assert "stma_nb: 'season' cannot be read" in capsys.readouterr().err


def test_an_error_of_a_library_names_it_and_the_files(here, monkeypatch, capsys):
    monkeypatch.setattr(__main__, "app", lambda: lambda words, prog_name: json.loads("{"))
    assert main(["map", "season", "none.tif", "log.csv"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("stma_nb: json failed at work on 'season', 'log.csv' (JSONDecodeError: ")


def test_a_mistake_of_this_library_is_not_hidden(here, monkeypatch):
    """Python's own words tell where it is."""

    def examined(json=False, name=""):
        raise KeyError("x")

    monkeypatch.setattr(__main__, "examined", examined)
    examined.__globals__["__name__"], kept = "stma_nb.doctor", examined.__globals__["__name__"]
    try:
        with pytest.raises(KeyError):
            main(["doctor"])
    finally:
        examined.__globals__["__name__"] = kept


def test_a_full_memory_is_one_sentence(here, monkeypatch, capsys):
    def examined(json=False, name=""):
        return np.ones(2**50)

    monkeypatch.setattr(__main__, "examined", examined)
    assert main(["doctor"]) == 1
    assert capsys.readouterr().err == (
        "stma_nb: the memory is full: close other programs, or take less\n"
    )
