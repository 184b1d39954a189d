"""Where the course holds what the lectures teach: the inventory, the cells that cover it, and the page that says so."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass

from grader.build.text import EXERCISE, Cell, TextNotebook, read_text_notebook
from grader.course import Course, CourseError

#: The items of the lectures, under the course's root.
INVENTORY = "docs/inventory.csv"
#: The page that says where each of them is held.
PAGE = "docs/coverage.md"
#: What an item asks for; an erratum is a mistake on a slide.
KINDS = ("implement", "measure", "play", "question", "number", "erratum")

#: Roles whose cells have a name of their own, and what a reader calls them.
_NAMED = {"exercise": "exercise", "tests": "tests of", "answer": "question", "widget": "widget", "kept": "cell"}
_HEADING = re.compile(r"^#+ (.+)$", re.M)
_COLUMNS = ["id", "module", "kinds", "lectures", "what"]
_INTRODUCTION = """\
# Where the lectures' items are held

The course is made from five lectures: **A** AI-Sys, *Convolutional Networks*; **B** CS468, *Introduction to Deep
Learning*; **C** MADMO, *Deep Learning: CNNs*; **D** Lecture 7, *Convolutional Neural Network*; **E** CS109, *Deep Learning
III*. This page lists everything in them that a learner can implement, measure, play with or be asked, every worked number
and every error found on their slides, and the cells of the notebooks that hold it.

`grader coverage` makes it from [inventory.csv](inventory.csv) and the key `covers` in the text notebooks; a test fails
when it is out of date.

"""


@dataclass(frozen=True)
class Item:
    """Something in the lectures that the course has to hold.

    Attributes
    ----------
    id : str
        A number as ``"46"``, or ``"E1"`` for an erratum.
    module : str
        Number of the module it belongs to, as ``"05"``; another one may hold it.
    kinds : tuple of str
        What it asks for, of `KINDS`.
    lectures : str
        The lectures it is from, as ``"A, B"``.
    what : str
        The item in one line.
    """

    id: str
    module: str
    kinds: tuple[str, ...]
    lectures: str
    what: str


@dataclass(frozen=True)
class Place:
    """A cell that holds an item.

    Attributes
    ----------
    module : str
        Name of the module's folder.
    name : str
        The cell in words, as ``"exercise `output_size`"``.
    """

    module: str
    name: str


@dataclass(frozen=True)
class Coverage:
    """Items and the places that hold them.

    Attributes
    ----------
    items : list of Item
        In the inventory's order.
    places : dict
        For the id of each item its places in the course's order, each once.
    titles : dict
        Title of each module that holds something, by its number.
    """

    items: list[Item]
    places: dict[str, list[Place]]
    titles: dict[str, str]

    @property
    def missing(self) -> list[Item]:
        """The items that no cell holds."""
        return [item for item in self.items if not self.places[item.id]]

    def page(self) -> str:
        """Return the page in Markdown: a table for each module, and one for the errata."""
        held = len(self.items) - len(self.missing)
        parts = [_INTRODUCTION, f"{held} of {len(self.items)} items are held."]
        if self.missing:
            parts.append(f" Missing: {', '.join(item.id for item in self.missing)}.")
        parts.append("\n")
        errata = [item for item in self.items if "erratum" in item.kinds]
        for module in sorted({item.module for item in self.items}):
            items = [item for item in self.items if item.module == module and item not in errata]
            parts += self._table(self.titles.get(module, f"Module {module}"), items)
        parts += self._table("Errata: what the slides say, and what is right", errata)
        return "".join(parts)

    def _table(self, title: str, items: list[Item]) -> Iterator[str]:
        if not items:
            return
        yield f"\n## {title}\n\n| item | kind | what | lectures | where |\n| --- | --- | --- | --- | --- |\n"
        for item in items:
            where = _where(self.places[item.id]) or "**missing**"
            cells = (item.id, ", ".join(item.kinds), item.what.replace("|", r"\|"), item.lectures, where)
            yield f"| {' | '.join(cells)} |\n"


def read_coverage(course: Course) -> Coverage:
    """Find the places of all items.

    Raises
    ------
    CourseError
        When the inventory or a text notebook is not in order, or a cell covers an item that is not in the inventory; the
        text names file and line.
    """
    items = read_inventory(course)
    places: dict[str, list[Place]] = {item.id: [] for item in items}
    titles = {}
    for module in course.modules():
        path = course.solutions / module / "notebook.py"
        notebook = read_text_notebook(path)
        for cell, name in _names(notebook):
            for item in cell.covers:
                if item not in places:
                    raise CourseError(f"{path}:{cell.line}: covers item {item}, which is not in {INVENTORY}")
                place = Place(module, name)
                if place not in places[item]:
                    places[item].append(place)
                titles[_number(module)] = notebook.title
    return Coverage(items, places, titles)


def read_inventory(course: Course) -> list[Item]:
    """Read the items of the lectures.

    Raises
    ------
    CourseError
        When the file is missing or a line of it is not in order; the text names the line.
    """
    path = course.root / INVENTORY
    if not path.is_file():
        raise CourseError(f"{path} is missing: it lists the items that the notebooks cover")
    items: dict[str, Item] = {}
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if reader.fieldnames != _COLUMNS:
            raise CourseError(f"{path}: the first line must be {','.join(_COLUMNS)}")
        for row in reader:
            where = f"{path}:{reader.line_num}"
            # A line with too few or too many fields has None as a value or as a key.
            if None in row or not all(row.values()):
                raise CourseError(f"{where}: a line has {len(_COLUMNS)} fields, none of them empty")
            item = Item(row["id"], row["module"], tuple(row["kinds"].split()), row["lectures"], row["what"])
            unknown = [kind for kind in item.kinds if kind not in KINDS]
            if unknown:
                raise CourseError(f"{where}: {unknown[0]!r} is no kind of item; there are {', '.join(KINDS)}")
            if item.id in items:
                raise CourseError(f"{where}: item {item.id} is there twice")
            items[item.id] = item
    return list(items.values())


def _names(notebook: TextNotebook) -> Iterator[tuple[Cell, str]]:
    """Yield each cell with its name in words: its own one, or the heading above it."""
    heading = f"*{notebook.title}*"
    for cell in notebook.cells:
        headings = [_in_words(found) for found in _HEADING.findall(cell.source)] if cell.role == "prose" else []
        if cell.role in _NAMED:
            yield cell, f"{_NAMED[cell.role]} `{cell.name}`"
        else:
            # A text that goes on before its first heading belongs to the heading above it, too.
            above = [] if headings and _HEADING.match(cell.source) else [heading]
            kind = "text" if cell.role == "prose" else cell.role
            yield cell, f"{kind} {' / '.join(above + headings[:1])}"
        heading = headings[-1] if headings else heading


def _in_words(heading: str) -> str:
    found = EXERCISE.search(heading)
    return f"`{found.group(1)}`" if found else f"*{heading.strip()}*"


def _where(places: list[Place]) -> str:
    """Join places to one cell of the table, with one link for each module."""
    modules = dict.fromkeys(place.module for place in places)
    return "; ".join(
        f"[{_number(module)}](../notebooks/{module}/{module}.ipynb) · "
        + ", ".join(place.name for place in places if place.module == module)
        for module in modules
    )


def _number(module: str) -> str:
    return module.split("_")[0]
