"""Expand a text notebook to an nbgrader source notebook."""

from __future__ import annotations

import re
from typing import Any

from grader.build.text import CARD, EXERCISE, Cell, TextNotebook
from grader.course import CourseError

#: The version of nbgrader's cell metadata.
SCHEMA_VERSION = 3
#: nbclient, and so nbgrader, does not run cells with this tag: experiments never run while grading.
SKIP_TAG = "skip-execution"

_LEFTOVER = re.compile(r"\{\{[^}]*\}\}")
NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
}


def cell_ids(notebook: TextNotebook) -> list[str]:
    """Return an id for each cell: its nbgrader grade id, the same at every build."""
    counts: dict[str, int] = {}
    ids = []
    for cell in notebook.cells:
        if cell.role in ("exercise", "answer", "kept"):
            ids.append(cell.name)
            continue
        named = {"tests": f"{cell.name}-test", "widget": f"widget-{cell.name}", "prose": "text"}
        stem = named.get(cell.role, cell.role)
        counts[stem] = counts.get(stem, 0) + 1
        ids.append(stem if cell.role == "widget" else f"{stem}-{counts[stem]}")
    return ids


def expand(notebook: TextNotebook) -> Any:
    """Return the nbgrader source notebook.

    Returns
    -------
    nbformat.NotebookNode
        Version 4.5; cell ids are the grade ids.
    """
    from nbformat import v4

    cells = []
    for cell, cell_id in zip(notebook.cells, cell_ids(notebook), strict=True):
        metadata = _metadata(cell, cell_id)
        source = cell.source if cell.code else _fill(cell, notebook)
        new = v4.new_code_cell if cell.code else v4.new_markdown_cell
        cells.append(new(source, id=cell_id, metadata=metadata))
    return v4.new_notebook(cells=cells, metadata=NOTEBOOK_METADATA)


def _metadata(cell: Cell, cell_id: str) -> dict[str, Any]:
    if cell.role == "kept":
        return cell.tags
    grade, solution = cell.role in ("tests", "answer"), cell.role in ("exercise", "answer")
    nbgrader: dict[str, Any] = {
        "cell_type": "code" if cell.code else "markdown",
        "grade": grade,
        "grade_id": cell_id,
        "locked": not solution,
        "schema_version": SCHEMA_VERSION,
        "solution": solution,
        "task": False,
    }
    if grade:
        nbgrader["points"] = cell.points
    metadata: dict[str, Any] = {"nbgrader": nbgrader}
    if cell.role in ("experiment", "widget"):
        metadata["tags"] = [SKIP_TAG]
    if cell.tags.get("folded"):
        metadata["jupyter"] = {"source_hidden": True}
    return metadata


def _fill(cell: Cell, notebook: TextNotebook) -> str:
    """Fill the placeholders of a prose cell."""

    def exercise(found: re.Match[str]) -> str:
        return _exercise_heading(found.group(1), notebook, cell)

    text = CARD.sub(lambda found: _card(int(found.group(1)), notebook), cell.source)
    text = EXERCISE.sub(exercise, text)
    left = _LEFTOVER.search(text)
    if left:
        raise CourseError(
            f"{notebook.module}: line {cell.line}: the placeholder {left.group(0)} is unknown; "
            "there are {{card:90}} and {{exercise:name}}"
        )
    return text


def _card(minutes: int, notebook: TextNotebook) -> str:
    checked = sum(cell.points for cell in notebook.cells if cell.role == "tests")
    written = sum(cell.points for cell in notebook.cells if cell.role == "answer")
    parts = [f"{minutes} minutes", _count(len(notebook.exercises), "exercise")]
    if checked or written:
        points = f"{checked + written:g} points"
        parts.append(f"{points} ({checked:g} checked at once, {written:g} for written answers)" if written else points)
    return f"**{' · '.join(parts)}**"


def _exercise_heading(name: str, notebook: TextNotebook, cell: Cell) -> str:
    names = [exercise.name for exercise in notebook.exercises]
    if name not in names:
        raise CourseError(f"{notebook.module}: line {cell.line}: there is no exercise {name!r} for its heading")
    exercise = notebook.exercises[names.index(name)]
    difficulty, minutes = exercise.tags["difficulty"], exercise.tags["minutes"]
    points = sum(test.points for test in notebook.tests_of(name))
    worth = f" · {points:g} point{'' if points == 1 else 's'}" if points else ""
    dots = "●" * difficulty + "○" * (3 - difficulty)
    return (
        f"Exercise {names.index(name) + 1} · `{name}`\n\n"
        f"*Difficulty {difficulty} of 3 {dots} · {_count(minutes, 'minute')}{worth}*"
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
