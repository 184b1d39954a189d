"""The one writer of nbgrader's gradebook: one open connection, one commit a submission.

The rows are those that ``nbgrader autograde`` of nbgrader 0.9.6 would leave, so formgrader, nbgrader's exports and its
feedback go on from there. Two things differ, both on the second grading of a submission: a score that a person gave is
put up for a new look only where what they looked at has changed, and a question on which the grader itself failed waits
for a person.

nbgrader's own models are not used: importing them costs seconds, and they commit cell by cell.
"""

from __future__ import annotations

import contextlib
import errno
import importlib.util
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from grader.autograded import Shown, SourceCell, answered, make_notebook, read_shown, shown
from grader.classroom.late import LatePolicy, read_policy
from grader.course import Course, CourseError
from grader.engine.put_back import put_back
from grader.engine.release import Release
from grader.engine.result import Outcome, Result
from grader.engine.submission import Submission

#: Revision of the schema, which nbgrader 0.9.6 writes into a new gradebook.
REVISION = "e43177bfe90b"
#: Seconds to wait for another program that holds the gradebook, and once that was in vain: a class is not to wait
#: as often as it has students.
PATIENCE, LESS_PATIENCE = 10, 1
#: What nbgrader notes at an answer in which nothing was written.
NO_RESPONSE = "No response."
#: Longest student id that the schema holds, in characters.
LONGEST_ID = 128

#: Key of a connection's notes for the statement that begins a transaction in SQLite.
_BEGIN = "begin"
# What databases say where another program holds what is to be written, and where there is no server.
_HELD = re.compile(r"database (table )?is locked|lock timeout|locking protocol")
_AWAY = re.compile(r"connect|terminat|shutting down|starting up|server closed", re.I)
# What a folder's name or a database cannot hold.
_NOT_IN_ID = re.compile(r"[/\\\x00-\x1f\x7f\ud800-\udfff]")


def _table(table: str, /, **columns: type[sa.types.TypeEngine[Any]]) -> sa.TableClause:
    return sa.table(table, *(sa.column(column, kind) for column, kind in columns.items()))


_REVISION = _table("alembic_version", version_num=sa.String)
_STUDENT = _table("student", id=sa.String)
_ASSIGNMENT = _table("assignment", id=sa.String, name=sa.String, duedate=sa.DateTime)
_NOTEBOOK = _table("notebook", id=sa.String, name=sa.String, assignment_id=sa.String)
_CELL = _table("base_cell", id=sa.String, name=sa.String, notebook_id=sa.String, type=sa.String)
_GRADE_CELL = _table("grade_cells", id=sa.String, max_score=sa.Float)
_SOURCE = _table("source_cell", name=sa.String, notebook_id=sa.String, locked=sa.Boolean, checksum=sa.String)
_SUBMITTED = _table(
    "submitted_assignment",
    id=sa.String,
    assignment_id=sa.String,
    student_id=sa.String,
    timestamp=sa.DateTime,
    extension=sa.Interval,
)
_SUBMITTED_NOTEBOOK = _table(
    "submitted_notebook",
    id=sa.String,
    assignment_id=sa.String,
    notebook_id=sa.String,
    flagged=sa.Boolean,
    late_submission_penalty=sa.Float,
)
_GRADE = _table(
    "grade",
    id=sa.String,
    notebook_id=sa.String,
    cell_id=sa.String,
    auto_score=sa.Float,
    manual_score=sa.Float,
    extra_credit=sa.Float,
    needs_manual_grade=sa.Boolean,
)
_COMMENT = _table(
    "comment",
    id=sa.String,
    notebook_id=sa.String,
    cell_id=sa.String,
    auto_comment=sa.Text,
    manual_comment=sa.Text,
)
TABLES = (
    _REVISION,
    _STUDENT,
    _ASSIGNMENT,
    _NOTEBOOK,
    _CELL,
    _GRADE_CELL,
    _SOURCE,
    _SUBMITTED,
    _SUBMITTED_NOTEBOOK,
    _GRADE,
    _COMMENT,
)


