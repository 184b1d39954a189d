"""Feedback: one page for each submission, which says what was earned and what to learn from the rest.

Whatever a student wrote is text here: it is escaped, or rendered as Markdown without HTML and sanitised. Nothing on a
page can run, load or cover anything, and nothing of a hidden test or of another student is in what pages are made of.
"""

from __future__ import annotations

import functools
import os
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import jinja2
import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

from grader.classroom.files import write_whole
from grader.classroom.outline import outline, title_of
from grader.classroom.roster import Roster, Student
from grader.classroom.scores import Score
from grader.course import CourseError
from grader.engine.release import Release
from grader.engine.result import CellResult, Outcome

#: Bytes of the largest page.
LARGEST = 300_000


@dataclass(frozen=True)
class _Lengths:
    """Characters shown of a value, and of an answer or comment, and how many lines of a list."""

    value: int
    answer: int
    lines: int


#: As kept; and where many texts are long, in a hostile notebook, so that a page cannot grow beyond its size.
_LENGTHS = (_Lengths(2_500, 20_000, 100), _Lengths(400, 4_000, 15))
#: What Markdown may become. No images: one of any size could stand in an answer.
_TAGS = {"p", "br", "em", "strong", "s", "code", "pre", "ul", "ol", "li", "blockquote", "h4", "h5", "h6"} | {
    *("table", "thead", "tbody", "tr", "th", "td", "hr")
}
#: The shape before an array of several lines.
_SHAPE = re.compile(r"^(\([\d, ]+\)) (?=\[.*\n)")

#: What each outcome is called on the page, and what it says of the answer: well, wrong, or neither.
_OUTCOMES: dict[Outcome, tuple[str, str]] = {
    Outcome.Passed: ("passed", "well"),
    Outcome.Failed: ("not yet right", "wrong"),
    Outcome.Raised: ("raised an error", "wrong"),
    Outcome.TimedOut: ("took too long", "wrong"),
    Outcome.Died: ("ended Python", "wrong"),
    Outcome.OutOfMemory: ("ran out of memory", "wrong"),
    Outcome.BadReturnType: ("gave back something else", "wrong"),
    Outcome.Missing: ("missing", "wrong"),
    Outcome.Unreadable: ("could not be read", "wrong"),
    Outcome.EngineError: ("not graded yet", "open"),
}


@dataclass(frozen=True)
class Check:
    """A test cell on the page.

    Attributes
    ----------
    result : CellResult
        What it gave.
    points : float, optional
        Of tests and people; None while a person has to look.
    comment : Markup
        A person's, rendered.
    longest : int
        Characters shown of each text.
    """

    result: CellResult
    points: float | None
    comment: Markup
    longest: int

    @property
    def told(self) -> str:
        """What the check says, without what the page shows beside it: call, values, reason."""
        result = self.result
        if not result.called:
            return _cut(result.message, self.longest)
        shown = 1 + sum(len(text.splitlines()) for text in (result.expected, result.got))
        rest = [line.strip() for line in result.message.splitlines()[shown:]]
        kept = [line for line in rest if line and line != result.reason and not line.startswith("(")]
        return _cut(" ".join(line[0].upper() + line[1:] for line in kept), self.longest)

    @property
    def follows(self) -> bool:
        """Whether it passes with the official solutions of earlier questions."""
        return self.kind != "well" and self.result.follow_through is Outcome.Passed

    @property
    def reason(self) -> Markup:
        """The known mistake's reason, rendered; where the fault lies earlier it would lead astray."""
        return Markup() if self.follows else _rendered(self.result.reason)

    @property
    def values(self) -> list[tuple[str, str]]:
        """What was called, expected and got, arrays below their shapes."""
        result = self.result
        told = [("called", result.called), ("expected", result.expected), ("got", result.got)]
        return [(name, _cut(_SHAPE.sub(r"\1\n", text), self.longest)) for name, text in told if text]

    @property
    def words(self) -> str:
        """What the outcome is called."""
        return _OUTCOMES[self.result.outcome][0]

    @property
    def kind(self) -> str:
        """Return "well", "wrong" or "open"."""
        return _OUTCOMES[self.result.outcome][1]


@dataclass(frozen=True)
class Question:
    """An exercise or a written question on the page.

    Attributes
    ----------
    title : str
        As the notebook has it.
    section : str
        The part of the notebook that it stands in: what to read again.
    points : float
        Earned so far.
    max_points : float
        To be earned.
    checks : tuple of Check
        Of an exercise.
    answer : str
        Of a written question: what the student wrote, rendered; empty for nothing.
    comment : str
        A person's on a written answer.
    waits : bool
        A person has yet to look.
    """

    title: str
    section: str
    points: float
    max_points: float
    checks: tuple[Check, ...] = ()
    answer: str = ""
    comment: str = ""
    waits: bool = False

    @property
    def written(self) -> bool:
        """Whether a person grades it."""
        return not self.checks

    @property
    def follows(self) -> bool:
        """Whether all that is wrong follows from earlier questions."""
        wrong = [check for check in self.checks if check.kind != "well"]
        return bool(wrong) and all(check.follows for check in wrong)

    @property
    def kind(self) -> str:
        """Return "well", "partly", "wrong" or "open"."""
        if self.waits:
            return "open"
        return "well" if self.points >= self.max_points else "partly" if self.points > 0 else "wrong"


