"""Class maps on a web map (folium): one layer at a time, errors among them, over a base map.

The page carries Leaflet (folder ``leaflet``), the layers and what controls them; it asks for
nothing but the tiles of the base map. Names of classes and layers may come from anybody's files.
Folium takes all that it is given for a Jinja template, so it is given no name at all: names go into
a page of our own as data.
"""

import base64
import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
import numpy as np
import xarray as xr
from markupsafe import Markup
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from rasterio.warp import transform_bounds

from stma_nb.cube import UNKNOWN, Crop, background
from stma_nb.extras import needs
from stma_nb.figures.plots import html_image, literal

with needs("course"):
    import branca.element
    import folium

STATIC = Path(__file__).parent
MOST_PIXELS = 1500  # longer side of the picture sent to the browser
AGREES, DIFFERS = 0, 1  # codes of a layer of errors
CLEAR = "#ffffff00"


def _text(name: str) -> Markup:
    """A file of this room, as it goes into the page."""
    return Markup((STATIC / name).read_text("utf-8"))


TEMPLATES = jinja2.Environment(
    autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
)
TEMPLATES.globals["text"] = _text


class Entry(NamedTuple):
    """A line of a legend; ``colour`` is #rrggbb or #rrggbbaa."""

    name: str
    colour: str

    @property
    def label(self) -> str:
        return f"{self.name} (clear)" if self.colour == CLEAR else self.name


@dataclass(frozen=True)
class Legend:
    """What the codes 0 .. K-1 mean; the note says what else there is to know."""

    entries: dict[int, Entry]
    note: str

    def paint(self, codes: np.ndarray) -> np.ndarray:
        """Colours (rows, columns, 4) of codes (rows, columns); other codes are clear."""
        table = np.zeros((256, 4), np.uint8)
        for code, entry in self.entries.items():
            table[code] = [*bytes.fromhex(f"{entry.colour[1:]}ff")][:4]
        return table[codes]


@dataclass(frozen=True)
class Layer:
    """Codes (rows, columns) in the projection of web maps, and their bounds there in metres: west,
    south, east, north.
    """

    name: str
    codes: np.ndarray
    bounds: tuple[float, float, float, float]
    legend: Legend


def web_map(
    layers: dict[str, xr.DataArray],
    crops: Sequence[Crop],
    reference: xr.DataArray | None = None,
    title: str = "Crop map",
    tiles: str | None = "OpenStreetMap",
) -> "WebMap":
    """A map (folium) of class layers (y, x) with CRS over a base map; one layer is seen at a time.

    Beside it are a switch for the layers, their opacity and a legend of the classes that occur; a
    box tells the class in every layer under the pointer, the finger, or the cross that keys move.
    The background class and codes outside the legend (nodata, unknown) are clear. Layers larger
    than 1500 pixels are thinned for the browser.

    A ``reference`` on the same grid is a layer, too, and each of ``layers`` gets a layer of errors:
    where both are known and differ.

    ``save(path)`` writes one page, some 180 kB larger than the layers. It works without a
    connection, but for the base map: ``tiles`` is a name that folium knows, such as
    "Esri.WorldImagery", or None. OpenStreetMap may refuse its tiles to a page that is opened from a
    disk. In a notebook a picture of all layers stands where the map cannot run.

    Raises ValueError without a layer, and for a layer that is not on the grid of the reference.
    """
    if not layers:
        raise ValueError("There is no layer to show: give at least one.")
    named = [(name, _known(layer, crops)) for name, layer in layers.items()]
    errors = []
    if reference is not None:
        truth = _known(reference, crops)
        for name, layer in named:
            _check_grid(name, layer, truth)
            errors.append(("errors" if len(named) == 1 else f"errors of {name}", layer, truth))
        named.append(("reference", truth))
    drawn = [(name, *_mercator(layer)) for name, layer in named]
    occurring = np.unique(np.concatenate([codes.ravel() for _, codes, _ in drawn])).tolist()
    classes = _legend(crops, occurring)
    shown = [Layer(*parts, classes) for parts in drawn]
    for name, layer, truth in errors:
        where, legend = _compare(layer, truth)
        shown.append(Layer(name, *_mercator(where), legend))
    return WebMap(shown, title, tiles)


