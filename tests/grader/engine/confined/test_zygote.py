"""Learners' processes from birth to death: forked apart, held to their limits, and gone with all they started."""

import dataclasses
import gc
import multiprocessing
import os
import re
import signal
import socket
from pathlib import Path

import pytest

from grader.engine import sandbox
from grader.engine.errors import EngineError
from grader.engine.limits import GIB, MIB, Limits
from grader.engine.zygote import Zygote
from tests.grader.engine.confined.conftest import Asked, LearnerError, descendants, eventually

HOG = """
import time
kept = []
for _ in range({blocks}):
    kept.append(bytearray(b"x") * (4 << 20))
    time.sleep(0.02)
"""


@pytest.fixture
def families(isolation):
    """The tiers in which a learner may start processes."""
    if isolation.alone:
        pytest.skip("a learner of this tier is one process")


#: How many processes lie between the one that was started and the zygote proper: bwrap's two, or the one that waits.
BETWEEN = {"namespaces": 1, "bubblewrap": 2, "landlock": 0}


def proper(zygote, isolation):
    """Return the process id of the zygote proper, which forks the learners."""
    return [zygote.pid, *descendants(zygote.pid)][BETWEEN[isolation.tier]]


def learners(zygote, isolation):
    """Return how many learners' processes a zygote has."""
    return len(descendants(zygote.pid)) - BETWEEN[isolation.tier]


# --- forked apart ---------------------------------------------------------------------------------------------

DRAW = """
import random, numpy as np
result = (random.random(), float(np.random.rand()), int(np.random.default_rng().integers(1 << 60)))
"""


def test_two_learners_draw_different_numbers(zygotes):
    with zygotes.get("plain").spawn() as one, zygotes.get("plain").spawn() as other:
        drawn = Asked(one).run(DRAW), Asked(other).run(DRAW)
    assert not set(drawn[0]) & set(drawn[1])


def test_two_learners_share_nothing(zygotes):
    zygote = zygotes.get("plain")
    with zygote.spawn() as first, zygote.spawn() as second:
        one, other = Asked(first), Asked(second)
        code = "import numpy, os; numpy.mark = 1; open('note', 'w').write('mine'); result = os.path.abspath('note')"
        path = one.run(code)
        assert other.run("import os, numpy; result = (os.listdir('.'), hasattr(numpy, 'mark'))") == ([], False)
        with pytest.raises(LearnerError, match=r"PermissionError|FileNotFoundError"):
            other.run(f"open({path!r})")
        assert one.run("result = open('note').read()") == "mine"
    with zygote.spawn() as third:
        assert Asked(third).run("import os; result = os.listdir('.')") == []


def test_torch_works_after_the_fork(zygotes):
    """A fork after an operation on two threads hangs at the first product: here backward and an optimiser run."""
    if zygotes.isolation.tier != sandbox.probe().tier:
        pytest.skip("torch does not mind the tier: once is enough")
    zygote = zygotes.get("torch")
    draw = "import torch; result = (torch.rand(1).item(), torch.get_num_threads())"
    with zygote.spawn() as one, zygote.spawn() as other:
        (first, threads), (second, _) = Asked(one).run(draw), Asked(other).run(draw)
        assert threads == 1
        assert first != second
        code = """
import sys, torch
loaded = set(sys.modules)
model = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.Flatten(), torch.nn.Linear(4 * 36, 10))
optimizer = torch.optim.Adam(model.parameters())
loss = torch.nn.functional.cross_entropy(model(torch.rand(16, 1, 8, 8)), torch.zeros(16, dtype=torch.long))
before = [parameter.detach().clone() for parameter in model.parameters()]
loss.backward()
optimizer.step()
moved = any(not torch.equal(*pair) for pair in zip(before, model.parameters()))
result = (moved, [name for name in set(sys.modules) - loaded if "dynamo" in name])
"""
        assert Asked(one).run(code) == (True, [])


