"""The kernel's side: how a process that was forked warm becomes the kernel it was asked to be.

The same order reaches a kernel of the plain zygote (zygote_main.py) and one in the sandbox (serve, the entry function
of a `grader.engine.zygote.Zygote`). Neither has touched ZMQ before it: ZMQ does not survive a fork.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import os
import socket
import sys
import time
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import zmq
from ipykernel import kernelapp
from ipykernel.heartbeat import Heartbeat
from ipykernel.iostream import IOPubThread
from ipykernel.kernelapp import IPKernelApp

from grader.engine.limits import Limits
from grader.kernels.order import CHANNELS, Order

_INLINE = "module://matplotlib_inline.backend_inline"


def become_plain(sock: socket.socket, set_by_imports: dict[str, str]) -> None:
    """Go on as an ordinary kernel of the user; its descriptors are standard output and standard error.

    The answer on the socket is its process id, or in words what is wrong.

    Parameters
    ----------
    sock : socket.socket
        Where the order comes from.
    set_by_imports : dict
        Environment variables that the imports of the zygote have set.
    """
    order, descriptors = Order.receive(sock)
    try:
        os.chdir(order.folder)
    except OSError as error:
        sock.sendall(str(error).encode())
        raise SystemExit(1) from None
    for target, source in enumerate(descriptors, start=1):
        os.dup2(source, target)
        os.close(source)
    os.environ.clear()
    os.environ.update({**set_by_imports, **order.environment})
    time.tzset()
    _use_threads(order.threads)
    _plot_inline()
    sys.argv = ["ipykernel_launcher", *order.arguments]
    # It dies by signal with its zygote; ipykernel's own look after its parent is for where that fails.
    app = IPKernelApp.instance(parent_handle=os.getppid())
    _listen(app, order, sock, str(os.getpid()))
    app.start()


def serve(sock: socket.socket, limits: Limits) -> None:
    """Be a kernel in the sandbox, which was entered already; its descriptors are the sockets to listen on.

    The answer on the socket is "listening", or in words what is wrong.
    """
    with contextlib.suppress(EOFError):
        order, descriptors = Order.receive(sock)
        for name, content in order.files.items():
            path = Path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(base64.b64decode(content))
        # Else IPython copies one with its mode, and a mode may not be changed in every tier of the sandbox.
        startup = Path(".ipython", "profile_default", "startup")
        startup.mkdir(parents=True)
        (startup / "README").touch()
        _use_threads(order.threads)
        os.environ["MPLBACKEND"] = _INLINE
        _plot_inline()
        sys.argv = ["ipykernel_launcher", *order.arguments]
        kernelapp.IOPubThread = _IOPub  # type: ignore[attr-defined]
        app = SandboxedApp.instance(order=order, descriptors=descriptors)
        _listen(app, order, sock, "listening")
        app.start()


def _listen(app: IPKernelApp, order: Order, sock: socket.socket, answer: str) -> None:
    """Make the kernel ready, and only then say so: who connects too early waits 0.1 s for ZMQ to try again."""
    try:
        app.initialize(order.arguments)
    except (Exception, SystemExit) as error:
        sock.sendall(f"{type(error).__name__}: {error}".encode())
        raise
    sock.sendall(answer.encode())
    sock.close()


class SandboxedApp(IPKernelApp):
    """A kernel that can make no socket: it was given those it listens on, and its connection file's content."""

    def __init__(self, order: Order, descriptors: list[int], **options: Any) -> None:
        self._info = order.connection
        ports = [order.connection[f"{name}_port"] for name in CHANNELS]
        self._listening = dict(zip(ports, descriptors, strict=True))
        super().__init__(**options)

    def init_connection_file(self) -> None:
        """Take what the file would say."""
        self.load_connection_info(self._info)  # type: ignore[arg-type]

    def write_connection_file(self, **_: Any) -> None:
        """Write nothing: whoever asked for the kernel has the file."""

    def init_heartbeat(self) -> None:
        """Start the heartbeat on the socket that was given for it."""
        keys = {"curve_publickey": self.curve_publickey, "curve_secretkey": self.curve_secretkey}
        self.heartbeat = _Heartbeat(self, zmq.Context(), (self.transport, self.ip, self.hb_port), **keys)
        self.heartbeat.start()

    def listen(self, socket: zmq.Socket[Any], port: int) -> None:
        """Let a ZMQ socket listen on the descriptor that was given for it."""
        socket.setsockopt(zmq.USE_FD, self._listening[port])
        socket.bind(f"ipc://{self.ip}-{port}")

    def _try_bind_socket(self, socket: zmq.Socket[Any], port: int) -> int:
        self.listen(socket, port)
        return port

    def _apply_curve_client_options(self, socket: zmq.Socket[Any]) -> None:
        # The debugger's own socket, which is refused its connection: without this it would try ten times a second.
        socket.setsockopt(zmq.RECONNECT_IVL, -1)
        super()._apply_curve_client_options(socket)


class _IOPub(IOPubThread):
    def _setup_pipe_in(self) -> None:
        """Do without the TCP port over which processes forked in a cell print; ZMQ would abort when it is refused."""
        self._pipe_flag = False


class _Heartbeat(Heartbeat):
    def __init__(self, app: SandboxedApp, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)  # type: ignore[no-untyped-call]
        self._app = app

    def _try_bind_socket(self) -> None:
        self._app.listen(self.socket, self.port)


def _use_threads(count: int) -> None:
    """Let NumPy and PyTorch use more threads than the one they had while others were forked from their process."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(count)
    for library in Path(np.__file__).parents[1].glob("numpy.libs/libscipy_openblas64_*"):
        with contextlib.suppress(OSError, AttributeError):  # another NumPy keeps to one
            ctypes.CDLL(str(library)).scipy_openblas_set_num_threads64_(count)


def _plot_inline() -> None:
    """Set the backend as matplotlib does when it is imported in a kernel; here it was imported before."""
    matplotlib.rcParams["backend"] = os.environ.get("MPLBACKEND") or _INLINE
