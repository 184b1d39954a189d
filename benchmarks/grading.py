"""What grading costs, against its targets and against stock nbgrader. Prints Markdown tables.

Run with ``python -m benchmarks.grading [--quick] [SECTION ...]``; everything takes some fifteen minutes on two idle
cores, ``--quick`` tries every section on few submissions. The classes are made of `grader demo`'s students whose
notebooks nbgrader can read too, over and over; modules 90 and 91 (``benchmarks/course``) are five cheap questions each.

CPU seconds are those of all processes: each was waited for by another one that was, up to this one, and the first
section checks that none is lost. They can be trusted on a busy machine, as far as its caches allow; wall times and what
follows from them cannot, so the load is printed with each table. What is compared is run in turns.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.scratch import ROOT, SMALL, make_course
from grader.course import Course
from grader.demo import make_demo
from grader.engine.pool import one_thread

NUMPY, TORCH = "90_numpy", "91_torch"
COURSE = ("02_mlp_backprop", "05_convolution_arithmetic")
MODULES = (NUMPY, TORCH, *COURSE)
#: Students of `grader demo` whom nbgrader does not read as they are, or stops at.
_LEFT_OUT = ("damaged", "blank", "out of order")
#: Different students of a demo class whose notebooks are taken.
DIFFERENT = 40
MEGABYTE = 1 << 20
_BIN = Path(sys.executable).parent
_GRADER = str(_BIN / "grader")

NOISY = """
print("x" * 100_000_000)
for _ in range(1_000):
    print("y" * 100_000)
"""
BURN = """
import time

until = time.process_time() + 2
while time.process_time() < until:
    pass
"""


# --- Measuring ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Usage:
    """What a command took.

    Attributes
    ----------
    cpu, wall : float
        Seconds, CPU of all its processes.
    peak : int
        Bytes of its first process at most, resident.
    peak_all : int
        Bytes of all its processes at most, proportional; 0 where it was not watched.
    """

    cpu: float
    wall: float
    peak: int = 0
    peak_all: int = 0


class _Watch(threading.Thread):
    """Looks at the memory of a process and its descendants, twice a second."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._ended = threading.Event()
        self.peak = self.peak_all = 0

    def run(self) -> None:
        while not self._ended.wait(0.5):
            self.peak = max(self.peak, _memory(self._pid, "status", "VmHWM:"))
            self.peak_all = max(self.peak_all, sum(_memory(pid, "smaps_rollup", "Pss:") for pid in _tree(self._pid)))

    def end(self) -> None:
        self._ended.set()
        self.join()


def _memory(pid: int, file: str, label: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
    except OSError:
        return 0  # it has ended
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(label)), 0)


def _tree(root: int) -> Iterable[int]:
    yield root
    try:
        children = Path(f"/proc/{root}/task/{root}/children").read_text().split()
    except OSError:
        return
    for child in children:
        yield from _tree(int(child))


def run(command: Sequence[str], folder: Path, *, watch: bool = False, ends: Sequence[int] = (0,)) -> Usage:
    """Run a command in a folder, on one thread, and return what it took.

    `ends` are the exit codes that mean no failure.

    Raises
    ------
    subprocess.CalledProcessError
        When it fails; with the end of what it said on stderr.
    """
    environment = os.environ | {"PATH": f"{_BIN}{os.pathsep}{os.environ['PATH']}"}
    with tempfile.TemporaryFile() as said:
        begin = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=said)
        watching = _Watch(process.pid) if watch else None
        if watching:
            watching.start()
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if watching:
            watching.end()
        if process.returncode not in ends:
            said.seek(0)
            raise subprocess.CalledProcessError(process.returncode, command, stderr=said.read()[-2000:].decode())
    peaks = (watching.peak, watching.peak_all) if watching else (0, 0)
    return Usage(used.ru_utime + used.ru_stime, wall, *peaks)


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a Markdown table, with the machine's load."""
    print(f"\n### {title}\n\n| {' | '.join(head)} |\n|{' --- |' * len(head)}")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    print(f"\nLoad {', '.join(f'{load:.1f}' for load in os.getloadavg())} on {os.cpu_count()} cores.", flush=True)


