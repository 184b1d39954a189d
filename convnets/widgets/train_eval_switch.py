"""One example in a batch, in train and in eval mode: whose statistics normalise it.

The marked example keeps its value while its company is drawn anew. In train mode its output follows the company, in
eval mode the running statistics that earlier batches left. The learner's ``batchnorm_forward`` makes every output.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from convnets.widgets.base import Array, CourseWidget, Learner, as_numbers, assets, call_learner, number

EPS, MOMENTUM = 1e-5, 0.1
#: Mean and standard deviation that all company is drawn from.
TRUE_MEAN, TRUE_STD = 2.0, 1.5
#: Examples in each of the batches that made the running statistics.
HISTORY_SIZE = 8
#: How many draws of company the third row compares.
DRAWS = 30
#: Ends of the two axes.
X_RANGE, Y_RANGE = (-4.0, 8.0), (-4.0, 4.0)
MODES = ("train", "eval")


@dataclass(frozen=True)
class TrainEvalSwitchState:
    """All there is to know of one picture.

    Attributes
    ----------
    mode : {"train", "eval"}
    size : int
        Examples in the batch, the marked one included, 1 to 32.
    value : float
        The marked example, −2 to 6.
    draw : int
        Number of the draw of the others, 0 to 99.
    batches : int
        How many batches the running statistics have seen, 0 to 200.
    """

    mode: str = "train"
    size: int = 8
    value: float = 3.0
    draw: int = 0
    batches: int = 50

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ValueError(f'mode is "train" or "eval", not {self.mode!r}.')
        for name, low, high in (("size", 1, 32), ("value", -2, 6), ("draw", 0, 99), ("batches", 0, 200)):
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name} lies between {low} and {high}, not at {getattr(self, name)!r}.")


def batch_of(state: TrainEvalSwitchState, draw: int | None = None) -> Array:
    """Return the batch, float64 (size,), the marked example first; `draw` replaces the state's."""
    rng = np.random.default_rng(state.draw if draw is None else draw)
    return np.concatenate([[state.value], TRUE_MEAN + TRUE_STD * rng.normal(size=31)[: state.size - 1]])


def running_of(batches: int) -> tuple[Array, Array]:
    """Return the running mean and variance, (1,) each, after some batches of 8, from 0 and 1, as PyTorch does."""
    rng = np.random.default_rng(1000)
    mean, var = np.zeros(1), np.ones(1)
    for _ in range(batches):
        batch = TRUE_MEAN + TRUE_STD * rng.normal(size=(HISTORY_SIZE, 1))
        mean = MOMENTUM * batch.mean(axis=0) + (1 - MOMENTUM) * mean
        var = MOMENTUM * batch.var(axis=0, ddof=1) + (1 - MOMENTUM) * var
    return mean, var


def normalised(x: Array, mode: str, running: tuple[Array, Array]) -> Array:
    """Return the outputs, (N,), with scale 1 and offset 0: the toolkit's own way, which also takes a batch of one."""
    mean, var = (x.mean(), x.var()) if mode == "train" else (running[0][0], running[1][0])
    return np.asarray((x - mean) / np.sqrt(var + EPS))


def outputs(
    x: Array, mode: str, running: tuple[Array, Array], batchnorm_forward: Learner
) -> tuple[Array, bool, dict[str, Any] | None]:
    """Return the outputs (N,), whether the learner's function refused, and a note where there is something to say.

    A batch of one in train mode is to be refused with a ``ValueError``; what the formula would give is drawn then.
    """
    own = normalised(x, mode, running)
    alone = mode == "train" and len(x) == 1
    arguments = x[:, None], np.ones(1), np.zeros(1), *running, mode == "train"
    outcome = call_learner("batchnorm_forward", batchnorm_forward, *arguments)
    if outcome.kind == "missing":
        return own, alone, {"words": outcome.words, "wrong": False}
    if outcome.kind == "error":
        if alone and isinstance(outcome.value, ValueError):
            return own, True, {"words": f"{outcome.words}. PyTorch refuses it too.", "wrong": False}
        return own, alone, {"words": f"{outcome.words}. The toolkit's outputs are shown.", "wrong": True}
    if alone:
        words = "Your batchnorm_forward takes a batch of one in train mode; PyTorch raises a ValueError."
        return own, True, {"words": words, "wrong": True}
    given = outcome.value[0] if isinstance(outcome.value, tuple | list) and len(outcome.value) == 3 else None
    y = as_numbers(given)
    if y is None or y.shape != (len(x), 1) or not np.isfinite(y).all():
        words = "Your batchnorm_forward returned no (y, running_mean, running_var) with a finite y of shape "
        return own, False, {"words": f"{words}({len(x)}, 1). The toolkit's outputs are shown.", "wrong": True}
    y = y[:, 0]
    if np.allclose(y, own, rtol=1e-6, atol=1e-6):
        return y, False, None
    words = f"Yours gives {number(y[0])} for the marked example in {mode} mode; expected was {number(own[0])}."
    return y, False, {"words": words, "wrong": True}


