"""A training does what its arguments say, comes back from any kind of stop, and is the same in
several processes.

``STMA_KILLS=10`` asks for more random moments to kill a training at (default 2).
"""

import json
import os
import random
import runpy
import signal
import subprocess
import sys
import time
import warnings
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr
from safetensors import safe_open
from safetensors.torch import load_file

from stma_nb import accuracy, cube, patches, train
from stma_nb.__main__ import main
from stma_nb.model import STMA
from stma_nb.patches import IGNORE

PATCH = 16
KILLS = int(os.environ.get("STMA_KILLS", 2))


def network(dropout: float = 0.1, width: int = 4) -> STMA:
    torch.manual_seed(0)
    model = STMA(dates=5, patch=PATCH, classes=3, width=width, dropout=dropout)
    model.auxiliary[3].p = dropout
    return model


def data(season, overlap: float = 0.5, **arguments) -> patches.PatchDataset:
    return patches.PatchDataset(
        season,
        patches.corners((48, 64), PATCH, overlap),
        PATCH,
        patches.fit_scaling(season),
        **arguments,
    )


def fit(season, model=None, **arguments) -> train.Trained:
    arguments = dict(epochs=2, batch=4, device="cpu", watch=lambda history: None) | arguments
    return train.fit(
        model or network(), data(season, 0, augment=True), data(season, 0), **arguments
    )


def same(first: torch.nn.Module, second: torch.nn.Module) -> bool:
    second = second.state_dict()
    return all(torch.equal(value, second[name]) for name, value in first.state_dict().items())


# ---------------------------------------------------------------------------------------- arguments


def test_accumulation_and_class_weights_in_the_loss(season):
    """The loss is the weighted mean over the known pixels of the whole batch, though each piece
    passes the network alone.
    """
    weights, losses = np.array([0.5, 1.0, 3.0]), []
    mask = np.ones((48, 64), bool)
    mask[:, :10] = False  # the pieces know unequal numbers of pixels
    learn = data(season, 0, mask=mask)
    model = network(dropout=0.0).train()
    for piece in np.split(
        np.random.default_rng((0, 1)).permutation(4), 2
    ):  # the order of seed 0, epoch 1
        x, y = (torch.stack(part) for part in zip(*(learn[i] for i in piece), strict=True))
        for logits, share in zip(model(x), (0.7, 0.3), strict=True):
            each = -torch.log_softmax(logits, 1).gather(1, y.clamp(min=0)[:, None])[:, 0]
            pixel = torch.tensor(weights)[y.clamp(min=0)] * (y != IGNORE)
            losses.append((share * (pixel * each).sum(), share * pixel.sum()))
    by_hand = (sum(loss for loss, _ in losses) / sum(pixels for _, pixels in losses)).item()
    learn.windows = learn.windows[:4]
    arguments = dict(
        epochs=1,
        batch=4,
        loss=partial(train.cross_entropy, aux_weight=0.3),
        accumulate=2,
        class_weights=weights,
        watch=lambda history: None,
    )
    found = train.fit(network(dropout=0.0), learn, learn, device="cpu", **arguments).history[0][
        "loss"
    ]
    assert found == pytest.approx(by_hand, rel=1e-5)


def test_gradients_add_up_over_pieces(season):
    """Without batch normalisation, a batch in pieces gives the step of a whole batch."""

    def plain():
        model = network(dropout=0.0)
        for module in list(model.modules()):
            for name, child in module.named_children():
                if isinstance(child, torch.nn.BatchNorm2d):
                    setattr(module, name, torch.nn.GroupNorm(1, child.num_features))
        return model

    whole, pieces = (fit(season, plain(), epochs=1, accumulate=n) for n in (1, 4))
    assert whole.history[0]["loss"] == pytest.approx(pieces.history[0]["loss"], rel=1e-5)
    # Nearly all weights: where a gradient is zero but for rounding (a bias before a norm), AdamW
    # steps by the sign of it.
    one, other = (
        torch.cat([value.ravel() for value in run.model.state_dict().values()])
        for run in (whole, pieces)
    )
    assert ((one - other).abs() > 2e-4 + 1e-3 * one.abs()).float().mean() < 0.005


