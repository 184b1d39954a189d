"""What a result costs to enter into nbgrader's gradebook, by our writer and by nbgrader's own API, in CPU seconds.

Run with ``python -m benchmarks.gradebook [POSTGRESQL_URL]``. The class has 100 submissions of module 05.
nbgrader's calls are those of ``nbgrader autograde`` without its notebooks, each step opening the gradebook anew as it
does, and once more with one open gradebook. A database given by its URL is filled and left full.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.scratch import ROOT, make_course
from grader.course import Course
from grader.engine.release import Release, make_release
from grader.engine.result import CellResult, Outcome, Result, WrittenAnswer
from grader.engine.submission import read_submission
from grader.gradebook import open_gradebook

MODULE = "05_convolution_arithmetic"
STUDENTS = 100


def cpu() -> float:
    """Return the CPU seconds of this process and of those it waited for."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def result(release: Release, student: str, key: str) -> Result:
    """Return the result of a learner who fails every third test cell."""
    cells = tuple(
        CellResult(cell.id, cell.exercise, 0.0, cell.points, Outcome.Failed, message="The shape is wrong.")
        if number % 3 == 0
        else CellResult(cell.id, cell.exercise, cell.points, cell.points, Outcome.Passed)
        for number, cell in enumerate(release.having("tests"))
    )
    written = tuple(WrittenAnswer(cell.id, cell.points, "An answer.", True) for cell in release.having("answer"))
    return Result(student, release.module, key, cells, written)


def measure(name: str, write: Callable[[str], None]) -> None:
    """Write every student's result and print what one costs."""
    begin, wall = cpu(), time.perf_counter()
    for number in range(STUDENTS):
        write(f"student{number:03}")
    print(f"{name:50} {(cpu() - begin) / STUDENTS:.4f} s CPU {(time.perf_counter() - wall) / STUDENTS:.4f} s wall")


def ours(course: Course, release: Release, name: str, url: str | None = None) -> None:
    """Measure our writer: a new class, then the same results again."""
    data = (course.source / MODULE / f"{MODULE}.ipynb").read_bytes()
    with open_gradebook(course, url) as gradebook:

        def write(student: str) -> None:
            submission = read_submission(data, student)
            gradebook.write(release, result(release, student, submission.key), submission)

        write("first")
        measure(f"{name}, new", write)
        measure(f"{name}, again", write)


def nbgraders(course: Course, release: Release) -> None:
    """Measure nbgrader's API with the calls that autograde makes."""
    from nbgrader.api import Gradebook

    url = f"sqlite:///{course.root / 'gradebook.db'}"

    def enter(gradebook: Gradebook, student: str) -> None:
        for cell in result(release, student, "").cells:
            grade = gradebook.find_grade(cell.cell, MODULE, MODULE, student)
            grade.auto_score = cell.points
            grade.needs_manual_grade = False
            gradebook.db.commit()
        for answer in release.having("exercise", "answer"):
            comment = gradebook.find_comment(answer.id, MODULE, MODULE, student)
            comment.auto_comment = None
            gradebook.db.commit()

    def create(gradebook: Gradebook, student: str) -> None:
        gradebook.update_or_create_student(student)
        gradebook.update_or_create_submission(MODULE, student)

    def as_autograde(student: str) -> None:
        steps: list[Callable[[Gradebook, str], object]] = [create, *[lambda gradebook, student: None] * 7, enter]
        for step in steps:
            with Gradebook(url) as gradebook:
                step(gradebook, f"nb_{student}")

    with Gradebook(url) as gradebook:

        def at_once(student: str) -> None:
            create(gradebook, f"open_{student}")
            enter(gradebook, f"open_{student}")

        measure("nbgrader's API, one open gradebook", at_once)
    measure("nbgrader's API, nine openings as autograde", as_autograde)


def main() -> None:
    """Build a course of one module and measure on it."""
    with tempfile.TemporaryDirectory() as scratch:
        course = make_course(Path(scratch), [ROOT / "solutions" / MODULE])
        release = make_release(Course(ROOT), MODULE)
        ours(course, release, "SQLite")
        if len(sys.argv) > 1:
            ours(course, release, "PostgreSQL", sys.argv[1])
        nbgraders(course, release)
        path = course.root / "autograded" / "student000" / MODULE / f"{MODULE}.ipynb"
        print(f"autograded notebook: {path.stat().st_size:,} bytes, {len(json.loads(path.read_text())['cells'])} cells")


if __name__ == "__main__":
    main()
