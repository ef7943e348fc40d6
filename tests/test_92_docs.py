"""The texts beside the notebooks: links lead somewhere, commands exist, and the numbers in the
question bank are right.
"""

import ast
import builtins
import json
import re
import shlex
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest
import typer
import yaml
from torch import nn

import stma_nb
from stma_nb import __main__, accuracy, course, cube, doctor, model
from stma_nb.course import cells
from stma_nb.course.structure import Notebook

ROOT = Path(__file__).parent.parent
TEXTS = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "data/README.md",
    "notebooks/README.md",
    "notebooks/continent.md",
    "notebooks/questions.md",
)
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def code(text: str) -> list[str]:
    """The lines of code of a Markdown text: those between fences, and spans within lines."""
    fenced = [
        line.split(" #")[0].strip()
        for block in FENCE.findall(text)
        for line in block.splitlines()[1:-1]
    ]
    return fenced + [
        " ".join(span.split()) for span in re.findall(r"`([^`]+)`", FENCE.sub("", text))
    ]


def headings(text: str) -> set[str]:
    """The anchors that GitHub gives to the headings of a Markdown text."""
    titles = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    plain = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title) for title in titles)
    return {re.sub(r"[^\w\- ]", "", title).strip().lower().replace(" ", "-") for title in plain}


def link_complaints(name: str, text: str) -> list[str]:
    found = []
    for target in re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", text)):
        address = urlsplit(target)
        if address.scheme:
            continue
        place = (
            ((ROOT / name).parent / unquote(address.path)).resolve()
            if address.path
            else ROOT / name
        )
        if not place.is_relative_to(ROOT.resolve()) or not place.exists():
            found.append(f"{name} links to '{target}', which is not in the repository")
        elif address.fragment and not has_heading(place, unquote(address.fragment)):
            found.append(f"{name} links to '{target}', but there is no such heading")
    return found


def has_heading(place: Path, anchor: str) -> bool:
    if place.suffix == ".ipynb":
        return bool(Notebook(place).words(id=anchor))
    return anchor in headings(place.read_text(encoding="utf-8"))


def command_complaint(line: str) -> str | None:
    """What is wrong with a quoted ``python -m stma_nb ...``: a subcommand or a flag that does not
    exist.
    """
    command = typer.main.get_command(__main__.app())
    words = shlex.split(line.split("-m stma_nb", 1)[1])
    while subcommands := getattr(command, "commands", None):  # a command without is reached
        if not words or words[0].startswith("-"):
            break
        if words[0] not in subcommands:
            return f"'{line}': there is no '{words[0]}'"
        command = subcommands[words.pop(0)]
    flags = {"--help"} | {flag for parameter in command.params for flag in parameter.opts}
    unknown = [word for word in words if word.startswith("--") and word not in flags]
    return f"'{line}': there is no flag {unknown[0]}" if unknown else None


# ---------------------------------------------------------------------------------- links, commands


@pytest.mark.parametrize("name", TEXTS)
def test_links_lead_somewhere(name):
    assert link_complaints(name, read(name)) == []


def test_wrong_links_are_found():
    text = (
        "[a](nothing.md) [b](../outside.md) [c](README.md#no-such-heading) "
        "[d](https://doi.org/10.1000/1)\n```\n[e](code)\n```\n"
    )
    assert len(link_complaints("README.md", text)) == 3


@pytest.mark.parametrize("name", TEXTS)
def test_commands_exist(name):
    lines = [line for line in code(read(name)) if "-m stma_nb" in line]
    assert [complaint for complaint in map(command_complaint, lines) if complaint] == []
    targets = {target for line in code(read(name)) for target in re.findall(r"^make (\w+)", line)}
    assert targets <= set(re.findall(r"^(\w+):", read("Makefile"), re.MULTILINE))


def test_wrong_commands_are_found():
    assert "there is no 'predict'" in command_complaint("python -m stma_nb predict weights")
    assert "there is no 'maps'" in command_complaint("torchrun -m stma_nb data maps")
    assert "no flag --epoch" in command_complaint(
        "python -m stma_nb train season weights --epoch 3"
    )
    assert command_complaint("python -m stma_nb data simulate season.zarr --size 64 64") is None


