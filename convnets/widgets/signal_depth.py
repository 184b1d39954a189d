"""Histograms of the activations in ten layers, against the size of the first weights.

Weights are gain · randn / √n. The learner's activation function runs in every layer, and the learner's
``activation_stds`` gives the numbers under the histograms.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

# What writes small shares, and the toolkit's stand-in for a function of the learner, exist already.
from convnets.widgets.activation_slopes import scientific
from convnets.widgets.base import Array, CourseWidget, Learner, Trade, as_numbers, assets, number

DEPTH, EXAMPLES = 10, 200
WIDTHS = (50, 200, 400)
#: Histograms cover [−REACH, REACH]; what lies outside is counted in the outermost bars.
REACH, BINS = 2.5, 41
LOWEST_GAIN, HIGHEST_GAIN = 0.1, 4.0

#: The toolkit's own activations.
ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0.0),
    "leaky relu": lambda x: np.where(x < 0, 0.01 * x, x),
    "tanh": np.tanh,
    "sigmoid": lambda x: 0.5 + 0.5 * np.tanh(0.5 * x),
}
#: What the learner's function for an activation is called.
LEARNERS = {"relu": "relu", "leaky relu": "leaky_relu", "tanh": "tanh_from_sigmoid"}


@dataclass(frozen=True)
class DepthState:
    """All there is to know of one picture.

    Attributes
    ----------
    activation : {"linear", "relu", "leaky relu", "tanh", "sigmoid"}
        The activation function of all layers.
    gain : float
        Standard deviation of the weights times √n, 0.1 to 4.
    width : {50, 200, 400}
        Inputs and units of every layer.
    seed : int
        Of inputs and weights, 0 to 99.
    """

    activation: str = "relu"
    gain: float = 1.0
    width: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        if self.activation not in ACTIVATIONS:
            raise ValueError(f"activation is one of {', '.join(ACTIVATIONS)}, not {self.activation!r}.")
        if not LOWEST_GAIN <= self.gain <= HIGHEST_GAIN:
            raise ValueError(f"gain lies between {LOWEST_GAIN:g} and {HIGHEST_GAIN:g}, not at {self.gain:g}.")
        if self.width not in WIDTHS:
            raise ValueError(f"width is one of {', '.join(map(str, WIDTHS))}, not {self.width!r}.")
        if not isinstance(self.seed, int) or not 0 <= self.seed <= 99:
            raise ValueError(f"seed is a whole number from 0 to 99, not {self.seed!r}.")


@cache
def drawn(width: int, seed: int) -> tuple[Array, tuple[Array, ...]]:
    """Return inputs (EXAMPLES, width) and weights for a gain of 1, DEPTH arrays (width, width)."""
    rng = np.random.default_rng(seed)
    inputs: Array = rng.standard_normal((EXAMPLES, width))
    return inputs, tuple(rng.standard_normal((width, width)) / np.sqrt(width) for _ in range(DEPTH))


class Signals:
    """Sends inputs through the layers with the learner's functions.

    Parameters
    ----------
    activation_stds : callable or None
        The learner's ``activation_stds(x, weights, activation)``.
    **activations : callable or None
        The learner's ``relu``, ``leaky_relu`` and ``tanh_from_sigmoid``.
    """

    def __init__(self, activation_stds: Learner, **activations: Learner) -> None:
        self.activation_stds = activation_stds
        self.activations = activations

    def run(self, state: DepthState) -> tuple[list[Array], Array, list[dict[str, Any]]]:
        """Return the activations of every layer, their standard deviations, and sentences about whose they are."""
        inputs, unit_weights = drawn(state.width, state.seed)
        weights = [state.gain * weight for weight in unit_weights]
        function, trades = self.activation(state.activation)
        h, layers = inputs, []
        with np.errstate(all="ignore"):
            for weight in weights:
                h = function(h @ weight.T)
                layers.append(h)
            expected = np.array([np.std(layer) for layer in layers])
            stds, trade = self.stds(inputs, weights, function, expected)
        return layers, stds, notes([*trades, trade])

    def activation(self, name: str) -> tuple[Callable[[Array], Array], list[Trade]]:
        """Return the learner's activation function if it can be used, the toolkit's otherwise, and who it is."""
        toolkit = ACTIVATIONS[name]
        if name not in LEARNERS:
            return toolkit, []
        trade = Trade(LEARNERS[name], self.activations.get(LEARNERS[name]))
        probe = np.array([[-2.0, -0.5, 0.0], [0.25, 1.0, 3.0]])
        outcome = trade.ask(probe)
        if outcome is None:
            return toolkit, [trade]
        mine = as_numbers(outcome.value)
        if mine is None or mine.shape != probe.shape:
            trade.refuse(f"returns no array of shape {probe.shape} for one of that shape")
            return toolkit, [trade]
        off = ~np.isclose(mine, toolkit(probe), rtol=1e-6, atol=1e-9)
        if off.any():
            trade.words = (
                f"Your {trade.name} differs from the toolkit's: {number(probe[off][0])} becomes "
                f"{number(mine[off][0])}, not {number(toolkit(probe)[off][0])}. The histograms are made with yours."
            )

        def applied(x: Array) -> Array:
            answer = trade.ask(x)
            values = None if answer is None else as_numbers(answer.value)
            return toolkit(x) if values is None or values.shape != x.shape else values

        return applied, [trade]

    def stds(
        self, x: Array, weights: list[Array], function: Callable[[Array], Array], expected: Array
    ) -> tuple[Array, Trade]:
        """Return the learner's standard deviations, the toolkit's where they cannot be used."""
        trade = Trade("activation_stds", self.activation_stds)
        outcome = trade.ask(x, weights, function)
        if outcome is None:
            return expected, trade
        mine = as_numbers(outcome.value)
        if mine is None or mine.shape != expected.shape:
            trade.refuse(f"returned no array of shape {expected.shape} for {DEPTH} layers")
            return expected, trade
        off = ~np.isclose(mine, expected, rtol=1e-6, atol=0.0)
        if off.any():
            at = int(np.argmax(off))
            trade.words = (
                f"Your activation_stds differs from the toolkit's: {scientific(float(mine[at]))} in layer {at + 1}, "
                f"the toolkit's {scientific(float(expected[at]))}. Yours is shown."
            )
        return mine, trade


def notes(trades: list[Trade]) -> list[dict[str, Any]]:
    """Return the sentences about the learner's functions, each with whether it tells of something wrong."""
    said = [{"text": trade.words, "wrong": True} for trade in trades if trade.words]
    for trade in trades:
        if trade.missing:
            text = f"Your {trade.name} is not written yet: the toolkit's takes its place."
            said.append({"text": text, "wrong": False})
    return said


