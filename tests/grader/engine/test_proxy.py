"""Through the split as without it: what a test cell may do with a learner's names, and what a learner may not do."""

import copy
import inspect
import io
import socket
import struct
import sys
import time
from contextlib import redirect_stdout

import msgpack
import numpy as np
import pytest
import torch

import grader.engine.learner  # noqa: F401  (imported here, so that every process forked from here has it)
from grader.engine.limits import Limits
from grader.engine.proxy import BadReply, CallTimedOut, CannotCarry, LearnerDied, LearnerError
from grader.engine.wire import Tag
from tests.grader.engine.learners import open_session

torch.set_num_threads(1)

CELLS = '''
%matplotlib inline
import collections, enum, os, sys, time
import numpy as np
import torch
from torch import nn

def same(x): return x
def double(x): return 2 * x
def add_one(x): x += 1
def fill(values): values.append(3); values[0] = "new"
def put(table): table["new"] = np.ones(2); del table["old"]; table["inner"] += 1
def say(text): print(text); print("oops", file=sys.stderr)
def apply(f, *args): return f(*args)
def countdown(n):
    while n: yield n; n -= 1
def forever():
    while True: yield 0
def wrong_shape(x):
    if x.ndim != 2:
        raise ValueError(f"not {x.ndim}-D")
    return x
def divides(x): return 1 // x
def missing(table): return table["key"]
def stub(x): raise NotImplementedError
def deep(n): return deep(n + 1)
class ShapeError(ValueError):
    def __init__(self, shape): super().__init__(f"bad shape {shape}"); self.shape = shape
class Odd(Exception): pass
def custom(x): raise ShapeError(x)
def odd(): raise Odd("very")
def leaves(): sys.exit("bye")
def inverts(x): return np.linalg.inv(x)

class Counter:
    """Counts."""
    limit = 10
    def __init__(self, start=0): self.count = start; self.weights = np.zeros(3)
    def step(self, by=1): self.count += by; self.weights += by; return self
    @property
    def twice(self): return 2 * self.count
    @classmethod
    def ten(cls): return cls(10)
    def __len__(self): return self.count
    def __getitem__(self, i):
        if i >= self.count: raise IndexError(i)
        return i * i
    def __setitem__(self, i, v): self.count = v
    def __contains__(self, x): return x == self.count
    def __add__(self, o): return Counter(self.count + (o.count if isinstance(o, Counter) else o))
    __radd__ = __add__
    def __rsub__(self, o): return o - self.count
    def __iadd__(self, o): self.count += o; return self
    def __neg__(self): return Counter(-self.count)
    def __matmul__(self, o): return "matmul"
    def __lt__(self, o): return self.count < o.count
    def __eq__(self, o): return isinstance(o, Counter) and self.count == o.count
    def __hash__(self): return self.count
    def __repr__(self): return f"Counter({self.count})"
    def __float__(self): return float(self.count)
    def __enter__(self): self.count += 1; return self
    def __exit__(self, *error): self.count = -1; return True

class Plain: pass
class Colour(enum.Enum): RED = 1
class Many(list): pass
class Everything:
    def __eq__(self, o): return True
    def __bool__(self): return True
    def __array__(self, *a, **k): return np.ones(3)
    __array_interface__ = {"shape": (1,), "typestr": "<f8", "version": 3, "data": (0, False)}
    @property
    def __class__(self): return np.ndarray
    def __reduce__(self): return (os.system, ("touch /tmp/pwned",))
    def __deepcopy__(self, memo): return self
def everything(): return Everything()

class Net(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        self.hidden = nn.Linear(3, width)
        self.norm = nn.BatchNorm1d(width)
        self.drop = nn.Dropout(0.5)
        self.out = nn.Linear(width, 2)
    def forward(self, x):
        self.features = torch.relu(self.norm(self.hidden(x)))
        return self.out(self.drop(self.features))
def square(x): return x ** 2
class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x): ctx.save_for_backward(x); return x ** 3
    @staticmethod
    def backward(ctx, g): return g * 3 * ctx.saved_tensors[0] ** 2
cube = Cube.apply
def train(model, x, y, steps=3, lr=0.1):
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = ((model(x) - y) ** 2).mean()
        loss.backward()
        optimizer.step()
    return loss.item()
def sgd_step(parameters, lr):
    with torch.no_grad():
        for p in parameters: p -= lr * p.grad
class Keeper:
    def encode(self, x): self.h = 3 * x
    def decode(self): return self.h ** 2
def freeze(model):
    for p in model.parameters(): p.requires_grad_(False)
def behead(model):
    del model[-1]
    return model
def evaluate(model, x):
    model.eval()
    with torch.no_grad(): return model(x)
def noise(rng, n): return rng.standard_normal(n)
def global_noise(n): return np.random.standard_normal(n)
def sleeps(): time.sleep(60)
def dies(): os._exit(7)
def many(): return [0.5] * 10**6
def flood():
    for _ in range(3000): print("x" * 1000)
    return 1
!rm -rf everything
'''


