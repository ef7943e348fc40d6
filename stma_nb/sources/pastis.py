"""PASTIS-R: 2433 patches of French farmland with Sentinel-1 series and crop labels.

PASTIS-R, https://doi.org/10.5281/zenodo.5735646 (54 GB zipped, with Sentinel-2), of Sainte Fare
Garnot, Landrieu and Chehata, https://doi.org/10.1016/j.isprsjprs.2022.03.012; its licence stands in
the Zenodo record (IGN's PASTIS-HD, which contains it, has Etalab 2.0). The folder holds
``metadata.geojson`` (a feature a patch: ID_PATCH, Fold 1 .. 5, dates-S1A and dates-S1D as {"0":
20180902, ...}), ``DATA_S1A/S1A_{id}.npy`` (ascending) and ``DATA_S1D/S1D_{id}.npy`` (descending)
with dates x (VV, VH, VV/VH) x 128 x 128 in dB, and ``ANNOTATIONS/TARGET_{id}.npy``, whose first
layer is the class. A patch has about 70 acquisitions a track, on dates of its own.

PASTIS-HD (Astruc et al., 2024, https://arxiv.org/abs/2404.08351; IGN, Etalab 2.0) holds the same
radar and labels in plain files, one a patch, so that a few patches can be had alone: ``fetch_few``.
A polygon in ``metadata.geojson`` (EPSG:2154) says where a patch lies.
"""

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import xarray as xr
from rasterio.warp import transform
from scipy.spatial import KDTree

from stma_nb.cube import UNKNOWN, Crop, SeasonError, check_levels, check_season, flags, to_power
from stma_nb.patches import IGNORE, Scaling
from stma_nb.sources.fetch import fetch
from stma_nb.sources.series import FilePatches, common_calendar, to_calendar

