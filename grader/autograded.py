"""The notebook that formgrader shows beside a submission's scores: the learner's cells, official tests, our outcomes.

It is made with plain `json`, in nbformat 4.5, with nbgrader's metadata. It is for staff: the tests are whole, hidden
parts included, as in the notebook that ``nbgrader autograde`` leaves. Learners' markdown is shown rendered, so what a
browser or nbconvert would act on in it is broken first: tags, links, attachments.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from convnets.checks.record import fingerprint
from grader.engine.put_back import Plan, defined_names
from grader.engine.release import OfficialCell, Release, same_text
from grader.engine.result import CellResult, Outcome, Result, capped
from grader.engine.submission import Submission

#: Bytes of the largest notebook that is written.
LARGEST = 300_000
#: Characters kept of each text of the learner's and of each output, and number of their own cells kept: the first pair
#: that keeps the notebook under `LARGEST` is used.
_ROOM = ((50_000, 500), (10_000, 200), (3_000, 60), (800, 20), (200, 5))
#: Version of nbgrader's cell metadata.
_SCHEMA_VERSION = 3
#: Where the notebook's metadata keep what a rewrite has to know of this one.
_OURS = "grader"

_NOT_THERE = "This cell is not in the submission."
_KERNEL = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
# Tags and autolinks; targets of links, images and attachments, and their definitions. formgrader's MathJax runs in its
# safe mode.
_ACTIVE = re.compile(r"<(?=[A-Za-z/!?])|\](?=[(:])")
_ZERO_WIDTH_SPACE = "\N{ZERO WIDTH SPACE}"


@dataclass(frozen=True)
class SourceCell:
    """What the gradebook knows of an official cell.

    Attributes
    ----------
    checksum : str
        nbgrader's checksum of the released cell.
    locked : bool
        Learners cannot edit it.
    grade, solution : bool
        It earns points; it holds an answer.
    """

    checksum: str
    locked: bool
    grade: bool
    solution: bool


@dataclass(frozen=True)
class Shown:
    """What an autograded notebook was made of.

    Attributes
    ----------
    submission : str
        Fingerprint of the submitted file.
    written : dict of str to str
        Digest of each written answer's text under its cell's id.
    """

    submission: str
    written: dict[str, str]


def shown(result: Result) -> Shown:
    """Return what a result's notebook is made of."""
    return Shown(result.submission_key, {answer.cell: _digest(answer.text) for answer in result.written})


def read_shown(text: str) -> Shown | None:
    """Return what an autograded notebook was made of; None where it is not one of ours."""
    try:
        ours = json.loads(text)["metadata"][_OURS]
        return Shown(ours["submission"], dict(ours["written"]))
    except (ValueError, KeyError, TypeError):
        return None


def inert(markdown: str) -> str:
    """Return a learner's markdown that looks the same and that a browser does nothing with.

    A zero-width space keeps tags from being tags and links from being links, in whatever context the renderer sees
    them: text, code or formula.
    """
    return _ACTIVE.sub(lambda found: found.group() + _ZERO_WIDTH_SPACE, markdown)


def answered(release: Release, plan: Plan | None) -> set[str]:
    """Return the exercises in which a learner wrote anything."""
    stubs = {cell.exercise: cell.visible for cell in release.having("exercise")}
    found: set[str] = set()
    for step in plan.steps if plan else ():
        if step.exercise:
            if not same_text(step.source, stubs[step.exercise]):
                found.add(step.exercise)
        elif not step.official:
            found |= defined_names(step.source) & stubs.keys()
    return found


def make_notebook(
    release: Release,
    result: Result,
    submission: Submission | None,
    plan: Plan | None,
    sources: Mapping[str, SourceCell],
) -> bytes:
    """Make the autograded notebook of a submission.

    Parameters
    ----------
    release : Release
        The module.
    result : Result
        What grading gave.
    submission : Submission, optional
        What was handed in, and
    plan : Plan, optional
        the same with the official cells put back; both None where there is nothing to read.
    sources : mapping of str to SourceCell
        The gradebook's cells under their grade ids.

    Returns
    -------
    bytes
        JSON, at most 300,000 bytes long where the official cells leave room for that.
    """
    data = b""
    for characters, cells in _ROOM:
        made = _Maker(release, result, submission, plan, sources, characters, cells)
        data = json.dumps(made.notebook(), ensure_ascii=False, separators=(",", ":")).encode()
        if len(data) <= LARGEST:
            break
    return data


