"""Show verdicts: a table in the terminal, JSON, and the page of measured results."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from grader.course import CourseError
from grader.verify.proofs import Verdict

#: The part of docs/results.md that is made by the command stands between these lines.
BEGIN, END = "<!-- targets: begin -->", "<!-- targets: end -->"


def as_dict(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as JSON data."""
    return asdict(verdict)


def print_table(verdicts: list[Verdict]) -> None:
    """Print a table of verdicts, then every problem on a line of its own."""
    from rich.console import Console
    from rich.table import Table

    # Piped output has no width of its own.
    console = Console() if sys.stdout.isatty() else Console(width=140)
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
    """Write each target beside what was measured into the marked part of a Markdown file.

    Raises
    ------
    CourseError
        When the file has no marked part.
    """
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if BEGIN not in text or END not in text:
        raise CourseError(f"{path} needs the lines {BEGIN} and {END}: the table goes between them")
    lines = ["| module | what | target | measured | |", "| --- | --- | --- | --- | --- |"]
    for verdict in verdicts:
        for target in verdict.targets:
            mark = "✓ reached" if target.reached else "✗ not reached"
            lines.append(f"| {verdict.module} | {target.what} | {target.target} | {target.measured} | {mark} |")
    lines += ["", "| module | wall time of the solution's cells |", "| --- | --- |"]
    lines += [f"| {verdict.module} | {verdict.seconds:.0f} s |" for verdict in verdicts]
    before, rest = text.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    path.write_text(f"{before}{BEGIN}\n" + "\n".join(lines) + f"\n{END}{after}", encoding="utf-8")
