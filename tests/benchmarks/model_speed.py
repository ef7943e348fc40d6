"""STMA against a plain transcription of the published network: ratios of one run. ``python
tests/benchmarks/model_speed.py``

The plain form is the same mathematics written down directly: convolutions in PyTorch's default
layout, attention head by head with einsum. Both forms share weights; the outputs are compared
first.
"""

import statistics
import time

import torch
import torch.nn.functional as F

from stma_nb.model import MCA, STMA, MultiHeadAttention, Trunk


def plain_trunk(self: Trunk, x):
    x, size = self.stem(x.flatten(0, 1)), x.shape[:2]
    levels = []
    for stage, squeeze in zip((self.stage1, self.stage2, self.stage3), self.squeeze, strict=True):
        x = stage(x)
        levels.append(squeeze(x).unflatten(0, size))
    return levels


def plain_attention(self: MultiHeadAttention, tokens):
    def heads(layer):
        weight = layer.weight.T.unflatten(1, (self.heads, -1))
        return torch.einsum("bnf,fhd->bhnd", tokens, weight) + layer.bias.view(1, self.heads, 1, -1)

    q, k, v = heads(self.to_query), heads(self.to_key), heads(self.to_value)
    weights = F.softmax(torch.einsum("bhqd,bhkd->bhqk", q, k) / q.shape[-1] ** 0.5, dim=-1)
    mixed = torch.einsum("bhqk,bhkd->bqhd", weights, v)
    return torch.einsum(
        "bqhd,hdf->bqf", mixed, self.out.weight.T.unflatten(0, (self.heads, -1))
    ) + self.out.bias, weights


def step(model, optimiser, x, y):
    main, aux = model(x)
    loss = 0.5 * F.cross_entropy(main, y) + 0.5 * F.cross_entropy(aux, y)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()


def main(rounds: int = 5, batch: int = 2) -> None:
    torch.manual_seed(0)
    ours, plain = STMA(), STMA()
    plain.load_state_dict(ours.state_dict())
    for module in plain.modules():
        form = {Trunk: plain_trunk, MultiHeadAttention: plain_attention}.get(type(module))
        if form:
            module.forward = form.__get__(module)
    assert isinstance(plain.mca, MCA)
    x, y = torch.randn(batch, 41, 2, 128, 128), torch.randint(0, 16, (batch, 128, 128))
    ours.eval(), plain.eval()
    with torch.inference_mode():
        print(f"largest difference of the outputs: {(ours(x)[0] - plain(x)[0]).abs().max():.1e}")
    times = {name: {"inference": [], "training step": []} for name in ("ours", "plain")}
    optimisers = {
        name: torch.optim.Adam(model.parameters())
        for name, model in (("ours", ours), ("plain", plain))
    }
    for _ in range(rounds):
        for name, model in (("ours", ours), ("plain", plain)):
            model.eval()
            start = time.perf_counter()
            with torch.inference_mode():
                model(x)
            times[name]["inference"].append(time.perf_counter() - start)
            model.train()
            start = time.perf_counter()
            step(model, optimisers[name], x, y)
            times[name]["training step"].append(time.perf_counter() - start)
    for what in ("inference", "training step"):
        a, b = (statistics.median(times[name][what]) for name in ("ours", "plain"))
        print(f"{what}, batch {batch}: ours {a:.2f} s, plain {b:.2f} s, ratio {a / b:.2f}")


if __name__ == "__main__":
    main()
