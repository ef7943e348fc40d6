"""Western Cape tiles, written small in the layout of Source Cooperative, with the negative
northings of the true files.
"""

import numpy as np
import pytest
import rasterio
import torch

from stma_nb import cube, patches, train
from stma_nb.__main__ import main
from stma_nb.model import STMA
from stma_nb.patches import IGNORE
from stma_nb.sources import south_africa

SIDE = 64


def write(file, array):
    file.parent.mkdir(parents=True, exist_ok=True)
    grid = rasterio.Affine(10, 0, 260_000, 0, -10, -3_570_000)
    with rasterio.open(
        file,
        "w",
        "GTiff",
        SIDE,
        SIDE,
        1,
        "EPSG:32634",
        grid,
        array.dtype,
        tiled=True,
        blockxsize=16,
        blockysize=16,
    ) as tif:
        tif.write(array, 1)


@pytest.fixture
def folder(tmp_path):
    """Three tiles; two have 6 dates, the third has 5 others.

    Returns the folder and the dB of tile 12.
    """
    rng = np.random.default_rng(0)
    for tile, dates in (
        ("12", range(0, 72, 12)),
        ("13", range(0, 72, 12)),
        ("105", range(3, 63, 12)),
    ):
        for day in dates:
            stamp = str(np.datetime64("2017-04-01") + day).replace("-", "_")
            for band, level in (("VV", -11), ("VH", -18)):
                file = (
                    tmp_path
                    / "train"
                    / "imagery"
                    / "s1"
                    / tile
                    / stamp
                    / f"{tile}_{stamp}_{band}_10m.tif"
                )
                write(file, rng.normal(level, 3, (SIDE, SIDE)).astype(np.float32))
        labels = tmp_path / "train" / "labels"
        write(labels / f"{tile}.tif", rng.integers(0, 10, (SIDE, SIDE)).astype(np.uint8))
        write(
            labels / f"{tile}_field_ids.tif", rng.integers(0, 99999, (SIDE, SIDE)).astype(np.int32)
        )
    return tmp_path


def image(folder, tile, stamp, band):
    with rasterio.open(
        folder / "train" / "imagery" / "s1" / tile / stamp / f"{tile}_{stamp}_{band}_10m.tif"
    ) as tif:
        return tif.read(1)


def test_tiles_are_listed_in_order(folder, tmp_path):
    assert south_africa.tiles(folder) == ["12", "13", "105"]
    with pytest.raises(FileNotFoundError, match="data.source.coop"):
        south_africa.tiles(tmp_path / "none")


def test_tile_is_a_season(folder):
    season = south_africa.open_tile(folder, "12")
    assert season.sizes == {"time": 6, "y": SIDE, "x": SIDE} and season.rio.crs.to_epsg() == 32634
    assert str(season.time.values[1])[:10] == "2017-04-13"
    np.testing.assert_allclose(
        season.vh[1], 10 ** (image(folder, "12", "2017_04_13", "VH") / 10), rtol=1e-5
    )
    np.testing.assert_allclose(
        season.vv[1], 10 ** (image(folder, "12", "2017_04_13", "VV") / 10), rtol=1e-5
    )
    assert [crop.name for crop in cube.legend(season)][
        4
    ] == "Wine grapes" and season.parcel.dtype == np.int32
    assert float(season.y[0]) == -3_570_005


def test_tile_goes_to_disk_and_back(folder, tmp_path):
    season = south_africa.open_tile(folder, "12")
    again = cube.open_season(cube.save_season(season, tmp_path / "tile.zarr"))
    np.testing.assert_array_equal(again.vv, season.vv)
    assert cube.legend(again) == south_africa.CROPS


