"""What each submission is worth in the end: the tests' points, a person's, and what being late costs.

Feedback, report and exports read scores here and nowhere else, so that all three say the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from grader.classroom.late import Lateness, read_policy
from grader.course import Course, CourseError
from grader.engine.result import Result
from grader.engine.store import ResultsStore
from grader.gradebook import Gradebook, ManualGrade, open_gradebook


@dataclass(frozen=True)
class Score:
    """One submission's points, as far as they are known.

    Attributes
    ----------
    result : Result
        What the tests gave.
    by_hand : mapping of str to ManualGrade
        What a person gave, per cell, and what waits for one.
    handed_in : datetime, optional
        When, in UTC without a zone, where the gradebook knows.
    lateness : Lateness, optional
        By the course's late policy, where it has one for this module.
    graded_at : str
        When the tests ran, UTC, ISO 8601.
    """

    result: Result
    by_hand: Mapping[str, ManualGrade] = field(default_factory=dict)
    handed_in: datetime | None = None
    lateness: Lateness | None = None
    graded_at: str = ""

    @property
    def student(self) -> str:
        """Whose."""
        return self.result.student

    @property
    def module(self) -> str:
        """To which module."""
        return self.result.module

    @cached_property
    def points(self) -> dict[str, float | None]:
        """Points of every graded cell, in the notebook's order of tests and then of answers; None while one waits."""
        tested = {cell.cell: self._points(cell.cell, cell.points) for cell in self.result.cells}
        return tested | {
            answer.cell: self._points(answer.cell, None if answer.changed else 0.0) for answer in self.result.written
        }

    def _points(self, cell: str, by_tests: float | None) -> float | None:
        """Count a person's score before the tests', and credit on top."""
        grade = self.by_hand.get(cell)
        if grade is None:
            return by_tests
        score = by_tests if grade.score is None else grade.score
        return score if score is None else score + (grade.extra_credit or 0.0)

    @property
    def waiting(self) -> tuple[str, ...]:
        """Cells that a person has to look at before the score is final."""
        pending = {cell for cell, grade in self.by_hand.items() if grade.pending}
        return tuple(cell for cell, points in self.points.items() if points is None or cell in pending)

    @property
    def earned(self) -> float:
        """Points before what being late costs."""
        return sum(points for points in self.points.values() if points is not None)

    @property
    def lost(self) -> float:
        """Points lost by being late."""
        return self.lateness.lost(self.earned) if self.lateness else 0.0

    @property
    def total(self) -> float:
        """Points that count, never below 0."""
        return max(0.0, self.earned - self.lost)

    @property
    def max_points(self) -> float:
        """Points that can be earned."""
        return self.result.max_points


def read_scores(course: Course, modules: Iterable[str], *, gradebook: str | None = None) -> Iterator[Score]:
    """Yield the score of every graded submission, in order of module and student.

    Parameters
    ----------
    course : Course
        The course.
    modules : iterable of str
        Of which modules.
    gradebook : str, optional
        Database URL; the course's own gradebook by default, passed over where there is none.

    Raises
    ------
    CourseError
        When the late policy, the results or the gradebook cannot be read.
    """
    policy = read_policy(course)
    store = ResultsStore(course.results)
    for module in modules:
        by_hand, handed_in = _from_gradebook(course, module, gradebook)
        for student, stored in sorted(store.latest(module).items()):
            when = handed_in.get(student)
            yield Score(
                result=store.result(stored),
                by_hand=by_hand.get(student, {}),
                handed_in=when,
                lateness=policy.lateness(student, module, when) if policy else None,
                graded_at=stored.at,
            )


def graded_modules(course: Course, names: Iterable[str] = ()) -> list[str]:
    """Return the modules that have results, all or those asked for by name or number.

    Raises
    ------
    CourseError
        When a name is unknown, or nothing is graded.
    """
    there = set(ResultsStore(course.results).modules())
    asked = course.modules(names)
    found = [module for module in asked if module in there]
    if not found:
        what = "nothing" if len(asked) != 1 else f"nobody's {asked[0]}"
        raise CourseError(f"{what} is graded yet: run grader grade SUBMISSIONS")
    return found


def _from_gradebook(
    course: Course, module: str, url: str | None
) -> tuple[dict[str, dict[str, ManualGrade]], dict[str, datetime]]:
    if url is None and not (course.root / "gradebook.db").is_file():
        return {}, {}
    book: Gradebook
    with open_gradebook(course, url) as book:
        return book.manual_scores(module), book.handed_in(module)
