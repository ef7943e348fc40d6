"""Polygons of fields from a file as people have them: which layer, which letters, which place.

Only what lies in the season is read, so that the layer of a whole country will do.
"""

import codecs
import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyproj
import rioxarray  # noqa: F401  (the accessor .rio)
import xarray as xr
from pyproj.exceptions import ProjError
from rasterio.transform import Affine

from stma_nb.cube import SeasonError, check_layout, pixel_size
from stma_nb.cube.classes import first_line
from stma_nb.extras import needs

with needs("stac"):
    import geopandas as gpd
    import pyogrio
    import shapely
    from pyogrio.errors import DataLayerError, DataSourceError, FeatureError, GeometryError
    from shapely.errors import ShapelyError

FORMATS = "give a GeoPackage, GeoJSON or Shapefile"
VECTORS = (".shp", ".gpkg", ".geojson", ".json", ".gml", ".kml", ".fgb", ".tab")  # within a zip
POINTERS = (b"<OGRVRT", b"<OGRWFS", b"<OGRCSW", b"gdal_streamed_alg")  # files that name others
# The last is pyogrio's, of a CRS that GDAL cannot write.
UNREADABLE = (DataSourceError, DataLayerError, FeatureError, GeometryError, UnboundLocalError)
LATIN = "ISO-8859-1"  # what a Shapefile is taken for that does not say
Bounds = tuple[float, float, float, float]  # west, south, east, north


class Grid(NamedTuple):
    """Where the pixels of a season lie, by its coordinates as they are now."""

    shape: tuple[int, int]  # rows, columns
    transform: Affine

    @property
    def bounds(self) -> Bounds:
        """West, south, east and north of the outer edges of the pixels."""
        rows, columns = self.shape
        dx, _, x0, _, dy, y0 = self.transform[:6]
        x1, y1 = x0 + columns * dx, y0 + rows * dy
        return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def grid_of(season: xr.Dataset) -> Grid:
    """The grid of a season; rows may go up and columns to the left.

    Raises SeasonError for a season without a CRS in metres, or that is not evenly spaced.
    """
    check_layout(season)
    side = pixel_size(season)
    if side is None:
        raise SeasonError("The season is one pixel, which does not say how large it is.")

    def step(ends: np.ndarray, other: float) -> float:
        return float(ends[-1] - ends[0]) / (len(ends) - 1) if len(ends) > 1 else other

    x, y = season.x.values, season.y.values
    dx, dy = step(x, side), step(y, -side)
    return Grid((len(y), len(x)), Affine(dx, 0, x[0] - dx / 2, 0, dy, y[0] - dy / 2))


def polygons_of_season(
    polygons: gpd.GeoDataFrame | str | Path,
    season: xr.Dataset,
    columns: Sequence[str],
    layer: str | None = None,
    encoding: str | None = None,
    crs: str | None = None,
) -> gpd.GeoDataFrame:
    """The polygons that touch a season, in its CRS, with ``columns`` as they are in the layer.

    Args:
        polygons: a GeoDataFrame, or a file that GDAL reads (also within a zip file).
        layer: which layer of a file with several.
        encoding: of the file's text, such as "cp1250", if the file does not say it.
        crs: of the coordinates, if the layer does not say it or says it wrong.

    The index is the row of the layer, from 1. 3D becomes 2D, arcs become lines, polygons that cross
    themselves are cut into valid pieces, and of a collection the polygons are taken;
    ``attrs["comment"]`` tells how many geometries have no area. Raises SeasonError, or
    FileNotFoundError.
    """
    bounds = grid_of(season).bounds
    with _in_a_sentence(polygons):
        if isinstance(polygons, (str, Path)):
            near = _near_in_file(polygons, season, columns, layer, encoding, crs)
        else:
            near = _near_in_frame(polygons, season, columns, crs)
        _check_degrees(near.total_bounds, near.crs)
        here = near.to_crs(season.rio.crs)
        flat = shapely.force_2d(here.geometry.values)
        # Of a polygon that crosses itself all pieces are kept.
        valid = shapely.make_valid(flat, method="structure", keep_collapsed=False)
        areas = np.array([_areas(shape) for shape in valid], object)
        here = here.set_geometry(gpd.GeoSeries(areas, index=here.index, crs=here.crs))
    others = here.geometry.is_empty
    if others.all():
        kinds = sorted(set(near.geom_type.dropna()) - {"Polygon", "MultiPolygon"})
        found = ", ".join(kinds) or "polygons without an area"
        raise SeasonError(
            f"The layer holds {found}; expected polygons of fields: give another layer."
        )
    inside = here[~others & here.intersects(shapely.box(*bounds))]
    if not len(inside):
        raise SeasonError(
            "None of the polygons lies in the season: the nearest end within a hundredth of its "
            "sides from it. Check the area."
        )
    if others.any():
        inside.attrs["comment"] = f"{others.sum()} geometries without an area were left out"
    return inside


