"""Class maps on a web map (folium): layers to switch, opacity by the base map, and the legend."""

from html import escape

import folium
import numpy as np
import xarray as xr
from branca.element import MacroElement
from folium.template import Template
from rasterio.warp import transform_bounds

from stma_nb.cube import Crop

MOST_PIXELS = 1500  # longer side of the picture sent to the browser


def web_map(
    layers: dict[str, xr.DataArray], crops: tuple[Crop, ...], tiles: str | None = "OpenStreetMap"
) -> folium.Map:
    """A folium map of class layers (y, x) with CRS: one switchable layer each, and a legend of the
    classes that occur.

    Pixels outside the legend (nodata) are clear. Layers larger than 1500 pixels are thinned for the
    browser. The base map (``tiles``) and folium's scripts come from the web, so the map needs a
    connection when it is opened.
    """
    view = folium.Map(tiles=tiles, control_scale=True)
    occurring, bounds = set(), None
    for title, layer in layers.items():
        step = -(-max(layer.shape) // MOST_PIXELS)
        mercator = (
            layer[::step, ::step].astype("uint8").rio.write_nodata(255).rio.reproject("EPSG:3857")
        )
        west, south, east, north = transform_bounds(
            "EPSG:3857", "EPSG:4326", *mercator.rio.bounds()
        )
        bounds = [[south, west], [north, east]]
        occurring |= set(np.unique(mercator.values).tolist())
        folium.raster_layers.ImageOverlay(
            _rgba(mercator.values, crops), bounds, opacity=0.8, name=title, alt=title
        ).add_to(view)
    view.fit_bounds(bounds)
    folium.LayerControl(collapsed=False).add_to(view)
    view.add_child(_legend([crop for code, crop in enumerate(crops) if code in occurring]))
    return view


def _rgba(labels: np.ndarray, crops: tuple[Crop, ...]) -> np.ndarray:
    table = np.zeros((256, 4), np.uint8)
    table[: len(crops)] = [(*bytes.fromhex(crop.colour[1:]), 255) for crop in crops]
    return table[labels]


def _legend(crops: list[Crop]) -> MacroElement:
    rows = "".join(
        '<div><span style="display:inline-block;width:1em;height:1em;border:1px solid '
        f'#333;background:{crop.colour}"></span> '
        f"{escape(crop.name)}</div>"
        for crop in crops
    )
    element = MacroElement()
    element._template = Template(
        "{% macro html(this, kwargs) %}"
        '<div role="note" aria-label="Legend" '
        'style="position:fixed;bottom:2em;left:1em;z-index:1000;background:white;'
        f'padding:.6em;border:1px solid #333;font:13px sans-serif;color:#111">{rows}</div>'
        "{% endmacro %}"
    )
    return element
