"""A single neuron in the plane: drag its weights, watch its decision line, let your perceptron find them.

The neuron is the lecture's perceptron on two features, y = sign(w₁x₁ + w₂x₂ + b), with sign(0) = +1. The learner's
``perceptron_predict`` paints the plane and judges the points; ``perceptron_fit`` finds weights.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from convnets.widgets.base import Array, CourseWidget, Learner, as_numbers, assets, call_learner, counted, number

Pair = tuple[float, float]

#: The plane reaches from −LIMIT to LIMIT both ways.
LIMIT = 3.0
#: Weights and bias lie between −MOST and MOST; an arrow that would leave the plane is drawn shorter.
MOST = 99.0
#: Cells along one side of the painted plane.
GRID = 48
#: Passes over the points that "run my perceptron_fit" allows.
EPOCHS = 100
DATASETS = ("apart", "narrow", "overlap", "XOR")


def make_points(dataset: str) -> tuple[Array, Array]:
    """Return the points of a data set.

    Parameters
    ----------
    dataset : str
        One of :data:`DATASETS`.

    Returns
    -------
    x : float64 array (N, 2)
        One decimal each, so that their sums can be checked by hand.
    target : float64 array (N,)
        −1 or +1.
    """
    # Seeds whose points show it: a perceptron needs few updates for "apart" and dozens for "narrow", in this order.
    rng = np.random.default_rng(9 if dataset == "narrow" else 12)
    if dataset == "XOR":
        corners = np.array([[1.6, 1.6], [-1.6, -1.6], [1.6, -1.6], [-1.6, 1.6]])
        x = np.repeat(corners, 5, axis=0) + rng.uniform(-0.7, 0.7, (20, 2))
        target = np.repeat([1.0, 1.0, -1.0, -1.0], 5)
    elif dataset == "overlap":
        target = np.repeat([1.0, -1.0], 12)
        x = target[:, None] * np.array([0.8, 0.6]) + 0.9 * rng.normal(size=(24, 2))
    else:
        # Points at a distance from a slanted line that does not pass through the origin: the line's margin.
        least, most = (0.8, np.inf) if dataset == "apart" else (0.15, 0.6)
        x = rng.uniform(-2.8, 2.8, (200, 2))
        distance = x @ np.array([0.6, 0.8]) - 0.5
        chosen = np.flatnonzero((np.abs(distance) > least) & (np.abs(distance) < most))[:24]
        x, target = x[chosen], np.sign(distance[chosen])
    order = rng.permutation(len(x))
    return np.clip(x, -2.8, 2.8).round(1)[order], target[order]


@dataclass(frozen=True)
class NeuronState:
    """All there is to know of one picture.

    Attributes
    ----------
    dataset : {"apart", "narrow", "overlap", "XOR"}
        Which points.
    weight : (float, float)
        w₁ and w₂, each from −99 to 99.
    bias : float
        b, from −99 to 99.
    point : int
        The point whose sum is written out.
    updates : int
        Updates that "Step" has made since the weights were last moved by hand.
    mistakes : tuple of int
        Mistakes per epoch of the last run of ``perceptron_fit``; empty where the weights are not its own.
    """

    dataset: str = "apart"
    weight: Pair = (1.0, -0.5)
    bias: float = 0.5
    point: int = 0
    updates: int = 0
    mistakes: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.dataset not in DATASETS:
            raise ValueError(f"dataset is one of {', '.join(DATASETS)}, not {self.dataset!r}.")
        try:
            w1, w2 = (float(value) for value in self.weight)
            bias = float(self.bias)
        except (TypeError, ValueError):
            words = f"weight is a pair of numbers and bias a number, not {self.weight!r} and {self.bias!r}."
            raise ValueError(words) from None
        if not all(abs(value) <= MOST for value in (w1, w2, bias)):
            raise ValueError(
                f"weights and bias lie between −99 and 99, not at {number(w1)}, {number(w2)}, {number(bias)}."
            )
        count = len(make_points(self.dataset)[0])
        if not 0 <= self.point < count:
            raise ValueError(f"point is a whole number from 0 to {count - 1}, not {self.point!r}.")
        object.__setattr__(self, "weight", (round(w1, 3), round(w2, 3)))
        object.__setattr__(self, "bias", round(bias, 3))


def scores(state: NeuronState, x: Array) -> Array:
    """Return w₁x₁ + w₂x₂ + b for every row of x, rounded so that a sum of 0 by hand is 0 here."""
    return np.asarray(np.round(x @ np.array(state.weight) + state.bias, 9))


def predicted(state: NeuronState, x: Array) -> Array:
    """Return +1.0 where the sum is at least 0 and −1.0 elsewhere: the toolkit's prediction."""
    return np.where(scores(state, x) >= 0, 1.0, -1.0)