@pytest.mark.parametrize("name", TEXTS)
def test_files_named_in_code_exist(name):
    named = {
        span
        for span in code(read(name))
        if re.fullmatch(r"(?:python )?(?:stma_nb|tests|data|notebooks)/[\w/.-]+\.\w+", span)
    }
    assert [file for file in named if not (ROOT / file.removeprefix("python ")).exists()] == []


FLOORS = (  # of the house, from the ground up; a room imports only from lower floors
    ("files", "machine", "extras", "options"),
    ("cube", "model"),
    ("simulate",),
    ("radar",),
    ("patches",),
    ("train", "figures", "sources"),
    ("accuracy", "predict", "attention"),
    ("experiment", "course"),
    ("studies", "bench"),
    ("doctor",),
    ("__main__",),
)


def imported_rooms(file: Path) -> set[str]:
    """Rooms that a file of the library imports, wherever in it the import stands."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "stma_nb":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("stma_nb."):
            found.add(node.module.split(".")[1])
        elif isinstance(node, ast.Import):
            found |= {
                alias.name.split(".")[1]
                for alias in node.names
                if alias.name.startswith("stma_nb.")
            }
    return found - {"__version__"}


def test_rooms_import_only_from_lower_floors():
    floor = {room: height for height, rooms in enumerate(FLOORS) for room in rooms}
    files = [
        file
        for file in (ROOT / "stma_nb").rglob("*.py")
        if file.parent.name != "stma_nb" or file.stem != "__init__"
    ]
    assert {
        file.relative_to(ROOT / "stma_nb").parts[0].removesuffix(".py") for file in files
    } == set(floor)
    for file in files:
        own = file.relative_to(ROOT / "stma_nb").parts[0].removesuffix(".py")
        wrong = [room for room in imported_rooms(file) - {own} if floor[room] >= floor[own]]
        assert not wrong, (
            f"{file.name} of {own} imports {', '.join(wrong)}, which does not lie below it"
        )


def test_every_room_is_told_in_the_package_and_in_the_readme():
    for room in stma_nb.__all__:
        assert re.search(rf"\b{room}\b", stma_nb.__doc__) and f"`{room}`" in read("README.md")


def test_the_legend_shown_is_one_that_is_read(tmp_path):
    shown = re.search(
        r"^```\n(code,name,.*?)^```", read("data/README.md"), re.MULTILINE | re.DOTALL
    )
    (tmp_path / "classes.csv").write_text(shown[1], encoding="utf-8")
    crops = cube.read_legend(tmp_path / "classes.csv")
    assert [crop.name for crop in crops] == ["Woods and towns", "Maize", "Sugar beet"]
    assert cube.background(crops) == 0


# -------------------------------------------------------------------- the series, the question bank


def test_index_and_question_bank_name_every_notebook():
    for notebook in map(Notebook, course.notebooks()):
        number, title = notebook.path.name.partition("_")[0], notebook.title.strip()
        assert f"| {number} | [{title}]({notebook.path.name}) |" in read("notebooks/README.md")
        said = re.search(
            rf"^## {number} \[([^]]+)\]\({notebook.path.name}\)$",
            read("notebooks/questions.md"),
            re.MULTILINE,
        )
        assert said and title.startswith(said[1])


def sections() -> dict[str, str]:
    """The question bank by number of the notebook, and the quiz."""
    parts = re.split(r"^## ", read("notebooks/questions.md"), flags=re.MULTILINE)[1:]
    return {"quiz" if part.startswith("Quiz") else part.split()[0]: part for part in parts}


def test_every_question_has_an_answer():
    for number, part in sections().items():
        questions = re.findall(r"^\*\*(\d+)\*\* \((\w+)\)\.", part, re.MULTILINE)
        if number != "quiz":
            assert 4 <= len(questions) <= 9, number
            assert [int(count) for count, _ in questions] == list(range(1, len(questions) + 1))
            assert {kind for _, kind in questions} <= {
                "recall",
                "understanding",
                "calculation",
                "judgement",
            }
            assert {"recall", "calculation", "judgement"} <= {kind for _, kind in questions}
            blocks = re.findall(
                r"^<details><summary>Answer</summary>\n\n(.+?)\n\n</details>$",
                part,
                re.MULTILINE | re.DOTALL,
            )
            assert len(blocks) == len(questions), number


def test_quiz_has_one_key_for_twelve_questions():
    quiz = sections()["quiz"]
    assert re.findall(r"^\*\*(\d+)\.\*\*", quiz, re.MULTILINE) == [str(n) for n in range(1, 13)]
    assert re.findall(r"^- (\w)\) ", quiz, re.MULTILINE) == list("abcd") * 12
    key = re.findall(
        r"\b(\d+) ([a-d])\b", quiz.split("<summary>Key</summary>")[1].split("Where")[0]
    )
    assert [number for number, _ in key] == [str(n) for n in range(1, 13)]
    assert set("abcd") == {letter for _, letter in key}, "no letter is a safe guess"


def db(power):
    return 10 * np.log10(power)


def weights(power):
    share = np.array([0.9, 0.1])
    return share**-power / (share * share**-power).sum()


def parameters(module) -> int:
    return sum(p.numel() for p in module.parameters())


def map_sample(width: float) -> int:
    """Points for an overall accuracy of this standard error, where a map has shares 0.3 and 0.7."""
    return accuracy.sample_size([0.3, 0.7], [0.8, 0.9], width)


CALCULATED = {  # by notebook: what the text says, and the number
    "00": {
        "-13.01 dB": db(0.05),
        "-3.01 dB": db(0.5),
        "0.75": 60 / 80,
        "0.667": 2 * 0.75 * 0.6 / 1.35,
        "0.50": 60 / 120,
        "0.83": 0.5 * 0.96 + 0.5 * 0.70,
    },
    "01": {
        "-9.11 dB": db(0.75 * 10**-0.8 + 0.25 * 10**-1.8),
        "-10.5 dB": -(0.75 * 8 + 0.25 * 18),
        "4.0": 0.04**2 / 0.02**2,
        "5.2": 17.6 / 3.4,
    },
    "02": {
        "-15.23 dB": db((120**2 - 3600) / 600**2),
        "-13.98 dB": db(120**2 / 600**2),
        "1.25 dB": -db(0.75),
        "81 m": 100 * np.tan(np.radians(39)),
    },
    "03": {
        "0.9375": 1 - 0.5**4,
        "0.83": weights(0.5)[0],
        "2.5": weights(0.5)[1],
        "0.75": 0.9 * weights(0.5)[0],
        "1.25": 400 / (1 + 399 * 0.8),
        "count as 62": 50 * 400 / (1 + 399 * 0.8),
    },
    "03a": {
        "304": parameters(nn.Conv2d(2, 16, 3)),
        "160": parameters(nn.Conv2d(16, 16, 3, groups=16)),
        "0.576": np.e / (np.e + 2),
        "0.551": np.log((np.e + 2) / np.e),
    },
    "04": {
        "0.576": np.e / (np.e + 2),
        "0.946": 1.5 / np.log2(3),
        "1.585": np.log2(3),
        "66 048": 4 * 128**2 + 4 * 128,
    },
    "05": {
        "1600": (160 / 4) ** 2,
        "2 560 000": (160 / 4) ** 4,
        "41.0 MB": 16 * 40**4 / 1e6,
        "3280": parameters(model.LSAPE(328)),
    },
    "06": {
        "192 channels": 8 * 24,
        "1 572 864": 2 * 64**2 * 192,
        "4 718 592": 2 * 64 * 192**2,
    },
    "07": {
        "2.77": np.log(16),
        "42 steps": 2749 // 64,
        "2100 s": 42 * 200 * 0.25,
        "35 minutes": 35,
    },
    "08": {
        "0.80": 0.64 / 0.80,
        "18 500 ha": 0.85 * 20_000 + 0.05 * 30_000,
        "273": map_sample(0.02),
        "1089": map_sample(0.01),
        "0.1089": 0.33**2,
        "= 400": 10_000 / 5**2,
        "0.0241": 0.96 * 0.02 + 0.04 / 8 * 0.98,
        "quantity 0.10": accuracy.disagreement(np.array([[50, 5], [15, 30]]))[0],
    },
    "09": {
        "2.52 times": 0.14 * 18,
        "0.056": 1 / 18,
    },
    "10": {
        "9 windows": 1 / (1 - 2 / 3) ** 2,
        "2.25 times": 9 / 4,
        "576 pixels": 544 + 32,
        "33 minutes": 10_000 / 5 / 60,
        "32 GB": 1e8 * 40 * 2 * 4 / 1e9,
    },
    "11": {
        "1.995": 10**0.3,
        "1.5 bits": 1.5,
    },
    "12": {
        "-16.98 dB": 20 * np.log10(2000) - 83,
        "0.0200": 2000**2 * 10**-8.3,
        "0.941": 807 / 858,
    },
}


@pytest.mark.parametrize("number", CALCULATED)
def test_numbers_in_the_answers_are_right(number):
    text = " ".join(sections()[number].split())
    for said, value in CALCULATED[number].items():
        assert said in text, said
        digits = re.search(r"-?[\d ]*\d(?:\.(\d+))?", said)
        assert float(digits[0].replace(" ", "")) == pytest.approx(
            value, abs=0.5001 * 10.0 ** -len(digits[1] or "")
        ), said


def test_shapes_and_parameters_in_the_answers_are_the_networks():
    network = model.STMA(dates=18, patch=32, width=8)
    assert parameters(network.stsa[2].attend_temporal) == 66_048
    assert model.STSA(2, 2, 1024, 1, 2, 0.0).skip_mix.weight.numel() + 1024 == 2_098_176


# ---------------------------------------------------------------------------- changes and workflows


def test_changelog_begins_with_this_version():
    assert (
        re.findall(r"^## \[([\d.]+)\]", read("CHANGELOG.md"), re.MULTILINE)[0]
        == stma_nb.__version__
    )


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflow_is_well_formed(path):
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert content["name"] and content[True], "YAML reads the key 'on' as true"
    assert content["permissions"] == {"contents": "read"}
    for job in content["jobs"].values():
        matrix = job.get("strategy", {}).get("matrix", {})
        systems = matrix.get("system", [job["runs-on"]])
        assert all(re.fullmatch(r"(ubuntu|macos|windows)-[\d.]+", system) for system in systems)
        assert job["timeout-minutes"]
        for step in job["steps"]:
            assert ("uses" in step) != ("run" in step)
            assert re.fullmatch(r"[\w-]+/[\w-]+@v\d+", step.get("uses", "actions/checkout@v1")), (
                "a pinned major version"
            )


def commands(job: dict) -> list[str]:
    return [step["run"] for step in job["steps"] if "run" in step]


def test_workflows_run_what_everyone_runs():
    assert [path.stem for path in WORKFLOWS] == ["ci", "nightly", "site"]
    ci, nightly, site = (yaml.safe_load(path.read_text(encoding="utf-8")) for path in WORKFLOWS)
    jobs = ci["jobs"] | {f"nightly {name}": job for name, job in nightly["jobs"].items()}
    runs = {name: commands(job) for name, job in jobs.items()}
    for name, script in {
        "test": ".ci/run",
        "nightly resolve": ".ci/resolve",
        "nightly lowest": ".ci/lowest",
    }.items():
        assert script in runs[name] and (ROOT / script).stat().st_mode & 0o100, "can be started"
    assert "python .ci/colab.py" in runs["nightly colab"] and (ROOT / ".ci/colab.py").exists()
    newest = runs["nightly test"]
    assert not any("constraints" in line for line in newest)
    shared_out = "-m pytest -n auto --dist worksteal"
    assert shared_out in read("Makefile") and any(
        f'python {shared_out} -m ""' in line for line in newest
    )
    assert {"python -m stma_nb doctor", "python -m stma_nb run"} <= set(runs["elsewhere"])
    assert "make site TORCH=cpu" in commands(site["jobs"]["build"])
    assert [job for job, content in site["jobs"].items() if "permissions" in content] == ["publish"]
    assert nightly[True]["schedule"] and "workflow_dispatch" in nightly[True]


def test_workflows_try_the_oldest_and_the_newest_python():
    oldest, newest = (f"{major}.{minor}" for major, minor in doctor.PYTHONS)
    for path in WORKFLOWS[:2]:
        for job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values():
            if matrix := job.get("strategy", {}).get("matrix"):
                assert matrix["python"][0] == oldest and newest in matrix["python"]


# ---------------------------------------------------------------------------- plans that run


def places(text: str) -> set[int]:
    """The sections that a plan names: "sections 1-3 and 6; the report of section 8" """
    found: set[int] = set()
    for group in re.findall(r"sections? ([\d, and-]+)", text):
        for first, last in re.findall(r"(\d+)(?:-(\d+))?", group):
            found |= set(range(int(first), int(last or first) + 1))
    return found


def planned(text: str) -> list[tuple[str, set[int], set[int]]]:
    """What the plans by the hour teach: notebook, sections and exercises, without what may be
    skipped; the whole notebook where no sections are named.
    """
    found = []
    for row in re.findall(r"^\| \d+:\d\d \|(.+)\|$", text, re.MULTILINE):
        title, live, exercises, skip = (part.strip() for part in row.split("|"))
        if "web page" in live or "by the lecturer" in live:
            continue
        for number in re.findall(r"\b\d\da?\b(?! min)", title.split("(")[0]):
            own = re.search(rf"{number}, (sections?[^;]+)", live)
            chosen = places(own[1] if own else live) or set(range(1, 20))
            named = dict(re.findall(r"(\d\da?): ([\d, ]+)", exercises))
            asked = named.get(number, "") if named else exercises
            left_out = places("; ".join(re.findall(r"(?:^|; )(section \d+)", skip)))
            tasks = {int(task) for task in re.findall(r"\d+", asked)}
            found.append((number, chosen - left_out, tasks))
    return found


def lacking(path: Path, chosen: set[int], tasks: set[int]) -> dict[str, set[str]]:
    """Names that the chosen sections and exercises of a notebook read and none of them binds."""
    have, found = {*dir(builtins), "display", "get_ipython"}, {}
    section, task = "", 0
    for cell in json.loads(path.read_text("utf-8"))["cells"]:
        source, tags = "".join(cell["source"]), cell["metadata"].get("tags", [])
        if cell["cell_type"] == "markdown":
            section = (re.findall(r"^## (\d+|Exercises)", source, re.MULTILINE) or [section])[-1]
            continue
        asks = "exercise" in tags
        if "solution" in tags:
            continue
        if asks or section == "Exercises":  # what stands before an exercise belongs to it
            left_out = task + 1 not in tasks
        else:
            left_out = section != "" and int(section) not in chosen
        task += asks
        if left_out:
            continue
        names = cells.names(source)
        if missing := names.read - names.bound - have:
            found[f"section {section}: {source[:40]}"] = missing
        have |= names.bound
    return found


def test_plans_by_the_hour_leave_out_nothing_that_is_needed():
    plans = planned(read("notebooks/README.md"))
    assert len(plans) >= 9 and {"00", "02", "05", "06", "08"} <= {number for number, *_ in plans}
    for number, chosen, tasks in plans:
        [path] = (ROOT / "notebooks").glob(f"{number}_*.ipynb")
        sections = set(map(int, re.findall(r"## (\d+)\. ", path.read_text("utf-8"))))
        assert lacking(path, chosen, tasks) == {}, f"{number}, sections {chosen & sections}"
        assert chosen & sections and (max(chosen) <= max(sections) or max(chosen) == 19), number


def test_what_a_plan_leaves_out_is_found():
    [path] = (ROOT / "notebooks").glob("02_*.ipynb")
    assert {"sigma0"} in lacking(path, {1, 2, 3, 5}, {1, 3}).values()
    assert lacking(path, {1, 2, 3, 4, 5}, {1, 3}) == {}
