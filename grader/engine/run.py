"""Grade a class: what is not graded yet, in examiner processes, each result kept as soon as it is there.

Three kinds of process work together. This one finds the submissions and is the only writer, of the results and of the
gradebook. Examiners, forked from it when the libraries are loaded and the official code has run, grade one submission
after the other. Zygotes fork the processes in which learners' code runs.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import platform
import sys
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from grader.course import CourseError
from grader.engine import pool
from grader.engine.errors import EngineError
from grader.engine.layouts import Found
from grader.engine.limits import Limits
from grader.engine.pool import Failure, made_to_stay, retire
from grader.engine.release import Profile, Release
from grader.engine.result import CellResult, Outcome, Result
from grader.engine.store import Key, ResultsStore, Stored
from grader.engine.submission import Submission

if TYPE_CHECKING:
    from grader.engine import proxy
    from grader.engine.sandbox import Isolation
    from grader.engine.zygote import Child, Death

#: Libraries that decide how a submission runs.
_LIBRARIES = {"numpy": ("numpy", "msgpack"), "torch": ("numpy", "msgpack", "torch")}


# --- What there is to do --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Work:
    """A submission, not read yet.

    Attributes
    ----------
    found : Found
        Where it lies.
    module : str
        To which module.
    """

    found: Found
    module: str

    @property
    def student(self) -> str:
        """Whose."""
        return self.found.student

    def read(self) -> Submission:
        """Read it; whatever it is, there is a submission afterwards."""
        return self.found.read()


@dataclass(frozen=True)
class Plan:
    """What a run does with the submissions it was given.

    Attributes
    ----------
    todo : list of Work
        To be graded, one module after the other.
    done : list of (Work, Stored)
        Graded already, with the same submission, tests and environment.
    earlier : dict of (str, str) to Stored
        The last result of what is to be graded again, under module and student.
    """

    todo: list[Work] = field(default_factory=list)
    done: list[tuple[Work, Stored]] = field(default_factory=list)
    earlier: dict[tuple[str, str], Stored] = field(default_factory=dict)


def assign(
    found: Sequence[Found], modules: Collection[str], *, module: str = "", only: str = ""
) -> tuple[list[Work], list[Found]]:
    """Sort out which module each submission belongs to.

    Parameters
    ----------
    found : sequence of Found
        The submissions.
    modules : collection of str
        The course's modules.
    module : str
        Take only submissions to this one, and take those for it whose names tell no module.
    only : str
        Take only submissions of this student.

    Returns
    -------
    tuple of list of Work, list of Found
        In order of module and student; and what belongs to no module.

    Raises
    ------
    CourseError
        When there is no such student.
    """
    mine = [place for place in found if only in ("", place.student)]
    if only and not mine:
        raise CourseError(f"there is no submission of {only!r}; the folder's or file's name is the student's")
    work: dict[tuple[str, str], Work] = {}
    strangers = []
    for place in mine:
        target = place.assignment or module
        if target not in modules or (target, place.student) in work:
            strangers.append(place)
        elif module in ("", target):
            work[target, place.student] = Work(place, target)
    return [work[key] for key in sorted(work)], strangers


def make_plan(
    work: Sequence[Work], releases: Mapping[str, Release], environments: Mapping[str, str], store: ResultsStore
) -> Plan:
    """Find out what is graded already. Only submissions that have a result are read.

    Parameters
    ----------
    work : sequence of Work
        The submissions.
    releases : mapping of str to Release
        Of each module.
    environments : mapping of str to str
        Fingerprint of the environment for each module.
    store : ResultsStore
        The results.
    """
    plan = Plan()
    latest = {module: store.latest(module) for module in releases}
    for item in work:
        stored = latest[item.module].get(item.student)
        if stored is None:
            plan.todo.append(item)
            continue
        key = Key(item.read().key, releases[item.module].fingerprint, environments[item.module])
        if stored.settled and stored.key == key:
            plan.done.append((item, stored))
        else:
            plan.todo.append(item)
            plan.earlier[item.module, item.student] = stored
    return plan


def environment(profile: Profile, tier: str, limits: Limits) -> str:
    """Return a fingerprint of what a result depends on beside submission and tests.

    Parameters
    ----------
    profile : str
        Which libraries are loaded.
    tier : str
        What confines learners' code.
    limits : Limits
        What it may take.
    """
    versions = {name: metadata.version(name) for name in _LIBRARIES[profile]}
    python = [platform.python_implementation(), platform.python_version(), platform.machine(), sys.platform]
    told = [python, versions, tier, asdict(limits), sources()]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


@functools.cache
def sources() -> str:
    """Return a fingerprint of the code that grades and of the library that learners import."""
    engine = Path(__file__).resolve().parent
    files = sorted(engine.glob("*.py")) + sorted((engine.parents[1] / "convnets").rglob("*.py"))
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()


# --- Examiners ------------------------------------------------------------------------------------------------


class Readable(Protocol):
    """A submission to a module, here or brought here."""

    @property
    def module(self) -> str:
        """To which module."""

    @property
    def student(self) -> str:
        """Whose."""

    def read(self) -> Submission:
        """Read it; whatever it is, there is a submission afterwards."""


#: How often a submission is graded whose learner's process is killed from outside. A machine that kills at all may kill
#: twice; a learner who ends its own process that way gains nothing but the third try.
LEARNER_ATTEMPTS = 3
#: Grades one submission in an examiner's process.
Examine = Callable[[Readable], Result]
#: Grades submissions; yields each once, as it comes, with its result's JSON or why there is none.
ExamineAll = Callable[[Sequence[Work]], Generator[tuple[Work, str | Failure], None, None]]


def patience(limits: Limits) -> float:
    """Return the seconds after which whoever still works on a submission is not working any more."""
    # Each time twice: the answers, then follow-through.
    return LEARNER_ATTEMPTS * (2 * limits.total + limits.start) + 60


def locally(examine: Examine, *, jobs: int, limits: Limits) -> ExamineAll:
    """Return what grades in examiner processes forked from this one.

    Parameters
    ----------
    examine : callable
        From `ready_to_examine`.
    jobs : int
        How many processes.
    limits : Limits
        For each submission.
    """
    return lambda todo: pool.examine_all(
        todo, lambda work: examine(work).to_json(), jobs=jobs, patience=patience(limits)
    )


@contextlib.contextmanager
def ready_to_examine(
    releases: Mapping[str, Release],
    isolation: Isolation,
    limits: Limits,
    *,
    allow_unconfined: bool = False,
    forbidden: Sequence[Path] = (),
) -> Iterator[Examine]:
    """Start the zygotes and load the libraries; what is given back grades a submission, after a fork too.

    Parameters
    ----------
    releases : mapping of str to Release
        Of each module that will be graded.
    isolation : Isolation
        What this machine gives.
    limits : Limits
        For each submission.
    allow_unconfined : bool
        Go on where nothing confines learners' code.
    forbidden : sequence of Path
        What must not open for a learner; each learner's process tries.

    Raises
    ------
    EngineError
        When no learner's process can be had, or official code does not run here.
    """
    from grader.engine.zygote import Zygote

    with contextlib.ExitStack() as stack:
        # The zygotes import their libraries while this process imports its own.
        zygotes = {
            profile: stack.enter_context(
                Zygote(
                    profile,
                    isolation,
                    limits,
                    forbidden=forbidden,
                    without=frozenset.intersection(*(release.unneeded for release in releases.values())),
                    allow_unconfined=allow_unconfined,
                )
            )
            for profile in sorted({release.profile for release in releases.values()})
        }
        with made_to_stay():
            if "torch" in zygotes:
                import torch

                torch.set_num_threads(1)
            from grader.engine import core, official, proxy

            # What every examiner would do first is done once, before they are forked.
            for module in sorted(releases)[:1]:
                official.prepare(releases[module])
        for zygote in zygotes.values():
            zygote.spawn().close()

        def examine(work: Readable) -> Result:
            for _ in range(LEARNER_ATTEMPTS):
                learners: list[tuple[proxy.Session, Child]] = []
                result = core.grade(
                    releases[work.module],
                    work.read(),
                    functools.partial(open_learner, releases[work.module].profile, learners),
                    limits,
                    isolation=isolation.tier,
                )
                if core.cut_short.is_set():
                    retire()
                deaths = [death for session, child in learners if (death := death_of(session, child))]
                failed = any(cell.outcome is Outcome.EngineError for cell in result.cells)
                if not failed and not any(death.from_outside for death in deaths):
                    return result
            # A process that was killed from outside looks like one that ended itself: that one does so again. But no
            # learner's process can end its zygote.
            if any(death.kind == "lost" for death in deaths):
                raise EngineError("the zygote died while this was graded")
            return result

        def open_learner(profile: Profile, learners: list[tuple[proxy.Session, Child]]) -> proxy.Session:
            child = zygotes[profile].spawn()
            learners.append((proxy.Session(child.sock, child, limits), child))
            return learners[-1][0]

        def death_of(session: proxy.Session, child: Child) -> Death | None:
            """Return how a learner's process died that was not ended here."""
            if isinstance(session.failure, proxy.LearnerDied):
                with contextlib.suppress(TimeoutError):  # on a busy machine it may not have been told yet
                    child.wait(limits.start)
            return child.death

        yield examine


