"""Universal approximation with n ReLU units: one hidden layer built by hand, unit by unit, or trained.

f(x) = b + Σ wᵢ max(0, x − tᵢ) is a line that bends at every knot tᵢ. With the knots on the target's curve it passes
through n + 1 of its points; the learner's ``relu_interpolation`` finds wᵢ and b. The same n units can be trained
by gradient descent instead, from random weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from convnets.widgets.base import Array, CourseWidget, Learner, as_numbers, assets, call_learner, number

MAX_UNITS = 64
MAX_STEPS = 4_000
#: Steps of Adam between two pictures, the rest between two pictures in milliseconds, and Adam's learning rate.
CHUNK, TICK_MS, LR = 50, 25, 0.01
#: Where curves are drawn and errors are taken.
SAMPLES = np.linspace(0.0, 1.0, 401)
#: Where a net in training sees the target.
SEEN = np.linspace(0.0, 1.0, 129)

#: Every target is a function on [0, 1] with values between about −1 and 1.
TARGETS: dict[str, Callable[[Array], Array]] = {
    "sine": lambda x: np.sin(2 * np.pi * x),
    "bumps": lambda x: 0.75 * np.sin(2 * np.pi * x) * np.exp(-x) + 0.3 * np.sin(9 * np.pi * x),
    "kink": lambda x: 1 - 2 * np.abs(2 * x - 1),
    "root": lambda x: 2 * np.sqrt(x) - 1,
    "jump": lambda x: np.where(x < 0.5, -0.8, 0.8),
}


@dataclass(frozen=True)
class ReluStepsState:
    """All there is to know of one picture.

    Attributes
    ----------
    target : {"sine", "bumps", "kink", "root", "jump"}
        The function to approximate on [0, 1]. Only "jump" is not continuous.
    units : int
        Hidden units n, 1 to 64.
    shown : int or None
        How many units are switched on, from the left; None: all.
    steps : int
        Steps of training, 0 to 4,000; 0 shows the network built by hand.
    seed : int
        Of the first weights of training.
    playing : bool
        Whether training goes on by itself.
    """

    target: str = "sine"
    units: int = 6
    shown: int | None = None
    steps: int = 0
    seed: int = 0
    playing: bool = False

    def __post_init__(self) -> None:
        if self.target not in TARGETS:
            raise ValueError(f"target is one of {', '.join(TARGETS)}, not {self.target!r}.")
        if not isinstance(self.units, int) or not 1 <= self.units <= MAX_UNITS:
            raise ValueError(f"units is a whole number from 1 to {MAX_UNITS}, not {self.units!r}.")
        if self.shown is not None and not 0 <= self.shown <= self.units:
            raise ValueError(f"shown is a whole number from 0 to units = {self.units}, not {self.shown!r}.")
        if not 0 <= self.steps <= MAX_STEPS:
            raise ValueError(f"steps lies between 0 and {MAX_STEPS:,}, not at {self.steps}.")
        if self.seed < 0:
            raise ValueError(f"seed is a whole number from 0, not {self.seed}.")


def interpolation(knots: Array, values: Array) -> tuple[Array, float]:
    """Return weights and bias of the ReLU units that bend at all knots but the last: the toolkit's own way.

    Parameters
    ----------
    knots, values : float64 arrays (n + 1,)
        Points of the curve, from left to right.

    Returns
    -------
    weight : float64 array (n,)
    bias : float
    """
    slopes = np.diff(values) / np.diff(knots)
    return np.diff(slopes, prepend=0.0), float(values[0])


def network(x: Array, knots: Array, weight: Array, bias: float) -> Array:
    """Return bias + Σ weight[i] · max(0, x − knots[i]) for every entry of x; knots of shape (n,) as weight."""
    return np.asarray(bias + np.maximum(0.0, x[:, None] - knots) @ weight)


def built(state: ReluStepsState, relu_interpolation: Learner) -> tuple[Array, Array, float, dict[str, Any] | None]:
    """Return knots (n + 1,), weight (n,), bias and a note on the learner's function, which is asked for them."""
    knots = np.linspace(0.0, 1.0, state.units + 1)
    values = TARGETS[state.target](knots)
    weight, bias = interpolation(knots, values)
    outcome = call_learner("relu_interpolation", relu_interpolation, knots, values)
    if outcome.kind == "missing":
        return knots, weight, bias, {"words": outcome.words, "wrong": False}
    if outcome.kind == "error":
        return knots, weight, bias, {"words": f"{outcome.words}. The toolkit's curve is shown.", "wrong": True}
    pair = outcome.value if isinstance(outcome.value, tuple | list) and len(outcome.value) == 2 else (None, None)
    mine, mine_bias = as_numbers(pair[0]), as_numbers(pair[1])
    if mine is None or mine_bias is None or mine.shape != weight.shape or mine_bias.size != 1:
        words = f"Your relu_interpolation returned no weight of shape {weight.shape} and bias"
        return knots, weight, bias, {"words": f"{words}. The toolkit's curve is shown.", "wrong": True}
    at_knots = network(knots, knots[:-1], mine, float(mine_bias.ravel()[0]))
    off = ~np.isclose(at_knots, values, rtol=1e-6, atol=1e-6)
    note = None
    if off.any():
        at = int(np.argmax(off))
        words = f"With your weights the curve has {number(at_knots[at])} at knot {at}, the target {number(values[at])}."
        note = {"words": f"{words} Yours is drawn.", "wrong": True}
    return knots, mine, float(mine_bias.ravel()[0]), note


