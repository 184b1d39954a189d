"""Grading on many machines: submissions go to Dask workers, results come back to the one process that writes them.

Submissions are read here and travel as plain data, so that a worker needs this package and nothing of the course. Each
worker thread grades in a station of its own (`grader.engine.station`). What a worker that dies had begun is given to
another one; what it had finished is on the disk here.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import pickle
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.engine import sandbox
from grader.engine.errors import EngineError
from grader.engine.limits import Limits
from grader.engine.pool import Failure
from grader.engine.release import Release
from grader.engine.run import ExamineAll, Work, patience, sources
from grader.engine.station import Handed, Setup, Station

#: Dask's classes are not typed.
Client = Any
Future = Any

#: Seconds for a scheduler to answer, and for its first worker to come.
_ANSWER, _FIRST_WORKER = 10, 60
#: Submissions given out for each thread of the workers: one at work, one on its way. More would keep others waiting.
_AHEAD = 2


@dataclass(frozen=True)
class Cluster:
    """A scheduler with workers that can grade.

    Attributes
    ----------
    client : distributed.Client
        Connected to it.
    isolation : Isolation
        What all workers' machines give, by its weakest root and Landlock; lines name the number of workers.
    """

    client: Client
    isolation: sandbox.Isolation

    @contextlib.contextmanager
    def ready(
        self,
        releases: Mapping[str, Release],
        limits: Limits,
        *,
        allow_unconfined: bool = False,
        forbidden: Sequence[Path] = (),
    ) -> Iterator[ExamineAll]:
        """Make ready to grade modules; what is given back grades submissions on the workers.

        Parameters
        ----------
        releases : mapping of str to Release
            Of each module that will be graded.
        limits : Limits
            For each submission.
        allow_unconfined : bool
            Go on where nothing confines learners' code.
        forbidden : sequence of Path
            What must not open for a learner, on machines where it is.
        """
        setup = Setup(dict(releases), self.isolation.tier, limits, allow_unconfined, tuple(forbidden))
        # A task of its own, so that it can be made again where the worker that held it has died.
        told = pickle.dumps(setup)
        key = hashlib.sha256(told).hexdigest()
        kept = self.client.submit(_same, told, key=f"grader-setup-{key}", pure=False)
        try:
            yield lambda todo: self._examine_all(todo, kept, patience(limits))
        finally:
            kept.release()
            with contextlib.suppress(Exception):  # a worker that has gone has closed its stations
                self.client.run(_close_stations)

    def _examine_all(
        self, todo: Sequence[Work], setup: Future, seconds: float
    ) -> Generator[tuple[Work, str | Failure], None, None]:
        from distributed import as_completed

        waiting = iter(todo)
        out: dict[Future, Work] = {}

        def give() -> list[Future]:
            """Give out so many that every thread has one more to come; a cluster that has grown gets more."""
            given = []
            threads = sum(self.client.nthreads().values())
            for work in itertools.islice(waiting, max(1, _AHEAD * threads - len(out))):
                handed = Handed(work.read(), work.module)
                given.append(self.client.submit(_examine, setup, handed, seconds, pure=False))
                out[given[-1]] = work
            return given

        try:
            done = as_completed(give(), loop=self.client.loop)
            for future in done:
                work = out.pop(future)
                reply = self._reply(future)
                future.release()
                for more in give():
                    done.add(more)
                yield work, reply
        finally:
            with contextlib.suppress(Exception):
                self.client.cancel(list(out))

    def _reply(self, future: Future) -> str | Failure:
        from distributed import KilledWorker

        try:
            reply: str | Failure = future.result()
        except KilledWorker:
            return Failure("each worker that graded this died")
        except (CancelledError, OSError) as error:
            raise EngineError(
                f"the scheduler {self.client.scheduler.address} has gone ({error}); what is graded is kept: start it "
                "and give the same command again"
            ) from error
        return reply


@contextlib.contextmanager
def connect(address: str) -> Iterator[Cluster]:
    """Connect to a scheduler, and look whether its workers can grade.

    Parameters
    ----------
    address : str
        Of the scheduler, as "tcp://10.0.0.1:8786".

    Raises
    ------
    EngineError
        When it does not answer, has no workers, or they have another version of this package than this machine.
    """
    try:
        from distributed import Client
        from distributed.comm import get_address_host_port
    except ImportError as error:
        raise EngineError("grading on a cluster needs Dask: pip install 'convnets-by-hand[cluster]'") from error
    try:
        # A client of no address at all would print call stacks when it is thrown away.
        get_address_host_port(address if "://" in address else f"tcp://{address}", strict=True)
    except (ValueError, TypeError) as error:
        raise EngineError(f"{address!r} is no scheduler's address: give it as tcp://10.0.0.1:8786") from error
    try:
        client = Client(address, timeout=_ANSWER, set_as_default=False, name="grader")
    except (OSError, ValueError, TypeError) as error:
        raise EngineError(f"no scheduler answers at {address}: start one with dask scheduler, or correct it") from error
    with client:
        yield Cluster(client, _isolation_of(client))


def _isolation_of(client: Client) -> sandbox.Isolation:
    """Return what all the workers' machines give."""
    try:
        client.wait_for_workers(1, timeout=_FIRST_WORKER)
    except TimeoutError as error:
        raise EngineError(f"the scheduler has no workers: start some with dask worker ADDRESS ({error})") from error
    try:
        found: dict[str, dict[str, Any]] = client.run(_about)
    except Exception as error:  # whatever kept a worker from importing this module
        raise EngineError(
            f"the workers cannot grade ({type(error).__name__}: {error}): install the grader there, with [cluster]"
        ) from error
    here = sources()
    others = [worker for worker, told in found.items() if told["sources"] != here]
    if others:
        raise EngineError(f"{others[0]} and this machine have different versions of the grader: install the same one")
    tiers = {told["tier"] for told in found.values()}
    if len(tiers) > 1:
        raise EngineError(
            f"the workers confine learners' code differently ({', '.join(sorted(tiers))}): see grader doctor"
        )
    tier = tiers.pop()
    number = f"{len(found)} worker{'' if len(found) == 1 else 's'}"
    return sandbox.Isolation(
        tier,
        root=all(told["root"] for told in found.values()),
        landlock=min(told["landlock"] for told in found.values()),
        lines=(f"{tier}: on {number}",),
    )


# --- On a worker ----------------------------------------------------------------------------------------------

_idle: list[tuple[bytes, Station]] = []
_lock = threading.Lock()


def _about() -> dict[str, Any]:
    """Ask a process of its own: finding out forks, which a worker with its threads had better not."""
    program = "from grader.engine.station import about; about()"
    done = subprocess.run([sys.executable, "-c", program], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        raise EngineError((done.stderr.strip().splitlines() or ["it broke off"])[-1])
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def _same(value: bytes) -> bytes:
    return value


def _examine(setup: bytes, work: Handed, seconds: float) -> str | Failure:
    """Grade a submission in a station of this worker that no other thread uses."""
    station = _station(setup, seconds)
    try:
        reply = station.examine(work)
    except EngineError as error:
        station.close()
        return Failure(str(error))
    with _lock:
        _idle.append((setup, station))
    return reply


def _station(setup: bytes, seconds: float) -> Station:
    with _lock:
        for place, (known, station) in enumerate(_idle):
            if known == setup:
                del _idle[place]
                return station
    _close_stations()  # of another run
    return Station(pickle.loads(setup), seconds)


def _close_stations() -> None:
    with _lock:
        while _idle:
            _idle.pop()[1].close()
