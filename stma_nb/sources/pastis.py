"""PASTIS-R: 2433 patches of French farmland with Sentinel-1 series and crop labels.

PASTIS-R, https://doi.org/10.5281/zenodo.5735646 (54 GB zipped, with Sentinel-2), of Sainte Fare
Garnot, Landrieu and Chehata, https://doi.org/10.1016/j.isprsjprs.2022.03.012; its licence stands in
the Zenodo record (IGN's PASTIS-HD, which contains it, has Etalab 2.0). The folder holds
``metadata.geojson`` (a feature a patch: ID_PATCH, Fold 1 .. 5, dates-S1A and dates-S1D as {"0":
20180902, ...}), ``DATA_S1A/S1A_{id}.npy`` (ascending) and ``DATA_S1D/S1D_{id}.npy`` (descending)
with dates x (VV, VH, VV/VH) x 128 x 128 in dB, and ``ANNOTATIONS/TARGET_{id}.npy``, whose first
layer is the class. A patch has about 70 acquisitions a track, on dates of its own.
"""

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from stma_nb.cube import Crop, SeasonError, check_levels, to_power
from stma_nb.patches import IGNORE, Scaling
from stma_nb.sources.series import FilePatches, common_calendar, to_calendar

URL = "https://zenodo.org/records/5735646/files/PASTIS-R.zip?download=1"
CHECKSUM = "md5:4887513d6c2d2b07fa935d325bd53e09"
SIDE = 128
VOID = 19  # parcels mostly outside their patch
CROPS = (
    Crop("Background", "#dddddd"),
    Crop("Meadow", "#009e73"),
    Crop("Soft winter wheat", "#f0e442"),
    Crop("Corn", "#d55e00"),
    Crop("Winter barley", "#e69f00"),
    Crop("Winter rapeseed", "#56b4e9"),
    Crop("Spring barley", "#ffcc80"),
    Crop("Sunflower", "#ffb000"),
    Crop("Grapevine", "#882255"),
    Crop("Beet", "#0072b2"),
    Crop("Winter triticale", "#b5a642"),
    Crop("Winter durum wheat", "#c7b42c"),
    Crop("Fruits, vegetables, flowers", "#aa4499"),
    Crop("Potatoes", "#661100"),
    Crop("Leguminous fodder", "#332288"),
    Crop("Soybeans", "#6699cc"),
    Crop("Orchard", "#117733"),
    Crop("Mixed cereal", "#999933"),
    Crop("Sorghum", "#cc79a7"),
)


def open_pastis(
    folder: str | Path,
    folds: int | Sequence[int] = (1, 2, 3),
    track: str = "S1A",
    dates: int | np.ndarray = 41,
    scaling: Scaling | None = None,
    augment: bool | tuple[Callable, ...] = False,
) -> FilePatches:
    """The patches of some folds for training (``train.fit``), one in memory at a time.

    Void pixels are ignored.

    Args:
        folder: the unpacked PASTIS-R.
        folds: the official folds (1 .. 5) to take. Neighbouring patches lie in one fold; usual are
            1-3, 4 and 5 for training, validation and test, in turns.
        track: ``"S1A"`` (ascending orbits) or ``"S1D"`` (descending).
        dates: the calendar that all patches are brought to (``series.to_calendar``: the nearest
            acquisition): datetime64 (T,), or a number of evenly spaced dates in the period that all
            2433 patches share, the same for every fold.
        scaling: that of the training folds; without it the statistics of these folds are computed,
            which reads every patch once.
        augment: as of ``patches.PatchDataset``.

    Raises FileNotFoundError or SeasonError if files, dates or folds are missing or do not fit.
    """
    folder = Path(folder)
    folds = (folds,) if isinstance(folds, int) else tuple(folds)
    if track not in ("S1A", "S1D"):
        raise SeasonError(
            f"The track is '{track}'; expected 'S1A' (ascending) or 'S1D' (descending)."
        )
    fold_of, times = metadata(folder, track)
    unknown = sorted(set(folds) - set(fold_of.values()))
    if unknown:
        raise SeasonError(
            f"There is no fold {unknown[0]}; metadata.geojson has {sorted(set(fold_of.values()))}."
        )
    ids = [patch for patch in times if fold_of[patch] in folds]
    lost = [file for patch in ids for file in _files(folder, track, patch) if not file.exists()]
    if lost:
        raise FileNotFoundError(
            f"{len(lost)} files of these folds are missing, the first '{lost[0]}': "
            "unpack PASTIS-R again."
        )
    if isinstance(dates, int):
        calendar = common_calendar(list(times.values()), dates)
    else:
        calendar = np.asarray(dates, "M8[ns]")
    images, _ = _files(folder, track, ids[0])
    check_levels(np.array(_load(images)[:, :2]), "dB", f"'{images.name}'")
    read = partial(_read, folder, track, {patch: times[patch] for patch in ids}, calendar)
    return FilePatches(ids, read, calendar, CROPS, SIDE, scaling, augment)