def judged(value: float, *, most: float = 0.0, least: float = 0.0, form: str = "{:.3f} s") -> str:
    """Return a value with its target and whether it is met."""
    met = value <= most if most else value >= least
    target = f"≤ {form.format(most)}" if most else f"≥ {form.format(least)}"
    return f"{form.format(value)} ({target}) {'✓' if met else '✗'}"


# --- The classes ----------------------------------------------------------------------------------------------


class Bench:
    """A course in a scratch folder, its classes, and what they deserve."""

    def __init__(self, folder: Path, modules: Sequence[str]) -> None:
        homes = {module: SMALL if (SMALL / module).is_dir() else ROOT / "solutions" for module in modules}
        self.course = make_course(folder / "course", [home / module for module, home in homes.items()])
        self.root = self.course.root
        self._gradebook = folder / "gradebook.db"
        shutil.copyfile(self.root / "gradebook.db", self._gradebook)
        self._folder = folder
        #: Different notebooks of a class; a larger one repeats them.
        self.different = DIFFERENT
        self._pages: dict[str, list[tuple[bytes, float]]] = {}
        for module in modules:
            self._pages[module] = self._make_pages(module)
        for module in modules:
            self.grade(module, self.submissions(module, 1))  # makes the release, and all that is compiled once

    def _make_pages(self, module: str) -> list[tuple[bytes, float]]:
        """Return different notebooks of a module, and what each deserves."""
        to = self._folder / f"demo_{module}"
        made = make_demo(self.course, 2 * DIFFERENT, to, modules=[module])
        students = json.loads(made.expected.read_text(encoding="utf-8"))["modules"][module]["students"]
        pages = []
        for name, told in students.items():
            if not told["kind"].startswith(_LEFT_OUT):
                (path,) = (to / name / module).glob("*.ipynb")
                pages.append((path.read_bytes(), told["points"]))
        return pages[:DIFFERENT]

    def submissions(self, module: str, number: int, *, extra: str = "") -> Path:
        """Return a class of so many, made when first asked for; `extra` is code for a last cell of their own."""
        folder = self._folder / f"class_{module}_{number}_{self.different}_{len(extra)}"
        if not folder.exists():
            for student in range(number):
                home = folder / f"s{student:05}" / module
                home.mkdir(parents=True)
                data = self._page(module, student)[0]
                if extra:
                    page = json.loads(data)
                    own: dict[str, object] = {
                        "cell_type": "code",
                        "source": extra,
                        "metadata": {},
                        "outputs": [],
                        "execution_count": None,
                    }
                    page["cells"].append(own | {"id": "own"})
                    data = json.dumps(page).encode()
                (home / f"{module}.ipynb").write_bytes(data)
        return folder

    def _page(self, module: str, student: int) -> tuple[bytes, float]:
        pages = self._pages[module]
        return pages[student % min(self.different, len(pages))]

    def grade(
        self,
        module: str,
        submissions: Path,
        *,
        jobs: int = 1,
        scheduler: str = "",
        gradebook: bool = False,
        watch: bool = False,
    ) -> Usage:
        """Grade a class with our grader, as if for the first time, and check every score."""
        for name in ("results", "autograded"):
            shutil.rmtree(self.root / name, ignore_errors=True)
        shutil.copyfile(self._gradebook, self.root / "gradebook.db")
        where = ["--scheduler", scheduler] if scheduler else ["--jobs", str(jobs)]
        command = [_GRADER, "grade", str(submissions), "--module", module, *where]
        used = run([*command, *([] if gradebook else ["--no-gradebook"])], self.root, watch=watch)
        lines = (self.root / "results" / f"{module}.jsonl").read_text(encoding="utf-8").splitlines()
        results = [told["result"] for told in map(json.loads, lines) if "result" in told]
        assert len(results) == len(os.listdir(submissions)), "not everybody was graded once"
        for result in results:
            earned = sum(cell["points"] for cell in result["cells"])
            deserved = self._page(module, int(result["student"][1:]))[1]
            assert earned == deserved, f"{result['student']}: {earned} of {deserved} points"
        return used

    def grade_with_nbgrader(self, module: str, submissions: Path) -> Usage:
        """Grade a class with stock nbgrader, as if for the first time."""
        for name in ("submitted", "autograded"):
            shutil.rmtree(self.root / name, ignore_errors=True)
        shutil.copyfile(self._gradebook, self.root / "gradebook.db")
        shutil.copytree(submissions, self.root / "submitted")
        used = run([str(_BIN / "nbgrader"), "autograde", module], self.root)
        graded = list((self.root / "autograded").glob(f"*/{module}/{module}.ipynb"))
        assert len(graded) == len(os.listdir(submissions)), "nbgrader did not grade everybody"
        return used

    def cells_alone(self, module: str, number: int) -> float:
        """Return the CPU seconds that a submission's own cells and the tests take, warm, in one plain process."""
        with multiprocessing.get_context("fork").Pool(1) as pool:
            return pool.apply(_cells_alone, (self.root, module, self.submissions(module, number)))


