"""Small real samples: fetched from a server or a mirror and checked, and opened as what they are.

The files are written here in the layout of the true ones; where STMA_NB_MIRROR names a folder with
the true bytes, these are opened as well.
"""

import functools
import hashlib
import http.server
import os
import threading
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr

from stma_nb import cube, radar, train
from stma_nb.__main__ import main
from stma_nb.sources import samples

TRUE = os.environ.get("STMA_NB_MIRROR")
true_bytes = pytest.mark.skipif(not TRUE, reason="STMA_NB_MIRROR names no folder of true samples")
CHIP = "0000280849BAC91C"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> Path:
    """An empty cache of the user, and no mirror."""
    monkeypatch.delenv(samples.MIRROR, raising=False)
    monkeypatch.setattr(samples, "user_cache_path", lambda name: tmp_path.joinpath("cache", name))
    return tmp_path / "cache" / "stma_nb" / "samples"


def write_belgium(folder: Path) -> dict[str, np.ndarray]:
    """As openEO writes: int16 that is to be read as unsigned, days since 1990."""
    rng = np.random.default_rng(0)
    stored = {band: rng.integers(1000, 9000, (3, 6, 5)).astype("u2") for band in ("VV", "VH")}
    stored["VV"][0, 0, 0] = 65535
    folder.mkdir(parents=True, exist_ok=True)
    with h5py.File(folder / "cdse_sentinel1_grd.nc", "w") as file:
        for band, values in stored.items():
            file[f"S1-SIGMA0-{band}"] = values.view("i2")
            file[f"S1-SIGMA0-{band}"].attrs["_Unsigned"] = np.bytes_("true")
        file["t"] = np.array([12145, 12147, 12150], "i4")
        file["x"], file["y"] = 643265.0 + 10 * np.arange(5), 5676475.0 - 10 * np.arange(6)
        file["crs"] = np.bytes_("x")
        file["crs"].attrs["spatial_ref"] = np.bytes_(xr.Dataset().rio.write_crs(32631).rio.crs.wkt)
    return stored


def write_chip(
    folder: Path, chip: str, times: list[str], codes: np.ndarray, db: np.ndarray | None = None
) -> np.ndarray:
    """Sigma0 in dB as int32 x 1e-4 at 20 m, and crop codes at 10 m; returns VV in dB."""
    rows, columns = np.array(codes.shape) // 2
    rng = np.random.default_rng(1)
    vv = rng.uniform(-20, -5, (len(times), rows, columns)) if db is None else db
    bands = {"VV": vv, "VH": vv - 6}
    x, y = 574690.0 + 20 * np.arange(columns), 5622430.0 - 20 * np.arange(rows)
    between = f"{chip}_32631_{'_'.join(samples.CHIPS[chip])}.nc"
    folder.mkdir(parents=True, exist_ok=True)
    packed = {"dtype": "int32", "scale_factor": 1e-4, "_FillValue": 0}
    xr.Dataset(
        {name: (("timestamp", "y", "x"), band) for name, band in bands.items()},
        {"timestamp": np.array(times, "M8[ns]"), "y": y, "x": x},
    ).to_netcdf(
        folder / f"S1_GRD-ASCENDING_20m_{between}",
        engine="h5netcdf",
        encoding=dict.fromkeys(bands, packed),
    )
    fine = {"y": 5622435.0 - 10 * np.arange(2 * rows), "x": 574685.0 + 10 * np.arange(2 * columns)}
    labels = (("y", "x"), codes.astype("u2"), {"_FillValue": np.uint16(0)})
    xr.Dataset({"CT": labels}, fine, {"epsg": "32631"}).to_netcdf(
        folder / f"OUTPUT_POLY-110_10m_{between}", engine="h5netcdf"
    )
    return bands["VV"]


def belgium_as_listed(monkeypatch, path: Path, address: str = "https://localhost/none") -> bytes:
    """Let the list expect a file that a test wrote."""
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    file = samples.File(path.name, len(content), digest, "Apache-2.0", address)
    sample = samples.listed()["belgium"]._replace(files=((file,),))
    monkeypatch.setitem(samples.listed(), "belgium", sample)
    return content


