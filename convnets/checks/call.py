"""One check: a call of the learner's function and what it should give."""

from __future__ import annotations

import copy
import inspect
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any, Protocol

import numpy as np

from convnets.checks import render, signature
from convnets.checks.compare import Mismatch, Tolerance, find_gradient_mismatch, find_mismatch
from convnets.checks.describe import as_plain, as_table, call_text, is_tensor, kind_of, written


class CheckFailed(AssertionError):  # noqa: N818  (read by learners: "CheckFailed", not "CheckFailedError")
    """A check was not passed; its text explains why.

    Attributes
    ----------
    report : FailureReport
        What was called, expected and obtained, and why it is wrong.
    outcome : dict
        Signature of what came back.
    ordinal : int
        Number of the check within its cell, counted from 0.
    """

    def __init__(self, report: render.FailureReport, outcome: signature.Signature, ordinal: int) -> None:
        super().__init__(render.as_text(report))
        self.report = report
        self.outcome = outcome
        self.ordinal = ordinal

    def _render_traceback_(self) -> list[str]:
        """Give Jupyter the message alone: the call stack of a check teaches nothing."""
        return render.as_error_lines(self.report)


class Supervisor(Protocol):
    """What a check needs to know of its lesson."""

    def parameters_of(self, function_name: str) -> tuple[str, ...]:
        """Return the parameters' names of a function as far as known."""

    def begin_check(self) -> int:
        """Count a check of the current cell and return its number, from 0."""

    def standing(self, function_name: str, ordinal: int) -> render.Standing:
        """Return how many checks and points are at stake, and the hint to offer."""

    def recognise(self, function_name: str, ordinal: int, outcome: signature.Signature) -> str:
        """Return the reason of the known mistake that has this outcome, or an empty text."""


@dataclass(frozen=True)
class Outcome:
    """What one call did: the value it returned or the exception it raised, and what it changed."""

    value: Any = None
    error: BaseException | None = None
    changed: tuple[str, ...] = ()

    @property
    def signature(self) -> signature.Signature:
        """Signature of the outcome."""
        if self.error is not None:
            return signature.of_exception(self.error)
        if self.changed:
            return signature.of_changed_arguments(list(self.changed))
        return signature.of_value(self.value)


@dataclass(frozen=True)
class Call:
    """A call that waits to be judged by one of its methods.

    Attributes
    ----------
    function : callable
        The learner's function, class or a scenario written in the test cell.
    args, kwargs
        Its arguments. They are copied before the call; a change in place fails the check.
    supervisor : Supervisor
        The lesson.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    supervisor: Supervisor = field(repr=False)

    def gives(self, expected: Any, *, rtol: float = 1e-7, atol: float = 1e-9, dtype: Any = None) -> None:
        """Pass when the call returns `expected`.

        Parameters
        ----------
        expected : plain data
            Numbers, arrays, tensors, strings, booleans, None, or lists, tuples and dicts of them.
        rtol, atol : float
            Numbers agree when ``|got - expected| <= atol + rtol * |expected|``.
        dtype : dtype-like, optional
            Also demand this dtype.

        Raises
        ------
        CheckFailed
            When it returns anything else, raises, or changes an argument in place.
        """
        tolerance = Tolerance(rtol, atol)
        self._judge_value(
            expected, lambda value: find_mismatch(expected, value, tolerance, dtype, self._argument_sizes())
        )

    def gives_gradient(self, expected: Any) -> None:
        """Pass when the call returns gradients with a relative error of at most 1e-6.

        Parameters
        ----------
        expected : array, or dict or tuple of arrays
            The gradients.

        Raises
        ------
        CheckFailed
            As `gives`; the message tells where on the scale the error lies.
        """
        self._judge_value(expected, lambda value: find_gradient_mismatch(expected, value, self._argument_sizes()))

    def satisfies(self, predicate: Callable[[Any], bool], description: str) -> None:
        """Pass when ``predicate(value)`` holds for what the call returns.

        Parameters
        ----------
        predicate : callable
            Gets the returned value (tensors as NumPy arrays).
        description : str
            What the predicate demands, as in "every row sums to 1".

        Raises
        ------
        CheckFailed
            When it does not hold, or raises.
        """

        def judge(value: Any) -> Mismatch | None:
            if value is None:
                return find_mismatch(0, None, Tolerance())
            try:
                holds = bool(predicate(as_plain(value)))
            except Exception as error:  # a predicate meets whatever a learner returns
                return Mismatch(f"The answer, {kind_of(value)}, cannot be judged: {error}.")
            return None if holds else Mismatch(f"This does not hold: {description}.")

        self._judge_value(render.Text(description), judge)

    def raises(self, expected: type[Exception]) -> None:
        """Pass when the call raises `expected` (or a subclass of it).

        Raises
        ------
        CheckFailed
            When it returns, or raises something else.
        """
        ordinal, outcome = self._run()
        if isinstance(outcome.error, expected):
            return
        wanted = render.Text(f"{expected.__name__}, with a message that says what is wrong")
        if outcome.error is not None:
            self._fail(ordinal, outcome, wanted, Mismatch(f"It raised {type(outcome.error).__name__} instead."))
        advice = " It was returned: `raise` is what raises it." if _is_exception(outcome.value) else ""
        kind = f"A {expected.__name__} was expected here, and nothing was raised.{advice}"
        self._fail(ordinal, outcome, wanted, Mismatch(kind))

    def _judge_value(self, expected: Any, judge: Callable[[Any], Mismatch | None]) -> None:
        ordinal, outcome = self._run()
        if outcome.error is not None:
            self._fail(ordinal, outcome, expected, Mismatch(f"It raised {type(outcome.error).__name__}."))
        if outcome.changed:
            names = ", ".join(outcome.changed)
            self._fail(
                ordinal,
                outcome,
                expected,
                Mismatch(
                    f"The call changed its argument {names} in place. Whoever called still needs the old values: "
                    "work on a copy."
                ),
            )
        mismatch = judge(outcome.value)
        if mismatch is not None:
            self._fail(ordinal, outcome, expected, mismatch)

    def _run(self) -> tuple[int, Outcome]:
        ordinal = self.supervisor.begin_check()
        args, kwargs = copy.deepcopy((self.args, self.kwargs))
        try:
            value = self.function(*args, **kwargs)
        except Exception as error:
            return ordinal, Outcome(error=error)
        parameters = self._parameters()
        before = dict(enumerate(self.args)) | self.kwargs
        after = dict(enumerate(args)) | kwargs
        changed = []
        for key, value_before in before.items():
            place = _first_change(value_before, after[key], _name_of(key, parameters))
            changed += [place] if place else []
        return ordinal, Outcome(value=value, changed=tuple(changed))

    def _name(self) -> str:
        return str(getattr(self.function, "__name__", type(self.function).__name__))

    def _parameters(self) -> tuple[str, ...]:
        """Return the parameters' names, of an exercise as recorded, of a test's own function as written."""
        recorded = self.supervisor.parameters_of(self._name())
        if recorded or not isinstance(self.function, FunctionType):
            return recorded
        return tuple(inspect.signature(self.function).parameters)

    def _argument_sizes(self) -> tuple[int, ...]:
        values = [as_plain(value) for value in (*self.args, *self.kwargs.values())]
        return tuple(size for value in values if isinstance(value, np.ndarray) for size in (*value.shape, value.size))

    def _fail(self, ordinal: int, outcome: Outcome, expected: Any, mismatch: Mismatch) -> None:
        name = self._name()
        called = call_text(name, self._parameters(), self.args, self.kwargs)
        scenario = getattr(self.function, "__doc__", None)
        if not self.args and not self.kwargs and scenario:
            called = scenario.strip().splitlines()[0]
        not_written = signature.is_stub(outcome.error)
        if not_written:
            mismatch = Mismatch(f"{_missing(outcome.error) or name} is not written yet.")
        standing = self.supervisor.standing(name, ordinal)
        report = render.FailureReport(
            called=called,
            expected=expected
            if isinstance(expected, render.Text)
            else render.Text(written(expected), _shape(expected)),
            got=_got(outcome),
            mismatch=mismatch,
            reason="" if not_written else self.supervisor.recognise(name, ordinal, outcome.signature),
            standing=standing,
            not_written=not_written,
        )
        failure = CheckFailed(report, outcome.signature, ordinal)
        render.show(report)
        raise failure from None


def _shape(value: Any) -> str:
    value = as_table(value) if isinstance(value, list) else as_plain(value)
    return str(value.shape) if isinstance(value, np.ndarray) and value.ndim else ""


def _got(outcome: Outcome) -> render.Text:
    if outcome.error is None:
        return render.Text(written(outcome.value), _shape(outcome.value))
    return render.Text(error_text(outcome.error))


def error_text(error: BaseException) -> str:
    """Write an exception with the last line of the learner's own code that led to it."""
    text = f"{type(error).__name__}: {error}"
    where = _where(error)
    return f"{text}\n  {where}" if where else text


