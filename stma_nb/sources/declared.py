"""Crops that farmers declared, from open data of states, as labels of your season.

Every farm in the European Union that asks for support declares what grows on which field; many
states publish that. ``TABLE`` says where, under which terms, and in which column the crop stands.
The addresses are those that the converters of fiboa use (https://github.com/fiboa/cli); states move
their files, so an address may be out of date.
"""

import csv
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from stma_nb.cube import BRANDENBURG, Crop, SeasonError
from stma_nb.sources import fetch
from stma_nb.sources.labels import Names, rasterise
from stma_nb.sources.polygons import polygons_of_season


class Declared(NamedTuple):
    """Where the declared crops of a region are, and how to read them."""

    title: str
    address: str
    licence: str
    terms: str  # the address of the licence
    column: str  # names the crop
    form: str  # of the file
    layer: str | None = None  # of a file with several
    since: str | None = None  # the column that says since when a field is so
    note: str = ""


BY_DE = ("DL-DE-BY 2.0", "https://www.govdata.de/dl-de/by-2-0")
CC0 = ("CC0 1.0", "https://creativecommons.org/publicdomain/zero/1.0/")
CC_BY = ("CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/")
UNPACK = "unpack it yourself (7-Zip) and give the GeoPackage as --file"
GML = "the crop is an XML attribute that GDAL reads only with a schema; convert it yourself"

