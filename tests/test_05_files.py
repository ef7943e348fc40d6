"""Files are whole or not there: what is killed or fails half-way leaves the old file alone."""

import subprocess
import sys

import pytest

from stma_nb import files


def test_a_file_is_written_whole_in_folders_made_for_it(tmp_path):
    path = tmp_path / "new" / "folder" / "map.tif"
    seen = []

    def write(part):
        seen.append(part.suffix)  # by which GDAL, say, tells the format
        assert part.parent == path.parent and part != path
        part.write_text("whole")
        assert not path.exists(), "nobody sees it before it is whole"

    assert files.write_whole(path, write) == path
    assert seen == [".tif"] and path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path], "nothing is left beside it"


def test_what_fails_half_way_leaves_the_old_file(tmp_path):
    path = tmp_path / "weights.safetensors"
    path.write_text("old")

    def write(part):
        part.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        files.write_whole(path, write)
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]
    files.write_whole(str(path), lambda part: part.write_text("new"))
    assert path.read_text() == "new"


def test_existing_files_and_folders_are_refused_unless_allowed(tmp_path):
    path = tmp_path / "season"
    files.refuse_existing(path, overwrite=False)
    path.mkdir()
    with pytest.raises(FileExistsError, match=r"season' exists and .* overwrite \(--overwrite\)"):
        files.refuse_existing(str(path), overwrite=False)
    files.refuse_existing(path, overwrite=True)


def test_an_output_is_no_input_and_no_other_output(tmp_path):
    season = tmp_path / "season"
    season.mkdir()
    (season / "crop.tif").write_text("labels")
    (tmp_path / "link").symlink_to(season / "crop.tif")
    for output in (season / "crop.tif", tmp_path / "link", season / ".." / "season" / "crop.tif"):
        with pytest.raises(ValueError, match=r"is read \(as '.*season'\) and would be replaced"):
            files.check_outputs([None, output], [season, None], overwrite=True)
    with pytest.raises(ValueError, match=r"new.nc' is read"):
        files.check_outputs([tmp_path / "new.nc"], [tmp_path / "new.nc"])
    with pytest.raises(ValueError, match="Two of the outputs have the same name"):
        files.check_outputs([tmp_path / "a.tif", f"{tmp_path}/b/../a.tif"])
    with pytest.raises(FileExistsError, match="exists and is left as it is"):
        files.check_outputs([tmp_path / "link"], [])
    files.check_outputs([season / "map.tif", tmp_path / "a"], [season], overwrite=True)


def test_only_one_process_writes_an_output(tmp_path):
    path = tmp_path / "new" / "map.tif"
    hold = "import sys; from stma_nb.files import one_writer\nwith one_writer(sys.argv[1]): "
    with files.one_writer(path):
        other = subprocess.run(
            [sys.executable, "-c", f"{hold}pass", path], capture_output=True, text=True
        )
        assert "OSError: Another process is writing" in other.stderr.splitlines()[-1]
        assert "wait until it has ended, or choose another name" in other.stderr
    assert not list(path.parent.iterdir()), "the lock goes with who held it"
    killed = subprocess.Popen([sys.executable, "-c", f"{hold}print(1, flush=True); input()", path],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
    assert killed.stdout.readline()
    with pytest.raises(OSError, match="Another process is writing"), files.one_writer(path):
        pass
    killed.kill()
    killed.communicate()
    with files.one_writer(path):
        pass


def test_text_of_other_programs_is_read(tmp_path):
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        (tmp_path / "a.txt").write_bytes("Blé".encode(encoding))
        assert files.read_text(tmp_path / "a.txt") == "Blé"


def test_room_is_asked_for_before_it_is_used(tmp_path):
    files.check_room(tmp_path, 0)
    with pytest.raises(OSError, match=r"free and 1000000000.0 GB are needed: make room"):
        files.check_room(tmp_path, 1e18)
