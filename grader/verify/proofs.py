"""The proofs of a module: each returns what it found wrong."""

from __future__ import annotations

import re
import resource
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from convnets.checks.record import LessonRecord, file_name
from grader.build.expand import cell_ids
from grader.build.recording import Workbench
from grader.build.release import drift, write_source
from grader.build.text import TextNotebook
from grader.course import Course, CourseError
from grader.engine.layouts import find_submissions
from grader.engine.limits import Limits
from grader.engine.release import make_release
from grader.engine.run import Work, ready_to_examine
from grader.engine.sandbox import probe
from grader.nbgrader_api import open_api, run_step
from grader.verify.run import run_notebook

#: A whole notebook: seconds in full and in fast mode.
NOTEBOOK_SECONDS, NOTEBOOK_FAST_SECONDS = 120.0, 15.0
#: Any cell in full mode, and the cells that have no budget of their own (a whole exercise's tests take under 2 s).
CELL_SECONDS, PLAIN_SECONDS = 60.0, 10.0
#: A budget is broken when it is passed by this factor: machines differ and share their cores.
BY_FAR = 3.0
#: A stub's error is one or two lines, never a call stack.
STUB_ERROR_LINES = 3


@dataclass(frozen=True)
class Target:
    """A target of an experiment beside what was measured."""

    module: str
    what: str
    measured: str
    target: str
    reached: bool


@dataclass
class Verdict:
    """What was proved of a module, and what is off.

    Attributes
    ----------
    points, stub_points : str
        "20 of 20" of the solution and "0 of 20" of the stub, by the checks themselves.
    graded_points, graded_stub_points : str
        The same by ``grader grade``, whose tests call into another process.
    nbgrader_points, nbgrader_stub_points : str
        The same by stock ``nbgrader autograde``.
    mistakes : str
        "31 of 31" told their own reason.
    targets : list of Target
        Judged in full mode only.
    seconds : float
        Wall time of the solution's cells.
    cpu_seconds : float
        CPU time of the solution's run, all its threads, with the start of its kernel.
    problems : list of str
        One line each.
    """

    module: str
    points: str = ""
    stub_points: str = ""
    mistakes: str = ""
    graded_points: str = ""
    graded_stub_points: str = ""
    nbgrader_points: str = ""
    nbgrader_stub_points: str = ""
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    targets: list[Target] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def verify_modules(course: Course, modules: list[str], *, fast: bool, quiet: bool = False) -> list[Verdict]:
    """Verify modules one after the other, with a progress bar.

    Parameters
    ----------
    course : Course
        The course.
    modules : list of str
        Names of modules.
    fast : bool
        Run in fast mode: targets are not judged.
    quiet : bool
        Show no progress bar.

    Returns
    -------
    list of Verdict
    """
    verdicts = []
    for module in modules:
        with _progress(module, quiet) as step:
            try:
                verdicts.append(_verify(course, module, fast, step))
            except CourseError as error:
                verdicts.append(Verdict(module, problems=[str(error)]))
    return verdicts


def _progress(module: str, quiet: bool) -> AbstractContextManager[Callable[[str], None]]:
    if quiet:
        return nullcontext(lambda _: None)
    from contextlib import contextmanager

    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    @contextmanager
    def bar() -> Iterator[Callable[[str], None]]:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task(module)
            yield lambda what: progress.update(task, description=f"{module}: {what}")

    return bar()


def _verify(course: Course, module: str, fast: bool, step: Callable[[str], None]) -> Verdict:
    import nbformat

    verdict = Verdict(module)
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        step("building")
        source = root / "build" / "source" / module
        notebook = write_source(course, module, source)
        record = LessonRecord.from_json((source / file_name(module)).read_text(encoding="utf-8"))
        changed = drift(course, module)
        if changed:
            verdict.problems.append(f"the student notebook is not up to date: run grader build {module}")
        api = open_api(course.root / "nbgrader_config.py", root)
        run_step(api.generate_assignment(module, force=True), f"{module}: nbgrader generate_assignment")

        solved = nbformat.read(source / f"{module}.ipynb", as_version=4)
        prove_solution(verdict, notebook, record, solved, source, fast, step)
        stub = nbformat.read(root / "notebooks" / module / f"{module}.ipynb", as_version=4)
        prove_stub(verdict, record, stub, root / "notebooks" / module, step)
        step("mistakes")
        prove_mistakes(verdict, course, notebook, record)
        step("grading")
        prove_grading(verdict, course, {"solution": source, "stub": root / "notebooks" / module})
        step("nbgrader autograde")
        prove_nbgrader(verdict, api, root, module, record)
    return verdict


