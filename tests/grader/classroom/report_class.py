"""A class for the report's tests: a release and scores written by hand, nothing graded."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from convnets.checks.record import Exercise, KnownMistake, LessonRecord
from grader.classroom.late import Lateness
from grader.classroom.scores import Score
from grader.engine.release import OfficialCell, Release
from grader.engine.result import CellResult, Outcome, Result, WrittenAnswer

MODULE = "07_three"
EXERCISES = ("one", "two", "three")
SOLUTION = """
def {name}(x):
    total, before = 0, None
    for value in x:
        if before is not None and value - before > {number}:
            total += (value - before) * {number}
        elif value % 2:
            total -= abs(value) // {number}
        before = value
    return total / max(1, len(x))
"""
DUE = datetime(2026, 3, 1, 12, tzinfo=ZoneInfo("UTC"))


def a_release():
    """Three exercises of 2 points each, with one test cell, and a written answer of 4."""
    cells = [OfficialCell("intro", "prose", False, "", "# 07 Three\n\nText.")]
    for number, name in enumerate(EXERCISES, start=1):
        stub = f"def {name}(x):\n    raise NotImplementedError"
        solution = SOLUTION.format(name=name, number=number)
        cells += [
            OfficialCell(f"{name}-text", "prose", False, "", f"## Exercise {number} · `{name}`"),
            OfficialCell(name, "exercise", True, solution, stub, exercise=name, names=(name,)),
            OfficialCell(f"{name}-test-1", "tests", True, "check", "check", 2.0, name, checks=1),
        ]
    cells.append(OfficialCell("why", "answer", False, "", "Your answer here.", 4.0))
    mistakes = tuple(
        KnownMistake(name, exercise, f"{exercise}-test-1", 0, ("value",), f"A reason for {name}.")
        for name, exercise in (("forgets", "one"), ("rounds", "two"))
    )
    exercises = {name: Exercise(number) for number, name in enumerate(EXERCISES, start=1)}
    return Release(MODULE, tuple(cells), LessonRecord(MODULE, "Three", exercises=exercises, mistakes=mistakes))


def a_score(student, ends="PPP", *, written=False, days=None, flags=(), message="wrong", **fields):
    """A score; `ends` has a letter for each exercise.

    P passed, F failed, M failed by the known mistake "forgets", S left blank, L fails only by an earlier answer,
    T timed out, U unreadable, E the grader's own error.
    """
    outcomes = {"P": Outcome.Passed, "T": Outcome.TimedOut, "U": Outcome.Unreadable, "E": Outcome.EngineError}
    cells = []
    for name, end in zip(EXERCISES, ends, strict=True):
        cells.append(
            CellResult(
                cell=f"{name}-test-1",
                exercise=name,
                points=2.0 if end == "P" else 0.0,
                max_points=2.0,
                outcome=outcomes.get(end, Outcome.Failed),
                message=f"`{name}` is not written yet." if end == "S" else "" if end == "P" else message,
                mistake="forgets" if end in "ML" else "",
                reason="A reason for forgets." if end in "ML" else "",
                follow_through=Outcome.Passed if end == "L" else None,
                seconds=0.5,
            )
        )
    answer = WrittenAnswer("why", 4.0, "because", written)
    result = Result(student, MODULE, "key", tuple(cells), (answer,), flags=tuple(flags))
    late = None if days is None else Lateness(DUE, DUE + timedelta(days=days), days, min(100.0, 10.0 * days))
    return Score(result, lateness=late, graded_at="2026-03-02T10:00:00+00:00", **fields)
