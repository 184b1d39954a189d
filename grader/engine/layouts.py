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
from datetime import datetime
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
NOTEBOOK = re.compile(r"\.ipynb(?:\.txt|\.json)?$", re.I)
#: What a browser adds to the name of a second download.
COUNT = re.compile(r"\s*\(\d+\)$")


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

    def data(self) -> bytes:
        """Return its bytes.

        Raises
        ------
        UnreadableError
            When there are none.
        """
        if self.problem:
            raise UnreadableError(self.problem)
        return self._open()

    def read(self) -> Submission:
        """Read it; whatever it is, there is a submission afterwards."""
        try:
            submission = read_submission(self.data(), self.student)
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
    contents = read_contents(source)
    return arranged(contents.entries, modules, archive=contents.archive)


@dataclass(frozen=True)
class Entry:
    """A file or folder of what was handed in.

    Attributes
    ----------
    parts : tuple of str
        Its path.
    kind : str
        Which of the two.
    open : callable
        Returns the file's bytes; raises `UnreadableError` for what is no plain file of a notebook's size.
    changed : datetime, optional
        When the file was last changed by a zip's word, without a zone; None in a folder.
    """

    parts: tuple[str, ...]
    kind: Literal["file", "folder"]
    open: Callable[[], bytes] = bytes
    changed: datetime | None = None

    @property
    def name(self) -> str:
        """The path as text."""
        return "/".join(self.parts)


@dataclass(frozen=True)
class Contents:
    """What a folder, a zip or a file holds.

    Attributes
    ----------
    entries : list of Entry
        Files and folders, hidden ones left out.
    archive : bool
        Whether it is a zip.
    passed_over : tuple of str
        Names in a zip that lead out of the folder, lie too deep, or stand there twice.
    """

    entries: list[Entry]
    archive: bool = False
    passed_over: tuple[str, ...] = ()


def read_contents(source: Path) -> Contents:
    """List what a folder, a zip or a single notebook holds; nothing is read or unpacked yet.

    Raises
    ------
    CourseError
        When there is no such folder or file, or the zip itself is damaged.
    """
    if source.is_dir():
        return Contents(_folder_entries(source))
    if not source.exists():
        raise CourseError(f"{source} does not exist: name a folder, a zip file or a notebook")
    if zipfile.is_zipfile(source):
        return _zip_contents(source)
    if not is_notebook(source.name):
        raise CourseError(
            f"{source} is no zip file, or a damaged one, and no notebook: name a folder, a zip or a notebook"
        )
    return Contents([Entry((source.name,), "file", functools.partial(_read_file, source))])


def arranged(entries: list[Entry], modules: Sequence[str], *, archive: bool = False) -> list[Found]:
    """Sort entries by student and assignment, as `find_submissions` understands them."""
    return _Layout(entries, modules, archive=archive).found()


def _folder_entries(root: Path) -> list[Entry]:
    entries = []
    for folder, folders, files in os.walk(root, onerror=_refuse):
        here = Path(folder).relative_to(root).parts
        folders[:] = sorted(name for name in folders if not _hidden(name))
        entries += [Entry((*here, name), "folder") for name in folders]
        for name in sorted(files):
            if not _hidden(name):
                entries.append(Entry((*here, name), "file", functools.partial(_read_file, Path(folder, name))))
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


def _zip_contents(path: Path) -> Contents:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise CourseError(f"{path} is damaged ({error}): download it again") from error
    if len(members) > MOST_FILES:
        raise CourseError(f"{path} holds more than {MOST_FILES:,} files: zip the folder of the submissions alone")
    entries: dict[tuple[str, ...], Entry] = {}
    passed_over = []
    for member in members:
        parts = PurePosixPath(member.filename.replace("\\", "/")).parts
        # Nothing is ever written under such a name; what leads out of the folder belongs to nobody.
        unsafe = not parts or ".." in parts or parts[0] == "/" or len(parts) > DEEPEST + 1
        twice = parts in entries and not member.is_dir() and entries[parts].kind == "file"
        if unsafe or twice:
            passed_over.append(member.filename)
        if unsafe or any(map(_hidden, parts)):
            continue
        for depth in range(1, len(parts)):
            entries.setdefault(parts[:depth], Entry(parts[:depth], "folder"))
        kind: Literal["file", "folder"] = "folder" if member.is_dir() else "file"
        entries[parts] = Entry(parts, kind, functools.partial(_read_member, path, member), _changed(member))
    return Contents([entries[parts] for parts in sorted(entries)], True, tuple(passed_over))


