"""Kernels forked warm do what kernels do: start, run, stop at an interrupt, start again, and leave nothing behind."""

import ast
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from grader.engine import sandbox
from grader.engine.errors import EngineError
from grader.kernels import provisioner as provisioners
from grader.kernels import zygote as zygotes
from tests.grader.engine.confined.conftest import descendants, eventually, living
from tests.grader.kernels.conftest import KernelError, manager, running


def started(pid):
    """Return the names of the programs below a process, and whether they have ended."""
    return [Path("/proc", str(child), "cmdline").read_bytes() for child in descendants(pid)]


# --- what a kernel does ---------------------------------------------------------------------------------------


def test_it_is_forked_warm_and_runs_cells(either, tmp_path):
    with running(tmp_path) as kernel:
        assert kernel.run("import sys; print('matplotlib.pyplot' in sys.modules)") == "True\n"
        assert kernel.run("x = 6\nx * 7") == "42"
        assert "image/png" in kernel.run("import matplotlib.pyplot as plt; plt.plot([1, 2]);")
        with pytest.raises(KernelError, match="ZeroDivisionError"):
            kernel.run("1 / 0")
        assert kernel.run("import __main__; __main__.x") == "6"
        # What is written to the descriptor, not to sys.stdout, reaches the notebook too.
        assert "below Python" in kernel.run("import os, time; os.write(1, b'below Python'); time.sleep(0.3)")


STATE = """
import gc, os, resource, signal, sys, threading, __main__
os.umask(mask := os.umask(0o22))
print({
    "folder": os.getcwd(),
    "environment": {name: value for name, value in os.environ.items() if name != "JPY_PARENT_PID"},
    "path": sys.path,
    "arguments": sys.argv[1:2],
    "main": [__main__.__name__, __main__ is sys.modules["__main__"]],
    "session": os.getsid(0) == os.getpgid(0) == os.getpid(),
    "descriptors": sorted(os.listdir("/proc/self/fd"))[:3],
    "mask": mask,
    "flags": list(sys.flags),
    "handlers": [str(signal.getsignal(number)) for number in (signal.SIGTERM, signal.SIGCHLD, signal.SIGPIPE)],
    "limits": [resource.getrlimit(kind) for kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_CPU)],
    "identity": [os.getresuid(), os.getgroups()],
    "threads": sorted(thread.name.partition("-")[0] for thread in threading.enumerate()),
    "collects": gc.isenabled(),
    "backend": __import__("matplotlib").get_backend(),
    "torch": __import__("torch").get_num_threads(),
})
"""


def test_its_state_is_that_of_an_ordinary_kernel(provisioner, tmp_path):
    (tmp_path / "helper.py").write_text("value = 5")
    environment = {**os.environ, "ASKED": "for"}
    del environment["PATH"]
    states = {}
    for name in ("local-provisioner", "warm"):
        provisioner(name)
        with running(tmp_path, env=environment) as kernel:
            states[name] = ast.literal_eval(kernel.run(STATE))
            assert kernel.run("import helper; helper.value") == "5"
    assert states["warm"] == states["local-provisioner"]
    assert states["warm"]["folder"] == str(tmp_path)
    assert states["warm"]["environment"]["ASKED"] == "for"


def test_its_own_output_goes_where_it_was_sent(warm, tmp_path):
    with Path(tmp_path, "log").open("wb") as log, running(tmp_path, stdout=log, stderr=subprocess.DEVNULL) as kernel:
        kernel.run("import sys; print('beside the notebook', file=sys.__stdout__, flush=True)")
        assert eventually(lambda: b"beside the notebook" in Path(log.name).read_bytes())


def test_an_interrupt_stops_a_cell_and_nothing_else(either, tmp_path):
    with running(tmp_path) as kernel:
        kernel.run("kept = 1")
        timer = threading.Timer(1, kernel.manager.interrupt_kernel)
        timer.start()
        with pytest.raises(KernelError, match="KeyboardInterrupt"):
            kernel.run("import time\nwhile True: time.sleep(0.01)")
        timer.join()
        assert kernel.run("kept") == "1"


