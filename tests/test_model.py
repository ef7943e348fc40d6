"""The network computes the published numbers, takes any size it promises, and says clearly what it refuses."""

import json
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch

from stma_nb.model import STMA

FIXTURES = Path(__file__).parent / "fixtures"


def reference_state(seed: int = 0) -> dict[str, torch.Tensor]:
    """The state dict that the recordings were made with: every entry drawn from its name."""
    state = {}
    for name, shape in json.loads((FIXTURES / "reference_state_dict.json").read_text()).items():
        z = np.random.default_rng([zlib.crc32(name.encode()), seed]).standard_normal(shape)
        if name.endswith("num_batches_tracked"):
            state[name] = torch.zeros((), dtype=torch.int64)
            continue
        if name.endswith("running_var"):
            z = 0.5 + np.abs(z)
        elif name.endswith(("running_mean", "bias")):
            z = 0.1 * z
        elif z.ndim == 1:
            z = 1 + 0.1 * z
        elif ".attn_" in name and name.endswith(("query.weight", "key.weight", "value.weight")):
            z = z / np.sqrt(shape[0])
        elif ".attn_" in name and name.endswith("out.weight"):
            z = z / np.sqrt(shape[0] * shape[1])
        else:
            z = z / np.sqrt(np.prod(shape[1:]))
        state[name] = torch.tensor(z, dtype=torch.float32)
    return state


@pytest.fixture(scope="module")
def parity() -> dict[str, float]:
    """Worst deviation from each recorded array in units of its standard deviation, and of each gradient norm (relative)."""
    model = STMA.from_reference(reference_state()).eval()
    kept = {}
    for level, block in enumerate(model.stsa, start=1):
        block.register_forward_hook(lambda _, __, out, level=level: kept.update({f"stsa{level}": out[0].flatten(2).mT}))
    model.mca.register_forward_hook(lambda _, __, out: kept.update(mca=out[0]))
    x = torch.tensor(np.random.default_rng([1000, 0]).standard_normal((2, 41, 2, 128, 128)), dtype=torch.float32)
    y = torch.tensor(np.random.default_rng([2000, 0]).integers(0, 16, (2, 128, 128)))
    main, aux, attention = model(x, return_attention=True)
    loss_main, loss_aux = (torch.nn.functional.cross_entropy(logits, y) for logits in (main, aux))
    (0.5 * loss_main + 0.5 * loss_aux).backward()

    ours = {
        "out": main[:, :, ::4, ::4], "aux": aux[:, :, ::4, ::4],
        "out_mean": main.mean((2, 3)), "out_std": main.std((2, 3)), "aux_std": aux.std((2, 3)),
        "mca": kept["mca"][:, ::8, ::4, ::4], "cross_attention": attention["cross"][:, :, ::16, ::4],
        "loss_main": loss_main, "loss_aux": loss_aux,
    }  # fmt: skip
    for level in (1, 2, 3):
        ours[f"stsa{level}"] = kept[f"stsa{level}"][:, ::16, ::8]
        spatial = attention["spatial"][level - 1]
        ours[f"spatial_attention{level}"] = spatial[:, :, ::64, :64]  # the first 64 keys of every 64th query
        ours[f"temporal_attention{level}"] = attention["temporal"][level - 1]
    deviation = {}
    with np.load(FIXTURES / "parity_seed0.npz") as recorded:
        assert set(recorded) == set(ours)
        for name in recorded:
            r, o = recorded[name], ours[name].detach().numpy()
            assert r.shape == o.shape, name
            deviation[name] = float(np.abs(o - r).max() / (r.std() or 1))
    norms = json.loads((FIXTURES / "gradnorm_seed0.json").read_text())
    ours = {name: parameter.grad.norm().item() for name, parameter in model.named_parameters()}
    from stma_nb.model import reference_name

    assert {reference_name(name) for name in norms} == set(ours)
    for name, norm in norms.items():
        # The gradient of a bias before a softmax's keys is zero but for rounding; compare what is above it.
        deviation[f"gradient {name}"] = abs(ours[reference_name(name)] - norm) / max(norm, 1e-6)
    return deviation


def test_outputs_equal_the_published_implementation(parity):
    arrays = {name: value for name, value in parity.items() if not name.startswith("gradient")}
    assert max(arrays.values()) < 1e-4, arrays


def test_gradients_equal_the_published_implementation(parity):
    gradients = {name: value for name, value in parity.items() if name.startswith("gradient")}
    assert max(gradients.values()) < 1e-3, sorted(gradients.items(), key=lambda item: -item[1])[:5]
