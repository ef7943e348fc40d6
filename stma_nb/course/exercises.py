"""The checks behind the notebooks' exercises: each tells right from wrong, and why it is wrong."""

import math
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

# These rooms load when first used: a notebook without networks loads no torch.
from stma_nb import patches, radar, train


def check(
    answer: object, expected: float, tolerance: float = 0.01, hints: dict[Any, str] | None = None
) -> None:
    """Print whether the answer to an exercise is right.

    ``hints`` tell what led to a typical wrong number: {wrong number: what to say}.
    """
    if answer is None:
        print("Not attempted yet: replace None by your answer and run the cell again.")
        return
    try:
        one = answer if hasattr(answer, "item") else np.asarray(answer)  # tensors of any kind
        number = float(one.item())
    except (TypeError, ValueError, RuntimeError):
        print(
            f"Expected one number, got {type(answer).__name__}: set answer to something like -3.2."
        )
        return
    shown = f"{number:.0f}" if number.is_integer() else f"{number:.4g}"
    if abs(number - expected) <= tolerance:
        print(f"Well done: {shown} is right.")
        return
    reasons = [why for wrong, why in (hints or {}).items() if abs(number - wrong) <= tolerance]
    if 0 < expected < 1 and abs(number - 100 * expected) <= 100 * tolerance:
        reasons.insert(0, "The number is right in per cent; give it as a share between 0 and 1.")
    reason = reasons[0] if reasons else "Look at the section above again."
    print(f"{shown} is not right. {reason}")


# ------------------------------------------------------------------------------------ 00 quickstart


def quickstart_1(answer: object) -> None:
    """0.02 of the power in dB."""
    hints = {
        17.0: "A share below one has a negative logarithm.",
        -39.1: "That is 10 times the natural logarithm; decibels use the logarithm to base 10.",
        -1.7: "That is the logarithm; decibels are ten times that.",
    }
    check(answer, 10 * np.log10(0.02), 0.1, hints)


def quickstart_2(answer: object, matrix: np.ndarray, code: int) -> None:
    """User's accuracy of a class."""
    producers = matrix[code, code] / matrix[:, code].sum()
    hints = {
        producers: "That is the producer's accuracy: you divided by the reference. "
        "Divide by what the map calls so."
    }
    check(answer, matrix[code, code] / matrix[code].sum(), 6e-3, hints)


def quickstart_3(answer: object, matrix: np.ndarray) -> None:
    """Overall accuracy of a map that is background everywhere."""
    total = matrix.sum()
    mapped = matrix[0].sum() / total
    found = matrix[0, 0] / total
    hints = {
        mapped: "That is what the network's map calls background. "
        "Where is the *reference* background?",
        found: "That counts only background which the network found too; "
        "the lazy map finds all of it.",
    }
    check(answer, matrix[:, 0].sum() / total, 6e-3, hints)


# ------------------------------------------------------------------------------- 01 SAR time series


def time_series_1(answer: object) -> None:
    """Backscatter of a field that is half at -10 and half at -20 dB."""
    hints = {
        -15.0: "That is the mean of the decibels. "
        "Go to linear power, average there, and come back.",
        0.055: "That is the mean power; now express it in dB.",
    }
    check(answer, 10 * np.log10((0.1 + 0.01) / 2), 0.02, hints)


def time_series_2(answer: object, power: np.ndarray) -> None:
    """ENL of the pixels of a field."""
    enl = power.mean() ** 2 / power.var()
    root = power.mean() / power.std()
    inverse = power.var() / power.mean() ** 2
    hints = {
        root: "That is the mean over the standard deviation. ENL is its square.",
        inverse: "That is the inverse: ENL grows when the spread shrinks.",
    }
    check(answer, enl, 0.06, hints)


