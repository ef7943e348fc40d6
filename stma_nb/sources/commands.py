"""The commands of real data: ``data samples``, ``pastis``, ``stac``, ``labels`` and others."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from stma_nb.options import Pattern, Scale

if TYPE_CHECKING:  # heavy: it loads when a command runs
    import xarray as xr

    from stma_nb.sources.labels import Names

data = typer.Typer()  # what stands under 'data'

Overwrite = Annotated[bool, typer.Option("--overwrite", help="replace the output if it exists")]
Season = Annotated[Path, typer.Argument(help="a .zarr store, a .nc file, or a folder of GeoTIFFs")]
Output = Annotated[Path, typer.Argument(help="a .zarr store, a .nc file, or a folder for GeoTIFFs")]
Mapping = Annotated[
    Path | None,
    typer.Option(metavar="CSV", help="a table of name (or code) and class: groups the crops"),
]
Rest = Annotated[
    str | None, typer.Option(help="the class of every name that the table does not list")
]
Layer = Annotated[str | None, typer.Option(help="which layer of a file of polygons with several")]
Encoding = Annotated[
    str | None, typer.Option(help="of the polygons' text, such as cp1250, if the file does not say")
]
LabelsCrs = Annotated[
    str | None,
    typer.Option(help="of the polygons, such as EPSG:25833, if the file does not say or is wrong"),
]
Edge = Annotated[
    Literal["keep", "drop"],
    typer.Option(help="drop: no label for pixels on field borders"),
]
Outside = Annotated[
    Literal["background", "unknown"],
    typer.Option(help="what land in no polygon is: unknown, where only some fields were surveyed"),
]
Overlap = Annotated[
    Literal["refuse", "first"],
    typer.Option(help="what to do with overlapping polygons"),
]


@data.command()
def samples(
    names: Annotated[list[str] | None, typer.Argument(help="which (default: list all)")] = None,
    folder: Annotated[
        Path | None, typer.Option(help="where to (default: the user's cache)", show_default=False)
    ] = None,
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="do not ask about the licence")
    ] = False,
) -> None:
    """List or fetch small real Sentinel-1 data with open licences.

    Licence and citation are shown before anything is fetched; on a terminal you are asked.

    \b
    python -m stma_nb data samples
    python -m stma_nb data samples belgium flanders
    """
    import sys

    from stma_nb.sources import samples as real

    for name in names or []:  # all names are checked before the first is fetched
        real.sample(name)
    if not names:
        for name, sample in real.listed().items():
            here = "here" if real.at_home(name, folder and folder / name) else "not here"
            size = f"{sample.size / 1e6:.1f} MB"
            print(f"{name:9}{size:>6}  {sample.licence:11} {here:9} {sample.what}")
        print("Fetch: python -m stma_nb data samples NAME ...")
    for name in names or []:
        sample = real.sample(name)
        print(f"{name}: {sample.what} ({sample.size / 1e6:.1f} MB)")
        print(f"  licence {sample.licence}; {sample.credit}; cite {sample.cite}")
        ask = sys.stdin.isatty() and not accept_licence
        if ask and not typer.confirm(f"  Fetch it under the licence {sample.licence}?", True):
            raise ValueError(f"'{name}' was not fetched: its licence was not accepted.")
        place = str(real.fetch(name, folder and folder / name))
        print(f"  in {place}\n  open it with stma_nb.sources.samples.open_{name}({place!r})")


@data.command()
def brandenburg(
    folder: Annotated[Path, typer.Argument(help="holds VH_cut.mat, VV_cut.mat and label.mat")],
    output: Annotated[
        Path | None, typer.Argument(help="write the season: a .zarr store (6 GB) is best")
    ] = None,
    dates: Annotated[
        str,
        typer.Option(
            metavar="FILE",
            help="a text file, a date a line (default: placeholders)",
            show_default=False,
        ),
    ] = "index",
    key: Annotated[
        str, typer.Option(help="which labels: label (2017-18) or label_s2 (2020-21)")
    ] = "label",
    scale: Scale = None,
    overwrite: Overwrite = False,
) -> None:
    """Check the data of the STMA paper, turn them into a season.

    Where they are not at hand, it says where to get them.

    \b
    python -m stma_nb data brandenburg my_data
    python -m stma_nb data brandenburg my_data brandenburg.zarr --dates dates.txt
    """
    import numpy as np

    from stma_nb import cube, files
    from stma_nb.sources.brandenburg import RELEASE, compare_with_release, open_brandenburg

    if output:
        files.refuse_existing(output, overwrite)
    days = dates if dates == "index" else Path(dates).read_text(encoding="utf-8").split()
    season = open_brandenburg(folder, days, key, scale)
    pixels, said = f"{season.sizes['y']} x {season.sizes['x']}", season.attrs
    print(f"{pixels} pixels (position {said['position']}), {_span(season)} ({said['dates']}),")
    print(f"stored as {said['scale_in_file']}. Labels '{key}':")
    counts = np.bincount(season.crop.values.ravel(), minlength=len(cube.BRANDENBURG))
    shares = zip(cube.BRANDENBURG, counts / season.crop.size, strict=True)
    print(", ".join(f"{crop.name} {share:.1%}" for crop, share in shares if share))
    if key in RELEASE:
        print(compare_with_release(season, key))
    if output:
        print(f"Wrote {cube.save_season(season, output, overwrite)}. Next:")
        print(f"  python -m stma_nb train {output} weights.safetensors --patch 128 --width 64")
    else:
        print(
            f"Next:\n  python -m stma_nb data brandenburg {folder} brandenburg.zarr --dates "
            f"{dates} --key {key}"
        )


@data.command()
def pastis(
    folder: Annotated[Path, typer.Argument(help="where it is, or is to be put")],
    download: Annotated[
        bool,
        typer.Option(
            "--download", help="fetch 54 GB from Zenodo (goes on where it stopped), unpack"
        ),
    ] = False,
    patches: Annotated[
        int | None,
        typer.Option(min=1, help="fetch so many neighbouring patches, 6.4 MB each", metavar="N"),
    ] = None,
    ids: Annotated[
        list[int] | None, typer.Option("--id", help="fetch this patch (may be repeated)")
    ] = None,
    folds: Annotated[
        list[int] | None,
        typer.Option("--fold", help="share the patches out to this fold (may be repeated)"),
    ] = None,
    track: Annotated[
        Literal["S1A", "S1D"], typer.Option(help="ascending (S1A) or descending orbits")
    ] = "S1A",
) -> None:
    """Fetch and check PASTIS-R, French farmland: all of it, or a few patches of PASTIS-HD.

    \b
    python -m stma_nb data pastis my_data --patches 16
    python -m stma_nb data pastis my_data --patches 15 --fold 1 --fold 4 --fold 5
    python -m stma_nb data pastis my_data --id 10000 --id 10007
    python -m stma_nb data pastis my_data --download
    python -m stma_nb data pastis my_data
    """
    from stma_nb.sources import fetch, pastis

    if sum(map(bool, (download, patches, ids))) > 1:
        raise typer.BadParameter("give one of --download, --patches and --id")
    if folds and not patches:
        raise typer.BadParameter("goes with --patches", param_hint="--fold")
    if patches or ids:
        print(f"PASTIS-HD, IGN, licence {pastis.LICENCE}. {pastis.CREDIT}.")
        pastis.fetch_few(folder, patches or ids or [], folds or (), track)
    if download:
        archive = fetch.fetch(pastis.URL, folder, pastis.CHECKSUM)
        fetch.unpack(archive, folder, keep=lambda name: "/DATA_S2/" not in name)
    inner = folder / "PASTIS-R"
    place = inner if inner.is_dir() else folder
    for name, orbits in (("S1A", "ascending"), ("S1D", "descending")):
        fold_of, times = pastis.metadata(place, name)
        counts = [len(series) for series in times.values()]
        days = [str(day)[:10] for series in times.values() for day in series]
        here = pastis.there(place, list(times), name)
        print(
            f"{name} ({orbits}): {min(counts)} to {max(counts)} dates a patch, {min(days)} to "
            f"{max(days)}; here are {len(here)} of {len(times)} patches"
        )
        of_folds = [sum(fold_of[patch] == fold for patch in here) for fold in range(1, 6)]
        print("  " + ", ".join(f"{n} in fold {fold}" for fold, n in enumerate(of_folds, 1)))
    print("Next, in Python:\n  from stma_nb.sources.pastis import open_pastis")
    print(f"  learn = open_pastis({str(place)!r}, folds=(1, 2, 3))")
    print(f"  valid = open_pastis({str(place)!r}, folds=4, scaling=learn.scaling)")


@data.command()
def south_africa(
    folder: Annotated[Path, typer.Argument(help="holds train/imagery/s1 and train/labels")],
) -> None:
    """Check the crop types of the Western Cape.

    Where they are not at hand, it says where to get them.

    \b
    python -m stma_nb data south-africa my_data
    """
    from stma_nb import cube
    from stma_nb.sources import south_africa

    names = south_africa.tiles(folder)
    season = south_africa.open_tile(folder, names[0])
    print(f"{len(names)} tiles with images and labels; tile {names[0]} has {_span(season)},")
    surveyed = float((season.crop != cube.UNKNOWN).mean())
    print(f"{season.sizes['y']} x {season.sizes['x']} pixels, {surveyed:.0%} of them surveyed.")
    print("Next, in Python:\n  from stma_nb.sources import south_africa")
    print(f"  names = south_africa.tiles({str(folder)!r})")
    print(f"  learn = south_africa.open_tiles({str(folder)!r}, names[:100])")


@data.command()
def stac(
    output: Output,
    start: Annotated[str, typer.Option(help="first day, such as 2021-04-01")],
    end: Annotated[str, typer.Option(help="last day")],
    area: Annotated[
        tuple[float, float, float, float] | None,
        typer.Option(metavar="W S E N", help="the area in degrees"),
    ] = None,
    polygon: Annotated[
        Path | None, typer.Option(metavar="FILE", help="the area as a GeoJSON file")
    ] = None,
    catalogue: Annotated[
        str,
        typer.Option(
            help="a name, the address of a STAC API, a catalogue file, a folder of GeoTIFFs"
        ),
    ] = "planetary-computer",
    collection: Annotated[
        str | None, typer.Option(help="which collection of the catalogue")
    ] = None,
    orbit: Annotated[
        int | None,
        typer.Option(
            help="relative orbit (default: the one that sees most of the area most often)"
        ),
    ] = None,
    pixel: Annotated[
        float | None, typer.Option(help="pixel in metres (default: that of the images)")
    ] = None,
    scale: Scale = None,
    labels: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="polygons of fields: GeoPackage, GeoJSON, Shapefile"),
    ] = None,
    column: Annotated[
        str | None, typer.Option(help="which column of the polygons names the crop")
    ] = None,
    mapping: Mapping = None,
    rest: Rest = None,
    layer: Layer = None,
    encoding: Encoding = None,
    labels_crs: LabelsCrs = None,
    edge: Edge = "keep",
    overlap: Overlap = "refuse",
    outside: Outside = "background",
    overwrite: Overwrite = False,
) -> None:
    """Make a season of your own area from a STAC catalogue.

    Your polygons of fields give its labels: --labels fields.gpkg --column crop.

    \b
    python -m stma_nb data stac my.zarr --area 14 52 14.2 52.1 --start 2021-04-01 --end 2021-09-30
    """
    if area and polygon:
        raise typer.BadParameter("not allowed with --area", param_hint="--polygon")
    place = area or polygon
    if not place:
        raise typer.BadParameter("one of the two is required", param_hint=["--area", "--polygon"])
    from stma_nb import cube, files
    from stma_nb.sources.labels import read_mapping
    from stma_nb.sources.stac import season_from_stac

    files.refuse_existing(output, overwrite)
    if labels and not column:
        raise ValueError(
            "--labels is given without --column: name the column of the polygons that holds the "
            "crop."
        )
    table = read_mapping(mapping) if mapping else None
    season = season_from_stac(
        catalogue, place, start, end, collection, orbit, pixel=pixel, scale=scale
    )
    print(
        f"{season.sizes['time']} dates from {season.attrs['items']} images; found "
        f"{season.attrs['tracks']}. {season.attrs['passes']}.",
        flush=True,
    )
    if "comment" in season.attrs:
        print(season.attrs["comment"], flush=True)
    if labels and column:
        season = _labelled(
            season,
            labels,
            column,
            table,
            rest=rest,
            layer=layer,
            encoding=encoding,
            crs=labels_crs,
            edge=edge,
            overlap=overlap,
            outside=outside,
        )
    print(f"Wrote {cube.save_season(season, output, overwrite)}")


@data.command()
def labels(
    season: Season,
    output: Output,
    labels: Annotated[
        Path,
        typer.Option(metavar="FILE", help="polygons of fields: GeoPackage, GeoJSON, Shapefile"),
    ],
    column: Annotated[str, typer.Option(help="which column of the polygons names the crop")],
    mapping: Mapping = None,
    rest: Rest = None,
    layer: Layer = None,
    encoding: Encoding = None,
    labels_crs: LabelsCrs = None,
    edge: Edge = "keep",
    overlap: Overlap = "refuse",
    outside: Outside = "background",
    pattern: Pattern = "*.tif",
    scale: Scale = None,
    overwrite: Overwrite = False,
) -> None:
    """Put labels on a season, from your polygons of fields.

    The season with labels is written to OUTPUT; the other stays as it is.

    \b
    python -m stma_nb data labels my.zarr labelled.zarr --labels fields.gpkg --column crop
    """
    from stma_nb import cube
    from stma_nb.sources.labels import read_mapping

    _check_output(season, output, overwrite)
    table = read_mapping(mapping) if mapping else None
    labelled = _labelled(
        cube.open_season(season, pattern, scale),
        labels,
        column,
        table,
        rest=rest,
        layer=layer,
        encoding=encoding,
        crs=labels_crs,
        edge=edge,
        overlap=overlap,
        outside=outside,
    )
    print(f"Wrote {cube.save_season(labelled, output, overwrite)}")


@data.command()
def declared(
    season: Annotated[
        Path | None, typer.Argument(help="a .zarr store, a .nc file, or a folder of GeoTIFFs")
    ] = None,
    output: Annotated[
        Path | None, typer.Argument(help="a .zarr store, a .nc file, or a folder for GeoTIFFs")
    ] = None,
    region: Annotated[str, typer.Option(help="whose fields; --list shows the names")] = (
        "brandenburg"
    ),
    listed: Annotated[
        bool, typer.Option("--list", help="show regions, licences and addresses, and end")
    ] = False,
    file: Annotated[
        Path | None, typer.Option(help="the region's file, if you have it already")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="where the download goes (default: beside OUTPUT)")
    ] = None,
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="you read the licence and accept it")
    ] = False,
    column: Annotated[
        str | None, typer.Option(help="which column names the crop (default: see --list)")
    ] = None,
    mapping: Mapping = None,
    rest: Rest = None,
    layer: Layer = None,
    encoding: Encoding = None,
    labels_crs: LabelsCrs = None,
    edge: Edge = "keep",
    pattern: Pattern = "*.tif",
    scale: Scale = None,
    overwrite: Overwrite = False,
) -> None:
    """Put the crops that farmers declared on a season, from open data of a state.

    In Brandenburg they are grouped to the classes of the paper.

    \b
    python -m stma_nb data declared --list
    python -m stma_nb data declared my.zarr labelled.zarr --region brandenburg --accept-licence
    """
    from stma_nb import cube
    from stma_nb.sources import declared
    from stma_nb.sources.labels import read_mapping

    if listed:
        for name, entry in declared.TABLE.items():
            note = f"; {entry.note}" if entry.note else ""
            print(f"{name}: {entry.title}. {entry.form}, crop in '{entry.column}'{note}")
            print(f"  {entry.licence}, {entry.terms}\n  {entry.address}")
        return
    if not season or not output:
        raise typer.BadParameter("both are required, or --list", param_hint=["SEASON", "OUTPUT"])
    _check_output(season, output, overwrite)
    opened = cube.open_season(season, pattern, scale)
    table = read_mapping(mapping) if mapping else None
    file = file or declared.download(region, folder or output.parent, accept_licence)
    labelled = declared.label(
        opened,
        file,
        region,
        table,
        rest,
        column=column,
        layer=layer,
        encoding=encoding,
        crs=labels_crs,
        edge=edge,
    )
    print(f"{declared.TABLE[region].title}: {labelled.crop.attrs['licence']}")
    _tell_labels(labelled)
    print(f"Wrote {cube.save_season(labelled, output, overwrite)}")


def _check_output(season: Path, output: Path, overwrite: bool) -> None:
    from stma_nb import files

    files.refuse_existing(output, overwrite)
    if output.resolve() == season.resolve():
        raise ValueError(f"'{output}' is the season that is read: write to another name.")


def _labelled(
    season: "xr.Dataset", polygons: Path, column: str, table: "Names | None", **how: Any
) -> "xr.Dataset":
    """The season with labels (``how``: see ``labels.rasterise``), and said what they are."""
    from stma_nb.sources.labels import rasterise

    season = rasterise(polygons, season, column, mapping=table, **how)
    _tell_labels(season)
    return season


def _tell_labels(season: "xr.Dataset") -> None:
    import numpy as np

    from stma_nb import cube

    crops = cube.legend(season)
    codes = season.crop.values
    counts = np.bincount(codes[codes != cube.UNKNOWN], minlength=len(crops))
    shares = {crop.name: count for crop, count in zip(crops, counts, strict=True)}
    shares["unknown"] = (codes == cube.UNKNOWN).sum()
    told = [f"{name} {count / codes.size:.1%}" for name, count in shares.items() if count]
    print(f"Labels: {', '.join(told)}")
    print(season.parcel.attrs.get("comment", "All polygons are in the labels."))


def _span(season: "xr.Dataset") -> str:
    """Number of dates, and the first and the last."""
    first, last = (str(day)[:10] for day in season.time.values[[0, -1]])
    return f"{season.sizes['time']} dates, {first} to {last}"
