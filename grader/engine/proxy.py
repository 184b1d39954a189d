"""The trusted side: asks a learner's process, and stands in a test for what lives there.

`Session` speaks with one learner's process; `Remote` stands for an object of it. A test cell calls a Remote as it would
call the learner's own function: arguments go over by value, what comes back is plain data or another Remote. What the
process says is read by the rules of `wire`, and whatever breaks them ends the process.
"""

from __future__ import annotations

import builtins
import contextlib
import dis
import inspect
import io
import itertools
import pickle
import select
import socket
import sys
import time
import types
import weakref
from collections.abc import Callable, Iterator
from typing import Any, NoReturn, Protocol

import cloudpickle
import numpy as np

from convnets.checks.signature import Origin
from grader.engine.limits import Limits
from grader.engine.messages import MOST_ITEMS, SPECIALS, Ask, Status
from grader.engine.randomness import MOST_STEPS, GlobalStates, move_on
from grader.engine.shared import SharedObjects
from grader.engine.wire import CutOff, Malformed, Node, Reader, Tag, TooLarge, Writer, receive, require

#: Seconds to wait for a process to die by itself once its socket is closed: then it is known what it died of.
_LAST_BREATH = 1.0
_LONGEST_TEXT = 1 << 20
_LONGEST_NAME = 200
_MOST_HANDLES = 1_000_000
#: Tensors in the middle of the trusted side's graph that later results may depend on.
_MOST_INPUTS = 1_000


class BadReply(BaseException):
    """The learner's process sent something that breaks the protocol; it was ended."""


class StrayReply(BadReply):
    """It said what answers nothing, or an earlier request: whose fault that is cannot be told."""


class CallTimedOut(BaseException):
    """The learner's process did not answer in time; it was ended."""


class LearnerDied(BaseException):
    """The learner's process has ended.

    Attributes
    ----------
    death : Death
        How.
    """

    def __init__(self, death: Any) -> None:
        super().__init__(f"{getattr(death, 'kind', 'ended')}: {getattr(death, 'detail', '')}")
        self.death = death


class CannotCarry(BaseException):
    """A test asked for something that cannot go between the processes; the text says what, in one line."""


class NotPlainData(TypeError):  # noqa: N818
    """A test met an object of the learner's where it can do with plain data only."""


class LearnerError(Exception):
    """An exception of the learner's process that is no class of Python's own here.

    Attributes
    ----------
    type_name : str
        Name of its class.
    mro_names : tuple of str
        Names of its class and of the classes that one inherits from, with their modules.
    learner_traceback : str
        Where it was raised, in the learner's own lines.
    """

    type_name: str = ""
    mro_names: tuple[str, ...] = ()
    learner_traceback: str = ""


class ChildProcess(Protocol):
    """What a session asks of the process; `grader.engine.zygote.Child` is the real one."""

    def kill(self) -> None:
        """End it and everything it started."""

    def wait(self, timeout: float | None = None) -> Any:
        """Return how it ended."""


