"""The command line: ``python -m stma_nb run | series | lab | data | train | map | assess``, and
what a course needs around it.
"""

import argparse
import sys
from pathlib import Path

from stma_nb import __version__

EXAMPLES = """examples:
  python -m stma_nb run                                      the quickstart, end to end; results in build/
  python -m stma_nb data simulate my_season.zarr --size 512 512 --dates 24 --year 2021
  python -m stma_nb train my_season.zarr weights.safetensors --patch 32 --width 16 --epochs 20
  torchrun --nproc-per-node 2 -m stma_nb train my_season.zarr weights.safetensors --config training.yaml
  python -m stma_nb map weights.safetensors my_season.zarr map.tif
  python -m stma_nb assess map.tif crop.tif --parcels parcel.tif
"""

TRAINING = {  # the flags of train, which a YAML file may give as well
    "patch": dict(type=int, default=32, help="patch side in pixels, a multiple of 8"),
    "width": dict(
        type=int, default=16, help="channels of the trunk's first stage (64 = published size)"
    ),
    "epochs": dict(type=int, default=20, help="passes over the training patches"),
    "batch": dict(type=int, default=8, help="patches of a step, over all processes"),
    "accumulate": dict(
        type=int, default=1, help="pieces to compute a batch in, to need less memory"
    ),
    "rate": dict(type=float, default=2e-3, help="highest learning rate"),
    "schedule": dict(
        default="polynomial", choices=("polynomial", "cosine"), help="how the learning rate falls"
    ),
    "aux-weight": dict(type=float, default=0.5, help="share of the auxiliary head in the loss"),
    "balanced": dict(action="store_true", help="weigh classes by the inverse of their pixels"),
    "augment": dict(
        nargs="*",
        default=["turn"],
        choices=("turn", "speckle", "jitter", "drop"),
        help="how patches are varied",
    ),
    "patience": dict(type=int, help="stop after so many epochs without a lower validation loss"),
    "precision": dict(
        default="32-true",
        choices=("32-true", "bf16-mixed", "16-mixed"),
        help="numbers to compute with",
    ),
    "block": dict(type=int, default=128, help="side of the blocks that are split, in pixels"),
    "buffer": dict(type=int, default=8, help="pixels left unused between parts"),
    "stratify": dict(
        action="store_true", help="deal out the blocks so that rare classes are in every part"
    ),
    "test-pixels": dict(
        type=Path,
        metavar="FILE",
        help="a GeoTIFF for the mask of test pixels, for 'assess --where'",
    ),
    "seed": dict(
        type=int, default=0, help="sets the split, the initial weights and the order of patches"
    ),
    "device": dict(help="cpu, cuda, ... (default: the GPU when there is one)"),
    "workers": dict(type=int, default=0, help="processes that read patches ahead"),
    "log": dict(type=Path, help="a CSV file for losses and scores, a line an epoch"),
    "every": dict(type=int, help="steps between checkpoints (default: an epoch)"),
    "resume": dict(action="store_true", help="go on with a training that was stopped"),
    "pattern": dict(default="*.tif", help="which files of a GeoTIFF folder to read"),
    "overwrite": dict(
        action="store_true", help="replace weights, log and checkpoint if they exist"
    ),
}


