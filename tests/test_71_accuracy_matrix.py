"""Scores from an error matrix, checked against scikit-learn and against the published example's raw
counts.
"""

import numpy as np
import psutil
import pytest
import rasterio
from benchmarks import interval_coverage
from scipy import stats
from scipy.special import expit, logit
from sklearn import metrics

from stma_nb import accuracy
from stma_nb.accuracy.matrix import read_windows
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
    np.testing.assert_array_equal(
        matrix[:6, :6], metrics.confusion_matrix(reference.ravel(), mapped.ravel()).T
    )
    assert matrix.sum() == 2000


def test_scores_agree_with_scikit_learn(labels):
    mapped, reference = (a.ravel() for a in labels)
    matrix = accuracy.error_matrix(mapped, reference, 16)
    table = accuracy.class_scores(matrix, BRANDENBURG)
    assert list(table.index) == [crop.name for crop in BRANDENBURG[:6]]
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        reference, mapped, zero_division=0
    )
    np.testing.assert_allclose(table["user's"], precision)
    np.testing.assert_allclose(table["producer's"], recall)
    np.testing.assert_allclose(table["F1"], f1)
    np.testing.assert_allclose(table["IoU"], metrics.jaccard_score(reference, mapped, average=None))
    scores = accuracy.summary(matrix, BRANDENBURG)
    assert scores["kappa"] == pytest.approx(metrics.cohen_kappa_score(reference, mapped))
    assert scores["overall accuracy"] == pytest.approx((mapped == reference).mean())
    crops = reference > 0
    assert scores["overall accuracy, crops only"] == pytest.approx(
        (mapped == reference)[crops].mean()
    )
    assert scores["mean F1 of crops"] == pytest.approx(f1[1:].mean())


def test_kappa_of_one_class_is_not_defined():
    assert np.isnan(accuracy.kappa(np.array([[7, 0], [0, 0]])))


def test_published_counts():
    """Olofsson et al. (2014), table 8: raw overall accuracy 0.917, kappa of the raw counts 0.870,
    producer's of the first 0.957.
    """
    matrix = np.array([[66, 0, 5, 4], [0, 55, 8, 12], [1, 0, 153, 11], [2, 1, 9, 313]])
    crops = tuple(Crop(name, "#000000") for name in ("deforestation", "gain", "forest", "other"))
    assert accuracy.overall_accuracy(matrix) == pytest.approx(0.917, abs=5e-4)
    assert accuracy.kappa(matrix) == pytest.approx(0.870, abs=5e-4)
    table = accuracy.class_scores(matrix, crops)
    assert table["producer's"].iloc[0] == pytest.approx(0.957, abs=5e-4) and table["user's"].iloc[
        1
    ] == pytest.approx(0.7333, abs=5e-5)


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
    matrix = np.array(
        [[5, 0, 0], [1, 4, 0], [0, 2, 0]]
    )  # the third class is mapped, but never true
    crops = tuple(Crop(name, "#000000") for name in ("Background", "b", "c"))
    assert accuracy.summary(matrix, crops)["mean F1 of crops"] == pytest.approx(2 * 4 / (5 + 6))
    assert "c" in accuracy.class_scores(matrix, crops).index


RICE = (Crop("Rice", "#009e73"), Crop("Maize", "#d55e00"), Crop("Tea", "#0072b2"))


def test_a_legend_without_background_leaves_no_class_out():
    lost = np.array([[0, 0, 0], [30, 40, 0], [0, 0, 30]])  # every Rice pixel is mapped as Maize
    found = accuracy.summary(lost, RICE)
    assert found["overall accuracy"] == found["overall accuracy, crops only"] == 0.7
    assert found["mean F1 of crops"] == pytest.approx((0 + 2 * 40 / 110 + 1) / 3)


def test_the_background_may_be_any_class():
    matrix = np.array([[5, 1, 0], [0, 4, 2], [1, 0, 90]])
    crops = (*RICE[:2], Crop("Woods", "#dddddd", background=True))
    found = accuracy.summary(matrix, crops)
    assert found["overall accuracy, crops only"] == pytest.approx(9 / 11)
    assert found["mean F1 of crops"] == pytest.approx((10 / 12 + 8 / 11) / 2)
    assert accuracy.overall_accuracy(matrix, without=2) == pytest.approx(9 / 11)


