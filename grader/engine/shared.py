"""Objects that both sides hold a copy of, kept alike: parameters, attributes that are arrays, what a callable captured.

An argument is compared after its one call. These are compared at every message instead, by value, for code may write
into them at any time: an optimizer of the trusted side into a learner's parameters, or a learner's into the trusted
side's.
Each side numbers what it shares first, one the even and one the odd numbers.
"""

from __future__ import annotations

import functools
import itertools
import sys
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from grader.engine.wire import Node, Reader, Tag, Writer, bits_of_tensor, is_plain_key, is_plain_tensor, require

#: Objects that a side may share at a time.
_MOST = 100_000


@dataclass
class _Entry:
    number: int
    get: Callable[[], Any]
    key: int
    #: What the other side holds: the values, and of a tensor whether it requires a gradient, that, and its version.
    sent: Any


class SharedObjects:
    """The objects that this side shares with the other one.

    Parameters
    ----------
    first : int
        First number to give: 1 or 2.
    weak : bool
        Whether arrays and tensors are let go when nobody else here holds them; then `dropped` tells their numbers.
    """

    def __init__(self, first: int, *, weak: bool) -> None:
        self._numbers = itertools.count(first, 2)
        self._parity = first % 2
        self._weak = weak
        self._by_number: dict[int, _Entry] = {}
        self._by_object: dict[int, _Entry] = {}
        self.dropped: list[int] = []

    def number_of(self, value: Any) -> int | None:
        """Return the number of an object, None for one that is not shared."""
        entry = self._by_object.get(id(value))
        return entry.number if entry is not None and entry.get() is value else None

    def at(self, number: Any) -> Any:
        """Return the object of a number, None for a number that was not given or is gone."""
        entry = self._by_number.get(number) if type(number) is int else None
        return entry.get() if entry is not None else None

    def forget(self, number: int) -> None:
        """Let go of an object that the other side has dropped."""
        entry = self._by_number.pop(number, None)
        if entry is not None:
            self._by_object.pop(entry.key, None)

    def node(self, value: Any, writer: Writer) -> Node:
        """Return the node of a list, dict, array or tensor, shared from now on."""
        number = self.number_of(value)
        if number is not None:
            return [Tag.SHARED, number, None]
        number = next(self._numbers)
        if _is_tensor(value):
            # Entered last: a gradient is a tensor too, but never one that is shared.
            payload = [_TENSOR, writer.tensor(value), _is_parameter(value), *_extras(value, writer)]
        elif type(value) is np.ndarray:
            payload = [_ARRAY, writer.array(value)]
        elif type(value) is list:
            payload = [_LIST, writer.node(tuple(value))]
        else:
            payload = [_DICT, writer.node(tuple(part for item in value.items() for part in item))]
        self._enter(number, value)
        return [Tag.SHARED, number, payload]

    def read(self, node: list[Any], reader: Reader) -> Any:
        """Return the object of a node, made if it is new here."""
        require(len(node) == 3 and type(node[1]) is int, "something shared without its number")
        _, number, payload = node
        if payload is None:
            value = self.at(number)
            require(value is not None, "a number of something shared that was not given")
            return value
        require(
            number > 0 and number % 2 != self._parity, "a number of something shared that the other side may not give"
        )
        require(number not in self._by_number and len(self._by_number) < _MOST, "a number given twice, or too many")
        require(type(payload) is list and len(payload) >= 2, "something shared without its kind")
        value = self._made(payload, reader)
        self._enter(number, value)
        return value

    def changes(self, writer: Writer) -> list[Node]:
        """Return what changed here since both sides agreed, and take it as told."""
        nodes = []
        for entry in list(self._by_number.values()):
            value = entry.get()
            if value is None or _alike(value, entry.sent):
                continue
            if _is_tensor(value):
                same = same_bits(bits_of_tensor(value), entry.sent[0])
                values = None if same else writer.tensor(value)
                nodes.append([entry.number, values, value._version != entry.sent[3], *_extras(value, writer)])
            elif type(value) is np.ndarray:
                nodes.append([entry.number, writer.array(value)])
            elif type(value) is list:
                nodes.append([entry.number, writer.node(tuple(value))])
            else:
                nodes.append([entry.number, writer.node(tuple(part for item in value.items() for part in item))])
            entry.sent = _copy(value)
        return nodes

    def apply(self, nodes: Any, reader: Reader) -> None:
        """Take over what changed on the other side.

        Raises
        ------
        Malformed
            When it does not fit what is shared here.
        """
        require(type(nodes) is list and len(nodes) <= _MOST, "changes are not a list")
        for node in nodes:
            require(type(node) is list and len(node) >= 2, "a change is not a list")
            value = self.at(node[0])
            if _is_tensor(value):
                require(len(node) == 5 and type(node[2]) is bool, "a tensor's change has five parts")
                self._change_tensor(value, node, reader)
            elif type(value) is np.ndarray:
                new = reader.array(node[1])
                require(new.shape == value.shape and new.dtype == value.dtype, "an array changed its shape or dtype")
                np.copyto(value, new)
            elif type(value) is list:
                value[:] = _sequence(node[1], reader)
            elif type(value) is dict:
                items = _pairs(node[1], reader)
                value.clear()
                value.update(items)
            else:
                require(False, "a change of something that is not shared")
            self._by_number[node[0]].sent = _copy(value)

    def _change_tensor(self, value: Any, node: list[Any], reader: Reader) -> None:
        torch = sys.modules["torch"]
        if node[1] is not None:
            new = reader.tensor(node[1])
            require(new.shape == value.shape and new.dtype == value.dtype, "a tensor changed its shape or dtype")
            # What was written past autograd there is so here: graphs that saved the old values stay usable.
            with torch.no_grad():
                (value if node[2] else value.data).copy_(new)
        _apply_extras(value, node[3], node[4], reader)

    def _made(self, payload: list[Any], reader: Reader) -> Any:
        kind = payload[0]
        if kind == _TENSOR:
            torch: Any = sys.modules.get("torch")
            require(torch is not None and len(payload) == 5, "a tensor in five parts")
            value = reader.tensor(payload[1])
            require(type(payload[2]) is bool and type(payload[3]) is bool, "a tensor's flags")
            floating = value.is_floating_point() or value.is_complex()
            require(floating or not payload[3], "only numbers with a fraction have gradients")
            if payload[2]:
                value = torch.nn.Parameter(value, requires_grad=payload[3])
            _apply_extras(value, payload[3], payload[4], reader)
            return value
        require(len(payload) == 2, "something shared in two parts")
        if kind == _ARRAY:
            array = reader.array(payload[1]).copy(order="K")
            require(type(payload[1][4]) is bool, "whether an array may be written is not said")
            array.flags.writeable = payload[1][4]
            return array
        if kind == _LIST:
            return list(_sequence(payload[1], reader))
        require(kind == _DICT, "something shared of an unknown kind")
        return _pairs(payload[1], reader)

    def _enter(self, number: int, value: Any) -> None:
        key = id(value)
        if self._weak and not isinstance(value, list | dict):

            def gone(_: object) -> None:
                self._by_object.pop(key, None)
                if self._by_number.pop(number, None) is not None:
                    self.dropped.append(number)

            get: Callable[[], Any] = weakref.ref(value, gone)
        else:
            get = functools.partial(_itself, value)
        entry = _Entry(number, get, key, _copy(value))
        self._by_number[number] = self._by_object[key] = entry

    def alive(self) -> Iterator[Any]:
        """Yield the objects that are shared now."""
        for entry in list(self._by_number.values()):
            yield entry.get()


