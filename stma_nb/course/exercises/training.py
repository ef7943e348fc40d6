"""The checks of notebook 07, Train on any hardware."""

from typing import Any

import numpy as np

from stma_nb.course.exercises.checks import Verdict, build, check, exercise, predict


@exercise
def training_1(answer: object) -> Verdict:
    """Cross-entropy of 16 classes with the same probability."""
    hints = {
        1 / 16: "That is the probability; the loss is minus its logarithm.",
        4: "That is in bit; PyTorch uses the natural logarithm.",
        -np.log(16): "The loss is minus the logarithm of the probability.",
        np.log10(16): "Use the natural logarithm.",
        16: "That is the number of classes, e to the power of the loss.",
        2 * np.log(16): "The loss of STMA is the mean of its two heads, not their sum.",
    }
    return check(answer, np.log(16), 5e-3, hints)


@exercise
def training_2(answer: object) -> Verdict:
    """Hours of 500 epochs of 2749 patches in batches of 32 at 0.4 s a step."""
    hints = {
        86 * 500 * 0.4 / 3600: "The incomplete last batch waits: 85 steps an epoch.",
        2749 * 500 * 0.4 / 3600: "A step takes a batch, not a patch.",
        85 * 500 * 0.4 / 60: "That is in minutes.",
        85 * 500 * 0.4: "That is in seconds.",
        85 * 0.4 / 3600: "That is one epoch of 500.",
    }
    return check(answer, 85 * 500 * 0.4 / 3600, 0.01, hints)


@exercise
def training_3(answer: object) -> Verdict:
    """The smallest bfloat16 number that, added to 1, gives more than 1: half a step and a bit."""
    hints = {
        2**-8: "That is half a step (or is rounded to it): a tie, and a tie goes to the even "
        "number, which is 1. Try it, and take the next bfloat16 number.",
        2**-7: "That is a whole step; a sum is rounded to the nearest.",
        2**-11: "That is for float16.",
        0.003: "It is rounded away, as the table shows.",
        2**-24: "That is for float32.",
    }
    # Here numbers of bfloat16 lie 2**-15 apart; what is within half of that is rounded to it.
    return check(answer, 2**-8 + 2**-15, 1.5e-5, hints)


@exercise
def training_4(step: object) -> Verdict:
    """A function that takes one optimiser step on a batch, a piece of it at a time."""
    return build(step, _steps_as_the_whole_batch_would)


def _steps_as_the_whole_batch_would(step: Any) -> str | None:
    import torch
    from torch.nn.functional import cross_entropy

    from stma_nb.patches import IGNORE

    torch.manual_seed(0)
    model = torch.nn.Conv2d(2, 3, 1)
    x, y = torch.randn(8, 2, 4, 4), torch.randint(3, (8, 4, 4))
    y[:3, 1:] = IGNORE  # pieces have different numbers of labelled pixels
    seen: list[int] = []
    steps: list[int] = []
    optimiser = torch.optim.SGD(model.parameters(), lr=1.0)  # a step is minus the gradient
    start = [weight.detach().clone() for weight in model.parameters()]

    def gradient(rows: slice, pixels: int) -> torch.Tensor:
        """Of the summed loss of some patches, divided by a number of pixels."""
        loss = cross_entropy(model(x[rows]), y[rows], ignore_index=IGNORE, reduction="sum")
        parts = torch.autograd.grad(loss / pixels, list(model.parameters()))
        return torch.cat([part.flatten() for part in parts])

    pieces = [slice(0, 3), slice(3, 6), slice(6, 8)]
    labelled = [int((y[rows] != IGNORE).sum()) for rows in pieces]
    right = gradient(slice(0, 8), sum(labelled))
    means = [gradient(rows, n) for rows, n in zip(pieces, labelled, strict=True)]
    known: dict[str, tuple[Any, ...]] = {  # what would have been done, and what to say
        "The gradients of the step before are still in it: optimiser.zero_grad() comes first.": (
            right + 1,
            sum(means) / 3 + 1,
            sum(means) + 1,
        ),
        "Only the last piece counts: empty the gradients once a batch, before its pieces.": (
            means[-1],
            means[-1] / 3,
            gradient(pieces[-1], sum(labelled)),
        ),
        "The pieces have different numbers of labelled pixels, so a mean of their means is not the "
        "mean of the batch: sum the losses, and divide by all labelled pixels of y.": (
            sum(means) / 3,
        ),
        "The gradient is too large: losses of pieces add up, so divide by all labelled pixels.": (
            sum(means),
            right * sum(labelled),
        ),
        "Pixels with the label IGNORE are not learned from: do not count them.": (
            right * sum(labelled) / y.numel(),
        ),
    }
    for weight in model.parameters():
        weight.grad = torch.ones_like(weight)  # of a step before
    model.register_forward_hook(lambda _, given, __: seen.append(len(given[0])))
    optimiser.register_step_post_hook(lambda *_: steps.append(1))
    step(model, optimiser, x.clone(), y.clone(), 3)

    if not seen or max(seen) > 3:
        return (
            f"The model saw {max(seen, default=0)} patches at once. In three pieces a batch of 8 "
            "is seen as 3, 3 and 2: try x.chunk(pieces)."
        )
    if sum(seen) != 8:
        return f"The model saw {sum(seen)} of 8 patches: the last piece may be smaller."
    if len(steps) != 1:
        return f"The optimiser took {len(steps)} steps; expected one, after all pieces."
    moved = [old - new.detach() for old, new in zip(start, model.parameters(), strict=True)]
    taken = torch.cat([part.flatten() for part in moved])
    if torch.allclose(taken, right, atol=1e-4):
        return None
    for words, gradients in known.items():
        if any(torch.allclose(taken, wrong, atol=1e-4) for wrong in gradients):
            return words
    return "The weights are not those after one step with the mean loss of the whole batch."


@exercise
def training_5(predicted: object, found: object, because: object) -> Verdict:
    """Memory kept for the backward pass with four patches, as a share of that with eight."""
    hints = {
        0.5: "That would be so if only activations were kept. Read the number that is printed.",
        1: "That is with eight patches: set few to 4 and run the cell again.",
        0.25: "Half the patches, not a quarter: read the number that is printed.",
        2: "That is eight by four; the question is what remains.",
    }
    return predict(predicted, found, because, 0.545, 0.02, hints)
