"""Every notebook keeps the course's conventions, and each check trips over a notebook that does
not.
"""

import copy
import json
import re
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from stma_nb.__main__ import main
from stma_nb.course import address, structure

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9][0-9]*_*.ipynb"))
HERE = address.here()
BINDER, COLAB = HERE.badges("90_small.ipynb").values()
SETUP = f"!{HERE.clone} /content/stma_nb"
FOLDED = {"source_hidden": True, "outputs_hidden": True}
HEAD = f"""# Small

[![Open in Binder](https://mybinder.org/badge_logo.svg)]({BINDER})
[![Open in Colab](https://colab.research.google.com/b.svg)]({COLAB})

## What you will learn

- little.

**Needs:** half a minute and 1 GB of memory. **Before you start:** [nothing](../README.md#top),
[more](#Summary).

## Exercises"""
END = """## Summary

**Next:** [itself](90_small.ipynb).

## References

- A. Vaswani et al. (2017). [arXiv:1706.03762](https://arxiv.org/abs/1706.03762)
- Somebody (2020). [page](https://example.org)"""
PICTURE = (
    '<figure><img alt="A picture of nothing at all" src="data:image/png;base64,iVBORw0KGgo=">'
    "<figcaption><b>Figure 1.</b> A picture of nothing at all.</figcaption></figure>"
)


