"""The command of this room: ``train``, whose flags a YAML file can give as well."""

import difflib
import itertools
import sys
import typing
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.core import TyperCommand

from stma_nb.options import Pattern, Scale

if TYPE_CHECKING:  # heavy: they load when a command runs
    from collections.abc import Sequence

    import numpy as np
    import xarray as xr

    from stma_nb.cube import Crop

app = typer.Typer()


class Variation(StrEnum):  # typer knows no list of a Literal
    turn = "turn"
    speckle = "speckle"
    jitter = "jitter"
    drop = "drop"


class TrainCommand(TyperCommand):
    """``--augment`` with any number of words, also none: typer reads them one by one."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        if "--augment" in args:
            place = args.index("--augment")
            before, after = args[:place], args[place + 1 :]
            words = list(itertools.takewhile(lambda word: not word.startswith("-"), after))
            ctx.default_map = {"augment": []}  # what --augment alone means
            args = before + [f"--augment={word}" for word in words] + after[len(words) :]
        return super().parse_args(ctx, args)


def _read_config(ctx: typer.Context, config: Path | None) -> Path | None:
    """Make what the YAML file says the defaults of the flags: a flag that is given wins over it."""
    if config is None:
        return None
    import yaml

    from stma_nb.files import read_text

    try:
        lines = dict.items(yaml.safe_load(read_text(config)) or {})
    except (yaml.YAMLError, TypeError) as error:  # TypeError: it is no mapping
        raise ValueError(
            f"'{config}' does not hold 'name: value' lines: write it as YAML."
        ) from error
    kinds = typing.get_type_hints(train)
    for name in ("season", "weights", "config", "return"):
        del kinds[name]
    flags = {name.replace("_", "-"): name for name in kinds}
    defaults = {}
    for key, value in lines:
        flag = str(key).replace("_", "-")
        if flag not in flags:
            near = difflib.get_close_matches(flag, flags, 1, cutoff=0)[0]
            raise ValueError(
                f"'{config}' gives '{flag}', which train does not know: did you mean '{near}'?"
            )
        if value is None or value is False:  # as if it were not given
            continue
        try:
            defaults[flags[flag]] = _words(value, kinds[flags[flag]])
        except ValueError as error:
            raise ValueError(
                f"'{config}' has a value that does not fit: argument --{flag}: {error}."
            ) from error
    ctx.default_map = defaults | dict(ctx.default_map or {})
    return config


def _words(value: object, kind: Any) -> str | list[str]:
    """A value of the file as it would stand on the command line, for a flag with this type hint.

    Raises ValueError, which says why, if the flag cannot take it.
    """
    if typing.get_origin(kind) is list:
        values = value if isinstance(value, list) else [value]
        return [_word(one, typing.get_args(kind)[0]) for one in values]
    return _word(value, kind)


def _word(value: object, kind: Any) -> str:
    word = str(value)
    if kind is Variation or typing.get_origin(kind) is Literal:
        choices = list(Variation) if kind is Variation else typing.get_args(kind)
        if word not in choices:
            listed = ", ".join(f"'{choice}'" for choice in choices)
            raise ValueError(f"invalid choice: {word!r} (choose from {listed})")
        return word
    if typing.get_args(kind):  # int of "int | None"
        kind = typing.get_args(kind)[0]
    try:
        if kind in (int, float):
            kind(word)
        elif (kind is bool) != (value is True):  # 'true' is for flags without a value, they alone
            raise ValueError
    except ValueError:
        raise ValueError(f"invalid {kind.__name__} value: {word!r}") from None
    return word


@app.command(cls=TrainCommand)
def train(
    season: Annotated[
        Path,
        typer.Argument(help="a .zarr store, a .nc file, or a folder of GeoTIFFs with crop.tif"),
    ],
    weights: Annotated[Path, typer.Argument(help="where to write the weights (.safetensors)")],
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="a YAML file of flags: 'name: value' lines; flags given win",
            callback=_read_config,
            is_eager=True,
        ),
    ] = None,
    bands: Annotated[
        str | None,
        typer.Option(
            metavar="NAMES", help="what the network sees, as vh,vv (default: all with dates)"
        ),
    ] = None,
    patch: Annotated[int, typer.Option(help="patch side in pixels, a multiple of 8")] = 32,
    width: Annotated[
        int, typer.Option(min=1, help="channels of the trunk's first stage (64 = published size)")
    ] = 16,
    epochs: Annotated[int, typer.Option(help="passes over the training patches")] = 20,
    batch: Annotated[int, typer.Option(help="patches of a step, over all processes")] = 8,
    accumulate: Annotated[
        int, typer.Option(help="pieces to compute a batch in, to need less memory")
    ] = 1,
    rate: Annotated[float, typer.Option(help="highest learning rate")] = 2e-3,
    schedule: Annotated[
        Literal["polynomial", "cosine", "one-cycle"],
        typer.Option(help="how the learning rate falls"),
    ] = "polynomial",
    aux_weight: Annotated[
        float, typer.Option(min=0, max=1, help="share of the auxiliary head in the loss")
    ] = 0.5,
    balanced: Annotated[
        bool, typer.Option("--balanced", help="weigh classes by the inverse of their pixels")
    ] = False,
    augment: Annotated[
        list[Variation],
        typer.Option(metavar=f"[{'|'.join(Variation)}] ...", help="how patches are varied"),
    ] = [Variation.turn],  # noqa: B006  nobody changes it
    patience: Annotated[
        int | None,
        typer.Option(help="stop after so many epochs without a lower validation loss"),
    ] = None,
    precision: Annotated[
        Literal["32-true", "bf16-mixed", "16-mixed"], typer.Option(help="numbers to compute with")
    ] = "32-true",
    block: Annotated[int, typer.Option(help="side of the blocks that are split, in pixels")] = 128,
    buffer: Annotated[int, typer.Option(help="pixels left unused between parts")] = 8,
    stratify: Annotated[
        bool,
        typer.Option(
            "--stratify", help="deal out the blocks so that rare classes are in every part"
        ),
    ] = False,
    test_pixels: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="a GeoTIFF for the mask of test pixels, for 'assess --where'"
        ),
    ] = None,
    seed: Annotated[
        int,
        typer.Option(min=0, help="sets the split, the initial weights and the order of patches"),
    ] = 0,
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda, ... (default: the GPU when there is one)")
    ] = None,
    workers: Annotated[int, typer.Option(help="processes that read patches ahead")] = 0,
    log: Annotated[
        Path | None, typer.Option(help="a CSV file for losses and scores, a line an epoch")
    ] = None,
    every: Annotated[
        int | None, typer.Option(help="steps between checkpoints (default: an epoch)")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="go on with a training that was stopped")
    ] = False,
    pattern: Pattern = "*.tif",
    scale: Scale = None,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="replace weights, log and checkpoint if they exist"),
    ] = False,
) -> None:
    """Train STMA on a season with crop labels.

    \b
    python -m stma_nb train my_season.zarr weights.safetensors --patch 32 --width 16 --epochs 20
    torchrun --nproc-per-node 2 -m stma_nb train my_season.zarr weights.safetensors --config my.yaml
    """
    import os
    from contextlib import nullcontext
    from functools import partial

    import numpy as np
    import torch

    from stma_nb import cube, files, patches
    from stma_nb.model import STMA
    from stma_nb.train import balanced_weights, cross_entropy, fit, save, validate

    first = os.environ.get("RANK", "0") == "0"  # the process that prints and writes, under torchrun
    checkpoint = weights.with_name(f"{weights.name}.checkpoint")
    _check_suffixes({weights: ".safetensors", test_pixels: ".tif", log: ".csv"})
    files.check_outputs((weights, test_pixels), (season, config), overwrite)
    files.check_outputs((weights, test_pixels, log, checkpoint), (season, config), overwrite=True)
    cubed = cube.open_season(season, pattern, scale)
    crops = cube.legend(cubed)
    crop = cubed.crop.values
    known = crop != cube.UNKNOWN
    parts = patches.block_split(
        crop.shape,
        block,
        buffer=buffer,
        seed=seed,
        parcel=cubed.parcel.values if "parcel" in cubed else None,
        crop=crop if stratify else None,
    )
    if first:
        _tell_split(crops, crop, parts, stratify)
    names = [name.strip() for name in bands.split(",")] if bands else None
    scaling = patches.fit_scaling(cubed, parts == patches.TRAIN, names)
    torch.manual_seed(seed)
    model = STMA(cubed.sizes["time"], patch, len(scaling.bands), len(crops), width)
    radar = [scaling.bands.index(name) for name in scaling.decibel]  # what has speckle
    variations = {
        "turn": patches.turn,
        "speckle": partial(patches.add_speckle, bands=radar),
        "jitter": partial(patches.jitter, times=cubed.time.values, bands=radar),
        "drop": patches.drop,
    }

    def dataset(part: int, vary: tuple = ()) -> patches.PatchDataset:
        windows = patches.windows_of(parts, part, patch)
        return patches.PatchDataset(cubed, windows, patch, scaling, parts == part, vary)

    learn = dataset(patches.TRAIN, tuple(variations[name] for name in augment))
    valid, test = dataset(patches.VALID), dataset(patches.TEST)
    counts = np.bincount(crop[known & (parts == patches.TRAIN)], minlength=len(crops))
    try:
        with files.one_writer(weights) if first else nullcontext():
            trained = fit(
                model,
                learn,
                valid,
                epochs,
                batch,
                rate,
                seed,
                device,
                loss=partial(cross_entropy, aux_weight=aux_weight),
                class_weights=balanced_weights(counts) if balanced else None,
                schedule=schedule,
                precision=precision,
                accumulate=accumulate,
                patience=patience,
                workers=workers,
                log=log,
                checkpoint=checkpoint,
                every=every,
                resume=resume,
                overwrite=overwrite,
            )
            if first:
                save(trained, weights, overwrite)
                if test_pixels:
                    _write_mask(test_pixels, cubed, known & (parts == patches.TEST))
                checkpoint.unlink(missing_ok=True)
    except KeyboardInterrupt:
        if first and checkpoint.exists():
            print(
                f"stma_nb: '{checkpoint}' holds the training so far: give the same command with "
                "--resume",
                file=sys.stderr,
            )
        raise
    if first:
        accuracy = validate(trained.model, test, batch)["accuracy"]
        print(
            f"{accuracy:.1%} of the pixels of the test blocks are right (background counted). "
            f"Wrote {weights}"
        )


def _tell_split(
    crops: "Sequence[Crop]", crop: "np.ndarray", parts: "np.ndarray", stratified: bool
) -> None:
    """Say which classes of the scene a part lacks.

    What does not train cannot be mapped, and what is not tested is not known.
    """
    import numpy as np

    from stma_nb import cube, patches

    remedy = "another --seed or a smaller --block" + ("" if stratified else ", or --stratify")
    for part, use in ((patches.TRAIN, "train"), (patches.TEST, "test")):
        here = np.append(crop[parts == part], cube.UNKNOWN)
        missing = [crops[code].name for code in np.setdiff1d(crop, here)]
        if missing:
            print(f"No pixel of {', '.join(missing)} to {use} on: choose {remedy}.")


def _write_mask(path: Path, season: "xr.Dataset", mask: "np.ndarray") -> None:
    """Write a mask (rows, columns) on the season's grid as a GeoTIFF of one band: 1 in, 0 out."""
    import rasterio

    from stma_nb import cube, files

    profile = cube.geotiff_profile(season) | dict(count=1, dtype="uint8")

    def write(part: Path) -> None:
        with rasterio.open(part, "w", **profile) as tif:
            tif.write(mask.astype("uint8"), 1)

    files.write_whole(path, write)


def _check_suffixes(outputs: dict[Path | None, str]) -> None:
    """Raise ValueError for an output whose name says that it is something else."""
    for path, suffix in outputs.items():
        if path and path.suffix.lower() != suffix:
            raise ValueError(f"'{path.name}' is written as {suffix}: give it a name that ends so.")
