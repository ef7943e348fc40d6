"""Crop mapping from a season of Sentinel-1 radar with attention (STMA; Han et al. 2023).

One straight road, one module a step: ``cube`` (the season); ``phenology``, ``landscape``, ``simulate`` (a season from physics);
``sar``, ``speckle``, ``grd`` (radar preprocessing); ``augment``, ``patches`` (vary, cut, scale, stitch), ``splits`` and
``leakage`` (who learns, who tests), ``model`` (the network), ``checkpoint``, ``hardware``, ``train``, ``baselines``, ``transfer``
(another year, another place), ``tiles`` and ``predict`` (the map), ``accuracy``, ``resample``, ``area``, ``parcels``,
``assessment`` (how good is it), ``attention`` (record it, and test what it means); ``plots``, ``page`` and ``report``, ``maps``,
``widgets``, ``explorer``. A module imports only modules before it. ``sources`` reads published data; ``released``, ``protocols``
and ``experiment`` run the published and an honest protocol on it; ``course``, ``exercises``, ``structure``, ``editions``,
``website`` and ``doctor`` hold what the course needs around all that.
Modules load when first used, so that ``import stma_nb`` is quick.
"""

import importlib
import os

# Threads that wait for work must not spin without end: beside two other busy programs (another notebook, a classmate on the
# same server) a training step then takes up to a hundred times as long. OpenMP reads this when it loads, which is when torch
# loads, so this package is imported first. 1000 rounds cost about a tenth on a quiet machine and bound the worst case to a few
# times the quiet one; sleeping at once (OMP_WAIT_POLICY=PASSIVE) would double every step. What a user has set stands.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # GNU's runtime: PyTorch's wheels on Linux

__version__ = "0.1.0"
__all__ = [
    "accuracy",
    "area",
    "assessment",
    "attention",
    "augment",
    "baselines",
    "checkpoint",
    "course",
    "cube",
    "doctor",
    "editions",
    "exercises",
    "experiment",
    "explorer",
    "grd",
    "hardware",
    "landscape",
    "leakage",
    "maps",
    "model",
    "page",
    "parcels",
    "patches",
    "phenology",
    "plots",
    "predict",
    "protocols",
    "released",
    "report",
    "resample",
    "sar",
    "simulate",
    "speckle",
    "splits",
    "structure",
    "tiles",
    "train",
    "transfer",
    "website",
    "widgets",
]


def __getattr__(name: str):
    if name in __all__:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__ + ["__version__"])
