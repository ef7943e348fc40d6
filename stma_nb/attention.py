"""Attention of a trained network: record it, summarise it in dates, crops and metres, and test whether it means anything.

An attention weight says where a layer looked, not why the network decided. Jain and Wallace (2019, arXiv 1902.10186) found weights
that hardly agree with the importance of an input, and very other weights that give the same answer; Wiegreffe and Pinter (2019,
arXiv 1908.04626) answer that this is a matter of tests, of which the plainest is to replace the weights by equal ones. So:

    record           the weights themselves                     by_date, by_month, by_crop, by_distance, entropy: summaries
    occlude_dates    what a date is worth to the prediction     uniform_attention, randomised: what the weights are worth
    deletion_curve   which order of dates hurts soonest         true_separability: what the dates are worth, from the truth
    rank_agreement   do two of these agree, and by chance?

In STMA a temporal weight belongs to a pair of whole patches that a small ResNet has seen, not to one pixel, and a spatial weight to
a pair of cells of 4 or 8 pixels a side, with all their dates.
"""

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import torch
import torch.nn.functional as F
import xarray as xr
from scipy import stats

from stma_nb import sar
from stma_nb.cube import SeasonError, legend
from stma_nb.model import STMA
from stma_nb.patches import IGNORE, ORDER, network_input
from stma_nb.train import Trained, check_dates

GRIDS = {1: "fine", 2: "coarse", 3: "coarse"}  # level: its grid, cells of 4 x 4 or 8 x 8 pixels
CELL = {"fine": 4, "coarse": 8}


# ------------------------------------------------------------------------------------------------------------ record


