"""Real Sentinel-1 data, small and open: listed, fetched and opened by name.

Every file is a plain file at a pinned commit of an open repository, listed in ``samples.csv`` with
its address, size, SHA-256 and licence. A folder named in the environment variable STMA_NB_MIRROR
serves instead of the network: files are found there by their names and checked in the same way.

    folder = samples.fetch("flanders")
    season = samples.open_flanders(folder)

All of it contains modified Copernicus Sentinel data: ``credit`` is the line that belongs under a
figure. What a crop code means as a class of this course stands in ``crop_codes.csv``.
"""

import csv
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
import pandas as pd
import rioxarray  # noqa: F401  (registers the .rio accessor)
import xarray as xr
from platformdirs import user_cache_path

from stma_nb import cube
from stma_nb.cube import Crop, SeasonError
from stma_nb.extras import needs
from stma_nb.files import write_whole
from stma_nb.sources import fetch as network

MIRROR = "STMA_NB_MIRROR"
COLOURS = {
    "Maize": "#d55e00",
    "Winter cereals": "#f0e442",
    "Spring cereals": "#ffcc80",
    "Grassland": "#009e73",
    "Fallow": "#cc79a7",
    "Potato": "#882255",
    "Sugar beet": "#0072b2",
    "Rapeseed": "#56b4e9",
    "Sunflower": "#e69f00",
    "Soya": "#6699cc",
    "Legume": "#332288",
    "Fodder": "#44aa99",
    "Permanent crops": "#117733",
    "Other": "#000000",
}
CHIPS = {  # Flemish squares: first and last day
    "0000280849BAC91C": ("2018-08-01", "2019-11-30"),
    "000028085BF08E7E": ("2018-08-01", "2019-11-30"),
    "00002806639B424A": ("2017-08-01", "2018-11-30"),
}
SAME_TRACK = 4  # minutes of the day between passes of one track; the next is eight away
NO_DATA = 65535  # in numbers of the scale "gfmap"


class File(NamedTuple):
    """A published file. Without an address it is a conversion that only a mirror has."""

    path: str  # within the sample's folder
    size: int
    sha256: str
    licence: str
    address: str

    @property
    def name(self) -> str:
        return Path(self.path).name


class Sample(NamedTuple):
    """A sample: what it is, whose, and its files, each with what may stand in for it."""

    what: str
    credit: str
    cite: str
    files: tuple[tuple[File, ...], ...]

    @property
    def size(self) -> int:
        return sum(choices[0].size for choices in self.files)

    @property
    def licence(self) -> str:
        return self.files[0][0].licence


COPERNICUS = "Contains modified Copernicus Sentinel data"
WORLDCEREAL = "https://github.com/WorldCereal/worldcereal-classification"
ABOUT = {  # what it is, the line under its figures, what to cite
    "belgium": (
        "grain of speckle: 10 single passes over Belgian fields, April 2023, 66 x 64 pixels of "
        "10 m, sigma0",
        f"{COPERNICUS} 2023; file of openEO GFMap (Apache-2.0)",
        "https://github.com/Open-EO/openeo-gfmap",
    ),
    "flanders": (
        "3 squares of 640 m in Flanders: every ascending pass of one and a half seasons, 2017 to "
        "2019, sigma0 at 20 m, crop codes at 10 m",
        f"{COPERNICUS} 2017-2019; crops: Flemish LPIS; files of WorldCereal (MIT)",
        WORLDCEREAL,
    ),
    "france": (
        "500 French parcels: ten-day means of sigma0 from September 2022 to January 2024, and "
        "their crops",
        f"{COPERNICUS} 2022-2024; crops: RPG, IGN (Licence Ouverte); file of WorldCereal (MIT)",
        WORLDCEREAL,
    ),
    "opera": (
        "2 bursts of OPERA RTC-S1 over dry land in California, 21 dates, 2021 to 2025, gamma0 at "
        "30 m",
        f"{COPERNICUS} 2021-2025, processed by NASA JPL (OPERA RTC-S1); files of dist-s1 "
        "(Apache-2.0)",
        "https://github.com/opera-adt/dist-s1",
    ),
    "safe": (
        "1 product folder (IW GRDH, VV, 2021-12-23) with its true annotation; its pixels are zeros",
        f"{COPERNICUS} 2021; files of sarsen (Apache-2.0)",
        "https://github.com/bopen/sarsen",
    ),
}


