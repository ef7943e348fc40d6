"""What all checks of exercises share: they compare, say why, and note what was passed."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from stma_nb.course import progress

Verdict = bool | None
"""True: right. False: wrong. None: not attempted, or not finished."""

Trial = Callable[[Callable], str | None]
"""Calls a learner's function; returns what is wrong with what it gave, or None if all is well."""


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
    answer: object, expected: float, tolerance: float = 0.01, hints: dict[Any, str] | None = None
) -> Verdict:
    """Print whether a number is right.

    ``hints`` tell what led to a typical wrong number: {wrong number: what to say}.
    """
    if answer is None:
        print("Not attempted yet: replace None by your answer and run the cell again.")
        return None
    number = one_number(answer)
    if number is None:
        print(
            f"Expected one number, got {type(answer).__name__}: set answer to something like -3.2."
        )
        return False
    shown = f"{number:.0f}" if number.is_integer() else f"{number:.4g}"
    if abs(number - expected) <= tolerance:
        print(f"Well done: {shown} is right.")
        return True
    reasons = [why for wrong, why in (hints or {}).items() if abs(number - wrong) <= tolerance]
    if 0 < expected < 1 and abs(number - 100 * expected) <= 100 * tolerance:
        reasons.insert(0, "The number is right in per cent; give it as a share between 0 and 1.")
    reason = reasons[0] if reasons else "Look at the section above again."
    print(f"{shown} is not right. {reason}")
    return False


def one_number(answer: object) -> float | None:
    """The number that an answer is, also as text, array or tensor; None if it is no number."""
    try:
        one: Any = answer if hasattr(answer, "item") else np.asarray(answer)  # tensors of any kind
        return float(one.item())
    except (TypeError, ValueError, RuntimeError):
        return None


def build(function: object, *trials: Trial) -> Verdict:
    """Print whether a function that the learner wrote does what its exercise asks.

    The trials run in turn; what the first of them has against the function is printed. A trial may
    raise whatever the function raises.
    """
    if function is not None and not callable(function):
        print(f"Expected a function, got {type(function).__name__}: give its name, without ().")
        return False
    if function is None or _unwritten(function):
        print("Not attempted yet: write its lines in place of the dots and run the cell again.")
        return None
    for trial in trials:
        try:
            wrong = trial(function)
        except Exception as error:  # whatever a learner's function may raise
            wrong = f"It stops with {type(error).__name__}: {error}"
        if wrong:
            print(f"Not yet right. {wrong}")
            return False
    name = getattr(function, "__name__", "it")
    print(f"Well done: {name} does all that was asked.")
    return True


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
    hints: dict[Any, str] | None = None,
) -> Verdict:
    """Print whether what was found is right, and how near the prediction was.

    Nobody loses by a bold prediction. The sentence ``because`` is for a person to read: here it
    only must be there.
    """
    guess = one_number(predicted) if predicted is not None else None
    if guess is None:
        print("First predict: put a number into predicted, before you compute anything.")
        return None
    if 0 < expected < 1 and guess > 5:
        print("First predict a share between 0 and 1, not per cent.")
        return None
    if found is None:
        print(f"You predict {guess:g}. Now change it, run it, and put what comes out into found.")
        return None
    if not check(found, expected, tolerance, hints):
        return False
    print(f"You had predicted {guess:g}.")
    if not isinstance(because, str) or len(because.split()) < 4:
        print("Now explain it: write a sentence into because.")
        return None
    print("Compare your sentence with that of the solution, or of a neighbour: no check reads it.")
    return True
