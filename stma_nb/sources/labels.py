"""Crop labels from polygons: fields, mapped or declared, burnt into the grid of a season.

A pixel belongs to the polygon that holds its centre.
"""

import csv
import itertools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from rasterio.features import rasterize

from stma_nb import cube
from stma_nb.cube import Crop, SeasonError, class_name
from stma_nb.extras import needs
from stma_nb.sources.polygons import Grid, grid_of, polygons_of_season

with needs("stac"):
    import geopandas as gpd

MOST = 8  # names told in a message
Names = Mapping[object, str]  # what polygons say -> name of a class


def rasterise(
    polygons: gpd.GeoDataFrame | str | Path,
    season: xr.Dataset,
    column: str,
    crops: Sequence[Crop] | None = None,
    mapping: Names | None = None,
    edge: str = "keep",
    overlap: str = "refuse",
    layer: str | None = None,
    encoding: str | None = None,
    crs: str | None = None,
    rest: str | None = None,
    outside: str = "background",
) -> xr.Dataset:
    """The season with ``crop`` and ``parcel`` (y, x) from polygons of fields.

    ``crop`` is uint8 and holds its legend, ``parcel`` is int32.

    Args:
        polygons: a GeoDataFrame, or a file that GDAL reads (GeoPackage, GeoJSON, Shapefile; also
            within a zip file); any CRS. Of a file only what lies in the season is read.
        season: where to.
        column: which column of the polygons names the crop, in words or numbers.
        crops: the legend, code 0 the background (default: 'Background' and the names that occur, in
            order of the alphabet, or of size where they are numbers).
        mapping: from what the column says to names of the legend; needed where they differ
            (``read_mapping`` reads it from a table). 'Background' leaves a crop out, and "" stands
            for what has no name.
        edge: "drop" makes pixels that a border crosses ``cube.UNKNOWN``, parcel 0: their radar
            signal is of two fields.
        overlap: pixels in several polygons: "refuse" them, or give them to the "first" polygon of
            the file.
        layer: which layer of a file with several.
        encoding: of the file's text, such as "cp1250", if the file does not say it.
        crs: of the coordinates, if the layer does not say it or says it wrong.
        rest: the class of every name that ``mapping`` does not list.
        outside: a pixel outside all polygons is of no parcel, and "background" (crop 0), which is
            right where the polygons are all fields that there are; or "unknown", where they are
            some that were surveyed.

    The parcel number is the polygon's row in the file, from 1; ``season.parcel > 0`` says where
    labels are known. White space of any kind in a name becomes one blank. What was left out is told
    in ``parcel.attrs["comment"]``. Raises SeasonError if polygons and season do not fit, or
    FileNotFoundError.
    """
    for name, value, options in (
        ("edge", edge, ("keep", "drop")),
        ("overlap", overlap, ("refuse", "first")),
        ("outside", outside, ("background", "unknown")),
    ):
        if value not in options:
            raise SeasonError(f"{name} is '{value}'; expected '{options[0]}' or '{options[1]}'.")
    if rest is not None and not mapping:
        raise SeasonError(
            f"rest is '{rest}' without a table of names, so every crop would be it: give the table "
            "(mapping), or leave rest out."
        )
    fields = polygons_of_season(polygons, season, [column], layer, encoding, crs)
    classes = _classes(fields[column], mapping or {}, rest)
    crops, code = _codes(fields[column], classes, crops)
    grid = grid_of(season)

    # Later shapes overwrite earlier ones: burnt backwards, the first polygon of the file wins.
    parcel = _burn(fields[::-1], grid)
    comments = [fields.attrs["comment"]] if "comment" in fields.attrs else []
    double = _overlaps(fields, parcel, grid, overlap)
    if double:
        comments.append(double)
    empty = len(fields.index.difference(np.unique(parcel)))
    if empty:
        comments.append(f"{empty} polygons hold no pixel")
    border = np.zeros(grid.shape, bool)
    if edge == "drop":
        crossed = rasterize(fields.boundary, grid.shape, transform=grid.transform, all_touched=True)
        border = (crossed > 0) & (parcel > 0)
        parcel[border] = 0
        comments.append(f"{border.sum()} pixels on borders left out")
    if not parcel.any():
        left = " that no border crosses" if edge == "drop" else ""
        raise SeasonError(
            f"No polygon holds a pixel of the season{left}: a pixel belongs to the polygon that "
            "holds its centre."
        )
    code_of = np.zeros(fields.index.max() + 1, "uint8")  # by parcel number; 0 outside parcels
    code_of[fields.index] = code
    crop = code_of[parcel]
    crop[border] = cube.UNKNOWN
    if outside == "unknown":
        crop[parcel == 0] = cube.UNKNOWN
    crop_attrs = {"long_name": "crop", **cube.flags(crops)}
    parcel_attrs = {"long_name": "parcel"}
    if comments:
        parcel_attrs["comment"] = "; ".join(comments)
    return season.assign(
        crop=(("y", "x"), crop, crop_attrs), parcel=(("y", "x"), parcel, parcel_attrs)
    )


