"""How often does an interval of 95 % hold the truth? Simulated units of very unequal size.

    python tests/benchmarks/interval_coverage.py [--trials 2000]

About three minutes on one core. Writes data/interval_coverage.json.

A unit (a block, a field) has a log-normal number of pixels (sigma 1.2), of which a share is right
that differs from unit to unit (beta, correlation 0.1 or 0.3 within a unit). The interval of
``accuracy.interval`` is set beside the percentiles of a bootstrap of units.

``accuracy.paired_difference`` is tried on two maps of which either may be better in a unit, and on
the hardest case: map b mends some errors of map a, and is never worse.

Last, errors of a scene hang together as a Gaussian field with an exponential-like correlation, and
blocks of one to four ranges (``accuracy.error_range``) are the units.
"""

import argparse
import json
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
from scipy.stats import norm

from stma_nb import accuracy, course

OA = accuracy.overall_accuracy
UNITS, ACCURACIES, CORRELATIONS = (2, 3, 5, 10, 20, 80), (0.6, 0.8, 0.95), (0.1, 0.3)


def units(
    rng: np.random.Generator, count: int, share: float, correlation: float
) -> tuple[np.ndarray, np.ndarray]:
    """Pixels of each unit (count,), and the chance of each that a pixel is right."""
    size = np.exp(rng.normal(5, 1.2, count)).astype(int) + 10
    spread = (1 - correlation) / correlation
    return size, rng.beta(share * spread, (1 - share) * spread, count)


def matrices(size: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Error matrices (units, 2, 2) of a reference of one class."""
    return np.stack([right, 0 * size, size - right, 0 * size], axis=1).reshape(-1, 2, 2)


def percentiles(matrices: np.ndarray, rng: np.random.Generator) -> tuple[float, float]:
    """The interval of the bootstrap: units drawn with replacement, 400 times."""
    drawn = rng.integers(len(matrices), size=(400, len(matrices)))
    right, size = matrices[:, 0, 0], matrices.sum((1, 2))
    low, high = np.quantile(right[drawn].sum(1) / size[drawn].sum(1), (0.025, 0.975))
    return low, high


def coverage(
    count: int, share: float, correlation: float, trials: int, seed: int = 0
) -> dict[str, float]:
    """By method, the share of trials whose interval holds the truth."""
    rng = np.random.default_rng([seed, count, round(100 * share), round(100 * correlation)])
    gain = 0.2 * (1 - share)  # map b makes a fifth fewer errors than map a
    held: Counter[str] = Counter()
    for _ in range(trials):
        size, chance = units(rng, count, share, correlation)
        a = matrices(size, rng.binomial(size, chance))
        (_, own_a), (_, own_b) = (
            units(rng, count, mean, correlation) for mean in (share, share + 2 * gain)
        )
        first, second = (  # half of what a unit holds is equally hard for both
            matrices(size, rng.binomial(size, (chance + own) / 2)) for own in (own_a, own_b)
        )
        mended = rng.beta(0.6, 2.4, count)  # of the errors in a unit, a fifth on average
        never_worse = matrices(size, a[:, 0, 0] + rng.binomial(a[:, 1, 0], mended))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that the units are few is the point
            found = {
                "interval": (share, accuracy.interval(a, OA)[1:]),
                "percentile bootstrap": (share, percentiles(a, rng)),
                "paired difference": (gain, accuracy.paired_difference(second, first, OA)[1:3]),
                "paired difference, never worse": (
                    gain,
                    accuracy.paired_difference(never_worse, a, OA)[1:3],
                ),
            }
        for method, (truth, (low, high)) in found.items():
            held[method] += low <= truth <= high
    return {method: number / trials for method, number in held.items()}


def scene(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Where a map is right (rows, columns): in 80 %, with errors in patches some pixels wide."""
    wave = np.hypot(np.fft.fftfreq(2 * shape[0])[:, None], np.fft.fftfreq(2 * shape[1]))
    spectrum = (1 + (8 * np.pi * wave) ** 2) ** -1.5  # of exp(-distance / 4 pixels)
    noise = np.fft.fft2(rng.normal(size=wave.shape))
    field = np.fft.ifft2(noise * np.sqrt(spectrum / spectrum.mean())).real[: shape[0], : shape[1]]
    return 0.8 * field + 0.6 * rng.normal(size=shape) < norm.ppf(0.8)


def coverage_of_blocks(
    trials: int,
    ranges: tuple[int, ...] = (1, 2, 3, 4),
    seed: int = 0,
    shape: tuple[int, int] = (400, 520),
) -> dict[int, float]:
    """Share of trials whose interval holds the truth, by the side of the blocks in ranges."""
    rng = np.random.default_rng(seed)
    held: Counter[int] = Counter()
    for _ in range(trials):
        right = scene(rng, shape)
        reach = accuracy.error_range(right, np.ones(right.shape), pixel=1)
        for number in ranges:
            side = round(number * reach)
            rows, columns = (n // side * side for n in right.shape)
            wrong = 1 - right[:rows, :columns]
            blocks = accuracy.block_matrices(wrong, 0 * wrong, 2, side)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                _, low, high = accuracy.interval(blocks, OA)
            held[number] += low <= 0.8 <= high
    return {number: held[number] / trials for number in ranges}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--output", type=Path, default=course.ROOT / "data" / "interval_coverage.json"
    )
    args = parser.parse_args()
    rows = []
    for correlation in CORRELATIONS:
        for count in UNITS:
            for share in ACCURACIES:
                found = coverage(count, share, correlation, args.trials, args.seed)
                case = {"units": count, "accuracy": share, "correlation": correlation}
                run = {"trials": args.trials, "seed": args.seed}
                rows += [case | run | {"method": m, "coverage": c} for m, c in found.items()]
                print(*case.values(), *(f"{name} {c:.3f}" for name, c in found.items()), flush=True)
    for number, c in coverage_of_blocks(args.trials // 4, seed=args.seed).items():
        run = {"accuracy": 0.8, "trials": args.trials // 4, "seed": args.seed}
        rows.append(run | {"method": f"interval, blocks of {number} range(s)", "coverage": c})
        print(f"blocks of {number} range(s) {c:.3f}")
    args.output.write_text(json.dumps(rows, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