@dataclass(frozen=True)
class ManualGrade:
    """What a person gave for a cell in formgrader, or has yet to give.

    Attributes
    ----------
    score : float, optional
        Points; they take the place of the tests'.
    extra_credit : float, optional
        Points on top.
    comment : str, optional
        For the student.
    pending : bool
        Somebody has to look at it.
    """

    score: float | None
    extra_credit: float | None
    comment: str | None
    pending: bool


@dataclass(frozen=True)
class _Module:
    """A module's rows, read once."""

    assignment: str
    notebook: str
    duedate: datetime | None
    grades: dict[str, str]
    solutions: dict[str, str]
    points: dict[str, float]
    sources: dict[str, SourceCell]


@dataclass(frozen=True)
class _Submitted:
    """The rows of one submission."""

    notebook: str
    handed_in: datetime | None
    seconds_late: float
    known: bool


def open_gradebook(course: Course, url: str | None = None) -> Gradebook:
    """Open a course's gradebook for writing.

    Parameters
    ----------
    course : Course
        The course.
    url : str, optional
        Database URL as SQLAlchemy reads it, ``postgresql://user@host/name``; by default the SQLite file
        ``gradebook.db`` of the course, which ``grader build`` makes. Modules that a database given by its URL does not
        hold yet are entered into it by nbgrader.

    Raises
    ------
    CourseError
        When it cannot be opened, or another version of nbgrader made it.
    """
    return Gradebook(course, url)


def read_manual_scores(course: Course, module: str, url: str | None = None) -> dict[str, dict[str, ManualGrade]]:
    """Return what people gave in formgrader for a module's submissions, and what waits for them.

    Returns
    -------
    dict of str to dict of str to ManualGrade
        Per student and cell; only cells with a score, a credit or a comment of a person, or that wait for one.

    Raises
    ------
    CourseError
        As `open_gradebook`.
    """
    with open_gradebook(course, url) as gradebook:
        return gradebook.manual_scores(module)


