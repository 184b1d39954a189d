"""The core: what answers earn, what is told, and that nothing one question does reaches another."""

import copy
import dataclasses
import json
import random

import numpy as np
import pytest

from grader.engine.core import grade
from grader.engine.errors import EngineError
from grader.engine.limits import Limits
from grader.engine.official import prepare
from grader.engine.release import OfficialCell, Release
from grader.engine.result import Outcome, Result
from grader.engine.submission import Submission, read_submission
from tests.grader.engine.conftest import SOLUTIONS, cell, notebook
from tests.grader.engine.fake_learner import FakeSession

LIMITS = Limits(cell=5.0, call=2.0, total=30.0)
FULL = {"windows-test-1": 1.0, "windows-test-2": 2.0, "total-test-1": 4.0, "halved-test-1": 8.0}


class Class:
    """Grades notebooks of the small module and keeps the sessions they had."""

    def __init__(self, release):
        self.release = release
        self.sessions = []

    def open_learner(self):
        self.sessions.append(FakeSession())
        return self.sessions[-1]

    def grade_data(self, data, limits=LIMITS):
        text = data if isinstance(data, bytes) else json.dumps(data).encode()
        result = grade(self.release, read_submission(text, "ann"), self.open_learner, limits, isolation="none")
        assert Result.from_json(result.to_json()) == result
        return result

    def grade(self, *extra, written=None, limits=LIMITS, **answers):
        data = notebook(self.release, SOLUTIONS | answers, written)
        data["cells"] += [cell("code", source) for source in extra]
        return self.grade_data(data, limits)


@pytest.fixture
def students(release):
    return Class(release)


def outcomes(result):
    return {each.cell: each.outcome.value for each in result.cells}


def of(result, name):
    return next(each for each in result.cells if each.cell == name)


def lost(result):
    """Return the test cells that earned nothing."""
    return {each.cell for each in result.cells if not each.points}


# What answers earn.


def test_the_solution_earns_everything(students):
    result = students.grade(written={"why": "Because."})
    assert {each.cell: each.points for each in result.cells} == FULL
    assert (result.edits, result.notes, result.flags, result.isolation) == ((), (), (), "none")
    assert [name for name, _ in students.sessions[0].log] == ["setup-1", "windows", "setup-2", "total", "halved"]
    assert len(students.sessions) == 1
    assert [(a.cell, a.max_points, a.text, a.changed) for a in result.written] == [("why", 16.0, "Because.", True)]
    assert result.max_points == 31


def test_an_untouched_notebook_earns_nothing(students, release):
    result = students.grade_data(notebook(release, {}))
    assert {each.message for each in result.cells} == {f"`{name}` is not written yet." for name in release.exercises}
    assert set(outcomes(result).values()) == {"Failed"}
    assert not any(each.follow_through for each in result.cells)
    assert [(a.text, a.changed) for a in result.written] == [("", False)]
    assert result.flags == ()


def test_a_second_reply_that_comes_late_costs_nobody_else(students):
    result = students.grade(total="def total(sizes, kernel):\n    speak_again()\n    return -1")
    assert lost(result) == {"total-test-1"}
    assert result.flags == ()


def test_who_answers_its_own_question_twice_is_asked_anew_only_once(students):
    result = students.grade(
        windows="def windows(size, kernel, stride=1):\n    speak_again()\n    return (size - kernel) // stride + 1",
        total="def total(sizes, kernel):\n    return sum(size - kernel + 1 for size in sizes)",
    )
    assert lost(result) == {"windows-test-1", "windows-test-2"}
    assert "answers an earlier request" in " ".join(result.flags)
    assert len(students.sessions) <= 6


@pytest.mark.parametrize("text", ["", "  \n", "Your answer here.  \n"])
def test_a_blank_written_answer_is_none(students, text):
    assert not students.grade(written={"why": text}).written[0].changed


def test_a_known_mistake_is_told_its_reason(students):
    result = students.grade(windows="def windows(size, kernel, stride=1):\n    return (size - kernel) // stride")
    failed = of(result, "windows-test-1")
    assert failed.outcome is Outcome.Failed
    assert (failed.called, failed.expected, failed.got) == ("windows(7, 3)", "5", "4")
    assert (failed.mistake, failed.reason) == ("forgets_the_first", "The first window is missing.")
    assert "The first window is missing." in failed.message
    assert failed.message.endswith("The first window is missing."), "and not with points or hints"


