"""A training step in several forms against a plain one: ratios of one run. ``python
tests/benchmarks/training_speed.py``

Plain is the published network written down directly (see model_speed.py) with PyTorch's default
AdamW. Each further form adds one thing to the one before: the trunk laid out channels last, AdamW
in one pass, bfloat16 where autocast allows it. The forms take turns in every round, so that other
load on the machine falls on all of them.
"""

import statistics
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).parent))
from model_speed import plain_attention, plain_trunk

from stma_nb.model import STMA, MultiHeadAttention, Trunk

FORMS = {  # plain network, fused AdamW, bfloat16
    "plain, fp32": (True, False, False),
    "channels last, fp32": (False, False, False),
    "and fused AdamW": (False, True, False),
    "and bf16-mixed": (False, True, True),
}


def step(model, optimiser, x, y, half: bool) -> None:
    with torch.autocast(x.device.type, torch.bfloat16, enabled=half):
        main, aux = model(x)
    loss = 0.5 * F.cross_entropy(main.float(), y) + 0.5 * F.cross_entropy(aux.float(), y)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    if x.is_cuda:
        torch.cuda.synchronize()


def measure(batch: int, rounds: int, **size: int) -> None:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    x = torch.randn(batch, size["dates"], 2, size["patch"], size["patch"], device=device)
    y = torch.randint(0, size["classes"], (batch, size["patch"], size["patch"]), device=device)
    forms = {}
    for name, (plain, fused, half) in FORMS.items():
        torch.manual_seed(0)
        model = STMA(**size)
        for module in model.modules():
            form = {Trunk: plain_trunk, MultiHeadAttention: plain_attention}.get(type(module))
            if form and plain:
                module.forward = form.__get__(module)
        model.to(device)
        forms[name] = (
            model,
            torch.optim.AdamW(model.parameters(), weight_decay=1e-2, fused=fused),
            half,
        )
    seconds = {name: [] for name in forms}
    for number in range(rounds + 1):
        for name, (model, optimiser, half) in forms.items():
            start = time.perf_counter()
            step(model, optimiser, x, y, half)
            if number:  # the first round warms up
                seconds[name].append(time.perf_counter() - start)
    print(f"batch {batch}, {size}, {device}, {torch.get_num_threads()} thread(s)")
    for name, times in seconds.items():
        ratios = [plain / form for plain, form in zip(seconds["plain, fp32"], times, strict=True)]
        print(
            f"  {name:<20} median {statistics.median(times):7.3f} s, "
            f"{statistics.median(ratios):.2f} times as fast as plain"
        )


if __name__ == "__main__":
    measure(8, rounds=15, dates=18, patch=32, classes=10, width=16)  # the course's network
    measure(2, rounds=5, dates=41, patch=128, classes=16, width=64)  # the published one
