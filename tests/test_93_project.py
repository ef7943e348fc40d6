"""The project's own promises: environments agree, the import is light, the command line speaks in
sentences.
"""

import ast
import importlib
import importlib.metadata
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
from stma_nb import course, cube, machine, patches
from stma_nb.__main__ import main

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
CORE, EXTRAS = PROJECT["dependencies"], PROJECT["optional-dependencies"]
CONDA_NAMES = {
    "pytorch": "torch",
    "pytorch-cpu": "torch",
    "pytorch-lightning": "lightning-fabric",
    "matplotlib-base": "matplotlib",
}


# ------------------------------------------------------------------------- what is to be installed


def name_of(requirement: str) -> str:
    """The package that a line such as "pystac_client>=0.8" is about: pystac-client."""
    return re.match(r"[\w-]+", requirement).group().lower().replace("_", "-")


@pytest.mark.parametrize("file", ["environment.yml", "binder/environment.yml"])
def test_environments_list_what_the_notebooks_need(file):
    wanted = CORE + EXTRAS["course"] + EXTRAS["stac"] + EXTRAS["cluster"]
    listed = []
    for entry in yaml.safe_load((ROOT / file).read_text(encoding="utf-8"))["dependencies"]:
        name, rest = re.match(r"([\w-]+)(.*)", entry).groups()
        if name not in ("python", "pip"):
            listed.append(CONDA_NAMES.get(name, name) + rest)
    assert sorted(listed) == sorted(wanted)


def test_all_is_every_extra_but_another_engine_and_the_tools_of_the_tests():
    without = ("all", "fast", "test")
    assert EXTRAS["all"] == [f"stma_nb[{','.join(e for e in EXTRAS if e not in without)}]"]
    assert "stma_nb[all,fast]" in EXTRAS["test"]


def test_constraints_pin_every_direct_dependency():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {name_of(line) for line in lines if "==" in line}
    direct = {name_of(line) for line in sum(EXTRAS.values(), CORE)} - {"stma-nb"}
    assert direct - pinned == set()


def imports_of(file: Path) -> list[tuple[str, str, int]]:
    """What a file imports: package, the extra of ``with needs(extra)`` around it (""), and line."""
    found = []

    def look(node: ast.AST, extra: str) -> None:
        if isinstance(node, ast.With) and isinstance(node.items[0].context_expr, ast.Call):
            call = node.items[0].context_expr
            if ast.unparse(call.func) == "needs" and call.args:
                extra = call.args[0].value
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module] if isinstance(node, ast.ImportFrom) else []
        found.extend((name.partition(".")[0], extra, node.lineno) for name in names)
        for child in ast.iter_child_nodes(node):
            look(child, extra)

    look(ast.parse(file.read_text("utf-8")), "")
    return found


def test_every_import_is_declared_and_says_which_extra_brings_it():
    brings = importlib.metadata.packages_distributions()
    declared = {extra: {name_of(line) for line in lines} for extra, lines in EXTRAS.items()}
    declared[""] = {name_of(line) for line in CORE}
    used = {extra: set() for extra in declared}
    for file in sorted((ROOT / "stma_nb").rglob("*.py")):
        for package, extra, line in imports_of(file):
            if package in sys.stdlib_module_names | {"stma_nb"}:
                continue
            if file.name == "scene.py" and package in ("distributed", "cloudpickle"):
                extra = "cluster"  # whoever hands in a client of a cluster has them
            bringing = {name_of(name) for name in brings[package]} & declared[extra]
            assert bringing, (
                f"{file.name}, line {line}: {package} is not of '{extra or 'the core'}'"
            )
            used[extra] |= bringing
    without_import = {  # what others need: xarray to read and write, a shell, a reader of products
        "": {"h5netcdf", "zarr"},
        "course": {"ipywidgets"},  # anywidget, in the versions in which the pictures were tried
        "fast": {"torch"},  # a newer one than the core needs, for its exporter
        "fields": {"pyarrow"},  # GeoPandas, for GeoParquet
        "terrain": {"sarsen"},
    }
    for extra in declared.keys() - {"all", "test"}:
        assert declared[extra] - used[extra] == without_import.get(extra, set()), extra