def test_of_a_hidden_test_nothing_is_shown(students):
    ignores_stride = """
def windows(size, kernel, stride=1):
    if (size - kernel) % stride:
        raise ValueError
    return size - kernel + 1 if size != 7 or stride == 1 else 3
"""
    failed = of(students.grade(windows=ignores_stride), "windows-test-2")
    assert failed.hidden
    assert failed.message == (
        "A test that the notebook does not show failed. The answer is wrong. The stride is not used."
    )
    assert failed.mistake == "ignores_stride"
    assert "91" not in dataclasses.replace(failed, detail="", seconds=0.0).__repr__()
    assert "windows(91, 1, stride=3)" in failed.detail


def test_what_an_answer_raises(students):
    result = students.grade(
        windows="def windows(size, kernel, stride=1):\n    raise KeyError(f'size {size}')",
        halved="""
def halved(x):
    if x[0]:
        raise type(f"secret_{int(x[1])}", (Exception,), {})("about the hidden test")
    return x / 2
""",
    )
    visible, hidden = of(result, "windows-test-1"), of(result, "halved-test-1")
    assert (visible.outcome, hidden.outcome) == (Outcome.Raised, Outcome.Raised)
    assert "KeyError: 'size 7'" in visible.got
    assert hidden.message == "A test that the notebook does not show failed. It raised an exception."
    assert lost(result) == set(FULL)


def test_a_return_value_of_a_wrong_type(students):
    result = students.grade(windows="def windows(size, kernel, stride=1):\n    return object()")
    assert of(result, "windows-test-1").outcome is Outcome.BadReturnType


def test_what_is_defined_last_counts(students):
    result = students.grade("def halved(x):\n    return x * 2")
    assert of(result, "halved-test-1").mistake == "doubled"
    result = students.grade(SOLUTIONS["halved"], halved="def halved(x):\n    return x * 2")
    assert lost(result) == set()


def test_a_missing_answer(students, release):
    data = notebook(release)
    data["cells"] = [each for each in data["cells"] if each["id"] != "windows"]
    result = students.grade_data(data)
    assert outcomes(result) == {
        "windows-test-1": "Missing",
        "windows-test-2": "Missing",
        "total-test-1": "Raised",
        "halved-test-1": "Passed",
    }
    assert of(result, "windows-test-1").message == "`windows` is not defined in the notebook."
    assert of(result, "total-test-1").follow_through is Outcome.Passed


def test_a_cell_that_raises_is_told_and_the_rest_goes_on(students):
    result = students.grade("1 / 0", windows="def windows(size, kernel:\n    return 1")
    assert outcomes(result)["windows-test-1"] == "Missing"
    assert "Its cell raised SyntaxError" in of(result, "windows-test-1").message
    assert of(result, "halved-test-1").points == 8
    assert any(note.startswith("Your cell ") and "ZeroDivisionError" in note for note in result.notes)
    assert result.flags == ()


def test_cells_out_of_order(students):
    result = students.grade("offset = 1", windows="shift = offset - 1\n" + SOLUTIONS["windows"])
    assert lost(result) == set()
    assert result.notes == ()


def test_another_name_that_a_test_asks_for(release):
    test = OfficialCell(
        "both-test-1", "tests", True, "check(lambda: windows(7, 3) + halved(2)).gives(6)", "", 1.0, "windows", 1
    )
    cells = (*release.cells, test)
    students = Class(Release(release.module, cells, release.record))
    data = notebook(release)
    data["cells"] = [each for each in data["cells"] if each["id"] != "halved"]
    missing = of(students.grade_data(data), "both-test-1")
    assert missing.outcome is Outcome.Missing
    assert missing.message == "The test also needs `halved`, which is not defined in the notebook."


# Ends of a process.

ENDS = {"died": "Died", "memory": "OutOfMemory", "time": "TimedOut", "reply": "BadReturnType", "carry": "BadReturnType"}


