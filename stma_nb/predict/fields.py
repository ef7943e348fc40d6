"""From a map of pixels to a layer of fields: the class of each, how certain it is, and its area.

Outlines are those of parcels, from a file, or those of the map itself. Rasters are read tile by
tile, so that memory grows with the fields and not with the pixels.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import rasterio
import xarray as xr
from pyproj import CRS, Geod
from pyproj.exceptions import ProjError
from rasterio import Affine, windows
from rasterio.features import rasterize, shapes
from rasterio.windows import Window
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from stma_nb import cube
from stma_nb.cube import Crop, SeasonError
from stma_nb.extras import needs
from stma_nb.predict.products import least_pixels, sieve
from stma_nb.predict.tiles import NODATA, Tile, tile_grid

with needs("fields"):
    import geopandas as gpd
    import pyogrio
    import shapely
    from pyogrio.errors import DataLayerError, DataSourceError
    from shapely.errors import GEOSException

    from stma_nb.sources.polygons import Bounds, bounds_in, find_layer, read_within

TILE = 1024  # pixels: rasters are read in tiles of this side
PARQUET = (".parquet", ".geoparquet")
PIECE = 50_000  # rows of a GeoParquet file that are looked at together


# --------------------------------------------------------------------------------------- outlines


def read_outlines(
    path: str | Path, grid: xr.Dataset | xr.DataArray, layer: str | None = None
) -> gpd.GeoDataFrame:
    """The polygons of a file that touch a season or a map, with all their attributes.

    In the layer's own CRS, read by the bounds of the ``grid`` alone. The index is the number that
    the file gives a polygon (FID; in GeoParquet the row, from 0). What was left out is told in
    ``attrs["left out"]``. ``layer`` names one of several layers.

    Raises FileNotFoundError, or SeasonError for a file that cannot be read, a layer that is not
    clear, without CRS or of other shapes than polygons, and if no polygon touches the grid.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(
            f"There is no file of parcels '{path}': give a GeoPackage, GeoParquet, GeoJSON or "
            "Shapefile."
        )
    with _naming(path):
        if path.suffix.lower() in PARQUET:
            outlines, everything = _read_parquet(path, grid)
        else:
            outlines, everything = _read_layer(path, grid, layer)
        _check_polygons(path, outlines)
        here = outlines.to_crs(grid.rio.crs)
        if not np.isfinite(here.bounds).all(axis=None):
            raise SeasonError(
                f"'{path.name}' holds polygons that reach beyond what the map's projection can "
                "show: cut them to the region."
            )
        outlines = outlines[here.intersects(shapely.box(*grid.rio.bounds(recalc=True)))]
    if not len(outlines):
        raise SeasonError(
            f"None of the {everything} polygons of '{path.name}' touches the map: check the CRS of "
            "both."
            if everything
            else f"'{path.name}' holds no polygons; expected those of parcels."
        )
    if missing := everything - len(outlines):
        told = f"{missing} of {everything} polygons do not touch the map and were left out"
        outlines.attrs["left out"] = told
    return outlines