def main(arguments: list[str] | None = None) -> int:
    args = parser().parse_args(arguments)
    try:
        args.command(args)
    except (ValueError, OSError, RuntimeError, FloatingPointError) as error:
        print(f"stma_nb: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stma_nb: stopped", file=sys.stderr)
        return 130
    return 0


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python -m stma_nb",
        description="Crop maps from a season of Sentinel-1 radar with attention (STMA).",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"stma_nb {__version__}")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser(
        "run", help="run the quickstart notebook: train, map, assess; results in build/"
    )
    run.add_argument(
        "--set",
        nargs=2,
        action="append",
        default=[],
        metavar=("NAME", "VALUE"),
        help="set a parameter of the notebook",
    )
    run.set_defaults(command=_run)

    series = commands.add_parser("series", help="run all notebooks")
    series.add_argument(
        "--in-place", action="store_true", help="store the outputs in notebooks/ (for maintainers)"
    )
    series.set_defaults(command=_series)

    structure = commands.add_parser(
        "structure", help="measure the notebooks, and check them against the course's conventions"
    )
    structure.add_argument(
        "--run",
        action="store_true",
        help="run each first, and note what it took in notebooks/budget.json",
    )
    structure.set_defaults(command=_structure)

    editions = commands.add_parser(
        "editions", help="write the notebooks for a class: without solutions, and with them open"
    )
    editions.add_argument("folder", type=Path, help="gets the folders student and lecturer")
    editions.add_argument(
        "--overwrite", action="store_true", help="write into the folder if it exists"
    )
    editions.set_defaults(command=_editions)

    site = commands.add_parser("site", help="write the notebooks as web pages that work offline")
    site.add_argument(
        "folder",
        type=Path,
        nargs="?",
        help="where to (default: build/site, where older pages are replaced)",
    )
    site.add_argument("--overwrite", action="store_true", help="write into the folder if it exists")
    site.set_defaults(command=_site)

    doctor = commands.add_parser(
        "doctor", help="tell what this computer offers the course: to paste into a question"
    )
    doctor.set_defaults(command=_doctor)

    lab = commands.add_parser("lab", help="open JupyterLab in the notebooks folder")
    lab.set_defaults(command=_lab)

    data = commands.add_parser(
        "data", help="make simulated seasons, open real ones"
    ).add_subparsers(required=True, metavar="WHAT")
    sample = data.add_parser("sample", help="make the embedded sample season again")
    sample.add_argument(
        "folder",
        type=Path,
        nargs="?",
        help="where to (default: data/sample_season of the repository)",
    )
    sample.add_argument("--overwrite", action="store_true", help="replace the folder if it exists")
    sample.set_defaults(command=_sample)
    simulated = data.add_parser(
        "simulate", help="simulate a season of Sentinel-1 over Brandenburg-like fields"
    )
    simulated.add_argument(
        "output", type=Path, help="a .zarr store, a .nc file, or a folder for GeoTIFFs"
    )
    simulated.add_argument(
        "--size",
        type=int,
        nargs=2,
        default=(512, 512),
        metavar=("ROWS", "COLUMNS"),
        help="pixels of 10 m",
    )
    simulated.add_argument("--dates", type=int, default=24, help="number of acquisitions")
    simulated.add_argument(
        "--dates-of",
        type=Path,
        metavar="SEASON",
        help="take the acquisition times of this season instead",
    )
    simulated.add_argument(
        "--pattern", default="*.tif", help="which files of a GeoTIFF folder --dates-of means"
    )
    simulated.add_argument(
        "--year", type=int, default=2018, help="harvest year: sets weather and phenology"
    )
    simulated.add_argument("--seed", type=int, default=0, help="sets fields and speckle")
    simulated.add_argument(
        "--overwrite", action="store_true", help="replace the output if it exists"
    )
    simulated.set_defaults(command=_simulate)

    brandenburg = data.add_parser(
        "brandenburg",
        help="the data of the STMA paper: where to get them, check, turn into a season",
    )
    brandenburg.add_argument("folder", type=Path, help="holds VH_cut.mat, VV_cut.mat and label.mat")
    brandenburg.add_argument(
        "output", type=Path, nargs="?", help="write the season: a .zarr store (6 GB) is best"
    )
    brandenburg.add_argument(
        "--dates",
        metavar="FILE",
        default="index",
        help="a text file, a date a line (default: placeholders)",
    )
    brandenburg.add_argument(
        "--key", default="label", help="which labels: label (2017-18) or label_s2 (2020-21)"
    )
    brandenburg.add_argument(
        "--units", choices=("dB", "power"), help="what the numbers are (default: told from them)"
    )
    brandenburg.add_argument(
        "--overwrite", action="store_true", help="replace the output if it exists"
    )
    brandenburg.set_defaults(command=_brandenburg)

    pastis = data.add_parser("pastis", help="PASTIS-R, French farmland: fetch it, check it")
    pastis.add_argument("folder", type=Path, help="where it is, or is to be put")
    pastis.add_argument(
        "--download",
        action="store_true",
        help="fetch 54 GB from Zenodo (goes on where it stopped), unpack",
    )
    pastis.set_defaults(command=_pastis)

    africa = data.add_parser(
        "south-africa", help="Western Cape crop types: where to get them, check"
    )
    africa.add_argument("folder", type=Path, help="holds train/imagery/s1 and train/labels")
    africa.set_defaults(command=_south_africa)

    stac = data.add_parser(
        "stac",
        help="a season of your own area from a STAC catalogue, with labels from your polygons",
    )
    stac.add_argument(
        "output", type=Path, help="a .zarr store, a .nc file, or a folder for GeoTIFFs"
    )
    where = stac.add_mutually_exclusive_group(required=True)
    where.add_argument(
        "--area", type=float, nargs=4, metavar=("W", "S", "E", "N"), help="the area in degrees"
    )
    where.add_argument("--polygon", type=Path, metavar="FILE", help="the area as a GeoJSON file")
    stac.add_argument("--start", required=True, help="first day, such as 2021-04-01")
    stac.add_argument("--end", required=True, help="last day")
    stac.add_argument(
        "--catalogue",
        default="planetary-computer",
        help="a name, the address of a STAC API, a catalogue file, a folder of GeoTIFFs",
    )
    stac.add_argument("--collection", help="which collection of the catalogue")
    stac.add_argument(
        "--orbit",
        type=int,
        help="relative orbit (default: the one that sees most of the area most often)",
    )
    stac.add_argument("--pixel", type=float, help="pixel in metres (default: that of the images)")
    stac.add_argument(
        "--scale",
        choices=("power", "amplitude", "dB"),
        help="what the numbers are, if the metadata do not say",
    )
    stac.add_argument(
        "--labels",
        type=Path,
        metavar="FILE",
        help="polygons of fields: GeoPackage, GeoJSON, Shapefile",
    )
    stac.add_argument("--column", help="which column of the polygons names the crop")
    stac.add_argument(
        "--edge",
        choices=("keep", "drop"),
        default="keep",
        help="drop: no label for pixels on field borders",
    )
    stac.add_argument(
        "--overlap",
        choices=("refuse", "first"),
        default="refuse",
        help="what to do with overlapping polygons",
    )
    stac.add_argument("--overwrite", action="store_true", help="replace the output if it exists")
    stac.set_defaults(command=_stac)

    train = commands.add_parser("train", help="train STMA on a season with crop labels")
    train.add_argument(
        "season", type=Path, help="a .zarr store, a .nc file, or a folder of GeoTIFFs with crop.tif"
    )
    train.add_argument("weights", type=Path, help="where to write the weights (.safetensors)")
    train.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="a YAML file of flags: 'name: value' lines; flags given win",
    )
    _add_training_flags(
        train, default=argparse.SUPPRESS
    )  # so that only what was given hides what the file says
    train.set_defaults(command=_train)

    mapping = commands.add_parser("map", help="map a whole season with trained weights")
    mapping.add_argument("weights", type=Path, help="what 'train' wrote (.safetensors)")
    mapping.add_argument(
        "season", type=Path, help="a .zarr store, a .nc file, or a folder of GeoTIFFs"
    )
    mapping.add_argument("output", type=Path, help="the map to write (.tif)")
    mapping.add_argument(
        "--overlap", type=float, default=0.5, help="share of a patch by which windows overlap"
    )
    mapping.add_argument(
        "--probabilities",
        type=Path,
        metavar="TIF",
        help="write the probability of every class, too",
    )
    mapping.add_argument(
        "--entropy", type=Path, metavar="TIF", help="write how uncertain the network is, too"
    )
    mapping.add_argument(
        "--batch", type=int, help="windows computed at a time (default: what fits a CPU and 2 GB)"
    )
    mapping.add_argument(
        "--tile",
        type=int,
        default=512,
        help="side of the tiles that are computed and kept one by one, in pixels",
    )
    mapping.add_argument(
        "--precision",
        choices=("float32", "bf16"),
        default="float32",
        help="bf16: faster, a few labels change",
    )
    where = mapping.add_mutually_exclusive_group()
    where.add_argument(
        "--workers", type=int, metavar="N", help="share the work among N processes of this machine"
    )
    where.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="share the work among the workers of this Dask scheduler",
    )
    mapping.add_argument("--device", help="cpu, cuda, ... (default: the GPU when there is one)")
    mapping.add_argument(
        "--pattern", default="*.tif", help="which files of a GeoTIFF folder to read"
    )
    mapping.add_argument(
        "--any-dates",
        action="store_true",
        help="map although the dates are others than in training",
    )
    mapping.add_argument("--overwrite", action="store_true", help="replace the map if it exists")
    mapping.set_defaults(command=_map)

    assess = commands.add_parser(
        "assess", help="write the accuracy of a map as a page (.html) and as numbers (.json)"
    )
    assess.add_argument(
        "map",
        type=Path,
        help="the map: a GeoTIFF of class codes with a legend, such as 'map' writes",
    )
    assess.add_argument(
        "reference",
        type=Path,
        help="a GeoTIFF of the true classes, or a sample: a CSV with row, column, reference",
    )
    assess.add_argument(
        "--parcels",
        type=Path,
        help="a GeoTIFF of parcel numbers (0 = none): adds the vote of each parcel",
    )
    assess.add_argument(
        "--where",
        type=Path,
        help="a GeoTIFF of the pixels to count (not 0), such as those of the test blocks",
    )
    assess.add_argument(
        "--align",
        choices=["nearest"],
        help="bring the reference to the map's grid by nearest neighbour",
    )
    assess.add_argument(
        "--crops-only",
        action="store_true",
        help="leave out pixels whose reference is background (code 0)",
    )
    assess.add_argument(
        "--output",
        type=Path,
        default=Path("report.html"),
        help="the page to write (default: report.html)",
    )
    assess.add_argument(
        "--overwrite", action="store_true", help="replace the page and its numbers if they exist"
    )
    assess.set_defaults(command=_assess)

    experiment = commands.add_parser(
        "experiment",
        help="the paper's experiment on its data: by the released code's rule, and honestly",
    )
    experiment.add_argument(
        "source",
        choices=("brandenburg", "pastis", "south-africa"),
        help="which data ('data' gets them)",
    )
    experiment.add_argument("folder", type=Path, help="holds the data")
    experiment.add_argument("output", type=Path, help="a new folder for networks, maps and pages")
    experiment.add_argument(
        "--quick", action="store_true", help="a small network and few data, to see that all works"
    )
    experiment.add_argument(
        "--weights",
        type=Path,
        metavar="FILE",
        help="score weights of the authors' code instead of training",
    )
    experiment.add_argument(
        "--epochs", type=int, help="passes over the training patches (default: 500)"
    )
    experiment.add_argument("--batch", type=int, help="patches of a step (default: 32)")
    experiment.add_argument("--device", help="cpu, cuda, ... (default: the GPU when there is one)")
    experiment.add_argument(
        "--resume", action="store_true", help="go on with an experiment that was stopped"
    )
    experiment.set_defaults(command=_experiment)
    return top


