"""Speckle: its statistics, and the filters that are in use for Sentinel-1.

An image is I = sigma0 * n, where the speckle n has mean 1 and variance 1/L; L is the equivalent
number of looks (ENL), 4.4 in a Sentinel-1 GRDH image. A filter estimates sigma0 from a window of w
x w pixels:

* ``boxcar``: the mean of the window;
* ``lee``, ``gamma_map``: less of the mean where the window varies more than speckle does;
* ``refined_lee``: as ``lee``, in the half of the window on the pixel's side of an edge;
* ``quegan_yu``: over the dates, leaving the level of each date to it.

All take and give a DataArray (y, x), or (line, pixel) of a GRD product, or a stack (time, y, x) of
linear power, units "1": means of dB are biased (``db_bias``). Or they take and give a whole season,
of which the polarisations are filtered and all else, other bands, labels and grid, stays. The
result is float32, lazy if the input is, and the same block by block as in one piece: save or load
a lazy one before it is read more than once, or each reading filters anew. Windows hold valid pixels
only: at the border of the scene they shrink, NaN stays NaN and does not spread. z and v below are
the mean and the variance (divided by n) of a window, C_i^2 = v / z^2 and C_u^2 = 1 / L the squared
coefficients of variation of the window and of speckle. Biases and ENL given are measured in
homogeneous areas of 4.4 looks, correlated as in Sentinel-1 (``simulate.speckle``), with windows of
7 x 7 pixels.

The little negative power that noise removal leaves counts in boxcar, lee and refined_lee, which
keep the mean; gamma_map and quegan_yu need power of 0 or more. All filters raise ValueError for
units other than "1" and, when computed, for power out of range; for a window that is even, below 3
or larger than the image; and for looks that are not positive.
"""

import math
from collections.abc import Callable
from functools import lru_cache, partial
from typing import TypeVar

import numpy as np
import xarray as xr
from numpy.lib.stride_tricks import as_strided
from scipy import special

from stma_nb import cube
from stma_nb.radar.backscatter import expect_units

Power = TypeVar("Power", xr.DataArray, xr.Dataset)

# Sentinel-1 IW GRDH: 4.4 in IW1, 4.3 in IW2 and IW3 (Sentinel-1 Product Definition,
# S1-RS-MDA-52-7440)
LOOKS = 4.4
TILE = 288  # pixels: a chunk of a season with its margin in one tile
TINY = np.finfo(np.float32).tiny  # keeps 0 / 0 at 0 where a window holds nothing but zeros


# --------------------------------------------------------------------------------------- statistics


def enl(power: xr.DataArray, block: int = 25) -> xr.DataArray:
    """Equivalent number of looks, mean^2 / variance, in blocks of block x block pixels, per date.

    One number a block: the result is coarse in y and x. A block is right if it is homogeneous, and
    too low if not: over fields, the median or the mode of the blocks estimates the ENL of the
    image. Blocks with less than half of their pixels valid are NaN, an incomplete last row or
    column is left out. Of a filtered image take blocks of ten windows or more: within a small block
    most of the remaining speckle is common.
    """
    _check(power)
    if not 2 <= block <= min(power.shape[-2:]):
        raise ValueError(
            f"The block is {block} pixels; expected 2 to {min(power.shape[-2:])}, "
            "the image's side: change it."
        )
    size = dict.fromkeys(power.dims[-2:], block)
    blocks = power.astype(np.float32).coarsen(size, boundary="trim")
    valid = power.notnull().astype(np.float32).coarsen(size, boundary="trim").mean()
    looks = (blocks.mean() ** 2 / blocks.var()).where(valid >= 0.5)
    return looks.rename("enl").assign_attrs(long_name="equivalent number of looks", units="1")


