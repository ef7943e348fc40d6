"""What all checks of exercises share: they compare, say why, and note what was passed."""

import inspect
import math
import re
from collections.abc import Callable, Iterable, Sequence
from dis import get_instructions
from functools import wraps
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from stma_nb.course import progress

Verdict = bool | None
"""True: right. False: wrong. None: not attempted, or not finished."""

Hints = dict[Any, str] | Sequence[tuple[Any, str]]
"""What led to a typical wrong number: {number: what to say}, or pairs of both where numbers of
several slips may be the same.
"""

Trial = Callable[[Callable], str | None]
"""Calls a learner's function; returns what is wrong with what it gave, or None if all is well."""


class Asked(NamedTuple):
    """What an exercise asks for: in words, by an example, and within which limits it can be."""

    words: str
    example: str
    low: float = -math.inf
    high: float = math.inf
    whole: bool = False

    def impossible(self, number: float) -> bool:
        return not self.low <= number <= self.high


NUMBER = Asked("a number", "3.2")
WHOLE = Asked("a whole number", "12", low=0, whole=True)
SHARE = Asked("a share between 0 and 1", "0.25", 0, 1)
DECIBELS = Asked("a number in dB", "-3.2", -300, 300)
POINTS = Asked("a number of points, at most 100", "3.2", -100, 100)


def exercise(check: Callable[..., Verdict]) -> Callable[..., Verdict]:
    """A check whose passes are noted in the learner's progress, unless ``mine=False`` is given: the
    folded solution of a notebook is nobody's own.
    """

    @wraps(check)
    def checked(*answers: Any, mine: bool = True, **given: Any) -> Verdict:
        verdict = check(*answers, **given)
        if verdict and mine:
            progress.note(check.__name__)
        return verdict

    return checked


def check(
    answer: object,
    expected: float,
    tolerance: float = 0.01,
    hints: Hints = (),
    asked: Asked = NUMBER,
) -> Verdict:
    """Print whether a number is right."""
    if answer is None:
        print("Not attempted yet: replace None by your answer and run the cell again.")
        return None
    number = one_number(answer)
    if number is None:
        print(f"Expected one number, got {_not_a_number(answer)}, such as {asked.example}.")
        return False
    shown = f"{number:.0f}" if number.is_integer() else f"{number:.4g}"
    if abs(number - expected) <= tolerance:
        print(f"Well done: {shown} is right.")
        return True
    print(f"{shown} is not right. {_slip(number, expected, tolerance, hints, asked)}")
    return False


def _slip(number: float, expected: float, tolerance: float, hints: Hints, asked: Asked) -> str:
    """What led to a wrong number: a hint of the exercise, or else what any number tells.

    Where two slips lead to one number, both are told.
    """
    if not math.isfinite(number):
        return (
            "It comes from a division by 0, the logarithm of 0, a number that is too large, or a "
            "pixel without data."
        )
    if asked.high == 1 and abs(number - 100 * expected) <= 100 * tolerance:
        return "The number is right in per cent; give it as a share between 0 and 1."
    pairs = list(hints.items() if isinstance(hints, dict) else hints)
    known = [float(wrong) for wrong, _ in pairs if math.isfinite(wrong)]
    near = min(known, key=lambda wrong: abs(number - wrong), default=math.inf)
    reach = min(tolerance, 0.02 * abs(near))  # small numbers lie close to each other
    if asked.whole and not number.is_integer():
        reach = 5e-3 * abs(near)
    if abs(number - near) <= max(reach, 1e-9):
        same = 2e-3 * abs(near) if tolerance else 0  # too near to be told apart
        told = [why for wrong, why in pairs if abs(wrong - near) <= same]
        return " Or: ".join(list(dict.fromkeys(told))[:2])
    if not float(expected).is_integer() or expected > 100:  # else it may be so by chance
        if abs(number + expected) <= tolerance:
            return "The number is right but for its sign."
        tens = (10.0**power for power in range(-9, 10) if power)
        if any(math.isclose(number * ten, expected, rel_tol=5e-3) for ten in tens):
            return "The digits are right, but not the size: mind the unit, and powers of ten."
        if math.isclose(number * expected, 1, rel_tol=5e-3):
            return "It is turned over: what you divide, and what you divide by, are exchanged."
    if asked.whole and not number.is_integer():
        return f"Expected a whole number, such as {asked.example}."
    if asked.impossible(number):
        return f"Expected {asked.words}."
    return "Look at the section above again."


