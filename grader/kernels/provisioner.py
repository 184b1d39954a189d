"""Kernel provisioners for jupyter_client: kernels forked warm, as the user's own processes or in the sandbox.

``warm`` starts kernels of this interpreter from a zygote and leaves every other kernel, and every system without
Linux's fork, to the ordinary provisioner, with a line that says so. ``warm-sandboxed`` starts them in the sandbox of
`grader.engine.sandbox`, or not at all.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import psutil  # type: ignore[import-untyped]
from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Enum, Float, Integer

from grader.engine.errors import EngineError
from grader.engine.limits import MIB, Limits
from grader.kernels.order import CHANNELS, Order

if TYPE_CHECKING:
    from grader.engine.zygote import Child


class WarmProcess:
    """A kernel's process, with the part of `subprocess.Popen` that `LocalProvisioner` uses."""

    stdin = stdout = stderr = None

    def __init__(self, child: Child, pid: int | None) -> None:
        self._child = child
        self.pid = pid

    def poll(self) -> int | None:
        """Return None while it lives, then 0 if it ended itself and 1 if a signal ended it."""
        return None if self._child.alive else self.wait()

    def wait(self) -> int:
        """Wait for its end and return what poll() does."""
        return 0 if self._child.wait().kind == "exited" else 1

    def send_signal(self, number: int) -> None:
        """Send a signal to it and to what it started."""
        self._child.signal(number)

    def terminate(self) -> None:
        """Ask it to end."""
        self._child.signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it and what it started."""
        self._child.kill()


class WarmProvisioner(LocalProvisioner):
    """Forks kernels from a process of this user that has imported what they use."""

    profile = Enum(
        ("numpy", "torch"),
        "torch",
        config=True,
        help="What kernels have imported when they start: NumPy and matplotlib, or PyTorch as well.",
    )

    async def launch_kernel(self, cmd: list[str], **options: Any) -> KernelConnectionInfo:
        """Launch a kernel, warm where that is possible and by the ordinary provisioner where not."""
        obstacle = _obstacle(cmd, options)
        if not obstacle:
            try:
                await self._launch_warm(cmd, options)
            except EngineError as error:
                obstacle = str(error)
            else:
                return self.connection_info
        self.log.warning("This kernel starts cold: %s", obstacle)
        return await super().launch_kernel(cmd, **options)

    async def _launch_warm(self, cmd: list[str], options: dict[str, Any]) -> None:
        """Launch a kernel warm; raise EngineError where that fails, OSError where its folder cannot be entered."""
        # The first of all waits while its zygote imports: not in the server's own thread.
        process = await asyncio.to_thread(self._fork, _arguments(cmd), options)
        self.process = cast("subprocess.Popen[bytes]", process)  # as far as LocalProvisioner uses one
        self.pid = process.pid
        self.cwd = options.get("cwd") or os.getcwd()

    def _fork(self, arguments: list[str], options: dict[str, Any]) -> WarmProcess:
        from grader.kernels.zygote import spawn_plain  # Linux only

        environment = dict(options.get("env") or os.environ)
        order = Order(arguments, _threads(environment), os.fspath(options.get("cwd") or os.getcwd()), environment)
        child = spawn_plain(self.profile, environment)
        with _output(options.get("stdout"), 1) as out, _output(options.get("stderr"), 2) as err:
            answer = _give(child, order, [out, err])
        if answer.isdecimal():
            return WarmProcess(child, int(answer))
        child.close()
        raise OSError(answer)


class SandboxedProvisioner(WarmProvisioner):
    """Forks kernels in the sandbox: see docs/kernels.md for what it gives."""

    memory = Integer(4096, min=64, config=True, help="MiB of memory that a kernel and all it starts may take.")
    cpu = Float(3600, config=True, help="Seconds of CPU time after which a kernel is ended.")
    copied = Integer(16, min=0, config=True, help="MiB of its folder's files that a kernel may begin with.")

    _sockets: Path | None = None

    async def pre_launch(self, **options: Any) -> dict[str, Any]:
        """Prepare the launch: such a kernel has no network, so it is spoken to over sockets in a folder."""
        if self._sockets is None:
            self._sockets = Path(tempfile.mkdtemp(prefix="kernel-"))
            self.parent.cache_ports = False
            self.parent.transport, self.parent.ip = "ipc", str(self._sockets / "channel")
        return await super().pre_launch(**options)

    async def launch_kernel(self, cmd: list[str], **options: Any) -> KernelConnectionInfo:
        """Launch a kernel in the sandbox.

        Raises
        ------
        EngineError
            When there is no sandbox, when it is no kernel of this interpreter, or when its folder is too large.
        """
        try:
            if obstacle := _obstacle(cmd, options):
                raise EngineError(f"no kernel in the sandbox: {obstacle}")
            await self._launch_warm(cmd, options)
        except (EngineError, OSError):
            self._remove_sockets()
            raise
        return self.connection_info

    async def cleanup(self, restart: bool = False) -> None:
        """Remove the folder of sockets, unless the kernel is about to be started again."""
        await super().cleanup(restart=restart)
        if not restart:
            self._remove_sockets()

    def _remove_sockets(self) -> None:
        if self._sockets is not None:
            shutil.rmtree(self._sockets, ignore_errors=True)
            self._sockets = None

    def _fork(self, arguments: list[str], options: dict[str, Any]) -> WarmProcess:
        from grader.kernels.zygote import spawn_sandboxed

        environment = dict(options.get("env") or os.environ)
        info = {name: _text(value) for name, value in self.connection_info.items()}
        folder = Path(options.get("cwd") or os.getcwd())
        order = Order(
            arguments,
            _threads(environment),
            connection=info,
            files=_files(folder, self.copied * MIB),
        )
        limits = Limits(start=30.0, cpu=self.cpu, memory=self.memory * MIB, processes=64)
        child = spawn_sandboxed(self.profile, limits)
        with contextlib.ExitStack() as stack:
            listening = []
            for name in CHANNELS:
                path = f"{info['ip']}-{info[f'{name}_port']}"
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(path)  # of the kernel before
                listening.append(stack.enter_context(socket.socket(socket.AF_UNIX)))
                listening[-1].bind(path)
                listening[-1].listen()
            answer = _give(child, order, [sock.fileno() for sock in listening])
        if answer != "listening":
            child.close()
            raise EngineError(f"the kernel in the sandbox did not start: {answer}")
        return WarmProcess(child, None)


def _obstacle(cmd: list[str], options: dict[str, Any]) -> str:
    """Return why a kernel cannot be forked warm, "" if it can."""
    if sys.platform != "linux":
        return "kernels are forked warm on Linux only"
    if _module(cmd) != ["-m", "ipykernel_launcher"] or not _same_python(cmd[0]):
        return f"it is not ipykernel of {sys.executable}"
    if options.get("independent"):
        return "it is to outlive this process"
    if subprocess.PIPE in (options.get("stdout"), options.get("stderr")):
        return "its output is to go to a pipe"
    return ""


def _module(cmd: list[str]) -> list[str]:
    return [word for word in cmd[1:] if word != "-Xfrozen_modules=off"][:2]


def _arguments(cmd: list[str]) -> list[str]:
    return cmd[cmd.index("ipykernel_launcher") + 1 :]


def _same_python(program: str) -> bool:
    found = shutil.which(program)
    return found is not None and os.path.realpath(os.path.dirname(found)) == os.path.realpath(
        os.path.dirname(sys.executable)
    )


def _threads(environment: dict[str, str]) -> int:
    """Return how many threads PyTorch would take, were it imported now."""
    named = environment.get("OMP_NUM_THREADS", "").partition(",")[0]
    if named.isdecimal() and int(named) > 0:
        return int(named)
    return min(len(os.sched_getaffinity(0)), psutil.cpu_count(logical=False) or sys.maxsize)


@contextlib.contextmanager
def _output(chosen: Any, own: int) -> Any:
    """Give the descriptor that a Popen argument stands for; without one, this process's own."""
    if chosen == subprocess.DEVNULL:
        with open(os.devnull, "wb") as null:
            yield null.fileno()
    else:
        yield own if chosen is None else chosen if isinstance(chosen, int) else chosen.fileno()


