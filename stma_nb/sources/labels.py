"""Crop labels from polygons: fields, mapped or declared, burnt into the grid of a season.

A pixel belongs to the polygon that holds its centre.
"""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from rasterio.features import rasterize

from stma_nb import cube
from stma_nb.cube import Crop, SeasonError
from stma_nb.extras import needs

with needs("stac"):
    import geopandas as gpd
    import shapely
    from pyogrio.errors import DataSourceError


def rasterise(
    polygons: gpd.GeoDataFrame | str | Path,
    season: xr.Dataset,
    column: str,
    crops: Sequence[Crop] | None = None,
    mapping: Mapping[object, str] | None = None,
    edge: str = "keep",
    overlap: str = "refuse",
) -> xr.Dataset:
    """The season with ``crop`` and ``parcel`` (y, x) from polygons of fields.

    ``crop`` is uint8 and holds its legend, ``parcel`` is int32.

    Args:
        polygons: a GeoDataFrame, or a file that GDAL reads (GeoPackage, GeoJSON, Shapefile); any
            CRS.
        season: where to; a pixel outside all polygons gets crop 0 and parcel 0.
        column: which column of the polygons names the crop.
        crops: the legend, code 0 the background (default: 'Background' and the names that occur, in
            order of the alphabet).
        mapping: from what the column says to names of the legend; needed where they differ.
            'Background' leaves a crop out.
        edge: "drop" gives pixels that a border crosses crop 0 and parcel 0: their radar signal is
            of two fields.
        overlap: pixels in several polygons: "refuse" them, or give them to the "first" polygon of
            the file.

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
    backwards = fields[::-1]
    parcel = rasterize(zip(backwards.geometry, backwards.index, strict=True), dtype="int32", **grid)
    comments = []
    double = _overlaps(fields, parcel, grid, overlap)
    if double:
        comments.append(double)
    empty = len(fields.index.difference(np.unique(parcel)))
    if empty:
        comments.append(f"{empty} polygons hold no pixel")
    if edge == "drop":
        crossed = rasterize(fields.boundary, all_touched=True, dtype="uint8", **grid) > 0
        border = crossed & (parcel > 0)
        parcel[border] = 0
        comments.append(f"{border.sum()} pixels on borders left out")
    if not parcel.any():
        raise SeasonError(
            "No polygon holds a pixel of the season: the fields are smaller than its pixels; "
            "see edge= as well."
        )
    crop = np.zeros(fields.index.max() + 1, "uint8")  # by parcel number; 0 outside parcels
    crop[fields.index] = code
    crop_attrs = {"long_name": "crop", **cube.flags(crops)}
    parcel_attrs = {"long_name": "parcel"}
    if comments:
        parcel_attrs["comment"] = "; ".join(comments)
    return season.assign(
        crop=(("y", "x"), crop[parcel], crop_attrs), parcel=(("y", "x"), parcel, parcel_attrs)
    )


def _fields(
    polygons: gpd.GeoDataFrame | str | Path, season: xr.Dataset, column: str
) -> gpd.GeoDataFrame:
    """The polygons within the season in its CRS, indexed with their parcel number."""
    if isinstance(polygons, (str, Path)):
        polygons = _read(polygons)
    _check_layer(polygons, column)
    numbers = np.arange(1, len(polygons) + 1)
    fields = polygons[[column, polygons.geometry.name]].set_axis(numbers, axis=0)
    fields = fields[~(fields.geometry.isna() | fields.geometry.is_empty)].to_crs(season.rio.crs)
    kinds = sorted(set(fields.geom_type) - {"Polygon", "MultiPolygon"})
    if kinds:
        raise SeasonError(
            f"The layer holds {', '.join(kinds)}; expected polygons of fields: give another layer."
        )
    # A field that crosses itself is cut into valid pieces.
    valid = shapely.make_valid(fields.geometry.values, method="structure", keep_collapsed=False)
    fields = fields.set_geometry(valid, crs=fields.crs)
    inside = fields[fields.intersects(shapely.box(*season.rio.bounds()))]
    if not len(inside):
        covered = " ".join(f"{side:.0f}" for side in fields.total_bounds)
        wanted = " ".join(f"{side:.0f}" for side in season.rio.bounds())
        raise SeasonError(
            f"None of the {len(fields)} polygons lies in the season: they cover {covered}, "
            f"the season {wanted} ({season.rio.crs.to_string()}): check the CRS of both."
        )
    return inside


def _read(file: str | Path) -> gpd.GeoDataFrame:
    if not Path(file).exists():
        raise FileNotFoundError(
            f"There is no file of polygons '{file}': give a GeoPackage, GeoJSON or Shapefile."
        )
    try:
        return gpd.read_file(file)
    except DataSourceError as error:
        raise SeasonError(
            f"'{file}' cannot be read as polygons: give a GeoPackage, GeoJSON or Shapefile."
        ) from error


def _check_layer(polygons: gpd.GeoDataFrame, column: str) -> None:
    if getattr(polygons, "active_geometry_name", None) is None:
        raise SeasonError(
            "The layer has no geometry; expected polygons: give a GeoPackage, GeoJSON or Shapefile."
        )
    if column not in polygons:
        names = ", ".join(str(name) for name in polygons.columns.drop(polygons.geometry.name))
        raise SeasonError(
            f"The polygons have no column '{column}'; found {names}: "
            "name the one that holds the crop."
        )
    if polygons.crs is None:
        raise SeasonError(
            "The polygons have no coordinate reference system: "
            "set it with polygons.set_crs('EPSG:...')."
        )


def _codes(
    names: pd.Series, crops: Sequence[Crop] | None, mapping: Mapping[object, str]
) -> tuple[tuple[Crop, ...], np.ndarray]:
    """(legend, code of each polygon)."""
    classes = names.map(lambda name: mapping.get(name, name)).astype("string").str.strip()
    if crops is None:
        found = ["Background", *sorted(set(classes.dropna()) - {"Background"})]
        if len(found) > 256:
            raise SeasonError(
                f"'{names.name}' has {len(found) - 1} names; expected at most 255 crops: "
                "group them (mapping)."
            )
        # Brandenburg's colours in turn, so that neighbours in the legend differ.
        colours = itertools.cycle(crop.colour for crop in cube.BRANDENBURG)
        crops = tuple(map(Crop, found, colours))
    code = classes.map({crop.name: i for i, crop in enumerate(crops)})
    unknown = code.isna()
    if unknown.any():
        counts = names[unknown].value_counts(dropna=False)
        told = ", ".join(f"{name} ({count} polygons)" for name, count in counts.items())
        raise SeasonError(
            f"{len(counts)} crop names have no class: {told}; "
            f"map each to one of {', '.join(crop.name for crop in crops)} (mapping)."
        )
    return tuple(crops), code.to_numpy("uint8")


def _overlaps(fields: gpd.GeoDataFrame, first: np.ndarray, grid: dict, overlap: str) -> str:
    """What to say of pixels in several polygons ('' if there are none).

    ``first`` holds the first polygon of each pixel. Raises SeasonError if overlaps are refused.
    """
    # A pixel whose first polygon is not its last lies in several.
    last = rasterize(zip(fields.geometry, fields.index, strict=True), dtype="int32", **grid)
    several = first != last
    if not several.any():
        return ""
    pairs = np.unique(np.stack([first[several], last[several]]), axis=1).T
    examples = ", ".join(f"{a} and {b}" for a, b in pairs[:3])
    told = f"{several.sum()} pixels lie in several polygons, such as rows {examples}"
    if overlap == "refuse":
        raise SeasonError(
            f"{told}: mend the layer, or give these pixels to the first polygon (overlap='first')."
        )
    return f"{told}; the first got them"
