"""The official side of one module: its cells with hidden tests and solutions, and what the tests must do to count.

A release is made once from the text notebook and read from ``build/releases/`` afterwards. It holds everything that
learners must not see, so it stays in the trusted process and never enters a learner's.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any, Literal

from convnets.checks import LessonRecord, signature
from convnets.checks.record import KnownMistake, TestCell, fingerprint
from grader.course import Course, CourseError
from grader.engine.wire import is_plain

if TYPE_CHECKING:
    from grader.build.recording import Workbench
    from grader.build.text import Cell, TextNotebook

#: Version of the file format, and of how a release is made.
FORMAT = 2

Role = Literal["prose", "setup", "exercise", "tests", "answer", "experiment", "widget"]
#: What the learners' process has to have imported.
Profile = Literal["numpy", "torch"]

_WORD = re.compile(r"\w+")
#: Libraries that take long to import, and what the code mentions that makes Python or PyTorch import them.
_SLOW = {"matplotlib.pyplot": "matplotlib", "torch._dynamo": "optim"}
_TORCH = re.compile(r"^\s*(?:import|from)\s+torch\b", re.M)
_HERE = Path(__file__).resolve()


@dataclass(frozen=True)
class OfficialCell:
    """A cell as the course has it.

    Attributes
    ----------
    id : str
        Its grade id.
    role : str
        What it is for.
    code : bool
        Code, not markdown.
    source : str
        Its whole text, with solution and hidden tests.
    visible : str
        Its text as learners get it.
    points : float
        What a test cell or a written answer is worth.
    exercise : str
        Name of the exercise, of an exercise and its test cells.
    checks : int
        How many checks the official solution begins in a test cell, hidden ones included: an answer that passes with
        fewer was not tested.
    hidden : tuple of (int, int)
        First and last line of each hidden part of `source`, counted from 1.
    names : tuple of str
        Names that an exercise's or a setup cell's official text defines.
    instances : bool
        With the official solution a test cell meets objects of classes, not only plain data and functions: only then it
        may meet those of learners.
    """

    id: str
    role: Role
    code: bool
    source: str
    visible: str
    points: float = 0.0
    exercise: str = ""
    checks: int = 0
    hidden: tuple[tuple[int, int], ...] = ()
    names: tuple[str, ...] = ()
    instances: bool = True

    def hides(self, line: int) -> bool:
        """Tell whether a line of the source is hidden from learners."""
        return any(first <= line <= last for first, last in self.hidden)


# Compared by identity: one release is read once, and what is prepared for it is kept under it.
@dataclass(frozen=True, eq=False)
class Release:
    """A module as it is graded.

    Attributes
    ----------
    module : str
        Its name.
    cells : tuple of OfficialCell
        In order.
    record : LessonRecord
        The known mistakes' outcomes, also at hidden checks; ordinals count all checks of a cell.
    """

    module: str
    cells: tuple[OfficialCell, ...]
    record: LessonRecord = field(repr=False)

    @cached_property
    def by_id(self) -> dict[str, OfficialCell]:
        """The cells under their ids."""
        return {cell.id: cell for cell in self.cells}

    @cached_property
    def by_text(self) -> dict[tuple[bool, str], OfficialCell]:
        """The cells under whether they are code and the fingerprint of what learners see; of equal ones the first."""
        return {(cell.code, fingerprint(cell.visible)): cell for cell in reversed(self.cells)}

    def having(self, *roles: Role) -> tuple[OfficialCell, ...]:
        """Return the cells of these roles in order."""
        return tuple(cell for cell in self.cells if cell.role in roles)

    @cached_property
    def exercises(self) -> tuple[str, ...]:
        """Names of the exercises in order."""
        return tuple(cell.exercise for cell in self.having("exercise"))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names that come from the learner: what the official exercise cells define and setup does not."""
        setup = {name for cell in self.having("setup") for name in cell.names} - set(self.exercises)
        return tuple(dict.fromkeys(n for cell in self.having("exercise") for n in cell.names if n not in setup))

    @cached_property
    def profile(self) -> Profile:
        """``"torch"`` where any official code imports it."""
        return "torch" if any(_TORCH.search(cell.source) for cell in self.cells if cell.code) else "numpy"

    @cached_property
    def unneeded(self) -> frozenset[str]:
        """Libraries that take long to import, and that no code uses that is run when grading."""
        sources = [cell.source for cell in self.having("setup", "exercise", "tests")]
        return frozenset(name for name, sign in _SLOW.items() if not any(sign in source for source in sources))

    @cached_property
    def fingerprint(self) -> str:
        """Changes with everything that a result depends on; prose, experiments and widgets do not count."""
        graded = [asdict(cell) for cell in self.having("setup", "exercise", "tests", "answer")]
        return _digest(json.dumps([FORMAT, self.module, graded, self.record.to_json()], sort_keys=True))

    @property
    def points(self) -> float:
        """Points that can be earned, written answers included."""
        return sum(cell.points for cell in self.cells)

    def recognise(self, cell: str, ordinal: int, outcome: signature.Signature) -> KnownMistake | None:
        """Return the known mistake that fails this check of this cell with this outcome."""
        for known in self.record.mistakes:
            if (known.cell, known.ordinal) == (cell, ordinal) and signature.matches(known.outcome, outcome):
                return known
        return None

    def to_json(self) -> str:
        """Write the release as JSON, byte-stable."""
        data = {"format": FORMAT, "module": self.module, "cells": [asdict(cell) for cell in self.cells]}
        return json.dumps(data | {"record": self.record.to_json()}, ensure_ascii=False, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Release:
        """Read a release written by `to_json`.

        Raises
        ------
        ValueError
            When the text is no release of this format.
        """
        data: dict[str, Any] = json.loads(text)
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            raise ValueError("the release has another format")
        try:
            cells = tuple(
                OfficialCell(
                    **item | {"names": tuple(item["names"]), "hidden": tuple((a, b) for a, b in item["hidden"])}
                )
                for item in data["cells"]
            )
            return cls(data["module"], cells, LessonRecord.from_json(data["record"]))
        except (KeyError, TypeError) as error:
            raise ValueError(f"the release is damaged ({error})") from error


def make_release(course: Course, module: str) -> Release:
    """Return a module's release: from ``build/releases/`` where nothing changed since, otherwise made anew.

    Parameters
    ----------
    course : Course
        The course.
    module : str
        Name of the module.

    Raises
    ------
    CourseError
        When the module does not build, when its solution fails its own hidden tests, or when a cell cannot be graded.
    """
    path = course.root / "build" / "releases" / f"{module}.json"
    inputs = _inputs(course, module)
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["inputs"] == inputs:
            return Release.from_json(kept["release"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # none yet, of another version, or damaged: made anew
    release = _make(course, module)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps({"inputs": inputs, "release": release.to_json()}), encoding="utf-8")
        temporary.replace(path)
    except OSError:  # a full disk, a course that may only be read: it is made anew the next time
        with contextlib.suppress(OSError):
            temporary.unlink()
    return release


def _inputs(course: Course, module: str) -> str:
    """Return a fingerprint of all files a release is made from: the module's, and the code that makes it."""
    home = course.solutions / module
    files = [home / "notebook.py", home / "mistakes.py", course.root / "nbgrader_config.py", _HERE]
    files += sorted((_HERE.parents[1] / "build").glob("*.py"))
    files += sorted((_HERE.parents[2] / "convnets" / "checks").glob("*.py"))
    try:
        return _digest("\0".join(_digest(path.read_bytes()) for path in files))
    except OSError as error:
        raise CourseError(f"{module}: {error.filename} cannot be read: {error.strerror}") from error


def _make(course: Course, module: str) -> Release:
    from grader.build.expand import cell_ids
    from grader.build.recording import Workbench
    from grader.build.text import read_text_notebook

    home = course.solutions / module
    notebook = read_text_notebook(home / "notebook.py")
    bench = Workbench(notebook, home)
    record = bench.record()
    bench.lesson.record = record
    visible = _visible_sources(course, notebook)
    tests = {bench.ids[id(cell)]: cell for cell in notebook.cells if cell.role == "tests"}
    checks = {cell_id: _count_checks(bench, cell) for cell_id, cell in tests.items()}
    instances = {cell_id: _meets_instances(bench, cell) for cell_id, cell in tests.items()}
    cells = tuple(
        _official(cell, cell_id, visible[cell_id], checks.get(cell_id, 0), instances.get(cell_id, True), module)
        for cell, cell_id in zip(notebook.cells, cell_ids(notebook), strict=True)
    )
    full = {
        cell_id: TestCell(cell.exercise, cell.points, checks[cell_id], cell.source)
        for cell_id, cell in record.cells.items()
    }
    return Release(module, cells, replace(record, cells=full, mistakes=tuple(_mistakes_at_all_checks(bench))))


def _visible_sources(course: Course, notebook: TextNotebook) -> dict[str, str]:
    """Return each cell's text as nbgrader hands it out, by nbgrader itself."""
    from nbgrader.preprocessors import ClearHiddenTests, ClearSolutions
    from traitlets.config import PyFileConfigLoader

    from grader.build.expand import expand

    config = PyFileConfigLoader("nbgrader_config.py", path=str(course.root)).load_config()
    released = expand(notebook)
    for step in (ClearSolutions, ClearHiddenTests):
        released, _ = step(config=config).preprocess(released, {})
    return {cell.id: cell.source for cell in released.cells}


def _count_checks(bench: Workbench, cell: Cell) -> int:
    failure = bench.run_tests(cell)
    if failure:
        raise CourseError(
            f"{bench.notebook.module}: line {cell.line}: the solution fails its own hidden test:\n{failure}"
        )
    return bench.lesson.checks_begun


def _meets_instances(bench: Workbench, cell: Cell) -> bool:
    """Tell whether a test cell meets objects of classes when it runs on the official solution.

    It does where its text, or a helper's of a setup cell, mentions a class or an object that an exercise defines, and
    where a function of an exercise returns an object.
    """
    own = {name for one in bench.notebook.exercises for name in _top_level_names(ast.parse(one.source))}
    functions = {name: bench.namespace[name] for name in own if isinstance(bench.namespace.get(name), FunctionType)}
    objects = {name for name in own - functions.keys() if not is_plain(bench.namespace.get(name))}
    texts = [one.source for one in bench.notebook.cells if one.role == "setup"] + [cell.source]
    if not objects.isdisjoint(_WORD.findall("\n".join(texts))):
        return True
    met: list[bool] = []

    def watched(function: FunctionType) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            value = function(*args, **kwargs)
            met.append(not (isinstance(value, FunctionType) or is_plain(value)))
            return value

        return call

    bench.namespace.update({name: watched(function) for name, function in functions.items()})
    try:
        bench.run_tests(cell)
    finally:
        bench.namespace.update(functions)
    return any(met)


def _mistakes_at_all_checks(bench: Workbench) -> Iterator[KnownMistake]:
    """Yield the outcome of each mistake at the first check it fails in each test cell, hidden ones included."""
    found: list[KnownMistake] = []
    for wrong in bench.wrong_answers:
        for cell in bench.notebook.tests_of(wrong.exercise):
            failure = bench.run_tests(cell, wrong.answer)
            if failure:
                place = (bench.ids[id(cell)], failure.ordinal, failure.outcome)
                found.append(KnownMistake(wrong.name, wrong.exercise, *place, wrong.reason))
    for known in found:
        # Two mistakes that look the same here: better no reason than a wrong one.
        if not any(
            other.name != known.name
            and (other.cell, other.ordinal) == (known.cell, known.ordinal)
            and signature.matches(other.outcome, known.outcome)
            for other in found
        ):
            yield known


def _official(cell: Cell, cell_id: str, visible: str, checks: int, instances: bool, module: str) -> OfficialCell:
    role = _role(cell, module)
    points = cell.points
    if cell.role == "kept":
        points = float(cell.tags["nbgrader"].get("points", 0)) if role == "answer" else 0.0
    names: tuple[str, ...] = ()
    if role in ("exercise", "setup"):
        own = [cell.name] if role == "exercise" else []
        names = tuple(dict.fromkeys([*own, *_top_level_names(ast.parse(cell.source))]))
    return OfficialCell(
        id=cell_id,
        role=role,
        code=cell.code,
        source=cell.source,
        visible=visible,
        points=points,
        exercise=cell.name if role in ("exercise", "tests") else "",
        checks=checks,
        hidden=tuple(_hidden_lines(cell.source)) if role == "tests" else (),
        names=names,
        instances=instances,
    )


def _role(cell: Cell, module: str) -> Role:
    if cell.role != "kept":
        return cell.role
    marks = cell.tags["nbgrader"]
    if marks.get("grade") and marks.get("solution"):
        return "answer"
    if not cell.code:
        return "prose"
    raise CourseError(
        f"{module}: line {cell.line}: a code cell that carries nbgrader's own metadata cannot be graded; "
        "tag it setup, exercise, tests or experiment"
    )


def _hidden_lines(source: str) -> Iterator[tuple[int, int]]:
    """Yield first and last line of each hidden part, by nbgrader's own rule: a line that holds the mark."""
    first = 0
    for number, line in enumerate(source.split("\n"), start=1):
        if "BEGIN HIDDEN TESTS" in line:
            first = number
        elif "END HIDDEN TESTS" in line and first:
            yield first, number
            first = 0


def _top_level_names(tree: ast.Module) -> Iterator[str]:
    """Yield the names that an official cell binds at its top level, in branches and loops too."""
    for statement in tree.body:
        yield from _bound(statement)


def _bound(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name  # what is bound inside stays inside
    elif isinstance(node, ast.Import | ast.ImportFrom):
        for alias in node.names:
            yield alias.asname or alias.name.split(".")[0]
    elif isinstance(node, ast.Name):
        if isinstance(node.ctx, ast.Store):
            yield node.id
    elif not isinstance(node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        for child in ast.iter_child_nodes(node):
            yield from _bound(child)


def same_text(one: str, other: str) -> bool:
    """Tell whether two cells' texts agree but for trailing blanks."""
    return one == other or fingerprint(one) == fingerprint(other)


def _digest(data: str | bytes) -> str:
    return hashlib.sha256(data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data).hexdigest()
