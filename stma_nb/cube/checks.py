"""What a season is, and the first thing that is wrong with one that is not."""

import numpy as np
import rioxarray  # noqa: F401  (registers the .rio accessor)
import xarray as xr

from stma_nb.cube.classes import SeasonError, legend

CHUNK = 256  # pixels: a chunk on disk holds all dates of CHUNK x CHUNK pixels, as a network needs
POLARISATIONS = ("vv", "vh", "hh", "hv")
ORDER = (
    "vh",
    "vv",
    "hv",
    "hh",
)  # in which a network sees them; the published weights have VH first


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
    """The side of a pixel in the units of the grid (metres); None for a season of one pixel."""
    for axis in ("x", "y"):
        if season.sizes[axis] > 1:
            whole = abs(season[axis][-1] - season[axis][0])
            return float(whole / (season.sizes[axis] - 1))
    return None


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


def check_season(season: xr.Dataset) -> xr.Dataset:
    """Return the season, or raise SeasonError naming the first thing that is wrong with it.

    A polarisation without units is taken for linear power, and says so in the season returned.
    Values are looked at in a window of 256 x 256 pixels in the middle of the scene (in the whole
    scene, block by block, only if nothing finite is there), so that the check stays cheap on a
    season larger than memory.
    """
    check_layout(season)
    _check_values(season)
    if "crop" in season:
        _check_labels(season)
    silent = [name for name in polarisations(season) if "units" not in season[name].attrs]
    if not silent:
        return season
    return season.assign({name: season[name].assign_attrs(units="1") for name in silent})


def check_layout(season: xr.Dataset, grid: bool = True) -> None:
    """Raise SeasonError unless bands, units, dates and grid are a season's; no pixel is read.

    ``grid=False`` leaves coordinates and CRS alone, which learning does not need.
    """
    named = [name for name in POLARISATIONS if name in season]
    if not (named or bands(season)):
        raise SeasonError(
            f"The season has no band; found {sorted(map(str, season.data_vars))}, expected 'vv' "
            "and 'vh', or other variables with the dimensions ('time', 'y', 'x')."
        )
    for name in (*named, *(other for other in bands(season) if other not in named)):
        _check_band(season[name], name)
    _check_times(season)
    if grid:
        _check_grid(season)
    if "parcel" in season and season.parcel.dims != ("y", "x"):
        raise SeasonError(f"'parcel' has dimensions {season.parcel.dims}; expected ('y', 'x').")


def _check_band(band: xr.DataArray, name: str) -> None:
    if band.dims != ("time", "y", "x"):
        raise SeasonError(
            f"'{name}' has dimensions {band.dims}; expected ('time', 'y', 'x'): transpose it."
        )
    if name not in POLARISATIONS:
        return
    if not np.issubdtype(band.dtype, np.floating):
        raise SeasonError(
            f"'{name}' has type {band.dtype}; expected float32 linear power: calibrate the "
            "digital numbers."
        )
    if band.attrs.get("units", "1") != "1":
        raise SeasonError(
            f"'{name}' is in {band.attrs['units']}; expected linear power (units '1'): "
            "convert it with radar.from_db."
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
            f"The season is in {crs.to_string()} (degrees); expected projected metres: use "
            "season.rio.reproject."
        )


def _check_values(season: xr.Dataset) -> None:
    def middle(size: int) -> slice:
        return slice(max(0, size // 2 - CHUNK // 2), size // 2 + CHUNK // 2)

    centre = {axis: middle(season.sizes[axis]) for axis in ("y", "x")}
    for name in bands(season):
        values = season[name].isel(centre).values
        values = values[np.isfinite(values)]
        if not len(values):
            if not bool(np.isfinite(season[name]).any()):
                raise SeasonError(
                    f"'{name}' holds no data: every pixel of every date is NaN. Check the area "
                    "and the nodata value."
                )
        elif name in POLARISATIONS and np.median(values) < 0:
            raise SeasonError(
                f"'{name}' has a median of {np.median(values):.1f}: that looks like dB where "
                "linear power is expected. Convert it with radar.from_db."
            )


def _check_labels(season: xr.Dataset) -> None:
    crop = season.crop
    if crop.dims != ("y", "x") or not np.issubdtype(crop.dtype, np.integer):
        raise SeasonError(
            f"'crop' is {crop.dtype} {crop.dims}; expected integer class codes with dimensions "
            "('y', 'x')."
        )
    if not {"flag_meanings", "class_names"} & set(crop.attrs):
        return  # a map can be made all the same; who needs the legend asks for it
    crops, lowest, highest = legend(season), int(crop.min()), int(crop.max())
    if lowest < 0 or highest >= len(crops):
        wrong = highest if highest >= len(crops) else lowest
        raise SeasonError(
            f"Class code {wrong} is outside the legend (0 .. {len(crops) - 1}): extend the legend "
            "or recode it."
        )


def _day(time: np.datetime64) -> str:
    return np.datetime_as_string(time, unit="D")
