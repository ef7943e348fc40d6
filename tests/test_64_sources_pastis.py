"""PASTIS-R written small in its true layout (npy, GeoJSON), and what series of irregular dates
become.
"""

import functools
import http.server
import json
import shutil
import threading

import numpy as np
import pytest
import torch
from rasterio.warp import transform

from stma_nb import cube, train
from stma_nb.__main__ import main
from stma_nb.model import STMA
from stma_nb.patches import FLOOR, IGNORE
from stma_nb.sources import pastis
from stma_nb.sources.series import FilePatches, common_calendar, to_calendar

SIDE = 128


def days(*numbers):
    return np.datetime64("2018-09-01", "ns") + np.array(numbers) * np.timedelta64(1, "D")


# West and north edge of each patch, metres in UTM zone 30: three lie together, one 13 km away.
CORNERS = {
    10000: (600000, 5500000),
    10003: (601280, 5500000),
    20010: (600000, 5498720),
    20011: (613000, 5498720),
    30002: (613000, 5500000),
    40000: (650000, 5450000),
}


def square(west, north):
    """The outline of a patch as metadata.geojson has it, in EPSG:2154."""
    x, y = (
        [west, west + 1280, west + 1280, west, west],
        [north, north, north - 1280, north - 1280, north],
    )
    x, y = transform("EPSG:32630", "EPSG:2154", x, y)
    return {"type": "Polygon", "coordinates": [list(map(list, zip(x, y, strict=True)))]}


@pytest.fixture
def folder(tmp_path):
    """Six patches, two a fold in folds 1, 2 and 5, each with 7 to 9 acquisitions on dates of its
    own.
    """
    rng = np.random.default_rng(0)
    for name in ("DATA_S1A", "DATA_S1D", "ANNOTATIONS"):
        (tmp_path / name).mkdir()
    features = []
    for number, patch in enumerate([10000, 10003, 20010, 20011, 30002, 40000]):
        properties = {"ID_PATCH": patch, "Fold": (1, 1, 2, 2, 5, 5)[number], "TILE": "t30uxv"}
        for track, shift in (("S1A", 0), ("S1D", 3)):
            when = days(*(12 * np.arange(7 + number % 3) + number + shift))
            stamps = [int(str(day)[:10].replace("-", "")) for day in when]
            properties[f"dates-{track}"] = {str(index): stamp for index, stamp in enumerate(stamps)}
            vv = (
                rng.normal(-11, 3, (len(when), SIDE, SIDE))
                + 0.1 * np.arange(len(when))[:, None, None]
            )
            vh = vv - 7
            np.save(
                tmp_path / f"DATA_{track}" / f"{track}_{patch}.npy",
                np.stack([vv, vh, vv - vh], 1).astype(np.float16),
            )
        target = rng.integers(0, 20, (3, SIDE, SIDE)).astype(np.uint8)
        np.save(tmp_path / "ANNOTATIONS" / f"TARGET_{patch}.npy", target)
        features.append(
            {
                "type": "Feature",
                "id": str(patch),
                "properties": properties,
                "geometry": square(*CORNERS[patch]),
            }
        )
    (tmp_path / "metadata.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": features})
    )
    return tmp_path


def edit_metadata(folder, change):
    file = folder / "metadata.geojson"
    content = json.loads(file.read_text())
    change(content["features"][1]["properties"])
    file.write_text(json.dumps(content))


