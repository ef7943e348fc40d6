"""Right and wrong answers to the exercises of temporal: see test_81_course_exercises.py."""

import torch

from stma_nb.course import exercises

NUMBERS = [  # check, its arguments, right answer, {wrong answer: words of the hint}
    (
        exercises.temporal_1,
        (),
        0.8808,
        {
            1: "positive weight",
            7.389: "the sum of both",
            0.1192: "second date",
            2: "the score itself",
            0.787: "two terms",
            88.08: "per cent",
            0.5: "That would be the weight if both",
            0.8044: "Nothing is to be divided by a",
            0.6667: "Scores are no weights: take the",
            0.7311: "That is for a difference of 1, as",
            0.982: "That is for a difference of 4, as",
            0.1269: "That is minus the logarithm of",
            0.8: "The base is e, not 2; and a score",
            0.9901: "The base is e, not 10.",
            0.1353: "That is the second weight over",
            8.389: "That is the sum of the",
            2.127: "That is the logarithm of the sum;",
            0: "The first has the larger score,",
            -0.1269: "That is the logarithm of the",
            0.964: "That is tanh; the softmax divides",
        },
    ),
    (
        exercises.temporal_2,
        (),
        4 * 512**2 + 4 * 512,
        {
            512**2: "there are four",
            4 * 512**2: "biases",
            4 * 256**2 + 1024: "channels",
            4 * 8192**2 + 4 * 8192: "16 x 16 pixels",
            3 * 512**2 + 3 * 512: "fourth matrix",
            16 * 512**2 + 16 * 512: "Heads share",
            512: "That is the width of a token:",
            2048: "Those are the biases alone; each",
            786432: "There are four matrices, each",
            788480: "There is a fourth matrix, which",
            262656: "That is one matrix with its",
            4096: "A matrix has width times width",
            1049088: "Each of the four matrices has",
            1050112: "The output matrix has biases as",
            339775488: "A token is one date: the width",
            18911232: "All dates share the same matrices.",
            2101248: "A token holds both channels: do",
            4224: "A token holds 16 x 16 pixels, not",
            24: "A token is a whole map of a date,",
            16640: "The width is that of level 1:",
            6144: "A token is a whole map, so every",
            525312: "There are four matrices: query,",
            324: "That is the map of weights",
            1.051: "That is in millions: give the",
        },
    ),
    (
        exercises.temporal_3,
        (),
        0.6784,
        {
            0.9404: "divide by",
            1.3568: "in bits",
            -0.6784: "not negative",
            0.3216: "how closed",
            0.4084: "one base",
            0.2351: "which is log 4",
            67.84: "per cent",
            0.3602: "That is the first term of the",
            0.1801: "That is the first term alone: sum",
            0.9787: "Bits are divided by nats: take",
            0.4702: "Nats are divided by bits: take",
            0.856: "There are four weights: divide by",
            0.3254: "Here are four weights, not 18",
            0.3392: "Divide by the entropy of four",
            0.7: "That is the largest weight;",
            0.3: "That is what the largest weight",
            0.25: "That is an equal weight: openness",
            1.923: "That is the effective number of",
            0.48: "That is one minus the sum of",
            0.52: "That is the sum of squares; take",
            2.561: "That is e to the power of the",
            0.6403: "Do not take e to the power of it:",
            1.474: "It is turned over: the entropy of",
            1.31: "Each logarithm is weighed by its",
            0.1429: "That is the smallest weight over",
            0.3462: "The weight 0.1 stands there three",
            0.2042: "Divide by the logarithm of four,",
        },
    ),
]


def attend(scale=lambda keys: keys.shape[1] ** 0.5, weigh=torch.softmax, blend=torch.matmul):
    """Attention of one query, right or with a mistake."""

    def attending(query, keys, values):
        weights = weigh(keys @ query / scale(keys), 0)
        return blend(weights, values), weights

    return attending


def by_hand(query, keys, values):
    scores = torch.stack([(query * key).sum() for key in keys]) / len(query) ** 0.5
    powers = torch.exp(scores - scores.max())
    weights = powers / powers.sum()
    return sum(w * value for w, value in zip(weights, values, strict=True)), weights


def overflows(scores, _):
    return torch.exp(scores) / torch.exp(scores).sum()


KEYS = torch.ones(18, 8)


def by_cosine(scale):
    def attending(query, keys, values):
        alike = torch.cosine_similarity(keys, query[None]) / scale
        weights = torch.softmax(alike, 0)
        return weights @ values, weights

    return attending


def by_distance(query, keys, values):
    weights = torch.softmax(-((keys - query) ** 2).sum(1) / len(query) ** 0.5, 0)
    return weights @ values, weights


