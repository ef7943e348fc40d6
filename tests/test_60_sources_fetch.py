"""Downloads against a server of our own on this machine, which can send parts, stop in the middle,
and lie.
"""

import hashlib
import io
import json
import tarfile
import threading
import zipfile
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from stma_nb.sources.fetch import fetch, unpack

DATA = np.random.default_rng(0).bytes(3_000_000)


class Server(BaseHTTPRequestHandler):
    """Sends ``site["data"]``, or the range asked for if the ETag is still the same;
    ``site["stop"]`` bytes only, if set.
    """

    def __init__(self, site, *arguments):
        self.site = site
        super().__init__(*arguments)

    def do_GET(self):
        site, data = self.site, self.site["data"]
        site["asked"].append(self.headers.get("Range"))
        if self.path.startswith("/none"):
            return self.send_error(404)
        start = 0
        if (
            site["ranges"]
            and self.headers.get("Range")
            and self.headers.get("If-Range") in (None, site["etag"])
        ):
            start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
            if start >= len(data):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(data)}")
                self.send_header("Content-Length", "0")
                return self.end_headers()
            self.send_response(206)
            told = f"bytes {start}-{len(data) - 1}/{len(data)}"
            self.send_header("Content-Range", site.get("range", told))
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(data) - start))
        self.send_header("ETag", site["etag"])
        self.send_header("Content-Type", site.get("type", "application/octet-stream"))
        self.end_headers()
        self.wfile.write(data[start : site["stop"]])
        return None

    def log_message(self, *arguments):
        pass


@pytest.fixture
def site():
    """What the server has, and its address."""
    site = {"data": DATA, "etag": '"1"', "ranges": True, "stop": None, "asked": []}
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Server, site))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    site["url"] = f"http://127.0.0.1:{server.server_port}/files/set.zip?download=1"
    yield site
    server.shutdown()
    server.server_close()


SHA = hashlib.sha256(DATA).hexdigest()
MD5 = hashlib.md5(DATA).hexdigest()


def test_download_is_whole_and_remembers_its_checksum(site, tmp_path, capsys):
    file = fetch(site["url"], tmp_path / "new", f"md5:{MD5}")
    assert file.name == "set.zip" and file.read_bytes() == DATA
    assert json.loads((tmp_path / "new" / "set.zip.json").read_text()) == {
        "url": site["url"], "bytes": len(DATA), "checksum": f"sha256:{SHA}",
    }  # fmt: skip
    assert SHA in capsys.readouterr().out
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["set.zip", "set.zip.json"]


def test_broken_off_download_goes_on(site, tmp_path):
    site["stop"] = 2_000_000
    with pytest.raises(OSError, match="broke off after 2000000 of 3000000 bytes: fetch again"):
        fetch(site["url"], tmp_path)
    assert not (tmp_path / "set.zip").exists()
    site["stop"] = None
    assert fetch(site["url"], tmp_path, f"sha256:{SHA}").read_bytes() == DATA
    assert site["asked"] == [None, "bytes=2000000-"]


def test_server_without_ranges_starts_over(site, tmp_path):
    site |= {"stop": 2_000_000, "ranges": False}
    with pytest.raises(OSError, match="broke off"):
        fetch(site["url"], tmp_path)
    site["stop"] = None
    assert fetch(site["url"], tmp_path).read_bytes() == DATA


def test_file_that_changed_meanwhile_starts_over(site, tmp_path):
    site["stop"] = 2_000_000
    with pytest.raises(OSError, match="broke off"):
        fetch(site["url"], tmp_path)
    site |= {"stop": None, "data": DATA[::-1], "etag": '"2"'}
    assert fetch(site["url"], tmp_path).read_bytes() == DATA[::-1]


def test_download_that_was_complete_but_not_checked(site, tmp_path):
    (tmp_path / "set.zip.part").write_bytes(DATA)
    (tmp_path / "set.zip.json").write_text(json.dumps({"url": site["url"], "etag": '"1"'}))
    assert fetch(site["url"], tmp_path, f"md5:{MD5}").read_bytes() == DATA