def _read_parquet(path: Path, grid: xr.Dataset | xr.DataArray) -> tuple[gpd.GeoDataFrame, int]:
    """The rows whose outlines meet the grid's bounds, and how many the file has.

    A GeoParquet file has no index of places, so all of it is looked at, piece by piece.
    """
    parquet = need_parquet()
    try:
        file = parquet.ParquetFile(path)
        about = json.loads((file.schema_arrow.metadata or {})[b"geo"])
        name, columns = about["primary_column"], about["columns"]
    except KeyError as error:
        raise DataSourceError(
            "it does not say where its geometry is, as GeoParquet does"
        ) from error
    except (ValueError, OSError) as error:  # of Arrow, for what is no Parquet
        raise DataSourceError(str(error)) from error
    if columns[name]["encoding"] != "WKB":
        raise DataSourceError(f"its geometry is {columns[name]['encoding']}; expected WKB")
    told = columns[name].get("crs", "OGC:CRS84")  # where nothing is said; null is not known
    crs = None if told is None else CRS.from_user_input(told)
    box = shapely.box(*_bounds_in(path, crs, grid))
    near, numbers, count = [], [], 0
    for piece in file.iter_batches(PIECE):
        shapes = shapely.from_wkb(piece.column(name).to_numpy(zero_copy_only=False))
        here = shapely.intersects(shapes, box)
        near.append(piece.filter(here))
        numbers.append(count + np.flatnonzero(here))
        count += len(piece)
    empty = file.schema_arrow.empty_table()
    rows = type(empty).from_batches(near, empty.schema).to_pandas(ignore_metadata=True)
    rows = rows.set_axis(np.concatenate([np.zeros(0, int), *numbers]), axis=0)
    rows = rows.drop(columns=[name for name in rows if name.startswith("__index_level_")])
    for column in columns:
        rows[column] = gpd.GeoSeries.from_wkb(rows[column], crs=crs)
    return gpd.GeoDataFrame(rows, geometry=name, crs=crs), count


def need_parquet() -> Any:
    """What reads and writes GeoParquet; ImportError, which says what to install, without it."""
    import importlib

    with needs("fields"):
        importlib.import_module("pyarrow")  # GeoPandas calls it to write
        return importlib.import_module("pyarrow.parquet")


def _read_layer(
    path: Path, grid: xr.Dataset | xr.DataArray, layer: str | None
) -> tuple[gpd.GeoDataFrame, int]:
    """The features of a layer whose bounds meet the grid's, and how many the layer has."""
    address, layer = find_layer(path, layer)
    about = pyogrio.read_info(address, layer=layer, force_feature_count=True)
    if about["geometry_type"] is None:
        raise SeasonError(f"'{path.name}' holds no layer with shapes; expected polygons.")
    box = _bounds_in(path, about["crs"], grid)
    return read_within(address, layer, box, force_2d=True), about["features"]


def _bounds_in(path: Path, crs: object, grid: xr.Dataset | xr.DataArray) -> Bounds:
    """The bounds of a grid in the CRS of a layer; SeasonError if it has none."""
    if crs is None:
        raise SeasonError(
            f"The polygons of '{path.name}' have no coordinate reference system: give the layer "
            "the one it was drawn in."
        )
    bounds = grid.rio.bounds(recalc=True)
    return bounds_in(CRS.from_user_input(crs), grid.rio.crs.to_wkt(), bounds)