def _run(args: argparse.Namespace) -> None:
    import ast

    from stma_nb import course

    def literal(text: str):
        if Path(text).exists():
            return str(Path(text).resolve())  # the notebook runs in its own folder
        try:
            return ast.literal_eval(text)
        except (ValueError, SyntaxError):
            return text

    notebook, folder = course.notebooks()[0], course.output_folder()
    executed = folder / notebook.name
    print(f"Running {notebook.name}: one to three minutes on two cores ...", flush=True)
    cost = course.run_notebook(
        notebook, executed, {name: literal(value) for name, value in args.set}, progress=True
    )
    page = course.to_html(executed)
    print(f"\nDone in {cost['seconds']:.0f} s, peak memory {cost['megabytes']:.0f} MB. Look at:")
    products = {
        page.name: "the notebook with its figures, as a page",
        "crop_map.tif": "the crop map (GeoTIFF with colours and names; opens in QGIS)",
        "crop_map.html": "the crop map on a web map (needs a connection)",
        "accuracy.json": "the accuracy on held-out blocks",
        "weights.safetensors": "the trained network",
    }
    for name, what in products.items():
        print(f"  build/{name:<22} {what}")


def _series(args: argparse.Namespace) -> None:
    from stma_nb import course
    from stma_nb.course import structure

    for notebook in course.notebooks():
        executed = course.ROOT / "build" / notebook.name
        cost = (
            structure.run(notebook, executed)
            if args.in_place
            else course.run_notebook(notebook, executed)
        )
        print(f"{notebook.name:<32} {cost['seconds']:6.0f} s", flush=True)
        if args.in_place:
            notebook.write_bytes(executed.read_bytes())
            course.tidy(notebook)
        course.to_html(executed)
    print("Executed notebooks and their pages: build/")


