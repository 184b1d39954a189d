"""The list of a course's students: a CSV file of one's own, or as Canvas and Moodle export it.

A roster of one's own needs a column ``id``: the name of the student's folder, as nbgrader has it. ``name``, or
``first name`` and ``last name``, ``email``, ``login``, ``section``, ``canvas id`` and ``moodle id`` are read where they
are there. In Canvas's gradebook export the id is the login (or else the SIS id, or Canvas's own), in Moodle's grading
worksheet and list of participants the ID number (or else the user name, or the address).
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from grader.classroom.tables import Table, read_table
from grader.course import CourseError

FILE = "roster.csv"

#: Where each field is found, letters and digits of the headings alone, the first that holds something.
_FIELDS = {
    "id": ("id", "studentid"),
    "name": ("name", "student", "fullname", "studentname"),
    "first": ("firstname", "givenname"),
    "last": ("lastname", "surname", "familyname"),
    "email": ("email", "emailaddress", "mail"),
    "login": ("login", "sisloginid", "username", "user"),
    "number": ("idnumber", "sisuserid", "sisid", "number"),
    "canvas_id": ("canvasid",),
    "moodle_id": ("moodleid", "identifier", "participant", "participantid"),
    "section": ("section", "group", "groups"),
}
#: In the export of each system: a heading that no other has, and where the id is found in its place.
_CANVAS, _CANVAS_IDS = "sisloginid", ("login", "number", "canvas_id")
#: Longest student id that the gradebook holds, in characters.
LONGEST_ID = 128
#: The student for trying out that Canvas adds.
_TEST = "Test Student"
_MOODLE, _MOODLE_IDS = {"emailaddress", "identifier"}, ("number", "login", "email")


@dataclass(frozen=True)
class Student:
    """One of a course's students; what the roster does not tell is empty.

    Attributes
    ----------
    id : str
        Name of the student's folder.
    name : str
        As "Given Family", or as the roster has it.
    email, login, number, section : str
        Address, account, registration number, section or group.
    canvas_id, moodle_id : str
        What Canvas's and Moodle's downloads call the student.
    line : int
        Line of the roster.
    """

    id: str
    name: str = ""
    email: str = ""
    login: str = ""
    number: str = ""
    section: str = ""
    canvas_id: str = ""
    moodle_id: str = ""
    line: int = 0

    @cached_property
    def keys(self) -> set[str]:
        """What names this student and nobody else, folded."""
        told = (self.id, self.email, self.login, self.number, self.canvas_id, self.moodle_id)
        return {folded(text) for text in told if text}

    @cached_property
    def spellings(self) -> set[str]:
        """The name run together, beginning with any of its words."""
        words = self.name.split()
        return {run_together("".join(words[i:] + words[:i])) for i in range(len(words))} - {""}


@dataclass(frozen=True)
class Roster:
    """The students of a course.

    Attributes
    ----------
    path : Path
        Where it was read from.
    students : tuple of Student
        In the roster's order; ids are unique.
    notes : tuple of str
        What a person should look at.
    """

    path: Path
    students: tuple[Student, ...]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.students)

    def by_id(self, student: str) -> Student | None:
        """Return the student with this id, None if there is none."""
        return self._ids.get(student)

    def find(self, text: str) -> list[Student]:
        """Return the students who are called this: by an id, an address, a number, else by name in any order."""
        by_key = self.by_key(text)
        return [by_key] if by_key else self._names.get(name_key(text), [])

    def by_key(self, text: str) -> Student | None:
        """Return the student with this id, address, account or number, None if there is none."""
        return self._keys.get(folded(text))

    def by_lms_id(self, field: str, number: str) -> Student | None:
        """Return the student with this ``canvas_id`` or ``moodle_id``, None if there is none."""
        return self._lms_ids[field].get(number)

    def called(self, name: str) -> list[Student]:
        """Return the students of this name, in any order of its words, or as a platform's file names run it together.

        Canvas writes ``nunezpenaada`` for Ada Nunez Pena, Moodle ``Siobhan ONeill`` for Siobhan O'Neill.
        """
        return self._names.get(name_key(name), []) or self._run_together.get(run_together(name), [])

    @cached_property
    def _lms_ids(self) -> dict[str, dict[str, Student]]:
        return {
            field: {getattr(student, field): student for student in self.students if getattr(student, field)}
            for field in ("canvas_id", "moodle_id")
        }

    @cached_property
    def _run_together(self) -> dict[str, list[Student]]:
        found = defaultdict(list)
        for student in self.students:
            for key in student.spellings:
                found[key].append(student)
        return found

    @cached_property
    def _ids(self) -> dict[str, Student]:
        return {student.id: student for student in self.students}

    @cached_property
    def _keys(self) -> dict[str, Student]:
        return {key: student for student in self.students for key in student.keys}

    @cached_property
    def _names(self) -> dict[str, list[Student]]:
        found = defaultdict(list)
        for student in self.students:
            if student.name:
                found[name_key(student.name)].append(student)
        return found


def folded(text: str) -> str:
    """Return a text for comparing: one form of each character, no case, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def name_key(name: str) -> str:
    """Return a person's name for comparing: its letters and digits without accents, in order of the words."""
    return " ".join(sorted(_words(name)))


