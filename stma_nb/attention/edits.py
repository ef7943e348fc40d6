"""Experiments on one patch: what is changed in the season before the network looks at it again.

An experiment is a list of edits, small JSON objects such as ``{"do": "shift", "days": 10}``,
applied in order to the values (T, bands, P, P) of a patch, which are in dB for backscatter and NaN
where there are no data. ``edits.js`` does the same in the page; the two agree to float32 rounding.

    leave out        dates, by="mean" or "neighbours", area
    bend             band, by (T numbers in its unit), area
    copy crop        crop (its code), area
    hide             area
    shift            days (negative: earlier)
    exchange         dates (two)
    speckle          looks (0: none), seed

Two edits change the network, not the values; they are only checked and described here:

    even             branch "spatial" or "temporal", levels, heads (counted from 1; none: all)
    random weights   seed

An area is the whole patch where none is named, or one of these (rows and columns of the season):

    {"kind": "patch"}, {"kind": "pixel", "at": [row, column]}
    {"kind": "field", "at": [row, column]}                  pixels of the patch in the same parcel
    {"kind": "cells", "cells": [0, 5], "size": 4 or 8}      cells of a level, row by row
    {"kind": "beyond", "at": [row, column], "radius": r}    all pixels farther away (pixels)

A value that is missing stays missing, except where an edit says what stands there: "leave out" and
"hide" give every pixel of their area a value. "shift" moves a gap with the season: what lies
between a value and a gap is missing.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from scipy import ndimage

from stma_nb import cube
from stma_nb.attention.inputs import labelled
from stma_nb.cube import CHUNK, UNKNOWN
from stma_nb.patches import (
    IGNORE,
    Scaling,
    check_bands,
    in_decibels,
    read_labels,
    read_window,
    window_at,
)

Edit = Mapping[str, Any]

KEYS = {  # what an edit must have, and what it may have
    "leave out": (("dates", "by"), ("area",)),
    "bend": (("band", "by"), ("area",)),
    "copy crop": (("crop",), ("area",)),
    "hide": ((), ("area",)),
    "shift": (("days",), ()),
    "exchange": (("dates",), ()),
    "speckle": (("looks",), ("seed",)),
    "even": (("branch", "levels"), ("heads",)),
    "random weights": (("seed",), ()),
}
AREA_KEYS = {
    "patch": (),
    "pixel": ("at",),
    "field": ("at",),
    "cells": ("cells", "size"),
    "beyond": ("at", "radius"),
}
PHYSICAL = (-60.0, 30.0)  # dB: no radar measures less, no field scatters more
LARGEST = 1e38  # near the end of float32, for bands that are no backscatter
MOST_LOOKS = 100
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August"),
    *("September", "October", "November", "December"),
)


@dataclass(frozen=True, eq=False)
class Scene:
    """What an edit must know beyond the values of the patch.

    Attributes:
        days: acquisition days since the first (T,), increasing.
        bands: names of the bands in the network's order; ``decibel`` are those in dB.
        scene_mean: mean of the scene's known pixels (T, bands), in dB for bands in dB.
        crop_mean: the same by class (K, T, bands), NaN where a class has no known pixel; K is 0
            without labels.
        corner: row and column of the patch in the season; ``patch`` is its side P in pixels.
        parcel: field numbers of the patch (P, P), 0 or less where there is none.
        label: class codes of the patch (P, P), UNKNOWN where none. Without parcels a field is a
            region of one label (pixels that touch along a side).
    """

    days: np.ndarray
    bands: tuple[str, ...]
    decibel: tuple[str, ...]
    scene_mean: np.ndarray
    crop_mean: np.ndarray
    corner: tuple[int, int]
    patch: int
    parcel: np.ndarray | None = None
    label: np.ndarray | None = None

    @classmethod
    def of(cls, season: xr.Dataset, corner: Sequence[int], patch: int, scaling: Scaling) -> "Scene":
        """The scene of the patch at a corner; the whole season is read once, piece by piece.

        Raises ValueError if the patch leaves the season, SeasonError for other bands than the
        scaling's.
        """
        check_bands(season, scaling)
        row, column = map(int, corner)
        rows, columns = season.sizes["y"], season.sizes["x"]
        if not (0 <= row <= rows - patch and 0 <= column <= columns - patch):
            raise ValueError(
                f"A patch of {patch} x {patch} pixels at row {row}, column {column} leaves the "
                f"scene ({rows} x {columns} pixels): choose another corner."
            )
        named = labelled(season)
        # A sum for each class code; pixels of no class stand under UNKNOWN.
        sums = np.zeros((UNKNOWN + 1, season.sizes["time"], len(scaling.bands)))
        counts = np.zeros_like(sums)
        for top in range(0, rows, CHUNK):
            for left in range(0, columns, CHUNK):
                window = slice(top, min(top + CHUNK, rows)), slice(left, min(left + CHUNK, columns))
                values = in_decibels(read_window(season, scaling.bands, window), scaling)
                known = np.isfinite(values)
                label = _codes(season, window) if named else np.full(values.shape[2:], UNKNOWN)
                for code in np.unique(label):
                    here = label == code
                    sums[code] += np.where(known, values, 0)[..., here].sum(-1, dtype=float)
                    counts[code] += known[..., here].sum(-1)
        window = window_at((row, column), patch)
        classes = len(cube.legend(season)) if named else 0
        return cls(
            days=(season.time.values - season.time.values[0]) / np.timedelta64(1, "D"),
            bands=scaling.bands,
            decibel=scaling.decibel,
            scene_mean=_ratio(sums.sum(0), counts.sum(0)),
            crop_mean=_ratio(sums[:classes], counts[:classes]),
            corner=(row, column),
            patch=patch,
            parcel=np.asarray(season.parcel.data[window]) if "parcel" in season else None,
            label=_codes(season, window) if named else None,
        )


def _codes(season: xr.Dataset, window: tuple[slice, slice]) -> np.ndarray:
    label = read_labels(season, window)
    return np.where(label == IGNORE, UNKNOWN, label)


def _ratio(sums: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Means, NaN where nothing was counted."""
    return np.where(counts > 0, sums / np.maximum(counts, 1e-9), np.nan)