def _give(child: Child, order: Order, descriptors: list[int]) -> str:
    """Send an order and return the answer; raise EngineError where the process ends without one."""
    try:
        order.send(child.sock, descriptors)
        with child.sock, child.sock.makefile() as stream:
            answer = stream.read()
    except OSError as error:
        child.close()
        raise EngineError(f"the kernel's process has gone: {error}") from None
    if answer:
        return answer
    child.close()
    raise EngineError("the kernel's process ended before it listened")


def _text(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value


def _files(folder: Path, most: int) -> dict[str, str]:
    """Return the files of a folder, but notebooks, hidden files and whatever a link leads to, by relative path.

    Notebooks stay out since nbgrader's hold its hidden tests, links since they may lead to anything.

    Raises
    ------
    EngineError
        When they hold more bytes than that.
    """
    files: dict[str, str] = {}
    for above, names_of_folders, names in os.walk(folder):
        names_of_folders[:] = [name for name in names_of_folders if not name.startswith((".", "__pycache__"))]
        for name in names:
            path = Path(above, name)
            if name.startswith(".") or path.suffix == ".ipynb" or not stat.S_ISREG(path.lstat().st_mode):
                continue
            most -= path.lstat().st_size
            if most < 0:
                raise EngineError(f"{folder} holds too much to be copied into the sandbox: see its option 'copied'")
            files[str(path.relative_to(folder))] = base64.b64encode(path.read_bytes()).decode()
    return files
