"""The study of real fields: what it counts is right, and who learns is never tested."""

import numpy as np
import pytest
from test_66_sources_samples import write_chip

from stma_nb import accuracy, cube, studies, train
from stma_nb.__main__ import main
from stma_nb.sources import samples
from stma_nb.studies import real


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Samples in the true format: two squares of three crops, and parcels of six, by level."""
    rng = np.random.default_rng(0)
    codes = np.array([1110, 1200, 9120])[np.arange(64) // 22][:, None].repeat(64, 1)
    codes[:4, :4] = 0
    days = np.arange("2019-03-01", "2019-10-31", 24, dtype="M8[D]")
    times = [f"{day}T17:31:51" for day in days]
    for chip in real.SQUARES.values():
        level = np.array([-12, -9, -6])[np.arange(32) // 11][:, None].repeat(32, 1)
        db = level + rng.normal(0, 0.3, (len(days), 32, 32))
        write_chip(tmp_path, chip, times, codes, db)
    number = np.arange(240) % 6
    crops = [1101060000, 1101010011, 2001020022, 1115000000, 1106000031, 1106000020]
    dates = np.arange("2022-10-01", "2023-10-22", 10, dtype="M8[D]")
    db = np.stack([-20 + 2 * number, -26 + 2 * number], 1)[:, None]
    db = (db + rng.normal(0, 0.2, (240, len(dates), 2))).astype("f4")
    db[::7, 3] = np.nan
    np.savez(
        tmp_path / "fr2023_dekad.npz",
        X=db,
        dates=dates.astype(str),
        ewoc_code=np.array(crops)[number],
        lon=np.repeat(np.arange(20) * 0.3, 12),
        lat=np.repeat(43.1 + 0.3 * (np.arange(20) % 10 > 4) * 15, 12),
    )
    monkeypatch.setattr(samples, "available", lambda name: tmp_path)
    for kept in (real.square, real.parcels, real.simulated):
        kept.cache_clear()
    yield tmp_path
    for kept in (real.square, real.parcels, real.simulated):
        kept.cache_clear()


def jobs_of(*words: str) -> list:
    return [job for job in real.real(0) if all(word in str(job.names) for word in words)]


def test_every_pair_of_places_and_method_has_one_job():
    names = [tuple(job.names.values()) for job in real.real(3)]
    assert len(names) == len(set(names)) == 2 * 5 + 4 * 3


def test_a_forest_knows_the_other_square_by_its_levels(folder):
    [job] = jobs_of("first square to second", "Quegan")
    row = job.make()
    assert row["OA"] > 0.9 and row["OA of three"] == row["OA"] and row["CPU seconds"] > 0
    labelled = np.array(row["blocks"])[:, 1]
    assert len(labelled) == 16 and labelled.sum() == 32 * 32 - 4 and labelled[0] == 60


def test_scores_of_a_square_count_labelled_pixels_only(folder):
    season = real.square("first square")
    codes = season.crop.values.copy()
    assert real.square_scores(codes, season)["OA"] == 1
    codes[:, :8] = 3
    right = (codes == season.crop.values) & (season.crop.values != cube.UNKNOWN)
    row = real.square_scores(codes, season)
    assert row["OA"] == pytest.approx(right.sum() / (season.crop.values != cube.UNKNOWN).sum())
    assert np.array(row["blocks"])[:, 0].sum() == right.sum()


def test_no_block_of_parcels_teaches_and_tests_at_once(folder):
    seen = []

    def fit(table, mask, seed):
        seen.append(mask[:, 0])
        return train.fit_forest(table, mask, trees=5, seed=seed)

    row = real._within(0, tuple(real.STANDS)[:4], fit)
    table, blocks = real._of_crops(tuple(real.STANDS)[:4])
    assert table.sizes["y"] == 160 and len(np.unique(blocks)) == 20 and len(seen) == real.FOLDS
    assert (np.sum([~learns for learns in seen], axis=0) == 1).all(), "each parcel is tested once"
    for learns in seen:
        assert not set(blocks[learns]) & set(blocks[~learns])
    assert row["OA"] > 0.9 and len(row["blocks"]) == 20


def test_the_south_is_tested_by_the_north(folder):
    [job] = jobs_of("north to south", "'forest'")
    row = job.make()
    table, _ = real._of_crops(tuple(real.STANDS)[:5])
    assert np.array(row["blocks"])[:, 1].sum() < 240 and row["OA"] > 0.9
    assert row["OA in the south"] == row["OA"], "nothing else is tested"
    assert (table.lat.values < real.NORTH).any()


def test_simulated_fields_teach_the_six_crops(folder, monkeypatch):
    monkeypatch.setattr(real, "SCENE", (128, 128))
    season, mask = real.simulated(0)
    parcels = real.parcels()
    np.testing.assert_array_equal(season.time.values, parcels.time.values)
    assert cube.legend(season) == cube.legend(parcels)
    names = [crop.name for crop in cube.legend(season)]
    assert {names[code] for code in season.crop.values[mask]} <= set(real.STANDS)
    codes = real.classify(train.fit_forest(season, mask, trees=5), parcels)
    assert codes.shape == (240,) and set(codes) <= set(season.crop.values[mask].tolist())


def test_blocks_become_matrices_of_right_and_wrong():
    matrices = studies.by_block([[[3, 4], [0, 2]], [[1, 4], [2, 2]]])  # two seeds, two blocks
    np.testing.assert_array_equal(matrices, [[[2, 0], [2, 0]], [[1, 0], [1, 0]]])
    assert accuracy.overall_accuracy(matrices.sum(0)) == 0.5


def test_without_the_samples_the_study_says_what_to_do(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(samples, "available", lambda name: None)
    real.square.cache_clear()
    assert main(["study", "real", "--output", str(tmp_path / "rows.json")]) == 1
    assert "needs the sample 'flanders': python -m stma_nb data samples flanders" in (
        capsys.readouterr().err
    )
