"""How good is the map? Error matrix and the scores read from it. Rows are the map, columns are the reference, everywhere."""

import numpy as np
import pandas as pd

from stma_nb.cube import Crop


def error_matrix(mapped: np.ndarray, reference: np.ndarray, classes: int, where: np.ndarray | None = None) -> np.ndarray:
    """Count pixels by mapped class (rows) and reference class (columns): (K, K) integers.

    ``where`` picks the pixels to count, say the test part of a split. Pixels with a map code outside the legend (nodata, 255)
    are left out; a reference code outside it raises ValueError, as do arrays of different shape.
    """
    mapped, reference = np.asarray(mapped), np.asarray(reference)
    if mapped.shape != reference.shape:
        raise ValueError(f"The map has shape {mapped.shape}, the reference {reference.shape}: bring both to one grid first.")
    keep = (mapped >= 0) & (mapped < classes)
    if where is not None:
        keep &= np.asarray(where, dtype=bool)
    rows, columns = mapped[keep].astype(np.int64), reference[keep].astype(np.int64)
    wrong = columns[(columns < 0) | (columns >= classes)]
    if len(wrong):
        raise ValueError(f"The reference holds code {wrong[0]}, outside the legend (0 .. {classes - 1}): recode or mask it.")
    return np.bincount(rows * classes + columns, minlength=classes * classes).reshape(classes, classes)


def overall_accuracy(matrix: np.ndarray, background: bool = True) -> float:
    """Share of pixels mapped right; with ``background=False`` among the pixels whose reference is a crop (not code 0)."""
    counted = matrix if background else matrix[:, 1:]
    right = np.trace(matrix) if background else np.trace(matrix[1:, 1:])
    return float(right / counted.sum()) if counted.sum() else float("nan")


def kappa(matrix: np.ndarray) -> float:
    """Cohen's kappa, agreement beyond chance; given because readers ask for it, though it says little that OA does not.

    See Foody (2020), https://doi.org/10.1016/j.rse.2019.111630, on why not to rely on it.
    """
    p = matrix / matrix.sum()
    chance = p.sum(0) @ p.sum(1)
    return float((np.trace(p) - chance) / (1 - chance))


def class_scores(matrix: np.ndarray, crops: tuple[Crop, ...]) -> pd.DataFrame:
    """User's and producer's accuracy, F1, IoU and reference pixels of every class that occurs in map or reference."""
    right, mapped, reference = np.diag(matrix), matrix.sum(1), matrix.sum(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        table = pd.DataFrame(
            {
                "user's": right / mapped,
                "producer's": right / reference,
                "F1": 2 * right / (mapped + reference),
                "IoU": right / (mapped + reference - right),
                "pixels": reference,
            },
            index=pd.Index([crop.name for crop in crops], name="class"),
        )
    return table[(mapped + reference) > 0]


def summary(matrix: np.ndarray, crops: tuple[Crop, ...]) -> dict[str, float]:
    """Overall accuracy with and without background, kappa, and mean F1 and IoU over the crops present in the reference."""
    scores = class_scores(matrix, crops)
    present = scores[(scores["pixels"] > 0) & (scores.index != crops[0].name)]
    return {
        "overall accuracy": overall_accuracy(matrix),
        "overall accuracy, crops only": overall_accuracy(matrix, background=False),
        "kappa": kappa(matrix),
        "mean F1 of crops": float(present["F1"].mean()),
        "mean IoU of crops": float(present["IoU"].mean()),
    }