TABLE = {
    "brandenburg": Declared(
        "Brandenburg and Berlin, Germany",
        "https://data.geobasis-bb.de/geofachdaten/Landwirtschaft/antrag.zip",
        *BY_DE,
        "code",
        "Shapefile (zip)",
        since="guelt_von",
        note="of the current year; grouped to the paper's classes",
    ),
    "nrw": Declared(
        "North Rhine-Westphalia, Germany",
        "https://www.opengeodata.nrw.de/produkte/umwelt_klima/bodennutzung/landwirtschaft/"
        "LFK-AKTI_EPSG25832_Shape.zip",
        *BY_DE,
        "NUTZ_TXT",
        "Shapefile (zip)",
        since="GUELT_VON",
        note="of the current year",
    ),
    "lower-saxony": Declared(
        "Lower Saxony, Bremen and Hamburg, Germany",
        "https://sla.niedersachsen.de/mapbender_sla/download/schlaege_aktuell_2025.zip",
        *BY_DE,
        "NC_FESTG",
        "Shapefile (zip)",
        layer="UD_25_S",
        note="2021 to 2025; codes as in Brandenburg, 2025 in the address",
    ),
    "netherlands": Declared(
        "Netherlands",
        "https://service.pdok.nl/rvo/gewaspercelen/atom/downloads/"
        "brpgewaspercelen_definitief_2024.gpkg",
        *CC0,
        "gewas",
        "GeoPackage",
        note="2020 to 2025 in this form",
    ),
    "flanders": Declared(
        "Flanders, Belgium",
        "https://www.landbouwvlaanderen.be/bestanden/gis/"
        "Landbouwgebruikspercelen_2024_-_Definitief_(extractie_27-03-2025)_GPKG.zip",
        "Modellicentie gratis hergebruik 1.0",
        "https://data.vlaanderen.be/id/licentie/modellicentie-gratis-hergebruik/v1.0",
        "GWSNAM_H",
        "GeoPackage (zip)",
        note="2018 to 2026",
    ),
    "wallonia": Declared(
        "Wallonia, Belgium",
        "https://geoservices.wallonie.be/geotraitement/spwdatadownload/get/"
        "2a0d9be0-ac3d-443e-9db0-a7cfb0f128e2/LU_ExistingLandUse_SIGEC2022.gml.zip",
        "no conditions (INSPIRE)",
        "https://inspire-geoportal.ec.europa.eu/srv/eng/catalog.search#/metadata/"
        "2a0d9be0-ac3d-443e-9db0-a7cfb0f128e2",
        "",
        "GML (zip)",
        layer="ExistingLandUseObject",
        note=f"2022; {GML}",
    ),
    "denmark": Declared(
        "Denmark",
        "https://landbrugsgeodata.fvm.dk/Download/Marker/Marker_2024.zip",
        *CC0,
        "Afgroede",
        "Shapefile (zip)",
        note="2008 to 2024",
    ),
    "austria": Declared(
        "Austria",
        "https://inspire.lfrz.gv.at/009501/ds/inspire_schlaege_2024-2_polygon.gpkg.zip",
        *CC_BY,
        "SNAR_BEZEICHNUNG",
        "GeoPackage (zip)",
        note="2018 to 2025",
    ),
    "france": Declared(
        "France",
        "https://data.geopf.fr/telechargement/download/RPG/"
        "RPG_2-2__GPKG_LAMB93_FXX_2023-01-01/RPG_2-2__GPKG_LAMB93_FXX_2023-01-01.7z",
        "Licence Ouverte (Etalab)",
        "https://etalab.gouv.fr/licence-ouverte-open-licence",
        "code_cultu",
        "GeoPackage (7z)",
        note=f"2023; {UNPACK}",
    ),
    "czechia": Declared(
        "Czechia",
        "https://mze.gov.cz/public/app/eagriapp/Files/"
        "geoprostor_zadosti23_2024-08-01_202409261243_epsg4258.zip",
        *CC0,
        "PLOD_NAZE",
        "Shapefile (zip)",
        note="2023",
    ),
    "finland": Declared(
        "Finland",
        "https://download.inspire.ruokavirasto-awsa.com/data/2023/"
        "LandUse.ExistingLandUse.GSAAAgriculturalParcel.gpkg",
        *CC_BY,
        "KASVIKOODI_SELITE_FI",
        "GeoPackage",
        note="2023",
    ),
    "ireland": Declared(
        "Ireland",
        "https://dafm-inspire-atom.s3.eu-west-1.amazonaws.com/files/LU/GSAA_2024.zip",
        *CC_BY,
        "",
        "GML (zip)",
        layer="ExistingLandUseObject",
        note=f"2022 to 2024; {GML}",
    ),
    "slovakia": Declared(
        "Slovakia",
        "https://data.slovensko.sk/download?id=e39ad227-1899-4cff-b7c8-734f90aa0b59&blocksize=0",
        *CC0,
        "PLODINA",
        "Shapefile (zip)",
        note="2024; give the file as --file, its address has no name",
    ),
    "sweden": Declared(
        "Sweden",
        "https://epub.sjv.se/inspire/inspire/wfs?SERVICE=WFS&REQUEST=GetFeature&VERSION=2.0.0"
        "&TYPENAMES=inspire:arslager_skifte&outputFormat=shape-zip"
        "&CQL_FILTER=arslager=%272024%27%20and%20geom%20is%20not%20null&format_options=CHARSET:UTF-8",
        *CC0,
        "grdkod_mar",
        "Shapefile (zip)",
        note="2015 to 2025; give the file as --file, its address has no name",
    ),
}
"""Regions with open declared crops: 'data declared --region NAME' reads them."""


def table() -> pd.DataFrame:
    """``TABLE`` as a table: one row a region, with title, address, licence and the rest."""
    return pd.DataFrame(TABLE.values(), index=pd.Index(TABLE, name="region"))


def brandenburg_classes() -> Names:
    """The class of ``cube.BRANDENBURG`` for each code of Brandenburg's declarations.

    The grouping is ours: which codes the paper's authors put into which class is not published. A
    class holds what its name says, so rye and barley are 'Other', though the paper's 'Wheat' may
    hold them. Pulses are 'Legume', clover and lucerne 'Other', with grass 'Grassland'; hedges,
    trees and land that is not farmed are 'Background'. No code is peanut or residue.
    """
    text = files("stma_nb.sources").joinpath("brandenburg_codes.csv").read_text("utf-8")
    return {row["code"]: row["class"] for row in csv.DictReader(text.splitlines())}


