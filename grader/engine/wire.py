"""The wire between the trusted side and a learner's process: frames, and a closed encoding of plain data.

A frame is a structure, packed by msgpack from nothing but None, bool, int, float, str, short bytes and arrays, and
behind it the bytes of arrays, tensors and long texts, in the order in which the structure names them. Whatever is not
a scalar is an array that begins with one of the `Tag` numbers. What a frame may hold is counted and measured before it
is believed, and reading one never executes or unpickles anything.

Both sides write and read with the classes here; what lies beyond plain data (handles, arguments met again, shared
objects, pickles on the way to the learner) is told by hooks that each side gives.
"""

from __future__ import annotations

import builtins
import math
import re
import socket
import struct
import sys
import time
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import IntEnum
from typing import Any, Protocol

import msgpack
import numpy as np
from numpy.typing import NDArray

#: A node of the structure: a scalar, or a list that begins with a tag.
Node = Any

_HEADER = struct.Struct(">II")
#: Bytes of structure in a frame; what it describes takes about sixty times as much memory.
STRUCTURE = 4 << 20
#: Entries of one list, tuple, set or dict.
ENTRIES = 1 << 18
#: Levels of containers in containers.
DEPTH = 64
#: Longer texts travel behind the structure.
_SHORT = 1 << 12
#: Bytes of an integer that does not fit 64 bits: Python writes no longer one out.
_LONGEST_INT = 1_700
_MOST_AXES = 32
_HEADROOM = 64
_CLOCK_EVERY = 256

_DTYPES = frozenset(
    np.dtype(order + kind).str
    for kind in ("?", "b", "B", "h", "H", "i", "I", "q", "Q", "e", "f", "d", "F", "D")
    for order in "<>"
)
_TEXT_DTYPE = re.compile(r"(?:<U|>U|\|S)[1-9][0-9]{0,4}")
_TENSOR_DTYPES = frozenset(
    ["bool", "float16", "bfloat16", "float32", "float64", "complex64", "complex128"]
    + [f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)]
)
_TYPES: tuple[type, ...] = (
    bool,
    int,
    float,
    complex,
    str,
    bytes,
    list,
    tuple,
    dict,
    set,
    frozenset,
    object,
    type(None),
)
#: Classes of Python's own that travel by name.
BUILTIN_TYPES: dict[str, type] = {kind.__name__: kind for kind in _TYPES} | {
    name: kind for name, kind in vars(builtins).items() if isinstance(kind, type) and issubclass(kind, Exception)
}


class Malformed(Exception):  # noqa: N818  (what a frame is)
    """A frame that does not follow the rules; the text says which rule."""


class CutOff(Malformed):
    """A frame that the stream's end cut off: its writer may have died while it wrote."""


class TooLarge(Exception):  # noqa: N818  (what a value is)
    """A value that no frame may hold; the text says why."""


class Tag(IntEnum):
    """The first number of a node that is not a scalar."""

    LIST = 0
    TUPLE = 1
    DICT = 2
    SET = 3
    FROZENSET = 4
    INTEGER = 5
    COMPLEX = 6
    BYTES = 7
    TEXT = 8
    ARRAY = 9
    NUMBER = 10
    TENSOR = 11
    RECORD = 12
    NAMED = 13
    RANGE = 14
    SLICE = 15
    #: For the hooks.
    HANDLE = 16
    ARGUMENT = 17
    SHARED = 18
    GRAPH = 19
    PICKLE = 20
    EXCEPTION = 21
    GENERATOR = 22


class Record(tuple[Any, ...]):
    """A tuple whose entries have names: a learner's named tuple, or one of PyTorch's."""

    names: tuple[str, ...] = ()

    def __getattr__(self, name: str) -> Any:
        if name in self.names:
            return self[self.names.index(name)]
        raise AttributeError(f"the tuple has no entry {name!r}; it has {', '.join(self.names) or 'no names'}")

    def __reduce__(self) -> tuple[Any, ...]:
        return (_record, (tuple(self), self.names))


