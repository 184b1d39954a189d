"""The report's figures as SVG: no script, no style of their own, every mark with a title to hover over.

Colours and fonts come from the page's classes, so that a figure follows its light or dark scheme. Widths are those of
a phone; the page scales figures up. Each has a description for screen readers; the numbers stand in a table beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from markupsafe import Markup

from grader.classroom.class_statistics import Bin, QuestionStatistics, percent
from grader.engine.result import Outcome

WIDTH = 430
ROW = 22
#: Where the columns of a figure with a row for each question begin and end.
_LABEL, _LEFT, _MIDDLE, _RIGHT = 26, 34, 226, 412
#: Smallest discrimination drawn; less is drawn at the edge.
_LEAST = -0.4

#: Outcomes that are drawn in one colour, its class and its name.
GROUPS: tuple[tuple[str, str, tuple[Outcome, ...]], ...] = (
    ("passed", "passed", (Outcome.Passed,)),
    ("failed", "failed", (Outcome.Failed, Outcome.BadReturnType)),
    ("raised", "raised an error", (Outcome.Raised,)),
    ("stopped", "stopped", (Outcome.TimedOut, Outcome.Died, Outcome.OutOfMemory)),
    ("missing", "missing", (Outcome.Missing,)),
    ("unread", "not graded", (Outcome.Unreadable, Outcome.EngineError)),
)


def people(number: int) -> str:
    """Write a number of students."""
    return f"{number:,} student{'' if number == 1 else 's'}"


def distribution(bins: Sequence[Bin], median: float) -> Markup:
    """Draw how many students earned which share of the points.

    Parameters
    ----------
    bins : sequence of Bin
        From 0 to 1, equally wide.
    median : float
        Share of the points.
    """
    left, right, top, base = 36.0, 412.0, 24.0, 150.0
    highest = max((one.students for one in bins), default=0) or 1
    marks = [
        _line("axis", left, base, right, base),
        _text(left - 6, top + 4, f"{highest:,}", "end"),
        _text(0, 10, "students", "start"),
        _text(left - 6, base, "0", "end"),
        *(_text(left + share * (right - left), base + 16, percent(share)) for share in (0, 0.25, 0.5, 0.75, 1)),
    ]
    for one in bins:
        x, end = (left + edge * (right - left) for edge in (one.low, one.high))
        height = one.students / highest * (base - top)
        title = f"{percent(one.low)} to {percent(one.high)} of the points: {people(one.students)}"
        marks.append(
            _marked(
                title,
                _rect("bar", x + 1, base - height, end - x - 2, height),
                _rect("hover", x, top, end - x, base - top),
            )
        )
    x = left + min(1.0, median) * (right - left)
    anchor = "end" if median > 0.8 else "start" if median < 0.2 else "middle"
    marks += [_line("median", x, top - 6, x, base), _text(x, top - 10, f"median {percent(median)}", anchor)]
    students = sum(one.students for one in bins)
    fullest = max(bins, key=lambda one: one.students)
    told = (
        f"Distribution of {people(students)} over the share of the points. The median is {percent(median)}. "
        f"Most, {fullest.students:,}, have {percent(fullest.low)} to {percent(fullest.high)}."
    )
    return _svg("Scores", told, 172, marks)


def questions(rows: Sequence[QuestionStatistics]) -> Markup:
    """Draw each question's share of points earned and its discrimination with its interval."""
    base = 30 + ROW * len(rows)

    def across(r: float) -> float:
        return _MIDDLE + 22 + (max(_LEAST, r) - _LEAST) / (1 - _LEAST) * (_RIGHT - _MIDDLE - 28)

    marks = [
        _text(_LEFT, 12, "share of points earned", "start"),
        _text(_MIDDLE + 16, 12, "discrimination", "start"),
        _line("grid", across(0), 20, across(0), base),
        *(_text(_LEFT + share * (_MIDDLE - _LEFT), base + 14, percent(share)) for share in (0, 0.5, 1)),
        *(_text(across(r), base + 14, f"{r:g}") for r in (0, 0.5, 1)),
    ]
    for i, row in enumerate(rows):
        y = 24.0 + ROW * i
        marks.append(_text(_LABEL, y + 12, row.question.label, "end"))
        marks.append(_rect("track", _LEFT, y, _MIDDLE - _LEFT, 15))
        if row.share is not None:
            title = f"{row.question.title}: {percent(row.share)} of the points, {people(row.graded)}"
            width = min(1.0, row.share) * (_MIDDLE - _LEFT)
            hover = _rect("hover", _LEFT, y - 3, _MIDDLE - _LEFT, ROW)
            marks.append(_marked(title, _rect("bar", _LEFT, y, width, 15), hover))
        if row.discrimination is None:
            none = _text(across(0) + 6, y + 12, "none", "start")
            marks.append(_marked(f"{row.question.title}: no discrimination is defined", none))
            continue
        title = f"{row.question.title}: discrimination {row.discrimination:.2f}"
        drawn = []
        if row.low is not None and row.high is not None:
            title += f", 95 % interval {row.low:.2f} to {row.high:.2f}"
            drawn.append(_line("whisker", across(row.low), y + 8, across(row.high), y + 8))
        if row.uncertain:
            title += f", uncertain with {people(row.graded)}"
        kind = "dot uncertain" if row.uncertain else "dot"
        drawn.append(_circle(kind, across(row.discrimination), y + 8, 5))
        marks.append(_marked(title, *drawn, _rect("hover", _MIDDLE + 8, y - 3, _RIGHT - _MIDDLE, ROW)))
    known = [row for row in rows if row.share is not None]
    hardest = min(known, key=lambda row: row.share or 0.0, default=None)
    told = f"{len(rows)} questions, each with the share of its points that was earned and its discrimination."
    if hardest is not None and hardest.share is not None:
        told += f" The hardest is {hardest.question.title}, with {percent(hardest.share)} of the points."
    return _svg("Questions", told, base + 22, marks)


