"""Rosters: of one's own, from Canvas, from Moodle; odd encodings; what is refused."""

import pytest

from grader.classroom.roster import read_roster
from grader.course import CourseError

OWN = """\
ID;First name;Last name;E-mail;Canvas ID
ada;Ada;Núñez Peña;ada@example.org;101
o'neill;Siobhán;O'Neill;;102

bo;"Bo;";"=Lee";;103
"""
CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,05 Convolution (7)
    Points Possible,,,,,20
"Núñez Peña, Ada",101,0071,ada,Mon 9,17
"O'Neill, Siobhán",102,0072,,Mon 9,
"Student, Test",999,,,Mon 9,
"""
MOODLE = """\
Identifier,Full name,ID number,Email address,Status
Participant 5551,Ada Núñez Peña,0071,ada@example.org,Submitted
Participant 5552,李 小龍,,li@example.org,No submission
"""


def read(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "roster.csv"
    path.write_bytes(text.encode(encoding))
    return read_roster(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_roster_of_ones_own_in_any_encoding(tmp_path, encoding):
    roster = read(tmp_path, OWN, encoding)
    assert [student.id for student in roster.students] == ["ada", "o'neill", "bo"]
    assert roster.by_id("ada").name == "Ada Núñez Peña"
    assert roster.by_id("bo").name == "Bo; =Lee"
    assert roster.by_id("bo").line == 5
    assert [bool(note) for note in roster.notes] == ([True] if encoding == "cp1252" else [])


def test_canvas_export(tmp_path):
    roster = read(tmp_path, CANVAS)
    assert [(student.id, student.name, student.canvas_id) for student in roster.students] == [
        ("ada", "Ada Núñez Peña", "101"),
        ("0072", "Siobhán O'Neill", "102"),
    ]
    assert roster.by_id("ada").section == "Mon 9"


def test_moodle_worksheet(tmp_path):
    roster = read(tmp_path, MOODLE)
    assert [(student.id, student.moodle_id) for student in roster.students] == [
        ("0071", "5551"),
        ("li@example.org", "5552"),
    ]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("ada", ["ada"]),
        ("ADA@example.org ", ["ada"]),
        ("101", ["ada"]),
        ("Peña Núñez, Ada", ["ada"]),
        ("ada nunez pena", ["ada"]),
        ("Oneill Siobhan", []),
        ("SIOBHÁN O'NEILL", ["o'neill"]),
        ("nobody", []),
    ],
)
def test_find_by_key_or_by_name(tmp_path, text, ids):
    assert [student.id for student in read(tmp_path, OWN).find(text)] == ids


def test_two_of_one_name_are_both_found(tmp_path):
    roster = read(tmp_path, "id,name\na1,Kim Lee\na2,Lee Kim\n")
    assert [student.id for student in roster.find("Kim Lee")] == ["a1", "a2"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        ("id,name\n", "names no student"),
        ("name,email\nAda,a@b.c\n", "has no column 'id'"),
        ("id,name\nada,Ada\n,Ben\n", "line 3: Ben has no id"),
        ("id,name\nada,Ada\nben,Ben\nAda,Ada again\n", "lines 2 and 4 both name 'ada'"),
        ("id,email\nada,x@y.z\nben,X@y.z\n", "lines 2 and 3 both name 'x@y.z'"),
        ("id,name\n../x,Ada\n", "cannot name a folder"),
        ("id,name\n.x,Ada\n", "cannot name a folder"),
        ("id,id\na,b\n", "has two columns 'id'"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(tmp_path, text, told):
    with pytest.raises(CourseError) as error:
        read(tmp_path, text)
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_no_file_and_no_encoding(tmp_path):
    with pytest.raises(CourseError, match=r"roster .* cannot be read"):
        read_roster(tmp_path / "none.csv")
    (tmp_path / "odd.csv").write_bytes(b"id,name\nada,\x81\x8d\n")
    with pytest.raises(CourseError, match="save it as UTF-8"):
        read_roster(tmp_path / "odd.csv")


CANVAS_WITH_ALL = '''\
LastName,FirstName,ID,SIS Login ID,Section,05 Convolution (7),Homework Current Score,Homework Current Score
,,,,,Manual Posting,,
    Points Possible,,,,,20,(read only),(read only)
"=""=Lee""",Ann,101,ann,Mon,17,1,1
Student,Test,999,x1,Mon,,,
'''


def test_canvas_export_with_all_that_canvas_can_put_there(tmp_path):
    """Posting by hand, names in two columns, a guarded formula, two groups of one name, the student for tests."""
    roster = read(tmp_path, CANVAS_WITH_ALL)
    assert [(student.id, student.name, student.line) for student in roster.students] == [("ann", "Ann =Lee", 4)]


def test_a_student_called_test_is_one_in_a_roster_of_ones_own(tmp_path):
    assert len(read(tmp_path, 'id,name\nt,"Student, Test"\n')) == 1


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("nunezpenaada", ["ada"]),
        ("núñezpeñaada", ["ada"]),
        ("Ada Núñez Peña", ["ada"]),
        ("Siobhan ONeill", ["o'neill"]),
        ("oneillsiobhan", ["o'neill"]),
        ("penaadanunez", ["ada"]),
        ("nunezada", []),
        ("", []),
        ("...", []),
    ],
)
def test_names_as_file_names_run_them_together(tmp_path, name, ids):
    assert [student.id for student in read(tmp_path, OWN).called(name)] == ids


def test_ids_are_as_long_as_the_gradebook_holds(tmp_path):
    from grader.classroom.roster import LONGEST_ID
    from grader.gradebook import LONGEST_ID as IN_GRADEBOOK

    assert LONGEST_ID == IN_GRADEBOOK
    with pytest.raises(CourseError, match="cannot name a folder"):
        read(tmp_path, f"id\n{'x' * (LONGEST_ID + 1)}\n")