def _record(values: Iterable[Any], names: tuple[str, ...]) -> Record:
    record = Record(values)
    record.names = names
    return record


class WriterHooks(Protocol):
    """What one side adds to the encoding."""

    def known(self, value: Any) -> Node | None:
        """Return the node of a mutable value met before, or of one that travels in another way; else None.

        Called for every list, dict, set, array and tensor, in the order in which a reader makes them.
        """

    def write_other(self, value: Any) -> Node:
        """Return the node of a value that is not plain data."""


class ReaderHooks(Protocol):
    """What one side adds to the reading."""

    def made(self, value: Any) -> None:
        """Take note of a list, dict, set, array or tensor, made in the order in which it was written."""

    def read_other(self, tag: int, node: list[Any], reader: Reader) -> Any:
        """Return the value of a node whose tag is not one of plain data, or raise Malformed."""


# Writing.


class Writer:
    """Builds one frame.

    Parameters
    ----------
    hooks : WriterHooks
        For what is not plain data.
    """

    def __init__(self, hooks: WriterHooks) -> None:
        self._hooks = hooks
        self._behind: list[bytes | memoryview] = []
        self._depth = 0

    def node(self, value: Any) -> Node:
        """Return the node of a value.

        Raises
        ------
        TooLarge
            When it is nested too deeply or has too many entries.
        """
        kind = type(value)
        if kind is float or value is None or kind is bool:
            return value
        write = _WRITE.get(kind)
        if write is None:
            return self._rare(kind, value)
        return write(self, value)

    def array(self, value: NDArray[Any]) -> Node:
        """Return the node of an array of one of the known dtypes, its memory order kept where it has no gaps."""
        axes = None
        if not value.flags.c_contiguous:
            order = sorted(range(value.ndim), key=lambda axis: -abs(value.strides[axis]))
            if value.transpose(order).flags.c_contiguous:
                axes, packed = order, value.transpose(order)
            else:
                packed = np.ascontiguousarray(value)
        else:
            packed = value
        if packed.nbytes:
            self._behind.append(packed.reshape(-1).view(np.uint8).data if packed.nbytes > _SHORT else packed.tobytes())
        return [Tag.ARRAY, value.dtype.str, list(value.shape), axes, value.flags.writeable]

    def tensor(self, value: Any) -> Node:
        """Return the node of a tensor's values: dtype, and an array of its bits."""
        return [Tag.TENSOR, str(value.dtype).removeprefix("torch."), self.array(bits_of_tensor(value))]

    def frame(self, structure: list[Any]) -> bytes:
        """Return the frame that holds these nodes.

        Raises
        ------
        TooLarge
            When the structure, or all together, is too large.
        """
        try:
            packed = msgpack.packb(structure, unicode_errors="surrogatepass")
        except (ValueError, OverflowError, TypeError) as error:
            raise TooLarge(f"it cannot be written: {error}") from None
        size = sum(map(len, self._behind))
        if len(packed) > STRUCTURE:
            raise TooLarge(f"{len(packed):,} bytes of lists and numbers, where {STRUCTURE:,} are allowed: use an array")
        if size >= 1 << 32:
            raise TooLarge(f"{size:,} bytes")
        return b"".join((_HEADER.pack(len(packed), size), packed, *self._behind))

    @property
    def size(self) -> int:
        """Bytes behind the structure so far."""
        return sum(map(len, self._behind))

    def behind(self, data: bytes) -> int:
        """Put bytes behind the structure and return how many."""
        if data:
            self._behind.append(data)
        return len(data)

    def _rare(self, kind: type, value: Any) -> Node:
        torch = sys.modules.get("torch")
        if torch is not None:
            if kind is torch.Tensor or kind is torch.nn.Parameter:
                if not is_plain_tensor(value):
                    return self._hooks.write_other(value)
                known = self._hooks.known(value)
                return self.tensor(value) if known is None else known
            if kind is torch.Size:
                return [Tag.NAMED, "torch.Size", list(map(int, value))]
            if kind is torch.dtype:
                return [Tag.NAMED, "torch.dtype", str(value).removeprefix("torch.")]
        if issubclass(kind, np.generic):
            if _is_known(value.dtype) and len(value.tobytes()) <= _LONGEST_INT:
                return [Tag.NUMBER, value.dtype.str, value.tobytes()]
        elif isinstance(value, np.dtype):
            if _is_known(value):
                return [Tag.NAMED, "dtype", value.str]
        elif kind in (defaultdict, OrderedDict, Counter):
            return self._dict(value)
        elif kind is np.memmap or kind is np.matrix:
            return self.node(np.asarray(value))
        elif isinstance(value, tuple):
            names = _names_of(kind)
            if names and len(names) == len(value):
                return [Tag.RECORD, list(names), *self._inner(value)]
        elif isinstance(value, type) and BUILTIN_TYPES.get(value.__name__) is value:
            return [Tag.NAMED, "type", value.__name__]
        return self._hooks.write_other(value)

    def _inner(self, values: Iterable[Any]) -> list[Node]:
        self._depth += 1
        if self._depth > DEPTH:
            raise TooLarge(f"it is nested more than {DEPTH} levels deep")
        try:
            nodes = [self.node(value) for value in values]
        finally:
            self._depth -= 1
        if len(nodes) > ENTRIES:
            raise TooLarge(f"{len(nodes):,} entries, where {ENTRIES:,} are allowed")
        return nodes

    def _list(self, value: list[Any]) -> Node:
        known = self._hooks.known(value)
        return [Tag.LIST, *self._inner(value)] if known is None else known

    def _tuple(self, value: tuple[Any, ...]) -> Node:
        return [Tag.TUPLE, *self._inner(value)]

    def _dict(self, value: dict[Any, Any]) -> Node:
        if not all(is_plain_key(key) for key in value):
            return self._hooks.write_other(value)
        known = self._hooks.known(value)
        if known is not None:
            return known
        return [Tag.DICT, *self._inner(part for item in value.items() for part in item)]

    def _set(self, value: set[Any] | frozenset[Any]) -> Node:
        if not all(is_plain_key(key) for key in value):
            return self._hooks.write_other(value)
        if type(value) is frozenset:
            return [Tag.FROZENSET, *self._inner(value)]
        known = self._hooks.known(value)
        return [Tag.SET, *self._inner(value)] if known is None else known

    def _int(self, value: int) -> Node:
        if -(1 << 63) <= value < 1 << 63:
            return value
        length = value.bit_length() // 8 + 1
        if length > _LONGEST_INT:
            raise TooLarge(f"an integer of {length:,} bytes, where {_LONGEST_INT:,} are allowed")
        return [Tag.INTEGER, value.to_bytes(length, "little", signed=True)]

    def _str(self, value: str) -> Node:
        if len(value) <= _SHORT:
            return value
        return [Tag.TEXT, self.behind(value.encode("utf-8", "surrogatepass"))]

    def _bytes(self, value: bytes) -> Node:
        return [Tag.BYTES, self.behind(value)]

    def _array(self, value: NDArray[Any]) -> Node:
        if not _is_known(value.dtype):
            return self._hooks.write_other(value)
        known = self._hooks.known(value)
        return self.array(value) if known is None else known

    def _complex(self, value: complex) -> Node:
        return [Tag.COMPLEX, value.real, value.imag]

    def _range(self, value: range) -> Node:
        if not len(value) <= ENTRIES:
            return self._hooks.write_other(value)
        return [Tag.RANGE, *(self._int(part) for part in (value.start, value.stop, value.step))]

    def _slice(self, value: slice) -> Node:
        return [Tag.SLICE, *self._inner((value.start, value.stop, value.step))]

    def _ellipsis(self, value: Any) -> Node:
        return [Tag.NAMED, "...", None]