# -------------------------------------------------------------------------------- listing, fetching


def test_the_list_is_pinned_and_licensed():
    assert list(samples.listed()) == ["belgium", "flanders", "france", "opera", "safe"]
    for sample in samples.listed().values():
        assert "Contains modified Copernicus Sentinel data" in sample.credit
        for file, *_ in sample.files:
            commit = file.address.split("/")[5]
            assert file.address.startswith("https://raw.githubusercontent.com/")
            assert len(commit) == 40 and int(commit, 16) and file.address.endswith(file.name)
            assert len(file.sha256) == 64 and file.size > 0
            assert file.licence in ("MIT", "Apache-2.0")
            assert not Path(file.path).is_absolute() and ".." not in Path(file.path).parts


def test_the_mirror_serves_by_name_wherever_the_file_lies(tmp_path, monkeypatch, home):
    write_belgium(tmp_path / "mirror" / "deep" / "down")
    found = tmp_path / "mirror" / "deep" / "down" / "cdse_sentinel1_grd.nc"
    content = belgium_as_listed(monkeypatch, found)
    assert samples.available("belgium") is None, "no mirror yet"
    assert samples.bring("belgium", download=False) is None
    monkeypatch.setenv(samples.MIRROR, str(tmp_path / "mirror"))
    assert samples.available("belgium") == home / "belgium"
    assert (home / "belgium" / found.name).read_bytes() == content
    monkeypatch.delenv(samples.MIRROR)
    assert samples.available("belgium") == home / "belgium", "it stays when the mirror is gone"


def test_a_wrong_file_in_the_mirror_is_refused_and_not_copied(tmp_path, monkeypatch, home, capsys):
    write_belgium(tmp_path / "mirror")
    wrong = tmp_path / "mirror" / "cdse_sentinel1_grd.nc"
    content = belgium_as_listed(monkeypatch, wrong)
    wrong.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))  # the size is right
    monkeypatch.setenv(samples.MIRROR, str(tmp_path / "mirror"))
    with pytest.raises(ValueError, match=r"grd.nc' is not the published file \(expected \d+ bytes"):
        samples.fetch("belgium")
    assert not list(home.rglob("*.nc"))
    assert main(["data", "samples", "belgium"]) == 1
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_a_mirror_that_lacks_the_file_or_is_no_folder(tmp_path, monkeypatch):
    monkeypatch.setenv(samples.MIRROR, str(tmp_path))
    with pytest.raises(FileNotFoundError, match="has no 'cdse_sentinel1_grd.nc': add it, or unset"):
        samples.fetch("belgium")
    assert samples.available("belgium") is None
    monkeypatch.setenv(samples.MIRROR, str(tmp_path / "gone"))
    with pytest.raises(FileNotFoundError, match="STMA_NB_MIRROR names: unset it"):
        samples.fetch("belgium")


def test_a_file_of_the_user_is_never_replaced(tmp_path, monkeypatch):
    write_belgium(tmp_path / "mirror")
    belgium_as_listed(monkeypatch, tmp_path / "mirror" / "cdse_sentinel1_grd.nc")
    monkeypatch.setenv(samples.MIRROR, str(tmp_path / "mirror"))
    mine = tmp_path / "mine" / "cdse_sentinel1_grd.nc"
    mine.parent.mkdir()
    mine.write_text("notes of my own")
    for ask in (samples.fetch, samples.available, samples.at_home):
        with pytest.raises(ValueError, match="is not the file that was published: delete it"):
            ask("belgium", mine.parent)
    assert mine.read_text() == "notes of my own"


