"""Run an exercise's tests in this process: count its checks and record its known mistakes."""

from __future__ import annotations

import contextlib
import inspect
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convnets.checks import CheckFailed, Lesson, LessonRecord, signature
from convnets.checks.authoring import Mistake
from convnets.checks.record import Exercise, KnownMistake, TestCell, fingerprint
from grader.build.expand import cell_ids
from grader.build.text import Cell, TextNotebook
from grader.course import CourseError

Namespace = dict[str, Any]


@dataclass(frozen=True)
class WrongAnswer:
    """A mistake of ``mistakes.py``: the misconception's name, the answer, and its reason."""

    name: str
    answer: Any
    exercise: str
    reason: str


class Workbench:
    """A module's official solution in a namespace, where answers can be exchanged and tested.

    Parameters
    ----------
    notebook : TextNotebook
        The module.
    folder : Path
        Its folder, which holds ``mistakes.py``.

    Raises
    ------
    CourseError
        When setup, solution or ``mistakes.py`` do not run.
    """

    def __init__(self, notebook: TextNotebook, folder: Path) -> None:
        self.notebook = notebook
        self.ids = dict(zip((id(cell) for cell in notebook.cells), cell_ids(notebook), strict=True))
        self.namespace: Namespace = {"__name__": "__main__"}
        with contextlib.chdir(folder), _fast(), _quiet():
            for cell in notebook.cells:
                if cell.role in ("setup", "exercise"):
                    self._run(cell.source, self.namespace, f"{notebook.module}: the cell in line {cell.line}")
            self.hints, self.wrong_answers = self._read_mistakes(folder / "mistakes.py")
        if not isinstance(self.namespace.get("lesson"), Lesson):
            raise CourseError(f'{notebook.module}: a setup cell must say lesson = open_lesson("{notebook.module}")')
        self.lesson: Lesson = self.namespace["lesson"]
        for cell in notebook.exercises:
            if not callable(self.namespace.get(cell.name)):
                raise CourseError(f"{notebook.module}: line {cell.line}: the solution does not define {cell.name}")
        # Not the record that an earlier build left behind: what is recorded depends on the sources alone.
        self.lesson.record = LessonRecord(notebook.module, exercises=self._exercises())

    def run_tests(self, cell: Cell, answer: Any = None, *, hidden: bool = True) -> CheckFailed | None:
        """Run a test cell on the official solution, or on another answer to its exercise.

        Parameters
        ----------
        cell : Cell
            The test cell.
        answer : object, optional
            Stands in the place of the exercise's solution.
        hidden : bool
            Run its hidden tests too.

        Returns
        -------
        CheckFailed or None
            The first check that failed.

        Raises
        ------
        CourseError
            When the cell raises anything that is not a failed check.
        """
        names = dict(self.namespace)
        if answer is not None:
            names[cell.name] = answer
        self.lesson.begin_cell(cell.visible, self.ids[id(cell)])
        source = cell.source if hidden else cell.visible
        try:
            with _fast(), _quiet():
                exec(compile(source, f"<{self.ids[id(cell)]}>", "exec"), names)
        except CheckFailed as failure:
            return failure
        except Exception as error:
            raise CourseError(
                f"{self.notebook.module}: the test cell in line {cell.line} raised {type(error).__name__} outside a "
                f"check ({error}); put what may fail into a function and check it"
            ) from error
        return None

    def record(self) -> LessonRecord:
        """Count the checks of each test cell and record each mistake's outcomes.

        Raises
        ------
        CourseError
            When the solution fails, a mistake passes, or two mistakes cannot be told apart.
        """
        cells = {}
        for cell in self.notebook.cells:
            if cell.role == "tests":
                failure = self.run_tests(cell, hidden=False)
                if failure:
                    raise CourseError(
                        f"{self.notebook.module}: line {cell.line}: the solution fails its own test:\n{failure}"
                    )
                count = self.lesson.checks_begun
                if not count:
                    raise CourseError(f"{self.notebook.module}: line {cell.line}: the test cell has no check")
                cells[self.ids[id(cell)]] = TestCell(cell.name, cell.points, count, fingerprint(cell.visible))
        return LessonRecord(
            lesson=self.notebook.module,
            title=self.notebook.title,
            minutes=self.notebook.minutes,
            cells=cells,
            exercises=self._exercises(),
            mistakes=tuple(self._record_mistakes()),
        )

    def _record_mistakes(self) -> Iterator[KnownMistake]:
        for exercise in self.notebook.exercises:
            found = [
                known
                for wrong in self.wrong_answers
                if wrong.exercise == exercise.name
                for known in self._outcomes(wrong)
            ]
            for known in found:
                twin = next((other for other in found if _same_outcome(known, other)), None)
                others = [k for k in found if k.name == known.name and not any(_same_outcome(k, o) for o in found)]
                if twin is None:
                    yield known
                elif not others:
                    raise CourseError(
                        f"{self.notebook.module}: the mistakes {known.name} and {twin.name} of {exercise.name} look "
                        "the same in every visible test; add a check that tells them apart"
                    )

    def _outcomes(self, wrong: WrongAnswer) -> list[KnownMistake]:
        """Return the outcome of a mistake at the first check it fails in each visible test cell."""
        outcomes = []
        for cell in self.notebook.tests_of(wrong.exercise):
            failure = self.run_tests(cell, wrong.answer, hidden=False)
            if failure:
                cell_id = self.ids[id(cell)]
                outcomes.append(
                    KnownMistake(wrong.name, wrong.exercise, cell_id, failure.ordinal, failure.outcome, wrong.reason)
                )
        if not outcomes:
            raise CourseError(
                f"{self.notebook.module}: the mistake {wrong.name} passes every visible test of {wrong.exercise}; "
                "add a check that it fails"
            )
        return outcomes

    def _read_mistakes(self, path: Path) -> tuple[dict[str, tuple[str, ...]], list[WrongAnswer]]:
        if not path.is_file():
            raise CourseError(f"{path} is missing: every module says which mistakes its exercises are prepared for")
        # In the solution's namespace, so that a mistake can call the official solution and differ in one step.
        names = dict(self.namespace)
        self._run(path.read_text(encoding="utf-8"), names, str(path))
        known = {cell.name for cell in self.notebook.exercises}
        wrong_answers = []
        for name, value in names.items():
            mark = getattr(value, "__dict__", {}).get("__mistake__")
            if isinstance(mark, Mistake):
                # Learners called it by the exercise's name, and so do the messages.
                value.__name__ = mark.exercise
                wrong_answers.append(WrongAnswer(name, value, mark.exercise, mark.reason))
        hints = names.get("hints", {})
        for exercise in [*hints, *(wrong.exercise for wrong in wrong_answers)]:
            if exercise not in known:
                raise CourseError(f"{path}: there is no exercise {exercise!r} in the notebook")
        return hints, wrong_answers

    def _exercises(self) -> dict[str, Exercise]:
        return {
            cell.name: Exercise(number, self._parameters(cell.name), tuple(self.hints.get(cell.name, ())))
            for number, cell in enumerate(self.notebook.exercises, start=1)
        }

    def _parameters(self, exercise: str) -> tuple[str, ...]:
        try:
            return tuple(inspect.signature(self.namespace[exercise]).parameters)
        except (TypeError, ValueError):
            return ()

    @staticmethod
    def _run(source: str, names: Namespace, what: str) -> None:
        try:
            exec(compile(source, f"<{what}>", "exec"), names)
        except Exception as error:
            raise CourseError(f"{what} does not run: {type(error).__name__}: {error}") from error


def _same_outcome(a: KnownMistake, b: KnownMistake) -> bool:
    here = (a.cell, a.ordinal) == (b.cell, b.ordinal) and a.name != b.name
    return here and signature.matches(a.outcome, b.outcome)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


@contextlib.contextmanager
def _fast() -> Iterator[None]:
    before = os.environ.get("CONVNETS_FAST")
    os.environ["CONVNETS_FAST"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["CONVNETS_FAST"]
        else:
            os.environ["CONVNETS_FAST"] = before
