"""Timings on one thread: the limit holds inside the block and is lifted after it."""

import time

import pytest
import torch

from convnets import timing


@pytest.fixture
def two_threads():
    """Two threads for PyTorch and, where it can be asked, for NumPy; as before afterwards."""
    before, blas = torch.get_num_threads(), timing._blas_threads()
    torch.set_num_threads(2)
    blas_before = blas[0]() if blas else 1
    if blas:
        blas[1](2)
    yield blas
    torch.set_num_threads(before)
    if blas:
        blas[1](blas_before)


def test_one_thread_inside_and_as_before_afterwards(two_threads):
    def threads():
        return torch.get_num_threads(), two_threads[0]() if two_threads else None

    before = threads()
    with timing.one_thread():
        assert threads() == (1, 1 if two_threads else None)
    assert threads() == before


def test_the_limit_is_lifted_after_an_error_too(two_threads):
    with pytest.raises(ZeroDivisionError), timing.one_thread():
        1 / 0  # noqa: B018
    assert torch.get_num_threads() == 2
    assert not two_threads or two_threads[0]() == 2


def test_without_openblas_only_pytorch_is_limited(two_threads, monkeypatch):
    monkeypatch.setattr(timing, "_blas_threads", lambda: None)
    with timing.one_thread():
        assert torch.get_num_threads() == 1
        assert not two_threads or two_threads[0]() == 2
    assert torch.get_num_threads() == 2


def test_cpu_time_counts_work_and_not_waiting(monkeypatch):
    clock = iter([0.0, 0.5, 1.0, 1.2, 2.0, 2.7])
    monkeypatch.setattr(time, "process_time", lambda: next(clock))
    calls = []
    # Three runs take 0.5, 0.2 and 0.7 s of CPU time; a first one warms up and is not timed.
    assert timing.cpu_ms(lambda: calls.append(1), repeats=3) == pytest.approx(200)
    assert len(calls) == 4


def test_no_repeats_are_refused():
    with pytest.raises(ValueError, match="repeats must be at least 1, not 0"):
        timing.cpu_ms(lambda: None, repeats=0)
