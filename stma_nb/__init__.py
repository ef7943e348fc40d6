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
    studies                        methods compared on simulated scenes, with stored results
    doctor                         what this computer offers the course

Each room hands on what a reader uses, ``train.fit`` or ``radar.lee``, and loads it when first used,
so that ``import stma_nb`` is quick.
"""

import importlib
import os
from types import ModuleType

# Threads that wait for work must not spin without end: beside two other busy programs (another
# notebook, a classmate on the same server) a training step can then take a hundred times as long.
# OpenMP reads this when it loads, which is when torch loads, so this package is imported first.
# 10000 rounds cost nothing on a quiet machine and bound the worst case to some times the quiet one.
# With 1000, or sleeping at once (OMP_WAIT_POLICY=PASSIVE), the bound is lower, but threads that
# must be woken at every step make it two to four times slower on some quiet virtual machines.
# What a user has set stands.
# LLVM's and Intel's runtimes (PyTorch on macOS and Windows) read KMP_BLOCKTIME instead. Measured
# with Intel's on Linux: 0 bounds the worst case as well (2.0 s to 0.14 s a step), but makes a quiet
# machine three times slower, so it is left to those who share theirs.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")  # GNU's runtime: PyTorch's wheels on Linux

__version__ = "0.1.0"
__all__ = [
    "accuracy",
    "attention",
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
