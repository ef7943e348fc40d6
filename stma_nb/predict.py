"""Map a whole season window by window, with memory that does not grow with the scene."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import rasterio
import torch
import xarray as xr
from tqdm import tqdm

import stma_nb
from stma_nb.cube import geotiff_profile, refuse_existing, write_class_names, write_legend
from stma_nb.patches import ORDER, corners, network_input, stitch_rows
from stma_nb.train import Trained, check_dates

NODATA = 255


def season_map(
    trained: Trained,
    season: xr.Dataset,
    path: str | Path,
    overlap: float = 0.5,
    batch: int | None = None,
    any_dates: bool = False,
    overwrite: bool = False,
    progress: bool = True,
    device: str | None = None,
) -> Path:
    """Classify every pixel of a season and write a GeoTIFF with the legend's colours and names; returns its path.

    Windows overlap by the share ``overlap`` of a patch, and their class probabilities are blended with a smooth weight, so no
    seams show. ``batch`` windows are read and computed at a time (default: about 1.5 million values per band, which a CPU does
    fastest and which keeps the published size well below 2 GB). Pixels without any data become 255 (nodata). The file appears under
    its name only when complete. ``device`` is the GPU when there is one.

    Raises ValueError if the season does not fit the network (see ``train.check_dates``) and FileExistsError if ``path`` exists.
    """
    path = Path(path)
    refuse_existing(path, overwrite)
    if path.suffix.lower() not in (".tif", ".tiff"):
        raise ValueError(f"The map is written as GeoTIFF; '{path.name}' should end in .tif.")
    trained.model.to(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    check_dates(trained, season, any_dates=any_dates)
    patch, shape = trained.model.arguments["patch"], (season.sizes["y"], season.sizes["x"])
    windows = corners(shape, patch, overlap)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.stem}.part.tif")
    try:
        with (
            tqdm(total=len(windows), unit=" windows", disable=not progress) as bar,
            rasterio.open(part, "w", **geotiff_profile(season), dtype="uint8", count=1, nodata=NODATA) as tif,
        ):
            write_legend(tif, trained.crops)
            tif.update_tags(SOFTWARE=f"stma_nb {stma_nb.__version__}", PATCH=patch, OVERLAP=overlap)
            tif.set_band_description(1, "crop")
            pieces = window_probabilities(trained, season, windows, batch, bar.update)
            for row, probabilities in stitch_rows(pieces, windows, patch, shape):
                classes = np.where(np.isfinite(probabilities[0]), probabilities.argmax(0), NODATA).astype(np.uint8)
                tif.write(classes, 1, window=((row, row + classes.shape[0]), (0, shape[1])))
    except BaseException:
        part.unlink(missing_ok=True)  # nothing half-written is left behind
        raise
    part.replace(path)
    write_class_names(path, trained.crops)
    return path


def window_probabilities(
    trained: Trained,
    season: xr.Dataset,
    windows: np.ndarray,
    batch: int | None = None,
    done: Callable[[int], object] = lambda n: None,
) -> Iterator[np.ndarray]:
    """Class probabilities (K, P, P) of one window after another; NaN where a pixel has no data at all."""
    model, patch = trained.model.eval(), trained.model.arguments["patch"]
    device = next(model.parameters()).device
    batch = batch or max(1, 1_500_000 // (len(trained.times) * patch**2))
    for row in np.unique(windows[:, 0]):
        columns = windows[windows[:, 0] == row, 1]
        for some in np.split(columns, range(batch, len(columns), batch)):
            left = some[0]
            strip = np.s_[:, row : row + patch, left : some[-1] + patch]
            vh, vv = (np.asarray(season[name].data[strip]) for name in ORDER)
            x = network_input(vh, vv, trained.scaling)
            x = torch.from_numpy(np.stack([x[..., c - left : c - left + patch] for c in some]))
            with torch.inference_mode():
                probabilities = model(x.to(device))[0].softmax(1).cpu().numpy()
            empty = np.isnan(vh).all(0) & np.isnan(vv).all(0)
            for piece, column in zip(probabilities, some, strict=True):
                piece[:, empty[:, column - left : column - left + patch]] = np.nan
                yield piece
            done(len(some))