@pytest.fixture(scope="module")
def shared_session():
    session = open_session()
    assert session.run_cell(CELLS, "cells") == ""
    yield session
    session.close()


class Names:
    def __init__(self, session):
        self.session = session

    def __getattr__(self, name):
        return self.session.get(name)


@pytest.fixture
def learner(shared_session):
    assert shared_session.alive
    return Names(shared_session)


@pytest.fixture
def own():
    """A learner whose process may end."""
    session = open_session(call=1.0, output=10_000, reply=1 << 20)
    assert session.run_cell(CELLS, "cells") == ""
    yield Names(session)
    session.close()


# NumPy functions and plain data.


@pytest.mark.parametrize(
    "value",
    [
        3,
        10**30,
        2.5,
        1j,
        "σ",
        b"x",
        None,
        [1, (2, {"a": {3}})],
        np.arange(6.0).reshape(2, 3).T,
        np.zeros((0, 3)),
        np.array(2.0),
        np.array([True, False]),
        np.float32(1.5),
        torch.ones(2).bfloat16(),
        torch.arange(3),
    ],
    ids=repr,
)
def test_values_go_there_and_back(learner, value):
    back = learner.same([value, 0])[0]
    assert type(back) is type(value)
    assert repr(back) == repr(value)


def test_what_comes_back_is_the_argument_where_it_was(learner):
    x = np.ones(3)
    a, b = learner.same((x, [x]))
    assert a is x
    assert b[0] is x


def test_in_place_changes_of_arguments_arrive(learner):
    x, t, values, table = np.ones(3), torch.ones(2), [1, 2], {"old": 1, "inner": np.zeros(2)}
    inner, part = table["inner"], np.ones(6)[::2]
    for argument in (x, t, part):
        learner.add_one(argument)
    learner.fill(values)
    learner.put(table)
    assert x.tolist() == [2, 2, 2]
    assert part.tolist() == [2, 2, 2]
    assert t.tolist() == [2, 2]
    assert values == ["new", 2, 3]
    assert table["inner"] is inner
    assert inner.tolist() == [1, 1]
    assert table["new"].tolist() == [1, 1]
    assert "old" not in table
    fixed = np.ones(3)
    fixed.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        learner.add_one(fixed)


def test_functions_know_their_names_and_parameters(learner):
    assert learner.train.__name__ == "train"
    assert learner.Counter.__doc__ == "Counts."
    assert str(inspect.signature(learner.train)) == "(model, x, y, steps=3, lr=0.1)"
    assert callable(learner.train)
    assert not callable(learner.Plain())
    assert learner.train is learner.train


# Callables of the test.


def test_callables_travel_by_value_and_write_into_what_they_captured(learner):
    calls, table, seen = [], {}, np.zeros(1)

    def f(x):
        calls.append(float(x))
        table[len(calls)] = x
        seen[0] += x
        return x + 1

    assert learner.apply(f, 2.0) == 3.0
    assert learner.apply(f, 3.0) == 4.0
    assert calls == [2.0, 3.0]
    assert table == {1: 2.0, 2: 3.0}
    assert seen[0] == 5.0
    assert learner.apply(np.exp, 0.0) == 1.0
    assert learner.apply(lambda x: learner_double(x), 4) == 8 if (learner_double := learner.double) else None


