"""The verbs of grading: ``grade``, ``regrade``, ``status``, ``doctor``, ``demo``."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from grader.cli_common import Command, counted, echo_json, empty_table, print_table, printable
from grader.course import Course, CourseError, find_course
from grader.engine.limits import GIB, MIB, Limits

if TYPE_CHECKING:
    from datetime import datetime

    from grader.engine.cluster import Cluster
    from grader.engine.layouts import Found
    from grader.engine.release import Release
    from grader.engine.result import Result
    from grader.engine.run import Entering, ExamineAll, Plan, Work
    from grader.engine.sandbox import Isolation
    from grader.engine.store import ResultsStore, Stored

Verb = TypeVar("Verb", bound=Callable[..., None])

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMG]?)(?:i?B)?", re.I)
#: What a shell expects of a program that Ctrl-C stopped.
STOPPED = 130


def _size(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """Read a number of bytes, as ``512M`` or ``2G``."""
    if value is None:
        return None
    found = _SIZE.fullmatch(value.strip())
    if not found:
        raise click.BadParameter(f"{value!r} is no size: write 512M or 2G")
    return int(float(found[1]) * 1024 ** " KMG".index(found[2].upper() or " "))


def add_to(main: click.Group) -> None:
    """Add the verbs to the command line."""
    for verb in (grade, regrade, status, doctor, demo):
        main.add_command(verb)


def _limit(name: str, what: str, default: str, **option: Any) -> Callable[[Verb], Verb]:
    return click.option(f"--limit-{name}", help=f"{what}; {default} by default.", **option)


def _of_grading(verb: Verb) -> Verb:
    """Add what ``grade`` and ``regrade`` share."""
    seconds: dict[str, Any] = {"type": float, "metavar": "SECONDS"}
    size: dict[str, Any] = {"callback": _size, "metavar": "SIZE"}
    number: dict[str, Any] = {"type": click.IntRange(min=1), "metavar": "NUMBER"}
    options = [
        click.argument("submissions", type=click.Path(path_type=Path)),
        click.option(
            "--module", metavar="NAME", default="", help="Only this module; also for files whose names tell no module."
        ),
        click.option("--only", metavar="STUDENT", default="", help="Only this student's submissions."),
        click.option("--jobs", help="Examiner processes; all cores by default.", **number),
        click.option("--scheduler", metavar="ADDRESS", help="Grade on the workers of this Dask scheduler instead."),
        click.option("--gradebook", metavar="URL", help="Database of the gradebook; the course's gradebook.db."),
        click.option("--no-gradebook", is_flag=True, help="Keep the results, and leave the gradebook alone."),
        click.option("--no-sandbox", is_flag=True, help="Go on where this machine cannot confine learners' code."),
        _limit("start", "Until a learner's process is ready", f"{Limits.start:g}", **seconds),
        _limit("cell", "For one cell", f"{Limits.cell:g}", **seconds),
        _limit("call", "For one call of a learner's function", f"{Limits.call:g}", **seconds),
        _limit("total", "For one submission", f"{Limits.total:g}", **seconds),
        _limit("memory", "Memory of one submission", f"{Limits.memory // GIB}G", **size),
        _limit("processes", "Processes and threads at once", f"{Limits.processes}", **number),
        _limit("output", "Printed output kept", f"{Limits.output // MIB}M", **size),
        click.option("--json", "as_json", is_flag=True, help="Print the results as JSON."),
    ]
    for option in reversed(options):
        verb = option(verb)
    return verb


@click.command(cls=Command)
@_of_grading
def grade(submissions: Path, **options: Any) -> None:
    """Grade SUBMISSIONS: a folder (nbgrader's layout or flat), a zip of one, or a notebook.

    What is graded already and has not changed is not graded again. Exit code 0: all graded; 1: some could not be read
    or graded.
    """
    _Grading(submissions, **options).grade()


@click.command(cls=Command)
@_of_grading
def regrade(submissions: Path, **options: Any) -> None:
    """Grade again what changed in SUBMISSIONS, tests or environment, and list every score that moved."""
    _Grading(submissions, **options).regrade()


@click.command(cls=Command)
@click.argument("submissions", type=click.Path(path_type=Path), required=False)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def status(submissions: Path | None, as_json: bool) -> None:
    """Tell for each module what is graded and what waits; SUBMISSIONS is the course's folder submitted by default."""
    course = find_course()
    if submissions is None and (course.root / "submitted").is_dir():
        submissions = course.root / "submitted"
    rows = _status(course, submissions)
    if as_json:
        echo_json(rows)
        return
    table = empty_table(
        "grader status", module="", submitted=1, graded=1, changed=1, ungraded=1, waiting=1, flags=1, last=""
    )
    for row in rows:
        table.add_row(*("–" if value is None else str(value) for value in row.values()))
    print_table(table)


@click.command(cls=Command)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def doctor(as_json: bool) -> None:
    """Check this machine, the installation and the course, and say what to do. Exit code 1: something is off."""
    from grader.doctor import examine

    findings = list(examine(find_course()))
    if as_json:
        echo_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            click.echo(f"{'✓' if finding.well else '✗'} {finding.what}: {finding.found}")
            if finding.advice:
                click.echo(f"  → {finding.advice}")
    if not all(finding.well for finding in findings):
        sys.exit(1)


@click.command(cls=Command)
@click.argument("number", type=click.IntRange(min=1))
@click.option("--to", "folder", type=click.Path(file_okay=False, path_type=Path), required=True, help="A new folder.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed makes the same class.")
@click.option("--module", "modules", multiple=True, help="Only this module; can be given more than once.")
def demo(number: int, folder: Path, seed: int, modules: tuple[str, ...]) -> None:
    """Make a class of NUMBER students: right, each known mistake, blank, late, damaged; for trying everything out."""
    from grader.engine.pool import one_thread

    one_thread()
    from grader.demo import make_demo

    course = find_course()
    made = make_demo(course, number, folder, seed=seed, modules=course.modules(modules) if modules else None)
    click.echo(f"{made.folder}: {made.submissions} submissions of {counted(made.students, 'student')}")
    click.echo(f"{made.expected}: what they deserve")
    click.echo(f"Now grade them: grader grade {made.folder}")


# --- Grading --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """What is shown of one submission.

    Attributes
    ----------
    student, module : str
        Whose, to which module.
    state : str
        "graded" in this run, or "kept" from an earlier one.
    points, max_points : float
        Of the test cells.
    outcomes : dict of str to int
        How many test cells ended how.
    waiting : int
        Written answers for a person to grade.
    edits, flags : list of str
        What was mended in the notebook; what a person should look at.
    """

    student: str
    module: str
    state: str
    points: float
    max_points: float
    outcomes: dict[str, int]
    waiting: int
    edits: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, result: Result, state: str) -> Row:
        """Return the row of a result."""
        outcomes: dict[str, int] = {}
        for cell in result.cells:
            outcomes[cell.outcome.value] = outcomes.get(cell.outcome.value, 0) + 1
        return cls(
            student=result.student,
            module=result.module,
            state=state,
            points=result.points,
            max_points=sum(cell.max_points for cell in result.cells),
            outcomes=outcomes,
            waiting=sum(answer.changed for answer in result.written),
            edits=list(result.edits),
            flags=list(result.flags),
        )

    @property
    def well(self) -> bool:
        """Whether it could be read and graded."""
        return not self.outcomes.keys() & {"Unreadable", "EngineError"}


@dataclass(frozen=True)
class Move:
    """A score that changed.

    Attributes
    ----------
    student, module : str
        Whose.
    before, after : float
        Points.
    why : list of str
        What changed: the submission, the tests, the environment, or an earlier failure of the grader.
    cells : list of str
        Test cells whose points changed.
    """

    student: str
    module: str
    before: float
    after: float
    why: list[str]
    cells: list[str]

    @classmethod
    def between(cls, old: Result, before: Stored, new: Result, after: Stored) -> Move:
        """Return the step from an old result to a new one."""
        points = {cell.cell: cell.points for cell in old.cells}
        cells = [cell.cell for cell in new.cells if cell.points != points.pop(cell.cell, 0.0)]
        cells += [cell for cell, earned in points.items() if earned]
        why = before.key.changes(after.key) or ["the grader had failed"]
        return cls(new.student, new.module, old.points, new.points, why, cells)


class _Grading:
    """One run of ``grade`` or ``regrade``."""

    def __init__(
        self,
        submissions: Path,
        *,
        module: str,
        only: str,
        jobs: int | None,
        scheduler: str | None,
        gradebook: str | None,
        no_gradebook: bool,
        no_sandbox: bool,
        as_json: bool,
        **limits: Any,
    ) -> None:
        from grader.engine.pool import one_thread

        one_thread()
        if gradebook and no_gradebook:
            raise click.UsageError("--gradebook names the gradebook that --no-gradebook leaves alone: give one of them")
        if jobs and scheduler:
            raise click.UsageError("--jobs is for this machine: a scheduler's workers have threads of their own")
        self.submissions = submissions
        self.scheduler = scheduler
        self.cluster: Cluster | None = None
        self.course = find_course()
        self.module = self.course.modules([module])[0] if module else ""
        self.only = only
        self.jobs = jobs or len(os.sched_getaffinity(0))
        self.gradebook_url = gradebook
        self.with_gradebook = not no_gradebook
        self.no_sandbox = no_sandbox
        self.as_json = as_json
        self.limits = _limits(limits)
        self.rows: list[Row] = []
        self.moves: list[Move] = []
        self.strangers: list[Found] = []
        self.entering: Entering | None = None
        self.isolation: Isolation
        self.seconds = 0.0

    def grade(self) -> None:
        """Grade what is not graded, and show everything."""
        self._run(again_only=False)
        if self.as_json:
            self._echo_json({"submissions": [asdict(row) for row in self.rows]})
        else:
            self._print_rows()
        self._end()

    def regrade(self) -> None:
        """Grade what changed, and show what moved."""
        self._run(again_only=True)
        moved = [move for move in self.moves if move.before != move.after or move.cells]
        if self.as_json:
            told = [asdict(move) for move in moved]
            self._echo_json({"submissions": [asdict(row) for row in self.rows], "moved": told})
        else:
            table = empty_table("Scores that moved", student="", module="", before=1, after=1, why="", cells="")
            for move in moved:
                changed, cells = ", ".join(move.why), ", ".join(move.cells)
                who = printable(move.student)
                table.add_row(who, move.module, f"{move.before:g}", f"{move.after:g}", changed, cells)
            if moved:
                print_table(table)
            graded = len(self.moves)
            click.echo(f"{counted(graded, 'submission')} graded again, {counted(len(moved), 'score')} moved")
        self._end()

    def _run(self, *, again_only: bool) -> None:
        with self._where():
            self._grade_all(again_only=again_only)

    @contextlib.contextmanager
    def _where(self) -> Iterator[None]:
        """Find out where to grade, and what confines learners' code there."""
        if self.scheduler is None:
            from grader.engine import sandbox

            self.isolation = sandbox.probe()
            yield
            return
        from grader.engine.cluster import connect

        with connect(self.scheduler) as self.cluster:
            self.isolation = self.cluster.isolation
            yield

    @contextlib.contextmanager
    def _ready(self, needed: dict[str, Release], forbidden: list[Path]) -> Iterator[ExamineAll]:
        """Make ready to grade some modules, here or there."""
        from grader.engine import run as engine

        options: dict[str, Any] = {"allow_unconfined": self.no_sandbox, "forbidden": forbidden}
        if self.cluster is not None:
            with self.cluster.ready(needed, self.limits, **options) as examine_all:
                yield examine_all
            return
        with engine.ready_to_examine(needed, self.isolation, self.limits, **options) as examine:
            yield engine.locally(examine, jobs=self.jobs, limits=self.limits)

    def _grade_all(self, *, again_only: bool) -> None:
        from grader.engine import run as engine
        from grader.engine.layouts import find_submissions
        from grader.engine.release import make_release
        from grader.engine.store import ResultsStore

        self._say(f"Sandbox: {_tier_line(self.isolation)}")
        if self.isolation.tier == "none" and not self.no_sandbox:
            raise CourseError(
                "this machine confines no learner's code: run grader doctor for what it lacks, or add --no-sandbox"
            )
        found = find_submissions(self.submissions, self.course.modules())
        work, self.strangers = engine.assign(found, self.course.modules(), module=self.module, only=self.only)
        if not work and not self.strangers:
            raise CourseError(f"there are no submissions in {self.submissions}")
        releases = {module: make_release(self.course, module) for module in dict.fromkeys(item.module for item in work)}
        environments = {
            module: engine.environment(release.profile, self.isolation.tier, self.limits)
            for module, release in releases.items()
        }
        began = time.monotonic()
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            with ResultsStore(self.course.results).writing() as store:
                plan = engine.make_plan(work, releases, environments, store)
                if again_only:
                    left_out = [item for item in plan.todo if (item.module, item.student) not in plan.earlier]
                    if left_out:
                        self._say(f"{counted(len(left_out), 'submission')} not graded yet: run grader grade")
                    plan.todo[:] = [item for item in plan.todo if item not in left_out]
                with self._gradebook():
                    self._grade_plan(plan, releases, environments, store)
        except KeyboardInterrupt:
            graded = sum(row.state == "graded" for row in self.rows)
            click.echo(
                f"\nStopped: {counted(graded, 'result')} of this run kept; give the same command again to go on",
                err=True,
            )
            sys.exit(STOPPED)
        self.rows.sort(key=lambda row: (row.module, row.student))
        self.seconds = time.monotonic() - began

    def _grade_plan(
        self, plan: Plan, releases: dict[str, Release], environments: dict[str, str], store: ResultsStore
    ) -> None:
        from grader.engine import run as engine

        for _, stored in plan.done:
            self.rows.append(Row.of(store.result(stored), "kept"))
        if self.entering:
            engine.enter_done(plan, releases, store, self.entering)
        if not plan.todo:
            return
        needed = {item.module: releases[item.module] for item in plan.todo}
        with (
            self._ready(needed, self._secrets(plan, store)) as examine_all,
            _progress(len(plan.todo), quiet=self.as_json) as advance,
            contextlib.closing(
                engine.run(
                    plan,
                    releases,
                    environments,
                    store,
                    examine_all,
                    entering=self.entering,
                )
            ) as results,
        ):
            for item, result in results:
                row = Row.of(result, "graded")
                self.rows.append(row)
                before = plan.earlier.get((item.module, item.student))
                if before is not None:
                    after = store.latest(item.module)[item.student]
                    self.moves.append(Move.between(store.result(before), before, result, after))
                advance(row)

    def _secrets(self, plan: Plan, store: ResultsStore) -> list[Path]:
        """Return files and folders that no learner's process may be able to open."""
        root = self.course.root
        secrets = [self.course.solutions, root / "build", root / "gradebook.db", root / "autograded", store.folder]
        # Not the folder of the submissions: the course itself may lie in it.
        return secrets + [self.submissions / item.found.name for item in (*plan.todo[:3], *plan.todo[-3:])]

    @contextlib.contextmanager
    def _gradebook(self) -> Iterator[None]:
        if not self.with_gradebook:
            yield
            return
        from grader.engine.run import Entering
        from grader.gradebook import open_gradebook

        with open_gradebook(self.course, self.gradebook_url) as book:
            name = _gradebook_name(self.course, self.gradebook_url)
            self.entering = Entering(book, name, self._submitted_at)
            yield

    def _submitted_at(self, work: Work) -> datetime | None:
        """Return when a submission was handed in, by the file that nbgrader lays beside it."""
        from grader.gradebook import parse_timestamp

        path = self.submissions / work.student / work.module / "timestamp.txt"
        try:
            text = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return None  # none, or a zip: the gradebook looks in the course's own folder
        return parse_timestamp(text, path) if text else None

    def _print_rows(self) -> None:
        table = empty_table("", student="", module="", points=1, waiting=1, flags="", state="")
        for row in self.rows:
            points = f"{row.points:g} of {row.max_points:g}"
            odd = ", ".join(f"{count} {name}" for name, count in row.outcomes.items() if name in _TOLD)
            flags = "; ".join([*([odd] if odd else []), *row.flags])
            table.add_row(printable(row.student), row.module, points, str(row.waiting or ""), flags, row.state)
        if self.rows:
            print_table(table)
        graded = sum(row.state == "graded" for row in self.rows)
        earned, most = sum(row.points for row in self.rows), sum(row.max_points for row in self.rows)
        parts = [
            f"{counted(len(self.rows), 'submission')}: {graded} graded in {self.seconds:.1f} s",
            f"{len(self.rows) - graded} kept from earlier",
            f"{earned:g} of {most:g} points",
            f"{counted(sum(row.waiting for row in self.rows), 'written answer')} waiting",
            f"{sum(bool(row.flags) for row in self.rows)} flagged",
        ]
        click.echo(" · ".join(parts))

    def _echo_json(self, told: dict[str, Any]) -> None:
        head = {"isolation": self.isolation.tier, "seconds": round(self.seconds, 3)}
        failures = self.entering.failures if self.entering else {}
        tail = {"not_recognised": [place.name for place in self.strangers], "gradebook_failures": failures}
        echo_json(head | told | tail)

    def _end(self) -> None:
        """Tell what went wrong, and leave with exit code 1 where something did."""
        for place in self.strangers:
            if (place.assignment or self.module) in self.course.modules():
                self._say(
                    f"{place.name}: there is another submission of {place.student}, not graded; leave one of them"
                )
            else:
                self._say(f"{place.name}: its module is unknown, not graded; name it with --module")
        for failure, count in (self.entering.failures if self.entering else {}).items():
            kept = f"{counted(count, 'result')} kept, but not in the gradebook"
            self._say(f"{kept}: {failure}; then give the same command again")
        bad = [row for row in self.rows if not row.well]
        if bad and not self.as_json:
            self._say(f"{counted(len(bad), 'submission')} could not be read or graded: {_names(bad)}")
        if bad or self.strangers or (self.entering and self.entering.failures):
            sys.exit(1)

    @staticmethod
    def _say(line: str) -> None:
        click.echo(printable(line), err=True)


#: Outcomes that the table names; the others are what the points say.
_TOLD = ("TimedOut", "Died", "OutOfMemory", "BadReturnType", "Unreadable", "EngineError")


def _limits(given: dict[str, Any]) -> Limits:
    from grader.engine.errors import EngineError

    try:
        return Limits(**{name.removeprefix("limit_"): value for name, value in given.items() if value is not None})
    except EngineError as error:
        raise click.UsageError(str(error)) from error


def _tier_line(isolation: Isolation) -> str:
    """Return the line that tells which tier is used."""
    return next((line for line in isolation.lines if line.startswith(isolation.tier)), isolation.tier)


def _gradebook_name(course: Course, url: str | None) -> str:
    """Return a name for a gradebook that changes when it is made anew."""
    import sqlalchemy as sa

    at = sa.make_url(url or f"sqlite:///{course.root / 'gradebook.db'}")
    path = Path(at.database or "") if at.get_backend_name() == "sqlite" else None
    made = f"#{path.stat().st_ino}" if path is not None and path.is_file() else ""
    return at.render_as_string(hide_password=True) + made


# --- Status ---------------------------------------------------------------------------------------------------


def _status(course: Course, submissions: Path | None) -> list[dict[str, Any]]:
    """Return for each module how many submissions are graded, changed since, and not graded."""
    from grader.engine.layouts import find_submissions
    from grader.engine.release import make_release
    from grader.engine.run import assign
    from grader.engine.store import ResultsStore

    store = ResultsStore(course.results)
    found = find_submissions(submissions, course.modules()) if submissions else []
    work, _ = assign(found, course.modules())
    rows = []
    for module in course.modules():
        latest = store.latest(module)
        mine = [item for item in work if item.module == module]
        if not mine and not latest:
            continue
        changed = ungraded = None
        if submissions is not None:
            tests = make_release(course, module).fingerprint
            stored = [(item, latest[item.student]) for item in mine if item.student in latest]
            ungraded = len(mine) - len(stored)
            changed = sum(
                not last.settled or (last.key.submission, last.key.tests) != (item.read().key, tests)
                for item, last in stored
            )
        results = [store.result(last) for last in latest.values()]
        rows.append(
            {
                "module": module,
                "submitted": len(mine) if submissions is not None else None,
                "graded": len(latest),
                "changed": changed,
                "ungraded": ungraded,
                "waiting": _waiting(course, module, results),
                "flags": sum(bool(result.flags) for result in results),
                "last": max((last.at for last in latest.values()), default=""),
            }
        )
    return rows


def _waiting(course: Course, module: str, results: list[Result]) -> int:
    """Return how many written answers wait for a person: by the gradebook, where there is one."""
    written = {(result.student, answer.cell) for result in results for answer in result.written if answer.changed}
    if not written or not (course.root / "gradebook.db").is_file():
        return len(written)
    from grader.gradebook import read_manual_scores

    given = read_manual_scores(course, module)
    graded = {(student, cell) for student, cells in given.items() for cell, grade in cells.items() if not grade.pending}
    return len(written - graded)


# --- What is shown --------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _progress(total: int, *, quiet: bool) -> Iterator[Callable[[Row], None]]:
    """Show how far the run is: a bar on a terminal, a line a submission elsewhere."""
    if quiet:
        yield lambda row: None
        return
    if not sys.stderr.isatty():
        yield _plain_lines(total)
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("grading"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left:"),
        TimeRemainingColumn(),
        TextColumn("{task.description}", markup=False),
    )
    # Refreshed by hand: a thread of its own would be forked into an examiner that takes the place of a dead one.
    with Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=False) as progress:
        task = progress.add_task("", total=total)
        progress.refresh()

        def advance(row: Row) -> None:
            progress.update(task, advance=1, description=printable(f"{row.student} {row.module}"), refresh=True)

        yield advance


def _plain_lines(total: int) -> Callable[[Row], None]:
    began, done = time.monotonic(), 0

    def advance(row: Row) -> None:
        nonlocal done
        done += 1
        left = (time.monotonic() - began) / done * (total - done)
        points = f"{row.points:g} of {row.max_points:g} points"
        eta = f" · {left // 60:.0f}:{left % 60:02.0f} left" if done < total else ""
        click.echo(f"{done} of {total} · {printable(row.student)} · {row.module} · {points}{eta}", err=True)

    return advance


def _names(rows: list[Row]) -> str:
    named = ", ".join(f"{row.student} ({row.module})" for row in rows[:5])
    return named if len(rows) <= 5 else f"{named} and {len(rows) - 5} more"
