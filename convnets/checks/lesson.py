"""A lesson: the checks, hints, predictions, targets and progress of one notebook."""

from __future__ import annotations

import html
import os
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from convnets.checks import progress, render, signature
from convnets.checks.call import Call
from convnets.checks.record import LessonRecord, TestCell, find_record, fingerprint
from convnets.training import fast_mode


@dataclass
class _RunningCell:
    """The test cell that runs now, and the number of its checks begun so far."""

    name: str = ""
    begun: int = 0


class Lesson:
    """The checks of one notebook, with what the build recorded for it.

    Parameters
    ----------
    name : str
        Name of the module, as ``"05_convolution_arithmetic"``.
    record : LessonRecord, optional
        Points, hints and known mistakes; without it checks still work.
    keep_progress : bool
        Whether results go to the learner's progress file.
    """

    def __init__(self, name: str, record: LessonRecord | None = None, *, keep_progress: bool = False) -> None:
        self.name = name
        self.record = record or LessonRecord(name)
        self._progress = progress.load(name) if keep_progress else progress.Progress()
        self._keeps_progress = keep_progress
        self._cell = _RunningCell()

    # What test cells use.

    def check(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Call:
        """Prepare a check of ``function(*args, **kwargs)``; `Call` has the methods that judge it."""
        return Call(function, args, kwargs, self)

    def hint(self, exercise: str | Callable[..., Any]) -> None:
        """Open the next hint of an exercise and show all that are open.

        Parameters
        ----------
        exercise : str or callable
            Its name, or the function itself.

        Raises
        ------
        ValueError
            When the notebook has no exercise of this name.
        """
        exercise = exercise if isinstance(exercise, str) else str(getattr(exercise, "__name__", exercise))
        known = self.record.exercises.get(exercise)
        if known is None:
            names = ", ".join(self.record.exercises) or "none: the checks file is not beside the notebook"
            raise ValueError(f"there is no exercise {exercise!r} here; the exercises are {names}")
        if not known.hints:
            render.note("?", f"There are no hints for `{exercise}`.")
            return
        opened = min(self._progress.hints.get(exercise, 0) + 1, len(known.hints))
        self._progress.hints[exercise] = opened
        self._save()
        for i, text in enumerate(known.hints[:opened], start=1):
            render.note(f"Hint {i} of {len(known.hints)}", text)

    # Predictions and targets.

    def predict(self, name: str, question: str, options: Sequence[str]) -> None:
        """Ask for a prediction with radio buttons; the choice is kept for `reveal`.

        Parameters
        ----------
        name : str
            Name of the prediction.
        question : str
            The question.
        options : sequence of str
            What can be chosen.
        """
        if not render.in_notebook():
            print(question, *(f"  ( ) {option}" for option in options), sep="\n")
            return
        import ipywidgets
        from IPython.display import display

        chosen = self._progress.predictions.get(name)
        buttons = ipywidgets.RadioButtons(
            options=[(option, i) for i, option in enumerate(options)],
            value=chosen if chosen is not None and chosen < len(options) else None,
            layout=ipywidgets.Layout(width="auto"),
        )

        def keep(change: dict[str, Any]) -> None:
            self._progress.predictions[name] = change["new"]
            self._save()

        buttons.observe(keep, names="value")
        label = ipywidgets.HTML(f"<strong>Your prediction.</strong> {render.with_code(question)}")
        display(ipywidgets.VBox([label, buttons]))

    def reveal(self, name: str, answer: int, because: str) -> None:
        """Tell what the experiment showed beside what was predicted.

        Parameters
        ----------
        name : str
            Name given to `predict`.
        answer : int
            Index of the option that the experiment showed to be right.
        because : str
            One or two sentences.
        """
        chosen = self._progress.predictions.get(name)
        if chosen is None:
            render.note("Answer", f"option {answer + 1}. {because} (You made no prediction.)")
        elif chosen == answer:
            render.note("✓ You predicted it", f"(option {answer + 1}). {because}", good=True)
        else:
            render.note("Answer", f"option {answer + 1}; you predicted option {chosen + 1}. {because}")

    def target(
        self,
        what: str,
        measured: float,
        *,
        at_most: float | None = None,
        at_least: float | None = None,
        exactly: float | None = None,
        unit: str = "",
    ) -> None:
        """Show a measured figure beside its target.

        Parameters
        ----------
        what : str
            What was measured.
        measured : float
            The figure.
        at_most, at_least, exactly : float
            The target; one of them.
        unit : str
            Unit of both, as "°C" or "%".
        """
        bounds = {"≤": at_most, "≥": at_least, "=": exactly}
        ((sign, bound),) = ((sign, bound) for sign, bound in bounds.items() if bound is not None)
        reached = {"≤": measured <= bound, "≥": measured >= bound, "=": measured == bound}[sign]
        space = "" if unit in ("", "%") else " "
        figure, goal = f"{_number(measured)}{space}{unit}", f"{sign} {_number(bound)}{space}{unit}"
        # A count does not depend on how much data there is.
        if fast_mode() and exactly is None:
            render.note("•", f"{what}: {figure}. The target, {goal}, is not judged in fast mode.")
            return
        data = {"what": what, "measured": figure, "target": goal, "reached": bool(reached)}
        verdict = "reached" if reached else "not reached"
        render.note(
            "✓" if reached else "✗",
            f"{what}: {figure} (target {goal}, {verdict})",
            good=bool(reached),
            **{"application/vnd.convnets.target+json": data},
        )

    # What a check asks of its lesson.

    def parameters_of(self, function_name: str) -> tuple[str, ...]:
        """Return the parameters' names of an exercise."""
        exercise = self.record.exercises.get(function_name)
        return exercise.parameters if exercise else ()

    def begin_check(self) -> int:
        """Count a check of the current cell and return its number, from 0."""
        self._cell.begun += 1
        return self._cell.begun - 1

    @property
    def checks_begun(self) -> int:
        """Number of checks that the current cell has begun."""
        return self._cell.begun

    def standing(self, function_name: str, ordinal: int) -> render.Standing:
        """Return how many checks passed, what the cell is worth and how to open the next hint."""
        cell = self._test_cell()
        exercise = cell.exercise if cell else function_name
        hints = self.record.exercises[exercise].hints if exercise in self.record.exercises else ()
        opened = self._progress.hints.get(exercise, 0)
        hint = f'Hint {opened + 1} of {len(hints)}: `hint("{exercise}")`' if opened < len(hints) else ""
        return render.Standing(ordinal, cell.checks, cell.points, hint) if cell else render.Standing(hint=hint)

    def recognise(self, function_name: str, ordinal: int, outcome: signature.Signature) -> str:
        """Return the reason of the known mistake with this outcome, or an empty text."""
        for known in self.record.mistakes:
            here = known.cell == self._cell.name and known.ordinal == ordinal
            if here and signature.matches(known.outcome, outcome):
                return known.reason
        return ""

    # What runs cells tells the lesson.

    def begin_cell(self, source: str, cell_id: str | None = None) -> None:
        """Take note that a cell begins, found by its id or by its text."""
        cells = self.record.cells
        if cell_id not in cells:
            # A front end that sends no ids: the text tells.
            text = fingerprint(source)
            cell_id = next((name for name, cell in cells.items() if cell.source == text), "")
        self._cell = _RunningCell(cell_id or "")

    def end_cell(self, success: bool) -> None:
        """Take note that a cell ended; a passed test cell is said in one line and kept."""
        cell = self._test_cell()
        if cell is None:
            return
        if not success:
            self._progress.passed.pop(self._cell.name, None)
        elif self._cell.begun >= cell.checks:
            # A cell that ran fewer checks than it holds was edited: it is not counted as passed.
            self._progress.passed[self._cell.name] = cell.points
            told = f"{cell.checks} of {cell.checks} checks passed"
            if self.record.points:
                told += f" ({self._progress.points:g} of {self.record.points:g} points so far)"
            render.note("✓", told, good=True)
        self._save()
        self._cell = _RunningCell()

    def _test_cell(self) -> TestCell | None:
        return self.record.cells.get(self._cell.name)

    def _save(self) -> None:
        if self._keeps_progress:
            progress.save(self.name, self._progress)


def _number(value: float) -> str:
    """Write a count in full and a measured figure with six digits."""
    return f"{value:,}" if isinstance(value, int) else f"{value:.6g}"


class _Hooks:
    """The lesson's ears in IPython: which cell runs, whether it passed, what is not written yet."""

    def __init__(self, lesson: Lesson, shell: Any) -> None:
        self.lesson = lesson
        self.shell = shell

    def install(self) -> None:
        self.shell.events.register("pre_run_cell", self.pre_run_cell)
        self.shell.events.register("post_run_cell", self.post_run_cell)
        self.shell.set_custom_exc((NotImplementedError,), self.not_written)

    def remove(self) -> None:
        self.shell.events.unregister("pre_run_cell", self.pre_run_cell)
        self.shell.events.unregister("post_run_cell", self.post_run_cell)

    def pre_run_cell(self, info: Any) -> None:
        self.lesson.begin_cell(info.raw_cell, getattr(info, "cell_id", None))

    def post_run_cell(self, result: Any) -> None:
        self.lesson.end_cell(bool(result.success))

    def not_written(
        self, shell: Any, kind: type[BaseException], error: BaseException, trace: TracebackType, tb_offset: Any = None
    ) -> list[str]:
        """Say in one line which exercise is still a stub; it stays an error for whatever runs the cell."""
        if not signature.is_stub(error):
            lines = shell.InteractiveTB.structured_traceback(kind, error, trace, tb_offset=tb_offset)
            shell._showtraceback(kind, error, lines)
            return list(lines)
        names = [frame.name for frame in traceback.extract_tb(trace)]
        exercises = self.lesson.record.exercises
        missing = next((name for name in reversed(names) if name in exercises), names[-1])
        known = exercises.get(missing)
        todo = f": do exercise {known.number} first" if known else ""
        lines = [f"✗ `{missing}` is not written yet{todo}."]
        shell._showtraceback(kind, error, lines)
        return lines


_installed: list[_Hooks] = []


def open_lesson(name: str) -> Lesson:
    """Open a lesson: find its record, take up the learner's progress, listen to the kernel.

    Parameters
    ----------
    name : str
        Name of the module, as ``"05_convolution_arithmetic"``.

    Returns
    -------
    Lesson
    """
    record = find_record(name)
    # nbgrader sets this variable when it grades or validates: that is not the learner's own progress.
    grading = "NBGRADER_EXECUTION" in os.environ
    lesson = Lesson(name, record, keep_progress=render.in_notebook() and not grading)
    if render.in_notebook():
        from IPython import get_ipython

        while _installed:
            _installed.pop().remove()
        hooks = _Hooks(lesson, get_ipython())
        hooks.install()
        _installed.append(hooks)
        if record is None:
            render.note("!", f"The file {html.escape(name)}.checks.json is missing: checks work, hints do not.")
    return lesson
