"""Show verdicts: a table in the terminal, JSON, and the page of measured results."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from grader.course import CourseError
from grader.verify.proofs import Verdict

TARGETS_HEAD = "| module | what | target | measured | |\n| --- | --- | --- | --- | --- |"
TIMES_HEAD = "| module | wall time of the solution's cells | CPU time, with its kernel's start |\n| --- | --- | --- |"
#: First column of the line of sums under the times.
ALL = "all"


def as_dict(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as JSON data."""
    return asdict(verdict)


def print_table(verdicts: list[Verdict]) -> None:
    """Print a table of verdicts, then every problem on a line of its own."""
    from rich.console import Console
    from rich.table import Table

    # Piped output has no width of its own.
    console = Console() if sys.stdout.isatty() else Console(width=160)
    table = Table(title="grader verify")
    for name in ("module", "solution", "stub", "mistakes", "targets", "graded", "stub", "nbgrader", "stub", "time", ""):
        table.add_column(name, justify="left" if name in ("module", "") else "right", no_wrap=name == "module")
    for verdict in verdicts:
        reached = sum(target.reached for target in verdict.targets)
        table.add_row(
            verdict.module,
            verdict.points,
            verdict.stub_points,
            verdict.mistakes,
            f"{reached} of {len(verdict.targets)}" if verdict.targets else "–",
            verdict.graded_points,
            verdict.graded_stub_points,
            verdict.nbgrader_points,
            verdict.nbgrader_stub_points,
            f"{verdict.seconds:.1f} s",
            "✗ off" if verdict.problems else "✓ proved",
        )
    console.print(table)
    for verdict in verdicts:
        for problem in verdict.problems:
            console.print(f"✗ {verdict.module}: {problem}", markup=False, highlight=False, soft_wrap=True)


def write_results(verdicts: list[Verdict], path: Path) -> None:
    """Write each target beside what was measured into the marked parts of a Markdown file.

    Rows of modules that were not verified now stay as they are.

    Raises
    ------
    CourseError
        When the file lacks a marked part.
    """
    targets = [
        f"| {verdict.module} | {target.what} | {target.target} | {target.measured} | "
        f"{'✓ reached' if target.reached else '✗ not reached'} |"
        for verdict in verdicts
        for target in verdict.targets
    ]
    times = [f"| {verdict.module} | {verdict.seconds:.0f} s | {verdict.cpu_seconds:.0f} s |" for verdict in verdicts]
    fresh = {verdict.module for verdict in verdicts}
    write_part(path, "targets", "\n".join([TARGETS_HEAD, *_renewed(path, "targets", targets, fresh)]))
    # The line of sums is made anew each time.
    times = _renewed(path, "times", times, {*fresh, ALL})
    wall, cpu = (sum(float(row.split("|")[column].split()[0]) for row in times) for column in (2, 3))
    write_part(path, "times", "\n".join([TIMES_HEAD, *times, f"| {ALL} | {wall:.0f} s | {cpu:.0f} s |"]))


def _renewed(path: Path, part: str, rows: list[str], fresh: set[str]) -> list[str]:
    """Return the rows of a table in a marked part, those of the modules in `fresh` replaced by `rows`."""
    before = read_part(path, part).splitlines()[2:]
    kept = [row for row in before if row.split("|")[1].strip() not in fresh]
    # A stable sort by module keeps the order of a module's own rows.
    return sorted([*kept, *rows], key=lambda row: row.split("|")[1])


def read_part(path: Path, name: str) -> str:
    """Return what stands in a Markdown file between ``<!-- NAME: begin -->`` and ``<!-- NAME: end -->``.

    Raises
    ------
    CourseError
        When the file has no such part.
    """
    return _split(path, name)[1].strip("\n")


def write_part(path: Path, name: str, content: str) -> None:
    """Replace what stands in a Markdown file between ``<!-- NAME: begin -->`` and ``<!-- NAME: end -->``.

    Raises
    ------
    CourseError
        When the file has no such part.
    """
    before, _, after = _split(path, name)
    path.write_text(f"{before}\n{content}\n{after}", encoding="utf-8")


def _split(path: Path, name: str) -> tuple[str, str, str]:
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if begin not in text or end not in text:
        raise CourseError(f"{path} needs the lines {begin} and {end}: what is measured goes between them")
    before, rest = text.split(begin, 1)
    inside, after = rest.split(end, 1)
    return before + begin, inside, end + after