# ------------------------------------------------------------------------------------------- areas


def area_mask(area: Mapping[str, Any], scene: Scene) -> np.ndarray:
    """Which pixels (P, P) of the patch an area holds; ValueError for what cannot be one."""
    kind = area.get("kind") if isinstance(area, Mapping) else None
    if not isinstance(kind, str) or kind not in AREA_KEYS:
        raise ValueError(
            f'the area is {_shown(area)}; expected an object whose "kind" is one of '
            f"{', '.join(AREA_KEYS)}."
        )
    _check_keys(area, ("kind", *AREA_KEYS[kind]), (), "the area")
    side = scene.patch
    if kind == "patch":
        return np.ones((side, side), bool)
    if kind == "cells":
        return _cells(area["cells"], area["size"], side)
    row, column = _inside(area["at"], scene)
    rows, columns = np.ogrid[:side, :side]
    if kind == "pixel":
        return (rows == row) & (columns == column)
    if kind == "field":
        return _field(row, column, scene)
    radius = area["radius"]
    if not _is_number(radius) or radius < 0:
        raise ValueError(f"the radius is {_shown(radius)}; expected a number of pixels, 0 or more.")
    return (rows - row) ** 2 + (columns - column) ** 2 > min(radius, 2 * side) ** 2


def _cells(cells: Any, size: Any, side: int) -> np.ndarray:
    if not _is_whole(size, 4, 8) or size not in (4, 8) or side % size:
        raise ValueError(
            f"the size of the cells is {_shown(size)}; expected 4 or 8 pixels, in a patch of whole "
            f"cells (it has {side} pixels a side)."
        )
    count = side // size
    _check_positions(cells, count**2, "cells")
    chosen = np.isin(np.arange(count**2), cells).reshape(count, count)
    return chosen.repeat(size, 0).repeat(size, 1)


