"""Every network keeps one contract: what works with STMA works with each of them, and with yours.

One class of tests for all networks, as segmentation_models.pytorch has it: other channels, sizes
and classes; trained, kept, mapped, tested; compiled and exported. One for seasons of any bands.
"""

import functools
import json
import warnings

import numpy as np
import pytest
import rasterio
import torch
import torch.nn.functional as F
import xarray as xr
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from stma_nb import attention, cube, patches, predict, train
from stma_nb.model import STMA
from stma_nb.patches import IGNORE

PATCH = 16


class Yours(nn.Module):
    """A network of a user: one head, nothing of this library in it."""

    def __init__(self, dates: int, patch: int, bands: int, classes: int, width: int = 8):
        super().__init__()
        self.arguments = dict(dates=dates, patch=patch, bands=bands, classes=classes, width=width)
        self.look = nn.Conv2d(dates * bands, width, 3, padding=1)
        self.norm = nn.BatchNorm2d(width)
        self.out = nn.Conv2d(width, classes, 1)

    def forward(self, x):
        return self.out(self.norm(self.look(x.flatten(1, 2))).relu())


class YoursWithTwoHeads(Yours):
    def forward(self, x):
        logits = super().forward(x)
        return logits, 0.5 * logits


train.register(Yours)
train.register(YoursWithTwoHeads)

BUILD = {
    "STMA": functools.partial(STMA, width=8),
    "UNet": functools.partial(train.UNet, width=8),
    "TempCNN": train.TempCNN,
    "Yours": Yours,
    "YoursWithTwoHeads": YoursWithTwoHeads,
}
WITHOUT_ATTENTION = [name for name in BUILD if name != "STMA"]


def build(name: str, dates: int = 5, bands: int = 2, classes: int = 3, patch: int = PATCH):
    torch.manual_seed(0)
    return BUILD[name](dates=dates, patch=patch, bands=bands, classes=classes)


def split(season, scaling=None, **more):
    """Training patches of the left part of the scene, and validation patches of the right."""
    scaling = scaling or patches.fit_scaling(season)
    windows = patches.corners((48, 64), PATCH, 0.5)
    left = windows[:, 1] < 32
    return (
        patches.PatchDataset(season, windows[left], PATCH, scaling, **more),
        patches.PatchDataset(season, windows[~left], PATCH, scaling),
    )


def fitted(name: str, season, **arguments) -> train.Trained:
    learn, valid = split(season)
    settings = dict(epochs=6, batch=4, rate=5e-3, device="cpu", watch=lambda history: None)
    return train.fit(build(name), learn, valid, **(settings | arguments))


