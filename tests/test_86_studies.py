"""Studies: rows that say what was compared, that survive a stop, and variants that differ in one
thing."""

import json
from functools import partial

import numpy as np
import pytest
import torch

from stma_nb import course, patches, simulate, studies, train
from stma_nb.__main__ import main
from stma_nb.model import STMA
from stma_nb.patches import TRAIN
from stma_nb.studies import ground, jobs, variants
from stma_nb.train.unet import UNet

SIZES = {"dates": 4, "patch": 16, "classes": 5}


@pytest.fixture(scope="module")
def small() -> ground.Ground:
    """A scene of few fields, divided by blocks; 20 steps for a network."""
    season = simulate.season(
        (128, 192), 4, farmland=0.9, parcel_hectares=1, balance=0.2, seed=3
    ).load()
    learns = np.zeros((128, 192), bool)
    learns[:, :120] = True
    windows = patches.corners((128, 120), 32, 0.5)
    return ground.Ground(season, learns, windows, {"next door": ~learns}, steps=20)


@pytest.mark.parametrize("method", ["forest, Quegan-Yu", "boosting, Quegan-Yu", "U-Net", "STMA"])
def test_every_method_learns_and_maps_the_same_ground(small, method):
    see, fit = ground.METHODS[method]
    _, codes, seconds = ground.learn_and_map(see, fit, small, seed=0)
    assert codes.shape == small.season.crop.shape and seconds > 0
    row = ground.score_all(codes, small)
    assert {"next door: OA", "next door: crops only", "next door: F1", "next door: area error"} < {
        *row
    }
    right = (codes == small.season.crop.values)[:, 120:]
    assert row["next door: OA"] == pytest.approx(right.mean())
    share = np.bincount(small.season.crop.values[:, 120:].ravel()).max() / right.size
    assert row["next door: OA"] > 0.5 * share


def test_a_part_kept_apart_shares_no_parcel_with_the_part_that_learns():
    season = ground.scene(0, size=(128, 448), dates=2)
    apart = ground.kept_apart(season)
    assert not apart[:, : ground.RIGHT].any() and apart.any()
    parcel = season.parcel.values
    inside = np.unique(parcel[apart])
    assert not (set(inside[inside > 0].tolist()) & set(np.unique(parcel[:, : ground.LEFT])))
    for split in ("blocks", "random patches", "random pixels"):
        divided = ground.divide(season, split, seed=0)
        assert not (divided.learns & divided.places["next door"]).any()
        flattering = (divided.learns & divided.places["own rule"]).any()
        assert flattering == (split == "random patches")
        assert divided.learns[:, : ground.LEFT].any()


@pytest.fixture
def quick(monkeypatch):
    """A study of two quick jobs a seed, which counts how often a job is done."""
    done = []

    def two(seed):
        for name in ("a", "b"):

            def make(name=name):
                done.append((seed, name))
                return {"next door: OA": 0.5 + seed / 10}

            yield jobs.Job({"method": name}, make)

    monkeypatch.setitem(jobs.STUDIES, "parts", (two, 2))
    return done


def test_a_study_that_was_stopped_goes_on(quick, tmp_path):
    path = tmp_path / "rows.json"
    studies.run("parts", 1, path, tell=lambda text: None)
    assert quick == [(0, "a"), (0, "b")]
    rows = json.loads(path.read_text())
    path.write_text(json.dumps(rows[:1]))  # as if it had been stopped after the first
    told = []
    rows = studies.run("parts", None, path, tell=told.append)
    assert quick[2:] == [(0, "b"), (1, "a"), (1, "b")] and len(told) == 3
    assert [(row["seed"], row["method"]) for row in rows] == [
        (0, "a"),
        (0, "b"),
        (1, "a"),
        (1, "b"),
    ]
    assert studies.read(path, "parts") == rows


def test_another_file_is_not_overwritten_by_a_study(quick, tmp_path):
    path = tmp_path / "rows.json"
    for text, words in (
        ("no json", "is not JSON"),
        ('[{"study": "land"}]', "does not hold rows of the study 'parts'"),
    ):
        path.write_text(text)
        with pytest.raises(ValueError, match=words):
            studies.run("parts", 1, path)
        assert path.read_text() == text and not quick
    with pytest.raises(ValueError, match="no study 'edges'; expected one of rivals"):
        studies.run("edges")


def test_the_command(quick, tmp_path, capsys):
    output = tmp_path / "rows.json"
    assert main(["study", "parts", "--seeds", "1", "--output", str(output)]) == 0
    assert "2 rows" in capsys.readouterr().out
    assert len(json.loads(output.read_text())) == 2


@pytest.mark.parametrize("study", ["rivals", "land", "parts", "recipes", "quick", "shapes"])
def test_stored_rows_are_those_of_the_study(study):
    rows = studies.read(course.ROOT / "data" / f"{study}_study.json", study)
    make, seeds = jobs.STUDIES[study]
    expected = [{"study": study, "seed": s} | job.names for s in range(seeds) for job in make(s)]
    found = [{key: row[key] for key in names} for row, names in zip(rows, expected, strict=True)]
    assert found == expected
    for row in rows:
        assert 0 < row["next door: OA"] < 1 and row["CPU seconds"] > 0


