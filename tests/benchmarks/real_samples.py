"""The methods on real samples that nobody here made. ``python tests/benchmarks/real_samples.py
FOLDER [flanders|france|opera ...]``

FOLDER holds flanders_chips (two squares of 640 m with crop codes, in two years, from WorldCereal's
open software), france_2023 (parcels of known crop, likewise) and opera_rtc (one GeoTIFF for each
date and polarisation). About ten minutes on two cores. The samples are small, and the numbers say
whether a method works on real data at all, hardly which is better.
"""

import argparse
import tempfile
import warnings
from pathlib import Path

import numpy as np
import rasterio
import realism
import torch
import xarray as xr
from sklearn.model_selection import GroupKFold

from stma_nb import accuracy, course, cube, patches, predict, train
from stma_nb.model import STMA

SEEDS = 0, 1, 2
PATCH = 16

# ------------------------------------------------------------------------------------- (a) Flanders

CLASSES = {  # WorldCereal's crop codes in the two squares; 0 is not labelled
    "Not labelled": (0,),
    "Grass": (9120,),
    "Maize": (1200,),
    "Winter cereals": (1110, 1910),
    "Potatoes": (5100,),
    "Other crops": (2130, 7900),  # cabbages, legumes
}
CROPS = tuple(
    cube.Crop(name, colour)
    for name, colour in zip(
        CLASSES, ("#dddddd", "#009e73", "#d55e00", "#f0e442", "#882255", "#0072b2"), strict=True
    )
)


def dekads(harvest: int) -> np.ndarray:
    """The first days of the 36 ten-day periods (1, 11, 21 of a month) from October to September."""
    months = np.arange(f"{harvest - 1}-10", f"{harvest}-10", dtype="datetime64[M]").astype(
        "datetime64[D]"
    )
    return np.add.outer(months, [0, 10, 20]).ravel()


def chip(file: Path) -> xr.Dataset:
    """A square as a season: mean power of each ten-day period, 20 m; pixels of two labels are not
    labelled.
    """
    with np.load(file) as store:
        db, times, codes, epsg, (west, _, _, north) = (
            store[key] for key in ("X", "time", "ct", "epsg", "bounds")
        )
    times = times.astype("datetime64[D]")
    starts = dekads(int(str(times[-1])[:4]))
    period = np.searchsorted(starts, times, side="right") - 1
    period[times >= starts[-1] + 10] = -1
    power = np.stack([(10 ** (db[period == i] / 10)).mean(axis=0) for i in range(len(starts))])
    crop = np.select([np.isin(codes, group) for group in CLASSES.values()], range(len(CLASSES)))
    crop = realism.alike_in_four(crop).astype(np.uint8)
    season = xr.Dataset(
        {
            "vv": (("time", "y", "x"), power[:, 0].astype(np.float32), {"units": "1"}),
            "vh": (("time", "y", "x"), power[:, 1].astype(np.float32), {"units": "1"}),
            "crop": (("y", "x"), crop, cube.flags(CROPS)),
        },
        {
            "time": starts.astype("M8[ns]"),
            "y": north - 10 - 20.0 * np.arange(32),
            "x": west + 10 + 20.0 * np.arange(32),
        },
    )
    return cube.check_season(season.rio.write_crs(f"EPSG:{epsg}"))


def stma_map(
    here: xr.Dataset, there: xr.Dataset, seed: int, epochs: int, folder: str
) -> np.ndarray:
    mask = here.crop.values > 0
    windows = patches.corners(here.crop.shape, PATCH, 0.5)
    learn = patches.PatchDataset(
        here, windows, PATCH, patches.fit_scaling(here, mask), mask, augment=True
    )
    torch.manual_seed(seed)
    network = STMA(here.sizes["time"], PATCH, classes=len(CROPS), width=16)
    trained = train.fit(
        network, learn, learn, epochs, batch=3, seed=seed, watch=lambda history: None
    )
    path = predict.season_map(
        trained, there, Path(folder) / "map.tif", overwrite=True, progress=False
    )
    with rasterio.open(path) as tif:
        return tif.read(1)