@contextmanager
def _in_a_sentence(polygons: object) -> Iterator[None]:
    """What the libraries say of a layer that they cannot read or bring to the season's CRS."""
    name = f"'{polygons}'" if isinstance(polygons, (str, Path)) else "the layer"
    try:
        yield
    except UnicodeDecodeError as error:
        raise SeasonError(
            f"The text of {name} is not {error.encoding.upper()}: say what it is (encoding), "
            "such as cp1252."
        ) from error
    except LookupError as error:
        raise SeasonError(
            f"There is no such encoding ({first_line(error)}): give one such as utf-8 or cp1252."
        ) from error
    except UNREADABLE as error:
        raise SeasonError(
            f"{name} cannot be read as polygons ({first_line(error)}): {FORMATS}."
        ) from error
    except (ShapelyError, ProjError) as error:
        raise SeasonError(
            f"The polygons of {name} cannot be brought to the grid of the season "
            f"({first_line(error)}): check their coordinates and CRS."
        ) from error


def _areas(shape: shapely.Geometry) -> shapely.Geometry:
    """The polygons of a geometry as one; empty if it has none."""
    parts = shapely.get_parts(shapely.get_parts(shape))  # of a MultiPolygon in a collection too
    areas = [part for part in parts if part.geom_type == "Polygon" and not part.is_empty]
    return areas[0] if len(areas) == 1 else shapely.MultiPolygon(areas)


# --------------------------------------------------------------------------------- what lies near


def _near_in_frame(
    polygons: gpd.GeoDataFrame, season: xr.Dataset, columns: Sequence[str], crs: str | None
) -> gpd.GeoDataFrame:
    if getattr(polygons, "active_geometry_name", None) is None:
        raise SeasonError(f"The layer has no geometry; expected polygons: {FORMATS}.")
    _check_columns([str(name) for name in polygons.columns.drop(polygons.geometry.name)], columns)
    told = _crs(polygons.crs, crs)
    rows = np.arange(1, len(polygons) + 1)
    layer = polygons[[*columns, polygons.geometry.name]].set_axis(rows, axis=0)
    layer = layer.set_crs(told, allow_override=True)
    west, south, east, north = _bounds_in(told, season)
    sides = layer.bounds
    near = layer[
        (sides.minx <= east) & (sides.maxx >= west) & (sides.miny <= north) & (sides.maxy >= south)
    ]
    if not len(near):
        raise _none_near(layer.total_bounds, told, season, len(layer))
    return near