# -------------------------------------------------------------------------------- listing, fetching


@lru_cache(maxsize=1)
def listed() -> dict[str, Sample]:
    """All samples by name."""
    files: dict[str, list[tuple[File, ...]]] = {name: [] for name in ABOUT}
    with open(Path(__file__).with_name("samples.csv"), encoding="utf-8", newline="") as table:
        for row in csv.DictReader(table):
            file = File(
                row["file"], int(row["bytes"]), row["sha256"], row["licence"], row["address"]
            )
            of_sample = files[row["sample"]]
            if file.address:
                of_sample.append((file,))
            else:  # stands in for the file of the row above
                of_sample[-1] += (file,)
    return {name: Sample(*ABOUT[name], tuple(files[name])) for name in ABOUT}


def sample(name: str) -> Sample:
    """The sample of a name. Raises ValueError for a name that is none."""
    if name not in listed():
        raise ValueError(f"There is no sample '{name}'; expected one of {', '.join(listed())}.")
    return listed()[name]


def home(name: str) -> Path:
    """Where a sample lies unless another folder is named: in the user's cache."""
    sample(name)
    return user_cache_path("stma_nb") / "samples" / name


def fetch(name: str, folder: str | Path | None = None) -> Path:
    """Bring a sample to ``folder`` (default: ``home``), file by file, and return the folder.

    What is there already is checked and kept, and a call that was cut off goes on. Raises
    ValueError for an unknown sample and for a file, there, in the mirror or sent, that is not the
    published one; FileNotFoundError for a file that the mirror lacks; OSError as ``fetch.fetch``.
    """
    place = Path(folder) if folder else home(name)
    mirror = _mirror()
    for choices in sample(name).files:
        if _there(choices, place):
            continue
        if mirror is None:
            file = choices[0]
            network.fetch(file.address, (place / file.path).parent, f"sha256:{file.sha256}")
        else:
            file, source = _in_mirror(choices, mirror)
            write_whole(place / file.path, partial(shutil.copyfile, source))
    return place


def at_home(name: str, folder: str | Path | None = None) -> Path | None:
    """``folder`` (default: ``home``) if all of a sample lies there, else None.

    Raises ValueError as ``fetch``.
    """
    place = Path(folder) if folder else home(name)
    whole = all(_there(choices, place) for choices in sample(name).files)
    return place if whole else None


def available(name: str, folder: str | Path | None = None) -> Path | None:
    """The folder of a sample if all of it is at hand, else None; the network is never asked.

    What a mirror has is at hand: it is copied to the folder. Raises ValueError as ``fetch``.
    """
    place = at_home(name, folder)
    if place or _mirror() is None:
        return place
    try:
        return fetch(name, folder)
    except FileNotFoundError:  # a mirror of other samples
        return None


def bring(name: str, download: bool, folder: str | Path | None = None) -> Path | None:
    """The folder of a sample: with ``download`` fetched, and else what is ``available``."""
    return fetch(name, folder) if download else available(name, folder)


def _there(choices: tuple[File, ...], place: Path) -> bool:
    """Whether a file, or what stands in for it, lies in the folder; a wrong file is refused."""
    for file in choices:
        path = place / file.path
        if path.exists():
            if not _is(path, file):
                raise ValueError(
                    f"'{path}' is not the file that was published: delete it and fetch it again."
                )
            return True
    return False


