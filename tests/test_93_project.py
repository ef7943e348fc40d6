"""The project's own promises: environments agree, the import is light, the command line speaks in
sentences.
"""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
import rasterio
import yaml

from stma_nb import course, cube
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


def test_command_line_from_season_to_map(season, tmp_path, capsys):
    wide = season.isel(x=np.arange(128) % 64, y=np.arange(96) % 48)
    wide["parcel"] = (
        ("y", "x"),
        (np.arange(96)[:, None] // 8 * 16 + np.arange(128) // 8 + 1).astype("int32"),
    )
    wide = wide.assign_coords(x=400_005.0 + 10 * np.arange(128), y=5_800_000.0 - 10 * np.arange(96))
    cube.save_season(wide, tmp_path / "season.zarr")
    train = ["train", f"{tmp_path}/season.zarr", f"{tmp_path}/weights.safetensors"]
    small = ["--patch", "16", "--width", "8", "--epochs", "2", "--block", "32", "--buffer", "2"]
    assert main(train + small + ["--test-pixels", f"{tmp_path}/test.tif"]) == 0
    with rasterio.open(tmp_path / "test.tif") as tif:
        assert 0 < tif.read(1).mean() < 0.5 and tif.crs == wide.rio.crs, "a mask for assess --where"
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


def test_help_has_examples():
    text = subprocess.check_output([sys.executable, "-m", "stma_nb", "--help"], text=True)
    assert "examples:" in text and "python -m stma_nb map" in text


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
