"""Scores: tests, people and the late policy together."""

from datetime import UTC, datetime

import pytest

from grader.classroom.late import LatePolicy
from grader.classroom.scores import Score, graded_modules, read_scores
from grader.course import CourseError
from grader.engine.result import CellResult, Outcome, Result, WrittenAnswer
from grader.engine.store import Key, ResultsStore
from grader.gradebook import ManualGrade
from tests.grader.small_class import SMALL

DUE = 'timezone = "UTC"\npercent_per_day = 10\n[due]\n"%s" = 2026-03-01T12:00:00\n'


def result(written=True):
    cells = (
        CellResult("a-test-1", "a", 3.0, 3.0, Outcome.Passed),
        CellResult("b-test-1", "b", 0.0, 4.0, Outcome.Failed),
    )
    return Result("ada", "01_windows", "key", cells, (WrittenAnswer("why", 2.0, "because", written),))


def test_a_written_answer_waits_and_an_empty_one_earns_nothing():
    waiting = Score(result())
    assert (waiting.points, waiting.waiting) == ({"a-test-1": 3.0, "b-test-1": 0.0, "why": None}, ("why",))
    assert (waiting.earned, waiting.total, waiting.max_points) == (3.0, 3.0, 9.0)
    empty = Score(result(written=False))
    assert (empty.points["why"], empty.waiting) == (0.0, ())


def test_a_person_counts_before_the_tests_and_credit_on_top():
    by_hand = {
        "why": ManualGrade(1.5, 0.25, "good", False),
        "b-test-1": ManualGrade(2.0, None, None, True),
        "a-test-1": ManualGrade(None, 0.5, None, False),
    }
    score = Score(result(), by_hand)
    assert score.points == {"a-test-1": 3.5, "b-test-1": 2.0, "why": 1.75}
    assert (score.earned, score.waiting) == (7.25, ("b-test-1",))


@pytest.mark.parametrize(("days", "lost"), [(0, 0.0), (1, 0.3), (20, 3.0)])
def test_what_being_late_costs_is_never_more_than_was_earned(days, lost):
    from zoneinfo import ZoneInfo

    due = datetime(2026, 3, 1, 12, tzinfo=ZoneInfo("UTC"))
    policy = LatePolicy(ZoneInfo("UTC"), percent_per_day=10, due={"01_windows": due})
    late = policy.lateness("ada", "01_windows", due.replace(month=3, day=1 + days))
    score = Score(result(), lateness=late)
    assert (score.lost, score.total) == (pytest.approx(lost), pytest.approx(3.0 - lost))


def test_read_from_results_and_gradebook(small):
    late = datetime(2026, 3, 2, 15, tzinfo=UTC)
    (small.course.root / "late.toml").write_text(DUE % SMALL)
    results = {student: small.write(student, submitted_at=late) for student in ("bob", "ada")}
    small.grade("ada", "why", manual_score=1.5)
    with ResultsStore(small.course.root / "results").writing() as store:
        for one in results.values():
            store.append(one, Key(one.submission_key, "tests", "environment"))
    ada, bob = read_scores(small.course, graded_modules(small.course))
    assert (ada.student, ada.earned, ada.waiting, ada.lateness.days) == ("ada", 4.5, (), 2)
    assert (ada.lost, ada.total) == (pytest.approx(0.9), pytest.approx(3.6))
    assert (bob.earned, bob.waiting, bob.handed_in) == (3.0, ("why",), datetime(2026, 3, 2, 15))
    # formgrader shows the same due date and the penalty of what the tests gave.
    seen = small.seen("bob")
    assert (seen["notebook"]["penalty"], seen["submission"]["seconds late"]) == (pytest.approx(0.6), 27 * 3600)


def test_nothing_graded_is_told(small):
    with pytest.raises(CourseError, match="graded yet: run grader grade"):
        graded_modules(small.course)
