"""The checks of notebook 06, The whole network."""

from typing import Any

from stma_nb.course.exercises.checks import WHOLE, Asked, Verdict, build, check, exercise, predict

TIMES = Asked("a number of times (above 0, at most 1000)", "3.2", 1e-9, 1000)


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
        24: "That is the number of dates; each has 8 channels at level 3.",
        16 * 24: "Each date has 8 channels at level 3, not 16.",
        6 * 24: "Each of the 24 dates has 8 channels at level 3.",
        12 * 24: "Level 3 is added to the answer of level 2, not put beside it.",
        3 * 24: "There are 8 channels per date at level 3; three is the number of levels.",
        41 * 24: "41 is the number of dates of the published network.",
        8 * 24 + 24: "Dates times channels: nothing is added.",
        8**24: "Dates times channels, not to the power of.",
    }
    return check(answer, 8 * 24, 0, hints, WHOLE)


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
        144.88: "That is 8 times the root of 328; take the next multiple of 8.",
        328**0.5: "That is the root of E, a side of the map; the patch is eight times larger.",
        128: "That is the patch of the published network: its N is 256, and E is larger.",
        160: "One step less is enough already: the smallest side is asked for.",
        41: "That is the number of dates; at which side are there more pixels than channels?",
        324: "That is the number of pixels of the map; give the side of the patch.",
        361: "That is the number of pixels of the map; give the side of the patch.",
        8 * 361: "The patch has a side eight times that of the map: 8 times 19.",
        256: "For that patch it pays, but a smaller one will do.",
    }
    return check(answer, expected, 0, hints, WHOLE)


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
        256 * 2: "Every output pixel has weights for all pixels, not for itself alone.",
        2 * 256 + 2: "Every output pixel has weights for all pixels, not for itself alone.",
        256: "That is the number of pixels: how many weights has each of them?",
        (2 * 256) ** 2 + 2 * 256: "Two maps go in, but one comes out: 256 output pixels.",
        (2 * 256) ** 2: "Two maps go in, but one comes out: 256 output pixels, and their biases.",
        256 * 256 * 2 + 1: "Every output pixel has a bias of its own.",
        256 * 256 * 2 + 2: "Every output pixel has a bias of its own.",
        41 * (256 * 256 * 2 + 256): "All dates share these weights.",
        164 * (256 * 256 * 2 + 256): "All dates and channels share these weights.",
        256 * 256 * 3 + 256: "The kernel spans a pair: two weights, not three.",
        256 * 256 * 4 + 256: "The kernel spans the pair (spatial, temporal): two weights.",
        64 * 64 * 2 + 64: "That is another level: here N is 256.",
    }
    return check(answer, 256 * 256 * 2 + 256, 0, hints, WHOLE)


@exercise
def network_4(network: Any) -> Verdict:
    """STMA with a second way in at full size: a class with the parts ``detail`` and ``join``."""
    return build(
        network,
        _lets_both_ways_in,
        _takes_other_sizes,
        takes="x (batch, dates, bands, rows, columns), of any size that STMA takes",
        errors={
            r"Expected.*got input of size.*|expected input.*to have|3D .*or 4D": "A convolution "
            "gets a shape that it does not take: bands of all dates are channels, x.flatten(1, 2), "
            "and join takes logits and detail side by side, torch.cat([...], dim=1) ({error}).",
            r"Sizes of tensors must match": "What is put side by side has different sizes: join "
            "along the channels, dim=1, at full size ({error}).",
            r"object is not iterable|not enough values|too many values|NoneType|got tuple": "What "
            "STMA gives is main, *rest: take it apart so, and return the new main and *rest "
            "({error}).",
        },
    )


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


def _takes_other_sizes(network: Any) -> str | None:
    import torch

    from stma_nb.model import STMA

    torch.manual_seed(0)
    made = network(dates=2, patch=32, classes=3, width=8).eval()
    x = torch.randn(3, 2, 2, 32, 32)
    with torch.no_grad():
        given = x.clone()
        main, aux = made(given)[:2]
        trunk = STMA.forward(made, x)
        other = made(torch.cat([x[:1], x[1:].roll(5, -1)]))[0]
    if not torch.equal(given, x):
        return "It changes the x that it is given: work on new tensors."
    if main.shape != (3, 3, 32, 32):
        return f"With three patches of 32 pixels the main logits have shape {tuple(main.shape)}."
    if not torch.allclose(aux, trunk[1], atol=1e-4):
        return "The auxiliary logits are not those of STMA: return main, *rest."
    if not torch.allclose(other[0], main[0], atol=1e-4):
        return "The logits of a patch depend on the other patches of its batch."
    return None


@exercise
def network_5(predicted: object, found: object, because: object) -> Verdict:
    """By how many times the weights of the compact network grow when the patch is doubled."""
    from stma_nb.model import STMA

    sizes = {}
    for patch in (32, 64):
        network = STMA(dates=18, patch=patch, classes=16, width=16)
        sizes[patch] = sum(weight.numel() for weight in network.parameters())
    hints = [
        (1, "That is with 32 pixels: double side and run the cell again."),
        (
            4,
            "The number of pixels grows so, but the weights do not: read the number to two places.",
        ),
        (16, "So grow the parts with weights for pairs of pixels; the others do not."),
        (2, "Do not guess: double side, and read what the cell prints."),
        (sizes[64], "That is the number of weights; give how many times as many."),
        (sizes[32], "That is the number of weights with 32 pixels; give how many times as many."),
        (sizes[64] - sizes[32], "That is how many more; give how many times as many."),
        (sizes[64] / sizes[32] - 1, "That is by how much they grow; give how many times as many."),
        (sizes[32] / sizes[64], "It is turned over: the larger network comes first."),
        (64, "That is the side; read what the cell prints."),
        (8, "Do not guess: double side, and read what the cell prints."),
    ]
    return predict(predicted, found, because, sizes[64] / sizes[32], 0.02, hints, TIMES)