class Training:
    """One hidden ReLU layer in training with Adam on the mean squared error over 129 points.

    Parameters
    ----------
    state : ReluStepsState
        Its target, units and seed.

    Attributes
    ----------
    steps : int
        Steps taken.
    parameters : list of ndarray
        Hidden weight, hidden bias, output weight, all (n,), and output bias (1,).
    """

    def __init__(self, state: ReluStepsState) -> None:
        self.key = (state.target, state.units, state.seed)
        rng = np.random.default_rng(state.seed)
        units = state.units
        # Inputs are moved to [−1, 1] and weights drawn as PyTorch draws them: uniform within 1/√inputs.
        self.parameters = [
            rng.uniform(-1, 1, units),
            rng.uniform(-1, 1, units),
            rng.uniform(-1, 1, units) / math.sqrt(units),
            rng.uniform(-1, 1, 1) / math.sqrt(units),
        ]
        self.moments = [(np.zeros_like(p), np.zeros_like(p)) for p in self.parameters]
        self.steps = 0
        self.wanted = TARGETS[state.target](SEEN)

    def curve(self, x: Array) -> Array:
        """Return what the network gives for x in [0, 1]."""
        weight, bias, out, out_bias = self.parameters
        return np.asarray(np.maximum(0.0, np.outer(2 * x - 1, weight) + bias) @ out + out_bias)

    def bends(self) -> Array:
        """Return where in [0, 1] the units bend the curve; those that bend elsewhere are left out."""
        weight, bias, *_ = self.parameters
        with np.errstate(divide="ignore", invalid="ignore"):
            places = (1 - bias / weight) / 2
        return np.sort(places[(places > 0) & (places < 1)])

    def train_to(self, steps: int) -> None:
        """Take steps of Adam until `steps` have been taken."""
        x = 2 * SEEN - 1
        while self.steps < steps:
            self.steps += 1
            weight, bias, out, out_bias = self.parameters
            z = np.outer(x, weight) + bias
            hidden = np.maximum(0.0, z)
            error = 2 * (hidden @ out + out_bias - self.wanted) / len(x)
            back = np.outer(error, out) * (z > 0)
            gradients = [x @ back, back.sum(axis=0), error @ hidden, error.sum(keepdims=True)]
            for parameter, (mean, square), gradient in zip(self.parameters, self.moments, gradients, strict=True):
                mean += 0.1 * (gradient - mean)
                square += 0.001 * (gradient**2 - square)
                corrected = mean / (1 - 0.9**self.steps), square / (1 - 0.999**self.steps)
                parameter -= LR * corrected[0] / (np.sqrt(corrected[1]) + 1e-8)


def largest(curve: Array, target: str) -> float:
    """Return the largest distance between a curve at the samples and the target."""
    return float(np.abs(curve - TARGETS[target](SAMPLES)).max())


def points_of(x: Array, y: Array) -> list[list[float]]:
    """Return a curve as pairs, rounded and kept near the picture."""
    return [[round(float(a), 4), round(float(np.clip(b, -4, 4)), 4)] for a, b in zip(x, np.nan_to_num(y), strict=True)]


def view_of(
    state: ReluStepsState, relu_interpolation: Learner = None, trained: Training | None = None
) -> dict[str, Any]:
    """Describe the picture of a state for the browser.

    Parameters
    ----------
    state : ReluStepsState
    relu_interpolation : callable or None
        The learner's function; the toolkit fills in where it is missing or fails.
    trained : Training, optional
        The net trained to ``state.steps``; needed where that is above 0.
    """
    knots, weight, bias, note = built(state, relu_interpolation)
    shown = state.units if state.shown is None else state.shown
    whole = network(SAMPLES, knots[:-1], weight, bias)
    part = network(SAMPLES, knots[:shown], weight[:shown], bias)
    built_error = largest(whole, state.target)
    training = state.steps > 0 and trained is not None
    curve = trained.curve(SAMPLES) if training and trained else part
    error = largest(curve, state.target)
    bends = trained.bends() if training and trained else knots[:shown]
    at_bends = trained.curve(bends) if training and trained else network(bends, knots[:shown], weight[:shown], bias)
    return {
        "targets": list(TARGETS),
        "target": state.target,
        "units": [state.units, 1, MAX_UNITS],
        "shown": [shown, 0, state.units],
        "seed": [state.seed, 0, 99],
        "training": bool(training),
        "playing": state.playing,
        "finished": state.steps >= MAX_STEPS,
        "wanted": points_of(SAMPLES, TARGETS[state.target](SAMPLES)),
        "curve": points_of(SAMPLES, curve),
        "bends": points_of(bends, at_bends),
        "error": f"{error:.4f}",
        "built_error": f"{built_error:.4f}",
        "steps": f"{state.steps:,}",
        "formula": formula(bias, weight[:shown], knots[:shown]),
        "notes": [note] if note else [],
        "status": describe(state, shown, error, built_error, len(bends)),
        **({"tick_ms": TICK_MS} if state.playing else {}),
    }


