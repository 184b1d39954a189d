"""The suite as a whole: all submissions, a class made of them, and watchers over what lies outside.

A class is graded by the real thing, ``grader grade``, in a process of its own, in a course in a temporary folder. Every
honest student in it is a classmate whose work and grade nobody may touch.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import convnets
import grader.engine
from grader.course import Course
from grader.engine.release import Release, make_release
from grader.engine.result import Result
from grader.engine.store import ResultsStore
from tests.grader.submissions import attacks_on_tests, broken, damage, deadly, design, odd, outside, reading
from tests.grader.submissions.assignments import MODULES, make_course
from tests.grader.submissions.case import Case
from tests.grader.submissions.outside import CANARY

CASES: tuple[Case, ...] = tuple(
    case
    for module in (odd, attacks_on_tests, reading, damage, broken, deadly, outside, design)
    for case in module.CASES
)
#: What lies in the instructor's home and environment.
SECRET = "the-secret-of-the-instructor"
#: Seconds that a cell, a call and a submission may take, where the submission tries to take all of them.
TIGHT = ("--limit-cell=6", "--limit-call=1", "--limit-total=15", "--limit-memory=300M")

# Grades, and says on its last line of stderr how many processes the submissions have left behind while the zygotes
# were still there: those of the zygotes' sessions before and after.
_DRIVER = """
import contextlib, os, sys, time
from grader.cli import main
from grader.engine import run

original = run.ready_to_examine


def processes():
    alive = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/stat") as file:
                fields = file.read().rpartition(")")[2].split()
            alive[int(pid)] = (int(fields[1]), fields[0])
    below, new = {os.getpid()}, True
    while new:
        new = {pid for pid, (parent, _) in alive.items() if parent in below} - below
        below |= new
    return len([pid for pid in below if alive[pid][1] != "Z"])


@contextlib.contextmanager
def ready_to_examine(*args, **kwargs):
    with original(*args, **kwargs) as examine:
        time.sleep(0.5)
        before = processes()
        yield examine
        end = time.monotonic() + 5
        while processes() > before and time.monotonic() < end:
            time.sleep(0.1)
        print(f"left behind: {processes() - before}", file=sys.stderr)


run.ready_to_examine = ready_to_examine
main()
"""


@dataclass
class Class:
    """A class that was graded.

    Attributes
    ----------
    course : Course
        In a temporary folder.
    releases : dict of str to Release
        Under the profile.
    results : dict of (str, str) to Result
        Under profile and case.
    left_behind : int
        Processes that were alive when all was graded and had not been before.
    callers : list of str
        Who reached the watchers on the network.
    changed : list of str
        Files of the course, of the class, of the instructor's home that are not what they were.
    said : str
        What the command printed.
    """

    course: Course
    releases: dict[str, Release]
    results: dict[tuple[str, str], Result] = field(default_factory=dict)
    left_behind: int = -1
    callers: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    said: str = ""


def pairs(*, deadly: bool | None = None) -> list[tuple[str, Case]]:
    """Return profile and case of every submission, of the deadly ones alone or of the others, if asked."""
    return [(profile, case) for case in CASES for profile in case.profiles if deadly is None or case.deadly is deadly]


def build(folder: Path) -> tuple[Course, dict[str, Release]]:
    """Make the course, build it, and lay secrets beside it."""
    from grader.build import build_module

    course = make_course(folder / "course")
    for module in MODULES.values():
        build_module(course, module)
    home = folder / "home"
    home.mkdir()
    (home / "secret.txt").write_text(SECRET)
    return course, {profile: make_release(course, module) for profile, module in MODULES.items()}


def hand_in(
    folder: Path, chosen: list[tuple[str, Case]], releases: Mapping[str, Release], words: Mapping[str, str]
) -> None:
    """Write submissions in nbgrader's layout."""
    for profile, case in chosen:
        module = MODULES[profile]
        home = folder / case.folder / module
        home.mkdir(parents=True)
        name = case.file_name.replace("@MODULE@", module) or f"{module}.ipynb"
        (home / name).write_bytes(case.file(releases[profile], {**words, "MODULE": module}))


