"""What recording attention and testing it have in common: windows that are checked and read."""

from collections.abc import Collection, Sequence

import numpy as np
import torch
import xarray as xr

from stma_nb import cube, patches
from stma_nb.patches import network_input, read_window, window_at
from stma_nb.train import Network, Trained, attends, check_fits


def check_windows(
    trained: Trained, season: xr.Dataset, windows: np.ndarray, allow: Collection[str] = ()
) -> np.ndarray:
    """The windows as (n, 2), or ValueError for what would make a record or a test nonsense."""
    check_mode(trained)
    cube.check_layout(season, grid=False)
    check_fits(trained, season, allow)
    windows = np.asarray(windows)
    patch = trained.model.arguments["patch"]
    shape = season.sizes["y"], season.sizes["x"]
    if windows.ndim != 2 or windows.shape[1] != 2 or not len(windows):
        raise ValueError(
            f"The windows have the shape {windows.shape}; expected (n, 2), rows and columns of n "
            "corners."
        )
    if patch > min(shape):
        raise ValueError(
            f"A patch of {patch} pixels is larger than the scene ({shape[0]} x {shape[1]}): give "
            "a larger scene."
        )
    outside = windows[((windows < 0) | (windows + patch > shape)).any(1)]
    if len(outside):
        raise ValueError(
            f"The window at {tuple(outside[0].tolist())} reaches out of the scene ({shape[0]} x "
            f"{shape[1]}): corners of windows of {patch} pixels go up to ({shape[0] - patch}, "
            f"{shape[1] - patch})."
        )
    return windows


def check_mode(trained: Trained) -> None:
    """Raise ValueError for a network in training mode."""
    if trained.model.training:
        raise ValueError(
            "The network is in training mode, where dropout changes what it attends to: call "
            "trained.model.eval()."
        )


def check_attends(model: Network) -> None:
    """Raise ValueError for a network that returns no attention."""
    if not attends(model):
        raise ValueError(
            f"The network {type(model).__name__} returns no attention (its forward takes no "
            "return_attention): look at STMA, or occlude dates, which works for any network."
        )


def read_input(trained: Trained, season: xr.Dataset, corner: Sequence[int]) -> torch.Tensor:
    """Network input (T, bands, P, P) of the window at a corner; ValueError if any value misses."""
    window = window_at(corner, trained.model.arguments["patch"])
    values = read_window(season, trained.scaling.bands, window)
    missing = np.isnan(values).any(1)  # (T, P, P)
    if missing.any():
        raise ValueError(
            f"In the window at {tuple(map(int, corner))} {missing.any(0).sum()} pixels miss "
            f"values on {missing.any((1, 2)).sum()} date(s), which the network would read as the "
            "mean: fill them (radar.fill_gaps) or choose another window."
        )
    return torch.from_numpy(network_input(values, trained.scaling))


def labelled(season: xr.Dataset) -> bool:
    """Whether a season has labels whose classes are named."""
    return "crop" in season and "flag_meanings" in season.crop.attrs


def check_legend(trained: Trained, season: xr.Dataset) -> None:
    """Raise ValueError unless the season's labels have the network's classes."""
    theirs = [crop.name for crop in cube.legend(season)]
    ours = [crop.name for crop in trained.crops]
    if theirs != ours:
        raise ValueError(
            f"The season's legend ({', '.join(theirs)}) is not the network's ({', '.join(ours)}): "
            "recode the labels to its classes."
        )


def read_labels(trained: Trained, season: xr.Dataset, corner: Sequence[int]) -> np.ndarray:
    """Class codes (P, P) of the window at a corner, IGNORE where unknown; ValueError for another
    legend's.
    """
    check_legend(trained, season)
    window = window_at(corner, trained.model.arguments["patch"])
    return patches.read_labels(season, window)