def test_a_restart_begins_anew(either, tmp_path):
    with running(tmp_path) as kernel:
        kernel.run("kept = 1")
        drawn = kernel.run("import numpy as np; np.random.rand()")
        kernel.restart()
        with pytest.raises(KernelError, match="NameError"):
            kernel.run("kept")
        assert kernel.run("import numpy as np; np.random.rand()") != drawn


def test_several_kernels_share_nothing(either, tmp_path):
    with running(tmp_path) as one, running(tmp_path) as other, running(tmp_path) as third:
        kernels = (one, other, third)
        for number, kernel in enumerate(kernels):
            kernel.run(f"import numpy; numpy.mark = {number}")
        assert [kernel.run("numpy.mark") for kernel in kernels] == ["0", "1", "2"]
        assert len({kernel.run("numpy.random.rand()") for kernel in kernels}) == 3


def test_threads_of_numpy_and_torch_work_after_the_fork(either, tmp_path):
    """A fork after an operation on two threads hangs at the first product."""
    environment = {**os.environ, "OMP_NUM_THREADS": "2"}
    code = """
import concurrent.futures, ctypes, pathlib, numpy as np, torch
weight = torch.rand(300, 300, requires_grad=True)
(torch.rand(300, 300) @ weight).relu().sum().backward()
torch.optim.Adam([weight]).step()
loader = torch.utils.data.DataLoader(torch.arange(8), batch_size=4)
with concurrent.futures.ThreadPoolExecutor(2) as pool:
    sums = list(pool.map(lambda n: int((np.ones((400, 400)) @ np.ones((400, 400)) * n).sum()), (1, 2)))
(library,) = pathlib.Path(np.__file__).parents[1].glob("numpy.libs/libscipy_openblas64_*")
print(torch.get_num_threads(), ctypes.CDLL(str(library)).scipy_openblas_get_num_threads64_(), sums, len(list(loader)))
"""
    with running(tmp_path, "torch", env=environment) as kernel:
        assert kernel.run("import sys; print('torch' in sys.modules)") == "True\n"
        assert kernel.run(code) == f"2 2 {[400**3, 2 * 400**3]} 2\n"


# --- how it ends ----------------------------------------------------------------------------------------------


def test_a_shutdown_leaves_nothing(either, tmp_path):
    with running(tmp_path) as kernel:
        before = set(descendants(os.getpid()))
        if either == "warm":
            kernel.run("import subprocess; subprocess.Popen(['sleep', '600']); None")
            assert any(b"sleep" in name for name in started(os.getpid()))
        kernel.client.stop_channels()
        kernel.manager.shutdown_kernel()
        assert not kernel.manager.is_alive()
        assert not Path(kernel.manager.connection_file).exists()
        assert eventually(lambda: len(set(descendants(os.getpid())) & before) == len(before) - 1)
        assert not any(b"sleep" in name for name in started(os.getpid()))


def test_a_death_is_noticed(either, tmp_path):
    with running(tmp_path) as kernel:
        kernel.client.execute("import os; os._exit(3)")
        assert eventually(lambda: not kernel.manager.is_alive())


def test_kernels_die_with_their_zygote_and_the_next_one_has_a_new_one(either, tmp_path):
    with running(tmp_path) as kernel:
        kept = zygotes._plain if either == "warm" else zygotes._sandboxed
        for zygote in kept.values():
            os.kill(zygote.pid, signal.SIGKILL)
        assert eventually(lambda: not kernel.manager.is_alive())
    with running(tmp_path) as kernel:
        assert kernel.run("1 + 1") == "2"


SERVER = """
import os, sys, time
from jupyter_client.manager import KernelManager
from traitlets.config import Config
manager = KernelManager(config=Config({"WarmProvisioner": {"profile": "numpy"}}))
manager.start_kernel()
client = manager.client()
client.start_channels()
client.wait_for_ready(60)
print("ready", flush=True)
time.sleep(600)
"""