def metadata(
    folder: str | Path, track: str = "S1A"
) -> tuple[dict[int, int], dict[int, np.ndarray]]:
    """The fold and the acquisition times (datetime64) of every patch, by ID_PATCH.

    Read from ``metadata.geojson``. Raises FileNotFoundError, or SeasonError for a patch without
    fold or without dates of the track.
    """
    file = Path(folder) / "metadata.geojson"
    if not file.exists():
        raise FileNotFoundError(
            f"There is no '{file}': get PASTIS-R first "
            f"(python -m stma_nb data pastis {folder} --download)."
        )
    try:
        features = json.loads(file.read_text(encoding="utf-8"))["features"]
    except (ValueError, KeyError, TypeError) as error:
        raise SeasonError(f"'{file}' is no GeoJSON, or truncated: unpack it again.") from error
    folds = {}
    times = {}
    for feature in features:
        properties = feature["properties"]
        patch = int(properties.get("ID_PATCH", feature.get("id")))
        days = properties.get(f"dates-{track}")
        if isinstance(days, str):  # as some tools write the file again
            days = json.loads(days)
        if not days or "Fold" not in properties:
            lacking = "Fold" if days else f"dates-{track}"
            raise SeasonError(
                f"Patch {patch} has no {lacking} in metadata.geojson; expected it there."
            )
        ordered = [str(days[key]) for key in sorted(days, key=int)]
        folds[patch] = int(properties["Fold"])
        times[patch] = np.array([f"{day[:4]}-{day[4:6]}-{day[6:8]}" for day in ordered], "M8[ns]")
    return folds, times


def _files(folder: Path, track: str, patch: int) -> tuple[Path, Path]:
    """(images, labels) of a patch."""
    images = folder / f"DATA_{track}" / f"{track}_{patch}.npy"
    return images, folder / "ANNOTATIONS" / f"TARGET_{patch}.npy"


def _load(file: Path) -> np.ndarray:
    try:
        return np.load(file, mmap_mode="r")  # never pickled objects
    except (ValueError, EOFError) as error:
        raise SeasonError(
            f"'{file.name}' is no NumPy file, or truncated: unpack it again."
        ) from error


def _read(
    folder: Path, track: str, times: dict[int, np.ndarray], calendar: np.ndarray, patch: int
) -> tuple[np.ndarray, np.ndarray]:
    """Power (T, 2, 128, 128), VH first, and labels of one patch."""
    images, target = map(_load, _files(folder, track, patch))
    if images.shape != (len(times[patch]), 3, SIDE, SIDE):
        raise SeasonError(
            f"{track}_{patch}.npy is {images.shape}; "
            f"expected {(len(times[patch]), 3, SIDE, SIDE)}: dates, bands, pixels."
        )
    y = np.array(target[0] if target.ndim == 3 else target, np.int64)
    if y.shape != (SIDE, SIDE) or y.min() < 0 or y.max() > VOID:
        raise SeasonError(
            f"TARGET_{patch}.npy is {y.shape} with codes {y.min()} .. {y.max()}; "
            "expected 128 x 128 codes 0 .. 19."
        )
    y[y == VOID] = IGNORE
    vh_vv = images[:, [1, 0]]  # the file has VV, VH, VV/VH
    return to_calendar(to_power(vh_vv, "dB"), times[patch], calendar), y
