"""The accuracy of a map as one page that can be sent to someone, and every number on it as JSON
beside it.
"""

import json
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import rasterio
from matplotlib.figure import Figure

import stma_nb
from stma_nb import figures
from stma_nb.accuracy import assessment, page
from stma_nb.cube import Crop
from stma_nb.files import refuse_existing

SOURCES = {
    "Foody 2020, kappa": "10.1016/j.rse.2019.111630",
    "Olofsson et al. 2014, good practices": "10.1016/j.rse.2014.02.015",
    "Pontius and Millones 2011, quantity and allocation "
    "disagreement": "10.1080/01431161.2011.552923",
    "Stehman and Foody 2019, what a report should tell": "10.1016/j.rse.2019.05.018",
}


def assess(
    map_path: str | Path,
    reference_path: str | Path,
    output: str | Path = "report.html",
    parcel_path: str | Path | None = None,
    where_path: str | Path | None = None,
    align: str | None = None,
    background: bool = True,
    overwrite: bool = False,
) -> dict:
    """Write the accuracy report of a class GeoTIFF as ``output`` (.html) and its numbers beside it
    (.json); returns the numbers.

    The reference is a GeoTIFF, compared pixel by pixel, or a CSV with the columns ``row``,
    ``column`` and ``reference`` (code or name): a sample drawn at random within the map classes
    (``accuracy.stratified_sample``), from which accuracies and areas are estimated. With a GeoTIFF,
    ``parcel_path`` adds the vote of each parcel, ``where_path`` says which pixels count (not 0),
    ``align="nearest"`` brings it to the map's grid, and ``background=False`` leaves out pixels
    whose reference is code 0.

    Raises FileExistsError if a file exists and ``overwrite`` is not set, and ValueError for files
    that do not fit together.
    """
    output, sampled = Path(output), Path(reference_path).suffix.lower() == ".csv"
    if output.suffix.lower() not in (".html", ".htm"):
        raise ValueError(
            f"The report is written as a web page; '{output.name}' should end in .html."
        )
    for path in (output, output.with_suffix(".json")):
        refuse_existing(path, overwrite)
    if sampled and (parcel_path or where_path or align or not background):
        raise ValueError(
            "A sample (CSV) is assessed as it was drawn: parcels, where, align and crops-only "
            "need a reference GeoTIFF."
        )
    choices = {"map": str(map_path), "reference": str(reference_path)}
    if sampled:
        crops = assessment.common_legend(map_path)
        numbers = assessment.sample_numbers(map_path, pd.read_csv(reference_path), crops)
        right, sections = numbers["overall"], _sample_sections(numbers, crops)
        summary = (
            f"{page.sentence(right)} of the area is mapped as what it is, estimated from "
            f"{numbers['sample matrix'].sum():,} pixels."
        )
    else:
        crops = assessment.common_legend(map_path, reference_path)
        options = {"parcels": parcel_path, "counted where": where_path, "aligned": align}
        choices |= {name: str(value) for name, value in options.items() if value}
        choices.setdefault(
            "counted where",
            "everywhere, also where the map's maker may have trained: give a mask of test pixels",
        )
        left_out = (
            f"pixels whose reference is {crops[0].name} are not counted, so that crops "
            "mapped there go unseen"
        )
        choices["background"] = "counted as a class" if background else left_out
        numbers = assessment.comparison_numbers(
            map_path, reference_path, crops, parcel_path, where_path, align, background
        )
        right, sections = numbers["scores"].iloc[0], _comparison_sections(numbers, crops)
        summary = (
            f"{page.sentence(right)} of the {numbers['matrix'].sum():,} pixels compared "
            "carry the class of the reference."
        )
    choices |= numbers["choices"]
    choices["made"] = (
        f"{datetime.now():%Y-%m-%d %H:%M} with stma_nb {stma_nb.__version__}, numpy "
        f"{np.__version__}"
    )
    choices["made"] += f", rasterio {rasterio.__version__}"
    numbers = (
        {"summary": summary}
        | numbers
        | {"choices": choices, "classes": [crop.name for crop in crops]}
    )
    sections.append(page.section("How it was done", page.definitions(choices)))
    title = f"How good is the map {Path(map_path).name}?"
    output.parent.mkdir(parents=True, exist_ok=True)
    output.with_suffix(".json").write_text(
        json.dumps(_plain(numbers), indent=1, allow_nan=False), encoding="utf-8"
    )
    output.write_text(page.page(title, summary, sections, SOURCES), encoding="utf-8")
    return numbers