class Gradebook:
    """An open gradebook; one process at a time should write.

    Open it in the process that writes, after the workers were forked. It is a context manager.
    """

    def __init__(self, course: Course, url: str | None = None) -> None:
        self._course = course
        self._is_own = url is None
        self._url = _read_url(url or f"sqlite:///{course.root / 'gradebook.db'}")
        self._name = self._url.render_as_string(hide_password=True)
        if self._url.get_backend_name() == "sqlite":
            self._name = str(self._url.database)
            if self._is_own and not Path(self._name).is_file():
                raise CourseError(f"there is no gradebook at {self._name} yet: run grader build")
        self._modules: dict[str, _Module] = {}
        self._policy: LatePolicy | None = read_policy(course)
        self._late: Callable[[str, float, float], float | None] | None = None
        self._connection: sa.Connection | None = None
        try:
            with self._told():
                self._engine = _make_engine(self._url)
                self._connection = self._engine.connect()
                self._check_revision()
        except CourseError:
            self.close()
            raise

    def __enter__(self) -> Gradebook:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._engine.dispose()
            self._connection = None

    def write(
        self,
        release: Release,
        result: Result,
        submission: Submission | None = None,
        submitted_at: datetime | None = None,
    ) -> None:
        """Enter a result in one transaction, and write the notebook that formgrader shows with it.

        Parameters
        ----------
        release : Release
            The module as it was graded.
        result : Result
            The result; writing it again changes nothing.
        submission : Submission, optional
            What was handed in; None where nothing was.
        submitted_at : datetime, optional
            When; by default what ``submitted/STUDENT/MODULE/timestamp.txt`` says, as for nbgrader. formgrader lists a
            submission as graded where the two agree.

        Raises
        ------
        CourseError
            When the module or the result is of another version, when another program does not let go of the gradebook,
            or when the disk is full. The submission is then not in the gradebook, and an earlier result still is.
        """
        _refuse_bad_student(result.student)
        module = self._module(release)
        if {cell.cell for cell in result.cells} | {cell.cell for cell in result.written} != module.grades.keys():
            raise CourseError(
                f"the result of {result.student} is of another version of {release.module}: grade it again"
            )
        plan = put_back(release, submission) if submission is not None and not submission.problem else None
        notebook = make_notebook(release, result, submission, plan, module.sources)
        handed_in = _utc(submitted_at) if submitted_at else self._timestamp(result)
        path = self._course.root / "autograded" / result.student / release.module / f"{release.module}.ipynb"
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        with self._told():
            try:
                # Written first, named last: a full disk costs no grade, and after a crash in between what a person saw
                # is still there to compare with.
                path.parent.mkdir(parents=True, exist_ok=True)
                temporary.write_bytes(notebook)
                with self._writing():
                    submitted = self._enter_submission(module, result, handed_in)
                    before = _read_before(path) if submitted.known else None
                    score = self._enter_grades(module, result, submitted.notebook, before)
                    self._enter_comments(module, result, submitted.notebook, answered(release, plan))
                    self._enter_notebook(result, submitted, score, before)
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)

    def manual_scores(self, module: str) -> dict[str, dict[str, ManualGrade]]:
        """Return what people gave for a module's submissions; see `read_manual_scores`."""
        grade, comment = _GRADE.c, _COMMENT.c
        rows_of = (
            sa.select(_SUBMITTED.c.student_id, _CELL.c.name)
            .join_from(_SUBMITTED, _ASSIGNMENT, _ASSIGNMENT.c.id == _SUBMITTED.c.assignment_id)
            .join(_SUBMITTED_NOTEBOOK, _SUBMITTED_NOTEBOOK.c.assignment_id == _SUBMITTED.c.id)
            .where(_ASSIGNMENT.c.name == module)
        )
        graded = (
            rows_of.add_columns(grade.manual_score, grade.extra_credit, grade.needs_manual_grade)
            .join(_GRADE, grade.notebook_id == _SUBMITTED_NOTEBOOK.c.id)
            .join(_CELL, _CELL.c.id == grade.cell_id)
            .where(grade.needs_manual_grade | grade.manual_score.is_not(None) | grade.extra_credit.is_not(None))
        )
        commented = (
            rows_of.add_columns(comment.manual_comment)
            .join(_COMMENT, comment.notebook_id == _SUBMITTED_NOTEBOOK.c.id)
            .join(_CELL, _CELL.c.id == comment.cell_id)
            .where(comment.manual_comment.is_not(None))
        )
        with self._told():
            if not self._tables():
                return {}
        with self._told(), self._open.begin():
            comments = {(row.student_id, row.name): row.manual_comment for row in self._open.execute(commented)}
            grades = self._open.execute(graded).all()
        found: dict[str, dict[str, ManualGrade]] = {}
        for row in grades:
            told = comments.pop((row.student_id, row.name), None)
            found.setdefault(row.student_id, {})[row.name] = ManualGrade(
                row.manual_score, row.extra_credit, told, row.needs_manual_grade
            )
        for (student, name), told in comments.items():
            found.setdefault(student, {})[name] = ManualGrade(None, None, told, False)
        return found

    def handed_in(self, module: str) -> dict[str, datetime]:
        """Return when each student handed in a module, in UTC without a zone; only where that is known."""
        submitted = _SUBMITTED.c
        asked = (
            sa.select(submitted.student_id, submitted.timestamp)
            .join_from(_SUBMITTED, _ASSIGNMENT, _ASSIGNMENT.c.id == submitted.assignment_id)
            .where(_ASSIGNMENT.c.name == module, submitted.timestamp.is_not(None))
        )
        with self._told():
            if not self._tables():
                return {}
        with self._told(), self._open.begin():
            return {row.student_id: row.timestamp for row in self._open.execute(asked)}

    # Opening.

    @property
    def _open(self) -> sa.Connection:
        if self._connection is None:
            raise ValueError("the gradebook is closed")
        return self._connection

    def _tables(self) -> list[str]:
        try:
            return sa.inspect(self._open).get_table_names()
        finally:
            self._open.rollback()  # ends the transaction that looking began

    def _check_revision(self) -> None:
        tables = self._tables()
        if not tables and not self._is_own:
            return
        with self._open.begin():
            rows = self._open.execute(sa.select(_REVISION.c.version_num)).all() if "alembic_version" in tables else []
        found = rows[0][0] if rows else "none"
        if found != REVISION:
            if found in _older_revisions() | {"none"}:
                raise CourseError(
                    f"{self._name} was made by an older nbgrader (schema {found}, here {REVISION}): "
                    "back it up and run nbgrader db upgrade"
                )
            raise CourseError(
                f"{self._name} was made by a newer nbgrader (schema {found}, here {REVISION}): "
                "install that nbgrader, put a backup in its place, or move it away and run grader build"
            )

    def _module(self, release: Release) -> _Module:
        """Return a module's rows; where a database given by URL lacks them, let nbgrader enter them."""
        known = self._modules.get(release.module)
        if known is None:
            with self._told():
                known = self._read_module(release.module)
                if not self._is_own and not _agrees(known, release):
                    self._enter_module(release.module)
                    known = self._read_module(release.module)
            if known is None:
                raise CourseError(f"{release.module} is not in the gradebook: run grader build {release.module}")
            self._modules[release.module] = self._with_due_date(release.module, known)
        if not _agrees(known, release):
            del self._modules[release.module]
            raise CourseError(
                f"the gradebook holds another version of {release.module}: run grader build {release.module}"
            )
        return known

    def _with_due_date(self, module: str, known: _Module) -> _Module:
        """Let formgrader show the due date that the course's late policy gives a module."""
        due = self._policy.due.get(module) if self._policy else None
        if due is None or _utc(due) == known.duedate:
            return known
        with self._told(), self._writing():
            where = _ASSIGNMENT.c.id == known.assignment
            self._open.execute(_ASSIGNMENT.update().where(where), {"duedate": _utc(due)})
        return replace(known, duedate=_utc(due))

    def _read_module(self, module: str) -> _Module | None:
        if not self._tables():
            return None
        where = (
            sa.select(_ASSIGNMENT.c.id, _ASSIGNMENT.c.duedate, _NOTEBOOK.c.id.label("notebook"))
            .join_from(_ASSIGNMENT, _NOTEBOOK, _NOTEBOOK.c.assignment_id == _ASSIGNMENT.c.id)
            .where(_ASSIGNMENT.c.name == module, _NOTEBOOK.c.name == module)
        )
        with self._open.begin():
            row = self._open.execute(where).one_or_none()
            if row is None:
                return None
            cells = self._open.execute(
                sa.select(_CELL.c.id, _CELL.c.name, _CELL.c.type, _GRADE_CELL.c.max_score)
                .join_from(_CELL, _GRADE_CELL, _GRADE_CELL.c.id == _CELL.c.id, isouter=True)
                .where(_CELL.c.notebook_id == row.notebook)
            ).all()
            sources = self._open.execute(
                sa.select(_SOURCE.c.name, _SOURCE.c.locked, _SOURCE.c.checksum).where(
                    _SOURCE.c.notebook_id == row.notebook
                )
            ).all()
        grades = {cell.name: cell.id for cell in cells if cell.type == "GradeCell"}
        solutions = {cell.name: cell.id for cell in cells if cell.type == "SolutionCell"}
        return _Module(
            assignment=row.id,
            notebook=row.notebook,
            duedate=row.duedate,
            grades=grades,
            solutions=solutions,
            points={cell.name: cell.max_score for cell in cells if cell.type == "GradeCell"},
            sources={
                name: SourceCell(checksum or "", locked, name in grades, name in solutions)
                for name, locked, checksum in sources
            },
        )

    def _enter_module(self, module: str) -> None:
        """Let nbgrader enter a module that was built into this database."""
        import tempfile

        from grader.nbgrader_api import open_api, run_step

        if not (self._course.source / module / f"{module}.ipynb").is_file():
            raise CourseError(f"{module} is not built: run grader build {module}")
        with tempfile.TemporaryDirectory() as scratch:
            url = self._url.render_as_string(hide_password=False)
            config = self._course.root / "nbgrader_config.py"
            api = open_api(config, self._course.root, release_directory=scratch, db_url=url)
            run_step(api.generate_assignment(module, force=True, create=True), f"entering {module} into {self._name}")

    # Writing.

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction that holds the write lock from its beginning.

        In SQLite one that reads first and writes then cannot wait for another writer.
        """
        self._open.info[_BEGIN] = "BEGIN IMMEDIATE"
        try:
            with self._open.begin():
                yield
        finally:
            del self._open.info[_BEGIN]

    def _timestamp(self, result: Result) -> datetime | None:
        path = self._course.root / "submitted" / result.student / result.module / "timestamp.txt"
        try:
            text = path.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise CourseError(f"{path} cannot be read ({error}): correct or delete it") from error
        return parse_timestamp(text, path) if text else None

    def _enter_submission(self, module: _Module, result: Result, handed_in: datetime | None) -> _Submitted:
        submitted, notebook = _SUBMITTED.c, _SUBMITTED_NOTEBOOK.c
        row = self._open.execute(
            sa.select(
                _STUDENT.c.id,
                submitted.id.label("submitted"),
                submitted.timestamp,
                submitted.extension,
                notebook.id.label("notebook"),
            )
            .join_from(
                _STUDENT,
                _SUBMITTED,
                (submitted.student_id == _STUDENT.c.id) & (submitted.assignment_id == module.assignment),
                isouter=True,
            )
            .join(
                _SUBMITTED_NOTEBOOK,
                (notebook.assignment_id == submitted.id) & (notebook.notebook_id == module.notebook),
                isouter=True,
            )
            .where(_STUDENT.c.id == result.student)
        ).one_or_none()
        if row is None:
            self._open.execute(_STUDENT.insert(), {"id": result.student})
        assignment = row.submitted if row and row.submitted else uuid4().hex
        if row is None or row.submitted is None:
            new = {"id": assignment, "assignment_id": module.assignment, "student_id": result.student}
            self._open.execute(_SUBMITTED.insert(), {**new, "timestamp": handed_in})
        elif handed_in is None:
            handed_in = row.timestamp
        elif handed_in != row.timestamp:
            self._open.execute(_SUBMITTED.update().where(submitted.id == assignment), {"timestamp": handed_in})
        known = row is not None and row.notebook is not None
        name = row.notebook if row and row.notebook else uuid4().hex
        if not known:
            new = {"id": name, "assignment_id": assignment, "notebook_id": module.notebook}
            self._open.execute(_SUBMITTED_NOTEBOOK.insert(), {**new, "flagged": False})
        late = 0.0
        if handed_in is not None and module.duedate is not None:
            due = module.duedate + (row.extension if row and row.extension else timedelta())
            late = max(0.0, (handed_in - due).total_seconds())
        return _Submitted(name, handed_in, late, known)

    def _enter_grades(self, module: _Module, result: Result, notebook: str, before: Shown | None) -> float:
        """Enter the scores and return their sum, a person's counting before the tests'."""
        grade = _GRADE.c
        there = {row.cell_id: row for row in self._open.execute(sa.select(_GRADE).where(grade.notebook_id == notebook))}
        now = shown(result)
        same_file = before is not None and before.submission == now.submission
        new, changed, total = [], [], 0.0
        # Per cell: its automatic score, whether it waits for a person anyway, whether it is as it was looked at.
        entries: dict[str, tuple[float | None, bool, bool]] = {
            cell.cell: (cell.points, cell.outcome is Outcome.EngineError, same_file) for cell in result.cells
        }
        for answer in result.written:
            same = before is not None and before.written.get(answer.cell) == now.written[answer.cell]
            entries[answer.cell] = (None if answer.changed else 0.0, answer.changed, same)
        for name, (auto, waits, same) in entries.items():
            cell = module.grades[name]
            old = there.get(cell)
            manual = old.manual_score if old else None
            if old and manual is not None:
                waits = old.needs_manual_grade or not same or old.auto_score != auto
            values = {"auto_score": auto, "needs_manual_grade": waits}
            total += (auto or 0.0) if manual is None else manual
            total += (old.extra_credit or 0.0) if old else 0.0
            if old is None:
                new.append({"id": uuid4().hex, "notebook_id": notebook, "cell_id": cell, **values})
            elif (old.auto_score, old.needs_manual_grade) != (auto, waits):
                changed.append({"row": old.id, **values})
        if new:
            self._open.execute(_GRADE.insert(), new)
        if changed:
            self._open.execute(_GRADE.update().where(grade.id == sa.bindparam("row")), changed)
        return total

    def _enter_comments(self, module: _Module, result: Result, notebook: str, exercises: set[str]) -> None:
        comment = _COMMENT.c
        there = {
            row.cell_id: row for row in self._open.execute(sa.select(_COMMENT).where(comment.notebook_id == notebook))
        }
        written = {answer.cell for answer in result.written if answer.changed} | exercises
        new, changed = [], []
        for name, cell in module.solutions.items():
            told = None if name in written else NO_RESPONSE
            old = there.get(cell)
            if old is None:
                new.append({"id": uuid4().hex, "notebook_id": notebook, "cell_id": cell, "auto_comment": told})
            elif old.auto_comment != told:
                changed.append({"row": old.id, "auto_comment": told})
        if new:
            self._open.execute(_COMMENT.insert(), new)
        if changed:
            self._open.execute(_COMMENT.update().where(comment.id == sa.bindparam("row")), changed)

    def _enter_notebook(self, result: Result, submitted: _Submitted, score: float, before: Shown | None) -> None:
        """Enter the late penalty, and raise a flag once for each submitted file that a person should look at.

        The penalty is that of the course's ``late.toml``, without one that of nbgrader's late plugin.
        """
        values: dict[str, Any] = {"late_submission_penalty": None}
        if self._policy is not None:
            late = self._policy.lateness(result.student, result.module, submitted.handed_in)
            values["late_submission_penalty"] = (late.lost(score) or None) if late else None
        elif submitted.seconds_late:
            values["late_submission_penalty"] = self._late_penalty(result.student, score, submitted.seconds_late)
        if result.flags and (before is None or before.submission != result.submission_key):
            values["flagged"] = True
        if submitted.known or any(values.values()):
            where = _SUBMITTED_NOTEBOOK.c.id == submitted.notebook
            self._open.execute(_SUBMITTED_NOTEBOOK.update().where(where), values)

    def _late_penalty(self, student: str, score: float, seconds: float) -> float | None:
        """Ask nbgrader's late plugin as the course configures it; it is imported for the first late submission only."""
        if self._late is None:
            from nbgrader.preprocessors import AssignLatePenalties
            from traitlets.config import PyFileConfigLoader

            loader = PyFileConfigLoader("nbgrader_config.py", path=str(self._course.root))
            step = AssignLatePenalties(config=loader.load_config())
            step.init_plugin()
            self._late = step.plugin_inst.late_submission_penalty
        penalty = self._late(student, score, seconds)
        return None if penalty is None else min(max(0.0, penalty), score)

    # What goes wrong.

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Turn what can go wrong with a database or a disk into one line that says what to do."""
        try:
            yield
        except OSError as error:
            place = error.filename or self._name
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise CourseError(f"the disk is full: free some space for {place} and go on") from error
            raise CourseError(f"{place} cannot be written: {error.strerror or error}") from error
        except sa.exc.DBAPIError as error:
            if _HELD.search(str(error.orig)):
                self._wait_less()
            raise CourseError(self._told_of(str(error.orig))) from error
        except sa.exc.SQLAlchemyError as error:
            raise CourseError(f"the gradebook {self._name} does not answer as it should: {_line(error)}") from error

    def _told_of(self, reason: str) -> str:
        if _HELD.search(reason):
            return f"another program holds the gradebook {self._name} (formgrader or nbgrader?): close it"
        if re.search(r"disk is full|No space left|disk I/O error", reason):
            return f"the disk is full or failing: free some space for {self._name} and go on"
        if re.search(r"readonly|unable to open|permission denied", reason):
            return (
                f"the gradebook {self._name} cannot be written ({_line(reason)}): "
                "give this account the right to write it and its folder"
            )
        if "not a database" in reason or "malformed" in reason:
            return f"{self._name} is damaged: put a backup in its place, or move it away and run grader build"
        if self._url.get_backend_name() == "postgresql" and _AWAY.search(reason):
            return f"the server of the gradebook {self._name} does not answer ({_line(reason)}): start it"
        return f"the gradebook {self._name} cannot be used: {_line(reason)}"

    def _wait_less(self) -> None:
        """Wait for another program no longer than it takes to write a few rows."""
        sqlite = self._url.get_backend_name() == "sqlite"
        told = f"PRAGMA busy_timeout = {LESS_PATIENCE}000" if sqlite else f"SET lock_timeout = '{LESS_PATIENCE}s'"
        with self._open.begin():
            self._open.exec_driver_sql(told)


def parse_timestamp(text: str, path: Path) -> datetime:
    """Return a submission's time as nbgrader reads it, in UTC without a zone.

    Parameters
    ----------
    text : str
        As ``2026-02-01 15:00:00 UTC`` or ``2026-02-01 15:00:00.5 +0100``.
    path : Path
        Where it stands, for the message.

    Raises
    ------
    CourseError
        When it is no time.
    """
    import dateutil.parser  # type: ignore[import-untyped]
    import dateutil.tz  # type: ignore[import-untyped]

    # nbgrader reads a third word as a zone's name, or as an offset that dateutil knows.
    words = text.split(" ")
    zone = words[2] if len(words) == 3 else ""
    try:
        if zone and not re.fullmatch(r"[+-]?\d+", zone):
            return _utc(dateutil.parser.parse(" ".join([*words[:2], "TZ"]), tzinfos={"TZ": dateutil.tz.gettz(zone)}))
        return _utc(dateutil.parser.parse(text))
    except (ValueError, OverflowError) as error:
        raise CourseError(f"{path} holds no time ({text[:40]!r}): write it as 2026-02-01 15:00:00 UTC") from error


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)


def _read_url(text: str) -> sa.URL:
    try:
        url = sa.make_url(text)
    except sa.exc.ArgumentError as error:
        raise CourseError(
            "the gradebook's URL cannot be read: write it as postgresql://user@host/name or sqlite:///gradebook.db"
        ) from error
    if url.drivername in ("postgres", "postgresql"):
        return url.set(drivername="postgresql+psycopg")
    return url


def _make_engine(url: sa.URL) -> sa.Engine:
    try:
        if url.get_backend_name() != "sqlite":
            return sa.create_engine(url, connect_args={"options": f"-c lock_timeout={PATIENCE}s"})
        engine = sa.create_engine(url, connect_args={"timeout": PATIENCE})
    except (ImportError, sa.exc.NoSuchModuleError) as error:
        raise CourseError(
            f"there is no driver for {url.drivername}: for PostgreSQL run pip install 'psycopg[binary]'"
        ) from error

    # Python's own transactions begin with the first statement that writes; these begin where they are told to.
    @sa.event.listens_for(engine, "connect")
    def _(connection: Any, _record: Any) -> None:
        connection.isolation_level = None

    @sa.event.listens_for(engine, "begin")
    def _(connection: sa.Connection) -> None:
        connection.exec_driver_sql(connection.info.get(_BEGIN, "BEGIN"))

    return engine


def _agrees(module: _Module | None, release: Release) -> bool:
    if module is None:
        return False
    points = {cell.id: cell.points for cell in release.having("tests", "answer")}
    return module.points == points and module.solutions.keys() == {c.id for c in release.having("exercise", "answer")}


def _refuse_bad_student(student: str) -> None:
    if not student or len(student) > LONGEST_ID or student.startswith(".") or _NOT_IN_ID.search(student):
        raise CourseError(
            f"{student[:40]!r} cannot be a student's id: 1 to {LONGEST_ID} characters, not beginning with a dot, "
            "without slashes and control characters"
        )


def _older_revisions() -> set[str]:
    """Return the revisions of the schema that this nbgrader knows how to upgrade."""
    package = importlib.util.find_spec("nbgrader")
    if package is None or package.origin is None:
        return set()
    versions = Path(package.origin).parent / "alembic" / "versions"
    return {path.stem.split("_")[0] for path in versions.glob("*.py")}


def _read_before(path: Path) -> Shown | None:
    """Return what the notebook shows that a person may have graded; None where there is none of ours."""
    try:
        return read_shown(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, UnicodeDecodeError):
        return None


def _line(error: object) -> str:
    return " ".join(str(error).split())[:200]
