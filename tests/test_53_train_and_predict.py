"""A network trains, is kept with all it needs, and maps a scene: whole, georeferenced, and never
over another file.
"""

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import rasterio
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from stma_nb import cube, patches, predict, train
from stma_nb.model import STMA

PATCH = 16


def trained_on(season, epochs, **arguments):
    torch.manual_seed(0)
    model = STMA(dates=season.sizes["time"], patch=PATCH, classes=3, width=8)
    data = patches.PatchDataset(
        season, patches.corners((48, 64), PATCH, 0.5), PATCH, patches.fit_scaling(season)
    )
    return train.fit(
        model, data, data, epochs=epochs, batch=4, watch=lambda history: None, **arguments
    )


def test_training_learns_a_simple_season_and_maps_it(season, tmp_path):
    trained = trained_on(season, epochs=30)
    assert trained.history[-1]["loss"] < 0.5 * trained.history[0]["loss"]
    path = predict.season_map(
        trained, season.chunk({"y": 20, "x": 20}), tmp_path / "map.tif", progress=False
    )
    with rasterio.open(path) as tif:
        mapped = tif.read(1)
        assert (
            tif.crs == season.rio.crs
            and tif.transform == season.rio.transform()
            and tif.nodata == 255
        )
        assert tif.colormap(1)[2][:3] == (0x00, 0x72, 0xB2)
        assert tif.tags()["flag_meanings"] == "Background Maize Sugar_beet"
    assert (mapped == season.crop.values).mean() > 0.9
    assert not list(tmp_path.glob(".*")), "nothing half-written is left"


