"""Running experiments: full or fast, with a progress bar that can be interrupted."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")


def fast_mode() -> bool:
    """Tell whether ``CONVNETS_FAST=1`` asks for small data and few steps, as the course's own tests do."""
    return os.environ.get("CONVNETS_FAST", "") not in ("", "0")


def full_or_fast(full: T, fast: T) -> T:
    """Return `full`, or `fast` in fast mode: the same code runs on less."""
    return fast if fast_mode() else full


def progress(items: Iterable[T], what: str = "", total: int | None = None) -> Iterable[T]:
    """Iterate with a progress bar.

    Parameters
    ----------
    items : iterable
        What to go through.
    what : str
        What one item is, shown beside the bar.
    total : int, optional
        Number of items where `items` cannot tell.

    Returns
    -------
    iterable
        The items. Interrupting the kernel stops the loop and leaves what was computed.
    """
    from tqdm.auto import tqdm

    # The bar is quiet in fast mode: tests read the output.
    bar: Iterable[T] = tqdm(items, desc=what, total=total, leave=False, disable=fast_mode())
    return bar
