"""The pictures that move, as pages of the site: which notebook shows which, and how it is made.

Each is made of the sample season as its notebook makes it, so that page and notebook say the same.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from stma_nb import attention, cube, figures, patches, simulate, train
from stma_nb.course import runner


class Picture(NamedTuple):
    """A page with a picture that moves, and the cell in whose place it stands."""

    page: str
    title: str
    notebook: str  # its number
    call: str  # what its cell calls to show it
    make: Callable[[], figures.Component]


def _explorer() -> figures.Component:
    season = cube.open_season(runner.sample_season()).load()
    trained = train.load(runner.sample_weights())
    scene = season.isel(y=slice(224, 448), x=slice(0, 224))
    return attention.AttentionExplorer(trained, scene, row=64, column=96, layer="label", head=2)


def _player() -> figures.Component:
    season = cube.open_season(runner.sample_season())
    window = dict(y=slice(112, 336), x=slice(112, 336))
    return figures.season_player(season.isel(window), date=season.sizes["time"] // 3)


def _chooser() -> figures.Component:
    season = cube.open_season(runner.sample_season()).load()
    return figures.crop_chooser(season, "Maize", "Legume")


def _dates() -> figures.Component:
    season = cube.open_season(runner.sample_season()).load()
    curves = figures.parcel_curves(season)
    bands = np.stack([curves.vh.values, curves.vv.values], axis=-1)
    maize = curves.where(curves.crop == "Maize", drop=True).mean("parcel")
    table = np.stack([maize.vh, maize.vv], axis=-1)
    tokens = (table - bands.mean((0, 1))) / bands.std((0, 1))
    days = figures.days_of(season.time.values)
    return figures.attention_temperature(
        tokens @ tokens.T, tokens[:, 0], "scaled VH", days, asks=days.index("25 May")
    )


def _pixels() -> figures.Component:
    season = simulate.season(**runner.SAMPLE).compute()
    truth = simulate.season(**dict(runner.SAMPLE, looks=None, texture=0))
    window = dict(y=slice(200, 232), x=slice(60, 92))
    scaling = patches.fit_scaling(season)
    patch = season.isel(window)
    values = patches.read_window(patch, scaling.bands, (slice(0, 32), slice(0, 32)))
    tokens = patches.network_input(values, scaling).reshape(-1, 32 * 32).T
    tokens = tokens - tokens.mean(0)
    query = 10 * 32 + 10
    others = np.arange(32 * 32) != query
    parcel = patch.parcel.values.ravel()
    return figures.attention_temperature(
        (tokens @ tokens[query] / tokens.shape[1] ** 0.5)[others],
        patch.vh.values[8].ravel()[others],
        "VH power",
        things="pixels",
        own=(parcel == parcel[query])[others],
        truth=float(truth.vh.isel(window)[8, 10, 10]),
    )


PICTURES = (
    Picture("player.html", "A season, date by date", "01", "season_player(", _player),
    Picture("chooser.html", "Two crops compared", "01", "crop_chooser(", _chooser),
    Picture("bench.html", "Speckle and filters", "02", "speckle_bench(", figures.speckle_bench),
    Picture("dates.html", "Sharpness of attention over dates", "04", "temperature(", _dates),
    Picture("pixels.html", "Sharpness of attention over pixels", "05", "temperature(", _pixels),
    Picture("attention.html", "The attention explorer", "09", "explorer = attention.", _explorer),
)
