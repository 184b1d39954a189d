"""What a class costs on workers of a Dask scheduler, and what follows for many. Prints Markdown tables.

Run with ``python -m benchmarks.scale_out [--students N]``; ten minutes on two idle cores. The projection multiplies
what was measured here: CPU seconds a submission, the same for each module and student, on cores like these.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from distributed import Client

from benchmarks.grading import COURSE, NUMPY, TORCH, Bench, table
from benchmarks.scratch import dask_cluster
from grader.engine.pool import one_thread

#: Students of a course of 19 modules.
CLASSES = (300, 3_000, 100_000)
MODULES = 19
CORES = (1, 8, 64, 512)


def main() -> None:
    """Measure, and project."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", type=int, default=80)
    students = parser.parse_args().students
    one_thread()
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(Path(scratch), [NUMPY, TORCH, *COURSE])
        rows = []
        for module in (NUMPY, TORCH, *COURSE):
            submissions = bench.submissions(module, students)
            here = [bench.grade(module, submissions, jobs=jobs) for jobs in (1, 2)]
            there = []
            for workers in (1, 2):
                home = Path(tempfile.mkdtemp(dir=scratch))
                with (
                    dask_cluster(home, workers) as (address, _),
                    Client(address, set_as_default=False) as client,
                ):
                    client.wait_for_workers(workers, timeout=300)
                    bench.grade(module, bench.submissions(module, 1), scheduler=address)  # the stations start
                    there.append(bench.grade(module, submissions, scheduler=address))
            walls = [60 * students / used.wall for used in (*here, *there)]
            rows.append([module, *(f"{rate:,.0f}" for rate in walls), f"{here[0].cpu / students:.3f} s"])
        head = ["module", "1 job", "2 jobs", "1 worker", "2 workers", "CPU each"]
        table(f"Submissions a minute, classes of {students}, without gradebook", head, rows)
        # The course's modules, not the ones made for measuring.
        each = sum(float(row[-1].split()[0]) for row in rows[2:]) / len(COURSE)
    rows = [
        [
            f"{size:,} × {MODULES}",
            f"{size * MODULES * each / 3600:,.1f} h",
            *(_time(size * MODULES * each / cores) for cores in CORES),
        ]
        for size in CLASSES
    ]
    head = ["students × modules", "CPU", *(f"{cores} core{'s' if cores > 1 else ''}" for cores in CORES)]
    table(f"Projected from {each:.3f} s of CPU a submission, all cores busy", head, rows)
    print(f"\nLoad {', '.join(f'{load:.1f}' for load in os.getloadavg())} on {os.cpu_count()} cores.")


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


if __name__ == "__main__":
    main()
