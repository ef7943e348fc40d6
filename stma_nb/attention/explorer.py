"""Where does the network look? An explorer of the attention in one patch, in the notebook or as one
file that works offline.

All data go to the browser once, as bytes, so that moving over the picture asks nothing of Python.
They are rounded on the way:

* spatial weights to 1/255 of the largest weight of the same head and query (error at most 1/510 of
  that weight);
* cross-scale similarities to 1/127 of the largest of the same query in size (error at most 1/254 of
  it);
* temporal weights to 1/65535 (error at most 8e-6); backscatter to 1/65534 of the range in the patch
  (below 0.001 dB for 60 dB).

Attention tells where the network looked, not what decided: what it read there, and what it made of
it, is another question.
"""

import base64
import io
from collections.abc import Collection, Sequence
from html import escape
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import torch
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from stma_nb import radar
from stma_nb.attention.inputs import check_attends, check_legend
from stma_nb.cube import POLARISATIONS, UNKNOWN
from stma_nb.extras import needs
from stma_nb.figures import colour_map, html_image, literal
from stma_nb.files import refuse_existing
from stma_nb.patches import Scaling, network_input, read_window, window_at, without_data
from stma_nb.train import Trained, check_fits, device_of

with needs("course"):
    import anywidget
    import traitlets

STATIC = Path(__file__).parent
LIMIT = 32 * 2**20  # bytes sent to a browser
NONE = UNKNOWN  # class code of a pixel without data or label
UNKNOWN = 65535  # code of a value that is missing
VIEW = ("pixel", "level", "head", "date", "layer", "opacity", "locked")  # Python tells the browser
# Bands are told apart by colour-blind readers, and by markers and dashes, too.
COLOURS = {"vv": "#0072b2", "vh": "#d55e00", "hh": "#0072b2", "hv": "#d55e00"}
OTHERS = ("#009e73", "#cc79a7", "#882255", "#332288", "#999933")
STYLES = ("s--", "o-", "^-.", "d:")


