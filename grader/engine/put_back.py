"""Lay a submission beside the release: what runs in the learner's process, what was written, what was edited.

Learners' text is looked at with regular expressions only; it is never compiled here.
"""

from __future__ import annotations

import bisect
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from convnets.checks.record import fingerprint
from grader.engine.release import OfficialCell, Release, same_text
from grader.engine.submission import Submission, SubmittedCell

#: Characters of the longest code cell that is run, and of all of a learner's cells together.
LONGEST_CELL, MOST_CODE = 2**20, 2**22

_DEFINITION = re.compile(
    r"^(?:(?:async[ \t]+)?(?:def|class)[ \t]+(?P<block>\w+)|(?P<value>\w+)[ \t]*(?::[^=\n]*)?=(?!=))", re.M
)


@dataclass(frozen=True)
class Step:
    """A cell that runs in the learner's process.

    Attributes
    ----------
    id : str
        Id of the official cell, or ``"cell 7"`` for one of the learner's own (counted from 1).
    source : str
        What is run.
    official : bool
        A setup cell of the course.
    exercise : str
        Name of the exercise, where the cell is its answer.
    """

    id: str
    source: str
    official: bool = False
    exercise: str = ""


@dataclass(frozen=True)
class Plan:
    """A submission with the official cells put back.

    Attributes
    ----------
    steps : tuple of Step
        What the learner's process runs, in order.
    written : dict of str to str
        Text of each written answer under its id; the stub's where the cell is gone.
    edits : tuple of str
        What was put right, a sentence each.
    problem : str
        Why it is no submission to this module; empty where it is one.
    """

    steps: tuple[Step, ...]
    written: dict[str, str]
    edits: tuple[str, ...]
    problem: str = ""


def put_back(release: Release, submission: Submission) -> Plan:
    """Find a submission's cells in the release and put the official ones back.

    Cells are found by their ids wherever they stand, then by their text. Setup cells run as the course has them, each
    before the first exercise that follows it in the course; what a learner added to one runs after it. Test cells,
    experiments and widgets do not run in the learner's process. Everything else that is code is the learner's own and
    runs in its order.

    Parameters
    ----------
    release : Release
        The module.
    submission : Submission
        A readable one.
    """
    return _Alignment(release, submission).plan()


def defined_names(source: str) -> set[str]:
    """Return the names that lines without indentation define: functions, classes and plain assignments."""
    return {found["block"] or found["value"] for found in _DEFINITION.finditer(source)}


