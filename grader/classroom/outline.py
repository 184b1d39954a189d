"""A module's questions as its notebook presents them: in order, with the headings that they stand under."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from grader.engine.release import Release

_HEADING = re.compile(r"^(#+)\s+(.*)$", re.M)
_EXERCISE = re.compile(r"Exercise \d+")


@dataclass(frozen=True)
class Question:
    """An exercise or a written question of a module.

    Attributes
    ----------
    id : str
        Name of the exercise, or id of the written answer.
    label : str
        Short name for figures: the exercise's number, or ``"W1"``.
    title : str
        As the notebook has it.
    section : str
        The part of the notebook that it stands in.
    max_points : float
        To be earned.
    cells : tuple of str
        Ids of its test cells, or of its one answer.
    written : bool
        A person grades it.
    """

    id: str
    label: str
    title: str
    section: str
    max_points: float
    cells: tuple[str, ...]
    written: bool = False


@functools.lru_cache(maxsize=32)  # of a release, which is compared by identity, for all pages of a class
def outline(release: Release) -> tuple[Question, ...]:
    """Return the questions of a module in order."""
    questions: list[Question] = []
    section = heading = ""
    written = 0
    for cell in release.cells:
        if cell.role == "prose":
            for marks, text in _HEADING.findall(cell.visible):
                heading = text.replace("`", "")
                if len(marks) == 1:
                    section = heading
        elif cell.role == "exercise":
            tests = [one for one in release.having("tests") if one.exercise == cell.exercise]
            known = release.record.exercises.get(cell.exercise)
            questions.append(
                Question(
                    id=cell.exercise,
                    label=str(known.number) if known else cell.exercise,
                    title=heading if _EXERCISE.match(heading) else cell.exercise,
                    section=section,
                    max_points=sum(one.points for one in tests),
                    cells=tuple(one.id for one in tests),
                )
            )
        elif cell.role == "answer":
            written += 1
            title = f"In your own words · {cell.id}"
            questions.append(Question(cell.id, f"W{written}", title, section, cell.points, (cell.id,), written=True))
    return tuple(questions)


def title_of(release: Release) -> str:
    """Return a module's title, the first heading of its notebook."""
    found = next((_HEADING.search(cell.visible) for cell in release.having("prose")), None)
    return found[2] if found else release.module
