"""What attacks found: each test here fails without the line of the engine that stopped one of them."""

import itertools
import json
import os

import numpy as np
import pytest

from grader.engine import core, pool
from grader.engine.core import grade
from grader.engine.limits import Limits
from grader.engine.proxy import NotPlainData
from grader.engine.randomness import GlobalStates
from grader.engine.release import make_release
from grader.engine.result import Outcome
from grader.engine.submission import read_submission
from grader.engine.wire import is_plain
from tests.grader.conftest import make_course
from tests.grader.engine.conftest import NOTEBOOK, SOLUTIONS, notebook
from tests.grader.engine.fake_learner import FakeSession
from tests.grader.engine.learners import open_session

CELLS = """
import numpy as np


class Please:
    total = 3.0

    def __eq__(self, other):
        return True

    def __lt__(self, other):
        return True

    def __sub__(self, other):
        return 0.0

    __rsub__ = __sub__

    def __float__(self):
        return 4.0

    def __bool__(self):
        return True

    def __len__(self):
        return 4

    def __iter__(self):
        return iter([1, 2])


def please():
    return Please()


def adder(n):
    return lambda x: x + n


def overwrite(f):
    values = [cell.cell_contents for cell in f.__closure__]
    for value in values:
        value[0] = 99
    return f(0)


def stops(x):
    if x > 1:
        raise StopIteration
    return True


def matrix():
    return np.asmatrix([[1.0, 2.0]])


def named():
    f = lambda: 1
    f.__name__ = "x" * 100_000
    return f
"""


@pytest.fixture(scope="module")
def session():
    session = open_session()
    assert session.run_cell(CELLS, "cells") == ""
    yield session
    session.close()


@pytest.fixture
def strict(session):
    session.instances = False
    yield session
    session.instances = True


def test_an_object_is_asked_nothing_where_plain_data_is_due(strict):
    answer = strict.get("please")()
    assert (answer == 4.0) is False
    assert answer != 4.0
    questions = [
        lambda: answer < 1,
        lambda: answer < 1,
        lambda: answer - 4.0,
        lambda: np.zeros(2) - answer,
        lambda: float(answer),
        lambda: bool(answer),
        lambda: len(answer),
        lambda: answer.total,
        lambda: setattr(answer, "total", 4.0),
    ]
    for question in questions:
        with pytest.raises(NotPlainData, match="object of the class Please"):
            question()


def test_functions_and_iterators_serve_where_plain_data_is_due(strict):
    assert strict.get("adder")(2)(3) == 5
    assert list(strict.get("please")()) == [1, 2]
    assert strict.get("adder").__name__ == "adder"
    assert strict.alive


def test_an_object_is_asked_where_the_tests_expect_one(session):
    answer = session.get("please")()
    assert answer == 4.0
    assert answer.total == 3.0
    assert answer < 1


def test_what_a_test_function_only_reads_is_out_of_reach(session):
    expected, seen = np.array([1.0, 2.0]), [5]

    def reads(x):
        return float(expected[0]) + seen[0] + x

    assert session.get("overwrite")(reads) == 198.0
    assert expected.tolist() == [1.0, 2.0]
    assert seen == [5]


@pytest.mark.parametrize("kind", ["items", "method", "inner"])
def test_what_a_test_function_writes_is_written(session, kind):
    seen = [5]

    def items(x):
        seen[0] = 7

    def method(x):
        seen.append(7)

    def inner(x):
        return [seen.append(n) for n in (1, 2)]

    session.get("overwrite")({"items": items, "method": method, "inner": inner}[kind])
    assert seen == {"items": [7], "method": [99, 7], "inner": [99, 1, 2]}[kind]


def test_a_call_cannot_end_a_loop_of_the_test(session):
    with pytest.raises(RuntimeError, match="StopIteration was raised") as caught:
        all(map(session.get("stops"), itertools.count()))
    assert "in stops" in caught.value.learner_traceback


def test_long_names_do_not_break_the_protocol(session):
    assert len(session.get("named")().__name__) == 200
    assert session.get("matrix")().tolist() == [[1.0, 2.0]]


def test_a_learner_without_torch_is_not_given_its_random_numbers(monkeypatch):
    import sys

    states = GlobalStates()
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    states.take({"torch": b"never read"})


def test_plain_data_is_what_travels_by_value():
    assert is_plain([1, "a", {"b": (np.zeros(2), None)}])
    assert not is_plain([object()])
    assert not is_plain({"a": lambda: 1})


def test_a_release_knows_which_tests_meet_objects(tmp_path):
    plain = make_release(make_course(tmp_path / "plain"), "01_windows")
    assert [cell.instances for cell in plain.having("tests")] == [False, False]
    lines = NOTEBOOK.split("\n")
    at = lines.index("def halved(x):")
    lines[at:at] = ["class Half(float):", "    pass", "", ""]
    objects = "\n".join(lines).replace("    return x / 2\n", "    return Half(1.0) and x / 2\n")
    objects = objects.replace("half = halved(numbers)", "half = halved(numbers)\nassert Half(1.0) == 1.0")
    mistakes = '"""None."""\n\nhints = {}\n'
    mixed = make_release(make_course(tmp_path / "mixed", objects, mistakes), "01_windows")
    assert {cell.exercise: cell.instances for cell in mixed.having("tests")} == {
        "windows": False,
        "total": False,
        "halved": True,
    }


def test_what_cells_raised_later_is_not_told(release):
    """A later process may know what an earlier one met in a hidden test, by the clock say."""
    runs = []

    class Talking(FakeSession):
        def __init__(self):
            super().__init__()
            runs.append(self)
            self.namespace["run"] = len(runs)

    dies = "def windows(size, kernel, stride=1):\n    if size > 90:\n        end('died')\n"
    right = "\n".join(SOLUTIONS["windows"].splitlines()[1:])
    data = notebook(release, SOLUTIONS | {"windows": dies + right})
    data["cells"].append({"cell_type": "code", "metadata": {}, "source": "raise ValueError(f'run {run}')"})
    result = grade(release, read_submission(json.dumps(data).encode(), "ann"), Talking, Limits())
    assert len(runs) > 1
    assert "run 1" in " ".join(result.notes)
    assert "run 2" not in result.to_json()


def test_an_official_cell_that_ends_the_process_is_flagged(release):
    class Ending(FakeSession):
        def run_cell(self, source, name):
            if name.startswith("setup"):
                self.end("died")
            return super().run_cell(source, name)

    result = grade(release, read_submission(json.dumps(notebook(release)).encode(), "ann"), Ending, Limits())
    assert any("the official cell setup-1 was left out" in flag for flag in result.flags)
    assert not any("left out" in note for note in result.notes)


def test_an_examiner_that_was_cut_short_grades_nothing_more():
    def examine(task):
        if task in (1, 4):
            pool.retire()
        return str(os.getpid())

    pids = [reply for _, reply in pool.examine_all(list(range(6)), examine, jobs=1, patience=60.0)]
    assert [len(list(same)) for _, same in itertools.groupby(pids)] == [2, 3, 1]


def test_an_alarm_is_noted(release):
    core.cut_short.clear()

    class Slow(FakeSession):
        def _proxy(self, name, function):
            def call(*args, **kwargs):
                while True:
                    pass

            return call

    limits = Limits(cell=0.2, total=1.0)
    result = grade(release, read_submission(json.dumps(notebook(release)).encode(), "ann"), Slow, limits)
    assert {cell.outcome for cell in result.cells} == {Outcome.TimedOut}
    assert core.cut_short.is_set()
    core.cut_short.clear()