def _known(layer: xr.DataArray, crops: Sequence[Crop]) -> xr.DataArray:
    """Codes of the legend, and UNKNOWN for all others (also NaN)."""
    known = (layer >= 0) & (layer < len(crops))
    return layer.where(known, UNKNOWN).astype("uint8").rio.write_nodata(UNKNOWN)


def _check_grid(name: str, layer: xr.DataArray, reference: xr.DataArray) -> None:
    half = max(map(abs, reference.rio.resolution())) / 2
    if (
        layer.shape != reference.shape
        or layer.rio.crs != reference.rio.crs
        or not np.allclose(layer.x, reference.x, rtol=0, atol=half)
        or not np.allclose(layer.y, reference.y, rtol=0, atol=half)
    ):
        raise ValueError(
            f"The layer '{name}' is not on the grid of the reference ({_grid(layer)} against "
            f"{_grid(reference)}): bring both to one grid first."
        )


def _grid(layer: xr.DataArray) -> str:
    x, y = layer.x.values, layer.y.values
    rows, columns = layer.shape
    return (
        f"{rows} x {columns} pixels, x {x[0]:.0f} to {x[-1]:.0f}, y {y[0]:.0f} to {y[-1]:.0f}, "
        f"{layer.rio.crs}"
    )


def _compare(mapped: xr.DataArray, reference: xr.DataArray) -> tuple[xr.DataArray, Legend]:
    """Where a map agrees with the reference and where it differs; UNKNOWN where one is unknown."""
    codes = np.where(mapped.values == reference.values, AGREES, DIFFERS).astype("uint8")
    codes[(mapped.values == UNKNOWN) | (reference.values == UNKNOWN)] = UNKNOWN
    count, wrong = int((codes != UNKNOWN).sum()), int((codes == DIFFERS).sum())
    note = (
        f"{wrong / count:.1%} of {count:,} pixels differ."
        if count
        else "No pixel is known in both."
    )
    if 0 < count < codes.size:
        note += " Where one is unknown, nothing is drawn."
    entries = {AGREES: Entry("agrees", "#56b4e966"), DIFFERS: Entry("differs", "#c00000")}
    return reference.copy(data=codes), Legend(entries, note)


def _mercator(layer: xr.DataArray) -> tuple[np.ndarray, tuple[float, float, float, float]]:
    """Codes in the projection of web maps, thinned for the browser, and their bounds in metres."""
    step = math.ceil(max(layer.shape) / MOST_PIXELS)
    projected = layer[::step, ::step].rio.reproject("EPSG:3857")
    return projected.values, projected.rio.bounds()


def _legend(crops: Sequence[Crop], occurring: Sequence[int]) -> Legend:
    """The classes that occur; the background is clear."""
    clear = background(crops)
    entries = {
        code: Entry(crop.name, CLEAR if code == clear else crop.colour)
        for code, crop in enumerate(crops)
        if code in occurring
    }
    return Legend(entries, "")


# ----------------------------------------------------------------------------------------- the page