def softmax_first(query, keys, values):
    weights = torch.softmax(keys @ query, 0) / len(query) ** 0.5
    return weights @ values, weights


def of_eighteen(query, keys, values):
    weights = torch.softmax(torch.stack([keys[date] @ query for date in range(18)]), 0)
    return weights @ values, weights


def in_place(query, keys, values):
    keys *= query / len(query) ** 0.5
    weights = torch.softmax(keys.sum(1), 0)
    return weights @ values, weights


BUILDS = [
    (
        exercises.temporal_4,
        (),
        [attend(), by_hand],
        [
            (lambda q, k, v: attend()(q, k, v)[0], "two things"),
            (lambda q, k, v: attend()(q, k, v)[::-1], "blend first"),
            (lambda q, k, v: (v, k @ q), "expected (3,) and (6,)"),
            (attend(weigh=lambda s, _: s), "still the scores"),
            (attend(weigh=lambda s, _: s / s.sum()), "exponential of each first"),
            (attend(weigh=lambda s, _: torch.exp(s)), "do not sum to one"),
            (attend(scale=lambda keys: 1), "square root of the width d"),
            (attend(scale=lambda keys: keys.shape[1]), "not by d"),
            (attend(scale=lambda keys: len(keys) ** 0.5), "number of dates"),
            (attend(weigh=lambda s, _: torch.softmax(-s, 0)), "sign is turned"),
            (attend(weigh=lambda s, _: torch.sigmoid(s)), "sigmoid"),
            (attend(blend=lambda w, v: v.mean(0)), "plain mean"),
            (attend(blend=lambda w, v: v[w.argmax()]), "best date alone"),
            (attend(blend=lambda w, v: w.max() * v.sum(0)), "not weights @ values"),
            (attend(weigh=overflows), "not finite"),
            (in_place, "changes the keys"),
            (attend(scale=lambda keys: 8**0.5), "divided by the root of 8"),
            (attend(scale=lambda keys: 3**0.5), "not of that of the values"),
            (attend(scale=lambda keys: keys.shape[1] ** -0.5), "you multiply"),
            (attend(scale=lambda keys: keys.shape[1] ** 0.25), "once, not twice"),
            (attend(scale=lambda keys: keys.shape[1] ** 2), "not by its square"),
            (attend(weigh=lambda s, _: (s == s.max()).float()), "weight lies on the best date"),
            (attend(weigh=lambda s, _: torch.full_like(s, 1 / len(s))), "All dates weigh the same"),
            (attend(weigh=torch.log_softmax), "Those are logarithms"),
            (attend(weigh=lambda s, _: s.abs() / s.abs().sum()), "not its size"),
            (by_cosine(1), "forgets the lengths"),
            (by_cosine(8**0.5), "forgets the lengths"),
            (by_distance, "Those are distances"),
            (softmax_first, "before the softmax"),
            (of_eighteen, "count on no fixed number"),
            (attend(blend=lambda w, v: v.sum(0)), "sum of the values"),
            (attend(blend=lambda w, v: (w[:, None] * v).mean(0)), "mean of weighted values"),
            (lambda q, k, v: (k @ q @ v / 8**0.5, attend()(q, k, v)[1]), "uses the scores"),
            (lambda keys, query, values: attend()(query, keys, values), "another order"),
            (lambda query, keys: keys @ query, "name all of them"),
            (lambda query, keys, values: attend()(keys, query, values), "it should take a query"),
            (lambda q, k, v: attend()(q, KEYS, v), "uses KEYS of the notebook"),
            (lambda q, k, v: attend()(q, k, v)[0], "two things"),
        ],
    ),
]

# Fields (fields, dates, bands) and readers that name them by their largest date of the first band.
X = torch.tensor([[[4.0, 9], [2, 1], [1, 0]], [[0, 3], [8, 1], [1, 0]], [[0, 0], [1, 8], [5, 1]]])
X = torch.cat([X, X[[1, 1]]])
Y = torch.tensor([0, 1, 2, 1, 2])
READERS = {
    "attention with date codes, then mean": lambda x: (x[:, :, 0], None),
    "attention, then mean": lambda x: (torch.eye(3)[[2] * len(x)], None),
}
PREDICTS = [
    (
        exercises.temporal_5,
        (READERS, X, Y),
        0.4,
        {
            0.8: "dates in order",
            0.2: "two bands",
            0.6: "fields round",
            2: "That is a number of fields: give",
            3: "That is the number of fields",
            5: "That is the number of test",
            0.1667: "That is blind guessing among six",
        },
    ),
]