def test_a_callable_that_cannot_travel_says_why(own):
    held = socket.socket()
    with pytest.raises(CannotCarry, match="`<lambda>` cannot be sent"), held:
        own.apply(lambda x, held=held: x, 1)


def test_a_callable_that_binds_a_variable_of_the_test_says_so(own):
    count = 0

    def f(x):
        nonlocal count
        count += 1
        return x

    with pytest.raises(CannotCarry, match="assigns `count`"):
        own.apply(f, 1)


def test_generators_move_on_and_seeds_hold(learner):
    rng, twin = np.random.default_rng(5), np.random.default_rng(5)
    noise = learner.noise
    for n in (3, 4):
        assert noise(rng, n).tolist() == twin.standard_normal(n).tolist()
    assert rng.integers(1 << 30) == twin.integers(1 << 30)
    draws = []
    for _ in range(2):
        np.random.seed(7)
        draws.append(learner.global_noise(3).tolist())
    assert draws[0] == draws[1] == np.random.RandomState(7).standard_normal(3).tolist()
    assert learner.global_noise(3).tolist() not in draws
    weights = []
    for _ in range(2):
        torch.manual_seed(1)
        weights.append(learner.Net().out.weight.tolist())
    torch.manual_seed(1)
    torch.nn.Linear(3, 4)
    assert weights[0] == weights[1] == torch.nn.Linear(4, 2).weight.tolist()


# Objects.


def test_classes_with_state(learner):
    Counter = learner.Counter
    a, b = Counter(2), Counter(start=3)
    assert type(a).__name__ == "Counter"
    assert Counter.__name__ == "Counter"
    assert Counter.limit == 10
    assert a.step(by=2) is a
    assert a.count == 4
    assert a.twice == 8
    assert Counter.ten().count == 10
    assert len(a) == 4
    assert a[3] == 9
    assert list(a) == [0, 1, 4, 9]
    assert 4 in a
    assert 5 not in a
    a[0] = 2
    a.extra = [1, {"x": 2}]
    assert a.count == 2
    assert a.extra == [1, {"x": 2}]
    assert repr(a) == "Counter(2)"
    assert f"{a}" == "Counter(2)"
    with pytest.raises(IndexError):
        a[7]
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = a.nothing
    assert not hasattr(a, "nothing")
    del a.extra
    assert not hasattr(a, "extra")
    assert (a + b).count == 5
    assert (1 + a).count == 3
    assert 7 - a == 5
    assert (-a).count == -2
    assert a @ b == "matmul"
    assert a < b
    assert b > a
    assert a == Counter(2)
    assert a != b
    assert hash(a) == 2
    assert float(a) == 2.0
    assert sum([a, b, 1]).count == 6
    assert max(a, b) is b
    kept = a
    a += 5
    assert a is kept
    assert a.count == 7
    with b as entered:
        assert entered is b
        assert b.count == 4
        raise ValueError("swallowed by __exit__")
    assert b.count == -1
    with pytest.raises(TypeError, match="unsupported operand"):
        a / 2


def test_instances_and_classes(learner):
    a = learner.Counter()
    assert isinstance(a, learner.Counter)
    assert not isinstance(3, learner.Counter)
    assert issubclass(learner.Counter, learner.Counter)
    assert not issubclass(learner.Plain, learner.Counter)
    with pytest.raises(TypeError, match="cannot inherit from a learner's class"):

        class Sub(learner.Counter):
            pass

    with pytest.raises(TypeError, match="another process"):
        copy.copy([a.__reduce_ex__(2)])


def test_arrays_of_an_object_are_the_same_object_each_time_and_live(learner):
    a = learner.Counter()
    weights = a.weights
    assert a.weights is weights
    a.step()
    assert weights.tolist() == [1, 1, 1]
    weights[0] = 9
    assert a.step().weights.tolist() == [10, 2, 2]


