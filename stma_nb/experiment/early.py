"""How early in the season is a crop known? Accuracy with the dates up to each acquisition."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import xarray as xr

from stma_nb import accuracy, cube, predict, train


def accuracy_by_date(
    season: xr.Dataset,
    learn: np.ndarray,
    test: np.ndarray,
    fit: Callable[[xr.Dataset, np.ndarray], train.Trained] = train.fit_forest,
    progress: bool = True,
) -> pd.DataFrame:
    """Train and test anew with the first date, the first two, and so on to the whole season.

    Filter the season's speckle before, date by date as ``radar.boxcar`` does: ``radar.quegan_yu``
    averages over all dates, so that early ones would know of later ones.

    Args:
        season: with labels; ``learn`` and ``test`` are masks of its pixels (rows, columns), such as
            ``parts == patches.TRAIN``.
        fit: trains on a season and a mask: ``train.fit_forest``, ``train.fit_boosting``, or a
            function of your own.
        progress: print a line for each date.

    Returns a row for each acquisition, ``last date``, with the columns ``overall accuracy``,
    ``overall accuracy, crops only`` and the F1 of every crop that the test part holds, by its name;
    all of the test pixels. Rises and falls of a point or two between dates are chance. Raises
    ValueError if the test part holds no pixel, and what ``fit`` raises.
    """
    if not np.any(test):
        raise ValueError("The test part holds no pixel: choose another split.")
    crops = cube.legend(season)
    crop = season.crop.values
    background = cube.background(crops)
    left_out = (background, cube.UNKNOWN)
    tested = [code for code in np.unique(crop[test]).tolist() if code not in left_out]
    rows = {}
    for last, day in enumerate(season.time.values, start=1):
        known = season.isel(time=slice(last))
        mapped = predict.season_codes(fit(known, learn), known)
        matrix = accuracy.error_matrix(mapped, crop, len(crops), test)
        f1 = accuracy.by_class(matrix)["F1"]
        row = {
            "overall accuracy": accuracy.overall_accuracy(matrix),
            "overall accuracy, crops only": accuracy.overall_accuracy(matrix, background),
        } | {crops[code].name: f1[code] for code in tested}
        rows[day] = row
        if progress:
            print(
                f"up to {np.datetime_as_string(day, 'D')} ({last} of {season.sizes['time']}): "
                f"{row['overall accuracy, crops only']:.1%} of the crop pixels are right",
                flush=True,
            )
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("last date")
