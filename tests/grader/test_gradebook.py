"""One writer of nbgrader's gradebook: what it enters is what nbgrader would, and people's scores survive it."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from grader import gradebook as writer
from grader.autograded import LARGEST, inert
from grader.build import build_module
from grader.build.recording import Workbench
from grader.build.text import read_text_notebook
from grader.cli import main
from grader.course import Course, CourseError
from grader.demo import make_demo
from grader.engine.result import CellResult, Outcome, Result, WrittenAnswer
from grader.engine.submission import read_submission
from grader.gradebook import ManualGrade, open_gradebook, read_manual_scores
from tests.grader.small_class import ANSWER, SMALL, WRITTEN, ClassOf, result_of, student_notebook

ROOT = Path(__file__).resolve().parents[2]
LARGE = "05_convolution_arithmetic"


# The same as nbgrader.


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    course = Course(tmp_path_factory.mktemp("large"))
    shutil.copytree(ROOT / "solutions" / LARGE, course.solutions / LARGE)
    shutil.copyfile(ROOT / "nbgrader_config.py", course.root / "nbgrader_config.py")
    build_module(course, LARGE)
    return ClassOf(course, module=LARGE)


def official(course, module):
    notebook = json.loads((course.source / module / f"{module}.ipynb").read_text())
    return {cell["id"]: cell["source"] for cell in notebook["cells"] if cell["metadata"]["nbgrader"]["solution"]}


def points_in_process(course, release, sources):
    """Points of answers by running them in this process: what an honest submission deserves."""
    home = course.solutions / release.module
    bench = Workbench(read_text_notebook(home / "notebook.py"), home)
    for cell in release.having("exercise"):
        exec(sources.get(cell.id, cell.visible), bench.namespace)
    points = {}
    for cell in bench.notebook.cells:
        if cell.role == "tests":
            passed = bench.run_tests(cell) is None
            points[bench.ids[id(cell)]] = cell.points if passed else 0.0
    return points


@pytest.mark.slow
def test_nbgrader_shows_the_same_as_after_its_own_autograde(large):
    """Solution, untouched notebook, one mistake: every value of every row but the ids."""
    from grader.nbgrader_api import open_api, run_step

    course, release = large.course, large.release
    solution = {name: "".join(source) for name, source in official(course, LARGE).items()}
    mistaken = "def dilated_extent(kernel, dilation=1):\n    return kernel * dilation\n"
    with large.nbgrader() as gradebook:
        gradebook.update_or_create_assignment(LARGE, duedate="2026-03-01 12:00:00 UTC")
    api = open_api(course.root / "nbgrader_config.py", course.root)
    scores = []
    for name, sources in {
        "solution": solution,
        "stub": {},
        "mistake": solution | {"dilated_extent": mistaken},
    }.items():
        data = student_notebook(course, LARGE, **sources)
        points = points_in_process(course, release, sources)
        for student in (name, f"our-{name}"):
            folder = course.root / "submitted" / student / LARGE
            folder.mkdir(parents=True)
            (folder / f"{LARGE}.ipynb").write_bytes(data)
            (folder / "timestamp.txt").write_text("2026-03-01 13:00:00.5 UTC\n")
        run_step(api.autograde(LARGE, name), name)
        submission = read_submission(data, f"our-{name}")
        with open_gradebook(course) as gradebook:
            result = result_of(release, submission, points)
            gradebook.write(release, result, submission)
        stock, ours = large.seen(name), large.seen(f"our-{name}")
        assert ours == stock
        assert ours["submission"]["seconds late"] == 3600.5
        assert ours["submission"]["score"] == ours["notebook"]["score"] == result.points
        assert {cell.cell: cell.points for cell in result.cells}.items() <= {
            name: grade["score"] for name, grade in ours["grades"].items()
        }.items()
        scores.append(result.points)
        # formgrader lists both as graded.
        assert {name, f"our-{name}"} <= api.get_autograded_students(LARGE)
    assert scores[0] == sum(cell.points for cell in release.having("tests"))
    assert scores[1] == 0 < scores[2] < scores[0]


def test_the_schema_is_nbgraders():
    import nbgrader.api
    import sqlalchemy as sa
    from nbgrader.api import Base

    from grader.nbgrader_api import open_api

    open_api(ROOT / "nbgrader_config.py", ROOT)
    assert nbgrader.api.get_alembic_version() == writer.REVISION
    for table in writer.TABLES:
        if table.name == "alembic_version":
            continue
        theirs = Base.metadata.tables[table.name].columns
        for column in table.columns:
            assert isinstance(theirs[column.name].type, type(column.type)), (table.name, column.name)
        required = {c.name for c in theirs if not c.nullable and not isinstance(c.type, sa.Enum)}
        if table.name in ("student", "submitted_assignment", "submitted_notebook", "grade", "comment"):
            assert required <= {c.name for c in table.columns}


# What is entered.


def test_a_written_answer_waits_for_a_person(small):
    small.write("ada", {"windows-test-1": 1.0})
    seen = small.seen("ada")
    assert seen["submission"]["score"] == 1
    assert seen["submission"]["needs_manual_grade"]
    assert seen["notebook"]["failed_tests"]
    assert seen["notebook"]["flagged"] is False
    grades = {name: (g["auto_score"], g["needs_manual_grade"]) for name, g in seen["grades"].items()}
    assert grades == {"windows-test-1": (1.0, False), "windows-test-2": (0.0, False), "why": (None, True)}
    assert {c["auto_comment"] for c in seen["comments"].values()} == {None}


def test_an_untouched_notebook_waits_for_nobody(small):
    small.write("bob", {}, sources={})
    seen = small.seen("bob")
    assert (seen["submission"]["score"], seen["submission"]["needs_manual_grade"]) == (0, False)
    assert seen["grades"]["why"]["auto_score"] == 0
    assert {name: c["auto_comment"] for name, c in seen["comments"].items()} == {
        "windows": "No response.",
        "why": "No response.",
    }


def test_nothing_handed_in_scores_zero(small):
    cells = tuple(
        CellResult(cell.id, cell.exercise, 0.0, cell.points, Outcome.Missing) for cell in small.release.having("tests")
    )
    result = Result("eve", SMALL, "", cells, (WrittenAnswer("why", 2.0, "", False),))
    with open_gradebook(small.course) as gradebook:
        gradebook.write(small.release, result)
    assert small.seen("eve")["submission"]["score"] == 0
    assert small.shown("eve")["windows"]["source"] == "# This cell is not in the submission."


def test_a_failure_of_the_grader_waits_for_a_person(small):
    small.write("ada", {}, outcome=Outcome.EngineError)
    assert small.seen("ada")["grades"]["windows-test-1"]["needs_manual_grade"]


def test_a_flag_is_raised_once_a_file(small):
    small.write("ada", flags=("Its answers are those of bob.",))
    assert small.seen("ada")["notebook"]["flagged"]
    with small.nbgrader() as gradebook:
        gradebook.find_submission_notebook(SMALL, SMALL, "ada").flagged = False
        gradebook.db.commit()
    small.write("ada", flags=("Its answers are those of bob.",))
    assert not small.seen("ada")["notebook"]["flagged"]
    small.write("ada", sources={"windows": ANSWER + "# more"}, flags=("Its answers are those of bob.",))
    assert small.seen("ada")["notebook"]["flagged"]
    # Flags are for staff; the notebook may become feedback.
    assert "bob" not in small.autograded("ada").read_text()


def test_writing_again_changes_no_row(small):
    def rows():
        with closing(sqlite3.connect(small.course.root / "gradebook.db")) as database:
            return list(database.iterdump())

    small.write("ada", {"windows-test-1": 1.0})
    before = rows()
    small.write("ada", {"windows-test-1": 1.0})
    assert rows() == before
    small.write("ada", {"windows-test-2": 2.0})
    assert small.seen("ada")["submission"]["score"] == 2


def test_a_submission_is_one_commit_whatever_it_changes(small):
    from sqlalchemy import event

    commits = []
    with open_gradebook(small.course) as gradebook:
        for points in ({}, None):
            submission = read_submission(student_notebook(small.course, SMALL, windows=ANSWER), "ada")
            result = result_of(small.release, submission, points)
            gradebook.write(small.release, result, submission)
            if not commits:  # what reading the module commits does not count
                event.listen(gradebook._engine, "commit", commits.append)
                commits.append("armed")
    assert len(commits) == 2


def test_existing_students_keep_their_names(small):
    with small.nbgrader() as gradebook:
        gradebook.add_student("ada", first_name="Ada", lms_user_id="7")
    small.write("ada")
    with small.nbgrader() as gradebook:
        student = gradebook.find_student("ada")
        assert (student.first_name, student.lms_user_id) == ("Ada", "7")


# When.


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-02-01 15:00:00.500000 UTC", datetime(2026, 2, 1, 15, 0, 0, 500000)),
        ("2026-02-01 15:00:00 Europe/Madrid", datetime(2026, 2, 1, 14)),
        ("2026-02-01 15:00:00 +0100", datetime(2026, 2, 1, 14)),
        ("2026-02-01T15:00:00+01:00", datetime(2026, 2, 1, 14)),
        ("2026-02-01 15:00:00", datetime(2026, 2, 1, 15)),
    ],
)
def test_timestamps_are_read_as_utc(text, utc):
    assert writer.parse_timestamp(text, Path("timestamp.txt")) == utc


def test_a_timestamp_that_is_none_is_told(small):
    folder = small.course.root / "submitted" / "ada" / SMALL
    folder.mkdir(parents=True)
    (folder / "timestamp.txt").write_text("yesterday evening")
    with pytest.raises(CourseError, match=r"timestamp.txt holds no time \('yesterday evening'\): write it as"):
        small.write("ada")
    (folder / "timestamp.txt").write_text("")
    small.write("ada")
    assert small.seen("ada")["submission"]["timestamp"] is None


def test_late_penalties_are_nbgraders(small):
    with small.nbgrader() as gradebook:
        gradebook.update_or_create_assignment(SMALL, duedate=datetime(2026, 3, 1, 12))
    late = datetime(2026, 3, 1, 15, tzinfo=UTC)
    small.write("ada", submitted_at=late)
    assert (small.seen("ada")["submission"]["seconds late"], small.seen("ada")["notebook"]["penalty"]) == (10800, None)
    with (small.course.root / "nbgrader_config.py").open("a") as config:
        config.write('\nc.LateSubmissionPlugin.penalty_method = "zero"\n')
    small.write("ada", submitted_at=late)
    small.write("bob", submitted_at=late - timedelta(hours=4))
    # All that was earned so far is taken; later scores of a person are nbgrader's business, as after autograde.
    assert [small.seen(student)["notebook"]["penalty"] for student in ("ada", "bob")] == [3, None]
    with small.nbgrader() as gradebook:
        gradebook.grant_extension(SMALL, "ada", days=1)
    small.write("ada", submitted_at=late)
    assert small.seen("ada")["notebook"]["penalty"] is None


# What people gave.


def test_a_persons_score_stays_and_is_looked_at_again_when_the_answer_changes(small):
    small.write("ada")
    small.grade("ada", "why", manual_score=1.5)
    with small.nbgrader() as gradebook:
        gradebook.find_comment("why", SMALL, SMALL, "ada").manual_comment = "Why three?"
        gradebook.db.commit()
    small.write("ada")
    seen = small.seen("ada")
    assert seen["submission"]["score"] == 4.5
    assert not seen["submission"]["needs_manual_grade"]
    small.write("ada", sources={"windows": ANSWER, "why": "Another thought."})
    seen = small.seen("ada")
    assert seen["grades"]["why"]["manual_score"] == 1.5
    assert seen["grades"]["why"]["needs_manual_grade"]
    assert seen["comments"]["why"]["manual_comment"] == "Why three?"
    # Not looked at yet: it goes on waiting.
    small.write("ada", sources={"windows": ANSWER, "why": "Another thought."})
    assert small.seen("ada")["grades"]["why"]["needs_manual_grade"]


def test_a_persons_score_for_code_is_looked_at_again_when_the_file_or_the_score_changes(small):
    small.write("ada", {})
    small.grade("ada", "windows-test-1", manual_score=0.5)
    small.write("ada", {})
    assert not small.seen("ada")["grades"]["windows-test-1"]["needs_manual_grade"]
    small.write("ada", {"windows-test-1": 1.0})
    assert small.seen("ada")["grades"]["windows-test-1"]["needs_manual_grade"]
    small.grade("ada", "windows-test-1")
    small.write("ada", {"windows-test-1": 1.0}, sources={"windows": ANSWER + "# more", "why": WRITTEN})
    grade = small.seen("ada")["grades"]["windows-test-1"]
    assert (grade["score"], grade["needs_manual_grade"]) == (0.5, True)


def test_after_a_stock_autograde_a_persons_score_is_looked_at_again(small):
    small.write("ada")
    small.grade("ada", "why", manual_score=1.0)
    path = small.autograded("ada")
    notebook = json.loads(path.read_text())
    del notebook["metadata"]["grader"]
    path.write_text(json.dumps(notebook))
    small.write("ada")
    assert small.seen("ada")["grades"]["why"]["needs_manual_grade"]


def test_scores_of_people_come_back(small):
    small.write("ada")
    small.write("bob", {}, sources={})
    small.write("eve")
    small.grade("ada", "why", manual_score=2.0, extra_credit=0.5)
    with small.nbgrader() as gradebook:
        gradebook.find_comment("windows", SMALL, SMALL, "bob").manual_comment = "Begin with the drawing."
        gradebook.find_comment("why", SMALL, SMALL, "ada").manual_comment = "Good."
        gradebook.db.commit()
    assert read_manual_scores(small.course, SMALL) == {
        "ada": {"why": ManualGrade(2.0, 0.5, "Good.", False)},
        "bob": {"windows": ManualGrade(None, None, "Begin with the drawing.", False)},
        "eve": {"why": ManualGrade(None, None, None, True)},
    }


# The notebook that formgrader shows.


def test_the_autograded_notebook_says_to_nbgrader_what_the_gradebook_says(small):
    import nbformat
    from nbgrader.nbgraderformat import read
    from nbgrader.utils import determine_grade, is_grade

    small.write("ada", {"windows-test-1": 1.0})
    notebook = read(str(small.autograded("ada")), as_version=4)
    nbformat.validate(notebook)
    scores = {cell.id: determine_grade(cell)[0] for cell in notebook.cells if is_grade(cell)}
    assert scores == {name: grade["auto_score"] for name, grade in small.seen("ada")["grades"].items()}
    with small.nbgrader() as gradebook:
        for cell in notebook.cells:
            source = gradebook.find_source_cell(cell.id, SMALL, SMALL)
            marks = cell.metadata.nbgrader
            assert (marks.locked, marks.checksum) == (source.locked, source.checksum)
    shown = small.shown("ada")
    assert shown["windows"]["source"] == ANSWER
    assert shown["why"]["source"] == WRITTEN
    assert "a_secret_size = 91" in shown["windows-test-2"]["source"]
    assert shown["windows-test-2"]["outputs"][0]["traceback"] == [
        "Failed: 0 of 2 points",
        "windows: The shape is (2,), expected (3,).",
    ]


def test_the_learners_own_cells_stand_where_they_stood_and_deleted_ones_come_back(small):
    notebook = json.loads(student_notebook(small.course, SMALL, windows=ANSWER))
    cells = {cell["id"]: cell for cell in notebook["cells"]}
    own = [
        {"cell_type": "code", "metadata": {}, "outputs": [], "source": "helper = 3"},
        {"cell_type": "markdown", "metadata": {}, "source": "a note"},
    ]
    notebook["cells"] = [cells["setup-1"], cells["text-2"], *own, cells["windows"]]
    submission = read_submission(json.dumps(notebook).encode(), "ada")
    with open_gradebook(small.course) as gradebook:
        gradebook.write(small.release, result_of(small.release, submission), submission)
    shown = small.shown("ada")
    assert list(shown) == [
        *["grader-notes", "text-1", "setup-1", "text-2", "own-3", "own-4", "windows"],
        *["windows-test-1", "windows-test-2", "why", "experiment-1"],
    ]
    assert "The cell windows-test-1 was deleted; the official one was used." in shown["grader-notes"]["source"]
    assert (shown["own-3"]["source"], shown["own-4"]["source"]) == ("helper = 3", "a note")


def test_a_huge_submission_makes_a_small_notebook(small):
    notebook = json.loads(
        student_notebook(small.course, SMALL, windows=ANSWER + "# \x01ä" * 200_000, why="ä" * 400_000)
    )
    notes = [{"cell_type": "markdown", "metadata": {}, "source": f"{number} " + "x" * 900} for number in range(4_000)]
    notebook["cells"] += notes
    submission = read_submission(json.dumps(notebook).encode(), "ada")
    with open_gradebook(small.course) as gradebook:
        gradebook.write(small.release, result_of(small.release, submission), submission)
    assert small.autograded("ada").stat().st_size <= LARGEST
    shown = small.shown("ada")
    assert "of the learner's own cells are not shown here." in shown["grader-notes"]["source"]
    assert "more characters)" in shown["windows"]["source"]


HOSTILE = """\
<script>window.hit = 1</script> <img src=x onerror="window.hit = 2"> <svg/onload=window.hit=3>
[a](javascript:window.hit=4) <javascript:window.hit=5> ![b](attachment:none) [c][d] ![e][f]