def _inside(at: Any, scene: Scene) -> tuple[int, int]:
    """Row and column in the patch of a pixel of the season."""
    top, left = scene.corner
    last = scene.patch - 1
    pair = _is_list(at) and len(at) == 2
    if not (pair and _is_whole(at[0], top, top + last) and _is_whole(at[1], left, left + last)):
        raise ValueError(
            f"the pixel {_shown(at)} is outside the patch: rows {top} to {top + last}, columns "
            f"{left} to {left + last}."
        )
    return int(at[0]) - top, int(at[1]) - left


def _field(row: int, column: int, scene: Scene) -> np.ndarray:
    place = f"row {scene.corner[0] + row}, column {scene.corner[1] + column}"
    if scene.parcel is not None:
        if scene.parcel[row, column] <= 0:
            raise ValueError(f"at {place} there is no field: choose a pixel, cells or the patch.")
        return scene.parcel == scene.parcel[row, column]
    if scene.label is None:
        raise ValueError(
            "the scene has neither fields nor labels: choose a pixel, cells or the patch."
        )
    if scene.label[row, column] == UNKNOWN:
        raise ValueError(f"at {place} there is no label: choose a pixel, cells or the patch.")
    regions, _ = ndimage.label(scene.label == scene.label[row, column])
    return regions == regions[row, column]


