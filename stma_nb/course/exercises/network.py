"""The checks of notebook 06, The whole network."""

from typing import Any

from stma_nb.course.exercises.checks import Verdict, check, exercise


@exercise
def network_1(answer: object) -> Verdict:
    """Channels of the fused map for 24 dates."""
    hints = {
        4 * 24: "That is level 2; the fused map has the channels of level 3.",
        2 * 24: "That is level 1; the fused map has the channels of level 3.",
        8: "That is per date; dates and channels are merged.",
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
    }
    return check(answer, expected, 0, hints)


@exercise
def network_3(answer: object) -> Verdict:
    """Parameters of the skip mix of level 2."""
    one_weight = 256 * 256 + 256
    hints = {
        256 * 256 * 2: "Add the biases, one per output pixel.",
        one_weight: "The kernel spans the pair (spatial, temporal): "
        "two weights for each pair of pixels.",
    }
    return check(answer, 256 * 256 * 2 + 256, 0, hints)


@exercise
def network_4(answer: Any) -> Verdict:
    """STMA with a second way in at full size: a class with the parts ``detail`` and ``join``."""
    if answer is None:
        return check(None, 0)
    import torch

    if not isinstance(answer, type):
        print("Expected a class, such as WithDetail: give the class, not a network made of it.")
        return False
    torch.manual_seed(0)
    network = answer(dates=3, patch=16, classes=4, width=8)
    outputs = network(torch.randn(2, 3, 2, 16, 16))
    if not isinstance(outputs, tuple) or len(outputs) != 2:
        print("Return the main and the auxiliary logits: return main, *rest.")
        return False
    main = outputs[0]
    if main.shape != (2, 4, 16, 16):
        print(f"The main logits have shape {tuple(main.shape)}; expected (2, 4, 16, 16).")
        return False
    main.square().sum().backward()
    for name, part in (("detail", network.detail), ("join", network.join), ("STMA", network.trunk)):
        learns = any(p.grad is not None and p.grad.abs().sum() > 0 for p in part.parameters())
        if not learns:
            print(f"The main logits do not depend on {name}: let it take part in forward.")
            return False
    print("Well done: both ways take part, at full size.")
    return True
