"""The command line: ``grader build``, ``grader verify``, and the verbs of grading and of the classroom."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from grader import cli_classroom, cli_grading
from grader.course import CourseError, find_course


class _OneLineErrors(click.Group):
    """Turn the course's errors into one line and exit code 1, and wrong usage into one line and exit code 2."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except CourseError as error:
            raise click.ClickException(str(error)) from error
        except click.UsageError as error:
            command = error.ctx.command_path if error.ctx else "grader"
            raise click.UsageError(f"{error.format_message().rstrip('.')}; see {command} --help") from error


@click.group(cls=_OneLineErrors, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Build the course, prove it, and grade it."""


@main.command()
@click.argument("modules", nargs=-1)
@click.option("--check", is_flag=True, help="Change nothing; fail when a committed notebook differs from its source.")
def build(modules: tuple[str, ...], check: bool) -> None:
    """Make the student notebooks of MODULES (all by default) from their text notebooks."""
    from grader.engine.pool import one_thread

    one_thread()  # sums in another order differ in their last digits, and so would what is recorded of mistakes
    from grader.build import build_module, drift

    course = find_course()
    off = []
    for module in course.modules(modules):
        try:
            changed = drift(course, module) if check else build_module(course, module)
        except CourseError as error:
            # One module that does not build keeps no other from being built.
            click.echo(f"Error: {error}", err=True)
            off.append(module)
            continue
        state = f"differs: {', '.join(changed)}" if check and changed else "changed" if changed else "unchanged"
        click.echo(f"{module}: {state}")
        if check and changed:
            off.append(module)
    if off and check:
        raise click.ClickException(f"the notebooks differ from their sources; run: grader build {' '.join(off)}")
    if off:
        sys.exit(1)


@main.command()
@click.option("--check", is_flag=True, help="Change nothing; fail when the page is out of date.")
def coverage(check: bool) -> None:
    """Write docs/coverage.md: which cells hold each item of the lectures."""
    from grader.build.coverage import PAGE, read_coverage

    course = find_course()
    found = read_coverage(course)
    page = course.root / PAGE
    changed = not page.is_file() or page.read_text(encoding="utf-8") != found.page()
    for item in found.missing:
        click.echo(f"missing in {item.module}: {item.id} {item.what}")
    if changed and check:
        raise click.ClickException(f"{PAGE} is out of date; run: grader coverage")
    if changed:
        page.write_text(found.page(), encoding="utf-8")
    click.echo(f"{PAGE}: {'changed' if changed else 'unchanged'}")


@main.command()
@click.argument("modules", nargs=-1)
@click.option("--fast", is_flag=True, help="Small data and few steps; targets are not judged.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
@click.option(
    "--results", type=click.Path(dir_okay=False, path_type=Path), help="Write the targets table to this file."
)
def verify(modules: tuple[str, ...], fast: bool, as_json: bool, results: Path | None) -> None:
    """Prove MODULES (all by default): the solution passes, the stub scores zero, every mistake is told its reason."""
    from grader.verify import report, verify_modules

    course = find_course()
    if results and fast:
        raise click.UsageError("--results needs the full run: leave out --fast")
    if results:
        report.read_part(results, "targets")  # a page without it is refused before the long run, not after
    verdicts = verify_modules(course, course.modules(modules), fast=fast, quiet=as_json)
    if as_json:
        click.echo(json.dumps([report.as_dict(verdict) for verdict in verdicts], indent=1, ensure_ascii=False))
    else:
        report.print_table(verdicts)
    if results:
        report.write_results(verdicts, results)
    if any(verdict.problems for verdict in verdicts):
        sys.exit(1)


cli_grading.add_to(main)
cli_classroom.add_to(main)


if __name__ == "__main__":
    main()