def download(region: str, folder: str | Path, accept_licence: bool = False) -> Path:
    """The declared crops of a region as a file in ``folder``; fetched if it is not there.

    Raises SeasonError, with the licence and its address, unless ``accept_licence`` says that you
    read and accept it, and for regions whose file is not to be fetched by one address.
    """
    entry = _entry(region)
    if not accept_licence:
        raise SeasonError(
            f"The declared crops of {entry.title} are under {entry.licence}, {entry.terms}: read "
            "it, and accept it (--accept-licence)."
        )
    if not entry.address.endswith((".zip", ".gpkg")) or not entry.column:
        raise SeasonError(
            f"The declared crops of {entry.title} ({entry.form}: {entry.note}) cannot be fetched "
            f"and read at once: get them from {entry.address} and give the file (--file)."
        )
    return fetch.fetch(entry.address, folder)


def label(
    season: xr.Dataset,
    file: str | Path,
    region: str = "brandenburg",
    mapping: Names | None = None,
    rest: str | None = None,
    **reading: str | None,
) -> xr.Dataset:
    """The season with the declared crops of a region as ``crop`` and ``parcel``.

    Args:
        season: where to; only what lies in it is read.
        file: of the region, see ``download``.
        region: a name in ``TABLE``.
        mapping: from what the column says to classes. Default: in Brandenburg
            ``brandenburg_classes`` (the legend is the paper's), elsewhere the names as they are.
        rest: the class of what the mapping does not list; without it that is refused, and listed.
        reading: ``column``, ``layer``, ``encoding`` or ``crs``, if the file has another than
            ``TABLE`` says, and ``edge``: see ``labels.rasterise``.

    A pixel in two fields goes to the first. ``crop.attrs`` hold source and licence, and
    ``parcel.attrs["comment"]`` says if the layer is of another year. Raises as ``rasterise``.
    """
    entry = _entry(region)
    crops: tuple[Crop, ...] | None = None
    if mapping is None and region == "brandenburg":
        mapping, crops = brandenburg_classes(), BRANDENBURG
    how: dict[str, Any] = {"column": entry.column, "layer": entry.layer, "overlap": "first"}
    how |= {name: value for name, value in reading.items() if value is not None}
    if not how["column"]:
        raise SeasonError(f"The column of the crop is not known ({entry.note}): name it (column).")
    labelled = rasterise(file, season, crops=crops, mapping=mapping, rest=rest, **how)
    labelled.crop.attrs |= {"source": entry.address, "licence": f"{entry.licence} ({entry.terms})"}
    if entry.since and (told := _other_years(file, season, entry.since, how)):
        said = labelled.parcel.attrs.get("comment")
        labelled.parcel.attrs["comment"] = "; ".join(filter(None, (told, said)))
    return labelled


def _other_years(file: str | Path, season: xr.Dataset, column: str, how: dict) -> str:
    """What to say if the fields are declared for other years than the season's; "" if not."""
    reading = {name: how.get(name) for name in ("layer", "encoding", "crs")}
    fields = polygons_of_season(file, season, [column], **reading)
    declared = set(fields[column].astype(str).str.extract(r"((?:19|20)\d\d)")[0].dropna())
    seen = {str(year) for year in np.unique(season.time.dt.year)}
    if not declared or declared & seen:
        return ""
    return f"fields are declared for {_span(declared)} ({column}), the season is of {_span(seen)}"


def _span(years: set[str]) -> str:
    return min(years) if len(years) == 1 else f"{min(years)} to {max(years)}"


def _entry(region: str) -> Declared:
    if region not in TABLE:
        raise SeasonError(f"There is no region '{region}'; expected one of {', '.join(TABLE)}.")
    return TABLE[region]