def read_mapping(path: str | Path) -> dict[object, str]:
    """A table for ``rasterise``: what the polygons say, and the class that it belongs to.

    A CSV (comma, semicolon or tab) with the columns ``name`` (or ``code``) and ``class``; others
    are left alone. Raises FileNotFoundError, or SeasonError for a file that is no such table.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no table '{path}': give a CSV with name and class.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise SeasonError(
            f"The text of '{path.name}' is not UTF-8: save the table as CSV UTF-8."
        ) from error
    heading = text.partition("\n")[0]
    rows = csv.DictReader(text.splitlines(), delimiter=max(",;\t", key=heading.count))
    found = [name.strip().casefold() for name in rows.fieldnames or ()]
    rows.fieldnames = found
    key = next((name for name in ("name", "code") if name in found), None)
    if key is None or "class" not in found:
        raise SeasonError(
            f"'{path.name}' has the columns {', '.join(found) or 'none'}; expected name (or code) "
            "and class."
        )
    mapping: dict[object, str] = {}
    for row in rows:
        name, named = class_name(row[key]), class_name(row["class"])
        if not named:
            raise SeasonError(f"'{path.name}' gives '{name}' no class: name one for each row.")
        if mapping.setdefault(name, named) != named:
            raise SeasonError(
                f"'{path.name}' gives '{name}' two classes, {mapping[name]} and {named}: keep one."
            )
    return mapping


def _order(name: str) -> tuple:
    """Numbers first, by size; then words, by the alphabet."""
    number = re.fullmatch(r"-?\d+(\.\d+)?", name)
    return (0, float(name), name) if number else (1, 0.0, name)


def _burn(fields: gpd.GeoDataFrame, grid: Grid) -> np.ndarray:
    """The number of the polygon that holds each pixel's centre; of several the last."""
    numbered = zip(fields.geometry, fields.index, strict=True)
    return rasterize(numbered, grid.shape, transform=grid.transform, dtype="int32")


def _classes(names: pd.Series, mapping: Names, rest: str | None) -> pd.Series:
    """The class that each polygon names; "" for none. Raises SeasonError for doubtful names."""
    named = {class_name(name): class_name(wanted) for name, wanted in mapping.items()}
    said = names.map(class_name)
    if rest is not None:
        named = dict.fromkeys(set(said) - {""}, rest) | named
    own = names[~said.isin(list(named))]
    raw: dict[str, object] = {}
    for name in pd.unique(own.dropna()):
        shown = class_name(name)
        if shown and raw.setdefault(shown, name) != name:
            raise SeasonError(
                f"The names {raw[shown]!r} and {name!r} of '{names.name}' look the same: give both "
                "one name in the file, or one class (mapping)."
            )
        if _misread(shown):
            raise SeasonError(
                f"The name {shown!r} of '{names.name}' holds the marks of a wrong reading: say "
                "what the file's text is (encoding), such as utf-8, or rename it (mapping)."
            )
    return said.map(lambda name: named.get(name, name))


def _misread(name: str) -> bool:
    """Whether a name was read in another encoding than it was written, as 'MaÃ¯s'."""
    if any(mark == "\ufffd" or mark < " " or "\x7f" <= mark < "\xa0" for mark in name):
        return True
    for encoding in ("cp1252", "latin-1"):
        try:
            return name.encode(encoding).decode("utf-8") != name
        except UnicodeError:
            continue
    return False


def _codes(
    names: pd.Series, classes: pd.Series, crops: Sequence[Crop] | None
) -> tuple[tuple[Crop, ...], np.ndarray]:
    """(legend, code of each polygon), from what the polygons say and the class of each."""
    if crops is None:
        found = ["Background", *sorted(set(classes) - {"Background", ""}, key=_order)]
        if len(found) > cube.UNKNOWN:  # which is a code of its own
            raise SeasonError(
                f"'{names.name}' has {len(found) - 1} names; expected at most 254 crops: "
                "group them (mapping)."
            )
        # Brandenburg's colours in turn, so that neighbours in the legend differ.
        colours = itertools.cycle(crop.colour for crop in cube.BRANDENBURG)
        crops = tuple(map(Crop, found, colours))
    code = classes.map({crop.name: i for i, crop in enumerate(crops)})
    unknown = code.isna()
    if unknown.any():
        counts = names[unknown].map(class_name).value_counts()
        told = [f"{name or 'no name'} ({count} polygons)" for name, count in counts.items()]
        more = f" and {len(told) - MOST} more" if len(told) > MOST else ""
        raise SeasonError(
            f"{len(counts)} crop names have no class: {', '.join(told[:MOST])}{more}; "
            f"map each to one of {'; '.join(crop.name for crop in crops)} (mapping; a row with an "
            "empty name is for polygons without one)."
        )
    return tuple(crops), code.to_numpy("uint8")


def _overlaps(fields: gpd.GeoDataFrame, first: np.ndarray, grid: Grid, overlap: str) -> str:
    """What to say of pixels in several polygons ('' if there are none).

    ``first`` holds the first polygon of each pixel. Raises SeasonError if overlaps are refused.
    """
    # A pixel whose first polygon is not its last lies in several.
    last = _burn(fields, grid)
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
