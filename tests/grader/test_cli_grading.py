"""The verbs of grading, as they are typed. The engine's own part is stood in for, but for the tests marked slow."""

import contextlib
import errno
import json
import os
import pty
import resource
import shutil
import signal
import subprocess
import sys
import time
import zipfile

import pytest
from click.testing import CliRunner

from grader.cli import main
from grader.course import Course
from grader.demo import make_demo
from grader.engine import linux, sandbox
from grader.engine import run as engine
from grader.engine.result import CellResult, Outcome, Result, WrittenAnswer
from grader.engine.store import ResultsStore
from tests.grader.conftest import NOTEBOOK

MODULE = "01_windows"


@pytest.fixture
def here(built_course, tmp_path, monkeypatch):
    """A course of its own, with the working directory in it."""
    root = tmp_path / "course"
    shutil.copytree(built_course.root, root)
    monkeypatch.chdir(root)
    return Course(root)


@pytest.fixture
def stand_in(monkeypatch):
    """Pay for a notebook that has the right line, and note who was examined with which limits."""

    @contextlib.contextmanager
    def ready_to_examine(releases, isolation, limits, **options):
        def examine(work):
            submission = work.read()
            right = any("// stride + 1" in cell.source for cell in submission.cells)
            cells = [
                CellResult(
                    cell.id,
                    cell.exercise,
                    cell.points if right else 0.0,
                    cell.points,
                    Outcome.Unreadable if submission.problem else Outcome.Passed if right else Outcome.Failed,
                )
                for cell in releases[work.module].having("tests")
            ]
            flags = ("look at this",) if submission.problem else ()
            written = (WrittenAnswer("why", 2.0, "because", right),)
            return Result(work.student, work.module, submission.key, tuple(cells), written, flags=flags)

        asked.append((limits, options))
        yield examine

    asked = []
    monkeypatch.setattr(engine, "ready_to_examine", ready_to_examine)
    return asked


def hand_in(student, text="(size - kernel) // stride + 1", folder="class"):
    os.makedirs(f"{folder}/{student}/{MODULE}", exist_ok=True)
    with open(f"{folder}/{student}/{MODULE}/{MODULE}.ipynb", "w") as file:
        json.dump({"cells": [{"cell_type": "code", "source": text, "metadata": {}}]}, file)


def grader(*arguments, code=0):
    run = CliRunner().invoke(main, arguments)
    assert run.exit_code == code, (run.output, run.stderr, run.exception)
    return run


def test_a_class_is_graded_and_shown(here, stand_in):
    for name in ("ada", "bob"):
        hand_in(name)
    hand_in("eve", "wrong")
    run = grader("grade", "class", "--no-gradebook")
    rows = [[word.strip() for word in line.split("│")[1:-1]] for line in run.stdout.splitlines() if "│" in line]
    assert rows == [
        ["ada", MODULE, "3 of 3", "1", "", "graded"],
        ["bob", MODULE, "3 of 3", "1", "", "graded"],
        ["eve", MODULE, "0 of 3", "", "", "graded"],
    ]
    assert run.stdout.splitlines()[-1].startswith("3 submissions: 3 graded in ")
    assert "6 of 9 points · 2 written answers waiting · 0 flagged" in run.stdout
    said = run.stderr.splitlines()
    assert said[0].startswith("Sandbox: ")
    assert len(said) == 4
    assert said[3].startswith("3 of 3 · ")
    # Nothing changed: nothing is graded again, and everything is shown.
    run = grader("grade", "class", "--no-gradebook", "--json")
    told = json.loads(run.stdout)
    assert [(row["student"], row["state"], row["points"]) for row in told["submissions"]] == [
        ("ada", "kept", 3.0),
        ("bob", "kept", 3.0),
        ("eve", "kept", 0.0),
    ]
    assert len(stand_in) == 1


def test_a_zip_and_one_student_are_graded(here, stand_in):
    hand_in("ada")
    hand_in("bob")
    with zipfile.ZipFile("class.zip", "w") as archive:
        for name in ("ada", "bob"):
            archive.write(f"class/{name}/{MODULE}/{MODULE}.ipynb")
    told = json.loads(grader("grade", "class.zip", "--no-gradebook", "--json", "--only", "bob").stdout)
    assert [row["student"] for row in told["submissions"]] == ["bob"]
    grader("grade", "class.zip", "--no-gradebook", "--only", "zoe", code=1)


