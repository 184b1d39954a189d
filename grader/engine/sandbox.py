"""The security boundary: what a learner's process can reach, and how it is kept there.

Learners' code runs in a process forked from a *zygote*. Both are confined before any of that code runs: the zygote
when it starts (confine_zygote), each learner's process after its fork (enter). Inside, a learner's process has

- **files**: the interpreter, its library and its site-packages, the system's shared libraries, the packages
  ``convnets`` and ``grader.engine``, the data sets: all read-only, from an explicit list (python_files), never from
  ``sys.path``; and one scratch folder, its own, empty at the start, gone at the end. No tests, solutions,
  submissions, gradebook, home, ``/proc``; the environment is made anew;
- **identity**: nobody. No capabilities, no way to gain any (``no_new_privs``, no setuid on any mount);
- **neighbours**: none. No other process can be seen, traced, signalled or waited for;
- **network**: none, not even to 127.0.0.1; no sockets but stream pairs;
- **kernel**: the system calls that seccomp.py refuses fail;
- **amounts**: CPU time, memory, processes, file size, scratch space, descriptors, as in Limits.

It keeps one connected socket, to the trusted process that asked for it, and what comes over that socket is data to be
checked by its reader. Not confined: what a process may learn from timing and from the processor, and how much of one
core it uses until its limits end it.

Four tiers give this, the first that the machine allows is used (probe), and none is used silently:

=============  ==========================================================================================
namespaces     Own pid, mount, network, IPC, UTS and (for an ordinary user) user namespaces; each learner
               has its own of each. As root every learner has a user id of its own instead.
bubblewrap     Where an ordinary user may not make namespaces but bwrap may: the zygote runs in bwrap's,
               learners are held apart from each other as in the next tier. One process a learner.
landlock       Landlock and seccomp alone. One process a learner; names and sizes of files can be asked
               for, though no file outside the list opens.
none           Limits, and seccomp where it works, but every file of the user opens. Needs the caller's
               explicit consent.
=============  ==========================================================================================

Before a learner's process serves anyone it tries the doors itself (self_check), and does not serve if one opens.
"""

from __future__ import annotations

import contextlib
import math
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from grader.engine import linux, seccomp
from grader.engine.errors import EngineError
from grader.engine.limits import Limits

NOBODY = 65534
#: As root, learners get ids from here on, far above those of people and of systemd and container ranges.
FIRST_UID, UIDS = 1_900_000_000, 1 << 24

#: From the strongest to the weakest.
TIERS = ("namespaces", "bubblewrap", "landlock")

SCRATCH = "/scratch"
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_SYSTEM = (
    "/lib",
    "/lib32",
    "/lib64",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/local/lib",
    "/usr/share/zoneinfo",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/sys/devices/system/cpu",
)
_OPEN_FILES = 256


@dataclass(frozen=True)
class Isolation:
    """What this machine gives to keep learners' code apart.

    Attributes
    ----------
    tier : str
        "namespaces", "bubblewrap", "landlock" or "none".
    root : bool
        Whether the grader runs as root, so that each learner gets a user id of its own.
    landlock : int
        Version of Landlock, 0 without.
    lines : tuple of str
        What was found, one line each.
    """

    tier: str
    root: bool
    landlock: int
    lines: tuple[str, ...] = ()

    @property
    def alone(self) -> bool:
        """Whether a learner has one process only: there is no pid namespace that would end its children with it."""
        return self.tier != "namespaces"


# --- What this machine gives ----------------------------------------------------------------------------------


def probe(tiers: Sequence[str] = TIERS) -> Isolation:
    """Try tiers on this machine, the strongest first, and return the first that works; takes about 20 ms.

    Parameters
    ----------
    tiers : sequence of str
        Those to try; without success the answer is the tier "none".
    """
    if sys.platform != "linux":
        line = f"none: {sys.platform} has no namespaces, seccomp or Landlock; grade on Linux, in WSL or in a container"
        return Isolation("none", root=False, landlock=0, lines=(line,))
    root = os.geteuid() == 0
    version = linux.landlock_version()
    who = "as root, a user id for each learner" if root else "as an ordinary user"
    trials: dict[str, Callable[[], None]] = {
        "namespaces": lambda: _try_namespaces(root),
        "bubblewrap": lambda: _try_bubblewrap(root, version),
        "landlock": lambda: _try_landlock(version),
    }
    found, lines = "none", []
    for tier in tiers:
        failure = _in_a_fork(trials[tier])
        lines.append(f"{tier}: no, {failure}" if failure else f"{tier}: yes, {who}")
        if not failure:
            found = tier
            break
    lines.append(f"landlock: version {version}" if version else "landlock: not in this kernel")
    if found == "none":
        lines.append("none: a learner's code could open every file that is open to its user")
    return Isolation(found, root, version, tuple(lines))