# --- The run --------------------------------------------------------------------------------------------------


class Gradebook(Protocol):
    """Where results are entered; `grader.gradebook.Gradebook` is the real one."""

    def write(
        self,
        release: Release,
        result: Result,
        submission: Submission | None = None,
        submitted_at: datetime | None = None,
    ) -> None:
        """Enter a result; entering it again changes nothing."""


@dataclass
class Entering:
    """A gradebook that results are entered into, and how that went.

    Attributes
    ----------
    book : Gradebook
        An open gradebook.
    name : str
        Which one, for the marks in the store; it changes when the gradebook is made anew.
    failures : dict of str to int
        Why results could not be entered, and how many. They are kept, and entered by the next run.
    """

    book: Gradebook
    name: str
    submitted_at: Callable[[Work], datetime | None] = lambda work: None
    failures: dict[str, int] = field(default_factory=dict)

    def enter(self, store: ResultsStore, release: Release, work: Work, result: Result, stored: Stored) -> None:
        """Enter a result unless it is there already."""
        if store.is_entered(stored, self.name):
            return
        submission = work.read()
        if submission.key != stored.key.submission:
            return  # handed in anew since it was graded: the next run grades and enters that
        try:
            self.book.write(release, result, submission, self.submitted_at(work))
        except (CourseError, EngineError) as error:
            self.failures[str(error)] = self.failures.get(str(error), 0) + 1
        else:
            store.mark_entered(stored, self.name)


