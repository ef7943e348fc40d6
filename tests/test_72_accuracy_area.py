"""Areas and accuracies from samples: published numbers to the printed digit, coverage of intervals,
and samples that are random.
"""

import numpy as np
import pytest
import rasterio

from stma_nb import accuracy

# Olofsson et al. (2014), tables 8 and 9: deforestation, forest gain, stable forest, stable
# non-forest; 30 m pixels
COUNTS = np.array([[66, 0, 5, 4], [0, 55, 8, 12], [1, 0, 153, 11], [2, 1, 9, 313]])
PIXELS = [200_000, 150_000, 3_200_000, 6_450_000]


def half(table):
    return (table["high"] - table["estimate"]).to_numpy()


def test_olofsson_2014_to_the_printed_digits():
    found = accuracy.stratified_estimate(
        COUNTS, PIXELS, pixel_area=0.09, names=["Deforestation", "Gain", "Forest", "Other"]
    )
    printed = [
        [0.0176, 0, 0.0013, 0.0011],
        [0, 0.0110, 0.0016, 0.0024],
        [0.0019, 0, 0.2967, 0.0213],
        [0.0040, 0.0020, 0.0179, 0.6212],
    ]
    np.testing.assert_array_equal(found.matrix.round(4), printed)
    np.testing.assert_array_equal(found.users["estimate"].round(2), [0.88, 0.73, 0.93, 0.96])
    np.testing.assert_array_equal(half(found.users).round(2), [0.07, 0.10, 0.04, 0.02])
    np.testing.assert_array_equal(found.producers["estimate"].round(2), [0.75, 0.85, 0.93, 0.96])
    assert (
        round(found.overall["estimate"], 2) == 0.95
        and round(found.overall["high"] - found.overall["estimate"], 2) == 0.02
    )
    np.testing.assert_array_equal(
        found.area["estimate"].round(), [21_158, 11_686, 285_770, 581_386]
    )
    np.testing.assert_array_equal(half(found.area).round(), [6_158, 3_756, 15_510, 16_281])
    assert (
        round(found.share["se"].iloc[0], 4) == 0.0035
    )  # "S(p) = 0.0035": 68 418 pixels either way
    assert half(accuracy.stratified_estimate(COUNTS, PIXELS).area)[0] == pytest.approx(
        68_418, abs=5
    )
    assert list(found.area.index) == ["Deforestation", "Gain", "Forest", "Other"]


def test_printed_digits_that_do_not_reproduce():
    """Two intervals of producer's accuracy in the paper are not what its equations give: 0.23 is
    0.25, and 0.01 is 0.02.
    """
    found, printed = (
        half(accuracy.stratified_estimate(COUNTS, PIXELS).producers).round(2),
        [0.21, 0.23, 0.03, 0.01],
    )
    np.testing.assert_array_equal(found, [0.21, 0.25, 0.03, 0.02])
    assert [a != b for a, b in zip(found, printed, strict=True)] == [False, True, False, True]


def test_olofsson_2013():
    """Example 1 of https://doi.org/10.1016/j.rse.2012.10.031, where z is 1.96 (a pixel or two from
    1.95996).
    """
    found = accuracy.stratified_estimate(
        np.array([[97, 0, 3], [3, 279, 18], [2, 1, 97]]), [22_353, 1_122_543, 610_228]
    )
    np.testing.assert_array_equal(found.area["estimate"].round(), [45_112, 1_050_067, 659_944])
    np.testing.assert_allclose(half(found.area), [21_073, 34_598, 36_526], atol=1)
    np.testing.assert_array_equal(found.users["estimate"].round(2), [0.97, 0.93, 0.97])
    np.testing.assert_array_equal(found.producers["estimate"].round(2), [0.48, 0.99, 0.90])
    assert round(found.overall["estimate"], 2) == 0.94


