"""Names of classes as they are written in tables and attributes, brought to one form."""

import re
import unicodedata

import numpy as np
import pandas as pd


def class_name(name: object) -> str:
    """A class name as it is shown: one blank for white space of any kind, and 1 for 1.0.

    "" stands for no name: None, NaN, or nothing but white space.
    """
    if isinstance(name, float | np.floating) and float(name).is_integer():
        return str(int(name))
    if name is None or name is pd.NA or name is pd.NaT or name != name:
        return ""
    text = unicodedata.normalize("NFC", str(name))
    for unseen in "\u200b\ufeff\u00ad":  # blanks of no width, hyphens that are not shown
        text = text.replace(unseen, "")
    return re.sub(r"^(-?\d+)\.0+$", r"\1", " ".join(text.split()))