def run_together(name: str) -> str:
    """Return the letters and digits of a name, without accents and all else."""
    return "".join(_words(name))


def _words(name: str) -> list[str]:
    bare = "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))
    return re.findall(r"[^\W_]+", bare)


def read_roster(path: Path) -> Roster:
    """Read a roster.

    Parameters
    ----------
    path : Path
        CSV with a line of headings; commas, semicolons or tabs between; UTF-8, UTF-16, or Windows-1252.

    Raises
    ------
    CourseError
        When it cannot be read, has no column or value for an id, or names two students alike.
    """
    table = read_table(path, "the roster ")
    if not table.filled:
        raise CourseError(f"{path} is empty: it needs a line of headings and a line for each student")
    if not set(_columns(table)["id"]) & set(table.names):
        raise CourseError(f"{path} has no column 'id' with the names of the students' folders: add one")
    students = read_people(table)
    if not students:
        raise CourseError(f"{path} names no student: it needs a line for each below its headings")
    for student in students:
        _refuse_bad_id(student, path)
    _refuse_doubles(students, path)
    return Roster(path, tuple(students), table.notes)


def read_people(table: Table) -> list[Student]:
    """Return whom the rows of a roster or of a platform's export name; an id that they do not tell is empty.

    Raises
    ------
    CourseError
        When two columns tell the same.
    """
    columns = _columns(table)
    is_canvas = {_CANVAS, "id"} <= set(table.names)
    students = []
    for row in table.filled[1:]:
        told = dict(zip(table.names, map(str.strip, row.cells), strict=False))
        fields = {field: next((told[name] for name in names if told.get(name)), "") for field, names in columns.items()}
        student = _student(fields, row.line)
        # What Canvas adds to its students: points possible, which marks are posted by hand, a student for tests.
        extra = is_canvas and (not student.canvas_id or student.name == _TEST)
        if not extra and "Points Possible" not in row.cells[0]:
            students.append(student)
    return students


def _columns(table: Table) -> dict[str, tuple[str, ...]]:
    """Return in which columns each field is looked for."""
    columns = dict(_FIELDS)
    ids: tuple[str, ...] = ()
    if _CANVAS in table.names:
        columns["canvas_id"], columns["id"], ids = ("id",), (), _CANVAS_IDS
    elif _MOODLE & set(table.names) and "id" not in table.names:
        ids = _MOODLE_IDS
    columns["id"] += tuple(name for field in ids for name in columns[field])
    # Canvas has columns of its own that are called alike.
    read = {name for names in columns.values() for name in names}
    double = next((name for i, name in enumerate(table.names) if name in read and name in table.names[:i]), "")
    if double:
        raise CourseError(f"{table.path} has two columns {double!r}: leave one of them")
    return columns


def _student(fields: dict[str, str], line: int) -> Student:
    first, last, name = fields.pop("first"), fields.pop("last"), fields["name"]
    if first or last:
        name = f"{first} {last}".strip()
    elif name.count(",") == 1:  # "Family, Given"
        name = " ".join(part.strip() for part in reversed(name.split(",")))
    moodle_id = fields["moodle_id"].removeprefix("Participant").strip()
    return Student(**(fields | {"name": name, "moodle_id": moodle_id}), line=line)


def _refuse_bad_id(student: Student, path: Path) -> None:
    if not student.id:
        who = student.name or "a student"
        raise CourseError(f"{path}, line {student.line}: {who} has no id: add it, or delete the line")
    if not can_name_a_folder(student.id) or "+" in student.id:
        raise CourseError(
            f"{path}, line {student.line}: {student.id!r} cannot name a folder: no slash, plus sign or leading dot"
        )


def can_name_a_folder(student: str) -> bool:
    """Tell whether a student's folder can have this name."""
    return not (
        not student
        or len(student) > LONGEST_ID
        or re.search(r"[/\\\x00-\x1f\x7f\ud800-\udfff]", student)
        or student.startswith(".")
        or student != student.strip()
    )


def _refuse_doubles(students: Sequence[Student], path: Path) -> None:
    seen: dict[str, Student] = {}
    for student in students:
        for key in student.keys:
            other = seen.setdefault(key, student)
            if other is not student:
                raise CourseError(
                    f"{path}: lines {other.line} and {student.line} both name {key!r}: each student stands there once"
                )
