"""What stored studies say: tables of rows, means over scenes, and differences paired by scene."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from stma_nb import course
from stma_nb.studies.jobs import read


def stored(*names: str, folder: str | Path | None = None) -> pd.DataFrame:
    """The rows of some studies in one table, as they lie in ``folder`` (default: ``data/``).

    Studies without a split of their own learned from blocks, and say so in the column ``split``. A
    study that was not run yet is left out. Raises FileNotFoundError if that leaves none.
    """
    place = Path(folder) if folder else course.ROOT / "data"
    paths = {name: place / f"{name}_study.json" for name in names}
    rows = [row for name, path in paths.items() if path.exists() for row in read(path, name)]
    if not rows:
        raise FileNotFoundError(
            f"None of these studies is stored: {', '.join(names)}; run python -m stma_nb study."
        )
    return pd.DataFrame([{"split": "blocks"} | row for row in rows])


def over_scenes(values: pd.Series, level: float = 0.95) -> dict[str, float]:
    """Mean of one value a scene, the ends of its t interval, and the number of scenes.

    Of a single scene there is no interval: its ends are NaN.
    """
    values = values.dropna()
    n, mean = len(values), float(values.mean())
    half = math.nan
    if n > 1:
        half = float(stats.t.ppf((1 + level) / 2, n - 1) * values.std(ddof=1) / math.sqrt(n))
    return {"mean": mean, "low": mean - half, "high": mean + half, "scenes": n}


def scores(rows: pd.DataFrame, score: str, level: float = 0.95) -> pd.DataFrame:
    """Every method's mean of a score over the scenes, with its interval (``over_scenes``)."""
    table = _by_scene(rows, score)
    return pd.DataFrame({name: over_scenes(table[name], level) for name in table}).T


def differences(
    rows: pd.DataFrame,
    base: str,
    score: str,
    methods: list[str] | None = None,
    level: float = 0.95,
    by: str = "method",
) -> pd.DataFrame:
    """Every other method minus ``base`` in a score, scene by scene: the mean and its interval.

    What is easy or hard for both in a scene cancels. Scenes that miss one of the two are left out,
    and so are methods that no row holds. With ``by`` the values of another column are compared,
    say the splits of one method.
    """
    table = _by_scene(rows, score, by)
    others = [name for name in methods or table if {name, base} <= set(table) and name != base]
    found = {name: over_scenes(table[name] - table[base], level) for name in others}
    return pd.DataFrame(found, index=["mean", "low", "high", "scenes"]).T


def _by_scene(rows: pd.DataFrame, score: str, by: str = "method") -> pd.DataFrame:
    """A line for each scene and a column for each method, in the order of the rows."""
    table = rows.pivot(index="seed", columns=by, values=score)
    return table[rows[by].unique()]


def told(row: pd.Series, scale: float = 100, digits: int = 1) -> str:
    """A mean with its interval in words: ``+1.2 (-0.3 to +2.7)``; by default in points."""
    mean, low, high = (scale * row[name] for name in ("mean", "low", "high"))
    if np.isnan(low):
        return f"{mean:+.{digits}f} (one scene, no interval)"
    return f"{mean:+.{digits}f} ({low:+.{digits}f} to {high:+.{digits}f})"


def plus_minus(row: pd.Series, scale: float = 100, digits: int = 1) -> str:
    """A mean with half its interval in words: ``+1.2 ± 1.5``; by default in points."""
    if np.isnan(row["low"]):
        return told(row, scale, digits)
    mean, half = scale * row["mean"], scale * (row["high"] - row["mean"])
    return f"{mean:+.{digits}f} ± {half:.{digits}f}"


def verdict(found: pd.DataFrame, base: str) -> str:
    """Which rows of ``differences`` are better or worse than ``base``, as Markdown, in points.

    Better or worse is what has an interval that does not hold zero; a single scene has none.
    """
    better, worse = found["low"] > 0, found["high"] < 0
    groups = {
        f"better than {base}": better,
        f"worse than {base}": worse,
        "not told apart": ~(better | worse),
    }
    said = []
    for group, members in groups.items():
        names = [f"{name} ({plus_minus(row)})" for name, row in found[members].iterrows()]
        said.append(f"*{group}:* {'; '.join(names) or 'none'}")
    return ". ".join(said)


def sign_turns(found: pd.DataFrame, name: str, unit: str) -> str:
    """Differences by size in words, in points, and between which sizes their sign turns.

    ``found`` is as from ``differences``, with a row for each size in a unit, in rising order;
    ``name`` is ahead where its mean is above zero.
    """
    points = [f"{plus_minus(row)} ({size:.0f} {unit})" for size, row in found.iterrows()]
    ahead = found["mean"].to_numpy() > 0
    turns = np.flatnonzero(ahead[1:] != ahead[:-1])  # the last size before each turn
    if len(turns) == 0:
        end = f"{name} is {'ahead' if ahead[0] else 'behind'} everywhere"
    elif len(turns) == 1:
        low, high = found.index[turns[0]], found.index[turns[0] + 1]
        end = f"the sign turns between {low:.0f} and {high:.0f} {unit}"
    else:
        end = "the sign turns more than once"
    return f"{', '.join(points)}; {end}"
