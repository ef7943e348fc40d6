"""Maps of parcels and maps with a minimum mapping unit: as arrays, as GeoTIFFs, on the command
line.
"""

import numpy as np
import pytest
import rasterio
from rasterio.features import shapes

from stma_nb import cube, predict, train
from stma_nb.__main__ import main
from stma_nb.predict import products


@pytest.fixture
def fields():
    """Codes with nodata, and parcels whose numbers are large and of which 0 and -1 are none."""
    rng = np.random.default_rng(0)
    parcel = np.kron(rng.choice([-1, 0, 7, 8, 90_000_001], (12, 9)), np.ones((5, 5), int))
    codes = rng.integers(0, 5, parcel.shape).astype(np.uint8)
    codes[codes == 4] = 255
    return codes, parcel.astype(np.int32)


@pytest.fixture
def forest(season):
    """Trained on few pixels, so that its maps are wrong in places."""
    return train.fit_forest(season, np.ones((48, 64), bool), pixels=60, trees=10)


@pytest.fixture
def parcels(season, tmp_path):
    """The stripes of the season, without the first, which is nodata."""
    path = tmp_path / "parcel.tif"
    profile = cube.geotiff_profile(season) | {"dtype": "int32", "count": 1, "nodata": 1}
    with rasterio.open(path, "w", **profile) as tif:
        tif.write(season.parcel.values, 1)
    return path


def read(path):
    with rasterio.open(path) as tif:
        return tif.read(1)


@pytest.mark.parametrize("rows", [7, 256])
def test_a_parcel_bears_the_class_of_most_of_its_pixels(fields, rows, monkeypatch):
    monkeypatch.setattr(products, "ROWS", rows)
    codes, parcel = fields
    wanted = codes.copy()
    for number in (7, 8, 90_000_001):
        own = (parcel == number) & (codes != 255)
        wanted[own] = np.bincount(codes[own]).argmax()
    np.testing.assert_array_equal(predict.parcel_vote(codes, parcel), wanted)


def test_a_tie_goes_to_the_lower_code_and_a_parcel_without_data_stays():
    codes = np.array([[2, 1], [255, 255]], np.uint8)
    parcel = np.array([[5, 5], [6, 6]])
    assert predict.parcel_vote(codes, parcel).tolist() == [[1, 1], [255, 255]]
    nothing = np.zeros_like(parcel)
    assert predict.parcel_vote(codes, nothing).tolist() == codes.tolist()
    with pytest.raises(ValueError, match=r"shapes \(2, 2\) and \(1, 2\); expected one shape"):
        predict.parcel_vote(codes, parcel[:1])


def test_clumps_go_to_their_largest_neighbour():
    codes = np.full((8, 10), 1, np.uint8)
    codes[:, 6:] = 2
    codes[2, 5:7] = 3  # a clump of two between 1 and 2, of which 1 is larger
    codes[7, 9] = 255
    codes[0, 0] = 0
    wanted = codes.copy()
    wanted[2, 5:7] = wanted[0, 0] = 1
    np.testing.assert_array_equal(predict.sieve(codes, 3), wanted)
    assert (predict.sieve(codes, 2)[2, 5:7] == 3).all(), "a clump of two is not below two"
    np.testing.assert_array_equal(predict.sieve(codes, 1000), codes, "none has such a neighbour")
    with pytest.raises(ValueError, match="least clump is 0 pixels; expected 1 or more"):
        predict.sieve(codes, 0)


def test_the_product_keeps_legend_colours_and_nodata(season, forest, parcels, tmp_path):
    for band in ("vv", "vh"):
        season[band].values[:, 40:, :30] = np.nan
    plain = predict.season_map(forest, season, tmp_path / "plain.tif", progress=False)
    made = predict.season_map(
        forest,
        season,
        tmp_path / "map.tif",
        progress=False,
        tile=32,
        parcels=parcels,
        least_hectares=0.5,  # 50 pixels of 10 m
        probabilities=tmp_path / "p.tif",
    )
    parcel = np.where(season.parcel.values == 1, 0, season.parcel.values)
    voted = predict.parcel_vote(read(plain), parcel)
    np.testing.assert_array_equal(read(made), predict.sieve(voted, 50))
    assert (read(made) != read(plain)).any() and (read(plain)[:, :8] != voted[:, :8]).sum() == 0
    for number in range(2, 9):
        assert len(np.unique(voted[:40][parcel[:40] == number])) == 1
    small = [s for s, _ in shapes(read(made), mask=read(made) != 255) if _area(s) < 5000]
    assert not small
    with rasterio.open(plain) as before, rasterio.open(made) as after:
        assert after.colormap(1) == before.colormap(1) and after.nodata == 255
        tags = after.tags()
        assert tags.pop("PARCELS") == "parcel.tif" and tags.pop("LEAST_HECTARES") == "0.5"
        assert tags == before.tags() | {"AREA_OR_POINT": "Area"}
        np.testing.assert_array_equal(after.read(1) == 255, before.read(1) == 255)
    assert "Sugar beet" in (tmp_path / "map.tif.aux.xml").read_text()


def _area(shape) -> float:
    """Of a polygon in pixels, as square metres of pixels of 10 m."""
    area = 0.0
    for number, ring in enumerate(shape["coordinates"]):
        x, y = np.array(ring).T
        size = abs(x[:-1] @ y[1:] - x[1:] @ y[:-1]) / 2
        area += size if number == 0 else -size
    return 100 * area


def test_the_command_line_makes_products(season, forest, parcels, tmp_path, capsys):
    weights = train.save(forest, tmp_path / "forest.safetensors")
    store = cube.save_season(season, tmp_path / "season.zarr")
    words = ["map", str(weights), str(store), str(tmp_path / "map.tif")]
    assert main([*words, "--parcels", str(parcels), "--least-hectares", "0.3"]) == 0
    wanted = predict.season_codes(forest, season, parcels=parcels, least_hectares=0.3)
    np.testing.assert_array_equal(read(tmp_path / "map.tif"), wanted)
    assert main([*words, "--overwrite", "--least-hectares", "0"]) == 1
    assert "The smallest area is 0.0 hectares; expected more than 0" in capsys.readouterr().err


def test_parcels_on_another_grid_are_refused_before_anything_is_computed(
    season, forest, parcels, tmp_path
):
    other = season.assign_coords(x=season.x + 10)
    with pytest.raises(ValueError, match=r"'parcel.tif' .* lies on another grid than the season"):
        predict.season_map(forest, other, tmp_path / "map.tif", parcels=parcels, progress=False)
    profile = cube.geotiff_profile(season) | {"dtype": "float32", "count": 1}
    with rasterio.open(tmp_path / "f.tif", "w", **profile) as tif:
        tif.write(season.vv.values[:1])
    with pytest.raises(ValueError, match=r"1 band\(s\) of float32; expected one band of whole"):
        predict.season_codes(forest, season, parcels=tmp_path / "f.tif")
    assert not [file for file in tmp_path.iterdir() if "map" in file.name]
