"""Right and wrong answers to the exercises of basics: see test_81_course_exercises.py."""

import torch
import torch.nn.functional as F

from stma_nb.course import exercises

NUMBERS = [  # check, its arguments, right answer, {wrong answer: words of the hint}
    (
        exercises.basics_1,
        (),
        2048,
        {
            256: "there are eight",
            8192: "every second pixel",
            4096: "output image is one sum",
            1800: "padding=1",
            512: "input channels",
            152: "weights and biases",
        },
    ),
    (
        exercises.basics_2,
        (),
        2.2395,
        {
            0.1065: "minus its logarithm",
            0.2395: "first class",
            -2.2395: "negative",
            3.2310: "natural logarithm",
            0.9726: "base 10",
            1.0986: "equal logits",
            0: "no loss",
        },
    ),
]


def convolve(use=lambda window, kernel: (window * kernel).sum()):
    """A 3 x 3 convolution by hand, right or with a mistake."""

    def convolving(image, kernel):
        rows, columns = image.shape
        answer = torch.zeros(rows - 2, columns - 2)
        for row in range(rows - 2):
            for column in range(columns - 2):
                answer[row, column] = use(image[row : row + 3, column : column + 3], kernel)
        return answer

    return convolving


def by_library(image, kernel):
    return F.conv2d(image[None, None], kernel[None, None])[0, 0]


def as_large(image, kernel):
    return F.conv2d(image[None, None], kernel[None, None], padding=1)[0, 0]


def of_fixed_size(image, kernel):
    answer = torch.zeros(3, 5)
    answer[: image.shape[0] - 2, : image.shape[1] - 2] = by_library(image, kernel)
    return answer


def in_place(image, kernel):
    answer = by_library(image, kernel)
    image[1:-1, 1:-1] = answer
    return answer


def step(
    clear="first", backward=True, update="last", loss_of=F.cross_entropy, sign=1, give="before"
):
    """One step of training, right or with a mistake."""

    def stepping(network, optimiser, x, y):
        if clear == "first":
            optimiser.zero_grad()
        loss = loss_of(network(x), y)
        if update == "early":
            optimiser.step()
        if backward:
            (sign * loss).backward()
        if clear == "late":
            optimiser.zero_grad()
        if update == "last":
            optimiser.step()
        after = loss_of(network(x), y)
        return {"before": loss, "after": after, "none": None, "twice": 2 * loss}[give]

    return stepping


def only_once(network, optimiser, x, y):
    """Right, but never a second time."""
    fresh = float(network.weight.sum()) == 0
    return step()(network, optimiser, x, y) if fresh else F.cross_entropy(network(x), y)


BUILDS = [
    (
        exercises.basics_3,
        (),
        [convolve(), by_library],
        [
            (lambda image, kernel: print(end=""), "returns nothing"),
            (as_large, "as large as the image"),
            (lambda image, kernel: image[1:, 1:], "expected (3, 5)"),
            (convolve(lambda w, k: w.mean()), "plain mean"),
            (convolve(lambda w, k: w.sum()), "plain sum"),
            (convolve(lambda w, k: (w * k).mean()), "divided by nine"),
            (convolve(lambda w, k: (w * k).sum() / k.sum()), "sum of the kernel"),
            (convolve(lambda w, k: (w * k.flip(0, 1)).sum()), "turned round"),
            (convolve(lambda w, k: (w * k.T).sum()), "swapped"),
            (convolve(lambda w, k: (w + k).sum()), "window times kernel"),
            (of_fixed_size, "one window"),
            (in_place, "changes the image"),
        ],
    ),
    (
        exercises.basics_4,
        (),
        [step(), lambda n, o, x, y: step()(n, o, x, y).item()],
        [
            (step(clear="never"), "still in"),
            (step(clear="late"), "no gradient to follow"),
            (step(backward=False), "no gradient to follow"),
            (step(clear="never", backward=False), "old gradients"),
            (step(update="never"), "have not moved"),
            (step(clear="never", backward=False, update="never"), "are missing"),
            (step(sign=-1), "uphill"),
            (step(loss_of=lambda z, y: F.cross_entropy(z.softmax(1), y)), "no softmax"),
            (step(loss_of=lambda z, y: F.cross_entropy(z, y, reduction="sum")), "not where"),
            (step(give="none"), "return the loss as well"),
            (step(give="after"), "after the step"),
            (step(give="twice"), "loss before it"),
            (only_once, "has not fallen"),
        ],
    ),
]

LOSSES = {0.005: 1.05, 0.5: 0.35, 5.0: 0.28, 50.0: 3.4}
PREDICTS = [
    (
        exercises.basics_5,
        (lambda rate: [1.2, LOSSES[rate]],),
        3.4,
        {0.35: "loss at 0.5", 0.28: "loss at 5", 1.05: "smaller", 1.2: "first step"},
    ),
]
