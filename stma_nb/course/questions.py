"""The question bank: questions on every notebook with model answers, and the quiz, which a page of
the site can score.
"""

import re
from typing import NamedTuple

from stma_nb.course.runner import NotebookError

QUIZ = "## Quiz"  # where the quiz begins
QUESTION = re.compile(
    r"^\*\*(?P<number>\d+)\.\*\* (?P<text>.+?)\n\n(?P<choices>(?:- \w\) [^\n]+\n)+)\n"
    r"<details><summary>Why</summary>\n\n(?P<reasons>.+?)\n\n</details>$",
    re.MULTILINE | re.DOTALL,
)


class Choice(NamedTuple):
    """A choice of a question, and why it is right or wrong; all texts are Markdown."""

    letter: str
    text: str
    why: str
    right: bool


class Question(NamedTuple):
    """A question of the quiz."""

    number: int
    text: str
    choices: tuple[Choice, ...]


class Bank(NamedTuple):
    """The question bank in parts."""

    questions: str  # Markdown: those on the notebooks, with their answers
    heading: str  # of the quiz
    quiz: tuple[Question, ...]


def parts(markdown: str) -> Bank:
    """The parts of the question bank, without the key of the quiz: a page scores it.

    Raises NotebookError where a question of the quiz has not one right choice, or a choice without
    a reason.
    """
    questions, _, quiz = markdown.partition(f"\n{QUIZ}")
    heading, _, rest = quiz.partition("\n")
    found = tuple(_question(match) for match in QUESTION.finditer(rest))
    if len(found) != (count := len(re.findall(r"^\*\*\d+\.\*\*", rest, re.MULTILINE))):
        raise NotebookError(
            f"The quiz has {count} questions, of which {len(found)} have choices and, folded away "
            "as Why, a reason for each; expected that of all."
        )
    questions = questions.replace(", with its key", "")
    return Bank(questions, f"{QUIZ}{heading}".lstrip("# "), found)


def unanswered(markdown: str) -> str:
    """The questions without their model answers, and without the sentence that promises them."""
    asked = re.sub(
        r"<details><summary>Answer</summary>\n.*?</details>\n*", "", markdown, flags=re.DOTALL
    )
    return re.sub(r" ?[A-Z][^.]*\bmodel answer\b[^.]*\.", "", asked)


def _question(match: re.Match) -> Question:
    reasons = {
        letter: (why, bool(right))
        for letter, right, why in re.findall(
            r"^- \*\*(\w)\*\*(, right)?: (.+?)(?=\n- |\Z)",
            match["reasons"],
            re.MULTILINE | re.DOTALL,
        )
    }
    texts = dict(re.findall(r"^- (\w)\) (.+)$", match["choices"], re.MULTILINE))
    if list(texts) != list(reasons) or sum(right for _, right in reasons.values()) != 1:
        raise NotebookError(
            f"Question {match['number']} of the quiz has the choices {', '.join(texts)} and reasons"
            f" for {', '.join(reasons)}; expected a reason for each choice, one of them right."
        )
    choices = (Choice(letter, text, *reasons[letter]) for letter, text in texts.items())
    return Question(int(match["number"]), match["text"], tuple(choices))