@pytest.mark.parametrize("how", ENDS)
@pytest.mark.parametrize("size", [7, 4711])
def test_a_call_that_ends_its_process_costs_its_own_question(students, how, size):
    result = students.grade(
        windows=SOLUTIONS["windows"].replace("    if", f"    if size == {size}:\n        end('{how}')\n    if", 1)
    )
    first, second = of(result, "windows-test-1"), of(result, "windows-test-2")
    assert second.outcome == ENDS[how]
    assert second.hidden is (size == 4711)
    assert "4711" not in second.message
    assert first.outcome == (ENDS[how] if size == 7 else "Passed")
    assert of(result, "halved-test-1").points == 8
    assert len(students.sessions) > 1


@pytest.mark.parametrize("how", ENDS)
@pytest.mark.parametrize("first", [0, 1])
def test_a_process_that_ended_earns_nothing_whatever_came_back(students, how, first):
    # The argument of the last call begins with 1: after it nothing is asked that would notice.
    body = (
        f"    try:\n        x[0] == {first} and end('{how}')\n    except BaseException:\n        pass\n    return x / 2"
    )
    result = students.grade(halved="def halved(x):\n" + body)
    assert outcomes(result) == dict.fromkeys(FULL, "Passed") | {"halved-test-1": ENDS[how]}


def test_proxies_of_a_process_that_ended_are_made_anew(students):
    # The hidden part of `windows` ends the process; that of `halved` goes on from what its visible part made.
    kept = """
class Half:
    def __init__(self, x):
        self.x = x
    def __array__(self, dtype=None, copy=None):
        return self.x
def halved(x):
    return x / 2
"""
    result = students.grade(
        windows=SOLUTIONS["windows"].replace("    if", "    if size == 91:\n        end('died')\n    if", 1),
        halved=kept,
    )
    assert lost(result) == {"windows-test-2"}
    assert len(students.sessions) == 2


@pytest.mark.parametrize("how", ENDS)
def test_a_cell_that_ends_its_process_is_left_out(students, how):
    result = students.grade(f"end('{how}')", "later = 1")
    assert lost(result) == set()
    assert len(result.notes) == 1
    assert "was left out" in result.notes[0]
    assert ("later = 1" in [source for _, source in students.sessions[-1].log]) is True


def test_an_answers_cell_that_ends_its_process(students):
    result = students.grade(windows="end('time')\n" + SOLUTIONS["windows"])
    assert of(result, "windows-test-1").outcome is Outcome.TimedOut
    assert of(result, "windows-test-1").message.startswith("The cell of `windows` itself")
    assert of(result, "halved-test-1").points == 8


def test_a_test_that_does_not_end_costs_its_own_question(students):
    slow = "import time\ndef windows(size, kernel, stride=1):\n    time.sleep(9)"
    result = students.grade(windows=slow, limits=Limits(cell=0.2, total=30.0))
    assert outcomes(result)["windows-test-1"] == outcomes(result)["total-test-1"] == "TimedOut"
    assert of(result, "windows-test-1").message == "The test did not end within 0.2 s."
    assert of(result, "halved-test-1").points == 8


def test_an_exercise_that_ends_processes_comes_last(students):
    slow = "import time\ndef windows(size, kernel, stride=1):\n    time.sleep(0.4 if size == 7 else 0)\n    end('time')"
    result = students.grade(windows=slow, limits=Limits(cell=5.0, total=0.7))
    assert outcomes(result)["windows-test-2"] == "TimedOut"
    assert of(result, "halved-test-1").points == 8, "its turn came before the time was over"


def test_when_the_time_for_the_notebook_is_over(students):
    slow = "import time\ndef halved(x):\n    time.sleep(9)"
    result = students.grade(halved=slow, limits=Limits(cell=5.0, total=0.4))
    assert of(result, "halved-test-1").message == "The time for the whole notebook, 0.4 s, was over."
    assert outcomes(result)["windows-test-1"] == "Passed"


# The grader's own troubles.


def test_when_no_process_can_be_had(release):
    asked = []

    def refuse():
        asked.append(1)
        raise EngineError("the zygote died twice")

    result = grade(release, read_submission(json.dumps(notebook(release)).encode(), "ann"), refuse, LIMITS)
    assert set(outcomes(result).values()) == {"EngineError"}
    assert result.points == 0
    assert len(asked) == 1
    assert "the zygote died twice" in result.flags[0]
    assert "zygote" not in result.cells[0].message


