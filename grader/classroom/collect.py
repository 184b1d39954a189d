"""Collect what a class handed in, from wherever it lies, into nbgrader's ``submitted/STUDENT/MODULE/MODULE.ipynb``.

Understood are folders and zips of them, Canvas's and Moodle's downloads of all submissions, and mixtures. The names in
a download are made by the platforms' own rules, which are followed here:

- Canvas: ``lastfirst[_LATE]_USER_FILE_name.ipynb``, letters and digits of the name alone; ``anon_KEY`` takes the place
  of name and user; ``-1`` before the ending marks a file handed in again.
- Moodle: ``Full Name_PARTICIPANT_assignsubmission_file/name.ipynb``, in older versions with ``_`` after ``file``, or
  all in one name; characters that file names cannot have are left out of the name. A participant's number is another
  one in every assignment.

Bytes are never changed, and nothing is lost: a submission that another one takes the place of is kept in
``submitted/.earlier/STUDENT/MODULE/``, where neither nbgrader nor this grader looks for submissions.
"""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from grader.classroom.files import write_whole
from grader.classroom.late import FILE as POLICY_FILE
from grader.classroom.late import read_policy
from grader.classroom.roster import Roster, Student, can_name_a_folder, read_people, run_together
from grader.classroom.tables import read_table
from grader.course import Course, CourseError
from grader.engine.layouts import NOTEBOOK, Contents, Entry, arranged, is_notebook, module_in, read_contents
from grader.engine.submission import UnreadableError, refuse_large

#: Holds what was replaced. Hidden: neither nbgrader's patterns nor our own search look into it.
EARLIER = ".earlier"
TIMESTAMP = "timestamp.txt"
#: In place of a worksheet: trust the times in the zip.
ZIP = "zip"

_CANVAS_WHO = r"(?:(?P<late>LATE_)?anon_[A-Za-z0-9]+|(?P<name>\S*?)(?P<named_late>_LATE)?_(?P<number>\d+))"
_CANVAS = re.compile(rf"{_CANVAS_WHO}_(?P<upload>\d+)_(?P<file>.+)")
_CANVAS_TEXT = re.compile(rf"{_CANVAS_WHO}_(?:text|link)\.html")
_MOODLE = re.compile(r"(?P<name>.+?)(?:_(?P<number>\d+))?_assignsubmission_(?P<kind>[a-z]+)(?:_(?P<file>.*))?")
#: What a platform or a browser adds to the name of a file that comes a second time.
_AGAIN = re.compile(r"\s*\((\d+)\)$|-(\d+)$")
#: Moodle's dates in English, of the world and of the United States.
_DATES = ("%A, %d %B %Y, %I:%M %p", "%A, %B %d, %Y, %I:%M %p", "%A, %d %B %Y, %H:%M")


@dataclass(frozen=True)
class Line:
    """What became of one submission.

    Attributes
    ----------
    student, module : str
        Whose, to which module.
    name : str
        Its place in what was collected.
    state : str
        "new"; "unchanged"; "replaced" (what was there is kept as an earlier one); "timed" (only the time was put
        right); "older" (what is there came later and stays).
    handed_in : str
        When, UTC, ISO 8601; empty where that is not known.
    remarks : tuple of str
        What is worth telling: late by Canvas's word, other files of the same student.
    """

    student: str
    module: str
    name: str
    state: str
    handed_in: str = ""
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Left:
    """Something that was not collected.

    Attributes
    ----------
    name : str
        Its place.
    why : str
        In words.
    """

    name: str
    why: str


