"""Grade one submission: the pure core, a release and a submission in, a result out.

The learner's cells run in the learner's process; then each official test cell runs here, with proxies for the
learner's names. Nothing that the learner's process says is believed but the values it returns: whether a check passed,
how many ran and what they are worth is decided on this side, and whatever goes wrong earns nothing for that question
and leaves the others as they are.

Order matters for what stays hidden. Of every test cell first the part runs that learners can see, and only when all of
these are done the hidden parts. So what a learner's process says in a message for the student (a returned value, the
text of an exception) was said before it had met an argument of a hidden test. Of hidden tests only fixed sentences are
told.

Follow-through, the second try of an answer that may have failed because of an earlier one, needs the earlier exercise's
official solution where the learner's code calls it. It runs in processes of its own that are started when all answers
that count have been collected, and nothing of them is kept but how each test cell ended. Learners' code in such a
process could read the official solution of those earlier exercises; it has nobody to tell it to.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import FrameType
from typing import Any, NoReturn

from grader.engine.ends import PASSED, End, MissingError, Place, end_of, end_of_process, too_few_checks
from grader.engine.errors import EngineError
from grader.engine.follow_through import depends_on, mentioned_words, with_official
from grader.engine.learners_side import LearnersSide, OutOfTimeError, Session
from grader.engine.limits import Limits
from grader.engine.official import Official, OfficialTest, Pause, prepare, random_numbers_kept
from grader.engine.put_back import Plan, Step, defined_names, put_back
from grader.engine.release import Release, same_text
from grader.engine.result import CellResult, Outcome, Result, WrittenAnswer
from grader.engine.submission import Submission

#: Seconds between two alarms: one that falls where an exception is swallowed is repeated.
_ALARM_AGAIN = 0.5
#: Set when an alarm has cut short what this process did: an import or a cache that a test was the first to need may be
#: left half made, so another submission is better graded by another process.
cut_short = threading.Event()
#: After these the learner's process is not asked again.
_FATAL = (Outcome.TimedOut, Outcome.Died, Outcome.OutOfMemory, Outcome.EngineError)


def grade(
    release: Release,
    submission: Submission,
    open_learner: Callable[[], Session],
    limits: Limits,
    *,
    isolation: str = "",
) -> Result:
    """Grade a submission.

    Parameters
    ----------
    release : Release
        The module.
    submission : Submission
        What was handed in, readable or not.
    open_learner : callable
        Starts a fresh learner's process.
    limits : Limits
        `cell`, `call` and `total` are watched here and by the session, the others by the process.
    isolation : str
        The tier of the sandbox, for the result.

    Returns
    -------
    Result
        Always; one `CellResult` for each official test cell.

    Raises
    ------
    EngineError
        When the release's own code does not run here: no submission to it can be graded.
    """
    started, cpu = time.monotonic(), time.process_time()
    official = prepare(release)
    notes: tuple[str, ...] = ()
    plan = Plan((), {}, (), submission.problem) if submission.problem else put_back(release, submission)
    if plan.problem:
        cells = tuple(
            CellResult(cell.id, cell.exercise, 0.0, cell.points, Outcome.Unreadable, plan.problem)
            for cell in release.having("tests")
        )
        flags: tuple[str, ...] = (plan.problem,)
    else:
        with random_numbers_kept():
            grading = _Grading(official, plan, open_learner, limits)
            cells, notes, flags = grading.cells(), tuple(grading.notes), tuple(grading.flags)
    return Result(
        student=submission.student,
        module=release.module,
        submission_key=submission.key,
        cells=cells,
        written=tuple(_written(release, plan)),
        edits=plan.edits,
        notes=notes,
        flags=flags,
        isolation=isolation,
        seconds=time.monotonic() - started,
        cpu_seconds=time.process_time() - cpu,
    )


def _written(release: Release, plan: Plan) -> Iterator[WrittenAnswer]:
    for cell in release.having("answer"):
        text = plan.written.get(cell.id, cell.visible)
        changed = bool(text.strip()) and not same_text(text, cell.visible)
        yield WrittenAnswer(cell.id, cell.points, text if changed else "", changed)


class _MissingName:
    """Stands in a test for a name that the learner did not define."""

    def __init__(self, name: str) -> None:
        self._missing_name = name

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise MissingError(self._missing_name)

    def __getattr__(self, attribute: str) -> NoReturn:
        if attribute.startswith("__") and attribute.endswith("__"):
            raise AttributeError(attribute)  # Python itself asks
        raise MissingError(self._missing_name)


@dataclass(frozen=True)
class _Paused:
    """A test cell between its visible and its hidden part.

    Attributes
    ----------
    pause : Pause
        What the visible part has left.
    session : Session
        The process that its proxies belong to.
    begun : int
        Checks that it began.
    """

    pause: Pause
    session: Session
    begun: int


class _Grading:
    """The grading of one submission."""

    def __init__(self, official: Official, plan: Plan, open_learner: Callable[[], Session], limits: Limits) -> None:
        self.official = official
        self.release = official.release
        self.plan = plan
        self.limits = limits
        self.deadline = time.monotonic() + limits.total
        self.open_learner = self._remembering_failure(open_learner)
        self.notes: list[str] = []
        self.flags: list[str] = []
        self.seconds: dict[str, float] = {}
        stubs = {cell.exercise: cell.visible for cell in self.release.having("exercise")}
        written = [step for step in plan.steps if step.exercise and not same_text(step.source, stubs[step.exercise])]
        names = set().union(*(defined_names(step.source) for step in plan.steps if not step.official), ())
        stubs_left = {step.exercise for step in plan.steps if step.exercise} - {step.exercise for step in written}
        #: Exercises whose stub was left as it was.
        self.untouched = stubs_left
        #: Exercises that are nowhere in the notebook.
        self.absent = {exercise for exercise in self.release.exercises if exercise not in names} - stubs_left

    @staticmethod
    def _remembering_failure(open_learner: Callable[[], Session]) -> Callable[[], Session]:
        """Ask no further once no process could be had: each try may take seconds."""
        failures: list[EngineError] = []

        def open_session() -> Session:
            if failures:
                raise failures[0]
            try:
                return open_learner()
            except EngineError as error:
                failures.append(error)
                raise

        return open_session

    def cells(self) -> tuple[CellResult, ...]:
        """Grade every test cell."""
        learner = self._new_learner(self.plan.steps)
        try:
            ends = self._run_tests(learner, self.official.tests)
        finally:
            learner.close()
        self._tell_of_cells(learner)
        through = self._follow_through(ends)
        results = []
        for test in self.official.tests:
            end, cell = ends[test.cell.id], test.cell
            if end.flag:
                self.flags.append(f"{cell.id}: {end.flag}")
            results.append(
                CellResult(
                    cell=cell.id,
                    exercise=cell.exercise,
                    points=cell.points if end.outcome is Outcome.Passed else 0.0,
                    max_points=cell.points,
                    outcome=end.outcome,
                    message=end.message,
                    called=end.called,
                    expected=end.expected,
                    got=end.got,
                    hidden=end.hidden,
                    mistake=end.mistake,
                    reason=end.reason,
                    follow_through=through.get(cell.id),
                    seconds=self.seconds.get(cell.id, 0.0),
                    detail=end.detail,
                )
            )
        return tuple(results)

    def _new_learner(self, steps: Sequence[Step]) -> LearnersSide:
        return LearnersSide(steps, self.open_learner, self.release.names, self.deadline)

    # Running tests.

    def _run_tests(self, learner: LearnersSide, tests: Sequence[OfficialTest]) -> dict[str, End]:
        """Run test cells: of all of them what learners can see, then what is hidden.

        An exercise that ends the process costs time at each of its cells, so after the first one the others come first.
        """
        ends = {test.cell.id: PASSED for test in tests}
        fatal: set[str] = set()
        left = self._run_round(learner, tests, ends, fatal)
        if left:
            # In a process that has not met a hidden test.
            learner.close()
            self._run_round(learner, left, ends, None)
        return ends

    def _run_round(
        self, learner: LearnersSide, tests: Sequence[OfficialTest], ends: dict[str, End], fatal: set[str] | None
    ) -> list[OfficialTest]:
        """Run test cells and return those that were put off, for their exercise has ended a process before."""
        paused: dict[str, _Paused] = {}
        put_off = []
        heard_others: set[str] = set()
        for hidden in (False, True):
            for test in tests:
                if ends[test.cell.id] is not PASSED or test in put_off:
                    continue
                if fatal is not None and test.cell.exercise in fatal:
                    put_off.append(test)
                    continue
                started = time.monotonic()
                end = self._run_phase(learner, test, hidden, paused)
                if end is not PASSED and learner.heard_stray_reply and test.cell.id not in heard_others:
                    # What an earlier question's code left running may have said it: this one is asked again, alone.
                    heard_others.add(test.cell.id)
                    end = self._run_phase(learner, test, hidden, paused)
                ends[test.cell.id] = end
                self.seconds[test.cell.id] = self.seconds.get(test.cell.id, 0.0) + time.monotonic() - started
                if end.outcome in _FATAL:
                    # Whatever state it is in, nothing more is asked of it.
                    learner.close()
                    if fatal is not None:
                        fatal.add(test.cell.exercise)
        return put_off

    def _run_phase(self, learner: LearnersSide, test: OfficialTest, hidden: bool, paused: dict[str, _Paused]) -> End:
        """Run the visible or the hidden part of a test cell; whatever happens is an end of this test cell alone."""
        parts = [part for part in test.parts if part.hidden is hidden]
        if not parts:
            # Nothing of this kind is in it; a cell without any statement must not pass for that.
            return PASSED if test.parts else too_few_checks(test, 0)
        begun = 0
        in_test = False
        try:
            session = learner.ready()
            missing = self._missing(learner, test)
            if missing is not None:
                return missing
            before = paused.pop(test.cell.id, None)
            if before is not None and before.session is session:
                self.official.resume(before.pause)
                begun = before.begun
            else:
                # Also where another test ended the process in between: what the visible part had made is gone with it.
                parts = [part for part in test.parts if part.hidden <= hidden]
                absent = {name: _MissingName(name) for name in self.release.names if name not in learner.names}
                self.official.begin(absent | learner.names)
            session.instances = test.cell.instances
            for part in parts:
                with self._alarm():
                    in_test = True
                    self.official.run(test, part)
                in_test = False
                begun += self.official.lesson.checks_begun
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            if isinstance(error, OutOfTimeError):
                learner.close()
                return self._out_of_time(hidden)
            # A test can swallow the end of the process, or take it for an exception of the answer.
            ended = learner.session.failure if learner.session is not None else None
            untouched = test.cell.exercise in self.untouched
            return end_of(ended or error, Place(self.release, test, hidden, begun, in_test, untouched))
        if session.failure is not None:
            return end_of_process(session.failure, hidden=hidden)
        if test.parts[-1] not in parts:
            paused[test.cell.id] = _Paused(self.official.pause(), session, begun)
        elif begun < test.cell.checks:
            return too_few_checks(test, begun)
        return PASSED

    def _out_of_time(self, hidden: bool) -> End:
        if time.monotonic() >= self.deadline:
            return End(Outcome.TimedOut, f"The time for the whole notebook, {self.limits.total:g} s, was over.")
        return End(Outcome.TimedOut, f"The test did not end within {self.limits.cell:g} s.", hidden=hidden)

    @contextlib.contextmanager
    def _alarm(self) -> Iterator[None]:
        """Raise `OutOfTimeError` here when the time of a test cell, or of the submission, is over."""
        seconds = min(self.limits.cell, self.deadline - time.monotonic())
        if seconds <= 0:
            raise OutOfTimeError
        if threading.current_thread() is not threading.main_thread():
            yield  # the session's own limits still hold
            return
        armed = True

        def ring(number: int, frame: FrameType | None) -> None:
            if armed:
                cut_short.set()
                raise OutOfTimeError

        before = signal.signal(signal.SIGALRM, ring)
        try:
            signal.setitimer(signal.ITIMER_REAL, seconds, _ALARM_AGAIN)
            yield
        finally:
            armed = False
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    def _missing(self, learner: LearnersSide, test: OfficialTest) -> End | None:
        """Return the end of a test cell whose exercise the learner's process does not have."""
        exercise = test.cell.exercise
        if not exercise or exercise in learner.names:
            return None
        for number, step in enumerate(learner.steps):
            if step.exercise == exercise and number in learner.deadly:
                end = learner.deadly[number]
                return replace(end, message=f"The cell of `{exercise}` itself: {end.message}")
        texts = learner.told or {}
        why = next((texts[n] for n, s in enumerate(learner.steps) if s.exercise == exercise and n in texts), "")
        told = f" Its cell raised {why}" if why else ""
        return End(Outcome.Missing, f"`{exercise}` is not defined in the notebook.{told}")

    # What is told of the learner's own cells.

    def _tell_of_cells(self, learner: LearnersSide) -> None:
        for number, step in enumerate(learner.steps):
            text = (learner.told or learner.raised).get(number, "")
            if number in learner.deadly and step.official:
                self.flags.append(f"the official cell {step.id} was left out: {learner.deadly[number].message}")
            elif number in learner.deadly:
                self.notes.append(f"{_of_cell(step)} was left out. {learner.deadly[number].message}")
            elif text and step.official and not mentioned_words(step.source) & set(self.release.names):
                self.flags.append(f"the official cell {step.id} raised {text} in the learner's process")
            elif text:
                self.notes.append(f"{_of_cell(step)} raised {text}")

    # Follow-through.

    def _follow_through(self, ends: dict[str, End]) -> dict[str, Outcome]:
        """Try failed exercises again with the official earlier ones, where their code has to do with those."""
        failed = [
            exercise
            for exercise in self.release.exercises
            if any(t.cell.exercise == exercise and ends[t.cell.id] is not PASSED for t in self.official.tests)
        ]
        through: dict[str, Outcome] = {}
        for number, exercise in enumerate(failed):
            earlier = failed[:number]
            tests = [t for t in self.official.tests if t.cell.exercise == exercise and ends[t.cell.id] is not PASSED]
            unwritten = exercise in self.untouched or exercise in self.absent
            steps = self.plan.steps
            if unwritten or not depends_on(
                earlier, official=self.official, steps=steps, exercise=exercise, tests=tests
            ):
                continue
            learner = self._new_learner(with_official(earlier, release=self.release, steps=steps))
            seconds = dict(self.seconds)
            try:
                again = self._run_tests(learner, tests)
            finally:
                learner.close()
                self.seconds = seconds
            if time.monotonic() < self.deadline:
                through |= {cell: end.outcome for cell, end in again.items() if end.outcome is not Outcome.EngineError}
        return through


def _of_cell(step: Step) -> str:
    return f"The cell of `{step.exercise}`" if step.exercise else f"Your {step.id}"
