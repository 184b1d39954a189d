"""nbgrader as a library: the course's configuration, and steps whose failures are one line."""

from __future__ import annotations

import functools
import logging
import re
import warnings
from pathlib import Path
from typing import Any

from grader.course import CourseError

#: A kernel that says only what goes wrong (it warns of unencrypted connections within the machine).
QUIET_KERNEL = ["--log-level=ERROR"]


def open_api(config_file: Path, root: Path, **directories: str) -> Any:
    """Return nbgrader's API for a course folder.

    Parameters
    ----------
    config_file : Path
        ``nbgrader_config.py``.
    root : Path
        Course folder; the configured directories are relative to it.
    **directories : str
        Traits of ``CourseDirectory`` that differ from the configuration, as ``release_directory``.

    Returns
    -------
    nbgrader.apps.NbGraderAPI
    """
    import nbgrader.api
    from nbgrader.apps.api import NbGraderAPI
    from nbgrader.coursedir import CourseDirectory
    from sqlalchemy.exc import SAWarning
    from traitlets.config import PyFileConfigLoader

    # It would start a Python of its own, found on the PATH, for each gradebook that it makes.
    nbgrader.api.get_alembic_version = _schema_version
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # nbgrader speaks through the traitlets logger; what matters comes back in each step's result.
    logging.getLogger("traitlets").addHandler(logging.NullHandler())
    # Its gradebook code predates SQLAlchemy 2's warnings about objects added while loading; they are harmless.
    warnings.filterwarnings("ignore", category=SAWarning)
    config = PyFileConfigLoader(config_file.name, path=str(config_file.parent)).load_config()
    config.CourseDirectory.root = str(root)
    config.CourseDirectory.db_url = f"sqlite:///{root / 'gradebook.db'}"
    config.CourseDirectory.update(directories)
    config.ExecutePreprocessor.extra_arguments = QUIET_KERNEL
    return NbGraderAPI(CourseDirectory(config=config), config=config)


@functools.cache
def _schema_version() -> str:
    """Return the version of the gradebook's tables that nbgrader makes."""
    import nbgrader
    from alembic.script import ScriptDirectory

    return str(ScriptDirectory(str(Path(nbgrader.__file__).parent / "alembic")).get_current_head())


def run_step(result: dict[str, Any], what: str) -> None:
    """Raise when a step of nbgrader failed.

    Raises
    ------
    CourseError
        With the step's last error line.
    """
    if result["success"]:
        return
    told = re.findall(r"\[ERROR\] (.+)", result.get("log", "")) + result.get("error", "").strip().splitlines()
    raise CourseError(f"{what} failed: {told[-1] if told else 'nbgrader gave no reason'}")