@dataclass(frozen=True)
class Collected:
    """What was collected, and what was not.

    Attributes
    ----------
    to : Path
        The folder.
    lines : tuple of Line
        In order of module and student.
    unmatched : tuple of Left
        Nobody knows whose they are or to which module, or they cannot be read.
    doubles : tuple of Left
        There are several of a student, and none of them is clearly the one that counts.
    missing : tuple of (str, str)
        Module and student: in the roster, and nothing is handed in, now or before.
    texts : int
        Texts and links typed into a form, which are no files.
    others : tuple of str
        Files that are no notebooks.
    """

    to: Path
    lines: tuple[Line, ...]
    unmatched: tuple[Left, ...]
    doubles: tuple[Left, ...]
    missing: tuple[tuple[str, str], ...]
    texts: int
    others: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Whether all notebooks were collected."""
        return not self.unmatched and not self.doubles


@dataclass(frozen=True)
class _Handed:
    """A notebook, and what its name tells.

    Attributes
    ----------
    name : str
        Its place.
    file : str
        The file's name without what the platform put before it.
    data : callable
        Returns its bytes.
    field, number : str
        Of the platform's ids: ``canvas_id`` or ``moodle_id``, and which.
    called : str
        The student's or folder's name.
    module : str
        Empty where the name tells none.
    upload : int
        Canvas's number of the file; later ones are higher.
    changed : datetime, optional
        By a zip's word.
    handed_in : datetime, optional
        By a ``timestamp.txt`` beside it, in UTC.
    remarks : tuple of str
        What is worth telling.
    """

    name: str
    file: str
    data: Callable[[], bytes]
    called: str
    module: str
    field: str = ""
    number: str = ""
    upload: int = 0
    changed: datetime | None = None
    handed_in: datetime | None = None
    remarks: tuple[str, ...] = ()

    @functools.cached_property
    def stem(self) -> str:
        """The file's name without ending and without the mark of a second time."""
        return _AGAIN.sub("", NOTEBOOK.sub("", self.file))

    @property
    def order(self) -> tuple[int, int]:
        """What grows when a student hands in again."""
        again = _AGAIN.search(NOTEBOOK.sub("", self.file))
        return self.upload, int(again[1] or again[2]) if again else 0


@dataclass
class _Pile:
    """What was found, before anybody knows whose it is."""

    handed: list[_Handed] = field(default_factory=list)
    unmatched: list[Left] = field(default_factory=list)
    texts: int = 0
    others: list[str] = field(default_factory=list)


def collect(
    course: Course,
    source: Path,
    *,
    module: str = "",
    roster: Roster | None = None,
    to: Path | None = None,
    times: str = "",
    dry_run: bool = False,
) -> Collected:
    """Collect the submissions in a folder, a zip or a platform's download.

    Parameters
    ----------
    course : Course
        The course.
    source : Path
        What was handed in.
    module : str
        To which module, for files whose names do not tell; those that name another module are not collected.
    roster : Roster, optional
        The students. Without one the folders' names are taken as the students'; a platform's download needs one.
    to : Path, optional
        The course's folder ``submitted`` by default.
    times : str
        Path of Moodle's grading worksheet, or `ZIP`; both tell the time by the clocks of the late policy's time zone.
    dry_run : bool
        Change nothing.

    Raises
    ------
    CourseError
        When the source, the worksheet or the late policy cannot be read, or a roster is needed.
    OSError
        When the folder cannot be written; what was collected so far stays, and the same call goes on from there.
    """
    to = to or course.root / "submitted"
    modules = course.modules()
    contents = read_contents(source)
    pile = _sorted_out(contents, modules)
    by_platform = [item for item in pile.handed if item.field]
    if by_platform and roster is None:
        raise CourseError(
            f"{by_platform[0].name} is of a platform's download: name the students with --roster; "
            "the gradebook that Canvas exports or Moodle's grading worksheet will do"
        )
    clock = _Clock.of(course, times)
    groups: dict[tuple[str, str], list[_Handed]] = defaultdict(list)
    for item in pile.handed:
        target = item.module or module
        student = _whose(item, roster, clock)
        if isinstance(student, Left):
            pile.unmatched.append(student)
        elif target not in modules:
            pile.unmatched.append(Left(item.name, "its module is unknown; name it with --module"))
        elif module not in ("", target):
            pile.unmatched.append(Left(item.name, f"it is named after {target}, not after {module}"))
        else:
            groups[target, student].append(item)
    lines, doubles = [], []
    for (target, student), items in sorted(groups.items()):
        chosen = _chosen(items, target)
        if isinstance(chosen, list):
            doubles += chosen
            continue
        try:
            data = chosen.data()
            refuse_large(len(data))  # a zip's member can hold more than it declares
        except UnreadableError as problem:
            pile.unmatched.append(Left(chosen.name, str(problem)))
            continue
        when = clock.handed_in(chosen)
        state = _Place(to, student, target).take(data, when, dry_run=dry_run)
        handed_in = when.replace(tzinfo=UTC).isoformat() if when else ""
        remarks = chosen.remarks + _odd_name(chosen, roster.by_id(student) if roster else None)
        lines.append(Line(student, target, chosen.name, state, handed_in, remarks))
    there = {(line.module, line.student) for line in lines}
    missing = [
        (target, student.id)
        for target in sorted({line.module for line in lines} | ({module} if module else set()))
        for student in (roster.students if roster else ())
        if (target, student.id) not in there and not _Place(to, student.id, target).notebook.exists()
    ]
    return Collected(
        to, tuple(lines), tuple(pile.unmatched), tuple(doubles), tuple(missing), pile.texts, tuple(pile.others)
    )