def test_same_seed_same_weights(season):
    first, second = (trained_on(season, epochs=1, seed=3).model.state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


class Told(torch.nn.Module):
    """A network that answers what it is told: main logits by pixel value of the first date,
    auxiliary logits always class 2.
    """

    def __init__(self):
        super().__init__()
        self.gain = torch.nn.Parameter(torch.ones(()))
        self.arguments = {"dates": 2, "patch": 8, "classes": 3}

    def forward(self, x):
        assert not self.training, "validation is done in evaluation mode"
        main = (
            torch.nn.functional.one_hot(x[:, 0, 0].long(), 3).permute(0, 3, 1, 2) * 2.0 * self.gain
        )
        return main, torch.eye(3)[2].view(1, 3, 1, 1).expand_as(main)


class InMemory(list):
    """Patches that are held in memory, as the contract wants them."""

    crops = (
        cube.Crop("Background", "#dddddd"),
        cube.Crop("A", "#009e73"),
        cube.Crop("B", "#0072b2"),
    )
    times = np.array(["2018-04-01", "2018-05-01"], "M8[ns]")
    scaling = patches.Scaling((0.0, 0.0), (1.0, 1.0))
    patch = 8


def test_validation_scores_the_main_head_on_known_pixels():
    x = torch.zeros(2, 2, 2, 8, 8)
    x[1, 0, 0] = 1  # the network answers 0 on the first patch and 1 on the second
    y = torch.zeros(2, 8, 8, dtype=torch.int64)
    y[0, :4] = patches.IGNORE
    scores = train.validate(Told().train(), InMemory(zip(x, y, strict=True)), batch=1)
    assert scores["accuracy"] == pytest.approx(32 / 96)
    right, wrong = (-torch.log_softmax(torch.tensor([2.0, 0, 0]), 0)[k].item() for k in (0, 1))
    assert scores["valid_loss"] == pytest.approx((32 * right + 64 * wrong) / 96, rel=1e-5)
    with pytest.raises(ValueError, match="no labelled data"):
        train.validate(Told(), InMemory([(x[0], torch.full((8, 8), patches.IGNORE))]))


def test_loss_mixes_both_heads_and_leaves_unknown_pixels_out(season):
    """The first recorded loss equals the one computed by hand; a batch without labels is passed
    over.
    """
    torch.manual_seed(0)
    model = STMA(dates=5, patch=PATCH, classes=3, width=4, dropout=0.0)
    model.auxiliary[3].p = 0.0
    mask = np.zeros((48, 64), bool)
    mask[:, :10] = True
    scaling = patches.fit_scaling(season)
    data = patches.PatchDataset(season, np.array([[0, 0], [0, 40]]), PATCH, scaling, mask=mask)
    x, y = data[0]
    main, aux = model.train()(x[None])
    known = torch.nn.functional.cross_entropy
    by_hand = [
        known(logits[0, :, :, :10].flatten(1).T, y[:, :10].flatten()).item()
        for logits in (main, aux)
    ]
    torch.manual_seed(0)
    fresh = STMA(dates=5, patch=PATCH, classes=3, width=4, dropout=0.0)
    fresh.auxiliary[3].p = 0.0
    trained = train.fit(
        fresh,
        data,
        data,
        epochs=1,
        batch=1,
        loss=partial(train.cross_entropy, aux_weight=0.3),
        rate=1e-9,
        watch=lambda history: None,
    )
    # Two batches, one of them without labels: the mean over batches counts only the one that
    # taught.
    assert trained.history[0]["loss"] == pytest.approx(
        0.7 * by_hand[0] + 0.3 * by_hand[1], rel=1e-3
    )


def test_checkpoint_round_trip(season, tmp_path):
    trained = trained_on(season, epochs=1)
    back = train.load(train.save(trained, tmp_path / "weights.safetensors"))
    assert (
        back.scaling == trained.scaling
        and back.crops == trained.crops
        and back.history == trained.history
    )
    np.testing.assert_array_equal(back.times, trained.times)
    assert back.model.arguments == trained.model.arguments
    x = torch.randn(1, 5, 2, PATCH, PATCH)
    with torch.inference_mode():
        torch.testing.assert_close(back.model(x)[0], trained.model(x)[0], rtol=0, atol=0)
    with pytest.raises(FileExistsError, match="left as it is"):
        train.save(trained, tmp_path / "weights.safetensors")


def test_foreign_and_damaged_checkpoints_are_named(season, tmp_path):
    path = train.save(trained_on(season, epochs=1), tmp_path / "weights.safetensors")
    (tmp_path / "short.safetensors").write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ValueError, match="'short.safetensors' .*truncated"):
        train.load(tmp_path / "short.safetensors")
    torch.save({"a": torch.zeros(2)}, tmp_path / "pickle.safetensors")
    with pytest.raises(ValueError, match="not a safetensors file"):
        train.load(tmp_path / "pickle.safetensors")
    save_file({"a": torch.zeros(2)}, tmp_path / "other.safetensors", metadata={"format": "pt"})
    with pytest.raises(ValueError, match="not one of stma_nb"):
        train.load(tmp_path / "other.safetensors")
    save_file({"a": torch.zeros(2)}, tmp_path / "half.safetensors", metadata={"stma_nb": "{}"})
    with pytest.raises(ValueError, match="not one of stma_nb"):
        train.load(tmp_path / "half.safetensors")
    with pytest.raises(FileNotFoundError, match="no weights at"):
        train.load(tmp_path / "none.safetensors")


