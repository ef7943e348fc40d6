"""A season is mapped as its network says, tile by tile, on one machine or a cluster, and an
interrupted map is taken up again.
"""

import os
import pickle
import platform
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import rasterio
import torch
from distributed import Client

from stma_nb import cube, patches, predict, train
from stma_nb.__main__ import main
from stma_nb.model import STMA
from stma_nb.predict import parts, scene, tiles

pytestmark = pytest.mark.usefixtures("one_thread")
PATCH = 16
ROWS, COLUMNS = 128, 160


def a_network(season, width=8) -> train.Trained:
    """A network with random weights, whose batch norms have seen data: its maps are wrong, but they
    have structure.
    """
    torch.manual_seed(0)
    model = STMA(dates=season.sizes["time"], patch=PATCH, classes=3, width=width)
    scaling = patches.fit_scaling(season)
    data = patches.PatchDataset(season, patches.corners(season.crop.shape, PATCH), PATCH, scaling)
    with torch.no_grad():
        for _ in range(30):
            model.train()(torch.stack([data[i][0] for i in range(6)]))
    return train.Trained(model.eval(), scaling, cube.legend(season), season.time.values)


@pytest.fixture
def trained(season):
    return a_network(season)


@pytest.fixture
def wide(season):
    """A season of 128 x 160 pixels, with a hole."""
    wide = season.isel(x=np.arange(COLUMNS) % 64, y=np.arange(ROWS) % 48)
    wide = wide.assign_coords(
        x=400_005.0 + 10 * np.arange(COLUMNS), y=5_800_000.0 - 10 * np.arange(ROWS)
    ).copy(deep=True)
    gain = (
        np.random.default_rng(1)
        .uniform(0.5, 2, (5, ROWS // 8, COLUMNS // 8))
        .repeat(8, 1)
        .repeat(8, 2)
    )
    for band in ("vv", "vh"):
        wide[band] = (wide[band] * gain).astype("float32")
        wide[band][:, 40:80, 70:120] = np.nan
    return wide


def read(path):
    with rasterio.open(path) as tif:
        return tif.read()


def by_hand(trained, season, overlap=0.5):
    """Probabilities (K, rows, columns), window by window, with the network as it was trained."""
    windows = patches.corners(season.crop.shape, PATCH, overlap)
    data = patches.PatchDataset(season, windows, PATCH, trained.scaling)
    with torch.inference_mode():
        pieces = [
            trained.model(data[i][0][None])[0].softmax(1)[0].numpy() for i in range(len(windows))
        ]
    return patches.stitch(pieces, windows, PATCH, season.crop.shape)


# -------------------------------------------------------------------------------------- one machine


def test_map_equals_the_network_applied_by_hand(season, trained, tmp_path):
    wanted = by_hand(trained, season)
    trained.model.train()  # mapping is done in evaluation mode, whatever was done before
    before = {name: value.clone() for name, value in trained.model.state_dict().items()}
    path = predict.season_map(
        trained,
        season,
        tmp_path / "map.tif",
        batch=3,
        progress=False,
        probabilities=tmp_path / "p.tif",
        entropy=tmp_path / "e.tif",
    )
    np.testing.assert_array_equal(read(path)[0], wanted.argmax(0))
    assert np.unique(read(path)).size > 1
    with rasterio.open(tmp_path / "p.tif") as tif:
        np.testing.assert_allclose(
            tif.read() * np.array(tif.scales)[:, None, None], wanted, atol=0.0021
        )
        assert tif.descriptions == ("Background", "Maize", "Sugar beet")
    with rasterio.open(tmp_path / "e.tif") as tif:
        entropy = -(wanted * np.log(wanted)).sum(0) / np.log(3)
        np.testing.assert_allclose(tif.read(1) * tif.scales[0], entropy, atol=0.0021)
    assert trained.model.training, "the network is left as it was"
    assert all(
        torch.equal(before[name], value) for name, value in trained.model.state_dict().items()
    )
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "e.tif",
        "map.tif",
        "map.tif.aux.xml",
        "p.tif",
    ]


@pytest.mark.parametrize("overlap, tile", [(0.5, 48), (0.5, 50), (0.3, 1000)])
def test_tiles_leave_no_trace(wide, trained, tmp_path, overlap, tile):
    """Whatever the size of the tiles: the map that a plain loop over all windows gives, and its
    probabilities but for rounding.
    """
    wanted = by_hand(trained, wide, overlap)
    empty = np.isnan(wide.vv.values).all(0)
    path, shares = tmp_path / "map.tif", tmp_path / "p.tif"
    predict.season_map(
        trained,
        wide.chunk(y=40, x=40),
        path,
        overlap,
        progress=False,
        tile=tile,
        probabilities=shares,
    )
    np.testing.assert_array_equal(read(path)[0], np.where(empty, 255, wanted.argmax(0)))
    assert (read(shares)[:, empty] == 255).all()
    assert np.abs(read(shares) - np.rint(250 * wanted))[:, ~empty].max() <= 1


def test_the_map_is_a_cloud_optimised_geotiff_that_tells_where_it_came_from(
    wide, trained, tmp_path
):
    cube.save_season(wide, tmp_path / "season.zarr")
    wide = cube.open_season(tmp_path / "season.zarr").isel(
        x=np.arange(640) % COLUMNS, y=np.arange(512) % ROWS
    )
    wide = wide.assign_coords(
        x=400_005.0 + 10 * np.arange(640), y=5_800_000.0 - 10 * np.arange(512)
    )
    path = predict.season_map(trained, wide, tmp_path / "map.tif", 0.0, progress=False)
    with rasterio.open(path) as tif:
        assert (
            tif.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG" and tif.compression.name == "deflate"
        )
        assert tif.block_shapes == [(256, 256)] and tif.overviews(1) == [2, 4]
        assert (
            tif.crs == wide.rio.crs and tif.transform == wide.rio.transform() and tif.nodata == 255
        )
        assert tif.colormap(1)[2][:3] == (0x00, 0x72, 0xB2)
        tags = tif.tags()
        small = tif.read(1, out_shape=(128, 160))
    assert set(np.unique(small)) <= {0, 1, 2, 255}, "an overview holds classes, not means of codes"
    assert tags["flag_meanings"] == "Background Maize Sugar_beet" and tags["SOFTWARE"].startswith(
        "stma_nb "
    )
    assert (
        tags["WEIGHTS"] == scene.weights_hash(trained) and tags["DATES"].split()[1] == "2018-05-01"
    )
    assert tags["SOURCE"] == "season.zarr" and tags["PATCH"] == "16" and tags["OVERLAP"] == "0.0"
    assert "<Category>Sugar beet</Category>" in (tmp_path / "map.tif.aux.xml").read_text()
    first = path.read_bytes()
    assert (
        predict.season_map(trained, wide, path, 0.0, overwrite=True, progress=False).read_bytes()
        == first
    )


def test_pixels_without_data_stay_without_class(season, trained, tmp_path):
    for band in ("vv", "vh"):
        season[band][:, :7, :9] = np.nan
        season[band][1, 20:30, 20:30] = np.nan  # one date missing is no reason to leave a hole
    mapped = read(predict.season_map(trained, season, tmp_path / "map.tif", progress=False))[0]
    np.testing.assert_array_equal(mapped == 255, np.pad(np.ones((7, 9), bool), ((0, 41), (0, 55))))


def test_bfloat16_changes_few_labels(wide, trained, tmp_path):
    paths = [
        predict.season_map(trained, wide, tmp_path / f"{name}.tif", progress=False, precision=name)
        for name in ("float32", "bf16")
    ]
    changed = (read(paths[0]) != read(paths[1])).mean()
    assert 0 < changed < 0.03
    with pytest.raises(
        ValueError, match="precision is 'half'; expected one of float32, bf16, auto"
    ):
        predict.season_map(trained, wide, tmp_path / "map.tif", precision="half")


def test_the_faster_precision_is_taken_and_kept_until_the_map_is_made(wide, trained, tmp_path):
    path = tmp_path / "map.tif"
    predict.season_map(trained, wide, path, progress=False, precision="auto")
    with rasterio.open(path) as tif:
        taken = tif.tags()["PRECISION"]
    assert taken in tiles.PRECISIONS
    same = predict.season_map(trained, wide, tmp_path / "same.tif", progress=False, precision=taken)
    np.testing.assert_array_equal(read(path), read(same))
    # Begun with the other one, it goes on with the other one, whatever is faster now.
    other = next(name for name in tiles.PRECISIONS if name != taken)
    begun = {"map": tmp_path / "begun.tif"}
    parts.Parts(begun, tiles.tile_grid((ROWS, COLUMNS), 512), {"precision": other}, False)
    with pytest.raises(FileExistsError) as refused:
        predict.season_map(trained, wide, begun["map"], progress=False, precision="auto")
    assert " precision " not in str(refused.value)


def test_onnx_runtime_makes_the_same_map(wide, trained, tmp_path):
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    pytest.importorskip("onnxscript", reason="onnxscript, which writes ONNX, is not installed")
    chances = {name: tmp_path / f"{name}_p.tif" for name in tiles.ENGINES}
    maps = [
        predict.season_map(
            trained,
            wide,
            tmp_path / f"{name}.tif",
            progress=False,
            probabilities=chances[name],
            tile=64,
            engine=name,
        )
        for name in tiles.ENGINES
    ]
    assert (read(maps[0]) != read(maps[1])).mean() < 1e-3
    first, second = (read(chances[name]).astype(int) for name in tiles.ENGINES)
    assert abs(first - second).max() <= 1  # of 250 steps
    form = tiles.inference_form(trained.model, engine="onnx")
    x = torch.randn(3, wide.sizes["time"], 2, PATCH, PATCH)
    with torch.inference_mode():
        expected = trained.model(x)[0]
    for network in (form, pickle.loads(pickle.dumps(form))):  # as a worker gets it
        torch.testing.assert_close(network(x), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "asked, complaint",
    [
        (dict(engine="tvm"), "engine is 'tvm'; expected one of torch, onnx"),
        (dict(engine="onnx", precision="bf16"), "onnx maps in float32; the precision is 'bf16'"),
        (dict(engine="onnx", device="meta"), "onnx computes on the CPU; the device is 'meta'"),
    ],
)
def test_what_an_engine_cannot_do(asked, complaint, wide, trained, tmp_path):
    with pytest.raises(ValueError, match=complaint):
        predict.season_map(trained, wide, tmp_path / "map.tif", **asked)
    assert not list(tmp_path.iterdir())


def test_a_forest_is_not_for_onnx_runtime(wide, tmp_path):
    forest = train.fit_forest(wide, np.ones((ROWS, COLUMNS), bool), pixels=500, trees=3)
    with pytest.raises(ValueError, match="RandomForest has no weights for ONNX Runtime"):
        predict.season_map(forest, wide, tmp_path / "map.tif", engine="onnx")


def test_two_threads_make_the_map_of_one_in_each_engine(wide, trained, tmp_path):
    one = predict.season_map(trained, wide, tmp_path / "one.tif", progress=False)
    torch.set_num_threads(2)
    try:
        two = predict.season_map(trained, wide, tmp_path / "two.tif", progress=False)
        assert torch.get_num_threads() == 2
        form = tiles.inference_form(trained.model, engine="onnx")
        windows = patches.corners((ROWS, COLUMNS), PATCH, 0.5)
        tile = slice(0, ROWS), slice(0, COLUMNS)
        layers = [wide[name].values for name in trained.scaling.bands]
        values = tiles.read_tile(layers, windows, PATCH, tile)
        mapper = tiles.TileMapper(form, trained.scaling, windows, None, "cpu", {"map"})
        shared = mapper.layers(tile, values)["map"]
    finally:
        torch.set_num_threads(1)
    assert (read(one) != read(two)).mean() < 1e-3
    assert (read(one) != shared).mean() < 1e-3


def test_a_season_of_other_dates_is_refused(season, trained, tmp_path):
    with pytest.raises(ValueError, match="has 4 dates, the network was trained on 5"):
        predict.season_map(
            trained, season.isel(time=slice(4)), tmp_path / "map.tif", progress=False
        )
    late = season.assign_coords(time=season.time + np.timedelta64(40, "D"))
    with pytest.raises(
        ValueError, match=r"2018-05-11, .*2018-04-01 there \(40 days apart.*--any-dates"
    ):
        predict.season_map(trained, late, tmp_path / "map.tif", progress=False)
    assert not [*tmp_path.iterdir()]
    predict.season_map(trained, late, tmp_path / "map.tif", allow=["dates"], progress=False)
    next_year = season.assign_coords(time=season.time + np.timedelta64(365, "D"))
    predict.season_map(trained, next_year, tmp_path / "next.tif", progress=False)


def test_dates_are_compared_by_the_time_of_year(season, trained):
    turn = season.assign_coords(
        time=season.time + np.timedelta64(272, "D")
    )  # 29 December to 30 April
    shifted = train.Trained(
        trained.model, trained.scaling, trained.crops, turn.time.values - np.timedelta64(5, "D")
    )
    train.check_dates(
        shifted, turn.assign_coords(time=turn.time + np.timedelta64(3, "D"))
    )  # 1 January against 24 December
    train.check_dates(trained, season.assign_coords(time=season.time + np.timedelta64(15, "D")))
    with pytest.raises(ValueError, match="16 days apart"):
        train.check_dates(trained, season.assign_coords(time=season.time + np.timedelta64(16, "D")))


def test_what_cannot_be_done_is_said_before_anything_is_written(season, trained, tmp_path):
    (tmp_path / "map.tif").write_text("precious")
    for name in ("map", "other"):
        with pytest.raises(FileExistsError, match="map.tif' exists and is left as it is"):
            predict.season_map(
                trained,
                season,
                tmp_path / f"{name}.tif",
                entropy=tmp_path / "map.tif",
                progress=False,
            )
    assert (tmp_path / "map.tif").read_text() == "precious"
    for arguments, message in (
        ({"path": "map.png"}, "'map.png' should end in .tif"),
        ({"path": "a.tif", "entropy": "a.tif"}, "Two of the outputs have the same name"),
        ({"path": "a.tif", "tile": 8}, "tile is 8 pixels; expected at least the patch, 16"),
        ({"path": "a.tif", "overlap": 1}, "overlap is 1; expected"),
    ):
        with pytest.raises(ValueError, match=message):
            predict.season_map(trained, season, **arguments)
    with pytest.raises(ValueError, match="patch of 16 pixels is larger than the scene"):
        predict.season_map(trained, season.isel(y=slice(12)), tmp_path / "a.tif")
    assert [file.name for file in tmp_path.iterdir()] == ["map.tif"]


# ----------------------------------------------------------------------- interruptions and failures


def broken(season, row, column):
    """The season with one pixel that cannot be read, as in a damaged file."""

    def look(block, block_info=None):
        (top, bottom), (left, right) = block_info[0]["array-location"][1:]
        if top <= row < bottom and left <= column < right:
            raise OSError("chunk is damaged")
        return block

    season = season.chunk(y=8, x=8)
    for band in ("vv", "vh"):
        season[band].data = season[band].data.map_blocks(
            look, dtype="float32", meta=np.empty((0, 0, 0), "float32")
        )
    return season


def test_a_tile_that_fails_is_named_and_the_others_are_kept(wide, trained, tmp_path):
    """Reading fails in the last tile; mended, the same call computes only what is left."""
    wanted = predict.season_map(
        trained, wide, tmp_path / "wanted.tif", tile=64, progress=False
    ).read_bytes()
    # The pixel lies in the last tile only, and in none of the nine windows that tell seasons apart.
    with pytest.raises(
        OSError,
        match=r"rows 64 to 128 and columns 128 to 160 failed \(chunk is damaged\): .*the same "
        r"call goes on",
    ):
        predict.season_map(
            trained, broken(wide, 100, 148), tmp_path / "map.tif", tile=64, progress=False
        )
    assert not (tmp_path / "map.tif").exists()
    kept = sorted((tmp_path / ".map.tif.part").glob("*.npz"))
    assert [file.name for file in kept] == [
        "0_0.npz",
        "0_128.npz",
        "0_64.npz",
        "64_0.npz",
        "64_64.npz",
    ]
    # Were a finished tile computed again, reading it would now fail.
    path = predict.season_map(
        trained, broken(wide, 10, 10), tmp_path / "map.tif", tile=64, progress=False
    )
    assert path.read_bytes() == wanted and not (tmp_path / ".map.tif.part").exists()


def command(folder, *more):
    files = [f"{folder}/{name}" for name in ("weights.safetensors", "season.zarr", "map.tif")]
    return ["map", *files, "--tile", "16", "--overlap", "0", *more]


def start(folder):
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "stma_nb", *command(folder)],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_tiles(folder, process, number=3):
    while len([*folder.glob(".map.tif.part/[0-9]*.npz")]) < number:
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)