def test_patches_are_the_windows_of_the_season(folder):
    """Windowed reading of files equals cutting windows from the whole season."""
    season = south_africa.open_tile(folder, "12")
    data = south_africa.open_tiles(folder, ["12"], patch=32, dates=season.time.values)
    windows = patches.corners((SIDE, SIDE), 32)
    same = patches.PatchDataset(season, windows, 32, data.scaling, season.crop.values > 0)
    assert len(data) == len(same) == 4
    for (x, y), (expected, labels) in zip(data, same, strict=False):
        torch.testing.assert_close(x, expected)
        assert torch.equal(y, labels)
    assert (data[0][1] == IGNORE).any() and not (data[0][1] == 0).any()
    whole = patches.fit_scaling(season)
    np.testing.assert_allclose(data.scaling.mean, whole.mean, rtol=1e-4)
    np.testing.assert_allclose(data.scaling.std, whole.std, rtol=1e-4)
    assert data.scaling[2:] == whole[2:], "the same bands in the same units"


def test_tiles_of_other_dates_come_to_one_calendar_and_train(folder):
    learn = south_africa.open_tiles(folder, ["12", "105"], patch=32, dates=4)
    assert str(learn.times[0])[:10] == "2017-04-04"  # the latest first date
    valid = south_africa.open_tiles(folder, ["13"], 32, learn.times, scaling=learn.scaling)
    model = STMA(dates=4, patch=32, classes=10, width=2)
    trained = train.fit(model, learn, valid, 1, 2, device="cpu", watch=lambda history: None)
    assert np.isfinite(trained.history[0]["loss"])


def test_digital_numbers_need_their_scale(folder):
    for file in (folder / "train" / "imagery").rglob("*.tif"):
        with rasterio.open(file) as tif:
            db = tif.read(1)
        write(file, np.clip(4 * (db + 40), 1, 255).astype(np.uint8))
    with pytest.raises(cube.SeasonError, match=r"give scale=\(slope, intercept\)"):
        south_africa.open_tile(folder, "12")
    season = south_africa.open_tile(folder, "12", scale=(0.25, -40))
    assert -19 < float(10 * np.log10(season.vh.mean())) < -15


class TestWrongData:
    def test_unknown_tile(self, folder):
        with pytest.raises(FileNotFoundError, match="99' has no image"):
            south_africa.open_tile(folder, "99")

    def test_date_with_one_polarisation(self, folder):
        (
            folder / "train" / "imagery" / "s1" / "12" / "2017_04_13" / "12_2017_04_13_VH_10m.tif"
        ).unlink()
        with pytest.raises(cube.SeasonError, match="Tile 12 has only VV on 2017-04-13"):
            south_africa.open_tile(folder, "12")

    def test_truncated_image(self, folder):
        file = (
            folder / "train" / "imagery" / "s1" / "12" / "2017_04_13" / "12_2017_04_13_VH_10m.tif"
        )
        file.write_bytes(file.read_bytes()[:9000])
        for read in (
            lambda: south_africa.open_tile(folder, "12"),
            lambda: south_africa.open_tiles(folder, ["12"], 32, 4),
        ):
            with pytest.raises(cube.SeasonError, match="truncated"):
                read()

    def test_unknown_class(self, folder):
        write(folder / "train" / "labels" / "12.tif", np.full((SIDE, SIDE), 10, np.uint8))
        with pytest.raises(cube.SeasonError, match=r"codes 10 .. 10; expected 0 .. 9"):
            south_africa.open_tiles(folder, ["12"], 32, 4)
        with pytest.raises(cube.SeasonError, match="Class code 10 is outside the legend"):
            south_africa.open_tile(folder, "12")


def test_command_says_what_is_there_and_what_to_do(folder, tmp_path, capsys):
    assert main(["data", "south-africa", str(folder)]) == 0
    out = capsys.readouterr().out
    assert "3 tiles" in out and "6 dates, 2017-04-01 to 2017-05-31" in out and "open_tiles" in out
    assert main(["data", "south-africa", str(tmp_path / "none")]) == 1
    assert "data.source.coop" in capsys.readouterr().err