class TestCalendar:
    def test_takes_the_nearest_acquisition_unchanged(self):
        power = np.random.default_rng(0).random((4, 2, 3, 3), np.float32)
        moved = to_calendar(power, days(0, 12, 24, 36), days(1, 11, 20, 36))
        np.testing.assert_array_equal(moved, power[[0, 1, 2, 3]])
        moved = to_calendar(power, days(0, 12, 24, 36), days(5, 7, 40))
        np.testing.assert_array_equal(moved, power[[0, 1, 3]])

    def test_own_dates_change_nothing(self):
        power = np.random.default_rng(0).random((4, 2, 3, 3), np.float32)
        np.testing.assert_array_equal(
            to_calendar(power, days(0, 9, 24, 36), days(0, 9, 24, 36)), power
        )

    def test_long_gaps_stay_gaps(self):
        power = np.ones((2, 1), np.float32)
        moved = to_calendar(power, days(0, 100), days(0, 24, 50, 76, 100))
        np.testing.assert_array_equal(np.isnan(moved[:, 0]), [False, False, True, False, False])
        outside = days(24) + np.timedelta64(1, "h"), days(76) - np.timedelta64(1, "h")
        assert np.isnan(to_calendar(power, days(0, 100), np.concatenate(outside))).all()
        moved = to_calendar(power, days(0, 100), days(12, 13, 87, 88), gap=12)
        np.testing.assert_array_equal(np.isnan(moved[:, 0]), [False, True, True, False])

    def test_images_and_dates_must_agree(self):
        with pytest.raises(ValueError, match="3 images and 2 dates"):
            to_calendar(np.ones((3, 1)), days(0, 1), days(0))

    def test_common_calendar_lies_in_the_period_of_all_series(self):
        calendar = common_calendar([days(0, 50, 90), days(10, 100), days(5, 80)], 8)
        assert (calendar[0], calendar[-1], len(calendar)) == (days(10)[0], days(80)[0], 8)
        with pytest.raises(
            ValueError, match="the period that all series share is 2018-09-11 to 2018-09-06"
        ):
            common_calendar([days(0, 5), days(10, 100)], 8)
        with pytest.raises(ValueError, match="do not fit"):
            common_calendar([days(0, 5)], 8)


def test_given_scale_stands_for_itself():
    assert cube.guess_scale(np.array([100.0, 200.0]), (0.1, -30), "x") == (0.1, -30)
    assert cube.guess_scale(np.array([-10.0]), None, "x") == "dB"
    with pytest.raises(cube.SeasonError, match="scale is 'decibel'"):
        cube.guess_scale(np.array([-10.0]), "decibel", "x")


def test_patch_has_vh_first_on_the_common_calendar(folder):
    data = pastis.open_pastis(folder, folds=1, dates=6)
    assert len(data) == 2 and len(data.times) == 6
    x, y = data[1]
    assert x.shape == (6, 2, SIDE, SIDE) and x.dtype == torch.float32 and y.shape == (SIDE, SIDE)
    stored = np.load(folder / "DATA_S1A" / "S1A_10003.npy").astype(np.float64)
    _, times = pastis.metadata(folder)
    nearest = np.abs(data.times[:, None] - times[10003]).argmin(1)
    for band, channel in enumerate((1, 0)):  # VH, VV
        db = np.maximum(stored[nearest, channel], 10 * np.log10(FLOOR))
        expected = (db - data.scaling.mean[band]) / data.scaling.std[band]
        np.testing.assert_allclose(x[:, band], expected, atol=1e-3)


def test_the_calendar_has_the_dates_of_the_paper_unless_asked_otherwise(folder):
    data = pastis.open_pastis(folder, folds=(1, 2))
    assert len(data.times) == 41 and data[0][0].shape == (41, 2, SIDE, SIDE)


def test_void_is_ignored_and_background_counts(folder):
    target = np.load(folder / "ANNOTATIONS" / "TARGET_10000.npy")[0]
    _, y = pastis.open_pastis(folder, folds=1, dates=6)[0]
    np.testing.assert_array_equal(y == IGNORE, target == 19)
    np.testing.assert_array_equal(y[target < 19], target[target < 19])
    assert (
        len(pastis.CROPS) == 19
        and pastis.CROPS[0].name == "Background"
        and pastis.CROPS[18].name == "Sorghum"
    )


def test_scaling_is_that_of_the_folds(folder):
    """One pass over the files gives the mean and standard deviation of the training folds, and of
    these alone.
    """
    learn = pastis.open_pastis(folder, folds=(1, 2), dates=6)
    power = np.stack([learn.read(name)[0] for name in learn.names])
    db = 10 * np.log10(np.maximum(power, FLOOR)).astype(np.float64)
    np.testing.assert_allclose(learn.scaling.mean, db.mean((0, 1, 3, 4)), rtol=1e-5)
    np.testing.assert_allclose(learn.scaling.std, db.std((0, 1, 3, 4)), rtol=1e-5)
    test = pastis.open_pastis(folder, folds=5, dates=6, scaling=learn.scaling)
    assert test.scaling == learn.scaling
    assert pastis.open_pastis(folder, folds=5, dates=6).scaling != learn.scaling


def test_folds_share_the_calendar_and_no_patch(folder):
    one, two = (pastis.open_pastis(folder, folds=fold, dates=6) for fold in (1, 5))
    np.testing.assert_array_equal(one.times, two.times)
    assert not set(one.names) & set(two.names)