_WRITE: dict[type, Callable[[Writer, Any], Node]] = {
    int: Writer._int,
    str: Writer._str,
    bytes: Writer._bytes,
    complex: Writer._complex,
    list: Writer._list,
    tuple: Writer._tuple,
    dict: Writer._dict,
    set: Writer._set,
    frozenset: Writer._set,
    np.ndarray: Writer._array,
    range: Writer._range,
    slice: Writer._slice,
    type(...): Writer._ellipsis,
}


def is_plain(value: Any) -> bool:
    """Tell whether a value travels as plain data, all of it, not as a handle."""
    return _PlainOnly().tries(value)


class _PlainOnly:
    """Hooks of a writer that has handles of nothing."""

    def tries(self, value: Any) -> bool:
        try:
            Writer(self).node(value)
        except _NotPlainError:
            return False
        return True

    def known(self, value: Any) -> None:
        return None

    def write_other(self, value: Any) -> Node:
        raise _NotPlainError


class _NotPlainError(Exception):
    """There would have to be a handle."""


def is_plain_key(value: Any) -> bool:
    """Tell whether a value may be a key of a dict or a member of a set: its hash runs no learner's code."""
    kind = type(value)
    if kind in (str, int, bool, float, bytes, type(None), complex) or issubclass(kind, np.generic):
        return True
    return kind in (tuple, frozenset) and all(is_plain_key(part) for part in value)


