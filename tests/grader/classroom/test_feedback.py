"""Feedback pages: what they say, and what can never stand in them."""

import re
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from grader.classroom.feedback import LARGEST, page, write_pages
from grader.classroom.late import LatePolicy
from grader.classroom.roster import Roster, Student
from grader.classroom.scores import Score
from grader.course import CourseError
from grader.engine.release import make_release
from grader.engine.result import (
    ANSWER,
    CALL,
    ENTRIES,
    LINE,
    MESSAGE,
    VALUE,
    CellResult,
    Outcome,
    Result,
    WrittenAnswer,
)
from grader.gradebook import ManualGrade

MODULE = "01_windows"
HOSTILE = (
    '<script>document.title="owned"</script>',
    '"><img src=x onerror=alert(1)>',
    "</style><style>*{display:none}</style>",
    "<!-- <p>",
    "{{ 7*7 }}{% raw %}",
    "</pre></dd></main><h1>20 of 20",
    "[click](javascript:alert(1)) ![x](https://example.org/x.png)",
)


@pytest.fixture(scope="module")
def release(built_course):
    return make_release(built_course, MODULE)


def score(text="2.5", *, first=Outcome.Passed, second=Outcome.Failed, through=None, written=True, **fields):
    called = {"called": "windows(7, 3, stride=3)", "expected": "ValueError", "got": text, "reason": "You round `down`."}
    message = (
        "✗ windows(7, 3, stride=3)\n  expected ValueError\n  got      2.5\n  Nothing was raised.\n  (worth 2 points)"
    )
    cells = (
        CellResult("windows-test-1", "windows", 1.0 if first is Outcome.Passed else 0.0, 1.0, first),
        CellResult("windows-test-2", "windows", 0.0, 2.0, second, message, follow_through=through, **called),
    )
    answers = (WrittenAnswer("why", 2.0, text, written),)
    return Score(Result("ada", MODULE, "key", cells, answers), **fields)


def visible(html):
    """What a reader sees, in one line."""
    body = re.sub(r"<style>.*?</style>", "", html, flags=re.S)
    return " ".join(re.sub(r"<[^>]*>", " ", body).split())


def test_a_page_says_what_was_earned_and_what_went_wrong(release):
    text = visible(page(release, score(), Student("ada", "Ada Núñez")))
    assert "Feedback for Ada Núñez 01 Windows 1 of 5 points so far" in text
    assert "1 answer still waits for a person" in text
    assert "Check 2: not yet right 0 of 2 Nothing was raised. called windows(7, 3, stride=3)" in text
    assert "expected ValueError got 2.5 You round down . Read again:" in text
    assert "Exercise 1 · windows" in text
    assert "worth 2 points" not in text


def test_follow_through_leads_to_the_earlier_question_and_not_astray(release):
    text = visible(page(release, score(through=Outcome.Passed)))
    assert "the mistake lies there, not here" in text
    assert "You round" not in text
    assert "Read again" not in text


def test_what_a_person_said_and_gave(release):
    by_hand = {
        "why": ManualGrade(1.5, None, "Good *point*", False),
        "windows-test-2": ManualGrade(2.0, None, "ok", False),
    }
    html = page(release, score(by_hand=by_hand))
    assert "4.5 of 5 points" in visible(html)
    assert "Comment: Good point" in visible(html)
    assert "<em>point</em>" in html
    assert "so far" not in html


def test_being_late_is_told_with_both_times(release):
    zone = ZoneInfo("Europe/Berlin")
    due = datetime(2026, 3, 1, 18, tzinfo=zone)
    policy = LatePolicy(zone, percent_per_day=10, due={MODULE: due})
    late = policy.lateness("ada", MODULE, datetime(2026, 3, 2, 18, 30, tzinfo=UTC))
    text = visible(page(release, score(lateness=late, written=False)))
    assert "0.8 of 5 points" in text
    assert (
        "1 points earned, 0.2 lost: handed in 2 March 2026, 19:30, due 1 March 2026, 18:00 (2 days late, −20 %)" in text
    )
    intime = policy.lateness("ada", MODULE, datetime(2026, 3, 1, 17, 0, tzinfo=UTC))
    assert "Handed in 1 March 2026, 18:00, in time." in visible(page(release, score(lateness=intime)))