def test_deepcopies_are_other_objects(learner):
    a = learner.Counter(1)
    b = copy.deepcopy([a])[0]
    b.step()
    assert (a.count, b.count) == (1, 2)


def test_generators_and_iterators(learner):
    assert list(learner.countdown(3)) == [3, 2, 1]
    steps = learner.countdown(2)
    assert next(steps) == 2
    assert next(steps) == 1
    assert next(steps, "end") == "end"
    assert [n for n, _ in zip(learner.forever(), range(4), strict=False)] == [0] * 4


# Exceptions and output.


@pytest.mark.parametrize(
    ("name", "args", "kind", "text", "by_the_answer"),
    [
        ("wrong_shape", (np.ones(3),), ValueError, "not 1-D", True),
        ("divides", (0,), ZeroDivisionError, "integer division or modulo by zero", False),
        ("missing", ({},), KeyError, "'key'", False),
        ("stub", (1,), NotImplementedError, "", True),
        ("deep", (0,), RecursionError, "maximum recursion depth exceeded", False),
        ("inverts", (np.zeros((2, 2)),), np.linalg.LinAlgError, "Singular matrix", False),
    ],
)
def test_exceptions_arrive_as_they_were(learner, name, args, kind, text, by_the_answer):
    with pytest.raises(kind) as caught:
        getattr(learner, name)(*args)
    assert type(caught.value) is kind
    assert str(caught.value) == text
    assert f", in {name}" in caught.value.learner_traceback
    assert "grader" not in caught.value.learner_traceback
    assert len(caught.value.learner_traceback) < 4000
    assert caught.value.__origin__.by_the_answer is by_the_answer


def test_a_learners_own_exceptions_keep_name_and_base(learner):
    with pytest.raises(ValueError, match=r"bad shape \(2,\)") as caught:
        learner.custom((2,))
    assert isinstance(caught.value, LearnerError)
    assert type(caught.value).__name__ == "ShapeError"
    with pytest.raises(LearnerError, match="very") as caught:
        learner.odd()
    assert caught.value.type_name == "Odd"
    assert "builtins.Exception" in caught.value.mro_names
    with pytest.raises(LearnerError, match="bye") as caught:
        learner.leaves()
    assert caught.value.type_name == "SystemExit"


def test_cells_tell_what_they_raised(learner):
    session = learner.session
    assert session.run_cell("x = undefined + 1", "late").startswith(
        "NameError: name 'undefined' is not defined\n  late, line 1"
    )
    assert session.run_cell("def f(:\n  pass", "typo").startswith("SyntaxError")
    assert session.run_cell("%%time\ny_of_magic = 3", "magic") == ""
    assert learner.y_of_magic == 3
    assert session.run_cell("import asyncio\nz = await asyncio.sleep(0, 5)", "await") == ""
    assert learner.z == 5
    assert session.run_cell("exit()", "exit").startswith(("SystemExit", "NameError"))
    assert session.run_cell("input()", "input").startswith(("EOFError", "RuntimeError", "OSError"))
    assert session.run_cell("display(3); get_ipython().magic('x'); __name__", "shell") == ""


def test_what_a_function_prints_can_be_listened_to(learner):
    with redirect_stdout(io.StringIO()) as printed:
        learner.say("hello σ \udc80")
    assert printed.getvalue() == "hello σ ?\n"


def test_output_is_capped(own):
    printed = io.StringIO()
    with redirect_stdout(printed):
        assert own.flood() == 1
        assert own.flood() == 1
    assert len(printed.getvalue()) == 10_000
    assert own.session.alive


# Modules and gradients.


def twin_of(net, width=4):
    """The same network on this side."""

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden, self.norm = torch.nn.Linear(3, width), torch.nn.BatchNorm1d(width)
            self.out = torch.nn.Linear(width, 2)

        def forward(self, x):
            return self.out(torch.relu(self.norm(self.hidden(x))))

    twin = Net()
    twin.load_state_dict(net.state_dict())
    return twin


