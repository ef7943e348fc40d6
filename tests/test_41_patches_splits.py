"""Splits keep their promise, the published protocol gives its published numbers, and leaks are
measured for what they are.
"""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from scipy import ndimage

from stma_nb import accuracy, figures, patches, simulate
from stma_nb.cube import BRANDENBURG
from stma_nb.patches import TEST, TRAIN, UNUSED, VALID, splits
from stma_nb.simulate import landscape, phenology

PUBLISHED = (3731, 5095)  # rows, columns of the scene of Han et al. (2023)
SHAPE = (512, 640)


@pytest.fixture(scope="module")
def farmland() -> tuple[np.ndarray, np.ndarray]:
    """Parcel (0 = none) and class of each pixel of a simulated landscape of 512 x 640 pixels."""
    unit, stands, _, parcels = landscape.landscape(SHAPE, 2018, 0, 0.5, 0.5, 4.7)
    codes = np.array(
        [phenology.CODES[phenology.STANDS[name].crop] for name in simulate.NAMES], np.uint8
    )
    return np.where(unit <= parcels, unit, 0), codes[stands][unit]


# ------------------------------------------------------------------------------------------ windows


def test_random_windows_share_their_pixels():
    windows = patches.corners((256, 256), 32, 0.5)
    train, test = patches.random_split(windows, 0.6, seed=1)
    assert (
        len(train) == round(0.6 * len(windows))
        and len({*map(tuple, train)} & {*map(tuple, test)}) == 0
    )
    seen = patches.covered((256, 256), train, 32)
    assert np.mean([seen[r : r + 32, c : c + 32].mean() for r, c in test]) > 0.6


def test_published_protocol_trains_on_the_pixels_that_it_tests():
    seen = []
    for seed in range(20):
        train, test = patches.published_windows(PUBLISHED, seed=seed)
        assert (len(train), len(test)) == (2749, 30 * 40)
        seen.append(patches.covered(PUBLISHED, train, 128).mean())
    assert 100 * np.mean(seen) == pytest.approx(96.9, abs=0.2)
    assert patches.covered(PUBLISHED, test, 128).all(), "the test windows are the whole scene"
    for corner in ((0, 0), (3603, 0), (0, 4967), (3603, 4967), (64, 4967), (3603, 64)):
        assert any(
            corner in {*map(tuple, patches.published_windows(PUBLISHED, seed=seed)[0])}
            for seed in range(9)
        ), corner
    with pytest.raises(ValueError, match="128 pixels is larger than the scene"):
        patches.published_windows((100, 300))


def test_published_stitching_leaves_a_strip():
    strip = patches.unfilled(PUBLISHED)
    assert strip.sum() == 313_404 and round(100 * strip.mean(), 2) == 1.65
    assert strip[:, 4992:5076].all() and not strip[:, :4992].any() and not strip[:, 5076:].any()
    np.testing.assert_array_equal(patches.unfilled(PUBLISHED[::-1]), strip.T)
    assert not patches.unfilled((256, 384)).any() and not patches.unfilled((300, 300)).any(), (
        "equal remainders do no harm"
    )
    with pytest.raises(ValueError, match="128 pixels is larger than the scene"):
        patches.unfilled((100, 300))


def test_windows_of_a_part_see_no_other_part():
    parts = patches.block_split((256, 256), block=64, buffer=12, seed=1)
    for part in (TRAIN, VALID, TEST):
        windows = patches.windows_of(parts, part, 32, overlap=0.9)
        assert len(windows)
        for r, c in windows:
            found = parts[r : r + 32, c : c + 32]
            assert np.isin(found, (part, UNUSED)).all() and (found == part).mean() >= 0.5