def area_curve(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Mean curve (T, bands) of the known pixels of values (T, bands, P, P) under a mask (P, P); NaN
    where there are none.
    """
    inside = values[..., mask]
    known = np.isfinite(inside)
    return _ratio(np.where(known, inside, 0).sum(-1, dtype=float), known.sum(-1))


# ------------------------------------------------------------------------------------------ checks


def check_edits(edits: Sequence[Edit], scene: Scene, heads: int | None = None) -> None:
    """Raise ValueError, one sentence, for what no experiment can be: an unknown edit, a date or a
    crop that is not there, an area outside the patch, and the like.

    ``heads`` is the number of heads of the network, where it is known. How far a curve may be bent
    follows from the values: ``apply_edits`` looks at that.
    """
    if not _is_list(edits):
        raise ValueError(f"The edits are {_shown(edits)}; expected a list of edits.")
    for number, edit in enumerate(edits, 1):
        do = edit.get("do") if isinstance(edit, Mapping) else None
        if not isinstance(do, str) or do not in KEYS:
            raise ValueError(
                f'Edit {number} is {_shown(edit)}; expected an object whose "do" is one of '
                f"{', '.join(KEYS)}."
            )
    _one_by_one(edits, lambda edit: _check(edit, scene, heads))


def _one_by_one(edits: Sequence[Edit], step: Callable[[Edit], None]) -> None:
    """Take one step for each edit; an error says in which."""
    for number, edit in enumerate(edits, 1):
        try:
            step(edit)
        except ValueError as error:
            raise ValueError(f"Edit {number} ({edit['do']}): {error}") from None


def _check(edit: Edit, scene: Scene, heads: int | None) -> None:
    do, dates = edit["do"], len(scene.days)
    needed, allowed = KEYS[do]
    _check_keys(edit, ("do", *needed), allowed, "it")
    if "area" in edit:
        area_mask(edit["area"], scene)
    if "seed" in edit and not _is_whole(edit["seed"], 0, 2**32 - 1):
        raise ValueError(
            f"the seed is {_shown(edit['seed'])}; expected a whole number from 0 to 4294967295."
        )
    match do:
        case "leave out":
            _check_positions(edit["dates"], dates, "dates")
            if edit["by"] not in ("mean", "neighbours"):
                raise ValueError(f'"by" is {_shown(edit["by"])}; expected "mean" or "neighbours".')
            if edit["by"] == "neighbours" and len(edit["dates"]) == dates:
                raise ValueError(
                    "all dates are left out, so that none is there to interpolate from: keep one, "
                    'or take "mean".'
                )
        case "bend":
            if edit["band"] not in scene.bands:
                raise ValueError(
                    f"the band is {_shown(edit['band'])}; expected one of {', '.join(scene.bands)}."
                )
            by = edit["by"]
            if not _is_list(by) or len(by) != dates or not all(map(_is_number, by)):
                raise ValueError(f'"by" is {_shown(by)}; expected {dates} numbers, one a date.')
        case "copy crop":
            _check_crop(edit["crop"], scene.crop_mean)
        case "shift":
            if not _is_number(edit["days"]):
                raise ValueError(f'"days" is {_shown(edit["days"])}; expected a number.')
        case "exchange":
            _check_positions(edit["dates"], dates, "dates")
            if len(edit["dates"]) != 2:
                raise ValueError(f"the dates are {_shown(edit['dates'])}; expected two.")
        case "speckle":
            if not _is_whole(edit["looks"], 0, MOST_LOOKS):
                raise ValueError(
                    f"the looks are {_shown(edit['looks'])}; expected a whole number from 0 (no "
                    f"speckle) to {MOST_LOOKS}."
                )
        case "even":
            _check_even(edit, heads)


def _check_keys(
    given: Mapping[str, Any], needed: Sequence[str], allowed: Sequence[str], what: str
) -> None:
    for key in needed:
        if key not in given:
            raise ValueError(f'{what} lacks "{key}".')
    for key in given:
        if key not in (*needed, *allowed):
            raise ValueError(
                f"{what} has {_shown(key)}; expected only {', '.join((*needed, *allowed))}."
            )


def _check_positions(given: Any, count: int, name: str) -> None:
    if (
        not _is_list(given)
        or not len(given)
        or not all(_is_whole(v, 0, count - 1) for v in given)
        or len(set(given)) < len(given)
    ):
        raise ValueError(
            f"the {name} are {_shown(given)}; expected positions from 0 to {count - 1}, each once."
        )


def _check_crop(crop: Any, crop_mean: np.ndarray) -> None:
    if not len(crop_mean):
        raise ValueError("the scene has no labels, so that there is no crop to copy.")
    if not _is_whole(crop, 0, len(crop_mean) - 1):
        raise ValueError(
            f"the crop is {_shown(crop)}; expected a code from 0 to {len(crop_mean) - 1}."
        )
    if not np.isfinite(crop_mean[crop]).any():
        raise ValueError(f"class {crop} has no pixel with data in the scene: choose another.")


def _check_even(edit: Edit, heads: int | None) -> None:
    if edit["branch"] not in ("spatial", "temporal"):
        raise ValueError(
            f'the branch is {_shown(edit["branch"])}; expected "spatial" or "temporal".'
        )
    most = math.inf if heads is None else heads
    for name, given, last in (
        ("levels", edit["levels"], 3),
        ("heads", edit.get("heads", []), most),
    ):
        empty = name == "levels" and given in ([], ())
        if not _is_list(given) or empty or not all(_is_whole(v, 1, last) for v in given):
            raise ValueError(
                f"the {name} are {_shown(given)}; expected a list of whole numbers from 1"
                f"{'' if last == math.inf else f' to {last}'}."
            )


def _is_list(given: Any) -> bool:
    return isinstance(given, Sequence) and not isinstance(given, str)


def _is_number(given: Any) -> bool:
    number = isinstance(given, int | float | np.number) and not isinstance(given, bool)
    return number and bool(abs(given) <= LARGEST)  # not so for NaN


def _is_whole(given: Any, low: float, high: float) -> bool:
    whole = isinstance(given, int | np.integer) and not isinstance(given, bool)
    return whole and low <= given <= high


def plain(edits: Sequence[Edit]) -> list[Edit]:
    """The edits as JSON has them: numbers and arrays of NumPy become plain ones; ValueError for
    what is neither.
    """

    def number(value: Any) -> Any:
        if isinstance(value, np.generic | np.ndarray):
            return value.tolist()
        raise ValueError(f"The edits hold {value!r}; expected numbers, texts, lists and objects.")

    return json.loads(json.dumps(list(edits), default=number))


def _shown(given: object) -> str:
    """What was given, as JSON, for an error."""
    text = json.dumps(given, separators=(",", ":"), ensure_ascii=False, default=str, skipkeys=True)
    return text if len(text) <= 60 else f"{text[:60]} …"


# ------------------------------------------------------------------------------------------- edits


def apply_edits(values: np.ndarray, edits: Sequence[Edit], scene: Scene) -> np.ndarray:
    """The values (T, bands, P, P) float32 of a patch after an experiment; the given ones stay.

    Values are in dB for backscatter, NaN where missing (``patches.in_decibels``). Edits of the
    network change nothing here. Raises ValueError as ``check_edits``, for values of another shape,
    and for a curve bent beyond the physical (-60 to 30 dB on the mean of the area).
    """
    shape = (len(scene.days), len(scene.bands), scene.patch, scene.patch)
    if np.shape(values) != shape:
        raise ValueError(f"The values have the shape {np.shape(values)}; expected {shape}.")
    check_edits(edits, scene)
    changed = np.array(values, np.float64)
    _one_by_one(edits, lambda edit: _apply(changed, edit, scene))
    return changed.astype(np.float32)


def _apply(values: np.ndarray, edit: Edit, scene: Scene) -> None:
    """Carry out one edit in place."""
    mask = area_mask(edit.get("area", {"kind": "patch"}), scene)
    mean = scene.scene_mean[..., None]  # (T, bands, 1)
    match edit["do"]:
        case "leave out":
            dates = np.isin(np.arange(len(values)), edit["dates"])
            if edit["by"] == "mean":
                filled = np.broadcast_to(scene.scene_mean[..., None, None], values.shape)
            else:
                filled = _from_neighbours(values, dates, scene.days)
            here = dates[:, None, None, None] & mask
            values[:] = np.where(here, filled, values)
        case "bend":
            band = scene.bands.index(edit["band"])
            by = np.array(edit["by"], float)
            _check_bent(area_curve(values, mask)[:, band] + by, edit["band"], scene)
            values[:, band, mask] += by[:, None]
        case "copy crop":
            rise = scene.crop_mean[edit["crop"]] - area_curve(values, mask)
            values[..., mask] += np.nan_to_num(rise)[..., None]
        case "hide":
            values[..., mask] = mean
        case "shift":
            values[:] = _shifted(values, edit["days"], scene.days)
        case "exchange":
            one, other = edit["dates"]
            values[[one, other]] = values[[other, one]]
        case "speckle":
            _speckle(values, edit["looks"], edit.get("seed", 0), scene)


def _check_bent(curve: np.ndarray, band: str, scene: Scene) -> None:
    low, high = PHYSICAL if band in scene.decibel else (-LARGEST, LARGEST)
    beyond = (curve < low) | (curve > high)  # NaN is neither
    if beyond.any():
        date = int(beyond.argmax())
        raise ValueError(
            f"on date {date} the curve of {band} would be at {_tenths(curve[date])}; expected "
            f"{low:g} to {high:g}: bend it less."
        )


def _from_neighbours(values: np.ndarray, left: np.ndarray, days: np.ndarray) -> np.ndarray:
    """Values of all dates, interpolated in time, pixel by pixel, from the known values of the dates
    that are not ``left`` out; the nearest beyond the ends, NaN where there is none at all.
    """
    dates = len(days)
    usable = np.isfinite(values) & ~left[:, None, None, None]
    position = np.arange(dates)[:, None, None, None]
    before = np.maximum.accumulate(np.where(usable, position, -1))
    after = np.minimum.accumulate(np.where(usable, position, dates)[::-1])[::-1]
    first = np.where(before < 0, after, before)
    last = np.where(after == dates, before, after)
    none = last < 0
    first, last = first.clip(max=dates - 1), last.clip(min=0)
    span = days[last] - days[first]
    share = (days[position] - days[first]) / np.where(span > 0, span, 1)
    low, high = (np.take_along_axis(values, at, 0) for at in (first, last))
    return np.where(none, np.nan, np.where(span > 0, low + (high - low) * share, low))


def _shifted(values: np.ndarray, by: float, days: np.ndarray) -> np.ndarray:
    """What was there ``by`` days earlier, interpolated in time; constant beyond the ends."""
    asked = np.clip(days - by, days[0], days[-1])
    first = (np.searchsorted(days, asked, "right") - 1).clip(max=max(len(days) - 2, 0))
    last = np.minimum(first + 1, len(days) - 1)
    span = days[last] - days[first]
    share = ((asked - days[first]) / np.where(span > 0, span, 1))[:, None, None, None]
    low, high = values[first], values[last]
    # Where a date is met, the other counts for nothing, even if it is missing.
    return np.where(share == 0, low, np.where(share == 1, high, low + (high - low) * share))


def _speckle(values: np.ndarray, looks: int, seed: int, scene: Scene) -> None:
    """The mean power of the field, or of 5 x 5 pixels where there is none, times gamma noise of
    mean 1; in the bands in dB alone.
    """
    for band in (scene.bands.index(name) for name in scene.decibel):
        known = np.isfinite(values[:, band])  # (T, P, P)
        power = np.where(known, 10 ** (values[:, band] / 10), 0)
        near = ndimage.uniform_filter(power, (0, 5, 5), mode="constant")
        share = ndimage.uniform_filter(known.astype(float), (0, 5, 5), mode="constant")
        mean = _ratio(near, np.where(known, share, 0))
        for number in () if scene.parcel is None else cube.parcel_numbers(scene.parcel):
            here = scene.parcel == number
            mean[:, here] = _ratio(power[:, here].sum(-1), known[:, here].sum(-1))[:, None]
        if looks:
            mean *= _gamma(values.shape, band, looks, seed)
        values[:, band] = np.where(known, 10 * np.log10(np.where(known, mean, 1)), np.nan)


def _gamma(shape: tuple[int, ...], band: int, looks: int, seed: int) -> np.ndarray:
    """Gamma noise (T, P, P) of mean 1, the mean of ``looks`` exponentials.

    Each number follows from the seed and its place in (T, bands, P, P, looks) alone, so that any
    language gives the same.
    """
    place = np.arange(math.prod(shape)).reshape(shape)[:, band] * looks
    total = np.zeros(place.shape)
    for look in range(looks):
        total -= np.log(uniform(place + look, seed))
    return total / looks


def uniform(place: np.ndarray, seed: int) -> np.ndarray:
    """A random number between 0 and 1 for each place, a whole number."""
    key = _mixed(np.array([seed], np.uint32))
    return (_mixed(_mixed(place.astype(np.uint32) ^ key) + key) + 0.5) / 2.0**32


def _mixed(bits: np.ndarray) -> np.ndarray:
    """32 bits stirred (the last steps of MurmurHash3, by A. Appleby): none of them stays alike if
    one changes.
    """
    bits = bits ^ (bits >> 16)
    bits = bits * np.uint32(0x85EBCA6B)
    bits = bits ^ (bits >> 13)
    bits = bits * np.uint32(0xC2B2AE35)
    return bits ^ (bits >> 16)


# ------------------------------------------------------------------------------------------- words


def in_words(edits: Sequence[Edit], facts: Mapping[str, Any]) -> list[str]:
    """One sentence for each edit, in plain English; ``edits.js`` says the same.

    ``facts`` are those of the explorer: ``dates`` (ISO), ``bands`` and ``classes``. The edits must
    have been checked.
    """
    return [_said(edit, facts) for edit in edits]


def _said(edit: Edit, facts: Mapping[str, Any]) -> str:
    area = _area_said(edit.get("area", {"kind": "patch"}))
    within = "" if area == "the patch" else f" in {area}"
    match edit["do"]:
        case "leave out":
            several = len(edit["dates"]) > 1
            dates = _dates_said(edit["dates"], facts["dates"])
            if edit["by"] == "mean":
                which = "each of these dates stands" if several else "that date stands"
                return f"{dates} left out{within}: the scene's mean of {which} there."
            own = "their values are" if several else "its values are"
            return f"{dates} left out{within}: {own} interpolated from the nearest dates kept."
        case "bend":
            band = next(band for band in facts["bands"] if band["name"] == edit["band"])
            bent = [abs(by) for by in edit["by"] if by]
            unit = "" if band["unit"] == "1" else f" {band['unit']}"
            by = f"{_tenths(max(bent, default=0))}{unit}"
            return f"{band['label']} of {area} bent by up to {by} on {_many(len(bent), 'date')}."
        case "copy crop":
            name = facts["classes"][edit["crop"]]["name"]
            return f"The mean curve of {name} in the scene given to {area}; its texture stays."
        case "hide":
            return (
                f"{area[0].upper()}{area[1:]} hidden: the scene's mean of each date stands there."
            )
        case "shift":
            days = float(_tenths(abs(edit["days"])))
            when = "later" if edit["days"] >= 0 else "earlier"
            return f"The season comes {_many(int(days) if days % 1 == 0 else days, 'day')} {when}."
        case "exchange":
            return f"{_dates_said(edit['dates'], facts['dates'])} exchanged."
        case "speckle":
            mean = "the mean of each field, or of 5 × 5 pixels where there is none"
            if not edit["looks"]:
                return f"Speckle taken away: {mean}, stands there."
            drawn = f"{_many(edit['looks'], 'look')} (seed {edit.get('seed', 0)})"
            return f"Fresh speckle of {drawn} on {mean}."
        case "even":
            heads = edit.get("heads", [])
            which = _numbered("head", heads) if heads else "all heads"
            over = {"spatial": "pixels", "temporal": "dates"}[edit["branch"]]
            return f"Equal attention over {over} in {_numbered('level', edit['levels'])}, {which}."
        case _:
            return f"All weights drawn anew (seed {edit['seed']}), as before training."


def _area_said(area: Mapping[str, Any]) -> str:
    match area["kind"]:
        case "patch":
            return "the patch"
        case "cells":
            return f"{_many(len(area['cells']), 'cell')} of {area['size']} × {area['size']} pixels"
    place = f"row {area['at'][0]}, column {area['at'][1]}"
    match area["kind"]:
        case "beyond":
            radius = float(_tenths(area["radius"]))
            far = _many(int(radius) if radius % 1 == 0 else radius, "pixel")
            return f"all pixels farther than {far} from {place}"
        case "pixel":
            return f"the pixel at {place}"
    return f"the field at {place}"


def _dates_said(dates: Sequence[int], known: Sequence[str]) -> str:
    """Up to three dates by name, more by their number and range; the year where there are two."""
    years = len({iso[:4] for iso in known}) > 1
    names = [
        f"{int(known[date][8:10])} {MONTHS[int(known[date][5:7]) - 1]}"
        + (f" {known[date][:4]}" if years else "")
        for date in sorted(dates)
    ]
    return (
        f"{len(names)} dates from {names[0]} to {names[-1]}" if len(names) > 3 else _listed(names)
    )


def _listed(names: Sequence[object]) -> str:
    *first, last = map(str, names)
    return f"{', '.join(first)} and {last}" if first else last


def _numbered(name: str, numbers: Sequence[int]) -> str:
    return f"{name}{'s' if len(numbers) > 1 else ''} {_listed(numbers)}"


def _many(number: float, name: str) -> str:
    return f"{number} {name}{'' if number == 1 else 's'}"


def _tenths(value: float) -> str:
    return f"{math.floor(10 * value + 0.5) / 10:.1f}"
