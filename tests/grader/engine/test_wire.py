"""The wire: plain data goes round whole, anything else ends as Malformed, never as code and never as a hang."""

import contextlib
import math
import random
import socket
import struct
import time
from collections import Counter, OrderedDict, defaultdict, namedtuple

import msgpack
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.engine.wire import ENTRIES, STRUCTURE, Malformed, Reader, Record, Tag, TooLarge, Writer, receive


class Hooks:
    def known(self, value):
        return None

    def write_other(self, value):
        raise TooLarge(f"{type(value).__name__} is not plain")

    def made(self, value):
        pass

    def read_other(self, tag, node, reader):
        raise Malformed("no such tag")


def written(value):
    writer = Writer(Hooks())
    frame = writer.frame([writer.node(value)])
    structure, behind = struct.unpack(">II", frame[:8])
    assert len(frame) == 8 + structure + behind
    return frame[8 : 8 + structure], frame[8 + structure :]


def read(frame, deadline=math.inf):
    reader = Reader(frame, Hooks(), deadline)
    value = reader.value(reader.structure[0])
    reader.end()
    return value


def same(a, b):
    if type(a) is not type(b):
        return False
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and a.shape == b.shape and torch.equal(a.nan_to_num(7), b.nan_to_num(7))
    if isinstance(a, np.ndarray):
        floats = a.dtype.kind in "fc"
        return a.dtype == b.dtype and a.shape == b.shape and np.array_equal(a, b, equal_nan=floats)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    return a == b or (a != a and b != b)


PLAIN = {
    "none": None,
    "booleans": [True, False],
    "integers": [0, -1, 2**63 - 1, -(2**63), 2**63, -(2**63) - 1, 10**400],
    "floats": [0.0, -0.0, 1e-320, math.inf, -math.inf, math.nan],
    "complex": [1 + 2j, complex(math.inf, -1)],
    "texts": ["", "σ ∂ 猫", "\udc80 half a character", "long " * 3000],
    "bytes": [b"", b"\0\xff" * 5000],
    "nested": {"a": [(1, [2, {"b": {3, 4}}]), frozenset({5})], (1, "x"): None, None: 0},
    "ranges": [range(3), range(10, 0, -2), slice(1, None, 2), ...],
    "numbers of NumPy": [np.float32(0.1), np.int8(-3), np.bool_(True), np.complex64(1j), np.float16(2), np.str_("é")],
    "dtypes": [np.dtype("float32"), np.dtype(">i4"), torch.bfloat16, torch.Size([2, 3])],
    "classes": [int, str, ValueError, NotImplementedError],
    "empty arrays": [np.zeros((0, 3)), np.zeros((2, 0, 5), np.int8), np.zeros(0, bool)],
    "0-d": [np.array(3.0), np.array(True), torch.tensor(2)],
    "orders": [np.arange(12.0).reshape(3, 4).T, np.arange(24).reshape(2, 3, 4).transpose(1, 2, 0), np.arange(9)[::-2]],
    "dtypes of arrays": [np.ones(3, kind) for kind in "?bBhHiIqQefdFD"] + [np.arange(3, dtype=">f4")],
    "arrays of texts": [np.array(["ab", "c"]), np.array([b"x", b"yz"])],
    "tensors": [torch.arange(6).reshape(2, 3).T, torch.randn(2, 2).half(), torch.randn(3).bfloat16(), torch.ones(0, 2)],
    "tensors of other dtypes": [torch.tensor([True, False]), torch.tensor([1], dtype=torch.uint8), torch.tensor([1j])],
    "conjugated": [torch.tensor([1 + 2j]).conj(), torch.expand_copy(torch.ones(1), (3,)), torch.ones(1).expand(3)],
}


@pytest.mark.parametrize("name", PLAIN)
def test_plain_data_goes_round(name):
    assert same(read(written(PLAIN[name])), PLAIN[name])


def test_memory_order_and_the_right_to_write_are_kept():
    fixed = np.arange(6.0).reshape(2, 3)
    fixed.flags.writeable = False
    c, f, fixed = read(written([np.ones((2, 3)), np.asfortranarray(np.ones((2, 3))), fixed]))
    assert c.flags.c_contiguous
    assert c.flags.writeable
    assert c.flags.owndata
    assert f.flags.f_contiguous
    assert not f.flags.c_contiguous
    assert not fixed.flags.writeable
    assert not read(written(torch.zeros(2, 3).T)).is_contiguous()


def test_kinds_of_dicts_and_named_tuples_travel_as_what_they_hold():
    point = namedtuple("point", "x y")(1, np.ones(2))
    values = read(written([Counter("aab"), OrderedDict(b=1, a=2), defaultdict(list, {1: [2]}), point]))
    assert values[:3] == [{"a": 2, "b": 1}, {"b": 1, "a": 2}, {1: [2]}]
    assert [type(value) for value in values] == [dict, dict, dict, Record]
    assert values[3].x == 1
    assert values[3][0] == 1
    assert same(values[3].y, np.ones(2))
    largest = read(written(torch.tensor([1.0, 3.0]).max(0)))
    assert largest.indices.item() == 1
    with pytest.raises(AttributeError, match="no entry 'z'"):
        _ = values[3].z


