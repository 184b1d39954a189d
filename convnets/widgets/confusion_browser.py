"""The confusion browser: who is taken for whom, with the digits themselves, and what refusing to answer is worth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from convnets.widgets.base import Array, CourseWidget, Learner, assets, counted
from convnets.widgets.digit_reader import reader_of, unseen_digits

CLASSES = 10
#: Digits shown at most, and steps of the threshold.
SHOWN = 12
STEPS = 100
#: Pixels of a digit that are shown: its 28 × 28 without LeNet's border.
CROP = slice(2, 30)

Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ConfusionState:
    """Which cell is open, and when the net answers.

    Attributes
    ----------
    actual, answer : int or None
        Row and column of the open cell, 0 to 9; both None: the most frequent error.
    threshold : int
        The net answers when its best probability is at least this many percent, 0 to 99.
    """

    actual: int | None = None
    answer: int | None = None
    threshold: int = 0

    def __post_init__(self) -> None:
        cell = (self.actual, self.answer)
        if cell != (None, None) and not all(isinstance(k, int) and 0 <= k < CLASSES for k in cell):
            raise ValueError(f"actual and answer are classes from 0 to 9, or both None, not {cell}.")
        if not isinstance(self.threshold, int) or not 0 <= self.threshold < STEPS:
            raise ValueError(f"threshold is a whole number of percent from 0 to 99, not {self.threshold!r}.")


def counts(labels: Labels, answers: Labels, kept: npt.NDArray[np.bool_]) -> Labels:
    """Count the kept digits by class (rows) and answer (columns), (10, 10)."""
    table = np.zeros((CLASSES, CLASSES), np.int64)
    np.add.at(table, (labels[kept], answers[kept]), 1)
    return table


def trade(labels: Labels, probability: Array) -> tuple[Labels, Labels]:
    """Return how many digits are refused, and how many are misread, at each threshold of 0 to 99 %."""
    sure, wrong = probability.max(axis=1), probability.argmax(axis=1) != labels
    kept = sure[None] >= np.arange(STEPS)[:, None] / 100
    return (~kept).sum(axis=1), (kept & wrong).sum(axis=1)


def view_of(
    state: ConfusionState, images: npt.NDArray[np.uint8], labels: Labels, probability: Array, notes: Any = ()
) -> dict[str, Any]:
    """Describe the table, the digits of the open cell and the trade of errors against refusals.

    Parameters
    ----------
    state : ConfusionState
    images : ndarray of uint8, shape (N, 28, 28)
        0 for paper, 255 for ink.
    labels : ndarray of int, shape (N,)
    probability : ndarray, shape (N, 10)
        What the net said.
    notes : sequence of (str, bool)
        Sentences to show, each with whether it says that something is wrong.
    """
    answers, sure = probability.argmax(axis=1), probability.max(axis=1)
    kept = sure >= state.threshold / 100
    table = counts(labels, answers, kept)
    errors = table - np.diag(np.diag(table))
    if state.actual is None or state.answer is None:
        actual, answer = (int(k) for k in np.unravel_index(errors.argmax(), errors.shape))
    else:
        actual, answer = state.actual, state.answer
    of_cell = np.flatnonzero(kept & (labels == actual) & (answers == answer))
    # Errors: the surest first, they are the worst. Right answers: the least sure first, they were nearly errors.
    of_cell = of_cell[np.argsort(sure[of_cell] * (1 if actual == answer else -1), kind="stable")]
    digits = []
    for k in of_cell[:SHOWN].tolist():
        first, second = (int(c) for c in np.argsort(-probability[k], kind="stable")[:2])
        said = f"{first} {100 * probability[k, first]:.0f} %, {second} {100 * probability[k, second]:.0f} %"
        digits.append({"bytes": images[k].tobytes(), "said": said, "number": k})
    refused, misread = trade(labels, probability)
    right, wrong, left = int(np.trace(table)), int(errors.sum()), int((~kept).sum())
    if actual == answer:
        cell = f"Of {counted(int((labels == actual).sum()), f'test digit {actual}')}"
        cell = f"{cell} {table[actual, answer]} are read right; shown are those it was least sure of."
    else:
        cell = f"{counted(int(table[actual, answer]), 'digit')} of class {actual} taken for {answer}."
    return {
        "table": table.tolist(),
        "cell": [actual, answer],
        "digits": digits,
        "more": max(0, len(of_cell) - SHOWN),
        "words": cell,
        "threshold": [state.threshold, 0, STEPS - 1],
        "trade": [refused.tolist(), misread.tolist()],
        "total": len(labels),
        "notes": [{"words": words, "wrong": bad} for words, bad in notes],
        "status": f"Of {len(labels):,} test digits {right} read right, {wrong} misread, {left} refused. {cell}",
    }


class ConfusionBrowser(CourseWidget[ConfusionState]):
    """See which digits your LeNet takes for which, and what it gains by not answering when it is unsure.

    Parameters
    ----------
    lenet5, train_epoch : callable or None
        Yours, as for :class:`ReadingDemo`; a network that is trained already is not trained again.
    actual, answer : int, optional
        The open cell: row and column, 0 to 9. Default: the most frequent error.
    threshold : int
        Percent of probability below which the net refuses to answer, 0 to 99.

    Raises
    ------
    ValueError
        For classes or a threshold that do not exist.
    """

    _esm, _css = assets("confusion_browser")

    def __init__(
        self,
        lenet5: Learner = None,
        train_epoch: Learner = None,
        *,
        actual: int | None = None,
        answer: int | None = None,
        threshold: int = 0,
    ) -> None:
        state = ConfusionState(actual, answer, threshold)
        reader = reader_of(lenet5, train_epoch)
        x, self.labels = unseen_digits()
        self.images = np.round(255 * (x[:, 0, CROP, CROP].numpy() + 0.1) / 1.275).astype(np.uint8)
        self.probability = reader.probabilities(x)
        self.notes = reader.notes
        super().__init__(state, (("LeNet5", lenet5), ("train_epoch", train_epoch)))

    def picture(self) -> dict[str, Any]:
        """Return the view of the present state."""
        return view_of(self.state, self.images, self.labels, self.probability, self.notes)

    def act(self, state: ConfusionState, action: str, values: dict[str, Any]) -> ConfusionState:
        """Answer a chosen cell."""
        if action == "choose":
            return replace(state, actual=values["actual"], answer=values["answer"])
        return super().act(state, action, values)
