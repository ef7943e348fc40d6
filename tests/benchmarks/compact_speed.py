"""Where the time of the compact network goes, and how far it is from the processor's limit.

    python tests/benchmarks/compact_speed.py [threads]

The limit is what a product of two large float32 matrices reaches in the same run. A training step
takes 8 patches, a map 54 windows at a time, both of the course's network (18 dates, 32 pixels,
width 16). Operations count multiplications and additions of forward and backward pass. The kinds
of work are the profiler's, without what they call. Run it on a quiet machine: it measures wall
time.
"""

import collections
import statistics
import sys
import time

import torch
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from stma_nb.machine import threads
from stma_nb.model import STMA
from stma_nb.predict import tiles
from stma_nb.train.losses import cross_entropy

SIZE = dict(dates=18, patch=32, classes=10, width=16)
KINDS = {
    "convolution, backward": ("convolution_backward", "slow_conv2d_backward"),
    "convolution, forward": ("mkldnn_convolution", "slow_conv2d_forward"),
    "batch and layer norm": ("_norm",),
    "matrix products": ("aten::mm", "addmm", "bmm"),
    "activations and pooling": ("threshold", "clamp_min", "relu", "sigmoid", "gelu", "pool"),
    "softmax, dropout, resizing": ("softmax", "bernoulli", "upsample"),
    "sums, products, copies": ("add", "mul", "div", "copy_", "fill_", "zero_", "cat", "sum"),
    "optimiser": ("adam", "Optimizer"),
}


def best(work, seconds: float = 4.0) -> float:
    """Median seconds of a call, over some seconds of calls; two warm up."""
    work(), work()
    taken, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def kind(name: str) -> str:
    return next(
        (kind for kind, parts in KINDS.items() if any(part in name for part in parts)),
        "calls and the rest",
    )


def main() -> None:
    torch.set_num_threads(int(sys.argv[1]) if len(sys.argv) > 1 else threads())
    torch.manual_seed(0)
    a, b = torch.randn(2048, 2048), torch.randn(2048, 2048)
    peak = 2 * 2048**3 / best(lambda: a @ b) / 1e9
    print(f"{torch.get_num_threads()} thread(s), limit {peak:.0f} GFLOP/s")

    model = STMA(**SIZE)
    optimiser = torch.optim.AdamW(model.parameters(), fused=True)
    x, y = torch.randn(8, 18, 2, 32, 32), torch.randint(0, 10, (8, 32, 32))
    weights = torch.ones(10)

    def learn() -> None:
        (cross_entropy(model(x), y, weights) / y.numel()).backward()
        optimiser.step()
        optimiser.zero_grad()

    with FlopCounterMode(display=False) as counted:
        learn()
    gigas = counted.get_total_flops() / 1e9
    seconds = best(learn)
    print(
        f"training step: {seconds * 1e3:.1f} ms, {8 / seconds:.0f} patches/s, "
        f"{gigas / seconds:.0f} GFLOP/s, {gigas / seconds / peak:.0%} of the limit"
    )
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        for _ in range(20):
            learn()
    spent = collections.Counter()
    for event in seen.key_averages():
        spent[kind(event.key)] += event.self_cpu_time_total
    for name, microseconds in spent.most_common():
        print(f"  {microseconds / sum(spent.values()):5.0%}  {name}")

    model.eval()
    windows = torch.randn(54, 18, 2, 32, 32)
    with FlopCounterMode(display=False) as counted, torch.no_grad():
        model(windows)
    gigas = counted.get_total_flops() / 1e9
    forms = {"as trained": model} | {
        engine: tiles.inference_form(model, engine=engine) for engine in tiles.ENGINES
    }
    with torch.inference_mode():
        for name, form in forms.items():
            seconds = best(lambda form=form: form(windows))
            print(
                f"a batch of a map, {name}: {seconds / 54 * 1e3:.3f} ms a window, "
                f"{gigas / seconds:.0f} GFLOP/s, {gigas / seconds / peak:.0%} of the limit"
            )


if __name__ == "__main__":
    main()
