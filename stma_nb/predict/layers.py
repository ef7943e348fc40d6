"""A layer of fields or places as a file that QGIS opens in the colours of the legend.

Names and colours of classes are data: they are escaped wherever they stand in a style.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd

from stma_nb.cube import Crop
from stma_nb.extras import needs
from stma_nb.files import refuse_existing, write_whole
from stma_nb.predict.fields import PARQUET, field_table, map_legend, need_parquet

with needs("fields"):
    import geopandas as gpd
    import pyogrio
    from pyogrio.errors import DataLayerError, DataSourceError

SUFFIXES = (".gpkg", *PARQUET, ".geojson", ".csv")


def check_layer_path(
    path: str | Path, overwrite: bool, sources: Sequence[str | Path | None] = ()
) -> None:
    """Raise an error, before work is done, if a layer could not be written to ``path``.

    FileExistsError for a file that exists without ``overwrite``, or with it, for a GeoPackage with
    layers of others; ValueError for an unknown suffix or a file that is one of the ``sources``;
    ImportError if the suffix needs a package that is missing.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(
            f"A layer is written as {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}; found "
            f"'{path.name}'."
        )
    if path.suffix.lower() in PARQUET:
        need_parquet()
    if any(source and path.resolve() == Path(source).resolve() for source in sources):
        raise ValueError(f"'{path}' would be read and replaced at once: choose another name.")
    for file in (path, _style_beside(path)):
        if file:
            refuse_existing(file, overwrite)
    if path.exists() and (others := _other_layers(path)):
        raise FileExistsError(
            f"'{path}' holds other layers, such as '{others[0]}', and is left as it is: choose "
            "another name."
        )


def _style_beside(path: Path) -> Path | None:
    """The file in which QGIS looks for the style of a layer; None if the layer holds it or none."""
    return None if path.suffix.lower() in (".gpkg", ".csv") else path.with_suffix(".qml")


def _other_layers(path: Path) -> list[str]:
    """Layers of a GeoPackage that ``save_layer`` did not write."""
    if path.suffix.lower() != ".gpkg":
        return []
    try:
        layers = pyogrio.list_layers(path)
    except DataSourceError:  # half a file, or another one of that name
        return []
    return [name for name, _ in layers if name not in (path.stem, "layer_styles")]


def save_layer(
    table: gpd.GeoDataFrame, path: str | Path, crops: Sequence[Crop], overwrite: bool = False
) -> Path:
    """Write a table of fields or places with its style; the suffix names the format.

    A GeoPackage (``.gpkg``) holds the style, so that QGIS opens it coloured. Beside GeoParquet
    (``.parquet``) and GeoJSON (in WGS 84) it lies in a file ``.qml``. A ``.csv`` holds the columns
    alone. Files appear under their names only when whole. Raises as ``check_layer_path`` does.
    """
    path = Path(path)
    check_layer_path(path, overwrite)
    style = qgis_style(crops, points=set(table.geom_type) == {"Point"})
    write: Callable[[Path], object] = {
        ".gpkg": lambda part: _write_geopackage(table, part, path.stem, style),
        ".geojson": lambda part: pyogrio.write_dataframe(
            table.to_crs("EPSG:4326"), part, driver="GeoJSON"
        ),
        ".csv": lambda part: table.drop(columns=table.geometry.name).to_csv(part, index=False),
    }.get(path.suffix.lower(), lambda part: table.to_parquet(part, index=False))
    try:
        write_whole(path, write)
    except (DataSourceError, DataLayerError) as error:
        raise OSError(f"'{path.name}' could not be written: {error}.") from error
    if beside := _style_beside(path):
        write_whole(beside, lambda part: part.write_text(style, "utf-8"))
    return path


def write_fields(
    path: str | Path,
    outlines: gpd.GeoDataFrame,
    output: str | Path,
    probabilities: str | Path | None = None,
    overwrite: bool = False,
) -> str:
    """Write what a map votes in each outline (``field_table``) as a layer (``save_layer``).

    Returns a sentence on it: how many fields have a class, what is to be known of the others, what
    was left out. Raises as these two do.
    """
    check_layer_path(output, overwrite, (path, probabilities))
    table = field_table(path, outlines, probabilities)
    save_layer(table, output, map_legend(path), overwrite)
    notes = table["map_note"].value_counts()
    counts = ", ".join(f"{count} {note}" for note, count in notes.items() if note)
    told = f"{table['map_class'].notna().sum()} of {len(table)} fields have a class"
    told += f" ({counts})" if counts else ""
    left_out = outlines.attrs.get("left out")
    return f"{told}. {left_out + '. ' if left_out else ''}Wrote {output}"


