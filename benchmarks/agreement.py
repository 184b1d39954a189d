"""Does stock nbgrader give the same scores as our grader? Prints a Markdown table; exit code 1: one that it should not.

Run with ``python -m benchmarks.agreement [--students 40] [--module 02_mlp_backprop ...]``. A class of ``grader demo``
is graded twice, by ``grader grade`` and by ``nbgrader autograde``, each in a course folder of its own, and every cell
of both gradebooks is compared, with what the cell deserves too.

Some kinds of students are known to be paid less by nbgrader than they deserve (`KNOWN`); there the difference is told
and does not count. Where our score is not the deserved one it always counts. nbgrader is given the damaged files one by
one: it stops the class at some of them.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks.scratch import ROOT, make_course
from grader.course import Course
from grader.demo import make_demo

MODULES = ("02_mlp_backprop", "05_convolution_arithmetic")
#: Kinds of students whom nbgrader serves otherwise, never better, and why.
KNOWN = {
    "warned": "a line on stderr costs the test cell's points",
    "out of order": "cells run in the file's order, so tests stand before their answer",
    "damaged: deleted test cell": "the deleted test cell earns nothing",
    "damaged: duplicated cell": "the run stops here, classmates who come later are not graded",
    "damaged: renamed file": "the file is not found",
    "damaged: truncated file": "nothing is graded in both; there all its cells wait for a person",
}
#: A cell of a gradebook: what the tests gave, and whether it waits for a person.
Cell = tuple[float, bool]

_CELLS = """
SELECT submitted_assignment.student_id, base_cell.name, grade.auto_score, grade.needs_manual_grade
FROM grade
JOIN base_cell ON base_cell.id = grade.cell_id
JOIN submitted_notebook ON submitted_notebook.id = grade.notebook_id
JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id
JOIN assignment ON assignment.id = submitted_assignment.assignment_id
WHERE assignment.name = ?
"""


@dataclass(frozen=True)
class Compared:
    """One cell of one student in both gradebooks.

    Attributes
    ----------
    module, student, kind, cell : str
        Which.
    deserved : float, optional
        Points by the demo's manifest; None for a written answer.
    ours, nbgraders : tuple of float and bool
        Points of the tests, and whether it waits for a person.
    """

    module: str
    student: str
    kind: str
    cell: str
    deserved: float | None
    ours: Cell
    nbgraders: Cell

    @property
    def wrong(self) -> bool:
        """Whether our score is not what the cell deserves."""
        return self.deserved is not None and self.ours[0] != self.deserved

    @property
    def differs(self) -> bool:
        """Whether the gradebooks say different things."""
        return self.ours != self.nbgraders

    @property
    def counts(self) -> bool:
        """Whether this must not be."""
        known = self.kind in KNOWN and self.nbgraders[0] <= self.ours[0]
        return self.wrong or (self.differs and not known)


def compare(course: Course, students: int, folder: Path) -> list[Compared]:
    """Have a demo class graded by both.

    Parameters
    ----------
    course : Course
        A course whose modules are all built; its gradebook is empty.
    students : int
        How many.
    folder : Path
        Where the two course folders are made.
    """
    ours, stock = folder / "ours", folder / "stock"
    shutil.copytree(course.root, ours)
    demo = make_demo(Course(ours), students, ours / "submitted")
    shutil.copytree(ours, stock)
    _run(ours, "grader", "grade", "submitted")
    told = json.loads(demo.expected.read_text(encoding="utf-8"))["modules"]
    compared = []
    for module, manifest in told.items():
        damaged = [name for name, one in manifest["students"].items() if one["kind"].startswith("damaged")]
        _autograde(stock, module, damaged)
        mine, theirs = _cells(ours, module), _cells(stock, module)
        for student, deserves in manifest["students"].items():
            kind, cells = deserves["kind"], deserves["cells"]
            for cell in sorted(name for owner, name in mine.keys() | theirs.keys() if owner == student):
                where, nothing = (student, cell), (0.0, False)
                pair = mine.get(where, nothing), theirs.get(where, nothing)
                compared.append(Compared(module, student, kind, cell, cells.get(cell), *pair))
            missing = cells.keys() - {cell for owner, cell in mine if owner == student}
            if missing:
                told = (ours / "grader.log").read_text(encoding="utf-8").strip().splitlines()[-1]
                raise SystemExit(f"{module}: {student} has no score of ours; grader grade said last: {told}")
    return compared


def _autograde(stock: Path, module: str, damaged: Sequence[str]) -> None:
    """Run stock nbgrader on a class, and then on each damaged submission alone."""
    submitted, others = stock / "submitted", stock / "others"
    submitted.rename(others)
    submitted.mkdir()
    everybody = {folder.name for folder in others.iterdir()}
    for students in (everybody.difference(damaged), *({name} for name in damaged)):
        for name in students:
            (others / name).rename(submitted / name)
        _run(stock, "nbgrader", "autograde", module)
        for name in students:
            (submitted / name).rename(others / name)
    submitted.rmdir()
    others.rename(submitted)


def _run(folder: Path, program: str, *arguments: str) -> None:
    beside = Path(sys.executable).parent
    environment = os.environ | {"PATH": f"{beside}{os.pathsep}{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    # Exit code 1 is expected of both: one of the files is cut off.
    with (folder / f"{program}.log").open("a") as log:
        subprocess.run([beside / program, *arguments], cwd=folder, env=environment, stdout=log, stderr=log, check=False)


def _cells(folder: Path, module: str) -> dict[tuple[str, str], Cell]:
    with closing(sqlite3.connect(folder / "gradebook.db")) as database:
        rows = database.execute(_CELLS, (module,)).fetchall()
    return {(student, cell): (score or 0.0, bool(waits)) for student, cell, score, waits in rows}


def table(compared: Sequence[Compared]) -> str:
    """Return a Markdown table: per module each kind with known differences, and all others."""
    lines = [
        "| module | students | submissions | cells | nbgrader differs | ours not as deserved | nbgrader's reason |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for module in dict.fromkeys(one.module for one in compared):
        for kind, reason in {"all others": "", **KNOWN}.items():
            cells = [
                one
                for one in compared
                if one.module == module and (one.kind == kind or (not reason and one.kind not in KNOWN))
            ]
            if cells:
                submissions = len({one.student for one in cells})
                counts = (submissions, len(cells), sum(one.differs for one in cells), sum(one.wrong for one in cells))
                lines.append(f"| {module} | {kind} | {' | '.join(map(str, counts))} | {reason} |")
    return "\n".join(lines)


def main() -> None:
    """Build the modules in a scratch folder, compare there, print, and leave with exit code 1 on a difference."""
    parser = argparse.ArgumentParser(description="Compare our scores with stock nbgrader's.")
    parser.add_argument("--students", type=int, default=40)
    parser.add_argument("--module", action="append", choices=Course(ROOT).modules())
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        modules = [ROOT / "solutions" / module for module in asked.module or MODULES]
        course = make_course(Path(scratch) / "course", modules)
        compared = compare(course, asked.students, Path(scratch))
    print(table(compared))
    bad = [one for one in compared if one.counts]
    for one in bad:
        print(f"{one.module} {one.student} ({one.kind}), {one.cell}: deserved {one.deserved}, ", end="")
        print(f"ours {one.ours}, nbgrader's {one.nbgraders}")
    if bad:
        sys.exit(1)


if __name__ == "__main__":
    main()
