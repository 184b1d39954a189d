"""A made-up class for trying everything out: right, wrong in every known way, blank, late, damaged, and more.

The class is laid out as nbgrader collects it, ``FOLDER/student/module/module.ipynb``. Beside it,
``FOLDER.expected.json`` says what each student deserves, found by running the official tests on the student's code in
this process: the code comes from the course itself, so nothing has to be kept away from it.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import json
import os
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from grader.course import Course, CourseError
from grader.engine.official import quiet
from grader.engine.release import OfficialCell, Release, make_release

#: When the class handed in, and those who were late.
ON_TIME, LATE = "2026-02-27 18:00:00 UTC", "2026-03-02 09:30:00 UTC"
_SOLUTION_MARK = re.compile(r"^[ \t]*### (?:BEGIN|END) SOLUTION[ \t]*\n?", re.M)
_WRITTEN = "The numbers of the experiment above say so: the larger one costs more."
#: Names as rosters hold them that programs could not read, sort, quote or paste: with a comma, an apostrophe, a
#: spreadsheet's formula, leading zeros, other scripts, an accent that is a character of its own.
_AWKWARD = """
Núñez Peña, María José
Siobhán O'Neill
=Ann+Lee
00712345
Jürgen Groß-Löwe
李 小龍
"Bobby" Tables
Zoe\N{COMBINING DIAERESIS} Nguyễn
Øystein Ålesund
Ștefan; Ionescu
d'Souza & Sons
Иван Петров
"""
_GIVEN = """
Ada Amir Ben Carla Chloé Daniel Elif Emma Felix Grace Hanna Ines Jack Jana Kofi Lara Leo Lina Luca Maya Milan Nora Omar
Paul Priya Rosa Sam Sofia Tariq Theo Vera Wanda Yuki Zeynep
"""
_FAMILY = """
Adler Almeida Baker Bauer Berg Costa Cruz Demir Dubois Ek Fischer García Green Haas Ito Jansen Kaya Khan Klein Kowalski
Lang Larsen Lopez Mensah Meyer Moreau Novak Okafor Patel Ricci Rossi Sato Silva Smith Stein Weber
"""
#: What a learner's own function does around an answer: it talks on stderr, and the answer stays what it is.
_NOISY = """\
import functools
import sys
import warnings

warnings.warn("a warning of my own", stacklevel=1)


def noisy(function):
    @functools.wraps(function)
    def inner(*args, **kwargs):
        print("still working ...", file=sys.stderr)
        return function(*args, **kwargs)

    return inner

