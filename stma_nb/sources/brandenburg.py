"""The Brandenburg data of the STMA paper: two MATLAB cubes and a label map, as a lazy season.

Files, made by the authors of Han et al. (2023), https://doi.org/10.1016/j.isprsjprs.2023.11.016:
``VH_cut.mat`` and ``VV_cut.mat`` (MATLAB v7.3 = HDF5, one variable, rows x columns x dates: 3731 x
5095 x 41), ``label.mat`` (MATLAB v5: ``label`` of 2017-18 or, with the second data set,
``label_s2`` of 2020-21), and ``train_list.npz``, which their code prepares. Their release states no
licence: do not pass the data on. Nor does it state units, dates or position, so these are asked
for, or filled in, and said so.
"""

import math
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import dask.array as da
import h5py
import numpy as np
import pandas as pd
import rioxarray  # noqa: F401  (the accessor .rio)
import scipy.io
import torch
import xarray as xr
from torch.utils.data import Dataset

from stma_nb.cube import (
    BRANDENBURG,
    CHUNK,
    Scale,
    SeasonError,
    check_season,
    flags,
    guess_scale,
    to_power,
)
from stma_nb.radar import to_db

SOURCE = (
    "the authors' repository https://github.com/hanzhu97702/ISPRS_STMA links it: "
    "https://drive.google.com/drive/folders/177uZK8VwIcCiBspsfs4GoXxUavP4uA2p or "
    "https://pan.baidu.com/s/1g0e9toTicVlyuhdSWF2wXg?pwd=6fqa"
)
# Mean and standard deviation (dB) of VH and of VV over the release, by the variable of its labels;
# stated in the settings of SL-GT2Net, which learns from the same release.
RELEASE = {
    "label": ((-16.37, 3.12), (-10.59, 3.20)),  # 2017-18
    "label_s2": ((-16.54, 3.07), (-10.91, 2.89)),  # 2020-21
}
NEAR = 1.0  # dB: a sample of windows of the release is no farther from the whole
PIXEL = 10.0  # metres
NOWHERE = (  # a metric grid at 0 N 0 E, in the sea: nobody will take it for the true place
    'PROJCS["Brandenburg pixel grid, true position unknown",'
    'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],'
    'PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]],'
    'PROJECTION["Transverse_Mercator"],'
    'PARAMETER["latitude_of_origin",0],PARAMETER["central_meridian",0],'
    'PARAMETER["scale_factor",1],PARAMETER["false_easting",0],PARAMETER["false_northing",0],'
    'UNIT["metre",1]]'
)


# ------------------------------------------------------------------------------------------- season


def open_brandenburg(
    folder: str | Path,
    dates: str | Sequence,
    key: str = "label",
    scale: Scale | None = None,
    grid: tuple[str, float, float] | None = None,
) -> xr.Dataset:
    """Open the authors' cubes and labels lazily as a season cube.

    Windows are read from HDF5 when they are used.

    Args:
        folder: holds VH_cut.mat, VV_cut.mat and label.mat.
        dates: the acquisition dates in order, or ``"index"`` for placeholders: every 6 days from
            2001-01-01, long before Sentinel-1. The network learns the same with them; phenology,
            and a map of another season, need the true ones.
        key: the variable of label.mat: ``"label"`` (2017-18) or ``"label_s2"`` (2020-21).
        scale: of the cubes: ``"dB"``, ``"power"`` or (slope, intercept) of dB = slope * value +
            intercept; by default told from the numbers in the middle of the scene. ``vv`` and
            ``vh`` are linear power in any case.
        grid: CRS, x of the left and y of the upper edge, in metres; by default a pixel grid at 0 N
            0 E whose CRS says so.

    Raises FileNotFoundError (with the place to get them) or SeasonError if files are missing,
    damaged, swapped or do not fit.
    """
    folder = Path(folder)
    names = ("VH_cut.mat", "VV_cut.mat", "label.mat")
    missing = [name for name in names if not (folder / name).exists()]
    if missing:
        raise FileNotFoundError(
            f"'{folder}' lacks {', '.join(missing)}: get the data first ({SOURCE})."
        )
    crop = _labels(folder / "label.mat", key)
    vv, vh = _open_bands(folder, crop.shape, scale)
    crs, west, north = grid or (NOWHERE, 0.0, PIXEL * crop.shape[0])
    season = xr.Dataset(
        {
            "vv": _lazy(vv, "VV"),
            "vh": _lazy(vh, "VH"),
            "crop": (("y", "x"), crop, flags(BRANDENBURG)),
        },
        coords={
            "time": _dates(dates, vv.shape[0]),
            "y": north - PIXEL * (np.arange(crop.shape[0]) + 0.5),  # centres of the pixels
            "x": west + PIXEL * (np.arange(crop.shape[1]) + 0.5),
        },
        attrs={
            "title": f"Brandenburg, data of Han et al. (2023), labels '{key}'",
            "dates": _origin_of(dates),
            "position": "given by the user" if grid else "unknown, placed at 0 N 0 E",
            "scale_in_file": str(vv.scale),
        },
    )
    season = season.rio.write_crs(crs)
    check_season(season)
    return season  # as it was: linear power already, of which a window reads no more than itself


