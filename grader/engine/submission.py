"""One notebook as it was handed in: any bytes go in, cells or one line that says what is wrong come out.

Nothing here trusts a submission: its size is capped, its JSON is parsed by `json`, and what is not as it should be is
left out and told. Cells are text; compiling learners' text can bring an interpreter down, so that is left to their
process.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

#: Bytes of the largest notebook that is read, and its largest number of JSON containers: each costs 60 bytes or more.
LARGEST_NOTEBOOK, MOST_CONTAINERS = 100 * 2**20, 1_000_000
#: Cells of a notebook that are looked at.
MOST_CELLS = 5_000

#: The tag by which nbclient, and so stock nbgrader, leaves cells out.
_SKIP_TAG = "skip-execution"
_SURROGATE = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True)
class SubmittedCell:
    """A cell as it was handed in.

    Attributes
    ----------
    kind : str
        ``"code"``, ``"markdown"`` or ``"raw"``.
    source : str
        Its text.
    mark : str
        Its grade id, or its id where nbgrader's metadata are lost; empty where it has neither.
    points : float, optional
        What its metadata say it is worth.
    marks : dict of str to bool
        nbgrader's ``grade``, ``solution`` and ``locked`` as far as they are there.
    skipped : bool
        It carries the tag that keeps it from being run.
    """

    kind: str
    source: str
    mark: str = ""
    points: float | None = None
    marks: dict[str, bool] = field(default_factory=dict)
    skipped: bool = False


@dataclass(frozen=True)
class Submission:
    """One student's notebook, or why there is none.

    Attributes
    ----------
    student : str
        Who handed it in.
    key : str
        Fingerprint of the file's bytes; empty where there are none.
    cells : tuple of SubmittedCell
        In order.
    problem : str
        Why it cannot be read, in one line; empty where it can.
    remarks : tuple of str
        What was mended while reading it, a sentence each.
    """

    student: str
    key: str = ""
    cells: tuple[SubmittedCell, ...] = ()
    problem: str = ""
    remarks: tuple[str, ...] = ()


class UnreadableError(Exception):
    """Why a file is no notebook, in one line."""


def read_submission(data: bytes, student: str) -> Submission:
    """Read a notebook's bytes; whatever they are, there is a submission afterwards.

    Understood are the formats 3 and 4 in UTF-8, UTF-16 or UTF-32, with or without a byte order mark; outputs are not
    looked at.

    Parameters
    ----------
    data : bytes
        The file.
    student : str
        Who handed it in.
    """
    key = hashlib.sha256(data).hexdigest()
    remarks: list[str] = []
    try:
        cells = tuple(_read_cells(_decode(data, remarks), remarks))
    except UnreadableError as problem:
        return Submission(student, key, problem=str(problem))
    return Submission(student, key, cells, remarks=tuple(remarks))


def refuse_large(size: int) -> None:
    """Refuse a file of so many bytes if that is too many.

    Raises
    ------
    UnreadableError
        When it is.
    """
    if size > LARGEST_NOTEBOOK:
        most = LARGEST_NOTEBOOK >> 20
        raise UnreadableError(
            f"the file has {size >> 20:,} MiB, the most is {most}: clear its outputs and save it again"
        )


def _decode(data: bytes, remarks: list[str]) -> dict[str, Any]:
    refuse_large(len(data))
    if not data.strip():
        raise UnreadableError("the file is empty")
    if data.count(b"[") + data.count(b"{") > MOST_CONTAINERS:
        raise UnreadableError("the file is no notebook: it holds more than a million lists")
    # Some editors save UTF-16; json knows how to tell.
    encoding = json.detect_encoding(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        text = data.decode(encoding, "replace")
        remarks.append("The file is not valid UTF-8: the characters that could not be read were replaced.")
    if encoding == "utf-8-sig":
        remarks.append("The file begins with a byte order mark; it was ignored.")
    elif encoding != "utf-8":
        remarks.append(f"The file is encoded in {encoding.upper()}, not in UTF-8.")
    if not text.lstrip().startswith("{"):
        raise UnreadableError("the file is no notebook: it does not hold JSON as notebooks do")
    try:
        notebook = json.loads(text)
    except json.JSONDecodeError as error:
        raise UnreadableError(f"the notebook is damaged or cut off in line {error.lineno} ({error.msg})") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise UnreadableError("the file is no notebook: it is nested too deeply or holds a number too long") from error
    return dict(notebook)


def _read_cells(notebook: dict[str, Any], remarks: list[str]) -> Iterator[SubmittedCell]:
    cells, sheets = notebook.get("cells"), notebook.get("worksheets")
    if cells is None and isinstance(sheets, list):
        remarks.append("The notebook is in the old format 3.")
        lists = [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)]
        cells = [cell for listed in lists if isinstance(listed, list) for cell in listed]
    if not isinstance(cells, list):
        raise UnreadableError("the file is JSON, but no notebook: it has no list of cells")
    language = _entry(_entry(notebook, "metadata"), "kernelspec").get("language")
    if isinstance(language, str) and language.lower() not in ("python", ""):
        remarks.append(f"The notebook asks for a kernel of the language {language!r}; it was run with Python.")
    if len(cells) > MOST_CELLS:
        remarks.append(f"The notebook has {len(cells):,} cells; the first {MOST_CELLS:,} were looked at.")
    for number, cell in enumerate(cells[:MOST_CELLS], start=1):
        read = _read_cell(cell) if isinstance(cell, dict) else None
        if read is None:
            remarks.append(f"Cell {number} is damaged and was left out.")
        else:
            yield read


def _read_cell(cell: dict[str, Any]) -> SubmittedCell | None:
    kind = cell.get("cell_type")
    # Format 3 says "input" for the text of code.
    source = cell.get("source", cell.get("input"))
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    if not isinstance(source, str) or not isinstance(kind, str):
        return None
    metadata = _entry(cell, "metadata")
    marks = _entry(metadata, "nbgrader")
    mark = marks.get("grade_id") or cell.get("id")
    points, tags = marks.get("points"), metadata.get("tags")
    return SubmittedCell(
        kind=kind if kind in ("code", "raw") else "markdown",
        source=_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", source.replace("\r\n", "\n")),
        mark=mark if isinstance(mark, str) else "",
        points=float(points) if isinstance(points, int | float) and abs(points) < 1e9 else None,
        marks={key: marks[key] for key in ("grade", "solution", "locked") if isinstance(marks.get(key), bool)},
        skipped=isinstance(tags, list) and _SKIP_TAG in tags,
    )


def _entry(data: dict[str, Any], name: str) -> dict[str, Any]:
    value = data.get(name)
    return value if isinstance(value, dict) else {}
