"""What a season is, and the first thing that is wrong with one that is not."""

import math

import numpy as np
import rioxarray  # noqa: F401  (registers the .rio accessor)
import xarray as xr
from pyproj import CRS, Proj, Transformer

from stma_nb.cube.classes import UNKNOWN, SeasonError, legend
from stma_nb.cube.values import Scale, check_scale, look_at_dates, stated_scale, to_backscatter

CHUNK = 256  # pixels: a chunk on disk holds all dates of CHUNK x CHUNK pixels, as a network needs
POLARISATIONS = ("vv", "vh", "hh", "hv")
ORDER = (
    "vh",
    "vv",
    "hv",
    "hh",
)  # in which a network sees them; the published weights have VH first


def chunk_side(dates: int) -> int:
    """The side in pixels of a chunk of all dates: ``CHUNK``, or less for hundreds of them.

    A power of two, so that a chunk holds at most 64 MiB of float32.
    """
    return min(CHUNK, 2 ** (math.isqrt(2**24 // max(1, dates)).bit_length() - 1))


# ------------------------------------------------------------------------------------------ asking


def bands(season: xr.Dataset) -> tuple[str, ...]:
    """The variables with the dimensions (time, y, x), in the order in which a network sees them.

    Polarisations come first (``vh``, ``vv``, ``hv``, ``hh``), then all others as they stand.
    """
    varying = [
        name for name, band in season.data_vars.items() if {"time", "y", "x"} <= {*band.dims}
    ]
    first = [name for name in ORDER if name in varying]
    return (*first, *(str(name) for name in varying if name not in ORDER))


def polarisations(season: xr.Dataset) -> tuple[str, ...]:
    """The bands of a season that are radar backscatter."""
    return tuple(name for name in bands(season) if name in POLARISATIONS)


def pixel_size(season: xr.Dataset) -> float | None:
    """The side of a pixel on the ground in metres; None for a season of one pixel.

    Of pixels that are not square it is the side of a square of their area. A metre of the grid is a
    metre on the ground within a percent, except in projections such as Web Mercator: there the side
    is corrected (``ground_area``).
    """
    steps = []
    for axis in ("x", "y"):
        if season.sizes[axis] > 1:
            whole = abs(season[axis][-1] - season[axis][0])
            steps.append(float(whole / (season.sizes[axis] - 1)))
    if not steps:
        return None
    middle = [float(season[axis].values.mean()) for axis in ("x", "y")]
    side = steps[0] if np.allclose(steps, steps[0]) else float(np.prod(steps) ** 0.5)
    return side * ground_area(season.rio.crs, *middle) ** 0.5


def ground_area(crs: object, x: float, y: float) -> float:
    """How many square metres on the ground a square metre of the grid is at (x, y).

    1 where it is so within a percent, as in UTM, and without a CRS. Web Mercator has 0.37 in
    Brandenburg.
    """
    if crs is None:
        return 1.0
    grid = CRS.from_user_input(crs)
    if grid.geodetic_crs is None or not grid.is_projected:
        return 1.0
    to_degrees = Transformer.from_crs(grid, grid.geodetic_crs, always_xy=True)
    longitude, latitude = to_degrees.transform(x, y)
    scale = Proj(grid).get_factors(longitude, latitude).areal_scale
    return 1.0 if not np.isfinite(scale) or abs(scale - 1) < 0.01 else 1 / scale


def quantity(season: xr.Dataset) -> str | None:
    """What the backscatter is, ``"sigma0"`` or ``"gamma0"``; None where the season does not say."""
    return _stated(season, "quantity")


def simulation(season: xr.Dataset) -> str | None:
    """Which simulated world a season is of (its number); None for a real one."""
    return _stated(season, "simulation")


def _stated(season: xr.Dataset, attribute: str) -> str | None:
    for name in polarisations(season):
        if attribute in season[name].attrs:
            return str(season[name].attrs[attribute])
    return None


# ---------------------------------------------------------------------------------------- checking


def check_season(season: xr.Dataset, scale: Scale | None = None) -> xr.Dataset:
    """Return the season with its backscatter as linear power, or raise SeasonError naming the first
    thing that is wrong with it.

    ``scale`` says what the numbers are; without it the attribute ``units`` is believed, and linear
    power is taken where there is none. What was not measured becomes NaN (``to_power``). Every date
    is looked at by itself, in a window in the middle of the scene (or at other places, if nothing
    is there), so that the check stays cheap on a season larger than memory; a date without data is
    told by a warning.
    """
    _check_dimensions(season)
    scales = {name: scale_of(season[name], scale, name) for name in polarisations(season)}
    _check_times(season)
    _check_grid(season)
    for name in bands(season):
        if name in scales:
            look_at_dates(season[name], scales[name], name, chunk_side(season.sizes["time"]))
        elif not bool(season[name].notnull().any()):
            raise SeasonError(f"'{name}' holds no data: every pixel of every date is NaN.")
    if "crop" in season:
        _check_labels(season)
    changed = {}
    for name, numbers in scales.items():
        band = season[name]
        power = to_backscatter(band, numbers)
        if power is not band:
            changed[name] = power
    return season.assign(changed) if changed else season


def scale_of(band: xr.DataArray, scale: Scale | None, name: str) -> Scale:
    """The scale of a band's numbers: the one given, or what its units say.

    Raises SeasonError for units that are no scale, and for types that are no backscatter.
    """
    check_numbers(band.dtype, band.attrs.get("units", "1"), scale, f"'{name}'")
    if scale is not None:
        return scale
    stated = stated_scale(band.attrs.get("units", "1"))
    assert stated is not None  # check_numbers refuses other units
    return stated


def check_numbers(dtype: np.dtype, units: object, scale: Scale | None, what: str) -> None:
    """Raise SeasonError if numbers of this type and these units cannot be backscatter.

    ``what`` begins the message.
    """
    if scale is not None:
        check_scale(scale)
    if dtype.kind == "c":
        raise SeasonError(
            f"{what} holds complex numbers ({dtype}, single-look complex); expected backscatter: "
            "calibrate and detect it first (power = |value|^2)."
        )
    if dtype.kind not in "iuf":
        raise SeasonError(f"{what} has type {dtype}; expected numbers of backscatter.")
    stated = stated_scale(units)
    if scale is None and stated is None:
        raise SeasonError(
            f"{what} is in {units}; expected linear power (units '1'), amplitude or dB: correct "
            "the attribute, or say what the numbers are with scale= (--scale)."
        )
    if dtype.kind in "iu" and (scale or stated) == "power":
        raise SeasonError(
            f"{what} has type {dtype}; expected float32 linear power: calibrate the digital "
            "numbers, or say what they are with scale= (--scale), such as 'gfmap' for those of "
            "openEO's GFMap and of WorldCereal."
        )


def check_layout(season: xr.Dataset, grid: bool = True) -> None:
    """Raise SeasonError unless bands, units, dates and grid are a season's; no pixel is read.

    ``grid=False`` leaves coordinates and CRS alone, which learning does not need.
    """
    _check_dimensions(season)
    for name in polarisations(season):
        _check_power(season[name], name)
    _check_times(season)
    if grid:
        _check_grid(season)


def _check_dimensions(season: xr.Dataset) -> None:
    named = [name for name in POLARISATIONS if name in season]
    if not (named or bands(season)):
        raise SeasonError(
            f"The season has no band; found {sorted(map(str, season.data_vars))}, expected 'vv' "
            "and 'vh', or other variables with the dimensions ('time', 'y', 'x')."
        )
    for name in (*named, *(other for other in bands(season) if other not in named)):
        if season[name].dims != ("time", "y", "x"):
            raise SeasonError(
                f"'{name}' has dimensions {season[name].dims}; expected ('time', 'y', 'x'): "
                "transpose it."
            )
    if "parcel" in season and season.parcel.dims != ("y", "x"):
        raise SeasonError(f"'parcel' has dimensions {season.parcel.dims}; expected ('y', 'x').")


def _check_power(band: xr.DataArray, name: str) -> None:
    """Raise SeasonError unless a band says that it is linear power, or nothing."""
    units = band.attrs.get("units", "1")
    check_numbers(band.dtype, units, None, f"'{name}'")
    if stated_scale(units) != "power":
        remedy = "radar.from_db" if stated_scale(units) == "dB" else "its square"
        raise SeasonError(
            f"'{name}' is in {units}; expected linear power (units '1'): convert it with {remedy}, "
            "or open the season with cube.open_season."
        )


def _check_times(season: xr.Dataset) -> None:
    time = season["time"].values
    if not np.issubdtype(time.dtype, np.datetime64):
        raise SeasonError(
            f"'time' has type {time.dtype}; expected datetime64 acquisition times: convert with "
            "pandas.to_datetime."
        )
    if np.isnat(time).any():
        raise SeasonError(
            f"Acquisition {int(np.isnat(time).argmax()) + 1} of {len(time)} has no date: give "
            "every date."
        )
    step = np.diff(time) / np.timedelta64(1, "s")
    if (step == 0).any():
        raise SeasonError(
            f"The date {_day(time[1:][step == 0][0])} occurs twice: keep one acquisition a date, "
            "or mosaic them."
        )
    if (step < 0).any():
        raise SeasonError(
            f"The dates are not in order ({_day(time[1:][step < 0][0])} comes late): use "
            "season.sortby('time')."
        )


def _check_grid(season: xr.Dataset) -> None:
    for axis in ("y", "x"):
        if axis not in season.coords:
            raise SeasonError(
                f"The season has no coordinate '{axis}'; expected pixel centres in metres."
            )
        step = np.diff(season[axis].values)
        if len(step) and not np.allclose(step, step[0], rtol=1e-3):
            raise SeasonError(
                f"The '{axis}' coordinates are not evenly spaced: put the season on a regular "
                "grid (rio.reproject)."
            )
    crs = season.rio.crs
    if crs is None:
        raise SeasonError(
            "The season has no coordinate reference system: set one with "
            "season.rio.write_crs('EPSG:...')."
        )
    if not crs.is_projected:
        raise SeasonError(
            f"The season is in {_name_of(crs)} (degrees); expected projected metres: "
            "warp the files (gdalwarp -t_srs), or use season.rio.reproject."
        )
    unit, factor = crs.linear_units_factor
    if abs(factor - 1) > 1e-6:
        raise SeasonError(
            f"The season is in {_name_of(crs)}, whose unit is {unit} ({factor:g} m); expected "
            "projected metres: use season.rio.reproject."
        )


def _name_of(crs: object) -> str:
    """The code of a CRS, such as EPSG:32633, or else its name."""
    known = CRS.from_user_input(crs)
    authority = known.to_authority()
    return ":".join(authority) if authority else known.name


def _check_labels(season: xr.Dataset) -> None:
    crop = season.crop
    if crop.dims != ("y", "x") or not np.issubdtype(crop.dtype, np.integer):
        raise SeasonError(
            f"'crop' is {crop.dtype} {crop.dims}; expected integer class codes with dimensions "
            "('y', 'x')."
        )
    if not {"flag_meanings", "class_names"} & set(crop.attrs):
        return  # a map can be made all the same; who needs the legend asks for it
    crops = legend(season)
    lowest, highest = int(crop.min()), int(crop.where(crop != UNKNOWN, 0).max())
    if lowest < 0 or highest >= len(crops):
        wrong = highest if highest >= len(crops) else lowest
        raise SeasonError(
            f"Class code {wrong} is outside the legend (0 .. {len(crops) - 1}): extend the legend "
            "or recode it."
        )


def _day(time: np.datetime64) -> str:
    return np.datetime_as_string(time, unit="D")