def test_after_many_learners_the_zygotes_memory_is_in_huge_pages(zygotes):
    if tuple(map(int, os.uname().release.split(".")[:2])) < (6, 1):
        pytest.skip("MADV_COLLAPSE came with Linux 6.1")
    with zygotes.open() as zygote:

        def huge():
            sizes = 0
            for pid in (zygote.pid, *descendants(zygote.pid)):
                try:
                    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
                except PermissionError:
                    pytest.skip("the zygote's memory cannot be looked at")
                except (FileNotFoundError, ProcessLookupError):
                    continue  # a learner that has ended
                sizes += int(re.search(r"AnonHugePages: +(\d+) kB", text)[1])
            return sizes

        for _ in range(39):
            zygote.spawn().close()
        before = huge()
        with zygote.spawn() as learner, zygote.spawn() as other:
            assert huge() > before
            assert Asked(learner).run("result = 1 + 1") == Asked(other).run("result = 2") == 2


def test_a_zygote_with_two_threads_is_not_forked(zygotes):
    with zygotes.open(entry="threaded:serve") as zygote, pytest.raises(EngineError, match="more than one thread"):
        zygote.spawn()


# --- limits ---------------------------------------------------------------------------------------------------


def test_a_memory_hog_ends_as_out_of_memory(tight):
    tight.send(HOG.format(blocks=200))
    death = tight.child.wait(60)
    assert death.kind == "out_of_memory"
    assert "160 MiB" in death.detail


def test_memory_is_counted_over_all_processes(families, tight):
    """Four processes of 50 MiB each: none is over the limit of 160 MiB alone."""
    hog = HOG.format(blocks=12).replace("\n", "\n    ")
    tight.send(
        f"import os, time\nfor _ in range(4):\n  if os.fork() == 0:\n    {hog}\n    time.sleep(60)\ntime.sleep(60)"
    )
    assert tight.child.wait(60).kind == "out_of_memory"


def test_memory_within_the_limit_is_left_alone(tight):
    assert tight.run(HOG.format(blocks=8) + "result = len(kept)") == 8


def test_a_request_out_of_all_proportion_is_a_memory_error(tight):
    with pytest.raises(LearnerError, match="MemoryError"):
        tight.run("import numpy as np; np.ones((1 << 20, 1 << 20))")
    assert tight.run("result = 1") == 1


def test_cpu_time_is_limited(tight):
    tight.send("while True: pass")
    death = tight.child.wait(60)
    assert death.kind == "cpu_time"
    assert 1.5 < death.cpu_seconds < 4


def test_cpu_time_is_counted_over_all_processes(families, tight):
    """Four processes that each stay below the limit of 2 s."""
    tight.send("""
import os, time
for _ in range(4):
    if os.fork() == 0:
        while time.process_time() < 1: pass
        time.sleep(60)
time.sleep(60)
""")
    assert tight.child.wait(60).kind == "cpu_time"


def test_a_loop_that_ignores_signals_ends_by_kill(learner):
    learner.send("""
import signal
for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
    try:
        signal.signal(number, signal.SIG_IGN)
    except OSError:
        pass
sock.sendall(b"deaf\\n")
while True:
    try:
        while True: pass
    except BaseException:
        pass
""")
    assert learner.stream.readline() == "deaf\n"
    assert learner.child.alive
    learner.child.kill()
    death = learner.child.wait(20)
    assert (death.kind, death.detail) == ("killed", "on request")
    assert not learner.child.alive


def test_a_fork_bomb_ends(zygotes, isolation):
    zygote = zygotes.get("tight")
    with zygote.spawn() as child, zygote.spawn() as other:
        learner = Asked(child)
        learner.send("""
import os
try:
    while True:
        os.fork()
except OSError as error:
    sock.sendall(type(error).__name__.encode() + b"\\n")
while True: pass
""")
        said = learner.stream.readline()
        assert said == ("PermissionError\n" if isolation.alone else "BlockingIOError\n")
        assert learners(zygote, isolation) <= 12 + 1
        if not isolation.alone:  # the other may still start processes of its own
            assert Asked(other).run(
                "import os; pid = os.fork()\nif pid == 0: os._exit(7)\nresult = os.waitpid(pid, 0)[1]"
            )
        child.kill()
        assert child.wait(20).kind in ("killed", "cpu_time")
        other.kill()
        other.wait(20)
    assert eventually(lambda: learners(zygote, isolation) == 0)


