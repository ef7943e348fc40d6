"""What Sentinel-1 does to the backscatter of the ground: angle, resolution, noise and speckle."""

import math
from typing import NamedTuple

import numpy as np
from scipy import fft, ndimage

from stma_nb.simulate.landscape import PIXEL

# Resolution (m) of an IW GRDH image, and by how many pixels its response reaches to either side.
AZIMUTH, RANGE = 22.5, 20.4
REACH = 4


class Track(NamedTuple):
    """From where a pass sees the scene."""

    orbit: int  # relative orbit number
    look: float  # direction in which the radar looks, degrees clockwise from north
    time: str  # of the pass, UTC
    angle: float  # incidence angle in the middle of the scene, degrees


TRACKS = {"ascending": Track(146, 78, "16:50", 39), "descending": Track(95, 282, "05:20", 36)}


def overpasses(
    start: str, end: str, single_from: str | None = None, missing: float = 0.0, seed: int = 0
) -> np.ndarray:
    """Times (datetime64[ns]) at which a track is seen from ``start`` to ``end`` (days, inclusive).

    Every 6 days while two satellites fly, every 12 from ``single_from`` on (as from 23 December
    2021, when Sentinel-1B failed, to Sentinel-1C in 2025); a share ``missing`` of the passes was
    not taken. Raises ValueError if fewer than two are left.
    """
    times = np.arange(np.datetime64(start), np.datetime64(end) + 1, np.timedelta64(6, "D"))
    if single_from:
        times = times[(times < np.datetime64(single_from)) | (np.arange(len(times)) % 2 == 0)]
    taken = np.random.default_rng(seed).permutation(len(times)) >= round(missing * len(times))
    if taken.sum() < 2:
        raise ValueError(
            f"{taken.sum()} pass(es) are left between {start} and {end}; expected at least 2: "
            "give a longer time or fewer missing passes."
        )
    hour = TRACKS["ascending"].time
    return np.array([f"{day}T{hour}" for day in times[taken]], "datetime64[ns]")


def incidence(columns: np.ndarray, width: int, track: Track) -> np.ndarray:
    """Incidence angle (degrees) by column: 17 more over the 250 km of the swath, to far range.

    Far range lies in the east on an ascending track, in the west on a descending one.
    """
    east = math.copysign(1, math.sin(math.radians(track.look)))
    return (track.angle + east * 17 / 250e3 * PIXEL * (columns - width / 2)).astype(np.float32)


def nesz(columns: np.ndarray) -> np.ndarray:
    """Thermal noise (noise equivalent sigma zero) by column: -27 dB, wavy along range; power."""
    db = -27 - 0.7 * np.cos(2 * np.pi * columns * PIXEL / 40e3)
    return (10 ** (db / 10)).astype(np.float32)


def respond(sigma0: np.ndarray) -> np.ndarray:
    """What the instrument resolves of true backscatter (..., azimuth = y, range = x), in power.

    The mean intensity of a pixel is that of its surroundings, weighted with the response that also
    correlates the speckle: |sinc(0.886 d / resolution)|^2. A field edge then takes about four
    pixels.
    """
    distance = PIXEL * np.arange(-REACH, REACH + 1)
    for axis, resolution in ((-2, AZIMUTH), (-1, RANGE)):
        weight = np.sinc(0.886 * distance / resolution) ** 2
        sigma0 = ndimage.convolve1d(sigma0, weight / weight.sum(), axis, mode="nearest")
    return sigma0


def speckle(
    shape: tuple[int, ...], looks: float = 4.4, rng: np.random.Generator | None = None
) -> np.ndarray:
    """Unit-mean intensity speckle of ``shape`` (..., y, x), correlated as in Sentinel-1 at 10 m.

    float32; the leading axes are independent images. A look is complex white noise limited to the
    band of the 20.4 m (range, x) by 22.5 m (azimuth, y) resolution of a GRDH image; the intensity
    is the weighted mean of ceil(looks) looks, the last weighted so that ENL = (sum w)^2 / sum w^2 =
    ``looks``. Neighbouring pixels then correlate by |sinc(0.886 d / resolution)|^2: 0.51 along x,
    0.58 along y. Raises ValueError for fewer than 1 look.
    """
    if not 1 <= looks < math.inf:
        raise ValueError(
            f"'looks' is {looks}; expected a number of at least 1 (4.4 for Sentinel-1 GRDH): "
            "change it."
        )
    rng = rng or np.random.default_rng()
    weights = _look_weights(looks)
    *images, height, width = shape
    # A little larger than asked for: the Fourier series repeats, and opposite edges must not be
    # alike.
    rows = fft.next_fast_len(height + 4)
    columns = fft.next_fast_len(width + 4)
    band = round(0.886 * PIXEL / AZIMUTH * rows), round(0.886 * PIXEL / RANGE * columns)
    weights *= 1 / (weights.sum() * 2 * band[0] * band[1])  # so that the mean intensity is 1
    result = np.empty((math.prod(images), height, width), np.float32)
    for image in result:
        # White noise within the band, nothing outside it: ifft pads with zeros. The band may start
        # at frequency 0, as a shift in frequency changes the phase only.
        pairs = rng.standard_normal((len(weights), *band, 2), np.float32)
        noise = pairs.view(np.complex64)[..., 0]  # (looks, y, x): real and imaginary part
        field = fft.ifft(noise, n=columns, axis=2, norm="forward")[:, :, :width]
        field = fft.ifft(field, n=rows, axis=1, norm="forward")[:, :height]
        np.einsum("l,lyx->yx", weights, field.real**2 + field.imag**2, out=image)
    return result.reshape(shape)


def _look_weights(looks: float) -> np.ndarray:
    """Weights of ceil(looks) looks: 1, but less for the last, so that their ENL is ``looks``."""
    whole = math.ceil(looks) - 1
    weights = np.ones(whole + 1, np.float32)
    if whole:  # the smaller root w of (whole + w)^2 = looks (whole + w^2)
        root = math.sqrt(max(0, whole**2 - (looks - 1) * whole * (looks - whole)))
        weights[-1] = (whole - root) / (looks - 1)
    return weights
