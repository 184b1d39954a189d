"""A submission of the suite: what is in the notebook, what it deserves, and why."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from grader.engine.release import Release
from tests.grader.submissions.assignments import WRONG, right_answers

#: Every test cell.
ALL = ("*all*",)
#: The profile's first exercise; `NAME` in a case's code stands for its name.
FIRST = "*first*"
BOTH = ("numpy", "torch")

Notebook = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One submission.

    Attributes
    ----------
    name : str
        Also the student's name.
    group : str
        What it tries.
    why : str
        Why it deserves what it deserves, a sentence.
    loses : tuple of str
        Exercises, or test cells, that earn nothing; all others earn full marks.
    answers : dict of str to str
        Text of exercises' cells, over the official solution's; `FIRST` is the first exercise.
    base : str
        "right", "wrong" or "blank": what stands in the cells that `answers` does not name.
    first, last : str
        Cells of the learner's own before the exercises and at the end.
    profiles : tuple of str
        The assignments that it is handed in to.
    edit : callable, optional
        Changes the notebook, or returns the bytes of the file instead.
    student : str
        The folder's name, where it is not the case's.
    file_name : str
        The file's, where it is not the module's.
    outcome : str
        How every cell that it loses must end, where that shows that the attack was really tried.
    deadly : bool
        It costs time or memory, so it is graded with tight limits.
    harmful : str
        Why stock nbgrader, which runs it as whoever grades, must not be given it; empty where it may.
    """

    name: str
    group: str
    why: str
    loses: tuple[str, ...] = ()
    answers: Mapping[str, str] = field(default_factory=dict)
    base: str = "right"
    first: str = ""
    last: str = ""
    profiles: tuple[str, ...] = BOTH
    edit: Callable[[Notebook], bytes | None] | None = None
    student: str = ""
    file_name: str = ""
    outcome: str = ""
    deadly: bool = False
    harmful: str = ""

    @property
    def folder(self) -> str:
        """Name of the student's folder."""
        return self.student or self.name

    def deserves(self, release: Release) -> dict[str, float]:
        """Return what each test cell earns."""
        lost = {release.exercises[0] if name == FIRST else name for name in self.loses}
        return {
            cell.id: 0.0 if self.loses == ALL or lost & {cell.id, cell.exercise} else cell.points
            for cell in release.having("tests")
        }

    def file(self, release: Release, words: Mapping[str, str]) -> bytes:
        """Return the notebook's bytes.

        Parameters
        ----------
        release : Release
            The assignment.
        words : mapping of str to str
            What stands in the code for what an attacker is taken to know: ``COURSE``, ``PORT`` and the like.
        """
        notebook = self._notebook(release)
        data = self.edit(notebook) if self.edit else None
        if data is not None:
            return data
        text = json.dumps(notebook, indent=1)
        for word, meant in {"NAME": release.exercises[0], **words}.items():
            text = text.replace(f"@{word}@", meant)
        return text.encode()

    def _notebook(self, release: Release) -> Notebook:
        answers = {"right": right_answers, "wrong": WRONG.get, "blank": lambda profile: {}}[self.base](release.profile)
        answers = {**(answers or {}), **self.answers}
        answers[release.exercises[0]] = answers.pop(FIRST, answers.get(release.exercises[0], ""))
        cells = [_official(cell, answers.get(cell.id) or cell.visible) for cell in release.cells]
        begin = next(i for i, cell in enumerate(release.cells) if cell.role == "exercise")
        if self.first:
            cells.insert(begin, own(self.first))
        if self.last:
            cells.append(own(self.last))
        return {"cells": cells, "metadata": copy.deepcopy(_KERNEL), "nbformat": 4, "nbformat_minor": 5}


_KERNEL = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
_number = iter(range(1_000_000))


def own(source: str, kind: str = "code") -> dict[str, Any]:
    """Return a cell of the learner's own."""
    cell: dict[str, Any] = {"cell_type": kind, "id": f"own-{next(_number)}", "metadata": {}, "source": source}
    return cell | {"outputs": [], "execution_count": None} if kind == "code" else cell


def _official(cell: Any, source: str) -> dict[str, Any]:
    made = own(source, "code" if cell.code else "markdown") | {"id": cell.id}
    if cell.role in ("setup", "exercise", "tests", "answer"):
        marks: dict[str, Any] = {
            "grade_id": cell.id,
            "grade": cell.role in ("tests", "answer"),
            "solution": cell.role in ("exercise", "answer"),
            "locked": cell.role not in ("exercise", "answer"),
            "schema_version": 3,
            "task": False,
        }
        if marks["grade"]:
            marks["points"] = cell.points
        made["metadata"]["nbgrader"] = marks
    return made


def find(notebook: Notebook, cell_id: str) -> dict[str, Any]:
    """Return the cell of this id, or the first whose id begins like this."""
    return next(cell for cell in notebook["cells"] if cell["id"].startswith(cell_id))
