"""The results of a class: one JSON line a result, only ever added to, one file a module.

A result is kept under the content it came from: the submitted file, the tests, the environment. What is on disk with
the same content need not be graded again, so a run that was cut off goes on where it stopped.

A line is written by one ``write`` at the end of the file and is on the disk before the next one begins. What a crash
can leave behind is a last line without its end: readers pass over it, and the next writer takes it away.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from grader.course import CourseError
from grader.engine.result import Outcome, Result

#: Version of a line's form.
FORMAT = 1
#: Held while a writer is at work.
LOCK = ".lock"


@dataclass(frozen=True)
class Key:
    """The content that a result depends on.

    Attributes
    ----------
    submission : str
        SHA-256 of the submitted file's bytes.
    tests : str
        Fingerprint of the release.
    environment : str
        Fingerprint of all else: Python, libraries, the engine, its limits, the sandbox's tier.
    """

    submission: str
    tests: str
    environment: str

    def changes(self, newer: Key) -> list[str]:
        """Return in words what differs from a newer key."""
        named = {"submission": "the submission", "tests": "the tests", "environment": "the environment"}
        return [words for part, words in named.items() if getattr(self, part) != getattr(newer, part)]


@dataclass(frozen=True)
class Stored:
    """Where a result lies, and what it is the result of.

    Attributes
    ----------
    module, student : str
        Of which submission.
    key : Key
        Of which content.
    at : str
        When it was graded, UTC, ISO 8601.
    settled : bool
        False where the grader itself failed: the submission has to be graded again.
    offset, length : int
        Where its line lies in the module's file, in bytes.
    """

    module: str
    student: str
    key: Key
    at: str
    settled: bool
    offset: int
    length: int


class ResultsStore:
    """Read the results of a class; add to them inside ``with store.writing():``.

    Results themselves stay on the disk until they are asked for: the index of 2,000 takes some 2 MB.

    Parameters
    ----------
    folder : Path
        Holds ``MODULE.jsonl``; it is made by the first writer.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._index: dict[str, list[Stored]] = {}
        self._entered: dict[str, set[tuple[str, Key, str]]] = {}
        self._damaged: dict[str, int] = {}
        self._lock: int | None = None

    def modules(self) -> list[str]:
        """Return the names of the modules that have results."""
        return sorted(path.stem for path in self.folder.glob("*.jsonl"))

    def all(self, module: str) -> list[Stored]:
        """Return every result of a module ever stored, oldest first."""
        return list(self._read(module))

    def latest(self, module: str) -> dict[str, Stored]:
        """Return the last result of each student."""
        return {stored.student: stored for stored in self._read(module)}

    def find(self, module: str, *, student: str = "", key: Key | None = None) -> list[Stored]:
        """Return the results of a student, or of a content, oldest first."""
        return [
            stored
            for stored in self._read(module)
            if (not student or stored.student == student) and (key is None or stored.key == key)
        ]

    def result(self, stored: Stored) -> Result:
        """Read a result from the disk.

        Raises
        ------
        CourseError
            When the file changed under the reader.
        """
        path = self._path(stored.module)
        try:
            with path.open("rb") as file:
                file.seek(stored.offset)
                data = json.loads(file.read(stored.length))
            return Result.from_json(json.dumps(data["result"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CourseError(f"{path} cannot be read at byte {stored.offset:,}: {error}") from error

    def damaged(self, module: str) -> int:
        """Return how many lines of a module's file are no results; they are passed over."""
        self._read(module)
        return self._damaged[module]

    def is_entered(self, stored: Stored, gradebook: str) -> bool:
        """Tell whether a result was entered into a gradebook.

        Parameters
        ----------
        stored : Stored
            The result.
        gradebook : str
            Which gradebook.
        """
        self._read(stored.module)
        return (stored.student, stored.key, gradebook) in self._entered[stored.module]

    @contextlib.contextmanager
    def writing(self) -> Iterator[ResultsStore]:
        """Be the one writer.

        Raises
        ------
        CourseError
            When another process writes, or the folder cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            # A POSIX lock: gone with this process however it ends, and not inherited by the processes forked from it.
            self._lock = os.open(self.folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            fcntl.lockf(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if self._lock is not None:
                os.close(self._lock)
                self._lock = None
                if isinstance(error, BlockingIOError | PermissionError):
                    raise CourseError(f"another grader writes to {self.folder}: wait until it has finished") from error
            raise CourseError(f"{self.folder} cannot be written: {error.strerror}") from error
        # What others wrote since is read anew.
        self._index.clear()
        try:
            yield self
        finally:
            os.close(self._lock)
            self._lock = None

    def append(self, result: Result, key: Key) -> Stored:
        """Add a result and wait until it is on the disk.

        Raises
        ------
        CourseError
            When it cannot be written, as on a full disk; the file is then as it was.
        """
        settled = all(cell.outcome is not Outcome.EngineError for cell in result.cells)
        head = {
            "format": FORMAT,
            "student": result.student,
            "submission": key.submission,
            "tests": key.tests,
            "environment": key.environment,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "settled": settled,
        }
        offset, length = self._add(result.module, head | {"result": json.loads(result.to_json())})
        stored = Stored(result.module, result.student, key, str(head["at"]), settled, offset, length)
        self._index[result.module].append(stored)
        return stored

    def mark_entered(self, stored: Stored, gradebook: str) -> None:
        """Note that a result is in a gradebook."""
        part = {"submission": stored.key.submission, "tests": stored.key.tests, "environment": stored.key.environment}
        self._add(stored.module, {"format": FORMAT, "entered": gradebook, "student": stored.student, **part})
        self._entered[stored.module].add((stored.student, stored.key, gradebook))

    def _path(self, module: str) -> Path:
        return self.folder / f"{module}.jsonl"

    def _read(self, module: str) -> list[Stored]:
        if module in self._index:
            return self._index[module]
        found: list[Stored] = []
        entered: set[tuple[str, Key, str]] = set()
        damaged = 0
        path = self._path(module)
        try:
            with path.open("rb") as file:
                offset = 0
                for line in file:
                    # A line without its end is still being written, or was cut off by a crash.
                    if line.endswith(b"\n"):
                        try:
                            head = json.loads(line)
                            key = Key(head["submission"], head["tests"], head["environment"])
                            if head["format"] != FORMAT:
                                raise ValueError(head["format"])
                            if "entered" in head:
                                entered.add((head["student"], key, head["entered"]))
                            else:
                                at, settled = head["at"], bool(head["settled"])
                                found.append(Stored(module, head["student"], key, at, settled, offset, len(line)))
                        except (ValueError, KeyError, TypeError):
                            damaged += 1
                    offset += len(line)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise CourseError(f"{path} cannot be read: {error.strerror}") from error
        self._index[module], self._entered[module], self._damaged[module] = found, entered, damaged
        return found

    def _add(self, module: str, data: dict[str, Any]) -> tuple[int, int]:
        if self._lock is None:
            raise RuntimeError("results are added inside `with store.writing():`")
        self._read(module)
        # ASCII: a student's name that came from a file name need not be proper Unicode.
        line = json.dumps(data).encode("ascii") + b"\n"
        path = self._path(module)
        try:
            return _append_line(path, line), len(line)
        except OSError as error:
            raise CourseError(
                f"{path} cannot be written: {error.strerror}; everything graded so far is kept: "
                "mend this and give the same command again"
            ) from error


def _append_line(path: Path, line: bytes) -> int:
    """Put a line at the end of a file and on the disk; return where it begins. On failure the file is as it was."""
    new = not path.exists()
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        if new:
            _sync_folder(path.parent)
        offset = _end_of_last_line(file)
        try:
            written = os.write(file, line)
            if written < len(line):
                # A disk that is full takes a part; asking for the rest tells why.
                written += os.write(file, line[written:])
            if written < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(file)
        except BaseException:
            with contextlib.suppress(OSError):
                os.ftruncate(file, offset)
            raise
        return offset
    finally:
        os.close(file)


def _sync_folder(folder: Path) -> None:
    """Put a folder's list of names on the disk."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _end_of_last_line(file: int) -> int:
    """Take away a last line that a crash cut off, and return the file's length."""
    size = end = os.fstat(file).st_size
    while end and os.pread(file, 1, end - 1) != b"\n":
        block = max(0, end - 65_536)
        end = block + os.pread(file, end - block, block).rfind(b"\n") + 1
    if end < size:
        os.ftruncate(file, end)
    return end