def _check_polygons(path: Path, outlines: gpd.GeoDataFrame) -> None:
    kinds = sorted(set(outlines.geom_type.dropna()) - {"Polygon", "MultiPolygon"})
    if kinds:
        raise SeasonError(
            f"'{path.name}' holds {', '.join(kinds)}; expected polygons of parcels: give another "
            "layer."
        )
    taken = [name for name in outlines if str(name).casefold() in COLUMNS]
    if taken:
        raise SeasonError(
            f"'{path.name}' has a column '{taken[0]}' already, as a table of fields has: give the "
            "parcels as they were before."
        )


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Errors of the libraries that read polygons, in one sentence."""
    try:
        yield
    except (DataSourceError, DataLayerError, ProjError, GEOSException) as error:
        why = " ".join(str(error).split(";")[0].split()).rstrip(".")
        raise SeasonError(f"'{path.name}' cannot be read as polygons: {why}.") from error


def map_outlines(path: str | Path, least_hectares: float) -> gpd.GeoDataFrame:
    """The polygons of a map's own clumps above a minimum mapping unit, in the CRS of the map.

    Smaller clumps go to their largest neighbour first (``sieve``, which holds the whole map in
    memory, some bytes a pixel). Those that have none are left out, as ``attrs["left out"]`` tells.
    Polygons are numbered from 1 (the index).
    """
    with open_map(path) as tif:
        grid = cube.open_layer(path).to_dataset(name="crop")
        pixels = least_pixels(grid, least_hectares)
        codes = tif.read(1)
        if tif.nodata not in (None, NODATA):
            codes[codes == tif.nodata] = NODATA
        codes = codes if pixels == 1 else sieve(codes, pixels)
        clumps = _polygons(codes, tif.transform)
        size = shapely.area(clumps) / abs(tif.transform.determinant)
        large = clumps[size > pixels - 0.5]
        outlines = gpd.GeoDataFrame(
            geometry=large, crs=tif.crs, index=pd.RangeIndex(1, len(large) + 1)
        )
    if not len(large):
        raise SeasonError(
            f"'{Path(path).name}' has no clump of {least_hectares:g} ha or more: ask for a smaller "
            "unit."
        )
    if small := len(clumps) - len(large):
        outlines.attrs["left out"] = (
            f"{small} clumps below {least_hectares:g} ha have no neighbour to go to and were left "
            "out"
        )
    return outlines


def _polygons(codes: np.ndarray, transform: Affine) -> np.ndarray:
    """Polygons of the clumps of codes (rows, columns) that hang together by sides of pixels.

    Made tile by tile; the pieces of a clump in several tiles are put together.
    """
    whole, pieces, classes = [], [], []
    for rows, columns in tile_grid(codes.shape, TILE):
        part = codes[rows, columns]
        found = list(shapes(part, part != NODATA))  # in pixels of the tile: exact numbers
        polygons = np.array([shapely.geometry.shape(shape) for shape, _ in found], object)
        sides = shapely.bounds(polygons).reshape(-1, 4)
        inner = (sides[:, :2] > 0).all(1) & (sides[:, 2:] < part.shape[::-1]).all(1)
        placed = shapely.transform(polygons, np.array((columns.start, rows.start)).__add__)
        whole.append(placed[inner])
        pieces.append(placed[~inner])
        classes.append(np.array([code for _, code in found])[~inner])
    clumps = np.concatenate([*whole, _join(np.concatenate(pieces), np.concatenate(classes))])
    to_map = np.array(transform).reshape(3, 3)[:2]
    return shapely.transform(clumps, lambda points: points @ to_map[:, :2].T + to_map[:, 2])


def _join(pieces: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Pieces of one class that share a side, put together."""
    if not len(pieces):
        return pieces
    one, other = shapely.STRtree(pieces).query(pieces, predicate="touches")
    same = classes[one] == classes[other]
    one, other = one[same], other[same]
    # Those that meet in a corner alone share no length.
    beside = shapely.length(shapely.intersection(pieces[one], pieces[other])) > 0
    links = coo_array(
        (np.ones(beside.sum()), (one[beside], other[beside])), (len(pieces), len(pieces))
    )
    clump = connected_components(links, directed=False)[1]
    order = np.argsort(clump, kind="stable")
    groups = np.split(pieces[order], np.flatnonzero(np.diff(clump[order])) + 1)
    return np.array([shapely.union_all(group) for group in groups], object)


# ------------------------------------------------------------------------------------- the rasters


@contextmanager
def open_map(path: str | Path) -> Iterator[rasterio.DatasetReader]:
    """A map as ``map`` writes it: one band of uint8 in projected metres, whole."""
    with _open(path) as tif:
        if tif.count != 1 or tif.dtypes[0] != "uint8":
            raise SeasonError(
                f"'{Path(path).name}' has {tif.count} band(s) of {tif.dtypes[0]}; expected a map: "
                "one band of uint8, the class codes."
            )
        if tif.crs is None or not tif.crs.is_projected:
            raise SeasonError(
                f"'{Path(path).name}' is in {tif.crs or 'no coordinate reference system'}; "
                "expected a map in projected metres."
            )
        yield tif