# --------------------------------------------------------------------------------------- comparison


def _comparison_sections(numbers: dict, crops: tuple[Crop, ...]) -> list[str]:
    classes, unit = numbers["per class"], numbers["area unit"]
    confused = _confusions(numbers["matrix"], crops)
    rows = [
        [
            page.crop_name(crop),
            *(
                page.text(page.percent(share))
                for share in classes.loc[crop.name, ["user's", "producer's", "F1", "IoU"]]
            ),
        ]
        + [f"{value:,.0f}" for value in numbers["area"].loc[crop.name]]
        for crop in crops
        if crop.name in classes.index
    ]
    header = ["class", "user's", "producer's", "F1", "IoU", f"mapped {unit}", f"reference {unit}"]
    sections = [
        page.section(
            "The map as a whole",
            _score_table("Scores with 95 % intervals", numbers["scores"]),
            page.paragraph(
                "Quantity and allocation disagreement (Pontius and Millones 2011) sum to what "
                "overall accuracy leaves. Kappa is "
                "given since readers ask for it; it says little that overall accuracy does not "
                "(Foody 2020)."
            ),
        ),
        page.section(
            "Class by class",
            _class_picture(numbers["user's"], numbers["producer's"], list(classes.index)),
            page.table("Scores of every class that occurs", header, rows),
        ),
        page.section("What is taken for what", _matrix_picture(numbers["matrix"], crops, confused)),
    ]
    right = numbers["share right by block"]
    if np.isfinite(right).sum() > 1:
        low, middle, high = (page.percent(value) for value in np.nanquantile(right, (0, 0.5, 1)))
        words = (
            f"Share of pixels right in blocks of {numbers['block side']} pixels: {low} in the "
            f"worst, {middle} in the median, "
        )
        words += f"{high} in the best."
        sections.append(
            page.section(
                "Where it is right",
                page.picture(_block_figure(right), f"{words} Grey: not counted.", words),
            )
        )
    if "parcels" in numbers:
        found = numbers["parcels"]
        words = (
            f"In the median parcel {page.percent(found['median share of pixels right'])} of "
            "the pixels are right; "
        )
        words += (
            f"the median size is {found['median area']:,.1f} {unit}. Intervals: parcels resampled."
        )
        table = _score_table(f"Majority vote of {found['number']:,} parcels", found["scores"])
        sections.append(page.section("Parcel by parcel", table, page.paragraph(words)))
    return sections


# ------------------------------------------------------------------------------------------- sample


def _sample_sections(numbers: dict, crops: tuple[Crop, ...]) -> list[str]:
    drawn = numbers["sample matrix"].sum(1)
    used = [
        crop
        for crop, n, share in zip(crops, drawn, numbers["matrix"].sum(0), strict=True)
        if n or share
    ]
    confused = _confusions(numbers["matrix"], crops)
    areas = [
        [
            page.crop_name(crop),
            f"{numbers['mapped area'][crop.name]:,.0f}",
            *page.area_cells(numbers["area"].loc[crop.name]),
        ]
        for crop in used
    ]
    scores = [
        [page.crop_name(crop)]
        + [
            cell
            for name in ("users", "producers")
            for cell in page.share_cells(numbers[name].loc[crop.name])
        ]
        + [f"{drawn[crops.index(crop)]:,}"]
        for crop in used
    ]
    return [
        page.section(
            "Areas",
            page.table(
                f"Area of each class ({numbers['area unit']}): as mapped, and as estimated with "
                "its 95 % interval",
                ["class", "mapped", "estimated", "interval"],
                areas,
            ),
            page.paragraph(
                "The mapped area repeats the errors of the map; the estimate corrects them with "
                "the sample."
            ),
        ),
        page.section(
            "Class by class",
            _class_picture(numbers["users"], numbers["producers"], [crop.name for crop in used]),
            page.table(
                "Area-adjusted accuracies with 95 % intervals",
                ["class", "user's", "interval", "producer's", "interval", "sample"],
                scores,
            ),
            page.paragraph(
                "An interval of no width means that the sample holds no error (or nothing else) "
                "of this class: it is too small to "
                "see one, and does not show that there is none."
            ),
        ),
        page.section(
            "What is taken for what",
            _matrix_picture(numbers["matrix"] * numbers["mapped pixels"].sum(), crops, confused),
            page.paragraph(
                f"Quantity disagreement {page.percent(numbers['quantity disagreement'])}, "
                "allocation disagreement "
                f"{page.percent(numbers['allocation disagreement'])} of the area (Pontius and "
                "Millones 2011)."
            ),
        ),
    ]


