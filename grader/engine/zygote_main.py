"""The program of the zygote: confine itself, import what learners use, then fork a process for each that is asked for.

It never sees a test, a solution, a submission or a gradebook: what is in its memory is in every learner's. One thread,
one loop: requests, deaths, and a watchdog over the memory and CPU time of what it forked.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import json
import os
import random
import select
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import Any

from grader.engine import linux, sandbox
from grader.engine.errors import EngineError
from grader.engine.limits import MIB, Limits

#: What each profile imports once; every setup cell of the course needs no more.
PROFILES: dict[str, tuple[str, ...]] = {
    "numpy": (
        *("numpy", "numpy.fft", "numpy.linalg", "numpy.ma", "numpy.polynomial", "numpy.random", "numpy.testing"),
        *("matplotlib.pyplot", "convnets.plots", "convnets.training", "convnets.data", "convnets.checks"),
    ),
}
PROFILES["torch"] = (*PROFILES["numpy"], "torch", "torch._dynamo")

_WATCH_SECONDS = 0.05
#: With so many learners forks have cost as much as it costs to make them cheaper.
_MANY = 40
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")

Entry = Callable[[socket.socket, Limits], None]


@dataclass(frozen=True)
class Orders:
    """What the trusted side tells a zygote when it starts it; nothing in it is secret from a learner."""

    profile: str
    entry: str
    isolation: sandbox.Isolation
    limits: Limits
    readable: tuple[str, ...]
    forbidden: tuple[str, ...]
    import_paths: tuple[str, ...]
    scratch: str
    accepting: bool = False
    without: tuple[str, ...] = ()

    def to_json(self) -> str:
        """Return the orders as JSON text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Orders:
        """Read what to_json() wrote."""
        values = json.loads(text)
        isolation, limits = values.pop("isolation"), values.pop("limits")
        lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
        return cls(isolation=sandbox.Isolation(**isolation), limits=Limits(**limits), **{**values, **lists})


@dataclass
class Learner:
    """A learner's process: its id and a descriptor for it, the line to whoever asked for it, and its scratch folder."""

    pid: int
    pidfd: int
    line: socket.socket
    scratch: str | None
    verdict: tuple[str, str] | None = None

    def end(self, kind: str, detail: str) -> None:
        """Kill it; all it started goes with it. The first verdict stands."""
        if self.verdict is None:
            self.verdict = (kind, detail)
            signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)


def main() -> None:
    """Be a zygote: argument 1 is the descriptor of the control socket, argument 2 the orders."""
    control = socket.socket(fileno=int(sys.argv[1]))
    orders = Orders.from_json(sys.argv[2])
    del sys.argv[1:], sys.orig_argv[1:]  # the forbidden paths name classmates
    sandbox.confine_zygote(orders.isolation, orders.readable)
    gc.disable()  # what is imported stays: looking for garbage in it takes a third of the time, and there is none
    entry = load(orders)
    _Server(control, orders, entry).serve()
    os._exit(0)  # taking down all that was imported would take as long as importing half of it


def load(orders: Orders) -> Entry:
    """Import all that learners use, do once what is slow the first time, and return the entry function."""
    sys.path.extend(orders.import_paths)
    for name in PROFILES[orders.profile]:
        if name not in orders.without:
            import_module(name)
    if orders.profile == "torch":
        (_warm_autograd if "torch._dynamo" in orders.without else warm_torch)()
    reseed()
    module, _, function = orders.entry.partition(":")
    entry: Entry = getattr(import_module(module), function)
    return entry


def warm_torch() -> None:
    """Do once, on one thread, what is slow the first time: what autograd does, and optimizers."""
    import torch

    _warm_autograd()
    parameter = torch.nn.Parameter(torch.ones(1))
    parameter.grad = torch.ones(1)
    torch.optim.SGD([parameter], lr=0.1).step()