@torch.inference_mode()
def record(
    trained: Trained, season: xr.Dataset, windows: np.ndarray, spatial: bool = False, memory: float = 512, any_dates: bool = False
) -> xr.Dataset:
    """The attention weights with which a trained network looks at windows (n, 2) of a season (upper left corners, in pixels).

    Holds ``temporal`` (window, level, head, query_date, time): the weight that ``query_date`` gives to the date ``time``. With
    ``spatial`` also ``spatial_1`` (window, head, query_fine, key_fine), ``spatial_2`` and ``spatial_3`` (.., query_coarse,
    key_coarse), and ``cross`` (window, query_coarse, key_coarse). Rows sum to one, but for ``cross``, whose weights are cosines.
    Cells have 4 (fine) or 8 (coarse) pixels a side and are numbered row by row; ``crop_fine`` and ``crop_coarse`` are the codes
    most frequent in them, if the season has labels; ``pixel`` is the pixel size in metres. Spatial maps are large, 19 MB a window
    at the published size: more than ``memory`` MB in all are refused.

    Raises ValueError for a network in training mode, a season that does not fit it (``any_dates`` allows another calendar),
    windows outside of the scene or with missing values, and maps that do not fit ``memory``.
    """
    windows = _check(trained, season, windows, any_dates)
    patch, heads, dates = (trained.model.arguments[name] for name in ("patch", "heads", "dates"))
    cells = {grid: (patch // cell) ** 2 for grid, cell in CELL.items()}
    shapes = {"temporal": {"level": 3, "head": heads, "query_date": dates, "time": dates}}
    if spatial:
        for level, grid in GRIDS.items():
            shapes[f"spatial_{level}"] = {"head": heads, f"query_{grid}": cells[grid], f"key_{grid}": cells[grid]}
        shapes["cross"] = {"query_coarse": cells["coarse"], "key_coarse": cells["coarse"]}
    each = 4e-6 * sum(math.prod(shape.values()) for shape in shapes.values())  # MB a window
    if each * len(windows) > memory:
        fit = max(0, int(memory / each))
        remedy = f"at most {fit} fit: give fewer windows" if fit else "not even one fits: leave out the spatial maps"
        raise ValueError(
            f"The maps of {len(windows)} windows take {each * len(windows):.3g} MB of {memory:g} MB; {remedy}, or raise 'memory'."
        )

    device = next(trained.model.parameters()).device
    maps = {name: np.empty((len(windows), *shape.values()), np.float32) for name, shape in shapes.items()}
    for i, window in enumerate(windows):
        weights = trained.model(_read(trained, season, window)[None].to(device), return_attention=True)[2]
        maps["temporal"][i] = torch.cat(weights["temporal"]).cpu()
        if spatial:
            maps["cross"][i] = weights["cross"][0, 0].cpu()
            for level in GRIDS:
                maps[f"spatial_{level}"][i] = weights["spatial"][level - 1][0].cpu()
    names = {"temporal": "attention from date to date", "cross": "cosine similarity of cells of level 1 and 2"}
    result = xr.Dataset(
        {
            name: (("window", *shapes[name]), values, {"units": "1", "long_name": names.get(name, "attention from cell to cell")})
            for name, values in maps.items()
        },
        coords={"level": list(GRIDS), "head": np.arange(heads) + 1, "query_date": season.time.values, "time": season.time.values}
        | {"row": ("window", windows[:, 0]), "column": ("window", windows[:, 1])},
        attrs={"pixel": float(abs(season.x[1] - season.x[0])), "crops": [crop.name for crop in trained.crops]},
    )
    if spatial and "crop" in season:
        labels = np.stack([_labels(trained, season, window) for window in windows])
        for grid, cell in CELL.items():
            side = patch // cell
            inside = labels.reshape(-1, side, cell, side, cell).swapaxes(2, 3).reshape(len(windows), side**2, cell**2)
            most = stats.mode(inside, axis=-1).mode.astype(np.uint8)
            result[f"crop_{grid}"] = ("window", f"query_{grid}"), most, {"long_name": "most frequent crop of the cell"}
    return result


def _check(trained: Trained, season: xr.Dataset, windows: np.ndarray, any_dates: bool = False) -> np.ndarray:
    """The windows as (n, 2), or ValueError for what would make a record or a test of attention nonsense."""
    if trained.model.training:
        raise ValueError("The network is in training mode, where dropout changes what it attends to: call trained.model.eval().")
    check_dates(trained, season, any_dates=any_dates)
    for name in ORDER:
        sar.expect_units(season[name], "1", "linear power", "convert it with sar.from_db")
    windows, patch, shape = np.asarray(windows), trained.model.arguments["patch"], (season.sizes["y"], season.sizes["x"])
    if windows.ndim != 2 or windows.shape[1] != 2 or not len(windows):
        raise ValueError(f"The windows have the shape {windows.shape}; expected (n, 2), rows and columns of n corners.")
    if patch > min(shape):
        raise ValueError(f"A patch of {patch} pixels is larger than the scene ({shape[0]} x {shape[1]}): give a larger scene.")
    outside = windows[((windows < 0) | (windows + patch > shape)).any(1)]
    if len(outside):
        raise ValueError(
            f"The window at {tuple(outside[0].tolist())} reaches out of the scene ({shape[0]} x {shape[1]}): corners of windows of "
            f"{patch} pixels go up to ({shape[0] - patch}, {shape[1] - patch})."
        )
    return windows


def _cut(trained: Trained, window: Sequence[int]):
    patch = trained.model.arguments["patch"]
    return np.s_[..., window[0] : window[0] + patch, window[1] : window[1] + patch]


def _read(trained: Trained, season: xr.Dataset, window: Sequence[int]) -> torch.Tensor:
    """Network input (T, 2, P, P) of one window."""
    bands = [np.asarray(season[name].data[_cut(trained, window)]) for name in ORDER]
    missing = np.isnan(bands).any(0)
    if missing.any():
        raise ValueError(
            f"In the window at {tuple(map(int, window))} {missing.any(0).sum()} pixels miss values on {missing.any((1, 2)).sum()} "
            "date(s), which the network would read as the mean: fill them (sar.fill_gaps) or choose another window."
        )
    return torch.from_numpy(network_input(*bands, trained.scaling))


def _labels(trained: Trained, season: xr.Dataset, window: Sequence[int]) -> np.ndarray:
    """Class codes (P, P) of one window."""
    theirs, ours = ([crop.name for crop in crops] for crops in (legend(season), trained.crops))
    if theirs != ours:
        raise ValueError(f"The season's legend ({', '.join(theirs)}) is not the network's ({', '.join(ours)}): use its classes.")
    return np.asarray(season.crop.data[_cut(trained, window)]).astype(np.int64)


# --------------------------------------------------------------------------------------------------------- summaries


def by_date(maps: xr.Dataset) -> xr.DataArray:
    """Mean weight that a date receives, (window, level, head, time); sums to one over the dates, 1 / T if all are equal."""
    return maps.temporal.mean("query_date").assign_attrs(units="1", long_name="mean attention received by a date")


def by_month(maps: xr.Dataset) -> xr.DataArray:
    """Mean weight that a date of a month receives, times T: (window, level, head, month), 1 = as with equal weights."""
    months = xr.DataArray(maps.time.values.astype("M8[M]").astype("M8[ns]"), dims="time", name="month")
    relative = (by_date(maps) * maps.sizes["time"]).groupby(months).mean()
    return relative.assign_attrs(units="1", long_name="attention per date relative to equal weights")


def by_crop(maps: xr.Dataset) -> xr.Dataset:
    """Where pixels of one crop look: ``share`` (level, head, crop, key_crop) of their attention, and what equal weights would give.

    ``share`` sums to one over key_crop; ``expected`` (level, crop, key_crop) is the area of key_crop in the windows as these pixels
    see it. NaN where no cell has the crop. Raises ValueError if no spatial maps or no labels were recorded.
    """
    _need_spatial(maps, "crop_fine")
    share, expected = [], []
    for level, grid in GRIDS.items():
        codes = maps[f"crop_{grid}"].values
        member = (codes[..., None] == np.arange(len(maps.crops))).astype(float)  # (window, cell, crop)
        with np.errstate(invalid="ignore"):
            looked = np.einsum("wia,whij,wjb->hab", member, maps[f"spatial_{level}"].values, member, optimize=True)
            share.append(looked / member.sum((0, 1))[:, None])
            expected.append(np.einsum("wa,wb->ab", member.sum(1), member.mean(1)) / member.sum((0, 1))[:, None])
    return xr.Dataset(
        {
            "share": (("level", "head", "crop", "key_crop"), share, {"units": "1", "long_name": "share of attention"}),
            "expected": (("level", "crop", "key_crop"), expected, {"units": "1", "long_name": "share under equal weights"}),
        },
        coords={"level": list(GRIDS), "head": maps["head"], "crop": maps.crops, "key_crop": maps.crops},
    )


def by_distance(maps: xr.Dataset) -> xr.DataArray:
    """Mean weight of a cell by its distance from the query, times N: (window, level, head, distance in m), 1 = as equal weights.

    Distances are rounded to whole coarse cells (80 m at 10 m pixels). Raises ValueError if no spatial maps were recorded.
    """
    _need_spatial(maps, "spatial_1")
    levels = []
    for level, grid in GRIDS.items():
        weights = maps[f"spatial_{level}"].values
        side = round(weights.shape[-1] ** 0.5)
        place = np.stack(np.divmod(np.arange(side**2), side)) * CELL[grid] / CELL["coarse"]
        ring = np.floor(np.hypot(*(place[:, :, None] - place[:, None])) + 0.5).astype(int).ravel()
        sums = np.array([[np.bincount(ring, head.ravel()) for head in window] for window in weights])
        distance = np.arange(ring.max() + 1) * CELL["coarse"] * maps.attrs["pixel"]
        mean = sums / np.bincount(ring) * side**2
        levels.append(xr.DataArray(mean, {"distance": distance, "level": level}, ("window", "head", "distance")))
    result = xr.concat(levels, "level", join="outer").transpose("window", "level", "head", "distance")
    result.distance.attrs = {"units": "m", "long_name": "distance from the query"}
    return result.assign_coords(head=maps["head"]).assign_attrs(units="1", long_name="attention relative to equal weights")


def entropy(weights: xr.DataArray) -> xr.DataArray:
    """Entropy of attention over its last dimension (the keys), divided by log n: 0 = one key has all, 1 = all keys the same.

    Raises ValueError for weights that are no distribution (the cross-attention).
    """
    if float(weights.min()) < 0 or not np.allclose(weights.sum(weights.dims[-1]), 1, atol=1e-3):
        raise ValueError("The weights are no distribution (from 0, adding to one over the last dimension): they have no entropy.")
    values = weights.reduce(lambda w, axis: stats.entropy(w, axis=axis), weights.dims[-1]) / np.log(weights.shape[-1])
    return values.assign_attrs(units="1", long_name="normalised entropy of attention")


def _need_spatial(maps: xr.Dataset, name: str) -> None:
    if name not in maps:
        raise ValueError(f"The maps hold no '{name}': record them with spatial=True, for a season with crop labels.")


# ------------------------------------------------------------------------------------------------- tests of meaning


def uniform_attention(
    trained: Trained,
    branches: Sequence[str] = ("spatial", "temporal"),
    levels: Sequence[int] = (1, 2, 3),
    heads: Sequence[int] = (),
) -> Trained:
    """A copy whose chosen attention weights are all 1 / n (heads count from 1; none named: all of them).

    A query of zeros finds every key alike: softmax(0) = 1 / n, exactly. If the copy predicts as well, the weights explain nothing
    (Wiegreffe and Pinter 2019). The copy is not trained again, so a loss may also mean that it meets inputs it does not know. The
    cross-attention is no distribution, and has no uniform weights.
    """
    count = trained.model.arguments["heads"]
    possible = {"branches": ("spatial", "temporal"), "levels": tuple(GRIDS), "heads": tuple(range(1, count + 1))}
    for (name, those), given in zip(possible.items(), (branches, levels, heads), strict=True):
        if isinstance(given, str) or not set(given) <= set(those):
            raise ValueError(f"'{name}' is {given!r}; expected some of {those}.")
    model = copy.deepcopy(trained.model)
    for level in levels:
        for branch in branches:
            query = getattr(model.stsa[level - 1], f"attend_{branch}").to_query
            for head in heads or possible["heads"]:
                for values in (query.weight.data, query.bias.data):  # rows belong to the heads, one block each
                    values.unflatten(0, (count, -1))[head - 1] = 0
    return replace(trained, model=model)


def randomised(trained: Trained, seed: int = 0, part: str = "") -> Trained:
    """A copy with weights as before training, all or those whose names start with ``part`` ("stsa": the attention blocks).

    A picture of attention that looks the same after this was not learned (Adebayo et al. 2018, arXiv 1810.03292).
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        fresh = STMA(**trained.model.arguments).state_dict()
    chosen = {name: value for name, value in fresh.items() if name.startswith(part)}
    if not chosen:
        raise ValueError(f"No weights start with '{part}'; expected one of {sorted({name.split('.')[0] for name in fresh})}.")
    model = copy.deepcopy(trained.model)
    model.load_state_dict(chosen, strict=False)
    return replace(trained, model=model)


def occlude_dates(
    trained: Trained,
    season: xr.Dataset,
    windows: np.ndarray,
    group: int = 1,
    mask: np.ndarray | None = None,
    any_dates: bool = False,
) -> xr.Dataset:
    """What a date is worth: rise of the loss and fall of the accuracy when it is replaced by its mean over all windows.

    The mean (per date and band, in dB) takes away what separates fields, and leaves the level that the network knows. ``group``
    (odd) dates around each are replaced together, since a neighbour can stand in for a missing date. Only pixels of ``mask``
    (rows, columns; say ``parts == TEST``) count. Returns ``loss_increase`` (nat) and ``accuracy_drop`` (window, time), and
    ``loss`` and ``accuracy`` (window) as they were. All windows are held in memory. Errors as in ``record``.
    """
    x, y = _patches(trained, season, windows, mask, any_dates)
    dates = x.shape[1]
    if group not in range(1, dates + 1, 2):
        raise ValueError(f"The group is {group}; expected an odd number of dates from 1 to {dates}.")
    mean, days = _date_mean(x), torch.arange(dates)
    near = [(days - day).abs() <= group // 2 for day in days]
    return _effects(trained, x, y, (torch.where(at[:, None, None, None], mean, x) for at in near), season.time)


def occlude_neighbourhood(
    trained: Trained,
    season: xr.Dataset,
    windows: np.ndarray,
    radii: Sequence[float],
    core: float = 4,
    mask: np.ndarray | None = None,
    any_dates: bool = False,
) -> xr.Dataset:
    """What the surroundings are worth: as ``occlude_dates``, but all farther than a radius (pixels) from the middle is replaced.

    Only pixels within ``core`` pixels of the middle of the window count. Returns the same variables along ``radius``.
    """
    x, y = _patches(trained, season, windows, mask, any_dates)
    offset = torch.arange(x.shape[-1]) - (x.shape[-1] - 1) / 2
    distance = torch.hypot(offset[:, None], offset)
    if min(radii) < core:
        raise ValueError(f"The smallest radius is {min(radii)} pixels; expected at least the core, {core}.")
    y = torch.where(distance <= core, y, IGNORE)
    mean = _date_mean(x)
    radius = xr.DataArray(list(radii), dims="radius", name="radius", attrs={"units": "pixel", "long_name": "radius left visible"})
    return _effects(trained, x, y, (torch.where(distance <= r, x, mean) for r in radii), radius)


def deletion_curve(
    trained: Trained,
    season: xr.Dataset,
    windows: np.ndarray,
    importance: Mapping[str, np.ndarray | xr.DataArray],
    random: int = 5,
    seed: int = 0,
    mask: np.ndarray | None = None,
    any_dates: bool = False,
) -> xr.Dataset:
    """Loss and accuracy (order, deleted) while dates are replaced by their mean, the most important first.

    ``importance`` maps a name to one number a date (attention, loss increase, separability); "random" is added, the mean over
    ``random`` orders. Scores are means over the windows. A good account of what matters makes the accuracy fall sooner than
    random does.
    """
    x, y = _patches(trained, season, windows, mask, any_dates)
    dates, mean, rng = x.shape[1], _date_mean(x), np.random.default_rng(seed)
    for name, values in importance.items():
        if np.shape(values) != (dates,):
            raise ValueError(
                f"The importance '{name}' has the shape {np.shape(values)}; expected one number for each of {dates} dates."
            )
    orders = {name: [np.argsort(-np.asarray(values), kind="stable")] for name, values in importance.items()}
    if random:
        orders["random"] = [rng.permutation(dates) for _ in range(random)]
    scores = []
    for several in orders.values():
        place = torch.from_numpy(np.argsort(several))[..., None, None, None]  # a date's place in each order
        hidden = ((torch.where(p < n, mean, x) for n in range(dates + 1)) for p in place)
        scores.append(np.mean([[np.mean(_scores(trained, h, y), axis=1) for h in one] for one in hidden], axis=0))
    loss, accuracy = np.moveaxis(scores, -1, 0)
    return xr.Dataset(
        {
            "loss": (("order", "deleted"), loss, {"units": "nat", "long_name": "cross-entropy"}),
            "accuracy": (("order", "deleted"), accuracy, {"units": "1", "long_name": "share of pixels correct"}),
        },
        coords={"order": list(orders), "deleted": ("deleted", np.arange(dates + 1), {"units": "1", "long_name": "dates deleted"})},
    )


def rank_agreement(a: xr.DataArray, b: xr.DataArray, draws: int = 1000, seed: int = 0) -> dict[str, float]:
    """Spearman's rho between two importances of dates, (window, time) or (time): ``rho``, ``low``, ``high``, ``chance``.

    Windows are averaged first; low and high bound 95 % of ``draws`` bootstrap samples of the windows (NaN if neither has windows;
    too narrow if windows overlap). ``chance`` is the share of all shifts of b in time, wrapped around, that agree as well: dates
    have neighbours alike, so that smooth curves agree by chance more often than the usual p-value says.
    """
    for v in (a, b):
        if isinstance(v, xr.DataArray) and not {"time"} <= set(v.dims) <= {"window", "time"}:
            raise ValueError(f"The dimensions are {v.dims}; expected (window, time) or (time): average over the others.")
    a, b = (np.atleast_2d(v.transpose(..., "time") if isinstance(v, xr.DataArray) else v) for v in (a, b))
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or (len(a) != len(b) and 1 not in (len(a), len(b))):
        raise ValueError(f"The shapes are {a.shape} and {b.shape}; expected (window, time) or (time) of the same dates.")
    n = max(len(a), len(b))
    a, b = (np.broadcast_to(v, (n, v.shape[1])) for v in (a, b))
    if np.ptp(a.mean(0)) == 0 or np.ptp(b.mean(0)) == 0:
        raise ValueError("One of the two is the same on every date: there is no order to compare.")

    def rho(a, b) -> np.ndarray:  # rows (.., time) against rows
        a, b = (stats.zscore(stats.rankdata(v, axis=-1), axis=-1) for v in (a, b))
        return (a * b).mean(-1)

    low = high = np.nan
    if n > 1:
        drawn = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=draws)  # how often each window was drawn
        low, high = np.nanpercentile(rho(drawn @ a, drawn @ b), (2.5, 97.5))
    a, b = a.mean(0), b.mean(0)
    shifted = np.stack([np.roll(b, shift) for shift in range(len(b))])
    found = rho(a, shifted)
    return {"rho": float(found[0]), "low": float(low), "high": float(high), "chance": float((found >= found[0] - 1e-9).mean())}


def true_separability(season: xr.Dataset, *crops: str, least: int = 10) -> xr.DataArray:
    """How well single dates separate crops: Jeffries-Matusita distance (pair, time) between their parcels, 0 alike to 2 apart.

    JM = 2 (1 - exp(-B)) with the Bhattacharyya distance B between the Gaussians of parcel means (VV and VH, in dB). Parcels below
    ``least`` pixels are left out. In a simulated season this is the truth (all but exactly with ``looks=None``). It takes dates
    one by one, so a network that combines dates may rightly rank them in another order.

    Raises ValueError for unknown crops, and for a crop with fewer than 4 parcels.
    """
    names = [crop.name for crop in legend(season)]
    if "parcel" not in season:
        raise SeasonError("The season has no 'parcel' layer: separability is that of parcels, so add their numbers (y, x).")
    if len(crops) < 2 or not set(crops) <= set(names):
        raise ValueError(f"The crops are {crops}; expected two or more of {', '.join(names)}.")
    numbers, parcel, pixels = np.unique(season.parcel.values.ravel(), return_inverse=True, return_counts=True)
    kept = np.flatnonzero((numbers > 0) & (pixels >= least))

    def parcel_means(layer: xr.DataArray) -> np.ndarray:
        return np.bincount(parcel, layer.values.ravel())[kept] / pixels[kept]

    # Date by date, since a season may be larger than memory: (time, 2, parcel). A parcel has one crop, so its mean is its code.
    db = sar.to_db(np.array([[parcel_means(season[band][t]) for band in ORDER] for t in range(season.sizes["time"])]))
    codes, moments = parcel_means(season.crop), {}
    for name in crops:
        mine = db[..., codes == names.index(name)]
        if mine.shape[-1] < 4:
            raise ValueError(f"'{name}' has {mine.shape[-1]} parcels of {least} pixels or more; expected 4: take a larger scene.")
        moments[name] = mine.mean(-1), np.array([np.cov(date) for date in mine])
    distance, det = {}, np.linalg.det
    for one, other in combinations(crops, 2):
        (mean1, cov1), (mean2, cov2) = moments[one], moments[other]
        cov, apart = (cov1 + cov2) / 2, mean1 - mean2
        bhattacharyya = np.einsum("ti,tij,tj->t", apart, np.linalg.inv(cov), apart) / 8
        bhattacharyya += np.log(det(cov) / np.sqrt(det(cov1) * det(cov2))) / 2
        distance[f"{one} - {other}"] = 2 - 2 * np.exp(-bhattacharyya)
    coords, attrs = {"time": season.time.values}, {"units": "1", "long_name": "Jeffries-Matusita distance (0 to 2)"}
    return xr.DataArray(list(distance.values()), {"pair": list(distance)} | coords, ("pair", "time"), "jm", attrs)


# ------------------------------------------------------------------------------------------------------------ pieces


def _patches(trained, season, windows, mask, any_dates) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs (n, T, 2, P, P) and labels (n, P, P) of windows, IGNORE outside of the mask."""
    windows = _check(trained, season, windows, any_dates)
    x = torch.stack([_read(trained, season, window) for window in windows])
    y = np.stack([_labels(trained, season, window) for window in windows])
    if mask is not None:
        if mask.shape != season.crop.shape:
            raise ValueError(f"The mask has the shape {mask.shape}; expected that of the scene, {season.crop.shape}.")
        y[~np.stack([mask[_cut(trained, window)] for window in windows])] = IGNORE
    return x, torch.from_numpy(y)


def _date_mean(x: torch.Tensor) -> torch.Tensor:
    return x.mean((0, 3, 4), keepdim=True)[0]  # (T, 2, 1, 1)


@torch.inference_mode()
def _scores(trained: Trained, x: torch.Tensor, y: torch.Tensor, batch: int = 16) -> tuple[np.ndarray, np.ndarray]:
    """Mean loss and accuracy (n,) of windows, over the pixels that count."""
    device, known = next(trained.model.parameters()).device, (y != IGNORE).sum((1, 2))
    if not known.all():
        raise ValueError(
            f"Window {int(known.argmin())} (from 0) has no pixel in the mask: choose windows of that part of the scene."
        )
    logits = torch.cat([trained.model(part.to(device))[0].cpu() for part in x.split(batch)])
    loss = F.cross_entropy(logits, y, ignore_index=IGNORE, reduction="none").sum((1, 2)) / known
    return loss.numpy(), ((logits.argmax(1) == y).sum((1, 2)) / known).numpy()


def _effects(trained: Trained, x: torch.Tensor, y: torch.Tensor, hidden, along: xr.DataArray) -> xr.Dataset:
    """Scores of the windows as they are, and how much worse each hidden version of them does, along a coordinate."""
    loss, accuracy = _scores(trained, x, y)
    worse = np.array([_scores(trained, h, y) for h in hidden])  # (along, 2, window)
    dims = "window", along.name
    return xr.Dataset(
        {
            "loss_increase": (dims, worse[:, 0].T - loss[:, None], {"units": "nat", "long_name": "rise of the cross-entropy"}),
            "accuracy_drop": (dims, accuracy[:, None] - worse[:, 1].T, {"units": "1", "long_name": "fall of the share correct"}),
            "loss": ("window", loss, {"units": "nat", "long_name": "cross-entropy"}),
            "accuracy": ("window", accuracy, {"units": "1", "long_name": "share of pixels correct"}),
        },
        coords={along.name: along.variable},
    )
