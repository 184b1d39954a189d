"""Notebooks damaged at random: no crash, no point that no answer deserves, and every edit is told."""

import copy
import json
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.engine.core import grade
from grader.engine.limits import Limits
from grader.engine.put_back import put_back
from grader.engine.release import same_text
from grader.engine.result import Outcome, Result
from grader.engine.submission import read_submission
from tests.grader.engine.conftest import SOLUTIONS, cell, notebook
from tests.grader.engine.fake_learner import FakeSession

LIMITS = Limits(cell=5.0, call=2.0, total=30.0)
#: Wrong in a way that no small change of the text makes right.
WRONG = {
    "windows": "def windows(size, kernel, stride=1):\n    return 'many'\n",
    "total": "def total(sizes, kernel):\n    return 'many'\n",
    "halved": "def halved(x):\n    return 'some'\n",
}
#: What a cell of the course may be overwritten with: none of it helps an answer.
HARMLESS = ["", "x = 1", "assert True", "# my notes", "points = 1_000", "This is no Python.", "%matplotlib inline"]
#: What may break answers too.
HARMFUL = ["lesson = check = None", "del windows", "raise KeyError", "windows = total = None", "def numbers(): ..."]

#: The same examples every time; the class of each is small, so the small module is graded some thousand times a minute.
steady = settings(derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))


def graded(release, data):
    """Grade a notebook, given as bytes or as JSON data, with a learner's process that is none."""
    text = data if isinstance(data, bytes) else json.dumps(data).encode()
    result = grade(release, read_submission(text, "ann"), FakeSession, LIMITS, isolation="none")
    assert Result.from_json(result.to_json()) == result
    assert [each.cell for each in result.cells] == [official.id for official in release.having("tests")]
    assert not any(each.outcome is Outcome.EngineError for each in result.cells), result.flags
    assert all("\n" not in line for line in (*result.edits, *result.flags))
    return result


def points(result):
    return {each.cell: each.points for each in result.cells}


@pytest.fixture(scope="module")
def deserved(release):
    """What each choice of right and wrong answers earns in a notebook that nobody damaged."""

    def look_up(answers):
        key = tuple(sorted(answers.items()))
        if key not in known:
            known[key] = points(graded(release, notebook(release, answers)))
        return known[key]

    known = {}
    assert sum(look_up(SOLUTIONS).values()) == 15
    assert sum(look_up(WRONG).values()) == 0
    return look_up


def no_more_than(earned, most):
    return all(earned[name] <= most[name] for name in most)


#: Each exercise is answered rightly, wrongly or not at all.
answer_sheets = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from([SOLUTIONS[name], WRONG[name]]) for name in SOLUTIONS}
)


# Cells dropped, doubled, moved, edited; ids, points and marks changed.


def marks_of(each):
    return each["metadata"].get("nbgrader", {})