@pytest.fixture
def small(tmp_path):
    """A notebook that keeps all conventions; on disk, its measured run and what it links to."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "budget.json").write_text(
        '{"90_small": {"seconds": 20, "megabytes": 900, "cores": 2}}'
    )
    (tmp_path / "README.md").write_text("# top")
    output = new_output("display_data", {"text/html": PICTURE, "text/plain": "a picture"})
    exercises = [
        new_code_cell(
            "answer = None",
            metadata={"tags": tags} | ({"jupyter": FOLDED} if tags == ["solution"] else {}),
        )
        for kind in ([], ["build"], ["predict"])
        for tags in (["exercise", *kind], ["solution"])
    ]
    cells = [
        new_markdown_cell(HEAD),
        new_code_cell(f"{SETUP}\n{structure.SETUP}", metadata={"tags": ["setup"]}),
        new_code_cell("epochs = 1", metadata={"tags": ["parameters"]}),
        new_code_cell("draw()", outputs=[output]),
        *exercises,
        new_markdown_cell(END),
    ]
    return new_notebook(cells=cells)


@pytest.fixture
def said(small, tmp_path):
    """A function that changes the good notebook and returns what is said about it."""

    def complain(change=lambda notebook: None) -> str:
        changed = copy.deepcopy(small)
        change(changed)
        path = tmp_path / "notebooks" / "90_small.ipynb"
        path.write_text(json.dumps(changed))  # not by nbformat, which would mend it
        return "\n".join(structure.complaints(structure.Notebook(path)))

    return complain


def replace(old: str, new: str):
    """A change of the text of all cells."""

    def change(notebook):
        assert any(old in cell.source for cell in notebook.cells)
        for cell in notebook.cells:
            cell.source = cell.source.replace(old, new)

    return change


def test_a_good_notebook_passes(said):
    assert said() == ""


def test_a_notebook_that_was_never_measured(said, tmp_path):
    (tmp_path / "notebooks" / "budget.json").unlink()
    assert "has no measured run" in said()


@pytest.mark.parametrize(
    "old, new, words",
    [
        ("# Small\n", "# Small\n\n# Large\n", "has 2 titles (#), expected one"),
        (
            "## Exercises",
            "## More\n\n#### Exercises",
            "from a heading of level 2 to one of level 4",
        ),
        ("What you will learn", "Aims", "has no section '## What you will learn'"),
        ("- little.", "Little.", "has no list under 'What you will learn'"),
        ("## Summary", "## End", "has no section '## Summary'"),
        ("**Next:**", "Next:", "has no line '**Next:** ...'"),
        ("**Needs:**", "Needs:", "has no line '**Needs:** ...'"),
        (
            "https://arxiv.org",
            "https://arxiv.example",
            "has no DOI or arXiv link under 'References'",
        ),
        ("[page](https://example.org)", "", "has a reference without a link: Somebody (2020)"),
        (
            "lab/tree/notebooks/90_small.ipynb",
            "lab/tree/notebooks/91.ipynb",
            "has no Binder badge that opens this notebook",
        ),
        (
            f"blob/{HERE.branch}/notebooks/90_small.ipynb",
            f"blob/{HERE.branch}/90_small.ipynb",
            "has no Colab badge that opens this notebook",
        ),
        (HERE.url + " ", "https://github.com/else/where ", f"has no line '{SETUP}' in its set-up"),
        ("depth 1 ", "depth 1 --branch other ", f"has no line '{SETUP}' in its set-up cell"),
        ("%run ", "%load ", f"has no line '{structure.SETUP}' in its set-up cell"),
        ("../README.md#top", "../READ.md", "links to '../READ.md', which does not exist"),
        (
            "../README.md#top",
            "../../elsewhere",
            "links to '../../elsewhere', which lies outside the repository",
        ),
        ("#Summary", "#summary", "links to '#summary', but there is no such heading"),
        ("[![Open in Binder]", "[![]", "has 1 pictures without an alternative text"),
        ("half a minute", "10 seconds", "took 20 s, but says that it needs 10 s"),
        ("1 GB", "0.5 GB", "took 900 MB, but says that it needs 512 MB"),
        (
            "half a minute and",
            "some time and",
            "does not say under **Needs:** how many minutes and GB",
        ),
        (
            "draw()",
            "\n\n# drawn\n".join(["draw()"] * 16),
            "has a code cell of 16 lines (draw()), at most 15",
        ),
        (
            "draw()",
            "\n".join(["import json"] * 41),
            "has a code cell of 41 lines (import json), at most 40",
        ),
    ],
)
def test_text_that_breaks_a_convention(said, old, new, words):
    assert words in said(replace(old, new))


@pytest.mark.parametrize(
    "change, words",
    [
        (
            lambda n: n.cells[3].outputs[0].data.update({"text/html": "<img src='x.png'>"}),
            "has 1 pictures without an alternative",
        ),
        (
            lambda n: n.cells[3].outputs[0].update(data={"image/png": "iVBORw0KGgo="}),
            "has a picture as bare PNG",
        ),
        (
            lambda n: n.cells[3].outputs[0].data.update({"text/html": PICTURE + PICTURE}),
            "numbers its captions Figure 1, Figure 1: expected 1, 2, 3, ... in order",
        ),
        (
            lambda n: (
                n.cells[3].outputs[0].data.update({"text/html": PICTURE.replace("figcaption", "p")})
            ),
            "has 1 figures and 0 captions",
        ),
        (
            lambda n: (
                n.cells[3]
                .outputs[0]
                .data.update({"text/html": PICTURE.replace("of nothing at all.</fig", "</fig")})
            ),
            "has a caption that says too little: 'Figure 1. A picture '",
        ),
        (
            lambda n: n.cells[3].update(source="# drawn\n" + "line()\n" * 14 + "draw()"),
            "has 16 lines of code up to its first figure, at most 15",
        ),
        (
            lambda n: n.cells[3].update(source='n = 1\ndisplay(Markdown(\n    f"{n}"\n    "."\n))'),
            "has a cell that writes a sentence and is not folded (n = 1)",
        ),
        (lambda n: n.cells[6].metadata.update(tags=["exercise"]), "has no exercise tagged 'build'"),
        (
            lambda n: n.cells[-1].update(
                source=n.cells[-1].source.replace(
                    "## Summary", "## Summary\n\n" + "so it goes " * 12 + "on."
                )
            ),
            "has a sentence of 37 words, at most 35: so it goes",
        ),
        (lambda n: n.cells.__delitem__(slice(4, 6)), "has 2 exercises, expected at least three"),
        (lambda n: n.cells.pop(5), "has exercises without a solution right after them"),
        (lambda n: n.cells[5].metadata.pop("jupyter"), "has a solution that is not folded away"),
        (
            lambda n: n.cells[3].metadata.update(tags=["hidden"]),
            "has a tag 'hidden', expected one of",
        ),
        (
            lambda n: n.cells[3].metadata.update(tags=["parameters"]),
            "has 2 cells tagged 'parameters'",
        ),
        (
            lambda n: n.cells.pop(1),
            "does not begin with a cell tagged 'setup'",
        ),
        (lambda n: n.cells[3].update(id=n.cells[4].id), "has cells without an id of their own"),
    ],
)
def test_cells_that_break_a_convention(said, change, words):
    assert words in said(change)


@pytest.mark.parametrize(
    "needs, seconds, megabytes",
    [
        (
            "1 to 3 minutes on two processor cores and 1 GB of memory; no graphics card, no "
            "download.",
            180,
            1024,
        ),
        ("about half a minute and 1 GB of memory.", 30, 1024),
        ("less than a minute and 1.5 GB of memory.", 60, 1536),
        (
            "one to two minutes on two cores and 1.2 GB of memory; a GPU is used when there is "
            "one.",
            120,
            1228.8,
        ),
        ("40 seconds and 800 MB", 40, 800),
        ("two hours of a GPU and 12 GB", 7200, 12288),
    ],
)
def test_what_a_header_promises_is_understood(needs, seconds, megabytes):
    assert structure.promised(needs) == pytest.approx((seconds, megabytes))


def test_a_run_is_measured_by_itself_and_kept(tmp_path):
    (tmp_path / "budget.json").write_text('{"89_gone": {"seconds": 1}}')
    for name, code in (
        ("91_large", "block = bytearray(b'x' * 300_000_000)"),
        ("92_little", "pass"),
    ):
        content = new_notebook(
            cells=[new_code_cell("n = 1", metadata={"tags": ["parameters"]}), new_code_cell(code)]
        )
        content.metadata["kernelspec"] = {
            "name": "python3",
            "display_name": "Python 3",
            "language": "python",
        }
        nbformat.write(content, tmp_path / f"{name}.ipynb")
        structure.run(tmp_path / f"{name}.ipynb", tmp_path / "out" / f"{name}.ipynb")
    kept = json.loads((tmp_path / "budget.json").read_text())
    assert list(kept) == ["91_large", "92_little"], "a notebook that is gone leaves the budget"
    assert kept["91_large"]["megabytes"] > kept["92_little"]["megabytes"] + 250, (
        "the second is not told the first's memory"
    )
    assert 0 < kept["92_little"]["seconds"] < 60 and kept["92_little"]["cores"] > 0


def test_the_table_tells_the_measures(said, tmp_path):
    said()
    header, row = structure.table(
        [structure.Notebook(tmp_path / "notebooks" / "90_small.ipynb")]
    ).splitlines()
    assert len(header) == len(row)
    assert row.split()[:3] == ["90_small", "9", "2"]
    told = dict(zip(re.split(r"  +", header.strip()), row.split(), strict=True))
    asked = ("figures", "captions", "to first", "exercises", "build", "predict")
    assert [told[name] for name in asked] == ["1", "1", "2", "3", "1", "1"]
    assert row.split()[-2:] == ["20", "900"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_keeps_the_conventions(path):
    found = structure.complaints(structure.Notebook(path))
    assert not found, "\n".join(found)


def test_command_prints_the_table(capsys):
    main(["structure"])
    printed = capsys.readouterr().out
    assert all(path.stem in printed for path in NOTEBOOKS)
