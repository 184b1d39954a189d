"""Kill processes of a grading run with -9 at random moments, start it again, and count how often each was graded.

    python -m benchmarks.faults --runs 40

Each run grades the same class from nothing. Processes are killed after a number of results that is drawn, or before
the first; where the grader itself was killed it is started again until it ends by itself; then what is in the results
store and in the gradebook is compared with what an undisturbed run leaves there.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.scratch import SMALL, make_course
from grader.course import Course
from grader.demo import make_demo
from grader.engine import sandbox
from grader.engine.store import ResultsStore

#: What can be killed; each of "all" in turn.
VICTIMS = ("grader", "examiner", "zygote", "learner")
#: Processes between the one that the grader starts and the zygote proper, by the sandbox's tier.
_ABOVE_THE_ZYGOTE = {"namespaces": 1, "bubblewrap": 2, "landlock": 0}
#: Seconds after which a run hangs.
_PATIENCE = 600.0


@dataclass
class Count:
    """What became of the submissions of one or more runs."""

    runs: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    submissions: int = 0
    once: int = 0
    again: int = 0
    lost: int = 0
    different: list[str] = field(default_factory=list)

    def add(self, other: Count) -> None:
        """Add the counts of another run."""
        self.runs += other.runs
        self.kills += other.kills
        self.submissions += other.submissions
        self.once += other.once
        self.again += other.again
        self.lost += other.lost
        self.different += other.different


class Faults:
    """A class of a course of its own, to be graded over and over.

    Parameters
    ----------
    course : Course
        Built; its results and its gradebook are thrown away.
    students : int
        How many; all of a demo class's kinds.
    jobs : int
        Examiner processes.
    """

    def __init__(self, course: Course, students: int, jobs: int = 2) -> None:
        self.course = course
        self.jobs = jobs
        self.made = make_demo(course, students, course.root / "class")
        self._between = _ABOVE_THE_ZYGOTE[sandbox.probe().tier]
        shutil.copy(course.root / "gradebook.db", course.root / "gradebook.new")
        self._reset()
        self._start().communicate(timeout=_PATIENCE)
        self.expected, self.expected_grades = self.results(), self.grades()
        assert len(self.expected) == self.made.submissions

    def disturb(self, victims: Sequence[str], chance: random.Random) -> Count:
        """Grade the class from nothing, kill these in any order, go on to the end, and compare.

        Parameters
        ----------
        victims : sequence of str
            Of `VICTIMS`.
        chance : random.Random
            Draws their order, the moments, and which of several examiners or learners it is.
        """
        self._reset()
        count = Count(runs=1, submissions=self.made.submissions)
        # After how many results; one in so many before the first examiner is there.
        moments = sorted(chance.randint(-1, self.made.submissions * 3 // 4) for _ in victims)
        left = list(zip(moments, chance.sample(victims, len(victims)), strict=True))
        while True:
            run = self._start()
            while left:
                after, victim = left.pop(0)
                count.kills[victim] += self._kill(run, victim, after, chance)
                if victim == "grader":
                    break
            run.communicate(timeout=_PATIENCE)
            if run.returncode >= 0 and not left:
                break
        again = subprocess.run(
            [*self._command(), "--json"], cwd=self.course.root, capture_output=True, timeout=_PATIENCE, check=False
        )
        states = Counter(row["state"] for row in json.loads(again.stdout)["submissions"])
        store = ResultsStore(self.course.root / "results")
        settled = Counter(
            (module, stored.student) for module in store.modules() for stored in store.all(module) if stored.settled
        )
        count.once = sum(number == 1 for number in settled.values())
        count.again = sum(number > 1 for number in settled.values()) + states["graded"]
        count.lost = self.made.submissions - len(settled)
        found = self.results()
        count.different = [
            f"{key}: {_difference(expected, found.get(key))}"
            for key, expected in self.expected.items()
            if found.get(key) != expected
        ]
        if self.grades() != self.expected_grades:
            count.different.append("the gradebook")
        return count

    def results(self) -> dict[str, Any]:
        """Return the last result of each submission, without the times."""
        store = ResultsStore(self.course.root / "results")
        found = {}
        for module in store.modules():
            for student, stored in store.latest(module).items():
                result = json.loads(store.result(stored).to_json())
                for part in (result, *result["cells"]):
                    part.pop("seconds")
                    part.pop("cpu_seconds", None)
                found[f"{student} {module}"] = result
        return found

    def grades(self) -> list[tuple[Any, ...]]:
        """Return what the gradebook holds: a row for each student, cell and grade."""
        question = """
            select submitted_assignment.student_id, base_cell.name, grade.auto_score, grade.needs_manual_grade
            from grade join base_cell on base_cell.id = grade.cell_id
            join submitted_notebook on submitted_notebook.id = grade.notebook_id
            join submitted_assignment on submitted_assignment.id = submitted_notebook.assignment_id order by 1, 2
        """
        with closing(sqlite3.connect(self.course.root / "gradebook.db")) as book:
            return book.execute(question).fetchall()

    def _reset(self) -> None:
        for name in ("results", "autograded"):
            shutil.rmtree(self.course.root / name, ignore_errors=True)
        for path in self.course.root.glob("gradebook.db*"):
            path.unlink()
        shutil.copy(self.course.root / "gradebook.new", self.course.root / "gradebook.db")

    def _command(self) -> list[str]:
        return [sys.executable, "-m", "grader.cli", "grade", "class", "--jobs", str(self.jobs)]

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._command(), cwd=self.course.root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def _kill(self, run: subprocess.Popen[bytes], victim: str, after: int, chance: random.Random) -> bool:
        """Kill a process of a run after so many results, as soon as there is one; False where there is none."""
        delay = chance.uniform(0, 0.1) if after >= 0 else chance.uniform(0, 1)
        while run.poll() is None and self._on_disk() < after:
            time.sleep(0.002)
        with suppress(subprocess.TimeoutExpired):
            run.wait(delay)
        while run.poll() is None:
            found = self._processes(run.pid)[victim]
            if found:
                with suppress(ProcessLookupError):
                    os.kill(chance.choice(found), signal.SIGKILL)
                    return True
            time.sleep(0.002)
        return False

    def _on_disk(self) -> int:
        """Return how many results there are, without the store's own reader."""
        files = (self.course.root / "results").glob("*.jsonl")
        return sum(path.read_bytes().count(b'"result": ') for path in files)

    def _processes(self, grader: int) -> dict[str, list[int]]:
        """Return the processes of a run by what they do."""
        children: dict[int, list[int]] = {}
        for pid, parent in _parents():
            children.setdefault(parent, []).append(pid)
        found: dict[str, list[int]] = {"grader": [grader], "examiner": [], "zygote": [], "learner": []}
        for owner in (grader, *children.get(grader, ())):
            for pid in children.get(owner, ()):
                if "zygote_main" in _command_line(pid):
                    level = [pid]
                    for _ in range(self._between + 1):
                        found["zygote"] += level
                        level = [child for one in level for child in children.get(one, ())]
                    found["learner"] += level
                elif owner == grader and _is_examiner(pid):
                    found["examiner"].append(pid)
        return found


