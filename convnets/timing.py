"""Fair timings: CPU time on one thread, for PyTorch and for NumPy alike."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np


@contextmanager
def one_thread() -> Iterator[None]:
    """Let PyTorch and NumPy's matrix products use one thread inside the ``with`` block.

    A small network is fastest on one thread, and a comparison of two libraries is fair only on the same number.
    NumPy's own library of matrix products (OpenBLAS, as the packages of PyPI bring it) has no switch in Python: it is
    asked directly. Where NumPy was built with another library, only PyTorch is limited.
    """
    import torch

    get_blas_threads, set_blas_threads = _blas_threads() or (lambda: 1, lambda _: None)
    torch_before, blas_before = torch.get_num_threads(), get_blas_threads()
    torch.set_num_threads(1)
    set_blas_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(torch_before)
        set_blas_threads(blas_before)


def cpu_ms(call: Callable[[], Any], repeats: int = 5) -> float:
    """Return the CPU time of ``call()`` in milliseconds: the smallest of `repeats` runs, after one that warms up.

    CPU time counts what this process computes and not what others do meanwhile; the smallest run is the one that
    was disturbed least.

    Raises
    ------
    ValueError
        When repeats is less than 1.
    """
    if repeats < 1:
        raise ValueError(f"repeats must be at least 1, not {repeats}")
    call()
    spent = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        spent.append(time.process_time() - start)
    return 1000 * min(spent)


def _blas_threads() -> tuple[Callable[[], int], Callable[[int], Any]] | None:
    """Return OpenBLAS's functions that get and set its number of threads; None where NumPy brings no OpenBLAS."""
    package = Path(np.__file__).parent
    for folder in (package.parent / "numpy.libs", package / ".dylibs"):
        for path in sorted(folder.glob("*openblas*")):
            library = ctypes.CDLL(str(path))
            for name in ("scipy_openblas_{}_num_threads64_", "openblas_{}_num_threads64_", "openblas_{}_num_threads"):
                if hasattr(library, name.format("set")):
                    return getattr(library, name.format("get")), getattr(library, name.format("set"))
    return None
