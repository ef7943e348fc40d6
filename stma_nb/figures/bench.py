"""A bench on which speckle is made and filtered, and the filter's gain and cost are measured."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from stma_nb import radar, simulate
from stma_nb.extras import needs
from stma_nb.figures.component import STATIC, Component, one_of, script, style
from stma_nb.figures.lessons.common import PIXELS, db_images
from stma_nb.simulate.instrument import AZIMUTH, RANGE
from stma_nb.simulate.landscape import PIXEL

with needs("course"):
    import traitlets

SIDE = 128  # pixels of the scene
BOX = (8, 84, 8, 52)  # rows and columns of the homogeneous area: top, bottom, left, right
EDGE = {"row": 44, "left": 44, "width": 40, "lines": 1024}  # the columns about the edge, repeated
POINT = (112, 96)  # row and column of the point target
FILTERS = {
    "none": "none",
    "boxcar": "boxcar",
    "lee": "Lee",
    "decibels": "boxcar on decibels (wrong)",
}


def speckle_bench(contrast: float = 6.0, **traits: Any) -> "SpeckleBench":
    """Two fields with an edge between them and a third with a point target, under fresh speckle.

    The reader sets looks, filter and window; ENL in a box, change of its mean and width of the edge
    follow. Backscatter is -20 dB in the first field, ``contrast`` dB more in the second, -17 dB in
    the third, blurred as Sentinel-1 does (``simulate.respond``). The traits ``looks`` (1 .. 16),
    ``filter`` ("none", "boxcar", "lee", "decibels": the boxcar of values in dB), ``window`` (3, 5,
    .. 11), ``correlated`` and ``seed`` can be given. Filters are those of ``radar``. The browser
    draws numbers of its own, so its speckle is another one than that of the still figure.

    Raises ValueError for a contrast that is not between 1 and 20 dB.
    """
    if not 1 <= contrast <= 20:
        raise ValueError(f"The contrast is {contrast} dB; expected 1 to 20: change it.")
    return SpeckleBench(_scene(contrast), **traits)


class SpeckleBench(Component):
    """What ``speckle_bench`` shows; the browser gets the true scene as float32 power."""

    TITLE = "Speckle and filters"
    VIEW = ("looks", "filter", "window", "correlated", "seed")
    _esm = script(STATIC / "charts.js", STATIC / "bench.js")
    _css = style(STATIC / "pictures.css")
    looks = traitlets.Float(radar.LOOKS, min=1, max=16).tag(sync=True)
    filter = traitlets.Unicode("boxcar").tag(sync=True)
    window = traitlets.Int(7).tag(sync=True)
    correlated = traitlets.Bool(True).tag(sync=True)
    seed = traitlets.Int(0, min=0).tag(sync=True)

    def __init__(self, truth: np.ndarray, **traits: Any):
        self._truth = truth
        facts = {
            "shape": truth.shape,
            "box": BOX,
            "edge": EDGE,
            "point": POINT,
            # Independent samples a pixel, down and across: that of the instrument's resolution.
            "shares": [0.886 * PIXEL / resolution for resolution in (AZIMUTH, RANGE)],
        }
        super().__init__(facts=facts, data=truth.astype("float32").tobytes(), **traits)

    @traitlets.validate("filter")
    def _known_filter(self, proposal: Any) -> str:
        return one_of(proposal, list(FILTERS))

    @traitlets.validate("window")
    def _known_window(self, proposal: Any) -> int:
        return one_of(proposal, (3, 5, 7, 9, 11))

    def images(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The scene with speckle, the same filtered, and the filtered lines across the edge."""
        rng = np.random.default_rng(self.seed)

        def speckled(power: np.ndarray) -> np.ndarray:
            if self.correlated:
                return power * simulate.speckle(power.shape, self.looks, rng)
            return power * rng.gamma(self.looks, 1 / self.looks, power.shape)

        left, width = EDGE["left"], EDGE["width"]
        line = self._truth[EDGE["row"], left : left + width]
        noisy = speckled(self._truth)
        return (
            noisy,
            self.filtered(noisy),
            self.filtered(speckled(np.tile(line, (EDGE["lines"], 1)))),
        )

    def filtered(self, power: np.ndarray) -> np.ndarray:
        """An image through the filter that is chosen."""
        image = xr.DataArray(power, dims=("y", "x"), attrs={"units": "1"})
        if self.filter == "boxcar":
            return radar.boxcar(image, self.window).values
        if self.filter == "lee":
            return radar.lee(image, self.window, self.looks).values
        if self.filter == "decibels":
            in_db = image.copy(data=radar.to_db(power) + 100)  # filters take what is positive
            return 10 ** ((radar.boxcar(in_db, self.window).values - 100) / 10)
        return power

    def measures(self, noisy: np.ndarray, image: np.ndarray, strip: np.ndarray) -> dict[str, float]:
        """What the browser tells of such ``images``: ``before`` and ``enl`` (of the box), ``bias``
        (dB), ``edge`` and ``least`` (pixels), ``point`` (dB).
        """
        top, bottom, left, right = BOX
        before, after = (power[top:bottom, left:right] for power in (noisy, image))
        line = self._truth[EDGE["row"], EDGE["left"] : EDGE["left"] + EDGE["width"]]
        return {
            "before": before.mean() ** 2 / before.var(),
            "enl": after.mean() ** 2 / after.var(),
            "bias": 10 * np.log10(after.mean() / before.mean()),
            "edge": edge_width(strip.mean(0)),
            "least": edge_width(line),
            "point": 10 * np.log10(image[POINT] / noisy[POINT]),
        }

    def describe(self) -> str:
        return self.summary(self.measures(*self.images()))

    def summary(self, found: dict[str, float]) -> str:
        """The sentence that the browser writes of such ``measures``."""
        edge = (
            f"Width of the edge (10 to 90 % of the step): {_wide(found['edge'])}; by the "
            f"instrument alone {_wide(found['least'])}."
        )
        if self.filter == "none":
            return (
                f"No filter: ENL {found['enl']:.1f} in the box, of speckle with {self.looks:.1f} "
                f"looks. {edge}"
            )
        name = FILTERS[self.filter]
        said = (
            f"{name[0].upper()}{name[1:]}, {self.window} × {self.window} pixels: ENL from "
            f"{found['before']:.1f} to {found['enl']:.1f} in the box, its mean changes by "
            f"{found['bias']:.2f} dB. {edge} The point target changes by {found['point']:.1f} dB."
        )
        return said.replace("-", "−")

    def figure(self) -> Figure:
        noisy, image, _ = self.images()
        shown = [radar.to_db(power) for power in (noisy, image)]
        return db_images(shown, ["with speckle", "filtered"], -26, -8, PIXELS)