def formula(bias: float, weight: Array, knots: Array, most: int = 3) -> str:
    """Write the network out, its first few units at least."""
    terms = [f"f(x) = {number(bias)}"]
    for w, t in list(zip(weight, knots, strict=True))[:most]:
        terms.append(f"{'−' if w < 0 else '+'} {number(abs(w))}·max(0, x − {number(t)})")
    return " ".join(terms) + (f" + … ({len(weight) - most} more)" if len(weight) > most else "")


def describe(state: ReluStepsState, shown: int, error: float, built_error: float, bends: int) -> str:
    """Say in one or two sentences how good the approximation is."""
    if state.playing:
        return f"Training {state.units} units on {state.target} from seed {state.seed}."
    if state.steps:
        return (
            f"Trained for {state.steps:,} steps, {state.units} units bend the curve at {bends} places between 0 and 1: "
            f"largest error {error:.3f}. Built by hand, as many units have {built_error:.3f}."
        )
    if shown < state.units:
        return f"{shown} of {state.units} units are switched on: the next one bends the line at its knot."
    twice = replace(state, units=2 * state.units, shown=None) if 2 * state.units <= MAX_UNITS else None
    words = f"{state.units} units, built by hand: largest error {error:.3f}."
    if twice is None or error < 5e-5:
        return words
    knots = np.linspace(0.0, 1.0, twice.units + 1)
    finer = largest(np.interp(SAMPLES, knots, TARGETS[state.target](knots)), state.target)
    return f"{words} With twice as many it is {finer:.3f}."


class ReluSteps(CourseWidget[ReluStepsState]):
    """Approximate a function with n ReLU units: built by your ``relu_interpolation``, or trained.

    Parameters
    ----------
    relu_interpolation : callable or None
        Yours: ``relu_interpolation(knots, values)`` returns weight and bias. Without it, or while it raises
        ``NotImplementedError``, the toolkit builds the network and says so.
    target, units, shown, steps, seed
        See :class:`ReluStepsState`.

    Raises
    ------
    ValueError
        For a state that cannot be drawn; the message says what is possible.

    Examples
    --------
    >>> ReluSteps(target="jump", units=12).as_code()
    "ReluSteps(target='jump', units=12)"
    """

    _esm, _css = assets("relu_steps")
    passing = frozenset({"playing"})

    def __init__(
        self,
        relu_interpolation: Learner = None,
        *,
        target: str = ReluStepsState.target,
        units: int = ReluStepsState.units,
        shown: int | None = ReluStepsState.shown,
        steps: int = ReluStepsState.steps,
        seed: int = ReluStepsState.seed,
    ) -> None:
        self.relu_interpolation = relu_interpolation
        self.trained: Training | None = None
        state = ReluStepsState(target, units, shown, steps, seed)
        super().__init__(state, (("relu_interpolation", relu_interpolation),))

    def picture(self) -> dict[str, Any]:
        """Return the view of the present state, after training as far as it asks for."""
        state = self.state
        if state.steps:
            fresh = self.trained is None or self.trained.key != (state.target, state.units, state.seed)
            if self.trained is None or fresh or self.trained.steps > state.steps:
                self.trained = Training(state)
            self.trained.train_to(state.steps)
        return view_of(state, self.relu_interpolation, self.trained)

    def act(self, state: ReluStepsState, action: str, values: dict[str, Any]) -> ReluStepsState:
        """Answer the controls, the buttons and the clock."""
        match action:
            case "play":
                return replace(state, playing=state.steps < MAX_STEPS, steps=max(state.steps, 1))
            case "pause":
                return replace(state, playing=False)
            case "tick":
                steps = min(state.steps + CHUNK, MAX_STEPS) if state.playing else state.steps
                return replace(state, steps=steps, playing=state.playing and steps < MAX_STEPS)
            case "build":
                return replace(state, steps=0, playing=False)
            case "set" if values.keys() & {"target", "units"}:
                # Another network: training would have to begin again, so the one built by hand is shown.
                return replace(state, **{"shown": None, "steps": 0, "playing": False, **values})
            case "set" if "seed" in values:
                return replace(state, **{"steps": 0, "playing": False, **values})
        return super().act(state, action, values)
