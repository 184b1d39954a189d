"""Courses in a folder of their own, for benchmarks that write results and gradebooks."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from grader.build import build_module
from grader.course import Course

ROOT = Path(__file__).resolve().parents[1]
#: Small assignments, made for measuring.
SMALL = ROOT / "benchmarks" / "course" / "solutions"


def make_course(root: Path, modules: Iterable[Path]) -> Course:
    """Copy modules, given by their folders of solutions, into a course of their own and build it there."""
    course = Course(root)
    for module in modules:
        shutil.copytree(module, course.solutions / module.name)
    shutil.copyfile(ROOT / "nbgrader_config.py", root / "nbgrader_config.py")
    for name in course.modules():
        build_module(course, name)
    return course
