"""A learner's progress: one small local file a lesson, no account and no network."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass
class Progress:
    """What a learner did in one lesson.

    Attributes
    ----------
    passed : dict of str to float
        Points of each test cell whose checks all passed when it was last run.
    hints : dict of str to int
        Hints opened of each exercise.
    predictions : dict of str to int
        Option chosen in each prediction question.
    """

    passed: dict[str, float] = field(default_factory=dict)
    hints: dict[str, int] = field(default_factory=dict)
    predictions: dict[str, int] = field(default_factory=dict)

    @property
    def points(self) -> float:
        """Points earned so far."""
        return sum(self.passed.values())


def folder() -> Path:
    """Return where progress is kept: ``CONVNETS_PROGRESS``, or ``~/.convnets/progress``."""
    given = os.environ.get("CONVNETS_PROGRESS")
    return Path(given) if given else Path.home() / ".convnets" / "progress"


def load(lesson: str) -> Progress:
    """Read a lesson's progress; a missing or damaged file is an empty one."""
    try:
        data = json.loads((folder() / f"{lesson}.json").read_text(encoding="utf-8"))
        return Progress(**data)
    except (OSError, ValueError, TypeError):
        return Progress()


def save(lesson: str, progress: Progress) -> None:
    """Write a lesson's progress atomically; a read-only home costs the record, never the lesson."""
    path = folder() / f"{lesson}.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        temporary.write_text(json.dumps(asdict(progress), indent=1, sort_keys=True) + "\n", encoding="utf-8")
        temporary.replace(path)
    except OSError:
        return
