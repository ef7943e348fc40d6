"""The checks of notebook 06, The whole network."""

from typing import Any

from stma_nb.course.exercises.checks import Verdict, build, check, exercise, predict


@exercise
def network_1(answer: object) -> Verdict:
    """Channels of the fused map for 24 dates."""
    hints = {
        4 * 24: "That is level 2; the fused map has the channels of level 3.",
        2 * 24: "That is level 1; the fused map has the channels of level 3.",
        8: "That is per date; dates and channels are merged.",
        8 * 41: "That is for the 41 dates of the published network.",
        8 + 24: "Every date has 8 channels: dates times channels.",
        14 * 24: "Level 3 is added to the answer of level 2, not put beside it.",
    }
    return check(answer, 8 * 24, 0, hints)


@exercise
def network_2(answer: object) -> Verdict:
    """Smallest patch for which re-association pays with 41 dates."""
    expected = next(side for side in range(8, 1000, 8) if (side // 8) ** 2 > 328)
    hints = {
        328: "That is the number of channels; "
        "which patch has more pixels at an eighth of the resolution than that?",
        expected - 8: "There N is still below E: one step larger.",
        19: "That is the side of the map; the patch is eight times larger.",
        145: "That is 8 times the root of 328; take the next multiple of 8.",
        18: "That is the side of a map, and a little too small: N must exceed 328.",
        expected // 2: "At level 1 the side is a quarter, but the MCA works at an eighth.",
        328 * 8: "N is the number of all pixels of the map, side times side.",
    }
    return check(answer, expected, 0, hints)


@exercise
def network_3(answer: object) -> Verdict:
    """Parameters of the skip mix of level 2."""
    one_weight = 256 * 256 + 256
    hints = {
        256 * 256 * 2: "Add the biases, one per output pixel.",
        256 * 256 * 2 + 512: "There is one bias for each output pixel, not two.",
        256 * 256: "Two weights for each pair of pixels, and the biases.",
        256 * 2 + 256: "It is no convolution over places: every pixel has weights for all pixels.",
        1024 * 1024 * 2 + 1024: "That is level 1, with N = 1024.",
        one_weight: "The kernel spans the pair (spatial, temporal): "
        "two weights for each pair of pixels.",
    }
    return check(answer, 256 * 256 * 2 + 256, 0, hints)


@exercise
def network_4(network: Any) -> Verdict:
    """STMA with a second way in at full size: a class with the parts ``detail`` and ``join``."""
    return build(network, _lets_both_ways_in)


def _lets_both_ways_in(network: Any) -> str | None:
    import torch

    if isinstance(network, torch.nn.Module):
        return "Give the class, such as WithDetail, not a network made of it."
    torch.manual_seed(0)
    made = network(dates=3, patch=16, classes=4, width=8)
    outputs = made(torch.randn(2, 3, 2, 16, 16))
    if not isinstance(outputs, tuple) or len(outputs) != 2:
        return "Return the main and the auxiliary logits: return main, *rest."
    main = outputs[0]
    if main.shape != (2, 4, 16, 16):
        return f"The main logits have shape {tuple(main.shape)}; expected (2, 4, 16, 16)."
    main.square().sum().backward()
    for name, part in (("detail", made.detail), ("join", made.join), ("STMA", made.trunk)):
        if not any(p.grad is not None and p.grad.abs().sum() > 0 for p in part.parameters()):
            return f"The main logits do not depend on {name}: let it take part in forward."
    more = made(torch.randn(2, 3, 2, 16, 16), return_attention=True)
    if len(more) != 3:
        return "With return_attention=True the weights are a third value: hand the argument on."
    return None


@exercise
def network_5(predicted: object, found: object, because: object) -> Verdict:
    """By how many times the weights of the compact network grow when the patch is doubled."""
    from stma_nb.model import STMA

    sizes = {}
    for patch in (32, 64):
        network = STMA(dates=18, patch=patch, classes=16, width=16)
        sizes[patch] = sum(weight.numel() for weight in network.parameters())
    hints = {
        1: "That is with 32 pixels: double side and run the cell again.",
        4: "The number of pixels grows so, but the weights do not: read the number to two places.",
        16: "So grow the parts with weights for pairs of pixels; the others do not.",
        2: "Do not guess: double side, and read what the cell prints.",
    }
    return predict(predicted, found, because, sizes[64] / sizes[32], 0.02, hints)
