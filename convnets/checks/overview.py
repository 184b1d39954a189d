"""The start page's table: every lesson, the points earned, and where to go on."""

from __future__ import annotations

import html

from convnets.checks import progress, render
from convnets.checks.record import LessonRecord, course_folder


def lessons() -> list[LessonRecord]:
    """Return the records of all lessons in the course's folder, in order."""
    paths = sorted(course_folder().glob("*/*.checks.json"))
    return [LessonRecord.from_json(path.read_text(encoding="utf-8")) for path in paths]


def next_lesson(records: list[LessonRecord], earned: dict[str, float]) -> LessonRecord | None:
    """Return the first lesson begun and not finished, else the first one not finished."""
    open_ones = [record for record in records if record.points and earned[record.lesson] < record.points]
    begun = [record for record in open_ones if earned[record.lesson] > 0]
    return next(iter(begun or open_ones), None)


def show_progress() -> None:
    """Show every lesson with points earned and a bar, and say where to go on."""
    records = lessons()
    kept = {record.lesson: progress.load(record.lesson) for record in records}
    earned = {
        record.lesson: sum(points for cell, points in kept[record.lesson].passed.items() if cell in record.cells)
        for record in records
    }
    going_on = next_lesson(records, earned)
    rows, lines = [], []
    for record in records:
        if not record.points:
            continue
        done = earned[record.lesson] / record.points
        hints = sum(kept[record.lesson].hints.values())
        mark = "✓" if done == 1 else "→" if record is going_on else ""
        link = f"../{record.lesson}/{record.lesson}.ipynb"
        lines.append(
            f"{mark or ' '} {record.title}: {earned[record.lesson]:g} of {record.points:g} points, {hints} hints"
        )
        rows.append(
            f'<tr><td>{mark}</td><td style="text-align: left"><a href="{link}">{html.escape(record.title)}</a></td>'
            f"<td>{record.minutes} min</td>"
            f'<td><progress max="1" value="{done:.3f}" aria-label="{html.escape(record.title)}"></progress></td>'
            f"<td>{earned[record.lesson]:g} of {record.points:g}</td><td>{hints}</td></tr>"
        )
    go = f"Go on with: {going_on.title}" if going_on else "Everything is done." if rows else "No lesson was found."
    lines.append(go)
    head = "".join(f"<th>{name}</th>" for name in ("", "lesson", "time", "progress", "points", "hints opened"))
    render.display(
        "\n".join(lines),
        f'<table class="convnets-progress"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
        f"<p><strong>{html.escape(go)}</strong></p>",
    )
