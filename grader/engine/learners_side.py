"""The learner's side of one submission: a process in which all cells have run, started anew whenever it ended."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol

from grader.engine.ends import End, end_of_process
from grader.engine.official import Namespace, begin_random_numbers
from grader.engine.proxy import BadReply, CallTimedOut, CannotCarry, LearnerDied, StrayReply
from grader.engine.put_back import Step, defined_names


class OutOfTimeError(BaseException):
    """The time for a test cell, or for the submission, is over. No `except Exception` of a test may swallow it."""


class Session(Protocol):
    """What grading asks of a learner's process; `grader.engine.proxy.Session` is the real one."""

    #: Whether a test may meet objects of the learner's classes.
    instances: bool

    @property
    def failure(self) -> BaseException | None:
        """Why it cannot be asked anything more: what ended it, as first raised; None as long as it can."""

    def run_cell(self, source: str, name: str) -> str:
        """Run a cell; return what it raised, in a few lines, or an empty text."""

    def names(self) -> Collection[str]:
        """Return the names that its cells have defined."""

    def get(self, name: str) -> Any:
        """Return a value, or a proxy of it."""

    def close(self) -> None:
        """End the process."""


class LearnersSide:
    """The learner's side: a process in which all cells have run, started anew when it ended.

    Parameters
    ----------
    steps : sequence of Step
        The cells.
    open_session : callable
        Starts a fresh process.
    names : collection of str
        Names to take from it.
    deadline : float
        When the time for the whole submission is over, on the monotonic clock.
    """

    def __init__(
        self, steps: Sequence[Step], open_session: Callable[[], Session], names: Collection[str], deadline: float
    ) -> None:
        self.steps = steps
        self.open_session = open_session
        self.wanted = names
        self.deadline = deadline
        self.session: Session | None = None
        self.names: Namespace = {}
        #: How each cell that ended the process ended it; such a cell is left out from then on.
        self.deadly: dict[int, End] = {}
        #: What each cell raised when it last ran.
        self.raised: dict[int, str] = {}
        #: What each cell raised when all of them ran for the first time: a later process may know, by the clock say,
        #: what an earlier one met in a hidden test.
        self.told: dict[int, str] | None = None

    def ready(self) -> Session:
        """Return a session in which all cells have run.

        Raises
        ------
        EngineError
            When no process can be had.
        OutOfTimeError
            When the submission's time is over.
        LearnerDied, CallTimedOut, BadReply
            When it ended while its names were read.
        """
        while self.session is None or self.session.failure is not None:
            self.close()
            if time.monotonic() > self.deadline:
                raise OutOfTimeError
            session = self.open_session()
            try:
                # Not kept before all cells have run: what half of them left is no state to test.
                self.session = session if self._run_steps(session) else None
            finally:
                if self.session is None:
                    session.close()
        return self.session

    @property
    def heard_stray_reply(self) -> bool:
        """Whether the process was ended for a reply to none of its last requests."""
        return self.session is not None and isinstance(self.session.failure, StrayReply)

    def close(self) -> None:
        """End the process, if there is one."""
        if self.session is not None:
            self.session.close()
            self.session = None

    def _run_steps(self, session: Session) -> bool:
        """Run all cells and take the names; False when a cell ended the process."""
        self.raised.clear()
        # The session hands the states on: cells that draw, draw the same every time.
        begin_random_numbers()
        for number in range(len(self.steps)):
            if not self._run_step(session, number):
                return False
        # In a kernel cells are often run in another order than they stand in: what missed a name is run again, unless a
        # later cell defined the same and counts.
        for number in [number for number, text in self.raised.items() if "NameError" in text]:
            if self._may_run_again(number) and not self._run_step(session, number):
                return False
        defined = set(session.names())
        self.names = {}
        for name in self.wanted:
            # What cannot be read is missing.
            with contextlib.suppress(Exception):
                if name in defined:
                    self.names[name] = session.get(name)
        if self.told is None:
            self.told = dict(self.raised)
        return True

    def _run_step(self, session: Session, number: int) -> bool:
        if number in self.deadly:
            return True
        if time.monotonic() > self.deadline:
            raise OutOfTimeError
        step = self.steps[number]
        self.raised.pop(number, None)
        try:
            text = session.run_cell(step.source, step.id)
        except (LearnerDied, CallTimedOut, BadReply, CannotCarry) as error:
            self.deadly[number] = end_of_process(error)
            return False
        if text:
            self.raised[number] = text
        return True

    def _may_run_again(self, number: int) -> bool:
        later = set().union(*(defined_names(step.source) for step in self.steps[number + 1 :]), ())
        return not defined_names(self.steps[number].source) & later
