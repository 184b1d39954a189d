"""How a failed check looks: HTML in notebooks, plain text elsewhere."""

from __future__ import annotations

import html
import sys
from dataclasses import dataclass, field
from typing import Any

from convnets.checks.compare import Mismatch


@dataclass(frozen=True)
class Text:
    """A value written out, with its shape where it has one."""

    text: str
    shape: str = ""


@dataclass(frozen=True)
class Standing:
    """Where a learner stands when a check fails: what passed, what it is worth, the next hint."""

    passed: int = 0
    total: int = 0
    points: float = 0
    hint: str = ""


@dataclass(frozen=True)
class FailureReport:
    """All that a failed check says.

    Attributes
    ----------
    called : str
        The call with abbreviated arguments, or the scenario's docstring.
    expected, got : Text
        Values written out.
    mismatch : Mismatch
        The kind of error and where the values first differ.
    reason : str
        The known mistake's reason; empty when none was recognised.
    standing : Standing
        Checks passed, points at stake, next hint.
    not_written : bool
        The exercise is still a stub.
    """

    called: str
    expected: Text
    got: Text
    mismatch: Mismatch
    reason: str = ""
    standing: Standing = field(default_factory=Standing)
    not_written: bool = False


def footer(standing: Standing) -> str:
    """Write at which check the cell stopped, the points, and how to open the next hint."""
    parts = []
    if standing.total:
        parts.append(f"stopped at check {standing.passed + 1} of {standing.total}")
    if standing.points:
        parts.append(f"worth {points_text(standing.points)}")
    text = _capital(", ".join(parts))
    if standing.hint:
        text = f"{text}. {standing.hint}" if text else standing.hint
    return text


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def points_text(points: float) -> str:
    """Write points with their noun: "1 point", "2.5 points"."""
    return f"{points:g} point{'' if points == 1 else 's'}"


def as_text(report: FailureReport) -> str:
    """Write a report as plain text."""
    if report.not_written:
        lines = [f"✗ {report.mismatch.kind}"]
    else:
        lines = [f"✗ {report.called}"]
        for label, value in (("expected", report.expected), ("got     ", report.got)):
            head = f"  {label} {value.shape} ".rstrip() + " "
            lines.append(head + value.text.replace("\n", "\n" + " " * len(head)))
        lines += [f"  {text}" for text in (report.mismatch.kind, report.mismatch.where, report.reason) if text]
    last = footer(report.standing)
    if last:
        lines.append(f"  ({last})")
    return "\n".join(lines)


def as_error_lines(report: FailureReport) -> list[str]:
    """Return what stands in the place of a traceback.

    In a notebook the HTML above it says everything, so one line suffices (it is what
    nbgrader's validation quotes); elsewhere it is the whole text.
    """
    if not in_notebook():
        return as_text(report).splitlines()
    if report.not_written:
        return [f"✗ {report.mismatch.kind}"]
    return [f"✗ {report.mismatch.kind}"]


def in_notebook() -> bool:
    """Tell whether the code runs in a Jupyter kernel."""
    if "IPython" not in sys.modules:
        return False
    from IPython import get_ipython

    shell = get_ipython()
    return shell is not None and hasattr(shell, "kernel")


def show(report: FailureReport) -> None:
    """Show a report as HTML in a notebook; elsewhere the exception's text says it."""
    if in_notebook() and not report.not_written:
        display(as_text(report), as_html(report))


def display(text: str, html_text: str, **extra: Any) -> None:
    """Display an HTML fragment with its plain-text form; outside a notebook print the text."""
    if not in_notebook():
        print(text)
        return
    from IPython.display import display as show_bundle

    show_bundle({"text/plain": text, "text/html": html_text, **extra}, raw=True)


# Colours follow JupyterLab's theme; the fallbacks serve pages without one. Each colour has a mark or a word beside it.
_BOX = (
    "border-left: 4px solid {colour}; padding: 6px 12px; margin: 2px 0; line-height: 1.45; "
    "color: var(--jp-content-font-color1, #222); background: var(--jp-layout-color1, #fff)"
)
_RED = "var(--jp-error-color1, #c62828)"
_GREEN = "var(--jp-success-color1, #2e7d32)"
_BLUE = "var(--jp-info-color1, #1565c0)"
_PRE = (
    "margin: 0; background: transparent; color: inherit; font-size: 0.92em; white-space: pre; "
    "max-height: 14em; overflow: auto"  # what is wrong stands below and must stay in view
)
_CELL = "vertical-align: top; text-align: left; padding: 1px 12px 1px 0; border: none; background: transparent"


def as_html(report: FailureReport) -> str:
    """Write a report as an HTML fragment."""
    rows = "".join(
        f'<tr style="background: transparent"><th scope="row" style="{_CELL}; font-weight: 600">{label}'
        f"{f'<br><small>{html.escape(value.shape)}</small>' if value.shape else ''}</th>"
        f'<td style="{_CELL}"><pre style="{_PRE}">{html.escape(value.text)}</pre></td></tr>'
        for label, value in (("expected", report.expected), ("got", report.got))
    )
    kind = f"<div><strong>{html.escape(report.mismatch.kind)}</strong> {html.escape(report.mismatch.where)}</div>"
    reason = (
        f'<div style="margin-top: 6px; padding: 4px 10px; border-left: 3px solid {_BLUE}">'
        f'<span aria-hidden="true">→</span> {with_code(report.reason)}</div>'
        if report.reason
        else ""
    )
    last = footer(report.standing)
    small = f'<div style="margin-top: 6px; font-size: 0.9em; opacity: 0.8">{with_code(last)}</div>' if last else ""
    return (
        f'<div class="convnets-check" style="{_BOX.format(colour=_RED)}">'
        f'<div><strong style="color: {_RED}">✗</strong> <code>{html.escape(report.called)}</code></div>'
        '<table style="margin: 6px 0 6px 1em; border-collapse: collapse; border: none; font-size: inherit">'
        f"{rows}</table>"
        f"{kind}{reason}{small}</div>"
    )


def note(mark: str, text: str, good: bool | None = None, **extra: Any) -> None:
    """Show one line with a mark: green for True, red for False, blue for None."""
    colour = _BLUE if good is None else _GREEN if good else _RED
    display(
        f"{mark} {text}",
        f'<div class="convnets-note" style="{_BOX.format(colour=colour)}">'
        f'<strong style="color: {colour}">{html.escape(mark)}</strong> {with_code(text)}</div>',
        **extra,
    )


def with_code(text: str) -> str:
    """Escape a text for HTML and set what stands between backticks as code."""
    parts = html.escape(text).split("`")
    return "".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts)).replace("\n", "<br>")
