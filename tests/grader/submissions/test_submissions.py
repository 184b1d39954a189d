"""Every submission of the suite gets the score it deserves, and nothing outside its process is touched.

The whole suite is graded twice by the real thing, zygote, sandbox, examiners and gradebook: what only tries to be paid
with the usual limits, what tries to take all time or memory with tight ones.
"""

import json
import sqlite3

import pytest

from tests.grader.submissions import suite
from tests.grader.submissions.assignments import HIDDEN, MODULES, SOLUTION, WRONG, right_answers
from tests.grader.submissions.odd import CLASSMATES_SECRET
from tests.grader.submissions.outside import CANARY

PLAIN, DEADLY = suite.pairs(deadly=False), suite.pairs(deadly=True)
#: Characters of one result: what is kept of a submission, whatever it prints, shows or raises.
LARGEST_RESULT = 60_000


def names(pairs):
    return [f"{profile}-{case.name}" for profile, case in pairs]


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return suite.grade(tmp_path_factory.mktemp("plain"), PLAIN)


@pytest.fixture(scope="module")
def deadly(tmp_path_factory):
    return suite.grade(tmp_path_factory.mktemp("deadly"), DEADLY, *suite.TIGHT)


@pytest.fixture(scope="module", params=["plain", "deadly"])
def graded(request):
    return request.getfixturevalue(request.param)


def assert_deserved(graded, profile, case):
    assert (profile, case.name) in graded.results, graded.said
    result = graded.results[profile, case.name]
    paid = {cell.cell: cell.points for cell in result.cells}
    deserved = case.deserves(graded.releases[profile])
    why = {cell.cell: (cell.outcome.value, cell.message, cell.detail) for cell in result.cells}
    assert paid == deserved, (case.why, why, result.notes, result.flags)
    if case.outcome:
        lost = {cell.outcome.value for cell in result.cells if not deserved[cell.cell]}
        assert lost == {case.outcome}, (why, result.flags)
    assert not any(cell.outcome.value == "EngineError" for cell in result.cells), (why, result.flags)


def shown_to_the_student(result):
    """Return every text of a result that may reach its student."""
    cells = [(c.message, c.called, c.expected, c.got, c.mistake, c.reason) for c in result.cells]
    return json.dumps([cells, result.notes, result.edits], ensure_ascii=False)


@pytest.mark.slow
class TestScores:
    """What each submission gets."""

    @pytest.mark.parametrize(("profile", "case"), PLAIN, ids=names(PLAIN))
    def test_gets_what_it_deserves(self, plain, profile, case):
        assert_deserved(plain, profile, case)

    @pytest.mark.parametrize(("profile", "case"), DEADLY, ids=names(DEADLY))
    def test_deadly_gets_what_it_deserves(self, deadly, profile, case):
        assert_deserved(deadly, profile, case)

    def test_all_scores_are_in_the_gradebook(self, plain):
        with sqlite3.connect(plain.course.root / "gradebook.db") as book:
            rows = book.execute(
                "SELECT submitted_assignment.student_id, assignment.name, SUM(grade.auto_score), "
                "MAX(grade.manual_score) "
                "FROM grade JOIN submitted_notebook ON submitted_notebook.id = grade.notebook_id "
                "JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id "
                "JOIN assignment ON assignment.id = submitted_assignment.assignment_id "
                "GROUP BY submitted_assignment.id"
            ).fetchall()
        students = {(profile, case.name): (case.folder, MODULES[profile]) for profile, case in PLAIN}
        kept = {students[key]: result.points for key, result in plain.results.items()}
        assert {(student, module): score for student, module, score, _ in rows} == kept
        assert not any(manual for *_, manual in rows)


@pytest.mark.slow
class TestSideEffects:
    """What lies outside a submission's process."""

    def test_no_file_outside_is_changed(self, graded):
        assert graded.changed == []
        assert suite.canaries() == []

    def test_nobody_is_called(self, graded):
        assert graded.callers == []

    def test_no_process_is_left(self, graded):
        assert graded.left_behind == 0, graded.said

    def test_no_secret_is_told(self, graded):
        for key, result in graded.results.items():
            # Flags and details are for staff and may speak of tests, but of nothing else.
            assert suite.SECRET not in result.to_json(), key
            assert SOLUTION not in result.to_json(), key
            assert CLASSMATES_SECRET not in result.to_json(), key
            assert "honest-right" not in shown_to_the_student(result) or key[1] == "honest-right", key

    @pytest.mark.parametrize("name", ["frames", "arguments-of-the-process", "garbage-collector", "environment"])
    @pytest.mark.parametrize("profile", MODULES)
    def test_no_path_is_told(self, plain, profile, name):
        assert str(plain.course.root.parent) not in plain.results[profile, name].to_json()

    def test_no_hidden_test_is_told(self, graded):
        for key, result in graded.results.items():
            text = shown_to_the_student(result)
            assert [word for word in HIDDEN if word in text] == [], key

    def test_what_is_kept_is_small(self, graded):
        sizes = {key: len(result.to_json()) for key, result in graded.results.items()}
        assert {key: size for key, size in sizes.items() if size > LARGEST_RESULT} == {}

    def test_pages_of_staff_are_inert(self, graded):
        pages = list((graded.course.root / "autograded").rglob("*.ipynb"))
        assert len(pages) > len(graded.results) / 2
        for page in pages:
            for cell in json.loads(page.read_text())["cells"]:
                source = "".join(cell["source"]).lower()
                if cell["cell_type"] != "code":
                    assert "<script" not in source, page
                    assert "](javascript" not in source, page
                # Outputs are text alone, which every renderer escapes.
                kinds = {output["output_type"] for output in cell.get("outputs", ())}
                assert kinds <= {"stream", "error"}, page
                assert "\x1b" not in json.dumps(cell.get("outputs", ())), page

    def test_attacks_that_tell_would_be_noticed(self, plain):
        """The submissions that tell hidden arguments do meet them: staff can read it, students cannot."""
        for profile, name in (("numpy", "tells-hidden-arguments"), ("torch", "tells-hidden-arguments-by-class")):
            details = " ".join(cell.detail for cell in plain.results[profile, name].cells)
            assert any(word in details for word in HIDDEN), name


def test_the_suite_is_as_large_as_it_says():
    by_name = {case.name for case in suite.CASES}
    assert len(by_name) == len(suite.CASES) >= 80
    assert len({(profile, case.folder) for profile, case in suite.pairs()}) == len(suite.pairs())
    assert sum(case.group == "this design" for case in suite.CASES) >= 25
    for case in suite.CASES:
        assert case.why.strip(), case.name
        assert CANARY not in case.name


def test_right_and_wrong_answers_are_complete():
    for profile in MODULES:
        assert right_answers(profile).keys() == WRONG[profile].keys()
        assert not any(SOLUTION in text for text in right_answers(profile).values())
