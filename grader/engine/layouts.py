"""Find the submissions of a class: nbgrader's layout, a folder a student, plain files, or a zip of any of them.

Archives are never unpacked to disk, links are not followed, and nothing is read before it is asked for.
"""

from __future__ import annotations

import functools
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Literal

from grader.course import CourseError
from grader.engine.submission import (
    LARGEST_NOTEBOOK,
    Submission,
    UnreadableError,
    read_submission,
    refuse_large,
)

#: Entries of a folder or a zip that are looked at.
MOST_FILES = 200_000
#: Folders within folders that are looked at: student/assignment/notebook.ipynb in two more of them.
DEEPEST = 5

#: The second and third are what browsers and mail programs make of the first.
_SUFFIX = re.compile(r"\.ipynb(?:\.txt|\.json)?$", re.I)
#: What a browser adds to the name of a second download.
_COUNT = re.compile(r"\s*\(\d+\)$")


@dataclass(frozen=True)
class Found:
    """A submission's place, not read yet.

    Attributes
    ----------
    student : str
        Name of the folder, or of the file without the module's name.
    assignment : str
        The module, as folder or file name tell; empty where neither does.
    name : str
        Path within what was handed in, for messages.
    problem : str
        Why there is nothing to read; empty where there is.
    remarks : tuple of str
        What is odd about the file's name.
    """

    student: str
    assignment: str
    name: str
    problem: str = ""
    remarks: tuple[str, ...] = ()
    _open: Callable[[], bytes] = field(default=bytes, repr=False, compare=False)

    def read(self) -> Submission:
        """Read it; whatever it is, there is a submission afterwards."""
        if self.problem:
            return Submission(self.student, problem=self.problem)
        try:
            submission = read_submission(self._open(), self.student)
        except UnreadableError as problem:
            return Submission(self.student, problem=str(problem))
        remarks = self.remarks + submission.remarks
        return Submission(self.student, submission.key, submission.cells, submission.problem, remarks)


def find_submissions(source: Path, modules: Sequence[str]) -> list[Found]:
    """Find the submissions in a folder, a zip of one, or a single notebook.

    Understood are nbgrader's layout ``student/assignment/notebook.ipynb``, a folder a student, and files
    ``student.ipynb`` whose names may hold the module's, all together or in a folder of the module's name.

    Parameters
    ----------
    source : Path
        Folder, zip file or notebook.
    modules : sequence of str
        Names of the course's modules.

    Returns
    -------
    list of Found
        In order of student and assignment; one for every student's assignment, unreadable ones too.

    Raises
    ------
    CourseError
        When there is no such folder or file, or the zip itself is damaged.
    """
    if source.is_dir():
        return _Layout(_folder_entries(source), modules).found()
    if not source.exists():
        raise CourseError(f"{source} does not exist: name the folder, the zip file or the notebook to grade")
    if zipfile.is_zipfile(source):
        return _Layout(_zip_entries(source), modules, archive=True).found()
    if not _is_notebook(source.name):
        raise CourseError(
            f"{source} is no zip file, or a damaged one, and no notebook: name a folder, a zip or a notebook"
        )
    return _Layout([_Entry((source.name,), "file", functools.partial(_read_file, source))], modules).found()


@dataclass(frozen=True)
class _Entry:
    """A file or folder of what was handed in."""

    parts: tuple[str, ...]
    kind: Literal["file", "folder"]
    open: Callable[[], bytes] = bytes


def _folder_entries(root: Path) -> list[_Entry]:
    entries = []
    for folder, folders, files in os.walk(root, onerror=_refuse):
        here = Path(folder).relative_to(root).parts
        folders[:] = sorted(name for name in folders if not _hidden(name))
        entries += [_Entry((*here, name), "folder") for name in folders]
        for name in sorted(files):
            if not _hidden(name):
                entries.append(_Entry((*here, name), "file", functools.partial(_read_file, Path(folder, name))))
        if len(entries) > MOST_FILES:
            raise CourseError(f"{root} holds more than {MOST_FILES:,} files: name the folder of the submissions alone")
        if len(here) >= DEEPEST:
            folders.clear()
    return entries


def _refuse(error: OSError) -> None:
    """Stop at a folder that does not open: passing over it would leave out a student without a word."""
    raise CourseError(f"{error.filename} cannot be read: {error.strerror}") from error