class WebMap(folium.Map):
    """What ``web_map`` gives. What folium adds to it shows if it needs Leaflet alone: the page runs
    no script of another host.
    """

    default_js: list = []  # noqa: RUF012  (as folium has it; the page carries Leaflet)
    default_css: list = []  # noqa: RUF012
    _template = jinja2.Template(
        "{% macro script(this, kwargs) %}const {{ this.get_name() }} = newMap();{% endmacro %}"
    )

    def __init__(self, layers: list[Layer], title: str, tiles: str | None) -> None:
        # OpenStreetMap wants to hear which site asks, also where a notebook's server keeps quiet.
        told: Any = dict(referrer_policy="strict-origin-when-cross-origin")
        super().__init__(tiles=folium.TileLayer(tiles, **told) if tiles else None)
        self.title, self.shown = title, layers
        overlays = []
        for layer in layers:
            west, south, east, north = transform_bounds("EPSG:3857", "EPSG:4326", *layer.bounds)
            picture = folium.raster_layers.ImageOverlay(
                layer.legend.paint(layer.codes), [[south, west], [north, east]], show=False
            )
            picture.add_to(self)
            overlays.append(picture.get_name())
        _Page(self, overlays).add_child(self)

    def describe(self) -> str:
        """The map in a sentence or two."""
        classes = self.shown[0].legend
        names = ", ".join(entry.name for entry in classes.entries.values())
        said = [f"{self.title}: {', '.join(layer.name for layer in self.shown)}. Classes: {names}."]
        said += [f"{layer.name}: {layer.legend.note}" for layer in self._errors()]
        return " ".join(said)

    def picture(self) -> Figure:
        """All layers side by side, for where the map cannot run."""
        columns, rows = min(3, len(self.shown)), math.ceil(len(self.shown) / 3)
        figure = Figure(figsize=(3.2 * columns + 1.6, 3.4 * rows), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        for axis in axes[len(self.shown) :]:
            axis.set_visible(False)
        for axis, layer in zip(axes, self.shown, strict=False):
            axis.set(xticks=[], yticks=[])
            axis.imshow(layer.legend.paint(layer.codes), interpolation="nearest")
            axis.set_title(_short(layer.name), fontsize=11)
        legends = [self.shown[0].legend, *(layer.legend for layer in self._errors()[:1])]
        handles = [
            Patch(facecolor=entry.colour, edgecolor="black", lw=0.4, label=_short(entry.label))
            for legend in legends
            for entry in legend.entries.values()
        ]
        figure.legend(handles=handles, loc="outside right center", fontsize=9, frameon=False)
        return figure

    def _errors(self) -> list[Layer]:
        return [layer for layer in self.shown if layer.legend is not self.shown[0].legend]

    def _repr_html_(self, **kwargs: Any) -> str:
        # The frame hides the picture beside it. A viewer that takes frames out, as of a notebook
        # that is not trusted, takes out the style as well.
        page = escape(self.get_root().render())
        return (
            f"<style>#{self.get_name()}_picture {{ display: none }}</style>"
            f'<iframe title="{escape(self.title)}" srcdoc="{page}" style="width:100%;'
            'aspect-ratio:5/3;min-height:20rem;max-height:36rem;border:0" allowfullscreen></iframe>'
        )

    def _ipython_display_(self) -> None:
        with needs("course"):
            from IPython.display import HTML, display

        display(HTML(self._repr_html_()))
        below = "A picture of the map, which itself runs where the notebook is trusted."
        display(
            HTML(
                f'<div id="{self.get_name()}_picture">{html_image(self.picture(), self.describe())}'
                f"<div><small>{below}</small></div></div>"
            )
        )

    def __repr__(self) -> str:
        return self.describe()


def _short(name: str) -> str:
    """A name as there is room for it in a picture."""
    return literal(name if len(name) <= 40 else f"{name[:39]}…")


class _Page(branca.element.Figure):
    """The page around a map; all that it needs is in it but the tiles."""

    _template = TEMPLATES.from_string((STATIC / "maps.html.j2").read_text("utf-8"))

    def __init__(self, view: WebMap, overlays: list[str]) -> None:
        super().__init__(title=view.title)
        self.layers, self.map, self.overlays = view.shown, view.get_name(), overlays
        self.legends = list({id(layer.legend): layer.legend for layer in view.shown}.values())
        classes = self.legends[0]
        self.facts = {
            "names": {code: entry.name for code, entry in classes.entries.items()},
            "layers": [
                {
                    "name": layer.name,
                    "legend": self.legends.index(layer.legend),
                    "bounds": layer.bounds,
                    "shape": layer.codes.shape,
                    "codes": _packed(layer.codes) if layer.legend is classes else "",
                }
                for layer in view.shown
            ],
        }


def _packed(codes: np.ndarray) -> str:
    return base64.b64encode(zlib.compress(codes.tobytes(), 9)).decode()
