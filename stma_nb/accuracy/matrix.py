"""How good is the map? Error matrix and the scores read from it.

Rows are the map, columns are the reference, everywhere.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd
import rasterio
from numpy.typing import ArrayLike
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window
from scipy.special import entr

from stma_nb.cube import UNKNOWN, Crop, background, open_geotiff

WINDOW = 1024  # pixels: files are read in windows of this side, so that memory does not grow


def error_matrix(
    mapped: np.ndarray, reference: np.ndarray, classes: int, where: np.ndarray | None = None
) -> np.ndarray:
    """Count pixels by mapped class (rows) and reference class (columns): (K, K) integers.

    ``where`` picks the pixels to count, say the test part of a split. Pixels with a map code
    outside the legend (nodata, 255) are left out, and those whose reference is unknown
    (``cube.UNKNOWN``); another reference code outside the legend raises ValueError, as do arrays of
    different shape.
    """
    _, pairs = pair_codes(mapped, reference, classes, where)
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def pair_codes(
    mapped: np.ndarray, reference: np.ndarray, classes: int, where: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Which pixels ``error_matrix`` counts (a mask), and for these the cell of the matrix: map code
    * classes + reference code.
    """
    mapped, reference = np.asarray(mapped), np.asarray(reference)
    for codes in (mapped, reference):
        if codes.dtype.kind == "f" and (parts := codes[codes % 1 > 0]).size:
            raise ValueError(f"The class codes hold {parts[0]}; expected whole numbers.")
    if mapped.shape != reference.shape:
        raise ValueError(
            f"The map has shape {mapped.shape}, the reference {reference.shape}: bring both to "
            "one grid first."
        )
    keep = (mapped >= 0) & (mapped < classes)
    if classes <= UNKNOWN:
        keep &= reference != UNKNOWN
    if where is not None:
        keep &= np.asarray(where, dtype=bool)
    rows, columns = mapped[keep].astype(np.int64), reference[keep]
    wrong = columns[~((columns >= 0) & (columns < classes))]  # so also NaN
    if len(wrong):
        raise ValueError(
            f"The reference holds code {wrong[0]}, outside the legend (0 .. {classes - 1}): "
            "recode or mask it."
        )
    return keep, rows * classes + columns.astype(np.int64)


def overall_accuracy(matrix: np.ndarray, without: int | None = None) -> float:
    """Share of pixels mapped right.

    ``without`` is a class code: then only pixels whose reference is another class count, say all
    crops with ``without=cube.background(crops)``.
    """
    counted = matrix if without is None else np.delete(matrix, without, axis=1)
    right = np.trace(matrix)
    if without is not None:
        right -= matrix[without, without]
    return float(right / counted.sum()) if counted.sum() else float("nan")


def kappa(matrix: np.ndarray) -> float:
    """Cohen's kappa, agreement beyond chance; given because readers ask for it, though it says
    little that OA does not.

    See Foody (2020), https://doi.org/10.1016/j.rse.2019.111630, on why not to rely on it.
    """
    with np.errstate(invalid="ignore", divide="ignore"):  # one class only: not defined, NaN
        p = matrix / matrix.sum()
        chance = p.sum(0) @ p.sum(1)
        return float((np.trace(p) - chance) / (1 - chance))


def by_class(matrix: np.ndarray) -> dict[str, np.ndarray]:
    """User's and producer's accuracy, F1, IoU and reference pixels of every class (K,); NaN where a
    class does not occur.
    """
    right, mapped, reference = np.diag(matrix), matrix.sum(1), matrix.sum(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "user's": right / mapped,
            "producer's": right / reference,
            "F1": 2 * right / (mapped + reference),
            "IoU": right / (mapped + reference - right),
            "pixels": reference,
        }