class Session:
    """Speaks with one learner's process; a context manager.

    Parameters
    ----------
    sock : socket.socket
        A connected stream to it.
    child : ChildProcess
        The process.
    limits : Limits
        `cell` and `call` seconds, `reply` bytes.

    Attributes
    ----------
    output : str
        What its cells printed, up to the limit.
    instances : bool
        Whether a test may ask objects of the learner's classes anything but to be called or iterated over. Where the
        official solution gives plain data, an object in its place could answer each question as it pleases.
    """

    def __init__(self, sock: socket.socket, child: ChildProcess, limits: Limits) -> None:
        self._sock = sock
        self._child = child
        self._limits = limits
        self._serials = itertools.count(1)
        self._broken: BaseException | None = None
        self._printed = 0
        self.output = ""
        self.instances = True
        self._remotes: weakref.WeakValueDictionary[int, Remote] = weakref.WeakValueDictionary()
        self._handles: dict[int, tuple[type[Remote], str | None]] = {}
        self._last_handle = 0
        self._classes: dict[int, type[Remote]] = {}
        self._dropped_handles: list[int] = []
        self._dropped_results: list[int] = []
        self._last_result = 0
        self._shared = SharedObjects(2, weak=True)
        self._inputs: dict[int, Any] = {}
        self._input_numbers = itertools.count(1)
        self._random = GlobalStates()
        # Of one request:
        self._models: list[Any] = []
        self._generators: list[Any] = []
        self._arguments: list[Any] = []
        self._argument_numbers: dict[int, int] = {}
        self._writer = Writer(self)

    @property
    def alive(self) -> bool:
        """Whether it can be asked anything: its process lives and nothing went wrong so far."""
        if self._broken is None:
            with contextlib.suppress(BadReply, LearnerDied):
                self._listen_for_noise()
        return self._broken is None

    @property
    def failure(self) -> BaseException | None:
        """Why it cannot be asked anything more; None as long as it can."""
        return None if self.alive else self._broken

    def run_cell(self, source: str, name: str) -> str:
        """Run a cell; return what it raised, in a few lines, or an empty text.

        Parameters
        ----------
        source : str
            Text of the cell, magics and all.
        name : str
            What tracebacks call it.

        Raises
        ------
        CallTimedOut, LearnerDied, BadReply
            When the process did not answer properly; it is ended then.
        """
        told = self.ask(Ask.RUN, source, name, seconds=self._limits.cell)
        if type(told) is not str:
            self._end(BadReply("what a cell raised is not a text"))
        return str(told)

    def names(self) -> list[str]:
        """Return the names that its cells have defined."""
        names = self.ask(Ask.NAMES)
        if type(names) is not list or not all(type(name) is str for name in names):
            self._end(BadReply("the names are not a list of texts"))
        return list(names)

    def get(self, name: str) -> Any:
        """Return a value, or a proxy of it; raise KeyError for a name that is not defined."""
        return self.ask(Ask.GET, name)

    def close(self) -> None:
        """End the process."""
        if self._broken is None:
            self._broken = CannotCarry("this learner's process was closed")
        self._child.kill()
        self._sock.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, ask: Ask, *parts: Any, seconds: float = 0.0) -> Any:
        """Send a request and return the answer.

        Parameters
        ----------
        ask : Ask
            What is asked.
        *parts
            Plain data, proxies, callables.
        seconds : float
            How long it may take; without, the limit for a call.

        Raises
        ------
        Exception
            What the learner's code raised.
        CallTimedOut, LearnerDied, BadReply
            When the process did not answer properly; it is ended then.
        CannotCarry
            When a part cannot travel.
        """
        if self._broken is not None:
            raise self._broken
        seconds = seconds or self._limits.call
        self._listen_for_noise()
        serial = next(self._serials)
        alive = list(self._shared.alive())  # nothing that this request names is let go before its answer is read
        try:
            try:
                frame = self._request(serial, ask, parts)
            except TooLarge as refused:
                raise CannotCarry(f"an argument cannot travel to the learner's function: {refused}") from None
            deadline = time.monotonic() + seconds
            answer, error = self._exchange(frame, serial, ask, deadline)
        except (CannotCarry, LearnerDied, BadReply, CallTimedOut) as failure:
            if self._broken is None:
                self._end(failure)
            raise
        except BaseException:
            # An alarm, say, fell in the middle: whatever comes from there now belongs to nothing.
            self._broken = self._broken or LearnerDied(None)
            self._child.kill()
            raise
        finally:
            self._forget_request()
            del alive
        if isinstance(error, StopIteration) and parts[:1] != ("__next__",):
            # As in PEP 479: out of a call it would end a test's own map() or zip() without a word.
            raise _worded(RuntimeError("StopIteration was raised"), error)
        if error is not None:
            raise error
        return answer

    def _forget_request(self) -> None:
        self._arguments, self._argument_numbers, self._models, self._generators = [], {}, [], []

    def _request(self, serial: int, ask: Ask, parts: tuple[Any, ...]) -> bytes:
        self._writer = writer = Writer(self)
        handles, self._dropped_handles = self._dropped_handles, []
        handles = [number for number in handles if number not in self._remotes]
        for number in handles:
            self._handles.pop(number, None)
        results, self._dropped_results = self._dropped_results, []
        shared, self._shared.dropped = self._shared.dropped, []
        states = writer.node(self._random.changed())
        self._forget_request()  # arguments are numbered from here
        changes = self._shared.changes(writer)
        torch = sys.modules.get("torch")
        grad_enabled = torch.is_grad_enabled() if torch is not None else True
        nodes = [writer.node(part) for part in parts]
        return writer.frame([serial, ask, grad_enabled, states, handles, results, shared, changes, nodes])

    def _exchange(self, frame: bytes, serial: int, ask: Ask, deadline: float) -> tuple[Any, Exception | None]:
        try:
            self._sock.settimeout(max(0.001, deadline - time.monotonic()))
            self._sock.sendall(frame)
            reply = receive(self._sock, self._limits.reply, deadline)
        except TimeoutError:
            self._end(CallTimedOut(f"no answer within {self._seconds(ask):g} s"))
        except Malformed as error:
            if isinstance(error, CutOff):
                self._death()  # before it is killed: then it is known what it died of
            self._end(BadReply(f"a reply cannot be read: {error}"))
        except OSError:
            reply = None
        if reply is None:
            self._end(LearnerDied(self._death()))
        # A little more than a good reply can take to read.
        try:
            return self._read(Reader(reply, self, max(deadline, time.monotonic() + 1.0)), serial, ask)
        except Malformed as error:
            self._end(BadReply(f"a reply cannot be read: {error}"))
        except Exception as error:  # whatever NumPy or torch makes of hostile bytes
            self._end(BadReply(f"a reply cannot be read: {type(error).__name__}"))

    def _seconds(self, ask: Ask) -> float:
        return self._limits.cell if ask is Ask.RUN else self._limits.call

    def _read(self, reader: Reader, serial: int, ask: Ask) -> tuple[Any, Exception | None]:
        structure = reader.structure
        require(len(structure) == 10, "a reply does not have ten parts")
        number, status, shared, changed, answer, moved, modes, drawn, out, err = structure
        if type(number) is int and 0 < number < serial:
            raise StrayReply("a reply answers an earlier request")
        require(type(number) is int and number == serial, "a reply answers another request")
        require(type(status) is int and status in (Status.GAVE, Status.RAISED), "a reply without its status")
        self._shared.apply(shared, reader)
        self._change_arguments(changed, reader)
        if status == Status.RAISED:
            require(type(answer) is list and answer[:1] == [Tag.EXCEPTION], "no exception where one was raised")
        value = reader.value(answer)
        self._move_generators(moved)
        self._change_modes(modes)
        names = type(drawn) is list and len(drawn) <= 3 and all(type(name) is str for name in drawn)
        require(names, "the generators drawn from are not a list of names")
        self._random.draw(drawn)
        self._print(ask, reader.text(out, self._limits.output), reader.text(err, self._limits.output))
        reader.end()
        if status == Status.RAISED:
            return None, value
        return value, None

    def _move_generators(self, moved: Any) -> None:
        require(type(moved) is list and len(moved) <= len(self._generators), "moved generators are not a list")
        for move in moved:
            require(type(move) is list and len(move) == 3, "a generator's move has three parts")
            require(type(move[0]) is int and 0 <= move[0] < len(self._generators), "there is no such generator")
            generator, steps, kept = self._generators[move[0]], move[1], move[2]
            if steps is None:
                raise CannotCarry(
                    f"the learner's function drew from a {type(generator).__name__} that it was given: only those of "
                    "np.random.default_rng go on in the test"
                )
            require(type(generator) is np.random.Generator, "a generator that cannot be moved")
            require(type(steps) is int and 0 <= steps <= MOST_STEPS, "a generator moved too far, or back")
            require(kept is None or (type(kept) is int and 0 <= kept < 1 << 32), "a generator keeps what it cannot")
            move_on(generator, steps, kept)

    def _change_modes(self, modes: Any) -> None:
        require(type(modes) is list and len(modes) <= len(self._models), "changed modes are not a list")
        for mode in modes:
            require(type(mode) is list and len(mode) == 2 and type(mode[0]) is int, "a model's modes have two parts")
            require(0 <= mode[0] < len(self._models) and type(mode[1]) is list, "there is no such model")
            parts = list(self._models[mode[0]].modules())
            fits = len(parts) == len(mode[1]) and all(type(one) is bool for one in mode[1])
            require(fits, "a model's modes do not fit its parts")
            for part, one in zip(parts, mode[1], strict=True):
                part.training = one

    def _print(self, ask: Ask, out: str, err: str) -> None:
        out, err = _clean(out), _clean(err)
        self._printed += len(out.encode()) + len(err.encode())
        require(self._printed <= self._limits.output, "more was printed than is kept")
        if ask is Ask.RUN:
            self.output += out + err
        else:
            # A test may listen to what a function prints.
            sys.stdout.write(out)
            sys.stderr.write(err)

    def _change_arguments(self, changed: Any, reader: Reader) -> None:
        require(type(changed) is list and len(changed) <= len(self._arguments), "changed arguments are not a list")
        for pair in changed:
            require(type(pair) is list and len(pair) == 2 and type(pair[0]) is int, "a changed argument has no number")
            require(0 <= pair[0] < len(self._arguments), "there is no such argument")
            value = reader.value(pair[1])
            argument = self._arguments[pair[0]]
            require(type(value) is type(argument), "a changed argument became something else")
            _change(argument, value)

    # How it ends.

    def _end(self, failure: BaseException) -> NoReturn:
        """End the process for good."""
        self._broken = failure
        self._child.kill()
        raise failure

    def _death(self) -> Any:
        try:
            return self._child.wait(_LAST_BREATH)
        except TimeoutError:
            # Its socket is closed, but it lives on.
            self._child.kill()
        with contextlib.suppress(TimeoutError):
            return self._child.wait(_LAST_BREATH)
        return None

    def _listen_for_noise(self) -> None:
        """Demand that the process has said nothing since its last answer."""
        if self._broken is not None:
            return
        poll = select.poll()
        try:
            poll.register(self._sock, select.POLLIN)
        except (OSError, ValueError):
            self._end(LearnerDied(None))
        if poll.poll(0):
            try:
                said = self._sock.recv(1, socket.MSG_PEEK)
            except OSError:
                said = b""
            self._end(StrayReply("it spoke without being asked") if said else LearnerDied(self._death()))

    # Hooks of the writer.

    def known(self, value: Any) -> Node | None:
        """Return the node of what that process has already, or None."""
        number = self._argument_numbers.get(id(value))
        if number is not None:
            return [Tag.ARGUMENT, number]
        if self._shared.number_of(value) is not None:
            return self._shared.node(value, self._writer)
        node = None
        if type(value) not in (list, dict, set, np.ndarray) and (value.requires_grad or type(value) is _parameter()):
            if value.is_leaf:
                return self._shared.node(value, self._writer)
            number = next(self._input_numbers)
            self._inputs[number] = value
            while len(self._inputs) > _MOST_INPUTS:
                del self._inputs[next(iter(self._inputs))]
            node = [Tag.GRAPH, number, self._writer.tensor(value)]
        self._argument_numbers[id(value)] = len(self._arguments)
        self._arguments.append(value)
        return node

    def write_other(self, value: Any) -> Node:
        """Return the node of a proxy, of a callable or of a model."""
        if isinstance(value, Remote):
            return [Tag.HANDLE, number_of(value, self)]
        if type(value) is types.TracebackType:
            return None  # of a context manager: where the test raised is its own affair
        torch = sys.modules.get("torch")
        kinds = (np.random.Generator, np.random.RandomState, *((torch.Generator,) if torch is not None else ()))
        if type(value) in kinds and not any(value is generator for generator in self._generators):
            self._generators.append(value)
            return [Tag.GENERATOR, self._writer.behind(pickle.dumps(value))]
        node = self._pickle(value)
        if torch is not None and isinstance(value, torch.nn.Module):
            self._models.append(value)
        return node

    def _pickle(self, value: Any) -> Node:
        parts: list[Node] = []
        captured: dict[int, Any] = {}
        session = self

        class Pickler(cloudpickle.Pickler):  # type: ignore[misc]
            def persistent_id(self, part: Any) -> int | None:
                if isinstance(part, Remote) or _is_tensor(part):
                    parts.append(session._writer.node(part))
                elif id(part) in captured:
                    parts.append(session._shared.node(part, session._writer))
                else:
                    if type(part) is types.FunctionType:
                        captured.update((id(found), found) for found in _captured_by(part))
                    return None
                return len(parts) - 1

        buffer = io.BytesIO()
        try:
            Pickler(buffer, protocol=5).dump(value)
        except (CannotCarry, TooLarge):
            raise
        except Exception as error:
            name = getattr(value, "__name__", type(value).__name__)
            raise CannotCarry(f"`{name}` cannot be sent to the learner's function: {error}") from None
        return [Tag.PICKLE, self._writer.behind(buffer.getvalue()), *parts]

    # Hooks of the reader.

    def made(self, value: Any) -> None:
        """Take no note: what comes from there is not compared."""

    def read_other(self, tag: int, node: list[Any], reader: Reader) -> Any:
        """Return what a node of a tag beyond plain data stands for."""
        if tag == Tag.HANDLE:
            return self._handle(node, reader)
        if tag == Tag.ARGUMENT:
            require(len(node) == 2 and type(node[1]) is int, "an argument without its number")
            require(0 <= node[1] < len(self._arguments), "there is no such argument")
            return self._arguments[node[1]]
        if tag == Tag.SHARED:
            return self._shared.read(node, reader)
        if tag == Tag.GRAPH:
            return self._graph(node, reader)
        if tag == Tag.EXCEPTION:
            return _exception(node, reader)
        raise Malformed("there is no such tag")

    def _handle(self, node: list[Any], reader: Reader) -> Remote:
        require(len(node) == 3 and type(node[1]) is int, "a handle without its number")
        number, described = node[1], node[2]
        if described is None:
            require(number in self._handles, "a handle that was not given")
        else:
            require(self._last_handle < number < 1 << 62, "a handle given twice")
            require(len(self._handles) < _MOST_HANDLES, "too many handles")
            require(type(described) is list and len(described) == 3 and type(described[0]) is int, "a handle's class")
            key, kind, name = described
            if key not in self._classes:
                self._classes[key] = _proxy_class(kind, reader)
            else:
                require(kind is None, "a class described twice")
            require(name is None or (type(name) is str and len(name) <= _LONGEST_NAME), "a name is no short text")
            self._last_handle = number
            self._handles[number] = (self._classes[key], name)
        remote = self._remotes.get(number)
        if remote is None:
            kind, name = self._handles[number]
            remote = object.__new__(kind)
            object.__setattr__(remote, "_where", (self, number, name))
            self._remotes[number] = remote
            weakref.finalize(remote, self._dropped_handles_append, number).atexit = False
        return remote

    def _dropped_handles_append(self, number: int) -> None:
        self._dropped_handles.append(number)

    # Gradients.

    def _graph(self, node: list[Any], reader: Reader) -> Any:
        """Return a tensor of the learner's graph, as a node of the graph on this side."""
        require(len(node) == 4 and type(node[1]) is int and node[1] > self._last_result, "a result given twice")
        require(type(node[2]) is list and len(node[2]) <= _MOST_HANDLES, "a result without its leaves")
        number = self._last_result = node[1]
        keys, leaves = [], []
        for key in node[2]:
            require(type(key) is list and len(key) == 2 and all(type(part) is int for part in key), "a leaf's number")
            leaf: Any = self._shared.at(key[1]) if key[0] == 1 else self._inputs.get(key[1])
            if leaf is None and key[0] == 0 and key[1] > 0:
                raise CannotCarry("a gradient would have to flow through a tensor that was sent too long ago")
            require(_is_tensor(leaf), "a leaf that was not given")
            if leaf.requires_grad:
                keys.append((key[0], key[1]))
                leaves.append(leaf)
        values = reader.tensor(node[3])
        require(values.is_floating_point() or values.is_complex(), "only numbers with a fraction have gradients")
        return _join(self, number, tuple(keys), values, leaves)

    def backward(self, number: int, grad: Any, keys: tuple[tuple[int, int], ...]) -> tuple[Any, ...]:
        """Run backward from a result on the learner's side; return the gradients of these leaves."""
        grads = self.ask(Ask.BACKWARD, number, grad, keys)
        if type(grads) is not tuple or len(grads) != len(keys):
            self._end(BadReply("gradients are not a tuple of the right length"))
        for got, (kind, at) in zip(grads, keys, strict=True):
            leaf = self._shared.at(at) if kind == 1 else self._inputs.get(at)
            fits = _is_tensor(got) and leaf is not None and got.shape == leaf.shape and got.dtype == leaf.dtype
            if got is not None and not fits:
                self._end(BadReply("a gradient does not fit its tensor"))
        return grads

    def drop_result(self, number: int) -> None:
        """Tell the learner's side that nobody needs this result's graph any more."""
        self._dropped_results.append(number)


