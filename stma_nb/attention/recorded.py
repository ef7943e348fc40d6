"""Attention of a trained network: record the weights, and summarise them in dates, crops and
metres.

An attention weight says where a layer looked, not why the network decided: ``meaning`` has the
tests of that. In STMA a temporal weight belongs to a pair of whole patches that a small ResNet has
seen, not to one pixel, and a spatial weight to a pair of cells of 4 or 8 pixels a side, with all
their dates.
"""

import math
from collections.abc import Collection

import numpy as np
import torch
import xarray as xr
from scipy import stats

from stma_nb import cube
from stma_nb.attention.inputs import check_attends, check_windows, read_input, read_labels
from stma_nb.train import Trained, device_of

GRIDS = {1: "fine", 2: "coarse", 3: "coarse"}  # level: its grid, cells of 4 x 4 or 8 x 8 pixels
CELL = {"fine": 4, "coarse": 8}


# ------------------------------------------------------------------------------------------ record


@torch.inference_mode()
def record(
    trained: Trained,
    season: xr.Dataset,
    windows: np.ndarray,
    spatial: bool = False,
    memory: float = 512,
    allow: Collection[str] = (),
) -> xr.Dataset:
    """The attention weights with which a trained network looks at windows of a season.

    ``windows`` (n, 2) are upper left corners in pixels. Holds ``temporal`` (window, level, head,
    query_date, time): the weight that ``query_date`` gives to the date ``time``. With ``spatial``
    also ``spatial_1`` (window, head, query_fine, key_fine), ``spatial_2`` and ``spatial_3`` (..,
    query_coarse, key_coarse), and ``cross`` (window, query_coarse, key_coarse). Rows sum to one,
    but for ``cross``, whose weights are cosines. Cells have 4 (fine) or 8 (coarse) pixels a side
    and are numbered row by row; ``crop_fine`` and ``crop_coarse`` are the codes most frequent in
    them, if the season has labels; ``pixel`` is the pixel size in metres. Spatial maps are large,
    19 MB a window at the published size: more than ``memory`` MB in all are refused.

    Raises ValueError for a network that returns no attention or is in training mode, a season that
    does not fit it (``allow`` as in ``train.check_fits``), windows outside of the scene or with
    missing values, and maps that do not fit ``memory``.
    """
    check_attends(trained.model)
    windows = check_windows(trained, season, windows, allow)
    shapes = _shapes(trained.model.arguments, spatial)
    _check_memory(shapes, len(windows), memory)
    maps = {
        name: np.empty((len(windows), *shape.values()), np.float32)
        for name, shape in shapes.items()
    }
    device = device_of(trained.model)
    for number, corner in enumerate(windows):
        x = read_input(trained, season, corner)[None].to(device)
        *_, weights = trained.model(x, return_attention=True)
        maps["temporal"][number] = torch.cat(weights["temporal"]).cpu()
        if spatial:
            maps["cross"][number] = weights["cross"][0, 0].cpu()
            for level in GRIDS:
                maps[f"spatial_{level}"][number] = weights["spatial"][level - 1][0].cpu()
    names = {
        "temporal": "attention from date to date",
        "cross": "cosine similarity of cells of level 1 and 2",
    }
    layers = {}
    for name, values in maps.items():
        attrs = {"units": "1", "long_name": names.get(name, "attention from cell to cell")}
        layers[name] = ("window", *shapes[name]), values, attrs
    result = xr.Dataset(
        layers,
        coords={
            "level": list(GRIDS),
            "head": np.arange(trained.model.arguments["heads"]) + 1,
            "query_date": season.time.values,
            "time": season.time.values,
            "row": ("window", windows[:, 0]),
            "column": ("window", windows[:, 1]),
        },
        attrs={
            "pixel": cube.pixel_size(season) or np.nan,
            "crops": [crop.name for crop in trained.crops],
        },
    )
    if spatial and "crop" in season:
        labels = np.stack([read_labels(trained, season, corner) for corner in windows])
        for grid, cell in CELL.items():
            most = _most_frequent(labels, cell)
            attrs = {"long_name": "most frequent crop of the cell"}
            result[f"crop_{grid}"] = ("window", f"query_{grid}"), most, attrs
    return result


