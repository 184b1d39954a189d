"""A run over a class: each submission graded once, whatever is killed, and nothing graded twice without a reason."""

import json
import os
import random
import signal
import time

import pytest

from grader.course import CourseError
from grader.engine import run as engine
from grader.engine.layouts import find_submissions
from grader.engine.limits import Limits
from grader.engine.release import make_release
from grader.engine.result import CellResult, Outcome, Result
from grader.engine.store import ResultsStore
from tests.grader.conftest import NOTEBOOK, make_course

MODULE = "01_windows"
ENVIRONMENTS = {MODULE: "environment"}


@pytest.fixture(scope="module")
def release(built_course):
    return make_release(built_course, MODULE)


@pytest.fixture
def submissions(tmp_path):
    """A class of eight; the text of a submission is what its student earns."""
    folder = tmp_path / "submitted"
    for i in range(8):
        hand_in(folder, f"s{i}", i % 4)
    return folder


@pytest.fixture
def store(tmp_path):
    return ResultsStore(tmp_path / "results")


def hand_in(folder, student, points):
    path = folder / student / MODULE / f"{MODULE}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"cells": [{"cell_type": "code", "source": str(points), "metadata": {}}]}))


def examine(work):
    """Stand in for the engine: pay what the submission says."""
    submission = work.read()
    earned = float(submission.cells[0].source)
    outcome = Outcome.Passed if earned else Outcome.Failed
    return Result(work.student, work.module, submission.key, (CellResult("test", "windows", earned, 3.0, outcome),))


def plan_of(folder, release, store, environments=ENVIRONMENTS, **choice):
    work, _ = engine.assign(find_submissions(folder, [MODULE]), [MODULE], **choice)
    return engine.make_plan(work, {MODULE: release}, environments, store)


def grade(folder, release, store, examine=examine, jobs=2, entering=None, environments=ENVIRONMENTS):
    """Grade a class and return who was graded."""
    with store.writing():
        plan = plan_of(folder, release, store, environments)
        if entering:
            engine.enter_done(plan, {MODULE: release}, store, entering)
        graded = engine.run(
            plan,
            {MODULE: release},
            environments,
            store,
            engine.locally(examine, jobs=jobs, limits=Limits()),
            entering=entering,
        )
        return sorted(work.student for work, _ in graded)


def points(store):
    return {name: store.result(stored).points for name, stored in store.latest(MODULE).items()}


EVERYBODY = [f"s{i}" for i in range(8)]


# What there is to do.


def test_submissions_are_assigned_to_modules(tmp_path):
    for path in ("ada/01_windows/01_windows.ipynb", "bob/99_other/x.ipynb", "eve/02_more/02_more.ipynb"):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text("{}")
    (tmp_path / "zoe.ipynb").write_text("{}")
    modules = ["01_windows", "02_more"]
    found = find_submissions(tmp_path, modules)
    work, strangers = engine.assign(found, modules)
    assert [(item.module, item.student) for item in work] == [("01_windows", "ada"), ("02_more", "eve")]
    assert [place.student for place in strangers] == ["bob", "zoe"]
    work, strangers = engine.assign(found, modules, module="02_more")
    assert [(item.module, item.student) for item in work] == [("02_more", "eve"), ("02_more", "zoe")]
    assert [place.student for place in strangers] == ["bob"]
    work, strangers = engine.assign(found, modules, only="ada")
    assert [item.student for item in work] == ["ada"]
    assert strangers == []
    with pytest.raises(CourseError, match="no submission of 'nobody'"):
        engine.assign(found, modules, only="nobody")


def test_only_what_changed_is_graded_again(submissions, release, store, tmp_path):
    assert grade(submissions, release, store) == EVERYBODY
    assert grade(submissions, release, store) == []
    hand_in(submissions, "s3", 1)
    hand_in(submissions, "s9", 2)
    plan = plan_of(submissions, release, store)
    assert [item.student for item in plan.todo] == ["s3", "s9"]
    assert list(plan.earlier) == [(MODULE, "s3")]
    assert len(plan.done) == 7
    assert grade(submissions, release, store) == ["s3", "s9"]
    assert points(store) == {"s0": 0, "s1": 1, "s2": 2, "s3": 1, "s4": 0, "s5": 1, "s6": 2, "s7": 3, "s9": 2}
    assert grade(submissions, release, store, environments={MODULE: "another"}) == [*EVERYBODY, "s9"]


def test_new_tests_are_a_reason_to_grade_again(submissions, release, store, tmp_path):
    grade(submissions, release, store)
    course = make_course(tmp_path / "course", NOTEBOOK.replace("stride=3).gives(31)", "stride=9).gives(11)"))
    assert grade(submissions, make_release(course, MODULE), store) == EVERYBODY


def test_the_environment_has_a_fingerprint():
    one = engine.environment("numpy", "namespaces", Limits())
    assert one == engine.environment("numpy", "namespaces", Limits())
    others = [
        engine.environment("torch", "namespaces", Limits()),
        engine.environment("numpy", "none", Limits()),
        engine.environment("numpy", "namespaces", Limits(call=1.0)),
    ]
    assert len({one, *others}) == 4


# What is killed.