def answers_of(state: TrainEvalSwitchState, running: tuple[Array, Array], batchnorm_forward: Learner) -> list[float]:
    """Return the output of the marked example in company of 30 draws."""
    return [
        float(outputs(batch_of(state, draw), state.mode, running, batchnorm_forward)[0][0]) for draw in range(DRAWS)
    ]


def view_of(state: TrainEvalSwitchState, batchnorm_forward: Learner = None) -> dict[str, Any]:
    """Describe the picture of a state for the browser.

    Parameters
    ----------
    state : TrainEvalSwitchState
    batchnorm_forward : callable or None
        The learner's function; the toolkit fills in where it is missing or fails.
    """
    running = running_of(state.batches)
    x = batch_of(state)
    y, refused, note = outputs(x, state.mode, running, batchnorm_forward)
    answers = answers_of(state, running, batchnorm_forward)
    used = (x.mean(), x.std()) if state.mode == "train" else (running[0][0], np.sqrt(running[1][0]))
    return {
        "mode": state.mode,
        "size": [state.size, 1, 32],
        "value": [state.value, -2, 6],
        "draw": [state.draw, 0, 99],
        "batches": [state.batches, 0, 200],
        "x_range": list(X_RANGE),
        "y_range": list(Y_RANGE),
        "pairs": [
            [round(float(np.clip(a, *X_RANGE)), 4), round(float(np.clip(b, *Y_RANGE)), 4)]
            for a, b in zip(x, y, strict=True)
        ],
        "used_mean": round(float(used[0]), 4),
        "used": f"mean {number(used[0])}, standard deviation {number(used[1])}",
        "running": f"mean {number(running[0][0])}, standard deviation {number(np.sqrt(running[1][0]))}",
        "answers": [round(float(np.clip(answer, *Y_RANGE)), 4) for answer in answers],
        "refused": refused,
        "notes": [note] if note else [],
        "status": describe(state, float(y[0]), answers, refused),
    }


def describe(state: TrainEvalSwitchState, answer: float, answers: list[float], refused: bool) -> str:
    """Say in one or two sentences what became of the marked example."""
    if refused:
        return (
            "A batch of one in train mode: its mean is itself, so the formula gives 0 whatever the value, and only the "
            "offset β would come out. The layer refuses."
        )
    words = f"{number(state.value)} becomes {number(answer)} in {state.mode} mode."
    if state.mode == "eval":
        seen = "1 batch" if state.batches == 1 else f"{state.batches} batches"
        return f"{words} The company does not matter; the running statistics of {seen} do."
    return f"{words} In {DRAWS} draws of company it becomes {number(min(answers))} to {number(max(answers))}."


class TrainEvalSwitch(CourseWidget[TrainEvalSwitchState]):
    """A batch of numbers and its outputs in train or eval mode, made by your ``batchnorm_forward``.

    Parameters
    ----------
    batchnorm_forward : callable or None
        Yours: ``batchnorm_forward(x, weight, bias, running_mean, running_var, training)`` returns y and the running
        statistics. Without it, or while it raises ``NotImplementedError``, the toolkit normalises and says so.
    mode, size, value, draw, batches
        See :class:`TrainEvalSwitchState`.

    Raises
    ------
    ValueError
        For a state that cannot be drawn; the message says what is possible.

    Examples
    --------
    >>> TrainEvalSwitch(mode="eval", size=1).as_code()
    "TrainEvalSwitch(mode='eval', size=1)"
    """

    _esm, _css = assets("train_eval_switch")

    def __init__(
        self,
        batchnorm_forward: Learner = None,
        *,
        mode: str = TrainEvalSwitchState.mode,
        size: int = TrainEvalSwitchState.size,
        value: float = TrainEvalSwitchState.value,
        draw: int = TrainEvalSwitchState.draw,
        batches: int = TrainEvalSwitchState.batches,
    ) -> None:
        self.batchnorm_forward = batchnorm_forward
        state = TrainEvalSwitchState(mode, size, value, draw, batches)
        super().__init__(state, (("batchnorm_forward", batchnorm_forward),))

    def picture(self) -> dict[str, Any]:
        """Return the view of the present state."""
        return view_of(self.state, self.batchnorm_forward)