def _warm_autograd() -> None:
    import torch

    torch.set_num_threads(1)  # before any operation: a fork after one that used two threads hangs

    class Twice(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
            return 2 * x

        @staticmethod
        def backward(ctx: Any, grad_output: torch.Tensor) -> torch.Tensor:
            return 2 * grad_output

    layer = torch.nn.Conv2d(1, 1, 3)
    twice: torch.Tensor = Twice.apply(layer(torch.ones(1, 1, 4, 4)))  # type: ignore[no-untyped-call]
    twice.sum().backward()  # type: ignore[no-untyped-call]


class _Server:
    def __init__(self, control: socket.socket, orders: Orders, entry: Entry) -> None:
        self._control = control
        self._orders = orders
        self._entry = entry
        self._learners: dict[int, Learner] = {}  # by pidfd
        self._lines: dict[int, Learner] = {}  # by descriptor of the line
        self._poll = select.poll()
        self._poll.register(control, select.POLLIN)
        self._watch_at = 0.0
        self._asked = 0

    def serve(self) -> None:
        """Fork learners until every holder of the other end of the control socket has gone."""
        gc.freeze()  # no collection will touch, and so copy, the pages that learners share
        gc.enable()
        self._data = _bytes_of("/proc/self/status", "VmData:")
        while True:
            for descriptor, _ in self._poll.poll(_WATCH_SECONDS * 1000 if self._learners else None):
                if descriptor == self._control.fileno():
                    message, descriptors, _, _ = socket.recv_fds(self._control, 65536, 2)
                    if not message:
                        return self._stop()
                    self._spawn(json.loads(message), *descriptors)
                elif descriptor in self._learners:
                    self._bury(self._learners[descriptor])
                elif descriptor in self._lines:
                    self._obey(self._lines[descriptor])
            if self._learners and time.monotonic() >= self._watch_at:
                self._watch()

    def _obey(self, learner: Learner) -> None:
        """Send it the signal that was asked for, or end it: on request, or since whoever asked for it has gone."""
        message = b""
        with contextlib.suppress(OSError):
            message = learner.line.recv(64)
        if message.startswith(b"signal "):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(learner.pid, int(message[7:]))
            return
        self._poll.unregister(learner.line)
        del self._lines[learner.line.fileno()]
        learner.end("killed", "on request")

    def _stop(self) -> None:
        for learner in list(self._learners.values()):
            learner.end("killed", "the grader stopped")
            self._bury(learner)

    def _spawn(self, cores: list[int], data_socket: int, line_descriptor: int) -> None:
        line = socket.socket(fileno=line_descriptor)
        self._asked += 1
        if self._asked == _MANY:
            linux.gather_memory()
        isolation = self._orders.isolation
        scratch, private = self._orders.scratch, None
        uid = sandbox.choose_uid(isolation)
        try:
            if len(os.listdir("/proc/self/task")) != 1:
                raise EngineError("the zygote has more than one thread: forking it could hang")
            if isolation.alone:
                scratch = private = tempfile.mkdtemp(prefix="", dir=scratch)
                if isolation.root:
                    os.chown(scratch, uid, uid)
            pid = sandbox.fork_learner(isolation)
        except (OSError, EngineError) as error:
            _say(line, state="failed", detail=f"no process for a learner: {error}")
            os.close(data_socket)
            line.close()
            return
        if pid == 0:
            with contextlib.suppress(OSError):  # a core that this machine has lost
                os.sched_setaffinity(0, cores)
            self._become_learner(data_socket, line, uid, scratch)
        os.close(data_socket)
        learner = Learner(pid, os.pidfd_open(pid), line, private)
        self._learners[learner.pidfd] = self._lines[line.fileno()] = learner
        self._poll.register(learner.pidfd, select.POLLIN)
        self._poll.register(line, select.POLLIN)

    def _become_learner(self, data_socket: int, line: socket.socket, uid: int, scratch: str) -> None:
        """Go on as a learner's process; never returns."""
        status = 70  # EX_SOFTWARE, unless the entry function returns
        try:
            # The descriptors' numbers are given anew, so the objects that held the old ones must not close them.
            for other in (self._control, *(learner.line for learner in self._learners.values())):
                other.detach()
            null = os.open("/dev/null", os.O_RDWR)
            null, data, said = (fcntl.fcntl(low, fcntl.F_DUPFD, 5) for low in (null, data_socket, line.detach()))
            for descriptor, source in enumerate((null, null, null, data, said)):
                os.dup2(source, descriptor, inheritable=descriptor < 3)
            linux.close_from(5)
            line = socket.socket(fileno=4)
            orders = self._orders
            try:
                sandbox.enter(
                    orders.isolation,
                    orders.limits,
                    uid=uid,
                    data=self._data,
                    readable=orders.readable,
                    scratch=scratch,
                    accepting=orders.accepting,
                )
                sandbox.self_check(orders.isolation, orders.readable, orders.forbidden)
                # In this process's copy, wherever it is referred to: learner's code can walk to it.
                object.__setattr__(orders, "forbidden", ())
            except (OSError, EngineError) as error:
                _say(line, state="failed", detail=str(error))
                os._exit(status)
            reseed()
            _say(line, state="ready")
            line.close()
            self._entry(socket.socket(fileno=3), orders.limits)
            status = 0
        finally:
            os._exit(status)

    def _bury(self, learner: Learner) -> None:
        """Collect a dead learner and say what it died of."""
        _, status, usage = os.wait4(learner.pid, 0)
        kind, detail = learner.verdict or _cause(status, usage.ru_utime + usage.ru_stime, self._orders.limits)
        cpu_seconds = usage.ru_utime + usage.ru_stime
        _say(learner.line, state="dead", kind=kind, detail=detail, cpu_seconds=round(cpu_seconds, 4))
        self._poll.unregister(learner.pidfd)
        del self._learners[learner.pidfd]
        if self._lines.pop(learner.line.fileno(), None):
            self._poll.unregister(learner.line)
        os.close(learner.pidfd)
        learner.line.close()
        if learner.scratch:
            shutil.rmtree(learner.scratch, ignore_errors=True)

    def _watch(self) -> None:
        """End every learner whose processes together take too much memory or CPU time."""
        began = time.monotonic()
        limits, alone = self._orders.limits, self._orders.isolation.alone
        table = _processes(learner.pid for learner in self._learners.values()) if alone else _processes()
        for learner in self._learners.values():
            tree = [learner.pid] if alone else _tree(table, learner.pid)
            rows = [table[pid] for pid in tree if pid in table]
            if sum(row.cpu_seconds for row in rows) > limits.cpu:
                learner.end("cpu_time", f"more than {limits.cpu:g} s of CPU time")
            # The resident sizes count shared pages in full, so they bound the proportional ones, which cost more.
            elif sum(row.resident for row in rows) > limits.memory and sum(map(_proportional, tree)) > limits.memory:
                learner.end("out_of_memory", f"more than {limits.memory // MIB} MiB of memory")
        now = time.monotonic()
        self._watch_at = now + max(_WATCH_SECONDS, 10 * (now - began))  # never more than a tenth of a core


@dataclass(frozen=True)
class _Process:
    parent: int
    cpu_seconds: float
    resident: int


def _processes(pids: Iterable[int] | None = None) -> dict[int, _Process]:
    """Return those processes that are alive, of those given or of all that this process can see."""
    table = {}
    for pid in pids if pids is not None else [int(name) for name in os.listdir("/proc") if name.isdigit()]:
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                # proc(5): the name may hold anything, the fields after its bracket are numbers; state is field 3.
                values = file.read().rpartition(b")")[2].split()
        except OSError:
            continue  # it has ended
        ticks = sum(int(value) for value in values[11:15])  # utime, stime, and those of children waited for
        table[pid] = _Process(int(values[1]), ticks / _TICKS, int(values[21]) * _PAGE)
    return table


def _tree(table: dict[int, _Process], root: int) -> list[int]:
    """Return a process and its descendants; in its pid namespace orphans are its children again."""
    children: dict[int, list[int]] = {}
    for pid, row in table.items():
        children.setdefault(row.parent, []).append(pid)
    found = [root]
    for pid in found:
        found.extend(children.get(pid, ()))
    return found


def _proportional(pid: int) -> int:
    """Return the proportional set size of a process in bytes, 0 if it has ended."""
    try:
        return _bytes_of(f"/proc/{pid}/smaps_rollup", "Pss:")
    except OSError:
        return 0


def _bytes_of(path: str, label: str) -> int:
    with open(path) as file:
        return next((int(line.split()[1]) * 1024 for line in file if line.startswith(label)), 0)


def _cause(status: int, cpu_seconds: float, limits: Limits) -> tuple[str, str]:
    """Return kind and detail of a death that the zygote did not bring about."""
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return "exited", f"with status {code}"
    if -code == signal.SIGKILL and cpu_seconds >= limits.cpu:  # the kernel was quicker than the watchdog
        return "cpu_time", f"more than {limits.cpu:g} s of CPU time"
    return "killed", f"by signal {signal.Signals(-code).name}"


def reseed() -> None:
    """Give this process random numbers of its own: after a fork all would draw the same."""
    import numpy as np

    random.seed()
    np.random.seed()
    if "torch" in sys.modules:
        sys.modules["torch"].seed()


def _say(line: socket.socket, **message: Any) -> None:
    with contextlib.suppress(OSError):  # whoever asked has gone
        line.send(json.dumps(message).encode())
