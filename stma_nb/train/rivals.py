"""What a practitioner would try first: classify every pixel by its own season, without a look at
its neighbours.

A random forest (Breiman 2001) on the flattened season, and TempCNN (Pelletier, Webb and Petitjean
2019, https://doi.org/10.3390/rs11050523), a small convolutional network along time. Both learn from
the same parts of a scene as STMA, so that their scores can stand beside its score.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
import xarray as xr
from sklearn.ensemble import RandomForestClassifier
from torch import Tensor, nn

from stma_nb.cube import Crop, legend
from stma_nb.patches import ORDER, Scaling, fit_scaling, network_input, without_data
from stma_nb.train.checkpoint import check_dates

NODATA = 255
ROWS = 32  # rows read at a time: a strip of a scene 5000 pixels wide with 41 dates takes 53 MB


@dataclass
class PixelClassifier:
    """A trained classifier of single pixels; ``probabilities`` turns seasons (n, T, 2), in the
    scaled dB, into (n, K).
    """

    probabilities: Callable[[np.ndarray], np.ndarray]
    scaling: Scaling
    crops: tuple[Crop, ...]
    times: np.ndarray


def fit_forest(
    season: xr.Dataset, mask: np.ndarray, pixels: int = 20_000, trees: int = 100, seed: int = 0
) -> PixelClassifier:
    """Train a random forest on at most ``pixels`` random pixels of ``mask`` (rows, columns; say
    ``parts == TRAIN``).

    Raises SeasonError if the mask holds no data.
    """
    scaling, crops = fit_scaling(season, mask), legend(season)
    x, y = _draw(season, mask, pixels, scaling, seed)
    forest = RandomForestClassifier(trees, n_jobs=-1, random_state=seed).fit(
        x.reshape(len(x), -1), y
    )

    def probabilities(x: np.ndarray) -> np.ndarray:
        p = np.zeros((len(x), len(crops)), np.float32)
        p[:, forest.classes_] = forest.predict_proba(
            x.reshape(len(x), -1)
        )  # a class the mask lacks stays at zero
        return p

    return PixelClassifier(probabilities, scaling, crops, season.time.values)


class TempCNN(nn.Module):
    """Three convolutions along time, then two dense layers: seasons (n, T, bands) in, logits (n, K)
    out.
    """

    def __init__(self, dates: int, classes: int, bands: int = 2, dropout: float = 0.3):
        super().__init__()

        def block(layer: nn.Module, channels: int) -> list[nn.Module]:
            return [layer, nn.BatchNorm1d(channels), nn.ReLU(), nn.Dropout(dropout)]

        time = [
            layer for i in (bands, 64, 64) for layer in block(nn.Conv1d(i, 64, 5, padding=2), 64)
        ]
        self.layers = nn.Sequential(
            *time, nn.Flatten(), *block(nn.Linear(64 * dates, 256), 256), nn.Linear(256, classes)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x.transpose(1, 2))


def fit_tempcnn(
    season: xr.Dataset,
    mask: np.ndarray,
    pixels: int = 20_000,
    epochs: int = 15,
    batch: int = 256,
    rate: float = 2e-3,
    seed: int = 0,
) -> PixelClassifier:
    """Train TempCNN on at most ``pixels`` random pixels of ``mask``: AdamW with one cycle of the
    learning rate, cross-entropy.

    Raises SeasonError if the mask holds no data.
    """
    scaling, crops = fit_scaling(season, mask), legend(season)
    x, y = (torch.from_numpy(a) for a in _draw(season, mask, pixels, scaling, seed))
    torch.manual_seed(seed)
    model = TempCNN(season.sizes["time"], len(crops))
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=1e-2)
    steps = epochs * max(1, len(x) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps)
    for _ in range(epochs):
        order = torch.randperm(len(x))
        for some in order[: len(x) // batch * batch].split(batch) if len(x) >= batch else [order]:
            loss = F.cross_entropy(model(x[some]), y[some])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    model.eval()

    @torch.inference_mode()
    def probabilities(x: np.ndarray) -> np.ndarray:
        return torch.cat(
            [model(part).softmax(1) for part in torch.from_numpy(x).split(8192)]
        ).numpy()

    return PixelClassifier(probabilities, scaling, crops, season.time.values)


def pixel_map(
    classifier: PixelClassifier, season: xr.Dataset, any_dates: bool = False
) -> np.ndarray:
    """Class codes (rows, columns) uint8 of a whole season, strip by strip; 255 where a pixel has no
    data at all.

    Raises ValueError if the season does not fit the classifier (see ``train.check_dates``).
    """
    check_dates(classifier, season, any_dates=any_dates)
    shape = season.sizes["y"], season.sizes["x"]
    codes = np.empty(shape, np.uint8)
    for top in range(0, shape[0], ROWS):
        vh, vv = (_read(season[name], top) for name in ORDER)
        x = network_input(vh, vv, classifier.scaling)
        seasons = np.ascontiguousarray(x.reshape(*x.shape[:2], -1).transpose(2, 0, 1))
        best = classifier.probabilities(seasons).argmax(1).reshape(vh.shape[1:])
        codes[top : top + ROWS] = np.where(without_data(vh, vv), NODATA, best)
    return codes


def _draw(
    season: xr.Dataset, mask: np.ndarray, pixels: int, scaling: Scaling, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Scaled seasons (n, T, 2) and class codes (n,) of random pixels of the mask that have data, in
    random order.
    """
    rng, seasons, labels = np.random.default_rng(seed), [], []
    chosen = rng.permutation(np.flatnonzero(mask))[
        : int(1.2 * pixels)
    ]  # some more than asked for: some have no data
    row, column = np.divmod(chosen, mask.shape[1])
    for top in range(0, mask.shape[0], ROWS):
        here = (row >= top) & (row < top + ROWS)
        if here.any():
            vh, vv = (_read(season[name], top)[:, row[here] - top, column[here]] for name in ORDER)
            known = ~without_data(vh, vv)
            seasons.append(network_input(vh[:, known], vv[:, known], scaling).transpose(2, 0, 1))
            labels.append(_read(season.crop, top)[row[here] - top, column[here]][known])
    x, y = np.concatenate(seasons), np.concatenate(labels).astype(np.int64)
    order = rng.permutation(len(y))[:pixels]
    return np.ascontiguousarray(x[order]), y[order]


def _read(layer: xr.DataArray, top: int) -> np.ndarray:
    return np.asarray(layer.data[..., top : top + ROWS, :])
