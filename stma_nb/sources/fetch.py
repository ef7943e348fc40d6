"""Fetch data over the network: a download that resumes, is checked, and is unpacked with care."""

import hashlib
import json
import lzma
import re
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

from stma_nb.files import check_room

BLOCK = 1 << 20  # bytes: a mebibyte is read at a time


def fetch(url: str, folder: str | Path, checksum: str | None = None, timeout: float = 60.0) -> Path:
    """Download a file to ``folder`` and return its path.

    A file that is there already is checked, and kept. A download that stopped has left NAME.part,
    and the same call goes on with it, unless the file has changed on the server. The SHA-256 is
    printed, and remembered with the address in NAME.json. ``checksum`` is what the publisher
    states, "md5:..." or "sha256:...".

    Raises ValueError if the checksum differs (a wrong download is deleted, a file that was there is
    left as it is), and OSError if the server cannot be reached, refuses, breaks off, or sends
    something else: a web page, or another part of the file than asked for.
    """
    name = Path(unquote(urlsplit(url).path)).name
    if urlsplit(url).scheme not in ("http", "https") or name in ("", ".."):
        raise ValueError(f"'{url}' is no address of a file; expected http(s)://host/.../file.")
    file = Path(folder) / name
    part = file.with_name(f"{name}.part")
    note = file.with_name(f"{name}.json")
    known = _remembered(note)
    if file.exists():
        expected = checksum or known.get("checksum")
        complaint = f"'{file}' is not the file that was published: delete it and fetch it again."
        _verify(file, expected, complaint)
        return file
    file.parent.mkdir(parents=True, exist_ok=True)
    _download(url, part, note, known, timeout)
    complaint = f"The download of '{name}' is corrupt and was deleted: fetch it again."
    try:
        digest = _verify(part, checksum, complaint)
    except ValueError:
        part.unlink()
        raise
    size = part.stat().st_size
    remembered = {"url": url, "bytes": size, "checksum": f"sha256:{digest}"}
    note.write_text(json.dumps(remembered, indent=1), encoding="utf-8")
    part.rename(file)
    print(f"{file}: {size / 1e6:.1f} MB, sha256 {digest}")
    return file


def _remembered(note: Path) -> dict:
    """What the note beside a file says of its download."""
    try:
        known = json.loads(note.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):  # nothing, or half a note of a process that was killed
        return {}
    return known if isinstance(known, dict) else {}


def _download(url: str, part: Path, note: Path, known: dict, timeout: float) -> None:
    """Append to ``part`` what is missing, or start over if the server has another file by now."""
    start = 0
    headers = {"User-Agent": "stma_nb", "Accept-Encoding": "identity"}
    if part.exists() and known.get("url") == url and known.get("etag"):
        start = part.stat().st_size
    if start:
        # The server sends the rest if its file is still the one of this tag, else all of it.
        headers["Range"] = f"bytes={start}-"
        headers["If-Range"] = known["etag"]
    host = urlsplit(url).netloc
    try:
        total = _receive(url, headers, part, note, start, timeout)
    except HTTPError as error:
        if error.code != 416:
            raise OSError(
                f"'{url}' answers {error.code} ({error.reason}): check the address, or try later."
            ) from error
        # 416: nothing is left to send. All of it is here, or the file has changed; the checksum
        # tells.
        if error.headers.get("Content-Range", "").rpartition("/")[2] == str(start):
            return
        part.unlink()
        raise OSError(
            f"The file at '{url}' has changed since the download began: fetch it again."
        ) from error
    except URLError as error:
        raise OSError(
            f"Cannot reach {host} ({error.reason}): is there a network? Then try again."
        ) from error
    except (TimeoutError, ConnectionError, HTTPException) as error:
        raise OSError(
            f"The connection to {host} broke off ({error}): fetch again to go on from there."
        ) from error
    done = part.stat().st_size
    if total is not None and done != total:
        raise OSError(
            f"The download of '{url}' broke off after {done} of {total} bytes: "
            "fetch again to go on from there."
        )


def _receive(
    url: str, headers: dict, part: Path, note: Path, start: int, timeout: float
) -> int | None:
    """Write the answer to ``part``, from byte ``start`` on; returns the size the file should have.

    None if the server does not say it.
    """
    with urlopen(Request(url, headers=headers), timeout=timeout) as answer:
        kind = answer.headers.get_content_type()
        if kind == "text/html" and not part.stem.endswith((".html", ".htm")):
            raise OSError(
                f"'{url}' answers with a web page, not with a file: open it in a browser to see "
                "what it asks for."
            )
        if answer.status == 206:
            total = _rest(answer.headers.get("Content-Range", ""), url, part, start)
        else:  # the server sends the whole file
            start = 0
            length = answer.headers.get("Content-Length", "")
            total = int(length) if length.isdecimal() else None
        check_room(part.parent, (total or start) - start)
        remembered = {"url": url, "etag": answer.headers.get("ETag")}
        note.write_text(json.dumps(remembered), encoding="utf-8")
        bar = tqdm(
            total=total, initial=start, unit="B", unit_scale=True, file=sys.stdout, desc=part.stem
        )
        with bar, open(part, "ab" if start else "wb") as target:
            while block := answer.read(BLOCK):
                target.write(block)
                bar.update(len(block))
    return total


