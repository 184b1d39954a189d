"""What a class costs its instructor: grade, feedback, report and export for demo classes of 30, 300 and 3,000.

Run with ``python -m benchmarks.classroom [STUDENTS ...]``; all three take a quarter of an hour. The classes are those
of `grader demo`, damaged and late notebooks among them, on module 90 of ``benchmarks/course`` and, up to 300 students,
on a module of the course. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from benchmarks.grading import COURSE, MEGABYTE, NUMPY, run, table
from benchmarks.scratch import ROOT, SMALL, make_course
from grader.demo import make_demo

SIZES = (30, 300, 3_000)
#: The largest class for a whole module of the course.
MOST_OF_THE_COURSE = 300
_GRADER = str(Path(sys.executable).parent / "grader")


def size_of(path: Path) -> float:
    """Return the megabytes of a file, or of all files in a folder."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files) / MEGABYTE


def one_class(module: str, home: Path, students: int) -> list[str]:
    """Take a class through the verbs; return its row."""
    with tempfile.TemporaryDirectory(prefix="classroom-") as scratch:
        course = make_course(Path(scratch) / "course", [home / module])
        submissions = course.root / "class"
        make_demo(course, students, submissions, modules=[module])
        used = [
            # grade ends with 1 when a submission cannot be read: such are in every demo class.
            run([_GRADER, *words], course.root, watch=True, ends=(0, 1) if words[0] == "grade" else (0,))
            for words in (
                ["grade", str(submissions)],
                ["feedback", "--zip", "feedback.zip"],
                ["report", "--submissions", str(submissions)],
                ["export", "--to", "csv", "--with-waiting"],
            )
        ]
        pages = list((course.root / "feedback").rglob("*.html"))
        sizes = [size_of(course.root / name) for name in ("results", "gradebook.db", "feedback.zip", "report.html")]
        return [
            module,
            f"{students:,}",
            *(f"{usage.wall:.1f} s" for usage in used),
            " / ".join(f"{usage.peak_all / MEGABYTE:.0f}" for usage in used),
            f"{max(map(size_of, pages)):.2f}",
            " / ".join(f"{size:.2f}" for size in sizes),
        ]


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("students", type=int, nargs="*", metavar="STUDENTS")
    os.environ["OMP_NUM_THREADS"] = "1"
    sizes = parser.parse_args().students or SIZES
    rows = [one_class(NUMPY, SMALL, size) for size in sizes]
    rows += [one_class(COURSE[0], ROOT / "solutions", size) for size in sizes if size <= MOST_OF_THE_COURSE]
    head = ["module", "students", "grade", "feedback", "report", "export"]
    head += ["memory of each, MB", "largest page, MB", "results / gradebook / feedback.zip / report, MB"]
    table("Demo classes, wall times on all cores", head, rows)


if __name__ == "__main__":
    main()