def test_a_class_of_one_pixel_has_its_scores():
    matrix = np.diag([50, 1])
    found = accuracy.class_scores(matrix, (Crop("Background", "#dddddd"), Crop("Rice", "#009e73")))
    assert list(found.index) == ["Background", "Rice"]
    assert found.loc["Rice", "F1"] == 1 and found.loc["Rice", "pixels"] == 1
    crops = (Crop("Background", "#dddddd"), Crop("Rice", "#009e73"), Crop("Tea", "#0072b2"))
    alone = np.array([[50, 0, 0], [1, 0, 0], [0, 0, 0]])  # mapped once, never true
    assert list(accuracy.class_scores(alone, crops).index) == ["Background", "Rice"]
    summary = accuracy.summary(np.diag([50, 1, 0]), crops)
    assert summary["mean F1 of crops"] == summary["mean IoU of crops"] == 1, "of Rice alone"


def test_a_legend_of_another_size():
    with pytest.raises(ValueError, match=r"shape \(3, 3\), but the legend has 16 classes"):
        accuracy.summary(np.eye(3), BRANDENBURG)
    with pytest.raises(ValueError, match="but the legend has 16 classes"):
        accuracy.class_scores(np.eye(3), BRANDENBURG)


def test_masks_of_numbers_and_codes_below_zero():
    reference, mapped = np.array([0, 1, 2, 0, 1, 2]), np.array([0, 1, 2, 0, 1, -1])
    np.testing.assert_array_equal(
        accuracy.error_matrix(mapped, reference, 3, where=[0, 0, 0, 1, 1, 1]), np.diag([1, 1, 0])
    )
    with pytest.raises(ValueError, match="holds code -1"):
        accuracy.error_matrix(reference, mapped, 3)


def test_disagreement_of_the_published_population_matrix():
    """Olofsson et al. (2014), table 9, p_ij: quantity 0.0045, allocation 0.0490; together what
    overall accuracy leaves.
    """
    counts = np.array([[66, 0, 5, 4], [0, 55, 8, 12], [1, 0, 153, 11], [2, 1, 9, 313]])
    p = np.array([0.02, 0.015, 0.32, 0.645])[:, None] * counts / counts.sum(1, keepdims=True)
    quantity, allocation = accuracy.disagreement(p)
    assert (round(quantity, 4), round(allocation, 4)) == (0.0045, 0.0490)
    assert quantity + allocation == pytest.approx(1 - accuracy.overall_accuracy(p))
    assert accuracy.disagreement(np.array([[0, 5], [5, 0]])) == (
        0,
        1,
    )  # right shares, all in the wrong place
    assert accuracy.disagreement(np.array([[5, 5], [0, 0]])) == (0.5, 0)  # one class too much


# --------------------------------------------------------------------------------------- from files


def write(path, values, left=400_000, top=5_800_000, cell=10, crs="EPSG:32633", nodata=None):
    values = np.asarray(values)
    profile = {
        "driver": "GTiff",
        "count": 1,
        "height": values.shape[0],
        "width": values.shape[1],
        "dtype": values.dtype,
    }
    with rasterio.open(
        path,
        "w",
        **profile,
        crs=crs,
        transform=rasterio.Affine(cell, 0, left, 0, -cell, top),
        nodata=nodata,
    ) as tif:
        tif.write(values, 1)
    return path


def test_matrix_of_files_is_the_matrix_of_the_arrays(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "stma_nb.accuracy.matrix.WINDOW", 64
    )  # so that there are many windows, the last ones cut off
    rng = np.random.default_rng(0)
    mapped, reference = rng.integers(0, 5, (2, 150, 200)).astype("uint8")
    mapped[:20, :30] = 255
    reference[50:60] = 99
    where = rng.random((150, 200)) < 0.5
    files = [
        write(tmp_path / "map.tif", mapped, nodata=255),
        write(tmp_path / "reference.tif", reference, nodata=99),
        write(tmp_path / "where.tif", where.astype("uint8")),
    ]
    expected = accuracy.error_matrix(mapped, reference, 5, where & (reference != 99))
    np.testing.assert_array_equal(accuracy.matrix_of_files(*files[:2], 5, files[2]), expected)
    assert expected.sum() > 0
    assert accuracy.matrix_of_files(*files[:2], 5).sum() == 150 * 200 - 20 * 30 - 10 * 200