# --- What names tell ------------------------------------------------------------------------------------------


def _sorted_out(contents: Contents, modules: Sequence[str]) -> _Pile:
    pile = _Pile(unmatched=[Left(name, "a name that is not safe, or there twice") for name in contents.passed_over])
    rest: list[Entry] = []
    for entry in contents.entries:
        item = _by_moodle(entry, modules, pile) or _by_canvas(entry, modules, pile)
        if item is None:
            rest.append(entry)
        elif isinstance(item, _Handed):
            pile.handed.append(item)
    stamps = {entry.parts[-3:-1]: entry.open for entry in rest if entry.parts[-1] == TIMESTAMP}
    changed = {entry.parts[-3:]: entry.changed for entry in rest}
    for found in arranged(rest, modules, archive=contents.archive):
        if found.problem:
            pile.unmatched.append(Left(found.name, found.problem))
            continue
        parts = tuple(found.name.split("/"))
        remarks, when = list(found.remarks), None
        if parts[-3:-1] in stamps:
            when = _timestamp(stamps[parts[-3:-1]])
            if when is None:
                remarks.append(f"Its {TIMESTAMP} holds no time; it was not taken.")
        pile.handed.append(
            _Handed(
                found.name,
                parts[-1],
                found.data,
                called=found.student,
                module=found.assignment,
                changed=changed.get(parts[-3:]),
                handed_in=when,
                remarks=tuple(remarks),
            )
        )
    pile.others += [
        entry.name
        for entry in rest
        if entry.kind == "file" and entry.parts[-1] != TIMESTAMP and not is_notebook(entry.parts[-1])
    ]
    return pile


def _by_moodle(entry: Entry, modules: Sequence[str], pile: _Pile) -> _Handed | bool | None:
    """Return what a file of Moodle's is, True for one that is counted only, None for one that is not Moodle's."""
    found = next(((part, match) for part in entry.parts if (match := _MOODLE.fullmatch(part))), None)
    if found is None:
        return None
    part, match = found
    if entry.kind == "folder":
        return True
    file = entry.parts[-1] if part != entry.parts[-1] else match["file"] or ""
    if match["kind"] != "file":
        pile.texts += 1
        return True
    if not is_notebook(file):
        pile.others.append(entry.name)
        return True
    module = _module_of(file, entry, modules)
    number, called = match["number"] or "", match["name"]
    return _Handed(entry.name, file, entry.open, called, module, "moodle_id", number, changed=entry.changed)


def _by_canvas(entry: Entry, modules: Sequence[str], pile: _Pile) -> _Handed | bool | None:
    """As `_by_moodle`."""
    name = entry.parts[-1]
    if entry.kind == "folder" or (len(entry.parts) > 2 and entry.parts[-2] in modules):
        return None
    if _CANVAS_TEXT.fullmatch(name):
        pile.texts += 1
        return True
    match = _CANVAS.fullmatch(name)
    # The number of a module is not Canvas's.
    if match is None or module_in(name, modules) != module_in(match["file"], modules):
        return None
    if not is_notebook(name):
        pile.others.append(entry.name)
        return True
    remarks = (
        ("Late, by Canvas's word; it does not tell when it came.",) if match["late"] or match["named_late"] else ()
    )
    return _Handed(
        entry.name,
        match["file"],
        entry.open,
        match["name"] or "",
        _module_of(match["file"], entry, modules),
        "canvas_id",
        match["number"] or "",
        int(match["upload"]),
        entry.changed,
        remarks=remarks,
    )


def _module_of(file: str, entry: Entry, modules: Sequence[str]) -> str:
    """Return the module that a file's name tells, or else a folder's."""
    return module_in(file, modules) or next((part for part in entry.parts[:-1] if part in modules), "")


# --- Whose it is ----------------------------------------------------------------------------------------------


