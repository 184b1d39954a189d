"""The zygotes of this process, one for each kind of kernel that was asked for; they end with this process."""

from __future__ import annotations

import atexit
import os
import sys
import sysconfig
import threading
from pathlib import Path

from jupyter_core.paths import jupyter_runtime_dir

from grader.engine import sandbox
from grader.engine.limits import Limits
from grader.engine.zygote import ONE_THREAD, Child, Zygote

#: Seconds to wait for a kernel's process once the zygote is warm; forking takes hundredths of one.
_START_SECONDS = 30.0
#: How variables begin that Python, the linker or a library reads once, when it starts.
_READ_ONCE = ("PYTHON", "LD_", "MPLCONFIGDIR", "NPY_", "NUMPY_", "TORCH", "PYTORCH_", "MKL_DEBUG", "KMP_", "GOMP_")


class PlainZygote(Zygote):
    """A zygote whose kernels are ordinary processes of the user.

    Parameters
    ----------
    profile : str
        "numpy" or "torch": what is imported.
    environment : dict
        The environment of the first kernel; Python starts and imports in it, on one thread.
    """

    def __init__(self, profile: str, environment: dict[str, str]) -> None:
        self._profile = profile
        self._variables = environment
        self._limits = Limits(start=_START_SECONDS)
        self._base_owner = 0
        self._state = _state(environment)
        self._start()

    def fits(self, environment: dict[str, str]) -> bool:
        """Tell whether a kernel with this environment, started anew, would have imported the same."""
        return self._state == _state(environment)

    def retire(self) -> None:
        """Ask it for no more; it ends when its last kernel does."""
        self._control.close()

    def _command(self, control: int) -> list[str]:
        program = "import sys; del sys.path[0]; from grader.kernels.zygote_main import main; main()"
        return [sys.executable, "-c", program, str(control), self._profile]

    def _environment(self) -> dict[str, str]:
        return {**self._variables, **dict.fromkeys(ONE_THREAD, "1")}


def _state(environment: dict[str, str]) -> tuple[object, ...]:
    """Return what decides what an import gives: variables that are read once, and what is installed.

    The time of a folder of packages changes whenever one is installed or removed.
    """
    variables = sorted(item for item in environment.items() if item[0].startswith(_READ_ONCE))
    folders = sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    return (*variables, *(os.stat(folder).st_mtime_ns for folder in folders))


_plain: dict[str, PlainZygote] = {}
_sandboxed: dict[tuple[str, Limits], Zygote] = {}
# Jupyter starts several kernels at once, each from a thread of its own.
_lock = threading.Lock()


def spawn_plain(profile: str, environment: dict[str, str]) -> Child:
    """Return a process that waits for the order to be a kernel of the user.

    Raises
    ------
    EngineError
        When there is none.
    """
    with _lock:
        zygote = _plain.get(profile)
        if zygote is not None and not zygote.fits(environment):
            zygote.retire()
            zygote = None
        if zygote is None:
            zygote = _plain[profile] = PlainZygote(profile, environment)
        return zygote.spawn()


def spawn_sandboxed(profile: str, limits: Limits) -> Child:
    """Return a process in the sandbox that waits for the order to be a kernel.

    Raises
    ------
    EngineError
        When there is none, or nothing confines it on this machine.
    """
    with _lock:
        zygote = _sandboxed.get((profile, limits))
        if zygote is None:
            zygote = Zygote(
                profile,
                sandbox.probe(),
                limits,
                entry="grader.kernels.kernel:serve",
                readable=[Path(__file__).parent],
                forbidden=[Path(jupyter_runtime_dir())],  # the keys of other kernels
                accepting=True,
            )
            atexit.register(zygote.close)
            _sandboxed[profile, limits] = zygote
        return zygote.spawn()