@pytest.mark.skipif(sys.platform == "win32", reason="sends an interrupt as Unix can")
def test_killed_and_called_again_it_makes_the_same_map(wide, trained, tmp_path, capsys):
    cube.save_season(wide, tmp_path / "season.zarr")
    train.save(trained, tmp_path / "weights.safetensors")
    season = cube.open_season(tmp_path / "season.zarr")
    wanted = predict.season_map(
        trained, season, tmp_path / "wanted.tif", 0.0, tile=16, progress=False
    ).read_bytes()
    first = start(tmp_path)
    wait_for_tiles(tmp_path, first)
    first.kill()
    first.communicate()
    assert not (tmp_path / "map.tif").exists()

    second = start(tmp_path)
    wait_for_tiles(tmp_path, second, 6)
    second.send_signal(signal.SIGINT)
    assert "the same command goes on" in second.communicate()[1] and second.returncode == 130

    capsys.readouterr()
    for what, flags in {
        "overlap": ["--overlap", "0.5"],
        "precision": ["--precision", "bf16"],
    }.items():
        assert main(command(tmp_path, *flags)) == 1
        said = (
            rf"stma_nb: '.*' holds an unfinished map of the same name with other {what}: "
            r".*--overwrite\)\.\n"
        )
        assert re.fullmatch(said, capsys.readouterr().err)

    assert main(command(tmp_path)) == 0
    assert "100%" in capsys.readouterr().err
    assert (tmp_path / "map.tif").read_bytes() == wanted
    assert not (tmp_path / ".map.tif.part").exists()