def words_for(folder: Path, port: int) -> dict[str, str]:
    """Return what an attacker is taken to know."""
    return {
        "COURSE": str(folder / "course"),
        "CLASS": str(folder / "class"),
        "HOME": str(folder / "home"),
        "SOCKET": str(folder / "socket"),
        "PORT": str(port),
        "CANARY": CANARY,
        "PACKAGES": str(Path(json.__file__).parents[1]),
        "ENGINE": str(Path(grader.engine.__file__).parent),
        "CONVNETS": str(Path(convnets.__file__).parent),
    }


def grade(folder: Path, chosen: list[tuple[str, Case]], *options: str) -> Class:
    """Make a course and a class in a folder, and grade it with the command."""
    course, releases = build(folder)
    graded = Class(course, releases)
    with _listening(folder, graded.callers) as port:
        hand_in(folder / "class", chosen, releases, words_for(folder, port))
        environment = os.environ | {
            "GRADER_COURSE": str(course.root),
            "HOME": str(folder / "home"),
            "SECRET_OF_THE_INSTRUCTOR": SECRET,
        }
        before = _fingerprints(folder)
        command = [sys.executable, "-c", _DRIVER, "grade", str(folder / "class"), "--json", "--jobs=2", *options]
        run = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=folder, timeout=1500)
        after = _fingerprints(folder)
    graded.said = run.stderr[-5000:]
    last = [line for line in run.stderr.splitlines() if line.startswith("left behind: ")]
    graded.left_behind = int(last[-1].removeprefix("left behind: ")) if last else -1
    graded.changed = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
    store = ResultsStore(course.root / "results")
    for profile, case in chosen:
        stored = store.latest(MODULES[profile]).get(case.folder)
        if stored is not None:
            graded.results[profile, case.name] = store.result(stored)
    return graded


def _fingerprints(folder: Path) -> dict[str, str]:
    """Return fingerprints of all files but those that grading writes: results, gradebook, autograded notebooks."""
    found = {}
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        ours = name.startswith(("course/results", "course/gradebook.db", "course/autograded"))
        if CANARY in name or not ours:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
    return found


@contextlib.contextmanager
def _listening(folder: Path, callers: list[str]) -> Iterator[int]:
    """Listen wherever an attack might call, and note who does."""
    with contextlib.ExitStack() as stack:
        stream = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        port = stream.getsockname()[1]
        datagrams = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        datagrams.bind(("127.0.0.1", port))
        # The path of a socket has at most 107 characters.
        local = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        with contextlib.chdir(folder):
            local.bind("socket")
        local.listen()
        abstract = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        abstract.bind(f"\0{CANARY}-{port}")
        abstract.listen()
        stopped = threading.Event()

        def listen(sock: socket.socket, name: str) -> None:
            sock.settimeout(0.2)
            while not stopped.is_set():
                with contextlib.suppress(OSError):
                    callers.append(f"{name}: {sock.recv(100) if sock is datagrams else sock.accept()}")

        listeners = {"tcp": stream, "udp": datagrams, "unix": local, "abstract": abstract}
        threads = [threading.Thread(target=listen, args=(sock, name)) for name, sock in listeners.items()]
        for thread in threads:
            thread.start()
        try:
            yield port
        finally:
            stopped.set()
            for thread in threads:
                thread.join()


def canaries() -> list[Path]:
    """Return what attacks have left where everybody may write, and take it away."""
    folders = [Path(name) for name in ("/tmp", "/var/tmp", "/dev/shm", "/run", "/", "/etc", "/opt", "/home", "/root")]
    folders += [Path(json.__file__).parents[1], Path(grader.engine.__file__).parent, Path(convnets.__file__).parent]
    found = []
    for folder in folders:
        with contextlib.suppress(OSError):
            found += [path for path in folder.iterdir() if path.name.startswith((CANARY, "left-for-the-next"))]
    for path in found:
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    return found