def test_corrupt_download_is_refused_and_deleted(site, tmp_path):
    site["data"] = DATA[:-1] + b"?"
    with pytest.raises(
        ValueError, match=rf"download of 'set.zip' is corrupt and was deleted.*expected {MD5}"
    ):
        fetch(site["url"], tmp_path, f"md5:{MD5}")
    assert not (tmp_path / "set.zip").exists() and not (tmp_path / "set.zip.part").exists()
    site["data"] = DATA
    assert fetch(site["url"], tmp_path, f"md5:{MD5}").read_bytes() == DATA


def test_file_that_is_there_is_checked_and_kept(site, tmp_path):
    file = fetch(site["url"], tmp_path)
    assert fetch(site["url"], tmp_path) == file and len(site["asked"]) == 1
    file.write_bytes(DATA[:-1] + b"?")
    with pytest.raises(ValueError, match="is not the file that was published"):
        fetch(site["url"], tmp_path)
    assert file.exists()


def test_errors_are_one_sentence(site, tmp_path):
    with pytest.raises(OSError, match=r"answers 404 \(Not Found\): check the address"):
        fetch(site["url"].replace("files", "none"), tmp_path)
    with pytest.raises(OSError, match="Cannot reach nowhere.invalid .*: is there a network"):
        fetch("http://nowhere.invalid/set.zip", tmp_path)
    with pytest.raises(OSError, match="Cannot reach 127.0.0.1:9 "):
        fetch("http://127.0.0.1:9/set.zip", tmp_path)
    with pytest.raises(ValueError, match="no address of a file"):
        fetch("file:///etc/passwd", tmp_path)
    with pytest.raises(ValueError, match="expected 'md5:...' or 'sha256:...'"):
        fetch(site["url"], tmp_path, "crc:1")


# ---------------------------------------------------------------------------------------- unpacking


def zipped(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def tarred(path, members):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.parametrize(("pack", "name"), [(zipped, "a.zip"), (tarred, "a.tar.gz")])
class TestUnpack:
    def test_chosen_members(self, tmp_path, pack, name):
        archive = pack(
            tmp_path / name, {"P/S1/a.npy": b"one", "P/S2/b.npy": b"two", "P/c.json": b"{}"}
        )
        folder = unpack(archive, tmp_path / "out", keep=lambda member: "/S2/" not in member)
        found = {
            str(file.relative_to(folder)): file.read_bytes()
            for file in folder.rglob("*")
            if file.is_file()
        }
        assert found == {"P/S1/a.npy": b"one", "P/c.json": b"{}"}

    @pytest.mark.parametrize("evil", ["../evil", "a/../../evil", "/tmp/evil_stma", "..\\evil"])
    def test_member_that_leaves_the_folder(self, tmp_path, pack, name, evil):
        archive = pack(tmp_path / name, {"good": b"1", evil: b"2"})
        with pytest.raises(ValueError, match="would land outside"):
            unpack(archive, tmp_path / "out")
        assert not list((tmp_path / "out").iterdir()) and not (tmp_path / "evil").exists()

    def test_damaged_archive(self, tmp_path, pack, name):
        archive = pack(tmp_path / name, {"good": DATA})
        archive.write_bytes(archive.read_bytes()[:100_000])
        with pytest.raises(ValueError, match="no zip or tar archive, or damaged"):
            unpack(archive, tmp_path / "out")


def a_tar(path, *members, mode="w"):
    """An archive of (name, content) and of TarInfos without content."""
    with tarfile.open(path, mode) as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                archive.addfile(info, io.BytesIO(member[1]))
    return path


def a_link(name, to, kind=tarfile.SYMTYPE):
    link = tarfile.TarInfo(name)
    link.type, link.linkname = kind, to
    return link


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (tarfile.SYMTYPE, "'x', which is a link; expected files and folders"),
        (tarfile.LNKTYPE, "'x', which is a link"),
        (tarfile.FIFOTYPE, "'x', which is a device or the like"),
        (tarfile.CHRTYPE, "'x', which is a device or the like"),
    ],
)
@pytest.mark.parametrize("to", ["../../elsewhere", "good", "not there"])
def test_links_and_devices_are_refused_wherever_they_lead(tmp_path, kind, said, to):
    archive = a_tar(tmp_path / "a.tar", ("good", b"1"), a_link("x", to, kind))
    with pytest.raises(ValueError, match=said):
        unpack(archive, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())
    unpack(archive, tmp_path / "out", keep=lambda name: name == "good")
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["good"]


