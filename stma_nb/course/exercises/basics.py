"""The checks of notebook 03a, PyTorch, convolution and training."""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stma_nb.course.exercises.checks import (
    WHOLE,
    Asked,
    Verdict,
    build,
    check,
    exercise,
    predict,
)

LOSS = Asked("a loss (from 0 to 100)", "3.2", 0, 100)


@exercise
def basics_1(answer: object) -> Verdict:
    """Numbers in the output of Conv2d(2, 8, 3, stride=2, padding=1) for one image of 32 pixels."""
    hints = {
        16 * 16: "That is one output image; there are eight, one for each set of kernels.",
        8 * 32 * 32: "A stride of 2 puts the window on every second pixel only, both ways.",
        8 * 15 * 15: "With padding=1 the outermost pixels get an answer too: 16 x 16.",
        2 * 16 * 16: "Two is the number of input channels; the output has eight.",
        8 * 2 * 9 + 8: "Those are its weights and biases; asked is what comes out for one image.",
        16
        * 16
        * 16: "The stride of 2 holds for rows and for columns; and each output image is one "
        "sum over both input channels: 8 of them, not 16.",
        16: "That is one side of an output image: how many numbers has it, and how many images?",
        8: "That is the number of output images: how many numbers has each?",
        8 * 2 * 9: "Those are the weights of the kernels; asked is what comes out for one image.",
        8 * 16 * 16 + 8: "A bias changes each number, and is no number of its own.",
        8 * 16 * 16 + 2: "Only what comes out counts: nothing is added to it.",
        8 * 30 * 30: "With padding=1 no ring is lost, and stride=2 takes every second pixel only.",
        8 * 17 * 17: "32 pixels with a stride of 2 make 16 windows a side: 16 x 16.",
        2 * 8 * 16 * 16 * 9: "That counts products; one number comes out for each window.",
        8 * 16 * 16 * 9: "That counts products; one number comes out for each window.",
        32 * 32: "That is one input channel; what comes out is smaller, and there are eight.",
        8 * 16: "Each output image has rows and columns: 16 x 16.",
        8 + 16 + 16: "The sides are multiplied, not added.",
    }
    return check(answer, 8 * 16 * 16, 0, hints, WHOLE)


@exercise
def basics_2(answer: object) -> Verdict:
    """Cross-entropy of the logits 2, 0, 0 if the second class is the true one."""
    total = np.exp(2) + 2
    hints = {
        1 / total: "That is the probability of the true class; the loss is minus its logarithm.",
        np.log(total) - 2: "That would be the loss if the first class were true.",
        -np.log(total): "The logarithm of a probability is negative; the loss is minus that.",
        np.log2(total): "Take the natural logarithm, as PyTorch does.",
        np.log10(total): "Take the natural logarithm, as PyTorch does: this is the one to base 10.",
        np.log(3): "That would be the loss of three equal logits.",
        0.0: "The logit itself is no loss: first the softmax, then minus the logarithm.",
        2.0: "That is the largest logit, and not of the true crop: first the softmax, then minus "
        "the logarithm of the second.",
        np.exp(2) / total: "That is the probability of the first crop; the true one is the second.",
        1 - 1 / total: "That is one minus the probability; the loss is minus its logarithm.",
        total: "That is the sum of the exponentials; the loss is minus the logarithm of a "
        "probability.",
        4.0: "The loss is no squared error: take minus the logarithm of the probability.",
        -np.log(1 / 2): "The softmax has three exponentials below the line: e^2 + 1 + 1.",
        (3 * np.log(total) - 2) / 3: "That is a mean over all three crops; the loss is of the true "
        "one.",
        -np.log(np.exp(1) / (np.exp(2) + 2 * np.exp(1))): "e to the power of 0 is 1.",
        np.log(np.exp(2) + 1): "There are three crops: two of them have the logit 0.",
        np.log(total) / 3: "Do not divide by the number of crops: it is the loss of one field.",
        -np.log(1 - 1 / total): "That is the loss if the second crop were not the true one.",
    }
    return check(answer, np.log(total), 2e-3, hints, LOSS)


