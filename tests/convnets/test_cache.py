"""The cache of results: hits, misses for whatever changed, and files that are not whole."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import nn

from convnets.cache import cache_folder, cached, fingerprint

runs: list[int] = []


def double(x: npt.NDArray[np.float64], times: int = 2) -> npt.NDArray[np.float64]:
    """Multiply, and count that it was called."""
    runs.append(1)
    return times * x


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    runs.clear()
    monkeypatch.delenv("CONVNETS_FAST", raising=False)
    monkeypatch.setenv("CONVNETS_CACHE", str(tmp_path / "kept"))
    return tmp_path / "kept"


def test_the_folder_is_the_variable_or_among_the_users_caches(
    own_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cache_folder() == own_folder
    monkeypatch.delenv("CONVNETS_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "convnets"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_folder() == tmp_path / "home" / ".cache" / "convnets"


def test_the_second_call_comes_from_the_disk(own_folder: Path) -> None:
    x = np.array([1.5, -2.0])
    first, second = cached(double, x), cached(double, x.copy())
    assert len(runs) == 1
    np.testing.assert_array_equal(first, [3.0, -4.0])
    np.testing.assert_array_equal(second, first)
    assert second.dtype == np.float64
    assert [path.suffix for path in own_folder.iterdir()] == [".npz"]


@pytest.mark.parametrize("change", [np.array([1.5, 2.0]), np.array([1.5, -2.0], np.float32), np.array([[1.5, -2.0]])])
def test_other_data_are_another_result(change: npt.NDArray[np.float64]) -> None:
    cached(double, np.array([1.5, -2.0]))
    np.testing.assert_array_equal(cached(double, change), 2 * change)
    assert len(runs) == 2


def cut_off(content: bytes) -> bytes:
    return content[: len(content) // 2]


def one_bit_turned(content: bytes) -> bytes:
    place = content.index(np.float64(1234.5).tobytes())
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


@pytest.mark.parametrize("damage", [cut_off, one_bit_turned, lambda _: b"", lambda _: b"no archive"])
def test_a_bad_file_is_computed_anew_and_replaced(own_folder: Path, damage: Callable[[bytes], bytes]) -> None:
    x = np.full(50, 617.25)
    cached(double, x)
    (path,) = own_folder.iterdir()
    path.write_bytes(damage(path.read_bytes()))
    np.testing.assert_array_equal(cached(double, x), 2 * x)
    assert len(runs) == 2
    np.testing.assert_array_equal(cached(double, x), 2 * x)
    assert len(runs) == 2


def test_a_folder_that_cannot_be_made_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("CONVNETS_CACHE", str(tmp_path / "file" / "below"))
    np.testing.assert_array_equal(cached(double, np.ones(2)), [2, 2])
    np.testing.assert_array_equal(cached(double, np.ones(2)), [2, 2])
    assert len(runs) == 2


def test_nothing_is_left_of_a_call_that_fails(own_folder: Path) -> None:
    def fails(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        raise KeyError("no result")

    with pytest.raises(KeyError, match="no result"):
        cached(fails, np.ones(2))
    assert not own_folder.exists()


def test_fast_mode_keeps_nothing(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVNETS_FAST", "1")
    cached(double, np.ones(2))
    cached(double, np.ones(2))
    assert len(runs) == 2
    assert not own_folder.exists()


def test_what_has_no_fingerprint_is_computed(own_folder: Path) -> None:
    cached(lambda _: np.ones(2), object())
    assert not own_folder.exists()


def test_fingerprints_of_networks() -> None:
    def network(seed: int = 0) -> nn.Sequential:
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))

    def changed(change: Callable[[nn.Sequential], Any]) -> str:
        net = network()
        with torch.no_grad():
            change(net)
        return fingerprint(net)

    same = fingerprint(network())
    assert fingerprint(network()) == same
    others = [
        fingerprint(network(1)),
        changed(lambda net: net[0].weight[0, 0].add_(1e-3)),
        changed(lambda net: net[1].running_mean.add_(1e-3)),
        changed(lambda net: net.eval()),
        changed(lambda net: net.append(nn.ReLU())),
    ]
    assert len({same, *others}) == len(others) + 1


def test_fingerprints_of_functions() -> None:
    def made(offset: int) -> Callable[[int], int]:
        return lambda x: x + offset

    assert fingerprint(made(1)) == fingerprint(made(1)) != fingerprint(made(2))
    assert fingerprint(functools.partial(double, times=3)) != fingerprint(functools.partial(double, times=4))
    assert fingerprint(double) != fingerprint(own_name)
    with pytest.raises(TypeError, match="object has no fingerprint"):
        fingerprint(object())
    with pytest.raises(TypeError, match="array of objects"):
        fingerprint(np.array([object()]))


FACTOR = 2


def helper(x: int) -> int:
    return FACTOR * x


def own_name(x: int) -> list[int]:
    return [helper(k) for k in range(x)]


def test_what_a_function_calls_counts_too(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint(own_name)
    monkeypatch.setitem(globals(), "FACTOR", 3)
    assert fingerprint(own_name) != before


def test_neighbours_are_not_mixed_up() -> None:
    parts: list[tuple[Any, ...]] = [
        ("ab", "c"), ("a", "bc"), ("abc",), (("ab", "c"),), (["ab", "c"],), (1, 2), (12,), (True,), (1,), (1.0,),
        ("1",), (b"1",), (None,), ("None",), ({"a": 1},), (("a", 1),), (np.zeros(2),), (np.zeros((2, 1)),),
        (np.zeros(2, np.int64),),
    ]  # fmt: skip
    assert len({fingerprint(*part) for part in parts}) == len(parts)
    assert fingerprint(torch.zeros(2, dtype=torch.float64)) == fingerprint(np.zeros(2))


def test_two_processes_at_once_leave_one_whole_file(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        if len(runs) < 1:  # another one, begun later, is ready first
            runs.append(1)
            cached(slow, x)
        return 2 * x

    np.testing.assert_array_equal(cached(slow, np.ones(3)), [2, 2, 2])
    assert len(os.listdir(own_folder)) == 1