[d]: javascript:window.hit=6
[f]: attachment:none

`a<b` and $x<y$
"""


def test_a_learners_markdown_looks_the_same_and_does_nothing():
    from nbconvert.filters import markdown2html

    html = markdown2html(inert(HOSTILE))
    for active in ("<script", "<img", "<svg", 'href="', 'src="'):
        assert active not in html, active
    assert inert(HOSTILE).replace("\N{ZERO WIDTH SPACE}", "") == HOSTILE
    assert inert("a < b, x[0] (y), $\\left( \\delta \\right)$") == "a < b, x[0] (y), $\\left( \\delta \\right)$"


# What goes wrong.


def test_there_is_no_gradebook_yet(course):
    with pytest.raises(CourseError, match=r"there is no gradebook at .*gradebook.db yet: run grader build"):
        open_gradebook(course)
    assert not (course.root / "gradebook.db").exists()


def test_a_module_that_is_not_built_is_told(small):
    with small.nbgrader() as gradebook:
        gradebook.remove_assignment(SMALL)
    with pytest.raises(CourseError, match="01_windows is not in the gradebook: run grader build 01_windows"):
        small.write("ada")


def test_another_version_of_the_module_is_told(small):
    with small.nbgrader() as gradebook:
        gradebook.find_grade_cell("why", SMALL, SMALL).max_score = 9
        gradebook.db.commit()
    with pytest.raises(CourseError, match="holds another version of 01_windows: run grader build 01_windows"):
        small.write("ada")


def test_a_result_of_another_version_is_told(small):
    submission = read_submission(student_notebook(small.course, SMALL), "ada")
    result = result_of(small.release, submission)
    fewer = Result("ada", SMALL, result.submission_key, result.cells[1:], result.written)
    with open_gradebook(small.course) as gradebook, pytest.raises(CourseError, match="another version of 01_windows"):
        gradebook.write(small.release, fewer, submission)


@pytest.mark.parametrize(
    ("revision", "told"),
    [
        ("50a4d84c131a", r"an older nbgrader \(schema 50a4d84c131a, .*back it up and run nbgrader db upgrade"),
        ("ffffffffffff", r"a newer nbgrader \(schema ffffffffffff, .*put a backup in its place, or move it away"),
    ],
)
def test_another_version_of_nbgrader_is_told(small, revision, told):
    with closing(sqlite3.connect(small.course.root / "gradebook.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = ?", [revision])
    before = (small.course.root / "gradebook.db").read_bytes()
    with pytest.raises(CourseError, match=told):
        open_gradebook(small.course)
    assert (small.course.root / "gradebook.db").read_bytes() == before


def test_a_file_that_is_no_gradebook_is_told(small):
    (small.course.root / "gradebook.db").write_bytes(b"not a database" * 100)
    with pytest.raises(CourseError, match="is damaged: put a backup in its place"):
        open_gradebook(small.course)


@pytest.mark.parametrize("url", ["no url", "mysql+none://x/y"])
def test_a_url_that_leads_nowhere_is_told(small, url):
    with pytest.raises(CourseError, match=r"postgresql://user@host/name|pip install"):
        open_gradebook(small.course, url)


@pytest.mark.parametrize("student", ["", "..", "../eve", "a/b", "a\nb", "x" * 129, ".hidden"])
def test_a_student_that_is_no_folder_is_refused(small, student):
    with pytest.raises(CourseError, match="cannot be a student's id"):
        small.write(student)


HOLDER = """
import sqlite3, sys, time
database = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
database.execute("BEGIN IMMEDIATE")
database.execute("INSERT INTO student (id) VALUES ('zoe')")
print("held", flush=True)
time.sleep(1)
database.execute("COMMIT")
"""


def test_a_held_gradebook_is_waited_for(small, monkeypatch):
    monkeypatch.setattr(writer, "PATIENCE", 30)
    held = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(small.course.root / "gradebook.db")], stdout=subprocess.PIPE, text=True
    )
    assert held.stdout.readline() == "held\n"
    small.write("ada")
    assert held.wait() == 0
    assert small.seen("ada")["submission"]["score"] == 3


@contextmanager
def held_by_another(small):
    with closing(sqlite3.connect(small.course.root / "gradebook.db", isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        yield
        holder.execute("ROLLBACK")


def test_who_waited_in_vain_waits_less(small, monkeypatch):
    monkeypatch.setattr(writer, "PATIENCE", 2)
    submission = read_submission(student_notebook(small.course, SMALL, windows=ANSWER), "ada")
    result = result_of(small.release, submission)
    with open_gradebook(small.course) as gradebook:

        def patience():
            found = gradebook._open.exec_driver_sql("PRAGMA busy_timeout").scalar_one()
            gradebook._open.rollback()
            return found

        assert patience() == 2000
        with held_by_another(small), pytest.raises(CourseError, match=r"another program holds .*gradebook.db .*close"):
            gradebook.write(small.release, result, submission)
        assert patience() == 1000 * writer.LESS_PATIENCE == 1000
        gradebook.write(small.release, result, submission)
    assert small.seen("ada")["submission"]["score"] == 3


@pytest.mark.slow
def test_a_held_gradebook_costs_no_result(small, monkeypatch):
    """``grader grade`` keeps what it graded and says so in one line; given again it enters that without grading."""
    monkeypatch.chdir(small.course.root)
    monkeypatch.setattr(writer, "PATIENCE", 1)
    make_demo(small.course, 3, small.course.root / "submitted")
    with held_by_another(small):
        run = CliRunner().invoke(main, ["grade", "submitted", "--jobs=1"])
    assert run.exit_code == 1
    (told,) = [line for line in run.stderr.splitlines() if "gradebook" in line]
    assert told.startswith("3 results kept, but not in the gradebook: another program holds the gradebook ")
    assert told.endswith(" (formgrader or nbgrader?): close it; then give the same command again")
    assert "Traceback" not in run.output
    run = CliRunner().invoke(main, ["grade", "submitted", "--json", "--jobs=1"])
    assert run.exit_code == 0, run.stderr
    rows = {row["student"]: row for row in json.loads(run.stdout)["submissions"]}
    assert {row["state"] for row in rows.values()} == {"kept"}
    assert {name: small.seen(name)["submission"]["score"] for name in rows} == {n: r["points"] for n, r in rows.items()}


@contextmanager
def somebody_else():
    """Act without root's rights, to whom nothing is unwritable."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_what_cannot_be_written_is_told(built_course):
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(built_course.root, Path(folder, "course"))
        small = ClassOf(Course(Path(folder, "course")))
        small.write("ada")
        database, autograded = small.course.root / "gradebook.db", small.course.root / "autograded"
        os.chmod(folder, 0o755)
        for path in (small.course.root, database, autograded):
            path.chmod(0o755 & ~0o222)
        with somebody_else(), pytest.raises(CourseError, match=r"autograded/bob cannot be written: Permission denied"):
            small.write("bob")
        autograded.chmod(0o777)
        expected = (
            r"gradebook.db cannot be written \(attempt to write a readonly database\): give this account the right"
        )
        with somebody_else(), pytest.raises(CourseError, match=expected):
            small.write("bob")
        small.course.root.chmod(0o755)
        database.chmod(0o644)
        assert remains(small) == [f"{SMALL}.ipynb"]
        assert small.seen("ada")["submission"]["score"] == 3
        small.write("bob")
        assert small.seen("bob")["submission"]["score"] == 3