def test_another_season_is_told_by_corners_edges_and_middle(season):
    """One value of one band on one date, in any of nine places; and the order of the dates."""
    bands = ("vh", "vv")
    found = {parts.season_hash(season, bands)}
    for row in (0, 7, 20, 27, 40, 47):
        for column in (0, 7, 28, 35, 56, 63):
            other = season.copy(deep=True)
            other.vv[3, row, column] += 0.01
            found.add(parts.season_hash(other, bands))
            assert parts.season_hash(other, ("vh",)) == parts.season_hash(season, ("vh",))
    moved = season.assign_coords(time=season.time + np.timedelta64(1, "D"))
    found |= {parts.season_hash(moved, bands), parts.season_hash(season, ("vv", "vh"))}
    assert len(found) == 1 + 36 + 2
    assert parts.season_hash(season.chunk(x=10), bands) == parts.season_hash(season, bands)


def test_tiles_of_another_season_or_network_are_not_used(wide, trained, tmp_path):
    def fail(season, network=trained, **arguments):
        with pytest.raises(OSError) as caught:
            predict.season_map(
                network,
                broken(season, 100, 148),
                tmp_path / "map.tif",
                tile=64,
                progress=False,
                **arguments,
            )
        return str(caught.value)

    assert "chunk is damaged" in fail(wide)
    changed = wide.copy(deep=True)
    changed["vh"][2] *= 2  # one date was processed again
    assert "with other season: finish it with the call that began it, or start anew" in fail(
        changed
    )
    assert "with other weights: " in fail(wide, a_network(wide))
    assert "chunk is damaged" in fail(wide), "the first call goes on"
    assert "chunk is damaged" in fail(changed, overwrite=True), "overwrite begins anew"
    path = predict.season_map(trained, changed, tmp_path / "map.tif", tile=64, progress=False)
    assert (
        path.read_bytes()
        == predict.season_map(
            trained, changed, tmp_path / "b.tif", tile=64, progress=False
        ).read_bytes()
    )