def outcomes(rows: Sequence[QuestionStatistics]) -> Markup:
    """Draw for each question what share of its test cells ended how."""
    rows = [row for row in rows if row.outcomes]
    base = 6 + ROW * len(rows)
    marks = [_text(_LEFT + share * (_RIGHT - _LEFT), base + 14, percent(share)) for share in (0, 0.5, 1)]
    for i, row in enumerate(rows):
        y = 4.0 + ROW * i
        marks.append(_text(_LABEL, y + 12, row.question.label, "end"))
        total = sum(row.outcomes.values())
        x = float(_LEFT)
        for kind, name, members in GROUPS:
            count = sum(row.outcomes.get(outcome.value, 0) for outcome in members)
            if count:
                width = count / total * (_RIGHT - _LEFT)
                title = f"{row.question.title}: {name}, {count:,} of {total:,} test cells ({percent(count / total)})"
                marks.append(_marked(title, _rect(f"part {kind}", x, y, width, 15)))
                x += width
    totals = {outcome: sum(row.outcomes.get(outcome.value, 0) for row in rows) for outcome in Outcome}
    told = f"How the test cells of {len(rows)} questions ended: " + (
        ", ".join(f"{count:,} {outcome.value}" for outcome, count in totals.items() if count) or "none"
    )
    return _svg("Outcomes", f"{told}.", base + 22, marks)


def legend(rows: Iterable[QuestionStatistics]) -> list[tuple[str, str]]:
    """Return class and name of the colours that `outcomes` uses."""
    there: set[str] = set().union(*(row.outcomes for row in rows))
    return [(kind, name) for kind, name, members in GROUPS if there & {outcome.value for outcome in members}]


def meter(share: float, title: str) -> Markup:
    """Draw a share as a bar in a table's cell, where its number stands beside it."""
    drawn = _rect("track", 0, 0, 100, 10) + _rect("bar", 0, 0, 100 * min(1.0, share), 10)
    return Markup(
        '<svg class="meter" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">{}</svg>'
    ).format(_marked(title, drawn))


def box(quartiles: tuple[float, float, float], extremes: tuple[float, float]) -> Markup:
    """Draw quartiles between extremes, as a cell of a table; all are shares of the points."""
    told = (*quartiles, *extremes)
    names = ("first quartile", "median", "third quartile", "lowest", "highest")
    title = ", ".join(f"{name} {percent(share)}" for name, share in zip(names, told, strict=True))
    first, median, third, lowest, highest = (100 * min(1.0, share) for share in told)
    drawn = (
        _rect("track", 0, 0, 100, 12)
        + _line("whisker", lowest, 6, highest, 6)
        + _rect("bar", first, 1, max(1.0, third - first), 10)
        + _line("median", median, 0, median, 12)
    )
    return Markup(
        '<svg class="meter box" viewBox="0 0 100 12" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>'
    ).format(title, _marked(title, drawn))


def shown_outcomes(totals: Iterable[Mapping[str, int]]) -> list[str]:
    """Return the outcomes that occur, in their own order."""
    there: set[str] = set().union(*totals)
    return [outcome.value for outcome in Outcome if outcome.value in there]


# --- Marks ----------------------------------------------------------------------------------------------------


def _svg(name: str, told: str, height: float, marks: Iterable[Markup]) -> Markup:
    return Markup('<svg class="figure" viewBox="0 0 {} {}" role="img" aria-label="{}. {}">{}</svg>').format(
        WIDTH, round(height), name, told, Markup("").join(marks)
    )


def _marked(title: str, *marks: Markup) -> Markup:
    return Markup("<g><title>{}</title>{}</g>").format(title, Markup("").join(marks))


def _rect(kind: str, x: float, y: float, width: float, height: float) -> Markup:
    return Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>').format(
        kind, *map(_short, (x, y, max(0.0, width), max(0.0, height)))
    )


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> Markup:
    return Markup('<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>').format(kind, *map(_short, (x1, y1, x2, y2)))


def _circle(kind: str, x: float, y: float, radius: float) -> Markup:
    return Markup('<circle class="{}" cx="{}" cy="{}" r="{}"/>').format(kind, *map(_short, (x, y, radius)))


def _text(x: float, y: float, text: str, anchor: str = "middle") -> Markup:
    return Markup('<text x="{}" y="{}" class="{}">{}</text>').format(_short(x), _short(y), anchor, text)


def _short(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")