def _difference(expected: dict[str, Any], found: dict[str, Any] | None) -> str:
    """Say in a few words what is not as expected."""
    if found is None:
        return "nothing"
    parts = [name for name in expected if name != "cells" and found[name] != expected[name]]
    cells = [cell for before, cell in zip(expected["cells"], found["cells"], strict=True) if cell != before]
    told = [f"{cell['cell']} {cell['outcome']} ({cell['message'] or cell['detail']})" for cell in cells[:2]]
    return ", ".join([*parts, *told])


def _parents() -> Iterator[tuple[int, int]]:
    for name in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):
            yield int(name), int(Path("/proc", name, "stat").read_text().rpartition(")")[2].split()[1])


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""


def _is_examiner(pid: int) -> bool:
    """Tell an examiner from what the grader forks to look at the machine: that one leaves its command at once."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/oom_score_adj").read_text().strip() == "500"
    return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=8, help="runs for each kind of victim")
    parser.add_argument("--students", type=int, default=24)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=[*VICTIMS, "three at random"], help="only this row of the table")
    parser.add_argument("--module", type=Path, default=SMALL / "90_numpy")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    total = Count()
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        course = make_course(Path(folder), [options.module])
        faults = Faults(course, options.students, options.jobs)
        print(f"{faults.made.submissions} submissions a run, {options.jobs} jobs, seed {options.seed}\n")
        print("| killed with -9 | runs | kills | submissions | graded once | more than once | lost | other result |")
        print("| --- | --- | --- | --- | --- | --- | --- | --- |", flush=True)
        for name, victims in {**{victim: [victim] for victim in VICTIMS}, "three at random": None}.items():
            if options.only not in (None, name):
                continue
            count = Count()
            for _ in range(options.runs):
                count.add(faults.disturb(victims or chance.choices(VICTIMS, k=3), chance))
            _print_row(name, count)
            total.add(count)
    _print_row("all", total)
    kills = ", ".join(f"{victim} {total.kills[victim]}" for victim in VICTIMS)
    print(f"\nKills: {kills}.")
    for line in total.different:
        print(line[:300])
    if total.once != total.submissions or total.different:
        sys.exit(1)


def _print_row(name: str, count: Count) -> None:
    numbers = (count.runs, sum(count.kills.values()), count.submissions, count.once, count.again, count.lost)
    print(f"| {name} | {' | '.join(f'{number:,}' for number in numbers)} | {len(count.different)} |", flush=True)


if __name__ == "__main__":
    main()