def test_files_on_different_grids_are_refused_unless_asked(tmp_path):
    mapped = np.arange(48).reshape(6, 8).astype("uint8") % 4
    map_path = write(tmp_path / "map.tif", mapped)
    # The same classes at half the pixel size, over the left half of the map only, without a nodata
    # value.
    fine = write(tmp_path / "fine.tif", mapped[:, :4].repeat(2, 0).repeat(2, 1), cell=5)
    with pytest.raises(
        ValueError, match=r"different grids \(6 x 8 against 12 x 8 pixels\).*--align nearest"
    ):
        accuracy.matrix_of_files(map_path, fine, 4)
    matrix = accuracy.matrix_of_files(map_path, fine, 4, align="nearest")
    np.testing.assert_array_equal(
        matrix, np.diag(np.bincount(mapped[:, :4].ravel()))
    )  # the right half is not background
    with pytest.raises(ValueError, match="upper left corner and pixel size"):
        accuracy.matrix_of_files(map_path, write(tmp_path / "moved.tif", mapped, left=400_010), 4)
    with pytest.raises(ValueError, match="CRS EPSG:32633 against EPSG:32632"):
        accuracy.matrix_of_files(
            map_path, write(tmp_path / "zone.tif", mapped, crs="EPSG:32632"), 4
        )
    with pytest.raises(ValueError, match="expected None or 'nearest'"):
        accuracy.matrix_of_files(map_path, fine, 4, align="bilinear")


@pytest.mark.parametrize("align", [None, "nearest"])
def test_codes_that_a_gis_stored_as_floats_are_codes(tmp_path, align):
    mapped = np.arange(48).reshape(6, 8).astype("uint8") % 4
    floats = mapped.astype("float32")
    floats[:, :2] = np.nan
    map_path = write(tmp_path / "map.tif", mapped)
    reference = write(tmp_path / "float.tif", floats)
    matrix = accuracy.matrix_of_files(map_path, reference, 4, align=align)
    np.testing.assert_array_equal(matrix, np.diag(np.bincount(mapped[:, 2:].ravel())))
    floats[3, 3] = 1.5
    with pytest.raises(ValueError, match="'float.tif' holds 1.5; expected codes, whole numbers"):
        accuracy.matrix_of_files(map_path, write(tmp_path / "float.tif", floats), 4)


def test_classes_that_one_file_lacks(tmp_path):
    mapped = write(tmp_path / "map.tif", np.array([[0, 1, 1]], "uint8"))
    reference = write(tmp_path / "reference.tif", np.array([[0, 2, 2]], "uint8"))
    np.testing.assert_array_equal(
        accuracy.matrix_of_files(mapped, reference, 3), [[1, 0, 0], [0, 0, 2], [0, 0, 0]]
    )


# ------------------------------------------------------------------------------- sure, and rightly?


def test_calibration_finds_what_was_built_in():
    """Class 0 has probability q, and is true with probability q - 0.1: the expected calibration
    error is 0.1.
    """
    rng = np.random.default_rng(0)
    q = rng.uniform(0.6, 1, (400, 500))
    reference = (rng.random(q.shape) > q - 0.1).astype(int)
    table, error = accuracy.calibration(np.stack([q, 1 - q]), reference)
    assert error == pytest.approx(0.1, abs=0.005)
    assert (
        table["count"].sum() == q.size
        and (table["count"].iloc[:6] == 0).all()
        and table["accuracy"].iloc[:6].isna().all()
    )
    np.testing.assert_allclose(table["confidence"].iloc[6:], [0.65, 0.75, 0.85, 0.95], atol=0.002)
    few = np.array(
        [[0.95, 0.95, 0.95, 0.65], [0.05, 0.05, 0.05, 0.35]]
    )  # three sure and right, one unsure and wrong
    assert accuracy.calibration(few, np.array([0, 0, 0, 1]))[1] == pytest.approx(
        (3 * 0.05 + 0.65) / 4
    )
    q[:200] = np.nan
    assert accuracy.calibration(np.stack([q, 1 - q]), reference)[0]["count"].sum() == q.size / 2


def test_entropy_and_margin_have_known_ends():
    even, sure, mixed, none = (
        np.full(4, 0.25),
        np.eye(4)[2],
        np.array([0.5, 0.25, 0.25, 0]),
        np.full(4, np.nan),
    )
    probabilities = np.stack([even, sure, mixed, none], axis=1).reshape(4, 2, 2)
    np.testing.assert_allclose(accuracy.entropy(probabilities), [[2, 0], [1.5, np.nan]])
    np.testing.assert_allclose(accuracy.margin(probabilities), [[0, 1], [0.25, np.nan]])