def flanders(folder: Path, epochs: int) -> None:
    seasons = [chip(file) for file in sorted((folder / "flanders_chips").glob("*.npz"))]
    print(
        "(a) Flanders: learn one square of 640 m, map the other, in another year; 36 ten-day "
        "periods, 20 m, labelled pixels"
    )
    for season in seasons:
        counts = np.bincount(season.crop.values.ravel(), minlength=len(CROPS))
        print(
            f"    harvest {str(season.time.values[-1])[:4]}: "
            + ", ".join(f"{c.name} {n}" for c, n in zip(CROPS, counts, strict=True))
        )
    for here, there in (seasons, seasons[::-1]):
        mask, tested = here.crop.values > 0, there.crop.values > 0
        known = tested & np.isin(there.crop.values, here.crop.values[mask])
        share = np.bincount(there.crop.values[tested]).max() / tested.sum()
        years = " to ".join(str(season.time.values[-1])[:4] for season in (here, there))
        print(
            f"    {years}: {tested.sum()} test pixels, {known.sum()} of classes that the other "
            "square has; "
            f"one class throughout {share:.3f}"
        )
        print(
            f"    {'':14} {'overall accuracy':>18} {'of known classes':>18} {'mean F1':>18}    "
            f"(mean of {len(SEEDS)} seeds, sd)"
        )
        with tempfile.TemporaryDirectory() as scratch:
            methods = {
                "random forest": lambda seed, a=here, b=there, m=mask: predict.season_codes(
                    train.fit_forest(a, m, seed=seed), b
                ),
                "TempCNN": lambda seed, a=here, b=there, m=mask: predict.season_codes(
                    train.fit_tempcnn(a, m, epochs=60, batch=32, seed=seed), b
                ),
                "STMA": lambda seed, a=here, b=there, s=scratch: stma_map(a, b, seed, epochs, s),
            }
            for name, method in methods.items():
                rows = []
                for seed in SEEDS:
                    mapped = method(seed)
                    matrix, of_known = (
                        accuracy.error_matrix(mapped, there.crop.values, len(CROPS), w)
                        for w in (tested, known)
                    )
                    f1 = accuracy.summary(matrix, CROPS)["mean F1 of crops"]
                    rows.append(
                        [accuracy.overall_accuracy(matrix), accuracy.overall_accuracy(of_known), f1]
                    )
                print_row(name, rows)


def print_row(name: str, rows: list) -> None:
    cells = "".join(
        f"{mean:12.3f} ({sd:.3f})"
        for mean, sd in zip(np.mean(rows, 0), np.std(rows, 0, ddof=1), strict=True)
    )
    print(f"    {name:14}{cells}", flush=True)


# --------------------------------------------------------------------------------------- (b) France


def as_season(parcels: realism.Parcels, dates: np.ndarray, groups: list[str]) -> xr.Dataset:
    """Parcels as a season of one column: every parcel is a pixel."""
    power = (10 ** (parcels.db / 10)).astype(np.float32)
    crop = np.array([groups.index(group) for group in parcels.group], np.uint8)[:, None]
    crops = tuple(cube.Crop(group, "#000000") for group in groups)
    bands = {
        name: (("time", "y", "x"), power[..., i].T[..., None], {"units": "1"})
        for i, name in enumerate(("vv", "vh"))
    }
    return xr.Dataset(
        bands | {"crop": (("y", "x"), crop, cube.flags(crops))}, {"time": dates.astype("M8[ns]")}
    )


