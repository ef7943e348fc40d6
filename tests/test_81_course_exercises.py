"""Exercises know right from wrong, and name the usual mistakes.

The answers that are tried lie in ``answers``, a file for each notebook: ``NUMBERS``, ``BUILDS``
(functions that the learner writes) and ``PREDICTS`` (predict, change, explain).
"""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch

from stma_nb import course, patches
from stma_nb.course import exercises, progress
from stma_nb.course.exercises import checks
from stma_nb.course.structure import Notebook


def answers(path: Path):
    spec = importlib.util.spec_from_file_location(f"answers_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


ANSWERS = [answers(path) for path in sorted((Path(__file__).parent / "answers").glob("*.py"))]


def collected(kind: str) -> list:
    return [case for module in ANSWERS for case in getattr(module, kind, [])]


NUMBERS, BUILDS, PREDICTS = (collected(kind) for kind in ("NUMBERS", "BUILDS", "PREDICTS"))


GENERAL = "Look at the section above again."


def names(value: object) -> str:
    return getattr(value, "__name__", "")


@pytest.fixture(autouse=True)
def own_progress(tmp_path, monkeypatch):
    """A file of progress that is not the developer's own."""
    monkeypatch.setattr(progress, "file", lambda: tmp_path / "progress.json")


@pytest.fixture
def said(capsys):
    """A function that returns what was printed since it was last called."""
    return lambda: capsys.readouterr().out


@pytest.mark.parametrize("check, arguments, right, wrong", NUMBERS, ids=names)
def test_right_and_wrong_numbers(check, arguments, right, wrong, said):
    assert check(None, *arguments) is None
    assert said().startswith("Not attempted yet")
    forms = (float, np.array, np.float64, torch.tensor, str, lambda number: [number])
    for answer in (right, *(form(right) for form in forms)):
        assert check(answer, *arguments) is True
        assert said().startswith("Well done")
    for answer, words in wrong.items():
        assert check(answer, *arguments) is False
        told = said()
        assert "not right" in told and words in told, told
        assert GENERAL not in told or words == "not right", told
    for several in ([1, 2], (8, 16, 16), np.ones((2, 2)), torch.ones(3), [[1, 2], [3]]):
        assert check(several, *arguments) is False
        told = said()
        assert f"Expected one number, got {type(several).__name__}" in told
        assert "one number is asked for" in told or "set answer to a number" in told
    for nothing in (np.mean, "ten", np.nan, np.inf):
        assert check(nothing, *arguments) is False
        assert GENERAL not in said()


@pytest.mark.parametrize("check, arguments, right, wrong", BUILDS, ids=names)
def test_right_and_wrong_functions(check, arguments, right, wrong, said):
    """``right`` are functions that do it, ``wrong`` pairs of a function and words of the hint."""

    def unwritten(*_):
        """What it should do."""
        ...

    assert check(unwritten, *arguments) is None
    assert said().startswith("Not attempted yet")
    for function in right:
        assert check(function, *arguments) is True, said()
        assert said().startswith("Well done")
    for function, words in wrong:
        assert check(function, *arguments) is False
        told = said()
        assert words in told, told

    def stops(*_, **__):
        raise KeyError("vh")

    assert check(stops, *arguments) is False
    assert "KeyError" in said()
    assert check(3, *arguments) is False
    assert "Expected a function, got int" in said()


FUNCTIONS = [check for check, *_ in BUILDS if check is not exercises.network_4]


@pytest.mark.parametrize("check", FUNCTIONS, ids=names)
def test_what_a_function_raises_is_told_in_a_sentence(check, said):
    """Of functions, also of one that takes too few arguments or looks for its data outside."""

    def unknown(*_):
        return missing  # noqa: F821

    def early(*_):
        number += 1  # noqa: F821
        return number

    def places(*given):
        return [*given][1000]

    for function, words in (
        (unknown, "uses the name missing"),
        (early, "uses number before it has a value"),
        (places, "count on no fixed number"),
    ):
        assert check(function) is False
        told = said()
        assert words in told and "It stops with" not in told, told


POINTS = torch.zeros(8, 3)


def test_a_function_that_uses_what_it_is_not_given_is_told_so(said):
    def of_notebook(network, optimiser, x, y):
        loss = torch.nn.functional.cross_entropy(network(POINTS), y)
        loss.backward()
        return loss

    assert exercises.basics_4(of_notebook) is False
    assert "It uses POINTS of the notebook" in said()
    assert exercises.basics_4(lambda optimiser, network, x, y: network.zero_grad()) is False
    assert "another order" in said()
    assert exercises.basics_4(lambda network, x, y: network(x)) is False
    assert "called with (network, optimiser, x, y)" in said()


@pytest.mark.parametrize("check, arguments, found, wrong", PREDICTS, ids=names)
def test_predict_change_explain(check, arguments, found, wrong, said):
    why = "since it is seen so here"
    assert check(None, None, "", *arguments) is None
    assert "First predict" in said()
    assert check(found, None, "", *arguments) is None
    assert "put what comes out into found" in said()
    for impossible in ("13", [1, 2], (3,), print, np.nan, -np.inf, -1e9, 1e12):
        assert check(impossible, found, why, *arguments) is None
        told = said()
        assert told.startswith("First predict") and ". Put a" in told, told
    guess = round(float(found), 1) or 0.1
    for predicted in (guess, np.float32(guess), torch.tensor(guess)):
        assert check(predicted, found, "", *arguments) is None
        assert "explain" in said()
    assert check(guess, found, why, *arguments) is True
    assert "Well done" in said()
    for answer, words in wrong.items():
        assert check(guess, answer, why, *arguments) is False
        told = said()
        assert "not right" in told and words in told, told
        assert GENERAL not in told or words == "not right", told


@pytest.mark.parametrize("path", course.notebooks(), ids=lambda path: path.stem)
def test_every_exercise_of_a_notebook_is_tried_with_plausible_wrong_answers(path):
    tried = {case[0].__name__: case[3] for case in NUMBERS + BUILDS + PREDICTS}
    few = []
    for name in Notebook(path).checks:
        wrong = tried.get(name, {})
        hints = list(wrong.values()) if isinstance(wrong, dict) else [words for _, words in wrong]
        if len({*hints} - {"not right"}) < 7:
            few.append(name)
    assert not few, f"fewer than seven wrong answers with hints of their own: {few}"


def test_as_many_wrong_answers_are_tried_as_the_course_can_name():
    """A check that loses a hint, or a table that loses an answer, is seen here."""
    of_numbers = sum(len(case[3]) for case in NUMBERS + PREDICTS)
    of_functions = sum(len(case[3]) for case in BUILDS)
    plain = sum(words == "not right" for case in NUMBERS + PREDICTS for words in case[3].values())
    assert (of_numbers, of_functions, plain) >= (700, 290, 0) and plain <= 2


def test_what_numbers_alone_tell_of_a_slip(said):
    """Of decibels in place of power, of a share of other fields, of units, and of two slips."""
    [time_series] = [module for module in ANSWERS if hasattr(module, "FOUR")]
    power, four = time_series.POWER, time_series.FOUR
    assert exercises.time_series_2(3.0, 10 * np.log10(power)) is False
    assert "vv holds decibels" in said()
    assert exercises.time_series_5(9, 3.0, "", 10 * np.log10(four), power) is False
    assert "four holds decibels" in said()
    [temporal] = [module for module in ANSWERS if hasattr(module, "READERS")]
    exercises.temporal_5(0.5, 0.3036, "", temporal.READERS, temporal.X, temporal.Y)
    assert "no share of the 5 test fields" in said()
    for wrong, words in (
        (12300, "powers of ten"),
        (-12.3, "but for its sign"),
        (1 / 12.3, "turned over"),
        (7.5, "Or: "),
        (-200, "Expected a number of points"),
        (30, GENERAL),
    ):
        hints = [(7.5, "First."), (7.5, "Second."), (7.501, "Third.")]
        checks.check(wrong, 12.3, 0.1, hints, checks.POINTS)
        assert words in said()


def test_hints_of_splits_that_a_scene_does_not_have_are_left_out(said, monkeypatch):
    """A small scene has no test pixels left with a wider buffer, or with larger blocks."""
    [splits] = [module for module in ANSWERS if hasattr(module, "by_dice")]
    split = patches.block_split

    def small(shape, block, buffer=8, **rule):
        return split(shape, block, buffer=buffer, **rule) * (block == 80) * (buffer <= 8)

    monkeypatch.setattr(patches, "block_split", small)
    assert exercises.splits_4(0.123, splits.CROP, splits.PARCEL, 0) is False
    assert exercises.splits_6(0.5, 0.123, "", splits.CROP, splits.PARCEL, 0, 300) is False


def test_a_tensor_of_sixteen_bits_is_a_number(said):
    half_step = torch.tensor(2**-8, dtype=torch.bfloat16)
    exercises.training_3(torch.nextafter(half_step, torch.ones((), dtype=torch.bfloat16)))
    assert said().startswith("Well done")


def test_a_function_that_gives_a_constant_is_written(said):
    def constant(x):
        """What it should do."""
        return 0.8

    assert checks.build(constant, lambda f: None if f(2) == 4 else "It gives 0.8.") is False
    assert "It gives 0.8." in said()


def test_what_was_passed_is_noted_but_not_a_solution(said):
    exercises.quickstart_1(-16.99, mine=False)
    exercises.quickstart_1(17)
    assert progress.passed() == {}
    exercises.quickstart_1(-16.99)
    assert list(progress.passed()) == ["quickstart_1"]
    table = progress.table([("00", ["quickstart_1", "quickstart_2"])])
    assert "1 of  2  00" in table and "still: quickstart_2" in table
    progress.clear()
    assert progress.passed() == {}


def test_a_learner_goes_on_where_progress_cannot_be_kept(said, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(progress, "file", lambda: tmp_path / "file" / "progress.json")
    assert exercises.quickstart_1(-16.99) is True
    (tmp_path / "spoilt.json").write_text("[1,")
    monkeypatch.setattr(progress, "file", lambda: tmp_path / "spoilt.json")
    assert exercises.quickstart_1(-16.99) is True
    assert list(progress.passed()) == ["quickstart_1"]


def test_a_class_without_forward_is_not_attempted(said):
    [network] = [module for module in ANSWERS if hasattr(module, "UNWRITTEN")]
    assert exercises.network_4(network.UNWRITTEN) is None
    assert said().startswith("Not attempted yet")