def test_stehman_2014():
    """The paper's example: 40 sample pixels in four strata. Its standard error of producer's
    accuracy of B, 0.114, leaves out a variance of stratum 4 that its own table 3 gives; with it
    0.117 comes out."""
    strata = np.repeat(range(4), 10)
    mapped = np.array(["ABCD".index(c) for c in "AAAAAAABBBABBBBBBBBBBBCCCCCCBBDDDDDDDDDD"])
    reference = np.array(["ABCD".index(c) for c in "AAAAACBABCABBBBBAABBCCCCCDDBBADDDDDDDCCB"])
    found = accuracy.stehman_estimate(
        strata, mapped, reference, [40_000, 30_000, 20_000, 10_000], names="ABCD"
    )
    assert found.share["estimate"].round(3).to_dict() == {
        "A": 0.35,
        "B": 0.34,
        "C": 0.20,
        "D": 0.11,
    }
    assert found.share["se"].round(3)[["A", "C"]].tolist() == [0.082, 0.064]
    assert found.overall.round(3)[["estimate", "se"]].tolist() == [0.63, 0.085]
    assert found.users.loc["B"].round(3)[["estimate", "se"]].tolist() == [0.574, 0.125]
    assert found.producers.loc["B"].round(3)[["estimate", "se"]].tolist() == [0.794, 0.117]
    assert round(found.matrix[1, 2], 3) == 0.08
    np.testing.assert_allclose(found.matrix.sum(0), found.share["estimate"])


def test_estimators_agree_where_the_strata_are_the_map_classes():
    mapped, reference = (
        np.repeat(codes.ravel(), COUNTS.ravel()) for codes in np.indices(COUNTS.shape)
    )
    one = accuracy.stratified_estimate(COUNTS, PIXELS)
    other = accuracy.stehman_estimate(mapped, mapped, reference, PIXELS)
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(
            a, b, rtol=1e-3, atol=1e-12
        )  # Stehman's has the finite population correction


def test_a_sample_of_every_pixel_leaves_no_doubt():
    strata, mapped, reference = np.random.default_rng(0).integers(0, 3, (3, 200))
    found = accuracy.stehman_estimate(strata, mapped, reference, np.bincount(strata))
    np.testing.assert_allclose(found.area["estimate"], np.bincount(reference))
    assert found.overall["estimate"] == pytest.approx((mapped == reference).mean())
    for table in (found.users, found.producers, found.area):
        np.testing.assert_allclose(table["se"], 0, atol=1e-12)


# ----------------------------------------------------------------------------------------- coverage


@pytest.fixture(scope="module")
def population():
    """A map and its truth, 400 x 400 pixels of four classes, and four regions of different size and
    quality.
    """
    rng = np.random.default_rng(1)
    truth = rng.choice(4, (400, 400), p=[0.15, 0.2, 0.25, 0.4])
    region = (np.arange(400) > 150)[:, None] * 2 + (np.arange(400) > 220)
    error = np.array([0.1, 0.2, 0.25, 0.3])[region]
    mapped = np.where(rng.random(truth.shape) < error, rng.integers(0, 4, truth.shape), truth)
    return mapped.ravel(), truth.ravel(), region.ravel()


def samples(strata, size, replicates, seed):
    """Pixels (replicates, strata * size) drawn at random within strata, without replacement."""
    rng = np.random.default_rng(seed)
    members = [np.flatnonzero(strata == stratum) for stratum in np.unique(strata)]
    return np.concatenate(
        [[rng.choice(m, size, replace=False) for _ in range(replicates)] for m in members], axis=1
    )


def test_intervals_hold_the_true_area_as_often_as_they_say(population):
    mapped, truth, _ = population
    true_area, pixels = np.bincount(truth), np.bincount(mapped)
    true_users = np.bincount(truth[mapped == truth]) / pixels
    true_producers = np.bincount(truth[mapped == truth]) / true_area
    held = {"area": [], "users": [], "producers": [], "overall": []}
    for drawn in samples(mapped, 150, 1000, seed=0):
        found = accuracy.stratified_estimate(
            accuracy.error_matrix(mapped[drawn], truth[drawn], 4), pixels
        )
        for name, true in (
            ("area", true_area),
            ("users", true_users),
            ("producers", true_producers),
        ):
            table = getattr(found, name).to_numpy()
            held[name].append((table[:, 2] <= true) & (true <= table[:, 3]))
        held["overall"].append(
            found.overall["low"] <= (mapped == truth).mean() <= found.overall["high"]
        )
    for name, hits in held.items():
        share = np.mean(hits, axis=0)
        assert np.all((share >= 0.93) & (share <= 0.97)), (name, share)