class _Maker:
    def __init__(
        self,
        release: Release,
        result: Result,
        submission: Submission | None,
        plan: Plan | None,
        sources: Mapping[str, SourceCell],
        characters: int,
        own_cells: int,
    ) -> None:
        self.release = release
        self.result = result
        self.submitted = submission.cells if submission else ()
        self.steps = {step.id: step for step in plan.steps} if plan else {}
        self.sources = sources
        self.characters = characters
        self.own_cells = own_cells
        self.outcomes = {cell.cell: cell for cell in result.cells}
        self.written = {answer.cell: answer.text for answer in result.written}

    def notebook(self) -> dict[str, Any]:
        made_of = shown(self.result)
        ours = {"submission": made_of.submission, "written": made_of.written}
        return {"cells": self._cells(), "metadata": _KERNEL | {_OURS: ours}, "nbformat": 4, "nbformat_minor": 5}

    def _cells(self) -> list[dict[str, Any]]:
        own: dict[str, list[dict[str, Any]]] = {}
        left_out = 0
        for place, (after, cell) in enumerate(self._own()):
            if place < self.own_cells:
                own.setdefault(after, []).append(cell)
            else:
                left_out += 1
        cells = [*self._notes(left_out), *own.get("", ())]
        for official in self.release.cells:
            cells += [self._official(official), *own.get(official.id, ())]
        return cells

    def _notes(self, left_out: int) -> Iterator[dict[str, Any]]:
        """Yield a cell that says what was mended and what the learner's own cells did; flags are not for students."""
        lines = [*self.result.edits, *self.result.notes]
        if left_out:
            lines.append(f"{left_out:,} of the learner's own cells are not shown here.")
        if lines:
            told = "\n".join(f"- {' '.join(line.split())}" for line in lines)
            yield self._cell("grader-notes", f"**Noted while grading**\n\n{inert(capped(told, self.characters))}")

    def _own(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the learner's own cells, each with the id of the official cell that it stands behind."""
        prose = {fingerprint(cell.visible) for cell in self.release.cells if not cell.code}
        written = "\n\n".join(self.written.values())
        after = ""
        for number, cell in enumerate(self.submitted, start=1):
            known = cell.mark in self.release.by_id
            after = cell.mark if known else after
            step = self.steps.get(f"cell {number}")
            if step is not None:
                yield after, self._cell(f"own-{number}", capped(step.source, self.characters), code=True)
            elif known or cell.kind == "code" or not cell.source.strip():
                continue
            elif fingerprint(cell.source) not in prose and cell.source not in written:
                yield after, self._cell(f"own-{number}", self._markdown(cell.source))

    def _official(self, cell: OfficialCell) -> dict[str, Any]:
        made = self._cell(cell.id, self._source(cell), code=cell.code)
        source = self.sources.get(cell.id)
        if source is not None:
            marks: dict[str, Any] = {
                "cell_type": "code" if cell.code else "markdown",
                "checksum": source.checksum,
                "grade": source.grade,
                "grade_id": cell.id,
                "locked": source.locked,
                "schema_version": _SCHEMA_VERSION,
                "solution": source.solution,
                "task": False,
            }
            if source.grade:
                marks["points"] = cell.points
            made["metadata"]["nbgrader"] = marks
        if cell.id in self.outcomes:
            made["outputs"] = [self._output(self.outcomes[cell.id])]
        return made

    def _source(self, cell: OfficialCell) -> str:
        if cell.role == "answer":
            text = self.written.get(cell.id, cell.visible)
            return capped(text, self.characters) if cell.code else self._markdown(text)
        if cell.role != "exercise":
            return cell.source if cell.code else cell.visible
        texts = [submitted.source for submitted in self.submitted if submitted.mark == cell.id]
        if cell.id in self.steps:
            texts.insert(0, self.steps[cell.id].source)
        return capped(texts[0], self.characters) if texts else f"# {_NOT_THERE}"

    def _markdown(self, text: str) -> str:
        return inert(capped(text, self.characters))

    def _output(self, outcome: CellResult) -> dict[str, Any]:
        """Return a test cell's outcome as an output of which nbgrader, too, makes full marks or none."""
        plural = "" if outcome.max_points == 1 else "s"
        earned = f"{outcome.outcome}: {outcome.points:g} of {outcome.max_points:g} point{plural}"
        if outcome.outcome is Outcome.Passed:
            return {"name": "stdout", "output_type": "stream", "text": f"{earned}\n"}
        parts = [
            earned,
            outcome.message,
            f"called    {outcome.called}" if outcome.called else "",
            f"expected  {outcome.expected}" if outcome.expected else "",
            f"got       {outcome.got}" if outcome.got else "",
            f"in a hidden test: {outcome.detail}" if outcome.hidden and outcome.detail else outcome.detail,
        ]
        told = capped("\n".join(part for part in parts if part), self.characters)
        return {
            "ename": str(outcome.outcome),
            "evalue": outcome.message.split("\n")[0],
            "output_type": "error",
            "traceback": told.split("\n"),
        }

    def _cell(self, name: str, source: str, *, code: bool = False) -> dict[str, Any]:
        cell: dict[str, Any] = {"cell_type": "code" if code else "markdown", "id": name, "metadata": {}}
        if code:
            cell |= {"execution_count": None, "outputs": []}
        return cell | {"source": source}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