def _in_a_fork(trial: Callable[[], None]) -> str:
    """Run a trial in a process of its own; return what failed, "" if nothing."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        failure = "it broke off"
        try:
            trial()
            failure = ""
        except OSError as error:
            failure = str(error.strerror or error)
        finally:
            os.write(writer, failure.encode() or b"\0")
            os._exit(0)
    os.close(writer)
    with open(reader, "rb") as pipe:
        said = pipe.read().decode()
    os.waitpid(pid, 0)
    return "it broke off" if not said else said.strip("\0")


def _try_namespaces(root: bool) -> None:
    _new_zygote_namespaces(root)
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            _build_root([])
            _private_namespaces(root, 0, Limits())
            seccomp.install(alone=False)
            status = 0
        except OSError as error:
            status = error.errno or 1
        finally:
            os._exit(status)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code:
        raise OSError(code, os.strerror(code))


def _try_bubblewrap(root: bool, landlock_version: int) -> None:
    program = shutil.which("bwrap")
    if program is None:
        raise OSError("bwrap is not installed")
    if root:
        raise OSError("not used as root, where it could not change the user")
    if landlock_version < 3:
        raise OSError("bwrap would need Landlock of Linux 6.2 to hold learners apart")
    command = [program, *_BUBBLEWRAP, "--ro-bind", "/", "/", "true"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        raise OSError((done.stderr.strip().splitlines() or ["bwrap failed"])[-1])


def _try_landlock(version: int) -> None:
    if version < 3:
        raise OSError("it needs Landlock version 3 (Linux 6.2)")
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    linux.landlock(version, ("/",), ())
    seccomp.install(alone=True)


# --- What a learner may read ----------------------------------------------------------------------------------


def python_files(extra: Iterable[Path | str] = ()) -> tuple[str, ...]:
    """Return the files and folders that a learner's process may read, as absolute paths, none inside another.

    Parameters
    ----------
    extra : iterable of Path or str
        More of them, such as the data sets.
    """
    base = Path(sys.base_prefix)
    paths = {Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    paths |= {base / "lib"} if base != Path("/usr") else set()
    executable = Path(sys.executable)
    paths |= {executable, executable.resolve(), Path(sys.prefix) / "pyvenv.cfg"}
    for package in ("convnets", "grader.engine"):
        spec = find_spec(package)
        paths |= {Path(folder) for folder in (spec.submodule_search_locations or ())} if spec else set()
    paths.add(Path(__file__).parent.parent / "__init__.py")
    paths |= {Path(path) for path in (*_SYSTEM, *extra)}
    chosen: list[str] = []
    for path in sorted(os.path.abspath(path) for path in paths if path.exists()):
        if not any(path.startswith(f"{above}/") for above in chosen):
            chosen.append(path)
    return tuple(chosen)


# --- The zygote -----------------------------------------------------------------------------------------------

_BUBBLEWRAP = (
    *("--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"),
    *("--uid", str(NOBODY), "--gid", str(NOBODY), "--hostname", "learner"),
    *("--new-session", "--cap-drop", "ALL"),
)


def zygote_command(isolation: Isolation, readable: tuple[str, ...], command: list[str]) -> list[str]:
    """Return the command that starts a zygote: in the tier bubblewrap bwrap comes before it."""
    if isolation.tier != "bubblewrap":
        return command
    binds = [word for path in readable for word in ("--ro-bind", os.path.realpath(path), path)]
    devices = [word for path in _DEVICES for word in ("--dev-bind", path, path)]
    rest = ["--proc", "/proc", "--size", str(64 << 20), "--tmpfs", SCRATCH, "--chdir", SCRATCH, "--", *command]
    return [shutil.which("bwrap") or "bwrap", *_BUBBLEWRAP, *binds, *devices, *rest]


def confine_zygote(isolation: Isolation, readable: tuple[str, ...]) -> None:
    """Confine this process, a zygote that has not read anything yet, before it imports what learners use.

    In the tier namespaces the caller goes on as process 1 of a new pid namespace that sees the listed files only:
    when it dies, everything in there dies.
    """
    if isolation.tier != "namespaces":
        return
    _new_zygote_namespaces(isolation.root)
    pid = os.fork()
    if pid:
        os.closerange(3, 1024)
        os._exit(abs(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])))
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
    _build_root([(path, os.path.realpath(path)) for path in readable])


def _new_zygote_namespaces(root: bool) -> None:
    if not root:
        _new_user_namespace(os.getuid(), os.getgid(), os.open("/proc/self", os.O_PATH | os.O_DIRECTORY))
    linux.unshare(linux.CLONE_NEWPID | linux.CLONE_NEWNS | linux.CLONE_NEWNET | linux.CLONE_NEWIPC | linux.CLONE_NEWUTS)
    socket.sethostname("learner")


def _new_user_namespace(uid: int, gid: int, proc_self: int) -> None:
    """Enter a user namespace in which this user, and nobody else, exists, under the name of nobody."""
    linux.unshare(linux.CLONE_NEWUSER)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{NOBODY} {uid} 1"),
        ("gid_map", f"{NOBODY} {gid} 1"),
    ):
        descriptor = os.open(name, os.O_WRONLY, dir_fd=proc_self)
        os.write(descriptor, text.encode())
        os.close(descriptor)
    os.close(proc_self)


def _build_root(readable: list[tuple[str, str]]) -> None:
    """Make a file system of the listed paths (where to show it, where it really is) and nothing else the root."""
    linux.mount("", "/", flags=linux.MS_REC | linux.MS_PRIVATE)  # nothing mounted here shows outside
    linux.mount("tmpfs", "/tmp", "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "mode=755,size=1m")
    os.makedirs("/tmp/old")
    os.makedirs("/tmp/new")
    linux.mount("tmpfs", "/tmp/new", "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "mode=755,size=1m")
    linux.pivot_root("/tmp", "/tmp/old")
    os.chdir("/")
    for shown, real in readable:
        _bind(f"/old{real}", f"/new{shown}")
        linux.make_read_only(f"/new{shown}", recursive=True)
    for device in _DEVICES:
        _bind(f"/old{device}", f"/new{device}")
        linux.make_read_only(f"/new{device}", recursive=False, devices=True)
    os.makedirs("/new/proc")
    hidden = linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC
    linux.mount("proc", "/new/proc", "proc", hidden)  # for the zygote; its learners have none
    os.makedirs(f"/new{SCRATCH}")
    linux.mount("tmpfs", f"/new{SCRATCH}", "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "mode=700,size=64m")
    for name in ("/new/tmp", "/new/dev/shm"):
        if not os.path.exists(name):
            os.symlink(SCRATCH, name)
    linux.make_read_only("/new", recursive=False)
    os.chdir("/new")
    linux.pivot_root(".", ".")  # the old root now lies on top of the new one
    linux.unmount(".")
    os.chdir("/")


def _bind(source: str, target: str) -> None:
    if os.path.isdir(source):
        os.makedirs(target)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY))
    linux.mount(source, target, flags=linux.MS_BIND | linux.MS_REC)


# --- A learner's process --------------------------------------------------------------------------------------


def choose_uid(isolation: Isolation) -> int:
    """Return the user id for one more learner: as root one of 16 million, if this system has them; else nobody's."""
    if not isolation.root:
        return NOBODY
    uid = FIRST_UID + int.from_bytes(os.urandom(3))
    with open("/proc/self/uid_map") as file:
        ranges = [tuple(map(int, line.split())) for line in file]
    return uid if any(first <= uid < first + count for first, _, count in ranges) else NOBODY


