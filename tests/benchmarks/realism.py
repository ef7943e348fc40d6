"""How real the simulation is, measured on real samples. ``python tests/benchmarks/realism.py
FOLDER``

Prints all that it measures and writes data/realism.json, the rows of the table in data/README.md.

FOLDER holds belgium_grd/cdse_sentinel1_grd.nc (ten single acquisitions), flanders_original/ (three
squares of 640 m, every pass of one and a half seasons) and france_2023/fr2023_dekad.npz (parcels of
known crop), all from the tests of open software around WorldCereal. The curves of ``phenology``
were fitted to the French parcels north of 46 N, so they are the easy case; those in the south were
not used. Every number is computed in the same way for both sides.

Simulated parcels come in the shares of the real stands and, as the real series are of points rather
than of whole parcels, with the white noise measured in those: both are known of the real sample
only, and both help.
"""

import json
import sys
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
import xarray as xr
from scipy import ndimage, optimize, special
from scipy.ndimage import gaussian_filter1d
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import f1_score
from sklearn.model_selection import GroupKFold

from stma_nb import course, simulate
from stma_nb.simulate import NAMES, meteorology, seasons

BLOCK = 12  # pixels: a block fits into a field, and its mean is worth 26 independent pixels
SEEDS = 0, 1, 2
MONTHS = np.arange("2022-10", "2023-10", dtype="datetime64[M]")
PARCELS = 1500  # simulated for a season
GROUPS = {  # label in France: stand in the simulation, group of crops
    "winter_common_soft_wheat": ("winter_wheat", "winter cereals"),
    "winter_common_barley": ("winter_barley", "winter cereals"),
    "winter_triticale": ("winter_rye", "winter cereals"),
    "winter_common_rye": ("winter_rye", "winter cereals"),
    "winter_rapeseed_rape": ("rapeseed", "rapeseed"),
    "maize": ("maize", "maize"),
    "grain_maize_corn_popcorn": ("maize", "maize"),
    "longterm_meadows": ("grassland", "grass"),
    "temporary_meadows": ("grassland", "grass"),
    "not_cultivated_fallow": ("fallow", "fallow"),
    "spring_peas": ("pea", "pea"),
    "sunflower": ("sunflower", "sunflower"),
    "spring_common_barley": ("spring_barley", ""),  # too few for a group
}
FOUR = "winter cereals", "grass", "maize", "rapeseed"


class Parcels(NamedTuple):
    """Ten-day series in dB (parcel, date, VV and VH), what grows there, and where."""

    db: np.ndarray
    stand: np.ndarray
    group: np.ndarray
    lon: np.ndarray
    lat: np.ndarray
    grass_ley: (
        np.ndarray
    )  # temporary meadow: grass for the forest, left out of the profile of permanent grass


def need(folder: Path, name: str) -> Path:
    if not (folder / name).is_file():
        sys.exit(f"{folder / name} is missing: give the folder that holds the real samples.")
    return folder / name


# The rows of the table in data/README.md: real and simulated, as (VV, VH) or one number.
ROWS: dict[str, dict[str, list[float]]] = {}


def note(name: str, real: np.ndarray, simulated: np.ndarray) -> None:
    ROWS[name] = {
        side: np.atleast_1d(np.round(values, 3)).tolist()
        for side, values in (("real", real), ("simulated", simulated))
    }


def table_lines(rows: dict[str, dict[str, list[float]]]) -> list[str]:
    """The table of data/README.md as lines of Markdown; two numbers are VV / VH."""
    lines = ["| VV / VH | real | simulated |", "|---|---|---|"]
    for name, sides in rows.items():
        cells = (" / ".join(f"{value:.2f}" for value in values) for values in sides.values())
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


# ------------------------------------------------------------------------------------------ speckle


