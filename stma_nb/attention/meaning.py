"""Does attention mean anything? Tests of what the weights are worth, and of what the dates are
worth without them.

An attention weight says where a layer looked, not why the network decided. Jain and Wallace (2019,
arXiv 1902.10186) found weights that hardly agree with the importance of an input, and very other
weights that give the same answer; Wiegreffe and Pinter (2019, arXiv 1908.04626) answer that this is
a matter of tests, of which the plainest is to replace the weights by equal ones. So:

    occlude_dates       what a date is worth to the prediction
    uniform_attention   what the weights are worth; likewise ``randomised``
    deletion_curve      which order of dates hurts soonest
    true_separability   what the dates are worth, from the truth
    rank_agreement      do two of these agree, and by chance?
"""

import copy
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import torch
import torch.nn.functional as F
import xarray as xr
from scipy import stats

from stma_nb import cube, radar
from stma_nb.attention.inputs import check_attends, check_windows, read_input, read_labels
from stma_nb.attention.recorded import GRIDS
from stma_nb.cube import SeasonError, legend
from stma_nb.patches import IGNORE, window_at
from stma_nb.train import Trained, device_of, main_of


def uniform_attention(
    trained: Trained,
    branches: Sequence[str] = ("spatial", "temporal"),
    levels: Sequence[int] = (1, 2, 3),
    heads: Sequence[int] = (),
) -> Trained:
    """A copy whose chosen attention weights are all 1 / n (heads count from 1; none named: all of
    them).

    A query of zeros finds every key alike: softmax(0) = 1 / n, exactly. If the copy predicts as
    well, the weights explain nothing (Wiegreffe and Pinter 2019). The copy is not trained again, so
    a loss may also mean that it meets inputs it does not know. The cross-attention is no
    distribution, and has no uniform weights.
    """
    check_attends(trained.model)
    if not hasattr(trained.model, "stsa"):
        raise ValueError(
            f"Where {type(trained.model).__name__} computes its attention is not known; equal "
            "weights can be set in STMA alone."
        )
    count = trained.model.arguments["heads"]
    possible = {
        "branches": (branches, ("spatial", "temporal")),
        "levels": (levels, tuple(GRIDS)),
        "heads": (heads, tuple(range(1, count + 1))),
    }
    for name, (given, those) in possible.items():
        if isinstance(given, str) or not set(given) <= set(those):
            raise ValueError(f"'{name}' is {given!r}; expected some of {those}.")
    model = copy.deepcopy(trained.model)
    for level in levels:
        for branch in branches:
            query = getattr(model.stsa[level - 1], f"attend_{branch}").to_query
            for head in heads or range(1, count + 1):
                for values in (query.weight.data, query.bias.data):
                    # Rows belong to the heads, one block of them each.
                    values.unflatten(0, (count, -1))[head - 1] = 0
    return replace(trained, model=model)