class AttentionExplorer(anywidget.AnyWidget):
    """One patch of a season: point at a pixel and see which pixels and which dates the network
    attends to.

    Args:
        trained: network, scaling and legend; the network in evaluation mode.
        season: season cube with the network's dates; ``crop`` is optional.
        row, column: upper left corner of the patch in the season.
        levels: levels whose spatial maps are sent; fewer for a large patch.
        allow: what may be otherwise than in training (``train.check_fits``).

    These traits can be read and set, and follow what is clicked; rows and columns are those of the
    season: ``pixel`` (row, column); ``level`` 1, 2, 3 or "cross"; ``head`` 1 .. heads, 0 for their
    mean; ``date`` as position (a text such as "2018-05-25" is turned into it); ``layer`` the name
    of a band ("vh", "vv"), "label" or "prediction"; ``opacity`` 0 .. 1; ``locked`` a pixel to
    compare with, or None.

    Raises ValueError if season and network do not fit, the patch leaves the scene or holds no data,
    the network is in training mode, or the maps are larger than 32 MB; setting a trait to what does
    not exist raises traitlets.TraitError.
    """

    _esm = STATIC / "explorer.js"
    _css = STATIC / "explorer.css"
    data = traitlets.Bytes().tag(sync=True)
    facts = traitlets.Dict().tag(sync=True)
    pixel = traitlets.Tuple(traitlets.Int(), traitlets.Int()).tag(sync=True)
    locked = traitlets.Tuple(
        traitlets.Int(), traitlets.Int(), allow_none=True, default_value=None
    ).tag(sync=True)
    level = traitlets.Any(1).tag(sync=True)
    head = traitlets.Int(1).tag(sync=True)
    date = traitlets.Any(0).tag(sync=True)
    layer = traitlets.Unicode("vh").tag(sync=True)
    opacity = traitlets.Float(0.6, min=0, max=1).tag(sync=True)

    def __init__(
        self,
        trained: Trained,
        season: xr.Dataset,
        row: int = 0,
        column: int = 0,
        levels: tuple[int, ...] = (1, 2, 3),
        allow: Collection[str] = (),
        **traits: Any,
    ):
        patch = trained.model.arguments["patch"]
        _check(trained, season, row, column, levels, allow)
        window = window_at((row, column), patch)
        values = read_window(season, trained.scaling.bands, window)
        empty = without_data(values)
        if empty.all():
            raise ValueError(
                f"The patch at row {row}, column {column} holds no data (all NaN): choose another "
                "row or column."
            )
        x = torch.from_numpy(network_input(values, trained.scaling))[None]
        with torch.inference_mode():
            main, *_, maps = trained.model(x.to(device_of(trained.model)), return_attention=True)
        prediction = main[0].argmax(0).cpu().numpy()
        labelled = _labelled(season)
        label = np.asarray(season.crop.data[window]) if labelled else NONE
        self._arrays = _pack_attention(maps, levels)
        self._arrays["bands"], bands = _pack_bands(values, trained.scaling)
        for name, codes in (("prediction", prediction), ("label", label)):
            self._arrays[name] = np.where(empty, NONE, codes).astype(np.uint8)
        data, where = b"", {}
        # The widest numbers come first, so that each array starts aligned.
        for name, array in sorted(self._arrays.items(), key=lambda item: -item[1].itemsize):
            where[name] = [len(data), array.size]
            data += array.tobytes()
        facts = {
            "patch": patch,
            "row": row,
            "column": column,
            "heads": trained.model.arguments["heads"],
            "levels": list(levels),
            "dates": np.datetime_as_string(season.time.values, unit="D").tolist(),
            "bands": bands,
            "labelled": labelled,
            "classes": [{"name": crop.name, "colour": crop.colour} for crop in trained.crops],
            "arrays": where,
        }
        self._crops = trained.crops
        centre = (row + patch // 2, column + patch // 2)
        super().__init__(
            **{
                "data": data,
                "facts": facts,
                "pixel": centre,
                "level": levels[0],
                "layer": bands[0]["name"],
            }
            | traits
        )

    @traitlets.validate("pixel", "locked", "level", "head", "layer", "date")
    def _exists(self, proposal: Any) -> Any:
        name, value, f = proposal.trait.name, proposal.value, self.facts
        rows, columns = (range(f[key], f[key] + f["patch"]) for key in ("row", "column"))
        if name in ("pixel", "locked"):
            if value is None or (value[0] in rows and value[1] in columns):
                return value
            raise traitlets.TraitError(
                f"Pixel {value} is outside the patch: rows {rows[0]} to {rows[-1]}, columns "
                f"{columns[0]} to {columns[-1]}."
            )
        if name == "date" and str(value)[:10] in f["dates"]:
            return f["dates"].index(str(value)[:10])
        layers = [band["name"] for band in f["bands"]]
        layers += ["label"] if f["labelled"] else []
        layers += ["prediction"]
        known = {
            "level": [*f["levels"], "cross"],
            "head": range(f["heads"] + 1),
            "layer": layers,
            "date": range(len(f["dates"])),
        }[name]
        if value not in known or isinstance(value, bool):
            also = f" or an acquisition date such as {f['dates'][0]!r}" if name == "date" else ""
            raise traitlets.TraitError(
                f"{name} is {value!r}; choose one of {', '.join(map(repr, known))}{also}."
            )
        return value

    def spatial(self, pixel: tuple[int, int] | None = None) -> np.ndarray:
        """Weights (rows, columns) that the cell of a pixel gives to all cells, at the present level
        and head, as rounded.
        """
        f, cross = self.facts, self.level == "cross"
        size = 4 if self.level == 1 else 8
        side = f["patch"] // size
        row, column = (
            (p - f[key]) // size
            for p, key in zip(pixel or self.pixel, ("row", "column"), strict=True)
        )
        codes, scale = (
            self._arrays[f"{what}{self.level}"][:, row * side + column].astype(float)
            for what in ("spatial", "scale")
        )
        weights = (
            (codes - 128) * (scale[:, None] / 127) if cross else codes * (scale[:, None] / 255)
        )
        return (
            weights.sum(0) / len(weights) if cross or not self.head else weights[self.head - 1]
        ).reshape(side, side)

    def temporal(self) -> np.ndarray:
        """Weights (T asking, T answering dates): one map for the whole patch, since a date asks
        with all its pixels.
        """
        weights = self._arrays[f"temporal{self._time_level()}"] / 65535
        return weights[self.head - 1] if self.head else weights.sum(0) / len(weights)

    def _time_level(self) -> int:
        return self.facts["levels"][0] if self.level == "cross" else self.level

    def describe(self, pixel: tuple[int, int] | None = None) -> str:
        """In words: what a pixel is, which cells it looks at (level and head as set), and which
        dates receive most.
        """
        f, (row, column), cross = self.facts, pixel or self.pixel, self.level == "cross"
        inside = (row - f["row"], column - f["column"])
        label, mapped = (self._name(self._arrays[name][inside]) for name in ("label", "prediction"))
        weights = self.spatial((row, column))
        side, count, size = len(weights), weights.size, f["patch"] // len(weights)
        order = np.argsort(-weights, axis=None, kind="stable")

        def place(cell: int) -> str:
            top, left = f["row"] + cell // side * size, f["column"] + cell % side * size
            own = (inside[0] // size, inside[1] // size) == divmod(cell, side)
            where = (
                "its own cell"
                if own
                else f"rows {top}–{top + size - 1}, columns {left}–{left + size - 1}"
            )
            value = weights.flat[cell]
            cosine = f"cosine {np.floor(100 * value + 0.5) / 100:.2f}"
            return f"{where} ({cosine if cross else percent(value)})"

        head = f"head {self.head}" if self.head else "the mean of the heads"
        if cross:
            looks = (
                f"across scales its level 1 is most like level 2 at {place(order[0])}, least "
                f"at {place(order[-1])}"
            )
        elif weights.max() < 1.5 / count:
            looks = (
                f"level {self.level}, {head} looks at all {count} cells nearly alike (at most "
                f"{percent(weights.max())} each)"
            )
        else:
            classes = self._arrays["label" if f["labelled"] else "prediction"]
            share = np.zeros(NONE + 1)
            np.add.at(share, classes, weights.repeat(size, 0).repeat(size, 1) / size**2)
            best = int(share[:NONE].argmax())
            spread = np.exp(-np.sum(weights * np.log(np.where(weights > 0, weights, 1))))
            looks = (
                f"level {self.level}, {head} looks mostly at {place(order[0])} and "
                f"{place(order[1])}, with {percent(share[best])} "
                f"of the weight on {self._name(best)}; it spreads as over {spread:.0f} of {count} "
                "cells"
            )
        received, dates = self.temporal().sum(0) / len(f["dates"]), f["dates"]
        first, second = np.argsort(-received, kind="stable")[:2]
        who = f"{label}, mapped as {mapped}" if f["labelled"] else f"mapped as {mapped}"
        return (
            f"Pixel row {row}, column {column} ({who}): {looks}. In time, level "
            f"{self._time_level()}, {head}: {dates[first]} and "
            f"{dates[second]} receive most ({percent(received[first])} and "
            f"{percent(received[second])}; even would be "
            f"{percent(1 / len(dates))}), the same for the whole patch."
        )

    def _name(self, code: int) -> str:
        return "no data" if code == NONE else self.facts["classes"][code]["name"]

    def _band_values(self) -> np.ndarray:
        """Values (bands, T, P, P) of the patch as they went to the browser."""
        codes = self._arrays["bands"]
        values = np.full(codes.shape, np.nan)
        for number, band in enumerate(self.facts["bands"]):
            known = codes[number] != UNKNOWN
            values[number][known] = band["low"] + band["step"] * codes[number][known]
        return values

    def figure(self) -> Figure:
        """The present view as a still figure: image and spatial map; temporal weights over the
        pixel's backscatter.
        """
        f, (row, column) = self.facts, self.pixel
        weights = self.spatial()
        cross = self.level == "cross"
        names = [band["name"] for band in f["bands"]]
        values = self._band_values()  # (bands, T, P, P)
        figure = Figure(figsize=(10.5, 4.4), layout="constrained")
        scene, right = figure.subplots(1, 2, width_ratios=(1, 1.3))
        left, top = f["column"] - 0.5, f["row"] - 0.5
        place = dict(
            extent=(left, left + f["patch"], top + f["patch"], top), interpolation="nearest"
        )
        if self.layer in names:
            scene.imshow(values[names.index(self.layer), self.date], cmap="gray", **place)
        else:
            colours, norm = colour_map(self._crops)
            scene.imshow(self._arrays[self.layer], cmap=colours, norm=norm, **place)
        # A map that is even is not to look bright.
        high = max(np.abs(weights).max(), 2 / weights.size)
        look = dict(cmap="PuOr_r", vmin=-high) if cross else dict(cmap="viridis", vmin=0)
        shown = scene.imshow(weights, vmax=high, alpha=self.opacity, **look, **place)
        scene.plot(
            column,
            row,
            "s",
            markersize=8,
            markerfacecolor="none",
            markeredgecolor="white",
            markeredgewidth=2,
        )
        what = (
            "cosine similarity across scales"
            if cross
            else f"spatial attention, level {self.level}, head {self.head or 'mean'}"
        )
        figure.colorbar(
            shown,
            ax=scene,
            location="bottom",
            shrink=0.9,
            label=what,
            format=None if cross else PercentFormatter(1),
        )
        scene.set(
            title=f"Pixel row {row}, column {column}; {f['dates'][self.date]}",
            xlabel="column",
            ylabel="row",
        )
        right.bar(f["dates"], 100 * self.temporal().mean(0), color="0.8")
        right.set_ylabel("temporal weight received (%)")
        right.tick_params(axis="x", rotation=70, labelsize=8)
        curve = right.twinx()
        unit = f["bands"][0]["unit"]
        for number, band in enumerate(f["bands"]):
            if band["unit"] != unit:
                continue  # one axis, one unit
            curve.plot(
                f["dates"],
                values[number, :, row - f["row"], column - f["column"]],
                STYLES[number % len(STYLES)],
                color=band["colour"],
                markersize=4,
                label=literal(band["label"]),
            )
        curve.set_ylabel("backscatter (dB)" if unit == "dB" else f"value ({unit})")
        curve.legend(frameon=False, ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1))
        return figure

    def to_png(self) -> bytes:
        """The figure as PNG."""
        png = io.BytesIO()
        self.figure().savefig(png, format="png", dpi=120)
        return png.getvalue()

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict, dict]:
        # Where the widget does not live, a picture and the sentence stand in its place.
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        text = self.describe()
        return {
            **data,
            "text/plain": text,
            "text/html": f"{html_image(self.figure(), text)}<p>{escape(text)}</p>",
        }, metadata

    def _ipython_display_(self, **kwargs: Any) -> None:
        # ipywidgets 7 shows itself by this method and would pass over the mime bundle; with
        # ipywidgets 8 it does no harm.
        with needs("course"):
            from IPython.display import display

        data, metadata = self._repr_mimebundle_()
        display(data, metadata=metadata, raw=True)

    def save_html(self, path: str | Path, overwrite: bool = False) -> Path:
        """Write the explorer as one HTML file that needs no kernel and no network; FileExistsError
        if it is there already.
        """
        path = Path(path)
        refuse_existing(path, overwrite)
        template = (STATIC / "explorer.html.j2").read_text("utf-8")
        page = jinja2.Template(template, autoescape=True).render(
            style=(STATIC / "explorer.css").read_text("utf-8"),
            script=(STATIC / "explorer.js").read_text("utf-8"),
            state={"facts": self.facts} | {name: getattr(self, name) for name in VIEW},
            data=base64.b64encode(self.data).decode(),
            text=self.describe(),
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, "utf-8")
        return path