def positions(several: Iterable[tuple[int, str]], right: int, size: int) -> dict[float, str]:
    """Hints for the position of a date: all that is true of a wrong one, at most two sentences."""
    counted = [
        (right + 1, "If you count from 1: the first date has position 0."),
        (right - size, "Count from the start of the season, not from its end."),
    ]
    hints: dict[float, str] = {}
    for place, why in [*several, *counted]:
        if place != right and hints.get(place, "").count(".") < 2:
            hints[place] = f"{hints.get(place, '')} {why}".strip()
    return hints


def _not_a_number(answer: object) -> str:
    """What is given in place of one number, and what to do about it."""
    kind = type(answer).__name__
    if isinstance(answer, str):
        return "text: set answer to a number without quotes"
    if callable(answer):
        return f"{kind}: call it, with (), and set answer to the number that comes out"
    try:
        size = answer.numel() if hasattr(answer, "numel") else np.size(answer)  # type: ignore
    except ValueError:  # lists of different length
        size = 0
    if size > 1:
        return f"{kind} of {size}: one number is asked for"
    return f"{kind}: set answer to a number"


def one_number(answer: object) -> float | None:
    """The number that an answer is, also as text, array or tensor; None if it is no number."""
    try:
        one: Any = answer if hasattr(answer, "item") else np.asarray(answer)  # tensors of any kind
        return float(one.item())
    except (TypeError, ValueError, RuntimeError):
        return None


def build(
    function: object,
    *trials: Trial,
    given: str = "",
    takes: str = "any input of these kinds",
    gives: str = "",
    errors: dict[str, str] | None = None,
) -> Verdict:
    """Print whether a function that the learner wrote does what its exercise asks.

    The trials run in turn; what the first of them has against the function is printed. A trial may
    raise whatever the function raises. ``given`` names the arguments, ``takes`` and ``gives`` tell
    what the function is to take and to return, and ``errors`` what a typical error means: {pattern
    of "NameOfTheError: what it says": a sentence}.
    """
    if function is not None and not callable(function):
        print(f"Expected a function, got {type(function).__name__}: give its name, without ().")
        return False
    if function is None or _unwritten(function):
        print("Not attempted yet: write its lines in place of the dots and run the cell again.")
        return None
    calls = _Calls(function, given.split())
    for trial in trials:
        try:
            wrong = trial(function if calls.of_network else calls)
        except Exception as error:  # whatever a learner's function may raise
            wrong = calls.why(error, takes, gives, (errors or {}) | ERRORS)
        if wrong:
            if gives and calls.last == "nothing" and "return" not in wrong.lower():
                wrong = "It returns nothing: end it with return."
            print(f"Not yet right. {calls.misused() or wrong}")
            return False
    name = getattr(function, "__name__", "it")
    print(f"Well done: {name} does all that was asked.")
    return True


ERRORS = {  # what an error of a learner's function means, whatever the exercise
    r"^UnboundLocalError.* '(\w+)'": "It uses {} before it has a value ({error}): set it first.",
    r"^NameError: name '(\w+)'": "It uses the name {}, which is not known ({error}): use what the "
    "function is given, or import it.",
    r"'numpy.ndarray' object has no attribute '(values|data_vars|item\w*|isel)'": "It is given a "
    "plain array, which has no .{} ({error}): use the array as it is.",
    r"'([\w.]+)' object has no attribute '(\w+)'": "It asks a {} for .{}, which it does not have "
    "({error}).",
    r"modified by an inplace": "It changes a tensor that is needed later: work on new ones "
    "({error}).",
    r"^IndexError.*out of (bounds|range)": "It asks for more places than there are, with {at} "
    "({error}): count on no fixed number, but read it from the shape.",
}