def test_stehman_standard_errors_are_the_spread_of_the_estimates(population):
    mapped, truth, region = population
    pixels = np.bincount(region)
    found = [
        accuracy.stehman_estimate(region[drawn], mapped[drawn], truth[drawn], pixels)
        for drawn in samples(region, 400, 1000, seed=0)
    ]
    right = np.bincount(truth[mapped == truth])
    for name, true in (
        ("users", right / np.bincount(mapped)),
        ("producers", right / np.bincount(truth)),
        ("area", np.bincount(truth)),
    ):
        tables = np.stack([getattr(estimate, name).to_numpy() for estimate in found])
        np.testing.assert_allclose(tables[:, :, 0].mean(0), true, rtol=0.01)
        np.testing.assert_allclose(
            np.sqrt((tables[:, :, 1] ** 2).mean(0)), tables[:, :, 0].std(0), rtol=0.08
        )
        held = ((tables[:, :, 2] <= true) & (true <= tables[:, :, 3])).mean(0)
        assert np.all((held >= 0.93) & (held <= 0.97)), (name, held)


# ----------------------------------------------------------------------------- two maps, one sample


def test_difference_of_two_maps_by_hand():
    """Gains 1, 0, 0, -1 of 100 pixels and 1, 1, 0, 0, 0 of 300."""
    strata = np.repeat([0, 1], [4, 5])
    reference = np.zeros(9, int)
    mapped = np.array([0, 0, 1, 1, 0, 0, 0, 1, 1])
    other = np.array([1, 0, 1, 0, 1, 1, 0, 1, 2])
    found = accuracy.stratified_difference(strata, mapped, other, reference, [100, 300])
    se = np.sqrt(0.25**2 * (1 - 4 / 100) * (2 / 3) / 4 + 0.75**2 * (1 - 5 / 300) * 0.3 / 5)
    assert found["estimate"] == pytest.approx(0.75 * 0.4) and found["se"] == pytest.approx(se)
    assert found["high"] - found["estimate"] == pytest.approx(1.959964 * se)
    back = accuracy.stratified_difference(strata, other, mapped, reference, [100, 300])
    assert back["estimate"] == -found["estimate"] and back["low"] == -found["high"]


def test_difference_of_two_maps_is_that_of_their_accuracies(population):
    mapped, truth, region = population
    other = np.roll(mapped, 1)
    drawn = samples(region, 200, 1, seed=3)[0]
    pixels = np.bincount(region)
    codes = region[drawn], mapped[drawn], other[drawn], truth[drawn]
    found = accuracy.stratified_difference(*codes, pixels)
    one, two = (
        accuracy.stehman_estimate(codes[0], which, codes[3], pixels).overall for which in codes[1:3]
    )
    assert found["estimate"] == pytest.approx(one["estimate"] - two["estimate"])


def test_intervals_hold_the_true_difference_as_often_as_they_say(population):
    """Strata are the classes of the first map; the other errs in other places, now and then."""
    mapped, truth, _ = population
    rng = np.random.default_rng(5)
    other = np.where(rng.random(mapped.shape) < 0.15, rng.integers(0, 4, mapped.shape), mapped)
    true = (mapped == truth).mean() - (other == truth).mean()
    found = np.array(
        [
            accuracy.stratified_difference(
                mapped[drawn], mapped[drawn], other[drawn], truth[drawn], np.bincount(mapped)
            )
            for drawn in samples(mapped, 150, 1000, seed=0)
        ]
    )
    assert found[:, 0].mean() == pytest.approx(true, abs=0.002)
    assert np.sqrt((found[:, 1] ** 2).mean()) == pytest.approx(found[:, 0].std(), rel=0.08)
    assert 0.93 <= ((found[:, 2] <= true) & (true <= found[:, 3])).mean() <= 0.97