def is_plain_tensor(value: Any) -> bool:
    """Tell whether a tensor's values can travel: dense, on the CPU, of a known dtype."""
    torch = sys.modules["torch"]
    name = str(value.dtype).removeprefix("torch.")
    return value.layout is torch.strided and value.device.type == "cpu" and name in _TENSOR_DTYPES


def bits_of_tensor(value: Any) -> NDArray[Any]:
    """Return a tensor's values as an array on its memory; bfloat16, which NumPy lacks, as int16."""
    torch = sys.modules["torch"]
    value = value.detach().resolve_conj().resolve_neg()
    array: NDArray[Any] = (value.view(torch.int16) if value.dtype is torch.bfloat16 else value).numpy()
    return array


def _is_known(dtype: np.dtype[Any]) -> bool:
    return dtype.str in _DTYPES or _TEXT_DTYPE.fullmatch(dtype.str) is not None


def _names_of(kind: type) -> tuple[str, ...]:
    """Return the names of the entries of a named tuple's class, or of one of PyTorch's result classes."""
    names = getattr(kind, "_fields", None)
    if names is None and kind.__module__ == "torch.return_types":
        count = getattr(kind, "n_sequence_fields", 0)
        names = tuple(name for name, value in vars(kind).items() if type(value).__name__ == "member_descriptor")[:count]
    if type(names) is tuple and all(type(name) is str and not name.startswith("_") for name in names):
        return names
    return ()


# Reading.