class Vandal:
    """Does damage to a notebook, one deed after the other.

    Parameters
    ----------
    data : dict
        The notebook; changed in place.
    release : Release
        Its module.
    draw : callable
        Of hypothesis.
    gently : bool
        Spare what an answer needs: its text, and one way to tell whose it is.
    """

    def __init__(self, data, release, draw, *, gently):
        self.cells = data["cells"]
        self.release = release
        self.draw = draw
        self.gently = gently

    def damage(self):
        for _ in range(self.draw(st.integers(1, 6))):
            if self.cells:
                deed = self.draw(st.sampled_from(["drop", "double", "move", "edit", "name", "points", "mark", "kind"]))
                getattr(self, deed)(self.draw(st.integers(0, len(self.cells) - 1)))

    def spared(self, number):
        return self.gently and self.cells[number]["source"] in [
            text.splitlines(keepends=True) for text in SOLUTIONS.values()
        ]

    def drop(self, number):
        if not self.spared(number):
            del self.cells[number]

    def double(self, number):
        self.cells.insert(self.draw(st.integers(0, len(self.cells))), copy.deepcopy(self.cells[number]))

    def move(self, number):
        self.cells.insert(self.draw(st.integers(0, len(self.cells) - 1)), self.cells.pop(number))

    def edit(self, number):
        if not self.spared(number):
            texts = HARMLESS if self.gently else HARMLESS + HARMFUL
            self.cells[number]["source"] = self.draw(st.sampled_from(texts))

    def name(self, number):
        names = [*self.release.by_id, "", "another"]
        named = self.cells[number]
        if named["cell_type"] != "code" and self.spared(number):
            return  # neither its id nor its kind would tell
        named["id"] = self.draw(st.sampled_from(names))
        if self.draw(st.booleans()):
            named["metadata"] = {}
        elif "nbgrader" in named["metadata"]:
            named["metadata"]["nbgrader"]["grade_id"] = self.draw(st.sampled_from(names))

    def points(self, number):
        worth = st.sampled_from([0, -1, 1_000_000, 0.5, math.nan, math.inf, "many", None, 10**400, True])
        marks_of(self.cells[number])["points"] = self.draw(worth)

    def mark(self, number):
        key = self.draw(st.sampled_from(["grade", "solution", "locked", "task", "schema_version"]))
        marks_of(self.cells[number])[key] = self.draw(st.sampled_from([True, False, None, "yes", 7]))

    def kind(self, number):
        official = self.release.by_id.get(marks_of(self.cells[number]).get("grade_id"))
        if not self.spared(number) or (official is not None and official.role == "exercise"):
            self.cells[number]["cell_type"] = self.draw(st.sampled_from(["code", "markdown", "raw", "heading"]))


@settings(steady, max_examples=150)
@given(answers=answer_sheets, draw=st.data())
def test_no_damage_is_paid_for_and_every_edit_is_told(release, deserved, answers, draw):
    data = notebook(release, answers)
    Vandal(data, release, draw.draw, gently=False).damage()
    result = graded(release, data)
    assert no_more_than(points(result), deserved(answers))
    if not any(each.outcome is Outcome.Unreadable for each in result.cells):
        assert [told for told in expected_edits(release, data) if told not in "\n".join(result.edits)] == []


@settings(steady, max_examples=150)
@given(answers=answer_sheets, draw=st.data())
def test_damage_beside_the_answers_costs_nothing(release, deserved, answers, draw):
    """Setup, tests, prose, ids, order and marks are the course's: what happens to them is put right."""
    answers = {name: text for name, text in answers.items() if text == SOLUTIONS[name]}
    data = notebook(release, answers)
    Vandal(data, release, draw.draw, gently=True).damage()
    assert points(graded(release, data)) == deserved(answers)


def test_nothing_is_told_of_a_notebook_that_is_whole(release):
    assert list(expected_edits(release, notebook(release))) == []
    assert graded(release, notebook(release)).edits == ()


def expected_edits(release, data):
    """Yield what has to be told, found by comparing cell by cell with the release."""
    given = read_submission(json.dumps(data).encode(), "ann").cells
    owners = [release.by_id.get(one.mark) or same_in(release, one) for one in given]
    firsts = []
    for official in release.having("setup", "exercise", "tests", "answer"):
        mine = [number for number, owner in enumerate(owners) if owner is official]
        name = f"of {official.exercise}" if official.role == "exercise" else official.id
        if official.role == "answer":
            if mine:
                firsts.append(mine[0])
            else:
                yield f"The written answer {official.id} "
            continue
        if not mine:
            yield f"The cell {name} was deleted"
            continue
        firsts.append(mine[0])
        if len(mine) > 1:
            yield f"There is more than one cell {name}"
        if official.role == "exercise":
            continue
        if not same_text(given[mine[0]].source, official.visible):
            yield f"The cell {official.id} was edited"
        if any(given[number].points not in (None, official.points) for number in mine):
            yield f"The points of {official.id} were changed"
    if firsts != sorted(firsts):
        yield " was moved."


def same_in(release, one):
    if not one.source.strip():
        return None
    return next((o for o in release.cells if o.code == (one.kind == "code") and same_text(o.visible, one.source)), None)


# Anything anywhere in the JSON.