def fork_learner(isolation: Isolation) -> int:
    """Fork; in the tier namespaces the child is process 1 of a pid namespace of its own."""
    if isolation.tier != "namespaces":
        return os.fork()
    own = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    pid = -1
    linux.unshare(linux.CLONE_NEWPID)  # for children only
    try:
        pid = os.fork()
    finally:
        if pid != 0:
            linux.setns(own, linux.CLONE_NEWPID)
        os.close(own)
    return pid


def enter(
    isolation: Isolation,
    limits: Limits,
    *,
    uid: int,
    data: int,
    readable: tuple[str, ...],
    scratch: str,
    accepting: bool = False,
) -> None:
    """Confine this process, a learner's that was just forked; there is no way back.

    Parameters
    ----------
    isolation : Isolation
        From probe().
    limits : Limits
        The amounts.
    uid : int
        From choose_uid().
    data : int
        Bytes of private memory that the zygote had mapped, which do not count.
    readable : tuple of str
        What may be read, in the tiers without a file system of their own.
    scratch : str
        The folder that may be written, made by the caller in the tiers without a file system of their own.
    accepting : bool
        Whether it may accept connections on sockets that it is given.

    Raises
    ------
    OSError
        When a step fails; the process must not go on then.
    """
    os.setsid()  # before anything is signalled: the process group is still the zygote's
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
    Path("/proc/self/oom_score_adj").write_text("1000")  # where the machine runs out of memory, this goes first
    if isolation.tier == "namespaces":
        _private_namespaces(isolation.root, uid, limits)
    os.chdir(scratch)
    os.environ.update(HOME=scratch, TMPDIR=scratch)
    linux.drop_bounding_set()
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    if isolation.landlock and isolation.tier != "none":
        # As the user that could start the zygote, who may look into folders where nobody may not.
        files = readable if isolation.alone else ("/",)
        linux.landlock(isolation.landlock, files, (scratch, *_DEVICES))
    if isolation.root:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)  # a change of user resets it
    linux.drop_capabilities()
    _limit_amounts(isolation, limits, data)
    with contextlib.suppress(OSError) if isolation.tier == "none" else contextlib.nullcontext():
        seccomp.install(alone=isolation.alone, accepting=accepting)


