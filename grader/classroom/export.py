"""Export scores: into Canvas's gradebook, into Moodle's grading worksheet, or as a table of one's own.

The platforms take back only their own files, so those are filled in: every cell but the scores' keeps its bytes. A
student without a score keeps what stands there, and so do those whom the platform excuses or locks. Names that a
spreadsheet would run as formulas get an apostrophe before them; the columns by which the platforms know a student never
do.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from grader.classroom.roster import Roster, Student, read_people
from grader.classroom.scores import Score
from grader.classroom.tables import Row, Table, plain, read_table, to_csv
from grader.course import CourseError

CANVAS, MOODLE, CSV = "canvas", "moodle", "csv"
#: Digits after the point; Canvas and Moodle show no more.
DIGITS = 2

_WITH_ID = re.compile(r"(.*\S)\s+\((\d+)\)\s*")
_NUMBER = re.compile(r"\s*-?\d+(?:[.,]\d+)?\s*")
#: Canvas's words for who is excused, and for whom the assignment is not.
_LEAVE = ("ex", "n/a")
#: Columns that nobody reads back, by `plain`: what stands there may be made safe.
_CANVAS_NAMES = ("student", "lastname", "firstname", "section")
_MOODLE_KEPT = ("identifier", "grade", "maximumgrade", "lastmodifiedgrade", "feedbackcomments")


@dataclass(frozen=True)
class Change:
    """A score that is written.

    Attributes
    ----------
    student, module : str
        Whose, of which module.
    before, after : str
        What stood there, and what stands there now.
    """

    student: str
    module: str
    before: str
    after: str


@dataclass(frozen=True)
class Kept:
    """A score that is not written.

    Attributes
    ----------
    student, module : str
        Whose, of which module.
    why : str
        In words.
    """

    student: str
    module: str
    why: str


@dataclass(frozen=True)
class Export:
    """A file to be written, and what it tells.

    Attributes
    ----------
    data : bytes
        The file.
    changes : tuple of Change
        Scores that are new or differ.
    same : int
        Scores that stood there already.
    waiting : tuple of Kept
        Scores that wait for a person and were left out.
    strangers : tuple of Kept
        Scores that have no row, or no row of their own.
    kept : tuple of Kept
        Scores that the platform would not take.
    notes : tuple of str
        What a person should look at.
    without : int
        Rows without a score; they stay as they were.
    """

    data: bytes
    changes: tuple[Change, ...] = ()
    same: int = 0
    waiting: tuple[Kept, ...] = ()
    strangers: tuple[Kept, ...] = ()
    kept: tuple[Kept, ...] = ()
    notes: tuple[str, ...] = ()
    without: int = 0


def number(value: float) -> str:
    """Write points: at most `DIGITS` digits after the point, halves up, no zeros at the end."""
    rounded = Decimal(str(round(value, 9))).quantize(Decimal(1).scaleb(-DIGITS), ROUND_HALF_UP)
    text = f"{rounded:f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


# --- A table of one's own -------------------------------------------------------------------------------------


def to_table(
    scores: Iterable[Score], modules: Sequence[str], roster: Roster | None = None, *, with_waiting: bool = False
) -> Export:
    """Write one row a student: the roster's in its order, then those whom it does not know.

    Parameters
    ----------
    scores : iterable of Score
        Of the modules.
    modules : sequence of str
        In the order of the columns: points, answers that wait for a person, days late, points lost, total.
    roster : Roster, optional
        The students.
    with_waiting : bool
        Write totals while answers wait; by default such a total is left empty.
    """
    by_student: dict[str, dict[str, Score]] = defaultdict(dict)
    for score in scores:
        by_student[score.student][score.module] = score
    people = {student.id: student for student in roster.students} if roster else {}
    unknown = sorted(by_student.keys() - people.keys())
    parts = ("points", "waiting", "late days", "lost", "total")
    rows: list[list[str | float]] = [
        ["id", "name", "email", "section", *(f"{module} {part}" for module in modules for part in parts)]
    ]
    changes, waiting = [], []
    for student in (*people, *unknown):
        person = people.get(student, Student(student))
        row: list[str | float] = [student, person.name, person.email, person.section]
        for module in modules:
            if student not in by_student or module not in by_student[student]:
                row += [""] * len(parts)
                continue
            score = by_student[student][module]
            days = score.lateness.days if score.lateness else 0
            row += [_number(score.earned), len(score.waiting), days, _number(score.lost)]
            if score.waiting and not with_waiting:
                waiting.append(Kept(student, module, _waits(score)))
                row.append("")
            else:
                row.append(_number(score.total))
                changes.append(Change(student, module, "", number(score.total)))
        rows.append(row)
    strangers = [
        Kept(student, module, "not in the roster") for student in unknown if roster for module in by_student[student]
    ]
    without = sum(student not in by_student for student in people)
    return Export(to_csv(rows), tuple(changes), 0, tuple(waiting), tuple(strangers), without=without)


def _number(value: float) -> float:
    exact = float(number(value))
    return int(exact) if exact.is_integer() else exact


def _waits(score: Score) -> str:
    return f"{len(score.waiting)} to be graded by a person"


# --- A platform's own file ------------------------------------------------------------------------------------


@dataclass
class _Filling:
    """A platform's file while scores are written into it."""

    table: Table
    with_waiting: bool
    changes: list[Change] = field(default_factory=list)
    same: int = 0
    waiting: list[Kept] = field(default_factory=list)
    strangers: list[Kept] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)

    def put(self, score: Score, row: Row, column: int, refusal: str = "") -> None:
        """Write a score into a cell, if it is to be written."""
        before, after = self.table.text(row, column).strip(), number(score.total)
        if score.waiting and not self.with_waiting:
            self.waiting.append(Kept(score.student, score.module, _waits(score)))
        elif before.casefold() in _LEAVE:
            self.kept.append(Kept(score.student, score.module, f"{before!r} stands there"))
        elif refusal:
            self.kept.append(Kept(score.student, score.module, refusal))
        elif _NUMBER.fullmatch(before) and Decimal(before.replace(",", ".")) == Decimal(after):
            self.same += 1
        else:
            self.table.write(row, column, after)
            self.changes.append(Change(score.student, score.module, before, after))

    def done(self, unsafe: Iterable[int], rows: Sequence[Row], scored: set[int], notes: Sequence[str]) -> Export:
        """Make the columns with names safe, and return the file."""
        for row in rows:
            for column in unsafe:
                self.table.guard(row, column)
        return Export(
            self.table.to_bytes(),
            tuple(self.changes),
            self.same,
            tuple(self.waiting),
            tuple(self.strangers),
            tuple(self.kept),
            (*self.table.notes, *notes),
            sum(row.line not in scored for row in rows),
        )