def _near_in_file(
    file: str | Path,
    season: xr.Dataset,
    columns: Sequence[str],
    layer: str | None,
    encoding: str | None,
    crs: str | None,
) -> gpd.GeoDataFrame:
    if encoding:  # in the words of GDAL: ISO-8859-1 for Python's latin-1
        encoding = re.sub(r"^ISO(\d)", r"ISO-\1", codecs.lookup(encoding).name.upper())
    address, layer = find_layer(Path(file), layer)
    info = pyogrio.read_info(address, layer=layer, encoding=encoding)
    if info["geometry_type"] is None:
        raise SeasonError(f"'{file}' has no geometry; expected polygons: {FORMATS}.")
    _check_columns(list(info["fields"]), columns)
    told = _crs(info["crs"], crs)
    read = partial(read_within, address, layer, _bounds_in(told, season), columns=list(columns))
    # UTF-8 shows itself: text of another encoding is hardly ever valid UTF-8 by chance.
    guess = "utf-8" if encoding is None and info["encoding"] == LATIN else encoding
    try:
        near = read(encoding=guess)
    except UnicodeDecodeError:
        if encoding or not guess:
            raise
        near = read()
    if not len(near):
        info = pyogrio.read_info(address, layer=layer, force_total_bounds=True)
        raise _none_near(np.array(info["total_bounds"]), told, season, info["features"])
    # The numbers of features may have gaps; rows have not.
    every = pyogrio.read_dataframe(
        address, layer=layer, columns=[], read_geometry=False, fid_as_index=True
    ).index
    near = near.set_axis(every.get_indexer(near.index) + 1, axis=0).sort_index()
    return near.set_crs(told, allow_override=True)


def read_within(address: str, layer: str, bounds: Bounds, **options: Any) -> gpd.GeoDataFrame:
    """The features of a layer (``find_layer``) whose own bounds meet these, in the layer's CRS.

    No others are read where the file has a spatial index, and none are kept where it has not. The
    index is the number that the file gives a feature; ``options`` are those of
    ``pyogrio.read_dataframe``.
    """
    return pyogrio.read_dataframe(address, layer=layer, bbox=bounds, fid_as_index=True, **options)


def find_layer(file: Path, layer: str | None) -> tuple[str, str]:
    """How GDAL is to open a file, as it is or within a zip, and the layer to read.

    That is the one named, or the only one with geometry. Raises FileNotFoundError, or SeasonError
    for a file that only names other data, is truncated or has no such layer.
    """
    address = _address(file, layer)
    return address, _layer(file, address, layer)


def _address(file: Path, layer: str | None) -> str:
    """How GDAL is to open a file: as it is, or the one layer's file within a zip."""
    if not file.exists():
        raise FileNotFoundError(f"There is no file of polygons '{file}': {FORMATS}.")
    if file.is_dir():
        return str(file)
    with open(file, "rb") as raw:
        head = raw.read(2048)
    if any(pointer in head for pointer in POINTERS):
        raise SeasonError(f"'{file}' only names other data: {FORMATS} with the polygons in it.")
    if file.suffix.lower() == ".shp":
        stated, size = 2 * int.from_bytes(head[24:28], "big"), file.stat().st_size
        if size < stated:
            raise SeasonError(
                f"'{file}' is truncated: it has {size} of {stated} bytes. Copy it again."
            )
    if not zipfile.is_zipfile(file):
        return str(file)
    with zipfile.ZipFile(file) as packed:
        inner = [name for name in packed.namelist() if name.lower().endswith(VECTORS)]
    chosen = [name for name in inner if layer in (None, Path(name).stem)] or inner
    if len(chosen) != 1:
        names = ", ".join(Path(name).stem for name in inner)
        raise SeasonError(
            f"'{file}' holds {names or 'no layer of polygons'}: "
            + ("name one of them (layer)." if inner else f"{FORMATS}.")
        )
    return f"/vsizip/{file.resolve()}/{chosen[0]}"


def _layer(file: str | Path, address: str, layer: str | None) -> str:
    """The layer to read: the one that is named, or the only one with geometry."""
    found = [(str(name), kind) for name, kind in pyogrio.list_layers(address)]
    names = [name for name, kind in found if kind is not None] or [name for name, _ in found]
    if layer is None and len(names) == 1:
        return names[0]
    if layer in names:
        return str(layer)
    told = f"The file '{file}' has {len(names)} layer(s), {', '.join(names)}"
    if layer is None:
        raise SeasonError(f"{told}: name the one with the fields (layer).")
    raise SeasonError(f"{told}, but no layer '{layer}': name one of them (layer).")


