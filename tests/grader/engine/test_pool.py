"""Examiner processes: every task gets one reply, whatever happens to the process that works on it."""

import os
import signal
import time

import pytest

from grader.engine.pool import Failure, examine_all


def collected(tasks, examine, jobs=2, patience=30.0):
    replies = list(examine_all(tasks, examine, jobs=jobs, patience=patience))
    assert sorted(task for task, _ in replies) == sorted(tasks)
    return dict(replies)


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_every_task_is_answered_once_by_another_process(jobs):
    replies = collected(list(range(9)), lambda task: f"{task * task} {os.getpid()}", jobs)
    assert [int(replies[task].split()[0]) for task in range(9)] == [task * task for task in range(9)]
    pids = {reply.split()[1] for reply in replies.values()}
    assert str(os.getpid()) not in pids
    assert 1 <= len(pids) <= jobs


def cores_here():
    return " ".join(map(str, os.sched_getaffinity(0)))


def test_each_process_keeps_to_a_core_where_there_are_as_many():
    cores = os.sched_getaffinity(0)

    def examine(task):
        time.sleep(0.05)  # so that no process takes the tasks of all
        return cores_here()

    tasks = list(range(2 * len(cores)))
    assert set(collected(tasks, examine, jobs=len(cores)).values()) == {str(core) for core in cores}
    assert os.sched_getaffinity(0) == cores


def test_a_core_is_taken_again_when_its_process_has_died(tmp_path):
    cores = os.sched_getaffinity(0)

    def examine(task):
        if task == 0 and not (tmp_path / "died").exists():
            (tmp_path / "died").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.05)
        return cores_here()

    tasks = list(range(3 * len(cores)))
    assert set(collected(tasks, examine, jobs=len(cores)).values()) == {str(core) for core in cores}


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="there is one core")
def test_fewer_processes_than_cores_may_run_on_all():
    assert collected([0], lambda task: cores_here(), jobs=1) == {0: cores_here()}


def test_nothing_to_do_is_done():
    assert collected([], lambda task: "") == {}


def test_a_task_that_kills_its_examiner_once_is_done_again(tmp_path):
    def examine(task):
        if task == 3 and not (tmp_path / "died").exists():
            (tmp_path / "died").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return str(task)

    assert collected(list(range(6)), examine) == {task: str(task) for task in range(6)}


def test_a_task_that_kills_every_examiner_fails_alone(tmp_path):
    def examine(task):
        with (tmp_path / str(task)).open("a") as file:
            file.write("x")
        if task == "deadly":
            os.kill(os.getpid(), signal.SIGKILL)
        if task == "leaving":
            os._exit(3)
        if task == "raising":
            raise ValueError("two\nlines")
        return task

    replies = collected(["a", "deadly", "b", "leaving", "raising", "c"], examine)
    assert replies["deadly"] == Failure("the examiner was killed by SIGKILL")
    assert replies["leaving"] == Failure("the examiner ended with status 3")
    assert replies["raising"] == Failure("ValueError: two lines")
    assert [replies[task] for task in "abc"] == list("abc")
    tries = {path.name: len(path.read_text()) for path in tmp_path.iterdir()}
    assert tries == {"a": 1, "b": 1, "c": 1, "deadly": 2, "leaving": 2, "raising": 2}


def test_an_examiner_that_hangs_is_killed():
    def examine(task):
        if task == "hangs":
            signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))
            time.sleep(600)
        return task

    replies = collected(["hangs", "a", "b"], examine, patience=0.5)
    assert replies == {"hangs": Failure("the examiner gave no reply within 0.5 s"), "a": "a", "b": "b"}


def test_a_large_reply_arrives_whole():
    (reply,) = collected(["x"], lambda task: "é" * 5_000_000).values()
    assert reply == "é" * 5_000_000


def test_leaving_early_leaves_no_process_behind():
    def examine(task):
        if task:
            time.sleep(600)
        return str(os.getpid())

    before = children()
    replies = examine_all([0, 1, 2], examine, jobs=3, patience=600)
    next(replies)
    replies.close()
    assert children() == before


def test_examiners_die_with_the_grader(tmp_path):
    grader = os.fork()
    if grader == 0:

        def examine(task):
            (tmp_path / str(os.getpid())).touch()
            time.sleep(600)

        list(examine_all([0, 1], examine, jobs=2, patience=600))
        os._exit(0)
    while len(list(tmp_path.iterdir())) < 2:
        time.sleep(0.01)
    os.kill(grader, signal.SIGKILL)
    os.waitpid(grader, 0)
    pids = [int(path.name) for path in tmp_path.iterdir()]
    give_up = time.monotonic() + 20
    while any(running(pid) for pid in pids):
        assert time.monotonic() < give_up
        time.sleep(0.01)


def running(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def children():
    with open(f"/proc/self/task/{os.getpid()}/children") as file:
        return [int(pid) for pid in file.read().split() if running(int(pid))]