def test_modules(learner):
    net = learner.Net()
    net.drop.p = 0.0
    assert isinstance(net, torch.nn.Module)
    assert isinstance(net.hidden, torch.nn.Linear)
    assert not isinstance(net.hidden, torch.nn.Conv2d)
    twin = twin_of(net)
    assert [name for name, _ in net.named_parameters()] == [name for name, _ in twin.named_parameters()]
    assert sum(p.numel() for p in net.parameters()) == sum(p.numel() for p in twin.parameters())
    x = torch.randn(5, 3, requires_grad=True)
    x_twin = x.detach().clone().requires_grad_()
    ((net(x) ** 2).sum() * 0.5).backward()
    ((twin(x_twin) ** 2).sum() * 0.5).backward()
    assert torch.allclose(x.grad, x_twin.grad)
    for (name, p), q in zip(net.named_parameters(), twin.parameters(), strict=True):
        assert torch.allclose(p.grad, q.grad, atol=1e-6), name
    assert torch.allclose(net.norm.running_mean, twin.norm.running_mean)
    assert net.hidden.weight is net.hidden.weight
    assert type(net.hidden.weight) is torch.nn.Parameter
    net.eval()
    assert net.training is False
    assert net.norm.training is False
    net.train()
    state = {name: torch.zeros_like(value) for name, value in net.state_dict().items()}
    net.load_state_dict(state)
    assert net.out.bias.abs().sum() == 0


def test_an_optimizer_of_the_test_on_a_learners_module(learner):
    net = learner.Net()
    net.eval()
    twin = twin_of(net).eval()
    x, y = torch.randn(8, 3), torch.randn(8, 2)
    optimizers = [torch.optim.Adam(model.parameters(), lr=0.05) for model in (net, twin)]
    for _ in range(3):
        for model, optimizer in zip((net, twin), optimizers, strict=True):
            optimizer.zero_grad()
            ((model(x) - y) ** 2).mean().backward()
            optimizer.step()
    assert torch.allclose(net(x), twin(x), atol=1e-6)


def test_a_learners_training_of_the_tests_model(learner):
    torch.manual_seed(3)
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 1))
    twin = copy.deepcopy(model)
    x, y = torch.randn(8, 3), torch.randn(8, 1)
    loss = learner.train(model, x, y)
    optimizer = torch.optim.SGD(twin.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        expected = ((twin(x) - y) ** 2).mean()
        expected.backward()
        optimizer.step()
    assert loss == pytest.approx(expected.item(), rel=1e-5)
    for (name, a), b in zip(model.state_dict().items(), twin.state_dict().values(), strict=True):
        assert torch.allclose(a, b), name
    for a, b in zip(model.parameters(), twin.parameters(), strict=True):
        assert torch.allclose(a.grad, b.grad)
    learner.evaluate(model, x)
    assert not model.training
    assert not model[1].training


def test_layers_taken_from_the_tests_model_are_told_and_stay(learner):
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU())
    with pytest.raises(RuntimeError, match="the model that was passed has other layers afterwards"):
        learner.behead(model)
    assert len(model) == 2
    learner.evaluate(model, torch.ones(2, 3))
    assert not model.training


def test_tensors_of_the_test_that_a_learner_updates(learner):
    w = torch.ones(3, requires_grad=True)
    (2 * w).sum().backward()
    learner.sgd_step([w], 0.5)
    assert w.tolist() == [0, 0, 0]
    assert w.grad.tolist() == [2, 2, 2]
    assert w.is_leaf


def test_freezing_arrives(learner):
    net = learner.Net()
    parameters = list(net.parameters())
    learner.freeze(net)
    assert not any(p.requires_grad for p in parameters)


