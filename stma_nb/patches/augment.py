"""Vary what the network sees: turns, new speckle, other dates. Each variation claims that the crop
stays the same: is it so?

A variation takes linear power (T, bands, P, P), labels (P, P) and a NumPy random generator, and
returns power and labels; it changes neither in place. ``PatchDataset(augment=(turn, speckle))``
applies them in turn, with a generator that follows from seed, epoch and patch alone.
"""

import numpy as np

Varied = tuple[np.ndarray, np.ndarray]


def turn(power: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> Varied:
    """Turn by quarters and mirror: one of eight views, at random.

    Caveat: a radar looks from one side. Row direction, and the bright and the dark edge of a
    forest, turn with the patch, which no satellite would see: a small untruth that helps more than
    it hurts on flat farmland.
    """
    turns, mirror = rng.integers(4), rng.integers(2)
    views = (np.rot90(a, turns, (-2, -1)) for a in (power, labels))
    return tuple(np.flip(a, -1) if mirror else a for a in views)


def add_speckle(
    power: np.ndarray, labels: np.ndarray, rng: np.random.Generator, enl: float = 20.0
) -> Varied:
    """Multiply every value by its own gamma noise of mean 1 and ``enl`` looks: the mean stays, the
    speckle grows.

    Data of n looks have n L / (n + L + 1) looks afterwards (L = ``enl``): 4.4 become 3.5 with the
    default. So the network learns on noisier data than it maps; a low ``enl`` makes them too
    different. Caveat: speckle of real images is correlated between neighbours, this noise is not.
    Raises ValueError unless ``enl`` is positive.
    """
    if not enl > 0:
        raise ValueError(f"The looks (enl) of the added speckle are {enl}; expected more than 0.")
    return power * rng.standard_gamma(enl, power.shape, dtype=np.float32) / np.float32(enl), labels


def jitter(
    power: np.ndarray,
    labels: np.ndarray,
    rng: np.random.Generator,
    times: np.ndarray,
    days: float = 6.0,
) -> Varied:
    """Let the season come up to ``days`` days earlier or later (``times`` (T,): the acquisition
    times), one shift a patch.

    Interpolating pixels in time would average two dates and so smooth their speckle. Here the mean
    curve of every class in the patch, in dB, is read at the shifted times (linear, constant beyond
    the ends), and the class's pixels are raised or lowered by the difference: the curve moves, the
    speckle stays. Caveats: rain and frost move with the crop, as if they followed phenology; a
    class of few pixels has a mean curve that is itself speckled.
    """
    day = (np.asarray(times) - np.asarray(times)[0]) / np.timedelta64(1, "D")
    shift = rng.uniform(-days, days)
    shifted = power.copy()
    for label in np.unique(labels):
        pixels = power[..., labels == label]  # (T, bands, n)
        known = np.isfinite(pixels)
        mean = np.where(known, pixels, 0).sum(-1) / np.maximum(known.sum(-1), 1)
        for band in range(power.shape[1]):
            seen = mean[:, band] > 0
            if seen.any():
                curve = 10 * np.log10(mean[seen, band])
                rise = np.interp(day + shift, day[seen], curve) - np.interp(day, day[seen], curve)
                shifted[:, band, labels == label] *= (10 ** (rise / 10)).astype(power.dtype)[
                    :, None
                ]
    return shifted, labels


def drop(
    power: np.ndarray, labels: np.ndarray, rng: np.random.Generator, share: float = 0.1
) -> Varied:
    """Lose every acquisition with probability ``share``: its values become NaN, which the network
    sees as the mean (zero).

    That is what ``patches.network_input`` makes of missing data, so the network learns to do
    without a date. Caveat: a network that never may rely on a date gives away some of what the
    decisive date knows. Raises ValueError unless 0 <= share < 1.
    """
    if not 0 <= share < 1:
        raise ValueError(f"The share of dates to lose is {share}; expected at least 0 and below 1.")
    lost = rng.random(len(power)) < share
    return np.where(lost[:, None, None, None], np.float32(np.nan), power), labels