def test_a_daemon_dies_with_the_tree(families, learner):
    """It left its session and its parent; the socket it inherited closes only when it is gone."""
    learner.run("""
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(600)
    os._exit(0)
os.wait()
""")
    learner.child.kill()
    learner.child.wait(20)
    learner.child.sock.settimeout(10)
    assert learner.child.sock.recv(1) == b""


def test_files_are_limited(tight, isolation):
    with pytest.raises(LearnerError, match="File too large"):
        tight.run("open('big', 'wb').write(bytes(3 << 20))")
    if isolation.tier != "landlock":
        with pytest.raises(LearnerError, match="No space left"):
            tight.run("for n in range(100): open(f'many{n}', 'wb').write(bytes(1 << 20))")
    with pytest.raises(LearnerError, match="Too many open files"):
        tight.run("kept = [open('/dev/null') for _ in range(1000)]")


def test_limits_are_validated():
    assert Limits().memory == 2 * GIB
    assert Limits(file_size=MIB).scratch == 4 * MIB
    for wrong in ({"cpu": 0}, {"call": -1}, {"cell": "20"}, {"total": float("inf")}, {"start": True}):
        with pytest.raises(EngineError, match="positive number of seconds"):
            Limits(**wrong)
    for wrong in ({"memory": 5}, {"processes": 0}, {"output": 1.5}, {"reply": True}):
        with pytest.raises(EngineError, match="whole number of at least"):
            Limits(**wrong)


# --- deaths ---------------------------------------------------------------------------------------------------


def test_exit_is_reported(learner):
    learner.send("import os; os._exit(3)")
    death = learner.child.wait(20)
    assert (death.kind, death.detail) == ("exited", "with status 3")
    assert learner.child.wait() is death
    assert not learner.child.alive
    learner.child.kill()  # nothing left to kill


def test_a_crash_is_reported(learner):
    learner.send("import ctypes; ctypes.string_at(0)")
    death = learner.child.wait(20)
    assert (death.kind, death.detail) == ("killed", "by signal SIGSEGV")


def test_a_closed_socket_is_seen_and_the_process_can_be_killed(learner):
    learner.send("import socket, time; sock.shutdown(socket.SHUT_RDWR); time.sleep(600)")
    assert learner.stream.readline() == ""
    assert learner.child.alive
    with pytest.raises(TimeoutError):
        learner.child.wait(0.05)
    learner.child.kill()
    assert learner.child.wait(20).kind == "killed"


def test_letting_go_of_a_child_ends_it(zygotes, isolation):
    zygote = zygotes.get("plain")
    assert eventually(lambda: learners(zygote, isolation) == 0)
    child = zygote.spawn()
    assert learners(zygote, isolation) == 1
    child.close()
    assert eventually(lambda: learners(zygote, isolation) == 0)


# --- the zygote's own life ------------------------------------------------------------------------------------


def test_a_zygote_killed_is_started_again(zygotes, isolation):
    with zygotes.open() as zygote:
        with zygote.spawn() as child:
            Asked(child).run("result = 1")
            first = [zygote.pid, *descendants(zygote.pid)]
            os.kill(proper(zygote, isolation), signal.SIGKILL)
            assert child.wait(20).detail == "with its zygote"
        with zygote.spawn() as child:
            assert Asked(child).run("result = 2") == 2
            if isolation.tier == "namespaces":  # the same for the process that waits for it
                first += [zygote.pid, *descendants(zygote.pid)]
                os.kill(zygote.pid, signal.SIGKILL)
                assert child.wait(20).detail == "with its zygote"
                zygote.spawn().close()
        second = [zygote.pid, *descendants(zygote.pid)]
    assert eventually(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in first + second))