class _Calls:
    """A learner's function that remembers how it was called last, and what came of it."""

    def __init__(self, function: Callable, given: list[str]) -> None:
        self.function, self.given = function, given
        self.at = self.last = ""
        self.failed = False
        self.of_network = isinstance(function, type) or hasattr(function, "forward")

    def __call__(self, *arguments: Any, **more: Any) -> Any:
        names = [*self.given, *len(arguments) * [""]]
        told = [
            f"{name} ({_shown(one)})".strip() for name, one in zip(names, arguments, strict=False)
        ]
        self.at = " and ".join([", ".join(told[:-1]), told[-1]] if told[1:] else told)
        self.failed = True
        found = self.function(*arguments, **more)
        self.failed, self.last = False, _shown(found)
        return found

    def why(self, error: Exception, takes: str, gives: str, errors: dict[str, str]) -> str:
        """In a sentence what an error means that a trial of the function has come to."""
        said = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]:.120}"
        for pattern, words in errors.items():
            if found := re.search(pattern, said):
                return words.format(*found.groups(), error=said, at=self.at)
        if self.of_network:
            return f"Your class fails ({said}): it should take {takes}."
        if self.failed:
            return f"Your function fails for {self.at} ({said}): it should take {takes}."
        return f"It returns {self.last}; expected {gives or 'something else'} ({said})."

    def misused(self) -> str | None:
        """What is wrong with the first line of the function, or with what it looks at outside."""
        code = getattr(self.function, "__code__", None)
        if code is None or not self.given:
            return None
        kinds = [one.kind for one in inspect.signature(self.function).parameters.values()]
        mine, line = list(inspect.signature(self.function).parameters), ", ".join(self.given)
        if all(kind is inspect.Parameter.POSITIONAL_OR_KEYWORD for kind in kinds):
            if sorted(mine) == sorted(self.given) and mine != self.given:
                return f"Its arguments are in another order than in the exercise: ({line})."
            if len(mine) < len(self.given):
                return f"It is called with ({line}): name all of them in its first line."
        known = self.function.__globals__
        for name in (one.argval for one in get_instructions(code) if one.opname == "LOAD_GLOBAL"):
            data = ("shape", "sizes", "parameters", "param_groups")
            value = known.get(name)
            if isinstance(value, type | ModuleType) or not any(hasattr(value, one) for one in data):
                continue
            if name not in self.given:
                return f"It uses {name} of the notebook: use only what it is given, ({line})."
        return None


def _shown(value: Any) -> str:
    """What a value is, in a few letters: the sides of an array, a number, or its kind."""
    if value is None:
        return "nothing"
    if isinstance(value, bool | int | float | str) or getattr(value, "shape", None) == ():
        return f"{value!s:.20}"
    if hasattr(value, "shape"):
        return " x ".join(str(side) for side in value.shape)
    if isinstance(value, tuple):
        return "a tuple of " + ", ".join(_shown(one) for one in value)
    return f"a {type(value).__name__}"


def _unwritten(function: Callable) -> bool:
    """Whether the body of a function, or of ``forward`` of a class of networks, is empty but for a
    docstring, ``...`` or ``pass``.
    """

    def told() -> None:
        """Told."""

    def silent() -> None: ...

    code = getattr(getattr(function, "forward", function), "__code__", None)
    if code is None:
        return False
    numbers = [one for one in code.co_consts if not isinstance(one, str | None) and one is not ...]
    empty = (told.__code__.co_code, silent.__code__.co_code)
    return code.co_code in empty and not numbers  # "return 0.8" has the same code


def predict(
    predicted: object,
    found: object,
    because: object,
    expected: float,
    tolerance: float = 0.01,
    hints: Hints = (),
    asked: Asked = NUMBER,
) -> Verdict:
    """Print whether what was found is right, and how near the prediction was.

    Nobody loses by a bold prediction, as long as it is possible at all. The sentence ``because`` is
    for a person to read: here it only must be there.
    """
    wanted = f"{asked.words}, such as {asked.example}"
    if predicted is None:
        print(f"First predict: put {wanted}, into predicted, before you compute anything.")
        return None
    guess = None if isinstance(predicted, str | list | tuple) else one_number(predicted)
    if guess is None or asked.impossible(guess):
        kind = "text" if isinstance(predicted, str) else f"a {type(predicted).__name__}"
        wrong = f"{kind} is no number" if guess is None else f"{guess:g} cannot be"
        print(f"First predict: {wrong}. Put {wanted}, into predicted.")
        return None
    if found is None:
        print(f"You predict {guess:g}. Now change it, run it, and put what comes out into found.")
        return None
    if not check(found, expected, tolerance, hints, asked):
        return False
    print(f"You had predicted {guess:g}.")
    if not isinstance(because, str) or len(because.split()) < 4:
        print("Now explain it: write a sentence into because.")
        return None
    print("Compare your sentence with a neighbour's, or with the solution if you have it.")
    return True