def quietly(function, *arguments, **more):
    """PyTorch's exporters warn of things that are theirs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*arguments, **more)


# ------------------------------------------------------------------------------- the network alone


@pytest.mark.parametrize("name", BUILD)
class TestEveryNetwork:
    @pytest.mark.parametrize("dates, bands, classes, patch", [(3, 1, 2, 8), (7, 4, 5, 24)])
    def test_other_dates_bands_classes_and_patches(self, name, dates, bands, classes, patch):
        model = build(name, dates, bands, classes, patch).train()
        x = torch.randn(2, dates, bands, patch, patch)
        logits = train.main_of(model(x))
        assert logits.shape == (2, classes, patch, patch)
        logits.sum().backward()
        again = type(model)(**model.arguments)
        assert {k: v.shape for k, v in again.state_dict().items()} == {
            k: v.shape for k, v in model.state_dict().items()
        }

    def test_learns_is_kept_and_maps(self, name, season, tmp_path):
        trained = fitted(name, season)
        losses = [entry["loss"] for entry in trained.history]
        assert losses[-1] < 0.8 * losses[0], "it learns"
        back = train.load(train.save(trained, tmp_path / "weights.safetensors"))
        assert type(back.model) is type(trained.model)
        assert back.scaling == trained.scaling and back.crops == trained.crops
        assert back.pixel == 10
        paths = [
            predict.season_map(one, season, tmp_path / f"{i}.tif", progress=False, device="cpu")
            for i, one in enumerate((trained, back))
        ]
        codes = []
        for path in paths:
            with rasterio.open(path) as tif:
                codes.append(tif.read(1))
                assert tif.tags()["NETWORK"] == type(trained.model).__name__
        np.testing.assert_array_equal(*codes)
        assert (codes[0] == season.crop.values).mean() > 0.5

    def test_a_map_that_was_stopped_goes_on_to_the_same_files(
        self, name, season, tmp_path, monkeypatch
    ):
        trained = train.Trained(
            build(name).eval(),
            patches.fit_scaling(season),
            cube.legend(season),
            season.time.values,
        )
        options = dict(progress=False, tile=16, device="cpu")
        made = {}
        for kind in ("whole", "stopped"):
            folder = tmp_path / kind
            folder.mkdir()
            call = functools.partial(
                predict.season_map,
                trained,
                season,
                folder / "map.tif",
                probabilities=folder / "chances.tif",
                **options,
            )
            if kind == "stopped":
                from stma_nb.predict import scene

                taken = scene.read_tile
                left = iter([True] * 3)

                def few(*arguments, taken=taken, left=left):
                    if not next(left, False):
                        raise RuntimeError("the power went")
                    return taken(*arguments)

                with monkeypatch.context() as broken:
                    broken.setattr(scene, "read_tile", few)
                    with pytest.raises(RuntimeError, match="the power went.*goes on"):
                        call()
                assert list(folder.glob(".map.tif.part/*.npz")), "finished tiles are kept"
            call()
            with rasterio.open(folder / "map.tif") as a, rasterio.open(folder / "chances.tif") as b:
                made[kind] = a.read(), b.read()
        for whole, stopped in zip(*made.values(), strict=True):
            np.testing.assert_array_equal(whole, stopped)
        assert abs(made["whole"][1].sum(0) / 250 - 1).max() < 0.02, "probabilities sum to one"

    def test_dates_can_be_occluded_and_doubt_told(self, name, season):
        trained = fitted(name, season, epochs=2)
        windows = np.array([[0, 0], [16, 32]])
        effect = attention.occlude_dates(trained, season, windows, group=5)
        assert effect.loss_increase.shape == (2, 5) and np.isfinite(effect.loss_increase).all()
        adapted = train.adapt_batch_norm(trained, season)
        assert 0 <= train.doubt(adapted, season) <= np.log2(3) + 1e-6

    def test_randomised_weights_are_other_weights(self, name, season):
        trained = fitted(name, season, epochs=1)
        other = attention.randomised(trained, seed=1)
        same = [
            torch.equal(value, other.model.state_dict()[key])
            for key, value in trained.model.state_dict().items()
            if value.ndim > 1
        ]
        assert not any(same), "every matrix was drawn anew"
        kept = attention.randomised(trained, seed=1, part=next(iter(trained.model.state_dict())))
        assert (
            sum(
                torch.equal(value, kept.model.state_dict()[key])
                for key, value in trained.model.state_dict().items()
            )
            == len(trained.model.state_dict()) - 1
        )

    def test_compiles(self, name):
        model = build(name).eval()
        x = torch.randn(2, 5, 2, PATCH, PATCH)
        compiled = torch.compile(model, backend="aot_eager", fullgraph=True)
        with torch.no_grad():
            torch.testing.assert_close(
                train.main_of(quietly(compiled, x)), train.main_of(model(x)), rtol=1e-4, atol=1e-4
            )

    def test_exports_with_any_batch(self, name):
        model = build(name).eval()
        x = torch.randn(3, 5, 2, PATCH, PATCH)
        batch = torch.export.Dim("batch", min=1, max=64)
        program = quietly(torch.export.export, model, (x,), dynamic_shapes=({0: batch},))
        with torch.no_grad():
            for some in (x, x[:1], x.repeat(2, 1, 1, 1, 1)):
                torch.testing.assert_close(
                    train.main_of(program.module()(some)),
                    train.main_of(model(some)),
                    rtol=1e-4,
                    atol=1e-4,
                )

    def test_runs_as_onnx(self, name, tmp_path):
        pytest.importorskip("onnxscript", reason="onnxscript, which writes ONNX, is not installed")
        runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
        model = build(name).eval()
        x = torch.randn(3, 5, 2, PATCH, PATCH)
        file = tmp_path / "model.onnx"
        batch = torch.export.Dim("batch", min=1, max=64)
        quietly(
            torch.onnx.export, model, (x,), file, dynamo=True, dynamic_shapes=({0: batch},),
            input_names=["x"], verbose=False,
        )  # fmt: skip
        options = runtime.SessionOptions()
        options.intra_op_num_threads = 1
        session = runtime.InferenceSession(file, options)
        for some in (x, x[:1]):
            found = session.run(None, {"x": some.numpy()})[0]
            with torch.no_grad():
                expected = train.main_of(model(some)).numpy()
            np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


def test_attention_of_a_compiled_network_is_that_of_the_network():
    model = build("STMA").eval()
    x = torch.randn(1, 5, 2, PATCH, PATCH)
    compiled = torch.compile(model, backend="aot_eager")
    with torch.no_grad():
        *_, expected = model(x, return_attention=True)
        *_, found = quietly(compiled, x, return_attention=True)
    for name in ("spatial", "temporal"):
        for ours, theirs in zip(found[name], expected[name], strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", WITHOUT_ATTENTION)
def test_a_network_without_attention_says_so(name, season):
    trained = train.Trained(
        build(name).eval(), patches.fit_scaling(season), cube.legend(season), season.time.values
    )
    windows = np.array([[0, 0]])
    for ask in (
        lambda: attention.record(trained, season, windows),
        lambda: attention.uniform_attention(trained),
        lambda: attention.AttentionExplorer(trained, season),
    ):
        with pytest.raises(ValueError, match=f"The network {name} returns no attention"):
            ask()


# ------------------------------------------------------------------------------------- the forest


def test_the_forest_is_kept_and_maps_through_the_same_tiles(season, tmp_path):
    left = np.arange(64)[None] < np.full((48, 1), 32)
    trained = train.fit_forest(season, left, trees=20)
    back = train.load(train.save(trained, tmp_path / "forest.safetensors"))
    assert isinstance(back.model, train.RandomForest)
    first = predict.season_codes(trained, season)
    np.testing.assert_array_equal(first, predict.season_codes(back, season, tile=32))
    assert (first == season.crop.values)[~left].mean() > 0.85
    chances = tmp_path / "chances.tif"
    predict.season_map(trained, season, tmp_path / "map.tif", probabilities=chances, progress=False)
    with rasterio.open(chances) as tif:
        assert abs(tif.read().sum(0) / 250 - 1).max() < 0.02
    assert train.validate(back.model, split(season, trained.scaling)[1])["accuracy"] > 0.8
    with pytest.raises(ValueError, match="RandomForest has no batch normalisation"):
        train.adapt_batch_norm(trained, season)
    with pytest.raises(ValueError, match="RandomForest has no weights that were drawn"):
        attention.randomised(trained)


# -------------------------------------------------------------------------------------- bad input


class Nameless(Yours):
    def __init__(self):
        super().__init__(5, PATCH, 2, 3)
        del self.arguments


@pytest.mark.parametrize(
    "model, says",
    [
        (Nameless, r"Nameless has no arguments\['dates'\]: set self.arguments = dict\(dates="),
        (lambda: "a network", "'str' is no network; expected a torch.nn.Module"),
        (lambda: build("Yours", classes=4), r"classes=4, the patches have 3: build Yours\("),
        (lambda: build("Yours", bands=3), r"bands=3, the patches have 2 \(vh, vv\): build Yours"),
        (lambda: build("Yours", dates=6), "dates=6, the patches have 5"),
        (lambda: build("Yours", patch=32), "patch=32, the patches have 16"),
    ],
)
def test_networks_that_do_not_fit_are_refused(season, tmp_path, model, says):
    learn, valid = split(season)
    with pytest.raises(ValueError, match=says):
        train.fit(model(), learn, valid, 1, checkpoint=tmp_path / "state", log=tmp_path / "log")
    assert not list(tmp_path.iterdir()), "nothing was begun"


def test_weights_of_another_class_are_refused(season, tmp_path):
    scaling, crops = patches.fit_scaling(season), cube.legend(season)
    yours = train.Trained(build("Yours").eval(), scaling, crops, season.time.values)
    path = train.save(yours, tmp_path / "yours.safetensors")
    with pytest.raises(ValueError, match="weights of a network Yours, not of UNet"):
        train.load(path, train.UNet)
    assert isinstance(train.load(path, Yours).model, Yours)

    class Unheard(Yours):
        pass

    other = train.Trained(Unheard(5, PATCH, 2, 3), scaling, crops, season.time.values)
    path = train.save(other, tmp_path / "unheard.safetensors")
    with pytest.raises(ValueError, match="a network Unheard, which is not known here .known: STMA"):
        train.load(path)
    assert isinstance(train.load(path, Unheard).model, Unheard)
    with pytest.raises(ValueError, match="Nameless has no arguments"):
        train.save(
            train.Trained(Nameless(), scaling, crops, season.time.values),
            tmp_path / "n.safetensors",
        )


def test_patches_that_do_not_fit_each_other_are_refused(season):
    learn, valid = split(season)
    other = split(season, patches.Scaling((0.0, 0.0), (1.0, 1.0)))[1]
    with pytest.raises(ValueError, match="validation patches are scaled otherwise"):
        train.fit(build("Yours"), learn, other, 1)
    with pytest.raises(
        ValueError, match=r"training patches \(list\) have no 'crops'.*PatchDataset"
    ):
        train.fit(build("Yours"), [], valid, 1)
    renamed = season.assign(
        crop=season.crop.assign_attrs(
            cube.flags([cube.Crop(name, "#000000") for name in ("Background", "Rice", "Tea")])
        )
    )
    with pytest.raises(ValueError, match="other classes .code 1 is Maize against Rice."):
        train.fit(build("Yours"), learn, split(renamed, learn.scaling)[1], 1)


# ------------------------------------------------------------------- loss, optimiser, random state


def focal(outputs, y, class_weights, gamma: float = 2.0):
    """Lin et al. (2017): pixels that are right already count less."""
    logits = train.main_of(outputs)
    weighed = logits.log_softmax(1) * (1 - logits.softmax(1)) ** gamma
    return F.nll_loss(weighed, y, class_weights, ignore_index=IGNORE, reduction="sum")


def dice(outputs, y, class_weights):
    """Milletari et al. (2016): one minus the overlap; a mean, so times the pixels it is of."""
    known = y != IGNORE
    share = train.main_of(outputs).softmax(1).movedim(1, -1)[known]  # (n, K)
    truth = F.one_hot(y[known], share.shape[1]).float()
    overlap = (2 * (share * truth).sum(0) + 1) / ((share + truth).sum(0) + 1)
    return (1 - overlap).mean() * class_weights[y[known]].sum()


@pytest.mark.parametrize("loss", [focal, dice])
def test_another_loss_is_made_small_and_validation_stays_comparable(season, loss):
    trained = fitted("Yours", season, loss=loss)
    assert trained.history[-1]["loss"] < 0.8 * trained.history[0]["loss"]
    assert trained.history[-1]["accuracy"] > 0.6
    found = train.validate(trained.model, split(season)[1])["valid_loss"]
    assert found == pytest.approx(trained.history[-1]["valid_loss"], rel=1e-4), "cross-entropy"


def test_the_loss_is_the_mean_over_all_labelled_pixels_of_a_batch(season):
    """So a loss that says 1 for every labelled pixel is 1, in pieces as well."""

    def one(outputs, y, class_weights):
        return train.main_of(outputs).sum() * 0 + class_weights[y[y != IGNORE]].sum()

    for accumulate in (1, 2):
        trained = fitted("Yours", season, epochs=1, loss=one, accumulate=accumulate)
        assert trained.history[0]["loss"] == pytest.approx(1)


def test_another_optimiser_gets_the_parameters_and_the_rate(season):
    seen = {}

    def sgd(parameters, lr):
        seen["rate"] = lr
        seen["optimiser"] = torch.optim.SGD(parameters, lr=lr, momentum=0.9)
        return seen["optimiser"]

    trained = fitted("Yours", season, optimiser=sgd, rate=0.05)
    assert seen["rate"] == 0.05 and trained.history[-1]["loss"] < trained.history[0]["loss"]
    assert seen["optimiser"].state, "it is the one that moved the weights"


def test_the_global_random_state_is_left_as_it_was(season):
    for seed in (5, 6):
        torch.manual_seed(seed)
        expected = torch.rand(3)
        torch.manual_seed(seed)
        fit_once = fitted("STMA", season, epochs=1)
        assert fit_once.history
        torch.manual_seed(seed)
        learn, valid = split(season)
        train.fit(build_without_seed(), learn, valid, 1, device="cpu", watch=lambda history: None)
        torch.manual_seed(seed)
        torch.testing.assert_close(torch.rand(3), expected)


def build_without_seed():
    with torch.random.fork_rng(devices=[]):
        return build("STMA")


def test_fit_neither_draws_from_nor_reseeds_the_callers_generator(season):
    learn, valid = split(season, augment=[patches.add_speckle])
    model = build_without_seed()
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    train.fit(model, learn, valid, 1, device="cpu", watch=lambda history: None)
    torch.testing.assert_close(torch.rand(3), expected)
    views = {float(learn[0][0].sum()) for _ in range(5)}
    assert len(views) == 5, "after fit, variations are drawn anew each time"


class InMemory(torch.utils.data.Dataset):
    """A dataset of a user's own arrays that keeps the contract, and nothing more."""

    def __init__(self, season, count: int):
        rng = np.random.default_rng(count)
        self.scaling = patches.fit_scaling(season)
        self.crops, self.times, self.patch = cube.legend(season), season.time.values, PATCH
        self.y = torch.from_numpy(rng.integers(0, 3, (count, PATCH, PATCH)))
        noise = torch.from_numpy(rng.normal(0, 0.1, (count, 5, 2, PATCH, PATCH))).float()
        self.x = self.y[:, None, None] - 1 + noise

    def __len__(self):
        return len(self.x)

    def __getitem__(self, index):
        return self.x[index], self.y[index]