# ------------------------------------------------------------------------------------ shared pieces


def _score_table(caption: str, scores: pd.DataFrame) -> str:
    return page.table(
        caption,
        ["score", "value", "interval"],
        [[page.text(n), *page.share_cells(r)] for n, r in scores.iterrows()],
    )


def _class_picture(users: pd.DataFrame, producers: pd.DataFrame, names: list[str]) -> str:
    figure = Figure(figsize=(5, 0.36 * len(names) + 1.1), layout="constrained")
    axis = figure.subplots()
    for table, label, colour, face, marker, shift in (
        (users, "user's accuracy", "#0072b2", "#0072b2", "o", -0.15),
        (producers, "producer's accuracy", "#d55e00", "white", "s", 0.15),
    ):
        values = 100 * table.loc[names, ["estimate", "low", "high"]].to_numpy(float)
        axis.hlines(
            np.arange(len(names)) + shift, *values[:, 1:].T.clip(0, 100), color=colour, linewidth=2
        )
        axis.plot(
            values[:, 0],
            np.arange(len(names)) + shift,
            marker,
            color=colour,
            markerfacecolor=face,
            label=label,
        )
    axis.set(xlim=(-2, 102), ylim=(len(names) - 0.5, -0.5), xlabel="%")
    axis.set_yticks(range(len(names)), names)
    axis.grid(axis="x", alpha=0.3)
    axis.spines[["top", "right", "left"]].set_visible(False)
    axis.tick_params(axis="y", length=0)
    figure.legend(loc="outside upper right", ncols=2, frameon=False)
    return page.picture(
        figure,
        "User's accuracy: is what is mapped as the class truly of it? Producer's accuracy: is "
        "what is of the class found? "
        "Lines: 95 % intervals.",
        "User's and producer's accuracy of every class with intervals; the numbers are in the "
        "table below.",
    )


def _matrix_picture(matrix: np.ndarray, crops: tuple[Crop, ...], confused: str) -> str:
    return page.picture(
        figures.error_matrix(matrix, crops),
        "Error matrix: rows are the map, columns the reference; a column sums to 100 %. Most "
        f"frequent errors: {confused}.",
        f"Error matrix in percent of each reference class. Most frequent errors: {confused}.",
        wide=True,
    )


def _confusions(matrix: np.ndarray, crops: tuple[Crop, ...]) -> str:
    """The three most frequent errors in words, as shares of all that is counted."""
    wrong = np.where(np.eye(len(matrix), dtype=bool), 0, matrix / matrix.sum())
    cells = [np.unravel_index(cell, wrong.shape) for cell in np.argsort(-wrong, axis=None)[:3]]
    words = [
        f"{crops[j].name} mapped as {crops[i].name} ({page.percent(wrong[i, j])} of all)"
        for i, j in cells
        if wrong[i, j] > 0
    ]
    return ", ".join(words) or "none"


def _block_figure(right: np.ndarray) -> Figure:
    figure = Figure(
        figsize=(5, np.clip(4 * right.shape[0] / right.shape[1], 2, 7)), layout="constrained"
    )
    axis = figure.subplots()
    axis.set_facecolor("#dddddd")
    picture = axis.imshow(100 * right, cmap="cividis", vmin=0, vmax=100)
    axis.set(xticks=[], yticks=[])
    figure.colorbar(picture, ax=axis, label="% of pixels right", shrink=0.8)
    return figure


def _plain(value):
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
