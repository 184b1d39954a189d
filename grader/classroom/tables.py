"""CSV files as learning platforms and spreadsheets write them: read whole, changed cell by cell, written to the byte.

A cell that nobody changes keeps its bytes, quotes and all, and so do the encoding, the delimiter and the line ends.

What a spreadsheet would run as a formula is written with an apostrophe before it, and is read without it again. Digits
are written as they are: the file keeps the leading zeros of ``00712345``, and what shows the cell may drop them.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from grader.course import CourseError

_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_DELIMITERS = ",;\t"
# What Excel and LibreOffice take for the begin of a formula; some also after white space, or in full width.
_FORMULA = r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]"
_AT_RISK, _GUARDED = re.compile(rf"'*(?:{_FORMULA})"), re.compile(rf"'+(?:{_FORMULA})")
#: How Canvas guards a name.
_AS_TEXT = re.compile(r'="([^"]*)"')


def guarded(text: str) -> str:
    """Return a text as no spreadsheet takes it for a formula: with an apostrophe before it where that is needed."""
    return f"'{text}" if _AT_RISK.match(text) else text


def unguarded(text: str) -> str:
    """Return a text as it was before `guarded`, or before Canvas wrote it as ``="text"``."""
    as_text = _AS_TEXT.fullmatch(text)
    return as_text[1] if as_text else text[1:] if _GUARDED.match(text) else text


def plain(heading: str) -> str:
    """Return the letters and digits of a heading, without case."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", heading).casefold())


def to_csv(rows: Iterable[Sequence[str | float]]) -> bytes:
    """Write a table: commas, texts quoted and guarded, numbers bare, UTF-8 with the mark by which Excel knows it."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerows([guarded(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


@dataclass
class Row:
    """A line of a table, or several where a cell has line ends in it.

    Attributes
    ----------
    line : int
        The first line's number in the file, from 1.
    raw : list of str
        The cells as they stand in the file.
    end : str
        What ends the row.
    """

    line: int
    raw: list[str]
    end: str

    @property
    def cells(self) -> list[str]:
        """What the cells say."""
        return [unguarded(_unquoted(raw)) for raw in self.raw]


@dataclass
class Table:
    """A CSV file.

    Attributes
    ----------
    path : Path
        Where it was read from.
    encoding, delimiter : str
        How it was written.
    rows : list of Row
        Headings first; blank lines stand among them.
    notes : tuple of str
        What a person should look at.
    """

    path: Path
    encoding: str
    delimiter: str
    rows: list[Row] = field(repr=False)
    notes: tuple[str, ...] = ()

    @cached_property
    def filled(self) -> list[Row]:
        """Rows that are not blank."""
        return [row for row in self.rows if any(cell.strip() for cell in row.cells)]

    @cached_property
    def headings(self) -> list[str]:
        """The first row's texts."""
        return self.filled[0].cells if self.filled else []

    @cached_property
    def names(self) -> list[str]:
        """The headings, as `plain` has them."""
        return [plain(heading) for heading in self.headings]

    def text(self, row: Row, column: int) -> str:
        """Return what a cell says; a row may be shorter than the headings."""
        return unguarded(_unquoted(row.raw[column])) if column < len(row.raw) else ""

    def write(self, row: Row, column: int, value: str) -> None:
        """Put a text into a cell, quoted where that is needed."""
        row.raw += [""] * (column + 1 - len(row.raw))
        out = io.StringIO(newline="")
        csv.writer(out, delimiter=self.delimiter, lineterminator="").writerow([value])
        row.raw[column] = out.getvalue() if value else ""

    def guard(self, row: Row, column: int) -> None:
        """Make a cell safe that a spreadsheet would run; what is guarded keeps its bytes, as does Moodle's ``-``."""
        literal = _unquoted(row.raw[column]) if column < len(row.raw) else ""
        if literal not in ("", "-") and unguarded(literal) == literal:
            safe = guarded(literal)
            if safe != literal:
                self.write(row, column, safe)

    def to_bytes(self) -> bytes:
        """Return the file."""
        return "".join(self.delimiter.join(row.raw) + row.end for row in self.rows).encode(self.encoding)


def read_table(path: Path, what: str = "") -> Table:
    """Read a CSV file.

    Parameters
    ----------
    path : Path
        Commas, semicolons or tabs between the cells; UTF-8, UTF-16 with a byte order mark, or Windows-1252.
    what : str
        What the file is, for messages: ``"the roster "``.

    Raises
    ------
    CourseError
        When it cannot be read.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CourseError(f"{what}{path} cannot be read: {error.strerror}") from error
    text, encoding, notes = _decoded(data, path)
    delimiter = max(_DELIMITERS, key=text.split("\n", 1)[0].count)
    return Table(path, encoding, delimiter, list(_rows(text, delimiter, path)), notes)


def _decoded(data: bytes, path: Path) -> tuple[str, str, tuple[str, ...]]:
    encoding = next((name for mark, name in _MARKS.items() if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding), encoding, ()
    except UnicodeDecodeError as wrong:
        try:
            note = f"{path.name} is not UTF-8 and was read as Windows-1252: look whether the names are right"
            return data.decode("cp1252"), "cp1252", (note,)
        except UnicodeDecodeError:
            raise CourseError(f"{path} is in no encoding that is known here ({wrong}): save it as UTF-8") from wrong


def _rows(text: str, delimiter: str, path: Path) -> Iterable[Row]:
    """Yield the rows, so that their parts put together are the text."""
    cell = re.compile(rf'("(?:[^"]|"")*+(?:"|(\Z)))?[^{delimiter}\r\n]*')
    ending = re.compile(r"\r\n|\r|\n|\Z")
    at, line = 0, 1
    while at < len(text):
        row = Row(line, [], "")
        while True:
            found = cell.match(text, at)
            assert found is not None  # every part of the pattern may be empty
            if found[2] is not None:
                raise CourseError(f"{path}, line {line}: a cell that begins with a quote does not end: mend the file")
            row.raw.append(found[0])
            line += len(re.findall(r"\r\n|\r|\n", found[0]))
            at = found.end()
            end = ending.match(text, at)
            if end is not None:
                break
            at += 1  # the delimiter
        row.end = end[0]
        at, line = end.end(), line + 1
        yield row


def _unquoted(raw: str) -> str:
    if not raw.startswith('"'):
        return raw
    end = re.compile(r'"(?:[^"]|"")*+').match(raw)
    assert end is not None  # the first character is a quote
    return raw[1 : end.end()].replace('""', '"') + raw[end.end() + 1 :]
