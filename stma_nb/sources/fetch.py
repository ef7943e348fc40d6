"""Fetch data over the network: a download that goes on where it stopped, is checked, and is
unpacked with care.
"""

import gzip
import hashlib
import json
import shutil
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit
from urllib.request import Request, urlopen

from tqdm import tqdm

BLOCK = 1 << 20


def fetch(url: str, folder: str | Path, checksum: str | None = None, timeout: float = 60.0) -> Path:
    """Download a file to ``folder`` and return its path; a file that is there already is checked,
    and kept.

    A download that stopped has left NAME.part, and the same call goes on with it, unless the file
    has changed on the server. The SHA-256 is printed, and remembered with the address in NAME.json.
    ``checksum`` is what the publisher states, "md5:..." or "sha256:...".

    Raises ValueError if the checksum differs (a wrong download is deleted, a file that was there is
    left as it is), and OSError if the server cannot be reached, refuses, or breaks off.
    """
    name = Path(unquote(urlsplit(url).path)).name
    if urlsplit(url).scheme not in ("http", "https") or not name:
        raise ValueError(f"'{url}' is no address of a file; expected http(s)://host/.../file.")
    file = Path(folder) / name
    part, note = file.with_name(f"{name}.part"), file.with_name(f"{name}.json")
    known = _remembered(note)
    if file.exists():
        _verify(
            file,
            checksum or known.get("checksum"),
            f"'{file}' is not the file that was published: delete it and fetch it again.",
        )
        return file
    file.parent.mkdir(parents=True, exist_ok=True)
    _download(url, part, note, known, timeout)
    try:
        digest = _verify(
            part, checksum, f"The download of '{name}' is corrupt and was deleted: fetch it again."
        )
    except ValueError:
        part.unlink()
        raise
    size = part.stat().st_size
    note.write_text(
        json.dumps({"url": url, "bytes": size, "checksum": f"sha256:{digest}"}, indent=1),
        encoding="utf-8",
    )
    part.rename(file)
    print(f"{file}: {size / 1e6:.1f} MB, sha256 {digest}")
    return file


def _remembered(note: Path) -> dict:
    try:
        return json.loads(note.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):  # nothing, or half a note of a process that was killed
        return {}


def _download(url: str, part: Path, note: Path, known: dict, timeout: float) -> None:
    """Append to ``part`` what is missing, if the server still has the same file (its ETag), or
    start over.
    """
    start = (
        part.stat().st_size
        if part.exists() and known.get("url") == url and known.get("etag")
        else 0
    )
    headers = {"User-Agent": "stma_nb", "Accept-Encoding": "identity"}
    if start:
        headers |= {"Range": f"bytes={start}-", "If-Range": known["etag"]}
    try:
        with urlopen(Request(url, headers=headers), timeout=timeout) as answer:
            start = start if answer.status == 206 else 0
            length = answer.headers.get("Content-Length")
            total = start + int(length) if length else None
            _room(part.parent, (total or start) - start)
            note.write_text(
                json.dumps({"url": url, "etag": answer.headers.get("ETag")}), encoding="utf-8"
            )
            bar = tqdm(
                total=total,
                initial=start,
                unit="B",
                unit_scale=True,
                file=sys.stdout,
                desc=part.stem,
            )
            with bar, open(part, "ab" if start else "wb") as target:
                while block := answer.read(BLOCK):
                    target.write(block)
                    bar.update(len(block))
    except HTTPError as error:
        if (
            error.code == 416
        ):  # nothing is left to send: all of it is here, or the file has changed; the checksum tells
            if error.headers.get("Content-Range", "").rpartition("/")[2] == str(start):
                return
            part.unlink()
            raise OSError(
                f"The file at '{url}' has changed since the download began: fetch it again."
            ) from error
        raise OSError(
            f"'{url}' answers {error.code} ({error.reason}): check the address, or try later."
        ) from error
    except URLError as error:
        raise OSError(
            f"Cannot reach {urlsplit(url).netloc} ({error.reason}): is there a network? Then try "
            "again."
        ) from error
    except (TimeoutError, ConnectionError, HTTPException) as error:
        raise OSError(
            f"The connection to {urlsplit(url).netloc} broke off ({error}): fetch again to go on "
            "from there."
        ) from error
    if total is not None and (done := part.stat().st_size) != total:
        raise OSError(
            f"The download of '{url}' broke off after {done} of {total} bytes: fetch again to go "
            "on from there."
        )


def _verify(file: Path, checksum: str | None, otherwise: str) -> str:
    """The SHA-256 of a file; raises ValueError with ``otherwise`` if it has not the checksum that
    it should have.
    """
    kind, _, expected = (checksum or "sha256:").partition(":")
    if kind not in ("md5", "sha256"):
        raise ValueError(f"The checksum is '{checksum}'; expected 'md5:...' or 'sha256:...'.")
    digests = {name: hashlib.new(name, usedforsecurity=False) for name in {kind, "sha256"}}
    with open(file, "rb") as data:
        while block := data.read(BLOCK):
            for digest in digests.values():
                digest.update(block)
    if expected and digests[kind].hexdigest() != expected.lower():
        raise ValueError(f"{otherwise} ({kind} {digests[kind].hexdigest()}; expected {expected})")
    return digests["sha256"].hexdigest()


def _room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise OSError(
            f"'{folder}' has {free / 1e9:.1f} GB free and {needed / 1e9:.1f} GB are needed: make "
            "room, or choose another."
        )


def unpack(
    archive: str | Path, folder: str | Path, keep: Callable[[str], bool] = lambda name: True
) -> Path:
    """Unpack the members of a zip or tar archive whose name ``keep`` accepts into ``folder``, and
    return it.

    Raises ValueError if a member would land outside ``folder`` (then nothing is written) or the
    archive is damaged, and OSError if there is not enough room.
    """
    archive, folder = Path(archive), Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as packed:
                chosen = [member for member in packed.infolist() if keep(member.filename)]
                _inside(folder, [member.filename for member in chosen])
                _room(folder, sum(member.file_size for member in chosen))
                packed.extractall(folder, chosen)
        else:
            with tarfile.open(archive) as packed:
                chosen = [member for member in packed if keep(member.name)]
                _inside(folder, [member.name for member in chosen])
                for member in chosen:
                    tarfile.data_filter(
                        member, str(folder)
                    )  # refuses links that lead out, devices and the like
                _room(folder, sum(member.size for member in chosen))
                packed.extractall(folder, chosen, filter="data")
    except tarfile.FilterError as error:
        raise ValueError(
            f"'{archive.name}' holds a member that leads out of '{folder}' ({error}): do not "
            "trust it."
        ) from error
    except (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise ValueError(
            f"'{archive.name}' is no zip or tar archive, or damaged ({error}): fetch it again."
        ) from error
    return folder


def _inside(folder: Path, names: list[str]) -> None:
    place = folder.resolve()
    for name in names:
        if not (place / name.replace("\\", "/")).resolve().is_relative_to(place):
            raise ValueError(
                f"The archive holds '{name}', which would land outside '{folder}': do not trust it."
            )
