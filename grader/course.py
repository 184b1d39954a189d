"""The course's folders and modules, and the error every command reports in one line."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


class CourseError(Exception):
    """Something in the course is not as it should be; the text says what to do about it."""


@dataclass(frozen=True)
class Course:
    """Where the parts of a course lie.

    Attributes
    ----------
    root : Path
        Folder that holds ``solutions/`` and ``nbgrader_config.py``.
    """

    root: Path

    @property
    def solutions(self) -> Path:
        """Folder of the text notebooks."""
        return self.root / "solutions"

    @property
    def notebooks(self) -> Path:
        """Folder of the student notebooks."""
        return self.root / "notebooks"

    @property
    def source(self) -> Path:
        """Folder of the nbgrader source notebooks, made by the build."""
        return self.root / "build" / "source"

    @property
    def results(self) -> Path:
        """Folder of the results store."""
        return self.root / "results"

    def modules(self, names: Iterable[str] = ()) -> list[str]:
        """Return the names of modules, all of them or those asked for.

        Parameters
        ----------
        names : iterable of str
            Full names, or their numbers as ``"05"``.

        Raises
        ------
        CourseError
            When a name is unknown.
        """
        known = sorted(path.parent.name for path in self.solutions.glob("*/notebook.py"))
        if not known:
            raise CourseError(f"there are no modules in {self.solutions}: run the command in the course's folder")
        chosen = []
        for name in names:
            name = name.rstrip("/").removeprefix("solutions/").removeprefix("notebooks/")
            matches = [module for module in known if module == name or module.split("_")[0] == name]
            if not matches:
                close = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
                guess = f"did you mean {close[0]}?" if close else f"the modules are {', '.join(known)}"
                raise CourseError(f"there is no module {name!r}: {guess}")
            chosen += [module for module in matches if module not in chosen]
        return chosen or known


def find_course(start: Path | None = None) -> Course:
    """Find the course that holds a folder: ``GRADER_COURSE``, or the folder itself or one above it.

    Raises
    ------
    CourseError
        When there is none.
    """
    given = os.environ.get("GRADER_COURSE")
    folder = Path(given) if given else (start or Path.cwd()).resolve()
    for candidate in (folder, *folder.parents):
        if (candidate / "solutions").is_dir() and (candidate / "nbgrader_config.py").is_file():
            return Course(candidate)
    raise CourseError(f"no course was found at {folder}: go to the folder that holds nbgrader_config.py and solutions/")
