"""Exports: into files as Canvas and Moodle make them, and a table of one's own; read back by csv and by our reader."""

import csv
import io
import json
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from grader.classroom.export import Change, number, to_canvas, to_moodle, to_table
from grader.classroom.late import Lateness
from grader.classroom.roster import Roster, Student, read_people, read_roster
from grader.classroom.scores import Score
from grader.classroom.tables import read_table, to_csv, unguarded
from grader.cli import main
from grader.course import CourseError
from grader.engine.result import CellResult, Outcome, Result, WrittenAnswer
from grader.engine.store import Key, ResultsStore
from grader.gradebook import ManualGrade
from tests.grader.small_class import SMALL

CONV, MLP = "05_convolution_arithmetic", "02_mlp_backprop"
#: As gradebook_exporter.rb writes it: a row for posting by hand, points possible, names guarded, EX, N/A, the student
#: for tests; CRLF and a mark of the encoding are the user's settings there.
CANVAS = (
    "\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,Notes,02 MLP backprop (70),05 Convolution arithmetic (12345),"
    "Assignments Current Score,Current Score\r\n"
    ",,,,,,,Manual Posting,,\r\n"
    "    Points Possible,,,,,,10,20,(read only),(read only)\r\n"
    '"Núñez Peña, Ada",101,0071,ada,"Mon ""9""",=sum,3.00,,30,30\r\n'
    '"O\'Neill, Siobhán",102,0072,siobhan,Mon 9,,,12.5,10,10\r\n'
    '"=""=Ann+Lee""",103,0073,ann,Mon 9,,,EX,,\r\n'
    "@bob,104,0074,bob,-Tue,,,N/A,,\r\n"
    '"Two\nLines, 李",105,0075,+two,Mon 9,,,7.00,,\r\n'
    '"Lee, Kim",106,0076,kim1,Mon 9,,,,,\r\n'
    '"Student, Test",999,,x,Mon 9,,,1,,\r\n'
)
#: As the offline worksheet of mod_assign has it.
MOODLE = (
    '\ufeffIdentifier,"Full name","ID number","Email address",Status,Grade,"Maximum Grade",'
    '"Grade can be changed","Last modified (submission)","Last modified (grade)","Feedback comments"\n'
    '"Participant 5551","Ada Núñez Peña",0071,ada@example.org,"Submitted for grading - ",,20.00,Yes,'
    '"Friday, 27 February 2026, 6:00 PM",-,"=well done"\n'
    '"Participant 5552","Siobhán O\'Neill",0072,s@example.org,-,12.50,20.00,Yes,-,-,\n'
    '"Participant 5553",=Ann+Lee,0073,ann@example.org,-,,20.00,No,-,-,\n'
    '"Participant 5554","+Kim Lee",0074,kim@example.org,-,4.00,20.00,Yes,-,-,"two\nlines"\n'
)


