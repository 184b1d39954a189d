"""Grading on a Dask cluster: a real scheduler, real workers from the command line, one of them killed in the middle."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.scratch import dask_cluster
from grader.cli import main
from grader.course import Course
from grader.engine import cluster, sandbox
from grader.engine.errors import EngineError
from grader.engine.limits import Limits
from grader.engine.pool import Failure
from grader.engine.release import make_release
from grader.engine.station import Handed, Setup, Station
from grader.engine.submission import read_submission
from tests.grader.small_class import ANSWER, SMALL, WRITTEN, student_notebook

#: So slow that a worker dies in the middle of a class.
SLOWLY = "import time\n\n\ndef windows(size, kernel, stride=1):\n    time.sleep(0.3)\n    return 5\n"
DEADLY = "import os, signal\n\nos.kill(os.getpid(), signal.SIGKILL)\n"


@pytest.fixture(scope="module")
def release(built_course):
    return make_release(built_course, SMALL)


@pytest.fixture
def here(built_course, tmp_path, monkeypatch):
    shutil.copytree(built_course.root, tmp_path / "course")
    monkeypatch.chdir(tmp_path / "course")
    return Course(tmp_path / "course")


def hand_in(course, student, answer):
    path = Path("class", student, SMALL, f"{SMALL}.ipynb")
    path.parent.mkdir(parents=True)
    path.write_bytes(student_notebook(course, SMALL, windows=answer, why=WRITTEN))


def handed(course, answer, student="ada"):
    return Handed(read_submission(student_notebook(course, SMALL, windows=answer), student), SMALL)


# A station.


@pytest.fixture
def setup(release):
    return Setup({SMALL: release}, sandbox.probe().tier, Limits())


def test_a_station_grades_one_after_the_other(setup, built_course):
    with Station(setup, 60) as station:
        right, wrong, blank = (
            json.loads(station.examine(handed(built_course, answer))) for answer in (ANSWER, "windows = len\n", "")
        )
    earned = [sum(cell["points"] for cell in result["cells"]) for result in (right, wrong, blank)]
    assert earned == [1.0, 0.0, 0.0]


def test_a_station_that_dies_or_hangs_is_started_anew(setup, built_course, monkeypatch):
    with Station(setup, 60) as station:
        station.examine(handed(built_course, ANSWER))
        os.kill(station.pid, signal.SIGKILL)
        assert json.loads(station.examine(handed(built_course, ANSWER)))["student"] == "ada"
        os.kill(station.pid, signal.SIGSTOP)
        monkeypatch.setattr(station, "_patience", 0.5)
        # The second attempt is as short: what matters is that it ends, with a reason.
        assert isinstance(station.examine(handed(built_course, SLOWLY)), Failure)
    assert station.pid is None


def test_a_station_that_would_confine_differently_does_not_start(setup, built_course):
    with (
        Station(Setup(setup.releases, "none", setup.limits), 60) as station,
        pytest.raises(EngineError, match=r"no station can be started here: EngineError: this machine confines"),
    ):
        station.examine(handed(built_course, ANSWER))


# A cluster.


def grade(*arguments):
    return CliRunner().invoke(main, ["grade", "class", *arguments])


def stored(course):
    lines = (course.results / f"{SMALL}.jsonl").read_text().splitlines()
    return [told["result"] for told in map(json.loads, lines) if "result" in told]


@pytest.mark.slow
def test_a_class_is_graded_once_though_a_worker_dies(here, tmp_path):
    from distributed import Client

    for number in range(14):
        hand_in(here, f"s{number:02}", (SLOWLY, ANSWER)[number % 2])
    hand_in(here, "deadly", DEADLY)
    with dask_cluster(tmp_path, 2) as (address, workers), Client(address, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=120)
        command = [sys.executable, "-m", "grader.cli", "grade", "class", "--scheduler", address]
        grading = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        until = time.monotonic() + 120
        while not (here.results / f"{SMALL}.jsonl").is_file() or len(stored(here)) < 3:
            assert time.monotonic() < until, "nothing was graded"
            time.sleep(0.05)
        workers[0].kill()
        told, _ = grading.communicate(timeout=240)
        assert grading.returncode == 0, told
        assert "namespaces: on 2 workers" in told or "on 2 workers" in told
        results = stored(here)
        assert len(results) == 15, "the worker was killed too late to prove anything"
        assert Counter(result["student"] for result in results).most_common(1)[0][1] == 1
        earned = {result["student"]: sum(cell["points"] for cell in result["cells"]) for result in results}
        assert earned == {f"s{n:02}": float(n % 2) for n in range(14)} | {"deadly": 0.0}
        # Again, on what is left of the cluster: there is nothing to do.
        again = grade("--scheduler", address)
        assert "0 graded" in again.output
        assert len(stored(here)) == 15


@pytest.mark.slow
def test_a_cluster_of_ones_own_in_code(here, release):
    from distributed import LocalCluster

    from grader.engine import run
    from grader.engine.layouts import find_submissions
    from grader.engine.store import ResultsStore

    hand_in(here, "ada", ANSWER)
    hand_in(here, "bob", "windows = len\n")
    work, _ = run.assign(find_submissions(Path("class"), [SMALL]), [SMALL])
    with (
        LocalCluster(n_workers=1, threads_per_worker=2, dashboard_address=None, silence_logs=50) as local,
        cluster.connect(local.scheduler_address) as workers,
        workers.ready({SMALL: release}, Limits()) as examine_all,
        ResultsStore(here.results).writing() as store,
    ):
        plan = run.make_plan(work, {SMALL: release}, {SMALL: "environment"}, store)
        graded = run.run(plan, {SMALL: release}, {SMALL: "environment"}, store, examine_all)
        assert {item.student: result.points for item, result in graded} == {"ada": 1.0, "bob": 0.0}


@pytest.mark.parametrize("address", ["", "nonsense", "127.0.0.1:x", "tcp://host", "foo://host:1"])
def test_what_is_no_address_is_told_without_a_call_stack(here, address, capfd):
    hand_in(here, "ada", ANSWER)
    refused = grade("--scheduler", address)
    assert refused.exit_code == 1
    assert f"Error: {address!r} is no scheduler's address: give it as tcp://" in refused.output
    assert "Traceback" not in refused.output + capfd.readouterr().err


def test_no_scheduler_and_no_workers_are_told(here, tmp_path, monkeypatch):
    hand_in(here, "ada", ANSWER)
    monkeypatch.setattr(cluster, "_ANSWER", 1)
    monkeypatch.setattr(cluster, "_FIRST_WORKER", 1)
    nobody = grade("--scheduler", "tcp://127.0.0.1:9")
    assert (nobody.exit_code, "no scheduler answers at tcp://127.0.0.1:9" in nobody.output) == (1, True)
    with dask_cluster(tmp_path, 0) as (address, _):
        idle = grade("--scheduler", address)
    assert (idle.exit_code, "the scheduler has no workers: start some with dask worker" in idle.output) == (1, True)
    both = grade("--scheduler", "tcp://127.0.0.1:9", "--jobs", "2")
    assert (both.exit_code, "--jobs is for this machine" in both.output) == (2, True)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ([{"sources": "other"}], "have different versions of the grader"),
        ([{}, {"tier": "landlock"}], r"confine learners' code differently \(landlock, namespaces\)"),
    ],
)
def test_workers_that_differ_are_refused(found, told):
    from grader.engine.run import sources

    usual = {"sources": sources(), "tier": "namespaces", "root": True, "landlock": 3}

    class Client:
        def wait_for_workers(self, number, timeout):
            pass

        def run(self, function):
            return {f"tcp://worker-{n}": usual | one for n, one in enumerate(found)}

    with pytest.raises(EngineError, match=told):
        cluster._isolation_of(Client())
