"""An examiner in a fresh process of its own, for whoever cannot fork one, such as a Dask worker with its threads.

Both ends are trusted: what travels between them is pickled. Learners' processes are forked from the station's own
zygotes and never see its connection.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType

from grader.engine import pool, sandbox
from grader.engine.errors import EngineError
from grader.engine.limits import Limits
from grader.engine.pool import ATTEMPTS, Failure
from grader.engine.release import Release
from grader.engine.submission import Submission
from grader.engine.zygote import ONE_THREAD

#: Seconds until a station has imported its libraries and run the official code, on a loaded machine.
_START_SECONDS = 300.0
#: Its words: it is ready; a result; a result after which it ends; why it ends without one.
_READY, _REPLY, _LAST_REPLY, _ERROR = b"y", b"r", b"l", b"e"


@dataclass(frozen=True)
class Setup:
    """What a station has to know before the first submission.

    Attributes
    ----------
    releases : mapping of str to Release
        The modules, with their hidden tests.
    tier : str
        What has to confine learners' code there; with less, or other, no station starts.
    limits : Limits
        For each submission.
    allow_unconfined : bool
        Go on where nothing confines learners' code.
    forbidden : tuple of Path
        What must not open for a learner; each learner's process tries.
    """

    releases: Mapping[str, Release]
    tier: str
    limits: Limits
    allow_unconfined: bool = False
    forbidden: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Handed:
    """A submission that was read where it lies, to be examined elsewhere.

    Attributes
    ----------
    submission : Submission
        As read.
    module : str
        To which module.
    """

    submission: Submission
    module: str

    def read(self) -> Submission:
        """Return it."""
        return self.submission

    @property
    def student(self) -> str:
        """Whose."""
        return self.submission.student


class Station:
    """The near end: starts the process when it is first needed, and anew when it has gone; a context manager.

    Parameters
    ----------
    setup : Setup
        For the process.
    patience : float
        Seconds after which a station that still works on a submission is killed.
    """

    def __init__(self, setup: Setup, patience: float) -> None:
        self._setup = setup
        self._patience = patience
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the station, None while there is none."""
        return self._process.pid if self._process is not None else None

    def examine(self, work: Handed) -> str | Failure:
        """Return the result of a submission as JSON; a station that dies or hangs over it gets a second chance.

        Raises
        ------
        EngineError
            When no station can be started here.
        """
        failure = Failure("it was not tried")
        for _ in range(ATTEMPTS):
            answer = self._ask(work)
            if not isinstance(answer, Failure):
                return answer
            failure = answer
        return failure

    def close(self) -> None:
        """End the process."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._process is not None:
            # It ends at the end of its stream, and takes its zygotes along; in the middle of a submission it is killed.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(2)
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Station:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, work: Handed) -> str | Failure:
        connection = self._started()
        try:
            connection.send_bytes(pickle.dumps(work))
            if not connection.poll(self._patience):
                self._kill()
                return Failure(f"the station gave no reply within {self._patience:g} s")
            said = connection.recv_bytes()
        except (EOFError, OSError):
            return Failure(f"the station {self._cause_of_death()}")
        if said[:1] != _REPLY:
            self.close()
        text = said[1:].decode("utf-8", "surrogatepass")
        return Failure(text) if said[:1] == _ERROR else text

    def _started(self) -> Connection:
        if self._connection is not None:
            return self._connection
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", "from grader.engine.station import main; main()", str(theirs.fileno())],
                env=os.environ | dict.fromkeys(ONE_THREAD, "1"),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        connection = self._connection = Connection(ours.detach())
        try:
            connection.send_bytes(pickle.dumps(self._setup))
            said = connection.recv_bytes() if connection.poll(_START_SECONDS) else b"eit was not ready in time"
        except (EOFError, OSError):
            said = f"eit {self._cause_of_death()}".encode()
        if said != _READY:
            self._kill()
            raise EngineError(f"no station can be started here: {said[1:].decode(errors='replace')}")
        return connection

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
        self.close()

    def _cause_of_death(self) -> str:
        status = None
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                status = self._process.wait(1)
        self._kill()
        if status is None:
            return "broke off"
        return f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"


def main() -> None:
    """Be a station: argument 1 is the descriptor of the connection."""
    connection = Connection(int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever started it
    from grader.engine.run import ready_to_examine

    try:
        setup: Setup = pickle.loads(connection.recv_bytes())
        isolation = sandbox.probe()
        if isolation.tier != setup.tier:
            raise EngineError(f"this machine confines learners' code by {isolation.tier}, the others by {setup.tier}")
        with ready_to_examine(
            setup.releases,
            isolation,
            setup.limits,
            allow_unconfined=setup.allow_unconfined,
            forbidden=setup.forbidden,
        ) as examine:
            connection.send_bytes(_READY)
            while not pool.retired():
                work: Handed = pickle.loads(connection.recv_bytes())
                text = examine(work).to_json().encode("utf-8", "surrogatepass")
                connection.send_bytes((_LAST_REPLY if pool.retired() else _REPLY) + text)
    except (EOFError, BrokenPipeError):
        return  # whoever asked has gone
    except Exception as error:
        with contextlib.suppress(OSError):
            connection.send_bytes(_ERROR + f"{type(error).__name__}: {' '.join(str(error).split())}".encode())


def about() -> None:
    """Print what this machine gives, and which version of the grader it has, as JSON."""
    from grader.engine.run import sources

    isolation = sandbox.probe()
    told = {"tier": isolation.tier, "root": isolation.root, "landlock": isolation.landlock, "sources": sources()}
    print(json.dumps(told))