def _write_geopackage(table: gpd.GeoDataFrame, part: Path, layer: str, style: str) -> None:
    part.unlink(missing_ok=True)  # from a run that was stopped: a layer would be added to it
    taken = {str(name).casefold() for name in table.columns.drop(table.geometry.name)}

    def free(*names: str) -> str:
        """A name for a column of the file's own that is none of the table's."""
        return next(name for name in names if name not in taken)

    column = free("geom", "outline", "own_geom")
    pyogrio.write_dataframe(
        table,
        part,
        layer=layer,
        driver="GPKG",
        promote_to_multi=not (table.geom_type == "Point").all(),
        layer_options={"FID": free("fid", "row_id", "own_fid"), "GEOMETRY_NAME": column},
    )
    styles = {  # the table in which QGIS keeps styles
        "f_table_catalog": "",
        "f_table_schema": "",
        "f_table_name": layer,
        "f_geometry_column": column,
        "styleName": "classes",
        "styleQML": style,
        "styleSLD": "",
        "useAsDefault": True,
        "description": "Colours of the legend",
        "owner": "",
        "ui": "",
        "update_time": pd.Timestamp.now("UTC"),
    }
    pyogrio.write_dataframe(
        pd.DataFrame([styles]),
        part,
        layer="layer_styles",
        driver="GPKG",
        layer_options={"FID": "id", "ASPATIAL_VARIANT": "GPKG_ATTRIBUTES"},
    )


# -------------------------------------------------------------------------------------- the style


def qgis_style(crops: Sequence[Crop], points: bool = False) -> str:
    """A QGIS style (QML) that gives each ``map_code`` the colour and the name of its class."""
    kind, shape = ("marker", "SimpleMarker") if points else ("fill", "SimpleFill")
    root = ElementTree.Element("qgis", styleCategories="Symbology")
    renderer = ElementTree.SubElement(
        root,
        "renderer-v2",
        type="categorizedSymbol",
        attr="map_code",
        enableorderby="0",
        forceraster="0",
        symbollevels="0",
    )
    categories = ElementTree.SubElement(renderer, "categories")
    symbols = ElementTree.SubElement(renderer, "symbols")
    for code, crop in enumerate(crops):
        ElementTree.SubElement(
            categories,
            "category",
            value=str(code),
            type="long",
            symbol=str(code),
            label=_label(crop.name),
            render="true",
        )
        symbol = ElementTree.SubElement(
            symbols,
            "symbol",
            name=str(code),
            type=kind,
            alpha="1",
            clip_to_extent="1",
            force_rhr="0",
        )
        layer = ElementTree.SubElement(
            symbol, "layer", {"class": shape, "enabled": "1", "locked": "0", "pass": "0"}
        )
        options = ElementTree.SubElement(layer, "Option", type="Map")
        for name, value in _look(crop, points).items():
            ElementTree.SubElement(options, "Option", name=name, type="QString", value=value)
    return "<!DOCTYPE qgis>\n" + ElementTree.tostring(root, "unicode") + "\n"


def _label(name: str) -> str:
    """A name as a label that is shown as it is: without characters that XML does not know, and
    without the mark of an expression, which QGIS would work out in a legend.
    """
    known = re.sub(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]", "\ufffd", name)
    return known.replace("[%", "[\u2060%")


def _look(crop: Crop, points: bool) -> dict[str, str]:
    """Properties of a symbol, as QGIS names them."""
    red, green, blue = bytes.fromhex(crop.colour[1:])
    look = {
        "color": f"{red},{green},{blue},255",
        "outline_color": "35,35,35,255",
        "outline_style": "solid",
        "outline_width": "0.1",
        "outline_width_unit": "MM",
    }
    if points:
        return look | {"name": "circle", "size": "3", "size_unit": "MM"}
    return look | {"style": "solid"}