def time_series_3(answer: object, table: np.ndarray, present: list[str]) -> None:
    """Date on which wheat and rapeseed differ most in mean VH."""
    gap = table[present.index("Rapeseed")] - table[present.index("Wheat")]
    most = int(np.abs(gap).argmax())
    least = int(np.abs(gap).argmin())
    lowest = int(gap.argmin())
    hints = {
        least: "There they differ least.",
        lowest: "There rapeseed is furthest below wheat; "
        "look at the size of the difference, whatever its sign.",
        most + 1: "Count from 0: the first date has position 0.",
    }
    check(answer, most, 0, hints)


# --------------------------------------------------------------------------------- 02 preprocessing


def preprocessing_1(answer: object) -> None:
    """Bias of -22 dB of VH under a NESZ of -25 dB."""
    hints = {
        3.0: "That is the distance between signal and noise. "
        "Add their powers, then see how much larger the sum is.",
        -3.0: "That is the distance between noise and signal. "
        "Add their powers, then compare the sum with the signal.",
        -20.24: "That is what is measured. How much more is it than the truth?",
    }
    check(answer, 10 * np.log10(1 + 10**-2.5 / 10**-2.2), 0.06, hints)


def preprocessing_2(answer: object) -> None:
    """Dates that Quegan and Yu's filter needs for an ENL of 30."""
    expected = next(dates for dates in range(1, 500) if radar.quegan_yu_enl(dates, 7) >= 30)
    plain_mean = math.ceil(30 / 4.4)
    hints = {
        plain_mean: "That would do if nothing but the mean over dates counted; "
        "the local means are speckled too.",
        expected - 1: "Just below 30: one more.",
    }
    check(answer, expected, 0, hints)


def preprocessing_3(answer: object) -> None:
    """gamma0 of a sigma0 of -12 dB at 45 degrees."""
    cosine = np.cos(np.radians(45))
    multiplied = -12 + 10 * np.log10(cosine)
    hints = {
        multiplied: "You multiplied by the cosine; gamma0 divides by it, so it is larger.",
        -12 / cosine: "You divided the decibels. Divide the power: in dB that is a subtraction.",
    }
    check(answer, -12 - 10 * np.log10(cosine), 0.02, hints)


def preprocessing_4(answer: object) -> None:
    """Area factor in dB of a slope of 20 degrees that faces a radar at 39 degrees."""
    here, facing, away = (np.tan(np.radians(angle)) for angle in (39, 39 - 20, 39 + 20))
    hints = {
        10 * np.log10(here / away): "That is a slope that falls away; this one faces the radar.",
        here / facing: "That is the factor; now express it in dB.",
        10 * np.log10(facing / here): "The cells of a slope that faces the radar hold more ground: "
        "it is brighter.",
    }
    check(answer, 10 * np.log10(here / facing), 0.05, hints)


# ---------------------------------------------------------------------------- 03 patches and splits


def splits_1(answer: object) -> None:
    """Share of pixels inside a training window, with half overlap and 60 % of the windows."""
    hints = {
        0.6: "That is the share of windows; how many windows does a pixel lie in?",
        0.4**4: "That is the share that no training window covers.",
        1 - 0.4**2: "A pixel lies in two windows along each direction: four in all.",
        0.6**4: "That is the share whose four windows all train; one is enough.",
    }
    check(answer, 1 - 0.4**4, 2e-3, hints)


def splits_2(answer: object) -> None:
    """Pixels that the released stitching leaves empty in a scene of 1000 x 1300 pixels."""
    hints = {
        84 / 1000: "That is the share (the mean); how many pixels are it (the sum)?",
        0: "Here the rows leave more than the columns: 104 against 20. Which strip stays empty?",
        104 * 1300: "Of the 104 rows that are left, 20 are filled.",
    }
    check(answer, 84 * 1300, 0, hints)


