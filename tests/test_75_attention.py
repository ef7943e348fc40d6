"""Attention is recorded as the network used it, summaries are right by hand, and the tests of
meaning find a planted truth.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch
import xarray as xr
from scipy import stats

from stma_nb import attention, cube, patches, simulate, train
from stma_nb.model import STMA

PATCH, DECISIVE, DATES = 16, 3, 6
TRAIN = patches.corners((96, 80), PATCH, 0.5)
WINDOWS = patches.corners((96, 48), PATCH, 0.0) + [0, 80]  # apart from those of training


@pytest.fixture(scope="module")
def decisive() -> xr.Dataset:
    """A season in which only the date DECISIVE tells the two crops apart; fields of 8 x 8 pixels
    have a crop at random.
    """
    rng = np.random.default_rng(1)
    field = np.arange(96)[:, None] // 8 * 16 + np.arange(128) // 8
    crop = rng.integers(2, size=12 * 16)[field].astype("uint8")
    level = np.tile(np.linspace(-18, -14, DATES)[:, None], 2)  # dB (date, crop)
    level[DECISIVE] += [-3, 3]
    vh = 10 ** (level[:, crop] / 10) * rng.gamma(4.4, 1 / 4.4, (DATES, 96, 128))
    vv = 10 ** (level.mean(1)[:, None, None] / 10 + 0.5) * rng.gamma(4.4, 1 / 4.4, (DATES, 96, 128))
    season = xr.Dataset(
        {
            name: (("time", "y", "x"), band.astype("float32"), {"units": "1"})
            for name, band in (("vv", vv), ("vh", vh))
        },
        {"time": np.array([f"2018-{month:02}-11" for month in range(4, 4 + DATES)], "M8[ns]")}
        | {"y": -10.0 * np.arange(96), "x": 10.0 * np.arange(128)},
    )
    season["crop"] = (
        ("y", "x"),
        crop,
        cube.flags((cube.Crop("Maize", "#d55e00"), cube.Crop("Sugar beet", "#0072b2"))),
    )
    season["parcel"] = ("y", "x"), (field + 1).astype("int32")
    return season


@pytest.fixture(scope="module")
def trained(decisive) -> train.Trained:
    torch.manual_seed(1)
    model, scaling = (
        STMA(dates=DATES, patch=PATCH, classes=2, width=8),
        patches.fit_scaling(decisive),
    )
    data = (
        patches.PatchDataset(decisive, windows, PATCH, scaling, augment=True)
        for windows in (TRAIN, WINDOWS)
    )
    return train.fit(
        model, *data, epochs=20, batch=8, rate=3e-3, seed=1, watch=lambda history: None
    )


@pytest.fixture(scope="module")
def maps(trained, decisive) -> xr.Dataset:
    return attention.record(trained, decisive, WINDOWS, spatial=True)


@pytest.fixture(scope="module")
def occlusion(trained, decisive) -> xr.Dataset:
    return attention.occlude_dates(trained, decisive, WINDOWS)


# ------------------------------------------------------------------------------------------- record


def test_maps_are_those_of_the_network(trained, decisive, maps):
    data = patches.PatchDataset(
        decisive, WINDOWS, PATCH, trained.scaling
    )  # fields are as large as coarse cells
    with torch.no_grad():
        weights = trained.model(data[5][0][None], return_attention=True)[2]
    for level in (1, 2, 3):
        np.testing.assert_array_equal(
            maps.temporal.sel(level=level)[5], weights["temporal"][level - 1][0]
        )
        np.testing.assert_array_equal(maps[f"spatial_{level}"][5], weights["spatial"][level - 1][0])
    np.testing.assert_array_equal(maps.cross[5], weights["cross"][0, 0])
    np.testing.assert_allclose(maps.temporal.sum("time"), 1, atol=1e-5)
    np.testing.assert_allclose(maps.spatial_1.sum("key_fine"), 1, atol=1e-5)
    assert (maps.time == decisive.time).all() and (maps.row[5], maps.column[5]) == tuple(WINDOWS[5])
    assert maps.crop_coarse[5].values.tolist() == data[5][1][4::8, 4::8].flatten().tolist()
    assert set(attention.record(trained, decisive, WINDOWS).data_vars) == {"temporal"}
    xr.testing.assert_identical(
        attention.record(trained, decisive.chunk({"y": 40}), WINDOWS, spatial=True), maps
    )


def test_another_calendar_is_allowed_on_request(trained, decisive, maps):
    late = decisive.assign_coords(time=decisive.time + np.timedelta64(90, "D"))
    np.testing.assert_array_equal(
        attention.record(trained, late, WINDOWS, allow=["dates"]).temporal, maps.temporal
    )


# ---------------------------------------------------------------------------------------- summaries


def tiny_maps() -> xr.Dataset:
    """One window, one head: 2 dates in May, 1 in June; all look at the last date, and every cell
    looks at itself.
    """
    times = np.array(["2018-05-01", "2018-05-20", "2018-06-10"], "M8[ns]")
    temporal = np.tile([0.1, 0.1, 0.8], (1, 3, 1, 3, 1))
    spatial = {}
    for level, grid, cells in ((1, "fine", 16), (2, "coarse", 4), (3, "coarse", 4)):
        dims = ("window", "head", f"query_{grid}", f"key_{grid}")
        spatial[f"spatial_{level}"] = (dims, np.eye(cells)[None, None])
    return xr.Dataset(
        {"temporal": (("window", "level", "head", "query_date", "time"), temporal)} | spatial
        | {"crop_fine": (("window", "query_fine"), [[0] * 12 + [1] * 4])}
        | {"crop_coarse": (("window", "query_coarse"), [[0, 0, 0, 1]])},
        {"time": times, "head": [1], "level": [1, 2, 3]},
        {"pixel": 10.0, "crops": ["Maize", "Wheat", "Pea"]},
    )  # fmt: skip


def test_summaries_by_hand():
    maps = tiny_maps()
    np.testing.assert_allclose(attention.by_date(maps)[0, 0, 0], [0.1, 0.1, 0.8])
    months = attention.by_month(maps)
    np.testing.assert_allclose(months[0, 0, 0], [0.3, 2.4])
    assert months.month.dt.month.values.tolist() == [5, 6]
    crops = attention.by_crop(maps)
    np.testing.assert_allclose(
        crops.share.sel(level=1, head=1), [[1, 0, 0], [0, 1, 0], [np.nan] * 3]
    )
    np.testing.assert_allclose(crops.expected.sel(level=1)[:2], [[0.75, 0.25, 0], [0.75, 0.25, 0]])
    distance = attention.by_distance(maps)
    # Level 2: four cells, each looks at itself, N = 4; the neighbours, at 80 m and 113 m (rounded
    # to 80 m), get nothing.
    np.testing.assert_allclose(distance.sel(level=2)[0, 0, :2], [4, 0])
    assert distance.distance.values.tolist() == [0, 80, 160] and np.isnan(
        distance.sel(level=2)[0, 0, 2]
    )


def test_uniform_weights_are_flat_at_every_distance():
    maps = tiny_maps()
    for name in ("spatial_1", "spatial_2", "spatial_3"):
        maps[name] = xr.full_like(maps[name], 1 / maps[name].shape[-1])
    assert np.nanmax(abs(attention.by_distance(maps) - 1)) < 1e-9
    crops = attention.by_crop(maps)
    xr.testing.assert_allclose(crops.share.isel(head=0, drop=True), crops.expected)


def test_entropy_is_one_for_equal_weights_and_zero_for_one():
    weights = xr.DataArray([[0.25] * 4, [0, 1, 0, 0]], dims=("query", "key"))
    np.testing.assert_allclose(attention.entropy(weights), [1, 0])


# ----------------------------------------------------------------------------------------- controls


def test_uniform_attention_is_uniform_and_leaves_the_network_alone(trained, decisive, maps):
    flat = attention.record(attention.uniform_attention(trained), decisive, WINDOWS, spatial=True)
    np.testing.assert_allclose(flat.temporal, 1 / DATES, rtol=1e-6)
    np.testing.assert_allclose(flat.spatial_1, 1 / 16, rtol=1e-6)
    one = attention.record(
        attention.uniform_attention(trained, ["temporal"], [2], [3]),
        decisive,
        WINDOWS,
        spatial=True,
    )
    np.testing.assert_allclose(one.temporal.sel(level=2, head=3), 1 / DATES, rtol=1e-6)
    np.testing.assert_array_equal(one.temporal.sel(level=1), maps.temporal.sel(level=1))
    np.testing.assert_array_equal(
        one.temporal.sel(level=2, head=2), maps.temporal.sel(level=2, head=2)
    )
    np.testing.assert_array_equal(one.spatial_2, maps.spatial_2)
    xr.testing.assert_identical(attention.record(trained, decisive, WINDOWS, spatial=True), maps)


def test_randomised_weights_forget(trained, decisive, maps, occlusion):
    state = torch.get_rng_state()
    other = attention.randomised(trained, seed=1)
    assert torch.equal(torch.get_rng_state(), state)
    assert (
        float(attention.occlude_dates(other, decisive, WINDOWS).accuracy.mean())
        < 0.7
        < float(occlusion.accuracy.mean())
    )
    part = attention.randomised(trained, part="stsa").model.state_dict()
    for name, value in trained.model.state_dict().items():
        assert torch.equal(part[name], value) or name.startswith("stsa")
    xr.testing.assert_identical(attention.record(trained, decisive, WINDOWS, spatial=True), maps)


# ------------------------------------------------------------------------------------ planted truth


def test_occlusion_finds_the_decisive_date(occlusion):
    assert occlusion.accuracy.mean() > 0.95
    drop = occlusion.accuracy_drop.mean("window").values
    assert drop[DECISIVE] > 0.3 and abs(np.delete(drop, DECISIVE)).max() < 0.05
    assert occlusion.loss_increase.mean("window").values.argmax() == DECISIVE


def test_the_prediction_does_not_need_the_attention_over_dates(trained, decisive, occlusion):
    """Why the tests are there: with equal weights the network still reads the decisive date (there
    is a shortcut).
    """
    flat = attention.occlude_dates(
        attention.uniform_attention(trained, ["temporal"]), decisive, WINDOWS
    )
    assert (
        flat.accuracy.mean() > 0.95
        and flat.accuracy_drop.mean("window").values.argmax() == DECISIVE
    )


def test_only_the_pixels_of_the_mask_count(trained, decisive, occlusion):
    half = np.broadcast_to(np.arange(128) % 16 < 8, (96, 128))
    one, other = (
        attention.occlude_dates(trained, decisive, WINDOWS, mask=mask).accuracy
        for mask in (half, ~half)
    )
    np.testing.assert_allclose((one + other) / 2, occlusion.accuracy, atol=1e-6)


def test_occluded_neighbours_go_together(trained, decisive, occlusion):
    drop = (
        attention.occlude_dates(trained, decisive, WINDOWS, group=3)
        .accuracy_drop.mean("window")
        .values
    )
    assert (drop[DECISIVE - 1 : DECISIVE + 2] > 0.3).all() and abs(drop[[0, 1, 5]]).max() < 0.05


def test_deletion_by_occlusion_falls_faster_than_random(trained, decisive, occlusion):
    importance = {"occlusion": occlusion.loss_increase.mean("window")}
    curve = attention.deletion_curve(trained, decisive, WINDOWS, importance, random=4)
    assert curve.accuracy.dims == ("order", "deleted") and curve.sizes["deleted"] == DATES + 1
    np.testing.assert_allclose(curve.accuracy.sel(deleted=0), occlusion.accuracy.mean(), rtol=1e-5)
    area = curve.accuracy.mean("deleted")
    assert area.sel(order="occlusion") < area.sel(order="random") - 0.1
    assert np.ptp(curve.accuracy.sel(deleted=DATES).values) < 1e-6, (
        "in the end all dates are gone in any order"
    )


def test_surroundings(trained, decisive, occlusion):
    effect = attention.occlude_neighbourhood(trained, decisive, WINDOWS, radii=[4, 6, 12])
    assert effect.loss_increase.dims == ("window", "radius")
    np.testing.assert_allclose(
        effect.accuracy_drop.sel(radius=12), 0, atol=1e-6
    )  # the corner is 10.6 pixels from the middle
    assert float(abs(effect.loss_increase.sel(radius=4)).max()) > 1e-3


def test_separability_is_that_of_the_decisive_date(decisive):
    truth = attention.true_separability(decisive, "Maize", "Sugar beet")
    assert (
        truth.pair.values.tolist() == ["Maize - Sugar beet"]
        and truth.min() >= 0
        and truth.max() <= 2
    )
    assert truth[0, DECISIVE] > 1.99 and np.delete(truth[0].values, DECISIVE).max() < 0.2


def test_separability_by_hand(decisive):
    """Equal covariances: B = d'^2 / 8 per independent band."""
    values = np.array([1, 2, 3, 4.0])
    db = np.stack(
        [
            np.concatenate([values[[0, 1, 3, 2]], values[[0, 1, 3, 2]]]),
            np.concatenate([values, values + 2]),
        ]
    )
    power = np.repeat(10 ** (db / 10), 12, axis=1)
    season = xr.Dataset(
        {
            name: (("time", "y", "x"), band[None, None])
            for name, band in zip(("vv", "vh"), power, strict=True)
        },
        {"time": np.array(["2018-05-01"], "M8[ns]")},
    )
    season["crop"] = ("y", "x"), (np.arange(96) // 48)[None], decisive.crop.attrs
    season["parcel"] = (
        ("y", "x"),
        (np.arange(96) // 12 * 10**8 + 1)[None],
    )  # numbers as large as those of real parcels
    truth = attention.true_separability(season, "Maize", "Sugar beet")
    covariance = np.cov(np.stack([values[[0, 1, 3, 2]], values]))
    expected = 2 - 2 * np.exp(-np.array([0, 2]) @ np.linalg.solve(covariance, [0, 2]) / 8)
    np.testing.assert_allclose(truth, [[expected]])


def test_separability_of_a_simulated_season():
    season = simulate.season(
        size=(256, 256),
        dates=["2018-01-15", "2018-05-20"],
        seed=0,
        balance=0.3,
        farmland=0.8,
        parcel_hectares=1.5,
    )
    truth = attention.true_separability(season, "Wheat", "Maize", "Rapeseed")
    assert truth.shape == (3, 2) and (truth[:, 1] > truth[:, 0]).all(), (
        "crops part in May, not in January"
    )


# -------------------------------------------------------------------------------------------- ranks


def test_rank_agreement_of_equal_and_of_unrelated():
    rng = np.random.default_rng(0)
    dates = xr.DataArray(rng.normal(size=20), dims="time")
    same = attention.rank_agreement(dates, dates)
    assert (
        same["rho"] == pytest.approx(1)
        and same["chance"] == pytest.approx(1 / 20)
        and np.isnan(same["low"])
    )
    noisy = dates + xr.DataArray(rng.normal(size=(30, 20)), dims=("window", "time"))
    close = attention.rank_agreement(noisy, dates)
    assert 0.8 < close["low"] < close["rho"] <= close["high"] + 0.02 <= 1.02
    a, b = rng.normal(size=(2, 40, 200))
    unrelated = attention.rank_agreement(a, b)
    assert unrelated["rho"] == pytest.approx(stats.spearmanr(a.mean(0), b.mean(0)).statistic)
    assert (
        abs(unrelated["rho"]) < 0.2
        and unrelated["low"] < 0 < unrelated["high"]
        and unrelated["chance"] > 0.02
    )


# ---------------------------------------------------------------------------------------- bad input


def missing(season):
    season = season.copy(deep=True)
    season.vh[2, 5, 87] = np.nan
    return season


def untrained(trained):
    """The same with a new network, which is in training mode."""
    return replace(trained, model=STMA(DATES, PATCH, classes=2, width=4))


def later(season):
    return season.assign_coords(time=season.time + np.timedelta64(90, "D"))


def in_db(season):
    return season.assign(vh=season.vh.assign_attrs(units="dB"))


PAIRS = xr.DataArray(np.ones((2, 3)), dims=("pair", "time"))
REFUSED = [  # a call with a trained network and a season, and what the error says
    # record
    (lambda t, s: attention.record(untrained(t), s, WINDOWS), "training mode"),
    (
        lambda t, s: attention.record(t, s.isel(time=slice(4)), WINDOWS),
        "has 4 dates, the network was trained on 6",
    ),
    (lambda t, s: attention.record(t, later(s), WINDOWS), "90 days apart"),
    (
        lambda t, s: attention.record(t, s, [[90, 0]]),
        r"window at \(90, 0\) reaches out of the scene \(96 x 128\).*\(80, 112\)",
    ),
    (lambda t, s: attention.record(t, s, [[-1, 0]]), "reaches out"),
    (lambda t, s: attention.record(t, s, []), r"shape \(0,\); expected \(n, 2\)"),
    (
        lambda t, s: attention.record(t, s.isel(x=slice(12)), [[0, 0]]),
        r"16 pixels is larger than the scene \(96 x 12\)",
    ),
    (
        lambda t, s: attention.record(t, missing(s), WINDOWS),
        r"In the window at \(0, 80\) 1 pixels miss values on 1 date",
    ),
    (
        lambda t, s: attention.record(t, s, WINDOWS, spatial=True, memory=0.03),
        "18 windows take .* at most 4 fit: give fewer",
    ),
    (
        lambda t, s: attention.record(t, s, WINDOWS, spatial=True, memory=1e-4),
        "not even one fits: leave out the spatial",
    ),
    (lambda t, s: attention.record(t, in_db(s), WINDOWS), "'vh' is in dB"),
    # what was recorded, summarised
    (
        lambda t, s: attention.by_crop(attention.record(t, s, WINDOWS)),
        "no 'crop_fine': record them with spatial=True",
    ),
    (lambda t, s: attention.by_distance(attention.record(t, s, WINDOWS)), "no 'spatial_1'"),
    (
        lambda t, s: attention.entropy(attention.record(t, s, WINDOWS, spatial=True).cross),
        "no distribution",
    ),
    # changed networks
    (
        lambda t, s: attention.uniform_attention(t, ["cross"]),
        "'branches' is .*expected some of",
    ),
    (lambda t, s: attention.uniform_attention(t, levels=[0]), "'levels' is"),
    (
        lambda t, s: attention.uniform_attention(t, heads=[5]),
        "heads. is .5.; expected some of .1, 2, 3, 4.",
    ),
    (
        lambda t, s: attention.randomised(t, part="head"),
        "No weights start with 'head'.*stsa",
    ),
    # changed inputs
    (
        lambda t, s: attention.occlude_dates(t, s, WINDOWS, group=2),
        "group is 2; expected an odd number",
    ),
    (lambda t, s: attention.occlude_dates(t, s.drop_vars("crop"), WINDOWS), "no 'crop' layer"),
    (
        lambda t, s: attention.occlude_dates(t, s, WINDOWS, mask=np.zeros((96, 128), bool)),
        "no pixel in the mask",
    ),
    (
        lambda t, s: attention.occlude_dates(t, s, WINDOWS, mask=np.ones((48, 64), bool)),
        "mask has the shape .48, 64.",
    ),
    (
        lambda t, s: attention.occlude_neighbourhood(t, s, WINDOWS, radii=[2]),
        "smallest radius is 2",
    ),
    (
        lambda t, s: attention.deletion_curve(t, s, WINDOWS, {"mine": np.ones(3)}),
        "'mine' has the shape .*6 dates",
    ),
    # comparisons
    (lambda t, s: attention.rank_agreement(np.ones(3), np.ones(4)), "expected .window, time."),
    (lambda t, s: attention.rank_agreement(np.ones(3), np.arange(3)), "same on every date"),
    (lambda t, s: attention.rank_agreement(PAIRS, np.ones(3)), "average over"),
    (
        lambda t, s: attention.true_separability(s, "Maize", "Wheat"),
        "expected two or more of Maize, Sugar beet",
    ),
    (
        lambda t, s: attention.true_separability(s.drop_vars("parcel"), "Maize", "Sugar beet"),
        "no 'parcel' layer",
    ),
    (
        lambda t, s: attention.true_separability(s, "Maize", "Sugar beet", least=100),
        "has 0 parcels of 100 pixels",
    ),
]


@pytest.mark.parametrize(("change", "message"), REFUSED)
def test_bad_input(trained, decisive, change, message):
    with pytest.raises(ValueError, match=message):
        change(trained, decisive)


def test_another_legend_is_refused(trained, decisive):
    crops = decisive.crop.assign_attrs(
        cube.flags((cube.Crop("Sugar beet", "#000000"), cube.Crop("Maize", "#111111")))
    )
    with pytest.raises(
        ValueError, match="legend .Sugar beet, Maize. is not the network's .Maize, Sugar beet."
    ):
        attention.occlude_dates(trained, decisive.assign(crop=crops), WINDOWS)


def test_bad_input_of_a_network_taken_back_to_training(trained, decisive):
    trained.model.train()
    try:
        with pytest.raises(ValueError, match="training mode"):
            attention.occlude_dates(trained, decisive, WINDOWS)
    finally:
        trained.model.eval()
