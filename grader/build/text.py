"""Read a text notebook: its cells and the roles that short tags give them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from grader.course import CourseError

Role = Literal["prose", "setup", "exercise", "tests", "answer", "experiment", "widget", "kept"]

#: The numbers each role takes beside its own tag; all of them are demanded.
TAGS: dict[str, tuple[str, ...]] = {
    "prose": (),
    "setup": (),
    "exercise": ("difficulty", "minutes"),
    "tests": ("points",),
    "answer": ("points",),
    "experiment": ("seconds",),
    "widget": (),
}
#: Cells whose code may be folded away with ``folded=true``: helpers that draw, of which only the picture matters.
CAN_BE_FOLDED = ("setup", "experiment", "widget")
#: Widgets answer at once; an experiment has its own budget.
WIDGET_SECONDS = 10.0

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*$")
_ITEM = re.compile(r"E?[1-9][0-9]*$")
_HIDDEN = re.compile(r"^[ \t]*### BEGIN HIDDEN TESTS[ \t]*\n.*?^[ \t]*### END HIDDEN TESTS[ \t]*\n?", re.M | re.S)


@dataclass(frozen=True)
class Cell:
    """A cell of a text notebook.

    Attributes
    ----------
    role : str
        What its tag makes of it.
    name : str
        Name of the exercise, answer or widget; empty for other roles.
    source : str
        Its text.
    code : bool
        Code, not prose.
    line : int
        Line of its ``# %%`` in the file.
    tags : dict
        The other tags, as ``{"points": 2}``.
    covers : tuple of str
        Items of the lectures' inventory that it holds, as ``("46", "E1")``; learners do not get them.
    """

    role: Role
    name: str
    source: str
    code: bool
    line: int
    tags: dict[str, Any] = field(default_factory=dict)
    covers: tuple[str, ...] = ()

    @property
    def points(self) -> float:
        """What it is worth."""
        return float(self.tags.get("points", 0))

    @property
    def visible(self) -> str:
        """Its text without hidden tests, as learners get it."""
        return _HIDDEN.sub("", self.source).rstrip("\n")


@dataclass(frozen=True)
class TextNotebook:
    """A text notebook, read and found consistent.

    Attributes
    ----------
    module : str
        Name of its folder.
    cells : list of Cell
        In order.
    """

    module: str
    cells: list[Cell]

    @property
    def title(self) -> str:
        """The first heading."""
        headings = (re.search(r"^# (.+)$", cell.source, re.M) for cell in self.cells if not cell.code)
        return next((found.group(1).strip() for found in headings if found), self.module)

    @property
    def exercises(self) -> list[Cell]:
        """The exercises in order."""
        return [cell for cell in self.cells if cell.role == "exercise"]

    def tests_of(self, exercise: str) -> list[Cell]:
        """Return the test cells of an exercise."""
        return [cell for cell in self.cells if cell.role == "tests" and cell.name == exercise]

    @property
    def minutes(self) -> int:
        """Minutes named by the card, 0 without one."""
        found = next((CARD.search(cell.source) for cell in self.cells if CARD.search(cell.source)), None)
        return int(found.group(1)) if found else 0


#: The placeholder of the lesson's card, with the lesson's minutes.
CARD = re.compile(r"\{\{card:(\d+)\}\}")
#: The placeholder of an exercise's heading.
EXERCISE = re.compile(r"\{\{exercise:(\w+)\}\}")


def read_text_notebook(path: Path) -> TextNotebook:
    """Read a text notebook in jupytext's percent format.

    Raises
    ------
    CourseError
        When a tag is broken or roles do not fit together; the text names file and line.
    """
    import jupytext

    text = path.read_text(encoding="utf-8")
    notebook = jupytext.reads(text, fmt="py:percent")
    heads = [number for number, line in enumerate(text.splitlines(), start=1) if line.startswith("# %%")]
    if len(heads) != len(notebook.cells):
        raise CourseError(f"{path}: the first cell has no '# %%' line; begin the file with one")
    cells = [_read_cell(cell, path, line) for cell, line in zip(notebook.cells, heads, strict=True)]
    _check_consistency(cells, path)
    return TextNotebook(path.parent.name, cells)


def _read_cell(cell: Any, path: Path, line: int) -> Cell:
    where = f"{path}:{line}"
    code = cell.cell_type == "code"
    tags = dict(cell.metadata)
    tags.pop("lines_to_next_cell", None)
    covers = _read_covers(tags.pop("covers"), where) if "covers" in tags else ()
    if "nbgrader" in tags:
        return Cell("kept", str(tags["nbgrader"].get("grade_id", "")), cell.source, code, line, tags, covers)
    bare = tags.pop("title", None)
    if bare is not None:
        if bare not in ("setup", "experiment"):
            raise CourseError(f"{where}: the tag {bare!r} is unknown; bare tags are setup and experiment")
        tags[bare] = ""
    roles = [role for role in TAGS if role in tags]
    if len(roles) > 1:
        raise CourseError(f"{where}: a cell has one role, this one has {' and '.join(roles)}")
    role = roles[0] if roles else "prose"
    name = tags.pop(role, "")
    if role in ("exercise", "tests", "answer", "widget") and not _NAME.match(str(name)):
        raise CourseError(f"{where}: the name {name!r} is not a Python name; write {role}=\"conv2d\"")
    allowed = TAGS[role]
    folded = role in CAN_BE_FOLDED and tags.get("folded") is True
    if folded:
        del tags["folded"]
    for key, value in tags.items():
        if key not in allowed:
            options = ", ".join(allowed) or "none"
            raise CourseError(f"{where}: the tag {key!r} is unknown for a cell of role {role} (allowed: {options})")
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise CourseError(f"{where}: {key}={value!r} is not a number; write {key}=2")
        if key == "difficulty" and value not in (1, 2, 3):
            raise CourseError(f"{where}: difficulty={value!r}; it is 1, 2 or 3")
    missing = [key for key in allowed if key not in tags]
    if missing:
        tag = f"{role}={name!r}" if name else role
        raise CourseError(f"{where}: {missing[0]} is missing; write {tag} {missing[0]}=2")
    if role == "prose" and code:
        raise CourseError(
            f"{where}: a code cell needs a role: setup, exercise, tests, experiment or widget"
        )
    if code == (role in ("prose", "answer")):
        raise CourseError(f"{where}: a cell of role {role} is {'markdown' if code else 'code'}; mend its '# %%' line")
    if role == "widget":
        tags["seconds"] = WIDGET_SECONDS
    if folded:
        tags["folded"] = True
    return Cell(role, str(name), cell.source, code, line, tags, covers)  # type: ignore[arg-type]


def _read_covers(value: Any, where: str) -> tuple[str, ...]:
    items = value.split() if isinstance(value, str) else []
    if not items or not all(_ITEM.match(item) for item in items):
        raise CourseError(f'{where}: covers={value!r} names no items of the inventory; write covers="46 47 E1"')
    twice = next((item for item in items if items.count(item) > 1), None)
    if twice:
        raise CourseError(f"{where}: covers={value!r} names {twice} twice; leave one out")
    return tuple(items)


def _check_consistency(cells: list[Cell], path: Path) -> None:
    seen: dict[str, Cell] = {}
    for cell in cells:
        if cell.role in ("exercise", "answer", "widget", "kept"):
            if cell.name in seen:
                raise CourseError(
                    f"{path}:{cell.line}: the name {cell.name!r} is taken by the cell in line {seen[cell.name].line}"
                )
            seen[cell.name] = cell
        if cell.role in ("exercise", "answer") and "### BEGIN SOLUTION" not in cell.source:
            raise CourseError(
                f"{path}:{cell.line}: {cell.name!r} has no solution; "
                "put it between ### BEGIN SOLUTION and ### END SOLUTION"
            )
        for begin, end in (("### BEGIN SOLUTION", "### END SOLUTION"), ("### BEGIN HIDDEN", "### END HIDDEN")):
            if cell.source.count(begin) != cell.source.count(end):
                raise CourseError(f"{path}:{cell.line}: {begin} and {end} do not match")
        if cell.role == "widget" and not alt_text(cell):
            raise CourseError(f"{path}:{cell.line}: the widget has no alt text; begin the cell with '# alt: ...'")
    exercises = {cell.name for cell in cells if cell.role == "exercise"}
    tested = {cell.name for cell in cells if cell.role == "tests"}
    for cell in cells:
        if cell.role == "tests" and cell.name not in exercises:
            raise CourseError(f"{path}:{cell.line}: tests of {cell.name!r}, but there is no such exercise")
        if cell.role == "exercise" and cell.name not in tested:
            where = f"{path}:{cell.line}"
            raise CourseError(f"{where}: the exercise {cell.name!r} has no tests; add a cell tests={cell.name!r}")


def alt_text(cell: Cell) -> str:
    """Return the alternative text in the first line of a widget's cell."""
    first = cell.source.splitlines()[0] if cell.source else ""
    return first.removeprefix("# alt:").strip() if first.startswith("# alt:") else ""
