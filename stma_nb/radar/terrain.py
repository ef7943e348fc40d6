"""Terrain as a side-looking radar sees it: local angles, layover, shadow and the area that is lit.

A slope is turned towards the radar or away from it, and so fills more or less of a range cell than
flat ground does. Here the angle theta is that of incidence on the ellipsoid, and alpha the slope in
the look direction, positive where it faces the radar:

* **local incidence**: between the ray and the normal of the slope; theta - alpha if the slope runs
  along the look direction;
* **layover**: several places at the same slant range; their echoes are one. A slope steeper than
  theta starts it, and the ground before and behind it is drawn in;
* **shadow**: no ray reaches the ground. A slope that falls away by more than 90 - theta starts it,
  and throws its shadow on the ground behind;
* **area factor**: tan(theta) / tan(theta - alpha), by which sigma0 on the ellipsoid exceeds that
  of flat ground with the same gamma0.

The factor is that of each slope by itself, as in the volume model of Vollrath, Mullissa and Reiche
(2020, https://doi.org/10.3390/rs12111867). Small (2011,
https://doi.org/10.1109/TGRS.2011.2120616) adds up all facets of terrain in a range cell: outside
layover and shadow that is the same, and within them the factor is of no use.
"""

import numpy as np
import rioxarray  # noqa: F401  (registers the .rio accessor)
import xarray as xr
from scipy import ndimage

from stma_nb.radar.backscatter import change_bands, expect_sigma0

LOOK_AZIMUTH = {"ascending": 78.0, "descending": 282.0}
"""Where Sentinel-1 looks, in degrees clockwise from north; at 52 degrees north 75 and 285."""

MOST = 10.0  # limit of the area factor, 10 dB: it has none where a slope meets the angle of layover
DIRECTIONS = ("y", "x")


def local_geometry(
    dem: xr.DataArray, incidence: float | xr.DataArray, look: float = LOOK_AZIMUTH["ascending"]
) -> xr.Dataset:
    """How a radar that looks towards the azimuth ``look`` sees a terrain model.

    Args:
        dem: heights in metres (y, x), on a projected grid in metres, without gaps.
        incidence: angle on the ellipsoid in degrees, a number or a map (y, x) on the grid of
            ``dem``, such as the ``incidence_angle`` of a season.
        look: direction from the radar to the ground, in degrees clockwise from grid north.

    Returns a Dataset (y, x): ``incidence`` (the angle given) and ``local_incidence`` in degrees,
    the masks ``layover`` and ``shadow``, and ``area_factor`` (see the module), which is 0 in
    shadow and at most 10. ``onto_terrain`` multiplies by it; ``flatten_terrain`` divides by it.

    Slopes are central differences. The masks are found along lines in the look direction, on a
    grid turned into it; their borders are right to about a pixel. Ground outside ``dem`` throws no
    shadow.

    Raises ValueError for a model that is not (y, x) in metres or has gaps, and for another grid.
    """
    dem = _expect_dem(dem).astype("float64")
    if isinstance(incidence, xr.DataArray):
        _expect_grid(incidence, dem, "incidence")
    theta = np.radians(np.broadcast_to(np.asarray(incidence, "float64"), dem.shape))
    east, north = np.sin(np.radians(look)), np.cos(np.radians(look))
    slope_x, slope_y = (dem.differentiate(direction).values for direction in ("x", "y"))
    uphill = slope_x * east + slope_y * north  # rise per metre away from the radar
    alpha = np.arctan(uphill)
    normal = np.sqrt(1 + slope_x**2 + slope_y**2)
    local = np.arccos((np.cos(theta) + np.sin(theta) * uphill) / normal)
    layover, shadow = _scan(dem, theta, east, north)
    layover |= alpha > theta
    shadow |= theta - alpha > np.pi / 2
    # Beyond layover the slope is seen upside down: its area counts all the same.
    tangent = np.maximum(np.abs(np.tan(theta - alpha)), np.tan(theta) / MOST)
    factor = np.where(shadow, 0, np.tan(theta) / tangent)
    degrees = {"units": "degree"}
    return xr.Dataset(
        {
            "incidence": (DIRECTIONS, np.degrees(theta).astype("float32"), degrees),
            "local_incidence": (DIRECTIONS, np.degrees(local).astype("float32"), degrees),
            "layover": (DIRECTIONS, layover),
            "shadow": (DIRECTIONS, shadow),
            "area_factor": (DIRECTIONS, factor.astype("float32"), {"units": "1"}),
        },
        coords=dem.coords,
        attrs={"look_azimuth": look},
    )


