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
            16: "That is one side of an output",
            8: "That is the number of output",
            144: "Those are the weights of the",
            2056: "A bias changes each number, and",
            2050: "Only what comes out counts:",
            7200: "With padding=1 no ring is lost,",
            2312: "32 pixels with a stride of 2 make",
            36864: "That counts products; one number",
            18432: "That counts products; one number",
            1024: "That is one input channel; what",
            128: "Each output image has rows and",
            40: "The sides are multiplied, not",
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
            2: "That is the largest logit, and",
            0.787: "That is the probability of the",
            0.8935: "That is one minus the",
            9.389: "That is the sum of the",
            4: "The loss is no squared error:",
            0.6931: "The softmax has three",
            1.573: "That is a mean over all three",
            1.551: "e to the power of 0 is 1.",
            2.127: "There are three crops: two of",
            0.7465: "Do not divide by the number of",
            0.1126: "That is the loss if the second",
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


IMAGE = torch.zeros(32, 32)


def without_last(image, kernel):
    answer = by_library(image, kernel)
    answer[-1], answer[:, -1] = 0, 0
    return answer


def of_eight(image, kernel):
    answer = torch.zeros(6, 6)
    for row in range(6):
        for column in range(6):
            answer[row, column] = (image[row : row + 3, column : column + 3] * kernel).sum()
    return answer


def with_own_kernel(image, kernel, kept=[]):  # noqa: B006
    kept.append(kernel)
    return by_library(image, kept[-1] if image.shape[1] != 4 else kept[0])


def changes_kernel(image, kernel):
    answer = by_library(image, kernel)
    kernel /= kernel.sum()
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


def with_own_optimiser(rate):
    def stepping(network, optimiser, x, y):
        return step()(network, torch.optim.SGD(network.parameters(), lr=rate), x, y)

    return stepping


def by_hand(network, optimiser, x, y):
    loss = F.cross_entropy(network(x), y)
    slopes = torch.autograd.grad(loss, list(network.parameters()))
    with torch.no_grad():
        for weights, slope in zip(network.parameters(), slopes, strict=True):
            weights -= 0.1 * slope
    return loss


def twice(network, optimiser, x, y):
    step()(network, optimiser, x, y)
    return step()(network, optimiser, x, y)


def of_small_networks(network, optimiser, x, y):
    weights = [w for w in network.parameters() if w.numel() < 20]
    optimiser.zero_grad()
    loss = F.cross_entropy(network(x), y)
    for weight, slope in zip(weights, torch.autograd.grad(loss, weights), strict=True):
        weight.grad = slope
    optimiser.step()
    return loss


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
            (convolve(lambda w, k: (w + k).sum()), "do not add it"),
            (of_fixed_size, "one window"),
            (in_place, "changes the image"),
            (without_last, "last row and column are left out"),
            (
                lambda i, k: by_library(i, k) * torch.tensor([0.0, 1, 1])[:, None],
                "first row is left out",
            ),
            (of_eight, "(RuntimeError"),
            (of_eight, "it should take an image of any size and a kernel of 3 x 3"),
            (lambda image, kernel: (image[:3, :3] * kernel).sum(), "a single number"),
            (with_own_kernel, "always the same kernel"),
            (lambda kernel, image: convolve()(image, kernel), "another order"),
            (lambda image: image, "called with (image, kernel)"),
            (changes_kernel, "changes the kernel"),
            (lambda image, kernel: by_library(image, kernel).relu(), "cut off"),
            (lambda image, kernel: torch.zeros(3, 5), "All numbers are 0"),
            (lambda image, kernel: image[1:-1, 1:-1], "without its border"),
            (convolve(lambda w, k: (w * k).max()), "largest product"),
            (convolve(lambda w, k: (w * k.flip(1)).sum()), "columns of the kernel are turned"),
            (convolve(lambda w, k: (w * k)[0].sum()), "The first number is"),
            (lambda image, kernel: torch.nn.Linear(3, 3), "It returns a Linear; expected an image"),
            (lambda image, kernel: convolve()(IMAGE, kernel), "uses IMAGE of the notebook"),
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
            (
                step(loss_of=lambda z, y: F.cross_entropy(z, y, reduction="sum")),
                "summed over all fields",
            ),
            (step(give="none"), "return the loss as well"),
            (step(give="after"), "after the step"),
            (step(give="twice"), "loss before it"),
            (only_once, "has not fallen"),
            (with_own_optimiser(0.1), "make no other optimiser"),
            (with_own_optimiser(0.5), "make no other optimiser"),
            (by_hand, "make no other optimiser"),
            (twice, "has made 2 steps"),
            (lambda n, o, x, y: (step()(n, o, x, y), n)[1], "return the loss"),
            (step(loss_of=lambda z, y: F.cross_entropy(y, z)), "wrong order"),
            (step(loss_of=lambda z, y: F.cross_entropy(z, y).item()), "after backward"),
            (
                step(loss_of=lambda z, y: F.cross_entropy(z, y).detach()),
                "does not hang on the weights",
            ),
            (step(loss_of=lambda z, y: F.mse_loss(z, F.one_hot(y).float())), "squared error"),
            (step(loss_of=lambda z, y: F.cross_entropy(z, y) / 8), "divided once more"),
            (step(loss_of=lambda z, y: F.cross_entropy(z[:1], y[:1])), "first field alone"),
            (step(loss_of=lambda z, y: 2 * F.cross_entropy(z, y)), "twice as large"),
            (lambda n, o, x, y: 8 * step()(n, o, x, y), "mean loss"),
            (lambda n, o, x, y: step()(n, o, IMAGE, y), "uses IMAGE of the notebook"),
            (lambda n, o, x: o.step(), "name all of them"),
            (of_small_networks, "With another network"),
        ],
    ),
]

RUNS = {  # the losses of some rates
    0.005: [1.2, 1.1, 1.05],
    0.5: [1.2, 0.6, 0.35],
    5.0: [1.2, 0.9, 0.28],
    50.0: [1.2, 9.5, 0.9, 5.1, 3.4],
    500.0: [1.2, 33.0],
}
PREDICTS = [
    (
        exercises.basics_5,
        (RUNS.get,),
        3.4,
        {
            0.35: "loss at 0.5",
            0.28: "loss at 5",
            1.05: "smaller",
            1.2: "first step",
            0.9: "That is the lowest loss on the",
            9.5: "That is the highest loss on the",
            4.02: "That is the mean of all losses:",
            33: "That is the loss at 500: a",
            50: "That is the rate: put the last",
            35: "Do not multiply the loss: change",
            5.1: "That is the last loss but one:",
            5: "That is the number of losses:",
        },
    ),
]