class Remote:
    """Stands for an object of a learner's process.

    Proxies of one class of the learner's share a class of their own, which has that class's name and just those special
    methods that it has.
    """

    __slots__ = ("__weakref__", "_where")
    _mro_names: tuple[str, ...] = ()

    def __getattr__(self, name: str) -> Any:
        session, _, own_name = _where(self)
        if name == "__name__" and own_name is not None:
            return own_name
        if name.startswith("__") and name.endswith("__") and name not in _ASKED_FOR:
            # Python and its libraries feel every object for protocols; only those in SPECIALS are carried.
            raise AttributeError(name)
        if not (name.startswith("__") or session.instances):
            raise _not_plain(self)
        return session.ask(Ask.GETATTR, self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if not _where(self)[0].instances:
            raise _not_plain(self)
        _where(self)[0].ask(Ask.SETATTR, self, name, value)

    def __delattr__(self, name: str) -> None:
        _where(self)[0].ask(Ask.DELATTR, self, name)

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]
        doc = _where(self)[0].ask(Ask.GETATTR, self, "__doc__")
        return doc if type(doc) is str else None

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return _class_here(type(self)) or type(self)

    @property
    def __signature__(self) -> inspect.Signature:
        parameters = _where(self)[0].ask(Ask.SIGNATURE, self)
        try:
            return inspect.Signature(
                [
                    inspect.Parameter(
                        name, inspect._ParameterKind(kind), default=default if has_one else inspect.Parameter.empty
                    )
                    for name, kind, has_one, default in parameters
                ]
            )
        except (TypeError, ValueError) as error:
            raise ValueError(f"the learner's function has no signature that can be read: {error}") from None

    def __repr__(self) -> str:
        session = _where(self)[0]
        return str(session.ask(Ask.SPECIAL, "__repr__", self, (), {}))[:_LONGEST_TEXT]

    def __copy__(self) -> NoReturn:
        raise CannotCarry("copy.copy of a learner's object: take copy.deepcopy, or a method of its own")

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return _where(self)[0].ask(Ask.COPY, self)

    def __instancecheck__(self, value: Any) -> bool:
        return bool(_where(self)[0].ask(Ask.ISINSTANCE, value, self))

    def __subclasscheck__(self, value: Any) -> bool:
        return bool(_where(self)[0].ask(Ask.ISSUBCLASS, value, self))

    def __mro_entries__(self, bases: tuple[Any, ...]) -> NoReturn:
        raise TypeError("a test cannot inherit from a learner's class: the class lives in another process")

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a learner's object cannot be pickled: it lives in another process")

    def __dir__(self) -> list[str]:
        return []


