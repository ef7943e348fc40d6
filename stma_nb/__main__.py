"""The command line: ``python -m stma_nb run | series | lab | data | train | map``."""

import argparse
import sys
from pathlib import Path

from stma_nb import __version__

EXAMPLES = """examples:
  python -m stma_nb run                                      the quickstart, end to end; results in build/
  python -m stma_nb data simulate my_season.zarr --size 512 512 --dates 24 --year 2021
  python -m stma_nb train my_season.zarr weights.safetensors --patch 32 --width 16 --epochs 20
  python -m stma_nb map weights.safetensors my_season.zarr map.tif
"""


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

    run = commands.add_parser("run", help="run the quickstart notebook: train, map, assess; results in build/")
    run.add_argument(
        "--set", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"), help="set a parameter of the notebook"
    )
    run.set_defaults(command=_run)

    series = commands.add_parser("series", help="run all notebooks")
    series.add_argument("--in-place", action="store_true", help="store the outputs in notebooks/ (for maintainers)")
    series.set_defaults(command=_series)

    lab = commands.add_parser("lab", help="open JupyterLab in the notebooks folder")
    lab.set_defaults(command=_lab)

    data = commands.add_parser("data", help="make simulated seasons").add_subparsers(required=True, metavar="WHAT")
    sample = data.add_parser("sample", help="make the embedded sample season again")
    sample.add_argument("folder", type=Path, nargs="?", help="where to (default: data/sample_season of the repository)")
    sample.add_argument("--overwrite", action="store_true", help="replace the folder if it exists")
    sample.set_defaults(command=_sample)
    simulated = data.add_parser("simulate", help="simulate a season of Sentinel-1 over Brandenburg-like fields")
    simulated.add_argument("output", type=Path, help="a .zarr store, a .nc file, or a folder for GeoTIFFs")
    simulated.add_argument("--size", type=int, nargs=2, default=(512, 512), metavar=("ROWS", "COLUMNS"), help="pixels of 10 m")
    simulated.add_argument("--dates", type=int, default=24, help="number of acquisitions")
    simulated.add_argument("--dates-of", type=Path, metavar="SEASON", help="take the acquisition times of this season instead")
    simulated.add_argument("--pattern", default="*.tif", help="which files of a GeoTIFF folder --dates-of means")
    simulated.add_argument("--year", type=int, default=2018, help="harvest year: sets weather and phenology")
    simulated.add_argument("--seed", type=int, default=0, help="sets fields and speckle")
    simulated.add_argument("--overwrite", action="store_true", help="replace the output if it exists")
    simulated.set_defaults(command=_simulate)

    train = commands.add_parser("train", help="train STMA on a season with crop labels")
    train.add_argument("season", type=Path, help="a .zarr store, a .nc file, or a folder of GeoTIFFs with crop.tif")
    train.add_argument("weights", type=Path, help="where to write the weights (.safetensors)")
    train.add_argument("--patch", type=int, default=32, help="patch side in pixels, a multiple of 8")
    train.add_argument("--width", type=int, default=16, help="channels of the trunk's first stage (64 = published size)")
    train.add_argument("--epochs", type=int, default=20, help="passes over the training patches")
    train.add_argument("--batch", type=int, default=8, help="patches in a batch")
    train.add_argument("--rate", type=float, default=2e-3, help="highest learning rate")
    train.add_argument("--block", type=int, default=128, help="side of the blocks that are split, in pixels")
    train.add_argument("--buffer", type=int, default=8, help="pixels left unused between parts")
    train.add_argument("--seed", type=int, default=0, help="sets the split, the initial weights and the order of patches")
    train.add_argument("--device", help="cpu, cuda, ... (default: the GPU when there is one)")
    train.add_argument("--pattern", default="*.tif", help="which files of a GeoTIFF folder to read")
    train.add_argument("--overwrite", action="store_true", help="replace the weights if they exist")
    train.set_defaults(command=_train)

    mapping = commands.add_parser("map", help="map a whole season with trained weights")
    mapping.add_argument("weights", type=Path, help="what 'train' wrote (.safetensors)")
    mapping.add_argument("season", type=Path, help="a .zarr store, a .nc file, or a folder of GeoTIFFs")
    mapping.add_argument("output", type=Path, help="the map to write (.tif)")
    mapping.add_argument("--overlap", type=float, default=0.5, help="share of a patch by which windows overlap")
    mapping.add_argument("--batch", type=int, help="windows computed at a time (default: what fits a CPU and 2 GB)")
    mapping.add_argument("--device", help="cpu, cuda, ... (default: the GPU when there is one)")
    mapping.add_argument("--pattern", default="*.tif", help="which files of a GeoTIFF folder to read")
    mapping.add_argument("--any-dates", action="store_true", help="map although the dates are others than in training")
    mapping.add_argument("--overwrite", action="store_true", help="replace the map if it exists")
    mapping.set_defaults(command=_map)
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
    cost = course.run_notebook(notebook, executed, {name: literal(value) for name, value in args.set}, progress=True)
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

    for notebook in course.notebooks():
        executed = course.ROOT / "build" / notebook.name
        cost = course.run_notebook(notebook, executed)
        print(f"{notebook.name:<32} {cost['seconds']:6.0f} s", flush=True)
        if args.in_place:
            notebook.write_bytes(executed.read_bytes())
            course.tidy(notebook)
        course.to_html(executed)
    print("Executed notebooks and their pages: build/")


