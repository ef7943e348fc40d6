"""A random forest on the seasons of single pixels: what a practitioner would try first.

Breiman (2001), https://doi.org/10.1023/A:1010933404324, by scikit-learn. It learns from the same
parts of a scene as STMA, and maps through the same tiles.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor, nn

from stma_nb import cube
from stma_nb.patches import Scaling, fit_scaling
from stma_nb.train.checkpoint import Trained
from stma_nb.train.pixels import draw_pixels, patches_of, pixels_of

LEAST = 1e-6  # probability of a class that no tree votes for, so that its logarithm is finite


class RandomForest(nn.Module):
    """A forest that scikit-learn grew, as a network: its trees are tensors, so it is kept like one.

    ``model(x)`` with x (B, T, bands, P, P) gives logits (B, K, P, P), the logarithm of the mean
    vote of the trees; each pixel is classified by its own season.
    """

    pixelwise = True
    first: Tensor
    left: Tensor
    right: Tensor
    feature: Tensor
    threshold: Tensor
    share: Tensor

    def __init__(
        self, dates: int, bands: int, classes: int, trees: int, nodes: int, patch: int = 32
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
        self.register_buffer("share", torch.zeros(nodes, classes))  # of each class in the node
        self._grown: list[Any] = []  # scikit-learn's trees, made when first needed

    @classmethod
    def of(cls, forest: Any, dates: int, bands: int, classes: int) -> "RandomForest":
        """From a fitted ``sklearn.ensemble.RandomForestClassifier``."""
        trees = [estimator.tree_ for estimator in forest.estimators_]
        first = np.cumsum([0] + [tree.node_count for tree in trees])
        model = cls(dates, bands, classes, len(trees), int(first[-1]))
        model.first[:] = torch.from_numpy(first)
        known = torch.from_numpy(forest.classes_)  # a class that the training part lacks stays at 0
        for tree, start, stop in zip(trees, first[:-1], first[1:], strict=True):
            model.left[start:stop] = torch.from_numpy(tree.children_left)
            model.right[start:stop] = torch.from_numpy(tree.children_right)
            model.feature[start:stop] = torch.from_numpy(tree.feature)
            model.threshold[start:stop] = torch.from_numpy(tree.threshold)
            share = torch.from_numpy(tree.value[:, 0])
            model.share[start:stop, known] = (share / share.sum(1, keepdim=True)).float()
        return model.eval()

    def forward(self, x: Tensor) -> Tensor:
        seasons = pixels_of(x).flatten(1).float().cpu().numpy()  # (n, T bands)
        trees = self._trees()
        with ThreadPoolExecutor(torch.get_num_threads()) as threads:
            votes = sum(threads.map(lambda tree: tree.predict(seasons), trees))
        probability = torch.from_numpy(votes / len(trees)).to(x.device, torch.float32)
        return patches_of(probability.clamp_min(LEAST).log(), like=x)

    def _trees(self) -> list[Any]:
        """Scikit-learn's trees, which are far quicker than tensors, from the tensors."""
        from sklearn.tree._tree import NODE_DTYPE, Tree

        if self._grown:
            return self._grown
        self._check()
        features = self.arguments["dates"] * self.arguments["bands"]
        classes = self.arguments["classes"]
        for start, stop in zip(self.first[:-1].tolist(), self.first[1:].tolist(), strict=True):
            nodes = np.zeros(stop - start, NODE_DTYPE)
            nodes["left_child"] = self.left[start:stop].cpu()
            nodes["right_child"] = self.right[start:stop].cpu()
            nodes["feature"] = self.feature[start:stop].cpu()
            nodes["threshold"] = self.threshold[start:stop].cpu()
            shares = self.share[start:stop].cpu().numpy().astype(np.float64)
            tree = Tree(features, np.array([classes], dtype=np.intp), 1)
            tree.__setstate__(
                {
                    "max_depth": 0,
                    "node_count": len(nodes),
                    "nodes": nodes,
                    "values": np.ascontiguousarray(shares[:, None]),
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
            raise ValueError("These are no trees of a forest, or damaged ones: train it again.")

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_grown": []}  # workers grow their own


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
    their statistics in the mask. Raises SeasonError if the mask holds no data.
    """
    from sklearn.ensemble import RandomForestClassifier

    scaling = scaling or fit_scaling(season, mask)
    crops = cube.legend(season)
    x, y = draw_pixels(season, mask, pixels, scaling, seed)
    forest = RandomForestClassifier(trees, n_jobs=-1, random_state=seed)
    forest.fit(x.reshape(len(x), -1), y)
    dates, bands = x.shape[1:]
    return Trained(
        RandomForest.of(forest, dates, bands, len(crops)),
        scaling,
        crops,
        season.time.values,
        pixel=cube.pixel_size(season),
        quantity=cube.quantity(season),
    )