def test_all_right_is_said(release):
    done = score(second=Outcome.Passed, written=False)
    cells = tuple(replace(cell, points=cell.max_points) for cell in done.result.cells)
    grade = {"why": ManualGrade(2.0, None, None, False)}
    full = Score(replace(done.result, cells=cells), grade)
    assert "Everything is right." in visible(page(release, full))


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_a_student_wrote_becomes_markup(release, text):
    hostile = score(text, by_hand={"why": ManualGrade(1.0, None, text, False)})
    hostile = replace(hostile, result=replace(hostile.result, student=text, edits=(text,), notes=(text,)))
    html = page(release, hostile, Student("ada", text))
    clean = page(release, score(by_hand={"why": ManualGrade(1.0, None, "x", False)}), Student("ada", "x"))
    allowed = {"p", "em", "strong", "code", "pre", "h4", "ul", "li", "blockquote"}
    assert set(re.findall(r"<([a-z0-9]+)", html)) <= set(re.findall(r"<([a-z0-9]+)", clean)) | allowed
    assert len(re.findall(r"<style|<h1|</main>", html)) == 3
    assert "49" not in visible(html)
    assert not re.search(r"<[^>]*(?:javascript:|onerror|src=|https?:)", html)


def test_nothing_for_staff_stands_on_it(release):
    told = score()
    hidden = CellResult(
        "windows-test-2", "windows", 0.0, 2.0, Outcome.Failed, "A hidden check failed.", hidden=True, detail="SECRET 91"
    )
    html = page(
        release, replace(told, result=replace(told.result, cells=(told.result.cells[0], hidden), flags=("FLAG",)))
    )
    assert "A hidden check failed." in html
    assert "SECRET" not in html
    assert "FLAG" not in html
    for cell in release.cells:
        for first, last in cell.hidden:
            for line in cell.source.splitlines()[first:last]:
                assert line.strip() not in html


def test_the_largest_page_is_small(built_course):
    """Twenty checks and three answers, each as long as results keep them, in characters that escaping makes longest."""
    tests = tuple(
        replace(make_release(built_course, MODULE).by_id["windows-test-2"], id=f"windows-test-{n}", hidden=())
        for n in range(20)
    )
    release = make_release(built_course, MODULE)
    answers = tuple(replace(release.by_id["why"], id=f"why-{n}") for n in range(3))
    large = replace(release, cells=(*release.cells[:4], *tests, *answers))
    text = {"message": "&" * MESSAGE, "called": "&" * CALL, "expected": "&" * VALUE, "got": "&" * VALUE}
    cells = tuple(
        CellResult(cell.id, "windows", 0.0, 2.0, Outcome.Failed, reason="&" * MESSAGE, **text) for cell in tests
    )
    written = tuple(WrittenAnswer(cell.id, 2.0, "&" * ANSWER, True) for cell in answers)
    lines = tuple("&" * LINE + str(n) for n in range(ENTRIES))
    html = page(large, Score(Result("ada", MODULE, "key", cells, written, edits=lines, notes=lines)))
    assert html.count("not yet right") == 20
    assert len(html.encode()) <= LARGEST


def test_another_version_is_refused(release):
    told = score()
    other = replace(told, result=replace(told.result, cells=told.result.cells[:1]))
    with pytest.raises(CourseError, match="another version of 01_windows: run grader regrade"):
        page(release, other)


def test_pages_lie_where_nbgrader_looks_and_in_a_zip(tmp_path):
    pages = [(score(), "<p>one</p>")]
    archive = tmp_path / "back" / "feedback.zip"
    (path,) = write_pages(pages, tmp_path / "feedback", archive=archive)
    assert path == tmp_path / "feedback" / "ada" / MODULE / f"{MODULE}.html"
    assert path.read_text() == "<p>one</p>"
    assert zipfile.ZipFile(archive).namelist() == [f"ada_{MODULE}.html"]
    roster = Roster(tmp_path, (Student("ada", "Ada_Núñez/Peña", moodle_id="5551"),))
    list(write_pages(pages, tmp_path / "feedback", archive=archive, roster=roster))
    assert zipfile.ZipFile(archive).namelist() == [f"Ada Núñez Peña_5551_assignsubmission_file_/{MODULE}.html"]


def test_what_cannot_be_written_is_told_and_leaves_no_half_zip(tmp_path):
    (tmp_path / "feedback").write_text("a file in the way")
    with pytest.raises(CourseError, match="cannot be written"):
        list(write_pages([(score(), "x")], tmp_path / "feedback", archive=tmp_path / "all.zip"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["feedback"]