def _structure(args: argparse.Namespace) -> None:
    from stma_nb import course
    from stma_nb.course import structure

    for path in course.notebooks() if args.run else []:
        cost = structure.run(path, course.output_folder() / path.name)
        print(f"{path.name:<32} {cost['seconds']:6.0f} s", flush=True)
    notebooks = [structure.Notebook(path) for path in course.notebooks()]
    print(structure.table(notebooks), flush=True)
    found = [complaint for notebook in notebooks for complaint in structure.complaints(notebook)]
    if found:
        raise ValueError("\n  ".join([f"{len(found)} things to mend:", *found]))


def _editions(args: argparse.Namespace) -> None:
    from stma_nb.course import editions

    print(
        f"Wrote the folders student and lecturer into {editions.write(args.folder, args.overwrite)}"
    )


def _site(args: argparse.Namespace) -> None:
    from stma_nb import course
    from stma_nb.course import website

    index = website.build(
        args.folder or course.output_folder() / "site", args.overwrite or not args.folder
    )
    print(f"Wrote the pages; open {index}")


def _doctor(args: argparse.Namespace) -> None:
    from stma_nb import doctor

    findings = doctor.examine()
    print(doctor.report(findings), flush=True)
    if broken := [finding.name for finding in findings if finding.broken]:
        raise ValueError(f"the course cannot run here before this is mended: {', '.join(broken)}")