def remains(small):
    return sorted(path.name for path in (small.course.root / "autograded").rglob("*") if path.is_file())


def test_a_full_disk_leaves_the_earlier_result(small, monkeypatch):
    small.write("ada", {"windows-test-1": 1.0})
    before = small.autograded("ada").read_bytes()

    # The file first: half of it is written.
    def full(path, data):
        with path.open("wb") as file:
            file.write(data[:100])
        raise OSError(28, "No space left on device", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        submission = read_submission(student_notebook(small.course, SMALL, windows=ANSWER), "ada")
        result = result_of(small.release, submission)
        with (
            open_gradebook(small.course) as gradebook,
            pytest.raises(CourseError, match=r"the disk is full: free some space for .* and go on"),
        ):
            gradebook.write(small.release, result, submission)
    # The database: no page more.
    with open_gradebook(small.course) as gradebook:
        pages = gradebook._open.exec_driver_sql("PRAGMA page_count").scalar_one()
        gradebook._open.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        gradebook._open.rollback()
        others = [Result(f"{number:0128}", SMALL, "", result.cells, result.written) for number in range(500)]
        written = []
        with pytest.raises(CourseError, match="the disk is full or failing: free some space"):
            written.extend(gradebook.write(small.release, other) for other in others)
    assert small.seen("ada")["submission"]["score"] == 1
    assert small.autograded("ada").read_bytes() == before
    assert remains(small) == [f"{SMALL}.ipynb"] * (1 + len(written))
    with small.nbgrader() as gradebook:
        assert len(gradebook.assignment_submissions(SMALL)) == 1 + len(written)


def test_a_gradebook_that_was_closed_says_so(small):
    gradebook = open_gradebook(small.course)
    gradebook.close()
    gradebook.close()
    with pytest.raises(ValueError, match="closed"):
        gradebook.manual_scores(SMALL)