@contextmanager
def open_beside(
    path: str | Path, tif: rasterio.DatasetReader, bands: int
) -> Iterator[rasterio.DatasetReader]:
    """A raster of so many bands on the grid of a map, such as its probabilities or its entropy."""
    with _open(path) as beside:
        if beside.count != bands:
            raise SeasonError(
                f"'{Path(path).name}' has {beside.count} band(s); expected {bands}: is it of "
                f"another map than '{Path(tif.name).name}'?"
            )
        same = beside.crs == tif.crs and beside.shape == tif.shape
        if not (same and beside.transform.almost_equals(tif.transform, precision=1e-3)):
            raise SeasonError(
                f"'{Path(path).name}' and '{Path(tif.name).name}' lie on different grids; expected "
                "files of one map."
            )
        yield beside


@contextmanager
def _open(path: str | Path) -> Iterator[rasterio.DatasetReader]:
    if not Path(path).is_file():
        raise FileNotFoundError(f"There is no file '{path}'; expected a GeoTIFF.")
    with cube.open_whole(Path(path)) as tif:
        yield tif


def map_legend(path: str | Path) -> tuple[Crop, ...]:
    """The legend in the tags of a map; SeasonError for what is no map or has no legend."""
    with open_map(path):
        layer = cube.open_layer(path)
    if not {"flag_meanings", "class_names"} & set(layer.attrs):
        raise SeasonError(
            f"'{Path(path).name}' carries no legend; expected a map that 'map' wrote, with the "
            "names of its classes."
        )
    return cube.legend(layer.to_dataset(name="crop"))


# --------------------------------------------------------------------------------------- the vote

COLUMNS = (
    "map_parcel",
    "map_class",
    "map_code",
    "map_share",
    "map_second",
    "map_probability",
    "map_pixels",
    "map_hectares",
    "map_note",
)


def field_table(
    path: str | Path, outlines: gpd.GeoDataFrame, probabilities: str | Path | None = None
) -> gpd.GeoDataFrame:
    """What the pixels of a map vote in each outline, beside the outlines' own attributes.

    A pixel votes in every outline that holds its centre, so overlapping parcels count all of their
    own. A tie goes to the lower code. Added are

    * ``map_parcel``: the outline's number (its index);
    * ``map_class``, ``map_code``: the class that most pixels got;
    * ``map_share``: the share of the pixels that did, its certainty; ``map_second``: the class that
      comes next, if any;
    * ``map_probability``: the mean probability of ``map_class``, from the GeoTIFF
      ``probabilities``, which ``map`` writes beside a map; the column is missing without it;
    * ``map_pixels``: the pixels with data; ``map_hectares``: the true area of the outline, on the
      ellipsoid;
    * ``map_note``: "holds no pixel" (smaller than one), "no data", "partly outside the map",
      "partly without data", or empty.

    Raises FileNotFoundError, or SeasonError for a map without legend, with codes outside it, or
    probabilities of another map.
    """
    crops = map_legend(path)
    with (
        open_map(path) as tif,
        open_beside(probabilities, tif, len(crops)) if probabilities else nullcontext() as shares,
    ):
        shapes = outlines.to_crs(tif.crs).geometry.values
        # What crosses itself is cut into valid pieces.
        shapes = shapely.make_valid(shapes, method="structure", keep_collapsed=False)
        votes, sums, centres = _count(tif, shares, shapes, len(crops))
        edge = min(tif.res) / 100  # coordinates that were brought to another CRS are not exact
        outside = ~shapely.covered_by(shapes, shapely.box(*tif.bounds).buffer(edge))
        hectares = _hectares(gpd.GeoSeries(shapes, crs=tif.crs))
    pixels = votes.sum(1)
    code = cube.elected(votes)
    first = votes.argmax(1)[:, None]
    rest = votes.copy()
    np.put_along_axis(rest, first, 0, axis=1)
    second = cube.elected(rest)
    names = np.array([*(crop.name for crop in crops), None], object)
    notes = ("holds no pixel", "no data", "partly outside the map", "partly without data")
    with np.errstate(invalid="ignore"):  # no pixels: no share
        table = outlines.assign(
            map_parcel=outlines.index,
            map_class=names[code.to_numpy(int, na_value=-1)],
            map_code=code,
            map_share=votes.max(1) / pixels,
            map_second=names[second.to_numpy(int, na_value=-1)],
            map_probability=np.take_along_axis(sums, first, axis=1)[:, 0] / pixels,
            map_pixels=pixels,
            map_hectares=hectares,
            map_note=np.select(
                [centres == 0, pixels == 0, outside, pixels < centres], notes, ""
            ).astype(object),
        )
    if shares is None:
        table = table.drop(columns="map_probability")
    return table