def independent_samples(
    window: int = 7, pixel: float = 10.0, resolution: tuple[float, float] = (22.5, 20.4)
) -> float:
    """Number of independent samples N in a window, less than its pixels as neighbours correlate.

    2.9, 6.5, 11.5 for 3, 5, 7 pixels of Sentinel-1 GRDH, not 9, 25, 49.

    N = w^4 / sum over all pairs of pixels of their correlation, |sinc(0.886 d / resolution)|^2
    along each axis: that of a rectangular spectrum. pixel and resolution (y = azimuth, x = range)
    in metres, as in ``simulate.speckle``.
    """
    _check_window(window)
    lag = np.arange(1 - window, window)
    count = window - abs(lag)  # pairs of pixels that are ``lag`` apart in a line of the window
    # The correlation is a product of one along y and one along x, and so is its sum over pairs.
    sums = [np.sum(count * np.sinc(0.886 * lag * pixel / res) ** 2) for res in resolution]
    return float(window**4 / math.prod(sums))


def boxcar_enl(window: int = 7, looks: float = LOOKS) -> float:
    """ENL after ``boxcar`` in a homogeneous area: N L, with N = ``independent_samples(window)``."""
    _check_looks(looks)
    return independent_samples(window) * looks


def quegan_yu_enl(dates: int, window: int = 7, looks: float = LOOKS) -> float:
    """ENL after ``quegan_yu`` of M dates in a homogeneous area: M N L / (M + N - 1).

    N is ``independent_samples(window)``. It is L for a single date and never above N L, that of the
    window: more dates help less and less. The variance behind it, 1 / (N L) + (1 - 1 / N) / (M L),
    is that of the formula to first order, for speckle independent from date to date.
    """
    _check_looks(looks)
    if dates < 1:
        raise ValueError(
            f"The number of dates is {dates}; expected 1 or more: "
            "count the acquisitions of the season."
        )
    samples = independent_samples(window)
    return dates * samples * looks / (dates + samples - 1)


def db_bias(looks: float = LOOKS) -> float:
    """Mean of speckle in dB, 10 / ln 10 (psi(L) - ln L): -0.51 dB for 4.4 looks.

    What averaging in dB is too low by.
    """
    _check_looks(looks)
    return float(10 / math.log(10) * (special.digamma(looks) - math.log(looks)))


def db_spread(looks: float = LOOKS) -> float:
    """Standard deviation of speckle in dB, 10 / ln 10 sqrt(psi'(L)): 2.19 dB for 4.4 looks."""
    _check_looks(looks)
    return float(10 / math.log(10) * math.sqrt(special.polygamma(1, looks)))


# ------------------------------------------------------------------------------------------ filters


def boxcar(power: Power, window: int = 7) -> Power:
    """Mean z of the window: no bias, and the ENL rises to N L = 51 (``boxcar_enl``).

    Edges are blurred as wide as the window.
    """
    return _filter(power, _boxcar, window)


def lee(power: Power, window: int = 7, looks: float = LOOKS) -> Power:
    """z + k (I - z), with k = 1 - C_u^2 / C_i^2, and 0 where C_i < C_u (Lee 1980).

    Source: doi 10.1109/TPAMI.1980.4766994. It is the weight that Lopes et al. 1990 (doi
    10.1109/36.62623) call Lee's, and SNAP's: speckle linearised as additive noise. Under the same
    name others divide k by 1 + C_u^2, which is Kuan's filter (1985, doi
    10.1109/TPAMI.1985.4767641), or more. ENL 40, bias below 0.01 dB.
    """
    return _filter(power, partial(_lee, looks=_check_looks(looks)), window)


def refined_lee(power: Power, looks: float = LOOKS) -> Power:
    """``lee`` in a window of 7 x 7 pixels, or at an edge in half of it (Lee 1981).

    Source: doi 10.1016/S0146-664X(81)80018-4. Where C_i > C_u in the whole window, the means of
    nine 3 x 3 windows in it give the steepest of four gradients, and z and v are those of the half
    (28 pixels, the middle line included) on the side whose mean is nearer the central one. C_u
    comes from ``looks``; SNAP estimates it from the calmest small windows: too low where speckle is
    correlated. ENL 29, bias -0.06 dB; -0.4 dB in the mean of a real scene with many bright objects,
    as their neighbours turn away from them.
    """
    return _filter(power, partial(_refined_lee, looks=_check_looks(looks)), 7)


