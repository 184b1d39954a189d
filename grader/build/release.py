"""Make the student notebook of a module with nbgrader, and compare it with the one that is committed."""

from __future__ import annotations

import base64
import filecmp
import json
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from convnets.checks.record import LessonRecord, file_name
from grader.build.expand import NOTEBOOK_METADATA, cell_ids, expand
from grader.build.recording import Workbench
from grader.build.text import TextNotebook, alt_text, read_text_notebook
from grader.course import Course, CourseError
from grader.nbgrader_api import open_api, run_step

_PICTURE = re.compile(r"pictures/[\w.-]+")


def build_module(course: Course, module: str) -> list[str]:
    """Build a module's student notebook into ``notebooks/`` and enter it into the gradebook.

    Returns
    -------
    list of str
        Files of the student notebook's folder that changed.

    Raises
    ------
    CourseError
        When the text notebook or its mistakes are not in order; the old student notebook stays.
    """
    made = _make(course, module, course.root)
    target = course.notebooks / module
    changed = _differences(made, target)
    for name in changed:  # a record that agrees stays as it is, digits of another processor and all
        (target / name).unlink(missing_ok=True)
        if (made / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(made / name, target / name)
    return changed


def drift(course: Course, module: str) -> list[str]:
    """Return the committed files of a student notebook that differ from what its source makes."""
    with tempfile.TemporaryDirectory() as scratch:
        return _differences(_make(course, module, Path(scratch)), course.notebooks / module)


def write_source(course: Course, module: str, folder: Path) -> TextNotebook:
    """Write a module's nbgrader source notebook into a folder, with the files that go beside it.

    Parameters
    ----------
    folder : Path
        Is made anew. nbgrader copies all that lies in it to learners, so nothing else may.
    """
    home = course.solutions / module
    notebook = read_text_notebook(home / "notebook.py")
    record = Workbench(notebook, home).record()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    expanded = expand(notebook)
    _write_notebook(expanded, folder / f"{module}.ipynb")
    (folder / file_name(module)).write_text(record.to_json(), encoding="utf-8")
    prose = "\n".join(cell.source for cell in notebook.cells if not cell.code)
    for picture in sorted(set(_PICTURE.findall(prose))):
        if not (home / picture).is_file():
            raise CourseError(f"{module}: the prose shows {picture}, which is not in {home}")
        (folder / picture).parent.mkdir(exist_ok=True)
        shutil.copyfile(home / picture, folder / picture)
    return notebook


def _make(course: Course, module: str, root: Path) -> Path:
    """Build under ``root/build`` and return the folder of the finished student notebook."""
    notebook = write_source(course, module, root / "build" / "source" / module)
    # Released beside the source and moved when finished: a failure must not cost the committed notebook.
    api = open_api(course.root / "nbgrader_config.py", root, release_directory="build/release")
    run_step(api.generate_assignment(module, force=True, create=True), f"{module}: nbgrader generate_assignment")
    made = root / "build" / "release" / module
    path = made / f"{module}.ipynb"
    released = json.loads(path.read_text(encoding="utf-8"))
    _finish(released, notebook, course.solutions / module)
    _write_notebook(released, path)
    return made


def _finish(released: dict[str, Any], notebook: TextNotebook, home: Path) -> None:
    """Put static pictures in the place of widgets and set what nbgrader leaves to chance."""
    released["metadata"] = NOTEBOOK_METADATA
    by_id = dict(zip(cell_ids(notebook), notebook.cells, strict=True))
    for released_cell in released["cells"]:
        cell = by_id[released_cell["id"]]
        if cell.role == "widget":
            released_cell["outputs"] = [_static_picture(cell.name, alt_text(cell), home)]


def _static_picture(widget: str, alt: str, home: Path) -> dict[str, Any]:
    path = home / "pictures" / f"{widget}.png"
    if not path.is_file():
        raise CourseError(f"{path} is missing: make it with python -m tests.browser.static_pictures {home.name}")
    picture = base64.b64encode(path.read_bytes()).decode()
    return {
        "data": {"image/png": picture, "text/plain": [alt]},
        "metadata": {"image/png": {"alt": alt}},
        "output_type": "display_data",
    }


def _write_notebook(notebook: dict[str, Any], path: Path) -> None:
    """Write a notebook so that the same content is the same bytes, one source line a line."""
    for cell in notebook["cells"]:
        if isinstance(cell["source"], str):
            cell["source"] = cell["source"].splitlines(keepends=True)
    text = json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def _differences(made: Path, committed: Path) -> list[str]:
    names = {str(path.relative_to(folder)) for folder in (made, committed) for path in _files(folder)}
    return sorted(
        name
        for name in names
        if not (made / name).is_file()
        or not (committed / name).is_file()
        or not _same(made / name, committed / name)
    )


def _same(made: Path, committed: Path) -> bool:
    """Tell whether two files are the same, or two records that agree: which one it is depends on the processor."""
    if filecmp.cmp(made, committed, shallow=False):
        return True
    if made.name != file_name(made.parent.name):
        return False
    try:
        ours, theirs = (LessonRecord.from_json(path.read_text(encoding="utf-8")) for path in (made, committed))
    except (ValueError, KeyError, TypeError):  # damaged, or of an earlier format
        return False
    return ours.agrees_with(theirs)


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and ".ipynb_checkpoints" not in path.parts]