def margin_of(state: NeuronState) -> tuple[float, float] | None:
    """Return the margin γ of the present weights and the largest length R, both with a 1 added to every point.

    Returns
    -------
    (gamma, radius) or None
        None where a point lies on the wrong side, or on the line itself.
    """
    x, target = make_points(state.dataset)
    full = np.hypot(np.linalg.norm(state.weight), state.bias)
    gamma = float((target * scores(state, x)).min() / full) if full else 0.0
    return (gamma, float(np.sqrt((x**2).sum(axis=1).max() + 1))) if gamma > 0 else None


def stepped(state: NeuronState) -> NeuronState:
    """Return the state after the perceptron's update at the next point on the wrong side, in the points' order."""
    x, target = make_points(state.dataset)
    # After an update the search goes on behind that point, as in a pass over the data.
    first = state.point + 1 if state.updates else 0
    order = [(first + offset) % len(x) for offset in range(len(x))]
    wrong = predicted(state, x) != target
    at = next((index for index in order if wrong[index]), None)
    if at is None:
        return state
    weight = np.array(state.weight) + target[at] * x[at]
    return within_limits(
        replace(state, point=at, updates=state.updates + 1, mistakes=()), weight, state.bias + target[at]
    )


def within_limits(state: NeuronState, weight: npt.ArrayLike, bias: float) -> NeuronState:
    """Return the state with these weights, all three divided by one number where one of them is too large.

    Dividing weights and bias by the same positive number changes no prediction.
    """
    three = np.array([*np.asarray(weight, dtype=float), float(bias)])
    three = three * min(1.0, MOST / max(np.abs(three).max(), 1e-9))
    return replace(state, weight=(three[0], three[1]), bias=three[2])


def cells() -> Array:
    """Return the centres of the painted cells, row by row from the top left, as a float64 array (GRID², 2)."""
    along = (np.arange(GRID) + 0.5) / GRID * 2 * LIMIT - LIMIT
    x, y = np.meshgrid(along, -along)
    return np.stack([x.ravel(), y.ravel()], axis=1)


CELLS = cells()


def painted(state: NeuronState, perceptron_predict: Learner) -> tuple[Array, Array, dict[str, Any] | None]:
    """Let the learner's function judge the cells and the points.

    Returns
    -------
    plane : float64 array (GRID²,)
        −1 or +1 for each cell.
    labels : float64 array (N,)
        −1 or +1 for each point.
    note : dict or None
        What to say about the function: ``"words"`` and ``"wrong"``.
    """
    x, _ = make_points(state.dataset)
    everything = np.concatenate([CELLS, x])
    truth = predicted(state, everything)
    weight = np.array(state.weight)
    outcome = call_learner("perceptron_predict", perceptron_predict, everything, weight, state.bias)
    mine, note = truth, None
    if outcome.kind == "missing":
        note = {"words": outcome.words, "wrong": False}
    elif outcome.kind == "error":
        note = {"words": f"{outcome.words}. The toolkit's picture is shown.", "wrong": True}
    else:
        given = as_numbers(outcome.value)
        if given is None or given.shape != truth.shape:
            what = type(outcome.value).__name__ if given is None else f"shape {given.shape}"
            words = f"Your perceptron_predict returned {what}, not one label for each of {len(truth):,} rows"
            note = {"words": f"{words}. The toolkit's picture is shown.", "wrong": True}
        else:
            # On the line itself rounding decides: a point there proves nothing.
            differs = (given != truth) & (np.abs(scores(state, everything)) > 1e-6)
            mine = given
            if differs.any():
                at = int(np.argmax(differs))
                place = ", ".join(number(value) for value in everything[at])
                words = f"Your perceptron_predict gives {number(given[at])} at ({place}), the sign of the sum is "
                note = {"words": f"{words}{number(truth[at])}. Your labels are painted.", "wrong": True}
    return mine[: len(CELLS)], mine[len(CELLS) :], note


