"""Compare an answer with the expected value and say what kind of error it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convnets.checks.describe import as_plain, as_table, is_numeric, kind_of, written

#: The scale by which gradients are judged (after the Stanford course notes on gradient checks).
GRADIENT_RIGHT, GRADIENT_PASSES, GRADIENT_SUSPICIOUS, GRADIENT_WRONG = 1e-7, 1e-6, 1e-4, 1e-2


@dataclass(frozen=True)
class Mismatch:
    """What is wrong with an answer.

    Attributes
    ----------
    kind : str
        The kind of error in one sentence.
    where : str
        Where the values first differ and by how much; empty when the kind says it all.
    """

    kind: str
    where: str = ""


@dataclass(frozen=True)
class Tolerance:
    """How close numbers have to be: ``|got - expected| <= atol + rtol * |expected|``."""

    rtol: float = 1e-7
    atol: float = 1e-9


#: What to look for when numbers are none.
_NOT_FINITE = {
    "NaN": "look for 0/0, 0·∞, ∞ − ∞, or the root or logarithm of a negative number.",
    "infinite": "look for a division by zero, the logarithm of 0 or an overflow.",
}
#: Entries compared before whole arrays are.
SAMPLED = 500
#: Any two numbers agree: what remains to be compared is keys, shapes and NaN.
STRUCTURE_ONLY = Tolerance(atol=1e300)


def find_mismatch(
    expected: Any,
    got: Any,
    tolerance: Tolerance,
    dtype: Any = None,
    argument_sizes: Iterable[int] = (),
    path: str = "",
) -> Mismatch | None:
    """Compare two values, containers entry by entry.

    Parameters
    ----------
    expected, got
        Plain data: numbers, arrays, tensors, strings, booleans, None, and lists, tuples and
        dicts of them. A list or tuple of numbers is compared as an array.
    tolerance : Tolerance
        For numbers.
    dtype : dtype-like, optional
        When given, `got` must have this dtype too.
    argument_sizes : iterable of int
        Lengths of the arguments' axes, used to recognise a sum where a mean was asked.
    path : str
        Where in the answer this value stands, as ``[0]`` or ``['weight1']``.

    Returns
    -------
    Mismatch or None
        None when they agree.
    """
    expected, got = as_plain(expected), as_plain(got)
    here = f"In {path}: " if path else ""
    if got is None and expected is not None:
        if path:
            return Mismatch(f"{here}the value is None.")
        return Mismatch("It returned None. Does the function end with a return statement?")
    if isinstance(expected, dict):
        return _dict_mismatch(expected, got, tolerance, dtype, argument_sizes, path)
    numbers = _as_numbers(expected)
    if isinstance(expected, list | tuple) and (numbers is None or isinstance(expected, tuple)):
        return _sequence_mismatch(expected, got, tolerance, dtype, argument_sizes, path)
    if numbers is None:
        return _plain_mismatch(expected, got, here)
    answer = _as_numbers(got)
    if answer is None:
        wanted = "a number" if numbers.ndim == 0 else f"an array of shape {numbers.shape}"
        return Mismatch(_sentence(f"{here}{wanted} was expected, the answer is {_a(kind_of(got))}."))
    mismatch = _array_mismatch(numbers, answer, tolerance, tuple(argument_sizes))
    if mismatch is None and dtype is not None and answer.dtype != np.dtype(dtype):
        mismatch = Mismatch(f"The values are right, but the dtype is {answer.dtype} where {np.dtype(dtype)} was asked.")
    if mismatch is None:
        return None
    return Mismatch(here + mismatch.kind, mismatch.where)


def relative_error(expected: ArrayLike, got: ArrayLike) -> float:
    """Return ``max |a - b| / (max |a| + max |b|)``, 0 when both are zero everywhere."""
    a, b = np.asarray(expected, dtype=float), np.asarray(got, dtype=float)
    if a.size == 0:
        return 0.0
    scale = np.abs(a).max() + np.abs(b).max()
    return float(np.abs(a - b).max() / scale) if scale > 0 else 0.0


def find_gradient_mismatch(
    expected: Any, got: Any, argument_sizes: Iterable[int] = (), path: str = ""
) -> Mismatch | None:
    """Compare gradients by relative error and tell where on the scale it lies.

    Shapes, missing keys, None and NaN are reported as by `find_mismatch`.
    """
    expected, got = as_plain(expected), as_plain(got)
    if isinstance(expected, dict | tuple):
        structure = find_mismatch(expected, got, STRUCTURE_ONLY, argument_sizes=argument_sizes, path=path)
        if structure:
            return structure
        keys: Iterable[Any] = expected if isinstance(expected, dict) else range(len(expected))
        parts = (find_gradient_mismatch(expected[key], got[key], argument_sizes, f"{path}[{key!r}]") for key in keys)
        return next((part for part in parts if part), None)
    shape_or_nan = find_mismatch(expected, got, STRUCTURE_ONLY, argument_sizes=argument_sizes, path=path)
    if shape_or_nan:
        return shape_or_nan
    error = relative_error(expected, got)
    if error <= GRADIENT_PASSES:
        return None
    detail = find_mismatch(expected, got, Tolerance(rtol=1e-6, atol=0.0), argument_sizes=argument_sizes, path=path)
    verdict = "wrong" if error > GRADIENT_WRONG else "suspicious" if error > GRADIENT_SUSPICIOUS else "not exact"
    scale = (
        f"Relative error {error:.1e}: {verdict} "
        f"(below {GRADIENT_RIGHT:.0e} right, around {GRADIENT_SUSPICIOUS:.0e} suspicious, "
        f"above {GRADIENT_WRONG:.0e} wrong)."
    )
    where = f"{detail.where} {scale}".strip() if detail else scale
    return Mismatch(detail.kind if detail else "The gradient is not exact.", where)


def _as_numbers(value: Any) -> NDArray[Any] | None:
    if is_numeric(value):
        return np.asarray(value)
    return as_table(value) if isinstance(value, list | tuple) else None


def _dict_mismatch(
    expected: dict[Any, Any], got: Any, tolerance: Tolerance, dtype: Any, sizes: Iterable[int], path: str
) -> Mismatch | None:
    if not isinstance(got, dict):
        return Mismatch(f"A dict was expected, the answer is {_a(kind_of(got))}.")
    missing = [key for key in expected if key not in got]
    extra = [key for key in got if key not in expected]
    if missing or extra:
        parts = [f"missing: {', '.join(map(repr, missing))}"] if missing else []
        parts += [f"not asked for: {', '.join(map(repr, extra))}"] if extra else []
        return Mismatch(f"The keys differ ({'; '.join(parts)}).")
    parts_found = (
        find_mismatch(expected[key], got[key], tolerance, dtype, sizes, f"{path}[{key!r}]") for key in expected
    )
    return next((part for part in parts_found if part), None)


def _sequence_mismatch(
    expected: list[Any] | tuple[Any, ...], got: Any, tolerance: Tolerance, dtype: Any, sizes: Iterable[int], path: str
) -> Mismatch | None:
    here = f"In {path}: " if path else ""
    values = f"{len(expected)} value{'' if len(expected) == 1 else 's'}"
    wanted = _sentence(f"{here}a {'tuple' if isinstance(expected, tuple) else 'list'} of {values} was expected")
    if isinstance(got, np.ndarray) and got.ndim:
        if any(np.ndim(as_plain(item)) >= got.ndim for item in expected):
            return Mismatch(f"{wanted}, one array of shape {got.shape} came back: are all of them returned?")
        got = list(got)
    if not isinstance(got, list | tuple):
        return Mismatch(f"{wanted}, the answer is {_a(kind_of(got))}.")
    if len(expected) != len(got):
        return Mismatch(f"{wanted}, {len(got)} came back.")
    parts = (
        find_mismatch(want, have, tolerance, dtype, sizes, f"{path}[{i}]")
        for i, (want, have) in enumerate(zip(expected, got, strict=True))
    )
    return next((part for part in parts if part), None)


def _plain_mismatch(expected: Any, got: Any, here: str) -> Mismatch | None:
    if isinstance(expected, bool | np.bool_) and not isinstance(got, bool | np.bool_):
        return Mismatch(f"{here}True or False was expected, the answer is {_a(kind_of(got))}.")
    if isinstance(expected, np.ndarray):
        if not isinstance(got, np.ndarray | list):
            return Mismatch(_sentence(f"{here}an array was expected, the answer is {_a(kind_of(got))}."))
        same = np.shape(got) == expected.shape and bool(np.all(np.asarray(got) == expected))
    else:
        same = type(got) in (type(expected), np.bool_, np.str_) and bool(got == expected)
    return None if same else Mismatch(f"{here}{written(expected)} was expected, the answer is {written(got)}.")


def _array_mismatch(
    expected: NDArray[Any], got: NDArray[Any], tolerance: Tolerance, sizes: tuple[int, ...]
) -> Mismatch | None:
    if expected.shape != got.shape:
        return Mismatch(_shape_kind(expected, got, tolerance))
    bad = ~np.isfinite(got) & np.isfinite(expected)
    if bad.any():
        name = "NaN" if np.isnan(got).any() else "infinite"
        return Mismatch(
            f"{int(bad.sum())} of {got.size} entries are {name}: {_NOT_FINITE[name]}"
            if got.size > 1
            else f"The answer is {name}: {_NOT_FINITE[name]}",
            _first(bad, expected, got),
        )
    wrong = ~np.isclose(got, expected, rtol=tolerance.rtol, atol=tolerance.atol, equal_nan=True)
    if not wrong.any():
        return None
    return Mismatch(_value_kind(expected, got, wrong, sizes), _first(wrong, expected, got))


def _shape_kind(expected: NDArray[Any], got: NDArray[Any], tolerance: Tolerance) -> str:
    text = f"The shape is {got.shape}, expected was {expected.shape}"
    if expected.ndim == 0:
        return f"A single number was expected, the answer is an array of shape {got.shape}."
    if got.ndim == 0:
        return f"The answer is a single number, expected was an array of shape {expected.shape}."
    if got.ndim == expected.ndim > 1 and got.shape == expected.shape[::-1]:
        same = np.allclose(got.T, expected, rtol=max(tolerance.rtol, 1e-6))
        return f"{text}: the axes are swapped" + (", the values are right once transposed." if same else ".")
    if got.size == expected.size:
        return f"{text}: the same number of entries, arranged differently."
    if got.ndim != expected.ndim:
        return f"{text}: {got.ndim} {'axis' if got.ndim == 1 else 'axes'} where {expected.ndim} were expected."
    return f"{text}."


def _value_kind(expected: NDArray[Any], got: NDArray[Any], wrong: NDArray[np.bool_], sizes: tuple[int, ...]) -> str:
    if np.issubdtype(got.dtype, np.integer) and not np.issubdtype(expected.dtype, np.integer):
        for name, cut in (("cut off", np.trunc), ("rounded", np.round), ("rounded down", np.floor)):
            if _same(cut(expected), got):
                return f"The answer has integer dtype {got.dtype}: the decimals were {name}."
    if _same(-expected, got):
        return "The sign is flipped: the answer is exactly −1 times the expected value."
    # Of counts, one that is nearly right is as wrong as any other.
    if not np.issubdtype(expected.dtype, np.integer) and np.allclose(got, expected, rtol=1e-4, atol=0.0):
        return "Nearly right: is a small term such as ε missing or misplaced, or are these float32 numbers?"
    factor = _constant_factor(expected, got, sizes)
    if factor:
        return factor
    if _several(expected):
        difference = got - expected
        if _same(difference, np.full_like(difference, difference.flat[0])):
            return f"Every entry is off by the same amount, {difference.flat[0]:+.6g}."
    if expected.ndim >= 2:
        if expected.shape[-1] == expected.shape[-2] and _same(np.swapaxes(expected, -1, -2), got):
            return "The answer is the transpose of the expected one."
        for axes, name in (((-2, -1), "both of the last two axes"), ((-2,), "the rows"), ((-1,), "the columns")):
            if _same(np.flip(expected, axes), got):
                return f"The answer is the expected one flipped along {name}."
        # A border is only told from an inside that is more than a dot.
        inside = wrong[..., 1:-1, 1:-1] if min(expected.shape[-2:]) >= 5 else wrong[:0]
        edges = (wrong[..., 0, :], wrong[..., -1, :], wrong[..., :, 0], wrong[..., :, -1])
        if inside.size and not inside.any() and all(edge.any() for edge in edges):
            return f"Only the border is wrong ({int(wrong.sum())} entries); the inside is right."
        if inside.size and inside.sum() == wrong.sum() and inside.all():
            return "The border is right, the inside is wrong."
    # Equal sums first: sorting is the dearest question of all. As many zeros and ones say nothing about their order.
    if expected.size > 1 and np.isclose(expected.sum(), got.sum(), rtol=1e-5):
        ordered = np.sort(expected, axis=None)
        telling = ordered.size == 2 or np.count_nonzero(np.diff(ordered)) != 1
        if telling and _same(ordered, np.sort(got, axis=None)):
            return "The right numbers in the wrong order."
    if expected.size == 1:
        return "The value is wrong."
    number = int(wrong.sum())
    return f"{number} of {wrong.size} entries {'is' if number == 1 else 'are'} wrong."


def _same(a: NDArray[Any], b: NDArray[Any]) -> bool:
    """Tell whether two arrays agree to about five digits; a look at a few entries spares most long comparisons.

    Counts agree or do not.
    """
    if a.shape != b.shape:
        return False
    if np.issubdtype(a.dtype, np.integer) and np.issubdtype(b.dtype, np.integer):
        return bool(np.array_equal(a, b))
    few = slice(None, None, max(1, a.size // SAMPLED))
    if not np.allclose(a.flat[few], b.flat[few], rtol=1e-5, atol=1e-8):
        return False
    return bool(np.allclose(a, b, rtol=1e-5, atol=1e-8))


def _multiple(got: NDArray[Any], factor: float, expected: NDArray[Any]) -> bool:
    return bool(np.allclose(got, factor * expected, rtol=1e-5, atol=1e-12))


def _constant_factor(expected: NDArray[Any], got: NDArray[Any], sizes: tuple[int, ...]) -> str:
    """Say by which constant factor the answer is off, if it is; a single number, even repeated, needs a telling one."""
    scale = float(np.vdot(expected, expected).real)
    if scale == 0:
        return ""
    factor = float(np.vdot(expected, got).real) / scale
    few = slice(None, None, max(1, expected.size // SAMPLED))
    if (
        factor == 0
        or abs(factor - 1) < 1e-3
        or not _multiple(got.flat[few], factor, expected.flat[few])
        or not _multiple(got, factor, expected)
    ):
        return ""
    for size in sorted(set(sizes)):
        if size > 2 and np.isclose(abs(factor), size, rtol=1e-6):
            return f"Off by the constant factor {factor:.6g}: a sum where a mean over {size} was asked?"
        if size > 2 and np.isclose(abs(factor), 1 / size, rtol=1e-6):
            return f"Off by the constant factor 1/{size}: a mean over {size} where a sum was asked?"
    # A count of 2 where 1 was due is off by one rather than by a factor.
    count = expected.size == 1 and np.issubdtype(expected.dtype, np.integer) and abs(expected.item()) <= 2
    telling = not count and any(np.isclose(abs(factor), value, rtol=1e-6) for value in (2.0, 0.5, 4.0, 0.25, 255.0))
    if telling or _several(expected):
        return f"Off by a constant factor: the answer is {factor:.6g} times the expected one."
    return ""


def _several(expected: NDArray[Any]) -> bool:
    """Tell whether an array holds at least two different numbers beside 0."""
    numbers = expected[expected != 0]
    return bool(numbers.size > 1 and (numbers != numbers.flat[0]).any())


def _first(wrong: NDArray[np.bool_], expected: NDArray[Any], got: NDArray[Any]) -> str:
    if wrong.ndim == 0:
        return _gap(expected[()], got[()])
    index = tuple(int(i) for i in np.argwhere(wrong)[0])
    place = f"[{', '.join(map(str, index))}]"
    return f"First difference at {place}: {_gap(expected[index], got[index])}"


def _gap(expected: Any, got: Any) -> str:
    gap = abs(got - expected)
    # Beyond a factor of ten a percentage says nothing.
    relative = f", {100 * gap / abs(expected):.3g} %" if expected != 0 and gap < 10 * abs(expected) else ""
    off = f" (off by {_figure(gap, 4)}{relative})" if np.isfinite(gap) else ""
    return f"expected {_figure(expected, 8)}, got {_figure(got, 8)}{off}."


def _figure(value: Any, digits: int) -> str:
    """Write a count in full, a measured figure with so many digits."""
    return f"{int(value)}" if np.issubdtype(type(value), np.integer) else f"{value:.{digits}g}"


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


def _a(noun: str) -> str:
    if noun == "None":
        return noun
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