def test_a_dataset_of_ones_own_trains_and_resumes(season, tmp_path):
    learn, valid = InMemory(season, 16), InMemory(season, 8)
    call = functools.partial(
        train.fit, train=learn, valid=valid, batch=4, rate=1e-2, device="cpu",
        watch=lambda history: None,
    )  # fmt: skip
    whole = call(build("Yours"), epochs=4)
    assert whole.history[-1]["accuracy"] > 0.9

    def stop(history):
        if len(history) == 2:
            raise KeyboardInterrupt

    state = tmp_path / "state"
    with pytest.raises(KeyboardInterrupt):
        train.fit(
            build("Yours"), learn, valid, 4, 4, 1e-2, device="cpu", watch=stop, checkpoint=state
        )
    resumed = call(build("Yours"), epochs=4, checkpoint=state, resume=True)
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name])
    assert resumed.pixel is None, "what a dataset does not say is unknown"


def test_a_loop_of_another_library_needs_nothing_special(season):
    """Patches vary by themselves, and what another loop trained is kept and mapped."""
    learn, _ = split(season, augment=True)
    model = build("Yours").train()
    optimiser = torch.optim.AdamW(model.parameters(), 5e-3)
    views = set()
    for _ in range(4):
        for x, y in torch.utils.data.DataLoader(learn, 4, shuffle=True):
            loss = F.cross_entropy(model(x), y, ignore_index=IGNORE)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        views.add(float(learn[0][0][0, 0, 0, 0]))
    assert len(views) > 1
    trained = train.Trained(
        model.eval(), learn.scaling, learn.crops, learn.times, pixel=learn.pixel
    )
    assert predict.season_codes(trained, season).shape == (48, 64)