def fitted(state: NeuronState, perceptron_fit: Learner) -> tuple[NeuronState, dict[str, Any] | None]:
    """Run the learner's ``perceptron_fit`` on the points and take over its weights.

    Returns
    -------
    state : NeuronState
        Unchanged where the function gave nothing usable.
    note : dict or None
        What to say about the function.
    """
    x, target = make_points(state.dataset)
    outcome = call_learner("perceptron_fit", perceptron_fit, x, target, EPOCHS)
    if outcome.kind == "missing":
        return state, {"words": "Your perceptron_fit is not written yet: use Step instead.", "wrong": False}
    if outcome.kind == "error":
        return state, {"words": f"{outcome.words}.", "wrong": True}
    try:
        weight, bias, mistakes = outcome.value
        three = np.array([*np.asarray(weight, dtype=float).reshape(2), float(bias)])
        counts = tuple(int(count) for count in mistakes)
    except (TypeError, ValueError):
        three, counts = np.full(3, np.nan), ()
    if not np.isfinite(three).all() or not counts:
        words = "Your perceptron_fit returned no weight of shape (2,), bias and list of mistakes per epoch."
        return state, {"words": words, "wrong": True}
    return within_limits(replace(state, updates=0, mistakes=counts), three[:2], three[2]), None


def view_of(
    state: NeuronState, perceptron_predict: Learner = None, note: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Describe the picture of a state for the browser.

    Parameters
    ----------
    state : NeuronState
    perceptron_predict : callable or None
        The learner's function; the toolkit fills in where it is missing or fails.
    note : dict, optional
        What to say about the last run of ``perceptron_fit``.
    """
    x, target = make_points(state.dataset)
    plane, labels, said = painted(state, perceptron_predict)
    wrong = labels != target
    at = state.point
    total = float(scores(state, x[at : at + 1])[0])
    products = [f"{bracketed(w)}·{bracketed(v)}" for w, v in zip(state.weight, x[at], strict=True)]
    length = float(np.linalg.norm(state.weight))
    # The point of the line next to the origin carries the handle that moves the line.
    foot = (-state.bias / length**2 * np.array(state.weight)).round(4).tolist() if length else None
    return {
        "datasets": list(DATASETS),
        "dataset": state.dataset,
        "limit": LIMIT,
        "grid": GRID,
        "plane": (plane > 0).astype(np.uint8).tobytes(),
        "weight": list(state.weight),
        "bias": state.bias,
        "tip": [w * min(1.0, LIMIT / max(map(abs, (*state.weight, LIMIT)))) for w in state.weight],
        "range": max(LIMIT, *(math.ceil(abs(value)) for value in (*state.weight, state.bias))),
        "foot": foot,
        "handle": foot is not None and max(map(abs, foot)) <= LIMIT,
        "points": [
            {"x": float(px), "y": float(py), "plus": bool(t > 0), "wrong": bool(w)}
            for (px, py), t, w in zip(x, target, wrong, strict=True)
        ],
        "point": at,
        "inputs": [number(value) for value in x[at]],
        "formula": f"{' + '.join(products)} + {bracketed(state.bias)} = {number(total)}",
        "output": signed(float(labels[at])),
        "wanted": signed(float(target[at])),
        "right": not bool(wrong[at]),
        "wrong_count": int(wrong.sum()),
        "done": not bool(wrong.any()),
        "notes": [entry for entry in (note, said) if entry],
        "status": describe(state, int(wrong.sum()), len(x)),
    }


def bracketed(value: float) -> str:
    """Write a number for a sum: in brackets where it is negative."""
    return f"({number(value)})" if value < 0 else number(value)


def signed(label: float) -> str:
    """Write a label with its sign."""
    return f"+{number(label)}" if label > 0 else number(label)


def describe(state: NeuronState, wrong: int, count: int) -> str:
    """Say in one or two sentences what the weights do, and what the perceptron has done so far."""
    parts = [f"{wrong} of {counted(count, 'point')} on the wrong side."]
    margin = margin_of(state)
    if margin and not wrong:
        gamma, radius = margin
        bound = int((radius / gamma) ** 2)
        parts.append(
            f"Margin γ = {gamma:.3f}, R = {radius:.2f}: a perceptron makes at most (R/γ)² = {bound:,} mistakes here."
        )
    if state.mistakes:
        total, epochs = sum(state.mistakes), len(state.mistakes)
        ending = "" if state.mistakes[-1] == 0 else ", and the last of them was not free of mistakes"
        parts.append(f"Your perceptron_fit made {counted(total, 'mistake')} in {counted(epochs, 'epoch')}{ending}.")
    elif state.updates:
        parts.append(f"{counted(state.updates, 'update')} since the weights were moved by hand.")
    return " ".join(parts)


class Neuron(CourseWidget[NeuronState]):
    """Drag the weights of a neuron and watch its decision line; let your perceptron find them.

    Parameters
    ----------
    perceptron_predict : callable or None
        Yours: ``perceptron_predict(x, weight, bias)`` with x (N, 2). It paints the plane. Without it, or while it
        raises ``NotImplementedError``, the toolkit paints and says so.
    perceptron_fit : callable or None
        Yours: ``perceptron_fit(x, target, epochs)``, which returns weight, bias and the mistakes per epoch.
    dataset, weight, bias, point
        See :class:`NeuronState`.

    Raises
    ------
    ValueError
        For a state that cannot be drawn; the message says what is possible.

    Examples
    --------
    >>> Neuron(dataset="XOR", bias=0).as_code()
    "Neuron(dataset='XOR', bias=0)"
    """

    _esm, _css = assets("neuron")
    passing = frozenset({"updates", "mistakes"})

    def __init__(
        self,
        perceptron_predict: Learner = None,
        perceptron_fit: Learner = None,
        *,
        dataset: str = NeuronState.dataset,
        weight: npt.ArrayLike = NeuronState.weight,
        bias: float = NeuronState.bias,
        point: int = NeuronState.point,
    ) -> None:
        self.perceptron_predict, self.perceptron_fit = perceptron_predict, perceptron_fit
        #: What the last run of the learner's perceptron_fit has to be told.
        self.note: dict[str, Any] | None = None
        state = NeuronState(dataset, weight, bias, point)  # type: ignore[arg-type]  # the state makes a pair of it
        super().__init__(state, (("perceptron_predict", perceptron_predict), ("perceptron_fit", perceptron_fit)))

    def picture(self) -> dict[str, Any]:
        """Return the view of the present state."""
        return view_of(self.state, self.perceptron_predict, self.note)

    def act(self, state: NeuronState, action: str, values: dict[str, Any]) -> NeuronState:
        """Answer the handles, the sliders, the points and the buttons."""
        self.note = None
        by_hand = replace(state, updates=0, mistakes=())
        match action:
            case "drag":
                return within(by_hand, (values["x"], values["y"]), state.bias)
            case "shift":
                # The line is to pass through the place where its handle was let go.
                return within(by_hand, state.weight, -float(np.dot(state.weight, (values["x"], values["y"]))))
            case "nudge":
                w1, w2 = state.weight
                return within(
                    by_hand, (w1 + values.get("w1", 0), w2 + values.get("w2", 0)), state.bias + values.get("b", 0)
                )
            case "step":
                return stepped(state)
            case "fit":
                new, self.note = fitted(state, self.perceptron_fit)
                return new
            case "reset":
                return NeuronState(dataset=state.dataset)
            case "set" if "dataset" in values:
                return replace(by_hand, point=0, **values)
            case "set" if values.keys() != {"point"}:
                return replace(by_hand, **values)
        return super().act(state, action, values)


def within(state: NeuronState, weight: Pair, bias: float) -> NeuronState:
    """Return the state with these weights in hundredths, each brought to the nearest value in range."""
    w1, w2, b = (float(np.clip(round(float(value), 2), -MOST, MOST)) for value in (*weight, bias))
    return replace(state, weight=(w1, w2), bias=b)
