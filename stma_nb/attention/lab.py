"""What the explorer knows and computes, in Python: the scene as the page has it, and what PyTorch
makes of a patch before and after an experiment. ``lab.js`` is its twin in the page.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
import xarray as xr

from stma_nb.attention.edits import Edit, Scene, apply_edits, check_edits, plain
from stma_nb.attention.inputs import check_attends, check_legend, labelled
from stma_nb.attention.meaning import uniform_attention
from stma_nb.attention.packing import (
    attention_bytes,
    join,
    pack_attention,
    pack_bands,
    pack_weights,
    random_weights,
    runs_in_a_page,
    unpack_bands,
)
from stma_nb.cube import UNKNOWN, background
from stma_nb.figures import dates_of, named
from stma_nb.model import STMA
from stma_nb.patches import in_decibels, read_window, standardised, window_at, without_data
from stma_nb.train import Network, Trained, check_fits, device_of

LIMIT = 16 * 2**20  # bytes of a scene, or of maps, that a page is sent
Corner = tuple[int, int]


class Lab:
    """A scene and one network or two, packed for a page.

    Arguments and errors are those of ``AttentionExplorer``. ``facts`` and ``data`` go to the page;
    values are those that the page has, rounded as ``packing`` says; ``live`` is False for a network
    too large to run in a page, of which the maps of the patch at row, column are packed.
    """

    def __init__(
        self,
        trained: Trained,
        season: xr.Dataset,
        row: int,
        column: int,
        other: Trained | None = None,
        levels: tuple[int, ...] = (1, 2, 3),
        allow: Collection[str] = (),
    ):
        _check(trained, season, row, column, allow)
        if other is not None:
            _check_other(trained, other, season, allow)
        self.trained = trained
        self.live = runs_in_a_page(trained.model)
        self.patch = trained.model.arguments["patch"]
        self.heads = trained.model.arguments["heads"]
        window = window_at((row, column), self.patch)
        if self.live:
            _check_scene(trained, season)
            window = slice(0, season.sizes["y"]), slice(0, season.sizes["x"])
        else:
            _check_maps(trained, levels)
        self.origin = (window[0].start, window[1].start)
        self.labelled = labelled(season)
        self.found: dict[str, dict[str, Any]] = {}
        self._pack_scene(season, window)
        if self._of("empty", (row, column)).all():
            raise ValueError(
                f"The patch at row {row}, column {column} holds no data (all NaN): choose another "
                "row or column."
            )
        self.scene = Scene.of(season, (row, column), self.patch, trained.scaling)
        if not self.live:
            self._pack_maps((row, column), levels)
        where, self.data = join(self.arrays)
        weights_at, networks = len(self.data), []
        for name, one in zip("AB", (trained, other), strict=True):
            if one is None or not isinstance(one.model, STMA) or not self.live:
                continue
            tensors, weights = pack_weights(one.model)
            at = len(self.data) - weights_at
            sizes = one.model.arguments
            networks.append({"name": name, "sizes": sizes, "tensors": tensors, "at": at})
            self.data += weights + bytes(-len(weights) % 4)
        rows, columns = self.arrays["empty"].shape
        self.facts: dict[str, Any] = {
            "live": self.live,
            "patch": self.patch,
            "origin": list(self.origin),
            "rows": rows,
            "columns": columns,
            "heads": self.heads,
            "levels": [1, 2, 3] if self.live else list(levels),
            "dates": dates_of(season.time.values),
            "days": self.scene.days.tolist(),
            "bands": self.bands,
            "labelled": self.labelled,
            "classes": [named(crop) for crop in trained.crops],
            "background": background(trained.crops),
            "pixel": _pixel_size(season),
            "scene_mean": _listed(self.scene.scene_mean),
            "crop_mean": _listed(self.scene.crop_mean),
            "arrays": where,
            "weights": weights_at,
            "networks": networks,
        }

    def _pack_scene(self, season: xr.Dataset, window: tuple[slice, slice]) -> None:
        scaling = self.trained.scaling
        values = in_decibels(read_window(season, scaling.bands, window), scaling)
        empty = without_data(values)
        codes, self.bands = pack_bands(values, scaling)
        self.arrays = {"bands": codes, "empty": empty.astype(np.uint8)}
        if self.labelled:
            labels = np.asarray(season.crop.data[window])
            self.arrays["label"] = np.where(empty, UNKNOWN, labels).astype(np.uint8)
        if "parcel" in season:
            self.arrays["parcel"] = _numbered(np.asarray(season.parcel.data[window]))

    def _pack_maps(self, corner: Corner, levels: Sequence[int]) -> None:
        logits, maps = self._forward(self.trained.model, self.values(corner))
        empty = self._of("empty", corner).astype(bool)
        self.arrays["prediction"] = np.where(empty, UNKNOWN, logits.argmax(0)).astype(np.uint8)
        self.arrays |= pack_attention(maps, levels)

    def _of(self, name: str, corner: Corner) -> np.ndarray:
        """The part of an array of the scene that a patch covers."""
        place = corner[0] - self.origin[0], corner[1] - self.origin[1]
        return self.arrays[name][(..., *window_at(place, self.patch))]

    def label(self, corner: Corner) -> np.ndarray | None:
        """Class codes (P, P) of the patch, UNKNOWN where none; None without labels."""
        return self._of("label", corner) if self.labelled else None

    def scene_at(self, corner: Corner) -> Scene:
        """What edits must know of the patch at a corner."""
        parcel = self._of("parcel", corner) if "parcel" in self.arrays else None
        return replace(self.scene, corner=corner, parcel=parcel, label=self.label(corner))

    def check(self, corner: Corner, edits: Sequence[Edit]) -> None:
        """Raise ValueError for edits that are not possible at a corner."""
        if edits and not self.live:
            raise ValueError(
                "This network is too large to run in a page, so that only its maps are there: "
                "experiments need a network of fewer weights or a smaller patch."
            )
        check_edits(edits, self.scene_at(corner), self.heads)

    def values(self, corner: Corner, edits: Sequence[Edit] = ()) -> np.ndarray:
        """Values (T, bands, P, P) of a patch as the page has them, in dB for backscatter, after the
        edits.
        """
        measured = unpack_bands(self._of("bands", corner), self.bands)
        return apply_edits(measured, edits, self.scene_at(corner)) if edits else measured

    def outcome(self, corner: Corner, edits: Sequence[Edit] = ()) -> dict[str, Any]:
        """What PyTorch makes of these values: ``probability`` (K, P, P), ``prediction`` (P, P) and
        the attention maps ``spatial``, ``temporal`` (by level, (heads, N, N)) and ``cross`` (N, N).
        """
        edits = plain(edits)
        asked = json.dumps([corner, edits])
        if asked not in self.found:
            model = _changed(self.trained, edits).model
            logits, maps = self._forward(model, self.values(corner, edits))
            shifted = np.exp(logits - logits.max(0))
            empty = self._of("empty", corner).astype(bool)
            self.found = {  # the last one is kept: what is asked next is mostly of the same
                asked: {
                    "probability": shifted / shifted.sum(0),
                    "prediction": np.where(empty, UNKNOWN, logits.argmax(0)),
                    "spatial": _by_level(maps["spatial"]),
                    "temporal": _by_level(maps["temporal"]),
                    "cross": maps["cross"][0, 0].cpu().numpy(),
                }
            }
        return self.found[asked]

    def needed(
        self, corner: Corner, edits: Sequence[Edit], area: np.ndarray | None = None
    ) -> np.ndarray:
        """What each date is worth to the answer (T): how much less likely, in nats, its own class
        becomes when the date tells nothing (the scene's mean of that date stands there); the mean
        over the pixels of ``area`` (P, P), or of the whole patch.
        """
        own = self.outcome(corner, edits)
        area = own["prediction"] != UNKNOWN if area is None else area
        answer = own["probability"].argmax(0)[None]

        def surprise(outcome: dict[str, Any]) -> float:
            share = np.take_along_axis(outcome["probability"], answer, 0)[0]
            return float(-np.log(share[area]).mean())

        before = surprise(own)
        worth = []
        for date in range(len(self.scene.days)):
            hidden: Edit = {"do": "leave out", "dates": [date], "by": "mean"}
            worth.append(surprise(self.outcome(corner, [*edits, hidden])) - before)
        return np.array(worth)

    def _forward(self, model: Network, values: np.ndarray) -> tuple[np.ndarray, dict]:
        x = torch.from_numpy(standardised(values, self.trained.scaling))[None]
        with torch.inference_mode():
            main, *_, maps = model(x.to(device_of(model)), return_attention=True)
        return main[0].float().cpu().numpy(), maps


def _changed(trained: Trained, edits: Sequence[Edit]) -> Trained:
    """The network as an experiment leaves it."""
    for edit in edits:
        if edit["do"] == "random weights" and isinstance(trained.model, STMA):
            trained = replace(trained, model=random_weights(trained.model, edit["seed"]))
    for edit in edits:
        if edit["do"] == "even":
            where = (edit["branch"],), edit["levels"], edit.get("heads", ())
            trained = uniform_attention(trained, *where)
    return trained


def _by_level(maps: Sequence[torch.Tensor]) -> dict[int, np.ndarray]:
    return {level: weights[0].cpu().numpy() for level, weights in enumerate(maps, 1)}


def _listed(means: np.ndarray) -> list:
    """Numbers for JSON, None where there is none."""
    numbers = means.astype(object)
    numbers[~np.isfinite(means)] = None
    return numbers.tolist()


def _numbered(parcel: np.ndarray) -> np.ndarray:
    """Field numbers from 1 in 16 bits; 0 where there is no field."""
    field = np.where(parcel > 0, parcel, 0)
    return np.unique(field, return_inverse=True)[1].reshape(field.shape).astype(np.uint16)


def _pixel_size(season: xr.Dataset) -> float | None:
    """Side of a pixel in metres, where the season tells it."""
    return float(abs(season.x.values[1] - season.x.values[0])) if season.rio.crs else None


def _check(
    trained: Trained, season: xr.Dataset, row: int, column: int, allow: Collection[str]
) -> None:
    if not isinstance(trained, Trained):
        raise ValueError(
            f"The first argument is of type {type(trained).__name__}; expected a Trained, as "
            "train.fit and train.load give it, which knows scaling, legend and dates."
        )
    check_attends(trained.model)
    if trained.model.training:
        raise ValueError(
            "The network is in training mode, where dropout makes its maps random: call "
            "trained.model.eval() first."
        )
    check_fits(trained, season, allow)
    patch = trained.model.arguments["patch"]
    rows, columns = season.sizes["y"], season.sizes["x"]
    if not (0 <= row <= rows - patch and 0 <= column <= columns - patch):
        raise ValueError(
            f"A patch of {patch} x {patch} pixels at row {row}, column {column} leaves the scene "
            f"({rows} x {columns} pixels): choose a row and a column nearer to 0, or a network "
            "with a smaller patch."
        )
    if labelled(season):
        check_legend(trained, season)


def _check_other(
    trained: Trained, other: Trained, season: xr.Dataset, allow: Collection[str]
) -> None:
    ours, theirs = trained.model.arguments, other.model.arguments
    if not (runs_in_a_page(trained.model) and runs_in_a_page(other.model)):
        raise ValueError(
            "Two networks are compared in the page only if both are small enough to run there: "
            "give two networks of fewer weights, or one."
        )
    check_fits(other, season, allow)
    same = ("patch", "heads")
    if other.scaling != trained.scaling or any(ours[name] != theirs[name] for name in same):
        raise ValueError(
            "The second network has another scaling, patch size or number of heads; expected one "
            "trained on the same patches: compare networks that differ in their seed or their "
            "training."
        )
    if [crop.name for crop in other.crops] != [crop.name for crop in trained.crops]:
        raise ValueError(
            "The second network has another legend; expected the same classes in the same order."
        )
    if other.model.training:
        raise ValueError("The second network is in training mode: call other.model.eval() first.")


def _check_scene(trained: Trained, season: xr.Dataset) -> None:
    """Raise ValueError for a scene that is too large for a page; how large a cut fits is told."""
    rows, columns, sizes = season.sizes["y"], season.sizes["x"], trained.model.arguments
    each = sizes["dates"] * sizes["bands"] + 4  # bytes a pixel, with label, field and gaps
    if rows * columns * each > LIMIT:
        side = int((LIMIT / each) ** 0.5)
        raise ValueError(
            f"The scene of {rows} x {columns} pixels takes {rows * columns * each / 2**20:.0f} MB, "
            f"a page is sent at most {LIMIT / 2**20:.0f} MB: cut it, to {side} x {side} pixels at "
            f"most, say season.isel(y=slice(0, {side}), x=slice(0, {side}))."
        )


def _check_maps(trained: Trained, levels: tuple[int, ...]) -> None:
    if not levels or not set(levels) <= {1, 2, 3}:
        raise ValueError(f"levels is {levels}; choose from 1, 2, 3.")
    size = attention_bytes(trained.model.arguments, levels)
    if size > LIMIT:
        fewer = tuple(level for level in levels if level > 1) or (3,)
        raise ValueError(
            f"The maps of levels {', '.join(map(str, levels))} take {size / 2**20:.0f} MB, a "
            f"page is sent at most {LIMIT / 2**20:.0f} MB: choose coarser levels "
            f"(levels={fewer}) or a network with a smaller patch."
        )