def test_windows_of_parts_finer_than_a_window():
    parts = patches.random_pixels((64, 64))
    assert len(patches.windows_of(parts, TEST, 16, least=0)) == 0
    assert len(patches.windows_of(parts, TEST, 16, least=0, alone=False)) == 49
    training = patches.windows_of(parts, TRAIN, 16, alone=False)
    assert len(training) and all(
        (parts[r : r + 16, c : c + 16] == TRAIN).mean() >= 0.5 for r, c in training
    )
    parts[:, :40] = UNUSED
    assert patches.windows_of(parts, TEST, 16, least=0, alone=False)[:, 1].min() == 32, (
        "a window without the part is no use"
    )


# -------------------------------------------------------------------------------------------- parts


def test_random_pixels_keep_their_shares():
    parts = patches.random_pixels((300, 400), (0.5, 0.2, 0.3), seed=3)
    np.testing.assert_allclose(
        np.bincount(parts.ravel(), minlength=4) / parts.size, (0, 0.5, 0.2, 0.3), atol=0.01
    )
    assert (
        abs(np.corrcoef(parts[:, 1:].ravel() == TEST, parts[:, :-1].ravel() == TEST)[0, 1]) < 0.01
    )
    assert (parts != patches.random_pixels((300, 400), (0.5, 0.2, 0.3), seed=4)).any()
    assert VALID not in patches.random_pixels((300, 400), (0.7, 0, 0.3))


def test_parcels_go_to_one_part_each(farmland):
    parcel, crop = farmland
    far = np.where(parcel > 0, 2_000_000_000 - 7 * parcel, 0)  # numbers as in a real register
    for parts in (patches.parcel_split(parcel), patches.parcel_split(far, crop=crop)):
        assert (parts[parcel == 0] == UNUSED).all() and (parts[parcel > 0] != UNUSED).all()
        part = np.array(
            [np.unique(parts[parcel == number]) for number in range(1, parcel.max() + 1)]
        )
        assert part.shape == (parcel.max(), 1), "one part a parcel"
        np.testing.assert_allclose(
            np.bincount(part[:, 0], minlength=4)[1:] / len(part), (0.6, 0.15, 0.25), atol=0.05
        )


@pytest.mark.parametrize("seed", range(5))
def test_stratified_parcels_bring_every_class_into_every_part(farmland, seed):
    parcel, crop = farmland
    parcels = patches.class_counts(
        patches.parcel_split(parcel, seed=seed, crop=crop), crop, BRANDENBURG, parcel
    )["parcels"]
    count = parcels.sum(axis=1)
    three = parcels[["training", "validation", "test"]]
    assert (count >= 3).sum() > 8 and (three[count >= 3] > 0).all(axis=None)
    assert (three.loc[count == 2, ["training", "test"]] == 1).all(axis=None) and (
        three.loc[count == 1, "training"] == 1
    ).all()


def test_few_parcels_still_make_three_parts():
    parcel = np.arange(1, 5).repeat(10).reshape(4, 10)
    for shares in ((0.6, 0.15, 0.25), (0.2, 0.4, 0.4), (0.02, 0.49, 0.49)):
        assert {*np.unique(patches.parcel_split(parcel, shares))} == {TRAIN, VALID, TEST}
    with pytest.raises(ValueError, match=r"holds 2 parcel\(s\) for 3 parts"):
        patches.parcel_split(np.minimum(parcel, 2))
    assert {*np.unique(patches.parcel_split(np.minimum(parcel, 2), (0.5, 0, 0.5)))} == {TRAIN, TEST}


def test_blocks_stay_apart():
    parts = patches.block_split((256, 256), block=64, buffer=8, seed=1)
    assert {*np.unique(parts)} == {UNUSED, TRAIN, VALID, TEST}
    for part in (VALID, TEST):
        distance = ndimage.distance_transform_cdt(
            parts != part, metric="chessboard"
        )  # pixels to the nearest of this part
        assert distance[(parts != part) & (parts != UNUSED)].min() > 2 * 8
    np.testing.assert_array_equal(
        parts, patches.block_split((256, 256), block=64, buffer=8, seed=1)
    )