def speckle_statistics(power: np.ndarray, pairs: list[tuple[int, int]]) -> np.ndarray:
    """ENL, then autocorrelation at lags 1, 2, 3 along x and along y, from ratios of two dates of
    one track.

    In the ratio, what a field keeps (texture, rows, angle) cancels; the mean of a block of the
    ratio in dB, the change of the field, is removed. The variance in a block is then twice that of
    speckle in dB. The median of all blocks passes over edges.
    """
    rows = []
    for first, second in pairs:
        ratio = 10 * np.log10(power[first] / power[second])
        for y in range(0, ratio.shape[0] - BLOCK + 1, BLOCK // 2):
            for x in range(0, ratio.shape[1] - BLOCK + 1, BLOCK // 2):
                block = ratio[y : y + BLOCK, x : x + BLOCK]
                block = block - block.mean()
                along_x = [(block[:, lag:] * block[:, :-lag]).mean() for lag in (1, 2, 3)]
                along_y = [(block[lag:] * block[:-lag]).mean() for lag in (1, 2, 3)]
                rows.append([block.var(), *(np.array(along_x + along_y) / block.var())])
    variance, *correlation = np.median(rows, axis=0)
    return np.array([looks_of(variance / 2), *correlation])


def looks_of(variance: float) -> float:
    """The looks whose speckle has this variance in dB^2."""
    return optimize.brentq(
        lambda looks: (10 / np.log(10)) ** 2 * special.polygamma(1, looks) - variance, 0.2, 1000
    )


def speckle_table(folder: Path) -> None:
    with h5py.File(need(folder, "belgium_grd/cdse_sentinel1_grd.nc")) as store:
        real = {
            p: (store[f"S1-SIGMA0-{p.upper()}"][:].view("u2") / 1.0) ** 2 * 10**-8.3
            for p in ("vv", "vh")
        }
        times = np.datetime64("1990-01-01T17:30", "ns") + store["t"][:].astype("timedelta64[D]")
    days = times.astype("datetime64[D]")
    pairs = [
        (i, j) for i in range(len(days)) for j in range(i) if (days[i] - days[j]).astype(int) == 12
    ]
    size = real["vv"].shape[1:]
    print(
        f"1. Speckle: {len(pairs)} pairs of dates 12 days apart, {size} pixels, median of blocks "
        f"of {BLOCK} x {BLOCK}"
    )
    print(f"{'':36}  ENL    x1    x2    x3    y1    y2    y3")
    truths, models = [], []
    for band in ("vv", "vh"):
        seasons = []
        for seed in range(6):
            season = simulate.season(size, times, 2023, seed, farmland=0.9, parcel_hectares=3)
            seasons.append(speckle_statistics(season[band].values, pairs))
        alone = [
            speckle_statistics(
                simulate.speckle((10, *size), 4.4, np.random.default_rng(seed)), pairs
            )
            for seed in range(6)
        ]
        true = speckle_statistics(real[band], pairs)
        truths.append(true)
        models.append(np.mean(seasons, axis=0))
        for name, row in (
            (f"{band.upper()} real", true),
            (f"{band.upper()} simulated season, 6 seeds", np.mean(seasons, axis=0)),
            (f"{band.upper()} simulated speckle alone, L = 4.4", np.mean(alone, axis=0)),
        ):
            print(f"{name:36}" + "".join(f"{value:6.2f}" for value in row))
    note("ENL of single acquisitions", np.array(truths)[:, 0], np.array(models)[:, 0])
    for lag, name in ((1, "next pixel"), (2, "next pixel but one")):
        note(
            f"correlation of speckle with the {name}, mean of x and y",
            np.array(truths)[:, [lag, lag + 3]].mean(1),
            np.array(models)[:, [lag, lag + 3]].mean(1),
        )


# ------------------------------------------------------------------------------------------ parcels


def read_france(folder: Path) -> tuple[Parcels, np.ndarray]:
    with np.load(need(folder, "france_2023/fr2023_dekad.npz")) as store:
        db, dates, label, lon, lat = (store[name] for name in ("X", "dates", "label", "lon", "lat"))
    chosen = np.isin(label, list(GROUPS)) & np.isfinite(db).any(axis=1).all(axis=1)
    db, label = db[chosen], label[chosen].astype(str)
    filled, t = db.copy(), np.arange(len(dates))
    for parcel in filled:  # a track of 12 days leaves one ten-day window in six empty
        for band in range(2):
            valid = np.isfinite(parcel[:, band])
            parcel[:, band] = np.interp(t, t[valid], parcel[valid, band])
    stand, group = (np.array([GROUPS[name][i] for name in label]) for i in (0, 1))
    france = Parcels(filled, stand, group, lon[chosen], lat[chosen], label == "temporary_meadows")
    return france, dates.astype("datetime64[D]")


def simulated(
    france: Parcels,
    dates: np.ndarray,
    looks: tuple[float, float],
    seed: int,
    parcels: int = PARCELS,
) -> Parcels:
    """Ten-day series of simulated parcels, in the shares of the real stands, with as much noise as
    the real series have.

    Passes lie 6 days apart, as from two tracks of one satellite; those of a window are averaged in
    power.
    """
    rng = np.random.default_rng(seed)
    row = np.resize(rng.permutation(len(france.stand)), parcels)
    stands = np.array([NAMES.index(name) for name in france.stand[row]])
    times = np.arange(dates[0], dates[-1] + 10, np.timedelta64(6, "D")) + np.timedelta64(17, "h")
    # The backscatter of parcels before it is laid out on pixels: a scene with enough parcels would
    # be large.
    passes = meteorology.passes(times.astype("datetime64[ns]"), seed, 0.0, False)
    rows = rng.uniform(0, 180, parcels)
    sigma0 = seasons._sigma0(stands, rows, passes, 2023, seed)
    window = np.searchsorted(dates, times.astype("datetime64[D]"), side="right") - 1
    power = np.stack(
        [sigma0[:, window == i].mean(axis=1) for i in range(len(dates))], axis=1
    ).transpose(2, 1, 0)
    power = power * np.stack([rng.gamma(n, 1 / n, power.shape[:2]) for n in looks], axis=-1)
    return Parcels(10 * np.log10(power), *(values[row] for values in france[1:]))


def class_means(parcels: Parcels, stands: list[str]) -> np.ndarray:
    return np.stack(
        [parcels.db[(parcels.stand == s) & ~parcels.grass_ley].mean(axis=0) for s in stands]
    )


def noise(parcels: Parcels, stands: list[str]) -> np.ndarray:
    """Standard deviations (3, 2) in dB of a parcel from the mean of its class: lasting offset, slow
    residual, white noise.

    From half the mean squared difference of dates 10 to 60 days apart: white + slow (1 - exp(-days
    / 28)).
    """
    rest = np.concatenate(
        [x - x.mean(axis=0) for x in (parcels.db[parcels.stand == s] for s in stands)]
    )
    lags = np.arange(1, 7)
    half = np.stack([((rest[:, lag:] - rest[:, :-lag]) ** 2).mean(axis=(0, 1)) / 2 for lag in lags])
    white, slow = np.linalg.lstsq(
        np.stack([np.ones(6), 1 - np.exp(-lags * 10 / 28)], axis=1), half, rcond=None
    )[0]
    return np.sqrt(np.clip([(rest**2).mean(axis=(0, 1)) - white - slow, slow, white], 0, None))


def date_effect(means: np.ndarray) -> np.ndarray:
    """What all classes share on single dates: standard deviation in dB of the mean of classes less
    its smooth course.
    """
    mean = means.mean(axis=0)
    return (mean - gaussian_filter1d(mean, 2, axis=0, mode="nearest")).std(axis=0)


def profile_tables(
    france: Parcels, dates: np.ndarray, seasons: list[Parcels], stands: list[str]
) -> None:
    real, model = (
        class_means(france, stands),
        np.mean([class_means(season, stands) for season in seasons], axis=0),
    )
    miss = model - real
    number = np.array([((france.stand == s) & ~france.grass_ley).sum() for s in stands])
    offset = np.average(miss.mean(axis=1), axis=0, weights=number)
    less_dates = miss - np.average(miss, axis=0, weights=number)
    print(f"\n3. Class means, simulated less real, {dates[0]} to {dates[-1]}, dB")
    print(
        f"Offset of all: VV {offset[0]:+.2f}, VH {offset[1]:+.2f}. chance: RMSE that so few real "
        "parcels alone would give"
    )
    print(
        " " * 20
        + "".join(f" | {band}: bias  RMSE  -offset  -dates  chance" for band in ("VV", "VH"))
        + " | sd, real/sim: VV  VH"
    )
    for i, stand in enumerate(stands):
        text = f"{stand:16}{number[i]:4}"
        sd = [
            np.mean([p.db[p.stand == stand].std(axis=0, ddof=1).mean(axis=0) for p in side], axis=0)
            for side in ([france], seasons)
        ]
        for band in range(2):
            rms = [np.sqrt((m[i, :, band] ** 2).mean()) for m in (miss, miss - offset, less_dates)]
            text += f" |{miss[i, :, band].mean():9.2f}{rms[0]:6.2f}{rms[1]:9.2f}{rms[2]:8.2f}"
            text += f"{sd[0][band] / np.sqrt(number[i]):8.2f}"
        print(text + f" |     {sd[0][0]:.1f}/{sd[1][0]:.1f}  {sd[0][1]:.1f}/{sd[1][1]:.1f}")
    for what, table in (
        ("that offset", miss - offset),
        ("the mean miss of each date: what sets the classes apart", less_dates),
    ):
        print(
            f"\nSimulated less real, VV/VH, less {what}\n"
            + " " * 14
            + "".join(f"{str(m)[2:]:>9}" for m in MONTHS)
        )
        for stand, row in zip(stands, monthly(table, dates), strict=True):
            print(f"{stand:14}" + "".join(f"{vv:+5.1f}{vh:+4.1f}" for vv, vh in row))
    large = [s for s in stands if (france.stand == s).sum() > 25]
    sides = noise(france, large), np.mean([noise(season, large) for season in seasons], axis=0)
    effects = (
        date_effect(real),
        np.mean([date_effect(class_means(season, stands)) for season in seasons], axis=0),
    )
    print(f"\nSpread about the class mean ({', '.join(large)}), sd in dB, VV VH: real | simulated")
    for name, a, b in zip(("lasting", "slow"), *sides, strict=False):
        note(f"{name} differences between fields of a crop (sd, dB), France", a, b)
    note("common movement of all fields (sd, dB), France", *effects)
    for name, a, b in zip(("lasting offset", "slow residual", "white noise"), *sides, strict=True):
        print(f"{name:16}{a[0]:6.2f}{a[1]:6.2f} |{b[0]:6.2f}{b[1]:6.2f}")
    print(
        f"{'common to dates':16}{effects[0][0]:6.2f}{effects[0][1]:6.2f} "
        f"|{effects[1][0]:6.2f}{effects[1][1]:6.2f}"
    )


def monthly(db: np.ndarray, dates: np.ndarray) -> np.ndarray:
    """Means (.., month, band) of October to September."""
    return np.stack(
        [db[:, dates.astype("datetime64[M]") == month].mean(axis=1) for month in MONTHS], axis=1
    )


# ------------------------------------------------------------------------------------ within fields


def field_statistics(db: np.ndarray, field: np.ndarray) -> np.ndarray:
    """Of pixels of 20 m, dB (dates, VV and VH, y, x), and the field of each (0 = none).

    Persistent pattern within fields (sd, VV and VH), correlation of the two, correlation of all
    that varies within a field in VV and VH, common movement of the fields from date to date (VV,
    VH), and each field's own (VV, VH). Fields of 16 pixels or more, less their edge.
    """
    inner = (ndimage.minimum_filter(field, 3) == ndimage.maximum_filter(field, 3)) & (field > 0)
    patterns, together, pixels, means = [], [], [], []
    for number in np.unique(field[inner]):
        here = db[:, :, inner & (field == number)]
        count = here.shape[-1]
        if count < 16:
            continue
        means.append(here.mean(-1))
        varies = here - here.mean(-1, keepdims=True)
        # What even and odd dates share lasts; their speckle is independent.
        even, odd = varies[::2].mean(0), varies[1::2].mean(0)
        patterns.append(even @ odd.T / (count - 1))
        together.append(np.corrcoef(varies[:, 0].ravel(), varies[:, 1].ravel())[0, 1])
        pixels.append(count)
    pattern = np.average(patterns, axis=0, weights=pixels)
    lasting = np.sqrt(np.diag(pattern))
    alike = (pattern[0, 1] + pattern[1, 0]) / 2 / lasting.prod()
    steps = np.diff(means, axis=1) / np.sqrt(2)
    common = np.median(steps, axis=0)
    return np.array(
        [
            *lasting,
            alike,
            np.average(together, weights=pixels),
            *common.std(0),
            *(steps - common).std((0, 1)),
        ]
    )


def flanders(folder: Path) -> np.ndarray:
    """``field_statistics`` of the three squares (3, 8)."""
    rows = []
    for file in sorted((folder / "flanders_original").glob("S1_GRD*.nc")):
        labels = file.name.replace("S1_GRD-ASCENDING_20m", "OUTPUT_POLY-110_10m")
        with xr.open_dataset(file) as passes, xr.open_dataset(file.parent / labels) as output:
            db = np.stack([passes["VV"].values, passes["VH"].values], 1).astype(float)
            code = alike_in_four(np.nan_to_num(output["CT"].values).squeeze().astype(int))
        field = np.zeros(code.shape, int)
        for crop in np.unique(code[code > 0]):  # fields of a crop that touch count as one
            found, _ = ndimage.label(code == crop)
            field[found > 0] = found[found > 0] + field.max()
        rows.append(field_statistics(db[np.isfinite(db).all((1, 2, 3))], field))
    return np.array(rows)


def alike_in_four(codes: np.ndarray) -> np.ndarray:
    """Codes at 10 m brought to 20 m: 0 where the four pixels differ."""
    rows, columns = np.array(codes.shape) // 2
    four = codes.reshape(rows, 2, columns, 2).swapaxes(1, 2).reshape(rows, columns, 4)
    return np.where((four == four[..., :1]).all(-1), four[..., 0], 0)


def within_table(folder: Path) -> None:
    times = np.arange("2018-08-01T17:00", "2019-12-01", 6 * 24 * 60, dtype="datetime64[m]")
    simulated_rows = []
    for seed in SEEDS:
        made = simulate.season((320, 320), times, 2019, seed, farmland=0.9, parcel_hectares=3)
        power = np.stack([made.vv.values, made.vh.values], 1)
        power = power.reshape(len(times), 2, 160, 2, 160, 2).mean((3, 5))
        simulated_rows.append(
            field_statistics(10 * np.log10(power), alike_in_four(made.parcel.values))
        )
    real, model = flanders(folder), np.mean(simulated_rows, axis=0)
    print("\n2. Within fields, 20 m, Flanders (three squares, their mean) | simulated")
    for name, columns in (
        ("persistent pattern within fields (sd, dB)", [0, 1]),
        ("correlation of that pattern in VV and VH", [2]),
        ("correlation of all that varies within a field in VV and VH", [3]),
        ("common movement of fields from date to date (sd, dB), Flanders", [4, 5]),
        ("movement of each field of its own (sd, dB), Flanders", [6, 7]),
    ):
        note(name, real.mean(0)[columns], model[columns])
        print(f"{name:64}", real[:, columns].round(2).tolist(), "|", model[columns].round(2))


# ----------------------------------------------------------------------------------- classification


def features(parcels: Parcels, dates: np.ndarray, kind: str) -> np.ndarray:
    db = parcels.db if "ten-day" in kind else monthly(parcels.db, dates)
    if "less" in kind:  # needs no label: the mean of all parcels on each date
        db = db - db.mean(axis=0)
    return db.reshape(len(db), -1)


def forest(x: np.ndarray, y: np.ndarray, kind: str) -> RandomForestClassifier:
    weight = "balanced" if "equal" in kind else None
    return RandomForestClassifier(500, class_weight=weight, random_state=0, n_jobs=2).fit(x, y)


def within(x: np.ndarray, france: Parcels, kind: str) -> np.ndarray:
    """Predictions of forests trained on the other squares of 0.1 degree, in five parts."""
    square = np.floor(france.lon * 10) * 1e4 + np.floor(france.lat * 10)
    result = france.group.copy()
    for train, test in GroupKFold(5).split(x, groups=square):
        result[test] = forest(x[train], france.group[train], kind).predict(x[test])
    return result


def scores(found: np.ndarray, true: np.ndarray) -> np.ndarray:
    return np.array([(found == true).mean(), f1_score(true, found, average="macro")])


def select(parcels: Parcels, rows: np.ndarray) -> Parcels:
    return Parcels(*(values[rows] for values in parcels))


def transfer_table(france: Parcels, dates: np.ndarray, seasons: list[Parcels]) -> None:
    print(
        "\n4. Random forest of 500 trees, tested on the French parcels: overall accuracy / macro "
        "F1; north, south: OA there (46 N)"
    )
    print(
        f"{'months are October to September':48}| 5 folds in France  north south | {len(SEEDS)} "
        f"simulations, sd{'':15}north south"
    )
    for groups in (sorted({group for _, group in GROUPS.values()} - {""}), FOUR):
        real = select(france, np.isin(france.group, groups))
        chosen = [select(season, np.isin(season.group, groups)) for season in seasons]
        north = real.lat > 46
        for kind in (
            "months",
            "months, less mean of date",
            "months, groups of equal weight",
            "ten-day",
            "ten-day, less mean of date",
        ):
            x = features(real, dates, kind)
            home = within(x, real, kind)
            found = [
                forest(features(season, dates, kind), season.group, kind).predict(x)
                for season in chosen
            ]
            text = f"{f'{len(groups)} groups, {len(x)}: {kind}':48}|"
            for side in ([home], found):
                each = np.array([scores(f, real.group) for f in side])
                text += "{:7.3f} / {:.3f}".format(*each.mean(axis=0))
                text += (
                    ""
                    if side is not found
                    else " ({:.3f} / {:.3f})".format(*each.std(axis=0, ddof=1))
                )
                text += "".join(
                    f"{np.mean([(f == real.group)[rows].mean() for f in side]):6.2f}"
                    for rows in (north, ~north)
                )
                text += "    |" if side is not found else ""
            print(text)
            if kind == "months":
                here, model = (
                    np.mean([scores(f, real.group) for f in side], axis=0)
                    for side in ([home], found)
                )
                note(
                    f"forest trained there, tested on {len(x)} French parcels of {len(groups)} "
                    "groups: accuracy / mean F1",
                    here,
                    model,
                )
                tables = [("trained in France, per cent", [home]), ("trained on simulation", found)]
                trained_north = forest(x[north], real.group[north], kind).predict(x[~north])
        print(
            "    trained in the north, tested in the south, months: "
            f"{(trained_north == real.group[~north]).mean():.2f}"
        )
        for title, side in tables:
            confusion(title, real.group, side, groups)


def confusion(title: str, true: np.ndarray, found: list[np.ndarray], groups: list[str]) -> None:
    print(f"    {title:30}" + "".join(f"{name[:9]:>11}" for name in groups))
    for name in groups:
        print(
            f"    {name:30}"
            + "".join(
                f"{100 * np.mean([f[true == name] == other for f in found]):11.0f}"
                for other in groups
            )
        )


def main(folder: Path) -> None:
    speckle_table(folder)
    within_table(folder)
    france, dates = read_france(folder)
    stands = list(dict.fromkeys(stand for stand, _ in GROUPS.values()))
    large = [s for s in stands if (france.stand == s).sum() > 25]
    # The real series are of points with few looks, not of parcels: their noise is measured and
    # given to the simulated ones.
    looks = tuple(looks_of(sd**2) for sd in noise(france, large)[2])
    print(
        f"\nFrance: {len(france.db)} parcels, {(france.lat < 46).sum()} of them south of 46 N; "
        "white noise as of ",
        end="",
    )
    print(f"{looks[0]:.1f} (VV) and {looks[1]:.1f} looks (VH), also in the simulation")
    seasons = [simulated(france, dates, looks, seed) for seed in SEEDS]
    profile_tables(france, dates, seasons, stands)
    transfer_table(france, dates, seasons)
    output = course.ROOT / "data" / "realism.json"
    output.write_text(json.dumps(ROWS, indent=1) + "\n", encoding="utf-8")
    print("\n" + "\n".join(table_lines(ROWS)))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Give the folder of the real samples: python tests/benchmarks/realism.py FOLDER")
    main(Path(sys.argv[1]))
