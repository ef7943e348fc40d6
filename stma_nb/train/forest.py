"""Trees on the seasons of single pixels: what a practitioner would try first.

A random forest, Breiman (2001), https://doi.org/10.1023/A:1010933404324, and gradient boosting,
Friedman (2001), https://doi.org/10.1214/aos/1013203451, by scikit-learn. They learn from the same
parts of a scene as STMA, and map through the same tiles.

Pixels that are looked at alone are told apart by their speckle as well: in practice the season is
filtered before, in training and for the map alike.

    filtered = radar.quegan_yu(season)
    forest = train.fit_forest(filtered, parts == patches.TRAIN)
    codes = predict.season_codes(forest, filtered)
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
import xarray as xr
from scipy.special import softmax
from torch import Tensor, nn

from stma_nb import cube
from stma_nb.patches import Scaling, fit_scaling
from stma_nb.train.checkpoint import Trained, trained_on
from stma_nb.train.pixels import draw_pixels, patches_of, pixels_of

LEAST = 1e-6  # probability of a class that no tree speaks for, so that its logarithm is finite


class Trees(nn.Module):
    """Trees that scikit-learn grew, as a network: they are tensors, so they are kept like one.

    ``model(x)`` with x (B, T, bands, P, P) gives logits (B, K, P, P), the logarithm of each class's
    probability; each pixel is classified by its own season. ``outputs`` is how many numbers a node
    holds.
    """

    pixelwise = True
    first: Tensor
    left: Tensor
    right: Tensor
    feature: Tensor
    threshold: Tensor
    value: Tensor

    def __init__(
        self,
        dates: int,
        bands: int,
        classes: int,
        trees: int,
        nodes: int,
        outputs: int,
        patch: int = 32,
    ):
        super().__init__()
        self.arguments = dict(
            dates=dates, bands=bands, classes=classes, trees=trees, nodes=nodes, patch=patch
        )
        # The nodes of all trees, one tree after the other; a leaf has no children (-1).
        self.register_buffer("first", torch.zeros(trees + 1, dtype=torch.int64))
        for name in ("left", "right", "feature"):
            self.register_buffer(name, torch.zeros(nodes, dtype=torch.int64))
        self.register_buffer("threshold", torch.zeros(nodes, dtype=torch.float64))
        self.register_buffer("value", torch.zeros(nodes, outputs))
        self._grown: list[Any] = []  # scikit-learn's trees, made when first needed

    def forward(self, x: Tensor) -> Tensor:
        seasons = pixels_of(x).flatten(1).float().cpu().numpy()  # (n, T bands)
        probability = torch.from_numpy(self.probability(seasons)).to(x.device, torch.float32)
        return patches_of(probability.clamp_min(LEAST).log(), like=x)

    def probability(self, seasons: np.ndarray) -> np.ndarray:
        """Of each class (n, K), for the seasons of pixels (n, T bands)."""
        raise NotImplementedError

    def _trees(self) -> list[Any]:
        """Scikit-learn's trees, which are far quicker than tensors, from the tensors."""
        from sklearn.tree._tree import NODE_DTYPE, Tree

        if self._grown:
            return self._grown
        self._check()
        features = self.arguments["dates"] * self.arguments["bands"]
        outputs = self.value.shape[1]
        for start, stop in zip(self.first[:-1].tolist(), self.first[1:].tolist(), strict=True):
            nodes = np.zeros(stop - start, NODE_DTYPE)
            nodes["left_child"] = self.left[start:stop].cpu()
            nodes["right_child"] = self.right[start:stop].cpu()
            nodes["feature"] = self.feature[start:stop].cpu()
            nodes["threshold"] = self.threshold[start:stop].cpu()
            values = self.value[start:stop].cpu().numpy().astype(np.float64)
            tree = Tree(features, np.array([outputs], dtype=np.intp), 1)
            tree.__setstate__(
                {
                    "max_depth": 0,
                    "node_count": len(nodes),
                    "nodes": nodes,
                    "values": np.ascontiguousarray(values[:, None]),
                }
            )
            self._grown.append(tree)
        return self._grown

    def _check(self) -> None:
        """Raise ValueError for tensors that are no trees: they would be followed out of memory."""
        features = self.arguments["dates"] * self.arguments["bands"]
        first = self.first.tolist()
        whole = first[0] == 0 and first[-1] == len(self.left) and first == sorted(first)
        size = self.first.diff()
        tree = torch.repeat_interleave(torch.arange(len(size)), size) if whole else None
        if tree is not None:
            number = torch.arange(len(tree)) - self.first[tree]  # of a node within its tree
            leaf = (self.left == -1) & (self.right == -1)
            inner = (self.feature >= 0) & (self.feature < features)
            for child in (self.left, self.right):
                inner &= (child > number) & (child < size[tree])  # children come after parents
            whole = bool((leaf | inner).all())
        if not whole:
            raise ValueError("These are no trees, or damaged ones: train it again.")

    def _plant(self, number: int, start: int, **nodes: np.ndarray) -> int:
        """Put the nodes of a tree (left, right, feature, threshold, value) from ``start`` on."""
        stop = start + len(nodes["left"])
        for name, values in nodes.items():
            getattr(self, name)[start:stop] = torch.from_numpy(values)
        self.first[number + 1] = stop
        return stop

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_grown": []}  # workers grow their own


