"""How much a learner's process may take before it is stopped."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from grader.engine.errors import EngineError

KIB = 1 << 10
MIB = 1 << 20
GIB = 1 << 30

#: The smallest value that still lets an honest submission run; below it every learner would be stopped.
_SMALLEST = {"memory": 64 * MIB, "processes": 1, "file_size": KIB, "output": KIB, "reply": KIB}


@dataclass(frozen=True)
class Limits:
    """What one learner's process and everything it starts may take.

    Attributes
    ----------
    start : float
        Seconds of wall time from asking for a learner to its being ready.
    cell, call : float
        Seconds of wall time for one cell, and for one call of a learner's function; watched by the caller.
    total : float
        Seconds of wall time for a whole submission; watched by the caller.
    cpu : float
        Seconds of CPU time of the process and its children together.
    memory : int
        Bytes of memory of the process and its children together (proportional set size).
    processes : int
        Processes and threads alive at once; where the tier allows one process only, it bounds nothing more.
    file_size : int
        Bytes of any file written; the scratch folder holds four times as much.
    output : int
        Bytes of printed output kept.
    reply : int
        Bytes of one reply.

    Raises
    ------
    EngineError
        When a value is not a number, not finite, or too small for any submission to run.
    """

    start: float = 10.0
    cell: float = 20.0
    call: float = 10.0
    total: float = 120.0
    cpu: float = 60.0
    memory: int = 2 * GIB
    processes: int = 32
    file_size: int = 16 * MIB
    output: int = MIB
    reply: int = 64 * MIB

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            smallest = _SMALLEST.get(field.name)
            if smallest is None:
                if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < math.inf:
                    raise EngineError(f"the limit {field.name} must be a positive number of seconds, not {value!r}")
            elif type(value) is not int or value < smallest:
                least = f"{smallest // MIB} MiB" if smallest >= MIB else f"{smallest:,}"
                raise EngineError(f"the limit {field.name} must be a whole number of at least {least}, not {value!r}")

    @property
    def scratch(self) -> int:
        """Bytes the scratch folder holds."""
        return 4 * self.file_size