URL = "https://zenodo.org/records/5735646/files/PASTIS-R.zip?download=1"
CHECKSUM = "md5:4887513d6c2d2b07fa935d325bd53e09"
COMMIT = "67f0503c3bec6a1156fb8548bf5e2daf1c77804a"
HD = f"https://huggingface.co/datasets/IGNF/PASTIS-HD/resolve/{COMMIT}"
LICENCE = "Etalab 2.0"
CREDIT = "Contains modified Copernicus Sentinel data 2018-2019; PASTIS-HD, IGN (Etalab 2.0)"
# What the host states of the ascending images of these patches.
SHA256 = {
    10000: "32854eb4d99744f6536e9b42c238d36f6602810e3f8d8fc8b84d5e01298407fb",
    10007: "7d3e782ca8b65ad11d09148359841e909a40a114f9336c8d07e03d56a4b6652a",
    10017: "7d13f4c3d279fc804380d518dc9e0b13ed00898f575432d39b5fda73fe65f981",
    10018: "45676e5161320bd1d18eed2a682c3d1374d54bf24ec27425197a5684a06fb6de",
    10019: "1a9041278e01e86af878627292c8e19074a333b44f9887d037160057e346466e",
    10021: "573d39f88a0f1eb74280a145bf8d8a53408725324709bfca1bf217e4b1e1f414",
    10032: "ccda75fb43b6f4d28a0c94e564237706540fd0eba28591cd4e5a759352f4063b",
    10035: "83d8fbc23407ee95d008d8f7459f23505266f039e479962a1ff386830e04eef4",
    10041: "9aebd96e49a930be24e7b018b9ed7729a1637dc6569f61410ae999c88e4f2228",
    10042: "e8b5163db81c55cef9e0412c6026e9594a1e5724636a648c37b719da013f90e3",
    10043: "c248d4c8f0fcd1067c3086f5f3f9d7582d655471354dc256a28567385cc7f842",
    10044: "66831a5575e3d6207619d7f85e05e8398b64b7553f9f2ab858af600f5ec2d048",
}
HEADER = 128  # bytes before the numbers of a .npy file
PIXEL = 10  # metres
SPARSE = 10  # a scene may be as many times larger than its patches
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

    Takes the patches that are there, images and labels, and says how many of the folds' they are.
    Void pixels are ignored.

    Args:
        folder: the unpacked PASTIS-R, or what ``fetch_few`` brought.
        folds: the official folds (1 .. 5) to take. Neighbouring patches lie in one fold; usual are
            1-3, 4 and 5 for training, validation and test, in turns.
        track: ``"S1A"`` (ascending orbits) or ``"S1D"`` (descending).
        dates: the calendar that all patches are brought to (``series.to_calendar``: the nearest
            acquisition): datetime64 (T,), or a number of evenly spaced dates in the period that all
            2433 patches share, the same for every fold.
        scaling: that of the training folds; without it the statistics of these folds are computed,
            which reads every patch once.
        augment: as of ``patches.PatchDataset``.

    Raises FileNotFoundError if no patch of the folds is there, SeasonError if track, folds, dates
    or files do not fit.
    """
    folder = Path(folder)
    folds = (folds,) if isinstance(folds, int) else tuple(folds)
    fold_of, times = metadata(folder, track)
    _check_folds(folds, fold_of)
    wanted = [patch for patch in times if fold_of[patch] in folds]
    ids = there(folder, wanted, track)
    which = ", ".join(map(str, folds))
    if not ids:
        images, _ = _files(folder, track, wanted[0])
        raise FileNotFoundError(
            f"None of the {len(wanted)} patches of fold {which} is in '{folder}' (the first would "
            f"be '{images.name}', with its labels): fetch some (python -m stma_nb data pastis "
            f"{folder} --patches 16)."
        )
    print(f"{len(ids)} of {len(wanted)} patches of fold {which} are in '{folder}'.")
    if isinstance(dates, int):
        calendar = common_calendar(list(times.values()), dates)
    else:
        calendar = np.asarray(dates, "M8[ns]")
    images, _ = _files(folder, track, ids[0])
    check_levels(np.array(_load(images)[:, :2]), "dB", f"'{images.name}'")
    read = partial(_read, folder, track, {patch: times[patch] for patch in ids}, calendar)
    return FilePatches(ids, read, calendar, CROPS, SIDE, scaling, augment)


def there(folder: str | Path, patches: Sequence[int], track: str = "S1A") -> list[int]:
    """Those of the patches whose images and labels both lie in the folder."""
    return [p for p in patches if all(file.exists() for file in _files(Path(folder), track, p))]


def fetch_few(
    folder: str | Path,
    patches: int | Sequence[int] = 16,
    folds: Sequence[int] = (),
    track: str = "S1A",
) -> list[int]:
    """Bring some patches of PASTIS-HD to ``folder``, 6.4 MB each, and return their ID_PATCH.

    ``patches`` is how many (``neighbours`` of some folds, or of any) or which. What is there is
    kept, and a fetch that was cut off goes on with the same call. Checked are the SHA-256 where the
    host states it, and the size, which follows from the number of dates.

    Raises OSError as ``fetch.fetch``, ValueError for a file that is not the published one, and
    SeasonError for patches or folds that do not exist.
    """
    folder = Path(folder)
    fetch(f"{HD}/metadata.geojson", folder)
    _, times = metadata(folder, track)
    ids = neighbours(folder, patches, folds) if isinstance(patches, int) else list(patches)
    unknown = [patch for patch in ids if patch not in times]
    if unknown:
        raise SeasonError(f"There is no patch {unknown[0]}; metadata.geojson lists {len(times)}.")
    for patch in ids:
        images, labels = _files(folder, track, patch)
        stated = SHA256.get(patch) if track == "S1A" else None
        address = f"{HD}/{images.parent.name}/{images.name}"
        fetch(address, images.parent, f"sha256:{stated}" if stated else None)
        size = HEADER + len(times[patch]) * 3 * SIDE * SIDE * 2  # float16
        if images.stat().st_size != size:
            raise ValueError(
                f"'{images}' has {images.stat().st_size} bytes; expected {size} for its "
                f"{len(times[patch])} dates: delete it and fetch it again."
            )
        fetch(f"{HD}/{labels.parent.name}/{labels.name}", labels.parent)
    return ids


def neighbours(folder: str | Path, count: int, folds: Sequence[int] = ()) -> list[int]:
    """ID_PATCH of ``count`` patches that lie together, so that they make a scene.

    With ``folds`` each fold gives an equal share of them, together within the fold, so that what
    is trained on in one fold is tested in another. Raises SeasonError if there are not so many.
    """
    fold_of, _ = metadata(folder)
    middle = {patch: np.mean(corners, 0) for patch, corners in outlines(folder).items()}
    _check_folds(folds, fold_of)
    groups = [[p for p in middle if fold_of[p] == fold] for fold in folds] or [list(middle)]
    shares = [len(share) for share in np.array_split(np.arange(count), len(groups))]
    chosen = []
    for group, share in zip(groups, shares, strict=True):
        if not 0 < share <= len(group):
            raise SeasonError(
                f"{count} patches were asked for; expected {len(groups)} to "
                f"{len(groups) * min(map(len, groups))}."
            )
        places = np.array([middle[patch] for patch in group])
        apart, nearest = KDTree(places).query(places, range(1, share + 1))  # itself is the first
        tightest = apart.sum(1).argmin()
        chosen += [group[number] for number in nearest[tightest]]
    return chosen


def scene(
    folder: str | Path, patches: Sequence[int], track: str = "S1A", dates: int = 41
) -> xr.Dataset:
    """Patches that lie on one grid as one season (time, y, x), NaN between them.

    Each has its own dates: all are brought to a common calendar of ``dates``. The class of void
    pixels, and of those between the patches, is unknown (``cube.UNKNOWN``). Raises SeasonError for
    patches of two UTM zones, or far apart, and as ``open_pastis``.
    """
    folder = Path(folder)
    _, times = metadata(folder, track)
    outline, features = outlines(folder), _features(folder)
    tiles = [str(features[patch]["properties"].get("TILE")) for patch in patches]  # t30uxv: zone 30
    zones = sorted({tile.upper().removeprefix("T")[:2] for tile in tiles})
    if len(zones) != 1 or not zones[0].isdigit():
        raise SeasonError(
            f"The patches lie in the tiles {', '.join(sorted(set(tiles)))}; expected tiles of one "
            "UTM zone, such as t30uxv: choose other patches."
        )
    crs = f"EPSG:326{zones[0]}"
    corner = {}  # west and north edge of each patch, metres in UTM
    for patch in patches:
        x, y = transform("EPSG:2154", crs, *outline[patch].T)
        if not np.allclose([np.ptp(x), np.ptp(y)], SIDE * PIXEL, atol=PIXEL / 2):
            raise SeasonError(
                f"The polygon of patch {patch} is {np.ptp(x):.0f} m by {np.ptp(y):.0f} m in {crs}; "
                f"expected a square of {SIDE * PIXEL} m."
            )
        corner[patch] = round(min(x), -1), round(max(y), -1)
    west, north = min(x for x, _ in corner.values()), max(y for _, y in corner.values())
    place = {
        patch: (int(north - y) // PIXEL, int(x - west) // PIXEL) for patch, (x, y) in corner.items()
    }
    rows, columns = np.max(list(place.values()), axis=0) + SIDE
    if rows * columns > SPARSE * len(patches) * SIDE**2:
        raise SeasonError(
            f"The {len(patches)} patches lie over {rows} x {columns} pixels: choose neighbours."
        )
    calendar = common_calendar([times[patch] for patch in patches], dates)
    power = np.full((dates, 2, rows, columns), np.nan, np.float32)
    crop = np.full((rows, columns), UNKNOWN, np.uint8)
    for patch, (row, column) in place.items():
        window = slice(row, row + SIDE), slice(column, column + SIDE)
        values, labels = _read(folder, track, times, calendar, patch)
        power[:, :, *window] = values
        crop[window] = np.where(labels == IGNORE, UNKNOWN, labels)
    attrs = {"units": "1"}
    season = xr.Dataset(
        {name: (("time", "y", "x"), power[:, b], attrs) for b, name in enumerate(("vh", "vv"))},
        {
            "time": calendar,
            "y": north - PIXEL * (np.arange(rows) + 0.5),
            "x": west + PIXEL * (np.arange(columns) + 0.5),
        },
        {"credit": CREDIT, "licence": LICENCE},
    )
    season["crop"] = (("y", "x"), crop, flags(CROPS))
    return check_season(season.rio.write_crs(crs))


def metadata(
    folder: str | Path, track: str = "S1A"
) -> tuple[dict[int, int], dict[int, np.ndarray]]:
    """The fold and the acquisition times (datetime64) of every patch, by ID_PATCH.

    Read from ``metadata.geojson``. Raises FileNotFoundError, or SeasonError for a patch without
    fold or without dates of the track.
    """
    if track not in ("S1A", "S1D"):
        raise SeasonError(
            f"The track is '{track}'; expected 'S1A' (ascending) or 'S1D' (descending)."
        )
    folds = {}
    times = {}
    for patch, feature in _features(folder).items():
        properties = feature["properties"]
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


def outlines(folder: str | Path) -> dict[int, np.ndarray]:
    """Where every patch lies: the corners (n, 2) of its polygon in EPSG:2154, by ID_PATCH.

    Raises SeasonError for a patch without a polygon.
    """
    found = {}
    for patch, feature in _features(folder).items():
        try:
            ring = feature["geometry"]["coordinates"][0]
            ring = ring[0] if feature["geometry"]["type"] == "MultiPolygon" else ring
            found[patch] = np.array(ring, float)[:, :2]
        except (TypeError, KeyError, IndexError, ValueError) as error:
            raise SeasonError(
                f"Patch {patch} has no polygon in metadata.geojson; expected it there."
            ) from error
    return found


def _features(folder: str | Path) -> dict[int, dict]:
    """The features of ``metadata.geojson`` by ID_PATCH."""
    file = Path(folder) / "metadata.geojson"
    if not file.exists():
        raise FileNotFoundError(
            f"There is no '{file}': get PASTIS-R first "
            f"(python -m stma_nb data pastis {folder} --patches 16, or --download for all)."
        )
    try:
        features = json.loads(file.read_text(encoding="utf-8"))["features"]
    except (ValueError, KeyError, TypeError) as error:
        raise SeasonError(f"'{file}' is no GeoJSON, or truncated: fetch it again.") from error
    return {int(f["properties"].get("ID_PATCH", f.get("id"))): f for f in features}


def _check_folds(folds: Sequence[int], fold_of: dict[int, int]) -> None:
    unknown = sorted(set(folds) - set(fold_of.values()))
    if unknown:
        raise SeasonError(
            f"There is no fold {unknown[0]}; metadata.geojson has {sorted(set(fold_of.values()))}."
        )


def _files(folder: Path, track: str, patch: int) -> tuple[Path, Path]:
    """(images, labels) of a patch."""
    images = folder / f"DATA_{track}" / f"{track}_{patch}.npy"
    return images, folder / "ANNOTATIONS" / f"TARGET_{patch}.npy"


def _load(file: Path) -> np.ndarray:
    try:
        return np.load(file, mmap_mode="r")  # never pickled objects
    except (ValueError, EOFError) as error:
        raise SeasonError(
            f"'{file.name}' is no NumPy file, or truncated: fetch it again."
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