def _lab(args: argparse.Namespace) -> None:
    import subprocess

    from stma_nb import course

    folder = course.notebooks()[0].parent
    subprocess.run(
        [
            sys.executable,
            "-m",
            "jupyterlab",
            "--notebook-dir",
            str(folder.parent),
            "notebooks/00_quickstart.ipynb",
        ],
        check=True,
    )


def _sample(args: argparse.Namespace) -> None:
    from stma_nb import course

    print(
        f"Wrote {course.make_sample_season(args.folder or course.ROOT / 'data' / 'sample_season', args.overwrite)}"
    )


def _simulate(args: argparse.Namespace) -> None:
    from stma_nb import cube, files, simulate

    files.refuse_existing(args.output, args.overwrite)
    dates = (
        cube.open_season(args.dates_of, args.pattern).time.values if args.dates_of else args.dates
    )
    season = simulate.season(size=tuple(args.size), dates=dates, year=args.year, seed=args.seed)
    print(f"Wrote {cube.save_season(season, args.output, args.overwrite)}")


def _brandenburg(args: argparse.Namespace) -> None:
    import numpy as np

    from stma_nb import cube, files
    from stma_nb.sources.brandenburg import open_brandenburg

    if args.output:
        files.refuse_existing(args.output, args.overwrite)
    dates = (
        args.dates
        if args.dates == "index"
        else Path(args.dates).read_text(encoding="utf-8").split()
    )
    season = open_brandenburg(args.folder, dates, args.key, args.units)
    shares = (
        np.bincount(season.crop.values.ravel(), minlength=len(cube.BRANDENBURG)) / season.crop.size
    )
    first, last = (str(day)[:10] for day in season.time.values[[0, -1]])
    dates, pixels, said = (
        season.sizes["time"],
        f"{season.sizes['y']} x {season.sizes['x']}",
        season.attrs,
    )
    print(
        f"{pixels} pixels (position {said['position']}), {dates} dates, {first} to {last} "
        f"({said['dates']}),"
    )
    print(f"stored as {said['units_in_file']}. Labels '{args.key}':")
    print(
        ", ".join(
            f"{crop.name} {share:.1%}"
            for crop, share in zip(cube.BRANDENBURG, shares, strict=True)
            if share
        )
    )
    if args.output:
        print(f"Wrote {cube.save_season(season, args.output, args.overwrite)}. Next:")
        print(f"  python -m stma_nb train {args.output} weights.safetensors --patch 128 --width 64")
    else:
        print(
            f"Next:\n  python -m stma_nb data brandenburg {args.folder} brandenburg.zarr --dates "
            f"{args.dates} --key {args.key}"
        )