#: Attributes with two underscores that are asked for; all others of Python's own are answered here.
_ASKED_FOR = frozenset(("__name__", "__qualname__", "__dict__", "__annotations__", "__wrapped__", "__defaults__"))


def _where(remote: Remote) -> tuple[Session, int, str | None]:
    where: tuple[Session, int, str | None] = object.__getattribute__(remote, "_where")
    return where


def number_of(remote: Remote, session: Session) -> int:
    """Return the number of a proxy's object; raise CannotCarry for a proxy of another session."""
    owner, number, _ = _where(remote)
    if owner is not session:
        raise CannotCarry("an object of one learner's process cannot go to another")
    return number


def _not_plain(remote: Remote) -> NotPlainData:
    return NotPlainData(f"plain data was expected, not an object of the class {type(remote).__name__}")


#: What a test may always do with a learner's object: none of it tells the object what is expected of it.
_ALWAYS = frozenset(("__call__", "__iter__", "__next__", "__repr__", "__str__", "__hash__"))


def _carry(name: str) -> Callable[..., Any]:
    def special(self: Remote, *args: Any, **kwargs: Any) -> Any:
        session = _where(self)[0]
        if not session.instances and name not in _ALWAYS:
            if name in ("__eq__", "__ne__"):
                return NotImplemented  # Python goes on by identity, as for any two objects
            raise _not_plain(self)
        return session.ask(Ask.SPECIAL, name, self, args, kwargs)

    special.__name__ = special.__qualname__ = name
    return special