def test_probabilities_that_are_none():
    logits = np.array([[2.0, 0.5], [1.0, 0.5]])
    for function in (
        accuracy.entropy,
        accuracy.margin,
        lambda p: accuracy.calibration(p, np.zeros(2)),
    ):
        with pytest.raises(
            ValueError,
            match=r"of 1 pixel\(s\) are negative or sum to 3.000, not to 1: .* not the logits",
        ):
            function(logits)
    with pytest.raises(ValueError, match=r"expected \(K, ...\) and \(...\)"):
        accuracy.calibration(np.full((2, 3), 0.5), np.zeros(4))


# --------------------------------------------------------------------------------------- resampling


def test_block_matrices_are_the_matrices_of_the_blocks(labels):
    mapped, reference = labels
    where = np.random.default_rng(1).random(mapped.shape) < 0.5
    matrices = accuracy.block_matrices(mapped, reference, 6, 16, where)
    assert matrices.shape == (3 * 4, 6, 6)
    part = np.s_[16:32, 48:]  # the last block of the second row, cut off by the border
    np.testing.assert_array_equal(
        matrices[7], accuracy.error_matrix(mapped[part], reference[part], 6, where[part])
    )
    np.testing.assert_array_equal(
        matrices.sum(0), accuracy.error_matrix(mapped, reference, 6, where)
    )


def units_of(right: np.ndarray, size: np.ndarray | int) -> np.ndarray:
    """Error matrices (n, 2, 2) of units of which ``right`` pixels of ``size`` are right."""
    matrices = np.zeros((len(right), 2, 2), int)
    matrices[:, 0, 0], matrices[:, 1, 0] = right, size - right
    return matrices


def test_interval_widens_with_the_errors_that_hang_together():
    """2000 parcels of 50 pixels, right as a whole with probability 0.8: the standard error is that
    of 2000, not of 100 000.
    """
    right = np.random.default_rng(0).random(2000) < 0.8
    matrices = units_of(50 * right, 50)
    interval = accuracy.interval(matrices, accuracy.overall_accuracy)
    assert interval.estimate == right.mean()
    half = 1.96 * np.sqrt(right.mean() * (1 - right.mean()) / 2000)
    assert interval.estimate - interval.low == pytest.approx(half, rel=0.05)
    assert interval.high - interval.estimate == pytest.approx(half, rel=0.05)
    empty = np.concatenate([matrices, np.zeros_like(matrices)])
    assert accuracy.interval(empty, accuracy.overall_accuracy) == interval, "they say nothing"
    wider = accuracy.interval(matrices, accuracy.overall_accuracy, level=0.99)
    assert wider.low < interval.low and wider.high > interval.high


def test_interval_of_equal_units_is_that_of_the_jackknife_and_student():
    right = np.random.default_rng(0).integers(20, 80, 30)
    found = accuracy.interval(units_of(right, 100), accuracy.overall_accuracy)
    share = right / 100
    parts = (share - share.mean()) ** 2
    freedom = parts.sum() ** 2 / (parts**2).sum()
    half = stats.t.ppf(0.975, freedom) * share.std(ddof=1) / np.sqrt(30)
    slope = share.mean() * (1 - share.mean())
    expected = expit(logit(share.mean()) + np.array([-1, 1]) * half / slope)
    assert found[1:] == pytest.approx(expected)


@pytest.mark.parametrize(
    "count, share, correlation",
    [(5, 0.8, 0.1), (10, 0.8, 0.3), (20, 0.8, 0.3), (20, 0.95, 0.1), (80, 0.6, 0.3)],
)
def test_intervals_hold_the_truth_as_often_as_they_say(count, share, correlation):
    """Unequal units, whose pixels are right together: 93 to 98 %, give or take the 1000 trials."""
    found = interval_coverage.coverage(count, share, correlation, trials=1000, seed=1)
    assert 0.92 <= found["interval"] <= 0.985
    assert 0.92 <= found["paired difference"] <= 0.985
    assert found["percentile bootstrap"] < 0.93, "which was in use before"


def test_blocks_of_three_ranges_are_independent_and_of_one_are_not():
    found = interval_coverage.coverage_of_blocks(150, (1, 3), seed=1, shape=(200, 260))
    assert found[1] < 0.9 < found[3]