def page(release: Release, score: Score, student: Student | None = None) -> str:
    """Return the feedback page of a submission as HTML.

    Parameters
    ----------
    release : Release
        The module as it was graded.
    score : Score
        The submission's.
    student : Student, optional
        The roster's entry, for the name.

    Raises
    ------
    CourseError
        When the result is of another version of the module.
    """
    ids = {cell.id for cell in release.having("tests", "answer")}
    if ids != score.points.keys():
        raise CourseError(
            f"the result of {score.student} is of another version of {score.module}: run grader regrade SUBMISSIONS"
        )
    for lengths in _LENGTHS:
        html = _template().render(
            title=title_of(release),
            score=score,
            name=_cut(student.name if student and student.name else score.student, 200),
            questions=list(_questions(release, score, lengths)),
            lines=[
                _cut(line, lengths.value)
                for listed in (score.result.edits, score.result.notes)
                for line in _first(listed, lengths.lines)
            ],
            waiting=len(score.waiting),
            number=_number,
        )
        if len(html.encode()) <= LARGEST:
            break
    return html


#: What nbgrader's exchange puts beside a submission and needs to give its feedback back.
_OF_THE_EXCHANGE = ("timestamp.txt", "submission_secret.txt")


def write_pages(
    pages: Iterable[tuple[Score, str]],
    folder: Path,
    *,
    submitted: Path | None = None,
    archive: Path | None = None,
    roster: Roster | None = None,
) -> Iterator[Path]:
    """Write pages as nbgrader lays out feedback, ``STUDENT/MODULE/MODULE.html``; yield each one's path.

    Parameters
    ----------
    pages : iterable of (Score, str)
        Whose, and the HTML.
    folder : Path
        Where to.
    submitted : Path, optional
        nbgrader's folder of submissions. ``nbgrader release_feedback`` looks beside a page for the submission's time
        and for the secret by which its student alone finds the page: what lies there of them is copied.
    archive : Path, optional
        A zip to write them into as well, for a learning management system.
    roster : Roster, optional
        With Moodle's ids the zip's folders are named as Moodle's "Upload multiple feedback files in a zip" wants them;
        otherwise its files are named ``STUDENT_MODULE.html``.

    Raises
    ------
    CourseError
        When a file cannot be written.
    """
    try:
        with _zip(archive) as packed:
            for score, html in pages:
                path = folder / score.student / score.module / f"{score.module}.html"
                write_whole(path, html.encode())
                if submitted is not None:
                    for name in _OF_THE_EXCHANGE:
                        given = submitted / score.student / score.module / name
                        if given.is_file():
                            write_whole(path.with_name(name), given.read_bytes())
                if packed is not None:
                    packed.writestr(_name_in_zip(score, roster), html)
                yield path
    except OSError as error:
        raise CourseError(f"{error.filename or folder} cannot be written: {error.strerror or error}") from error


class _zip:  # noqa: N801  a context manager used like a function
    """A zip that takes its place when it is whole, or nothing."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: zipfile.ZipFile | None = None

    def __enter__(self) -> zipfile.ZipFile | None:
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._temporary = self._path.with_name(f".{self._path.name}.{os.getpid()}")
            self._file = zipfile.ZipFile(self._temporary, "w", zipfile.ZIP_DEFLATED)
        return self._file

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._file is not None and self._path is not None:
            self._file.close()
            if kind is None:
                self._temporary.replace(self._path)
            self._temporary.unlink(missing_ok=True)


def _name_in_zip(score: Score, roster: Roster | None) -> str:
    student = roster.by_id(score.student) if roster else None
    if student is not None and student.moodle_id:
        name = re.sub(r"[/\\_]", " ", student.name)
        return f"{name}_{student.moodle_id}_assignsubmission_file_/{score.module}.html"
    return f"{score.student}_{score.module}.html"


def _questions(release: Release, score: Score, lengths: _Lengths) -> Iterator[Question]:
    """Yield exercises and written questions in the notebook's order."""
    results = {cell.cell: cell for cell in score.result.cells}
    answers = {answer.cell: answer for answer in score.result.written}
    for asked in outline(release):
        question = Question(
            title=asked.title,
            section=asked.section,
            points=sum(score.points[cell] or 0.0 for cell in asked.cells),
            max_points=asked.max_points,
            waits=any(cell in score.waiting for cell in asked.cells),
        )
        if asked.written:
            answer = answers[asked.id]
            text = _cut(answer.text, lengths.answer) if answer.changed else ""
            yield replace(question, answer=_rendered(text), comment=_comment(score, asked.id, lengths))
        else:
            checks = (
                Check(results[cell], score.points[cell], _comment(score, cell, lengths), lengths.value)
                for cell in asked.cells
            )
            yield replace(question, checks=tuple(checks))


def _comment(score: Score, cell: str, lengths: _Lengths) -> Markup:
    grade = score.by_hand.get(cell)
    return _rendered(_cut(grade.comment or "", lengths.answer) if grade else "")


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[:length]} …"


def _first(lines: Sequence[str], number: int) -> list[str]:
    more = len(lines) - number
    return [*lines[:number], f"… and {more} more"] if more > 0 else list(lines)


def _rendered(text: str) -> Markup:
    """Render Markdown of whoever wrote it; what is HTML in it stays text."""
    if not text.strip():
        return Markup()
    html = _markdown().render(text)
    return Markup(nh3.clean(html, tags=_TAGS, attributes={}, link_rel=None))  # sanitised


@functools.cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable(["image", "link"])


@functools.cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("grader.classroom"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("feedback.html.jinja")


def _number(value: float) -> str:
    """Write points as people do: at most two digits behind the point."""
    return f"{round(value, 2):g}"
