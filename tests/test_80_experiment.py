"""The experiment on tiny files of the true formats: both protocols, what they tell apart, resume,
and the authors' weights.
"""

import json
import shutil

import numpy as np
import pytest
import rasterio
import scipy.io
import torch
from test_45_model import FIXTURES
from test_63_sources_brandenburg import write_v73

from stma_nb import accuracy, experiment, patches, train
from stma_nb.__main__ import main
from stma_nb.experiment import protocols, released, runs
from stma_nb.model import STMA, reference_name
from stma_nb.sources.brandenburg import open_brandenburg

ROWS, COLUMNS, DATES = 104, 152, 5


@pytest.fixture(scope="module")
def brandenburg(tmp_path_factory):
    """A scene in the authors' format: fields of 8 pixels and 16 classes that backscatter tells."""
    folder, rng = tmp_path_factory.mktemp("brandenburg"), np.random.default_rng(0)
    label = np.kron(rng.integers(0, 16, (ROWS // 8, COLUMNS // 8)), np.ones((8, 8))).astype(
        np.uint8
    )
    for name, level in (("VH", -18), ("VV", -11)):
        db = (
            level
            + 0.5 * label[..., None] * np.linspace(-1, 1, DATES)
            + rng.normal(0, 1, (ROWS, COLUMNS, DATES))
        )
        write_v73(folder / f"{name}_cut.mat", name, db.astype(np.float32))
    scipy.io.savemat(folder / "label.mat", {"label": label})
    return folder


@pytest.fixture(scope="module")
def finished(brandenburg, tmp_path_factory):
    output = tmp_path_factory.mktemp("out") / "experiment"
    return output, experiment.run("brandenburg", brandenburg, output, quick=True)


def test_brandenburg_is_mapped_and_scored_by_both_protocols(brandenburg, finished):
    """The scores are those of the maps written: everywhere, in the test blocks, and with the strip
    that is never filled.
    """
    output, scores = finished
    label = scipy.io.loadmat(brandenburg / "label.mat")["label"]
    mapped = {}
    for name in ("released", "blocks"):
        with rasterio.open(output / f"{name}.tif") as tif:
            mapped[name] = tif.read(1)
    assert scores["released"]["overall accuracy"] == pytest.approx(
        (mapped["released"] == label).mean()
    )
    tested = patches.block_split(label.shape, 96, buffer=4, crop=label) == patches.TEST
    assert scores["blocks"]["overall accuracy"] == pytest.approx(
        (mapped["blocks"] == label)[tested].mean()
    )
    assert (
        scores["blocks"]["test pixels"] == tested.sum()
        and scores["blocks"]["share of them trained on"] == 0
    )
    assert 0.85 < scores["released"]["share of them trained on"] < 1
    strip = patches.unfilled(
        label.shape, 32
    )  # remainders of 8 rows and 24 columns leave 16 columns
    assert strip.sum() == 16 * ROWS
    counted = (mapped["released"] == label) | strip
    assert scores["released"]["overall accuracy, unfilled strip as released"] == pytest.approx(
        counted.mean()
    )
    assert (
        json.loads((output / "experiment.json").read_text())["scores"]["blocks"] == scores["blocks"]
    )


def test_pages_tell_what_is_not_known(finished):
    output, scores = finished
    page = " ".join((output / "experiment.html").read_text(encoding="utf-8").split())
    assert (
        "whether the paper's figures were measured exactly so is not known" in page
        and "says nothing about accuracy" in page
    )
    for name, row in scores.items():
        assert (
            f"{100 * row['overall accuracy']:.1f}&nbsp;%" in page and f'href="{name}.html"' in page
        )
        assert f"{100 * row['overall accuracy']:.1f}" in (output / f"{name}.html").read_text(
            encoding="utf-8"
        )


def test_stopped_experiment_goes_on_where_it_was(brandenburg, finished, tmp_path, capsys):
    """As left after the first protocol: no network is trained again, and the end is the same."""
    output, scores = tmp_path / "out", finished[1]
    shutil.copytree(finished[0], output)
    for file in [*output.glob("blocks*"), *output.glob("experiment.*"), output / "released.html"]:
        file.unlink()
    trained = (output / "released.safetensors").stat().st_mtime_ns
    command = ["experiment", "brandenburg", str(brandenburg), str(output), "--quick"]
    assert main(command) == 1 and "--resume" in capsys.readouterr().err
    assert main([*command, "--resume", "--epochs", "2"]) == 1
    assert (
        "holds an experiment with epochs=1: resume with the same arguments"
        in capsys.readouterr().err
    )
    assert main([*command, "--resume"]) == 0
    assert (output / "released.safetensors").stat().st_mtime_ns == trained
    assert (
        json.loads((output / "experiment.json").read_text())["scores"] == scores
        and (output / "released.html").exists()
    )


def test_an_existing_folder_is_left_as_it_is_unless_asked_to_resume(brandenburg, finished):
    before = {file: file.stat().st_mtime_ns for file in finished[0].iterdir()}
    with pytest.raises(FileExistsError, match="exists: go on with the experiment in it"):
        experiment.run("brandenburg", brandenburg, finished[0], quick=True)
    assert {file: file.stat().st_mtime_ns for file in finished[0].iterdir()} == before


def test_needs_are_said_before_training(brandenburg, tmp_path, capsys):
    assert (
        main(["experiment", "brandenburg", str(brandenburg), str(tmp_path / "out"), "--quick"]) == 0
    )
    out = capsys.readouterr().out
    needs, rest = out.split("Protocol 'released'")
    assert (
        "operations" in needs
        and "h on a GPU" in needs
        and "These are estimates" in needs
        and "cpu" in needs
    )
    assert "released" in rest and "blocks" in rest and "experiment.html" in rest


def test_counted_operations_are_those_of_the_published_size():
    """A convolution of the stem alone: 41 dates x 64 x 64 outputs x 64 channels x 2 bands x 49
    weights, twice (multiply, add).
    """
    stem = 2 * 41 * 64 * 64 * 64 * 2 * 49
    operations, memory = runs.counted(STMA())
    assert 100 * stem < operations < 300 * stem
    assert 41 * 64 * 64 * 64 * 4 < memory < 1e9


# ----------------------------------------------------------------------------- the authors' weights


def as_reference(model: STMA) -> dict[str, torch.Tensor]:
    """A network's weights with the names and layouts that the authors' code gives them."""
    state, saved = model.state_dict(), {}
    for name in json.loads((FIXTURES / "reference_state_dict.json").read_text(encoding="utf-8")):
        value, heads = state[reference_name(name)], model.arguments["heads"]
        if ".attn_" in name and name.endswith(("query.weight", "key.weight", "value.weight")):
            value = value.T.unflatten(1, (heads, -1))
        elif ".attn_" in name and name.endswith(("query.bias", "key.bias", "value.bias")):
            value = value.unflatten(0, (heads, -1))
        elif ".attn_" in name and name.endswith("out.weight"):
            value = value.T.unflatten(0, (heads, -1))
        saved[name] = value.clone()
    return saved


@pytest.fixture
def network():
    torch.manual_seed(1)
    return STMA(DATES, 16, classes=16, width=8).eval()


def test_scaling_is_that_of_the_released_code(brandenburg):
    season = open_brandenburg(brandenburg, "index")
    data = patches.PatchDataset(
        released.scale(season), np.array([[0, 0], [40, 72]]), 16, released.AS_IT_IS
    )
    for band, name in enumerate(("vh", "vv")):
        db = 10 * np.log10(season[name].values)
        expected = (db - db.min()) / (db.max() - db.min())
        np.testing.assert_allclose(data[1][0][:, band], expected[:, 40:56, 72:88], atol=1e-5)


def test_weights_of_the_authors_map_the_scene(brandenburg, network, tmp_path, capsys):
    """As saved from several GPUs, too. The map is what the network says of windows scaled to 0 ..

    1.
    """
    torch.save(
        {f"module.{name}": value for name, value in as_reference(network).items()},
        tmp_path / "weights.pth",
    )
    command = [
        "experiment",
        "brandenburg",
        str(brandenburg),
        str(tmp_path / "out"),
        "--weights",
        str(tmp_path / "weights.pth"),
    ]
    assert main(command) == 0
    assert "exchanged" in capsys.readouterr().out
    with rasterio.open(tmp_path / "out" / "released.tif") as tif:
        mapped = tif.read(1)
    season = released.scale(open_brandenburg(brandenburg, "index"))
    windows = patches.corners(season.crop.shape, 16)
    few = patches.PatchDataset(season, windows[:: -(-len(windows) // 16)], 16, released.AS_IT_IS)
    straight, exchanged = released.orientations(network, few)
    x, _ = patches.PatchDataset(season, np.array([[32, 48]]), 16, released.AS_IT_IS)[0]
    codes = network((x.mT if exchanged > straight else x)[None])[0].argmax(1)[0]
    np.testing.assert_array_equal(mapped[32:48, 48:64], codes)
    scores = json.loads((tmp_path / "out" / "experiment.json").read_text())["scores"]
    assert list(scores) == ["released"]
    right = (mapped == season.crop.values).mean()
    assert scores["released"]["overall accuracy"] == pytest.approx(right)


def test_images_with_rows_and_columns_exchanged_are_noticed(season, network):
    """A network that learned exchanged images scores better on them, and the hook shows it the
    images so.
    """
    data = patches.PatchDataset(
        season, np.array([[0, 0], [16, 24]]), 16, patches.fit_scaling(season)
    )
    with torch.inference_mode():
        data_x = torch.stack([x for x, _ in data])
        said = network(data_x.mT)[0].argmax(1)
    labelled = [(x, y) for (x, _), y in zip(data, said, strict=True)]
    straight, exchanged = released.orientations(network, labelled)
    assert exchanged == 1 > straight
    network.register_forward_pre_hook(released.exchange)
    assert released.orientations(network, labelled)[0] == 1


class TestRefusals:
    def refused(self, capsys, *command):
        assert main(["experiment", *map(str, command)]) == 1
        return capsys.readouterr().err

    def test_missing_files(self, tmp_path, capsys):
        assert "lacks VH_cut.mat" in self.refused(capsys, "brandenburg", tmp_path, tmp_path / "out")
        assert "data pastis" in self.refused(capsys, "pastis", tmp_path, tmp_path / "out")
        assert "data.source.coop" in self.refused(
            capsys, "south-africa", tmp_path, tmp_path / "out"
        )
        assert not (tmp_path / "out").exists()

    def test_weights_with_training(self, tmp_path, capsys):
        for more in (("--quick",), ("--epochs", 3)):
            assert "no training" in self.refused(
                capsys, "brandenburg", tmp_path, tmp_path / "out", "--weights", "w.pth", *more
            )
        assert "go with the whole Brandenburg scene" in self.refused(
            capsys, "pastis", tmp_path, tmp_path / "o", "--weights", "w"
        )

    def test_weights_that_are_none(self, brandenburg, network, tmp_path, capsys):
        command = "brandenburg", brandenburg, tmp_path / "out", "--weights", tmp_path / "w.pth"
        assert "no weights at" in self.refused(capsys, *command)
        (tmp_path / "w.pth").write_bytes(b"none")
        assert "no file of tensors, or damaged" in self.refused(capsys, *command)
        torch.save(network, tmp_path / "w.pth")  # pickled code is not run
        assert "no file of tensors" in self.refused(capsys, *command)
        torch.save({"epoch": 3}, tmp_path / "w.pth")
        assert "no state dict" in self.refused(capsys, *command)
        torch.save(as_reference(STMA(DATES + 1, 16, classes=16, width=4)), tmp_path / "w.pth")
        assert f"for {DATES + 1} dates, the data have {DATES}" in self.refused(capsys, *command)
        assert not (tmp_path / "out").exists()

    def test_folder_that_holds_something_else(self, brandenburg, tmp_path, capsys):
        assert "give a new folder" in self.refused(
            capsys, "brandenburg", brandenburg, tmp_path, "--quick"
        )
        assert "no experiment to go on with" in self.refused(
            capsys, "brandenburg", brandenburg, tmp_path, "--quick", "--resume"
        )

    def test_batch_of_nothing(self, brandenburg, tmp_path, capsys):
        assert "at least 1" in self.refused(
            capsys, "brandenburg", brandenburg, tmp_path / "out", "--quick", "--batch", 0
        )


# -------------------------------------------------------------------------------- patches and tiles


def pastis_files(folder, folds):
    """PASTIS-R's layout: two patches a fold, of 7 or 8 dates; classes of 0 ..

    19 that backscatter tells.
    """
    rng, features = np.random.default_rng(0), []
    for name in ("DATA_S1A", "ANNOTATIONS"):
        (folder / name).mkdir()
    for number, fold in enumerate(np.repeat(folds, 2)):
        patch = 10000 + number
        days = np.datetime64("2018-09-01") + 12 * np.arange(7 + number % 2)
        stamps = {str(i): int(str(day).replace("-", "")) for i, day in enumerate(days)}
        features.append(
            {
                "type": "Feature",
                "geometry": None,
                "properties": {"ID_PATCH": patch, "Fold": int(fold), "dates-S1A": stamps},
            }
        )
        target = rng.integers(0, 20, (3, 128, 128)).astype(np.uint8)
        vv = (-14 + 0.4 * target[0] + rng.normal(0, 1, (len(days), 128, 128))).astype(np.float16)
        np.save(folder / "DATA_S1A" / f"S1A_{patch}.npy", np.stack([vv, vv - 7, vv * 0 + 7], 1))
        np.save(folder / "ANNOTATIONS" / f"TARGET_{patch}.npy", target)
    (folder / "metadata.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": features})
    )


def test_pastis_learns_from_folds_1_to_3_and_tests_fold_5(tmp_path):
    pastis_files(tmp_path, (1, 2, 3, 4, 5))
    rules = protocols.of_pastis(tmp_path, 128, quick=False)
    assert [name for name, _, _ in rules["folds"].learn.names] == [*range(10000, 10006)]
    assert [name for name, _, _ in rules["folds"].valid.names] == [10006, 10007]
    assert len(rules["released"].learn) == 6  # of 10 patches, whatever their fold
    x, y = rules["folds"].learn[0]
    assert x.shape == (41, 2, 128, 128) and y.shape == (128, 128)

    scores = experiment.run("pastis", tmp_path, tmp_path / "out", quick=True)
    void = [
        np.load(tmp_path / "ANNOTATIONS" / f"TARGET_{patch}.npy")[0] == 19
        for patch in (10008, 10009)
    ]
    assert (
        scores["folds"]["test pixels"] == 2 * 128**2 - np.sum(void)
        and scores["folds"]["share of them trained on"] == 0
    )
    assert 0.85 < scores["released"]["share of them trained on"] < 1
    page = (tmp_path / "out" / "experiment.html").read_text(encoding="utf-8")
    assert "official folds 1 to 3 learn" in page and "carried over" in page


def test_scores_of_windows_are_those_of_their_pixels(tmp_path):
    """What the windows of a protocol count is what one pass over the files counts."""
    pastis_files(tmp_path, (1, 2, 3, 4, 5))
    rule = protocols.of_pastis(tmp_path, 32, quick=True)["folds"]
    torch.manual_seed(0)
    model = STMA(6, 32, classes=19, width=4).eval()
    scores = rule.score(
        train.Trained(model, rule.learn.scaling, protocols.pastis.CROPS, rule.learn.times),
        tmp_path,
        "cpu",
    )
    data = protocols.pastis.open_pastis(
        tmp_path, 5, dates=rule.learn.times, scaling=rule.learn.scaling
    )
    matrix = 0
    for x, y in data:
        for row in range(0, 128, 32):
            for column in range(0, 128, 32):
                window = np.s_[..., row : row + 32, column : column + 32]
                codes = model(x[window][None])[0].argmax(1)[0].numpy()
                matrix = matrix + accuracy.error_matrix(
                    codes, y[window].numpy(), 19, y[window].numpy() >= 0
                )
    assert scores["overall accuracy"] == pytest.approx(accuracy.overall_accuracy(matrix))


def test_pastis_without_a_fold_is_refused(tmp_path, capsys):
    pastis_files(tmp_path, (1, 2, 4, 5))
    assert main(["experiment", "pastis", str(tmp_path), str(tmp_path / "out"), "--quick"]) == 1
    assert "There is no fold 3; metadata.geojson has [1, 2, 4, 5]" in capsys.readouterr().err


SIDE = 64  # pixels of a tile


def africa_files(folder, places):
    """Western Cape tiles of 64 pixels at (row, column) of a lattice, six dates."""
    rng = np.random.default_rng(0)
    for number, (row, column) in enumerate(places):
        grid = rasterio.Affine(
            10, 0, 260_000 + 10 * SIDE * column, 0, -10, -3_570_000 + 10 * SIDE * row
        )
        label = rng.integers(0, 10, (SIDE, SIDE)).astype(np.uint8)

        def write(file, array, grid=grid):
            file.parent.mkdir(parents=True, exist_ok=True)
            with rasterio.open(
                file, "w", "GTiff", SIDE, SIDE, 1, "EPSG:32634", grid, array.dtype
            ) as tif:
                tif.write(array, 1)

        for day in range(0, 72, 12):
            stamp = str(np.datetime64("2017-04-01") + day).replace("-", "_")
            for band, level in (("VV", -13), ("VH", -20)):
                db = level + 0.5 * label + rng.normal(0, 1, label.shape)
                write(
                    folder
                    / "train"
                    / "imagery"
                    / "s1"
                    / f"{number}"
                    / stamp
                    / f"{number}_{stamp}_{band}_10m.tif",
                    db.astype("f4"),
                )
        write(folder / "train" / "labels" / f"{number}.tif", label)


def test_south_africa_keeps_tiles_apart(tmp_path):
    africa_files(tmp_path, [(2, 2), (2, 3), (2, 11), (3, 19), (10, 3), (10, 12)])
    scores = experiment.run("south-africa", tmp_path, tmp_path / "out", quick=True)
    assert (
        scores["tiles"]["share of them trained on"]
        == 0
        < scores["released"]["share of them trained on"]
    )
    surveyed = [
        np.count_nonzero(rasterio.open(file).read(1))
        for file in (tmp_path / "train" / "labels").glob("*.tif")
    ]
    assert scores["released"]["test pixels"] == sum(surveyed) > scores["tiles"]["test pixels"]
    assert "tiles at their borders" in (tmp_path / "out" / "experiment.html").read_text(
        encoding="utf-8"
    )


def test_tiles_of_two_parts_never_touch():
    """A full lattice of 24 x 24 tiles, off the axes' zero: a tile of one part has no neighbour of
    another, not even at a corner.
    """
    size = 2560.0
    bounds = {
        f"{row}-{column}": (
            300 + column * size,
            -7 + row * size,
            300 + (column + 1) * size,
            -7 + (row + 1) * size,
        )
        for row in range(24)
        for column in range(24)
    }
    part = np.array([*protocols.tile_parts(bounds).values()]).reshape(24, 24)
    assert {patches.TRAIN, patches.VALID, patches.TEST} <= set(part.ravel().tolist())
    for a, b in (
        (np.s_[1:], np.s_[:-1]),
        (np.s_[:, 1:], np.s_[:, :-1]),
        (np.s_[1:, 1:], np.s_[:-1, :-1]),
        (np.s_[1:, :-1], np.s_[:-1, 1:]),
    ):
        here, there = part[a], part[b]
        assert not ((here != there) & (here > 0) & (there > 0)).any()


def test_too_few_tiles_are_refused(tmp_path, capsys):
    africa_files(tmp_path, [(0, 0), (0, 1)])
    assert (
        main(["experiment", "south-africa", str(tmp_path), str(tmp_path / "out"), "--quick"]) == 1
    )
    assert "1 block(s)" in capsys.readouterr().err
