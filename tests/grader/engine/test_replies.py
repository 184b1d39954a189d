"""Whatever bytes a learner's process sends: a value, or an error of a known kind; never code, and never a hang."""

import contextlib
import copy
import io
import math
import socket
import struct
import sys
import threading
import time

import msgpack
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.engine.gradient import join  # noqa: F401  (a first import would be seen as code that a reply ran)
from grader.engine.limits import Limits
from grader.engine.messages import Ask
from grader.engine.proxy import BadReply, CallTimedOut, CannotCarry, LearnerDied, Remote, Session
from grader.engine.wire import Record, Tag
from tests.grader.engine.test_wire import plain, read, same, written

steady = settings(derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
LIMITS = Limits(call=5.0, output=10_000)
#: Far more than any reply takes to read, also on a machine that is busy.
A_HANG = 60.0

#: What Python reports when code is loaded, run or looked for, or when something outside this process is touched.
CODE = ("compile", "exec", "import", "open", "pickle.", "marshal.", "os.", "subprocess.", "ctypes.dl", "socket.connect")
watching = False
seen = []


def _watch(event, args):
    if watching and event.startswith(CODE):
        seen.append((event, str(args)[:200]))


@pytest.fixture(scope="module", autouse=True)
def audited():
    """Hooks cannot be taken out again; this one does nothing but while a reply is read."""
    sys.addaudithook(_watch)


class Process:
    """The process that there is not."""

    killed = False

    def kill(self):
        self.killed = True

    def wait(self, timeout=None):
        return None


def told(data):
    """Ask something, let `data` be all that comes back, and return the session and what became of it."""
    global watching
    ours, theirs = socket.socketpair()
    arguments = np.arange(3.0), [1, 2], {"a": 1}, torch.ones(2), torch.ones(2, requires_grad=True)
    kinds = [(type(one), getattr(one, "dtype", None), getattr(one, "shape", None)) for one in arguments]

    def speak():
        theirs.recv(1 << 16)
        with contextlib.suppress(OSError):
            theirs.sendall(data)
        theirs.close()

    process = Process()
    session = Session(ours, process, LIMITS)
    speaker = threading.Thread(target=speak)
    speaker.start()
    began = time.monotonic()
    seen.clear()
    watching = True
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            outcome = session.ask(Ask.GET, *arguments)
    except (Exception, BadReply, CallTimedOut, CannotCarry, LearnerDied) as error:
        outcome = error
    finally:
        watching = False
        ours.close()
        speaker.join()
    assert time.monotonic() - began < A_HANG
    assert seen == []
    if isinstance(outcome, BadReply | CallTimedOut | CannotCarry | LearnerDied):
        assert process.killed
    elif isinstance(outcome, Exception):
        assert isinstance(outcome.learner_traceback, str), "an error of this side's own"
    else:
        assert harmless(outcome), outcome
    for one, (kind, dtype, shape) in zip(arguments, kinds, strict=True):
        assert type(one) is kind
        assert getattr(one, "dtype", None) is dtype
        assert math.prod(getattr(one, "shape", ())) == math.prod(shape or ())
        assert harmless(one)
    return outcome


ATOMS = (type(None), bool, int, float, complex, str, bytes, range, slice, type(...), np.ndarray, np.dtype)
TENSORS = (torch.Tensor, torch.nn.Parameter, torch.Size, torch.dtype)


def harmless(value):
    """Tell whether a value is plain data, a proxy, or a class that is Python's own."""
    kind = type(value)
    if kind in (list, tuple, set, frozenset, Record):
        return all(map(harmless, value))
    if kind is dict:
        return all(harmless(part) for item in value.items() for part in item)
    if kind is type:
        return value.__module__ == "builtins"
    if isinstance(value, Exception):
        return isinstance(value.learner_traceback, str)
    return kind in ATOMS + TENSORS or issubclass(kind, np.generic | np.dtype) or kind.__mro__[1] is Remote


def frame(structure, behind=b""):
    packed = msgpack.packb(structure, unicode_errors="surrogatepass")
    return struct.pack(">II", len(packed), len(behind)) + packed + behind


# Bytes.


@settings(steady, max_examples=150)
@given(st.binary(max_size=200))
def test_bytes_at_random_are_an_error(data):
    assert isinstance(told(data), BadReply | LearnerDied)


@settings(steady, max_examples=150)
@given(st.binary(min_size=1, max_size=200), st.binary(max_size=64), st.integers(-3, 3), st.integers(-3, 3))
def test_a_frame_of_bytes_at_random_is_an_error(structure, behind, more, less):
    sizes = max(0, len(structure) + more), max(0, len(behind) + less)
    assert isinstance(told(struct.pack(">II", *sizes) + structure + behind), BadReply)


# Replies that are nearly right.

small = st.integers(-2, 4) | st.sampled_from([1 << 20, 1 << 40, (1 << 63) - 1, -(1 << 63), 1 << 63])
names = st.sampled_from(["x", "", "__class__", "__reduce__", "a\0b", "σ", "n" * 300, "\ud800"])
classes = st.sampled_from(
    [
        *("int", "ValueError", "eval", "SystemExit", "os.system", "builtins.KeyError", "builtins.OSError"),
        *("KeyboardInterrupt", "builtins.UnicodeDecodeError", "builtins.SyntaxError", "builtins.ExceptionGroup"),
        *("numpy.linalg.LinAlgError", "torch.nn.modules.linear.Linear", "builtins.Exception"),
        *("builtins.BaseException", "numpy.exceptions.AxisError"),
    ]
)
kinds = st.sampled_from(["type", "dtype", "torch.dtype", "torch.Size", "...", "class"])
known = st.sampled_from(
    ["int", "dict", "object", "NoneType", "ValueError", "eval", "SystemExit", "__import__", "print"]
)
dtypes = st.sampled_from(
    [
        "<f8",
        "|b1",
        "<U2",
        "|S3",
        "|O",
        "|V8",
        "i4,O",
        "<i2",
        "<c16",
        ">i4",
        "float32",
        "bfloat16",
        "bool",
        "int64",
        "nn",
    ]
)
scalars = st.none() | st.booleans() | st.floats() | small | names | classes | dtypes | st.binary(max_size=9)
shapes = st.lists(small, max_size=3)
arrays = st.tuples(st.just(int(Tag.ARRAY)), dtypes, shapes, st.none() | shapes, st.booleans()).map(list)
tensors = st.tuples(st.just(int(Tag.TENSOR)), dtypes, arrays).map(list)
described = st.tuples(names, st.lists(classes, max_size=3), st.binary(min_size=16, max_size=16), st.booleans()).map(
    list
)
handles = st.tuples(
    st.just(int(Tag.HANDLE)), small, st.none() | st.tuples(small, st.none() | described, st.none() | names).map(list)
).map(list)


def tagged(inner):
    """Return nodes of every tag, with parts of about the right kind and number."""
    some = st.lists(inner, max_size=4)
    return st.one_of(
        st.builds(lambda tag, parts: [tag, *parts], st.sampled_from([0, 1, 2, 3, 4]), some),
        st.builds(lambda tag, parts: [tag, *parts], st.integers(-1, 24), some),
        st.builds(lambda tag, part: [tag, part], st.sampled_from([5, 7, 8, 17, 20, 22]), small | st.binary(max_size=9)),
        st.builds(lambda one, other: [6, one, other], st.floats(), st.floats() | inner),
        st.builds(lambda dtype, data: [10, dtype, data], dtypes, st.binary(max_size=16)),
        st.builds(lambda keys, parts: [12, keys, *parts], st.lists(names, max_size=3), some),
        st.builds(lambda kind, name: [13, kind, name], kinds, known | classes | dtypes | shapes | inner),
        st.builds(lambda parts: [14, *parts], st.lists(small, max_size=4)),
        st.builds(lambda parts: [15, *parts], some),
        st.builds(lambda number, made: [18, number, made], small, st.none() | st.tuples(small, inner).map(list)),
        st.builds(lambda n, keys, made: [19, n, keys, made], small, st.lists(shapes, max_size=2), tensors),
        st.tuples(
            *(st.just(21), names, st.lists(classes, max_size=3), names, inner, names, st.booleans(), names),
            st.none() | st.tuples(names, small, names).map(list),
        ).map(list),
        *(arrays, tensors, handles),
    )  # fmt: skip


nodes = st.recursive(scalars, tagged, max_leaves=12)
pairs = st.lists(st.tuples(small, nodes).map(list), max_size=2)
replies = st.tuples(
    *(st.just(1), st.sampled_from([0, 0, 0, 1]), pairs, pairs, nodes, pairs, pairs),
    *(st.lists(names, max_size=2), names, names),
).map(list)


@settings(steady, max_examples=300)
@given(replies, st.binary(max_size=40))
def test_a_reply_of_anything_is_a_value_or_an_error(structure, behind):
    told(frame(structure, behind))


@settings(steady, max_examples=300)
@given(nodes, st.integers(0, 40), st.booleans())
def test_an_answer_of_anything_is_a_value_or_an_error(answer, behind, raised):
    told(frame([1, int(raised), [], [], answer, [], [], [], "", ""], bytes(behind)))


#: Of every kind of part that a good reply can have.
GOOD = [
    *(1, 0, [[2, [Tag.ARRAY, "<f8", [1], None, True]]]),
    [[0, [Tag.ARRAY, "<f8", [3], None, True]], [1, [Tag.LIST, 5, 6]]],
    [
        Tag.TUPLE,
        [Tag.DICT, "a", [Tag.COMPLEX, 1.0, 2.0]],
        [Tag.HANDLE, 1, [0, ["K", ["__main__.K", "builtins.object"], b"\xff" * 16, False], "K"]],
        [Tag.GRAPH, 1, [[0, 1]], [Tag.TENSOR, "float32", [Tag.ARRAY, "<f4", [2], None, True]]],
        [Tag.SHARED, 1, [0, [Tag.ARRAY, "<f8", [2, 1], [1, 0], True]]],
        [Tag.RECORD, ["x", "y"], 1, [Tag.ARGUMENT, 0]],
        [Tag.EXCEPTION, "E", ["builtins.ValueError"], "m", [Tag.TUPLE, "m"], "l", True, "f", ["c", 1, "x"]],
        [Tag.RANGE, 0, 3, 1],
        [Tag.TEXT, 3],
    ],
    *([], [], ["random"], "out", "err"),
]
BEHIND = bytes(8 + 24 + 8 + 16) + b"abc"


def paths(value, path=()):
    for key, inner in enumerate(value) if isinstance(value, list) else ():
        yield (*path, key)
        yield from paths(inner, (*path, key))


@settings(steady, max_examples=300)
@given(st.data())
def test_a_good_reply_damaged_anywhere_is_a_value_or_an_error(draw):
    damaged = copy.deepcopy(GOOD)
    for _ in range(draw.draw(st.integers(1, 3))):
        places = list(paths(damaged))
        *way, last = draw.draw(st.sampled_from(places))
        parent = damaged
        for key in way:
            parent = parent[key]
        deed = draw.draw(st.sampled_from(["other", "graft", "out", "twice"]))
        if deed == "out":
            del parent[last]
        elif deed == "twice":
            parent.insert(last, copy.deepcopy(parent[last]))
        elif deed == "graft":
            found = damaged
            for key in draw.draw(st.sampled_from(places)):
                found = found[key]
            parent[last] = copy.deepcopy(found)
        else:
            parent[last] = draw.draw(nodes)
    told(frame(damaged, BEHIND))


@settings(steady, max_examples=100)
@given(st.floats(0, 1, exclude_max=True))
def test_a_reply_cut_off_anywhere_is_an_error(cut):
    whole = frame([1, 0, [], [], [Tag.TEXT, 3], [], [], [], "", ""], b"abc")
    assert told(whole) == "abc"
    assert isinstance(told(whole[: int(len(whole) * cut)]), BadReply | LearnerDied)


# Round trips.

numbers = st.sampled_from([np.float32, np.float64, np.int8, np.int64, np.uint16, np.bool_, np.complex64, np.float16])
lengths = st.lists(st.integers(0, 4), max_size=4)


@st.composite
def any_array(draw):
    shape = draw(lengths)
    bits = np.frombuffer(draw(st.binary(min_size=1, max_size=64)), np.uint8)
    array = np.resize(bits, shape).astype(draw(numbers))
    array = array.transpose(draw(st.permutations(range(array.ndim))))
    for axis in range(array.ndim):
        array = np.flip(array, axis) if draw(st.booleans()) else array
    return array


mixed = st.recursive(
    plain
    | any_array()
    | any_array().map(lambda array: torch.from_numpy(array.copy(order="K")))
    | numbers.flatmap(lambda kind: st.integers(0, 1).map(kind))
    | st.sampled_from([range(3), slice(None, 4), ..., int, ValueError, np.dtype("<f4"), torch.float16, torch.Size([1])])
    | st.text(min_size=4_090, max_size=4_100),
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@settings(steady, max_examples=150)
@given(mixed)
def test_plain_data_of_all_kinds_together_goes_round(value):
    assert same(read(written(value)), value)
