"""Every number of an accuracy assessment, from files: a reference that covers the map, or a sample
drawn from it.
"""

import itertools
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view

from stma_nb import cube
from stma_nb.accuracy import area, parcels, resample
from stma_nb.accuracy.matrix import (
    by_class,
    class_scores,
    counted,
    disagreement,
    error_matrix,
    overall_accuracy,
    read_windows,
    summary,
)
from stma_nb.cube import Crop

LEAST = 500.0  # metres: blocks whose side is measured are no smaller
RANGES = 3  # side of these blocks in ranges of the errors: neighbours still share some at one range
CELLS = 1000  # at most so many cells along a side of the grid on which errors are correlated
MOST_CLASSES = 100  # of a raster without a legend


def common_legend(*paths: str | Path, legend_path: str | Path | None = None) -> tuple[Crop, ...]:
    """The legend of class GeoTIFFs: that of a CSV, or of those that carry one.

    Where none does, the classes are called "class 0", "class 1", ... up to the highest code that
    occurs. Raises ValueError if two legends disagree.
    """
    if legend_path:
        return cube.read_legend(legend_path)
    known = []
    for path in paths:
        layer = cube.open_layer(path)
        if {"flag_meanings", "class_names"} & set(layer.attrs):
            known.append((Path(path).name, cube.legend(layer.to_dataset(name="crop"))))
    if not known:
        return _numbered_legend(paths)
    (first, crops), (last, other) = known[0], known[-1]
    difference = cube.same_classes(crops, other)
    if difference:
        raise ValueError(
            f"The legends of '{first}' and '{last}' differ: {difference}. Recode one, so that both "
            "have one legend, or give it (--legend)."
        )
    return crops


def _numbered_legend(paths: Sequence[str | Path]) -> tuple[Crop, ...]:
    """Names for the codes 0 .. highest that occur in class GeoTIFFs; nodata is no class."""
    highest = -1
    for path in paths:
        for _, (codes,) in read_windows(path):
            if codes.count():
                highest = max(highest, int(codes.max()))
    if not 0 <= highest < MOST_CLASSES:
        names = " and ".join(repr(Path(path).name) for path in paths)
        raise ValueError(
            f"{names} carry no legend, and their highest code is {highest}; expected 0 to "
            f"{MOST_CLASSES - 1}: give a legend (--legend FILE.csv with code and name)."
        )
    return tuple(Crop(f"class {code}", cube.default_colour(code)) for code in range(highest + 1))


# --------------------------------------------------------------------------------------- comparison


