"""Signatures of outcomes: how a learner's wrong answer is recognised as a known mistake.

A signature holds a few numbers of what came back, never code. The build records the signature of
each known mistake at the first check it fails; a learner's outcome is compared with them.
"""

from __future__ import annotations

import dis
from dataclasses import dataclass
from typing import Any

import numpy as np

from convnets.checks.describe import as_plain, is_numeric

#: Entries of an array that a signature keeps, evenly spaced.
KEPT = 24

Signature = dict[str, Any]


@dataclass(frozen=True)
class Origin:
    """Where an exception came from that another process raised; its ``__origin__``, in the place of a traceback.

    Attributes
    ----------
    by_the_answer : bool
        Whether a ``raise`` in a cell raised it, not one in a library.
    function : str
        Name of the innermost function.
    where : str
        The innermost line of a cell, as "in sigmoid, line 3: return …"; empty when there is none.
    """

    by_the_answer: bool
    function: str
    where: str


def of_value(value: Any) -> Signature:
    """Return the signature of a returned value (JSON data)."""
    value = as_plain(value)
    if isinstance(value, bool | np.bool_) or value is None or isinstance(value, str):
        return {"plain": repr(value if not isinstance(value, np.bool_) else bool(value))}
    if is_numeric(value):
        array = np.asarray(value)
        flat = np.abs(array).ravel() if array.dtype.kind == "c" else array.ravel().astype(float)
        chosen = flat[np.linspace(0, flat.size - 1, min(KEPT, flat.size)).astype(int)] if flat.size else flat
        return {"shape": list(array.shape), "entries": [_number(v) for v in chosen]}
    if isinstance(value, dict):
        return {"dict": {str(key): of_value(item) for key, item in value.items()}}
    if isinstance(value, list | tuple):
        return {"sequence": [of_value(item) for item in value]}
    return {"type": type(value).__name__}


def of_exception(error: BaseException) -> Signature:
    """Return the signature of a raised exception.

    A library's exceptions are told apart by their messages; what the answer itself raises is worded
    differently by everyone, so its type alone counts.
    """
    origin = origin_of(error)
    if raised_by_a_cell(error) if origin is None else origin.by_the_answer:
        return {"raised": type(error).__name__}
    return {"raised": type(error).__name__, "message": str(error)[:200]}


def origin_of(error: BaseException | None) -> Origin | None:
    """Return where an exception came from, None for one whose own traceback tells."""
    origin = getattr(error, "__origin__", None)
    return origin if isinstance(origin, Origin) else None


def raised_by_a_cell(error: BaseException) -> bool:
    """Tell whether a ``raise`` in a cell of a notebook, not one in a library, raised the exception."""
    trace = error.__traceback__
    if trace is None:
        return False
    while trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code
    in_a_cell = code.co_filename.startswith("<") or "ipykernel" in code.co_filename
    return in_a_cell and code.co_code[trace.tb_lasti] == dis.opmap["RAISE_VARARGS"]


def is_stub(error: BaseException | None) -> bool:
    """Tell whether an exception is that of an exercise not written yet: libraries raise its class, too."""
    if not isinstance(error, NotImplementedError):
        return False
    origin = origin_of(error)
    by_the_answer = raised_by_a_cell(error) if origin is None else origin.by_the_answer
    return by_the_answer or str(error) in ("", "your code here")


def of_changed_arguments(positions: list[str]) -> Signature:
    """Return the signature of a call that changed its arguments in place."""
    return {"changed": positions}


def matches(recorded: Signature, outcome: Signature) -> bool:
    """Tell whether an outcome is the recorded one, numbers within 1e-6."""
    if recorded.keys() != outcome.keys():
        return False
    if "entries" in recorded:
        return (
            recorded["shape"] == outcome["shape"]
            and len(recorded["entries"]) == len(outcome["entries"])
            and all(_same_number(a, b) for a, b in zip(recorded["entries"], outcome["entries"], strict=True))
        )
    if "dict" in recorded:
        ours, theirs = recorded["dict"], outcome["dict"]
        return ours.keys() == theirs.keys() and all(matches(ours[key], theirs[key]) for key in ours)
    if "sequence" in recorded:
        ours, theirs = recorded["sequence"], outcome["sequence"]
        return len(ours) == len(theirs) and all(matches(a, b) for a, b in zip(ours, theirs, strict=True))
    return recorded == outcome


def _number(value: float) -> float | str:
    # JSON has no NaN or infinity, and seven digits are what a comparison needs.
    return float(f"{value:.8g}") if np.isfinite(value) else str(float(value))


def _same_number(a: float | str, b: float | str) -> bool:
    if isinstance(a, str) or isinstance(b, str):
        return a == b
    return bool(np.isclose(a, b, rtol=1e-6, atol=1e-9))