def _read_file(path: Path) -> bytes:
    """Read a plain file: a link could point at a classmate's answer, a pipe would block."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError as error:
        what = "it is a link; hand in the file itself" if path.is_symlink() else error.strerror
        raise UnreadableError(f"the file cannot be opened: {what}") from error
    with open(handle, "rb") as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableError("this is no plain file")
        refuse_large(status.st_size)
        try:
            return file.read(LARGEST_NOTEBOOK + 1)
        except OSError as error:
            raise UnreadableError(f"the file cannot be read: {error.strerror}") from error


def _zip_entries(path: Path) -> list[_Entry]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise CourseError(f"{path} is damaged ({error}): download it again") from error
    if len(members) > MOST_FILES:
        raise CourseError(f"{path} holds more than {MOST_FILES:,} files: zip the folder of the submissions alone")
    entries: dict[tuple[str, ...], _Entry] = {}
    for member in members:
        parts = PurePosixPath(member.filename.replace("\\", "/")).parts
        # Nothing is ever written, so a name that leads out of the folder can do no harm; it belongs to nobody.
        if not parts or ".." in parts or parts[0] == "/" or any(map(_hidden, parts)) or len(parts) > DEEPEST + 1:
            continue
        for depth in range(1, len(parts)):
            entries.setdefault(parts[:depth], _Entry(parts[:depth], "folder"))
        kind: Literal["file", "folder"] = "folder" if member.is_dir() else "file"
        entries[parts] = _Entry(parts, kind, functools.partial(_read_member, path, member))
    return [entries[parts] for parts in sorted(entries)]


def _read_member(path: Path, member: zipfile.ZipInfo) -> bytes:
    if stat.S_ISLNK(member.external_attr >> 16):
        raise UnreadableError("this is a link; hand in the file itself")
    refuse_large(member.file_size)
    try:
        with zipfile.ZipFile(path) as archive, archive.open(member) as file:
            # A member can hold more than it declares.
            return file.read(LARGEST_NOTEBOOK + 1)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError, ValueError) as error:
        raise UnreadableError(f"the file cannot be unpacked ({error})") from error


def _hidden(name: str) -> bool:
    return name.startswith(".") or name in ("__MACOSX", "__pycache__")


class _Layout:
    """The entries of what was handed in, sorted by student and assignment."""

    def __init__(self, entries: list[_Entry], modules: Sequence[str], *, archive: bool = False) -> None:
        self.modules = modules
        while self._wrapped(entries, archive):
            entries = [_Entry(entry.parts[1:], entry.kind, entry.open) for entry in entries if len(entry.parts) > 1]
        self.entries = entries

    def _wrapped(self, entries: list[_Entry], archive: bool) -> bool:
        """Tell whether one folder holds everything, as zip programs add it."""
        notebooks = [entry.parts for entry in entries if _is_notebook(entry.parts[-1])]
        depths = {len(parts) for parts in notebooks}
        tops = {entry.parts[0] for entry in entries}
        if len(tops) != 1 or not depths or min(depths) < 2:
            return False
        # One student's folder looks the same as a class's; there the files are named after the modules.
        of_a_class = len(notebooks) > 1 and any(not self._named_after_a_module(parts[-1]) for parts in notebooks)
        return max(depths) > 3 or (archive and depths == {2} and of_a_class and not self._module_in(*tops))

    def _named_after_a_module(self, name: str) -> bool:
        stem = _COUNT.sub("", _SUFFIX.sub("", name))
        return self._module_in(stem) == stem

    def found(self) -> list[Found]:
        groups: dict[tuple[str, str], list[_Entry]] = {}
        for entry in self.entries:
            place = self._place(entry)
            if place is not None:
                group = groups.setdefault(place, [])
                if _is_notebook(entry.parts[-1]):
                    group.append(entry)
        return [self._choose(*place, groups[place]) for place in sorted(groups)]

    def _place(self, entry: _Entry) -> tuple[str, str] | None:
        """Return student and assignment that an entry belongs to; None for what belongs to neither."""
        *folders, name = entry.parts
        notebook, module = _is_notebook(name), self._module_in(name)
        match folders:
            case [] if notebook:
                return self._student_in(name), module
            case [folder] if notebook and folder in self.modules:
                return self._student_in(name), folder
            case [student] if notebook:
                return student, module
            case [student] if entry.kind == "folder" and name in self.modules:
                return student, name  # also when nothing lies in it
            case [student, assignment] if notebook:
                return student, assignment
            case _:
                return None

    def _choose(self, student: str, assignment: str, entries: list[_Entry]) -> Found:
        if not entries:
            return Found(student, assignment, f"{student}/{assignment}", "there is no notebook in the folder")
        named = next((entry for entry in entries if entry.parts[-1] == f"{assignment}.ipynb"), None)
        chosen = named or entries[0]
        name = "/".join(chosen.parts)
        if len(entries) > 1 and named is None:
            files = ", ".join(entry.parts[-1] for entry in entries[:4])
            problem = f"there are {len(entries)} notebooks ({files}), and none has the assignment's name: hand in one"
            return Found(student, assignment, name, problem)
        if chosen.kind == "folder":
            return Found(student, assignment, name, "this is a folder, not a file")
        remarks = []
        if len(entries) > 1:
            others = ", ".join(entry.parts[-1] for entry in entries[:4] if entry is not chosen)
            remarks.append(f"There are more notebooks in the folder ({others}); they were not read.")
        if len(chosen.parts) > 2 and named is None:
            remarks.append(f"The file was renamed to {chosen.parts[-1]}.")
        return Found(student, assignment, name, "", tuple(remarks), chosen.open)

    def _module_in(self, name: str) -> str:
        """Return the module whose name is part of a name, the longest one; empty for none."""
        return max((module for module in self.modules if module in name), key=len, default="")

    def _student_in(self, name: str) -> str:
        stem = _COUNT.sub("", _SUFFIX.sub("", name))
        module = self._module_in(stem)
        return (stem.replace(module, "", 1).strip(" _-.") if module else stem) or stem


def _is_notebook(name: str) -> bool:
    return _SUFFIX.search(name) is not None