def score(student, points, module=CONV, most=20.0, waiting=False, late=0.0, **by_hand):
    """A score of one test cell, and of one written answer of no points where something is to wait."""
    cells = (CellResult("t", "f", points, most, Outcome.Passed if points else Outcome.Failed),)
    written = (WrittenAnswer("why", 0.0, "because", True),) if waiting else ()
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    lateness = Lateness(moment, moment, int(late // 10), late) if late else None
    return Score(Result(student, module, "key", cells, written), by_hand, lateness=lateness)


def file(tmp_path, text, name="template.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


def cells(data):
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize(
    ("points", "text"),
    [(17.0, "17"), (17.5, "17.5"), (4.5 * 0.8, "3.6"), (2.675, "2.68"), (1 / 3, "0.33"), (100.0, "100"), (-0.001, "0")],
)
def test_points_are_written_with_two_digits_at_most(points, text):
    assert number(points) == text


# --- Canvas -----------------------------------------------------------------------------------------------------


def test_canvas_only_the_scores_change(tmp_path):
    scores = [score("ada", 17.25), score("siobhan", 12.5), score("+two", 8.0), score("ann", 5.0), score("bob", 6.0)]
    made = to_canvas(file(tmp_path, CANVAS), scores, [CONV])
    expected = CANVAS.replace(",=sum,3.00,,30", ",=sum,3.00,17.25,30").replace(",,,7.00,,", ",,,8,,")
    # A name and a section that a spreadsheet would run; ids, notes and Canvas's own guards keep their bytes.
    expected = expected.replace("@bob", "'@bob").replace("-Tue", "'-Tue")
    assert made.data.decode() == expected
    assert set(made.changes) == {Change("+two", CONV, "7.00", "8"), Change("ada", CONV, "", "17.25")}
    assert [(kept.student, kept.why) for kept in made.kept] == [
        ("ann", "'EX' stands there"),
        ("bob", "'N/A' stands there"),
    ]
    # Siobhan's 12.5 stood there already, Kim Lee has none; the student for tests is nobody.
    assert (made.same, made.without, made.strangers, made.waiting) == (1, 1, (), ())


def test_canvas_reads_back_names_as_they_were(tmp_path):
    made = to_canvas(file(tmp_path, CANVAS), [score("ada", 1.0)], [CONV])
    before = read_people(read_table(file(tmp_path, CANVAS)))
    after = read_people(read_table(file(tmp_path, made.data.decode(), "out.csv")))
    assert [(s.id, s.name, s.canvas_id, s.section) for s in after] == [
        (s.id, s.name, s.canvas_id, s.section) for s in before
    ]
    assert [s.name for s in after][2:5] == ["=Ann+Lee", "@bob", "李 Two\nLines"]
    rows = cells(made.data)
    assert [len(row) for row in rows] == [10] * 10
    formulas = [cell for row in rows for cell in row[:1] + row[4:5] if cell[:1] in "=+-@" and cell]
    assert formulas == ['="=Ann+Lee"']  # a text, by Canvas


def test_canvas_students_are_found_by_number_account_or_name(tmp_path):
    people = [
        Student("f1", "Somebody Else", canvas_id="101"),
        Student("f2", number="0072"),
        Student("f3", "李 Two Lines"),
        Student("f4", "Kim Lee", canvas_id="7"),
        Student("f5", "Ann"),
    ]
    scores = [score(f"f{i}", float(i)) for i in range(1, 6)] + [score("Kim Lee", 9.0)]
    made = to_canvas(file(tmp_path, CANVAS), scores, [CONV], Roster(tmp_path, tuple(people)))
    assert {(change.student, change.after) for change in made.changes} == {
        ("f1", "1"),
        ("f2", "2"),
        ("f3", "3"),
        ("Kim Lee", "9"),
    }
    assert [(kept.student, kept.why) for kept in made.strangers] == [("f4", "no row there"), ("f5", "no row there")]


def test_canvas_two_of_one_name_and_two_of_one_row_are_not_guessed(tmp_path):
    template = CANVAS + '"Kim, Lee",107,0077,kim2,Mon 9,,,,,\r\n'
    made = to_canvas(file(tmp_path, template), [score("Kim Lee", 9.0), score("ada", 1.0), score("0071", 2.0)], [CONV])
    assert not made.changes
    assert [kept.why for kept in made.strangers] == [
        "several students there have this name: add the platform's ids to the roster",
        "0071 and ada are one student there",
        "0071 and ada are one student there",
    ]


def test_scores_that_wait_are_left_out_unless_asked_for(tmp_path):
    scores = [score("ada", 17.0, waiting=True), score("siobhan", 3.0, t=ManualGrade(None, None, None, True))]
    made = to_canvas(file(tmp_path, CANVAS), scores, [CONV])
    assert not made.changes
    assert [(kept.student, kept.why) for kept in made.waiting] == [
        ("ada", "1 to be graded by a person"),
        ("siobhan", "1 to be graded by a person"),
    ]
    made = to_canvas(file(tmp_path, CANVAS), scores, [CONV], with_waiting=True)
    assert {change.after for change in made.changes} == {"17", "3"}


def test_canvas_what_counts_is_after_what_being_late_costs(tmp_path):
    made = to_canvas(file(tmp_path, CANVAS), [score("ada", 18.0, late=20.0)], [CONV])
    assert made.changes == (Change("ada", CONV, "", "14.4"),)


@pytest.mark.parametrize(
    ("title", "found"),
    [
        ("05 Convolution arithmetic (12345)", True),
        ("05: Convolutions! (12345)", True),
        ("Convolution Arithmetic (12345)", True),
        ("05 Convolution arithmetic", False),
        ("105 Convolution arithmetic (12345)", False),
        ("Week 05 (12345)", False),
    ],
)
def test_canvas_columns_are_found_by_name_or_number(tmp_path, title, found):
    template = file(tmp_path, CANVAS.replace("05 Convolution arithmetic (12345)", title))
    if found:
        assert to_canvas(template, [score("ada", 1.0)], [CONV]).changes
        return
    with pytest.raises(CourseError, match=r"has no column for 05_.*name the assignment '05 convolution arithmetic'"):
        to_canvas(template, [score("ada", 1.0)], [CONV])
    made = to_canvas(template, [score("ada", 1.0)], [CONV], all_needed=False)
    assert (made.changes, made.notes) == ((), ("05_convolution_arithmetic: no column in template.csv, passed over",))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("Notes", "05 again (8)", None),
        ("02 MLP backprop (70)", "05 again (70)", "several columns for 05_convolution_arithmetic"),
        (",10,20,", ",10,100,", "gives 100 points, 05_convolution_arithmetic 20; set it to 20 there"),
        (",10,20,", ",10,0,", None),
        ("Student,ID", "Name,Number", "is not Canvas's: export the gradebook"),
    ],
)
def test_canvas_what_does_not_fit_is_refused_in_one_line(tmp_path, old, new, told):
    assert old in CANVAS
    template = file(tmp_path, CANVAS.replace(old, new, 1))
    if told is None:
        # The exact name goes before the number alone; 0 points are for extra credit.
        assert to_canvas(template, [score("ada", 1.0)], [CONV]).changes
        return
    template.write_text(template.read_text().replace("05 Convolution arithmetic (12345)", "05 Conv (12345)"))
    with pytest.raises(CourseError) as error:
        to_canvas(template, [score("ada", 1.0)], [CONV])
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_canvas_with_semicolons_and_commas_for_points(tmp_path):
    text = (
        "Student;ID;SIS Login ID;Section;05 Conv (1)\n    Points Possible;;;;20,00\nAda;1;ada;A;17,50\nBo;2;bo;A;3,00\n"
    )
    made = to_canvas(file(tmp_path, text), [score("ada", 17.5), score("bo", 4.5)], [CONV])
    assert made.data.decode() == text.replace("3,00", "4.5")
    assert made.same == 1


# --- Moodle -----------------------------------------------------------------------------------------------------


def test_moodle_only_grades_change(tmp_path):
    scores = [score("0071", 17.25), score("0072", 12.5), score("0073", 5.0), score("kim@example.org", 8.0)]
    made = to_moodle(file(tmp_path, MOODLE), [*scores, score("0071", 1.0, MLP)], CONV)
    expected = MOODLE.replace('"Submitted for grading - ",,', '"Submitted for grading - ",17.25,')
    expected = (
        expected.replace(",-,4.00,", ",-,8,").replace(",=Ann+Lee,", ",'=Ann+Lee,").replace('"+Kim Lee"', "'+Kim Lee")
    )
    assert made.data.decode() == expected
    assert [(kept.student, kept.why) for kept in made.kept] == [("0073", "Moodle does not let its grade be changed")]
    assert (len(made.changes), made.same, made.without) == (2, 1, 0)
    assert [row[1] for row in cells(made.data)][3:] == ["'=Ann+Lee", "'+Kim Lee"]
    assert [unguarded(row[1]) for row in cells(made.data)][3:] == ["=Ann+Lee", "+Kim Lee"]


def test_moodle_more_than_the_maximum_is_told(tmp_path):
    extra = score("0071", 20.0, t=ManualGrade(None, 1.5, None, False))
    made = to_moodle(file(tmp_path, MOODLE), [extra], CONV)
    assert made.data.decode() == MOODLE.replace(",=Ann+Lee,", ",'=Ann+Lee,").replace('"+Kim Lee"', "'+Kim Lee")
    assert made.kept[0].why == "Moodle takes no more than 20, not 21.5"


def test_moodle_blind_marking_goes_by_participant(tmp_path):
    text = "Identifier,Status,Grade,Last modified (grade)\nParticipant 7,-,,-\nParticipant 8,-,,-\n"
    roster = Roster(tmp_path, (Student("ada", "Ada", moodle_id="8"),))
    made = to_moodle(file(tmp_path, text), [score("ada", 3.0)], CONV, roster)
    assert made.data.decode() == text.replace("Participant 8,-,,", "Participant 8,-,3,")
    assert made.without == 1


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "Identifier",
            "Teilnehmer",
            "has no column 'Identifier': download the grading worksheet from Moodle, in English",
        ),
        ("Last modified (grade)", "Zuletzt", "has no column 'Last modified (grade)'"),
        ("20.00", "100.00", "Moodle: the assignment gives 100 points"),
    ],
)
def test_moodle_what_does_not_fit_is_refused(tmp_path, old, new, told):
    with pytest.raises(CourseError) as error:
        to_moodle(file(tmp_path, MOODLE.replace(old, new)), [score("0071", 1.0)], CONV)
    assert told in str(error.value)