def test_a_dead_examiner_costs_its_own_submission_only(submissions, release, store, tmp_path):
    def deadly(work):
        if work.student in ("s2", "s5"):
            marks = tmp_path / work.student
            with marks.open("a") as file:
                file.write("x")
            if work.student == "s5" or len(marks.read_text()) == 1:
                os.kill(os.getpid(), signal.SIGKILL)
        return examine(work)

    assert grade(submissions, release, store, deadly) == EVERYBODY
    assert points(store) == {"s0": 0, "s1": 1, "s2": 2, "s3": 3, "s4": 0, "s5": 0, "s6": 2, "s7": 3}
    (last,) = store.find(MODULE, student="s5")
    result = store.result(last)
    assert {cell.outcome for cell in result.cells} == {Outcome.EngineError}
    assert [cell.cell for cell in result.cells] == ["windows-test-1", "windows-test-2"]
    assert result.flags == ("the grader failed twice: the examiner was killed by SIGKILL; grade this submission again",)
    # It is not settled: the next run tries it again, and it alone.
    assert grade(submissions, release, store) == ["s5"]
    assert points(store)["s5"] == 1


def test_an_error_of_the_engine_costs_its_own_submission_only(submissions, release, store):
    def failing(work):
        if work.student == "s3":
            raise RuntimeError("a bug")
        return examine(work)

    assert grade(submissions, release, store, failing) == EVERYBODY
    result = store.result(store.latest(MODULE)["s3"])
    assert "RuntimeError: a bug" in result.flags[0]


def test_a_grader_killed_at_any_moment_grades_each_submission_once(submissions, release, store, tmp_path):
    chance, kills = random.Random(0), 8
    log = tmp_path / "log"
    log.touch()

    def examined():
        return len(log.read_text().split())

    def slow(work):
        time.sleep(0.02)
        with log.open("a") as file:
            file.write(f"{work.student}\n")
        return examine(work)

    for _ in range(kills):
        grader = os.fork()
        if grader == 0:
            try:
                grade(submissions, release, ResultsStore(store.folder), slow)
            finally:
                os._exit(0)
        # A moment by what was done, not by the clock: a busy machine kills none of them before it has begun.
        enough = examined() + chance.randint(0, 3)
        while examined() < enough and os.waitid(os.P_PID, grader, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            time.sleep(0.002)
        time.sleep(chance.uniform(0, 0.02))
        os.kill(grader, signal.SIGKILL)
        os.waitpid(grader, 0)
    before = len(ResultsStore(store.folder).all(MODULE))
    assert before >= 2
    assert len(grade(submissions, release, ResultsStore(store.folder), slow)) == 8 - before
    after = ResultsStore(store.folder)
    assert sorted(stored.student for stored in after.all(MODULE)) == EVERYBODY
    assert points(after) == {"s0": 0, "s1": 1, "s2": 2, "s3": 3, "s4": 0, "s5": 1, "s6": 2, "s7": 3}
    # What was done twice is at most what each killed run had in its hands.
    assert examined() <= len(EVERYBODY) + 2 * kills


def test_a_run_that_is_left_keeps_what_it_has(submissions, release, store):
    with store.writing():
        plan = plan_of(submissions, release, store)
        results = engine.run(
            plan, {MODULE: release}, ENVIRONMENTS, store, engine.locally(examine, jobs=2, limits=Limits())
        )
        first = {next(results)[0].student, next(results)[0].student}
        results.close()
    assert set(points(store)) == first
    assert grade(submissions, release, store) == sorted(set(EVERYBODY) - first)


def test_a_full_disk_stops_the_run_and_loses_nothing(submissions, release, store, monkeypatch):
    calls = []
    append = ResultsStore.append

    def full_after_three(self, *args):
        calls.append(args)
        if len(calls) > 3:
            raise CourseError("no space")
        return append(self, *args)

    monkeypatch.setattr(ResultsStore, "append", full_after_three)
    with pytest.raises(CourseError, match="no space"):
        grade(submissions, release, store)
    monkeypatch.undo()
    assert len(points(store)) == 3
    assert len(grade(submissions, release, store)) == 5
    assert len(store.all(MODULE)) == 8


# The gradebook.


class Book:
    def __init__(self):
        self.written = []
        self.broken = False

    def write(self, release, result, submission=None, submitted_at=None):
        if self.broken:
            raise CourseError("the gradebook is locked")
        assert submission.key == result.submission_key
        self.written.append((result.student, result.points))


def test_results_are_entered_once(submissions, release, store):
    entering = engine.Entering(Book(), "here")
    grade(submissions, release, store, entering=entering)
    grade(submissions, release, store, entering=entering)
    assert sorted(entering.book.written) == [(f"s{i}", i % 4) for i in range(8)]
    hand_in(submissions, "s0", 3)
    grade(submissions, release, store, entering=entering)
    assert entering.book.written[8:] == [("s0", 3)]
    # Another gradebook, or one made anew, gets everything.
    other = engine.Entering(Book(), "there")
    grade(submissions, release, ResultsStore(store.folder), entering=other)
    assert sorted(other.book.written) == [("s0", 3), *[(f"s{i}", i % 4) for i in range(1, 8)]]


def test_what_a_gradebook_refused_is_kept_and_entered_by_the_next_run(submissions, release, store):
    entering = engine.Entering(Book(), "here")
    entering.book.broken = True
    assert grade(submissions, release, store, entering=entering) == EVERYBODY
    assert entering.failures == {"the gradebook is locked": 8}
    again = engine.Entering(entering.book, "here")
    again.book.broken = False
    assert grade(submissions, release, store, entering=again) == []
    assert len(again.book.written) == 8
    assert again.failures == {}


def test_a_submission_exchanged_after_grading_is_not_entered(submissions, release, store):
    def exchanged(work):
        result = examine(work)
        if work.student == "s1":
            hand_in(submissions, "s1", 3)
        return result

    entering = engine.Entering(Book(), "here")
    grade(submissions, release, store, exchanged, entering=entering)
    assert "s1" not in dict(entering.book.written)
    assert grade(submissions, release, store, entering=entering) == ["s1"]
    assert dict(entering.book.written)["s1"] == 3