def _cells_alone(root: Path, module: str, submissions: Path) -> float:
    from grader.engine.official import prepare, quiet
    from grader.engine.put_back import put_back
    from grader.engine.release import make_release
    from grader.engine.submission import read_submission

    release = make_release(Course(root), module)
    if release.profile == "torch":
        import torch

        torch.set_num_threads(1)
    prepare(release)
    tests = [cell.source for cell in release.having("tests")]
    classes = [
        [step.source for step in put_back(release, read_submission(path.read_bytes(), "")).steps]
        for path in submissions.glob("*/*/*.ipynb")
    ]
    codes = [[compile(source, "<cell>", "exec") for source in (*sources, *tests)] for sources in classes]
    spent = 0.0
    for timed in (False, True):
        begin = cpu()
        for cells in codes:
            names = {"__name__": "__main__"}
            with quiet():
                for cell in cells:
                    try:
                        exec(cell, names)
                    except Exception:
                        continue  # as in a kernel
        spent = cpu() - begin if timed else spent
    return spent / len(codes)


# --- Sections -------------------------------------------------------------------------------------------------


def counted(bench: Bench, quick: bool) -> None:
    """Find out whether the CPU time of learners' processes is in the figures."""
    rows = []
    for module in (NUMPY, TORCH):
        plain = bench.grade(module, bench.submissions(module, 4)).cpu
        burning = bench.grade(module, bench.submissions(module, 4, extra=BURN)).cpu
        rows.append([module, "2.00 s", f"{(burning - plain) / 4:.2f} s"])
    table("CPU time that learners' own cells burn", ["module", "burnt", "counted"], rows)


def cost(bench: Bench, quick: bool) -> None:
    """Measure what a submission costs above its own cells, and what the gradebook adds."""
    few, many, turns = (4, 12, 1) if quick else (40, 120, 3)
    rows = []
    for module in MODULES:
        cells = bench.cells_alone(module, few)
        spent: dict[tuple[int, bool], list[float]] = {}
        for _ in range(turns if module in (NUMPY, TORCH) else 1):
            for number in (few, many):
                for gradebook in (False, True):
                    used = bench.grade(module, bench.submissions(module, number), gradebook=gradebook)
                    spent.setdefault((number, gradebook), []).append(used.cpu)
        least = {key: min(values) for key, values in spent.items()}
        core, entered = ((least[many, book] - least[few, book]) / (many - few) for book in (False, True))
        start = least[few, False] - few * core
        most = 0.05 if module == NUMPY else 0.06
        rows.append(
            [
                module,
                f"{cells:.3f} s",
                f"{core:.3f} s",
                judged(core - cells, most=most),
                judged(entered - core, most=0.05),
                f"{start:.2f} s",
                f"{least[few, False] / few:.3f} s",
            ]
        )
    head = ["module", "cells alone", "submission", "above its cells", "gradebook adds", "start", f"all of {few}, each"]
    table(f"CPU seconds a submission, isolated, one job: {few} against {many} submissions", head, rows)