class RandomForest(Trees):
    """A random forest: a node holds the shares of the classes (K), which the trees average."""

    def __init__(
        self, dates: int, bands: int, classes: int, trees: int, nodes: int, patch: int = 32
    ):
        super().__init__(dates, bands, classes, trees, nodes, classes, patch)

    @classmethod
    def of(cls, forest: Any, dates: int, bands: int, classes: int) -> "RandomForest":
        """From a fitted ``sklearn.ensemble.RandomForestClassifier``."""
        trees = [estimator.tree_ for estimator in forest.estimators_]
        model = cls(dates, bands, classes, len(trees), sum(tree.node_count for tree in trees))
        stop = 0
        for number, tree in enumerate(trees):
            share = np.zeros((tree.node_count, classes), np.float32)
            # A class that the training part lacks stays at 0.
            share[:, forest.classes_] = tree.value[:, 0] / tree.value[:, 0].sum(1, keepdims=True)
            stop = model._plant(
                number,
                stop,
                left=tree.children_left,
                right=tree.children_right,
                feature=tree.feature,
                threshold=tree.threshold,
                value=share,
            )
        return model.eval()

    def probability(self, seasons: np.ndarray) -> np.ndarray:
        trees = self._trees()
        with ThreadPoolExecutor(torch.get_num_threads()) as threads:
            return sum(threads.map(lambda tree: tree.predict(seasons), trees)) / len(trees)