def _checked(name: str, kind: type) -> Callable[..., Any]:
    """Carry a special method whose result Python demands to be of one type; another is a TypeError as there."""
    carry = _carry(name)

    def special(self: Remote, *args: Any) -> Any:
        value = carry(self, *args)
        if type(value) is not kind:
            raise NotPlainData(f"{name} returned {type(value).__name__}, not {kind.__name__}")
        return value

    special.__name__ = special.__qualname__ = name
    return special


def _iterate(self: Remote) -> Iterator[Any]:
    session = _where(self)[0]
    iterator = session.ask(Ask.SPECIAL, "__iter__", self, (), {})
    if not isinstance(iterator, Remote):
        return iter(iterator)
    return _items_of(iterator)


def _items_of(iterator: Remote) -> Iterator[Any]:
    session = _where(iterator)[0]
    for _ in range(MOST_ITEMS):
        try:
            item = session.ask(Ask.SPECIAL, "__next__", iterator, (), {})
        except StopIteration:
            return
        yield item
    raise RuntimeError(f"more than {MOST_ITEMS:,} items came from an iterator")


_METHODS: dict[str, Callable[..., Any]] = {name: _carry(name) for name in SPECIALS} | {
    "__iter__": _iterate,
    "__len__": _checked("__len__", int),
    "__bool__": _checked("__bool__", bool),
    "__contains__": _checked("__contains__", bool),
    "__hash__": _checked("__hash__", int),
    "__str__": _checked("__str__", str),
    "__repr__": _checked("__repr__", str),
    "__format__": _checked("__format__", str),
    "__int__": _checked("__int__", int),
    "__index__": _checked("__index__", int),
    "__float__": _checked("__float__", float),
    "__complex__": _checked("__complex__", complex),
}