def test_doors_hand_on_what_is_there():
    doors = sorted((ROOT / "stma_nb").rglob("__init__.pyi"))
    assert len(doors) > 10
    for door in doors:
        parts = door.parent.relative_to(ROOT).parts
        room = importlib.import_module(".".join(parts))
        told = ast.parse(door.read_text("utf-8")).body
        names = [(part.module, alias) for part in told for alias in part.names]
        for module, alias in names:
            source = importlib.import_module(f"{room.__name__}.{module}")
            assert alias.name == alias.asname, "what is handed on keeps its name"
            assert getattr(room, alias.name) is getattr(source, alias.name)
        assert sorted(alias.name for _, alias in names) == sorted(room.__all__)


def test_the_dev_container_installs_what_is_tested():
    """Keys of the dev container's schema, files and commands that exist."""
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text("utf-8"))
    assert container.keys() <= {
        *("name", "image", "hostRequirements", "containerEnv", "postCreateCommand"),
        *("forwardPorts", "portsAttributes", "customizations"),
    }
    version = container["image"].rpartition(":")[2]
    assert f"python={version}" in (ROOT / "binder" / "environment.yml").read_text("utf-8")
    shell, script = container["postCreateCommand"].split()
    assert shell == "bash" and subprocess.run(["bash", "-n", ROOT / script]).returncode == 0
    lines = (ROOT / script).read_text("utf-8")
    assert '"${torch}+cpu"' in lines and lines.count("-c constraints.txt") == 2
    for file in container["customizations"]["codespaces"]["openFiles"]:
        assert (ROOT / file).exists()
    assert [*map(int, container["portsAttributes"])] == container["forwardPorts"]


def test_licences_are_the_same_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert set(citation["license"]) == {"MIT", "CC-BY-4.0"}
    assert set(PROJECT["license"].split(" AND ")) == {*citation["license"], "BSD-2-Clause"}
    for file in PROJECT["license-files"]:
        assert (ROOT / file).exists() and f"]({file})" in (ROOT / "README.md").read_text("utf-8")


# ------------------------------------------------------------------------------------ light imports


def python(code: str) -> str:
    """What a new Python prints."""
    return subprocess.check_output([sys.executable, "-c", code], text=True).strip()


def test_import_is_light():
    heavy = ("torch", "xarray", "numpy", "matplotlib", "folium")
    code = f"import sys, stma_nb; print([m for m in {heavy} if m in sys.modules])"
    assert python(code) == "[]"
    timed = "import time; start = time.perf_counter(); import stma_nb; "
    seconds = [float(python(timed + "print(time.perf_counter() - start)")) for _ in range(5)]
    assert min(seconds) < 0.1


WITHOUT_TORCH = [
    "radar.lee",
    "simulate.season",
    "accuracy.error_matrix",
    "figures.show",
    "figures.web_map",
    "patches.block_split",
    "course.sample_season",
]


def test_rooms_that_need_no_network_load_no_torch():
    rooms = {name.partition(".")[0] for name in WITHOUT_TORCH}
    code = f"import sys; from stma_nb import {', '.join(rooms)}; {', '.join(WITHOUT_TORCH)}; "
    assert python(code + "print('torch' in sys.modules)") == "False"


@pytest.mark.parametrize("number", ["01", "02"])
def test_notebooks_without_a_network_load_no_torch(number):
    """What they import, and every name that they take from a room."""
    [file] = (ROOT / "notebooks").glob(f"{number}_*.ipynb")
    cells = json.loads(file.read_text("utf-8"))["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    trees = [ast.parse(re.sub(r"^( *)[%!].*", r"\1pass", code, flags=re.MULTILINE))]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    imports = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    rooms = {
        alias.name
        for node in imports
        if isinstance(node, ast.ImportFrom) and node.module.startswith("stma_nb")
        for alias in node.names
    }
    names = {
        ast.unparse(node)
        for node in nodes
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in rooms
    }
    assert {"course", "exercises", "figures", "radar", "simulate"} & rooms and len(names) > 10
    lines = ["import stma_nb", *map(ast.unparse, imports), *sorted(names)]
    code = "\n".join([*lines, "import sys", "print('torch' in sys.modules)"])
    assert python(code) == "False"


# ------------------------------------------------------------------------------------- command line


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
    odd = f"train {tmp_path}/season.zarr {tmp_path}/w.safetensors --patch 20 --block 32"
    assert main(odd.split()) == 1
    assert "must be a multiple of 8" in capsys.readouterr().err
    assert not (tmp_path / "w.safetensors").exists()