def _where(error: BaseException) -> str:
    origin = signature.origin_of(error)
    if origin is not None:
        return origin.where
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    # The learner's own lines are those of a notebook cell; a library's frames come after them.
    cells = [frame for frame in own if "ipykernel" in frame.filename or frame.filename.startswith("<")]
    last = cells[-1] if cells else (own[-1] if own else None)
    return f"in {last.name}, line {last.lineno}: {last.line.strip()}" if last is not None and last.line else ""


def _is_exception(value: Any) -> bool:
    return isinstance(value, BaseException) or (isinstance(value, type) and issubclass(value, BaseException))


def _missing(error: BaseException | None) -> str:
    """Name the function whose stub raised NotImplementedError."""
    origin = signature.origin_of(error)
    frames = traceback.extract_tb(error.__traceback__) if error is not None else []
    name = origin.function if origin is not None else frames[-1].name if frames else ""
    return name if name not in ("<module>", "__init__") else ""


def _name_of(argument: int | str, parameters: tuple[str, ...]) -> str:
    """Return an argument's name: its own, that of the parameter in its place, or its number."""
    if isinstance(argument, str):
        return argument
    return parameters[argument] if argument < len(parameters) else f"number {argument + 1}"


#: What stands in lists and dicts beside arrays; other objects are not looked into.
_SCALARS = (bool, int, float, complex, str, bytes, np.generic)


def _first_change(before: Any, after: Any, place: str) -> str:
    """Return where a value was changed in place, as ``cache['h2']``; an empty text where it was not."""
    if is_tensor(before) or isinstance(before, np.ndarray):
        a, b = as_plain(before), as_plain(after)
        same = isinstance(b, np.ndarray) and a.shape == b.shape
        return "" if same and np.array_equal(a, b, equal_nan=a.dtype.kind in "fc") else place
    if isinstance(before, dict):
        if before.keys() != after.keys():
            return place
        places = (_first_change(before[key], after[key], f"{place}[{key!r}]") for key in before)
    elif isinstance(before, list | tuple):
        if len(before) != len(after):
            return place
        pairs = enumerate(zip(before, after, strict=True))
        places = (_first_change(a, b, f"{place}[{i}]") for i, (a, b) in pairs)
    elif before is None or isinstance(before, _SCALARS):
        same = (after is None or isinstance(after, _SCALARS)) and (
            after == before or (before != before and after != after)
        )
        return "" if same else place
    else:
        return ""
    return next((changed for changed in places if changed), "")