def _proxy_class(described: Any, reader: Reader) -> type[Remote]:
    """Return the class of the proxies of a learner's class."""
    require(type(described) is list and len(described) == 4, "a class is not described in four parts")
    name, mro, bits, unhashable = described
    require(type(name) is str and len(name) <= _LONGEST_NAME and "\0" not in name, "a class without a name")
    require(type(mro) is list and len(mro) <= 20 and all(map(_is_name, mro)), "a class without its classes")
    require(type(bits) is bytes and len(bits) == 16 and type(unhashable) is bool, "a class without its methods")
    mask = int.from_bytes(bits, "little")
    methods: dict[str, Any] = {
        special: _METHODS[special] for number, special in enumerate(SPECIALS) if mask >> number & 1
    }
    if unhashable:
        methods["__hash__"] = None
    elif "__eq__" in methods and "__hash__" not in methods:
        methods["__hash__"] = object.__hash__
    shown = name if name.isidentifier() else "object"
    # A class without a text of its own would get an empty one, over the one that is asked for.
    body = {"__slots__": (), "__module__": __name__, "__doc__": vars(Remote)["__doc__"], "_mro_names": tuple(mro)}
    return type(shown, (Remote,), body | methods)


def _is_name(value: Any) -> bool:
    return type(value) is str and len(value) <= 2 * _LONGEST_NAME


