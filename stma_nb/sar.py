"""Units of backscatter: linear power and decibels."""

import numpy as np
import xarray as xr


def to_db(power: xr.DataArray | np.ndarray):
    """Backscatter in dB, 10 log10(power); zero and negative power (noise) becomes NaN, NaN stays NaN.

    A DataArray must have units "1" (linear power), an array is taken as it is; raises ValueError for a DataArray in dB.
    """
    if isinstance(power, xr.DataArray):
        _expect(power, "1", "linear power", "leave it as it is")
        return xr.apply_ufunc(_decibel, power, dask="parallelized", output_dtypes=[power.dtype]).assign_attrs(
            power.attrs | {"units": "dB"}
        )
    return _decibel(power)


def from_db(db: xr.DataArray) -> xr.DataArray:
    """Linear power of backscatter in dB, 10^(dB / 10). Raises ValueError if the units are not "dB"."""
    _expect(db, "dB", "dB", "set .attrs['units'] = 'dB' if that is what the numbers are")
    return (10 ** (db / 10)).astype(db.dtype).assign_attrs(db.attrs | {"units": "1"})


def _decibel(power: np.ndarray) -> np.ndarray:
    return 10 * np.log10(np.where(power > 0, power, np.nan).astype(power.dtype))


def _expect(data: xr.DataArray, units: str, meaning: str, remedy: str) -> None:
    found = data.attrs.get("units", "none")
    if found != units:
        raise ValueError(f"'{data.name}' has units '{found}'; expected '{units}' ({meaning}): {remedy}.")
