"""Crop labels from polygons: fields that somebody mapped or declared, burnt into the grid of a
season.

A pixel belongs to the polygon that holds its centre.
"""

from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import xarray as xr
from pyogrio.errors import DataSourceError
from rasterio.features import rasterize

from stma_nb import cube
from stma_nb.cube import Crop, SeasonError


def rasterise(
    polygons: gpd.GeoDataFrame | str | Path,
    season: xr.Dataset,
    column: str,
    crops: tuple[Crop, ...] | None = None,
    mapping: Mapping[object, str] | None = None,
    edge: str = "keep",
    overlap: str = "refuse",
) -> xr.Dataset:
    """The season with ``crop`` (y, x) uint8 and its legend, and ``parcel`` (y, x) int32, from
    polygons of fields.

    Args: polygons: a GeoDataFrame, or a file that GDAL reads (GeoPackage, GeoJSON, Shapefile); any
        CRS. season: where to; a pixel outside all polygons gets crop 0 and parcel 0. column: which
        column of the polygons names the crop. crops: the legend, code 0 the background (default:
        'Background' and the names that occur, in order of the alphabet). mapping: from what the
        column says to names of the legend; needed where they differ. 'Background' leaves a crop
        out. edge: "drop" gives pixels that a border crosses crop 0 and parcel 0: their radar signal
        is of two fields. overlap: pixels in several polygons: "refuse" them, or give them to the
        "first" polygon of the file.

    The parcel number is the polygon's row in the file, from 1; ``season.parcel > 0`` says where
    labels are known. What was left out is told in ``parcel.attrs["comment"]``. Raises SeasonError
    if polygons and season do not fit, or FileNotFoundError.
    """
    for name, value, options in (
        ("edge", edge, ("keep", "drop")),
        ("overlap", overlap, ("refuse", "first")),
    ):
        if value not in options:
            raise SeasonError(f"{name} is '{value}'; expected '{options[0]}' or '{options[1]}'.")
    fields = _fields(polygons, season, column)
    crops, code = _codes(fields[column], crops, mapping or {})
    grid = dict(out_shape=(season.sizes["y"], season.sizes["x"]), transform=season.rio.transform())

    # Later shapes overwrite earlier ones: burnt backwards, the first polygon of the file wins.
    parcel = rasterize(
        zip(fields.geometry[::-1], fields.index[::-1], strict=True), dtype="int32", **grid
    )
    comment = [_overlaps(fields, parcel, grid, overlap)]
    if empty := len(fields.index.difference(np.unique(parcel))):
        comment.append(f"{empty} polygons hold no pixel")
    if edge == "drop":
        border = (rasterize(fields.boundary, all_touched=True, dtype="uint8", **grid) > 0) & (
            parcel > 0
        )
        parcel[border] = 0
        comment.append(f"{border.sum()} pixels on borders left out")
    if not parcel.any():
        raise SeasonError(
            "No polygon holds a pixel of the season: the fields are smaller than its pixels; see "
            "edge= as well."
        )
    crop = np.zeros(fields.index.max() + 1, "uint8")
    crop[fields.index] = code
    comment = "; ".join(filter(None, comment))
    return season.assign(
        crop=(("y", "x"), crop[parcel], {"long_name": "crop", **cube.flags(crops)}),
        parcel=(
            ("y", "x"),
            parcel,
            {"long_name": "parcel", **({"comment": comment} if comment else {})},
        ),
    )