def _class_here(kind: type[Remote]) -> type | None:
    """Return the class of PyTorch's own that a learner's class is or inherits from, for isinstance."""
    for name in kind._mro_names:
        module, _, own_name = name.rpartition(".")
        if module.startswith(("torch.nn.modules.", "torch.optim.", "torch.utils.data.")) and module in sys.modules:
            found = vars(sys.modules[module]).get(own_name)
            if isinstance(found, type):
                return found
    return None


# Exceptions.


class _Worded:
    """Gives an exception the text that it had in the learner's process."""

    _text = ""

    def __str__(self) -> str:
        return self._text


def _exception(node: list[Any], reader: Reader) -> Exception:
    require(len(node) == 9, "an exception in nine parts")
    _, name, mro, message, args_node, lines, by_the_answer, function, last = node
    require(type(name) is str and len(name) <= _LONGEST_NAME and "\0" not in name, "an exception without a name")
    require(type(mro) is list and len(mro) <= 20 and all(map(_is_name, mro)), "an exception without its classes")
    require(_is_text(message) and _is_text(lines), "an exception without its texts")
    require(type(by_the_answer) is bool and _is_name(function), "an exception without its origin")
    where = ""
    if last is not None:
        require(type(last) is list and len(last) == 3 and type(last[1]) is int, "an exception without its last line")
        require(_is_name(last[0]) and _is_text(last[2]), "an exception without its last line")
        where = f"in {last[0]}, line {last[1]}: {last[2]}" if last[2] else ""
    message, lines, where = _clean(message), _clean(lines), _clean(where)
    args = reader.value(args_node)
    require(args is None or type(args) is tuple, "an exception's arguments are not a tuple")
    error = _same_exception(name, tuple(mro), message, args)
    error.learner_traceback = lines  # type: ignore[attr-defined]
    error.__origin__ = Origin(by_the_answer, function, where)  # type: ignore[attr-defined]
    return error


def _worded(error: Exception, like: Exception) -> Exception:
    """Return an exception with what is told of where another one was raised."""
    error.__dict__.update(vars(like))
    return error


def _clean(text: str) -> str:
    """Return a text that every file can hold: no halves of characters."""
    return text.encode("utf-8", "replace").decode()


def _is_text(value: Any) -> bool:
    return type(value) is str and len(value) <= _LONGEST_TEXT