def test_paired_difference_sees_what_two_intervals_hide():
    """Both maps fail in the same hard blocks; b is better by some 2 points in every one."""
    rng = np.random.default_rng(0)
    right = rng.integers(300, 980, 60)
    a, b = units_of(right, 1000), units_of(right + rng.integers(10, 31, 60).clip(0, 20), 1000)
    low_b, high_a = (accuracy.interval(m, accuracy.overall_accuracy) for m in (b, a))
    assert low_b.low < high_a.high  # the intervals overlap widely
    difference = accuracy.paired_difference(b, a, accuracy.overall_accuracy)
    assert 0.015 < difference.low < difference.estimate < difference.high < 0.02
    assert difference.p < 1e-6
    same = accuracy.paired_difference(a, a, accuracy.overall_accuracy)
    assert same == (0, 0, 0, 1)
    turned = accuracy.paired_difference(a, b, accuracy.overall_accuracy)
    assert turned.low == -difference.high and turned.p == difference.p


def test_the_p_value_is_that_of_the_interval():
    """The difference for which p is 5 % is the one whose interval of 95 % ends at 0."""
    rng = np.random.default_rng(3)
    right = rng.integers(40, 60, (2, 30))
    a, b = (units_of(r, 100) for r in right)
    difference = accuracy.paired_difference(a, b, accuracy.overall_accuracy)
    at_p = accuracy.paired_difference(a, b, accuracy.overall_accuracy, level=1 - difference.p)
    assert min(abs(at_p.low), abs(at_p.high)) < 1e-9


def test_units_that_make_no_interval_or_a_rough_one():
    matrices = np.ones((5, 2, 2), int)
    with pytest.raises(
        ValueError, match="1 unit.s. hold counted pixels; an interval needs two or more"
    ):
        accuracy.interval(
            matrices * np.eye(5, dtype=int)[0][:, None, None], accuracy.overall_accuracy
        )
    with pytest.raises(ValueError, match=r"shape \(2, 2\); expected \(units, K, K\)"):
        accuracy.interval(matrices[0], accuracy.overall_accuracy)
    with pytest.raises(ValueError, match="not counted on the same reference pixels"):
        accuracy.paired_difference(matrices, 2 * matrices, accuracy.overall_accuracy)
    many = np.ones((20, 2, 2), int)
    with pytest.raises(ValueError, match="The level is 95"):
        accuracy.interval(many, accuracy.overall_accuracy, level=95)
    with pytest.raises(ValueError, match="The block is 0 pixels"):
        accuracy.block_matrices(np.zeros((4, 4), int), np.zeros((4, 4), int), 2, 0)
    with pytest.warns(UserWarning, match="Only 19 units: the interval is rough"):
        accuracy.interval(many[1:], accuracy.overall_accuracy)
    with pytest.warns(UserWarning, match="Only 4 units: so few say next to nothing"):
        accuracy.paired_difference(many[:4], many[:4], accuracy.overall_accuracy)


def test_interval_of_several_scores_at_once(labels):
    mapped, reference = labels
    matrices = accuracy.block_matrices(mapped, reference, 7, 10)  # the seventh class occurs nowhere

    def users(matrix):
        with np.errstate(invalid="ignore"):
            return np.diag(matrix) / matrix.sum(1)

    many = accuracy.interval(matrices, users)
    one = accuracy.interval(matrices, lambda matrix: users(matrix)[2])
    assert (many.estimate[2], many.low[2], many.high[2]) == pytest.approx(one)
    assert np.isnan([many.estimate[6], many.low[6], many.high[6]]).all()
    matrices[3, 6, 6] = 40  # and now in one unit only
    many = accuracy.interval(matrices, users)
    assert many.estimate[6] == 1 and np.isnan([many.low[6], many.high[6]]).all()


def test_scores_outside_0_to_1_have_an_interval_too():
    right = np.random.default_rng(0).integers(0, 30, 30)  # worse than chance
    matrices = np.zeros((30, 2, 2), int)
    matrices[:, 0, 0] = matrices[:, 1, 1] = right
    matrices[:, 0, 1] = matrices[:, 1, 0] = 50 - right
    low = accuracy.interval(matrices, accuracy.kappa)
    assert low.low < low.estimate < low.high < 0
    assert low.high - low.estimate == pytest.approx(low.estimate - low.low)


# --------------------------------------------------------------------- how far errors hang together