def post_stratify(matrix: np.ndarray, pixels_of_each_class: ArrayLike) -> np.ndarray:
    """The error matrix (K, K) with each reference class as frequent as in the whole scene.

    ``pixels_of_each_class`` (K,) are the reference pixels of the scene. Each column is raised to
    its sum: where a test holds 48 % background and the scene 30 %, overall accuracy and user's
    accuracies become those of 30 %; producer's accuracies stay. It rests on the tested pixels of a
    class being like all others of it, and so repairs neither small fields, edges or easy places in
    the test, nor pixels close to the training. Raises ValueError if a class of the scene has no
    tested pixel. Holt and Smith (1979, doi 10.2307/2344652); Card (1982, Photogrammetric
    Engineering and Remote Sensing 48, 431-439) does it for the shares of the map.
    """
    tested, scene = np.sum(matrix, axis=0), np.asarray(pixels_of_each_class)
    if scene.shape != tested.shape:
        raise ValueError(
            f"There are pixel numbers of {scene.size} classes and a matrix of {tested.size}; "
            "expected one for each class."
        )
    if (lacking := (scene > 0) & (tested == 0)).any():
        code = int(lacking.argmax())
        raise ValueError(
            f"Class {code} has {scene[code]:,} pixels in the scene and none in the test: test some "
            "of it, or leave it out of both."
        )
    return matrix * np.divide(scene, tested, out=np.zeros(tested.shape), where=tested > 0)


def class_scores(matrix: np.ndarray, crops: Sequence[Crop]) -> pd.DataFrame:
    """User's and producer's accuracy, F1, IoU and reference pixels of every class that occurs in
    map or reference.
    """
    _check_legend(matrix, crops)
    table = pd.DataFrame(
        by_class(matrix), index=pd.Index([crop.name for crop in crops], name="class")
    )
    return table[(matrix.sum(0) + matrix.sum(1)) > 0]


def summary(matrix: np.ndarray, crops: Sequence[Crop]) -> dict[str, float]:
    """Overall accuracy with and without background, kappa, and mean F1 and IoU over the crops.

    The crops are all classes but the background, if the legend has one (``cube.background``); those
    that occur in the reference count.
    """
    _check_legend(matrix, crops)
    scores = by_class(matrix)
    present = scores["pixels"] > 0
    code = background(crops)
    if code is not None:
        present[code] = False
    return {
        "overall accuracy": overall_accuracy(matrix),
        "overall accuracy, crops only": overall_accuracy(matrix, without=code),
        "kappa": kappa(matrix),
        "mean F1 of crops": float(scores["F1"][present].mean()) if present.any() else float("nan"),
        "mean IoU of crops": float(scores["IoU"][present].mean())
        if present.any()
        else float("nan"),
    }


def _check_legend(matrix: np.ndarray, crops: Sequence[Crop]) -> None:
    if np.shape(matrix) != (len(crops), len(crops)):
        raise ValueError(
            f"The matrix has shape {np.shape(matrix)}, but the legend has {len(crops)} classes: "
            "give both one legend."
        )


def disagreement(matrix: np.ndarray) -> tuple[float, float]:
    """Quantity and allocation disagreement; they sum to 1 - overall accuracy.

    Quantity: the classes have other shares in the map than in the reference. Allocation: right
    shares in wrong places. Both are shares of what the matrix counts: turn the counts of a
    stratified sample into a population matrix first (``area``). Pontius and Millones (2011),
    https://doi.org/10.1080/01431161.2011.552923, equations 2 to 5.
    """
    p = matrix / matrix.sum()
    mapped, reference, right = p.sum(1), p.sum(0), np.diag(p)
    quantity = np.abs(mapped - reference).sum() / 2
    allocation = np.minimum(mapped - right, reference - right).sum()
    return float(quantity), float(allocation)


# --------------------------------------------------------------------------------------- from files


def matrix_of_files(
    map_path: str | Path,
    reference_path: str | Path,
    classes: int,
    where_path: str | Path | None = None,
    align: str | None = None,
) -> np.ndarray:
    """The error matrix (K, K) of two class GeoTIFFs, read window by window, so that they may be
    larger than memory.

    ``where_path`` is a GeoTIFF of the pixels to count (not 0). Pixels that either file declares
    nodata are left out. Files on different grids raise ValueError, unless ``align="nearest"`` (see
    ``read_windows``).
    """
    matrix = np.zeros((classes, classes), dtype=np.int64)
    paths = [map_path, reference_path] + ([where_path] if where_path else [])
    for _, (mapped, reference, *where) in read_windows(*paths, align=align):
        matrix += error_matrix(
            mapped.data, reference.data, classes, counted(mapped, reference, *where)
        )
    return matrix