def prove_solution(
    verdict: Verdict,
    notebook: TextNotebook,
    record: LessonRecord,
    solved: Any,
    folder: Path,
    fast: bool,
    step: Callable[[str], None],
) -> None:
    """Run the solution: every cell runs, every check passes, every target is reached, within its budget."""
    before = _cpu_of_ended_children()
    runs = run_notebook(solved, folder, fast=fast, on_cell=_counter(step, "solution", solved))
    verdict.cpu_seconds = _cpu_of_ended_children() - before
    by_id = dict(zip(cell_ids(notebook), notebook.cells, strict=True))
    earned = 0.0
    for run in runs:
        cell = by_id[run.cell_id]
        where = f"solution, {run.cell_id} (line {cell.line})"
        if run.error:
            verdict.problems.append(f"{where}: {run.error_name}: {_last_line(run.error)}")
        elif cell.role == "tests":
            earned += cell.points
        if run.stderr and cell.role not in ("experiment", "widget"):
            # Stock nbgrader gives a test cell no points when anything stands on stderr.
            verdict.problems.append(f"{where}: writes to stderr: {_last_line(run.stderr)}")
        budget = float(cell.tags.get("seconds", PLAIN_SECONDS))
        if budget > CELL_SECONDS:
            verdict.problems.append(f"{where}: its budget of {budget:g} s is over {CELL_SECONDS:g} s")
        if run.seconds > BY_FAR * budget:
            verdict.problems.append(f"{where}: took {run.seconds:.1f} s, its budget is {budget:g} s")
        for data in run.targets:
            target = Target(verdict.module, data["what"], data["measured"], data["target"], data["reached"])
            verdict.targets.append(target)
            if not target.reached:
                verdict.problems.append(f"{where}: {target.what}: {target.measured}, the target is {target.target}")
    verdict.points = f"{earned:g} of {record.points:g}"
    verdict.seconds = sum(run.seconds for run in runs)
    limit = NOTEBOOK_FAST_SECONDS if fast else NOTEBOOK_SECONDS
    if verdict.seconds > BY_FAR * limit:
        verdict.problems.append(f"solution: took {verdict.seconds:.0f} s in all, the budget is {limit:g} s")


def _cpu_of_ended_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def prove_stub(verdict: Verdict, record: LessonRecord, stub: Any, folder: Path, step: Callable[[str], None]) -> None:
    """Run the untouched student notebook: no points, each check says what is missing, no call stacks."""
    runs = run_notebook(stub, folder, fast=True, on_cell=_counter(step, "stub", stub))
    earned = 0.0
    for run in runs:
        test = record.cells.get(run.cell_id)
        if test and not run.error:
            earned += test.points
            verdict.problems.append(f"stub, {run.cell_id}: the untouched stub passes this test")
        elif test and "is not written yet" not in run.error:
            verdict.problems.append(f"stub, {run.cell_id}: does not say what is missing: {_last_line(run.error)}")
        elif len(run.error.splitlines()) > STUB_ERROR_LINES:
            verdict.problems.append(
                f"stub, {run.cell_id}: shows a call stack: {run.error_name}: {_last_line(run.error)}"
            )
    verdict.stub_points = f"{earned:g} of {record.points:g}"