def to_canvas(
    template: Path,
    scores: Iterable[Score],
    modules: Sequence[str],
    roster: Roster | None = None,
    *,
    with_waiting: bool = False,
    all_needed: bool = True,
) -> Export:
    """Fill in the gradebook that Canvas exports.

    Parameters
    ----------
    template : Path
        The exported file.
    scores : iterable of Score
        Of the modules.
    modules : sequence of str
        Each goes into the column of the assignment of its name or number, "05 Convolution arithmetic (12345)".
    roster : Roster, optional
        Tells which student of Canvas a folder belongs to, where its name is no login, number or name of Canvas.
    with_waiting : bool
        Write scores that wait for a person, too.
    all_needed : bool
        Refuse modules without a column; otherwise they are passed over and named in the notes.

    Raises
    ------
    CourseError
        When it is no such file, a column is missing or not the only one, or gives other points than the course.
    """
    table = read_table(template, "the template ")
    if "id" not in table.names or not {"student", "lastname"} & set(table.names):
        raise CourseError(
            f"{template} is not Canvas's: export the gradebook in Canvas (Grades, Export) and name that file"
        )
    columns, notes = {}, []
    for module in modules:
        column = _canvas_column(table, module, needed=all_needed)
        if column is None:
            notes.append(f"{module}: no column in {template.name}, passed over")
        else:
            columns[module] = column
    possible = next((row for row in table.filled if "Points Possible" in table.text(row, 0)), None)
    filling = _Filling(table, with_waiting)
    lines = {row.line: row for row in table.filled}
    rows = _RowsOf(read_people(table), "canvas_id", roster)
    scored = set()
    mine = [score for score in scores if score.module in columns]
    for score, line in rows.of(mine, filling.strangers):
        column = columns[score.module]
        if possible is not None:
            _refuse_other_points(table.text(possible, column), score, f"Canvas, column {table.headings[column]!r}")
        filling.put(score, lines[line], column)
        scored.add(line)
    names = [i for i, name in enumerate(table.names) if name in _CANVAS_NAMES]
    return filling.done(names, [lines[line] for line in rows.lines], scored, notes)


def _canvas_column(table: Table, module: str, *, needed: bool) -> int | None:
    """Return the column of a module's assignment."""
    digits, _, words = module.partition("_")
    titles = {i: match[1] for i, text in enumerate(table.headings) if (match := _WITH_ID.fullmatch(text))}
    ways = (
        [i for i, title in titles.items() if plain(title) == plain(module)],
        [i for i, title in titles.items() if re.match(rf"\W*{re.escape(digits)}\b", title)],
        [i for i, title in titles.items() if words and plain(title) == plain(words)],
    )
    found = next((way for way in ways if way), [])
    if len(found) > 1:
        which = ", ".join(repr(table.headings[i]) for i in found)
        raise CourseError(
            f"{table.path} has several columns for {module}: {which}; give only one of them its name in Canvas"
        )
    if not found and needed:
        raise CourseError(
            f"{table.path} has no column for {module}: name the assignment {f'{digits} {words}'.replace('_', ' ')!r} "
            "in Canvas, and export the gradebook again"
        )
    return found[0] if found else None