def test_long_chains_of_links_write_nothing_outside(tmp_path):
    """Names longer than the system can resolve: some versions of tarfile then lose count."""
    members, path, folder = [], "", "d" * 247
    for step in "abcdefghijklmnop":
        inner = tarfile.TarInfo(f"{path}{folder}")
        inner.type = tarfile.DIRTYPE
        members += [inner, a_link(f"{path}{step}", folder)]
        path += f"{folder}/"
    long = "/".join("abcdefghijklmnop") + "/" + "l" * 254
    members += [a_link(long, "../" * 16), a_link("escape", f"{long}/../../")]
    archive = a_tar(tmp_path / "a.tar", *members, ("escape/evil.txt", b"evil"))
    with pytest.raises(ValueError):
        unpack(archive, tmp_path / "data" / "out")
    assert not list(tmp_path.rglob("evil.txt"))


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_damage_anywhere_in_a_tar_is_noticed_before_anything_is_written(tmp_path, mode):
    content = DATA[:60_000]
    whole = a_tar(tmp_path / "a.tar", ("a", content), ("b", b"2"), mode=mode).read_bytes()
    assert unpack(tmp_path / "a.tar", tmp_path / "right").joinpath("a").read_bytes() == content
    headers = [0, 512 + 60_416]  # of the two members; what a plain tar holds has no checksum
    places = headers if mode == "w" else range(20, len(whole), 5_000)
    for place in places:
        spoilt = bytearray(whole)
        spoilt[place] ^= 255
        (tmp_path / "b.tar").write_bytes(spoilt)
        with pytest.raises(ValueError, match=r"'b.tar' is no zip or tar archive, or damaged"):
            unpack(tmp_path / "b.tar", tmp_path / "out")
        assert not list((tmp_path / "out").iterdir())
    for length in (512 + 60_416, 512 + 60_416 + 512) if mode == "w" else (len(whole) // 2,):
        (tmp_path / "b.tar").write_bytes(whole[:length])
        with pytest.raises(ValueError, match="damaged"):
            unpack(tmp_path / "b.tar", tmp_path / "out")


def test_a_zip_that_is_locked_or_packed_in_an_unknown_way_is_named(tmp_path):
    file = zipped(tmp_path / "a.zip", {"a": b"1"})
    for offset_in_header, value, said in (
        (8, 1, "a.zip' asks for a password for 'a'"),
        (10, 99, "damaged"),
    ):
        spoilt = bytearray(file.read_bytes())
        directory = spoilt.index(b"PK\x01\x02")
        spoilt[directory + offset_in_header] = value
        (tmp_path / "b.zip").write_bytes(spoilt)
        with pytest.raises(ValueError, match=said.replace("a.zip", "b.zip")):
            unpack(tmp_path / "b.zip", tmp_path / "out")


# ------------------------------------------------------------------------- servers that answer else


@pytest.mark.parametrize(
    "range_sent",
    [
        "bytes 0-99/3000000",
        "bytes 2000001-2999999/3000000",
        "bytes 2000000-2999998/3000000",
        "",
        "x",
    ],
)
def test_another_part_than_asked_for_is_not_appended(site, tmp_path, range_sent):
    site["stop"] = 2_000_000
    with pytest.raises(OSError, match="broke off"):
        fetch(site["url"], tmp_path)
    site |= {"stop": None, "range": range_sent}
    with pytest.raises(OSError, match="from 2000000 on and answers with others"):
        fetch(site["url"], tmp_path)
    assert not (tmp_path / "set.zip").exists() and not (tmp_path / "set.zip.part").exists()
    assert fetch(site["url"], tmp_path).read_bytes() == DATA, "the next call starts over"


def test_a_web_page_is_not_taken_for_the_file(site, tmp_path):
    site["type"] = "text/html; charset=utf-8"
    with pytest.raises(OSError, match="answers with a web page, not with a file: open it"):
        fetch(site["url"], tmp_path)
    assert not (tmp_path / "set.zip").exists()
    page = site["url"].replace("set.zip", "guide.html")
    assert fetch(page, tmp_path).read_bytes() == DATA, "where a page is asked for, it is"