def splits_3(answer: object) -> None:
    """Independent pixels in 200 fields of 570 correlated ones."""
    each = 570 / (1 + 569 * 0.8)  # n pixels that correlate by r count as n / (1 + (n - 1) r)
    hints = {
        200 * 570: "That counts all pixels as if they were independent.",
        200: "Nearly: each field counts as a little more than one.",
        each: "That is one field; there are 200.",
    }
    check(answer, 200 * 570 / (1 + 569 * 0.8), 1, hints)


def splits_4(answer: object, crop: np.ndarray, parcel: np.ndarray, seed: int) -> None:
    """Share of test pixels in parcels that also train, for blocks blind to the parcels."""

    def share(**more: Any) -> float:
        parts = patches.block_split(crop.shape, block=80, buffer=8, seed=seed, **more)
        report = patches.leak_report(parts == patches.TRAIN, parts == patches.TEST, parcel)
        return report["share in such parcels"]

    check(answer, share(), 2e-3, {share(parcel=parcel): "That is with parcel=: leave it out."})


# ---------------------------------------------------------------------------- 04 temporal attention


def temporal_1(answer: object) -> None:
    """Softmax weight of a score of 2 against 0."""
    hints = {
        1.0: "Softmax gives every score a positive weight: "
        "exponentials first, then divide by their sum.",
        np.exp(2): "That is the exponential; divide by the sum of both.",
        1 - 1 / (1 + np.exp(-2)): "That is the weight of the second date.",
    }
    check(answer, 1 / (1 + np.exp(-2)), 2e-3, hints)


def temporal_2(answer: object) -> None:
    """Parameters of the temporal attention of level 1 at a patch of 64 pixels."""
    width = 2 * 16 * 16
    hints = {
        width**2: "That is one matrix without bias; there are four: query, key, value, output.",
        4 * width**2: "Add the biases: one number per output of each matrix.",
        4 * 256**2 + 4 * 256: "A token holds all channels of all pixels: two channels here.",
    }
    check(answer, 4 * width**2 + 4 * width, 0, hints)


def temporal_3(answer: object) -> None:
    """Relative entropy of the weights 0.7, 0.1, 0.1, 0.1."""
    weights = np.array([0.7, 0.1, 0.1, 0.1])
    entropy = -(weights * np.log(weights)).sum()
    bits = entropy / np.log(2)
    hints = {
        entropy: "That is the entropy; divide by that of four equal weights.",
        bits: "That is the entropy in bits; divide by that of four equal weights, two bits.",
    }
    check(answer, entropy / np.log(4), 2e-3, hints)


# ----------------------------------------------------------------------------- 05 spatial attention