class Lying(dict):
    def __reduce__(self):
        return print, ("never",)


@pytest.mark.parametrize(
    "value",
    [
        Lying(),
        type("List", (list,), {})(),
        type("Int", (int,), {})(3),
        type("Text", (str,), {})("x"),
        np.array([object()]),
        np.ma.masked_array([1.0]),
        np.zeros(1, [("a", "f8")]),
        type("Array", (np.ndarray,), {})((2,)),
        torch.Tensor._make_subclass(type("T", (torch.Tensor,), {}), torch.ones(2)),
        torch.ones(2).to_sparse(),
        {object(): 1},
        {type("Int", (int,), {})(3): 1},
        {type("Key", (tuple,), {})(): 1},
        range(10**9),
        object(),
        lambda: None,
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_not_plain_goes_to_the_hook(value):
    with pytest.raises(TooLarge, match="is not plain"):
        written([value])


def test_what_is_too_large_is_said():
    deep = []
    for _ in range(100):
        deep = [deep]
    circle = []
    circle.append(circle)
    for value in (deep, circle, 1 << 100_000, [0] * (ENTRIES + 1), [["x" * 4000] * 300] * 10):
        with pytest.raises(TooLarge):
            written(value)


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.text(max_size=20)
    | st.binary(max_size=20)
    | st.complex_numbers(allow_nan=False)
)
keys = st.none() | st.integers() | st.text(max_size=5) | st.tuples(st.integers(), st.text(max_size=3))
plain = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(keys, inner, max_size=4)
        | st.sets(keys, max_size=3)
    ),
    max_leaves=30,
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(plain)
def test_any_plain_data_goes_round(value):
    assert same(read(written(value)), value)


@pytest.mark.parametrize("seed", range(40))
def test_arrays_of_any_shape_and_dtype_go_round(seed):
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(0, 5, rng.integers(0, 5)))
    array = rng.integers(0, 2, shape).astype(rng.choice(list("?bBhHiIqQefdFD")))
    array = array.transpose(rng.permutation(array.ndim))
    back = read(written({"x": [array]}))["x"][0]
    assert same(back, array)
    assert back.flags.f_contiguous >= array.flags.f_contiguous


def malformed(structure, behind=b""):
    return msgpack.packb(structure, unicode_errors="surrogatepass"), behind


NESTED = [Tag.LIST]
for _ in range(400):
    NESTED = [Tag.LIST, NESTED]
HUGE_ARRAYS = b"\xdd\x00\x04\x00\x00" * 900

