"""Vary what the network sees: turns, new speckle, other dates. Is the crop still the same?

A variation takes values (T, bands, P, P), linear power where a band is backscatter, labels (P, P)
and a NumPy random generator, and returns values and labels; it changes neither in place. Each
claims that the crop stays the same. ``PatchDataset(augment=(turn, add_speckle))`` applies them in
turn.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

Varied = tuple[np.ndarray, np.ndarray]
Variation = Callable[[np.ndarray, np.ndarray, np.random.Generator], Varied]


def turn(values: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> Varied:
    """Turn by quarters and mirror: one of eight views, at random.

    Caveat: a radar looks from one side. Row direction, and the bright and the dark edge of a
    forest, turn with the patch, which no satellite would see: a small untruth that helps more than
    it hurts on flat farmland.
    """
    turns = int(rng.integers(4))
    mirror = rng.integers(2)
    values = np.rot90(values, turns, (-2, -1))
    labels = np.rot90(labels, turns, (-2, -1))
    if mirror:
        return np.flip(values, -1), np.flip(labels, -1)
    return values, labels


def add_speckle(
    values: np.ndarray,
    labels: np.ndarray,
    rng: np.random.Generator,
    enl: float = 20.0,
    bands: Sequence[int] | None = None,
) -> Varied:
    """Multiply every value by its own gamma noise of mean 1: the mean stays, the speckle grows.

    Data of n looks have n L / (n + L + 1) looks afterwards (L = ``enl``): 4.4 become 3.5 with the
    default. So the network learns on noisier data than it maps; a low ``enl`` makes them too
    different. ``bands`` are the positions of the bands that are backscatter (default: all). Caveat:
    speckle of real images is correlated between neighbours, this noise is not.

    Raises ValueError unless ``enl`` is positive.
    """
    if not enl > 0:
        raise ValueError(f"The looks (enl) of the added speckle are {enl}; expected more than 0.")
    noise = rng.standard_gamma(enl, values.shape, dtype=np.float32) / np.float32(enl)
    if bands is not None:
        still = np.setdiff1d(np.arange(values.shape[1]), bands)
        noise[:, still] = 1
    return values * noise, labels


def jitter(
    values: np.ndarray,
    labels: np.ndarray,
    rng: np.random.Generator,
    times: np.ndarray,
    days: float = 6.0,
    bands: Sequence[int] | None = None,
) -> Varied:
    """Let the season come up to ``days`` days earlier or later, one shift a patch.

    ``times`` (T,) are the acquisition times, ``bands`` the positions of the bands that are
    backscatter (default: all). Interpolating pixels in time would average two dates and so smooth
    their speckle. Here the mean curve of every class in the patch, in dB, is read at the shifted
    times (linear, constant beyond the ends), and the class's pixels are raised or lowered by the
    difference: the curve moves, the speckle stays. Caveats: rain and frost move with the crop, as
    if they followed phenology; a class of few pixels has a mean curve that is itself speckled.
    """
    day = (np.asarray(times) - np.asarray(times)[0]) / np.timedelta64(1, "D")
    shift = rng.uniform(-days, days)
    shifted = values.copy()
    for label in np.unique(labels):
        pixels = values[..., labels == label]  # (T, bands, n)
        known = np.isfinite(pixels)
        mean = np.where(known, pixels, 0).sum(-1) / np.maximum(known.sum(-1), 1)
        for band in range(values.shape[1]) if bands is None else bands:
            seen = mean[:, band] > 0
            if not seen.any():
                continue
            curve = 10 * np.log10(mean[seen, band])
            rise = np.interp(day + shift, day[seen], curve) - np.interp(day, day[seen], curve)
            factor = (10 ** (rise / 10)).astype(values.dtype)
            shifted[:, band, labels == label] *= factor[:, None]
    return shifted, labels


def drop(
    values: np.ndarray, labels: np.ndarray, rng: np.random.Generator, share: float = 0.1
) -> Varied:
    """Lose every acquisition with probability ``share``: its values become NaN.

    The network sees them as the mean (zero), as ``network_input`` makes of missing data, so it
    learns to do without a date. Caveat: a network that never may rely on a date gives away some of
    what the decisive date knows. Raises ValueError unless 0 <= share < 1.
    """
    if not 0 <= share < 1:
        raise ValueError(f"The share of dates to lose is {share}; expected at least 0 and below 1.")
    lost = rng.random(len(values)) < share
    return np.where(lost[:, None, None, None], np.float32(np.nan), values), labels


class Variations:
    """The variations of a dataset of patches, and where their chance comes from.

    Without further ado they draw from PyTorch's generator, so that a patch looks different every
    time, in any training loop. ``set_epoch`` makes the draws follow from seed, epoch and the number
    of the patch alone: the same in every process, and after a resume. ``train.fit`` calls it.
    """

    def __init__(self, augment: bool | Sequence[Variation]):
        self.steps: tuple[Variation, ...]
        if isinstance(augment, bool):
            self.steps = (turn,) if augment else ()
        else:
            self.steps = tuple(augment)
        self._drawn_from: tuple[int, int] | None = None

    def set_epoch(self, epoch: int | None, seed: int = 0) -> None:
        """Let the draws follow from seed and epoch; None: from PyTorch's generator again."""
        self._drawn_from = None if epoch is None else (seed, epoch)

    def apply(self, values: np.ndarray, labels: np.ndarray, number: int) -> Varied:
        """Values (T, bands, P, P) and labels (P, P) of the patch ``number``, varied."""
        if not self.steps:
            return values, labels
        rng = self._generator(number)
        for vary in self.steps:
            values, labels = vary(values, labels, rng)
        return values, labels

    def _generator(self, number: int) -> np.random.Generator:
        if self._drawn_from is not None:
            return np.random.default_rng((*self._drawn_from, number))
        import torch  # here, since the variations themselves need no PyTorch

        return np.random.default_rng(int(torch.randint(2**63 - 1, ())))

    def __str__(self) -> str:
        return ", ".join(map(_name, self.steps)) or "none"


def _name(vary: Callable) -> str:
    """The name of a variation, and what was set in it: two that differ are told apart."""
    if isinstance(vary, partial):
        return f"{_name(vary.func)} {vary.keywords}"
    return str(getattr(vary, "__name__", repr(vary)))
