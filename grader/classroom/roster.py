"""The list of a course's students: a CSV file of one's own, or as Canvas and Moodle export it.

A roster of one's own needs a column ``id``: the name of the student's folder, as nbgrader has it. ``name``, or
``first name`` and ``last name``, ``email``, ``login``, ``section``, ``canvas id`` and ``moodle id`` are read where they
are there. In Canvas's gradebook export the id is the login (or else the SIS id, or Canvas's own), in Moodle's grading
worksheet and list of participants the ID number (or else the user name, or the address).
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

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
_MOODLE, _MOODLE_IDS = {"emailaddress", "identifier"}, ("number", "login", "email")
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


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
        by_key = self._keys.get(folded(text))
        return [by_key] if by_key else self._names.get(name_key(text), [])

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
    plain = "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))
    return " ".join(sorted(re.findall(r"[^\W_]+", plain)))


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
    text, notes = _decoded(path)
    rows = list(_rows(text))
    if not rows:
        raise CourseError(f"{path} is empty: it needs a line of headings and a line for each student")
    headings = [_plain(cell) for cell in rows[0][1]]
    columns = _columns(headings, path)
    students = []
    for line, cells in rows[1:]:
        row = dict(zip(headings, map(str.strip, cells), strict=False))
        fields = {field: next((row[name] for name in names if row.get(name)), "") for field, names in columns.items()}
        if "Points Possible" in cells[0] or fields.get("name") == "Student, Test":
            continue  # what Canvas adds to its students
        students.append(_student(fields, line, headings, path))
    if not students:
        raise CourseError(f"{path} names no student: it needs a line for each below its headings")
    _refuse_doubles(students, path)
    return Roster(path, tuple(students), notes)


def _decoded(path: Path) -> tuple[str, tuple[str, ...]]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CourseError(f"the roster {path} cannot be read: {error.strerror}") from error
    encoding = next((name for mark, name in _MARKS.items() if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding), ()
    except UnicodeDecodeError as wrong:
        try:
            note = f"{path.name} is not UTF-8 and was read as Windows-1252: look whether the names are right"
            return data.decode("cp1252"), (note,)
        except UnicodeDecodeError:
            raise CourseError(f"{path} is in no encoding that is known here ({wrong}): save it as UTF-8") from wrong


def _rows(text: str) -> Iterable[tuple[int, list[str]]]:
    """Yield the line number and the cells of each row that is not blank."""
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    before = 0
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield before + 1, cells
        before = reader.line_num


def _plain(heading: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", heading).casefold())


def _columns(headings: Sequence[str], path: Path) -> dict[str, tuple[str, ...]]:
    """Return in which columns each field is looked for."""
    double = next((name for i, name in enumerate(headings) if name and name in headings[:i]), "")
    if double:
        raise CourseError(f"{path} has two columns {double!r}: leave one of them")
    columns = dict(_FIELDS)
    ids: tuple[str, ...] = ()
    if _CANVAS in headings:
        columns["canvas_id"], columns["id"], ids = ("id",), (), _CANVAS_IDS
    elif _MOODLE & set(headings) and "id" not in headings:
        ids = _MOODLE_IDS
    columns["id"] += tuple(name for field in ids for name in columns[field])
    if not set(columns["id"]) & set(headings):
        raise CourseError(f"{path} has no column 'id' with the names of the students' folders: add one")
    return columns


def _student(fields: dict[str, str], line: int, headings: Sequence[str], path: Path) -> Student:
    first, last, name = fields.pop("first"), fields.pop("last"), fields["name"]
    if first or last:
        name = f"{first} {last}".strip()
    elif name.count(",") == 1:  # "Family, Given"
        name = " ".join(part.strip() for part in reversed(name.split(",")))
    moodle_id = fields["moodle_id"].removeprefix("Participant").strip()
    student = Student(**(fields | {"name": name, "moodle_id": moodle_id}), line=line)
    if not student.id:
        raise CourseError(f"{path}, line {line}: {name or 'a student'} has no id: add it, or delete the line")
    if re.search(r"[/\\+\x00-\x1f\x7f]", student.id) or student.id.startswith(".") or student.id != student.id.strip():
        raise CourseError(
            f"{path}, line {line}: {student.id!r} cannot name a folder: no slash, plus sign or leading dot"
        )
    return student


def _refuse_doubles(students: Sequence[Student], path: Path) -> None:
    seen: dict[str, Student] = {}
    for student in students:
        for key in student.keys:
            other = seen.setdefault(key, student)
            if other is not student:
                raise CourseError(
                    f"{path}: lines {other.line} and {student.line} both name {key!r}: each student stands there once"
                )
