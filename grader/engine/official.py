"""The trusted side of one release: official setup has run once, test cells wait to be run on a learner's names.

All of a release's official code shares one namespace, as in a kernel, so that a helper of a setup cell finds the
learner's functions when it is called. Before each test cell the namespace is put back to what setup left: no
submission, and no test cell, leaves a trace in it.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import functools
import io
import random
import sys
import types
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from convnets.checks import Lesson
from grader.engine.errors import EngineError
from grader.engine.release import OfficialCell, Release

Namespace = dict[str, Any]

#: Random numbers of every test cell begin here.
SEED = 0
_SEEDED = None
#: What nothing a test does can change, or what is official code: it is shared, everything else is copied for each test.
_SHARED = (
    types.ModuleType,
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    type,
    Lesson,
    str,
    bytes,
    int,
    float,
    complex,
    bool,
    types.NoneType,
)


@dataclass(frozen=True)
class Part:
    """The statements of a test cell that run in one go.

    Attributes
    ----------
    code : types.CodeType
        Compiled; its line numbers are those of the whole cell.
    hidden : bool
        They begin with hidden tests.
    """

    code: types.CodeType
    hidden: bool


@dataclass(frozen=True)
class OfficialTest:
    """A test cell, cut before its first hidden statement.

    Attributes
    ----------
    cell : OfficialCell
        The cell.
    parts : tuple of Part
        What learners can see, then the rest; a cell of hidden tests alone has one part, as has one without.
    """

    cell: OfficialCell
    parts: tuple[Part, ...]

    @property
    def mentions(self) -> set[str]:
        """The names that its text mentions, inside of functions too."""
        return set().union(*(_names(part.code) for part in self.parts), ())

    @property
    def file_name(self) -> str:
        """Under which its frames appear in tracebacks."""
        return f"<{self.cell.id}>"


@dataclass(frozen=True)
class Pause:
    """What the first part of a test cell has left, for the second one to go on from."""

    names: Namespace
    random_numbers: tuple[Any, Any, Any] | None


class Official:
    """A release's official code, run.

    Parameters
    ----------
    release : Release
        The module.

    Raises
    ------
    EngineError
        When official code does not run here.
    """

    def __init__(self, release: Release) -> None:
        self.release = release
        self.namespace: Namespace = {"__name__": "__main__"}
        with quiet(), random_numbers_kept():
            _set_random_numbers(_SEEDED)
            # The solution runs too, for a setup cell may call it; then its names make place for the learner's.
            for cell in release.having("setup", "exercise"):
                try:
                    exec(compile(cell.source, f"<{cell.id}>", "exec"), self.namespace)
                except Exception as error:
                    raise EngineError(f"{release.module}: {cell.id} does not run: {_in_one_line(error)}") from error
        for name in release.names:
            self.namespace.pop(name, None)
        lesson = self.namespace.get("lesson")
        self.lesson = lesson if isinstance(lesson, Lesson) else Lesson(release.module)
        # What lies beside the notebooks here need not be this release's.
        self.lesson.record = release.record
        self._pristine = dict(self.namespace)
        self._data = {
            name: value
            for name, value in self._pristine.items()
            if name != "__builtins__" and self._can_be_changed(value)
        }
        self.tests = tuple(self._test(cell) for cell in release.having("tests"))

    def begin(self, learners: Namespace) -> None:
        """Put the namespace back to what setup left, with the learner's names in it, and random numbers to the seed.

        Parameters
        ----------
        learners : dict of str to object
            The learner's names.
        """
        # One copy of them all, so that two names of one array stay two names of one array.
        fresh = copy.deepcopy(self._data, {id(self.lesson): self.lesson})
        self.resume(Pause(self._pristine | fresh | learners, _SEEDED))

    def run(self, test: OfficialTest, part: Part) -> None:
        """Run a part of a test cell in the namespace; `lesson.checks_begun` tells how many checks it began."""
        self.lesson.begin_cell("", test.cell.id)
        with quiet():
            exec(part.code, self.namespace)

    def pause(self) -> Pause:
        """Return what the part that ran has left, to go on from there later."""
        return Pause(dict(self.namespace), _random_numbers())

    def resume(self, pause: Pause) -> None:
        """Put back what a part has left."""
        self.namespace.clear()
        self.namespace.update(pause.names)
        _set_random_numbers(pause.random_numbers)

    def mentioned_by(self, name: str) -> set[str]:
        """Return the names that a helper of a setup cell mentions; none for any other name."""
        return set().union(*(_names(code) for code in _codes(self._pristine.get(name))), ())

    def _can_be_changed(self, value: Any) -> bool:
        if isinstance(value, _SHARED):
            return False
        try:
            copy.deepcopy(value, {id(self.lesson): self.lesson})
        except Exception:
            return False  # a handle of something; nobody can copy it
        return True

    def _test(self, cell: OfficialCell) -> OfficialTest:
        try:
            statements = ast.parse(cell.source).body
        except SyntaxError as error:
            raise EngineError(f"{self.release.module}: {cell.id} is no Python: {error}") from error
        hidden_from = min((first for first, _ in cell.hidden), default=sys.maxsize)
        cut = next((i for i, s in enumerate(statements) if (s.end_lineno or 0) >= hidden_from), len(statements))
        parts = tuple(
            Part(compile(ast.Module(body, []), f"<{cell.id}>", "exec"), hidden)
            for body, hidden in ((statements[:cut], False), (statements[cut:], True))
            if body
        )
        return OfficialTest(cell, parts)


@functools.lru_cache(maxsize=4)
def prepare(release: Release) -> Official:
    """Return a release's trusted side, made once for each process (or before it is forked).

    Raises
    ------
    EngineError
        When official code does not run here.
    """
    return Official(release)


class _Nowhere(io.TextIOBase):
    """Swallows what is written: a test may print a learner's values, of any size."""

    def write(self, text: str) -> int:
        return len(text)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Let nothing be printed, and no warning be remembered."""
    nowhere: Any = _Nowhere()
    with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def random_numbers_kept() -> Iterator[None]:
    """Leave the states of all random numbers as they were found."""
    before = _random_numbers()
    try:
        yield
    finally:
        _set_random_numbers(before)


def begin_random_numbers() -> None:
    """Begin all random numbers at the seed."""
    _set_random_numbers(_SEEDED)


def _random_numbers() -> tuple[Any, Any, Any]:
    """Return the states of Python's, NumPy's and, where it is loaded, PyTorch's random numbers."""
    torch = sys.modules.get("torch")
    return random.getstate(), np.random.get_state(), torch.get_rng_state() if torch else None


def _set_random_numbers(states: tuple[Any, Any, Any] | None) -> None:
    """Set the states; None begins them all at the seed."""
    torch = sys.modules.get("torch")
    if states is None:
        random.seed(SEED)
        np.random.seed(SEED)
        if torch:
            # torch.manual_seed also looks for every accelerator there might be.
            torch.default_generator.manual_seed(SEED)
        return
    python, numpy, torch_state = states
    random.setstate(python)
    np.random.set_state(numpy)
    if torch_state is not None and torch:
        torch.set_rng_state(torch_state)


def _names(code: types.CodeType) -> set[str]:
    return set(code.co_names).union(*(_names(inner) for inner in code.co_consts if isinstance(inner, types.CodeType)))


def _codes(value: Any) -> Iterator[types.CodeType]:
    """Yield the code of a function or class that official code defined."""
    if isinstance(value, types.FunctionType) and value.__module__ == "__main__":
        yield value.__code__
    elif isinstance(value, type) and value.__module__ == "__main__":
        for member in vars(value).values():
            yield from _codes(member)


def _in_one_line(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
