"""Statistics of a class, against numbers worked out by hand."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from grader.classroom.class_statistics import (
    Tally,
    discrimination,
    interval,
    outliers_between,
    outliers_within,
)
from grader.classroom.outline import outline
from grader.classroom.scores import Score
from grader.engine import ends
from grader.engine.result import CellResult, Outcome, Result, WrittenAnswer
from grader.gradebook import ManualGrade
from tests.grader.classroom.report_class import a_release, a_score


def statistics(*scores):
    tally = Tally(a_release())
    for score in scores:
        tally.add(score)
    return tally.statistics()


def test_questions_carry_the_notebooks_headings_and_numbers():
    told = [(one.label, one.title, one.max_points, one.written) for one in outline(a_release())]
    assert told == [
        ("1", "Exercise 1 · one", 2.0, False),
        ("2", "Exercise 2 · two", 2.0, False),
        ("3", "Exercise 3 · three", 2.0, False),
        ("W1", "In your own words · why", 4.0, True),
    ]


def test_difficulty_is_the_share_of_points_and_answers_that_fail_are_told_apart():
    found = statistics(a_score("a", "PPP"), a_score("b", "MFP"), a_score("c", "MSL"), a_score("d", "PTF"))
    one, two, three, why = found.questions
    assert [one.share, two.share, three.share] == [0.5, 0.25, 0.5]
    assert (one.full, two.full, one.graded) == (2, 1, 4)
    assert (one.failing, one.unrecognised, one.blank, one.follows) == (2, 0, 0, 0)
    assert (two.failing, two.unrecognised, two.blank, two.follows) == (3, 2, 1, 0)
    assert (three.failing, three.unrecognised, three.blank, three.follows) == (2, 1, 0, 1)
    assert two.outcomes == {"Failed": 2, "Passed": 1, "TimedOut": 1}
    assert (why.share, why.waiting, why.outcomes) == (0.0, 0, {})
    # An answer that only follows an earlier one has no mistake of its own.
    assert [(one.name, one.reason, one.students) for one in found.mistakes] == [
        ("forgets", "A reason for forgets.", ("b", "c"))
    ]
    assert found.unmade == 1


def test_a_blank_answer_is_known_by_the_engines_own_words():
    test = SimpleNamespace(cell=SimpleNamespace(exercise="two"))
    told = ends._not_written("", SimpleNamespace(test=test, untouched=True, hidden=False))
    _, two, three, _ = statistics(a_score("a", "PFF", message=told.message)).questions
    assert (two.blank, three.blank) == (1, 0)


def test_what_waits_counts_neither_as_earned_nor_as_missed():
    found = statistics(a_score("a", "PPF", written=True), a_score("b", "PPF"))
    assert found.scores == {"a": pytest.approx(4 / 6), "b": pytest.approx(4 / 10)}
    why = found.questions[3]
    assert (found.waiting, why.waiting, why.graded, why.share) == (1, 1, 1, None)
    by_hand = {"why": ManualGrade(3.0, None, "good", False)}
    found = statistics(a_score("a", "PPF", written=True, by_hand=by_hand), a_score("b", "PPF"))
    assert found.scores["a"] == pytest.approx(7 / 10)
    assert found.questions[3].share == pytest.approx(3 / 8)


def test_what_could_not_be_graded_is_left_out_of_the_figures_and_named():
    other = Result("old", "07_three", "key", (CellResult("gone", "one", 0.0, 2.0, Outcome.Failed),))
    found = statistics(a_score("a"), a_score("b", "UUU", flags=["damaged"]), a_score("c", "PEP"), Score(other))
    assert (list(found.scores), found.unreadable, found.ungraded, found.older) == (["a"], ("b",), ("c",), ("old",))
    assert found.submissions == 4
    assert found.questions[0].share == 1.0
    assert found.flags == {"damaged": ("b",)}


def test_late_days_and_what_they_cost():
    found = statistics(a_score("a", days=2), a_score("b", days=0), a_score("c"), a_score("d", "PFF", days=2))
    assert found.late.days == {2: ("a", "d")}
    assert (found.late.in_time, found.late.unknown, found.late.students) == (1, 1, 2)
    assert found.late.lost == pytest.approx(0.2 * 6 + 0.2 * 2)
    assert found.scores["a"] == pytest.approx(0.8 * 6 / 10)
    assert not statistics(a_score("c")).late.known


def test_discrimination_leaves_the_question_out_of_the_total():
    points = np.array([[1.0, 2, 1], [0, 1, 0], [1, 1, 1], [0, 0, 0]])
    # By hand: rest (3, 1, 2, 0), r = 2 / sqrt(1 × 5).
    assert discrimination(points, 0) == pytest.approx(2 / 5**0.5)
    # A column with an answer that waits counts to no total, and its own correlation is of those who are graded.
    waits = points.copy()
    waits[3, 2] = np.nan
    assert discrimination(waits, 0) == pytest.approx(np.corrcoef([1, 0, 1, 0], [2, 1, 1, 0])[0, 1])
    assert discrimination(waits, 2) == pytest.approx(np.corrcoef([1, 0, 1], [3, 1, 2])[0, 1])


@pytest.mark.parametrize(
    "points",
    [
        [[1.0, 2.0], [1.0, 1.0], [1.0, 0.0]],  # all solved it
        [[1.0, 2.0], [0.0, 2.0], [1.0, 2.0]],  # the rest is the same for all
        [[1.0, 2.0], [0.0, 1.0]],  # two students
        [[1.0], [0.0], [1.0]],  # no other question
    ],
)
def test_discrimination_that_is_not_defined_is_none(points):
    assert discrimination(np.array(points), 0) is None


def test_interval_by_fishers_z():
    assert interval(0.5, 28) == (pytest.approx(0.1560, abs=1e-4), pytest.approx(0.7358, abs=1e-4))
    assert interval(1.0, 10)[1] <= 1.0
    assert interval(0.5, 3) == (None, None)


def test_small_classes_are_uncertain():
    ends = ("PPP", "FFF", "PFP")
    assert statistics(*(a_score(str(i), ends[i % 3]) for i in range(29))).questions[0].uncertain
    assert not statistics(*(a_score(str(i), ends[i % 3]) for i in range(30))).questions[0].uncertain


def test_bins_hold_everybody_once_and_full_marks_in_the_last():
    found = statistics(*(a_score(str(i), "PPP" if i % 2 else "FFF", written=True) for i in range(120)))
    assert (len(found.bins), found.bins[-1].students, sum(one.students for one in found.bins)) == (20, 60, 120)
    assert (found.full, found.mean, found.quartiles) == (60, 0.5, (0.0, 0.5, 1.0))
    assert len(statistics(a_score("a")).bins) == 10
    assert statistics().quartiles == (0.0, 0.0, 0.0)


def test_outliers_by_the_fence_and_by_reversed_questions():
    students = [f"s{i}" for i in range(20)]
    scores = np.array([0.8, 0.9] * 9 + [0.85, 0.1])
    shares = np.ones((20, 6))
    shares[:8, 4:] = 0  # two harder questions
    shares[10:12, 5] = 0
    shares[15] = [0, 0, 0, 1, 1, 1]  # easier ones missed, harder ones solved
    found = [(one.student, one.rule) for one in outliers_within(students, scores, shares)]
    assert found == [("s19", "low"), ("s15", "reversed")]
    # Where half of the class has the same score there is no width to measure by.
    same = np.array([1.0] * 18 + [0.2, 0.1])
    assert not [one for one in outliers_within(students, same, np.ones((20, 2))) if one.rule == "low"]


def test_outliers_between_modules_are_unlike_themselves():
    def module(name, low):
        scores = [a_score(f"s{i:02}", "PPP" if i > 14 else "PPF", written=True) for i in range(30)]
        scores.append(a_score("turn", "FFF" if low else "PPP", written=True))
        found = statistics(*scores)
        return replace(found, module=name)

    found = outliers_between([module("01", low=False), module("02", low=False), module("03", low=True)])
    assert {name: [one.student for one in those] for name, those in found.items()}["03"] == ["turn"]


def test_a_class_of_none_and_a_module_without_questions():
    found = statistics()
    assert (found.submissions, found.waiting, [one.share for one in found.questions]) == (0, 0, [None] * 4)
    written = Result("a", "07_three", "key", (), (WrittenAnswer("why", 4.0, "x", True),))
    assert statistics(Score(written)).older == ("a",)