def _pastis(args: argparse.Namespace) -> None:
    from collections import Counter

    from stma_nb.sources import fetch, pastis

    if args.download:
        archive = fetch.fetch(pastis.URL, args.folder, pastis.CHECKSUM)
        fetch.unpack(archive, args.folder, keep=lambda name: "/DATA_S2/" not in name)
    inner = args.folder / "PASTIS-R"
    folder = inner if inner.is_dir() else args.folder
    for track, orbits in (("S1A", "ascending"), ("S1D", "descending")):
        folds, times = pastis.metadata(folder, track)
        counts, days = (
            [len(series) for series in times.values()],
            [str(day)[:10] for series in times.values() for day in series],
        )
        print(
            f"{track} ({orbits}): {min(counts)} to {max(counts)} dates a patch, {min(days)} to "
            f"{max(days)}"
        )
    print(
        "Patches: "
        + ", ".join(
            f"{count} in fold {fold}" for fold, count in sorted(Counter(folds.values()).items())
        )
    )
    print("Next, in Python:\n  from stma_nb.sources.pastis import open_pastis")
    print(f"  learn = open_pastis({str(folder)!r}, folds=(1, 2, 3))")
    print(f"  valid = open_pastis({str(folder)!r}, folds=4, scaling=learn.scaling)")


def _south_africa(args: argparse.Namespace) -> None:
    from stma_nb.sources import south_africa

    names = south_africa.tiles(args.folder)
    season = south_africa.open_tile(args.folder, names[0])
    first, last = (str(day)[:10] for day in season.time.values[[0, -1]])
    print(
        f"{len(names)} tiles with images and labels; tile {names[0]} has {season.sizes['time']} "
        f"dates, {first} to {last},"
    )
    print(
        f"{season.sizes['y']} x {season.sizes['x']} pixels, {float((season.crop > 0).mean()):.0%} "
        "of them surveyed."
    )
    print("Next, in Python:\n  from stma_nb.sources import south_africa")
    print(f"  names = south_africa.tiles({str(args.folder)!r})")
    print(f"  learn = south_africa.open_tiles({str(args.folder)!r}, names[:100])")


def _stac(args: argparse.Namespace) -> None:
    from stma_nb import cube, files
    from stma_nb.sources import labels, stac

    files.refuse_existing(args.output, args.overwrite)
    if args.labels and not args.column:
        raise ValueError(
            "--labels is given without --column: name the column of the polygons that holds the "
            "crop."
        )
    season = stac.season_from_stac(
        args.catalogue,
        args.area or args.polygon,
        args.start,
        args.end,
        args.collection,
        args.orbit,
        pixel=args.pixel,
        scale=args.scale,
    )
    print(
        f"{season.sizes['time']} dates from {season.attrs['items']} images; found "
        f"{season.attrs['tracks']}. Reading ...",
        flush=True,
    )
    if args.labels:
        season = labels.rasterise(
            args.labels, season, args.column, edge=args.edge, overlap=args.overlap
        )
        print(season.parcel.attrs.get("comment", "All polygons are in the labels."))
    print(f"Wrote {cube.save_season(season, args.output, args.overwrite)}")