def against_nbgrader(bench: Bench, quick: bool) -> None:
    """Measure our grader and stock nbgrader on the same submissions."""
    number = 3 if quick else DIFFERENT
    rows = []
    for module in (NUMPY, TORCH):
        submissions = bench.submissions(module, number)
        before = [bench.grade(module, submissions, jobs=2, gradebook=True) for _ in range(2)]
        stock = bench.grade_with_nbgrader(module, submissions)
        ours = before + [bench.grade(module, submissions, jobs=2, gradebook=True) for _ in range(2)]
        mean_cpu, mean_wall = (statistics.mean(values) for values in zip(*((u.cpu, u.wall) for u in ours), strict=True))
        large = bench.grade(module, bench.submissions(module, 5 * number), jobs=2, gradebook=True)
        rows.append(
            [
                module,
                f"{stock.cpu / number:.2f} s",
                f"{mean_cpu / number:.3f} s",
                judged(stock.cpu / mean_cpu, least=20, form="{:.1f}"),
                f"{stock.wall:.1f} s",
                f"{mean_wall:.1f} s",
                judged(stock.wall / mean_wall, least=20, form="{:.1f}"),
                # nbgrader's cost a submission does not fall with their number: it starts a kernel for each.
                f"{5 * stock.cpu / large.cpu:.1f}, {5 * stock.wall / large.wall:.1f}",
            ]
        )
    head = ["module", "nbgrader, CPU each", "ours", "ratio", "nbgrader, wall", "ours, 2 jobs", "ratio"]
    head.append(f"ratios where ours are {5 * number}")
    table(f"{number} submissions, whole commands with start and gradebook, one thread each", head, rows)


def jobs(bench: Bench, quick: bool) -> None:
    """Measure what a second job is worth."""
    number, turns = (6, 1) if quick else (200, 3)
    rows = []
    for module in (NUMPY, TORCH):
        submissions = bench.submissions(module, number)
        used: dict[int, list[float]] = {1: [], 2: []}
        for _ in range(turns):
            for count in used:
                used[count].append(bench.grade(module, submissions, jobs=count).wall)
        one, two = min(used[1]), min(used[2])
        rows.append([module, f"{one:.1f} s", f"{two:.1f} s", judged(one / two, least=1.7, form="{:.2f}")])
    table(f"Wall seconds of {number} submissions, best of {turns}", ["module", "1 job", "2 jobs", "ratio"], rows)


def scale(bench: Bench, quick: bool) -> None:
    """Measure 20, 200 and 2,000 submissions."""
    sizes = (2, 4, 8) if quick else (20, 200, 2_000)
    # The same notebooks in all three classes, more or less often: some cost more than others.
    bench.different = sizes[0]
    used: dict[int, list[Usage]] = {size: [] for size in (1, *sizes)}
    for _ in range(3):
        for size, usages in used.items():
            usages.append(bench.grade(NUMPY, bench.submissions(NUMPY, size), jobs=2, gradebook=True, watch=True))
    least = {size: min(usages, key=lambda usage: usage.cpu) for size, usages in used.items()}
    start = least.pop(1).cpu
    each = {size: (usage.cpu - start) / (size - 1) for size, usage in least.items()}
    peaks = [usage.peak for usage in least.values()]
    rows = [
        [
            f"{size:,}",
            f"{each[size]:.4f} s",
            f"{each[size] / each[sizes[0]] - 1:+.0%}",
            f"{usage.cpu / size:.4f} s",
            f"{usage.wall / size:.4f} s",
            f"{usage.peak / MEGABYTE:.0f} MB",
            f"{usage.peak_all / MEGABYTE:.0f} MB",
        ]
        for size, usage in least.items()
    ]
    head = ["submissions", "CPU each", "against the first", "with start", "wall each", "grader, peak", "all, peak"]
    table(f"{NUMPY}, 2 jobs, with gradebook, the least of 3; start {start:.2f} s", head, rows)
    flat = max(each.values()) / min(each.values()) - 1
    print(f"Cost apart by {judged(flat, most=0.1, form='{:.0%}')}, memory by {max(peaks) / min(peaks) - 1:.0%}.")


