"""The instructor's guide: its first class, command by command, and the policy that it shows."""

import csv
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from grader.classroom.late import read_policy
from grader.course import Course

ROOT = Path(__file__).resolve().parents[1]
MODULE = "05_convolution_arithmetic"
GUIDE = (ROOT / "docs" / "instructors.md").read_text(encoding="utf-8")


@pytest.fixture
def course(tmp_path):
    shutil.copytree(ROOT / "solutions" / MODULE, tmp_path / "solutions" / MODULE)
    shutil.copyfile(ROOT / "nbgrader_config.py", tmp_path / "nbgrader_config.py")
    return Course(tmp_path)


@pytest.mark.slow
def test_a_class_in_ten_minutes(course):
    environment = dict(os.environ, PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    environment.pop("GRADER_COURSE", None)
    (block,) = re.findall(r"<!-- run -->\n```sh\n(.*?)```", GUIDE, re.S)
    for command in ("grader build 05", *block.splitlines()):
        run = subprocess.run(command.split(), cwd=course.root, env=environment, capture_output=True, text=True)
        # Of the made-up class some notebooks cannot be read: grading says so with exit code 1.
        cut_off = command.startswith("grader grade") and "could not be read" in run.stderr
        assert run.returncode == cut_off, f"{command}: {run.stdout}{run.stderr}"
    assert len(list((course.root / "feedback").glob(f"*/{MODULE}/{MODULE}.html"))) == 12
    assert "<table" in (course.root / "report.html").read_text(encoding="utf-8")
    with (course.root / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.DictReader(file))) == 12


def test_the_late_policy_that_it_shows_is_read(course):
    (block,) = re.findall(r"```toml\n(.*?)```", GUIDE, re.S)
    (course.root / "late.toml").write_text(block, encoding="utf-8")
    policy = read_policy(course)
    assert policy is not None
    assert policy.students == {"ada"}
    assert policy.due_for("ada", MODULE) > policy.due_for("bob", MODULE)


def test_every_verb_of_the_classroom_is_in_it():
    from grader.cli import main

    told = set(re.findall(r"grader (\w+)", GUIDE))
    assert set(main.commands) - {"coverage", "verify"} <= told
    assert told & {"hand", "give"} == set()