def compare_with_release(season: xr.Dataset, key: str = "label") -> str:
    """One sentence: do the levels of a download fit those known of the authors' release?

    Mean and standard deviation of VH and VV (dB) in 25 windows of all dates, spread over the scene.
    The two seasons of the release are too alike to be told apart so.
    """
    known = RELEASE[key]
    rows, columns = (np.linspace(0, max(0, size - 64), 5).astype(int) for size in season.crop.shape)
    windows = [
        season[["vh", "vv"]].isel(y=slice(row, row + 64), x=slice(column, column + 64))
        for row in rows
        for column in columns
    ]
    found = []
    for name in ("vh", "vv"):
        power = np.concatenate([window[name].values.ravel() for window in windows])
        level = to_db(power[power > 0])
        found.append((float(level.mean()), float(level.std())))

    def near(levels: Sequence[tuple[float, float]]) -> bool:
        return bool(np.abs(np.subtract(levels, known)).max() < NEAR)

    told = f"VH and VV {_levels(found)}; the release has {_levels(known)}"
    if near(found):
        return f"{told}: they fit."
    if near(found[::-1]):
        return f"{told}: VH and VV look exchanged."
    return f"{told}: they do not fit, so units, order or files may be others than the authors'."


def _levels(levels: Sequence[tuple[float, float]]) -> str:
    """Means and standard deviations in words."""
    means, deviations = zip(*levels, strict=True)
    said = " and ".join(f"{mean:.2f}" for mean in means)
    return f"{said} dB (standard deviations {' and '.join(f'{sd:.2f}' for sd in deviations)})"


def _open_bands(
    folder: Path, scene: tuple[int, int], scale: Scale | None
) -> tuple["_Band", "_Band"]:
    """The cubes of VV and VH, which must be alike."""
    vv = _Band(folder / "VV_cut.mat", "VV", scene, scale)
    vh = _Band(folder / "VH_cut.mat", "VH", scene, scale)
    if vv.shape != vh.shape:
        raise SeasonError(
            f"VV_cut.mat is {vv.shape} and VH_cut.mat {vh.shape} (dates, rows, columns): "
            "they are not of one release."
        )
    if vv.scale != vh.scale:
        raise SeasonError(
            f"VV_cut.mat looks like {vv.scale}, VH_cut.mat like {vh.scale}: say which with scale= "
            "(--scale)."
        )
    return vv, vh


def _lazy(band: "_Band", name: str) -> tuple:
    """A layer (time, y, x) that reads windows when they are used."""
    chunks = (-1, CHUNK, CHUNK)
    data = da.from_array(band, chunks=chunks, meta=np.empty((0, 0, 0), np.float32))
    return ("time", "y", "x"), data, {"long_name": f"{name} backscatter", "units": "1"}


def _origin_of(dates: str | Sequence) -> str:
    return "placeholders, every 6 days" if isinstance(dates, str) else "given by the user"


def _dates(dates: str | Sequence, count: int) -> np.ndarray:
    if isinstance(dates, str):
        if dates != "index":
            raise SeasonError(
                f"dates is '{dates}'; expected {count} dates, or 'index' for placeholders."
            )
        return np.datetime64("2001-01-01", "ns") + np.arange(count) * np.timedelta64(6, "D")
    if len(dates) != count:
        raise SeasonError(
            f"{len(dates)} dates were given and the cubes have {count}: "
            "give one date an image, in order."
        )
    try:
        return pd.to_datetime(list(dates)).values.astype("M8[ns]")
    except ValueError as error:
        raise SeasonError("The dates cannot be read: write each like 2018-01-05.") from error


