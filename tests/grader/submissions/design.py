"""Attacks on this very design: the wire, handles, proxies, the process that serves, and what a test hands over.

Most of them know the engine's source. They walk from a cell to the loop that serves, and change what it says; or they
hand back objects made to confuse whoever stands for them on the trusted side. Under stock nbgrader there is no such
loop: the attack's first cell fails there, and what is left is a wrong answer.
"""

from tests.grader.submissions.attacks_on_tests import PLEASE
from tests.grader.submissions.case import ALL, FIRST, Case

GROUP = "this design"

#: Finds the loop that serves: `LEARNER` answers requests, `SOCK` is the line to the trusted side.
WORKER = """
import sys


def worker():
    frame = sys._getframe()
    while frame is not None:
        if type(frame.f_locals.get("sock")).__name__ == "socket" and "learner" in frame.f_locals:
            return frame.f_locals["learner"], frame.f_locals["sock"]
        frame = frame.f_back
    raise LookupError("nobody serves here")


LEARNER, SOCK = worker()
"""

#: Replaces what is said after the next call of the first exercise. `parts` are those of a reply, as proxy.py has them:
#: serial, status, shared, changed, answer, moved, modes, drawn, out, err; `rest` is what comes behind the structure.
FORGE = (
    WORKER
    + """
import msgpack, os, pickle, struct, threading, time

plain_answer, armed = LEARNER.answer, [False]


def pack(parts, rest=b""):
    packed = msgpack.packb(parts, unicode_errors="surrogatepass")
    return struct.pack(">II", len(packed), len(rest)) + packed + rest


def forged(frame):
    reply = plain_answer(frame)
    if not armed[0]:
        return reply
    armed[0] = False
    length = struct.unpack(">II", reply[:8])[0]
    parts, rest = msgpack.unpackb(reply[8 : 8 + length]), reply[8 + length :]
@BODY@
    return pack(parts, rest)


LEARNER.answer = forged
"""
)

_ARMED = "def @NAME@(*args, **kwargs):\n    armed[0] = True\n    return -1\n"


_ARMED_OBJECT = "def @NAME@(*args, **kwargs):\n    armed[0] = True\n    return object()\n"
#: Describes the class of what is given back: another name, other classes, and every special method.
_POSES = "if parts[4][2][1]:\n    parts[4][2][1][:3] = ['{name}', ['{mro}'], b'\\xff' * 16]"


def forges(name, why, body, **more):
    """Forge the reply to a call of the first exercise; `body` changes `parts` and `rest`, or returns bytes."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    given = {"loses": (FIRST,), "outcome": "BadReturnType", "answers": {FIRST: _ARMED}}
    return Case(name, GROUP, why, first=FORGE.replace("@BODY@", lines), **(given | more))


def gives(name, why, body, **more):
    """Give something odd back from the first exercise."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    return Case(
        name, GROUP, why, **({"loses": (FIRST,), "answers": {FIRST: f"def @NAME@(*args, **kwargs):\n{lines}\n"}} | more)
    )


