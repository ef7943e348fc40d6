"""The accuracy of a map as one page that can be sent to someone, and its numbers as JSON."""

import json
import warnings
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import rasterio
from matplotlib.figure import Figure

import stma_nb
from stma_nb import figures
from stma_nb.accuracy import assessment, page
from stma_nb.cube import Crop
from stma_nb.files import check_outputs, write_whole


def assess(
    map_path: str | Path,
    reference_path: str | Path,
    output: str | Path = "report.html",
    parcel_path: str | Path | None = None,
    where_path: str | Path | None = None,
    align: str | None = None,
    background: bool = True,
    overwrite: bool = False,
    legend_path: str | Path | None = None,
    block: int | None = None,
) -> dict:
    """Write the accuracy report of a class GeoTIFF; returns its numbers.

    The page is ``output`` (.html), the numbers stand beside it (.json). The reference is a GeoTIFF,
    compared pixel by pixel, or a CSV with the columns ``row``, ``column`` and ``reference`` (name
    or, where no class is called so, code): a sample drawn at random within the map classes
    (``accuracy.stratified_sample``), from which accuracies and areas are estimated. With a GeoTIFF,
    ``parcel_path`` adds the vote of each parcel, ``where_path`` says which pixels count (not 0),
    ``align="nearest"`` brings it to the map's grid, and ``background=False`` leaves out pixels
    whose reference is the legend's background. ``legend_path`` is a CSV of code and name
    (``cube.read_legend``) for rasters that carry no legend; without it their classes are numbered.

    The intervals come from the spread between square blocks, whole blocks being all that is
    independent (``accuracy.interval``). ``block`` is their side in pixels: that of the split, if
    the pixels to count are its test part. Where a field reaches out of its block a little, it
    counts with the block. Without ``block`` the side is measured: three times as long as the errors
    hang together (``accuracy.error_range``), and 500 m at least. Adjoining blocks count as two: a
    test of four blocks has four witnesses, wherever they lie. A UserWarning tells of fewer than 20
    blocks. There is no interval from one block, nor, if the side is measured, from an area too
    short for two.

    Raises FileExistsError if a file exists and ``overwrite`` is not set, and ValueError for files
    that do not fit together.
    """
    output, sampled = Path(output), Path(reference_path).suffix.lower() == ".csv"
    if output.suffix.lower() not in (".html", ".htm"):
        raise ValueError(
            f"The report is written as a web page; '{output.name}' should end in .html."
        )
    read = (map_path, reference_path, parcel_path, where_path, legend_path)
    check_outputs((output, output.with_suffix(".json")), read, overwrite)
    if sampled and (parcel_path or where_path or align or not background or block):
        raise ValueError(
            "A sample (CSV) is assessed as it was drawn: parcels, where, align, crops-only and "
            "block need a reference GeoTIFF."
        )
    if block is not None and block < 1:
        raise ValueError(f"The block is {block} pixels; expected at least 1.")
    choices = {"map": str(map_path), "reference": str(reference_path)}
    if sampled:
        crops = assessment.common_legend(map_path, legend_path=legend_path)
        sample = assessment.read_sample(reference_path)
        numbers = assessment.sample_numbers(map_path, sample, crops)
        content = _of_sample(numbers, crops)
        summary = (
            f"{page.sentence(numbers['overall'])} of the area is mapped as what it is, estimated "
            f"from {numbers['sample matrix'].sum():,} pixels."
        )
    else:
        crops = assessment.common_legend(map_path, reference_path, legend_path=legend_path)
        options = {"parcels": parcel_path, "counted where": where_path, "aligned": align}
        choices |= {name: str(value) for name, value in options.items() if value}
        choices.setdefault(
            "counted where",
            "everywhere, also where the map's maker may have trained: give a mask of test pixels",
        )
        numbers = assessment.comparison_numbers(
            map_path, reference_path, crops, parcel_path, where_path, align, background, block
        )
        if caution := numbers["caution"]:
            warnings.warn(f"Intervals: {caution}", stacklevel=2)
        content = _of_comparison(numbers, crops)
        summary = (
            f"{page.sentence(numbers['scores'].iloc[0])} of the {numbers['matrix'].sum():,} "
            "pixels compared carry the class of the reference."
        )
        if np.trace(numbers["matrix"]) == numbers["matrix"].sum():
            summary += (
                " Map and reference are alike in every one of them: is the reference a copy of the "
                "map?"
            )
    choices |= numbers["choices"]
    choices["made"] = (
        f"{datetime.now():%Y-%m-%d %H:%M} with stma_nb {stma_nb.__version__}, numpy "
        f"{np.__version__}, rasterio {rasterio.__version__}"
    )
    classes = [crop.name for crop in crops]
    numbers = {"summary": summary} | numbers | {"choices": choices, "classes": classes}
    report = page.render(
        "accuracy/report.html.j2",
        name=Path(map_path).name,
        numbers=numbers,
        sampled=sampled,
        confused=_confusions(numbers["matrix"], crops),
        **content,
    )
    text = json.dumps(_plain(numbers), indent=1, allow_nan=False)
    write_whole(output.with_suffix(".json"), lambda part: part.write_text(text, encoding="utf-8"))
    write_whole(output, lambda part: part.write_text(report, encoding="utf-8"))
    return numbers