def _count(
    tif: rasterio.DatasetReader,
    shares: rasterio.DatasetReader | None,
    shapes: np.ndarray,
    classes: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Votes and sums of probabilities (P, K) of the shapes' pixels with data, and the number (P,)
    of all their pixels.
    """
    votes = np.zeros((len(shapes), classes), np.int64)
    sums = np.zeros((len(shapes), classes))
    centres = np.zeros(len(shapes), np.int64)
    tree = shapely.STRtree(shapes)
    for rows, columns in tile_grid(tif.shape, TILE):
        window = Window.from_slices(rows, columns)
        here = tree.query(shapely.box(*tif.window_bounds(window)))
        if not len(here):
            continue
        codes = tif.read(1, window=window, masked=True)
        known = ~np.ma.getmaskarray(codes) & (codes.data != NODATA)
        if (highest := codes.data.max(initial=0, where=known)) >= classes:
            raise SeasonError(
                f"'{Path(tif.name).name}' holds code {highest}, outside its legend (0 .. "
                f"{classes - 1})."
            )
        values = None if shares is None else shares.read(window=window) * shares.scales[0]
        transform = tif.window_transform(window)
        for number, box in zip(here, _boxes(shapes[here], transform, codes.shape), strict=True):
            cut, inside = _inside(shapes[number], box, transform)
            centres[number] += inside.sum()
            inside &= known[cut]
            votes[number] += np.bincount(codes.data[cut][inside], minlength=classes)
            if values is not None:
                sums[number] += values[:, *cut][:, inside].sum(1)
    return votes, sums, centres


def _boxes(shapes: np.ndarray, transform: Affine, shape: tuple[int, int]) -> list[Tile]:
    """Rows and columns of a tile within which each of the shapes lies."""
    west, south, east, north = shapely.bounds(shapes).T
    x, y = np.stack([west, east, west, east]), np.stack([south, south, north, north])
    to_pixels = ~transform
    columns = to_pixels.a * x + to_pixels.b * y + to_pixels.c
    rows = to_pixels.d * x + to_pixels.e * y + to_pixels.f
    low = [np.floor(axis.min(0)).clip(0).astype(int) for axis in (rows, columns)]
    high = [
        np.ceil(axis.max(0)).clip(0, size).astype(int)
        for axis, size in zip((rows, columns), shape, strict=True)
    ]
    return [
        (slice(top, bottom), slice(left, right))
        for top, left, bottom, right in zip(*low, *high, strict=True)
    ]


def _inside(shape: shapely.Geometry, box: Tile, transform: Affine) -> tuple[Tile, np.ndarray]:
    """A box of a tile, and which of its pixels have their centre in the shape (a mask)."""
    rows, columns = box
    size = max(0, rows.stop - rows.start), max(0, columns.stop - columns.start)
    if 0 in size:
        return box, np.zeros(size, bool)
    corner = windows.transform(Window.from_slices(rows, columns), transform)
    return box, rasterize([shape], size, transform=corner, dtype="uint8") == 1


def _hectares(shapes: gpd.GeoSeries) -> np.ndarray:
    """True areas on the ellipsoid, whatever the projection (Karney's algorithm in PROJ)."""
    earth = Geod(ellps="WGS84")
    round_ = shapely.orient_polygons(shapes.to_crs("EPSG:4326").values)
    return np.array([earth.geometry_area_perimeter(shape)[0] for shape in round_]) / 10_000
