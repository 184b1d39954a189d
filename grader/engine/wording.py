"""The kinds of error that may be told of a hidden test: a closed list, without a value or a name of the test.

What a check says of a failure holds numbers of the expected value ("off by the constant factor 7"), and an answer can
be written so that such a number gives a hidden value away. Of a hidden test students read one of these sentences only.
"""

from __future__ import annotations

import builtins

#: What a check's sentence holds, and what is told of it; the first that fits.
_KINDS = (
    ("returned None", "The answer is None."),
    ("is not written yet", "Something that it needs is not written yet."),
    ("in place", "An argument was changed in place."),
    ("and nothing was raised", "An exception was expected, and nothing was raised."),
    ("instead.", "Another exception than the expected one was raised."),
    ("the axes are swapped", "The shape is wrong: the axes are swapped."),
    ("arranged differently", "The shape is wrong: the entries are arranged differently."),
    ("The shape is", "The shape is wrong."),
    ("single number", "The shape is wrong."),
    ("integer dtype", "The answer has an integer dtype: decimals are lost."),
    ("dtype", "The dtype is wrong."),
    ("NaN", "Some numbers are NaN."),
    ("infinite", "Some numbers are infinite."),
    ("sign is flipped", "The sign is flipped."),
    ("constant factor", "The answer is off by a constant factor."),
    ("off by the same amount", "Every entry is off by the same amount."),
    ("transpose", "The answer is transposed."),
    ("flipped along", "The answer is flipped."),
    ("Only the border", "The border is wrong."),
    ("inside is wrong", "The inside is wrong."),
    ("wrong order", "The right numbers in the wrong order."),
    ("keys differ", "The keys of the dict are wrong."),
    ("The gradient is not exact", "The gradient is not exact."),
)


def kind_of_error(mismatch: str) -> str:
    """Return what may be told of a failed hidden check.

    Parameters
    ----------
    mismatch : str
        The check's own sentence on the kind of error.

    Returns
    -------
    str
        One of a fixed list of sentences; the least telling one where the check's sentence is unknown.
    """
    return next((told for sign, told in _KINDS if sign in mismatch), "The answer is wrong.")


def exception_name(name: str) -> str:
    """Return an exception's name where it is Python's own, and "an exception" otherwise.

    A class can be named after whatever a hidden test passed in.
    """
    known = getattr(builtins, name, None)
    if isinstance(known, type) and issubclass(known, BaseException):
        return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"
    return "an exception"