def _rest(told: str, url: str, part: Path, start: int) -> int | None:
    """The size of a file of which a server sends a part, by its Content-Range; None if not told.

    Raises OSError, and deletes ``part``, unless it is all that comes after byte ``start``.
    """
    found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", told)
    if found:
        first, last, total = found.groups()
        if int(first) == start and total in ("*", str(int(last) + 1)):
            return int(last) + 1
    part.unlink(missing_ok=True)
    raise OSError(
        f"The server was asked for the bytes of '{url}' from {start} on and answers with others "
        f"('{told}'): fetch it again, from the start."
    )


def _verify(file: Path, checksum: str | None, otherwise: str) -> str:
    """The SHA-256 of a file; raises ValueError with ``otherwise`` if its checksum is another."""
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


def unpack(
    archive: str | Path, folder: str | Path, keep: Callable[[str], bool] = lambda name: True
) -> Path:
    """Unpack into ``folder`` the members of a zip or tar archive whose name ``keep`` accepts.

    Returns the folder. Only files and folders are unpacked: data need no links, and links are the
    way by which archives write elsewhere. Raises ValueError if there are others, if a member would
    land outside ``folder`` or a tar archive is damaged (then nothing is written), or if a zip
    archive is damaged, and OSError if there is not enough room.
    """
    archive, folder = Path(archive), Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        if zipfile.is_zipfile(archive):
            _unpack_zip(archive, folder, keep)
        else:
            _unpack_tar(archive, folder, keep)
    except DAMAGE as error:
        raise _damaged(archive, error) from error
    except OSError as error:  # of bz2 and gzip, which have no error of their own
        if error.errno is None:
            raise _damaged(archive, error) from error
        raise
    return folder


DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,  # a way to compress that zipfile does not know
)


def _damaged(archive: Path, why: object) -> ValueError:
    return ValueError(
        f"'{archive.name}' is no zip or tar archive, or damaged ({why}): fetch it again."
    )


def _unpack_zip(archive: Path, folder: Path, keep: Callable[[str], bool]) -> None:
    with zipfile.ZipFile(archive) as packed:
        chosen = [member for member in packed.infolist() if keep(member.filename)]
        _inside(folder, [member.filename for member in chosen])
        if locked := [member.filename for member in chosen if member.flag_bits & 1]:
            raise ValueError(f"'{archive.name}' asks for a password for '{locked[0]}'.")
        check_room(folder, sum(member.file_size for member in chosen))
        packed.extractall(folder, chosen)


def _unpack_tar(archive: Path, folder: Path, keep: Callable[[str], bool]) -> None:
    with tarfile.open(archive) as packed:
        members = packed.getmembers()
        _to_the_end(packed, archive)
        chosen = [member for member in members if keep(member.name)]
        _inside(folder, [member.name for member in chosen])
        for member in chosen:
            if not (member.isfile() or member.isdir()):
                what = "a link" if member.issym() or member.islnk() else "a device or the like"
                raise ValueError(
                    f"'{archive.name}' holds '{member.name}', which is {what}; expected files and "
                    "folders: do not trust it."
                )
        check_room(folder, sum(member.size for member in chosen))
        packed.extractall(folder, chosen, filter="data")


def _to_the_end(packed: tarfile.TarFile, archive: Path) -> None:
    """Raise unless a tar archive ends as it should, and what it is compressed in does.

    tarfile takes a damaged header for the end, and stops reading before the checksum of gzip, xz or
    bz2, which stands at theirs.
    """
    stream = packed.fileobj
    assert stream is not None  # it is open
    stream.seek(packed.offset)  # where the last member ended
    if stream.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise _damaged(archive, f"it breaks off at byte {packed.offset}")
    while stream.read(BLOCK):
        pass


def _inside(folder: Path, names: list[str]) -> None:
    """Raise ValueError if a member would land outside the folder, as '../name' does."""
    place = folder.resolve()
    for name in names:
        if not (place / name.replace("\\", "/")).resolve().is_relative_to(place):
            raise ValueError(
                f"The archive holds '{name}', which would land outside '{folder}': do not trust it."
            )
