"""What benchmarks, and tests like them, work on: courses in a folder of their own, a cluster on this machine."""

import contextlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from grader.build import build_module
from grader.course import Course

ROOT = Path(__file__).resolve().parents[1]
#: Small assignments, made for measuring.
SMALL = ROOT / "benchmarks" / "course" / "solutions"


def make_course(root: Path, modules: Iterable[Path]) -> Course:
    """Copy modules, given by their folders of solutions, into a course of their own and build it there."""
    course = Course(root)
    for module in modules:
        shutil.copytree(module, course.solutions / module.name)
    shutil.copyfile(ROOT / "nbgrader_config.py", root / "nbgrader_config.py")
    for name in course.modules():
        build_module(course, name)
    return course


@contextlib.contextmanager
def dask_cluster(folder: Path, workers: int) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """Start a scheduler and workers of one thread each from the command line; give its address and their processes.

    Raises
    ------
    TimeoutError
        When there is no scheduler after two minutes.
    """
    dask = [sys.executable, "-m", "dask"]
    told = folder / "scheduler.json"
    here = ["--host", "127.0.0.1", "--no-dashboard"]
    started: list[subprocess.Popen[bytes]] = []

    def start(*words: str) -> None:
        quiet = subprocess.DEVNULL
        started.append(subprocess.Popen([*dask, *words, *here], cwd=folder, stdout=quiet, stderr=quiet))

    try:
        start("scheduler", "--port", "0", "--scheduler-file", str(told))
        until = time.monotonic() + 120
        while not (told.is_file() and told.read_text(encoding="utf-8").strip().endswith("}")):
            if time.monotonic() > until:
                raise TimeoutError("the scheduler did not start")
            time.sleep(0.1)
        address = json.loads(told.read_text(encoding="utf-8"))["address"]
        for _ in range(workers):
            start("worker", address, "--nthreads", "1", "--no-nanny")
        yield address, started[1:]
    finally:
        for process in started:
            process.kill()
            process.wait()
