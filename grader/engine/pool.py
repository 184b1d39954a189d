"""Examiner processes, forked from this one: each works on one task, and takes no other with it when it dies."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Generic, TypeVar

from grader.engine import linux

Task = TypeVar("Task")

#: How often a task is given out: an examiner that dies may have been hit by chance, but not twice.
ATTEMPTS = 2
_REPLY, _LAST_REPLY, _ERROR = b"r", b"l", b"e"
_CONTEXT = multiprocessing.get_context("fork")


def one_thread() -> None:
    """Let the numerical libraries use one thread: processes forked from more may hang. Call before importing them."""
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"


@contextlib.contextmanager
def made_to_stay() -> Iterator[None]:
    """Make objects that stay, as by imports: no collection looks at them, here or in processes forked from this one.

    There is no garbage in them to be found, and a look copies the pages that the processes share.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


_retired = threading.Event()


def retire() -> None:
    """Let this examiner's task be its last: the next one is for a process in which nothing was cut short."""
    _retired.set()


def retired() -> bool:
    """Tell whether this examiner's last task is over."""
    return _retired.is_set()


@dataclass(frozen=True)
class Failure:
    """Why a task has no reply, in one line."""

    reason: str


def examine_all(
    tasks: Sequence[Task], examine: Callable[[Task], str], *, jobs: int, patience: float
) -> Generator[tuple[Task, str | Failure], None, None]:
    """Work on tasks in processes forked from this one; yield each task once, with its reply, as they come.

    A task whose process dies, hangs or raises is given out once more. Where there are as many processes as cores each
    keeps to one core: an examiner and its learner take turns, and across cores they wake each other later.

    Parameters
    ----------
    tasks : sequence
        Known to the processes by the fork; nothing of them is sent.
    examine : callable
        Called with a task in one of the processes; returns text.
    jobs : int
        Processes, at least 1.
    patience : float
        Seconds after which a process that still works on its task is killed: far more than any task takes.
    """
    waiting = deque(range(len(tasks)))
    attempts = [0] * len(tasks)
    examiners: list[_Examiner[Task]] = []
    cores = sorted(os.sched_getaffinity(0))
    try:
        while waiting or examiners:
            # Work is given out before the replies are yielded: no process waits while the caller writes them down.
            while waiting and len(examiners) < jobs:
                core = min(cores, key=[examiner.core for examiner in examiners].count) if jobs == len(cores) else None
                examiners.append(_Examiner(examine, tasks, patience, core))
                examiners[-1].give(waiting.popleft())
            replies = []
            for examiner in _ready(examiners):
                number, reply = examiner.task, examiner.hear()
                attempts[number] += 1
                if isinstance(reply, Failure) and attempts[number] < ATTEMPTS:
                    waiting.append(number)
                else:
                    replies.append((tasks[number], reply))
                if examiner.alive and waiting:
                    examiner.give(waiting.popleft())
                else:
                    examiner.end()
                    examiners.remove(examiner)
            yield from replies
    finally:
        for examiner in examiners:
            examiner.end()


def _ready(examiners: list[_Examiner[Task]]) -> list[_Examiner[Task]]:
    """Wait until one has replied, died or run out of time."""
    now = time.monotonic()
    patience = max(0.0, min(examiner.deadline for examiner in examiners) - now)
    heard = wait([examiner.connection for examiner in examiners], patience)
    now = time.monotonic()
    return [examiner for examiner in examiners if examiner.connection in heard or examiner.deadline <= now]


class _Examiner(Generic[Task]):
    """One process, the core that it keeps to, and the number of the task that it works on."""

    def __init__(
        self, examine: Callable[[Task], str], tasks: Sequence[Task], patience: float, core: int | None
    ) -> None:
        self._patience = patience
        self.core = core
        self.connection, theirs = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=_serve, args=(theirs, examine, tasks, core), daemon=True)
        self._process.start()
        # With no second holder of the other end, its death is the end of the stream.
        theirs.close()
        self.alive = True

    def give(self, task: int) -> None:
        """Let it work on a task."""
        self.task, self.deadline = task, time.monotonic() + self._patience
        # One that has died in between tells so when its reply is awaited.
        with contextlib.suppress(OSError):
            self.connection.send_bytes(str(task).encode())

    def hear(self) -> str | Failure:
        """Return its reply; afterwards it is alive, or has been killed."""
        if not self.connection.poll():
            self.end()
            return Failure(f"the examiner gave no reply within {self._patience:g} s")
        try:
            said = self.connection.recv_bytes()
        except (EOFError, OSError):
            return Failure(f"the examiner {self._cause_of_death()}")
        text = said[1:].decode("utf-8", "surrogatepass")
        if said[:1] == _LAST_REPLY:
            self.end()
        return Failure(text) if said[:1] == _ERROR else text

    def end(self) -> None:
        """Kill it."""
        self.alive = False
        self._process.kill()
        self._process.join()
        self.connection.close()

    def _cause_of_death(self) -> str:
        # Its end of the stream closes a moment before it is gone.
        self._process.join(1)
        status = self._process.exitcode
        self.end()
        if status is None:
            return "broke off"
        return f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"


def _serve(connection: Connection, examine: Callable[[Task], str], tasks: Sequence[Task], core: int | None) -> None:
    """Be an examiner: work on one task after another until the grader is gone."""
    if core is not None:
        os.sched_setaffinity(0, {core})
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the grader's to answer
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
    # Where memory runs out, this process goes before the one that writes the results.
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")
    while True:
        try:
            task = int(connection.recv_bytes())
        except (EOFError, OSError):
            return
        try:
            # A student's name that came from a file name need not be proper Unicode.
            text = examine(tasks[task]).encode("utf-8", "surrogatepass")
            reply = (_LAST_REPLY if retired() else _REPLY) + text
        except Exception as error:
            words = " ".join(str(error).split()) or "no reason given"
            reply = _ERROR + f"{type(error).__name__}: {words}".encode("utf-8", "replace")
        connection.send_bytes(reply)