def test_balanced_weights_make_classes_count_the_same():
    counts = np.array([600, 300, 0, 100])
    weights = train.balanced_weights(counts)
    np.testing.assert_allclose(weights, [1000 / 1800, 1000 / 900, 1, 1000 / 300])
    np.testing.assert_allclose((counts * weights).sum(), counts.sum())


SHARES = {  # of the highest rate, after a share of the training
    "polynomial": lambda done: (1 - done) ** 0.9,
    "cosine": lambda done: (1 + np.cos(np.pi * done)) / 2,
    "one-cycle": lambda done: np.where(
        done < 0.3, 0.04 + 0.96 * done / 0.3, (1 + np.cos(np.pi * (done - 0.3) / 0.7)) / 2
    ),
}


@pytest.mark.parametrize("schedule", SHARES)
def test_rate_warms_up_and_falls(season, schedule):
    epochs, steps = 15, 45  # three batches of four an epoch; two steps to warm up
    rates = [
        entry["rate"] for entry in fit(season, epochs=epochs, schedule=schedule, rate=0.01).history
    ]
    done = (np.arange(3, steps + 1, 3) - 1) / (steps + 1)
    np.testing.assert_allclose(rates, 0.01 * SHARES[schedule](done), rtol=1e-6)


def test_early_stopping_keeps_the_best_epoch(season):
    wrong = season.copy()
    wrong["crop"] = (
        season.crop.dims,
        (season.crop.values + 1) % 3,
        season.crop.attrs,
    )  # the better it learns, the worse it scores
    valid = data(wrong, 0)
    seen = []
    arguments = dict(
        epochs=30,
        batch=4,
        rate=5e-3,
        patience=3,
        device="cpu",
        watch=lambda history: seen.append(history[-1]["epoch"]),
    )
    trained = train.fit(network(), data(season, 0), valid, **arguments)
    losses = [entry["valid_loss"] for entry in trained.history]
    assert len(losses) == int(np.argmin(losses)) + 1 + 3 < 30 and seen == list(
        range(1, len(losses) + 1)
    )
    assert train.validate(trained.model, valid)["valid_loss"] == pytest.approx(
        min(losses), rel=1e-5
    )


def test_scores_are_those_of_the_error_matrix(season):
    trained, valid = fit(season), data(season, 0)
    with torch.inference_mode():
        mapped = torch.stack([trained.model(x[None])[0][0].argmax(0) for x, _ in valid]).numpy()
    reference = torch.stack([y for _, y in valid]).numpy()
    wanted = accuracy.summary(accuracy.error_matrix(mapped, reference, 3), trained.crops)
    assert trained.history[-1]["accuracy"] == pytest.approx(wanted["overall accuracy"])
    assert trained.history[-1]["f1"] == pytest.approx(wanted["mean F1 of crops"], nan_ok=True)
    assert set(trained.history[-1]) == {
        "epoch",
        "loss",
        "valid_loss",
        "accuracy",
        "f1",
        "rate",
        "seconds",
    }


def test_history_is_logged(season, tmp_path):
    history = fit(season, log=tmp_path / "log.csv").history
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "log.csv"), pd.DataFrame(history))
    with pytest.raises(FileExistsError, match="left as it is"):
        fit(season, log=tmp_path / "log.csv")