def run(
    plan: Plan,
    releases: Mapping[str, Release],
    environments: Mapping[str, str],
    store: ResultsStore,
    examine_all: ExamineAll,
    *,
    entering: Entering | None = None,
) -> Generator[tuple[Work, Result], None, None]:
    """Grade what a plan has to do; yield each result when it is on the disk.

    Parameters
    ----------
    plan : Plan
        From `make_plan`.
    releases, environments : mapping
        As for `make_plan`.
    store : ResultsStore
        Open for writing.
    examine_all : callable
        Grades what there is to do, somewhere: `locally`, or `grader.engine.cluster.on_cluster`.
    entering : Entering, optional
        The gradebook.

    Raises
    ------
    CourseError
        When a result cannot be written, as on a full disk.
    """
    with contextlib.closing(examine_all(plan.todo)) as replies:
        for work, reply in replies:
            release = releases[work.module]
            result = _not_graded(work, release, reply.reason) if isinstance(reply, Failure) else Result.from_json(reply)
            key = Key(result.submission_key, release.fingerprint, environments[work.module])
            stored = store.append(result, key)
            if entering is not None:
                entering.enter(store, release, work, result, stored)
            yield work, result


def enter_done(plan: Plan, releases: Mapping[str, Release], store: ResultsStore, entering: Entering) -> None:
    """Enter the results of earlier runs that are not in the gradebook yet."""
    for work, stored in plan.done:
        if not store.is_entered(stored, entering.name):
            entering.enter(store, releases[work.module], work, store.result(stored), stored)


def _not_graded(work: Work, release: Release, reason: str) -> Result:
    """Return the result of a submission on which the grader itself failed."""
    message = "This could not be graded; your instructor has been told."
    cells = tuple(
        CellResult(cell.id, cell.exercise, 0.0, cell.points, Outcome.EngineError, message)
        for cell in release.having("tests")
    )
    flag = f"the grader failed twice: {reason}; grade this submission again"
    return Result(work.student, work.module, work.read().key, cells, flags=(flag,))