# --- A table of one's own -----------------------------------------------------------------------------------------

NAMES = {
    "00712345": "Núñez Peña, María José",
    "=cmd": '=HYPERLINK("http://example.org";"Ada")',
    "li": "李 小龍",
    "q": '"Bobby" Tables; Ltd',
    "lines": "Two\nLines",
    "at": "@home",
}


def test_a_table_with_awkward_names_comes_back(tmp_path):
    roster = Roster(tmp_path, tuple(Student(one, name, email=f"+{one}@example.org") for one, name in NAMES.items()))
    scores = [
        score("00712345", 17.5, late=20.0),
        score("li", 3.0, waiting=True),
        score("li", 4.0, MLP, 10.0),
        score("guest", 1.0),
    ]
    made = to_table(scores, [MLP, CONV], roster)
    rows = cells(made.data)
    head = rows[0]
    assert head[:4] == ["id", "name", "email", "section"]
    parts = ["points", "waiting", "late days", "lost", "total"]
    assert head[4:] == [f"{module} {part}" for module in (MLP, CONV) for part in parts]
    assert made.data.startswith(b"\xef\xbb\xbf")
    assert not any(cell[:1] in "=+-@\t\r" for row in rows for cell in row if cell)
    assert [[unguarded(cell) for cell in row[:2]] for row in rows[1:]] == [
        *([one, name] for one, name in NAMES.items()),
        ["guest", ""],
    ]
    by_id = {unguarded(row[0]): row[4:] for row in rows}
    assert by_id["00712345"] == ["", "", "", "", "", "17.5", "0", "2", "3.5", "14"]
    assert by_id["li"] == ["4", "0", "0", "0", "4", "3", "1", "0", "0", ""]
    assert by_id["q"] == [""] * 10
    assert b'"00712345",' in made.data  # with its zeros, as a text
    assert [(kept.student, kept.module) for kept in made.waiting] == [("li", CONV)]
    assert [(kept.student, kept.why) for kept in made.strangers] == [("guest", "not in the roster")]
    assert made.without == len(NAMES) - 2
    # Our own reader takes it for a roster.
    path = tmp_path / "grades.csv"
    path.write_bytes(made.data)
    expected = NAMES | {"guest": "", "00712345": "María José Núñez Peña"}  # "Family, Given" is turned round
    assert {student.id: student.name for student in read_roster(path).students} == expected
    assert cells(to_table(scores, [CONV], roster, with_waiting=True).data)[3][-1] == "3"