@pytest.mark.skipif(sys.platform == "win32", reason="limits the size of files as Unix can")
@pytest.mark.parametrize(
    "limit", [4000, 5000], ids=["while tiles are kept", "while the files are put together"]
)
def test_a_full_disk_is_said_in_a_sentence_and_loses_nothing(wide, trained, tmp_path, limit):
    """The operating system refuses to write files beyond a size, as it does on a full disk."""
    cube.save_season(wide, tmp_path / "season.zarr")
    train.save(trained, tmp_path / "weights.safetensors")
    code = "import resource, sys, rasterio, stma_nb.predict; from stma_nb.__main__ import main\n"
    code += (
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, -1)); sys.exit(main(sys.argv[1:]))"
    )
    full = subprocess.run(
        [sys.executable, "-c", code, *command(tmp_path, "--tile", "64")],
        capture_output=True,
        text=True,
    )
    assert full.returncode == 1 and "Traceback" not in full.stderr
    assert "the same call goes on with the tiles that are finished" in full.stderr.splitlines()[-1]
    assert not (tmp_path / "map.tif").exists()
    season = cube.open_season(tmp_path / "season.zarr")
    again, alone = (
        predict.season_map(trained, season, tmp_path / name, 0.0, tile=64, progress=False)
        for name in ("map.tif", "alone.tif")
    )
    assert again.read_bytes() == alone.read_bytes()


