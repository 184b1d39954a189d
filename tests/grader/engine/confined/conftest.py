"""Zygotes and learners' processes for tests, for each tier of isolation that this machine gives."""

import ast
import json
import os
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from grader.engine import sandbox
from grader.engine.limits import MIB, Limits
from grader.engine.zygote import Zygote

ROOT = Path(__file__).resolve().parents[4]
LEARNERS = Path(__file__).resolve().parent / "learners"


class LearnerError(Exception):
    """What the code sent to a learner raised, as "Type: message"."""


class Asked:
    """The trusted end of learners/asked.py."""

    def __init__(self, child):
        self.child = child
        self.stream = child.sock.makefile("rw")

    def send(self, code):
        self.stream.write(json.dumps(code) + "\n")
        self.stream.flush()

    def answer(self):
        line = self.stream.readline()
        if not line:
            raise EOFError("the learner's process closed its socket")
        answer = json.loads(line)
        if "error" in answer:
            raise LearnerError(answer["error"])
        return ast.literal_eval(answer["value"])

    def run(self, code):
        """Return the value of `result` after the code has run; raise LearnerError with what it raised."""
        self.send(code)
        return self.answer()


class Zygotes:
    """Zygotes of one tier; those from get() are kept for the module's tests."""

    def __init__(self, isolation, secrets):
        self.isolation = isolation
        self.secrets = secrets
        self.kept = {}

    def open(self, profile="numpy", limits=None, **options):
        options = {"entry": "asked:serve", "forbidden": self.secrets, "import_paths": [LEARNERS], **options}
        return Zygote(profile, self.isolation, limits or Limits(start=30), **options)

    def get(self, name):
        if name not in self.kept:
            tight = Limits(start=30, cpu=2, memory=160 * MIB, processes=12, file_size=MIB)
            chosen = {"plain": {}, "torch": {"profile": "torch"}, "tight": {"limits": tight}}
            self.kept[name] = self.open(**chosen[name])
        return self.kept[name]

    def close(self):
        for zygote in self.kept.values():
            zygote.close()


@pytest.fixture(scope="module", params=sandbox.TIERS)
def isolation(request):
    found = sandbox.probe((request.param,))
    if found.tier != request.param:
        pytest.skip(found.lines[0])
    library = Path(os.__file__).parent
    if found.tier == "landlock" and found.root and any(not up.stat().st_mode & 1 for up in library.parents):
        pytest.skip(f"landlock as root: {library} is shut to other users")
    return found


@pytest.fixture(scope="module")
def secrets(tmp_path_factory):
    """Files that no learner may open, all of them readable by everyone as far as their modes go."""
    home = tmp_path_factory.mktemp("home")
    made = []
    for name in ("gradebook.db", "release/05/hidden_tests.json", "submitted/grace/05/notebook.ipynb"):
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("secret")
        made.append(path)
    return [*made, home, ROOT / "solutions", ROOT / "tests" / "grader" / "conftest.py", ROOT / "pyproject.toml"]


@pytest.fixture(scope="module")
def zygotes(isolation, secrets):
    made = Zygotes(isolation, secrets)
    yield made
    made.close()


@pytest.fixture
def learner(zygotes):
    with zygotes.get("plain").spawn() as child:
        yield Asked(child)


@pytest.fixture
def tight(zygotes):
    """A learner with little of everything."""
    with zygotes.get("tight").spawn() as child:
        yield Asked(child)


def descendants(pid):
    """Return the ids of all processes below one, zombies too."""
    children = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            fields = Path("/proc", name, "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(name))
    found = [pid]
    for parent in found:
        found.extend(children.get(parent, ()))
    return found[1:]


def living(pids):
    """Return "pid command" of each process that has not ended; one that nobody has collected has."""
    found = []
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            if process.status() != psutil.STATUS_ZOMBIE:
                found.append(f"{pid} {' '.join(process.cmdline())}")
    return found


def eventually(condition, seconds=20.0):
    """Return whether a condition comes true within so many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