@pytest.mark.parametrize("side", [8, 20])
def test_error_range_is_the_size_of_patches_of_errors(side):
    wrong = np.random.default_rng(side).random((30, 40)) < 0.3
    right = ~wrong.repeat(side, 0).repeat(side, 1)
    counted = np.ones(right.shape, bool)
    reach = accuracy.error_range(right, counted, pixel=10)
    assert 0.7 * side * 10 <= reach <= 1.6 * side * 10
    assert accuracy.error_range(right, counted, pixel=20) == 2 * reach
    counted[:, ::7] = False
    assert accuracy.error_range(right, counted, pixel=10) == pytest.approx(reach, rel=0.2)
    cells = right.reshape(30 * side // 4, 4, 40 * side // 4, 4).sum((1, 3))
    coarse = accuracy.error_range(cells, np.full(cells.shape, 16), pixel=40)
    assert coarse == pytest.approx(reach, abs=50)


def test_error_range_of_noise_of_no_errors_and_of_a_trend():
    rng = np.random.default_rng(0)
    counted = np.ones((200, 300), bool)
    assert accuracy.error_range(rng.random((200, 300)) < 0.8, counted) <= 50
    assert accuracy.error_range(counted, counted) == 0
    trend = rng.random((200, 300)) < np.linspace(0.2, 1, 300)
    assert 1000 < accuracy.error_range(trend, counted) < 2000, "about half of the scene"
    assert accuracy.error_range(np.array([[True, False, False]]), np.ones((1, 3), bool)) >= 10


# ------------------------------------------------------------------------------------ other shares


def test_post_stratified_scores_are_those_of_the_scene():
    """Background is easy, and half of the test but a fifth of the scene."""
    matrix = np.array([[950, 100, 50], [30, 300, 50], [20, 100, 400]])
    scene = [20_000, 50_000, 30_000]
    raised = accuracy.post_stratify(matrix, scene)
    np.testing.assert_allclose(raised.sum(0), scene)
    assert accuracy.overall_accuracy(matrix) == pytest.approx(0.825)
    expected = 0.2 * 0.95 + 0.5 * 0.6 + 0.3 * 0.8
    assert accuracy.overall_accuracy(raised) == pytest.approx(expected)
    np.testing.assert_allclose(
        accuracy.by_class(raised)["producer's"], accuracy.by_class(matrix)["producer's"]
    )
    without = accuracy.post_stratify(matrix, [20_000, 50_000, 0])
    assert without[:, 2].sum() == 0
    with pytest.raises(ValueError, match="Class 1 has 50,000 pixels in the scene and none in the"):
        accuracy.post_stratify(matrix * [1, 0, 1], scene)
    with pytest.raises(ValueError, match="of 2 classes and a matrix of 3"):
        accuracy.post_stratify(matrix, scene[:2])


def test_post_stratified_scores_have_an_interval():
    matrices = np.random.default_rng(0).integers(5, 50, (25, 3, 3))
    scene = [100, 500, 300]
    found = accuracy.interval(
        matrices, lambda m: accuracy.overall_accuracy(accuracy.post_stratify(m, scene))
    )
    assert 0 < found.low < found.estimate < found.high < 1


def test_fractions_are_no_class_codes():
    codes = np.array([0, 1, 2, 2])
    for mapped, reference in ((codes + 0.5, codes), (codes, codes + 0.5)):
        with pytest.raises(ValueError, match="class codes hold 0.5; expected whole numbers"):
            accuracy.error_matrix(mapped, reference, 3)
    as_floats = accuracy.error_matrix(codes.astype(float), codes.astype("float32"), 3)
    np.testing.assert_array_equal(as_floats, np.diag([1, 1, 2]))
    with pytest.raises(ValueError, match="holds code nan, outside the legend"):
        accuracy.error_matrix(codes, np.array([0, 1, np.nan, 2]), 3)


def test_reading_a_large_raster_needs_no_more_memory_than_its_windows(tmp_path):
    """GDAL by itself keeps what it read, in a twentieth of the memory that the machine has."""
    path = tmp_path / "parcel.tif"
    layout = dict(tiled=True, blockxsize=256, blockysize=256, sparse_ok=True, dtype="int32")
    size = dict(height=8192, width=8192, count=1)  # 268 MB
    with rasterio.open(path, "w", driver="GTiff", crs="EPSG:32633", **size, **layout):
        pass
    process = psutil.Process()
    before, seen = process.memory_info().rss, []
    for _, (codes,) in read_windows(path):
        assert not codes.any()
        seen.append(process.memory_info().rss)
    assert len(seen) == 64 and max(seen) - before < 130e6