def test_gradients_flow_through_and_across(learner):
    x = torch.tensor([1.0, -2.0], dtype=torch.float64, requires_grad=True)
    y = learner.square(torch.sin(learner.cube(3 * x))).sum()
    (grad,) = torch.autograd.grad(y, x)
    z = x.detach().clone().requires_grad_()
    (expected,) = torch.autograd.grad((torch.sin((3 * z) ** 3) ** 2).sum(), z)
    assert torch.allclose(grad, expected)
    assert torch.autograd.gradcheck(learner.cube, (x,))
    keeper = learner.Keeper()
    keeper.encode(x * 2)
    keeper.decode().sum().backward()
    assert torch.allclose(x.grad, 72 * x.detach())
    with torch.no_grad():
        assert not learner.square(x).requires_grad


def test_gradients_of_gradients_say_that_they_cannot_be_had(learner):
    x = torch.ones(2, requires_grad=True)
    with pytest.raises(CannotCarry, match="gradients of gradients"):
        torch.autograd.grad(learner.square(x).sum(), x, create_graph=True)
    assert learner.session.alive


def test_a_death_in_the_middle_of_backward_is_told(own):
    assert (
        own.session.run_cell(
            "class Deadly(torch.autograd.Function):\n"
            "    forward = staticmethod(lambda ctx, x: x.clone())\n"
            "    backward = staticmethod(lambda ctx, g: os._exit(3))\n"
            "deadly = Deadly.apply",
            "deadly",
        )
        == ""
    )
    y = own.deadly(torch.ones(2, requires_grad=True)).sum()
    with pytest.raises(LearnerDied):
        y.backward()


# What a learner's objects may pretend.


def test_an_object_equal_to_everything_is_only_a_proxy(learner):
    value = learner.everything()
    assert type(value).__name__ == "Everything"
    assert not isinstance(value, np.ndarray)
    with pytest.raises(AttributeError):
        _ = value.__array_interface__
    with pytest.raises((TypeError, ValueError)):
        np.testing.assert_allclose(value, np.ones(3))
    for subclass in (learner.Many, learner.Colour):
        assert not isinstance(subclass, list)
    assert type(learner.Many()).__mro__[1].__name__ == "Remote"


def test_too_much_is_an_error_of_the_call(own):
    with pytest.raises(ValueError, match="cannot be carried"):
        own.many()
    with pytest.raises(ValueError, match="cannot be carried"):
        own.double(np.zeros(1 << 18))
    assert own.double(2) == 4


# How it ends.


def test_a_call_that_does_not_end_is_ended(own):
    began = time.monotonic()
    with pytest.raises(CallTimedOut, match="1 s"):
        own.sleeps()
    assert time.monotonic() - began < 20
    assert not own.session.alive
    with pytest.raises(CallTimedOut):
        own.session.get("double")


def test_a_death_is_told(own):
    with pytest.raises(LearnerDied, match="exited") as caught:
        own.dies()
    assert caught.value.death.detail == "7"
    assert not own.session.alive


def test_an_alarm_in_the_middle_of_a_call_ends_the_session(own):
    import signal

    class Alarm(BaseException):
        pass

    def ring(*_):
        raise Alarm

    before = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(Alarm):
            own.sleeps()
    finally:
        signal.signal(signal.SIGALRM, before)
    assert not own.session.alive


# A learner's process that speaks for itself.


def frame(structure, behind=b""):
    packed = structure if isinstance(structure, bytes) else msgpack.packb(structure)
    return struct.pack(">II", len(packed), len(behind)) + packed + behind


def reply(serial=1, status=0, shared=(), changed=(), answer=None, moved=(), modes=(), drawn=(), out="", err=""):
    return [serial, status, list(shared), list(changed), answer, list(moved), list(modes), list(drawn), out, err]


