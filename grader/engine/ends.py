"""What the end of a test cell means: an outcome, and what is told of it to whom."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from convnets.checks import CheckFailed
from convnets.checks.render import Standing, as_text
from convnets.checks.signature import is_stub
from grader.engine.errors import EngineError
from grader.engine.official import OfficialTest
from grader.engine.proxy import BadReply, CallTimedOut, CannotCarry, LearnerDied, NotPlainData
from grader.engine.release import Release
from grader.engine.result import Outcome
from grader.engine.wording import exception_name, kind_of_error

_ENGINE = Path(__file__).parent
_NAMED = re.compile(r"(\w+) is not written yet")
_DEFINED = re.compile(r"^\s*(?:async\s+)?def\s+(\w+)", re.M)


class MissingError(BaseException):
    """A test asked for a name that the learner did not define. No `except Exception` of a test may swallow it."""


@dataclass(frozen=True)
class End:
    """How a test cell, or a part of one, ended; the fields are those of `CellResult`, and a flag for staff."""

    outcome: Outcome
    message: str = ""
    called: str = ""
    expected: str = ""
    got: str = ""
    hidden: bool = False
    mistake: str = ""
    reason: str = ""
    detail: str = ""
    flag: str = ""


PASSED = End(Outcome.Passed)
_NOT_PLAIN = "What your function returned is of another type than was asked for."


@dataclass(frozen=True)
class Place:
    """Where an exception was met.

    Attributes
    ----------
    release : Release
        The module.
    test : OfficialTest
        The test cell.
    hidden : bool
        While its hidden part ran.
    begun : int
        Checks of the cell begun before the part that ran.
    in_test : bool
        While the test's own text ran, not the engine around it.
    untouched : bool
        The exercise's stub was left as it was.
    """

    release: Release
    test: OfficialTest
    hidden: bool
    begun: int
    in_test: bool
    untouched: bool


def end_of(error: BaseException, place: Place) -> End:
    """Return what an exception in a test cell means.

    What is not understood is the engine's failure: it earns nothing, and a person is told.
    """
    match error:
        case LearnerDied() | CallTimedOut() | BadReply() | CannotCarry():
            return end_of_process(error, hidden=place.hidden)
        case MissingError():
            return End(Outcome.Missing, f"The test also needs `{error}`, which is not defined in the notebook.")
        case _ if not place.in_test or isinstance(error, EngineError):
            return engine_failure(error)
        case CheckFailed():
            return _failed_check(error, place)
        case NotPlainData():
            return _told(Outcome.BadReturnType, f"The test could not use what came back: {error}.", _NOT_PLAIN, place)
        case NotImplementedError() if is_stub(error):
            return _not_written("", place)
    learners_text = getattr(error, "learner_traceback", None)
    text = " ".join(f"{type(error).__name__}: {error}".split())
    if isinstance(learners_text, str):
        exercise = place.test.cell.exercise
        told = f"It raised {exception_name(type(error).__name__)}."
        return _told(Outcome.Raised, f"`{exercise}` raised {text}\n{learners_text}", told, place)
    if isinstance(error, AssertionError):
        return _told(Outcome.Failed, f"A test failed. {error}".strip(), "The answer is wrong.", place)
    if isinstance(error, Exception) and not _raised_in_the_engine(error):
        # With the official solution no test does this: what the learner's function returned is not fit for it.
        told = "The test could not use what your function returned."
        flag = f"the test itself raised {text}: put what may fail into a check"
        return replace(_told(Outcome.Failed, f"{told} {text}", told, place), flag=flag)
    return engine_failure(error)


def end_of_process(error: BaseException, *, hidden: bool = False) -> End:
    """Return what the end of a learner's process means."""
    if isinstance(error, CallTimedOut):
        return End(Outcome.TimedOut, f"It did not end in time ({error}).", hidden=hidden)
    if isinstance(error, BadReply):
        flag = f"the learner's process broke the protocol: {error}"
        return End(Outcome.BadReturnType, "What came back cannot be read.", hidden=hidden, flag=flag)
    if isinstance(error, CannotCarry):
        # Of the test's own making or of the answer's; a person has to tell.
        flag = f"the test or the answer does what cannot go between processes: {error}"
        return End(
            Outcome.BadReturnType, "What your function did or returned cannot be graded.", hidden=hidden, flag=flag
        )
    match getattr(getattr(error, "death", None), "kind", ""):
        case "out_of_memory":
            return End(Outcome.OutOfMemory, "It needed more memory than there is.", hidden=hidden)
        case "cpu_time":
            return End(Outcome.TimedOut, "It used more computing time than there is.", hidden=hidden)
    return End(Outcome.Died, "It ended its process.", hidden=hidden, detail=str(error))


def engine_failure(error: BaseException) -> End:
    """Return the end of a test cell that could not be graded."""
    text = str(error) if isinstance(error, EngineError) else " ".join(f"{type(error).__name__}: {error}".split())
    flag = f"the grader failed: {text}"
    return End(Outcome.EngineError, "This could not be graded; your instructor has been told.", flag=flag)


def too_few_checks(test: OfficialTest, begun: int) -> End:
    """Return the end of a test cell that ran to its end but left checks out: it was not tested, so it did not pass."""
    flag = f"{begun} checks ran where the official solution runs {test.cell.checks}; it earned nothing"
    return End(Outcome.Failed, "Not all checks could be run on what your function returned.", flag=flag)


def _told(outcome: Outcome, visible: str, hidden: str, place: Place) -> End:
    """Return an end with the message for where it happened; what is hidden is for staff alone."""
    if place.hidden:
        return End(outcome, _of_hidden(hidden), hidden=True, detail=visible)
    return End(outcome, visible.strip())


def _of_hidden(kind: str) -> str:
    return f"A test that the notebook does not show failed. {kind}"


def _failed_check(failure: CheckFailed, place: Place) -> End:
    report, outcome = failure.report, Outcome.Failed
    if report.not_written:
        return _not_written(report.mismatch.kind, place)
    known = place.release.recognise(place.test.cell.id, place.begun + failure.ordinal, failure.outcome)
    mistake, reason = (known.name, known.reason) if known else ("", "")
    kind = kind_of_error(report.mismatch.kind)
    if "raised" in failure.outcome:
        outcome, kind = Outcome.Raised, f"It raised {exception_name(str(failure.outcome['raised']))}."
    elif "type" in failure.outcome:
        outcome = Outcome.BadReturnType
    full = as_text(replace(report, standing=Standing(), reason=reason))
    end = _told(outcome, full, f"{kind} {reason}".strip(), place)
    if not place.hidden:
        expected, got = (f"{text.shape} {text.text}".strip() for text in (report.expected, report.got))
        end = replace(end, called=report.called, expected=expected, got=got)
    return replace(end, mistake=mistake, reason=reason)


def _not_written(said: str, place: Place) -> End:
    """Say what is still a stub: the function that the check names, where that is an official one."""
    found = _NAMED.match(said)
    named = place.test.cell.exercise
    if found and not place.untouched:
        official = {name for cell in place.release.having("exercise") for name in _DEFINED.findall(cell.source)}
        named = found[1] if found[1] in official else named
    return End(Outcome.Failed, f"`{named}` is not written yet.", hidden=place.hidden)


def _raised_in_the_engine(error: BaseException) -> bool:
    """Tell whether an exception comes from the engine itself, not from a test's text or a library it called."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is None or Path(trace.tb_frame.f_code.co_filename).parent == _ENGINE