@exercise
def basics_3(convolve: object) -> Verdict:
    """A 3 x 3 convolution without padding, as the learner wrote it: (image, kernel) to image."""
    rng = torch.Generator().manual_seed(3)
    image, kernel = torch.randn(5, 7, generator=rng), torch.randn(3, 3, generator=rng)

    def of(image: Tensor, kernel: Tensor) -> Tensor:
        return F.conv2d(image[None, None], kernel[None, None])[0, 0]

    right = of(image, kernel)

    def gives_an_image(convolve: Any) -> str | None:
        found = convolve(image.clone(), kernel.clone())
        if found is None:
            return "The function returns nothing: end it with return."
        shape = tuple(torch.as_tensor(found).shape)
        if shape in ((), (1,)):
            return "It returns a single number: return an image, with a number for each window."
        if shape == (5, 7):
            return (
                "The output is as large as the image: leave out the outermost ring, whose windows "
                "stick out of it."
            )
        if shape == (3, 5):
            return None
        return f"For an image of 5 x 7 pixels the output has the shape {shape}; expected (3, 5)."

    def moves_a_weighted_sum(convolve: Any) -> str | None:
        found = torch.as_tensor(convolve(image.clone(), kernel.clone()))
        mistakes = [
            (of(image, torch.full((3, 3), 1 / 9)), "That is the plain mean: use the kernel."),
            (of(image, torch.ones(3, 3)), "That is the plain sum: multiply by the kernel first."),
            (right / 9, "That is divided by nine: the kernel holds the weights already, add up."),
            (right / kernel.sum(), "That is divided by the sum of the kernel: only add up."),
            (
                of(image, kernel.flip(0, 1)),
                "The kernel is turned round: lay it on the window as it is, as PyTorch does.",
            ),
            (
                (image.unfold(0, 3, 1).unfold(1, 3, 1) @ kernel).sum((-1, -2)),
                "window @ kernel is a product of matrices: window * kernel multiplies each weight "
                "by what lies below it.",
            ),
            (of(image, kernel.T), "Rows and columns of the kernel are swapped."),
            (of(image, kernel.flip(0)), "The rows of the kernel are turned round."),
            (of(image, kernel.flip(1)), "The columns of the kernel are turned round."),
            (
                of(image, torch.ones(3, 3)) + kernel.sum(),
                "Multiply the window by the kernel, do not add it.",
            ),
            (torch.zeros(3, 5), "All numbers are 0: put each sum into its place of the answer."),
            (image[1:-1, 1:-1], "That is the image without its border: multiply by the kernel."),
            (image[:3, :5] * kernel[0, 0], "One weight alone is used: sum over the window."),
            (
                image[1:-1, 1:-1] * kernel[1, 1],
                "The middle weight alone is used: sum over the window.",
            ),
            (right.flip(0, 1), "The answer is turned round: window (0, 0) gives place (0, 0)."),
            (right.relu(), "Numbers below 0 are cut off: a convolution keeps them."),
            (of(image, kernel.abs()), "A weight may be negative: take it as it is."),
            (
                image.unfold(0, 3, 1).unfold(1, 3, 1).mul(kernel).amax((-1, -2)),
                "That is the largest product: add up all nine.",
            ),
        ]
        for wrong, why in mistakes:
            if _alike(found, wrong):
                return why
        if _alike(found, right):
            return None
        found = found.to(right)
        if found.isclose(right, atol=1e-5).sum() < 4:
            return (
                f"The first number is {float(found[0, 0]):.3f}, and the sum of the first window "
                f"times the kernel {float(right[0, 0]):.3f}."
            )
        return _which_are_missing(found, right)

    def holds_for_one_window(convolve: Any) -> str | None:
        found = torch.as_tensor(convolve(image[:3, :3].clone(), kernel.clone()))
        if _alike(found, of(image[:3, :3], kernel)):
            return None
        return "An image of 3 x 3 pixels has one window: expected one number, shape (1, 1)."

    def holds_for_other_sizes(convolve: Any) -> str | None:
        other, weights = torch.randn(9, 4, generator=rng), torch.randn(3, 3, generator=rng)
        found = torch.as_tensor(convolve(other.clone(), weights.clone()))
        if _alike(found, of(other, weights)):
            return None
        if _alike(found, of(other, kernel)):
            return "It takes always the same kernel: use the one that is given."
        return "With an image of 9 x 4 pixels it is not right: take any size, not a fixed one."

    def leaves_its_input(convolve: Any) -> str | None:
        given = image.clone(), kernel.clone()
        convolve(*given)
        for name, mine, was in zip(("image", "kernel"), given, (image, kernel), strict=True):
            if not torch.equal(mine, was):
                return f"The function changes the {name} that it is given: work on a new tensor."
        return None

    return build(
        convolve,
        gives_an_image,
        moves_a_weighted_sum,
        holds_for_one_window,
        holds_for_other_sizes,
        leaves_its_input,
        given="image kernel",
        takes="an image of any size and a kernel of 3 x 3",
        gives="an image, as a tensor",
    )