def counted(
    mapped: np.ma.MaskedArray, reference: np.ma.MaskedArray, where: np.ma.MaskedArray | None = None
) -> np.ndarray:
    """Which pixels (rows, columns) have data in map and reference, and are asked for."""
    keep = ~(np.ma.getmaskarray(mapped) | np.ma.getmaskarray(reference))
    return keep if where is None else keep & (where.filled(0) != 0)


def read_windows(
    *paths: str | Path, align: str | None = None
) -> Iterator[tuple[tuple[int, int], list[np.ma.MaskedArray]]]:
    """Read one-band GeoTIFFs together: ((row, column), one masked array for each file) of window
    after window.

    Nodata is masked; codes may be stored as floats, as GIS do. The first file sets the grid. Where
    another differs in CRS, transform or size, ValueError is raised, or with ``align="nearest"`` it
    is brought to the first one's grid by nearest neighbour, masked where it does not reach.
    """
    if align not in (None, "nearest"):
        raise ValueError(
            f"align is {align!r}; expected None or 'nearest', the one way to resample class codes."
        )
    with ExitStack() as stack:
        tifs = [stack.enter_context(open_geotiff(path)) for path in paths]
        first = tifs[0]
        for position, tif in enumerate(tifs):
            name = Path(tif.name).name
            if tif.count != 1 or np.dtype(tif.dtypes[0]).kind not in "iuf":
                raise ValueError(
                    f"'{name}' has {tif.count} band(s) of {tif.dtypes[0]}; expected one band of "
                    "whole numbers."
                )
            if difference := _difference(first, tif):
                if align is None:
                    raise ValueError(
                        f"'{Path(first.name).name}' and '{name}' lie on different grids "
                        f"({difference}): bring both to one grid, "
                        'or allow resampling to the first one\'s with align="nearest" (--align '
                        "nearest)."
                    )
                tifs[position] = stack.enter_context(_on_grid(tif, first))
        stack.enter_context(rasterio.Env(GDAL_CACHEMAX=_cache(tifs)))
        for row in range(0, first.height, WINDOW):
            for column in range(0, first.width, WINDOW):
                window = Window(
                    column, row, min(WINDOW, first.width - column), min(WINDOW, first.height - row)
                )
                yield (row, column), [_read_codes(tif, window) for tif in tifs]


def _cache(tifs: Sequence[rasterio.DatasetReader]) -> int:
    """Bytes that GDAL may keep: the blocks of one row of windows, so that none is read twice.

    By default it keeps blocks that nobody asks for again, in a twentieth of the machine's memory.
    """
    return sum(
        np.dtype(tif.dtypes[0]).itemsize
        * (tif.width + tif.block_shapes[0][1])
        * (WINDOW + 2 * tif.block_shapes[0][0])
        for tif in tifs
    )


def _read_codes(tif: rasterio.DatasetReader, window: Window) -> np.ma.MaskedArray:
    """Codes of a window, nodata masked; whole numbers that are stored as floats are whole again.

    Raises ValueError for fractions.
    """
    codes = tif.read(1, window=window, masked=True)
    if codes.dtype.kind in "iu":
        return codes
    known = ~np.ma.getmaskarray(codes) & np.isfinite(codes.data)
    numbers = np.where(known, codes.data, 0)
    broken = numbers != np.round(numbers)
    if broken.any():
        raise ValueError(
            f"'{Path(tif.name).name}' holds {numbers[broken][0]:g}; expected codes, whole numbers."
        )
    return np.ma.array(numbers.astype(np.int64), mask=~known)


def _difference(first: rasterio.DatasetReader, tif: rasterio.DatasetReader) -> str:
    """In words, how the grid of a GeoTIFF differs from the first one's; empty if it does not."""
    if tif.crs != first.crs:
        return f"CRS {first.crs} against {tif.crs}"
    if tif.shape != first.shape:
        return f"{first.height} x {first.width} against {tif.height} x {tif.width} pixels"
    here, there = (np.array(grid.transform[:6]) for grid in (first, tif))
    if np.abs(here - there).max() > 1e-3 * abs(here[0]):  # a thousandth of a pixel
        return f"upper left corner and pixel size {_corner(first)} against {_corner(tif)}"
    return ""