F64 = [Tag.ARRAY, "<f8", [1], None, True]
CLASS = ["K", ["builtins.object"], b"\0" * 16, False]
RAISED = [Tag.EXCEPTION, "E", ["builtins.ValueError"], "m", None, "", False, "", None]
ATTACKS = {
    "nothing but noise": b"GET / HTTP/1.0\r\n\r\n" * 10,
    "a huge structure": struct.pack(">II", 0xFFFFFFFF, 0),
    "huge data": struct.pack(">II", 1, 0xFFFFFFFF),
    "an empty frame": struct.pack(">II", 0, 0),
    "half a frame": "half",
    "half a header": "header",
    "a pickle": b"\x80\x04\x95" + b"x" * 50,
    "another request's reply": frame(reply(serial=2)),
    "a serial that is true": frame(reply(serial=True)),
    "a status that there is not": frame(reply(status=7)),
    "too few parts": frame([1, 0]),
    "a reply that is a number": frame(3),
    "a pickle as answer": frame(reply(answer=[Tag.PICKLE, 4]), b"I1\n."),
    "a generator as answer": frame(reply(answer=[Tag.GENERATOR, 4]), b"I1\n."),
    "an unknown tag": frame(reply(answer=[77])),
    "a handle that was not given": frame(reply(answer=[Tag.HANDLE, 5, None])),
    "a handle of a negative number": frame(reply(answer=[Tag.HANDLE, -5, [0, CLASS, None]])),
    "a handle given twice": frame(
        reply(answer=[Tag.LIST, [Tag.HANDLE, 1, [0, CLASS, None]], [Tag.HANDLE, 1, [0, None, None]]])
    ),
    "a handle of an unknown class": frame(reply(answer=[Tag.HANDLE, 1, [0, None, None]])),
    "a class described twice": frame(
        reply(answer=[Tag.LIST, [Tag.HANDLE, 1, [0, CLASS, None]], [Tag.HANDLE, 2, [0, CLASS, None]]])
    ),
    "a class with a dangerous name": frame(reply(answer=[Tag.HANDLE, 1, [0, ["K\0", [], b"\0" * 16, False], None]])),
    "a name of a megabyte": frame(reply(answer=[Tag.HANDLE, 1, [0, CLASS, "n" * 1_000_000]])),
    "an argument that there is not": frame(reply(answer=[Tag.ARGUMENT, 9])),
    "an argument before the first": frame(reply(answer=[Tag.ARGUMENT, -1])),
    "something shared that there is not": frame(reply(answer=[Tag.SHARED, 2, None])),
    "something shared with our number": frame(reply(answer=[Tag.SHARED, 2, [0, F64]]), b"\0" * 8),
    "a change of what is not shared": frame(reply(shared=[[1, F64]]), b"\0" * 8),
    "a changed argument that there is not": frame(reply(changed=[[5, F64]]), b"\0" * 8),
    "an argument that became another type": frame(reply(changed=[[0, 3]])),
    "a moved generator that there is not": frame(reply(moved=[[0, 1, None]])),
    "modes of no model": frame(reply(modes=[[0, [True]]])),
    "draws that are no names": frame(reply(drawn=[3])),
    "a result of no graph": frame(reply(answer=[Tag.GRAPH, 0, [], [Tag.TENSOR, "float64", F64]]), b"\0" * 8),
    "a result of a leaf that is none": frame(
        reply(answer=[Tag.GRAPH, 1, [[1, 4]], [Tag.TENSOR, "float64", F64]]), b"\0" * 8
    ),
    "an integer with a gradient": frame(
        reply(answer=[Tag.GRAPH, 1, [], [Tag.TENSOR, "int64", [Tag.ARRAY, "<i8", [1], None, True]]]), b"\0" * 8
    ),
    "an array of objects": frame(reply(answer=[Tag.ARRAY, "|O", [1], None, True]), b"\0" * 8),
    "a negative length": frame(reply(answer=[Tag.ARRAY, "<f8", [-1], None, True]), b""),
    "bytes that nobody named": frame(reply(), b"x"),
    "an answer where an exception was": frame(reply(status=1, answer=3)),
    "an exception without parts": frame(reply(status=1, answer=[Tag.EXCEPTION])),
    "an exception of texts that are none": frame(reply(status=1, answer=[*RAISED[:3], 5, *RAISED[4:]])),
    "output beyond the limit": frame(reply(out="x" * 20_000)),
    "output that is a list": frame(reply(out=[1])),
    "nested beyond measure": frame(b"\x91" * 5000),
    "arrays of arrays": frame(b"\x9a" + b"\xdd\x00\x07\xff\xff" * 900),
}