def test_tracks_have_their_own_images_and_dates(folder):
    ascending, descending = (
        pastis.open_pastis(folder, 1, track, dates=6) for track in ("S1A", "S1D")
    )
    assert (descending.times - ascending.times == np.timedelta64(3, "D")).all()
    assert not torch.equal(ascending[0][0], descending[0][0])


def test_patches_suit_a_network(folder):
    data = pastis.open_pastis(folder, folds=1, dates=4, augment=True)
    scores = train.validate(STMA(dates=4, patch=SIDE, classes=19, width=2), data, batch=2)
    assert np.isfinite(scores["valid_loss"]) and 0 <= scores["accuracy"] <= 1


def one_of_many(name):
    """A patch of a data set of files: power that rises with its number, and labels that the power
    tells.
    """
    rng = np.random.default_rng(int(name))
    y = rng.integers(0, 2, (16, 16))
    return (0.01 * (1 + y) * rng.gamma(4.4, 1 / 4.4, (3, 2, 16, 16))).astype(np.float32), y


def test_training_on_files_resumes_as_if_it_never_stopped(tmp_path):
    """``train.fit`` takes patches from files as it takes those of a season: checkpoint, resume,
    weights with their scaling.
    """
    crops = (cube.Crop("Bare", "#000000"), cube.Crop("Crop", "#ffffff"))
    learn = FilePatches(["1", "2", "3"], one_of_many, days(0, 12, 24), crops, 16, augment=True)
    valid = FilePatches(["4"], one_of_many, days(0, 12, 24), crops, 16, learn.scaling)
    arguments = dict(epochs=2, batch=2, device="cpu", watch=lambda history: None)

    def network():
        torch.manual_seed(0)
        return STMA(dates=3, patch=16, classes=2, width=2)

    def stop(history):
        raise KeyboardInterrupt

    whole = train.fit(network(), learn, valid, **arguments)
    with pytest.raises(KeyboardInterrupt):
        train.fit(
            network(), learn, valid, **arguments | {"watch": stop}, checkpoint=tmp_path / "state"
        )
    other = FilePatches(
        ["1", "2", "5"], one_of_many, days(0, 12, 24), crops, 16, learn.scaling, augment=True
    )
    with pytest.raises(ValueError, match="patches"):
        train.fit(network(), other, valid, **arguments, checkpoint=tmp_path / "state", resume=True)
    resumed = train.fit(
        network(), learn, valid, **arguments, checkpoint=tmp_path / "state", resume=True
    )
    assert [entry["loss"] for entry in resumed.history] == [
        entry["loss"] for entry in whole.history
    ]
    train.save(whole, tmp_path / "weights.safetensors")
    again = train.load(tmp_path / "weights.safetensors")
    assert again.scaling == learn.scaling and again.crops == crops