def randomised(trained: Trained, seed: int = 0, part: str = "") -> Trained:
    """A copy with weights as before training, all or those whose names start with ``part``.

    ``part="stsa"`` are STMA's attention blocks. A picture of attention that looks the same after
    this was not learned (Adebayo et al. 2018, arXiv 1810.03292). Raises ValueError if no weights
    have such names, or the network has none that are drawn at random, as a forest.
    """
    build = type(trained.model)
    if next(iter(trained.model.parameters()), None) is None:
        raise ValueError(
            f"{build.__name__} has no weights that were drawn at random before training: train it "
            "on shuffled labels instead."
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        fresh = build(**trained.model.arguments).state_dict()
    chosen = {name: value for name, value in fresh.items() if name.startswith(part)}
    if not chosen:
        raise ValueError(
            f"No weights start with '{part}'; expected one of "
            f"{sorted({name.split('.')[0] for name in fresh})}."
        )
    model = copy.deepcopy(trained.model)
    model.load_state_dict(model.state_dict() | chosen)
    return replace(trained, model=model)


def occlude_dates(
    trained: Trained,
    season: xr.Dataset,
    windows: np.ndarray,
    group: int = 1,
    mask: np.ndarray | None = None,
    allow: Collection[str] = (),
) -> xr.Dataset:
    """What a date is worth: rise of the loss and fall of the accuracy when it is replaced by its
    mean over all windows.

    The mean (per date and band, in dB) takes away what separates fields, and leaves the level that
    the network knows. ``group`` (odd) dates around each are replaced together, since a neighbour
    can stand in for a missing date. Only pixels of ``mask`` (rows, columns; say ``parts == TEST``)
    count. Returns ``loss_increase`` (nat) and ``accuracy_drop`` (window, time), and ``loss`` and
    ``accuracy`` (window) as they were. All windows are held in memory. Errors as in ``record``.
    """
    x, y = _patches(trained, season, windows, mask, allow)
    dates = x.shape[1]
    if group not in range(1, dates + 1, 2):
        raise ValueError(
            f"The group is {group}; expected an odd number of dates from 1 to {dates}."
        )
    mean, days = _date_mean(x), torch.arange(dates)
    near = [(days - day).abs() <= group // 2 for day in days]
    return _effects(
        trained, x, y, (torch.where(at[:, None, None, None], mean, x) for at in near), season.time
    )


def occlude_neighbourhood(
    trained: Trained,
    season: xr.Dataset,
    windows: np.ndarray,
    radii: Sequence[float],
    core: float = 4,
    mask: np.ndarray | None = None,
    allow: Collection[str] = (),
) -> xr.Dataset:
    """What the surroundings are worth: as ``occlude_dates``, but all farther than a radius (pixels)
    from the middle is replaced.

    Only pixels within ``core`` pixels of the middle of the window count. Returns the same variables
    along ``radius``.
    """
    x, y = _patches(trained, season, windows, mask, allow)
    offset = torch.arange(x.shape[-1]) - (x.shape[-1] - 1) / 2
    distance = torch.hypot(offset[:, None], offset)
    if min(radii) < core:
        raise ValueError(
            f"The smallest radius is {min(radii)} pixels; expected at least the core, {core}."
        )
    y = torch.where(distance <= core, y, IGNORE)
    mean = _date_mean(x)
    radius = xr.DataArray(
        list(radii),
        dims="radius",
        name="radius",
        attrs={"units": "pixel", "long_name": "radius left visible"},
    )
    return _effects(trained, x, y, (torch.where(distance <= r, x, mean) for r in radii), radius)


def deletion_curve(
    trained: Trained,
    season: xr.Dataset,
    windows: np.ndarray,
    importance: Mapping[str, np.ndarray | xr.DataArray],
    random: int = 5,
    seed: int = 0,
    mask: np.ndarray | None = None,
    allow: Collection[str] = (),
) -> xr.Dataset:
    """Loss and accuracy (order, deleted) while dates are replaced by their mean, the most important
    first.

    ``importance`` maps a name to one number a date (attention, loss increase, separability);
    "random" is added, the mean over ``random`` orders. Scores are means over the windows. A good
    account of what matters makes the accuracy fall sooner than random does.
    """
    x, y = _patches(trained, season, windows, mask, allow)
    dates, mean, rng = x.shape[1], _date_mean(x), np.random.default_rng(seed)
    for name, values in importance.items():
        if np.shape(values) != (dates,):
            raise ValueError(
                f"The importance '{name}' has the shape {np.shape(values)}; expected one number "
                f"for each of {dates} dates."
            )
    orders = {
        name: [np.argsort(-np.asarray(values), kind="stable")]
        for name, values in importance.items()
    }
    if random:
        orders["random"] = [rng.permutation(dates) for _ in range(random)]
    scores = []
    for several in orders.values():
        place = torch.from_numpy(np.argsort(several))[
            ..., None, None, None
        ]  # a date's place in each order
        hidden = ((torch.where(p < n, mean, x) for n in range(dates + 1)) for p in place)
        scores.append(
            np.mean(
                [[np.mean(_scores(trained, h, y), axis=1) for h in one] for one in hidden], axis=0
            )
        )
    loss, accuracy = np.moveaxis(np.array(scores), -1, 0)
    return xr.Dataset(
        {
            "loss": (("order", "deleted"), loss, {"units": "nat", "long_name": "cross-entropy"}),
            "accuracy": (
                ("order", "deleted"),
                accuracy,
                {"units": "1", "long_name": "share of pixels correct"},
            ),
        },
        coords={
            "order": list(orders),
            "deleted": (
                "deleted",
                np.arange(dates + 1),
                {"units": "1", "long_name": "dates deleted"},
            ),
        },
    )


def rank_agreement(
    a: xr.DataArray, b: xr.DataArray, draws: int = 1000, seed: int = 0
) -> dict[str, float]:
    """Spearman's rho between two importances of dates, (window, time) or (time): ``rho``, ``low``,
    ``high``, ``chance``.

    Windows are averaged first; low and high bound 95 % of ``draws`` bootstrap samples of the
    windows (NaN if neither has windows; too narrow if windows overlap). ``chance`` is the share of
    all shifts of b in time, wrapped around, that agree as well: dates have neighbours alike, so
    that smooth curves agree by chance more often than the usual p-value says.
    """
    for v in (a, b):
        if isinstance(v, xr.DataArray) and not {"time"} <= set(v.dims) <= {"window", "time"}:
            raise ValueError(
                f"The dimensions are {v.dims}; expected (window, time) or (time): average over "
                "the others."
            )
    a, b = (
        np.atleast_2d(v.transpose(..., "time") if isinstance(v, xr.DataArray) else v)
        for v in (a, b)
    )
    if (
        a.ndim != 2
        or b.ndim != 2
        or a.shape[1] != b.shape[1]
        or (len(a) != len(b) and 1 not in (len(a), len(b)))
    ):
        raise ValueError(
            f"The shapes are {a.shape} and {b.shape}; expected (window, time) or (time) of the "
            "same dates."
        )
    n = max(len(a), len(b))
    a, b = (np.broadcast_to(v, (n, v.shape[1])) for v in (a, b))
    if np.ptp(a.mean(0)) == 0 or np.ptp(b.mean(0)) == 0:
        raise ValueError("One of the two is the same on every date: there is no order to compare.")

    def rho(a: np.ndarray, b: np.ndarray) -> np.ndarray:  # rows (.., time) against rows
        a, b = (stats.zscore(stats.rankdata(v, axis=-1), axis=-1) for v in (a, b))
        return (a * b).mean(-1)

    low = high = np.nan
    if n > 1:
        drawn = np.random.default_rng(seed).multinomial(
            n, np.full(n, 1 / n), size=draws
        )  # how often each window was drawn
        low, high = np.nanpercentile(rho(drawn @ a, drawn @ b), (2.5, 97.5))
    a, b = a.mean(0), b.mean(0)
    shifted = np.stack([np.roll(b, shift) for shift in range(len(b))])
    found = rho(a, shifted)
    return {
        "rho": float(found[0]),
        "low": float(low),
        "high": float(high),
        "chance": float((found >= found[0] - 1e-9).mean()),
    }


def true_separability(season: xr.Dataset, *crops: str, least: int = 10) -> xr.DataArray:
    """How well single dates separate crops: Jeffries-Matusita distance (pair, time) between their
    parcels, 0 alike to 2 apart.

    JM = 2 (1 - exp(-B)) with the Bhattacharyya distance B between the Gaussians of parcel means (VV
    and VH, in dB). Parcels below ``least`` pixels are left out. In a simulated season this is the
    truth (all but exactly with ``looks=None``). It takes dates one by one, so a network that
    combines dates may rightly rank them in another order.

    Raises ValueError for unknown crops, and for a crop with fewer than 4 parcels.
    """
    names = [crop.name for crop in legend(season)]
    if "parcel" not in season:
        raise SeasonError(
            "The season has no 'parcel' layer: separability is that of parcels, so add their "
            "numbers (y, x)."
        )
    if len(crops) < 2 or not set(crops) <= set(names):
        raise ValueError(f"The crops are {crops}; expected two or more of {', '.join(names)}.")
    numbers, parcel, pixels = np.unique(
        season.parcel.values.ravel(), return_inverse=True, return_counts=True
    )
    unknown = np.bincount(parcel, season.crop.values.ravel() == cube.UNKNOWN) > 0
    kept = np.flatnonzero((numbers > 0) & (pixels >= least) & ~unknown)

    def parcel_means(layer: xr.DataArray) -> np.ndarray:
        return np.bincount(parcel, layer.values.ravel())[kept] / pixels[kept]

    # Date by date, since a season may be larger than memory: (time, bands, parcel).
    bands = cube.polarisations(season)
    power = [
        [parcel_means(season[band][date]) for band in bands] for date in range(season.sizes["time"])
    ]
    db = radar.to_db(np.array(power))
    codes = parcel_means(season.crop)  # a parcel has one crop, so its mean is its code
    moments = {}
    for name in crops:
        mine = db[..., codes == names.index(name)]
        if mine.shape[-1] < 4:
            raise ValueError(
                f"'{name}' has {mine.shape[-1]} parcels of {least} pixels or more; expected 4: "
                "take a larger scene."
            )
        moments[name] = mine.mean(-1), np.array([np.cov(date) for date in mine])
    distance, det = {}, np.linalg.det
    for one, other in combinations(crops, 2):
        (mean1, cov1), (mean2, cov2) = moments[one], moments[other]
        cov, apart = (cov1 + cov2) / 2, mean1 - mean2
        bhattacharyya = np.einsum("ti,tij,tj->t", apart, np.linalg.inv(cov), apart) / 8
        bhattacharyya += np.log(det(cov) / np.sqrt(det(cov1) * det(cov2))) / 2
        distance[f"{one} - {other}"] = 2 - 2 * np.exp(-bhattacharyya)
    coords, attrs = (
        {"time": season.time.values},
        {"units": "1", "long_name": "Jeffries-Matusita distance (0 to 2)"},
    )
    return xr.DataArray(
        list(distance.values()), {"pair": list(distance)} | coords, ("pair", "time"), "jm", attrs
    )


# ------------------------------------------------------------------------------------------- pieces


def _patches(
    trained: Trained,
    season: xr.Dataset,
    windows: np.ndarray,
    mask: np.ndarray | None,
    allow: Collection[str],
) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs (n, T, bands, P, P) and labels (n, P, P) of windows, IGNORE outside of the mask."""
    windows = check_windows(trained, season, windows, allow)
    x = torch.stack([read_input(trained, season, corner) for corner in windows])
    y = np.stack([read_labels(trained, season, corner) for corner in windows])
    if mask is not None:
        if mask.shape != season.crop.shape:
            raise ValueError(
                f"The mask has the shape {mask.shape}; expected that of the scene, "
                f"{season.crop.shape}."
            )
        patch = trained.model.arguments["patch"]
        y[~np.stack([mask[window_at(corner, patch)] for corner in windows])] = IGNORE
    return x, torch.from_numpy(y)


def _date_mean(x: torch.Tensor) -> torch.Tensor:
    return x.mean((0, 3, 4), keepdim=True)[0]  # (T, bands, 1, 1)


@torch.inference_mode()
def _scores(
    trained: Trained, x: torch.Tensor, y: torch.Tensor, batch: int = 16
) -> tuple[np.ndarray, np.ndarray]:
    """Mean loss and accuracy (n,) of windows, over the pixels that count."""
    device = device_of(trained.model)
    known = (y != IGNORE).sum((1, 2))
    if not known.all():
        raise ValueError(
            f"Window {int(known.argmin())} (from 0) has no pixel in the mask: choose windows of "
            "that part of the scene."
        )
    logits = torch.cat([main_of(trained.model(part.to(device))).cpu() for part in x.split(batch)])
    loss = F.cross_entropy(logits, y, ignore_index=IGNORE, reduction="none").sum((1, 2)) / known
    return loss.numpy(), ((logits.argmax(1) == y).sum((1, 2)) / known).numpy()


def _effects(
    trained: Trained,
    x: torch.Tensor,
    y: torch.Tensor,
    hidden: Iterable[torch.Tensor],
    along: xr.DataArray,
) -> xr.Dataset:
    """Scores of the windows as they are, and how much worse each hidden version of them does, along
    a coordinate.
    """
    loss, accuracy = _scores(trained, x, y)
    worse = np.array([_scores(trained, h, y) for h in hidden])  # (along, 2, window)
    dims = "window", along.name
    return xr.Dataset(
        {
            "loss_increase": (
                dims,
                worse[:, 0].T - loss[:, None],
                {"units": "nat", "long_name": "rise of the cross-entropy"},
            ),
            "accuracy_drop": (
                dims,
                accuracy[:, None] - worse[:, 1].T,
                {"units": "1", "long_name": "fall of the share correct"},
            ),
            "loss": ("window", loss, {"units": "nat", "long_name": "cross-entropy"}),
            "accuracy": (
                "window",
                accuracy,
                {"units": "1", "long_name": "share of pixels correct"},
            ),
        },
        coords={along.name: along.variable},
    )