class _Band:
    """A cube in a MATLAB v7.3 file as an array (dates, rows, columns) of linear power, for Dask.

    The file is opened for every read: that takes less than a millisecond, and lets processes and
    threads read side by side.
    """

    ndim = 3
    dtype = np.dtype(np.float32)

    def __init__(self, file: Path, key: str, scene: tuple[int, int], scale: Scale | None):
        self.file = file
        self.key = key
        stored = _stored_shape(file, key)
        # MATLAB writes rows x columns x dates with its axes reversed; a square scene is taken for
        # MATLAB's.
        self.turned = stored[1:] == scene[::-1]
        if len(stored) != 3 or not (self.turned or stored[1:] == scene):
            raise SeasonError(
                f"'{key}' is {stored} in HDF5 and the labels are {scene} (rows, columns); "
                "expected (dates, columns, rows), which is MATLAB's order in HDF5, "
                "or (dates, rows, columns): do cube and labels belong together?"
            )
        self.shape = (stored[0], *scene)
        # The scale is told from four dates of the middle of the scene.
        some_dates = slice(0, None, max(1, stored[0] // 4))
        middle = [slice(size // 2 - min(64, size // 2), size // 2 + 64) for size in scene]
        self.scale = guess_scale(self._stored((some_dates, *middle)), scale, f"'{key}'")

    def _stored(self, index: tuple) -> np.ndarray:
        time, row, column = index
        with h5py.File(self.file) as hdf:
            if self.turned:
                return hdf[self.key][time, column, row].swapaxes(1, 2)
            return hdf[self.key][time, row, column]

    def __getitem__(self, index: tuple) -> np.ndarray:
        return to_power(self._stored(index), self.scale)


def _stored_shape(file: Path, key: str) -> tuple[int, ...]:
    """The shape of a variable of a MATLAB v7.3 file, as HDF5 has it."""
    if not h5py.is_hdf5(file):
        with open(file, "rb") as raw:
            kind = "a MATLAB v5 file" if raw.read(10) == b"MATLAB 5.0" else "no HDF5 file"
        raise SeasonError(
            f"'{file.name}' is {kind}; expected MATLAB v7.3 (HDF5). "
            "Is it swapped with the labels, or damaged?"
        )
    try:
        with h5py.File(file) as hdf:
            if key not in hdf:
                raise SeasonError(
                    f"'{file.name}' has no variable '{key}'; "
                    f"found {sorted(set(hdf) - {'#refs#'})}. Rename it."
                )
            return hdf[key].shape
    except OSError as error:
        raise SeasonError(
            f"'{file.name}' is damaged or truncated ({error}). Download it again."
        ) from error


def _labels(file: Path, key: str) -> np.ndarray:
    if h5py.is_hdf5(file):
        raise SeasonError(
            f"'{file.name}' is MATLAB v7.3 (HDF5); expected a MATLAB v5 file. "
            "Is it swapped with a cube?"
        )
    try:
        found = scipy.io.loadmat(file, variable_names=[key])
        names = [name for name, *_ in scipy.io.whosmat(file)]
    except Exception as error:  # scipy raises many kinds, one for each way a file can be broken
        raise SeasonError(
            f"'{file.name}' cannot be read as MATLAB v5: it is damaged or truncated. "
            "Download it again."
        ) from error
    if key not in found:
        raise SeasonError(
            f"'{file.name}' has no variable '{key}'; found {names}: give one of them as key=."
        )
    crop = found[key]
    if crop.ndim != 2 or not np.issubdtype(crop.dtype, np.number):
        raise SeasonError(
            f"'{key}' is {crop.dtype} {crop.shape}; expected class codes (rows, columns)."
        )
    lowest, highest = crop.min(), crop.max()
    if lowest >= 0 and highest < len(BRANDENBURG):
        codes = crop.astype(np.uint8)
        if np.array_equal(codes, crop):  # no fractions were cut off
            return codes
    raise SeasonError(
        f"'{key}' has codes from {lowest} to {highest}; "
        "expected whole numbers 0 .. 15 of the paper's legend."
    )


# --------------------------------------------------------------------------------- prepared patches


class TrainList(Dataset):
    """Prepared patches: ``x`` (T, 2, P, P) float32 with VH first, and ``y`` (P, P) int64.

    They are read one at a time from the file, which holds neither dates nor scaling.
    """

    crops = BRANDENBURG

    def __init__(self, vh: np.ndarray, vv: np.ndarray, label: np.ndarray):
        self.vh = vh
        self.vv = vv
        self.label = label

    def __len__(self) -> int:
        return len(self.label)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        bands = np.stack([self.vh[index], self.vv[index]])  # (band, row, column, date)
        x = np.ascontiguousarray(bands.transpose(3, 0, 1, 2), np.float32)
        y = self.label[index].astype(np.int64)
        return torch.from_numpy(x), torch.from_numpy(y)


def open_train_list(file: str | Path) -> tuple[TrainList, TrainList]:
    """The patches for training and for testing of the authors' ``train_list.npz``.

    Arrays (n, row, column, date), mapped, not loaded. Values lie in 0 .. 1: the authors scaled each
    cube by its own extremes, which the file does not hold. The backscatter is gone, and a network
    trained on them cannot map a season: so they do not suit ``train.fit``, which saves weights for
    maps, but any loop over a DataLoader and ``train.validate``. Rows and columns stay in order
    here; the authors' code swaps them in the images, not in the labels. The test patches lie in the
    scene of the training patches: 97 % of their pixels were trained on.

    Raises FileNotFoundError or SeasonError if the file is missing, truncated, lacks a key, or its
    arrays do not fit each other.
    """
    file = Path(file)
    if not file.exists():
        raise FileNotFoundError(
            f"There is no '{file}': the authors' dataset_prepare.py makes it, or {SOURCE}."
        )
    train = _train_list(file, "vh_list", "vv_list", "label_list")
    test = _train_list(file, "vh_test_list", "vv_test_list", "label_test_list")
    return train, test


def _train_list(file: Path, *keys: str) -> TrainList:
    arrays = {key: _map(file, key) for key in keys}
    vh, vv, label = arrays.values()
    if not (vh.ndim == 4 and vh.shape == vv.shape and vh.shape[:3] == label.shape):
        shapes = ", ".join(f"{key} {array.shape}" for key, array in arrays.items())
        raise SeasonError(
            f"The patches do not fit each other: {shapes}; "
            "expected (n, row, column, date) twice and (n, row, column)."
        )
    return TrainList(vh, vv, label)


def _map(file: Path, key: str) -> np.ndarray:
    """An array of an .npz file as a memory map.

    np.savez stores the arrays as they are, one after the other, in a zip file that is not
    compressed: so the place of each in the file is known.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            names = [name.removesuffix(".npy") for name in archive.namelist()]
            if key not in names:
                raise SeasonError(f"'{file.name}' has no array '{key}'; found {names}.")
            member = archive.getinfo(f"{key}.npy")
            if member.compress_type != zipfile.ZIP_STORED:
                raise SeasonError(
                    f"'{file.name}' is compressed and cannot be read patch by patch: "
                    "write it with np.savez."
                )
        with open(file, "rb") as raw:
            # The zip's local header ends with the lengths of the name and of an extra field, which
            # follow it. The array's own header comes next.
            raw.seek(member.header_offset + 26)
            name_length, extra_length = np.frombuffer(raw.read(4), "<u2").tolist()
            start = raw.seek(name_length + extra_length, 1)
            shape, fortran, dtype = _array_header(raw)
            # Anything else, objects above all, would be bytes of the file taken for addresses.
            if not np.issubdtype(dtype, np.number):
                raise SeasonError(f"'{key}' in '{file.name}' holds {dtype}; expected numbers.")
            if math.prod(shape) * dtype.itemsize > start + member.file_size - raw.tell():
                raise SeasonError(
                    f"'{key}' in '{file.name}' is shorter than its shape {shape}. Copy it again."
                )
            return np.memmap(raw, dtype, "r", raw.tell(), shape, "F" if fortran else "C")
    except (zipfile.BadZipFile, OSError) as error:
        raise SeasonError(
            f"'{file.name}' is no NumPy archive, or truncated. Copy it again."
        ) from error


def _array_header(raw: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, whether in Fortran's order, and type of an array whose header starts here."""
    try:
        if np.lib.format.read_magic(raw) == (1, 0):
            return np.lib.format.read_array_header_1_0(raw)
        return np.lib.format.read_array_header_2_0(raw)
    except ValueError as error:
        raise OSError("no header of an array") from error
