"""Short texts for values: what was called, expected and obtained."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Arrays of up to this many entries are written out; larger ones show their corners.
WRITTEN_OUT = 100
_ADDRESS = re.compile(r" at 0x[0-9A-Fa-f]+")


def is_tensor(value: object) -> bool:
    """Tell whether `value` is a PyTorch tensor, without importing PyTorch."""
    return type(value).__module__.split(".")[0] == "torch" and hasattr(value, "detach")


def as_plain(value: Any) -> Any:
    """Return a tensor as a NumPy array, and everything else as it is."""
    return value.detach().cpu().numpy() if is_tensor(value) else value


def is_numeric(value: object) -> bool:
    """Tell whether `value` is a number or an array of numbers (booleans are not numbers here)."""
    if isinstance(value, bool | np.bool_):
        return False
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "iufc"
    return isinstance(value, int | float | complex | np.number)


def as_table(values: list[Any] | tuple[Any, ...]) -> NDArray[Any] | None:
    """Return a list of numbers, nested or not, as an array; None for anything else.

    A list of tuples is a list of records, not a table.
    """
    if any(isinstance(value, tuple) for value in values):
        return None
    try:
        array = np.asarray([as_plain(value) for value in values])
    except ValueError:
        return None
    return array if values and is_numeric(array) else None


def kind_of(value: Any) -> str:
    """Name the kind of `value` in a few words, arrays with dtype and shape."""
    if is_tensor(value):
        return f"tensor {str(value.dtype).removeprefix('torch.')} {tuple(value.shape)}"
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {value.shape}"
    if value is None:
        return "None"
    if isinstance(value, dict):
        return f"dict with {len(value)} {'key' if len(value) == 1 else 'keys'}"
    if isinstance(value, list | tuple):
        return f"{type(value).__name__} of {len(value)}"
    if callable(value):
        return getattr(value, "__name__", type(value).__name__)
    return type(value).__name__


def short(value: Any, limit: int = 40) -> str:
    """Write an argument for the line that says what was called: arrays by dtype and shape."""
    if is_tensor(value) or isinstance(value, np.ndarray):
        # A small array says more by its entries than by its shape.
        text = repr(as_plain(value).tolist()) if value.nbytes <= 8 * limit else ""
        return text if text and len(text) <= limit else kind_of(value)
    if callable(value):
        return str(getattr(value, "__name__", type(value).__name__))
    if isinstance(value, np.generic):
        value = value.item()
    text = _text_of(value)
    # A list is given for its entries: a learner has to see them to work the check by hand.
    most = 2 * limit if isinstance(value, list | tuple) else limit
    return text if len(text) <= most else kind_of(value)


def call_text(name: str, parameters: tuple[str, ...], args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """Write a call with abbreviated arguments, as ``f(image: float64 (5, 5), stride=2)``.

    Parameters
    ----------
    name : str
        Name of the function.
    parameters : tuple of str
        Its parameters' names as far as known, used to name array arguments.
    args, kwargs
        The arguments.
    """
    parts = []
    for position, value in enumerate(args):
        text = short(value)
        named = is_tensor(value) or isinstance(value, np.ndarray | dict | list | tuple)
        if named and position < len(parameters):
            text = f"{parameters[position]}: {text}"
        parts.append(text)
    for key, value in kwargs.items():
        separator = ": " if is_tensor(value) or isinstance(value, np.ndarray) else "="
        parts.append(f"{key}{separator}{short(value)}")
    return f"{name}({', '.join(parts)})"


def written(value: Any) -> str:
    """Write a value out for comparison; large arrays show their corners."""
    value = as_plain(value)
    if isinstance(value, list):
        # A table of numbers reads best as the array that it is compared as.
        table = as_table(value)
        value = value if table is None else table
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, np.ndarray):
        return np.array2string(value, precision=5, suppress_small=True, threshold=WRITTEN_OUT, edgeitems=2)
    if isinstance(value, dict):
        lines = [f"{key!r}: {_indented(written(item), len(repr(key)) + 2)}" for key, item in value.items()]
        return "\n".join(lines) if len(lines) > 1 else "{" + "".join(lines) + "}"
    if isinstance(value, tuple | list) and any(isinstance(as_plain(v), np.ndarray) for v in value):
        return "\n".join(f"[{i}] {_indented(written(item), 4)}" for i, item in enumerate(value))
    text = _text_of(_python_numbers(value))
    return text if len(text) <= 600 else text[:600] + " …"


def _text_of(value: Any) -> str:
    """Write a value as Python does, without addresses: they tell a learner nothing and change with every run."""
    return _ADDRESS.sub("", repr(value))


def _python_numbers(value: Any) -> Any:
    """Write np.int64(3) as 3, also inside lists and tuples."""
    if isinstance(value, np.generic):
        return value.item()
    if type(value) in (list, tuple):
        return type(value)(_python_numbers(item) for item in value)
    return value


def _indented(text: str, width: int) -> str:
    return text.replace("\n", "\n" + " " * width)
