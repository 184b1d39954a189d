"""How authors write down the mistakes of an exercise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

Answer = TypeVar("Answer", bound=Callable[..., Any])


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that learners really give, and what one who gave it should read."""

    exercise: str
    reason: str


def mistake(exercise: str, reason: str) -> Callable[[Answer], Answer]:
    """Mark a function or class as a wrong answer to `exercise`.

    Parameters
    ----------
    exercise : str
        Name of the exercise it answers.
    reason : str
        One or two sentences: what is wrong and where to look, never the answer.
    """

    def mark(answer: Answer) -> Answer:
        answer.__mistake__ = Mistake(exercise, reason)  # type: ignore[attr-defined]
        return answer

    return mark
