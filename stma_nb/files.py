"""Files that are there in full or not at all, and that are never overwritten without leave."""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


def refuse_existing(path: str | Path, overwrite: bool) -> None:
    """Raise FileExistsError if ``path`` exists and may not be overwritten."""
    if Path(path).exists() and not overwrite:
        raise FileExistsError(
            f"'{path}' exists and is left as it is: choose another name, or allow it with "
            "overwrite (--overwrite)."
        )


def check_outputs(
    outputs: Iterable[str | Path | None],
    inputs: Iterable[str | Path | None] = (),
    overwrite: bool = False,
) -> None:
    """Raise before anything is done if an output would replace what it may not.

    None, for a file that is not asked for, is passed over. Raises ValueError if two outputs have
    one name, or an output is an input or a file in a folder that is one; FileExistsError if an
    output exists and may not be overwritten.
    """
    written = [Path(path) for path in outputs if path]
    read = [Path(path) for path in inputs if path]
    for output in written:
        refuse_existing(output, overwrite)
        for path in read:
            within = output.exists() and output.resolve().is_relative_to(path.resolve())
            if within or output.resolve() == path.resolve():
                raise ValueError(
                    f"'{output}' is read (as '{path}') and would be replaced: choose another name "
                    "for the output."
                )
    if len({path.resolve() for path in written}) < len(written):
        raise ValueError(
            f"Two of the outputs have the same name ({', '.join(map(str, written))}): give each "
            "its own."
        )


@contextmanager
def one_writer(path: str | Path) -> Iterator[None]:
    """While this is entered, no other process can enter it for the same output.

    The lock is a file beside ``path`` that the system holds for this process, and lets go however
    it ends. Raises OSError if another one has it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.with_name(f".{path.name}.lock")
    with _opened_alone(lock, path):
        try:
            yield
        finally:
            if os.name != "nt":  # Windows deletes no file that is open
                lock.unlink(missing_ok=True)


def _opened_alone(lock: Path, path: Path) -> IO[bytes]:
    """The lock file, open and locked; the one that is there when it is: another process may have
    ended and deleted it meanwhile.
    """
    while True:
        file = open(lock, "ab")  # noqa: SIM115  the caller closes it
        try:
            _lock(file)
            if os.name == "nt" or os.path.samestat(os.fstat(file.fileno()), os.stat(lock)):
                return file
        except FileNotFoundError:
            pass
        except (BlockingIOError, PermissionError) as error:
            file.close()
            raise OSError(
                f"Another process is writing '{path}': wait until it has ended, or choose another "
                "name."
            ) from error
        file.close()


def _lock(file: IO[bytes]) -> None:
    """Lock an open file for this process; BlockingIOError or PermissionError if it is locked."""
    if os.name == "nt":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def read_text(path: str | Path) -> str:
    """The text of a file in UTF-8, with or without a mark, or in UTF-16, as Excel calls Unicode.

    Raises ValueError if it is no such text.
    """
    raw = Path(path).read_bytes()
    try:
        return raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"'{path}' is no text in UTF-8 (byte {error.start}): save it as UTF-8."
        ) from error


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