def _same_exception(name: str, mro: tuple[str, ...], message: str, args: tuple[Any, ...] | None) -> Exception:
    """Return an exception of the same class if it is one of Python's or NumPy's own, else a LearnerError like it."""
    kinds = [kind for kind in map(_exception_here, mro) if kind is not None]
    if mro and kinds and _exception_here(mro[0]) is kinds[0]:
        for candidate in (args, (message,)):
            with contextlib.suppress(Exception):
                error = kinds[0](*candidate or ())
                if str(error) == message:
                    return error
    bases = [kind for kind in kinds if not any(issubclass(o, kind) and o is not kind for o in kinds)]
    shown = name if name.isidentifier() else "Exception"
    body = {"_text": message, "__module__": __name__}
    try:
        made = type(shown, (_Worded, LearnerError, *bases), body)
    except TypeError:
        made = type(shown, (_Worded, LearnerError), body)
    # Past __init__, which may ask for arguments of its own.
    worded: LearnerError = made.__new__(made, message)  # type: ignore[assignment]
    worded.args = (message,)
    worded.type_name, worded.mro_names = name, mro
    return worded


def _exception_here(name: str) -> type[Exception] | None:
    module, _, own_name = name.rpartition(".")
    if module not in ("builtins", "numpy.linalg", "numpy.exceptions"):
        return None
    kind = vars(sys.modules.get(module, builtins)).get(own_name)
    return (
        kind
        if isinstance(kind, type) and issubclass(kind, Exception) and kind is not Exception
        else (Exception if name == "builtins.Exception" else None)
    )


# What goes over with a callable.


def _captured_by(function: types.FunctionType) -> Iterator[Any]:
    """Yield the lists, dicts and arrays that a test's function may write into: they are shared.

    Raises
    ------
    CannotCarry
        When it binds a variable of the test: that would stay in the learner's process.
    """
    if not cloudpickle.cloudpickle._should_pickle_by_reference(function):
        for instruction in dis.get_instructions(function):
            outer = instruction.opname in ("STORE_DEREF", "DELETE_DEREF")
            if (outer and instruction.argval in function.__code__.co_freevars) or instruction.opname == "STORE_GLOBAL":
                raise CannotCarry(
                    f"`{function.__name__}` assigns `{instruction.argval}` of the test, but runs in the learner's "
                    "process: let it write into a list instead"
                )
        if not _may_write(function.__code__):
            return  # by value: what it only reads, an expected value say, is out of the learner's reach
        cells = [cell.cell_contents for cell in function.__closure__ or () if not _is_empty(cell)]
        names = (function.__globals__.get(name) for name in function.__code__.co_names)
        for value in (*cells, *names):
            if type(value) in (list, dict) or (type(value) is np.ndarray and not value.dtype.hasobject):
                yield value


#: Methods that write into a list or dict.
_WRITERS = frozenset(
    (
        *("append", "extend", "insert", "pop", "remove", "clear", "sort", "reverse"),
        *("update", "setdefault", "popitem", "fill", "put", "copyto", "itemset"),
    )
)


def _may_write(code: types.CodeType) -> bool:
    """Tell whether code, that of functions inside it included, writes into items or calls what does."""
    if not _WRITERS.isdisjoint(code.co_names):
        return True
    if any(instruction.opname in ("STORE_SUBSCR", "DELETE_SUBSCR") for instruction in dis.get_instructions(code)):
        return True
    return any(_may_write(inner) for inner in code.co_consts if isinstance(inner, types.CodeType))


def _is_empty(cell: types.CellType) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return True
    return False


# Arguments that a call changed.


def _change(argument: Any, value: Any) -> None:
    if type(argument) is list:
        argument[:] = value
    elif type(argument) in (dict, set):
        argument.clear()
        argument.update(value)
    elif argument.dtype != value.dtype or np.prod(argument.shape) != np.prod(value.shape):
        raise CannotCarry("the learner's function changed the size or dtype of an argument in place")
    elif type(argument) is np.ndarray:
        require(argument.flags.writeable, "an argument that cannot be written was changed")
        argument.shape = value.shape
        np.copyto(argument, value)
    elif not argument.is_leaf:
        raise CannotCarry("the learner's function changed a tensor in place that gradients flow through")
    else:
        with sys.modules["torch"].no_grad():
            argument.copy_(value)


def _is_tensor(value: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and type(value) in (torch.Tensor, torch.nn.Parameter)


def _parameter() -> Any:
    return sys.modules["torch"].nn.Parameter


def _join(session: Session, number: int, keys: tuple[tuple[int, int], ...], values: Any, leaves: list[Any]) -> Any:
    """Return a tensor whose gradient flows through the learner's process into leaves of this side."""
    from grader.engine.gradient import join

    return join(session, number, keys, values, leaves)