class GradientBoosting(Trees):
    """Boosted trees: a node holds what its tree adds to the score of one class, its ``owner``.

    The scores begin at ``start`` (K) and become probabilities by softmax.
    """

    owner: Tensor
    start: Tensor

    def __init__(
        self, dates: int, bands: int, classes: int, trees: int, nodes: int, patch: int = 32
    ):
        super().__init__(dates, bands, classes, trees, nodes, 1, patch)
        self.register_buffer("owner", torch.zeros(trees, dtype=torch.int64))
        self.register_buffer("start", torch.zeros(classes, dtype=torch.float64))

    @classmethod
    def of(cls, boosting: Any, dates: int, bands: int, classes: int) -> "GradientBoosting":
        """From a fitted ``sklearn.ensemble.HistGradientBoostingClassifier``."""
        rounds = boosting._predictors  # one tree a class, or one for the second of two classes
        trees = [tree.nodes for round in rounds for tree in round]
        model = cls(dates, bands, classes, len(trees), sum(map(len, trees)))
        owners = torch.from_numpy(boosting.classes_)[-len(rounds[0]) :]
        model.owner[:] = owners.repeat(len(rounds))
        model.start.fill_(-torch.inf)  # a class that the training part lacks stays there
        model.start[boosting.classes_] = 0
        model.start[owners] = torch.from_numpy(boosting._baseline_prediction).double().flatten()
        stop = 0
        for number, nodes in enumerate(trees):
            leaf = nodes["is_leaf"] == 1
            stop = model._plant(
                number,
                stop,
                left=np.where(leaf, -1, nodes["left"].astype(np.int64)),
                right=np.where(leaf, -1, nodes["right"].astype(np.int64)),
                feature=nodes["feature_idx"].copy(),
                threshold=nodes["num_threshold"].copy(),
                value=nodes["value"][:, None].copy(),
            )
        return model.eval()

    def probability(self, seasons: np.ndarray) -> np.ndarray:
        score = np.tile(self.start.cpu().numpy(), (len(seasons), 1))
        trees = self._trees()
        with ThreadPoolExecutor(torch.get_num_threads()) as threads:
            added = threads.map(lambda tree: tree.predict(seasons)[:, 0], trees)
            for owner, more in zip(self.owner.tolist(), added, strict=True):
                score[:, owner] += more
        return softmax(score, axis=1)


def fit_forest(
    season: xr.Dataset,
    mask: np.ndarray,
    pixels: int = 20_000,
    trees: int = 100,
    seed: int = 0,
    scaling: Scaling | None = None,
) -> Trained:
    """Train a random forest on at most ``pixels`` random pixels of ``mask`` (rows, columns).

    ``mask`` is, say, ``parts == TRAIN``. Without ``scaling`` all bands of the season are taken, and
    their statistics in the mask. Filter the season's speckle before, and that of the season to map
    in the same way. Raises SeasonError if the mask holds no data.
    """
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(trees, n_jobs=-1, random_state=seed)
    return _fit(RandomForest, forest, season, mask, pixels, scaling, seed)


def fit_boosting(
    season: xr.Dataset,
    mask: np.ndarray,
    pixels: int = 20_000,
    rounds: int = 100,
    seed: int = 0,
    scaling: Scaling | None = None,
) -> Trained:
    """Train gradient boosting as ``fit_forest`` trains a forest: at most ``rounds`` trees a class.

    Trees have 15 leaves and see three tenths of the values at a split; the rate is 0.1. A penalty
    (``l2_regularization``) keeps the scores of rare classes finite: without it the loss soon rises.
    With more than 10 000 pixels it stops early, when the loss on a tenth of them has not fallen for
    ten rounds. They lie in the same fields as the others, so it stops late rather than soon. A
    class of a single pixel is not learned. Raises SeasonError if the mask holds no data, or a
    single class.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    boosting = HistGradientBoostingClassifier(
        max_iter=rounds,
        max_leaf_nodes=15,
        max_features=0.3,
        l2_regularization=10,
        random_state=seed,
    )
    return _fit(GradientBoosting, boosting, season, mask, pixels, scaling, seed)


def _fit(
    kind: type[RandomForest] | type[GradientBoosting],
    trees: Any,
    season: xr.Dataset,
    mask: np.ndarray,
    pixels: int,
    scaling: Scaling | None,
    seed: int,
) -> Trained:
    """Let scikit-learn grow ``trees``, and keep them as a network of a ``kind``."""
    scaling = scaling or fit_scaling(season, mask)
    classes = len(cube.legend(season))
    x, y = draw_pixels(season, mask, pixels, scaling, seed)
    if kind is GradientBoosting:
        learned = np.bincount(y)[y] > 1  # a single pixel cannot both learn and say when to stop
        x, y = x[learned], y[learned]
        if len(np.unique(y)) < 2:
            raise cube.SeasonError(
                "The training part holds pixels of a single class; expected two or more to tell "
                "apart: choose a larger part."
            )
    trees.fit(x.reshape(len(x), -1), y)
    dates, bands = x.shape[1:]
    return trained_on(season, kind.of(trees, dates, bands, classes), scaling)