def gamma_map(power: Power, window: int = 7, looks: float = LOOKS) -> Power:
    """Most probable sigma0 if texture and speckle are Gamma distributed (Lopes et al. 1990).

        [(a - L - 1) z + sqrt((a - L - 1)^2 z^2 + 4 a L I z)] / (2 a)
        with a = (1 + C_u^2) / (C_i^2 - C_u^2)

    Source: doi 10.1109/IGARSS.1990.689026. It is z where C_i <= C_u, and I where C_i >= sqrt(2)
    C_u, taken for a point target. ENL 38; bias -0.05 dB: a mode lies below the mean.
    """
    return _filter(power, partial(_gamma_map, looks=_check_looks(looks)), window, least=0)


def quegan_yu(power: Power, window: int = 7) -> Power:
    """Multitemporal filter J_k = E_k / M sum_i I_i / E_i of M dates (Quegan & Yu 2001).

    Source: doi 10.1109/36.964973. E_i is the mean of the window on date i; a date without data at a
    pixel does not count there. This is their simple form, for speckle of one ENL that is
    independent from date to date. What is the same on all dates, an edge, stays sharp; what changes
    is blurred as by ``boxcar``. The ENL rises to ``quegan_yu_enl``, 25 with ten dates; bias -0.02
    dB. Needs dimensions (time, y, x) and two dates or more, else ValueError.
    """
    return _filter(power, _boxcar, window, least=0, whole=_quegan_yu)


