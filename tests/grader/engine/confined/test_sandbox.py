"""The boundary, tried from inside: the doors a learner's code could try, in every tier that this machine gives."""

import errno
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from grader.engine import linux, sandbox, seccomp
from grader.engine.errors import EngineError
from grader.engine.limits import Limits
from grader.engine.zygote import Zygote
from tests.grader.engine.confined.conftest import Asked, LearnerError

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[3]

OPENED = """
import os
result = []
for path in {paths!r}:
    for flags in (os.O_RDONLY, os.O_WRONLY, os.O_RDONLY | os.O_DIRECTORY):
        try:
            os.close(os.open(path, flags))
            result.append(path)
        except OSError:
            pass
"""

LISTED = """
import os
result = {{}}
for path in {paths!r}:
    try:
        result[path] = os.listdir(path)
    except OSError:
        pass
"""

# Makes a system call by its number; result is the errno, 0 for success.
SYSCALL = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def call(*arguments):
    ctypes.set_errno(0)
    return ctypes.get_errno() if libc.syscall(*map(ctypes.c_long, arguments)) < 0 else 0
"""


# --- files ----------------------------------------------------------------------------------------------------


def test_secrets_do_not_open(learner, secrets):
    processes = [f"/proc/{pid}/{name}" for pid in ("self", 1, os.getpid()) for name in ("environ", "mem", "maps")]
    paths = [*map(str, secrets), "/etc/shadow", "/etc/passwd", "/etc/hostname", "/var/log", *processes]
    assert learner.run(OPENED.format(paths=paths)) == []


def test_folders_show_only_what_is_on_the_list(learner, zygotes):
    allowed = [*sandbox.python_files([HERE / "learners", ROOT / "datasets"]), sandbox.SCRATCH, "/dev", "/tmp"]
    folders = ["/", "/root", "/home", "/etc", "/usr", "/var", "/proc", os.path.expanduser("~"), str(ROOT), str(HERE)]
    for folder, names in learner.run(LISTED.format(paths=folders)).items():
        for name in names:
            path = os.path.join(folder, name)
            on_the_way = any(f"{shown}/".startswith(f"{path}/") for shown in allowed)
            assert on_the_way or path == "/proc", path


def test_what_learners_need_opens(learner):
    learner.run("import numpy.testing, matplotlib.pyplot, decimal, sqlite3, unittest.mock")
    assert learner.run("from convnets import data; result = data.photograph(data.photograph_names()[0]).ndim") >= 2


def test_nothing_outside_scratch_can_be_written(learner, zygotes, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    outside.chmod(0o777)
    folders = ["/", "/tmp", "/dev", "/usr/lib", "/etc", "/proc", "/sys", str(outside), str(ROOT / "convnets")]
    folders += [os.path.dirname(os.__file__), os.path.dirname(pytest.__file__), str(ROOT / "datasets")]
    code = f"""
import os, shutil
result = []
for folder in {folders!r}:
    for attempt in (
        lambda: os.close(os.open(folder + "/written", os.O_CREAT | os.O_WRONLY)),
        lambda: os.mkdir(folder + "/made"),
        lambda: os.symlink("/", folder + "/linked"),
        lambda: os.rename(os.getcwd() + "/own", folder + "/moved"),
    ):
        open("own", "w").close()
        try:
            attempt()
            if os.path.realpath(folder) != os.getcwd():
                result.append(folder)
        except OSError:
            pass
"""
    assert learner.run(code) == []
    assert list(outside.iterdir()) == []


def test_files_that_can_be_read_cannot_be_changed(learner):
    shared = [os.__file__, str(ROOT / "convnets/__init__.py"), str(ROOT / "datasets/manifest.json")]
    before = [os.stat(path) for path in shared]
    code = f"""
import os
result = []
for path in {shared!r}:
    for attempt in (
        lambda: open(path, "a"), lambda: os.truncate(path, 0), lambda: os.chmod(path, 0o666), lambda: os.utime(path),
        lambda: os.chown(path, os.getuid(), -1), lambda: os.remove(path), lambda: os.link(path, "link"),
        lambda: os.setxattr(path, "user.mark", b"1"),
    ):
        try:
            attempt()
            result.append(path)
        except OSError:
            pass