def spatial_1(answer: object) -> None:
    """Pairs of pixels at level 1 of a patch of 96 pixels."""
    hints = {
        (96 // 4) ** 2: "That is the number of pixels of level 1; each looks at each.",
        96**4: "Level 1 has a quarter of the resolution: 24 x 24 pixels.",
    }
    check(answer, (96 // 4) ** 4, 0, hints)


def spatial_2(answer: object, image: np.ndarray, inside: np.ndarray) -> None:
    """Mean ENL of images (dates, rows, columns) within a mask."""
    expected = np.mean([date[inside].mean() ** 2 / date[inside].var() for date in image])
    of_all = image[:, inside].mean() ** 2 / image[:, inside].var()
    check(answer, expected, 0.06, {of_all: "Take the ENL of each date, then their mean."})


def spatial_3(answer: object) -> None:
    """Parameters of LSAPE at level 1 of the published network."""
    full = 82 * 82 * 9 + 82
    hints = {
        82 * 9: "Add the bias of each of the 82 maps.",
        full: "The convolution is depth-wise: each map has its own 3 x 3 kernel, and no other.",
    }
    check(answer, 82 * 10, 0, hints)


# ---------------------------------------------------------------------------------- 06 STMA network


def network_1(answer: object) -> None:
    """Channels of the fused map for 24 dates."""
    hints = {
        4 * 24: "That is level 2; the fused map has the channels of level 3.",
        2 * 24: "That is level 1; the fused map has the channels of level 3.",
        8: "That is per date; dates and channels are merged.",
    }
    check(answer, 8 * 24, 0, hints)


def network_2(answer: object) -> None:
    """Smallest patch for which re-association pays with 41 dates."""
    expected = next(side for side in range(8, 1000, 8) if (side // 8) ** 2 > 328)
    hints = {
        328: "That is the number of channels; "
        "which patch has more pixels at an eighth of the resolution than that?",
        expected - 8: "There N is still below E: one step larger.",
        19: "That is the side of the map; the patch is eight times larger.",
    }
    check(answer, expected, 0, hints)


def network_3(answer: object) -> None:
    """Parameters of the skip mix of level 2."""
    one_weight = 256 * 256 + 256
    hints = {
        256 * 256 * 2: "Add the biases, one per output pixel.",
        one_weight: "The kernel spans the pair (spatial, temporal): "
        "two weights for each pair of pixels.",
    }
    check(answer, 256 * 256 * 2 + 256, 0, hints)


def network_4(answer: Any) -> None:
    """STMA with a second way in at full size: a class with the parts ``detail`` and ``join``."""
    if answer is None:
        check(None, 0)
        return
    import torch

    if not isinstance(answer, type):
        print("Expected a class, such as WithDetail: give the class, not a network made of it.")
        return
    torch.manual_seed(0)
    network = answer(dates=3, patch=16, classes=4, width=8)
    outputs = network(torch.randn(2, 3, 2, 16, 16))
    if not isinstance(outputs, tuple) or len(outputs) != 2:
        print("Return the main and the auxiliary logits: return main, *rest.")
        return
    main = outputs[0]
    if main.shape != (2, 4, 16, 16):
        print(f"The main logits have shape {tuple(main.shape)}; expected (2, 4, 16, 16).")
        return
    main.square().sum().backward()
    for name, part in (("detail", network.detail), ("join", network.join), ("STMA", network.trunk)):
        learns = any(p.grad is not None and p.grad.abs().sum() > 0 for p in part.parameters())
        if not learns:
            print(f"The main logits do not depend on {name}: let it take part in forward.")
            return
    print("Well done: both ways take part, at full size.")


# ---------------------------------------------------------------------------------- 07 GPU training


def training_1(answer: object) -> None:
    """Cross-entropy of 16 classes with the same probability."""
    hints = {
        1 / 16: "That is the probability; the loss is minus its logarithm.",
        4: "That is in bit; PyTorch uses the natural logarithm.",
        -np.log(16): "The loss is minus the logarithm of the probability.",
        np.log10(16): "Use the natural logarithm.",
    }
    check(answer, np.log(16), 5e-3, hints)


def training_2(answer: object) -> None:
    """Hours of 500 epochs of 2749 patches in batches of 32 at 0.4 s a step."""
    hints = {
        86 * 500 * 0.4 / 3600: "The incomplete last batch waits: 85 steps an epoch.",
        2749 * 500 * 0.4 / 3600: "A step takes a batch, not a patch.",
        85 * 500 * 0.4 / 60: "That is in minutes.",
    }
    check(answer, 85 * 500 * 0.4 / 3600, 0.01, hints)


def training_3(answer: object) -> None:
    """The smallest bfloat16 number that, added to 1, gives more than 1: half a step and a bit."""
    hints = {
        2**-8: "That is half a step (or is rounded to it): a tie, and a tie goes to the even "
        "number, which is 1. Try it, and take the next bfloat16 number.",
        2**-7: "That is a whole step; a sum is rounded to the nearest.",
        2**-11: "That is for float16.",
    }
    # Here numbers of bfloat16 lie 2**-15 apart; what is within half of that is rounded to it.
    check(answer, 2**-8 + 2**-15, 1.5e-5, hints)


# --------------------------------------------------------------------------- 08 accuracy assessment


def accuracy_1(answer: object) -> None:
    """Hectares of maize, from 10 000 ha mapped (90 % right) and 90 000 ha of others (2 % maize)."""
    hints = {
        10_000: "That is what the map counts; correct it by what the sample found.",
        9_000: "That is the maize that the map found; some lies where the map shows none.",
        11_000: "2 % of the rest: the rest is 90 000 ha, not 100 000.",
    }
    check(answer, 10_800, 0, hints)


def accuracy_2(answer: object) -> None:
    """Sample size for a standard error of 0.01: (sum of W sqrt(U (1 - U)) / S) squared."""
    hints = {
        33: "Square it.",
        1140: "Sum W sqrt(U (1 - U)) first, and square the sum.",
        1204: "That is for a simple random sample; strata leave only the spread within them: "
        "sum W sqrt(U (1 - U)).",
    }
    check(answer, 1100, 1, hints)


def accuracy_3(answer: object) -> None:
    """Allocation disagreement of [[60, 10], [20, 10]]."""
    hints = {
        0.1: "That is the quantity disagreement.",
        0.3: "That is all disagreement; take the quantity off.",
    }
    check(answer, 0.2, 1e-3, hints)


def accuracy_4(answer: object, counts: np.ndarray, pixels: np.ndarray) -> None:
    """Area-weighted producer's accuracy of class 1."""
    # Each row of the sample stands for a stratum of the map, and counts with its share of the area.
    drawn = np.maximum(counts.sum(1, keepdims=True), 1)  # none of a class that the map lacks
    share = counts / drawn * (pixels / pixels.sum())[:, None]
    in_sample = counts[1, 1] / counts[:, 1].sum()
    users = counts[1, 1] / counts[1].sum()
    hints = {
        in_sample: "That is the share in the sample; weight each row with its stratum's area.",
        users: "That is the user's accuracy.",
    }
    check(answer, share[1, 1] / share[:, 1].sum(), 2e-3, hints)


def accuracy_5(answer: object) -> None:
    """Share of a crop of 1 % in a reference of seven classes whose labels are wrong by 5 %."""
    hints = {
        0.95 * 0.01: "That is what is left of the crop; wrong labels of other classes come to it.",
        0.95 * 0.01 + 0.05 * 0.99: "Not all wrong labels become this crop: they spread over six.",
        0.01 + 0.05 / 6 * 0.99: "Some of the crop itself is labelled as something else.",
        0.95 * 0.01 + 0.05 / 7 * 0.99: "A wrong label is one of six other classes, not of seven.",
    }
    check(answer, 0.95 * 0.01 + 0.05 / 6 * 0.99, 2e-4, hints)


# ---------------------------------------------------------------------------- 09 attention explorer


def explorer_1(answer: object, received: np.ndarray) -> None:
    """Position of the date that receives most attention, from (windows, dates)."""
    mean = received.mean(0)
    hints = {
        int(mean.argmin()): "There the weight is smallest.",
        int(mean.argmax()) + 1: "Count from 0.",
    }
    check(answer, int(mean.argmax()), 0, hints)


def explorer_2(answer: object, received: np.ndarray) -> None:
    """Largest mean share of attention over an equal share."""
    mean = received.mean(0)
    hints = {
        mean.max(): "That is the share itself; divide by an equal share.",
        received.max() * len(mean): "Average over patches first.",
    }
    check(answer, mean.max() * len(mean), 0.06, hints)


def explorer_3(answer: object, increase: np.ndarray, received: np.ndarray) -> None:
    """Position of the date whose occlusion raises the loss most, from (windows, dates)."""
    most_seen = int(received.mean(0).argmax())
    hints = {most_seen: "That date receives the most attention; which one is missed most?"}
    check(answer, int(increase.mean(0).argmax()), 0, hints)


# ---------------------------------------------------------------------------------- 10 map a region


def region_1(answer: object) -> None:
    """Windows over a pixel with an overlap of 0.6."""
    hints = {
        2.5: "Along one direction; there are two.",
        1 / 0.6**2: "A window moves by the share that does *not* overlap, 1 - q.",
        4: "That is for half overlap.",
        1.6**2: "Windows overlap more, not less: how far does a window move?",
    }
    check(answer, 6.25, 1e-3, hints)


def region_2(answer: object) -> None:
    """GB of the paper's season: 3731 x 5095 x 41 dates x 2 polarisations x 4 bytes."""
    whole = 3731 * 5095 * 41 * 2 * 4 / 1e9
    hints = {
        whole / 2: "Two polarisations.",
        whole / 4: "Each number takes four bytes.",
        whole * 1e9: "In GB.",
        whole * 1e3: "That is in MB: a GB is 1e9 bytes.",
        whole * 8: "That is in gigabits.",
    }
    check(answer, whole, 0.05, hints)


def region_3(answer: object) -> None:
    """Side of what must be read for a tile of 256 pixels, windows of 32 on a lattice of 16."""
    hints = {
        256: "Windows that touch the tile reach beyond it.",
        256 + 2 * 32: "A window that begins 32 pixels before the tile does not touch it.",
        256 + 16: "On both sides.",
    }
    check(answer, 256 + 2 * 16, 0, hints)


# ------------------------------------------------------------------------ 11 real data and transfer


def transfer_1(answer: object, lost: dict[str, dict[str, float]]) -> None:
    """Points of accuracy on crops lost in another place of the same year."""
    home, place = lost["test blocks at home"], lost["another place"]
    both = list(lost.values())[-1]
    fall = 100 * (home["crops only"] - place["crops only"])
    hints = {
        fall / 100: "In points: times 100.",
        -fall: "Home minus away: positive where accuracy falls.",
        100 * (home["crops only"] - both["crops only"]): "That is another place and another year.",
        100 * (home["pixels right"] - place["pixels right"]): "That counts the background, too.",
    }
    check(answer, fall, 0.1, hints)


def transfer_2(answer: object, away: xr.Dataset, home: xr.Dataset) -> None:
    """Difference of the mean VH of the first date, away minus home (dB)."""
    difference = train.date_levels(away)["vh"].values - train.date_levels(home)["vh"].values
    hints = {
        -difference[0]: "Away minus home.",
        difference.mean(): "That is the mean over all dates; take the first.",
    }
    check(answer, difference[0], 0.02, hints)


def transfer_3(answer: object) -> None:
    """2 dB as a factor of power."""
    hints = {
        2: "Decibels are not factors: 10 to the power of dB / 10.",
        10**-0.2: "Raised, not lowered.",
        10**0.1: "dB / 10, not / 20.",
    }
    check(answer, 10**0.2, 0.01, hints)


# --------------------------------------------------------------------------------- 12 real fields


def real_1(answer: object) -> None:
    """dB of a digital number: 20 log10(3000) - 83."""
    hints = {
        10 * np.log10(3000) - 83: "The number is an amplitude: 20 times its logarithm, not 10.",
        20 * np.log10(3000): "Less 83.",
        20 * np.log(3000) - 83: "That is the natural logarithm; decibels use that to base 10.",
    }
    check(answer, 20 * np.log10(3000) - 83, 0.01, hints)


def real_2(answer: object) -> None:
    """Share of 803 labelled pixels less 110 that nobody can name."""
    hints = {110 / 803: "That is the share that it cannot get right."}
    check(answer, 1 - 110 / 803, 5e-3, hints)


def real_3(answer: object, means: pd.DataFrame) -> None:
    """Points by which the filtered forest is ahead, first square to second."""
    ahead = 100 * (means.loc["forest, Quegan-Yu"] - means.loc["forest, unfiltered"])
    right, other = ahead["first to second"], ahead["second to first"]
    hints = {
        right / 100: "In points: times 100.",
        -right: "Filtered less unfiltered.",
        other: "That is the other direction.",
    }
    check(answer, right, 0.1, hints)
