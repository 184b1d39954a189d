"""The untrusted side: runs a learner's cells and answers what the trusted side asks of the names they define.

Everything here runs in the learner's process, where learner's code may change it. Nothing that it says is believed but
that it said it: the trusted side reads plain data and numbers of handles, and judges them itself.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import copy
import functools
import inspect
import io
import linecache
import pickle
import socket
import sys
import traceback
import types
from collections.abc import Callable
from typing import Any

import numpy as np
from IPython.core.inputtransformer2 import TransformerManager

from convnets.checks.signature import raised_by_a_cell
from grader.engine.limits import Limits
from grader.engine.messages import SPECIALS, Ask, Status
from grader.engine.randomness import MOST_STEPS, GlobalStates, steps_between
from grader.engine.shared import SharedObjects, same_bits, same_items
from grader.engine.wire import Malformed, Node, Reader, Tag, TooLarge, Writer, bits_of_tensor, receive

#: Cell magics whose body is Python that defines what the notebook goes on with; the body of any other is left out.
_MAGICS_AROUND_PYTHON = ("time", "timeit", "capture", "prun")
_LONGEST_MESSAGE = 2_000
_LONGEST_LINE = 200
_MOST_FRAMES = 20
_FUNCTIONS = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    type,
    functools.partial,
    np.ufunc,
)
#: Bytes of one request: what the course's own tests may send.
_REQUEST = (1 << 32) - 1


def serve(sock: socket.socket, limits: Limits) -> None:
    """Answer requests until the other side hangs up.

    Parameters
    ----------
    sock : socket.socket
        A connected stream.
    limits : Limits
        `output` and `reply` are kept here; the other side and the sandbox watch over them all.
    """
    learner = _Learner(limits)
    sock.setblocking(True)
    while True:
        frame = receive(sock, _REQUEST)
        if frame is None:
            return
        sock.sendall(learner.answer(frame))


class _Output(io.TextIOBase):
    """Keeps what is printed, up to a number of bytes that both streams share."""

    def __init__(self, budget: list[int]) -> None:
        self._budget = budget
        self._parts: list[str] = []

    encoding = "utf-8"

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        kept = text.encode("utf-8", "replace")[: self._budget[0]]
        if kept:
            self._budget[0] -= len(kept)
            self._parts.append(kept.decode("utf-8", "ignore"))
        return len(text)

    def take(self) -> str:
        """Return what was printed since the last time."""
        text = "".join(self._parts)
        self._parts.clear()
        return text


class _Shell:
    """What get_ipython() gives: magics do nothing, but that Python in a cell magic is run."""

    def __init__(self, run: Callable[[str], None]) -> None:
        self._run = run

    def run_line_magic(self, name: str, line: str, *_: Any) -> None:
        if name in ("time", "timeit") and line:
            self._run(line)

    def run_cell_magic(self, name: str, line: str, cell: str) -> None:
        if name in _MAGICS_AROUND_PYTHON:
            self._run(cell)

    def system(self, *_: Any) -> None:
        """Run no commands."""

    def getoutput(self, *_: Any) -> list[str]:
        """Run no commands."""
        return []

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **kwargs: None


class _Unpickler(pickle.Unpickler):
    """Reads callables and models of the trusted side; what travels by itself is put in its place."""

    def __init__(self, data: bytes, parts: list[Any]) -> None:
        super().__init__(io.BytesIO(data))
        self._parts = parts

    def persistent_load(self, key: int) -> Any:
        return self._parts[key]


class _Learner:
    """The learner's namespace, and what of it the other side holds.

    Parameters
    ----------
    limits : Limits
        For output and replies.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        # Cells are `__main__`, as in a kernel: what looks for its names there, finds them.
        module = types.ModuleType("__main__")
        sys.modules["__main__"] = module
        self._names: dict[str, Any] = vars(module)
        shell = _Shell(functools.partial(self._execute, name="magic"))
        self._names |= {"display": _display, "get_ipython": lambda: shell, "__builtins__": builtins}
        self._given = set(self._names)
        budget = [limits.output]
        self._out, self._err = _Output(budget), _Output(budget)
        sys.stdout, sys.stderr = self._out, self._err
        self._cells: set[str] = set()
        self._objects: dict[int, Any] = {}
        self._numbers: dict[int, int] = {}
        self._types: dict[type, int] = {}
        self._made_handles = 0
        self._results: dict[int, Any] = {}
        self._made_results = 0
        self._shared = SharedObjects(1, weak=False)
        self._random = GlobalStates()
        # Of one request:
        self._models: list[tuple[Any, list[bool]]] = []
        self._generators: list[tuple[Any, Any]] = []
        self._arguments: list[tuple[Any, Any]] = []
        self._argument_numbers: dict[int, int] = {}
        self._sharing = False
        self._writer = Writer(self)
        self._asked: dict[int, Callable[..., Any]] = {
            Ask.RUN: self._run,
            Ask.NAMES: lambda: sorted(str(name) for name in self._names if name not in self._given),
            Ask.GET: lambda name: self._names[name],
            Ask.SPECIAL: self._special,
            Ask.GETATTR: getattr,
            Ask.SETATTR: setattr,
            Ask.DELATTR: delattr,
            Ask.ISINSTANCE: isinstance,
            Ask.ISSUBCLASS: issubclass,
            Ask.COPY: copy.deepcopy,
            Ask.SIGNATURE: _parameters,
            Ask.BACKWARD: self._backward,
        }

    def answer(self, frame: tuple[bytearray, bytearray]) -> bytes:
        """Return the reply to a request."""
        reader = Reader(frame, self)
        serial, ask, grad_enabled, states, dropped_handles, dropped_results, dropped_shared, changes, nodes = (
            reader.structure
        )
        for number in dropped_handles:
            self._numbers.pop(id(self._objects.pop(number, None)), None)
        for number in dropped_results:
            self._results.pop(number, None)
        for number in dropped_shared:
            self._shared.forget(number)
        self._random.take(reader.value(states))
        self._forget_request()  # arguments are numbered from here
        self._shared.apply(changes, reader)
        status, value, error = Status.GAVE, None, None
        torch = sys.modules.get("torch")
        try:
            parts = [reader.value(node) for node in nodes]
            with torch.set_grad_enabled(grad_enabled) if torch is not None else contextlib.nullcontext():
                value = self._asked[ask](*parts)
        except BaseException as raised:  # SystemExit too: it ends a script, not this loop
            status, error = Status.RAISED, raised
        if error is None and any(len(_modes(model)) != len(before) for model, before in self._models):
            # Layers do not go back. In a notebook the test's own model would be another one from here on.
            status, value = Status.RAISED, None
            error = RuntimeError("the model that was passed has other layers afterwards: leave it, work on a deepcopy")
        self._sharing = ask in (Ask.GETATTR, Ask.GET) or (ask == Ask.SPECIAL and parts[0] == "__getitem__")
        try:
            reply = self._reply(serial, status, value, error)
        except TooLarge as refused:
            too_large = ValueError(f"what came back cannot be carried: {refused}")
            reply = self._reply(serial, Status.RAISED, None, too_large)
        self._forget_request()
        return reply

    def _forget_request(self) -> None:
        self._arguments, self._argument_numbers, self._models, self._generators = [], {}, [], []

    def _reply(self, serial: int, status: Status, value: Any, error: BaseException | None) -> bytes:
        # The parts are written in the order in which they are read.
        self._writer = writer = Writer(self)
        shared = self._shared.changes(writer)
        changed = []
        for number, (argument, before) in enumerate(self._arguments):
            if not _is_as_before(argument, before):
                del self._argument_numbers[id(argument)]  # its contents are written, not its number
                node = writer.node(argument)
                self._argument_numbers[id(argument)] = number
                changed.append([number, node])
        answer = writer.node(value) if error is None else self._exception(error)
        moved = [
            [number, *_moved(generator, before)]
            for number, (generator, before) in enumerate(self._generators)
            if _differ(_state_of(generator), before)
        ]
        modes = [
            [number, now]
            for number, (model, before) in enumerate(self._models)
            if (now := _modes(model)) != before and len(now) == len(before)
        ]
        drawn = sorted(self._random.changed())
        printed = [writer.node(self._out.take()), writer.node(self._err.take())]
        structure = [serial, status, shared, changed, answer, moved, modes, drawn, *printed]
        frame = writer.frame(structure)
        if writer.size > self._limits.reply:
            raise TooLarge(f"{writer.size:,} bytes, where {self._limits.reply:,} are allowed")
        return frame

    # Running cells.

    def _run(self, source: str, name: str) -> str:
        """Run a cell; return what it raised, in a few lines."""
        try:
            self._execute(source, name)
        except BaseException as error:
            kind, message = type(error).__name__, _message(error)
            return f"{kind}: {message}\n{self._lines_of(error)}".strip()
        return ""

    def _execute(self, source: str, name: str) -> None:
        file_name = f"<{name}>"
        try:
            tree = ast.parse(source, file_name)
        except SyntaxError:
            source = TransformerManager().transform_cell(source)
            tree = ast.parse(source, file_name)
        self._cells.add(file_name)
        # Where a traceback looks for the text of a line; without a time it is never looked for on disk.
        linecache.cache[file_name] = (len(source), None, source.splitlines(keepends=True), file_name)
        code = compile(tree, file_name, "exec", dont_inherit=True, flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        if code.co_flags & inspect.CO_COROUTINE:
            import asyncio

            asyncio.run(eval(code, self._names))
        else:
            exec(code, self._names)

    # What can be asked.

    def _special(self, name: str, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return SPECIALS[name](target, *args, **kwargs)

    def _backward(self, number: int, grad: Any, leaves: tuple[Any, ...]) -> tuple[Any, ...]:
        """Run backward from a result; return the gradients of leaves that the trusted side accumulates itself."""
        result = self._results[number]
        found = self._leaves_of(result)
        inputs = [found[key] for key in leaves]
        before = [leaf.grad for leaf in inputs]
        for leaf in inputs:
            leaf.grad = None
        try:
            if grad.is_complex():
                result.backward(grad, retain_graph=True)
            else:
                # The same to the last bit; for a gradient that it is given PyTorch imports a library of symbols first.
                with sys.modules["torch"].enable_grad():
                    weighted = (result * grad).sum()
                weighted.backward(retain_graph=True)
            return tuple(None if leaf.grad is None else leaf.grad.detach() for leaf in inputs)
        finally:
            for leaf, grad_before in zip(inputs, before, strict=True):
                leaf.grad = grad_before

    def _leaves_of(self, result: Any) -> dict[tuple[int, int], Any]:
        """Return the leaves that the trusted side knows and a result was computed from, by kind and number."""
        found, seen, left = {}, set(), [result.grad_fn]
        while left:
            node = left.pop()
            if node is None or node in seen:
                continue
            seen.add(node)
            left.extend(function for function, _ in node.next_functions)
            leaf = getattr(node, "variable", None)
            if leaf is None:
                continue
            number = self._shared.number_of(leaf)
            if number is not None:
                found[1, number] = leaf
            elif hasattr(leaf, "_trusted_number"):
                found[0, leaf._trusted_number] = leaf
        return found

    # Hooks of the reader.

    def made(self, value: Any) -> None:
        self._argument_numbers[id(value)] = len(self._arguments)
        before = (bits_of_tensor(value).copy(), value.shape) if _is_tensor(value) else value.copy()
        self._arguments.append((value, before))

    def read_other(self, tag: int, node: list[Any], reader: Reader) -> Any:
        if tag == Tag.HANDLE:
            return self._objects[node[1]]
        if tag == Tag.ARGUMENT:
            return self._arguments[node[1]][0]
        if tag == Tag.SHARED:
            return self._shared.read(node, reader)
        if tag == Tag.GRAPH:
            leaf = reader.tensor(node[2]).requires_grad_()
            leaf._trusted_number = node[1]
            # As there: not a leaf itself.
            with sys.modules["torch"].enable_grad():
                value = leaf.clone()
            self.made(value)
            return value
        if tag == Tag.PICKLE:
            parts = [reader.value(part) for part in node[2:]]
            value = _Unpickler(bytes(reader.take(node[1])), parts).load()
            if _is_model(value):
                self._models.append((value, _modes(value)))
            return value
        if tag == Tag.GENERATOR:
            generator = pickle.loads(reader.take(node[1]))
            self._generators.append((generator, _state_of(generator)))
            return generator
        raise Malformed(f"there is no tag {tag}")

    # Hooks of the writer.

    def known(self, value: Any) -> Node | None:
        number = self._argument_numbers.get(id(value))
        if number is not None:
            return [Tag.ARGUMENT, number]
        if self._shared.number_of(value) is not None:
            return self._shared.node(value, self._writer)
        if _is_tensor(value):
            if value.is_leaf and (value.requires_grad or _is_parameter(value)):
                return self._shared.node(value, self._writer)
            if value.requires_grad:
                return self._graph(value)
        if self._sharing and (type(value) is np.ndarray or _is_tensor(value)):
            return self._shared.node(value, self._writer)
        return None

    def _graph(self, value: Any) -> Node:
        self._made_results += 1
        self._results[self._made_results] = value
        leaves = [list(key) for key in self._leaves_of(value)]
        return [Tag.GRAPH, self._made_results, leaves, self._writer.tensor(value)]

    def write_other(self, value: Any) -> Node:
        """Return the node of a handle, or of an exception that is a value."""
        if isinstance(value, BaseException) and type(value).__module__ == "builtins":
            return self._exception(value)
        number = self._numbers.get(id(value))
        if number is not None:
            return [Tag.HANDLE, number, None]
        self._made_handles += 1
        number = self._made_handles
        self._objects[number] = value
        self._numbers[id(value)] = number
        kind, described = type(value), None
        if kind not in self._types:
            self._types[kind] = len(self._types)
            described = _description(kind)
        name = getattr(value, "__name__", None) if isinstance(value, _FUNCTIONS) else None
        name = name[:_LONGEST_LINE] if type(name) is str else None
        return [Tag.HANDLE, number, [self._types[kind], described, name]]

    # Exceptions.

    def _exception(self, error: BaseException) -> Node:
        kind = type(error)
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename not in _OWN_FILES]
        cells = [frame for frame in frames if frame.filename in self._cells]
        last = cells[-1] if cells else None
        args = error.args
        simple = len(args) <= 8 and all(type(a) in (int, float, bool, type(None)) or _is_short(a) for a in args)
        return [
            Tag.EXCEPTION,
            kind.__name__[:_LONGEST_LINE],
            _classes_of(kind),
            _message(error),
            self._writer.node(args if simple else None),
            self._lines_of(error),
            raised_by_a_cell(error),
            frames[-1].name if frames else "",
            [last.name, last.lineno or 0, (last.line or "").strip()[:_LONGEST_LINE]] if last else None,
        ]

    def _lines_of(self, error: BaseException) -> str:
        """Return the traceback in the learner's own lines, the innermost last."""
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in self._cells]
        lines = []
        if len(frames) > _MOST_FRAMES:
            left_out = len(frames) - _MOST_FRAMES
            frames = frames[:3] + frames[3 - _MOST_FRAMES :]
            lines.append(f"({left_out} more calls are left out after the third)")
        for frame in frames:
            text = (frame.line or "").strip()[:_LONGEST_LINE]
            lines.append(f"  {frame.filename[1:-1]}, line {frame.lineno}, in {frame.name}\n    {text}")
        if isinstance(error, SyntaxError) and error.text:
            lines.append(f"  line {error.lineno}\n    {error.text.strip()[:_LONGEST_LINE]}")
        return "\n".join(lines)