def _changed(member: zipfile.ZipInfo) -> datetime | None:
    try:
        return datetime(*member.date_time)
    except ValueError:
        return None  # as month 0, which some programs write


def _read_member(path: Path, member: zipfile.ZipInfo) -> bytes:
    if stat.S_ISLNK(member.external_attr >> 16):
        raise UnreadableError("this is a link; hand in the file itself")
    refuse_large(member.file_size)
    try:
        status = path.stat()
        archive = _open_archive(path, status.st_mtime_ns, status.st_size, os.getpid())
        with archive.open(member) as file:
            # A member can hold more than it declares.
            return file.read(LARGEST_NOTEBOOK + 1)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError, ValueError) as error:
        raise UnreadableError(f"the file cannot be unpacked ({error})") from error


@functools.lru_cache(maxsize=1)
def _open_archive(path: Path, changed: int, size: int, process: int) -> zipfile.ZipFile:
    """Keep a zip open: reading the list of 3,000 members for each of them would take minutes.

    One for each process: those forked from one another would share a place in the file.
    """
    return zipfile.ZipFile(path)


def _hidden(name: str) -> bool:
    return name.startswith(".") or name in ("__MACOSX", "__pycache__")


class _Layout:
    """The entries of what was handed in, sorted by student and assignment."""

    def __init__(self, entries: list[Entry], modules: Sequence[str], *, archive: bool = False) -> None:
        self.modules = modules
        while self._wrapped(entries, archive):
            entries = [Entry(entry.parts[1:], entry.kind, entry.open) for entry in entries if len(entry.parts) > 1]
        self.entries = entries

    def _wrapped(self, entries: list[Entry], archive: bool) -> bool:
        """Tell whether one folder holds everything, as zip programs add it."""
        notebooks = [entry.parts for entry in entries if is_notebook(entry.parts[-1])]
        depths = {len(parts) for parts in notebooks}
        tops = {entry.parts[0] for entry in entries}
        if len(tops) != 1 or not depths or min(depths) < 2:
            return False
        # One student's folder looks the same as a class's; there the files are named after the modules.
        of_a_class = len(notebooks) > 1 and any(not self._named_after_a_module(parts[-1]) for parts in notebooks)
        return max(depths) > 3 or (archive and depths == {2} and of_a_class and not self._module_in(*tops))

    def _named_after_a_module(self, name: str) -> bool:
        stem = COUNT.sub("", NOTEBOOK.sub("", name))
        return self._module_in(stem) == stem

    def found(self) -> list[Found]:
        groups: dict[tuple[str, str], list[Entry]] = {}
        for entry in self.entries:
            place = self._place(entry)
            if place is not None:
                group = groups.setdefault(place, [])
                if is_notebook(entry.parts[-1]):
                    group.append(entry)
        return [self._choose(*place, groups[place]) for place in sorted(groups)]

    def _place(self, entry: Entry) -> tuple[str, str] | None:
        """Return student and assignment that an entry belongs to; None for what belongs to neither."""
        *folders, name = entry.parts
        notebook, module = is_notebook(name), self._module_in(name)
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

    def _choose(self, student: str, assignment: str, entries: list[Entry]) -> Found:
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
        return module_in(name, self.modules)

    def _student_in(self, name: str) -> str:
        stem = COUNT.sub("", NOTEBOOK.sub("", name))
        module = self._module_in(stem)
        return (stem.replace(module, "", 1).strip(" _-.") if module else stem) or stem


def module_in(name: str, modules: Sequence[str]) -> str:
    """Return the module whose name is part of a name, the longest one; empty for none."""
    return max((module for module in modules if module in name), key=len, default="")


def is_notebook(name: str) -> bool:
    """Tell whether a file's name is a notebook's."""
    return NOTEBOOK.search(name) is not None