def test_a_fetch_from_the_network_is_checked_and_kept(tmp_path, monkeypatch, home):
    write_belgium(tmp_path / "site")
    handler = functools.partial(
        http.server.SimpleHTTPRequestHandler, directory=str(tmp_path / "site")
    )
    monkeypatch.setattr(http.server.SimpleHTTPRequestHandler, "log_message", lambda *words: None)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        address = f"http://127.0.0.1:{server.server_port}/cdse_sentinel1_grd.nc"
        source = tmp_path / "site" / "cdse_sentinel1_grd.nc"
        content = belgium_as_listed(monkeypatch, source, address)
        source.write_bytes(content[:-1])
        with pytest.raises(ValueError, match="is corrupt and was deleted"):
            samples.fetch("belgium")
        assert samples.at_home("belgium") is None
        source.write_bytes(content)
        assert samples.fetch("belgium") == home / "belgium"
    finally:
        server.shutdown()
        server.server_close()
    assert samples.fetch("belgium") == home / "belgium", "the server is gone, and not needed"


def test_the_command_lists_and_fetches(tmp_path, monkeypatch, capsys, home):
    write_belgium(tmp_path / "mirror")
    belgium_as_listed(monkeypatch, tmp_path / "mirror" / "cdse_sentinel1_grd.nc")
    monkeypatch.setenv(samples.MIRROR, str(tmp_path / "mirror"))
    assert main(["data", "samples"]) == 0
    out = capsys.readouterr().out
    assert all(f"{name} " in out for name in samples.listed()) and out.count("not here") == 5
    assert not home.exists(), "listing brings nothing"
    assert main(["data", "samples", "belgium"]) == 0
    out = capsys.readouterr().out
    assert "Apache-2.0" in out and "Copernicus" in out and "cite https://github.com/Open-EO" in out
    assert f"samples.open_belgium('{home / 'belgium'}')" in out
    assert main(["data", "samples"]) == 0
    assert capsys.readouterr().out.count("not here") == 4
    assert main(["data", "samples", "belgium", "holland"]) == 1
    assert "no sample 'holland'; expected one of belgium" in capsys.readouterr().err
    assert main(["data", "samples", "belgium", "--folder", str(tmp_path / "to")]) == 0
    assert (tmp_path / "to" / "belgium" / "cdse_sentinel1_grd.nc").exists()


def test_a_licence_that_is_not_accepted_fetches_nothing(tmp_path, monkeypatch, capsys, home):
    write_belgium(tmp_path / "mirror")
    belgium_as_listed(monkeypatch, tmp_path / "mirror" / "cdse_sentinel1_grd.nc")
    monkeypatch.setenv(samples.MIRROR, str(tmp_path / "mirror"))

    class Terminal:
        def __init__(self, answer):
            self.answer = answer

        def isatty(self):
            return True

        def readline(self, *size):
            return self.answer

    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    assert main(["data", "samples", "belgium"]) == 1
    assert "its licence was not accepted" in capsys.readouterr().err and not home.exists()
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    assert main(["data", "samples", "belgium"]) == 0
    assert samples.at_home("belgium")


# ------------------------------------------------------------------------------------------ opening


def test_belgian_numbers_become_power(tmp_path):
    stored = write_belgium(tmp_path)
    season = cube.check_season(samples.open_belgium(tmp_path))
    expected = 20 * np.log10(stored["VH"].astype(float)) - 83
    np.testing.assert_allclose(radar.to_db(season.vh), expected, atol=1e-4)
    assert np.isnan(season.vv.values[0, 0, 0]) and np.isfinite(season.vv.values).sum() == 89
    assert season.time.values.astype("M8[D]").astype(str).tolist() == [
        "2023-04-03",
        "2023-04-05",
        "2023-04-08",
    ]
    assert season.rio.crs.to_epsg() == 32631 and season.rio.bounds()[0] == 643260
    assert cube.quantity(season) == "sigma0" and "Copernicus" in season.attrs["credit"]