_ARRAY, _TENSOR, _LIST, _DICT = range(4)


def _is_tensor(value: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and type(value) in (torch.Tensor, torch.nn.Parameter)


def _is_parameter(value: Any) -> bool:
    return type(value) is sys.modules["torch"].nn.Parameter


def _extras(value: Any, writer: Writer) -> list[Node]:
    grad = value.grad if value.is_leaf else None
    return [value.requires_grad, writer.tensor(grad) if grad is not None and is_plain_tensor(grad) else None]


def _apply_extras(value: Any, requires_grad: Any, grad: Node, reader: Reader) -> None:
    require(type(requires_grad) is bool, "whether a tensor requires a gradient is not said")
    new = reader.tensor(grad) if grad is not None else None
    fits = new is None or (new.shape == value.shape and new.dtype == value.dtype)
    require(fits, "a gradient does not fit its tensor")
    if value.is_leaf:
        require(value.is_floating_point() or value.is_complex() or not requires_grad, "integers have no gradients")
        value.requires_grad_(requires_grad)
        if new is not None and value.grad is not None:
            value.grad.detach().copy_(new)
        else:
            value.grad = new


def _sequence(node: Node, reader: Reader) -> tuple[Any, ...]:
    value = reader.value(node)
    require(type(value) is tuple, "the entries of a list are not a tuple")
    return tuple(value)


def _pairs(node: Node, reader: Reader) -> dict[Any, Any]:
    parts = _sequence(node, reader)
    require(len(parts) % 2 == 0 and all(is_plain_key(key) for key in parts[::2]), "a dict's keys are not plain data")
    return dict(zip(parts[::2], parts[1::2], strict=True))


def _copy(value: Any) -> Any:
    if _is_tensor(value):
        grad = value.grad if value.is_leaf else None
        grad_bits = None if grad is None else bits_of_tensor(grad).copy()
        return bits_of_tensor(value).copy(), value.requires_grad, grad_bits, value._version
    return value.copy()


def _alike(value: Any, sent: Any) -> bool:
    if _is_tensor(value):
        bits, requires_grad, grad_bits, _ = sent
        grad = value.grad if value.is_leaf else None
        if requires_grad != value.requires_grad or (grad is None) != (grad_bits is None):
            return False
        return same_bits(bits_of_tensor(value), bits) and (grad is None or same_bits(bits_of_tensor(grad), grad_bits))
    if type(value) is np.ndarray:
        return same_bits(value, sent)
    return same_items(value, sent)


def same_items(value: Any, before: Any) -> bool:
    """Tell whether a list, dict or set holds the same objects in the same order as its shallow copy."""
    if len(value) != len(before):
        return False
    if isinstance(value, dict):
        return all(a is b for a, b in zip(value, before, strict=True)) and all(
            value[key] is item for key, item in before.items()
        )
    if isinstance(value, set):
        return bool(value == before)
    return all(a is b for a, b in zip(value, before, strict=True))


def same_bits(value: np.ndarray[Any, Any], before: np.ndarray[Any, Any]) -> bool:
    """Tell whether two arrays are equal bit by bit: a NaN equals itself, and −0 is not 0."""
    if value.shape != before.shape or value.dtype != before.dtype:
        return False
    if value.dtype.kind in "biuUS":
        return bool(np.array_equal(value, before))
    word = np.dtype(f"u{min(value.dtype.itemsize, 8)}")
    if not (value.flags.c_contiguous and before.flags.c_contiguous):
        # Copies: the same bits in the same order of entries.
        value, before = np.ascontiguousarray(value), np.ascontiguousarray(before)
    return bool(np.array_equal(value.reshape(-1).view(word), before.reshape(-1).view(word)))


def _itself(value: Any) -> Any:
    return value