def _lab(args: argparse.Namespace) -> None:
    import subprocess

    from stma_nb import course

    folder = course.notebooks()[0].parent
    subprocess.run(
        [sys.executable, "-m", "jupyterlab", "--notebook-dir", str(folder.parent), "notebooks/00_quickstart.ipynb"], check=True
    )


def _sample(args: argparse.Namespace) -> None:
    from stma_nb import course

    print(f"Wrote {course.make_sample_season(args.folder or course.ROOT / 'data' / 'sample_season', args.overwrite)}")


def _simulate(args: argparse.Namespace) -> None:
    from stma_nb import cube, simulate

    cube.refuse_existing(args.output, args.overwrite)
    dates = cube.open_season(args.dates_of, args.pattern).time.values if args.dates_of else args.dates
    season = simulate.season(size=tuple(args.size), dates=dates, year=args.year, seed=args.seed)
    print(f"Wrote {cube.save_season(season, args.output, args.overwrite)}")


def _train(args: argparse.Namespace) -> None:
    import torch

    from stma_nb import cube, patches, splits, train
    from stma_nb.model import STMA

    cube.refuse_existing(args.weights, args.overwrite)
    season = cube.open_season(args.season, args.pattern)
    crops = cube.legend(season)
    torch.manual_seed(args.seed)
    model = STMA(dates=season.sizes["time"], patch=args.patch, classes=len(crops), width=args.width)
    parcel = season.parcel.values if "parcel" in season else None
    parts = splits.block_split(season.crop.shape, args.block, buffer=args.buffer, seed=args.seed, parcel=parcel)
    scaling = patches.fit_scaling(season, parts == splits.TRAIN)
    learn, valid, test = (
        patches.PatchDataset(
            season, splits.windows_of(parts, part, args.patch), args.patch, scaling, parts == part, augment=part == splits.TRAIN
        )
        for part in (splits.TRAIN, splits.VALID, splits.TEST)
    )
    trained = train.fit(model, learn, valid, args.epochs, args.batch, args.rate, seed=args.seed, device=args.device)
    train.save(trained, args.weights, args.overwrite)
    accuracy = train.validate(trained.model, test, args.batch)["accuracy"]
    print(f"{accuracy:.1%} of the pixels of the test blocks are right (background counted). Wrote {args.weights}")


def _map(args: argparse.Namespace) -> None:
    from stma_nb import cube, predict, train

    cube.refuse_existing(args.output, args.overwrite)
    trained = train.load(args.weights)
    season = cube.open_season(args.season, args.pattern)
    predict.season_map(trained, season, args.output, args.overlap, args.batch, args.any_dates, args.overwrite, device=args.device)
    print(f"Wrote {args.output}")


if __name__ == "__main__":
    sys.exit(main())