def _shapes(arguments: dict, spatial: bool) -> dict[str, dict[str, int]]:
    """Dimensions and sizes of what is recorded of a window, by name."""
    heads, dates = arguments["heads"], arguments["dates"]
    cells = {grid: (arguments["patch"] // cell) ** 2 for grid, cell in CELL.items()}
    shapes = {"temporal": {"level": 3, "head": heads, "query_date": dates, "time": dates}}
    if not spatial:
        return shapes
    for level, grid in GRIDS.items():
        query, key = f"query_{grid}", f"key_{grid}"
        shapes[f"spatial_{level}"] = {"head": heads, query: cells[grid], key: cells[grid]}
    shapes["cross"] = {"query_coarse": cells["coarse"], "key_coarse": cells["coarse"]}
    return shapes


def _check_memory(shapes: dict[str, dict[str, int]], windows: int, memory: float) -> None:
    each = 4e-6 * sum(math.prod(shape.values()) for shape in shapes.values())  # MB a window
    if each * windows <= memory:
        return
    fit = max(0, int(memory / each))
    if fit:
        remedy = f"at most {fit} fit: give fewer windows"
    else:
        remedy = "not even one fits: leave out the spatial maps"
    raise ValueError(
        f"The maps of {windows} windows take {each * windows:.3g} MB of {memory:g} MB; {remedy}, "
        "or raise 'memory'."
    )


def _most_frequent(labels: np.ndarray, cell: int) -> np.ndarray:
    """The most frequent code (n, cells) in each cell of windows (n, P, P)."""
    count, patch, _ = labels.shape
    side = patch // cell
    inside = labels.reshape(count, side, cell, side, cell).swapaxes(2, 3)
    return stats.mode(inside.reshape(count, side**2, cell**2), axis=-1).mode.astype(np.uint8)


# ---------------------------------------------------------------------------------------- summaries


def by_date(maps: xr.Dataset) -> xr.DataArray:
    """Mean weight that a date receives, (window, level, head, time); sums to one over the dates, 1
    / T if all are equal.
    """
    return maps.temporal.mean("query_date").assign_attrs(
        units="1", long_name="mean attention received by a date"
    )


def by_month(maps: xr.Dataset) -> xr.DataArray:
    """Mean weight that a date of a month receives, times T: (window, level, head, month), 1 = as
    with equal weights.
    """
    months = xr.DataArray(
        maps.time.values.astype("M8[M]").astype("M8[ns]"), dims="time", name="month"
    )
    relative = (by_date(maps) * maps.sizes["time"]).groupby(months).mean()
    return relative.assign_attrs(
        units="1", long_name="attention per date relative to equal weights"
    )


def by_crop(maps: xr.Dataset) -> xr.Dataset:
    """Where pixels of one crop look: ``share`` (level, head, crop, key_crop) of their attention,
    and what equal weights would give.

    ``share`` sums to one over key_crop; ``expected`` (level, crop, key_crop) is the area of
    key_crop in the windows as these pixels see it. NaN where no cell has the crop. Raises
    ValueError if no spatial maps or no labels were recorded.
    """
    _need_spatial(maps, "crop_fine")
    share, expected = [], []
    for level, grid in GRIDS.items():
        codes = maps[f"crop_{grid}"].values
        member = (codes[..., None] == np.arange(len(maps.crops))).astype(
            float
        )  # (window, cell, crop)
        with np.errstate(invalid="ignore"):
            looked = np.einsum(
                "wia,whij,wjb->hab", member, maps[f"spatial_{level}"].values, member, optimize=True
            )
            share.append(looked / member.sum((0, 1))[:, None])
            expected.append(
                np.einsum("wa,wb->ab", member.sum(1), member.mean(1)) / member.sum((0, 1))[:, None]
            )
    return xr.Dataset(
        {
            "share": (
                ("level", "head", "crop", "key_crop"),
                share,
                {"units": "1", "long_name": "share of attention"},
            ),
            "expected": (
                ("level", "crop", "key_crop"),
                expected,
                {"units": "1", "long_name": "share under equal weights"},
            ),
        },
        coords={
            "level": list(GRIDS),
            "head": maps["head"],
            "crop": maps.crops,
            "key_crop": maps.crops,
        },
    )


def by_distance(maps: xr.Dataset) -> xr.DataArray:
    """Mean weight of a cell by its distance from the query, times N: (window, level, head, distance
    in m), 1 = as equal weights.

    Distances are rounded to whole coarse cells (80 m at 10 m pixels). Raises ValueError if no
    spatial maps were recorded.
    """
    _need_spatial(maps, "spatial_1")
    levels = []
    for level, grid in GRIDS.items():
        weights = maps[f"spatial_{level}"].values
        side = round(weights.shape[-1] ** 0.5)
        place = np.stack(np.divmod(np.arange(side**2), side)) * CELL[grid] / CELL["coarse"]
        ring = np.floor(np.hypot(*(place[:, :, None] - place[:, None])) + 0.5).astype(int).ravel()
        sums = np.array(
            [[np.bincount(ring, head.ravel()) for head in window] for window in weights]
        )
        distance = np.arange(ring.max() + 1) * CELL["coarse"] * maps.attrs["pixel"]
        mean = sums / np.bincount(ring) * side**2
        levels.append(
            xr.DataArray(
                mean, {"distance": distance, "level": level}, ("window", "head", "distance")
            )
        )
    result = xr.concat(levels, "level", join="outer").transpose(
        "window", "level", "head", "distance"
    )
    result.distance.attrs = {"units": "m", "long_name": "distance from the query"}
    return result.assign_coords(head=maps["head"]).assign_attrs(
        units="1", long_name="attention relative to equal weights"
    )


def entropy(weights: xr.DataArray) -> xr.DataArray:
    """Entropy of attention over its last dimension (the keys), divided by log n: 0 = one key has
    all, 1 = all keys the same.

    Raises ValueError for weights that are no distribution (the cross-attention).
    """
    key = str(weights.dims[-1])
    if float(weights.min()) < 0 or not np.allclose(weights.sum(key), 1, atol=1e-3):
        raise ValueError(
            "The weights are no distribution (from 0, adding to one over the last dimension): "
            "they have no entropy."
        )
    values = weights.reduce(lambda w, axis: stats.entropy(w, axis=axis), key)
    values = values / np.log(weights.sizes[key])
    return values.assign_attrs(units="1", long_name="normalised entropy of attention")


def _need_spatial(maps: xr.Dataset, name: str) -> None:
    if name not in maps:
        raise ValueError(
            f"The maps hold no '{name}': record them with spatial=True, for a season with crop "
            "labels."
        )
