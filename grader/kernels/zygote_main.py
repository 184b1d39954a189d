"""The program of the plain zygote: import what notebooks use, then fork a kernel for each that is asked for.

Its kernels are the user's own processes, no more confined than any. The zygote speaks with whoever asks as
`grader.engine.zygote_main` does, so that `Zygote` and `Child` are the other end of both.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import socket
import sys
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from grader.engine import linux
from grader.engine.zygote_main import reseed, warm_torch

#: What each profile imports once: no package of the course, which its author may be changing.
PROFILES: dict[str, tuple[str, ...]] = {"numpy": ("numpy", "matplotlib.pyplot")}
PROFILES["torch"] = (*PROFILES["numpy"], "torch", "torch._dynamo")
#: What a kernel would import before it answers, and with its first cells; but not matplotlib_inline, which ties itself
#: to IPython's shell when it is imported.
_KERNEL = (
    *("grader.kernels.kernel", "ipykernel.ipkernel", "ipykernel.zmqshell", "ipykernel.debugger"),
    *("IPython.core.completer", "IPython.core.completerlib", "IPython.core.debugger", "IPython.core.pylabtools"),
    *("IPython.core.oinspect", "IPython.utils.wildcard", "IPython.extensions.storemagic", "jedi"),
    *("psutil", "sqlite3", "tornado.platform.asyncio"),
)


@dataclass
class _Kernel:
    """A kernel's process: its id and a descriptor for it, and the line to whoever asked for it."""

    pid: int
    pidfd: int
    line: socket.socket

    def signal(self, number: int) -> None:
        """Send a signal to it and to what it started, as a terminal would."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)


def main() -> None:
    """Be a zygote, and in each process forked from it a kernel: argument 1 is the control socket, 2 the profile."""
    control = socket.socket(fileno=int(sys.argv[1]))
    began_with = set(os.environ)
    for name in (*PROFILES[sys.argv[2]], *_KERNEL):
        import_module(name)
    if sys.argv[2] == "torch":
        warm_torch()
    set_by_imports = {name: value for name, value in os.environ.items() if name not in began_with}
    sock = _Server(control).serve()
    if sock is not None:
        reseed()
        import_module("grader.kernels.kernel").become_plain(sock, set_by_imports)


class _Server:
    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._kernels: dict[int, _Kernel] = {}  # by pidfd
        self._lines: dict[int, _Kernel] = {}  # by descriptor of the line
        self._poll = select.poll()
        self._poll.register(control, select.POLLIN)
        self._open = True

    def serve(self) -> socket.socket | None:
        """Fork kernels until nobody can ask for one and the last has ended; in a kernel, return its socket."""
        gc.collect()
        gc.freeze()  # no collection will touch, and so copy, the pages that kernels share
        while self._open or self._kernels:
            for descriptor, _ in self._poll.poll():
                if descriptor == self._control.fileno():
                    message, descriptors, _, _ = socket.recv_fds(self._control, 64, 2)
                    if not message:
                        self._poll.unregister(self._control)
                        self._open = False
                    elif sock := self._spawn(*descriptors):
                        return sock
                elif descriptor in self._kernels:
                    self._bury(self._kernels[descriptor])
                elif descriptor in self._lines:
                    self._obey(self._lines[descriptor])
        return None

    def _spawn(self, data_socket: int, line_descriptor: int) -> socket.socket | None:
        """Fork a kernel; return its socket in its process, None in this one."""
        line = socket.socket(fileno=line_descriptor)
        if len(os.listdir("/proc/self/task")) != 1:
            _say(line, state="failed", detail="the zygote has more than one thread: forking it could hang")
            os.close(data_socket)
            line.close()
            return None
        zygote = os.getpid()
        pid = os.fork()
        if pid == 0:
            os.setsid()
            linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != zygote:  # it died in between
                os._exit(1)
            _say(line, state="ready")
            for other in (self._control, line, *(kernel.line for kernel in self._kernels.values())):
                other.close()
            for pidfd in self._kernels:
                os.close(pidfd)
            return socket.socket(fileno=data_socket)
        os.close(data_socket)
        kernel = _Kernel(pid, os.pidfd_open(pid), line)
        self._kernels[kernel.pidfd] = self._lines[line.fileno()] = kernel
        self._poll.register(kernel.pidfd, select.POLLIN)
        self._poll.register(line, select.POLLIN)
        return None

    def _obey(self, kernel: _Kernel) -> None:
        """Send the signal that was asked for; whoever asked for the kernel may also have gone, and it goes too."""
        try:
            message = kernel.line.recv(64).decode()
        except OSError:
            message = ""
        word, _, number = message.partition(" ")
        if word == "signal":
            kernel.signal(int(number))
            return
        self._poll.unregister(kernel.line)
        del self._lines[kernel.line.fileno()]
        kernel.signal(signal.SIGKILL)

    def _bury(self, kernel: _Kernel) -> None:
        """Collect a dead kernel, and say what it died of; what it left running in its group goes with it."""
        kernel.signal(signal.SIGKILL)
        _, status, usage = os.wait4(kernel.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        kind, detail = ("exited", f"with status {code}") if code >= 0 else ("killed", f"by signal {-code}")
        _say(kernel.line, state="dead", kind=kind, detail=detail, cpu_seconds=usage.ru_utime + usage.ru_stime)
        self._poll.unregister(kernel.pidfd)
        del self._kernels[kernel.pidfd]
        if self._lines.pop(kernel.line.fileno(), None):
            self._poll.unregister(kernel.line)
        os.close(kernel.pidfd)
        kernel.line.close()


def _say(line: socket.socket, **message: Any) -> None:
    with contextlib.suppress(OSError):  # whoever asked has gone
        line.send(json.dumps(message).encode())
