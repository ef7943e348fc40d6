"""A network trained with the code released with Han et al. (2023): its weights, and the images as
that code prepares them.
"""

from pathlib import Path

import numpy as np
import torch
import xarray as xr

from stma_nb import cube, radar
from stma_nb.cube import SeasonError
from stma_nb.model import STMA
from stma_nb.patches import PatchDataset, Scaling

AS_IT_IS = Scaling((0.0, 0.0), (1.0, 1.0))  # neither shift nor stretch


def read_weights(path: str | Path) -> STMA:
    """The network of a state dict that the authors' code saved; nothing but tensors is unpickled.

    Raises FileNotFoundError, or ValueError if the file holds something else.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(
            f"There are no weights at '{path}': give the file that the authors' code saved."
        )
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # what a foreign or damaged file raises depends on the file
        raise ValueError(
            f"'{path}' is no file of tensors, or damaged: save the network's state_dict() with "
            "torch.save."
        ) from error
    if not isinstance(state, dict) or not all(
        isinstance(value, torch.Tensor) for value in state.values()
    ):
        raise ValueError(
            f"'{path}' holds no state dict (names and tensors): save the network's state_dict() "
            "with torch.save."
        )
    return STMA.from_reference(
        {name.removeprefix("module."): value for name, value in state.items()}
    ).eval()


def scale(season: xr.Dataset) -> xr.Dataset:
    """The season as the released code scales it: each cube by its own extremes over all pixels and
    dates, to 0 .. 1.

    The extremes are those of the numbers as stored (``attrs["scale_in_file"]``: dB or power).
    Whatever maps a season computes dB first (``patches.network_input``); so a scaled number s is
    written as the power of s dB, which the scaling AS_IT_IS hands to the network as s. Raises
    SeasonError if a cube has no finite extremes, or all its numbers are alike.
    """
    scaled = season.copy()
    for name in cube.polarisations(season):
        stored = (
            radar.to_db(season[name]) if season.attrs["scale_in_file"] == "dB" else season[name]
        )
        low, high = float(stored.min()), float(stored.max())
        if not (np.isfinite([low, high]).all() and low < high):
            raise SeasonError(
                f"{name.upper()} lies between {low} and {high}; expected finite numbers that "
                "differ: check the file."
            )
        scaled[name] = (10 ** ((stored - low) / (high - low) / 10)).assign_attrs(units="1")
    return scaled


@torch.inference_mode()
def orientations(model: STMA, data: PatchDataset) -> tuple[float, float]:
    """Share of pixels right with the images as they are, and with rows and columns exchanged in
    them but not in the labels.

    The released code exchanges them while it makes its patches. Whether that turns the images, or
    turns them back, depends on how its files hold them: these two numbers tell.
    """
    right = []
    for index in range(len(data)):
        x, y = data[index]
        mapped = [model(image[None])[0].argmax(1)[0] for image in (x, x.mT)]
        right.append([(codes == y).float().mean() for codes in mapped])
    return tuple(np.mean(right, axis=0).tolist())


def exchange(_: STMA, inputs: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
    """A forward pre-hook that exchanges rows and columns of the images:
    ``model.register_forward_pre_hook(exchange)``.
    """
    return (inputs[0].mT,)