def _filter(
    power: Power,
    tile_filter: Callable,
    window: int,
    least: float = -1,
    whole: Callable | None = None,
) -> Power:
    """The tile filter everywhere, by ``_in_tiles``, or by ``whole`` (all dates) if that is given.

    Dask blocks come with the neighbours that the window needs.
    """
    if isinstance(power, xr.Dataset):
        names = cube.polarisations(power)
        if not names:
            raise cube.SeasonError(
                f"The season has no backscatter; it has {', '.join(cube.bands(power)) or 'no band'}"
                f": expected one of {', '.join(cube.POLARISATIONS)}."
            )
        return power.assign(
            {name: _filter(power[name], tile_filter, window, least, whole) for name in names}
        )
    _check(power)
    _check_window(window)
    if whole:
        power = _all_dates(power)
    if window > min(power.shape[-2:]):
        raise ValueError(
            f"The window is {window}, larger than the image {power.shape[-2:]}: "
            "take a smaller window or more pixels."
        )
    block = partial(whole or _in_tiles, tile_filter=tile_filter, window=window, least=least)
    if power.chunks is None:
        return power.copy(deep=False, data=block(power.values))
    depth = {power.ndim - 2: window // 2, power.ndim - 1: window // 2}
    meta = np.empty((0,) * power.ndim, np.float32)
    filtered = power.data.map_overlap(
        block, depth=depth, boundary="none", dtype=np.float32, meta=meta
    )
    return power.copy(deep=False, data=filtered)


def _all_dates(power: xr.DataArray) -> xr.DataArray:
    """The stack with all dates of a pixel in one block; raises ValueError for a single date."""
    if power.sizes.get("time", 1) < 2:
        raise ValueError(
            "Found a single date; expected two or more along 'time': "
            "filter one image with lee or boxcar."
        )
    return power.chunk(time=-1) if power.chunks else power


def _check(power: xr.DataArray) -> None:
    if not isinstance(power, xr.DataArray):
        raise ValueError(
            f"Found a {type(power).__name__}; expected a DataArray of linear power: "
            "give a band, such as season.vh."
        )
    is_image = power.dims[-2:] in (("y", "x"), ("line", "pixel"))
    is_stack_or_single = power.dims[:-2] in ((), ("time",))
    if not (is_image and is_stack_or_single):
        raise ValueError(
            f"'{power.name}' has dimensions {power.dims}; expected (y, x) or (time, y, x): "
            "transpose or select."
        )
    remedy = "convert dB with radar.from_db, or set .attrs['units'] = '1' if it is power"
    expect_units(power, "1", "linear power", remedy)


def _check_window(window: int) -> None:
    if window != int(window) or window < 3 or window % 2 == 0:
        raise ValueError(
            f"The window is {window}; expected an odd number of pixels from 3: "
            "choose 3, 5, 7, 9 ..."
        )


def _check_looks(looks: float) -> float:
    if not 0 < looks < math.inf:
        raise ValueError(
            f"'looks' is {looks}; expected a positive number, {LOOKS} for Sentinel-1 GRDH: "
            "estimate it with enl."
        )
    return looks


# ------------------------------------------------------------------------------ NumPy, tile by tile
#
# A tile is small enough for the processor's cache and has half a window of neighbours around it,
# NaN outside the scene. It is worked on as one flat array, in which the pixel below is ``width``
# places on: sums over windows are sums of a few long slices. The value at a window's upper left
# corner holds for its central pixel; windows that run on into the next row are not read.


def _in_tiles(values: np.ndarray, tile_filter: Callable, window: int, least: float) -> np.ndarray:
    """tile_filter(tile, valid, count, window) of images (..., y, x), put together.

    tile: float32 pixels (y, x) with 0 where there are none; valid: 1 or 0, as tile; count: number
    of valid pixels in each window. Raises ValueError for power below ``least`` or infinite.
    """
    result = np.empty(values.shape, np.float32)
    half = window // 2
    height, width = values.shape[-2:]
    tiles_down = math.ceil(height / TILE)
    tiles_across = math.ceil(width / TILE)
    for *date, down, across in np.ndindex(*values.shape[:-2], tiles_down, tiles_across):
        top = down * TILE
        left = across * TILE
        above = min(top, half)  # the margin that the scene has above the tile, and left of it
        before = min(left, half)
        inner = result[*date, top : top + TILE, left : left + TILE]
        outer = values[*date, top - above : top + TILE + half, left - before : left + TILE + half]
        holes = _check_power(outer, least)
        # The tile has its full margin on all sides; the scene fills a part of it.
        shape = inner.shape[0] + 2 * half, inner.shape[1] + 2 * half
        rows = half - above, half - above + outer.shape[0]
        columns = half - before, half - before + outer.shape[1]
        scene = np.s_[slice(*rows), slice(*columns)]
        tile = np.zeros(shape, np.float32)
        tile[scene] = outer
        valid, count = _inside(shape, rows, columns, window)
        if holes:
            valid = valid.copy()
            valid[scene] = ~np.isnan(outer)
            count = _window_sum(valid.ravel(), shape[1], window)
            tile[valid == 0] = 0
        with np.errstate(divide="ignore", invalid="ignore"):
            flat = tile_filter(tile, valid, count, window)
        # Back to rows and columns: a row starts the tile's whole width after the one above it.
        inner[:] = as_strided(flat, inner.shape, (4 * shape[1], 4))  # 4 bytes a float32
        if holes:
            inner[valid[half:-half, half:-half] == 0] = np.nan
    return result


def _check_power(values: np.ndarray, least: float) -> bool:
    """Whether there are holes (NaN); raises ValueError for power below ``least`` or infinite."""
    low, high = values.min(), values.max()
    holes = bool(np.isnan(low))  # a NaN anywhere makes the minimum NaN: quicker than to look at all
    if holes:
        low, high = np.fmin.reduce(values, axis=None), np.fmax.reduce(values, axis=None)
    if low < least or high == math.inf:
        raise ValueError(
            f"Found power from {low:.3g} to {high:.3g}; expected finite values from {least}, "
            "NaN where there are none: convert dB with radar.from_db, "
            "clip what noise removal left below 0 (.clip(min=0))."
        )
    return holes


@lru_cache(maxsize=32)
def _inside(
    shape: tuple[int, int], rows: tuple[int, int], columns: tuple[int, int], window: int
) -> tuple[np.ndarray, np.ndarray]:
    """valid and count of a tile without holes: the same for all dates and for most tiles."""
    valid = np.zeros(shape, np.float32)
    valid[slice(*rows), slice(*columns)] = 1
    return valid, _window_sum(valid.ravel(), shape[1], window)


def _window_sum(flat: np.ndarray, width: int, window: int) -> np.ndarray:
    """Sums over window x window pixels, as shifted slices added along y, then x."""
    for step in (width, 1):
        n = len(flat) - step * (window - 1)
        total = flat[:n] + flat[step : step + n]
        for shift in range(2 * step, window * step, step):
            total += flat[shift : shift + n]
        flat = total
    return flat


def _centre(tile: np.ndarray, window: int) -> np.ndarray:
    """The image itself, in the order of the windows whose central pixels it holds."""
    corner = (window // 2) * (tile.shape[1] + 1)
    return tile.ravel()[corner : tile.size - corner]


def _shrink(image: np.ndarray, mean: np.ndarray, squares: np.ndarray, looks: float) -> np.ndarray:
    """Lee's weighted mean of a pixel and its window, from the window's mean and mean of squares."""
    variance = np.clip(squares - mean**2, TINY, np.inf)
    weight = np.clip(1 - mean**2 / np.float32(looks) / variance, 0, 1)
    return mean + weight * (image - mean)


# A tile filter takes tile, valid and count (see ``_in_tiles``) and gives a flat array, in which the
# place of a window's upper left corner holds the result for its central pixel.


def _boxcar(tile: np.ndarray, _valid: np.ndarray, count: np.ndarray, window: int) -> np.ndarray:
    return _window_sum(tile.ravel(), tile.shape[1], window) / count


def _lee(
    tile: np.ndarray, valid: np.ndarray, count: np.ndarray, window: int, looks: float
) -> np.ndarray:
    mean = _boxcar(tile, valid, count, window)
    squares = _boxcar(tile**2, valid, count, window)
    return _shrink(_centre(tile, window), mean, squares, looks)


def _gamma_map(
    tile: np.ndarray, valid: np.ndarray, count: np.ndarray, window: int, looks: float
) -> np.ndarray:
    looks = np.float32(looks)
    image = _centre(tile, window)
    mean = _boxcar(tile, valid, count, window)
    squares = _boxcar(tile**2, valid, count, window)
    variation = squares / np.clip(mean**2, TINY, np.inf) - 1  # C_i^2
    # The formula in t = 1 / a, which is 0 up to C_u: there it gives z, and nothing is divided by 0.
    t = np.clip(variation - 1 / looks, 0, np.inf) / (1 + 1 / looks)
    half = mean * (1 - (looks + 1) * t) / 2
    result = half + np.sqrt(half**2 + looks * t * image * mean)
    np.copyto(result, image, where=variation >= 2 / looks)
    return result


def _quegan_yu(values: np.ndarray, tile_filter: Callable, window: int, least: float) -> np.ndarray:
    result = _in_tiles(values, tile_filter, window, least)
    ratio = np.zeros(values.shape[1:], np.float32)  # one array for all dates
    ratios = np.zeros_like(ratio)  # their sum
    missing = np.zeros_like(ratio)  # number of dates
    for image, mean in zip(values, result, strict=True):
        with np.errstate(invalid="ignore"):
            np.divide(image, mean, out=ratio, casting="same_kind")
        # NaN is a date without data, or 0 / 0 in a window of zeros, which says nothing either.
        if np.isnan(ratio.min()):
            missing += np.isnan(ratio)
            np.nan_to_num(ratio, copy=False)
        ratios += ratio
    result *= ratios / np.maximum(len(values) - missing, 1)
    return result


# A shape in a window of 7 x 7: first column and length of its run of pixels in each row.
WHOLE = [(0, 7)] * 7
LEFT = [(0, 4)] * 7
RIGHT = [(3, 4)] * 7
ABOVE = [(0, 7)] * 4 + [(0, 0)] * 3
BELOW = [(0, 0)] * 3 + [(0, 7)] * 4
UPPER_RIGHT = [(row, 7 - row) for row in range(7)]
LOWER_LEFT = [(0, row + 1) for row in range(7)]
UPPER_LEFT = [(0, 7 - row) for row in range(7)]
LOWER_RIGHT = [(6 - row, row + 1) for row in range(7)]
# The two 3 x 3 windows (row, column of nine) across an edge, and the half of the window on the side
# of each.
EDGES = (
    ((1, 0), (1, 2), LEFT, RIGHT),
    ((0, 2), (2, 0), UPPER_RIGHT, LOWER_LEFT),
    ((0, 1), (2, 1), ABOVE, BELOW),
    ((0, 0), (2, 2), UPPER_LEFT, LOWER_RIGHT),
)
HALVES = [half for *_, one, other in EDGES for half in (one, other)]


def _refined_lee(
    tile: np.ndarray, valid: np.ndarray, count: np.ndarray, window: int, looks: float
) -> np.ndarray:
    width = tile.shape[1]
    n = len(count)
    half = _half_beside_edge(tile, valid, n)
    runs = [_runs(quantity.ravel()) for quantity in (valid, tile, tile**2)]
    sums = [_shape_sum(run, WHOLE, width, n) for run in runs]
    mean = sums[1] / count
    squares = sums[2] / count
    half[squares - mean**2 <= mean**2 / np.float32(looks)] = -1  # C_i <= C_u: no more than speckle
    for number, shape in enumerate(HALVES):
        for chosen, run in zip(sums, runs, strict=True):
            np.copyto(chosen, _shape_sum(run, shape, width, n), where=half == number)
    count, total, squares = sums
    return _shrink(_centre(tile, window), total / count, squares / count, looks)


def _half_beside_edge(tile: np.ndarray, valid: np.ndarray, n: int) -> np.ndarray:
    """Which of the ``HALVES`` each of n windows is on, by its steepest edge; -1: the whole."""
    width = tile.shape[1]
    small = _boxcar(tile, valid, _window_sum(valid.ravel(), width, 3), 3)
    # The nine 3 x 3 windows lie 2 pixels apart, so they overlap by one row or column.
    nine = {}
    for row in range(3):
        for column in range(3):
            nine[row, column] = small[2 * (row * width + column) :][:n]
    steepest = np.zeros(n, np.float32)
    half = np.full(n, -1, np.int8)
    for number, (one, other, *_) in enumerate(EDGES):
        gradient = abs(nine[one] - nine[other])
        steeper = gradient > steepest  # never if it is NaN, with nothing valid on one side
        np.copyto(steepest, gradient, where=steeper)
        on_other_side = abs(nine[one] - nine[1, 1]) >= abs(nine[1, 1] - nine[other])
        np.copyto(half, 2 * number + on_other_side.astype(np.int8), where=steeper)
    return half


def _runs(flat: np.ndarray) -> list[np.ndarray]:
    """Sums of 0 .. 7 pixels in a row; there is none of 0."""
    runs = [flat[:0], flat]
    for length in range(2, 8):
        runs.append(runs[-1][:-1] + flat[length - 1 :])
    return runs


def _shape_sum(
    runs: list[np.ndarray], shape: list[tuple[int, int]], width: int, n: int
) -> np.ndarray:
    """Sums over the shape in each of n windows: its runs, one a row of the window."""
    parts = []
    for row, (first, length) in enumerate(shape):
        if length:
            parts.append(runs[length][row * width + first :][:n])
    total = parts[0] + parts[1]
    for part in parts[2:]:
        total += part
    return total