def france(folder: Path) -> None:
    parcels, dates = realism.read_france(folder)
    stands = [s for s in dict.fromkeys(parcels.stand) if (parcels.stand == s).sum() > 25]
    looks = tuple(realism.looks_of(sd**2) for sd in realism.noise(parcels, stands)[2])
    groups = sorted(set(parcels.group) - {""})
    real = realism.select(parcels, np.isin(parcels.group, groups))
    season, square = (
        as_season(real, dates, groups),
        np.floor(real.lon * 10) * 1e4 + np.floor(real.lat * 10),
    )
    fits = {
        "random forest": train.fit_forest,
        "TempCNN": lambda *arguments, seed: train.fit_tempcnn(
            *arguments, epochs=60, batch=32, seed=seed
        ),
    }
    most = max((real.group == group).sum() for group in groups)
    print(
        f"(b) France: {len(real.group)} parcels in {len(groups)} groups, {len(dates)} ten-day "
        "periods; "
        f"one class throughout {most / len(real.group):.3f}"
    )
    print(
        f"    {'':14} {'overall accuracy':>18} {'macro F1':>18}    (mean of {len(SEEDS)} seeds, sd)"
    )
    for title, simulate in (
        ("learned in France, other squares of 0.1 degree (5 folds)", False),
        ("learned on simulated parcels", True),
    ):
        print(f"    {title}")
        for name, fit in fits.items():
            rows = []
            for seed in SEEDS:
                codes = np.empty(len(real.group), int)
                if simulate:
                    made = realism.simulated(parcels, dates, looks, seed)
                    made = as_season(
                        realism.select(made, np.isin(made.group, groups)), dates, groups
                    )
                    codes = in_a_column(
                        fit(made, np.ones(made.crop.shape, bool), seed=seed), season
                    )
                else:
                    for _, test in GroupKFold(5).split(codes, groups=square):
                        mask = np.ones(season.crop.shape, bool)
                        mask[test] = False
                        codes[test] = in_a_column(fit(season, mask, seed=seed), season)[test]
                rows.append(realism.scores(np.array(groups)[codes], real.group))
            print_row(name, rows)


def in_a_column(trained: train.Trained, season) -> np.ndarray:
    """Class codes of parcels that stand in a column of one pixel each, beside nothing."""
    trained.model.arguments["patch"] = 1
    return predict.season_codes(trained, season)[:, 0]


# ---------------------------------------------------------------------------------------- (c) OPERA


def opera(folder: Path) -> None:
    from stma_nb.sources import catalogues, stac

    items = catalogues.catalogue_of_folder(folder / "opera_rtc")
    west, south, east, north = np.array([item.bbox for item in items]).T
    area = west.min(), south.min(), east.max(), north.max()
    season = stac.season_from_stac(items, area, "2021-10-01", "2025-02-28").load()
    vh = 10 * np.log10(season.vh.where(season.vh > 0))
    print(
        f"(c) OPERA: {season.attrs['items']} images, {season.attrs['tracks']}; "
        f"{dict(season.sizes)}, {season.rio.crs.to_string()},"
    )
    print(
        f"    median VH {float(vh.median()):.1f} dB, {float(season.vh.isnull().mean()):.1%} "
        "without data"
    )
    trained = train.load(course.sample_weights())
    first, last = (np.datetime_as_string(day, "D")[5:] for day in trained.times[[0, -1]])
    print(f"    The shipped network has {len(trained.times)} dates, {first} to {last}.")
    winters = {
        str(year): season.sel(time=slice(f"{year}-10-01", f"{year + 1}-09-30"))
        for year in range(2021, 2025)
    }
    for winter, part in {"all dates": season, **winters}.items():
        try:
            train.check_dates(trained, part)
        except ValueError as error:
            print(f"    {winter}: {part.sizes['time']} dates, not mapped: {error}")
        else:
            path = predict.season_map(
                trained, part, Path(tempfile.mkdtemp()) / "map.tif", progress=False
            )
            with rasterio.open(path) as tif:
                print(f"    {winter}: mapped, pixels by class {np.bincount(tif.read(1).ravel())}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="the folder of the real samples")
    parser.add_argument("what", nargs="*", help="flanders, france, opera (default: all)")
    parser.add_argument(
        "--epochs",
        type=int,
        default=100,
        help="of STMA on a square of Flanders, each 3 steps of 3 patches",
    )
    args = parser.parse_args()
    warnings.filterwarnings("ignore", category=RuntimeWarning)
    parts = {
        "flanders": lambda: flanders(args.folder, args.epochs),
        "france": lambda: france(args.folder),
        "opera": lambda: opera(args.folder),
    }
    for name in args.what or parts:
        parts[name]()


if __name__ == "__main__":
    main()