def test_a_chip_keeps_the_radar_and_votes_on_its_labels(tmp_path):
    codes = np.zeros((4, 6), int)
    codes[:2, :2] = 1110  # four of winter wheat
    codes[:2, 2:4] = [[1200, 1200], [9120, 1200]]  # three of maize
    codes[:2, 4:] = [[1200, 9120], [1200, 9120]]  # two against two
    codes[2:, :2] = [[0, 0], [0, 5100]]  # mostly unknown
    codes[2:, 2:4] = [[8100, 8100], [0, 0]]  # half unknown
    codes[2:, 4:] = 1510
    db = write_chip(tmp_path, CHIP, ["2018-08-02T17:31:51", "2018-08-08T17:32:42"], codes)
    season = cube.check_season(samples.open_flanders(tmp_path, CHIP))
    names = dict(enumerate(crop.name for crop in cube.legend(season))) | {cube.UNKNOWN: "unknown"}
    assert [[names[code] for code in row] for row in season.crop.values.tolist()] == [
        ["Winter cereals", "Maize", "unknown"],
        ["unknown", "unknown", "Winter cereals"],
    ]
    assert cube.background(cube.legend(season)) is None
    np.testing.assert_allclose(radar.to_db(season.vv), db, atol=1e-3)
    assert cube.pixel_size(season) == 20 and season.rio.crs.to_epsg() == 32631


def test_tracks_are_told_apart_by_the_minute(tmp_path):
    times = ["2018-08-01T17:40:49", "2018-08-02T17:32:16", "2018-08-07T17:40:18"]
    times += ["2018-08-08T17:32:42"]
    db = write_chip(tmp_path, CHIP, times, np.full((4, 4), 1200))
    early, late = (samples.open_flanders(tmp_path, CHIP, track) for track in (0, 1))
    assert early.time.dt.day.values.tolist() == [2, 8] and late.time.dt.day.values.tolist() == [
        1,
        7,
    ]
    np.testing.assert_allclose(radar.to_db(late.vv), db[[0, 2]], atol=1e-3)
    with pytest.raises(cube.SeasonError, match="has the tracks 0 to 1; there is no 2"):
        samples.open_flanders(tmp_path, CHIP, 2)


def test_codes_without_a_class_are_named(tmp_path):
    write_chip(tmp_path, CHIP, ["2018-08-02T17:31:51"], np.full((4, 4), 4321))
    with pytest.raises(cube.SeasonError, match="crop codes without a class: 4321"):
        samples.open_flanders(tmp_path, CHIP)
    with pytest.raises(cube.SeasonError, match="no square 'X'; expected one of 0000280849BAC91C"):
        samples.open_flanders(tmp_path, "X")


def test_damaged_or_missing_files_are_one_sentence(tmp_path):
    with pytest.raises(FileNotFoundError, match="fetch it first .*data samples belgium"):
        samples.open_belgium(tmp_path)
    write_belgium(tmp_path)
    file = tmp_path / "cdse_sentinel1_grd.nc"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(cube.SeasonError, match=r"cdse_sentinel1_grd.nc' cannot be read .* delete"):
        samples.open_belgium(tmp_path)


def french_parcels() -> dict[str, np.ndarray]:
    """Four parcels at two dates; one date of the last is missing."""
    power = np.array([[-17.5, -22.0], [-14.25, -21.5]])[None].repeat(4, 0).astype("f4")
    power[3, 1] = np.nan
    return {
        "X": power,
        "dates": np.array(["2022-09-01", "2022-09-11"]),
        "ewoc_code": np.array([1101010011, 1101060000, 2001020022, 1101060001]),
        "lon": np.array([0.1, 0.2, 0.3, 0.4]),
        "lat": np.array([47.5, 47.6, 44.0, 43.9]),
    }


def check_france(table: xr.Dataset) -> None:
    names = [crop.name for crop in cube.legend(table)]
    assert [names[code] for code in table.crop.values] == [
        "Winter cereals",
        "Maize",
        "Grassland",
        "Maize",
    ]
    np.testing.assert_allclose(radar.to_db(table.vv)[0], -17.5, atol=5e-3)
    np.testing.assert_allclose(radar.to_db(table.vh)[1, :3], -21.5, atol=5e-3)
    assert np.isnan(table.vv.values[1, 3]) and table.time.dt.day.values.tolist() == [1, 11]
    np.testing.assert_allclose(table.lat, [47.5, 47.6, 44.0, 43.9])