def test_what_cannot_be_read_is_named_and_fails(here, stand_in):
    hand_in("ada")
    hand_in("bob")
    with open(f"class/bob/{MODULE}/{MODULE}.ipynb", "w") as file:
        file.write('{"cells": [')
    os.makedirs("class/eve/99_unknown")
    shutil.copy(f"class/ada/{MODULE}/{MODULE}.ipynb", "class/eve/99_unknown/x.ipynb")
    run = grader("grade", "class", "--no-gradebook", code=1)
    assert "2 Unreadable; look at this" in run.stdout
    assert "1 submission could not be read or graded: bob (01_windows)" in run.stderr
    assert "class/eve" not in run.stdout
    assert "eve/99_unknown/x.ipynb: its module is unknown, not graded" in run.stderr
    # It stays so when nothing is graded any more.
    grader("grade", "class", "--no-gradebook", code=1)


def test_two_submissions_of_a_student_are_told(here, stand_in):
    hand_in("ada")
    shutil.copy(f"class/ada/{MODULE}/{MODULE}.ipynb", "class/ada.ipynb")
    run = grader("grade", "class", "--no-gradebook", "--module=01", code=1)
    assert "1 submission: 1 graded" in run.stdout
    assert "there is another submission of ada, not graded; leave one of them" in run.stderr


def test_limits_and_module_reach_the_engine(here, stand_in):
    os.makedirs("class")
    with open("class/ada.ipynb", "w") as file:
        json.dump({"cells": []}, file)
    grader("grade", "class", "--no-gradebook", code=1)
    limits = ["--limit-call=1.5", "--limit-memory=512M", "--limit-output", "64k", "--limit-processes=4"]
    limits += ["--limit-start=3", "--limit-cell=4", "--limit-total=50"]
    told = json.loads(grader("grade", "class", "--no-gradebook", "--json", "--module=01", *limits).stdout)
    assert [row["module"] for row in told["submissions"]] == [MODULE]
    ((given, options),) = stand_in
    assert (given.call, given.memory, given.output, given.processes) == (1.5, 512 << 20, 64 << 10, 4)
    assert (given.start, given.cell, given.total) == (3.0, 4.0, 50.0)
    assert here.solutions in options["forbidden"]
    assert not options["allow_unconfined"]


