"""Crop mapping from a season of Sentinel-1 radar with attention (STMA; Han et al. 2023).

Rooms along one straight road, from the ground up; a room imports only from lower floors:

    files, machine, extras         files whole or not at all; cores, memory, device; packages
    cube, model                    the season; the network, to be read beside the paper
    simulate                       a season from physics
    radar                          what the radar measures: backscatter, speckle, GRD products
    patches                        cut, vary, scale, stitch; who learns, who tests
    train, figures, sources        networks and rivals; pictures; real data
    accuracy, predict, attention   how good is it; the map; where did it look
    experiment, course             the paper's experiment; what the course needs around all that
    studies, bench                 methods compared on simulated scenes; machines by their speed
    doctor                         what this computer offers the course

Each room hands on what a reader uses, ``train.fit`` or ``radar.lee``, and loads it when first used,
so that ``import stma_nb`` is quick.
"""

import importlib
from types import ModuleType

from stma_nb import machine

# OpenMP reads how many threads it may use, and how they wait, when it loads, which is when torch
# loads: so this package is imported first.
machine.limit_threads()

__version__ = "0.1.0"
__all__ = [
    "accuracy",
    "attention",
    "bench",
    "course",
    "cube",
    "doctor",
    "experiment",
    "extras",
    "figures",
    "files",
    "machine",
    "model",
    "patches",
    "predict",
    "radar",
    "simulate",
    "sources",
    "studies",
    "train",
]


def __getattr__(name: str) -> ModuleType:
    if name in __all__:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__ + ["__version__"])