def _whose(item: _Handed, roster: Roster | None, clock: _Clock) -> str | Left:
    """Return a student's id, or why nobody's."""
    if roster is None:
        if can_name_a_folder(item.called):
            return item.called
        return Left(item.name, "its folder's or file's name cannot be a student's")
    if not item.field:
        return _only(roster.find(item.called) or roster.called(item.called), item, f"{item.called!r}")
    known = roster.by_lms_id(item.field, item.number)
    if known is None and item.number in clock.people:
        known = _same_person(clock.people[item.number], roster)
    if known is not None:
        return known.id
    if not item.called or item.called == "Participant":
        return Left(item.name, "it is anonymous, and the roster does not have its number")
    students = roster.called(item.called)
    if item.field == "canvas_id":
        # Canvas's numbers are a person's own: another number is another person of the same name.
        students = [student for student in students if not (item.number and student.canvas_id)]
    number = f" ({item.number})" if item.number else ""
    return _only(students, item, f"{item.called!r}{number}")


def _only(students: Sequence[Student], item: _Handed, called: str) -> str | Left:
    if len(students) == 1:
        return students[0].id
    if students:
        ids = ", ".join(student.id for student in students)
        return Left(item.name, f"{called} can be any of {ids}: add the platform's ids to the roster")
    return Left(item.name, f"{called} is not in the roster; a group's name, or somebody who left?")


def _same_person(person: Student, roster: Roster) -> Student | None:
    """Return the roster's student whom a worksheet's row names."""
    keys = (person.number, person.login, person.email)
    by_key = next((found[0] for key in keys if key and len(found := roster.find(key)) == 1), None)
    if by_key is not None:
        return by_key
    by_name = roster.called(person.name) if person.name else []
    return by_name[0] if len(by_name) == 1 else None


# --- Which one counts -----------------------------------------------------------------------------------------


def _chosen(items: list[_Handed], module: str) -> _Handed | list[Left]:
    """Return the latest of a student's notebooks, or all of them where it is not clear which one that is."""
    sources = {(item.field, item.number, item.called) for item in items}
    if len(sources) > 1:
        called = " and ".join(sorted({f"{item.called} {item.number}".strip() for item in items}))
        return [
            Left(item.name, f"{called} are one student by the roster: mend it, or leave one of them") for item in items
        ]
    named = [item for item in items if item.stem == module]
    best = sorted(named or items, key=lambda item: item.order)
    files = ", ".join(item.file for item in items)
    if len({item.stem for item in best}) > 1:
        return [Left(item.name, f"one of {len(items)} notebooks ({files}), none named {module}") for item in items]
    if len(best) > 1 and best[-1].order == best[-2].order:
        return [Left(item.name, f"one of {len(items)} notebooks ({files}): leave one of them") for item in items]
    chosen = best[-1]
    remarks = list(chosen.remarks)
    earlier = [item.file for item in best[:-1]]
    others = [item.file for item in items if item not in best]
    if earlier:
        remarks.append(f"Handed in before, not collected: {', '.join(earlier)}.")
    if others:
        remarks.append(f"Other notebooks, not collected: {', '.join(others)}.")
    return replace(chosen, remarks=tuple(remarks))


def _odd_name(item: _Handed, student: Student | None) -> tuple[str, ...]:
    """Tell of a platform's file that came under another name: a group's, or the roster's number is another's."""
    name = run_together(item.called)
    if not item.field or not name or student is None or not student.spellings:
        return ()
    if any(spelling in name for spelling in student.spellings):
        return ()
    return (f"Handed in as {item.called!r}: a group's? It was collected for this student alone.",)


# --- When it came ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Clock:
    """What is known of times.

    Attributes
    ----------
    zone : tzinfo, optional
        By which clocks the worksheet or the zip tells them.
    by_zip : bool
        Trust the zip.
    times : dict of str to datetime
        By Moodle's participant, UTC without a zone.
    people : dict of str to Student
        Whom the worksheet names, by participant.
    """

    zone: tzinfo | None = None
    by_zip: bool = False
    times: dict[str, datetime] = field(default_factory=dict)
    people: dict[str, Student] = field(default_factory=dict)

    @classmethod
    def of(cls, course: Course, times: str) -> _Clock:
        if not times:
            return cls()
        policy = read_policy(course)
        if policy is None:
            raise CourseError(
                f"{times} tells times without a zone: say by whose clocks in {course.root / POLICY_FILE}, "
                'as timezone = "Europe/Berlin"'
            )
        if times == ZIP:
            return cls(policy.timezone, by_zip=True)
        return cls(policy.timezone, False, *_read_worksheet(Path(times), policy.timezone))

    def handed_in(self, item: _Handed) -> datetime | None:
        """Return when a submission came, in UTC without a zone."""
        if item.field == "moodle_id" and item.number in self.times:
            return self.times[item.number]
        if self.by_zip and self.zone is not None and item.changed is not None:
            return _utc(item.changed, self.zone)
        return item.handed_in