class _Alignment:
    """One submission laid beside one release."""

    def __init__(self, release: Release, submission: Submission) -> None:
        self.release = release
        self.cells = submission.cells
        self.edits = list(submission.remarks)
        self.left = MOST_CODE
        self.place = {cell.id: place for place, cell in enumerate(release.cells)}
        self.officials = [self._official(cell) for cell in self.cells]
        self.first: dict[str, int] = {}
        for number, official in enumerate(self.officials):
            if official is not None:
                self.first.setdefault(official.id, number)
        self.marked = {o.exercise for o in self.officials if o is not None and o.role == "exercise"}

    def _official(self, cell: SubmittedCell) -> OfficialCell | None:
        official = self.release.by_id.get(cell.mark)
        if official is None and cell.source.strip():
            official = self.release.by_text.get((cell.kind == "code", fingerprint(cell.source)))
        return official

    def plan(self) -> Plan:
        written = self._written()
        steps = self._steps()
        problem = self._problem(steps, written)
        if not problem:
            self._report_deleted_and_edited()
            self._report_copies_and_marks()
            self._report_moves()
        return Plan(tuple(steps), written, tuple(dict.fromkeys(self.edits)), problem)

    def _problem(self, steps: list[Step], written: dict[str, str]) -> str:
        """Say why this is no submission to the module: nothing of what earns points in it can be found."""
        ours = {cell.id for cell in self.release.having("exercise", "tests", "answer")}
        own = (defined_names(step.source) for step in steps if not step.official)
        answered = any(not same_text(text, self.release.by_id[name].visible) for name, text in written.items())
        if ours & self.first.keys() or answered or any(names & set(self.release.exercises) for names in own):
            return ""
        title = f" ({self.release.record.title})" if self.release.record.title else ""
        return f"this is no submission to {self.release.module}{title}: none of its exercises is in the notebook"

    # What runs.

    def _steps(self) -> list[Step]:
        steps: list[Step] = []
        setups = [Step(cell.id, cell.source, official=True) for cell in self.release.having("setup")]
        for number, before in enumerate(self._places_ahead()):
            while setups and self.place[setups[0].id] < before:
                steps.append(setups.pop(0))
            own = self._own_step(number)
            if own is not None:
                self.left -= len(own.source)
                steps.append(own)
        return self._without_spare_stubs(steps + setups)

    def _places_ahead(self) -> list[float]:
        """Return for each submitted cell the place in the course up to which setup has to have run before it.

        That is the place of the next exercise or setup cell, itself included.
        """
        places: list[float] = []
        ahead = math.inf
        for official in reversed(self.officials):
            setup = official is not None and official.role == "setup"
            if official is not None and (setup or official.role == "exercise"):
                ahead = self.place[official.id]
            places.append(ahead + setup)
        return places[::-1]

    def _own_step(self, number: int) -> Step | None:
        cell, official, name = self.cells[number], self.officials[number], f"cell {number + 1}"
        if len(cell.source) > min(LONGEST_CELL, self.left):
            self.edits.append(f"Cell {number + 1} was not run: there is more than a million characters of code.")
            return None
        answers = defined_names(cell.source) & set(self.release.exercises)
        if official is not None and official.role == "exercise":
            return self._answer_step(number, official)
        if cell.kind != "code" or not cell.source.strip():
            return None
        if official is None or official.role in ("prose", "answer"):
            for exercise in sorted(answers - self.marked):
                self.edits.append(f"The answer to {exercise} was found in cell {number + 1} by the name it defines.")
            return None if cell.skipped and not answers else Step(name, cell.source)
        if same_text(cell.source, official.visible):
            return None
        if answers:
            self.edits.append(f"The cell {official.id} was used for an answer ({', '.join(sorted(answers))}).")
        # The official setup has run; what was added to it may be needed by the answers.
        return Step(name, cell.source) if answers or official.role == "setup" else None

    def _answer_step(self, number: int, official: OfficialCell) -> Step:
        cell = self.cells[number]
        if cell.kind != "code":
            self.edits.append(f"The answer to {official.exercise} stands in a {cell.kind} cell; it was run as code.")
        if self.first[official.id] == number:
            return Step(official.id, cell.source, exercise=official.exercise)
        self.edits.append(f"There is more than one cell of {official.exercise}: what is defined last counts.")
        return Step(f"cell {number + 1}", cell.source, exercise=official.exercise)

    def _without_spare_stubs(self, steps: list[Step]) -> list[Step]:
        """Leave out an untouched stub where another cell answers its exercise: it is a copy, not an answer."""
        stubs = {cell.exercise: fingerprint(cell.visible) for cell in self.release.having("exercise")}

        def untouched(step: Step) -> bool:
            return bool(step.exercise) and fingerprint(step.source) == stubs[step.exercise]

        answered = {
            name for step in steps if not step.official and not untouched(step) for name in defined_names(step.source)
        }
        return [step for step in steps if not (untouched(step) and step.exercise in answered)]

    # What was written.

    def _written(self) -> dict[str, str]:
        written = {}
        for answer in self.release.having("answer"):
            numbers = [number for number, official in enumerate(self.officials) if official is answer]
            if not numbers:
                numbers = self._after_its_question(answer)
                how = "had lost its id; it was found behind its question" if numbers else "was deleted"
                self.edits.append(f"The written answer {answer.id} {how}.")
            texts = [self.cells[number].source for number in numbers]
            changed = [text for text in texts if not same_text(text, answer.visible)]
            if len(changed) > 1:
                self.edits.append(f"There is more than one written answer {answer.id}: all of them are kept.")
            written[answer.id] = "\n\n".join(changed) or answer.visible
        return written

    def _after_its_question(self, answer: OfficialCell) -> list[int]:
        """Find an answer without id: the unknown markdown cell behind the prose that asks for it."""
        question = self.release.cells[self.place[answer.id] - 1]
        number = self.first.get(question.id, len(self.cells)) + 1
        found = number < len(self.cells) and self.officials[number] is None and self.cells[number].kind == "markdown"
        return [number] if found else []

    # What was edited.

    def _report_deleted_and_edited(self) -> None:
        for official in self.release.having("setup", "exercise", "tests"):
            number = self.first.get(official.id)
            if official.role == "exercise":
                if number is None:
                    self.edits.append(f"The cell of {official.exercise} was deleted.")
            elif number is None:
                self.edits.append(f"The cell {official.id} was deleted; the official one was used.")
            elif not same_text(self.cells[number].source, official.visible):
                self.edits.append(f"The cell {official.id} was edited; the official one was used.")
            elif self.cells[number].kind != "code":
                self.edits.append(f"The cell {official.id} was turned into {self.cells[number].kind}.")

    def _report_copies_and_marks(self) -> None:
        for number, official in enumerate(self.officials):
            if official is None or official.role not in ("setup", "tests", "answer"):
                continue
            if official.role != "answer" and self.first[official.id] != number:
                self.edits.append(f"There is more than one cell {official.id}; the official one was used.")
            cell = self.cells[number]
            if cell.points is not None and cell.points != official.points:
                points = f"{cell.points:g}; the official {official.points:g} count"
                self.edits.append(f"The points of {official.id} were changed to {points}.")
            answer = official.role == "answer"
            expected = {"grade": answer or official.role == "tests", "solution": answer, "locked": not answer}
            if any(value != expected[key] for key, value in cell.marks.items()):
                self.edits.append(f"The marks of the cell {official.id} were changed; the official ones count.")

    def _report_moves(self) -> None:
        """Report the fewest cells whose move explains the order."""
        kept = {cell.id for cell in self.release.having("setup", "exercise", "tests", "answer")}
        numbers = sorted((number, self.place[name]) for name, number in self.first.items() if name in kept)
        places = [place for _, place in numbers]
        stayed = _longest_increasing(places)
        for place in places:
            if place not in stayed:
                self.edits.append(f"The cell {self.release.cells[place].id} was moved.")


def _longest_increasing(values: Sequence[int]) -> set[int]:
    """Return the members of a longest increasing subsequence of different numbers."""
    tails: list[int] = []
    before: dict[int, int | None] = {}
    for value in values:
        position = bisect.bisect_left(tails, value)
        before[value] = tails[position - 1] if position else None
        tails[position : position + 1] = [value]
    chosen: set[int] = set()
    last = tails[-1] if tails else None
    while last is not None:
        chosen.add(last)
        last = before[last]
    return chosen
