"""Parcels: votes against a plain loop, tables, matrices and edges on fields made by hand."""

import numpy as np
import pandas as pd
import pytest
import rasterio

from stma_nb import accuracy, cube
from stma_nb.accuracy import parcels


@pytest.fixture
def fields():
    """Parcels with numbers far apart (as in a land register), a map of 4 classes with nodata, and
    its reference.
    """
    rng = np.random.default_rng(0)
    register = np.array([0, 7, 1_200_345_678, 12, 99])
    parcel = register[rng.integers(0, 5, (6, 8))].repeat(10, 0).repeat(10, 1)
    crop_of = {0: 0, 7: 1, 12: 2, 99: 3, 1_200_345_678: 1}
    reference = np.vectorize(crop_of.get)(parcel)
    mapped = np.where(
        rng.random(parcel.shape) < 0.4, rng.integers(0, 4, parcel.shape), reference
    ).astype("uint8")
    mapped[:15, :30] = 255
    return mapped, reference, parcel


def plain(pixels, parcel, number, classes):
    inside = parcel == number
    if pixels.ndim == 3:
        return np.nansum(pixels[:, inside], axis=1)
    return [(pixels[inside] == k).sum() for k in range(classes)]


def test_votes_are_those_of_a_plain_loop(fields):
    mapped, _, parcel = fields
    numbers = cube.parcel_numbers(parcel)
    assert numbers.tolist() == [7, 12, 99, 1_200_345_678]
    np.testing.assert_array_equal(
        accuracy.vote(mapped, parcel, 4), [plain(mapped, parcel, n, 4) for n in numbers]
    )
    probabilities = np.random.default_rng(1).dirichlet(np.ones(4), parcel.shape).transpose(2, 0, 1)
    probabilities[:, mapped == 255] = np.nan
    votes = accuracy.vote(probabilities, parcel, 4)
    np.testing.assert_allclose(votes, [plain(probabilities, parcel, n, 4) for n in numbers])


def test_votes_of_parts_add_up(fields):
    mapped, _, parcel = fields
    numbers = cube.parcel_numbers(parcel)
    parts = sum(
        accuracy.vote(mapped[row : row + 7], parcel[row : row + 7], 4, numbers)
        for row in range(0, 60, 7)
    )
    np.testing.assert_array_equal(parts, accuracy.vote(mapped, parcel, 4))


def test_majority_and_mean_probability_may_differ():
    """Three pixels lean to class 0, two are sure of class 1; a tie goes to the lower code."""
    parcel = np.array([[1, 1, 1, 1, 1, 2, 2]])
    first = np.array([[0.55, 0.55, 0.55, 0.1, 0.1, 0.9, 0.1]])
    probabilities = np.stack([first, 1 - first])
    mapped = probabilities.argmax(0)
    table = accuracy.parcel_table(mapped, np.ones_like(mapped), parcel, 2, probabilities)
    assert table["majority"].tolist() == [0, 0] and table["reference"].tolist() == [1, 1]
    assert table["mean probability"].tolist() == [1, 0]
    assert table["share right"].tolist() == [0.4, 0.5]


def test_table_of_parcels(fields):
    mapped, reference, parcel = fields
    table = accuracy.parcel_table(mapped, reference, parcel, 4, pixel_area=0.01)
    for number, row in table.iterrows():
        inside = (parcel == number) & (mapped != 255)
        assert row["pixels"] == inside.sum() and row["hectares"] == pytest.approx(
            inside.sum() / 100
        )
        assert (
            row["reference"] == row["majority"] == reference[inside][0]
        )  # 60 % right, so the vote is
        assert row["share right"] == pytest.approx((mapped == reference)[inside].mean())


def test_a_parcel_without_pixels_keeps_its_row():
    parcel = np.array([[1, 1, 3, 3]])
    mapped = np.array([[0, 0, 255, 255]], "uint8")
    table = accuracy.parcel_table(
        mapped, np.zeros((1, 4), int), parcel, 2, numbers=[1, 2, 3]
    )  # 2 is nowhere, 3 all nodata
    assert table["pixels"].tolist() == [2, 0, 0]
    assert table.loc[[2, 3], ["reference", "majority", "share right"]].isna().all(axis=None)
    np.testing.assert_array_equal(accuracy.parcel_matrix(table, 2), [[1, 0], [0, 0]])
    assert accuracy.vote(mapped, np.zeros((1, 4), int), 2).shape == (0, 2)  # no parcel at all


def test_parcel_matrix_counts_parcels_or_hectares():
    table = pd.DataFrame(
        {
            "hectares": [1.0, 2.0, 30.0],
            "reference": pd.array([0, 1, 1], dtype="Int64"),
            "majority": pd.array([0, 0, 1], dtype="Int64"),
        }
    )
    np.testing.assert_array_equal(accuracy.parcel_matrix(table, 2), [[1, 1], [0, 1]])
    np.testing.assert_array_equal(
        accuracy.parcel_matrix(table, 2, weight="area"), [[1, 2], [0, 30]]
    )
    for wrong in ({"weight": "pixels"}, {"vote": "mean probability"}):
        with pytest.raises(
            ValueError, match="expected 'count' or 'area', and a column of the table"
        ):
            accuracy.parcel_matrix(table, 2, **wrong)