def start(bench: Bench, quick: bool) -> None:
    """Measure how long one waits for a command."""
    turns = 2 if quick else 9
    actions: list[tuple[str, float, Callable[[], Usage]]] = [
        ("`grader --help`", 0.3, lambda: run([_GRADER, "--help"], bench.root)),
        *(
            (
                f"`grader grade`, one submission of {module}, with gradebook",
                2.0,
                lambda module=module: bench.grade(module, bench.submissions(module, 1), jobs=2, gradebook=True),
            )
            for module in (NUMPY, TORCH, COURSE[0])
        ),
    ]
    rows = []
    for name, most, action in actions:
        used = [action() for _ in range(turns)]
        median = statistics.median(usage.wall for usage in used)
        fastest = min(usage.wall for usage in used)
        cpu_median = statistics.median(usage.cpu for usage in used)
        rows.append([name, judged(median, most=most, form="{:.2f} s"), f"{fastest:.2f} s", f"{cpu_median:.2f} s"])
    table(f"Start, {turns} times", ["command", "wall, median", "wall, best", "CPU, median"], rows)


def output(bench: Bench, quick: bool) -> None:
    """Grade a submission that prints 200 MB."""
    rows = []
    for module in (NUMPY, TORCH):
        used = bench.grade(module, bench.submissions(module, 1, extra=NOISY), gradebook=True)
        kept = [*(bench.root / "results").glob("*.jsonl"), *(bench.root / "autograded").rglob("*.ipynb")]
        size = sum(path.stat().st_size for path in kept) / MEGABYTE
        size += ((bench.root / "gradebook.db").stat().st_size - bench._gradebook.stat().st_size) / MEGABYTE
        rows.append([module, judged(size, most=0.3, form="{:.3f} MB"), "right", f"{used.cpu:.1f} s"])
    table("A cell that prints 200 MB", ["module", "kept: result, notebook, gradebook", "score", "CPU"], rows)


SECTIONS: dict[str, tuple[Callable[[Bench, bool], None], Sequence[str]]] = {
    "counted": (counted, (NUMPY, TORCH)),
    "cost": (cost, MODULES),
    "nbgrader": (against_nbgrader, (NUMPY, TORCH)),
    "jobs": (jobs, (NUMPY, TORCH)),
    "scale": (scale, (NUMPY,)),
    "start": (start, (NUMPY, TORCH, COURSE[0])),
    "output": (output, (NUMPY, TORCH)),
}


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description="Measure what grading costs.")
    parser.add_argument("--quick", action="store_true", help="few submissions: does everything run?")
    parser.add_argument("sections", nargs="*", help=f"of {', '.join(SECTIONS)}; all by default")
    asked = parser.parse_args()
    unknown = set(asked.sections) - SECTIONS.keys()
    if unknown:
        parser.error(f"there is no section {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    one_thread()
    names = asked.sections or list(SECTIONS)
    modules = [module for module in MODULES if any(module in SECTIONS[name][1] for name in names)]
    with tempfile.TemporaryDirectory(prefix="grading-") as scratch:
        bench = Bench(Path(scratch), modules)
        for name in names:
            SECTIONS[name][0](bench, asked.quick)


if __name__ == "__main__":
    main()