def one_part_each(parts: np.ndarray, parcel: np.ndarray) -> bool:
    """Does no parcel have pixels in two parts?"""
    used = (parts != UNUSED) & (parcel > 0)
    pairs = np.unique(parcel[used].astype(int) * 4 + parts[used])
    return len(np.unique(pairs // 4)) == len(pairs)


def test_a_parcel_belongs_whole_to_the_block_that_holds_most_of_it():
    parcel = np.zeros((40, 60), int)
    parcel[5:15, 12:30] = 9  # 8 columns in the first block, 10 in the second
    parcel[15:35, 50:55] = 4  # 5 rows in the third block, 15 in the one below it
    number = patches.block_numbers((40, 60), 20, parcel)
    grid = patches.block_numbers((40, 60), 20)
    assert grid[[0, 0, 0, 20, 39], [0, 20, 59, 0, 59]].tolist() == [0, 1, 2, 3, 5]
    assert (number[parcel == 9] == 1).all() and (number[parcel == 4] == 5).all()
    np.testing.assert_array_equal(number[parcel == 0], grid[parcel == 0])
    parcel[:20, 20:40] = 7  # with this one gone to the first block, the second is empty
    parcel[:20, :20] = 7
    assert np.unique(patches.block_numbers((40, 60), 20, parcel)).tolist() == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="block is 0 pixels"):
        patches.block_numbers((40, 60), 0)


def test_blocks_keep_fields_whole_and_the_buffer(farmland):
    parcel, _ = farmland
    number = patches.block_numbers(SHAPE, 80, parcel)
    parts = patches.block_split(SHAPE, 80, buffer=8, seed=1, parcel=parcel)
    assert one_part_each(parts, parcel)
    assert not one_part_each(patches.block_split(SHAPE, 80, buffer=8, seed=1), parcel)
    for part in (TRAIN, VALID, TEST):
        distance = ndimage.distance_transform_cdt(parts != part, metric="chessboard")
        assert distance[(parts != part) & (parts != UNUSED)].min() > 2 * 8
        mine = np.isin(number, number[parts == part])
        inner = ndimage.minimum_filter(mine, 17, mode="nearest")
        assert (parts[inner] == part).all(), "fields and background lose the buffer, and no more"
    np.testing.assert_array_equal(
        parts, patches.block_split(SHAPE, 80, buffer=8, seed=1, parcel=parcel)
    )


def test_a_test_of_blocks_resembles_its_scene():
    """Over 40 landscapes: neither background nor small fields are favoured."""
    background, sizes = [], []
    for seed in range(40):
        unit, _, _, parcels = landscape.landscape((320, 400), 2018, seed, 0.7, 0.7, 2)
        parcel = np.where(unit <= parcels, unit, 0)
        test = patches.block_split(parcel.shape, 80, seed=seed, parcel=parcel) == TEST
        size, fields = np.bincount(parcel.ravel()), parcel > 0
        background.append((~fields[test]).mean() - (~fields).mean())
        sizes.append(
            np.log(size[parcel[test & fields]]).mean() - np.log(size[parcel[fields]]).mean()
        )
    assert abs(np.mean(background)) < 0.04
    assert -0.1 < np.mean(sizes) < 0.25, "the buffer takes more of small fields; none are cut out"


def test_every_block_and_field_tests_once_over_the_folds(farmland):
    parcel, crop = farmland
    folds = [*patches.block_folds(SHAPE, 64, 5, buffer=4, seed=2, parcel=parcel, crop=crop)]
    assert len(folds) == 5
    number = patches.block_numbers(SHAPE, 64, parcel)
    tests = sum((parts == TEST).astype(int) for parts in folds)
    validates = sum((parts == VALID).astype(int) for parts in folds)
    assert tests.max() == validates.max() == 1 and (tests > 0).mean() > 0.6
    in_fold = [set(number[parts == TEST]) for parts in folds]
    assert sum(map(len, in_fold)) == len(set().union(*in_fold)) == number.max() + 1
    for parts, after in zip(folds, [*folds[1:], folds[0]], strict=True):
        assert one_part_each(parts, parcel)
        assert set(number[parts == VALID]) == set(number[after == TEST])
        counts = patches.class_counts(parts, crop, BRANDENBURG)["pixels"]
        many = patches.class_counts(parts, crop, BRANDENBURG, parcel)["parcels"].sum(axis=1) > 20
        assert (counts.loc[many, ["training", "validation", "test"]] > 0).all(axis=None)
        assert many.sum() >= 3
    again = [*patches.block_folds(SHAPE, 64, 5, buffer=4, seed=2, parcel=parcel, crop=crop)]
    np.testing.assert_array_equal(folds, again)
    with pytest.raises(ValueError, match="There are 2 folds; expected 3 or more"):
        patches.block_folds(SHAPE, 64, 2)
    with pytest.raises(ValueError, match=r"holds 4 block\(s\) .* need at least 5"):
        patches.block_folds((100, 100), 64, 5)


@pytest.mark.parametrize("seed", range(5))
def test_stratified_blocks_bring_rare_classes_into_every_part(seed):
    """Class 1 grows in three blocks of 100 only, class 2 in six, three of them the same."""
    crop = np.zeros((320, 320), np.uint8)
    rng = np.random.default_rng(seed)
    for n, place in enumerate(rng.permutation(100)[:6]):
        row, column = 32 * (place // 10), 32 * (place % 10)
        crop[row + 8 : row + 24, column + 8 : column + 24] = 2
        if n < 3:
            crop[row + 12 : row + 20, column + 10 : column + 12 + 3 * n] = 1
    parts = patches.block_split(crop.shape, 32, buffer=4, seed=seed, crop=crop)
    counts = patches.class_counts(parts, crop, BRANDENBURG)["pixels"]
    assert (counts[["training", "validation", "test"]] > 0).all(axis=None)
    blocks = np.bincount(parts[16::32, 16::32].ravel(), minlength=4)
    assert blocks.tolist() == [0, 60, 15, 25], "the blocks keep their shares"


@pytest.mark.parametrize("seed", range(5))
def test_stratified_blocks_count_on_fields_that_a_border_cuts(seed):
    """Class 1 grows in three fields only, and a border cuts each of them."""
    parcel = np.zeros((320, 320), int)
    places = np.random.default_rng(seed).permutation(
        [(row, column) for row in range(10) for column in range(0, 10, 2)]
    )
    for n, (row, column) in enumerate(places[:3], start=1):
        parcel[32 * row + 6 : 32 * row + 26, 32 * column + 10 : 32 * column + 40] = n
    parts = patches.block_split(
        parcel.shape, 32, buffer=4, seed=seed, parcel=parcel, crop=np.uint8(parcel > 0)
    )
    assert {*np.unique(parts[parcel > 0])} - {UNUSED} == {TRAIN, VALID, TEST}


def test_stratified_blocks_are_more_even_on_farmland(farmland):
    _, crop = farmland

    def shares(seed: int, **options) -> np.ndarray:
        """Share of each class in training, validation and test."""
        parts = patches.block_split(SHAPE, 32, buffer=2, seed=seed, **options)
        used = patches.class_counts(parts, crop, BRANDENBURG)["pixels"][
            ["training", "validation", "test"]
        ]
        return used.div(used.sum(axis=1), axis=0).to_numpy()

    plain, even = (
        np.array([shares(seed, **options) for seed in range(6)]) for options in ({}, {"crop": crop})
    )
    assert (plain == 0).any() and (even > 0).all(), "every class occurs in every part"
    assert abs(even - splits.SHARES).mean() < 0.7 * abs(plain - splits.SHARES).mean()
    assert (even[0] != even[1]).any(), "the seed matters"


def test_regions_are_quarters_unless_asked_otherwise():
    quarters = patches.regions((5, 8))
    expected = np.repeat([[1, 1, 1, 1, 2, 2, 2, 2], [3, 3, 3, 3, 4, 4, 4, 4]], (3, 2), axis=0)
    np.testing.assert_array_equal(quarters, expected)
    thirds = np.repeat([[1, 2, 3]], 4, axis=0)
    np.testing.assert_array_equal(patches.regions((4, 3), 1, 3), thirds)


def test_leave_one_region_out():
    region = patches.regions((60, 90), 2, 3)
    assert (
        np.unique(region).tolist() == [1, 2, 3, 4, 5, 6]
        and region[0, 31] == 2
        and region[59, 0] == 4
    )
    region[:5] = 0
    for number in range(1, 7):
        parts = patches.leave_one_region_out(region, number, buffer=4, valid=number % 6 + 1)
        for part, chosen in ((TEST, [number]), (VALID, [number % 6 + 1])):
            assert (parts == part).any() and np.isin(region[parts == part], chosen).all()
        assert (
            not np.isin(region[parts == TRAIN], (0, number, number % 6 + 1)).any()
            and (parts[region == 0] == UNUSED).all()
        )
        distance = ndimage.distance_transform_cdt(parts != TEST, metric="chessboard")
        assert distance[(parts == TRAIN) | (parts == VALID)].min() == 2 * 4 + 1
    assert patches.leave_one_region_out(region, 3)[5, 0] == TRAIN, (
        "the border of the map is no other part"
    )
    for wrong, message in (
        ((7,), "no region 7; the map holds"),
        ((0,), "no region 0"),
        ((1, 8, 1), "Region 1 is to test and to"),
    ):
        with pytest.raises(ValueError, match=message):
            patches.leave_one_region_out(region, *wrong)
    with pytest.raises(ValueError, match="none of them left to train on"):
        patches.leave_one_region_out(patches.regions((40, 40), 1, 2), 1, valid=2)


def test_leave_one_year_out(season):
    years = {
        year: season.assign_coords(time=season.time + np.timedelta64(365 * n, "D"))
        for n, year in enumerate((2018, 2019, 2020))
    }
    found = {year: (set(train), test) for year, train, test in patches.leave_one_year_out(years)}
    assert {year: train for year, (train, _) in found.items()} == {
        2018: {2019, 2020},
        2019: {2018, 2020},
        2020: {2018, 2019},
    }
    assert all(test is years[year] for year, (_, test) in found.items())
    for wrong, message in (
        ({2018: season}, "There is 1 season"),
        (years | {2019: season.isel(time=slice(4))}, "2019 has 4 dates and 2018 has 5"),
        (
            years | {2020: season.assign_coords(x=season.x + 30)},
            "2018 and 2020 lie on different grids",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            next(patches.leave_one_year_out(wrong))


def test_impossible_blocks_and_shares():
    for split in (patches.block_split, patches.random_pixels):
        with pytest.raises(ValueError, match="sum to 0.90; expected 1"):
            split((512, 512), shares=(0.5, 0.15, 0.25))
        with pytest.raises(ValueError, match="each above 0"):
            split((512, 512), shares=(1.2, 0.1, -0.3))
    with pytest.raises(ValueError, match="block is 0 and the buffer 8"):
        patches.block_split((100, 100), block=0)
    with pytest.raises(ValueError, match="holds 1 block"):
        patches.block_split((100, 100), block=128)
    with pytest.raises(
        ValueError, match=r"differ in shape \(scene \(100, 100\), parcel \(90, 100\)\)"
    ):
        patches.block_split((100, 100), 32, parcel=np.ones((90, 100), int))


# ------------------------------------------------------------------------------------------ measure


def test_class_counts():
    parts = np.array([[TRAIN, TRAIN, TEST, TEST], [TRAIN, VALID, UNUSED, TEST]])
    crop = np.array([[1, 1, 1, 2], [0, 2, 2, 2]])
    parcel = np.array([[5, 5, 5, 9], [0, 7, 7, 9]])
    table = patches.class_counts(parts, crop, BRANDENBURG, parcel)
    assert table.index.tolist() == ["Background", "Maize", "Wheat"]
    order = ["training", "validation", "test", "unused"]
    assert table["pixels"][order].values.tolist() == [[1, 0, 0, 0], [2, 0, 1, 0], [0, 1, 2, 1]]
    assert table["parcels"][order].values.tolist() == [[0, 0, 0, 0], [1, 0, 1, 0], [0, 1, 1, 1]]
    scored = accuracy.error_matrix(crop, crop, len(BRANDENBURG), where=parts == TEST).sum(0)
    assert table["pixels"]["test"].tolist() == scored[:3].tolist()
    with pytest.raises(ValueError, match="code 16, outside the legend"):
        patches.class_counts(parts, crop + 14, BRANDENBURG)
    with pytest.raises(ValueError, match=r"parts \(2, 4\), crop \(2, 3\)"):
        patches.class_counts(parts, crop[:, :3], BRANDENBURG)


def test_leak_report_counts_what_was_made_to_leak():
    parts = np.zeros((10, 30), np.uint8)
    parts[:, :10], parts[:, 20:25] = TRAIN, TEST
    parcel = np.zeros((10, 30), int)
    parcel[:2], parcel[5:7, 20:], parcel[5:7, :10] = 4, 8, 9
    assert patches.leak_report(parts == TRAIN, parts == TEST, parcel, reach=120) == {
        "training pixels": 100,
        "test pixels": 50,
        "share trained on": 0,
        "parcels in both": 1,
        "share in such parcels": pytest.approx(0.2),
        "median distance (m)": pytest.approx(130),
        "share within reach": pytest.approx(0.4),
    }
    train, test = np.array([[0, 0]]), np.array([[0, 4]])
    windows = patches.leak_report(
        patches.covered((10, 30), train, 8), patches.covered((10, 30), test, 8), pixel=20, reach=10
    )
    assert (
        windows["share trained on"] == windows["share within reach"] == 0.5
        and windows["median distance (m)"] == 10
    )
    with pytest.raises(ValueError, match="100 training and 0 test pixels"):
        patches.leak_report(parts == TRAIN, parts == VALID)
    with pytest.raises(ValueError, match="differ in shape"):
        patches.leak_report(parts == TRAIN, parts[1:] == TEST)


def test_leak_report_sets_the_test_beside_the_scene():
    crop = np.ones((100, 300), np.uint8)
    crop[:, :60], crop[40:60, 280:] = 0, 2
    parcel = np.where(crop > 0, 1 + np.arange(300) // 150, 0)
    parcel[crop == 2] = 3
    train, test = np.zeros((2, *crop.shape), bool)
    train[:, 200:], test[:50, :80], test[70:, :80] = True, True, True
    options = {"crop": crop, "crops": BRANDENBURG}
    with pytest.warns(UserWarning) as told:
        found = patches.leak_report(train, test, parcel, reach=150, **options)
    assert found["background in test"] == pytest.approx(0.75)
    assert found["background in scene"] == pytest.approx(0.2)
    assert found["class that differs most"] == "Background"
    assert found["largest difference of class shares"] == pytest.approx(0.55)
    assert found["classes not tested"] == "Wheat"
    assert found["median field in test (pixels)"] == (parcel == 1).sum() == 9000
    assert found["median field in scene (pixels)"] == (parcel == 2).sum() == 14600
    assert found["test clusters"] == 2
    told = [str(warning.message) for warning in told]
    assert len(told) == 3 and any("75% of the test and 20% of the scene" in t for t in told)
    assert any("Not tested are Wheat" in t for t in told)
    assert any("form 2 cluster(s) more than 150 m apart; expected 5" in t for t in told)
    with pytest.warns(UserWarning, match=r"form 1 cluster"):  # the gap between them is 200 m
        patches.leak_report(train, test, parcel, reach=300, **options)
    with pytest.raises(ValueError, match="code 2, outside the legend"):
        patches.leak_report(train, test, crop=crop, crops=BRANDENBURG[:2])


@pytest.mark.filterwarnings("error")
def test_a_good_split_of_farmland_is_not_warned_of(farmland):
    parcel, crop = farmland[0], np.minimum(farmland[1], 2)
    parts = patches.block_split(SHAPE, 64, buffer=4, seed=0, parcel=parcel, crop=crop)
    found = patches.leak_report(
        parts == TRAIN, parts == TEST, parcel, reach=200, crop=crop, crops=BRANDENBURG
    )
    assert found["test clusters"] >= 5 and found["classes not tested"] == ""
    assert abs(found["background in test"] - found["background in scene"]) < 0.1


def test_leaks_shrink_from_pixels_to_parcels_to_blocks_to_regions(farmland):
    parcel, crop = farmland
    rules = {
        "pixels": patches.random_pixels(SHAPE),
        "parcels": patches.parcel_split(parcel, crop=crop),
        "blocks": patches.block_split(SHAPE, 100, parcel=parcel),
        "region": patches.leave_one_region_out(patches.regions(SHAPE), 1, buffer=32),
    }
    reports = {
        name: patches.leak_report(parts == TRAIN, parts == TEST, parcel)
        for name, parts in rules.items()
    }
    distance = [report["median distance (m)"] for report in reports.values()]
    assert distance == sorted(distance) and distance[0] == 10 and distance[-1] > 1000
    assert reports["pixels"]["share in such parcels"] == pytest.approx(
        (parcel > 0).mean(), abs=0.02
    )
    assert reports["parcels"]["parcels in both"] == reports["blocks"]["parcels in both"] == 0


def test_variogram_of_a_mosaic_has_the_range_of_its_tiles():
    """Tiles of 20 x 10 pixels without relation: half the sill along x at half their width, all of
    it beyond.
    """
    tiles = np.random.default_rng(0).normal(-15, 2, (200, 60)).repeat(10, 0).repeat(20, 1)
    found = patches.variogram(tiles, pixel=20, longest=1000, lags=40)
    assert found.sill == pytest.approx(4, rel=0.05)
    np.testing.assert_allclose(
        found.east, found.sill * np.minimum(found.distance / 400, 1), atol=0.15
    )
    np.testing.assert_allclose(
        found.north, found.sill * np.minimum(found.distance / 200, 1), atol=0.15
    )
    assert found.range == pytest.approx(360, abs=40), (
        "where the mean (1 + d / 400) / 2 of the directions reaches 95 %"
    )
    tiles[np.random.default_rng(1).random(tiles.shape) < 0.2] = np.nan
    np.testing.assert_allclose(
        patches.variogram(tiles, pixel=20, longest=1000, lags=40).east, found.east, atol=0.05
    )


def test_variogram_of_noise_of_a_class_and_of_a_slope():
    noise = np.random.default_rng(0).normal(size=(300, 400))
    assert patches.variogram(noise).range == 10 and patches.variogram(noise).distance[-1] == 1500
    share = patches.variogram(noise > 1)
    assert share.sill == pytest.approx(0.16 * 0.84, rel=0.03)
    assert (
        patches.variogram(np.add.outer(np.arange(300.0), np.arange(400)), longest=300).range
        == np.inf
    )
    with pytest.raises(ValueError, match="400 pixels; expected 1 to 299"):
        patches.variogram(noise, longest=4000)
    with pytest.raises(ValueError, match="All values are alike"):
        patches.variogram(np.ones((30, 30)))


def test_parts_can_be_told_apart_without_colour(season):
    parts = patches.regions((48, 64)) - 1  # each part is a quarter
    figure = figures.parts_map({"quarters": parts.astype(np.uint8)}, season)
    assert {text.get_text() for text in figure.legends[0].get_texts()} == set(patches.PARTS)
    picture = figure.axes[0].images[0]
    light = sorted(
        to_rgb(picture.cmap(picture.norm(code))) @ np.array([0.2126, 0.7152, 0.0722])
        for code in range(4)
    )
    assert np.diff(light).min() > 0.1
    assert figure.axes[0].get_xlabel() == "east (km)" and picture.get_extent() == [0, 0.64, 0, 0.48]