def test_mcnemar_is_a_binomial_test_of_the_pixels_that_one_map_has_right():
    reference = np.zeros(20, int)
    mapped = np.repeat([0, 1], [15, 5])
    other = np.repeat([0, 1, 0], [7, 9, 4])
    found = accuracy.mcnemar(mapped, other, reference)
    assert found[:2] == (8, 4)
    # 2 P(X <= 4) for 12 coins: 2 (1 + 12 + 66 + 220 + 495) / 4096
    assert found.p == pytest.approx(1588 / 4096)
    assert accuracy.mcnemar(mapped, mapped, reference) == (0, 0, 1.0)
    with pytest.raises(ValueError, match="expected one shape, the codes at the same sample"):
        accuracy.mcnemar(mapped, other[1:], reference)


def test_mcnemar_rejects_no_more_often_than_it_says():
    """Of two maps that are equally good, at most one in twenty pairs is told apart."""
    rng = np.random.default_rng(0)
    truth = np.zeros(200, int)
    p = [accuracy.mcnemar(*(rng.random((2, 200)) < 0.2), truth).p for _ in range(1000)]
    assert 0.02 <= np.mean(np.array(p) < 0.05) <= 0.06


# -------------------------------------------------------------------------------------- bad samples


def test_strata_without_samples_are_refused():
    counts = COUNTS.copy()
    counts[1] = [0, 1, 0, 0]
    with pytest.raises(
        ValueError, match="Map class 'Gain' has 150000 pixels but 1 sample.s.: no interval"
    ):
        accuracy.stratified_estimate(
            counts, PIXELS, names=["Deforestation", "Gain", "Forest", "Other"]
        )
    with pytest.raises(ValueError, match="Map class '0' has samples, but 0 pixels"):
        accuracy.stratified_estimate(COUNTS, [0, *PIXELS[1:]])
    with pytest.raises(ValueError, match="Stratum 1 has 50 pixels but 0 sample"):
        accuracy.stehman_estimate(
            np.array([0, 0, 2, 2]), np.zeros(4, int), np.zeros(4, int), [50, 50, 50]
        )
    with pytest.raises(
        ValueError, match="stratum code 2; expected 0 and above, with a size for every stratum"
    ):
        accuracy.stehman_estimate(
            np.array([0, 0, 2, 2]), np.zeros(4, int), np.zeros(4, int), [50, 50]
        )
    with pytest.raises(ValueError, match="reference code -1"):
        accuracy.stehman_estimate(np.zeros(2, int), np.zeros(2, int), np.array([0, -1]), [50])
    with pytest.raises(ValueError, match="Stratum 0 has more samples than pixels"):
        accuracy.stehman_estimate(np.zeros(4, int), np.zeros(4, int), np.zeros(4, int), [3])


def test_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match=r"shape \(4, 4\) and there are 3 class sizes"):
        accuracy.stratified_estimate(COUNTS, PIXELS[:3])
    with pytest.raises(ValueError, match="There are 2 names for 4 classes"):
        accuracy.stratified_estimate(COUNTS, PIXELS, names=["a", "b"])
    with pytest.raises(ValueError, match=r"shapes \(3,\), \(2,\), \(2,\)"):
        accuracy.stehman_estimate(np.zeros(3, int), np.zeros(2, int), np.zeros(2, int), [9])
    with pytest.raises(ValueError, match="The level is 95"):
        accuracy.stratified_estimate(COUNTS, PIXELS, level=95)


def test_a_class_that_is_not_mapped_but_true():
    """Class 2 is never mapped: no user's accuracy, a producer's accuracy of 0, and an area all the
    same.
    """
    found = accuracy.stratified_estimate(
        np.array([[40, 5, 5], [0, 50, 0], [0, 0, 0]]), [6000, 4000, 0]
    )
    assert np.isnan(found.users.loc[2, "estimate"]) and found.producers.loc[2, "estimate"] == 0
    assert found.area.loc[2, "estimate"] == pytest.approx(600) and found.area.loc[2, "se"] > 0


# --------------------------------------------------------------------------------------- plan, draw


def test_sample_size_and_allocation_of_olofsson_2014():
    assert accuracy.sample_size(PIXELS, [0.7, 0.6, 0.9, 0.95], 0.01) == 641
    allocation = accuracy.allocate(PIXELS, 640, minimum=75)
    assert allocation.sum() == 640 and allocation[:2].tolist() == [75, 75]
    np.testing.assert_allclose(allocation[2:], [165, 325], atol=3)  # the paper rounds