def test_stored_rows_of_real_fields_are_those_of_the_study():
    rows = studies.read(course.ROOT / "data" / "real_study.json", "real")
    make, seeds = jobs.STUDIES["real"]
    expected = [{"study": "real", "seed": s} | job.names for s in range(seeds) for job in make(s)]
    assert [{key: row[key] for key in expected[0]} for row in rows] == expected
    labelled = {
        "Flanders: first square to second square": 803,
        "Flanders: second square to first square": 858,
        "France: other blocks": 500,
        "France: other blocks, six crops": 375,
        "France: north to south, six crops": 102,
        "simulation to France, six crops": 375,
    }
    for row in rows:
        right, counted = np.array(row["blocks"]).sum(0)
        assert row["OA"] == pytest.approx(right / counted, abs=1e-5)
        assert counted == labelled[row["task"]]


# ----------------------------------------------------------------------------------------- variants


def built(kind, **more):
    torch.manual_seed(0)
    return kind(**SIZES | more).eval()


def test_without_temporal_attention_no_date_learns_of_another_by_it():
    model = variants.without_temporal(built(STMA, width=8))
    *_, maps = model(torch.randn(1, 4, 2, 16, 16), return_attention=True)
    for level in maps["temporal"]:
        torch.testing.assert_close(level, torch.eye(4).expand_as(level))
    full = built(STMA, width=8)
    *_, untouched = full(torch.randn(1, 4, 2, 16, 16), return_attention=True)
    assert not torch.allclose(untouched["temporal"][0], torch.eye(4).expand(1, 4, -1, -1))


@pytest.mark.parametrize(("name", "change"), jobs.CHANGES.items())
def test_a_change_alters_what_the_network_says_and_it_still_learns(name, change):
    x = torch.randn(2, 4, 2, 16, 16)
    main_of_full, _ = built(STMA, width=8)(x)
    model = change(built(STMA, width=8))
    changed, aux = model(x)
    assert changed.shape == aux.shape == (2, 5, 16, 16)
    assert not torch.allclose(changed, main_of_full)
    model.train()
    model(x)[0].sum().backward()
    assert all(p.grad is not None for p in model.trunk.stage3.parameters())


def test_softmax_weights_of_the_cross_attention_sum_to_one():
    model = variants.with_softmax(built(STMA, width=8))
    *_, maps = model(torch.randn(1, 4, 2, 16, 16), return_attention=True)
    cross = maps["cross"]
    assert (cross >= 0).all()
    torch.testing.assert_close(cross.sum(-1), torch.ones(1, 1, 4))


def test_the_coarse_unet_sees_no_detail_and_the_plain_one_does():
    for kind, coarse in ((variants.CoarseUNet, True), (UNet, False)):
        model = built(kind, width=8)
        x = torch.randn(1, 4, 2, 16, 16)
        with torch.no_grad():
            # The skip at full size: silence what comes from below.
            model.up1.weight.zero_()
            model.up1.bias.zero_()
            model.up2.weight.zero_()
            flat = model(x)
        assert (flat.std((-2, -1))[0, :, None] < 1e-5).all() == coarse


def test_the_unet_date_by_date_treats_all_dates_alike_at_first():
    model = built(variants.DateByDateUNet, width=8)
    x = torch.randn(1, 4, 2, 16, 16)
    [first] = model.down1
    each = first.each(x.flatten(0, 1))
    turned = first.each(x.flip(1).flatten(0, 1))
    torch.testing.assert_close(each.flip(0), turned)


def test_detail_is_added_at_full_size_and_attention_is_still_returned():
    model = built(variants.DetailSTMA, width=8, detail=8)
    x = torch.randn(1, 4, 2, 16, 16)
    main, aux, maps = model(x, return_attention=True)
    assert main.shape == aux.shape == (1, 5, 16, 16) and set(maps) == {
        "spatial",
        "temporal",
        "cross",
    }
    nudged = x.clone()
    nudged[..., 3, 3] += 1  # one pixel
    change = (model(nudged)[0] - main).abs().sum(1)[0]
    assert change[3, 3] > 2 * change.mean()


def test_label_smoothing_asks_for_less_than_certainty():
    y = torch.zeros(1, 2, 2, dtype=torch.long)
    sure = torch.full((1, 3, 2, 2), -20.0)
    sure[:, 0] = 20.0
    weights = torch.ones(3)
    smooth = partial(train.cross_entropy, label_smoothing=0.1)
    assert smooth((sure, sure), y, weights) > 1
    torch.testing.assert_close(smooth((sure, sure), y, weights), smooth(sure, y, weights))


def test_windows_of_other_sizes_lie_in_the_ground(small):
    part = np.where(small.learns, TRAIN, 0).astype(np.uint8)
    for patch in (16, 64):
        windows = patches.windows_of(part, TRAIN, patch)
        assert len(windows) and (windows + patch <= (128, 128)).all()
