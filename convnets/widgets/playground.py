"""A multi-layer perceptron trained live on points of a plane, after playground.tensorflow.org.

The model, the loss and the optimiser are the lecture's: hidden layers, a linear output, the mean of (y' − y)² with
targets −1 and +1, gradient descent on all training points. The learner's ``sigmoid`` and ``gradient_step`` do the
work where they are written; the toolkit does it elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from convnets.widgets.base import CourseWidget, Trade, as_numbers, assets, number

Array = NDArray[np.float64]
Parameters = dict[str, Array]
Activation = Callable[[Array], Array]

DATASETS = ("blobs", "circles", "xor", "spiral")
#: Training points, and test points that are never trained on.
TRAIN, TEST = 160, 80
#: Points and pictures lie in the square from −LIMIT to LIMIT.
LIMIT = 3.3
#: Cells along one side of a picture.
GRID = 40
MAX_LAYERS, MAX_UNITS, MAX_STEPS = 3, 8, 20_000
#: Steps of gradient descent between two pictures, and the rest between two pictures in milliseconds.
CHUNK, TICK_MS = 10, 25
#: The curve holds every tenth loss.
RECORD = 10
#: A loss beyond this is called divergence: one far-off prediction costs no more than 10 squared.
DIVERGED = 100.0


def sigmoid(z: Array) -> Array:
    """Return 1 / (1 + exp(−z)) without overflow, elementwise."""
    decay = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, decay) / (1.0 + decay)


def relu(z: Array) -> Array:
    """Return max(0, z), elementwise."""
    return np.maximum(z, 0.0)


def identity(z: Array) -> Array:
    """Return z."""
    return z


#: Each activation with its derivative, written in its own output y, and the gain of its first weights:
#: σ(z) = (1 + tanh(z/2)) / 2 is four times flatter than tanh at 0 and needs larger weights to begin.
ACTIVATIONS: dict[str, tuple[Activation, Activation, float]] = {
    "sigmoid": (sigmoid, lambda y: y * (1.0 - y), 2.5),
    "tanh": (np.tanh, lambda y: 1.0 - y * y, 1.0),
    "relu": (relu, lambda y: (y > 0.0).astype(float), math.sqrt(2.0)),
    "linear": (identity, np.ones_like, 1.0),
}


@dataclass(frozen=True)
class PlaygroundState:
    """All settings of the playground and how far it has trained.

    Attributes
    ----------
    dataset : {"blobs", "circles", "xor", "spiral"}
        Which points.
    noise : float
        Standard deviation added to each coordinate, 0 to 0.8.
    hidden : tuple of int
        Units of each hidden layer: 0 to 3 layers of 1 to 8 units.
    activation : {"sigmoid", "tanh", "relu", "linear"}
        What the hidden units apply; the output is linear.
    lr : float
        Learning rate, above 0 and at most 10.
    seed : int
        Of the points and the first weights.
    steps : int
        Steps of gradient descent taken, 0 to 20,000.
    shown : tuple of int
        The hidden unit in the large picture as (layer, unit), counted from 1; empty for the output.
    playing : bool
        Whether training goes on by itself.
    """

    dataset: str = "circles"
    noise: float = 0.15
    hidden: tuple[int, ...] = (4, 4)
    activation: str = "sigmoid"
    lr: float = 0.3
    seed: int = 0
    steps: int = 0
    shown: tuple[int, ...] = ()
    playing: bool = False

    def __post_init__(self) -> None:
        for name, kind in (("hidden", tuple), ("shown", tuple), ("noise", float), ("lr", float)):
            object.__setattr__(self, name, kind(getattr(self, name)))
        if self.dataset not in DATASETS:
            raise ValueError(f"dataset is one of {', '.join(DATASETS)}, not {self.dataset!r}")
        if self.activation not in ACTIVATIONS:
            raise ValueError(f"activation is one of {', '.join(ACTIVATIONS)}, not {self.activation!r}")
        if len(self.hidden) > MAX_LAYERS or not all(1 <= units <= MAX_UNITS for units in self.hidden):
            raise ValueError(
                f"hidden holds at most {MAX_LAYERS} layers of 1 to {MAX_UNITS} units, not {list(self.hidden)}"
            )
        if not 0.0 <= self.noise <= 0.8:
            raise ValueError(f"noise lies between 0 and 0.8, not at {self.noise:g}")
        if not 0.0 < self.lr <= 10.0:
            raise ValueError(f"lr lies above 0 and at most at 10, not at {self.lr:g}")
        if not 0 <= self.steps <= MAX_STEPS:
            raise ValueError(f"steps lies between 0 and {MAX_STEPS}, not at {self.steps}")
        if self.seed < 0:
            raise ValueError(f"seed is a whole number from 0, not {self.seed}")
        if self.shown and not (
            len(self.shown) == 2
            and 1 <= self.shown[0] <= len(self.hidden)
            and 1 <= self.shown[1] <= self.hidden[self.shown[0] - 1]
        ):
            raise ValueError(f"shown names a hidden unit as (layer, unit) from 1, not {list(self.shown)}")


def next_state(state: PlaygroundState, action: str, values: dict[str, Any]) -> PlaygroundState:
    """Return the state after a control was used; a change of what is trained begins again at step 0.

    Parameters
    ----------
    state : PlaygroundState
        The present state.
    action : {"play", "pause", "step", "tick", "reset", "layers", "units", "show", "set"}
        What was asked for.
    values : dict
        ``count`` for layers, ``layer`` and ``units`` for units, ``unit`` for show, fields of the state for set.
    """
    match action:
        case "play":
            return replace(state, playing=state.steps < MAX_STEPS)
        case "pause":
            return replace(state, playing=False)
        case "step":
            return replace(state, playing=False, steps=min(state.steps + 1, MAX_STEPS))
        case "tick":
            steps = min(state.steps + CHUNK, MAX_STEPS) if state.playing else state.steps
            return replace(state, steps=steps, playing=state.playing and steps < MAX_STEPS)
        case "reset":
            return replace(state, playing=False, steps=0)
        case "layers":
            kept = state.hidden[: values["count"]]
            return retrained(state, {"hidden": kept + (4,) * (values["count"] - len(kept))})
        case "units":
            hidden = list(state.hidden)
            hidden[values["layer"] - 1] = values["units"]
            return retrained(state, {"hidden": tuple(hidden)})
        case "show":
            unit = tuple(values["unit"])
            return replace(state, shown=() if unit == state.shown else unit)
        case "set":
            return retrained(state, values)
    raise ValueError(f"Playground knows no action {action!r}")


def retrained(state: PlaygroundState, changes: dict[str, Any]) -> PlaygroundState:
    """Return the state with `changes`, at step 0 unless they say otherwise, and with a unit shown that exists."""
    changes = {"steps": 0, **changes}
    layers = changes.get("hidden", state.hidden)
    if state.shown and (state.shown[0] > len(layers) or state.shown[1] > layers[state.shown[0] - 1]):
        changes = {"shown": (), **changes}
    return replace(state, **changes)


def make_points(dataset: str, noise: float, seed: int, count: int = TRAIN + TEST) -> tuple[Array, Array]:
    """Draw the points of a data set.

    Parameters
    ----------
    dataset : str
        One of :data:`DATASETS`.
    noise : float
        Standard deviation added to each coordinate.
    seed : int
        Of the random numbers.
    count : int
        How many points; every second one belongs to the class +1.

    Returns
    -------
    points : float64 array (count, 2)
        Coordinates, at most :data:`LIMIT` in size.
    targets : float64 array (count,)
        −1 or +1.
    """
    rng = np.random.default_rng(seed)
    targets = np.where(np.arange(count) % 2 == 0, 1.0, -1.0)
    one = targets > 0
    if dataset == "blobs":
        points = 1.5 * targets[:, None] + rng.normal(size=(count, 2)) * 0.5
    elif dataset == "circles":
        radius = np.where(one, rng.uniform(0.0, 1.1, count), rng.uniform(1.9, 2.8, count))
        angle = rng.uniform(0.0, 2.0 * np.pi, count)
        points = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    elif dataset == "xor":
        points = rng.uniform(0.25, 2.75, (count, 2))
        side = rng.choice([-1.0, 1.0], count)
        points *= np.stack([side, side * targets], axis=1)
    else:
        turn = np.sqrt(rng.uniform(0.02, 1.0, count))
        angle = 2.0 * np.pi * turn + np.where(one, 0.0, np.pi)
        points = 2.8 * turn[:, None] * np.stack([np.sin(angle), np.cos(angle)], axis=1)
    points = points + noise * rng.normal(size=(count, 2))
    return np.clip(points, -LIMIT, LIMIT), targets


def make_parameters(hidden: Sequence[int], gain: float, seed: int) -> Parameters:
    """Return the first weights, normal numbers times gain / √n as in the lecture, and biases of 0.

    Parameters
    ----------
    hidden : sequence of int
        Units of the hidden layers.
    gain : float
        Scale of the hidden layers' weights; the output's has 1.
    seed : int
        Of the random numbers.

    Returns
    -------
    dict
        ``weight1`` (units, 2), ``bias1`` (units,) and so on; the last pair belongs to the one output.
    """
    rng = np.random.default_rng(seed + 1)
    sizes = (2, *hidden, 1)
    parameters: Parameters = {}
    for layer, (inputs, units) in enumerate(pairwise(sizes), start=1):
        scale = (gain if layer <= len(hidden) else 1.0) / math.sqrt(inputs)
        parameters[f"weight{layer}"] = scale * rng.normal(size=(units, inputs))
        parameters[f"bias{layer}"] = np.zeros(units)
    return parameters


def forward(parameters: Parameters, x: Array, activate: Activation) -> list[Array]:
    """Return what every layer hands on: x itself, the hidden layers, the linear output.

    Parameters
    ----------
    parameters : dict
        As :func:`make_parameters` returns them.
    x : float64 array (N, 2)
        Points.
    activate : callable
        The hidden units' activation.

    Returns
    -------
    list of float64 arrays (N, units)
    """
    layers = len(parameters) // 2
    outputs = [x]
    for layer in range(1, layers + 1):
        z = outputs[-1] @ parameters[f"weight{layer}"].T + parameters[f"bias{layer}"]
        outputs.append(activate(z) if layer < layers else z)
    return outputs


def mean_loss(output: Array, targets: Array) -> float:
    """Return the mean of (y' − y)² for the linear output (N, 1) and targets (N,)."""
    return float(np.mean((output[:, 0] - targets) ** 2))


def backward(parameters: Parameters, outputs: list[Array], targets: Array, derivative: Activation) -> Parameters:
    """Return ∂L/∂weight and ∂L/∂bias of every layer by the chain rule.

    Parameters
    ----------
    parameters, outputs
        As of :func:`forward`.
    targets : float64 array (N,)
        −1 or +1.
    derivative : callable
        The activation's derivative, written in its output.

    Returns
    -------
    dict
        The same keys and shapes as `parameters`.
    """
    gradients: Parameters = {}
    delta = 2.0 * (outputs[-1] - targets[:, None]) / len(targets)
    for layer in range(len(parameters) // 2, 0, -1):
        gradients[f"weight{layer}"] = delta.T @ outputs[layer - 1]
        gradients[f"bias{layer}"] = delta.sum(axis=0)
        if layer > 1:
            delta = (delta @ parameters[f"weight{layer}"]) * derivative(outputs[layer - 1])
    return gradients


def descend(parameters: Parameters, gradients: Parameters, lr: float) -> Parameters:
    """Return w − lr · ∂L/∂w for every parameter: the toolkit's ``gradient_step``."""
    return {name: parameters[name] - lr * gradients[name] for name in parameters}


class Training:
    """A net in training: the same settings always give the same numbers, however the steps are cut into chunks.

    Parameters
    ----------
    state : PlaygroundState
        The settings; `steps`, `shown` and `playing` do not matter.
    learner_sigmoid : callable or None
        The learner's ``sigmoid(z)``.
    learner_step : callable or None
        The learner's ``gradient_step(parameters, gradients, lr)``.

    Attributes
    ----------
    steps : int
        Steps taken.
    parameters : dict
        The present weights and biases.
    history : list of (int, float, float)
        Step, loss on the training points, loss on the test points.
    diverged : bool
        Whether the loss left all bounds; training stops there.
    """

    #: What :meth:`fits` compares.
    settings: ClassVar[tuple[str, ...]] = ("dataset", "noise", "hidden", "activation", "lr", "seed")

    def __init__(
        self,
        state: PlaygroundState,
        learner_sigmoid: Callable[..., Any] | None,
        learner_step: Callable[..., Any] | None,
    ) -> None:
        self.state = state
        self.points, self.targets = make_points(state.dataset, state.noise, state.seed)
        self.own_activation, self.derivative, gain = ACTIVATIONS[state.activation]
        self.parameters = make_parameters(state.hidden, gain, state.seed)
        self.sigmoid = Trade("sigmoid", learner_sigmoid)
        self.stepper = Trade("gradient_step", learner_step)
        self.uses_sigmoid = state.activation == "sigmoid" and bool(state.hidden)
        self.steps = 0
        self.diverged = False
        self.history: list[tuple[int, float, float]] = []
        if self.uses_sigmoid:
            self._try_sigmoid()
        self._try_step()
        self._record()

    def fits(self, state: PlaygroundState) -> bool:
        """Return whether this training leads to `state` by going on."""
        same = all(getattr(self.state, name) == getattr(state, name) for name in self.settings)
        return same and self.steps <= state.steps

    def activate(self, z: Array) -> Array:
        """Apply the activation, the learner's sigmoid where it can be used."""
        if not self.uses_sigmoid:
            return self.own_activation(z)
        outcome = self.sigmoid.ask(z)
        if outcome is not None:
            y = as_numbers(outcome.value)
            if y is not None and y.shape == z.shape:
                return y
            self.sigmoid.refuse(f"returns no array of shape {z.shape} for one of that shape")
        return self.own_activation(z)

    def train_to(self, steps: int) -> None:
        """Take gradient steps until `steps` have been taken, or the loss diverges."""
        with np.errstate(all="ignore"):
            while self.steps < steps and not self.diverged:
                self.parameters = self._stepped(self._gradients())
                self.steps += 1
                if self.steps % RECORD == 0:
                    self._record()
            if self.history[-1][0] != self.steps:
                self._record()

    def right(self) -> float:
        """Return the share of test points on their own side of 0."""
        output = forward(self.parameters, self.points[TRAIN:], self.activate)[-1][:, 0]
        return float(np.mean(output * self.targets[TRAIN:] > 0.0))

    def _gradients(self) -> Parameters:
        outputs = forward(self.parameters, self.points[:TRAIN], self.activate)
        return backward(self.parameters, outputs, self.targets[:TRAIN], self.derivative)

    def _stepped(self, gradients: Parameters) -> Parameters:
        own = descend(self.parameters, gradients, self.state.lr)
        outcome = self.stepper.ask(self.parameters, gradients, self.state.lr)
        if outcome is None:
            return own
        got = outcome.value
        if not isinstance(got, dict):
            self.stepper.refuse(f"returns {type(got).__name__}, not a dict of arrays")
            return own
        arrays = {name: as_numbers(got.get(name)) for name in own}
        usable = {name: array for name, array in arrays.items() if array is not None and array.shape == own[name].shape}
        if len(usable) == len(own):
            return usable
        missing = next(name for name in own if name not in usable)
        self.stepper.refuse(f"returns no {missing} of shape {own[missing].shape}")
        return own

    def _try_sigmoid(self) -> None:
        """Compare the learner's sigmoid with the toolkit's at a few places, saturated ones among them."""
        with np.errstate(all="ignore"):
            z = np.array([[-800.0, -5.0, -1.0], [0.0, 2.0, 800.0]])
            got, expected = self.activate(z), sigmoid(z)
        wrong = ~np.isclose(got, expected, rtol=1e-6, atol=1e-9)
        if wrong.any() and not self.sigmoid.words:
            at = tuple(np.argwhere(wrong)[0])
            self.sigmoid.words = (
                f"Your sigmoid differs from the toolkit's: at z = {number(z[at])} it gives {got[at]:.4g}, "
                f"the toolkit's gives {expected[at]:.4g}. The hidden units marked ✗ use yours."
            )

    def _try_step(self) -> None:
        """Compare one step of the learner's gradient_step with the toolkit's, and look at its arguments after it."""
        gradients = self._gradients()
        before = {name: value.copy() for name, value in self.parameters.items()}
        changed: list[str] = []
        function = self.stepper.function

        def watched(parameters: Parameters, gradients: Parameters, lr: float) -> Any:
            result = function(parameters, gradients, lr) if function else None
            kept = {name for name, value in before.items() if np.array_equal(parameters.get(name, ()), value)}
            changed.extend(name for name in before if name not in kept)
            return result

        if function is not None:
            self.stepper.function = watched
        got, expected = self._stepped(gradients), descend(self.parameters, gradients, self.state.lr)
        if self.stepper.function is watched:
            self.stepper.function = function
        if self.stepper.words:
            return
        wrong = [name for name in expected if not np.allclose(got[name], expected[name], rtol=1e-6, atol=1e-12)]
        if wrong:
            at = tuple(np.argwhere(~np.isclose(got[wrong[0]], expected[wrong[0]], rtol=1e-6, atol=1e-12))[0])
            place = f"{wrong[0]}[{', '.join(map(str, at))}]"
            self.stepper.words = (
                f"Your gradient_step differs from the toolkit's: it takes {place} from {before[wrong[0]][at]:.4g} to "
                f"{got[wrong[0]][at]:.4g}, the toolkit's to {expected[wrong[0]][at]:.4g}. Training uses yours."
            )
        elif changed:
            self.stepper.words = f"Your gradient_step changes its argument parameters in place ({changed[0]})."

    def _record(self) -> None:
        output = forward(self.parameters, self.points, self.activate)[-1]
        train = mean_loss(output[:TRAIN], self.targets[:TRAIN])
        test = mean_loss(output[TRAIN:], self.targets[TRAIN:])
        self.diverged = not train <= DIVERGED
        self.history.append((self.steps, train, test))


def grid_points() -> Array:
    """Return the centres of the picture's cells, row by row from the top left, as a float64 array (GRID², 2)."""
    along = (np.arange(GRID) + 0.5) / GRID * 2.0 * LIMIT - LIMIT
    x, y = np.meshgrid(along, -along)
    return np.stack([x.ravel(), y.ravel()], axis=1)


CELLS = grid_points()


def pictures(training: Training) -> bytes:
    """Return a picture of each input, each hidden unit and the output, one byte a cell.

    A byte holds −1 … +1 as 0 … 255. A sigmoid's 0 … 1 is stretched to that; a ReLU or linear unit is divided by its
    own largest size, so that colours compare places, not units; the output is cut off at the targets −1 and +1.
    """
    with np.errstate(all="ignore"):
        layers = forward(training.parameters, CELLS, training.activate)
        maps = [layers[0] / LIMIT]
        for hidden in layers[1:-1]:
            if training.state.activation == "sigmoid":
                maps.append(2.0 * hidden - 1.0)
            elif training.state.activation == "tanh":
                maps.append(hidden)
            else:
                maps.append(hidden / np.maximum(np.abs(hidden).max(axis=0), 1e-9))
        maps.append(layers[-1])
        values = np.nan_to_num(np.clip(np.concatenate(maps, axis=1).T, -1.0, 1.0))
    return np.rint((values + 1.0) * 127.5).astype(np.uint8).tobytes()


def curve(history: list[tuple[int, float, float]], most: int = 160) -> list[list[float]]:
    """Return at most `most` + 1 rows of the history and always the last; losses that are no number are left out."""
    every = max(1, math.ceil(len(history) / most))
    rows = history[::every] if (len(history) - 1) % every == 0 else [*history[::every], history[-1]]
    return [[step, min(train, DIVERGED), min(test, DIVERGED)] for step, train, test in rows if train == train]


def view_of(state: PlaygroundState, training: Training) -> dict[str, Any]:
    """Return everything that the browser draws.

    Parameters
    ----------
    state : PlaygroundState
        What is set and shown.
    training : Training
        The net, trained to ``state.steps``.
    """
    _, train, test = training.history[-1]
    right = training.right()
    return {
        "dataset": state.dataset,
        "noise": state.noise,
        "hidden": list(state.hidden),
        "activation": state.activation,
        "lr": state.lr,
        "seed": state.seed,
        "playing": state.playing,
        "shown": list(state.shown),
        "finished": state.steps == MAX_STEPS or training.diverged,
        "grid": GRID,
        "limit": LIMIT,
        "maps": pictures(training),
        "points": training.points.astype(np.float32).tobytes(),
        "classes": (training.targets > 0).astype(np.uint8).tobytes(),
        "train_count": TRAIN,
        "weights": [
            np.nan_to_num(training.parameters[f"weight{layer}"]).round(2).tolist()
            for layer in range(1, len(state.hidden) + 2)
        ],
        "steps": state.steps,
        "train": f"{train:.4f}" if train < DIVERGED else "diverged",
        "test": f"{test:.4f}" if test < DIVERGED else "diverged",
        "right": "–" if training.diverged else f"{100 * right:.0f} %",
        "curve": curve(training.history),
        "wrong_sigmoid": bool(training.uses_sigmoid and training.sigmoid.words),
        "wrong_step": bool(training.stepper.words),
        "notes": notes(training),
        "status": describe(state, training, right),
        **({"tick_ms": TICK_MS} if state.playing else {}),
    }


def notes(training: Training) -> list[dict[str, Any]]:
    """Return the sentences about the learner's functions, each with whether it tells of something wrong."""
    used = [training.sigmoid] * training.uses_sigmoid + [training.stepper]
    said = [{"text": trade.words, "wrong": True} for trade in used if trade.words]
    missing = [f"Your {trade.name}" for trade in used if trade.missing]
    if missing:
        is_or_are = "is" if len(missing) == 1 else "are"
        text = f"{' and '.join(missing).replace('and Your', 'and your')} {is_or_are} not written yet: the toolkit's"
        said.append({"text": f"{text} {'takes its' if len(missing) == 1 else 'take their'} place.", "wrong": False})
    at_work = [f"Your {trade.name}" for trade in used if not trade.words and not trade.missing]
    if at_work:
        verb = "is" if len(at_work) == 1 else "are"
        text = f"{' and '.join(at_work).replace('and Your', 'and your')} {verb} at work in this net."
        said.append({"text": text, "wrong": False})
    return said


def describe(state: PlaygroundState, training: Training, right: float) -> str:
    """Return the sentence that is read aloud; it stays the same while training goes on."""
    if training.diverged:
        return (
            f"The loss diverged at step {training.steps}: lr = {state.lr:g} is too large here. "
            "Choose a smaller learning rate."
        )
    layers = ", ".join(map(str, state.hidden))
    net = f"hidden layers of {layers} {state.activation} units" if state.hidden else "no hidden layer"
    if state.playing:
        return f"Training on {state.dataset}: {net}, learning rate {state.lr:g}."
    if state.steps == 0:
        return f"Not trained yet: {state.dataset}, {net}, learning rate {state.lr:g}. Press Train."
    _, train, test = training.history[-1]
    return (
        f"After {state.steps} steps the loss is {train:.3f} on training points and {test:.3f} on test points; "
        f"{100 * right:.0f} % of the test points lie on their own side."
    )


class Playground(CourseWidget[PlaygroundState]):
    """A small net trained live in the plane: points, layers, activation, decision surface, loss.

    Parameters
    ----------
    sigmoid : callable, optional
        The learner's ``sigmoid(z)``, used by sigmoid units. Where it is not written, the toolkit's is used, and the
        widget says so.
    gradient_step : callable, optional
        The learner's ``gradient_step(parameters, gradients, lr)``: dicts of arrays to a new dict.
    dataset, noise, hidden, activation, lr, seed, steps, shown
        See :class:`PlaygroundState`.

    Raises
    ------
    ValueError
        For a setting that does not exist or is out of range.
    """

    _esm, _css = assets("playground")
    passing = frozenset({"playing"})

    def __init__(
        self,
        sigmoid: Callable[..., Any] | None = None,
        gradient_step: Callable[..., Any] | None = None,
        *,
        dataset: str = "circles",
        noise: float = 0.15,
        hidden: Sequence[int] = (4, 4),
        activation: str = "sigmoid",
        lr: float = 0.3,
        seed: int = 0,
        steps: int = 0,
        shown: Sequence[int] = (),
    ) -> None:
        state = PlaygroundState(dataset, noise, tuple(hidden), activation, lr, seed, steps, tuple(shown))
        self.learner = (sigmoid, gradient_step)
        self.training = Training(state, *self.learner)
        super().__init__(state, (("sigmoid", sigmoid), ("gradient_step", gradient_step)))

    def picture(self) -> dict[str, Any]:
        """Train up to the present state and return its view; a net that diverged stops there."""
        if not self.training.fits(self.state):
            self.training = Training(self.state, *self.learner)
        self.training.train_to(self.state.steps)
        if self.training.diverged:
            self.state = replace(self.state, steps=self.training.steps, playing=False)
        return view_of(self.state, self.training)

    def act(self, state: PlaygroundState, action: str, values: dict[str, Any]) -> PlaygroundState:
        """Answer the controls, and the ticks that keep training going."""
        return next_state(state, action, values)
