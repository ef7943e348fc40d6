"""TempCNN: convolutions along the season of a single pixel, without a look at its neighbours.

Pelletier, Webb and Petitjean (2019), https://doi.org/10.3390/rs11050523
"""

import numpy as np
import torch
import torch.nn.functional as F
import xarray as xr
from torch import Tensor, nn

from stma_nb import cube
from stma_nb.patches import Scaling, fit_scaling
from stma_nb.train.checkpoint import Trained, trained_on
from stma_nb.train.pixels import draw_pixels, patches_of, pixels_of


class TempCNN(nn.Module):
    """Three convolutions along time, then two dense layers.

    ``model(x)`` with x (B, T, bands, P, P) gives logits (B, K, P, P); P may be any side.
    """

    pixelwise = True

    def __init__(self, dates: int, bands: int, classes: int, patch: int = 32, dropout: float = 0.3):
        super().__init__()
        self.arguments = dict(
            dates=dates, bands=bands, classes=classes, patch=patch, dropout=dropout
        )

        def block(layer: nn.Module, channels: int) -> list[nn.Module]:
            return [layer, nn.BatchNorm1d(channels), nn.ReLU(), nn.Dropout(dropout)]

        self.layers = nn.Sequential(
            *block(nn.Conv1d(bands, 64, 5, padding=2), 64),
            *block(nn.Conv1d(64, 64, 5, padding=2), 64),
            *block(nn.Conv1d(64, 64, 5, padding=2), 64),
            nn.Flatten(),
            *block(nn.Linear(64 * dates, 256), 256),
            nn.Linear(256, classes),
        )

    def classify(self, seasons: Tensor) -> Tensor:
        """Logits (n, K) of the seasons (n, T, bands) of single pixels."""
        return self.layers(seasons.transpose(1, 2))

    def forward(self, x: Tensor) -> Tensor:
        return patches_of(self.classify(pixels_of(x)), like=x)


def fit_tempcnn(
    season: xr.Dataset,
    mask: np.ndarray,
    pixels: int = 20_000,
    epochs: int = 15,
    batch: int = 256,
    rate: float = 2e-3,
    seed: int = 0,
    scaling: Scaling | None = None,
) -> Trained:
    """Train TempCNN on at most ``pixels`` random pixels of ``mask`` (rows, columns).

    AdamW with one cycle of the learning rate, cross-entropy. On single pixels it learns from more
    fields in a batch than on patches (``fit`` takes it as well). Without ``scaling`` all bands of
    the season are taken. Raises SeasonError if the mask holds no data.
    """
    scaling = scaling or fit_scaling(season, mask)
    classes = len(cube.legend(season))
    seasons, labels = draw_pixels(season, mask, pixels, scaling, seed)
    x, y = torch.from_numpy(seasons), torch.from_numpy(labels)
    with torch.random.fork_rng(devices=[]):  # the caller's generator is left as it was
        torch.manual_seed(seed)
        dates, bands = x.shape[1:]
        model = TempCNN(dates, bands, classes)
        optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=1e-2)
        steps = epochs * max(1, len(x) // batch)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps)
        for _ in range(epochs):
            order = torch.randperm(len(x))
            whole = max(len(x) // batch * batch, min(len(x), batch))  # full batches, or one smaller
            for some in order[:whole].split(batch):
                loss = F.cross_entropy(model.classify(x[some]), y[some])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                schedule.step()
    return trained_on(season, model, scaling)