"""
    assert learner.run(code) == []
    assert [os.stat(path)[:9] for path in shared] == [status[:9] for status in before]


def test_scratch_is_home_working_folder_and_empty(learner):
    code = (
        "import os, tempfile; result = (os.getcwd(), os.path.expanduser('~'), tempfile.gettempdir(), os.listdir('.'))"
    )
    folder, home, temporary, names = learner.run(code)
    assert folder == home == temporary
    assert names == []
    assert learner.run("open('x', 'w').write('kept'); result = open('x').read()") == "kept"


def test_the_environment_is_made_anew(zygotes, monkeypatch):
    monkeypatch.setenv("GRADEBOOK_PASSWORD", "secret")
    monkeypatch.setenv("PYTHONPATH", "/secret")
    with zygotes.open() as zygote, zygote.spawn() as child:
        environment = Asked(child).run("import os; result = dict(os.environ)")
    assert environment["OMP_NUM_THREADS"] == "1"
    assert not {"GRADEBOOK_PASSWORD", "PYTHONPATH", "SSH_AUTH_SOCK"} & set(environment)


def test_the_list_is_not_made_from_sys_path(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "solutions"))
    listed = sandbox.python_files()
    assert not any(str(ROOT / "solutions").startswith(path) for path in listed)
    assert str(ROOT / "grader") not in listed
    assert not any(one != other and other.startswith(f"{one}/") for one in listed for other in listed)


def test_descriptors_of_the_zygote_are_closed(learner):
    code = """
import fcntl
result = []
for number in range(256):
    try:
        fcntl.fcntl(number, fcntl.F_GETFD)
        result.append(number)
    except OSError:
        pass
"""
    assert learner.run(code) == [0, 1, 2, 3]


# --- network and other processes ------------------------------------------------------------------------------


def test_no_network(learner):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        code = f"""
import socket
result = []
for attempt in (
    lambda: socket.create_connection(("127.0.0.1", {port}), 2),
    lambda: socket.socket(socket.AF_UNIX),
    lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", {port})),
    lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM),
    lambda: sock.connect("/tmp/x"),
):
    try:
        attempt()
        result.append("opened")
    except OSError as error:
        result.append(type(error).__name__)
"""
        assert learner.run(code) == ["PermissionError"] * 5
        server.settimeout(0.05)
        with pytest.raises(TimeoutError):
            server.accept()
    assert learner.run("import socket; a, b = socket.socketpair(); a.send(b'x'); result = b.recv(1)") == b"x"


def test_other_processes_cannot_be_signalled_or_seen(zygotes):
    with subprocess.Popen(["sleep", "60"]) as victim, zygotes.get("plain").spawn() as other:
        with zygotes.get("plain").spawn() as child:
            code = f"""
import os, resource, signal
result = []
for pid in ({victim.pid}, {os.getpid()}, {zygotes.get("plain").pid}, -1, -{os.getpgid(victim.pid)}, 0):
    for number in (0, signal.SIGTERM, signal.SIGKILL):
        if pid in (0, -1) and number == 0:
            continue  # one's own group answers that
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        try:
            os.kill(pid, number)
            result.append(pid)
        except OSError:
            pass
    try:
        resource.prlimit(pid, resource.RLIMIT_CPU, (1, 1))
        result.append(pid if pid else "self")
    except (OSError, ValueError):
        pass
"""
            try:
                reached = Asked(child).run(code)
            except EOFError:
                reached = []  # kill(0) or kill(-1) reached nobody but itself
        assert set(reached) <= {0, -1, "self"}
        assert Asked(other).run("result = 1") == 1
        assert victim.poll() is None
        victim.kill()


# --- rights ---------------------------------------------------------------------------------------------------


def test_a_learner_is_nobody_and_stays_so(learner, isolation):
    status = learner.run("import os; result = (os.getresuid(), os.getresgid(), os.getgroups())")
    if isolation.root:
        assert min(status[0]) >= sandbox.FIRST_UID
        assert min(status[1]) >= sandbox.FIRST_UID
        assert status[2] == []
    elif isolation.tier != "landlock":
        assert set(status[0]) == {sandbox.NOBODY}
    for attempt in ("os.setuid(0)", "os.setresuid(0, 0, 0)", "os.setgid(0)", "os.setgroups([0])"):
        with pytest.raises(LearnerError, match=r"PermissionError|Invalid argument"):
            learner.run(f"import os; {attempt}")
    code = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
held = (ctypes.c_uint32 * 6)()
libc.capget((ctypes.c_uint32 * 2)(0x20080522, 0), held)
bounding = [number for number in range(64) if libc.prctl(24 - 1, number, 0, 0, 0) == 1]
result = (libc.prctl(39, 0, 0, 0, 0), list(held), bounding, os.statvfs(os.__file__).f_flag & os.ST_NOSUID)
"""
    no_new_privileges, capabilities, bounding, nosuid = learner.run(code)
    assert no_new_privileges == 1
    assert capabilities == [0] * 6
    assert bounding == [] or isolation.tier == "landlock"
    assert nosuid or isolation.tier == "landlock"