def test_training_is_silent_when_watched(season, capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(season, precision="bf16-mixed")
    assert capfd.readouterr() == ("", "")


def test_half_precision_learns(season):
    losses = [
        entry["loss"]
        for entry in fit(
            season, network(width=8), epochs=25, rate=5e-3, precision="bf16-mixed"
        ).history
    ]
    assert losses[-1] < 0.7 * losses[0]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("precision", ["bf16-mixed", "16-mixed"])
def test_half_precision_on_a_gpu(season, tmp_path, precision):
    losses = [
        e["loss"]
        for e in fit(
            season, network(width=8), epochs=25, rate=5e-3, precision=precision, device="cuda"
        ).history
    ]
    assert losses[-1] < 0.7 * losses[0]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (dict(precision="16-mixed"), "16-mixed needs a GPU"),
        (dict(precision="8"), "precision is '8'; expected one of 32-true, bf16-mixed, 16-mixed"),
        (
            dict(schedule="step"),
            "schedule is 'step'; expected one of polynomial, cosine, one-cycle",
        ),
        (dict(class_weights=[1, 2]), r"class weights have shape \(2,\); expected 3 numbers"),
        (
            dict(accumulate=5),
            "batch of 4 patches cannot be divided among 1 processes with 5 pieces",
        ),
        (dict(epochs=0), "epochs is 0"),
    ],
)
def test_arguments_that_do_not_fit(season, arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        fit(season, **arguments)


class Full(torch.nn.Module):
    """A network that needs more memory than the GPU has."""

    def __init__(self):
        super().__init__()
        self.weight, self.arguments = torch.nn.Parameter(torch.ones(1)), network().arguments

    def forward(self, x):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB")


def test_full_gpu_memory_names_the_batch_to_try(season):
    with pytest.raises(
        RuntimeError, match=r"batch of 4 patches: try a batch of 2, or 2 pieces \(accumulate\)"
    ):
        fit(season, Full())


# ------------------------------------------------------------------------------------- augmentation


def test_draws_follow_from_seed_epoch_and_patch_alone(season):
    kinds = (
        patches.turn,
        patches.add_speckle,
        patches.drop,
        partial(patches.jitter, times=season.time.values),
    )
    learn, again = (data(season, augment=kinds) for _ in range(2))
    for patches_of_both in (learn, again):
        patches_of_both.set_epoch(0, seed=0)
    first = learn[3][0]
    torch.manual_seed(5), again[0]
    torch.testing.assert_close(again[3][0], first, rtol=0, atol=0)
    torch.testing.assert_close(again[3 - len(again)][0], first, rtol=0, atol=0)
    for change in (dict(epoch=1, seed=0), dict(epoch=0, seed=1)):
        again.set_epoch(**change)
        assert not torch.equal(again[3][0], first)


def test_workers_change_nothing(season):
    one, three = (fit(season, epochs=1, workers=workers) for workers in (0, 2))
    assert same(one.model, three.model)


def cut(season):
    return np.stack([season.vh.values, season.vv.values], 1), season.crop.values.astype(np.int64)


def test_added_speckle_has_the_stated_looks():
    power, labels = (
        np.random.default_rng(0).gamma(4.4, 1 / 4.4, (6, 2, 200, 200)).astype("float32"),
        np.zeros((200, 200), int),
    )
    noisy, _ = patches.add_speckle(power, labels, np.random.default_rng(1), enl=10)
    assert noisy.dtype == np.float32 and noisy.mean() == pytest.approx(power.mean(), rel=0.01)
    assert noisy.mean() ** 2 / noisy.var() == pytest.approx(4.4 * 10 / (4.4 + 10 + 1), rel=0.02)
    with pytest.raises(ValueError, match="expected more than 0"):
        patches.add_speckle(power, labels, np.random.default_rng(1), enl=0)


def test_jitter_moves_the_curve_and_leaves_the_speckle(season):
    power, labels = cut(season)
    before, times = power.copy(), season.time.values
    rng = np.random.default_rng(4)
    shift = np.random.default_rng(4).uniform(-12, 12)
    moved, _ = patches.jitter(power, labels, rng, times=times, days=12)
    np.testing.assert_array_equal(power, before)
    day = (times - times[0]) / np.timedelta64(1, "D")
    assert abs(shift) > 3
    for crop in range(3):
        curve, found = (10 * np.log10(a[:, 0, labels == crop].mean(-1)) for a in (power, moved))
        np.testing.assert_allclose(found, np.interp(day + shift, day, curve), atol=1e-3)
        looks, after = (
            a[:, 0, labels == crop].mean(-1) ** 2 / a[:, 0, labels == crop].var(-1)
            for a in (power, moved)
        )
        np.testing.assert_allclose(after, looks, rtol=1e-3)
    power[2, 0, :10] = np.nan
    np.testing.assert_array_equal(
        np.isnan(patches.jitter(power, labels, rng, times=times)[0]), np.isnan(power)
    )


def test_a_dropped_date_is_the_mean_to_the_network(season):
    learn = data(season, augment=(partial(patches.drop, share=0.5),))
    plain, lost = data(season), 0
    for epoch in range(20):
        learn.set_epoch(epoch)
        x, y = learn[0]
        for date in range(5):
            gone = bool((x[date] == 0).all())
            assert gone or torch.equal(x[date], plain[0][0][date])
            lost += gone
        assert torch.equal(y, plain[0][1]), "labels stay, whatever is missing"
    assert 30 < lost < 70
    with pytest.raises(ValueError, match="share of dates"):
        patches.drop(*cut(season), np.random.default_rng(0), share=1)


# ------------------------------------------------------------------------------ stopped and resumed


class Stops(patches.PatchDataset):
    """Patches whose reading is interrupted after so many."""

    left = 10**9

    def __getitem__(self, index):
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        return super().__getitem__(index)


@pytest.mark.parametrize(
    ("reads", "every", "patience"), [(30, None, None), (30, 2, 2), (17, 1, None), (2, 1, None)]
)
def test_resume_gives_the_weights_of_a_training_never_stopped(
    season, tmp_path, reads, every, patience
):
    """Twelve patches, three batches an epoch; with dropout, turns and added speckle."""
    arguments = dict(epochs=4, batch=4, patience=patience, device="cpu", watch=lambda history: None)
    learn = Stops(
        season,
        patches.corners((48, 64), PATCH),
        PATCH,
        patches.fit_scaling(season),
        augment=(patches.turn, patches.add_speckle),
    )
    whole = train.fit(network(), learn, data(season), **arguments)
    arguments |= dict(checkpoint=tmp_path / "state", every=every)
    learn.left = reads
    with pytest.raises(KeyboardInterrupt):
        train.fit(network(), learn, data(season), **arguments)
    assert (tmp_path / "state").exists() == (reads > 12 or (every == 1 and reads > 4))
    learn.left = 10**9
    resumed = train.fit(network(), learn, data(season), resume=True, **arguments)
    assert same(whole.model, resumed.model)
    timeless = [
        [{k: v for k, v in entry.items() if k != "seconds"} for entry in t.history]
        for t in (whole, resumed)
    ]
    assert timeless[0] == timeless[1]
    again = train.fit(network(), learn, data(season), resume=True, **arguments)
    assert same(whole.model, again.model), "a training that is done resumes to its end"


def test_a_checkpoint_is_not_overwritten_by_a_new_training(season, tmp_path):
    fit(season, epochs=1, checkpoint=tmp_path / "state")
    with pytest.raises(FileExistsError, match="holds a training that was stopped: go on"):
        fit(season, epochs=1, checkpoint=tmp_path / "state")


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (dict(rate=1e-3), "rate=0.002, now rate=0.001"),
        (dict(epochs=3), "epochs=2, now epochs=3"),
        (dict(batch=3), "batch=4, now batch=3"),
        (dict(seed=1), "seed=0, now seed=1"),
        (
            dict(class_weights=np.array([1, 2, 3])),
            r"class_weights=\[1.0, 1.0, 1.0\], now class_weights=\[1.0, 2.0, 3.0\]",
        ),
        (dict(model=network(width=8)), "width=4, now width=8"),
        (dict(train=dict(augment=False)), r"training=.*, varied by turn, now .*varied by none"),
        (
            dict(train=dict(mask=np.eye(48, 64) == 0)),
            r"training=12 patches \(.*\), varied by turn, now training=12 patches",
        ),
        (
            dict(valid=dict(overlap=0.5)),
            r"validation=12 patches \(.*\), .*, now validation=35 patches",
        ),
    ],
)
def test_resume_with_other_arguments_is_refused(season, tmp_path, change, name):
    fit(season, checkpoint=tmp_path / "state")
    before = (tmp_path / "state").read_bytes()
    arguments = (
        dict(
            model=network(),
            train={},
            valid={},
            epochs=2,
            batch=4,
            device="cpu",
            checkpoint=tmp_path / "state",
        )
        | change
    )
    arguments["train"] = data(season, **dict(overlap=0, augment=True) | arguments["train"])
    arguments["valid"] = data(season, **dict(overlap=0) | arguments["valid"])
    with pytest.raises(ValueError, match=f"was made with {name}"):
        train.fit(**arguments, resume=True)
    assert (tmp_path / "state").read_bytes() == before


