"""What all widgets of the course share: state in Python, pictures in the browser, the learner's functions.

How to make a widget
--------------------
1. Write the state as a frozen dataclass with a default for every field: numbers, strings, bools and nested
   tuples of them. ``__post_init__`` raises ``ValueError`` with one clear line for a state without meaning.
2. Write pure functions of it: ``view_of(state, ...) -> dict`` (all that the browser draws, JSON values or
   ``bytes``; its key ``"status"`` is the sentence that a screen reader is told) and whatever actions need.
   Unit-test these; no kernel is needed.
3. Subclass :class:`CourseWidget`::

       class Dial(CourseWidget[DialState]):
           _esm, _css = assets("dial")  # base.js + dial.js, base.css + dial.css

           def picture(self) -> dict[str, Any]:
               return view_of(self.state)

           def act(self, state: DialState, action: str, values: dict[str, Any]) -> DialState:
               if action == "step":
                   return replace(state, angle=state.angle + 1)
               return super().act(state, action, values)  # "set": replaces fields of the state

4. Write ``dial.js``. It is joined behind ``base.js`` into one ES module, so it uses that file's helpers
   without importing them (``element``, ``slider``, ``stepper``, ``choice``, ``button``, ...)::

       export default courseWidget("Dial", (stage, send) => {
         const angle = slider({ label: "angle", onInput: (value) => send("set", { angle: value }) });
         stage.append(angle.node);
         return (view) => angle.update(view.angle, { min: 0, max: 90 });  // draws one view
       });

The browser keeps nothing that Python does not know: a control sends an action, :meth:`CourseWidget.act` makes
the next state of it, and the view that comes back is drawn. While an answer is under way, further ``"set"``
actions are merged, so that a dragged slider never queues behind the kernel. ``view["turn"]`` counts answers;
the widget's root element carries it as ``data-turn``, which is what tests and the benchmark wait for.

A view with ``"tick_ms"`` (an animation) is answered by the action ``"tick"`` after that many milliseconds.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

import anywidget
import numpy as np
import numpy.typing as npt
import traitlets

from convnets.checks.signature import is_stub

HERE = Path(__file__).parent

Array = npt.NDArray[np.float64]

#: A function of the learner's, or None where it is not written or not handed over.
Learner = Callable[..., Any] | None

S = TypeVar("S")


def assets(*names: str) -> tuple[str, str]:
    """Return the JavaScript and the CSS of a widget, each behind the part that all widgets share.

    Parameters
    ----------
    *names : str
        The stem of the widget's files: ``"dial"`` for ``dial.js`` and ``dial.css``; before it those of pieces that
        several widgets use.

    Returns
    -------
    esm, css : str
        One ES module and one style sheet.
    """

    def joined(suffix: str) -> str:
        return "\n".join((HERE / f"{stem}{suffix}").read_text(encoding="utf-8") for stem in ("base", *names))

    return joined(".js"), joined(".css")


@dataclass(frozen=True)
class Outcome:
    """What came of calling a learner's function.

    Attributes
    ----------
    kind : {"value", "missing", "error"}
        ``"missing"``: there is no function yet (None given, or it raises ``NotImplementedError``).
    value : object
        What the function returned, or the exception it raised; None where it is missing.
    words : str
        One sentence to show, empty when there is nothing to say.
    """

    kind: Literal["value", "missing", "error"]
    value: Any = None
    words: str = ""


def call_learner(name: str, function: Callable[..., Any] | None, *args: Any, **kwargs: Any) -> Outcome:
    """Call a learner's function on copies of the arguments; whatever happens becomes an :class:`Outcome`.

    Parameters
    ----------
    name : str
        The name the sentences use, ``"cross_correlate2d"``.
    function : callable or None
        The learner's function.
    *args, **kwargs
        Its arguments. They are copied: a function that changes them in place cannot damage the widget.
    """
    if function is None:
        return Outcome("missing", words=f"Your {name} is not written yet: the toolkit computes this picture.")
    try:
        value = function(*copy.deepcopy(args), **copy.deepcopy(kwargs))
    except Exception as error:  # whatever a learner's code raises is shown, not lost in the kernel's log
        if is_stub(error):
            return call_learner(name, None)
        reason = f": {first}" if (first := next(iter(str(error).splitlines()), "")) else ""
        return Outcome("error", error, f"Your {name} raised {type(error).__name__}{reason}")
    return Outcome("value", value)


@dataclass
class Trade:
    """One function of the learner in use: who does the work, and what to say about it.

    Attributes
    ----------
    name : str
        How sentences call it.
    function : callable or None
        The learner's function; None as soon as the toolkit has to take its place.
    missing : bool
        Whether it is not written yet.
    words : str
        An error or a difference, empty when there is none.
    """

    name: str
    function: Callable[..., Any] | None
    missing: bool = False
    words: str = ""

    def ask(self, *args: Any) -> Outcome | None:
        """Return what came of the learner's function, None where the toolkit has to compute instead."""
        if self.function is None:
            self.missing = not self.words
            return None
        outcome = call_learner(self.name, self.function, *args)
        if outcome.kind == "value":
            return outcome
        self.function = None
        if outcome.kind == "missing":
            self.missing = True
        else:
            self.words = f"{outcome.words}. The toolkit's {self.name} takes its place."
        return None

    def refuse(self, reason: str) -> None:
        """Let the toolkit take the place of a function whose result cannot be used."""
        self.function = None
        self.words = f"Your {self.name} {reason}. The toolkit's takes its place."