def edge_width(profile: np.ndarray) -> float:
    """Pixels between 10 and 90 % of the step of a profile that rises in its middle, interpolated.

    The levels are the means of its first and last eight pixels. NaN where it does not reach them.
    """
    low, high = profile[:8].mean(), profile[-8:].mean()
    share = (profile - low) / (high - low)
    middle = len(share) // 2
    below = np.flatnonzero(share[:middle] < 0.1)
    above = np.flatnonzero(share[middle:] > 0.9)
    if len(below) == 0 or len(above) == 0:
        return float("nan")
    a, b = int(below[-1]), middle + int(above[0])
    start = a + (0.1 - share[a]) / (share[a + 1] - share[a])
    end = b - 1 + (0.9 - share[b - 1]) / (share[b] - share[b - 1])
    return float(end - start)


def _wide(pixels: float) -> str:
    return f"{pixels:.1f} pixels" if np.isfinite(pixels) else "wider than 40 pixels"


def _scene(contrast: float) -> np.ndarray:
    """True power (SIDE, SIDE) as the instrument resolves it."""
    db = np.full((SIDE, SIDE), -20.0)
    db[:, SIDE // 2 :] += contrast
    db[96:] = -17
    db[POINT] = 12
    return np.asarray(simulate.respond(10 ** (db / 10)))