def test_french_parcels_from_their_conversion_learn_as_pixels(tmp_path):
    np.savez(tmp_path / "fr2023_dekad.npz", **french_parcels())
    table = samples.open_france(tmp_path)
    check_france(table)
    season = samples.as_season(table.isel(parcel=slice(3)))
    forest = train.fit_forest(season, np.ones((3, 1), bool), trees=5)
    assert forest.model.arguments["dates"] == 2 and len(forest.crops) == 13


def test_french_parcels_as_they_were_published(tmp_path):
    pytest.importorskip("pyarrow")
    shapely = pytest.importorskip("shapely")
    import pandas as pd

    store = french_parcels()
    rows = [
        {
            "sample_id": f"2023_FRA_{parcel}",
            "timestamp": pd.Timestamp(str(store["dates"][date])),
            "ewoc_code": store["ewoc_code"][parcel],
            "geometry": shapely.to_wkb(
                shapely.Point(store["lon"][parcel], store["lat"][parcel]).buffer(0.01)
            ),
            **{
                f"S1-SIGMA0-{band}": np.uint16(
                    round(10 ** ((store["X"][parcel, date, number] + 83) / 20))
                )
                for number, band in enumerate(("VV", "VH"))
            },
        }
        for date in (1, 0)
        for parcel in range(4)
        if np.isfinite(store["X"][parcel, date, 0])
    ]
    pd.DataFrame(rows).to_parquet(tmp_path / "2023_FRA_LPIS_POLY_110.geoparquet")
    check_france(samples.open_france(tmp_path))


# ------------------------------------------------------------------------------- the true bytes


@pytest.fixture
def true(monkeypatch):
    """A function that opens nothing but the true bytes."""
    monkeypatch.setenv(samples.MIRROR, str(TRUE))
    return samples.fetch


@true_bytes
def test_the_true_belgian_passes(true):
    season = cube.check_season(samples.open_belgium(true("belgium")))
    assert dict(season.sizes) == {"time": 10, "y": 66, "x": 64}
    assert np.median(radar.to_db(season.vv)) == pytest.approx(-12.3, abs=0.1)
    assert np.median(radar.to_db(season.vh)) == pytest.approx(-18.6, abs=0.1)


@true_bytes
def test_the_true_chips(true):
    folder = true("flanders")
    season = cube.check_season(samples.open_flanders(folder))
    assert dict(season.sizes) == {"time": 80, "y": 32, "x": 32}
    crop = season.crop.values
    assert (crop == cube.UNKNOWN).sum() == 166
    counts = np.bincount(crop[crop != cube.UNKNOWN], minlength=7)
    assert dict(zip([c.name for c in cube.legend(season)], counts.tolist(), strict=True)) == {
        "No data": 0, "Maize": 94, "Winter cereals": 389, "Grassland": 318, "Potato": 6,
        "Sugar beet": 35, "Other": 16,
    }  # fmt: skip
    for track, dates in ((0, 80), (1, 77)):
        other = samples.open_flanders(folder, "000028085BF08E7E", track)
        assert other.sizes["time"] == dates


@true_bytes
def test_the_true_parcels_bursts_and_product(true):
    table = samples.open_france(true("france"))
    assert dict(table.sizes) == {"time": 51, "parcel": 500}
    assert (table.crop.values > 0).all()
    assert np.isnan(table.vv.values).mean() == pytest.approx(0.0734, abs=0.001)
    folder = true("opera")
    bursts = [samples.open_opera(folder, name) for name in ("292322-IW2", "292323-IW2")]
    assert [burst.sizes["time"] for burst in bursts] == [21, 21]
    assert cube.quantity(bursts[0]) == "gamma0"
    product = samples.open_safe(true("safe"))
    assert product.suffix == ".SAFE" and (product / "manifest.safe").exists()