odd = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from([10**400, -1e308, "\ud800", "x" * 10_000, "code", "\0", "windows", "setup-1"])
    | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def places(value, path=()):
    """Yield the path of everything in JSON data but the data itself."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in entries:
        yield (*path, key)
        yield from places(inner, (*path, key))


def at(data, path):
    for key in path:
        data = data[key]
    return data


def change(data, draw):
    """Put something odd, or another part of the same notebook, in the place of anything; or take that out."""
    path = draw(st.sampled_from(list(places(data))))
    parent, key = at(data, path[:-1]), path[-1]
    deed = draw(st.sampled_from(["odd", "graft", "out", "rename"]))
    if deed == "odd":
        parent[key] = draw(odd)
    elif deed == "graft":
        parent[key] = copy.deepcopy(at(data, draw(st.sampled_from(list(places(data))))))
    elif deed == "out":
        del parent[key]
    elif isinstance(key, str):
        parent[draw(st.text(max_size=8))] = parent.pop(key)


@settings(steady, max_examples=150)
@given(answers=answer_sheets, draw=st.data())
def test_odd_types_anywhere_are_survived_and_not_paid_for(release, deserved, answers, draw):
    data = notebook(release, answers)
    data["cells"].insert(2, cell("code", "mine = 1", tags=["skip-execution"]))
    for _ in range(draw.draw(st.integers(1, 5))):
        if not isinstance(data, dict) or not data:
            break
        change(data, draw.draw)
    assert no_more_than(points(graded(release, data)), deserved(answers))


@settings(steady, max_examples=200)
@given(odd)
def test_any_json_at_all_is_told_in_one_line(value):
    submission = read_submission(json.dumps(value).encode(), "ann")
    assert submission.problem or submission.cells == ()
    assert "\n" not in submission.problem


# Bytes.


@settings(steady, max_examples=120)
@given(answers=answer_sheets, draw=st.data())
def test_bytes_lost_or_changed_are_not_paid_for(release, deserved, answers, draw):
    text = bytearray(json.dumps(notebook(release, answers), indent=1).encode())
    for _ in range(draw.draw(st.integers(0, 4))):
        text[draw.draw(st.integers(0, len(text) - 1))] = draw.draw(st.integers(0, 255))
    start, end = sorted(draw.draw(st.sampled_from([0, len(text)]) | st.integers(0, len(text))) for _ in range(2))
    assert no_more_than(points(graded(release, bytes(text[start:end]))), deserved(answers))


@settings(steady, max_examples=100)
@given(cut=st.floats(0, 1, exclude_max=True))
def test_a_notebook_cut_off_anywhere_is_told(release, cut):
    text = json.dumps(notebook(release)).encode()
    submission = read_submission(text[: int(len(text) * cut)], "ann")
    assert submission.problem
    assert put_back(release, submission).steps, "the official cells at least"
    result = graded(release, text[: int(len(text) * cut)])
    assert {each.outcome for each in result.cells} == {Outcome.Unreadable}
    assert result.flags == (submission.problem,)


@settings(steady, max_examples=120)
@given(
    answers=answer_sheets,
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-16-le", "utf-32", "utf-32-be"]),
    note=st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    newline=st.sampled_from(["\n", "\r\n"]),
)
def test_the_encoding_changes_no_score(release, deserved, answers, encoding, note, newline):
    data = notebook(release, answers)
    data["cells"].insert(0, cell("markdown", note))
    text = json.dumps(data, ensure_ascii=False, indent=1).replace("\n", newline)
    result = graded(release, text.encode(encoding))
    assert points(result) == deserved(answers)
    assert len(result.edits) == (encoding != "utf-8")


@settings(steady, max_examples=100)
@given(
    answers=answer_sheets,
    wrong=st.sampled_from(["latin-1", "cp1252", "cp037", "utf-16", "utf-7", "cp437"]),
    note=st.text(st.characters(max_codepoint=255), max_size=20),
)
def test_a_wrong_encoding_is_survived(release, deserved, answers, wrong, note):
    data = notebook(release, answers)
    data["cells"].insert(0, cell("markdown", note))
    text = json.dumps(data, ensure_ascii=False)
    for damaged in (text.encode(wrong, "replace"), text.encode().decode(wrong, "replace").encode("utf-8", "replace")):
        assert no_more_than(points(graded(release, damaged)), deserved(answers))
