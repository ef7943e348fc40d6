"""The figures of the course as files."""

import re

from PIL import Image

from stma_nb import course
from stma_nb.__main__ import main
from stma_nb.course.structure import Notebook


def test_every_figure_is_a_file_with_its_caption(tmp_path, capsys):
    folder = tmp_path / "figures"
    assert main(["figures", str(folder)]) == 0
    told = (folder / "captions.md").read_text("utf-8")
    wanted = {
        f"{path.name.partition('_')[0]} {caption}"
        for path in course.notebooks()
        for caption in (" ".join(text.split()) for text in Notebook(path).captions)
    }
    listed = re.findall(r"^- \[((\w+)_figure_(\d+)\.(png|svg))\]\(\1\): (.*)$", told, re.MULTILINE)
    assert len(listed) > 80 and {kind for *_, kind, _ in listed} == {"png", "svg"}
    for name, notebook, number, kind, caption in listed:
        assert f"{notebook} {caption}" in wanted
        assert caption.startswith(f"Figure {int(number)}.")
        if kind == "png":
            assert Image.open(folder / name).width > 300
        else:
            assert (folder / name).read_bytes().startswith(b"<?xml")
    assert {path.name for path in folder.iterdir()} == {*(row[0] for row in listed), "captions.md"}
    assert main(["figures", str(folder)]) == 1
    assert "exists and is left as it is" in capsys.readouterr().err
