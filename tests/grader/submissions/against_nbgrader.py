"""The suite under stock nbgrader, beside ours: ``python -m tests.grader.submissions.against_nbgrader``.

The submissions run unconfined, as whoever starts this, in a throw-away course in a temporary folder. Those that would
harm the machine or the comparison are left out. Prints a Markdown table; ``--details`` also names every submission that
either of the two pays wrongly. Takes a few seconds a submission.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.nbgrader_api import open_api
from tests.grader.submissions import suite
from tests.grader.submissions.assignments import MODULES
from tests.grader.submissions.case import Case

#: Seconds that stock nbgrader may take for one cell.
CELL_SECONDS = 15


@dataclass
class Row:
    """How one group was paid."""

    both: int = 0
    ours_only: int = 0
    over: int = 0
    under: int = 0
    our_over: int = 0
    our_under: int = 0


def main() -> None:
    """Grade the suite twice and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", choices=sorted(MODULES), action="append", help="only this assignment")
    parser.add_argument("--group", action="append", help="only this group")
    parser.add_argument("--details", action="store_true", help="name what was paid wrongly")
    chosen = parser.parse_args()
    pairs = [
        (profile, case)
        for profile, case in suite.pairs()
        if (not chosen.profile or profile in chosen.profile) and (not chosen.group or case.group in chosen.group)
    ]
    with tempfile.TemporaryDirectory(prefix="suite-") as folder:
        ours = _by_ours(Path(folder), pairs)
        theirs = _by_nbgrader(Path(folder) / "stock", [(p, case) for p, case in pairs if not case.harmful])
    deserved = {(profile, case.name): case.deserves(suite_release) for profile, case, suite_release in _released(pairs)}
    rows: dict[str, Row] = {}
    wrong = []
    for profile, case in pairs:
        row = rows.setdefault(case.group, Row())
        key = profile, case.name
        over, under = _compare(deserved[key], ours[key])
        row.our_over, row.our_under = row.our_over + over, row.our_under + under
        if over or under:
            wrong.append(f"ours {'over' if over else 'under'}pays {profile} {case.name}: {case.why}")
        if case.harmful:
            row.ours_only += 1
            continue
        row.both += 1
        over, under = _compare(deserved[key], theirs[key])
        row.over, row.under = row.over + over, row.under + under
        if over or under:
            wrong.append(f"nbgrader {'over' if over else 'under'}pays {profile} {case.name}: {case.why}")
    _print(rows)
    if chosen.details:
        print("", *wrong, sep="\n")


_releases: dict[str, suite.Release] = {}


def _released(pairs: list[tuple[str, Case]]) -> list[tuple[str, Case, suite.Release]]:
    return [(profile, case, _releases[profile]) for profile, case in pairs]


def _by_ours(folder: Path, pairs: list[tuple[str, Case]]) -> dict[tuple[str, str], dict[str, float]]:
    points = {}
    for name, deadly, options in (("plain", False, ()), ("deadly", True, suite.TIGHT)):
        chosen = [(profile, case) for profile, case in pairs if case.deadly is deadly]
        home = folder / name
        home.mkdir()
        if chosen:
            graded = suite.grade(home, chosen, *options)
            _releases.update(graded.releases)
            for key, result in graded.results.items():
                points[key] = {cell.cell: cell.points for cell in result.cells}
    return points


def _by_nbgrader(folder: Path, pairs: list[tuple[str, Case]]) -> dict[tuple[str, str], dict[str, float]]:
    folder.mkdir()
    course, releases = suite.build(folder)
    # A port that nobody listens at.
    suite.hand_in(folder / "class", pairs, releases, suite.words_for(folder, 9))
    os.environ |= {"HOME": str(folder / "home"), "SECRET_OF_THE_INSTRUCTOR": suite.SECRET}
    os.environ |= {"OMP_NUM_THREADS": "1", "IPYTHONDIR": str(folder / "ipython")}
    api = open_api(course.root / "nbgrader_config.py", course.root, submitted_directory=str(folder / "class"))
    api.config.ExecutePreprocessor.timeout = CELL_SECONDS
    points: dict[tuple[str, str], dict[str, float]] = {}
    gradebook = course.root / "gradebook.db"
    untouched = gradebook.read_bytes()
    began = time.monotonic()
    for number, (profile, case) in enumerate(pairs, start=1):
        module = MODULES[profile]
        told = f"{number} of {len(pairs)} under nbgrader, {time.monotonic() - began:.0f} s: {profile} {case.name}"
        print(told, file=sys.stderr, flush=True)
        # Each in a gradebook of its own: some change what others get.
        gradebook.write_bytes(untouched)
        api.autograde(module, case.folder, force=True)
        points[profile, case.name] = _scores(gradebook, module, case.folder)
    return points


_SCORES = """
SELECT base_cell.name, COALESCE(grade.manual_score, grade.auto_score, 0)
FROM grade
JOIN base_cell ON base_cell.id = grade.cell_id
JOIN submitted_notebook ON submitted_notebook.id = grade.notebook_id
JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id
JOIN assignment ON assignment.id = submitted_assignment.assignment_id
WHERE assignment.name = ? AND submitted_assignment.student_id = ?
"""


def _scores(gradebook: Path, module: str, student: str) -> dict[str, float]:
    """Return what the gradebook holds of a student; nothing for one whom nbgrader has not graded."""
    try:
        with contextlib.closing(sqlite3.connect(gradebook)) as book:
            return dict(book.execute(_SCORES, (module, student)).fetchall())
    except sqlite3.Error:
        return {}


def _compare(deserved: Mapping[str, float], paid: Mapping[str, float]) -> tuple[bool, bool]:
    """Tell whether any test cell was paid too much, and whether any was paid too little and none too much."""
    over = any(paid.get(cell, 0.0) > points for cell, points in deserved.items())
    return over, not over and any(paid.get(cell, 0.0) < points for cell, points in deserved.items())


def _print(rows: Mapping[str, Row]) -> None:
    print("| group | submissions | run by both | overpaid by nbgrader | underpaid | overpaid by ours | underpaid |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    total = Row()
    for group, row in rows.items():
        _print_row(group, row)
        for name, value in vars(row).items():
            setattr(total, name, getattr(total, name) + value)
    _print_row("**all**", total)


def _print_row(group: str, row: Row) -> None:
    figures = (row.both + row.ours_only, row.both, row.over, row.under, row.our_over, row.our_under)
    print(f"| {group} | {' | '.join(map(str, figures))} |")


if __name__ == "__main__":
    main()