def _read_worksheet(path: Path, zone: tzinfo) -> tuple[dict[str, datetime], dict[str, Student]]:
    """Return times and people of Moodle's grading worksheet, by participant."""
    table = read_table(path, "the worksheet ")
    needed = {"identifier": "Identifier", "lastmodifiedsubmission": "Last modified (submission)"}
    for name, heading in needed.items():
        if name not in table.names:
            raise CourseError(
                f"{path} has no column {heading!r}: download the grading worksheet from Moodle, in English"
            )
    column = table.names.index("lastmodifiedsubmission")
    rows = {row.line: row for row in table.filled}
    times, people = {}, {}
    for person in read_people(table):
        people[person.moodle_id] = person
        text = " ".join(table.text(rows[person.line], column).split())
        if text not in ("", "-"):
            times[person.moodle_id] = _utc(_moodle_time(text, path, person.line), zone)
    return times, people


def _moodle_time(text: str, path: Path, line: int) -> datetime:
    for form in _DATES:
        try:
            return datetime.strptime(text, form)
        except ValueError:
            continue
    raise CourseError(
        f"{path}, line {line}: {text!r} is no date as 'Friday, 27 February 2026, 6:00 PM': "
        "download the worksheet with Moodle in English"
    )


def _utc(moment: datetime, zone: tzinfo) -> datetime:
    # An hour that the clocks show twice is taken as the first: nobody is late by our guess.
    return moment.replace(tzinfo=zone).astimezone(UTC).replace(tzinfo=None)


def _timestamp(read: Callable[[], bytes]) -> datetime | None:
    """Return the time that a ``timestamp.txt`` holds, in UTC without a zone; None where it holds none."""
    try:
        text = read().decode().strip()
        from grader.gradebook import parse_timestamp

        return parse_timestamp(text, Path(TIMESTAMP))
    except (OSError, UnicodeDecodeError, UnreadableError, CourseError):
        return None


# --- Where it goes --------------------------------------------------------------------------------------------


class _Place:
    """Where a student's submission to a module lies."""

    def __init__(self, to: Path, student: str, module: str) -> None:
        self.notebook = to / student / module / f"{module}.ipynb"
        self._stamp = self.notebook.with_name(TIMESTAMP)
        self._earlier = to / EARLIER / student / module

    def take(self, data: bytes, when: datetime | None, *, dry_run: bool) -> str:
        """Put a submission there, and return what became of it; see `Line`."""
        if self.notebook.is_symlink():
            raise CourseError(f"{self.notebook} is a link: put the file itself there, or take the link away")
        present = self.notebook.read_bytes() if self.notebook.exists() else None
        present_when = _timestamp(self._stamp.read_bytes)
        if present == data:
            if when is None or when == present_when:
                return "unchanged"
            state = "timed"
        elif present is None:
            state = "new"
        elif (when and present_when and when < present_when) or self._is_earlier(data):
            return "older"
        else:
            state = "replaced"
        if not dry_run:
            if state == "replaced" and present is not None:
                self._keep(present)
            if state != "timed":
                # First, so that no crash leaves the time of one submission beside another.
                self._stamp.unlink(missing_ok=True)
                write_whole(self.notebook, data)
            if when is not None:
                digits = "%Y-%m-%d %H:%M:%S.%f" if when.microsecond else "%Y-%m-%d %H:%M:%S"
                write_whole(self._stamp, f"{when:{digits}} UTC\n".encode())
        return state

    def _kept(self) -> Iterable[Path]:
        return sorted(self._earlier.glob("*.ipynb"))

    def _is_earlier(self, data: bytes) -> bool:
        return any(path.read_bytes() == data for path in self._kept())

    def _keep(self, data: bytes) -> None:
        if self._is_earlier(data):
            return  # a crash stopped an earlier run between keeping and replacing
        number = 1 + sum(1 for _ in self._kept())
        if self._stamp.exists():
            write_whole(self._earlier / f"{self.notebook.stem}.{number}.{TIMESTAMP}", self._stamp.read_bytes())
        write_whole(self._earlier / f"{self.notebook.stem}.{number}.ipynb", data)