def test_allocation_gives_what_there_is():
    np.testing.assert_array_equal(
        accuracy.allocate([0, 3, 1000, 50_000], 200, minimum=50), [0, 3, 50, 147]
    )
    np.testing.assert_array_equal(accuracy.allocate([500, 500, 500], 100, minimum=10), [34, 33, 33])
    with pytest.raises(
        ValueError,
        match="100 sample pixels cannot be shared among 3 classes of at least 50: expected 150 to "
        "1500",
    ):
        accuracy.allocate([500, 500, 500], 100, minimum=50)
    with pytest.raises(ValueError, match="one user's accuracy"):
        accuracy.sample_size([1, 2], [0.5])


@pytest.fixture
def class_map():
    mapped = (
        np.random.default_rng(0).choice(4, (90, 120), p=[0.6, 0.3, 0.0995, 0.0005]).astype("uint8")
    )
    mapped[:10] = 255
    return mapped


def test_sample_is_drawn_within_the_classes(class_map, monkeypatch):
    monkeypatch.setattr("stma_nb.accuracy.area.WINDOW", 32)
    drawn = accuracy.stratified_sample(class_map, 30, seed=1)
    rare = (class_map == 3).sum()
    assert 0 < rare < 30
    assert drawn["stratum"].value_counts().to_dict() == {0: 30, 1: 30, 2: 30, 3: rare}
    np.testing.assert_array_equal(class_map[drawn["row"], drawn["column"]], drawn["stratum"])
    assert not drawn.duplicated().any()
    assert drawn.equals(accuracy.stratified_sample(class_map, 30, seed=1)) and not drawn.equals(
        accuracy.stratified_sample(class_map, 30)
    )
    some = accuracy.stratified_sample(class_map, [5, 0, 7, 0])
    assert some["stratum"].value_counts().to_dict() == {0: 5, 2: 7}
    np.testing.assert_array_equal(
        accuracy.class_pixels(class_map, 4), np.bincount(class_map[10:].ravel(), minlength=4)
    )


def test_sample_from_a_file_is_that_from_its_array(class_map, tmp_path, monkeypatch):
    for module in ("matrix", "area"):
        monkeypatch.setattr(f"stma_nb.accuracy.{module}.WINDOW", 32)
    profile = {
        "driver": "GTiff",
        "height": 90,
        "width": 120,
        "count": 1,
        "dtype": "uint8",
        "nodata": 255,
    }
    with rasterio.open(
        tmp_path / "map.tif",
        "w",
        **profile,
        crs="EPSG:32633",
        transform=rasterio.Affine(10, 0, 0, 0, -10, 0),
    ) as tif:
        tif.write(class_map, 1)
    assert accuracy.stratified_sample(tmp_path / "map.tif", 30).equals(
        accuracy.stratified_sample(class_map, 30)
    )
    np.testing.assert_array_equal(
        accuracy.class_pixels(tmp_path / "map.tif", 4), accuracy.class_pixels(class_map, 4)
    )


def test_every_pixel_of_a_class_is_as_likely(monkeypatch):
    monkeypatch.setattr("stma_nb.accuracy.area.WINDOW", 4)
    mapped = (np.arange(100).reshape(10, 10) % 2).astype("uint8")
    times = np.zeros((10, 10))
    for seed in range(300):
        drawn = accuracy.stratified_sample(mapped, 10, seed=seed)
        times[drawn["row"], drawn["column"]] += 1
    assert times.sum() == 300 * 20
    expected = 60  # 10 of 50 pixels, 300 times
    assert abs(times - expected).max() < 4.5 * np.sqrt(300 * 0.2 * 0.8)


def test_maps_that_cannot_be_sampled():
    with pytest.raises(ValueError, match="float64 of shape"):
        accuracy.stratified_sample(np.zeros((3, 3)), 5)
    with pytest.raises(
        ValueError, match="per_stratum has 1 numbers, but the map has codes up to 2"
    ):
        accuracy.stratified_sample(np.array([[0, 1, 2]]), [5])
    with pytest.raises(ValueError, match="code 2, outside the legend"):
        accuracy.class_pixels(np.array([[0, 1, 2]]), 2)