def test_a_setuid_program_gives_nothing(zygotes, tmp_path_factory):
    if os.geteuid() != 0:
        pytest.skip("only root can make a setuid program of root's")
    if zygotes.isolation.alone:
        pytest.skip("a learner of this tier starts no programs")
    folder = tmp_path_factory.mktemp("setuid")
    folder.chmod(0o755)
    program = folder / "id"
    shutil.copy("/usr/bin/id", program)
    program.chmod(0o4755)
    with zygotes.open(readable=[folder]) as zygote, zygote.spawn() as child:
        code = f"import subprocess; result = subprocess.check_output([{str(program)!r}, '-u'], text=True)"
        assert int(Asked(child).run(code)) >= sandbox.FIRST_UID


def test_every_refused_call_is_refused(learner, isolation):
    column = linux.COLUMN
    refused = dict(seccomp.REFUSED)
    if isolation.alone:
        refused |= seccomp.REFUSED_IN_PLAIN_SIGHT
    numbers = {name: values[column] for name, values in refused.items() if values[column] is not None}
    code = SYSCALL + f"result = {{name: call(number, *[-1] * 6) for name, number in {numbers!r}.items()}}"
    assert learner.run(code) == dict.fromkeys(numbers, errno.EPERM)


def test_namespaces_cannot_be_made(learner):
    column = linux.COLUMN
    clone, clone3 = (seccomp.CHECKED[name][column] for name in ("clone", "clone3"))
    assert (
        learner.run(f"{SYSCALL}result = [call({clone}, 1 << bit | 17) for bit in (7, 17, 25, 26, 27, 28, 29, 30)]")
        == [errno.EPERM] * 8
    )
    assert learner.run(f"{SYSCALL}result = call({clone3}, 0, 0)") == errno.ENOSYS


def test_no_core_file(learner):
    learner.send("import os, resource; open('x', 'w'); os.abort()")
    with pytest.raises(EOFError):
        learner.answer()
    death = learner.child.wait(20)
    assert death.kind == "killed"
    assert re.search("SIGABRT|SIGSEGV|SIGILL", death.detail)
    assert not list(Path.cwd().glob("core*"))


# --- the filter, run by an interpreter of its own -------------------------------------------------------------


def verdict(program, number, arguments=(0,) * 6, architecture=None):
    """Return what a seccomp filter says of a call."""
    architecture = seccomp._ARCHITECTURE[linux.COLUMN] if architecture is None else architecture
    data = struct.pack("IIQ6Q", number, architecture, 0, *arguments)
    steps = list(struct.iter_unpack("HBBI", program))
    at = accumulator = 0
    while True:
        code, if_true, if_false, operand = steps[at]
        at += 1
        if code == 0x20:
            (accumulator,) = struct.unpack_from("I", data, operand)
        elif code == 0x54:
            accumulator &= operand
        elif code == 0x06:
            return operand
        else:
            test = {0x15: accumulator == operand, 0x35: accumulator >= operand, 0x45: accumulator & operand}
            at += if_true if test[code] else if_false


ALLOW, KILL, EPERM, ENOSYS = 0x7FFF0000, 0x80000000, 0x50000 | errno.EPERM, 0x50000 | errno.ENOSYS


@pytest.mark.parametrize("alone", [True, False])
def test_the_filter(alone):
    program = seccomp.build(alone=alone, pid=7)
    number = {name: values[linux.COLUMN] for name, values in (seccomp.REFUSED | seccomp.CHECKED).items()}
    assert verdict(program, 0) == ALLOW  # read, or io_setup
    assert verdict(program, 0, architecture=0x40000003) == KILL  # 32-bit calls have other numbers
    assert verdict(program, 0x40000000 | number["ptrace"]) == ENOSYS  # the x32 doors to the same calls
    assert verdict(program, seccomp.LAST_KNOWN + 1) == ENOSYS
    assert verdict(program, number["ptrace"]) == EPERM
    assert verdict(program, number["clone3"]) == ENOSYS
    thread, fork, user_namespace = 0x3D0F00, 0x1200011, 0x10000000
    assert verdict(program, number["clone"], (thread, *[0] * 5)) == ALLOW
    assert verdict(program, number["clone"], (fork, *[0] * 5)) == (EPERM if alone else ALLOW)
    assert verdict(program, number["clone"], (thread | user_namespace, *[0] * 5)) == EPERM
    assert verdict(program, number["socketpair"], (1, 0x80001, 0, 0, 0, 0)) == ALLOW
    assert verdict(program, number["socketpair"], (1, 2, 0, 0, 0, 0)) == EPERM
    assert verdict(program, number["socketpair"], (2, 1, 0, 0, 0, 0)) == EPERM
    assert verdict(program, number["prlimit64"], (0, 7, 0, 0, 0, 0)) == ALLOW
    assert verdict(program, number["prlimit64"], (8, 7, 0, 0, 0, 0)) == EPERM
    assert verdict(program, number["kill"], (7, 9, 0, 0, 0, 0)) == ALLOW
    assert verdict(program, number["kill"], (8, 9, 0, 0, 0, 0)) == (EPERM if alone else ALLOW)
    assert verdict(program, number["prctl"], (1, 0, 0, 0, 0, 0)) == EPERM
    assert verdict(program, number["prctl"], (15, 0, 0, 0, 0, 0)) == ALLOW
    assert verdict(program, number["fcntl"], (0, 8, 0, 0, 0, 0)) == EPERM
    assert verdict(program, number["fcntl"], (0, 3, 0, 0, 0, 0)) == ALLOW