# ---------------------------------------------------------------------------------------- a cluster


@pytest.fixture(scope="module")
def client():
    with Client(n_workers=2, threads_per_worker=1, dashboard_address=None) as client:
        yield client


@pytest.mark.parametrize("store", ["season.zarr", "season", "season.nc"])
def test_a_cluster_makes_the_same_map(wide, trained, tmp_path, client, store):
    cube.save_season(wide, tmp_path / store)
    season = cube.open_season(tmp_path / store)
    here, there = (
        predict.season_map(
            trained,
            season,
            tmp_path / f"{name}.tif",
            progress=False,
            tile=48,
            probabilities=tmp_path / f"{name}_p.tif",
            client=c,
        )
        for name, c in (("here", None), ("there", client))
    )
    assert here.read_bytes() == there.read_bytes()
    assert (tmp_path / "here_p.tif").read_bytes() == (tmp_path / "there_p.tif").read_bytes()


ON_GLIBC = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="it concerns glibc")
COUNT = """
def faults():
    import resource
    import numpy as np
    np.ones(1 << 18)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        np.ones(1 << 18)  # 512 pages of 4 KB
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
"""


@ON_GLIBC
def test_memory_is_kept_while_it_is_asked_for_and_given_back_at_the_end():
    code = f"""{COUNT}
import numpy as np
from pathlib import Path
from stma_nb.machine import memory_kept

def held():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

apart, before = faults(), held()
with memory_kept():
    within = faults()
    arrays = [np.ones(1 << 18) for _ in range(50)]
    del arrays
    during = held()
print(apart, within, during - before, held() - before)
"""
    environment = os.environ | {"MALLOC_TRIM_THRESHOLD_": "65536"}  # as Dask starts its workers
    told = subprocess.check_output([sys.executable, "-c", code], text=True, env=environment)
    apart, within, during, after = map(int, told.split())
    assert apart > 5000 and within < apart / 10
    assert during > 80e6 and after < 10e6