def onto_terrain(season: xr.Dataset, dem: xr.DataArray, track: str = "ascending") -> xr.Dataset:
    """The season of flat land (``simulate.season``), as if the land had the heights of ``dem``.

    Slopes that face the radar return more, in proportion to the area that is lit. Adds the layers
    (y, x) ``local_incidence`` (degrees), ``layover`` and ``shadow``; ``incidence_angle`` stays that
    on the ellipsoid. In layover the power is that of each slope by itself, which no radar could
    tell apart, and in shadow nothing returns: leave both out by their masks. ``dem`` lies on the
    season's grid. Raises ValueError as ``local_geometry`` does, and for an unknown track.
    """
    if track not in LOOK_AZIMUTH:
        raise ValueError(f"The track is {track!r}; expected one of {', '.join(LOOK_AZIMUTH)}.")
    expect_sigma0(season)
    _expect_grid(dem, season, "dem")
    geometry = local_geometry(dem, season.incidence_angle, LOOK_AZIMUTH[track])
    hilly = change_bands(season, lambda power: power * geometry.area_factor)
    return hilly.assign(geometry[["local_incidence", "layover", "shadow"]])


def flatten_terrain(season: xr.Dataset, geometry: xr.Dataset) -> xr.Dataset:
    """The season as gamma0-T: gamma0 with the area of the terrain that was lit, from sigma0.

        gamma0-T = sigma0 / cos(theta) / area factor

    ``geometry`` is what ``local_geometry`` gives on the season's grid. Layover and shadow become
    NaN, since there the power of one place is not to be had. The attribute ``quantity`` becomes
    "gamma0_T". Raises ValueError if the season is not sigma0 or lies on another grid.
    """
    expect_sigma0(season)
    _expect_grid(geometry, season, "geometry")
    seen = ~(geometry.layover | geometry.shadow).values
    area = np.cos(np.radians(geometry.incidence.values)) * geometry.area_factor.values
    gain = xr.DataArray(np.where(seen, 1 / np.where(seen, area, 1), np.nan), dims=DIRECTIONS)
    return change_bands(season, lambda power: power * gain, quantity="gamma0_T")


def _scan(
    dem: xr.DataArray, theta: np.ndarray, east: float, north: float
) -> tuple[np.ndarray, np.ndarray]:
    """Layover and shadow (y, x), found along lines in the look direction."""
    y, x = dem.y.values, dem.x.values
    steps = (y[-1] - y[0]) / (len(y) - 1), (x[-1] - x[0]) / (len(x) - 1)
    step = min(np.abs(steps))
    far = x * east + y[:, None] * north  # along the look direction, from near to far range
    side = x * north - y[:, None] * east  # across it
    fars, sides = (np.arange(v.min(), v.max() + step, step) for v in (far, side))
    rows = (fars * north - sides[:, None] * east - y[0]) / steps[0]
    columns = (fars * east + sides[:, None] * north - x[0]) / steps[1]

    def turned(layer: np.ndarray) -> np.ndarray:
        return ndimage.map_coordinates(layer, (rows, columns), order=1, cval=np.nan)

    # In steps of horizontal distance: slant range (over cos theta), and height above the ray
    # through the first point. fmax and fmin pass over the NaN outside the terrain model.
    height, tangent = turned(dem.values), turned(np.tan(theta))
    slant = np.nancumsum(step * tangent, axis=1) - height
    above = np.nancumsum(step / tangent, axis=1) + height
    passed = np.fmax.accumulate(slant, axis=1) > slant  # nearer ground lies as far from the radar
    coming = np.fmin.accumulate(slant[:, ::-1], axis=1)[:, ::-1] < slant
    hidden = np.fmax.accumulate(above, axis=1) > above
    place = (side - sides[0]) / step, (far - fars[0]) / step

    def back(mask: np.ndarray) -> np.ndarray:
        return ndimage.map_coordinates(mask.view("uint8"), place, order=0).astype(bool)

    return back(passed | coming), back(hidden)


def _expect_dem(dem: xr.DataArray) -> xr.DataArray:
    if dem.dims != DIRECTIONS or min(dem.shape) < 2:
        raise ValueError(
            f"The terrain model has the sizes {dict(dem.sizes)}; expected (y, x), 2 pixels a side "
            "or more: dem.squeeze(drop=True), or take a larger piece."
        )
    if dem.rio.crs is not None and dem.rio.crs.is_geographic:
        raise ValueError(
            "The terrain model lies on a grid in degrees; expected metres: bring it onto the "
            "season's grid (dem.rio.reproject_match)."
        )
    if not np.isfinite(dem).all():
        raise ValueError(
            "The terrain model has gaps (NaN); expected heights everywhere: fill them "
            "(dem.rio.interpolate_na)."
        )
    return dem


def _expect_grid(
    layer: xr.DataArray | xr.Dataset, grid: xr.DataArray | xr.Dataset, what: str
) -> None:
    same = all(  # to a few centimetres: coordinates are millions of metres
        layer.sizes[side] == grid.sizes[side] and np.allclose(layer[side], grid[side], rtol=1e-8)
        for side in DIRECTIONS
    )
    if not same:
        sizes = [" x ".join(str(data.sizes[side]) for side in DIRECTIONS) for data in (layer, grid)]
        raise ValueError(
            f"'{what}' has {sizes[0]} pixels, the grid it should lie on {sizes[1]}, with other "
            "coordinates: bring the terrain model onto the season's grid (dem.rio.reproject_match)."
        )