def test_a_table_without_a_roster_is_in_order_of_ids():
    made = to_table([score("b", 1.0), score("a", 2.0)], [CONV])
    assert [row[0] for row in cells(made.data)] == ["id", "a", "b"]
    assert not made.strangers


# --- As it is typed -----------------------------------------------------------------------------------------------


@pytest.fixture
def graded(small, monkeypatch):
    """A class of two, one of them with an answer that a person has graded."""
    results = {student: small.write(student) for student in ("ada", "bob")}
    small.grade("ada", "why", manual_score=1.5)
    with ResultsStore(small.course.results).writing() as store:
        for one in results.values():
            store.append(one, Key(one.submission_key, "tests", "environment"))
    monkeypatch.chdir(small.course.root)
    return small.course.root


def grader(*arguments, code=0):
    run = CliRunner().invoke(main, arguments)
    assert run.exit_code == code, (run.output, run.stderr, run.exception)
    return run


GRADEBOOK = (
    "Student,ID,SIS Login ID,Section,01 Windows (5)\n    Points Possible,,,,5\n"
    'Ada,1,ada,A,2\n"Bob, B",2,bob,A,\nCleo,3,cleo,A,1\n'
)


def test_export_as_it_is_typed(graded):
    (graded / "canvas.csv").write_text(GRADEBOOK)
    run = grader("export", "--to", "canvas", "--template", "canvas.csv", "--dry-run")
    rows = [[word.strip() for word in line.split("│")[1:-1]] for line in run.stdout.splitlines() if "│" in line]
    assert rows == [["ada", SMALL, "2", "4.5"]]
    assert run.stdout.splitlines()[-1] == (
        "grades-canvas.csv: 1 score would be written · 0 as they stood · 1 waiting · 1 student without a score"
        " · nothing changed: --dry-run"
    )
    assert run.stderr.splitlines() == [
        "left out: bob (01_windows): 1 to be graded by a person",
        "1 score waits for a person and was left out; --with-waiting exports it",
    ]
    assert not (graded / "grades-canvas.csv").exists()
    told = json.loads(grader("export", "01", "--to=canvas", "--template=canvas.csv", "--with-waiting", "--json").stdout)
    assert told["changes"] == [
        {"student": "ada", "module": SMALL, "before": "2", "after": "4.5"},
        {"student": "bob", "module": SMALL, "before": "", "after": "3"},
    ]
    assert (graded / "grades-canvas.csv").read_text() == GRADEBOOK.replace("A,2\n", "A,4.5\n").replace(
        "bob,A,\n", "bob,A,3\n"
    )
    # What is written once stands there.
    again = grader("export", "--to=canvas", "--template=grades-canvas.csv", "--out=x.csv", "--with-waiting")
    assert "0 scores written · 2 as they stood" in again.stdout