def _private_namespaces(root: bool, uid: int, limits: Limits) -> None:
    """Leave the zygote's namespaces for new ones with an empty scratch folder and without /proc."""
    proc_self = os.open("/proc/self", os.O_PATH | os.O_DIRECTORY)
    linux.unshare(linux.CLONE_NEWNS | linux.CLONE_NEWNET | linux.CLONE_NEWIPC)
    owner = uid if root else NOBODY
    options = f"mode=700,uid={owner},gid={owner},size={limits.scratch},nr_inodes=4096"
    linux.mount("tmpfs", SCRATCH, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, options)
    linux.unmount("/proc")
    if root:
        os.close(proc_self)
    else:
        # One more user namespace: the mounts belong to the one outside, where this process now has no power, and
        # processes are counted for this learner alone (Linux 5.14).
        _new_user_namespace(NOBODY, NOBODY, proc_self)


def _limit_amounts(isolation: Isolation, limits: Limits, data: int) -> None:
    amounts = {
        # The watchdog counts all processes; this is the second wall, a second later, for each.
        resource.RLIMIT_CPU: math.ceil(limits.cpu) + 1,
        resource.RLIMIT_FSIZE: limits.file_size,
        resource.RLIMIT_NOFILE: _OPEN_FILES,
        # What is asked for, whether touched or not, per process. The watchdog of the zygote counts what is touched, of
        # all processes; this is the second wall, for requests that are out of all proportion: MemoryError.
        resource.RLIMIT_DATA: data + 2 * limits.memory,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
        # Not 0: a core file that is piped to a program ignores 0, and 1 stops that too (core(5), fs/coredump.c).
        resource.RLIMIT_CORE: 1,
    }
    if not isolation.alone:  # elsewhere all processes of this user would count
        amounts[resource.RLIMIT_NPROC] = limits.processes
    for kind, amount in amounts.items():
        hard = resource.getrlimit(kind)[1]
        amount = amount if hard == resource.RLIM_INFINITY else min(amount, hard)
        resource.setrlimit(kind, (amount, amount))


def self_check(isolation: Isolation, readable: tuple[str, ...], forbidden: tuple[str, ...]) -> None:
    """Try the doors from inside; called in a learner's process after enter().

    Parameters
    ----------
    isolation : Isolation
        From probe(); in the tier none nothing is shut, so nothing is tried.
    readable, forbidden : tuple of str
        Files and folders that must open, and that must not.

    Raises
    ------
    EngineError
        When a door opens that must not, or the other way round.
    """
    if isolation.tier == "none":
        return
    for path in (*forbidden, "/proc/self/environ", "/etc/shadow"):
        with contextlib.suppress(OSError):
            os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
            raise EngineError(f"the sandbox ({isolation.tier}) would let a learner open {path}: it does not run")
    with contextlib.suppress(OSError):
        socket.socket(socket.AF_UNIX).close()
        raise EngineError(f"the sandbox ({isolation.tier}) would let a learner make sockets: it does not run")
    if not linux.prctl(linux.PR_GET_NO_NEW_PRIVS) or 0 in (*os.getresuid(), *os.getresgid(), *os.getgroups()):
        raise EngineError(f"the sandbox ({isolation.tier}) leaves a learner with rights to gain: it does not run")
    for path in readable:
        try:
            os.close(os.open(path, os.O_RDONLY))
        except OSError as error:
            raise EngineError(f"learners run as user {os.getuid()}, who cannot read what they need: {error}") from None