def _add_training_flags(to: argparse.ArgumentParser, **common) -> None:
    for name, options in TRAINING.items():
        to.add_argument(f"--{name}", **options | common)


def _with_file(args: argparse.Namespace) -> argparse.Namespace:
    """The arguments of train: those given, then those of the YAML file, then the defaults."""
    import difflib

    import yaml

    tokens = []
    try:
        given = yaml.safe_load(args.config.read_text(encoding="utf-8")) if args.config else {}
        for name, value in dict.items(given or {}):  # TypeError unless it is a mapping
            name = str(name).replace("_", "-")
            if name not in TRAINING:
                near = difflib.get_close_matches(name, TRAINING, 1, cutoff=0)[0]
                raise ValueError(
                    f"'{args.config}' gives '{name}', which train does not know: did you mean "
                    f"'{near}'?"
                )
            if isinstance(value, bool):
                tokens += [f"--{name}"] * value
            elif value is not None:
                tokens += [f"--{name}", *map(str, value if isinstance(value, list) else [value])]
        file = argparse.ArgumentParser(add_help=False, exit_on_error=False)
        _add_training_flags(file)
        return argparse.Namespace(**vars(file.parse_args(tokens)) | vars(args))
    except (yaml.YAMLError, TypeError) as error:
        raise ValueError(
            f"'{args.config}' does not hold 'name: value' lines: write it as YAML."
        ) from error
    except argparse.ArgumentError as error:
        raise ValueError(f"'{args.config}' has a value that does not fit: {error}.") from error


def _tell_split(crops, crop, parts, stratified: bool) -> None:
    """Say which classes of the scene a part lacks: what does not train cannot be mapped, what is
    not tested is not known.
    """
    import numpy as np

    from stma_nb import patches

    remedy = "another --seed or a smaller --block" + ("" if stratified else ", or --stratify")
    for part, use in ((patches.TRAIN, "train"), (patches.TEST, "test")):
        missing = [crops[code].name for code in np.setdiff1d(crop, crop[parts == part])]
        if missing:
            print(f"No pixel of {', '.join(missing)} to {use} on: choose {remedy}.")


def _train(args: argparse.Namespace) -> None:
    import os
    from functools import partial

    import numpy as np
    import rasterio
    import torch

    from stma_nb import cube, files, patches, train
    from stma_nb.model import STMA

    args = _with_file(args)
    first = os.environ.get("RANK", "0") == "0"  # the process that prints and writes, under torchrun
    checkpoint = args.weights.with_name(f"{args.weights.name}.checkpoint")
    files.refuse_existing(args.weights, args.overwrite)
    if args.test_pixels and not args.resume:
        files.refuse_existing(args.test_pixels, args.overwrite)
    if first and args.overwrite and not args.resume:
        for file in (checkpoint, args.log):
            if file:
                file.unlink(missing_ok=True)
    season = cube.open_season(args.season, args.pattern)
    crops = cube.legend(season)
    torch.manual_seed(args.seed)
    model = STMA(dates=season.sizes["time"], patch=args.patch, classes=len(crops), width=args.width)
    parcel = season.parcel.values if "parcel" in season else None
    crop = season.crop.values
    rare = dict(crop=crop) if args.stratify else {}
    parts = patches.block_split(
        crop.shape, args.block, buffer=args.buffer, seed=args.seed, parcel=parcel, **rare
    )
    if first:
        _tell_split(crops, crop, parts, args.stratify)
    if first and args.test_pixels:
        with rasterio.open(
            args.test_pixels, "w", **cube.geotiff_profile(season), count=1, dtype="uint8"
        ) as tif:
            tif.write((parts == patches.TEST).astype("uint8"), 1)
    scaling = patches.fit_scaling(season, parts == patches.TRAIN)
    jitter = partial(patches.jitter, times=season.time.values)
    kinds = {
        "turn": patches.turn,
        "speckle": patches.add_speckle,
        "jitter": jitter,
        "drop": patches.drop,
    }
    varied = tuple(kinds[kind] for kind in args.augment)
    learn, valid, test = (
        patches.PatchDataset(
            season,
            patches.windows_of(parts, part, args.patch),
            args.patch,
            scaling,
            parts == part,
            how,
        )
        for part, how in ((patches.TRAIN, varied), (patches.VALID, ()), (patches.TEST, ()))
    )
    counts = np.bincount(crop[parts == patches.TRAIN], minlength=len(crops))
    try:
        trained = train.fit(
            model, learn, valid, args.epochs, args.batch, args.rate, args.aux_weight, args.seed, args.device,
            precision=args.precision, accumulate=args.accumulate, schedule=args.schedule, patience=args.patience,
            class_weights=train.balanced_weights(counts) if args.balanced else None, workers=args.workers, log=args.log,
            checkpoint=checkpoint, every=args.every, resume=args.resume,
        )  # fmt: skip
    except KeyboardInterrupt:
        if first and checkpoint.exists():
            print(
                f"stma_nb: '{checkpoint}' holds the training so far: give the same command with "
                "--resume",
                file=sys.stderr,
            )
        raise
    if first:
        train.save(trained, args.weights, args.overwrite)
        checkpoint.unlink(missing_ok=True)
        accuracy = train.validate(trained.model, test, args.batch)["accuracy"]
        print(
            f"{accuracy:.1%} of the pixels of the test blocks are right (background counted). "
            f"Wrote {args.weights}"
        )


