"""The legend: the names and colours of the classes, and which of them is the background, if any."""

import csv
import io
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from stma_nb.files import read_text


class SeasonError(ValueError):
    """The data are not a season cube; the message says what was found, expected and to be done."""


def first_line(error: Exception) -> str:
    """What an error says, in short; some say it over pages, others nothing at all."""
    lines = str(error).splitlines() or [type(error).__name__]
    return lines[0][:160]


class Crop(NamedTuple):
    """A class of the legend; its code is its position in the legend.

    ``background`` says whether the class is what is no crop at all, such as woods and towns. None
    leaves it to the name: see the function ``background``.
    """

    name: str
    colour: str
    background: bool | None = None


UNKNOWN = 255
"""The code in a ``crop`` layer of a pixel whose class nobody knows: no loss and no score counts it.
"""

BRANDENBURG = (
    Crop("Background", "#dddddd"),
    Crop("Maize", "#d55e00"),
    Crop("Wheat", "#f0e442"),
    Crop("Grassland", "#009e73"),
    Crop("Peanut", "#e69f00"),
    Crop("Potato", "#882255"),
    Crop("Residue", "#777777"),
    Crop("Fallow", "#cc79a7"),
    Crop("Rapeseed", "#56b4e9"),
    Crop("Vegetable", "#661100"),
    Crop("Legume", "#332288"),
    Crop("Herb", "#999933"),
    Crop("Orchard", "#117733"),
    Crop("Flower", "#aa4499"),
    Crop("Sugar beet", "#0072b2"),
    Crop("Other", "#000000"),
)
"""The legend of the paper's Brandenburg data set: 15 crops and the background (code 0)."""


def background(crops: Sequence[Crop]) -> int | None:
    """The code of the class that is background, or None if every class is a crop.

    It is the class marked so (``Crop(..., background=True)``). Where no class is marked either way,
    it is the class that is called Background. All scores that leave the background out ask here.

    Raises SeasonError if more than one class is marked.
    """
    marked = [code for code, crop in enumerate(crops) if crop.background]
    if len(marked) > 1:
        names = " and ".join(crops[code].name for code in marked)
        raise SeasonError(f"The legend marks {names} as background: mark one class at most.")
    if marked:
        return marked[0]
    for code, crop in enumerate(crops):
        if crop.background is None and crop.name.casefold() == "background":
            return code
    return None


# ------------------------------------------------------------------------ in a layer's attributes


def legend(season: xr.Dataset) -> tuple[Crop, ...]:
    """The legend that a season's ``crop`` layer carries in its attributes (see ``flags``).

    Names are those of ``class_names`` (a JSON list), or else of the CF attribute ``flag_meanings``,
    where an underscore stands for a blank. The attribute ``background`` names the background class
    ("" for none); without it a class called Background is taken.

    Raises SeasonError without a legend, and for one that contradicts itself.
    """
    if "crop" not in season:
        raise SeasonError(
            "The season has no 'crop' layer: add reference labels from polygons (python -m stma_nb "
            "data labels), or codes (y, x) with legend attributes (cube.flags)."
        )
    attrs = season.crop.attrs
    if "flag_meanings" not in attrs and "class_names" not in attrs:
        raise SeasonError(
            "The 'crop' layer has no legend: set season.crop.attrs.update(cube.flags(...)), or in "
            "crop.tif the tag flag_meanings, such as 'Background Maize Sugar_beet' for the codes "
            "0, 1, 2."
        )
    names = _names(attrs)
    codes = [int(code) for code in np.atleast_1d(attrs.get("flag_values", range(len(names))))]
    if codes != list(range(len(names))):
        raise SeasonError(
            f"The legend's codes are {codes}; expected 0 .. {len(names) - 1} in order: renumber "
            "the classes."
        )
    colours = attrs.get("flag_colors", "").split() or [default_colour(code) for code in codes]
    if len(colours) != len(names):
        raise SeasonError(
            f"The legend has {len(names)} names and {len(colours)} colours: give each class one "
            "(flag_colors)."
        )
    return make_legend(names, colours, attrs.get("background"))


def _names(attrs: dict[str, Any]) -> list[str]:
    """The class names in a layer's attributes, as they were given."""
    if "class_names" not in attrs:
        return [name.replace("_", " ") for name in attrs["flag_meanings"].split()]
    try:
        names = json.loads(attrs["class_names"])
    except ValueError:
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise SeasonError(
            f"The attribute class_names is {attrs['class_names']!r}; expected a JSON list of names."
        )
    return names