class TestWrongData:
    def test_fold_that_does_not_exist(self, folder):
        with pytest.raises(cube.SeasonError, match=r"no fold 7; metadata.geojson has \[1, 2, 5\]"):
            pastis.open_pastis(folder, folds=(1, 7))

    def test_track_that_does_not_exist(self, folder):
        with pytest.raises(cube.SeasonError, match="expected 'S1A'"):
            pastis.open_pastis(folder, track="S2")

    def test_missing_metadata(self, tmp_path):
        with pytest.raises(FileNotFoundError, match="data pastis"):
            pastis.open_pastis(tmp_path)

    def test_truncated_metadata(self, folder):
        text = (folder / "metadata.geojson").read_text()
        (folder / "metadata.geojson").write_text(text[: len(text) // 2])
        with pytest.raises(cube.SeasonError, match="truncated"):
            pastis.open_pastis(folder)

    @pytest.mark.parametrize("key", ["dates-S1A", "Fold"])
    def test_patch_without_dates_or_fold(self, folder, key):
        edit_metadata(folder, lambda properties: properties.pop(key))
        with pytest.raises(cube.SeasonError, match=f"Patch 10003 has no {key}"):
            pastis.open_pastis(folder)

    def test_dates_written_as_text_are_read(self, folder):
        before = pastis.metadata(folder)[1][10003]
        edit_metadata(
            folder,
            lambda properties: properties.update(
                {"dates-S1A": json.dumps(properties["dates-S1A"])}
            ),
        )
        np.testing.assert_array_equal(pastis.metadata(folder)[1][10003], before)

    def test_fewer_dates_than_images(self, folder):
        edit_metadata(folder, lambda properties: properties["dates-S1A"].pop("3"))
        with pytest.raises(
            cube.SeasonError,
            match=r"S1A_10003.npy is \(8, 3, 128, 128\); expected \(7, 3, 128, 128\)",
        ):
            pastis.open_pastis(folder, folds=1, dates=6)

    def test_no_patch_of_the_folds(self, folder):
        (folder / "DATA_S1A" / "S1A_10003.npy").unlink()
        (folder / "ANNOTATIONS" / "TARGET_10000.npy").unlink()
        with pytest.raises(
            FileNotFoundError, match=r"None of the 2 patches of fold 1 is in .*--patches 16"
        ):
            pastis.open_pastis(folder, folds=1)

    def test_truncated_file(self, folder):
        file = folder / "DATA_S1A" / "S1A_10003.npy"
        file.write_bytes(file.read_bytes()[:50_000])
        with pytest.raises(cube.SeasonError, match="S1A_10003.npy' is no NumPy file, or truncated"):
            pastis.open_pastis(folder, folds=1, dates=6)

    def test_linear_power_instead_of_db(self, folder):
        file = folder / "DATA_S1A" / "S1A_10000.npy"
        np.save(file, 10 ** (np.load(file).astype(np.float32) / 10))
        with pytest.raises(cube.SeasonError, match="has a median of 0.0.*; expected dB"):
            pastis.open_pastis(folder, folds=1)

    def test_unknown_class(self, folder):
        file = folder / "ANNOTATIONS" / "TARGET_10000.npy"
        np.save(file, np.full((3, SIDE, SIDE), 20, np.uint8))
        with pytest.raises(
            cube.SeasonError, match=r"codes 20 .. 20; expected 128 x 128 codes 0 .. 19"
        ):
            pastis.open_pastis(folder, folds=1, dates=6)


def test_half_a_pastis_is_taken_and_told(folder, capsys):
    (folder / "DATA_S1A" / "S1A_10003.npy").unlink()
    data = pastis.open_pastis(folder, folds=(1, 2), dates=6)
    assert data.names == [10000, 20010, 20011]
    assert "3 of 4 patches of fold 1, 2 are in" in capsys.readouterr().out
    calendar = pastis.open_pastis(folder, folds=5, dates=6).times
    np.testing.assert_array_equal(data.times, calendar)


# ------------------------------------------------------------------------------ a few of PASTIS-HD


@pytest.fixture
def site(folder, tmp_path_factory, monkeypatch):
    """A server of our own that has what PASTIS-HD has, and what was asked of it."""
    place = tmp_path_factory.mktemp("site")
    shutil.copytree(folder, place, dirs_exist_ok=True)
    asked = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *words):
            asked.append(self.path)

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Handler, directory=str(place))
    )
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setattr(pastis, "HD", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr(pastis, "SHA256", {})
    yield place, asked
    server.shutdown()
    server.server_close()


def test_neighbours_lie_together(folder):
    assert set(pastis.neighbours(folder, 3)) == {10000, 10003, 20010}
    assert set(pastis.neighbours(folder, 2, folds=(5,))) == {30002, 40000}
    assert len(set(pastis.neighbours(folder, 6, folds=(1, 2, 5)))) == 6
    by_fold = pastis.neighbours(folder, 3, folds=(1, 2, 5))
    fold_of, _ = pastis.metadata(folder)
    assert [fold_of[patch] for patch in by_fold] == [1, 2, 5]
    with pytest.raises(cube.SeasonError, match="7 patches were asked for; expected 1 to 6"):
        pastis.neighbours(folder, 7)
    with pytest.raises(cube.SeasonError, match="no fold 3"):
        pastis.neighbours(folder, 2, folds=(3,))


def test_a_few_patches_are_fetched_and_no_more(site, tmp_path, capsys):
    place, asked = site
    to = tmp_path / "few"
    ids = pastis.fetch_few(to, 3)
    assert sorted(ids) == [10000, 10003, 20010]
    found = {str(file.relative_to(to)) for file in to.rglob("*.npy")}
    assert found == {f"DATA_S1A/S1A_{p}.npy" for p in ids} | {
        f"ANNOTATIONS/TARGET_{p}.npy" for p in ids
    }
    for name in found:
        assert (to / name).read_bytes() == (place / name).read_bytes()
    before = len(asked)
    assert pastis.fetch_few(to, 3) == ids and len(asked) == before, "nothing is fetched twice"
    data = pastis.open_pastis(to, folds=(1, 2), dates=6)
    assert data[0][0].shape == (6, 2, SIDE, SIDE)
    assert "3 of 4 patches" in capsys.readouterr().out
    assert pastis.fetch_few(to, [40000]) == [40000]
    with pytest.raises(cube.SeasonError, match="no patch 7; metadata.geojson lists 6"):
        pastis.fetch_few(to, [7])


def test_a_patch_that_is_not_the_published_one_is_refused(site, tmp_path, monkeypatch):
    place, _ = site
    monkeypatch.setattr(pastis, "SHA256", {10000: "0" * 64})
    with pytest.raises(ValueError, match="'S1A_10000.npy' is corrupt and was deleted"):
        pastis.fetch_few(tmp_path / "few", [10000])
    file = place / "DATA_S1A" / "S1A_10003.npy"
    file.write_bytes(file.read_bytes()[:-2])
    with pytest.raises(ValueError, match=r"bytes; expected 786560 for its 8 dates"):
        pastis.fetch_few(tmp_path / "few", [10003])


def test_the_size_is_that_of_65_dates():
    assert pastis.HEADER + 65 * 3 * pastis.SIDE**2 * 2 == 6_389_888


def test_neighbours_make_a_scene(folder):
    season = pastis.scene(folder, [10000, 10003, 20010], dates=6)
    assert dict(season.sizes) == {"time": 6, "y": 256, "x": 256}
    assert season.rio.bounds() == (600000, 5497440, 602560, 5500000)
    assert season.rio.crs.to_epsg() == 32630
    assert (
        np.isnan(season.vv.values[:, 128:, 128:]).all() and (season.crop[128:, 128:] == 255).all()
    )
    data = pastis.open_pastis(folder, folds=1, dates=season.time.values)
    power, labels = data.read(10003)
    np.testing.assert_array_equal(season.vh.values[:, :128, 128:], power[:, 0])
    np.testing.assert_array_equal(
        season.crop.values[:128, 128:], np.where(labels == IGNORE, cube.UNKNOWN, labels)
    )
    with pytest.raises(cube.SeasonError, match="choose neighbours"):
        pastis.scene(folder, [10000, 40000], dates=6)


def test_patches_without_a_place_make_no_scene(folder):
    file = folder / "metadata.geojson"
    content = json.loads(file.read_text())
    content["features"][1]["properties"]["TILE"] = "t31tfm"
    content["features"][2]["geometry"] = None
    file.write_text(json.dumps(content))
    with pytest.raises(cube.SeasonError, match="Patch 20010 has no polygon"):
        pastis.scene(folder, [10000, 10003])
    content["features"][2]["geometry"] = square(*CORNERS[20010])
    file.write_text(json.dumps(content))
    with pytest.raises(cube.SeasonError, match="tiles t30uxv, t31tfm; expected tiles of one UTM"):
        pastis.scene(folder, [10000, 10003])


def test_the_command_fetches_a_few(site, tmp_path, capsys):
    few = str(tmp_path / "few")
    assert main(["data", "pastis", few, "--patches", "3", "--fold", "1", "--fold", "5"]) == 0
    out = capsys.readouterr().out
    assert "Etalab 2.0" in out and "here are 3 of 6 patches" in out
    assert "2 in fold 1, 0 in fold 2, 0 in fold 3, 0 in fold 4, 1 in fold 5" in out
    assert main(["data", "pastis", few, "--id", "20011", "--track", "S1D"]) == 0
    assert "S1D (descending)" in capsys.readouterr().out
    assert main(["data", "pastis", few, "--patches", "3", "--id", "20011"]) == 2
    assert main(["data", "pastis", few, "--fold", "1"]) == 2


def test_command_says_what_is_there_and_what_to_do(folder, tmp_path, capsys):
    assert main(["data", "pastis", str(folder)]) == 0
    out = capsys.readouterr().out
    assert "7 to 9 dates a patch" in out and "open_pastis" in out
    assert "2 in fold 1, 2 in fold 2, 0 in fold 3, 0 in fold 4, 2 in fold 5" in out
    assert main(["data", "pastis", str(tmp_path / "none")]) == 1
    error = capsys.readouterr().err
    assert "--download" in error and "--patches 16" in error