def literal(value: Any) -> str:
    """Write a value of a state as Python: whole floats as integers, tuples and arrays as lists.

    >>> literal((1.0, 0.25, (True, "a")))
    "[1, 0.25, [True, 'a']]"
    """
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, tuple | list):
        return "[" + ", ".join(literal(item) for item in value) + "]"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else f"{value:.6g}"
    return repr(value)


def as_numbers(value: Any) -> Array | None:
    """Return what a learner's function gave as an array of numbers, None where it is none."""
    try:
        return np.asarray(value, dtype=np.float64) if value is not None else None
    except (TypeError, ValueError):
        return None


def missing_words(names: list[str]) -> str:
    """Say that functions are not written yet and who computes the picture."""
    verb = "is" if len(names) == 1 else "are"
    return f"Your {' and '.join(names)} {verb} not written yet: the toolkit computes this picture."


def counted(count: int, noun: str) -> str:
    """Write "1 row", "2 rows", "16,432 rows"."""
    return f"{count} {noun}" if count == 1 else f"{count:,} {noun}s"


def number(value: float) -> str:
    """Write a number for a picture: no decimals where there are none, a true minus sign.

    >>> number(-2.0), number(1 / 3), number(0.5)
    ('−2', '0.333', '0.5')
    """
    rounded = round(float(value), 3)
    text = str(int(rounded)) if rounded.is_integer() else f"{rounded:.3f}".rstrip("0")
    return text.replace("-", "−")


class CourseWidget(anywidget.AnyWidget, Generic[S]):  # type: ignore[misc]  # anywidget has no types
    """A widget whose whole state is one frozen dataclass; see the module's docstring for how to make one.

    Parameters
    ----------
    state : dataclass
        The first state. ``type(state)()`` is the default state that :meth:`as_code` compares with.
    functions : sequence of (str, callable or None)
        The learner's functions in the order of the constructor, each with the name sentences call it by.

    Attributes
    ----------
    state : dataclass
        The present state; change it with :meth:`update`.
    view : dict
        What the browser draws (synchronised).
    """

    view = traitlets.Dict().tag(sync=True)

    #: Fields of the state that are no part of what is restored, such as "playing".
    passing: frozenset[str] = frozenset()

    def __init__(self, state: S, functions: tuple[tuple[str, Callable[..., Any] | None], ...] = ()) -> None:
        super().__init__()
        self.functions = functions
        self.turn = 0
        self.state = state
        self._show()
        self.on_msg(self._receive)

    def picture(self) -> dict[str, Any]:
        """Return the view of the present state: JSON values or ``bytes``, with a ``"status"`` sentence."""
        raise NotImplementedError(f"{type(self).__name__} must define picture()")

    def act(self, state: S, action: str, values: dict[str, Any]) -> S:
        """Return the state that follows on `action`; the base knows ``"set"``, which replaces fields."""
        if action != "set":
            raise ValueError(f"{type(self).__name__} knows no action {action!r}")
        return replace(state, **values)  # type: ignore[type-var]

    def update(self, **changes: Any) -> None:
        """Change fields of the state from Python and redraw: ``widget.update(stride=2)``."""
        self.state = self.act(self.state, "set", changes)
        self._show()

    def as_code(self) -> str:
        """Return one line of Python that makes this widget again: ``SlidingKernel(stride=2, padding=1)``.

        Functions given to the constructor stand in it under their own names, fields at their default do not.
        """
        names = [getattr(given, "__name__", name) if given else "None" for name, given in self.functions]
        while names and names[-1] == "None":
            names.pop()
        names += [f"{name}={value}" for name, value in self.settings().items()]
        return f"{type(self).__name__}({', '.join(names)})"

    def settings(self) -> dict[str, str]:
        """Return the keyword arguments that :meth:`as_code` writes, each as Python."""
        default = type(self.state)()
        return {
            field.name: literal(value)
            for field in fields(self.state)  # type: ignore[arg-type]
            if field.name not in self.passing
            and (value := getattr(self.state, field.name)) != getattr(default, field.name)
        }

    def _show(self, problem: str = "") -> None:
        self.turn += 1
        self.view = {**self.picture(), "code": self.as_code(), "turn": self.turn, "problem": problem}

    def _receive(self, _widget: Any, content: dict[str, Any], _buffers: Any) -> None:
        """Answer one message of the browser, {"do": action, ...}, with exactly one new view."""
        values = dict(content)
        action = values.pop("do")
        problem = ""
        # A picture shown twice sends each tick twice: only the first one, for the present turn, counts.
        if action != "tick" or values.pop("turn") == self.turn:
            try:
                self.state = self.act(self.state, action, values)
            except ValueError as error:
                problem = str(error)
        self._show(problem)
