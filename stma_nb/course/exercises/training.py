"""The checks of notebook 07, Train on any hardware."""

from typing import Any

import numpy as np

from stma_nb.course.exercises.checks import (
    NUMBER,
    SHARE,
    Asked,
    Verdict,
    build,
    check,
    exercise,
    predict,
)

LOSS = Asked("a loss in nat", "3.2", 0)
HOURS = Asked("a number of hours", "3.2", 0)
STEP = NUMBER._replace(example="0.0123")


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
        np.log(16) / 16: "That is one term of a mean over all classes: the loss is minus the "
        "logarithm of the true one.",
        0.0: "The loss is 0 if the true class gets a probability of 1.",
        15 / 16: "That is one minus the probability; the loss is minus its logarithm.",
        np.log(15): "There are 16 classes: the probability is 1/16.",
        np.log(18): "There are 16 classes, not 18 dates: the probability is 1/16.",
        1.0: "All classes have the same probability, 1/16: take minus its logarithm.",
        np.log(2): "That is for two classes.",
        -np.log2(1 / 16) / np.log(16): "Take the natural logarithm once.",
        np.exp(1 / 16): "That is e to the power of it; take minus the logarithm.",
    }
    return check(answer, np.log(16), 5e-3, hints, LOSS)


@exercise
def training_2(answer: object) -> Verdict:
    """Hours of 500 epochs of 2749 patches in batches of 32 at 0.4 s a step."""
    hints = {
        86 * 500 * 0.4 / 3600: "The incomplete last batch waits: 85 steps an epoch.",
        2749 * 500 * 0.4 / 3600: "A step takes a batch, not a patch.",
        85 * 500 * 0.4 / 60: "That is in minutes.",
        85 * 500 * 0.4: "That is in seconds.",
        85 * 0.4 / 3600: "That is one epoch of 500.",
        2749 / 32 * 500 * 0.4 / 3600: "There are only whole steps: 85 an epoch.",
        85 * 500 / 0.4 / 3600: "A step takes 0.4 s: multiply, do not divide.",
        85 * 500 / 3600: "A step takes 0.4 s, and not one second.",
        85 * 500 * 0.4 / 3600 / 24: "That is in days.",
        85 * 500: "That is the number of steps; how long do they take?",
        85.0: "That is the number of steps of an epoch.",
        2749 * 32 * 500 * 0.4 / 3600: "A batch holds 32 patches: divide by 32.",
        500 * 0.4 / 3600: "An epoch has 85 steps, not one.",
        32 * 500 * 0.4 / 3600: "32 is the number of patches in a batch, not of steps in an epoch.",
        85 * 500 * 0.4 / 360: "An hour has 3600 seconds.",
        85 * 500 * 0.4 * 32 / 3600: "A step takes 0.4 s for the whole batch.",
    }
    return check(answer, 85 * 500 * 0.4 / 3600, 0.01, hints, HOURS)


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
        2**-23: "That is for float32, and a whole step.",
        2**-10: "That is for float16, and a whole step.",
        2**-9: "That is a quarter of a step: it is rounded away.",
        2**-8 + 2**-14: "That is the next but one: there is a smaller one.",
        2**-8 + 2**-16: "PyTorch rounds it to bfloat16 before it adds, and that is a tie again.",
        1 + 2**-7: "That is the sum; what was added?",
        2**-6: "That is two steps: a smaller number will do.",
        0.01: "That is more than a step: a smaller number will do.",
        0.004: "That is near, but is no number of bfloat16; take the first after half a step.",
        1.0: "Much less will do: the step after 1 is in the table.",
        2**-8 - 2**-16: "That is below half a step: it is rounded away.",
    }
    # Here numbers of bfloat16 lie 2**-15 apart; what is within half of that is rounded to it.
    return check(answer, 2**-8 + 2**-15, 1.5e-5, hints, STEP)


@exercise
def training_4(step: object) -> Verdict:
    """A function that takes one optimiser step on a batch, a piece of it at a time."""
    return build(
        step,
        _steps_as_the_whole_batch_would,
        _takes_other_pieces,
        given="model optimiser x y pieces",
        takes="any model with its optimiser, a batch x, y of any size, and any number of pieces",
        errors={
            r"'Long'|scalar type Long|Long but": "The loss gets its arguments in the wrong order: "
            "first the logits of the model, then the labels ({error}).",
            r"does not require grad": "The loss does not hang on the weights: leave out .item(), "
            ".detach() and torch.no_grad() before backward ({error}).",
            r"'(float)' object has no attribute '(backward)'": "A {} has no .{}: leave out "
            ".item() before backward ({error}).",
            r"backward through the graph a second time": "backward is called twice for one piece: "
            "each has a loss of its own ({error}).",
            r"Target -?\d+ is out of bounds": "Labels that are IGNORE are no class: give "
            "ignore_index=patches.IGNORE ({error}).",
        },
    )


def _takes_other_pieces(step: Any) -> str | None:
    """Seven patches in two pieces, with another network and an optimiser with a memory."""
    import copy

    import torch
    from torch.nn.functional import cross_entropy

    from stma_nb.patches import IGNORE

    torch.manual_seed(1)
    mine = torch.nn.Sequential(torch.nn.Conv2d(3, 5, 3, padding=1), torch.nn.Conv2d(5, 4, 1))
    true = copy.deepcopy(mine)
    x, y = torch.randn(7, 3, 6, 5), torch.randint(4, (7, 6, 5))
    y[4:, :3] = IGNORE
    seen: list[int] = []
    ours, theirs = (torch.optim.AdamW(one.parameters(), lr=0.01) for one in (mine, true))
    mine.register_forward_hook(lambda _, given, __: seen.append(len(given[0])))
    given = x.clone(), y.clone()
    for _ in range(2):
        theirs.zero_grad()
        cross_entropy(true(x), y, ignore_index=IGNORE).backward()
        theirs.step()
        step(mine, ours, *given, 2)
    if not (torch.equal(given[0], x) and torch.equal(given[1], y)):
        return "The function changes x or y: work on new tensors."
    if max(seen, default=0) > 4 or len(seen) > 4:
        return (
            f"Asked for two pieces of a batch of seven, the model saw {seen[: len(seen) // 2]} "
            "patches: use pieces, and count on no fixed number."
        )
    for a, b in zip(mine.parameters(), true.parameters(), strict=True):
        if not torch.allclose(a, b, atol=1e-4):
            return "With two pieces of another batch, and AdamW, the steps differ from the right."
    return None


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
        "The gradient is too small: each mean is divided once more.": (
            sum(means) / 8,
            right / 3,
            right / 8,
        ),
        "The step goes uphill: the loss must fall, so do not turn its sign.": (-right,),
        "Only the first piece counts: call backward for every piece.": (
            means[0],
            gradient(pieces[0], sum(labelled)),
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
        return (
            f"The optimiser took {len(steps)} steps; expected one, after all pieces, of the "
            "optimiser that is given."
        )
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
        1 - 0.545: "That is what is saved; the question is what remains.",
        1 / 0.545: "It is turned over: four patches over eight.",
        4: "That is the number of patches; put the share that is printed into found.",
        8: "That is the number of patches; put the share that is printed into found.",
        0.317: "That is with two patches: set few to 4.",
        0.773: "That is with six patches: set few to 4.",
        0.203: "That is with one patch: set few to 4.",
    }
    return predict(predicted, found, because, 0.545, 0.02, hints, SHARE)