def speaker(data):
    def run(sock):
        sock.recv(1 << 16)
        if data == "half":
            sock.sendall(struct.pack(">II", 100, 0) + b"x" * 10)
        elif data == "header":
            sock.sendall(b"\0\0")
        else:
            sock.sendall(data)
            time.sleep(30)

    return run


@pytest.mark.parametrize("name", ATTACKS)
def test_what_breaks_the_protocol_ends_the_process(name):
    began = time.monotonic()
    with open_session(speaker(ATTACKS[name]), call=5.0, output=10_000) as session:
        with pytest.raises(BadReply):
            session.ask(4, np.ones(1), "x")
        assert not session.alive
        assert session._child.wait(2.0).kind in ("killed", "exited")
        with pytest.raises(BadReply):
            session.get("x")
    assert time.monotonic() - began < 20
    with open_session() as session:
        assert session.run_cell("x = 3", "next") == ""
        assert session.get("x") == 3


def test_an_answer_and_one_more_is_noticed():
    with open_session(speaker(frame(reply(answer=3)) + frame(reply(serial=2, answer=4)))) as session:
        assert session.get("x") == 3
        with pytest.raises(BadReply, match="without being asked"):
            session.get("x")


def test_an_answer_before_death_counts_and_none_after():
    def run(sock):
        sock.recv(1 << 16)
        sock.sendall(frame(reply(answer=3)))

    with open_session(run) as session:
        assert session.get("x") == 3
        session._child.wait(5.0)
        with pytest.raises(LearnerDied):
            session.get("x")


def test_one_byte_at_a_time_is_not_waited_for():
    def run(sock):
        sock.recv(1 << 16)
        for byte in frame(reply(answer=3)) * 100:
            sock.sendall(bytes([byte]))
            time.sleep(0.2)

    with open_session(run, call=0.5) as session, pytest.raises(CallTimedOut):
        session.get("x")


def test_who_never_reads_is_not_waited_for():
    with open_session(lambda sock: time.sleep(30), call=0.5) as session, pytest.raises(CallTimedOut):
        session.ask(4, np.zeros(1 << 20), "x")


def test_classes_that_a_reply_claims_are_proxies_all_the_same():
    described = ["Linear", ["torch.nn.modules.linear.Linear", "os.system"], b"\xff" * 16, False]
    with open_session(speaker(frame(reply(answer=[Tag.HANDLE, 1, [0, described, "system"]])))) as session:
        value = session.get("x")
        assert type(value).__mro__[1].__name__ == "Remote"
        assert isinstance(value, torch.nn.Linear)


@pytest.mark.parametrize("kind", ["builtins.SystemExit", "builtins.eval", "os.system", "builtins.KeyboardInterrupt"])
def test_an_exception_that_would_end_the_grader_is_only_an_error(kind):
    raised = [Tag.EXCEPTION, kind.rpartition(".")[2], [kind, "builtins.BaseException"], "m", None, "", False, "", None]
    with (
        open_session(speaker(frame(reply(status=1, answer=raised)))) as session,
        pytest.raises(LearnerError, match="m"),
    ):
        session.get("x")


def test_code_of_the_learner_that_rewrites_its_side_wins_nothing():
    session = open_session(call=1.0)
    cell = """
import sys, socket, os, gc
engine = sys.modules["grader.engine.learner"]
socks = [o for o in gc.get_objects() if isinstance(o, socket.socket)]
def f(x):
    for s in socks:
        try: s.sendall(b"\\0" * 64)
        except OSError: pass
    return 1
"""
    assert session.run_cell(cell, "attack") == ""
    f = session.get("f")
    with pytest.raises(BadReply):
        f(1)
    assert not session.alive
    session.close()


def test_limits_are_those_of_the_engine():
    assert Limits().reply == 64 << 20
    assert sys.getrecursionlimit() >= 1000
