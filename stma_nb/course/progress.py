"""Which exercises a learner has passed, in a file of their own on this computer."""

import json
from collections.abc import Iterable
from contextlib import suppress
from datetime import date
from pathlib import Path

from platformdirs import user_data_path

from stma_nb.files import write_whole


def file() -> Path:
    """Where the progress of the present user is kept."""
    return user_data_path("stma_nb") / "progress.json"


def passed() -> dict[str, str]:
    """Names of the checks that were passed, and the day of the first time."""
    try:
        noted = json.loads(file().read_text("utf-8"))
    except (OSError, ValueError):  # none yet, or not what was written here: start anew
        return {}
    return noted if isinstance(noted, dict) else {}


def note(name: str) -> None:
    """Note that a check was passed. A learner's work goes on where nothing can be written."""
    noted = passed()
    if name in noted:
        return
    text = json.dumps({**noted, name: date.today().isoformat()}, indent=1)
    with suppress(OSError):
        write_whole(file(), lambda path: path.write_text(text, "utf-8"))


def clear() -> None:
    """Forget what was passed."""
    file().unlink(missing_ok=True)


def table(checks: Iterable[tuple[str, list[str]]]) -> str:
    """For each (title of a notebook, its checks) a line: how many of them were passed."""
    noted = passed()
    lines = []
    for title, names in checks:
        done = sum(name in noted for name in names)
        left = [name for name in names if name not in noted]
        more = f"   still: {', '.join(left)}" if left and done else ""
        lines.append(f"{done:2} of {len(names):2}  {title}{more}")
    return "\n".join(lines)
