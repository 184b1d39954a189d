"""Learners' processes for tests: forked from this one, not confined, over a socket pair."""

import os
import select
import signal
import socket
from dataclasses import dataclass

from grader.engine.limits import Limits
from grader.engine.proxy import Session


@dataclass(frozen=True)
class Death:
    kind: str
    detail: str


class Forked:
    """What a Session asks of a child; `run(sock)` is what the process does."""

    def __init__(self, run):
        self.sock, theirs = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                self.sock.close()
                run(theirs)
            finally:
                os._exit(3)
        theirs.close()
        self.pidfd = os.pidfd_open(self.pid)
        self.death = None

    def kill(self):
        if self.death is None:
            signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)

    def wait(self, timeout=None):
        if self.death is None:
            if not select.select([self.pidfd], [], [], timeout)[0]:
                raise TimeoutError
            _, status = os.waitpid(self.pid, 0)
            code = os.waitstatus_to_exitcode(status)
            self.death = Death("exited", str(code)) if code >= 0 else Death("killed", str(-code))
            os.close(self.pidfd)
        return self.death


def serve(limits):
    def run(sock):
        from grader.engine import learner

        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        learner.serve(sock, limits)

    return run


def open_session(run=None, **limits):
    """Return a session with a learner, or with whatever `run` does at the other end."""
    limits = Limits(**limits)
    child = Forked(run or serve(limits))
    return Session(child.sock, child, limits)