def _corner(tif: rasterio.DatasetReader) -> str:
    return f"({tif.transform.c:g}, {tif.transform.f:g}), {tif.res[0]:g} x {tif.res[1]:g}"


def _on_grid(tif: rasterio.DatasetReader, grid: rasterio.DatasetReader) -> WarpedVRT:
    """The file seen on another grid. It needs a nodata value: without one, GDAL would put 0, a
    class, where it does not reach.
    """
    if tif.crs is None or grid.crs is None:
        raise ValueError(
            f"'{Path(tif.name).name}' or the map has no coordinate reference system, so they "
            "cannot be aligned."
        )
    dtype = np.dtype(tif.dtypes[0])
    highest = np.nan if dtype.kind == "f" else np.iinfo(dtype).max
    nodata = highest if tif.nodata is None else tif.nodata
    return WarpedVRT(
        tif,
        crs=grid.crs,
        transform=grid.transform,
        height=grid.height,
        width=grid.width,
        resampling=Resampling.nearest,
        nodata=nodata,
    )


# ------------------------------------------------------------------------------- sure, and rightly?


def calibration(
    probabilities: np.ndarray, reference: np.ndarray, bins: int = 10
) -> tuple[pd.DataFrame, float]:
    """Reliability table of the mapped class, and the expected calibration error.

    ``probabilities`` is (K, ...), ``reference`` (...) the class codes; pixels without probabilities
    (NaN) are left out. The table has for each of ``bins`` equal steps of confidence (the highest
    probability) its mean, the share mapped right and the count. The error is the mean gap between
    the two, weighted with the count: Guo et al. (2017), https://arxiv.org/abs/1706.04599, equation
    3. Raises ValueError for shapes that do not fit and probabilities that do not sum to one.
    """
    check_probabilities(probabilities)
    reference = np.asarray(reference)
    if probabilities.shape[1:] != reference.shape:
        raise ValueError(
            f"The probabilities have shape {probabilities.shape}, the reference "
            f"{reference.shape}; expected (K, ...) and (...)."
        )
    known = np.isfinite(probabilities[0])
    confidence, right = probabilities.max(0)[known], (probabilities.argmax(0) == reference)[known]
    step = np.minimum((confidence * bins).astype(int), bins - 1)
    count = np.bincount(step, minlength=bins)
    with np.errstate(invalid="ignore"):
        table = pd.DataFrame(
            {
                "confidence": np.bincount(step, confidence, bins) / count,
                "accuracy": np.bincount(step, right, bins) / count,
                "count": count,
            },
            index=pd.IntervalIndex.from_breaks(
                np.linspace(0, 1, bins + 1).round(6), closed="left", name="bin"
            ),
        )
    gap = (table["confidence"] - table["accuracy"]).abs()
    return table, float((gap * count).sum() / max(count.sum(), 1))


def entropy(probabilities: np.ndarray) -> np.ndarray:
    """Shannon entropy of class probabilities (K, ...) in bits: 0 = one class for sure, log2(K) =
    any class alike; NaN stays NaN.
    """
    check_probabilities(probabilities)
    return entr(probabilities).sum(0) / np.log(2)


def margin(probabilities: np.ndarray) -> np.ndarray:
    """How far the mapped class leads: highest minus second highest of class probabilities (K, ...);
    NaN stays NaN.
    """
    check_probabilities(probabilities)
    second, first = np.partition(probabilities, -2, axis=0)[-2:]
    return first - second


def check_probabilities(probabilities: np.ndarray) -> None:
    """Raise ValueError unless the classes' probabilities (K, ...) sum to one (to 0.001) wherever
    they are not NaN.
    """
    total = probabilities.sum(0)
    wrong = total[(np.abs(total - 1) > 1e-3) | (probabilities.min(0) < 0)]
    if len(wrong):
        raise ValueError(
            f"The probabilities of {wrong.size} pixel(s) are negative or sum to "
            f"{wrong.flat[0]:.3f}, not to 1: "
            "give the softmax over the first axis, (K, ...), not the logits."
        )
