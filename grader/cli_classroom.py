"""The verbs of the classroom: ``release``, ``collect``, ``feedback``, ``export``, ``report``."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.classroom.files import write_whole
from grader.cli_common import Command, counted, echo_json, empty_table, print_table, printable
from grader.course import Course, CourseError, find_course

if TYPE_CHECKING:
    from grader.classroom.collect import Collected
    from grader.classroom.export import Export
    from grader.classroom.roster import Roster
    from grader.classroom.scores import Score


def add_to(main: click.Group) -> None:
    """Add the verbs to the command line."""
    for verb in (release, collect, feedback, export, report):
        main.add_command(verb)


@click.command(cls=Command)
@click.argument("modules", nargs=-1, metavar="[MODULE]...")
@click.option(
    "--to", type=click.Path(path_type=Path), required=True, metavar="FOLDER|ZIP", help="Where; .zip makes a zip."
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def release(modules: tuple[str, ...], to: Path, as_json: bool) -> None:
    """Hand out each MODULE (all by default): notebooks, toolkit, data and a start, without solutions or hidden tests.

    A folder that is an earlier bundle is brought up to date and keeps its modules; files that somebody changed since
    they were handed out stay as they are.
    """
    from grader.engine.pool import one_thread

    one_thread()
    from grader.classroom.bundle import make_bundle

    course = find_course()

    def tell(line: str) -> None:
        if not as_json:
            click.echo(line, err=True)

    made = make_bundle(course, course.modules(modules), to, tell)
    if as_json:
        echo_json(
            {
                "to": str(made.to),
                "modules": made.modules,
                "data_sets": made.data_sets,
                "files": made.files,
                "bytes": made.size,
                "written": made.written,
                "kept": made.kept,
                "removed": made.removed,
            }
        )
        return
    for name in made.kept:
        click.echo(f"kept, changed since it was handed out: {name}", err=True)
    parts = [
        f"{made.to}: {counted(len(made.modules), 'module')}",
        f"{counted(made.files, 'file')}, {made.size / 1e6:.1f} MB",
        f"{made.written} written, {len(made.kept)} kept, {len(made.removed)} removed",
    ]
    click.echo(" · ".join(parts))


@click.command(cls=Command)
@click.argument("modules", nargs=-1, metavar="[MODULE]...")
@click.option("--to", type=click.Path(path_type=Path), metavar="FOLDER", help="Where; feedback/ in the course.")
@click.option("--student", metavar="ID", default="", help="Only this student's pages.")
@click.option("--roster", type=click.Path(path_type=Path), metavar="FILE", help="For names; the course's roster.csv.")
@click.option("--zip", "archive", type=click.Path(path_type=Path), metavar="FILE", help="All pages in a zip as well.")
@click.option("--gradebook", metavar="URL", help="Database of the gradebook; the course's gradebook.db.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def feedback(modules: tuple[str, ...], to: Path | None, student: str, **options: Any) -> None:
    """Write a feedback page for each graded submission to each MODULE (all that are graded by default).

    Pages lie as nbgrader's, FOLDER/STUDENT/MODULE/MODULE.html; `nbgrader release_feedback` gives them back. With Moodle
    ids in the roster the zip can be uploaded there as it is.
    """
    from grader.classroom.feedback import page, write_pages
    from grader.classroom.scores import graded_modules, read_scores
    from grader.engine.release import make_release

    course = find_course()
    roster = _roster(course, options["roster"])
    releases = {module: make_release(course, module) for module in graded_modules(course, modules)}
    waiting = 0

    def pages() -> Iterator[tuple[Score, str]]:
        nonlocal waiting
        for score in read_scores(course, releases, gradebook=options["gradebook"]):
            if student in ("", score.student):
                waiting += bool(score.waiting)
                person = roster.by_id(score.student) if roster else None
                yield score, page(releases[score.module], score, person)

    folder = to or course.root / "feedback"
    # The exchange's secrets stay in the course.
    submitted = course.root / "submitted" if to is None else None
    written = list(write_pages(pages(), folder, submitted=submitted, archive=options["archive"], roster=roster))
    if student and not written:
        raise CourseError(f"nothing of {student!r} is graded; the folder's or file's name is the student's")
    if options["as_json"]:
        echo_json({"to": str(folder), "pages": len(written), "waiting": waiting, "modules": list(releases)})
        return
    parts = [f"{counted(len(written), 'page')} in {folder}", f"{waiting} with answers that wait for a person"]
    click.echo(" · ".join(parts))


@click.command(cls=Command)
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--module", metavar="NAME", default="", help="To which module, where the files' names tell none.")
@click.option(
    "--roster", type=click.Path(path_type=Path), metavar="FILE", help="The students; the course's roster.csv."
)
@click.option("--to", type=click.Path(path_type=Path), metavar="FOLDER", help="Where; submitted/ in the course.")
@click.option(
    "--times", metavar="WORKSHEET|zip", default="", help="When: Moodle's grading worksheet, or the zip's own word."
)
@click.option("--dry-run", is_flag=True, help="Change nothing; tell what would be done.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def collect(source: Path, module: str, roster: Path | None, to: Path | None, **options: Any) -> None:
    """Collect SOURCE into submitted/STUDENT/MODULE: a folder, a zip, or Canvas's or Moodle's download.

    What another submission takes the place of is kept in submitted/.earlier. Exit code 1: something was not collected.
    """
    from grader.classroom.collect import collect as collect_from

    course = find_course()
    (module,) = course.modules([module]) if module else ("",)
    students = _roster(course, roster)
    done = collect_from(
        course, source, module=module, roster=students, to=to, times=options["times"], dry_run=options["dry_run"]
    )
    if options["as_json"]:
        told = asdict(done) | {"to": str(done.to), "missing": [list(pair) for pair in done.missing]}
        echo_json(told | {"dry_run": options["dry_run"]})
    else:
        _print_collected(done, dry_run=options["dry_run"])
    if not done.whole:
        sys.exit(1)


def _print_collected(done: Collected, *, dry_run: bool) -> None:
    table = empty_table("", student="", module="", state="", handed_in="", remarks="")
    for line in done.lines:
        if line.state != "unchanged" or line.remarks:
            student, remarks = printable(line.student), printable(" ".join(line.remarks))
            table.add_row(student, line.module, line.state, line.handed_in[:19], remarks)
    if table.rows:
        print_table(table)
    for what, left in (("not matched", done.unmatched), ("double", done.doubles)):
        for item in left:
            click.echo(printable(f"{what}: {item.name}: {item.why}"), err=True)
    for module, student in done.missing:
        click.echo(printable(f"missing: {student} ({module})"), err=True)
    for name in done.others:
        click.echo(printable(f"no notebook: {name}"), err=True)
    states = Counter(line.state for line in done.lines)
    parts = [
        f"{done.to}: {counted(len(done.lines), 'submission')}",
        *(f"{states[state]} {state}" for state in sorted(states)),
        f"{len(done.unmatched)} not matched",
        f"{len(done.doubles)} double",
        f"{len(done.missing)} missing",
        f"{counted(done.texts, 'text')} passed over",
    ]
    click.echo(" · ".join([*parts, *(["nothing changed: --dry-run"] if dry_run else [])]))


@click.command(cls=Command)
@click.argument("modules", nargs=-1, metavar="[MODULE]...")
@click.option("--to", type=click.Choice(["canvas", "moodle", "csv"]), required=True, help="For whom.")
@click.option(
    "--roster", type=click.Path(path_type=Path), metavar="FILE", help="The students; the course's roster.csv."
)
@click.option(
    "--template", type=click.Path(path_type=Path), metavar="CSV", help="The platform's own file, which is filled in."
)
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Where; grades-canvas.csv and the like.")
@click.option("--with-waiting", is_flag=True, help="Also scores that wait for a person.")
@click.option("--gradebook", metavar="URL", help="Database of the gradebook; the course's gradebook.db.")
@click.option("--dry-run", is_flag=True, help="Change nothing; tell what would be written.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def export(modules: tuple[str, ...], to: str, template: Path | None, out: Path | None, **options: Any) -> None:
    """Export the scores of each MODULE (all that are graded by default).

    For Canvas and Moodle their own file is filled in: name the exported gradebook, or the assignment's grading
    worksheet, with --template. Exit code 1: some scores have no row there.
    """
    from grader.classroom.export import to_canvas, to_moodle, to_table
    from grader.classroom.scores import graded_modules, read_scores

    course = find_course()
    if (template is None) != (to == "csv"):
        raise click.UsageError(
            "--to csv fills in no --template"
            if template
            else f"--to {to} fills in its own file: name it with --template"
        )
    names = graded_modules(course, modules)
    if to == "moodle" and len(names) > 1:
        raise click.UsageError(f"a worksheet of Moodle's is of one assignment: name one of {', '.join(names)}")
    roster = _roster(course, options["roster"])
    scores = list(read_scores(course, names, gradebook=options["gradebook"]))
    with_waiting, dry_run = options["with_waiting"], options["dry_run"]
    if template is None:
        made = to_table(scores, names, roster, with_waiting=with_waiting)
    elif to == "moodle":
        made = to_moodle(template, scores, names[0], roster, with_waiting=with_waiting)
    else:
        made = to_canvas(template, scores, names, roster, with_waiting=with_waiting, all_needed=bool(modules))
    out = out or Path("grades.csv" if to == "csv" else f"grades-{to}.csv")
    if template is not None and out.resolve() == template.resolve():
        raise click.UsageError(f"--out {out} would take the place of the template: name another file")
    if not dry_run:
        write_whole(out, made.data)
    if options["as_json"]:
        told = {key: value for key, value in asdict(made).items() if key != "data"}
        echo_json({"out": str(out), "modules": names, **told, "dry_run": dry_run})
    else:
        _print_exported(made, out, dry_run=dry_run)
    if made.strangers:
        sys.exit(1)


def _print_exported(made: Export, out: Path, *, dry_run: bool) -> None:
    for note in made.notes:
        click.echo(note, err=True)
    if dry_run and made.changes:
        table = empty_table("", student="", module="", before=1, after=1)
        for change in made.changes:
            table.add_row(printable(change.student), change.module, change.before or "–", change.after)
        print_table(table)
    for what, kept in (("left out", made.waiting), ("not written", made.kept), ("no row", made.strangers)):
        for item in kept:
            click.echo(printable(f"{what}: {item.student} ({item.module}): {item.why}"), err=True)
    if made.waiting:
        one = len(made.waiting) == 1
        click.echo(
            f"{counted(len(made.waiting), 'score')} {'waits' if one else 'wait'} for a person and "
            f"{'was' if one else 'were'} left out; --with-waiting exports {'it' if one else 'them'}",
            err=True,
        )
    parts = [
        f"{out}: {counted(len(made.changes), 'score')} {'would be ' if dry_run else ''}written",
        f"{made.same} as they stood",
        f"{len(made.waiting)} waiting",
        f"{counted(made.without, 'student')} without a score",
    ]
    click.echo(" · ".join([*parts, *(["nothing changed: --dry-run"] if dry_run else [])]))


@click.command(cls=Command)
@click.argument("modules", nargs=-1, metavar="[MODULE]...")
@click.option("--to", type=click.Path(path_type=Path), metavar="FILE", help="Where; report.html in the course.")
@click.option(
    "--roster", type=click.Path(path_type=Path), metavar="FILE", help="The students; the course's roster.csv."
)
@click.option(
    "--submissions", type=click.Path(path_type=Path), metavar="FOLDER|ZIP", help="Compare the answers in them."
)
@click.option("--anonymous", is_flag=True, help="Call students by numbers, and show no code.")
@click.option("--gradebook", metavar="URL", help="Database of the gradebook; the course's gradebook.db.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON, long lists whole.")
def report(modules: tuple[str, ...], to: Path | None, roster: Path | None, **options: Any) -> None:
    """Write one page about the class in each MODULE (all that are graded by default).

    Scores, questions, known mistakes, late work, outliers and flags; with --submissions similar answers too.
    """
    from grader.classroom.report import make_report, page
    from grader.classroom.scores import graded_modules

    course = find_course()
    to = to or course.root / "report.html"
    if to.is_dir():
        raise CourseError(f"{to} is a folder: name the file to write")
    made = make_report(
        course,
        graded_modules(course, modules),
        roster=_roster(course, roster),
        submissions=options["submissions"],
        anonymous=options["anonymous"],
        gradebook=options["gradebook"],
    )
    data = page(made).encode("utf-8", "replace")
    write_whole(to, data)
    if options["as_json"]:
        echo_json({"to": str(to), **made.as_dict()})
        return
    submissions = sum(one.statistics.submissions for one in made.modules)
    parts = [counted(len(made.modules), "module"), counted(submissions, "submission"), f"{len(data) / 1e3:.0f} kB"]
    click.echo(f"{to}: {' · '.join(parts)}")


def _roster(course: Course, path: Path | None) -> Roster | None:
    """Return the roster: the one named, or the course's, if it has one."""
    from grader.classroom.roster import FILE, read_roster

    if path is None and not (course.root / FILE).is_file():
        return None
    roster = read_roster(path or course.root / FILE)
    for note in roster.notes:
        click.echo(note, err=True)
    return roster