CASES = [
    # The wire.
    forges("reply-to-another-request", "a reply with another number is none", "parts[0] += 1"),
    forges("reply-to-an-old-request", "a reply with an old number is none", "parts[0] = 1"),
    forges("reply-in-nine-parts", "a reply has ten parts", "parts.pop()"),
    forges("reply-twice", "what comes unasked is noise", "return reply + reply"),
    forges("reply-is-garbage", "what cannot be read is nothing", "return struct.pack('>II', 64, 0) + os.urandom(64)"),
    forges("reply-of-four-gigabytes", "nobody waits for four gigabytes", "return struct.pack('>II', 100, 2**32 - 1)"),
    forges("structure-too-large", "a structure has a largest size", "return struct.pack('>II', 2**31, 0) + b'x' * 100"),
    forges("behind-too-large", "a reply has a largest size", "return pack(parts, bytes(65 << 20))"),
    forges("bytes-left-over", "bytes that nothing names are an error", "rest += b'more'"),
    forges("bytes-missing", "bytes that are named must be there", "parts[4] = [9, '<f8', [1000], None, True]"),
    forges(
        "nested-too-deeply",
        "a hundred thousand levels are refused",
        "for _ in range(60):\n    parts[4] = [0, parts[4]]\n"
        "packed = msgpack.packb(parts)\nreturn struct.pack('>II', 100_000, 0) + b'\\x91' * 100_000",
    ),
    forges(
        "pickle-sent-back",
        "nothing is unpickled from here",
        "class Run:\n    def __reduce__(self):\n        return (os.system, ('touch @COURSE@/@CANARY@',))\n"
        "data = pickle.dumps(Run())\nparts[4] = [20, len(data)]\nrest = rest + data",
    ),
    forges(
        "generator-sent-back",
        "nothing is unpickled from here, generators neither",
        "data = pickle.dumps(print)\nparts[4] = [22, len(data)]\nrest = rest + data",
    ),
    forges(
        "map-and-extension",
        "a frame has no maps and no extensions",
        "parts[4] = {'__class__': msgpack.ExtType(5, b'x')}",
    ),
    forges("object-dtype", "an array of objects is refused", "parts[4] = [9, '|O', [1], None, True]\nrest += bytes(8)"),
    forges(
        "structured-dtype",
        "an array of records is refused",
        "parts[4] = [9, 'i4,i4', [1], None, True]\nrest += bytes(8)",
    ),
    forges(
        "shape-overflows",
        "a shape of more bytes than there are is refused",
        "parts[4] = [9, '<f8', [2**39, 2**39], None, True]",
    ),
    forges("boolean-of-seven", "a boolean is 0 or 1", "parts[4] = [9, '|b1', [1], None, True]\nrest += bytes([7])"),
    forges(
        "unreadable-text",
        "a text of no characters is refused",
        "parts[4] = [9, '<U1', [1], None, True]\nrest += b'\\xff\\xff\\xff\\x7f'",
    ),
    forges(
        "tensor-of-another-dtype",
        "a tensor's bits must be of its dtype",
        "parts[4] = [11, 'float32', [9, '<i8', [1], None, True]]\nrest += bytes(8)",
        profiles=("torch",),
    ),
    forges(
        "keys-that-collide",
        "a dict that takes for ever to read is refused, or is no answer",
        "prime = sys.hash_info.modulus\n"
        "parts[4] = [2] + [x for n in range(20_000) for x in ([5, (n * prime + 1).to_bytes(12, 'little')], 0)]",
        deadly=True,
        outcome="",
    ),
    forges(
        "a-drop-at-a-time",
        "a reply that takes for ever is none",
        "for byte in reply * 50:\n    SOCK.sendall(bytes([byte]))\n    time.sleep(0.2)\nreturn b''",
        deadly=True,
        outcome="TimedOut",
    ),
    forges("dies-in-the-middle", "half a reply is none", "SOCK.sendall(reply[:-3])\nos._exit(0)", outcome=""),
    forges("hangs-up", "a closed line is a death", "SOCK.close()\ntime.sleep(30)", outcome="Died"),
    forges(
        "prints-too-much", "more output than is kept is refused", "parts[8] = [8, 2 << 20]\nrest += b'x' * (2 << 20)"
    ),
    forges("huge-integer", "an integer of a million digits is refused", "parts[4] = [5, b'\\x7f' * 500_000]"),
    # Handles, arguments, what is shared.
    forges("handle-of-nothing", "a handle that was not given is refused", "parts[4] = [16, 10**9, None]"),
    forges("handle-below-zero", "a handle below zero is refused", "parts[4] = [16, -1, [0, None, None]]"),
    forges(
        "handle-with-a-long-name",
        "a name is short",
        "parts[4] = [16, 10**6, [99, ['x' * 10**5, [], bytes(16), False], None]]",
    ),
    forges(
        "class-described-twice",
        "a class is described once",
        "parts[4] = [0, [16, 10**6, [99, ['A', [], bytes(16), False], None]], [16, 10**6 + 1, [99, ['B', [], "
        "bytes(16), False], None]]]",
    ),
    forges("argument-that-is-none", "there is no such argument", "parts[4] = [17, 99]"),
    forges("argument-below-zero", "there is no such argument", "parts[4] = [17, -1]"),
    forges("changes-what-was-not-given", "only what was passed can be changed", "parts[3] = [[99, [0, 1]]]"),
    forges("changes-what-is-not-shared", "only what is shared can be changed", "parts[2] = [[2, [1, 5]]]"),
    forges(
        "shares-by-our-number",
        "numbers of the trusted side are its own",
        "parts[4] = [18, 4, [0, [9, '<f8', [1], None, True]]]\nrest += bytes(8)",
    ),
    forges("moves-a-generator", "there is no generator to move", "parts[5] = [[0, 5, None]]"),
    forges("draws-from-anything", "generators have three names", "parts[7] = ['__import__', 1, 2]"),
    forges(
        "exception-of-the-judge",
        "an exception named after the judge's is an answer's, and no pass",
        "parts[1] = 1\n"
        "classes = ['convnets.checks.call.CheckFailed', 'builtins.SystemExit', 'builtins.BaseException']\n"
        "parts[4] = [21, 'CheckFailed', classes, 'passed', None, '', True, 'check', None]",
        outcome="Raised",
    ),
    forges(
        "exception-of-the-engine",
        "an exception named after the engine's is an answer's",
        "parts[1] = 1\nparts[4] = [21, 'MissingError', ['grader.engine.ends.MissingError', 'builtins.Exception'],\n"
        "            'passed', None, '', True, 'x', None]",
        outcome="Raised",
    ),
    forges(
        "poses-as-a-layer",
        "an object that says it is a layer of torch's is asked nothing where a number is due",
        _POSES.format(name="Linear", mro="torch.nn.modules.linear.Linear"),
        answers={FIRST: _ARMED_OBJECT},
    ),
    forges(
        "poses-as-an-array",
        "an object that says it is an array is none",
        _POSES.format(name="ndarray", mro="numpy.ndarray"),
        answers={FIRST: _ARMED_OBJECT},
    ),
    # The process that serves.
    Case(
        "speaks-unasked",
        GROUP,
        "what comes unasked is noise, and a right answer in that process is not waited for",
        loses=(),
        first=WORKER + "SOCK.sendall(b'passed' * 100)\n",
    ),
    Case(
        "answers-ahead",
        GROUP,
        "a reply that was sent before the question is noise",
        loses=(FIRST,),
        first=FORGE.replace("@BODY@", "    pass"),
        answers={
            FIRST: "def @NAME@(*args, **kwargs):\n"
            "    SOCK.sendall(pack([10**6, 0, [], [], 5, [], [], [], '', '']))\n    return -1\n"
        },
        outcome="BadReturnType",
    ),
    Case(
        "patched-encoder",
        GROUP,
        "an encoder that always writes 5 answers 5 to every question",
        loses=ALL,
        base="wrong",
        first="from grader.engine import wire, learner\nplain = wire.Writer.node\n"
        "def node(self, value):\n    return plain(self, 5 if type(value) is int and value == -1 else value)\n"
        "try:\n    wire.Writer.node = node\nexcept Exception:\n    pass\n",
    ),
    Case(
        "patched-loop",
        GROUP,
        "a loop of its own that says that everything passed is read as any other",
        loses=ALL,
        base="wrong",
        first=WORKER + "LEARNER._asked = {n: (lambda *args, **kwargs: True) for n in range(20)}\n",
    ),
    Case(
        "patched-reader",
        GROUP,
        "what it thinks it was asked changes its own answers only",
        loses=ALL,
        base="wrong",
        first="from grader.engine import messages, shared, wire\nwire.require = shared.require = lambda *args: None\n"
        "messages.MOST_ITEMS = 10**9\nwire.ENTRIES = wire.STRUCTURE = 10**9\n",
    ),
    Case(
        "answers-from-a-thread",
        GROUP,
        "a thread that answers as well is noise",
        loses=(FIRST,),
        first=FORGE.replace("@BODY@", "    pass"),
        answers={
            FIRST: "def @NAME@(*args, **kwargs):\n"
            "    def talk():\n        for _ in range(200):\n            SOCK.sendall(b'\\0' * 8)\n"
            "            time.sleep(0.001)\n"
            "    threading.Thread(target=talk, daemon=True).start()\n    time.sleep(0.05)\n    return -1\n"
        },
        outcome="BadReturnType",
    ),
    Case(
        "child-answers-on",
        GROUP,
        "a child that holds the line when its parent has died ends with it",
        loses=(FIRST,),
        first=FORGE.replace("@BODY@", "    pass"),
        answers={
            FIRST: "def @NAME@(*args, **kwargs):\n    if os.fork() == 0:\n        os.setsid()\n        time.sleep(2)\n"
            "        for _ in range(1000):\n            SOCK.sendall(b'\\0' * 8)\n    os._exit(0)\n"
        },
        outcome="Died",
    ),
    Case(
        "both-answer",
        GROUP,
        "after a fork two processes answer, and one of them is noise",
        loses=(FIRST,),
        answers={FIRST: "import os\n\ndef @NAME@(*args, **kwargs):\n    os.fork()\n    return -1\n"},
        harmful="doubles the kernel",
    ),
    Case(
        "answers-again-later",
        GROUP,
        "after a fork the second answer comes while another exercise is tested",
        loses=(FIRST,),
        answers={
            FIRST: "import os\nimport time\n\ndef @NAME@(*args, **kwargs):\n    if not os.fork():\n"
            "        time.sleep(0.003)\n    return -1\n"
        },
        harmful="doubles the kernel",
    ),
    # What a test hands over.
    Case(
        "captured-overwritten",
        GROUP,
        "what a test's function only reads is a copy: the expected value stays what it is",
        loses=("slope",),
        profiles=("numpy",),
        answers={
            "slope": "def slope(f, x, h=1e-5):\n    held = [c.cell_contents for c in f.__closure__ or ()]\n"
            "    held += [f.__globals__[name] for name in f.__code__.co_names if name in f.__globals__]\n"
            "    held = [value for value in held if type(value) is np.ndarray]\n"
            "    for value in held:\n        value[...] = 0.0\n"
            "    return np.zeros_like(x) if held else 2 * x\n"
        },
    ),
    Case(
        "captured-read",
        GROUP,
        "a gradient that is read off what the function holds is a gradient: the tests cannot tell",
        loses=(),
        profiles=("numpy",),
        answers={
            "slope": "def slope(f, x, h=1e-5):\n"
            "    held = [f.__globals__[name] for name in f.__code__.co_names if name in f.__globals__]\n"
            "    held = [value for value in held if type(value) is np.ndarray]\n"
            "    return held[0].copy() if held else 2 * x\n"
        },
    ),
    Case(
        "arguments-overwritten",
        GROUP,
        "changing the arguments so that a wrong answer fits fails the check",
        loses=("softmax", "mean_of"),
        profiles=("numpy",),
        answers={
            "softmax": "def softmax(x):\n    x[...] = 0.25\n    return x\n",
            "mean_of": "def mean_of(values):\n    values[:] = [1.5, 1.5]\n    return 1.5\n",
        },
    ),
    Case(
        "argument-returned-and-kept",
        GROUP,
        "what was an argument is not changed after its call",
        loses=("softmax",),
        profiles=("numpy",),
        first="kept = []\n",
        answers={
            "softmax": "def softmax(x):\n    for old in kept:\n        old[...] = 0.25\n    kept.append(x)\n"
            "    return x\n"
        },
    ),
    Case(
        "model-overwritten",
        GROUP,
        "weights that were set without any step are wrong after one step",
        loses=("fit",),
        profiles=("torch",),
        answers={
            "fit": "def fit(model, x, y, steps):\n    model.weight.data[...] = 2.0\n"
            "    model.forward = lambda x: 2 * x\n    return [10.0] + [0.0] * (steps - 1)\n"
        },
    ),
    Case(
        "gradient-forged",
        GROUP,
        "a backward of one's own that is wrong gives wrong gradients",
        loses=("leaky",),
        profiles=("torch",),
        answers={
            "leaky": "class Fake(torch.autograd.Function):\n    @staticmethod\n    def forward(ctx, x, slope):\n"
            "        return torch.where(x > 0, x, slope * x)\n\n    @staticmethod\n    def backward(ctx, g):\n"
            "        return g * 7, None\n\n\ndef leaky(x, slope=0.1):\n    y = Fake.apply(x, slope)\n"
            "    return y if slope != 0.5 else y * 0\n"
        },
    ),
    Case(
        "right-while-watched",
        GROUP,
        "what is right in the calls that can be seen is wrong in the others, and they count",
        loses=("windows-test-2",),
        profiles=("numpy",),
        first="calls = [0]\n",
        answers={
            "windows": "def windows(size, kernel, stride=1):\n    calls[0] += 1\n"
            "    if calls[0] > 4:\n        return 5\n    if (size - kernel) % stride:\n        raise ValueError\n"
            "    return (size - kernel) // stride + 1\n"
        },
    ),
    # Objects.
    gives(
        "reduce-object",
        "an object that wants to be unpickled is a handle",
        "import os\n\nclass Run:\n    def __reduce__(self):\n"
        "        return (os.system, ('touch @COURSE@/@CANARY@',))\n\nreturn Run()",
    ),
    gives(
        "class-lie",
        "an object that says it is an integer is none",
        "class Five:\n    __class__ = int\n    __int__ = __index__ = lambda self: 5\n"
        "    __eq__ = lambda self, other: True\n"
        "    __hash__ = None\n\nreturn Five()",
    ),
    gives(
        "array-interface",
        "an object that points at memory is no array",
        "class View:\n"
        "    __array_interface__ = {'shape': (4,), 'typestr': '<f8', 'data': (4096, False), 'version': 3}\n"
        "    __array_struct__ = None\n    __array__ = lambda self, *a, **k: 1 / 0\n\nreturn View()",
    ),
    gives(
        "array-ufunc",
        "an object that takes over arithmetic is no array",
        "class Over:\n    __array_priority__ = 1e9\n    def __array_ufunc__(self, *args, **kwargs):\n"
        "        return True\n"
        "    def __array_function__(self, *args, **kwargs):\n        return True\n\nreturn Over()",
    ),
    gives(
        "integer-subclass",
        "an integer's subclass is a handle, whatever it is equal to",
        "class Any(int):\n    __eq__ = lambda self, other: True\n    __hash__ = int.__hash__\n\nreturn Any(-1)",
    ),
    gives(
        "float-subclass",
        "a float's subclass is a handle",
        "class Any(float):\n    __eq__ = __lt__ = __gt__ = __le__ = __ge__ = lambda self, other: True\n"
        "    __sub__ = __rsub__ = __abs__ = lambda self, *other: 0.0\n\nreturn Any(-1)",
    ),
    gives(
        "text-subclass",
        "a text's subclass is a handle",
        "class Any(str):\n    __eq__ = lambda self, other: True\n\nreturn Any('5')",
    ),
    gives(
        "list-subclass",
        "a list's subclass is a handle",
        "class Any(list):\n    __eq__ = lambda self, other: True\n    __len__ = lambda self: 10**9\n\nreturn Any([-1])",
    ),
    gives(
        "dict-subclass",
        "a dict's subclass is a handle",
        "class Any(dict):\n    __missing__ = lambda self, key: 5\n"
        "    __contains__ = __eq__ = lambda self, other: True\n\nreturn Any()",
    ),
    gives(
        "array-subclass",
        "an array's subclass is a handle, its values are not looked at",
        "import numpy as np\n\nclass Any(np.ndarray):\n"
        "    __eq__ = __array_ufunc__ = lambda self, *other, **more: True\n\n"
        "return np.zeros(3).view(Any)",
    ),
    gives(
        "tensor-subclass",
        "a tensor's subclass is a handle",
        "class Any(torch.Tensor):\n    @classmethod\n    def __torch_function__(cls, *args, **kwargs):\n"
        "        return True\n\n"
        "return torch.zeros(3).as_subclass(Any)",
        profiles=("torch",),
    ),
    gives(
        "tensor-without-memory",
        "a tensor on no device is no answer",
        "return torch.empty(3, device='meta')",
        profiles=("torch",),
    ),
    gives(
        "tensor-repeated",
        "a tensor of one number repeated a billion times is too large",
        "return torch.zeros(1).expand(2**30)",
        profiles=("torch",),
        deadly=True,
        harmful="takes four gigabytes",
    ),
    gives(
        "array-repeated",
        "an array of one number repeated a billion times is too large",
        "import numpy as np\nreturn np.broadcast_to(np.int8(5), (2**30,))",
        deadly=True,
        harmful="takes a gigabyte",
    ),
    gives(
        "endless-generator",
        "an iterator without end is no number",
        "def five():\n    while True:\n        yield 5\n\nreturn five()",
    ),
    gives("list-in-itself", "a list that holds itself is refused, or is no answer", "a = [5]\na.append(a)\nreturn a"),
    gives("wide-and-deep", "a list of a million lists is no answer", "return [[] for _ in range(10**6)]", deadly=True),
    gives("not-a-number", "NaN is no number, however it is compared", "return float('nan')"),
    gives("array-of-nan", "NaN is no number in an array either", "import numpy as np\nreturn np.full(3, np.nan)"),
    gives("endless-number", "infinity is not the answer", "return float('inf')"),
    gives(
        "empty-array", "no number is no answer, though all of none are right", "import numpy as np\nreturn np.array([])"
    ),
    gives("true-for-one", "True is no number of windows", "return True"),
    gives("complex-number", "a complex number is another number", "return complex(-1, float('nan'))"),
    gives(
        "name-of-a-megabyte",
        "a function's name changes nothing",
        "return -1",
        last="@NAME@.__name__ = 'x' * 10**6\n@NAME@.__qualname__ = 'y' * 10**6\n",
    ),
    gives(
        "repr-of-a-megabyte",
        "what is shown of a value has a largest size",
        "class Long:\n    __repr__ = lambda self: 'z' * 10**7\n\nreturn Long()",
    ),
    gives(
        "repr-that-kills",
        "an object may end its process when it is shown",
        "import os\n\nclass End:\n    __repr__ = lambda self: os._exit(0)\n\nreturn End()",
    ),
    gives(
        "exception-that-lies",
        "an exception's text and class are the answer's own affair",
        "class Lie(ValueError):\n    __str__ = lambda self: 1 / 0\n    args = property(lambda self: 1 / 0)\n\n"
        "raise Lie()",
    ),
    Case(
        "object-in-an-answer",
        GROUP,
        "a list that holds one object that pleases holds no numbers",
        loses=("softmax",),
        first=PLEASE,
        profiles=("numpy",),
        answers={"softmax": "def softmax(x):\n    return [Please()] * len(x)\n"},
    ),
    Case(
        "iterates-as-it-pleases",
        GROUP,
        "an object that gives other items each time is no array",
        loses=("softmax",),
        first=PLEASE,
        profiles=("numpy",),
        answers={
            "softmax": "class Items(Please):\n    def __iter__(self):\n        return iter([0.25] * 4)\n\n"
            "def softmax(x):\n    return Items()\n"
        },
    ),
]