def comparison_numbers(
    map_path: str | Path,
    reference_path: str | Path,
    crops: Sequence[Crop],
    parcel_path: str | Path | None = None,
    where_path: str | Path | None = None,
    align: str | None = None,
    background: bool = True,
    block: int | None = None,
) -> dict:
    """Scores for a reference that covers the map, with intervals from the spread between blocks;
    arguments as in ``accuracy.assess``.

    "caution" is what is to be said of the intervals, if anything. Raises ValueError if no pixel, or
    with parcels fewer than two parcels, can be counted.
    """
    left_out = None if background else _background_code(crops)
    paths = [map_path, reference_path] + ([where_path] if where_path else [])
    pixel, unit = _pixel_area(map_path)
    metres = 100 * pixel**0.5 if unit == "ha" else 10.0  # a grid without metres: Sentinel-1's
    if block is None:
        side, why = _measured_side(paths, len(crops), left_out, align, metres)
    else:
        side, why = block, "as in the split"
    blocks, side = _block_matrices(paths, len(crops), side, align)
    if left_out is not None:
        blocks[..., left_out] = 0
    matrix = blocks.sum((0, 1))
    if not matrix.any():
        raise ValueError(
            "No pixel has a class in both map and reference (and is to be counted): do the two "
            "cover one area?"
        )
    names = [*summary(matrix, crops), "quantity disagreement", "allocation disagreement"]
    codes = pd.Index([crop.name for crop in crops], name="class")

    def scores(matrix: np.ndarray) -> np.ndarray:
        classes = by_class(matrix)
        overall = [*summary(matrix, crops).values(), *disagreement(matrix)]
        return np.array([*overall, *classes["user's"], *classes["producer's"]])

    units = _whole_blocks(blocks, side)
    if len(units) >= 2:
        estimates = np.array(resample.jackknife(units, scores))
        caution = resample.few_units(len(units))
        how = (
            f"95 %; {len(units)} blocks of {side} x {side} pixels ({why}), one left out at a time "
            "(jackknife), t distribution"
        )
        how += f". {caution}" if caution else ""
    else:
        estimates = np.array([scores(matrix), *np.full((2, len(names) + 2 * len(crops)), np.nan)])
        how = caution = (
            f"none: all pixels counted lie in one block ({why}), and one block does not say how "
            "the scores vary; test more of the scene"
        )
    table = pd.DataFrame(estimates.T, columns=["estimate", "low", "high"])
    overall = table[: len(names)].set_index(pd.Index(names, name="score"))
    users = table[len(names) :][: len(crops)].set_index(codes)
    producers = table[len(names) + len(crops) :].set_index(codes)
    if not background:
        overall = overall.drop("overall accuracy, crops only")
    classes = class_scores(matrix, crops)
    if left_out is not None:
        classes = classes.drop(crops[left_out].name, errors="ignore")
    numbers = {
        "scores": overall,
        "per class": classes,
        "user's": users,
        "producer's": producers,
        "area": pd.DataFrame(
            {"mapped": matrix.sum(1) * pixel, "reference": matrix.sum(0) * pixel}, index=codes
        ),
        "area unit": unit,
        "matrix": matrix,
        "block side": side,
        "share right by block": _share_right(blocks),
        "choices": {
            "background": _background_choice(crops, left_out),
            "design": "every pixel that has a class in both files; the intervals say how the "
            "scores vary from place to place, "
            "and hold for the area compared, not for others",
            "intervals": how,
        },
        "caution": caution,
    }
    if parcel_path:
        found, matrices = parcels.matrices_of_files(
            map_path, reference_path, parcel_path, len(crops), where_path, align
        )
        if left_out is not None:
            matrices[..., left_out] = 0
        numbers["parcels"] = _parcel_numbers(parcels.table_of(found, matrices, pixel), len(crops))
    return numbers


def _background_choice(crops: Sequence[Crop], left_out: int | None) -> str:
    if left_out is not None:
        return (
            f"pixels whose reference is {crops[left_out].name} are not counted, so that crops "
            "mapped there go unseen"
        )
    code = cube.background(crops)
    if code is None:
        return "the legend has none: every class is a crop"
    return f"{crops[code].name} is counted as a class"


def _background_code(crops: Sequence[Crop]) -> int:
    code = cube.background(crops)
    if code is None:
        raise ValueError(
            f"The legend ({', '.join(crop.name for crop in crops)}) has no background to leave "
            "out: all its classes are crops."
        )
    return code


