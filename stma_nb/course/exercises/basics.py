"""The checks of notebook 03a, PyTorch, convolution and training."""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stma_nb.course.exercises.checks import Verdict, build, check, exercise, predict


@exercise
def basics_1(answer: object) -> Verdict:
    """Numbers in the output of Conv2d(2, 8, 3, stride=2, padding=1) for one image of 32 pixels."""
    hints = {
        16 * 16: "That is one output image; there are eight, one for each set of kernels.",
        8 * 32 * 32: "A stride of 2 puts the window on every second pixel only, both ways.",
        8 * 16 * 32: "The stride of 2 holds for rows and for columns.",
        8 * 15 * 15: "With padding=1 the outermost pixels get an answer too: 16 x 16.",
        2 * 16 * 16: "Two is the number of input channels; the output has eight.",
        8 * 2 * 9 + 8: "Those are its weights and biases; asked is what comes out for one image.",
        16 * 16 * 16: "Each output image is one sum over both input channels: 8 of them, not 16.",
    }
    return check(answer, 8 * 16 * 16, 0, hints)


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
    }
    return check(answer, np.log(total), 2e-3, hints)


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
        ]
        for wrong, why in mistakes:
            if _alike(found, wrong):
                return why
        if _alike(found, right):
            return None
        return "The numbers are not sums of window times kernel."

    def holds_for_one_window(convolve: Any) -> str | None:
        found = torch.as_tensor(convolve(image[:3, :3].clone(), kernel.clone()))
        if _alike(found, of(image[:3, :3], kernel)):
            return None
        return "An image of 3 x 3 pixels has one window: expected one number, shape (1, 1)."

    def leaves_its_input(convolve: Any) -> str | None:
        given = image.clone()
        convolve(given, kernel.clone())
        if torch.equal(given, image):
            return None
        return "The function changes the image that it is given: work on a new tensor."

    return build(
        convolve, gives_an_image, moves_a_weighted_sum, holds_for_one_window, leaves_its_input
    )


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

    def one_step(step: Any) -> tuple[Any, nn.Linear]:
        layer = network()
        return step(
            layer, torch.optim.SGD(layer.parameters(), lr=rate), x.clone(), y.clone()
        ), layer

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
        return "After one step the weights are not where one step of the optimiser leads."

    def returns_the_loss(step: Any) -> str | None:
        loss, layer = one_step(step)
        if loss is None:
            return "The step is right; now return the loss as well."
        before = F.cross_entropy(network()(x), y).item()
        if _alike(torch.as_tensor(loss).detach(), torch.tensor(before)):
            return None
        if _alike(torch.as_tensor(loss).detach(), F.cross_entropy(layer(x), y).detach()):
            return "That is the loss after the step: return the one that made the gradients."
        return f"The step is right, but the loss before it is {before:.4f}: return that number."

    def learns_step_by_step(step: Any) -> str | None:
        layer = copy.deepcopy(network())
        optimiser = torch.optim.SGD(layer.parameters(), lr=rate)
        losses = [torch.as_tensor(step(layer, optimiser, x, y)).item() for _ in range(50)]
        return None if losses[-1] < 0.7 * losses[0] else "After 50 steps the loss has not fallen."

    return build(training_step, changes_the_weights_rightly, returns_the_loss, learns_step_by_step)


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
    large = float(train(50.0)[-1])
    hints = {
        float(train(0.5)[-1]): "That is the loss at 0.5: change the rate to 50, and run the cell.",
        float(train(5.0)[-1]): "That is the loss at 5, ten times as much: take a hundred times.",
        float(train(0.005)[-1]): "That is a rate a hundred times smaller: multiply, not divide.",
        float(train(50.0)[0]): "That is the loss before the first step: take the last one.",
    }
    return predict(predicted, found, because, large, 0.01 * max(1.0, large), hints)
