"""What grading one submission gives: plain data, JSON in and out, sizes capped."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

#: Version of the JSON form.
FORMAT = 1

#: Characters kept of each kind of text: what a learner prints or raises can be of any length.
MESSAGE, CALL, VALUE, LINE, ANSWER = 2_000, 500, 2_000, 300, 50_000
#: Entries kept of edits, notes and flags.
ENTRIES = 200

# Control characters other than tab and newline (a terminal would obey them), and lone halves of surrogate pairs
# (no file can hold them).
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class Outcome(StrEnum):
    """How a question ended; the same words in command line, JSON, feedback and report."""

    Passed = "Passed"
    Failed = "Failed"
    Raised = "Raised"
    TimedOut = "TimedOut"
    Died = "Died"
    OutOfMemory = "OutOfMemory"
    BadReturnType = "BadReturnType"
    Missing = "Missing"
    Unreadable = "Unreadable"
    #: The grader itself failed: no points, and a person has to look.
    EngineError = "EngineError"


def capped(text: str, limit: int) -> str:
    """Return a text that is safe to keep: no control characters, at most `limit` characters.

    Parameters
    ----------
    text : str
        Anything, also from a learner's process.
    limit : int
        Most characters to keep; what is left out is said.
    """
    # Cut first: cleaning a text of a hundred megabytes is work for nothing.
    kept = _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text[:limit].replace("\r\n", "\n"))
    return kept if len(text) <= limit else f"{kept} … ({len(text) - limit:,} more characters)"


def _capped_entries(entries: Iterable[str]) -> tuple[str, ...]:
    listed = list(dict.fromkeys(entries))
    kept = [capped(entry, LINE) for entry in listed[:ENTRIES]]
    return (*kept, f"… and {len(listed) - ENTRIES} more") if len(listed) > ENTRIES else tuple(kept)


@dataclass(frozen=True)
class CellResult:
    """What one test cell earned, and why.

    Attributes
    ----------
    cell : str
        Id of the test cell.
    exercise : str
        The exercise it tests.
    points, max_points : float
        Earned, and to be earned; ``0 <= points <= max_points``, and 0 unless it passed.
    outcome : Outcome
        How it ended.
    message : str
        For the student.
    called, expected, got : str
        The check that failed, of a visible check only; empty otherwise.
    hidden : bool
        What failed was a hidden test; the message then names no more than the kind of error.
    mistake, reason : str
        Name and reason of the known mistake that was recognised.
    follow_through : Outcome, optional
        How it ends once the earlier exercises that failed are the official ones; None where that was not tried.
    seconds : float
        Wall time.
    detail : str
        For staff only, never for students: what a hidden test called, expected and got.
    """

    cell: str
    exercise: str
    points: float
    max_points: float
    outcome: Outcome
    message: str = ""
    called: str = ""
    expected: str = ""
    got: str = ""
    hidden: bool = False
    mistake: str = ""
    reason: str = ""
    follow_through: Outcome | None = None
    seconds: float = 0.0
    detail: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.points <= self.max_points or math.isinf(self.max_points):
            raise ValueError(f"{self.cell}: {self.points} of {self.max_points} points cannot be")
        if self.points and self.outcome is not Outcome.Passed:
            raise ValueError(f"{self.cell}: {self.points} points for {self.outcome}")
        if self.hidden and (self.called or self.expected or self.got):
            raise ValueError(f"{self.cell}: a hidden test would be shown")
        limits = {"message": MESSAGE, "called": CALL, "expected": VALUE, "got": VALUE, "reason": MESSAGE}
        for name, limit in (limits | {"detail": MESSAGE}).items():
            object.__setattr__(self, name, capped(getattr(self, name), limit))


@dataclass(frozen=True)
class WrittenAnswer:
    """A written answer; a person grades it.

    Attributes
    ----------
    cell : str
        Id of its cell.
    max_points : float
        To be earned.
    text : str
        What the student wrote.
    changed : bool
        False where nothing was written: that earns 0 and nobody has to read it.
    """

    cell: str
    max_points: float
    text: str
    changed: bool

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", capped(self.text, ANSWER))


@dataclass(frozen=True)
class Result:
    """Everything that grading one submission gave.

    Attributes
    ----------
    student, module : str
        Whose submission, to which module.
    submission_key : str
        Fingerprint of the submitted file's bytes; empty where there are none.
    cells : tuple of CellResult
        One for each official test cell, in order.
    written : tuple of WrittenAnswer
        One for each official written answer, in order.
    edits : tuple of str
        What was mended in the notebook, a sentence each: official cells put back, points put right.
    notes : tuple of str
        What the student's own cells did that is worth telling, as errors.
    flags : tuple of str
        What a person should look at. For staff only.
    isolation : str
        The tier of the sandbox that the code ran in.
    seconds, cpu_seconds : float
        Wall time, and CPU time of the trusted process.
    """

    student: str
    module: str
    submission_key: str
    cells: tuple[CellResult, ...]
    written: tuple[WrittenAnswer, ...] = ()
    edits: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    isolation: str = ""
    seconds: float = 0.0
    cpu_seconds: float = 0.0

    def __post_init__(self) -> None:
        for name in ("edits", "notes", "flags"):
            object.__setattr__(self, name, _capped_entries(getattr(self, name)))

    @property
    def points(self) -> float:
        """Points of the test cells; written answers come later."""
        return sum(cell.points for cell in self.cells)

    @property
    def max_points(self) -> float:
        """Points that can be earned, written answers included."""
        return sum(cell.max_points for cell in self.cells) + sum(answer.max_points for answer in self.written)

    @property
    def needs_a_person(self) -> bool:
        """Whether somebody has to look: a written answer to grade, or a flag."""
        return bool(self.flags) or any(answer.changed for answer in self.written)

    def to_json(self) -> str:
        """Write the result as JSON, byte-stable."""
        return json.dumps({"format": FORMAT, **asdict(self)}, ensure_ascii=False, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Result:
        """Read a result written by `to_json`.

        Raises
        ------
        ValueError
            When the text is no result of this format.
        """
        data: dict[str, Any] = json.loads(text)
        if not isinstance(data, dict) or data.pop("format", None) != FORMAT:
            raise ValueError("the result has another format: grade the submission again")
        try:
            cells = tuple(_cell_from(item) for item in data.pop("cells"))
            written = tuple(WrittenAnswer(**item) for item in data.pop("written"))
            data |= {name: tuple(data[name]) for name in ("edits", "notes", "flags")}
            return cls(**data, cells=cells, written=written)
        except (KeyError, TypeError) as error:
            raise ValueError(f"the result is damaged ({error}): grade the submission again") from error


def _cell_from(data: dict[str, Any]) -> CellResult:
    follow_through = data.pop("follow_through")
    return CellResult(
        **{**data, "outcome": Outcome(data["outcome"])},
        follow_through=None if follow_through is None else Outcome(follow_through),
    )