def test_export_to_csv_and_to_moodle_as_typed(graded):
    (graded / "roster.csv").write_bytes(to_csv([["id", "name"], ["ada", "Ada"], ["cleo", "=Cleo"]]))
    run = grader("export", "--to", "csv", code=1)
    assert "no row: bob (01_windows): not in the roster" in run.stderr
    assert [row.cells[:2] for row in read_table(graded / "grades.csv").rows] == [
        ["id", "name"],
        ["ada", "Ada"],
        ["cleo", "=Cleo"],
        ["bob", ""],
    ]
    text = "Identifier,Full name,Grade,Maximum Grade,Last modified (grade)\nParticipant 1,Ada,,5.00,-\n"
    (graded / "m.csv").write_text(text)
    grader("export", "--to=moodle", "--template=m.csv", "--out=o.csv", code=1)
    assert (graded / "o.csv").read_text() == text.replace("Ada,,", "Ada,4.5,")


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--to=canvas"], 2, "--to canvas fills in its own file: name it with --template"),
        (["--to=csv", "--template=canvas.csv"], 2, "--to csv fills in no --template"),
        (["--to=canvas", "--template=canvas.csv", "--out=canvas.csv"], 2, "would take the place of the template"),
        (["--to=canvas", "--template=none.csv"], 1, "the template none.csv cannot be read: No such file"),
        (["42", "--to=csv"], 1, "there is no module '42'"),
        (["--to=csv", "--out=/proc/none/x.csv"], 1, "mend this and give the command again"),
    ],
)
def test_wrong_use_is_one_line(graded, arguments, code, told):
    (graded / "canvas.csv").write_text(GRADEBOOK)
    run = grader("export", *arguments, code=code)
    line = run.stderr.splitlines()[-1]
    assert line.startswith("Error: ")
    assert told in line