def _which_are_missing(found: Tensor, right: Tensor) -> str:
    """What is wrong with an image of which some numbers are right."""
    wrong = ~found.isclose(right, atol=1e-5)
    sides = {
        "The last row and column are left out": (wrong[:-1, :-1], wrong[-1:], wrong[:-1, -1:]),
        "The last row is left out": (wrong[:-1], wrong[-1:]),
        "The last column is left out": (wrong[:, :-1], wrong[:, -1:]),
        "The first row and column are left out": (wrong[1:, 1:], wrong[:1], wrong[1:, :1]),
        "The first row is left out": (wrong[1:], wrong[:1]),
        "The first column is left out": (wrong[:, 1:], wrong[:, :1]),
    }
    for words, (rest, *lost) in sides.items():
        if not rest.any() and all(part.all() for part in lost):
            return f"{words}: there are rows - 2 windows down and columns - 2 across."
    return "Some numbers are right and some are not: every window gives one sum, in its place."


@exercise
def basics_4(training_step: object) -> Verdict:
    """One step of training: (network, optimiser, x, y) to the loss before the step."""
    rng = torch.Generator().manual_seed(4)
    x, y = torch.randn(8, 3, generator=rng), torch.arange(8) % 2
    rate, old = 0.1, 1.0  # learning rate; what an earlier step has left in the gradients

    def network() -> nn.Linear:
        layer = nn.Linear(3, 2)
        with torch.no_grad():
            for place, weights in enumerate(layer.parameters()):
                weights.copy_(torch.linspace(-1, 1, weights.numel()).view_as(weights) + place)
                weights.grad = torch.full_like(weights, old)
        return layer

    taken: list[str] = []  # steps of the given optimiser

    def one_step(step: Any) -> tuple[Any, nn.Linear]:
        layer = network()
        optimiser = torch.optim.SGD(layer.parameters(), lr=rate)
        optimiser.register_step_post_hook(lambda *_: taken.append("step"))
        taken.clear()
        return step(layer, optimiser, x.clone(), y.clone()), layer

    def gradient(loss: Callable[[Tensor, Tensor], Tensor]) -> list[Tensor]:
        layer = network()
        return list(torch.autograd.grad(loss(layer(x), y), list(layer.parameters())))

    start = [weights.detach().clone() for weights in network().parameters()]
    slopes = gradient(F.cross_entropy)
    on_softmax = gradient(lambda logits, y: F.cross_entropy(logits.softmax(1), y))

    def changes_the_weights_rightly(step: Any) -> str | None:
        _, layer = one_step(step)
        now = [weights.detach() for weights in layer.parameters()]

        def moved(by: Sequence[Tensor | float]) -> bool:
            return all(_alike(n, s - rate * b) for n, s, b in zip(now, start, by, strict=True))

        if not taken and not moved([0.0, 0.0]):
            return (
                "The weights have moved, but the optimiser that is given has made no step: call "
                "optimiser.step(), and make no other optimiser."
            )
        if len(taken) > 1:
            return f"The optimiser has made {len(taken)} steps: one is asked for."
        if moved(slopes):
            return None
        if moved([old, old]):
            return "The weights follow old gradients: call loss.backward() before the step."
        if moved([slope + old for slope in slopes]):
            return (
                "The gradients of the last step are still in: begin with optimiser.zero_grad(), "
                "since backward adds to what is there."
            )
        if moved([0.0, 0.0]):
            grads = [weights.grad for weights in layer.parameters()]
            if all(g is not None and _alike(g, s) for g, s in zip(grads, slopes, strict=True)):
                return (
                    "The gradients are right, but the weights have not moved: call "
                    "optimiser.step() after backward."
                )
            if any(g is None or not g.any() for g in grads):
                return (
                    "The weights have no gradient to follow: call loss.backward() between "
                    "zero_grad and step."
                )
            return "The weights have not moved: backward and step are missing."
        if moved([-slope for slope in slopes]):
            return "The step goes uphill: the loss must fall, so do not turn its sign."
        if moved(on_softmax):
            return "F.cross_entropy takes logits and makes the softmax itself: give it no softmax."
        if moved(gradient(lambda z, y: F.cross_entropy(z.log_softmax(1).exp().log2(), y))):
            return "Take the natural logarithm, as F.cross_entropy does."
        if moved(gradient(lambda z, y: F.mse_loss(z, F.one_hot(y, 2).float()))):
            return "That is the squared error: take F.cross_entropy."
        if moved([len(x) * slope for slope in slopes]):
            return "The loss is summed over all fields: take their mean, as F.cross_entropy does."
        if moved([slope / len(x) for slope in slopes]):
            return "The loss is divided once more: F.cross_entropy is the mean already."
        if moved(gradient(lambda z, y: F.cross_entropy(z[:1], y[:1]))):
            return "That is the step of the first field alone: take all of x and y."
        if moved([2 * slope for slope in slopes]):
            return "The gradient is twice as large as it should be: call backward once."
        return "After one step the weights are not where one step of the optimiser leads."

    def returns_the_loss(step: Any) -> str | None:
        loss, layer = one_step(step)
        if loss is None:
            return "The step is right; now return the loss as well."
        if isinstance(loss, nn.Module | torch.optim.Optimizer | tuple):
            return f"The step is right, but it returns a {type(loss).__name__}: return the loss."
        if torch.as_tensor(loss).numel() > 1:
            return "The step is right, but it returns many numbers: return the loss, one number."
        before = F.cross_entropy(network()(x), y).item()
        if _alike(torch.as_tensor(loss).detach(), torch.tensor(before)):
            return None
        if _alike(torch.as_tensor(loss).detach(), F.cross_entropy(layer(x), y).detach()):
            return "That is the loss after the step: return the one that made the gradients."
        if _alike(torch.as_tensor(loss).detach().float(), torch.tensor(len(x) * before)):
            return "The step is right; return the mean loss, and not the sum over all fields."
        if abs(torch.as_tensor(loss).item() - (network()(x).argmax(1) == y).float().mean()) < 1e-5:
            return "The step is right; return the loss, and not the share that is named right."
        return f"The step is right, but the loss before it is {before:.4f}: return that number."

    def learns_step_by_step(step: Any) -> str | None:
        layer = network()
        optimiser = torch.optim.SGD(layer.parameters(), lr=rate)
        losses = [torch.as_tensor(step(layer, optimiser, x, y)).item() for _ in range(50)]
        return None if losses[-1] < 0.7 * losses[0] else "After 50 steps the loss has not fallen."

    def holds_for_other_networks(step: Any) -> str | None:
        """Seven fields of five numbers and four classes, and an optimiser with a memory."""
        torch.manual_seed(4)
        mine = nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 4))
        x, y = torch.randn(7, 5, generator=rng), torch.arange(7) % 4
        given = x.clone(), y.clone()
        true = copy.deepcopy(mine)
        ours, theirs = (torch.optim.AdamW(each.parameters(), lr=0.05) for each in (mine, true))
        for _ in range(3):
            theirs.zero_grad()
            F.cross_entropy(true(x), y).backward()
            theirs.step()
            step(mine, ours, *given)
        if not (torch.equal(given[0], x) and torch.equal(given[1], y)):
            return "The function changes x or y: work on new tensors."
        if all(_alike(a, b) for a, b in zip(mine.parameters(), true.parameters(), strict=True)):
            return None
        return "With another network, or with AdamW, the steps differ: use all that is given."

    return build(
        training_step,
        changes_the_weights_rightly,
        returns_the_loss,
        learns_step_by_step,
        holds_for_other_networks,
        given="network optimiser x y",
        takes="any network with its optimiser, inputs x and classes y",
        gives="one number, the loss",
        errors={
            r"'Long'|scalar type Long|Long but|0D or 1D target|size of input.*target": "The loss "
            "gets its arguments in the wrong order: first the logits of the network, then the "
            "classes ({error}).",
            r"does not require grad": "The loss does not hang on the weights: leave out .item(), "
            ".detach() and torch.no_grad() before backward ({error}).",
            r"'(float)' object has no attribute '(backward)'": "A {} has no .{}: call .item() on "
            "the loss after backward, and not before ({error}).",
            r"backward through the graph a second time": "backward is called twice: once is "
            "enough ({error}).",
        },
    )


