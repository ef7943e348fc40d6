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
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(data) - start))
        self.send_header("ETag", site["etag"])
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


def test_link_that_leads_out_is_refused(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.addfile(tarfile.TarInfo("good"))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "../../elsewhere"
        archive.addfile(link)
    with pytest.raises(ValueError, match="leads out"):
        unpack(tmp_path / "a.tar", tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())