def test_with_lightnings_own_trainer(season):
    lightning = pytest.importorskip(
        "pytorch_lightning", reason="pytorch_lightning is not installed"
    )

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.model = build("STMA")

        def training_step(self, batch, _):
            x, y = batch
            return train.cross_entropy(self.model(x), y, torch.ones(3)) / y.numel()

        def configure_optimizers(self):
            return torch.optim.AdamW(self.parameters(), 2e-3)

    learn, _ = split(season, augment=[patches.add_speckle])
    module = Module()
    trainer = lightning.Trainer(
        max_epochs=2, accelerator="cpu", logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    quietly(trainer.fit, module, torch.utils.data.DataLoader(learn, 4, shuffle=True))
    trained = train.Trained(module.model.eval(), learn.scaling, learn.crops, learn.times)
    assert predict.season_codes(trained, season).shape == (48, 64)


# -------------------------------------------------------------------------------------- any bands


def other_bands(season, kind: str):
    """The season with other bands than VV and VH, and how they are to be seen."""
    vv, vh = season.vv, season.vh
    rest = season.drop_vars(["vv", "vh"])
    angle = np.linspace(30, 40, 64, dtype="float32")[None].repeat(48, 0)
    match kind:
        case "vv alone":
            return rest.assign(vv=vv), {}
        case "hh and hv":
            return rest.assign(hh=vv, hv=vh), {}
        case "vv, vh, ratio and angle":
            ratio = (vh / vv).assign_attrs(units="1").astype("float32")
            full = season.assign(
                ratio=ratio, incidence_angle=(("y", "x"), angle, {"units": "degree"})
            )
            names = ("vh", "vv", "ratio", "incidence_angle")
            return full, dict(bands=names, decibel=("vh", "vv", "ratio"))
        case "13 optical bands":
            rng = np.random.default_rng(0)
            bands = {}
            for number in range(13):
                noise = rng.normal(0, 0.02, vv.shape)
                values = (0.1 + 0.05 * number + 2 * vh.values + noise).astype("float32")
                bands[f"b{number:02}"] = (("time", "y", "x"), values, {"units": "reflectance"})
            return rest.assign(bands), {}


@pytest.mark.parametrize(
    "kind, names",
    [
        ("vv alone", ("vv",)),
        ("hh and hv", ("hv", "hh")),
        ("vv, vh, ratio and angle", ("vh", "vv", "ratio", "incidence_angle")),
        ("13 optical bands", tuple(f"b{number:02}" for number in range(13))),
    ],
)
def test_any_bands_from_the_season_to_map_and_explorer(season, tmp_path, kind, names):
    many, seen = other_bands(season, kind)
    scaling = patches.fit_scaling(many, **seen)
    assert scaling.bands == names
    learn, valid = split(many, scaling)
    model = build("STMA", bands=len(names))
    trained = train.fit(model, learn, valid, 6, 4, 5e-3, device="cpu", watch=lambda history: None)
    back = train.load(train.save(trained, tmp_path / "weights.safetensors"))
    assert back.scaling == scaling
    stored = cube.open_season(cube.save_season(many, tmp_path / "season.zarr"))
    path = predict.season_map(back, stored, tmp_path / "map.tif", progress=False, device="cpu")
    with rasterio.open(path) as tif:
        assert tif.tags()["BANDS"] == " ".join(names)
        mapped = tif.read(1)
    assert (mapped == season.crop.values).mean() > 0.6, "every band went the whole way"
    maps = attention.record(back, many, np.array([[0, 0]]))
    assert maps.temporal.shape == (1, 3, 4, 5, 5)
    view = attention.AttentionExplorer(back, many)
    assert [band["name"] for band in view.facts["bands"]] == list(names)
    view.layer = names[-1]
    assert "Pixel row" in view.describe() and view.figure().axes
    missing = many.drop_vars(names[-1])
    with pytest.raises(ValueError, match=f"no '{names[-1]}'|has no band"):
        predict.season_map(back, missing, tmp_path / "no.tif", progress=False)
    assert not (tmp_path / "no.tif").exists()


def test_a_network_of_two_bands_is_not_given_three(season):
    many, _ = other_bands(season, "vv, vh, ratio and angle")
    learn, valid = split(many)  # all bands with dates: vh, vv, ratio
    with pytest.raises(ValueError, match=r"bands=2, the patches have 3 \(vh, vv, ratio\)"):
        train.fit(build("STMA"), learn, valid, 1)


def test_other_pixels_and_another_quantity_are_refused_unless_allowed(season, tmp_path):
    for name in ("vv", "vh"):
        season[name].attrs["quantity"] = "sigma0"
    trained = fitted("Yours", season, epochs=1)
    assert trained.pixel == 10 and trained.quantity == "sigma0"
    trained = train.load(train.save(trained, tmp_path / "weights.safetensors"))
    coarse = season.assign_coords(x=400_000 + 20.0 * np.arange(64), y=5.8e6 - 20.0 * np.arange(48))
    gamma = season.copy()
    for name in ("vv", "vh"):
        gamma[name] = season[name].assign_attrs(quantity="gamma0")
    silent = season.copy()
    for name in ("vv", "vh"):
        silent[name] = season[name].drop_attrs().assign_attrs(units="1")
    cases = {
        "pixels": (coarse, r"pixels of 20 m, the network was trained on 10 m: .*--any-pixels"),
        "quantity": (gamma, r"is gamma0, the network was trained on sigma0: .*--any-quantity"),
    }
    for name, (other, says) in cases.items():
        with pytest.raises(ValueError, match=says):
            predict.season_codes(trained, other)
        assert predict.season_codes(trained, other, allow=[name]).shape == (48, 64)
    assert predict.season_codes(trained, silent).shape == (48, 64), "unknown is not refused"
    with pytest.raises(ValueError, match="allow is .'size'.; expected some of dates, pixels"):
        predict.season_codes(trained, season, allow=["size"])


def test_weights_of_another_simulated_world_are_refused(season, tmp_path):
    world = season.copy()
    for name in ("vv", "vh"):
        world[name] = season[name].assign_attrs(simulation="2")
    cube.save_season(world, tmp_path / "tifs")
    world = cube.open_season(tmp_path / "tifs").load()
    assert cube.simulation(world) == "2" and cube.simulation(season) is None
    path = train.save(fitted("Yours", world, epochs=1), tmp_path / "weights.safetensors")
    trained = train.load(path)
    assert trained.simulation == "2"
    assert predict.season_codes(trained, world).shape == (48, 64)
    assert predict.season_codes(trained, season).shape == (48, 64), "a real season is not refused"
    changed = world.copy()
    for name in ("vv", "vh"):
        changed[name] = world[name].assign_attrs(simulation="3")
    with pytest.raises(ValueError, match="simulated world 3, the weights are of world 2"):
        predict.season_codes(trained, changed)
    # Weights from before seasons bore a number.
    with safe_open(path, framework="pt") as file:
        header = json.loads(file.metadata()["stma_nb"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    del header["simulation"]
    save_file(tensors, tmp_path / "old.safetensors", metadata={"stma_nb": json.dumps(header)})
    with pytest.raises(ValueError, match="the weights are of world unnumbered.*train again"):
        predict.season_codes(train.load(tmp_path / "old.safetensors"), world)


# ------------------------------------------------------------------------------------ any legend


def test_a_class_0_that_is_a_crop_counts_as_one(season):
    rice = [cube.Crop(name, "#009e73") for name in ("Rice", "Maize", "Tea")]
    season["crop"] = season.crop.copy().assign_attrs(cube.flags(rice))
    _, valid = split(season)

    class AllMaize(Yours):
        def forward(self, x):
            logits = torch.zeros(len(x), 3, PATCH, PATCH)
            logits[:, 1] = 5
            return logits

    found = train.validate(AllMaize(5, PATCH, 2, 3), valid)
    share = found["accuracy"]
    assert found["f1"] == pytest.approx(2 * share / (1 + share) / 3, rel=1e-3), "three crops"


# ------------------------------------------------------------------------- arrays of one's own


def test_a_season_of_ones_own_arrays_goes_the_whole_road(tmp_path):
    """NumPy arrays without units, five classes without a background, names as people write them."""
    rng = np.random.default_rng(0)
    crop = rng.integers(0, 5, (6, 6)).repeat(16, 0).repeat(16, 1).astype("uint8")
    level = np.array([-8, -10, -12, -14, -16])[crop]
    noise = rng.normal(0, 1.0, (4, 96, 96))
    vv = (10 ** ((level + noise) / 10)).astype("float32")
    names = ("Rice, irrigated", "cassava_1", "Tea", "Rubber", "Palm")
    mine = [cube.Crop(name, cube.default_colour(code)) for code, name in enumerate(names)]
    season = xr.Dataset(
        {
            "vv": (("time", "y", "x"), vv),
            "vh": (("time", "y", "x"), vv * 0.2),
            "ratio": (("time", "y", "x"), np.full_like(vv, 0.2) * rng.uniform(0.9, 1.1, vv.shape)),
            "crop": (("y", "x"), crop, cube.flags(mine)),
        },
        coords={
            "time": np.array("2022-03-01", "M8[ns]") + np.arange(4) * np.timedelta64(12, "D"),
            "y": 5e6 - 10.0 * np.arange(96),
            "x": 4e5 + 10.0 * np.arange(96),
        },
    ).rio.write_crs("EPSG:32648")
    cube.check_season(season)  # its result, with units, is not used: all goes on without it
    parts = patches.block_split(crop.shape, 32, buffer=2, seed=0)
    scaling = patches.fit_scaling(season, parts == patches.TRAIN)
    assert scaling.bands == ("vh", "vv", "ratio")
    learn, valid = (
        patches.PatchDataset(
            season, patches.windows_of(parts, part, 16), 16, scaling, parts == part
        )
        for part in (patches.TRAIN, patches.VALID)
    )
    torch.manual_seed(0)
    model = STMA(dates=4, patch=16, bands=3, classes=5, width=8)
    trained = train.fit(model, learn, valid, 8, 4, 5e-3, device="cpu", watch=lambda h: None)
    assert trained.history[-1]["accuracy"] > 0.4
    back = train.load(train.save(trained, tmp_path / "weights.safetensors"))
    assert [crop.name for crop in back.crops] == list(names)
    path = predict.season_map(back, season, tmp_path / "map.tif", progress=False, device="cpu")
    assert [c.name for c in cube.legend(cube.open_layer(path).to_dataset(name="crop"))] == [*names]
    assert attention.record(back, season, np.array([[0, 0]])).sizes["window"] == 1
    for kind in ("season.zarr", "folder"):
        again = cube.open_season(cube.save_season(cube.check_season(season), tmp_path / kind))
        assert cube.bands(again) == ("vh", "vv", "ratio")
        np.testing.assert_array_equal(predict.season_codes(back, again).shape, crop.shape)


@pytest.mark.parametrize(
    "call, says",
    [
        (lambda s, t: predict.season_map("weights", s, "m.tif"), "'weights' is no trained network"),
        (lambda s, t: train.fit(t.model, s, s), r"training patches .Dataset. have no 'crops'"),
        (lambda s, t: predict.season_map(t, s, "m.tif", batch=0), "batch is 0 windows"),
    ],
)
def test_what_is_given_in_a_wrong_place_is_said(season, tmp_path, monkeypatch, call, says):
    monkeypatch.chdir(tmp_path)
    trained = train.Trained(
        build("Yours").eval(), patches.fit_scaling(season), cube.legend(season), season.time.values
    )
    with pytest.raises(ValueError, match=says):
        call(season, trained)
    assert not list(tmp_path.iterdir())