MALFORMED = {
    "no bytes": (b"", b""),
    "not msgpack": (b"\xc1", b""),
    "a map": malformed([{}]),
    "an extension": malformed([msgpack.ExtType(4, b"x")]),
    "a timestamp": malformed([msgpack.Timestamp(1)]),
    "not a list": malformed(3),
    "an empty node": malformed([[]]),
    "a tag that is no number": malformed([["x"]]),
    "a tag that is true": malformed([[True]]),
    "an unknown tag": malformed([[99]]),
    "a negative tag": malformed([[-1]]),
    "bytes as a scalar": malformed([b"x"]),
    "half a dict": malformed([[Tag.DICT, 1]]),
    "a list as key": malformed([[Tag.DICT, [Tag.LIST], 1]]),
    "an array as key": malformed([[Tag.SET, [Tag.ARRAY, "<f8", [1], None, True]]], b"\0" * 8),
    "an object dtype": malformed([[Tag.ARRAY, "|O", [1], None, True]], b"\0" * 8),
    "a structured dtype": malformed([[Tag.ARRAY, "i4,O", [1], None, True]], b"\0" * 12),
    "a dtype that is a list": malformed([[Tag.ARRAY, [["a", "O"]], [1], None, True]], b"\0" * 8),
    "a dtype that is code": malformed([[Tag.ARRAY, "__import__('os')", [1], None, True]]),
    "a void dtype": malformed([[Tag.ARRAY, "|V8", [1], None, True]], b"\0" * 8),
    "a negative length": malformed([[Tag.ARRAY, "<f8", [-1], None, True]]),
    "two negative lengths": malformed([[Tag.ARRAY, "<f8", [-1, -1], None, True]], b"\0" * 8),
    "a huge length": malformed([[Tag.ARRAY, "<f8", [1 << 62], None, True]]),
    "lengths that overflow": malformed([[Tag.ARRAY, "<f8", [1 << 32, 1 << 32], None, True]]),
    "empty and huge": malformed([[Tag.ARRAY, "<f8", [0, 1 << 39, 1 << 39], None, True]]),
    "a length that is a float": malformed([[Tag.ARRAY, "<f8", [1.0], None, True]], b"\0" * 8),
    "a length that is true": malformed([[Tag.ARRAY, "<f8", [True], None, True]], b"\0" * 8),
    "too many axes": malformed([[Tag.ARRAY, "|u1", [1] * 65, None, True]], b"\0"),
    "axes twice": malformed([[Tag.ARRAY, "|u1", [1, 1], [0, 0], True]], b"\0"),
    "axes beyond": malformed([[Tag.ARRAY, "|u1", [1, 1], [0, 2], True]], b"\0"),
    "more bytes named than came": malformed([[Tag.ARRAY, "<f8", [2], None, True]], b"\0" * 8),
    "more bytes than named": malformed([[Tag.ARRAY, "<f8", [1], None, True]], b"\0" * 9),
    "the same bytes twice": malformed([[Tag.LIST, [Tag.BYTES, 4], [Tag.BYTES, 4]]], b"\0" * 4),
    "a boolean of 2": malformed([[Tag.ARRAY, "|b1", [1], None, True]], b"\2"),
    "a boolean number of 2": malformed([[Tag.NUMBER, "|b1", b"\2"]]),
    "no character": malformed([[Tag.ARRAY, "<U1", [1], None, True]], b"\xff\xff\xff\x7f"),
    "a number too short": malformed([[Tag.NUMBER, "<f8", b"\0"]]),
    "a tensor of objects": malformed([[Tag.TENSOR, "object", [Tag.ARRAY, "<f8", [1], None, True]]], b"\0" * 8),
    "a tensor of other bits": malformed([[Tag.TENSOR, "float32", [Tag.ARRAY, "<f8", [1], None, True]]], b"\0" * 8),
    "a tensor of texts": malformed([[Tag.TENSOR, "int64", [Tag.ARRAY, "<U1", [1], None, True]]], b"\0" * 4),
    "a tensor dtype that is code": malformed([[Tag.TENSOR, "nn", [Tag.ARRAY, "<f8", [1], None, True]]], b"\0" * 8),
    "a bfloat16 of halves": malformed([[Tag.TENSOR, "bfloat16", [Tag.ARRAY, "<f2", [1], None, True]]], b"\0" * 2),
    "negative bytes": malformed([[Tag.BYTES, -1]]),
    "a text that is no text": malformed([[Tag.TEXT, 1]], b"\xff"),
    "an integer as text": malformed([[Tag.INTEGER, "9" * 9]]),
    "a class that is none": malformed([[Tag.NAMED, "type", "eval"]]),
    "a dangerous class": malformed([[Tag.NAMED, "type", "SystemExit"]]),
    "a range without end": malformed([[Tag.RANGE, 0, 1 << 60, 1]]),
    "a range of step 0": malformed([[Tag.RANGE, 0, 1, 0]]),
    "a record that names __class__": malformed([[Tag.RECORD, ["__class__"], 1]]),
    "nested beyond measure": malformed([NESTED]),
    "huge arrays in arrays": (b"\x91" + HUGE_ARRAYS, b""),
    "a pickle": malformed([[Tag.PICKLE, 3]], b"I1\n"),
    "two structures": (msgpack.packb([1]) * 2, b""),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_breaks_a_rule_is_malformed(name):
    began = time.monotonic()
    with pytest.raises(Malformed):
        read(MALFORMED[name])
    assert time.monotonic() - began < 5


def test_no_bytes_at_random_do_anything_else():
    rng = random.Random(3)
    good, behind = written([{"a": [1, 2.5, "x"], "b": np.ones((2, 2))}, {3}, torch.ones(2)])
    for _ in range(3000):
        damaged = bytearray(good)
        for _ in range(rng.randint(1, 4)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        with contextlib.suppress(Malformed, IndexError):  # an empty structure has no first node to read
            read((bytes(damaged[: rng.randint(1, len(damaged))]), behind))


def test_keys_that_collide_are_not_waited_for():
    structure, behind = written({float(n): 0 for n in range(5000)})
    with pytest.raises(Malformed, match="too long"):
        read((structure, behind), deadline=time.monotonic() - 1)


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"\0\0", "ends in the middle"),
        (struct.pack(">II", 0, 0), "0 bytes"),
        (struct.pack(">II", STRUCTURE + 1, 0), "are allowed"),
        (struct.pack(">II", 1, 2000), "2,000 bytes"),
        (struct.pack(">II", 0xFFFFFFFF, 0xFFFFFFFF), "are allowed"),
        (struct.pack(">II", 5, 0) + b"abc", "ends in the middle"),
    ],
)
def test_frames_are_measured_before_they_are_received(data, rule):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(data)
        theirs.close()
        with pytest.raises(Malformed, match=rule):
            receive(ours, 1000, time.monotonic() + 5)


def test_a_frame_that_does_not_come_is_not_waited_for():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"\0\0\0\1")
        with pytest.raises(TimeoutError):
            receive(ours, 1000, time.monotonic() + 0.05)
