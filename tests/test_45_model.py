"""The network computes the published numbers, takes any size it promises, and says clearly what it
refuses.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from stma_nb import course
from stma_nb.model import STMA

FIXTURES = Path(__file__).parent / "fixtures"


def reference_state(seed: int = 0) -> dict[str, torch.Tensor]:
    """The state dict that the recordings were made with."""
    shapes = json.loads((FIXTURES / "reference_state_dict.json").read_text(encoding="utf-8"))
    return course.weights_by_name(shapes, seed)


@pytest.fixture(scope="module")
def parity() -> dict[str, float]:
    """Worst deviation from each recorded array in units of its standard deviation, and of each
    gradient norm (relative).
    """
    model = STMA.from_reference(reference_state()).eval()
    kept = {}
    for level, block in enumerate(model.stsa, start=1):
        block.register_forward_hook(
            lambda _, __, out, level=level: kept.update({f"stsa{level}": out[0].flatten(2).mT})
        )
    model.mca.register_forward_hook(lambda _, __, out: kept.update(mca=out[0]))
    x = torch.tensor(
        np.random.default_rng([1000, 0]).standard_normal((2, 41, 2, 128, 128)), dtype=torch.float32
    )
    y = torch.tensor(np.random.default_rng([2000, 0]).integers(0, 16, (2, 128, 128)))
    main, aux, attention = model(x, return_attention=True)
    loss_main, loss_aux = (torch.nn.functional.cross_entropy(logits, y) for logits in (main, aux))
    (0.5 * loss_main + 0.5 * loss_aux).backward()

    ours = {
        "out": main[:, :, ::4, ::4], "aux": aux[:, :, ::4, ::4],
        "out_mean": main.mean((2, 3)), "out_std": main.std((2, 3)), "aux_std": aux.std((2, 3)),
        "mca": kept["mca"][:, ::8, ::4, ::4],
        "cross_attention": attention["cross"][:, :, ::16, ::4],
        "loss_main": loss_main, "loss_aux": loss_aux,
    }  # fmt: skip
    for level in (1, 2, 3):
        ours[f"stsa{level}"] = kept[f"stsa{level}"][:, ::16, ::8]
        spatial = attention["spatial"][level - 1]
        ours[f"spatial_attention{level}"] = spatial[
            :, :, ::64, :64
        ]  # the first 64 keys of every 64th query
        ours[f"temporal_attention{level}"] = attention["temporal"][level - 1]
    deviation = {}
    with np.load(FIXTURES / "parity_seed0.npz") as recorded:
        assert set(recorded) == set(ours)
        for name in recorded:
            r, o = recorded[name], ours[name].detach().numpy()
            assert r.shape == o.shape, name
            deviation[name] = float(np.abs(o - r).max() / (r.std() or 1))
    norms = json.loads((FIXTURES / "gradnorm_seed0.json").read_text(encoding="utf-8"))
    ours = {name: parameter.grad.norm().item() for name, parameter in model.named_parameters()}
    from stma_nb.model import reference_name

    assert {reference_name(name) for name in norms} == set(ours)
    for name, norm in norms.items():
        # The gradient of a bias before a softmax's keys is zero but for rounding; compare what is
        # above it.
        deviation[f"gradient {name}"] = abs(ours[reference_name(name)] - norm) / max(norm, 1e-6)
    return deviation


def test_outputs_equal_the_published_implementation(parity):
    arrays = {name: value for name, value in parity.items() if not name.startswith("gradient")}
    assert max(arrays.values()) < 1e-4, arrays


def test_gradients_equal_the_published_implementation(parity):
    gradients = {name: value for name, value in parity.items() if name.startswith("gradient")}
    assert max(gradients.values()) < 1e-3, sorted(gradients.items(), key=lambda item: -item[1])[:5]


@pytest.mark.parametrize(
    "dates, patch, bands, classes, width",
    [(2, 8, 1, 2, 4), (7, 24, 2, 5, 8), (24, 64, 3, 16, 16), (60, 32, 2, 16, 16)],
)
def test_any_size_that_is_promised(dates, patch, bands, classes, width):
    model = STMA(dates, patch, bands, classes, width)
    main, aux, attention = model(torch.randn(2, dates, bands, patch, patch), return_attention=True)
    assert main.shape == aux.shape == (2, classes, patch, patch)
    (main.mean() + aux.mean()).backward()
    assert all(p.grad is not None for p in model.parameters()), "every parameter takes part"
    pixels = [(patch // 4) ** 2, (patch // 8) ** 2, (patch // 8) ** 2]
    for spatial, temporal, n in zip(
        attention["spatial"], attention["temporal"], pixels, strict=True
    ):
        assert spatial.shape == (2, 4, n, n) and temporal.shape == (2, 4, dates, dates)
        for weights in (spatial, temporal):
            torch.testing.assert_close(weights.sum(-1), torch.ones_like(weights[..., 0]))
    assert (
        attention["cross"].shape == (2, 1, pixels[1], pixels[1])
        and attention["cross"].abs().max() <= 1 + 1e-5
    )


def test_initial_attention_is_open():
    """The published N(0, 1) start saturates the softmax (normalised entropy near 0); ours starts
    near uniform.
    """
    torch.manual_seed(0)
    _, _, attention = STMA(24, 64, width=16)(torch.randn(2, 24, 2, 64, 64), return_attention=True)
    for weights in attention["spatial"] + attention["temporal"]:
        entropy = -(weights * weights.clamp_min(1e-12).log()).sum(-1).mean() / np.log(
            weights.shape[-1]
        )
        assert entropy > 0.8


@pytest.mark.parametrize(
    "arguments, says",
    [
        (dict(patch=100), "100 pixels.*multiple of 8"),
        (dict(dates=1), "at least 2"),
        (dict(dates=2, heads=8), "8 heads do not fit 2 dates"),
    ],
)
def test_impossible_sizes_are_refused(arguments, says):
    with pytest.raises(ValueError, match=says):
        STMA(**arguments)


def test_input_of_another_shape_is_refused():
    model = STMA(dates=5, patch=16, width=4)
    with pytest.raises(ValueError, match=r"\(B, 5, 2, 16, 16\), got \(1, 6, 2, 16, 16\)"):
        model(torch.zeros(1, 6, 2, 16, 16))


def test_weights_of_something_else_are_refused():
    state = reference_state()
    state.pop("decoder1.0.bias")
    with pytest.raises(
        ValueError, match="not weights of the published STMA.*decoder.to_quarter_size.0.bias"
    ):
        STMA.from_reference(state)
    with pytest.raises(ValueError, match="not weights of the published STMA"):
        STMA.from_reference({"fc.weight": torch.zeros(2, 2)})


def resnet18_file(path: Path) -> str:
    """A file of ResNet-18's true format: torchvision's names and shapes, random values."""
    blocks = {}
    for stage, (inner, out) in enumerate([(64, 64), (64, 128), (128, 256), (256, 512)], start=1):
        for block in (0, 1):
            first = inner if block == 0 else out
            name = f"layer{stage}.{block}."
            blocks |= {
                f"{name}conv1.weight": (out, first, 3, 3),
                f"{name}conv2.weight": (out, out, 3, 3),
            }
            norms = ["bn1", "bn2"]
            if first != out:
                blocks[f"{name}downsample.0.weight"] = (out, first, 1, 1)
                norms.append("downsample.1")
            for norm in norms:
                blocks |= {
                    f"{name}{norm}.{part}": (out,)
                    for part in ("weight", "bias", "running_mean", "running_var")
                }
    blocks |= {"conv1.weight": (64, 3, 7, 7), "fc.weight": (1000, 512), "fc.bias": (1000,)}
    blocks |= {f"bn1.{part}": (64,) for part in ("weight", "bias", "running_mean", "running_var")}
    state = {name: torch.rand(shape) for name, shape in blocks.items()}
    torch.save(state, path)
    return state


def test_imagenet_weights_fill_the_trunk(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    state = resnet18_file(tmp_path / "resnet18.pth")
    trunk = (
        STMA(dates=2, patch=8, width=64).load_imagenet((tmp_path / "resnet18.pth").as_uri()).trunk
    )
    torch.testing.assert_close(trunk.stem[0].weight, state["conv1.weight"][:, :2])
    torch.testing.assert_close(trunk.stem[1].running_var, state["bn1.running_var"])
    torch.testing.assert_close(
        trunk.stage3[0].shortcut[0].weight, state["layer3.0.downsample.0.weight"]
    )
    torch.testing.assert_close(trunk.stage2[1].conv2.weight, state["layer2.1.conv2.weight"])
    with pytest.raises(RuntimeError, match="could not be fetched"):
        STMA(dates=2, patch=8).load_imagenet((tmp_path / "nowhere.pth").as_uri())
    with pytest.raises(ValueError, match="width 64"):
        STMA(dates=2, patch=8, width=16).load_imagenet()
