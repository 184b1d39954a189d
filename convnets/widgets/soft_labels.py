"""Temperature on soft labels: a teacher's probabilities for one digit, and a student that learns them step by step.

The teacher's logits are those of an ensemble of three MLPs trained on 2,000 digits, measured once. The student is
ten free logits: each step goes down the gradient of the learner's ``distillation_loss``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from convnets import data
from convnets.widgets.base import (
    Array,
    CourseWidget,
    Learner,
    Trade,
    as_numbers,
    assets,
    counted,
    missing_words,
    number,
)

#: Number in the test set of digits: the teacher's ten logits for it.
EXAMPLES: dict[int, tuple[float, ...]] = {
    3: (-2.3, -10.7, 1.1, 9.5, -10.9, 3.1, -11.1, -9.1, 3.3, -4.3),
    5: (-3.5, -0.7, 4.3, 0.1, -6.0, -3.4, -2.6, -1.5, -0.2, -2.3),
    4: (-9.1, -8.8, -6.4, -2.6, 8.4, -2.5, -8.0, -3.6, 2.0, 5.7),
    0: (-3.3, -8.7, 4.0, -6.8, -4.4, -1.5, 13.7, -12.8, -2.8, -5.6),
}
TEMPERATURES = (0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0)
STEP_SIZE = 1.0
MOST_STEPS = 200


@dataclass(frozen=True)
class SoftLabelsState:
    """All there is to know of one picture.

    Attributes
    ----------
    example : int
        Which of the four digits, 0 to 3.
    temperature : float
        One of 0.5, 1, 2, 3, 5, 10, 20.
    alpha : float
        Weight of the teacher's term, 0 to 1.
    steps : int
        Steps of gradient descent that the student has taken, 0 to 200.
    """

    example: int = 0
    temperature: float = 1.0
    alpha: float = 1.0
    steps: int = 0

    def __post_init__(self) -> None:
        if self.example not in range(len(EXAMPLES)):
            raise ValueError(f"example is a whole number from 0 to {len(EXAMPLES) - 1}, not {self.example!r}.")
        if self.temperature not in TEMPERATURES:
            possible = ", ".join(f"{t:g}" for t in TEMPERATURES)
            raise ValueError(f"temperature is one of {possible}, not {self.temperature!r}.")
        if not 0 <= self.alpha <= 1:
            raise ValueError(f"alpha lies between 0 and 1, not at {self.alpha!r}.")
        if not isinstance(self.steps, int) or not 0 <= self.steps <= MOST_STEPS:
            raise ValueError(f"steps is a whole number from 0 to {MOST_STEPS}, not {self.steps!r}.")


def log_softmax(logits: Array) -> Array:
    """Return the logarithms of the probabilities of each row."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


def toolkit_loss(
    student: Array, teacher: Array, labels: Array, temperature: float, alpha: float
) -> tuple[float, Array]:
    """Return loss and gradient as the exercise defines them."""
    n = len(student)
    log_p, log_q = log_softmax(teacher / temperature), log_softmax(student / temperature)
    p, q, log_hard = np.exp(log_p), np.exp(log_q), log_softmax(student)
    soft = temperature**2 * (p * (log_p - log_q)).sum() / n
    hard = -log_hard[np.arange(n), labels].mean()
    delta = np.eye(student.shape[1])[labels]
    gradient = (alpha * temperature * (q - p) + (1 - alpha) * (np.exp(log_hard) - delta)) / n
    return float(alpha * soft + (1 - alpha) * hard), gradient


@cache
def digits_shown() -> tuple[tuple[list[list[int]], int], ...]:
    """Return the pictures, 28 rows of 28 grey values 0 to 255, and the labels of the four examples."""
    digits = data.digits(n_test=max(EXAMPLES) + 1)
    return tuple(
        (np.round(255 * digits.x_test[index, 0]).astype(int).tolist(), int(digits.y_test[index])) for index in EXAMPLES
    )


def pair_of(value: Any) -> tuple[float, Array] | None:
    """Return what a learner's function gave as loss and gradient (1, 10), None where it is no such pair."""
    if not isinstance(value, tuple | list) or len(value) != 2:
        return None
    loss, gradient = as_numbers(value[0]), as_numbers(value[1])
    if loss is None or gradient is None or loss.size != 1 or gradient.shape != (1, 10):
        return None
    return (float(loss.item()), gradient) if np.isfinite(gradient).all() and np.isfinite(loss).all() else None


