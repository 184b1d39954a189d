"""What the two sides say to each other: the requests, and how specials of Python's are carried out."""

from __future__ import annotations

import operator
from collections.abc import Callable
from enum import IntEnum
from typing import Any

#: Items that an iterator may give.
MOST_ITEMS = 100_000


class Ask(IntEnum):
    """What the trusted side asks for."""

    RUN = 0
    NAMES = 1
    GET = 2
    SPECIAL = 3
    GETATTR = 4
    SETATTR = 5
    DELATTR = 6
    ISINSTANCE = 7
    ISSUBCLASS = 8
    COPY = 9
    SIGNATURE = 10
    BACKWARD = 11


class Status(IntEnum):
    """How a request ended."""

    GAVE = 0
    RAISED = 1


def _reflected(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda a, b: function(b, a)


def _enter(manager: Any) -> Any:
    return type(manager).__enter__(manager)


def _exit(manager: Any, *error: Any) -> Any:
    return type(manager).__exit__(manager, *error)


def _call(function: Any, *args: Any, **kwargs: Any) -> Any:
    return function(*args, **kwargs)


_BINARY = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "truediv": operator.truediv,
    "floordiv": operator.floordiv,
    "mod": operator.mod,
    "pow": operator.pow,
    "matmul": operator.matmul,
    "lshift": operator.lshift,
    "rshift": operator.rshift,
    "and": operator.and_,
    "or": operator.or_,
    "xor": operator.xor,
}
_IN_PLACE = {name: getattr(operator, f"i{name}") for name in _BINARY if name not in ("and", "or")}
_IN_PLACE |= {"and": operator.iand, "or": operator.ior}

#: The special methods that a proxy has if the learner's class has them, and what each does with the learner's object.
#: Their order numbers the bits by which a class is described.
SPECIALS: dict[str, Callable[..., Any]] = {
    "__call__": _call,
    "__len__": len,
    "__iter__": iter,
    "__next__": next,
    "__contains__": lambda a, b: b in a,
    "__getitem__": operator.getitem,
    "__setitem__": operator.setitem,
    "__delitem__": operator.delitem,
    "__bool__": bool,
    "__repr__": repr,
    "__str__": str,
    "__format__": format,
    "__hash__": hash,
    "__eq__": operator.eq,
    "__ne__": operator.ne,
    "__lt__": operator.lt,
    "__le__": operator.le,
    "__gt__": operator.gt,
    "__ge__": operator.ge,
    "__neg__": operator.neg,
    "__pos__": operator.pos,
    "__abs__": abs,
    "__invert__": operator.invert,
    "__int__": int,
    "__float__": float,
    "__complex__": complex,
    "__index__": operator.index,
    "__round__": round,
    "__reversed__": reversed,
    "__divmod__": divmod,
    "__enter__": _enter,
    "__exit__": _exit,
    **{f"__{name}__": function for name, function in _BINARY.items()},
    **{f"__r{name}__": _reflected(function) for name, function in _BINARY.items()},
    **{f"__i{name}__": function for name, function in _IN_PLACE.items()},
}
