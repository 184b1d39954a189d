"""Look at this machine, the installation and the course, and say what is off and what to do about it."""

from __future__ import annotations

import os
import platform
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from grader.course import Course, CourseError

#: What grading imports.
_PACKAGES = ("convnets-by-hand", "numpy", "torch", "msgpack", "cloudpickle", "nbgrader", "sqlalchemy", "click", "rich")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes
    ----------
    what : str
        The thing.
    well : bool
        Nothing has to be done.
    found : str
        How it is.
    advice : str
        What to do; empty where nothing is off.
    """

    what: str
    well: bool
    found: str
    advice: str = ""


def examine(course: Course) -> Iterator[Finding]:
    """Yield what is found, one thing after the other; building the modules to compare them takes seconds.

    Parameters
    ----------
    course : Course
        The course.
    """
    yield from _isolation()
    yield _python()
    yield from _packages()
    yield from _folders(course)
    yield _gradebook(course)
    yield from _modules(course)


def _isolation() -> Iterator[Finding]:
    from grader.engine import sandbox

    isolation = sandbox.probe()
    advice = {
        "namespaces": "",
        "bubblewrap": "",
        "landlock": "learners can ask for names and sizes of files: allow user namespaces, or install bubblewrap",
        "none": "grade on Linux with user namespaces or bubblewrap; --no-sandbox goes on without any protection",
    }[isolation.tier]
    yield Finding("sandbox", isolation.tier != "none", f"tier {isolation.tier}", advice)
    for line in isolation.lines:
        name, _, found = line.partition(": ")
        yield Finding(f"sandbox, {name}", True, found)


def _python() -> Finding:
    right = sys.version_info[:2] == (3, 11)
    advice = "" if right else "the course is made for Python 3.11: make the environment anew with it"
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    return Finding("Python", right, found, advice)


def _packages() -> Iterator[Finding]:
    for name in _PACKAGES:
        try:
            yield Finding(name, True, metadata.version(name))
        except metadata.PackageNotFoundError:
            yield Finding(
                name, False, "not installed", "install the course with its grading part: scripts/setup.sh dev"
            )


def _folders(course: Course) -> Iterator[Finding]:
    for name, use in (("results", "results"), ("build", "releases"), ("autograded", "notebooks for formgrader")):
        folder = course.root / name
        failure = _not_writable(folder)
        advice = f"{use} are written to {folder}: make it writable, or free space" if failure else ""
        yield Finding(f"folder {name}", not failure, failure or "writable", advice)


def _not_writable(folder: Path) -> str:
    """Return why nothing can be written to a folder, or to the one it would be made in; "" if it can."""
    while not folder.exists():
        folder = folder.parent
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(65_536))
            file.flush()
    except OSError as error:
        return f"cannot be written: {error.strerror}"
    return ""


def _gradebook(course: Course) -> Finding:
    path = course.root / "gradebook.db"
    if not path.is_file():
        return Finding("gradebook", False, f"there is none at {path}", "run grader build")
    try:
        with sqlite3.connect(f"file:{path}?mode=rw", uri=True, timeout=2) as connection:
            number = connection.execute("select count(*) from assignment").fetchone()[0]
    except sqlite3.Error as error:
        return Finding("gradebook", False, f"{path}: {error}", "put it back from a copy, or delete it and build anew")
    return Finding("gradebook", True, f"{path}, {number} modules")


def _modules(course: Course) -> Iterator[Finding]:
    from grader.build import drift

    for module in course.modules():
        try:
            changed = drift(course, module)
        except CourseError as error:
            yield Finding(f"module {module}", False, str(error), "correct its text notebook")
            continue
        if changed:
            found = f"differs from its source: {', '.join(changed)}"
            yield Finding(f"module {module}", False, found, f"run grader build {module}")
        else:
            yield Finding(f"module {module}", True, "up to date")