@pytest.mark.filterwarnings("ignore:Only")
def test_parcel_matrices_are_units_of_an_interval(fields):
    mapped, reference, parcel = fields
    where = np.random.default_rng(2).random(parcel.shape) < 0.5
    matrices = accuracy.parcel_matrices(mapped, reference, parcel, 4, where=where)
    np.testing.assert_array_equal(
        matrices.sum(0), accuracy.error_matrix(mapped, reference, 4, where & (parcel > 0))
    )
    np.testing.assert_array_equal(
        matrices[2], accuracy.error_matrix(mapped, reference, 4, where & (parcel == 99))
    )
    interval = accuracy.interval(matrices, accuracy.overall_accuracy)
    assert interval.low <= interval.estimate <= interval.high


def test_matrices_of_files_are_those_of_the_arrays(fields, tmp_path, monkeypatch):
    monkeypatch.setattr("stma_nb.accuracy.matrix.WINDOW", 32)
    mapped, reference, parcel = fields
    where = np.random.default_rng(2).random(parcel.shape) < 0.5
    reference = np.where(
        np.random.default_rng(3).random(parcel.shape) < 0.1, 99, reference
    )  # nodata, and no class
    layers = {
        "map": mapped,
        "reference": reference.astype("uint8"),
        "parcel": parcel.astype("int32"),
        "where": where.astype("uint8"),
    }
    paths = [tmp_path / f"{name}.tif" for name in layers]
    for path, layer, nodata in zip(paths, layers.values(), (255, 99, None, None), strict=True):
        profile = {
            "driver": "GTiff",
            "height": 60,
            "width": 80,
            "count": 1,
            "dtype": layer.dtype,
            "crs": "EPSG:32633",
        }
        with rasterio.open(
            path, "w", **profile, nodata=nodata, transform=rasterio.Affine(10, 0, 0, 0, -10, 0)
        ) as tif:
            tif.write(layer, 1)
    numbers, matrices = parcels.matrices_of_files(*paths[:3], 4, paths[3])
    counted = where & (reference != 99)
    np.testing.assert_array_equal(numbers, cube.parcel_numbers(parcel))
    np.testing.assert_array_equal(
        matrices, accuracy.parcel_matrices(mapped, reference, parcel, 4, where=counted)
    )
    table = accuracy.parcel_table(mapped, reference, parcel, 4, where=counted)
    pd.testing.assert_frame_equal(parcels.table_of(numbers, matrices), table)


def test_edge_distance_of_a_square():
    parcel = np.zeros((9, 12), int)
    parcel[1:8, 1:8] = 1
    parcel[1:8, 8:11] = 2  # its neighbour, wall to wall
    distance = accuracy.edge_distance(parcel)
    np.testing.assert_array_equal(distance[4], [0, 1, 2, 3, 4, 3, 2, 1, 1, 2, 1, 0])
    assert (distance[parcel == 0] == 0).all() and distance.max() == 4
    assert np.isinf(accuracy.edge_distance(np.ones((3, 3), int))).all()  # no edge within the scene


def test_edge_accuracy_sees_errors_at_the_edge():
    parcel = np.zeros((40, 40), int)
    parcel[2:38, 2:38] = 5
    reference = (parcel > 0).astype(int)
    mapped = np.where(accuracy.edge_distance(parcel) == 1, 0, reference).astype("uint8")
    mapped[20, 20] = 255
    table = accuracy.edge_accuracy(mapped, reference, parcel, bounds=(1, 3))
    assert table["pixels"].tolist() == [36**2 - 34**2, 34**2 - 30**2, 30**2 - 1]
    assert table["share right"].tolist() == [0, 1, 1]


def test_layers_that_do_not_fit(fields):
    mapped, reference, parcel = fields
    with pytest.raises(ValueError, match=r"shapes \(60, 79\) and \(60, 80\)"):
        accuracy.vote(mapped[:, 1:], parcel, 4)
    with pytest.raises(ValueError, match=r"expected one shape, or \(4, rows, columns\)"):
        accuracy.vote(np.full((3, 60, 80), 1 / 3), parcel, 4)
    with pytest.raises(ValueError, match="Map and parcels have shapes"):
        accuracy.parcel_matrices(mapped, reference, parcel[1:], 4)
    with pytest.raises(ValueError, match="not in order or occur twice"):
        accuracy.vote(mapped, parcel, 4, numbers=np.array([12, 7]))
    with pytest.raises(ValueError, match="not to 1"):
        accuracy.vote(np.ones((4, 60, 80)), parcel, 4)
