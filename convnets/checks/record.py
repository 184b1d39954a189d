"""What goes with a student notebook: points, hints, and the recorded outcomes of known mistakes."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from convnets.checks import signature

#: Version of the file format.
FORMAT = 1


@dataclass(frozen=True)
class TestCell:
    """A test cell as students have it.

    Attributes
    ----------
    exercise : str
        Name of its exercise.
    points : float
        What it is worth.
    checks : int
        How many checks it holds.
    source : str
        Fingerprint of its text, to find the cell where a front end sends no cell id.
    """

    __test__ = False  # the name is the field's; pytest should not collect it

    exercise: str
    points: float
    checks: int
    source: str


@dataclass(frozen=True)
class Exercise:
    """An exercise: its number in the notebook, its parameters' names and its hints."""

    number: int
    parameters: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()


@dataclass(frozen=True)
class KnownMistake:
    """A wrong answer's outcome at the first check it fails in one cell, and what its author should read."""

    name: str
    exercise: str
    cell: str
    ordinal: int
    outcome: signature.Signature
    reason: str


@dataclass(frozen=True)
class LessonRecord:
    """Everything the checks of one notebook need to know beside its cells."""

    lesson: str
    title: str = ""
    minutes: int = 0
    cells: dict[str, TestCell] = field(default_factory=dict)
    exercises: dict[str, Exercise] = field(default_factory=dict)
    mistakes: tuple[KnownMistake, ...] = ()

    def to_json(self) -> str:
        """Write the record as JSON, byte-stable."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1, ensure_ascii=False, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> LessonRecord:
        """Read a record written by `to_json`.

        Raises
        ------
        ValueError
            When the text is no record of this format.
        """
        data: dict[str, Any] = json.loads(text)
        if data.pop("format", None) != FORMAT:
            raise ValueError("the checks file has another format: build the notebook again")
        exercises = {
            name: Exercise(item["number"], tuple(item["parameters"]), tuple(item["hints"]))
            for name, item in data.pop("exercises").items()
        }
        cells = {name: TestCell(**item) for name, item in data.pop("cells").items()}
        mistakes = tuple(KnownMistake(**item) for item in data.pop("mistakes"))
        return cls(**data, cells=cells, exercises=exercises, mistakes=mistakes)

    def agrees_with(self, other: LessonRecord) -> bool:
        """Tell whether two records are one, but for digits of outcomes that processors may compute differently."""
        ours, theirs = (
            replace(record, mistakes=tuple(replace(mistake, outcome={}) for mistake in record.mistakes))
            for record in (self, other)
        )
        return ours == theirs and all(
            signature.matches(a.outcome, b.outcome) for a, b in zip(self.mistakes, other.mistakes, strict=True)
        )

    @property
    def points(self) -> float:
        """Points of all test cells (written answers are graded by hand and not counted here)."""
        return sum(cell.points for cell in self.cells.values())


def fingerprint(source: str) -> str:
    """Return a fingerprint of a cell's text that ignores trailing blanks."""
    text = "\n".join(line.rstrip() for line in source.strip().splitlines())
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def file_name(lesson: str) -> str:
    """Return the name of the file that carries a lesson's record."""
    return f"{lesson}.checks.json"


def course_folder() -> Path:
    """Return the folder of notebooks: ``CONVNETS_NOTEBOOKS``, or ``notebooks/`` of this checkout."""
    given = os.environ.get("CONVNETS_NOTEBOOKS")
    return Path(given) if given else Path(__file__).resolve().parents[2] / "notebooks"


def find_record(lesson: str) -> LessonRecord | None:
    """Find a lesson's record beside the notebook, or in the course's folder.

    Returns
    -------
    LessonRecord or None
        None where the file is missing: checks then work without hints and known mistakes.
    """
    for folder in (Path.cwd(), course_folder() / lesson):
        path = folder / file_name(lesson)
        if path.is_file():
            return LessonRecord.from_json(path.read_text(encoding="utf-8"))
    return None