def prove_mistakes(verdict: Verdict, course: Course, notebook: TextNotebook, record: LessonRecord) -> None:
    """Give every known mistake as the answer: a check fails and tells its own reason, and no other one's."""
    workbench = Workbench(notebook, course.solutions / notebook.module)
    workbench.lesson.record = record
    told = 0
    for wrong in workbench.wrong_answers:
        reasons = set()
        for cell in notebook.tests_of(wrong.exercise):
            failure = workbench.run_tests(cell, wrong.answer)
            if failure and failure.report.reason:
                reasons.add(failure.report.reason)
        if reasons == {wrong.reason}:
            told += 1
        elif wrong.reason in reasons:
            others = [other.name for other in workbench.wrong_answers if other.reason in reasons - {wrong.reason}]
            verdict.problems.append(
                f"mistake {wrong.name} of {wrong.exercise}: also told the reason of {', '.join(others)}"
            )
        else:
            verdict.problems.append(f"mistake {wrong.name} of {wrong.exercise}: is not told its reason")
    verdict.mistakes = f"{told} of {len(workbench.wrong_answers)}"
    for exercise in notebook.exercises:
        known = sum(wrong.exercise == exercise.name for wrong in workbench.wrong_answers)
        points = sum(test.points for test in notebook.tests_of(exercise.name))
        if points and known < 3:
            verdict.problems.append(f"exercise {exercise.name}: {known} known mistakes; at least three are expected")
        if points and len(workbench.hints.get(exercise.name, ())) != 3:
            verdict.problems.append(f"exercise {exercise.name}: three hints are expected")


def prove_grading(verdict: Verdict, course: Course, folders: Mapping[str, Path]) -> None:
    """Grade solution and stub as a class is graded: full marks and zero, though the tests run in another process."""
    release = make_release(course, verdict.module)
    releases = {verdict.module: release}
    # These are the course's own notebooks: where nothing confines them, they may run all the same.
    with ready_to_examine(releases, probe(), Limits(), allow_unconfined=True) as examine:
        results = {
            student: examine(
                Work(find_submissions(folder / f"{verdict.module}.ipynb", [verdict.module])[0], release.module)
            )
            for student, folder in folders.items()
        }
    verdict.graded_points, verdict.graded_stub_points = (
        f"{result.points:g} of {sum(cell.max_points for cell in result.cells):g}" for result in results.values()
    )
    for cell in results["solution"].cells:
        if cell.points < cell.max_points:
            why = _last_line(f"{cell.message}\n{cell.detail}")
            verdict.problems.append(f"solution, {cell.cell}: when it is graded: {cell.outcome}: {why}")
    if results["stub"].points:
        verdict.problems.append(f"grading gives the stub {verdict.graded_stub_points} points")
    verdict.problems += [
        f"{who}, when it is graded: {flag}" for who, result in results.items() for flag in result.flags
    ]


def prove_nbgrader(verdict: Verdict, api: Any, root: Path, module: str, record: LessonRecord) -> None:
    """Grade solution and stub with stock nbgrader: full marks and zero."""
    for student, origin in (("solution", root / "build" / "source"), ("stub", root / "notebooks")):
        shutil.copytree(origin / module, root / "submitted" / student / module)
        run_step(api.autograde(module, student), f"{module}: nbgrader autograde of the {student}")
    with api.gradebook as gradebook:
        scores = {
            student: gradebook.find_submission(module, student).notebooks[0].score for student in ("solution", "stub")
        }
    verdict.nbgrader_points = f"{scores['solution']:g} of {record.points:g}"
    verdict.nbgrader_stub_points = f"{scores['stub']:g} of {record.points:g}"
    if scores["solution"] != record.points:
        verdict.problems.append(f"nbgrader gives the solution {verdict.nbgrader_points} points")
    if scores["stub"] != 0:
        verdict.problems.append(f"nbgrader gives the stub {verdict.nbgrader_stub_points} points")


def _counter(step: Callable[[str], None], what: str, notebook: Any) -> Callable[[], None]:
    total = sum(cell.cell_type == "code" for cell in notebook.cells)
    done = 0

    def count() -> None:
        nonlocal done
        done += 1
        step(f"{what}, cell {done} of {total}")

    return count


def _last_line(text: str) -> str:
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)  # the kernel colours its tracebacks
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    return lines[-1] if lines else ""