@pytest.mark.parametrize(
    "wrong",
    [
        ["--limit-call=0"],
        ["--limit-total=nan"],
        ["--limit-cell=soon"],
        ["--limit-processes=0"],
        ["--limit-memory=much"],
        ["--limit-memory=1"],
        ["--jobs=0"],
        ["--gradebook=sqlite:///x", "--no-gradebook"],
        ["--unknown"],
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(here, stand_in, wrong):
    hand_in("ada")
    run = grader("grade", "class", *wrong, code=2)
    assert not stand_in
    (line,) = run.stderr.splitlines()
    assert line.startswith("Error: ")
    assert line.endswith("; see main grade --help")


def test_a_machine_without_isolation_needs_the_flag(here, stand_in, monkeypatch):
    hand_in("ada")
    none = sandbox.Isolation("none", False, 0, ("none: learners' code would run as you",))
    monkeypatch.setattr(sandbox, "probe", lambda: none)
    run = grader("grade", "class", "--no-gradebook", code=1)
    assert run.stderr.splitlines()[0] == "Sandbox: none: learners' code would run as you"
    assert "--no-sandbox" in run.stderr.splitlines()[1]
    assert not stand_in
    grader("grade", "class", "--no-gradebook", "--no-sandbox")
    assert stand_in[0][1]["allow_unconfined"]


ODD = ["a\nb", "\x1b[31mred", "\u202ebob", os.fsdecode(b"j\xf6rg"), "[bold]eve", "=1+1"]


def test_names_that_a_terminal_would_obey_are_shown_as_they_are(here, stand_in):
    for name in ODD:
        hand_in(name)
    run = grader("grade", "class", "--no-gradebook")
    for text in (run.stdout, run.stderr):
        assert not set("\x1b\u202e\udcf6") & set(text)
        assert "a�b" in text
        assert "[bold]eve" in text
    assert len(run.stderr.splitlines()) == 1 + len(ODD)
    run = grader("grade", "class", "--no-gradebook", "--json")
    run.stdout.encode()
    assert {row["student"] for row in json.loads(run.stdout)["submissions"]} == set(ODD)


def test_a_folder_that_may_not_be_opened_is_told(here, stand_in, monkeypatch):
    """Passing over it would leave its student out without a word."""
    hand_in("ada")
    hand_in("bob")
    scandir = os.scandir

    def refused(path):
        if str(path).endswith("bob"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refused)
    run = grader("grade", "class", "--no-gradebook", code=1)
    assert run.stderr.splitlines()[-1] == "Error: class/bob cannot be read: Permission denied"
    assert not stand_in


def test_regrade_lists_every_score_that_moved(here, stand_in):
    for name in ("ada", "bob", "eve"):
        hand_in(name)
    grader("grade", "class", "--no-gradebook")
    assert "0 submissions graded again, 0 scores moved" in grader("regrade", "class", "--no-gradebook").stdout
    hand_in("bob", "wrong")
    hand_in("eve", "something // stride + 1")
    hand_in("new")
    run = grader("regrade", "class", "--no-gradebook")
    rows = [[word.strip() for word in line.split("│")[1:-1]] for line in run.stdout.splitlines() if "│" in line]
    assert rows == [["bob", MODULE, "3", "0", "the submission", "windows-test-1, windows-test-2"]]
    assert "2 submissions graded again, 1 score moved" in run.stdout
    assert "1 submission not graded yet: run grader grade" in run.stderr
    notebook = here.solutions / MODULE / "notebook.py"
    notebook.write_text(NOTEBOOK.replace("points=1", "points=5"))
    told = json.loads(grader("regrade", "class", "--no-gradebook", "--json").stdout)
    assert told["moved"] == [
        {
            "student": name,
            "module": MODULE,
            "before": 3.0,
            "after": 7.0,
            "why": ["the tests"],
            "cells": ["windows-test-1"],
        }
        for name in ("ada", "eve")
    ]


def test_status_tells_what_waits(here, stand_in):
    hand_in("ada")
    hand_in("bob", "wrong")
    before = json.loads(grader("status", "class", "--json").stdout)
    assert [(row["submitted"], row["graded"], row["ungraded"]) for row in before] == [(2, 0, 2)]
    grader("grade", "class", "--no-gradebook")
    hand_in("bob", "also wrong")
    hand_in("eve")
    (row,) = json.loads(grader("status", "class", "--json").stdout)
    last = row.pop("last")
    assert row == {
        "module": MODULE,
        "submitted": 3,
        "graded": 2,
        "changed": 1,
        "ungraded": 1,
        "waiting": 1,
        "flags": 0,
    }
    assert last in grader("status").stdout


def test_the_gradebook_gets_every_result(here, stand_in):
    from grader.gradebook import open_gradebook

    hand_in("ada")
    hand_in("bob", "wrong")
    grader("grade", "class")
    with open_gradebook(here) as book:
        assert book.manual_scores(MODULE)["ada"]["why"].pending
    (row,) = json.loads(grader("status", "class", "--json").stdout)
    assert row["waiting"] == 1
    # A gradebook made anew gets them again, without grading.
    shutil.copy("gradebook.db", "copy.db")
    os.replace("copy.db", "gradebook.db")
    told = json.loads(grader("grade", "class", "--json").stdout)
    assert {row["state"] for row in told["submissions"]} == {"kept"}
    assert told["gradebook_failures"] == {}
    store = ResultsStore(here.root / "results")
    name = f"sqlite:///{here.root / 'gradebook.db'}#{os.stat('gradebook.db').st_ino}"
    assert all(store.is_entered(stored, name) for stored in store.latest(MODULE).values())


def test_a_course_without_a_gradebook_is_told_before_grading(here, stand_in):
    hand_in("ada")
    os.remove("gradebook.db")
    run = grader("grade", "class", code=1)
    assert "run grader build" in run.stderr
    assert not stand_in


def test_demo_says_what_to_do_next(here):
    run = grader("demo", "3", "--to", "class")
    assert "class: 3 submissions of 3 students" in run.stdout
    assert "grader grade class" in run.stdout
    assert len(os.listdir("class")) == 3
    assert "is not empty" in grader("demo", "3", "--to", "class", code=1).stderr


def test_doctor_finds_what_is_off(here):
    told = {f["what"]: f for f in json.loads(grader("doctor", "--json").stdout)}
    assert told[f"module {MODULE}"]["found"] == "up to date"
    assert told["sandbox"]["well"]
    (here.notebooks / MODULE / f"{MODULE}.ipynb").write_text("{}")
    (here.root / "results").write_text("a file")
    os.remove("gradebook.db")
    run = grader("doctor", code=1)
    assert f"✗ module {MODULE}: differs from its source: {MODULE}.ipynb\n  → run grader build {MODULE}" in run.stdout
    assert "✗ folder results: " in run.stdout
    assert "✗ gradebook: there is none at" in run.stdout


def test_help_loads_nothing_heavy():
    program = "import sys; import grader.cli; print([m for m in ('numpy', 'rich', 'sqlalchemy') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout.strip() == "[]"


# A disk that is full or cannot be written.


class Limit:
    """A folder whose files may not grow beyond a size; for every user."""

    def __init__(self, folder):
        self.folder = folder

    @contextlib.contextmanager
    def full(self, size):
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    @contextlib.contextmanager
    def read_only(self):
        if os.geteuid() == 0:
            pytest.skip("root writes anywhere")
        self.folder.chmod(0o555)
        yield
        self.folder.chmod(0o755)


class Small:
    """A small file system of its own, mounted as root."""

    REMOUNT, READ_ONLY = 0x20, 0x1

    def __init__(self, folder):
        self.folder = folder
        self.mount("size=16m")

    def mount(self, options, flags=0):
        linux.mount("tmpfs", str(self.folder), "tmpfs", flags, options)

    @contextlib.contextmanager
    def full(self, size):
        self.mount(f"size={size}", self.REMOUNT)
        yield
        self.mount("size=16m", self.REMOUNT)

    @contextlib.contextmanager
    def read_only(self):
        self.mount("size=16m", self.REMOUNT | self.READ_ONLY)
        yield
        self.mount("size=16m", self.REMOUNT)


@pytest.fixture(params=[Limit, Small])
def disk(request, tmp_path):
    (tmp_path / "disk").mkdir()
    try:
        made = request.param(tmp_path / "disk")
    except OSError as error:
        pytest.skip(f"no mounts on this machine: {error}")
    yield made
    if request.param is Small:
        linux.unmount(str(made.folder))


EVERYBODY = {f"s{i:02}": 3.0 * (i % 3 > 0) for i in range(12)}


@pytest.fixture
def whole_class(here, stand_in, disk):
    """Twelve students whose results are kept on the small disk; the release is made already."""
    for name, points in EVERYBODY.items():
        hand_in(name, "(size - kernel) // stride + 1" if points else "wrong")
    grader("status", "class")
    (disk.folder / "results").mkdir()
    (here.root / "results").symlink_to(disk.folder / "results")
    return ResultsStore(here.root / "results")


def graded_once(store):
    """Return what each student got, of those who were graded exactly once."""
    fresh = ResultsStore(store.folder)
    students = [stored.student for stored in fresh.all(MODULE)]
    assert len(students) == len(set(students))
    return {stored.student: fresh.result(stored).points for stored in fresh.all(MODULE)}


def test_a_full_disk_is_told_and_the_next_run_goes_on(whole_class, disk):
    with disk.full(8192):
        run = grader("grade", "class", "--no-gradebook", code=1)
    told = run.stderr.splitlines()[-1]
    assert told.startswith("Error: ")
    assert "01_windows.jsonl cannot be written: " in told
    assert told.endswith("everything graded so far is kept: mend this and give the same command again")
    kept = graded_once(whole_class)
    assert 0 < len(kept) < 12
    # As many as were told on the way.
    assert sum(" of 12 · " in line for line in run.stderr.splitlines()) == len(kept)
    told = json.loads(grader("grade", "class", "--no-gradebook", "--json").stdout)
    assert {row["student"] for row in told["submissions"] if row["state"] == "kept"} == kept.keys()
    assert graded_once(whole_class) == EVERYBODY


def test_a_folder_that_cannot_be_written_is_told_before_grading(whole_class, disk, stand_in):
    with disk.read_only():
        run = grader("grade", "class", "--no-gradebook", code=1)
    told = run.stderr.splitlines()[-1]
    assert told.startswith("Error: ")
    assert "results cannot be written: " in told
    assert not stand_in
    grader("grade", "class", "--no-gradebook")
    assert graded_once(whole_class) == EVERYBODY


def test_a_gradebook_that_is_full_keeps_every_result_for_the_next_run(whole_class, disk, here):
    from grader.gradebook import open_gradebook

    shutil.move("gradebook.db", disk.folder / "gradebook.db")
    (here.root / "gradebook.db").symlink_to(disk.folder / "gradebook.db")
    size = (disk.folder / "gradebook.db").stat().st_size
    # Room for the results and a few entries; where files are limited one by one, none for the gradebook.
    with disk.full(size + 40_000 if isinstance(disk, Small) else size // 2):
        run = grader("grade", "class", code=1)
    assert "Traceback" not in run.output
    assert graded_once(whole_class) == EVERYBODY
    told = run.stderr.splitlines()[-1]
    assert "kept, but not in the gradebook: the disk is full" in told
    assert told.endswith("then give the same command again")
    told = json.loads(grader("grade", "class", "--json").stdout)
    assert {row["state"] for row in told["submissions"]} == {"kept"}
    assert told["gradebook_failures"] == {}
    assert graded_once(whole_class) == EVERYBODY
    with open_gradebook(here) as book:
        assert book.manual_scores(MODULE).keys() == {name for name, points in EVERYBODY.items() if points}


def test_a_course_that_can_only_be_read_is_graded(here, stand_in, monkeypatch):
    hand_in("ada")
    (here.root / "build" / "releases").mkdir(parents=True, exist_ok=True)
    shutil.rmtree(here.root / "build" / "releases")
    (here.root / "build" / "releases").write_text("a file: nothing can be kept in it")
    grader("grade", "class", "--no-gradebook")


def test_what_the_machine_refuses_is_one_line(here, stand_in, monkeypatch):
    def refused(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device", "/tmp/x")

    hand_in("ada")
    monkeypatch.setattr(engine, "ready_to_examine", refused)
    run = grader("grade", "class", "--no-gradebook", code=1)
    assert run.stderr.splitlines()[-1] == (
        "Error: /tmp/x: No space left on device; mend this and give the command again"
    )


# A class of slow students, for what happens to a run in the middle of it.

SLOW = """\
import contextlib, sys, time
from grader.cli import main
from grader.engine import run as engine
from grader.engine.result import CellResult, Outcome, Result

@contextlib.contextmanager
def ready_to_examine(releases, isolation, limits, **options):
    def examine(work):
        time.sleep(0.05 if work.student < "s3" else 60)
        tests = releases[work.module].having("tests")
        cells = tuple(CellResult(c.id, c.exercise, 0.0, c.points, Outcome.Failed) for c in tests)
        return Result(work.student, work.module, work.read().key, cells)
    yield examine

engine.ready_to_examine = ready_to_examine
main()
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_stops_cleanly_and_says_how_to_go_on(here, how):
    for i in range(6):
        hand_in(f"s{i}")
    command = [sys.executable, "-c", SLOW, "grade", "class", "--no-gradebook", "--jobs", "2"]
    run = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
    said = []
    while sum("left" in line for line in said) < 3:
        said.append(run.stderr.readline())
        assert said[-1], said
    # A terminal sends Ctrl-C to the whole group.
    os.killpg(run.pid, how) if how == signal.SIGINT else run.send_signal(how)
    _, rest = run.communicate(timeout=30)
    assert run.returncode == 130
    assert "Stopped: 3 results of this run kept; give the same command again to go on" in rest
    assert "Traceback" not in rest
    assert len(ResultsStore(here.root / "results").latest(MODULE)) == 3
    with pytest.raises(ProcessLookupError):
        os.killpg(run.pid, 0)


def test_a_terminal_sees_a_bar(here):
    for i in range(3):
        hand_in(f"s{i}")
    parent, child = pty.openpty()
    command = [sys.executable, "-c", SLOW, "grade", "class", "--no-gradebook"]
    run = subprocess.Popen(command, stderr=child, stdout=subprocess.DEVNULL, env=os.environ | {"TERM": "xterm"})
    os.close(child)
    shown, end = b"", time.monotonic() + 60
    with contextlib.suppress(OSError):
        while time.monotonic() < end and (block := os.read(parent, 4096)):
            shown += block
    assert run.wait() == 0
    assert b"3/3" in shown
    assert b"left:" in shown


@pytest.mark.slow
def test_a_demo_class_gets_what_it_deserves_through_the_sandbox(here):
    """The real thing: zygote, sandbox, proxies, gradebook."""
    demo = make_demo(here, 20, here.root / "class")
    run = CliRunner().invoke(main, ["grade", "class", "--json"])
    assert run.exit_code == 1, run.output  # the truncated file cannot be read
    told = json.loads(run.stdout)
    deserved = json.loads(demo.expected.read_text())["modules"][MODULE]["students"]
    assert {row["student"]: row["points"] for row in told["submissions"]} == {
        name: student["points"] for name, student in deserved.items()
    }
    assert told["gradebook_failures"] == {}
    assert [row["student"] for row in told["submissions"] if "Unreadable" in row["outcomes"]] == [
        name for name, student in deserved.items() if student["kind"] == "damaged: truncated file"
    ]
    assert not any("EngineError" in row["outcomes"] for row in told["submissions"])
