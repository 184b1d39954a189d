"""Logits of one neuron before and after batch normalization: the learner's ``batchnorm_forward`` makes the second row.

The first histogram follows mean and spread of what comes in, the second follows scale and offset only. Behind both
stands the activation that the logits enter, with its flat parts, so that it can be counted for how many examples the
neuron would pass hardly any gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from convnets.widgets.base import Array, CourseWidget, Learner, as_numbers, assets, call_learner, number

EXAMPLES = 400
EPS = 1e-5
#: Where histograms are drawn; what lies beyond is counted in the outermost bin.
EDGES = np.linspace(-12.0, 12.0, 97)
#: A logit is in the flat part where the activation's derivative is less than this share of its largest value.
FLAT = 0.1
MEAN, STD, WEIGHT, BIAS = (-8.0, 8.0), (0.1, 5.0), (-3.0, 6.0), (-8.0, 8.0)

#: Activation and derivative, and the largest value of the derivative.
ACTIVATIONS: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array], float]] = {
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), lambda x: 0.25 / np.cosh(x / 2) ** 2, 0.25),
    "tanh": (np.tanh, lambda x: 1 / np.cosh(x) ** 2, 1.0),
    "ReLU": (lambda x: np.maximum(x, 0.0), lambda x: (x > 0).astype(np.float64), 1.0),
}


@dataclass(frozen=True)
class BatchnormHistogramsState:
    """All there is to know of one picture.

    Attributes
    ----------
    mean : float
        Of the logits that come in, −8 to 8.
    std : float
        Their standard deviation, 0.1 to 5.
    weight, bias : float
        Scale (the lecture's α), −3 to 6, and offset (β), −8 to 8, of the batch normalization.
    activation : {"sigmoid", "tanh", "ReLU"}
        What the logits enter.
    seed : int
        Of the 400 examples, 0 to 99.
    """

    mean: float = 3.0
    std: float = 2.5
    weight: float = 1.0
    bias: float = 0.0
    activation: str = "sigmoid"
    seed: int = 0

    def __post_init__(self) -> None:
        for name, (low, high) in {"mean": MEAN, "std": STD, "weight": WEIGHT, "bias": BIAS}.items():
            # A hair beyond the ends is allowed: the scale that undoes the largest spread holds ε too.
            if not low - 0.01 <= getattr(self, name) <= high + 0.01:
                raise ValueError(f"{name} lies between {low:g} and {high:g}, not at {getattr(self, name)!r}.")
        if self.activation not in ACTIVATIONS:
            raise ValueError(f"activation is one of {', '.join(ACTIVATIONS)}, not {self.activation!r}.")
        if not 0 <= self.seed <= 99:
            raise ValueError(f"seed is a whole number from 0 to 99, not {self.seed!r}.")


def logits_of(state: BatchnormHistogramsState) -> Array:
    """Return the logits that come in, float64 (400,): exactly the state's mean and standard deviation, a bit skewed."""
    rng = np.random.default_rng(state.seed)
    raw = rng.normal(size=EXAMPLES) + 0.6 * rng.exponential(size=EXAMPLES)
    return np.asarray(state.mean + state.std * (raw - raw.mean()) / raw.std())


def normalised(x: Array, weight: float, bias: float) -> Array:
    """Return batch normalization of x, (N,), in training mode: the toolkit's own way."""
    return np.asarray(weight * (x - x.mean()) / np.sqrt(x.var() + EPS) + bias)


def outputs(
    state: BatchnormHistogramsState, batchnorm_forward: Learner = None
) -> tuple[Array, Array, dict[str, Any] | None]:
    """Return the logits, what becomes of them, both (400,), and a note on the learner's function where there is one."""
    x = logits_of(state)
    own = normalised(x, state.weight, state.bias)
    arguments = x[:, None], np.array([state.weight]), np.array([state.bias]), np.zeros(1), np.ones(1)
    outcome = call_learner("batchnorm_forward", batchnorm_forward, *arguments)
    if outcome.kind == "missing":
        return x, own, {"words": outcome.words, "wrong": False}
    if outcome.kind == "error":
        return x, own, {"words": f"{outcome.words}. The toolkit's picture is shown.", "wrong": True}
    given = outcome.value[0] if isinstance(outcome.value, tuple | list) and len(outcome.value) == 3 else None
    y = as_numbers(given)
    if y is None or y.shape != (EXAMPLES, 1) or not np.isfinite(y).all():
        words = "Your batchnorm_forward returned no (y, running_mean, running_var) with a finite y of shape (400, 1)"
        return x, own, {"words": f"{words}. The toolkit's picture is shown.", "wrong": True}
    y = y[:, 0]
    if np.allclose(y, own, rtol=1e-6, atol=1e-6):
        return x, y, None
    words = (
        f"Yours is drawn: mean {number(y.mean())}, standard deviation {number(y.std())}. "
        f"Expected: mean {number(own.mean())}, standard deviation {number(own.std())}."
    )
    return x, y, {"words": words, "wrong": True}


def flat_logits(values: Array, activation: str) -> int:
    """Count the values at which the activation's derivative is less than a tenth of its largest value."""
    _, derivative, largest = ACTIVATIONS[activation]
    return int((derivative(values) < FLAT * largest).sum())


def flat_ranges(activation: str) -> list[list[float]]:
    """Return the ranges of [−12, 12] in which the activation is flat, as [from, to]."""
    _, derivative, largest = ACTIVATIONS[activation]
    at = np.linspace(EDGES[0], EDGES[-1], 2401)
    flat = derivative(at) < FLAT * largest
    changes = np.flatnonzero(np.diff(flat.astype(int))) + 1
    pieces = np.split(np.arange(len(at)), changes)
    return [[round(float(at[p[0]]), 2), round(float(at[p[-1]]), 2)] for p in pieces if flat[p[0]]]


def row_of(values: Array, activation: str) -> dict[str, Any]:
    """Describe one histogram: the share of each bin, mean, standard deviation, logits in the flat part."""
    counts, _ = np.histogram(np.clip(values, EDGES[0], EDGES[-1]), EDGES)
    return {
        "bars": [round(float(share), 4) for share in counts / len(values)],
        "mean": f"{values.mean():.2f}".replace("-0.00", "0.00").replace("-", "−"),
        "std": f"{values.std():.2f}",
        "flat": flat_logits(values, activation),
    }


def view_of(state: BatchnormHistogramsState, batchnorm_forward: Learner = None) -> dict[str, Any]:
    """Describe the picture of a state for the browser.

    Parameters
    ----------
    state : BatchnormHistogramsState
    batchnorm_forward : callable or None
        The learner's function; the toolkit fills in where it is missing or fails.
    """
    x, y, note = outputs(state, batchnorm_forward)
    activation, *_ = ACTIVATIONS[state.activation]
    at = np.linspace(EDGES[0], EDGES[-1], 121)
    curve = activation(at)
    low, high = (0.0, 4.0) if state.activation == "ReLU" else (float(curve.min()), float(curve.max()))
    before, after = row_of(x, state.activation), row_of(y, state.activation)
    return {
        "mean": [state.mean, *MEAN],
        "std": [state.std, *STD],
        "weight": [state.weight, *WEIGHT],
        "bias": [state.bias, *BIAS],
        "seed": [state.seed, 0, 99],
        "activation": state.activation,
        "edges": [float(EDGES[0]), float(EDGES[-1])],
        "before": before,
        "after": after,
        "examples": EXAMPLES,
        "curve": [
            [round(float(a), 2), round(float(np.clip((b - low) / (high - low), 0, 1)), 4)]
            for a, b in zip(at, curve, strict=True)
        ],
        "flat_ranges": flat_ranges(state.activation),
        "notes": [note] if note else [],
        "status": describe(state, x, y, before["flat"], after["flat"]),
    }


def describe(state: BatchnormHistogramsState, x: Array, y: Array, flat_before: int, flat_after: int) -> str:
    """Say in one or two sentences what the picture shows."""
    words = (
        f"In the flat part of the {state.activation}: {flat_before} of {EXAMPLES} logits without batch normalization, "
        f"{flat_after} with it."
    )
    if np.allclose(x, y, atol=0.002):
        return f"BN(x) = x: scale and offset undo the normalization. {words}"
    return words


class BatchnormHistograms(CourseWidget[BatchnormHistogramsState]):
    """Logits before and after batch normalization, normalised by your ``batchnorm_forward``.

    Parameters
    ----------
    batchnorm_forward : callable or None
        Yours: ``batchnorm_forward(x, weight, bias, running_mean, running_var)`` returns y and the running statistics.
        Without it, or while it raises ``NotImplementedError``, the toolkit normalises and says so.
    mean, std, weight, bias, activation, seed
        See :class:`BatchnormHistogramsState`.

    Raises
    ------
    ValueError
        For a state that cannot be drawn; the message says what is possible.

    Examples
    --------
    >>> BatchnormHistograms(mean=6.0, activation="tanh").as_code()
    "BatchnormHistograms(mean=6, activation='tanh')"
    """

    _esm, _css = assets("batchnorm_histograms")

    def __init__(
        self,
        batchnorm_forward: Learner = None,
        *,
        mean: float = BatchnormHistogramsState.mean,
        std: float = BatchnormHistogramsState.std,
        weight: float = BatchnormHistogramsState.weight,
        bias: float = BatchnormHistogramsState.bias,
        activation: str = BatchnormHistogramsState.activation,
        seed: int = BatchnormHistogramsState.seed,
    ) -> None:
        self.batchnorm_forward = batchnorm_forward
        state = BatchnormHistogramsState(mean, std, weight, bias, activation, seed)
        super().__init__(state, (("batchnorm_forward", batchnorm_forward),))

    def picture(self) -> dict[str, Any]:
        """Return the view of the present state."""
        return view_of(self.state, self.batchnorm_forward)

    def act(self, state: BatchnormHistogramsState, action: str, values: dict[str, Any]) -> BatchnormHistogramsState:
        """Answer the controls and the two buttons."""
        match action:
            case "identity":
                return replace(state, weight=float(np.sqrt(state.std**2 + EPS)), bias=state.mean)
            case "fresh":
                return replace(state, weight=1.0, bias=0.0)
        return super().act(state, action, values)
