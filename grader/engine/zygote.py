"""Learners' processes, forked warm: the trusted side's handles of a zygote and of what it forks.

A zygote is a fresh process with a scrubbed environment that has imported what learners use (zygote_main.py); forking it
takes milliseconds where starting Python and importing torch takes seconds. Examiners forked from the process that made
a Zygote use the same one at the same time: every request carries the sockets of its own answer.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import convnets.checks
from grader.engine import sandbox
from grader.engine.errors import EngineError
from grader.engine.limits import Limits
from grader.engine.zygote_main import PROFILES, Orders

#: Seconds a zygote may take to import its libraries, on a loaded machine.
_IMPORT_SECONDS = 120.0
#: One thread each, set before any of these libraries is imported.
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Death:
    """How a learner's process ended.

    Attributes
    ----------
    kind : str
        "exited", "killed", "out_of_memory", "cpu_time"; or "lost", with its zygote.
    detail : str
        In words: with which status, by which signal, over which limit.
    cpu_seconds : float
        What it and the children it waited for took.
    """

    kind: str
    detail: str
    cpu_seconds: float = 0.0

    @property
    def from_outside(self) -> bool:
        """Whether something else than its own code may have ended it: the machine short of memory, a person."""
        return self.kind == "lost" or self.detail == "by signal SIGKILL"


class Child:
    """A learner's process, confined and serving.

    Attributes
    ----------
    sock : socket.socket
        A connected stream to it. What comes out of it is untrusted; its end means that the process closed it, dead or
        not: kill() then.
    """

    def __init__(self, sock: socket.socket, line: socket.socket) -> None:
        self.sock = sock
        self._line = line
        self._death: Death | None = None

    @property
    def death(self) -> Death | None:
        """How it ended, as far as somebody has waited for that."""
        return self._death

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        with contextlib.suppress(TimeoutError):
            self.wait(0)
        return self._death is None

    def kill(self) -> None:
        """End it and everything it started; wait() says when that is done."""
        with contextlib.suppress(OSError):
            self._line.send(b"kill")

    def signal(self, number: int) -> None:
        """Send a signal to it and to what it started in its process group."""
        with contextlib.suppress(OSError):
            self._line.send(f"signal {number}".encode())

    def wait(self, timeout: float | None = None) -> Death:
        """Return how it ended, once it has and nothing that it started is alive.

        Parameters
        ----------
        timeout : float, optional
            Seconds; without, for as long as it lives.

        Raises
        ------
        TimeoutError
            When it is still alive then.
        """
        if self._death is None:
            said = _hear(self._line, timeout)
            self._death = (
                Death(said["kind"], said["detail"], said["cpu_seconds"]) if said else Death("lost", "with its zygote")
            )
        return self._death

    def close(self) -> None:
        """Let go of it; if it is alive it is ended."""
        self.sock.close()
        self._line.close()

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Zygote:
    """A warm process to fork learners from; a context manager.

    Parameters
    ----------
    profile : str
        "numpy" or "torch": what is imported.
    isolation : Isolation
        From probe().
    limits : Limits
        For each learner.
    entry : str
        "module:function", called in each learner's process with its socket and the limits.
    readable : iterable of Path
        Files and folders that learners may read beside python_files(); the data sets are added here.
    forbidden : iterable of Path
        What must not open for a learner: tests, solutions, submissions, gradebook. Each learner's process tries.
    import_paths : iterable of Path
        Folders to import from, readable too.
    accepting : bool
        Whether learners may accept connections on sockets that they are given; they can make none.
    without : iterable of str
        Libraries of the profile that are not imported, since hardly a learner needs them; whoever does waits for them.
    allow_unconfined : bool
        Whether to go on where the machine confines nothing (tier "none").

    Raises
    ------
    EngineError
        When the profile is unknown, or nothing confines learners and that was not allowed.
    """

    def __init__(
        self,
        profile: str,
        isolation: sandbox.Isolation,
        limits: Limits,
        *,
        entry: str = "grader.engine.learner:serve",
        readable: Iterable[Path] = (),
        forbidden: Iterable[Path] = (),
        import_paths: Iterable[Path] = (),
        accepting: bool = False,
        without: Iterable[str] = (),
        allow_unconfined: bool = False,
    ) -> None:
        if profile not in PROFILES:
            raise EngineError(f"there is no profile {profile!r}: choose {' or '.join(PROFILES)}")
        if sys.platform != "linux":
            raise EngineError("learners' code runs on Linux only: use WSL on Windows, a container on macOS")
        if isolation.tier == "none" and not allow_unconfined:
            raise EngineError("this machine confines no learner's code: see `grader doctor`, or allow it explicitly")
        self._limits = limits
        self._data_sets = _data_sets()
        imports = tuple(map(os.path.abspath, import_paths))
        self._base = sandbox.SCRATCH
        self._base_owner = 0
        if isolation.tier in ("landlock", "none"):  # no file system of their own
            self._base = tempfile.mkdtemp(prefix="grader-")
            self._base_owner = os.getpid()
            os.chmod(self._base, 0o711)
        self._orders = Orders(
            profile=profile,
            entry=entry,
            isolation=isolation,
            limits=limits,
            readable=sandbox.python_files([*readable, *imports, *self._data_sets]),
            forbidden=tuple(map(os.path.abspath, forbidden)),
            import_paths=imports,
            scratch=self._base,
            accepting=accepting,
            without=tuple(without),
        )
        self._start()

    @property
    def pid(self) -> int:
        """Process id of the zygote in use."""
        return self._process.pid

    def spawn(self) -> Child:
        """Return a new learner's process, ready to serve, on the cores of the process that calls.

        Where it, or the zygote, dies before that, it is tried once more; with a new zygote only if that one has died.

        Raises
        ------
        EngineError
            When there is none within the limit, when the sandbox fails its self-check, or when one of them dies again.
        """
        try:
            return self._ask()
        except _ZygoteDiedError:
            self._let_go()
            self._start()
        except _DiedError:
            pass
        try:
            return self._ask()
        except _DiedError as error:
            raise EngineError(str(error)) from None

    def close(self) -> None:
        """End the zygote and, in the process that made it, every learner; nothing stays on disk."""
        self._let_go()
        if self._base_owner == os.getpid():
            shutil.rmtree(self._base, ignore_errors=True)

    def __enter__(self) -> Zygote:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  lives as long as the zygote
        with theirs:
            self._process = subprocess.Popen(
                self._command(theirs.fileno()),
                env=self._environment(),
                pass_fds=[theirs.fileno()],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._log,
                start_new_session=True,  # Ctrl-C is for the grader
            )
        self._process_owner = os.getpid()
        self._patience = time.monotonic() + _IMPORT_SECONDS

    def _command(self, control: int) -> list[str]:
        """Return the command that starts a zygote with this descriptor for its control socket."""
        program = "from grader.engine.zygote_main import main; main()"
        command = [sys.executable, "-I", "-B", "-c", program, str(control), self._orders.to_json()]
        return sandbox.zygote_command(self._orders.isolation, self._orders.readable, command)

    def _environment(self) -> dict[str, str]:
        """Return all that a zygote, and so a learner, finds in its environment."""
        home = self._orders.scratch
        variables = {"HOME": home, "TMPDIR": home, "USER": "learner", "LOGNAME": "learner", "PATH": "/usr/bin:/bin"}
        variables |= {"LANG": "C.UTF-8", "MPLBACKEND": "Agg", **dict.fromkeys(ONE_THREAD, "1")}
        if self._data_sets:
            variables["CONVNETS_DATA"] = str(self._data_sets[0])
        return variables

    def _ask(self) -> Child:
        sock, their_sock = socket.socketpair()
        line, their_line = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        child = Child(sock, line)
        try:
            with their_sock, their_line:
                try:
                    cores = json.dumps(sorted(os.sched_getaffinity(0))).encode()
                    socket.send_fds(self._control, [cores], [their_sock.fileno(), their_line.fileno()])
                except OSError:
                    raise _ZygoteDiedError(f"the zygote died twice: {self._last_words()}") from None
            seconds = max(self._limits.start, self._patience - time.monotonic())
            said = _hear(line, seconds)
        except TimeoutError:
            child.close()
            raise EngineError(f"no learner's process was ready within {seconds:.0f} s") from None
        except BaseException:
            child.close()
            raise
        if said and said["state"] == "ready":
            self._patience = 0.0
            return child
        child.close()
        if said is None:
            raise _ZygoteDiedError(f"the zygote died twice: {self._last_words()}")
        if said["state"] == "dead":
            raise _DiedError(f"a learner's process ended twice before it was ready: {said['detail']}")
        raise EngineError(said["detail"])

    def _last_words(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            if self._process_owner == os.getpid():
                self._process.wait(5)
        size = os.fstat(self._log.fileno()).st_size
        lines = os.pread(self._log.fileno(), 4096, max(0, size - 4096)).decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")

    def _let_go(self) -> None:
        self._control.close()
        if self._process_owner == os.getpid():
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._log.close()


class _DiedError(Exception):
    """The process that a zygote made has gone; the text is what to say if that happens twice."""


class _ZygoteDiedError(_DiedError):
    """The zygote itself has gone."""


def _hear(line: socket.socket, timeout: float | None) -> dict[str, Any] | None:
    """Return the next message of the zygote, None at its end; raise TimeoutError after so many seconds."""
    poll = select.poll()
    poll.register(line, select.POLLIN)
    if not poll.poll(None if timeout is None else timeout * 1000):
        raise TimeoutError
    try:
        text = line.recv(65536)
    except ConnectionResetError:  # it closed without reading our last word; what it had said is still there
        text = line.recv(65536)
    return dict(json.loads(text)) if text else None


def _data_sets() -> list[Path]:
    """Return the folder of the data sets, or nothing; convnets.data looks in the same places."""
    named = os.environ.get("CONVNETS_DATA")
    folder = Path(named) if named else Path(convnets.checks.__file__).resolve().parents[2] / "datasets"
    return [folder.resolve()] if folder.is_dir() else []