def make_legend(
    names: Sequence[str], colours: Sequence[str], named: str | None = None
) -> tuple[Crop, ...]:
    """A legend from names and colours (#rrggbb); ``named`` is the background's name, "" or None.

    "" says that every class is a crop; None, that a class called Background is the background.

    Raises SeasonError for a name that is empty, holds control characters or occurs twice, for a
    colour in another form and for a background that is none of the names.
    """
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise SeasonError(f"The legend names '{repeated[0]}' twice: give each class its own name.")
    for name, colour in zip(names, colours, strict=True):
        if not name.strip():
            raise SeasonError("The legend has a class without a name: give each class one.")
        if any(unicodedata.category(sign) in ("Cc", "Cs") for sign in name if sign not in "\t\n\r"):
            raise SeasonError(
                f"The legend's name {name!r} holds a control character: give the class another."
            )
        if not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
            raise SeasonError(
                f"The colour of '{name}' is '{colour}'; expected six hexadecimal digits after #, "
                "such as #d55e00."
            )
    if named and named not in names:
        raise SeasonError(
            f"The legend's background is '{named}', which is none of its classes "
            f"({', '.join(names)}): name one of them, or nothing if all are crops."
        )
    crops = [Crop(name, colour) for name, colour in zip(names, colours, strict=True)]
    by_name = background(crops)
    if named is None or named == ("" if by_name is None else names[by_name]):
        return tuple(crops)  # the names say it already
    if named:
        code = list(names).index(named)
        crops[code] = crops[code]._replace(background=True)
    elif by_name is not None:
        crops[by_name] = crops[by_name]._replace(background=False)
    return tuple(crops)


def default_colour(code: int) -> str:
    """A colour for a class that was given none."""
    return BRANDENBURG[code % len(BRANDENBURG)].colour


def flags(crops: Sequence[Crop]) -> dict[str, Any]:
    """Attributes that write a legend into a label layer; ``legend`` reads it back as it was.

    ``flag_values``, ``flag_meanings`` and ``flag_colors`` follow the CF conventions, which know no
    blanks within a name; ``class_names`` holds the names as they are.
    """
    code = background(crops)
    return {
        "flag_values": list(range(len(crops))),
        "flag_meanings": " ".join("_".join(crop.name.split()) for crop in crops),
        "flag_colors": " ".join(crop.colour for crop in crops),
        "class_names": json.dumps([crop.name for crop in crops]),
        "background": "" if code is None else crops[code].name,
    }


def same_classes(one: Sequence[Crop], other: Sequence[Crop]) -> str:
    """In words, where two legends differ in a name or in their background; empty if they do not."""
    if len(one) != len(other):
        return f"{len(one)} classes against {len(other)}"
    for code, (a, b) in enumerate(zip(one, other, strict=True)):
        if a.name != b.name:
            return f"code {code} is {a.name} against {b.name}"
    codes = background(one), background(other)
    if codes[0] != codes[1]:
        here, there = ("none" if code is None else one[code].name for code in codes)
        return f"the background is {here} against {there}"
    return ""


# --------------------------------------------------------------------------------------- in a file


def read_legend(path: str | Path) -> tuple[Crop, ...]:
    """The legend in a CSV file with the columns code and name, and perhaps colour and background.

    Codes are 0 .. K-1. ``background`` is filled (yes, 1, x) for the class that is the background.

    Raises FileNotFoundError, or SeasonError for a file that is no legend.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no legend at '{path}': give a CSV with code and name.")
    try:
        rows = list(csv.DictReader(io.StringIO(read_text(path), newline="")))
    except csv.Error as error:
        raise SeasonError(f"'{path.name}' cannot be read as CSV ({error}).") from error
    found = list(rows[0]) if rows else []
    if not {"code", "name"} <= set(found):
        raise SeasonError(
            f"'{path.name}' has the columns {', '.join(map(str, found)) or 'none'}; expected code "
            "and name, and perhaps colour and background."
        )
    codes = [str(row["code"]).strip() for row in rows]
    if sorted(codes, key=lambda code: (len(code), code)) != [str(n) for n in range(len(rows))]:
        raise SeasonError(
            f"'{path.name}' has the codes {', '.join(codes)}; expected 0 .. {len(rows) - 1}, each "
            "once: recode the rasters, 0 for the first class."
        )
    rows.sort(key=lambda row: int(row["code"]))
    names = [row["name"] or "" for row in rows]
    colours = [row.get("colour") or default_colour(int(row["code"])) for row in rows]
    if "background" not in found:
        return make_legend(names, colours)
    marked = [row["name"] for row in rows if (row["background"] or "").strip().lower() not in NO]
    if len(marked) > 1:
        raise SeasonError(f"'{path.name}' marks {' and '.join(marked)} as background: mark one.")
    return make_legend(names, colours, marked[0] if marked else "")


NO = ("", "0", "no", "false")