def percent(share: float) -> str:
    """A share as text, with two digits: 0.237 is "24 %", 0.0231 is "2.3 %"."""
    value = 100 * share
    return (
        f"{np.floor(value + 0.5):.0f} %"
        if value >= 9.95
        else f"{np.floor(10 * value + 0.5) / 10:.1f} %"
    )


def _labelled(season: xr.Dataset) -> bool:
    return "crop" in season and "flag_meanings" in season.crop.attrs


def _check(
    trained: Trained,
    season: xr.Dataset,
    row: int,
    column: int,
    levels: tuple[int, ...],
    allow: Collection[str],
) -> None:
    check_attends(trained.model)
    if trained.model.training:
        raise ValueError(
            "The network is in training mode, where dropout makes its maps random: call "
            "trained.model.eval() first."
        )
    check_fits(trained, season, allow)
    patch = trained.model.arguments["patch"]
    rows, columns = season.sizes["y"], season.sizes["x"]
    if not (0 <= row <= rows - patch and 0 <= column <= columns - patch):
        raise ValueError(
            f"A patch of {patch} x {patch} pixels at row {row}, column {column} leaves the scene "
            f"({rows} x {columns} pixels): choose a row and a column nearer to 0, or a network "
            "with a smaller patch."
        )
    if not levels or not set(levels) <= {1, 2, 3}:
        raise ValueError(f"levels is {levels}; choose from 1, 2, 3.")
    if _labelled(season):
        check_legend(trained, season)
    size = _bytes(trained.model.arguments, levels)
    if size > LIMIT:
        fewer = tuple(level for level in levels if level > 1) or (3,)
        raise ValueError(
            f"The maps of levels {', '.join(map(str, levels))} take {size / 2**20:.0f} MB, a "
            f"browser is sent at most {LIMIT / 2**20:.0f} MB: choose coarser levels "
            f"(levels={fewer}) or a network with a smaller patch."
        )


