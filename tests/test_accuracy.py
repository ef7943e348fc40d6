"""Scores from an error matrix, checked against scikit-learn and against the published example's raw counts."""

import numpy as np
import pytest
from sklearn import metrics

from stma_nb import accuracy
from stma_nb.cube import BRANDENBURG, Crop


@pytest.fixture
def labels() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    reference = rng.choice(6, (40, 50), p=[0.5, 0.2, 0.15, 0.1, 0.04, 0.01])
    mapped = np.where(rng.random((40, 50)) < 0.7, reference, rng.integers(0, 6, (40, 50)))
    return mapped, reference


def test_error_matrix_has_the_map_in_rows(labels):
    mapped, reference = labels
    matrix = accuracy.error_matrix(mapped, reference, 16)
    np.testing.assert_array_equal(matrix[:6, :6], metrics.confusion_matrix(reference.ravel(), mapped.ravel()).T)
    assert matrix.sum() == 2000


def test_scores_agree_with_scikit_learn(labels):
    mapped, reference = (a.ravel() for a in labels)
    matrix = accuracy.error_matrix(mapped, reference, 16)
    table = accuracy.class_scores(matrix, BRANDENBURG)
    assert list(table.index) == [crop.name for crop in BRANDENBURG[:6]]
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(reference, mapped, zero_division=0)
    np.testing.assert_allclose(table["user's"], precision)
    np.testing.assert_allclose(table["producer's"], recall)
    np.testing.assert_allclose(table["F1"], f1)
    np.testing.assert_allclose(table["IoU"], metrics.jaccard_score(reference, mapped, average=None))
    scores = accuracy.summary(matrix, BRANDENBURG)
    assert scores["kappa"] == pytest.approx(metrics.cohen_kappa_score(reference, mapped))
    assert scores["overall accuracy"] == pytest.approx((mapped == reference).mean())
    crops = reference > 0
    assert scores["overall accuracy, crops only"] == pytest.approx((mapped == reference)[crops].mean())
    assert scores["mean F1 of crops"] == pytest.approx(f1[1:].mean())


def test_published_counts():
    """Olofsson et al. (2014), table 8: raw overall accuracy 0.917, kappa of the raw counts 0.870, producer's of the first 0.957."""
    matrix = np.array([[66, 0, 5, 4], [0, 55, 8, 12], [1, 0, 153, 11], [2, 1, 9, 313]])
    crops = tuple(Crop(name, "#000000") for name in ("deforestation", "gain", "forest", "other"))
    assert accuracy.overall_accuracy(matrix) == pytest.approx(0.917, abs=5e-4)
    assert accuracy.kappa(matrix) == pytest.approx(0.870, abs=5e-4)
    table = accuracy.class_scores(matrix, crops)
    assert table["producer's"].iloc[0] == pytest.approx(0.957, abs=5e-4) and table["user's"].iloc[1] == pytest.approx(
        0.7333, abs=5e-5
    )


def test_where_and_nodata_leave_pixels_out(labels):
    mapped, reference = labels
    mapped = mapped.astype("uint8")
    mapped[0] = 255
    where = np.ones(mapped.shape, bool)
    where[:, :10] = False
    matrix = accuracy.error_matrix(mapped, reference, 16, where)
    assert matrix.sum() == 39 * 40


def test_maps_that_do_not_fit(labels):
    mapped, reference = labels
    with pytest.raises(ValueError, match="bring both to one grid"):
        accuracy.error_matrix(mapped[:, 1:], reference, 16)
    with pytest.raises(ValueError, match="code 5, outside the legend"):
        accuracy.error_matrix(np.minimum(mapped, 3), reference, 4)


def test_classes_without_reference_are_not_averaged():
    matrix = np.array([[5, 0, 0], [1, 4, 0], [0, 2, 0]])  # the third class is mapped, but never true
    crops = tuple(Crop(name, "#000000") for name in "abc")
    assert accuracy.summary(matrix, crops)["mean F1 of crops"] == pytest.approx(2 * 4 / (5 + 6))
    assert "c" in accuracy.class_scores(matrix, crops).index


def test_masks_of_numbers_and_codes_below_zero():
    reference, mapped = np.array([0, 1, 2, 0, 1, 2]), np.array([0, 1, 2, 0, 1, -1])
    np.testing.assert_array_equal(accuracy.error_matrix(mapped, reference, 3, where=[0, 0, 0, 1, 1, 1]), np.diag([1, 1, 0]))
    with pytest.raises(ValueError, match="holds code -1"):
        accuracy.error_matrix(reference, mapped, 3)
