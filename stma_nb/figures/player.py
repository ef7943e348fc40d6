"""A season as a film of images, with the course of the field or pixel that is pointed at."""

import math
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from stma_nb import radar
from stma_nb.cube import SeasonError, legend, parcel_numbers, parcel_positions, pixel_size
from stma_nb.extras import needs
from stma_nb.figures.chooser import parcel_curves
from stma_nb.figures.component import (
    STATIC,
    Component,
    dates_of,
    named,
    one_of,
    script,
    style,
)
from stma_nb.figures.plots import backscatter, day_of

with needs("course"):
    import traitlets

BANDS = ("vv", "vh")
LAYERS = ("vv", "vh", "ratio", "colour")
LIMIT = 4 * 2**20  # bytes of images sent to a browser
MISSING = 255  # code of a value that is not there


def season_player(season: xr.Dataset, **traits: Any) -> "SeasonPlayer":
    """The scene date by date, and the course of a field or pixel: click it, play, or step.

    The images are VV, VH, their ratio, or the three as red, green and blue, in a scale that holds
    for all dates. With ``parcel`` and ``crop`` the borders of the fields are drawn in the colours
    of their crops, and a click tells of the whole field.

    The traits ``date`` (a position), ``pixel`` (row, column), ``layer`` ("vv", "vh", "ratio",
    "colour"), ``per`` ("field", "pixel") and ``outlines`` follow what is clicked, and can be given.

    The browser gets backscatter in 254 steps between the least and the greatest of each band
    (error below 0.1 dB for 50 dB), means of fields as float32.

    Raises SeasonError if VV or VH is missing, or nothing of it is valid; ValueError for more pixels
    and dates than a page holds (4 MiB).
    """
    absent = [band.upper() for band in BANDS if band not in season]
    if absent:
        raise SeasonError(
            f"The season has no {' and no '.join(absent)}; the player shows VV and VH: give a "
            "season with both."
        )
    dates, rows, columns = (season.sizes[name] for name in ("time", "y", "x"))
    size = 2 * dates * rows * columns
    if size > LIMIT:
        side = math.isqrt(LIMIT // (2 * dates)) // 8 * 8
        raise ValueError(
            f"{rows} x {columns} pixels on {dates} dates are {size / 2**20:.1f} MiB, a page holds "
            f"{LIMIT // 2**20}: cut {side} x {side} pixels or fewer, "
            f"season.isel(y=slice(0, {side}), x=slice(0, {side}))."
        )
    return SeasonPlayer(season.compute(), **traits)


class SeasonPlayer(Component):
    """What ``season_player`` shows."""

    TITLE = "A season, date by date"
    VIEW = ("date", "pixel", "layer", "per", "outlines")
    _esm = script(STATIC / "charts.js", STATIC / "player.js")
    _css = style(STATIC / "pictures.css")
    date = traitlets.Int(0).tag(sync=True)
    pixel = traitlets.Tuple(traitlets.Int(), traitlets.Int()).tag(sync=True)
    layer = traitlets.Unicode("vh").tag(sync=True)
    per = traitlets.Unicode("field").tag(sync=True)
    outlines = traitlets.Bool(True).tag(sync=True)

    def __init__(self, season: xr.Dataset, **traits: Any):
        self._season = season
        shape = season.sizes["y"], season.sizes["x"]
        db = np.stack([radar.to_db(season[band]).values for band in BANDS])
        if not all(np.isfinite(band).any() for band in db):
            raise SeasonError("VV or VH holds no data (all NaN): choose another part of the scene.")
        ranges = [(float(np.nanmin(band)), float(np.nanmax(band))) for band in db]
        self._codes = np.stack([_quantised(*pair) for pair in zip(db, ranges, strict=True)])
        self._ranges = ranges
        layers = {"vv": db[0], "vh": db[1], "ratio": db[0] - db[1]}
        labelled = "parcel" in season and "crop" in season and bool((season.parcel > 0).any())
        self._parcel = np.zeros(shape, "uint16")  # position among the parcels + 1, 0 for none
        self._curves = np.empty((0, 2, season.sizes["time"]), "float32")
        told, classes = [], []
        if labelled:
            curves = parcel_curves(season)
            numbers = parcel_numbers(season.parcel.values)
            self._parcel += (parcel_positions(season.parcel.values, numbers) + 1).astype("uint16")
            self._curves = np.stack([curves[band].values for band in BANDS], axis=1)
            crops = legend(season)
            classes = [*map(named, crops), {"name": "unknown", "colour": "#ffffff"}]
            codes = {crop.name: code for code, crop in enumerate(crops)}
            counts = np.bincount(self._parcel.ravel())[1:]
            for number, crop, pixels in zip(numbers, curves.crop.values, counts, strict=True):
                code = codes.get(str(crop), len(crops))
                told.append({"number": int(number), "crop": code, "pixels": int(pixels)})
        side = pixel_size(season)
        facts = {
            "dates": dates_of(season.time.values),
            "shape": shape,
            "side": f"{shape[1]} pixels" + (f", {shape[1] * side / 1000:.1f} km" if side else ""),
            "range": ranges,
            "limits": {
                name: np.nanpercentile(layer, (2, 98)).tolist() for name, layer in layers.items()
            },
            "usual": np.nanpercentile(self._curves if labelled else db, (1, 99)).tolist(),
            "parcels": told,
            "classes": classes,
        }
        # The widest numbers come first, so that each array starts aligned.
        arrays = self._curves.astype("float32"), self._parcel, self._codes
        super().__init__(
            facts=facts,
            data=b"".join(array.tobytes() for array in arrays),
            **{"pixel": (shape[0] // 2, shape[1] // 2)} | traits,
        )

    @traitlets.validate("layer")
    def _known_layer(self, proposal: Any) -> str:
        return one_of(proposal, LAYERS)

    @traitlets.validate("per")
    def _known_unit(self, proposal: Any) -> str:
        return one_of(proposal, ("field", "pixel"))

    @traitlets.validate("date")
    def _known_date(self, proposal: Any) -> int:
        return one_of(proposal, range(len(self.facts["dates"])))

    @traitlets.validate("pixel")
    def _inside(self, proposal: Any) -> tuple[int, int]:
        row, column = proposal["value"]
        rows, columns = self._parcel.shape
        if not (0 <= row < rows and 0 <= column < columns):
            raise traitlets.TraitError(
                f"Pixel ({row}, {column}) is outside the scene: rows 0 to {rows - 1}, columns 0 to "
                f"{columns - 1}."
            )
        return row, column

    def course(self) -> np.ndarray:
        """Backscatter in dB of the field or pixel chosen, (band, time), bands VV, VH."""
        field = int(self._parcel[self.pixel]) - 1
        if self.per == "field" and field >= 0:
            return self._curves[field]
        codes = self._codes[:, :, *self.pixel]
        low, high = np.array(self._ranges).T[:, :, None]
        return np.where(codes == MISSING, np.nan, low + codes * (high - low) / (MISSING - 1))

    def describe(self) -> str:
        row, column = self.pixel
        field = int(self._parcel[self.pixel]) - 1
        where = "no field"
        if field >= 0:
            told = self.facts["parcels"][field]
            where = f"field {told['number']}, {self.facts['classes'][told['crop']]['name']}"
        what = f"pixel row {row}, column {column}, in {where}"
        if self.per == "field" and field >= 0:
            what = f"{where} ({told['pixels']} pixels)"
        times = self._season.time.values
        vv, vh = self.course()
        said = f"VV {_number(vv[self.date])}, VH {_number(vh[self.date])}."
        if np.isfinite(vh).any():
            low, high = (day_of(times, int(best)) for best in (np.nanargmin(vh), np.nanargmax(vh)))
            said += f" VH is lowest on {low} and highest on {high}."
        return f"{day_of(times, self.date)}: {what}: {said}"

    def figure(self) -> Figure:
        return backscatter(self._season, [self.date])


def _quantised(db: np.ndarray, ends: tuple[float, float]) -> np.ndarray:
    """Codes 0 .. 254 of values between two ends, MISSING for NaN."""
    low, high = ends
    steps = (db - low) / ((high - low) or 1) * (MISSING - 1)
    return np.where(np.isnan(db), MISSING, np.rint(np.nan_to_num(steps))).astype(np.uint8)


def _number(db: float) -> str:
    return f"{db:.1f} dB".replace("-", "−") if np.isfinite(db) else "no data"