def test_the_numbers_are_the_kernels():
    headers = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), Path("/usr/include/asm-generic/unistd.h")
    if not all(header.exists() for header in headers):
        pytest.skip("the kernel's headers are not installed (linux-libc-dev)")
    tables = seccomp.REFUSED | seccomp.REFUSED_IN_PLAIN_SIGHT | seccomp.CHECKED | linux._NUMBERS
    for column, header in enumerate(headers):
        found = dict(re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", header.read_text()))
        for name, numbers in tables.items():
            if name in found:  # the header may be older than the call
                assert numbers[column] == int(found[name]), name


# --- refusing to run ------------------------------------------------------------------------------------------


def test_an_open_door_stops_everything(zygotes):
    with (
        zygotes.open(forbidden=[ROOT / "convnets"]) as zygote,
        pytest.raises(EngineError, match=r"would let a learner open .*convnets: it does not run"),
    ):
        zygote.spawn()


def test_what_learners_need_but_cannot_read_stops_everything(zygotes, tmp_path_factory):
    shut = tmp_path_factory.mktemp("shut")
    shut.chmod(0)
    if os.geteuid() != 0:
        pytest.skip("an ordinary user's own folder is the learner's too")
    with zygotes.open(readable=[shut]) as zygote, pytest.raises(EngineError, match=r"cannot read what they need.*shut"):
        zygote.spawn()


def test_a_tier_that_does_not_hold_is_noticed():
    """Landlock announced but not there: every file opens, and the self-check must see it."""
    claimed = sandbox.Isolation("landlock", os.geteuid() == 0, landlock=0)
    with (
        Zygote("numpy", claimed, Limits(start=30), entry="asked:serve", import_paths=[HERE / "learners"]) as zygote,
        pytest.raises(EngineError, match=r"would let a learner open|cannot read what they need"),
    ):
        zygote.spawn()


def test_no_isolation_needs_consent():
    isolation = sandbox.probe(())
    assert isolation.tier == "none"
    with pytest.raises(EngineError, match="allow it explicitly"):
        Zygote("numpy", isolation, Limits())


def test_the_probe_says_what_it_found(isolation):
    assert isolation.lines[0].startswith(f"{isolation.tier}: yes")
    assert all("\n" not in line for line in isolation.lines)


def test_bubblewrap_not_installed_is_said(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    isolation = sandbox.probe(("bubblewrap",))
    assert isolation.tier == "none"
    assert "not installed" in isolation.lines[0]


# --- the same as others ---------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("uid", "tiers", "files"),
    [
        (12345, "namespaces or bubblewrap or landlock", ["test_sandbox.py", "test_zygote.py"]),
        (0, "landlock", ["test_sandbox.py"]),
    ],
)
def test_the_same_as_others(uid, tiers, files):
    """As root these files try root's mounts and user ids; once more with user namespaces, bwrap and Landlock.

    And Landlock as root, which takes a Python that others may read.
    """
    if os.geteuid() != 0:
        pytest.skip("these tests already run as an ordinary user")
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        # Not this test, whose name holds the tiers: it would run itself without end.
        chosen = f"({tiers}) and not same_as_others"
        run = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--basetemp", f"{folder}/t", "-k", chosen]
        done = subprocess.run(
            [
                sys.executable,
                str(HERE / "as_user.py"),
                str(uid),
                str(ROOT),
                *run,
                *(str(HERE / file) for file in files),
            ],
            capture_output=True,
            text=True,
            timeout=900,
            env={**os.environ, "HOME": folder, "PYTHONDONTWRITEBYTECODE": "1"},
        )
    if "PermissionError" in done.stderr:
        pytest.skip(f"no mounts on this machine: {done.stderr.splitlines()[-1]}")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) > 10