#: Frames of the engine are no part of a learner's traceback; those of the checks are where a learner's check stands.
_OWN_FILES = frozenset((__file__, functools.__file__, SPECIALS["__call__"].__code__.co_filename))


def _display(*values: Any, **_: Any) -> None:
    for value in values:
        print(repr(value))


def _is_short(value: Any) -> bool:
    return type(value) is str and len(value) <= _LONGEST_MESSAGE


def _is_tensor(value: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and type(value) in (torch.Tensor, torch.nn.Parameter)


def _is_parameter(value: Any) -> bool:
    return type(value) is sys.modules["torch"].nn.Parameter


def _is_model(value: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.nn.Module)


def _modes(model: Any) -> list[bool]:
    """Return for a model and each model in it whether it is in training mode."""
    return [bool(part.training) for part in model.modules()]


def _state_of(generator: Any) -> Any:
    if isinstance(generator, np.random.Generator):
        return generator.bit_generator.state
    if isinstance(generator, np.random.RandomState):
        return generator.get_state(legacy=False)
    return generator.get_state().numpy().tobytes()


def _differ(now: Any, before: Any) -> bool:
    return pickle.dumps(now) != pickle.dumps(before)


def _moved(generator: Any, before: Any) -> tuple[int | None, int | None]:
    """Return how many steps a generator went ahead, and which bits it keeps; no steps where that cannot be told."""
    if not isinstance(generator, np.random.Generator):
        return None, None
    state = generator.bit_generator.state
    steps = steps_between(before, dict(state))
    if steps is None or steps > MOST_STEPS:
        return None, None
    return steps, state["uinteger"] if state["has_uint32"] else None


def _is_as_before(argument: Any, before: Any) -> bool:
    if _is_tensor(argument):
        return argument.shape == before[1] and same_bits(bits_of_tensor(argument), before[0])
    if type(argument) is np.ndarray:
        return same_bits(argument, before)
    return same_items(argument, before)


def _message(error: BaseException) -> str:
    try:
        return str(error)[:_LONGEST_MESSAGE]
    except Exception:  # a learner's own __str__
        return ""


def _description(kind: type) -> Node:
    """Return name, classes and special methods of a class, as a proxy has them."""
    bits = 0
    for number, name in enumerate(SPECIALS):
        # In the classes themselves: getattr would also find what their metaclass has, such as __call__.
        method = next((vars(base)[name] for base in kind.__mro__ if name in vars(base)), None)
        if method is not None and method is not vars(object).get(name):
            bits |= 1 << number
    mro = _classes_of(kind)
    unhashable = getattr(kind, "__hash__", None) is None
    return [kind.__name__[:_LONGEST_LINE], mro, bits.to_bytes(16, "little"), unhashable]


def _classes_of(kind: type) -> list[str]:
    return [f"{base.__module__}.{base.__qualname__}"[: 2 * _LONGEST_LINE] for base in kind.__mro__][:20]


def _parameters(function: Any) -> list[tuple[str, int, bool, Any]]:
    """Return name, kind and default of each parameter of a function."""
    empty = inspect.Parameter.empty
    return [
        (name, int(one.kind), one.default is not empty, None if one.default is empty else one.default)
        for name, one in inspect.signature(function).parameters.items()
    ]