def test_a_zygote_that_cannot_start_is_told_in_one_line(zygotes):
    with zygotes.open(entry="broken:serve") as zygote, pytest.raises(EngineError) as told:
        zygote.spawn()
    assert str(told.value) == "the zygote died twice: ModuleNotFoundError: No module named 'no_such_module_anywhere'"


def test_an_unknown_profile_is_told():
    with pytest.raises(EngineError, match="choose numpy or torch"):
        Zygote("jax", sandbox.Isolation("namespaces", False, 0), Limits())


def test_a_slow_start_is_told(zygotes, isolation):
    """The zygote proper is stopped after its first learner, so the second is never made."""
    with zygotes.open(limits=Limits(start=0.5)) as zygote:
        zygote.spawn().close()
        stopped = proper(zygote, isolation)
        os.kill(stopped, signal.SIGSTOP)
        try:
            with pytest.raises(EngineError, match="no learner's process was ready within"):
                zygote.spawn()
        finally:
            os.kill(stopped, signal.SIGCONT)


def examine(zygote, results):
    """An examiner process: five learners, one after the other."""
    for number in range(5):
        with zygote.spawn() as child:
            results.put(Asked(child).run(f"result = {number} ** 2"))


def cores_of_a_learner(zygote, core, results):
    """An examiner process that keeps to a core."""
    os.sched_setaffinity(0, {core})
    with zygote.spawn() as child:
        results.put((core, Asked(child).run("import os; result = sorted(os.sched_getaffinity(0))")))


def test_a_learner_runs_on_its_examiners_cores(zygotes):
    fork = multiprocessing.get_context("fork")
    results = fork.Queue()
    zygote = zygotes.get("plain")
    for core in os.sched_getaffinity(0):
        fork.Process(target=cores_of_a_learner, args=(zygote, core, results)).start()
        assert results.get(timeout=60) == (core, [core])


def test_several_examiners_share_a_zygote(zygotes):
    fork = multiprocessing.get_context("fork")
    results = fork.Queue()
    zygote = zygotes.get("plain")
    examiners = [fork.Process(target=examine, args=(zygote, results)) for _ in range(3)]
    for examiner in examiners:
        examiner.start()
    answers = sorted(results.get(timeout=60) for _ in range(15))
    for examiner in examiners:
        examiner.join()
    assert answers == sorted([number**2 for number in range(5)] * 3)


def test_an_examiner_that_dies_takes_its_learner_with_it(zygotes, isolation):
    zygote = zygotes.get("plain")
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        kept = [zygote.spawn()]
        theirs.send(b"spawned" * len(kept))
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    assert ours.recv(100) == b"spawned"
    assert eventually(lambda: learners(zygote, isolation) == 0)


def test_the_end_leaves_nothing(zygotes, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    tmp_path.chmod(0o711)
    mounts = Path("/proc/self/mounts").read_text()
    with zygotes.open() as zygote:
        child = zygote.spawn()
        Asked(child).run("open('x', 'w').write('y')")
        processes = [zygote.pid, *descendants(zygote.pid)]
    assert eventually(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in processes))
    assert list(tmp_path.iterdir()) == []
    assert Path("/proc/self/mounts").read_text() == mounts
    child.close()


def test_many_learners_leave_no_descriptors_processes_or_folders(zygotes, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with zygotes.open() as zygote:

        def held():
            gc.collect()
            processes = [os.getpid(), zygote.pid, *descendants(zygote.pid)]
            folders = sorted(path.name for path in tmp_path.rglob("*"))
            return [len(os.listdir(f"/proc/{pid}/fd")) for pid in processes], folders

        def live(number):
            with zygote.spawn() as child:
                Asked(child).run("open('x', 'w').write('y')")
                if number % 2:
                    child.kill()
                    child.wait(20)

        live(1)
        before = held()
        for number in range(25):
            live(number)
        assert eventually(lambda: held() == before), (before, held())


def test_what_a_death_holds_is_plain(learner):
    learner.child.kill()
    death = learner.child.wait(20)
    assert dataclasses.asdict(death).keys() == {"kind", "detail", "cpu_seconds"}
    assert 0 < death.cpu_seconds < 10
