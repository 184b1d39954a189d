"""A bundle on its way: served from git as nbgitpuller does, and nbgrader's exchange between two users."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from grader.build import build_module
from grader.cli import main
from grader.course import Course
from tests.grader.conftest import ROOT

MODULE = "01_windows"
NOTEBOOK = f"notebooks/{MODULE}/{MODULE}.ipynb"
CHECKS = f"notebooks/{MODULE}/{MODULE}.checks.json"
ANSWER = "return (size - kernel) // stride + 1"


def release(course, to):
    result = CliRunner().invoke(main, ["release", "--to", str(to)], env={"GRADER_COURSE": str(course.root)})
    assert result.exit_code == 0, result.output


def answer(path):
    """Answer the exercise as a learner does, and return the file's new text."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    (cell,) = (cell for cell in notebook["cells"] if cell["id"] == "windows")
    source = "".join(cell["source"]).replace('raise NotImplementedError("your code here")', ANSWER)
    cell["source"] = source.splitlines(keepends=True)
    text = json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    path.write_text(text, encoding="utf-8")
    assert ANSWER in text
    return text


# --- git and nbgitpuller --------------------------------------------------------------------------------------


@pytest.fixture
def git(tmp_path, monkeypatch):
    """Run git in a folder, with nothing configured but a name."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Someone")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "someone@example.org")

    def run(folder, *arguments):
        command = ["git", "-c", "init.defaultBranch=main", *arguments]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def change_the_course(course):
    """Mend a sentence, a docstring and the hints, as an author does in the middle of a term."""
    for name, old, new in (
        ("notebook.py", "card:10", "card:12"),
        ("notebook.py", "the number of windows", "how many windows fit"),
        ("mistakes.py", "a symptom", "a clear symptom"),
    ):
        path = course.solutions / MODULE / name
        path.write_text(path.read_text().replace(old, new))
    build_module(course, MODULE)


@pytest.fixture
def served(course, git, tmp_path):
    """A bundle in a repository, and the way to serve the next version of it."""
    build_module(course, MODULE)
    site = tmp_path / "site"
    release(course, site)
    git(site, "init")

    def commit():
        git(site, "add", "--all")
        git(site, "commit", "--message", "Hand out")

    def next_version():
        change_the_course(course)
        release(course, site)
        commit()

    commit()
    return site, next_version


def assert_merged(learner):
    """The learner's cell is the learner's, docstring and all; elsewhere the new version stands."""
    cells = {cell["id"]: "".join(cell["source"]) for cell in json.loads((learner / NOTEBOOK).read_text())["cells"]}
    assert cells["windows"].endswith(ANSWER)
    assert "the number of windows" in cells["windows"]
    assert "12 minutes" in cells["text-1"]


def test_git_pull_brings_an_update_and_keeps_a_learners_work(served, git, tmp_path):
    site, next_version = served
    git(tmp_path, "clone", str(site), "learner")
    learner = tmp_path / "learner"
    answer(learner / NOTEBOOK)
    next_version()
    assert "how many windows fit" in (site / NOTEBOOK).read_text()
    assert "a clear symptom" in (site / CHECKS).read_text()
    # As nbgitpuller does: commit what the learner did, then merge with the learner's side first.
    git(learner, "commit", "--all", "--message", "Automatic commit")
    git(learner, "fetch")
    git(learner, "merge", "-Xours", "origin/main")
    assert_merged(learner)
    assert (learner / CHECKS).read_bytes() == (site / CHECKS).read_bytes()


def test_nbgitpuller_brings_an_update_and_keeps_a_learners_work(served, git, tmp_path):
    site, next_version = served

    def gitpuller():
        code = "import sys; from nbgitpuller.pull import main; sys.exit(main())"
        command = [sys.executable, "-c", code, f"file://{site}", "main", "learner"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr

    gitpuller()
    learner = tmp_path / "learner"
    answer(learner / NOTEBOOK)
    (learner / "notes.txt").write_text("mine")
    (learner / "LICENSE").unlink()
    next_version()
    gitpuller()
    assert_merged(learner)
    assert (learner / "notes.txt").read_text() == "mine"
    assert (learner / "LICENSE").is_file()
    assert (learner / CHECKS).read_bytes() == (site / CHECKS).read_bytes()


# --- nbgrader's exchange ----------------------------------------------------------------------------------------


@pytest.fixture
def meeting_place():
    """A folder that other users reach: pytest shuts its own, also those of a run beside this one."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.slow
def test_two_users_exchange_an_assignment_that_is_then_graded(built_course, tmp_path, meeting_place):
    """Stock commands. As root the student is the user nobody; otherwise the same user with another home."""
    course = Course(tmp_path / "course")
    shutil.copytree(built_course.root, course.root)
    exchange, student = meeting_place / "exchange", meeting_place / "student"
    work = student / "work"
    exchange.mkdir()
    exchange.chmod(0o777)
    work.mkdir(parents=True)
    second_user = os.getuid() == 0
    if second_user:
        for folder in (student, work):
            os.chown(folder, 65534, -1)

    def nbgrader(home, folder, *arguments, prefix=()):
        command = [*prefix, sys.executable, "-m", "nbgrader", *arguments, f"--Exchange.root={exchange}"]
        environment = {**os.environ, "HOME": str(home), "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr

    def as_student(*arguments):
        as_user = str(ROOT / "tests" / "grader" / "engine" / "confined" / "as_user.py")
        prefix = [sys.executable, as_user, "65534", str(work)] if second_user else []
        nbgrader(student, work, *arguments, MODULE, "--course=convnets", prefix=prefix)

    nbgrader(tmp_path, course.root, "release_assignment", MODULE)
    as_student("fetch_assignment")
    fetched = work / MODULE / f"{MODULE}.ipynb"
    assert fetched.read_bytes() == (course.notebooks / MODULE / f"{MODULE}.ipynb").read_bytes()
    assert (work / MODULE / f"{MODULE}.checks.json").is_file()
    assert (fetched.stat().st_uid == 65534) == second_user
    answer(fetched)
    as_student("submit")
    nbgrader(tmp_path, course.root, "collect", MODULE)

    (collected,) = (course.root / "submitted").iterdir()
    assert (collected.name == "nobody") == second_user
    arguments = ["grade", str(course.root / "submitted"), "--json"]
    grade = subprocess.run(
        [sys.executable, "-m", "grader.cli", *arguments], cwd=course.root, capture_output=True, text=True, timeout=300
    )
    assert grade.returncode == 0, grade.stderr
    (graded,) = json.loads(grade.stdout)["submissions"]
    # The windows that do not fit are the second test cell's: not refused here.
    assert (graded["student"], graded["module"], graded["points"]) == (collected.name, MODULE, 1.0)