@ON_GLIBC
def test_a_worker_that_computed_a_tile_does_not_take_every_page_anew(
    wide, trained, tmp_path, client
):
    cube.save_season(wide, tmp_path / "season.zarr")
    season = cube.open_season(tmp_path / "season.zarr")
    predict.season_map(
        trained, season, tmp_path / "map.tif", progress=False, tile=48, client=client
    )
    found: dict = {}
    exec(COUNT, found)
    assert max(client.run(found["faults"]).values()) < 1000


def test_a_worker_that_dies_costs_nothing_but_time(wide, trained, tmp_path, client):
    cube.save_season(wide, tmp_path / "season.zarr")
    season = cube.open_season(tmp_path / "season.zarr")
    wanted = predict.season_map(
        trained, season, tmp_path / "wanted.tif", progress=False, tile=16
    ).read_bytes()
    first = min(client.run(os.getpid).values())
    killer = f"""
import glob, os, time
while len(glob.glob({str(tmp_path)!r} + '/.map.tif.part/[0-9]*.npz')) < 5: time.sleep(0.01)
os.kill({first}, 9)
"""
    with subprocess.Popen([sys.executable, "-c", killer]) as process:
        path = predict.season_map(
            trained, season, tmp_path / "map.tif", progress=False, tile=16, client=client
        )
    assert process.returncode == 0
    assert path.read_bytes() == wanted
    client.wait_for_workers(2)
    assert first not in client.run(os.getpid).values()


