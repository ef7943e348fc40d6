"""The project's own promises: environments agree, the import is light, the command line speaks in
sentences.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch
import yaml
from safetensors.torch import load_file

import stma_nb
from stma_nb import course, cube, patches
from stma_nb.__main__ import main

ROOT = Path(__file__).parent.parent
CONDA_NAMES = {
    "pytorch": "torch",
    "pytorch-cpu": "torch",
    "pytorch-lightning": "lightning-fabric",
    "matplotlib-base": "matplotlib",
}


@pytest.mark.parametrize("file", ["environment.yml", "binder/environment.yml"])
def test_environments_list_what_pyproject_lists(file):
    wanted = sorted(
        tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
            "dependencies"
        ]
    )
    listed = []
    for entry in yaml.safe_load((ROOT / file).read_text(encoding="utf-8"))["dependencies"]:
        name, rest = re.match(r"([\w-]+)(.*)", entry).groups()
        if name not in ("python", "pip"):
            listed.append(CONDA_NAMES.get(name, name) + rest)
    assert sorted(listed) == wanted


def test_constraints_pin_every_direct_dependency():
    pinned = {
        line.split("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if "==" in line
    }
    for dependency in tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))[
        "project"
    ]["dependencies"]:
        assert re.match(r"[\w-]+", dependency).group().lower() in pinned, dependency


def test_import_is_light():
    code = (
        "import sys, stma_nb; print([m for m in ('torch', 'xarray', 'numpy', 'matplotlib', "
        "'folium') if m in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


@pytest.fixture
def wide(season):
    """The season four times side by side, with small parcels: large enough to be split."""
    wide = season.isel(x=np.arange(128) % 64, y=np.arange(96) % 48)
    wide["parcel"] = (
        ("y", "x"),
        (np.arange(96)[:, None] // 8 * 16 + np.arange(128) // 8 + 1).astype("int32"),
    )
    return wide.assign_coords(x=400_005.0 + 10 * np.arange(128), y=5_800_000.0 - 10 * np.arange(96))


SMALL = "--patch 16 --width 8 --block 32 --buffer 2"


def test_command_line_from_season_to_map(wide, tmp_path, capsys):
    cube.save_season(wide, tmp_path / "season.zarr")
    train = ["train", f"{tmp_path}/season.zarr", f"{tmp_path}/weights.safetensors"]
    small = [*SMALL.split(), "--epochs", "2"]
    assert main(train + small + ["--test-pixels", f"{tmp_path}/test.tif"]) == 0
    with rasterio.open(tmp_path / "test.tif") as tif:
        mask = tif.read()
        assert tif.crs == wide.rio.crs
    parts = patches.block_split((96, 128), 32, buffer=2, seed=0, parcel=wide.parcel.values)
    np.testing.assert_array_equal(mask, (parts == patches.TEST)[None], "one band: the test pixels")
    mapping = [
        "map",
        f"{tmp_path}/weights.safetensors",
        f"{tmp_path}/season.zarr",
        f"{tmp_path}/map.tif",
    ]
    assert main(mapping) == 0
    with rasterio.open(tmp_path / "map.tif") as tif:
        assert tif.shape == (96, 128) and tif.read(1).max() <= 2

    capsys.readouterr()
    for again in (train + small, mapping):
        assert main(again) == 1
        assert re.fullmatch(
            r"stma_nb: '.*' exists and is left as it is: .*--overwrite\)\.\n",
            capsys.readouterr().err,
        )
    assert main(mapping + ["--overwrite"]) == 0

    cube.save_season(wide, tmp_path / "season")
    report = f"{tmp_path}/report.html"
    assess = ["assess", f"{tmp_path}/map.tif", f"{tmp_path}/season/crop.tif", "--output", report]
    assert main([*assess, "--where", f"{tmp_path}/test.tif"]) == 0
    counted = np.array(json.loads((tmp_path / "report.json").read_text("utf-8"))["matrix"])
    true = np.bincount(wide.crop.values[mask[0] == 1], minlength=3)
    np.testing.assert_array_equal(counted.sum(axis=0), true, "the pixels of the test blocks alone")

    assert main(["train", f"{tmp_path}/nothing", f"{tmp_path}/w.safetensors"]) == 1
    assert "There is no season at" in capsys.readouterr().err
    assert (
        main(["train", f"{tmp_path}/season.zarr", f"{tmp_path}/w.safetensors", "--patch", "20"])
        == 1
    )
    assert "must be a multiple of 8" in capsys.readouterr().err
    assert not (tmp_path / "w.safetensors").exists()


def test_training_tells_which_classes_a_part_lacks(season, tmp_path, capsys):
    crop = np.zeros((48, 64), "uint8")
    crop[:, :8] = 2
    season["crop"] = (("y", "x"), crop, season.crop.attrs)
    cube.save_season(season, tmp_path / "season.zarr")
    train = [
        "train",
        f"{tmp_path}/season.zarr",
        f"{tmp_path}/w.safetensors",
        "--patch",
        "16",
        "--width",
        "8",
        "--epochs",
        "1",
    ]
    main(train + ["--block", "16", "--buffer", "0", "--seed", "3"])
    said = capsys.readouterr().out
    for use in ("train", "test"):
        assert re.search(
            rf"^No pixel of .*Sugar beet to {use} on: choose another --seed or .*--block, or "
            r"--stratify",
            said,
            re.M,
        ), said


def test_command_line_simulates_for_the_dates_of_another_season(season, tmp_path):
    cube.save_season(season, tmp_path / "season.nc")
    arguments = [
        "data",
        "simulate",
        f"{tmp_path}/made.zarr",
        "--size",
        "64",
        "80",
        "--dates-of",
        f"{tmp_path}/season.nc",
    ]
    assert main(arguments) == 0
    made = cube.open_season(tmp_path / "made.zarr")
    np.testing.assert_array_equal(made.time, season.time)
    assert made.vv.shape == (5, 64, 80)


def trained(season, folder, name: str, *flags: str) -> dict:
    """The weights of a short training on a season, with flags."""
    if not (folder / "season.zarr").exists():
        cube.save_season(season, folder / "season.zarr")
    weights = f"{folder}/{name}.safetensors"
    small = [*SMALL.split(), "--epochs", "1", "--device", "cpu"]
    assert main(["train", f"{folder}/season.zarr", weights, *small, *flags]) == 0
    return load_file(weights)


def test_augment_takes_any_number_of_words_also_none(wide, tmp_path):
    config = ["--config", f"{tmp_path}/file.yaml"]
    default = trained(wide, tmp_path, "default")
    none = trained(wide, tmp_path, "none", "--augment")
    two = trained(wide, tmp_path, "two", "--augment", "turn", "drop")

    def same(one: dict, other: dict) -> bool:
        return all(torch.equal(value, other[name]) for name, value in one.items())

    assert not same(none, default) and not same(two, default) and not same(two, none)
    (tmp_path / "file.yaml").write_text("augment: []")
    assert same(none, trained(wide, tmp_path, "none_of_file", *config))
    (tmp_path / "file.yaml").write_text("augment: [turn, drop]")
    assert same(two, trained(wide, tmp_path, "two_of_file", *config))
    assert same(none, trained(wide, tmp_path, "flag_wins", "--augment", *config))


@pytest.mark.parametrize(
    "line, complaint",
    [
        ("", "Missing command"),
        ("trian", "No such command 'trian'"),
        ("train season.zarr w.safetensors --epoch 3", "--epoch"),
        ("train season.zarr w.safetensors --schedule linear", "'polynomial', 'cosine'"),
        (
            "train season.zarr w.safetensors --augment turn rain",
            "'turn', 'speckle', 'jitter', 'drop'",
        ),
        ("map w.safetensors season.zarr map.tif --workers 2 --scheduler a", "not allowed with"),
        ("data simulate season.zarr --size 64", "--size"),
        ("data stac s.zarr --start 2021-04-01 --end 2021-05-01", "'--area' / '--polygon'"),
        (
            "data stac s.zarr --start 2021-04-01 --end 2021-05-01 --area 1 2 3 4 --polygon a.json",
            "not allowed with --area",
        ),
        ("run --set epochs", "expected NAME VALUE"),
    ],
)
def test_bad_usage_is_told_before_any_work(line, complaint, capsys):
    assert main(line.split()) == 2
    assert complaint in " ".join(capsys.readouterr().err.split())


def test_parameters_that_a_notebook_lacks_are_refused(capsys):
    assert main(["run", "--set", "epochs", "1", "--set", "zeal", "3"]) == 1
    assert "00_quickstart.ipynb' has no parameter 'zeal'; it has" in capsys.readouterr().err


def test_help_has_examples():
    text = subprocess.check_output([sys.executable, "-m", "stma_nb", "--help"], text=True)
    assert "examples:" in text and "python -m stma_nb map" in text
    subcommand = [sys.executable, "-m", "stma_nb", "data", "simulate", "-h"]
    text = subprocess.check_output(subcommand, text=True)
    assert "\n  python -m stma_nb data simulate my_season.zarr --size 512 512" in text


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from stma_nb.__main__ import main; main(['train', '--help']); "
        "heavy = {'torch', 'xarray', 'numpy', 'rasterio', 'dask', 'rich'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    said = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert said.splitlines()[-1] == "[]"


def test_version_is_told(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"stma_nb {stma_nb.__version__}\n"


def test_sample_season_is_what_its_command_makes(tmp_path):
    made = cube.open_season(course.make_sample_season(tmp_path / "sample"))
    kept = cube.open_season(ROOT / "data" / "sample_season")
    for name in ("vv", "vh", "crop", "parcel", "incidence_angle"):
        np.testing.assert_allclose(made[name], kept[name], rtol=0.02, err_msg=name)
    np.testing.assert_array_equal(made.time, kept.time)
    assert sum(file.stat().st_size for file in (ROOT / "data" / "sample_season").iterdir()) < 10e6


def test_threads_that_wait_do_not_spin_without_end_unless_the_user_says_so():
    code = "import os, stma_nb; print(os.environ.get('GOMP_SPINCOUNT'))"

    def said(**given: str) -> str:
        clean = {
            name: value
            for name, value in os.environ.items()
            if name not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")
        }
        return subprocess.check_output(
            [sys.executable, "-c", code], text=True, env=clean | given
        ).strip()

    assert said() == "1000"
    assert said(GOMP_SPINCOUNT="7") == "7"
    assert said(OMP_WAIT_POLICY="ACTIVE") == "None"
