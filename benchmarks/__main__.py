"""Run benchmarks one after the other and put what they print into docs/results.md: ``python -m benchmarks [NAME ...]``.

Without a name all of them run, about an hour on two idle cores; nothing else should run meanwhile.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from grader.verify.report import read_part, write_part

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "docs" / "results.md"
#: Each with the module that prints it and its arguments; the page has a marked part for each.
BENCHMARKS = {
    "check_overhead": ["benchmarks.check_overhead"],
    "widget_latency": ["benchmarks.widget_latency"],
    "cost": ["benchmarks.grading", "counted", "cost", "output"],
    "nbgrader": ["benchmarks.grading", "nbgrader"],
    "scale": ["benchmarks.grading", "scale"],
    "waiting": ["benchmarks.grading", "jobs", "start"],
    "gradebook": ["benchmarks.gradebook"],
    "scale_out": ["benchmarks.scale_out"],
    "classroom": ["benchmarks.classroom"],
    "kernel_start": ["benchmarks.kernel_start"],
    "agreement": ["benchmarks.agreement"],
    "faults": ["benchmarks.faults"],
    "submissions": ["tests.grader.submissions.against_nbgrader", "--profile", "numpy"],
}


def main() -> None:
    """Run what was asked for; leave with exit code 1 when one of them failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}")
    names = parser.parse_args().names or list(BENCHMARKS)
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"there is no {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    for name in names:
        read_part(RESULTS, name)  # before hours of work: is there a place for it?
    failed = []
    for name in names:
        print(f"== {name}", flush=True)
        with tempfile.TemporaryFile("w+") as printed:
            run = subprocess.run([sys.executable, "-m", *BENCHMARKS[name]], cwd=ROOT, stdout=printed, check=False)
            printed.seek(0)
            told = printed.read().strip("\n")
        print(told, flush=True)
        if run.returncode:
            failed.append(name)
        else:
            # What is not a Markdown table keeps its columns.
            write_part(RESULTS, name, told if "| ---" in told else f"```text\n{told}\n```")
    if failed:
        sys.exit(f"failed, and not written down: {', '.join(failed)}")


if __name__ == "__main__":
    main()