def _cells(
    corner: tuple[int, int], shape: tuple[int, ...], side: int
) -> tuple[tuple[slice, slice], tuple[int, int], np.ndarray]:
    """The cells of a grid that a window touches: where they lie, how many there are (rows,
    columns), and the number of each pixel's cell among them.
    """
    row, column = ((first + np.arange(n)) // side for first, n in zip(corner, shape, strict=True))
    size = int(row[-1] - row[0]) + 1, int(column[-1] - column[0]) + 1
    where = np.s_[row[0] : row[-1] + 1, column[0] : column[-1] + 1]
    return where, size, np.add.outer((row - row[0]) * size[1], column - column[0])


def _measured_side(
    paths: Sequence[str | Path],
    classes: int,
    left_out: int | None,
    align: str | None,
    metres: float,
) -> tuple[int, str]:
    """Side (pixels) of blocks that are longer than the errors hang together, and why."""
    with cube.open_geotiff(paths[0]) as tif:
        height, width = tif.shape
    cell = -(-max(height, width) // CELLS)
    right, pixels = np.zeros((2, -(-height // cell), -(-width // cell)))
    for corner, (mapped, reference, *where) in read_windows(*paths, align=align):
        keep = counted(mapped, reference, *where) & (mapped.data < classes)
        if left_out is not None:
            keep &= reference.data != left_out
        here, size, number = _cells(corner, mapped.shape, cell)
        for sums, chosen in ((pixels, keep), (right, keep & (mapped.data == reference.data))):
            found = np.bincount(number[chosen], minlength=size[0] * size[1])
            sums[here] += found.reshape(size)
    if not pixels.any():
        return max(height, width), ""  # which is told by who counts them
    reach = resample.error_range(right, pixels, cell * metres)
    extent = (max(np.ptp(places) for places in np.nonzero(pixels)) + 1) * cell * metres
    longest = max(RANGES * reach, LEAST)
    if (needed := 2 * longest) > extent:  # no two blocks side by side
        return max(height, width), (
            f"errors hang together over {reach:.0f} m, and the area counted is {extent:.0f} m "
            f"long; expected {needed:.0f} m or more"
        )
    why = f"{longest:.0f} m; errors hang together over {reach:.0f} m"
    return int(np.ceil(longest / metres)), why


def _block_matrices(
    paths: Sequence[str | Path], classes: int, side: int, align: str | None
) -> tuple[np.ndarray, int]:
    """Error matrices of the scene's blocks (rows, columns, K, K) and the blocks' side in pixels,
    doubled in a scene of very many, for the memory.
    """
    with cube.open_geotiff(paths[0]) as tif:
        height, width = tif.shape

    def grid(side: int) -> tuple[int, int]:
        return -(-height // side), -(-width // side)

    most = min(4096, 10_000_000 // classes**2)  # blocks whose matrices take at most 80 MB
    while np.prod(grid(side)) > most:
        side *= 2
    blocks = np.zeros((*grid(side), classes, classes), dtype=np.int64)
    for corner, (mapped, reference, *where) in read_windows(*paths, align=align):
        here, (rows, columns), number = _cells(corner, mapped.shape, side)
        found = resample.unit_matrices(
            mapped.data,
            reference.data,
            number,
            rows * columns,
            classes,
            counted(mapped, reference, *where),
        )
        blocks[here] += found.reshape(rows, columns, classes, classes)
    return blocks, side


def _whole_blocks(blocks: np.ndarray, side: int) -> np.ndarray:
    """The matrices (n, K, K) of the blocks (rows, columns, K, K) that are units.

    A block less than a quarter of which counts (the end of a field that belongs to the next block,
    the border of the scene) is counted with the fullest of its neighbours.
    """
    rows, columns = blocks.shape[:2]
    pixels = blocks.sum((2, 3))
    around = sliding_window_view(np.pad(pixels, 1), (3, 3)).reshape(rows, columns, 9)
    step = np.divmod(around.argmax(2), 3)  # to the fullest, which may be itself
    number = np.arange(rows * columns).reshape(rows, columns)
    fullest = number + (step[0] - 1) * columns + step[1] - 1
    home = np.where(pixels < side**2 / 4, fullest, number).ravel()
    while (home[home] != home).any():  # where it counts with one that itself counts with another
        home = home[home]
    units = np.zeros((rows * columns, *blocks.shape[2:]), blocks.dtype)
    np.add.at(units, home, blocks.reshape(units.shape))
    return units[units.any((1, 2))]


def _share_right(blocks: np.ndarray) -> np.ndarray:
    """Share of pixels right by block (rows, columns), NaN where none is counted."""
    right, pixels = np.trace(blocks, axis1=2, axis2=3), blocks.sum((2, 3))
    return np.divide(right, pixels, out=np.full(pixels.shape, np.nan), where=pixels > 0)


def _parcel_numbers(table: pd.DataFrame, classes: int) -> dict:
    """Scores of the parcels' majority vote, each parcel a unit."""
    table = table[table["pixels"] > 0]
    if len(table) < 2:
        raise ValueError(
            f"{len(table)} parcel(s) hold pixels that are counted; expected two or more: is it "
            "the right parcel file?"
        )
    right = (table["majority"] == table["reference"]).to_numpy(bool)
    scores = {}
    for name, weight in (
        ("parcels right, each counts once", np.ones(len(table))),
        ("parcels right, by area", table["hectares"]),
    ):
        units = np.zeros((len(table), 2, 2))  # right or wrong is all that counts here
        units[:, 0, 0], units[:, 1, 0] = np.where(right, weight, 0), np.where(right, 0, weight)
        scores[name] = resample.jackknife(units, overall_accuracy)._asdict()
    return {
        "number": len(table),
        "scores": pd.DataFrame(scores).T,
        "median share of pixels right": table["share right"].median(),
        "median area": table["hectares"].median(),
        "matrix of parcels": parcels.parcel_matrix(table, classes),
        "matrix of their area": parcels.parcel_matrix(table, classes, "area"),
    }


# ------------------------------------------------------------------------------------------- sample


def sample_numbers(map_path: str | Path, sample: pd.DataFrame, crops: Sequence[Crop]) -> dict:
    """Area-adjusted accuracies and areas from a sample (row, column, reference) that is random
    within the map classes.

    Raises ValueError if the sample is not one of this map, or not fully labelled.
    """
    names, (pixel, unit) = [crop.name for crop in crops], _pixel_area(map_path)
    reference, given = _reference_codes(sample, names)
    mapped = _map_codes(map_path, sample, names)
    pixels = area.class_pixels(map_path, len(crops))
    matrix = error_matrix(mapped, reference, len(crops))
    found = area.stratified_estimate(matrix, pixels, pixel, names=names)
    quantity, allocation = disagreement(found.matrix)
    return {
        **found._asdict(),
        "area unit": unit,
        "mapped area": pd.Series(pixels * pixel, index=names),
        "mapped pixels": pixels,
        "sample matrix": matrix,
        "quantity disagreement": quantity,
        "allocation disagreement": allocation,
        "choices": {
            "design": f"stratified random sample of {len(sample):,} pixels, the strata being the "
            "classes of the map; the numbers "
            "hold only if the pixels were drawn at random within each class",
            "reference": f"given as {given} of the classes",
            "intervals": "95 %, normal approximation, estimators of Olofsson et al. (2014); cut "
            "at 0 and 100 % on the page",
        },
    }


def read_sample(path: str | Path) -> pd.DataFrame:
    """The sample in a CSV (comma, semicolon or tab), every cell as it is written.

    So a class may be called 01 or NA. Raises ValueError for text that is not UTF-8.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
        heading = text.partition("\n")[0]
        separator = max(",;\t", key=heading.count)
        return pd.read_csv(StringIO(text), sep=separator, dtype=str, keep_default_na=False)
    except UnicodeDecodeError as error:
        raise ValueError(
            f"The text of '{Path(path).name}' is not UTF-8: save the sample as CSV UTF-8."
        ) from error
    except (pd.errors.EmptyDataError, pd.errors.ParserError) as error:
        raise ValueError(f"'{Path(path).name}' is no table ({error}).") from error


def _reference_codes(sample: pd.DataFrame, names: list[str]) -> tuple[np.ndarray, str]:
    """The codes of the sample's reference classes, and whether they were given by name or code.

    A number is a name where a class is called so, and a code otherwise; a sample must not mix them.
    """
    if missing := sorted({"row", "column", "reference"} - set(sample.columns)):
        raise ValueError(
            f"The sample has no column '{missing[0]}'; expected row, column and reference."
        )
    said = sample["reference"].map(cube.class_name)
    if (said == "").any() or sample[["row", "column"]].map(cube.class_name).eq("").any(axis=None):
        raise ValueError(
            "The sample has empty cells: label every pixel drawn, or the sample is no longer "
            "random."
        )
    known = {cube.class_name(name): code for code, name in enumerate(names)}
    known |= {name: code for code, name in enumerate(names)}
    codes = {name: known[name] for name in set(said) & set(known)}
    others = sorted(set(said) - set(known))
    if not others:
        return said.map(codes).to_numpy(int), "names"
    numbers = [name for name in others if name.isdecimal()]
    if len(numbers) < len(others):
        unknown = next(name for name in others if name not in numbers)
        raise ValueError(
            f"The sample names the class '{unknown}', which the legend does not: expected one "
            f"of {', '.join(names)}."
        )
    if codes:
        raise ValueError(
            f"In the sample '{min(codes)}' is the name of a class, and '{numbers[0]}' of none: "
            f"give the name of every class, of {', '.join(names)}."
        )
    outside = [number for number in numbers if int(number) >= len(names)]
    if outside:
        raise ValueError(
            f"The sample has the class code {outside[0]}, which the legend has not: expected 0 .. "
            f"{len(names) - 1}, or names, of {', '.join(names)}."
        )
    return said.map(int).to_numpy(int), "codes"


def _whole(column: pd.Series) -> np.ndarray:
    """The whole numbers in a column; raises ValueError for anything else."""
    numbers = pd.to_numeric(column, errors="coerce")
    wrong = ~(numbers % 1 == 0)
    if wrong.any():
        raise ValueError(
            f"The sample's {column.name} is '{column[wrong].iloc[0]}'; expected whole numbers."
        )
    return numbers.to_numpy(int)


def _map_codes(map_path: str | Path, sample: pd.DataFrame, names: list[str]) -> np.ndarray:
    """The map's codes at the sample's pixels."""
    rows, columns = _whole(sample["row"]), _whole(sample["column"])
    if len(np.unique([rows, columns], axis=1).T) < len(sample):
        raise ValueError("A pixel occurs twice in the sample: give each pixel once.")
    codes = np.full(len(sample), -1)
    for (row, column), (mapped,) in read_windows(map_path):
        here = (
            (rows >= row)
            & (rows < row + mapped.shape[0])
            & (columns >= column)
            & (columns < column + mapped.shape[1])
        )
        codes[here] = np.ma.filled(mapped.astype(int), -1)[rows[here] - row, columns[here] - column]
    if (outside := (codes < 0) | (codes >= len(names))).any():
        first = np.argmax(outside)
        raise ValueError(
            f"The map has no class at row {rows[first]}, column {columns[first]}: was the sample "
            "drawn from this map?"
        )
    if "stratum" in sample and (_whole(sample["stratum"]) != codes).any():
        raise ValueError(
            "The sample's strata are not the classes of this map: use accuracy.stehman_estimate "
            "for such a design."
        )
    return codes


def _pixel_area(path: str | Path) -> tuple[float, str]:
    """The area of a pixel on the ground and its unit: hectares, or pixels where it is not known.

    That is where the grid is not projected, or where one pixel of the scene is more than 2 % larger
    than another, as in Web Mercator from north to south.
    """
    with cube.open_geotiff(path) as tif:
        if tif.crs is None or not tif.crs.is_projected:
            return 1.0, "pixels"
        left, bottom, right, top = tif.bounds
        corners = itertools.product((left, right), (bottom, top))
        ground = [cube.ground_area(tif.crs, x, y) for x, y in corners]
        if max(ground) > 1.02 * min(ground):
            return 1.0, "pixels"
        metre = tif.crs.linear_units_factor[1] ** 2 * sum(ground) / len(ground)
        return abs(tif.transform.determinant) * metre / 10_000, "ha"