def test_a_fault_of_the_engine_is_no_fault_of_the_answer(students, monkeypatch):
    monkeypatch.setattr(FakeSession, "names", lambda self: 1 / 0)
    result = students.grade()
    assert set(outcomes(result).values()) == {"EngineError"}
    assert result.points == 0
    assert len(result.flags) == len(FULL)


def test_fewer_checks_than_the_solution_runs_earn_nothing(release):
    cells = tuple(dataclasses.replace(c, checks=c.checks + (c.id == "total-test-1")) for c in release.cells)
    result = Class(Release(release.module, cells, release.record)).grade()
    assert lost(result) == {"total-test-1"}
    assert result.flags == ("total-test-1: 2 checks ran where the official solution runs 3; it earned nothing",)


def test_what_a_test_cannot_use_is_flagged(students):
    twice = "seen = []\ndef halved(x):\n    seen.append(1)\n    return x / 2 if len(seen) == 1 else {}"
    result = students.grade(halved=twice)
    failed = of(result, "halved-test-1")
    assert failed.outcome is Outcome.Failed
    assert failed.hidden
    assert failed.message.startswith("A test that the notebook does not show failed.")
    assert len(result.flags) == 1


# What stays on this side.


def test_a_submission_cannot_change_what_tests_use(students, release):
    changes = "def halved(x):\n    y = x / 2\n    x[:] = 99\n    return y"
    result = students.grade(halved=changes, limits=LIMITS)
    assert of(result, "halved-test-1").points == 0
    redefines = "check = None\nnp = None\nnumbers = [1]\nclass lesson: pass"
    assert students.grade(redefines).points == 15
    assert prepare(release)._data["numbers"].tolist() == [0, 1, 2, 3]


def test_before_a_message_is_written_no_hidden_argument_was_seen(students):
    tells = """
seen = []
def windows(size, kernel, stride=1):
    seen.append(size)
    if (size - kernel) % stride:
        raise ValueError
    return (size - kernel) // stride + 1
"""
    result = students.grade(windows=tells, total="def total(sizes, kernel):\n    raise RuntimeError(str(seen))")
    assert of(result, "windows-test-2").points == 2
    told = of(result, "total-test-1")
    assert "RuntimeError: [7, 7" in told.message
    assert "4711" not in result.to_json()


def test_random_numbers_are_the_same_every_time(students):
    noisy = "import numpy as np\ndef halved(x):\n    return x / 2 + np.random.normal(size=4)"
    one, two = (of(students.grade(halved=noisy), "halved-test-1") for _ in range(2))
    np.random.seed(77)
    assert one.got == two.got == of(students.grade(halved=noisy), "halved-test-1").got


def test_the_callers_random_numbers_are_left_alone(students):
    np.random.seed(5)
    expected = np.random.rand(2).tolist()
    np.random.seed(5)
    first = np.random.rand()
    state = np.random.get_state()[1].copy()
    students.grade()
    assert (np.random.get_state()[1] == state).all()
    assert [first, np.random.rand()] == expected


# Follow-through.

WRONG_WINDOWS = "def windows(size, kernel, stride=1):\n    return (size - kernel) // stride"


def test_an_answer_that_failed_because_of_an_earlier_one(students):
    result = students.grade(windows=WRONG_WINDOWS)
    total = of(result, "total-test-1")
    assert (total.outcome, total.points, total.follow_through) == (Outcome.Failed, 0.0, Outcome.Passed)
    assert of(result, "windows-test-1").follow_through is None


def test_an_answer_that_is_wrong_by_itself(students):
    result = students.grade(
        windows=WRONG_WINDOWS, total="def total(sizes, kernel):\n    return windows(sizes[0], kernel)"
    )
    assert of(result, "total-test-1").follow_through is Outcome.Failed


def test_where_nothing_earlier_is_used_nothing_is_tried(students):
    result = students.grade(windows=WRONG_WINDOWS, halved="def halved(x):\n    return x * 2")
    assert of(result, "halved-test-1").follow_through is None
    assert len(students.sessions) == 2, "one for the answers, one for `total`"


def test_the_learners_later_definition_does_not_undo_it(students):
    result = students.grade(WRONG_WINDOWS)
    assert of(result, "total-test-1").follow_through is Outcome.Passed


