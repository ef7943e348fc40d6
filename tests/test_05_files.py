"""Files are whole or not there: what is killed or fails half-way leaves the old file alone."""

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