def _dask_client(args: argparse.Namespace):
    import signal
    from contextlib import nullcontext

    if not (args.workers or args.scheduler):
        return nullcontext()
    from dask.system import CPU_COUNT
    from distributed import Client

    if args.scheduler:
        return Client(args.scheduler)
    threads = max(1, CPU_COUNT // args.workers)
    before = signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # workers inherit it: a Ctrl-C is for this process, which ends them
    try:
        return Client(n_workers=args.workers, threads_per_worker=threads, dashboard_address=None)
    finally:
        signal.signal(signal.SIGINT, before)


def _map(args: argparse.Namespace) -> None:
    from stma_nb import cube, files, predict, train

    files.refuse_existing(args.output, args.overwrite)
    trained = train.load(args.weights)
    season = cube.open_season(args.season, args.pattern)
    try:
        with _dask_client(args) as client:
            predict.season_map(
                trained, season, args.output, args.overlap, args.batch, args.any_dates, args.overwrite, device=args.device,
                probabilities=args.probabilities, entropy=args.entropy, tile=args.tile, precision=args.precision, client=client,
            )  # fmt: skip
    except KeyboardInterrupt:
        print(
            "\nstma_nb: finished tiles are kept; the same command goes on with them",
            file=sys.stderr,
        )
        raise
    print(f"Wrote {args.output}")


def _assess(args: argparse.Namespace) -> None:
    from stma_nb import accuracy

    numbers = accuracy.assess(
        args.map,
        args.reference,
        args.output,
        args.parcels,
        args.where,
        args.align,
        not args.crops_only,
        args.overwrite,
    )
    print(f"{numbers['summary']} Wrote {args.output} and {args.output.with_suffix('.json')}")


def _experiment(args: argparse.Namespace) -> None:
    from stma_nb import experiment

    try:
        scores = experiment.run(
            args.source,
            args.folder,
            args.output,
            args.quick,
            args.weights,
            args.epochs,
            args.batch,
            args.device,
            args.resume,
        )
    except KeyboardInterrupt:
        if args.output.exists():
            print(
                f"\nstma_nb: '{args.output}' holds the experiment so far: give the same command "
                "with --resume",
                file=sys.stderr,
            )
        raise
    for name, row in scores.items():
        print(
            f"{name:<9} {row['overall accuracy']:.1%} right (background counted), mean F1 of "
            f"crops {row['mean F1 of crops']:.3f}"
        )
    print(f"Wrote {args.output / 'experiment.html'} and {args.output / 'experiment.json'}")


if __name__ == "__main__":
    sys.exit(main())