def test_the_command_line_uses_a_cluster_and_writes_all_that_is_asked(
    wide, trained, tmp_path, client
):
    cube.save_season(wide, tmp_path / "season.zarr")
    train.save(trained, tmp_path / "weights.safetensors")
    more = [
        "--probabilities",
        f"{tmp_path}/p.tif",
        "--entropy",
        f"{tmp_path}/e.tif",
        "--precision",
        "bf16",
        "--tile",
        "64",
    ]
    assert main(command(tmp_path, *more, "--scheduler", client.scheduler.address)) == 0
    found = {name: read(tmp_path / f"{name}.tif") for name in ("map", "p", "e")}
    known = found["map"] != 255
    assert found["p"].shape == (3, ROWS, COLUMNS) and found["e"].shape == (1, ROWS, COLUMNS)
    chosen = np.take_along_axis(found["p"], np.where(known, found["map"], 0), 0)
    np.testing.assert_array_equal(chosen[known], found["p"].max(0, keepdims=True)[known])
    assert (found["e"][known] <= 250).all() and (found["e"][~known] == 255).all()


def test_a_tile_that_fails_on_a_worker_is_named(wide, trained, tmp_path, client):
    with pytest.raises(
        OSError, match=r"rows 64 to 128 and columns 128 to 160 failed \(chunk is damaged\)"
    ):
        predict.season_map(
            trained,
            broken(wide, 100, 148),
            tmp_path / "map.tif",
            tile=64,
            progress=False,
            client=client,
        )


def test_a_season_in_memory_is_not_sent_to_workers(wide, trained, tmp_path, client):
    big = wide.isel(y=np.arange(1200) % ROWS, x=np.arange(1200) % COLUMNS)
    big = big.assign_coords(
        x=400_005.0 + 10 * np.arange(1200), y=5_800_000.0 - 10 * np.arange(1200)
    )
    for season in (big, big.chunk(y=100)):
        with pytest.raises(
            ValueError,
            match=r"lies in memory \(58 MB\).*open it with cube.open_season and do not load it",
        ):
            predict.season_map(trained, season, tmp_path / "map.tif", progress=False, client=client)