# ---------------------------------------------------------- what the page shows beside the numbers


def _of_comparison(numbers: dict, crops: Sequence[Crop]) -> dict:
    """Classes that occur, and figures."""
    shown = [crop for crop in crops if crop.name in numbers["per class"].index]
    right = numbers["share right by block"]
    several = np.isfinite(right).sum() > 1
    return {
        "shown": shown,
        "class_figure": _class_figure(numbers["user's"], numbers["producer's"], shown),
        "matrix_figure": figures.error_matrix(numbers["matrix"], crops),
        "block_figure": _block_figure(right) if several else None,
        "block_shares": np.nanquantile(right, (0, 0.5, 1)),
    }


def _of_sample(numbers: dict, crops: Sequence[Crop]) -> dict:
    """Classes that were drawn or found, pixels drawn of each class, and figures."""
    drawn = pd.Series(numbers["sample matrix"].sum(1), index=[crop.name for crop in crops])
    found = numbers["matrix"].sum(0)
    shown = [crop for crop, share in zip(crops, found, strict=True) if drawn[crop.name] or share]
    pixels = numbers["matrix"] * numbers["mapped pixels"].sum()
    return {
        "shown": shown,
        "drawn": drawn,
        "class_figure": _class_figure(numbers["users"], numbers["producers"], shown),
        "matrix_figure": figures.error_matrix(pixels, crops),
        "block_figure": None,
    }


def _class_figure(users: pd.DataFrame, producers: pd.DataFrame, crops: Sequence[Crop]) -> Figure:
    names, rows = [crop.name for crop in crops], np.arange(len(crops))
    figure = Figure(figsize=(5, 0.36 * len(names) + 1.1), layout="constrained")
    axis = figure.subplots()
    for table, label, colour, face, marker, shift in (
        (users, "user's accuracy", "#0072b2", "#0072b2", "o", -0.15),
        (producers, "producer's accuracy", "#d55e00", "white", "s", 0.15),
    ):
        estimate, low, high = 100 * table.loc[names, ["estimate", "low", "high"]].to_numpy(float).T
        axis.hlines(rows + shift, low.clip(0, 100), high.clip(0, 100), color=colour, linewidth=2)
        axis.plot(estimate, rows + shift, marker, color=colour, markerfacecolor=face, label=label)
    axis.set(xlim=(-2, 102), ylim=(len(names) - 0.5, -0.5), xlabel="%")
    axis.set_yticks(rows, [figures.literal(name) for name in names])
    axis.grid(axis="x", alpha=0.3)
    axis.spines[["top", "right", "left"]].set_visible(False)
    axis.tick_params(axis="y", length=0)
    figure.legend(loc="outside upper right", ncols=2, frameon=False)
    return figure


def _block_figure(right: np.ndarray) -> Figure:
    height = np.clip(4 * right.shape[0] / right.shape[1], 2, 7)
    figure = Figure(figsize=(5, height), layout="constrained")
    axis = figure.subplots()
    axis.set_facecolor("#dddddd")
    picture = axis.imshow(100 * right, cmap="cividis", vmin=0, vmax=100)
    axis.set(xticks=[], yticks=[])
    figure.colorbar(picture, ax=axis, label="% of pixels right", shrink=0.8)
    return figure


def _confusions(matrix: np.ndarray, crops: Sequence[Crop]) -> str:
    """The three most frequent errors in words, as shares of all that is counted."""
    wrong = np.where(np.eye(len(matrix), dtype=bool), 0, matrix / matrix.sum())
    cells = [np.unravel_index(cell, wrong.shape) for cell in np.argsort(-wrong, axis=None)[:3]]
    words = [
        f"{crops[j].name} mapped as {crops[i].name} ({page.percent(float(wrong[i, j]))} of all)"
        for i, j in cells
        if wrong[i, j] > 0
    ]
    return ", ".join(words) or "none"


def _plain(value: Any) -> Any:
    """Numbers, lists and dicts for JSON; what is not a number (NaN) becomes null."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, pd.DataFrame):
        return {str(name): _plain(row.to_dict()) for name, row in value.iterrows()}
    if isinstance(value, pd.Series):
        return _plain(value.to_dict())
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value