def _alike(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and torch.allclose(a.to(b), b, atol=1e-5)


@exercise
def basics_5(
    predicted: object,
    found: object,
    because: object,
    train: Callable[[float], Sequence[float]],
) -> Verdict:
    """Last loss of ``train`` at a learning rate of 50, a hundred times the one of the text."""
    run = train(50.0)
    large = float(run[-1])
    hints = [
        (float(min(run)), "That is the lowest loss on the way: take the last one."),
        (float(max(run)), "That is the highest loss on the way: take the last one."),
        (float(np.mean(run)), "That is the mean of all losses: take the last one."),
        (float(train(500.0)[-1]), "That is the loss at 500: a hundred times 0.5 is 50."),
        (50.0, "That is the rate: put the last loss into found."),
        (
            100 * float(train(0.5)[-1]),
            "Do not multiply the loss: change the rate to 50, and run the cell.",
        ),
        (float(run[-2]), "That is the last loss but one: losses[-1] is the last."),
        (len(run), "That is the number of losses: losses[-1] is the last of them."),
        (
            float(train(0.5)[-1]),
            "That is the loss at 0.5: change the rate to 50, and run the cell.",
        ),
        (float(train(5.0)[-1]), "That is the loss at 5, ten times as much: take a hundred times."),
        (float(train(0.005)[-1]), "That is a rate a hundred times smaller: multiply, not divide."),
        (float(train(50.0)[0]), "That is the loss before the first step: take the last one."),
    ]
    return predict(predicted, found, because, large, 0.01 * max(1.0, large), hints, LOSS)