def test_kernels_die_with_the_server(either, tmp_path):
    server = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, cwd=tmp_path)
    assert server.stdout.readline() == b"ready\n"
    pids = descendants(server.pid)
    assert len(pids) >= 2
    server.kill()
    server.wait()
    server.stdout.close()
    assert eventually(lambda: not living(pids)), living(pids)


# --- where it is not to be had --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cmd", "options", "why"),
    [
        (["ir", "-e", "IRkernel::main()"], {}, "not ipykernel of"),
        (["/elsewhere/bin/python", "-m", "ipykernel_launcher", "-f", "file"], {}, "not ipykernel of"),
        ([sys.executable, "-m", "bash_kernel", "-f", "file"], {}, "not ipykernel of"),
        ([sys.executable, "-m", "ipykernel_launcher", "-f", "file"], {"independent": True}, "outlive"),
        ([sys.executable, "-m", "ipykernel_launcher", "-f", "file"], {"stdout": subprocess.PIPE}, "pipe"),
        ([sys.executable, "-Xfrozen_modules=off", "-m", "ipykernel_launcher", "-f", "file"], {}, ""),
    ],
)
def test_what_cannot_be_forked_is_told_apart(cmd, options, why):
    told = provisioners._obstacle(cmd, options)
    assert why in told
    assert bool(why) == bool(told)