def change(path, tensors=lambda name, values: values, **header):
    """The file at ``path`` with some of its contents changed, as damage or a stranger may."""
    with safe_open(path, "pt") as file:
        known = json.loads(file.metadata()["stma_nb"])
        weights = {name: tensors(name, file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118
    known = {name: header.get(name, value) for name, value in known.items()}
    save_file(weights, path, metadata={"stma_nb": json.dumps(known)})


SCALING = {"bands": ["vh", "vv"], "decibel": ["vh", "vv"], "units": ["1", "1"], "mean": [-16, -10]}


@pytest.mark.parametrize(
    "damage, says",
    [
        (dict(tensors=lambda n, v: v * torch.nan if v.is_floating_point() else v), "no numbers"),
        (dict(tensors=lambda n, v: v + torch.inf if n.endswith("weight") else v), "no numbers"),
        (dict(tensors=lambda n, v: v.to(torch.int8)), "is torch.int8, expected torch.float32"),
        (dict(scaling=SCALING | {"std": [0, 3]}), "'vh' with mean -16 and standard deviation 0"),
        (dict(scaling=SCALING | {"std": [3, float("nan")]}), "'vv' with mean -10 and .* nan"),
        (dict(scaling=SCALING | {"std": [3]}), "for 2 standard deviations, and 1 come with it"),
        (dict(scaling=[1, 2]), "not one of stma_nb"),
        (dict(scaling=SCALING | {"std": ["x", "y"]}), "not one of stma_nb"),
        (dict(legend=cube.flags(cube.BRANDENBURG[:2])), "for 3 classes, and 2 come with it"),
        (dict(dates=["2018-01-01"]), "for 5 dates, and 1 come with it"),
        (dict(arguments={"dates": 5, "width": 0}), "width 0"),
        (dict(arguments=None), "not one of stma_nb"),
    ],
)
def test_damaged_weights_make_no_map(season, tmp_path, damage, says):
    path = train.save(trained_on(season, epochs=1), tmp_path / "weights.safetensors")
    change(path, **damage)
    with pytest.raises(ValueError, match=says):
        train.load(path)


def test_a_network_spoilt_in_memory_makes_no_map(season, tmp_path):
    trained = trained_on(season, epochs=1)
    spoilt = replace(trained, crops=trained.crops[:2])
    with pytest.raises(ValueError, match="for 3 classes, and 2 come with it"):
        predict.season_map(spoilt, season, tmp_path / "map.tif")
    spoilt = replace(trained, scaling=trained.scaling._replace(std=(0.0, 1.0)))
    with pytest.raises(ValueError, match="standard deviation 0"):
        predict.season_map(spoilt, season, tmp_path / "map.tif")
    with pytest.raises(
        ValueError, match="device 'warp' is not to be had here; expected one of cpu"
    ):
        predict.season_map(trained, season, tmp_path / "map.tif", device="warp")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "setting, says",
    [
        ({"rate": 0}, "rate is 0; expected a number above 0"),
        ({"rate": float("nan")}, "rate is nan"),
        ({"rate": -1e-3}, "rate is -0.001"),
        ({"seed": -1}, "seed is -1 and workers 0; expected 0 or more"),
        ({"workers": -1}, "workers -1; expected 0 or more"),
        ({"every": 0}, "every is 0; expected at least 1"),
        ({"patience": -1}, "patience is -1; expected at least 1"),
        ({"loss": partial(train.cross_entropy, aux_weight=2)}, "aux_weight is 2; expected a share"),
        ({"loss": partial(train.cross_entropy, aux_weight=-1)}, "aux_weight is -1"),
    ],
)
def test_settings_that_no_training_can_have_are_refused(season, setting, says):
    with pytest.raises(ValueError, match=says):
        trained_on(season, epochs=1, **setting)


def test_network_and_patches_must_fit(season):
    data = patches.PatchDataset(
        season, patches.corners((48, 64), PATCH), PATCH, patches.fit_scaling(season)
    )
    with pytest.raises(
        ValueError, match=r"built for classes=16, the patches have 3: build STMA\(classes=3\)"
    ):
        train.fit(STMA(dates=5, patch=PATCH, width=4), data, data)


def test_a_loss_that_is_no_number_stops_the_training(season):
    with pytest.raises(FloatingPointError, match="at batch .* of epoch 1: lower the rate"):
        trained_on(season, epochs=1, rate=1e30)


def test_header_is_readable_json(season, tmp_path):
    path = train.save(trained_on(season, epochs=1), tmp_path / "weights.safetensors")
    raw = path.read_bytes()
    header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    ours = json.loads(header["__metadata__"]["stma_nb"])
    assert ours["network"] == "STMA" and ours["arguments"]["bands"] == 2
    assert ours["scaling"]["bands"] == ["vh", "vv"] and ours["pixel"] == 10
    assert ours["dates"][0] == "2018-04-01T16:50:00" and ours["versions"]["torch"]
    assert ours["legend"]["flag_meanings"].split()[2] == "Sugar_beet"
    assert ours["legend"]["background"] == "Background"