def test_the_official_solution_enters_no_process_that_counts(students, release):
    students.grade(windows=WRONG_WINDOWS)
    official = release.by_id["windows"].source
    holds = [any(source == official for _, source in session.log) for session in students.sessions]
    assert holds == [False, True]
    tests = [cell.source for cell in release.having("tests")]
    assert not any(source in tests for session in students.sessions for _, source in session.log)


# What cannot be read, and notebooks damaged at random.


@pytest.mark.parametrize("data", [b"", b"\x00\x01", b"{}", json.dumps({"cells": []}).encode()])
def test_what_cannot_be_read(students, data):
    result = students.grade_data(data)
    assert set(outcomes(result).values()) == {"Unreadable"}
    assert len({each.message for each in result.cells}) == 1
    assert result.flags == (result.cells[0].message,)
    assert students.sessions == []


def test_a_problem_found_while_looking_for_it(release):
    result = grade(release, Submission("ann", problem="there is no notebook in the folder"), FakeSession, LIMITS)
    assert result.cells[0].message == "there is no notebook in the folder"
    assert [a.changed for a in result.written] == [False]


WRONG = {
    "windows": WRONG_WINDOWS,
    "total": "def total(sizes, kernel):\n    return 0",
    "halved": "def halved(x):\n    raise ValueError",
}


def damage(data, rng):
    """Do one thing to a notebook that accidents, tools and cheats do."""
    cells = data["cells"]
    if not cells:
        return
    one, other = rng.choice(cells), rng.choice(cells)
    marks = one["metadata"].get("nbgrader") if isinstance(one.get("metadata"), dict) else None
    place = rng.randrange(len(cells) + 1)
    match rng.randrange(16):
        case 0:
            cells.remove(one)
        case 1:
            cells.insert(place, copy.deepcopy(one))
        case 2:
            cells.remove(one)
            cells.insert(place, one)
        case 3:
            rng.shuffle(cells)
        case 4:
            one["metadata"] = rng.choice([{}, {"nbgrader": {}}, {"nbgrader": 7}, [], {"tags": ["skip-execution"]}])
        case 5:
            one.pop("id", None)
        case 6 if isinstance(marks, dict):
            marks["points"] = rng.choice([1000, -3, "many", None, float("inf")])
        case 7 if isinstance(marks, dict):
            marks |= {"grade": False, "solution": True, "locked": False}
        case 8:
            one["cell_type"] = rng.choice(["code", "markdown", "raw", "heading", 3])
        case 9:
            one["source"], other["source"] = other.get("source", ""), one.get("source", "")
        case 10:
            one["metadata"], other["metadata"] = other.get("metadata", {}), one.get("metadata", {})
            one["id"], other["id"] = other.get("id", "a"), one.get("id", "b")
        case 11:
            one["source"] = rng.choice([None, 7, [], [None], "", "\x00", "def (", "x = 1", "%matplotlib inline"])
        case 12:
            one["source"] = "".join(one.get("source") or "")[: rng.randrange(200)] if one.get("source") != 7 else ""
        case 13:
            cells.insert(
                place, cell("code", rng.choice(["1 / 0", "end('died')", "check = None", "import sys", "%pip"]))
            )
        case 14:
            cells.insert(place, rng.choice([None, 3, [], {}, {"cell_type": "code"}]))
            cells[:] = [each for each in cells if isinstance(each, dict)]
        case _:
            one["outputs"] = rng.choice([None, [{"output_type": "stream", "text": "✓" * 1000}], 3])


@pytest.mark.parametrize("seed", range(300))
def test_damage_never_crashes_and_never_pays(students, release, seed):
    rng = random.Random(seed)
    answers = {name: rng.choice([SOLUTIONS, WRONG])[name] for name in SOLUTIONS if rng.random() < 0.9}
    data = notebook(release, answers)
    deserved = {each.cell for each in students.grade_data(data).cells if each.points}
    for _ in range(rng.randrange(1, 8)):
        damage(data, rng)
    text = json.dumps(data, ensure_ascii=False).encode("utf-8", "surrogatepass")
    if rng.random() < 0.05:
        text = text[: rng.randrange(len(text))]
    result = students.grade_data(text)
    assert [each.cell for each in result.cells] == list(FULL)
    assert {each.cell for each in result.cells if each.points} <= deserved
    assert "EngineError" not in outcomes(result).values()