def bars(layer: Array) -> list[float]:
    """Return the heights of a layer's histogram, the highest 1; the root of the counts, so that few are seen too."""
    finite = np.nan_to_num(layer, nan=0.0, posinf=REACH, neginf=-REACH)
    counts, _ = np.histogram(np.clip(finite, -REACH, REACH), bins=BINS, range=(-REACH, REACH))
    return [round(float(height), 3) for height in np.sqrt(counts / counts.max())]


def view_of(state: DepthState, signals: Signals) -> dict[str, Any]:
    """Return everything that the browser draws."""
    layers, stds, said = signals.run(state)
    with np.errstate(all="ignore"):
        powers = np.clip(np.nan_to_num(np.log10(np.abs(stds)), nan=-12.0, neginf=-12.0, posinf=6.0), -12, 6)
    return {
        "activation": state.activation,
        "gain": [state.gain, LOWEST_GAIN, HIGHEST_GAIN],
        "width": state.width,
        "widths": list(WIDTHS),
        "seed": [state.seed, 0, 99],
        "reach": REACH,
        "bars": [bars(layer) for layer in layers],
        "stds": [scientific(float(std)) for std in stds],
        "powers": [round(float(power), 3) for power in powers],
        "notes": said,
        "status": describe(state, stds),
    }


def describe(state: DepthState, stds: Array) -> str:
    """Say in a sentence or two what becomes of the signal."""
    first, last = float(stds[0]), float(stds[-1])
    words = f"{state.activation}, gain {number(state.gain)}: standard deviation {scientific(first)} in layer 1, "
    words += f"{scientific(last)} in layer {DEPTH}"
    if not (first > 0 and last > 0):
        return f"{words}."
    return f"{words}, a factor of {number((last / first) ** (1 / (DEPTH - 1)))} a layer."


class SignalDepth(CourseWidget[DepthState]):
    """Turn the gain of the first weights and watch ten layers of activations grow, shrink or saturate.

    Parameters
    ----------
    activation_stds : callable, optional
        The learner's ``activation_stds(x, weights, activation)``. Where it is not written, the toolkit's is used, and
        the widget says so.
    relu, leaky_relu, tanh_from_sigmoid : callable, optional
        The learner's activation functions.
    activation, gain, width, seed
        See :class:`DepthState`.

    Raises
    ------
    ValueError
        For a state that cannot be drawn; the message says what is possible.
    """

    _esm, _css = assets("signal_depth")

    def __init__(
        self,
        activation_stds: Learner = None,
        relu: Learner = None,
        leaky_relu: Learner = None,
        tanh_from_sigmoid: Learner = None,
        *,
        activation: str = DepthState.activation,
        gain: float = DepthState.gain,
        width: int = DepthState.width,
        seed: int = DepthState.seed,
    ) -> None:
        given = {"relu": relu, "leaky_relu": leaky_relu, "tanh_from_sigmoid": tanh_from_sigmoid}
        self.signals = Signals(activation_stds, **given)
        super().__init__(
            DepthState(activation, gain, width, seed), (("activation_stds", activation_stds), *given.items())
        )

    def picture(self) -> dict[str, Any]:
        """Return the view of the present state."""
        return view_of(self.state, self.signals)