def test_training_tells_which_classes_a_part_lacks(season, tmp_path, capsys):
    crop = np.zeros((48, 64), "uint8")
    crop[:16, :8] = 2
    season["crop"] = (("y", "x"), crop, season.crop.attrs)
    cube.save_season(season.drop_vars("parcel"), tmp_path / "season.zarr")
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
        same = np.isclose(made[name], kept[name], rtol=0.02)
        assert same.mean() > 0.99999, f"{name}: roundings differ by version of NumPy and SciPy"
    np.testing.assert_array_equal(made.time, kept.time)
    assert sum(file.stat().st_size for file in (ROOT / "data" / "sample_season").iterdir()) < 10e6


SAY_THREADS = (
    "import json, os, stma_nb, torch; "
    "print(json.dumps([torch.get_num_threads(), stma_nb.machine.threads(), dict(os.environ)]))"
)


def said_of_threads(code: str = SAY_THREADS, core: int | None = None, **given: str) -> tuple:
    """Threads of PyTorch, threads of the course, and the environment, in a new process."""
    ours = (*machine.THREADS, "GOMP_SPINCOUNT", "OMP_WAIT_POLICY")
    clean = {name: value for name, value in os.environ.items() if name not in ours}
    hold = None if core is None else lambda: os.sched_setaffinity(0, [core])
    command = [sys.executable, "-c", code]
    said = subprocess.check_output(command, text=True, env=clean | given, preexec_fn=hold)
    return tuple(json.loads(said))


def test_a_scene_like_the_sample_has_its_days_in_another_year():
    assert course.sample_like() == course.SAMPLE
    later = course.sample_like(year=2021, seed=12, region=0.5)
    assert (later["year"], later["seed"], later["region"]) == (2021, 12, 0.5)
    assert [str(day)[4:] for day in later["dates"]] == [str(d)[4:] for d in course.SAMPLE["dates"]]
    assert {str(day)[:4] for day in later["dates"]} == {"2021"}


def test_threads_are_no_more_than_the_cores_whatever_is_set():
    cores = int(machine.usable_cores())
    found, counted, environment = said_of_threads()
    assert found == counted == min(cores, machine.MOST_THREADS)
    assert {environment[name] for name in machine.THREADS} == {str(counted)}
    found, _, environment = said_of_threads(OMP_NUM_THREADS="1", DASK_NUM_WORKERS="999")
    assert found == 1 and environment["OMP_NUM_THREADS"] == "1"
    assert environment["DASK_NUM_WORKERS"] == str(cores)
    assert said_of_threads(OMP_NUM_THREADS="999")[0] == cores
    assert said_of_threads(OMP_NUM_THREADS="many")[0] == min(cores, machine.MOST_THREADS)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="affinity is of Linux")
def test_threads_of_a_torch_that_came_first_are_held_to_the_cores_as_well():
    core = min(os.sched_getaffinity(0))
    assert said_of_threads(core=core)[0] == 1
    first = "import torch; torch.set_num_threads(7); " + SAY_THREADS
    assert said_of_threads(first, core=core)[0] == 1
    fewer = "import torch; torch.set_num_threads(1); " + SAY_THREADS
    assert said_of_threads(fewer)[0] == 1


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="affinity is of Linux")
def test_binder_starts_with_the_threads_that_it_has():
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    said = subprocess.check_output(
        [ROOT / "binder" / "start", "env"],
        text=True,
        env=os.environ | {"PATH": path, "OMP_NUM_THREADS": "8"},
        preexec_fn=lambda: os.sched_setaffinity(0, [min(os.sched_getaffinity(0))]),
    ).splitlines()
    assert {f"{name}=1" for name in machine.THREADS} <= set(said)
    assert any(line.startswith("GOMP_SPINCOUNT=") for line in said)


def test_threads_that_wait_do_not_spin_without_end_unless_the_user_says_so():
    def spins(**given: str) -> str | None:
        return said_of_threads(**given)[2].get("GOMP_SPINCOUNT")

    assert spins() == "10000"
    assert spins(GOMP_SPINCOUNT="7") == "7"
    assert spins(OMP_WAIT_POLICY="ACTIVE") is None