def test_where_there_is_no_fork_a_line_says_so_and_the_kernel_starts_cold(warm, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(provisioners.sys, "platform", "darwin")
    with caplog.at_level(logging.WARNING, "traitlets"), running(tmp_path) as kernel:
        assert kernel.run("import sys; print('matplotlib.pyplot' in sys.modules)") == "False\n"
    assert "This kernel starts cold: kernels are forked warm on Linux only" in caplog.text


def test_a_zygote_that_cannot_start_is_told_and_the_kernel_starts_cold(warm, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(zygotes, "_plain", {})
    program = "import sys; sys.exit('the library is broken')"
    monkeypatch.setattr(zygotes.PlainZygote, "_command", lambda self, control: [sys.executable, "-c", program])
    with caplog.at_level(logging.WARNING, "traitlets"), running(tmp_path) as kernel:
        assert kernel.run("1 + 1") == "2"
    assert "This kernel starts cold: the zygote died twice: the library is broken" in caplog.text


def test_a_folder_that_is_missing_is_an_error_as_ever(warm, tmp_path):
    with pytest.raises(OSError, match="No such file or directory"), running(tmp_path / "missing"):
        pass


def test_a_kernel_that_cannot_start_says_why(either, tmp_path):
    with pytest.raises((OSError, EngineError), match="SystemExit"):
        manager().start_kernel(cwd=str(tmp_path), extra_arguments=["--IPKernelApp.interrupt=soon"])


def test_an_installed_package_and_another_python_path_make_a_new_zygote(warm, tmp_path, monkeypatch):
    packages, mine = tmp_path / "site-packages", tmp_path / "mine"
    packages.mkdir()
    mine.mkdir()
    (mine / "own.py").write_text("value = 8")
    monkeypatch.setattr(zygotes.sysconfig, "get_path", lambda name: str(packages))
    parent = "import os; os.getppid()"
    with running(tmp_path) as old:
        first = old.run(parent)
        with running(tmp_path) as kernel:
            assert kernel.run(parent) == first
        time.sleep(0.02)
        (packages / "new_package").mkdir()
        with running(tmp_path) as kernel:
            second = kernel.run(parent)
        assert second != first
        assert old.run("1 + 1") == "2"
        with running(tmp_path, env={**os.environ, "PYTHONPATH": str(mine)}) as kernel:
            assert kernel.run("import own; own.value") == "8"
            assert kernel.run(parent) not in (first, second)
    assert eventually(lambda: not living([int(first)])), living([int(first)])


# --- in the sandbox -------------------------------------------------------------------------------------------


def test_a_kernel_in_the_sandbox_begins_with_a_copy_of_its_folder(sandboxed, tmp_path):
    secret = tmp_path / "gradebook.db"
    secret.write_text("everyone's grades")
    folder = tmp_path / "notebooks"
    (folder / "data" / ".git").mkdir(parents=True)
    (folder / "data" / "table.csv").write_text("1,2")
    (folder / "data" / ".git" / "config").write_text("a key")
    (folder / ".env").write_text("a key")
    (folder / "work.ipynb").write_text("hidden tests")
    (folder / "link.txt").symlink_to(secret)
    (folder / "linked").symlink_to(tmp_path)
    with running(folder) as kernel:
        code = "from pathlib import Path; sorted(str(p) for p in Path().rglob('*') if not p.parts[0].startswith('.'))"
        assert kernel.run(code) == "['data', 'data/table.csv']"
        assert kernel.run("open('data/table.csv').read()") == "'1,2'"
        for path in (secret, folder / "work.ipynb", Path(__file__), Path("/etc/passwd"), Path("/proc/self/environ")):
            with pytest.raises(KernelError, match=r"FileNotFoundError|PermissionError"):
                kernel.run(f"open({str(path)!r})")
        kernel.run("open('made.txt', 'w').write('made'); open('data/table.csv', 'w').write('changed')")
    assert not (folder / "made.txt").exists()
    assert (folder / "data" / "table.csv").read_text() == "1,2"


def test_a_kernel_in_the_sandbox_reaches_nobody(sandboxed, tmp_path, monkeypatch):
    monkeypatch.setenv("A_TOKEN", "secret")
    with running(tmp_path) as kernel:
        assert kernel.run("import os; print(os.environ.get('A_TOKEN'), os.getuid() == 0)") == "None False\n"
        for family in ("AF_INET", "AF_UNIX", "AF_NETLINK"):
            with pytest.raises(KernelError, match="PermissionError"):
                kernel.run(f"import socket; socket.socket(socket.{family})")
        for zygote in zygotes._sandboxed.values():
            with pytest.raises(KernelError, match=r"ProcessLookupError|PermissionError"):
                kernel.run(f"os.kill({zygote.pid}, 0)")


def test_a_kernel_in_the_sandbox_ends_at_its_limit(sandboxed, tmp_path, monkeypatch):
    monkeypatch.setattr(provisioners.SandboxedProvisioner.cpu, "default_value", 2.0)
    with running(tmp_path) as kernel:
        kernel.client.execute("while True: pass")
        assert eventually(lambda: not kernel.manager.is_alive())
    for zygote in zygotes._sandboxed.values():
        assert len(descendants(zygote.pid)) <= 2


def test_too_large_a_folder_is_refused_in_one_line(sandboxed, tmp_path, monkeypatch):
    sockets = tmp_path / "sockets"
    sockets.mkdir()
    monkeypatch.setattr(provisioners.tempfile, "tempdir", str(sockets))
    with Path(tmp_path, "large").open("wb") as file:
        file.truncate(17 << 20)
    with pytest.raises(EngineError, match="holds too much to be copied into the sandbox"):
        manager().start_kernel(cwd=str(tmp_path))
    assert not list(sockets.glob("kernel-*"))


def test_without_a_sandbox_no_kernel_starts(provisioner, tmp_path, monkeypatch):
    provisioner("warm-sandboxed")
    monkeypatch.setattr(zygotes, "_sandboxed", {})
    none = sandbox.Isolation("none", root=False, landlock=0)
    monkeypatch.setattr(zygotes.sandbox, "probe", lambda: none)
    before = descendants(os.getpid())
    with pytest.raises(EngineError, match="confines no learner's code"):
        manager().start_kernel(cwd=str(tmp_path))
    assert descendants(os.getpid()) == before