def train(state: SoftLabelsState, trade: Trade) -> tuple[Array, float]:
    """Return the student's logits (10,) after its steps, and the loss there."""
    teacher = np.array([list(EXAMPLES.values())[state.example]])
    labels = np.array([digits_shown()[state.example][1]])
    student, loss = np.zeros((1, 10)), 0.0
    for step in range(state.steps + 1):
        arguments = student, teacher, labels, state.temperature, state.alpha
        loss, gradient = truth = toolkit_loss(*arguments)
        outcome = trade.ask(*arguments)
        if outcome is not None:
            pair = pair_of(outcome.value)
            if pair is None:
                trade.refuse("returned no pair of a finite loss and a gradient of shape (1, 10)")
            else:
                loss, gradient = pair
                if not trade.words and not np.allclose(gradient, truth[1], atol=1e-6):
                    trade.words = "The gradient of your distillation_loss differs from the toolkit's. Yours is used."
                elif not trade.words and not np.isclose(loss, truth[0], atol=1e-6):
                    trade.words = f"Your loss is {number(loss)}; expected was {number(truth[0])}. Yours is shown."
        if step < state.steps:
            student = student - STEP_SIZE * gradient
    return student[0], loss


def percent(share: float) -> str:
    """Write a share: "97 %", "0.4 %", "< 0.1 %"."""
    value = 100 * share
    return "< 0.1 %" if value < 0.1 else f"{value:.1f} %" if value < 9.95 else f"{value:.0f} %"


def ranked(probabilities: Array, count: int = 3) -> str:
    """Name the classes with the largest probabilities."""
    order = np.argsort(-probabilities, kind="stable")[:count]
    return ", ".join(f"{digit} with {percent(float(probabilities[digit]))}" for digit in order)


def view_of(state: SoftLabelsState, distillation_loss: Learner = None) -> dict[str, Any]:
    """Describe the picture of a state for the browser.

    Parameters
    ----------
    state : SoftLabelsState
    distillation_loss : callable or None
        The learner's function; the toolkit fills in where it is missing or fails.
    """
    trade = Trade("distillation_loss", distillation_loss)
    logits, loss = train(state, trade)
    teacher = np.exp(log_softmax(np.array(list(EXAMPLES.values())[state.example]) / state.temperature))
    student = np.exp(log_softmax(logits / state.temperature))
    picture, label = digits_shown()[state.example]
    notes = [{"words": missing_words([trade.name]), "wrong": False}] if trade.missing else []
    notes += [{"words": trade.words, "wrong": True}] if trade.words else []
    taught = counted(state.steps, "step")
    return {
        "examples": [[index, f"a {digit}"] for index, (_, digit) in enumerate(digits_shown())],
        "example": state.example,
        "picture": picture,
        "label": label,
        "temperature": [TEMPERATURES.index(state.temperature), 0, len(TEMPERATURES) - 1],
        "temperatures": list(TEMPERATURES),
        "alpha": state.alpha,
        "steps": [state.steps, 0, MOST_STEPS],
        "teacher": np.round(teacher, 5).tolist(),
        "student": np.round(student, 5).tolist(),
        "teacher_words": [percent(float(p)) for p in teacher],
        "notes": notes,
        "status": (
            f"Label {label}. At temperature {state.temperature:g} the teacher says {ranked(teacher)}; after {taught} "
            f"the student says {ranked(student)}. Loss {number(loss)}."
        ),
    }


class SoftLabels(CourseWidget[SoftLabelsState]):
    """A teacher's probabilities at a temperature, and a student that learns them by your ``distillation_loss``.

    Parameters
    ----------
    distillation_loss : callable or None
        Yours: ``distillation_loss(student_logits, teacher_logits, labels, temperature, alpha)`` returns loss and
        gradient. Without it, or while it raises ``NotImplementedError``, the toolkit computes and says so.
    example, temperature, alpha, steps
        See :class:`SoftLabelsState`.

    Raises
    ------
    ValueError
        For a state that cannot be drawn; the message says what is possible.

    Examples
    --------
    >>> SoftLabels(temperature=5, steps=10).as_code()
    'SoftLabels(temperature=5, steps=10)'
    """

    _esm, _css = assets("soft_labels")

    def __init__(
        self,
        distillation_loss: Learner = None,
        *,
        example: int = SoftLabelsState.example,
        temperature: float = SoftLabelsState.temperature,
        alpha: float = SoftLabelsState.alpha,
        steps: int = SoftLabelsState.steps,
    ) -> None:
        self.distillation_loss = distillation_loss
        state = SoftLabelsState(example, temperature, alpha, steps)
        super().__init__(state, (("distillation_loss", distillation_loss),))

    def picture(self) -> dict[str, Any]:
        """Return the view of the present state."""
        return view_of(self.state, self.distillation_loss)

    def act(self, state: SoftLabelsState, action: str, values: dict[str, Any]) -> SoftLabelsState:
        """Answer the buttons that train, and the slider that moves along the list of temperatures."""
        if action == "train":
            return replace(state, steps=min(state.steps + values["more"], MOST_STEPS))
        if "place" in values:
            place = values.pop("place")
            if place not in range(len(TEMPERATURES)):
                raise ValueError(f"There are {len(TEMPERATURES)} temperatures, and none at place {place!r}.")
            values["temperature"] = TEMPERATURES[place]
        return super().act(state, action, values)
