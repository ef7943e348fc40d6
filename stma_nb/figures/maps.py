"""Class maps on a web map (folium): layers to switch, opacity by the base map, and the legend.

Names of classes and layers may come from anybody's files. Folium takes all that it is given for a
Jinja template, and Leaflet takes the name of a layer for HTML: so braces are escaped as well.
"""

import json
import math
from collections.abc import Sequence
from html import escape
from typing import cast
from urllib.parse import urlsplit

import numpy as np
import xarray as xr
from rasterio.warp import transform_bounds

from stma_nb.cube import Crop
from stma_nb.extras import needs

with needs("course"):
    import folium
    from branca.element import Element, Figure

MOST_PIXELS = 1500  # longer side of the picture sent to the browser


def web_map(
    layers: dict[str, xr.DataArray], crops: Sequence[Crop], tiles: str | None = "OpenStreetMap"
) -> folium.Map:
    """A folium map of class layers (y, x) with CRS, which can be switched, and a legend.

    The legend names the classes that occur. Pixels outside the legend (nodata) are clear. Layers
    larger than 1500 pixels are thinned for the browser. The base map (``tiles``) and folium's
    scripts come from the web, so the map needs a connection when it is opened.
    """
    view = folium.Map(tiles=tiles, control_scale=True)
    occurring = set()
    bounds: list[list[float]] = []
    for title, layer in layers.items():
        step = math.ceil(max(layer.shape) / MOST_PIXELS)
        thin = layer[::step, ::step].astype("uint8").rio.write_nodata(255)
        mercator = thin.rio.reproject("EPSG:3857")  # the projection of web maps
        sides = transform_bounds("EPSG:3857", "EPSG:4326", *mercator.rio.bounds())
        west, south, east, north = sides
        bounds = [[south, west], [north, east]]  # folium wants latitude first
        occurring.update(np.unique(mercator.values).tolist())
        picture = _rgba(mercator.values, crops)
        overlay = folium.raster_layers.ImageOverlay(
            picture, bounds, opacity=0.8, name=_html(title), alt=folium.JsCode(_javascript(title))
        )
        overlay.add_to(view)
    view.fit_bounds(bounds)
    folium.LayerControl(collapsed=False).add_to(view)
    page = cast(Figure, view.get_root())
    page.header.add_child(Element(_policy(view)), index=0)
    page.html.add_child(
        Element(_legend([crop for code, crop in enumerate(crops) if code in occurring]))
    )
    return view


def _rgba(labels: np.ndarray, crops: Sequence[Crop]) -> np.ndarray:
    """Colours (rows, columns, 4) of class codes; codes outside the legend are clear."""
    table = np.zeros((256, 4), np.uint8)
    table[: len(crops)] = [(*bytes.fromhex(crop.colour[1:]), 255) for crop in crops]
    return table[labels]


def _policy(view: folium.Map) -> str:
    """What the page may load: folium's own scripts and styles, and the images of the base map."""
    links = [link for _, link in (*view.default_js, *view.default_css)]
    hosts = " ".join(sorted({f"https://{urlsplit(link).netloc}" for link in links}))
    policy = (
        f"default-src 'none'; script-src 'unsafe-inline' {hosts}; "
        f"style-src 'unsafe-inline' {hosts}; font-src {hosts}; img-src https: data:"
    )
    return f'<meta http-equiv="Content-Security-Policy" content="{policy}">'


def _legend(crops: Sequence[Crop]) -> str:
    box = "display:inline-block;width:1em;height:1em;border:1px solid #333"
    rows = "".join(
        f'<div><span style="{box};background:{_html(crop.colour)}"></span> {_html(crop.name)}</div>'
        for crop in crops
    )
    return (
        '<div role="note" aria-label="Legend" '
        'style="position:fixed;bottom:2em;left:1em;z-index:1000;background:white;'
        f'padding:.6em;border:1px solid #333;font:13px sans-serif;color:#111">{rows}</div>'
    )


def _html(text: str) -> str:
    """A text as HTML in which Jinja finds nothing to do."""
    return escape(text).replace("{", "&#123;").replace("}", "&#125;")


def _javascript(text: str) -> str:
    """A text as a string of JavaScript in which neither HTML nor Jinja finds anything to do."""
    return json.dumps(text).translate({ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&{}"})