def to_moodle(
    template: Path, scores: Iterable[Score], module: str, roster: Roster | None = None, *, with_waiting: bool = False
) -> Export:
    """Fill in the grading worksheet that Moodle makes for one assignment.

    Parameters
    ----------
    template : Path
        The worksheet.
    scores : iterable of Score
        Of the module.
    module : str
        The module.
    roster, with_waiting
        As `to_canvas`.

    Raises
    ------
    CourseError
        When it is no such file, or gives other points than the course.
    """
    table = read_table(template, "the template ")
    needed = {"identifier": "Identifier", "grade": "Grade", "lastmodifiedgrade": "Last modified (grade)"}
    for name, heading in needed.items():
        if name not in table.names:
            raise CourseError(
                f"{template} has no column {heading!r}: download the grading worksheet from Moodle, in English"
            )
    column = table.names.index("grade")
    most, locked = (table.names.index(n) if n in table.names else None for n in ("maximumgrade", "gradecanbechanged"))
    filling = _Filling(table, with_waiting)
    lines = {row.line: row for row in table.filled}
    rows = _RowsOf(read_people(table), "moodle_id", roster)
    scored = set()
    for score, line in rows.of([score for score in scores if score.module == module], filling.strangers):
        row, refusal = lines[line], ""
        if most is not None:
            _refuse_other_points(table.text(row, most), score, "Moodle")
        if locked is not None and table.text(row, locked).strip().casefold() == "no":
            refusal = "Moodle does not let its grade be changed"
        elif score.total > score.max_points:
            refusal = f"Moodle takes no more than {number(score.max_points)}, not {number(score.total)}"
        filling.put(score, row, column, refusal)
        scored.add(line)
    names = [i for i, name in enumerate(table.names) if name not in _MOODLE_KEPT]
    return filling.done(names, [lines[line] for line in rows.lines], scored, ())


def _refuse_other_points(told: str, score: Score, where: str) -> None:
    """Refuse to write points of another scale; an assignment of 0 points, for extra credit, has none."""
    if not _NUMBER.fullmatch(told):
        return
    most = Decimal(told.replace(",", "."))
    if most > 0 and most != Decimal(number(score.max_points)):
        raise CourseError(
            f"{where}: the assignment gives {number(float(most))} points, {score.module} {number(score.max_points)}; "
            f"set it to {number(score.max_points)} there and export again"
        )


class _RowsOf:
    """Which row of a platform's file is which student's."""

    def __init__(self, people: Sequence[Student], lms_id: str, roster: Roster | None) -> None:
        self._people = Roster(Path(), tuple(people))
        self._lms_id = lms_id
        self._roster = roster
        self.lines = [person.line for person in people]

    def of(self, scores: Sequence[Score], strangers: list[Kept]) -> Iterator[tuple[Score, int]]:
        """Yield scores with their row's line; what has none, or shares one with another student, goes to strangers."""
        lines = {student: self._line(student) for student in {score.student for score in scores}}
        claimed: Mapping[int, list[str]] = defaultdict(list)
        for student, line in sorted(lines.items()):
            if isinstance(line, int):
                claimed[line].append(student)
        for score in scores:
            line = lines[score.student]
            if isinstance(line, str):
                strangers.append(Kept(score.student, score.module, line))
            elif len(claimed[line]) > 1:
                why = f"{' and '.join(claimed[line])} are one student there"
                strangers.append(Kept(score.student, score.module, why))
            else:
                yield score, line

    def _line(self, student: str) -> int | str:
        """Return a row's line, or why there is none."""
        person = self._roster.by_id(student) if self._roster else None
        person = person or Student(student, name=student)
        own = getattr(person, self._lms_id)
        found = self._people.by_lms_id(self._lms_id, own) if own else None
        if found is not None:
            return found.line
        for key in (person.id, person.login, person.number, person.email):
            rows = self._people.by_key(key)
            if rows is not None:
                return rows.line
        named = self._people.called(person.name) if person.name else []
        if self._lms_id == "canvas_id" and own:
            named = []  # Canvas's number is a person's own: this is another one of the same name
        if len(named) == 1:
            return named[0].line
        return (
            "several students there have this name: add the platform's ids to the roster" if named else "no row there"
        )