def _check_columns(found: list[str], wanted: Sequence[str]) -> None:
    for column in wanted:
        if column not in found:
            raise SeasonError(
                f"The polygons have no column '{column}'; found {', '.join(found) or 'none'}: "
                "name the one that holds the crop."
            )


def _crs(stated: object, given: str | None) -> pyproj.CRS:
    if given is None and stated is None:
        raise SeasonError(
            "The polygons have no coordinate reference system: say which (crs, --labels-crs), such "
            "as EPSG:25833."
        )
    try:
        return pyproj.CRS.from_user_input(stated if given is None else given)
    except ProjError as error:
        raise SeasonError(
            f"'{given or stated}' is no coordinate reference system: give a code such as "
            "EPSG:25833 (crs)."
        ) from error


def bounds_in(crs: pyproj.CRS, grid_crs: object, bounds: Bounds) -> Bounds:
    """The bounds of a grid in the CRS of a layer; a little more, where straight lines bend."""
    there = pyproj.Transformer.from_crs(grid_crs, crs, always_xy=True)
    west, south, east, north = there.transform_bounds(*bounds, densify_pts=21)
    if not np.isfinite([west, south, east, north]).all():
        raise SeasonError(
            f"The grid lies outside the area of the polygons' CRS ({crs.name}): check both."
        )
    wider, higher = (east - west) / 100, (north - south) / 100
    return west - wider, south - higher, east + wider, north + higher


def _bounds_in(crs: pyproj.CRS, season: xr.Dataset) -> Bounds:
    return bounds_in(crs, season.rio.crs.to_wkt(), grid_of(season).bounds)


def _none_near(covered: np.ndarray, crs: pyproj.CRS, season: xr.Dataset, count: int) -> SeasonError:
    """What to say of a layer of which nothing lies near the season: only what is found out."""
    if not count:
        return SeasonError("The layer is empty: give another.")
    if not np.isfinite(covered).all():
        return SeasonError(
            f"None of the {count} polygons has coordinates that are numbers: give another layer."
        )
    _check_degrees(covered, crs)
    west, south, east, north = covered
    far = max(abs(west), abs(east)) > 180 or max(abs(south), abs(north)) > 90
    said = f"({_shown(covered, crs.is_geographic)})"
    if crs.is_projected and not far:
        return SeasonError(
            f"The layer says {crs.name}, but its coordinates look like degrees {said}: if they "
            "are, say EPSG:4326 (crs)."
        )
    wanted = _bounds_in(crs, season)
    if shapely.box(south, west, north, east).intersects(shapely.box(*wanted)):
        return SeasonError(
            f"None of the {count} polygons lies in the season, but with x and y exchanged they "
            f"would cover it {said}: exchange them."
        )
    return SeasonError(
        f"None of the {count} polygons lies in the season: they cover "
        f"{_shown(covered, crs.is_geographic)}, the season "
        f"{_shown(np.array(wanted), crs.is_geographic)} ({crs.to_string()}): check the CRS of both."
    )


def _check_degrees(covered: np.ndarray, crs: pyproj.CRS) -> None:
    """Raise SeasonError for coordinates that are no degrees, though the CRS says so."""
    if crs.is_geographic and (np.abs(covered) > (360, 90, 360, 90)).any():
        raise SeasonError(
            f"The layer says degrees ({crs.name}), but its coordinates reach beyond 180 and 90 "
            f"({_shown(covered, True)}): is it in another CRS? Say which (crs)."
        )


def _shown(sides: np.ndarray, degrees: bool) -> str:
    return " ".join(f"{side:.4f}" if degrees else f"{side:.0f}" for side in sides)