def _is(path: Path, file: File) -> bool:
    if not path.is_file() or path.stat().st_size != file.size:
        return False
    with open(path, "rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest() == file.sha256


def _mirror() -> dict[str, list[Path]] | None:
    """The files below the mirror by name; None without a mirror."""
    folder = os.environ.get(MIRROR)
    if not folder:
        return None
    if not Path(folder).is_dir():
        raise FileNotFoundError(
            f"There is no folder '{folder}', which {MIRROR} names: unset it to use the network."
        )
    found: dict[str, list[Path]] = {}
    for path in sorted(Path(folder).rglob("*")):
        if path.is_file():
            found.setdefault(path.name, []).append(path)
    return found


def _in_mirror(choices: tuple[File, ...], mirror: dict[str, list[Path]]) -> tuple[File, Path]:
    """The first of the choices that the mirror has, and where."""
    of_that_name = [(file, path) for file in choices for path in mirror.get(file.name, [])]
    if not of_that_name:
        raise FileNotFoundError(
            f"The mirror '{os.environ[MIRROR]}' has no '{choices[0].name}': add it, or unset "
            f"{MIRROR} to use the network."
        )
    for file, path in of_that_name:
        if _is(path, file):
            return file, path
    file, path = of_that_name[0]
    raise ValueError(
        f"'{path}' is not the published file (expected {file.size} bytes with the SHA-256 "
        f"{file.sha256}): replace it, or unset {MIRROR} to use the network."
    )


# ------------------------------------------------------------------------------------------- legend


def classes(scheme: str) -> tuple[Crop, ...]:
    """The legend of the classes of a list of crop codes, ``"ct"`` (Flanders) or ``"ewoc"``
    (France).

    Code 0 is "No data": the lists have it for what has no label, which is ``cube.UNKNOWN`` in the
    seasons.
    """
    names = [name for name in COLOURS if name in set(_class_of(scheme).values())]
    return (Crop("No data", "#dddddd"), *(Crop(name, COLOURS[name]) for name in names))


@lru_cache(maxsize=2)
def _class_of(scheme: str) -> dict[int, str]:
    """Class names by crop code."""
    with open(Path(__file__).with_name("crop_codes.csv"), encoding="utf-8", newline="") as table:
        rows = [row for row in csv.DictReader(table) if row["list"] == scheme]
    return {int(row["code"]): row["class"] for row in rows}


def _grouped(codes: np.ndarray, scheme: str, where: str) -> tuple[np.ndarray, tuple[Crop, ...]]:
    """Class codes (uint8) and legend of crop codes, 0 where there is none."""
    crops = classes(scheme)
    number = {crop.name: code for code, crop in enumerate(crops)}
    class_of = {code: number[name] for code, name in _class_of(scheme).items()} | {0: 0}
    found, where_each = np.unique(codes, return_inverse=True)
    unknown = [str(code) for code in found if int(code) not in class_of]
    if unknown:
        raise SeasonError(f"{where} has crop codes without a class: {', '.join(unknown)}.")
    grouped = np.array([class_of[int(code)] for code in found], np.uint8)
    return grouped[where_each].reshape(codes.shape), crops


# ------------------------------------------------------------------------------------------ opening


def open_belgium(folder: str | Path) -> xr.Dataset:
    """Ten passes over Belgian fields as a season (time, y, x): vv, vh, sigma0, 10 m.

    The file states days, no times of day.
    Raises FileNotFoundError or SeasonError.
    """
    path = _path(folder, "belgium", "cdse_sentinel1_grd.nc")
    with _opened(path), h5py.File(path) as store:
        bands = {name: store[f"S1-SIGMA0-{name.upper()}"][:].view("u2") for name in ("vv", "vh")}
        days = store["t"][:].astype("timedelta64[D]")
        axes = {axis: store[axis][:] for axis in ("y", "x")}
        crs = store["crs"].attrs["spatial_ref"].decode()
    times = np.datetime64("1990-01-01") + days
    powers = {name: cube.to_power(stored, "gfmap") for name, stored in bands.items()}
    return _season(powers, times, axes, "belgium").rio.write_crs(crs)


def tracks(times: np.ndarray) -> np.ndarray:
    """The track of each pass (0, 1, ...), told by its minute of the day; 0 is the earliest."""
    minutes = (times - times.astype("M8[D]")) / np.timedelta64(1, "m")
    order = np.argsort(minutes, kind="stable")
    track = np.empty(len(times), int)
    track[order] = np.cumsum(np.diff(minutes[order], prepend=minutes[order[:1]]) > SAME_TRACK)
    return track


def open_flanders(folder: str | Path, chip: str = "0000280849BAC91C", track: int = 0) -> xr.Dataset:
    """One Flemish square as a season (time, 32, 32) of 20 m: vv, vh (sigma0), crop.

    Radar and labels meet at 20 m, where the radar was measured: repeated to 10 m, every value would
    count four times, and statistics of speckle would be wrong. A pixel has the class of most of its
    four labels, and is ``cube.UNKNOWN`` where two classes share it evenly or most of it has no
    label.

    ``track`` is one of ``tracks``; square 0000280849BAC91C has one, the others have two. Raises
    SeasonError for a chip or track that does not exist, or FileNotFoundError.
    """
    if chip not in CHIPS:
        raise SeasonError(f"There is no square '{chip}'; expected one of {', '.join(CHIPS)}.")
    between = "_".join([chip, "32631", *CHIPS[chip]])
    passes, labels = f"S1_GRD-ASCENDING_20m_{between}.nc", f"OUTPUT_POLY-110_10m_{between}.nc"
    path = _path(folder, "flanders", passes)
    with _opened(path), xr.open_dataset(path, engine="h5netcdf") as store:
        radar = store[["VV", "VH"]].load()
    number = tracks(radar.timestamp.values)
    if track not in number:
        raise SeasonError(f"Square {chip} has the tracks 0 to {number.max()}; there is no {track}.")
    radar = radar.isel(timestamp=number == track)
    path = _path(folder, "flanders", labels)
    with _opened(path), xr.open_dataset(path, engine="h5netcdf", mask_and_scale=False) as store:
        fine = store.CT.load()
        crs = store.attrs["epsg"]
    codes, crops = _grouped(fine.values, "ct", labels)
    power = {name: cube.to_power(radar[name.upper()].values, "dB") for name in ("vv", "vh")}
    axes = {axis: radar[axis].values for axis in ("y", "x")}
    for axis in ("y", "x"):
        if not np.allclose(fine[axis].values.reshape(-1, 2).mean(1), axes[axis]):
            raise SeasonError(f"'{labels}' and '{passes}' do not lie on one another.")
    season = _season(power, radar.timestamp.values, axes, "flanders").rio.write_crs(int(crs))
    most = majority(codes)
    crop = np.where(most == 0, cube.UNKNOWN, most).astype(np.uint8)
    season["crop"] = (("y", "x"), crop, cube.flags(crops))
    return season


def majority(codes: np.ndarray) -> np.ndarray:
    """Class codes of pixels twice as large: that of most of the four; 0 where none has most."""
    rows, columns = np.array(codes.shape) // 2
    four = codes.reshape(rows, 2, columns, 2).swapaxes(1, 2).reshape(rows, columns, 4)
    votes = (four[..., None] == np.arange(codes.max() + 1)).sum(2)  # (rows, columns, class)
    winner, most = votes.argmax(-1), votes.max(-1)
    alone = (votes == most[..., None]).sum(-1) == 1
    return np.where(alone, winner, 0).astype(codes.dtype)


def open_france(folder: str | Path) -> xr.Dataset:
    """500 French parcels (time, parcel): vv, vh (sigma0, linear power), crop, lon, lat.

    A date is the first day of its ten; NaN where no pass fell into them. ``name`` tells the crop in
    words. Methods that look at single pixels learn from it as ``as_season(table)``. The published
    geoparquet needs ``pip install 'stma_nb[fields]'``, its conversion (npz) does not. Raises
    FileNotFoundError or SeasonError.
    """
    path = _path(folder, "france", "2023_FRA_LPIS_POLY_110.geoparquet")
    read = _france_npz if path.suffix == ".npz" else _france_parquet
    with _opened(path):
        power, dates, codes, lon, lat = read(path)
    crop, crops = _grouped(codes, "ewoc", path.name)
    table = xr.Dataset(
        {name: (("time", "parcel"), power[..., band]) for band, name in enumerate(("vv", "vh"))},
        coords={"time": dates.astype("M8[ns]"), "lon": ("parcel", lon), "lat": ("parcel", lat)},
        attrs=_attrs("france"),
    )
    table["crop"] = ("parcel", crop, cube.flags(crops))
    for name in ("vv", "vh"):
        table[name].attrs = _band_attrs(name)
    return table


def _france_npz(path: Path) -> tuple[np.ndarray, ...]:
    """Power (time, parcel, 2), dates, crop codes, longitudes and latitudes."""
    with np.load(path) as store:
        power = cube.to_power(store["X"], "dB")
        dates = store["dates"].astype("M8[D]")
        return power.swapaxes(0, 1), dates, store["ewoc_code"], store["lon"], store["lat"]


def _france_parquet(path: Path) -> tuple[np.ndarray, ...]:
    with needs("fields"):
        import shapely
    bands = ["S1-SIGMA0-VV", "S1-SIGMA0-VH"]
    columns = ["sample_id", "timestamp", "ewoc_code", "geometry", *bands]
    try:
        rows = pd.read_parquet(path, columns=columns)
    except ImportError as error:
        raise ImportError(
            "This needs pyarrow, which is not installed: pip install 'stma_nb[fields]'"
        ) from error
    rows["timestamp"] = pd.to_datetime(rows["timestamp"], utc=True).dt.tz_localize(None)
    parcels = rows.drop_duplicates("sample_id").sort_values("sample_id")
    middle = shapely.centroid(shapely.from_wkb(parcels["geometry"].to_numpy()))
    tables = [rows.pivot(index="timestamp", columns="sample_id", values=band) for band in bands]
    stored = np.stack([table.fillna(NO_DATA).to_numpy(np.uint16) for table in tables], -1)
    return (
        cube.to_power(stored, "gfmap"),
        tables[0].index.to_numpy("M8[D]"),
        parcels["ewoc_code"].to_numpy(np.int64),
        shapely.get_x(middle),
        shapely.get_y(middle),
    )


def as_season(table: xr.Dataset) -> xr.Dataset:
    """A table of parcels (time, parcel) as a season (time, y, 1), a pixel for each parcel.

    It lies nowhere: for methods that look at every pixel alone, not for maps.
    """
    return table.rename(parcel="y").expand_dims(x=1, axis=-1).transpose("time", "y", "x")


def open_opera(folder: str | Path, burst: str = "292322-IW2") -> xr.Dataset:
    """One burst as a season (21, 100, 100) of 30 m: vv, vh (gamma0).

    Bursts are 292322-IW2 and 292323-IW2. Raises SeasonError or FileNotFoundError.
    """
    bursts = sorted({Path(choices[0].path).parts[0] for choices in sample("opera").files})
    if burst not in bursts:
        raise SeasonError(f"There is no burst '{burst}'; expected {' or '.join(bursts)}.")
    season = cube.open_season(Path(folder) / burst)
    for name in ("vv", "vh"):
        season[name].attrs["quantity"] = "gamma0"
    return season.assign_attrs(_attrs("opera"))


def open_safe(folder: str | Path) -> Path:
    """The product folder (.SAFE), for ``radar.open_grd(path, "VV")``. Raises FileNotFoundError."""
    product = Path(sample("safe").files[0][0].path).parts[0]
    return _path(folder, "safe", f"{product}/manifest.safe").parent


# ----------------------------------------------------------------------------------------- together


def _path(folder: str | Path, name: str, wanted: str) -> Path:
    """A file of a sample, or what stands in for it, in a folder."""
    [choices] = [choices for choices in sample(name).files if choices[0].path == wanted]
    for file in choices:
        if (Path(folder) / file.path).is_file():
            return Path(folder) / file.path
    raise FileNotFoundError(
        f"'{folder}' has no '{wanted}': fetch it first (python -m stma_nb data samples {name}), "
        "and give the folder that it names."
    )


@contextmanager
def _opened(path: Path) -> Iterator[None]:
    """Errors of the libraries that read a file, as one sentence of ours."""
    try:
        yield
    except (OSError, KeyError, ValueError) as error:
        raise SeasonError(
            f"'{path.name}' cannot be read ({error}): delete it and fetch it again."
        ) from error


def _season(
    powers: dict[str, np.ndarray], times: np.ndarray, axes: dict[str, np.ndarray], name: str
) -> xr.Dataset:
    layers = {
        band: (("time", "y", "x"), power.astype(np.float32), _band_attrs(band))
        for band, power in powers.items()
    }
    return xr.Dataset(layers, {"time": times.astype("M8[ns]"), **axes}, _attrs(name))


def _band_attrs(name: str) -> dict[str, str]:
    return {"long_name": f"{name.upper()} backscatter", "units": "1", "quantity": "sigma0"}


def _attrs(name: str) -> dict[str, str]:
    return {"credit": sample(name).credit, "licence": sample(name).licence}
