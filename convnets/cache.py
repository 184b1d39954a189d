"""Results that take long are kept on disk, so that running a notebook a second time takes seconds.

The folder is the environment variable CONVNETS_CACHE, or ``convnets`` in the user's folder of caches
(``$XDG_CACHE_HOME``, by default ``~/.cache``). It can be deleted at any time: whatever is missing, cut off or damaged
is computed anew. No file of it is ever right for the wrong question: its name is a fingerprint of everything the
result depends on, which is the function's code, the data, the weights and code of a network, and the version of this
format, of NumPy and of PyTorch.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import inspect
import os
import sys
import tempfile
import types
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from convnets.training import fast_mode

FORMAT = "1"
"""Raised when the files or the fingerprints change their meaning."""


def cache_folder() -> Path:
    """Return the folder of kept results, which need not exist: CONVNETS_CACHE, or convnets/ among the user's caches."""
    named = os.environ.get("CONVNETS_CACHE")
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(named) if named else Path(caches) / "convnets"


def fingerprint(*parts: Any) -> str:
    """Return 64 hexadecimal digits that change when any of the parts does.

    Parameters
    ----------
    *parts
        None, bool, int, float, str, bytes; arrays and tensors, by dtype, shape and values; networks, by their
        structure, weights, statistics, training mode and the text of their classes; functions, by their text, that
        of the functions they call by name and the values they close over; tuples, lists and dicts of these.

    Raises
    ------
    TypeError
        For a part of another kind, or a function whose text is not to be had.
    """
    digest = hashlib.sha256()
    seen: set[int] = set()

    def add(kind: str, content: bytes | memoryview = b"") -> None:
        # With its length before it, a part cannot be mistaken for two, or for a part of its neighbour.
        digest.update(f"{kind}:{len(content)};".encode())
        digest.update(content)

    def add_array(array: npt.NDArray[Any]) -> None:
        if array.dtype.hasobject:
            raise TypeError("an array of objects has no fingerprint: use numbers")
        add(f"array {array.dtype.str} {array.shape}", np.ascontiguousarray(array).tobytes())

    def add_text_of(code: Any) -> None:
        try:
            add("text", inspect.getsource(code).encode())
        except (OSError, TypeError):
            raise TypeError(f"the text of {code!r} is not to be had, so it has no fingerprint") from None

    def add_function(function: types.FunctionType) -> None:
        if id(function) in seen:
            return
        seen.add(id(function))
        add_text_of(function)
        walk(function.__defaults__)
        walk(function.__kwdefaults__)
        for cell in function.__closure__ or ():
            walk(cell.cell_contents)
        for name in sorted(_names_in(function.__code__)):
            value = function.__globals__.get(name)
            # Numbers and functions of a notebook are part of what is computed; modules are told by their version.
            if isinstance(value, types.FunctionType | bool | int | float | str):
                add("name", name.encode())
                walk(value)

    def walk(part: Any) -> None:
        torch = sys.modules.get("torch")
        if part is None or isinstance(part, bool | int | float | str):
            add(type(part).__name__, repr(part).encode())
        elif isinstance(part, bytes):
            add("bytes", part)
        elif isinstance(part, np.ndarray | np.generic):
            add_array(np.asarray(part))
        elif torch is not None and isinstance(part, torch.Tensor):
            add_array(part.detach().cpu().numpy())
        elif torch is not None and isinstance(part, torch.nn.Module):
            # Its text says how it is built, names and options included; its classes say what it computes.
            add("network", repr(part).encode())
            for name, module in part.named_modules():
                add("mode", f"{name} {module.training}".encode())
                if not type(module).__module__.startswith("torch.") and id(type(module)) not in seen:
                    seen.add(id(type(module)))
                    add_text_of(type(module))
            walk(dict(part.state_dict()))
        elif isinstance(part, types.FunctionType):
            add_function(part)
        elif isinstance(part, functools.partial):
            walk((part.func, part.args, part.keywords))
        elif isinstance(part, Mapping):
            add("mapping", str(len(part)).encode())
            for key, value in part.items():
                walk(key)
                walk(value)
        elif isinstance(part, tuple | list):
            add(type(part).__name__, str(len(part)).encode())
            for value in part:
                walk(value)
        else:
            raise TypeError(f"a {type(part).__name__} has no fingerprint: use numbers, texts, arrays or networks")

    versions = [np.__version__]
    if "torch" in sys.modules:
        versions.append(str(sys.modules["torch"].__version__))
    walk(("convnets", FORMAT, *versions))
    walk(parts)
    return digest.hexdigest()


def cached(function: Callable[..., npt.NDArray[Any]], *args: Any) -> npt.NDArray[Any]:
    """Return ``function(*args)``, from the disk where it was computed before.

    Parameters
    ----------
    function : callable
        Gives one array of numbers that depends on nothing but its text and its arguments, so not on a global
        generator of random numbers.
    *args
        What `fingerprint` can take. A change of any of them, or of the function's text, is another result.

    Returns
    -------
    ndarray

    Notes
    -----
    In fast mode, and where a fingerprint is not to be had or the folder cannot be written, it is computed and not
    kept. Two processes that compute the same at once do not disturb each other.
    """
    if fast_mode():
        return np.asarray(function(*args))
    try:
        path = cache_folder() / f"{fingerprint(function, *args)}.npz"
    except TypeError:
        return np.asarray(function(*args))
    kept = _read(path)
    if kept is None:
        kept = np.asarray(function(*args))
        _write(path, kept)
    return kept


def _names_in(code: types.CodeType) -> set[str]:
    """Return the names that a function looks up, those of functions and comprehensions inside it included."""
    inner = (_names_in(constant) for constant in code.co_consts if isinstance(constant, types.CodeType))
    return set(code.co_names).union(*inner)


def _read(path: Path) -> npt.NDArray[Any] | None:
    """Return the array of a file, None where there is none or it is not whole (each array carries its CRC-32)."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return np.asarray(file["value"])
    except (OSError, EOFError, KeyError, ValueError, NotImplementedError, zipfile.BadZipFile, zlib.error):
        return None


def _write(path: Path, value: npt.NDArray[Any]) -> None:
    """Keep an array under a name that appears only when the file is whole; a folder that refuses is no error."""
    with contextlib.suppress(OSError, ValueError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
            try:
                np.savez(file, value=value)
                file.close()
                os.replace(file.name, path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