class Reader:
    """Reads the nodes of one frame.

    Parameters
    ----------
    frame : tuple of bytes-like
        The structure, and what came behind it.
    hooks : ReaderHooks
        For what is not plain data.
    deadline : float
        On the monotonic clock; a frame that takes longer to read, by keys that collide, say, is malformed.
    """

    def __init__(
        self, frame: tuple[bytes | bytearray, bytes | bytearray], hooks: ReaderHooks, deadline: float = math.inf
    ) -> None:
        self._hooks = hooks
        self._data = memoryview(frame[1])
        self._at = 0
        self._depth = 0
        self._deadline = deadline
        try:
            self.structure = msgpack.unpackb(
                frame[0],
                strict_map_key=True,
                unicode_errors="surrogatepass",
                max_str_len=STRUCTURE,
                max_bin_len=_LONGEST_INT,
                max_array_len=2 * ENTRIES + _HEADROOM,
                max_map_len=0,
                max_ext_len=0,
            )
        except Exception as error:  # msgpack has many ways of saying no
            raise Malformed(f"the structure cannot be read: {type(error).__name__}") from None
        require(type(self.structure) is list, "the structure is not a list")

    def value(self, node: Node) -> Any:
        """Return the value of a node.

        Raises
        ------
        Malformed
            When it follows the rules in any way not.
        """
        kind = type(node)
        if kind is float or kind is int or kind is bool or kind is str or node is None:
            return node
        require(
            kind is list and bool(node) and type(node[0]) is int, "a node is neither a scalar nor begins with a tag"
        )
        self._depth += 1
        require(self._depth <= 2 * DEPTH, "nested too deeply")
        try:
            read = _READ.get(node[0])
            return self._hooks.read_other(node[0], node, self) if read is None else read(self, node)
        finally:
            self._depth -= 1

    def end(self) -> None:
        """Demand that everything behind the structure was read."""
        require(self._at == len(self._data), "there are bytes that the structure does not name")

    def take(self, count: Any) -> memoryview:
        """Return the next so many bytes behind the structure."""
        require(type(count) is int and 0 <= count <= len(self._data) - self._at, "more bytes are named than came")
        self._at += count
        return self._data[self._at - count : self._at]

    def array(self, node: Node) -> NDArray[Any]:
        """Return the array of an array node, on the frame's memory: copy it before it is used."""
        require(type(node) is list and len(node) == 5 and node[0] == Tag.ARRAY, "this is no array")
        _, dtype_text, shape, axes, _ = node
        dtype = known_dtype(dtype_text)
        require(type(shape) is list and len(shape) <= _MOST_AXES, "a shape is not a list of up to 32 lengths")
        require(all(type(length) is int and 0 <= length < 1 << 40 for length in shape), "a length is out of range")
        packed_shape = shape
        if axes is not None:
            require(type(axes) is list and all(type(axis) is int for axis in axes), "axes are not integers")
            require(sorted(axes) == list(range(len(shape))), "axes are not an order of the axes")
            packed_shape = [shape[axis] for axis in axes]
        size = math.prod(shape)
        try:
            array = np.frombuffer(self.take(size * dtype.itemsize), dtype) if size else np.empty(0, dtype)
            array = array.reshape(packed_shape)
        except ValueError as error:
            raise Malformed(f"there is no such array: {error}") from None
        # Bits that NumPy never writes and computes nonsense with.
        if dtype.kind == "b":
            require(not size or int(array.view(np.uint8).max()) <= 1, "a boolean is neither 0 nor 1")
        elif dtype.kind == "U" and size:
            codes = np.frombuffer(array.tobytes(), np.dtype("u4").newbyteorder(dtype.byteorder))
            require(int(codes.max()) <= sys.maxunicode, "a text holds what is no character")
        return array if axes is None else array.transpose(np.argsort(axes))

    def tensor(self, node: Node) -> Any:
        """Return a new tensor with the values of a tensor node."""
        require(type(node) is list and len(node) == 3 and node[0] == Tag.TENSOR, "this is no tensor")
        torch: Any = sys.modules.get("torch")
        require(torch is not None, "a tensor where there is no torch")
        require(type(node[1]) is str and node[1] in _TENSOR_DTYPES, "there is no such tensor dtype")
        dtype = getattr(torch, node[1])
        bits = self.array(node[2])
        try:
            tensor = torch.from_numpy(bits.copy(order="K"))
        except (TypeError, ValueError):
            raise Malformed("a tensor's bits are no numbers of this machine") from None
        wanted = torch.int16 if dtype is torch.bfloat16 else dtype
        require(tensor.dtype is wanted, "a tensor's bits have another dtype than the tensor")
        return tensor.view(dtype) if wanted is not dtype else tensor

    def text(self, node: Node, longest: int) -> str:
        """Return a text of limited length."""
        value = self.value(node)
        require(type(value) is str and len(value) <= longest, "a text is missing or too long")
        return str(value)

    def integer(self, node: Node, least: int = 0) -> int:
        """Return an integer of 64 bits that is not below `least`."""
        require(type(node) is int and node >= least, "an integer is missing or out of range")
        return int(node)

    def items(self, nodes: Sequence[Node], most: int = ENTRIES) -> Iterator[Any]:
        """Yield the values of nodes; the clock is watched."""
        require(len(nodes) <= most, "too many entries")
        for number, node in enumerate(nodes):
            if number % _CLOCK_EVERY == 0:
                require(time.monotonic() < self._deadline, "it took too long to read")
            yield self.value(node)

    def _list(self, node: list[Any]) -> list[Any]:
        made: list[Any] = []
        self._hooks.made(made)
        made.extend(self.items(node[1:]))
        return made

    def _tuple(self, node: list[Any]) -> tuple[Any, ...]:
        return tuple(self.items(node[1:]))

    def _dict(self, node: list[Any]) -> dict[Any, Any]:
        require(len(node) % 2 == 1, "a key without a value")
        made: dict[Any, Any] = {}
        self._hooks.made(made)
        items = self.items(node[1:], 2 * ENTRIES)
        for key in items:
            require(is_plain_key(key), "a key is not plain data")
            made[key] = next(items)
        return made

    def _set(self, node: list[Any]) -> set[Any]:
        made: set[Any] = set()
        self._hooks.made(made)
        for key in self.items(node[1:]):
            require(is_plain_key(key), "a member of a set is not plain data")
            made.add(key)
        return made

    def _frozenset(self, node: list[Any]) -> frozenset[Any]:
        made: set[Any] = set()
        for key in self.items(node[1:]):
            require(is_plain_key(key), "a member of a set is not plain data")
            made.add(key)
        return frozenset(made)

    def _integer(self, node: list[Any]) -> int:
        require(len(node) == 2 and type(node[1]) is bytes, "an integer without its bytes")
        return int.from_bytes(node[1], "little", signed=True)

    def _complex(self, node: list[Any]) -> complex:
        require(len(node) == 3 and type(node[1]) is type(node[2]) is float, "a complex number without its parts")
        return complex(node[1], node[2])

    def _bytes(self, node: list[Any]) -> bytes:
        require(len(node) == 2, "bytes without their count")
        return bytes(self.take(node[1]))

    def _text(self, node: list[Any]) -> str:
        try:
            return self._bytes(node).decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            raise Malformed("a text that is not UTF-8") from None

    def _array(self, node: list[Any]) -> NDArray[Any]:
        made = self.array(node).copy(order="K")
        require(type(node[4]) is bool, "whether an array may be written is not said")
        self._hooks.made(made)
        made.flags.writeable = node[4]
        return made

    def _number(self, node: list[Any]) -> Any:
        require(len(node) == 3 and type(node[2]) is bytes, "a number without its bytes")
        dtype = known_dtype(node[1])
        require(len(node[2]) == dtype.itemsize, "a number of another length than its dtype's")
        if dtype.kind == "b":
            require(node[2] in (b"\0", b"\1"), "a boolean is neither 0 nor 1")
        try:
            return np.frombuffer(node[2], dtype)[0]
        except (ValueError, SystemError):
            raise Malformed("a text holds what is no character") from None

    def _tensor(self, node: list[Any]) -> Any:
        made = self.tensor(node)
        self._hooks.made(made)
        return made

    def _record(self, node: list[Any]) -> Record:
        require(
            len(node) >= 2 and type(node[1]) is list and len(node[1]) == len(node) - 2, "a record without its names"
        )
        names = tuple(node[1])
        require(all(type(name) is str and name.isidentifier() for name in names), "a record's name is no name")
        require(not any(name.startswith("_") for name in names), "a record's name begins with an underscore")
        return _record(self.items(node[2:]), names)

    def _range(self, node: list[Any]) -> range:
        parts = tuple(self.items(node[1:]))
        require(len(parts) == 3 and all(type(part) is int for part in parts) and parts[2] != 0, "this is no range")
        made = range(*parts)
        require(abs(made.stop - made.start) // abs(made.step) <= ENTRIES, "a range is too long")
        return made

    def _slice(self, node: list[Any]) -> slice:
        parts = tuple(self.items(node[1:]))
        require(len(parts) == 3, "this is no slice")
        return slice(*parts)

    def _named(self, node: list[Any]) -> Any:
        require(len(node) == 3 and type(node[1]) is str, "something named without its name")
        torch = sys.modules.get("torch")
        kind, name = node[1], node[2]
        if kind == "...":
            return ...
        if kind == "dtype":
            return known_dtype(name)
        if kind == "type" and type(name) is str and name in BUILTIN_TYPES:
            return BUILTIN_TYPES[name]
        if kind == "torch.dtype" and torch is not None and type(name) is str and name in _TENSOR_DTYPES:
            return getattr(torch, name)
        if kind == "torch.Size" and torch is not None and type(name) is list:
            require(len(name) <= _MOST_AXES and all(type(n) is int for n in name), "a size is not a list of lengths")
            return torch.Size(name)
        raise Malformed("something named that there is not")


_READ: dict[int, Callable[[Reader, list[Any]], Any]] = {
    Tag.LIST: Reader._list,
    Tag.TUPLE: Reader._tuple,
    Tag.DICT: Reader._dict,
    Tag.SET: Reader._set,
    Tag.FROZENSET: Reader._frozenset,
    Tag.INTEGER: Reader._integer,
    Tag.COMPLEX: Reader._complex,
    Tag.BYTES: Reader._bytes,
    Tag.TEXT: Reader._text,
    Tag.ARRAY: Reader._array,
    Tag.NUMBER: Reader._number,
    Tag.TENSOR: Reader._tensor,
    Tag.RECORD: Reader._record,
    Tag.RANGE: Reader._range,
    Tag.SLICE: Reader._slice,
    Tag.NAMED: Reader._named,
}


def require(condition: bool, rule: str) -> None:
    """Raise Malformed unless a rule holds."""
    if not condition:
        raise Malformed(rule)


def known_dtype(text: Any) -> np.dtype[Any]:
    """Return the dtype of this text, one of those that hold plain bytes; raise Malformed for any other."""
    require(
        type(text) is str and (text in _DTYPES or _TEXT_DTYPE.fullmatch(text) is not None), "there is no such dtype"
    )
    dtype: np.dtype[Any] = np.dtype(text)
    return dtype


# Frames on a socket.


def receive(sock: socket.socket, most: int, deadline: float = math.inf) -> tuple[bytearray, bytearray] | None:
    """Receive one frame; None when the stream ended before one began.

    Parameters
    ----------
    sock : socket.socket
        The stream.
    most : int
        Bytes behind the structure that are accepted.
    deadline : float
        On the monotonic clock.

    Raises
    ------
    Malformed
        When it is larger than allowed or the stream ends within it.
    TimeoutError
        When the deadline passes.
    """
    header = _receive(sock, _HEADER.size, deadline)
    if not header:
        return None
    structure, behind = _HEADER.unpack(header)
    require(0 < structure <= STRUCTURE, f"a structure of {structure:,} bytes, where {STRUCTURE:,} are allowed")
    require(behind <= most, f"{behind:,} bytes, where {most:,} are allowed")
    first, second = _receive(sock, structure, deadline), _receive(sock, behind, deadline)
    if len(first) < structure or len(second) < behind:
        raise CutOff("it ends in the middle")
    return first, second


def _receive(sock: socket.socket, count: int, deadline: float) -> bytearray:
    """Receive so many bytes, or none if the stream is at its end; raise CutOff when it ends between."""
    data = bytearray(count)
    view, done = memoryview(data), 0
    while done < count:
        if deadline < math.inf:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            sock.settimeout(left)
        try:
            received = sock.recv_into(view[done:])
        except ConnectionError:
            received = 0
        if received == 0:
            if done:
                raise CutOff("it ends in the middle")
            return bytearray()
        done += received
    return data