def test_foreign_and_truncated_checkpoints_are_named(season, tmp_path):
    state = tmp_path / "state"
    fit(season, checkpoint=state)
    whole = state.read_bytes()
    torch.save({"a": torch.zeros(2)}, tmp_path / "other")
    for content in (
        whole[: len(whole) // 2],
        whole[:-1],
        b"",
        b"something else",
        (tmp_path / "other").read_bytes(),
    ):
        state.write_bytes(content)
        with pytest.raises(
            ValueError,
            match="'.*state' is not a checkpoint of stma_nb, or it is truncated: delete it",
        ):
            fit(season, checkpoint=state, resume=True)


def test_code_in_a_checkpoint_is_not_run(season, tmp_path):
    class Bomb:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "run"),))

    torch.save({"arguments": Bomb()}, tmp_path / "state")
    with pytest.raises(ValueError, match="not a checkpoint"):
        fit(season, checkpoint=tmp_path / "state", resume=True)
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="limits the size of files as Unix can")
def test_a_full_disk_leaves_the_last_good_checkpoint(season, tmp_path):
    """The second checkpoint meets a limit on the size of files, the nearest to a full disk that any
    user can make.
    """
    import resource

    state, room = tmp_path / "state", resource.getrlimit(resource.RLIMIT_FSIZE)
    kept = []

    def watch(history):
        if not kept:
            kept.append(state.read_bytes())
            resource.setrlimit(resource.RLIMIT_FSIZE, (len(kept[0]) // 2, room[1]))

    try:
        with pytest.raises(
            OSError,
            match=r"could not be written \(.*File too large.*\); the last good one is kept: make "
            r"room",
        ):
            fit(season, checkpoint=state, watch=watch)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, room)
    assert state.read_bytes() == kept[0] and [file.name for file in tmp_path.iterdir()] == ["state"]
    fit(season, checkpoint=state, resume=True)


def test_a_loss_that_is_no_number_gives_the_last_good_weights_back(season, tmp_path):
    state, model, kept = tmp_path / "state", network(), {}

    def watch(history):
        kept.update(
            model={name: value.clone() for name, value in model.state_dict().items()},
            state=state.read_bytes(),
        )
        with torch.no_grad():
            model.decoder.classify[3].weight.fill_(float("nan"))

    with pytest.raises(
        FloatingPointError,
        match="loss is nan at batch 1 of epoch 2: lower the rate.*last good weights again",
    ):
        fit(season, model, checkpoint=state, watch=watch)
    assert state.read_bytes() == kept["state"]
    assert all(
        torch.equal(value, kept["model"][name]) for name, value in model.state_dict().items()
    )


# --------------------------------------------------------------------------------- the command line


@pytest.fixture(scope="module")
def command(tmp_path_factory):
    """A small season on disk, the command that trains on it, and the weights of a training never
    stopped.
    """
    folder = tmp_path_factory.mktemp("command")
    rng = np.random.default_rng(0)
    crop = (np.arange(96)[:, None] // 8 + np.arange(128) // 8) % 3
    vh = np.array([0.01, 0.02, 0.04])[crop] * rng.gamma(4.4, 1 / 4.4, (5, 96, 128))
    season = xr.Dataset(
        {
            name: (("time", "y", "x"), (k * vh).astype("float32"), {"units": "1"})
            for name, k in (("vv", 4), ("vh", 1))
        },
        {"time": np.array([f"2018-{month:02}-11" for month in range(4, 9)], "M8[ns]")}
        | {"y": 5_800_000.0 - 10 * np.arange(96), "x": 400_005.0 + 10 * np.arange(128)},
    ).rio.write_crs("EPSG:32633")
    names = (
        cube.Crop("Background", "#dddddd"),
        cube.Crop("Maize", "#d55e00"),
        cube.Crop("Sugar beet", "#0072b2"),
    )
    season["crop"] = ("y", "x"), crop.astype("uint8"), cube.flags(names)
    cube.save_season(season, folder / "season.zarr")
    flags = (
        "--patch 16 --width 4 --block 32 --buffer 2 --batch 4 --epochs 3 --every 1 --device "
        "cpu --augment turn speckle drop"
    )

    def line(weights, *more):
        return [
            "-m",
            "stma_nb",
            "train",
            f"{folder}/season.zarr",
            str(weights),
            *flags.split(),
            *more,
        ]

    assert main(line(folder / "whole.safetensors")[2:]) == 0
    return line, load_file(folder / "whole.safetensors")


def start(line):
    return subprocess.Popen(
        [sys.executable, *line], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def until(condition, process, seconds=120):
    end = time.monotonic() + seconds
    while not condition() and process.poll() is None and time.monotonic() < end:
        pass
    return condition()


def resumed_equals_whole(line, whole, weights):
    assert main(line(weights, "--resume")[2:]) == 0
    found = load_file(weights)
    assert all(torch.equal(value, found[name]) for name, value in whole.items())
    assert [file.name for file in weights.parent.iterdir()] == [weights.name], (
        "the checkpoint is gone, nothing half-written is left"
    )


@pytest.mark.slow
@pytest.mark.parametrize("moment", range(KILLS))
def test_killed_at_any_moment_and_resumed(command, tmp_path, moment):
    line, whole = command
    weights = tmp_path / "weights.safetensors"
    process = start(line(weights))
    checkpoint, chance = tmp_path / "weights.safetensors.checkpoint", random.Random()

    def written() -> int:
        return checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0

    for _ in range(chance.randrange(1, 45)):  # of 54 steps, each with its checkpoint
        last = written()
        until(lambda last=last: written() != last, process)
    time.sleep(chance.uniform(0, 0.02))
    process.kill()
    process.communicate()
    if process.returncode == 0:
        pytest.skip("it was done before it was killed")
    resumed_equals_whole(line, whole, weights)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="halts a process as Unix can")
def test_killed_in_the_middle_of_writing_a_checkpoint(command, tmp_path):
    line, whole = command
    weights, part = (
        tmp_path / "weights.safetensors",
        tmp_path / ".weights.safetensors.part.checkpoint",
    )
    process = start(line(weights))
    until((tmp_path / "weights.safetensors.checkpoint").exists, process)
    while process.poll() is None and not part.exists():
        if until(part.exists, process):
            process.send_signal(signal.SIGSTOP)
            time.sleep(0.05)
            if not part.exists():
                process.send_signal(signal.SIGCONT)
    process.kill()
    process.communicate()
    assert part.exists(), "the half-written file shows that the moment was met"
    resumed_equals_whole(line, whole, weights)


@pytest.mark.skipif(sys.platform == "win32", reason="sends an interrupt as Unix can")
def test_control_c_says_how_to_go_on(command, tmp_path, capsys):
    line, whole = command
    weights = tmp_path / "weights.safetensors"
    process = start(line(weights))
    until((tmp_path / "weights.safetensors.checkpoint").exists, process)
    process.send_signal(signal.SIGINT)
    error = process.communicate()[1]
    assert process.returncode == 130
    assert error.splitlines()[-2:] == [
        f"stma_nb: '{weights}.checkpoint' holds the training so far: give the same command with "
        "--resume",
        "stma_nb: stopped",
    ]
    assert main(line(weights)[2:]) == 1
    assert "holds a training that was stopped: go on (resume, --resume)" in capsys.readouterr().err
    resumed_equals_whole(line, whole, weights)


def test_a_file_gives_the_flags(command, tmp_path, capsys):
    line, _ = command
    season = line("")[3]
    (tmp_path / "small.yaml").write_text(
        "patch: 16\nwidth: 4\nblock: 32\nbuffer: 2\nepochs: 3\nrate: 1e-3\nbalanced: "
        "true\naugment: [turn, jitter]\n"
        f"patience: null\nlog: {tmp_path}/log.csv\ndevice: cpu\nschedule: cosine\naux_weight: 0.4\n"
    )
    weights = str(tmp_path / "w.safetensors")
    assert (
        main(["train", season, weights, "--epochs", "1", "--config", f"{tmp_path}/small.yaml"]) == 0
    )
    trained = train.load(weights)
    assert trained.model.arguments["width"] == 4 and len(trained.history) == 1, (
        "a flag that is given wins over the file"
    )
    assert trained.history[-1]["rate"] < 1e-3 and len(pd.read_csv(tmp_path / "log.csv")) == 1
    for content, sentence in (
        ("epoch: 3", "gives 'epoch', which train does not know: did you mean 'epochs'?"),
        (
            "epochs: twenty",
            "has a value that does not fit: argument --epochs: invalid int value: 'twenty'.",
        ),
        (
            "augment: [rain]",
            "has a value that does not fit: argument --augment: invalid choice: 'rain'",
        ),
        ("just words", "does not hold 'name: value' lines"),
        ("a: [", "does not hold 'name: value' lines"),
    ):
        (tmp_path / "wrong.yaml").write_text(content)
        capsys.readouterr()
        assert (
            main(
                ["train", season, f"{tmp_path}/x.safetensors", "--config", f"{tmp_path}/wrong.yaml"]
            )
            == 1
        )
        assert sentence in capsys.readouterr().err


# -------------------------------------------------------------------------------- several processes

SCRIPT = """
import os, sys
sys.path.insert(0, sys.argv[3])
from stma_nb import cube, patches, train
from test_50_train import PATCH, network
network = network(dropout=0.0).double()
network.register_forward_pre_hook(lambda _, x: x[0].double())
network.register_forward_hook(lambda _, x, both: tuple(logits.float() for logits in both))
season = cube.open_season(sys.argv[1])
windows, scaling = patches.corners((96, 128), PATCH, 0.0), patches.fit_scaling(season)
learn = patches.PatchDataset(season, windows, PATCH, scaling, augment=True)
learn.mask[:, :40] = False  # processes know unequal numbers of pixels
valid = patches.PatchDataset(season, windows[::3], PATCH, scaling)
trained = train.fit(network, learn, valid, 2, batch=8, device="cpu", accumulate=2)
if os.environ.get("RANK", "0") == "0":
    train.save(trained, sys.argv[2])
"""


def test_two_processes_learn_what_one_learns(command, tmp_path, monkeypatch):
    """Double precision inside the network, so that the rounding of sums in another order does not
    hide an error.
    """
    script, season = tmp_path / "script.py", command[0]("")[3]
    script.write_text(SCRIPT)
    one, two = (tmp_path / f"{name}.safetensors" for name in ("one", "two"))
    here = os.path.dirname(__file__)
    monkeypatch.setattr(sys, "argv", [str(script), season, str(one), here])
    monkeypatch.syspath_prepend(here)  # so that what the script adds goes as well
    runpy.run_path(str(script))
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [sys.executable, *launch, str(script), season, str(two), here],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(" 0/") == 1 and not done.stderr.count("MEMBER"), (
        "one process speaks, and Fabric does not"
    )
    losses = []
    for weights in (one, two):
        with safe_open(weights, "pt") as file:
            losses.append(json.loads(file.metadata()["stma_nb"])["history"])
    for key in ("loss", "valid_loss", "accuracy", "f1"):
        one, two = (np.array([entry[key] for entry in history]) for history in losses)
        print(key, one, "deviation", np.abs(two / one - 1).max())
        np.testing.assert_allclose(two, one, rtol=1e-5)