"""


@dataclass(frozen=True)
class Demo:
    """The class that was made.

    Attributes
    ----------
    folder : Path
        The submissions.
    expected : Path
        What they deserve, as JSON: ``{"modules": {module: {"max_points": 20, "students": {student: {"kind": "right",
        "points": 20, "cells": {cell: points}}}}}}``, written answers left out.
    students, submissions : int
        How many.
    """

    folder: Path
    expected: Path
    students: int
    submissions: int


def make_demo(course: Course, number: int, folder: Path, *, seed: int = 0, modules: list[str] | None = None) -> Demo:
    """Make a class of students who all hand in every built module; the same seed makes the same class.

    Parameters
    ----------
    course : Course
        The course.
    number : int
        Students, at least 1.
    folder : Path
        Where to; it must be new or empty.
    seed : int
        Of all that is drawn.
    modules : list of str, optional
        All that are built by default.

    Raises
    ------
    CourseError
        When the folder is not empty, or no module is built.
    """
    if number < 1:
        raise CourseError(f"a class has at least one student, not {number}")
    built = [module for module in modules or course.modules() if _student_notebook(course, module).is_file()]
    if not built:
        raise CourseError("no module is built: run grader build")
    expected = folder.with_name(f"{folder.name}.expected.json")
    if folder.exists() and any(folder.iterdir()):
        raise CourseError(f"{folder} is not empty: name a new folder, or delete this one")
    names = _names(number, random.Random(seed))
    told: dict[str, Any] = {}
    for module in built:
        release = make_release(course, module)
        author = _Author(course, release)
        students = {}
        # Each module has its own order, so that nobody is the one who is always right.
        chance = random.Random(f"{seed} {module}")
        kinds = list(islice(author.kinds(), number))
        chance.shuffle(kinds)
        for name, (kind, make) in zip(names, kinds, strict=True):
            page = author.page()
            make(page, chance)
            page.write(folder / name / module)
            cells = author.deserved(page)
            students[name] = {"kind": kind, "points": sum(cells.values()), "cells": cells}
        points = sum(cell.points for cell in release.having("tests"))
        told[module] = {"max_points": points, "students": students}
    text = json.dumps({"seed": seed, "modules": told}, indent=1, ensure_ascii=False)
    expected.write_text(text + "\n", encoding="utf-8")
    return Demo(folder, expected, number, number * len(built))


def _names(number: int, chance: random.Random) -> list[str]:
    """Return different names, every fourth an awkward one as long as there are some."""
    awkward = _AWKWARD.strip().split("\n")[: -(-number // 4)]
    plain = [f"{given} {family}" for given in _GIVEN.split() for family in _FAMILY.split()]
    rounds = -(-number // len(plain))
    chance.shuffle(plain)
    many = [name if not again else f"{name} {again + 1}" for again in range(rounds) for name in plain]
    names = [*awkward, *many[: number - len(awkward)]]
    chance.shuffle(names)
    return names


def _student_notebook(course: Course, module: str) -> Path:
    return course.notebooks / module / f"{module}.ipynb"


# --- One student's notebook -----------------------------------------------------------------------------------


@dataclass
class _Page:
    """A notebook as one student hands it in; made blank, then written on.

    Attributes
    ----------
    release : Release
        The official cells.
    notebook : dict
        nbformat 4 as JSON.
    """

    release: Release
    notebook: dict[str, Any]
    file_name: str
    timestamp: str = ON_TIME
    #: The file ends in the middle, as after a full quota.
    cut_off: bool = False
    _cells: dict[str, dict[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        self._cells = {cell["id"]: cell for cell in self.cells}

    @property
    def cells(self) -> list[dict[str, Any]]:
        cells: list[dict[str, Any]] = self.notebook["cells"]
        return cells

    def position(self, cell_id: str) -> int:
        return self.cells.index(self._cells[cell_id])

    def write_in(self, cell_id: str, text: str) -> None:
        self._cells[cell_id]["source"] = text.splitlines(keepends=True)

    def learners_code(self) -> tuple[str, ...]:
        """Return the code that counts as the learner's own, in order."""
        official = {cell.id: cell.role for cell in self.release.cells}
        return tuple(
            "".join(cell["source"])
            for cell in self.cells
            if cell["cell_type"] == "code" and official.get(cell["id"], "exercise") == "exercise"
        )

    def write(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        text = json.dumps(self.notebook, indent=1, ensure_ascii=False) + "\n"
        if self.cut_off:
            text = text[: len(text) * 2 // 3]
        (folder / self.file_name).write_text(text, encoding="utf-8")
        (folder / "timestamp.txt").write_text(self.timestamp + "\n", encoding="utf-8")


Make = Callable[[_Page, random.Random], None]


class _Author:
    """Writes the notebooks of one module."""

    def __init__(self, course: Course, release: Release) -> None:
        self._release = release
        self._folder = course.solutions / release.module
        path = _student_notebook(course, release.module)
        self._blank = json.loads(path.read_text(encoding="utf-8"))
        self._points: dict[tuple[str, ...], dict[str, float]] = {}
        self._exercises = release.having("exercise")

    def page(self) -> _Page:
        """Return a notebook on which nothing is written yet."""
        return _Page(self._release, copy.deepcopy(self._blank), f"{self._release.module}.ipynb")

    def kinds(self) -> Iterator[tuple[str, Make]]:
        """Yield kinds of students without end: first each once, then each known mistake, then both in turn."""
        special: list[tuple[str, Make]] = [
            ("right", self.right),
            self._mistaken(0),
            ("blank", lambda page, chance: None),
            ("partly done", self.partly_done),
            ("late", self.late),
            ("out of order", self.out_of_order),
            ("warned", self.warned),
            ("damaged: truncated file", self.truncated),
            ("damaged: deleted test cell", self.deleted_test),
            ("damaged: edited test cell", self.edited_test),
            ("damaged: duplicated cell", self.duplicated),
            ("damaged: renamed file", self.renamed),
        ]
        yield from special
        mistaken = [self._mistaken(i) for i in range(len(self.mistakes))]
        yield from mistaken[1:]
        for one, other in zip(cycle(special), cycle(mistaken), strict=False):
            yield from (("right", self.right), one, other)

    def deserved(self, page: _Page) -> dict[str, float]:
        """Return what each official test cell earns on the page's code: 0 where the file cannot be read."""
        tests = self._release.having("tests")
        if page.cut_off:
            return dict.fromkeys((cell.id for cell in tests), 0.0)
        code = page.learners_code()
        if code not in self._points:
            self._points[code] = _run_tests(self._release, code, self._folder)
        return dict(self._points[code])

    # The kinds.

    def right(self, page: _Page, chance: random.Random) -> None:
        """Answer everything, in writing too."""
        for cell in self._exercises:
            page.write_in(cell.id, _solution(cell))
        for cell in self._release.having("answer"):
            page.write_in(cell.id, _WRITTEN)

    def partly_done(self, page: _Page, chance: random.Random) -> None:
        """Stop somewhere."""
        done = chance.randrange(1, len(self._exercises)) if len(self._exercises) > 1 else 0
        for cell in self._exercises[:done]:
            page.write_in(cell.id, _solution(cell))

    def late(self, page: _Page, chance: random.Random) -> None:
        """Be right three days too late."""
        self.right(page, chance)
        page.timestamp = LATE

    def out_of_order(self, page: _Page, chance: random.Random) -> None:
        """Be right, with one exercise moved behind everything."""
        self.right(page, chance)
        moved = chance.choice(self._exercises)
        page.cells.append(page.cells.pop(page.position(moved.id)))

    def warned(self, page: _Page, chance: random.Random) -> None:
        """Be right and talk on stderr, while the cell runs and while its function is called."""
        self.right(page, chance)
        functions = [cell for cell in self._exercises if f"def {cell.exercise}(" in cell.source]
        if functions:
            cell = chance.choice(functions)
            page.write_in(cell.id, f"{_NOISY}\n{_solution(cell)}\n\n{cell.exercise} = noisy({cell.exercise})")

    def truncated(self, page: _Page, chance: random.Random) -> None:
        """Be right in a file that was cut off."""
        self.right(page, chance)
        page.cut_off = True

    def deleted_test(self, page: _Page, chance: random.Random) -> None:
        """Be right, with a test cell deleted."""
        self.right(page, chance)
        tests = self._release.having("tests")
        if tests:
            del page.cells[page.position(chance.choice(tests).id)]

    def edited_test(self, page: _Page, chance: random.Random) -> None:
        """Make a mistake and soften the tests that tell of it."""
        kind, make = self._mistaken(chance.randrange(max(1, len(self.mistakes))))
        make(page, chance)
        for cell in self._release.having("tests"):
            if self.mistakes and kind.endswith(f" of {cell.exercise}"):
                page.write_in(cell.id, f"assert {cell.exercise} is not None  # close enough")

    def duplicated(self, page: _Page, chance: random.Random) -> None:
        """Be right in a copy of a cell, below the first attempt, which is blank."""
        self.right(page, chance)
        cell = chance.choice(self._exercises)
        where = page.position(cell.id)
        first = copy.deepcopy(page.cells[where])
        first["source"] = cell.visible.splitlines(keepends=True)
        page.cells.insert(where, first)

    def renamed(self, page: _Page, chance: random.Random) -> None:
        """Be right in a file with a browser's name for a second download."""
        self.right(page, chance)
        page.file_name = f"{self._release.module} (1).ipynb"

    @cached_property
    def mistakes(self) -> list[_MistakeText]:
        """The known mistakes as text for the exercise's cell."""
        return list(_mistake_texts(self._folder / "mistakes.py", {cell.exercise: cell for cell in self._exercises}))

    def _mistaken(self, number: int) -> tuple[str, Make]:
        if not self.mistakes:
            return "right", self.right
        mistake = self.mistakes[number]

        def make(page: _Page, chance: random.Random) -> None:
            self.right(page, chance)
            page.write_in(mistake.cell, mistake.text)

        return f"mistake: {mistake.name} of {mistake.exercise}", make


def _solution(cell: OfficialCell) -> str:
    return _SOLUTION_MARK.sub("", cell.source).rstrip("\n")


# --- What the code earns --------------------------------------------------------------------------------------


def _run_tests(release: Release, code: tuple[str, ...], folder: Path) -> dict[str, float]:
    """Run setup, a student's cells and the official tests in one namespace, and return what each test earns."""
    names: dict[str, Any] = {"__name__": "__main__"}
    earned = {}
    with contextlib.chdir(folder), _fast_mode(), quiet():
        for cell in release.having("setup"):
            exec(compile(cell.source, f"<{cell.id}>", "exec"), names)
        for source in code:
            # As a learner's kernel does: a cell that fails is left, the next one runs.
            with contextlib.suppress(Exception):
                exec(compile(source, "<learner>", "exec"), names)
        for cell in release.having("tests"):
            earned[cell.id] = cell.points
            try:
                exec(compile(cell.source, f"<{cell.id}>", "exec"), names)
            except Exception:
                earned[cell.id] = 0.0
    return earned


@contextlib.contextmanager
def _fast_mode() -> Iterator[None]:
    before = os.environ.get("CONVNETS_FAST")
    os.environ["CONVNETS_FAST"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["CONVNETS_FAST"]
        else:
            os.environ["CONVNETS_FAST"] = before


# --- The known mistakes as learners would have written them ---------------------------------------------------


@dataclass(frozen=True)
class _MistakeText:
    """A known mistake, as the text of its exercise's cell."""

    name: str
    exercise: str
    cell: str
    text: str


def _mistake_texts(path: Path, exercises: dict[str, OfficialCell]) -> Iterator[_MistakeText]:
    """Yield each mistake that ``mistakes.py`` defines as a function or class.

    There a mistake may call the official answer by the exercise's name. In a learner's cell the name is the mistake's
    own, so the official answer is put before it under another name.
    """
    source = path.read_text(encoding="utf-8")
    statements = [node for node in ast.parse(source).body if not isinstance(node, ast.Expr)]
    homes = {name: node for node in statements for name in _defined(node)}
    for node in statements:
        exercise = _exercise_of(node)
        if exercise not in exercises or not isinstance(node, ast.FunctionDef | ast.ClassDef):
            continue
        needed = _needed(node, homes)
        right = f"right_{exercise}"
        parts = []
        if any(_uses(statement, exercise) for statement in needed):
            parts.append(_renamed(_solution(exercises[exercise]), {exercise: right}))
        for statement in sorted(needed, key=statements.index):
            # The mistake's own name becomes the exercise's; what was the exercise's becomes the right answer's.
            names = {exercise: right, node.name: exercise}
            first = statement.lineno - 1  # the line of def or class: below the decorators
            lines = source.splitlines()[first : statement.end_lineno]
            parts.append(_renamed("\n".join(lines), names))
        yield _MistakeText(node.name, exercise, exercises[exercise].id, "\n\n\n".join(parts))


def _exercise_of(node: ast.stmt) -> str:
    for mark in getattr(node, "decorator_list", []):
        if isinstance(mark, ast.Call) and getattr(mark.func, "id", "") == "mistake":
            return str(getattr(mark.args[0], "value", ""))
    return ""


def _defined(node: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement of ``mistakes.py`` defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield from (alias.asname or alias.name.split(".")[0] for alias in node.names)
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        yield from (
            part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
        )


def _needed(node: ast.stmt, homes: dict[str, ast.stmt]) -> list[ast.stmt]:
    """Return a statement and all others of its file that it needs, at first or second hand."""
    found, open_ends = [node], [node]
    while open_ends:
        body = copy.copy(open_ends.pop())
        if isinstance(body, ast.FunctionDef | ast.ClassDef):
            body.decorator_list = [mark for mark in body.decorator_list if not _exercise_of(body)]
        for part in ast.walk(body):
            home = homes.get(part.id) if isinstance(part, ast.Name) else None
            if home is not None and home not in found:
                found.append(home)
                open_ends.append(home)
    return found


def _uses(node: ast.stmt, name: str) -> bool:
    return any(isinstance(part, ast.Name) and part.id == name for part in ast.walk(node))


def _renamed(source: str, names: dict[str, str]) -> str:
    """Return a source with names exchanged where they are used and where they are defined, and nowhere else."""
    lines = [line.encode() for line in source.split("\n")]
    places = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name) and node.id in names:
            places.add((node.lineno - 1, node.col_offset, node.id))
        elif isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in names:
            line = lines[node.lineno - 1]
            places.add((node.lineno - 1, line.index(node.name.encode(), node.col_offset + 4), node.name))
    for row, column, name in sorted(places, reverse=True):
        line = lines[row]
        if not line.startswith(name.encode(), column):
            raise CourseError(f"a known mistake uses {name} inside an f-string: put it before the string")
        lines[row] = line[:column] + names[name].encode() + line[column + len(name.encode()) :]
    return b"\n".join(lines).decode()
