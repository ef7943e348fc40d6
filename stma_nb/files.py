"""Files that are there in full or not at all, and that are never overwritten without leave."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path


def refuse_existing(path: str | Path, overwrite: bool) -> None:
    """Raise FileExistsError if ``path`` exists and may not be overwritten."""
    if Path(path).exists() and not overwrite:
        raise FileExistsError(
            f"'{path}' exists and is left as it is: choose another name, or allow it with "
            "overwrite (--overwrite)."
        )


def check_room(folder: str | Path, needed: float) -> None:
    """Raise OSError if fewer than ``needed`` bytes are free where a folder lies."""
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise OSError(
            f"'{folder}' has {_size(free)} free and {_size(needed)} are needed: make room, or "
            "choose another."
        )


def _size(count: float) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def write_whole(path: str | Path, write: Callable[[Path], object]) -> Path:
    """Let ``write`` write a file beside ``path``, and move it there when it is whole.

    Who reads or is killed meanwhile finds the old file, or none. The file beside it keeps the
    suffix, by which writers tell formats. Returns ``path``.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        write(part)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path