# ----------------------------------------------------------------------------------------- one tile


def test_tiles_cover_the_scene_once():
    seen = np.zeros((100, 70), int)
    for rows, columns in tiles.tile_grid((100, 70), 32):
        seen[rows, columns] += 1
    assert (seen == 1).all()


def test_the_form_for_inference_computes_the_same(season):
    trained = a_network(season, width=16)
    x = torch.randn(3, 5, 2, PATCH, PATCH)
    with torch.inference_mode():
        for head, wanted in zip(
            tiles.inference_form(trained.model)(x), trained.model(x), strict=True
        ):
            torch.testing.assert_close(head, wanted, rtol=1e-4, atol=1e-5)
    folded = tiles.inference_form(trained.model).trunk
    assert not [module for module in folded.modules() if isinstance(module, torch.nn.BatchNorm2d)]


def test_what_is_no_season_is_not_mapped(season, trained, tmp_path):
    decibel = season.copy()
    decibel["vh"] = (10 * np.log10(season.vh)).assign_attrs(units="dB")
    for wrong, words in (
        (decibel, "'vh' is in dB"),
        (season.transpose("time", "x", "y"), "expected .'time', 'y', 'x'."),
    ):
        with pytest.raises(cube.SeasonError, match=words):
            predict.season_map(trained, wrong, tmp_path / "map.tif")


def test_a_tile_that_was_spoilt_on_the_disk_is_computed_again(tmp_path):
    """As a power cut leaves it: empty, cut, of zeros within, or of another tile."""
    grid = tiles.tile_grid((32, 48), 16)
    kept = parts.Parts({"map": tmp_path / "map.tif"}, grid, {"tile": 16}, overwrite=False)
    for tile in grid:
        kept.keep(tile, {"map": np.full((1, 16, 16), 7, np.uint8)})
    assert kept.left() == []
    files = [kept.folder / f"{rows.start}_{columns.start}.npz" for rows, columns in grid]
    whole = files[0].read_bytes()
    middle = len(whole) // 2
    files[0].write_bytes(b"")
    files[1].write_bytes(whole[:middle])
    files[2].write_bytes(whole[:middle] + bytes(8) + whole[middle + 8 :])
    kept.keep(grid[3], {"map": np.zeros((1, 16, 8), np.uint8)})
    again = parts.Parts({"map": tmp_path / "map.tif"}, grid, {"tile": 16}, overwrite=False)
    assert again.left() == grid[:4]


def test_two_maps_of_one_name_are_told_apart(season, trained, tmp_path):
    """The second leaves the tiles of the first alone."""
    hold = "import sys; from stma_nb.files import one_writer\nwith one_writer(sys.argv[1]): "
    other = subprocess.Popen(
        [sys.executable, "-c", f"{hold}print(1, flush=True); input()", tmp_path / "map.tif"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert other.stdout.readline()
    for overwrite in (False, True):
        with pytest.raises(OSError, match="Another process is writing '.*map.tif': wait until"):
            predict.season_map(trained, season, tmp_path / "map.tif", overwrite=overwrite)
    other.communicate(b"\n")
    predict.season_map(trained, season, tmp_path / "map.tif", progress=False)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["map.tif", "map.tif.aux.xml"]


def test_a_map_replaces_nothing_that_it_is_made_from(season, trained, tmp_path):
    folder = cube.save_season(season, tmp_path / "season")
    train.save(trained, tmp_path / "weights.safetensors")
    labels = (folder / "crop.tif").read_bytes()
    parcel = folder / "parcel.tif"
    with pytest.raises(ValueError, match="is read .* and would be replaced"):
        predict.season_map(trained, season, parcel, parcels=parcel, overwrite=True)
    arguments = ["map", f"{tmp_path}/weights.safetensors", str(folder), f"{folder}/crop.tif"]
    assert main([*arguments, "--overwrite"]) == 1
    assert (folder / "crop.tif").read_bytes() == labels