def _fields(
    polygons: gpd.GeoDataFrame | str | Path, season: xr.Dataset, column: str
) -> gpd.GeoDataFrame:
    """The polygons within the season in its CRS, indexed with their parcel number."""
    if isinstance(polygons, (str, Path)):
        if not Path(polygons).exists():
            raise FileNotFoundError(
                f"There is no file of polygons '{polygons}': give a GeoPackage, GeoJSON or "
                "Shapefile."
            )
        try:
            polygons = gpd.read_file(polygons)
        except DataSourceError as error:
            raise SeasonError(
                f"'{polygons}' cannot be read as polygons: give a GeoPackage, GeoJSON or Shapefile."
            ) from error
    if getattr(polygons, "active_geometry_name", None) is None:
        raise SeasonError(
            "The layer has no geometry; expected polygons: give a GeoPackage, GeoJSON or Shapefile."
        )
    if column not in polygons:
        names = ", ".join(str(name) for name in polygons.columns.drop(polygons.geometry.name))
        raise SeasonError(
            f"The polygons have no column '{column}'; found {names}: name the one that holds the "
            "crop."
        )
    if polygons.crs is None:
        raise SeasonError(
            "The polygons have no coordinate reference system: set it with "
            "polygons.set_crs('EPSG:...')."
        )
    fields = polygons[[column, polygons.geometry.name]].set_axis(
        np.arange(1, len(polygons) + 1), axis=0
    )
    fields = fields[~(fields.geometry.isna() | fields.geometry.is_empty)].to_crs(season.rio.crs)
    if kinds := sorted(set(fields.geom_type) - {"Polygon", "MultiPolygon"}):
        raise SeasonError(
            f"The layer holds {', '.join(kinds)}; expected polygons of fields: give another layer."
        )
    # A field that crosses itself is cut into valid pieces.
    fields = fields.set_geometry(
        shapely.make_valid(fields.geometry.values, method="structure", keep_collapsed=False),
        crs=fields.crs,
    )
    inside = fields[fields.intersects(shapely.box(*season.rio.bounds()))]
    if not len(inside):
        places = [
            " ".join(f"{side:.0f}" for side in bounds)
            for bounds in (fields.total_bounds, season.rio.bounds())
        ]
        raise SeasonError(
            f"None of the {len(fields)} polygons lies in the season: they cover {places[0]}, the "
            f"season {places[1]} "
            f"({season.rio.crs.to_string()}): check the CRS of both."
        )
    return inside


def _codes(
    names: pd.Series, crops: tuple[Crop, ...] | None, mapping: Mapping[object, str]
) -> tuple[tuple[Crop, ...], np.ndarray]:
    """(legend, code of each polygon)."""
    classes = names.map(lambda name: mapping.get(name, name)).astype("string").str.strip()
    if crops is None:
        found = ["Background", *sorted(set(classes.dropna()) - {"Background"})]
        if len(found) > 256:
            raise SeasonError(
                f"'{names.name}' has {len(found) - 1} names; expected at most 255 crops: group "
                "them (mapping)."
            )
        crops = tuple(
            Crop(name, cube.BRANDENBURG[i % len(cube.BRANDENBURG)].colour)
            for i, name in enumerate(found)
        )
    code = classes.map({crop.name: i for i, crop in enumerate(crops)})
    if (unknown := code.isna()).any():
        counts = names[unknown].value_counts(dropna=False)
        raise SeasonError(
            f"{len(counts)} crop names have no class: "
            f"{', '.join(f'{name} ({count} polygons)' for name, count in counts.items())}; "
            f"map each to one of {', '.join(crop.name for crop in crops)} (mapping)."
        )
    return crops, code.to_numpy("uint8")


def _overlaps(fields: gpd.GeoDataFrame, first: np.ndarray, grid: dict, overlap: str) -> str:
    """What to say of pixels in several polygons ('' if there are none), or SeasonError if they are
    refused.
    """
    last = rasterize(zip(fields.geometry, fields.index, strict=True), dtype="int32", **grid)
    several = first != last
    if not several.any():
        return ""
    pairs = np.unique(np.stack([first[several], last[several]]), axis=1).T
    told = (
        f"{several.sum()} pixels lie in several polygons, such as rows "
        f"{', '.join(f'{a} and {b}' for a, b in pairs[:3])}"
    )
    if overlap == "refuse":
        raise SeasonError(
            f"{told}: mend the layer, or give these pixels to the first polygon (overlap='first')."
        )
    return f"{told}; the first got them"