def _bytes(a: dict, levels: Sequence[int]) -> int:
    """What is sent to the browser: maps of the levels, the cross-scale map, the bands."""
    patch = a["patch"]
    cells = {1: (patch // 4) ** 2, 2: (patch // 8) ** 2, 3: (patch // 8) ** 2}
    spatial = sum(a["heads"] * cells[level] ** 2 for level in levels)
    return spatial + cells[2] ** 2 + 2 * a["bands"] * a["dates"] * patch**2


def _pack_attention(maps: dict, levels: Sequence[int]) -> dict[str, np.ndarray]:
    """Attention weights as sent to the browser, by name."""
    arrays = {}
    weights = {level: maps["spatial"][level - 1] for level in levels} | {"cross": maps["cross"]}
    for level, tensor in weights.items():
        weight = tensor[0].cpu().numpy()  # (heads, N, N)
        largest = np.abs(weight).max(-1)
        steps, zero = (127, 128) if level == "cross" else (255, 0)
        share = weight / np.maximum(largest, 1e-30)[..., None]
        arrays[f"scale{level}"] = largest.astype(np.float32)
        arrays[f"spatial{level}"] = (np.rint(share * steps) + zero).astype(np.uint8)
    for level in levels:
        weight = maps["temporal"][level - 1][0].cpu().numpy()
        arrays[f"temporal{level}"] = np.rint(weight * 65535).astype(np.uint16)
    return arrays


def _pack_bands(values: np.ndarray, scaling: Scaling) -> tuple[np.ndarray, list[dict]]:
    """Values (T, bands, P, P) as codes (bands, T, P, P), and what the page must know of each band.

    Backscatter goes in dB. A code c is low + step * c, UNKNOWN no data.
    """
    codes = np.full(values.swapaxes(0, 1).shape, UNKNOWN, np.uint16)
    bands = []
    for number, name in enumerate(scaling.bands):
        decibel = name in scaling.decibel
        band = radar.to_db(values[:, number]) if decibel else values[:, number]
        known = np.isfinite(band)
        low, high = (float(f(band[known])) if known.any() else 0.0 for f in (np.min, np.max))
        step = (high - low) / (UNKNOWN - 1) or 1.0
        codes[number][known] = np.rint((band[known] - low) / step)
        bands.append(
            {
                "name": name,
                "label": name.upper() if name in POLARISATIONS else name,
                "unit": "dB" if decibel else scaling.units[number],
                "colour": COLOURS.get(name, OTHERS[number % len(OTHERS)]),
                "low": low,
                "step": step,
            }
        )
    return codes, bands
